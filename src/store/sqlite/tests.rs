use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, StatementStatus};

use super::names::LOCK_SUFFIX;
use super::names::beside;
use super::open::CHECKED_BYTES_MAX;
use super::rows::MOVEMENTS_AT_ONCE;
use super::schema::MIGRATIONS;
use super::schema::{APPLICATION_ID, SCHEMA_VERSION};
use super::{SqliteStore, verify};
use crate::catalog::{Adjustment, Catalog, Draft, Kind, Quantity, StockCost, Transaction, original_products};
use crate::platform::files::FileExt;
use crate::store::{Settled, Store, StoreError, Wait};

const PORT: u16 = 8082;

/// A change of the product Caju.
fn sale(catalog: &Catalog, units: i32) -> Transaction {
    let product = catalog.find("caju").unwrap().id;
    let mut draft = Draft::new(catalog, SystemTime::now());
    let delta = Quantity::from_units(-units);
    draft.adjust(&Adjustment::new(product, delta, Kind::Sale)).unwrap();
    draft.finish()
}

/// So many sales of the product Caju.
fn sales(catalog: &Catalog, count: usize) -> Transaction {
    let product = catalog.find("caju").unwrap().id;
    let mut draft = Draft::new(catalog, SystemTime::now());
    for _ in 0..count {
        draft.adjust(&Adjustment::new(product, Quantity::from_units(-1), Kind::Sale)).unwrap();
    }
    draft.finish()
}

fn open_shop(store: &mut SqliteStore) -> Catalog {
    assert!(store.load().unwrap().is_none());
    let mut catalog = Catalog::default();
    let mut draft = Draft::new(&catalog, SystemTime::now());
    draft.import(&original_products(), None).unwrap();
    let changes = draft.finish();
    store.create(&changes).unwrap();
    catalog.apply(&changes);
    catalog
}

#[test]
fn a_database_of_an_earlier_version_is_taken_to_this_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loja.db");
    let old = Connection::open(&path).unwrap();
    for step in &MIGRATIONS[..2] {
        step.run(&old).unwrap();
    }
    old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    old.pragma_update(None, "user_version", 2).unwrap();
    old.execute_batch(
        "INSERT INTO product VALUES (1, 'Caju', 'caju', 'un', 200, 57000), (2, 'Uva', 'uva', 'kg', 900, 0),
                                    (3, 'Uva\u{3164}', 'uva\u{3164}', 'kg', 900, 0);
         INSERT INTO movement VALUES (1, 1, 'abertura', 60000, 60000, 200, 1, NULL),
                                     (2, 2, 'abertura', 0, 0, 900, 1, NULL),
                                     (3, 1, 'venda', -3000, 57000, 200, 2, 'a'),
                                     (4, 3, 'abertura', 0, 0, 900, 2, NULL),
                                     (5, 1, 'compra', 5000, 62000, 200, 2, NULL),
                                     (6, 1, 'compra', -5000, 57000, 200, 2, NULL);",
    )
    .unwrap();
    drop(old);
    let mut store = SqliteStore::open(&path, PORT).unwrap();
    let catalog = store.load().unwrap().unwrap();
    assert_eq!(catalog.find("caju").unwrap().stock, Quantity::from_units(57));
    assert_eq!((catalog.find("uva").unwrap().stock, catalog.last_sequence()), (Quantity::ZERO, 6));
    // Nobody knows what was paid before there were costs.
    assert_eq!(catalog.find("caju").unwrap().stock_cost, StockCost::UNKNOWN);
    assert_eq!(catalog.find("uva").unwrap().stock_cost, StockCost::ZERO);
    // A name that is refused for new products.
    assert_eq!(catalog.find("uva\u{3164}").unwrap().id.number(), 3);
    store.commit(&sale(&catalog, 7), Wait::ForOthers).unwrap();
    assert_eq!(verify(&path, &mut |_, _, _| {}).unwrap().movements, 7);
    let purchases = "SELECT group_concat(sequence) FROM purchase";
    let purchases: String = store.connection.query_row(purchases, [], |row| row.get(0)).unwrap();
    assert_eq!(purchases, "5");
    // The view for other programs.
    let stocks: Vec<(String, i64)> = Connection::open(&path)
        .unwrap()
        .prepare("SELECT name, stock_thousandths FROM product ORDER BY id")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(stocks, [("Caju".into(), 50_000), ("Uva".into(), 0), ("Uva\u{3164}".into(), 0)]);
}

