//! The index of request ids in the database: its tables, and the writing of its runs.
//!
//! No commit waits for a run: a thread of its own sorts it, and stores it in one transaction over a connection of
//! its own.

mod runs;
mod tables;

use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::address::Address;
use super::connect::{LOOK_TIME_MAX, Link};
use super::error::{Failure, bad_value};
use crate::catalog::{Movement, RequestId, Transaction};
use crate::store::request_ids::{ELSEWHERE, IdIndex, Run};
use runs::{Unstored, store_run};
use tables::PostgresTables;

/// The pause after a run that could not be stored. Its ids stay in memory.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// Notes that no movement up to this one has an id that is in no run. Only goes forward.
const NOTE_NONE: &str = "UPDATE request_index SET through = greatest(through, $2) WHERE shop = $1";

/// The index of the request ids of one shop.
pub(super) struct RequestIds {
    index: IdIndex,
    /// The thread that stores the next run.
    storing: Option<JoinHandle<Result<Run, Unstored>>>,
    /// The time of the last run that could not be stored.
    failed_at: Option<Instant>,
    /// Whether the shop has an index, and it was read.
    is_read: bool,
}

/// The server that writes, and the last movement that it has stored.
pub(super) struct Writer<'w> {
    pub(super) address: &'w Address,
    pub(super) shop: i32,
    pub(super) epoch: i64,
    pub(super) last_sequence: i64,
}

impl RequestIds {
    /// The index of a shop without ids, such as one that is not created yet.
    pub(super) fn new() -> Self {
        Self { index: IdIndex::new(), storing: None, failed_at: None, is_read: false }
    }

    /// Reads the filters from the database, and the ids that are not in a run yet. A shop that was never opened has no
    /// index.
    pub(super) fn read(link: &mut Link, shop: i32) -> Result<Self, Failure> {
        let Some((seed, through)) = read_key(link, shop)? else { return Ok(Self::new()) };
        let seed = seed.try_into().map_err(|_| bad_value("o índice dos pedidos não tem a sua chave"))?;
        let index = IdIndex::read(&mut PostgresTables::new(link, shop), &seed, through)?;
        Ok(Self { index, is_read: true, ..Self::new() })
    }

    /// Whether the shop has an index, and it was read.
    pub(super) fn is_read(&self) -> bool {
        self.is_read
    }

    /// Adds the ids of movements that another server has stored, and of requests without a movement.
    pub(super) fn add_stored(&mut self, changes: &Transaction, requests: &[String]) {
        let placed = |movement: &'_ Movement| Some((movement.request_id.clone()?, movement.sequence));
        let placed: Vec<_> = changes.movements.iter().filter_map(placed).collect();
        let movements = placed.iter().map(|(id, sequence)| (id.as_str(), *sequence));
        self.index.add_stored(movements.chain(requests.iter().map(|id| (id.as_str(), ELSEWHERE))));
    }

    /// Reads the runs that another server has stored, once they are due. The index has all ids up to the movement
    /// `last_sequence`.
    pub(super) fn follow(&mut self, link: &mut Link, shop: i32, last_sequence: i64) -> Result<(), Failure> {
        // If this server has begun a run before it stood by, the run is in the tables or not.
        self.storing = None;
        if self.index.is_due(last_sequence)
            && let Some((_, through)) = read_key(link, shop)?
            // A later run has ids that are not in the index yet.
            && (self.index.through() + 1..=last_sequence).contains(&through)
        {
            self.index.follow(&mut PostgresTables::new(link, shop), through)?;
        }
        Ok(())
    }

    /// Whether no id has a place, as far as is known without the database.
    pub(super) fn are_new(&self, request_ids: &[&RequestId]) -> bool {
        self.index.are_new(request_ids)
    }

    /// The places where some ids may be: pairs of an id's index and a sequence number, or the place of ids that are
    /// in the table of requests.
    pub(super) fn places(
        &self,
        link: &mut Link,
        shop: i32,
        time_max: Duration,
        request_ids: &[&RequestId],
    ) -> Result<Vec<(usize, i64)>, Failure> {
        self.index.places(&mut PostgresTables { link, shop, time_max }, request_ids)
    }

    /// Adds the ids of a stored transaction.
    pub(super) fn add(&mut self, changes: &Transaction) {
        self.index.add(changes);
    }

    /// Begins the next run if it is due, or notes that the last one is stored. Waits for no run.
    pub(super) fn tidy(&mut self, link: &mut Link, writer: &Writer<'_>) -> Result<(), Failure> {
        let Writer { shop, last_sequence, .. } = *writer;
        if let Some(thread) = self.storing.take_if(|thread| thread.is_finished()) {
            // If the thread panicked, the ids stay in memory, and a later run stores them.
            match thread.join().unwrap_or(Err(Unstored::Failed)) {
                Ok(run) => self.index.stored_run(run),
                Err(Unstored::Failed) => self.failed_at = Some(Instant::now()),
                // The answer for an earlier run was lost.
                Err(Unstored::Known) => self.follow(link, shop, last_sequence)?,
            }
        }
        let is_resting = self.failed_at.is_some_and(|at| at.elapsed() < RETRY_AFTER);
        if self.storing.is_some() || is_resting || !self.index.is_due(last_sequence) {
            return Ok(());
        }
        if self.index.has_no_ids_to_store() {
            let noted = link.change(LOOK_TIME_MAX, async |session| {
                session.execute(NOTE_NONE, &[&shop, &last_sequence]).await
            });
            noted?;
            self.index.stored_none(last_sequence);
            return Ok(());
        }
        let (address, epoch, sort) =
            (writer.address.clone(), writer.epoch, self.index.next_run(last_sequence));
        let timeline_min = link.place().timeline;
        let store = move || store_run(sort(), &address, timeline_min, (shop, epoch));
        match thread::Builder::new().spawn(store) {
            Ok(thread) => self.storing = Some(thread),
            Err(_) => self.failed_at = Some(Instant::now()),
        }
        Ok(())
    }
}

/// The key of the hashes, and the movement up to which the runs have all ids; `None` if the shop was never opened.
fn read_key(link: &mut Link, shop: i32) -> Result<Option<(Vec<u8>, i64)>, Failure> {
    link.run(LOOK_TIME_MAX, async |session| {
        let select = "SELECT seed, through FROM request_index WHERE shop = $1";
        let row = session.query_opt(select, &[&shop]).await?;
        row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).transpose()
    })
}
