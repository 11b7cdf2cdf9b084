//! The form in which the messages of a request arrive.

use axum::body::{Body, HttpBody as _};

use crate::wire::connect::{Codec, Kind};
use crate::wire::json::Call;

/// A request's messages, and how they become gRPC's.
pub(super) struct Format {
    pub(super) kind: Kind,
    /// The types of the messages.
    pub(super) call: &'static Call,
    /// The limit of a message as protobuf.
    pub(super) bytes_max: usize,
    /// Whether messages may be compressed with gzip.
    pub(super) is_gzip: bool,
    /// Whether the body must say at its end that it is whole: HTTP/2 also ends a body if the client resets the
    /// call with NO_ERROR (hyperium/hyper#3681). HTTP/1.1 makes an error of a body that is cut.
    pub(super) is_end_said: bool,
}

/// The most bytes of a message as JSON, in times the limit of the message: field names and digits take more
/// than protobuf's, and the limits have room for the longest names.
const JSON_FACTOR: usize = 2;

impl Format {
    /// Whether a body that has no more frames is whole.
    pub(super) fn is_whole(&self, body: &Body) -> bool {
        !self.is_end_said || body.is_end_stream()
    }

    /// The limit of a message as it arrives.
    pub(super) fn arriving_bytes_max(&self) -> usize {
        match self.kind.codec {
            Codec::Json => self.bytes_max * JSON_FACTOR,
            Codec::Proto => self.bytes_max,
        }
    }
}
