//! `export`: the catalog as a price list or as a file for scales, to standard output or to a file.

mod format;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;

use self::format::{ExportFormat, Exported, ScaleOptions};
use super::Error;
use super::connection::{Connection, connect};
use super::output::{STANDARD, check_no_terminal, note, written, written_or};
use crate::catalog::counted;
use crate::io_error::describe;
use crate::operation::{ProductsRequest, Reply, Request};
use crate::private_file::{AtomicFile, NameState};

/// Exporta o catálogo: CSV, planilha ou carga de balança
#[derive(Debug, Args)]
#[command(
    after_help = "Exemplos:\n  hortifruti export > precos.csv\n  hortifruti export precos.csv --force\n  hortifruti export precos.xlsx\n  hortifruti export ITENSMGV.TXT --format itensmgv --department 6\n\nFormatos: csv, planilha (CSV com ponto e vírgula e vírgula decimal), xlsx, e para balanças itensmgv, itensmgv4 e txitens (Toledo), filizola (CADTXT.TXT e SETORTXT.TXT) e urano (URF32)."
)]
pub(super) struct Export {
    /// Arquivo da lista; sem ele, ou com `-`, a saída padrão
    #[arg(value_name = "ARQUIVO", value_hint = clap::ValueHint::FilePath)]
    file: Option<PathBuf>,
    /// Formato do arquivo. O padrão é csv, e xlsx para um ARQUIVO com esse fim
    #[arg(long, value_name = "FORMATO", value_enum, hide_possible_values = true)]
    format: Option<ExportFormat>,
    #[command(flatten)]
    scale: ScaleOptions,
    /// Substitui um arquivo que `export` escreveu antes
    #[arg(long, requires = "file")]
    force: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Export {
    pub(super) fn run(self) -> Result<(), Error> {
        let file = self.file.filter(|file| file != Path::new(STANDARD));
        let format = self.format.map_or_else(|| ExportFormat::of_name(file.as_deref()), Ok)?;
        format.check_options(self.scale)?;
        if file.is_none() && format == ExportFormat::Xlsx {
            check_no_terminal()?;
        }
        if let Some(file) = &file {
            check_name(file, format, self.force)?;
            if let Some(beside) = format.beside(file) {
                check_name(&beside, format, self.force)?;
            }
        }
        // Retired products are counted, so that nobody takes the list for the whole register.
        let all = ProductsRequest { has_discontinued: true, ..ProductsRequest::default() };
        let Reply::Products(products) = connect(&self.connection)?.call(&Request::ListProducts(all))? else {
            return Err(anyhow::anyhow!("o servidor não enviou o catálogo. Nada foi escrito").into());
        };
        let exported = format.exported(self.scale, &products)?;
        let Some(file) = file else {
            let mut out = io::stdout().lock();
            written(out.write_all(&exported.bytes).and_then(|()| out.flush()))?;
            note_left(&exported);
            return Ok(());
        };
        write_file(&file, &exported.bytes, format, self.force)?;
        let mut shown = file.display().to_string();
        if let (Some(beside), Some(bytes)) = (format.beside(&file), &exported.beside) {
            write_file(&beside, bytes, format, self.force)?;
            shown += &format!(" e {}", beside.display());
        }
        note_left(&exported);
        let written = counted(exported.count, "produto escrito", "produtos escritos");
        written_or(
            io::stdout().write_all(format!("{written} em {shown}.\n").as_bytes()),
            "a lista foi escrita; só esta mensagem não pôde ser mostrada",
        )
    }
}

/// Says which products are not in the list.
fn note_left(exported: &Exported) {
    exported.notes.iter().for_each(|line| note(&format!("Aviso: {line}.")));
}

/// Refuses a file name that cannot be written, before the list is requested from the server.
fn check_name(file: &Path, format: ExportFormat, replace: bool) -> anyhow::Result<()> {
    let shown = file.display();
    match NameState::at(file, |head| format.has_written(head)).map_err(|error| not_written(file, &error))? {
        NameState::Free => Ok(()),
        NameState::Ours if replace => Ok(()),
        NameState::Ours => {
            bail!("{shown} já existe. Nada foi escrito; escolha outro nome, ou use --force para substituí-lo")
        }
        NameState::Other(obstacle) => bail!(
            "{shown} {obstacle}, e só {} pode ser substituída. Nada foi escrito; escolha outro nome",
            format.replaced()
        ),
    }
}

/// Writes a file, whole or not at all.
fn write_file(file: &Path, bytes: &[u8], format: ExportFormat, replace: bool) -> anyhow::Result<()> {
    let made = begin(file)?;
    let rendered = made.file().write_all(bytes);
    rendered.and_then(|()| made.finish_over(|head| replace && format.has_written(head))).map_err(|error| {
        anyhow::anyhow!("a lista não pôde ser escrita em {}: {}", file.display(), describe(&error))
    })
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
