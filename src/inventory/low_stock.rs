//! Products that run out, and what to buy.

use std::sync::{Arc, RwLock};
use std::time::{Duration, SystemTime};

use super::recent_sales::Sums;
use super::{Session, read};
use crate::catalog::{Catalog, ProductId, ProductView, Quantity};
use crate::operation::phrase::Measure;
use crate::operation::{Basis, LowStock, LowStockRequest, SALES_DAYS, STOCKED_DAYS_MAX};
use crate::refusal::{Code, Refusal};
use crate::store::{Ledger, PurchaseQuery, StoreError};

/// The products that are looked at under one lock of the catalog.
const PRODUCTS_AT_ONCE: usize = 512;

/// The most products in a reply.
const LOW_MAX: usize = 10_000;

/// The low products whose last purchases are read in one turn.
const BOXES_IN_TURN: usize = 128;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Session {
    /// The products below their minimum, without stock, or with less than they sell in the days asked for.
    ///
    /// # Errors
    /// If the days or the products are too many, or the store cannot be read.
    pub(super) async fn low_stock(&self, request: LowStockRequest) -> Result<Vec<LowStock>, Refusal> {
        self.note_read();
        if request.days > STOCKED_DAYS_MAX {
            return Err(Refusal::days(STOCKED_DAYS_MAX));
        }
        let through = self.through().await?;
        let sales = match request.days {
            0 => None,
            _ => Some(self.recent_sales(through).await?),
        };
        let catalog = Arc::clone(&self.inventory.catalog);
        let days = i64::from(request.days);
        let looking = self.inventory.ledger.read(move |_| Ok(low_products(&catalog, sales.as_ref(), days)));
        let mut low = looking.await?;
        if low.len() > LOW_MAX {
            let what = format!(
                "há {} produtos em falta, e o limite é de {LOW_MAX}. Nada foi alterado; dê um mínimo aos que \
                 importam e aposente os que não se vendem mais.",
                low.len()
            );
            return Err(Refusal::new(Code::ResourceExhausted, what));
        }
        for from in (0..low.len()).step_by(BOXES_IN_TURN) {
            let reading = self.inventory.ledger.read(move |ledger| {
                let to = low.len().min(from + BOXES_IN_TURN);
                for (id, row) in &mut low[from..to] {
                    row.box_size = box_size(ledger, *id, through)?;
                    row.to_buy = in_boxes(row.to_buy, row.box_size);
                }
                Ok(low)
            });
            low = reading.await?;
        }
        Ok(low.into_iter().map(|(_, row)| row).collect())
    }

    /// The sales of each product in the last days, without what was undone.
    async fn recent_sales(&self, through: i64) -> Result<Sales, Refusal> {
        let since = SystemTime::now() - SALES_DAYS * DAY;
        let beginning = self.inventory.ledger.read(move |ledger| {
            let first = ledger.row(1, through)?.map(|row| row.movement.recorded_at);
            Ok((ledger.first_since(since, through)?, first))
        });
        let (from, first) = beginning.await?;
        let (inventory, days) = (&self.inventory, days_since(first));
        Ok(Sales { sold: inventory.recent_sales.since(from, through, &inventory.ledger).await?, days })
    }
}

/// The days of which the sales are: [`SALES_DAYS`], or the age of a younger ledger.
fn days_since(first: Option<SystemTime>) -> i64 {
    let age = first.and_then(|first| SystemTime::now().duration_since(first).ok()).unwrap_or_default();
    let days = age.as_secs().div_ceil(DAY.as_secs()).clamp(1, SALES_DAYS.into());
    days.cast_signed()
}

/// The sales of each product in so many days.
struct Sales {
    sold: Arc<Sums>,
    days: i64,
}

impl Sales {
    fn of(&self, id: ProductId) -> i64 {
        self.sold.of(id)
    }

