//! The cost of a change, by weighted average and exact to the centavo.
//!
//! The costs of all movements of a product add up to the cost of its stock, and to zero if that is unknown.

use crate::catalog::amount::Amount;
use crate::catalog::balance::Balance;
use crate::catalog::cost::{Cost, StockCost};
use crate::catalog::quantity::Quantity;

/// A stock before a change.
#[derive(Debug, Clone, Copy)]
pub(in crate::catalog) struct Stock {
    pub(in crate::catalog) quantity: Quantity,
    pub(in crate::catalog) cost: StockCost,
}

impl Stock {
    pub(in crate::catalog) fn of(balance: Balance) -> Self {
        Self { quantity: balance.stock, cost: balance.stock_cost }
    }
}

/// The way in which the cost of a change is computed.
#[derive(Debug, Clone, Copy)]
pub(in crate::catalog) enum Costing {
    /// The cost is the weighted average.
    Average,
    /// The added quantity cost this in all.
    Paid(Amount),
    /// The change undoes a movement of this cost.
    Undo(Option<Cost>),
}

/// The cost of a movement, and of the stock after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::catalog) struct Costed {
    pub(in crate::catalog) movement: Option<Cost>,
    pub(in crate::catalog) stock: StockCost,
}

impl Costing {
    /// The costs of a change by `delta`, which leaves this stock. `None` if the stock would cost more than
    /// the highest cost.
    pub(in crate::catalog) fn cost(self, before: Stock, delta: Quantity, after: Quantity) -> Option<Costed> {
        let cost = if delta < Quantity::ZERO {
            self.taken(before, delta, after)
        } else {
            self.brought(before, delta)
        };
        // A cost that does not fit is above the limit.
        let cost = match cost {
            Some(centavos) => Some(Cost::from_centavos(i64::try_from(centavos).ok()?)),
            None => None,
        };
        let is_taken_back = || delta < Quantity::ZERO && matches!(self, Self::Undo(_));
        let stock = before.cost.after(cost, after, is_taken_back)?;
        Some(Costed { movement: cost, stock })
    }

    fn taken(self, before: Stock, delta: Quantity, after: Quantity) -> Option<i128> {
        let value = i128::from(before.cost.centavos()?);
        let taken = match self {
            _ if after == Quantity::ZERO => value,
            Self::Undo(Some(undone)) => i128::from(undone.centavos()).clamp(0, value),
            Self::Average | Self::Paid(_) | Self::Undo(None) => share(value, delta, before.quantity),
        };
        Some(-taken)
    }

    fn brought(self, before: Stock, delta: Quantity) -> Option<i128> {
        let is_empty = before.quantity == Quantity::ZERO;
        let value = before.cost.centavos().map(i128::from);
        match (self, value) {
            (Self::Paid(total), Some(_)) => Some(total.centavos().into()),
            // The stock before, of unknown cost, gets the same cost per unit.
            (Self::Paid(total), None) => {
                let total = i128::from(total.centavos());
                Some(total + share(total, before.quantity, delta))
            }
            (Self::Undo(Some(undone)), Some(_)) => Some((-i128::from(undone.centavos())).max(0)),
            (Self::Average | Self::Undo(None), Some(value)) if !is_empty => {
                Some(share(value, delta, before.quantity))
            }
            (Self::Average | Self::Undo(_), _) => None,
        }
    }
}

