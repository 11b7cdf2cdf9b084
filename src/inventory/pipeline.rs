//! The pipeline of a connection, which answers requests in order. Both transports use it.
//!
//! Changes that arrive together are committed together. A client must read its own writes, so a read of a
//! product with a waiting change waits too. Any other answer is known already (a refusal, or a read of
//! another product) and takes its place behind the changes before it.

use std::ops::Range;

use super::commit::{Change, WriteResult};
use super::query::Reader;
use super::{Session, product_of, read, stopped};
use crate::catalog::{Movement, Product, ProductId};
use crate::operation::AdjustRequest;
use crate::refusal::Refusal;

/// The most waiting changes that a read is compared with. If more wait, the read waits for them.
const SEARCHED_MAX: usize = 256;

/// The encoded answers of a transport, one after the other.
pub trait Answers: Default {
    /// Reserves room for `count` answers.
    fn make_room(&mut self, count: usize);

    /// The number of bytes that are written.
    fn bytes(&self) -> usize;

    /// Appends some bytes of other answers.
    fn append(&mut self, other: &Self, bytes: Range<usize>);

    /// Empties the answers and keeps their memory.
    fn clear(&mut self);
}

/// The requests of one connection that are not answered yet, and the answers that are not sent yet.
#[derive(Default)]
pub struct Pipeline<A> {
    /// The answers that can be sent: no change waits before them.
    ready: A,
    changes: Vec<Change>,
    /// The answers that are known and stand behind changes that wait.
    known: A,
    /// The places of the known answers: the number of changes before them, and their first byte in `known`.
    places: Vec<(usize, usize)>,
}

impl<A: Answers> Pipeline<A> {
    /// The number of changes that wait.
    pub fn waiting(&self) -> usize {
        self.changes.len()
    }

    /// The bytes of known answers behind changes that wait.
    pub fn known_bytes(&self) -> usize {
        self.known.bytes()
    }

    /// The bytes of answers that can be sent.
    pub fn ready_bytes(&self) -> usize {
        self.ready.bytes()
    }

    /// Takes the answers that can be sent.
    pub fn take_ready(&mut self) -> A {
        std::mem::take(&mut self.ready)
    }

    /// Returns the place to write the next request's answer to, if the answer is known already.
    pub fn next_answer(&mut self) -> &mut A {
        let before = self.changes.len();
        if before == 0 {
            self.ready.make_room(1);
            return &mut self.ready;
        }
        if self.places.last().is_none_or(|(place, _)| *place != before) {
            self.places.push((before, self.known.bytes()));
        }
        &mut self.known
    }

    /// Whether a read of this product must wait, for a change of the product's stock or because too many
    /// changes wait to search them.
    fn holds_back(&self, product: ProductId) -> bool {
        self.changes.len() > SEARCHED_MAX
            || self
                .changes
                .iter()
                .any(|change| matches!(change, Change::Adjust(change) if change.product == product))
    }
}

impl Reader<'_> {
    /// Adds a change to a pipeline.
    ///
    /// # Errors
    /// If [`Reader::find`] would fail. The pipeline is then unchanged.
    pub fn add<A>(&mut self, pipeline: &mut Pipeline<A>, request: AdjustRequest<'_>) -> Result<(), Refusal> {
        pipeline.changes.push(Change::Adjust(self.adjustment(request)?));
        Ok(())
    }

    /// Answers a read in its place with `write`. Returns `false` if the read must wait: the caller repeats it
    /// after [`Session::commit`].
    ///
    /// # Errors
    /// If [`Reader::find`] would fail. The pipeline is then unchanged.
    pub fn find_in_turn<A: Answers>(
        &mut self,
        pipeline: &mut Pipeline<A>,
        name: &str,
        write: impl FnOnce(&mut A, &Product),
    ) -> Result<bool, Refusal> {
        self.find(name, |product| {
            let is_held_back = pipeline.holds_back(product.id);
            if !is_held_back {
                write(pipeline.next_answer(), &product);
            }
            !is_held_back
        })
    }
}

impl Session {
    /// Commits the changes that wait, in order and each on its own: a refused change stops no other. Answers
    /// each change with `write` after all are durable, and so makes all answers ready.
    pub async fn commit<A: Answers>(
        &self,
        pipeline: &mut Pipeline<A>,
        mut write: impl FnMut(&mut A, Result<(&Product, &Movement), Refusal>),
    ) {
        if pipeline.changes.is_empty() {
            return;
        }
        let changes = std::mem::take(&mut pipeline.changes);
        let WriteResult { each, movements } = self.write(changes).await;
        let Pipeline { ready, known, places, .. } = pipeline;
        ready.make_room(each.len());
        let catalog = read(&self.inventory.catalog);
        let mut places = places.drain(..).peekable();
        for (before, outcome) in each.into_iter().enumerate() {
            match outcome {
                Ok(applied) => {
                    let movement = applied.movement(&movements).ok_or_else(stopped);
                    write(ready, movement.map(|movement| (product_of(&catalog, movement), movement)));
                }
                Err(refusal) => write(ready, Err(*refusal)),
            }
            if let Some((_, start)) = places.next_if(|(place, _)| *place == before + 1) {
                let end = places.peek().map_or(known.bytes(), |(_, next)| *next);
                ready.append(known, start..end);
            }
        }
        known.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, shop, stock};
    use super::*;
    use crate::catalog::Quantity;
    use crate::refusal::Code;

