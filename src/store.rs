//! The store: [`Store`] makes changes durable for the inventory's writer, and [`Ledger`] lets readers read
//! the ledger. Both know rows, and no operations.

mod check;
mod error;
mod lease;
mod moving;
#[cfg(feature = "postgres")]
pub mod postgres;
mod purchase_reads;
mod request_ids;
pub mod sqlite;

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::SystemTime;

use foldhash::quality::RandomState;

use crate::catalog::{
    Author, Catalog, Document, Kind, Movement, ProductChange, ProductId, RequestId, RequestRecord,
    Transaction,
};
pub use check::{Step, Verified};
pub use error::{Consequence, StoreError};
pub use lease::{LEASE, Lease, LeaseFacts, Replication, Role};

pub(crate) use moving::{Source, Target, move_shop};
pub use purchase_reads::{Expiry, Origin, PurchaseQuery, PurchaseReads, PurchaseRow};

/// The beginnings of an address of PostgreSQL.
const URL_SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// Whether the name of a database is an address of PostgreSQL, and not the name of a file.
pub fn is_url(data: &str) -> bool {
    URL_SCHEMES.iter().any(|scheme| data.starts_with(scheme))
}

/// Durable storage for one catalog. The inventory's writer is its only user.
pub trait Store: Send {
    /// Loads the catalog; `None` if the store is new.
    ///
    /// # Errors
    /// If the store cannot be read, or does not hold a catalog.
    fn load(&mut self) -> Result<Option<Catalog>, StoreError>;

    /// Creates a new store with these changes, in one step: no reader ever sees a half-created store.
    ///
    /// # Errors
    /// If [`Store::commit`] would fail.
    fn create(&mut self, opening: &Transaction) -> Result<(), StoreError>;

    /// Looks up the requests stored under these request ids; unknown ids are left out. An id is kept for
    /// ever.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn recorded(&mut self, request_ids: &[&RequestId]) -> Result<RecordedById, StoreError>;

    /// Up to `count` rows of the ledger, from `first_sequence` on.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn rows(&mut self, first_sequence: i64, count: usize) -> Result<Vec<LedgerRow>, StoreError>;

    /// Movements of one product, newest first and `count_max` at most: from the product's movement `last`
    /// back to the first one that is not after `after`.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn movements_back(
        &mut self,
        last: i64,
        after: i64,
        count_max: usize,
    ) -> Result<Vec<Movement>, StoreError>;

    /// Whether the store can be read and written without opening it again. Opening it waits for other
    /// programs.
    fn is_ready(&self) -> bool;

    /// The part of the shop's equipment to check after a failure, with its article: the refusals name it.
    fn to_check(&self) -> &'static str {
        "o disco"
    }

    /// Whether each commit waits for another machine. A thread that serves clients then commits only a lone change,
    /// and only if [`Store::is_quick`].
    fn commits_over_network(&self) -> bool {
        false
    }

    /// Whether a commit of changes with these request ids is likely to be quick: the last one was, and no id must be
    /// looked up on another machine.
    fn is_quick(&self, request_ids: &[&RequestId]) -> bool {
        let _ = request_ids;
        true
    }

    /// Stores all of the changes or none, and returns once they are on disk. `wait` says whether to wait
    /// for another program that has locked the store.
    ///
    /// # Errors
    /// If the changes could not be stored, or it is not known whether they were:
    /// [`StoreError::consequence`] says which. After [`Consequence::InDoubt`] the caller must call
    /// [`Store::settle`] before it uses the store again.
    fn commit(&mut self, changes: &Transaction, wait: Wait) -> Result<(), StoreError>;

    /// After [`StoreError::Rewritten`], which even a `touch` of a file causes: reads everything that is
    /// stored, and accepts the files if the content is whole and equals this catalog. Takes as long as
    /// `hortifruti verify`.
    ///
    /// # Errors
    /// If the content differs or cannot be read: an error of [`Consequence::NotBegun`].
    fn prove(&mut self, catalog: &Catalog) -> Result<(), StoreError>;

    /// Whether a transaction could begin now. Writes nothing, and waits for no other program that holds the
    /// database.
    ///
    /// # Errors
    /// If [`Store::commit`] would fail before it writes anything.
    fn probe(&mut self) -> Result<(), StoreError>;

    /// Frees disk space that is not needed any more. Called about every second, between transactions; waits
    /// for no other program.
    ///
    /// # Errors
    /// If the space cannot be freed. No data is lost.
    fn tidy(&mut self) -> Result<(), StoreError>;

    /// The ledger for readers. The store must be loaded or created.
    fn ledger(&self) -> Arc<dyn Ledger>;

    /// The lease of the shop. A store that no other server can write is held for ever.
    fn lease(&self) -> Arc<Lease> {
        Arc::default()
    }

    /// The next changes that another server has stored after those of this catalog, drafted on its state; `None` if
    /// there are no more. For a server that stands by.
    ///
    /// # Errors
    /// If the store cannot be read, or has lost changes of the catalog.
    fn tail(&mut self, catalog: &Catalog) -> Result<Option<Transaction>, StoreError> {
        let _ = catalog;
        Ok(None)
    }

    /// Prepares the files for a quick next start, if possible. The store is not used afterwards.
    ///
    /// # Errors
    /// If a file is missing or damaged, so that the next start would not find the last changes.
    fn close(&mut self) -> Result<(), StoreError>;

    /// After a failure: opens the store again, makes its content durable, and returns whether the changes
    /// `in_doubt` are stored.
    ///
    /// # Errors
    /// If the store cannot be opened or read. Unless [`StoreError::consequence`] says that the store is closed,
    /// the caller may try again later.
    fn settle(&mut self, in_doubt: Option<&Transaction>) -> Result<Settled, StoreError>;
}

