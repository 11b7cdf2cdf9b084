//! The author of a change: the name of the token that asked for it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::quoted::is_unsafe_to_show;

/// Longest name of an author, in characters: as long as the name of a product.
pub const AUTHOR_CHARS_MAX: usize = 64;

/// The name of the token that asked for a change. The name is a pointer of one word, because every change has
/// room for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Author(Arc<Box<str>>);

/// A name that no author can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("o nome de um token tem de 1 a {AUTHOR_CHARS_MAX} caracteres, sem espaços, e não começa com #")]
pub struct AuthorError;

impl Author {
    /// The name of the token.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Author {
    type Err = AuthorError;

    /// Takes 1 to [`AUTHOR_CHARS_MAX`] visible characters without a space, because the name ends a line of the
    /// text protocol and begins one of the token file.
    fn from_str(text: &str) -> Result<Self, AuthorError> {
        let is_fit = |character: char| !character.is_whitespace() && !is_unsafe_to_show(character);
        let length = text.chars().count();
        if (1..=AUTHOR_CHARS_MAX).contains(&length) && !text.starts_with('#') && text.chars().all(is_fit) {
            Ok(Self(Arc::new(text.into())))
        } else {
            Err(AuthorError)
        }
    }
}

impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_author_is_one_word() {
        for name in ["balcao", "Zé", "caixa-2", "a#"] {
            assert_eq!(name.parse::<Author>().unwrap().as_str(), name);
        }
        for name in ["", "dois nomes", "#1", "a\u{202E}", "a\n", &"x".repeat(65)] {
            assert_eq!(name.parse::<Author>(), Err(AuthorError), "{name}");
        }
    }
}
