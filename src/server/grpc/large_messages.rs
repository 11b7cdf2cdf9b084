//! Calls whose messages may be large. Such calls take turns, and the side thread reads them.

use std::sync::Arc;
use std::time::Duration;

use tonic::body::Body;
use tonic::codegen::http;

use super::arriving::Arriving;
use super::calls::{Asked, Calls};
use crate::operation::{LargeMessages, Operation};
use crate::wire::grpc::status;

/// The time that a large message has to arrive after its turn has come: enough for the largest one at a
/// megabit a second.
const LARGE_MESSAGE_WAIT: Duration = Duration::from_secs(40);

impl Calls {
    /// Waits for a call's turn, and answers the call, on the side thread if its message is large. A call
    /// whose message does not arrive loses its turn; a message that has arrived is never cut off.
    pub(super) async fn in_turn<F>(
        self: Arc<Self>,
        operation: Operation,
        large: &LargeMessages,
        body: Arriving,
        asked: Asked,
        answer: impl FnOnce(Arc<Self>, Arriving) -> F,
    ) -> http::Response<Body>
    where
        F: Future<Output = http::Response<Body>> + Send + 'static,
    {
        let waiting = self.wait();
        let _turn = match self.service.turns.of(operation) {
            Some(turns) => tokio::select! {
                // The semaphore is never closed; the call would be answered even without a turn.
                turn = turns.acquire_owned() => turn.ok(),
                refusal = body.too_late() => {
                    self.note(Some(operation), Some(refusal.code), asked);
                    return status(refusal).into_http();
                }
            },
            None => None,
        };
        drop(waiting);
        self.progress.note();
        let mut body = body.patiently(LARGE_MESSAGE_WAIT, self.progress.clone());
        let is_large = body.is_large(large.worker_bytes_max).await;
        let answer = answer(Arc::clone(&self), body);
        if is_large { self.service.side_tasks.run(answer).await } else { answer.await }
    }
}
