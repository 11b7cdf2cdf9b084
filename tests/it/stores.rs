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
use hortifruti::store::postgres::{self, PostgresStore};
use hortifruti::store::sqlite::{self, SqliteStore};
use hortifruti::store::{Store, StoreError, Wait};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::support::postgres::{Version, ask, shop_of, versions};

/// Where a store keeps a shop.
enum Place {
    OnDisk(TempDir),
    InMemory,
    Postgres { version: &'static Version, address: String },
}

impl Place {
    /// New places, one of each store.
    fn all() -> Vec<Self> {
        let in_database = |version: &'static Version| Self::Postgres { version, address: version.new_shop() };
        let in_databases = versions().into_iter().map(in_database);
        [Self::OnDisk(tempfile::tempdir().unwrap()), Self::InMemory].into_iter().chain(in_databases).collect()
    }

    fn name(&self) -> &'static str {
        match self {
            Self::OnDisk(_) => "SQLite on disk",
            Self::InMemory => "SQLite in memory",
            Self::Postgres { version, .. } => version.name,
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
            Self::Postgres { address, .. } => Box::new(PostgresStore::open(address).unwrap()),
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
            Self::Postgres { address, .. } => postgres::verify(address, &mut |_, _, _| {}).map(drop),
        }
    }

    /// Another program alters a number in an old movement: its cost or, where nothing is compared with costs, its
    /// balance.
    fn alter(&self, change: i64) {
        match self {
            Self::OnDisk(_) => {
                let cost = "UPDATE movement SET cost_centavos = cost_centavos + ?1
                    WHERE sequence = (SELECT max(movement.sequence) FROM movement, forwarded
                                      WHERE cost_centavos > 1 AND movement.sequence <= forwarded.sequence)";
                Connection::open(self.file()).unwrap().execute(cost, [change]).unwrap();
            }
            Self::InMemory => {}
            Self::Postgres { address, .. } => {
                let balance = format!(
                    "SET session_replication_role = replica;
                     UPDATE hortifruti.journal SET balances[1] = balances[1] + {change}
                     WHERE shop = (SELECT id FROM hortifruti.shop WHERE name = '{}') AND first > 4000",
                    shop_of(address)
                );
                ask(address, &balance);
            }
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
