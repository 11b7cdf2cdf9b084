//! The products in the order of creation.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::name::Name;
use super::price::Price;
use super::price_bounds::PriceBounds;
use super::product::{Product, ProductId};
use super::product_view::ProductView;
use super::terms::{Terms, TermsTable};
use super::version_log::Place;

/// Products in one allocation. The catalog grows by one allocation at a time, so that growth copies no
/// product.
const CHUNK_PRODUCTS: usize = 1024;

/// A sequence of products. No product is ever removed.
#[derive(Debug, Default)]
pub struct Products {
    chunks: Vec<Chunk>,
    price_bounds: PriceBounds,
    /// The terms of the products that have terms.
    terms: TermsTable,
    /// The products that are shown instead of the latest ones while a large change is being applied.
    shown: Option<Box<Shown>>,
}

/// The products before a large change.
#[derive(Debug)]
pub(super) struct Shown {
    /// How many products there were.
    len: usize,
    /// Copies of the products that the change alters.
    altered: HashMap<ProductId, Product, FixedState>,
    /// The terms of those products that had terms.
    terms: HashMap<ProductId, Arc<Terms>, FixedState>,
}

#[derive(Debug)]
struct Chunk {
    products: Vec<Product>,
    /// The place of each product's last version in the version log.
    versions: Vec<Place>,
}

impl Products {
    /// How many products are shown.
    pub fn len(&self) -> usize {
        match &self.shown {
            None => self.latest_len(),
            Some(shown) => shown.len,
        }
    }

    /// Whether no product is shown.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The product with this id.
    pub fn get(&self, id: ProductId) -> Option<&Product> {
        self.at(id.index())
    }

    /// All products, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Product> {
        (0..self.len()).filter_map(|index| self.at(index))
    }

    /// A shown product with its terms.
    pub fn view<'p>(&'p self, product: &'p Product) -> ProductView<'p> {
        ProductView { product, terms: self.terms(product).map_or(Terms::NONE, Arc::as_ref) }
    }

    /// The terms of a shown product, if it has any.
    pub fn terms(&self, product: &Product) -> Option<&Arc<Terms>> {
        if !product.flags.has_terms() {
            return None;
        }
        match &self.shown {
            Some(shown) if shown.altered.contains_key(&product.id) => shown.terms.get(&product.id),
            _ => self.terms.get(product.id),
        }
    }

    /// A product as a list shows it, with its latest terms, even if they are of a large change that is not
    /// shown yet.
    pub(super) fn latest_view<'p>(&'p self, product: &'p Product) -> ProductView<'p> {
        let terms = if product.flags.has_terms() { self.latest_terms(product.id) } else { None };
        ProductView { product, terms: terms.map_or(Terms::NONE, Arc::as_ref) }
    }

    /// The latest terms of a product, even if they are of a large change that is not shown yet.
    pub(super) fn latest_terms(&self, product: ProductId) -> Option<&Arc<Terms>> {
        self.terms.get(product)
    }

    /// Gives a product these terms. Returns the previous ones.
    pub(super) fn set_terms(&mut self, product: ProductId, terms: &Arc<Terms>) -> Option<Arc<Terms>> {
        self.terms.set(product, terms)
    }

    /// Gives another name to the copy that is shown in place of a product, if there is a copy.
    pub(super) fn rename_shown(&mut self, product: ProductId, name: &Name) {
        if let Some(copy) = self.shown.as_mut().and_then(|shown| shown.altered.get_mut(&product)) {
            copy.name = name.clone();
        }
    }

    /// The product at this index.
    pub(super) fn at(&self, index: usize) -> Option<&Product> {
        match &self.shown {
            None => self.latest(index),
            Some(shown) => self.at_before(index, shown),
        }
    }

    #[cold]
    fn at_before<'p>(&'p self, index: usize, shown: &'p Shown) -> Option<&'p Product> {
        let latest = self.latest(index).filter(|_| index < shown.len)?;
        Some(shown.altered.get(&latest.id).unwrap_or(latest))
    }

    /// Whether the product with this id is shown. The product must have been added.
    pub(super) fn holds(&self, id: ProductId) -> bool {
        self.shown.as_ref().is_none_or(|shown| id.index() < shown.len)
    }

    /// A copy of the products that a large change is about to alter, to be shown while it is applied.
    pub(super) fn copy(&self, altered: impl Iterator<Item = ProductId>) -> Box<Shown> {
        let altered: HashMap<_, Product, _> =
            altered.filter_map(|id| Some((id, self.get(id)?.clone()))).collect();
        let terms = altered.values().filter_map(|product| Some((product.id, self.terms(product)?.clone())));
        Box::new(Shown { len: self.len(), terms: terms.collect(), altered })
    }

    /// Shows `shown` from now on; if `None`, the latest state. Returns the copy that was shown before.
    pub(super) fn show(&mut self, shown: Option<Box<Shown>>) -> Option<Box<Shown>> {
        std::mem::replace(&mut self.shown, shown)
    }

    /// How many products there are, including those of a large change that is being applied.
    fn latest_len(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK_PRODUCTS + last.products.len())
    }

    /// The latest state of the product at this index, even if it is of a large change that is not shown yet.
    pub(super) fn latest(&self, index: usize) -> Option<&Product> {
        self.chunks.get(index / CHUNK_PRODUCTS)?.products.get(index % CHUNK_PRODUCTS)
    }

    /// The place in the version log of the last version of the product at this index.
    pub(super) fn version_at(&self, index: usize) -> Place {
        self.chunks[index / CHUNK_PRODUCTS].versions[index % CHUNK_PRODUCTS]
    }

    /// The product with this id, and the place of its last version in the version log.
    pub(super) fn get_mut(&mut self, id: ProductId) -> Option<(&mut Product, &mut Place)> {
        let (chunk, index) = (id.index() / CHUNK_PRODUCTS, id.index() % CHUNK_PRODUCTS);
        let Chunk { products, versions } = self.chunks.get_mut(chunk)?;
        Some((products.get_mut(index)?, versions.get_mut(index)?))
    }

    pub(super) fn push(&mut self, product: Product) {
        let len = self.latest_len();
        self.price_bounds.lower(len, product.price);
        if len.is_multiple_of(CHUNK_PRODUCTS) {
            self.chunks.push(Chunk {
                products: Vec::with_capacity(CHUNK_PRODUCTS),
                versions: Vec::with_capacity(CHUNK_PRODUCTS),
            });
        }
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.products.push(product);
            chunk.versions.push(Place::default());
        }
    }

    /// Notes that the product at this index has this new price and that its old price may still be shown.
    pub(super) fn lower_price_bound(&mut self, index: usize, price: Price) {
        self.price_bounds.lower(index, price);
    }

    /// Notes that only the latest prices of the products in the block of this index are shown from now on.
    pub(super) fn raise_price_bound(&mut self, index: usize) {
        let block = PriceBounds::block_of(index).map_while(|index| self.latest(index));
        let lowest = block.map(|product| product.price).min();
        self.price_bounds.set(index, lowest);
    }

    /// Lower bounds of the prices of each block of products.
    pub(super) fn price_bounds(&self) -> &PriceBounds {
        &self.price_bounds
    }
}
