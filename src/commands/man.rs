//! `man`: the manual pages.

use std::fs;
use std::path::PathBuf;

use clap::{Args, CommandFactory};

use super::{Cli, Error, HELP_TEMPLATE};
use crate::io_error::describe;

/// Escreve as páginas de manual, uma para cada comando
#[derive(Debug, Args)]
#[command(help_template = HELP_TEMPLATE, next_help_heading = "Opções", override_usage = "hortifruti man <PASTA>")]
pub(super) struct Man {
    /// Pasta das páginas, criada se não existe
    #[arg(value_name = "PASTA", value_hint = clap::ValueHint::DirPath, help_heading = "Argumentos")]
    folder: PathBuf,
}

impl Man {
    pub(super) fn run(self) -> Result<(), Error> {
        let folder = &self.folder;
        fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Cli::command(), folder)).map_err(
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
