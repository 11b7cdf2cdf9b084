//! The rows of a price list: the name, the price, the stock and the terms of a product.

use std::fmt;

use super::cells::{is_date, is_no_price, is_whole_date, measured, without_zeros};
use super::columns::Columns;
use super::faults::check_cell;
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

/// The decimals of a price and of a quantity.
const PRICE_DECIMALS: usize = 2;
const QUANTITY_DECIMALS: usize = 3;

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
    cells.check()?;
    let name = cells.name()?;
    let (price, price_unit) = match cells.get(Field::Price) {
        None => return Err(without_price(record, &name)),
        Some(cell) if is_no_price(cell) => return Ok(None),
        Some(cell) => {
            let measured = measured(cell);
            let number =
                cells.number(Field::Price, measured.number).map_err(|what| format!("o preço {what}"))?;
            let price = without_zeros(&number);
            cells.check_decimals(Field::Price, price, PRICE_DECIMALS)?;
            (price.parse::<Price>().map_err(told)?, whole_unit(measured.unit, cell)?)
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

/// The error about a row without a price, which may be meant as a section if it has nothing but a name.
fn without_price(record: &Record, name: &Name) -> String {
    let is_lone = (0..record.len()).filter(|place| !record.is_blank_at(*place)).count() == 1;
    let else_section = if is_lone { " (se for uma seção, escreva-a com dois-pontos no fim)" } else { "" };
    format!("{} está sem preço{else_section}", Quoted(name.as_str()))
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

    /// Checks that every cell that is read has something to read.
    fn check(&self) -> Result<(), String> {
        let name = self.get(Field::Name).unwrap_or_default();
        let of_name = |what: &str| format!("{what} de {}", Quoted(name));
        for (field, place) in self.columns.places() {
            match field {
                Field::Name if self.columns.is_exported && self.kind(field) == Kind::Text => {}
                Field::Name => check_cell(self.record, place, || field.called().to_owned())?,
                _ => check_cell(self.record, place, || of_name(field.called()))?,
            }
        }
        if let Some(place) = self.columns.grade {
            check_cell(self.record, place, || of_name("a classificação"))?;
        }
        Ok(())
    }

    /// The name, with the grade if the list has one.
    fn name(&self) -> Result<Name, String> {
        let cell = unguarded(self.get(Field::Name).unwrap_or(""));
        if is_date(cell) && !self.columns.is_exported {
            return Err(format!(
                "o nome {} é uma data, que a planilha pôs no lugar dele: formate a coluna como texto e escreva o nome de novo",
                Quoted(cell)
            ));
        }
        let grade = self.columns.grade.and_then(|place| self.record.get(place)).map(str::trim);
        if let Some(grade) = grade.filter(|grade| is_whole_date(grade)) {
            return Err(format!(
                "a classificação de {} é uma data, {}, que a planilha pôs no lugar dela: formate a coluna como texto e escreva de novo",
                Quoted(cell),
                Quoted(grade)
            ));
        }
        match grade.filter(|grade| !grade.is_empty() && *grade != "-" && !cell.is_empty()) {
            Some(grade) => Name::parse(&format!("{cell} {grade}")).map_err(told),
            None => Name::parse(cell).map_err(told),
        }
    }

    /// The number of a cell, or of a part of it, without separators of thousands.
    fn number(&self, field: Field, number: &'r str) -> Result<std::borrow::Cow<'r, str>, String> {
        match self.kind(field) {
            Kind::Text => self.numbers.read(number),
            _ => Ok(number.into()),
        }
    }

    /// Checks that a number of a workbook has no more decimals than it may. A sheet computes more than it shows.
    ///
    /// # Errors
    /// If it has more: how the sheet rounds it, because nobody else does.
    fn check_decimals(&self, field: Field, number: &str, decimals_max: usize) -> Result<(), String> {
        let decimals = number.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        if self.kind(field) != Kind::Number || decimals <= decimals_max {
            return Ok(());
        }
        Err(format!(
            "{} de {} é {}, com decimais demais: arredonde na planilha, com =ARRED(…;{decimals_max})",
            field.called(),
            Quoted(self.get(Field::Name).unwrap_or_default()),
            number.replace('.', ",")
        ))
    }

    /// A quantity that is not negative.
    fn quantity(&self, field: Field, what: &str, name: &Name) -> Result<Option<Quantity>, String> {
        let Some(cell) = self.get(field) else { return Ok(None) };
        if field == Field::Stock && is_no_price(cell) {
            return Ok(None);
        }
        let measured = measured(cell);
        let number = self.number(field, measured.number).map_err(|error| format!("{what} {error}"))?;
        self.check_decimals(field, &number, QUANTITY_DECIMALS)?;
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
