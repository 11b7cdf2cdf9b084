//! What every store promises, each promise written once and kept by every store.
//!
//! A test is a function of a [`Place`], in which a store keeps one shop. What is particular to a store, as files
//! are to SQLite, is tested beside its code.

mod commits;
mod ledger;
mod purchases;
mod terms;

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use hortifruti::catalog::{Adjustment, Catalog, Draft, Kind, Quantity, Transaction, original_products};
use hortifruti::store::sqlite::{self, SqliteStore};
use hortifruti::store::{Store, StoreError, Wait};
use rusqlite::Connection;
use tempfile::TempDir;

/// Where a store keeps a shop.
enum Place {
    OnDisk(TempDir),
    InMemory,
}

impl Place {
    /// New places, one of each store.
    fn all() -> Vec<Self> {
        vec![Self::OnDisk(tempfile::tempdir().unwrap()), Self::InMemory]
    }

    fn name(&self) -> &'static str {
        match self {
            Self::OnDisk(_) => "SQLite on disk",
            Self::InMemory => "SQLite in memory",
        }
    }

    /// Whether the shop is there after its store has gone.
    fn is_durable(&self) -> bool {
        !matches!(self, Self::InMemory)
    }

    /// Opens the store. The one before must be gone.
    fn open(&self) -> Box<dyn Store> {
        match self {
            Self::OnDisk(_) => Box::new(SqliteStore::open(&self.file(), 8082).unwrap()),
            Self::InMemory => Box::new(SqliteStore::in_memory().unwrap()),
        }
    }

    /// Opens the store of a new shop, which has the original's products.
    fn open_shop(&self) -> (Box<dyn Store>, Catalog) {
        let (mut store, mut catalog) = (self.open(), Catalog::default());
        assert!(store.load().unwrap().is_none());
        let mut draft = Draft::new(&catalog, SystemTime::UNIX_EPOCH);
        draft.import(&original_products(), None).unwrap();
        let opening = draft.finish();
        store.create(&opening).unwrap();
        catalog.apply(&opening);
        (store, catalog)
    }

    /// Whether all that is kept is sound. The store must be gone.
    fn try_verify(&self) -> Result<(), StoreError> {
        match self {
            Self::OnDisk(_) => sqlite::verify(&self.file(), &mut |_, _, _| {}).map(drop),
            Self::InMemory => Ok(()),
        }
    }

    /// Another program alters the cost of a movement.
    fn alter_cost(&self, change: i64) {
        if matches!(self, Self::OnDisk(_)) {
            let cost = "UPDATE movement SET cost_centavos = cost_centavos + ?1
                WHERE sequence = (SELECT max(movement.sequence) FROM movement, forwarded
                                  WHERE cost_centavos > 1 AND movement.sequence <= forwarded.sequence)";
            Connection::open(self.file()).unwrap().execute(cost, [change]).unwrap();
        }
    }

    /// Whether some balances are brought forward further than others now.
    fn is_bringing_forward(&self) -> bool {
        let Self::OnDisk(_) = self else { return false };
        let compare = "SELECT (SELECT max(last_sequence) FROM balance_forward) > sequence FROM forwarded";
        let database = Connection::open(self.file()).unwrap();
        database.query_row(compare, [], |row| row.get(0)).unwrap_or(false)
    }

    fn file(&self) -> PathBuf {
        let Self::OnDisk(folder) = self else { panic!("{} has no file", self.name()) };
        folder.path().join("loja.db")
    }
}

/// Runs a test over every store.
fn over_every_store(test: impl Fn(&Place)) {
    for place in Place::all() {
        // The harness shows the last of these if the test fails.
        println!("{}", place.name());
        test(&place);
        place.try_verify().unwrap();
    }
}

/// Runs a test over every store that keeps a shop after it has gone.
fn over_every_durable_store(test: impl Fn(&Place)) {
    over_every_store(|place| {
        if place.is_durable() {
            test(place);
        }
    });
}

/// Plans changes at so many seconds, stores and applies them.
fn commit(
    store: &mut dyn Store,
    catalog: &mut Catalog,
    at: u64,
    plan: impl FnOnce(&mut Draft<'_>),
) -> Transaction {
    let mut draft = Draft::new(catalog, SystemTime::UNIX_EPOCH + Duration::from_secs(at));
    plan(&mut draft);
    let transaction = draft.finish();
    store.commit(&transaction, Wait::ForOthers).unwrap();
    catalog.apply(&transaction);
    transaction
}

/// A sale of the product Caju.
fn sale(catalog: &Catalog, units: i32) -> Transaction {
    let product = catalog.find("caju").unwrap().id;
    let mut draft = Draft::new(catalog, SystemTime::now());
    draft.adjust(&Adjustment::new(product, Quantity::from_units(-units), Kind::Sale)).unwrap();
    draft.finish()
}