/// The share of `value` that `part` of `whole` has, rounded half up.
fn share(value: i128, part: Quantity, whole: Quantity) -> i128 {
    let part = i128::from(part.thousandths().unsigned_abs());
    let whole = i128::from(whole.thousandths().unsigned_abs());
    (2 * value * part + whole).checked_div(2 * whole).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::time::SystemTime;

    use proptest::prelude::*;

    use super::*;
    use crate::catalog::{
        Adjustment, Catalog, Details, Draft, Kind, Movement, ProductId, STOCK_COST_CENTAVOS_MAX, StockCount,
        Undoable, original_products,
    };

    /// A shop with its whole ledger.
    struct Shop {
        catalog: Catalog,
        movements: Vec<Movement>,
        /// The movements that were undone, and by which.
        undone_by: HashMap<i64, i64>,
    }

    /// Something that is done in the shop. The numbers choose among what there is.
    #[derive(Debug, Clone)]
    enum Act {
        /// Changes of stocks, together: product, units, and the total if it is a purchase.
        Change(Vec<(usize, i32, Option<i64>)>),
        Count(usize, i32),
        Undo(usize, bool),
    }

    fn act() -> impl Strategy<Value = Act> {
        let total = prop::option::weighted(0.7, prop_oneof![0_i64..9, 0_i64..100_000]);
        let line = (0_usize..2, (-30_i32..30).prop_filter("a change", |units| *units != 0), total);
        prop_oneof![
            4 => prop::collection::vec(line, 1..4).prop_map(Act::Change),
            1 => (0_usize..2, 0_i32..60).prop_map(|(product, units)| Act::Count(product, units)),
            2 => (any::<usize>(), any::<bool>()).prop_map(|(movement, is_single)| Act::Undo(movement, is_single)),
        ]
    }

    impl Shop {
        fn new() -> Self {
            let mut catalog = Catalog::default();
            let mut draft = Draft::new(&catalog, SystemTime::UNIX_EPOCH);
            draft.import(&original_products()[..2], None).unwrap();
            let opening = draft.finish();
            catalog.apply(&opening);
            Self { catalog, movements: opening.movements, undone_by: HashMap::new() }
        }

        fn product(index: usize) -> ProductId {
            ProductId::from_number(index as i64 + 1).unwrap()
        }

        fn cost(&self, index: usize) -> Option<i64> {
            self.catalog.products().get(Self::product(index)).unwrap().stock_cost.centavos()
        }

        /// Does it if the rules allow that. Returns whether they do.
        fn act(&mut self, act: &Act) -> bool {
            let mut draft = Draft::new(&self.catalog, SystemTime::UNIX_EPOCH);
            let is_done = match act {
                Act::Change(lines) => {
                    let changes: Vec<_> = lines.iter().map(|line| Self::change(*line)).collect();
                    draft.adjust_all(&changes).is_ok()
                }
                Act::Count(product, units) => {
                    let (product, counted) = (Self::product(*product), Quantity::from_units(*units));
                    let count =
                        StockCount { product, counted, unit: None, stock_then: None, corrected_since: 0 };
                    draft.count(&[count], None, None).is_ok()
                }
                Act::Undo(movement, is_single) => {
                    let named = &self.movements[movement % self.movements.len()];
                    let document = self.movements.iter().filter(|other| match is_single {
                        true => other.sequence == named.sequence,
                        // Neighbours stand for a document.
                        false => (other.sequence - named.sequence).abs() < 2,
                    });
                    let undoable = document.map(|movement| Undoable {
                        movement: movement.clone(),
                        undoes: self.undoes(movement.sequence),
                        undone_by: self.undone_by.get(&movement.sequence).copied().unwrap_or(0),
                    });
                    let undoable: Vec<_> = undoable.collect();
                    draft.undo(named.sequence, &undoable, None, None).is_ok()
                }
            };
            let transaction = draft.finish();
            self.catalog.apply(&transaction);
            self.movements.extend(transaction.movements);
            self.undone_by.extend(transaction.undos.iter().map(|undo| (undo.undone, undo.by)));
            is_done
        }

        fn undoes(&self, sequence: i64) -> i64 {
            self.undone_by.iter().find(|(_, by)| **by == sequence).map_or(0, |(undone, _)| *undone)
        }

        fn change((product, units, total): (usize, i32, Option<i64>)) -> Adjustment {
            let delta = Quantity::from_units(units);
            let kind = match (units > 0, total) {
                (true, Some(_)) => Kind::Purchase,
                (true, None) if units.unsigned_abs().is_multiple_of(2) => Kind::Purchase,
                (true, None) => Kind::Adjustment,
                (false, Some(_)) => Kind::Sale,
                (false, None) => Kind::Waste,
            };
            let amount = total.map(|total| Amount::total_from_centavos(total).unwrap());
            let details = Details { amount, ..Details::default() }.boxed();
            Adjustment { details, ..Adjustment::new(Self::product(product), delta, kind) }
        }

        /// Checks that costs and stocks fit each other.
        fn check(&self) {
            for product in self.catalog.products().iter() {
                let own = self.movements.iter().filter(|movement| movement.product == product.id);
                let mut sum = 0;
                let mut replayed = StockCost::ZERO;
                for movement in own {
                    let takes_back =
                        || movement.delta < Quantity::ZERO && self.undoes(movement.sequence) != 0;
                    replayed = replayed.after(movement.cost, movement.balance, takes_back).unwrap();
                    let cost = movement.cost.map_or(0, Cost::centavos);
                    assert!(
                        if movement.delta < Quantity::ZERO { cost <= 0 } else { cost >= 0 },
                        "{movement:?}"
                    );
                    sum += cost;
                    assert_eq!(sum, replayed.centavos().unwrap_or(0), "{movement:?}");
                }
                assert_eq!(replayed, product.stock_cost);
                if product.stock == Quantity::ZERO {
                    assert_eq!(product.stock_cost, StockCost::ZERO);
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 256 } else { 4096 }))]
        #[test]
        fn the_costs_of_all_movements_are_the_value_of_the_stock(acts in prop::collection::vec(act(), 1..40)) {
            let mut shop = Shop::new();
            for act in &acts {
                shop.act(act);
                shop.check();
            }
        }

        #[test]
        fn what_is_sold_unit_by_unit_costs_what_was_paid(total in 0_i64..10_000, units in 1_i32..50) {
            let mut shop = Shop::new();
            assert!(shop.act(&Act::Count(0, 0)));
            assert!(shop.act(&Act::Change(vec![(0, units, Some(total))])));
            let bought = shop.movements.len();
            for _ in 0..units {
                assert!(shop.act(&Act::Change(vec![(0, -1, None)])));
                shop.check();
            }
            let sold: i64 = shop.movements[bought..].iter().map(|sale| sale.cost.unwrap().centavos()).sum();
            prop_assert_eq!((sold, shop.cost(0)), (-total, Some(0)));
        }

        #[test]
        fn a_purchase_that_is_undone_at_once_leaves_the_cost_as_it_was(
            acts in prop::collection::vec(act(), 0..20), units in 1_i32..50, total in 1_i64..100_000
        ) {
            let mut shop = Shop::new();
            for act in &acts {
                shop.act(act);
            }
            let before = shop.cost(0);
            assert!(shop.act(&Act::Change(vec![(0, units, Some(total))])));
            let index = shop.movements.len() - 1;
            assert!(shop.act(&Act::Undo(index, true)));
            // A stock that was given is of unknown cost afterwards, because nothing was paid for it.
            let is_given = before == Some(0) && shop.catalog.products().get(Shop::product(0)).unwrap().stock > Quantity::ZERO;
            prop_assert_eq!(shop.cost(0), if is_given { None } else { before });
        }
    }

    /// The costs of changes one after the other, each with the cost of the stock after it.
    fn costs(changes: &[(i32, Option<i64>)]) -> Vec<(Option<i64>, Option<i64>)> {
        let mut shop = Shop::new();
        assert!(shop.act(&Act::Count(0, 0)));
        let cost = |change: &(i32, Option<i64>)| {
            assert!(shop.act(&Act::Change(vec![(0, change.0, change.1)])));
            (shop.movements.last().unwrap().cost.map(Cost::centavos), shop.cost(0))
        };
        changes.iter().map(cost).collect()
    }

    #[test]
    fn a_cost_is_the_weighted_average() {
        let found =
            costs(&[(3, Some(1000)), (-1, None), (2, Some(100)), (-3, Some(9999)), (1, None), (-2, None)]);
        // 1000 / 3; then 667 + 100 for four, of which three take 575.25.
        let expected = [(1000, 1000), (-333, 667), (100, 767), (-575, 192), (192, 384), (-384, 0)];
        assert_eq!(found, expected.map(|(cost, stock)| (Some(cost), Some(stock))));
    }

    #[test]
    fn an_unknown_cost_stays_unknown_until_a_purchase_has_a_total() {
        let (none, some) = ((None, None), |cost, stock| (Some(cost), Some(stock)));
        // Goods come in without a total and are sold; then a purchase gives all the same cost per unit.
        let found = costs(&[(5, None), (-2, None), (4, None), (2, Some(100)), (-9, None), (2, None)]);
        assert_eq!(found, [none, none, none, some(450, 450), some(-450, 0), none]);
        // A gift is known, and costs nothing.
        assert_eq!(costs(&[(5, Some(0)), (-2, None), (1, None)]), [some(0, 0); 3]);
    }

    #[test]
    fn an_undo_takes_what_the_movement_brought_and_no_more_than_there_is() {
        let mut shop = Shop::new();
        assert!(shop.act(&Act::Count(0, 0)));
        let mut act = |act| {
            assert!(shop.act(&act), "{act:?}");
            (shop.movements.last().unwrap().cost.map(Cost::centavos), shop.cost(0))
        };
        let (dear, cheap) = (Act::Change(vec![(0, 10, Some(1000))]), Act::Change(vec![(0, 10, Some(100))]));
        assert_eq!(act(dear), (Some(1000), Some(1000)));
        assert_eq!(act(cheap), (Some(100), Some(1100)));
        assert_eq!(act(Act::Change(vec![(0, -9, None)])), (Some(-495), Some(605)));
        // The dear purchase brought more than there is now: what is left has no known cost.
        assert_eq!(act(Act::Undo(3, true)), (Some(-605), None));
        // The sale brings back goods to a stock of unknown cost.
        assert_eq!(act(Act::Undo(5, true)), (None, None));
        assert_eq!(act(Act::Undo(4, true)), (None, Some(0)));
    }

    #[test]
    fn a_cost_has_a_limit() {
        let (max, one) = (STOCK_COST_CENTAVOS_MAX, Quantity::from_units(1));
        let before = Stock { quantity: one, cost: StockCost::from_centavos(max).unwrap() };
        let two = Quantity::from_units(2);
        let paid = |centavos| Costing::Paid(Amount::total_from_centavos(centavos).unwrap());
        assert_eq!(paid(1).cost(before, one, two), None);
        assert_eq!(Costing::Average.cost(before, one, two), None);
        assert!(paid(0).cost(before, one, two).is_some());
        let unknown = Stock { quantity: Quantity::MAX, cost: StockCost::UNKNOWN };
        assert_eq!(paid(1_000_000_000_000).cost(unknown, one, Quantity::MAX), None);
    }
}
