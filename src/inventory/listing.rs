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
    /// Why there is no list.
    refusal: Option<Refusal>,
}

impl Listing {
    pub(super) fn new(
        catalog: &Arc<RwLock<Catalog>>,
        selection: Selection,
        after: Option<ProductId>,
    ) -> Self {
        let cursor = read(catalog).cursor(selection, after);
        Self { catalog: Arc::clone(catalog), cursor, refusal: None }
    }

    /// The list if it is refused.
    pub(super) fn refused(self, refusal: Refusal) -> Self {
        Self { refusal: Some(refusal), ..self }
    }

    /// Calls `visit` with each next product, until `visit` breaks or the turn is over.
    ///
    /// # Errors
    /// If more has changed since the list began than the catalog keeps (`RESOURCE_EXHAUSTED`), or another server may
    /// have written when it began (`UNAVAILABLE`).
    pub fn visit(
        &mut self,
        visit: impl FnMut(ProductView<'_>) -> ControlFlow<()>,
    ) -> Result<Stopped, Refusal> {
        if let Some(refusal) = &self.refusal {
            return Err(refusal.clone());
        }
        self.cursor.visit(&read(&self.catalog), visit).map_err(|TooOld| Refusal::list_too_old())
    }
}
