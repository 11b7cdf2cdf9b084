//! Filizola's SETORTXT, which says in which sectors of the shop each code of CADTXT is sold.

use std::collections::HashMap;

use super::layout::{Field, SETORTXT_BYTES, SETORTXT_CODE, SETORTXT_INDEX, SETORTXT_KEY, SETORTXT_SECTOR};
use super::read::{ScaleFileError, lines};
use super::text::decoded;
use crate::catalog::{Key, Quoted, ShopCode};

/// The name that the makers' program gives the file, which stands beside CADTXT.
pub const SECTORS_FILE: &str = "SETORTXT.TXT";

/// The sectors that a message names.
const NAMED_MAX: usize = 5;

/// The sectors of a shop, and the codes that each sells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sectors {
    /// The names, each once, in the order of the file.
    names: Vec<String>,
    /// For each code, the places of its sectors among the names.
    by_code: HashMap<u32, Vec<usize>>,
}

/// Reads the sectors of a file.
///
/// # Errors
/// If a record has another width, or no code.
pub fn read_sectors(bytes: &[u8]) -> Result<Sectors, ScaleFileError> {
    let records = lines(bytes);
    let mut wrong = records.iter().filter(|(_, record)| record.len() != SETORTXT_BYTES);
    if let Some((line, record)) = wrong.next() {
        return Err(ScaleFileError::Width {
            layout: "Filizola SETORTXT",
            expected: SETORTXT_BYTES,
            line: *line,
            found: record.len(),
            more: wrong.count(),
        });
    }
    let mut sectors = Sectors::default();
    let mut places: HashMap<Key, usize> = HashMap::new();
    for (line, record) in records {
        let refused = |what: String| ScaleFileError::Sector { line, what };
        let name = decoded(SETORTXT_SECTOR.of(record)).split_whitespace().collect::<Vec<_>>().join(" ");
        let number = |field: Field| {
            let text = decoded(field.of(record));
            let digits = text.trim();
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse::<i64>().ok().filter(|_| is_number).ok_or(text)
        };
        let wrong = |what: &str, text: String| refused(format!("{what} {}", Quoted(&text)));
        let code = number(SETORTXT_CODE).map_err(|text| wrong("o código é", text))?;
        let code = ShopCode::from_number(code).map_err(|_| refused("o código é 0".to_owned()))?;
        number(SETORTXT_INDEX).map_err(|text| wrong("o lugar no setor é", text))?;
        number(SETORTXT_KEY).map_err(|text| wrong("a tecla é", text))?;
        if name.is_empty() {
            return Err(refused("o setor está sem nome".to_owned()));
        }
        let place = *places.entry(Key::fold(&name)).or_insert_with(|| {
            sectors.names.push(name);
            sectors.names.len() - 1
        });
        let of_code = sectors.by_code.entry(code.number()).or_default();
        if !of_code.contains(&place) {
            of_code.push(place);
        }
    }
    Ok(sectors)
}

impl Sectors {
    /// The names of the sectors, for people.
    pub fn shown(&self) -> String {
        let named = self.names.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
        if self.names.len() > NAMED_MAX { named + ", …" } else { named }
    }

    /// The place of a sector among the names, found without regard to case or accents.
    pub fn place(&self, name: &str) -> Option<usize> {
        let key = Key::fold(name.trim());
        self.names.iter().position(|known| Key::fold(known) == key)
    }

    /// Whether a sector sells a code.
    pub fn sells(&self, place: usize, code: ShopCode) -> bool {
        self.by_code.get(&code.number()).is_some_and(|places| places.contains(&place))
    }

    /// The number of these codes that no sector sells.
    pub fn count_unsold(&self, codes: impl Iterator<Item = ShopCode>) -> usize {
        codes.filter(|code| !self.by_code.contains_key(&code.number())).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(number: i64) -> ShopCode {
        ShopCode::from_number(number).unwrap()
    }

    #[test]
    fn a_code_may_be_in_several_sectors() {
        let file =
            b"HORTIFRUTI  0021260001000\r\nPADARIA     0000070001012\r\nhortifruti  0000070002000\r\n\x1A";
        let sectors = read_sectors(file).unwrap();
        assert_eq!(sectors.shown(), "HORTIFRUTI, PADARIA");
        let (produce, bakery) = (sectors.place("Hortifruti").unwrap(), sectors.place(" padaria").unwrap());
        assert!(sectors.sells(produce, code(2126)) && sectors.sells(produce, code(7)));
        assert!(sectors.sells(bakery, code(7)) && !sectors.sells(bakery, code(2126)));
        assert_eq!(sectors.count_unsold([code(7), code(8)].into_iter()), 1);
        assert_eq!(sectors.place("açougue"), None);
    }

    #[test]
    fn a_bad_record_is_one_line() {
        for (record, what) in [
            ("HORTIFRUTI  002126000100", "têm 25 bytes, e o da linha 2 tem 24"),
            ("HORTIFRUTI  0000000001000", "na linha 2, o código é 0"),
            ("HORTIFRUTI  00x1260001000", "o código é \"00x126\""),
            ("HORTIFRUTI  002126   a000", "o lugar no setor é"),
            ("            0021260001000", "sem nome"),
        ] {
            let file = format!("HORTIFRUTI  0021260001000\r\n{record}\r\n");
            let error = read_sectors(file.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(what) && error.contains("Nada foi importado"), "{error}");
        }
    }
}
