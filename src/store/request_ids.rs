//! The index of request ids, which finds the movement that has an id: a log-structured merge tree of one
//! level.
//!
//! An id is durable in its row of the ledger, which grows at its end. A B-tree of ids beside the ledger would
//! write a page of the database for each random id, and be twenty times slower. Therefore the newest ids are
//! only in a memtable, which a start fills from the end of the ledger. From time to time the memtable is
//! stored as an immutable sorted run, ordered by the hashes of the ids. Each run has a Bloom filter. Eight
//! full runs, or more small ones, form a group with a Bloom filter of its own, which rules out nearly every
//! new id. The filters stay in memory, three bytes for each id.
//!
//! Each store has tables for the runs ([`IdTables`]) and decides when it writes one; until the whole run is stored,
//! its ids stay in the memtable. A hash only proposes a place. The row at that place has the id itself, which is
//! compared.

mod entry;
mod groups;
#[cfg(test)]
mod memory_tables;
mod run;
mod tables;

#[cfg(feature = "postgres")]
use std::collections::HashSet;
use std::hash::Hasher as _;

use hashbrown::HashTable;
use siphasher::sip::SipHasher13;

use crate::catalog::{RequestId, Transaction};
pub(super) use entry::{ENTRY_BYTES, Entry, write_entries};
use entry::{entries, half};
use groups::Groups;
pub(super) use groups::RUN_AFTER;
pub(super) use run::Run;
pub(super) use tables::{IdTables, Malformed, OnFound, StoredRun};

/// Movements without any id after which the index notes that there is none, so that a start need not read
/// them.
pub(super) const NONE_AFTER: usize = RUN_AFTER / 64;

/// The place of an id that is in the table of requests, and not in the ledger.
pub(super) const ELSEWHERE: i64 = 0;

/// The bytes of the key of the hashes.
pub(super) const SEED_BYTES: usize = 16;

/// The index of the request ids of one shop.
pub(super) struct IdIndex {
    /// Keyed with a seed of the shop, so that no client can choose ids that collide.
    hasher: SipHasher13,
    memtable: Memtable,
    groups: Groups,
    /// The last movement whose id, and those of all movements before it, are in runs.
    through: i64,
}

/// The ids that are in no stored run.
#[derive(Default)]
struct Memtable {
    entries: Vec<Entry>,
    /// The index of each entry, by its hash.
    by_hash: HashTable<u32>,
}

impl IdIndex {
    /// The index of a shop without ids, such as one that is not created yet.
    pub(super) fn new() -> Self {
        Self {
            hasher: SipHasher13::new(),
            memtable: Memtable::default(),
            groups: Groups::default(),
            through: 0,
        }
    }

    /// Reads the filters, and the ids that are not in a run yet. The stored runs have the ids of the movements
    /// up to `through`.
    pub(super) fn read<T: IdTables>(
        tables: &mut T,
        seed: &[u8; SEED_BYTES],
        through: i64,
    ) -> Result<Self, T::Error> {
        let mut this = Self { hasher: SipHasher13::new_with_key(seed), through, ..Self::new() };
        this.groups.read(tables)?;
        let hasher = this.hasher;
        tables.ids_after(through, &mut |id, place| this.memtable.add(hash(hasher, id), place))?;
        Ok(this)
    }

    fn hash(&self, request_id: &str) -> i64 {
        hash(self.hasher, request_id)
    }

    /// The places where some ids may be: pairs of an id's index and a sequence number, or [`ELSEWHERE`]. Nearly
    /// every new id has no such place.
    pub(super) fn places<T: IdTables>(
        &self,
        tables: &mut T,
        request_ids: &[&RequestId],
    ) -> Result<Vec<(usize, i64)>, T::Error> {
        let mut places = Vec::new();
        let hashes: Vec<i64> = request_ids.iter().map(|request_id| self.hash(request_id.as_str())).collect();
        for (index, hash) in hashes.iter().enumerate() {
            places.extend(self.memtable.places(*hash).map(|place| (index, place)));
        }
        let may_hold = self.groups.that_may_hold(&hashes);
        if may_hold.is_empty() {
            return Ok(places);
        }
        let wanted: Vec<(usize, i64)> = may_hold.iter().map(|(index, run)| (*run, hashes[*index])).collect();
        tables.chunks_with(&wanted, &mut |found, chunk| {
            let (index, hash) = (may_hold[found].0, wanted[found].1);
            let entries = entries(chunk)?;
            let from = entries.partition_point(|entry| half(entry, 0) < hash);
            let same = entries[from..].iter().take_while(|entry| half(entry, 0) == hash);
            places.extend(same.map(|entry| (index, half(entry, 1))));
            Ok(())
        })?;
        Ok(places)
    }

