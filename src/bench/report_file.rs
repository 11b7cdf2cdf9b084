//! The file of a report, which is written completely or not at all, and replaces only an earlier report.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::io_error::describe;
use crate::private_file::{AtomicFile, NameState};

/// A report that will be written to a file.
pub(super) struct ReportFile {
    path: PathBuf,
    made: AtomicFile,
    is_report: fn(&[u8]) -> bool,
}

impl ReportFile {
    /// Checks that the report can be written, before time is spent on the measurement.
    pub(super) fn begin(path: &Path, is_report: fn(&[u8]) -> bool) -> anyhow::Result<Self> {
        match NameState::at(path, is_report).map_err(|error| not_written(path, describe(&error)))? {
            NameState::Free | NameState::Ours => {}
            NameState::Other(obstacle) => return Err(not_replaced(path, obstacle)),
        }
        let made = AtomicFile::begin_shared(path).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => not_written(path, "outra medição, ou a outra opção, escreve nele"),
            _ => not_written(path, describe(&error)),
        })?;
        Ok(Self { path: path.to_owned(), made, is_report })
    }

    pub(super) fn finish(self, content: &str) -> anyhow::Result<()> {
        let Self { path, made, is_report } = self;
        let written = made.file().write_all(content.as_bytes());
        written.and_then(|()| made.finish_over(is_report)).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => not_replaced(&path, &error),
            _ => not_written(&path, describe(&error)),
        })
    }
}

fn not_replaced(path: &Path, what: impl std::fmt::Display) -> anyhow::Error {
    not_written(path, format!("{what}, e só um relatório anterior pode ser substituído. Escolha outro nome"))
}

fn not_written(path: &Path, what: impl std::fmt::Display) -> anyhow::Error {
    anyhow::anyhow!("não foi possível escrever {}: {what}", path.display())
}
