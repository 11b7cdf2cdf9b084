//! The forms of values in the tables.

use super::error::{Failure, bad_value};
use crate::catalog::{Kind, LossReason, Price, ProductId, Quantity};

/// The kinds of movements by their numbers. A new kind is added at the end.
const KINDS: [Kind; 6] =
    [Kind::Adjustment, Kind::Opening, Kind::Purchase, Kind::Sale, Kind::Waste, Kind::Count];

/// The number of a kind.
pub(super) fn kind_number(kind: Kind) -> i16 {
    KINDS.iter().position(|other| *other == kind).map_or(-1, |number| number as i16)
}

/// The kind with this number.
pub(super) fn read_kind(number: i16) -> Result<Kind, Failure> {
    let kind = usize::try_from(number).ok().and_then(|number| KINDS.get(number));
    kind.copied().ok_or_else(|| bad_value(format!("há um movimento do tipo {number}, que não existe")))
}

/// The number of a reason of a loss: its place in [`LossReason::ALL`].
pub(super) fn loss_number(reason: LossReason) -> i16 {
    LossReason::ALL.iter().position(|other| *other == reason).map_or(-1, |number| number as i16)
}

/// The reason of a loss with this number.
pub(super) fn read_loss(number: i16) -> Result<LossReason, Failure> {
    let reason = usize::try_from(number).ok().and_then(|number| LossReason::ALL.get(number));
    reason.copied().ok_or_else(|| bad_value(format!("há uma perda da causa {number}, que não existe")))
}

/// The number of a product, as the tables have it.
pub(super) fn product_number(product: ProductId) -> i32 {
    // The catalog has far fewer products than `i32` has numbers.
    i32::try_from(product.number()).unwrap_or(i32::MAX)
}

pub(super) fn read_product_id(number: i32) -> Result<ProductId, Failure> {
    ProductId::from_number(number.into()).ok_or_else(|| bad_value(format!("{number} não é um produto")))
}

pub(super) fn read_quantity(thousandths: i64) -> Result<Quantity, Failure> {
    Quantity::from_thousandths(thousandths).map_err(bad_value)
}

pub(super) fn read_price(centavos: i64) -> Result<Price, Failure> {
    Price::from_centavos(centavos).map_err(bad_value)
}
