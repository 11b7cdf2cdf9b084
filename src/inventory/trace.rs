//! Purchases by words of their supplier or their lot, with what is left of each.
//!
//! The words are looked for in the suppliers and the lots, each read from its index. Only the purchases that
//! are shown are read themselves.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, RwLock};

use jiff::civil::Date;

use super::Session;
use super::purchases::Stocked;
use crate::catalog::{Catalog, InvoiceKey, Key, Name, ProductId, Quantity, SupplierItem, Unit};
use crate::local_time::Days;
use crate::operation::{TraceReply, TraceRequest, TracedPurchase};
use crate::refusal::{Code, Refusal};
use crate::store::{Ledger, LedgerRow, Origin, StoreError};

/// The suppliers that are looked up in one turn, two or three milliseconds.
const SUPPLIERS_IN_TURN: usize = 1024;

/// The lots that are read in one turn, some milliseconds.
const LOTS_IN_TURN: usize = 8192;

/// The most suppliers and lots that one trace looks at: a second of reading. A shop that notes the lots of
/// thirty purchases a day has this many in 90 years.
const TRACED_NAMES_MAX: usize = 1_000_000;

/// The purchases that are read in one turn, with the other purchases of their products.
const PURCHASES_IN_TURN: usize = 16;

impl Session {
    /// The purchases from a supplier, or of a lot, with what is left of each.
    ///
    /// # Errors
    /// If no words are given, too many suppliers and lots are known, or the store cannot be read.
    pub(super) async fn trace(&self, request: TraceRequest<'_>) -> Result<TraceReply, Refusal> {
        self.note_read();
        let through = self.through().await?;
        let last = request.before.map_or(through, |before| before.saturating_sub(1)).min(through);
        let found = Found { numbers: BTreeSet::new(), last, count_max: request.count_max + 1 };
        let found = match (request.invoice, request.item) {
            ("", "") => self.by_words(Words::of(request.words)?, found).await?,
            (invoice, item) => self.by_origin(invoice, item, found).await?,
        };
        let mut numbers: Vec<i64> = found.numbers.into_iter().rev().collect();
        let has_more = numbers.len() > request.count_max;
        numbers.truncate(request.count_max);
        let next = numbers.last().filter(|_| has_more).map(|last| request.page_token(*last));
        let mut page = Page {
            purchases: Vec::with_capacity(numbers.len()),
            products: HashMap::new(),
            through,
            has_undone: !request.invoice.is_empty(),
        };
        for numbers in numbers.chunks(PURCHASES_IN_TURN) {
            let (catalog, numbers) = (Arc::clone(&self.inventory.catalog), numbers.to_vec());
            let reading = self.inventory.ledger.read(move |ledger| {
                for number in numbers {
                    page.add(ledger, &catalog, number)?;
                }
                Ok(page)
            });
            page = reading.await?;
        }
        Ok(TraceReply { purchases: page.purchases, next })
    }

    /// Finds the purchases of an invoice or of a supplier's item.
    async fn by_origin(&self, invoice: &str, item: &str, mut found: Found) -> Result<Found, Refusal> {
        let is_invoice = item.is_empty();
        let text = match is_invoice {
            true => invoice.parse::<InvoiceKey>().map(|key| key.to_string()),
            false => item.parse::<SupplierItem>().map(|item| item.to_string()),
        };
        // No purchase has a text that is none of these.
        let Ok(text) = text else { return Ok(found) };
        let reading = self.inventory.ledger.read(move |ledger| {
            let origin = if is_invoice { Origin::Invoice(&text) } else { Origin::Item(&text) };
            found.extend(ledger.of_origin(origin, 1..=found.last, found.count_max)?);
            Ok(found)
        });
        reading.await
    }

