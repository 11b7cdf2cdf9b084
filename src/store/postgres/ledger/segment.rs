//! Movements of one row of the journal, as they come from the engine.

use std::collections::HashMap;
use std::time::SystemTime;

use tokio_postgres::Row;

use crate::catalog::{Amount, Author, Cost, Details, Document, Movement, RequestIdError};
use crate::store::postgres::error::{Failure, bad_value};
use crate::store::postgres::rows::{read_kind, read_loss, read_price, read_product_id, read_quantity};

/// A column that few movements have a value of; `None` if none of the row has.
type Sparse<T> = Option<Vec<Option<T>>>;

/// The names of authors by their numbers.
pub(in crate::store::postgres) type Names = HashMap<i32, Author>;

/// The columns that a segment is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::postgres) enum Columns {
    All,
    /// Without what no total needs: balances, previous movements and request ids. The engine needs as long for each
    /// value as for all else.
    ForTotals,
}

impl Columns {
    /// The list of a `SELECT` from `journal`, of whole arrays, or of their parts from `low` to `high`.
    pub(in crate::store::postgres) fn list(self, is_whole: bool) -> String {
        let part = |column: &str| if is_whole { column.to_owned() } else { format!("{column}[low:high]") };
        let no_total = |column: &str| match self {
            Self::All => part(column),
            Self::ForTotals => "NULL".to_owned(),
        };
        [
            "first".to_owned(),
            if is_whole { "1".to_owned() } else { "low".to_owned() },
            "recorded_at".to_owned(),
            part("products"),
            part("kinds"),
            part("deltas"),
            part("prices"),
            part("costs"),
            part("authors"),
            part("amounts"),
            part("loss_reasons"),
            part("notes"),
            "document_offsets".to_owned(),
            "document_counts".to_owned(),
            no_total("balances"),
            no_total("previous"),
            no_total("request_ids"),
        ]
        .join(", ")
    }
}

/// Neighbouring movements of one row of the journal.
pub(in crate::store::postgres) struct Segment {
    /// The number of the first movement.
    first: i64,
    recorded_at: SystemTime,
    products: Vec<i32>,
    kinds: Vec<i16>,
    deltas: Vec<i64>,
    prices: Vec<i64>,
    costs: Sparse<i64>,
    authors: Sparse<i32>,
    amounts: Sparse<i64>,
    loss_reasons: Sparse<i16>,
    notes: Sparse<String>,
    /// All documents of the row.
    documents: Vec<Document>,
    /// `None` if they were not read.
    linked: Option<Linked>,
}

/// The columns that no total needs.
struct Linked {
    balances: Vec<i64>,
    previous: Vec<i64>,
    request_ids: Sparse<String>,
}

impl Segment {
    /// Reads a segment from a row whose columns from `at` on are those of [`Columns::list`].
    pub(in crate::store::postgres) fn read(row: &Row, at: usize, columns: Columns) -> Result<Self, Failure> {
        let (row_first, low): (i64, i32) = (row.try_get(at)?, row.try_get(at + 1)?);
        let documents = documents(row_first, row.try_get(at + 12)?, row.try_get(at + 13)?)?;
        let linked = match columns {
            Columns::All => Some(Linked {
                balances: row.try_get(at + 14)?,
                previous: row.try_get(at + 15)?,
                request_ids: row.try_get(at + 16)?,
            }),
            Columns::ForTotals => None,
        };
        Ok(Self {
            first: row_first + i64::from(low) - 1,
            recorded_at: row.try_get(at + 2)?,
            products: row.try_get(at + 3)?,
            kinds: row.try_get(at + 4)?,
            deltas: row.try_get(at + 5)?,
            prices: row.try_get(at + 6)?,
            costs: row.try_get(at + 7)?,
            authors: row.try_get(at + 8)?,
            amounts: row.try_get(at + 9)?,
            loss_reasons: row.try_get(at + 10)?,
            notes: row.try_get(at + 11)?,
            documents,
            linked,
        })
    }

    /// The numbers of the movements.
    pub(in crate::store::postgres) fn sequences(&self) -> impl DoubleEndedIterator<Item = i64> + use<> {
        self.first..self.first + self.products.len() as i64
    }

