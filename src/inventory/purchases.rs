//! The rests of purchases: which expire soon, and who sold what.
//!
//! Neither lots nor expiry are booked when something is sold: what is left of each purchase is computed from
//! the stock (see `catalog::left_of_each`).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, RwLock};
use std::time::SystemTime;

use jiff::civil::Date;

use super::{Session, read};
use crate::catalog::{
    Amount, Catalog, Cost, Key, Name, Price, ProductId, Quantity, StockCost, Unit, left_of_each,
};
use crate::local_time::Days;
use crate::operation::{ExpiringRequest, ExpiringStock, TraceReply, TraceRequest, TracedPurchase};
use crate::refusal::{Code, Refusal};
use crate::store::{Ledger, PurchaseQuery, PurchaseRow, StoreError};

/// The products whose purchases are read in one turn, some milliseconds.
const PRODUCTS_IN_TURN: i64 = 64;

/// The purchases that are read in one turn.
const PURCHASES_IN_TURN: usize = 2048;

/// The most rows of expiring stock in a reply: a row for each product of a large shop.
const EXPIRING_MAX: usize = 10_000;

/// A product as it is when its purchases are looked at.
struct Stocked {
    name: Name,
    unit: Unit,
    price: Price,
    stock: Quantity,
    stock_cost: StockCost,
    shelf_life_days: u32,
}

impl Stocked {
    fn of(catalog: &RwLock<Catalog>, id: ProductId) -> Option<Self> {
        let catalog = read(catalog);
        let product = catalog.products().get(id)?;
        let view = catalog.products().view(product);
        Some(Self {
            name: view.name.clone(),
            unit: view.unit.clone(),
            price: view.price,
            stock: view.stock,
            stock_cost: view.stock_cost,
            shelf_life_days: view.terms.shelf_life_days,
        })
    }

    /// The last day on which a purchase can be sold, if that is known.
    fn expiry(&self, row: &PurchaseRow, days: &Days) -> Option<Date> {
        let from_shelf_life = || {
            let days_kept = i64::from(self.shelf_life_days);
            let kept = jiff::Span::new().try_days(days_kept).ok().filter(|_| days_kept > 0)?;
            days.date_of(row.recorded_at).checked_add(kept).ok()
        };
        row.purchase.expires_on.or_else(from_shelf_life)
    }

    /// The purchases of the product, newest first, each with its expiry and what is left of it.
    fn purchases(
        &self,
        ledger: &dyn Ledger,
        id: ProductId,
        through: i64,
        days: &Days,
    ) -> Result<Vec<(PurchaseRow, Option<Date>, Quantity)>, StoreError> {
        let query = PurchaseQuery { product: Some(id), start: through, through, count_max: None };
        let rows = ledger.purchases(&query)?;
        let of_each: Vec<(Quantity, Option<Date>)> =
            rows.iter().rev().map(|row| (row.bought, self.expiry(row, days))).collect();
        let left = left_of_each(self.stock, &of_each);
        let rest = of_each.into_iter().zip(left).rev();
        Ok(rows.into_iter().zip(rest).map(|(row, ((_, expiry), left))| (row, expiry, left)).collect())
    }
}

impl Session {
    /// The rests of the purchases that expire up to a day, the first to expire first.
    ///
    /// # Errors
    /// If there is no such time zone, the reply would be too long, or the store cannot be read.
    pub(super) async fn expiring(&self, request: ExpiringRequest<'_>) -> Result<Vec<ExpiringStock>, Refusal> {
        self.expiring_at(SystemTime::now(), request).await
    }

    async fn expiring_at(
        &self,
        now: SystemTime,
        request: ExpiringRequest<'_>,
    ) -> Result<Vec<ExpiringStock>, Refusal> {
        self.note_read();
        let days =
            Days::of_zone(request.time_zone).ok_or_else(|| Refusal::no_time_zone(request.time_zone))?;
        let today = days.date_of(now);
        let last_day = jiff::Span::new()
            .try_days(i64::from(request.days))
            .ok()
            .and_then(|ahead| today.checked_add(ahead).ok())
            .unwrap_or(Date::MAX);
        let through = self.inventory.last_sequence();
        let product_count = read(&self.inventory.catalog).products().len() as i64;
        let mut found: Vec<ExpiringStock> = Vec::new();
        let mut first = 1;
        while first <= product_count {
            let catalog = Arc::clone(&self.inventory.catalog);
            let days = days.clone();
            let ids = first..(first + PRODUCTS_IN_TURN).min(product_count + 1);
            first = ids.end;
            let reading = self.inventory.ledger.read(move |ledger| {
                for id in ids.filter_map(ProductId::from_number) {
                    let Some(product) = Stocked::of(&catalog, id).filter(|it| it.stock > Quantity::ZERO)
                    else {
                        continue;
                    };
                    let purchases = product.purchases(ledger, id, through, &days)?;
                    let expiring = purchases.into_iter().filter_map(|(row, expires_on, left)| {
                        let expires_on = expires_on.filter(|day| *day <= last_day)?;
                        (left > Quantity::ZERO).then(|| product.expiring(row, expires_on, left, today))
                    });
                    found.extend(expiring);
                }
                Ok(found)
            });
            found = reading.await?;
            if found.len() > EXPIRING_MAX {
                let what = format!(
                    "mais de {EXPIRING_MAX} compras vencem nesse prazo. Nada foi alterado; peça menos dias."
                );
                return Err(Refusal::new(Code::ResourceExhausted, what));
            }
        }
        found.sort_by_key(|row| (row.expires_on, row.sequence));
        Ok(found)
    }

