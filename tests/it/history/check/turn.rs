//! The order of a connection, where changes are called again.

use super::place::Place;
use super::states::States;
use crate::history::Operation;

/// The changes that the connection of an operation asked for before it, the last first. None if the operation
/// was called again: on which connection it was then made, nobody knows.
pub(super) fn before_on_connection(history: &[Operation], index: usize) -> impl Iterator<Item = usize> {
    let last = history[index].follows.filter(|_| history[index].calls.len() == 1);
    // A change in between may have been called again, and none of its movements may be in the ledger: its
    // first call still stands between the others.
    std::iter::successors(last, |before| history[*before].follows)
}

/// Whether a change whose movements begin with `first` may stand there after `before`, which the same
/// connection asked for earlier.
///
/// A change that was called again may stand later than that: the first call was refused, the connection broke
/// before the refusal arrived, and a later call made the change. This needs a state that refuses `before`,
/// not before any change that was answered when `before` was called, and before `first`.
pub(super) fn keeps_turn(
    history: &[Operation],
    places: &[Place<'_>],
    states: &States,
    before: usize,
    first: i64,
) -> bool {
    if places[before].end().is_none_or(|end| end < first) {
        return true;
    }
    let operation = &history[before];
    // Most operations are called once, and the rest takes a look at all of them.
    if operation.calls.len() == 1 {
        return false;
    }
    let called = operation.first_call();
    let answered =
        history.iter().zip(places).filter(|(it, _)| it.answered_at().is_some_and(|at| at < called));
    let from = answered.filter_map(|(_, place)| place.end()).fold(states.first, i64::max);
    states.visible(from..=first - 1).any(|state| states.refuses(state, &operation.asked))
}
