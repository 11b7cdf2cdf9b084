//! The catalog as a price list, which `import` reads: the price, the stock, the unit and the other terms.

use std::io::{self, Write};

use super::cells::text_cell;
use super::sheet::{Cell, Column, Holds, Sheet};
use crate::catalog::{Barcode, Category, Quantity, ShopCode, Terms, Unit};
use crate::operation::ProductReply;

/// The columns that every list of products as CSV has. Lists of earlier builds had no others.
pub(super) const COLUMNS: [&str; 4] = ["nome", "preco", "estoque", "unidade"];

/// The columns of the other terms.
const TERMS_COLUMNS: [&str; 6] =
    ["codigo", "codigos_de_barras", "categoria", "minimo", "alvo", "validade_dias"];

/// The mark of UTF-8, without which Excel takes a text for one in Windows-1252.
const UTF8_MARK: &str = "\u{FEFF}";

/// Whether a file with this beginning is a list for Brazilian spreadsheets that this program wrote.
pub fn is_spreadsheet_list(head: &[u8]) -> bool {
    head.starts_with(spreadsheet_header().as_bytes())
}

fn spreadsheet_header() -> String {
    format!("{UTF8_MARK}{}\r\n", header().replace(',', ";"))
}

/// Whether a file with this beginning is a price list that this program wrote.
pub fn is_price_list(head: &[u8]) -> bool {
    let (earlier, own) = (COLUMNS.join(",") + "\n", header() + "\n");
    [earlier, own].iter().any(|header| head.starts_with(header.as_bytes()))
}

fn header() -> String {
    [&COLUMNS[..], &TERMS_COLUMNS].concat().join(",")
}

/// Writes products as a price list. A term that a product does not have is an empty cell.
///
/// # Errors
/// If the output fails.
pub fn render_price_list<'a>(
    out: &mut impl Write,
    products: impl IntoIterator<Item = &'a ProductReply>,
) -> io::Result<()> {
    writeln!(out, "{}", header())?;
    for product in products {
        first_cells(out, product)?;
        let terms = product.terms.as_deref().unwrap_or(Terms::NONE);
        let code = terms.code.map_or(String::new(), |code| ShopCode::to_string(&code));
        // Spaces, which no spreadsheet takes for the delimiter or for a part of a number.
        let barcodes = terms.barcodes.iter().map(Barcode::to_string).collect::<Vec<_>>().join(" ");
        let category = text_cell(terms.category.as_ref().map_or("", Category::as_str));
        let limit = |quantity: Quantity| some_or_empty(quantity, Quantity::ZERO);
        let (minimum, target) = (limit(terms.minimum), limit(terms.target));
        let days = some_or_empty(terms.shelf_life_days, 0);
        writeln!(out, ",{code},{barcodes},{category},{minimum},{target},{days}")?;
    }
    Ok(())
}

/// Writes products as a price list that Brazilian spreadsheets open: semicolons, decimal commas, and the mark of
/// UTF-8.
///
/// # Errors
/// If the output fails.
pub fn render_spreadsheet_list<'a>(
    out: &mut impl Write,
    products: impl IntoIterator<Item = &'a ProductReply>,
) -> io::Result<()> {
    out.write_all(spreadsheet_header().as_bytes())?;
    for product in products {
        let cells: Vec<String> = catalog_row(product)
            .into_iter()
            .map(|cell| match cell {
                Cell::Money(centavos) => format!("{},{:02}", centavos / 100, centavos % 100),
                Cell::Quantity(quantity) => quantity.with_comma().to_string(),
                Cell::Number(number) => number.to_string(),
                Cell::Text(text) => text_cell(&text).into_owned(),
                _ => String::new(),
            })
            .collect();
        write!(out, "{}\r\n", cells.join(";"))?;
    }
    Ok(())
}

/// The catalog as a sheet, which `import` reads.
pub fn catalog_sheet<'a>(products: impl IntoIterator<Item = &'a ProductReply>) -> Sheet {
    let headings = COLUMNS.into_iter().chain(TERMS_COLUMNS);
    let column = |(heading, holds)| Column::new(heading, heading, heading, holds);
    Sheet {
        name: "products",
        title: "Produtos".to_owned(),
        columns: headings.zip(HOLDS).map(column).collect(),
        rows: products.into_iter().map(catalog_row).collect(),
        ..Sheet::default()
    }
}

