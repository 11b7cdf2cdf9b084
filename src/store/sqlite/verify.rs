//! Verifies a database: runs SQLite's own check, replays the ledger and compares the result with the stocks
//! that a server would show. Nothing is changed, and a server may use the database during the check.

mod details;
mod links;

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rusqlite::{Connection, OpenFlags, Transaction, params};

use super::connect::connect;
use super::details::Authors;
use super::error::{corrupt, io, sqlite};
use super::load::read_catalog;
use super::lock::{read_note, refuse_other_name};
use super::log_check::check_log;
use super::names::{LOCK_SUFFIX, beside, exists, place};
use super::request_ids::RequestIds;
use super::rows::{SELECT_MOVEMENTS, read_movement, read_request};
use super::schema::{SCHEMA_VERSION, check_header, check_keys};
use super::terms::check_changes;
use crate::catalog::{
    Balance, Cost, Kind, LookAlikes, Movement, ProductId, Products, Quantity, RequestId, RequestIdError,
    StockCost,
};
use crate::private_file;
use crate::store::StoreError;

/// Movements between two progress reports.
const REPORTED_EVERY: i64 = 1024;

/// A step of a check or a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Pages are copied.
    Copy,
    /// SQLite checks every page.
    Pages,
    /// The ledger is replayed.
    Ledger,
}

/// A function that is called with the progress of a step: how much is done, and of how much.
pub(super) type Report<'a> = &'a mut dyn FnMut(Step, u64, u64);

/// The content of a database that passed the check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The count of products.
    pub products: u64,
    /// The count of those that are discontinued.
    pub discontinued: u64,
    /// The count of rows of the ledger.
    pub movements: u64,
    /// The count of stored request ids.
    pub request_ids: u64,
    /// The count of movements with an earlier time than the previous one. They are no fault: earlier
    /// versions followed a clock that was set back.
    pub earlier_movements: u64,
    /// The pairs of products whose names look the same.
    pub look_alikes: Vec<LookAlikes>,
}

/// Checks one moment of a database or of a copy of one. Calls `report` with the progress of each step.
///
/// # Errors
/// If the database cannot be read, is not of this program, or is damaged. The error names the place.
pub fn verify(path: &Path, report: &mut dyn FnMut(Step, u64, u64)) -> Result<Verified, StoreError> {
    let mut source = Source::open(path, SCHEMA_VERSION..=SCHEMA_VERSION)?;
    let moment = source.moment()?;
    check(&moment, path, report)
}

/// A database that is only read.
pub(super) struct Source {
    pub(super) path: PathBuf,
    connection: Connection,
}

impl Source {
    /// Opens an existing database of one of these schema versions.
    pub(super) fn open(path: &Path, versions: RangeInclusive<i32>) -> Result<Self, StoreError> {
        let path = place(path)?;
        if !exists(&path)? {
            return Err(io("abrir", &path)(std::io::ErrorKind::NotFound.into()));
        }
        // A running server has checked the log and is writing it. Without one, the log is checked before
        // SQLite opens it and drops its invalid part. The lock keeps a server from starting in between.
        let lock = private_file::open_to_read(&beside(&path, LOCK_SUFFIX)).ok();
        if lock.as_ref().is_none_or(|lock| lock.try_lock_shared().is_ok()) {
            refuse_other_name(&path)?;
            check_log(&path, &lock.as_ref().map(read_note).unwrap_or_default())?;
        }
        let connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        check_header(&connection, &path, versions)?;
        Ok(Self { path, connection })
    }

    /// The version of the database's schema.
    pub(super) fn version(&self) -> Result<i32, StoreError> {
        let version = self.connection.pragma_query_value(None, "user_version", |row| row.get(0));
        version.map_err(sqlite("ler", &self.path))
    }

    /// A read transaction, which sees one moment of the database even if a server writes.
    pub(super) fn moment(&mut self) -> Result<Transaction<'_>, StoreError> {
        let failed = sqlite("ler", &self.path);
        let moment = self.connection.transaction().map_err(&failed)?;
        // SQLite fixes the moment at the first read.
        moment.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(&failed)?;
        Ok(moment)
    }
}

