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
//! No transaction waits for a run: a thread of its own sorts it, and each of the next transactions stores a
//! piece of it. The ids stay in the memtable until the whole run is stored. The tables call a run a round.
//!
//! A hash only proposes a place. The row at that place has the id itself, which is compared.

mod entry;
mod groups;
mod runs;

use std::hash::Hasher as _;
use std::mem;
use std::ops::Range;
use std::thread::{self, JoinHandle};

use hashbrown::HashTable;
use rusqlite::Connection;
use siphasher::sip::SipHasher13;

use super::error::bad_value;
use crate::catalog::{RequestId, Transaction};
use entry::Entry;
use groups::{Groups, RUN_AFTER};
use runs::{Run, stored_places, write_through};

/// Movements without any id after which the index notes that there is none, so that a start need not read
/// them.
const NONE_AFTER: usize = RUN_AFTER / 64;

/// The place of an id that is in the table of requests, and not in the ledger.
const ELSEWHERE: i64 = 0;

/// The index of the request ids of one database.
pub(super) struct RequestIds {
    /// Keyed with a seed of the database, so that no client can choose ids that collide.
    hasher: SipHasher13,
    memtable: Memtable,
    groups: Groups,
    /// The last movement whose id, and those of all movements before it, are in runs.
    through: i64,
    next: Next,
}

/// The ids that are in no stored run.
#[derive(Default)]
struct Memtable {
    entries: Vec<Entry>,
    /// The index of each entry, by its hash.
    by_hash: HashTable<u32>,
}

/// The progress of the next run.
#[derive(Default)]
enum Next {
    /// There are too few ids for a run.
    #[default]
    Awaited,
    /// There is no id to store: the index only notes that it covers the movements up to this one.
    Needless {
        through: i64,
    },
    Sorting(JoinHandle<Run>),
    /// The run is being stored: the pieces before this one are stored, and the next transaction stores this
    /// one.
    Storing {
        run: Run,
        piece: Range<usize>,
    },
}

impl RequestIds {
    /// The index of a database without ids, such as one that is not created yet.
    pub(super) fn new() -> Self {
        Self {
            hasher: SipHasher13::new(),
            memtable: Memtable::default(),
            groups: Groups::default(),
            through: 0,
            next: Next::default(),
        }
    }

