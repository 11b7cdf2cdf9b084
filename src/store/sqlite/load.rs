//! Reads the catalog from the database.

use rusqlite::Connection;

use super::checkpoint::Checkpoint;
use super::rows::{read_last_time, read_product};
use super::terms::{read_last_change, read_terms};
use crate::catalog::Catalog;

/// Reads the catalog and the checkpoint. The inner error describes a fault of the catalog.
pub(super) fn read_catalog(
    connection: &Connection,
) -> rusqlite::Result<(Result<Catalog, String>, Checkpoint)> {
    let checkpoint = Checkpoint::read(connection)?;
    let mut statement = connection.prepare(
        "SELECT id, name, unit, price_centavos, coalesce(stock_thousandths, 0),
                coalesce(last_sequence, 0), stock_cost_centavos
         FROM product_terms LEFT JOIN balance_forward ON product_id = id ORDER BY id",
    )?;
    let products = statement.query_map([], |row| {
        let mut product = read_product(row)?;
        if let Some(balance) = checkpoint.balance(product.id) {
            product.set_balance(balance);
        }
        Ok(product)
    })?;
    let products = products.collect::<rusqlite::Result<_>>()?;
    let catalog = Catalog::load(products, checkpoint.last_sequence(), read_last_time(connection)?);
    let (terms, last_change) = (read_terms(connection)?, read_last_change(connection)?);
    Ok((catalog.and_then(|catalog| catalog.with_terms(terms, last_change)), checkpoint))
}
