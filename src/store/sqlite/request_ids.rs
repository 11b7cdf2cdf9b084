//! The index of request ids: where in the ledger a request id stands.
//!
//! An id is durable in its row of the ledger, which grows at its end. To keep an ordinary
//! index beside it would cost a page of the database for each id that a client drew at
//! random: a twentieth of the speed. So the newest ids are indexed in memory only, and read
//! from the end of the ledger at the start; from time to time they are stored, sorted by
//! their hash, as one round that is never changed again. Eight full rounds have a filter
//! together, of three bytes an id, which stays in memory and tells that nearly every new id
//! is in none of them.
//!
//! A hash only proposes a place: the row there has the id itself, and decides.

use std::hash::Hasher as _;
use std::ops::Range;

use hashbrown::HashTable;
use rusqlite::{Connection, Row, params};
use siphasher::sip::SipHasher13;

use super::rows::bad_value;
use crate::catalog::{Changes, RequestId};

/// Movements, or ids, after which a round is stored: so much of the ledger is read at the
/// start in some tens of milliseconds, and so many ids are sorted and stored in as many.
const ROUND_AFTER: usize = if cfg!(test) { 4096 } else { 256 * 1024 };

/// Movements after which it is noted that none of them has an id, where that is so: what is
/// read at the start is then hardly longer than that of an empty ledger.
const NONE_AFTER: usize = ROUND_AFTER / 64;

/// Ids in a row of a round: with its header, such a row fills a page of 4096 bytes and needs
/// no second one (<https://sqlite.org/fileformat2.html>, at most 4061 bytes stay in a leaf).
const CHUNK_ENTRIES: usize = 248;

/// Bytes of an entry: the hash and the place, least significant byte first.
const ENTRY_BYTES: usize = 16;

/// Ids after which a group of rounds is full. More would have fewer filters to look at, but those
/// of a group that is not full are read at the start: these in some tens of milliseconds.
const GROUP_IDS: usize = 8 * ROUND_AFTER;

/// Rounds after which it is full, where few movements have ids: each is asked where the filter errs.
const GROUP_ROUNDS_MAX: usize = 64;

/// Ids in a block of a filter: 21 bits each, so that a filter errs once in some thousands. Where it
/// does, SQLite is asked for each round of the group, some microseconds.
const BLOCK_IDS: usize = 24;

/// Words of a block: 64 bytes.
const BLOCK_WORDS: usize = 8;

/// Bits of a block.
const BLOCK_BITS: usize = 64 * BLOCK_WORDS;

/// Bits that an id sets in its block.
const BITS: usize = 6;

/// The place of an id of a batch or an import, which stands in a table of its own.
const ELSEWHERE: i64 = 0;

/// Where an id may stand: its hash, and a sequence number of the ledger or [`ELSEWHERE`].
type Entry = (i64, i64);

/// What is known of the request ids of one database.
pub(super) struct RequestIds {
    /// Keyed with a seed of the database, so that no client can choose ids that collide.
    hasher: SipHasher13,
    recent: Recent,
    groups: Groups,
    /// Up to this movement, ids are in rounds.
    through: i64,
}

/// The ids that are in no round.
#[derive(Default)]
struct Recent {
    entries: Vec<Entry>,
    /// The index of each entry, by its hash.
    by_hash: HashTable<u32>,
}

/// What one transaction stores of the index.
pub(super) struct Round {
    /// Without any, there is no round, and only what follows is noted.
    entries: Vec<Entry>,
    /// Its group, with it.
    group: Group,
    through: i64,
}

impl RequestIds {
    /// That of a database in which no id is stored, such as one that is not made yet.
    pub(super) fn new() -> Self {
        Self { hasher: SipHasher13::new(), recent: Recent::default(), groups: Groups::default(), through: 0 }
    }