    /// The answers: the number of a movement, the stock that was read (as a negative number), or the code of
    /// a refusal.
    #[derive(Default)]
    struct List(Vec<Result<i64, Code>>);

    impl Answers for List {
        fn make_room(&mut self, _: usize) {}
        fn bytes(&self) -> usize {
            self.0.len()
        }
        fn append(&mut self, other: &Self, bytes: Range<usize>) {
            self.0.extend_from_slice(&other.0[bytes]);
        }
        fn clear(&mut self) {
            self.0.clear();
        }
    }

    fn write(answers: &mut List, answer: Result<(&Product, &Movement), Refusal>) {
        answers.0.push(answer.map(|(_, movement)| movement.sequence).map_err(|refusal| refusal.code));
    }

    fn read_stock(session: &Session, pipeline: &mut Pipeline<List>, name: &str) -> bool {
        let write = |answers: &mut List, product: &Product| answers.0.push(Ok(-product.stock.thousandths()));
        session.reader().find_in_turn(pipeline, name, write).unwrap()
    }

    #[tokio::test]
    async fn a_request_id_repeated_in_one_pipeline_is_made_once() {
        let (session, _committer) = shop();
        let mut pipeline = Pipeline::<List>::default();
        // A refused change does not use up its id.
        for line in ["Pera -99 id=b", "Pera -9 id=b", "Pera -9 id=b", "Pera 9 id=b"] {
            session.reader().add(&mut pipeline, asked(line)).unwrap();
        }
        session.commit(&mut pipeline, write).await;
        let List(answers) = pipeline.take_ready();
        assert_eq!(answers, [Err(Code::InsufficientStock), Ok(5), Ok(5), Err(Code::RequestIdReused)]);
        assert_eq!(stock(&session, "pera"), Quantity::from_units(6));
    }

    #[tokio::test]
    async fn what_is_known_already_is_answered_in_its_turn() {
        let (session, _committer) = shop();
        let mut pipeline = Pipeline::<List>::default();
        // One pipeline for all rounds, as a connection has.
        for places in [vec![], vec![0], vec![2], vec![0, 1, 2], vec![1, 3, 4], vec![0, 4, 5, 6]] {
            let mut expected = Vec::new();
            let mut sequence = session.inventory.last_sequence();
            for place in 0..7 {
                if !places.contains(&place) {
                    session.reader().add(&mut pipeline, asked("Caju 1")).unwrap();
                    sequence += 1;
                    expected.push(Ok(sequence));
                } else if place % 2 == 0 {
                    write(pipeline.next_answer(), Err(Refusal::no_room()));
                    expected.push(Err(Refusal::no_room().code));
                } else {
                    assert!(read_stock(&session, &mut pipeline, "Maca"));
                    expected.push(Ok(-20_000));
                }
            }
            session.commit(&mut pipeline, write).await;
            assert_eq!((pipeline.waiting(), pipeline.known_bytes()), (0, 0));
            assert_eq!(pipeline.take_ready().0, expected, "{places:?}");
        }
    }

    #[tokio::test]
    async fn a_read_waits_for_a_change_of_its_product_or_behind_too_many() {
        let (session, _committer) = shop();
        let mut pipeline = Pipeline::<List>::default();
        let add = |pipeline: &mut _| session.reader().add(pipeline, asked("Caju 1")).unwrap();
        assert!(read_stock(&session, &mut pipeline, "Caju"));
        add(&mut pipeline);
        assert!(!read_stock(&session, &mut pipeline, "Caju"));
        assert!(read_stock(&session, &mut pipeline, "Maca"));
        (1..SEARCHED_MAX).for_each(|_| add(&mut pipeline));
        assert!(read_stock(&session, &mut pipeline, "Maca"));
        add(&mut pipeline);
        assert!(!read_stock(&session, &mut pipeline, "Maca"));
        assert_eq!((pipeline.ready_bytes(), pipeline.known_bytes()), (1, 2));
        session.commit(&mut pipeline, write).await;
        assert!(read_stock(&session, &mut pipeline, "Caju"));
        let List(answers) = pipeline.take_ready();
        assert_eq!(answers[..3], [Ok(-60_000), Ok(5), Ok(-20_000)]);
        assert_eq!((answers.len(), answers[258..].to_vec()), (261, vec![Ok(-20_000), Ok(261), Ok(-317_000)]));
    }
}
