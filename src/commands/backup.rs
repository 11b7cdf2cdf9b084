//! `backup`: copies a database.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;

use super::Error;
use super::database::{DATA_DEFAULT, check_is_file};
use super::output::note;
use super::verify::{print_verified, show_step};
use crate::io_error::describe;
use crate::progress_bar::ProgressBar;
use crate::store::sqlite::{self, Dated};

/// The most dated copies that are kept: one a day for ten years.
const KEEP_MAX: i64 = 3650;

/// Copia o banco de dados, também enquanto um servidor o usa
#[derive(Debug, Args)]
#[command(after_help = "Exemplos:\n  hortifruti backup copia.db\n  hortifruti backup --keep 14 copias")]
pub(super) struct Backup {
    /// Arquivo da cópia; com --keep, pasta das cópias, criada se não existe
    #[arg(value_name = "ARQUIVO", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    /// Banco de dados a copiar. O padrão é hortifruti.db
    #[arg(long, value_name = "ARQUIVO", default_value = DATA_DEFAULT, hide_default_value = true, value_hint = clap::ValueHint::FilePath)]
    data: PathBuf,
    /// Substitui uma cópia que já existe, quando a nova estiver pronta
    #[arg(long, conflicts_with = "keep")]
    force: bool,
    /// Dá à cópia um nome com a data, e apaga as mais antigas, até restarem N
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=KEEP_MAX))]
    keep: Option<u16>,
}

impl Backup {
    pub(super) fn run(self) -> Result<(), Error> {
        check_is_file(&self.data)?;
        let mut progress = ProgressBar::new();
        let mut step = show_step(&mut progress);
        let dated =
            match self.keep {
                Some(keep) => sqlite::back_up_dated(&self.data, &self.file, keep.into(), &mut step),
                None => sqlite::back_up(&self.data, &self.file, self.force, &mut step).map(|verified| {
                    Dated { copy: self.file.clone(), verified, removed: Vec::new(), left: None }
                }),
            };
        drop(step);
        drop(progress);
        let dated = dated.context("a cópia não foi feita")?;
        print_verified(&format!("Cópia feita e conferida em {}.", dated.copy.display()), &dated.verified)?;
        for removed in &dated.removed {
            note(&format!("Cópia antiga apagada: {}.", removed.display()));
        }
        Ok(all_removed(dated)?)
    }
}

fn all_removed(dated: Dated) -> anyhow::Result<()> {
    let Some((path, error)) = dated.left else { return Ok(()) };
    bail!(
        "a cópia foi feita e conferida, mas as antigas não foram todas apagadas: {}: {}. Confira a pasta e as permissões",
        path.display(),
        describe(&error)
    );
}
