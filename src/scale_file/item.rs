//! A product as a scale knows it.

use crate::catalog::{Price, ShopCode};

/// The lowest and the highest department of a scale file, which has two digits for it.
pub const DEPARTMENTS: std::ops::RangeInclusive<u8> = 1..=99;

/// A product as a scale knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The department, if the layout has one.
    pub department: Option<u8>,
    /// Whether the product is weighed; otherwise it is sold by the piece.
    pub is_weighed: bool,
    pub code: ShopCode,
    pub price: Price,
    /// Days for which the product keeps; 0 if the label has no such date.
    pub shelf_life_days: u32,
    /// The name, in the letters of the file.
    pub name: String,
}
