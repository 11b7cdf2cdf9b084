//! A change of stock in a reply: the product as the change left it, and the movement.

use super::adjust_stock::Adjusted;
use super::movement_reply::MovementReply;
use super::product_reply::ProductReply;
use super::undo_movement::Undone;
use crate::catalog::{Movement, Product};

/// A change of stock as a reply carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeReply {
    /// The product as the change left it.
    pub product: ProductReply,
    /// The row of the ledger. `None` if the reply came as a product line, which has none, and if nothing
    /// differed.
    pub movement: Option<MovementReply>,
}

impl ChangeReply {
    /// Says with which movement the change was made together.
    pub fn in_document(self, first_sequence: i64) -> Self {
        let movement = self.movement.map(|movement| movement.in_document(first_sequence));
        Self { movement, ..self }
    }
}

impl From<&Adjusted> for ChangeReply {
    fn from(Adjusted { product, movement }: &Adjusted) -> Self {
        let movement = MovementReply::of(movement, product.name.clone());
        Self { product: product.into(), movement: Some(movement) }
    }
}

impl From<&Undone> for ChangeReply {
    fn from(Undone { undoes, product, movement }: &Undone) -> Self {
        let movement = MovementReply::of(movement, product.name.clone()).undoing(*undoes);
        Self { product: product.into(), movement: Some(movement) }
    }
}

impl From<&(Product, Option<Movement>)> for ChangeReply {
    /// A count, which has no movement if nothing differed.
    fn from((product, movement): &(Product, Option<Movement>)) -> Self {
        let movement = movement.as_ref().map(|movement| MovementReply::of(movement, product.name.clone()));
        Self { product: product.into(), movement }
    }
}

impl From<ProductReply> for ChangeReply {
    /// A change as a product line tells of it.
    fn from(product: ProductReply) -> Self {
        Self { product, movement: None }
    }
}
