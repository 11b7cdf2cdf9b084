//! No test sleeps until something has probably happened, waits busily, or waits without a limit.

use std::fs;
use std::path::Path;

use crate::support::project;

/// What waits without an event or without a limit, and what to use in its place: mostly functions of
/// [`support::waiting`](crate::support::waiting).
const FORBIDDEN: [(&str, &str); 13] = [
    ("sleep(", "wait for the event, or `wait_for`"),
    ("yield_now", "wait for the event, or `wait_for`"),
    ("spin_loop", "wait for the event, or `wait_for`"),
    ("park(", "recv_timeout"),
    (".accept()", "accept"),
    (".read_line(", "lines"),
    (".wait()", "end_of"),
    (".recv()", "recv_timeout"),
    (".read_to_string(&mut ", "lines and rest"),
    ("wait_with_output", "support::finished"),
    (".output()", "support::run or support::try_run"),
    (".status()", "support::run or support::try_run"),
    (".incoming()", "accept"),
];

/// A file that holds a forbidden string so many times, and why it may.
const EXCEPTIONS: [(&str, &str, usize, &str); 15] = [
    ("support/waiting.rs", "sleep(", 1, "the pause of `wait_for`, which has the limit"),
    ("support/waiting.rs", ".accept()", 1, "does not block"),
    ("support/web.rs", ".read_line(", 2, "the socket has the limit"),
    ("support.rs", "wait_with_output", 1, "a watch kills the process at the limit"),
    ("proxy.rs", ".incoming()", 1, "the thread is a server, and ends with the tests"),
    ("several_servers.rs", ".incoming()", 1, "the thread is a server, and ends with the tests"),
    ("postgres/wire.rs", ".incoming()", 1, "the thread is a server, and ends with the tests"),
    ("postgres/storm.rs", "sleep(", 1, "how long something stands still is what is tried"),
    ("text_protocol.rs", "sleep(", 1, "the silence is what is tested"),
    ("stores/commits.rs", "sleep(", 1, "how long an engine is silent is what is tried"),
    ("hostile.rs", "sleep(", 2, "the pauses of hostile clients are what is tested"),
    ("bench.rs", "sleep(", 2, "the time before a stall and the stall itself are what is measured"),
    ("stop.rs", "sleep(", 1, "the slow client's pauses are what is tested"),
    ("odd_calls.rs", "sleep(", 1, "a deadline passes while the server stands still and can report nothing"),
    (
        "power_loss.rs",
        "sleep(",
        3,
        "the power goes at any moment, and clients meet a dead disk for some time",
    ),
];

#[test]
fn no_test_waits_without_an_event_or_a_limit() {
    let mut wrong = Vec::new();
    let folder = project().join("tests/it");
    let mut excepted = 0;
    visit(&folder, &mut |path, code| {
        let file = path.strip_prefix(&folder).unwrap().to_str().unwrap();
        for (string, instead) in FORBIDDEN {
            let is_here =
                |exception: &&(&str, &str, usize, &str)| (exception.0, exception.1) == (file, string);
            let exception = EXCEPTIONS.iter().find(is_here);
            excepted += usize::from(exception.is_some());
            let (count, allowed) = (code.matches(string).count(), exception.map_or(0, |it| it.2));
            if count != allowed {
                wrong.push(format!("{file} has `{string}` {count} times, not {allowed}: use {instead}"));
            }
        }
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(excepted, EXCEPTIONS.len(), "exceptions for files that are not there");
}

/// Calls with each file and its code, without comments.
fn visit(folder: &Path, found: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit(&path, found);
        } else if path != Path::new(&project().join(file!())) {
            let code = fs::read_to_string(&path).unwrap();
            let code: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            found(&path, &code.join("\n"));
        }
    }
}
