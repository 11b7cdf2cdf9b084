//! Long answers, shown a screen at a time.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::platform::terminal::{Keyboard, awaits_key};
use crate::terminal::{size, takes_controls};

/// Shows a text. If it is longer than the screen, stops at each screen until a key says how to go on. A
/// terminal that obeys no control sequences, or on which more was typed already, gets all of it.
pub(super) fn show(out: &mut impl Write, text: &str) -> io::Result<()> {
    match size().filter(|_| takes_controls()) {
        Some((rows, columns)) if height(text, columns) >= rows && awaits_key() => {
            show_pages(out, text, rows.saturating_sub(1).max(1), columns, next_step)
        }
        _ => {
            out.write_all(text.as_bytes())?;
            out.flush()
        }
    }
}

/// The request of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Page,
    Line,
    Stop,
}

impl Step {
    /// The step that a key asks for, if it asks for one.
    fn of_key(key: &[u8]) -> Option<Self> {
        match key {
            b" " | b"f" | b"\x1b[6~" => Some(Step::Page),
            b"\r" | b"\n" | b"j" | b"\x1b[B" => Some(Step::Line),
            // Nothing more comes from a terminal that is closed. Escape, Ctrl-C and Ctrl-D stop too.
            b"" | b"q" | b"Q" | b"\x1b" | b"\x03" | b"\x04" => Some(Step::Stop),
            _ => None,
        }
    }
}

/// Writes pages of `rows` rows, and asks `step` after each.
fn show_pages(
    out: &mut impl Write,
    text: &str,
    rows: usize,
    columns: usize,
    mut step: impl FnMut() -> io::Result<Step>,
) -> io::Result<()> {
    let mut lines = text.lines();
    let mut room = rows;
    while let Some(line) = lines.clone().next() {
        let height = height(line, columns).max(1);
        if height > room && room < rows {
            let left = lines.clone().count();
            let hint = format!("-- mais {left} · espaço: tela · Enter: linha · q: fim --");
            let hint: String = hint.chars().take(columns.saturating_sub(1)).collect();
            write!(out, "\x1b[7m{hint}\x1b[0m")?;
            out.flush()?;
            let step = step();
            write!(out, "\r\x1b[K")?;
            match step? {
                Step::Page => room = rows,
                Step::Line => room = height,
                Step::Stop => break,
            }
        }
        lines.next();
        writeln!(out, "{line}")?;
        room = room.saturating_sub(height);
        if room == 0 && rows == height {
            // A line higher than the screen has a page of its own.
            room = rows - 1;
        }
    }
    out.flush()
}

/// The rows of the screen that a text takes.
fn height(text: &str, columns: usize) -> usize {
    text.lines().map(|line| line.width().div_ceil(columns.max(1)).max(1)).sum()
}

/// Waits for a key that asks for something.
fn next_step() -> io::Result<Step> {
    let keyboard = Keyboard::open()?;
    loop {
        if let Some(step) = Step::of_key(&keyboard.key()?) {
            return Ok(step);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pages of a text, as the keys ask for them.
    fn paged(text: &str, rows: usize, columns: usize, keys: &[&[u8]]) -> String {
        let mut keys = keys.iter();
        let mut out = Vec::new();
        let step = || Ok(keys.next().map_or(Step::Stop, |key| Step::of_key(key).unwrap()));
        show_pages(&mut out, text, rows, columns, step).unwrap();
        let out = String::from_utf8(out).unwrap();
        let mut shown = String::new();
        for (index, part) in out.split("\x1b[7m").enumerate() {
            let part = if index == 0 { part } else { part.split_once("\r\x1b[K").unwrap().1 };
            shown += &format!("{}|", part.replace('\n', ","));
        }
        shown
    }

    #[test]
    fn a_page_is_as_long_as_the_screen() {
        let text = "1\n2\n3\n4\n5\n6\n7\n";
        assert_eq!(paged(text, 3, 80, &[b" ", b" "]), "1,2,3,|4,5,6,|7,|");
        assert_eq!(paged(text, 3, 80, &[b"\r", b"j", b"q"]), "1,2,3,|4,|5,||");
        assert_eq!(paged(text, 3, 80, &[b"\x1b"]), "1,2,3,||");
        assert_eq!(paged(text, 7, 80, &[]), "1,2,3,4,5,6,7,|");
        // A long line takes several rows.
        assert_eq!(paged("aaaaaaaaaaaa\nb\nc\nd\n", 3, 10, &[b" "]), "aaaaaaaaaaaa,b,|c,d,|");
        assert_eq!(height("maçã maçã\n\n", 5), 3);
    }

    #[test]
    fn keys() {
        for (key, step) in [
            (&b" "[..], Some(Step::Page)),
            (b"\x1b[6~", Some(Step::Page)),
            (b"\r", Some(Step::Line)),
            (b"\x1b[B", Some(Step::Line)),
            (b"q", Some(Step::Stop)),
            (b"\x03", Some(Step::Stop)),
            (b"", Some(Step::Stop)),
            (b"x", None),
            (b"\x1b[A", None),
        ] {
            assert_eq!(Step::of_key(key), step, "{key:?}");
        }
    }
}
