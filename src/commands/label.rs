//! `label`: labels for shelves, and the meaning of labels of scales.

mod test;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::builder::PossibleValue;
use clap::{Args, Subcommand, ValueEnum};

use super::Error;
use super::connection::{Connection, connect};
use super::output::{note, written_or};
use crate::catalog::{Barcode, Quoted, counted};
use crate::io_error::describe;
use crate::operation::{ProductReply, ProductsRequest, Reply, Request};
use crate::private_file::{AtomicFile, NameState};
use crate::refusal::{Code, Refusal};
use crate::shelf_label::{LABELS_MAX, LabelCode, Paper, ShelfLabel, is_writable, pdf};

/// Etiquetas de prateleira e de balança
#[derive(Debug, Args)]
#[command(
    after_help = "Exemplos:\n  hortifruti label print Tomate Banana --pdf etiquetas.pdf\n  hortifruti label test 2002126012507"
)]
pub(super) struct Label {
    #[command(subcommand)]
    command: LabelCommand,
}

#[derive(Debug, Subcommand)]
enum LabelCommand {
    Print(Print),
    Test(test::Test),
}

/// Faz um PDF com nome, preço e código de barras de produtos
#[derive(Debug, Args)]
#[command(
    after_help = "Exemplos:\n  hortifruti label print Tomate 2126 --pdf etiquetas.pdf\n  hortifruti label print --category frutas --paper 50x30 --pdf rolo.pdf"
)]
struct Print {
    /// Nome ou código de cada produto
    #[arg(value_name = "NOME", required_unless_present = "category", display_order = 1)]
    names: Vec<String>,
    /// Todos os produtos à venda desta categoria
    #[arg(long, value_name = "CATEGORIA", conflicts_with = "names")]
    category: Option<String>,
    /// Arquivo do PDF
    #[arg(long, value_name = "ARQUIVO", value_hint = clap::ValueHint::FilePath)]
    pdf: PathBuf,
    /// Papel: a4 (folhas de 21 etiquetas de 63,5 × 38,1 mm; o padrão) ou 50x30 (rolo)
    #[arg(long, value_name = "PAPEL", value_enum, default_value_t = Paper::A4, hide_default_value = true, hide_possible_values = true)]
    paper: Paper,
    /// Etiquetas de cada produto
    #[arg(long, value_name = "N", default_value_t = 1, hide_default_value = true, value_parser = clap::value_parser!(u16).range(1..))]
    copies: u16,
    /// Substitui um PDF que já existe
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    connection: Connection,
}

impl ValueEnum for Paper {
    fn value_variants<'a>() -> &'a [Self] {
        &[Paper::A4, Paper::Roll]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Paper::A4 => "a4",
            Paper::Roll => "50x30",
        }))
    }
}

impl Label {
    pub(super) fn run(self) -> Result<(), Error> {
        match self.command {
            LabelCommand::Print(print) => print.run(),
            LabelCommand::Test(test) => test.run(),
        }
    }
}

impl Print {
    fn run(self) -> Result<(), Error> {
        check_name(&self.pdf, self.force)?;
        let products = self.products()?;
        let count = products.len() * usize::from(self.copies);
        if count > LABELS_MAX {
            let what = format!(
                "seriam {}, e um arquivo leva no máximo {LABELS_MAX}. Nada foi escrito; faça vários arquivos.",
                counted(count, "etiqueta", "etiquetas")
            );
            return Err(Refusal::new(Code::InvalidArgument, what).into());
        }
        let mut labels = Vec::with_capacity(count);
        for product in &products {
            labels.extend(std::iter::repeat_n(label(product), usize::from(self.copies)));
        }
        let failed = |error: &io::Error| {
            anyhow::anyhow!(
                "as etiquetas não puderam ser escritas em {}: {}. Confira a pasta e as permissões",
                self.pdf.display(),
                describe(error)
            )
        };
        let is_replaced = |head: &[u8]| self.force && is_pdf(head);
        AtomicFile::write_shared(&self.pdf, &pdf(&labels, self.paper), is_replaced)
            .map_err(|error| failed(&error))?;
        let written = counted(count, "etiqueta escrita", "etiquetas escritas");
        tell_odd(&products);
        let line = format!("{written} em {}.\n", self.pdf.display());
        written_or(
            io::stdout().write_all(line.as_bytes()),
            "as etiquetas foram escritas; só esta mensagem não pôde ser mostrada",
        )
    }

