//! Counts: stocks are set to the counted quantities.

use super::commit::{Applied, Change, CountLine, Counted, Signed};
use super::names_then::NamesThen;
use super::{Session, product_of, read, stopped};
use crate::catalog::{COUNT_LINES_MAX, Movement, Note, Product, RequestId};
use crate::operation::CountedName;
use crate::refusal::Refusal;

impl Session {
    /// Sets stocks to the counted quantities, all or none. Returns after the count is durable: each product
    /// after the count, and its movement if the quantities differed, in the order of the request.
    ///
    /// # Errors
    /// If a rule forbids one of the counts (with its index), or the store refuses writes.
    pub async fn count(
        &self,
        counts: &[CountedName<'_>],
        request_id: Option<RequestId>,
        note: Option<Note>,
    ) -> Result<Vec<(Product, Option<Movement>)>, Refusal> {
        if counts.is_empty() || counts.len() > COUNT_LINES_MAX {
            return Err(Refusal::count_size(counts.len()));
        }
        let mut lines = Vec::with_capacity(counts.len());
        let mut then = NamesThen::of(request_id.as_ref());
        for (index, count) in counts.iter().enumerate() {
            let CountedName { name, counted, at_sequence, ref unit } = *count;
            let product = then.product(self, name).await.map_err(|refusal| refusal.at(index))?;
            lines.push(CountLine { product, counted, at_sequence, unit: unit.clone() });
        }
        let signed = Signed { author: self.author.clone(), note };
        let change = Change::Count { lines, request_id, signed };
        let applied = self.write(vec![change]).await.each.pop().ok_or_else(stopped)?;
        let Applied::Counted(counted) = applied.map_err(|refusal| *refusal)? else { return Err(stopped()) };
        Ok(self.counted(counted))
    }

    /// The products of these results, each with its movement.
    pub(super) fn counted(&self, counted: Vec<Counted>) -> Vec<(Product, Option<Movement>)> {
        let catalog = read(&self.inventory.catalog);
        let result = |counted| match counted {
            Counted::Movement(movement) => {
                let product = product_of(&catalog, &movement).clone();
                let (price, stock) = (movement.price, movement.balance);
                (Product { price, stock, last_movement: movement.sequence, ..product }, Some(movement))
            }
            Counted::Same { product, stock, price } => {
                let product = catalog.products().get(product).expect("no product is ever removed").clone();
                (Product { price, stock, ..product }, None)
            }
        };
        counted.into_iter().map(result).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, shop, stock};
    use super::*;
    use crate::catalog::Quantity;
    use crate::operation::UndoRequest;
    use crate::refusal::Code;

    fn count<'n>(name: &'n str, units: i32, at_sequence: i64) -> CountedName<'n> {
        CountedName { name, counted: Quantity::from_units(units), at_sequence, unit: None }
    }

    #[tokio::test]
    async fn a_count_sets_the_stock_once() {
        let (session, _committer) = shop();
        let id: RequestId = "contagem-1".parse().unwrap();
        let counts = [count("caju", 57, 0), count("Maca", 20, 0)];
        let first = session.count(&counts, Some(id.clone()), None).await.unwrap();
        assert_eq!(first[0].1.as_ref().unwrap().delta, Quantity::from_units(-3));
        assert_eq!((first[1].0.stock, first[1].1.as_ref()), (Quantity::from_units(20), None));
        session.adjust(asked("Maca -1")).await.unwrap();
        let again = session.count(&counts, Some(id.clone()), None).await.unwrap();
        assert_eq!(again[0].1, first[0].1);
        assert_eq!(again[1].0.stock, Quantity::from_units(20));
        assert_eq!(stock(&session, "maca"), Quantity::from_units(19));
        // An id is used again with another content, and with another operation.
        let other = session.count(&counts[..1], Some(id.clone()), None).await.unwrap_err();
        assert_eq!(other.code, Code::RequestIdReused);
        let undo = session.undo(UndoRequest::of(5, false, Some(id))).await.unwrap_err();
        assert_eq!(undo.code, Code::RequestIdReused);
    }

    #[tokio::test]
    async fn what_was_sold_since_the_count_is_kept() {
        let (session, _committer) = shop();
        // The count was made when the shop had opened, with 60 in stock: three are missing.
        for line in ["Caju -10", "Pera 1", "Caju -5"] {
            session.adjust(asked(line)).await.unwrap();
        }
        let counted = session.count(&[count("Caju", 57, 4)], None, None).await.unwrap();
        assert_eq!(counted[0].1.as_ref().unwrap().delta, Quantity::from_units(-3));
        assert_eq!(stock(&session, "caju"), Quantity::from_units(42));
        // The count was made after the first sale, with 50 in the ledger, of which three were missing already.
        let counted = session.count(&[count("Caju", 47, 6)], None, None).await.unwrap();
        assert_eq!(counted[0].1, None);
        // A product without movements since the count has the counted quantity.
        let counted = session.count(&[count("Maca", 21, 6)], None, None).await.unwrap();
        assert_eq!(counted[0].0.stock, Quantity::from_units(21));
        for (at, code) in
            [(99, Code::InvalidArgument), (3, Code::InvalidArgument), (-1, Code::InvalidArgument)]
        {
            let refused =
                session.count(&[count("Pera", 1, 0), count("Caju", 57, at)], None, None).await.unwrap_err();
            assert_eq!(refused.code, code, "{refused:?}");
            assert!(refused.metadata.contains(&("index", "1".to_owned())));
        }
        assert_eq!(stock(&session, "pera"), Quantity::from_units(16));
        assert_eq!(session.count(&[], None, None).await.unwrap_err().code, Code::InvalidArgument);
    }

    #[tokio::test]
    async fn what_a_count_has_corrected_is_not_corrected_again() {
        let (session, _committer) = shop();
        let booked = async |units, at| {
            let counted = session.count(&[count("Caju", units, at)], None, None).await.unwrap();
            let delta = counted[0].1.as_ref().map(|movement| movement.delta.thousandths() / 1000);
            (delta, counted[0].0.stock.thousandths() / 1000)
        };
        // Two tablets count one shelf; meanwhile three are sold.
        session.adjust(asked("Caju -3 motivo=venda")).await.unwrap();
        assert_eq!(booked(58, 4).await, (Some(-2), 55));
        assert_eq!(booked(58, 4).await, (None, 55));
        // The second one saw one more.
        assert_eq!(booked(59, 4).await, (Some(1), 56));
        session.adjust(asked("Caju -6 motivo=venda")).await.unwrap();
        assert_eq!(booked(56, 5).await, (None, 50));
        assert_eq!(booked(49, 0).await, (Some(-1), 49));
        // An undo takes a count back, and the next one of that moment books it.
        session.undo(UndoRequest::of(9, false, None)).await.unwrap();
        assert_eq!(booked(55, 5).await, (Some(-1), 49));
        assert_eq!(stock(&session, "caju"), Quantity::from_units(49));
    }

    #[tokio::test]
    async fn counts_of_one_moment_that_come_together_correct_once() {
        let (session, _committer) = shop();
        let (own, other) = ([count("Caju", 57, 4)], [count("Caju", 57, 4)]);
        let (first, second) =
            tokio::join!(session.count(&own, None, None), session.count(&other, None, None));
        let made = [first, second].map(|counted| counted.unwrap()[0].1.is_some());
        assert_eq!(made.iter().filter(|made| **made).count(), 1);
        assert_eq!(stock(&session, "caju"), Quantity::from_units(57));
    }
}
