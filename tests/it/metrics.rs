//! What monitoring reads, looked at with Prometheus's own tool.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use hortifruti::metrics::{Facts, Metrics, Transport, Turn, write_metrics};
use hortifruti::operation::{OPERATIONS, StoreState};
use hortifruti::refusal::Code;

use crate::support::{Need, finished, try_run};

/// Whether promtool is there; otherwise the test is skipped.
fn has_promtool() -> bool {
    let is_there = try_run(Command::new("promtool").arg("--version")).is_ok();
    if !is_there {
        Need::Promtool.skip("promtool is not installed");
    }
    is_there
}

/// Asserts that promtool finds no fault in a text of metrics.
fn assert_well_named(metrics: &str) {
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = promtool.spawn().unwrap();
    promtool.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    let ended = finished(promtool);
    assert!(ended.code == 0 && ended.err.is_empty(), "{ended:?}\n{metrics}");
}

#[test]
fn promtool_finds_no_fault_in_the_metrics() {
    if !has_promtool() {
        return;
    }
    let metrics = Arc::new(Metrics::default());
    assert_well_named(&write_metrics(&metrics, Facts::default()));
    let mut turn = Turn::new(Transport::Text);
    turn.begin();
    OPERATIONS.iter().for_each(|spec| turn.count(Some(spec.operation), None));
    Code::ALL.into_iter().for_each(|code| turn.count(None, Some(code)));
    turn.end(&metrics.operations);
    metrics.commits.note(Duration::from_millis(2), 3);
    metrics.store.fail("busy", StoreState::Refusing);
    assert_well_named(&write_metrics(&metrics, Facts { last_sequence: 10_000_000, ..Facts::default() }));
}
