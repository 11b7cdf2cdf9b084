//! The way back: results of write requests, from the writer to the connections that wait.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::group::{Change, WriteRequest};
use super::planner::Counted;
use crate::catalog::{ImportCounts, Movement};
use crate::refusal::Refusal;

/// What is handed out before what has come meanwhile has its turn, by [`Completion::weight`]: a
/// transaction answers dozens of connections, and each takes 10 µs of the worker or more. Half of
/// it, with 16 changes to an answer, takes a tenth from the latency of reads and 2 to 4 % from the
/// rate of changes.
const HANDED_OUT_AT_ONCE: usize = 64;

/// What an answer weighs that is sent by itself: at least so much, and no more than so much,
/// however many changes it answers. With 8 for all, 200 connections that read ten times for each
/// change wait twice as long (p99); with 2 for all, reads beside changes that come 16 at a time
/// wait 1.6 times as long.
const WEIGHT_MIN: usize = 2;
const WEIGHT_MAX: usize = 8;

/// Who waits for the answers to a request.
pub(super) struct ReplyTo {
    /// It is one call among others of a connection, and not all that came on one.
    pub(super) is_call: bool,
    /// Rows of the store that the request may touch.
    pub(super) rows: usize,
    pub(super) answer: oneshot::Sender<WriteResult>,
    /// How answers come back to its worker.
    pub(super) delivery: mpsc::UnboundedSender<Vec<Completion>>,
}

/// What became of the changes of a request.
#[derive(Default)]
pub(crate) struct WriteResult {
    /// In their order.
    pub(crate) each: Vec<Outcome>,
    /// The movements of their transaction, among which who asked finds its own: to copy them, and
    /// to count the owners of request ids on two threads, takes the writer's time.
    pub(crate) movements: Arc<Vec<Movement>>,
}

impl WriteResult {
    /// The same for each of so many changes.
    pub(super) fn refused(count: usize, refusal: &Refusal) -> Self {
        Self { each: vec![Err(Box::new(refusal.clone())); count], movements: Arc::default() }
    }
}

/// An answered request.
pub(super) struct Completion {
    is_call: bool,
    rows: usize,
    answer: oneshot::Sender<WriteResult>,
    answers: WriteResult,
}

impl Completion {
    /// Rows of the store that the request could touch.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// What it takes of the worker, in calls: those of a connection are answered together.
    fn weight(&self) -> usize {
        if self.is_call { 1 } else { self.answers.each.len().clamp(WEIGHT_MIN, WEIGHT_MAX) }
    }

    fn send(self) {
        // Who asked may be gone; the changes are made all the same.
        let _ = self.answer.send(self.answers);
    }
}

/// What became of a change, or why it was not made. No larger than a [`Change`], so that the outcomes
/// of a request are collected into the room of its changes, which its worker frees again: where
/// the committer does, both wait for the allocator's lock.
pub(crate) type Outcome = Result<Applied, Box<Refusal>>;

const _: () = assert!(size_of::<Outcome>() <= size_of::<Change>());

/// What a change did. Its product is added by who asked: the units and long names of
/// products are shared, and to count their owners on two threads slows both.
#[derive(Clone)]
pub(crate) enum Applied {
    /// The movement of this transaction with this sequence number.
    Adjusted(i64),
    /// An earlier movement, of the same request id.
    AdjustedBefore(Box<Movement>),
    /// The movements of a batch or an undo.
    Batch(Vec<Movement>),
    Imported(ImportCounts),
    Counted(Vec<Counted>),
}

impl Applied {
    /// The movement of one change, given those of its transaction.
    pub(crate) fn movement<'m>(&'m self, movements: &'m [Movement]) -> Option<&'m Movement> {
        match self {
            Applied::Adjusted(sequence) => {
                let index = sequence - movements.first()?.sequence;
                movements.get(usize::try_from(index).ok()?)
            }
            Applied::AdjustedBefore(movement) => Some(movement),
            Applied::Batch(_) | Applied::Imported(_) | Applied::Counted(_) => None,
        }
    }
}

/// WriteResult all changes of some requests with this.
pub(super) fn refuse_all(requests: Vec<WriteRequest>, refusal: &Refusal) {
    let refused =
        |request: WriteRequest| (request.reply_to, WriteResult::refused(request.changes.len(), refusal));
    let (reply_tos, answers) = requests.into_iter().map(refused).unzip();
    answer_all(reply_tos, answers);
}

/// Sends each request's answers on their way, those of one worker together.
pub(super) fn answer_all(reply_tos: Vec<ReplyTo>, answers: Vec<WriteResult>) {
    let mut parcels: Vec<(mpsc::UnboundedSender<Vec<Completion>>, Vec<Completion>)> = Vec::new();
    for (ReplyTo { is_call, rows, answer, delivery }, answers) in reply_tos.into_iter().zip(answers) {
        let answered = Completion { is_call, rows, answer, answers };
        match parcels.iter_mut().find(|(to, _)| to.same_channel(&delivery)) {
            Some((_, parcel)) => parcel.push(answered),
            None => parcels.push((delivery, vec![answered])),
        }
    }
    for (delivery, parcel) in parcels {
        // A worker that is gone has no one left who waits.
        let _ = delivery.send(parcel);
    }
}

/// Hands out the answers to one worker's connections, until nobody can ask any more.
pub(super) async fn deliver(
    mut answers: mpsc::UnboundedReceiver<Vec<Completion>>,
    note: impl Fn(&[Completion]),
) {
    let mut handed_out = 0;
    while let Some(answered) = answers.recv().await {
        note(&answered);
        for answered in answered {
            handed_out += answered.weight();
            answered.send();
            if handed_out >= HANDED_OUT_AT_ONCE {
                handed_out = 0;
                tokio::task::yield_now().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of two hundred are handed out in each turn, by their kind.
    async fn turns(is_call: bool, changes: usize) -> Vec<usize> {
        let refusal = super::super::stopped();
        let (mut parcel, mut waiting) = (Vec::new(), Vec::new());
        for _ in 0..200 {
            let (answer, answered) = oneshot::channel();
            let answers = WriteResult::refused(changes, &refusal);
            parcel.push(Completion { is_call, rows: changes, answer, answers });
            waiting.push(answered);
        }
        let (delivery, parcels) = mpsc::unbounded_channel();
        delivery.send(parcel).unwrap();
        tokio::spawn(deliver(parcels, |_: &[Completion]| {}));
        let mut turns = Vec::new();
        while turns.iter().sum::<usize>() < 200 {
            assert!(turns.len() < 200, "{turns:?}");
            tokio::task::yield_now().await;
            let before = waiting.len();
            waiting.retain_mut(|answered| answered.try_recv().is_err());
            turns.push(before - waiting.len());
        }
        turns
    }

    #[tokio::test]
    async fn others_have_their_turn_while_answers_are_handed_out() {
        assert_eq!(turns(false, 1).await, [32, 32, 32, 32, 32, 32, 8]);
        assert_eq!(turns(false, 4).await, [[16; 12].as_slice(), &[8]].concat());
        assert_eq!(turns(false, 16).await, [8; 25]);
        assert_eq!(turns(true, 1).await, [64, 64, 64, 8]);
    }
}