    /// Reads the filters, and the ids that are in no round yet.
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let (seed, through) = connection.query_row("SELECT seed, through FROM request_index", [], |row| {
            let seed: Vec<u8> = row.get(0)?;
            let seed: [u8; 16] = seed.try_into().map_err(|_| bad_value(0, "not a seed"))?;
            Ok((seed, row.get(1)?))
        })?;
        let groups = Groups::read(connection)?;
        let mut this = Self { hasher: SipHasher13::new_with_key(&seed), groups, through, ..Self::new() };
        let mut recent = connection.prepare(
            "SELECT request_id, sequence FROM movement WHERE sequence > ?1 AND request_id IS NOT NULL
             UNION ALL SELECT request_id, 0 FROM batch_request WHERE first_sequence > ?1
             UNION ALL SELECT request_id, 0 FROM import_request WHERE after_sequence >= ?1",
        )?;
        let mut rows = recent.query([through])?;
        while let Some(row) = rows.next()? {
            this.recent.add(this.hash(row.get_ref(0)?.as_str()?), row.get(1)?);
        }
        Ok(this)
    }

    fn hash(&self, request_id: &str) -> i64 {
        let mut hasher = self.hasher;
        hasher.write(request_id.as_bytes());
        hasher.finish().cast_signed()
    }

    /// Calls with each id and each place where it may stand: a sequence number, or `None` for
    /// the tables of batches and imports. For nearly every new id there is none.
    pub(super) fn places(
        &self,
        connection: &Connection,
        request_ids: &[&RequestId],
        mut look: impl FnMut(&RequestId, Option<i64>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let mut look = |index: usize, place| look(request_ids[index], (place != ELSEWHERE).then_some(place));
        let hashes: Vec<i64> = request_ids.iter().map(|request_id| self.hash(request_id.as_str())).collect();
        for (index, hash) in hashes.iter().enumerate() {
            self.recent.places(*hash).try_for_each(|place| look(index, place))?;
        }
        for (index, rounds) in self.groups.that_may_hold(&hashes) {
            for round in rounds {
                for place in stored_places(connection, round, hashes[index])? {
                    look(index, place)?;
                }
            }
        }
        Ok(())
    }

    /// What the transaction after the movement `last_sequence` is to store of the index, if
    /// anything.
    pub(super) fn round(&self, last_sequence: i64) -> Option<Round> {
        let behind = usize::try_from(last_sequence - self.through).unwrap_or(0);
        let after = if self.recent.entries.is_empty() { NONE_AFTER } else { ROUND_AFTER };
        let is_due = behind >= after || self.recent.entries.len() >= ROUND_AFTER;
        is_due.then(|| self.seal(last_sequence))
    }

    /// The same for the last transaction of all. Ids too few for a round are left to be read
    /// from the ledger.
    pub(super) fn last_round(&self, last_sequence: i64) -> Option<Round> {
        self.recent.entries.is_empty().then(|| self.seal(last_sequence))
    }

    fn seal(&self, last_sequence: i64) -> Round {
        let mut entries = self.recent.entries.clone();
        entries.sort_unstable();
        let group = self.groups.with_round_of(&entries);
        Round { entries, group, through: last_sequence }
    }

    /// Takes note that a transaction of these changes with this round is stored.
    pub(super) fn stored(&mut self, changes: &Changes, round: Option<Round>) {
        if let Some(round) = round {
            self.recent.clear();
            self.through = round.through;
            if !round.entries.is_empty() {
                self.groups.put(round.group);
            }
        }
        let batches = changes.batches.iter().map(|record| &record.request_id);
        let elsewhere = changes.imports.iter().map(|record| &record.request_id).chain(batches);
        let movements = changes.movements.iter();
        let placed =
            movements.filter_map(|movement| Some((movement.request_id.as_ref()?, movement.sequence)));
        let placed = placed.chain(elsewhere.map(|request_id| (request_id, ELSEWHERE)));
        let entries: Vec<Entry> =
            placed.map(|(request_id, place)| (self.hash(request_id.as_str()), place)).collect();
        // In a loop that does nothing else, the processor waits for memory for many at a time.
        for (hash, place) in entries {
            self.recent.add(hash, place);
        }
    }
}

impl Recent {
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

