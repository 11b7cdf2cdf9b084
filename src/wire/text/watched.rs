//! Watched events as lines.

use std::io::Write;

use crate::operation::{HEARTBEAT_LINE, MovementReply, WatchEvent};

/// Writes an event of a watched shop as a line. Changes of terms have no line.
pub fn write_watched(event: &WatchEvent, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = match event {
        WatchEvent::Movement(movement) => writeln!(out, "{movement}"),
        WatchEvent::Product(_) => Ok(()),
        WatchEvent::Heartbeat(_) => writeln!(out, "{HEARTBEAT_LINE}"),
    };
}

/// Reads a line of an event.
pub fn read_watched(line: &str) -> Option<WatchEvent> {
    match line {
        // The line has no number.
        HEARTBEAT_LINE => Some(WatchEvent::Heartbeat(0)),
        line => MovementReply::parse(line).map(WatchEvent::Movement),
    }
}
