//! The rows and columns of a sheet that are hidden, which the library does not give.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use crate::price_list::limits::COLUMNS_MAX;

/// The rows and columns of a sheet that are hidden, counted from 0.
#[derive(Debug, Default)]
pub(super) struct Hidden {
    /// In order, and none beside the next.
    rows: Vec<RangeInclusive<u64>>,
    columns: BTreeSet<usize>,
}

impl Hidden {
    /// Adds so many rows. Rows must come in order.
    pub(super) fn add_rows(&mut self, first: u64, count: u64) {
        let Some(last) = count.checked_sub(1).map(|more| first.saturating_add(more)) else { return };
        match self.rows.last_mut() {
            Some(before) if before.end().checked_add(1) == Some(first) => *before = *before.start()..=last,
            _ => self.rows.push(first..=last),
        }
    }

    /// Adds the columns from one to another, of which a list has only the first.
    pub(super) fn add_columns(&mut self, first: usize, last: usize) {
        self.columns.extend(first..=last.min(COLUMNS_MAX));
    }

    pub(super) fn has_row(&self, row: u64) -> bool {
        let before = self.rows.partition_point(|rows| *rows.end() < row);
        self.rows.get(before).is_some_and(|rows| rows.contains(&row))
    }

    pub(super) fn columns(&self) -> impl Iterator<Item = usize> {
        self.columns.iter().copied()
    }
}
