//! The transports that are compared.

use crate::wire::Protocol;

/// The transport that carries the operations to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    /// Lines of text, pipelined.
    Socket,
    /// A gRPC call for each operation.
    Unary,
    /// Changes on one gRPC stream for each connection; reads are calls.
    Stream,
}

impl Transport {
    pub(super) const ALL: [Transport; 3] = [Transport::Socket, Transport::Unary, Transport::Stream];

    /// The name that people see.
    pub(super) fn name(self) -> &'static str {
        match self {
            Transport::Socket => "socket",
            Transport::Unary => "gRPC unário",
            Transport::Stream => "gRPC stream",
        }
    }

    pub(super) fn protocol(self) -> Protocol {
        match self {
            Transport::Socket => Protocol::Text,
            Transport::Unary | Transport::Stream => Protocol::Http2,
        }
    }
}
