//! `move`: a shop from one database to another, as from a file to PostgreSQL.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::verify::{print_verified, show_step};
use super::{Error, database};
use crate::progress_bar::ProgressBar;

/// Leva a loja de um banco de dados para outro, como de um arquivo para o PostgreSQL
#[derive(Debug, Args)]
#[command(
    name = "move",
    after_help = "Exemplos:\n  hortifruti move hortifruti.db 'postgres://loja@banco/hortifruti?shop=centro'\n  hortifruti move 'postgres://loja@banco/hortifruti?shop=centro' centro.db\n\nPare antes o servidor. Vão todos os movimentos, cadastros e identificadores de pedido; o destino é conferido e comparado com a origem, que fica como estava."
)]
pub(super) struct Move {
    /// Banco de dados da loja: um arquivo, ou um endereço postgres://…
    #[arg(value_name = "ORIGEM", value_hint = clap::ValueHint::FilePath)]
    from: PathBuf,
    /// Banco de dados que ainda não tem a loja
    #[arg(value_name = "DESTINO", value_hint = clap::ValueHint::FilePath)]
    to: PathBuf,
}

impl Move {
    pub(super) fn run(self) -> Result<(), Error> {
        let mut progress = ProgressBar::new();
        let moved = database::move_shop(&self.from, &self.to, &mut show_step(&mut progress));
        drop(progress);
        let moved = moved.context("a loja não foi levada")?;
        let (from, to) = (self.from.display(), self.to.display());
        let what = format!(
            "A loja de {from} está em {to}, conferida e igual à origem.\nUse agora o destino: o que for gravado na \
             origem não chega a ele."
        );
        print_verified(&what, &moved)
    }
}
