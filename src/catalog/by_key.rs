//! Products by the keys of their names.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use hashbrown::HashTable;

use super::product::{Product, ProductId};
use super::products::Products;

/// Finds products by the keys of their names. It holds no keys, which would take half as much
/// memory as all the rest of a product: the name of what it finds is folded.
#[derive(Debug, Default)]
pub(super) struct ByKey {
    entries: HashTable<Entry>,
    /// Seeded at random, so that nobody can choose names that collide.
    state: RandomState,
}

#[derive(Debug)]
struct Entry {
    /// Of the key, so that the table grows without a look at any name.
    hash: u32,
    product: ProductId,
}

impl Entry {
    /// The table looks at the lowest bits of it and at the highest.
    fn spread(hash: u32) -> u64 {
        u64::from(hash) << 32 | u64::from(hash)
    }
}

impl ByKey {
    pub(super) fn with_capacity(count: usize) -> Self {
        Self { entries: HashTable::with_capacity(count), state: RandomState::default() }
    }

    /// The one of these products, which are those that were added, whose name has this key.
    pub(super) fn get(&self, products: &Products, key: &[u8]) -> Option<ProductId> {
        self.get_hashed(products, key, self.hash(key))
    }

    /// Adds a product that is to come after these, if none of them has its key. Returns the one
    /// that has.
    pub(super) fn insert(&mut self, products: &Products, product: &Product) -> Option<ProductId> {
        let key = product.name.key();
        let key = key.as_str().as_bytes();
        let hash = self.hash(key);
        let other = self.get_hashed(products, key, hash);
        if other.is_none() {
            let entry = Entry { hash, product: product.id };
            self.entries.insert_unique(Entry::spread(hash), entry, |entry| Entry::spread(entry.hash));
        }
        other
    }

    fn get_hashed(&self, products: &Products, key: &[u8], hash: u32) -> Option<ProductId> {
        let is_it = |entry: &Entry| {
            entry.hash == hash && products.get(entry.product).is_some_and(|product| product.name.has_key(key))
        };
        self.entries.find(Entry::spread(hash), is_it).map(|entry| entry.product)
    }

    fn hash(&self, key: &[u8]) -> u32 {
        self.state.hash_one(key) as u32
    }
}
