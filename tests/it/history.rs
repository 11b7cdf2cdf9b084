//! Histories: what concurrent clients asked and were told, and whether it can be true.
//!
//! [`play`](play::play) puts clients on a server over both transports, ends the server now
//! and then, and records. [`check`](check::check) holds the record against the ledger: it
//! is pure, and tested with faults planted in made-up histories. `examples/soak.rs` plays
//! and checks with this same code for as long as one likes.

pub(crate) mod check;
pub(crate) mod client;
pub(crate) mod connection;

#[cfg(test)]
mod planted;
pub(crate) mod play;

use serde::Serialize;

/// What a history is about: the products of a new shop, in catalog order, and their prices
/// in centavos. Elsewhere a product is its place in this list.
pub(crate) const PRODUCTS: [(&str, i64); 4] = [("Maca", 300), ("Pera", 500), ("Banana", 1000), ("Caju", 200)];

/// One thing that a client asked, and what it was told. Times are nanoseconds on one clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Operation {
    /// Who asked.
    pub(crate) client: usize,
    pub(crate) asked: Asked,
    /// When it was asked, the first time and again: a change whose answer was lost is
    /// repeated under its id until it is answered.
    pub(crate) calls: Vec<Call>,
    /// A change that the same connection asked for before, in order, and that this must
    /// therefore come after though it may not be answered yet.
    pub(crate) follows: Option<usize>,
    /// Nothing where the answer was lost: then a change may have been made or not.
    pub(crate) answer: Option<(u64, Answer)>,
}

/// One try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Call {
    pub(crate) at: u64,
    pub(crate) way: Way,
}

/// How to talk to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Way {
    /// Lines of text, pipelined.
    Text,
    /// gRPC calls, several at once on one connection.
    Calls,
    /// A gRPC stream of changes.
    Stream,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) enum Asked {
    /// One product, by name.
    Find(usize),
    /// The products up to a price in centavos, or all.
    List(Option<i64>),
    /// One line: a change. More: all of them or none.
    Change { id: String, lines: Vec<Line> },
}

/// A change of one product, by so many thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Line {
    pub(crate) product: usize,
    pub(crate) delta: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) enum Answer {
    /// The balance of each product that was asked for, in catalog order.
    Seen(Vec<i64>),
    /// For each line the balance that it left, and its place in the ledger where it was told.
    Made(Vec<Made>),
    /// `INSUFFICIENT_STOCK`, with what there was of this product.
    Insufficient { product: usize, available: i64 },
    /// What a server that keeps its promises never answers.
    Other(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Made {
    pub(crate) balance: i64,
    pub(crate) sequence: Option<i64>,
}

/// What stands in the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Ledger {
    /// What SQLite's integrity check says: `ok`.
    pub(crate) integrity: String,
    /// Every movement, in order.
    pub(crate) rows: Vec<Row>,
    /// The request id of each batch, and where it begins.
    pub(crate) batches: Vec<(String, i64)>,
    /// The stock of each product, as its own table tells it.
    pub(crate) stocks: Vec<i64>,
}

/// A movement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Row {
    pub(crate) sequence: i64,
    pub(crate) product: usize,
    pub(crate) delta: i64,
    pub(crate) balance: i64,
    /// Whether it is the stock that a product was created with.
    pub(crate) is_opening: bool,
    pub(crate) request_id: Option<String>,
}

impl Asked {
    /// The products whose balance is asked for.
    pub(crate) fn products(&self) -> Vec<usize> {
        match self {
            Asked::Find(product) => vec![*product],
            Asked::List(price) => (0..PRODUCTS.len())
                .filter(|product| PRODUCTS[*product].1 <= price.unwrap_or(i64::MAX))
                .collect(),
            Asked::Change { lines, .. } => lines.iter().map(|line| line.product).collect(),
        }
    }
}