    /// Finds the purchases whose supplier or lot has these words.
    async fn by_words(&self, words: Words, mut found: Found) -> Result<Found, Refusal> {
        let mut names_read = 0;
        let mut after = String::new();
        loop {
            let words = words.clone();
            let reading = self.inventory.ledger.read(move |ledger| {
                let keys = ledger.suppliers(&after, SUPPLIERS_IN_TURN)?;
                for key in keys.iter().filter(|key| words.begin_words_of(key)) {
                    let range = found.lowest()..=found.last;
                    found.extend(ledger.of_origin(Origin::Supplier(key), range, found.count_max)?);
                }
                Ok((found, keys))
            });
            let (found_so_far, mut keys) = reading.await?;
            found = found_so_far;
            names_read += keys.len();
            let is_last = keys.len() < SUPPLIERS_IN_TURN;
            after = keys.pop().unwrap_or_default();
            if is_last {
                break;
            }
            refuse_too_many(names_read)?;
        }
        let mut after = (String::new(), 0);
        loop {
            let words = words.clone();
            let reading = self.inventory.ledger.read(move |ledger| {
                let lots = ledger.lots(&after, LOTS_IN_TURN)?;
                let is_of = |lot: &String| words.begin_words_of(Key::fold(lot).as_str());
                found.extend(lots.iter().filter(|(lot, _)| is_of(lot)).map(|(_, sequence)| *sequence));
                Ok((found, lots))
            });
            let (found_so_far, mut lots) = reading.await?;
            found = found_so_far;
            names_read += lots.len();
            let is_last = lots.len() < LOTS_IN_TURN;
            after = lots.pop().unwrap_or_default();
            if is_last {
                break;
            }
            refuse_too_many(names_read)?;
        }
        Ok(found)
    }
}

fn refuse_too_many(names: usize) -> Result<(), Refusal> {
    if names < TRACED_NAMES_MAX {
        return Ok(());
    }
    let what = format!(
        "há mais de {TRACED_NAMES_MAX} fornecedores e lotes. Nada foi alterado; procure a compra em \
         `hortifruti history --kind compra`."
    );
    Err(Refusal::new(Code::ResourceExhausted, what))
}

/// The words that are looked for.
#[derive(Clone)]
struct Words(Vec<String>);

impl Words {
    fn of(text: &str) -> Result<Self, Refusal> {
        let words: Vec<String> = Key::fold(text).as_str().split_whitespace().map(str::to_owned).collect();
        if words.is_empty() {
            return Err(Refusal::invalid("words", "diga o fornecedor ou o lote que procura"));
        }
        Ok(Self(words))
    }

    /// Whether each word begins a word of the key.
    fn begin_words_of(&self, key: &str) -> bool {
        self.0.iter().all(|word| key.split_whitespace().any(|own| own.starts_with(word.as_str())))
    }
}

/// The newest purchases that were found so far, up to a number.
struct Found {
    numbers: BTreeSet<i64>,
    last: i64,
    count_max: usize,
}

impl Found {
    /// The lowest number that is still of use.
    fn lowest(&self) -> i64 {
        self.numbers.first().copied().filter(|_| self.numbers.len() == self.count_max).unwrap_or(1)
    }

    fn extend(&mut self, numbers: impl IntoIterator<Item = i64>) {
        for number in numbers.into_iter().filter(|number| *number <= self.last) {
            self.numbers.insert(number);
            if self.numbers.len() > self.count_max {
                self.numbers.pop_first();
            }
        }
    }
}

/// The purchases of a page, and what was read of their products.
struct Page {
    purchases: Vec<TracedPurchase>,
    products: HashMap<ProductId, Option<Traced>>,
    through: i64,
    /// Whether undone purchases are shown, too.
    has_undone: bool,
}

