//! The state of the server, for those who run it.

use std::time::Duration;

use super::{Inventory, Session, read};
use crate::metrics::{COMMIT, Facts, Metrics, VERSION};
use crate::operation::{LeaseStatus, ServerRole, StatusReply, TransportStatus};
use crate::refusal::Refusal;
use crate::store::{Extent, LeaseFacts, Role};

impl Session {
    /// The facts of this moment for readers of the metrics.
    ///
    /// # Errors
    /// If too many reads of the ledger wait (`RESOURCE_EXHAUSTED`).
    pub async fn facts(&self) -> Result<Facts, Refusal> {
        let Inventory { catalog, committer, ledger, .. } = &self.inventory;
        let Extent { schema, database_bytes, log_bytes } = ledger.read(|ledger| Ok(ledger.extent())).await?;
        let (products, last_sequence) = {
            let catalog = read(catalog);
            (catalog.products().len(), catalog.last_sequence())
        };
        let waiting_changes = committer.waiting();
        let lease = self.inventory.lease.facts().map(lease_status);
        Ok(Facts { products, last_sequence, waiting_changes, schema, database_bytes, log_bytes, lease })
    }

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
        lease: facts.lease,
    }
}

/// The facts of a lease, as clients read them.
fn lease_status(facts: LeaseFacts) -> LeaseStatus {
    let LeaseFacts { role, epoch, age, holder, reconnections, replication } = facts;
    LeaseStatus {
        role: match role {
            Role::StandsBy => ServerRole::StandsBy,
            Role::Elected => ServerRole::Elected,
            Role::Writes => ServerRole::Writes,
            Role::Leaves => ServerRole::Leaves,
        },
        epoch,
        age,
        holder,
        reconnections,
        synchronous_standbys: replication.map(|copies| copies.synchronous),
        replication_lag_bytes: replication.map(|copies| copies.lag_bytes),
    }
}
