//! A request to change one product's stock.

use super::author::Author;
use super::details::Details;
use super::label::LabelContent;
use super::movement::{Kind, Movement, RequestId};
use super::product::ProductId;
use super::quantity::Quantity;

/// A stock change that names its product by id.
#[derive(Debug, Clone)]
pub struct Adjustment {
    /// The product whose stock changes.
    pub product: ProductId,
    /// The quantity to add; a negative one is taken away. The rules refuse zero.
    pub delta: Quantity,
    /// The kind of the movement.
    pub kind: Kind,
    /// The client's id for the change.
    pub request_id: Option<RequestId>,
    /// The author of the change.
    pub author: Option<Author>,
    /// The details of the movement, if it has any.
    pub details: Option<Box<Details>>,
    /// The content of the label that stands in the place of the product's name, if it is one. A delta of zero
    /// then means what the label says, at the price in force when the change is made.
    pub label: Option<LabelContent>,
}

impl Adjustment {
    /// A change without a request id, an author or details.
    pub fn new(product: ProductId, delta: Quantity, kind: Kind) -> Self {
        Self { product, delta, kind, request_id: None, author: None, details: None, label: None }
    }

    /// Whether the change takes stock away.
    pub fn takes(&self) -> bool {
        self.delta < Quantity::ZERO || (self.delta == Quantity::ZERO && self.kind.takes())
    }

    /// Whether the movement is this change, which was made before. A label of a total says the same at any
    /// later price, so its total is compared with the quantity and the price of the movement.
    pub fn is_of(&self, movement: &Movement) -> bool {
        let says = |label: LabelContent| {
            let quantity = label.quantity_at(movement.price);
            quantity.is_some_and(|it| movement.delta == it || movement.delta == it.opposite())
        };
        let is_same_delta = match self.label {
            Some(label) if self.delta == Quantity::ZERO => says(label),
            Some(label) => movement.delta == self.delta && says(label),
            None => movement.delta == self.delta,
        };
        is_same_delta
            && movement.product == self.product
            && movement.kind == self.kind
            && movement.details == self.details
    }
}