    /// The numbers of the authors.
    pub(super) fn authors(&self) -> impl Iterator<Item = i32> {
        self.authors.iter().flatten().copied().flatten()
    }

    /// The number of a movement's kind.
    pub(super) fn kind_of(&self, sequence: i64) -> Option<i16> {
        self.kinds.get(self.place(sequence)).copied()
    }

    /// The number of a movement's author.
    pub(super) fn author_of(&self, sequence: i64) -> Option<i32> {
        sparse(&self.authors, self.place(sequence)).copied()
    }

    /// The document of a movement.
    pub(super) fn document_of(&self, sequence: i64) -> Document {
        let after = self.documents.partition_point(|document| document.first_sequence <= sequence);
        let document = after.checked_sub(1).map(|index| self.documents[index]);
        let has_it = |document: &Document| sequence < document.first_sequence + document.count;
        document.filter(has_it).unwrap_or(Document::of_one(sequence))
    }

    /// A movement without its purchase.
    pub(in crate::store::postgres) fn movement(
        &self,
        sequence: i64,
        names: &Names,
    ) -> Result<Movement, Failure> {
        let place = self.place(sequence);
        let missing = || bad_value(format!("o movimento {sequence} não está inteiro"));
        let value = |values: &Vec<i64>| values.get(place).copied().ok_or_else(missing);
        let (mut balance, mut previous, mut request_id) = (0, 0, None);
        if let Some(linked) = &self.linked {
            (balance, previous) = (value(&linked.balances)?, value(&linked.previous)?);
            request_id = sparse(&linked.request_ids, place).map(|id| id.parse());
        }
        let author = sparse(&self.authors, place).map(|id| {
            let missing = || bad_value(format!("há um movimento sem o seu autor, o {id}"));
            names.get(id).cloned().ok_or_else(missing)
        });
        Ok(Movement {
            sequence,
            product: read_product_id(*self.products.get(place).ok_or_else(missing)?)?,
            kind: read_kind(*self.kinds.get(place).ok_or_else(missing)?)?,
            delta: read_quantity(value(&self.deltas)?)?,
            balance: read_quantity(balance)?,
            price: read_price(value(&self.prices)?)?,
            recorded_at: self.recorded_at,
            previous,
            request_id: request_id.transpose().map_err(|error: RequestIdError| bad_value(error))?,
            cost: sparse(&self.costs, place).copied().map(Cost::from_centavos),
            author: author.transpose()?,
            details: self.details(place)?.boxed(),
        })
    }

    fn details(&self, place: usize) -> Result<Details, Failure> {
        let amount = sparse(&self.amounts, place).map(|centavos| {
            Amount::from_centavos(*centavos).ok_or_else(|| bad_value("há um total abaixo de zero"))
        });
        let loss_reason = sparse(&self.loss_reasons, place).map(|number| read_loss(*number));
        let note = sparse(&self.notes, place).map(|note| note.parse().map_err(bad_value));
        Ok(Details {
            amount: amount.transpose()?,
            loss_reason: loss_reason.transpose()?,
            note: note.transpose()?,
            purchase: None,
        })
    }

    /// The place of a movement in the arrays: behind their ends if the segment does not have it.
    fn place(&self, sequence: i64) -> usize {
        usize::try_from(sequence - self.first).unwrap_or(usize::MAX)
    }
}

fn sparse<T>(column: &Sparse<T>, place: usize) -> Option<&T> {
    column.as_ref()?.get(place)?.as_ref()
}

fn documents(
    row_first: i64,
    offsets: Option<Vec<i32>>,
    counts: Option<Vec<i32>>,
) -> Result<Vec<Document>, Failure> {
    let (offsets, counts) = (offsets.unwrap_or_default(), counts.unwrap_or_default());
    if offsets.len() != counts.len() {
        return Err(bad_value(format!("os documentos desde o movimento {row_first} não estão inteiros")));
    }
    let document =
        |(offset, count)| Document { first_sequence: row_first + i64::from(offset), count: i64::from(count) };
    Ok(offsets.into_iter().zip(counts).map(document).collect())
}
