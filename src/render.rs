//! Replies for people and for scripts: text, table, JSON, CSV.

mod cells;
mod format;
mod imported;
mod live;
mod margin;
mod movements;
mod people;
mod price_list;
mod product_changes;
mod sheet;
mod status;
mod terms_notes;
mod workbook;

use std::io::{self, Write};

use serde::Serialize;

use crate::catalog::{Barcode, Category, Quantity, ShopCode, StockCost, Terms};
use crate::operation::{ChangeReply, NO_PRODUCT, ProductReply, Reply};
use cells::{Align, json, table};
pub use format::Format;
pub use live::{render_live, render_live_head};
pub use margin::margin_told;
use movements::JsonMovement;
pub use movements::movement_sheet;
pub use people::{measured, new_product_told, product_told, render_for_person};
pub use price_list::{
    catalog_sheet, is_price_list, is_spreadsheet_list, render_price_list, render_spreadsheet_list,
};
pub use sheet::{Cell, Column, Holds, Need, Sheet, reais, render_sheet};
pub use terms_notes::{code_note, merge_without_stock, unit_note};
pub use workbook::{WorkbookError, workbook};

/// Writes a reply.
///
/// # Errors
/// If the output fails.
pub fn render(out: &mut impl Write, reply: &Reply, format: Format) -> io::Result<()> {
    let is_json = matches!(format, Format::Json | Format::Ndjson);
    let changed: Vec<ProductReply>;
    let products = match reply {
        Reply::Product(product) => std::slice::from_ref(product),
        Reply::Change(change) if is_json => {
            return json(out, [JsonChange::from(change)].into_iter(), Format::Ndjson);
        }
        Reply::Changes(changes) if is_json => {
            return json(out, changes.iter().map(JsonChange::from), format);
        }
        Reply::Change(change) => std::slice::from_ref(&change.product),
        Reply::Changes(changes) => {
            changed = changes.iter().map(|change| change.product.clone()).collect();
            &changed
        }
        Reply::Products(products) => products,
        Reply::Imported(reply) => return imported::render(out, reply, format),
        Reply::ProductChanges(page) => return product_changes::render(out, &page.changes, format),
        // Reports show these, on sheets.
        Reply::Summaries(_) | Reply::LowStock(_) | Reply::Expiring(_) | Reply::Traced(_) => return Ok(()),
        Reply::Status(status) => return status::render(out, status, format),
        Reply::Farewell => return Ok(()),
        Reply::Movements(page) => return movements::render(out, &page.movements, format),
    };
    match format {
        Format::Text if products.is_empty() => writeln!(out, "{NO_PRODUCT}"),
        Format::Text => products.iter().try_for_each(|product| writeln!(out, "{product}")),
        Format::Table => table(
            out,
            &[
                ("Nome", Align::Left),
                ("Preço (R$)", Align::Right),
                ("Estoque", Align::Right),
                ("Unidade", Align::Left),
            ],
            products.iter().map(|product| {
                let unit = unit(product).unwrap_or("").to_owned();
                [product.name.to_string(), product.price.to_string(), product.stock.to_string(), unit]
            }),
        ),
        Format::Json if matches!(reply, Reply::Product(_)) => {
            json(out, products.iter().map(JsonProduct::from), Format::Ndjson)
        }
        Format::Json | Format::Ndjson => json(out, products.iter().map(JsonProduct::from), format),
        Format::Csv => csv(out, products),
    }
}

/// The lines that describe the changes of a reply to a person, beside the reply:
/// `Caju: −20 un · R$ 40,00 · restam 40 un · #6`. There is no line for a lone change of a stock, whose reply
/// is the original's, nor for a reply that came as product lines.
pub fn change_lines(reply: &Reply) -> Vec<String> {
    let Reply::Changes(changes) = reply else { return Vec::new() };
    changes.iter().filter_map(change_line).collect()
}