    /// Forgets all, with the room that those of the next round will need.
    fn clear(&mut self) {
        self.entries.clear();
        self.entries.shrink_to(ROUND_AFTER);
        self.by_hash.clear();
        self.by_hash.shrink_to(ROUND_AFTER, |_| unreachable!("it is empty"));
    }
}

impl Round {
    /// Writes it inside a transaction.
    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute("UPDATE request_index SET through = ?1", [self.through])?;
        if self.entries.is_empty() {
            return Ok(());
        }
        let number = self.group.rounds.end as i64 - 1;
        let filter = if self.group.is_full() { self.group.filter.bytes() } else { Vec::new() };
        connection
            .execute("INSERT INTO request_round (number, filter) VALUES (?1, ?2)", params![number, filter])?;
        let mut row = connection
            .prepare_cached("INSERT INTO request_chunk (round, first_hash, entries) VALUES (?1, ?2, ?3)")?;
        let mut bytes = Vec::with_capacity(CHUNK_ENTRIES * ENTRY_BYTES);
        for chunk in self.entries.chunks(CHUNK_ENTRIES) {
            bytes.clear();
            for (hash, place) in chunk {
                bytes.extend_from_slice(&hash.to_le_bytes());
                bytes.extend_from_slice(&place.to_le_bytes());
            }
            row.execute(params![number, chunk[0].0, bytes])?;
        }
        Ok(())
    }
}

/// The places that a stored round has for a hash.
fn stored_places(connection: &Connection, round: usize, hash: i64) -> rusqlite::Result<Vec<i64>> {
    let mut places = Vec::new();
    // Downwards, for as long as the chunk before may end with the same hash.
    let mut chunks = connection.prepare_cached(
        "SELECT first_hash, entries FROM request_chunk WHERE round = ?1 AND first_hash <= ?2
         ORDER BY first_hash DESC",
    )?;
    let mut rows = chunks.query([round as i64, hash])?;
    while let Some(row) = rows.next()? {
        let first: i64 = row.get(0)?;
        let entries = entries(row, 1)?;
        let from = entries.partition_point(|entry| half(entry, 0) < hash);
        let same = entries[from..].iter().take_while(|entry| half(entry, 0) == hash);
        places.extend(same.map(|entry| half(entry, 1)));
        if first < hash {
            break;
        }
    }
    Ok(places)
}

/// The entries of a chunk.
fn entries<'r>(row: &'r Row<'_>, index: usize) -> rusqlite::Result<&'r [[u8; ENTRY_BYTES]]> {
    let (entries, rest) = row.get_ref(index)?.as_blob()?.as_chunks();
    if !rest.is_empty() {
        return Err(bad_value(index, "not entries of the index of request ids"));
    }
    Ok(entries)
}

/// The first or the second number of an entry.
fn half(entry: &[u8; ENTRY_BYTES], index: usize) -> i64 {
    i64::from_le_bytes(entry.as_chunks().0[index])
}

/// Rounds that have a filter together.
#[derive(Clone)]
struct Group {
    rounds: Range<usize>,
    /// Ids that it still takes.
    room: usize,
    filter: Filter,
}

impl Group {
    /// None yet, from this one on.
    fn at(first_round: usize) -> Self {
        let filter = Filter { blocks: vec![Block::default(); GROUP_IDS.div_ceil(BLOCK_IDS)] };
        Self { rounds: first_round..first_round, room: GROUP_IDS, filter }
    }

    fn is_full(&self) -> bool {
        self.room == 0 || self.rounds.len() >= GROUP_ROUNDS_MAX
    }

    fn add(&mut self, hash: i64) {
        self.room = self.room.saturating_sub(1);
        self.filter.add(hash);
    }
}

/// The groups of all stored rounds, in their order. Only the last may not be full.
#[derive(Default)]
struct Groups(Vec<Group>);

