//! Products that run out.

use super::fields::{name_of, unit_of};
use super::v1;
use crate::catalog::Quantity;
use crate::operation::{Basis, LowStock, LowStockRequest, STOCKED_DAYS_MAX};
use crate::refusal::Refusal;
use crate::wire::NotAReply;

/// Reads a question about low stock from its message.
///
/// # Errors
/// If a field is invalid: `INVALID_ARGUMENT` with the field.
pub fn low_stock_request(message: &v1::ListLowStockRequest) -> Result<LowStockRequest, Refusal> {
    let days = u32::try_from(message.days).map_err(|_| Refusal::days(STOCKED_DAYS_MAX))?;
    Ok(LowStockRequest { days })
}

/// The message of a question about low stock.
pub fn low_stock_message(request: &LowStockRequest) -> v1::ListLowStockRequest {
    v1::ListLowStockRequest { days: i32::try_from(request.days).unwrap_or(i32::MAX) }
}

/// The message of products that run out.
pub(super) fn low_stock_response(low: &[LowStock]) -> v1::ListLowStockResponse {
    let product = |low: &LowStock| v1::LowStock {
        product_name: low.name.to_string(),
        unit: low.unit.to_string(),
        stock_thousandths: low.stock.thousandths(),
        minimum_thousandths: low.minimum.thousandths(),
        target_thousandths: low.target.thousandths(),
        daily_sales_thousandths: low.daily_sales.map(Quantity::thousandths),
        basis: match low.basis {
            Basis::None => v1::BuyingBasis::Unspecified,
            Basis::Target => v1::BuyingBasis::Target,
            Basis::Sales => v1::BuyingBasis::Sales,
            Basis::Minimum => v1::BuyingBasis::Minimum,
        }
        .into(),
        to_buy_thousandths: low.to_buy.thousandths(),
        box_thousandths: low.box_size.thousandths(),
    };
    v1::ListLowStockResponse { products: low.iter().map(product).collect() }
}

/// Reads products that run out, as the server sent them.
///
/// # Errors
/// If no server of ours would send the message.
pub fn low_stock(message: v1::ListLowStockResponse) -> Result<Vec<LowStock>, NotAReply> {
    let quantity = |thousandths| Quantity::from_thousandths(thousandths).map_err(|_| NotAReply);
    let product = |message: v1::LowStock| {
        Ok(LowStock {
            name: name_of(&message.product_name)?,
            unit: unit_of(&message.unit)?,
            stock: quantity(message.stock_thousandths)?,
            minimum: quantity(message.minimum_thousandths)?,
            target: quantity(message.target_thousandths)?,
            daily_sales: message.daily_sales_thousandths.map(quantity).transpose()?,
            basis: match v1::BuyingBasis::try_from(message.basis) {
                Ok(v1::BuyingBasis::Target) => Basis::Target,
                Ok(v1::BuyingBasis::Sales) => Basis::Sales,
                Ok(v1::BuyingBasis::Minimum) => Basis::Minimum,
                Ok(v1::BuyingBasis::Unspecified) | Err(_) => Basis::None,
            },
            to_buy: quantity(message.to_buy_thousandths)?,
            box_size: quantity(message.box_thousandths)?,
        })
    };
    message.products.into_iter().map(product).collect()
}
