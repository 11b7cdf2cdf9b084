//! Movements, newest first.

use std::io::{self, Write};

use serde::Serialize;

use super::cells::{Align, json, table, text_cell};
use super::format::Format;
use super::sheet::{Cell, Column, Holds, Sheet};
use crate::catalog::{Amount, Author, Cost, LossReason, Lot, Note, Purchase, Supplier};
use crate::local_time::LocalTime;
use crate::operation::{MovementReply, NO_MOVEMENT};

pub(super) fn render(out: &mut impl Write, movements: &[MovementReply], format: Format) -> io::Result<()> {
    match format {
        Format::Text if movements.is_empty() => writeln!(out, "{NO_MOVEMENT}"),
        Format::Text => movements.iter().try_for_each(|movement| writeln!(out, "{movement}")),
        Format::Table => {
            table(
                out,
                &[
                    ("Nº", Align::Right),
                    ("Quando", Align::Left),
                    ("Motivo", Align::Left),
                    ("Produto", Align::Left),
                    ("Quantidade", Align::Right),
                    ("Saldo", Align::Right),
                    ("Valor (R$)", Align::Right),
                    ("Por", Align::Left),
                ],
                movements.iter().map(|movement| {
                    [
                        movement.sequence.to_string(),
                        LocalTime(movement.recorded_at).to_string(),
                        kind_told(movement),
                        movement.product_name.to_string(),
                        movement.delta.to_string(),
                        movement.balance.to_string(),
                        movement.amount.to_string(),
                        movement.author.as_ref().map_or(String::new(), Author::to_string),
                    ]
                }),
            )?;
            invoices(out, movements)
        }
        Format::Json | Format::Ndjson => json(out, movements.iter().map(JsonMovement::from), format),
        Format::Csv => csv(out, movements),
    }
}

/// The kind of a movement, and which other it undoes or is undone by.
pub(super) fn kind_told(movement: &MovementReply) -> String {
    let kind = movement.kind.word();
    match movement.details.as_ref().map(|details| (details.undoes, details.undone_by)) {
        Some((undoes @ 1.., _)) => format!("{kind}, estorno de #{undoes}"),
        Some((_, undone_by @ 1..)) => format!("{kind}, estorno em #{undone_by}"),
        _ => kind.to_owned(),
    }
}

/// Writes a line for each invoice (NF-e) among purchases, with its movements.
pub(super) fn invoices(out: &mut impl Write, movements: &[MovementReply]) -> io::Result<()> {
    let mut invoices: Vec<(&str, String)> = Vec::new();
    for movement in movements {
        let invoice = purchase_of(movement).and_then(|purchase| purchase.invoice.as_ref());
        let Some(key) = invoice.map(|key| key.as_str()) else { continue };
        match invoices.iter_mut().find(|(known, _)| *known == key) {
            Some((_, numbers)) => numbers.push_str(&format!(", #{}", movement.sequence)),
            None => invoices.push((key, format!("#{}", movement.sequence))),
        }
    }
    invoices.iter().try_for_each(|(key, numbers)| writeln!(out, "NF-e {key}: {numbers}"))
}

/// The purchase that a movement is, if it is one.
fn purchase_of(movement: &MovementReply) -> Option<&Purchase> {
    movement.details.as_ref()?.details.as_deref()?.purchase.as_ref()
}

#[derive(Serialize)]
pub(super) struct JsonMovement<'a> {
    sequence: i64,
    recorded_at: String,
    kind: &'a str,
    product_name: &'a str,
    delta_thousandths: i64,
    balance_thousandths: i64,
    amount_centavos: i64,
    price_centavos: Option<i64>,
    request_id: Option<&'a str>,
    document: Option<i64>,
    undoes: Option<i64>,
    undone_by: Option<i64>,
    cost_centavos: Option<i64>,
    author: Option<&'a str>,
    loss_reason: Option<&'a str>,
    note: Option<&'a str>,
    supplier: Option<&'a str>,
    lot: Option<&'a str>,
    expires_on: Option<String>,
    invoice: Option<&'a str>,
}

