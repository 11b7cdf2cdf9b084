//! The rows of a CSV text, each with its line in the file.

use super::columns::Columns;
use super::error::PriceListError;
use super::field::Field;
use super::record::{Line, Record};

/// The delimiters that lists have, the likeliest last.
const DELIMITERS: [u8; 4] = [b'|', b'\t', b';', b','];

/// A last row that no list contains. If the reader does not return it as a row of its own, quotation marks
/// are still open.
const END: &str = "\n\0";

/// The message about a row whose quotation marks stay open.
const OPEN_QUOTES: &str = "as aspas abertas aqui não foram fechadas, ou o arquivo foi cortado";

/// A text, and the delimiter of its cells.
pub(super) struct Sheet {
    /// The text, followed by [`END`].
    text: String,
    delimiter: u8,
    /// The byte at which the header begins.
    start: usize,
}

impl Sheet {
    /// The sheet of a text. The delimiter is the one that a first line `sep=` names, or else the one with which
    /// the rows have a header, by `header_columns`, of the most columns.
    ///
    /// # Errors
    /// If the first line names something that cannot be a delimiter.
    pub(super) fn of(
        mut text: String,
        header_columns: impl Fn(&mut dyn Iterator<Item = Line>) -> Option<usize>,
    ) -> Result<Self, PriceListError> {
        let first = text.split(['\r', '\n']).next().unwrap_or("");
        let (mut start, mut named_delimiter) = (0, None);
        if let Some(named) = separator_line(first) {
            named_delimiter = separator(named)?;
            start = first.len();
        }
        let guess = guess_delimiter(&text[start..]);
        text.push_str(END);
        let mut sheet = Self { text, delimiter: named_delimiter.unwrap_or(guess), start };
        if named_delimiter.is_some() {
            return Ok(sheet);
        }
        let mut best = None;
        for delimiter in DELIMITERS {
            sheet.delimiter = delimiter;
            let columns = header_columns(&mut sheet.rows()).filter(|columns| *columns > 1);
            best = best.max(columns.map(|columns| (columns, delimiter == guess, delimiter)));
        }
        sheet.delimiter = best.map_or(guess, |(_, _, delimiter)| delimiter);
        Ok(sheet)
    }

    /// The rows that are not empty, each with its line. The iterator ends after a row that cannot be read.
    pub(super) fn rows(&self) -> impl Iterator<Item = Line> {
        let text = &self.text.as_bytes()[self.start..];
        let mut counter = LineCounter { text: self.text.as_bytes(), byte: 0, line: 1, after_return: false };
        let mut has_ended = false;
        let mut reader = csv::ReaderBuilder::new();
        reader.delimiter(self.delimiter).has_headers(false).flexible(true);
        let mut records = reader.from_reader(text).into_records();
        std::iter::from_fn(move || {
            while !has_ended {
                let record = records.next()?;
                let position = match &record {
                    Ok(record) => record.position(),
                    Err(error) => error.position(),
                };
                let line =
                    counter.line_of(self.start + position.map_or(0, |position| position.byte() as usize));
                let record = match record {
                    Ok(record) => record,
                    Err(_) => {
                        has_ended = true;
                        return Some((line, Err("não é uma linha de CSV".to_owned())));
                    }
                };
                if record.iter().any(|cell| cell.contains('\0')) {
                    has_ended = true;
                    let is_end = record.len() == 1 && &record[0] == "\0";
                    return (!is_end).then(|| (line, Err(OPEN_QUOTES.to_owned())));
                }
                if record.iter().any(|cell| !cell.trim().is_empty()) {
                    return Some((line, Ok(record.into())));
                }
            }
            None
        })
    }

    /// Checks that no decimal comma has made a row longer than the header. Empty cells after the last column
    /// are ignored, but not if the list has a minimum or a target: in a list with commas, `2,5` could have
    /// moved one into the other.
    ///
    /// # Errors
    /// If the row has more cells than the header.
    pub(super) fn check_width(&self, record: &Record, columns: &Columns) -> Result<(), String> {
        let has_limits = [Field::Minimum, Field::Target].iter().any(|field| columns.place(*field).is_some());
        let is_strict = has_limits && self.delimiter == b',';
        if !record.iter().skip(columns.count).any(|cell| is_strict || !cell.trim().is_empty()) {
            return Ok(());
        }
        Err(format!(
            "tem {} colunas, e o cabeçalho {}: um número com vírgula decimal precisa de aspas, ou a lista de ponto e vírgula",
            record.len(),
            columns.count
        ))
    }

    /// Checks that no stray quotation mark has joined several rows. A cell of an unread column may have
    /// several lines, unless it also contains a delimiter.
    ///
    /// # Errors
    /// If a cell of the row looks like parts of several rows.
    pub(super) fn check_quotes(&self, record: &Record, columns: &Columns) -> Result<(), String> {
        let is_suspect = |(place, cell): (usize, &str)| {
            let cell = cell.trim();
            cell.contains(['\r', '\n'])
                && (columns.are_read(place) || cell.contains(char::from(self.delimiter)))
        };
        if record.iter().enumerate().any(is_suspect) {
            return Err("as aspas abertas aqui só são fechadas em outra linha: confira-as, ou ponha a célula numa linha só".to_owned());
        }
        Ok(())
    }
}

/// A counter of lines as an editor counts them. The positions of the CSV reader are too early for that: they
/// are before blank lines, and before the second half of `\r\n`.
struct LineCounter<'t> {
    text: &'t [u8],
    byte: usize,
    line: u64,
    after_return: bool,
}

impl LineCounter<'_> {
    /// The line of a record that begins at this byte, or after the line ends at this byte. Records must come
    /// in order.
    fn line_of(&mut self, start: usize) -> u64 {
        while let Some(byte) = self.text.get(self.byte)
            && (self.byte < start || matches!(byte, b'\r' | b'\n'))
        {
            self.line += u64::from(*byte == b'\r' || (*byte == b'\n' && !self.after_return));
            self.after_return = *byte == b'\r';
            self.byte += 1;
        }
        self.line
    }
}

/// The text after `sep=` in a first line such as `sep=;`, as Excel writes and reads it.
fn separator_line(line: &str) -> Option<&str> {
    let line = line.trim_end_matches('\r').trim_start_matches('"');
    let (key, named) = line.split_at_checked(4)?;
    key.eq_ignore_ascii_case("sep=").then_some(named)
}

/// The delimiter that a `sep=` line names; `None` if the line names none. A spreadsheet that saved the file
/// again may have put more delimiters behind it.
///
/// # Errors
/// If the line names something that cannot be a delimiter.
fn separator(named: &str) -> Result<Option<u8>, PriceListError> {
    if named.starts_with("\\t") {
        return Ok(Some(b'\t'));
    }
    let Some(delimiter) = named.chars().next().filter(|first| *first != '"') else { return Ok(None) };
    let is_rest =
        |character| matches!(character, '"' | ' ' | ',' | ';' | '\t' | '|') || character == delimiter;
    if (delimiter.is_ascii_punctuation() || delimiter == '\t') && named.chars().all(is_rest) {
        return Ok(Some(delimiter as u8));
    }
    Err(PriceListError::Separator(named.to_owned()))
}

/// The delimiter that occurs most often in the first line that is not empty.
fn guess_delimiter(text: &str) -> u8 {
    let header = text.split(['\r', '\n']).find(|line| !line.trim().is_empty()).unwrap_or("");
    let count = |delimiter: u8| header.bytes().filter(|byte| *byte == delimiter).count();
    // If several occur equally often, the last one wins: the comma, after which CSV is named.
    DELIMITERS.into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}
