//! The margin: the part of a price above the cost.

use crate::catalog::Price;
use crate::operation::ProductReply;

/// The price of a product beside the cost of its stock: `Caju: preço R$ 10,00 · custo R$ 6,00 · margem 40% ·
/// markup 66,67%`. `None` if no cost is known.
pub fn margin_told(product: &ProductReply) -> Option<String> {
    let value = i128::from(product.stock_cost?.centavos()?);
    let stock = i128::from(product.stock.thousandths());
    if stock <= 0 {
        return None;
    }
    let price = i128::from(product.price.centavos());
    let unit = product.unit.as_ref().map_or(String::new(), |unit| format!("/{unit}"));
    let cost = Price::from_centavos(i64::try_from(half_up(value * 1000, stock)).ok()?).ok()?;
    let mut told = format!(
        "{}: preço {}{unit} · custo {}{unit}",
        product.name,
        product.price.in_reais(),
        cost.in_reais()
    );
    // Of what one unit is sold for and costs, in the smallest parts of both.
    let (sold, paid) = (price * stock, value * 1000);
    if sold > 0 {
        told.push_str(&format!(" · margem {}", percent(sold - paid, sold)));
    }
    if paid > 0 {
        told.push_str(&format!(" · markup {}", percent(sold - paid, paid)));
    }
    Some(told)
}

/// A part of a whole in percent, with up to two decimals: `33,33%`.
fn percent(part: i128, whole: i128) -> String {
    let hundredths = half_up(part.abs() * 10_000, whole);
    let sign = if part < 0 && hundredths > 0 { "\u{2212}" } else { "" };
    let (whole, rest) = (hundredths / 100, hundredths % 100);
    let decimals = if rest == 0 { String::new() } else { format!(",{rest:02}") };
    format!("{sign}{whole}{}%", decimals.trim_end_matches('0'))
}

fn half_up(dividend: i128, divisor: i128) -> i128 {
    (2 * dividend + divisor) / (2 * divisor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Name, StockCost, Unit};

    #[test]
    fn a_price_is_shown_beside_its_cost() {
        let product = |price: &str, stock: &str, centavos| ProductReply {
            name: Name::parse("Caju").unwrap(),
            price: price.parse().unwrap(),
            stock: stock.parse().unwrap(),
            unit: Unit::parse("kg").ok(),
            stock_cost: StockCost::from_centavos(centavos),
            terms: None,
            is_discontinued: false,
        };
        let told = |price, stock, centavos| margin_told(&product(price, stock, centavos)).unwrap_or_default();
        assert_eq!(
            told("10", "2.5", 1500),
            "Caju: preço R$ 10,00/kg · custo R$ 6,00/kg · margem 40% · markup 66,67%"
        );
        assert_eq!(
            told("5", "2.5", 1500),
            "Caju: preço R$ 5,00/kg · custo R$ 6,00/kg · margem \u{2212}20% · markup \u{2212}16,67%"
        );
        assert_eq!(told("0", "1", 50), "Caju: preço R$ 0,00/kg · custo R$ 0,50/kg · markup \u{2212}100%");
        assert_eq!(told("10", "0", 0), "");
    }
}