/// Checks the database in a read transaction.
pub(super) fn check(moment: &Connection, path: &Path, report: Report<'_>) -> Result<Verified, StoreError> {
    let failed = sqlite("conferir", path);
    let corrupt = |reason| corrupt(path, reason);
    report(Step::Pages, 0, 1);
    check_pages(moment, path)?;
    let (catalog, checkpoint) = read_catalog(moment).map_err(&failed)?;
    let catalog = catalog.map_err(corrupt)?;
    let movements = checkpoint.last_sequence();
    let index = RequestIds::read(moment).map_err(&failed)?;
    let replayed =
        replay(moment, catalog.products(), movements, &index, report).map_err(&failed)?.map_err(corrupt)?;
    links::check(moment, movements).map_err(&failed)?.map_err(corrupt)?;
    details::check(moment, movements).map_err(&failed)?.map_err(corrupt)?;
    let of_others = check_requests(moment, movements, &index).map_err(&failed)?.map_err(corrupt)?;
    let request_ids = replayed.request_ids + of_others;
    let count = catalog.products().len() as u64;
    check_keys(moment, &catalog).map_err(&failed)?.map_err(corrupt)?;
    check_changes(moment, &catalog).map_err(&failed)?.map_err(corrupt)?;
    let discontinued = catalog.products().iter().filter(|it| it.flags.is_discontinued()).count() as u64;
    let look_alikes = catalog.look_alikes().to_vec();
    Ok(Verified {
        products: count,
        discontinued,
        movements: movements.unsigned_abs(),
        request_ids,
        earlier_movements: replayed.earlier_movements,
        look_alikes,
    })
}

/// Runs SQLite's own check of every page.
pub(super) fn check_pages(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let said = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0));
    match said.map_err(sqlite("conferir", path))?.as_str() {
        "ok" => Ok(()),
        said => Err(corrupt(path, said.to_owned())),
    }
}

/// The counts of a replay without errors.
#[derive(Default)]
struct Replayed {
    /// The count of movements that have a request id.
    request_ids: u64,
    earlier_movements: u64,
}

/// Replays the whole ledger and compares the balances with the products that a server would show. The inner
/// error describes the first contradiction.
fn replay(
    moment: &Connection,
    products: &Products,
    last: i64,
    index: &RequestIds,
    report: Report<'_>,
) -> rusqlite::Result<Result<Replayed, String>> {
    let mut balances: HashMap<ProductId, Balance> = HashMap::with_capacity(products.len());
    let (mut sequence, mut time, mut replayed) = (0, SystemTime::UNIX_EPOCH, Replayed::default());
    let undos = links::undos(moment)?;
    let mut undos = undos.into_iter().peekable();
    let mut statement = moment.prepare(SELECT_MOVEMENTS)?;
    // From the least possible number, so that rows before the first movement are found, too.
    let mut authors = Authors::new(moment);
    for movement in statement.query_map([i64::MIN, -1], |row| read_movement(row, &mut authors))? {
        let movement = movement?;
        if movement.sequence != sequence + 1 {
            return Ok(Err(format!("ao movimento {sequence} segue o {}", movement.sequence)));
        }
        sequence = movement.sequence;
        let is_undo = undos.next_if(|undo| undo.by == sequence).is_some();
        let before = balances.get(&movement.product).copied();
        let after = match contradiction(&movement, before, is_undo) {
            Some(reason) => Err(reason),
            None => {
                cost_after(&movement, before, is_undo).ok_or("não leva do custo anterior do estoque ao seu")
            }
        };
        let stock_cost = match after {
            Ok(stock_cost) => stock_cost,
            Err(reason) => return Ok(Err(format!("o movimento {sequence} {reason}"))),
        };
        let balance = Balance { stock: movement.balance, last_movement: sequence, stock_cost };
        balances.insert(movement.product, balance);
        if let Some(request_id) = &movement.request_id {
            if let Some(reason) = misplaced(moment, index, request_id, Some(sequence))? {
                return Ok(Err(reason));
            }
            replayed.request_ids += 1;
        }
        replayed.earlier_movements += u64::from(movement.recorded_at < time);
        time = movement.recorded_at;
        if sequence % REPORTED_EVERY == 0 {
            report(Step::Ledger, sequence.unsigned_abs(), last.unsigned_abs());
        }
    }
    for product in products.iter() {
        match balances.remove(&product.id) {
            Some(balance) if balance.stock == product.stock => {
                if balance.last_movement != product.last_movement {
                    let reason =
                        format!("o último movimento de {} não é o {}", product.name, product.last_movement);
                    return Ok(Err(reason));
                }
                if balance.stock_cost != product.stock_cost {
                    let shown = |cost: StockCost| {
                        cost.centavos().map_or("desconhecido".to_owned(), |it| it.to_string())
                    };
                    let reason = format!(
                        "o custo do estoque de {} é {}, e a soma dos custos dos seus movimentos {}",
                        product.name,
                        shown(product.stock_cost),
                        shown(balance.stock_cost)
                    );
                    return Ok(Err(reason));
                }
            }
            Some(Balance { stock: balance, .. }) => {
                let reason = format!(
                    "o estoque de {} é {}, e a soma dos seus movimentos {balance}",
                    product.name, product.stock
                );
                return Ok(Err(reason));
            }
            None => return Ok(Err(format!("{} não tem movimento de abertura", product.name))),
        }
    }
    Ok(match balances.into_keys().next() {
        Some(product) => Err(format!("há movimentos do produto {}, que não existe", product.number())),
        None => Ok(replayed),
    })
}

