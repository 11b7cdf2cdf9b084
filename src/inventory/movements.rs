//! Movements, newest first, by product, kind and period.

use std::sync::{Arc, RwLock};
use std::time::SystemTime;

use super::published::NAMED_AT_ONCE_MAX;
use super::{Session, product_of, read};
use crate::catalog::{Author, Catalog, Kind, ProductId};
use crate::operation::{MovementReply, MovementsReply, MovementsRequest, check_period};
use crate::refusal::{Code, Refusal};
use crate::store::{Ledger, LedgerPage, LedgerQuery, LedgerRow, StoreError};

/// The most reads of the store for one page, each of milliseconds: enough to fill the largest page of one
/// product.
const PAGE_READS_MAX: usize = 4;

impl Session {
    /// A page of movements. A page may be short or empty and still have a next one.
    ///
    /// # Errors
    /// If the period ends before it begins, no product has the name, the store cannot be read, or the page begins too far back among the
    /// movements of a product.
    pub(super) async fn movements(&self, request: MovementsRequest<'_>) -> Result<MovementsReply, Refusal> {
        self.note_read();
        check_period(request.since, request.until)?;
        let product = match request.name {
            Some(name) => {
                Some(self.find_at_present(name, |product| (product.id, product.last_movement)).await?)
            }
            None => None,
        };
        let search = Search {
            product,
            through: self.through().await?,
            kind: request.kind,
            author: request.author.clone(),
            since: request.since,
            until: request.until,
            before: request.before,
            count_max: request.count_max,
        };
        let catalog = Arc::clone(&self.inventory.catalog);
        let found = self.inventory.ledger.read(move |ledger| {
            let page = search.page(ledger)?;
            Ok(page.map(|page| (named(&catalog, page.rows), page.next)))
        });
        let Some((movements, next)) = found.await? else { return Err(too_far_back(&request)) };
        Ok(MovementsReply { movements, next_page_token: next.map(|next| request.page_token(next + 1)) })
    }
}

/// The search for a page's movements.
struct Search {
    /// The product, and the number of its last movement.
    product: Option<(ProductId, i64)>,
    /// The last movement that is published.
    through: i64,
    kind: Option<Kind>,
    author: Option<Author>,
    since: Option<SystemTime>,
    until: Option<SystemTime>,
    before: Option<i64>,
    count_max: usize,
}

impl Search {
    /// Reads a page. `None` if the page begins too far back.
    fn page(&self, ledger: &dyn Ledger) -> Result<Option<LedgerPage>, StoreError> {
        let Search { kind, since, until, before, count_max, .. } = *self;
        let before = before.map_or(self.through, |before| before.saturating_sub(1));
        let until = until.map(|until| ledger.first_since(until, self.through)).transpose()?;
        let highest = until.map_or(before, |until| before.min(until - 1)).min(self.through);
        let lowest = since.map(|since| ledger.first_since(since, self.through)).transpose()?.unwrap_or(1);
        let start = match self.product {
            Some((product, last)) => self.start_of(ledger, product, last)?,
            None => Some(highest),
        };
        let mut page = LedgerPage { rows: Vec::new(), next: None };
        let mut next = start.or(self.product.map(|(_, last)| last));
        for _ in 0..PAGE_READS_MAX {
            let Some(at) = next.filter(|_| page.rows.len() < count_max) else { break };
            let read = ledger.page(&LedgerQuery {
                start: at,
                of_one_product: self.product.is_some(),
                highest,
                lowest,
                through: self.through,
                kind,
                author: self.author.clone(),
                count_max: count_max - page.rows.len(),
            })?;
            next = read.next;
            let has_found = !read.rows.is_empty();
            page.rows.extend(read.rows);
            if !has_found {
                break;
            }
        }
        page.next = next;
        // The token of a next page names a movement of the product. Any other number may lie far back.
        let is_too_far = start.is_none() && page.next.is_some_and(|next| next > before);
        Ok((!is_too_far).then_some(page))
    }

    /// The movement of a product to begin at. `None` if the search must begin at the product's last movement.
    fn start_of(
        &self,
        ledger: &dyn Ledger,
        product: ProductId,
        last: i64,
    ) -> Result<Option<i64>, StoreError> {
        let Some(before) = self.before.filter(|before| *before <= last) else {
            return Ok(Some(last));
        };
        let of_product = |sequence| -> Result<Option<LedgerRow>, StoreError> {
            let row = ledger.row(sequence, self.through)?;
            Ok(row.filter(|row| row.movement.product == product))
        };
        if of_product(before - 1)?.is_some() {
            return Ok(Some(before - 1));
        }
        Ok(of_product(before)?.map(|row| row.movement.previous))
    }
}

/// The rows as replies carry them, with today's names of the products.
pub(super) fn named(catalog: &RwLock<Catalog>, rows: Vec<LedgerRow>) -> Vec<MovementReply> {
    let mut movements = Vec::with_capacity(rows.len());
    for rows in rows.chunks(NAMED_AT_ONCE_MAX) {
        let catalog = read(catalog);
        movements.extend(rows.iter().map(|row| {
            let name = product_of(&catalog, &row.movement).name.clone();
            MovementReply::of(&row.movement, name).linked(
                row.document.first_sequence,
                row.undoes,
                row.undone_by,
            )
        }));
    }
    movements
}

