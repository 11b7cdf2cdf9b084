//! What monitoring reads, looked at with Prometheus's own tool.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use hortifruti::metrics::{Facts, Metrics, Transport, Turn, write_metrics};
use hortifruti::operation::{OPERATIONS, StoreState};
use hortifruti::refusal::Code;
use serde_json::{Value, json};

use crate::http::{exchange, get};
use crate::support::waiting::wait_until;
use crate::support::{Need, Server, finished, make_token, project, run, try_run};

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

/// Metrics with a value in every family.
fn sample() -> String {
    let metrics = Arc::new(Metrics::default());
    let mut turn = Turn::new(Transport::Text);
    turn.begin();
    OPERATIONS.iter().for_each(|spec| turn.count(Some(spec.operation), None));
    Code::ALL.into_iter().for_each(|code| turn.count(None, Some(code)));
    turn.end(&metrics.operations);
    metrics.commits.note(Duration::from_millis(2), 3);
    metrics.store.fail("busy", StoreState::Refusing);
    write_metrics(&metrics, Facts { last_sequence: 10_000_000, ..Facts::default() })
}

#[test]
fn promtool_finds_no_fault_in_the_metrics() {
    if has_promtool() {
        assert_well_named(&write_metrics(&Arc::default(), Facts::default()));
        assert_well_named(&sample());
    }
}

#[test]
fn what_happened_over_every_transport_is_in_the_metrics() {
    let server = Server::start(&[]);
    let mut till = server.connect();
    till.ask("3 Caju -1");
    till.ask("3 Caju -100");
    for args in [&["update", "Caju", "-1"][..], &["query", "Nada"], &["query", "Caju"]] {
        server.run(args);
    }
    let answer = get(server.port, "/metrics");
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{head}");
    for line in [
        r#"hortifruti_operations_total{operation="AdjustStock",code="OK",transport="text"} 1"#,
        r#"hortifruti_operations_total{operation="AdjustStock",code="INSUFFICIENT_STOCK",transport="text"} 1"#,
        r#"hortifruti_operations_total{operation="AdjustStock",code="OK",transport="grpc"} 1"#,
        r#"hortifruti_operations_total{operation="GetProduct",code="PRODUCT_NOT_FOUND",transport="grpc"} 1"#,
        r#"hortifruti_operations_total{operation="GetProduct",code="OK",transport="grpc"} 1"#,
        r#"hortifruti_operation_duration_seconds_count{operation="AdjustStock"} 3"#,
        "hortifruti_commit_changes_count 2",
        "hortifruti_ledger_sequence 6",
        "hortifruti_products 4",
        r#"hortifruti_open_connections{transport="text"} 1"#,
        r#"hortifruti_open_connections{transport="http"} 1"#,
        r#"hortifruti_connections_total{transport="grpc"} 3"#,
        r#"hortifruti_store_state{state="open"} 1"#,
    ] {
        assert!(text.lines().any(|other| other == line), "{line}:\n{text}");
    }
    if has_promtool() {
        assert_well_named(text);
    }
}

#[test]
fn a_server_is_ready_while_it_takes_changes() {
    let server = Server::start(&["--http", "--grpc"]);
    let is_ready = || get(server.port, "/readyz").starts_with("HTTP/1.1 200 OK\r\n");
    assert!(is_ready());
    let (database, away) = (server.path().join("hortifruti.db"), server.path().join("fora.db"));
    std::fs::rename(&database, &away).unwrap();
    assert_eq!(server.run(&["update", "Caju", "-1"]).code, 5);
    let answer = get(server.port, "/readyz");
    assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{answer}");
    assert!(
        answer.ends_with("\r\n\r\no banco de dados recusa mudanças; a causa está no log do servidor\n"),
        "{answer}"
    );
    // The server lives all the same.
    assert!(get(server.port, "/healthz").starts_with("HTTP/1.1 200 OK\r\n"));
    std::fs::rename(&away, &database).unwrap();
    wait_until("the server is ready again", is_ready);
}

