//! The attributes at the end of a line: `fornecedor=Sítio Boa Vista lote=12`.

use super::quotes::{between_quotes, in_quotes, is_quote, quoted_length};
use super::{Readings, split_phrases};
use crate::catalog::{Key, Quoted, nearest_word};
use crate::refusal::Refusal;

/// An attribute's name, and its value: all words up to the next attribute.
pub type Attribute<'a> = (&'static str, &'a str);

/// Cuts the attributes off a line. Only words of these names begin one; any other word with `=` is part of a
/// name or of a value. A value may stand between quotation marks, and then no word inside begins an attribute.
///
/// # Errors
/// If an attribute comes twice, has no value, or is spelt almost as one of these.
pub fn attributes<'a>(
    line: &'a str,
    names: &[&'static str],
) -> Result<(&'a str, Vec<Attribute<'a>>), Refusal> {
    // The positions at which each attribute and its value begin.
    let mut places: Vec<(usize, usize, &'static str)> = Vec::new();
    let mut quoted_end = 0;
    for word in line.split([' ', '\t']) {
        let at = word.as_ptr().addr() - line.as_ptr().addr();
        if at < quoted_end {
            continue;
        }
        // A name, or a part of a value.
        quoted_end = at + quoted_length(&line[at..]);
        let Some((typed, _)) = word.split_once('=').filter(|_| quoted_end == at) else { continue };
        let key = Key::fold(typed);
        if let Some(name) = names.iter().find(|name| **name == key.as_str()) {
            if places.iter().any(|(_, _, known)| known == name) {
                return Err(invalid(name, format!("o atributo {name}= aparece duas vezes")));
            }
            let value = at + typed.len() + 1;
            quoted_end = value + quoted_length(&line[value..]);
            places.push((at, value, name));
        } else if let Some(name) = nearest_word(typed, names.iter().copied()) {
            let what = format!("{} não é um atributo; você quis dizer {name}=?", Quoted(word));
            return Err(invalid(name, what));
        }
    }
    let rest = &line[..places.first().map_or(line.len(), |(start, _, _)| *start)];
    let mut found = Vec::new();
    for (index, (_, value, name)) in places.iter().enumerate() {
        let end = places.get(index + 1).map_or(line.len(), |(start, _, _)| *start);
        let value = line[*value..end].trim();
        if value.is_empty() {
            return Err(invalid(name, format!("o atributo {name}= está sem valor")));
        }
        found.push((*name, unquoted(value)));
    }
    Ok((rest.trim(), found))
}

/// The value without quotation marks around all of it.
fn unquoted(value: &str) -> &str {
    between_quotes(value).unwrap_or(value)
}

/// Refuses an item behind an attribute, as in `2 Maca obs=fiado; 3 Pera`: it would be a part of the text, and nobody
/// would see that it is not booked. Between quotation marks it is text.
///
/// # Errors
/// If a value of the line's attributes has an item.
pub fn refuse_items(line: &str, attributes: &[Attribute<'_>]) -> Result<(), Refusal> {
    for (name, value) in attributes {
        let at = value.as_ptr().addr() - line.as_ptr().addr();
        let is_quoted = !line[..at].trim_end().ends_with('=');
        let Some(item) = split_phrases(value).into_iter().skip(1).find(|text| is_item(text)) else {
            continue;
        };
        if !is_quoted {
            let (item, typed) =
                (Quoted(item), quoted(name, value).unwrap_or_else(|| format!("{name}=TEXTO")));
            let what = format!(
                "{item} vem depois de {name}=, e não seria lançado; ponha todos os itens antes de {name}= ou, se é parte \
                 do texto, escreva entre aspas: {typed}"
            );
            return Err(invalid(name, what));
        }
    }
    Ok(())
}

/// Whether a text is a quantity with a name, or a code alone.
fn is_item(text: &str) -> bool {
    let is_code = text.bytes().all(|byte| byte.is_ascii_digit());
    is_code || Readings::of(text, false).is_ok_and(|readings| readings.phrases()[0].measure.is_some())
}

/// An attribute as it is typed: between quotation marks if the value would be read otherwise without them.
pub fn attribute_typed(name: &str, value: &str) -> String {
    let begins_quoted = value.split_whitespace().any(|word| word.starts_with(is_quote));
    let has_sign = value.contains('=') || split_phrases(value).len() > 1;
    let is_plain = !value.is_empty() && !begins_quoted && !has_sign && value.trim() == value;
    let marked = if is_plain { None } else { quoted(name, value) };
    marked.unwrap_or_else(|| format!("{name}={value}"))
}

/// An attribute with its value between quotation marks, unless it has both kinds.
fn quoted(name: &str, value: &str) -> Option<String> {
    in_quotes(value).map(|value| format!("{name}={value}"))
}

fn invalid(name: &'static str, what: String) -> Refusal {
    Refusal::invalid(name, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 4] = ["total", "fornecedor", "lote", "causa"];

    #[test]
    fn an_attribute_goes_on_to_the_next() {
        let line = "20kg Tomate a=b total=R$ 50,00 fornecedor=Sítio Boa Vista Lote=12";
        let (rest, found) = attributes(line, &NAMES).unwrap();
        assert_eq!(rest, "20kg Tomate a=b");
        assert_eq!(found, [("total", "R$ 50,00"), ("fornecedor", "Sítio Boa Vista"), ("lote", "12")]);
        assert_eq!(attributes("20cx=440kg Maca", &NAMES).unwrap(), ("20cx=440kg Maca", vec![]));
        let named = attributes("2 \"Kit lote=3\" lote=4", &NAMES).unwrap();
        assert_eq!(named, ("2 \"Kit lote=3\"", vec![("lote", "4")]));
    }

    #[test]
    fn a_value_may_be_quoted() {
        let value = |line| attributes(line, &NAMES).unwrap().1[0].1.to_owned();
        for (line, expected) in [
            ("2 Maca fornecedor=\"Sítio do Zé\"", "Sítio do Zé"),
            ("2 Maca fornecedor='Sítio do Zé' lote=12", "Sítio do Zé"),
            ("2 Maca fornecedor=“Sítio do Zé” lote=12", "Sítio do Zé"),
            ("2 Maca fornecedor=\"\" lote=12", ""),
            // No word between the marks begins an attribute.
            ("2 Maca fornecedor=\"Sítio lote=7 cauza=8\" lote=12", "Sítio lote=7 cauza=8"),
            // Marks that are part of the text.
            ("2 Maca fornecedor=\"Zé\" e filhos", "\"Zé\" e filhos"),
            ("2 Maca fornecedor=\"Sítio do Zé", "\"Sítio do Zé"),
            ("2 Maca fornecedor=Pau d'Alho 'novo'", "Pau d'Alho 'novo'"),
            ("2 Maca fornecedor='Pau d'Alho'", "Pau d'Alho"),
        ] {
            assert_eq!(value(line), expected, "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_value_is_read_as_it_was_typed(value in "[a-zé=;, 3\"']{0,12}|(lote=|\"|')[a-z ]{0,4}(\"|')?") {
            let has_both = value.contains('"') && value.contains('\'');
            if !has_both {
                let line = format!("2 Maca {} lote=9", attribute_typed("fornecedor", &value));
                let (_, found) = attributes(&line, &NAMES).unwrap();
                proptest::prop_assert_eq!(&found[..], &[("fornecedor", value.as_str()), ("lote", "9")][..]);
                proptest::prop_assert!(refuse_items(&line, &found).is_ok());
            }
        }
    }

    #[test]
    fn an_item_behind_an_attribute_is_refused_and_a_text_is_not() {
        let refused = |line: &str| {
            let (_, found) = attributes(line, &NAMES).unwrap();
            refuse_items(line, &found).map_err(|refusal| refusal.message)
        };
        for value in [
            "Zé; 3 Pera",
            "Zé;3 Pera",
            "Zé; Pera 3",
            "Zé; 2,5kg Uva lote=9",
            "Zé; 2001234005004",
            "Zé, 3 Pera",
        ] {
            let what = refused(&format!("2 Maca fornecedor={value}")).unwrap_err();
            assert!(what.contains("não seria lançado") && what.contains("fornecedor=\"Zé"), "{what}");
        }
        assert!(refused("2 Maca fornecedor=d'Alho \"A\"; 3 Pera").unwrap_err().contains("fornecedor=TEXTO"));
        for value in [
            "Zé; paga depois",
            "\"Zé; 3 Pera\"",
            " 'Zé; 3 Pera' lote=9",
            "Zé;",
            "Zé, 2kg",
            "Zé 3 Pera",
            "2,5",
        ] {
            assert_eq!(refused(&format!("2 Maca fornecedor={value}")), Ok(()), "{value}");
        }
    }

    #[test]
    fn a_slip_is_asked_back() {
        let refused = |line| attributes(line, &NAMES).unwrap_err().message;
        assert!(refused("2 Maca cauza=peso").contains("você quis dizer causa=?"));
        assert!(refused("2 Maca causa=peso causa=furto").contains("duas vezes"));
        assert!(refused("2 Maca causa=").contains("sem valor"));
    }
}
