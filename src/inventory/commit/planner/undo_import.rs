//! The imports of the past, and the plan of the undo of one.
//!
//! Imports are numbered: 1, 2, 3, …. Each that changes something is kept as a request with an id of the planner's own,
//! which says what it changed and when; another such request says that it was undone. No client can use such an id.

use std::time::{Duration, SystemTime};

use super::results::{FirstResult, ImportMade};
use super::undo::{LATER_LOOKED_AT_MAX, LATER_NAMED_MAX, undoable};
use super::{Planner, unreadable};
use crate::catalog::{
    Author, Digest, ImportCounts, Movement, OWN_ID_START, ProductChange, RequestId, RequestRecord, Undoable,
    undo_import_digest,
};
use crate::inventory::commit::result::ImportResult;
use crate::refusal::{Code, Refusal};
use crate::store::{ChangesQuery, Recorded};

/// The most imports of one second that are looked at.
const IN_SECOND_MAX: u64 = 1000;

/// An import that may be undone.
struct Numbered {
    number: u64,
    made: ImportMade,
}

fn import_id(number: u64) -> Option<RequestId> {
    RequestId::from_stored(&format!("{OWN_ID_START}{number}")).ok()
}

fn undone_id(number: u64) -> Option<RequestId> {
    RequestId::from_stored(&format!("{OWN_ID_START}{number}-desfeita")).ok()
}

