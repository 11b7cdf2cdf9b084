//! Failures of the engine and of the connection to it.

use std::fmt;

use tokio_postgres::error::{DbError, Severity, SqlState};

use super::address::Address;
use crate::store::StoreError;

/// The codes of the errors that this program's own functions in the database raise.
pub(super) const FENCED: &str = "HF001";
pub(super) const OTHER_END: &str = "HF002";

/// Why a statement has no result.
#[derive(Debug)]
pub(super) enum Failure {
    /// The engine refused the statement, and stored nothing.
    Refused(Box<DbError>),
    /// The connection failed, or the engine did not promise what it was asked for. Whether a change is stored is
    /// not known.
    Lost(String),
    /// The engine has a value that this program never writes.
    BadValue(String),
}

impl Failure {
    /// Whether the engine refused the statement with this code.
    pub(super) fn is(&self, code: &str) -> bool {
        matches!(self, Self::Refused(error) if error.code().code() == code)
    }

    /// Whether the same statement may succeed if it is sent again: the engine undid it for another transaction.
    pub(super) fn is_worth_repeating(&self) -> bool {
        let codes = [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::LOCK_NOT_AVAILABLE,
        ];
        matches!(self, Self::Refused(error) if codes.contains(error.code()))
    }

    /// Whether a row of this constraint existed already.
    pub(super) fn is_duplicate_of(&self, constraint: &str) -> bool {
        matches!(self, Self::Refused(error)
            if *error.code() == SqlState::UNIQUE_VIOLATION && error.constraint() == Some(constraint))
    }

    /// The failure of an action on a database.
    pub(super) fn into_error(self, action: &'static str, address: &Address) -> StoreError {
        let database = address.to_string();
        match self {
            Self::Refused(error) => StoreError::Refused { action, database, reason: explanation(&error) },
            Self::Lost(reason) => StoreError::Unanswered { database, reason },
            Self::BadValue(reason) => StoreError::Corrupt { path: database, reason },
        }
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(refusal) if is_definite(refusal) => Self::Refused(Box::new(refusal.clone())),
            Some(refusal) => Self::Lost(explanation(refusal)),
            None if error.is_closed() => Self::Lost("a conexão foi encerrada".to_owned()),
            None => Self::Lost(shown(&error)),
        }
    }
}

/// Whether an error means that the statement stored nothing. After an error of another severity the connection is
/// gone, and a statement whose completion is unknown (40003) or whose connection failed (class 08) may be stored.
fn is_definite(error: &DbError) -> bool {
    error.parsed_severity() == Some(Severity::Error)
        && *error.code() != SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN
        && !error.code().code().starts_with("08")
}

/// An error of the library with its cause.
pub(super) fn shown(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// A frequent error of the engine in Portuguese, with what to do next; the engine's own words for any other.
pub(super) fn explanation(error: &DbError) -> String {
    let code = error.code();
    let what = match code.code() {
        "53100" => "o disco do banco está cheio. Libere espaço e tente de novo",
        "42501" => "falta permissão ao usuário do banco. Veja as permissões em docs/postgres.md",
        "28P01" => {
            "o banco recusou o usuário ou a senha. Confira o endereço, PGPASSWORD ou o arquivo de senhas"
        }
        "28000" => {
            "o banco não deixa este usuário entrar assim. Confira o usuário e sslmode no endereço, e pg_hba.conf"
        }
        "3D000" => "não há um banco com esse nome. Crie-o com createdb, ou confira o endereço",
        "53300" => "o banco não aceita mais conexões. Aumente max_connections, ou encerre outros programas",
        "57P03" => "o banco está iniciando ou parando. Espere, e tente de novo",
        "25006" => "o banco só aceita leituras. Confira os hosts do endereço",
        _ => return format!("{} ({})", error.message(), code.code()),
    };
    format!("{what} ({}: {})", code.code(), error.message())
}

/// A value that this program never writes.
pub(super) fn bad_value(what: impl fmt::Display) -> Failure {
    Failure::BadValue(what.to_string())
}
