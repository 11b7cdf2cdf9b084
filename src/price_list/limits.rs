//! The limits of a list.

/// Most rows of a list: as many as a client reads products of a catalog, so that every exported list can be
/// imported.
pub const ROWS_MAX: usize = 1_000_000;

/// Most columns of a table. No list of products has as many.
pub const COLUMNS_MAX: usize = 256;

/// The most bytes to which the parts of a workbook may unfold, as a rule: those of some hundred thousand products.
/// A list of more is CSV.
pub const INFLATED_BYTES_MAX: usize = 128 * 1024 * 1024;

/// The most cells of one sheet, with the empty ones between others: as many as the most rows of some columns.
pub(super) const CELLS_MAX: usize = 16 * 1024 * 1024;
