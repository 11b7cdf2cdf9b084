//! Whether a history can be true: pure, no I/O.
//!
//! The ledger gives the one order of changes, so nothing is searched for: state `s` is the
//! shop after the movement of sequence `s`, and the history is linearizable where
//!
//! - every answered change stands in the ledger once, as it was answered, and every movement
//!   is of a change that was asked for;
//! - a change that was answered before another was called stands before it;
//! - for every read there is a state that shows what it saw, not before any change or read
//!   that was answered when it was called, and before every change that was called after
//!   its answer. Taking the earliest such state, read by read in the order of their calls,
//!   finds one for each if there is any: an earlier choice never binds a later read more.
//!
//! A refusal for want of stock is a read of what there was. The inside of a batch is no state.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use super::{Answer, Asked, Ledger, Line, Operation};

/// Why a history cannot be true.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("SQLite's integrity check says: {0}")]
    Damaged(String),
    #[error("the movement {sequence} stands where the movement {expected} should be")]
    Gap { expected: i64, sequence: i64 },
    #[error("the movement {sequence} leaves {balance}; {expected} was left")]
    Balance { sequence: i64, balance: i64, expected: i64 },
    #[error("the stock of product {product} is {stock}, and its movements come to {sum}")]
    Stock { product: usize, stock: i64, sum: i64 },
    #[error("the change {0} stands in the ledger twice")]
    Twice(String),
    #[error("the movement {0} belongs to no change that was asked for")]
    Unasked(i64),
    #[error("the change {0} was answered, and is not in the ledger")]
    Lost(String),
    #[error("the change {0} stands in the ledger with another content")]
    OtherContent(String),
    #[error("the change {0} was answered otherwise than it stands in the ledger")]
    OtherAnswer(String),
    #[error("the change {0} was refused, and is in the ledger")]
    RefusedAndMade(String),
    #[error("the change {0} was refused, and there was enough")]
    Unjustified(String),
    #[error("the change {later} was called after {earlier} was answered, and stands before it")]
    Order { earlier: String, later: String },
    #[error("the operation {operation} shows no state from {from} to {to}")]
    Read { operation: usize, from: i64, to: i64 },
    #[error("the operation {operation} was answered: {answer}")]
    Unexpected { operation: usize, answer: String },
    #[error("the server {0}")]
    Conduct(String),
}

/// Looks for a fault.
pub(crate) fn check(history: &[Operation], ledger: &Ledger) -> Result<(), Fault> {
    let mut states = replay(ledger)?;
    let places = place(history, ledger)?;
    for place in places.iter().flatten() {
        states.batch_ends.extend((*place.start()..*place.end()).map(|inside| (inside, *place.end())));
    }
    check_answers(history, ledger, &places)?;
    check_order(history, &places)?;
    check_reads(history, &places, &states)
}

/// Where a change stands in the ledger, if it does.
type Place = Option<RangeInclusive<i64>>;

/// The balances after each movement.
struct States {
    /// For each product its balances, each with the sequence since which it holds.
    balances: Vec<Vec<(i64, i64)>>,
    /// What lies inside a batch, and where the batch ends.
    batch_ends: HashMap<i64, i64>,
    first: i64,
    last: i64,
}

impl States {
    /// The first state in a range that shows all of these balances.
    fn first_showing(&self, seen: &[(usize, i64)], range: RangeInclusive<i64>) -> Option<i64> {
        range.into_iter().find(|state| {
            !self.batch_ends.contains_key(state)
                && seen.iter().all(|(product, balance)| self.balance(*product, *state) == Some(*balance))
        })
    }

    fn balance(&self, product: usize, state: i64) -> Option<i64> {
        let balances = self.balances.get(product)?;
        let after = balances.partition_point(|(since, _)| *since <= state);
        Some(balances[after.checked_sub(1)?].1)
    }
}

