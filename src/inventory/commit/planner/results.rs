//! The results of requests with an id, as the store keeps them to answer retries.
//!
//! A result is one byte for the operation that wrote it, and then numbers of eight bytes each, least
//! significant byte first. Stored results are never rewritten, so this encoding never changes.

use std::time::{Duration, SystemTime};

use crate::catalog::{ImportCounts, Price, ProductId, Quantity};
use crate::inventory::commit::result::{Counted, ImportPart, ImportResult};

/// The operation of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Operation {
    Import = 1,
    Batch = 2,
    Count = 3,
    Undo = 4,
    Terms = 5,
    /// An import that says which terms it changed.
    ImportTerms = 6,
    /// The changes of a part of an import, kept for its undo.
    ImportMade = 7,
    ImportUndone = 8,
    UndoOfImport = 9,
}

/// The result of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FirstResult {
    /// Versions before the changes of terms were kept have stored none.
    Import(ImportResult),
    Batch {
        first_sequence: i64,
    },
    Count(Vec<CountResult>),
    Undo {
        first_sequence: i64,
        count: i64,
    },
    ImportMade(ImportMade),
    /// The moment of a part of an import, and the effect of its undo.
    ImportUndone(SystemTime, ImportResult),
    /// The undo of the import with this number. Each part says itself whether it is undone.
    UndoOfImport(u64),
    /// The products of an update, a merge or cleared examples.
    Terms(Vec<TermsResult>),
}

/// The changes of a part of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ImportMade {
    pub(super) at: SystemTime,
    /// The number of the first change of terms, and how many there are.
    pub(super) first_change: i64,
    pub(super) change_count: i64,
    /// The number of the first opening, and how many there are.
    pub(super) first_sequence: i64,
    pub(super) created: i64,
}

/// The result for one product whose terms were changed: its movement, or the product as it stood without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TermsResult {
    Movement(i64),
    Same { product: ProductId, stock: Quantity, price: Price },
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
            Self::Import(ImportResult { counts, first_change, change_count, part }) => {
                let ImportCounts { created, updated, unchanged, discontinued } = *counts;
                let counts = [created, updated, unchanged, discontinued].map(|count| count as i64);
                let part = part.map_or([0, 0], |part| [part.import, part.place]).map(|it| it as i64);
                (Operation::ImportTerms, [&counts[..], &[*first_change, *change_count], &part[..]].concat())
            }
            Self::ImportMade(ImportMade { at, first_change, change_count, first_sequence, created }) => (
                Operation::ImportMade,
                vec![micros(*at), *first_change, *change_count, *first_sequence, *created],
            ),
            Self::ImportUndone(at, ImportResult { counts, first_change, change_count, part: _ }) => {
                let ImportCounts { created: _, updated, unchanged, discontinued } = *counts;
                let [updated, unchanged, retired] = [updated, unchanged, discontinued].map(|it| it as i64);
                let numbers = vec![updated, unchanged, retired, *first_change, *change_count, micros(*at)];
                (Operation::ImportUndone, numbers)
            }
            Self::UndoOfImport(number) => (Operation::UndoOfImport, vec![*number as i64]),
            Self::Batch { first_sequence } => (Operation::Batch, vec![*first_sequence]),
            Self::Count(lines) => (Operation::Count, lines.iter().flat_map(CountResult::numbers).collect()),
            Self::Undo { first_sequence, count } => (Operation::Undo, vec![*first_sequence, *count]),
            Self::Terms(results) => {
                (Operation::Terms, results.iter().flat_map(TermsResult::numbers).collect())
            }
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
                let counts = counts([created, updated, unchanged, 0])?;
                Some(Self::Import(ImportResult { counts, first_change: 0, change_count: 0, part: None }))
            }
            // Versions before the parts of imports were kept have stored no part.
            [created, updated, unchanged, discontinued, first_change, change_count, ref part @ ..]
                if of(Operation::ImportTerms) =>
            {
                let counts = counts([created, updated, unchanged, discontinued])?;
                let part = match *part {
                    [] | [0, 0] => None,
                    [import, place] => Some(ImportPart { import: number(import)?, place: number(place)? }),
                    _ => return None,
                };
                Some(Self::Import(ImportResult { counts, first_change, change_count, part }))
            }
            [at, first_change, change_count, first_sequence, created] if of(Operation::ImportMade) => {
                let at = time(at)?;
                Some(Self::ImportMade(ImportMade { at, first_change, change_count, first_sequence, created }))
            }
            [updated, unchanged, retired, first_change, change_count, at] if of(Operation::ImportUndone) => {
                let counts = counts([0, updated, unchanged, retired])?;
                let result = ImportResult { counts, first_change, change_count, part: None };
                Some(Self::ImportUndone(time(at)?, result))
            }
            [import] if of(Operation::UndoOfImport) => Some(Self::UndoOfImport(number(import)?)),
            [first_sequence] if of(Operation::Batch) => Some(Self::Batch { first_sequence }),
            [first_sequence, count] if of(Operation::Undo) => Some(Self::Undo { first_sequence, count }),
            _ if of(Operation::Count) => {
                let (lines, rest) = numbers.as_chunks();
                let lines = lines.iter().map(CountResult::of).collect::<Option<_>>()?;
                rest.is_empty().then_some(Self::Count(lines))
            }
            _ if of(Operation::Terms) => {
                let (results, rest) = numbers.as_chunks();
                let results = results.iter().map(TermsResult::from_numbers).collect::<Option<_>>()?;
                rest.is_empty().then_some(Self::Terms(results))
            }
            _ => None,
        }
    }
}

