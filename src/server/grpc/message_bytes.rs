//! The bytes of the single message of a call: the length, and the part that has arrived.

use crate::refusal::{Code, Refusal};

/// The bytes of the prefix of each message: the compression flag and the length.
pub(in crate::server) const PREFIX_BYTES: usize = 5;

/// The count of the bytes of a call's message that have arrived.
pub(super) struct MessageBytes {
    pub(super) prefix_left: usize,
    pub(super) is_compressed: bool,
    /// The length of the whole message, and of the part that is missing. `None` until the prefix has arrived.
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
    /// If there are more bytes than one message.
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
        let more = || not_one("há bytes depois dela");
        self.bytes_left = self.bytes_left.checked_sub(bytes.len()).ok_or_else(more)?;
        Ok(())
    }

    /// # Errors
    /// If the message, or a part of it, is missing.
    pub(super) fn end(&self) -> Result<(), Refusal> {
        match (self.prefix_left, self.bytes_left) {
            (0, 0) => Ok(()),
            (PREFIX_BYTES, _) => Err(not_one("e não veio nenhuma")),
            _ => Err(Refusal::invalid("message", "a mensagem desta chamada está incompleta")),
        }
    }
}

/// The refusal of a call with more or fewer messages than one, which gRPC and Connect call `UNIMPLEMENTED`.
fn not_one(what: &str) -> Refusal {
    let what = format!("esta chamada tem uma só mensagem, {what}. Nada foi feito; envie uma.");
    Refusal { metadata: vec![("field", "message".to_owned())], ..Refusal::new(Code::UnknownCommand, what) }
}
