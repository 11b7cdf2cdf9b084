//! Quotation marks, between which a sign that cuts a line is part of a name or of a value.

/// Opening quotation marks, and those that close them.
const QUOTES: [(char, char); 3] = [('"', '"'), ('\'', '\''), ('“', '”')];

/// The signs between phrases, before which a quoted text may end.
const BORDERS: [char; 2] = [';', ','];

/// Whether a character opens a quoted text.
pub(super) fn is_quote(char: char) -> bool {
    QUOTES.iter().any(|(open, _)| *open == char)
}

/// The length in bytes of the quoted text at the beginning, with its marks; 0 if there is none. A mark closes the
/// text only at the end of a word.
pub(super) fn quoted_length(text: &str) -> usize {
    let mut chars = text.char_indices();
    let Some((_, open)) = chars.next() else { return 0 };
    let Some((_, close)) = QUOTES.into_iter().find(|(own, _)| *own == open) else { return 0 };
    let ends = |at: usize| {
        text[at..].chars().next().is_none_or(|next| next.is_whitespace() || BORDERS.contains(&next))
    };
    let closing = chars.find(|(at, char)| *char == close && ends(at + close.len_utf8()));
    closing.map_or(0, |(at, _)| at + close.len_utf8())
}

/// The text between the quotation marks, if they are around all of it.
pub(super) fn between_quotes(text: &str) -> Option<&str> {
    let mut chars = text.chars();
    let is_quoted =
        quoted_length(text) == text.len() && chars.next().is_some() && chars.next_back().is_some();
    is_quoted.then_some(chars.as_str())
}

/// The text between quotation marks, unless it has both kinds.
pub(super) fn in_quotes(text: &str) -> Option<String> {
    let mark = ['"', '\''].into_iter().find(|mark| !text.contains(*mark))?;
    Some(format!("{mark}{text}{mark}"))
}
