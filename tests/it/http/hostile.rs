//! Requests that no honest client sends.

use super::exchange;
use crate::support::Server;
use crate::support::web::{Web, path};

const CHANGE: &str = r#"{"name":"Caju","deltaThousandths":-1000}"#;

/// What comes back for these bytes until the server closes the connection.
fn answers(server: &Server, sent: &str) -> String {
    exchange(server.port, sent.as_bytes())
}

#[track_caller]
fn assert_untouched(server: &Server) {
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 60");
}

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
    ] {
        let answer = answers(&server, &format!("{head}{fields}\r\n\r\n{question}{hidden}"));
        assert!(answer.starts_with("HTTP/1.1 400 "), "{fields}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{fields}: {answer}");
        assert_untouched(&server);
    }
    // Chunks that are none.
    for chunks in ["z\r\n", "5;\r\nab\r\n", "-1\r\n", "ffffffffffffffffff\r\n"] {
        let answer = answers(
            &server,
            &format!("{head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n{chunks}0\r\n\r\n"),
        );
        assert!(!answer.starts_with("HTTP/1.1 200 "), "{chunks:?}: {answer}");
    }
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

/// As a page of another site makes a browser send it.
#[test]
fn pages_of_strangers_change_and_read_nothing() {
    let server = Server::start(&["--public-name", "loja.example"]);
    let port = server.port;
    let own = format!("localhost:{port}");
    let origin = format!("http://{own}");
    let json = ("Content-Type", "application/json");
    let ask = |host: &str, fields: &[(&str, &str)]| {
        let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = CHANGE.len();
        let answer = answers(
            &server,
            &format!(
                "{} HTTP/1.1\r\nHost: {host}\r\n{fields}Content-Length: {length}\r\nConnection: close\r\n\r\n{CHANGE}",
                path("AdjustStock")
            ),
        );
        answer.split(' ').nth(1).unwrap().parse::<u16>().unwrap()
    };
    for (host, fields, status) in [
        // DNS rebinding: the page's own name leads here.
        ("evil.example", &[json][..], 421),
        (&format!("evil.example:{port}"), &[json], 421),
        ("localhost.evil.example", &[json], 421),
        ("0.0.0.0", &[json], 421),
        // A request of the page to this server.
        (&own, &[json, ("Origin", "https://evil.example")], 403),
        (&own, &[json, ("Origin", "null")], 403),
        (&own, &[json, ("Origin", "http://localhost:1")], 403),
        (&own, &[json, ("Origin", &origin), ("Origin", "https://evil.example")], 403),
        (&own, &[json, ("Sec-Fetch-Site", "cross-site")], 403),
        (&own, &[json, ("Sec-Fetch-Site", "same-site")], 403),
        (
            &own,
            &[
                json,
                ("Sec-Fetch-Site", "cross-site"),
                ("Sec-Fetch-Mode", "navigate"),
                ("Sec-Fetch-Dest", "document"),
            ],
            403,
        ),
        // A form, and what a script may send without asking.
        (&own, &[("Content-Type", "text/plain")], 415),
        (&own, &[("Content-Type", "application/x-www-form-urlencoded")], 415),
        (&own, &[("Content-Type", "multipart/form-data; boundary=x")], 415),
        (&own, &[("Content-Type", "text/plain; application/json")], 415),
        (&own, &[json, ("Content-Type", "text/plain")], 415),
        (&own, &[], 415),
    ] {
        assert_eq!(ask(host, fields), status, "{host} {fields:?}");
        assert_untouched(&server);
    }
    // A preflight is answered without leave.
    let asked = format!(
        "OPTIONS / HTTP/1.1\r\nHost: {own}\r\nAccess-Control-Request-Method: POST\r\nConnection: close\r\n\r\n"
    );
    let answer = answers(&server, &asked);
    assert!(answer.starts_with("HTTP/1.1 405 ") && !answer.contains("access-control"), "{answer}");
    // The panel itself.
    for (host, fields) in [
        (own.as_str(), &[json, ("Origin", &origin), ("Sec-Fetch-Site", "same-origin")][..]),
        ("loja.example", &[json, ("Origin", "https://loja.example")]),
        (&own, &[json, ("Origin", "https://loja.example")]),
        (&format!("[::1]:{port}"), &[json]),
    ] {
        assert_eq!(ask(host, fields), 200, "{host} {fields:?}");
    }
}

#[test]
fn heads_have_limits() {
    let server = Server::start(&["--http"]);
    let long = format!("X: {}\r\n", "x".repeat(17_000));
    let many = "X: y\r\n".repeat(65);
    for fields in [&long, &many] {
        let answer = answers(&server, &format!("GET / HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"));
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    let answer =
        answers(&server, &format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(70_000)));
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    for sent in [
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a@localhost\r\n\r\n",
        "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ] {
        let sent = sent.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
        let answer = answers(&server, &sent);
        assert!(answer.starts_with("HTTP/1.1 4"), "{sent:?}: {answer}");
    }
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

#[test]
fn a_connection_that_began_as_text_is_never_http() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    let request = format!("{} HTTP/1.1\r\nHost: localhost\r\n\r\n", path("AdjustStock"));
    connection.send(format!("4\n{request}3 Caju -1\n"));
    assert!(connection.reply().starts_with("Maca"));
    for _ in 0..4 {
        let reply = connection.reply();
        assert!(reply.starts_with("Erro UNKNOWN_COMMAND"), "{reply}");
    }
    assert_untouched(&server);
}

#[test]
fn a_full_server_says_so_in_http() {
    let server = Server::start(&["--max-connections", "1"]);
    let mut served = Web::connect(server.port);
    assert_eq!(served.ask("GET /healthz", &[], b"").status, 200);
    let mut turned_away = Web::connect(server.port);
    let answer = turned_away.ask("GET /healthz", &[], b"");
    assert_eq!((answer.status, answer.field("retry-after")), (503, Some("10")));
    assert!(answer.text().contains("o máximo de conexões"), "{answer:?}");
    assert_eq!(served.ask("GET /healthz", &[], b"").status, 200);
}
