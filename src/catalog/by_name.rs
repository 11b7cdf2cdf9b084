//! Products by their names, letter for letter.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;

use super::name::Name;
use super::product::ProductId;
use super::shards::{Hashed, Shards};

/// An index of products by their exact names. Programs send a name back as the server sent it to them,
/// and folding a name takes longer than a look-up.
#[derive(Debug, Default)]
pub(super) struct ByName {
    entries: Shards<Entry>,
    /// Seeded at random, so that nobody can choose names that collide.
    state: RandomState,
}

/// An entry, which contains the text of a short name, so that a look-up need not read the product.
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
    /// If another product has the same name: that product's id.
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

    /// Removes the name of a product.
    pub(super) fn remove(&mut self, name: &Name, product: ProductId) {
        let hash = self.hash(name.as_str());
        self.entries.remove(hash, |entry| entry.product == product && entry.name == *name);
    }

    fn get_hashed(&self, name: &str, hash: u32) -> Option<ProductId> {
        self.entries.find(hash, |entry| entry.name.as_str() == name).map(|entry| entry.product)
    }

    fn hash(&self, name: &str) -> u32 {
        self.state.hash_one(name) as u32
    }
}
