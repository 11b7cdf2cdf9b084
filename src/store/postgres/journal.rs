//! A row of the journal: the movements of one commit, as an array for each column.

use std::collections::HashMap;
use std::time::SystemTime;

use super::rows::{kind_number, loss_number, product_number};
use super::session::Value;
use crate::catalog::{Amount, Author, Cost, Details, Document, Movement};

/// The types of the columns of [`JournalRow::values`].
pub(super) const TYPES: [&str; 17] = [
    "int8",
    "int8",
    "timestamptz",
    "int4[]",
    "int2[]",
    "int8[]",
    "int8[]",
    "int8[]",
    "int8[]",
    "int8[]",
    "int4[]",
    "text[]",
    "int8[]",
    "int2[]",
    "text[]",
    "int4[]",
    "int4[]",
];

/// The columns of [`JournalRow::values`]. The shop and the epoch come before them.
pub(super) const COLUMNS: &str =
    "first, last, recorded_at, products, kinds, deltas, balances, prices, previous, costs,
    authors, request_ids, amounts, loss_reasons, notes, document_offsets, document_counts";

/// A column that few movements have a value of; `None` if none has.
type Sparse<T> = Option<Vec<Option<T>>>;

/// The values of a row.
pub(super) struct JournalRow<'t> {
    first: i64,
    last: i64,
    recorded_at: SystemTime,
    products: Vec<i32>,
    kinds: Vec<i16>,
    deltas: Vec<i64>,
    balances: Vec<i64>,
    prices: Vec<i64>,
    previous: Vec<i64>,
    costs: Sparse<i64>,
    authors: Sparse<i32>,
    request_ids: Sparse<&'t str>,
    amounts: Sparse<i64>,
    loss_reasons: Sparse<i16>,
    notes: Sparse<&'t str>,
    document_offsets: Option<Vec<i32>>,
    document_counts: Option<Vec<i32>>,
}

impl<'t> JournalRow<'t> {
    /// The row of some movements and of their documents, with the numbers of their authors; `None` if there are no
    /// movements. All movements have the same time.
    pub(super) fn of(
        movements: &'t [Movement],
        documents: &[Document],
        authors: &HashMap<Author, i32>,
    ) -> Option<Self> {
        let (first, last) = (movements.first()?, movements.last()?);
        let details = |movement: &'t Movement| -> Option<&'t Details> { movement.details.as_deref() };
        let offset = |document: &Document| (document.first_sequence - first.sequence) as i32;
        let of_documents = |value: &dyn Fn(&Document) -> i32| {
            (!documents.is_empty()).then(|| documents.iter().map(value).collect::<Vec<i32>>())
        };
        Some(Self {
            first: first.sequence,
            last: last.sequence,
            recorded_at: last.recorded_at,
            products: column(movements, |movement| product_number(movement.product)),
            kinds: column(movements, |movement| kind_number(movement.kind)),
            deltas: column(movements, |movement| movement.delta.thousandths()),
            balances: column(movements, |movement| movement.balance.thousandths()),
            prices: column(movements, |movement| movement.price.centavos()),
            previous: column(movements, |movement| movement.previous),
            costs: sparse(movements, |movement| movement.cost.map(Cost::centavos)),
            authors: sparse(movements, |movement| authors.get(movement.author.as_ref()?).copied()),
            request_ids: sparse(movements, |movement| movement.request_id.as_ref().map(|id| id.as_str())),
            amounts: sparse(movements, |movement| details(movement)?.amount.map(Amount::centavos)),
            loss_reasons: sparse(movements, |movement| details(movement)?.loss_reason.map(loss_number)),
            notes: sparse(movements, |movement| details(movement)?.note.as_ref().map(|note| note.as_str())),
            document_offsets: of_documents(&offset),
            document_counts: of_documents(&|document| document.count as i32),
        })
    }

    /// The values of the columns in order.
    pub(super) fn values(self) -> [Value<'t>; 17] {
        [
            Box::new(self.first),
            Box::new(self.last),
            Box::new(self.recorded_at),
            Box::new(self.products),
            Box::new(self.kinds),
            Box::new(self.deltas),
            Box::new(self.balances),
            Box::new(self.prices),
            Box::new(self.previous),
            Box::new(self.costs),
            Box::new(self.authors),
            Box::new(self.request_ids),
            Box::new(self.amounts),
            Box::new(self.loss_reasons),
            Box::new(self.notes),
            Box::new(self.document_offsets),
            Box::new(self.document_counts),
        ]
    }
}

/// A value of each movement.
fn column<T>(movements: &[Movement], value: impl Fn(&Movement) -> T) -> Vec<T> {
    movements.iter().map(value).collect()
}

fn sparse<'t, T>(movements: &'t [Movement], value: impl Fn(&'t Movement) -> Option<T>) -> Sparse<T> {
    // Most commits have none, which is found out without memory for a column.
    movements.iter().any(|movement| value(movement).is_some()).then(|| movements.iter().map(value).collect())
}
