//! Replies for people and for scripts: text, table, JSON, CSV.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::catalog::guarded;
use crate::operation::{NO_PRODUCT, ProductReply, Reply};

/// How a reply is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One line a product, as in the text protocol.
    Text,
    /// Aligned columns.
    Table,
    /// One object for one product, else an array.
    Json,
    /// A price list that `import` reads.
    Csv,
}

/// Writes a reply.
///
/// # Errors
/// If the output fails.
pub fn render(out: &mut impl Write, reply: &Reply, format: Format) -> io::Result<()> {
    let changed: Vec<ProductReply>;
    let products = match reply {
        Reply::Product(product) => std::slice::from_ref(product),
        Reply::Batch(changes) => {
            changed = changes.iter().map(|change| change.product.clone()).collect();
            &changed
        }
        Reply::Products(products) => products,
        Reply::Imported(counts) => {
            return writeln!(
                out,
                "{} criados, {} atualizados, {} sem mudança.",
                counts.created, counts.updated, counts.unchanged
            );
        }
        Reply::Farewell => return Ok(()),
    };
    match format {
        Format::Text if products.is_empty() => writeln!(out, "{NO_PRODUCT}"),
        Format::Text => products.iter().try_for_each(|product| writeln!(out, "{product}")),
        Format::Table => table(out, products),
        Format::Json => {
            let rows: Vec<JsonProduct<'_>> = products.iter().map(JsonProduct::from).collect();
            match (reply, &rows[..]) {
                (Reply::Product(_), [row]) => serde_json::to_writer(&mut *out, row)?,
                _ => serde_json::to_writer(&mut *out, &rows)?,
            }
            writeln!(out)
        }
        Format::Csv => csv(out, products),
    }
}

#[derive(Serialize)]
struct JsonProduct<'a> {
    name: &'a str,
    price_centavos: i64,
    stock_thousandths: i64,
    unit: Option<&'a str>,
}

impl<'a> From<&'a ProductReply> for JsonProduct<'a> {
    fn from(product: &'a ProductReply) -> Self {
        Self {
            name: product.name.as_str(),
            price_centavos: product.price.centavos(),
            stock_thousandths: product.stock.thousandths(),
            unit: unit(product),
        }
    }
}

fn unit(product: &ProductReply) -> Option<&str> {
    product.unit.as_ref().map(|unit| unit.as_str())
}

/// The columns of a price list, as `import` reads them.
pub const COLUMNS: [&str; 4] = ["nome", "preco", "estoque", "unidade"];

/// Whether a file with this beginning is a list of products as CSV.
pub fn is_csv(head: &[u8]) -> bool {
    head.starts_with(format!("{}\n", COLUMNS.join(",")).as_bytes())
}

fn csv(out: &mut impl Write, products: &[ProductReply]) -> io::Result<()> {
    writeln!(out, "{}", COLUMNS.join(","))?;
    for product in products {
        let (name, unit) = (text_cell(product.name.as_str()), text_cell(unit(product).unwrap_or("")));
        writeln!(out, "{name},{},{},{unit}", product.price, product.stock)?;
    }
    Ok(())
}

/// A cell of text, in quotation marks if it needs them. The writer of the csv crate does not quote a
/// semicolon, at which a Brazilian spreadsheet begins another cell, and perhaps a formula.
fn text_cell(text: &str) -> Cow<'_, str> {
    let cell = guarded(text);
    if cell.contains(['"', ',', ';', '\t', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\"")).into()
    } else {
        cell
    }
}

fn table(out: &mut impl Write, products: &[ProductReply]) -> io::Result<()> {
    let header = ["Nome", "Preço (R$)", "Estoque", "Unidade"].map(str::to_owned);
    let rows: Vec<[String; 4]> = std::iter::once(header)
        .chain(products.iter().map(|product| {
            [
                product.name.to_string(),
                product.price.to_string(),
                product.stock.to_string(),
                unit(product).unwrap_or("").to_owned(),
            ]
        }))
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let pad = |cell: &str, width: usize| " ".repeat(width - cell.width());
    for [name, price, stock, unit] in &rows {
        let line = format!(
            "{name}{}  {}{price}  {}{stock}  {unit}",
            pad(name, widths[0]),
            pad(price, widths[1]),
            pad(stock, widths[2])
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Name, Unit};

    fn check(reply: &Reply, format: Format, expected: &str) {
        let mut out = Vec::new();
        render(&mut out, reply, format).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    fn product(name: &str, price: &str, stock: &str, unit: Option<&str>) -> ProductReply {
        ProductReply {
            name: Name::parse(name).unwrap(),
            price: price.parse().unwrap(),
            stock: stock.parse().unwrap(),
            unit: unit.map(|unit| Unit::parse(unit).unwrap()),
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
