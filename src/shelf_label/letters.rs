//! Letters: their widths, how a name is laid in lines, and how a text is written.

use encoding_rs::WINDOWS_1252;
use pdf_writer::{Content, Name, Str};
use unicode_normalization::UnicodeNormalization;

/// Points of a millimetre.
pub(super) const MM: f32 = 72.0 / 25.4;

/// The font: one of those that every reader of PDFs has, so that none is put into the file.
pub(super) const FONT: &[u8] = b"Helvetica-Bold";

/// The size of a name's letters, the largest first, and the most lines of each size.
const NAME_SIZES: [(f32, usize); 4] = [(13.0, 1), (11.0, 2), (9.0, 2), (7.0, 3)];

/// Widths of the font's signs from the space on, in thousandths of its size (Adobe's metrics of the 14 fonts).
const WIDTHS: [u16; 95] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278,
    556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584,
    556, 333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556,
    333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
];

/// The width of a sign that is not in the table.
const OTHER_WIDTH: u16 = 722;

/// The width of a text at size 1. A letter with an accent is as wide as the letter.
pub(super) fn width(text: &str) -> f32 {
    let of = |sign: char| {
        let plain = sign.nfd().next().unwrap_or(sign) as usize;
        let width = plain.checked_sub(' ' as usize).and_then(|place| WIDTHS.get(place));
        f32::from(*width.unwrap_or(&OTHER_WIDTH)) / 1000.0
    };
    text.chars().map(of).sum()
}

/// The size of a name's letters, and its lines, as large as the room allows. The end of a name that fits no room is
/// cut off.
pub(super) fn in_lines(name: &str, room: f32) -> (f32, Vec<String>) {
    for (size, lines_max) in NAME_SIZES {
        let lines = wrapped(name, room / size);
        if lines.len() <= lines_max && lines.iter().all(|line| width(line) * size <= room) {
            return (size, lines);
        }
    }
    let (size, lines_max) = NAME_SIZES[NAME_SIZES.len() - 1];
    let mut lines = wrapped(name, room / size);
    lines.truncate(lines_max);
    for line in &mut lines {
        while width(line) * size > room {
            line.pop();
        }
    }
    (size, lines)
}

/// The words of a name in lines that are as full as possible.
fn wrapped(name: &str, room: f32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in name.split(' ') {
        match lines.last_mut() {
            Some(line) if width(line) + width(" ") + width(word) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Writes a text. A sign that the font has not becomes a question mark.
pub(super) fn write(content: &mut Content, text: &str, left: f32, bottom: f32, size: f32) {
    let bytes: Vec<u8> = text.chars().map(letter).collect();
    content.begin_text().set_font(Name(b"F"), size).next_line(left, bottom).show(Str(&bytes)).end_text();
}

/// Whether the font has every sign of a text.
pub fn is_writable(text: &str) -> bool {
    text.chars().all(|sign| sign == '?' || letter(sign) != b'?')
}

/// The byte of a sign in Windows-1252.
fn letter(sign: char) -> u8 {
    let mut text = [0; 4];
    let (bytes, _, is_lost) = WINDOWS_1252.encode(sign.encode_utf8(&mut text));
    match bytes[..] {
        [byte] if !is_lost => byte,
        _ => b'?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_its_room_whatever_it_is() {
        assert_eq!(in_lines("Maçã", 130.0), (13.0, vec!["Maçã".to_owned()]));
        assert!((width("Maçã") - width("Maca")).abs() < f32::EPSILON);
        let (size, lines) = in_lines("Banana nanica orgânica do Vale do Ribeira", 130.0);
        assert_eq!((size, lines.len()), (11.0, 2));
        for name in ["W".repeat(64), "Ç ".repeat(32), "ananás".repeat(10), "😀".repeat(64)] {
            let (size, lines) = in_lines(&name, 130.0);
            assert!(lines.iter().all(|line| width(line) * size <= 130.0), "{name}");
        }
    }
}
