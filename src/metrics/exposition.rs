//! The metrics in Prometheus's text format, by its conventions: base units, and names that end with them.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeLabelSet, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::Registry;

use super::histogram::Snapshot;
use super::process::Usage;
use super::{COMMIT, Facts, Metrics, VERSION};
use crate::operation::{LeaseStatus, ServerRole, StoreState};

/// The content type of the text.
pub const CONTENT_TYPE: &str = prometheus_client::encoding::prometheus_text::CONTENT_TYPE;

const NANOS_IN_SECOND: f64 = 1e9;

/// The metrics as text, with the facts of this moment.
pub fn write_metrics(metrics: &Arc<Metrics>, facts: Facts) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Reading { metrics: Arc::clone(metrics), facts }));
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = prometheus_client::encoding::prometheus_text::encode(&mut text, &registry);
    text
}

/// The metrics and the facts that one reader sees.
#[derive(Debug)]
struct Reading {
    metrics: Arc<Metrics>,
    facts: Facts,
}

impl Collector for Reading {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        self.operations(&mut page)?;
        self.commits(&mut page)?;
        self.connections(&mut page)?;
        self.store(&mut page)?;
        self.process(&mut page)
    }
}

impl Reading {
    fn operations(&self, page: &mut Page<'_>) -> fmt::Result {
        let operations = &self.metrics.operations;
        let counts = operations.counts().map(|count| {
            let labels =
                [("operation", count.operation), ("code", count.code), ("transport", count.transport)];
            (labels, count.count)
        });
        page.counters(
            "hortifruti_operations",
            "Requests that were answered, by operation, code of the answer and transport.",
            counts,
        )?;
        page.histograms(
            "hortifruti_operation_duration_seconds",
            "Time from the arrival of a request to its answer, by operation.",
            NANOS_IN_SECOND,
            operations.durations().map(|(operation, times)| ([("operation", operation)], times)),
        )
    }

    fn commits(&self, page: &mut Page<'_>) -> fmt::Result {
        let commits = &self.metrics.commits;
        page.histograms(
            "hortifruti_commit_duration_seconds",
            "Time of a transaction, until it is durable and published.",
            NANOS_IN_SECOND,
            [(NO_LABELS, commits.durations.snapshot())],
        )?;
        page.histograms(
            "hortifruti_commit_changes",
            "Movements and changes of terms in a transaction.",
            1.0,
            [(NO_LABELS, commits.changes.snapshot())],
        )?;
        page.gauge(
            "hortifruti_waiting_changes",
            "Requests for changes that wait for their commit.",
            self.facts.waiting_changes,
        )
    }

    fn connections(&self, page: &mut Page<'_>) -> fmt::Result {
        let connections = &self.metrics.connections;
        page.gauges(
            "hortifruti_open_connections",
            "Connections that are open, by transport.",
            connections.opened().map(|(transport, open)| ([("transport", transport.name())], open)),
        )?;
        page.counters(
            "hortifruti_connections",
            "Connections since the start, by transport.",
            connections.begun().map(|(transport, begun)| ([("transport", transport.name())], begun)),
        )?;
        page.counters(
            "hortifruti_refused_connections",
            "Connections for which there was no room.",
            [(NO_LABELS, connections.turned_away())],
        )?;
        page.gauge("hortifruti_watchers", "Clients that watch movements.", self.metrics.watchers.get())
    }

    fn store(&self, page: &mut Page<'_>) -> fmt::Result {
        let (store, facts) = (&self.metrics.store, &self.facts);
        let state = store.state();
        page.gauges(
            "hortifruti_store_state",
            "1 for the state of the store, and 0 for the others.",
            StoreState::ALL.map(|each| ([("state", each.name())], u32::from(each == state))),
        )?;
        page.counters(
            "hortifruti_store_errors",
            "Failures of the store, by kind.",
            store.errors().into_iter().map(|(kind, count)| ([("kind", kind)], count)),
        )?;
        page.gauges(
            "hortifruti_store_last_error_timestamp_seconds",
            "Time of the store's last failure, with its kind.",
            store.last_error().map(|error| ([("kind", error.kind)], seconds(error.at))),
        )?;
        page.gauge(
            "hortifruti_ledger_sequence",
            "Sequence number of the last movement.",
            facts.last_sequence,
        )?;
        page.gauge("hortifruti_products", "Products, also those that are no longer sold.", facts.products)?;
        page.gauge("hortifruti_database_bytes", "Size of the database file.", facts.database_bytes)?;
        page.gauge("hortifruti_log_bytes", "Size of the log beside the database.", facts.log_bytes)?;
        match &facts.lease {
            Some(lease) => write_lease(page, lease),
            None => Ok(()),
        }
    }

