//! Groups of sorted runs, and the Bloom filters that rule out ids which are in none of them.

use std::mem;
use std::sync::Arc;

use super::entry::{entries, half};
use super::tables::{IdTables, Malformed};

/// Movements, or ids, after which a run is stored. A start reads so many movements in some tens of
/// milliseconds.
pub(in crate::store) const RUN_AFTER: usize = if cfg!(test) { 4096 } else { 256 * 1024 };

/// Ids after which a group of runs is full. Larger groups would mean fewer filters for each look-up, but a
/// start reads all ids of a group that is not full: these in some tens of milliseconds.
const GROUP_IDS: usize = 8 * RUN_AFTER;

/// Runs after which a group is full even if few movements have ids: if the group's filter matches an id, the
/// filter of every run is tested.
const GROUP_RUNS_MAX: usize = 64;

/// Ids in a block of a group's filter: 16 bits for each id, so that one in some hundreds is a false positive.
const GROUP_BLOCK_IDS: usize = 32;

/// Ids in a block of a run's filter, which is tested if its group's filter matches: 8 bits for each id, so
/// that one in some tens is a false positive. A false positive costs a query, some microseconds.
const RUN_BLOCK_IDS: usize = 64;

/// Words of a block: 64 bytes.
const BLOCK_WORDS: usize = 8;

/// Bits of a block.
const BLOCK_BITS: usize = 64 * BLOCK_WORDS;

/// Bits that an id sets in its block.
const BITS: usize = 6;

/// Runs that share a filter.
#[derive(Clone)]
pub(in crate::store) struct Group {
    first_run: usize,
    /// The filter of each run.
    runs: Vec<Arc<BloomFilter>>,
    /// The number of ids that the group still takes.
    room: usize,
    /// The filter of all runs together.
    filter: Arc<BloomFilter>,
}

impl Group {
    /// A group without runs, whose first run will be `first_run` and have `id_count` ids. In a migrated
    /// database the first run has all ids, which may be more than a group has otherwise.
    fn at(first_run: usize, id_count: usize) -> Self {
        let filter = Arc::new(BloomFilter::for_ids(GROUP_IDS.max(id_count), GROUP_BLOCK_IDS));
        Self { first_run, runs: Vec::new(), room: GROUP_IDS, filter }
    }

    fn is_full(&self) -> bool {
        self.room == 0 || self.runs.len() >= GROUP_RUNS_MAX
    }

    fn end(&self) -> usize {
        self.first_run + self.runs.len()
    }

    /// The number of the last run.
    pub(in crate::store) fn last_run(&self) -> i64 {
        self.end() as i64 - 1
    }

    /// The filter of the last run, in its stored form.
    pub(in crate::store) fn last_filter(&self) -> Option<Vec<u8>> {
        self.runs.last().map(|filter| filter.bytes())
    }

    /// The filter of the whole group, which is stored once the group is full.
    pub(in crate::store) fn full_filter(&self) -> Option<Vec<u8>> {
        self.is_full().then(|| self.filter.bytes())
    }

    /// Adds a run of ids with these hashes.
    pub(super) fn add_run(&mut self, hashes: impl ExactSizeIterator<Item = i64> + Clone) {
        let mut filter = BloomFilter::for_ids(hashes.len(), RUN_BLOCK_IDS);
        hashes.clone().for_each(|hash| filter.add(hash));
        self.runs.push(Arc::new(filter));
        self.add(hashes);
    }

    /// Adds ids to the group's filter by their hashes.
    fn add(&mut self, hashes: impl Iterator<Item = i64>) {
        let filter = Arc::make_mut(&mut self.filter);
        for hash in hashes {
            self.room = self.room.saturating_sub(1);
            filter.add(hash);
        }
    }
}

/// The groups of all stored runs, in order. All but the last are full.
#[derive(Default)]
pub(super) struct Groups(Vec<Group>);

impl Groups {
    /// Reads the groups of the stored runs that are not known yet. The filter of a last group that is not full is made
    /// from its runs. After an error, nothing is changed.
    pub(super) fn read<T: IdTables>(&mut self, tables: &mut T) -> Result<(), T::Error> {
        let known = self.run_count();
        let open = self.0.last().filter(|group| !group.is_full()).cloned();
        let is_continued = open.is_some();
        let mut last = open.unwrap_or_else(|| Group::at(known, 0));
        let mut full = Vec::new();
        tables.runs(known, &mut |run| {
            if run.number != last.end() as i64 {
                return Err(Malformed("a run of the index of request ids is missing"));
            }
            last.runs.push(Arc::new(BloomFilter::read(run.filter)?));
            if let Some(filter) = run.group_filter {
                let filter = Arc::new(BloomFilter::read(filter)?);
                let next = Group::at(last.end(), 0);
                full.push(Group { room: 0, filter, ..mem::replace(&mut last, next) });
            }
            Ok(())
        })?;
        tables.chunks(last.first_run.max(known)..last.end(), &mut |chunk| {
            last.add(entries(chunk)?.iter().map(|entry| half(entry, 0)));
            Ok(())
        })?;
        if is_continued {
            self.0.pop();
        }
        self.0.extend(full);
        self.0.extend(Some(last).filter(|last| !last.runs.is_empty()));
        Ok(())
    }