    /// Reads the filters from the database, and the ids that are not in a run yet.
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let (seed, through) = connection.query_row("SELECT seed, through FROM request_index", [], |row| {
            let seed: Vec<u8> = row.get(0)?;
            let seed: [u8; 16] = seed.try_into().map_err(|_| bad_value(0, "not a seed"))?;
            Ok((seed, row.get(1)?))
        })?;
        let groups = Groups::read(connection)?;
        let mut this = Self { hasher: SipHasher13::new_with_key(&seed), groups, through, ..Self::new() };
        let mut memtable = connection.prepare(
            "SELECT request_id, sequence FROM movement WHERE sequence > ?1 AND request_id IS NOT NULL
             UNION ALL SELECT request_id, 0 FROM request WHERE after_sequence >= ?1",
        )?;
        let mut rows = memtable.query([through])?;
        while let Some(row) = rows.next()? {
            this.memtable.add(this.hash(row.get_ref(0)?.as_str()?), row.get(1)?);
        }
        Ok(this)
    }

    fn hash(&self, request_id: &str) -> i64 {
        let mut hasher = self.hasher;
        hasher.write(request_id.as_bytes());
        hasher.finish().cast_signed()
    }

    /// Calls `look` with each id and each place where the id may be: a sequence number, or `None` for the
    /// table of requests. Nearly every new id has no such place.
    pub(super) fn places(
        &self,
        connection: &Connection,
        request_ids: &[&RequestId],
        mut look: impl FnMut(&RequestId, Option<i64>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let mut look = |index: usize, place| look(request_ids[index], (place != ELSEWHERE).then_some(place));
        let hashes: Vec<i64> = request_ids.iter().map(|request_id| self.hash(request_id.as_str())).collect();
        for (index, hash) in hashes.iter().enumerate() {
            self.memtable.places(*hash).try_for_each(|place| look(index, place))?;
        }
        for (index, run) in self.groups.that_may_hold(&hashes) {
            for place in stored_places(connection, run, hashes[index])? {
                look(index, place)?;
            }
        }
        Ok(())
    }

    /// Decides what the next transaction, which follows the movement `last_sequence`, stores of the index.
    pub(super) fn prepare(&mut self, last_sequence: i64) {
        self.next = match mem::take(&mut self.next) {
            Next::Awaited if self.is_due(last_sequence) => self.begin(last_sequence),
            Next::Sorting(thread) if thread.is_finished() => Next::sorted(thread),
            next => next,
        };
    }

    /// Decides what the last transaction before a stop stores: all that is left of a run that is due. If
    /// there are too few ids for a run, the next start reads them from the ledger.
    pub(super) fn prepare_last(&mut self, last_sequence: i64) {
        self.prepare(last_sequence);
        self.next = match mem::take(&mut self.next) {
            Next::Awaited if self.memtable.entries.is_empty() => Next::Needless { through: last_sequence },
            Next::Sorting(thread) => Next::sorted(thread),
            next => next,
        };
        if let Next::Storing { run, piece } = &mut self.next {
            piece.end = run.entries.len();
        }
    }

    fn is_due(&self, last_sequence: i64) -> bool {
        let behind = usize::try_from(last_sequence.saturating_sub(self.through)).unwrap_or(0);
        let after = if self.memtable.entries.is_empty() { NONE_AFTER } else { RUN_AFTER };
        behind >= after || self.memtable.entries.len() >= RUN_AFTER
    }

    fn begin(&self, last_sequence: i64) -> Next {
        if self.memtable.entries.is_empty() {
            return Next::Needless { through: last_sequence };
        }
        let sort = || {
            let (entries, group) =
                (self.memtable.entries.clone(), self.groups.open(self.memtable.entries.len()));
            move || Run::of(entries, group, last_sequence)
        };
        // If no thread can be started, the calling thread sorts.
        thread::Builder::new().spawn(sort()).map_or_else(|_| Next::storing(sort()()), Next::Sorting)
    }

    /// Writes a piece of the next run inside a transaction.
    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        match &self.next {
            Next::Awaited | Next::Sorting(_) => Ok(()),
            Next::Needless { through } => write_through(connection, *through),
            Next::Storing { run, piece } => run.write(connection, piece),
        }
    }

    /// Notes that a transaction of these changes is stored, with the piece that [`Self::write`] wrote.
    pub(super) fn stored(&mut self, changes: &Transaction) {
        self.next = match mem::take(&mut self.next) {
            Next::Needless { through } => {
                self.through = through;
                Next::Awaited
            }
            Next::Storing { run, piece } if piece.end < run.entries.len() => {
                Next::Storing { piece: run.piece(piece.end), run }
            }
            Next::Storing { run, .. } => {
                self.memtable.forget(run.entries.len());
                self.through = run.through;
                self.groups.put(run.group);
                Next::Awaited
            }
            next => next,
        };
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
}

impl Next {
    fn sorted(thread: JoinHandle<Run>) -> Self {
        // If the thread panicked, the ids stay in the memtable, and a later run stores them.
        thread.join().map_or(Self::Awaited, Self::storing)
    }

    fn storing(run: Run) -> Self {
        Self::Storing { piece: run.piece(0), run }
    }
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
        self.entries.clear();
        self.entries.shrink_to(2 * RUN_AFTER);
        self.by_hash.clear();
        self.by_hash.shrink_to(2 * RUN_AFTER, |_| unreachable!("it is empty"));
        rest.into_iter().for_each(|(hash, place)| self.add(hash, place));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::SystemTime;

    use super::*;
    use crate::catalog::{Kind, Movement, Price, ProductId, Quantity, RequestRecord};

