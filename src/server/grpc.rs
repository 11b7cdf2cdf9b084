//! gRPC calls, which the inventory answers. They come over connections of HTTP/2 (`server::http`).

mod adjust_stream;
mod arriving;
mod calls;
mod event_encoding;
mod gzip;
mod head;
mod health;
mod large_messages;
mod list_body;
mod message_bytes;
mod one_message;
mod own_words;
mod progress;
mod reflection;
mod router;
mod trailers;
mod unary;
mod watch_stream;

pub(super) use arriving::CallBody;
pub(super) use calls::Calls;
pub(super) use event_encoding::EventEncoding;
pub(super) use gzip::decompressed;
pub(super) use head::{HEADER_LIST_BYTES_READ_MAX, is_grpc};
pub(super) use message_bytes::PREFIX_BYTES;
pub(super) use own_words::{defect, no_room};
pub(super) use router::{Answer, Router, not_served};
pub(super) use unary::{STANDBY, mark_standby};

/// The most open calls of one connection; further calls wait at the client. Each call holds its request and
/// its answer, so this number bounds the memory of a connection.
pub(super) const STREAMS_MAX: u32 = 256;

#[cfg(test)]
mod testing;
