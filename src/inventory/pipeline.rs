//! One connection's changes that wait together, to be answered in order.

use super::commit::{Applied, Change, WriteResult};
use super::query::Reader;
use super::{Session, product_of, read, stopped};
use crate::catalog::{Adjustment, Movement, Product, ProductId};
use crate::operation::AdjustRequest;
use crate::refusal::Refusal;

/// Stock changes that one client sent together, to be answered together.
#[derive(Default)]
pub struct Pipeline {
    changes: Vec<Change>,
    /// Refusals known before any change is made, each with the number of changes before it.
    refusals: Vec<(usize, Refusal)>,
}

impl Pipeline {
    /// Whether a change of this product's stock waits.
    pub fn touches(&self, product: ProductId) -> bool {
        self.changes
            .iter()
            .any(|change| matches!(change, Change::Adjust(change) if change.product == product))
    }

    /// How many changes were asked for, refused ones included.
    pub fn len(&self) -> usize {
        self.changes.len() + self.refusals.len()
    }

    /// Whether nothing was asked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts a refusal at the end, in the place of a change.
    pub fn refuse(&mut self, refusal: Refusal) {
        self.refusals.push((self.changes.len(), refusal));
    }
}

impl Reader<'_> {
    /// Puts a change at the end of a pipeline.
    ///
    /// # Errors
    /// If [`Reader::find`] would fail. The pipeline is then unchanged.
    pub fn add(&mut self, pipeline: &mut Pipeline, request: AdjustRequest<'_>) -> Result<(), Refusal> {
        let AdjustRequest { name, delta, kind, request_id } = request;
        let product = self.id_of(name)?;
        pipeline.changes.push(Change::Adjust(Adjustment { product, delta, kind, request_id }));
        Ok(())
    }
}

impl Session {
    /// Changes several stocks, in this order but each on its own: one refused change stops
    /// no other. Calls `answer` for each change, in order, after all are durable.
    pub async fn adjust_all(
        &self,
        pipeline: Pipeline,
        mut answer: impl FnMut(Result<(&Product, &Movement), Refusal>),
    ) {
        let WriteResult { each, movements } = self.write(pipeline.changes, false).await;
        let catalog = read(&self.inventory.catalog);
        let mut refusals = pipeline.refusals.into_iter().peekable();
        for (answered, outcome) in each.into_iter().enumerate() {
            while let Some((_, refusal)) = refusals.next_if(|(before, _)| *before == answered) {
                answer(Err(refusal));
            }
            match outcome {
                Ok(applied) => {
                    let movement = Applied::movement(&applied, &movements).ok_or_else(stopped);
                    answer(movement.map(|movement| (product_of(&catalog, movement), movement)));
                }
                Err(refusal) => answer(Err(*refusal)),
            }
        }
        refusals.for_each(|(_, refusal)| answer(Err(refusal)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Adjusted;
    use super::super::testing::{asked, shop, stock};
    use super::*;
    use crate::catalog::Quantity;
    use crate::refusal::Refusal;

    #[tokio::test]
    async fn a_request_id_repeated_in_one_pipeline_is_made_once() {
        let (session, _committer) = shop();
        let mut pipeline = Pipeline::default();
        // A refused change does not use up its id.
        for line in ["Pera -99 id=b", "Pera -9 id=b", "Pera -9 id=b", "Pera 9 id=b"] {
            session.reader().add(&mut pipeline, asked(line)).unwrap();
        }
        let mut answers = Vec::new();
        session.adjust_all(pipeline, |answer| answers.push(answer.map(Adjusted::from))).await;
        assert_eq!(answers[1], answers[2]);
        assert!(answers[0].is_err() && answers[1].is_ok() && answers[3].is_err());
        assert_eq!(stock(&session, "pera"), Quantity::from_units(6));
    }

    #[tokio::test]
    async fn what_is_refused_at_once_is_answered_in_its_turn() {
        let (session, _committer) = shop();
        for places in [vec![], vec![0], vec![2], vec![0, 1, 2], vec![1, 3, 4], vec![0, 4, 5, 6]] {
            let mut pipeline = Pipeline::default();
            for place in 0..7 {
                match places.contains(&place) {
                    true => pipeline.refuse(Refusal::no_room()),
                    false => session.reader().add(&mut pipeline, asked("Caju 1")).unwrap(),
                }
            }
            assert_eq!(pipeline.len(), 7);
            let mut answered = Vec::new();
            session.adjust_all(pipeline, |answer| answered.push(answer.is_err())).await;
            assert_eq!(answered, (0..7).map(|place| places.contains(&place)).collect::<Vec<_>>());
        }
    }
}
