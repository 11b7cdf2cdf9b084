//! The order of a connection, where changes are called again.

use super::place::Place;
use super::states::States;
use crate::history::Operation;

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
    let called = operation.first_call();
    let answered =
        history.iter().zip(places).filter(|(it, _)| it.answered_at().is_some_and(|at| at < called));
    let from = answered.filter_map(|(_, place)| place.end()).fold(states.first, i64::max);
    operation.calls.len() > 1
        && states.visible(from..=first - 1).any(|state| states.refuses(state, &operation.asked))
}
