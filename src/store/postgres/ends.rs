//! The ends of the ledger and of the changes of terms: what of a shop is stored.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

use uuid::Uuid;

use super::error::Failure;
use super::rows::product_number;
use super::session::Session;
use crate::catalog::{Movement, ProductChange, Transaction};

/// The last movement of a shop.
const SELECT_END: &str = "SELECT last FROM journal WHERE shop = $1 ORDER BY shop DESC, first DESC LIMIT 1";

/// The last change of terms of a shop.
const SELECT_LAST_CHANGE: &str = "SELECT coalesce(max(number), 0) FROM product_change WHERE shop = $1";

/// The ends of a shop, with a commit that changes nothing. The engine makes the commit as a change, so only if no
/// other one has replaced it, and after all that the statement sees. The commit takes a turn, because one that waits for
/// a standby in vain keeps its connection of the engine although its client has gone; those that wait for the turn end.
const SELECT_CONFIRMED: &str = "SELECT
        coalesce((SELECT last FROM journal WHERE shop = $1 ORDER BY shop DESC, first DESC LIMIT 1), 0),
        coalesce((SELECT number FROM product_change WHERE shop = $1 ORDER BY shop DESC, number DESC LIMIT 1), 0)
     FROM pg_advisory_xact_lock($2), pg_logical_emit_message(true, 'hortifruti', ''::text)";

/// The turns of one server: as many as it has connections that read.
const TURNS: i64 = 4;

/// The turn of the first confirmation: any number that other servers are unlikely to use.
static FIRST_TURN: LazyLock<i64> = LazyLock::new(|| Uuid::now_v7().as_u64_pair().1.cast_signed());

/// The time of a movement.
const SELECT_TIME: &str =
    "SELECT recorded_at FROM journal WHERE shop = $1 AND first <= $2 ORDER BY shop DESC, first DESC LIMIT 1";

/// The last movement and the last change of terms that are known to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ends {
    pub(super) movement: i64,
    pub(super) change: i64,
}

impl Ends {
    /// The ends after a transaction.
    pub(super) fn after(self, transaction: &Transaction) -> Self {
        Self {
            movement: transaction.movements.last().map_or(self.movement, |movement| movement.sequence),
            change: transaction.changes.last().map_or(self.change, |change| change.number),
        }
    }

    /// Reads the ends of a shop.
    pub(super) async fn read(session: &Session, shop: i32) -> Result<Self, Failure> {
        let end = session.query_opt(SELECT_END, &[&shop]).await?;
        let movement = end.map_or(Ok(0), |row| row.try_get(0))?;
        Ok(Self { movement, change: session.query_one(SELECT_LAST_CHANGE, &[&shop]).await?.try_get(0)? })
    }
}

/// Reads the ends of a shop, and makes sure that no later engine lacks what is stored up to them. The statement must
/// be run as a change.
pub(super) async fn confirmed(session: &Session, shop: i32) -> Result<Ends, Failure> {
    static COUNT: AtomicI64 = AtomicI64::new(0);
    let turn = FIRST_TURN.wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed) % TURNS);
    let ends = session.query_one(SELECT_CONFIRMED, &[&shop, &turn]).await?;
    Ok(Ends { movement: ends.try_get(0)?, change: ends.try_get(1)? })
}

/// The time at which a movement was recorded; `None` if the ledger has none up to it.
pub(super) async fn time_of(
    session: &Session,
    shop: i32,
    sequence: i64,
) -> Result<Option<SystemTime>, Failure> {
    let found = session.query_opt(SELECT_TIME, &[&shop, &sequence]).await?;
    Ok(found.map(|row| row.try_get(0)).transpose()?)
}

/// Whether these changes are stored by this server in this epoch or an earlier one. They are one transaction, so
/// looking into one table is enough.
pub(super) async fn holds(
    session: &Session,
    shop: i32,
    epoch: i64,
    transaction: &Transaction,
) -> Result<bool, Failure> {
    if let [first, .., last] | [first @ last] = transaction.movements.as_slice() {
        return holds_movements(session, shop, epoch, &transaction.movements, first, last).await;
    }
    if let Some(request) = transaction.requests.last() {
        let digest = request.digest.cast_signed();
        let select = "SELECT 1 FROM request WHERE shop = $1 AND request_id = $2 AND digest = $3";
        return Ok(session
            .query_opt(select, &[&shop, &request.request_id.as_str(), &digest])
            .await?
            .is_some());
    }
    if let Some(change) = transaction.changes.last() {
        return holds_change(session, shop, change).await;
    }
    // The changes only clear the mark of examples that are in a price list.
    let Some(product) = transaction.products.last() else { return Ok(true) };
    let select = "SELECT 1 FROM product_terms WHERE shop = $1 AND id = $2 AND example = $3";
    let is_example = product.flags.is_example();
    Ok(session.query_opt(select, &[&shop, &product_number(product.id), &is_example]).await?.is_some())
}

async fn holds_movements(
    session: &Session,
    shop: i32,
    epoch: i64,
    movements: &[Movement],
    first: &Movement,
    last: &Movement,
) -> Result<bool, Failure> {
    let select = "SELECT recorded_at, products, deltas, balances FROM journal
                  WHERE shop = $1 AND first >= $2 AND first <= $3 AND epoch = $4 ORDER BY first";
    let rows = session.query(select, &[&shop, &first.sequence, &last.sequence, &epoch]).await?;
    let mut stored: Vec<(SystemTime, i32, i64, i64)> = Vec::with_capacity(movements.len());
    for row in &rows {
        let recorded_at: SystemTime = row.try_get(0)?;
        let (products, deltas): (Vec<i32>, Vec<i64>) = (row.try_get(1)?, row.try_get(2)?);
        let balances: Vec<i64> = row.try_get(3)?;
        let each = products.into_iter().zip(deltas).zip(balances);
        stored.extend(each.map(|((product, delta), balance)| (recorded_at, product, delta, balance)));
    }
    Ok(stored.into_iter().eq(movements.iter().map(|it| {
        (it.recorded_at, product_number(it.product), it.delta.thousandths(), it.balance.thousandths())
    })))
}

async fn holds_change(session: &Session, shop: i32, change: &ProductChange) -> Result<bool, Failure> {
    let select = "SELECT 1 FROM product_change
                  WHERE shop = $1 AND number = $2 AND product = $3 AND field = $4 AND new_value = $5 AND recorded_at = $6";
    let (product, field) = (product_number(change.product), change.field.name());
    let found = session
        .query_opt(select, &[&shop, &change.number, &product, &field, &change.new, &change.recorded_at])
        .await?;
    Ok(found.is_some())
}
