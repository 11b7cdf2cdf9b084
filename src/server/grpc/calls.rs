//! The calls of one connection, and the waits for the time when none is active.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::event_encoding::EventEncoding;
use super::progress::{Counted, Progress};
use crate::metrics::Transport;
use crate::operation::Operation;
use crate::refusal::Code;
use crate::server::io::BytesRead;
use crate::server::service::Service;

/// The time without a waiting change and without a taken answer after which a stopping server ends a
/// connection. A graceful HTTP/2 stop waits for an answer of each client (RFC 9113 §6.8), and a client that
/// ignores its idle connection would delay the stop for ever.
const SETTLED_AFTER: Duration = Duration::from_millis(500);

/// When a call came, and how.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) at: Instant,
    pub(super) transport: Transport,
    /// The encoding of the events, if the call is a watch.
    pub(super) events: EventEncoding,
}

/// The calls of one connection, with counts of the calls that wait for a change and of the streams of changes
/// whose answers are not all taken.
pub(in crate::server) struct Calls {
    pub(in crate::server) service: Service,
    pub(super) waiting: Arc<AtomicUsize>,
    pub(super) streams: Arc<AtomicUsize>,
    pub(super) progress: Progress,
    pub(in crate::server) bytes_read: BytesRead,
}

impl Calls {
    pub(in crate::server) fn new(service: Service) -> Arc<Self> {
        Arc::new(Self {
            service,
            waiting: Arc::default(),
            streams: Arc::default(),
            progress: Progress::default(),
            bytes_read: BytesRead::default(),
        })
    }

    /// Notes a request, so that the connection is not idle.
    pub(in crate::server) fn note_request(&self) {
        self.progress.note();
    }

    /// Counts a call that waits for a change. Calls that only read do not wait.
    pub(super) fn wait(&self) -> Counted {
        Counted::one_more(&self.waiting)
    }

    /// Counts a call that was answered now.
    pub(super) fn note(&self, operation: Option<Operation>, refused: Option<Code>, asked: Asked) {
        let operations = &self.service.inventory.metrics().operations;
        operations.answered(asked.transport, operation, refused, asked.at.elapsed());
    }

    /// Waits until there was no progress for as long as a connection may be silent, or for up to twice as
    /// long.
    pub(in crate::server) async fn idle(&self) {
        let Some(limit) = self.service.idle else { return std::future::pending().await };
        let mut count = self.progress.count();
        loop {
            tokio::time::sleep(limit).await;
            let before = std::mem::replace(&mut count, self.progress.count());
            if before == count {
                return;
            }
        }
    }

    /// Waits until, for [`SETTLED_AFTER`], no call has waited for a change and no answer was taken.
    pub(in crate::server) async fn settled(&self) {
        let mut before = None;
        loop {
            tokio::time::sleep(SETTLED_AFTER).await;
            let is_waiting = self.waiting.load(Ordering::Relaxed) > 0;
            let idle_at = (!is_waiting).then(|| self.progress.count());
            if idle_at.is_some() && idle_at == before {
                return;
            }
            before = idle_at;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;
    use crate::inventory::Inventory;
    use crate::server::grpc::list_body::List;
    use crate::server::grpc::testing::calls;
    use crate::store::sqlite::SqliteStore;
    use crate::wire::grpc::{self, Page};

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_left_once_nothing_is_taken_any_more() {
        let store = Box::new(SqliteStore::in_memory().unwrap());
        let (inventory, _committer) = Inventory::open(store, &[]).unwrap();
        let (_drain, draining) = tokio::sync::watch::channel(false);
        let calls = calls(&inventory, draining);
        let progress = calls.progress.clone();
        let service = calls.service.clone();
        tokio::spawn(async move {
            let (page, write) = (Page::whole(None), grpc::write_product);
            let list = List::new(&service, &progress, page, write, |_, _| ()).await.unwrap();
            // The client takes a piece from time to time.
            for _ in 0..12 {
                tokio::time::sleep(Duration::from_millis(400)).await;
                let mut list = pin!(list.clone().body());
                std::future::poll_fn(|context| hyper::body::Body::poll_frame(list.as_mut(), context)).await;
            }
        });
        let start = tokio::time::Instant::now();
        calls.settled().await;
        assert_eq!(start.elapsed().as_millis(), 5500);
        calls.idle().await;
        assert_eq!(start.elapsed().as_millis(), 7500);
    }
}
