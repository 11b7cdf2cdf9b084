//! The imports of the past.
//!
//! Imports are numbered: 1, 2, 3, …. A list that is longer than a request comes in several, which are the parts 1, 2,
//! 3, … of one import. Each part that changes something is kept as a request with an id of the planner's own, which
//! says what it changed and when; another such request says that it was undone. No client can use such an id.

use std::time::{Duration, SystemTime};

use super::results::{FirstResult, ImportMade};
use super::{Planner, unreadable};
use crate::catalog::{Digest, IMPORT_PARTS_MAX, OWN_ID_START, RequestId, RequestRecord};
use crate::inventory::commit::result::{ImportPart, ImportResult};
use crate::refusal::{Code, Refusal};
use crate::store::{Recorded, RecordedById};

/// The most imports around one second that are looked at.
const AROUND_SECOND_MAX: u64 = 1000;

/// The most imports that began before a moment and may have a part of it. A server reads two imports at one time, and
/// the parts of slow clients come minutes apart.
const BEGUN_BEFORE_MAX: usize = 16;

/// A part of an import, as it is kept.
pub(super) struct Part {
    pub(super) place: ImportPart,
    pub(super) made: ImportMade,
    /// The effect of its undo, if it was undone.
    pub(super) undone: Option<ImportResult>,
}

fn own_id(part: ImportPart, end: &str) -> Option<RequestId> {
    let ImportPart { import, place } = part;
    let place = if place == 1 { String::new() } else { format!("-parte-{place}") };
    RequestId::from_stored(&format!("{OWN_ID_START}{import}{place}{end}")).ok()
}

fn made_id(part: ImportPart) -> Option<RequestId> {
    own_id(part, "")
}

fn undone_id(part: ImportPart) -> Option<RequestId> {
    own_id(part, "-desfeita")
}

