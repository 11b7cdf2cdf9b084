//! The state of the server, for those who run it.

use std::time::Duration;

use super::Session;
use crate::metrics::{COMMIT, Facts, Metrics, VERSION};
use crate::operation::{StatusReply, TransportStatus};
use crate::refusal::Refusal;

impl Session {
    /// The state of the server now.
    ///
    /// # Errors
    /// If too many reads of the ledger wait (`RESOURCE_EXHAUSTED`).
    pub async fn status(&self) -> Result<StatusReply, Refusal> {
        let facts = self.facts().await?;
        let label_masks = self.inventory.labels.all().to_vec();
        Ok(StatusReply { label_masks, ..status(self.metrics(), facts) })
    }
}

fn status(metrics: &Metrics, facts: Facts) -> StatusReply {
    let times = metrics.commits.durations.snapshot();
    let within = |share| times.quantile(share).map(Duration::from_nanos);
    let served = metrics.served.get();
    let is_served = |name: &str| served.is_some_and(|served| served.transports.contains(&name));
    let transports = metrics.connections.counts().map(|(transport, open, total)| TransportStatus {
        name: transport.name().to_owned(),
        open: open as u64,
        total,
    });
    StatusReply {
        version: VERSION.to_owned(),
        commit: COMMIT.to_owned(),
        schema: facts.schema,
        started_at: metrics.started_at,
        address: served.map_or(String::new(), |served| served.address.to_string()),
        transports: transports.filter(|transport| is_served(&transport.name)).collect(),
        watchers: metrics.watchers.get() as u64,
        products: facts.products as u64,
        last_sequence: facts.last_sequence,
        store: metrics.store.state(),
        last_error: metrics.store.last_error().map(|error| (error.kind.to_owned(), error.at)),
        database_bytes: facts.database_bytes,
        log_bytes: facts.log_bytes,
        requests: metrics.operations.total(),
        waiting_changes: facts.waiting_changes as u64,
        commits: times.count,
        commit_median: within(0.5),
        commit_p99: within(0.99),
        label_masks: Vec::new(),
    }
}