    /// The products whose labels are wanted.
    fn products(&self) -> Result<Vec<ProductReply>, Error> {
        let mut client = connect(&self.connection)?;
        let odd = || anyhow::anyhow!("o servidor não enviou os produtos. Nada foi escrito");
        if let Some(category) = &self.category {
            let wanted = ProductsRequest { category, ..ProductsRequest::default() };
            let Reply::Products(products) = client.call(&Request::ListProducts(wanted))? else {
                return Err(odd().into());
            };
            if products.is_empty() {
                let what = "nenhum produto à venda é dessa categoria. Nada foi escrito; veja as categorias com \
                            `hortifruti export`.";
                return Err(Refusal::new(Code::ProductNotFound, what).into());
            }
            return Ok(products);
        }
        let mut products = Vec::with_capacity(self.names.len());
        for name in &self.names {
            match client.call(&Request::GetProduct { name })? {
                Reply::Product(product) => products.push(product),
                _ => return Err(odd().into()),
            }
        }
        Ok(products)
    }
}

/// Reports the labels that a person may not want on a shelf.
fn tell_odd(products: &[ProductReply]) {
    let tell = |is_odd: fn(&ProductReply) -> bool, one, more| {
        let mut odd = products.iter().filter(|product| is_odd(product));
        let Some(first) = odd.next() else { return };
        let count = 1 + odd.count();
        let names = if count == 1 { ":" } else { "; o primeiro é" };
        let what = counted(count, one, more);
        note(&format!("Aviso: {what}{names} {}.", Quoted(first.name.as_str())));
    };
    tell(
        |product| product.price.centavos() == 0,
        "produto está sem preço, e a etiqueta dele mostra R$ 0,00",
        "produtos estão sem preço, e as etiquetas deles mostram R$ 0,00",
    );
    tell(
        |product| product.is_discontinued,
        "produto está aposentado, e não se vende mais",
        "produtos estão aposentados, e não se vendem mais",
    );
    tell(
        |product| !is_writable(product.name.as_str()),
        "produto tem no nome um sinal que a letra das etiquetas não tem, e no lugar dele há ?",
        "produtos têm no nome um sinal que a letra das etiquetas não tem, e no lugar dele há ?",
    );
}

/// The label of a product. A barcode that any scanner knows goes before the other codes.
fn label(product: &ProductReply) -> ShelfLabel {
    let terms = product.terms.as_ref();
    let barcodes = terms.map_or(&[][..], |terms| &terms.barcodes);
    let is_ean = |barcode: &&Barcode| matches!(barcode.to_string().len(), 8 | 12 | 13);
    let barcode = barcodes.iter().find(is_ean).or_else(|| barcodes.first());
    let shop = terms.and_then(|terms| terms.code).map(LabelCode::Shop);
    ShelfLabel {
        name: product.name.to_string(),
        price: product.price,
        unit: product.unit.as_ref().map_or_else(|| "un".to_owned(), ToString::to_string),
        code: barcode.copied().map(LabelCode::Barcode).or(shop),
    }
}

/// Whether a file that begins so is a PDF, of whatever program.
fn is_pdf(head: &[u8]) -> bool {
    head.starts_with(b"%PDF-")
}

/// Refuses a file name that cannot be written, before the products are requested from the server.
fn check_name(file: &Path, replace: bool) -> anyhow::Result<()> {
    let shown = file.display();
    let state = NameState::at(file, is_pdf).map_err(|error| {
        anyhow::anyhow!(
            "não foi possível escrever {shown}: {}. Confira a pasta e as permissões",
            describe(&error)
        )
    })?;
    match state {
        NameState::Free => Ok(()),
        NameState::Ours if replace => Ok(()),
        NameState::Ours => anyhow::bail!(
            "{shown} já existe. Nada foi escrito; escolha outro nome, ou use --force para substituí-lo"
        ),
        NameState::Other(obstacle) => anyhow::bail!(
            "{shown} {obstacle}, e só um PDF pode ser substituído. Nada foi escrito; escolha outro nome"
        ),
    }
}
