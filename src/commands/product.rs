//! `product`: what the products are: their names, prices, codes, categories and limits.

mod terms;

use clap::{Args, Subcommand};

use super::Error;
use super::change::ChangeOptions;
use super::connection::{Connection, connect};
use super::doubt::confirm;
use super::output::{note, print};
use crate::catalog::{Name, Price, ProductDraft, Quantity, TermsUpdate};
use crate::client::ClientError;
use crate::operation::doubtful::odd_price;
use crate::operation::{ImportRequest, MergeRequest, ProductReply, Reply, Request, UpdateProductRequest};
use crate::refusal::Refusal;
use crate::render::{Format, code_note, margin_told, unit_note};
use terms::{PricingOptions, Terms};

/// Cadastra e muda produtos: nome, preço, códigos, categoria, mínimo
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct Product {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    New(New),
    Set(Set),
    Rename(Rename),
    Retire(Retire),
    Restore(Restore),
    Merge(Merge),
    ClearExamples(ClearExamples),
}

impl Product {
    pub(super) fn run(self) -> Result<(), Error> {
        match self.action {
            Action::New(new) => new.run(),
            Action::Set(set) => set.run(),
            Action::Rename(rename) => rename.run(),
            Action::Retire(Retire { name, options }) => set_discontinued(&name, true, &options),
            Action::Restore(Restore { name, options }) => set_discontinued(&name, false, &options),
            Action::Merge(merge) => merge.run(),
            Action::ClearExamples(clear) => clear.run(),
        }
    }
}

/// Cadastra um produto, sem estoque
#[derive(Debug, Args)]
#[command(
    after_help = "Exemplos:\n  hortifruti product new 'Uva Itália' 12,90 --unit kg --code 123 --category frutas\n  hortifruti product new Alface 3,50 --unit un --minimum 10 --target 40 --shelf-life 3"
)]
struct New {
    /// Nome do produto
    #[arg(value_name = "NOME", display_order = 1)]
    name: String,
    /// Preço de uma unidade, como 8 ou 3,50
    #[arg(value_name = "PRECO", allow_hyphen_values = true, display_order = 2)]
    price: String,
    #[command(flatten)]
    terms: Terms,
    #[command(flatten)]
    options: ChangeOptions,
}

impl New {
    fn run(self) -> Result<(), Error> {
        let name = Name::parse(&self.name).map_err(|error| Refusal::name(&error))?;
        let price: Price = self.price.parse().map_err(|error| Refusal::price("price_centavos", &error))?;
        let (unit, terms) = self.terms.draft()?;
        let row = ProductDraft { name: name.clone(), price, unit, opening_stock: Quantity::ZERO, terms };
        let import = ImportRequest::of_new(row, self.options.request_id()?);
        self.options.send(&Request::ImportProducts(import)).map_err(of_one_row)?;
        let product = find(&self.options.connection, name.as_str())?;
        self.options.print(&Reply::Product(product))
    }
}

/// Muda o preço, a unidade, os códigos e o mais de um produto
#[derive(Debug, Args)]
#[command(
    after_help = "Exemplos:\n  hortifruti product set Caju --price 2,50\n  hortifruti product set Caju --margin 40\n  hortifruti product set 123 --barcode 7891000100103 --category frutas --minimum 10\n  hortifruti product set Caju --code 0 --category ''"
)]
struct Set {
    /// Nome ou código do produto
    #[arg(value_name = "NOME", display_order = 1)]
    name: String,
    #[command(flatten)]
    pricing: PricingOptions,
    #[command(flatten)]
    terms: Terms,
    /// Muda o preço sem perguntar, ainda que pareça engano
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    options: ChangeOptions,
}

impl Set {
    fn run(self) -> Result<(), Error> {
        let mut update = self.terms.update()?;
        update.price = self.pricing.price()?;
        // A request with an id may be made already, and the product have another name and price since.
        let is_new = self.options.request_id.is_none();
        if self.pricing.by_cost().is_some() || (update.price.is_some() && is_new) {
            let product = find(&self.options.connection, &self.name)?;
            if let Some(pricing) = self.pricing.by_cost() {
                update.price = Some(pricing.price_of(&product)?);
            }
            let odd = update.price.filter(|_| is_new).and_then(|price| odd_price(&product, price));
            if let Some(odd) = odd {
                confirm(&odd, self.yes)?;
            }
        }
        if update == TermsUpdate::default() {
            let what =
                "falta dizer o que muda: use --price, --margin, --unit, --code, --category ou outra opção";
            return Err(Refusal::invalid("update_mask", what).into());
        }
        let sets_price = update.price.is_some();
        let before = update.unit.as_ref().and_then(|_| find(&self.options.connection, &self.name).ok());
        let unit = before.zip(update.unit.as_ref()).and_then(|(before, unit)| unit_note(&before, unit));
        let reply = update_product(&self.name, update, &self.options)?;
        // The margin beside a new price. If the margin is not known, that is no failure.
        if let (Reply::Product(made), true) = (&reply, sets_price)
            && let Ok(product) = find(&self.options.connection, made.name.as_str())
            && let Some(told) = margin_told(&product)
        {
            note(&told);
        }
        if let Some(unit) = unit {
            note(&unit);
        }
        Ok(())
    }
}