impl Planner<'_> {
    /// The last part of the import that the request with this id belongs to; `None` if that has changed nothing.
    ///
    /// # Errors
    /// If no import was made under the id.
    pub(super) fn part_of(&mut self, request_id: &RequestId) -> Result<Option<ImportPart>, Refusal> {
        match self.kept(Some(request_id.clone()))? {
            Some(FirstResult::Import(result)) => Ok(result.part),
            _ => Err(Refusal::no_import_to_continue()),
        }
    }

    /// The part that an import becomes which continues another one, or begins.
    ///
    /// # Errors
    /// If the import has as many parts as it may.
    pub(super) fn next_part(&mut self, before: Option<ImportPart>) -> Result<ImportPart, Refusal> {
        let Some(mut part) = before else {
            return Ok(ImportPart { import: self.last_import()? + 1, place: 1 });
        };
        // Another request may have continued the same one.
        while self.kept(made_id(part))?.is_some() {
            part.place += 1;
        }
        if part.place > IMPORT_PARTS_MAX { Err(Refusal::import_parts()) } else { Ok(part) }
    }

    /// Keeps what a part of an import changed, so that it can be undone. Returns whether it has changed anything.
    pub(super) fn note_import(&mut self, part: ImportPart, made: ImportMade) -> bool {
        let has_changed = made.change_count > 0 || made.created > 0;
        if has_changed {
            self.imports_planned += u64::from(part.place == 1);
            self.keep(made_id(part), &FirstResult::ImportMade(made));
        }
        has_changed
    }

    /// Keeps the effect of the undo of a part.
    pub(super) fn note_undone(&mut self, part: &Part, result: ImportResult) {
        self.keep(undone_id(part.place), &FirstResult::ImportUndone(part.made.at, result));
    }

    /// The number of the last import, or of the last one with a part of this time, if it is not undone yet.
    ///
    /// # Errors
    /// If there is none, or it was undone.
    pub(super) fn import_to_undo(&mut self, at: Option<SystemTime>) -> Result<u64, Refusal> {
        let last = self.last_import()?;
        let Some(at) = at else {
            return match self.parts_of(last)? {
                parts if parts.is_empty() => Err(no_import("não há importação para desfazer")),
                parts if is_undone(&parts) => Err(already_undone()),
                _ => Ok(last),
            };
        };
        let is_whole_second =
            at.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|since| since.subsec_nanos() == 0);
        let moment = if is_whole_second { Duration::from_secs(1) } else { Duration::from_micros(1) };
        let mut refused = no_import("nesse momento não houve importação");
        let Some(until) = at.checked_add(moment) else { return Err(refused) };
        let end = self.first_import_from(until, last)?;
        let mut begun_before = 0;
        for number in (end.saturating_sub(AROUND_SECOND_MAX).max(1)..end).rev() {
            let parts = self.parts_of(number)?;
            if parts.iter().any(|part| (at..until).contains(&part.made.at)) {
                if !is_undone(&parts) {
                    return Ok(number);
                }
                refused = already_undone();
            }
            begun_before += usize::from(parts.first().is_none_or(|part| part.made.at < at));
            if begun_before == BEGUN_BEFORE_MAX {
                break;
            }
        }
        Err(refused)
    }

    /// The parts of an import, in order.
    pub(super) fn parts_of(&mut self, import: u64) -> Result<Vec<Part>, Refusal> {
        let mut parts = Vec::new();
        // Nearly every import has one part.
        let mut count = 1;
        loop {
            let first = parts.len() as u64 + 1;
            let places = (first..first + count).map(|place| ImportPart { import, place });
            let ids: Vec<RequestId> =
                places.clone().flat_map(|part| [made_id(part), undone_id(part)]).flatten().collect();
            let mut kept = self.kept_all(&ids)?;
            let mut result = |id: Option<RequestId>| result_of(kept.remove(&id?)?);
            for place in places {
                let Some(FirstResult::ImportMade(made)) = result(made_id(place)) else { return Ok(parts) };
                let undone = match result(undone_id(place)) {
                    Some(FirstResult::ImportUndone(_, undone)) => Some(undone),
                    _ => None,
                };
                parts.push(Part { place, made, undone });
            }
            count = first;
        }
    }

    /// The number of the last import; 0 for none. Looks on from the last one that is known.
    fn last_import(&mut self) -> Result<u64, Refusal> {
        let mut last = *self.imports_known;
        let mut step = 1;
        while self.import_made(last + step)?.is_some() {
            last += step;
            step *= 2;
        }
        // The import `last` is there or 0, and the import `last + step` is not.
        while step > 1 {
            step /= 2;
            if self.import_made(last + step)?.is_some() {
                last += step;
            }
        }
        // This transaction may fail, and its imports with it.
        *self.imports_known = last - self.imports_planned;
        Ok(last)
    }

    /// The number of the first import that began at this time or later; one more than the last if there is none.
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

    /// The first part of an import.
    fn import_made(&mut self, import: u64) -> Result<Option<ImportMade>, Refusal> {
        match self.kept(made_id(ImportPart { import, place: 1 }))? {
            Some(FirstResult::ImportMade(made)) => Ok(Some(made)),
            _ => Ok(None),
        }
    }

    /// The result of the request with this id, from the store or from this transaction.
    fn kept(&mut self, id: Option<RequestId>) -> Result<Option<FirstResult>, Refusal> {
        let Some(id) = id else { return Ok(None) };
        Ok(self.kept_all(std::slice::from_ref(&id))?.remove(&id).and_then(result_of))
    }

    /// The requests with these ids, from the store or from this transaction.
    fn kept_all(&mut self, ids: &[RequestId]) -> Result<RecordedById, Refusal> {
        let stored: Vec<&RequestId> = ids.iter().filter(|id| !self.recorded.contains_key(*id)).collect();
        let mut kept = self.store.recorded(&stored).map_err(unreadable)?;
        kept.extend(
            ids.iter()
                .filter_map(|id| self.recorded.get_key_value(id))
                .map(|(id, recorded)| (id.clone(), recorded.clone())),
        );
        Ok(kept)
    }

    fn keep(&mut self, id: Option<RequestId>, result: &FirstResult) {
        let Some(request_id) = id else { return };
        // No request of a client has this content.
        let digest = Digest::of("história das importações").value();
        let record = RequestRecord { request_id, digest, result: result.encode() };
        self.recorded.insert(record.request_id.clone(), Recorded::Request(record.clone()));
        self.draft.record_request(record);
    }
}

