//! `export`: the catalog as a price list, to standard output or to a file.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;

use super::Error;
use super::connection::{Connection, connect};
use super::output::{STANDARD, note, written, written_or};
use crate::catalog::counted;
use crate::io_error::describe;
use crate::operation::{ProductsRequest, Reply, Request};
use crate::private_file::{AtomicFile, NameState};
use crate::render::{is_price_list, render_price_list};

/// Exporta o catálogo em CSV
#[derive(Debug, Args)]
#[command(after_help = "Exemplos:\n  hortifruti export > precos.csv\n  hortifruti export precos.csv --force")]
pub(super) struct Export {
    /// Arquivo da lista; sem ele, ou com `-`, a saída padrão
    #[arg(value_name = "ARQUIVO", value_hint = clap::ValueHint::FilePath)]
    file: Option<PathBuf>,
    /// Substitui uma lista que `export` escreveu antes
    #[arg(long, requires = "file")]
    force: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Export {
    pub(super) fn run(self) -> Result<(), Error> {
        let file = self.file.filter(|file| file != Path::new(STANDARD));
        if let Some(file) = &file {
            check_name(file, self.force)?;
        }
        // Retired products are counted, so that nobody takes the list for the whole register.
        let all = ProductsRequest { has_discontinued: true, ..ProductsRequest::default() };
        let Reply::Products(products) = connect(&self.connection)?.call(&Request::ListProducts(all))? else {
            return Err(anyhow::anyhow!("o servidor não enviou o catálogo. Nada foi escrito").into());
        };
        let (retired, sold): (Vec<_>, Vec<_>) = products.iter().partition(|product| product.is_discontinued);
        let Some(file) = file else {
            let mut out = io::BufWriter::new(io::stdout().lock());
            written(render_price_list(&mut out, sold).and_then(|()| out.flush()))?;
            note_retired(retired.len());
            return Ok(());
        };
        let made = begin(&file)?;
        let mut out = io::BufWriter::new(made.file());
        let count = sold.len();
        let rendered = render_price_list(&mut out, sold).and_then(|()| out.flush());
        drop(out);
        rendered.and_then(|()| made.finish_over(|head| self.force && is_price_list(head))).map_err(
            |error| {
                anyhow::anyhow!("a lista não pôde ser escrita em {}: {}", file.display(), describe(&error))
            },
        )?;
        note_retired(retired.len());
        let written = counted(count, "produto escrito", "produtos escritos");
        let note = format!("{written} em {}.\n", file.display());
        written_or(
            io::stdout().write_all(note.as_bytes()),
            "a lista foi escrita; só esta mensagem não pôde ser mostrada",
        )
    }
}

/// Says how many products are not in the list because they are not sold any more.
fn note_retired(count: usize) {
    if count > 0 {
        let left_out = counted(count, "produto aposentado ficou", "produtos aposentados ficaram");
        note(&format!("Aviso: {left_out} fora da lista; veja com `hortifruti query --retired`."));
    }
}

/// Refuses a file name that cannot be written, before the list is requested from the server.
fn check_name(file: &Path, replace: bool) -> anyhow::Result<()> {
    let shown = file.display();
    match NameState::at(file, is_price_list).map_err(|error| not_written(file, &error))? {
        NameState::Free => Ok(()),
        NameState::Ours if replace => Ok(()),
        NameState::Ours => {
            bail!("{shown} já existe. Nada foi escrito; escolha outro nome, ou use --force para substituí-lo")
        }
        NameState::Other(obstacle) => bail!(
            "{shown} {obstacle}, e só uma lista de `export` pode ser substituída. Nada foi escrito; escolha outro nome"
        ),
    }
}

fn begin(file: &Path) -> anyhow::Result<AtomicFile> {
    AtomicFile::begin_shared(file).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => {
            anyhow::anyhow!("outro `export` está escrevendo {}. Nada foi escrito", file.display())
        }
        _ => not_written(file, &error),
    })
}

fn not_written(file: &Path, error: &io::Error) -> anyhow::Error {
    anyhow::anyhow!(
        "não foi possível escrever {}: {}. Confira a pasta e as permissões",
        file.display(),
        describe(error)
    )
}
