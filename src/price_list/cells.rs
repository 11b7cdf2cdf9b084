//! Cells as people write them: a price with its unit, a quantity with its unit, a price that is none.

use crate::catalog::{Key, unit_of_word};

/// The folded words in the place of a price that a product does not have now.
const NO_PRICE: [&str; 26] = [
    "-",
    "--",
    "---",
    "...",
    "s/c",
    "sc",
    "s/ cotacao",
    "sem cotacao",
    "n/c",
    "nc",
    "n/d",
    "nd",
    "s/p",
    "s/ preco",
    "sem preco",
    "sem valor",
    "a combinar",
    "consultar",
    "consulte",
    "sob consulta",
    "em falta",
    "falta",
    "esgotado",
    "indisponivel",
    "ausente",
    "aus",
];

/// Whether a cell says that there is no price.
pub(super) fn is_no_price(cell: &str) -> bool {
    let cell = cell.trim();
    let bare = cell.get(..2).filter(|symbol| symbol.eq_ignore_ascii_case("R$")).map_or(cell, |_| &cell[2..]);
    let folded = Key::fold(bare.trim());
    NO_PRICE.contains(&folded.as_str().trim_end_matches('.')) || folded.as_str() == "..."
}

/// A cell with a number, and the unit behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measured<'c> {
    /// The number, with a sign and a currency, if the cell has them.
    pub(super) number: &'c str,
    /// The unit, in its usual spelling, and how many of what the cell names make one of it.
    pub(super) unit: Option<(&'static str, u16)>,
}

/// Divides `3,50/kg`, `R$ 3,50 / kg`, `12,5 kg` and `6,00 por unidade`. A cell with anything else behind its number
/// stays whole.
pub(super) fn measured(cell: &str) -> Measured<'_> {
    let cell = cell.trim();
    let whole = Measured { number: cell, unit: None };
    let Some(last) = cell.rfind(|character: char| character.is_ascii_digit()) else { return whole };
    let (number, rest) = cell.split_at(last + 1);
    let mut word = rest.trim().trim_start_matches('/').trim_start();
    for before in ["por ", "p/ ", "p/", "o ", "a "] {
        if let Some(after) = word.get(before.len()..).filter(|_| word.is_char_boundary(before.len()))
            && word[..before.len()].eq_ignore_ascii_case(before)
        {
            word = after.trim_start();
            break;
        }
    }
    match unit_of_word(word) {
        Some(unit) if !word.is_empty() => Measured { number, unit: Some(unit) },
        _ => whole,
    }
}

/// The number without the zeros behind its second decimal, as of `3,500` or `12.9000`. The mark is the last
/// separator.
pub(super) fn without_zeros(number: &str) -> &str {
    let Some(mark) = number.rfind([',', '.']) else { return number };
    let zeros = number.bytes().rev().take_while(|byte| *byte == b'0').count();
    let decimals = number.len() - mark - 1;
    &number[..number.len() - zeros.min(decimals.saturating_sub(2))]
}

/// Whether a name is the date that a spreadsheet has made of it: `1/2`, `01/02/2026`, `2026-02-01`.
pub(super) fn is_date(name: &str) -> bool {
    is_whole_date(name) || name.split_once('/').is_some_and(|(day, month)| is_part(day) && is_part(month))
}

/// Whether a text is a date that has a year or the name of a month, which nobody writes for sizes from 10 to 12.
pub(super) fn is_whole_date(text: &str) -> bool {
    ['/', '-'].into_iter().any(|between| {
        let parts: Vec<&str> = text.split(between).collect();
        let is_long = parts.len() == 3 && parts.iter().all(|part| is_part(part));
        let is_month = |part: &str| MONTHS.contains(&Key::fold(part.trim_end_matches('.')).as_str());
        is_long || (parts.len() >= 2 && is_part(parts[0]) && is_month(parts[1]))
    })
}

/// Whether a text may be a part of a date.
fn is_part(part: &str) -> bool {
    (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// The months as spreadsheets shorten them.
const MONTHS: [&str; 12] =
    ["jan", "fev", "mar", "abr", "mai", "jun", "jul", "ago", "set", "out", "nov", "dez"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_may_carry_its_unit() {
        for (cell, number, unit) in [
            ("3,50/kg", "3,50", Some(("kg", 1))),
            ("R$ 3,50 / kg", "R$ 3,50", Some(("kg", 1))),
            (" 12,5 kg ", "12,5", Some(("kg", 1))),
            ("6,00 por unidade", "6,00", Some(("un", 1))),
            ("5,00/maço", "5,00", Some(("maço", 1))),
            ("2,00 o molho", "2,00", Some(("molho", 1))),
            ("4,00/g", "4,00", Some(("kg", 1000))),
            ("3,50", "3,50", None),
            ("3,50/100g", "3,50/100", Some(("kg", 1000))),
            ("3,50 cada", "3,50 cada", None),
            ("abc", "abc", None),
            ("", "", None),
        ] {
            assert_eq!(measured(cell), Measured { number, unit }, "{cell}");
        }
    }

    #[test]
    fn words_in_the_place_of_a_price() {
        for cell in ["s/c", "S/C.", "-", "–", "R$ -", " A combinar ", "Esgotado", "..."] {
            assert!(is_no_price(cell), "{cell}");
        }
        for cell in ["", "0", "3,50", "R$", "grátis"] {
            assert!(!is_no_price(cell), "{cell}");
        }
    }

    #[test]
    fn zeros_behind_the_centavos_are_nothing() {
        for (number, without) in [
            ("3,500", "3,50"),
            ("3.9000", "3.90"),
            ("12,000", "12,00"),
            ("1000", "1000"),
            ("3,505", "3,505"),
            ("3,5", "3,5"),
        ] {
            assert_eq!(without_zeros(number), without, "{number}");
        }
    }

    #[test]
    fn names_that_are_dates() {
        for name in ["1/2", "01/02/2026", "2026-02-01", "12/fev", "01-mar", "01/mai."] {
            assert!(is_date(name), "{name}");
        }
        for name in ["Uva", "1/2 dúzia de ovos", "7-Belo", "Ovo 10/12", "2-1", "Mar"] {
            assert!(!is_date(name), "{name}");
        }
    }
}
