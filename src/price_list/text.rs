//! Decodes the text of a file in the encodings that spreadsheets save. Refuses a file of another kind, a
//! file that mixes two encodings and a file that was cut, and names the line.

use std::fmt;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// Most lines that a message names for one fault. The first lines are enough to find the others.
const LINES_NAMED_MAX: usize = 5;

/// The character that replaces a letter that could not be decoded.
pub(super) const LOST: char = char::REPLACEMENT_CHARACTER;

/// Why bytes are not the text of a list.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// The file is of another kind.
    #[error("o arquivo é {what}, e não um CSV. Nada foi importado; {next}")]
    OtherKind {
        /// The kind.
        what: &'static str,
        /// The advice to the person.
        next: &'static str,
    },
    /// The file has zero bytes.
    #[error(
        "o arquivo tem bytes nulos na linha {0}: não é texto, ou é UTF-16 sem a marca que diz isso. \
         Nada foi importado; abra-o no programa em que foi criado e salve como CSV UTF-8"
    )]
    Zeros(u64),
    /// Some characters are UTF-8, and some bytes are not.
    #[error(
        "o arquivo mistura duas codificações: há letras em UTF-8 {utf8}, e em outra codificação \
         {other}. Nada foi importado; corrija as letras dessas linhas e salve tudo como CSV UTF-8"
    )]
    Mixed {
        /// Lines with characters in UTF-8.
        utf8: Lines,
        /// Lines with bytes that are not UTF-8.
        other: Lines,
    },
    /// The file ends inside a character.
    #[error(
        "o arquivo acaba no meio de uma letra, na linha {0}: ele foi cortado. Nada foi importado; copie ou salve o \
         arquivo de novo, inteiro"
    )]
    Cut(u64),
    /// The letters are those of DOS or of an old Mac.
    #[error(
        "o arquivo parece estar na codificação do DOS ou de um Mac antigo, {0}. Nada foi importado; \
         abra-o no programa em que foi criado e salve como CSV UTF-8"
    )]
    Foreign(Lines),
    /// The text is not in the encoding that its byte order mark names.
    #[error(
        "o arquivo diz que é {encoding}, mas na linha {line} não é. Nada foi importado; salve-o de novo como CSV UTF-8"
    )]
    NotAsMarked {
        /// The encoding that the mark names.
        encoding: &'static str,
        /// The first line that is not in that encoding.
        line: u64,
    },
}

/// The first lines that have a fault.
#[derive(Debug, Default)]
pub struct Lines {
    first: Vec<u64>,
    are_more: bool,
}

impl Lines {
    /// Adds a line. Lines must come in order; the same line may be added again.
    fn push(&mut self, line: u64) {
        if self.first.last() == Some(&line) {
            return;
        }
        if self.first.len() < LINES_NAMED_MAX {
            self.first.push(line);
        } else {
            self.are_more = true;
        }
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.first.len() == 1 && !self.are_more { "na linha " } else { "nas linhas " })?;
        for (index, line) in self.first.iter().enumerate() {
            write!(f, "{}{line}", if index == 0 { "" } else { ", " })?;
        }
        f.write_str(if self.are_more { "…" } else { "" })
    }
}

/// The advice for a file that a spreadsheet opens.
const SAVE_AS_CSV: &str = "abra-o na planilha e salve como CSV (Salvar como, tipo CSV)";

/// The advice for a file that no spreadsheet opens.
const FIND_SHEET: &str = "encontre a planilha original e salve-a como CSV";

/// The first bytes of files that people mistake for a list, the kind of file, and the advice.
const OTHER_KINDS: [(&[u8], &str, &str); 13] = [
    (b"%PDF", "um PDF", FIND_SHEET),
    (b"{\\rtf", "um documento RTF", FIND_SHEET),
    (b"\x89PNG", "uma imagem", FIND_SHEET),
    (b"\xFF\xD8\xFF", "uma imagem", FIND_SHEET),
    (b"GIF8", "uma imagem", FIND_SHEET),
    (b"II*\0", "uma imagem", FIND_SHEET),
    (b"MM\0*", "uma imagem", FIND_SHEET),
    (b"\x1F\x8B", "um arquivo compactado (gzip)", "descompacte-o, e salve como CSV se não for um"),
    (b"Rar!", "um arquivo compactado (rar)", "descompacte-o, e salve como CSV se não for um"),
    (b"7z\xBC\xAF", "um arquivo compactado (7z)", "descompacte-o, e salve como CSV se não for um"),
    (b"SQLite format 3\0", "um banco de dados", "escreva o catálogo dele como CSV com `hortifruti export`"),
    (b"MIME-Version:", "uma página da web", SAVE_AS_CSV),
    (b"ID;P", "uma planilha SYLK", SAVE_AS_CSV),
];

