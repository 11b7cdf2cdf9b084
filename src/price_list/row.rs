//! The rows of a price list: the name, the price, the stock and the terms of a product.

use std::fmt;

use super::cells::{is_date, is_no_price, measured, without_zeros};
use super::columns::Columns;
use super::field::Field;
use super::numbers::Numbers;
use super::record::{Kind, Record};
use crate::catalog::{
    Barcode, Category, Key, Name, Price, ProductDraft, Quantity, Quoted, SHELF_LIFE_DAYS_MAX, ShopCode,
    TermsDraft, Unit, unguarded,
};

/// The characters between the barcodes of one cell.
const BETWEEN_BARCODES: [char; 7] = [' ', '\u{A0}', '\t', ',', ';', '/', '|'];

/// The texts in the place of a barcode that a product does not have, in capitals.
const NO_BARCODE: [&str; 5] = ["SEM GTIN", "SEM EAN", "ISENTO", "0", "-"];

/// The digits of a barcode that cannot be taken for a shop code.
const LONG_CODE_DIGITS: usize = 8;

/// A row of the list that could be read.
pub(super) struct Row {
    pub(super) draft: ProductDraft,
    pub(super) has_stock: bool,
}

/// The cells of one row.
struct Cells<'r> {
    record: &'r Record,
    columns: &'r Columns,
    numbers: &'r Numbers,
}

/// Reads a row. `None` if the row says that the product has no price now.
///
/// # Errors
/// If a cell cannot be read, with what is wrong.
pub(super) fn read_row(
    record: &Record,
    columns: &Columns,
    numbers: &Numbers,
    section: Option<&Category>,
) -> Result<Option<Row>, String> {
    let cells = Cells { record, columns, numbers };
    let name = cells.name()?;
    let (price, price_unit) = match cells.get(Field::Price) {
        None if cells.is_uncalculated(Field::Price) => {
            return Err(format!(
                "o preço de {} é uma fórmula sem valor: abra a planilha, salve-a e importe de novo",
                Quoted(name.as_str())
            ));
        }
        None => return Err(format!("{} está sem preço", Quoted(name.as_str()))),
        Some(cell) if is_no_price(cell) => return Ok(None),
        Some(cell) => {
            let measured = measured(cell);
            let number =
                cells.number(Field::Price, measured.number).map_err(|what| format!("o preço {what}"))?;
            (without_zeros(&number).parse::<Price>().map_err(told)?, whole_unit(measured.unit, cell)?)
        }
    };
    let stock = cells.quantity(Field::Stock, "o estoque", &name)?;
    let unit = cells.unit(price_unit, &name)?;
    let mut terms = cells.terms(&name)?;
    terms.category = terms.category.or_else(|| section.cloned());
    let opening_stock = stock.unwrap_or(Quantity::ZERO);
    let draft = ProductDraft { name, price, unit, opening_stock, terms };
    Ok(Some(Row { draft, has_stock: stock.is_some() }))
}

fn told(error: impl fmt::Display) -> String {
    error.to_string()
}

/// The unit behind a number, in its usual spelling.
///
/// # Errors
/// If the number is of grams or millilitres, of which no price is kept.
fn whole_unit(unit: Option<(&str, u16)>, cell: &str) -> Result<Option<Unit>, String> {
    match unit {
        Some((unit, 1)) => Unit::parse(unit).map(Some).map_err(told),
        Some((unit, _)) => {
            Err(format!("{} não é por {unit}: escreva o preço ou a quantidade em {unit}", Quoted(cell)))
        }
        None => Ok(None),
    }
}

