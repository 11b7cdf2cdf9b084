//! The index of request ids in the database: its tables, and the writing of its runs.
//!
//! No transaction waits for a run: a thread of its own sorts it, and each of the next transactions stores a
//! piece of it. The tables call a run a round.

mod runs;
mod tables;

use std::mem;
use std::ops::Range;
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

use super::error::bad_value;
use crate::catalog::{RequestId, Transaction};
use crate::store::request_ids::{ELSEWHERE, IdIndex, Run};
use runs::{piece, write_piece, write_through};
use tables::SqliteTables;

/// The index of the request ids of one database.
pub(super) struct RequestIds {
    index: IdIndex,
    next: Next,
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
        Self { index: IdIndex::new(), next: Next::default() }
    }

    /// Reads the filters from the database, and the ids that are not in a run yet.
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let (seed, through) = connection.query_row("SELECT seed, through FROM request_index", [], |row| {
            let seed: Vec<u8> = row.get(0)?;
            Ok((seed.try_into().map_err(|_| bad_value(0, "not a seed"))?, row.get(1)?))
        })?;
        let index = IdIndex::read(&mut SqliteTables(connection), &seed, through)?;
        Ok(Self { index, ..Self::new() })
    }

    /// Calls `look` with each id and each place where the id may be: a sequence number, or `None` for the
    /// table of requests. Nearly every new id has no such place.
    pub(super) fn places(
        &self,
        connection: &Connection,
        request_ids: &[&RequestId],
        mut look: impl FnMut(&RequestId, Option<i64>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let places = self.index.places(&mut SqliteTables(connection), request_ids)?;
        places
            .into_iter()
            .try_for_each(|(index, place)| look(request_ids[index], (place != ELSEWHERE).then_some(place)))
    }

    /// Decides what the next transaction, which follows the movement `last_sequence`, stores of the index.
    pub(super) fn prepare(&mut self, last_sequence: i64) {
        self.next = match mem::take(&mut self.next) {
            Next::Awaited if self.index.is_due(last_sequence) => self.begin(last_sequence),
            Next::Sorting(thread) if thread.is_finished() => Next::sorted(thread),
            next => next,
        };
    }

    /// Decides what the last transaction before a stop stores: all that is left of a run that is due. If
    /// there are too few ids for a run, the next start reads them from the ledger.
    pub(super) fn prepare_last(&mut self, last_sequence: i64) {
        self.prepare(last_sequence);
        self.next = match mem::take(&mut self.next) {
            Next::Awaited if self.index.has_no_ids_to_store() => Next::Needless { through: last_sequence },
            Next::Sorting(thread) => Next::sorted(thread),
            next => next,
        };
        if let Next::Storing { run, piece } = &mut self.next {
            piece.end = run.entries.len();
        }
    }

    fn begin(&self, last_sequence: i64) -> Next {
        if self.index.has_no_ids_to_store() {
            return Next::Needless { through: last_sequence };
        }
        // If no thread can be started, the calling thread sorts.
        thread::Builder::new()
            .spawn(self.index.next_run(last_sequence))
            .map_or_else(|_| Next::storing(self.index.next_run(last_sequence)()), Next::Sorting)
    }

    /// Writes a piece of the next run inside a transaction.
    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        match &self.next {
            Next::Awaited | Next::Sorting(_) => Ok(()),
            Next::Needless { through } => write_through(connection, *through),
            Next::Storing { run, piece } => write_piece(run, connection, piece),
        }
    }

    /// Notes that a transaction of these changes is stored, with the piece that [`Self::write`] wrote.
    pub(super) fn stored(&mut self, changes: &Transaction) {
        self.next = match mem::take(&mut self.next) {
            Next::Needless { through } => {
                self.index.stored_none(through);
                Next::Awaited
            }
            Next::Storing { run, piece: Range { end, .. } } if end < run.entries.len() => {
                Next::Storing { piece: piece(&run, end), run }
            }
            Next::Storing { run, .. } => {
                self.index.stored_run(run);
                Next::Awaited
            }
            next => next,
        };
        self.index.add(changes);
    }
}

