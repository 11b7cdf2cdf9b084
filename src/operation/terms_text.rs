//! Terms of a product as people write them, on a command line and in the shell.

use super::product_reply::ProductReply;
use crate::catalog::{
    Barcode, Category, Price, Quantity, Quoted, SHELF_LIFE_DAYS_MAX, ShopCode, TermsDraft, TermsUpdate, Unit,
};
use crate::refusal::{Code, Refusal};

/// The terms beyond name and price, as texts. A term that is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct TermsText<'a> {
    pub unit: Option<&'a str>,
    /// The shop's code; `0` removes it.
    pub code: Option<&'a str>,
    /// The barcodes, which replace all present ones. An empty one alone removes them; without any, they stay.
    pub barcodes: Vec<&'a str>,
    /// The category; an empty text removes it.
    pub category: Option<&'a str>,
    pub minimum: Option<&'a str>,
    pub target: Option<&'a str>,
    pub shelf_life_days: Option<&'a str>,
}

impl TermsText<'_> {
    /// The terms as an update of a product.
    ///
    /// # Errors
    /// If an argument is missing or wrong (`INVALID_ARGUMENT`, with the field).
    pub fn update(&self) -> Result<TermsUpdate, Refusal> {
        let barcodes = match &self.barcodes[..] {
            [] => None,
            [""] => Some(Vec::new()),
            texts => Some(barcodes(texts)?),
        };
        let category = match self.category {
            None => None,
            Some("") => Some(None),
            Some(text) => Some(Some(category(text)?)),
        };
        let code = match self.code {
            None => None,
            Some("0" | "") => Some(None),
            Some(text) => Some(Some(code(text)?)),
        };
        Ok(TermsUpdate {
            unit: self.unit.map(Unit::parse).transpose().map_err(|error| Refusal::unit(&error))?,
            code,
            barcodes,
            category,
            minimum: limit("minimum_thousandths", self.minimum)?,
            target: limit("target_thousandths", self.target)?,
            shelf_life_days: self.shelf_life_days.map(shelf_life).transpose()?,
            ..TermsUpdate::default()
        })
    }

    /// The unit, and the other terms of a new product.
    ///
    /// # Errors
    /// If an argument is missing or wrong (`INVALID_ARGUMENT`, with the field).
    pub fn draft(&self) -> Result<(Option<Unit>, TermsDraft), Refusal> {
        let TermsUpdate { unit, code, barcodes, category, minimum, target, shelf_life_days, .. } =
            self.update()?;
        let (code, category) = (code.flatten(), category.flatten());
        let barcodes = barcodes.unwrap_or_default();
        Ok((unit, TermsDraft { code, barcodes, category, minimum, target, shelf_life_days }))
    }
}

fn barcodes(texts: &[&str]) -> Result<Vec<Barcode>, Refusal> {
    let barcodes = texts.iter().map(|text| Barcode::parse(text));
    barcodes.collect::<Result<_, _>>().map_err(|error| Refusal::invalid("barcodes", error))
}

fn code(text: &str) -> Result<ShopCode, Refusal> {
    ShopCode::parse(text).map_err(|error| Refusal::invalid("code", error))
}

fn category(text: &str) -> Result<Category, Refusal> {
    Category::parse(text).map_err(|error| Refusal::invalid("category", error))
}

fn shelf_life(text: &str) -> Result<u32, Refusal> {
    let days = text.trim().parse().ok().filter(|days| *days <= SHELF_LIFE_DAYS_MAX);
    let what = || format!("a validade {} não serve: use de 0 a {SHELF_LIFE_DAYS_MAX} dias", Quoted(text));
    days.ok_or_else(|| Refusal::invalid("shelf_life_days", what()))
}

fn limit(field: &'static str, text: Option<&str>) -> Result<Option<Quantity>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    if let Some((thousands, units)) = Quantity::two_readings(text) {
        return Err(Refusal::two_readings(field, text, thousands, units));
    }
    let quantity: Quantity = text.parse().map_err(|error| Refusal::quantity(field, &error))?;
    if quantity < Quantity::ZERO {
        let what = "o mínimo e o alvo do estoque não podem ser negativos";
        return Err(Refusal::invalid(field, what));
    }
    Ok(Some(quantity))
}

/// A percentage is read in hundredths.
const WHOLE: i128 = 100 * 100;

/// The highest markup, in hundredths of a percent: a hundred times the cost.
const HIGHEST_MARKUP: i128 = 100 * WHOLE;

