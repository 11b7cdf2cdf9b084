//! Brings balances forward: with them a start finds every stock without reading the whole ledger.
//!
//! No commit writes a balance. From time to time a thread of its own reads the movements since the last time, over a
//! connection of its own, and writes the balances that they lead to. These follow from the ledger, so nothing is lost
//! if it fails.

use std::collections::HashMap;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use foldhash::fast::FixedState;
use tokio_postgres::Row;

use super::address::Address;
use super::connect::{Link, Purpose};
use super::error::{Failure, bad_value};
use super::request_ids::Writer;
use super::rows::{product_number, read_product_id, read_quantity};
use super::session::Session;
use crate::catalog::{Balance, Balances, Cost, ProductId, Quantity, StockCost};
use crate::store::StoreError;

/// Movements after which balances are brought forward. A start reads so many in some tenths of a second.
const FORWARD_AFTER: i64 = 65_536;

/// The time after which fewer movements are brought forward, and after which a failure is tried again.
const FORWARD_EVERY: Duration = Duration::from_secs(60);

/// How long one transaction may take. With a million products it writes many pages.
const ROUND_TIME_MAX: Duration = Duration::from_secs(600);

/// The movements of a part of the journal, as [`moved`] reads them.
pub(super) const SELECT_MOVED: &str =
    "SELECT first, last, recorded_at, products, deltas, balances, costs FROM journal
     WHERE shop = $1 AND first > $2 AND first <= $3 ORDER BY first";

/// The movements of a range that undo others, in order.
pub(super) const SELECT_UNDOING: &str = "SELECT by_sequence FROM undo
     WHERE shop = $1 AND by_sequence > $2 ORDER BY by_sequence";

const SELECT_BALANCES: &str = "SELECT product, stock, last_sequence, stock_cost FROM balance_forward
     WHERE shop = $1 AND product = ANY ($2)";

const WRITE_BALANCES: &str = "INSERT INTO balance_forward (shop, product, stock, last_sequence, stock_cost)
     SELECT $1::int4, * FROM unnest($2::int4[], $3::int8[], $4::int8[], $5::int8[])
     ON CONFLICT (shop, product) DO UPDATE
     SET stock = excluded.stock, last_sequence = excluded.last_sequence, stock_cost = excluded.stock_cost";

/// The progress of bringing balances forward.
pub(super) struct Forward {
    working: Option<JoinHandle<Option<i64>>>,
    /// The end of the last work.
    rested_since: Instant,
    /// The last movement that the balances are known to cover.
    through: i64,
    has_failed: bool,
}

impl Forward {
    pub(super) fn new() -> Self {
        Self { working: None, rested_since: Instant::now(), through: 0, has_failed: false }
    }

    /// Begins to bring balances forward if that is due. Waits for nothing.
    pub(super) fn tidy(&mut self, link: &Link, writer: &Writer<'_>) {
        if let Some(thread) = self.working.take_if(|thread| thread.is_finished()) {
            let through = thread.join().ok().flatten();
            self.has_failed = through.is_none();
            self.through = through.unwrap_or(self.through);
            self.rested_since = Instant::now();
        }
        let waiting = writer.last_sequence - self.through;
        let has_rested = self.rested_since.elapsed() >= FORWARD_EVERY;
        let is_due = waiting > 0 && has_rested || waiting >= FORWARD_AFTER && !self.has_failed;
        if self.working.is_some() || !is_due {
            return;
        }
        let (address, timeline_min) = (writer.address.clone(), link.place().timeline);
        let (shop, epoch) = (writer.shop, writer.epoch);
        let work = move || match bring_forward(&address, timeline_min, (shop, epoch)) {
            Ok(through) => Some(through),
            Err(error) => {
                tracing::warn!(%error, "balances could not be brought forward; the next start reads more of the ledger");
                None
            }
        };
        // Without a thread, the next call tries again.
        self.working = thread::Builder::new().spawn(work).ok();
    }
}

/// Brings all balances forward. Returns the last movement that they cover.
fn bring_forward(address: &Address, timeline_min: u32, writer: (i32, i64)) -> Result<i64, StoreError> {
    let mut link = Link::open(address, Purpose::Write { timeline_min })?;
    loop {
        let done = link.change(ROUND_TIME_MAX, async |session| round(session, writer).await);
        let (from, through) = done.map_err(|failure| failure.into_error("mudar", address))?;
        if through - from < FORWARD_AFTER {
            return Ok(through);
        }
    }
}

