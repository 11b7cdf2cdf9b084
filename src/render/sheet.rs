//! Sheets: tables of a report, for people, spreadsheets and programs.

use std::io::{self, Write};
use std::time::SystemTime;

use jiff::civil::Date;
use serde_json::{Map, Value, json};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::cells::text_cell;
use super::format::Format;
use crate::catalog::{Quantity, in_reais};
use crate::local_time::{LocalTime, ShortTime, told_date};

/// The width of the longest bar, in characters: as a rule, and in a table that is too wide.
const BAR_WIDTH: usize = 12;
const BAR_WIDTH_MIN: usize = 4;

/// The least width to which a column of text is cut, in characters.
const TEXT_WIDTH_MIN: usize = 10;

/// The minus of people; programs get a hyphen.
const MINUS: &str = "\u{2212}";

/// Eighths of a character, of which a bar ends with one.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// A table with a title, perhaps a row of totals, and notes below.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sheet {
    /// The name of the report: `losses`.
    pub name: &'static str,
    /// The line above the table.
    pub title: String,
    pub columns: Vec<Column>,
    /// The rows, each with a cell for each column.
    pub rows: Vec<Vec<Cell>>,
    /// The totals, as a row; none if empty.
    pub total: Vec<Cell>,
    /// The lines below the table.
    pub notes: Vec<String>,
    /// The line in place of a table without rows.
    pub nothing: &'static str,
}

/// A column of a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The heading for people.
    pub heading: &'static str,
    /// The name in JSON, without the unit of the value, which follows: `_centavos`, `_thousandths`, `_percent`.
    pub key: &'static str,
    /// The name in CSV.
    pub csv: &'static str,
    /// The kind of the cells, of which some may be [`Cell::Unknown`].
    pub holds: Holds,
    /// The need for the column in a table that is too wide.
    pub need: Need,
    /// Whether a bar beside the table shows the values.
    pub has_bar: bool,
}

/// The need for a column in a table that is too wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    Always,
    IfRoom,
    Least,
}

/// The kind of the cells of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    Text,
    Number,
    Quantity,
    Money,
    Percent,
    Time,
}

/// A cell of a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Text(String),
    /// A word for programs, and the same word with its accents for people.
    Word {
        word: &'static str,
        shown: &'static str,
    },
    Number(i64),
    Quantity(Quantity),
    /// Money in centavos.
    Money(i64),
    /// A share in tenths of a percent.
    Percent(i64),
    Time(SystemTime),
    Date(Date),
    /// No value, and why, for people: `sem custo`; empty if there is nothing to say.
    Unknown(&'static str),
}

impl Column {
    pub const fn new(heading: &'static str, key: &'static str, csv: &'static str, holds: Holds) -> Self {
        Self { heading, key, csv, holds, need: Need::Always, has_bar: false }
    }

    /// The column, if it is left out of a table that is too wide.
    pub const fn extra(self) -> Self {
        Self { need: Need::IfRoom, ..self }
    }

    /// The column, if it is the first to be left out of a table that is too wide.
    pub const fn least(self) -> Self {
        Self { need: Need::Least, ..self }
    }

    /// The column with a bar beside the table.
    pub const fn with_bar(self) -> Self {
        Self { has_bar: true, ..self }
    }

    /// The column as a program that shows the sheet needs it.
    fn json(&self) -> Value {
        let holds = match self.holds {
            Holds::Text => "text",
            Holds::Number => "number",
            Holds::Quantity => "quantity",
            Holds::Money => "money",
            Holds::Percent => "percent",
            Holds::Time => "time",
        };
        json!({"field": self.json_name(), "heading": self.heading, "holds": holds, "has_bar": self.has_bar})
    }

    fn json_name(&self) -> String {
        let unit = match self.holds {
            Holds::Text | Holds::Number | Holds::Time => "",
            Holds::Quantity => "_thousandths",
            Holds::Money => "_centavos",
            Holds::Percent => "_percent",
        };
        format!("{}{unit}", self.key)
    }
}