impl Groups {
    /// Reads them. The filter of a group stands with its last round, those of the others are empty.
    fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let mut this = Self::default();
        let mut end = 0;
        let mut rounds = connection.prepare("SELECT number, filter FROM request_round ORDER BY number")?;
        let mut rounds = rounds.query([])?;
        while let Some(round) = rounds.next()? {
            end = usize::try_from(round.get::<_, i64>(0)?).map_err(|error| bad_value(0, error))? + 1;
            let filter = round.get_ref(1)?.as_blob()?;
            if !filter.is_empty() {
                let filter = Filter::read(filter)?;
                this.0.push(Group { rounds: this.round_count()..end, room: 0, filter });
            }
        }
        if this.round_count() == end {
            return Ok(this);
        }
        let mut last = Group::at(this.round_count());
        last.rounds.end = end;
        let mut chunks = connection.prepare("SELECT entries FROM request_chunk WHERE round >= ?1")?;
        let mut chunks = chunks.query([last.rounds.start as i64])?;
        while let Some(chunk) = chunks.next()? {
            entries(chunk, 0)?.iter().for_each(|entry| last.add(half(entry, 0)));
        }
        this.0.push(last);
        Ok(this)
    }

    fn round_count(&self) -> usize {
        self.0.last().map_or(0, |group| group.rounds.end)
    }

    /// The group of the next round, with its entries.
    fn with_round_of(&self, entries: &[Entry]) -> Group {
        let open = self.0.last().filter(|group| !group.is_full());
        let mut group = open.cloned().unwrap_or_else(|| Group::at(self.round_count()));
        group.rounds.end += 1;
        entries.iter().for_each(|(hash, _)| group.add(*hash));
        group
    }

    /// Adds a group, or puts it in the place of the last.
    fn put(&mut self, group: Group) {
        self.0.pop_if(|last| last.rounds.start == group.rounds.start);
        self.0.push(group);
    }

    /// Which of these hashes may be in which rounds: the index of each, with the rounds' numbers.
    fn that_may_hold(&self, hashes: &[i64]) -> Vec<(usize, Range<usize>)> {
        let mut found = Vec::new();
        // In a loop that does nothing else, the processor waits for memory for many at a time.
        for (index, hash) in hashes.iter().enumerate() {
            let bits = bits(*hash);
            let groups = self.0.iter().filter(|group| group.filter.may_hold(*hash, &bits));
            found.extend(groups.map(|group| (index, group.rounds.clone())));
        }
        found
    }
}

/// A line of the processor's cache, so that a look at a filter waits for memory once.
type Block = [u64; BLOCK_WORDS];

/// Tells of a hash that it is not in a group; or that it may be (a blocked Bloom filter).
#[derive(Clone)]
struct Filter {
    blocks: Vec<Block>,
}

impl Filter {
    fn read(bytes: &[u8]) -> rusqlite::Result<Self> {
        let (words, rest) = bytes.as_chunks();
        let words: Vec<u64> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let (blocks, more) = words.as_chunks();
        if blocks.is_empty() || !rest.is_empty() || !more.is_empty() {
            return Err(bad_value(1, "not a filter of the index of request ids"));
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

    /// Whether the group may hold a hash with these [`bits`].
    #[inline]
    fn may_hold(&self, hash: i64, bits: &Block) -> bool {
        let block = &self.blocks[block_of(hash, self.blocks.len())];
        // All words, for to guess which is the first that tells costs more than to look at them.
        let missing = block.iter().zip(bits).fold(0, |missing, (word, bits)| missing | bits & !word);
        missing == 0
    }
}

/// The block of a hash: its upper half, as a fraction of all blocks.
fn block_of(hash: i64, blocks: usize) -> usize {
    (((hash.cast_unsigned() >> 32) * blocks as u64) >> 32) as usize
}

/// The bits that a hash sets in its block: each is told by nine bits of a second hash.
fn bits(hash: i64) -> Block {
    // An odd number near 2^64 divided by the golden ratio spreads what the block leaves over.
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
    use std::collections::BTreeMap;
    use std::time::SystemTime;

    use super::*;
    use crate::catalog::{
        BatchRecord, ImportCounts, ImportRecord, Kind, Movement, Price, ProductId, Quantity,
    };

    fn movement(sequence: i64, request_id: Option<String>) -> Movement {
        Movement {
            sequence,
            product: ProductId::FIRST,
            kind: Kind::Adjustment,
            delta: Quantity::from_units(1),
            balance: Quantity::from_units(1),
            price: Price::from_centavos(1).unwrap(),
            recorded_at: SystemTime::UNIX_EPOCH,
            request_id: request_id.map(|id| id.parse().unwrap()),
        }
    }

    fn places(index: &RequestIds, connection: &Connection, id: &str) -> Vec<Option<i64>> {
        let mut places = Vec::new();
        let note = |_: &RequestId, place| {
            places.push(place);
            Ok(())
        };
        index.places(connection, &[&id.parse().unwrap()], note).unwrap();
        places
    }

    fn store(index: &mut RequestIds, connection: &mut Connection, last_sequence: i64, changes: &Changes) {
        let round = index.round(last_sequence);
        let transaction = connection.transaction().unwrap();
        super::super::rows::write(&transaction, changes, last_sequence).unwrap();
        round.iter().for_each(|round| round.write(&transaction).unwrap());
        transaction.commit().unwrap();
        index.stored(changes, round);
    }

    fn new_database() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "foreign_keys", "OFF").unwrap();
        super::super::schema::MIGRATIONS.iter().for_each(|step| connection.execute_batch(step).unwrap());
        connection
    }

