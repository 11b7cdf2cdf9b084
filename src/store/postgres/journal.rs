//! Rows of the journal: movements of one commit, as an array for each column.

use std::collections::{HashMap, HashSet};
use std::time::SystemTime;

use super::rows::{kind_number, loss_number, product_number};
use super::session::Value;
use crate::catalog::{Amount, Author, Cost, Details, Document, Movement};

/// Most movements of a row that a commit writes, unless a document needs more: the engine reads all arrays of a row
/// for one of its movements, and half as long rows would make the largest commits slower.
pub(super) const COMMIT_ROW_MOVEMENTS_MAX: usize = 512;

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

/// The types of the values of [`JournalRow::cut`], which come after those of the columns.
pub(super) const CUT_TYPES: [&str; 4] = ["int4[]", "int4[]", "int4[]", "int4[]"];

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

    /// Cuts the row into several, which are these movements. Returns the values of [`CUT_TYPES`]: the first and the
    /// last place of each row in the columns of movements, counted from 1, and in those of documents.
    pub(super) fn cut(&mut self, rows: &[&[Movement]], documents: &[Document]) -> [Value<'t>; 4] {
        let (mut lows, mut highs) = (Vec::new(), Vec::new());
        let (mut document_lows, mut document_highs) = (Vec::new(), Vec::new());
        let (mut low, mut document_low) = (1, 1);
        let mut offsets = self.document_offsets.iter_mut().flatten();
        for row in rows {
            let high = low + row.len() as i32 - 1;
            let end = self.first + i64::from(high);
            let document_count = documents.partition_point(|document| document.first_sequence < end);
            let document_high = document_count as i32;
            // A document is counted from the first movement of its row.
            let own = (document_high - document_low + 1) as usize;
            offsets.by_ref().take(own).for_each(|offset| *offset -= low - 1);
            lows.push(low);
            highs.push(high);
            document_lows.push(document_low);
            document_highs.push(document_high);
            (low, document_low) = (high + 1, document_high + 1);
        }
        [Box::new(lows), Box::new(highs), Box::new(document_lows), Box::new(document_highs)]
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

/// The statement that cuts one row with all movements of a commit into several. `shop_and_epoch` and `parameters` are
/// the values of [`TYPES`], and then those of [`CUT_TYPES`].
pub(super) fn insert_cut(shop_and_epoch: &str, parameters: &[String]) -> String {
    let (columns, cuts) = parameters.split_at(TYPES.len());
    let parts = columns.iter().zip(TYPES).enumerate().skip(3).map(|(index, (column, of))| match index {
        // The columns of documents are the last two. A row without any has none of them.
        15.. => format!("nullif(({column})[document_low:document_high], '{{}}'::{of})"),
        _ => format!("({column})[low:high]"),
    });
    let parts: Vec<String> = parts.collect();
    let [first, last, recorded_at] = [&columns[0], &columns[1], &columns[2]];
    format!(
        "INSERT INTO journal (shop, epoch, {COLUMNS})
         SELECT {shop_and_epoch}, {first} + low - 1, least({first} + high - 1, {last}), {recorded_at}, {}
         FROM unnest({}) AS each (low, high, document_low, document_high)",
        parts.join(", "),
        cuts.join(", ")
    )
}

/// The rows of movements: those of a row have one time, are so many at most, and none splits a document.
pub(super) fn rows<'m>(
    movements: &'m [Movement],
    documents: &[Document],
    count_max: usize,
) -> Vec<&'m [Movement]> {
    let inner = documents.iter().flat_map(|it| it.first_sequence + 1..it.first_sequence + it.count);
    let inner: HashSet<i64> = inner.collect();
    let mut rows = Vec::new();
    let mut first = 0;
    for end in 1..=movements.len() {
        let is_end = movements.get(end).is_none_or(|next| {
            let is_full = end - first >= count_max;
            (is_full || next.recorded_at != movements[first].recorded_at) && !inner.contains(&next.sequence)
        });
        if is_end {
            rows.push(&movements[first..end]);
            first = end;
        }
    }
    rows
}

/// A value of each movement.
fn column<T>(movements: &[Movement], value: impl Fn(&Movement) -> T) -> Vec<T> {
    movements.iter().map(value).collect()
}

fn sparse<'t, T>(movements: &'t [Movement], value: impl Fn(&'t Movement) -> Option<T>) -> Sparse<T> {
    // Most commits have none, which is found out without memory for a column.
    movements.iter().any(|movement| value(movement).is_some()).then(|| movements.iter().map(value).collect())
}
