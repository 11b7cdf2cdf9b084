//! Notes for a person beside a change of what a product is: what the change left as it was, or took away.

use crate::catalog::{ShopCode, Unit};
use crate::operation::{ChangeReply, ProductReply};

/// The note beside another unit of this product, if it has a stock, whose number stays.
pub fn unit_note(before: &ProductReply, unit: &Unit) -> Option<String> {
    let old = before.unit.as_ref().filter(|old| *old != unit && before.stock.thousandths() > 0)?;
    let (name, stock) = (&before.name, before.stock.with_comma());
    Some(format!(
        "Aviso: a unidade de {name} passou de {old} para {unit}, e o número do estoque ficou: {stock}."
    ))
}

/// The note before a merge of these products, if both have a code of the shop: a product has one alone.
pub fn code_note(from: &ProductReply, into: &ProductReply) -> Option<String> {
    let code = |product: &ProductReply| product.terms.as_ref()?.code.map(ShopCode::number);
    let (given_up, kept) = (code(from)?, code(into)?);
    let into = &into.name;
    Some(format!("o código {given_up} fica sem produto, porque {into} tem o {kept}"))
}

/// The line for a merge that moved no stock. `None` if it moved some.
pub fn merge_without_stock(changes: &[ChangeReply]) -> Option<String> {
    match changes {
        [from, into] if from.movement.is_none() && into.movement.is_none() => Some(format!(
            "{}: aposentado, sem estoque a passar; os códigos dele são de {}",
            from.product.name, into.product.name
        )),
        _ => None,
    }
}
