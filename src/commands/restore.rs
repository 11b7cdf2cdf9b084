//! `restore`: a copy in the place of a database.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::verify::{tell_step, tell_verified};
use super::{DATA_DEFAULT, Error, HELP_TEMPLATE};
use crate::progress_bar::ProgressBar;
use crate::store::sqlite::{self, Restored};

/// Põe uma cópia no lugar do banco de dados, e guarda o que havia
#[derive(Debug, Args)]
#[command(
    help_template = HELP_TEMPLATE,
    next_help_heading = "Opções",
    override_usage = "hortifruti restore [OPÇÕES] <ARQUIVO>",
    after_help = "Pare antes o servidor. O banco anterior fica ao lado, com a data e a hora no nome, como hortifruti.db.2026-11-29T183015.\nExemplo: hortifruti restore copia.db"
)]
pub(super) struct Restore {
    /// A cópia, como `hortifruti backup` a fez
    #[arg(value_name = "ARQUIVO", value_hint = clap::ValueHint::FilePath, help_heading = "Argumentos")]
    file: PathBuf,
    /// Banco de dados cujo lugar ela toma. O padrão é hortifruti.db
    #[arg(long, value_name = "ARQUIVO", default_value = DATA_DEFAULT, hide_default_value = true, value_hint = clap::ValueHint::FilePath)]
    data: PathBuf,
}

impl Restore {
    pub(super) fn run(self) -> Result<(), Error> {
        let mut progress = ProgressBar::new();
        let restored = sqlite::restore(&self.file, &self.data, &mut tell_step(&mut progress));
        drop(progress);
        let Restored { verified, earlier_schema, kept } = restored.context("a cópia não foi restaurada")?;
        let (copy, data) = (self.file.display(), self.data.display());
        let mut what = format!("Cópia {copy} conferida e posta no lugar de {data}.");
        if let Some(version) = earlier_schema {
            what += &format!(" Era de uma versão anterior (esquema {version}), e foi atualizada.");
        }
        // The paths are shown with the folder as the person named it.
        let kept: Vec<String> = kept
            .iter()
            .filter_map(|kept| Some(self.data.with_file_name(kept.file_name()?).display().to_string()))
            .collect();
        if !kept.is_empty() {
            what += &format!("\nO que havia antes está guardado em {}.", kept.join(", "));
        }
        tell_verified(&what, &verified)
    }
}
