//! Buffers that a worker keeps for its connections. An idle connection holds no buffer.

use std::cell::Cell;
use std::ops::Range;

use crate::inventory::Answers;

/// The bytes of one read: more than a thousand pipelined commands.
pub(super) const READ_BYTES: usize = 16 * 1024;

/// The bytes of replies after which a list is sent before it is complete, so that a list of any length takes
/// bounded memory.
pub(super) const WRITE_BYTES: usize = 64 * 1024;

/// The largest buffer that a worker keeps for the next connection: all of one read, and the replies to
/// hundreds of commands. A larger buffer is freed.
const SPARE_BYTES_MAX: usize = READ_BYTES;

thread_local! {
    // The worker's buffers for reading and for replies, while no connection uses them. An idle connection
    // holds neither, and an allocation for each read would take a twentieth of the read's time.
    static SPARE_BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static SPARE_REPLIES: Cell<String> = const { Cell::new(String::new()) };
}

/// Replaces a buffer without memory by the spare one.
pub(super) fn take_read_buffer(buffer: &mut Vec<u8>) {
    if buffer.capacity() == 0 {
        *buffer = SPARE_BUFFER.take();
    }
}

/// Keeps an empty buffer for the next connection.
pub(super) fn give_read_buffer_back(buffer: Vec<u8>) {
    if buffer.capacity() <= SPARE_BYTES_MAX {
        SPARE_BUFFER.set(buffer);
    }
}

/// Keeps the memory of sent replies for the next connection.
pub(super) fn give_replies_back(mut replies: String) {
    if replies.capacity() <= SPARE_BYTES_MAX {
        replies.clear();
        SPARE_REPLIES.set(replies);
    }
}

/// The replies of a text connection.
impl Answers for String {
    /// Replaces replies without memory by the spare ones.
    fn make_room(&mut self, _count: usize) {
        if self.capacity() == 0 {
            *self = SPARE_REPLIES.take();
        }
    }

    fn bytes(&self) -> usize {
        self.len()
    }

    fn append(&mut self, other: &Self, bytes: Range<usize>) {
        self.push_str(&other[bytes]);
    }

    fn clear(&mut self) {
        self.clear();
    }
}
