//! Histories: what concurrent clients asked and were told, and whether it can be true.
//!
//! [`play`](play::play) puts clients on a server over both transports, ends the server now
//! and then, and records. [`check`](check::check) holds the record against the ledger: it
//! is pure, and tested with faults planted in made-up histories. `examples/soak.rs` plays
//! and checks with this same code for as long as one likes.

pub(crate) mod check;
pub(crate) mod client;
pub(crate) mod connection;
pub(crate) mod ledger;

#[cfg(test)]
mod planted;
pub(crate) mod play;
#[cfg(test)]
mod repeated;
#[cfg(test)]
mod story;
pub(crate) mod watcher;

use serde::Serialize;

/// What a history is about: each product with its price in centavos. Elsewhere a product is its place in
/// this list. A new shop has the first ones, in this order, and the clients import the others.
pub(crate) const PRODUCTS: [(&str, i64); 24] = [
    ("Maca", 300),
    ("Pera", 500),
    ("Banana", 1000),
    ("Caju", 200),
    ("Abacate", 700),
    ("Abacaxi", 600),
    ("Alface", 150),
    ("Batata", 350),
    ("Cebola", 400),
    ("Cenoura", 450),
    ("Couve", 250),
    ("Figo", 1200),
    ("Goiaba", 800),
    ("Pitanga", 1500),
    ("Laranja", 100),
    ("Limao", 180),
    ("Mamao", 550),
    ("Manga", 650),
    ("Melao", 750),
    ("Morango", 1800),
    ("Pepino", 280),
    ("Quiabo", 900),
    ("Tomate", 850),
    ("Uva", 1400),
];

/// How many of the products a new shop has.
pub(crate) const OPENING_PRODUCTS: usize = 4;

/// One thing that a client asked, and what it was told. Times are nanoseconds on one clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Operation {
    /// Who asked.
    pub(crate) client: usize,
    pub(crate) asked: Asked,
    /// When it was asked, the first time and again: a change whose answer was lost is
    /// repeated under its id until it is answered.
    pub(crate) calls: Vec<Call>,
    /// A change that the connection of the first call asked for before, in order, and that this must
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
    /// Products to create with these stocks, unless they are there. No two imports have the same line.
    Import { id: String, lines: Vec<Line> },
    /// The opposite of a movement, or of all of its document that is not undone yet. Without an id it
    /// cannot be repeated.
    Undo { id: Option<String>, sequence: i64, is_single: bool },
    /// Stocks to set to what was counted.
    Count { id: String, lines: Vec<Counted> },
}

/// A change of one product, by so many thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Line {
    pub(crate) product: usize,
    pub(crate) delta: i64,
}

/// A count of one product, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Counted {
    pub(crate) product: usize,
    pub(crate) counted: i64,
    /// The last movement that the counted stock had seen; 0 means now.
    pub(crate) at_sequence: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) enum Answer {
    /// What there was of each product that was asked for, in catalog order.
    Seen(Vec<Stock>),
    /// What became of each line of a change, of each line of a count, or of each movement that was undone.
    Made(Vec<Made>),
    /// How many products an import created, and how many were there.
    Imported { created: i64, unchanged: i64 },
    /// `INSUFFICIENT_STOCK`, with what there was of this product.
    Insufficient { product: usize, available: i64 },
    /// `PRODUCT_NOT_FOUND`.
    NoProduct(usize),
    /// No movement of this number, or, for a count, none of its product up to it.
    NoMovement(i64),
    /// `RESOURCE_EXHAUSTED`: the product of a count moved too often after this movement.
    TooFarBack(i64),
    /// `ALREADY_UNDONE`: by this movement, or the movement is itself the undo of this one.
    AlreadyUndone(i64),
    /// What a server that keeps its promises never answers.
    Other(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Stock {
    pub(crate) product: usize,
    pub(crate) balance: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Made {
    pub(crate) product: usize,
    pub(crate) balance: i64,
    /// The place in the ledger, if it was told; 0 if nothing differed and no movement was made.
    pub(crate) sequence: Option<i64>,
}

/// A movement as a watcher gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Seen {
    pub(crate) sequence: i64,
    pub(crate) product: usize,
    pub(crate) delta: i64,
    pub(crate) balance: i64,
}

/// What stands in the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Ledger {
    /// What SQLite's integrity check says: `ok`.
    pub(crate) integrity: String,
    /// Every movement, in order.
    pub(crate) rows: Vec<Row>,
    /// The requests with an id, except lone changes, whose row has it.
    pub(crate) requests: Vec<(String, Stored)>,
    /// The documents of several movements: the first, and how many they are.
    pub(crate) documents: Vec<(i64, i64)>,
    /// Each movement that is undone, and the one that undoes it.
    pub(crate) undos: Vec<(i64, i64)>,
    /// The stock of each product in catalog order, as its own table tells it.
    pub(crate) stocks: Vec<Stock>,
}

/// A movement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Row {
    pub(crate) sequence: i64,
    pub(crate) product: usize,
    pub(crate) delta: i64,
    pub(crate) balance: i64,
    pub(crate) kind: Kind,
    pub(crate) request_id: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Kind {
    /// The stock that a product was created with.
    Opening,
    Count,
    Change,
}

/// The result of a request, from which it is answered again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) enum Stored {
    /// What was created, updated, and unchanged.
    Import([i64; 3]),
    /// The first movement.
    Batch(i64),
    /// For each line its movement, or 0 and the stock.
    Count(Vec<(i64, i64)>),
    /// The first movement, and how many there are.
    Undo(i64, i64),
}

impl Asked {
    /// The id under which this can be asked again, if it may change something and has one.
    pub(crate) fn id(&self) -> Option<&str> {
        match self {
            Asked::Find(_) | Asked::List(_) => None,
            Asked::Undo { id, .. } => id.as_deref(),
            Asked::Change { id, .. } | Asked::Import { id, .. } | Asked::Count { id, .. } => Some(id),
        }
    }

    /// Whether this may change something.
    pub(crate) fn is_change(&self) -> bool {
        !matches!(self, Asked::Find(_) | Asked::List(_))
    }

    /// Whether this can be asked in this way.
    pub(crate) fn goes(&self, way: Way) -> bool {
        let is_lone = matches!(self, Asked::Change { lines, .. } if lines.len() == 1);
        match way {
            Way::Calls => true,
            Way::Stream => is_lone,
            Way::Text => match self {
                Asked::Find(_) | Asked::List(_) => true,
                Asked::Change { .. } | Asked::Import { .. } => is_lone,
                Asked::Undo { is_single, .. } => !is_single,
                Asked::Count { lines, .. } => matches!(lines[..], [Counted { at_sequence: 0, .. }]),
            },
        }
    }
}

/// The product with this name.
pub(crate) fn product_named(name: &str) -> Option<usize> {
    PRODUCTS.iter().position(|(known, _)| *known == name)
}
