//! Calls whose messages may be large. Such calls take turns, and the side thread reads them.

use std::sync::Arc;

use tonic::body::Body;
use tonic::codegen::http;

use super::arriving::Arriving;
use super::calls::{Asked, Calls};
use crate::operation::{LargeMessages, Operation};
use crate::wire::grpc::status;

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
        let turn = tokio::select! {
            turn = self.service.turns.take(operation) => turn,
            refusal = body.too_late() => Err(refusal),
        };
        let _turn = match turn {
            Ok(turn) => turn,
            Err(refusal) => {
                self.note(Some(operation), Some(refusal.code), asked);
                return status(refusal).into_http();
            }
        };
        drop(waiting);
        self.progress.note();
        let mut body = body.noted(self.progress.clone());
        let is_large = body.is_large(large.worker_bytes_max).await;
        let answer = answer(Arc::clone(&self), body);
        if is_large { self.service.side_tasks.run(answer).await } else { answer.await }
    }
}
