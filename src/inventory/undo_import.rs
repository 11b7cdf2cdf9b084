//! The undo of an import: part by part, the last part first.

use super::commit::{Applied, Change, ImportResult, UndoneParts, WantedImport};
use super::{Session, stopped};
use crate::catalog::{IMPORT_CHANGES_MAX, ImportCounts};
use crate::operation::{ImportReply, UndoImportRequest, UndoneImport};
use crate::refusal::Refusal;

impl Session {
    /// Undoes an import, part by part, the last part first. Returns after the undo is durable. If the caller stops
    /// waiting, or a part is refused, the same request undoes the rest.
    ///
    /// # Errors
    /// If there is no such import, it was undone before, a product that it created was used since, a rule forbids a
    /// product its terms of before, or the store refuses writes.
    pub async fn undo_import(&self, request: UndoImportRequest) -> Result<ImportReply, Refusal> {
        let UndoImportRequest { at, mut request_id } = request;
        let mut wanted = at.map_or(WantedImport::Last, WantedImport::At);
        loop {
            let request_id = request_id.take();
            let change = Change::UndoImport { wanted, request_id, author: self.author.clone() };
            match self.write(vec![change]).await.each.pop() {
                Some(Ok(Applied::ImportUndone(undone))) if undone.left == 0 => {
                    return Ok(self.undone_import(&undone).await);
                }
                Some(Ok(Applied::ImportUndone(undone))) => wanted = WantedImport::Rest(undone.number),
                Some(Err(refusal)) => return Err(*refusal),
                Some(Ok(_)) | None => return Err(stopped()),
            }
        }
    }

