//! The limits of the gRPC messages that ask for operations.

/// The limit of a gRPC message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageLimit {
    /// The bytes of the largest message.
    pub bytes_max: usize,
    /// The limits of large messages, which take long to arrive and to check. `None` if no message is large.
    pub large: Option<LargeMessages>,
}

/// The limits that keep large messages from delaying other requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LargeMessages {
    /// The most large messages that are read at one time, over all connections. The others wait unread.
    pub at_once_max: usize,
    /// The bytes of the largest message that a worker checks itself, instead of the side thread.
    pub worker_bytes_max: usize,
}

impl MessageLimit {
    /// The limit of most messages: the longest spelling of a name, and a request id.
    pub(super) const SMALL: MessageLimit = MessageLimit { bytes_max: 16 * 1024, large: None };
}
