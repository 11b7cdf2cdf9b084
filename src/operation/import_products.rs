//! `ImportProducts`: a price list, which creates products and updates existing ones, all or none.

use std::fmt;

use super::list_product_changes::ProductChangeReply;
use super::message_limit::{LargeMessages, MessageLimit};
use super::product_reply::ProductReply;
use super::undo_import::UndoneImport;
use crate::catalog::{ImportCounts, ProductDraft, RequestId, counted};

/// The largest import, in bytes: the most rows, each with the longest name.
pub const IMPORT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The limit of an import. A worker checks no import itself: an
/// empty row takes two bytes and still needs an error message, and while an import of nothing but such rows
/// is checked, it takes some eighty times its size in memory.
pub(super) const MESSAGE: MessageLimit = MessageLimit {
    bytes_max: IMPORT_BYTES_MAX,
    large: Some(LargeMessages { at_once_max: 2, worker_bytes_max: 0 }),
};

/// A price list as a client asks to import it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRequest {
    /// The rows that can be read, in order.
    pub rows: Vec<ProductDraft>,
    /// The rows that cannot be read, by their place among all rows. If there is one, nothing is imported, and
    /// the other rows are only checked.
    pub bad_rows: Vec<(usize, String)>,
    /// Whether only to report what an import would do, without any change.
    pub is_dry_run: bool,
    /// The id of an import that was made, if this one is the next part of the same list. All parts are one import, and
    /// are undone together.
    pub continues: Option<RequestId>,
    /// Whether a row of a product that exists is refused, and gives it no other terms.
    pub creates_only: bool,
    /// The client's id for the import.
    pub request_id: Option<RequestId>,
}

/// The effect of an import, or of a dry run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportReply {
    /// How many products it touched.
    pub counts: ImportCounts,
    /// The first fields that it changed.
    pub changes: Vec<ProductChangeReply>,
    /// The import that this one undid, if it undid one. Then the counts are of products with their terms of before
    /// (`updated`), of those that the import had created (`discontinued`), and of those with a term that stays because
    /// it changed again since (`unchanged`).
    pub undone: Option<UndoneImport>,
}

impl ImportRequest {
    /// The import of these rows as one list.
    pub fn of_rows(rows: Vec<ProductDraft>, request_id: Option<RequestId>) -> Self {
        Self {
            rows,
            bad_rows: Vec::new(),
            is_dry_run: false,
            continues: None,
            creates_only: false,
            request_id,
        }
    }

    /// The request for a new product. If there is one of this name, nothing changes.
    pub fn of_new(row: ProductDraft, request_id: Option<RequestId>) -> Self {
        Self { creates_only: true, ..Self::of_rows(vec![row], request_id) }
    }

    /// The product that an import of one row made, as it was then. `None` if there are more rows, and if the
    /// product was there already.
    pub fn product_made(&self, imported: &ImportReply) -> Option<ProductReply> {
        let [ProductDraft { name, price, unit, opening_stock, .. }] = &self.rows[..] else { return None };
        (imported.counts.created == 1 && !self.is_dry_run).then(|| ProductReply {
            name: name.clone(),
            price: *price,
            stock: *opening_stock,
            unit: Some(unit.clone().unwrap_or_default()),
            stock_cost: None,
            terms: None,
            is_discontinued: false,
        })
    }
}

impl fmt::Display for ImportRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let products = counted(self.rows.len(), "produto", "produtos");
        write!(f, "import ({products}{})", if self.is_dry_run { ", ensaio" } else { "" })
    }
}
