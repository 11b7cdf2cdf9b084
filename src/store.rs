//! The store: [`Store`] makes changes durable for the inventory's writer, and [`Ledger`] lets readers see the
//! ledger. Both know rows, and no operations.

pub mod sqlite;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use foldhash::quality::RandomState;

use crate::catalog::{Catalog, Document, Kind, Movement, RequestId, RequestRecord, Transaction};
use crate::io_error::describe;

/// A durable home for one catalog. It has one user, the inventory's writer.
pub trait Store: Send {
    /// Loads the catalog; `None` if the store is new.
    ///
    /// # Errors
    /// If the store cannot be read, or does not hold a catalog.
    fn load(&mut self) -> Result<Option<Catalog>, StoreError>;

    /// Makes a new store one that holds these changes and nothing else, at once: a store
    /// is never seen half made.
    ///
    /// # Errors
    /// If [`Store::commit`] would fail.
    fn create(&mut self, opening: &Transaction) -> Result<(), StoreError>;

    /// Looks up what was stored under those of these request ids that are known. An id is kept for ever.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn recorded(&mut self, request_ids: &[&RequestId]) -> Result<RecordedById, StoreError>;

    /// So many rows of the ledger, from this sequence number on.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn rows(&mut self, first_sequence: i64, count: usize) -> Result<Vec<LedgerRow>, StoreError>;

    /// The movements of one product, newest first, from this one of them on, `count_max` at most: those
    /// after the movement `after`, and the last one up to it.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn movements_back(
        &mut self,
        last: i64,
        after: i64,
        count_max: usize,
    ) -> Result<Vec<Movement>, StoreError>;

    /// Whether it can be asked and written as it is, and need not be opened anew first, which
    /// waits for other programs.
    fn is_ready(&self) -> bool;

    /// Stores all of the changes or none, and returns once they are on disk. If another program has the
    /// store, `wait` says whether to wait for it.
    ///
    /// # Errors
    /// Whether the changes are stored is then in doubt, and the store must not be
    /// used before [`Store::reopen`] has told; except after an error that
    /// [`StoreError::why_not_begun`] knows, which comes before anything was written.
    fn commit(&mut self, changes: &Transaction, wait: Wait) -> Result<(), StoreError>;

    /// After [`StoreError::Rewritten`], which a mere `touch` of a file is enough for: reads everything that is
    /// stored, and takes it for ours if it is whole and is this catalog. May last.
    ///
    /// # Errors
    /// If it is not, or that cannot be found out: one that [`StoreError::why_not_begun`] knows.
    fn prove(&mut self, catalog: &Catalog) -> Result<(), StoreError>;

    /// Gives back room that is not needed any more. Called every second or so, between transactions,
    /// and waits for no other program.
    ///
    /// # Errors
    /// If the room cannot be given back; nothing is lost by that.
    fn tidy(&mut self) -> Result<(), StoreError>;

    /// The ledger for readers, once the store is loaded or created.
    fn ledger(&self) -> Arc<dyn Ledger>;

    /// Makes the next opening quick, if that can be done. The store is not used afterwards.
    ///
    /// # Errors
    /// If the last changes are not where the next opening looks for them.
    fn close(&mut self) -> Result<(), StoreError>;

    /// After a failed commit: opens the store anew, makes sure that what it shows is on
    /// disk, and tells whether these changes are in it.
    ///
    /// # Errors
    /// If the store cannot be asked. It may be tried again later.
    fn reopen(&mut self, in_doubt: &Transaction) -> Result<bool, StoreError>;
}

/// The ledger as readers see it, beside the writer: they never hold it, and it never holds them.
///
/// A read may wait for the disk, so it belongs on a thread that may. `through` is the last movement that
/// the reader may see, the last one that is published.
pub trait Ledger: Send + Sync {
    /// The row with this number.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn row(&self, sequence: i64, through: i64) -> Result<Option<LedgerRow>, StoreError>;

    /// A page of rows, newest first. It may be short, or empty, and yet have a next page.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn page(&self, query: &LedgerQuery) -> Result<LedgerPage, StoreError>;

    /// The number of the first movement that was recorded at this time or later; `through + 1` if there is
    /// none.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn first_since(&self, time: SystemTime, through: i64) -> Result<i64, StoreError>;

    /// Calls with some of the movements from `from` up to `to`, in order and without request ids, that
    /// are neither undone nor an undo. Returns where to go on, if there may be more.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn visit(
        &self,
        from: i64,
        to: i64,
        through: i64,
        visit: &mut dyn FnMut(&Movement),
    ) -> Result<Option<i64>, StoreError>;
}

/// A query of the ledger: its rows from one number down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerQuery {
    /// The row to begin at, or the next below it. For one product, one of its movements: its last, or
    /// [`LedgerPage::next`] of the page before.
    pub start: i64,
    /// Whether only the movements of the product of `start` are asked for.
    pub of_one_product: bool,
    /// The highest and the lowest number that are asked for.
    pub highest: i64,
    pub lowest: i64,
    /// The last movement that the reader may see.
    pub through: i64,
    /// Only movements of this kind.
    pub kind: Option<Kind>,
    /// Most rows of the page.
    pub count_max: usize,
}

/// Rows of the ledger, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerPage {
    /// The rows.
    pub rows: Vec<LedgerRow>,
    /// The row at which the next page begins, if there may be more.
    pub next: Option<i64>,
}

/// Whether a commit waits for another program that has the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Waits for some seconds.
    ForOthers,
    /// Fails with [`StoreError::Busy`].
    Never,
}

/// The requests that are known by their ids. Clients choose the ids, so the hash is seeded.
pub type RecordedById = HashMap<RequestId, Recorded, RandomState>;