fn result_of(recorded: Recorded) -> Option<FirstResult> {
    match recorded {
        Recorded::Request(record) => FirstResult::decode(&record.result),
        Recorded::Movement(_) => None,
    }
}

fn is_undone(parts: &[Part]) -> bool {
    parts.iter().all(|part| part.undone.is_some())
}

fn already_undone() -> Refusal {
    let what = "essa importação já foi desfeita. Nada foi alterado; para desfazer uma anterior, diga o momento dela, \
                como o histórico do cadastro o mostra.";
    Refusal::new(Code::AlreadyUndone, what)
}

fn no_import(what: &str) -> Refusal {
    let what =
        format!("{what}. Nada foi alterado; o histórico do cadastro mostra o momento de cada mudança.");
    Refusal::new(Code::MovementNotFound, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Catalog, Draft, Price, ProductDraft, original_products};
    use crate::store::sqlite::SqliteStore;
    use crate::store::{Store as _, Wait};

    struct Shop {
        catalog: Catalog,
        store: SqliteStore,
        imports_known: u64,
    }

    impl Shop {
        fn new() -> Self {
            let (mut catalog, mut store) = (Catalog::default(), SqliteStore::in_memory().unwrap());
            let mut opening = Draft::new(&catalog, SystemTime::UNIX_EPOCH);
            opening.import(&original_products(), None).unwrap();
            let opening = opening.finish();
            store.create(&opening).unwrap();
            catalog.apply(&opening);
            Self { catalog, store, imports_known: 0 }
        }

        fn planner(&mut self, now: SystemTime) -> Planner<'_> {
            let Self { catalog, store, imports_known } = self;
            Planner::new(catalog, now, store, imports_known, 0, RecordedById::default())
        }

        /// Imports another price, and stores it.
        fn import(&mut self, now: SystemTime, centavos: i64) {
            let mut planner = self.planner(now);
            planner.import(&list(centavos), None, false, None, None).unwrap();
            let transaction = planner.finish();
            self.store.commit(&transaction, Wait::ForOthers).unwrap();
            self.catalog.apply(&transaction);
        }
    }

    fn list(centavos: i64) -> Vec<ProductDraft> {
        let price = Price::from_centavos(centavos).unwrap();
        vec![ProductDraft { price, ..original_products().remove(0) }]
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn imports_are_found_by_their_moments_though_the_clock_was_put_back() {
        let mut shop = Shop::new();
        for (clock, centavos) in [(100, 401), (50, 402), (60, 403), (200, 404)] {
            shop.import(at(clock), centavos);
        }
        let moments: Vec<u64> = (1..=4)
            .map(|number| {
                shop.planner(at(0))
                    .import_made(number)
                    .unwrap()
                    .unwrap()
                    .at
                    .duration_since(SystemTime::UNIX_EPOCH)
                    .unwrap()
                    .as_secs()
            })
            .collect();
        assert_eq!(moments, [100, 100, 100, 200]);
        let mut planner = shop.planner(at(300));
        // The last one of the moment that is not undone yet.
        for (moment, number) in [(100, Some(3)), (200, Some(4)), (50, None), (150, None)] {
            assert_eq!(planner.import_to_undo(Some(at(moment))).ok(), number, "{moment}");
        }
    }

    #[test]
    fn the_last_import_is_looked_for_behind_the_last_known_one() {
        let mut shop = Shop::new();
        for number in 1..=11 {
            shop.import(at(number), 400 + number as i64);
            assert_eq!(shop.imports_known, number - 1);
        }
        // A server that begins finds it too.
        shop.imports_known = 0;
        assert_eq!((shop.planner(at(20)).last_import().unwrap(), shop.imports_known), (11, 11));
        // An import that is planned and not stored is none.
        let mut planner = shop.planner(at(20));
        for centavos in [501, 502] {
            planner.import(&list(centavos), None, false, None, None).unwrap();
        }
        assert_eq!((planner.last_import().unwrap(), *planner.imports_known), (13, 11));
        assert_eq!(shop.planner(at(20)).last_import().unwrap(), 11);
        // Nothing below the known one is looked at.
        let mut other = Shop { imports_known: 5, ..Shop::new() };
        other.import(at(1), 401);
        assert!(other.planner(at(2)).import_made(6).unwrap().is_some());
    }
}
