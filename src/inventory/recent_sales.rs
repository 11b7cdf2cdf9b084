//! The sales of each product in the last weeks.
//!
//! Four weeks of a busy shop are a million movements, a fifth of a second of reading. So the sums are kept,
//! and the next question only reads what was sold and undone since, and what has become too old.

use std::sync::{Arc, Mutex, PoisonError};

use super::ledger_reads::LedgerReads;
use crate::catalog::{Kind, Movement, ProductId};
use crate::refusal::Refusal;
use crate::store::LedgerRange;

/// The undone movements that are looked up in one turn, two milliseconds.
const UNDONE_IN_TURN: usize = 256;

/// The sums of the last question. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct RecentSales(Arc<Mutex<Arc<Sums>>>);

/// The sums of a range of the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sums {
    /// The thousandths that were sold of each product, by its number: eight bytes a product.
    by_product: Vec<i64>,
    /// The first movement, and the one before the end: what was sold and undone up to there counts.
    from: i64,
    through: i64,
}

impl Sums {
    pub(super) fn of(&self, product: ProductId) -> i64 {
        self.by_product.get(product.number() as usize).copied().unwrap_or(0)
    }

    fn add(&mut self, sale: &Movement, sign: i64) {
        let place = sale.product.number() as usize;
        if self.by_product.len() <= place {
            self.by_product.resize(place + 1, 0);
        }
        let sold = sale.delta.thousandths().saturating_abs();
        self.by_product[place] = self.by_product[place].saturating_add(sign * sold);
    }
}

impl RecentSales {
    /// The sales from a movement on, without those that were undone.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(super) async fn since(
        &self,
        from: i64,
        through: i64,
        ledger: &LedgerReads,
    ) -> Result<Arc<Sums>, Refusal> {
        let kept = Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner));
        // A clock may have been set back, and a reader may have begun before another one.
        let is_usable = (kept.from..=kept.through + 1).contains(&from) && kept.through <= through;
        let sums = if is_usable {
            let sums = sum(ledger, Sums::clone(&kept), -1, (kept.from, from - 1), kept.through).await?;
            let sums = take_undone(ledger, sums, from, through).await?;
            sum(ledger, sums, 1, (kept.through + 1, through), through).await?
        } else {
            sum(ledger, Sums::default(), 1, (from, through), through).await?
        };
        let sums = Arc::new(Sums { from, through, ..sums });
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if place.through <= through {
            *place = Arc::clone(&sums);
        }
        Ok(sums)
    }
}

/// Adds the sales of a range, as they were when the movement `through` was the last; takes them with a sign of -1.
async fn sum(
    ledger: &LedgerReads,
    mut sums: Sums,
    sign: i64,
    (from, to): (i64, i64),
    through: i64,
) -> Result<Sums, Refusal> {
    let mut next = Some(from).filter(|from| *from <= to);
    while let Some(from) = next {
        let range = LedgerRange { from, to, through, kind: Some(Kind::Sale) };
        let reading = ledger.read(move |ledger| {
            let next = ledger.visit(&range, &mut |row| sums.add(&row.movement, sign))?;
            Ok((sums, next))
        });
        (sums, next) = reading.await?;
    }
    Ok(sums)
}

/// Takes the sales from a movement on that were counted, and undone since.
async fn take_undone(ledger: &LedgerReads, mut sums: Sums, from: i64, through: i64) -> Result<Sums, Refusal> {
    let mut next = Some(sums.through + 1).filter(|by| *by <= through);
    while let Some(first) = next {
        let reading = ledger.read(move |ledger| {
            let undone = ledger.undone(first..=through, UNDONE_IN_TURN)?;
            for (_, sequence) in &undone {
                // A sale that was made and undone since was never counted.
                let row = ledger.row(*sequence, sums.through)?.filter(|_| *sequence >= from);
                if let Some(row) = row.filter(|row| row.movement.kind == Kind::Sale && row.undoes == 0) {
                    sums.add(&row.movement, -1);
                }
            }
            Ok((undone.last().filter(|_| undone.len() == UNDONE_IN_TURN).map(|(by, _)| by + 1), sums))
        });
        (next, sums) = reading.await?;
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, shop, undo};
    use super::*;
    use crate::inventory::Session;

    async fn sums(session: &Session, recent: &RecentSales, from: i64) -> Vec<i64> {
        let through = session.inventory.last_sequence();
        let sums = recent.since(from, through, &session.inventory.ledger).await.unwrap();
        (1..=4).map(|number| sums.of(ProductId::from_number(number).unwrap())).collect()
    }

    #[tokio::test]
    async fn kept_sums_are_those_that_are_read_again() {
        let (session, _committer) = shop();
        let kept = RecentSales::default();
        let mut random = fastrand::Rng::with_seed(7);
        let mut from = 1;
        for step in 0..400 {
            let last = session.inventory.last_sequence();
            let name = *random.choice(&["Maca", "Pera", "Banana", "Caju"]).unwrap();
            // Some are refused, for want of stock or because they were undone.
            match random.u32(0..10) {
                0..6 => drop(session.adjust(asked(&format!("{name} -1 motivo=venda"))).await),
                6..8 => drop(session.adjust(asked(&format!("{name} 2 motivo=compra"))).await),
                _ => drop(session.undo(undo(random.i64(1..=last))).await),
            }
            if random.u32(0..4) > 0 {
                continue;
            }
            // Sometimes back, as after a clock that was set back.
            let back = if random.u32(0..12) == 0 { 40 } else { 0 };
            from = (from + random.i64(0..20) - back).clamp(1, session.inventory.last_sequence() + 1);
            let expected = sums(&session, &RecentSales::default(), from).await;
            assert_eq!(sums(&session, &kept, from).await, expected, "step {step}");
        }
        assert!(session.inventory.last_sequence() > 200);
    }
}
