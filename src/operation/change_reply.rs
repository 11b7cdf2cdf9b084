//! A change of stock in a reply: the product after the change, and the movement.

use super::adjust_stock::Adjusted;
use super::movement_reply::MovementReply;
use super::product_reply::ProductReply;
use super::undo_movement::Undone;
use crate::catalog::{Movement, Product, Quantity};

/// A change of stock as a reply carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeReply {
    /// The product after the change.
    pub product: ProductReply,
    /// The row of the ledger. `None` if the reply came as a product line, which has no movement, or if a
    /// count found no difference.
    pub movement: Option<MovementReply>,
}

impl ChangeReply {
    /// Sets the document of the change: the first of the movements that were made together.
    pub fn in_document(self, first_sequence: i64) -> Self {
        let movement = self.movement.map(|movement| movement.in_document(first_sequence));
        Self { movement, ..self }
    }

    /// Shows a count as it was made: the stock that was counted, and neither the stock before nor the
    /// movement.
    pub fn as_counted(self, counted: Quantity) -> Self {
        // Each field by its name: a new one must not show the stock.
        let ProductReply { name, price, stock: _, unit, stock_cost: _, terms, is_discontinued } =
            self.product;
        let product =
            ProductReply { name, price, stock: counted, unit, stock_cost: None, terms, is_discontinued };
        Self { product, movement: None }
    }
}

impl From<&Adjusted> for ChangeReply {
    fn from(Adjusted { product, movement }: &Adjusted) -> Self {
        let movement = MovementReply::of(movement, product.name.clone());
        Self { product: ProductReply::changed(product), movement: Some(movement) }
    }
}

impl From<&Undone> for ChangeReply {
    fn from(Undone { undoes, product, movement }: &Undone) -> Self {
        let movement = MovementReply::of(movement, product.name.clone()).undoing(*undoes);
        Self { product: ProductReply::changed(product), movement: Some(movement) }
    }
}

impl From<&(Product, Option<Movement>)> for ChangeReply {
    /// Takes the result of a count, which has no movement if nothing differed.
    fn from((product, movement): &(Product, Option<Movement>)) -> Self {
        let movement = movement.as_ref().map(|movement| MovementReply::of(movement, product.name.clone()));
        Self { product: ProductReply::changed(product), movement }
    }
}

impl From<ProductReply> for ChangeReply {
    /// Takes a change from a product line, which has no movement.
    fn from(product: ProductReply) -> Self {
        Self { product, movement: None }
    }
}
