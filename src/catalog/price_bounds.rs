//! Lower bounds of the prices in each block of the catalog, so that a search for products up to a price
//! skips the blocks that have none.

use std::ops::Range;

use super::price::Price;

/// How many products are in a block, and how many blocks in a group.
const FANOUT: usize = 64;
const GROUP_PRODUCTS: usize = FANOUT * FANOUT;

/// Lower bounds of the prices of each block of products and of each group of blocks.
#[derive(Debug, Default)]
pub(super) struct PriceBounds {
    blocks: Vec<Price>,
    groups: Vec<Price>,
}

impl PriceBounds {
    /// The indexes of the products in the same block as this one.
    pub(super) fn block_of(index: usize) -> Range<usize> {
        let start = index - index % FANOUT;
        start..start + FANOUT
    }

    /// Notes that the product at this index, perhaps a new one, has this price.
    pub(super) fn lower(&mut self, index: usize, price: Price) {
        lower(&mut self.blocks, index / FANOUT, price);
        lower(&mut self.groups, index / GROUP_PRODUCTS, price);
    }

    /// Notes the lowest price of the products in the block of this index.
    pub(super) fn set(&mut self, index: usize, lowest: Option<Price>) {
        let (block, group) = (index / FANOUT, index / GROUP_PRODUCTS);
        if let Some(lowest) = lowest {
            self.blocks[block] = lowest;
        }
        let blocks = self.blocks[group * FANOUT..].iter().take(FANOUT);
        if let Some(lowest) = blocks.min() {
            self.groups[group] = *lowest;
        }
    }

    /// The next index, from this one on, whose block may have a product up to this price; the index after
    /// the last block if there is none. Each bound read takes one of `looks`; the search stops when none
    /// is left.
    pub(super) fn next(&self, mut index: usize, max_price: Price, looks: &mut usize) -> usize {
        while let Some(block) = self.blocks.get(index / FANOUT) {
            if *looks == 0 || *block <= max_price {
                break;
            }
            *looks -= 1;
            let stretch =
                if self.groups[index / GROUP_PRODUCTS] > max_price { GROUP_PRODUCTS } else { FANOUT };
            index = (index / stretch + 1) * stretch;
        }
        index
    }
}

fn lower(bounds: &mut Vec<Price>, index: usize, price: Price) {
    match bounds.get_mut(index) {
        Some(bound) => *bound = price.min(*bound),
        None => bounds.push(price),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(centavos: i64) -> Price {
        Price::from_centavos(centavos).unwrap()
    }

    #[test]
    fn few_looks_find_the_last_of_many() {
        let mut bounds = PriceBounds::default();
        for index in 0..1_000_000 {
            bounds.lower(index, price(500));
        }
        bounds.lower(999_999, price(1));
        let mut looks = 1000;
        assert_eq!(bounds.next(17, price(499), &mut looks) / FANOUT, 999_999 / FANOUT);
        assert!(looks > 600, "{looks} left");
        assert_eq!(bounds.next(17, price(0), &mut looks), 1_003_520);
        assert_eq!(bounds.next(17, price(500), &mut looks), 17);
        // The bound is raised again.
        bounds.set(999_999, Some(price(500)));
        assert_eq!(bounds.next(0, price(499), &mut looks), 1_003_520);
        let mut few = 2;
        assert_eq!(bounds.next(0, price(499), &mut few), 2 * GROUP_PRODUCTS);
    }
}
