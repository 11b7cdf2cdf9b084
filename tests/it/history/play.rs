//! Plays a history: clients on a server that is ended now and then.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::check::{Fault, check};
use super::client::{Client, Door, Record, look_at_all};
use super::{Kind, Ledger, Operation, Row, Stock, Stored, Way, product_named};
use crate::support::Server;

/// What is to be played.
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// How many clients talk in each way at first.
    pub(crate) clients: [(Way, usize); 3],
    /// How many questions of one client may wait for their answers.
    pub(crate) in_flight_max: usize,
    /// How many answers come before each end of the server, and after the last.
    pub(crate) answers: usize,
    pub(crate) ends: Vec<End>,
}

/// How the server ends, to be started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// SIGKILL.
    Kill,
    /// SIGTERM, and it has this long.
    Stop(Duration),
}

/// What came of it.
#[derive(Serialize)]
pub(crate) struct Played {
    pub(crate) history: Vec<Operation>,
    pub(crate) ledger: Ledger,
    /// How long each stop took.
    pub(crate) stops: Vec<Duration>,
    #[serde(skip)]
    pub(crate) verdict: Result<(), Fault>,
}

impl Played {
    /// Asserts that the history can be true. If not, saves it, and shows the operation that cannot be.
    #[track_caller]
    pub(crate) fn assert_true(&self, name: &str) {
        let Err(fault) = &self.verdict else { return };
        let (Fault::Read { operation, .. } | Fault::Unexpected { operation, .. }) = fault else {
            panic!("{name}: {fault}; the history is {}", self.save());
        };
        panic!("{name}: {fault}: {:?}; the history is {}", self.history[*operation], self.save());
    }

    /// Saves the history, and returns where.
    fn save(&self) -> String {
        let file = tempfile::Builder::new().prefix("hortifruti-history-").suffix(".json").tempfile().unwrap();
        serde_json::to_writer_pretty(&file, self).unwrap();
        file.keep().unwrap().1.display().to_string()
    }
}

/// Plays on a server with a new shop. Checks after each start and at the end, after which
/// the server is stopped.
pub(crate) fn play(server: &mut Server, plan: &Plan) -> Played {
    let record = Arc::new(Record::new());
    let (door, seen_door) = watch::channel(Door::Open { port: server.port, times: 0 });
    let clients = {
        let ways = plan.clients.iter().flat_map(|(way, count)| std::iter::repeat_n(*way, *count));
        let clients: Vec<Client> = ways
            .enumerate()
            .map(|(number, way)| {
                let (record, door) = (Arc::clone(&record), seen_door.clone());
                Client::new(number, way, plan.in_flight_max, record, door, plan.seed)
            })
            .collect();
        let run_all =
            async { clients.into_iter().map(Client::run).collect::<JoinSet<()>>().join_all().await };
        std::thread::spawn(move || block_on(run_all))
    };
    let mut stops = Vec::new();
    let mut verdict = (1..).zip(&plan.ends).try_for_each(|(times, end)| {
        record.wait_for_answers(plan.answers).map_err(Fault::Conduct)?;
        door.send_replace(Door::Shut);
        stops.extend(end_server(server, *end)?);
        server.restart();
        check(&record.operations(), &read_ledger(server))?;
        door.send_replace(Door::Open { port: server.port, times });
        Ok(())
    });
    verdict = verdict.and_then(|()| record.wait_for_answers(plan.answers).map_err(Fault::Conduct));
    if verdict.is_err() {
        door.send_replace(Door::Closed);
        server.kill();
        server.restart();
    }
    record.end();
    clients.join().expect("a client does not panic");
    let onlooker = plan.clients.iter().map(|(_, count)| count).sum();
    let last_look =
        record.complaint().map_or_else(|| block_on(look_at_all(&record, onlooker, server.port)), Err);
    server.stop();
    let (history, ledger) = (record.operations(), read_ledger(server));
    verdict = verdict.and(last_look.map_err(Fault::Conduct)).and_then(|()| check(&history, &ledger));
    Played { history, ledger, stops, verdict }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Ends the server; where it stops by itself, returns how long that took.
fn end_server(server: &mut Server, end: End) -> Result<Option<Duration>, Fault> {
    let End::Stop(time) = end else {
        server.kill();
        return Ok(None);
    };
    server.signal("TERM");
    let (code, took) = server.wait_for_end();
    if code != Some(0) {
        return Err(Fault::Conduct(format!("stopped with {code:?}")));
    }
    if took > time {
        return Err(Fault::Conduct(format!("had {time:?} to stop, and took {took:?}")));
    }
    Ok(Some(took))
}

/// What the database holds; the server may run.
fn read_ledger(server: &Server) -> Ledger {
    let mut database = Connection::open_with_flags(
        server.path().join("hortifruti.db"),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
    )
    .unwrap();
    // One moment for all that is read.
    let moment = database.transaction().unwrap();
    let integrity = moment.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    let products = all(&moment, "SELECT id, name, stock_thousandths FROM product ORDER BY id", |row| {
        let (id, name, balance): (i64, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let product = product_named(&name).unwrap_or_else(|| panic!("nobody imported {name}"));
        Ok((id, Stock { product, balance }))
    });
    let rows = all(
        &moment,
        "SELECT sequence, product_id, delta_thousandths, balance_thousandths, kind, request_id
         FROM movement ORDER BY sequence",
        |row| {
            let product: i64 = row.get(1)?;
            let kind: String = row.get(4)?;
            Ok(Row {
                sequence: row.get(0)?,
                product: products.iter().find(|(id, _)| *id == product).unwrap().1.product,
                delta: row.get(2)?,
                balance: row.get(3)?,
                kind: match kind.as_str() {
                    "abertura" => Kind::Opening,
                    "contagem" => Kind::Count,
                    _ => Kind::Change,
                },
                request_id: row.get(5)?,
            })
        },
    );
    let pair = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    Ledger {
        integrity,
        rows,
        requests: all(&moment, "SELECT request_id, result FROM request", |row| {
            Ok((row.get(0)?, stored(&row.get::<_, Vec<u8>>(1)?)))
        }),
        documents: all(&moment, "SELECT first_sequence, count FROM document", pair),
        undos: all(&moment, "SELECT undone, by_sequence FROM undo", pair),
        stocks: products.into_iter().map(|(_, stock)| stock).collect(),
    }
}

/// Every row of a query.
fn all<T>(
    database: &Connection,
    query: &str,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Vec<T> {
    database.prepare(query).unwrap().query_map([], read).unwrap().map(Result::unwrap).collect()
}

/// A result: one byte for its operation, and then numbers of eight bytes.
fn stored(result: &[u8]) -> Stored {
    let (numbers, rest) = result[1..].as_chunks();
    assert_eq!(rest, b"", "{result:?}");
    let numbers: Vec<i64> = numbers.iter().map(|number| i64::from_le_bytes(*number)).collect();
    match (result[0], &numbers[..]) {
        (1, [created, updated, unchanged]) => Stored::Import([*created, *updated, *unchanged]),
        (2, [first]) => Stored::Batch(*first),
        // The movement of each line, the stock and the price.
        (3, lines) => Stored::Count(lines.chunks(3).map(|line| (line[0], line[1])).collect()),
        (4, [first, count]) => Stored::Undo(*first, *count),
        // With the discontinued products, and the changes of terms.
        (6, [created, updated, unchanged, ..]) => Stored::Import([*created, *updated, *unchanged]),
        _ => panic!("{result:?}"),
    }
}
