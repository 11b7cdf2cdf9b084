//! How purchases are read, and their suppliers, lots and expiries.

use std::ops::RangeInclusive;

use rusqlite::{Connection, OptionalExtension};

use super::SqliteLedger;
use crate::catalog::parse_expiry;
use crate::store::sqlite::details::read_purchase;
use crate::store::sqlite::error::bad_value;
use crate::store::sqlite::rows::{from_micros, read_id, read_quantity};
use crate::store::{Expiry, Origin, PurchaseQuery, PurchaseReads, PurchaseRow, StoreError};

impl PurchaseReads for SqliteLedger {
    fn purchases(&self, query: &PurchaseQuery) -> Result<Vec<PurchaseRow>, StoreError> {
        self.read(|connection| purchases(connection, query))
    }

    fn suppliers(&self, after: &str, count_max: usize) -> Result<Vec<String>, StoreError> {
        self.read(|connection| suppliers(connection, after, count_max))
    }

    fn of_origin(
        &self,
        origin: Origin<'_>,
        range: RangeInclusive<i64>,
        count_max: usize,
    ) -> Result<Vec<i64>, StoreError> {
        self.read(|connection| of_origin(connection, origin, &range, count_max))
    }

    fn lots(&self, after: &(String, i64), count_max: usize) -> Result<Vec<(String, i64)>, StoreError> {
        self.read(|connection| lots(connection, after, count_max))
    }

    fn expiries(&self, range: RangeInclusive<i64>, count_max: usize) -> Result<Vec<Expiry>, StoreError> {
        self.read(|connection| expiries(connection, &range, count_max))
    }
}

/// Purchases that were not undone, in the columns that [`read_purchase`] reads and some more.
const SELECT: &str = "SELECT supplier, lot, expires_on, invoice, item, pack_thousandths,
           purchase.sequence, purchase.product_id, recorded_at_micros, delta_thousandths
    FROM purchase JOIN movement ON movement.sequence = purchase.sequence
    WHERE purchase.sequence <= ?1
      AND NOT EXISTS (SELECT 1 FROM undo WHERE undone = purchase.sequence AND by_sequence <= ?2)";

/// Reads purchases, newest first.
fn purchases(connection: &Connection, query: &PurchaseQuery) -> rusqlite::Result<Vec<PurchaseRow>> {
    let PurchaseQuery { product, start, through, count_max } = *query;
    // SQLite reads all rows with -1.
    let count_max = count_max.map_or(-1, |count_max| count_max as i64);
    let product_number = product.map_or(0, |product| product.number());
    let of_product = if product.is_some() { "AND purchase.product_id = ?4" } else { "AND ?4 = 0" };
    let mut select = connection
        .prepare_cached(&format!("{SELECT} {of_product} ORDER BY purchase.sequence DESC LIMIT ?3"))?;
    let rows = select.query_map((start.min(through), through, count_max, product_number), |row| {
        Ok(PurchaseRow {
            sequence: row.get(6)?,
            product: read_id(row, 7)?,
            recorded_at: from_micros(row.get(8)?),
            bought: read_quantity(row, 9)?,
            purchase: read_purchase(row)?,
        })
    })?;
    rows.collect()
}

/// Reads the keys of suppliers. Each is looked up in the index from the one before, so that the purchases of
/// one supplier are not read.
fn suppliers(connection: &Connection, after: &str, count_max: usize) -> rusqlite::Result<Vec<String>> {
    let mut next =
        connection.prepare_cached("SELECT min(supplier_key) FROM purchase WHERE supplier_key > ?1")?;
    let mut keys: Vec<String> = Vec::new();
    while keys.len() < count_max {
        let last = keys.last().map_or(after, String::as_str);
        let Some(key) = next.query_row([last], |row| row.get(0)).optional()?.flatten() else { break };
        keys.push(key);
    }
    Ok(keys)
}

/// Reads the numbers of the purchases of an origin, newest first, from its index.
fn of_origin(
    connection: &Connection,
    origin: Origin<'_>,
    range: &RangeInclusive<i64>,
    count_max: usize,
) -> rusqlite::Result<Vec<i64>> {
    let (column, value) = origin.column();
    let mut select = connection.prepare_cached(&format!(
        "SELECT sequence FROM purchase WHERE {column} = ?1 AND sequence >= ?2 AND sequence <= ?3
         ORDER BY sequence DESC LIMIT ?4",
    ))?;
    let numbers =
        select.query_map((value, range.start(), range.end(), count_max as i64), |row| row.get(0))?;
    numbers.collect()
}

/// Reads lots from the index of them, which has no other column.
fn lots(
    connection: &Connection,
    (after, sequence): &(String, i64),
    count_max: usize,
) -> rusqlite::Result<Vec<(String, i64)>> {
    let mut select = connection.prepare_cached(
        "SELECT lot, sequence FROM purchase WHERE lot IS NOT NULL AND (lot, sequence) > (?1, ?2)
         ORDER BY lot, sequence LIMIT ?3",
    )?;
    let lots = select.query_map((after, sequence, count_max as i64), |row| Ok((row.get(0)?, row.get(1)?)))?;
    lots.collect()
}

/// Reads the expiries of a range.
fn expiries(
    connection: &Connection,
    range: &RangeInclusive<i64>,
    count_max: usize,
) -> rusqlite::Result<Vec<Expiry>> {
    let mut select = connection.prepare_cached(
        "SELECT sequence, product_id, expires_on FROM purchase
         WHERE sequence >= ?1 AND sequence <= ?2 AND expires_on IS NOT NULL ORDER BY sequence LIMIT ?3",
    )?;
    let expiries = select.query_map((range.start(), range.end(), count_max as i64), |row| {
        let expires_on = parse_expiry(row.get_ref(2)?.as_str()?).map_err(|error| bad_value(2, error))?;
        Ok(Expiry { sequence: row.get(0)?, product: read_id(row, 1)?, expires_on })
    })?;
    expiries.collect()
}
