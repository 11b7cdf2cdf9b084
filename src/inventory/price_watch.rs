//! Watches the prices and the other terms of all products, for files that are kept up to date.

use std::ops::ControlFlow;
use std::pin::pin;

use super::listing::Listing;
use super::recent::{Position, Watching};
use super::{Inventory, read};
use crate::catalog::{Selection, Stopped};
use crate::operation::ProductReply;
use crate::refusal::Refusal;

/// A watch of the terms of all products.
pub struct PriceWatch {
    inventory: Inventory,
    _watching: Watching,
    /// The state that was seen last: the number of the last change of terms, and the number of products.
    seen: Option<(i64, usize)>,
}

impl Inventory {
    /// Begins to watch the terms of all products. `None` if there are too many watchers.
    pub fn watch_prices(&self) -> Option<PriceWatch> {
        let watching = self.recent.begin()?;
        Some(PriceWatch { inventory: self.clone(), _watching: watching, seen: None })
    }
}

impl PriceWatch {
    /// Waits until a product is created or gets other terms. The first call returns immediately. If the caller
    /// stops waiting, nothing is lost.
    pub async fn changed(&mut self) {
        let mut news = pin!(self.inventory.recent.news());
        loop {
            // Events that are added from now on end the wait, and those before are found by the comparison.
            news.as_mut().enable();
            let state = {
                let catalog = read(&self.inventory.catalog);
                (Position::of(&catalog).change, catalog.products().len())
            };
            if self.seen != Some(state) {
                self.seen = Some(state);
                return;
            }
            news.as_mut().await;
            news.set(self.inventory.recent.news());
        }
    }

    /// Makes the next [`changed`](Self::changed) return immediately.
    pub fn look_again(&mut self) {
        self.seen = None;
    }

    /// All products of this moment, in catalog order, also those that are no longer sold.
    ///
    /// # Errors
    /// If more changes meanwhile than the catalog keeps.
    pub async fn products(&self) -> Result<Vec<ProductReply>, Refusal> {
        let selection = Selection { has_discontinued: true, ..Selection::default() };
        let mut listing = Listing::new(&self.inventory.catalog, selection, None);
        let mut products = Vec::new();
        loop {
            let stopped = listing.visit(|product| {
                products.push(ProductReply::of(product));
                ControlFlow::Continue(())
            })?;
            if stopped == Stopped::AtEnd {
                return Ok(products);
            }
            tokio::task::yield_now().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, shop};
    use super::*;
    use crate::catalog::{Price, TermsDraft};
    use crate::operation::ImportRequest;

    #[tokio::test]
    async fn prices_wake_the_watch_and_stocks_do_not() {
        let (session, _committer) = shop();
        let mut watch = session.inventory.watch_prices().unwrap();
        watch.changed().await;
        assert_eq!(watch.products().await.unwrap().len(), 4);
        session.adjust(asked("Caju -20")).await.unwrap();
        {
            let mut waiting = pin!(watch.changed());
            let is_pending = std::future::poll_fn(|context| {
                std::task::Poll::Ready(waiting.as_mut().poll(context).is_pending())
            });
            assert!(is_pending.await);
        }
        for (name, price) in [("Caju", 350), ("Uva", 990)] {
            let row = crate::catalog::ProductDraft {
                name: crate::catalog::Name::parse(name).unwrap(),
                price: Price::from_centavos(price).unwrap(),
                unit: None,
                opening_stock: crate::catalog::Quantity::ZERO,
                terms: TermsDraft::default(),
            };
            let request = ImportRequest::of_rows(vec![row], None);
            session.import(request).await.unwrap();
            watch.changed().await;
            let products = watch.products().await.unwrap();
            let found = products.iter().find(|product| product.name.as_str() == name).unwrap();
            assert_eq!(found.price.centavos(), price);
        }
    }
}
