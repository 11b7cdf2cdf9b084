//! The bytes of a call's one message: how many there are, and how many have come.

use crate::refusal::Refusal;

/// Bytes before each message: whether it is compressed, and its length.
pub(super) const PREFIX_BYTES: usize = 5;

/// How much has come of a call's one message.
pub(super) struct MessageBytes {
    pub(super) prefix_left: usize,
    pub(super) is_compressed: bool,
    /// The length of the whole message, and of the part that has not come yet. Known once the prefix
    /// has come.
    pub(super) bytes: usize,
    bytes_left: usize,
}

impl Default for MessageBytes {
    fn default() -> Self {
        Self { prefix_left: PREFIX_BYTES, is_compressed: false, bytes: 0, bytes_left: 0 }
    }
}

impl MessageBytes {
    /// # Errors
    /// If more comes than one message.
    pub(super) fn add(&mut self, mut bytes: &[u8]) -> Result<(), Refusal> {
        while self.prefix_left > 0 {
            let Some((first, rest)) = bytes.split_first() else { return Ok(()) };
            if self.prefix_left < PREFIX_BYTES {
                self.bytes_left = self.bytes_left << 8 | usize::from(*first);
            } else {
                self.is_compressed = *first != 0;
            }
            self.prefix_left -= 1;
            self.bytes = self.bytes_left;
            bytes = rest;
        }
        let more = || Refusal::invalid("message", "esta chamada leva uma mensagem, e veio mais que isso");
        self.bytes_left = self.bytes_left.checked_sub(bytes.len()).ok_or_else(more)?;
        Ok(())
    }

    /// # Errors
    /// If not all of the message has come.
    pub(super) fn end(&self) -> Result<(), Refusal> {
        if self.prefix_left == 0 && self.bytes_left == 0 {
            return Ok(());
        }
        Err(Refusal::invalid("message", "esta chamada leva uma mensagem, e ela não veio inteira"))
    }
}
