//! Untrusted text made safe to show: quoted, escaped, cut.

use std::borrow::Cow;
use std::fmt::{self, Write};

/// Longest piece of untrusted text repeated in a message, in characters: enough to recognise any product
/// name, too little to flood a log.
const SHOWN_CHARS_MAX: usize = 64;

/// Shows a text between quotation marks, cut after 64 characters. Characters that could change how a
/// terminal or a log looks (control and bidirectional characters, line separators) are escaped.
pub struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", Shown(self.0))
    }
}

/// A text shown as [`Quoted`] shows it, without the quotation marks.
pub struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_safely(f, self.0, SHOWN_CHARS_MAX)
    }
}

/// Longest untrusted sentence that is shown, in characters: the sentences of this program's own server,
/// with the names that they repeat, are shorter.
const SENTENCE_CHARS_MAX: usize = 1024;

/// Shows an untrusted sentence, such as a server's error, on one line: escaped as by [`Quoted`], and cut
/// after 1024 characters.
pub struct Sentence<'a>(pub &'a str);

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_safely(f, self.0, SENTENCE_CHARS_MAX)
    }
}

fn write_safely(f: &mut fmt::Formatter<'_>, text: &str, chars_max: usize) -> fmt::Result {
    let mut characters = text.chars();
    for character in characters.by_ref().take(chars_max) {
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

/// Whether a spreadsheet takes a cell that begins with this character for a formula and runs it: the
/// signs and their full-width forms.
fn begins_formula(character: char) -> bool {
    matches!(character, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠')
}

/// Whether a text, without any apostrophes before it, is a formula.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(begins_formula)
}

/// A CSV cell that no spreadsheet runs: a formula gets an apostrophe before it, which marks text in a
/// spreadsheet. [`unguarded`] removes the apostrophe again.
pub fn guarded(cell: &str) -> Cow<'_, str> {
    if is_formula(cell) { format!("'{cell}").into() } else { cell.into() }
}

/// The text of a cell that [`guarded`] may have written. An apostrophe before a text that is no formula
/// belongs to the text.
pub fn unguarded(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|text| is_formula(text)).unwrap_or(cell)
}

/// Whether a character could falsify what a terminal or a log shows: control characters, line and
/// paragraph separators, and the characters that override the direction of writing (Unicode UAX #9).
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
    use proptest::prelude::*;

    use super::{Quoted, Sentence, guarded, unguarded};

    #[test]
    fn escapes_what_a_terminal_would_obey_and_cuts_what_is_long() {
        assert_eq!(Quoted("Maçã").to_string(), "\"Maçã\"");
        assert_eq!(Quoted("a\x1b[2J").to_string(), "\"a\\u{1b}[2J\"");
        assert_eq!(Quoted("a\u{202E}b").to_string(), "\"a\\u{202e}b\"");
        let long = "x".repeat(70);
        assert_eq!(Quoted(&long).to_string(), format!("\"{}…\"", &long[..64]));
        assert_eq!(Sentence("a\r\nb \u{9b}1mc").to_string(), "a\\u{d}\\u{a}b \\u{9b}1mc");
        assert_eq!(Sentence(&"x".repeat(2000)).to_string().chars().count(), 1025);
    }

    #[test]
    fn what_a_spreadsheet_would_run_stands_behind_an_apostrophe() {
        for (cell, written) in [
            ("=1+1", "'=1+1"),
            ("+55", "'+55"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("＝1", "'＝1"),
            ("'=1", "''=1"),
            ("Maca", "Maca"),
            ("d'água", "d'água"),
            ("'tis", "'tis"),
            ("'", "'"),
            ("", ""),
        ] {
            assert_eq!(guarded(cell), written);
            assert_eq!(unguarded(written), cell);
        }
        assert_eq!(unguarded("=1+1"), "=1+1");
    }

    proptest! {
        #[test]
        fn every_cell_reads_back(cell in "['=+@a-]{0,6}") {
            let written = guarded(&cell);
            prop_assert_eq!(unguarded(&written), cell.as_str());
            prop_assert!(!written.starts_with(['=', '+', '-', '@']));
        }
    }
}
