//! A row of a table: its cells, and what a workbook knows of each.

use std::ops::Range;

use csv::StringRecord;

/// The kind of a cell. All cells of a text file are texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Kind {
    #[default]
    Text,
    /// A number with a decimal point, which has one reading.
    Number,
    Date,
    /// A formula whose value the workbook does not have.
    Uncalculated,
    /// A formula whose value is an error.
    Fault,
}

/// A row that is not empty, or why it cannot be read, with its line in the file.
pub(super) type Line = (u64, Result<Record, String>);

/// The cells of a row.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    cells: StringRecord,
    /// The kinds of the cells; none if all are texts.
    kinds: Vec<Kind>,
}

impl From<StringRecord> for Record {
    fn from(cells: StringRecord) -> Self {
        Self { cells, kinds: Vec::new() }
    }
}

impl Record {
    /// Adds a cell at the end.
    pub(super) fn push(&mut self, text: &str, kind: Kind) {
        self.cells.push_field(text);
        self.kinds.push(kind);
    }

    /// Puts a text into an empty cell.
    pub(super) fn fill(&mut self, place: usize, text: &str) {
        let mut filled = Self::default();
        for own in 0..self.len().max(place + 1) {
            let cell = if own == place { text } else { self.get(own).unwrap_or_default() };
            filled.push(cell, self.kind(own));
        }
        *self = filled;
    }

    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// The text of a cell.
    pub(super) fn get(&self, place: usize) -> Option<&str> {
        self.cells.get(place)
    }

    pub(super) fn kind(&self, place: usize) -> Kind {
        self.kinds.get(place).copied().unwrap_or_default()
    }

    /// The cells of some places.
    pub(super) fn part(&self, places: &Range<usize>) -> Self {
        let mut part = Self::default();
        for place in places.start..places.end.min(self.len()) {
            part.push(self.get(place).unwrap_or_default(), self.kind(place));
        }
        part
    }

    /// The row without the cells that are the same in another one.
    pub(super) fn without(&self, other: &Self) -> Self {
        let mut kept = Self::default();
        for place in 0..self.len() {
            match self.get(place) == other.get(place) {
                true => kept.push("", Kind::Text),
                false => kept.push(self.get(place).unwrap_or_default(), self.kind(place)),
            }
        }
        kept
    }

    /// The texts of all cells.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.cells.iter()
    }

    /// Whether no cell has anything to read.
    pub(super) fn is_blank(&self) -> bool {
        (0..self.len()).all(|place| self.is_blank_at(place))
    }

    pub(super) fn is_blank_at(&self, place: usize) -> bool {
        self.get(place).is_none_or(|text| text.trim().is_empty()) && self.kind(place) != Kind::Uncalculated
    }
}