    fn movement(sequence: i64, request_id: Option<String>) -> Movement {
        Movement {
            sequence,
            product: ProductId::FIRST,
            kind: Kind::Adjustment,
            delta: Quantity::from_units(1),
            balance: Quantity::from_units(1),
            price: Price::from_centavos(1).unwrap(),
            recorded_at: SystemTime::UNIX_EPOCH,
            previous: 0,
            request_id: request_id.map(|id| id.parse().unwrap()),
            cost: None,
            author: None,
            details: None,
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

    fn store(index: &mut RequestIds, connection: &mut Connection, last_sequence: i64, changes: &Transaction) {
        index.prepare(last_sequence);
        // The thread is joined here, so that the test does not depend on its speed.
        while let Next::Sorting(thread) = &index.next {
            if thread.is_finished() {
                index.prepare(last_sequence);
            }
        }
        let transaction = connection.transaction().unwrap();
        crate::store::sqlite::rows::write(&transaction, changes, last_sequence).unwrap();
        index.write(&transaction).unwrap();
        transaction.commit().unwrap();
        index.stored(changes);
    }

    pub(super) fn new_database() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "foreign_keys", "OFF").unwrap();
        crate::store::sqlite::schema::MIGRATIONS.iter().for_each(|step| step.run(&connection).unwrap());
        connection
    }

