//! The characters of a name: how many there may be, which are spaces, and which are invisible.

use super::quoted::is_unsafe_to_show;

/// Longest name, in characters after normalisation: the longest of the wholesale market's
/// names has 43.
pub const NAME_CHARS_MAX: usize = 64;

/// Whether a character is a space of any width. Spreadsheets leave wide and narrow spaces in cells.
pub(super) fn is_space(character: char) -> bool {
    character == ' '
        || (character.is_whitespace() && !character.is_control() && !is_unsafe_to_show(character))
}

/// Whether a character is invisible and means nothing in a name. Such characters come with text copied
/// from web pages, and are dropped.
pub(super) fn is_invisible(character: char) -> bool {
    matches!(character, '\u{00AD}' | '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}')
}
