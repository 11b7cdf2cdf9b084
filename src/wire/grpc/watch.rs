//! Watched events in the exact contract.

use prost::Message;

use super::movements::{movement_message, movement_reply};
use super::products::{product_message, product_reply};
use super::v1;
use super::v1::watch_movements_response::Event;
use crate::operation::{WatchEvent, WatchRequest};
use crate::wire::NotAReply;

/// Reads a request to watch from its message.
pub fn watch_request(message: &v1::WatchMovementsRequest) -> WatchRequest<'_> {
    let name = Some(message.product_name.as_str()).filter(|name| !name.is_empty());
    WatchRequest { name, after: message.after_sequence }
}

/// The message of a request to watch.
pub fn watch_message(request: &WatchRequest<'_>) -> v1::WatchMovementsRequest {
    let product_name = request.name.unwrap_or("").to_owned();
    v1::WatchMovementsRequest { after_sequence: request.after, product_name }
}

/// Writes an event as a message.
pub fn write_watched(event: &WatchEvent, out: &mut Vec<u8>) {
    let event = match event {
        WatchEvent::Movement(movement) => Event::Movement(movement_message(movement)),
        WatchEvent::Product(product) => Event::Product(product_message(product)),
        WatchEvent::Heartbeat(sequence) => Event::HeartbeatSequence(*sequence),
    };
    // Writing to a vector cannot fail.
    let _ = v1::WatchMovementsResponse { event: Some(event) }.encode(out);
}

/// Reads an event that the server sent.
///
/// # Errors
/// If no server of ours sends such a message.
pub fn watched(message: v1::WatchMovementsResponse) -> Result<WatchEvent, NotAReply> {
    match message.event.ok_or(NotAReply)? {
        Event::Movement(movement) => movement_reply(movement).map(WatchEvent::Movement),
        Event::Product(product) => product_reply(Some(product)).map(WatchEvent::Product),
        Event::HeartbeatSequence(sequence) => Ok(WatchEvent::Heartbeat(sequence)),
    }
}
