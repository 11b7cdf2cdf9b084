//! The changes that a session makes: of one stock, of several stocks together, or of the products.

use std::collections::HashSet;
use std::time::SystemTime;

use super::commit::{Applied, Change, ImportResult, refuse_existing, refuse_rows};
use super::names_then::NamesThen;
use super::{Adjusted, Session, product_of, read, stopped};
use crate::catalog::{
    Adjustment, BATCH_LINES_MAX, Draft, IMPORT_ROWS_MAX, ImportCheck, Imported, ImportedChange, Name,
    RowError,
};
use crate::operation::{AdjustRequest, BatchRequest, ImportReply, ImportRequest, ProductChangeReply};
use crate::refusal::Refusal;

/// The lines of a batch, or rows of a dry run, that are checked in one turn (a quarter of a millisecond).
/// Between turns, other connections are served and the catalog can change.
const LINES_IN_TURN: usize = 128;

impl Session {
    /// Changes a stock. Returns after the change is durable.
    ///
    /// If the caller stops waiting, the change is made all the same.
    ///
    /// # Errors
    /// If a rule forbids the change, or the store refuses writes.
    pub async fn adjust(&self, request: AdjustRequest<'_>) -> Result<Adjusted, Refusal> {
        let request_id = request.request_id.clone();
        let mut then = NamesThen::of(request_id.as_ref());
        let (adjustment, name_then) = self.adjustment(request, &mut then).await?;
        let mut result = self.write(vec![Change::Adjust(adjustment)]).await;
        let applied = result.each.pop().ok_or_else(stopped)?.map_err(|refusal| *refusal)?;
        let movement = applied.movement(&result.movements).ok_or_else(stopped)?;
        let mut adjusted = Adjusted::from((product_of(&read(&self.inventory.catalog), movement), movement));
        // The first answer had the name that the client asked for, and looks for in every answer.
        if let Some(name) = name_then {
            adjusted.product.name = name;
        }
        Ok(adjusted)
    }

    /// The change that is asked for, signed by the session, and the name of the product then if the request is a
    /// repetition that calls it so.
    async fn adjustment(
        &self,
        request: AdjustRequest<'_>,
        then: &mut NamesThen<'_>,
    ) -> Result<(Adjustment, Option<Name>), Refusal> {
        let name = request.name;
        if then.may_be() {
            let found = self.reader().id_of(name);
            if let Err(refusal) = found {
                let then = then.meant(self, name, refusal).await?;
                let adjustment = match then.label {
                    Some(label) => self.labelled(then.product, label, request)?,
                    None => self.adjustment_of(then.product, request),
                };
                return Ok((adjustment, then.name));
            }
        }
        let adjustment = self.reader().adjustment(request);
        match adjustment {
            Ok(adjustment) => Ok((adjustment, None)),
            Err(refusal) => Err(self.explain(name, refusal).await),
        }
    }

    /// Changes several stocks together, all or none. Returns after all changes are durable, with one answer
    /// for each, in the order of the request.
    ///
    /// # Errors
    /// If a rule forbids one of the changes (with its index), or the store refuses writes.
    pub async fn adjust_together(&self, request: BatchRequest<'_>) -> Result<Vec<Adjusted>, Refusal> {
        let BatchRequest { adjustments, request_id } = request;
        if adjustments.is_empty() || adjustments.len() > BATCH_LINES_MAX {
            return Err(Refusal::batch_size(adjustments.len()));
        }
        let mut changes = Vec::with_capacity(adjustments.len());
        let mut then = NamesThen::of(request_id.as_ref());
        for (index, adjust) in adjustments.into_iter().enumerate() {
            if index % LINES_IN_TURN == LINES_IN_TURN - 1 {
                tokio::task::yield_now().await;
            }
            let adjust = AdjustRequest { request_id: None, ..adjust };
            let change = self.adjustment(adjust, &mut then).await;
            changes.push(change.map_err(|refusal| refusal.at(index))?.0);
        }
        match self.write(vec![Change::Batch { changes, request_id }]).await.each.pop() {
            Some(Ok(Applied::Batch(movements))) => {
                let catalog = read(&self.inventory.catalog);
                Ok(movements
                    .iter()
                    .map(|movement| Adjusted::from((product_of(&catalog, movement), movement)))
                    .collect())
            }
            Some(Err(refusal)) => Err(*refusal),
            Some(Ok(_)) | None => Err(stopped()),
        }
    }

