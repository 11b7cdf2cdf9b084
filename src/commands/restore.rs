//! `restore`: replaces a database by a copy.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::Error;
use super::database::{DATA_DEFAULT, check_is_file};
use super::verify::{print_verified, show_step};
use crate::progress_bar::ProgressBar;
use crate::store::sqlite::{self, Restored};

/// Restaura uma cópia do banco de dados, e guarda o anterior
#[derive(Debug, Args)]
#[command(
    after_help = "Exemplo:\n  hortifruti restore copia.db\n\nPare antes o servidor. O banco anterior fica ao lado, com a data e a hora no nome, como hortifruti.db.2026-11-29T183015."
)]
pub(super) struct Restore {
    /// Cópia feita por `hortifruti backup`
    #[arg(value_name = "ARQUIVO", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    /// Banco de dados a substituir. O padrão é hortifruti.db
    #[arg(long, value_name = "ARQUIVO", default_value = DATA_DEFAULT, hide_default_value = true, value_hint = clap::ValueHint::FilePath)]
    data: PathBuf,
}

impl Restore {
    pub(super) fn run(self) -> Result<(), Error> {
        check_is_file(&self.data)?;
        let mut progress = ProgressBar::new();
        let restored = sqlite::restore(&self.file, &self.data, &mut show_step(&mut progress));
        drop(progress);
        let Restored { verified, earlier_schema, kept } = restored.context("a cópia não foi restaurada")?;
        let (copy, data) = (self.file.display(), self.data.display());
        let mut what = format!("Cópia {copy} conferida e posta no lugar de {data}.");
        if let Some(version) = earlier_schema {
            what += &format!(" Era de uma versão anterior (esquema {version}), e foi atualizada.");
        }
        // The paths are shown with the folder as the person wrote it.
        let kept: Vec<String> = kept
            .iter()
            .filter_map(|kept| Some(self.data.with_file_name(kept.file_name()?).display().to_string()))
            .collect();
        if !kept.is_empty() {
            what += &format!("\nO que havia antes está guardado em {}.", kept.join(", "));
        }
        print_verified(&what, &verified)
    }
}
