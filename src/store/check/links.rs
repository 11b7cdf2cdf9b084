//! The links between movements: documents and undos.

use std::collections::{HashMap, HashSet};
use std::vec::IntoIter;

use super::fault::Fault;
use super::moment::{Moment, Rows};
use crate::catalog::{Document, Kind, Movement, Price, ProductId, Quantity, Undo};

/// Checks the documents of a ledger whose last movement is `last`: they do not overlap, and have their movements.
pub(super) fn check_documents(moment: &mut dyn Moment, last: i64) -> Result<(), Fault> {
    let (mut documents, mut free) = (Rows::of_documents(), 1);
    while let Some(Document { first_sequence: first, count }) = documents.next(moment)? {
        let end = first.saturating_add(count);
        if first < free || count < 2 || end > last + 1 {
            return Err(Fault::of(format!("o documento {first} não tem os seus movimentos")));
        }
        free = end;
    }
    Ok(())
}

/// The undos of a ledger, beside the replay of its movements. An undo is the opposite of the undone movement, of
/// the same product, and is not undone itself.
pub(super) struct Undos {
    /// The undos that are left, in the order of the undoing movements.
    left: std::iter::Peekable<IntoIter<Undo>>,
    undoing: HashSet<i64>,
    /// The movements that are undone. `None` until they are visited.
    undone: HashMap<i64, Option<Facts>>,
}

/// The facts of a movement that those of its undo follow from.
type Facts = (ProductId, Kind, Quantity, Price);

impl Undos {
    pub(super) fn read(moment: &mut dyn Moment) -> Result<Self, Fault> {
        let (mut rows, mut undos) = (Rows::of_undos(), Vec::new());
        while let Some(undo) = rows.next(moment)? {
            undos.push(undo);
        }
        Ok(Self {
            undoing: undos.iter().map(|undo| undo.by).collect(),
            undone: undos.iter().map(|undo| (undo.undone, None)).collect(),
            left: undos.into_iter().peekable(),
        })
    }

    /// Whether this movement, the next one of the replay, undoes another.
    pub(super) fn is_next(&mut self, sequence: i64) -> bool {
        self.left.peek().is_some_and(|undo| undo.by == sequence)
    }

    /// Checks the undo by a movement, if it is one. Movements are visited in order.
    pub(super) fn visit(&mut self, movement: &Movement) -> Result<(), Fault> {
        let Movement { sequence, product, kind, delta, price, .. } = *movement;
        if let Some(undone) = self.undone.get_mut(&sequence) {
            *undone = Some((product, kind, delta, price));
        }
        let Some(Undo { undone, by }) = self.left.next_if(|undo| undo.by == sequence) else { return Ok(()) };
        let Some(Some((_, _, undone_delta, _))) = self.undone.get(&undone) else { return Err(astray(by)) };
        let is_opposite = undone_delta.thousandths() == -delta.thousandths();
        let expected = Some((product, kind, *undone_delta, price));
        let is_undone = undone < by && self.undone.get(&undone) == Some(&expected) && is_opposite;
        if is_undone && !self.undoing.contains(&undone) { Ok(()) } else { Err(astray(by)) }
    }

    /// Checks that no undo is left.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        self.left.next().map_or(Ok(()), |undo| Err(astray(undo.by)))
    }
}

fn astray(by: i64) -> Fault {
    Fault::of(format!("o movimento {by} não desfaz o que diz desfazer"))
}