impl Planner<'_> {
    /// Keeps what the import with this number changed, so that it can be undone.
    pub(super) fn note_import(&mut self, number: u64, made: ImportMade) {
        if made.change_count > 0 || made.created > 0 {
            self.keep(import_id(number), &FirstResult::ImportMade(made));
        }
    }

    /// Plans the undo of an import.
    pub(super) fn undo_import(
        &mut self,
        at: Option<SystemTime>,
        request_id: Option<&RequestId>,
        author: Option<&Author>,
    ) -> Result<ImportResult, Refusal> {
        let micros = at.map(|at| at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros());
        self.once(
            request_id,
            undo_import_digest(micros.map(|micros| micros as i64)),
            |planner| {
                let import = planner.import_of(at)?;
                let result = planner.undo_found(&import, author)?;
                planner.keep(undone_id(import.number), &FirstResult::ImportUndone(result));
                Ok((result, FirstResult::ImportUndone(result)))
            },
            |_, result| match result {
                FirstResult::ImportUndone(result) => Some(Ok(result)),
                _ => None,
            },
        )
    }

    /// The import of this time, which is not undone yet.
    ///
    /// # Errors
    /// If there is none, or it was undone.
    fn import_of(&mut self, at: Option<SystemTime>) -> Result<Numbered, Refusal> {
        let last = self.last_import()?;
        let Some(at) = at else {
            let made = self.import_made(last)?;
            let made = made.ok_or_else(|| no_import("não há importação para desfazer"))?;
            return self.open(Numbered { number: last, made });
        };
        let is_whole_second =
            at.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|since| since.subsec_nanos() == 0);
        let moment = if is_whole_second { Duration::from_secs(1) } else { Duration::from_micros(1) };
        let mut refused = no_import("nesse momento não houve importação");
        let Some(until) = at.checked_add(moment) else { return Err(refused) };
        let end = self.first_import_from(until, last)?;
        for number in (end.saturating_sub(IN_SECOND_MAX).max(1)..end).rev() {
            let Some(made) = self.import_made(number)? else { continue };
            if made.at < at {
                break;
            }
            match self.open(Numbered { number, made }) {
                Ok(import) => return Ok(import),
                Err(refusal) => refused = refusal,
            }
        }
        Err(refused)
    }

    /// The import, unless it was undone.
    fn open(&mut self, import: Numbered) -> Result<Numbered, Refusal> {
        match self.kept(undone_id(import.number))? {
            None => Ok(import),
            Some(_) => Err(Refusal::new(
                Code::AlreadyUndone,
                "essa importação já foi desfeita. Nada foi alterado; para desfazer uma anterior, diga o momento dela, \
                 como o histórico do cadastro o mostra.",
            )),
        }
    }

    /// The number of the last import; 0 for none.
    pub(super) fn last_import(&mut self) -> Result<u64, Refusal> {
        let mut end = 1;
        while self.kept(import_id(end))?.is_some() {
            end *= 2;
        }
        // The import `low` is there or 0, and the import `end` is not.
        let mut low = end / 2;
        while low + 1 < end {
            let middle = low + (end - low) / 2;
            match self.kept(import_id(middle))? {
                Some(_) => low = middle,
                None => end = middle,
            }
        }
        Ok(low)
    }

    /// The number of the first import that was recorded at this time or later; one more than the last if there is
    /// none.
    fn first_import_from(&mut self, time: SystemTime, last: u64) -> Result<u64, Refusal> {
        let (mut low, mut end) = (1, last + 1);
        while low < end {
            let middle = low + (end - low) / 2;
            match self.import_made(middle)? {
                Some(made) if made.at < time => low = middle + 1,
                _ => end = middle,
            }
        }
        Ok(low)
    }

    fn import_made(&mut self, number: u64) -> Result<Option<ImportMade>, Refusal> {
        let Some(Recorded::Request(record)) = self.kept(import_id(number))? else { return Ok(None) };
        match FirstResult::decode(&record.result) {
            Some(FirstResult::ImportMade(made)) => Ok(Some(made)),
            _ => Ok(None),
        }
    }

    /// The request with an id of the planner's own, from the store or from this transaction.
    fn kept(&mut self, id: Option<RequestId>) -> Result<Option<Recorded>, Refusal> {
        let Some(id) = id else { return Ok(None) };
        if let Some(recorded) = self.recorded.get(&id) {
            return Ok(Some(recorded.clone()));
        }
        Ok(self.store.recorded(&[&id]).map_err(unreadable)?.remove(&id))
    }

    fn keep(&mut self, id: Option<RequestId>, result: &FirstResult) {
        let Some(request_id) = id else { return };
        // No request of a client has this content.
        let digest = Digest::of("história das importações").value();
        let record = RequestRecord { request_id, digest, result: result.encode() };
        self.recorded.insert(record.request_id.clone(), Recorded::Request(record.clone()));
        self.draft.record_request(record);
    }

    fn undo_found(&mut self, import: &Numbered, author: Option<&Author>) -> Result<ImportResult, Refusal> {
        let Numbered { made, .. } = import;
        let changes = self.changes_of(made)?;
        let before = self.draft.terms_before(&changes)?;
        let created = self.created_by(made)?;
        for opening in &created {
            self.check_unused(opening)?;
        }
        let (updated, unchanged) = (before.count(), before.kept);
        if updated == 0 && created.is_empty() {
            return Err(nothing_left());
        }
        let first_change = self.draft.next_change();
        let undone = self.draft.undo_import(before, &created, author);
        let discontinued = undone.map_err(|error| self.refuse_undo(error))?;
        let change_count = self.draft.next_change() - first_change;
        let counts = ImportCounts { created: 0, updated, unchanged, discontinued };
        Ok(ImportResult { counts, first_change, change_count, undone: Some(made.at) })
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

    /// The openings of the products that an import created.
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

    /// Checks that a created product has had no movement since its opening, except undone ones.
    fn check_unused(&mut self, opening: &Undoable) -> Result<(), Refusal> {
        let Movement { product, sequence, .. } = opening.movement;
        let last = self.draft.published_balance(product).last_movement;
        let planned = self.draft.movements_from(self.draft.published() + 1);
        let mut used: Vec<Movement> = planned.iter().filter(|it| it.product == product).cloned().collect();
        if last > sequence {
            let later = self.store.movements_back(last, sequence, LATER_LOOKED_AT_MAX).map_err(unreadable)?;
            // More movements than these were not looked at.
            if later.len() == LATER_LOOKED_AT_MAX {
                used.extend(later.first().cloned());
            }
            for movement in later.into_iter().rev().filter(|it| it.sequence > sequence) {
                let row = self.store.rows(movement.sequence, 1).map_err(unreadable)?.pop();
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

fn no_import(what: &str) -> Refusal {
    let what =
        format!("{what}. Nada foi alterado; o histórico do cadastro mostra o momento de cada mudança.");
    Refusal::new(Code::MovementNotFound, what)
}