impl Cell {
    /// A share of a whole, half a tenth of a percent up; unknown if the whole is nothing.
    pub fn share(part: i64, whole: i64) -> Self {
        if whole == 0 {
            return Cell::Unknown("");
        }
        let (part, whole) = (i128::from(part) * 1000, i128::from(whole));
        let tenths = (2 * part + whole).div_euclid(2 * whole);
        i64::try_from(tenths).map_or(Cell::Unknown(""), Cell::Percent)
    }

    /// Money, or why it is unknown.
    pub fn money_or(centavos: Option<i64>, why: &'static str) -> Self {
        centavos.map_or(Cell::Unknown(why), Cell::Money)
    }

    /// The cell as people read it.
    fn shown(&self) -> String {
        match self {
            Cell::Text(text) => text.clone(),
            Cell::Word { shown, .. } => (*shown).to_owned(),
            Cell::Number(number) => number.to_string(),
            Cell::Quantity(quantity) => quantity.with_comma().to_string().replace('-', MINUS),
            Cell::Money(centavos) => reais(*centavos).replace("R$ ", ""),
            Cell::Percent(tenths) => decimal(*tenths, 10, ',').replace('-', MINUS),
            Cell::Time(time) => ShortTime(*time).to_string(),
            Cell::Date(date) => told_date(*date),
            Cell::Unknown(why) => (*why).to_owned(),
        }
    }

