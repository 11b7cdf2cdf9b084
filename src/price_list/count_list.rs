//! Lists of counted stocks: a name and a quantity in each row.

use super::cells::measured;
use super::count_columns::CountColumns;
use super::error::PriceListError;
use super::faults::check_cell;
use super::header::HEADER_ROWS_MAX;
use super::limits::INFLATED_BYTES_MAX;
use super::numbers::Numbers;
use super::record::{Kind, Line, Record};
use super::table::Table;
use crate::catalog::{Name, Quantity, Quoted, Unit, unguarded};

/// A product that was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedRow {
    /// The line of the file.
    pub line: u64,
    pub name: Name,
    pub counted: Quantity,
    /// The unit behind the quantity, in its heading, or in a column of its own.
    pub unit: Option<Unit>,
}

/// The rows of a count.
#[derive(Debug, Default)]
pub struct CountList {
    /// The products with the counted quantities, in the order of the file.
    pub rows: Vec<CountedRow>,
    /// Rows without a quantity, which were not counted.
    pub uncounted: usize,
    /// Rows that cannot be read, by the line of the file.
    pub bad: Vec<(u64, String)>,
    /// Notes for the user on how the list was read.
    pub notes: Vec<String>,
}

/// Reads a list of counts. A header, which may stand below titles, names the columns; without one, the first two are
/// the name and the quantity.
///
/// # Errors
/// If the file is of another kind or encoding, or empty, or several columns may be the counted quantities.
pub fn read_counts(bytes: &[u8]) -> Result<CountList, PriceListError> {
    let sheet = Table::of(bytes, INFLATED_BYTES_MAX, header_columns)?;
    let (rows_before, columns) = header(&sheet)?;
    let rows = || sheet.rows().skip(rows_before);
    let mut numbers = Numbers::default();
    for (line, row) in rows() {
        if let Ok(row) = &row
            && row.kind(columns.quantity) == Kind::Text
            && let Some(cell) = row.get(columns.quantity)
        {
            numbers.look_at(line, cell);
        }
    }
    let mut list = CountList::default();
    for (line, row) in rows() {
        match row.and_then(|row| read_row(&row, line, &columns, &numbers)) {
            Ok(Some(row)) => list.rows.push(row),
            Ok(None) => list.uncounted += 1,
            Err(what) => list.bad.push((line, what)),
        }
    }
    let read = [Some(columns.name), Some(columns.quantity), columns.unit];
    list.notes = sheet.notes(&|place| read.contains(&Some(place)));
    list.notes.extend(numbers.note());
    Ok(list)
}

/// The number of columns of the header among the first of some rows, if one is a header.
fn header_columns(rows: &mut dyn Iterator<Item = Line>) -> Option<usize> {
    let rows = rows.take(HEADER_ROWS_MAX).filter_map(|(_, row)| row.ok());
    rows.filter(|row| !matches!(CountColumns::of(row), Ok(None))).map(|row| row.len()).next()
}

/// The columns, and the number of rows before the first product. A row above a header that has a quantity is no title:
/// the list then has no header.
///
/// # Errors
/// If several columns may be the counted quantities.
fn header(sheet: &Table) -> Result<(usize, CountColumns), PriceListError> {
    let mut above: Vec<Record> = Vec::new();
    for (_, row) in sheet.rows().take(HEADER_ROWS_MAX) {
        let Ok(row) = row else { break };
        if let Some(columns) = CountColumns::of(&row)? {
            let has_quantity = |row: &Record| {
                let cell = row.get(columns.quantity).unwrap_or_default();
                measured(cell).number.parse::<Quantity>().is_ok()
            };
            if above.iter().any(has_quantity) {
                break;
            }
            return Ok((above.len() + 1, columns));
        }
        above.push(row);
    }
    let (unit, quantity_unit) = (None, None);
    Ok((0, CountColumns { name: 0, is_item: false, quantity: 1, unit, quantity_unit }))
}

