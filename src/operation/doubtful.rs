//! Changes that look like a slip. A person is asked back about them, and a script says that it means them.

use super::movement_reply::MovementReply;
use super::product_reply::ProductReply;
use crate::catalog::{Amount, Price, Quantity, in_reais};

/// Times the usual at which a quantity or a price looks like a slip: a digit too many.
const ODD_TIMES_MIN: i64 = 10;

/// Movements from which the usual quantity is known.
const USUAL_MOVEMENTS_MIN: usize = 5;

/// Least stock, in thousandths of the unit, of which more than half is asked back about: below it, half a stock
/// is a usual sale.
const LARGE_STOCK_MIN: i64 = 50_000;

/// The usual quantity of these movements: the median, if there are enough of them. Undone ones do not count.
pub fn usual_quantity(movements: &[MovementReply]) -> Option<Quantity> {
    let is_undone = |movement: &MovementReply| {
        movement.details.as_ref().is_some_and(|details| details.undone_by > 0 || details.undoes > 0)
    };
    let mut sizes: Vec<i64> = movements
        .iter()
        .filter(|movement| !is_undone(movement))
        .map(|movement| movement.delta.thousandths().abs())
        .collect();
    sizes.sort_unstable();
    (sizes.len() >= USUAL_MOVEMENTS_MIN)
        .then(|| Quantity::from_thousandths(sizes[sizes.len() / 2]).ok())
        .flatten()
}

/// Says why this quantity is odd to take of a product, or to bring, if `usual` is the usual one. `None` if it is
/// not odd.
pub fn odd_quantity(
    product: &ProductReply,
    quantity: Quantity,
    is_taken: bool,
    usual: Option<Quantity>,
) -> Option<String> {
    let unit = product.unit.as_ref().map_or(String::new(), |unit| format!(" {unit}"));
    let (size, stock) = (quantity.thousandths(), product.stock.thousandths());
    let shown = format!("{}{unit} de {}", quantity.with_comma(), product.name);
    if let Some(usual) = usual.filter(|usual| size >= usual.thousandths().saturating_mul(ODD_TIMES_MIN)) {
        return Some(format!("{shown}: o costume é {}{unit}", usual.with_comma()));
    }
    let is_half = is_taken && stock >= LARGE_STOCK_MIN && size > stock / 2 && size <= stock;
    is_half.then(|| format!("{shown}: é mais da metade do estoque, de {}{unit}", product.stock.with_comma()))
}

/// Says why this new price of a product is odd: it is ten times higher or lower. `None` if it is not odd.
pub fn odd_price(product: &ProductReply, price: Price) -> Option<String> {
    let (old, new) = (product.price.centavos(), price.centavos());
    let is_odd =
        old > 0 && (new >= old.saturating_mul(ODD_TIMES_MIN) || old >= new.saturating_mul(ODD_TIMES_MIN));
    is_odd
        .then(|| format!("{} passa de {} para {}", product.name, product.price.in_reais(), price.in_reais()))
}

/// Says why the cost of a quantity is odd. Per unit, it differs by more than half from `usual`, the earlier cost
/// of another quantity, or is at least ten times the price if there is no `usual`. `None` if it is not odd.
pub fn odd_cost(
    product: &ProductReply,
    quantity: Quantity,
    total: Amount,
    usual: Option<(Quantity, Amount)>,
) -> Option<String> {
    let per_unit = |quantity: Quantity, total: Amount| {
        let quantity = i128::from(quantity.thousandths().abs());
        (quantity > 0).then(|| (i128::from(total.centavos()) * 1000 + quantity / 2) / quantity)
    };
    let reais = |centavos: i128| in_reais(i64::try_from(centavos).unwrap_or(i64::MAX)).to_string();
    let unit = product.unit.as_ref().map_or("unidade", |unit| unit.as_str());
    let paid = per_unit(quantity, total)?;
    if let Some(before) = usual.and_then(|(quantity, total)| per_unit(quantity, total)) {
        let is_odd = (paid - before).abs() * 2 > before;
        return is_odd.then(|| {
            format!(
                "{} por {unit} de {}: a compra de antes custou {}",
                reais(paid),
                product.name,
                reais(before)
            )
        });
    }
    let price = i128::from(product.price.centavos());
    let is_odd = price > 0 && paid >= price * i128::from(ODD_TIMES_MIN);
    is_odd.then(|| {
        format!("{} por {unit} de {}: vende-se por {}", reais(paid), product.name, product.price.in_reais())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Name, Unit};

    fn product(price: &str, stock: &str) -> ProductReply {
        ProductReply {
            name: Name::parse("Caju").unwrap(),
            price: price.parse().unwrap(),
            stock: stock.parse().unwrap(),
            unit: Some(Unit::parse("kg").unwrap()),
            stock_cost: None,
            terms: None,
            is_discontinued: false,
        }
    }

    fn quantity(text: &str) -> Quantity {
        text.parse().unwrap()
    }

    #[test]
    fn a_quantity_is_odd_if_it_is_ten_times_the_usual_or_half_a_large_stock() {
        let odd = |size, stock, usual: Option<&str>| {
            odd_quantity(&product("3", stock), quantity(size), true, usual.map(quantity))
        };
        assert_eq!(odd("19,9", "1000", Some("2")), None);
        assert_eq!(odd("20", "1000", Some("2")).unwrap(), "20 kg de Caju: o costume é 2 kg");
        assert_eq!(odd("30", "60", None), None);
        assert_eq!(
            odd("30,5", "60", None).unwrap(),
            "30,5 kg de Caju: é mais da metade do estoque, de 60 kg"
        );
        assert_eq!(odd("40", "49", None), None);
        // The server refuses it anyway.
        assert_eq!(odd("61", "60", None), None);
        assert_eq!(odd_quantity(&product("3", "60"), quantity("50"), false, None), None);
    }

    #[test]
    fn a_price_is_odd_if_its_comma_slipped() {
        let odd = |old, new: &str| odd_price(&product(old, "1"), new.parse().unwrap());
        assert_eq!(odd("8,90", "9,90"), None);
        assert_eq!(odd("8,90", "890").unwrap(), "Caju passa de R$ 8,90 para R$ 890,00");
        assert!(odd("8,90", "0,89").is_some() && odd("8,90", "0").is_some());
        assert_eq!(odd("0", "8,90"), None);
    }

    #[test]
    fn a_cost_is_odd_if_it_differs_by_more_than_half() {
        let odd = |total: &str, usual: Option<(&str, &str)>| {
            let amount = |text: &str| text.parse::<Amount>().unwrap();
            let usual = usual.map(|(bought, total)| (quantity(bought), amount(total)));
            odd_cost(&product("3", "1"), quantity("10"), amount(total), usual)
        };
        assert_eq!(odd("15", Some(("20", "20"))), None);
        assert_eq!(
            odd("15,10", Some(("20", "20"))).unwrap(),
            "R$ 1,51 por kg de Caju: a compra de antes custou R$ 1,00"
        );
        assert!(odd("4", Some(("20", "20"))).is_some());
        assert_eq!(odd("299", None), None);
        assert!(odd("300", None).is_some());
    }
}
