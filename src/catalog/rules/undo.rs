//! The rules of `UndoMovement`: the opposite of a movement is appended, once only.

use super::adjust::AdjustmentError;
use crate::catalog::adjustment::Adjustment;
use crate::catalog::author::Author;
use crate::catalog::details::{Details, Note};
use crate::catalog::digest::Digest;
use crate::catalog::draft::Draft;
use crate::catalog::movement::Movement;
use crate::catalog::quantity::Quantity;
use crate::catalog::transaction::Undo;

/// A movement to undo, and its links to other movements of the ledger.
#[derive(Debug, Clone)]
pub struct Undoable {
    /// The movement to undo.
    pub movement: Movement,
    /// The movement that this one undoes; 0 for none.
    pub undoes: i64,
    /// The movement that undid this one; 0 for none.
    pub undone_by: i64,
}

/// Why an undo is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UndoError {
    /// The movement is already undone.
    #[error("o movimento #{sequence} já foi desfeito pelo #{by}")]
    AlreadyUndone { sequence: i64, by: i64 },
    /// The movement is itself an undo.
    #[error("o movimento #{sequence} desfaz o #{undoes}, e um estorno não se desfaz")]
    IsUndo { sequence: i64, undoes: i64 },
    /// The movement is the opening of a product with no stock.
    #[error("o movimento #{sequence} não mudou o estoque")]
    ChangedNothing { sequence: i64 },
    /// The opposite change is refused.
    #[error("o movimento #{} não pode ser desfeito: {error}", .movement.sequence)]
    Refused { movement: Box<Movement>, error: AdjustmentError },
}

/// The digest of an undo.
pub fn undo_digest(sequence: i64, is_single: bool, note: Option<&Note>) -> u64 {
    let mut digest = Digest::of("estorno");
    digest.feed(&sequence.to_le_bytes());
    digest.feed(&[u8::from(is_single)]);
    digest.feed_note(note);
    digest.value()
}

impl Draft<'_> {
    /// Appends the opposite of each movement of a document that is not undone yet: all or none. The client
    /// named the movement `named`. Returns the new movements in the order of the document, each with the
    /// sequence number of the movement that it undoes.
    ///
    /// # Errors
    /// If the named movement is already undone, if a movement is itself an undo or changed nothing, or if
    /// an opposite change breaks a rule. The draft is then unchanged.
    pub fn undo(
        &mut self,
        named: i64,
        document: &[Undoable],
        author: Option<&Author>,
        note: Option<&Note>,
    ) -> Result<Vec<(i64, Movement)>, UndoError> {
        let mut undone: Vec<&Movement> = Vec::with_capacity(document.len());
        for Undoable { movement, undoes, undone_by } in document {
            let sequence = movement.sequence;
            if *undoes != 0 {
                // Then all of the document are, and the client knows the one that it named.
                let asked = document.iter().find(|it| it.movement.sequence == named);
                let (sequence, undoes) = asked.map_or((sequence, *undoes), |it| (named, it.undoes));
                return Err(UndoError::IsUndo { sequence, undoes });
            }
            let here = self.undos.iter().find(|undo| undo.undone == sequence);
            let by = here.map_or(*undone_by, |undo| undo.by);
            if by != 0 && sequence == named {
                return Err(UndoError::AlreadyUndone { sequence, by });
            }
            if movement.delta == Quantity::ZERO {
                return Err(UndoError::ChangedNothing { sequence });
            }
            if by == 0 {
                undone.push(movement);
            }
        }
        let opposite = |movement: &&Movement| Adjustment {
            product: movement.product,
            delta: movement.delta.opposite(),
            kind: movement.kind,
            request_id: None,
            author: author.cloned(),
            details: opposite_details(movement, note),
            label: None,
        };
        let opposites: Vec<Adjustment> = undone.iter().map(opposite).collect();
        let refused = |(index, error): (usize, _)| {
            let movement: &Movement = undone[index];
            UndoError::Refused { movement: Box::new(movement.clone()), error }
        };
        let made = self.make_all(&opposites, &undone).map_err(refused)?;
        let mut linked = Vec::with_capacity(made.len());
        for (made, undone) in made.into_iter().zip(undone) {
            self.undos.push(Undo { undone: undone.sequence, by: made.sequence });
            linked.push((undone.sequence, made));
        }
        Ok(linked)
    }
}

