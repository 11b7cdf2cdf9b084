//! Undo: the opposite of a movement.

use super::commit::{Applied, Change, Signed};
use super::{Session, product_of, read, stopped};
use crate::catalog::Product;
use crate::operation::{UndoRequest, Undone};
use crate::refusal::Refusal;

impl Session {
    /// Appends the opposite of a movement or, unless it is to be single, of each movement of its document.
    /// Returns after the undo is durable, with one answer for each movement that was undone.
    ///
    /// # Errors
    /// If there is no such movement, the movement was undone before or is itself an undo, only own sales may be
    /// undone and the movement is none, a rule forbids an opposite change, or the store refuses writes.
    pub async fn undo(&self, request: UndoRequest) -> Result<Vec<Undone>, Refusal> {
        let UndoRequest { sequence, is_single, request_id, note, of_own_sales } = request;
        let signed = Signed { author: self.author.clone(), note };
        let change = Change::Undo { sequence, is_single, request_id, signed, of_own_sales };
        let applied = self.write(vec![change]).await.each.pop().ok_or_else(stopped)?;
        let Applied::Undone(made) = applied.map_err(|refusal| *refusal)? else { return Err(stopped()) };
        let catalog = read(&self.inventory.catalog);
        let undone = made.into_iter().map(|(undoes, movement)| {
            // The product keeps today's price; the movement has the price of its own day.
            let product = product_of(&catalog, &movement).clone();
            let product = Product { stock: movement.balance, last_movement: movement.sequence, ..product };
            Undone { undoes, product, movement }
        });
        Ok(undone.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, shop, stock};
    use super::*;
    use crate::catalog::{Quantity, RequestId};
    use crate::operation::{BatchRequest, Reply, Request};
    use crate::refusal::Code;

    fn units(units: i32) -> Quantity {
        Quantity::from_units(units)
    }

    #[tokio::test]
    async fn a_movement_is_undone_once() {
        let (session, _committer) = shop();
        session.adjust(asked("Caju -20 motivo=venda")).await.unwrap();
        let id: RequestId = "estorno-1".parse().unwrap();
        let first = session.undo(UndoRequest::of(5, false, Some(id.clone()))).await.unwrap();
        assert_eq!((first[0].movement.delta, first[0].product.stock), (units(20), units(60)));
        assert_eq!(session.undo(UndoRequest::of(5, false, Some(id.clone()))).await.unwrap(), first);
        for (sequence, code) in [
            (5, Code::AlreadyUndone),
            (6, Code::AlreadyUndone),
            (7, Code::MovementNotFound),
            (0, Code::MovementNotFound),
        ] {
            assert_eq!(
                session.undo(UndoRequest::of(sequence, true, None)).await.unwrap_err().code,
                code,
                "{sequence}"
            );
        }
        assert_eq!(
            session.undo(UndoRequest::of(5, true, Some(id))).await.unwrap_err().code,
            Code::RequestIdReused
        );
        // An opening is undone like any other movement.
        assert_eq!(
            session.undo(UndoRequest::of(1, false, None)).await.unwrap()[0].product.stock,
            Quantity::ZERO
        );
    }

    #[tokio::test]
    async fn a_document_is_undone_whole_unless_asked_otherwise() {
        let (session, _committer) = shop();
        let batch = || BatchRequest {
            adjustments: ["Caju -60", "Maca 1", "Pera -5"].map(asked).to_vec(),
            request_id: None,
        };
        session.adjust_together(batch()).await.unwrap();
        let id: RequestId = "estorno-1".parse().unwrap();
        let undone = session.undo(UndoRequest::of(6, false, Some(id.clone()))).await.unwrap();
        let deltas: Vec<Quantity> = undone.iter().map(|it| it.movement.delta).collect();
        assert_eq!(deltas, [-1, 60, 5].map(units));
        assert_eq!(session.undo(UndoRequest::of(6, false, Some(id))).await.unwrap(), undone);
        session.adjust_together(batch()).await.unwrap();
        let single = session.undo(UndoRequest::of(12, true, None)).await.unwrap();
        assert_eq!(single.len(), 1);
        assert_eq!(session.undo(UndoRequest::of(11, false, None)).await.unwrap().len(), 2);
        assert_eq!(["caju", "maca", "pera"].map(|name| stock(&session, name)), [60, 20, 15].map(units));
    }

    #[tokio::test]
    async fn replies_say_what_was_undone_and_made_together() {
        let (session, _committer) = shop();
        let adjustments = ["Caju -60", "Maca 1", "Pera -5"].map(asked).to_vec();
        session.adjust_together(BatchRequest { adjustments, request_id: None }).await.unwrap();
        let links = async |request| {
            let Reply::Changes(changes) = session.call(request).await.unwrap() else { unreachable!() };
            let details = changes.into_iter().map(|change| change.movement.unwrap().details.unwrap());
            details.map(|details| (details.document, details.undoes)).collect::<Vec<_>>()
        };
        let undo = UndoRequest::of(6, false, Some("a".parse().unwrap()));
        for _ in 0..2 {
            assert_eq!(links(Request::UndoMovement(undo.clone())).await, [(8, 5), (8, 6), (8, 7)]);
        }
    }

    #[tokio::test]
    async fn a_refusal_names_what_used_the_stock() {
        let (session, _committer) = shop();
        for line in ["Caju 10 motivo=compra", "Caju -65 motivo=venda", "Pera -1"] {
            session.adjust(asked(line)).await.unwrap();
        }
        let refused = session.undo(UndoRequest::of(5, false, None)).await.unwrap_err();
        assert_eq!(refused.code, Code::InsufficientStock);
        assert!(refused.message.contains("#6 (venda -65)"), "{}", refused.message);
        assert_eq!(stock(&session, "caju"), units(5));
    }
}
