//! Decides the decimal mark of a list from its numbers: if one of them is `8,90`, the comma is decimal and
//! `2.000` is two thousand; if one is `3.50`, the opposite.

use std::borrow::Cow;

use super::cells::measured;
use crate::catalog::{Quoted, counted, has_two_readings};

/// The decimal mark of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DecimalMark {
    Comma,
    Point,
}

impl DecimalMark {
    fn of(separator: char) -> Self {
        if separator == ',' { DecimalMark::Comma } else { DecimalMark::Point }
    }

    fn other(self) -> Self {
        if self == DecimalMark::Comma { DecimalMark::Point } else { DecimalMark::Comma }
    }

    fn separator(self) -> char {
        if self == DecimalMark::Comma { ',' } else { '.' }
    }

    fn words(self) -> &'static str {
        if self == DecimalMark::Comma { "vírgula decimal" } else { "ponto decimal" }
    }
}

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// The number shows that this is the decimal mark: it uses the mark, or separates thousands with the
    /// other.
    With(DecimalMark),
    /// The number has two readings: `1.000`, `1,000`. The mark is its separator.
    Open(DecimalMark),
    /// The cell has no separator, or is not a number.
    Plainly,
}

impl Written {
    fn of(cell: &str) -> Self {
        let number = bare(cell);
        if !number.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b',' | b'.')) {
            return Written::Plainly;
        }
        let (Some(first), Some(last)) = (number.find([',', '.']), number.rfind([',', '.'])) else {
            return Written::Plainly;
        };
        let mark = |at: usize| DecimalMark::of(if number.as_bytes()[at] == b',' { ',' } else { '.' });
        let (first_mark, last_mark) = (mark(first), mark(last));
        if first == last {
            if has_two_readings(number, last_mark.separator()) {
                return Written::Open(last_mark);
            }
            return if number.ends_with([',', '.']) { Written::Plainly } else { Written::With(last_mark) };
        }
        let whole = if first_mark == last_mark { number } else { &number[..last] };
        match is_grouped(whole, first_mark.separator()) {
            true => Written::With(first_mark.other()),
            false => Written::Plainly,
        }
    }
}

/// The number in a cell, without currency and sign.
fn bare(cell: &str) -> &str {
    let cell = cell.trim();
    let number = match cell.get(..2) {
        Some(symbol) if symbol.eq_ignore_ascii_case("R$") => cell[2..].trim_start(),
        _ => cell,
    };
    number.strip_prefix(['+', '-', '\u{2212}']).unwrap_or(number)
}

/// Whether this separator divides a whole number into groups of three digits.
fn is_grouped(whole: &str, separator: char) -> bool {
    let mut groups = whole.split(separator);
    let first = groups.next().unwrap_or("");
    let is_digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    (1..=3).contains(&first.len())
        && is_digits(first)
        && groups.all(|group| group.len() == 3 && is_digits(group))
}

/// A number of the list, with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    line: u64,
    cell: String,
}

impl Seen {
    fn words(&self) -> String {
        format!("{} na linha {}", Quoted(&self.cell), self.line)
    }
}

/// The evidence in a list's numbers for their decimal mark.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// The first number written with a decimal comma, and the first with a decimal point.
    comma: Option<Seen>,
    point: Option<Seen>,
    /// The first number with two readings, and how many there are.
    open: Option<Seen>,
    open_count: usize,
}

impl Numbers {
    /// Adds a number of the list to the evidence.
    pub(super) fn look_at(&mut self, line: u64, cell: &str) {
        let cell = measured(cell).number;
        let seen = || Seen { line, cell: cell.to_owned() };
        match Written::of(cell) {
            Written::With(DecimalMark::Comma) => _ = self.comma.get_or_insert_with(seen),
            Written::With(DecimalMark::Point) => _ = self.point.get_or_insert_with(seen),
            Written::Open(_) => {
                self.open.get_or_insert_with(seen);
                self.open_count += 1;
            }
            Written::Plainly => {}
        }
    }

    /// The decimal mark of the list, and the number that shows it.
    fn decided(&self) -> Option<(DecimalMark, &Seen)> {
        match (&self.comma, &self.point) {
            (Some(seen), None) => Some((DecimalMark::Comma, seen)),
            (None, Some(seen)) => Some((DecimalMark::Point, seen)),
            _ => None,
        }
    }