    fn process(&self, page: &mut Page<'_>) -> fmt::Result {
        let schema = self.facts.schema.to_string();
        page.gauges(
            "hortifruti_build_info",
            "1, with the version and the commit of the program, and the version of the stored form.",
            [([("version", VERSION), ("commit", COMMIT), ("schema", &schema)], 1_u32)],
        )?;
        page.gauge(
            "process_start_time_seconds",
            "Start time of the process, since the Unix epoch.",
            seconds(self.metrics.started_at),
        )?;
        let Some(usage) = Usage::now() else { return Ok(()) };
        page.encode_counter(
            "process_cpu_seconds",
            "Time of the processors that the process used.",
            usage.cpu_seconds,
        )?;
        page.gauge("process_resident_memory_bytes", "Resident memory.", usage.resident_bytes)?;
        page.gauge("process_open_fds", "Open file descriptors.", usage.open_files)
    }
}

/// The lease of a shop that several servers can serve.
fn write_lease(page: &mut Page<'_>, lease: &LeaseStatus) -> fmt::Result {
    page.gauges(
        "hortifruti_lease_role",
        "1 for the role of the server for its shop, and 0 for the others.",
        ServerRole::ALL.map(|each| ([("role", each.name())], u32::from(each == lease.role))),
    )?;
    page.gauge("hortifruti_lease_epoch", "Epoch of the server's commits.", lease.epoch)?;
    page.gauges(
        "hortifruti_lease_age_seconds",
        "Time since the lease was renewed, if the server has it.",
        lease.age.map(|age| (NO_LABELS, age.as_secs_f64())),
    )?;
    page.counters(
        "hortifruti_lease_reconnections",
        "New connections of the keeper of the lease.",
        [(NO_LABELS, lease.reconnections)],
    )?;
    page.gauges(
        "hortifruti_synchronous_standbys",
        "Copies of the database that a change waits for.",
        lease.synchronous_standbys.map(|count| (NO_LABELS, count)),
    )?;
    page.gauges(
        "hortifruti_replication_lag_bytes",
        "Log that the slowest copy of the database lacks.",
        lease.replication_lag_bytes.map(|bytes| (NO_LABELS, bytes)),
    )
}

/// The labels of a metric without labels.
const NO_LABELS: [(&str, &str); 0] = [];

/// The text, metric by metric.
struct Page<'e>(DescriptorEncoder<'e>);