/// The way in which a price follows from the cost of a product's stock.
#[derive(Debug, Clone, Copy)]
pub enum Pricing<'a> {
    /// The part of the price above the cost, in percent of the price: with 40, the cost is 60 % of the price.
    Margin(&'a str),
    /// The part of the price above the cost, in percent of the cost: with 40, the price is 140 % of the cost.
    Markup(&'a str),
}

impl Pricing<'_> {
    /// The price by the cost of a product's stock, half a centavo up.
    ///
    /// # Errors
    /// If the percentage cannot be, or the cost is not known.
    pub fn price_of(&self, product: &ProductReply) -> Result<Price, Refusal> {
        let (dividend, divisor) = match self {
            Pricing::Margin(margin) => (WHOLE, WHOLE - percentage("a margem", margin, WHOLE - 1)?),
            Pricing::Markup(markup) => (WHOLE + percentage("o acréscimo", markup, HIGHEST_MARKUP)?, WHOLE),
        };
        let centavos = product.stock_cost.and_then(|cost| cost.centavos());
        let stock = i128::from(product.stock.thousandths());
        let (Some(centavos), true) = (centavos, stock > 0) else {
            let what = format!(
                "o custo de {} não é conhecido, e por isso não há margem. Nada foi alterado; registre uma compra com o \
                 total, ou diga o preço.",
                Quoted(product.name.as_str())
            );
            return Err(Refusal::new(Code::InvalidArgument, what));
        };
        // Centavos of the stock ÷ units of the stock, and that times the factor.
        let price = half_up(i128::from(centavos) * 1000 * dividend, stock * divisor);
        let price = i64::try_from(price).ok().and_then(|price| Price::from_centavos(price).ok());
        price.ok_or_else(|| Refusal::invalid("price_centavos", "o preço passaria do limite"))
    }
}

/// The quotient, half up. Both are positive, or the dividend is zero.
fn half_up(dividend: i128, divisor: i128) -> i128 {
    (2 * dividend + divisor) / (2 * divisor)
}

/// Reads a percentage in hundredths, such as `40` or `33,33`.
fn percentage(what: &str, text: &str, max: i128) -> Result<i128, Refusal> {
    let number = text.trim().trim_end_matches('%').trim_end();
    // A price has the two decimals that a percentage has.
    let read = number.parse::<Price>().ok().filter(|_| !number.starts_with(['R', 'r']));
    let hundredths = read.map(|price| i128::from(price.centavos())).filter(|hundredths| *hundredths <= max);
    hundredths.ok_or_else(|| {
        let highest = max / 100;
        Refusal::invalid(
            "price_centavos",
            format!("{what} {} não serve: use de 0 a {highest}%", Quoted(text)),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Name, StockCost};

    fn product(stock: &str, centavos: Option<i64>) -> ProductReply {
        ProductReply {
            name: Name::parse("Caju").unwrap(),
            price: "1".parse().unwrap(),
            stock: stock.parse().unwrap(),
            unit: None,
            stock_cost: centavos.and_then(StockCost::from_centavos),
            terms: None,
            is_discontinued: false,
        }
    }

    fn price(margin: Option<&str>, markup: Option<&str>, product: &ProductReply) -> Result<i64, Refusal> {
        let pricing = margin.map(Pricing::Margin).or(markup.map(Pricing::Markup)).unwrap();
        pricing.price_of(product).map(Price::centavos)
    }

    #[test]
    fn a_price_follows_from_the_cost() {
        // R$ 6,00 a kilogram.
        let stock = product("2.5", Some(1500));
        assert_eq!(price(Some("40"), None, &stock), Ok(1000));
        assert_eq!(price(None, Some("40%"), &stock), Ok(840));
        assert_eq!(price(Some("0"), None, &stock), Ok(600));
        // 600 ÷ 0.6667 is 899.955.
        assert_eq!(price(Some("33,33"), None, &stock), Ok(900));
        // Half a centavo goes up.
        assert_eq!(price(None, Some("50"), &product("1", Some(1))), Ok(2));
        for (margin, markup) in
            [(Some("100"), None), (Some("-1"), None), (None, Some("abc")), (None, Some("R$ 4"))]
        {
            assert!(price(margin, markup, &stock).is_err());
        }
        for unknown in [product("0", Some(0)), product("2.5", None)] {
            let refusal = price(Some("40"), None, &unknown).unwrap_err();
            assert!(refusal.message.contains("o custo de \"Caju\" não é conhecido"), "{}", refusal.message);
        }
    }
}