    /// The effect of an undo on all parts of an import.
    async fn undone_import(&self, undone: &UndoneParts) -> ImportReply {
        let (mut counts, mut changes) = (ImportCounts::default(), Vec::new());
        for ImportResult { counts: part, first_change, change_count, .. } in &undone.parts {
            counts.updated += part.updated;
            counts.unchanged += part.unchanged;
            counts.discontinued += part.discontinued;
            let room = IMPORT_CHANGES_MAX - changes.len();
            let count = (*change_count).min(room as i64);
            // The import is undone, whether the changes can be read or not.
            changes.extend(self.imported_changes(*first_change, count).await.unwrap_or_default());
        }
        let undone = UndoneImport { at: undone.at, part_count: undone.parts.len() };
        ImportReply { counts, changes, undone: Some(undone) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::super::testing::{asked, shop, stock};
    use super::*;
    use crate::catalog::{Name, ProductDraft, Quantity, RequestId, TermsDraft};
    use crate::operation::{ImportRequest, ProductChangesRequest, UndoRequest};
    use crate::refusal::Code;

    fn id(text: &str) -> Option<RequestId> {
        text.parse().ok()
    }

    /// Imports a part of a list: a price for each name. New products open with one piece.
    async fn import(
        session: &Session,
        own: &str,
        continues: &str,
        prices: &[(&str, &str)],
    ) -> Result<ImportReply, Refusal> {
        let row = |(name, price): &(&str, &str)| ProductDraft {
            name: Name::parse(name).unwrap(),
            price: price.parse().unwrap(),
            unit: None,
            opening_stock: Quantity::from_units(1),
            terms: TermsDraft::default(),
        };
        let rows = prices.iter().map(row).collect();
        let (continues, request_id) = (id(continues), id(own));
        session.import(ImportRequest { continues, ..ImportRequest::of_rows(rows, request_id) }).await
    }

    /// A list in four parts, the second of which changes nothing, and another list that comes between them.
    async fn import_parts(session: &Session) {
        import(session, "a", "", &[("Uva", "9"), ("Maca", "4")]).await.unwrap();
        import(session, "a-1", "a", &[("Pera", "5")]).await.unwrap();
        import(session, "b", "", &[("Banana", "11")]).await.unwrap();
        import(session, "a-2", "a-1", &[("Figo", "3"), ("Pera", "6")]).await.unwrap();
        import(session, "a-3", "a-2", &[("Caju", "7")]).await.unwrap();
    }

    fn of(at: Option<SystemTime>, request_id: &str) -> UndoImportRequest {
        UndoImportRequest { at, request_id: id(request_id) }
    }

    fn prices(session: &Session) -> String {
        let price =
            |name| session.reader().find(name, |product| product.price.to_string()).unwrap_or("-".to_owned());
        ["maca", "pera", "banana", "caju", "uva", "figo"].map(price).join(" ")
    }

    const BEFORE: &str = "3.0 5.0 10.0 2.0 - -";
    const IMPORTED: &str = "4.0 6.0 11.0 7.0 9.0 3.0";

    /// When the price of a product was changed last.
    async fn changed_at(session: &Session, name: &str) -> SystemTime {
        let request = ProductChangesRequest { name: Some(name), before: None, count_max: 1 };
        session.product_changes(request).await.unwrap().changes[0].recorded_at.unwrap()
    }

    #[tokio::test]
    async fn all_parts_of_a_list_are_undone_together() {
        let (session, _committer) = shop();
        import_parts(&session).await;
        assert_eq!(prices(&session), IMPORTED);
        // The moment of any part is one of the whole list.
        let at = changed_at(&session, "caju").await;
        let undone = session.undo_import(of(Some(at), "x")).await.unwrap();
        assert_eq!(prices(&session), BEFORE.replace("10.0", "11.0"));
        let counts = ImportCounts { created: 0, updated: 3, unchanged: 0, discontinued: 2 };
        assert_eq!((undone.counts, undone.undone.map(|it| it.part_count)), (counts, Some(3)));
        let fields: Vec<_> = undone.changes.iter().map(|it| it.product_name.to_string()).collect();
        assert_eq!((fields[0].as_str(), fields[1].as_str()), ("Caju", "Pera"));
        assert_eq!(session.undo_import(of(Some(at), "x")).await.unwrap(), undone);
        assert_eq!(session.undo_import(of(Some(at), "")).await.unwrap_err().code, Code::AlreadyUndone);
        // The other list is the last one, and is alone.
        let other = session.undo_import(of(None, "")).await.unwrap();
        assert_eq!((prices(&session).as_str(), other.undone.unwrap().part_count), (BEFORE, 1));
    }

    #[tokio::test]
    async fn an_undo_that_breaks_off_goes_on_and_takes_nothing_back_twice() {
        for again in ["x", "y", ""] {
            let (session, _committer) = shop();
            import_parts(&session).await;
            let at = changed_at(&session, "caju").await;
            let first =
                Change::UndoImport { wanted: WantedImport::At(at), request_id: id("x"), author: None };
            let broken = session.write(vec![first]).await.each.pop().unwrap();
            assert!(matches!(broken, Ok(Applied::ImportUndone(undone)) if undone.left == 2));
            assert_eq!(prices(&session), IMPORTED.replace("7.0", "2.0"));
            // A movement between two parts is none of the import.
            session.adjust(asked("Caju 5")).await.unwrap();
            let undone = session.undo_import(of(Some(at), again)).await.unwrap();
            assert_eq!(prices(&session), BEFORE.replace("10.0", "11.0"), "{again}");
            assert_eq!((undone.counts.updated, undone.counts.discontinued), (3, 2));
            assert_eq!(session.undo_import(of(Some(at), "x")).await.unwrap(), undone);
            assert_eq!(stock(&session, "caju"), Quantity::from_units(65));
        }
    }

    #[tokio::test]
    async fn a_product_that_was_used_keeps_all_parts() {
        let (session, _committer) = shop();
        import_parts(&session).await;
        let at = changed_at(&session, "caju").await;
        let sold = session.adjust(asked("Uva -1 motivo=venda")).await.unwrap().movement.sequence;
        let refused = session.undo_import(of(Some(at), "x")).await.unwrap_err();
        assert!(
            refused.message.contains(&format!("\"Uva\", que ela criou, foi usado depois por #{sold}")),
            "{refused:?}"
        );
        assert!(!refused.message.contains("partes"), "{refused:?}");
        assert_eq!(prices(&session), IMPORTED);
        session.undo(UndoRequest::of(sold, false, None)).await.unwrap();
        // A product that is used between two parts keeps only the parts that are left.
        let first = Change::UndoImport { wanted: WantedImport::At(at), request_id: id("x"), author: None };
        session.write(vec![first]).await.each.pop().unwrap().unwrap();
        let sold = session.adjust(asked("Uva -1 motivo=venda")).await.unwrap().movement.sequence;
        let refused = session.undo_import(of(Some(at), "x")).await.unwrap_err();
        assert!(
            refused.message.contains("Das 3 partes em que a lista foi importada, 1 já foi desfeita"),
            "{refused:?}"
        );
        session.undo(UndoRequest::of(sold, false, None)).await.unwrap();
        session.undo_import(of(Some(at), "x")).await.unwrap();
        assert_eq!(prices(&session), BEFORE.replace("10.0", "11.0"));
    }

    #[tokio::test]
    async fn a_part_belongs_to_an_import_that_was_made() {
        let (session, _committer) = shop();
        session.adjust(asked("Caju 1 id=c")).await.unwrap();
        for unknown in ["a", "c"] {
            let refused = import(&session, "a-1", unknown, &[("Uva", "9")]).await.unwrap_err();
            assert_eq!(refused.code, Code::InvalidArgument);
            assert!(refused.message.contains("continues_request_id"), "{refused:?}");
        }
        // A list whose first part changes nothing, and two requests that continue the same one.
        import(&session, "a", "", &[("Pera", "5")]).await.unwrap();
        import(&session, "a-1", "a", &[("Uva", "9")]).await.unwrap();
        import(&session, "a-2", "a-1", &[("Figo", "3")]).await.unwrap();
        import(&session, "a-3", "a-1", &[("Maca", "4")]).await.unwrap();
        import(&session, "a-3", "a-1", &[("Maca", "4")]).await.unwrap();
        assert_eq!(session.undo_import(of(None, "")).await.unwrap().undone.unwrap().part_count, 3);
        assert_eq!(prices(&session), BEFORE);
    }
}
