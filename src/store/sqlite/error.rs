//! Conversion of SQLite's and the system's errors to [`StoreError`], with the action and the file.

use std::path::Path;

use rusqlite::{ErrorCode, ffi};

use crate::platform::advice::CHECK_DISK;
use crate::store::StoreError;

/// A failure of SQLite at an action on a database.
pub(super) fn sqlite(action: &'static str, path: &Path) -> impl Fn(rusqlite::Error) -> StoreError {
    move |error| match (error.sqlite_error_code(), &error) {
        (Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked), _) => {
            StoreError::Busy { path: shown(path) }
        }
        // A stored value that this program never writes.
        (_, rusqlite::Error::FromSqlConversionFailure(_, _, reason)) => corrupt(path, reason.to_string()),
        (Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase), _)
        | (_, rusqlite::Error::InvalidColumnType(..)) => {
            corrupt(path, format!("uma parte dele não pode ser lida ({error})"))
        }
        _ => StoreError::Failed { action, path: shown(path), reason: explanation(&error) },
    }
}

/// An error for a value in this column that this program never writes.
pub(super) fn bad_value(
    index: usize,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Null, error.into())
}

/// A frequent error of SQLite in Portuguese, with what to do next; SQLite's own words for any other.
pub(super) fn explanation(error: &rusqlite::Error) -> String {
    let what = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "o disco está cheio. Libere espaço e tente de novo",
        Some(ErrorCode::CannotOpen) => "não pôde ser aberto. Confira a pasta e as permissões",
        // SQLite would first have to undo an interrupted write, which a reader may not.
        Some(ErrorCode::ReadOnly) if is_half_written(error) => {
            "outro programa, ou uma restauração, foi interrompido enquanto gravava nele. Inicie o servidor, ou repita \
             `hortifruti restore`: cada um desfaz o que ficou pela metade"
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            "o arquivo ou a pasta só permite leitura. Confira as permissões"
        }
        Some(ErrorCode::SystemIoFailure) => {
            return format!(
                "o disco falhou ou está cheio, ou o arquivo chegou ao maior tamanho permitido ({error}). \
                 {CHECK_DISK}, e tente de novo"
            );
        }
        _ => return error.to_string(),
    };
    what.to_owned()
}

pub(super) fn is_half_written(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_READONLY_ROLLBACK)
}

pub(super) fn corrupt(path: &Path, reason: String) -> StoreError {
    StoreError::Corrupt { path: shown(path), reason }
}

pub(super) fn not_ours(path: &Path, reason: impl Into<String>) -> StoreError {
    StoreError::NotOurs { path: shown(path), reason: reason.into() }
}

/// A failure of the file system at an action on a file.
pub(super) fn io(action: &'static str, path: &Path) -> impl Fn(std::io::Error) -> StoreError {
    let path = shown(path);
    move |error| StoreError::Io { action, path: path.clone(), error }
}

pub(super) fn shown(path: &Path) -> String {
    path.display().to_string()
}
