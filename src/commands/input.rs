//! The files that subcommands read.

use std::io::{self, ErrorKind, Read};
use std::path::Path;

use anyhow::bail;

use super::output::STANDARD;
use crate::io_error::describe;
use crate::price_list::FILE_BYTES_MAX;

/// Reads a file, or standard input. `undone` is the part of an error that says what did not happen.
pub(super) fn read_file(path: &Path, undone: &str) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = FILE_BYTES_MAX as u64 + 1;
    let read = if path == Path::new(STANDARD) {
        io::stdin().take(limit).read_to_end(&mut bytes)
    } else if path.is_dir() {
        // Not every system says so of a folder that is opened.
        Err(ErrorKind::IsADirectory.into())
    } else {
        std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    let shown = path.display();
    if let Err(error) = read {
        let why = describe(&error);
        bail!("não foi possível ler {shown}: {why}. {undone}; confira o nome do arquivo");
    }
    if bytes.len() > FILE_BYTES_MAX {
        bail!("{shown} tem mais de {FILE_BYTES_MAX} bytes. {undone}; divida a lista");
    }
    Ok(bytes)
}
