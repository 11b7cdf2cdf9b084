//! `produtos.proto`, the contract of the original.

use tonic::Status;

use super::original;
use super::products::PRODUCTS_FIELD;
use super::status::status;
use crate::catalog::{Price, Product};
use crate::operation::write_product_line;
use crate::refusal::Refusal;

/// As [`status`], naming the fields as the original's contract does.
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

/// A float price of the original's contract, taken to the nearest centavo.
///
/// # Errors
/// `INVALID_ARGUMENT` where it is not a number, negative, or too large.
pub fn price_from_float(reais: f32) -> Result<Price, Refusal> {
    let centavos = (f64::from(reais) * 100.0).round();
    let is_within = (0.0..=Price::MAX.centavos() as f64).contains(&centavos);
    is_within
        .then(|| Price::from_centavos(centavos as i64).ok())
        .flatten()
        .ok_or_else(|| Refusal::invalid("preco_max", format!("preço inválido: {reais}")))
}

/// Writes a product as the original's `ListaProdutos` holds it.
pub fn write_original_product(product: &Product, out: &mut Vec<u8>) {
    prost::encoding::message::encode(PRODUCTS_FIELD, &original_product(product), out);
}

/// A product as the original's contract tells it: a float price, and a stock whose
/// fraction is cut off and which stops at the largest `int32`.
pub fn original_product(product: &Product) -> original::Produto {
    original::Produto {
        nome: product.name.to_string(),
        preco: (product.price.centavos() as f64 / 100.0) as f32,
        quantidade: i32::try_from(product.stock.thousandths() / 1000).unwrap_or(i32::MAX),
    }
}

/// The product line, with which `AtualizarEstoque` answers.
pub fn product_line(product: &Product) -> String {
    let mut line = String::new();
    // Writing to a string cannot fail.
    let _ = write_product_line(&mut line, &product.name, product.price, product.stock);
    line
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
