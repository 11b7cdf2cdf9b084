//! A change of stock in a reply: the product as the change left it, and the movement.

use std::time::SystemTime;

use super::adjust_stock::Adjusted;
use super::product_reply::ProductReply;
use crate::catalog::{Kind, Name, Quantity, RequestId};

/// A change of stock as a reply carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeReply {
    /// The product as the change left it.
    pub product: ProductReply,
    /// The row of the ledger. `None` if the reply came as a product line, which has none, and if nothing
    /// differed.
    pub movement: Option<MovementReply>,
}

/// A row of the ledger as a reply carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovementReply {
    /// The place in the ledger: 1, 2, 3, …
    pub sequence: i64,
    /// The product's name.
    pub product_name: Name,
    /// The kind of the movement.
    pub kind: Kind,
    /// The quantity that was added; negative was taken away.
    pub delta: Quantity,
    /// The product's stock after the movement.
    pub balance: Quantity,
    /// The time of the commit.
    pub recorded_at: SystemTime,
    /// The client's id for the change.
    pub request_id: Option<RequestId>,
}

impl From<&Adjusted> for ChangeReply {
    fn from(Adjusted { product, movement }: &Adjusted) -> Self {
        let movement = MovementReply {
            sequence: movement.sequence,
            product_name: product.name.clone(),
            kind: movement.kind,
            delta: movement.delta,
            balance: movement.balance,
            recorded_at: movement.recorded_at,
            request_id: movement.request_id.clone(),
        };
        Self { product: product.into(), movement: Some(movement) }
    }
}

impl From<ProductReply> for ChangeReply {
    /// A change as a product line tells of it.
    fn from(product: ProductReply) -> Self {
        Self { product, movement: None }
    }
}