/// The names inside a ZIP archive that identify its kind, the kind of file, and the advice.
const ARCHIVES: [(&[u8], &str, &str); 4] = [
    (b"opendocument.text", "um documento do LibreOffice (odt)", FIND_SHEET),
    (b"word/", "um documento do Word (docx)", FIND_SHEET),
    (b"Index/", "uma planilha do Numbers", SAVE_AS_CSV),
    (b"", "um arquivo compactado (zip)", "descompacte-o, e salve como CSV se não for um"),
];

/// Decodes the text of a file: from the encoding of its byte order mark; without a mark, from UTF-8, or from
/// Windows-1252 if no part is UTF-8.
///
/// # Errors
/// If the file is of another kind, mixes two encodings, or was cut inside a character.
pub fn decode(bytes: &[u8]) -> Result<String, TextError> {
    refuse_other_kinds(bytes)?;
    let mut text = match Encoding::for_bom(bytes) {
        Some((encoding, length)) => decode_marked(&bytes[length..], encoding)?,
        None => decode_unmarked(bytes)?,
    };
    // Two programs may each have written a mark.
    text.drain(..text.len() - text.trim_start_matches('\u{FEFF}').len());
    // The "export to Excel" of other systems is often an HTML page with a table.
    if text.trim_start().starts_with('<') {
        return Err(TextError::OtherKind { what: "uma página HTML ou um XML", next: SAVE_AS_CSV });
    }
    match text.find('\0') {
        Some(at) => Err(TextError::Zeros(line_at(text.as_bytes(), at))),
        None => Ok(text),
    }
}

fn refuse_other_kinds(bytes: &[u8]) -> Result<(), TextError> {
    let known = if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        ARCHIVES.iter().find(|(name, ..)| name.is_empty() || memchr::memmem::find(bytes, name).is_some())
    } else {
        OTHER_KINDS.iter().find(|(first, ..)| bytes.starts_with(first))
    };
    match known {
        Some((_, what, next)) => Err(TextError::OtherKind { what, next }),
        None => Ok(()),
    }
}

fn decode_marked(bytes: &[u8], encoding: &'static Encoding) -> Result<String, TextError> {
    if encoding == UTF_8
        && let Some(cut) = cut_at(bytes)
    {
        return Err(TextError::Cut(line_at(bytes, cut)));
    }
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes);
    text.map(std::borrow::Cow::into_owned).ok_or_else(|| {
        let (replaced, _) = encoding.decode_without_bom_handling(bytes);
        let lost = replaced.find(LOST).unwrap_or(0);
        let line = line_at(replaced.as_bytes(), lost);
        if lost + LOST.len_utf8() == replaced.len() {
            return TextError::Cut(line);
        }
        TextError::NotAsMarked { encoding: encoding.name(), line }
    })
}

fn decode_unmarked(bytes: &[u8]) -> Result<String, TextError> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(text.to_owned());
    }
    if let Some(cut) = cut_at(bytes) {
        return Err(TextError::Cut(line_at(bytes, cut)));
    }
    let (mut utf8, mut other, mut foreign) = (Lines::default(), Lines::default(), Lines::default());
    let mut line = 1;
    for chunk in bytes.utf8_chunks() {
        for part in chunk.valid().split_inclusive('\n') {
            if !part.is_ascii() {
                utf8.push(line);
            }
            line += u64::from(part.ends_with('\n'));
        }
        if !chunk.invalid().is_empty() {
            other.push(line);
        }
    }
    if !utf8.first.is_empty() {
        return Err(TextError::Mixed { utf8, other });
    }
    for (line, text) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        if text.windows(2).any(|pair| pair[0].is_ascii_alphabetic() && FOREIGN_LETTERS.contains(&pair[1])) {
            foreign.push(line);
        }
    }
    if !foreign.first.is_empty() {
        return Err(TextError::Foreign(foreign));
    }
    Ok(WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned())
}

