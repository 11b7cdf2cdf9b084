//! Calls whose messages may be large: their limits and turns, and the side thread that reads them.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tonic::body::Body;
use tonic::codegen::{Service as _, http};

use super::Calls;
use super::arriving::Arriving;
use crate::wire::grpc::status;
use crate::wire::grpc::v1::inventory_service_server::InventoryServiceServer;

/// Largest batch taken: of the most changes, each with the longest name.
pub(super) const BATCH_BYTES_MAX: usize = 512 * 1024;

/// Largest import taken: of the most rows, each with the longest name.
pub(super) const IMPORT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Largest batch that a worker reads itself: a fifth of a millisecond. The worker reads no import itself,
/// because an empty row of an import is tiny and still has to be explained.
pub(super) const WORKER_BATCH_BYTES_MAX: usize = 16 * 1024;
pub(super) const WORKER_IMPORT_BYTES_MAX: usize = 0;

/// Batches and imports that are being read at one time, over all connections; the others
/// wait unread, where HTTP/2's flow control holds them. An import of nothing but empty rows
/// takes some eighty times its size while it is looked at, a batch likewise.
const BATCHES_MAX: usize = 64;
const IMPORTS_MAX: usize = 2;

/// How long such a message may take to come, once it is its turn: the largest comes in time
/// over a line of a megabit a second.
const LARGE_MESSAGE_WAIT: Duration = Duration::from_secs(40);

/// Turns of the calls whose messages may be large, over all connections.
#[derive(Clone)]
pub(in crate::server) struct Turns {
    pub(super) batches: Arc<Semaphore>,
    pub(super) imports: Arc<Semaphore>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            batches: Arc::new(Semaphore::new(BATCHES_MAX)),
            imports: Arc::new(Semaphore::new(IMPORTS_MAX)),
        }
    }
}

/// Waits for a call's turn, and answers the call, on the side thread if its message is large. A call
/// whose message does not come gives its turn away; a message that has come is never cut off.
pub(super) async fn in_turn(
    turns: Arc<Semaphore>,
    calls: Calls,
    request: http::Request<Arriving>,
    mut service: InventoryServiceServer<Calls>,
    worker_bytes_max: usize,
) -> Result<http::Response<Body>, Infallible> {
    let waiting = calls.wait();
    let _turn = tokio::select! {
        // The semaphore is never closed; even without a turn the call would be answered.
        turn = turns.acquire_owned() => turn,
        refusal = request.body().too_late() => return Ok(status(refusal).into_http()),
    };
    drop(waiting);
    calls.progress.note();
    let mut request = request.map(|body| body.patiently(LARGE_MESSAGE_WAIT, calls.progress));
    let is_large = request.body_mut().is_large(worker_bytes_max).await;
    let answer = service.call(request);
    if is_large { calls.service.side_tasks.run(answer).await } else { answer.await }
}
