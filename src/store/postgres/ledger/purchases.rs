//! How purchases are read, and their suppliers, lots and expiries.

use std::ops::RangeInclusive;

use tokio_postgres::Row;

use super::connections::PostgresLedger;
use super::rows::{PURCHASE_COLUMNS, read_day, read_purchase};
use crate::catalog::ProductId;
use crate::store::postgres::error::Failure;
use crate::store::postgres::rows::{product_number, read_product_id, read_quantity};
use crate::store::{Expiry, Origin, PurchaseQuery, PurchaseReads, PurchaseRow, StoreError};

/// The keys of suppliers. Each is looked up in the index from the one before, so that the purchases of one supplier
/// are not read.
const SELECT_SUPPLIERS: &str = "WITH RECURSIVE each (key, place) AS (
         (SELECT supplier_key, 1::int8 FROM purchase WHERE shop = $1 AND supplier_key > $2
          ORDER BY supplier_key LIMIT 1)
         UNION ALL
         SELECT next.supplier_key, place + 1 FROM each, LATERAL (
             SELECT supplier_key FROM purchase WHERE shop = $1 AND supplier_key > each.key
             ORDER BY supplier_key LIMIT 1
         ) AS next
         WHERE place < $3
     )
     SELECT key FROM each ORDER BY place";

const SELECT_LOTS: &str = "SELECT lot, sequence FROM purchase
     WHERE shop = $1 AND lot IS NOT NULL AND (lot, sequence) > ($2, $3) ORDER BY lot, sequence LIMIT $4";

const SELECT_EXPIRIES: &str = "SELECT sequence, product, expires_on - DATE '2000-01-01' FROM purchase
     WHERE shop = $1 AND sequence >= $2 AND sequence <= $3 AND expires_on IS NOT NULL
     ORDER BY sequence LIMIT $4";

impl PurchaseReads for PostgresLedger {
    fn purchases(&self, query: &PurchaseQuery) -> Result<Vec<PurchaseRow>, StoreError> {
        let PurchaseQuery { product, start, through, count_max } = *query;
        // A limit of NULL reads all rows.
        let count_max = count_max.map(|count_max| count_max as i64);
        let product = product.map(product_number);
        let of_product = if product.is_some() { "product = $2" } else { "$2::int4 IS NULL" };
        let statement = format!(
            "SELECT {PURCHASE_COLUMNS}, sequence, product, recorded_at, bought FROM purchase
             WHERE shop = $1 AND {of_product} AND sequence <= $3 AND coalesce(
                 (SELECT by_sequence FROM undo WHERE shop = $1 AND undone = purchase.sequence) > $4, true)
             ORDER BY sequence DESC LIMIT $5"
        );
        self.read(async |session, shop| {
            let start = start.min(through);
            let rows = session.query(&statement, &[&shop, &product, &start, &through, &count_max]).await?;
            rows.iter().map(read_row).collect()
        })
    }

    fn suppliers(&self, after: &str, count_max: usize) -> Result<Vec<String>, StoreError> {
        self.read(async |session, shop| {
            let rows = session.query(SELECT_SUPPLIERS, &[&shop, &after, &(count_max as i64)]).await?;
            rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
        })
    }

    fn of_origin(
        &self,
        origin: Origin<'_>,
        range: RangeInclusive<i64>,
        count_max: usize,
    ) -> Result<Vec<i64>, StoreError> {
        let (column, value) = origin.column();
        let statement = format!(
            "SELECT sequence FROM purchase WHERE shop = $1 AND {column} = $2 AND sequence >= $3 AND sequence <= $4
             ORDER BY sequence DESC LIMIT $5"
        );
        self.read(async |session, shop| {
            let (first, last) = (range.start(), range.end());
            let rows = session.query(&statement, &[&shop, &value, first, last, &(count_max as i64)]).await?;
            rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
        })
    }

    fn lots(&self, after: &(String, i64), count_max: usize) -> Result<Vec<(String, i64)>, StoreError> {
        let (after, sequence) = after;
        self.read(async |session, shop| {
            let rows = session.query(SELECT_LOTS, &[&shop, after, sequence, &(count_max as i64)]).await?;
            rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
        })
    }

    fn expiries(&self, range: RangeInclusive<i64>, count_max: usize) -> Result<Vec<Expiry>, StoreError> {
        self.read(async |session, shop| {
            let (first, last) = (range.start(), range.end());
            let rows = session.query(SELECT_EXPIRIES, &[&shop, first, last, &(count_max as i64)]).await?;
            let expiry = |row: &Row| {
                let product = read_product_id(row.try_get(1)?)?;
                Ok(Expiry { sequence: row.try_get(0)?, product, expires_on: read_day(row.try_get(2)?)? })
            };
            rows.iter().map(expiry).collect()
        })
    }
}

fn read_row(row: &Row) -> Result<PurchaseRow, Failure> {
    let product: ProductId = read_product_id(row.try_get(7)?)?;
    Ok(PurchaseRow {
        sequence: row.try_get(6)?,
        product,
        recorded_at: row.try_get(8)?,
        bought: read_quantity(row.try_get(9)?)?,
        purchase: read_purchase(row)?,
    })
}
