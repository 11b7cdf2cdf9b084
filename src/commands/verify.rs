//! `verify`: a check of a database, and its report, which `backup` and `restore` write too.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::Context;
use clap::Args;

use super::database::DATA_DEFAULT;
use super::output::{note, written};
use super::{Error, database};
use crate::catalog::counted;
use crate::operation::ahead_note;
use crate::progress_bar::ProgressBar;
use crate::store::{Step, Verified};

/// Confere um banco de dados ou uma cópia
#[derive(Debug, Args)]
#[command(after_help = "Exemplos:\n  hortifruti verify\n  hortifruti verify copia.db")]
pub(super) struct Verify {
    /// Banco de dados, cópia ou endereço postgres://…; não é alterado. O padrão é hortifruti.db
    #[arg(value_name = "BANCO", default_value = DATA_DEFAULT, hide_default_value = true, value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
}

impl Verify {
    pub(super) fn run(self) -> Result<(), Error> {
        let mut progress = ProgressBar::new();
        let verified = database::verify(&self.file, &mut show_step(&mut progress));
        drop(progress);
        let verified = verified.context("a conferência falhou")?;
        print_verified(&format!("{} está íntegro.", self.file.display()), &verified)?;
        if let Some(ahead) = verified.last_time.and_then(|last| ahead_note(last, SystemTime::now())) {
            note(&ahead);
        }
        Ok(())
    }
}

pub(super) fn show_step(progress: &mut ProgressBar) -> impl FnMut(Step, u64, u64) {
    |step, done, total| {
        let what = match step {
            Step::Copy => "Copiando",
            Step::Pages => "Conferindo as páginas",
            Step::Ledger => "Conferindo os movimentos",
        };
        progress.show(what, done, total);
    }
}

pub(super) fn print_verified(what: &str, verified: &Verified) -> Result<(), Error> {
    let Verified { products, discontinued, movements, request_ids, earlier_movements, look_alikes, .. } =
        verified;
    let of_them = match *discontinued {
        0 => String::new(),
        count => format!(", {}", counted(count, "deles aposentado", "deles aposentados")),
    };
    let mut text = format!(
        "{what}\nProdutos: {products}{of_them}\nMovimentos: {movements}\nIdentificadores de pedido: {request_ids}\n"
    );
    if !look_alikes.is_empty() {
        text.push_str("Produtos que se confundem, porque os nomes parecem iguais:\n");
        look_alikes.iter().for_each(|pair| text.push_str(&format!("  {pair}\n")));
        text.push_str(
            "Cada um atende pelo nome exato; escrito de outro jeito, o nome é o do produto criado primeiro.\n",
        );
    }
    if *earlier_movements > 0 {
        text.push_str(&format!(
            "Movimentos com hora anterior à do movimento que vem antes: {earlier_movements}. O relógio foi \
             atrasado enquanto uma versão antiga servia; não falta nada.\n"
        ));
    }
    written(io::stdout().write_all(text.as_bytes()))
}
