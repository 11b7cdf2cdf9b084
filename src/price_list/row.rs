//! The rows of a price list: the name, the price, the stock and the terms of a product.

use std::fmt;

use super::cells::{is_date, is_no_price, is_whole_date, measured, without_zeros};
use super::columns::Columns;
use super::faults::check_cell;
use super::field::Field;
use super::numbers::Numbers;
use super::record::{Kind, Record};
use crate::catalog::{
    Barcode, Category, Key, Name, Price, ProductDraft, Quantity, Quoted, SHELF_LIFE_DAYS_MAX, SHOP_CODE_MAX,
    ShopCode, TermsDraft, Unit, unguarded,
};

/// The characters between the barcodes of one cell.
const BETWEEN_BARCODES: [char; 7] = [' ', '\u{A0}', '\t', ',', ';', '/', '|'];

/// The texts in the place of a barcode that a product does not have, in capitals. Zeros are none, either.
const NO_BARCODE: [&str; 4] = ["SEM GTIN", "SEM EAN", "ISENTO", "-"];

/// The decimals of a price and of a quantity.
const PRICE_DECIMALS: usize = 2;
const QUANTITY_DECIMALS: usize = 3;

/// The digits of a barcode that cannot be taken for a shop code, unless zeros fill it up to so many.
const LONG_CODE_DIGITS: usize = 8;

/// Digits of a shop code, at most.
const SHOP_CODE_DIGITS: usize = SHOP_CODE_MAX.ilog10() as usize + 1;

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
            let unit = whole_unit(measured.unit, cell)?;
            let number =
                cells.number(Field::Price, measured.number).map_err(|what| format!("o preço {what}"))?;
            let price = without_zeros(&number);
            cells.check_decimals(Field::Price, price, PRICE_DECIMALS)?;
            (price.parse::<Price>().map_err(told)?, unit)
        }
    };
    let unit = cells.unit(price_unit, &name)?;
    let (stock, stock_unit) = cells.quantity(Field::Stock, "o estoque", &name, unit.as_ref())?;
    let unit = unit.or(stock_unit);
    let mut terms = cells.terms(&name, unit.as_ref())?;
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
        for place in &self.columns.grades {
            check_cell(self.record, *place, || of_name("a classificação"))?;
        }
        Ok(())
    }

    /// The name, with the grades if the list has some.
    fn name(&self) -> Result<Name, String> {
        let cell = unguarded(self.get(Field::Name).unwrap_or(""));
        if is_date(cell) && !self.columns.is_exported {
            return Err(format!(
                "o nome {} é uma data, que a planilha pôs no lugar dele: formate a coluna como texto e escreva o nome de novo",
                Quoted(cell)
            ));
        }
        // Numbers are those of the rows, or codes, and the names stand in a column that nobody knows.
        let is_number = !cell.is_empty() && cell.chars().all(|it| it.is_ascii_digit() || it == '.');
        if is_number && !self.columns.is_name_certain {
            return Err(format!(
                "o nome {} é um número: diga a coluna dos nomes com --column nome=CABECALHO",
                Quoted(cell)
            ));
        }
        let mut name = cell.to_owned();
        for place in &self.columns.grades {
            let grade = self.record.get(*place).unwrap_or_default().trim();
            if is_whole_date(grade) {
                return Err(format!(
                    "a classificação de {} é uma data, {}, que a planilha pôs no lugar dela: formate a coluna como texto e escreva de novo",
                    Quoted(cell),
                    Quoted(grade)
                ));
            }
            if !grade.is_empty() && grade != "-" && !cell.is_empty() {
                name.push(' ');
                name.push_str(grade);
            }
        }
        Name::parse(&name).map_err(told)
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

    /// A quantity that is not negative, and the unit behind it or in its heading.
    ///
    /// # Errors
    /// If it is none, or of another unit than the product.
    fn quantity(
        &self,
        field: Field,
        what: &str,
        name: &Name,
        of_product: Option<&Unit>,
    ) -> Result<(Option<Quantity>, Option<Unit>), String> {
        let of_heading = self.columns.unit(field).cloned();
        let is_none = |cell: &str| field == Field::Stock && is_no_price(cell);
        let Some(cell) = self.get(field).filter(|cell| !is_none(cell)) else { return Ok((None, of_heading)) };
        let measured = measured(cell);
        let number = self.number(field, measured.number).map_err(|error| format!("{what} {error}"))?;
        self.check_decimals(field, &number, QUANTITY_DECIMALS)?;
        let quantity: Quantity = number.parse().map_err(told)?;
        let unit = whole_unit(measured.unit, cell)?.or(of_heading);
        // How a product is packed does not say in what it is counted.
        let is_packing = self.columns.is_packing && self.columns.unit(Field::Price).is_none();
        if let (Some(unit), Some(own), false) = (&unit, of_product, is_packing)
            && unit != own
        {
            return Err(format!("{what} de {} está em {unit}, e a unidade é {own}", Quoted(name.as_str())));
        }
        match quantity < Quantity::ZERO {
            true => Err(format!(
                "{what} de {} não pode ser negativo; para não ler a coluna, importe com --column {}=-",
                Quoted(name.as_str()),
                field.heading()
            )),
            false => Ok((Some(quantity), unit)),
        }
    }

    /// The unit: of the price, behind it or in its heading, or of the column of units.
    fn unit(&self, of_price: Option<Unit>, name: &Name) -> Result<Option<Unit>, String> {
        let of_price = of_price.or_else(|| self.columns.unit(Field::Price).cloned());
        let own = match &of_price {
            // The price is of its unit, however the product is packed.
            Some(_) if self.columns.is_packing => None,
            _ => self.own_unit()?,
        };
        // A unit with a number, as `cx 20 kg`, is a packing.
        let is_packing = |unit: &Unit| unit.as_str().contains(|it: char| it.is_ascii_digit());
        match (of_price, own) {
            (Some(of_price), Some(own)) if of_price != own && !is_packing(&own) => Err(format!(
                "o preço de {} é por {of_price}, e a unidade é {own}: corrija uma das duas, ou importe com --column {}=-",
                Quoted(name.as_str()),
                Field::Unit.heading()
            )),
            (of_price, own) => Ok(of_price.or(own)),
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

    fn terms(&self, name: &Name, unit: Option<&Unit>) -> Result<TermsDraft, String> {
        let quantity = |field, what| self.quantity(field, what, name, unit).map(|(quantity, _)| quantity);
        let category = self.get(Field::Category).map(unguarded).map(Category::parse);
        let mut barcodes = self.get(Field::Barcodes).map_or(Ok(Vec::new()), read_barcodes)?;
        // The codes of many systems are barcodes for what has one, and numbers of the shop for what has none.
        let code = match self.get(Field::Code) {
            Some(code)
                if code.len() >= LONG_CODE_DIGITS
                    && code.bytes().all(|byte| byte.is_ascii_digit())
                    && code.trim_start_matches('0').len() > SHOP_CODE_DIGITS =>
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
            minimum: quantity(Field::Minimum, "o mínimo")?,
            target: quantity(Field::Target, "o alvo")?,
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
    // Some systems fill up their codes with zeros.
    ShopCode::parse(code.trim_start_matches('0')).map_err(|error| {
        format!("{error}; se os códigos são de outro sistema, importe sem eles, com --column codigo=-")
    })
}

fn read_barcodes(cell: &str) -> Result<Vec<Barcode>, String> {
    let is_zero = cell.bytes().all(|byte| byte == b'0');
    if is_zero || NO_BARCODE.contains(&cell.to_uppercase().as_str()) {
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
