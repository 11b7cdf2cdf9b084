//! The bytes of a connection, cut into lines. Each line is a command.

/// The longest line in bytes, without its line end. The original read at most 1024 bytes; a name of 64
/// characters and a request id fit many times over.
pub const LINE_BYTES_MAX: usize = 2048;

/// A command as it came.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A line, without its line end.
    Line(&'a str),
    /// A line that is not UTF-8.
    NotUtf8,
    /// A line of more than [`LINE_BYTES_MAX`] bytes, which were dropped.
    TooLong,
    /// The start of a line in whose middle the connection ended.
    Cut,
}

/// The buffer of a connection, which cuts the bytes that arrive into commands and keeps at most one line.
///
/// The original's client ends no line, so text on a connection that has never sent a line end is a command
/// once the connection falls silent ([`Frames::take_unended`]). On a connection that has ever sent a line
/// end, silence ends no command: a line that the network cuts in two must not become a wrong change.
#[derive(Debug, Default)]
pub struct Frames {
    buffer: Vec<u8>,
    /// The start of the first command that was not yet taken.
    start: usize,
    /// The end of the bytes that were searched for a line end.
    searched: usize,
    has_seen_line_end: bool,
    /// Whether the line is too long, so that its bytes are dropped until its end.
    is_skipping: bool,
}

impl Frames {
    /// The buffer, to append bytes that were read.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.searched -= self.start;
            self.start = 0;
        }
        &mut self.buffer
    }

    /// Takes the buffer away if it is empty, because most connections are idle.
    pub fn release(&mut self) -> Option<Vec<u8>> {
        (self.start == self.buffer.len()).then(|| {
            self.clear();
            std::mem::take(&mut self.buffer)
        })
    }

    /// Takes the complete lines that have come.
    pub fn take_lines(&mut self) -> Lines<'_> {
        let Some(offset) = memchr::memrchr(b'\n', &self.buffer[self.searched..]) else {
            self.searched = self.buffer.len();
            if self.searched - self.start > LINE_BYTES_MAX + 1 {
                self.is_skipping = true;
            }
            if self.is_skipping {
                self.clear();
            }
            return Lines::default();
        };
        let lines = self.start..self.searched + offset + 1;
        self.start = lines.end;
        self.searched = lines.end;
        self.has_seen_line_end = true;
        let bytes = &self.buffer[lines];
        // All lines are checked together: one by one, the check costs a tenth of a read with accents.
        let text = simdutf8::basic::from_utf8(bytes).ok();
        Lines { bytes, text, start: 0, is_first_too_long: std::mem::take(&mut self.is_skipping) }
    }

    /// Whether there is text that becomes a command if the connection falls silent.
    pub fn may_be_unended(&self) -> bool {
        !self.has_seen_line_end && self.has_rest()
    }

    /// Takes the text without a line end as a command, after the connection has fallen silent or ended.
    /// `None` on a connection that ends its lines.
    pub fn take_unended(&mut self) -> Option<Frame<'_>> {
        if !self.may_be_unended() {
            return None;
        }
        if std::mem::take(&mut self.is_skipping) {
            return Some(Frame::TooLong);
        }
        let text = self.start..self.buffer.len();
        self.start = text.end;
        self.searched = text.end;
        Some(frame(&self.buffer[text]))
    }

    /// Takes the last command of a connection that has ended.
    pub fn take_last(&mut self) -> Option<Frame<'_>> {
        if self.has_seen_line_end && self.has_rest() {
            self.is_skipping = false;
            self.clear();
            return Some(Frame::Cut);
        }
        self.take_unended()
    }

    fn has_rest(&self) -> bool {
        self.is_skipping || self.buffer.len() > self.start
    }

    fn clear(&mut self) {
        self.buffer.clear();
        self.start = 0;
        self.searched = 0;
    }
}

/// Complete lines, each a command.
#[derive(Debug, Default)]
pub struct Lines<'a> {
    /// The bytes of all lines, with their line ends.
    bytes: &'a [u8],
    /// The bytes as text, if all of them are UTF-8.
    text: Option<&'a str>,
    start: usize,
    is_first_too_long: bool,
}

impl Lines<'_> {
    /// Whether all lines are taken.
    pub fn is_empty(&self) -> bool {
        self.start == self.bytes.len()
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        let length = memchr::memchr(b'\n', &self.bytes[self.start..])?;
        let line = self.start..self.start + length;
        self.start = line.end + 1;
        if std::mem::take(&mut self.is_first_too_long) {
            return Some(Frame::TooLong);
        }
        match self.text {
            Some(text) => {
                let line = &text[line];
                let line = line.strip_suffix('\r').unwrap_or(line);
                Some(if line.len() > LINE_BYTES_MAX { Frame::TooLong } else { Frame::Line(line) })
            }
            None => Some(frame(&self.bytes[line])),
        }
    }
}

