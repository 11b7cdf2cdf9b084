//! Product names, and the key by which a name is found without regard to case or accents.

use std::fmt;

use smol_str::SmolStr;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::quoted::{Quoted, is_unsafe_to_show};

/// Longest name, in characters after normalisation: the longest of the wholesale market's
/// names has 43.
pub const NAME_CHARS_MAX: usize = 64;

/// Text longer than this is refused unread: no 64 characters take as much, however they
/// are composed.
const NAME_BYTES_MAX: usize = 4096;

/// A product's name: NFC, trimmed, inner spaces single, 1 to [`NAME_CHARS_MAX`] characters.
/// Most are so short that their text stands here, and not elsewhere in memory, and to clone one
/// counts nothing.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name(SmolStr);

/// Why a name cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing in it that can be seen.
    #[error("o nome do produto está vazio")]
    Empty,
    /// More than [`NAME_CHARS_MAX`] characters.
    #[error("o nome {} tem {length} caracteres; o limite é {NAME_CHARS_MAX}", Quoted(.text))]
    TooLong { text: String, length: usize },
    /// A control, bidirectional-override or line-separator character.
    #[error("o nome {} tem um caractere de controle", Quoted(.0))]
    Control(String),
}

impl Name {
    /// Normalises and checks a name as a person or a program wrote it.
    ///
    /// # Errors
    /// Where it is empty, too long or carries a character that is not to be shown.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        // Only spaces are trimmed: a tab or a line end inside quotes of a CSV is an error.
        let text = text.trim_matches(is_space);
        if text.len() > NAME_BYTES_MAX {
            return Err(NameError::TooLong { text: text.to_owned(), length: text.chars().count() });
        }
        if text.chars().any(is_unsafe_to_show) {
            return Err(NameError::Control(text.to_owned()));
        }
        let mut name = String::with_capacity(text.len());
        let mut length = 0;
        // Before they are composed: one may stand between a letter and its accent.
        for character in text.chars().filter(|character| !is_invisible(*character)).nfc() {
            if is_space(character) {
                if name.is_empty() || name.ends_with(' ') {
                    continue;
                }
                name.push(' ');
            } else {
                name.push(character);
            }
            length += 1;
        }
        if name.ends_with(' ') {
            name.pop();
            length -= 1;
        }
        if length > NAME_CHARS_MAX {
            return Err(NameError::TooLong { text: name, length });
        }
        if Key::fold(&name).0.trim().is_empty() {
            return Err(NameError::Empty);
        }
        Ok(Self(name.into()))
    }

    /// The name as it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is its key.
    pub(super) fn has_key(&self, key: &[u8]) -> bool {
        // A key is in lower case, and to fold a name takes longer than this.
        self.0.as_bytes().eq_ignore_ascii_case(key) || Key::with(&self.0, |own| own == key) == Ok(true)
    }

    /// The key by which it is found.
    pub fn key(&self) -> Key {
        Key::fold(&self.0)
    }

    /// The first character in it that nobody sees, if there is one. No product is created with
    /// such a name; one that has it already is found by it, and keeps it.
    pub fn unseen(&self) -> Option<char> {
        self.0.chars().find(|character| is_unseen(*character))
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A name without case, accents and invisible characters: `maca`, `MAÇÃ` and `Maca` have
/// the same one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(SmolStr);

impl Key {
    /// The key of a name as somebody typed it.
    ///
    /// # Errors
    /// As [`Name::parse`].
    pub fn of(text: &str) -> Result<Self, NameError> {
        Name::parse(text).map(|name| name.key())
    }

    /// Calls with the key of a name as somebody typed it. Most names that are typed are
    /// plain ASCII, and their key is made on the stack.
    ///
    /// # Errors
    /// As [`Name::parse`].
    pub fn with<T>(text: &str, use_key: impl FnOnce(&[u8]) -> T) -> Result<T, NameError> {
        let mut folded = [0; NAME_CHARS_MAX];
        match fold_plain(text, &mut folded) {
            Some(key) => Ok(use_key(key)),
            None => Ok(use_key(Self::of(text)?.as_str().as_bytes())),
        }
    }

    /// Folds any text. Case first (down, up and down again, so that `ẞ`, `ß` and `SS` meet),
    /// then the marks: what is left of NFD without its combining characters.
    pub fn fold(text: &str) -> Self {
        if text.is_ascii() {
            return Self(text.to_ascii_lowercase().into());
        }
        let folded: String = text
            .chars()
            .flat_map(char::to_lowercase)
            .flat_map(char::to_uppercase)
            .flat_map(char::to_lowercase)
            .nfd()
            .filter(|character| !is_combining_mark(*character) && !is_invisible(*character))
            .collect();
        Self(folded.into())
    }

    /// The folded text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the Latin letters from `À` (U+00C0) to `ÿ` (U+00FF) fold to: the letters of
/// Portuguese, without their accents. A space stands for those that this table leaves to
/// [`Key::fold`]: signs, `ß`, and letters that are no letter with an accent.
const LATIN_FOLDED: &[u8; 64] = b"aaaaaa ceeeeiiii nooooo  uuuuy  aaaaaa ceeeeiiii nooooo  uuuuy y";

/// The key of a text that is already as [`Name::parse`] would leave it: printable ASCII and
/// composed Latin letters, no space at an end, none doubled. `None` for any other text. A
/// third of the market's names have accents, and the general way takes ten times as long.
fn fold_plain<'k>(text: &str, folded: &'k mut [u8; NAME_CHARS_MAX]) -> Option<&'k [u8]> {
    let mut length = 0;
    let mut previous = b' ';
    for character in text.chars() {
        let byte = match character {
            ' '..='~' => (character as u8).to_ascii_lowercase(),
            'À'..='ÿ' => match LATIN_FOLDED[character as usize - 'À' as usize] {
                b' ' => return None,
                letter => letter,
            },
            _ => return None,
        };
        if byte == b' ' && previous == b' ' {
            return None;
        }
        *folded.get_mut(length)? = byte;
        length += 1;
        previous = byte;
    }
    if previous == b' ' {
        return None;
    }
    Some(&folded[..length])
}

