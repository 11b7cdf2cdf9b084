//! Lists of products: one snapshot of the catalog, read in turns.

use std::ops::ControlFlow;
use std::sync::{Arc, RwLock};

use super::read;
pub use crate::catalog::Stopped;
use crate::catalog::{Catalog, Cursor, ProductId, ProductView, Selection, TooOld};
use crate::refusal::Refusal;

/// The products in catalog order, all as they were when the list began.
#[derive(Clone)]
pub struct Listing {
    catalog: Arc<RwLock<Catalog>>,
    cursor: Cursor,
}

impl Listing {
    pub(super) fn new(
        catalog: &Arc<RwLock<Catalog>>,
        selection: Selection,
        after: Option<ProductId>,
    ) -> Self {
        let cursor = read(catalog).cursor(selection, after);
        Self { catalog: Arc::clone(catalog), cursor }
    }

    /// Calls `visit` with each next product, until `visit` breaks or the turn is over.
    ///
    /// # Errors
    /// If more has changed since the list began than the catalog keeps (`RESOURCE_EXHAUSTED`).
    pub fn visit(
        &mut self,
        visit: impl FnMut(ProductView<'_>) -> ControlFlow<()>,
    ) -> Result<Stopped, Refusal> {
        self.cursor.visit(&read(&self.catalog), visit).map_err(|TooOld| Refusal::list_too_old())
    }
}
