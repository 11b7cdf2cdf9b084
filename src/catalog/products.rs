//! The products in the order of creation, with snapshots that cost nothing to take.

use std::sync::Arc;

use super::product::{Product, ProductId};

/// Products in one shared block. A write while a snapshot is alive copies one block, so a
/// block is small; a block's own cost (80 bytes) is spread over it, so it is not tiny.
const BLOCK_PRODUCTS: usize = 64;

/// A sequence of products whose clone is a snapshot: later writes to the original copy
/// only the blocks that they touch, and the first of them the list of blocks.
#[derive(Debug, Clone, Default)]
pub struct Products {
    /// Those that are full. As arrays, because the length and the place of a vector would be
    /// looked up far away in memory before each product.
    blocks: Arc<Vec<Arc<[Product; BLOCK_PRODUCTS]>>>,
    /// The products after them, too few for a block.
    rest: Arc<Vec<Product>>,
}

impl Products {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.in_blocks() + self.rest.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn in_blocks(&self) -> usize {
        self.blocks.len() * BLOCK_PRODUCTS
    }

    /// The product with this id.
    pub fn get(&self, id: ProductId) -> Option<&Product> {
        let index = id.index();
        match self.blocks.get(index / BLOCK_PRODUCTS) {
            Some(block) => Some(&block[index % BLOCK_PRODUCTS]),
            None => self.rest.get(index - self.in_blocks()),
        }
    }

    /// All products with an id above `after`, in order.
    pub fn iter_after(&self, after: Option<ProductId>) -> impl Iterator<Item = &Product> {
        let start = after.map_or(0, |id| id.index() + 1);
        let blocks = self.blocks.iter().map(|block| &block[..]).chain([&self.rest[..]]);
        let mut blocks = blocks.skip(start / BLOCK_PRODUCTS);
        let first = blocks.next().unwrap_or_default();
        let first = first.get(start % BLOCK_PRODUCTS..).unwrap_or_default();
        first.iter().chain(blocks.flatten())
    }

    pub(super) fn get_mut(&mut self, id: ProductId) -> Option<&mut Product> {
        let index = id.index();
        let in_blocks = self.in_blocks();
        match Arc::make_mut(&mut self.blocks).get_mut(index / BLOCK_PRODUCTS) {
            Some(block) => Some(&mut Arc::make_mut(block)[index % BLOCK_PRODUCTS]),
            None => Arc::make_mut(&mut self.rest).get_mut(index - in_blocks),
        }
    }

    pub(super) fn push(&mut self, product: Product) {
        let rest = Arc::make_mut(&mut self.rest);
        rest.push(product);
        if let Some(block) = rest.first_chunk() {
            Arc::make_mut(&mut self.blocks).push(Arc::new(block.clone()));
            rest.clear();
        }
    }
}
