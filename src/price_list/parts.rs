//! The parts in which a long list is imported, each by a request of its own.

use std::ops::Range;

use super::PriceList;
use crate::catalog::{IMPORT_ROWS_MAX, ProductDraft, Unit};
use crate::operation::IMPORT_BYTES_MAX;

/// The bytes of a row in a request beside its texts: the numbers, and the length of each field.
const ROW_BYTES: usize = 80;

/// The bytes of a barcode in a request.
const BARCODE_BYTES: usize = 16;

impl PriceList {
    /// The rows of each part, in order. No part has more rows or bytes than one import may have.
    pub fn parts(&self) -> Vec<Range<usize>> {
        parts(&self.rows, IMPORT_ROWS_MAX, IMPORT_BYTES_MAX)
    }
}

fn parts(rows: &[ProductDraft], rows_max: usize, bytes_max: usize) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut bytes = 0;
    for (index, row) in rows.iter().enumerate() {
        let row_bytes = bytes_of(row);
        match parts.last_mut().filter(|part| part.len() < rows_max && bytes + row_bytes <= bytes_max) {
            Some(part) => {
                part.end = index + 1;
                bytes += row_bytes;
            }
            None => {
                parts.push(index..index + 1);
                bytes = row_bytes;
            }
        }
    }
    parts
}

/// The most bytes that a row takes in a request.
fn bytes_of(row: &ProductDraft) -> usize {
    let category = row.terms.category.as_ref().map_or("", |category| category.as_str());
    let texts = row.name.as_str().len() + row.unit.as_ref().map_or("", Unit::as_str).len() + category.len();
    texts + BARCODE_BYTES * row.terms.barcodes.len() + ROW_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_no_more_rows_and_bytes_than_a_request() {
        let text = |rows: usize| -> String {
            (0..rows).map(|row| format!("P{row};1;{}\n", "c".repeat(64 * (row % 2)))).collect()
        };
        let list = super::super::read(format!("nome;preco;categoria\n{}", text(7)).as_bytes()).unwrap();
        let lengths = |rows_max, bytes_max| -> Vec<usize> {
            let parts = parts(&list.rows, rows_max, bytes_max);
            assert!(parts.iter().zip(parts.iter().skip(1)).all(|(one, next)| one.end == next.start));
            parts.iter().map(Range::len).collect()
        };
        assert_eq!(lengths(7, 10_000), [7]);
        assert_eq!(lengths(3, 10_000), [3, 3, 1]);
        // Rows of 82 and 146 bytes.
        assert_eq!(lengths(7, 310), [3, 2, 2]);
        assert_eq!(lengths(7, 1), [1; 7]);
        assert!(parts(&[], 3, 100).is_empty());
    }
}
