//! Text from a stranger, made safe to show: quoted, escaped, cut.

use std::fmt::{self, Write};

/// Longest piece of somebody else's text repeated in a message, in characters:
/// enough to recognise any product name, too little to flood a log.
const SHOWN_CHARS_MAX: usize = 64;

/// Shows text between quotation marks, with what could change how a terminal or a log
/// looks (control and bidirectional characters, line separators) escaped, and cut after
/// 64 characters.
pub struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", Shown(self.0))
    }
}

/// As [`Quoted`], without the quotation marks.
pub struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self.0.chars();
        for character in characters.by_ref().take(SHOWN_CHARS_MAX) {
            if is_unsafe_to_show(character) {
                write!(f, "{}", character.escape_unicode())?;
            } else {
                f.write_char(character)?;
            }
        }
        if characters.next().is_some() {
            f.write_char('…')?;
        }
        Ok(())
    }
}

/// Control characters, line and paragraph separators, and the characters that override
/// the direction of writing (Unicode UAX #9): none of them belongs in a name, and all of
/// them can make a terminal or a log show something that is not there.
pub fn is_unsafe_to_show(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{2028}' | '\u{2029}'
            | '\u{061C}' | '\u{200E}' | '\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2066}'..='\u{2069}'
            | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::Quoted;

    #[test]
    fn escapes_what_a_terminal_would_obey_and_cuts_what_is_long() {
        assert_eq!(Quoted("Maçã").to_string(), "\"Maçã\"");
        assert_eq!(Quoted("a\x1b[2J").to_string(), "\"a\\u{1b}[2J\"");
        assert_eq!(Quoted("a\u{202E}b").to_string(), "\"a\\u{202e}b\"");
        let long = "x".repeat(70);
        assert_eq!(Quoted(&long).to_string(), format!("\"{}…\"", &long[..64]));
    }
}
