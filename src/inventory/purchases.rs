//! The rests of purchases, and which of them expire soon.
//!
//! Neither lots nor expiry are booked when something is sold: what is left of each purchase is computed from
//! the stock (see `catalog::left_of_each`).

use std::collections::BTreeSet;
use std::sync::{Arc, RwLock};
use std::time::SystemTime;

use jiff::civil::Date;

use super::{Session, read};
use crate::catalog::{
    Amount, Catalog, Cost, Name, Price, ProductId, Quantity, StockCost, Unit, left_of_each,
};
use crate::local_time::Days;
use crate::operation::{EXPIRING_DAYS_MAX, ExpiringRequest, ExpiringStock};
use crate::refusal::{Code, Refusal};
use crate::store::{Ledger, PurchaseQuery, PurchaseRow, StoreError};

/// The products whose purchases are read in one turn, some milliseconds.
const PRODUCTS_IN_TURN: usize = 64;

/// The purchases whose expiries are read in one turn, some milliseconds.
const EXPIRIES_IN_TURN: usize = 8192;

/// The products that are looked at under one lock of the catalog.
const PRODUCTS_AT_ONCE: usize = 512;

/// The most rows of expiring stock in a reply: a row for each product of a large shop.
const EXPIRING_MAX: usize = 10_000;

/// A product as it is when its purchases are looked at.
pub(super) struct Stocked {
    pub(super) name: Name,
    pub(super) unit: Unit,
    price: Price,
    stock: Quantity,
    stock_cost: StockCost,
    shelf_life_days: u32,
}

impl Stocked {
    pub(super) fn of(catalog: &RwLock<Catalog>, id: ProductId) -> Option<Self> {
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
    pub(super) fn purchases(
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
    /// If the days are too many, there is no such time zone, the reply would be too long, or the store cannot be
    /// read.
    pub(super) async fn expiring(&self, request: ExpiringRequest<'_>) -> Result<Vec<ExpiringStock>, Refusal> {
        self.expiring_at(SystemTime::now(), request).await
    }

    async fn expiring_at(
        &self,
        now: SystemTime,
        request: ExpiringRequest<'_>,
    ) -> Result<Vec<ExpiringStock>, Refusal> {
        self.note_read();
        if request.days > EXPIRING_DAYS_MAX {
            return Err(Refusal::days(EXPIRING_DAYS_MAX));
        }
        let days =
            Days::of_zone(request.time_zone).ok_or_else(|| Refusal::no_time_zone(request.time_zone))?;
        let today = days.date_of(now);
        let last_day = jiff::Span::new()
            .try_days(i64::from(request.days))
            .ok()
            .and_then(|ahead| today.checked_add(ahead).ok())
            .unwrap_or(Date::MAX);
        let through = self.through().await?;
        let dated = self.expiring_products(through, last_day).await?;
        let mut found: Vec<ExpiringStock> = Vec::new();
        for ids in dated.chunks(PRODUCTS_IN_TURN) {
            let (catalog, days, ids) = (Arc::clone(&self.inventory.catalog), days.clone(), ids.to_vec());
            let reading = self.inventory.ledger.read(move |ledger| {
                for id in ids {
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

    /// The products with a purchase that may expire up to a day: those with a shelf life, and those with a
    /// purchase that names its last day. Of all others no purchase is read.
    async fn expiring_products(&self, through: i64, last_day: Date) -> Result<Vec<ProductId>, Refusal> {
        let catalog = Arc::clone(&self.inventory.catalog);
        let looking = self.inventory.ledger.read(move |_| Ok(with_shelf_life(&catalog)));
        let mut products = looking.await?;
        let mut first = 1;
        while first <= through {
            let reading = self.inventory.ledger.read(move |ledger| {
                let expiries = ledger.expiries(first..=through, EXPIRIES_IN_TURN)?;
                let next = expiries.last().filter(|_| expiries.len() == EXPIRIES_IN_TURN);
                let next = next.map_or(through + 1, |last| last.sequence + 1);
                let dated = expiries.iter().filter(|expiry| expiry.expires_on <= last_day);
                products.extend(dated.map(|expiry| expiry.product));
                Ok((products, next))
            });
            (products, first) = reading.await?;
        }
        Ok(products.into_iter().collect())
    }
}

/// The products with a shelf life.
fn with_shelf_life(catalog: &RwLock<Catalog>) -> BTreeSet<ProductId> {
    let mut found = BTreeSet::new();
    let (mut first, mut count) = (1, 1);
    while first <= count {
        // One hold of the catalog after the other looks at all products.
        let catalog = read(catalog);
        let products = catalog.products();
        count = products.len();
        let numbers = first..=count.min(first + PRODUCTS_AT_ONCE - 1);
        first = numbers.end() + 1;
        let ids = numbers.filter_map(|number| ProductId::from_number(number as i64));
        found.extend(ids.filter(|id| {
            products.get(*id).is_some_and(|product| products.view(product).terms.shelf_life_days > 0)
        }));
    }
    found
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

#[cfg(test)]
pub(super) mod testing {
    use super::super::testing::{asked, open};
    use super::*;
    use crate::catalog::{Details, ProductDraft, Purchase, TermsDraft};
    use crate::store::sqlite::SqliteStore;

    /// A shop with bananas, which keep three days, and grapes.
    pub(in crate::inventory) async fn shop() -> (Session, impl Sized) {
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
    pub(in crate::inventory) async fn buy(
        session: &Session,
        line: &str,
        supplier: &str,
        lot: &str,
        expires_on: Option<Date>,
    ) -> SystemTime {
        let mut request = asked(line);
        let purchase = Purchase {
            supplier: supplier.parse().ok(),
            lot: lot.parse().ok(),
            expires_on,
            ..Purchase::default()
        };
        let before = request.details.map_or_else(Details::default, |details| *details);
        request.details = Details { purchase: Some(purchase), ..before }.boxed();
        session.adjust(request).await.unwrap().movement.recorded_at
    }

    /// The day so many days after a moment.
    pub(in crate::inventory) fn in_days(now: SystemTime, ahead: i64) -> Date {
        let today = Days::of_zone("UTC").unwrap().date_of(now);
        today.checked_add(jiff::Span::new().days(ahead)).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, undo};
    use super::testing::{buy, in_days, shop};
    use super::*;

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
}