    /// Creates and updates products, all rows or none. Returns after the import is durable. A dry run returns
    /// what an import would do.
    ///
    /// # Errors
    /// If a row is bad (`INVALID_ARGUMENT`, with every bad row), or the store refuses writes.
    pub async fn import(&self, request: ImportRequest) -> Result<ImportReply, Refusal> {
        let ImportRequest { rows, bad_rows, is_dry_run, continues, creates_only, request_id } = request;
        let count = rows.len() + bad_rows.len();
        if count == 0 || count > IMPORT_ROWS_MAX {
            return Err(Refusal::import_size(count));
        }
        if is_dry_run || !bad_rows.is_empty() {
            let mut check = ImportCheck::new(&rows);
            while check.go_on(&Draft::new(&read(&self.inventory.catalog), SystemTime::now()), LINES_IN_TURN) {
                tokio::task::yield_now().await;
            }
            if creates_only {
                refuse_existing(&Draft::new(&read(&self.inventory.catalog), SystemTime::now()), &rows)?;
            }
            self.trusted()?;
            let looked_at = check.finish();
            return if bad_rows.is_empty() {
                looked_at.map(rehearsed).map_err(refuse_rows)
            } else {
                Err(merge(bad_rows, looked_at.err()))
            };
        }
        let change =
            Change::Import { rows, continues, creates_only, request_id, author: self.author.clone() };
        match self.write(vec![change]).await.each.pop() {
            Some(Ok(Applied::Imported(imported))) => {
                let ImportResult { counts, first_change, change_count, part: _ } = *imported;
                // The import is made, whether the changes can be read or not.
                let changes = self.imported_changes(first_change, change_count).await.unwrap_or_default();
                Ok(ImportReply { counts, changes, undone: None })
            }
            Some(Err(refusal)) => Err(*refusal),
            Some(Ok(_)) | None => Err(stopped()),
        }
    }
}

/// The answer to a dry run.
fn rehearsed(Imported { counts, changes }: Imported) -> ImportReply {
    let changes = changes.into_iter().map(|ImportedChange { product, field, old, new }| ProductChangeReply {
        product_name: product,
        field,
        old,
        new,
        recorded_at: None,
        author: None,
    });
    ImportReply { counts, changes: changes.collect(), undone: None }
}