/// The ledger in itself: no gap, every balance the one before plus the change and not below
/// zero, the stocks their sums.
fn replay(ledger: &Ledger) -> Result<States, Fault> {
    if ledger.integrity != "ok" {
        return Err(Fault::Damaged(ledger.integrity.clone()));
    }
    let mut sums = vec![0; ledger.stocks.len()];
    let mut balances = vec![Vec::new(); ledger.stocks.len()];
    for (row, expected) in ledger.rows.iter().zip(1..) {
        let sequence = row.sequence;
        if sequence != expected {
            return Err(Fault::Gap { expected, sequence });
        }
        sums[row.product] += row.delta;
        if row.balance != sums[row.product] || row.balance < 0 {
            return Err(Fault::Balance { sequence, balance: row.balance, expected: sums[row.product] });
        }
        balances[row.product].push((sequence, row.balance));
    }
    for (product, (stock, sum)) in ledger.stocks.iter().copied().zip(sums).enumerate() {
        if stock != sum {
            return Err(Fault::Stock { product, stock, sum });
        }
    }
    let first = ledger.rows.iter().filter(|row| row.is_opening).count() as i64;
    Ok(States { balances, batch_ends: HashMap::new(), first, last: ledger.rows.len() as i64 })
}

/// Finds every change in the ledger, and for every movement its change.
fn place(history: &[Operation], ledger: &Ledger) -> Result<Vec<Place>, Fault> {
    let mut by_id: HashMap<&str, i64> = HashMap::new();
    let rows = ledger.rows.iter().filter_map(|row| Some((row.request_id.as_deref()?, row.sequence)));
    let batches = ledger.batches.iter().map(|(id, first)| (id.as_str(), *first));
    for (id, first) in rows.chain(batches) {
        if by_id.insert(id, first).is_some() {
            return Err(Fault::Twice(id.to_owned()));
        }
    }
    let mut unasked: Vec<bool> = ledger.rows.iter().map(|row| !row.is_opening).collect();
    let mut places = vec![None; history.len()];
    for (operation, place) in history.iter().zip(&mut places) {
        let Asked::Change { id, lines } = &operation.asked else { continue };
        let Some(first) = by_id.get(id.as_str()).copied() else { continue };
        for (line, sequence) in ledger_order(lines).into_iter().zip(first..) {
            let line = lines[line];
            let row = sequence.checked_sub(1).and_then(|index| ledger.rows.get(usize::try_from(index).ok()?));
            let is_same = row.is_some_and(|row| {
                (row.product, row.delta) == (line.product, line.delta)
                    && row.request_id.is_some() == (lines.len() == 1)
                    && std::mem::take(&mut unasked[sequence as usize - 1])
            });
            if !is_same {
                return Err(Fault::OtherContent(id.clone()));
            }
        }
        *place = Some(first..=first + lines.len() as i64 - 1);
    }
    match unasked.iter().position(|is_unasked| *is_unasked) {
        Some(index) => Err(Fault::Unasked(index as i64 + 1)),
        None => Ok(places),
    }
}

/// The order in which the lines of a change stand in the ledger: what brings before what takes.
pub(super) fn ledger_order(lines: &[Line]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by_key(|line| lines[*line].delta < 0);
    order
}

/// Every answer to a change is what the ledger says.
fn check_answers(history: &[Operation], ledger: &Ledger, places: &[Place]) -> Result<(), Fault> {
    for (index, (operation, place)) in history.iter().zip(places).enumerate() {
        let Some((_, answer)) = &operation.answer else { continue };
        let unexpected = || Fault::Unexpected { operation: index, answer: format!("{answer:?}") };
        let Asked::Change { id, lines } = &operation.asked else {
            match answer {
                Answer::Seen(balances) if balances.len() == operation.asked.products().len() => continue,
                _ => return Err(unexpected()),
            }
        };
        match (answer, place) {
            (Answer::Made(_), None) => return Err(Fault::Lost(id.clone())),
            (Answer::Made(made), Some(place)) => {
                if made.len() != lines.len() {
                    return Err(unexpected());
                }
                for (line, sequence) in ledger_order(lines).into_iter().zip(place.clone()) {
                    let row = &ledger.rows[sequence as usize - 1];
                    let made = made[line];
                    if made.balance != row.balance || made.sequence.is_some_and(|told| told != sequence) {
                        return Err(Fault::OtherAnswer(id.clone()));
                    }
                }
            }
            (Answer::Insufficient { .. }, Some(_)) => return Err(Fault::RefusedAndMade(id.clone())),
            (Answer::Insufficient { product, available }, None) => {
                let asked = lines.iter().filter(|line| line.product == *product);
                if available + asked.map(|line| line.delta).sum::<i64>() >= 0 {
                    return Err(Fault::Unjustified(id.clone()));
                }
            }
            _ => return Err(unexpected()),
        }
    }
    Ok(())
}