/// The line that describes a change to a person. `None` if the change has no movement.
pub fn change_line(change: &ChangeReply) -> Option<String> {
    let movement = change.movement.as_ref()?;
    let unit = unit(&change.product).unwrap_or_default();
    let sign = if movement.delta < Quantity::ZERO { '\u{2212}' } else { '+' };
    let moved = movement.delta.with_comma().to_string();
    let (moved, balance) = (moved.trim_start_matches('-'), movement.balance.with_comma());
    Some(format!(
        "{}: {sign}{moved} {unit} · {} · restam {balance} {unit} · #{}",
        movement.product_name,
        movement.amount.in_reais(),
        movement.sequence
    ))
}

#[derive(Serialize)]
struct JsonChange<'a> {
    #[serde(flatten)]
    product: JsonProduct<'a>,
    movement: Option<JsonMovement<'a>>,
}

impl<'a> From<&'a ChangeReply> for JsonChange<'a> {
    fn from(ChangeReply { product, movement }: &'a ChangeReply) -> Self {
        let movement = movement.as_ref().map(JsonMovement::from);
        Self { product: product.into(), movement }
    }
}

#[derive(Serialize)]
struct JsonProduct<'a> {
    name: &'a str,
    price_centavos: i64,
    stock_thousandths: i64,
    unit: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stock_cost_centavos: Option<i64>,
    #[serde(flatten)]
    terms: Option<JsonTerms<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    discontinued: Option<bool>,
}

/// The other terms of a product that has some.
#[derive(Serialize)]
struct JsonTerms<'a> {
    code: Option<u32>,
    barcodes: Vec<String>,
    category: Option<&'a str>,
    minimum_thousandths: i64,
    target_thousandths: i64,
    shelf_life_days: u32,
}

impl<'a> From<&'a Terms> for JsonTerms<'a> {
    fn from(terms: &'a Terms) -> Self {
        Self {
            code: terms.code.map(ShopCode::number),
            barcodes: terms.barcodes.iter().map(Barcode::to_string).collect(),
            category: terms.category.as_ref().map(Category::as_str),
            minimum_thousandths: terms.minimum.thousandths(),
            target_thousandths: terms.target.thousandths(),
            shelf_life_days: terms.shelf_life_days,
        }
    }
}

impl<'a> From<&'a ProductReply> for JsonProduct<'a> {
    fn from(product: &'a ProductReply) -> Self {
        Self {
            name: product.name.as_str(),
            price_centavos: product.price.centavos(),
            stock_thousandths: product.stock.thousandths(),
            unit: unit(product),
            stock_cost_centavos: product.stock_cost.and_then(StockCost::centavos),
            terms: product.terms.as_deref().map(JsonTerms::from),
            discontinued: product.is_discontinued.then_some(true),
        }
    }
}

fn unit(product: &ProductReply) -> Option<&str> {
    product.unit.as_ref().map(|unit| unit.as_str())
}

