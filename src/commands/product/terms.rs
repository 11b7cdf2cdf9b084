//! The options that say what a product is.

use clap::Args;

use crate::catalog::{
    Barcode, Category, Price, Quantity, Quoted, SHELF_LIFE_DAYS_MAX, ShopCode, TermsDraft, TermsUpdate, Unit,
};
use crate::operation::ProductReply;
use crate::refusal::{Code, Refusal};

/// The terms beyond name and price.
#[derive(Debug, Args)]
pub(super) struct Terms {
    /// Unidade, como kg, un, maço ou cx
    #[arg(long, value_name = "UNIDADE")]
    unit: Option<String>,
    /// Código da loja, de 1 a 6 dígitos, como está na balança; 0 tira o código
    #[arg(long, value_name = "CODIGO", allow_hyphen_values = true)]
    code: Option<String>,
    /// Código de barras ou PLU; pode repetir. Os de antes saem; '' tira todos
    #[arg(long, value_name = "CODIGO")]
    barcode: Vec<String>,
    /// Categoria, como frutas, legumes ou verduras; '' tira a categoria
    #[arg(long, value_name = "CATEGORIA")]
    category: Option<String>,
    /// Estoque mínimo: abaixo dele, o produto está acabando; 0 para nenhum
    #[arg(long, value_name = "QUANTIDADE", allow_hyphen_values = true)]
    minimum: Option<String>,
    /// Estoque que uma compra deve alcançar; 0 para nenhum
    #[arg(long, value_name = "QUANTIDADE", allow_hyphen_values = true)]
    target: Option<String>,
    /// Dias que uma compra dura; 0 se não se sabe
    #[arg(long, value_name = "DIAS", allow_hyphen_values = true)]
    shelf_life: Option<String>,
}

impl Terms {
    /// The terms as an update of a product.
    pub(super) fn update(&self) -> Result<TermsUpdate, Refusal> {
        let is_none = |text: &String| text.is_empty();
        let barcodes = match &self.barcode[..] {
            [] => None,
            [only] if is_none(only) => Some(Vec::new()),
            _ => Some(self.barcodes()?),
        };
        let category = match self.category.as_deref() {
            None => None,
            Some("") => Some(None),
            Some(text) => Some(Some(category(text)?)),
        };
        let code = match self.code.as_deref() {
            None => None,
            Some("0" | "") => Some(None),
            Some(text) => Some(Some(code(text)?)),
        };
        Ok(TermsUpdate {
            unit: self.unit()?,
            code,
            barcodes,
            category,
            minimum: limit("minimum_thousandths", self.minimum.as_deref())?,
            target: limit("target_thousandths", self.target.as_deref())?,
            shelf_life_days: self.shelf_life()?,
            ..TermsUpdate::default()
        })
    }

    /// The unit, and the other terms of a new product.
    pub(super) fn draft(&self) -> Result<(Option<Unit>, TermsDraft), Refusal> {
        let TermsUpdate { unit, code, barcodes, category, minimum, target, shelf_life_days, .. } =
            self.update()?;
        let (code, category) = (code.flatten(), category.flatten());
        let barcodes = barcodes.unwrap_or_default();
        Ok((unit, TermsDraft { code, barcodes, category, minimum, target, shelf_life_days }))
    }

    fn unit(&self) -> Result<Option<Unit>, Refusal> {
        self.unit.as_deref().map(Unit::parse).transpose().map_err(|error| Refusal::unit(&error))
    }

    fn barcodes(&self) -> Result<Vec<Barcode>, Refusal> {
        let barcodes = self.barcode.iter().map(|text| Barcode::parse(text));
        barcodes.collect::<Result<_, _>>().map_err(|error| Refusal::invalid("barcodes", error))
    }

    fn shelf_life(&self) -> Result<Option<u32>, Refusal> {
        let Some(text) = self.shelf_life.as_deref() else { return Ok(None) };
        let days = text.trim().parse().ok().filter(|days| *days <= SHELF_LIFE_DAYS_MAX);
        let what = || format!("a validade {} não serve: use de 0 a {SHELF_LIFE_DAYS_MAX} dias", Quoted(text));
        days.map(Some).ok_or_else(|| Refusal::invalid("shelf_life_days", what()))
    }
}

fn code(text: &str) -> Result<ShopCode, Refusal> {
    ShopCode::parse(text).map_err(|error| Refusal::invalid("code", error))
}

fn category(text: &str) -> Result<Category, Refusal> {
    Category::parse(text).map_err(|error| Refusal::invalid("category", error))
}

fn limit(field: &'static str, text: Option<&str>) -> Result<Option<Quantity>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    if let Some((thousands, units)) = Quantity::two_readings(text) {
        return Err(Refusal::two_readings(text, thousands, units));
    }
    let quantity: Quantity = text.parse().map_err(|error| Refusal::quantity(field, &error))?;
    if quantity < Quantity::ZERO {
        let what = "o mínimo e o alvo do estoque não podem ser negativos";
        return Err(Refusal::invalid(field, what));
    }
    Ok(Some(quantity))
}

/// The price, or how it follows from the cost.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(super) struct Pricing {
    /// Preço de uma unidade, como 8 ou 3,50
    #[arg(long, value_name = "PRECO", allow_hyphen_values = true)]
    price: Option<String>,
    /// Margem sobre o preço, em %: com 40, o custo é 60% do preço
    #[arg(long, value_name = "PORCENTO", allow_hyphen_values = true)]
    margin: Option<String>,
    /// Acréscimo sobre o custo, em %: com 40, o preço é 140% do custo
    #[arg(long, value_name = "PORCENTO", allow_hyphen_values = true)]
    markup: Option<String>,
}

/// A percentage is read in hundredths.
const WHOLE: i128 = 100 * 100;

/// The highest markup, in hundredths of a percent: a hundred times the cost.
const HIGHEST_MARKUP: i128 = 100 * WHOLE;

impl Pricing {
    /// Whether the price follows from the cost of the stock.
    pub(super) fn needs_cost(&self) -> bool {
        self.margin.is_some() || self.markup.is_some()
    }

    /// The price, if it is given as such.
    pub(super) fn price(&self) -> Result<Option<Price>, Refusal> {
        let price = self.price.as_deref().map(str::parse).transpose();
        price.map_err(|error| Refusal::price("price_centavos", &error))
    }

    /// The price by the cost of a product's stock, half a centavo up.
    pub(super) fn price_of(&self, product: &ProductReply) -> Result<Price, Refusal> {
        let (dividend, divisor) = match (&self.margin, &self.markup) {
            (Some(margin), _) => {
                let margin = percentage("a margem", margin, WHOLE - 1)?;
                (WHOLE, WHOLE - margin)
            }
            (None, Some(markup)) => (WHOLE + percentage("o acréscimo", markup, HIGHEST_MARKUP)?, WHOLE),
            (None, None) => (WHOLE, WHOLE),
        };
        let centavos = product.stock_cost.and_then(|cost| cost.centavos());
        let stock = i128::from(product.stock.thousandths());
        let (Some(centavos), true) = (centavos, stock > 0) else {
            let what = format!(
                "o custo de {} não é conhecido, e por isso não há margem. Nada foi alterado; registre uma compra com o \
                 total, ou use --price.",
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
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let pricing = Pricing { price: None, margin: owned(margin), markup: owned(markup) };
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