impl<'a> From<&'a MovementReply> for JsonMovement<'a> {
    fn from(movement: &'a MovementReply) -> Self {
        let details = movement.details.as_ref();
        let own = details.and_then(|details| details.details.as_deref());
        let purchase = purchase_of(movement);
        Self {
            sequence: movement.sequence,
            recorded_at: LocalTime(movement.recorded_at).to_string(),
            kind: movement.kind.word(),
            product_name: movement.product_name.as_str(),
            delta_thousandths: movement.delta.thousandths(),
            balance_thousandths: movement.balance.thousandths(),
            amount_centavos: movement.amount.centavos(),
            price_centavos: details.map(|details| details.price.centavos()),
            request_id: details.and_then(|details| details.request_id.as_ref()).map(|id| id.as_str()),
            document: details.map(|details| details.document),
            undoes: details.map(|details| details.undoes).filter(|sequence| *sequence > 0),
            undone_by: details.map(|details| details.undone_by).filter(|sequence| *sequence > 0),
            cost_centavos: details.and_then(|details| details.cost).map(Cost::centavos),
            author: movement.author.as_ref().map(Author::as_str),
            loss_reason: own.and_then(|own| own.loss_reason).map(LossReason::word),
            note: own.and_then(|own| own.note.as_ref()).map(Note::as_str),
            supplier: purchase.and_then(|purchase| purchase.supplier.as_ref()).map(Supplier::as_str),
            lot: purchase.and_then(|purchase| purchase.lot.as_ref()).map(Lot::as_str),
            expires_on: purchase.and_then(|purchase| purchase.expires_on).map(|date| date.to_string()),
            invoice: purchase.and_then(|purchase| purchase.invoice.as_ref()).map(|key| key.as_str()),
        }
    }
}

/// Movements as a sheet.
pub fn movement_sheet(movements: &[MovementReply]) -> Sheet {
    let columns = [
        ("Nº", Holds::Number),
        ("Quando", Holds::Time),
        ("Motivo", Holds::Text),
        ("Produto", Holds::Text),
        ("Quantidade", Holds::Quantity),
        ("Saldo", Holds::Quantity),
        ("Valor (R$)", Holds::Money),
        ("Custo (R$)", Holds::Money),
        ("Por", Holds::Text),
        ("Causa", Holds::Text),
        ("Observação", Holds::Text),
        ("Fornecedor", Holds::Text),
        ("Lote", Holds::Text),
        ("Validade", Holds::Text),
        ("NF-e", Holds::Text),
        ("Desfaz", Holds::Number),
        ("Desfeito por", Holds::Number),
    ];
    let column = |(heading, holds)| Column::new(heading, heading, heading, holds);
    Sheet {
        name: "movements",
        title: "Movimentos".to_owned(),
        columns: columns.map(column).to_vec(),
        rows: movements.iter().map(sheet_row).collect(),
        nothing: NO_MOVEMENT,
        ..Sheet::default()
    }
}

fn sheet_row(movement: &MovementReply) -> Vec<Cell> {
    let details = JsonMovement::from(movement);
    let text = |text: Option<&str>| text.map_or(Cell::Unknown(""), |text| Cell::Text(text.to_owned()));
    let number = |number: Option<i64>| number.map_or(Cell::Unknown(""), Cell::Number);
    vec![
        Cell::Number(movement.sequence),
        Cell::Time(movement.recorded_at),
        Cell::Text(movement.kind.word().to_owned()),
        Cell::Text(movement.product_name.as_str().to_owned()),
        Cell::Quantity(movement.delta),
        Cell::Quantity(movement.balance),
        Cell::Money(details.amount_centavos),
        Cell::money_or(details.cost_centavos, ""),
        text(details.author),
        text(details.loss_reason),
        text(details.note),
        text(details.supplier),
        text(details.lot),
        purchase_of(movement).and_then(|purchase| purchase.expires_on).map_or(Cell::Unknown(""), Cell::Date),
        text(details.invoice),
        number(details.undoes),
        number(details.undone_by),
    ]
}

fn csv(out: &mut impl Write, movements: &[MovementReply]) -> io::Result<()> {
    csv_head(out)?;
    movements.iter().try_for_each(|movement| csv_row(out, movement))
}

pub(super) fn csv_head(out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "numero,quando,motivo,produto,quantidade,saldo,valor,custo,autor,causa,observacao,fornecedor,lote,validade,nfe"
    )
}

pub(super) fn csv_row(out: &mut impl Write, movement: &MovementReply) -> io::Result<()> {
    let MovementReply { sequence, kind, delta, balance, amount, .. } = movement;
    let (time, name) = (LocalTime(movement.recorded_at), text_cell(movement.product_name.as_str()));
    write!(out, "{sequence},{time},{},{name},{delta},{balance},{amount}", kind.word())?;
    let JsonMovement { cost_centavos, author, loss_reason, note, supplier, lot, expires_on, invoice, .. } =
        JsonMovement::from(movement);
    let cost = cost_centavos.map_or(String::new(), in_reais);
    let cells = [author, loss_reason, note, supplier, lot, expires_on.as_deref(), invoice];
    let cells = cells.map(|cell| text_cell(cell.unwrap_or("")));
    writeln!(out, ",{cost},{}", cells.join(","))
}

/// A cost as the protocols write money: `-40.0`.
fn in_reais(centavos: i64) -> String {
    let sign = if centavos < 0 { "-" } else { "" };
    let amount = Amount::from_centavos(centavos.saturating_abs()).unwrap_or_default();
    format!("{sign}{amount}")
}
