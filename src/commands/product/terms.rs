//! The options that say what a product is.

use clap::Args;

use crate::catalog::{Price, TermsDraft, TermsUpdate, Unit};
use crate::operation::terms_text::{Pricing, TermsText};
use crate::refusal::Refusal;

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
        self.text().update()
    }

    /// The unit, and the other terms of a new product.
    pub(super) fn draft(&self) -> Result<(Option<Unit>, TermsDraft), Refusal> {
        self.text().draft()
    }

    fn text(&self) -> TermsText<'_> {
        TermsText {
            unit: self.unit.as_deref(),
            code: self.code.as_deref(),
            barcodes: self.barcode.iter().map(String::as_str).collect(),
            category: self.category.as_deref(),
            minimum: self.minimum.as_deref(),
            target: self.target.as_deref(),
            shelf_life_days: self.shelf_life.as_deref(),
        }
    }
}

/// The price, or how it follows from the cost.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(super) struct PricingOptions {
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

impl PricingOptions {
    /// The way in which the price follows from the cost of the stock, if it does.
    pub(super) fn by_cost(&self) -> Option<Pricing<'_>> {
        let margin = self.margin.as_deref().map(Pricing::Margin);
        margin.or(self.markup.as_deref().map(Pricing::Markup))
    }

    /// The price, if it is given as such.
    pub(super) fn price(&self) -> Result<Option<Price>, Refusal> {
        let price = self.price.as_deref().map(str::parse).transpose();
        price.map_err(|error| Refusal::price("price_centavos", &error))
    }
}