    fn csv(&self) -> String {
        match self {
            Cell::Text(text) => text_cell(text).into_owned(),
            Cell::Word { word, .. } => (*word).to_owned(),
            Cell::Number(number) => number.to_string(),
            Cell::Quantity(quantity) => quantity.to_string(),
            Cell::Money(centavos) => decimal(*centavos, 100, '.'),
            Cell::Percent(tenths) => decimal(*tenths, 10, '.'),
            Cell::Time(time) => LocalTime(*time).to_string(),
            Cell::Date(date) => told_date(*date),
            Cell::Unknown(_) => String::new(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Cell::Text(text) => json!(text),
            Cell::Word { word, .. } => json!(word),
            Cell::Number(number) => json!(number),
            Cell::Quantity(quantity) => json!(quantity.thousandths()),
            Cell::Money(centavos) => json!(centavos),
            Cell::Percent(tenths) => json!(*tenths as f64 / 10.0),
            Cell::Time(time) => json!(LocalTime(*time).to_string()),
            Cell::Date(date) => json!(told_date(*date)),
            Cell::Unknown(_) => Value::Null,
        }
    }

    /// The width of the cell as people read it, in characters.
    pub(super) fn shown_width(&self) -> usize {
        self.shown().width()
    }

    /// The value that a bar shows.
    fn magnitude(&self) -> u64 {
        match self {
            Cell::Number(value) | Cell::Money(value) | Cell::Percent(value) => value.unsigned_abs(),
            Cell::Quantity(quantity) => quantity.thousandths().unsigned_abs(),
            Cell::Text(_) | Cell::Word { .. } | Cell::Time(_) | Cell::Date(_) | Cell::Unknown(_) => 0,
        }
    }
}

/// A number of so many parts of one: `-0,5`.
fn decimal(value: i64, parts: u64, point: char) -> String {
    let (sign, value) = (if value < 0 { "-" } else { "" }, value.unsigned_abs());
    let digits = parts.ilog10() as usize;
    format!("{sign}{}{point}{:0digits$}", value / parts, value % parts)
}

/// Money for people: `R$ 1.234,50`.
pub fn reais(centavos: i64) -> String {
    in_reais(centavos).to_string()
}

/// Writes a sheet. A table for people is made to fit into `width` columns, if that is given.
///
/// # Errors
/// If the output fails.
pub fn render_sheet(
    out: &mut impl Write,
    sheet: &Sheet,
    format: Format,
    width: Option<usize>,
) -> io::Result<()> {
    match format {
        Format::Text | Format::Table => table(out, sheet, width),
        Format::Csv => csv(out, sheet),
        Format::Json => {
            let rows: Vec<Value> = sheet.rows.iter().map(|row| object(sheet, row)).collect();
            let total = if sheet.total.is_empty() { Value::Null } else { object(sheet, &sheet.total) };
            let columns: Vec<Value> = sheet.columns.iter().map(Column::json).collect();
            let value = json!({
                "report": sheet.name, "title": sheet.title, "columns": columns, "rows": rows, "total": total,
                "notes": sheet.notes, "nothing": sheet.nothing,
            });
            writeln!(out, "{value}")
        }
        Format::Ndjson => sheet.rows.iter().try_for_each(|row| writeln!(out, "{}", object(sheet, row))),
    }
}

/// A row as an object.
fn object(sheet: &Sheet, row: &[Cell]) -> Value {
    let fields = sheet.columns.iter().zip(row).map(|(column, cell)| (column.json_name(), cell.json()));
    Value::Object(Map::from_iter(fields))
}

fn csv(out: &mut impl Write, sheet: &Sheet) -> io::Result<()> {
    let names: Vec<&str> = sheet.columns.iter().map(|column| column.csv).collect();
    writeln!(out, "{}", names.join(","))?;
    for row in &sheet.rows {
        let cells: Vec<String> = row.iter().map(Cell::csv).collect();
        writeln!(out, "{}", cells.join(","))?;
    }
    Ok(())
}

fn table(out: &mut impl Write, sheet: &Sheet, width: Option<usize>) -> io::Result<()> {
    writeln!(out, "{}", sheet.title)?;
    if sheet.rows.is_empty() {
        writeln!(out, "{}", sheet.nothing)?;
    } else {
        let columns = fitted(sheet, width.unwrap_or(usize::MAX));
        for index in 0..columns[0].lines.len() {
            let mut line = String::new();
            for column in &columns {
                column.write(&mut line, index);
            }
            writeln!(out, "{}", line.trim_end())?;
        }
    }
    sheet.notes.iter().try_for_each(|note| writeln!(out, "{note}"))
}

/// A column as it is shown: its heading, its cells, and its total.
struct Shown {
    lines: Vec<String>,
    is_number: bool,
    need: Need,
    width: usize,
}

impl Shown {
    fn new(lines: Vec<String>, is_number: bool, need: Need) -> Self {
        let width = lines.iter().map(|line| line.width()).max().unwrap_or(0);
        Self { lines, is_number, need, width }
    }