impl Page {
    /// Adds a purchase, unless it was undone and those are not shown.
    fn add(&mut self, ledger: &dyn Ledger, catalog: &RwLock<Catalog>, number: i64) -> Result<(), StoreError> {
        let through = self.through;
        let Some(row) = ledger.row(number, through)?.filter(|row| self.has_undone || row.undone_by == 0)
        else {
            return Ok(());
        };
        let LedgerRow { movement, undone_by, .. } = row;
        if let Entry::Vacant(place) = self.products.entry(movement.product) {
            place.insert(Traced::read(ledger, catalog, movement.product, through, &Days::of_server())?);
        }
        let Some(Some(product)) = self.products.get(&movement.product) else { return Ok(()) };
        let purchase = movement.details.as_ref().and_then(|details| details.purchase.clone());
        let (expires_on, left) = product.of_each.get(&number).copied().unwrap_or_default();
        self.purchases.push(TracedPurchase {
            sequence: number,
            name: product.name.clone(),
            unit: product.unit.clone(),
            bought_at: movement.recorded_at,
            purchase: purchase.unwrap_or_default(),
            expires_on,
            bought: movement.delta,
            amount: movement.amount(),
            left,
            author: movement.author,
            undone_by,
        });
        Ok(())
    }
}

/// A product of a trace, with the expiry and the rest of each of its purchases.
struct Traced {
    name: Name,
    unit: Unit,
    of_each: HashMap<i64, (Option<Date>, Quantity)>,
}

