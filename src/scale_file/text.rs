//! The names in scale files: upper case, one byte for each character.

use encoding_rs::WINDOWS_1252;

use crate::catalog::Key;

/// The encoding of the names in a file that is written. A file is always read as Windows-1252, which has ASCII as
/// its first half.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScaleEncoding {
    /// Letters without accents, which every scale shows.
    #[default]
    Ascii,
    /// Letters with accents.
    Windows1252,
}

/// The byte in place of a character that the encoding does not have.
const UNKNOWN: u8 = b'?';

/// A name as a file has it, in upper case.
pub(super) fn encoded(name: &str, encoding: ScaleEncoding) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(name.len());
    for character in name.to_uppercase().chars() {
        let mut buffer = [0; 4];
        let text: &str = character.encode_utf8(&mut buffer);
        if encoding == ScaleEncoding::Windows1252 {
            let (byte, _, is_unknown) = WINDOWS_1252.encode(text);
            if !is_unknown {
                bytes.extend_from_slice(&byte);
                continue;
            }
        }
        if character.is_ascii() {
            bytes.push(character as u8);
            continue;
        }
        let plain = Key::fold(text).as_str().to_uppercase();
        bytes.extend(plain.chars().map(|plain| if plain.is_ascii() { plain as u8 } else { UNKNOWN }));
    }
    bytes
}

/// The text of a field.
pub(super) fn decoded(bytes: &[u8]) -> String {
    WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_loses_what_the_encoding_does_not_have() {
        for (name, ascii, windows) in [
            ("Maçã", &b"MACA"[..], &b"MA\xC7\xC3"[..]),
            ("Pêra d’água 1º", b"PERA D'AGUA 1O", b"P\xCARA D\x92\xC1GUA 1\xBA"),
            ("Caqui ½ kg – bom", b"CAQUI 1/2 KG - BOM", b"CAQUI \xBD KG \x96 BOM"),
            ("Uva 葡萄", b"UVA ??", b"UVA ??"),
        ] {
            assert_eq!(encoded(name, ScaleEncoding::Ascii), ascii, "{name}");
            assert_eq!(encoded(name, ScaleEncoding::Windows1252), windows, "{name}");
        }
        assert_eq!(decoded(b"MA\xC7\xC3"), "MAÇÃ");
    }
}
