//! Rules for the names of new products: none may be mistaken for another product's name or for a reply of
//! the server. Products of earlier builds keep such names.

use std::iter;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::confusable_detection::skeleton;

use super::key::Key;
use super::name::Name;
use super::quoted::Quoted;

/// Why a new product may not have a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NewNameError {
    /// A character that shows nothing.
    #[error(
        "{} tem um caractere invisível (U+{:04X}) e pareceria outro produto; apague-o e escreva o nome de novo",
        Quoted(.name), u32::from(*.unseen)
    )]
    Unseen { name: String, unseen: char },
    /// A letter of another alphabet among Latin letters, or in a word that looks Latin.
    #[error(
        "{} tem o caractere {letter} (U+{:04X}), de outro alfabeto, e pareceria outro produto; digite o nome de novo",
        Quoted(.name), u32::from(*.letter)
    )]
    Foreign { name: String, letter: char },
    /// A name that begins like a reply of the server that is not a product.
    #[error("{} começa como uma resposta do servidor e seria confundido com ela; escolha outro nome", Quoted(.0))]
    Reply(String),
}

/// The beginnings of the server's replies that are not a product, as keys.
const REPLIES: [&str; 5] =
    ["erro", "nenhum produto encontrado", "nenhum movimento encontrado", "ate logo", "token aceito"];

/// The last character of Unicode's block "Latin Extended-B". All letters up to this one are Latin, with
/// or without accents and strokes.
const LAST_LATIN: char = '\u{24F}';

impl Name {
    /// Checks the name of a product that is to be created.
    ///
    /// # Errors
    /// If the name could be mistaken for another product's, or for a reply that is not a product.
    pub fn check_new(&self) -> Result<(), NewNameError> {
        let name = || self.to_string();
        if let Some(unseen) = self.as_str().chars().find(|character| is_unseen(*character)) {
            return Err(NewNameError::Unseen { name: name(), unseen });
        }
        if let Some(letter) = foreign_letter(self.as_str()) {
            return Err(NewNameError::Foreign { name: name(), letter });
        }
        if begins_as_reply(self.key().as_str()) { Err(NewNameError::Reply(name())) } else { Ok(()) }
    }
}

fn begins_as_reply(key: &str) -> bool {
    let key = key.trim_start_matches(|character: char| !character.is_alphanumeric());
    REPLIES.iter().any(|reply| {
        key.strip_prefix(reply).is_some_and(|rest| !rest.starts_with(|next: char| next.is_alphanumeric()))
    })
}

/// The first letter by which a name could be mistaken for another: a letter of an alphabet with upper and
/// lower case (Greek, Cyrillic, …), or a character that looks Latin, in a name that also has Latin letters
/// or of which every letter looks Latin. `Капуста` and `白菜 A` are accepted; `Мaca` and `Сосо` (with
/// Cyrillic letters) are refused.
fn foreign_letter(name: &str) -> Option<char> {
    if name.is_ascii() {
        return None;
    }
    let (mut foreign, mut has_latin, mut looks_latin) = (None, false, true);
    for written in name.chars() {
        let Some(character) = iter::once(written).nfd().find(|part| !is_combining_mark(*part)) else {
            continue;
        };
        let is_letter = character.is_alphabetic();
        if character <= LAST_LATIN || folds_to_ascii(character) {
            has_latin |= is_letter;
            continue;
        }
        let is_alike = looks_ascii(character) || is_letter && other_cases(character).any(looks_ascii);
        if is_alike || character.is_lowercase() || character.is_uppercase() {
            foreign = foreign.or(Some(written));
        }
        looks_latin &= is_alike || !is_letter;
    }
    foreign.filter(|_| has_latin || looks_latin)
}

fn other_cases(letter: char) -> impl Iterator<Item = char> {
    letter.to_uppercase().chain(letter.to_lowercase())
}

fn folds_to_ascii(character: char) -> bool {
    Key::fold(character.encode_utf8(&mut [0; 4])).as_str().is_ascii()
}