impl Traced {
    fn read(
        ledger: &dyn Ledger,
        catalog: &RwLock<Catalog>,
        id: ProductId,
        through: i64,
        days: &Days,
    ) -> Result<Option<Self>, StoreError> {
        let Some(product) = Stocked::of(catalog, id) else { return Ok(None) };
        let purchases = product.purchases(ledger, id, through, days)?;
        let of_each = purchases.into_iter().map(|(row, expiry, left)| (row.sequence, (expiry, left)));
        let of_each = of_each.collect();
        Ok(Some(Self { name: product.name, unit: product.unit, of_each }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::purchases::testing::{buy, in_days, shop};
    use super::super::testing::{asked, undo};
    use super::*;
    use crate::catalog::{Details, Purchase};
    use crate::operation::{AdjustRequest, BatchRequest, UndoRequest};

    #[tokio::test]
    async fn purchases_are_traced_by_words_of_the_supplier_or_the_lot() {
        let (session, _committer) = shop().await;
        let now = buy(&session, "Banana 10 motivo=compra total=20,00", "Sítio do Zé", "", None).await;
        buy(&session, "Uva 4 motivo=compra total=8,00", "CEAGESP", "Zé-7", Some(in_days(now, 5))).await;
        buy(&session, "Uva 6 motivo=compra", "sitio  do ze", "A 9", None).await;
        session.adjust(asked("Uva -7 motivo=venda")).await.unwrap();
        let trace = async |words: &str, token: Option<i64>, count_max| {
            let first = TraceRequest { words, count_max, ..TraceRequest::default() };
            let request = token.map_or(first, |token| first.at_page(&token.to_string()).unwrap());
            let page = session.trace(request).await.unwrap();
            let rows =
                page.purchases.iter().map(|it| (it.sequence, it.left.to_string(), it.amount.centavos()));
            (rows.collect::<Vec<_>>(), page.next)
        };
        let [banana, dated, undated] = [(3, "10", 2000), (4, "0", 800), (5, "3", 3000)]
            .map(|(it, left, amount)| (it, left.to_owned(), amount));
        assert_eq!(trace("SITIO ze", None, 9).await, (vec![undated.clone(), banana.clone()], None));
        assert_eq!(trace("ze-7", None, 9).await, (vec![dated.clone()], None));
        assert_eq!(trace("ceagesp", None, 9).await.0, std::slice::from_ref(&dated));
        assert_eq!(trace("9 a", None, 9).await.0, std::slice::from_ref(&undated));
        assert_eq!(trace("joão", None, 9).await, (vec![], None));
        let first = trace("sitio", None, 1).await;
        assert_eq!(first.0, [undated]);
        assert_eq!(trace("sitio", first.1, 1).await, (vec![banana], None));
        let none = TraceRequest { words: " ", count_max: 9, ..TraceRequest::default() };
        assert_eq!(session.trace(none).await.unwrap_err().code, Code::InvalidArgument);
    }

    #[tokio::test]
    async fn purchases_of_an_invoice_and_of_an_item_are_found_and_those_undone_only_by_the_invoice() {
        let (session, _committer) = shop().await;
        let bought = async |line: &str, invoice: &str, item: &str| {
            let purchase =
                Purchase { invoice: invoice.parse().ok(), item: item.parse().ok(), ..Purchase::default() };
            let details = Details { purchase: Some(purchase), ..Details::default() }.boxed();
            session.adjust(AdjustRequest { details, ..asked(line) }).await.unwrap().movement.sequence
        };
        let first = bought("Uva 1 motivo=compra", "A", "1/Ção").await;
        let second = bought("Uva 2 motivo=compra", "B", "1/Ção").await;
        let undone = session.undo(undo(second)).await.unwrap()[0].movement.sequence;
        let trace = async |invoice: &str, item: &str| {
            let request = TraceRequest { invoice, item, count_max: 9, ..TraceRequest::default() };
            let page = session.trace(request).await.unwrap();
            page.purchases.iter().map(|it| (it.sequence, it.undone_by)).collect::<Vec<_>>()
        };
        assert_eq!(trace("A", "").await, [(first, 0)]);
        assert_eq!(trace("B", "").await, [(second, undone)]);
        // The letters may come decomposed, as from macOS.
        for item in ["1/Ção", "1/C\u{327}a\u{303}o "] {
            assert_eq!(trace("", item).await, [(first, 0)], "{item}");
        }
        for (invoice, item) in [("C", ""), ("A\0", ""), ("", "1/ção"), ("", "1/Ção\0")] {
            assert_eq!(trace(invoice, item).await, [], "{invoice:?} {item:?}");
        }
    }

    #[tokio::test]
    async fn words_are_looked_for_in_all_suppliers_and_lots() {
        let (session, _committer) = shop().await;
        let purchase = |number: usize| {
            let purchase = Purchase {
                supplier: format!("Fornecedor {number:05}").parse().ok(),
                lot: format!("Lote-{number:05}").parse().ok(),
                ..Purchase::default()
            };
            let details = Details { purchase: Some(purchase), ..Details::default() }.boxed();
            AdjustRequest { details, ..asked("Uva 1 motivo=compra") }
        };
        // More than a turn reads of either.
        let count = LOTS_IN_TURN + 2;
        for first in (0..count).step_by(1000) {
            let adjustments = (first..count.min(first + 1000)).map(purchase).collect();
            session.adjust_together(BatchRequest { adjustments, request_id: None }).await.unwrap();
        }
        let numbers = async |words: &str, count_max| {
            let request = TraceRequest { words, count_max, ..TraceRequest::default() };
            let page = session.trace(request).await.unwrap();
            let next = page.next.and_then(|token| request.at_page(&token.to_string()).unwrap().before);
            (page.purchases.iter().map(|it| it.sequence).collect::<Vec<_>>(), next)
        };
        // The two openings come first.
        let number = |purchase: usize| purchase as i64 + 3;
        let last = count - 1;
        for index in [0, 1, SUPPLIERS_IN_TURN, SUPPLIERS_IN_TURN + 1, last - 1, last] {
            for words in [format!("{index:05} forn"), format!("LOTE-{index:05}")] {
                assert_eq!(numbers(&words, 9).await, (vec![number(index)], None), "{words}");
            }
        }
        let newest = (0..9).map(|back| number(last - back)).collect::<Vec<_>>();
        for words in ["fornecedor", "lote", "lote-"] {
            assert_eq!(numbers(words, 9).await, (newest.clone(), Some(newest[8])), "{words}");
        }
        // An undone purchase is not shown, and the page goes on after it.
        let request = UndoRequest { is_single: true, ..undo(newest[0]) };
        session.undo(request).await.unwrap();
        assert_eq!(numbers("lote", 9).await, (newest[1..].to_vec(), Some(newest[8])));
    }
}
