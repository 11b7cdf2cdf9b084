//! The index of request ids: where in the ledger a request id stands.
//!
//! An id is durable in its row of the ledger, which grows at its end. To keep an ordinary
//! index beside it would cost a page of the database for each id that a client drew at
//! random: a twentieth of the speed. So the newest ids are indexed in memory only, and read
//! from the end of the ledger at the start; from time to time they are stored, sorted by
//! their hash, as one round that is never changed again. For each round, a filter of two
//! bytes an id stays in memory and tells that nearly every new id is in none of them. The
//! filters of many rounds are looked at together.
//!
//! A hash only proposes a place: the row there has the id itself, and decides.

use std::hash::Hasher as _;

use hashbrown::HashTable;
use rusqlite::{Connection, params};
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

/// Ids in a block of a filter: sixteen bits each, so that a filter errs once in some hundreds.
const BLOCK_IDS: usize = 32;

/// Words of a block: 64 bytes.
const BLOCK_WORDS: usize = 8;

/// Bits of a block.
const BLOCK_BITS: usize = 64 * BLOCK_WORDS;

/// Bits that an id sets in its block.
const BITS: usize = 6;

/// Blocks of the filter of a full round: always as many, so that those of many rounds can be
/// looked at together.
const ROUND_BLOCKS: usize = ROUND_AFTER / BLOCK_IDS;

/// Blocks that there would be for the ids of a full round at most: its last transaction brings
/// some more than [`ROUND_AFTER`].
const ROUND_BLOCKS_MAX: usize = ROUND_BLOCKS + ROUND_BLOCKS / 8;

/// Rounds whose filters go into a [`Matrix`] together, as many as a byte has bits.
const MATRIX_STEP: usize = 8;

/// Bytes of a row of a [`Matrix`] at most: with 64 MiB, it is copied in tens of milliseconds.
const ROW_BYTES_MAX: usize = size_of::<u128>();

/// The place of an id of a batch or an import, which stands in a table of its own.
const ELSEWHERE: i64 = 0;

/// Where an id may stand: its hash, and a sequence number of the ledger or [`ELSEWHERE`].
type Entry = (i64, i64);

/// What is known of the request ids of one database.
pub(super) struct RequestIds {
    /// Keyed with a seed of the database, so that no client can choose ids that collide.
    hasher: SipHasher13,
    recent: Recent,
    rounds: Rounds,
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
    number: usize,
    entries: Vec<Entry>,
    filter: Filter,
    through: i64,
}

impl RequestIds {
    /// That of a database in which no id is stored, such as one that is not made yet.
    pub(super) fn new() -> Self {
        Self { hasher: SipHasher13::new(), recent: Recent::default(), rounds: Rounds::default(), through: 0 }
    }