/// The fate of a transaction in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The transaction is stored.
    Stored,
    /// The transaction is not stored, and what failed may fail again: clients hear of it.
    NotStored,
    /// The transaction is not stored, and the store has recovered: the transaction can be committed again.
    Repeat,
}

/// The ledger for readers. Readers never block the writer, and the writer never blocks them.
///
/// A read may wait for the disk, so it belongs on a thread that may block. `through` is the last movement
/// that the reader may see: the last published one.
pub trait Ledger: PurchaseReads {
    /// The row with this sequence number.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn row(&self, sequence: i64, through: i64) -> Result<Option<LedgerRow>, StoreError>;

    /// A page of rows, newest first. A short or empty page may still have a next page.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn page(&self, query: &LedgerQuery) -> Result<LedgerPage, StoreError>;

    /// The sequence number of the first movement that was recorded at this time or later; `through + 1` if
    /// there is none.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn first_since(&self, time: SystemTime, through: i64) -> Result<i64, StoreError>;

    /// Calls `visit` with some of the rows of a range, in order, without request ids, balances and earlier
    /// movements. Leaves out undone movements and undos. Returns the sequence number to continue from, if rows may be left.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn visit(
        &self,
        range: &LedgerRange,
        visit: &mut dyn FnMut(&LedgerRow),
    ) -> Result<Option<i64>, StoreError>;

    /// The movements that undo others, from a range and in its order: the number of each, and of the one that it
    /// undoes.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn undone(&self, range: RangeInclusive<i64>, count_max: usize) -> Result<Vec<(i64, i64)>, StoreError>;

    /// The last movement and the last change of terms that are stored, for a server that stands by: all that was
    /// answered before this call, and nothing that can be lost without a loss of what was answered. `None` if no
    /// other server can write.
    ///
    /// # Errors
    /// If the store cannot be read, or may have been replaced by another one.
    fn ends(&self) -> Result<Option<(i64, i64)>, StoreError> {
        Ok(None)
    }

    /// The version of the stored form, and the sizes of the files now. Looks at names only.
    fn extent(&self) -> Extent;

    /// Some changes of terms, newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn product_changes(&self, query: &ChangesQuery) -> Result<Vec<ProductChange>, StoreError>;
}

/// The form and the size of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extent {
    /// The version of the stored form.
    pub schema: u32,
    /// The bytes of the database; 0 in memory.
    pub database_bytes: u64,
    /// The bytes of the log beside the database.
    pub log_bytes: u64,
}

/// A query for changes of terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangesQuery {
    /// Only changes of this product.
    pub product: Option<ProductId>,
    /// The lowest number of a change, and the number that all are below.
    pub lowest: i64,
    pub before: i64,
    /// Most changes.
    pub count_max: usize,
}

/// A range of the ledger, for totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerRange {
    /// The lowest and the highest sequence number of the range.
    pub from: i64,
    pub to: i64,
    /// The last movement that the reader may see.
    pub through: i64,
    /// Only movements of this kind.
    pub kind: Option<Kind>,
}

/// A query for rows of the ledger, from one sequence number downwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerQuery {
    /// The row at which the page begins. In a query of one product, one of its movements: the last, or
    /// [`LedgerPage::next`] of the page before.
    pub start: i64,
    /// Whether the page has only movements of the product of `start`.
    pub of_one_product: bool,
    /// The highest and the lowest sequence number of the page.
    pub highest: i64,
    pub lowest: i64,
    /// The last movement that the reader may see.
    pub through: i64,
    /// The kind of the movements; `None` for all kinds.
    pub kind: Option<Kind>,
    /// Only movements of this author.
    pub author: Option<Author>,
    /// Most rows of the page.
    pub count_max: usize,
}

/// Rows of the ledger, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerPage {
    /// The rows of the page.
    pub rows: Vec<LedgerRow>,
    /// The row at which the next page begins, if there may be more.
    pub next: Option<i64>,
}

/// Whether a commit waits for another program that has locked the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Waits for some seconds.
    ForOthers,
    /// Fails with [`StoreError::Busy`], with nothing stored.
    Never,
}

/// Stored requests by their ids. Clients choose the ids, so the hash is seeded.
pub type RecordedById = HashMap<RequestId, Recorded, RandomState>;

/// A stored request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// A single change of a stock.
    Movement(Movement),
    /// Any other request.
    Request(RequestRecord),
}

/// A row of the ledger, with its links to other rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// The movement of this row.
    pub movement: Movement,
    /// The movements that the same request made, with this one.
    pub document: Document,
    /// The movement that this one undoes; 0 for none.
    pub undoes: i64,
    /// The movement that undid this one; 0 for none.
    pub undone_by: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_postgresql_is_no_file() {
        assert!(is_url("postgres://a/b") && is_url("postgresql://a"));
        assert!(!is_url("postgres.db") && !is_url("/tmp/postgres://a"));
    }
}
