//! The products in the order of creation, with snapshots that cost nothing to take.

use std::sync::Arc;

use super::product::{Product, ProductId};

/// Products in one shared block. A write while a snapshot is alive copies one block, so a
/// block is small; a block's own cost (16 bytes) is spread over it, so it is not tiny.
const BLOCK_PRODUCTS: usize = 64;

/// A sequence of products whose clone is a snapshot: later writes to the original copy
/// only the blocks that they touch.
#[derive(Debug, Clone, Default)]
pub struct Products {
    blocks: Arc<Vec<Arc<Vec<Product>>>>,
}

impl Products {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self.blocks.split_last() {
            Some((last, full)) => full.len() * BLOCK_PRODUCTS + last.len(),
            None => 0,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The product with this id.
    pub fn get(&self, id: ProductId) -> Option<&Product> {
        let index = id.index();
        self.blocks.get(index / BLOCK_PRODUCTS)?.get(index % BLOCK_PRODUCTS)
    }

    /// All products with an id above `after`, in order.
    pub fn iter_after(&self, after: Option<ProductId>) -> impl Iterator<Item = &Product> {
        let start = after.map_or(0, |id| id.index() + 1);
        let mut blocks = self.blocks.iter().skip(start / BLOCK_PRODUCTS).map(|block| &block[..]);
        let first = blocks.next().unwrap_or_default();
        let first = first.get(start % BLOCK_PRODUCTS..).unwrap_or_default();
        first.iter().chain(blocks.flatten())
    }

    pub(super) fn get_mut(&mut self, id: ProductId) -> Option<&mut Product> {
        let index = id.index();
        let block = Arc::make_mut(&mut self.blocks).get_mut(index / BLOCK_PRODUCTS)?;
        Arc::make_mut(block).get_mut(index % BLOCK_PRODUCTS)
    }

    pub(super) fn push(&mut self, product: Product) {
        let blocks = Arc::make_mut(&mut self.blocks);
        match blocks.last_mut() {
            Some(block) if block.len() < BLOCK_PRODUCTS => Arc::make_mut(block).push(product),
            _ => {
                let mut block = Vec::with_capacity(BLOCK_PRODUCTS);
                block.push(product);
                blocks.push(Arc::new(block));
            }
        }
    }
}
