//! The usual spellings of units: `Kilo`, `KGS`, `quilo` are `kg`.

use super::key::Key;

/// A unit, how many of it make one of the unit in which stock is kept, and the words for it as [`Key::fold`]
/// leaves them, without a point at their end.
struct Row {
    unit: &'static str,
    parts: u16,
    words: &'static [&'static str],
}

const fn row(unit: &'static str, words: &'static [&'static str]) -> Row {
    Row { unit, parts: 1, words }
}

const fn parts(unit: &'static str, parts: u16, words: &'static [&'static str]) -> Row {
    Row { unit, parts, words }
}

static ROWS: [Row; 16] = [
    row("kg", &["kg", "kgs", "k", "kilo", "kilos", "quilo", "quilos", "quilograma", "quilogramas"]),
    parts("kg", 1000, &["g", "gr", "grs", "grama", "gramas"]),
    row("l", &["l", "lt", "lts", "litro", "litros"]),
    parts("l", 1000, &["ml", "mililitro", "mililitros"]),
    row("un", &["un", "und", "unds", "unid", "unids", "unidade", "unidades", "pc", "pcs", "peca", "pecas"]),
    row("dz", &["dz", "dzs", "duzia", "duzias"]),
    row("cx", &["cx", "cxs", "caixa", "caixas"]),
    row("maço", &["maco", "macos", "mc"]),
    row("molho", &["molho", "molhos"]),
    row("bandeja", &["bandeja", "bandejas", "bdj", "bdja", "band", "bj"]),
    row("saco", &["saco", "sacos", "sc"]),
    row("pacote", &["pacote", "pacotes", "pct", "pcts"]),
    row("pé", &["pe", "pes"]),
    row("penca", &["penca", "pencas"]),
    row("réstia", &["restia", "restias"]),
    row("engradado", &["engradado", "engradados", "eng"]),
];

/// The unit that a word names, and how many of what the word names make one of it: 1000 for `g`, whose
/// unit is `kg`. `None` if the word is no usual spelling.
pub fn unit_of_word(word: &str) -> Option<(&'static str, u16)> {
    let key = Key::fold(word.trim_end_matches('.'));
    let row = ROWS.iter().find(|row| row.words.contains(&key.as_str()))?;
    Some((row.unit, row.parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_known_by_its_usual_spellings() {
        for (word, unit) in [
            ("Kilo", Some(("kg", 1))),
            ("kg.", Some(("kg", 1))),
            ("KGS", Some(("kg", 1))),
            ("quilo", Some(("kg", 1))),
            ("g", Some(("kg", 1000))),
            ("UN.", Some(("un", 1))),
            ("unid", Some(("un", 1))),
            ("Dúzia", Some(("dz", 1))),
            ("MAÇOS", Some(("maço", 1))),
            ("kgx", None),
            ("", None),
        ] {
            assert_eq!(unit_of_word(word), unit, "{word}");
        }
    }

    #[test]
    fn no_word_names_two_units_and_each_is_as_a_key_has_it() {
        let words: Vec<&str> = ROWS.iter().flat_map(|row| row.words.iter().copied()).collect();
        for (index, word) in words.iter().enumerate() {
            assert!(!words[..index].contains(word) && Key::fold(word).as_str() == *word, "{word}");
        }
        assert!(ROWS.iter().all(|row| unit_of_word(row.unit).is_some_and(|(unit, _)| unit == row.unit)));
    }
}
