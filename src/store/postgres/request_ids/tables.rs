//! Reads the tables of the index of request ids.

use std::ops::Range;
use std::pin::pin;
use std::time::Duration;

use tokio_stream::StreamExt as _;

use crate::store::postgres::connect::{Link, look_time};
use crate::store::postgres::error::{Failure, bad_value};
use crate::store::request_ids::{ELSEWHERE, IdTables, Malformed, OnFound, StoredRun};

/// How long reading all filters, or the ids after the last run, may take.
const READ_TIME_MAX: Duration = Duration::from_secs(600);

const SELECT_RUNS: &str =
    "SELECT number, filter, group_filter FROM request_run WHERE shop = $1 AND number >= $2 ORDER BY number";

const SELECT_CHUNKS: &str = "SELECT entries FROM request_chunk WHERE shop = $1 AND run >= $2 AND run < $3";

/// For each run and hash, the chunks that begin with the hash, and the last one that begins with a lower hash.
const SELECT_CHUNKS_WITH: &str = "SELECT place - 1, entries
    FROM unnest($2::int8[], $3::int8[]) WITH ORDINALITY AS wanted (run, hash, place), LATERAL (
        SELECT entries FROM request_chunk AS chunk
        WHERE shop = $1 AND chunk.run = wanted.run AND first_hash <= hash AND first_hash >= coalesce(
            (SELECT max(first_hash) FROM request_chunk AS lower
             WHERE shop = $1 AND lower.run = wanted.run AND first_hash < hash), hash)
    ) AS found";

const SELECT_IDS: &str = "SELECT first, request_ids FROM journal
    WHERE shop = $1 AND request_ids IS NOT NULL AND last > $2
      AND first >= coalesce((SELECT max(first) FROM journal WHERE shop = $1 AND first <= $2), 0)";

const SELECT_REQUESTS: &str = "SELECT request_id FROM request WHERE shop = $1 AND after_sequence >= $2";

/// The tables of one shop.
pub(super) struct PostgresTables<'l> {
    pub(super) link: &'l mut Link,
    pub(super) shop: i32,
    /// How long a read of a few ids may take.
    pub(super) time_max: Duration,
}

impl<'l> PostgresTables<'l> {
    /// The tables for reads of many ids.
    pub(super) fn new(link: &'l mut Link, shop: i32) -> Self {
        Self { link, shop, time_max: READ_TIME_MAX }
    }
}

impl From<Malformed> for Failure {
    fn from(Malformed(what): Malformed) -> Self {
        bad_value(what)
    }
}

impl IdTables for PostgresTables<'_> {
    type Error = Failure;

    fn runs(
        &mut self,
        from: usize,
        each: &mut dyn FnMut(&StoredRun<'_>) -> Result<(), Malformed>,
    ) -> Result<(), Failure> {
        let (shop, from) = (self.shop, from as i64);
        self.link.run(READ_TIME_MAX, async |session| {
            let mut runs = pin!(session.stream(SELECT_RUNS, &[&shop, &from]).await?);
            while let Some(run) = runs.try_next().await? {
                each(&StoredRun {
                    number: run.try_get(0)?,
                    filter: run.try_get(1)?,
                    group_filter: run.try_get(2)?,
                })?;
            }
            Ok(())
        })
    }

    fn chunks(
        &mut self,
        runs: Range<usize>,
        each: &mut dyn FnMut(&[u8]) -> Result<(), Malformed>,
    ) -> Result<(), Failure> {
        let (shop, start, end) = (self.shop, runs.start as i64, runs.end as i64);
        self.link.run(READ_TIME_MAX, async |session| {
            let mut chunks = pin!(session.stream(SELECT_CHUNKS, &[&shop, &start, &end]).await?);
            while let Some(chunk) = chunks.try_next().await? {
                each(chunk.try_get(0)?)?;
            }
            Ok(())
        })
    }

    fn chunks_with(&mut self, wanted: &[(usize, i64)], each: &mut OnFound<'_>) -> Result<(), Failure> {
        let shop = self.shop;
        let (runs, hashes): (Vec<i64>, Vec<i64>) =
            wanted.iter().map(|(run, hash)| (*run as i64, *hash)).unzip();
        self.link.run(look_time(self.time_max, wanted.len()), async |session| {
            let mut chunks = pin!(session.stream(SELECT_CHUNKS_WITH, &[&shop, &runs, &hashes]).await?);
            while let Some(chunk) = chunks.try_next().await? {
                let index: i64 = chunk.try_get(0)?;
                each(index as usize, chunk.try_get(1)?)?;
            }
            Ok(())
        })
    }

    fn ids_after(&mut self, through: i64, each: &mut dyn FnMut(&str, i64)) -> Result<(), Failure> {
        let shop = self.shop;
        self.link.run(READ_TIME_MAX, async |session| {
            let mut rows = pin!(session.stream(SELECT_IDS, &[&shop, &through]).await?);
            while let Some(row) = rows.try_next().await? {
                let ids: Vec<Option<&str>> = row.try_get(1)?;
                for (sequence, id) in (row.try_get::<_, i64>(0)?..).zip(ids) {
                    if let Some(id) = id.filter(|_| sequence > through) {
                        each(id, sequence);
                    }
                }
            }
            let mut requests = pin!(session.stream(SELECT_REQUESTS, &[&shop, &through]).await?);
            while let Some(request) = requests.try_next().await? {
                each(request.try_get(0)?, ELSEWHERE);
            }
            Ok(())
        })
    }
}
