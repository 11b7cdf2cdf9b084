//! `query`: shows one product, the products up to a price, or all.

use clap::Args;

use super::Error;
use super::connection::{Connection, connect};
use super::output::{Output, print};
use super::report::show;
use crate::catalog::Price;
use crate::operation::{ProductsRequest, Request, days_here};
use crate::refusal::Refusal;
use crate::render::Format;
use crate::report::{Report, What};

/// Consulta um produto, os produtos até um preço, ou todos
#[derive(Debug, Args)]
#[command(
    after_help = "Exemplos:\n  hortifruti query\n  hortifruti query Maca\n  hortifruti query --max-price 3,50 --format table\n  hortifruti query --search 'tom ita'\n  hortifruti query --low --category frutas"
)]
pub(super) struct Query {
    /// Nome do produto, sem diferença de acentos ou maiúsculas; sem nome, todos
    #[arg(value_name = "NOME", conflicts_with = "max_price")]
    name: Vec<String>,
    /// Só os produtos até este preço, como 8 ou 3,50
    #[arg(long, value_name = "PRECO", allow_hyphen_values = true)]
    max_price: Option<String>,
    /// Só os que têm estas palavras no nome, em qualquer ordem
    #[arg(long, value_name = "PALAVRAS", conflicts_with = "name")]
    search: Option<String>,
    /// Só os desta categoria
    #[arg(long, value_name = "CATEGORIA", conflicts_with = "name")]
    category: Option<String>,
    /// Só os que estão abaixo do seu estoque mínimo; com --format table, também o que comprar
    #[arg(long, conflicts_with = "name")]
    low: bool,
    /// Também os aposentados
    #[arg(long, conflicts_with = "name")]
    retired: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

impl Query {
    pub(super) fn run(self) -> Result<(), Error> {
        let name = self.name.join(" ");
        let max_price = self
            .max_price
            .map(|text| text.parse::<Price>())
            .transpose()
            .map_err(|error| Refusal::price("max_price_centavos", &error))?;
        let is_plain =
            max_price.is_none() && self.search.is_none() && self.category.is_none() && !self.retired;
        if self.low && is_plain && self.output.format == Format::Table {
            // The table of what is low says what to buy.
            return show(
                &Report::of_usual_period(What::Low, days_here()?),
                &self.connection,
                self.output.format,
            );
        }
        let request = match self.name.is_empty() {
            true => Request::ListProducts(ProductsRequest {
                max_price,
                search: self.search.as_deref().unwrap_or(""),
                category: self.category.as_deref().unwrap_or(""),
                is_low_only: self.low,
                has_discontinued: self.retired,
            }),
            false => Request::GetProduct { name: &name },
        };
        let reply = connect(&self.connection)?.call(&request)?;
        print(&reply, self.output.format)
    }
}
