//! Dated copies of a database in a folder, of which the oldest give way to a new one.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::backup::back_up_from;
use super::error::{io as failed, shown, sqlite};
use super::names::now;
use super::schema::{SCHEMA_VERSION, is_ours};
use super::verify::Source;
use crate::private_file::{self, NameState};
use crate::store::StoreError;
use crate::store::check::{Step, Verified};

/// The end of the name of a dated copy.
const SUFFIX: &str = ".db";

/// The form of the date in a copy's name; `0` stands for a digit.
const DATE: &str = "0000-00-00T000000";

/// A copy that was made and checked.
#[derive(Debug)]
pub struct Dated {
    /// The copy.
    pub copy: PathBuf,
    /// The contents of the copy.
    pub verified: Verified,
    /// The older copies that were removed.
    pub removed: Vec<PathBuf>,
    /// The older copy that could not be removed, and why; after it, none was tried.
    pub left: Option<(PathBuf, io::Error)>,
}

/// Copies the database as [`back_up`](super::back_up) does, to a file in `folder` with the database's name and the
/// date, such as `hortifruti-2026-11-29T183015.db`. Once the copy is checked and on disk, removes the oldest of such
/// copies, so that `keep` are left, or the new one alone. Other files of the folder are left alone, whatever their
/// names, and so are copies with a later date.
///
/// # Errors
/// If [`back_up`](super::back_up) would fail, or the folder cannot be made. Then no copy was removed.
pub fn back_up_dated(
    database: &Path,
    folder: &Path,
    keep: usize,
    report: &mut dyn FnMut(Step, u64, u64),
) -> Result<Dated, StoreError> {
    let stem = database.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    // The folder is made once there is something to copy.
    let mut source = Source::open(database, SCHEMA_VERSION..=SCHEMA_VERSION)?;
    fs::create_dir_all(folder).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => StoreError::NoCopy { path: shown(folder), reason: "não é uma pasta" },
        _ => failed("criar", folder)(error),
    })?;
    let date = now().map_err(sqlite("copiar", database))?;
    let copy = folder.join(format!("{stem}-{date}{SUFFIX}"));
    let verified = back_up_from(&mut source, &copy, false, report)?;
    let mut dated = Dated { copy, verified, removed: Vec::new(), left: None };
    // A copy with a later date was made by a wrong clock. It does not count: with some of them, each night would remove
    // the copy of the night before.
    let mut others: Vec<_> = match copies(folder, &stem) {
        Ok(copies) => copies.into_iter().filter(|other| *other < dated.copy).collect(),
        Err(error) => {
            dated.left = Some((folder.to_owned(), error));
            return Ok(dated);
        }
    };
    others.sort();
    others.truncate((others.len() + 1).saturating_sub(keep.max(1)));
    for other in others {
        match private_file::remove(&other) {
            Ok(()) => dated.removed.push(other),
            Err(error) => {
                dated.left = Some((other, error));
                break;
            }
        }
    }
    Ok(dated)
}

/// The dated copies of a database of this name in a folder.
fn copies(folder: &Path, stem: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_dated = name.to_str().is_some_and(|name| is_dated(name, stem));
        if is_dated && NameState::at(&entry.path(), is_ours)? == NameState::Ours {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Whether a name is that of a dated copy of a database of this name.
fn is_dated(name: &str, stem: &str) -> bool {
    let date = name.strip_prefix(stem).and_then(|rest| rest.strip_prefix('-')?.strip_suffix(SUFFIX));
    let is_like = |(given, form): (u8, u8)| match form {
        b'0' => given.is_ascii_digit(),
        form => given == form,
    };
    date.is_some_and(|date| date.len() == DATE.len() && date.bytes().zip(DATE.bytes()).all(is_like))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_dated_names_are_copies() {
        assert!(is_dated("hortifruti-2026-11-29T183015.db", "hortifruti"));
        for name in [
            "hortifruti.db",
            "hortifruti-2026-11-29.db",
            "hortifruti-2026-11-29T183015.db-wal",
            "hortifruti-2026-11-29T18301x.db",
            "hortifruti2026-11-29T183015.db",
            "filial-2026-11-29T183015.db",
            "hortifruti-filial-2026-11-29T183015.db",
            "hortifruti-2026-11-29T183015-2.db",
        ] {
            assert!(!is_dated(name, "hortifruti"), "{name}");
        }
    }
}