/// The kinds of the cells of a list, by column.
const HOLDS: [Holds; 10] = [
    Holds::Text,
    Holds::Money,
    Holds::Quantity,
    Holds::Text,
    Holds::Number,
    Holds::Text,
    Holds::Text,
    Holds::Quantity,
    Holds::Quantity,
    Holds::Number,
];

/// The row of a product.
fn catalog_row(product: &ProductReply) -> Vec<Cell> {
    let terms = product.terms.as_deref().unwrap_or(Terms::NONE);
    let text = |text: &str| if text.is_empty() { Cell::Unknown("") } else { Cell::Text(text.to_owned()) };
    let limit = |quantity: Quantity| match quantity {
        Quantity::ZERO => Cell::Unknown(""),
        quantity => Cell::Quantity(quantity),
    };
    let days = Some(i64::from(terms.shelf_life_days)).filter(|days| *days > 0);
    vec![
        Cell::Text(product.name.as_str().to_owned()),
        Cell::Money(product.price.centavos()),
        Cell::Quantity(product.stock),
        text(product.unit.as_ref().map_or("", Unit::as_str)),
        terms.code.map_or(Cell::Unknown(""), |code| Cell::Number(code.number().into())),
        text(&terms.barcodes.iter().map(Barcode::to_string).collect::<Vec<_>>().join(" ")),
        text(terms.category.as_ref().map_or("", Category::as_str)),
        limit(terms.minimum),
        limit(terms.target),
        days.map_or(Cell::Unknown(""), Cell::Number),
    ]
}

fn some_or_empty<T: PartialEq + ToString>(value: T, none: T) -> String {
    if value == none { String::new() } else { value.to_string() }
}

/// Writes the cells of [`COLUMNS`].
pub(super) fn first_cells(out: &mut impl Write, product: &ProductReply) -> io::Result<()> {
    let unit = product.unit.as_ref().map_or("", Unit::as_str);
    let (name, unit) = (text_cell(product.name.as_str()), text_cell(unit));
    write!(out, "{name},{},{},{unit}", product.price, product.stock)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::catalog::Name;

    #[test]
    fn a_list_has_every_term() {
        let product = |name: &str, terms: Option<Terms>| ProductReply {
            name: Name::parse(name).unwrap(),
            price: "3,5".parse().unwrap(),
            stock: "1,25".parse().unwrap(),
            unit: Unit::parse("kg").ok(),
            stock_cost: None,
            terms: terms.map(Arc::new),
            is_discontinued: false,
        };
        let terms = Terms {
            code: ShopCode::parse("12").ok(),
            barcodes: ["4011", "7891000100103"].map(|text| Barcode::parse(text).unwrap()).to_vec(),
            category: Category::parse("secas; \"finas\", de época").ok(),
            minimum: Quantity::from_units(5),
            target: "9,5".parse().unwrap(),
            shelf_life_days: 3,
        };
        let formula = Terms { category: Category::parse("=1+1").ok(), ..Terms::default() };
        let products = [product("Maçã", Some(terms)), product("Uva", None), product("Figo", Some(formula))];
        let mut out = Vec::new();
        render_price_list(&mut out, &products).unwrap();
        assert_eq!(
            String::from_utf8(out.clone()).unwrap(),
            "nome,preco,estoque,unidade,codigo,codigos_de_barras,categoria,minimo,alvo,validade_dias\n\
             Maçã,3.5,1.25,kg,12,4011 7891000100103,\"secas; \"\"finas\"\", de época\",5,9.5,3\n\
             Uva,3.5,1.25,kg,,,,,,\nFigo,3.5,1.25,kg,,,'=1+1,,,\n"
        );
        assert!(is_price_list(&out) && is_price_list(b"nome,preco,estoque,unidade\nUva,1.0,2,kg\n"));
        assert!(!is_price_list(b"nome,preco,estoque,unidade,cor\n") && !is_price_list(b"nome,preco\n"));
    }
}