/// Whether a character looks like an ASCII character (UTS #39).
fn looks_ascii(character: char) -> bool {
    let mut bytes = [0; 4];
    let mut looks = skeleton(character.encode_utf8(&mut bytes));
    looks.next().is_some_and(folds_to_ascii) && looks.next().is_none()
}

/// Whether a character shows nothing, so that two names with and without it look the same: the characters
/// with the property Default_Ignorable_Code_Point (DerivedCoreProperties.txt, compared with Unicode 14),
/// among them the Hangul fillers and the variation selectors, and the blank Braille pattern, which has no
/// dots and is no White_Space. Spaces need no entry here: [`Name::parse`] replaces all kinds by one.
fn is_unseen(character: char) -> bool {
    matches!(character,
        '\u{AD}'
        | '\u{34F}'
        | '\u{61C}'
        | '\u{115F}'..='\u{1160}'
        | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}'
        | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFF8}'
        | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str) -> Result<(), NewNameError> {
        Name::parse(name).unwrap().check_new()
    }

    #[test]
    fn what_nobody_sees_in_a_new_name_is_refused() {
        for unseen in [
            '\u{34F}',
            '\u{115F}',
            '\u{1160}',
            '\u{17B4}',
            '\u{180B}',
            '\u{180E}',
            '\u{2061}',
            '\u{206F}',
            '\u{2800}',
            '\u{3164}',
            '\u{FE0F}',
            '\u{FFA0}',
            '\u{1D173}',
            '\u{E0041}',
            '\u{E0100}',
        ] {
            let name = Name::parse(&format!("Ma{unseen}ca")).unwrap();
            assert_eq!(name.check_new(), Err(NewNameError::Unseen { name: name.to_string(), unseen }));
            // A product of an earlier build with such a name is still found.
            assert_eq!(Key::of(name.as_str()), Ok(name.key()));
        }
    }

    #[test]
    fn letters_of_other_alphabets_that_pass_for_ours_are_refused_in_new_names() {
        for (name, letter) in [
            ("Мaca", 'М'),
            ("Maçа", 'а'),
            ("Cajυ", 'υ'),
            ("Νabo", 'Ν'),
            ("Uνa", 'ν'),
            ("Tіpo 5", 'і'),
            ("кiwi", 'к'),
            ("Baн", 'н'),
            ("Mɑca", 'ɑ'),
            ("Mաca", 'ա'),
            ("Ꮇaca", 'Ꮇ'),
            ("Ца́ju", 'Ц'),
            ("ᴍaca", 'ᴍ'),
            ("Tipo ۱", '۱'),
            ("Сосо", 'С'),
            ("Ёсо 7", 'Ё'),
            ("ока", 'о'),
            ("Мaçã 🍎", 'М'),
            ("Мaçã 白", 'М'),
            ("Batata 一 doce", '一'),
            ("Egгo", 'г'),
        ] {
            assert_eq!(check(name), Err(NewNameError::Foreign { name: name.to_owned(), letter }), "{name}");
        }
        for name in [
            "Maçã",
            "ALHO NACIONAL TIPO 5",
            "a\u{3000}b",
            "Tipo 1ª",
            "Nº 5 ½",
            "Smørbrød à Œuf",
            "Łódź",
            "Đậu xanh",
            "straße",
            "배",
            "한글",
            "白菜",
            "白菜 A",
            "Капуста",
            "Λάχανο",
            "تفاح",
            "🍎",
            "Maçã 🍎 €",
            "Ｍaca",
            "¡Uva!",
        ] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn a_new_name_is_no_reply() {
        for name in [
            "Erro X: y",
            "erro",
            "ERRO: x",
            "Êrró INTERNAL: falhou",
            "Ｅｒｒｏ X",
            " 'Erro X",
            "Erro-1",
            "Nenhum produto encontrado.",
            "Nenhum movimento encontrado.",
            "Até logo.",
            "ate logo",
            "Token aceito: leitura.",
        ] {
            assert_eq!(
                check(name),
                Err(NewNameError::Reply(Name::parse(name).unwrap().to_string())),
                "{name}"
            );
        }
        for name in ["Errol", "Erros", "Maca sem erro", "Nenhum", "Token", "Até", "Erró1"] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
    }
}