    /// The purchases from a supplier, or of a lot, with what is left of each.
    ///
    /// # Errors
    /// If no words are given, or the store cannot be read.
    pub(super) async fn trace(&self, request: TraceRequest<'_>) -> Result<TraceReply, Refusal> {
        self.note_read();
        let words = Key::fold(request.words);
        let words: Vec<String> = words.as_str().split_whitespace().map(str::to_owned).collect();
        if words.is_empty() {
            return Err(Refusal::invalid("words", "diga o fornecedor ou o lote que procura"));
        }
        let through = self.inventory.last_sequence();
        let mut start = request.before.map_or(through, |before| before.saturating_sub(1)).min(through);
        let mut matching: Vec<PurchaseRow> = Vec::new();
        let mut has_more = true;
        while has_more && matching.len() <= request.count_max {
            let words = words.clone();
            let query = PurchaseQuery { product: None, start, through, count_max: Some(PURCHASES_IN_TURN) };
            let reading = self.inventory.ledger.read(move |ledger| {
                let rows = ledger.purchases(&query)?;
                let next = rows.last().map_or(0, |row| row.sequence - 1);
                let has_more = rows.len() == PURCHASES_IN_TURN;
                let matching: Vec<PurchaseRow> = rows.into_iter().filter(|row| is_of(row, &words)).collect();
                Ok((matching, next, has_more))
            });
            let found;
            (found, start, has_more) = reading.await?;
            matching.extend(found);
        }
        matching.truncate(request.count_max + 1);
        let next = if matching.len() > request.count_max {
            matching.pop();
            matching.last().map(|row| row.sequence)
        } else {
            None
        };
        let catalog = Arc::clone(&self.inventory.catalog);
        let days = Days::here();
        let mut left_of: HashMap<ProductId, Option<Traced>> = HashMap::new();
        let mut purchases = Vec::with_capacity(matching.len());
        for row in matching {
            let (catalog, days) = (Arc::clone(&catalog), days.clone());
            let reading = self.inventory.ledger.read(move |ledger| {
                if let Entry::Vacant(place) = left_of.entry(row.product) {
                    place.insert(Traced::read(ledger, &catalog, row.product, through, &days)?);
                }
                let movement = ledger.row(row.sequence, through)?.map(|row| row.movement);
                Ok((left_of, row, movement))
            });
            let (read, row, movement) = reading.await?;
            left_of = read;
            let (Some(Some(product)), Some(movement)) = (left_of.get(&row.product), movement) else {
                continue;
            };
            let (expires_on, left) = product.of_each.get(&row.sequence).copied().unwrap_or_default();
            purchases.push(TracedPurchase {
                sequence: row.sequence,
                name: product.name.clone(),
                unit: product.unit.clone(),
                bought_at: row.recorded_at,
                purchase: row.purchase,
                expires_on,
                bought: row.bought,
                amount: movement.amount(),
                left,
                author: movement.author,
            });
        }
        Ok(TraceReply { purchases, next })
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

impl Stocked {
    fn expiring(&self, row: PurchaseRow, expires_on: Date, left: Quantity, today: Date) -> ExpiringStock {
        let part = |centavos: i64| {
            let exact = i128::from(centavos) * i128::from(left.thousandths());
            let stock = i128::from(self.stock.thousandths());
            i64::try_from((2 * exact + stock) / (2 * stock)).map(Cost::from_centavos).ok()
        };
        ExpiringStock {
            name: self.name.clone(),
            unit: self.unit.clone(),
            sequence: row.sequence,
            bought_at: row.recorded_at,
            purchase: row.purchase,
            expires_on,
            days_left: (expires_on - today).get_days(),
            left,
            cost: self.stock_cost.centavos().and_then(part),
            amount: Amount::of(self.price, left),
        }
    }
}

/// Whether all words begin a word of the supplier, or of the lot.
fn is_of(row: &PurchaseRow, words: &[String]) -> bool {
    let has_all = |text: &str| {
        let key = Key::fold(text);
        words.iter().all(|word| key.as_str().split_whitespace().any(|own| own.starts_with(word.as_str())))
    };
    let purchase = &row.purchase;
    purchase.supplier.as_ref().is_some_and(|supplier| has_all(supplier.as_str()))
        || purchase.lot.as_ref().is_some_and(|lot| has_all(lot.as_str()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, open, undo};
    use super::*;
    use crate::catalog::{Details, ProductDraft, Purchase, TermsDraft};
    use crate::store::sqlite::SqliteStore;

    async fn shop() -> (Session, impl Sized) {
        let product = |name: &str, shelf_life_days| ProductDraft {
            name: Name::parse(name).unwrap(),
            price: Price::from_centavos(500).unwrap(),
            unit: Some(Unit::parse("kg").unwrap()),
            opening_stock: Quantity::ZERO,
            terms: TermsDraft { shelf_life_days, ..TermsDraft::default() },
        };
        let products = [product("Banana", Some(3)), product("Uva", None)];
        let (session, committer) = open(SqliteStore::in_memory().unwrap(), &products);
        (session, committer)
    }

    /// Buys, and returns the time of the purchase.
    async fn buy(
        session: &Session,
        line: &str,
        supplier: &str,
        lot: &str,
        expires_on: Option<Date>,
    ) -> SystemTime {
        let mut request = asked(line);
        let purchase = Purchase { supplier: supplier.parse().ok(), lot: lot.parse().ok(), expires_on };
        let before = request.details.map_or_else(Details::default, |details| *details);
        request.details = Details { purchase: Some(purchase), ..before }.boxed();
        session.adjust(request).await.unwrap().movement.recorded_at
    }

    fn in_days(now: SystemTime, ahead: i64) -> Date {
        let today = Days::of_zone("UTC").unwrap().date_of(now);
        today.checked_add(jiff::Span::new().days(ahead)).unwrap()
    }

    #[tokio::test]
    async fn the_rest_of_a_purchase_expires() {
        let (session, _committer) = shop().await;
        // Bananas keep three days, unless a purchase says another day. Today is the day of the first one.
        let now = buy(&session, "Banana 10 motivo=compra total=20,00", "Zé", "", None).await;
        buy(&session, "Banana 10 motivo=compra total=40,00", "Zé", "L1", Some(in_days(now, 1))).await;
        buy(&session, "Uva 10 motivo=compra", "Zé", "", Some(in_days(now, -1))).await;
        session.adjust(asked("Banana -5 motivo=venda")).await.unwrap();
        let expiring = async |ahead| {
            let request = ExpiringRequest { days: ahead, time_zone: "UTC" };
            let found = session.expiring_at(now, request).await.unwrap();
            let row = |it: &ExpiringStock| {
                (
                    it.sequence,
                    it.days_left,
                    it.left.to_string(),
                    it.cost.map(Cost::centavos),
                    it.amount.centavos(),
                )
            };
            found.iter().map(row).collect::<Vec<_>>()
        };
        let (uva, first, second) = (
            (5, -1, "10".to_owned(), None, 5000),
            (3, 3, "10".to_owned(), Some(3000), 5000),
            (4, 1, "5".to_owned(), Some(1500), 2500),
        );
        assert_eq!(expiring(0).await, std::slice::from_ref(&uva));
        assert_eq!(expiring(2).await, [uva.clone(), second.clone()]);
        assert_eq!(expiring(3).await, [uva, second.clone(), first.clone()]);
        // An undone purchase has no rest, and the stock is of the other.
        session.adjust(asked("Uva -10 motivo=venda")).await.unwrap();
        session.undo(undo(3)).await.unwrap();
        assert_eq!(
            expiring(9).await.iter().map(|row| (row.0, row.2.clone())).collect::<Vec<_>>(),
            [(4, "5".to_owned())]
        );
        let request = ExpiringRequest { days: 1, time_zone: "Lua/Cratera" };
        assert_eq!(session.expiring(request).await.unwrap_err().code, Code::InvalidArgument);
    }

    #[tokio::test]
    async fn purchases_are_traced_by_words_of_the_supplier_or_the_lot() {
        let (session, _committer) = shop().await;
        let now = buy(&session, "Banana 10 motivo=compra total=20,00", "Sítio do Zé", "", None).await;
        buy(&session, "Uva 4 motivo=compra total=8,00", "CEAGESP", "Zé-7", Some(in_days(now, 5))).await;
        buy(&session, "Uva 6 motivo=compra", "sitio  do ze", "A 9", None).await;
        session.adjust(asked("Uva -7 motivo=venda")).await.unwrap();
        let trace = async |words: &str, before, count_max| {
            let page = session.trace(TraceRequest { words, before, count_max }).await.unwrap();
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
        assert_eq!(first, (vec![undated], Some(5)));
        assert_eq!(trace("sitio", first.1, 1).await, (vec![banana], None));
        let none = TraceRequest { words: " ", before: None, count_max: 9 };
        assert_eq!(session.trace(none).await.unwrap_err().code, Code::InvalidArgument);
    }
}
