//! The reads of a session from the published catalog.

use std::sync::RwLockReadGuard;

use super::listing::Listing;
use super::{Session, read};
use crate::catalog::{Adjustment, Catalog, ProductId, ProductView, Selection};
use crate::operation::AdjustRequest;
use crate::refusal::Refusal;

impl Session {
    /// Calls `use_product` with the product of this name.
    ///
    /// # Errors
    /// If no product has that name (`PRODUCT_NOT_FOUND`, with the names that look like it), or none can
    /// have it (`INVALID_ARGUMENT`).
    pub async fn find<T>(
        &self,
        name: &str,
        use_product: impl FnOnce(ProductView<'_>) -> T,
    ) -> Result<T, Refusal> {
        let (found, is_right) = {
            let mut reader = self.reader();
            (reader.find(name, use_product), reader.is_right())
        };
        if !is_right {
            return Err(self.standing_by());
        }
        match found {
            Ok(found) => Ok(found),
            Err(refusal) => Err(self.explain(name, refusal).await),
        }
    }

    /// A reader for several lookups, one after the other and without waiting between them.
    pub fn reader(&self) -> Reader<'_> {
        Reader { session: self, catalog: None, is_trusted: true }
    }

    /// A reader of what is published, whether another server has written since or not.
    pub(super) fn published_reader(&self) -> Reader<'_> {
        Reader { session: self, catalog: Some(read(&self.inventory.catalog)), is_trusted: true }
    }

    /// Lists the selected products that come after `after` in catalog order.
    pub fn list(&self, selection: Selection, after: Option<ProductId>) -> Listing {
        self.note_read();
        let listing = Listing::new(&self.inventory.catalog, selection, after);
        // The list is of this moment, however long it takes.
        match self.trusted() {
            Ok(()) => listing,
            Err(refusal) => listing.refused(refusal),
        }
    }
}

/// A reader of one state of the catalog, from its first lookup on: the catalog is locked once for all lines
/// that arrived together. No change is published while the reader lives.
pub struct Reader<'s> {
    session: &'s Session,
    catalog: Option<RwLockReadGuard<'s, Catalog>>,
    /// Whether this server may answer, as it was when the catalog was locked.
    is_trusted: bool,
}

impl Reader<'_> {
    /// Whether what was read is right: no other server had written until now. After `false`, answers to reads must
    /// not be sent.
    pub fn is_right(&self) -> bool {
        self.catalog.is_none() || !self.is_trusted || self.session.inventory.lease.is_trusted()
    }

    /// Calls `use_product` with the product of this name.
    ///
    /// # Errors
    /// If no product has that name (`PRODUCT_NOT_FOUND`, for [`Session::explain`]), or none can have
    /// it (`INVALID_ARGUMENT`).
    pub fn find<T>(
        &mut self,
        name: &str,
        use_product: impl FnOnce(ProductView<'_>) -> T,
    ) -> Result<T, Refusal> {
        self.session.note_read();
        let (session, catalog) = (self.session, self.catalog()?);
        match catalog.find(name) {
            Some(product) => Ok(use_product(product)),
            None => session.by_label(catalog, name).map(|(product, _)| use_product(product)),
        }
    }

    /// The id of the product of this name, for a change of it.
    pub(super) fn id_of(&mut self, name: &str) -> Result<ProductId, Refusal> {
        let (session, catalog) = (self.session, self.catalog()?);
        match catalog.id_of(name) {
            Some(product) => Ok(product),
            None => session.by_label(catalog, name).map(|(product, _)| product.id),
        }
    }

    /// The change that is asked for, signed by the session.
    ///
    /// # Errors
    /// If [`Reader::find`] would fail, or the name is a label that says something else.
    pub(super) fn adjustment(&mut self, request: AdjustRequest<'_>) -> Result<Adjustment, Refusal> {
        let (session, catalog) = (self.session, self.catalog()?);
        let Some(product) = catalog.id_of(request.name) else {
            return session.by_label_changed(catalog, request);
        };
        Ok(session.adjustment_of(product, request))
    }

    fn catalog(&mut self) -> Result<&Catalog, Refusal> {
        let Self { session, catalog, is_trusted } = self;
        let catalog = catalog.get_or_insert_with(|| {
            *is_trusted = session.inventory.lease.is_trusted();
            read(&session.inventory.catalog)
        });
        if *is_trusted { Ok(catalog) } else { Err(session.standing_by()) }
    }
}
