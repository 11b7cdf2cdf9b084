//! The store: [`Store`] makes changes durable for the inventory's writer, and [`Ledger`] lets readers read
//! the ledger. Both know rows, and no operations.

pub mod sqlite;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use foldhash::quality::RandomState;

use crate::catalog::{
    Author, Catalog, Document, Kind, Movement, ProductChange, ProductId, Purchase, Quantity, RequestId,
    RequestRecord, Transaction,
};
use crate::io_error::describe;

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

    /// Stores all of the changes or none, and returns once they are on disk. `wait` says whether to wait
    /// for another program that has locked the store.
    ///
    /// # Errors
    /// If the changes could not be stored, or it is not known whether they were. If
    /// [`StoreError::why_not_begun`] returns `Some`, nothing was written; after any other error the caller
    /// must call [`Store::reopen`] before it uses the store again.
    fn commit(&mut self, changes: &Transaction, wait: Wait) -> Result<(), StoreError>;

    /// After [`StoreError::Rewritten`], which even a `touch` of a file causes: reads everything that is
    /// stored, and accepts the files if the content is whole and equals this catalog. Takes as long as
    /// `hortifruti verify`.
    ///
    /// # Errors
    /// If the content differs or cannot be read: an error for which [`StoreError::why_not_begun`] returns
    /// `Some`.
    fn prove(&mut self, catalog: &Catalog) -> Result<(), StoreError>;

    /// Frees disk space that is not needed any more. Called about every second, between transactions; waits
    /// for no other program.
    ///
    /// # Errors
    /// If the space cannot be freed. No data is lost.
    fn tidy(&mut self) -> Result<(), StoreError>;

    /// The ledger for readers. The store must be loaded or created.
    fn ledger(&self) -> Arc<dyn Ledger>;

    /// Prepares the files for a quick next start, if possible. The store is not used afterwards.
    ///
    /// # Errors
    /// If a file is missing or damaged, so that the next start would not find the last changes.
    fn close(&mut self) -> Result<(), StoreError>;

    /// After a failed commit: opens the store again, syncs its content to the disk, and returns whether
    /// the changes `in_doubt` are stored.
    ///
    /// # Errors
    /// If the store cannot be opened or read. The caller may try again later.
    fn reopen(&mut self, in_doubt: &Transaction) -> Result<bool, StoreError>;
}

/// The ledger for readers. Readers never block the writer, and the writer never blocks them.
///
/// A read may wait for the disk, so it belongs on a thread that may block. `through` is the last movement
/// that the reader may see: the last published one.
pub trait Ledger: Send + Sync {
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

    /// Purchases that were not undone, newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn purchases(&self, query: &PurchaseQuery) -> Result<Vec<PurchaseRow>, StoreError>;

    /// Some changes of terms, newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn product_changes(&self, query: &ChangesQuery) -> Result<Vec<ProductChange>, StoreError>;
}

/// A query for purchases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PurchaseQuery {
    /// Only purchases of this product.
    pub product: Option<ProductId>,
    /// The highest sequence number of the purchases.
    pub start: i64,
    /// The last movement that the reader may see.
    pub through: i64,
    /// The most purchases that are read. `None` reads all.
    pub count_max: Option<usize>,
}

/// A purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurchaseRow {
    pub sequence: i64,
    pub product: ProductId,
    pub recorded_at: SystemTime,
    /// The quantity that was bought.
    pub bought: Quantity,
    pub purchase: Purchase,
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
    /// Fails with [`StoreError::Busy`].
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