/// The details of the movement that undoes this one: the same money and reason, so that both together are
/// nothing in a report, and a note of its own.
fn opposite_details(undone: &Movement, note: Option<&Note>) -> Option<Box<Details>> {
    let own = undone.details.as_deref();
    let details = Details {
        amount: own.and_then(|details| details.amount),
        loss_reason: own.and_then(|details| details.loss_reason),
        note: note.cloned(),
        purchase: None,
    };
    details.boxed()
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use proptest::prelude::*;

    use super::*;
    use crate::catalog::transaction::{Document, Transaction};
    use crate::catalog::{Catalog, Kind, original_products};

    fn change(catalog: &Catalog, name: &str, units: i32) -> Adjustment {
        let (product, delta) = (catalog.find(name).unwrap().id, Quantity::from_units(units));
        Adjustment::new(product, delta, Kind::Adjustment)
    }

    /// A shop after a batch of sales.
    fn sold(changes: &[(&str, i32)]) -> (Catalog, Transaction) {
        let mut catalog = Catalog::default();
        let mut draft = Draft::new(&catalog, SystemTime::UNIX_EPOCH);
        draft.import(&original_products(), None).unwrap();
        let opening = draft.finish();
        catalog.apply(&opening);
        let changes: Vec<_> = changes.iter().map(|(name, units)| change(&catalog, name, *units)).collect();
        let mut draft = Draft::new(&catalog, SystemTime::UNIX_EPOCH);
        draft.adjust_all(&changes).unwrap();
        let transaction = draft.finish();
        catalog.apply(&transaction);
        (catalog, transaction)
    }

    fn undoable(movement: &Movement) -> Undoable {
        Undoable { movement: movement.clone(), undoes: 0, undone_by: 0 }
    }

    fn stocks(catalog: &Catalog) -> Vec<Quantity> {
        catalog.products().iter().map(|product| product.stock).collect()
    }

    #[test]
    fn a_document_is_undone_whole_and_once() {
        let (mut catalog, batch) = sold(&[("caju", -60), ("maca", -5), ("caju", 10)]);
        let mut document: Vec<Undoable> = batch.movements.iter().map(undoable).collect();
        let mut draft = Draft::new(&catalog, SystemTime::UNIX_EPOCH);
        let made = draft.undo(6, &document, None, None).unwrap();
        assert_eq!(made.iter().map(|(_, it)| it.kind).collect::<Vec<_>>(), [Kind::Adjustment; 3]);
        // Within one transaction, too.
        let again = draft.undo(6, &document, None, None).unwrap_err();
        assert!(matches!(again, UndoError::AlreadyUndone { sequence: 6, by: 8..=10 }), "{again:?}");
        let transaction = draft.finish();
        assert_eq!(transaction.documents, [Document { first_sequence: 8, count: 3 }]);
        assert_eq!(transaction.undos.iter().map(|undo| undo.undone).collect::<Vec<_>>(), [5, 6, 7]);
        catalog.apply(&transaction);
        assert_eq!(stocks(&catalog), [20, 15, 30, 60].map(Quantity::from_units));
        // One of its movements was undone alone.
        document[1].undone_by = 99;
        let (catalog, _) = sold(&[("caju", -60), ("maca", -5), ("caju", 10)]);
        let mut draft = Draft::new(&catalog, SystemTime::UNIX_EPOCH);
        assert_eq!(
            draft.undo(6, &document, None, None),
            Err(UndoError::AlreadyUndone { sequence: 6, by: 99 })
        );
        assert_eq!(draft.undo(5, &document, None, None).unwrap().len(), 2);
    }

    #[test]
    fn what_cannot_be_undone_changes_nothing() {
        let (mut catalog, batch) = sold(&[("caju", 10), ("maca", -5)]);
        let mut draft = Draft::new(&catalog, SystemTime::UNIX_EPOCH);
        draft.adjust(&change(&catalog, "caju", -65)).unwrap();
        let sale = draft.finish();
        catalog.apply(&sale);
        let document: Vec<Undoable> = batch.movements.iter().map(undoable).collect();
        let mut draft = Draft::new(&catalog, SystemTime::UNIX_EPOCH);
        let refused = draft.undo(5, &document, None, None).unwrap_err();
        assert!(refused.to_string().contains("há 5 un"), "{refused}");
        let is_undo = Undoable { undoes: 3, ..undoable(&sale.movements[0]) };
        assert_eq!(draft.undo(7, &[is_undo], None, None), Err(UndoError::IsUndo { sequence: 7, undoes: 3 }));
        // The refusal is about the movement that was named, and not about the first of its document.
        let undos: Vec<Undoable> =
            batch.movements.iter().zip(1..).map(|(it, undoes)| Undoable { undoes, ..undoable(it) }).collect();
        assert_eq!(draft.undo(6, &undos, None, None), Err(UndoError::IsUndo { sequence: 6, undoes: 2 }));
        let mut nothing = undoable(&sale.movements[0]);
        nothing.movement.delta = Quantity::ZERO;
        assert_eq!(draft.undo(7, &[nothing], None, None), Err(UndoError::ChangedNothing { sequence: 7 }));
        assert!(draft.finish().is_empty());
    }

    proptest! {
        #[test]
        fn what_is_undone_is_as_it_was(
            changes in prop::collection::vec((0_usize..4, (-20_i32..20).prop_filter("no change", |it| *it != 0)), 1..9)
        ) {
            let names = ["maca", "pera", "banana", "caju"];
            let changes: Vec<_> = changes.into_iter().map(|(name, units)| (names[name], units)).collect();
            let (mut catalog, _) = sold(&[("caju", 1)]);
            let before = stocks(&catalog);
            let asked: Vec<_> = changes.iter().map(|(name, units)| change(&catalog, name, *units)).collect();
            let mut draft = Draft::new(&catalog, SystemTime::UNIX_EPOCH);
            prop_assume!(draft.adjust_all(&asked).is_ok());
            let batch = draft.finish();
            catalog.apply(&batch);
            let document: Vec<Undoable> = batch.movements.iter().map(undoable).collect();
            let mut draft = Draft::new(&catalog, SystemTime::UNIX_EPOCH);
            draft.undo(batch.movements[0].sequence, &document, None, None).unwrap();
            let undone = draft.finish();
            catalog.apply(&undone);
            prop_assert_eq!(stocks(&catalog), before);
            for (undo, movement) in undone.undos.iter().zip(&batch.movements) {
                prop_assert_eq!(undo.undone, movement.sequence);
            }
            for movement in &undone.movements {
                prop_assert!(movement.balance >= Quantity::ZERO);
            }
        }
    }
}
