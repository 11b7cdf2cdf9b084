//! Products by the keys of their names.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;

use super::product::{Product, ProductId};
use super::products::Products;
use super::shards::{Hashed, Shards};

/// An index of products by the keys of their names. The index stores no keys, which would add half to
/// the memory of a product; instead the name of each candidate is folded and compared.
#[derive(Debug, Default)]
pub(super) struct ByKey {
    entries: Shards<Entry>,
    /// Seeded at random, so that nobody can choose names that collide.
    state: RandomState,
}

#[derive(Debug)]
struct Entry {
    hash: u32,
    product: ProductId,
}

impl Hashed for Entry {
    fn hash(&self) -> u32 {
        self.hash
    }
}

impl ByKey {
    pub(super) fn with_capacity(count: usize) -> Self {
        Self { entries: Shards::with_capacity(count), state: RandomState::default() }
    }

    /// The product whose name has this key. `products` must be the products that were added.
    pub(super) fn get(&self, products: &Products, key: &[u8]) -> Option<ProductId> {
        self.get_hashed(products, key, self.hash(key))
    }

    /// Adds a new product, unless one of `products` has the same key. Returns the product that has it.
    pub(super) fn insert(&mut self, products: &Products, product: &Product) -> Option<ProductId> {
        let key = product.name.key();
        let key = key.as_str().as_bytes();
        let hash = self.hash(key);
        let other = self.get_hashed(products, key, hash);
        if other.is_none() {
            self.entries.insert(Entry { hash, product: product.id });
        }
        other
    }

    /// Removes the key of a product. Returns whether the product had it.
    pub(super) fn remove(&mut self, key: &[u8], product: ProductId) -> bool {
        self.entries.remove(self.hash(key), |entry| entry.product == product).is_some()
    }

    fn get_hashed(&self, products: &Products, key: &[u8], hash: u32) -> Option<ProductId> {
        let has_key = |entry: &Entry| {
            products.latest(entry.product.index()).is_some_and(|product| product.name.has_key(key))
        };
        self.entries.find(hash, has_key).map(|entry| entry.product)
    }

    fn hash(&self, key: &[u8]) -> u32 {
        self.state.hash_one(key) as u32
    }
}
