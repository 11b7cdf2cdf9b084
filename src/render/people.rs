//! Replies for a person at a terminal: money and quantities as Brazilians write them.

use std::io::{self, Write};

use super::cells::{Align, table};
use super::movements::{invoices, kind_told};
use super::product_changes::change_told;
use super::{Format, change_line, render, unit};
use crate::catalog::{Amount, Quantity};
use crate::local_time::ShortTime;
use crate::operation::{ChangeReply, MovementReply, ProductReply, Reply};

/// Writes a reply for a person: `Caju: −20 un · R$ 40,00 · restam 40 un · #6`. What only the original's
/// commands answer is written in their way.
///
/// # Errors
/// If the output fails.
pub fn render_for_person(out: &mut impl Write, reply: &Reply) -> io::Result<()> {
    match reply {
        Reply::Product(product) => writeln!(out, "{}", product_told(product)),
        Reply::Products(list) if !list.is_empty() => products(out, list),
        Reply::Change(change) => changes(out, std::slice::from_ref(change)),
        Reply::Changes(list) => changes(out, list),
        Reply::Movements(page) if !page.movements.is_empty() => movements(out, &page.movements),
        Reply::ProductChanges(page) if !page.changes.is_empty() => {
            page.changes.iter().try_for_each(|change| {
                let when = change.recorded_at.map_or(String::new(), |time| format!("{} ", ShortTime(time)));
                writeln!(out, "{when}{}", change_told(change))
            })
        }
        reply => render(out, reply, Format::Text),
    }
}

/// A product in one line: `Tomate: R$ 8,90/kg · há 12,5 kg`.
pub fn product_told(product: &ProductReply) -> String {
    line_of(product, "")
}

/// A product that was made, in one line: `Tomate: cadastrado · R$ 8,90/kg · há 0 kg`.
pub fn new_product_told(product: &ProductReply) -> String {
    line_of(product, "cadastrado · ")
}

fn line_of(product: &ProductReply, state: &str) -> String {
    let price = product.price.in_reais();
    let price = unit(product).map_or(price.to_string(), |unit| format!("{price}/{unit}"));
    format!("{}: {state}{price} · há {}", product.name, measured(product.stock, product))
}

/// A quantity with the product's unit: `12,5 kg`.
pub fn measured(quantity: Quantity, product: &ProductReply) -> String {
    let number = quantity.with_comma().to_string().replace('-', "\u{2212}");
    unit(product).map_or(number.clone(), |unit| format!("{number} {unit}"))
}

fn changes(out: &mut impl Write, list: &[ChangeReply]) -> io::Result<()> {
    for change in list {
        let product = &change.product;
        match change_line(change) {
            Some(told) => writeln!(out, "{told}")?,
            // Nothing differed, or the client may not see what did.
            None if product.unit.is_some() => {
                writeln!(out, "{}: contado · {}", product.name, measured(product.stock, product))?;
            }
            // The text protocol does not report the movement.
            None => writeln!(out, "{}: restam {}", product.name, measured(product.stock, product))?,
        }
    }
    let amounts = list.iter().filter_map(|change| change.movement.as_ref());
    let total: i64 = amounts.map(|movement| movement.amount.centavos()).fold(0, i64::saturating_add);
    match Amount::from_centavos(total) {
        Some(total) if list.len() > 1 => writeln!(out, "Total: {}", total.in_reais()),
        _ => Ok(()),
    }
}

fn products(out: &mut impl Write, list: &[ProductReply]) -> io::Result<()> {
    let columns =
        [("Nome", Align::Left), ("Preço", Align::Right), ("Estoque", Align::Right), ("", Align::Left)];
    table(
        out,
        &columns,
        list.iter().map(|product| {
            let unit = unit(product).unwrap_or_default().to_owned();
            let (price, stock) = (product.price.in_reais(), product.stock.with_comma());
            [product.name.to_string(), price.to_string(), stock.to_string(), unit]
        }),
    )
}

fn movements(out: &mut impl Write, list: &[MovementReply]) -> io::Result<()> {
    let columns = [
        ("Nº", Align::Right),
        ("Quando", Align::Left),
        ("Motivo", Align::Left),
        ("Produto", Align::Left),
        ("Quantidade", Align::Right),
        ("Saldo", Align::Right),
        ("Valor", Align::Right),
    ];
    table(
        out,
        &columns,
        list.iter().map(|movement| {
            let delta = movement.delta.with_comma().to_string();
            [
                format!("#{}", movement.sequence),
                ShortTime(movement.recorded_at).to_string(),
                kind_told(movement),
                movement.product_name.to_string(),
                delta.replace('-', "\u{2212}"),
                movement.balance.with_comma().to_string(),
                movement.amount.in_reais().to_string(),
            ]
        }),
    )?;
    invoices(out, list)
}