/// Bytes that are letters of Portuguese in the encodings of DOS (CP850) or of an old Mac (Mac Roman), but in
/// Windows-1252 are signs such as `‡` and `¢`, or letters of other languages. In a Portuguese text in
/// Windows-1252 none of them follows a letter.
const FOREIGN_LETTERS: [u8; 19] = [
    0x80, 0x81, 0x82, 0x83, 0x87, 0x88, 0x8B, 0x8D, 0x8E, 0x8F, 0x90, 0x9B, 0x9D, 0xA1, 0xA2, 0xA3, 0xB5,
    0xC6, 0xD2,
];

/// The index of a last, incomplete character, if everything before it is UTF-8.
fn cut_at(bytes: &[u8]) -> Option<usize> {
    std::str::from_utf8(bytes)
        .err()
        .filter(|error| error.error_len().is_none())
        .map(|error| error.valid_up_to())
}

/// The number of the line that has the byte at this index.
fn line_at(bytes: &[u8], at: usize) -> u64 {
    1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Signs that letters turn into if a text is decoded from the wrong encoding, or saved in an encoding without
/// these letters. No name of produce has such a sign. The boxes of DOS (`Ma├º├ú`) are checked separately.
const SIGNS_OF_NO_NAME: &str = "?€‚ƒ†‡ˆ‰‹›¡¢£¤¥¦§¨©¬¯±µ¶¿÷˜√∆ÆæÒþÞðÝÿŸ";

/// Whether a name looks as if it had been decoded from the wrong encoding: UTF-8 decoded as Windows-1252
/// (`MaÃ§Ã£`), DOS or Mac text decoded as Windows-1252 (`Ma‡Æ`), or letters that an encoding did not have
/// (`Ma??`).
pub(super) fn looks_garbled(name: &str) -> bool {
    if name.is_ascii() {
        return name.contains('?');
    }
    let is_foreign = |character| {
        SIGNS_OF_NO_NAME.contains(character) || matches!(character, LOST | '\u{2500}'..='\u{259F}')
    };
    name.chars().any(is_foreign) || has_utf8_in_windows_1252(name)
}

/// Whether some bytes of the text, encoded in Windows-1252, form a non-ASCII character of UTF-8.
fn has_utf8_in_windows_1252(text: &str) -> bool {
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match WINDOWS_1252.encode(character.encode_utf8(&mut [0; 4])) {
            (byte, _, false) => bytes.extend_from_slice(&byte),
            // This byte is never part of UTF-8, so it separates the text before and after it.
            _ => bytes.push(0xFF),
        }
    }
    bytes.utf8_chunks().any(|chunk| !chunk.valid().is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> String {
        decode(bytes).unwrap_or_else(|error| format!("Erro: {error}"))
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn what_spreadsheets_save() {
        let windows = WINDOWS_1252.encode("nome;preço\nMaçã;3,50 €\nPÊRA;1º").0.into_owned();
        assert_eq!(decoded(&windows), "nome;preço\nMaçã;3,50 €\nPÊRA;1º");
        for text in ["", "nome;preço\nMaçã;3,50\n", "\u{FEFF}nome\nMaçã"] {
            assert_eq!(decoded(text.as_bytes()), text.trim_start_matches('\u{FEFF}'));
            assert_eq!(decoded(&utf16(&format!("\u{FEFF}{text}"))), text.trim_start_matches('\u{FEFF}'));
        }
    }

    #[test]
    fn two_encodings_are_refused_with_their_lines() {
        let mut mixed = "nome;preco\nMaçã;3\nUva;2\n".as_bytes().to_vec();
        mixed.extend_from_slice(b"Lim\xE3o;1\nMam\xE3o;1\n");
        mixed.extend_from_slice("Cará;1\n".as_bytes());
        let refused = decoded(&mixed);
        assert!(
            refused.contains("UTF-8 nas linhas 2, 6, e em outra codificação nas linhas 4, 5."),
            "{refused}"
        );
        let many: Vec<u8> = (0..9).flat_map(|_| b"Ma\xC3\xA7\xE3\n".to_vec()).collect();
        assert!(decoded(&many).contains("1, 2, 3, 4, 5…"), "{}", decoded(&many));
        // The mark names UTF-8, and one line is not UTF-8.
        assert!(decoded(b"\xEF\xBB\xBFnome\nLim\xE3o\nUva\n").contains("diz que é UTF-8, mas na linha 2"));
    }

    #[test]
    fn letters_of_dos_and_of_an_old_mac_are_refused() {
        for line in [
            &b"Lim\xC6o"[..],
            b"Ma\x87\xC6",
            b"Jil\xA2",
            b"P\x88ra",
            b"LIM\xC7O PERA MA\x80\xC7",
            b"Lim\x8Bo",
            b"Caf\x8E",
        ] {
            let refused = decoded(&[b"nome;preco\n", line, b";3\n"].concat());
            assert!(
                refused.contains("do DOS ou de um Mac antigo, na linha 2."),
                "{}: {refused}",
                line.escape_ascii()
            );
        }
    }

    #[test]
    fn a_text_that_is_cut_is_refused() {
        let whole = "nome;preco\nMaçã;3\nLimão".as_bytes();
        let cut = &whole[..whole.len() - 2];
        for bytes in [cut.to_vec(), [b"\xEF\xBB\xBF", cut].concat(), b"nome\n\nLim\xC3".to_vec()] {
            assert!(
                decoded(&bytes).contains("acaba no meio de uma letra, na linha 3"),
                "{}",
                decoded(&bytes)
            );
        }
        let mut odd = utf16("\u{FEFF}nome\nMaçã\n");
        odd.pop();
        assert!(decoded(&odd).contains("acaba no meio de uma letra"), "{}", decoded(&odd));
        let mut half = utf16("\u{FEFF}nome\nMaçã");
        half.extend_from_slice(b"\x3D\xD8");
        assert!(decoded(&half).contains("acaba no meio de uma letra, na linha 2"), "{}", decoded(&half));
        let mut inside = utf16("\u{FEFF}nome\n");
        inside.extend_from_slice(b"\x3D\xD8a\0b\0");
        assert!(decoded(&inside).contains("diz que é UTF-16LE, mas na linha 2"), "{}", decoded(&inside));
        // A text in Windows-1252 may end with such a byte.
        assert_eq!(decoded(b"pre\xE7o\nma\xE7\xE3"), "preço\nmaçã");
        assert_eq!(decoded(b"A\xC7A\xCD, ALF ROMANA HID\xC7"), "AÇAÍ, ALF ROMANA HIDÇ");
    }

    #[test]
    fn files_of_other_kinds_are_named() {
        for (bytes, what) in [
            (&b"PK\x03\x04\x14\0lista.csv"[..], "zip"),
            (b"PK\x03\x04\x14\0word/document.xml", "docx"),
            (b"%PDF-1.4\n", "PDF"),
            (b"\xEF\xBB\xBF\r\n <html><table>", "HTML"),
            (b"<!DOCTYPE html>", "HTML"),
            (b"<?xml version=\"1.0\"?>", "XML"),
            (b"\x89PNG\r\n\x1a\n\0", "imagem"),
            (b"\x1F\x8B\x08\0", "gzip"),
            (b"SQLite format 3\0", "banco de dados"),
        ] {
            let refused = decoded(bytes);
            assert!(refused.contains(what) && refused.contains("como CSV"), "{refused}");
        }
        assert!(decoded(&utf16("\u{FEFF}<table>")).contains("HTML"));
        assert!(decoded(&utf16("nome;preco\nUva;1\n")).contains("bytes nulos na linha 1"));
        assert!(decoded(b"nome\nU\0va\n").contains("bytes nulos na linha 2"));
    }

    #[test]
    fn names_in_a_foreign_encoding() {
        for name in [
            "MaÃ§Ã£",
            "PÃªra",
            "LIMÃƒO",
            "AbacaxÃ\u{AD}",
            "Ma‡Æ",
            "Ma??",
            "Lim?o",
            "Ma¤a",
            "CafÃ©",
            "LimÆo",
            "Ma├º├ú",
            "MaþÒ",
            "Uvaÿ",
        ] {
            assert!(looks_garbled(name), "{name}");
        }
        for name in [
            "Maçã",
            "MAÇÃ",
            "PÊRA D'ÁGUA",
            "LIMÃO – 2ª",
            "Côco 1º",
            "Jiló",
            "Ağaç",
            "Uva 100% \"Rubi\"",
            "½ dúzia",
        ] {
            assert!(!looks_garbled(name), "{name}");
        }
    }
}