    /// Whether no id has a place, as far as is known without the tables. Nearly every new id has none.
    #[cfg(feature = "postgres")]
    pub(super) fn are_new(&self, request_ids: &[&RequestId]) -> bool {
        let hashes: Vec<i64> = request_ids.iter().map(|request_id| self.hash(request_id.as_str())).collect();
        hashes.iter().all(|hash| self.memtable.places(*hash).next().is_none())
            && self.groups.that_may_hold(&hashes).is_empty()
    }

    /// Reads the runs that another server has stored since, up to the movement `through`, and forgets their ids. All
    /// ids up to that movement must have been added.
    #[cfg(feature = "postgres")]
    pub(super) fn follow<T: IdTables>(&mut self, tables: &mut T, through: i64) -> Result<(), T::Error> {
        let known = self.groups.run_count();
        self.groups.read(tables)?;
        let mut stored: HashSet<Entry> = HashSet::new();
        tables.chunks(known..self.groups.run_count(), &mut |chunk| {
            stored.extend(entries(chunk)?.iter().map(|entry| (half(entry, 0), half(entry, 1))));
            Ok(())
        })?;
        self.memtable.retain(|entry| !stored.contains(entry));
        self.through = through;
        Ok(())
    }

    /// Adds ids that another server has stored, unless they are known.
    #[cfg(feature = "postgres")]
    pub(super) fn add_stored<'i>(&mut self, ids: impl Iterator<Item = (&'i str, i64)>) {
        for (id, place) in ids {
            let hash = self.hash(id);
            if !self.memtable.places(hash).any(|known| known == place) {
                self.memtable.add(hash, place);
            }
        }
    }

    /// The last movement whose id, and those of all movements before it, are in runs.
    #[cfg(any(test, feature = "postgres"))]
    pub(super) fn through(&self) -> i64 {
        self.through
    }

    /// Whether no id waits for a run.
    pub(super) fn has_no_ids_to_store(&self) -> bool {
        self.memtable.entries.is_empty()
    }

    /// Whether it is time for a run, or to note that there is no id, after the movement `last_sequence`.
    pub(super) fn is_due(&self, last_sequence: i64) -> bool {
        let behind = usize::try_from(last_sequence.saturating_sub(self.through)).unwrap_or(0);
        let after = if self.has_no_ids_to_store() { NONE_AFTER } else { RUN_AFTER };
        behind >= after || self.memtable.entries.len() >= RUN_AFTER
    }

    /// The work of sorting all ids up to the movement `last_sequence` into the next run, for any thread.
    pub(super) fn next_run(&self, last_sequence: i64) -> impl FnOnce() -> Run + Send + 'static {
        let (entries, group) = (self.memtable.entries.clone(), self.groups.open(self.memtable.entries.len()));
        move || Run::of(entries, group, last_sequence)
    }

    /// Notes that a run is stored.
    pub(super) fn stored_run(&mut self, run: Run) {
        self.memtable.forget(run.entries.len());
        self.through = run.through;
        self.groups.put(run.group);
    }

    /// Notes that the movements up to this one have no ids that are in no run.
    pub(super) fn stored_none(&mut self, through: i64) {
        self.through = through;
    }

    /// Adds the ids of a stored transaction.
    pub(super) fn add(&mut self, changes: &Transaction) {
        let elsewhere = changes.requests.iter().map(|record| &record.request_id);
        let movements = changes.movements.iter();
        let placed =
            movements.filter_map(|movement| Some((movement.request_id.as_ref()?, movement.sequence)));
        let placed = placed.chain(elsewhere.map(|request_id| (request_id, ELSEWHERE)));
        let entries: Vec<Entry> =
            placed.map(|(request_id, place)| (self.hash(request_id.as_str()), place)).collect();
        // In a loop of its own, the processor loads many cache lines at the same time.
        for (hash, place) in entries {
            self.memtable.add(hash, place);
        }
    }

    #[cfg(test)]
    pub(super) fn run_count(&self) -> usize {
        self.groups.run_count()
    }

    #[cfg(test)]
    pub(super) fn memtable_len(&self) -> usize {
        self.memtable.entries.len()
    }

    #[cfg(test)]
    pub(super) fn add_entry(&mut self, request_id: &str, other: i64, place: i64) {
        let hash = self.hash(request_id).wrapping_add(other);
        self.memtable.add(hash, place);
    }
}

fn hash(mut hasher: SipHasher13, request_id: &str) -> i64 {
    hasher.write(request_id.as_bytes());
    hasher.finish().cast_signed()
}

impl Memtable {
    fn add(&mut self, hash: i64, place: i64) {
        let index =
            u32::try_from(self.entries.len()).expect("the ids of four billion changes do not fit in memory");
        self.entries.push((hash, place));
        let Self { entries, by_hash } = self;
        by_hash
            .insert_unique(hash.cast_unsigned(), index, |other| entries[*other as usize].0.cast_unsigned());
    }

