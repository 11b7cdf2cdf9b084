//! A hash table in shards, which never moves all its entries together, so that growth delays no request.

use hashbrown::HashTable;

/// An entry that keeps its hash, so that growth moves the entry without reading its key.
pub(super) trait Hashed {
    fn hash(&self) -> u32;
}

/// Entries at which a table is split into shards. A smaller table is one shard, because loading a shard
/// into the processor's cache takes longer than the rest of a look-up.
const SPLIT_AT: usize = 4096;

/// Shards of a split table. A shard moves its entries when it grows: 20,000 of ten million, which takes
/// half a millisecond.
const SHARDS: usize = 512;

/// Bits of the hash below those that choose the shard. Inside a shard [`HashTable`] uses the lowest bits,
/// which are enough for all entries, and the highest seven.
const LOWER_BITS: u32 = 16;

const _: () = assert!(SHARDS.is_power_of_two() && SHARDS.ilog2() + LOWER_BITS + 7 <= u32::BITS);

/// A hash table, in one shard or many.
#[derive(Debug)]
pub(super) struct Shards<T> {
    /// The parts of the table: one, or [`SHARDS`].
    shards: Vec<HashTable<T>>,
}

impl<T> Default for Shards<T> {
    fn default() -> Self {
        Self { shards: vec![HashTable::new()] }
    }
}

impl<T: Hashed> Shards<T> {
    /// A table with room for so many entries.
    pub(super) fn with_capacity(count: usize) -> Self {
        let shards = if count < SPLIT_AT { 1 } else { SHARDS };
        let shard = || HashTable::with_capacity(count.div_ceil(shards));
        Self { shards: (0..shards).map(|_| shard()).collect() }
    }

    /// The entry with this hash for which `is_it` returns `true`.
    pub(super) fn find(&self, hash: u32, mut is_it: impl FnMut(&T) -> bool) -> Option<&T> {
        let is_it = |entry: &T| entry.hash() == hash && is_it(entry);
        self.shards[self.shard_of(hash)].find(spread(hash), is_it)
    }

    /// Adds an entry.
    pub(super) fn insert(&mut self, entry: T) {
        if let [only] = &mut self.shards[..]
            && only.len() >= SPLIT_AT
        {
            let entries = std::mem::take(only);
            *self = Self::with_capacity(2 * SPLIT_AT);
            entries.into_iter().for_each(|entry| self.insert(entry));
        }
        let shard = self.shard_of(entry.hash());
        self.shards[shard].insert_unique(spread(entry.hash()), entry, |entry| spread(entry.hash()));
    }

    /// Removes and returns the entry with this hash for which `is_it` returns `true`.
    pub(super) fn remove(&mut self, hash: u32, mut is_it: impl FnMut(&T) -> bool) -> Option<T> {
        let is_it = |entry: &T| entry.hash() == hash && is_it(entry);
        let shard = self.shard_of(hash);
        self.shards[shard].find_entry(spread(hash), is_it).ok().map(|found| found.remove().0)
    }

    fn shard_of(&self, hash: u32) -> usize {
        (hash >> LOWER_BITS) as usize & (self.shards.len() - 1)
    }
}

/// The hash for a [`HashTable`], which uses the lowest and the highest of 64 bits.
fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use foldhash::fast::FixedState;

    use super::*;

    struct Entry {
        hash: u32,
        number: usize,
    }

    impl Hashed for Entry {
        fn hash(&self) -> u32 {
            self.hash
        }
    }

    /// A hash, which one number in ten shares with another.
    fn hash(number: usize) -> u32 {
        FixedState::default().hash_one(number - number % 10 / 9) as u32
    }

    fn entry(number: usize) -> Entry {
        Entry { hash: hash(number), number }
    }

    fn find(table: &Shards<Entry>, number: usize) -> Option<usize> {
        table.find(hash(number), |entry| entry.number == number).map(|entry| entry.number)
    }

    #[test]
    fn what_was_added_is_found_and_nothing_else() {
        const COUNT: usize = 100_000;
        for capacity in [0, SPLIT_AT - 1, SPLIT_AT, COUNT] {
            let mut table = Shards::with_capacity(capacity);
            for number in 0..COUNT {
                assert_eq!(find(&table, number), None);
                table.insert(entry(number));
                assert_eq!(find(&table, number), Some(number));
            }
            for number in 0..2 * COUNT {
                assert_eq!(find(&table, number), Some(number).filter(|_| number < COUNT), "{number}");
            }
            for number in (0..COUNT).step_by(3) {
                let taken = table.remove(hash(number), |entry| entry.number == number);
                assert_eq!(taken.map(|entry| entry.number), Some(number));
                assert!(table.remove(hash(number), |entry| entry.number == number).is_none());
            }
            for number in 0..COUNT {
                assert_eq!(find(&table, number), Some(number).filter(|number| number % 3 > 0), "{number}");
            }
        }
    }

    #[test]
    fn few_entries_move_together() {
        const COUNT: usize = 300_000;
        let mut table = Shards::default();
        let mut moved_max = 0;
        for number in 0..COUNT {
            let shard = &table.shards[table.shard_of(hash(number))];
            let (len, capacity) = (shard.len(), shard.capacity());
            table.insert(entry(number));
            if table.shards[table.shard_of(hash(number))].capacity() != capacity {
                moved_max = moved_max.max(len);
            }
        }
        assert_eq!(moved_max, SPLIT_AT);
        let largest = table.shards.iter().map(HashTable::len).max();
        assert!(largest < Some(2 * COUNT / SHARDS), "{largest:?}");
    }
}