    #[test]
    fn every_id_is_found_in_memory_in_a_round_and_after_opening_again() {
        let mut connection = new_database();
        let mut index = RequestIds::read(&connection).unwrap();
        // Two thirds of the movements have an id, and the third round has hardly any.
        let is_named = |sequence: i64| sequence % 3 != 0 && sequence < 2 * ROUND_AFTER as i64;
        let mut expected: BTreeMap<String, Option<i64>> = BTreeMap::new();
        let mut sequence = 0;
        for transaction in 0..30 {
            let (mut changes, before) = (Changes::default(), sequence);
            for _ in 0..ROUND_AFTER / 8 {
                sequence += 1;
                let id = is_named(sequence).then(|| format!("pedido-{sequence}"));
                expected.extend(id.clone().map(|id| (id, Some(sequence))));
                changes.movements.push(movement(sequence, id));
            }
            let (list, batch) = (format!("lista-{transaction}"), format!("lote-{transaction}"));
            changes.imports.push(ImportRecord {
                request_id: list.parse().unwrap(),
                digest: 0,
                counts: ImportCounts::default(),
            });
            changes.batches.push(BatchRecord {
                request_id: batch.parse().unwrap(),
                digest: 0,
                first_sequence: sequence - 1,
            });
            expected.extend([(list, None), (batch, None)]);
            store(&mut index, &mut connection, before, &changes);
        }
        assert_eq!(index.groups.round_count(), 3);
        for index in [&index, &RequestIds::read(&connection).unwrap()] {
            assert!(index.recent.entries.len() < ROUND_AFTER);
            for (id, place) in &expected {
                assert!(places(index, &connection, id).contains(place), "{id}");
            }
            let strangers = 10_000;
            let errors = (0..strangers)
                .filter(|number| !places(index, &connection, &format!("outro-{number}")).is_empty())
                .count();
            assert_eq!(errors, 0);
        }
    }

    #[test]
    fn ids_whose_hashes_are_equal_are_all_proposed() {
        let mut connection = new_database();
        let mut index = RequestIds::read(&connection).unwrap();
        let hash = index.hash("a");
        // So many that they pass from one chunk into the next, between others.
        let same = 2 * CHUNK_ENTRIES as i64;
        for place in 1..=same {
            index.recent.add(hash, place);
            index.recent.add(hash.wrapping_add(place), -1);
            index.recent.add(hash.wrapping_sub(place), -1);
        }
        let expected: Vec<_> = (1..=same).map(Some).collect();
        let sorted = |mut places: Vec<_>| {
            places.sort_unstable();
            places
        };
        assert_eq!(sorted(places(&index, &connection, "a")), expected);
        store(&mut index, &mut connection, ROUND_AFTER as i64, &Changes::default());
        assert!(index.recent.entries.is_empty());
        assert_eq!(sorted(places(&index, &connection, "a")), expected);
    }

