//! The attributes at the end of a line: `fornecedor=Sítio Boa Vista lote=12`.

use crate::catalog::{Key, Quoted, nearest_word};
use crate::refusal::Refusal;

/// An attribute's name, and its value: all words up to the next attribute.
pub type Attribute<'a> = (&'static str, &'a str);

/// Cuts the attributes off a line. Only words of these names begin one; any other word with `=` is part of a
/// name or of a value.
///
/// # Errors
/// If an attribute comes twice, has no value, or is spelt almost as one of these.
pub fn attributes<'a>(
    line: &'a str,
    names: &[&'static str],
) -> Result<(&'a str, Vec<Attribute<'a>>), Refusal> {
    // The positions at which each attribute and its value begin.
    let mut places: Vec<(usize, usize, &'static str)> = Vec::new();
    for word in line.split([' ', '\t']) {
        let Some((typed, _)) = word.split_once('=') else { continue };
        let at = word.as_ptr().addr() - line.as_ptr().addr();
        let key = Key::fold(typed);
        if let Some(name) = names.iter().find(|name| **name == key.as_str()) {
            if places.iter().any(|(_, _, known)| known == name) {
                return Err(invalid(name, format!("o atributo {name}= aparece duas vezes")));
            }
            places.push((at, at + typed.len() + 1, name));
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
        found.push((*name, value));
    }
    Ok((rest.trim(), found))
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
    }

    #[test]
    fn a_slip_is_asked_back() {
        let refused = |line| attributes(line, &NAMES).unwrap_err().message;
        assert!(refused("2 Maca cauza=peso").contains("você quis dizer causa=?"));
        assert!(refused("2 Maca causa=peso causa=furto").contains("duas vezes"));
        assert!(refused("2 Maca causa=").contains("sem valor"));
    }
}
