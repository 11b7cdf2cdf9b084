//! The units of a catalog. Each label is kept once, and all products with that unit share it.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;

use super::product::Unit;
use super::shards::{Hashed, Shards};

/// A table of units.
#[derive(Debug, Default)]
pub(super) struct Units {
    entries: Shards<Entry>,
    /// Seeded at random, so that nobody can choose labels that collide.
    state: RandomState,
    units: Vec<Unit>,
}

#[derive(Debug)]
struct Entry {
    hash: u32,
    /// The unit's place among all units.
    index: u32,
}

impl Hashed for Entry {
    fn hash(&self) -> u32 {
        self.hash
    }
}

impl Units {
    /// The table's own copy of a unit, which shares its label.
    pub(super) fn shared(&mut self, unit: &Unit) -> Unit {
        let hash = self.hash(unit);
        if let Some(index) = self.find(unit, hash) {
            return self.get(index).clone();
        }
        // There are no more units than products and changes of products, both below 2^32.
        self.entries.insert(Entry { hash, index: self.units.len() as u32 });
        self.units.push(unit.clone());
        unit.clone()
    }

    /// The index of a unit of the table.
    pub(super) fn index(&self, unit: &Unit) -> u32 {
        self.find(unit, self.hash(unit)).unwrap_or_default()
    }

    /// The unit with an index that [`Units::index`] returned.
    pub(super) fn get(&self, index: u32) -> &Unit {
        &self.units[index as usize]
    }

    fn find(&self, unit: &Unit, hash: u32) -> Option<u32> {
        self.entries.find(hash, |entry| self.get(entry.index) == unit).map(|entry| entry.index)
    }

    fn hash(&self, unit: &Unit) -> u32 {
        self.state.hash_one(unit.as_str()) as u32
    }
}
