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
    /// Whether the stocks of products that exist are counts too.
    pub is_counted: bool,
    /// The columns that were read, each with its heading in the file.
    pub columns: Vec<(Field, String)>,
    /// Rows that cannot be read, by the line of the file.
    pub bad: Vec<(u64, String)>,
    /// Notes for the user on how the list was read, without control characters.
    pub notes: Vec<String>,
}

impl PriceList {
    /// Leaves out the products at these indexes, and all rows that cannot be read. A line of lists side by side has
    /// several products, so a line does not say which one is bad.
    pub fn leave_out(&mut self, products: &[usize]) {
        let bad: HashSet<&usize> = products.iter().collect();
        let kept: Vec<bool> = (0..self.rows.len()).map(|index| !bad.contains(&index)).collect();
        fn retain<T>(of_each: &mut Vec<T>, kept: &[bool]) {
            let mut each = kept.iter();
            of_each.retain(|_| each.next() == Some(&true));
        }
        retain(&mut self.rows, &kept);
        retain(&mut self.lines, &kept);
        retain(&mut self.have_stock, &kept);
        self.bad.clear();
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
