//! Requests that hide others, and bodies that do not end where they say.

use serde_json::json;

use super::get;
use super::hostile::{CHANGE, answers, assert_untouched};
use crate::support::Server;
use crate::support::web::{Web, path};

#[test]
fn a_request_hides_no_other_request() {
    let server = Server::start(&[]);
    let call = path("AdjustStock");
    let hidden = format!(
        "{call} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{CHANGE}",
        CHANGE.len()
    );
    let question = r#"{"name":"Caju"}"#;
    let chunks = format!("{:x}\r\n{question}\r\n0\r\n\r\n", question.len());
    let head =
        format!("{} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n", path("GetProduct"));
    // Both lengths, in either order: the chunks are the body, and nothing behind it is looked at.
    for fields in [
        format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", chunks.len() + hidden.len()),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {}\r\n", chunks.len() + hidden.len()),
    ] {
        let answer = answers(&server, &format!("{head}{fields}\r\n{chunks}{hidden}"));
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("connection: close"), "{answer}");
        assert_untouched(&server);
    }
    let length = question.len();
    for fields in [
        format!("Content-Length: {length}\r\nContent-Length: {}", length + 1),
        format!("Content-Length: {length}, {}", length + 1),
        format!("Content-Length: +{length}"),
        format!("Content-Length: 0x{length:x}"),
        format!("Content-Length : {length}"),
        format!("Content-Length: {length}\r\n X-Folded: a"),
        "Transfer-Encoding: chunked, identity".to_owned(),
        "Transfer-Encoding: xchunked".to_owned(),
        format!("X: a\rContent-Length: {length}"),
        format!("X: a\0b\r\nContent-Length: {length}"),
        format!("Content-Length: {length}\r\n\tX-Folded: a"),
        format!("Content-Length: {length}\r\n Transfer-Encoding: chunked"),
        "Content-Length: -1".to_owned(),
        "Content-Length: ".to_owned(),
        "Content-Length: 99999999999999999999".to_owned(),
        "Content-Length\t: 1".to_owned(),
        " Content-Length: 1".to_owned(),
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity".to_owned(),
        "Transfer-Encoding: gzip".to_owned(),
        "Transfer-Encoding: \"chunked\"".to_owned(),
        "Transfer-Encoding: \x0bchunked".to_owned(),
        "Transfer-Encoding:".to_owned(),
        "Transfer Encoding: chunked".to_owned(),
    ] {
        let answer = answers(&server, &format!("{head}{fields}\r\n\r\n{question}{hidden}"));
        assert!(answer.starts_with("HTTP/1.1 400 "), "{fields}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{fields}: {answer}");
        assert_untouched(&server);
    }
    // Chunks that are none.
    let extension = format!("{:x};{}\r\n{question}\r\n", question.len(), "x".repeat(70_000));
    for chunks in [
        "z\r\n",
        "5;\r\nab\r\n",
        "-1\r\n",
        "ffffffffffffffffff\r\n",
        "5\nhello\r\n",
        "5\rhello\r\n",
        "0x5\r\nhello\r\n",
        "+5\r\nhello\r\n",
        "\r\n5\r\nhello\r\n",
        "5\r\nhellohello\r\n",
        &extension,
    ] {
        let answer = answers(
            &server,
            &format!(
                "{head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n{chunks}0\r\n\r\n{hidden}"
            ),
        );
        assert!(!answer.starts_with("HTTP/1.1 200 "), "{chunks:?}: {answer}");
        assert_untouched(&server);
    }
}

