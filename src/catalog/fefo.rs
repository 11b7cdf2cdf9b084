//! First expiring, first out: assigns the stock that is left to the purchases that it came from.

use super::quantity::Quantity;

/// Splits a stock among purchases. The stock is assigned to the purchases that expire last, and of two that
/// expire together, to the later one first. A purchase that never expires counts as the last to expire. Returns
/// the quantity left of each purchase, in the order of `purchases`, which is the order in which they were made.
///
/// Stock beyond all purchases, such as an opening stock, is assigned to none.
pub fn left_of_each<D: Ord>(stock: Quantity, purchases: &[(Quantity, Option<D>)]) -> Vec<Quantity> {
    let mut order: Vec<usize> = (0..purchases.len()).collect();
    let expiry = |index: &usize| {
        let expires_on = purchases[*index].1.as_ref();
        (expires_on.is_none(), expires_on, *index)
    };
    order.sort_unstable_by(|one, other| expiry(other).cmp(&expiry(one)));
    let mut left = vec![Quantity::ZERO; purchases.len()];
    let mut rest = stock;
    for index in order {
        left[index] = rest.min(purchases[index].0);
        let thousandths = rest.thousandths() - left[index].thousandths();
        rest = Quantity::from_thousandths(thousandths).unwrap_or(Quantity::ZERO);
    }
    left
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(stock: i32, purchases: &[(i32, Option<u32>)], expected: &[i32]) {
        let purchases: Vec<_> =
            purchases.iter().map(|(units, day)| (Quantity::from_units(*units), *day)).collect();
        let expected: Vec<_> = expected.iter().map(|units| Quantity::from_units(*units)).collect();
        assert_eq!(left_of_each(Quantity::from_units(stock), &purchases), expected);
    }

    #[test]
    fn what_expires_first_has_gone_first() {
        check(0, &[(10, Some(5))], &[0]);
        check(4, &[(10, Some(5)), (10, Some(3))], &[4, 0]);
        check(14, &[(10, Some(5)), (10, Some(3))], &[10, 4]);
        check(14, &[(10, Some(3)), (10, Some(3))], &[4, 10]);
        check(14, &[(10, None), (10, Some(3))], &[10, 4]);
        check(99, &[(10, None), (10, Some(3))], &[10, 10]);
        check(5, &[], &[]);
    }

    proptest! {
        #[test]
        fn nothing_is_left_twice(
            stock in 0..100_000_i64,
            purchases in proptest::collection::vec((1..50_000_i64, proptest::option::of(0..9_u32)), 0..20),
        ) {
            let quantity = |thousandths| Quantity::from_thousandths(thousandths).unwrap();
            let bought: Vec<_> = purchases.iter().map(|(bought, day)| (quantity(*bought), *day)).collect();
            let left = left_of_each(quantity(stock), &bought);
            let sum = |of: &[Quantity]| of.iter().map(|it| it.thousandths()).sum::<i64>();
            let bought_in_all = purchases.iter().map(|(bought, _)| bought).sum::<i64>();
            prop_assert_eq!(sum(&left), stock.min(bought_in_all));
            for (index, (own, day)) in bought.iter().enumerate() {
                prop_assert!(left[index] <= *own);
                // If a part of one purchase is gone, nothing is left of those that expire earlier.
                for (other, (later, expiry)) in bought.iter().enumerate() {
                    let expires_later = day.is_some_and(|day| expiry.is_none_or(|expiry| expiry > day));
                    if expires_later && left[index] > Quantity::ZERO {
                        prop_assert_eq!(left[other], *later);
                    }
                }
            }
        }
    }
}