    fn write(&self, out: &mut String, index: usize) {
        let line = cut(&self.lines[index], self.width);
        let padding = " ".repeat(self.width.saturating_sub(line.width()));
        if self.is_number {
            out.extend([padding.as_str(), &line, "  "]);
        } else {
            out.extend([&line, padding.as_str(), "  "]);
        }
    }
}

/// The columns of a sheet, with a bar of this width if there is one.
fn columns_shown(sheet: &Sheet, bar_width: usize) -> Vec<Shown> {
    let mut shown = Vec::new();
    let rows = || sheet.rows.iter().chain((!sheet.total.is_empty()).then_some(&sheet.total));
    for (index, column) in sheet.columns.iter().enumerate() {
        let is_number = column.holds != Holds::Text;
        let mut cells: Vec<String> = rows().map(|row| row[index].shown()).collect();
        if is_number {
            align_decimals(&mut cells);
        }
        cells.insert(0, column.heading.to_owned());
        shown.push(Shown::new(cells, is_number, column.need));
    }
    if let Some(index) = sheet.columns.iter().position(|column| column.has_bar && bar_width > 0) {
        let most = sheet.rows.iter().map(|row| row[index].magnitude()).max().unwrap_or(0);
        let mut bars: Vec<String> =
            sheet.rows.iter().map(|row| bar(row[index].magnitude(), most, bar_width)).collect();
        bars.insert(0, String::new());
        bars.extend((!sheet.total.is_empty()).then(String::new));
        shown.push(Shown::new(bars, false, Need::Always));
    }
    shown
}

/// Puts spaces behind numbers with fewer decimals, so that the commas stand below each other.
fn align_decimals(cells: &mut [String]) {
    let decimals = |cell: &String| cell.split_once(',').map_or(0, |(_, decimals)| 1 + decimals.len());
    let most = cells.iter().map(decimals).max().unwrap_or(0);
    for cell in cells {
        let is_number = cell.ends_with(|last: char| last.is_ascii_digit());
        if is_number {
            cell.extend(std::iter::repeat_n(' ', most - decimals(cell)));
        }
    }
}

/// A bar as long as the value's part of the most.
fn bar(value: u64, most: u64, width: usize) -> String {
    if most == 0 {
        return String::new();
    }
    let eighths = u128::from(value) * (width as u128 * 8) / u128::from(most);
    let (whole, rest) = (eighths as usize / 8, eighths as usize % 8);
    format!("{}{}", "█".repeat(whole), EIGHTHS[rest])
}

/// The columns of a table that is not wider than `width`: without the least ones, with a shorter bar, without
/// columns that need room, without a bar, with shorter texts, in this order.
fn fitted(sheet: &Sheet, width: usize) -> Vec<Shown> {
    let total = |columns: &[Shown]| columns.iter().map(|column| column.width + 2).sum::<usize>() - 2;
    let mut columns = columns_shown(sheet, BAR_WIDTH);
    if total(&columns) <= width {
        return columns;
    }
    columns.retain(|column| column.need != Need::Least);
    if total(&columns) <= width {
        return columns;
    }
    for bar_width in [BAR_WIDTH_MIN, 0] {
        columns = columns_shown(sheet, bar_width);
        columns.retain(|column| column.need != Need::Least);
        while total(&columns) > width
            && let Some(index) = columns.iter().rposition(|column| column.need == Need::IfRoom)
        {
            columns.remove(index);
        }
        if total(&columns) <= width {
            return columns;
        }
    }
    while total(&columns) > width {
        let texts = columns.iter_mut().filter(|column| !column.is_number && column.width > TEXT_WIDTH_MIN);
        let Some(widest) = texts.max_by_key(|column| column.width) else { break };
        widest.width -= 1;
    }
    columns
}

/// A text cut to a width, with an ellipsis if something is missing.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut taken = 1;
    for character in text.chars() {
        taken += character.width().unwrap_or(0);
        if taken > width {
            break;
        }
        cut.push(character);
    }
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Sheet {
        Sheet {
            name: "losses",
            title: "Perdas de 29/11/2026".to_owned(),
            columns: vec![
                Column::new("Produto", "product", "produto", Holds::Text),
                Column::new("Quantidade", "quantity", "quantidade", Holds::Quantity),
                Column::new("Un", "unit", "unidade", Holds::Text).extra(),
                Column::new("Custo (R$)", "cost", "custo", Holds::Money),
                Column::new("Venda (R$)", "amount", "valor", Holds::Money).with_bar(),
                Column::new("% vendas", "of_sales", "das_vendas", Holds::Percent),
            ],
            rows: vec![
                vec![
                    Cell::Text("Banana, nanica".to_owned()),
                    Cell::Quantity("12.35".parse().unwrap()),
                    Cell::Text("kg".to_owned()),
                    Cell::Money(-123_450),
                    Cell::Money(234_567_890),
                    Cell::share(1, 3),
                ],
                vec![
                    Cell::Text("Caju".to_owned()),
                    Cell::Quantity("2".parse().unwrap()),
                    Cell::Text("un".to_owned()),
                    Cell::Unknown("sem custo"),
                    Cell::Money(117_283_945),
                    Cell::share(1, 0),
                ],
            ],
            total: vec![
                Cell::Text("Total".to_owned()),
                Cell::Unknown(""),
                Cell::Text(String::new()),
                Cell::Money(-123_450),
                Cell::Money(351_851_835),
                Cell::Percent(1000),
            ],
            notes: vec!["Uma nota.".to_owned()],
            nothing: "Nenhuma perda.",
        }
    }