/// Changes a shop until its file is longer than the part that a start checks.
fn long_shop(path: &Path) -> (SqliteStore, Catalog) {
    let mut store = SqliteStore::open(path, PORT).unwrap();
    let mut catalog = open_shop(&mut store);
    let product = catalog.find("caju").unwrap().id;
    for _ in 0..4 {
        let mut draft = Draft::new(&catalog, SystemTime::now());
        for _ in 0..1024 {
            let delta = Quantity::from_units(1);
            draft.adjust(&Adjustment::new(product, delta, Kind::Adjustment)).unwrap();
        }
        let changes = draft.finish();
        store.commit(&changes, Wait::ForOthers).unwrap();
        catalog.apply(&changes);
    }
    (store, catalog)
}

#[test]
fn after_a_clean_stop_nothing_of_the_ledger_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loja.db");
    let (mut store, catalog) = long_shop(&path);
    store.close().unwrap();
    drop(store);
    let mut store = SqliteStore::open(&path, PORT).unwrap();
    let again = store.load().unwrap().unwrap();
    assert_eq!(again.last_sequence(), catalog.last_sequence());
    assert_eq!(again.find("caju"), catalog.find("caju"));
    for kept in ["SELECT sequence FROM forwarded", "SELECT through FROM request_index"] {
        let through: i64 = store.connection.query_row(kept, [], |row| row.get(0)).unwrap();
        assert_eq!(through, catalog.last_sequence());
    }
}

#[test]
fn of_a_long_database_all_but_the_ledger_is_looked_through() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loja.db");
    let (mut store, _) = long_shop(&path);
    store.close().unwrap();
    drop(store);
    assert!(fs::metadata(&path).unwrap().len() > CHECKED_BYTES_MAX);
    let root = |name: &str| -> i64 {
        Connection::open(&path)
            .unwrap()
            .query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?1", [name], |row| row.get(0))
            .unwrap()
    };
    let file = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let mut whole = [0; 4096];
    for (page, is_seen) in [(root("sqlite_autoindex_product_terms_1"), true), (60, false)] {
        let at = (page as u64 - 1) * whole.len() as u64;
        file.read_exact_at(&mut whole, at).unwrap();
        file.write_all_at(&[0xa5; 4096], at).unwrap();
        let opened = SqliteStore::open(&path, PORT).and_then(|mut store| store.load());
        assert_eq!(matches!(opened, Err(StoreError::Corrupt { .. })), is_seen, "{page}: {opened:?}");
        assert!(verify(&path, &mut |_, _, _| {}).is_err() || is_seen);
        file.write_all_at(&whole, at).unwrap();
    }
    SqliteStore::open(&path, PORT).unwrap().load().unwrap();
}

#[test]
fn a_migration_that_fails_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loja.db");
    let schema = |path: &Path| -> (i32, Vec<String>) {
        let database = Connection::open(path).unwrap();
        let version = database.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        let mut tables = database.prepare("SELECT sql FROM sqlite_schema ORDER BY rowid").unwrap();
        let tables = tables.query_map([], |row| row.get::<_, Option<String>>(0)).unwrap();
        (version, tables.map(|sql| sql.unwrap().unwrap_or_default()).collect())
    };
    let old = Connection::open(&path).unwrap();
    MIGRATIONS[0].run(&old).unwrap();
    old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    // This file prevents the last step, after the others have been done.
    old.execute_batch("CREATE TABLE forwarded (a)").unwrap();
    drop(old);
    let before = schema(&path);
    assert!(SqliteStore::open(&path, PORT).is_err());
    assert_eq!(schema(&path), before);
    Connection::open(&path).unwrap().execute_batch("DROP TABLE forwarded").unwrap();
    let catalog = SqliteStore::open(&path, PORT).unwrap().load().unwrap().unwrap();
    assert_eq!((catalog.products().len(), schema(&path).0), (0, SCHEMA_VERSION));
}

#[test]
fn a_database_in_memory_takes_changes_again_once_there_is_room() {
    let mut store = SqliteStore::in_memory().unwrap();
    let catalog = open_shop(&mut store);
    let product = catalog.find("caju").unwrap().id;
    let mut draft = Draft::new(&catalog, SystemTime::now());
    for _ in 0..1000 {
        let delta = Quantity::from_units(1);
        draft.adjust(&Adjustment::new(product, delta, Kind::Purchase)).unwrap();
    }
    let changes = draft.finish();
    // At most as many as there are.
    store.connection.pragma_update(None, "max_page_count", 1).unwrap();
    store.commit(&changes, Wait::ForOthers).unwrap_err();
    assert_eq!(store.settle(Some(&changes)).unwrap(), Settled::NotStored);
    store.connection.pragma_update(None, "max_page_count", 1000).unwrap();
    store.commit(&changes, Wait::ForOthers).unwrap();
    assert_eq!(store.settle(Some(&changes)).unwrap(), Settled::Stored);
}