    /// The number of a cell, without separators of thousands.
    ///
    /// # Errors
    /// If the number has two readings, and the other numbers do not decide between them.
    pub(super) fn read<'c>(&self, cell: &'c str) -> Result<Cow<'c, str>, String> {
        let without = |mark: DecimalMark| cell.replace(mark.separator(), "");
        match Written::of(cell) {
            Written::Plainly => Ok(cell.into()),
            Written::With(mark) => Ok(without(mark.other()).into()),
            Written::Open(own) => match self.decided() {
                Some((mark, _)) if mark == own => Ok(cell.into()),
                Some(_) => Ok(without(own).into()),
                None => Err(self.undecided(cell, own)),
            },
        }
    }

    fn undecided(&self, cell: &str, own: DecimalMark) -> String {
        let number = bare(cell);
        let thousands = number.replace(own.separator(), "");
        let units = number.replace(own.separator(), ",");
        let units = units.trim_end_matches('0').trim_end_matches(',');
        let why = match (&self.comma, &self.point) {
            (Some(comma), Some(point)) => {
                format!("e a lista tem números das duas formas ({} e {})", comma.words(), point.words())
            }
            _ => "e nenhum outro número da lista decide".to_owned(),
        };
        format!(
            "{} tem duas leituras, {thousands} e {units}, {why}: escreva {thousands} ou {units}",
            Quoted(cell)
        )
    }

    /// A note on how numbers with two readings were read, if the list has any.
    pub(super) fn note(&self) -> Option<String> {
        let ((mark, by), open) = (self.decided()?, self.open.as_ref()?);
        let read = self.read(&open.cell).ok()?;
        let what = counted(self.open_count, "número foi lido", "números foram lidos");
        let shown = bare(&read).replace('.', ",");
        let shown =
            if shown.contains(',') { shown.trim_end_matches('0').trim_end_matches(',') } else { &shown };
        Some(format!("{what} com {}, como {}: {} é {shown}", mark.words(), by.words(), open.words()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_number_says() {
        for (cell, written) in [
            ("8,90", Written::With(DecimalMark::Comma)),
            ("R$ 8,90", Written::With(DecimalMark::Comma)),
            ("0,350", Written::With(DecimalMark::Comma)),
            ("1.234,56", Written::With(DecimalMark::Comma)),
            ("1.234,567", Written::With(DecimalMark::Comma)),
            ("1.234.567", Written::With(DecimalMark::Comma)),
            ("1000,500", Written::With(DecimalMark::Comma)),
            ("3.50", Written::With(DecimalMark::Point)),
            ("-0.350", Written::With(DecimalMark::Point)),
            ("1,234.56", Written::With(DecimalMark::Point)),
            ("1,234,567", Written::With(DecimalMark::Point)),
            ("1.000", Written::Open(DecimalMark::Point)),
            ("R$\u{A0}1.000", Written::Open(DecimalMark::Point)),
            ("-12,500", Written::Open(DecimalMark::Comma)),
            ("1000", Written::Plainly),
            ("1.23,45", Written::Plainly),
            ("1.2345.6", Written::Plainly),
            ("1,2,3", Written::Plainly),
            ("1.000 kg", Written::Plainly),
            ("5.", Written::Plainly),
            (".123,4", Written::Plainly),
            ("", Written::Plainly),
        ] {
            assert_eq!(Written::of(cell), written, "{cell}");
        }
    }

    /// The numbers of a list's cells, or their errors, and then the note.
    fn read(cells: &[&str]) -> Vec<String> {
        let mut numbers = Numbers::default();
        for (index, cell) in cells.iter().enumerate() {
            numbers.look_at(index as u64 + 2, cell);
        }
        let read = |cell: &&str| numbers.read(cell).map_or_else(|error| error, Cow::into_owned);
        cells.iter().map(read).chain(numbers.note()).collect()
    }

    #[test]
    fn the_numbers_of_a_list_decide() {
        assert_eq!(
            read(&["8,90", "2.000", "1.000.000", "3,500"]),
            [
                "8,90",
                "2000",
                "1000000",
                "3,500",
                "2 números foram lidos com vírgula decimal, como \"8,90\" na linha 2: \"2.000\" na linha 3 é 2000"
            ]
        );
        assert_eq!(
            read(&["1,000", "3.50"]),
            [
                "1000",
                "3.50",
                "1 número foi lido com ponto decimal, como \"3.50\" na linha 3: \"1,000\" na linha 2 é 1000"
            ]
        );
        assert_eq!(
            read(&["1.500", "3.50"])[2],
            "1 número foi lido com ponto decimal, como \"3.50\" na linha 3: \"1.500\" na linha 2 é 1,5"
        );
        assert_eq!(read(&["3,50", "2.5", "7"]), ["3,50", "2.5", "7"]);
    }

    #[test]
    fn what_they_leave_open_is_refused() {
        assert_eq!(
            read(&["12.500", "7"])[0],
            "\"12.500\" tem duas leituras, 12500 e 12,5, e nenhum outro número da lista decide: escreva 12500 ou 12,5"
        );
        assert_eq!(
            read(&["8,90", "2.5", "1.000"])[2],
            "\"1.000\" tem duas leituras, 1000 e 1, e a lista tem números das duas formas (\"8,90\" na linha 2 e \"2.5\" na linha 3): escreva 1000 ou 1"
        );
    }
}
