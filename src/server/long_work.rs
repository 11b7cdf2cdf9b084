//! Requests that take longer than one turn, such as lists. A worker continues one of them at a time, so that
//! its other clients wait for no more than one turn, however many such requests there are.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// The bytes of a list that are written in one turn: a twentieth of a millisecond or less.
pub(super) const TURN_BYTES: usize = 16 * 1024;

/// The bytes of a list that are written in its first turn: fewer, because many lists may begin together.
const FIRST_TURN_BYTES: usize = 4 * 1024;

/// The long requests of one worker.
#[derive(Clone)]
pub(super) struct LongWork(Arc<Semaphore>);

/// The turns of one request.
pub(super) struct Turn {
    all: LongWork,
    /// The permit of the worker's only long request, held from the request's second turn on.
    permit: Option<OwnedSemaphorePermit>,
}

impl LongWork {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }

    /// The first turn of a request, which waits for no other request: most requests need only this one.
    pub(super) fn begin(&self) -> Turn {
        Turn { all: self.clone(), permit: None }
    }

    /// A receiver that is ready when the turn of a request has come, for requests that may be unable to use
    /// it: bytes for a slow client are written only when it has room. The turn ends after all others have had
    /// theirs, whether it was used or not.
    pub(super) fn turn(&self) -> oneshot::Receiver<()> {
        let (begin, begun) = oneshot::channel();
        let all = Arc::clone(&self.0);
        tokio::spawn(async move {
            // The semaphore is never closed.
            let _permit = all.acquire_owned().await.ok();
            if begin.send(()).is_ok() {
                tokio::task::yield_now().await;
            }
        });
        begun
    }
}

impl Turn {
    /// The bytes of a list that may be written in this turn.
    pub(super) fn bytes(&self) -> usize {
        if self.permit.is_some() { TURN_BYTES } else { FIRST_TURN_BYTES }
    }

    /// Ends this turn after all other connections have had theirs: only then does another long request
    /// continue. To be called before any other wait, and when the work is done.
    pub(super) async fn end(&mut self) {
        if self.permit.is_some() {
            tokio::task::yield_now().await;
            self.permit = None;
        }
    }

    /// Ends this turn, and waits for the next one, after the requests that wait already.
    pub(super) async fn next(&mut self) {
        match self.permit {
            Some(_) => self.end().await,
            None => tokio::task::yield_now().await,
        }
        // The semaphore is never closed.
        self.permit = Arc::clone(&self.all.0).acquire_owned().await.ok();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::super::testing;
    use super::*;

    #[tokio::test]
    async fn others_wait_for_one_turn_however_many_work_long() {
        let long_work = LongWork::new();
        let others = testing::turns();
        let works: Vec<_> = (0..100)
            .map(|_| {
                let mut turn = long_work.begin();
                tokio::spawn(async move {
                    for _ in 0..20 {
                        turn.next().await;
                    }
                    turn.end().await;
                })
            })
            .collect();
        for work in works {
            work.await.unwrap();
        }
        let others = others.load(Ordering::Relaxed);
        assert!(others >= 1900, "{others} turns of others in 2000 long ones");
    }

    #[tokio::test]
    async fn a_turn_that_is_not_taken_is_given_away() {
        let long_work = LongWork::new();
        let _untaken: Vec<_> = (0..100).map(|_| long_work.turn()).collect();
        drop(long_work.turn());
        long_work.turn().await.unwrap();
        let mut turn = long_work.begin();
        turn.next().await;
    }
}