impl<'r> Cells<'r> {
    /// The cell of a column, unless it is empty or the list has no such column.
    fn get(&self, field: Field) -> Option<&'r str> {
        let place = self.columns.place(field)?;
        Some(self.record.get(place)?.trim()).filter(|cell| !cell.is_empty())
    }

    fn kind(&self, field: Field) -> Kind {
        self.columns.place(field).map_or(Kind::Text, |place| self.record.kind(place))
    }

    fn is_uncalculated(&self, field: Field) -> bool {
        self.kind(field) == Kind::Uncalculated
    }

    /// The name, with the grade if the list has one.
    fn name(&self) -> Result<Name, String> {
        let cell = unguarded(self.get(Field::Name).unwrap_or(""));
        let is_faulty = matches!(self.kind(Field::Name), Kind::Fault | Kind::Uncalculated);
        if is_faulty {
            return Err("o nome é uma fórmula sem valor: escreva o nome por extenso".to_owned());
        }
        if self.kind(Field::Name) == Kind::Date || (is_date(cell) && !self.columns.is_exported) {
            return Err(format!(
                "o nome {} é uma data, que a planilha pôs no lugar dele: formate a coluna como texto e escreva o nome de novo",
                Quoted(cell)
            ));
        }
        let grade = self.columns.grade.and_then(|place| self.record.get(place)).map(str::trim);
        match grade.filter(|grade| !grade.is_empty() && *grade != "-" && !cell.is_empty()) {
            Some(grade) => Name::parse(&format!("{cell} {grade}")).map_err(told),
            None => Name::parse(cell).map_err(told),
        }
    }

    /// The number of a cell, or of a part of it, without separators of thousands.
    fn number(&self, field: Field, number: &'r str) -> Result<std::borrow::Cow<'r, str>, String> {
        match self.kind(field) {
            Kind::Text => self.numbers.read(number),
            Kind::Number => Ok(number.into()),
            Kind::Date => Err(format!("{} é uma data: formate a coluna como número", Quoted(number))),
            Kind::Uncalculated | Kind::Fault => {
                Err("é uma fórmula sem valor: abra a planilha, corrija-a e salve".to_owned())
            }
        }
    }

    /// A quantity that is not negative.
    fn quantity(&self, field: Field, what: &str, name: &Name) -> Result<Option<Quantity>, String> {
        let cell = match self.get(field) {
            Some(cell) => cell,
            None if self.is_uncalculated(field) => "",
            None => return Ok(None),
        };
        if field == Field::Stock && is_no_price(cell) {
            return Ok(None);
        }
        let measured = measured(cell);
        let number = self.number(field, measured.number).map_err(|error| format!("{what} {error}"))?;
        let quantity: Quantity = number.parse().map_err(told)?;
        if let Some(unit) = whole_unit(measured.unit, cell)?
            && let Some(own) = self.get(Field::Unit).filter(|_| !self.columns.is_packing)
            && Unit::parse(unguarded(own)).ok().is_some_and(|own| own != unit)
        {
            return Err(format!(
                "{what} de {} está em {unit}, e a unidade é {}",
                Quoted(name.as_str()),
                Quoted(own)
            ));
        }
        match quantity < Quantity::ZERO {
            true => Err(format!(
                "{what} de {} não pode ser negativo; para não ler a coluna, importe com --column {}=-",
                Quoted(name.as_str()),
                field.heading()
            )),
            false => Ok(Some(quantity)),
        }
    }

    /// The unit: of the price's own cell, of the column of units, of the price's heading, or behind the stock.
    fn unit(&self, of_price: Option<Unit>, name: &Name) -> Result<Option<Unit>, String> {
        let of_heading = self.columns.price_unit.clone();
        let own = match &of_heading {
            // The price is of the unit in its heading, however the product is packed.
            Some(_) if self.columns.is_packing => None,
            _ => self.own_unit()?,
        };
        match (of_price, own) {
            (Some(of_price), Some(own)) if of_price != own => Err(format!(
                "o preço de {} é por {of_price}, e a unidade é {own}: corrija uma das duas",
                Quoted(name.as_str())
            )),
            (Some(unit), _) | (None, Some(unit)) => Ok(Some(unit)),
            (None, None) => Ok(of_heading.or_else(|| {
                let unit = measured(self.get(Field::Stock)?).unit?;
                whole_unit(Some(unit), "").ok()?
            })),
        }
    }

    fn own_unit(&self) -> Result<Option<Unit>, String> {
        let Some(unit) = self.get(Field::Unit).map(unguarded) else { return Ok(None) };
        // In `Uva,3,50,10` the decimal comma moves the stock into the column of the unit. A price with a point
        // or comma, which `export` always writes, cannot have been split so.
        let is_number = unit.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let price = self.get(Field::Price).unwrap_or("");
        if is_number && !price.contains(['.', ',']) && self.kind(Field::Price) == Kind::Text {
            return Err(format!(
                "a unidade {} é um número: um número com vírgula decimal precisa de aspas, ou a lista de ponto e vírgula",
                Quoted(unit)
            ));
        }
        if self.columns.is_kind
            && let Some(unit) = unit_of_kind(unit)
        {
            return Unit::parse(unit).map(Some).map_err(told);
        }
        Unit::parse(unit).map(Some).map_err(told)
    }

    fn terms(&self, name: &Name) -> Result<TermsDraft, String> {
        let category = self.get(Field::Category).map(unguarded).map(Category::parse);
        let mut barcodes = self.get(Field::Barcodes).map_or(Ok(Vec::new()), read_barcodes)?;
        // The codes of many systems are barcodes for what has one, and numbers of the shop for what has none.
        let code = match self.get(Field::Code) {
            Some(code)
                if code.len() >= LONG_CODE_DIGITS && code.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                let barcode = Barcode::parse(code).map_err(told)?;
                if !barcodes.contains(&barcode) {
                    barcodes.push(barcode);
                }
                None
            }
            code => code.map(|code| read_code(code, name)).transpose()?,
        };
        Ok(TermsDraft {
            code,
            barcodes,
            category: category.transpose().map_err(told)?,
            minimum: self.quantity(Field::Minimum, "o mínimo", name)?,
            target: self.quantity(Field::Target, "o alvo", name)?,
            shelf_life_days: self.get(Field::ShelfLife).map(read_shelf_life).transpose()?,
        })
    }
}

/// The unit of a product that is weighed, or of one that is not.
fn unit_of_kind(text: &str) -> Option<&'static str> {
    match Key::fold(text.trim_end_matches('.')).as_str() {
        "p" | "peso" | "pesado" | "pesavel" | "s" | "sim" | "por peso" => Some("kg"),
        "u" | "unitario" | "n" | "nao" | "por unidade" => Some("un"),
        _ => None,
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
    ShopCode::parse(code).map_err(|error| {
        format!("{error}; se os códigos são de outro sistema, importe sem eles, com --column codigo=-")
    })
}

fn read_barcodes(cell: &str) -> Result<Vec<Barcode>, String> {
    if NO_BARCODE.contains(&cell.to_uppercase().as_str()) {
        return Ok(Vec::new());
    }
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