/// Brings balances some movements forward, in one transaction. The epoch is checked last, because until the end of
/// the transaction no other server can take the lease. Returns the last movements that the balances covered before
/// and after.
async fn round(session: &Session, (shop, epoch): (i32, i64)) -> Result<(i64, i64), Failure> {
    session.client().batch_execute("BEGIN").await?;
    let from =
        session.query_one("SELECT sequence FROM forwarded WHERE shop = $1 FOR UPDATE", &[&shop]).await?;
    let from: i64 = from.try_get(0)?;
    let rows = session.query(SELECT_MOVED, &[&shop, &from, &(from + FORWARD_AFTER)]).await?;
    let through = rows.last().map_or(Ok(from), |row| row.try_get(1))?;
    let undoing = session.query(SELECT_UNDOING, &[&shop, &from]).await?;
    let undoing = undoing.iter().map(|row| Ok(row.try_get(0)?)).collect::<Result<Vec<i64>, Failure>>()?;
    let mut all = Vec::new();
    for row in &rows {
        all.extend(moved(row, &undoing)?);
    }
    let mut balances = read_balances(session, shop, &all).await?;
    for moved in all {
        let before = balances.get(&moved.product).copied().unwrap_or(Balance::NONE);
        if let Some(after) = moved.after(before)? {
            balances.insert(moved.product, after);
        }
    }
    write_balances(session, shop, &balances).await?;
    let forward = "UPDATE forwarded SET sequence = $2 WHERE shop = $1";
    session.execute(forward, &[&shop, &through]).await?;
    session.execute("SELECT fence($1, $2)", &[&shop, &epoch]).await?;
    session.client().batch_execute("COMMIT").await?;
    Ok((from, through))
}

async fn read_balances(session: &Session, shop: i32, all: &[Moved]) -> Result<Balances, Failure> {
    let products: HashMap<i32, (), FixedState> =
        all.iter().map(|moved| (product_number(moved.product), ())).collect();
    let products: Vec<i32> = products.into_keys().collect();
    let rows = session.query(SELECT_BALANCES, &[&shop, &products]).await?;
    let balance = |row: &Row| {
        let stock = read_quantity(row.try_get(1)?)?;
        let stock_cost = StockCost::of_stored(stock, row.try_get(3)?)
            .ok_or_else(|| bad_value("um saldo tem um custo que não pode ser"))?;
        let balance = Balance { stock, last_movement: row.try_get(2)?, stock_cost };
        Ok((read_product_id(row.try_get(0)?)?, balance))
    };
    rows.iter().map(balance).collect()
}

/// Writes balances of products.
pub(super) async fn write_balances(session: &Session, shop: i32, balances: &Balances) -> Result<(), Failure> {
    // In the order of the products, so that neighbours share a page.
    let mut balances: Vec<_> = balances.iter().collect();
    balances.sort_unstable_by_key(|(product, _)| **product);
    let ids: Vec<i32> = balances.iter().map(|(product, _)| product_number(**product)).collect();
    let stocks: Vec<i64> = balances.iter().map(|(_, balance)| balance.stock.thousandths()).collect();
    let last: Vec<i64> = balances.iter().map(|(_, balance)| balance.last_movement).collect();
    let costs: Vec<Option<i64>> = balances.iter().map(|(_, balance)| balance.stock_cost.centavos()).collect();
    session.execute(WRITE_BALANCES, &[&shop, &ids, &stocks, &last, &costs]).await.map(drop)
}

/// A movement, as far as the balance of its product is concerned.
pub(super) struct Moved {
    pub(super) product: ProductId,
    pub(super) sequence: i64,
    stock: Quantity,
    cost: Option<Cost>,
    /// Whether the movement takes back what another one brought.
    is_taken_back: bool,
}

impl Moved {
    /// The balance after the movement; `None` if the balance before was brought further already.
    pub(super) fn after(&self, before: Balance) -> Result<Option<Balance>, Failure> {
        let Self { sequence, stock, cost, is_taken_back, .. } = *self;
        if sequence <= before.last_movement {
            return Ok(None);
        }
        let stock_cost = before.stock_cost.after(cost, stock, || is_taken_back);
        let stock_cost = stock_cost
            .ok_or_else(|| bad_value(format!("o custo do movimento {sequence} não cabe no estoque")))?;
        Ok(Some(Balance { stock, last_movement: sequence, stock_cost }))
    }
}

/// The movements of a row of [`SELECT_MOVED`]. `undoing` has the movements that undo others, in order.
pub(super) fn moved(row: &Row, undoing: &[i64]) -> Result<Vec<Moved>, Failure> {
    let (first, products): (i64, Vec<i32>) = (row.try_get(0)?, row.try_get(3)?);
    let (deltas, balances): (Vec<i64>, Vec<i64>) = (row.try_get(4)?, row.try_get(5)?);
    let costs: Option<Vec<Option<i64>>> = row.try_get(6)?;
    let each = products.into_iter().zip(deltas).zip(balances).enumerate();
    let moved = each.map(|(index, ((product, delta), balance))| {
        let sequence = first + index as i64;
        Ok(Moved {
            product: read_product_id(product)?,
            sequence,
            stock: read_quantity(balance)?,
            cost: costs.as_ref().and_then(|costs| *costs.get(index)?).map(Cost::from_centavos),
            is_taken_back: delta < 0 && undoing.binary_search(&sequence).is_ok(),
        })
    });
    moved.collect()
}