#[test]
fn a_database_that_another_program_holds_is_busy_and_not_in_doubt() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loja.db");
    let mut store = SqliteStore::open(&path, PORT).unwrap();
    let catalog = open_shop(&mut store);
    store.connection.busy_timeout(Duration::ZERO).unwrap();
    let changes = sale(&catalog, 20);
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(store.commit(&changes, Wait::ForOthers), Err(StoreError::Busy { .. })));
    other.execute_batch("ROLLBACK").unwrap();
    store.commit(&changes, Wait::ForOthers).unwrap();
}

#[test]
fn a_connection_that_failed_is_not_ready_until_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(&folder.path().join("loja.db"), PORT).unwrap();
    let catalog = open_shop(&mut store);
    store.is_suspect = true;
    assert!(!store.is_ready());
    store.commit(&sale(&catalog, 20), Wait::ForOthers).unwrap();
    assert!(store.is_ready());
}

#[test]
fn a_query_is_planned_once_whatever_it_is_asked_with() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(&folder.path().join("loja.db"), PORT).unwrap();
    open_shop(&mut store);
    // With `LIMIT`, by which SQLite plans; a bound of `sequence` alone changes no plan.
    let query = "SELECT sequence FROM movement WHERE sequence >= ?1 LIMIT ?2";
    let mut query = store.connection.prepare(query).unwrap();
    for (first, count_max, expected) in [(1, 3, 3), (4, 2, 1), (5, 1, 0)] {
        let found = query.query_map([first, count_max], |_| Ok(())).unwrap();
        assert_eq!(found.count(), expected);
    }
    assert_eq!(query.get_status(StatementStatus::RePrepare), 0);
}

#[test]
fn one_server_for_one_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loja.db");
    let first = SqliteStore::open(&path, PORT).unwrap();
    let error = SqliteStore::open(&path, PORT + 1).err().unwrap().to_string();
    let first_is = format!("(processo {}, porta {PORT})", std::process::id());
    assert!(error.contains(&first_is), "{error}");
    drop(first);
    SqliteStore::open(&path, PORT).unwrap();
}

#[test]
fn without_its_lock_file_a_server_takes_no_changes_and_a_second_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loja.db");
    let mut first = SqliteStore::open(&path, PORT).unwrap();
    let catalog = open_shop(&mut first);
    fs::remove_file(beside(&path, LOCK_SUFFIX)).unwrap();
    assert!(matches!(SqliteStore::open(&path, PORT + 1), Err(StoreError::InUse { .. })));
    assert!(matches!(first.commit(&sale(&catalog, 50), Wait::ForOthers), Err(StoreError::Unlocked { .. })));
}

#[test]
fn if_another_program_wrote_or_deleted_movements_no_more_are_written() {
    let insert = "INSERT INTO movement SELECT max(sequence) + 1, 4, 'ajuste', -7000, 53000, 200, 1, NULL, 4,
                         NULL, NULL
                  FROM movement";
    let delete = "DELETE FROM movement WHERE sequence = (SELECT max(sequence) FROM movement)";
    for (of_another, said) in [(insert, "gravou nele o movimento 5"), (delete, "apagou dele o movimento 4")] {
        for count in [1, 3 * MOVEMENTS_AT_ONCE] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("loja.db");
            let mut store = SqliteStore::open(&path, PORT).unwrap();
            let catalog = open_shop(&mut store);
            let other = Connection::open(&path).unwrap();
            other.execute_batch(of_another).unwrap();
            let ledger = || -> (i64, i64) {
                let read = "SELECT count(*), max(sequence) FROM movement";
                other.query_row(read, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
            };
            let before = ledger();
            let changes = sales(&catalog, count);
            store.commit(&changes, Wait::ForOthers).unwrap_err();
            assert_eq!(ledger(), before);
            for _ in 0..2 {
                let error = store.settle(Some(&changes)).unwrap_err();
                assert!(matches!(error, StoreError::Corrupt { .. }));
                assert!(error.to_string().contains(said), "{error}");
            }
        }
    }
}

#[test]
fn files_of_others_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("texto.db");
    std::fs::write(&text, "isto não é um banco de dados, ".repeat(100)).unwrap();
    let other = folder.path().join("outro.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    let newer = folder.path().join("novo.db");
    open_shop(&mut SqliteStore::open(&newer, PORT).unwrap());
    Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
    for path in [text, other, newer] {
        let before = std::fs::read(&path).unwrap();
        assert!(matches!(SqliteStore::open(&path, PORT), Err(StoreError::NotOurs { .. })), "{path:?}");
        assert_eq!(std::fs::read(&path).unwrap().len(), before.len());
    }
}
