//! `backup`: copies a database.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::Error;
use super::database::DATA_DEFAULT;
use super::verify::{print_verified, show_step};
use crate::progress_bar::ProgressBar;
use crate::store::sqlite;

/// Copia o banco de dados, também enquanto um servidor o usa
#[derive(Debug, Args)]
#[command(after_help = "Exemplo:\n  hortifruti backup copia.db")]
pub(super) struct Backup {
    /// Arquivo da cópia
    #[arg(value_name = "ARQUIVO", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    /// Banco de dados a copiar. O padrão é hortifruti.db
    #[arg(long, value_name = "ARQUIVO", default_value = DATA_DEFAULT, hide_default_value = true, value_hint = clap::ValueHint::FilePath)]
    data: PathBuf,
    /// Substitui uma cópia que já existe, quando a nova estiver pronta
    #[arg(long)]
    force: bool,
}

impl Backup {
    pub(super) fn run(self) -> Result<(), Error> {
        let mut progress = ProgressBar::new();
        let copied = sqlite::back_up(&self.data, &self.file, self.force, &mut show_step(&mut progress));
        drop(progress);
        let copied = copied.context("a cópia não foi feita")?;
        print_verified(&format!("Cópia feita e conferida em {}.", self.file.display()), &copied)
    }
}
