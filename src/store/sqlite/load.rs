//! Reads the catalog from the database.

use std::time::SystemTime;

use rusqlite::Connection;

use super::checkpoint::Checkpoint;
use super::rows::{read_last_time, read_product};
use crate::catalog::{Balance, Product};

/// The products with their present stocks, the checkpoint, and the time of the last movement.
pub(super) fn read_catalog(
    connection: &Connection,
) -> rusqlite::Result<(Vec<Product>, Checkpoint, Option<SystemTime>)> {
    let checkpoint = Checkpoint::read(connection)?;
    let mut statement = connection.prepare(
        "SELECT id, name, unit, price_centavos, coalesce(stock_thousandths, 0),
                coalesce(last_sequence, 0)
         FROM product_terms LEFT JOIN balance_forward ON product_id = id ORDER BY id",
    )?;
    let products = statement.query_map([], |row| {
        let mut product = read_product(row)?;
        if let Some(balance) = checkpoint.balance(product.id) {
            Balance { stock: product.stock, last_movement: product.last_movement } = balance;
        }
        Ok(product)
    })?;
    let products = products.collect::<rusqlite::Result<_>>()?;
    Ok((products, checkpoint, read_last_time(connection)?))
}