    /// Reads the filters, and the ids that are in no round yet.
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let (seed, through) = connection.query_row("SELECT seed, through FROM request_index", [], |row| {
            let seed: Vec<u8> = row.get(0)?;
            let seed: [u8; 16] = seed.try_into().map_err(|_| bad_value(0, "not a seed"))?;
            Ok((seed, row.get(1)?))
        })?;
        let mut this = Self { hasher: SipHasher13::new_with_key(&seed), through, ..Self::new() };
        let mut filters = connection.prepare("SELECT filter FROM request_round ORDER BY number")?;
        let mut rows = filters.query([])?;
        while let Some(row) = rows.next()? {
            this.rounds.add(Filter::read(row.get_ref(0)?.as_blob()?)?);
            // Not one after the other, for each time the matrix is copied; nor all together, for
            // until then they are in memory twice.
            if this.rounds.newest.len() == MATRIX_STEP * ROW_BYTES_MAX {
                this.rounds.gather();
            }
        }
        this.rounds.gather();
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
        for (index, number) in self.rounds.that_may_hold(&hashes) {
            for place in stored_places(connection, number, hashes[index])? {
                look(index, place)?;
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
        let filter = Filter::of(&entries);
        Round { number: self.rounds.count, entries, filter, through: last_sequence }
    }

    /// Takes note that a transaction of these changes with this round is stored.
    pub(super) fn stored(&mut self, changes: &Changes, round: Option<Round>) {
        if let Some(round) = round {
            self.recent.clear();
            self.through = round.through;
            if !round.entries.is_empty() {
                self.rounds.add(round.filter);
                self.rounds.gather();
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
        let number = self.number as i64;
        connection.execute(
            "INSERT INTO request_round (number, filter) VALUES (?1, ?2)",
            params![number, self.filter.bytes()],
        )?;
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
        let (entries, rest) = row.get_ref(1)?.as_blob()?.as_chunks::<ENTRY_BYTES>();
        if !rest.is_empty() {
            return Err(bad_value(1, "not entries of the index of request ids"));
        }
        let from = entries.partition_point(|entry| half(entry, 0) < hash);
        let same = entries[from..].iter().take_while(|entry| half(entry, 0) == hash);
        places.extend(same.map(|entry| half(entry, 1)));
        if first < hash {
            break;
        }
    }
    Ok(places)
}

/// The first or the second number of an entry.
fn half(entry: &[u8; ENTRY_BYTES], index: usize) -> i64 {
    i64::from_le_bytes(entry.as_chunks().0[index])
}

/// A line of the processor's cache, so that a look at a filter waits for memory once.
type Block = [u64; BLOCK_WORDS];

/// Tells of a hash that it is not in a round; or that it may be (a blocked Bloom filter).
struct Filter {
    blocks: Vec<Block>,
}

impl Filter {
    fn of(entries: &[Entry]) -> Self {
        let count = match entries.len().div_ceil(BLOCK_IDS) {
            ROUND_BLOCKS..=ROUND_BLOCKS_MAX => ROUND_BLOCKS,
            count => count,
        };
        let mut blocks = vec![Block::default(); count];
        for (hash, _) in entries {
            let index = block_of(*hash, blocks.len());
            for (word, bits) in blocks[index].iter_mut().zip(bits(*hash)) {
                *word |= bits;
            }
        }
        Self { blocks }
    }

    fn read(bytes: &[u8]) -> rusqlite::Result<Self> {
        let (words, rest) = bytes.as_chunks();
        let words: Vec<u64> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let (blocks, more) = words.as_chunks();
        if blocks.is_empty() || !rest.is_empty() || !more.is_empty() {
            return Err(bad_value(0, "not a filter of the index of request ids"));
        }
        Ok(Self { blocks: blocks.to_vec() })
    }

    fn bytes(&self) -> Vec<u8> {
        self.blocks.iter().flatten().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// Whether the round may hold a hash with these [`bits`].
    #[inline]
    fn may_hold(&self, hash: i64, bits: &Block) -> bool {
        let block = &self.blocks[block_of(hash, self.blocks.len())];
        // All words, for to guess which is the first that tells costs more than to look at them.
        let missing = block.iter().zip(bits).fold(0, |missing, (word, bits)| missing | bits & !word);
        missing == 0
    }
}

/// The filters of all stored rounds.
#[derive(Default)]
struct Rounds {
    count: usize,
    matrices: Vec<Matrix>,
    /// Those of full rounds that are in no matrix yet, with the numbers of their rounds.
    newest: Vec<(usize, Filter)>,
    /// Those of another size.
    others: Vec<(usize, Filter)>,
}

impl Rounds {
    fn add(&mut self, filter: Filter) {
        let list = if filter.blocks.len() == ROUND_BLOCKS { &mut self.newest } else { &mut self.others };
        list.push((self.count, filter));
        self.count += 1;
    }

    /// Puts the newest into a matrix, once they are enough.
    fn gather(&mut self) {
        let count = self.newest.len() / MATRIX_STEP * MATRIX_STEP;
        if count == 0 {
            return;
        }
        let newest: Vec<_> = self.newest.drain(..count).collect();
        match self.matrices.last_mut() {
            Some(matrix) if matrix.row_bytes + count / MATRIX_STEP <= ROW_BYTES_MAX => matrix.widen(&newest),
            _ => {
                let mut matrix = Matrix::default();
                matrix.widen(&newest);
                self.matrices.push(matrix);
            }
        }
    }

    /// Which of these hashes may be in which round: the index of each, with the round's number.
    fn that_may_hold(&self, hashes: &[i64]) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        // In a loop that does nothing else, the processor waits for memory for many at a time.
        for matrix in &self.matrices {
            for (index, hash) in hashes.iter().enumerate() {
                let mut columns = matrix.that_may_hold(*hash);
                while columns != 0 {
                    found.push((index, matrix.numbers[columns.trailing_zeros() as usize]));
                    columns &= columns - 1;
                }
            }
        }
        for (index, hash) in hashes.iter().enumerate() {
            let bits = bits(*hash);
            let filters = self.newest.iter().chain(&self.others);
            let filters = filters.filter(|(_, filter)| filter.may_hold(*hash, &bits));
            found.extend(filters.map(|(number, _)| (index, *number)));
        }
        found
    }
}

/// The filters of up to 128 rounds, turned over: a row for each bit of a filter, with a
/// column for each round. So a look waits for memory [`BITS`] times, and not once for each
/// round.
#[derive(Default)]
struct Matrix {
    /// The round of each column.
    numbers: Vec<usize>,
    row_bytes: usize,
    /// The rows one after the other, and a last one that only fills: each is read with as
    /// many bytes as the longest have.
    rows: Vec<u8>,
}

impl Matrix {
    /// Adds columns, [`MATRIX_STEP`] or a multiple of them.
    fn widen(&mut self, filters: &[(usize, Filter)]) {
        let before = self.row_bytes;
        self.numbers.extend(filters.iter().map(|(number, _)| number));
        self.row_bytes = self.numbers.len() / MATRIX_STEP;
        let mut rows = vec![0; ROUND_BLOCKS * BLOCK_BITS * self.row_bytes + ROW_BYTES_MAX];
        for (index, row) in rows.chunks_exact_mut(self.row_bytes).enumerate().take(ROUND_BLOCKS * BLOCK_BITS)
        {
            row[..before].copy_from_slice(&self.rows[index * before..][..before]);
        }
        for block in 0..ROUND_BLOCKS {
            for (step, filters) in filters.chunks(MATRIX_STEP).enumerate() {
                for word in 0..BLOCK_WORDS {
                    let words: [u64; MATRIX_STEP] =
                        std::array::from_fn(|column| filters[column].1.blocks[block][word]);
                    let first = (block * BLOCK_BITS + word * 64) * self.row_bytes;
                    let rows = rows[first..].chunks_exact_mut(8 * self.row_bytes);
                    for (byte, rows) in rows.take(8).enumerate() {
                        let square = words.map(|word| (word >> (8 * byte)) as u8);
                        let columns = transposed(u64::from_le_bytes(square)).to_le_bytes();
                        for (row, columns) in rows.chunks_exact_mut(self.row_bytes).zip(columns) {
                            row[before + step] = columns;
                        }
                    }
                }
            }
        }
        self.rows = rows;
    }

    /// The columns whose rounds may hold this hash, as bits.
    #[inline]
    fn that_may_hold(&self, hash: i64) -> u128 {
        let first = block_of(hash, ROUND_BLOCKS) * BLOCK_BITS;
        let mut columns = u128::MAX >> (128 - 8 * self.row_bytes);
        for place in bit_places(hash) {
            let at = (first + place) * self.row_bytes;
            let row = self.rows[at..].first_chunk().expect("the last row is followed by one that fills");
            columns &= u128::from_le_bytes(*row);
        }
        columns
    }
}

/// Eight bytes of eight bits, with rows and columns exchanged
/// (Warren, Hacker's Delight, 7-3).
fn transposed(mut square: u64) -> u64 {
    for (shift, mask) in
        [(7, 0x00aa_00aa_00aa_00aa), (14, 0x0000_cccc_0000_cccc), (28, 0x0000_0000_f0f0_f0f0)]
    {
        let exchanged = (square ^ (square >> shift)) & mask;
        square ^= exchanged ^ (exchanged << shift);
    }
    square
}

/// The block of a hash: its upper half, as a fraction of all blocks.
fn block_of(hash: i64, blocks: usize) -> usize {
    (((hash.cast_unsigned() >> 32) * blocks as u64) >> 32) as usize
}

/// Which bits a hash sets in its block: each is told by nine bits of a second hash.
fn bit_places(hash: i64) -> [usize; BITS] {
    // An odd number near 2^64 divided by the golden ratio spreads what the block leaves over.
    let mixed = hash.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    std::array::from_fn(|index| (mixed >> (64 - 9 * (index + 1))) as usize % BLOCK_BITS)
}

/// The same, as they stand in the block.
fn bits(hash: i64) -> Block {
    let mut block = Block::default();
    for place in bit_places(hash) {
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
        assert_eq!(index.rounds.count, 3);
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
    fn filters_that_are_turned_over_tell_the_same() {
        let entries = |count: usize| -> Vec<Entry> { (0..count).map(|_| (fastrand::i64(..), 1)).collect() };
        // Full rounds, into a second matrix and some more, and between them one of another size.
        let in_matrix = MATRIX_STEP * ROW_BYTES_MAX;
        let mut stored: Vec<_> =
            (0..in_matrix + 2 * MATRIX_STEP + 1).map(|number| entries(ROUND_AFTER + number)).collect();
        stored.insert(20, entries(100));
        let filters: Vec<_> = stored.iter().map(|entries| Filter::of(entries)).collect();
        let (mut one_by_one, mut at_once) = (Rounds::default(), Rounds::default());
        for (number, entries) in stored.iter().enumerate() {
            one_by_one.add(Filter::of(entries));
            one_by_one.gather();
            at_once.add(Filter::of(entries));
            if number == in_matrix {
                at_once.gather();
            }
        }
        at_once.gather();
        let known = stored.iter().map(|entries| entries[0].0);
        let hashes: Vec<i64> = known.chain((0..1000).map(|_| fastrand::i64(..))).collect();
        let mut expected = Vec::new();
        for (index, hash) in hashes.iter().enumerate() {
            let bits = bits(*hash);
            let numbers = (0..filters.len()).filter(|number| filters[*number].may_hold(*hash, &bits));
            expected.extend(numbers.map(|number| (index, number)));
        }
        for rounds in [one_by_one, at_once] {
            assert_eq!((rounds.matrices.len(), rounds.newest.len(), rounds.others.len()), (2, 1, 1));
            let mut said = rounds.that_may_hold(&hashes);
            said.sort_unstable();
            assert_eq!(said, expected);
        }
    }

    #[test]
    fn a_filter_errs_seldom() {
        let entries: Vec<Entry> = (0..20_000).map(|_| (fastrand::i64(..), 1)).collect();
        let filter = Filter::read(&Filter::of(&entries).bytes()).unwrap();
        let may_hold = |hash: i64| filter.may_hold(hash, &bits(hash));
        assert!(entries.iter().all(|(hash, _)| may_hold(*hash)));
        let errors = (0..100_000).filter(|_| may_hold(fastrand::i64(..))).count();
        assert!(errors < 500, "{errors} of 100,000");
    }
}
