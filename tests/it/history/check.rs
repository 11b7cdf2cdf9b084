//! Whether a history can be true: pure, no I/O.
//!
//! The ledger gives the one order of changes, so nothing is searched for: state `s` is the
//! shop after the movement of sequence `s`, and the history is linearizable where
//!
//! - every answered change stands in the ledger once, as it was answered, and every movement
//!   is of a change that was asked for ([`place`]). What an undo or a count must have made follows
//!   from the state before it;
//! - a change that was answered before another was called stands before it;
//! - for every read there is a state that shows what it saw, not before any change or read
//!   that was answered when it was called, and before every change that was called after
//!   its answer. Taking the earliest such state, read by read in the order of their calls,
//!   finds one for each if there is any: an earlier choice never binds a later read more.
//!
//! A refusal is a read of what forbade the change, and so is a change that made no movement, because a count
//! found what there was or an import found its products. The inside of a change is no state.

mod place;
mod states;
mod turn;
mod watched;

use super::{Answer, Asked, Ledger, Line, Operation, Stored};
use place::{Place, place};
use states::States;
use turn::{before_on_connection, keeps_turn};
pub(crate) use watched::check_watched;

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
    #[error("the products stand in the order {catalog:?}, and were created in the order {created:?}")]
    Catalog { catalog: Vec<usize>, created: Vec<usize> },
    #[error("the movement {0} is undone twice")]
    UndoneTwice(i64),
    #[error("the movement {by} cannot undo the movement {undone}")]
    Link { undone: i64, by: i64 },
    #[error("the document that begins with the movement {0} cannot be")]
    Document(i64),
    #[error("the change {0} stands in the ledger twice")]
    Twice(String),
    #[error("the movement {0} belongs to no change that was asked for")]
    Unasked(i64),
    #[error("the change {0} was never asked for")]
    UnaskedId(String),
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
    #[error("a watcher got the movement {sequence} where the movement {expected} should be")]
    WatchedOutOfTurn { expected: i64, sequence: i64 },
    #[error("a watcher got the movement {0} otherwise than it stands in the ledger")]
    WatchedOtherwise(i64),
    #[error("a watcher got the movement {0}, which is not in the ledger")]
    WatchedAndLost(i64),
    #[error("a watcher did not get the movement {0}")]
    NotWatched(i64),
    #[error("the server {0}")]
    Conduct(String),
}

/// Looks for a fault.
pub(crate) fn check(history: &[Operation], ledger: &Ledger) -> Result<(), Fault> {
    let mut states = States::replay(ledger)?;
    let places = place(history, ledger, &states)?;
    for movements in places.iter().filter_map(|place| place.movements.as_ref()) {
        states.hide(*movements.start()..*movements.end());
    }
    check_answers(history, ledger, &places, &states)?;
    check_order(history, &places, &states)?;
    check_reads(history, &places, &states)
}

/// The order in which the lines of a change stand in the ledger: what brings before what takes.
pub(super) fn ledger_order(lines: &[Line]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by_key(|line| lines[*line].delta < 0);
    order
}