/// Dá outro nome a um produto
#[derive(Debug, Args)]
#[command(after_help = "Exemplo:\n  hortifruti product rename Maca 'Maçã Fuji'")]
struct Rename {
    /// Nome ou código de hoje
    #[arg(value_name = "NOME", display_order = 1)]
    name: String,
    /// Nome novo
    #[arg(value_name = "NOME_NOVO", display_order = 2)]
    new_name: String,
    #[command(flatten)]
    options: ChangeOptions,
}

impl Rename {
    fn run(self) -> Result<(), Error> {
        let name = Name::parse(&self.new_name).map_err(|error| Refusal::name(&error))?;
        let update = TermsUpdate { name: Some(name), ..TermsUpdate::default() };
        update_product(&self.name, update, &self.options).map(drop)
    }
}

/// Aposenta um produto: sai das listas, e não se vende nem se compra
#[derive(Debug, Args)]
#[command(after_help = "Exemplo:\n  hortifruti product retire Caju")]
struct Retire {
    /// Nome ou código do produto
    #[arg(value_name = "NOME")]
    name: String,
    #[command(flatten)]
    options: ChangeOptions,
}

/// Devolve à venda um produto aposentado
#[derive(Debug, Args)]
#[command(after_help = "Exemplo:\n  hortifruti product restore Caju")]
struct Restore {
    /// Nome ou código do produto
    #[arg(value_name = "NOME")]
    name: String,
    #[command(flatten)]
    options: ChangeOptions,
}

/// Une um produto com outro: o estoque e os códigos passam, e o primeiro se aposenta
#[derive(Debug, Args)]
#[command(after_help = "Exemplo:\n  hortifruti product merge 'Tomate Italiano (2)' 'Tomate Italiano'")]
struct Merge {
    /// Nome ou código do produto que deixa de existir
    #[arg(value_name = "DE", display_order = 1)]
    from: String,
    /// Nome ou código do produto que fica
    #[arg(value_name = "PARA", display_order = 2)]
    into: String,
    #[command(flatten)]
    options: ChangeOptions,
}

impl Merge {
    fn run(self) -> Result<(), Error> {
        let request_id = self.options.request_id()?;
        let request = MergeRequest { from: &self.from, into: &self.into, request_id };
        let named = |name| find(&self.options.connection, name).ok();
        let lost = named(&self.from).zip(named(&self.into)).and_then(|(from, into)| code_note(&from, &into));
        self.options.print(&self.options.send(&Request::MergeProducts(request))?)?;
        if let Some(lost) = lost {
            note(&format!("Aviso: {lost}."));
        }
        Ok(())
    }
}

/// Retira os produtos de exemplo que nunca se moveram
#[derive(Debug, Args)]
#[command(after_help = "Exemplo:\n  hortifruti product clear-examples")]
struct ClearExamples {
    #[command(flatten)]
    options: ChangeOptions,
}

impl ClearExamples {
    fn run(self) -> Result<(), Error> {
        let request = Request::ClearExamples { request_id: self.options.request_id()? };
        let reply = self.options.send(&request)?;
        if let Reply::Changes(cleared) = &reply
            && cleared.is_empty()
        {
            note("Não há exemplos a retirar.");
            // A person needs no empty list, and a program does.
            if self.options.output.format == Format::Text {
                return Ok(());
            }
        }
        print(&reply, self.options.output.format)
    }
}

fn set_discontinued(name: &str, is_discontinued: bool, options: &ChangeOptions) -> Result<(), Error> {
    let update = TermsUpdate { is_discontinued: Some(is_discontinued), ..TermsUpdate::default() };
    update_product(name, update, options).map(drop)
}

/// Gives a product other terms, prints it, and returns the reply.
fn update_product(name: &str, update: TermsUpdate, options: &ChangeOptions) -> Result<Reply, Error> {
    let request = UpdateProductRequest { name, update: Box::new(update), request_id: options.request_id()? };
    let reply = options.send(&Request::UpdateProduct(request))?;
    options.print(&reply)?;
    Ok(reply)
}

pub(super) fn find(connection: &Connection, name: &str) -> Result<ProductReply, Error> {
    match connect(connection)?.call(&Request::GetProduct { name })? {
        Reply::Product(product) => Ok(product),
        _ => Err(anyhow::anyhow!("o servidor não disse o produto. Nada foi alterado").into()),
    }
}

/// A refusal of a list with one row says what is wrong with that row.
fn of_one_row(error: Error) -> Error {
    match error {
        Error::Failed(ClientError::Refused(refusal)) if refusal.rows.len() == 1 => {
            let what = refusal.rows.into_iter().next().map_or(refusal.message, |(_, what)| what);
            Refusal::new(refusal.code, format!("{what}. Nada foi alterado; corrija e tente de novo.")).into()
        }
        error => error,
    }
}