fn csv(out: &mut impl Write, products: &[ProductReply]) -> io::Result<()> {
    writeln!(out, "{}", price_list::COLUMNS.join(","))?;
    for product in products {
        price_list::first_cells(out, product)?;
        writeln!(out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Amount, Kind, Name, Unit};
    use crate::local_time::LocalTime;
    use crate::operation::MovementReply;

    fn check(reply: &Reply, format: Format, expected: &str) {
        let mut out = Vec::new();
        render(&mut out, reply, format).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    fn product(name: &str, price: &str, stock: &str, unit: Option<&str>) -> ProductReply {
        ProductReply {
            name: Name::parse(name).unwrap(),
            terms: None,
            is_discontinued: false,
            price: price.parse().unwrap(),
            stock: stock.parse().unwrap(),
            unit: unit.map(|unit| Unit::parse(unit).unwrap()),
            stock_cost: None,
        }
    }

    #[test]
    fn every_format() {
        let maca = product("Maçã", "3", "20", Some("un"));
        let one = Reply::Product(maca.clone());
        let list = Reply::Products(vec![maca, product("Uva \"Rubi\", sem semente", "17.17", "9.65", None)]);
        check(&one, Format::Text, "Maçã: R$3.0, Estoque: 20\n");
        check(
            &one,
            Format::Json,
            "{\"name\":\"Maçã\",\"price_centavos\":300,\"stock_thousandths\":20000,\"unit\":\"un\"}\n",
        );
        check(
            &list,
            Format::Json,
            "[{\"name\":\"Maçã\",\"price_centavos\":300,\"stock_thousandths\":20000,\"unit\":\"un\"},\
            {\"name\":\"Uva \\\"Rubi\\\", sem semente\",\"price_centavos\":1717,\"stock_thousandths\":9650,\"unit\":null}]\n",
        );
        check(
            &list,
            Format::Csv,
            "nome,preco,estoque,unidade\nMaçã,3.0,20,un\n\"Uva \"\"Rubi\"\", sem semente\",17.17,9.65,\n",
        );
        check(
            &list,
            Format::Table,
            "\
Nome                     Preço (R$)  Estoque  Unidade
Maçã                            3.0       20  un
Uva \"Rubi\", sem semente       17.17     9.65
",
        );
    }

    #[test]
    fn a_change_is_shown_with_its_movement_if_that_is_known() {
        let maca = product("Maçã", "3", "17.5", Some("kg"));
        let movement = MovementReply {
            sequence: 812,
            product_name: maca.name.clone(),
            kind: Kind::Sale,
            delta: "-2.5".parse().unwrap(),
            balance: maca.stock,
            recorded_at: std::time::UNIX_EPOCH,
            amount: Amount::default(),
            author: None,
            details: None,
        };
        let known = ChangeReply { product: maca.clone(), movement: Some(movement) };
        let unknown = ChangeReply::from(maca);
        let object = "{\"name\":\"Maçã\",\"price_centavos\":300,\"stock_thousandths\":17500,\"unit\":\"kg\",\"movement\":";
        let movement = format!(
            "{{\"sequence\":812,\"recorded_at\":\"{}\",\"kind\":\"venda\",\"product_name\":\"Maçã\",\
             \"delta_thousandths\":-2500,\"balance_thousandths\":17500,\"amount_centavos\":0,\"price_centavos\":null,\
             \"request_id\":null,\"document\":null,\"undoes\":null,\"undone_by\":null,\"cost_centavos\":null,\
             \"author\":null,\"loss_reason\":null,\"note\":null,\"supplier\":null,\"lot\":null,\"expires_on\":null,\"invoice\":null}}}}",
            LocalTime(std::time::UNIX_EPOCH)
        );
        check(&Reply::Change(known.clone()), Format::Json, &format!("{object}{movement}\n"));
        check(&Reply::Change(unknown.clone()), Format::Text, "Maçã: R$3.0, Estoque: 17.5\n");
        let changes = Reply::Changes(vec![known, unknown]);
        check(&changes, Format::Json, &format!("[{object}{movement},{object}null}}]\n"));
        check(&changes, Format::Text, &"Maçã: R$3.0, Estoque: 17.5\n".repeat(2));
        assert_eq!(change_lines(&changes), ["Maçã: \u{2212}2,5 kg · R$ 0,00 · restam 17,5 kg · #812"]);
    }

    #[test]
    fn no_spreadsheet_runs_a_cell() {
        let names = ["=1+1", "a;=1+1", "'=1", "d'água", "-\"x\""];
        let list = names.map(|name| product(name, "1", "2", Some("@cx"))).to_vec();
        check(
            &Reply::Products(list),
            Format::Csv,
            "nome,preco,estoque,unidade\n\
            '=1+1,1.0,2,'@cx\n\"a;=1+1\",1.0,2,'@cx\n''=1,1.0,2,'@cx\nd'água,1.0,2,'@cx\n\
            \"'-\"\"x\"\"\",1.0,2,'@cx\n",
        );
    }

    #[test]
    fn an_empty_list_is_still_one() {
        let none = Reply::Products(Vec::new());
        check(&none, Format::Text, "Nenhum produto encontrado.\n");
        check(&none, Format::Json, "[]\n");
        check(&none, Format::Csv, "nome,preco,estoque,unidade\n");
        check(&none, Format::Table, "Nome  Preço (R$)  Estoque  Unidade\n");
    }
}
