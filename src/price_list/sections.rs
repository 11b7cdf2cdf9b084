//! The names of the sections of a shop.

use crate::catalog::Key;

/// Words of sections, folded.
pub(super) const SECTIONS: [&str; 38] = [
    "fruta",
    "frutas",
    "verdura",
    "verduras",
    "legume",
    "legumes",
    "hortalica",
    "hortalicas",
    "hortifruti",
    "folha",
    "folhas",
    "folhosas",
    "folhagens",
    "tempero",
    "temperos",
    "ervas",
    "raiz",
    "raizes",
    "tuberculos",
    "bulbos",
    "graos",
    "cereais",
    "ovos",
    "granja",
    "citricos",
    "flores",
    "plantas",
    "pescados",
    "peixes",
    "organicos",
    "diversos",
    "outros",
    "mercearia",
    "bebidas",
    "laticinios",
    "frios",
    "secos",
    "congelados",
];

/// Words that may stand beside those, folded: the market's parts of plants, and where a section comes from.
const BESIDE: [&str; 18] = [
    "e",
    "de",
    "da",
    "do",
    "com",
    "flor",
    "haste",
    "hastes",
    "fruto",
    "frutos",
    "bulbo",
    "tuberculo",
    "rizoma",
    "nacionais",
    "brasileiras",
    "importadas",
    "organicas",
    "outras",
];

/// Whether a word of a text is one of a section.
pub(super) fn has_section(text: &str) -> bool {
    words(&Key::fold(text)).any(|word| SECTIONS.contains(&word))
}

/// Whether a text names a section and nothing else, as `FRUTAS` and `Legumes e verduras` do and `Salada de frutas`
/// does not.
pub(super) fn is_section(text: &str) -> bool {
    has_section(text)
        && words(&Key::fold(text)).all(|word| SECTIONS.contains(&word) || BESIDE.contains(&word))
}

/// A text without the number of a section before it, as in `1 - FRUTAS` and `02. Legumes`.
pub(super) fn without_number(text: &str) -> &str {
    let rest = text.trim_start_matches(|it: char| it.is_ascii_digit());
    let after =
        if rest.len() < text.len() { rest.trim_start().strip_prefix(['-', '–', '.', ')']) } else { None };
    after.map_or(text, str::trim_start)
}

fn words(text: &Key) -> impl Iterator<Item = &str> {
    text.as_str().split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty())
}