/// The request that is known by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// A lone change of a stock.
    Movement(Movement),
    /// Any other request.
    Request(RequestRecord),
}

/// A row of the ledger, with its links to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// The movement.
    pub movement: Movement,
    /// The movements that were made with this one.
    pub document: Document,
    /// The movement that this one undoes; 0 for none.
    pub undoes: i64,
    /// The movement that undid this one; 0 for none.
    pub undone_by: i64,
}

/// A failure of a store: the operator's business, told with the path and what was tried.
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
        "{path} é outro nome de um banco de dados em uso ({holder}), e as últimas mudanças estão ao lado do nome \
         que o servidor usa. Nada foi alterado; indique aquele nome, ou pare o servidor antes"
    )]
    OtherName {
        /// The database, by this name.
        path: String,
        /// The server that has it.
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
    /// The file is a database, but not one of ours, or of a later version.
    #[error(
        "{path} não serve como banco de dados do hortifruti: {reason}. O arquivo não foi alterado; indique outro"
    )]
    NotOurs {
        /// The file.
        path: String,
        /// The kind of file that it is instead.
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
    /// The stored rows contradict each other.
    #[error("o banco de dados {path} está corrompido: {reason}. Nada foi alterado; restaure uma cópia")]
    Corrupt {
        /// The database.
        path: String,
        /// The place of the damage.
        reason: String,
    },
    /// The log of the database does not fit it, or lacks what was answered.
    #[error(
        "o registro {path}{suffix} {reason}. Nada foi alterado; devolva os arquivos ao lugar, ou ponha uma cópia \
         lá com `hortifruti restore`, que guarda o que havia. Só se o banco que está aí serve sem o que está no \
         registro, que se perde, apague antes {path}{suffix} e {path}-shm"
    )]
    Log {
        /// The database.
        path: String,
        /// The end of the log's name, after the database's name.
        suffix: &'static str,
        /// The fault of the log.
        reason: &'static str,
    },
    /// The time of the database file is another than when its server wrote it last.
    #[error(
        "a data de {path} mudou depois da última gravação do servidor, e as últimas mudanças confirmadas estão em \
         {path}-wal: ou só a data mudou, ou outro programa regravou o arquivo. Nada foi alterado. Se tem certeza \
         de que só a data mudou (um touch, por exemplo), devolva-a com `{command}` e tente de novo; se não, ponha \
         uma cópia no lugar com `hortifruti restore CÓPIA`, que guarda o que havia. Não apague {path}-wal: o que \
         está nele se perderia"
    )]
    Dated {
        /// The database.
        path: String,
        /// The command that sets the time back.
        command: String,
    },
    /// A file of the database is not where it was when it was opened.
    #[error(
        "{path} foi apagado, movido ou trocado enquanto o servidor o usava. Nada foi alterado; devolva-o ao \
         lugar, ou pare o servidor e restaure uma cópia"
    )]
    Moved {
        /// The file.
        path: String,
    },
    /// Another program put something else in the place of the database's content.
    #[error(
        "{path} foi regravado por outro programa enquanto o servidor o usava. Nada foi alterado, e as últimas \
         mudanças confirmadas ficam em {path}-wal; pare o servidor e ponha uma cópia no lugar com \
         `hortifruti restore`, que guarda o que está lá"
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
    /// The lock file is not where it was, so that another server may have the database.
    #[error(
        "{path} foi apagado, movido ou trocado, e outro servidor pode estar usando o mesmo banco de dados. Nada \
         foi alterado; pare os dois e inicie um só"
    )]
    Unlocked {
        /// The lock file.
        path: String,
    },
    /// A file that is none of the database's has a name that it uses.
    #[error(
        "{path} está no caminho: o banco de dados usa esse nome, e {obstacle}. Nada foi alterado; mude-o de lugar, \
         ou indique outro banco de dados"
    )]
    InTheWay {
        /// The file.
        path: String,
        /// The kind of thing that has the name.
        obstacle: String,
    },
    /// A copy would take the place of a file.
    #[error("{path} já existe. Nada foi alterado; escolha outro nome, ou use --force para trocá-lo")]
    Exists {
        /// The file.
        path: String,
    },
    /// A copy cannot be made there.
    #[error("não há como copiar para {path}: {reason}. Nada foi alterado; escolha outro nome")]
    NoCopy {
        /// The file.
        path: String,
        /// Why not.
        reason: &'static str,
    },
    /// The copy that is made before a database is taken to a later schema cannot be made.
    #[error(
        "não foi possível guardar em {copy} uma cópia de {path}, que é de uma versão anterior, antes de atualizá-lo: \
         {reason}. Nada foi alterado; resolva isso e inicie o servidor de novo"
    )]
    NoCopyKept {
        /// The database.
        path: String,
        /// The name of the copy.
        copy: String,
        /// Why it cannot be made.
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
    /// The file system refused something.
    #[error("não foi possível {action} {path}: {}. Nada foi alterado; confira a pasta, as permissões e o disco", describe(.error))]
    Io {
        /// The action that failed, as an infinitive.
        action: &'static str,
        /// On which file.
        path: String,
        /// The error of the system.
        error: std::io::Error,
    },
    /// The database could not do something.
    #[error("não foi possível {action} o banco de dados {path}: {reason}")]
    Failed {
        /// The action that failed, as an infinitive.
        action: &'static str,
        /// In which database.
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

    /// Why a transaction did not begin, if the error says that: then nothing was written, and nothing
    /// is in doubt. The text is for clients, so it has none of the server's paths, which `Display`
    /// shows to the operator.
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
