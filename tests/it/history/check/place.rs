//! The place of each change in the ledger, and for each movement its change.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use super::states::States;
use super::{Fault, keeps_turn, ledger_order};
use crate::history::{Answer, Asked, Kind, Ledger, Line, OPENING_PRODUCTS, Operation, Stored};

/// Where a change stands in the ledger, if it does.
#[derive(Debug, Clone, Default)]
pub(super) struct Place<'l> {
    /// Its movements.
    pub(super) movements: Option<RangeInclusive<i64>>,
    /// The result that is stored under its id.
    pub(super) stored: Option<&'l Stored>,
}

/// What a change must have made at its place: a movement.
#[derive(Debug, PartialEq, Eq)]
struct Expected {
    product: usize,
    delta: i64,
    kind: Kind,
    /// The movement that it undoes; 0 for none.
    undoes: i64,
}

/// Finds every change in the ledger, and for every movement its change.
pub(super) fn place<'l>(
    history: &[Operation],
    ledger: &'l Ledger,
    states: &States,
) -> Result<Vec<Place<'l>>, Fault> {
    let mut by_id: HashMap<&str, Found<'l>> = HashMap::new();
    let rows =
        ledger.rows.iter().filter_map(|row| Some((row.request_id.as_deref()?, Found::Row(row.sequence))));
    let requests = ledger.requests.iter().map(|(id, stored)| (id.as_str(), Found::Stored(stored)));
    for (id, found) in rows.chain(requests) {
        if by_id.insert(id, found).is_some() {
            return Err(Fault::Twice(id.to_owned()));
        }
    }
    let mut placing = Placing { ledger, states, is_free: vec![true; ledger.rows.len()] };
    placing.is_free[..OPENING_PRODUCTS].fill(false);
    let mut places = vec![Place::default(); history.len()];
    for (operation, place) in history.iter().zip(&mut places) {
        let Some(found) = operation.asked.id().and_then(|id| by_id.remove(id)) else { continue };
        let found = placing.take(&operation.asked, found);
        *place = found.ok_or_else(|| Fault::OtherContent(operation.id()))?;
    }
    placing.take_undos_without_id(history, &mut places);
    if let Some(index) = placing.is_free.iter().position(|is_free| *is_free) {
        return Err(Fault::Unasked(index as i64 + 1));
    }
    match by_id.into_keys().min() {
        Some(id) => Err(Fault::UnaskedId(id.to_owned())),
        None => Ok(places),
    }
}

/// What stands in the ledger under an id.
enum Found<'l> {
    /// A lone change.
    Row(i64),
    Stored(&'l Stored),
}

struct Placing<'l, 's> {
    ledger: &'l Ledger,
    states: &'s States,
    /// Whether no change was found for each movement yet.
    is_free: Vec<bool>,
}

