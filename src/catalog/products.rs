//! The products in the order of creation.

use super::price::Price;
use super::price_bounds::PriceBounds;
use super::product::{Product, ProductId};
use super::version_log::Place;

/// Products in one allocation. The catalog grows by one at a time, so that growth copies no product.
const CHUNK_PRODUCTS: usize = 1024;

/// A sequence of products. No product is ever removed.
#[derive(Debug, Default)]
pub struct Products {
    chunks: Vec<Chunk>,
    price_bounds: PriceBounds,
}

#[derive(Debug)]
struct Chunk {
    products: Vec<Product>,
    /// The place of each product's last version in the version log.
    versions: Vec<Place>,
}

impl Products {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK_PRODUCTS + last.products.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The product with this id.
    pub fn get(&self, id: ProductId) -> Option<&Product> {
        self.at(id.index())
    }

    /// All products, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Product> {
        self.chunks.iter().flat_map(|chunk| &chunk.products)
    }

    /// The product at this index.
    pub(super) fn at(&self, index: usize) -> Option<&Product> {
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
        self.price_bounds.lower(self.len(), product.price);
        if self.len().is_multiple_of(CHUNK_PRODUCTS) {
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

    /// Notes that the product at this index got another price. A bound is raised only if no snapshot
    /// still shows the old price.
    pub(super) fn note_price(&mut self, index: usize, price: Price, has_snapshots: bool) {
        if has_snapshots {
            self.price_bounds.lower(index, price);
        } else {
            let block = PriceBounds::block_of(index).map_while(|index| self.at(index));
            let lowest = block.map(|product| product.price).min();
            self.price_bounds.set(index, lowest);
        }
    }

    /// Lower bounds of the prices in stretches of the products.
    pub(super) fn price_bounds(&self) -> &PriceBounds {
        &self.price_bounds
    }
}
