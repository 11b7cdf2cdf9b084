//! Events as clients of a watch get them.

use super::message_bytes::PREFIX_BYTES;
use crate::inventory::Encoding;
use crate::operation::WatchEvent;
use crate::wire::grpc;

/// Events as the messages of a stream.
static MESSAGES: Encoding = Encoding { place: 0, write: write_event };

/// The encoding of the events of a watch. A request of another protocol has its own as an extension, so that
/// what all watchers get is encoded once for all.
#[derive(Clone, Copy)]
pub(in crate::server) struct EventEncoding(pub(in crate::server) &'static Encoding);

impl Default for EventEncoding {
    fn default() -> Self {
        Self(&MESSAGES)
    }
}

/// Writes an event as a message with its prefix.
fn write_event(event: &WatchEvent, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; PREFIX_BYTES]);
    grpc::write_watched(event, out);
    let length = u32::try_from(out.len() - start - PREFIX_BYTES).unwrap_or(u32::MAX);
    out[start + 1..start + PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
}