#[test]
fn the_metrics_of_a_server_with_tokens_are_for_those_who_may_read() {
    let folder = tempfile::tempdir().unwrap();
    let secret = make_token(folder.path(), "leitura", "leitura");
    let server = Server::start_in(folder, &["--token-file", "tokens"]);
    let ask = |authorization: &str| {
        let head = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
        exchange(server.port, format!("{head}{authorization}\r\n").as_bytes())
    };
    for authorization in ["", "Authorization: Bearer htf1-errado\r\n"] {
        let answer = ask(authorization);
        assert!(answer.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{answer}");
        assert!(
            answer.contains("www-authenticate: Bearer\r\n") && !answer.contains("hortifruti_"),
            "{answer}"
        );
    }
    let answer = ask(&format!("Authorization: Bearer {secret}\r\n"));
    assert!(answer.contains("\nhortifruti_watchers 0\n"), "{answer}");
    assert!(get(server.port, "/readyz").starts_with("HTTP/1.1 200 OK\r\n"));
}

/// The names of metrics in an expression.
fn names(expression: &str) -> impl Iterator<Item = &str> {
    let words = expression.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    words.filter(|word| word.starts_with("hortifruti_") || word.starts_with("process_"))
}

/// The names of the series of the sample.
fn series() -> BTreeSet<String> {
    let text = sample();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split(['{', ' ']).next().unwrap().to_owned()).collect()
}

/// Every text of this key in a JSON value.
fn texts<'v>(value: &'v Value, key: &str, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get(key).and_then(Value::as_str));
            fields.values().for_each(|value| texts(value, key, found));
        }
        Value::Array(values) => values.iter().for_each(|value| texts(value, key, found)),
        _ => {}
    }
}

fn document(name: &str) -> String {
    std::fs::read_to_string(project().join("docs").join(name)).unwrap()
}

#[test]
fn the_dashboard_and_the_alerts_ask_for_metrics_that_there_are() {
    let dashboard: Value = serde_json::from_str(&document("grafana.json")).unwrap();
    let mut expressions = Vec::new();
    texts(&dashboard, "expr", &mut expressions);
    assert!(expressions.len() > 20, "{expressions:?}");
    let alerts = document("alerts.yml");
    let series = series();
    for expression in expressions.iter().copied().chain(alerts.lines().filter(|line| line.contains("expr:")))
    {
        // A server that has its shop for itself has no lease.
        let unknown =
            names(expression).find(|name| !series.contains(*name) && !name.starts_with("hortifruti_lease_"));
        assert_eq!(unknown, None, "{expression}");
    }
    if !has_promtool() {
        return;
    }
    // The dashboard's expressions as rules, which promtool reads.
    let rules: Vec<Value> = expressions
        .iter()
        .enumerate()
        .map(|(number, expression)| {
            let expression = expression.replace("$__rate_interval", "5m");
            json!({ "record": format!("panel{number}"), "expr": expression })
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("painel.yml");
    // JSON is YAML.
    std::fs::write(&made, json!({ "groups": [{ "name": "painel", "rules": rules }] }).to_string()).unwrap();
    for rules in [made, project().join("docs/alerts.yml")] {
        let ended = run(Command::new("promtool").args(["check", "rules"]).arg(rules), "");
        assert_eq!(ended.code, 0, "{ended:?}");
    }
}

#[test]
fn every_metric_is_in_the_manual() {
    let page = document("operations.md");
    let families: Vec<String> = sample()
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .map(|family| family.split(' ').next().unwrap().to_owned())
        .collect();
    let missing: Vec<&String> =
        families.iter().filter(|family| !page.contains(&format!("`{family}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let there: BTreeSet<&str> = families.iter().map(String::as_str).collect();
    let rows =
        page.lines().filter_map(|line| line.strip_prefix("| `")).map(|row| row.split('`').next().unwrap());
    let stale: Vec<&str> =
        rows.filter(|row| names(row).next() == Some(*row) && !there.contains(row)).collect();
    assert!(stale.is_empty(), "{stale:?}");
}
