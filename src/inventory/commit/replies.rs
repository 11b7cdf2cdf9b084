//! The way of the results back, from the writer to the clients that wait.

use tokio::sync::mpsc;

use super::doubts::Doubts;
use super::group::{Completion, WriteRequest};
use super::result::WriteResult;
use crate::refusal::Refusal;

/// Refuses all changes of some requests, which are not planned yet.
pub(super) fn refuse_all(requests: Vec<WriteRequest>, refusal: &Refusal, doubts: &Doubts) {
    let each = |request: &WriteRequest| WriteResult::of_refusals(doubts.refusals(&request.changes, refusal));
    let results = requests.iter().map(each);
    let results = results.collect();
    send_all(requests, results);
}

/// Sends the result of each request to the worker of its client. The results of one worker go together,
/// because waking a thread is a system call.
pub(super) fn send_all(requests: Vec<WriteRequest>, results: Vec<WriteResult>) {
    let mut parcels: Vec<(mpsc::UnboundedSender<Vec<Completion>>, Vec<Completion>)> = Vec::new();
    for (request, result) in requests.into_iter().zip(results) {
        match parcels.iter_mut().find(|(worker, _)| worker.same_channel(&request.worker)) {
            Some((_, parcel)) => parcel.push(Completion { request, result }),
            None => parcels.push((request.worker.clone(), vec![Completion { request, result }])),
        }
    }
    for (worker, parcel) in parcels {
        // A worker that has ended has no client that waits.
        let _ = worker.send(parcel);
    }
}