    /// The mean of a day, half a thousandth up.
    fn daily(&self, id: ProductId) -> Quantity {
        let mean = (2 * i128::from(self.of(id)) + i128::from(self.days)) / (2 * i128::from(self.days));
        i64::try_from(mean)
            .ok()
            .and_then(|mean| Quantity::from_thousandths(mean).ok())
            .unwrap_or(Quantity::MAX)
    }

    /// The sales of so many days, a thousandth up.
    fn of_days(&self, id: ProductId, days: i64) -> i64 {
        let sold = i128::from(self.of(id)) * i128::from(days);
        let needed = (sold + i128::from(self.days) - 1) / i128::from(self.days);
        i64::try_from(needed).map_or(Quantity::MAX.thousandths(), |it| it.min(Quantity::MAX.thousandths()))
    }
}

fn low_products(catalog: &RwLock<Catalog>, sales: Option<&Sales>, days: i64) -> Vec<(ProductId, LowStock)> {
    let mut low = Vec::new();
    let mut first = 0;
    loop {
        let catalog = read(catalog);
        let products = catalog.products();
        let end = products.len().min(first + PRODUCTS_AT_ONCE);
        for number in first + 1..=end {
            let Some(product) = ProductId::from_number(number as i64).and_then(|id| products.get(id)) else {
                continue;
            };
            let view = products.view(product);
            if !view.flags.is_discontinued() {
                low.extend(low_product(view, sales, days).map(|row| (view.id, row)));
            }
        }
        first = end;
        // One hold of the catalog after the other looks at all products.
        if end == products.len() {
            return low;
        }
    }
}

/// The row of a product, if it is low.
fn low_product(view: ProductView<'_>, sales: Option<&Sales>, days: i64) -> Option<LowStock> {
    let stock = view.stock.thousandths();
    let (minimum, target) = (view.terms.minimum, view.terms.target);
    let needed = sales.map_or(0, |sales| sales.of_days(view.id, days));
    let is_low = view.is_low() || view.stock == Quantity::ZERO || stock < needed;
    let (basis, wanted) = match sales {
        Some(_) if needed > 0 => (Basis::Sales, needed.max(minimum.thousandths())),
        _ if target > Quantity::ZERO => (Basis::Target, target.thousandths()),
        _ if minimum > Quantity::ZERO => (Basis::Minimum, minimum.thousandths()),
        _ => (Basis::None, 0),
    };
    is_low.then(|| {
        let missing = (wanted - stock).max(0);
        // A product is bought in parts of its unit that there are.
        let step = view.unit.step_thousandths();
        let to_buy = (missing + step - 1) / step * step;
        LowStock {
            name: view.name.clone(),
            unit: view.unit.clone(),
            stock: view.stock,
            minimum,
            target,
            daily_sales: sales.map(|sales| sales.daily(view.id)),
            basis,
            to_buy: Quantity::from_thousandths(to_buy).unwrap_or(Quantity::MAX),
            box_size: Quantity::ZERO,
        }
    })
}

/// The content of a box of a product, by the note of its last purchase, such as `20cx=440kg`; zero without one. One
/// purchase alone is read: the report may have ten thousand products.
fn box_size(ledger: &dyn Ledger, id: ProductId, through: i64) -> Result<Quantity, StoreError> {
    let query = PurchaseQuery { product: Some(id), start: through, through, count_max: Some(1) };
    let Some(last) = ledger.purchases(&query)?.pop() else { return Ok(Quantity::ZERO) };
    let details = ledger.row(last.sequence, through)?.and_then(|row| row.movement.details);
    let measure = details.and_then(|details| Measure::of_note(details.note.as_ref()?));
    Ok(measure.and_then(|measure| measure.box_size()).unwrap_or(Quantity::ZERO))
}

