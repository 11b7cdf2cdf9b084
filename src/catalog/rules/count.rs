//! The rules of `CountStock`: several counted stocks, all or none.

use std::collections::HashSet;

use crate::catalog::adjustment::Adjustment;
use crate::catalog::author::Author;
use crate::catalog::cost::STOCK_COST_CENTAVOS_MAX;
use crate::catalog::details::{Details, Note};
use crate::catalog::digest::Digest;
use crate::catalog::draft::Draft;
use crate::catalog::movement::{Kind, Movement};
use crate::catalog::product::{FRACTIONS, ProductId, Unit};
use crate::catalog::quantity::Quantity;
use crate::catalog::quoted::Quoted;
use crate::catalog::rules::cost::{Costed, Costing, Stock};

/// Most products in one count: a wall of shelves, written in a few milliseconds.
pub const COUNT_LINES_MAX: usize = 1000;

/// A stock that was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockCount {
    /// The product that was counted.
    pub product: ProductId,
    /// The quantity that was counted.
    pub counted: Quantity,
    /// The unit in which it was counted, if that was said.
    pub unit: Option<Unit>,
    /// The stock in the ledger at the moment of the count; `None` if that moment is now.
    pub stock_then: Option<Quantity>,
    /// The corrections of counts and of their undos since that moment, in thousandths.
    pub corrected_since: i64,
}

/// Why a count is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CountError {
    /// A counted quantity below zero.
    #[error("quantidade inválida: a contagem de {} não pode ser negativa", Quoted(.name))]
    Negative { name: String },
    /// A fraction that the unit does not have.
    #[error("quantidade inválida: {counted} de {} ({FRACTIONS}; este é vendido por {unit})", Quoted(.name))]
    Fraction { name: String, unit: Unit, counted: Quantity },
    /// A quantity in another unit than the product's.
    #[error("{} se conta em {unit}, e não em {counted_in}", Quoted(.name))]
    OtherUnit { name: String, unit: Unit, counted_in: Unit },
    /// A second count of one product.
    #[error("{} aparece duas vezes na contagem", Quoted(.name))]
    Repeated { name: String },
    /// The difference would take the present stock below zero.
    #[error("a contagem tira {missing} {unit} de {}, e agora há só {available}", Quoted(.name))]
    Insufficient { name: String, unit: Unit, available: Quantity, missing: Quantity },
    /// The cost of the stock would pass its limit.
    #[error("o custo do estoque de {} passaria do limite de {} centavos", Quoted(.name), STOCK_COST_CENTAVOS_MAX)]
    CostTooLarge { name: String },
    /// The balance would pass [`Quantity::MAX`].
    #[error("o estoque de {} passaria do limite de {} {unit}", Quoted(.name), Quantity::MAX)]
    BalanceTooLarge { name: String, unit: Unit },
}

/// The change that a count leads to, with the stock after the change.
struct Booked {
    product: ProductId,
    delta: Quantity,
    stock: Quantity,
    cost: Costed,
}

/// The digest of a count, from the product, the quantity and the moment of each line.
pub fn count_digest(lines: impl Iterator<Item = (ProductId, Quantity, i64)>, note: Option<&Note>) -> u64 {
    let mut digest = Digest::of("contagem");
    for (product, counted, at_sequence) in lines {
        digest.feed(&product.number().to_le_bytes());
        digest.feed(&counted.thousandths().to_le_bytes());
        digest.feed(&at_sequence.to_le_bytes());
    }
    digest.feed_note(note);
    digest.value()
}

