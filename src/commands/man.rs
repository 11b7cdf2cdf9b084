//! `man`: the manual pages.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Command};

use super::Error;
use crate::io_error::describe;

/// Escreve as páginas de manual, uma para cada comando
#[derive(Debug, Args)]
#[command(after_help = "Exemplo:\n  hortifruti man ~/.local/share/man/man1")]
pub(super) struct Man {
    /// Pasta das páginas, criada se não existe
    #[arg(value_name = "PASTA", value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
}

impl Man {
    pub(super) fn run(self, program: Command) -> Result<(), Error> {
        let folder = &self.folder;
        fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(program, folder)).map_err(
            |error| {
                anyhow::anyhow!(
                    "as páginas de manual não foram escritas em {}: {}. Confira a pasta e as permissões",
                    folder.display(),
                    describe(&error)
                )
            },
        )?;
        Ok(())
    }
}
