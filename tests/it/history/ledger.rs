//! The ledger of a shop, read from its database as any other program could.

use rusqlite::Connection;
use serde::Deserialize;

use super::{Kind, Ledger, Row, Stock, Stored, product_named};
use crate::support::Server;
use crate::support::postgres;

/// What the database holds; the server may run.
pub(crate) fn read_ledger(server: &Server) -> Ledger {
    match server.data() {
        Some(address) => read_postgres(address),
        None => read_sqlite(server),
    }
}

fn read_sqlite(server: &Server) -> Ledger {
    let mut database = Connection::open_with_flags(
        server.path().join("hortifruti.db"),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
    )
    .unwrap();
    // One moment for all that is read.
    let moment = database.transaction().unwrap();
    let numbers = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let columns = Columns {
        products: all(&moment, "SELECT id, name, stock_thousandths FROM product ORDER BY id", |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        }),
        movements: all(
            &moment,
            "SELECT sequence, product_id, delta_thousandths, balance_thousandths, kind, request_id
             FROM movement ORDER BY sequence",
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?)),
        ),
        requests: all(&moment, "SELECT request_id, hex(result) FROM request", |row| {
            Ok((row.get(0)?, row.get(1)?))
        }),
        documents: all(&moment, "SELECT first_sequence, count FROM document", numbers),
        undos: all(&moment, "SELECT undone, by_sequence FROM undo", numbers),
    };
    columns.ledger(moment.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap())
}

/// Every row of a query.
fn all<T>(
    database: &Connection,
    query: &str,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Vec<T> {
    database.prepare(query).unwrap().query_map([], read).unwrap().map(Result::unwrap).collect()
}

/// One statement, which sees one moment.
fn read_postgres(address: &str) -> Ledger {
    let shop = postgres::shop_of(address);
    let rows = |columns: &str, from: &str, order: &str| {
        format!(
            "(SELECT coalesce(json_agg(json_build_array({columns}) ORDER BY {order}), '[]')
              FROM {from} WHERE shop = own.id)"
        )
    };
    let movement = "sequence, product, delta_thousandths, balance_thousandths, kind, request_id";
    let documents = "hortifruti.journal, unnest(document_offsets, document_counts) AS each (place, count)";
    let statement = format!(
        "SELECT json_build_object('products', {}, 'movements', {}, 'requests', {}, 'documents', {}, 'undos', {})
         FROM hortifruti.shop AS own WHERE name = '{shop}'",
        rows("id, name, stock_thousandths", "hortifruti.product", "id"),
        rows(movement, "hortifruti.movement", "sequence"),
        rows("request_id, encode(result, 'hex')", "hortifruti.request", "request_id"),
        rows("first + place, count", documents, "first + place"),
        rows("undone, by_sequence", "hortifruti.undo", "undone"),
    );
    let columns: Columns = serde_json::from_str(&postgres::ask(address, &statement)).unwrap();
    columns.ledger("ok".to_owned())
}

/// The rows of the tables, column by column.
#[derive(Deserialize)]
struct Columns {
    /// The number, the name and the stock.
    products: Vec<(i64, String, i64)>,
    /// The sequence, the product, the delta, the balance, the kind and the request id.
    movements: Vec<(i64, i64, i64, i64, String, Option<String>)>,
    /// The id, and the result in hexadecimal digits.
    requests: Vec<(String, String)>,
    documents: Vec<(i64, i64)>,
    undos: Vec<(i64, i64)>,
}

impl Columns {
    fn ledger(self, integrity: String) -> Ledger {
        let named = |name: &str| product_named(name).unwrap_or_else(|| panic!("nobody imported {name}"));
        let products: Vec<(i64, Stock)> = self
            .products
            .iter()
            .map(|(id, name, balance)| (*id, Stock { product: named(name), balance: *balance }))
            .collect();
        let row = |(sequence, product, delta, balance, kind, request_id): (_, i64, _, _, String, _)| Row {
            sequence,
            product: products.iter().find(|(id, _)| *id == product).unwrap().1.product,
            delta,
            balance,
            kind: match kind.as_str() {
                "abertura" => Kind::Opening,
                "contagem" => Kind::Count,
                _ => Kind::Change,
            },
            request_id,
        };
        Ledger {
            integrity,
            rows: self.movements.into_iter().map(row).collect(),
            requests: self
                .requests
                .into_iter()
                .map(|(id, result)| (id, bytes(&result)))
                .filter(|(_, result)| result[0] != IMPORT_MADE)
                .map(|(id, result)| (id, stored(&result)))
                .collect(),
            documents: self.documents,
            undos: self.undos,
            stocks: products.into_iter().map(|(_, stock)| stock).collect(),
        }
    }
}

/// The first byte of what an import changed, which the server keeps under an id of its own, and no client asked for.
const IMPORT_MADE: u8 = 7;

/// The bytes that hexadecimal digits stand for.
fn bytes(digits: &str) -> Vec<u8> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    assert_eq!(rest, b"", "{digits}");
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    pairs.iter().map(byte).collect()
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
