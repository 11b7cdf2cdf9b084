//! Cells that cannot be meant: errors of a spreadsheet, formulas without a value, and dates where none can stand.

use super::record::{Kind, Record};
use crate::catalog::{Key, Quoted};

/// Checks that a cell has something to read. `what` names it for the user.
///
/// # Errors
/// If the cell is an error, a formula without a value, or a date, which is in no field of a list.
pub(super) fn check_cell(record: &Record, place: usize, what: impl Fn() -> String) -> Result<(), String> {
    let cell = record.get(place).unwrap_or_default().trim();
    match record.kind(place) {
        Kind::Uncalculated => {
            Err(format!("{} é uma fórmula sem valor: abra a planilha, salve-a e mande-a de novo", what()))
        }
        Kind::Date => Err(format!(
            "{} é uma data, {}, que a planilha pôs no lugar do que foi escrito: formate a coluna como texto e escreva de novo",
            what(),
            Quoted(cell)
        )),
        Kind::Text if !is_error(cell) => Ok(()),
        Kind::Number => Ok(()),
        Kind::Text | Kind::Fault => {
            Err(format!("{} é um erro da planilha, {}: corrija a célula", what(), Quoted(cell)))
        }
    }
}

/// Whether a text is the error that a spreadsheet shows in the place of a value: `#N/D`, `#DIV/0!`, `Err:502`, or a
/// number that its column is too narrow for.
fn is_error(text: &str) -> bool {
    let folded = Key::fold(text);
    let folded = folded.as_str();
    let named = folded.strip_prefix('#').unwrap_or_default();
    matches!(named, "n/a" | "n/d" | "erro" | "error")
        || (named.ends_with(['!', '?']) && !named.contains(' '))
        || (named.len() > 1 && named.bytes().all(|byte| byte == b'#'))
        || folded.strip_prefix("err:").is_some_and(|code| code.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_known_as_spreadsheets_show_them() {
        for text in
            ["#N/A", "#N/D", "#DIV/0!", "#REF!", "#VALOR!", "#NOME?", "#NÚM!", "#ERRO", "Err:502", "####"]
        {
            assert!(is_error(text), "{text}");
        }
        for text in ["", "#", "#1", "Uva #2", "# promoção !", "Err", "N/A", "Uva!"] {
            assert!(!is_error(text), "{text}");
        }
    }
}
