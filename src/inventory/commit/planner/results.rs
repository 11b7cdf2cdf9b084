//! The results of requests with an id, as the store keeps them to answer retries.
//!
//! A result is one byte for the operation that wrote it, and then numbers of eight bytes each, least
//! significant byte first. Stored results are never rewritten, so this encoding never changes.

use crate::catalog::{ImportCounts, Price, Quantity};

/// The operation of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Operation {
    Import = 1,
    Batch = 2,
    Count = 3,
    Undo = 4,
}

/// The result of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FirstResult {
    Import(ImportCounts),
    Batch { first_sequence: i64 },
    Count(Vec<CountResult>),
    Undo { first_sequence: i64, count: i64 },
}

/// The result of one line of a count: its movement, or the product as it stood if nothing differed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CountResult {
    Movement(i64),
    Same { stock: Quantity, price: Price },
}

impl FirstResult {
    /// The result as stored bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let (operation, numbers) = match self {
            Self::Import(counts) => {
                let ImportCounts { created, updated, unchanged, .. } = *counts;
                (Operation::Import, [created, updated, unchanged].map(|count| count as i64).to_vec())
            }
            Self::Batch { first_sequence } => (Operation::Batch, vec![*first_sequence]),
            Self::Count(lines) => (Operation::Count, lines.iter().flat_map(CountResult::numbers).collect()),
            Self::Undo { first_sequence, count } => (Operation::Undo, vec![*first_sequence, *count]),
        };
        let numbers = numbers.iter().flat_map(|number: &i64| number.to_le_bytes());
        [operation as u8].into_iter().chain(numbers).collect()
    }

    /// The result that these stored bytes mean; `None` if no version of this program wrote them.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (operation, numbers) = bytes.split_first()?;
        let (numbers, rest) = numbers.as_chunks();
        let numbers: Vec<i64> = numbers.iter().map(|number| i64::from_le_bytes(*number)).collect();
        let of = |wanted: Operation| rest.is_empty() && *operation == wanted as u8;
        match numbers[..] {
            [created, updated, unchanged] if of(Operation::Import) => {
                let count = |number| usize::try_from(number).ok();
                let (created, updated, unchanged) = (count(created)?, count(updated)?, count(unchanged)?);
                Some(Self::Import(ImportCounts { created, updated, unchanged, ..ImportCounts::default() }))
            }
            [first_sequence] if of(Operation::Batch) => Some(Self::Batch { first_sequence }),
            [first_sequence, count] if of(Operation::Undo) => Some(Self::Undo { first_sequence, count }),
            _ if of(Operation::Count) => {
                let (lines, rest) = numbers.as_chunks();
                let lines = lines.iter().map(CountResult::of).collect::<Option<_>>()?;
                rest.is_empty().then_some(Self::Count(lines))
            }
            _ => None,
        }
    }
}

impl CountResult {
    fn numbers(&self) -> [i64; 3] {
        match *self {
            Self::Movement(sequence) => [sequence, 0, 0],
            Self::Same { stock, price } => [0, stock.thousandths(), price.centavos()],
        }
    }

    fn of(numbers: &[i64; 3]) -> Option<Self> {
        match *numbers {
            [0, stock, price] => Some(Self::Same {
                stock: Quantity::from_thousandths(stock).ok()?,
                price: Price::from_centavos(price).ok()?,
            }),
            [sequence, _, _] => Some(Self::Movement(sequence)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes that an earlier version stored are still read.
    #[test]
    fn a_result_is_stored_as_it_always_was() {
        let stock = Quantity::from_thousandths(350).unwrap();
        let price = Price::from_centavos(2).unwrap();
        let results: [(FirstResult, &[i64]); 4] = [
            (
                FirstResult::Import(ImportCounts {
                    created: 1,
                    updated: 2,
                    unchanged: 258,
                    ..ImportCounts::default()
                }),
                &[1, 2, 258],
            ),
            (FirstResult::Batch { first_sequence: 5 }, &[5]),
            (
                FirstResult::Count(vec![CountResult::Movement(7), CountResult::Same { stock, price }]),
                &[7, 0, 0, 0, 350, 2],
            ),
            (FirstResult::Undo { first_sequence: 9, count: 2 }, &[9, 2]),
        ];
        for (operation, (result, numbers)) in (1..).zip(results) {
            let mut expected = vec![operation];
            numbers.iter().for_each(|number| expected.extend(number.to_le_bytes()));
            assert_eq!(result.encode(), expected);
            assert_eq!(FirstResult::decode(&expected), Some(result));
            assert_eq!(FirstResult::decode(&expected[..expected.len() - 1]), None);
            expected[0] = 9;
            assert_eq!(FirstResult::decode(&expected), None);
        }
        assert_eq!(FirstResult::decode(&[]), None);
    }
}