    pub(super) fn run_count(&self) -> usize {
        self.0.last().map_or(0, Group::end)
    }

    /// The group that takes the next run, of `id_count` ids.
    pub(super) fn open(&self, id_count: usize) -> Group {
        let open = self.0.last().filter(|group| !group.is_full());
        open.cloned().unwrap_or_else(|| Group::at(self.run_count(), id_count))
    }

    /// Replaces the last group by this newer state of it, or adds a new group.
    pub(super) fn put(&mut self, group: Group) {
        self.0.pop_if(|last| last.first_run == group.first_run);
        self.0.push(group);
    }

    /// The runs that may have these hashes: pairs of a hash's index and a run's number.
    pub(super) fn that_may_hold(&self, hashes: &[i64]) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        // In a loop of its own, the processor loads many cache lines at the same time.
        for (index, hash) in hashes.iter().enumerate() {
            let bits = bits(*hash);
            for group in self.0.iter().filter(|group| group.filter.may_hold(*hash, &bits)) {
                let runs = (group.first_run..).zip(&group.runs);
                let runs = runs.filter(|(_, filter)| filter.may_hold(*hash, &bits));
                found.extend(runs.map(|(run, _)| (index, run)));
            }
        }
        found
    }
}

/// A block of a filter: one line of the processor's cache, so that a test waits for memory once.
type Block = [u64; BLOCK_WORDS];

/// A blocked Bloom filter, which says whether a hash is not in a run or a group, or may be.
#[derive(Clone)]
struct BloomFilter {
    blocks: Vec<Block>,
}

impl BloomFilter {
    fn for_ids(count: usize, block_ids: usize) -> Self {
        Self { blocks: vec![Block::default(); count.div_ceil(block_ids)] }
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let (words, rest) = bytes.as_chunks();
        let words: Vec<u64> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let (blocks, more) = words.as_chunks();
        if blocks.is_empty() || !rest.is_empty() || !more.is_empty() {
            return Err(Malformed("not a filter of the index of request ids"));
        }
        Ok(Self { blocks: blocks.to_vec() })
    }

    fn bytes(&self) -> Vec<u8> {
        self.blocks.iter().flatten().flat_map(|word| word.to_le_bytes()).collect()
    }

    fn add(&mut self, hash: i64) {
        let index = block_of(hash, self.blocks.len());
        for (word, bits) in self.blocks[index].iter_mut().zip(bits(hash)) {
            *word |= bits;
        }
    }

    /// Whether the filter may hold a hash, whose [`bits`] are given.
    #[inline]
    fn may_hold(&self, hash: i64, bits: &Block) -> bool {
        let block = &self.blocks[block_of(hash, self.blocks.len())];
        // All words are tested without a branch: a mispredicted exit costs more than the whole loop.
        let missing = block.iter().zip(bits).fold(0, |missing, (word, bits)| missing | bits & !word);
        missing == 0
    }
}

/// The block of a hash: its upper half, as a fraction of all blocks.
fn block_of(hash: i64, blocks: usize) -> usize {
    (((hash.cast_unsigned() >> 32) * blocks as u64) >> 32) as usize
}

