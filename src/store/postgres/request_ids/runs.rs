//! Writes sorted runs of request ids.

use std::time::Duration;

use crate::store::postgres::address::Address;
use crate::store::postgres::connect::{Link, Purpose};
use crate::store::postgres::error::Failure;
use crate::store::postgres::session::Session;
use crate::store::request_ids::{ENTRY_BYTES, Run, write_entries};

/// Ids in a row of a run (a chunk): few enough that the engine keeps the row in its page, uncompressed
/// (<https://www.postgresql.org/docs/current/storage-toast.html>).
const CHUNK_ENTRIES: usize = 120;

/// Chunks of one statement: a megabyte.
const CHUNKS_AT_ONCE: usize = 512;

/// How long the storing of a run may take. The first run of a shop that was copied here has all of its ids.
const RUN_TIME_MAX: Duration = Duration::from_secs(3600);

const INSERT_CHUNKS: &str = "INSERT INTO request_chunk (shop, run, first_hash, entries)
    SELECT $1::int4, $2::int8, * FROM unnest($3::int8[], $4::bytea[])";

const INSERT_RUN: &str =
    "INSERT INTO request_run (shop, number, filter, group_filter) VALUES ($1, $2, $3, $4)";

const UPDATE_INDEX: &str = "UPDATE request_index SET through = greatest(through, $2) WHERE shop = $1";

/// Why a run is not known to be stored.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unstored {
    /// The tables have a run of this number.
    Known,
    /// The engine cannot be reached, or another server writes for the shop. The log has the reason.
    Failed,
}

/// Stores a run over a connection of its own.
pub(super) fn store_run(
    run: Run,
    address: &Address,
    timeline_min: u32,
    (shop, epoch): (i32, i64),
) -> Result<Run, Unstored> {
    let stored = Link::open(address, Purpose::Write { timeline_min }).and_then(|mut link| {
        let stored = link.change(RUN_TIME_MAX, async |session| write(session, (shop, epoch), &run).await);
        match stored {
            Err(failure) if failure.is_duplicate_of("request_run_pkey") => Ok(Err(Unstored::Known)),
            stored => stored.map(Ok).map_err(|failure| failure.into_error("mudar", address)),
        }
    });
    match stored {
        Ok(Ok(())) => Ok(run),
        Ok(Err(known)) => Err(known),
        Err(error) => {
            tracing::warn!(%error, "request ids could not be sorted away, and stay in memory");
            Err(Unstored::Failed)
        }
    }
}

/// Writes a run in one transaction. The epoch is checked last, because until the end of the transaction no other
/// server can take the lease.
async fn write(session: &Session, (shop, epoch): (i32, i64), run: &Run) -> Result<(), Failure> {
    let number = run.group.last_run();
    session.client().batch_execute("BEGIN").await?;
    session
        .execute(INSERT_RUN, &[&shop, &number, &run.group.last_filter(), &run.group.full_filter()])
        .await?;
    for entries in run.entries.chunks(CHUNK_ENTRIES * CHUNKS_AT_ONCE) {
        let (first_hashes, chunks): (Vec<i64>, Vec<Vec<u8>>) = entries
            .chunks(CHUNK_ENTRIES)
            .map(|chunk| {
                let mut bytes = Vec::with_capacity(CHUNK_ENTRIES * ENTRY_BYTES);
                write_entries(chunk, &mut bytes);
                (chunk[0].0, bytes)
            })
            .unzip();
        session.execute(INSERT_CHUNKS, &[&shop, &number, &first_hashes, &chunks]).await?;
    }
    session.execute(UPDATE_INDEX, &[&shop, &run.through]).await?;
    session.execute("SELECT fence($1, $2)", &[&shop, &epoch]).await?;
    Ok(session.client().batch_execute("COMMIT").await?)
}