/// A failure of a store. The messages are for the operator, and name the path and the action.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another server uses the same data.
    #[error(
        "o banco de dados {path} já está em uso{by}. Nada foi alterado; use aquele servidor ou pare-o antes, ou indique outro arquivo com --data"
    )]
    InUse {
        /// The database.
        path: String,
        /// The words about who uses the database, if that is known.
        by: String,
    },
    /// A server has the database open by another name, and the log is beside that name.
    #[error(
        "{path} é outro nome de um banco de dados em uso ({holder}), e as últimas mudanças estão no registro (-wal) \
         ao lado do nome que o servidor usa. Nada foi alterado; indique esse nome, ou pare o servidor antes"
    )]
    OtherName {
        /// The database, by this name.
        path: String,
        /// The server that has the database open.
        holder: String,
    },
    /// The last changes of a database are in a log beside another name of it.
    #[error(
        "as últimas mudanças de {path} estão em {log}, ao lado do nome que o banco de dados tinha quando o servidor \
         foi interrompido. Nada foi alterado; use aquele nome, ou leve {log} para {path}-wal"
    )]
    LogElsewhere {
        /// The database, by this name.
        path: String,
        /// The log.
        log: String,
    },
    /// The file is no database of this program, or one of another version.
    #[error("banco de dados inválido: {path} {reason}. O arquivo não foi alterado; indique outro")]
    NotOurs {
        /// The file.
        path: String,
        /// The kind of file that it is instead.
        reason: String,
    },
    /// Another program has locked the database for longer than the store waits.
    #[error(
        "outro programa está usando o banco de dados {path} há tempo demais. Nada foi alterado; feche-o e tente de novo"
    )]
    Busy {
        /// The database.
        path: String,
    },
    /// The stored rows contradict each other.
    #[error("o banco de dados {path} está corrompido: {reason}. Nada foi alterado; restaure uma cópia")]
    Corrupt {
        /// The database.
        path: String,
        /// The place of the damage.
        reason: String,
    },
    /// The log belongs to another database, or lacks changes that were answered.
    #[error(
        "o registro {path}{suffix} {reason}. Nada foi alterado; devolva os arquivos ao lugar, ou restaure uma cópia \
         com `hortifruti restore`, que guarda os arquivos atuais. Para usar o banco sem as mudanças do registro, que \
         se perdem, apague {path}{suffix} e {path}-shm"
    )]
    Log {
        /// The database.
        path: String,
        /// The end of the log's name, after the database's name.
        suffix: &'static str,
        /// The fault of the log.
        reason: &'static str,
    },
    /// The database file's time is not that of its server's last write.
    #[error(
        "a data de {path} mudou depois da última gravação do servidor, e as últimas mudanças confirmadas estão em \
         {path}-wal: ou só a data mudou, ou outro programa regravou o arquivo. Nada foi alterado. Se tem certeza \
         de que só a data mudou (um touch, por exemplo), devolva-a com `{command}` e tente de novo; se não, \
         restaure uma cópia com `hortifruti restore CÓPIA`, que guarda os arquivos atuais. Não apague {path}-wal, \
         ou as mudanças que estão nele se perdem"
    )]
    Dated {
        /// The database.
        path: String,
        /// The command that sets the time back.
        command: String,
    },
    /// A file of the database was removed, moved or replaced while it was open.
    #[error(
        "{path} foi apagado, movido ou trocado enquanto o servidor o usava. Nada foi alterado; devolva-o ao \
         lugar, ou pare o servidor e restaure uma cópia"
    )]
    Moved {
        /// The file.
        path: String,
    },
    /// Another program wrote other content into the database file.
    #[error(
        "{path} foi regravado por outro programa enquanto o servidor o usava. Nada foi alterado, e as últimas \
         mudanças confirmadas ficam em {path}-wal; pare o servidor e restaure uma cópia com `hortifruti restore`, \
         que guarda os arquivos atuais"
    )]
    Rewritten {
        /// The database.
        path: String,
    },
    /// A file of the database has lost its end.
    #[error(
        "{path} foi cortado enquanto o servidor o usava. Nada foi alterado; pare o servidor e restaure uma cópia"
    )]
    Cut {
        /// The file.
        path: String,
    },
    /// The lock file was removed, moved or replaced, so another server may have the database open.
    #[error(
        "{path} foi apagado, movido ou trocado, e outro servidor pode estar usando o mesmo banco de dados. Nada \
         foi alterado; pare os dois e inicie um só"
    )]
    Unlocked {
        /// The lock file.
        path: String,
    },
    /// A file of another program has a name that the database uses.
    #[error(
        "o banco de dados usa o nome {path}, que já existe e {obstacle}. Nada foi alterado; mude-o de lugar, ou \
         indique outro banco de dados"
    )]
    InTheWay {
        /// The file.
        path: String,
        /// The kind of thing that has the name.
        obstacle: String,
    },
    /// A copy would replace an existing file.
    #[error("{path} já existe. Nada foi alterado; escolha outro nome, ou use --force para trocá-lo")]
    Exists {
        /// The file.
        path: String,
    },
    /// A copy cannot have this name.
    #[error("não é possível copiar para {path}: {reason}. Nada foi alterado; escolha outro nome")]
    NoCopy {
        /// The file.
        path: String,
        /// The reason against the name.
        reason: &'static str,
    },
    /// The copy that is kept before a migration cannot be made.
    #[error(
        "não foi possível guardar em {copy} uma cópia de {path}, que é de uma versão anterior, antes de atualizá-lo: \
         {reason}. Nada foi alterado; resolva isso e inicie o servidor de novo"
    )]
    NoCopyKept {
        /// The database.
        path: String,
        /// The name of the copy.
        copy: String,
        /// The reason why the copy cannot be made.
        reason: String,
    },
    /// The copy to restore is the database itself, or a file of it.
    #[error(
        "{path} é o próprio banco de dados, ou um arquivo dele, e não uma cópia. Nada foi alterado; indique a cópia"
    )]
    OwnCopy {
        /// The file.
        path: String,
    },
    /// The file system refused an action.
    #[error("não foi possível {action} {path}: {}. Nada foi alterado; confira a pasta, as permissões e o disco", describe(.error))]
    Io {
        /// The action that failed, as an infinitive.
        action: &'static str,
        /// The file.
        path: String,
        /// The error of the system.
        error: std::io::Error,
    },
    /// The database refused an action.
    #[error("não foi possível {action} o banco de dados {path}: {reason}")]
    Failed {
        /// The action that failed, as an infinitive.
        action: &'static str,
        /// The database.
        path: String,
        /// The reason, and what to do next.
        reason: String,
    },
}

impl StoreError {
    /// Whether the error says that this file was moved, rewritten or cut.
    fn is_of(&self, file: &Path) -> bool {
        match self {
            Self::Moved { path } | Self::Rewritten { path } | Self::Cut { path } => Path::new(path) == file,
            _ => false,
        }
    }

    /// Why a transaction did not begin, if the error means that nothing was written and nothing is in
    /// doubt. The text is for clients, so it has no paths of the server; `Display` shows them to the
    /// operator.
    pub fn why_not_begun(&self) -> Option<&'static str> {
        match self {
            Self::Busy { .. } => Some("outro programa está usando o banco de dados há tempo demais"),
            Self::Moved { .. } => Some(
                "um arquivo do banco de dados foi apagado, movido ou trocado enquanto o servidor o usava",
            ),
            Self::Rewritten { .. } => {
                Some("o banco de dados foi regravado por outro programa enquanto o servidor o usava")
            }
            Self::Cut { .. } => Some("um arquivo do banco de dados foi cortado enquanto o servidor o usava"),
            Self::Unlocked { .. } => Some(
                "a trava do banco de dados foi apagada, movida ou trocada, e outro servidor pode estar usando-o",
            ),
            _ => None,
        }
    }
}
