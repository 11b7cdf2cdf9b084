//! What goes to the writer, and what comes back.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::catalog::{Adjustment, ImportCounts, Movement, ProductDraft, RequestId};
use crate::refusal::Refusal;

/// What is handed out before what has come meanwhile has its turn, by [`Answered::weight`]: a
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

/// What the writer is asked for.
pub(super) enum Change {
    Adjust(Adjustment),
    Batch { changes: Vec<Adjustment>, request_id: Option<RequestId> },
    Import { rows: Vec<ProductDraft>, request_id: Option<RequestId> },
}

impl Change {
    pub(super) fn request_id(&self) -> Option<&RequestId> {
        match self {
            Change::Adjust(adjustment) => adjustment.request_id.as_ref(),
            Change::Batch { request_id, .. } | Change::Import { request_id, .. } => request_id.as_ref(),
        }
    }
}

/// Changes that wait to be made, and who waits for their answers.
pub(super) struct Submission {
    pub(super) changes: Vec<Change>,
    pub(super) asker: Asker,
}

impl Submission {
    pub(super) fn new(
        changes: Vec<Change>,
        is_call: bool,
        answer: oneshot::Sender<Answers>,
        delivery: Option<mpsc::UnboundedSender<Vec<Answered>>>,
    ) -> Self {
        let rows = changes
            .iter()
            .map(|change| match change {
                Change::Adjust(_) => 1,
                Change::Batch { changes, .. } => changes.len(),
                Change::Import { rows, .. } => rows.len(),
            })
            .sum();
        Self { changes, asker: Asker { is_call, rows, answer, delivery } }
    }
}

/// Submissions that are handed over together, and how many rows of the store they may touch.
#[derive(Default)]
pub(super) struct Portion {
    pub(super) submissions: Vec<Submission>,
    pub(super) rows: usize,
}

impl Portion {
    pub(super) fn add(&mut self, submission: Submission) {
        self.rows += submission.asker.rows;
        self.submissions.push(submission);
    }

    pub(super) fn append(&mut self, other: Self) {
        self.rows += other.rows;
        self.submissions.extend(other.submissions);
    }
}

/// Who waits for the answers to a submission.
pub(super) struct Asker {
    /// It is one call among others of a connection, and not all that came on one.
    pub(super) is_call: bool,
    /// Rows of the store that the submission may touch.
    pub(super) rows: usize,
    pub(super) answer: oneshot::Sender<Answers>,
    /// How answers come back to its worker, if it has one.
    pub(super) delivery: Option<mpsc::UnboundedSender<Vec<Answered>>>,
}

/// What became of the changes of a submission.
#[derive(Default)]
pub(super) struct Answers {
    /// In their order.
    pub(super) each: Vec<Outcome>,
    /// The movements of their transaction, among which who asked finds its own: to copy them, and
    /// to count the owners of request ids on two threads, takes the writer's time.
    pub(super) movements: Arc<Vec<Movement>>,
}

impl Answers {
    /// The same for each of so many changes.
    pub(super) fn refused(count: usize, refusal: &Refusal) -> Self {
        Self { each: vec![Err(Box::new(refusal.clone())); count], movements: Arc::default() }
    }
}

/// An answered submission.
pub(super) struct Answered {
    is_call: bool,
    rows: usize,
    answer: oneshot::Sender<Answers>,
    answers: Answers,
}

impl Answered {
    /// Rows of the store that the submission could touch.
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
/// of a submission are collected into the room of its changes, which its worker frees again: where
/// the committer does, both wait for the allocator's lock.
pub(super) type Outcome = Result<Done, Box<Refusal>>;

const _: () = assert!(size_of::<Outcome>() <= size_of::<Change>());

/// What a change did. Its product is added by who asked: the units and long names of
/// products are shared, and to count their owners on two threads slows both.
#[derive(Clone)]
pub(super) enum Done {
    /// The movement of this transaction with this sequence number.
    Adjusted(i64),
    /// An earlier movement, of the same request id.
    AdjustedBefore(Box<Movement>),
    Batch(Vec<Movement>),
    Imported(ImportCounts),
}

impl Done {
    /// The movement of one change, given those of its transaction.
    pub(super) fn movement<'m>(&'m self, movements: &'m [Movement]) -> Option<&'m Movement> {
        match self {
            Done::Adjusted(sequence) => {
                let index = sequence - movements.first()?.sequence;
                movements.get(usize::try_from(index).ok()?)
            }
            Done::AdjustedBefore(movement) => Some(movement),
            Done::Batch(_) | Done::Imported(_) => None,
        }
    }
}

/// Answers all changes of some submissions with this.
pub(super) fn refuse_all(submissions: Vec<Submission>, refusal: &Refusal) {
    let refused =
        |submission: Submission| (submission.asker, Answers::refused(submission.changes.len(), refusal));
    let (askers, answers) = submissions.into_iter().map(refused).unzip();
    answer_all(askers, answers);
}

/// Sends each submission's answers on their way, those of one worker together.
pub(super) fn answer_all(askers: Vec<Asker>, answers: Vec<Answers>) {
    let mut parcels: Vec<(mpsc::UnboundedSender<Vec<Answered>>, Vec<Answered>)> = Vec::new();
    for (Asker { is_call, rows, answer, delivery }, answers) in askers.into_iter().zip(answers) {
        let answered = Answered { is_call, rows, answer, answers };
        let Some(delivery) = delivery else {
            answered.send();
            continue;
        };
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
pub(super) async fn deliver(mut answers: mpsc::UnboundedReceiver<Vec<Answered>>, note: impl Fn(&[Answered])) {
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
            let answers = Answers::refused(changes, &refusal);
            parcel.push(Answered { is_call, rows: changes, answer, answers });
            waiting.push(answered);
        }
        let (delivery, parcels) = mpsc::unbounded_channel();
        delivery.send(parcel).unwrap();
        tokio::spawn(deliver(parcels, |_: &[Answered]| {}));
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