    #[test]
    fn every_id_is_found_in_memory_in_a_run_and_after_opening_again() {
        let mut connection = new_database();
        let mut index = RequestIds::read(&connection).unwrap();
        // Two thirds of the movements have an id, and the third run has hardly any.
        let is_named = |sequence: i64| sequence % 3 != 0 && sequence < 2 * RUN_AFTER as i64;
        let mut expected: BTreeMap<String, Option<i64>> = BTreeMap::new();
        let mut sequence = 0;
        for transaction in 0..40 {
            let (mut changes, before) = (Transaction::default(), sequence);
            for _ in 0..RUN_AFTER / 8 {
                sequence += 1;
                let id = is_named(sequence).then(|| format!("pedido-{sequence}"));
                expected.extend(id.clone().map(|id| (id, Some(sequence))));
                changes.movements.push(movement(sequence, id));
            }
            let (list, batch) = (format!("lista-{transaction}"), format!("lote-{transaction}"));
            changes.requests.extend([&list, &batch].map(|id| RequestRecord {
                request_id: id.parse().unwrap(),
                digest: 0,
                result: Vec::new(),
            }));
            expected.extend([(list, None), (batch, None)]);
            store(&mut index, &mut connection, before, &changes);
        }
        assert_eq!(index.groups.run_count(), 3);
        for index in [&index, &RequestIds::read(&connection).unwrap()] {
            assert!(index.memtable.entries.len() < RUN_AFTER);
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
        // Enough ids with one hash to fill more than one chunk, between ids with other hashes.
        let same = 600;
        for place in 1..=same {
            index.memtable.add(hash, place);
            index.memtable.add(hash.wrapping_add(place), -1);
            index.memtable.add(hash.wrapping_sub(place), -1);
        }
        let expected: Vec<_> = (1..=same).map(Some).collect();
        let sorted = |mut places: Vec<_>| {
            places.sort_unstable();
            places
        };
        assert_eq!(sorted(places(&index, &connection, "a")), expected);
        while index.groups.run_count() == 0 {
            store(&mut index, &mut connection, RUN_AFTER as i64, &Transaction::default());
        }
        assert!(index.memtable.entries.is_empty());
        assert_eq!(sorted(places(&index, &connection, "a")), expected);
    }

    /// A stored run is read by later versions of this program, so its form must not change.
    #[test]
    fn a_hash_is_what_it_always_was() {
        let hasher = SipHasher13::new_with_key(b"0123456789abcdef");
        let index = RequestIds { hasher, ..RequestIds::new() };
        assert_eq!(["", "pedido-1"].map(|id| index.hash(id)), [-1911748791790167412, 1769951393940745094]);
    }

    #[test]
    fn a_run_that_is_begun_is_whole_after_a_clean_stop() {
        let mut connection = new_database();
        let mut last_sequence = 0;
        for session in 1..=12 {
            let mut index = RequestIds::read(&connection).unwrap();
            let before = index.groups.run_count();
            let movements = (last_sequence + 1..).take(1000);
            let movements = movements.map(|at| movement(at, Some(format!("pedido-{at}")))).collect();
            store(
                &mut index,
                &mut connection,
                last_sequence,
                &Transaction { movements, ..Transaction::default() },
            );
            last_sequence += 1000;
            index.prepare_last(last_sequence);
            index.write(&connection).unwrap();
            index.stored(&Transaction::default());
            assert!(index.memtable.entries.len() <= RUN_AFTER, "{session}");
            assert!(matches!(index.next, Next::Awaited));
            if index.groups.run_count() > before {
                assert!(index.memtable.entries.is_empty());
            }
        }
        assert_eq!(RequestIds::read(&connection).unwrap().groups.run_count(), 2);
    }

    #[test]
    fn movements_without_ids_after_a_run_leave_it_as_it_is() {
        let mut connection = new_database();
        let mut index = RequestIds::read(&connection).unwrap();
        let full = RUN_AFTER as i64;
        let named = (1..=full).map(|at| movement(at, Some(format!("pedido-{at}")))).collect();
        store(&mut index, &mut connection, 0, &Transaction { movements: named, ..Transaction::default() });
        while index.groups.run_count() == 0 {
            store(&mut index, &mut connection, full, &Transaction::default());
        }
        let last = full + NONE_AFTER as i64;
        let others = (full + 1..=last).map(|at| movement(at, None)).collect();
        store(
            &mut index,
            &mut connection,
            full,
            &Transaction { movements: others, ..Transaction::default() },
        );
        store(&mut index, &mut connection, last, &Transaction::default());
        for index in [&index, &RequestIds::read(&connection).unwrap()] {
            assert_eq!((index.through, index.groups.run_count()), (last, 1));
            for sequence in 1..=full {
                assert_eq!(places(index, &connection, &format!("pedido-{sequence}")), [Some(sequence)]);
            }
        }
    }

    #[test]
    fn what_a_kill_left_of_a_run_is_removed() {
        let mut connection = new_database();
        let mut index = RequestIds::read(&connection).unwrap();
        let changes = |first: i64| Transaction {
            movements: (first..).take(1000).map(|at| movement(at, Some(format!("pedido-{at}")))).collect(),
            ..Transaction::default()
        };
        let chunks = |connection: &Connection| -> i64 {
            connection.query_row("SELECT count(*) FROM request_chunk", [], |row| row.get(0)).unwrap()
        };
        let mut last_sequence = 0;
        while chunks(&connection) == 0 {
            store(&mut index, &mut connection, last_sequence, &changes(last_sequence + 1));
            last_sequence += 1000;
        }
        assert_eq!(index.groups.run_count(), 0);
        let find_all = |index: &RequestIds, connection: &Connection, last_sequence: i64| {
            for sequence in 1..=last_sequence {
                let id = format!("pedido-{sequence}");
                assert_eq!(places(index, connection, &id), [Some(sequence)], "{id}");
            }
        };
        find_all(&index, &connection, last_sequence);
        index = RequestIds::read(&connection).unwrap();
        find_all(&index, &connection, last_sequence);
        while index.groups.run_count() == 0 {
            store(&mut index, &mut connection, last_sequence, &changes(last_sequence + 1));
            last_sequence += 1000;
        }
        let ids: i64 = connection
            .query_row("SELECT sum(length(entries)) / 16 FROM request_chunk", [], |row| row.get(0))
            .unwrap();
        assert_eq!(ids, index.through);
        find_all(&index, &connection, last_sequence);
        find_all(&RequestIds::read(&connection).unwrap(), &connection, last_sequence);
    }
}