/// Bodies that nobody reads are no requests, whatever they hold.
#[test]
fn what_comes_behind_a_refused_request_is_not_made() {
    let server = Server::start(&["--http"]);
    let call = path("AdjustStock");
    let json = "Content-Type: application/json\r\n";
    let request = |line: &str, fields: &str, body: &str| {
        format!("{line} HTTP/1.1\r\nHost: localhost\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len())
    };
    let hidden = request(&call, json, CHANGE);
    let long = "x".repeat(40_000);
    for (line, fields, body, status) in [
        (call.as_str(), "Content-Type: text/plain\r\n", hidden.as_str(), 415),
        ("POST /nada", json, &hidden, 404),
        ("DELETE /", json, &hidden, 405),
        ("POST /", json, &hidden, 405),
        ("GET /healthz", "", &hidden, 200),
        (&call, &format!("{json}Origin: https://evil.example\r\n"), &hidden, 403),
        (&call, &format!("{json}Host: evil.example\r\n"), &hidden, 400),
        (&call, json, &long, 429),
        (&call, &format!("{json}Content-Encoding: br\r\n"), &hidden, 501),
    ] {
        let mut web = Web::connect(server.port);
        web.send(request(line, fields, body));
        let answer = web.answer().unwrap();
        assert_eq!(answer.status, status, "{line} {fields}: {answer:?}");
    }
    // An error whose body was read leaves the connection as it was, and what follows is asked.
    let mut web = Web::connect(server.port);
    let question = request(&path("GetProduct"), json, r#"{"name":"Caju"}"#);
    let wrong = request(&path("GetProduct"), json, r#"{"name":"Kiwi"}"#);
    web.send([&wrong, &question, &request(&call, json, "{"), &question].map(String::as_str).concat());
    let statuses: Vec<u16> = (0..4).map(|_| web.answer().unwrap().status).collect();
    assert_eq!(statuses, [404, 200, 400, 200]);
    let stock = web.call("GetProduct", None, &json!({ "name": "Caju" })).json();
    assert_eq!(stock["product"]["stockThousandths"], "60000");
}

#[test]
fn a_body_that_is_cut_changes_nothing() {
    let server = Server::start(&[]);
    let head =
        format!("{} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n", path("AdjustStock"));
    for rest in [
        format!("Content-Length: {}\r\n\r\n{CHANGE}", CHANGE.len() + 1),
        format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{CHANGE}\r\n", CHANGE.len()),
        format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{CHANGE}", CHANGE.len()),
    ] {
        let mut web = Web::connect(server.port);
        web.send(format!("{head}{rest}"));
        web.end();
        assert!(web.answer().is_none_or(|answer| answer.status != 200), "{rest}");
        assert_untouched(&server);
    }
}

/// Bodies of a hundred megabytes, sent for as long as the server takes them.
#[test]
fn bodies_that_are_too_long_are_not_kept() {
    const BODY_BYTES: usize = 100 * 1024 * 1024;
    let server = Server::start(&["--http"]);
    let before = server.peak_memory_kib();
    let piece = vec![b' '; 64 * 1024];
    let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), &piece, b"\r\n"].concat();
    let lines =
        [&path("GetProduct"), &path("ImportProducts"), "POST /price-list", "GET /report/day", "POST /nada"];
    for line in lines {
        for (length, part) in [
            (format!("Content-Length: {BODY_BYTES}"), &piece),
            ("Transfer-Encoding: chunked".to_owned(), &chunk),
        ] {
            let mut web = Web::connect(server.port);
            web.send(format!(
                "{line} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
            ));
            let mut sent = 0;
            while sent < BODY_BYTES && web.try_send(part) {
                sent += part.len();
            }
            // The answer may be lost with the bytes that nobody reads.
            if let Some(answer) = web.answer() {
                let least = if line == "GET /report/day" { 200 } else { 400 };
                assert!((least..500).contains(&answer.status), "{line} {length}: {answer:?}");
            }
            assert!(web.is_closed(), "{line} {length}");
        }
    }
    let growth = server.peak_memory_kib() - before;
    assert!(growth < 32 * 1024, "{growth} KiB more");
    assert!(get(server.port, "/healthz").starts_with("HTTP/1.1 200 OK"));
}

#[test]
fn requests_that_come_together_are_answered_in_order() {
    let server = Server::start(&["--http"]);
    let mut web = Web::connect(server.port);
    let one = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    web.send(["/healthz", "/nada", "/healthz"].map(one).concat());
    let statuses: Vec<u16> = (0..3).map(|_| web.answer().unwrap().status).collect();
    assert_eq!(statuses, [200, 404, 200]);
}
