//! A movement in a reply, and the movement line.

use std::fmt;
use std::time::SystemTime;

use crate::catalog::{Amount, Author, Cost, Details, Kind, Movement, Name, Price, Quantity, RequestId};
use crate::local_time::{LocalTime, parse_with_offset};

/// A row of the ledger as a reply carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovementReply {
    /// The number of the movement in the ledger: 1, 2, 3, …
    pub sequence: i64,
    /// The product's name.
    pub product_name: Name,
    /// The kind of the movement.
    pub kind: Kind,
    /// The quantity that was added; a negative one was taken away.
    pub delta: Quantity,
    /// The product's stock after the movement.
    pub balance: Quantity,
    /// The time of the commit.
    pub recorded_at: SystemTime,
    /// The money of the whole movement.
    pub amount: Amount,
    /// The author of the movement.
    pub author: Option<Author>,
    /// The fields that a movement line does not have. `None` if the reply came as such a line.
    pub details: Option<MovementDetails>,
}

/// The fields of a movement that its line does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovementDetails {
    /// The price of one unit when the movement was recorded.
    pub price: Price,
    /// The client's id for the change.
    pub request_id: Option<RequestId>,
    /// The first movement of those that were made together.
    pub document: i64,
    /// The movement that this one undoes; 0 for none.
    pub undoes: i64,
    /// The movement that undid this one; 0 for none.
    pub undone_by: i64,
    /// The value at cost that the movement added to the stock, if a cost is known.
    pub cost: Option<Cost>,
    /// The reason of a loss, the note and the origin of bought produce, if there is one of them. The amount is
    /// that of the reply.
    pub details: Option<Box<Details>>,
}

impl MovementReply {
    /// A movement of the product with this name, made alone, that is linked to no other.
    pub fn of(movement: &Movement, product_name: Name) -> Self {
        let details = movement.details.as_deref();
        Self {
            sequence: movement.sequence,
            product_name,
            kind: movement.kind,
            delta: movement.delta,
            balance: movement.balance,
            recorded_at: movement.recorded_at,
            amount: movement.amount(),
            author: movement.author.clone(),
            details: Some(MovementDetails {
                price: movement.price,
                request_id: movement.request_id.clone(),
                document: movement.sequence,
                undoes: 0,
                undone_by: 0,
                cost: movement.cost,
                details: details.and_then(|details| Details { amount: None, ..details.clone() }.boxed()),
            }),
        }
    }

    /// Sets the document: the first of the movements that were made together.
    pub fn in_document(mut self, first_sequence: i64) -> Self {
        if let Some(details) = &mut self.details {
            details.document = first_sequence;
        }
        self
    }

    /// Sets the movement that this one undoes.
    pub fn undoing(mut self, sequence: i64) -> Self {
        if let Some(details) = &mut self.details {
            details.undoes = sequence;
        }
        self
    }

    /// Sets all links to other movements.
    pub fn linked(mut self, document: i64, undoes: i64, undone_by: i64) -> Self {
        if let Some(details) = self.details.take() {
            self.details = Some(MovementDetails { document, undoes, undone_by, ..details });
        }
        self
    }

    /// Reads a movement line.
    pub fn parse(line: &str) -> Option<Self> {
        let (rest, amount) = line.rsplit_once(" R$")?;
        let (amount, author) = match amount.split_once(" por ") {
            Some((amount, author)) => (amount, Some(author.parse().ok()?)),
            None => (amount, None),
        };
        let (rest, balance) = rest.rsplit_once(" saldo ")?;
        let (rest, delta) = rest.rsplit_once(' ')?;
        let (sequence, rest) = rest.strip_prefix('#')?.split_once(' ')?;
        let (recorded_at, rest) = rest.split_once(' ')?;
        let (kind, name) = rest.split_once(' ')?;
        Some(Self {
            sequence: sequence.parse().ok()?,
            product_name: Name::parse(name).ok()?,
            kind: Kind::from_stored(kind)?,
            delta: delta.parse().ok()?,
            balance: balance.parse().ok()?,
            recorded_at: parse_with_offset(recorded_at)?,
            amount: amount.parse().ok()?,
            author,
            details: None,
        })
    }
}

impl fmt::Display for MovementReply {
    /// The movement line: `#812 2026-11-29T09:41:07-03:00 venda Caju -20 saldo 40 R$40.0 por balcao`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sequence, product_name, kind, delta, balance, recorded_at, amount, author, .. } = self;
        let (time, kind) = (LocalTime(*recorded_at), kind.word());
        write!(f, "#{sequence} {time} {kind} {product_name} {delta} saldo {balance} R${amount}")?;
        author.as_ref().map_or(Ok(()), |author| write!(f, " por {author}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_movement_line_reads_back(
            name in "\\PC{1,40}|(venda |#1 | saldo 2| R\\$3|-1 | por a){1,3}",
            sequence in 1_i64..,
            thousandths in -10_000_000_i64..10_000_000,
            seconds in 0_u64..4_000_000_000,
            author in prop::option::of("[a-z$#á-ú]{1,9}"),
        ) {
            if let Ok(product_name) = Name::parse(&name) {
                let movement = MovementReply {
                    sequence,
                    product_name,
                    kind: Kind::Waste,
                    delta: Quantity::from_thousandths(thousandths).unwrap(),
                    balance: Quantity::from_thousandths(thousandths.abs()).unwrap(),
                    recorded_at: SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds),
                    amount: Amount::from_centavos(thousandths.abs()).unwrap(),
                    author: author.and_then(|author| author.parse().ok()),
                    details: None,
                };
                let line = movement.to_string();
                prop_assert_eq!(MovementReply::parse(&line), Some(movement), "{}", line);
            }
        }
    }
}
