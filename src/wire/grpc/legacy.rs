//! `produtos.proto`, the contract of the original.

use prost::Message as _;
use tonic::Status;

use super::original;
use super::products::PRODUCTS_FIELD;
use super::status::status;
use crate::catalog::{Movement, Price, Product, ProductView};
use crate::operation::{Operation, write_product_line};
use crate::refusal::Refusal;

/// A refusal as a gRPC status, like [`status`], with the field names of the original's contract.
pub fn original_status(mut refusal: Refusal) -> Status {
    for (key, value) in &mut refusal.metadata {
        let renamed = match value.as_str() {
            "name" => "nome",
            "delta_thousandths" => "quantidade",
            _ => continue,
        };
        if *key == "field" {
            renamed.clone_into(value);
        }
    }
    status(refusal)
}

/// A float price of the original's contract, rounded to the nearest centavo.
///
/// # Errors
/// If the price is not a number, negative, or too large (`INVALID_ARGUMENT`).
pub fn price_from_float(reais: f32) -> Result<Price, Refusal> {
    let centavos = (f64::from(reais) * 100.0).round();
    let is_within = (0.0..=Price::MAX.centavos() as f64).contains(&centavos);
    is_within
        .then(|| Price::from_centavos(centavos as i64).ok())
        .flatten()
        .ok_or_else(|| Refusal::invalid("preco_max", format!("preço inválido: {reais}")))
}

/// Writes a product as the original's `ListaProdutos` holds it.
pub fn write_original_product(product: ProductView<'_>, out: &mut Vec<u8>) {
    prost::encoding::message::encode(PRODUCTS_FIELD, &original_product(&product), out);
}

/// The original's message of a product: a float price, and a stock whose
/// fraction is cut off and which stops at the largest `int32`.
pub fn original_product(product: &Product) -> original::Produto {
    original::Produto {
        nome: product.name.to_string(),
        preco: (product.price.centavos() as f64 / 100.0) as f32,
        quantidade: i32::try_from(product.stock.thousandths() / 1000).unwrap_or(i32::MAX),
    }
}

/// Writes a `ProdutoResponse`.
pub fn write_original_found(product: ProductView<'_>, out: &mut Vec<u8>) {
    const PRODUTO: u32 = 1;
    prost::encoding::message::encode(PRODUTO, &original_product(&product), out);
}

/// Writes an `AtualizarResponse`, whose `mensagem` is the product line.
pub fn write_adjusted_line(product: &Product, movement: &Movement, out: &mut Vec<u8>) {
    let mut mensagem = String::new();
    // Writing to a string and to a vector cannot fail.
    let _ = write_product_line(&mut mensagem, &product.name, movement.price, movement.balance);
    let _ = original::AtualizarResponse { mensagem }.encode(out);
}

/// A call of `ProdutoService`, the original's contract. Each call is another form of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegacyCall {
    /// All products.
    ListarProdutos,
    /// One product, by name.
    ConsultarProdutoNome,
    /// The products up to a price.
    ConsultarProdutoPreco,
    /// A change of stock by whole units.
    AtualizarEstoque,
}

impl LegacyCall {
    /// Every call, in the order of the contract.
    pub const ALL: [Self; 4] = [
        Self::ListarProdutos,
        Self::ConsultarProdutoNome,
        Self::ConsultarProdutoPreco,
        Self::AtualizarEstoque,
    ];

    /// The name of the call in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::ListarProdutos => "ListarProdutos",
            Self::ConsultarProdutoNome => "ConsultarProdutoNome",
            Self::ConsultarProdutoPreco => "ConsultarProdutoPreco",
            Self::AtualizarEstoque => "AtualizarEstoque",
        }
    }

    /// The call with this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|call| call.name() == name)
    }

    /// The operation that the call asks for.
    pub fn operation(self) -> Operation {
        match self {
            Self::ListarProdutos | Self::ConsultarProdutoPreco => Operation::ListProducts,
            Self::ConsultarProdutoNome => Operation::GetProduct,
            Self::AtualizarEstoque => Operation::AdjustStock,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Code;

    #[test]
    fn float_prices_go_to_the_nearest_centavo() {
        for (reais, centavos) in [(8.0, 800), (17.17, 1717), (0.006, 1), (0.004, 0), (0.0, 0), (-0.0, 0)] {
            assert_eq!(price_from_float(reais).unwrap().centavos(), centavos);
        }
        for reais in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1.0, 1e30] {
            assert_eq!(price_from_float(reais).unwrap_err().code, Code::InvalidArgument, "{reais}");
        }
    }
}
