//! A transaction: the rows that a store writes together.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::movement::{Movement, RequestId};
use super::product::{Product, ProductId};
use super::quantity::Quantity;

/// The rows of accepted changes: what a store writes in one transaction, and what the catalog shows
/// once it has.
#[derive(Debug, Clone, Default)]
pub struct Transaction {
    /// Products created or with other terms, as they are after the transaction.
    pub products: Vec<Product>,
    /// The last balance of each product that moved.
    pub balances: Balances,
    /// The rows of the ledger, in order.
    pub movements: Vec<Movement>,
    /// The documents of several movements, in order.
    pub documents: Vec<Document>,
    /// The movements that are undone, and by which.
    pub undos: Vec<Undo>,
    /// The requests with an id, except lone adjustments, whose movement has the id.
    pub requests: Vec<RequestRecord>,
}

impl Transaction {
    /// Whether there is nothing to make durable.
    pub fn is_empty(&self) -> bool {
        self.products.is_empty() && self.movements.is_empty() && self.requests.is_empty()
    }
}

/// A balance for each of some products. The ids are the catalog's own, so the hash need not be strong.
pub type Balances = HashMap<ProductId, Balance, FixedState>;

/// A product's stock after its last movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// The stock.
    pub stock: Quantity,
    /// The sequence number of the product's last movement; 0 if the product never moved.
    pub last_movement: i64,
}

impl Balance {
    /// The balance of a product that never moved.
    pub const NONE: Balance = Balance { stock: Quantity::ZERO, last_movement: 0 };
}

/// Movements that were made together by one request: they stand in the ledger without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Document {
    /// The sequence number of the first.
    pub first_sequence: i64,
    /// How many there are.
    pub count: i64,
}

impl Document {
    /// The document of a movement that was made alone.
    pub fn of_one(sequence: i64) -> Self {
        Self { first_sequence: sequence, count: 1 }
    }
}

/// A movement that another one undoes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undo {
    /// The sequence number of the movement that is undone.
    pub undone: i64,
    /// The sequence number of the movement that undoes it.
    pub by: i64,
}

/// A request that carried an id, as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// The client's id.
    pub request_id: RequestId,
    /// A digest of the request's content, to tell a retry from another request.
    pub digest: u64,
    /// The first result, from which a retry is answered, in a form that only the planner of the inventory knows.
    pub result: Vec<u8>,
}
