//! Where changes are made durable: the trait that the inventory writes through.

pub mod sqlite;

use std::collections::HashMap;

use foldhash::quality::RandomState;

use crate::catalog::{BatchRecord, Catalog, Changes, ImportRecord, Movement, RequestId};
use crate::system_error::told;

/// A durable home for one catalog. It has one user, the inventory's committer.
pub trait Store: Send {
    /// Everything that is stored; `None` where the store is new.
    ///
    /// # Errors
    /// Where it cannot be read or is not a catalog.
    fn load(&mut self) -> Result<Option<Catalog>, StoreError>;

    /// Makes a new store one that holds these changes and nothing else, at once: a store
    /// is never seen half made.
    ///
    /// # Errors
    /// As [`Store::commit`].
    fn create(&mut self, opening: &Changes) -> Result<(), StoreError>;

    /// What was stored under those of these request ids that are known; an id is kept for
    /// ever.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn recorded(&mut self, request_ids: &[&RequestId]) -> Result<RecordedById, StoreError>;

    /// So many rows of the ledger, from this sequence number on.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn movements(&mut self, first_sequence: i64, count: usize) -> Result<Vec<Movement>, StoreError>;

    /// Stores all of the changes or none, and returns once they are on disk.
    ///
    /// # Errors
    /// Whether the changes are stored is then in doubt, and the store must not be
    /// used before [`Store::reopen`] has told; except after [`StoreError::Busy`], which
    /// comes before anything was written.
    fn commit(&mut self, changes: &Changes) -> Result<(), StoreError>;

    /// After a failed commit: opens the store anew, makes sure that what it shows is on
    /// disk, and tells whether these changes are in it.
    ///
    /// # Errors
    /// Where it cannot be asked. It may be tried again later.
    fn reopen(&mut self, in_doubt: &Changes) -> Result<bool, StoreError>;
}

/// What request ids did. The ids are chosen by clients, so the hash is seeded.
pub type RecordedById = HashMap<RequestId, Recorded, RandomState>;

/// What a request id did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// A change of stock.
    Movement(Movement),
    /// An import.
    Import(ImportRecord),
    /// Changes made together.
    Batch(BatchRecord),
}

/// A failure of a store: the operator's business, told with the path and what was tried.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another server uses the same data.
    #[error(
        "o banco de dados {path} já está em uso{by}. Nada foi alterado; use o servidor que já existe, ou outro arquivo com --data"
    )]
    InUse {
        /// The database.
        path: String,
        /// Who uses it, where that is known.
        by: String,
    },
    /// The file is a database, but not one of ours, or of a later version.
    #[error(
        "{path} não serve como banco de dados do hortifruti: {reason}. O arquivo não foi alterado; indique outro com --data"
    )]
    NotOurs {
        /// The file.
        path: String,
        /// What it is instead.
        reason: String,
    },
    /// Another program holds the database, for longer than is waited for.
    #[error(
        "outro programa está usando o banco de dados {path} há tempo demais. Nada foi alterado; feche-o e tente de novo"
    )]
    Busy {
        /// The database.
        path: String,
    },
    /// What is stored contradicts itself.
    #[error("o banco de dados {path} está corrompido: {reason}. Nada foi alterado; restaure uma cópia")]
    Corrupt {
        /// The database.
        path: String,
        /// Where.
        reason: String,
    },
    /// The file system refused something.
    #[error("não foi possível {action} {path}: {}. Confira a pasta e as permissões", told(.error))]
    Io {
        /// What was tried, as an infinitive.
        action: &'static str,
        /// On which file.
        path: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// SQLite refused something.
    #[error("não foi possível {action} o banco de dados {path}: {error}")]
    Sqlite {
        /// What was tried, as an infinitive.
        action: &'static str,
        /// In which database.
        path: String,
        /// What SQLite said.
        error: rusqlite::Error,
    },
}
