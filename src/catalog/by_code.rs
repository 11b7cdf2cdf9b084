//! Products by their codes.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;

use super::code::CodeValue;
use super::product::ProductId;
use super::shards::{Hashed, Shards};

/// An index of products by their codes. Only products with terms have codes.
#[derive(Debug, Default)]
pub(super) struct ByCode {
    entries: Shards<Entry>,
    /// Seeded at random, so that nobody can choose codes that collide.
    state: RandomState,
}

#[derive(Debug)]
struct Entry {
    value: CodeValue,
    hash: u32,
    product: ProductId,
}

const _: () = assert!(size_of::<Entry>() == 16);

impl Hashed for Entry {
    fn hash(&self) -> u32 {
        self.hash
    }
}

impl ByCode {
    /// The product with a code of this value for which `is_it` returns `true`. Several products have the same
    /// value only while a large change that moves a code is being applied.
    pub(super) fn get(
        &self,
        value: CodeValue,
        mut is_it: impl FnMut(ProductId) -> bool,
    ) -> Option<ProductId> {
        let found = self.entries.find(self.hash(value), |entry| entry.value == value && is_it(entry.product));
        found.map(|entry| entry.product)
    }

    /// Adds a code of a product.
    pub(super) fn insert(&mut self, value: CodeValue, product: ProductId) {
        self.entries.insert(Entry { value, hash: self.hash(value), product });
    }

    /// Removes a code of a product.
    pub(super) fn remove(&mut self, value: CodeValue, product: ProductId) {
        let hash = self.hash(value);
        self.entries.remove(hash, |entry| entry.value == value && entry.product == product);
    }

    fn hash(&self, value: CodeValue) -> u32 {
        self.state.hash_one(value) as u32
    }
}