impl Next {
    fn sorted(thread: JoinHandle<Run>) -> Self {
        // If the thread panicked, the ids stay in the memtable, and a later run stores them.
        thread.join().map_or(Self::Awaited, Self::storing)
    }

    fn storing(run: Run) -> Self {
        Self::Storing { piece: piece(&run, 0), run }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::SystemTime;

    use super::*;
    use crate::catalog::{Kind, Movement, Price, ProductId, Quantity, RequestRecord};
    use crate::store::request_ids::{NONE_AFTER, RUN_AFTER};

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
        assert_eq!(index.index.run_count(), 3);
        for index in [&index, &RequestIds::read(&connection).unwrap()] {
            assert!(index.index.memtable_len() < RUN_AFTER);
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
        // Enough ids with one hash to fill more than one chunk, between ids with other hashes.
        let same = 600;
        for place in 1..=same {
            for (other, place) in [(0, place), (place, -1), (-place, -1)] {
                index.index.add_entry("a", other, place);
            }
        }
        let expected: Vec<_> = (1..=same).map(Some).collect();
        let sorted = |mut places: Vec<_>| {
            places.sort_unstable();
            places
        };
        assert_eq!(sorted(places(&index, &connection, "a")), expected);
        while index.index.run_count() == 0 {
            store(&mut index, &mut connection, RUN_AFTER as i64, &Transaction::default());
        }
        assert!(index.index.has_no_ids_to_store());
        assert_eq!(sorted(places(&index, &connection, "a")), expected);
    }

    #[test]
    fn a_run_that_is_begun_is_whole_after_a_clean_stop() {
        let mut connection = new_database();
        let mut last_sequence = 0;
        for session in 1..=12 {
            let mut index = RequestIds::read(&connection).unwrap();
            let before = index.index.run_count();
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
            assert!(index.index.memtable_len() <= RUN_AFTER, "{session}");
            assert!(matches!(index.next, Next::Awaited));
            if index.index.run_count() > before {
                assert!(index.index.has_no_ids_to_store());
            }
        }
        assert_eq!(RequestIds::read(&connection).unwrap().index.run_count(), 2);
    }

    #[test]
    fn movements_without_ids_after_a_run_leave_it_as_it_is() {
        let mut connection = new_database();
        let mut index = RequestIds::read(&connection).unwrap();
        let full = RUN_AFTER as i64;
        let named = (1..=full).map(|at| movement(at, Some(format!("pedido-{at}")))).collect();
        store(&mut index, &mut connection, 0, &Transaction { movements: named, ..Transaction::default() });
        while index.index.run_count() == 0 {
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
            assert_eq!((index.index.through(), index.index.run_count()), (last, 1));
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
        assert_eq!(index.index.run_count(), 0);
        let find_all = |index: &RequestIds, connection: &Connection, last_sequence: i64| {
            for sequence in 1..=last_sequence {
                let id = format!("pedido-{sequence}");
                assert_eq!(places(index, connection, &id), [Some(sequence)], "{id}");
            }
        };
        find_all(&index, &connection, last_sequence);
        index = RequestIds::read(&connection).unwrap();
        find_all(&index, &connection, last_sequence);
        while index.index.run_count() == 0 {
            store(&mut index, &mut connection, last_sequence, &changes(last_sequence + 1));
            last_sequence += 1000;
        }
        let ids: i64 = connection
            .query_row("SELECT sum(length(entries)) / 16 FROM request_chunk", [], |row| row.get(0))
            .unwrap();
        assert_eq!(ids, index.index.through());
        find_all(&index, &connection, last_sequence);
        find_all(&RequestIds::read(&connection).unwrap(), &connection, last_sequence);
    }
}