fn micros(time: SystemTime) -> i64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros() as i64
}

fn number(stored: i64) -> Option<u64> {
    u64::try_from(stored).ok()
}

fn time(micros: i64) -> Option<SystemTime> {
    Some(SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(micros).ok()?))
}

fn counts(numbers: [i64; 4]) -> Option<ImportCounts> {
    let [created, updated, unchanged, discontinued] = numbers.map(|number| usize::try_from(number).ok());
    let (created, updated) = (created?, updated?);
    Some(ImportCounts { created, updated, unchanged: unchanged?, discontinued: discontinued? })
}

impl TermsResult {
    pub(super) fn of(changed: &Counted) -> Self {
        match changed {
            Counted::Movement(movement) => Self::Movement(movement.sequence),
            Counted::Same { product, stock, price } => {
                Self::Same { product: *product, stock: *stock, price: *price }
            }
        }
    }

    fn numbers(&self) -> [i64; 4] {
        match *self {
            Self::Movement(sequence) => [sequence, 0, 0, 0],
            Self::Same { product, stock, price } => {
                [0, product.number(), stock.thousandths(), price.centavos()]
            }
        }
    }

    fn from_numbers(numbers: &[i64; 4]) -> Option<Self> {
        match *numbers {
            [0, product, stock, price] => Some(Self::Same {
                product: ProductId::from_number(product)?,
                stock: Quantity::from_thousandths(stock).ok()?,
                price: Price::from_centavos(price).ok()?,
            }),
            [sequence, ..] => Some(Self::Movement(sequence)),
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
        let counts = |discontinued| ImportCounts { created: 1, updated: 2, unchanged: 258, discontinued };
        let same = TermsResult::Same { product: ProductId::FIRST, stock, price };
        let earlier = FirstResult::Import(ImportResult {
            counts: counts(0),
            first_change: 0,
            change_count: 0,
            part: None,
        });
        let at = SystemTime::UNIX_EPOCH + Duration::from_micros(1_000_001);
        let results: [(u8, FirstResult, &[i64]); 9] = [
            (2, FirstResult::Batch { first_sequence: 5 }, &[5]),
            (
                3,
                FirstResult::Count(vec![CountResult::Movement(7), CountResult::Same { stock, price }]),
                &[7, 0, 0, 0, 350, 2],
            ),
            (4, FirstResult::Undo { first_sequence: 9, count: 2 }, &[9, 2]),
            (5, FirstResult::Terms(vec![TermsResult::Movement(7), same]), &[7, 0, 0, 0, 0, 1, 350, 2]),
            (
                6,
                FirstResult::Import(ImportResult {
                    counts: counts(3),
                    first_change: 8,
                    change_count: 9,
                    part: Some(ImportPart { import: 12, place: 3 }),
                }),
                &[1, 2, 258, 3, 8, 9, 12, 3],
            ),
            (
                6,
                FirstResult::Import(ImportResult {
                    counts: counts(3),
                    first_change: 8,
                    change_count: 9,
                    part: None,
                }),
                &[1, 2, 258, 3, 8, 9, 0, 0],
            ),
            (
                7,
                FirstResult::ImportMade(ImportMade {
                    at,
                    first_change: 8,
                    change_count: 9,
                    first_sequence: 5,
                    created: 4,
                }),
                &[1_000_001, 8, 9, 5, 4],
            ),
            (
                8,
                FirstResult::ImportUndone(
                    at,
                    ImportResult {
                        counts: ImportCounts { created: 0, ..counts(3) },
                        first_change: 8,
                        change_count: 9,
                        part: None,
                    },
                ),
                &[2, 258, 3, 8, 9, 1_000_001],
            ),
            (9, FirstResult::UndoOfImport(12), &[12]),
        ];
        let stored = |operation: u8, numbers: &[i64]| {
            let numbers = numbers.iter().flat_map(|number| number.to_le_bytes());
            [operation].into_iter().chain(numbers).collect::<Vec<u8>>()
        };
        assert_eq!(FirstResult::decode(&stored(1, &[1, 2, 258])), Some(earlier.clone()));
        assert_eq!(FirstResult::decode(&stored(6, &[1, 2, 258, 0, 0, 0])), Some(earlier));
        for (operation, result, numbers) in results {
            let mut expected = stored(operation, numbers);
            assert_eq!(result.encode(), expected);
            assert_eq!(FirstResult::decode(&expected), Some(result));
            assert_eq!(FirstResult::decode(&expected[..expected.len() - 1]), None);
            expected[0] = 10;
            assert_eq!(FirstResult::decode(&expected), None);
        }
        assert_eq!(FirstResult::decode(&[]), None);
    }
}
