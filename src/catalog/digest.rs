//! A digest of a request's content, which distinguishes a retry from another request with the same id.

use super::details::{Details, Note, Purchase};
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

    /// Adds the details of a change. Absent details add nothing, because stored digests are older than details.
    pub fn feed_details(&mut self, details: &Details) {
        let Details { amount, loss_reason, note, purchase } = details;
        if let Some(amount) = amount {
            self.feed(b"total");
            self.feed(&amount.centavos().to_le_bytes());
        }
        if let Some(reason) = loss_reason {
            self.feed(b"causa");
            self.feed(reason.word().as_bytes());
        }
        self.feed_note(note.as_ref());
        let Some(Purchase { supplier, lot, expires_on, invoice, item, pack }) = purchase else { return };
        if let Some(supplier) = supplier {
            self.feed(b"fornecedor");
            self.feed(supplier.as_str().as_bytes());
        }
        if let Some(lot) = lot {
            self.feed(b"lote");
            self.feed(lot.as_str().as_bytes());
        }
        if let Some(expires_on) = expires_on {
            self.feed(b"validade");
            self.feed(expires_on.to_string().as_bytes());
        }
        if let Some(invoice) = invoice {
            self.feed(b"nota");
            self.feed(invoice.as_str().as_bytes());
        }
        if let Some(item) = item {
            self.feed(b"item");
            self.feed(item.as_str().as_bytes());
        }
        if let Some(pack) = pack {
            self.feed(b"embalagem");
            self.feed(&pack.thousandths().to_le_bytes());
        }
    }

    /// Adds a note, if there is one.
    pub fn feed_note(&mut self, note: Option<&Note>) {
        if let Some(note) = note {
            self.feed("observação".as_bytes());
            self.feed(note.as_str().as_bytes());
        }
    }

    /// The digest of all parts added so far.
    pub fn value(&self) -> u64 {
        self.0
    }
}