    fn check(format: Format, width: Option<usize>, expected: &str) {
        let mut out = Vec::new();
        render_sheet(&mut out, &sheet(), format, width).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn a_table_aligns_decimals_and_draws_a_bar() {
        check(
            Format::Table,
            None,
            "\
Perdas de 29/11/2026
Produto         Quantidade  Un  Custo (R$)    Venda (R$)  % vendas
Banana, nanica       12,35  kg   −1.234,50  2.345.678,90      33,3  ████████████
Caju                  2     un   sem custo  1.172.839,45            ██████
Total                            −1.234,50  3.518.518,35     100,0
Uma nota.
",
        );
    }

    #[test]
    fn a_table_fits_the_width() {
        for (width, first, bar) in [
            (80, "Produto         Quantidade  Un  Custo (R$)    Venda (R$)  % vendas", "████████████"),
            (79, "Produto         Quantidade  Un  Custo (R$)    Venda (R$)  % vendas", "████"),
            (68, "Produto         Quantidade  Custo (R$)    Venda (R$)  % vendas", "████"),
            (66, "Produto         Quantidade  Un  Custo (R$)    Venda (R$)  % vendas", ""),
            (62, "Produto         Quantidade  Custo (R$)    Venda (R$)  % vendas", ""),
            (60, "Produto       Quantidade  Custo (R$)    Venda (R$)  % vendas", ""),
            (10, "Produto     Quantidade  Custo (R$)    Venda (R$)  % vendas", ""),
        ] {
            let mut out = Vec::new();
            render_sheet(&mut out, &sheet(), Format::Text, Some(width)).unwrap();
            let out = String::from_utf8(out).unwrap();
            assert_eq!(out.lines().nth(1), Some(first), "{width}");
            let drawn = out.lines().nth(2).unwrap().matches('█').count();
            assert_eq!(drawn, bar.chars().count(), "{width}: {out}");
            assert!(width < 58 || out.lines().all(|line| line.width() <= width), "{width}: {out}");
        }
        assert_eq!(cut("Banana, nanica", 10), "Banana, n…");
    }

    #[test]
    fn programs_get_whole_numbers_and_spreadsheets_points() {
        check(
            Format::Csv,
            None,
            "produto,quantidade,unidade,custo,valor,das_vendas\n\
             \"Banana, nanica\",12.35,kg,-1234.50,2345678.90,33.3\nCaju,2,un,,1172839.45,\n",
        );
        let mut out = Vec::new();
        render_sheet(&mut out, &sheet(), Format::Json, None).unwrap();
        let value: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(
            value["rows"][1],
            json!({
                "product": "Caju", "quantity_thousandths": 2000, "unit": "un", "cost_centavos": null,
                "amount_centavos": 117_283_945, "of_sales_percent": null,
            })
        );
        assert_eq!(value["total"]["amount_centavos"], 351_851_835);
        assert_eq!(
            value["columns"][3],
            json!({"field": "cost_centavos", "heading": "Custo (R$)", "holds": "money", "has_bar": false})
        );
    }

    #[test]
    fn a_share_is_rounded_half_up() {
        for (part, whole, tenths) in
            [(1, 2000, 1), (1, 2001, 0), (-1, 2000, 0), (-3, 2000, -1), (2, 3, 667), (5, 5, 1000)]
        {
            assert_eq!(Cell::share(part, whole), Cell::Percent(tenths), "{part}/{whole}");
        }
    }
}
