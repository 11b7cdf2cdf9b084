//! Operations by name, outcome and transport, and their times.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::connections::Transport;
use super::histogram::{self, Histogram, Snapshot};
use crate::operation::{OPERATIONS, Operation};
use crate::refusal::Code;

/// The rows of the tables: the operations, and one for requests that name no operation.
const ROWS: usize = OPERATIONS.len() + 1;

/// The outcomes: done, or refused with a code.
const OUTCOMES: usize = Code::ALL.len() + 1;

/// The name of a request that names no operation, and the code of one that was carried out.
const UNKNOWN: &str = "unknown";
const OK: &str = "OK";

/// The outcome of a request: an operation, if the request named one, and the code of its refusal, if it was
/// refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Answer {
    row: u8,
    outcome: u8,
}

/// Every number fits in a byte.
const _: [(); 2] = [assert!(ROWS <= u8::MAX as usize), assert!(OUTCOMES <= u8::MAX as usize)];

impl Answer {
    fn new(operation: Option<Operation>, refused: Option<Code>) -> Self {
        Self {
            row: operation.map_or(OPERATIONS.len(), |operation| operation as usize) as u8,
            outcome: refused.map_or(0, |code| code as usize + 1) as u8,
        }
    }
}

/// The counts and times of all operations.
#[derive(Debug)]
pub struct Operations {
    /// Counts by transport, operation and outcome.
    counts: Box<[[[AtomicU64; OUTCOMES]; ROWS]; Transport::ALL.len()]>,
    durations: Box<[Histogram; ROWS]>,
}

impl Default for Operations {
    fn default() -> Self {
        Self {
            counts: Box::new(std::array::from_fn(|_| {
                std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::default()))
            })),
            durations: Box::new(std::array::from_fn(|_| Histogram::new(histogram::DURATION_NANOS))),
        }
    }
}

/// A count of operations.
pub(super) struct Count {
    pub(super) operation: &'static str,
    pub(super) code: &'static str,
    pub(super) transport: &'static str,
    pub(super) count: u64,
}

impl Operations {
    /// Notes one request that was answered after this time. `operation` is `None` if the request named none,
    /// `refused` the code of its refusal.
    pub fn answered(
        &self,
        transport: Transport,
        operation: Option<Operation>,
        refused: Option<Code>,
        after: Duration,
    ) {
        self.add(transport, Answer::new(operation, refused), after, 1);
    }

    fn add(&self, transport: Transport, answer: Answer, after: Duration, count: u64) {
        let (row, outcome) = (usize::from(answer.row), usize::from(answer.outcome));
        self.counts[transport as usize][row][outcome].fetch_add(count, Ordering::Relaxed);
        self.durations[row].observe(histogram::nanos(after), count);
    }

    /// The number of all answers.
    pub fn total(&self) -> u64 {
        self.counts().map(|count| count.count).sum()
    }

    /// The counts that are not zero.
    pub(super) fn counts(&self) -> impl Iterator<Item = Count> {
        let transports = Transport::ALL.into_iter().zip(self.counts.iter());
        transports
            .flat_map(|(transport, rows)| {
                rows.iter().enumerate().flat_map(move |(row, outcomes)| {
                    outcomes.iter().enumerate().map(move |(outcome, count)| Count {
                        operation: name(row),
                        code: outcome.checked_sub(1).map_or(OK, |code| Code::ALL[code].as_str()),
                        transport: transport.name(),
                        count: count.load(Ordering::Relaxed),
                    })
                })
            })
            .filter(|count| count.count > 0)
    }

    /// The times of the operations that were asked for, by name.
    pub(super) fn durations(&self) -> impl Iterator<Item = (&'static str, Snapshot)> {
        let rows = self.durations.iter().enumerate();
        rows.map(|(row, durations)| (name(row), durations.snapshot())).filter(|(_, times)| times.count > 0)
    }
}

fn name(row: usize) -> &'static str {
    OPERATIONS.get(row).map_or(UNKNOWN, |spec| spec.name)
}

/// The answers of one connection since bytes arrived, before they are added to [`Operations`] together.
#[derive(Debug)]
pub struct Turn {
    transport: Transport,
    begun: Option<Instant>,
    /// Few answers of a turn differ, and equal ones mostly follow one another.
    answers: Vec<(Answer, u64)>,
}

impl Turn {
    /// A turn of a connection of this transport, which has not begun.
    pub fn new(transport: Transport) -> Self {
        Self { transport, begun: None, answers: Vec::new() }
    }

    /// Notes that bytes have arrived. A turn that has begun goes on.
    pub fn begin(&mut self) {
        if self.begun.is_none() {
            self.begun = Some(Instant::now());
        }
    }

    /// Counts an answer.
    #[inline]
    pub fn count(&mut self, operation: Option<Operation>, refused: Option<Code>) {
        let answer = Answer::new(operation, refused);
        match self.answers.last_mut() {
            Some((last, count)) if *last == answer => *count += 1,
            _ => self.count_other(answer),
        }
    }

    fn count_other(&mut self, answer: Answer) {
        match self.answers.iter().position(|(other, _)| *other == answer) {
            Some(place) => {
                self.answers[place].1 += 1;
                let last = self.answers.len() - 1;
                self.answers.swap(place, last);
            }
            None => self.answers.push((answer, 1)),
        }
    }

    /// Adds the answers to the shared counts, after they are written.
    pub fn end(&mut self, operations: &Operations) {
        let Some(begun) = self.begun.take() else { return };
        if self.answers.is_empty() {
            return;
        }
        let after = begun.elapsed();
        for (answer, count) in self.answers.drain(..) {
            operations.add(self.transport, answer, after, count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_place() {
        assert!(Code::ALL.iter().enumerate().all(|(place, code)| *code as usize == place));
    }

    #[test]
    fn the_answers_of_a_turn_are_added_together() {
        let operations = Operations::default();
        let mut turn = Turn::new(Transport::Text);
        for _ in 0..3 {
            turn.begin();
            for _ in 0..2 {
                turn.count(Some(Operation::AdjustStock), None);
                turn.count(Some(Operation::AdjustStock), Some(Code::InsufficientStock));
                turn.count(Some(Operation::GetProduct), None);
                turn.count(None, Some(Code::UnknownCommand));
            }
            assert_eq!(turn.answers.len(), 4);
            assert_eq!(operations.counts().count(), 0);
        }
        turn.end(&operations);
        operations.answered(Transport::Grpc, Some(Operation::GetProduct), None, Duration::from_secs(3));
        // Nothing is left.
        turn.end(&operations);
        let counts: Vec<String> = operations
            .counts()
            .map(|it| format!("{} {} {} {}", it.transport, it.operation, it.code, it.count))
            .collect();
        let expected = [
            "text GetProduct OK 6",
            "text AdjustStock OK 6",
            "text AdjustStock INSUFFICIENT_STOCK 6",
            "text unknown UNKNOWN_COMMAND 6",
            "grpc GetProduct OK 1",
        ];
        assert_eq!(counts, expected);
        let durations: Vec<_> = operations.durations().map(|(name, times)| (name, times.count)).collect();
        assert_eq!(durations, [("GetProduct", 7), ("AdjustStock", 12), ("unknown", 6)]);
    }
}
