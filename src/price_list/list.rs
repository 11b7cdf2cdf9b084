//! A price list that was read, and how it is to be read.

use std::collections::HashSet;

use super::field::Field;
use super::limits::{INFLATED_BYTES_MAX, ROWS_MAX};
use crate::catalog::ProductDraft;

/// How a file is to be read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The most rows.
    pub rows_max: usize,
    /// The most bytes to which a workbook may unfold.
    pub inflated_bytes_max: usize,
    /// The only department of a scale file to read.
    pub department: Option<u8>,
    /// The fields whose columns the user names. A name `-` says that the field is not read.
    pub columns: Vec<(Field, String)>,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            rows_max: ROWS_MAX,
            inflated_bytes_max: INFLATED_BYTES_MAX,
            department: None,
            columns: Vec::new(),
        }
    }
}

/// The rows of a price list.
#[derive(Debug, Default)]
pub struct PriceList {
    /// A description of the file, if it is no plain list.
    pub source: Option<String>,
    /// The products, in the order of the file.
    pub rows: Vec<ProductDraft>,
    /// The line of each product in the file.
    pub lines: Vec<u64>,
    /// For each product, whether the list gives a stock.
    pub have_stock: Vec<bool>,
    /// The columns that were read, each with its heading in the file.
    pub columns: Vec<(Field, String)>,
    /// Rows that cannot be read, by the line of the file.
    pub bad: Vec<(u64, String)>,
    /// Notes for the user on how the list was read, without control characters.
    pub notes: Vec<String>,
}

impl PriceList {
    /// Leaves out the rows of these lines, and the errors about them.
    pub fn leave_out(&mut self, bad: &[(u64, String)]) {
        let lines: HashSet<u64> = bad.iter().map(|(line, _)| *line).collect();
        let kept: Vec<bool> = self.lines.iter().map(|line| !lines.contains(line)).collect();
        let mut each = kept.iter();
        self.rows.retain(|_| each.next() == Some(&true));
        let mut each = kept.iter();
        self.have_stock.retain(|_| each.next() == Some(&true));
        self.lines.retain(|line| !lines.contains(line));
        self.bad.retain(|(line, _)| !lines.contains(line));
    }

    /// Adds a product.
    pub(super) fn push(&mut self, line: u64, draft: ProductDraft, has_stock: bool) {
        self.rows.push(draft);
        self.lines.push(line);
        self.have_stock.push(has_stock);
    }
}