/// The order of changes respects time: what was answered stands before what was called later.
fn check_order(history: &[Operation], places: &[Place]) -> Result<(), Fault> {
    let mut answered = Answered::new(history);
    let mut last: Option<usize> = None;
    for index in by_call(history) {
        let end = |index: usize| places[index].as_ref().map(|place| *place.end());
        let before = answered.before(history[index].first_call());
        last = before
            .iter()
            .copied()
            .chain(last)
            .filter(|before| end(*before).is_some())
            .max_by_key(|i| end(*i));
        let earlier = last.into_iter().chain(history[index].follows).max_by_key(|index| end(*index));
        let Some((earlier, place)) = earlier.zip(places[index].as_ref()) else { continue };
        if end(earlier).is_some_and(|end| end >= *place.start()) {
            return Err(Fault::Order { earlier: history[earlier].id(), later: history[index].id() });
        }
    }
    Ok(())
}

/// Every read shows a state of its time, and no later read an earlier one.
fn check_reads(history: &[Operation], places: &[Place], states: &States) -> Result<(), Fault> {
    // For the changes in the order of their calls: the earliest place of each and all after it.
    let mut later: Vec<(u64, i64)> = Vec::new();
    for index in by_call(history).into_iter().rev() {
        if let Some(place) = &places[index] {
            let earliest = later.last().map_or(i64::MAX, |(_, start)| *start).min(*place.start());
            later.push((history[index].first_call(), earliest));
        }
    }
    let mut answered = Answered::new(history);
    // The state that each operation is known to have seen or made.
    let mut known: Vec<Option<i64>> =
        places.iter().map(|place| place.as_ref().map(|place| *place.end())).collect();
    let mut floor = states.first;
    for index in reads_by_call(history) {
        let operation = &history[index];
        let Some((end, answer)) = &operation.answer else { continue };
        let seen: Vec<(usize, i64)> = match answer {
            Answer::Seen(balances) => {
                operation.asked.products().into_iter().zip(balances.iter().copied()).collect()
            }
            Answer::Insufficient { product, available } => vec![(*product, *available)],
            Answer::Made(_) | Answer::Other(_) => continue,
        };
        let before = answered.before(operation.last_call());
        floor = before.iter().filter_map(|index| known[*index]).fold(floor, i64::max);
        let from =
            operation.follows.and_then(|index| known[index]).map_or(floor, |follows| floor.max(follows));
        let after = later.partition_point(|(called, _)| called > end);
        let to = after.checked_sub(1).map_or(states.last, |index| later[index].1 - 1);
        let state = states.first_showing(&seen, from..=to);
        known[index] = Some(state.ok_or(Fault::Read { operation: index, from, to })?);
    }
    Ok(())
}

/// The operations in the order in which they were first called.
fn by_call(history: &[Operation]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..history.len()).collect();
    order.sort_by_key(|index| history[*index].first_call());
    order
}

/// The operations in the order of the calls that were answered. What was refused at its last
/// call was not made at an earlier one, and saw nothing before the last.
fn reads_by_call(history: &[Operation]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..history.len()).collect();
    order.sort_by_key(|index| history[*index].last_call());
    order
}

/// Gives operations in the order of their answers.
struct Answered<'h> {
    history: &'h [Operation],
    order: Vec<usize>,
    given: usize,
}

impl<'h> Answered<'h> {
    fn new(history: &'h [Operation]) -> Self {
        let mut order: Vec<usize> =
            (0..history.len()).filter(|index| history[*index].answer.is_some()).collect();
        order.sort_by_key(|index| history[*index].answered_at());
        Self { history, order, given: 0 }
    }

    /// Those answered before a time that were not given yet.
    fn before(&mut self, time: u64) -> &[usize] {
        let from = self.given;
        while self.order.get(self.given).is_some_and(|index| self.history[*index].answered_at() < Some(time))
        {
            self.given += 1;
        }
        &self.order[from..self.given]
    }
}

impl Operation {
    fn first_call(&self) -> u64 {
        self.calls.first().map_or(0, |call| call.at)
    }

    fn last_call(&self) -> u64 {
        self.calls.last().map_or(0, |call| call.at)
    }

    fn answered_at(&self) -> Option<u64> {
        self.answer.as_ref().map(|(at, _)| *at)
    }

    fn id(&self) -> String {
        match &self.asked {
            Asked::Change { id, .. } => id.clone(),
            asked => format!("{asked:?}"),
        }
    }
}