/// The contradiction between a movement and its product's previous balance, if there is one.
fn contradiction(movement: &Movement, before: Option<Balance>, is_undo: bool) -> Option<&'static str> {
    let is_opening = movement.kind == Kind::Opening && !is_undo;
    let Balance { stock, last_movement, .. } = before.unwrap_or(Balance::NONE);
    let sum = stock.thousandths().checked_add(movement.delta.thousandths());
    match before {
        None if !is_opening => Some("vem antes da abertura do seu produto"),
        Some(_) if is_opening => Some("abre um produto que já tinha movimentos"),
        _ if sum != Some(movement.balance.thousandths()) => {
            Some("tem um saldo diferente da soma do saldo anterior e da quantidade")
        }
        _ if movement.balance < Quantity::ZERO => Some("deixa o estoque abaixo de zero"),
        _ if !is_opening && movement.delta == Quantity::ZERO => Some("não muda nada"),
        _ if last_movement != movement.previous => Some("não aponta para o anterior do seu produto"),
        _ => None,
    }
}

/// The cost of a stock after a movement; `None` if the movement's cost is wrong. The costs of all movements of a
/// product add up to the cost of its stock, and to zero if that is unknown.
fn cost_after(movement: &Movement, before: Option<Balance>, is_undo: bool) -> Option<StockCost> {
    let before = before.unwrap_or(Balance::NONE);
    let takes = movement.delta < Quantity::ZERO;
    let centavos = movement.cost.map_or(0, Cost::centavos);
    let sum = before.stock_cost.centavos().unwrap_or(0).checked_add(centavos)?;
    let has_sign = if takes { centavos <= 0 } else { centavos >= 0 };
    // A movement without a cost leaves a known cost only if there was no stock.
    let has_cost = movement.cost.is_some() || sum == 0;
    let after = before.stock_cost.after(movement.cost, movement.balance, || takes && is_undo)?;
    (has_sign && has_cost && after.centavos().unwrap_or(0) == sum).then_some(after)
}

/// Checks the table of requests. Returns the count of requests; the inner error describes the first fault.
fn check_requests(
    moment: &Connection,
    last: i64,
    index: &RequestIds,
) -> rusqlite::Result<Result<u64, String>> {
    let mut count = 0;
    let mut statement = moment.prepare("SELECT request_id, after_sequence FROM request")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let request_id: RequestId = match row.get::<_, String>(0)?.parse() {
            Ok(request_id) => request_id,
            Err(error) => return Ok(Err(RequestIdError::to_string(&error))),
        };
        if !(0..=last).contains(&row.get(1)?) {
            return Ok(Err(format!("o pedido {request_id} não tem os seus movimentos")));
        }
        if let Some(reason) = misplaced(moment, index, &request_id, None)? {
            return Ok(Err(reason));
        }
        count += 1;
    }
    Ok(Ok(count))
}

/// The fault of the index if a retry with this id would not find its place, or would find a second one. The
/// place is a movement, or `None` for the table of requests.
fn misplaced(
    moment: &Connection,
    index: &RequestIds,
    request_id: &RequestId,
    place: Option<i64>,
) -> rusqlite::Result<Option<String>> {
    let (mut is_found, mut is_elsewhere) = (false, false);
    index.places(moment, &[request_id], |_, found| {
        if found == place {
            is_found = true;
            return Ok(());
        }
        is_elsewhere |= match found {
            Some(sequence) => moment
                .prepare_cached("SELECT count(*) FROM movement WHERE sequence = ?1 AND request_id = ?2")?
                .query_row(params![sequence, request_id.as_str()], |row| row.get(0))?,
            None => read_request(moment, request_id)?.is_some(),
        };
        Ok(())
    })?;
    Ok(match (is_found, is_elsewhere) {
        (true, false) => None,
        (false, _) => Some(format!("o identificador de pedido {request_id} não está no seu índice")),
        (true, true) => Some(stored_twice(request_id.as_str())),
    })
}

fn stored_twice(request_id: &str) -> String {
    format!("o identificador de pedido {request_id:?} foi gravado duas vezes")
}