/// The bits that a hash sets in its block: nine bits of a second hash choose each of them.
fn bits(hash: i64) -> Block {
    // An odd number near 2^64 divided by the golden ratio mixes the bits that did not choose the block.
    let mixed = hash.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut block = Block::default();
    for index in 0..BITS {
        let place = (mixed >> (64 - 9 * (index + 1))) as usize % BLOCK_BITS;
        block[place / 64] |= 1 << (place % 64);
    }
    block
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::super::memory_tables::MemoryTables;
    use super::super::{Entry, Run};
    use super::*;

    /// Stores a run.
    fn store(groups: &mut Groups, tables: &mut MemoryTables, entries: Vec<Entry>) {
        let run = Run::of(entries.clone(), groups.open(entries.len()), 1);
        tables.store(&run);
        groups.put(run.group);
    }

    fn read(tables: &mut MemoryTables) -> Groups {
        let mut groups = Groups::default();
        groups.read(tables).unwrap();
        groups
    }

    fn runs(groups: &Groups) -> Vec<(Range<usize>, bool)> {
        groups.0.iter().map(|group| (group.first_run..group.end(), group.is_full())).collect()
    }

    #[test]
    fn eight_full_runs_or_many_small_ones_have_a_filter_together() {
        for (run_ids, count) in [(RUN_AFTER + 1, 8), (3, GROUP_RUNS_MAX)] {
            let (mut tables, mut groups) = (MemoryTables::default(), Groups::default());
            let mut hashes = Vec::new();
            for number in 0..2 * count + 1 {
                let entries: Vec<_> = (0..run_ids).map(|_| (fastrand::i64(..), 1)).collect();
                hashes.extend(entries.iter().map(|(hash, _)| (*hash, number)));
                store(&mut groups, &mut tables, entries);
            }
            let again = read(&mut tables);
            // Read as they were stored: some runs at a time, with a group that grows.
            let mut followed = Groups::default();
            let stored = mem::take(&mut tables.runs);
            for (number, run) in stored.into_iter().enumerate() {
                tables.runs.push(run);
                if number % 5 == 2 {
                    followed.read(&mut tables).unwrap();
                }
            }
            followed.read(&mut tables).unwrap();
            for groups in [&groups, &again, &followed] {
                let last = 2 * count..2 * count + 1;
                assert_eq!(runs(groups), [(0..count, true), (count..2 * count, true), (last, false)]);
                let asked: Vec<i64> = hashes.iter().map(|(hash, _)| *hash).collect();
                let mut found = vec![false; hashes.len()];
                let places = groups.that_may_hold(&asked);
                assert!(places.len() < asked.len() * 3 / 2);
                for (index, run) in places {
                    found[index] |= run == hashes[index].1;
                }
                assert!(found.iter().all(|found| *found));
            }
            for (one, other) in groups.0.iter().zip(&again.0).chain(groups.0.iter().zip(&followed.0)) {
                assert!(one.filter.blocks == other.filter.blocks);
                assert!(one.runs.iter().zip(&other.runs).all(|(one, other)| one.blocks == other.blocks));
            }
        }
    }

    #[test]
    fn runs_of_an_earlier_build_are_groups_of_one() {
        let (mut tables, mut groups) = (MemoryTables::default(), Groups::default());
        for hash in 0..3 {
            store(&mut groups, &mut tables, vec![(hash, hash + 1)]);
        }
        for number in 0..2 {
            // A filter of another size.
            let mut filter = BloomFilter { blocks: vec![Block::default(); 2] };
            filter.add(number as i64);
            let run = &mut tables.runs[number];
            (run.filter, run.group_filter) = (filter.bytes(), Some(filter.bytes()));
        }
        let mut groups = read(&mut tables);
        assert_eq!(runs(&groups), [(0..1, true), (1..2, true), (2..3, false)]);
        for (run, hash) in (0..3).enumerate() {
            assert!(groups.that_may_hold(&[hash]).contains(&(0, run)));
            let mut places = Vec::new();
            let read = tables.chunks_with(&[(run, hash)], &mut |_, chunk| {
                places.extend(entries(chunk)?.iter().map(|entry| half(entry, 1)));
                Ok(())
            });
            assert_eq!((read, places), (Ok(()), vec![hash + 1]));
        }
        store(&mut groups, &mut tables, vec![(3, 4)]);
        assert_eq!(runs(&groups)[2..], [(2..4, false)]);
    }

    #[test]
    fn a_filter_errs_seldom() {
        // The run of all ids of a migrated database, too.
        for count in [GROUP_IDS, 10 * GROUP_IDS] {
            let hashes: Vec<i64> = (0..count).map(|_| fastrand::i64(..)).collect();
            let mut group = Groups::default().open(count);
            group.add(hashes.iter().copied());
            assert!(group.is_full());
            let filter = BloomFilter::read(&group.filter.bytes()).unwrap();
            let may_hold = |hash: i64| filter.may_hold(hash, &bits(hash));
            assert!(hashes.iter().all(|hash| may_hold(*hash)));
            let errors = (0..100_000).filter(|_| may_hold(fastrand::i64(..))).count();
            assert!(errors < 250, "{errors} of 100,000");
        }
    }

    /// A stored filter is read by later versions of this program, so its form must not change.
    #[test]
    fn a_filter_is_what_it_always_was() {
        let mut filter = BloomFilter { blocks: vec![Block::default(); 3] };
        for hash in [0, 1, -1, i64::MIN, 0x0123_4567_89ab_cdef] {
            filter.add(hash);
        }
        let words = filter.blocks.iter().flatten().enumerate().filter(|(_, word)| **word != 0);
        let words: Vec<_> = words.map(|(index, word)| format!("{index}: {word:x}")).collect();
        assert_eq!(
            words.join(", "),
            "0: 2000001, 1: 4000, 2: 80000000, 3: 20000000, 4: 3000000000000000, 5: 200040020000000, 6: 800000, \
             7: 20000002000, 8: 1, 12: 1, 16: 4000000400000, 17: 10000000000, 19: 8, 20: 400000000, 21: 100000000"
        );
    }

    #[test]
    fn a_missing_run_is_reported() {
        let (mut tables, mut groups) = (MemoryTables::default(), Groups::default());
        for hash in 0..3 {
            store(&mut groups, &mut tables, vec![(hash, hash + 1)]);
        }
        tables.runs[2].number = 1 << 40;
        assert!(Groups::default().read(&mut tables).is_err());
    }
}