fn frame(line: &[u8]) -> Frame<'_> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() > LINE_BYTES_MAX {
        return Frame::TooLong;
    }
    std::str::from_utf8(line).map_or(Frame::NotUtf8, Frame::Line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all_lines(frames: &mut Frames) -> Vec<String> {
        frames.take_lines().map(|frame| frame.to_string()).collect()
    }

    fn taken(frames: &mut Frames) -> Vec<Frame<'_>> {
        frames.take_lines().collect()
    }

    #[test]
    fn lines_come_whole_however_they_are_cut() {
        let mut frames = Frames::default();
        frames.buffer().extend_from_slice(b"4\r\n1 Ma");
        assert_eq!(all_lines(&mut frames), ["4"]);
        // On a connection that ends its lines, silence ends no command.
        assert!(!frames.may_be_unended());
        assert_eq!(frames.take_unended(), None);
        frames.buffer().extend_from_slice(b"ca\n\n5");
        assert_eq!(all_lines(&mut frames), ["1 Maca", ""]);
        assert_eq!(frames.take_last(), Some(Frame::Cut));
        assert_eq!(frames.take_last(), None);
    }

    #[test]
    fn only_a_buffer_that_holds_nothing_is_given_up() {
        let mut frames = Frames::default();
        frames.buffer().extend_from_slice(b"4\n1 Ma");
        assert_eq!(all_lines(&mut frames), ["4"]);
        assert_eq!(frames.release(), None);
        frames.buffer().extend_from_slice(b"ca\n");
        assert_eq!(all_lines(&mut frames), ["1 Maca"]);
        assert_eq!(frames.release(), Some(Vec::new()));
        assert_eq!(frames.buffer().capacity(), 0);
        frames.buffer().extend_from_slice(b"5\n");
        assert_eq!(all_lines(&mut frames), ["5"]);
    }

    #[test]
    fn the_original_ends_no_line() {
        let mut frames = Frames::default();
        for command in ["2 8", "4"] {
            frames.buffer().extend_from_slice(command.as_bytes());
            assert_eq!(taken(&mut frames), []);
            assert!(frames.may_be_unended());
            assert_eq!(frames.take_unended(), Some(Frame::Line(command)));
            assert!(!frames.may_be_unended());
        }
        frames.buffer().extend_from_slice(b"5");
        assert_eq!(frames.take_last(), Some(Frame::Line("5")));
    }

    #[test]
    fn long_lines_are_dropped_and_the_next_is_read() {
        let mut frames = Frames::default();
        for _ in 0..10 {
            frames.buffer().extend_from_slice(&[b'x'; 1000]);
            assert_eq!(taken(&mut frames), []);
            assert!(frames.buffer().len() <= LINE_BYTES_MAX + 1);
        }
        frames.buffer().extend_from_slice(b"x\n4\n");
        assert_eq!(taken(&mut frames), [Frame::TooLong, Frame::Line("4")]);

        let longest = "x".repeat(LINE_BYTES_MAX);
        frames.buffer().extend_from_slice(format!("{longest}\r\n{longest}x\n").as_bytes());
        assert_eq!(taken(&mut frames), [Frame::Line(&longest), Frame::TooLong]);

        let mut original = Frames::default();
        original.buffer().extend_from_slice(&[b'x'; 3000]);
        assert_eq!(taken(&mut original), []);
        assert_eq!(original.take_unended(), Some(Frame::TooLong));
        original.buffer().extend_from_slice(b"4");
        assert_eq!(taken(&mut original), []);
        assert_eq!(original.take_unended(), Some(Frame::Line("4")));
    }

    #[test]
    fn a_line_that_is_not_utf8_is_reported() {
        let mut frames = Frames::default();
        frames.buffer().extend_from_slice(b"1 \xff\n4\n");
        assert_eq!(taken(&mut frames), [Frame::NotUtf8, Frame::Line("4")]);
    }

    proptest! {
        #[test]
        fn cutting_changes_nothing(text in "[a-c\r\n]{0,60}", cut in 0_usize..60) {
            let mut whole = Frames::default();
            whole.buffer().extend_from_slice(text.as_bytes());
            let mut parts = Frames::default();
            let cut = cut.min(text.len());
            parts.buffer().extend_from_slice(&text.as_bytes()[..cut]);
            let mut lines = all_lines(&mut parts);
            parts.buffer().extend_from_slice(&text.as_bytes()[cut..]);
            lines.extend(all_lines(&mut parts));
            prop_assert_eq!(lines, all_lines(&mut whole));
        }
    }
}
