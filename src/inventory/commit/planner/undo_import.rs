//! The plan of the undo of an import, part by part: a part is a transaction that other writers hardly notice.

use std::collections::HashSet;
use std::time::SystemTime;

use super::imports::Part;
use super::results::{FirstResult, ImportMade};
use super::undo::{LATER_LOOKED_AT_MAX, LATER_NAMED_MAX, undoable};
use super::{Planner, unreadable};
use crate::catalog::{
    Author, ImportCounts, Movement, ProductChange, ProductId, RequestId, Undoable, undo_import_digest,
};
use crate::inventory::commit::change::WantedImport;
use crate::inventory::commit::result::{ImportResult, UndoneParts};
use crate::refusal::{Code, Refusal};
use crate::store::ChangesQuery;

impl Planner<'_> {
    /// Plans the undo of the last part of an import that is not undone yet. Nothing of the import is undone if a
    /// product that one of these parts created was used since.
    pub(super) fn undo_import(
        &mut self,
        wanted: WantedImport,
        request_id: Option<&RequestId>,
        author: Option<&Author>,
    ) -> Result<UndoneParts, Refusal> {
        let at = match wanted {
            WantedImport::Rest(number) => return self.undo_part(number, false, author),
            WantedImport::At(at) => Some(at),
            WantedImport::Last => None,
        };
        let micros = at.map(|at| at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros());
        self.once(
            request_id,
            undo_import_digest(micros.map(|micros| micros as i64)),
            |planner| {
                let number = planner.import_to_undo(at)?;
                let undone = planner.undo_part(number, true, author)?;
                Ok((undone, FirstResult::UndoOfImport(number)))
            },
            |planner, result| match result {
                // The first request may have ended between two parts.
                FirstResult::UndoOfImport(number) => Some(planner.undo_part(number, true, author)),
                // Versions that knew no parts have stored the effect.
                FirstResult::ImportUndone(at, result) => {
                    Some(Ok(UndoneParts { number: 0, at, parts: vec![result], left: 0 }))
                }
                _ => None,
            },
        )
    }

    /// Undoes the last part that is not undone yet, if there is one. Returns the effect on all parts so far.
    fn undo_part(
        &mut self,
        number: u64,
        checks_all: bool,
        author: Option<&Author>,
    ) -> Result<UndoneParts, Refusal> {
        let parts = self.parts_of(number)?;
        let mut undone: Vec<ImportResult> = parts.iter().rev().filter_map(|part| part.undone).collect();
        let mut left = parts.len() - undone.len();
        let made = self.undo_last_of(&parts, checks_all, author);
        let made = made.map_err(|refusal| match undone.len() {
            0 => refusal,
            undone => refusal.between_parts(undone, parts.len()),
        })?;
        if let Some(result) = made {
            undone.push(result);
            left -= 1;
        }
        let at = parts.first().map_or(SystemTime::UNIX_EPOCH, |part| part.made.at);
        Ok(UndoneParts { number, at, parts: undone, left })
    }

    fn undo_last_of(
        &mut self,
        parts: &[Part],
        checks_all: bool,
        author: Option<&Author>,
    ) -> Result<Option<ImportResult>, Refusal> {
        let open = || parts.iter().rev().filter(|part| part.undone.is_none());
        for part in open().take(if checks_all { parts.len() } else { 1 }) {
            self.check_unused(&part.made)?;
        }
        let Some(part) = open().next() else { return Ok(None) };
        let result = self.undo_made(&part.made, parts.len() > 1, author)?;
        self.note_undone(part, result);
        Ok(Some(result))
    }

    /// Undoes what a part changed. `may_be_nothing` says whether that may be nothing any more.
    fn undo_made(
        &mut self,
        made: &ImportMade,
        may_be_nothing: bool,
        author: Option<&Author>,
    ) -> Result<ImportResult, Refusal> {
        let changes = self.changes_of(made)?;
        let before = self.draft.terms_before(&changes)?;
        let created = self.created_by(made)?;
        let (updated, unchanged) = (before.count(), before.kept);
        if updated == 0 && created.is_empty() && !may_be_nothing {
            return Err(nothing_left());
        }
        let first_change = self.draft.next_change();
        let undone = self.draft.undo_import(before, &created, author);
        let discontinued = undone.map_err(|error| self.refuse_undo(error))?;
        let change_count = self.draft.next_change() - first_change;
        let counts = ImportCounts { created: 0, updated, unchanged, discontinued };
        Ok(ImportResult { counts, first_change, change_count, part: None })
    }

    fn changes_of(&mut self, made: &ImportMade) -> Result<Vec<ProductChange>, Refusal> {
        let count = usize::try_from(made.change_count).unwrap_or(0);
        if count == 0 {
            return Ok(Vec::new());
        }
        let end = made.first_change + made.change_count;
        let query = ChangesQuery { product: None, lowest: made.first_change, before: end, count_max: count };
        let mut changes = self.store.ledger().product_changes(&query).map_err(unreadable)?;
        changes.reverse();
        // An import of the same transaction is not there yet.
        if changes.len() == count { Ok(changes) } else { Err(not_yet()) }
    }

    /// The openings of the products that a part created.
    fn created_by(&mut self, made: &ImportMade) -> Result<Vec<Undoable>, Refusal> {
        let count = usize::try_from(made.created).unwrap_or(0);
        if count == 0 {
            return Ok(Vec::new());
        }
        let rows = self.store.rows(made.first_sequence, count).map_err(unreadable)?;
        if rows.len() != count {
            return Err(not_yet());
        }
        Ok(rows.into_iter().map(undoable).collect())
    }

    /// Checks that no product that a part created has had a movement since its opening, except undone ones.
    fn check_unused(&mut self, made: &ImportMade) -> Result<(), Refusal> {
        if made.created == 0 {
            return Ok(());
        }
        let first = self.row(made.first_sequence)?.ok_or_else(not_yet)?;
        let planned = self.draft.movements_from(self.draft.published() + 1);
        let planned: HashSet<ProductId> = planned.iter().map(|movement| movement.product).collect();
        // The products of a part have numbers one after the other, as their openings have.
        for offset in 0..made.created {
            let product = ProductId::from_number(first.movement.product.number() + offset);
            let (Some(product), opening) = (product, made.first_sequence + offset) else { continue };
            let last = self.draft.published_balance(product).last_movement;
            if last != opening || planned.contains(&product) {
                self.check_unused_since(product, opening, last)?;
            }
        }
        Ok(())
    }

    fn check_unused_since(&mut self, product: ProductId, opening: i64, last: i64) -> Result<(), Refusal> {
        let planned = self.draft.movements_from(self.draft.published() + 1);
        let mut used: Vec<Movement> = planned.iter().filter(|it| it.product == product).cloned().collect();
        if last > opening {
            let later = self.store.movements_back(last, opening, LATER_LOOKED_AT_MAX).map_err(unreadable)?;
            // More movements than these were not looked at.
            if later.len() == LATER_LOOKED_AT_MAX {
                used.extend(later.first().cloned());
            }
            for movement in later.into_iter().rev().filter(|it| it.sequence > opening) {
                let row = self.row(movement.sequence)?;
                if row.is_none_or(|row| row.undoes == 0 && row.undone_by == 0) {
                    used.push(movement);
                }
            }
        }
        if used.is_empty() {
            return Ok(());
        }
        used.truncate(LATER_NAMED_MAX);
        Err(Refusal::import_used(self.draft.product(product).name.as_str(), &used))
    }
}

fn not_yet() -> Refusal {
    let what = "a importação acaba de ser feita, e não pode ser desfeita neste instante. Nada foi alterado; repita o \
                pedido.";
    Refusal::new(Code::Unavailable, what)
}

fn nothing_left() -> Refusal {
    let what = "não há nada a desfazer dessa importação: tudo o que ela mudou mudou de novo depois. Nada foi alterado; \
                o histórico do cadastro mostra cada mudança.";
    Refusal::new(Code::AlreadyUndone, what)
}