    #[test]
    fn eight_full_rounds_or_many_small_ones_have_a_filter_together() {
        let rounds = |groups: &Groups| -> Vec<Range<usize>> {
            groups.0.iter().map(|group| group.rounds.clone()).collect()
        };
        for (round_ids, group_rounds) in [(ROUND_AFTER + 1, 8), (3, GROUP_ROUNDS_MAX)] {
            let mut connection = new_database();
            let mut index = RequestIds::read(&connection).unwrap();
            let mut hashes = Vec::new();
            for number in 0..2 * group_rounds + 1 {
                for _ in 0..round_ids {
                    let hash = fastrand::i64(..);
                    hashes.push((hash, number));
                    index.recent.add(hash, 1);
                }
                let sequence = (number + 1) * ROUND_AFTER;
                store(&mut index, &mut connection, sequence as i64, &Changes::default());
            }
            let expected =
                [0..group_rounds, group_rounds..2 * group_rounds, 2 * group_rounds..2 * group_rounds + 1];
            assert_eq!(rounds(&index.groups), expected);
            let again = Groups::read(&connection).unwrap();
            assert_eq!(rounds(&again), expected);
            for groups in [&index.groups, &again] {
                let asked: Vec<i64> = hashes.iter().map(|(hash, _)| *hash).collect();
                let mut found = vec![false; hashes.len()];
                for (index, rounds) in groups.that_may_hold(&asked) {
                    found[index] |= rounds.contains(&hashes[index].1);
                }
                assert!(found.iter().all(|found| *found));
            }
            for (one, other) in index.groups.0.iter().zip(&again.0) {
                assert!(one.filter.blocks == other.filter.blocks && one.is_full() == other.is_full());
            }
        }
    }

    #[test]
    fn rounds_that_an_earlier_build_gave_a_filter_each_are_groups_of_one() {
        let mut connection = new_database();
        let mut index = RequestIds::read(&connection).unwrap();
        let mut filters = Vec::new();
        for number in 0..3 {
            index.recent.add(number, number + 1);
            let round = index.seal(number + 1);
            round.write(&connection).unwrap();
            // Of another size.
            let mut filter = Filter { blocks: vec![Block::default(); 2] };
            filter.add(number);
            filters.push(filter.bytes());
            index.stored(&Changes::default(), Some(round));
        }
        for (number, filter) in filters[..2].iter().enumerate() {
            connection
                .execute(
                    "UPDATE request_round SET filter = ?1 WHERE number = ?2",
                    params![filter, number as i64],
                )
                .unwrap();
        }
        let mut index = RequestIds::read(&connection).unwrap();
        let rounds = |index: &RequestIds| -> Vec<_> {
            index.groups.0.iter().map(|group| (group.rounds.clone(), group.is_full())).collect()
        };
        assert_eq!(rounds(&index), [(0..1, true), (1..2, true), (2..3, false)]);
        for hash in 0..3 {
            let found = index.groups.that_may_hold(&[hash]);
            assert!(found.contains(&(0, hash as usize..hash as usize + 1)));
            assert_eq!(stored_places(&connection, hash as usize, hash).unwrap(), [hash + 1]);
        }
        index.recent.add(3, 4);
        store(&mut index, &mut connection, ROUND_AFTER as i64 + 3, &Changes::default());
        assert_eq!(rounds(&index)[2..], [(2..4, false)]);
    }

    #[test]
    fn a_filter_errs_seldom() {
        let hashes: Vec<i64> = (0..GROUP_IDS).map(|_| fastrand::i64(..)).collect();
        let mut group = Group::at(0);
        hashes.iter().for_each(|hash| group.add(*hash));
        assert!(group.is_full());
        let filter = Filter::read(&group.filter.bytes()).unwrap();
        let may_hold = |hash: i64| filter.may_hold(hash, &bits(hash));
        assert!(hashes.iter().all(|hash| may_hold(*hash)));
        let errors = (0..100_000).filter(|_| may_hold(fastrand::i64(..))).count();
        assert!(errors < 100, "{errors} of 100,000");
    }
}