/// A quantity, rounded up to whole boxes if it is known what a box holds.
fn in_boxes(quantity: Quantity, box_size: Quantity) -> Quantity {
    let size = box_size.thousandths();
    if size <= 0 {
        return quantity;
    }
    let boxes = (quantity.thousandths() + size - 1) / size;
    Quantity::from_thousandths(boxes.saturating_mul(size)).unwrap_or(quantity)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, open, undo};
    use super::*;
    use crate::catalog::{Details, Name, Price, ProductDraft, TermsDraft, Unit};
    use crate::store::sqlite::SqliteStore;

    fn product(name: &str, unit: &str, stock: i32, minimum: i32, target: i32) -> ProductDraft {
        let quantity = |units: i32| (units > 0).then(|| Quantity::from_units(units));
        ProductDraft {
            name: Name::parse(name).unwrap(),
            price: Price::from_centavos(100).unwrap(),
            unit: Some(Unit::parse(unit).unwrap()),
            opening_stock: Quantity::from_units(stock),
            terms: TermsDraft {
                minimum: quantity(minimum),
                target: quantity(target),
                ..TermsDraft::default()
            },
        }
    }

    /// The rows: name, what to buy, what a box holds.
    fn shown(low: &[LowStock]) -> Vec<(&str, Basis, String, String)> {
        let row = |it: &'_ LowStock| (it.basis, it.to_buy.to_string(), it.box_size.to_string());
        low.iter()
            .map(|it| {
                let (basis, to_buy, box_size) = row(it);
                (it.name.as_str(), basis, to_buy, box_size)
            })
            .collect()
    }

    fn row<'n>(
        name: &'n str,
        basis: Basis,
        to_buy: &str,
        box_size: &str,
    ) -> (&'n str, Basis, String, String) {
        (name, basis, to_buy.to_owned(), box_size.to_owned())
    }

    #[tokio::test]
    async fn what_runs_out_is_listed_with_what_to_buy() {
        let store = SqliteStore::in_memory().unwrap();
        let products = [
            product("Banana", "kg", 5, 60, 100),
            product("Caju", "un", 0, 0, 0),
            product("Maca", "un", 2, 3, 0),
            product("Pera", "un", 3, 3, 0),
            product("Uva", "kg", 100, 0, 0),
        ];
        let (session, _committer) = open(store, &products);
        for (line, note) in [("Banana 44 motivo=compra", Some("2cx=44kg")), ("Uva -10,5 motivo=venda", None)]
        {
            let mut request = asked(line);
            request.details = Details::of_note(note.map(|note| note.parse().unwrap()).as_ref());
            session.adjust(request).await.unwrap();
        }
        // The stock of bananas is 49.
        let low = session.low_stock(LowStockRequest { days: 0 }).await.unwrap();
        let expected = [
            row("Banana", Basis::Target, "66", "22"),
            row("Caju", Basis::None, "0", "0"),
            row("Maca", Basis::Minimum, "1", "0"),
        ];
        assert_eq!(shown(&low), expected);
        // The ledger is of today, so a day sells 10,5 kg.
        let low = session.low_stock(LowStockRequest { days: 10 }).await.unwrap();
        let expected = [&expected[..], &[row("Uva", Basis::Sales, "15.5", "0")]].concat();
        assert_eq!(shown(&low), expected);
        assert_eq!(low[3].daily_sales, Some("10.5".parse().unwrap()));
        // Sales that were undone do not count.
        session.undo(undo(7)).await.unwrap();
        let low = session.low_stock(LowStockRequest { days: 10 }).await.unwrap();
        assert_eq!(shown(&low), expected[..3]);
    }

    #[test]
    fn boxes_are_whole() {
        for (quantity, size, expected) in [
            ("51", "22", "66"),
            ("66", "22", "66"),
            ("0", "22", "0"),
            ("5", "0", "5"),
            ("0.5", "22.5", "22.5"),
        ] {
            let [quantity, size] = [quantity, size].map(|text| text.parse().unwrap());
            assert_eq!(in_boxes(quantity, size).to_string(), expected);
        }
    }
}