/// Reads a row. `None` if it has no quantity.
fn read_row(
    record: &Record,
    line: u64,
    columns: &CountColumns,
    numbers: &Numbers,
) -> Result<Option<CountedRow>, String> {
    let cell = |place: usize| record.get(place).unwrap_or("").trim();
    check_cell(record, columns.name, || "o nome".to_owned())?;
    let name = Name::parse(unguarded(cell(columns.name))).map_err(told)?;
    if columns.is_item && name.as_str().bytes().all(|byte| byte.is_ascii_digit()) {
        let name = Quoted(name.as_str());
        return Err(format!("o nome {name} é um número: escreva nome sobre a coluna dos nomes"));
    }
    let quantity = columns.quantity;
    // In `Uva,2,5` a decimal comma has split the number.
    if quantity + 1 == record.len() - 1
        && quantity == 1
        && record.len() == 3
        && !cell(2).is_empty()
        && columns.unit != Some(2)
    {
        return Err(format!(
            "{} tem três células: um número com vírgula decimal precisa de aspas, ou a lista de ponto e vírgula",
            Quoted(name.as_str())
        ));
    }
    if record.is_blank_at(quantity) {
        return Ok(None);
    }
    let of_name = |what: &str| format!("{what} de {}", Quoted(name.as_str()));
    check_cell(record, quantity, || of_name("a quantidade"))?;
    if let Some(unit) = columns.unit {
        check_cell(record, unit, || of_name("a unidade"))?;
    }
    let measured = measured(cell(quantity));
    let number = match record.kind(quantity) {
        Kind::Text => numbers.read(measured.number).map_err(|what| format!("a quantidade {what}"))?,
        _ => measured.number.into(),
    };
    let counted: Quantity = number.parse().map_err(told)?;
    let own = columns.unit.map(cell).filter(|unit| !unit.is_empty());
    let own = own.map(|unit| Unit::parse(unguarded(unit)).map_err(told)).transpose()?;
    let own = own.or_else(|| columns.quantity_unit.clone());
    let Some((unit, parts)) = measured.unit else {
        return Ok(Some(CountedRow { line, name, counted, unit: own }));
    };
    let unit = Unit::parse(unit).map_err(told)?;
    if let Some(own) = own.filter(|own| *own != unit) {
        let (name, cell) = (Quoted(name.as_str()), Quoted(cell(quantity)));
        return Err(format!("a quantidade de {name} é {cell}, e a unidade é {own}: corrija uma das duas"));
    }
    let counted = counted.divided(parts).ok_or_else(|| {
        format!("{} tem menos de um milésimo da unidade: escreva em {unit}", Quoted(cell(quantity)))
    })?;
    Ok(Some(CountedRow { line, name, counted, unit: Some(unit) }))
}

fn told(error: impl ToString) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let list = read_counts(text.as_bytes()).unwrap();
        let rows = list.rows.iter().map(|row| {
            let unit = row.unit.as_ref().map_or(String::new(), |unit| format!(" {unit}"));
            format!("{} {}{unit}; ", row.name, row.counted)
        });
        let bad = list.bad.iter().map(|(line, what)| format!("{line}: {what}; "));
        let shown: String = rows.chain(bad).collect();
        assert!(shown.starts_with(expected), "{text:?}: {shown}");
    }

    #[test]
    fn a_count_is_read_as_price_lists_are() {
        for text in [
            "nome;quantidade\nCaju;57\nUva;2,5\nKiwi;\n",
            "Quantidade\tsetor\tProduto\n57\tA\tCaju\n2,5\tB\tUva\n",
            "\u{FEFF}Caju;57\r\nUva;2,5\r\n",
        ] {
            check(text, "Caju 57; Uva 2.5; ");
        }
        check("nome,preco,estoque,unidade\nCaju,2.0,57,un\nUva,8.9,2.5,kg\n", "Caju 57 un; Uva 2.5 kg; ");
        assert_eq!(read_counts("Kiwi;\nUva;1\n".as_bytes()).unwrap().uncounted, 1);
        check("Uva;1.000\nPera;x\n", "1: a quantidade \"1.000\" tem duas leituras");
        check("Uva,2,5\n", "1: \"Uva\" tem três células");
        check("Uva;1.000\nPera;2,5\n", "Uva 1000; Pera 2.5; ");
    }

    #[test]
    fn a_header_may_stand_below_titles_and_numbers_of_rows_are_no_names() {
        check("INVENTÁRIO;;\nLoja:;2;\n\nProduto;Sistema;Contado\nCaju;60;57\n", "Caju 57; ");
        // A counted row is never taken for a title.
        check("Caju;57\nProduto;Contado\nUva;2\n", "Caju 57; Uva 2; 2: quantidade inválida");
        check("Item;Insumo;Contagem\n1;Caju;57\n", "2: o nome \"1\" é um número");
        check("Produto;Contagem\n1;57\n", "1 57; ");
        check("Item;Contagem\nCaju;57\n", "Caju 57; ");
    }

    #[test]
    fn a_count_keeps_the_unit_that_is_written() {
        for text in [
            "nome;quantidade\nAlho;500 g\nMaca;2 dz\n",
            "Alho;500g\nMaca;2 dúzias\n",
            "nome;quantidade;unidade\nAlho;0,5;Kilo\nMaca;2;DZ\n",
            "Produto;Estoque;Contado;Un\nAlho;7;0,5 kg;kg\nMaca;9;2;dz\n",
        ] {
            check(text, "Alho 0.5 kg; Maca 2 dz; ");
        }
        check("Produto;Contagem (kg)\nAlho;0,5\n", "Alho 0.5 kg; ");
        check("Descrição;Qtde.\nAlho;0,5\n", "Alho 0.5; ");
        check("nome;quantidade;unidade\nAlho;500 g;un\n", "2: a quantidade de \"Alho\" é \"500 g\"");
        check("nome;quantidade\nAlho;0,5 g\n", "2: \"0,5 g\" tem menos de um milésimo");
        // A quantity of grams under a heading is none of kilograms, and two headings may both be the count.
        check("nome;quantidade (g)\nAlho;500\n", "Alho 500; 1: quantidade inválida");
        let both = read_counts("Produto;Estoque;Qtd\nAlho;7;2\n".as_bytes()).unwrap_err().to_string();
        assert!(both.contains("\"Estoque\" e \"Qtd\""), "{both}");
    }
}
