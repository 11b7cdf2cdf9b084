//! The tables of a database, their migrations, and the header that identifies a database of this program.

mod links;
mod terms;

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::path::Path;

use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, params};

use super::error::{not_ours, sqlite};
use crate::catalog::{Catalog, Key};
use crate::store::StoreError;

/// The application id of this program's databases: the letters `HFRT`.
pub(super) const APPLICATION_ID: i32 = 0x4846_5254;

/// The beginning of a SQLite file, and the offset of the application id in its header, which is stored with
/// the highest byte first (<https://sqlite.org/fileformat.html#the_database_header>).
const SQLITE_START: &[u8] = b"SQLite format 3\0";
const ID_OFFSET: usize = 68;

/// Whether a file with this beginning is a database of this program, of any version, or a copy of one.
pub(super) fn is_ours(head: &[u8]) -> bool {
    let id = head.get(ID_OFFSET..ID_OFFSET + size_of_val(&APPLICATION_ID));
    head.starts_with(SQLITE_START) && id == Some(&APPLICATION_ID.to_be_bytes())
}

/// The schema version after all `MIGRATIONS`. A database of a later version is refused.
pub const SCHEMA_VERSION: i32 = MIGRATIONS.len() as i32;

/// The migrations from an empty database to the current schema. A database of version N has had the first N.
/// A released migration is never changed.
pub(super) const MIGRATIONS: [Migration; 9] = [
    Migration::Sql(
        "
    CREATE TABLE product (
        id                 INTEGER PRIMARY KEY,
        name               TEXT NOT NULL,
        key                TEXT NOT NULL UNIQUE,
        unit               TEXT NOT NULL,
        price_centavos     INTEGER NOT NULL CHECK (price_centavos >= 0),
        stock_thousandths  INTEGER NOT NULL CHECK (stock_thousandths >= 0)
    ) STRICT;

    CREATE TABLE movement (
        sequence             INTEGER PRIMARY KEY,
        product_id           INTEGER NOT NULL REFERENCES product (id),
        kind                 TEXT NOT NULL,
        delta_thousandths    INTEGER NOT NULL,
        balance_thousandths  INTEGER NOT NULL CHECK (balance_thousandths >= 0),
        price_centavos       INTEGER NOT NULL,
        recorded_at_micros   INTEGER NOT NULL,
        request_id           TEXT
    ) STRICT;

    CREATE UNIQUE INDEX movement_by_request_id ON movement (request_id)
        WHERE request_id IS NOT NULL;

    CREATE TABLE import_request (
        request_id       TEXT PRIMARY KEY,
        digest           INTEGER NOT NULL,
        created_count    INTEGER NOT NULL,
        updated_count    INTEGER NOT NULL,
        unchanged_count  INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    ",
    ),
    Migration::Sql(
        "
    CREATE TABLE batch_request (
        request_id      TEXT PRIMARY KEY,
        digest          INTEGER NOT NULL,
        first_sequence  INTEGER NOT NULL REFERENCES movement (sequence)
    ) STRICT, WITHOUT ROWID;
    ",
    ),
    // The view shows other programs each product with its present stock. In a group, SQLite takes a bare
    // column from the row with the maximum (https://sqlite.org/lang_select.html#bareagg).
    Migration::Sql(
        "
    ALTER TABLE product RENAME TO product_terms;

    CREATE TABLE balance_forward (
        product_id         INTEGER PRIMARY KEY REFERENCES product_terms (id),
        stock_thousandths  INTEGER NOT NULL CHECK (stock_thousandths >= 0)
    ) STRICT;
    INSERT INTO balance_forward SELECT id, stock_thousandths FROM product_terms;
    ALTER TABLE product_terms DROP COLUMN stock_thousandths;

    CREATE TABLE forwarded (sequence INTEGER NOT NULL) STRICT;
    INSERT INTO forwarded SELECT coalesce(max(sequence), 0) FROM movement;

    CREATE VIEW product AS
    WITH moved AS (
        SELECT product_id, balance_thousandths, max(sequence) FROM movement
        WHERE sequence > (SELECT sequence FROM forwarded) GROUP BY product_id
    )
    SELECT id, name, key, unit, price_centavos,
           coalesce(moved.balance_thousandths, stock_thousandths) AS stock_thousandths
    FROM product_terms
    LEFT JOIN balance_forward ON balance_forward.product_id = id
    LEFT JOIN moved ON moved.product_id = id;
    ",
    ),
    // The index of request ids (`request_ids`). An import that only changes terms makes no movement, so its
    // row has the sequence number of the last movement before it.
    Migration::Sql(
        "
    DROP INDEX movement_by_request_id;
    CREATE INDEX batch_request_by_sequence ON batch_request (first_sequence);
    ALTER TABLE import_request ADD COLUMN after_sequence INTEGER NOT NULL DEFAULT 0;

    CREATE TABLE request_index (seed BLOB NOT NULL, through INTEGER NOT NULL) STRICT;
    INSERT INTO request_index VALUES (randomblob(16), 0);

    CREATE TABLE request_round (number INTEGER PRIMARY KEY, filter BLOB NOT NULL) STRICT;

    CREATE TABLE request_chunk (
        round       INTEGER NOT NULL REFERENCES request_round (number),
        first_hash  INTEGER NOT NULL,
        entries     BLOB NOT NULL
    ) STRICT;
    CREATE INDEX request_chunk_by_hash ON request_chunk (round, first_hash);
    ",
    ),
    // The last round of a group has the group's filter. Chunks without a row in `request_round` belong to a
    // round that is not stored completely; its ids are read from the ledger.
    Migration::Sql(
        "
    ALTER TABLE request_round ADD COLUMN group_filter BLOB;
    UPDATE request_round SET group_filter = filter;
    ",
    ),
    // From here on, names that look alike have the same key.
    Migration::Rust(fold_keys),
    Migration::Rust(links::link),
    Migration::Rust(terms::extend),
    // Costs, authors and details. Movements from before have none, and their stocks are of unknown cost.
    Migration::Sql(
        "
    CREATE TABLE author (
        id    INTEGER PRIMARY KEY,
        name  TEXT NOT NULL UNIQUE
    ) STRICT;

    ALTER TABLE movement ADD COLUMN cost_centavos INTEGER;
    ALTER TABLE movement ADD COLUMN author_id INTEGER REFERENCES author (id);

    CREATE TABLE movement_detail (
        sequence         INTEGER PRIMARY KEY REFERENCES movement (sequence),
        amount_centavos  INTEGER CHECK (amount_centavos >= 0),
        loss_reason      TEXT,
        note             TEXT
    ) STRICT;

    CREATE TABLE purchase (
        sequence          INTEGER PRIMARY KEY REFERENCES movement (sequence),
        product_id        INTEGER NOT NULL REFERENCES product_terms (id),
        supplier          TEXT,
        supplier_key      TEXT,
        lot               TEXT,
        expires_on        TEXT,
        invoice           TEXT,
        item              TEXT,
        pack_thousandths  INTEGER CHECK (pack_thousandths > 0)
    ) STRICT;
    INSERT INTO purchase (sequence, product_id)
        SELECT sequence, product_id FROM movement WHERE kind = 'compra' AND delta_thousandths > 0;
    CREATE INDEX purchase_by_product ON purchase (product_id);
    CREATE INDEX purchase_by_supplier ON purchase (supplier_key) WHERE supplier_key IS NOT NULL;
    CREATE INDEX purchase_by_lot ON purchase (lot) WHERE lot IS NOT NULL;
    CREATE INDEX purchase_by_invoice ON purchase (invoice) WHERE invoice IS NOT NULL;
    CREATE INDEX purchase_by_item ON purchase (item) WHERE item IS NOT NULL;

    ALTER TABLE balance_forward ADD COLUMN stock_cost_centavos INTEGER;
    ",
    ),
];

/// One step of [`MIGRATIONS`].
pub(super) enum Migration {
    Sql(&'static str),
    Rust(fn(&Connection) -> rusqlite::Result<()>),
}

impl Migration {
    pub(super) fn run(&self, connection: &Connection) -> rusqlite::Result<()> {
        match self {
            Self::Sql(statements) => connection.execute_batch(statements),
            Self::Rust(step) => step(connection),
        }
    }
}

/// The stored key of a product whose name has the key of an earlier product. The tab, which no name folds to,
/// keeps keys unique.
pub(super) fn second_key(key: &str, id: i64) -> String {
    format!("{key}\t{id}")
}

/// Checks that each stored key is the one that [`fold_keys`] or a later change gave its product. The inner
/// error describes the first wrong key, such as that of a name that another program inserted.
pub(super) fn check_keys(connection: &Connection, catalog: &Catalog) -> rusqlite::Result<Result<(), String>> {
    let firsts: HashMap<i64, i64> =
        catalog.look_alikes().iter().map(|pair| (pair.second().number(), pair.first().number())).collect();
    let mut products = connection.prepare("SELECT id, name, key FROM product_terms ORDER BY id")?;
    let mut products = products.query([])?;
    while let Some(row) = products.next()? {
        let (id, name, stored): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let key = Key::fold(&name);
        match firsts.get(&id) {
            None if key.as_str() == stored => {}
            Some(_) if second_key(key.as_str(), id) == stored => {}
            None => return Ok(Err(format!("a chave do produto {id} não é a do seu nome"))),
            Some(first) => return Ok(Err(format!("os produtos {first} e {id} têm o mesmo nome"))),
        }
    }
    Ok(Ok(()))
}

/// Gives every product the present key of its name. If several products have the same key, the first created
/// gets it, and the others get their [`second_key`].
fn fold_keys(connection: &Connection) -> rusqlite::Result<()> {
    let mut products = connection.prepare("SELECT id, name, key FROM product_terms ORDER BY id")?;
    let mut products = products.query([])?;
    let mut changed: Vec<(i64, String, Key)> = Vec::new();
    while let Some(row) = products.next()? {
        let (id, name, stored): (_, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let key = Key::fold(&name);
        if key.as_str() != stored {
            changed.push((id, name, key));
        }
    }
    let mut set_key = connection.prepare("UPDATE product_terms SET key = ?2 WHERE id = ?1")?;
    // The old keys are replaced first, because a new key may be the old key of a later product.
    for (id, ..) in &changed {
        set_key.execute(params![id, format!("\t{id}")])?;
    }
    let mut others = connection.prepare("SELECT id, name FROM product_terms WHERE key = ?1")?;
    for (id, name, key) in changed {
        let key = key.as_str();
        let other = others.query_row([key], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let Some((other, other_name)) = other else {
            set_key.execute(params![id, key])?;
            continue;
        };
        let (first, second) = if id < other { (id, other) } else { (other, id) };
        set_key.execute(params![second, second_key(key, second)])?;
        set_key.execute(params![first, key])?;
        let (first_name, second_name): (String, String) =
            if first == id { (name, other_name) } else { (other_name, name) };
        tracing::warn!(
            first,
            %first_name,
            second,
            %second_name,
            "two products look alike; each is found by its exact name, and any other way of writing it is the first's"
        );
    }
    Ok(())
}

/// Runs the migrations that the database has not had yet.
pub(super) fn migrate(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for step in MIGRATIONS.iter().skip(version as usize) {
        step.run(transaction)?;
    }
    transaction.pragma_update(None, "user_version", SCHEMA_VERSION)
}

/// Checks the header of a database.
///
/// # Errors
/// If the database is not of this program, or has none of these schema versions.
pub(super) fn check_header(
    connection: &Connection,
    path: &Path,
    versions: RangeInclusive<i32>,
) -> Result<(), StoreError> {
    let header = || -> rusqlite::Result<(i32, i32, i64)> {
        let pragma = |name| connection.pragma_query_value(None, name, |row| row.get(0));
        let tables = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        Ok((pragma("application_id")?, pragma("user_version")?, tables))
    };
    let reason = match header() {
        Ok((0, 0, 0)) => "está vazio; para criar um novo, apague-o antes".to_owned(),
        Ok((APPLICATION_ID, version, _)) if versions.contains(&version) => return Ok(()),
        Ok((APPLICATION_ID, version, _)) if version > SCHEMA_VERSION => format!(
            "foi criado por uma versão mais nova (esquema {version}; esta versão conhece o {SCHEMA_VERSION})"
        ),
        Ok((APPLICATION_ID, version, _)) => format!(
            "é de uma versão anterior (esquema {version}); inicie um servidor com ele, que o atualiza"
        ),
        Ok(_) => "é um banco SQLite de outro programa".to_owned(),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            "não é um arquivo SQLite".to_owned()
        }
        Err(error) => return Err(sqlite("ler", path)(error)),
    };
    Err(not_ours(path, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_folded_again_and_stay_unique() {
        let database = Connection::open_in_memory().unwrap();
        MIGRATIONS[..5].iter().for_each(|step| step.run(&database).unwrap());
        // The keys of version 5, which folded only case and accents.
        database
            .execute_batch(
                "INSERT INTO product_terms VALUES
                     (1, 'Uva–1', 'uva–1', 'un', 1), (2, 'Uva-1', 'uva-1', 'un', 1),
                     (3, 'Uva—1', 'uva—1', 'un', 1), (4, 'Pera', 'pera', 'un', 1),
                     (5, 'Ｐera', 'ｐera', 'un', 1), (6, 'Limão', 'limao', 'un', 1),
                     (7, 'Kiwi’s', 'kiwi’s', 'un', 1)",
            )
            .unwrap();
        // The second run is that of a later version, on the result of this one.
        for _ in 0..2 {
            fold_keys(&database).unwrap();
            let mut keys = database.prepare("SELECT key FROM product_terms ORDER BY id").unwrap();
            let keys: Vec<String> =
                keys.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
            assert_eq!(keys, ["uva-1", "uva-1\t2", "uva-1\t3", "pera", "pera\t5", "limao", "kiwi's"]);
        }
    }
}
