//! Events that are not recent any more, from the ledger. The watchers that need them read one after the other,
//! and share the pages.

use std::sync::{Arc, RwLock};

use super::super::movements::named;
use super::super::read;
use super::super::recent::{Encoding, Position, Recorded, SEGMENT_EVENTS_MAX, Segment, last_changes};
use super::{Session, Watch};
use crate::catalog::{Catalog, Kind, ProductId};
use crate::operation::{MovementReply, ProductReply, WatchEvent};
use crate::refusal::Refusal;
use crate::store::{ChangesQuery, Ledger, LedgerQuery, StoreError};

/// The movements of a page. Pages begin at its multiples, so that watchers read the same pages.
const PAGE_MOVEMENTS: i64 = SEGMENT_EVENTS_MAX as i64;

impl Watch {
    /// Appends the next events before the position `last`.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(super) async fn deliver_old(
        &mut self,
        last: Position,
        encoding: &Encoding,
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let recent = Arc::clone(&self.session.inventory.recent);
        let length = out.len();
        let _turn = recent.old.turn().await;
        let segment = if self.seen.change < last.change {
            recent.old.spend_page();
            Arc::new(self.session.changed_products(self.seen, last).await?)
        } else {
            match recent.page(self.seen.sequence + 1) {
                Some(page) => page,
                None => {
                    recent.old.spend_page();
                    let page = Arc::new(self.session.page(self.seen.sequence, last).await?);
                    recent.keep_page(Arc::clone(&page));
                    page
                }
            }
        };
        self.take(&segment, segment.index_after(self.seen), encoding, out);
        recent.old.spend_delivery(out.len() - length);
        Ok(())
    }
}

impl Session {
    /// The number of a change of terms that was made before the movement `after`, or with it: the last such one,
    /// if clocks were never set back. The number of the last change for `after` 0, because each product is then
    /// seen when it is created.
    pub(super) async fn last_change_before(&self, after: i64, last: Position) -> Result<i64, Refusal> {
        if after == 0 || last.change == 0 {
            return Ok(last.change);
        }
        let _turn = self.inventory.recent.old.turn().await;
        self.inventory.ledger.read(move |ledger| change_before(ledger, after, last)).await
    }

    /// The products with changed terms after a position: the next ones, as they are now.
    async fn changed_products(&self, seen: Position, last: Position) -> Result<Segment, Refusal> {
        let before = last.change.min(seen.change + SEGMENT_EVENTS_MAX as i64) + 1;
        let query =
            ChangesQuery { product: None, lowest: seen.change + 1, before, count_max: SEGMENT_EVENTS_MAX };
        let mut changes = self.inventory.ledger.read(move |ledger| ledger.product_changes(&query)).await?;
        changes.reverse();
        let catalog = read(&self.inventory.catalog);
        let mut events = Vec::new();
        for (product, change) in last_changes(&changes) {
            let Some(event) = product_now(&catalog, product) else { continue };
            events.push(Recorded {
                product,
                created: None,
                event,
                after: Position { change, ..Position::FIRST },
            });
        }
        Ok(Segment::new(Position { change: seen.change, ..Position::FIRST }, 0, events))
    }

    /// The page of the ledger with the movement after this one.
    async fn page(&self, after: i64, last: Position) -> Result<Segment, Refusal> {
        let first = after - after % PAGE_MOVEMENTS + 1;
        let highest = last.sequence.min(first + PAGE_MOVEMENTS - 1);
        let query = LedgerQuery {
            start: highest,
            of_one_product: false,
            highest,
            lowest: first,
            through: last.sequence,
            kind: None,
            author: None,
            count_max: SEGMENT_EVENTS_MAX,
        };
        let catalog = Arc::clone(&self.inventory.catalog);
        let read = self.inventory.ledger.read(move |ledger| {
            let mut rows = ledger.page(&query)?.rows;
            rows.reverse();
            let products: Vec<_> = rows.iter().map(|row| row.movement.product).collect();
            Ok(recorded(&catalog, products, named(&catalog, rows)))
        });
        Ok(Segment::new(Position { sequence: first - 1, ..Position::FIRST }, 0, read.await?))
    }
}

/// The movements of these products as events.
fn recorded(
    catalog: &RwLock<Catalog>,
    products: Vec<ProductId>,
    movements: Vec<MovementReply>,
) -> Vec<Recorded> {
    let catalog = read(catalog);
    let event = |(product, movement): (ProductId, MovementReply)| {
        let is_first = movement.kind == Kind::Opening;
        Recorded {
            product,
            created: is_first.then(|| product_now(&catalog, product)).flatten(),
            after: Position { sequence: movement.sequence, ..Position::FIRST },
            event: WatchEvent::Movement(movement),
        }
    };
    products.into_iter().zip(movements).map(event).collect()
}

/// The event of a product as it is now.
fn product_now(catalog: &Catalog, id: ProductId) -> Option<WatchEvent> {
    let product = catalog.products().get(id)?;
    Some(WatchEvent::Product(ProductReply::of(catalog.products().view(product))))
}

/// The number of the last change of terms that is older than a movement.
fn change_before(ledger: &dyn Ledger, after: i64, last: Position) -> Result<i64, StoreError> {
    let Some(movement) = ledger.row(after, last.sequence)? else { return Ok(last.change) };
    let (mut from, mut to) = (0, last.change);
    // The change `from` is older, or 0. All changes after `to` are not.
    while from < to {
        let middle = from + (to - from + 1) / 2;
        let query = ChangesQuery { product: None, lowest: middle, before: middle + 1, count_max: 1 };
        let changes = ledger.product_changes(&query)?;
        let is_older =
            changes.first().is_some_and(|change| change.recorded_at < movement.movement.recorded_at);
        if is_older { from = middle } else { to = middle - 1 }
    }
    Ok(from)
}