    /// The places of all ids with this hash.
    fn places(&self, hash: i64) -> impl Iterator<Item = i64> {
        let entries = self.by_hash.iter_hash(hash.cast_unsigned()).map(|index| self.entries[*index as usize]);
        entries.filter(move |(other, _)| *other == hash).map(|(_, place)| place)
    }

    /// Removes the first `count` entries, and frees memory that the next run will not need.
    fn forget(&mut self, count: usize) {
        let rest = self.entries.split_off(count);
        self.replace(rest);
    }

    /// Keeps only some entries, and frees memory as [`Memtable::forget`] does.
    #[cfg(feature = "postgres")]
    fn retain(&mut self, mut is_kept: impl FnMut(&Entry) -> bool) {
        let rest = self.entries.iter().filter(|entry| is_kept(entry)).copied().collect();
        self.replace(rest);
    }

    fn replace(&mut self, rest: Vec<Entry>) {
        self.entries.clear();
        self.entries.shrink_to(2 * RUN_AFTER);
        self.by_hash.clear();
        self.by_hash.shrink_to(2 * RUN_AFTER, |_| unreachable!("it is empty"));
        rest.into_iter().for_each(|(hash, place)| self.add(hash, place));
    }
}

#[cfg(test)]
mod tests {
    use super::memory_tables::MemoryTables;
    use super::*;

    #[test]
    fn an_id_is_found_in_memory_and_in_a_run_also_among_equal_hashes() {
        let (mut tables, mut index) = (MemoryTables::default(), IdIndex::new());
        let ids: Vec<RequestId> = ["a", "b", "outro"].map(|id| id.parse().unwrap()).into();
        let asked: Vec<&RequestId> = ids.iter().collect();
        // Enough ids with one hash to fill more than one chunk, between ids with other hashes.
        for place in 1..=50 {
            for (other, place) in [(0, place), (place, -1), (-place, -1)] {
                index.add_entry("a", other, place);
            }
        }
        index.add_entry("b", 0, ELSEWHERE);
        let expected: Vec<_> = (1..=50).map(|place| (0, place)).chain([(1, ELSEWHERE)]).collect();
        let places = |index: &IdIndex, tables: &mut MemoryTables| {
            let mut places = index.places(tables, &asked).unwrap();
            places.sort_unstable();
            places
        };
        assert_eq!(places(&index, &mut tables), expected);
        let run = index.next_run(60)();
        tables.store(&run);
        // An id that comes in the meantime stays in memory.
        index.add_entry("outro", 0, 61);
        index.stored_run(run);
        assert_eq!((index.memtable_len(), index.through(), index.run_count()), (1, 60, 1));
        assert_eq!(places(&index, &mut tables), [&expected[..], &[(2, 61)]].concat());
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn an_index_that_follows_another_one_forgets_what_is_in_a_run_and_nothing_else() {
        let (mut tables, mut index, mut follower) = (MemoryTables::default(), IdIndex::new(), IdIndex::new());
        let id = |number: usize| format!("pedido-{number}");
        let ids: Vec<RequestId> = (0..60).map(|number| id(number).parse().unwrap()).collect();
        let asked: Vec<&RequestId> = ids.iter().collect();
        for number in 0..60 {
            // Some ids are of requests, which are read again as long as nothing follows them.
            let place = if number % 4 == 0 { ELSEWHERE } else { number as i64 };
            index.add_entry(&id(number), 0, place);
            for _ in 0..2 {
                follower.add_stored([(id(number).as_str(), place)].into_iter());
            }
            if number % 20 == 9 {
                let run = index.next_run(number as i64)();
                tables.store(&run);
                index.stored_run(run);
            }
            if number % 20 == 14 {
                assert_eq!(follower.memtable_len(), if number < 20 { 15 } else { 25 });
                follower.follow(&mut tables, index.through()).unwrap();
                // The ids after the run are kept.
                assert_eq!((follower.memtable_len(), follower.through()), (5, number as i64 - 5));
            }
            let mut places = follower.places(&mut tables, &asked).unwrap();
            places.sort_unstable();
            places.dedup();
            let expected = (0..=number).map(|it| (it, if it % 4 == 0 { ELSEWHERE } else { it as i64 }));
            assert!(places.into_iter().eq(expected), "{number}");
        }
    }

    /// A stored run is read by later versions of this program, so its form must not change.
    #[test]
    fn a_hash_is_what_it_always_was() {
        let hasher = SipHasher13::new_with_key(b"0123456789abcdef");
        let index = IdIndex { hasher, ..IdIndex::new() };
        assert_eq!(["", "pedido-1"].map(|id| index.hash(id)), [-1911748791790167412, 1769951393940745094]);
    }
}