impl Draft<'_> {
    /// Corrects stocks by counts: adds to each the counted quantity less the stock at the moment of the
    /// count, so that sales since then are kept. What other counts have corrected since was so at that
    /// moment already, and is not corrected twice. Returns a movement for each count, or `None` for a
    /// count without a difference.
    ///
    /// # Errors
    /// If a count breaks a rule: the index of the first that does, and the rule. The draft is then
    /// unchanged.
    pub fn count(
        &mut self,
        counts: &[StockCount],
        author: Option<&Author>,
        note: Option<&Note>,
    ) -> Result<Vec<Option<Movement>>, (usize, CountError)> {
        let mut seen = HashSet::with_capacity(counts.len());
        let mut changes = Vec::with_capacity(counts.len());
        for (index, count) in counts.iter().enumerate() {
            let is_first = seen.insert(count.product);
            changes.push(self.check_count(count, is_first).map_err(|error| (index, error))?);
        }
        let first_sequence = self.next_sequence();
        let movements = changes.into_iter().map(|change| {
            let Booked { product, delta, stock, cost } = change?;
            let (author, details) = (author.cloned(), Details::of_note(note));
            let adjustment = Adjustment {
                product,
                delta,
                kind: Kind::Count,
                request_id: None,
                author,
                details,
                label: None,
            };
            let terms = self.terms(product);
            let (before, price) = (self.balance(terms), terms.price);
            Some(self.record(&adjustment, before, stock, price, cost).clone())
        });
        let movements = movements.collect();
        self.note_document(first_sequence);
        Ok(movements)
    }

    /// The change that a count leads to; `None` without a difference.
    fn check_count(&self, count: &StockCount, is_first: bool) -> Result<Option<Booked>, CountError> {
        let StockCount { product, counted, stock_then, corrected_since, .. } = *count;
        let terms = self.terms(product);
        let (name, unit) = (|| terms.name.to_string(), || terms.unit.clone());
        if !is_first {
            return Err(CountError::Repeated { name: name() });
        }
        if counted < Quantity::ZERO {
            return Err(CountError::Negative { name: name() });
        }
        if let Some(other) = count.unit.as_ref().filter(|other| other.meant() != terms.unit.meant()) {
            return Err(CountError::OtherUnit { name: name(), unit: unit(), counted_in: other.clone() });
        }
        if !terms.unit.can_hold(counted) {
            return Err(CountError::Fraction { name: name(), unit: unit(), counted });
        }
        let before = self.balance(terms);
        let available = before.stock;
        let delta = counted.thousandths() - stock_then.unwrap_or(available).thousandths() - corrected_since;
        if delta == 0 {
            return Ok(None);
        }
        let too_large = |_| CountError::BalanceTooLarge { name: name(), unit: unit() };
        let stock = available.thousandths() + delta;
        if stock < 0 {
            let missing = Quantity::from_thousandths(-delta).map_err(too_large)?;
            return Err(CountError::Insufficient { name: name(), unit: unit(), available, missing });
        }
        let delta = Quantity::from_thousandths(delta).map_err(too_large)?;
        let stock = Quantity::from_thousandths(stock).map_err(too_large)?;
        let cost = Costing::Average.cost(Stock::of(before), delta, stock);
        let cost = cost.ok_or_else(|| CountError::CostTooLarge { name: name() })?;
        Ok(Some(Booked { product, delta, stock, cost }))
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use proptest::prelude::*;

    use super::*;
    use crate::catalog::transaction::Document;
    use crate::catalog::{Catalog, original_products};

    fn shop() -> Catalog {
        let mut catalog = Catalog::default();
        let mut draft = Draft::new(&catalog, SystemTime::UNIX_EPOCH);
        draft.import(&original_products(), None).unwrap();
        let transaction = draft.finish();
        catalog.apply(&transaction);
        catalog
    }

    fn count(catalog: &Catalog, name: &str, counted: &str, stock_then: Option<i32>) -> StockCount {
        StockCount {
            product: catalog.find(name).unwrap().id,
            counted: counted.parse().unwrap(),
            unit: None,
            stock_then: stock_then.map(Quantity::from_units),
            corrected_since: 0,
        }
    }

    #[test]
    fn a_count_books_what_differs_and_keeps_what_was_sold_since() {
        let catalog = shop();
        let mut draft = Draft::new(&catalog, SystemTime::UNIX_EPOCH);
        let counts = [
            count(&catalog, "caju", "57", None),
            count(&catalog, "maca", "20", None),
            count(&catalog, "pera", "18", Some(17)),
            count(&catalog, "banana", "40", Some(40)),
        ];
        let movements = draft.count(&counts, None, None).unwrap();
        let booked: Vec<Option<(i64, String, String)>> = movements
            .iter()
            .map(|movement| movement.as_ref())
            .map(|movement| movement.map(|it| (it.sequence, it.delta.to_string(), it.balance.to_string())))
            .collect();
        assert_eq!(
            booked,
            [Some((5, "-3".into(), "57".into())), None, Some((6, "1".into(), "16".into())), None]
        );
        let transaction = draft.finish();
        assert!(transaction.movements.iter().all(|movement| movement.kind == Kind::Count));
        assert_eq!(transaction.documents, [Document { first_sequence: 5, count: 2 }]);
    }

    #[test]
    fn a_count_is_all_or_nothing() {
        let catalog = shop();
        let mut draft = Draft::new(&catalog, SystemTime::UNIX_EPOCH);
        let good = count(&catalog, "caju", "1", None);
        for (bad, expected) in [
            (count(&catalog, "caju", "2", None), "duas vezes"),
            (count(&catalog, "maca", "-1", None), "negativa"),
            (count(&catalog, "maca", "0.5", None), "frações"),
            (
                StockCount { unit: Unit::parse("kg").ok(), ..count(&catalog, "maca", "2", None) },
                "se conta em un, e não em kg",
            ),
            // The count found ten too few, and nineteen were sold after it.
            (count(&catalog, "pera", "24", Some(40)), "agora há só 15"),
            (count(&catalog, "maca", "1000000000000", Some(1)), "limite"),
        ] {
            let (index, error) = draft.count(&[good.clone(), bad], None, None).unwrap_err();
            assert!(index == 1 && error.to_string().contains(expected), "{error}");
        }
        assert!(draft.finish().is_empty());
    }

    proptest! {
        #[test]
        fn after_a_count_the_stock_is_what_was_counted_less_what_was_sold(
            counted in 0_i32..200, sold in 0_i32..60
        ) {
            let catalog = shop();
            let caju = catalog.find("caju").unwrap().id;
            let mut draft = Draft::new(&catalog, SystemTime::UNIX_EPOCH);
            if sold > 0 {
                let delta = Quantity::from_units(-sold);
                draft.adjust(&Adjustment::new(caju, delta, Kind::Sale)).unwrap();
            }
            let count = count(&catalog, "caju", &counted.to_string(), Some(60));
            let made = draft.count(&[count], None, None);
            prop_assert_eq!(made.is_ok(), counted >= sold);
            let expected = if counted >= sold { counted - sold } else { 60 - sold };
            prop_assert_eq!(draft.product(caju).stock, Quantity::from_units(expected));
        }
    }
}