/// Spaces of any width, which spreadsheets like to leave in cells.
fn is_space(character: char) -> bool {
    character == ' '
        || (character.is_whitespace() && !character.is_control() && !is_unsafe_to_show(character))
}

/// Characters that come along with what is copied from a page, and mean nothing in a name: they
/// are left out.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{00AD}' | '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}')
}

/// Characters that show nothing, so that two names may differ by one and look the same: those
/// with the property Default_Ignorable_Code_Point (DerivedCoreProperties.txt, compared with Unicode 14), the
/// Hangul fillers and the variation selectors among them, and the blank Braille pattern, which
/// is a picture of nothing and no White_Space. Spaces are made one kind, above.
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
    use proptest::prelude::*;

    use super::{Key, Name, NameError};

    #[test]
    fn one_product_however_it_is_written() {
        let key = Key::of("Maca").unwrap();
        for text in ["maca", "MAÇÃ", " maçã ", "mac\u{327}a\u{303}", "ma\u{200B}ca"] {
            assert_eq!(Key::of(text).unwrap(), key, "{text}");
        }
        assert_eq!(Key::of("STRASSE"), Key::of("straße"));
        assert_eq!(Key::of("STRAẞE"), Key::of("straße"));
        for text in ["Maca \u{200B}", "\u{200B} Maca", "Ma\u{AD}ca \u{2060} "] {
            assert_eq!(Name::parse(text).unwrap().as_str(), "Maca", "{text:?}");
        }
        assert_eq!(Name::parse("Alho \u{200B} roxo").unwrap().as_str(), "Alho roxo");
        assert_ne!(Key::of("Maca 1").unwrap(), key);
    }

    #[test]
    fn names_are_normalised() {
        assert_eq!(Name::parse("  ALHO \u{A0} NACIONAL  TIPO 5 ").unwrap().as_str(), "ALHO NACIONAL TIPO 5");
        assert_eq!(Name::parse("mac\u{327}a").unwrap().as_str(), "maça");
        assert_eq!(Name::parse("ma\u{AD}\u{303}").unwrap().as_str(), "mã");
    }

    #[test]
    fn what_nobody_sees_in_a_name_is_found() {
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
            assert_eq!(name.unseen(), Some(unseen), "{name:?}");
            // A product that was given it before this was looked at is still found by it.
            assert_eq!(Key::of(name.as_str()), Ok(name.key()));
        }
        for text in ["Maçã", "ALHO NACIONAL TIPO 5", "Ma\u{200B}ca", "a\u{3000}b", "配", "한글", "🍎"]
        {
            assert_eq!(Name::parse(text).unwrap().unseen(), None, "{text:?}");
        }
    }

    #[test]
    fn names_that_cannot_be() {
        for text in ["", "   ", "\u{200B}", "\u{301}"] {
            assert_eq!(Name::parse(text), Err(NameError::Empty), "{text:?}");
        }
        for text in ["a\0b", "a\tb", "a\x1b[0m", "a\u{202E}b", "a\u{2028}b", "a\u{85}b", "a\nb"] {
            assert!(matches!(Name::parse(text), Err(NameError::Control(_))), "{text:?}");
            assert!(matches!(Key::of(text), Err(NameError::Control(_))), "{text:?}");
        }
        assert!(Name::parse(&"ã".repeat(64)).is_ok());
        for text in ["ã".repeat(65), "a".repeat(65)] {
            assert!(matches!(Key::of(&text), Err(NameError::TooLong { length: 65, .. })));
        }
    }

    proptest! {
        #[test]
        fn plain_names_fold_as_all_do(text in "[ -~À-ÿ]{0,70}") {
            let key = Name::parse(&text).map(|name| name.key().as_str().into());
            prop_assert_eq!(Key::with(&text, <[u8]>::to_vec), key);
        }

        #[test]
        fn a_name_is_its_own_name_and_has_one_key(text in "\\PC{1,40}") {
            if let Ok(name) = Name::parse(&text) {
                prop_assert_eq!(Name::parse(name.as_str()), Ok(name.clone()));
                prop_assert_eq!(Key::of(&text), Ok(name.key()));
                prop_assert_eq!(Key::with(&text, <[u8]>::to_vec), Ok(name.key().as_str().into()));
                prop_assert_eq!(Key::fold(name.key().as_str()), name.key());
            } else {
                prop_assert!(Key::of(&text).is_err());
            }
        }
    }
}
