//! `backup`: a copy of a database.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::verify::{tell_step, tell_verified};
use super::{DATA_DEFAULT, Error, HELP_TEMPLATE};
use crate::progress_bar::ProgressBar;
use crate::store::sqlite;

/// Copia o banco de dados, também enquanto um servidor o usa
#[derive(Debug, Args)]
#[command(
    help_template = HELP_TEMPLATE,
    next_help_heading = "Opções",
    override_usage = "hortifruti backup [OPÇÕES] <ARQUIVO>",
    after_help = "Para restaurar uma cópia, com o servidor parado: hortifruti restore ARQUIVO."
)]
pub(super) struct Backup {
    /// Onde fica a cópia
    #[arg(value_name = "ARQUIVO", value_hint = clap::ValueHint::FilePath, help_heading = "Argumentos")]
    file: PathBuf,
    /// Banco de dados a copiar. O padrão é hortifruti.db
    #[arg(long, value_name = "ARQUIVO", default_value = DATA_DEFAULT, hide_default_value = true, value_hint = clap::ValueHint::FilePath)]
    data: PathBuf,
    /// Troca um arquivo que já existe, quando a cópia estiver pronta
    #[arg(long)]
    force: bool,
}

impl Backup {
    pub(super) fn run(self) -> Result<(), Error> {
        let mut progress = ProgressBar::new();
        let copied = sqlite::back_up(&self.data, &self.file, self.force, &mut tell_step(&mut progress));
        drop(progress);
        let copied = copied.context("a cópia não foi feita")?;
        tell_verified(&format!("Cópia feita e conferida em {}.", self.file.display()), &copied)
    }
}