/// Every answer is one to what was asked, and every answer to a change is what the ledger says.
fn check_answers(
    history: &[Operation],
    ledger: &Ledger,
    places: &[Place<'_>],
    states: &States,
) -> Result<(), Fault> {
    for (index, (operation, place)) in history.iter().zip(places).enumerate() {
        let Some((_, answer)) = &operation.answer else { continue };
        let unexpected = || Err(Fault::Unexpected { operation: index, answer: format!("{answer:?}") });
        let id = || operation.id();
        let is_there = place.movements.is_some() || place.stored.is_some();
        match (&operation.asked, answer) {
            (Asked::Find(product), Answer::Seen(seen))
                if seen[..].iter().all(|it| it.product == *product) =>
            {
                if seen.len() != 1 {
                    return unexpected();
                }
            }
            (Asked::List(_), Answer::Seen(_)) => {}
            (Asked::Find(product), Answer::NoProduct(other)) if product == other => {}
            (
                Asked::Change { .. } | Asked::Undo { .. } | Asked::Count { .. } | Asked::Import { .. },
                Answer::Made(_) | Answer::Imported { .. },
            ) if !is_there => return Err(Fault::Lost(id())),
            (Asked::Change { .. } | Asked::Undo { .. } | Asked::Count { .. }, Answer::Made(made)) => {
                let made: Vec<_> = made.iter().map(|made| (made.product, made.balance)).zip(made).collect();
                let expected = place.results(&operation.asked, ledger, states);
                if made.len() != expected.len() {
                    return unexpected();
                }
                let is_same = |((told, made), (sequence, expected)): (&(_, &super::Made), &(i64, _))| {
                    told == expected && made.sequence.is_none_or(|told| told == *sequence)
                };
                if !made.iter().zip(&expected).all(is_same) {
                    return Err(Fault::OtherAnswer(id()));
                }
            }
            (Asked::Import { .. }, Answer::Imported { created, unchanged }) => {
                if place.stored != Some(&Stored::Import([*created, 0, *unchanged])) {
                    return Err(Fault::OtherAnswer(id()));
                }
            }
            (Asked::Change { lines, .. }, Answer::Insufficient { product, available }) if !is_there => {
                let asked = lines.iter().filter(|line| line.product == *product);
                if available + asked.map(|line| line.delta).sum::<i64>() >= 0 {
                    return Err(Fault::Unjustified(id()));
                }
            }
            // Whether there was a reason to refuse is a matter of the state that is shown.
            (Asked::Undo { .. }, Answer::AlreadyUndone(_))
            | (
                Asked::Undo { .. } | Asked::Count { .. },
                Answer::Insufficient { .. } | Answer::NoMovement(_),
            )
            | (Asked::Change { .. } | Asked::Count { .. }, Answer::NoProduct(_))
            | (Asked::Count { .. }, Answer::TooFarBack(_))
                if !is_there => {}
            (
                asked,
                Answer::Insufficient { .. }
                | Answer::NoProduct(_)
                | Answer::NoMovement(_)
                | Answer::TooFarBack(_)
                | Answer::AlreadyUndone(_),
            ) if asked.is_change() && is_there => return Err(Fault::RefusedAndMade(id())),
            _ => return unexpected(),
        }
    }
    Ok(())
}

/// The order of changes respects time, and the order of each connection: a change that was answered stands
/// before each change that was called later.
fn check_order(history: &[Operation], places: &[Place<'_>], states: &States) -> Result<(), Fault> {
    let mut answered = Answered::new(history);
    let mut last: Option<usize> = None;
    for index in in_order(history, |index| history[index].first_call()) {
        let end = |index: usize| places[index].end();
        let before = answered.before(history[index].first_call());
        last = before
            .iter()
            .copied()
            .chain(last)
            .filter(|before| end(*before).is_some())
            .max_by_key(|i| end(*i));
        let Some(first) = places[index].movements.as_ref().map(|movements| *movements.start()) else {
            continue;
        };
        let is_late = |earlier: &usize| end(*earlier).is_some_and(|end| end >= first);
        let is_out_of_turn = |earlier: &usize| !keeps_turn(history, places, states, *earlier, first);
        let own = own_turn(history, places, index).find(is_out_of_turn);
        if let Some(earlier) = last.filter(is_late).or(own) {
            return Err(Fault::Order { earlier: history[earlier].id(), later: history[index].id() });
        }
    }
    Ok(())
}

/// The changes of a connection that a later one of it must stand after: up to one whose own turn is looked at.
fn own_turn<'h>(
    history: &'h [Operation],
    places: &'h [Place<'_>],
    index: usize,
) -> impl Iterator<Item = usize> + 'h {
    let mut is_over = false;
    before_on_connection(history, index).take_while(move |before| {
        let is_within = !is_over;
        is_over = places[*before].movements.is_some() && history[*before].calls.len() == 1;
        is_within
    })
}

/// Every read shows a state of its time, and no later read an earlier one.
fn check_reads(history: &[Operation], places: &[Place<'_>], states: &States) -> Result<(), Fault> {
    // For the changes in the order of their calls: the earliest place of each and all after it.
    let mut later: Vec<(u64, i64)> = Vec::new();
    for index in in_order(history, |index| history[index].first_call()).into_iter().rev() {
        if let Some(movements) = &places[index].movements {
            let earliest = later.last().map_or(i64::MAX, |(_, start)| *start).min(*movements.start());
            later.push((history[index].first_call(), earliest));
        }
    }
    let mut answered = Answered::new(history);
    // The state that each operation is known to have seen or made.
    let mut known: Vec<Option<i64>> = places.iter().map(Place::end).collect();
    let mut floor = states.first;
    // What was refused at its last call was not made at an earlier one, and saw nothing before the last. What
    // was stored and made no movement may have been so at the first.
    let begin = |index: usize| {
        let operation: &Operation = &history[index];
        if places[index].stored.is_some() { operation.first_call() } else { operation.last_call() }
    };
    for index in in_order(history, begin) {
        let operation = &history[index];
        let Some((end, answer)) = &operation.answer else { continue };
        if places[index].movements.is_some() {
            continue;
        }
        let before = answered.before(begin(index));
        floor = before.iter().filter_map(|index| known[*index]).fold(floor, i64::max);
        // A name is looked for when it comes, and does not wait for the changes before it.
        let waits = !matches!(answer, Answer::NoProduct(_));
        // Answers keep the order of the questions, so a change that was called again had been put off before
        // this read was answered.
        let mut follows = before_on_connection(history, index)
            .filter(|before| waits && history[*before].calls.len() == 1)
            .filter_map(|before| known[before]);
        let from = follows.next().map_or(floor, |follows| floor.max(follows));
        let after = later.partition_point(|(called, _)| called > end);
        let to = after.checked_sub(1).map_or(states.last, |index| later[index].1 - 1);
        let state = states.visible(from..=to).find(|state| states.shows(*state, &operation.asked, answer));
        known[index] = Some(state.ok_or(Fault::Read { operation: index, from, to })?);
    }
    Ok(())
}

/// The operations in the order of such times.
fn in_order(history: &[Operation], time: impl Fn(usize) -> u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..history.len()).collect();
    order.sort_by_key(|index| time(*index));
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
        self.asked.id().map_or_else(|| format!("{:?}", self.asked), str::to_owned)
    }
}
