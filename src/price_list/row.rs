//! The rows of a price list: the name, the price, the stock and the terms of a product.

use std::fmt;

use super::columns::Columns;
use super::field::Field;
use super::numbers::Numbers;
use crate::catalog::{
    Barcode, Category, Name, Price, ProductDraft, Quantity, Quoted, SHELF_LIFE_DAYS_MAX, ShopCode,
    TermsDraft, Unit, unguarded,
};

/// The characters between the barcodes of one cell.
const BETWEEN_BARCODES: [char; 7] = [' ', '\u{A0}', '\t', ',', ';', '/', '|'];

/// A row of the list that could be read.
pub(super) struct Row {
    pub(super) draft: ProductDraft,
    pub(super) has_stock: bool,
}

/// The cells of one row.
struct Cells<'r> {
    record: &'r csv::StringRecord,
    columns: &'r Columns,
    numbers: &'r Numbers,
}

/// Reads a row.
///
/// # Errors
/// If a cell cannot be read, with what is wrong.
pub(super) fn read_row(
    record: &csv::StringRecord,
    columns: &Columns,
    numbers: &Numbers,
) -> Result<Row, String> {
    let cells = Cells { record, columns, numbers };
    let name = Name::parse(unguarded(cells.get(Field::Name).unwrap_or(""))).map_err(told)?;
    let price: Price = match cells.get(Field::Price) {
        None => return Err(format!("{} está sem preço", Quoted(name.as_str()))),
        Some(number) => {
            numbers.read(number).map_err(|what| format!("o preço {what}"))?.parse().map_err(told)?
        }
    };
    let stock = cells.quantity(Field::Stock, "o estoque", &name)?;
    let unit = cells.unit()?;
    let terms = cells.terms(&name)?;
    let opening_stock = stock.unwrap_or(Quantity::ZERO);
    Ok(Row { draft: ProductDraft { name, price, unit, opening_stock, terms }, has_stock: stock.is_some() })
}

fn told(error: impl fmt::Display) -> String {
    error.to_string()
}

impl<'r> Cells<'r> {
    /// The cell of a column, unless it is empty or the list has no such column.
    fn get(&self, field: Field) -> Option<&'r str> {
        let place = self.columns.place(field)?;
        Some(self.record.get(place)?.trim()).filter(|cell| !cell.is_empty())
    }

    /// A quantity that is not negative.
    fn quantity(&self, field: Field, what: &str, name: &Name) -> Result<Option<Quantity>, String> {
        let Some(number) = self.get(field) else { return Ok(None) };
        let number = self.numbers.read(number).map_err(|error| format!("{what} {error}"))?;
        let quantity: Quantity = number.parse().map_err(told)?;
        match quantity < Quantity::ZERO {
            true => Err(format!("{what} de {} não pode ser negativo", Quoted(name.as_str()))),
            false => Ok(Some(quantity)),
        }
    }

    fn unit(&self) -> Result<Option<Unit>, String> {
        let Some(unit) = self.get(Field::Unit).map(unguarded) else { return Ok(None) };
        // In `Uva,3,50,10` the decimal comma moves the stock into the column of the unit. A price with a point
        // or comma, which `export` always writes, cannot have been split so.
        let is_number = unit.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let price = self.get(Field::Price).unwrap_or("");
        if is_number && !price.contains(['.', ',']) {
            return Err(format!(
                "a unidade {} é um número: um número com vírgula decimal precisa de aspas, ou a lista de ponto e vírgula",
                Quoted(unit)
            ));
        }
        Unit::parse(unit).map(Some).map_err(told)
    }

    fn terms(&self, name: &Name) -> Result<TermsDraft, String> {
        let category = self.get(Field::Category).map(unguarded).map(Category::parse);
        Ok(TermsDraft {
            code: self.get(Field::Code).map(|code| read_code(code, name)).transpose()?,
            barcodes: self.get(Field::Barcodes).map_or(Ok(Vec::new()), read_barcodes)?,
            category: category.transpose().map_err(told)?,
            minimum: self.quantity(Field::Minimum, "o mínimo", name)?,
            target: self.quantity(Field::Target, "o alvo", name)?,
            shelf_life_days: self.get(Field::ShelfLife).map(read_shelf_life).transpose()?,
        })
    }
}

/// Reads a shop code. An import gives codes and takes none away.
fn read_code(code: &str, name: &Name) -> Result<ShopCode, String> {
    if code.bytes().all(|byte| byte == b'0') {
        let name = Quoted(name.as_str());
        return Err(format!(
            "o código de {name} não pode ser 0: deixe a célula vazia para não mudá-lo; para tirá-lo, use \
             `hortifruti product set {name} --code 0`"
        ));
    }
    ShopCode::parse(code).map_err(told)
}

fn read_barcodes(cell: &str) -> Result<Vec<Barcode>, String> {
    // Excel shows a number of 13 digits as 7,891E+12, and saves what it shows.
    if cell.contains("E+") {
        return Err(format!(
            "a planilha abreviou o código de barras {}: formate a coluna como texto e escreva-o de novo, ou apague a \
             coluna, e os códigos ficam como estão",
            Quoted(cell)
        ));
    }
    let mut barcodes = Vec::new();
    for text in cell.split(BETWEEN_BARCODES).filter(|text| !text.is_empty()) {
        let barcode = Barcode::parse(text).map_err(told)?;
        if !barcodes.contains(&barcode) {
            barcodes.push(barcode);
        }
    }
    Ok(barcodes)
}

fn read_shelf_life(days: &str) -> Result<u32, String> {
    let read = days.parse().ok().filter(|days| *days <= SHELF_LIFE_DAYS_MAX);
    read.ok_or_else(|| {
        format!("a validade {} não serve: use de 0 a {SHELF_LIFE_DAYS_MAX} dias", Quoted(days))
    })
}
