//! A request to change one product's stock.

use super::author::Author;
use super::details::Details;
use super::movement::{Kind, RequestId};
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
    /// Whether the delta follows from the amount of the details and the price in force, as of a label: a retry
    /// is the same change also if it comes to another delta.
    pub is_of_total: bool,
}

impl Adjustment {
    /// A change without a request id, an author or details.
    pub fn new(product: ProductId, delta: Quantity, kind: Kind) -> Self {
        Self { product, delta, kind, request_id: None, author: None, details: None, is_of_total: false }
    }
}
