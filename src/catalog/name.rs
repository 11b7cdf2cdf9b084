//! Product names.

use std::fmt;

use smol_str::SmolStr;
use unicode_normalization::UnicodeNormalization;

use super::key::{Key, fold_plain};
use super::name_chars::{NAME_CHARS_MAX, is_invisible, is_space};
use super::quoted::{Quoted, is_unsafe_to_show};

/// Longest text that is read as a name, in bytes: no 64 characters take more, however they are composed.
const NAME_BYTES_MAX: usize = 4096;

/// A product's name: NFC, trimmed, inner spaces single, 1 to [`NAME_CHARS_MAX`] characters.
/// Most names are short enough to be stored inline, and are cloned without an allocation or a counter.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name(SmolStr);

/// Why a text is no valid name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No visible character.
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
    /// If the name is empty, too long, or has a character that must not be shown.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        // Only spaces are trimmed: a tab or a line end in a quoted CSV cell is an error.
        let text = text.trim_matches(is_space);
        if text.len() > NAME_BYTES_MAX {
            return Err(NameError::TooLong { text: text.to_owned(), length: text.chars().count() });
        }
        if text.chars().any(is_unsafe_to_show) {
            return Err(NameError::Control(text.to_owned()));
        }
        let mut name = String::with_capacity(text.len());
        let mut length = 0;
        // Invisible characters are removed before composition: one may be between a letter and its accent.
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
        if Key::fold(&name).as_str().trim().is_empty() {
            return Err(NameError::Empty);
        }
        Ok(Self(name.into()))
    }

    /// The name as it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this name has this key.
    pub(super) fn has_key(&self, key: &[u8]) -> bool {
        // The quick test first: a key is in lower case, and folding a name takes longer.
        self.0.as_bytes().eq_ignore_ascii_case(key) || Key::with(&self.0, |own| own == key) == Ok(true)
    }

    /// The key by which the name is found.
    pub fn key(&self) -> Key {
        Key::fold(&self.0)
    }
}

impl Key {
    /// The key of a name as somebody typed it.
    ///
    /// # Errors
    /// If [`Name::parse`] fails.
    pub fn of(text: &str) -> Result<Self, NameError> {
        Name::parse(text).map(|name| name.key())
    }

    /// Calls `use_key` with the key of a name as somebody typed it. Most typed names are plain, and their
    /// key is made on the stack.
    ///
    /// # Errors
    /// If [`Name::parse`] fails.
    pub fn with<T>(text: &str, use_key: impl FnOnce(&[u8]) -> T) -> Result<T, NameError> {
        let mut folded = [0; NAME_CHARS_MAX];
        match fold_plain(text, &mut folded) {
            Some(key) => Ok(use_key(key)),
            None => Ok(use_key(Self::of(text)?.as_str().as_bytes())),
        }
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

#[cfg(test)]
mod tests {
    use super::{Key, Name, NameError};

    #[test]
    fn names_are_normalised() {
        assert_eq!(Name::parse("  ALHO \u{A0} NACIONAL  TIPO 5 ").unwrap().as_str(), "ALHO NACIONAL TIPO 5");
        assert_eq!(Name::parse("mac\u{327}a").unwrap().as_str(), "maça");
        assert_eq!(Name::parse("ma\u{AD}\u{303}").unwrap().as_str(), "mã");
        for text in ["Maca \u{200B}", "\u{200B} Maca", "Ma\u{AD}ca \u{2060} "] {
            assert_eq!(Name::parse(text).unwrap().as_str(), "Maca", "{text:?}");
        }
        assert_eq!(Name::parse("Alho \u{200B} roxo").unwrap().as_str(), "Alho roxo");
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
}
