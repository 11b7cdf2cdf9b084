//! Events of a watch as messages of JSON.

use crate::inventory::Encoding;
use crate::operation::{Operation, WatchEvent};
use crate::server::grpc::PREFIX_BYTES;
use crate::wire::grpc;
use crate::wire::json::Call;

/// Each event with its prefix, written once for all watchers.
pub(super) static JSON: Encoding = Encoding { place: 2, write };

fn write(event: &WatchEvent, out: &mut Vec<u8>) {
    let mut message = Vec::new();
    grpc::write_watched(event, &mut message);
    let start = out.len();
    out.extend_from_slice(&[0; PREFIX_BYTES]);
    let call = Call::of(Operation::WatchMovements);
    let written = call.is_some_and(|call| call.write_response(&message, out).is_ok());
    debug_assert!(written, "an event of ours is JSON");
    let length = u32::try_from(out.len() - start - PREFIX_BYTES).unwrap_or(u32::MAX);
    out[start + 1..start + PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_message_with_its_prefix() {
        let mut out = b"x".to_vec();
        write(&WatchEvent::Heartbeat(812), &mut out);
        assert_eq!(out, b"x\0\0\0\0\x1b{\"heartbeatSequence\":\"812\"}");
    }
}
