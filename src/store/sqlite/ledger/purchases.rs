//! How purchases are read, newest first: those of one product, or of all.

use rusqlite::Connection;

use crate::store::sqlite::details::read_purchase;
use crate::store::sqlite::rows::{from_micros, read_id, read_quantity};
use crate::store::{PurchaseQuery, PurchaseRow};

/// Purchases that were not undone, in the columns that [`read_purchase`] reads and some more.
const SELECT: &str = "SELECT supplier, lot, expires_on, purchase.sequence, purchase.product_id,
           recorded_at_micros, delta_thousandths
    FROM purchase JOIN movement ON movement.sequence = purchase.sequence
    WHERE purchase.sequence <= ?1
      AND NOT EXISTS (SELECT 1 FROM undo WHERE undone = purchase.sequence AND by_sequence <= ?2)";

/// Reads purchases, newest first.
pub(super) fn purchases(
    connection: &Connection,
    query: &PurchaseQuery,
) -> rusqlite::Result<Vec<PurchaseRow>> {
    let PurchaseQuery { product, start, through, count_max } = *query;
    // SQLite reads all rows with -1.
    let count_max = count_max.map_or(-1, |count_max| count_max as i64);
    let product_number = product.map_or(0, |product| product.number());
    let of_product = if product.is_some() { "AND purchase.product_id = ?4" } else { "AND ?4 = 0" };
    let mut select = connection
        .prepare_cached(&format!("{SELECT} {of_product} ORDER BY purchase.sequence DESC LIMIT ?3"))?;
    let rows = select.query_map((start.min(through), through, count_max, product_number), |row| {
        Ok(PurchaseRow {
            sequence: row.get(3)?,
            product: read_id(row, 4)?,
            recorded_at: from_micros(row.get(5)?),
            bought: read_quantity(row, 6)?,
            purchase: read_purchase(row)?,
        })
    })?;
    rows.collect()
}