fn too_far_back(request: &MovementsRequest<'_>) -> Refusal {
    let before = request.before.unwrap_or_default();
    let what = format!(
        "o movimento #{before} não é deste produto, e fica longe demais dos últimos dele. Nada foi alterado; \
         comece por um movimento do produto, ou pelo último."
    );
    let refusal = Refusal::new(Code::ResourceExhausted, what);
    Refusal { metadata: vec![("field", "page_token".to_owned())], ..refusal }
}

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::catalog::ProductChange;
    use crate::catalog::{Document, Draft, Movement, original_products};
    use crate::store::{
        ChangesQuery, Expiry, Extent, LedgerRange, Origin, PurchaseQuery, PurchaseReads, PurchaseRow,
    };

    /// A ledger of the movements 1 to 100, each of the product of its number modulo 10. A page has one row, or
    /// none after so many.
    struct Slow {
        reads: AtomicUsize,
        full_pages: usize,
    }

    impl Slow {
        fn new(full_pages: usize) -> Self {
            Self { reads: AtomicUsize::new(0), full_pages }
        }
    }

    fn product(number: i64) -> ProductId {
        ProductId::from_number(number).unwrap()
    }

    fn row(sequence: i64) -> LedgerRow {
        let catalog = Catalog::default();
        let mut draft = Draft::new(&catalog, SystemTime::UNIX_EPOCH);
        draft.import(&original_products(), None).unwrap();
        let movement = Movement {
            sequence,
            product: product(sequence % 10 + 1),
            previous: (sequence - 10).max(0),
            ..draft.movement(1).unwrap().clone()
        };
        LedgerRow { movement, document: Document::of_one(sequence), undoes: 0, undone_by: 0 }
    }

    impl PurchaseReads for Slow {
        fn purchases(&self, _: &PurchaseQuery) -> Result<Vec<PurchaseRow>, StoreError> {
            unreachable!("no purchases are asked for")
        }

        fn suppliers(&self, _: &str, _: usize) -> Result<Vec<String>, StoreError> {
            unreachable!("no suppliers are asked for")
        }

        fn of_origin(&self, _: Origin<'_>, _: RangeInclusive<i64>, _: usize) -> Result<Vec<i64>, StoreError> {
            unreachable!("no origin is asked for")
        }

        fn lots(&self, _: &(String, i64), _: usize) -> Result<Vec<(String, i64)>, StoreError> {
            unreachable!("no lots are asked for")
        }

        fn expiries(&self, _: RangeInclusive<i64>, _: usize) -> Result<Vec<Expiry>, StoreError> {
            unreachable!("no expiries are asked for")
        }
    }

    impl Ledger for Slow {
        fn row(&self, sequence: i64, _: i64) -> Result<Option<LedgerRow>, StoreError> {
            Ok((1..=100).contains(&sequence).then(|| row(sequence)))
        }

        fn page(&self, query: &LedgerQuery) -> Result<LedgerPage, StoreError> {
            let is_full = self.reads.fetch_add(1, Ordering::Relaxed) < self.full_pages;
            let step = if query.of_one_product { 10 } else { 1 };
            let rows = if is_full { vec![row(query.start)] } else { Vec::new() };
            Ok(LedgerPage { rows, next: Some(query.start - step).filter(|next| *next > 0) })
        }

        fn extent(&self) -> Extent {
            unreachable!("no metrics are asked for")
        }

        fn first_since(&self, _: SystemTime, _: i64) -> Result<i64, StoreError> {
            unreachable!("no period is asked for")
        }

        fn visit(&self, _: &LedgerRange, _: &mut dyn FnMut(&LedgerRow)) -> Result<Option<i64>, StoreError> {
            unreachable!("no totals are asked for")
        }

        fn undone(&self, _: RangeInclusive<i64>, _: usize) -> Result<Vec<(i64, i64)>, StoreError> {
            unreachable!("no undos are asked for")
        }

        fn product_changes(&self, _: &ChangesQuery) -> Result<Vec<ProductChange>, StoreError> {
            unreachable!("no changes of terms are asked for")
        }
    }

    fn search(product: Option<(ProductId, i64)>, before: Option<i64>, count_max: usize) -> Search {
        Search {
            product,
            through: 100,
            kind: None,
            author: None,
            since: None,
            until: None,
            before,
            count_max,
        }
    }

    #[test]
    fn a_page_takes_few_reads_and_says_where_the_next_begins() {
        for (full_pages, count_max, reads, next) in
            [(99, 1000, PAGE_READS_MAX, 96), (99, 2, 2, 98), (0, 1000, 1, 99), (1, 1000, 2, 98)]
        {
            let ledger = Slow::new(full_pages);
            let page = search(None, None, count_max).page(&ledger).unwrap().unwrap();
            let found = (ledger.reads.into_inner(), page.next, page.rows.len());
            assert_eq!(found, (reads, Some(next), reads.min(full_pages)), "{full_pages}, {count_max}");
        }
        let last = search(None, Some(2), 1000).page(&Slow::new(99)).unwrap().unwrap();
        assert_eq!((last.rows.len(), last.next), (1, None));
    }

    #[test]
    fn a_page_of_a_product_begins_at_one_of_its_movements_or_near_the_last() {
        let of_product = |before| search(Some((product(1), 100)), Some(before), 2).page(&Slow::new(99));
        let sequences = |before| {
            let page = of_product(before).unwrap()?;
            Some(page.rows.iter().map(|row| row.movement.sequence).collect::<Vec<_>>())
        };
        // Behind the last one, as a token has it, and by the number of a movement itself.
        assert_eq!(sequences(999), Some(vec![100, 90]));
        assert_eq!(sequences(91), Some(vec![90, 80]));
        assert_eq!(sequences(90), Some(vec![80, 70]));
        // Any other number would have to be found back from the last movement.
        assert_eq!(sequences(45), None);
    }
}
