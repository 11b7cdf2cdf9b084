//! A digest of a request, by which a retry is told from another request with the same id.

use super::movement::Kind;
use super::product::ProductId;
use super::quantity::Quantity;

/// A digest that stays the same for ever (FNV-1a, 64 bits), because stores keep it.
pub struct Digest(u64);

impl Digest {
    /// The digest of a request of this operation. The words differ, so that requests of two operations
    /// never have the same content.
    pub fn of(operation: &str) -> Self {
        let mut digest = Self::unnamed();
        digest.feed(operation.as_bytes());
        digest
    }

    /// The digest of a batch or an import, which begin without a word, as they did before there were
    /// other operations.
    pub fn unnamed() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds one part of the content.
    pub fn feed(&mut self, bytes: &[u8]) {
        // A byte that ends each part, so that parts do not run into each other.
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

    /// The digest of all that was added so far.
    pub fn value(&self) -> u64 {
        self.0
    }
}
