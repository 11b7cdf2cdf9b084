//! Products by their names, letter for letter.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;

use super::name::Name;
use super::product::ProductId;
use super::shards::{Hashed, Shards};

/// Finds products by their names as programs write names that they were told: to fold a name takes
/// longer than to find it.
#[derive(Debug, Default)]
pub(super) struct ByName {
    entries: Shards<Entry>,
    /// Seeded at random, so that nobody can choose names that collide.
    state: RandomState,
}

/// Short names stand here too, so that a look-up need not go to the product.
#[derive(Debug)]
struct Entry {
    name: Name,
    hash: u32,
    product: ProductId,
}

const _: () = assert!(size_of::<Entry>() == 32);

impl Hashed for Entry {
    fn hash(&self) -> u32 {
        self.hash
    }
}

impl ByName {
    pub(super) fn with_capacity(count: usize) -> Self {
        Self { entries: Shards::with_capacity(count), state: RandomState::default() }
    }

    /// The product that was added with this name.
    pub(super) fn get(&self, name: &str) -> Option<ProductId> {
        self.get_hashed(name, self.hash(name))
    }

    /// Adds a product.
    ///
    /// # Errors
    /// If another product has its name: that product's id.
    pub(super) fn insert(&mut self, name: &Name, product: ProductId) -> Result<(), ProductId> {
        let hash = self.hash(name.as_str());
        match self.get_hashed(name.as_str(), hash) {
            Some(other) => Err(other),
            None => {
                self.entries.insert(Entry { name: name.clone(), hash, product });
                Ok(())
            }
        }
    }

    fn get_hashed(&self, name: &str, hash: u32) -> Option<ProductId> {
        self.entries.find(hash, |entry| entry.name.as_str() == name).map(|entry| entry.product)
    }

    fn hash(&self, name: &str) -> u32 {
        self.state.hash_one(name) as u32
    }
}
