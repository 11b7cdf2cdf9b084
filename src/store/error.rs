//! Failures of a store, for the operator, and what clients hear of them.

use std::path::Path;

use crate::io_error::describe;

/// A failure of a store. The messages are for the operator, and name the path and the action.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another server uses the same data.
    #[error(
        "o banco de dados {path} já está em uso{by}. Nada foi alterado; use aquele servidor ou pare-o antes, ou indique outro banco de dados"
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
    /// The database file's time is not that of its server's last write, and its content could not be proven.
    #[error(
        "a data de {path} mudou depois da última gravação do servidor, e as últimas mudanças confirmadas estão em \
         {path}-wal. O conteúdo não pôde ser confirmado: ou só a data mudou, ou outro programa regravou o arquivo. \
         Nada foi alterado. Se tem certeza \
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
    /// A database server did not answer, or not as it must. Whether a change is stored is not known.
    #[error("o banco de dados {database} não respondeu: {reason}. Confira o banco e a rede")]
    Unanswered {
        /// The address of the database.
        database: String,
        /// The reason.
        reason: String,
    },
    /// No database server can be reached.
    #[error(
        "não foi possível falar com o banco de dados {database}: {reason}. Nada foi alterado; confira o banco e a rede"
    )]
    Unreachable {
        /// The address of the database.
        database: String,
        /// The reason, of each host.
        reason: String,
    },
    /// The database server refused an action, and stored nothing.
    #[error("não foi possível {action} o banco de dados {database}: {reason}. Nada foi alterado")]
    Refused {
        /// The action that failed, as an infinitive.
        action: &'static str,
        /// The address of the database.
        database: String,
        /// The reason, and what to do next.
        reason: String,
    },
    /// The database server cannot be used as it is.
    #[error("o banco de dados {database} não pode ser usado: {reason}. Nada foi alterado")]
    Unfit {
        /// The address of the database.
        database: String,
        /// The reason, and what to do next.
        reason: String,
    },
    /// Another server writes for the shop now.
    #[error("outro servidor ({holder}) assumiu a loja no banco de dados {database}. Nada foi alterado")]
    Deposed {
        /// The address of the database.
        database: String,
        /// The address of the other server.
        holder: String,
    },
    /// The database server lacks changes that were answered.
    #[error(
        "o banco de dados {database} perdeu mudanças confirmadas: acaba na {end}, e a última confirmada é a {known}. O \
         servidor não aceita mais mudanças; recupere o banco que as tem, ou inicie de novo todos os servidores da \
         loja para ir em frente sem elas"
    )]
    Lost {
        /// The address of the database.
        database: String,
        /// The last change that is stored.
        end: i64,
        /// The last change that was answered.
        known: i64,
    },
    /// Another program wrote into the ledger.
    #[error(
        "outro programa gravou no banco de dados {database} a mudança {end}. O servidor não aceita mais \
         mudanças; confira o banco com `hortifruti verify` e inicie o servidor de novo"
    )]
    Foreign {
        /// The address of the database.
        database: String,
        /// The last change that is stored.
        end: i64,
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
    pub(super) fn is_of(&self, file: &Path) -> bool {
        match self {
            Self::Moved { path } | Self::Rewritten { path } | Self::Cut { path } => Path::new(path) == file,
            _ => false,
        }
    }

    /// The kind of the failure: a word for programs, as in metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::InUse { .. } => "in_use",
            Self::OtherName { .. } => "other_name",
            Self::LogElsewhere { .. } => "log_elsewhere",
            Self::NotOurs { .. } => "not_ours",
            Self::Busy { .. } => "busy",
            Self::Corrupt { .. } => "corrupt",
            Self::Log { .. } => "log",
            Self::Dated { .. } => "dated",
            Self::Moved { .. } => "moved",
            Self::Rewritten { .. } => "rewritten",
            Self::Cut { .. } => "cut",
            Self::Unlocked { .. } => "unlocked",
            Self::InTheWay { .. } => "in_the_way",
            Self::Exists { .. } => "exists",
            Self::NoCopy { .. } => "no_copy",
            Self::NoCopyKept { .. } => "no_copy_kept",
            Self::OwnCopy { .. } => "own_copy",
            Self::Io { .. } => "io",
            Self::Unanswered { .. } => "unanswered",
            Self::Unreachable { .. } => "unreachable",
            Self::Refused { .. } => "refused",
            Self::Unfit { .. } => "unfit",
            Self::Deposed { .. } => "deposed",
            Self::Lost { .. } => "lost",
            Self::Foreign { .. } => "foreign",
            Self::Failed { .. } => "failed",
        }
    }

    /// The consequence of a failed commit for the writer. The texts are for clients, so they have no paths of the
    /// server; `Display` shows them to the operator.
    pub fn consequence(&self) -> Consequence {
        match self {
            Self::Busy { .. } => {
                Consequence::NotBegun("outro programa está usando o banco de dados há tempo demais")
            }
            Self::Moved { .. } => Consequence::NotBegun(
                "um arquivo do banco de dados foi apagado, movido ou trocado enquanto o servidor o usava",
            ),
            Self::Rewritten { .. } => Consequence::NotBegun(
                "o banco de dados foi regravado por outro programa enquanto o servidor o usava",
            ),
            Self::Cut { .. } => {
                Consequence::NotBegun("um arquivo do banco de dados foi cortado enquanto o servidor o usava")
            }
            Self::Unlocked { .. } => Consequence::NotBegun(
                "a trava do banco de dados foi apagada, movida ou trocada, e outro servidor pode estar usando-o",
            ),
            Self::Unreachable { .. } => Consequence::NotBegun("o servidor do banco de dados não responde"),
            Self::Refused { .. } => Consequence::NotBegun("o banco de dados recusou a operação"),
            Self::Deposed { .. } => Consequence::Deposed,
            Self::Lost { .. } => Consequence::Closed("o banco de dados perdeu mudanças confirmadas"),
            Self::Foreign { .. } => Consequence::Closed("outro programa gravou no banco de dados desta loja"),
            _ => Consequence::InDoubt,
        }
    }
}

/// The consequence of a failed commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// Nothing was written and nothing is in doubt, for this reason.
    NotBegun(&'static str),
    /// Whether the changes are stored is not known until the store is settled.
    InDoubt,
    /// Nothing was written: another server writes for the shop. After [`Store::settle`](super::Store::settle),
    /// the transaction in doubt is not stored.
    Deposed,
    /// The store takes no changes until the server is started again, for this reason. A transaction in doubt stays
    /// so.
    Closed(&'static str),
}
