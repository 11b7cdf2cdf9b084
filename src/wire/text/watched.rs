//! Watched events as lines.

use std::io::Write;

use super::replies::read_refusal;
use crate::operation::{HEARTBEAT_LINE, MovementReply, WatchEvent};
use crate::refusal::Refusal;

/// Writes an event of a watched shop as a line. Changes of terms have no line.
pub fn write_watched(event: &WatchEvent, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = match event {
        WatchEvent::Movement(movement) => writeln!(out, "{movement}"),
        WatchEvent::Product(_) => Ok(()),
        WatchEvent::Heartbeat(_) => writeln!(out, "{HEARTBEAT_LINE}"),
    };
}

/// Reads a line of an event, or the refusal that ends a watch. `None` if it is neither, such as the empty line
/// at the end.
pub fn read_watched(line: &str) -> Option<Result<WatchEvent, Refusal>> {
    match line {
        // The line has no number.
        HEARTBEAT_LINE => Some(Ok(WatchEvent::Heartbeat(0))),
        line => match MovementReply::parse(line) {
            Some(movement) => Some(Ok(WatchEvent::Movement(movement))),
            None => read_refusal(line).map(Err),
        },
    }
}