impl Page<'_> {
    /// Counters. Their names get the ending `_total`.
    fn counters<L: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (L, u64)>,
    ) -> fmt::Result {
        let mut values = values.into_iter().peekable();
        if values.peek().is_none() {
            return Ok(());
        }
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in values {
            metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&value, None)?;
        }
        Ok(())
    }

    fn encode_counter(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        metric.encode_counter::<NoLabelSet, _, f64>(&value, None)
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl EncodeGaugeValue) -> fmt::Result {
        self.gauges(name, help, [(NO_LABELS, value)])
    }

    fn gauges<L: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (L, impl EncodeGaugeValue)>,
    ) -> fmt::Result {
        let mut values = values.into_iter().peekable();
        if values.peek().is_none() {
            return Ok(());
        }
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in values {
            metric.encode_family(&labels)?.encode_gauge(&value)?;
        }
        Ok(())
    }

    /// Histograms, whose values are divided by `scale`.
    fn histograms<L: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        scale: f64,
        values: impl IntoIterator<Item = (L, Snapshot)>,
    ) -> fmt::Result {
        let mut values = values.into_iter().peekable();
        if values.peek().is_none() {
            return Ok(());
        }
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (labels, Snapshot { buckets, sum, count }) in values {
            let bound = |bound: Option<u64>| bound.map_or(f64::INFINITY, |bound| bound as f64 / scale);
            let buckets: Vec<_> = buckets.into_iter().map(|(bucket, count)| (bound(bucket), count)).collect();
            let no_exemplars = None::<&HashMap<usize, Exemplar<NoLabelSet, f64>>>;
            let mut metric = metric.encode_family(&labels)?;
            metric.encode_histogram(sum as f64 / scale, count, &buckets, no_exemplars)?;
        }
        Ok(())
    }
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::metrics::{Transport, Turn};
    use crate::operation::Operation;
    use crate::refusal::Code;

    #[test]
    fn the_text_has_every_metric_by_its_name() {
        let metrics = Arc::new(Metrics::default());
        let mut turn = Turn::new(Transport::Text);
        turn.begin();
        (0..7).for_each(|_| turn.count(Some(Operation::GetProduct), None));
        turn.end(&metrics.operations);
        let refused = Some(Code::InsufficientStock);
        let operation = Some(Operation::AdjustStock);
        metrics.operations.answered(Transport::Grpc, operation, refused, Duration::from_micros(40));
        metrics.commits.note(Duration::from_millis(2), 3);
        metrics.store.fail("busy", StoreState::Refusing);
        let _open = metrics.connections.open(Transport::Grpc);
        let _watches = metrics.watchers.one_more();
        let lease = LeaseStatus {
            role: ServerRole::Writes,
            epoch: 7,
            age: Some(Duration::from_millis(250)),
            holder: None,
            reconnections: 2,
            synchronous_standbys: Some(1),
            replication_lag_bytes: None,
        };
        let facts =
            Facts { products: 4, last_sequence: 812, schema: 9, lease: Some(lease), ..Facts::default() };
        let text = write_metrics(&metrics, facts);
        for line in [
            "# TYPE hortifruti_operations_total counter",
            r#"hortifruti_operations_total{operation="GetProduct",code="OK",transport="text"} 7"#,
            r#"hortifruti_operations_total{operation="AdjustStock",code="INSUFFICIENT_STOCK",transport="grpc"} 1"#,
            "# TYPE hortifruti_operation_duration_seconds histogram",
            r#"hortifruti_operation_duration_seconds_sum{operation="AdjustStock"} 0.00004"#,
            r#"hortifruti_operation_duration_seconds_bucket{operation="AdjustStock",le="2.5e-05"} 0"#,
            r#"hortifruti_operation_duration_seconds_bucket{operation="AdjustStock",le="5e-05"} 1"#,
            r#"hortifruti_operation_duration_seconds_bucket{operation="AdjustStock",le="+Inf"} 1"#,
            r#"hortifruti_commit_duration_seconds_bucket{le="0.0025"} 1"#,
            "hortifruti_commit_changes_sum 3.0",
            "hortifruti_waiting_changes 0",
            r#"hortifruti_open_connections{transport="grpc"} 1"#,
            r#"hortifruti_connections_total{transport="text"} 0"#,
            "hortifruti_refused_connections_total 0",
            "hortifruti_watchers 1",
            r#"hortifruti_store_state{state="open"} 0"#,
            r#"hortifruti_store_state{state="refusing"} 1"#,
            r#"hortifruti_store_errors_total{kind="busy"} 1"#,
            "hortifruti_ledger_sequence 812",
            "hortifruti_products 4",
            "hortifruti_database_bytes 0",
            "hortifruti_log_bytes 0",
            r#"hortifruti_lease_role{role="writes"} 1"#,
            r#"hortifruti_lease_role{role="stands_by"} 0"#,
            "hortifruti_lease_epoch 7",
            "hortifruti_lease_age_seconds 0.25",
            "hortifruti_lease_reconnections_total 2",
            "hortifruti_synchronous_standbys 1",
        ] {
            assert!(text.lines().any(|other| other == line), "{line}:\n{text}");
        }
        assert!(!text.contains("hortifruti_replication_lag_bytes"), "{text}");
        let alone = write_metrics(&metrics, Facts::default());
        assert!(!alone.contains("hortifruti_lease"), "{alone}");
    }
}
