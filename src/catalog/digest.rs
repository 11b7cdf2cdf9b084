//! A digest of a request's content, which distinguishes a retry from another request with the same id.

use super::movement::Kind;
use super::product::ProductId;
use super::quantity::Quantity;

/// A digest of 64 bits (FNV-1a). The function must never change, because stores keep digests.
pub struct Digest(u64);

impl Digest {
    /// The digest of a request of this operation. Each operation has a word of its own, so that requests
    /// of two operations never have the same content.
    pub fn of(operation: &str) -> Self {
        let mut digest = Self::unnamed();
        digest.feed(operation.as_bytes());
        digest
    }

    /// The digest of a batch or an import. These two have no word, because stored digests are older than
    /// the other operations.
    pub fn unnamed() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds one part of the content.
    pub fn feed(&mut self, bytes: &[u8]) {
        // A separator after each part, so that `ab`, `c` and `a`, `bc` differ.
        for byte in bytes.iter().chain(&[0xff]) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Adds a change of a batch.
    pub fn feed_change(&mut self, product: ProductId, delta: Quantity, kind: Kind) {
        self.feed(&product.number().to_le_bytes());
        self.feed(&delta.thousandths().to_le_bytes());
        self.feed(kind.word().as_bytes());
    }

    /// The digest of all parts added so far.
    pub fn value(&self) -> u64 {
        self.0
    }
}