impl<'l> Placing<'l, '_> {
    /// Places a change with an id; `None` if something else was made under the id.
    fn take(&mut self, asked: &Asked, found: Found<'l>) -> Option<Place<'l>> {
        let stored = match found {
            Found::Row(_) => None,
            Found::Stored(stored) => Some(stored),
        };
        let first = match (asked, found) {
            (Asked::Change { lines, .. }, Found::Row(sequence)) if lines.len() == 1 => Some(sequence),
            (Asked::Change { lines, .. }, Found::Stored(Stored::Batch(first))) if lines.len() > 1 => {
                Some(*first)
            }
            (Asked::Undo { .. }, Found::Stored(Stored::Undo(first, _))) => Some(*first),
            (Asked::Count { lines, .. }, Found::Stored(Stored::Count(results)))
                if lines.len() == results.len() =>
            {
                results.iter().map(|(sequence, _)| *sequence).find(|sequence| *sequence != 0)
            }
            (Asked::Import { lines, .. }, Found::Stored(Stored::Import(_))) => {
                let is_own = |(index, row): &(usize, &crate::history::Row)| {
                    let line = Line { product: row.product, delta: row.delta };
                    self.is_free[*index] && self.states.is_creation(row) && lines.contains(&line)
                };
                self.ledger.rows.iter().enumerate().find(is_own).map(|(_, row)| row.sequence)
            }
            _ => return None,
        };
        let movements = match first {
            Some(first) => Some(self.take_movements(asked, first)?),
            None => None,
        };
        let place = Place { movements, stored };
        self.is_stored_so(asked, &place).then_some(place)
    }

    /// Whether the stored result is that of the movements.
    fn is_stored_so(&self, asked: &Asked, place: &Place<'_>) -> bool {
        let count = place.movements.clone().map_or(0, |movements| movements.count() as i64);
        match (asked, place.stored) {
            (Asked::Undo { .. }, Some(Stored::Undo(_, stored))) => *stored == count,
            (Asked::Import { lines, .. }, Some(Stored::Import(stored))) => {
                *stored == [count, 0, lines.len() as i64 - count]
            }
            (Asked::Count { lines, .. }, Some(Stored::Count(results))) => {
                // Without a movement it is a read, which is looked at as one.
                let Some(mut made) = place.movements.clone() else { return true };
                let before = made.start() - 1;
                lines.iter().zip(results).all(|(line, (sequence, stock))| {
                    match self.states.difference(line, before) {
                        Some(0) => {
                            *sequence == 0 && self.states.balance(line.product, before) == Some(*stock)
                        }
                        _ => made.next() == Some(*sequence),
                    }
                })
            }
            _ => true,
        }
    }

    /// Takes the movements that a change made, from this one on; `None` if they are not what it must have
    /// made there.
    fn take_movements(&mut self, asked: &Asked, first: i64) -> Option<RangeInclusive<i64>> {
        let expected = self.expected(asked, first - 1).filter(|expected| !expected.is_empty())?;
        let range = usize::try_from(first - 1).ok()?..usize::try_from(first - 1).ok()? + expected.len();
        let rows = self.ledger.rows.get(range.clone())?;
        let is_lone_change = matches!(asked, Asked::Change { lines, .. } if lines.len() == 1);
        // The openings of an import are no document: each is undone by itself.
        let count = if matches!(asked, Asked::Import { .. }) { 1 } else { expected.len() as i64 };
        let is_same = rows.iter().zip(&expected).all(|(row, expected)| {
            let (product, delta, kind, undoes) =
                (row.product, row.delta, row.kind, self.states.undoes(row.sequence));
            Expected { product, delta, kind, undoes } == *expected
                && row.request_id.is_some() == is_lone_change
                && self.states.document(row.sequence) == (if count > 1 { first } else { row.sequence }, count)
        });
        let is_free = &mut self.is_free[range];
        if !is_same || is_free.contains(&false) {
            return None;
        }
        is_free.fill(false);
        Some(first..=first + expected.len() as i64 - 1)
    }

    /// The movements that a change makes on a state, in their order; `None` if it must be refused.
    fn expected(&self, asked: &Asked, state: i64) -> Option<Vec<Expected>> {
        let in_order = |lines: Vec<Line>, rest: &dyn Fn(usize) -> (Kind, i64)| {
            let expected = ledger_order(&lines).into_iter().map(|index| {
                let (kind, undoes) = rest(index);
                Expected { product: lines[index].product, delta: lines[index].delta, kind, undoes }
            });
            expected.collect()
        };
        match asked {
            Asked::Find(_) | Asked::List(_) => None,
            Asked::Change { lines, .. } => Some(in_order(lines.clone(), &|_| (Kind::Change, 0))),
            Asked::Undo { sequence, is_single, .. } => {
                let undone = self.states.undone_with(*sequence, *is_single, state)?;
                let row = |sequence: i64| &self.ledger.rows[sequence as usize - 1];
                let opposite =
                    |undone: &i64| Line { product: row(*undone).product, delta: -row(*undone).delta };
                let lines = undone.iter().map(opposite).collect();
                Some(in_order(lines, &|index| (row(undone[index]).kind, undone[index])))
            }
            Asked::Count { lines, .. } => {
                let mut expected = Vec::new();
                for line in lines {
                    let delta = self.states.difference(line, state)?;
                    expected.push(Expected { product: line.product, delta, kind: Kind::Count, undoes: 0 });
                }
                expected.retain(|expected| expected.delta != 0);
                Some(expected)
            }
            Asked::Import { lines, .. } => {
                let new = lines.iter().filter(|line| self.states.balance(line.product, state).is_none());
                let created = |line: &Line| Expected {
                    product: line.product,
                    delta: line.delta,
                    kind: Kind::Opening,
                    undoes: 0,
                };
                Some(new.map(created).collect())
            }
        }
    }

    /// Places the undos that have no id. A movement that is left is of one that was answered so, or else
    /// of one whose answer was lost; of several, the one that was called first binds least.
    fn take_undos_without_id(&mut self, history: &[Operation], places: &mut [Place<'_>]) {
        for first in 1..=self.ledger.rows.len() as i64 {
            if !self.is_free[first as usize - 1] || self.states.undoes(first) == 0 {
                continue;
            }
            let balance = self.ledger.rows[first as usize - 1].balance;
            let is_answered_so = |operation: &Operation| match &operation.answer {
                None => true,
                Some((_, Answer::Made(made))) => made
                    .iter()
                    .any(|made| made.balance == balance && made.sequence.is_none_or(|told| told == first)),
                Some(_) => false,
            };
            let is_open = |index: &usize| {
                let operation = &history[*index];
                matches!(&operation.asked, Asked::Undo { id: None, .. })
                    && places[*index].movements.is_none()
                    && is_answered_so(operation)
                    && operation
                        .follows
                        .is_none_or(|before| keeps_turn(history, places, self.states, before, first))
            };
            let mut open: Vec<usize> = (0..history.len()).filter(is_open).collect();
            open.sort_by_key(|index| (history[*index].answer.is_none(), history[*index].first_call()));
            for index in open {
                if let Some(movements) = self.take_movements(&history[index].asked, first) {
                    places[index].movements = Some(movements);
                    break;
                }
            }
        }
    }
}

impl Place<'_> {
    /// The last movement.
    pub(super) fn end(&self) -> Option<i64> {
        self.movements.as_ref().map(|movements| *movements.end())
    }

    /// What a change that was made is answered with: for each line the movement, 0 for none, and the
    /// product with its balance.
    pub(super) fn results(
        &self,
        asked: &Asked,
        ledger: &Ledger,
        states: &States,
    ) -> Vec<(i64, (usize, i64))> {
        let made = |sequence: i64| {
            let row = &ledger.rows[sequence as usize - 1];
            (sequence, (row.product, row.balance))
        };
        let mut results: Vec<_> = self.movements.clone().into_iter().flatten().map(made).collect();
        match (asked, self.stored) {
            (Asked::Change { lines, .. }, _) => {
                let mut by_line: Vec<_> = ledger_order(lines).into_iter().zip(results).collect();
                by_line.sort_by_key(|(line, _)| *line);
                by_line.into_iter().map(|(_, result)| result).collect()
            }
            (Asked::Count { lines, .. }, Some(Stored::Count(stored))) => {
                let result = |(line, (sequence, stock)): (&crate::history::Counted, &(i64, i64))| {
                    if *sequence == 0 { (0, (line.product, *stock)) } else { made(*sequence) }
                };
                lines.iter().zip(stored).map(result).collect()
            }
            _ => {
                // An undo is answered in the order of what it undid.
                results.sort_by_key(|(sequence, _)| states.undoes(*sequence));
                results
            }
        }
    }
}
