//! A transaction: the rows that a store writes together.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::balance::Balance;
use super::movement::{Movement, RequestId};
use super::name::Name;
use super::product::{Product, ProductId};
use super::product_change::ProductChange;
use super::terms::Terms;

/// The rows of accepted changes. A store writes them in one transaction, and then the catalog shows them.
#[derive(Debug, Clone, Default)]
pub struct Transaction {
    /// The created and altered products, in their state after the transaction.
    pub products: Vec<Product>,
    /// The terms of the products that got others, by product.
    pub terms: HashMap<ProductId, Arc<Terms>, FixedState>,
    /// The products that were renamed, each with its new name, in order.
    pub renames: Vec<(ProductId, Name)>,
    /// The changes of terms, in order.
    pub changes: Vec<ProductChange>,
    /// The last balance of each product that moved.
    pub balances: Balances,
    /// The rows of the ledger, in order.
    pub movements: Vec<Movement>,
    /// The documents of several movements, in order.
    pub documents: Vec<Document>,
    /// The links from undone movements to those that undo them.
    pub undos: Vec<Undo>,
    /// The requests with an id, except single adjustments, whose movement has the id.
    pub requests: Vec<RequestRecord>,
}

impl Transaction {
    /// Whether there is nothing to make durable.
    pub fn is_empty(&self) -> bool {
        self.products.is_empty() && self.movements.is_empty() && self.requests.is_empty()
    }
}

/// Balances by product. No client chooses ids, so the hash need not resist collisions.
pub type Balances = HashMap<ProductId, Balance, FixedState>;

/// Movements that one request made together. Their sequence numbers have no gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Document {
    /// The sequence number of the first movement.
    pub first_sequence: i64,
    /// How many movements there are.
    pub count: i64,
}

impl Document {
    /// The document of a single movement.
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

/// A request with an id, as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// The client's id.
    pub request_id: RequestId,
    /// A digest of the request's content, which distinguishes a retry from another request.
    pub digest: u64,
    /// The first result, from which a retry is answered. Only the planner of the inventory knows its form.
    pub result: Vec<u8>,
}
