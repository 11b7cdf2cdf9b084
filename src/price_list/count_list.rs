//! Lists of counted stocks: a name and a quantity in each row.

use super::cells::measured;
use super::error::PriceListError;
use super::limits::INFLATED_BYTES_MAX;
use super::numbers::Numbers;
use super::record::{Kind, Record};
use super::table::Table;
use crate::catalog::{Key, Name, Quantity, Quoted, unguarded};

/// The names of the column of names, folded.
const NAMES: [&str; 2] = ["nome", "produto"];

/// The names of the column of quantities, folded.
const QUANTITIES: [&str; 5] = ["quantidade", "contado", "contagem", "estoque", "qtd"];

/// The rows of a count.
#[derive(Debug, Default)]
pub struct CountList {
    /// The products with the counted quantities, in the order of the file.
    pub rows: Vec<(Name, Quantity)>,
    /// Rows without a quantity, which were not counted.
    pub uncounted: usize,
    /// Rows that cannot be read, by the line of the file.
    pub bad: Vec<(u64, String)>,
    /// A note for the user on how the numbers were read.
    pub note: Option<String>,
}

/// Reads a list of counts. A header may name the columns; without one, the first two are the name and the
/// quantity.
///
/// # Errors
/// If the file is of another kind or encoding, or empty.
pub fn read_counts(bytes: &[u8]) -> Result<CountList, PriceListError> {
    let sheet = Table::of(bytes, INFLATED_BYTES_MAX, |_| None)?;
    let (mut name, mut quantity, mut has_header) = (0, 1, false);
    if let Some((_, Ok(first))) = sheet.rows().next() {
        let place =
            |known: &[&str]| first.iter().position(|cell| known.contains(&Key::fold(cell.trim()).as_str()));
        if let (Some(names), Some(quantities)) = (place(&NAMES), place(&QUANTITIES)) {
            (name, quantity, has_header) = (names, quantities, true);
        }
    }
    let rows = || sheet.rows().skip(usize::from(has_header));
    let mut numbers = Numbers::default();
    for (line, row) in rows() {
        if let Ok(row) = &row
            && row.kind(quantity) == Kind::Text
            && let Some(cell) = row.get(quantity)
        {
            numbers.look_at(line, cell);
        }
    }
    let mut list = CountList::default();
    for (line, row) in rows() {
        match row.and_then(|row| read_row(&row, name, quantity, &numbers)) {
            Ok((name, Some(counted))) => list.rows.push((name, counted)),
            Ok((_, None)) => list.uncounted += 1,
            Err(what) => list.bad.push((line, what)),
        }
    }
    list.note = numbers.note();
    Ok(list)
}

fn read_row(
    record: &Record,
    name: usize,
    quantity: usize,
    numbers: &Numbers,
) -> Result<(Name, Option<Quantity>), String> {
    let cell = |place: usize| record.get(place).unwrap_or("").trim();
    let name = Name::parse(unguarded(cell(name))).map_err(|error| error.to_string())?;
    // In `Uva,2,5` a decimal comma has split the number.
    if quantity + 1 == record.len() - 1 && quantity == 1 && record.len() == 3 && !cell(2).is_empty() {
        return Err(format!(
            "{} tem três células: um número com vírgula decimal precisa de aspas, ou a lista de ponto e vírgula",
            Quoted(name.as_str())
        ));
    }
    if cell(quantity).is_empty() {
        return Ok((name, None));
    }
    if record.kind(quantity) == Kind::Uncalculated {
        return Err(format!(
            "{} tem uma fórmula sem valor: abra a planilha, salve-a e conte de novo",
            Quoted(name.as_str())
        ));
    }
    let counted = measured(cell(quantity)).number;
    let number = match record.kind(quantity) {
        Kind::Text => numbers.read(counted).map_err(|what| format!("a quantidade {what}"))?,
        _ => counted.into(),
    };
    Ok((name, Some(number.parse().map_err(|error: crate::catalog::QuantityError| error.to_string())?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let list = read_counts(text.as_bytes()).unwrap();
        let rows = list.rows.iter().map(|(name, counted)| format!("{name} {counted}; "));
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
            "nome,preco,estoque,unidade\nCaju,2.0,57,un\nUva,8.9,2.5,kg\n",
        ] {
            check(text, "Caju 57; Uva 2.5; ");
        }
        assert_eq!(read_counts("Kiwi;\nUva;1\n".as_bytes()).unwrap().uncounted, 1);
        check("Uva;1.000\nPera;x\n", "1: a quantidade \"1.000\" tem duas leituras");
        check("Uva,2,5\n", "1: \"Uva\" tem três células");
        check("Uva;1.000\nPera;2,5\n", "Uva 1000; Pera 2.5; ");
    }
}
