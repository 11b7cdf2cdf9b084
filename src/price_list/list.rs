//! A price list that was read, and how it is to be read.

use std::collections::{HashMap, HashSet};

use super::field::Field;
use super::limits::{INFLATED_BYTES_MAX, ROWS_MAX};
use crate::catalog::{Name, ProductDraft};
use crate::scale_file::Sectors;

/// How a file is to be read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The most rows.
    pub rows_max: usize,
    /// The most bytes to which a workbook may unfold.
    pub inflated_bytes_max: usize,
    /// The only department of a scale file to read.
    pub department: Option<Department>,
    /// The sectors beside a scale file that has them.
    pub sectors: Option<Sectors>,
    /// The names of the products that are known by their codes. The files of scales have names that are cut.
    pub known_names: HashMap<u32, Name>,
    /// The fields whose columns the user names. A name `-` says that the field is not read.
    pub columns: Vec<(Field, String)>,
}

/// A department of a scale file: Toledo's have numbers, and Filizola's sectors have names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Department {
    Number(u8),
    Sector(String),
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            rows_max: ROWS_MAX,
            inflated_bytes_max: INFLATED_BYTES_MAX,
            department: None,
            sectors: None,
            known_names: HashMap::new(),
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

    /// Puts the products and the bad rows of several lists into the order of their lines.
    pub(super) fn sort(&mut self) {
        let mut order: Vec<usize> = (0..self.lines.len()).collect();
        order.sort_by_key(|index| self.lines[*index]);
        self.rows = order.iter().map(|index| self.rows[*index].clone()).collect();
        self.have_stock = order.iter().map(|index| self.have_stock[*index]).collect();
        self.lines.sort_unstable();
        self.bad.sort_by_key(|(line, _)| *line);
    }

    /// Adds a product.
    pub(super) fn push(&mut self, line: u64, draft: ProductDraft, has_stock: bool) {
        self.rows.push(draft);
        self.lines.push(line);
        self.have_stock.push(has_stock);
    }
}