/// Merges the errors of unreadable rows, by their place among all rows, with the errors of readable rows, by
/// their place among the readable ones.
fn merge(unread: Vec<(usize, String)>, errors: Option<Vec<(usize, RowError)>>) -> Refusal {
    let mut all = unread;
    let places: HashSet<usize> = all.iter().map(|(place, _)| *place).collect();
    let mut others = (0..).filter(|place| !places.contains(place)).enumerate();
    for (index, error) in errors.into_iter().flatten() {
        if let Some((_, place)) = others.find(|(other, _)| *other == index) {
            all.push((place, error.to_string()));
        }
    }
    all.sort_by_key(|(place, _)| *place);
    Refusal::bad_rows(all)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::super::testing::{asked, code, open, shop, stock};
    use super::*;
    use crate::catalog::{ImportCounts, Name, Price, ProductDraft, Quantity, original_products};
    use crate::refusal::Code;
    use crate::store::sqlite::SqliteStore;

    #[tokio::test]
    async fn a_retry_gets_the_first_answer() {
        let (session, committer) = shop();
        let first = session.adjust(asked("Caju -20 id=a")).await.unwrap();
        session.adjust(asked("Caju -5")).await.unwrap();
        let again = session.adjust(asked("CAJU -20 id=a")).await.unwrap();
        assert_eq!(again.product, first.product);
        assert_eq!(again.movement.sequence, first.movement.sequence);
        assert_eq!(stock(&session, "caju"), Quantity::from_units(35));
        for other in ["Caju -21 id=a", "Pera -1 id=a", "Caju -20 id=a motivo=venda"] {
            assert_eq!(code(session.adjust(asked(other)).await), Code::RequestIdReused);
        }
        drop(session);
        committer.join().unwrap();
    }

    #[tokio::test]
    async fn a_batch_is_made_once() {
        let (session, _committer) = shop();
        let batch = |lines: &[&'static str]| BatchRequest {
            adjustments: lines.iter().map(|line| asked(line)).collect(),
            request_id: Some("lote".parse().unwrap()),
        };
        let lines = ["Caju -70", "Pera 1", "Caju 20"];
        let first = session.adjust_together(batch(&lines)).await.unwrap();
        session.adjust(asked("Caju 5")).await.unwrap();
        assert_eq!(session.adjust_together(batch(&lines)).await.unwrap(), first);
        let other = session.adjust_together(batch(&["Caju -70", "Pera 1"])).await.unwrap_err();
        assert_eq!(other.code, Code::RequestIdReused);
        assert_eq!(code(session.adjust(asked("Caju 1 id=lote")).await), Code::RequestIdReused);
        assert_eq!(stock(&session, "caju"), Quantity::from_units(15));
        let refused = BatchRequest { adjustments: vec![asked("Maca 1"), asked("Kiwi 1")], request_id: None };
        let refused = session.adjust_together(refused).await.unwrap_err();
        assert_eq!(refused.code, Code::ProductNotFound);
        assert!(refused.metadata.contains(&("index", "1".to_owned())));
        assert_eq!(stock(&session, "maca"), Quantity::from_units(20));
    }

    #[tokio::test]
    async fn an_import_is_done_once() {
        let (session, _committer) = shop();
        let mut request = ImportRequest {
            is_dry_run: true,
            ..ImportRequest::of_rows(original_products(), Some("lista".parse().unwrap()))
        };
        request.rows[0].price = "4".parse().unwrap();
        let expected = ImportCounts { created: 0, updated: 1, unchanged: 3, discontinued: 0 };
        assert_eq!(session.import(request.clone()).await.map(|reply| reply.counts), Ok(expected));
        assert_eq!(session.reader().find("maca", |product| product.price.to_string()).unwrap(), "3.0");
        request.is_dry_run = false;
        for _ in 0..2 {
            assert_eq!(session.import(request.clone()).await.map(|reply| reply.counts), Ok(expected));
            assert_eq!(session.reader().find("maca", |product| product.price.to_string()).unwrap(), "4.0");
        }
        request.rows.pop();
        assert_eq!(session.import(request).await.unwrap_err().code, Code::RequestIdReused);
        assert_eq!(code(session.adjust(asked("Caju 1 id=lista")).await), Code::RequestIdReused);
    }

    #[tokio::test]
    async fn a_new_product_is_made_once_and_changes_no_other() {
        let (session, _committer) = shop();
        let price = |name: &str| session.reader().find(name, |product| product.price.to_string()).unwrap();
        let row = |name: &str, centavos| ProductDraft {
            name: Name::parse(name).unwrap(),
            price: Price::from_centavos(centavos).unwrap(),
            ..original_products().remove(0)
        };
        let new =
            |name: &str, centavos, id: &str| ImportRequest::of_new(row(name, centavos), id.parse().ok());
        for id in ["", "a"] {
            let refused = session.import(new("MACA", 9900, id)).await.unwrap_err();
            assert_eq!((refused.code, price("maca").as_str()), (Code::NameTaken, "3.0"), "{refused:?}");
        }
        let dry_run = ImportRequest { is_dry_run: true, ..new("maca", 9900, "") };
        assert_eq!(session.import(dry_run).await.unwrap_err().code, Code::NameTaken);
        let made = session.import(new("Uva", 900, "u")).await.unwrap();
        session.import(ImportRequest::of_rows(vec![row("Uva", 950)], None)).await.unwrap();
        // A repetition gets the first answer, whatever has changed.
        assert_eq!(session.import(new("Uva", 900, "u")).await, Ok(made));
        assert_eq!(price("uva"), "9.5");
    }

    #[tokio::test]
    async fn others_have_their_turn_during_a_search_a_batch_and_a_dry_run() {
        let row = |number: usize| ProductDraft {
            name: Name::parse(&format!("Produto {number}")).unwrap(),
            ..original_products().remove(0)
        };
        let rows: Vec<ProductDraft> = (0..1000).map(row).collect();
        let (session, _committer) = open(SqliteStore::in_memory().unwrap(), &rows);
        let turns = std::rc::Rc::new(Cell::new(0));
        let counted = std::rc::Rc::clone(&turns);
        let others = async move {
            loop {
                counted.set(counted.get() + 1);
                tokio::task::yield_now().await;
            }
        };
        let lines: Vec<String> = rows.iter().map(|row| format!("{} 1", row.name)).collect();
        let import = |is_dry_run| ImportRequest { is_dry_run, ..ImportRequest::of_rows(rows.clone(), None) };
        let work = async {
            let mut before = 0;
            let mut turns_since = || turns.get() - std::mem::replace(&mut before, turns.get());
            session.find("Prodito", |_| ()).await.unwrap_err();
            assert!(turns_since() >= 1000 / 64 - 1);
            let adjustments: Vec<_> = lines.iter().map(|line| asked(line)).collect();
            session.adjust_together(BatchRequest { adjustments, request_id: None }).await.unwrap();
            assert!(turns_since() >= 1000 / LINES_IN_TURN - 1);
            let counts = session.import(import(true)).await.unwrap().counts;
            assert_eq!(counts, ImportCounts { created: 0, updated: 0, unchanged: 1000, discontinued: 0 });
            assert!(turns_since() >= 1000 / LINES_IN_TURN - 1);
        };
        tokio::select! {
            () = work => {}
            () = others => {}
        }
    }
}
