//! Requests that no honest client sends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use hortifruti::wire::grpc::v1;
use hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use serde_json::json;

use super::exchange;
use crate::http2;
use crate::network::{TLS, certified, client_config};
use crate::support::web::{Web, path};
use crate::support::{PATIENCE, Server};

const JSON: (&str, &str) = ("Content-Type", "application/json");

pub(super) const CHANGE: &str = r#"{"name":"Caju","deltaThousandths":-1000}"#;

/// What comes back for these bytes until the server closes the connection.
pub(super) fn answers(server: &Server, sent: &str) -> String {
    exchange(server.port, sent.as_bytes())
}

#[track_caller]
pub(super) fn assert_untouched(server: &Server) {
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 60");
}

#[test]
fn numbers_of_json_are_whole_and_exact() {
    let server = Server::start(&["--http"]);
    let mut web = Web::connect(server.port);
    let (max, min) = (i64::MAX.to_string(), i64::MIN.to_string());
    let mut wrong = Vec::new();
    let (more, less) = ("9223372036854775808", "-9223372036854775809");
    // As a number and as a text: the status of a change of so many thousandths, and its code.
    for (number, status, code) in [
        (max.as_str(), 400, "invalid_argument"),
        (&min, 400, "invalid_argument"),
        (more, 400, "invalid_argument"),
        (less, 400, "invalid_argument"),
        ("9223372036854775807.0", 400, "invalid_argument"),
        ("1e30", 400, "invalid_argument"),
        ("1e400", 400, "invalid_argument"),
        ("-1e30", 400, "invalid_argument"),
        ("1e-30", 400, "invalid_argument"),
        ("1.5", 400, "invalid_argument"),
        ("NaN", 400, "invalid_argument"),
        ("Infinity", 400, "invalid_argument"),
        ("-Infinity", 400, "invalid_argument"),
        ("0x10", 400, "invalid_argument"),
        ("+1000", 400, "invalid_argument"),
        ("01000", 400, "invalid_argument"),
        ("1_000", 400, "invalid_argument"),
        ("1000 ", 400, "invalid_argument"),
        ("", 400, "invalid_argument"),
        ("١٠٠٠", 400, "invalid_argument"),
    ] {
        for text in [number.to_owned(), format!("\"{number}\"")] {
            // Space around a number is nothing, and a text may have a sign or zeros before it.
            if ["1000 ", "\"+1000\"", "\"01000\""].contains(&text.as_str()) {
                continue;
            }
            let body = format!(r#"{{"name":"Caju","deltaThousandths":{text}}}"#);
            let answer = web.ask(&path("AdjustStock"), &[JSON], body.as_bytes());
            if (answer.status, &answer.json()["code"]) != (status, &json!(code)) {
                wrong.push(format!("{text}: {} {}", answer.status, answer.text()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for value in ["true", "[1000]", "{\"value\":1000}"] {
        let body = format!(r#"{{"name":"Caju","deltaThousandths":{value}}}"#);
        assert_eq!(web.ask(&path("AdjustStock"), &[JSON], body.as_bytes()).status, 400, "{value}");
    }
    // Other ways to write one unit: one more and one less each time.
    for (up, down) in [("1000.0", "-1000"), ("1e3", "\"-1000\""), ("\"1000\"", "-1.0E+3")] {
        for text in [up, down] {
            let body = format!(r#"{{"name":"Caju","deltaThousandths":{text}}}"#);
            let answer = web.ask(&path("AdjustStock"), &[JSON], body.as_bytes());
            assert_eq!(answer.status, 200, "{text}: {answer:?}");
        }
    }
    let stock = web.call("GetProduct", None, &json!({ "name": "Caju" })).json();
    assert_eq!(stock["product"]["stockThousandths"], "60000");
}

/// The same id at the same moment over every protocol is one change.
#[test]
fn a_request_id_is_one_change_whatever_it_comes_over() {
    let server = Server::start(&[]);
    let port = server.port;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let address = format!("http://127.0.0.1:{port}");
    let mut service = runtime.block_on(InventoryServiceClient::connect(address)).unwrap();
    let (mut web, mut text) = (Web::connect(port), server.connect());
    for round in 0..30 {
        let id = format!("venda-{round}");
        let (balance_by_text, balance_by_grpc, balance_by_connect) = std::thread::scope(|scope| {
            let by_text = scope.spawn(|| text.ask(&format!("3 Caju -1 id={id}")));
            let by_grpc = scope.spawn(|| {
                let change = v1::AdjustStockRequest {
                    name: "Caju".into(),
                    delta_thousandths: -1000,
                    request_id: id.clone(),
                    ..Default::default()
                };
                runtime.block_on(service.adjust_stock(change)).unwrap().into_inner().movement.unwrap()
            });
            let change = json!({ "name": "Caju", "deltaThousandths": "-1000", "requestId": id });
            let by_connect = web.call("AdjustStock", None, &change).json();
            (by_text.join().unwrap(), by_grpc.join().unwrap(), by_connect)
        });
        let left = 59 - round;
        assert_eq!(balance_by_text, format!("Caju: R$2.0, Estoque: {left}"));
        assert_eq!((balance_by_grpc.sequence, balance_by_grpc.balance_thousandths), (5 + round, left * 1000));
        assert_eq!(balance_by_connect["movement"]["sequence"], (5 + round).to_string());
    }
    assert!(text.ask("historico limite=1").starts_with("#34 "));
}

/// Reports that a spreadsheet opens: what a stranger wrote is text in them.
#[test]
fn reports_as_csv_hold_no_formula() {
    let server = Server::start(&["--empty"]);
    let formulas = ["=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(A1)", "＝1+1", "a;=1+1", "\"=1+1\""];
    let mut web = Web::connect(server.port);
    let (mut products, mut purchases) = (Vec::new(), Vec::new());
    for (index, name) in formulas.iter().enumerate() {
        products.push(json!({ "name": name, "priceCentavos": 100, "unit": "un" }));
        purchases.push(json!({
            "name": name,
            "deltaThousandths": 5000 + 1000 * index,
            "kind": "MOVEMENT_KIND_PURCHASE",
            "purchase": { "supplier": name, "lot": name },
            "note": name,
        }));
    }
    assert_eq!(web.call("ImportProducts", None, &json!({ "products": products })).status, 200);
    let bought = web.call("BatchAdjustStock", None, &json!({ "adjustments": purchases }));
    assert_eq!(bought.status, 200, "{bought:?}");
    for name in formulas {
        let sale = json!({ "name": name, "deltaThousandths": -1000, "kind": "MOVEMENT_KIND_SALE" });
        assert_eq!(web.call("AdjustStock", None, &sale).status, 200);
    }
    let mut guarded = 0;
    for report in [
        "sales?by=product&",
        "purchases?by=supplier&",
        "products?",
        "abc?",
        "margins?",
        "trace?words=cmd&",
        "trace?words=1&",
        "low?",
        "counts?",
    ] {
        let answer = web.ask(&format!("GET /report/{report}format=csv"), &[], b"");
        assert_eq!(
            (answer.status, answer.field("content-type")),
            (200, Some("text/csv; charset=utf-8")),
            "{report}"
        );
        let text = answer.text();
        let mut rows =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        for cell in rows.records().flat_map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>())
        {
            let is_number = cell.parse::<f64>().is_ok();
            assert!(
                is_number || !cell.starts_with(['=', '+', '-', '@', '＝', '\t', '\r']),
                "{report}: {cell}"
            );
            guarded += usize::from(cell.starts_with('\''));
        }
        // A Brazilian spreadsheet begins a cell at each semicolon outside quotation marks.
        let unquoted = text.split('"').step_by(2).collect::<String>();
        assert!(!unquoted.contains(';'), "{report}: {text}");
    }
    assert!(guarded > 10, "{guarded} cells with an apostrophe");
}

#[test]
fn addresses_and_files_of_strangers_are_refused_in_words() {
    let server = Server::start(&["--http"]);
    let mut web = Web::connect(server.port);
    let long = format!("GET /report/trace?words={}", "x".repeat(9_000));
    for (line, status) in [
        ("GET /report/..%2f..%2fetc%2fpasswd", 400),
        ("GET /report/day%00", 400),
        ("GET /report/%ff", 400),
        ("GET /report/", 404),
        ("GET /report/day/..", 404),
        ("GET /report/day?words=%ff", 400),
        ("GET /report/trace?words='%20OR%201=1--", 200),
        ("GET /report/trace?words=%25", 200),
        ("GET /report/day?since=0000-00-00", 400),
        ("GET /report/day?since=99999-01-01", 400),
        ("GET /report/day?since=2026-01-01T00:00:00Z%0d%0aX:%20y", 400),
        ("GET /report/expiring?days=-1", 400),
        ("GET /report/expiring?days=99999999999999999999", 400),
        ("GET /report/day?time_zone=../../etc/passwd", 400),
        ("GET /report/day?time_zone=/etc/localtime", 400),
        ("GET /report/day?format=csv&format=json", 400),
        (&long, 200),
        ("GET /../../etc/passwd", 404),
        ("GET /%2e%2e/%2e%2e/etc/passwd", 404),
        ("GET //etc/passwd", 404),
        ("GET /healthz?x=y", 200),
    ] {
        let answer = web.ask(line, &[], b"");
        let text = answer.text();
        assert_eq!(answer.status, status, "{line}: {text}");
        let harmful = |character: char| character.is_control() && character != '\n';
        assert!(!text.contains(harmful) && !text.contains(server.path().to_str().unwrap()), "{line}: {text}");
    }
    let mut wrong = Vec::new();
    let file = ("Content-Type", "application/octet-stream");
    let many = format!("nome,preco\n{}", (0..10_001).map(|row| format!("P{row},1\n")).collect::<String>());
    let line = format!("nome,preco\n\"{}", "x".repeat(1_000_000));
    for (bytes, status) in [
        (&b"nome,preco\n\0\0,1\n"[..], 400),
        (b"\xff\xfe\0\0", 400),
        (b"PK\x03\x04xl/", 400),
        (b"nome,preco\nUva,1\n\"", 200),
        (many.as_bytes(), 400),
        (line.as_bytes(), 200),
        (b"=1+1,preco\n=cmd|'x'!A0,1\n", 400),
        (b"nome,preco\n=cmd|'x'!A0,1\n", 200),
        (b"nome,preco\n<script>alert(1)</script>,1\n", 200),
    ] {
        let answer = Web::connect(server.port).ask("POST /price-list?dry_run=false", &[file], bytes);
        if answer.status != status || answer.field("content-type") != Some("application/json") {
            let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
            let text = answer.text().chars().take(300).collect::<String>();
            wrong.push(format!("{shown}: {} {text}", answer.status));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(web.call("ListProducts", None, &json!({})).json()["products"].as_array().unwrap().len(), 4);
}

/// TLS with protocols that the client names and does not speak.
#[test]
fn the_bytes_of_a_connection_say_what_it_speaks_and_not_alpn() {
    let (folder, _authority) = certified();
    let server = Server::start_in(folder, &TLS);
    let ask = |protocols: &[&[u8]], bytes: &[u8]| tls_exchange(&server, protocols, bytes);
    let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    for protocols in [&[][..], &[&b"http/1.1"[..]], &[b"h2"], &[b"h2", b"http/1.1"]] {
        assert!(ask(protocols, request).unwrap().starts_with(b"HTTP/1.1 200 OK"), "{protocols:?}");
        assert!(ask(protocols, b"1 Caju\n5\n").unwrap().starts_with(b"Caju: R$2.0"), "{protocols:?}");
        let answer =
            ask(protocols, &[&http2::opening(&[])[..], &http2::frame(http2::GOAWAY, 0, 0, &[0; 8])].concat());
        assert_eq!(answer.unwrap()[3], http2::SETTINGS, "{protocols:?}");
    }
    // A protocol that the server does not speak ends the handshake (RFC 7301 §3.2).
    for unknown in [&b"smtp"[..], b"h3", b"H2"] {
        assert!(ask(&[unknown], request).is_err(), "{unknown:?}");
    }
}

/// Sends bytes over TLS with these protocols, and returns what comes until the server closes the connection.
fn tls_exchange(server: &Server, protocols: &[&[u8]], sent: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut config = client_config(&server.path().join("ca.pem"));
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let session =
        ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
    let stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut stream = StreamOwned::new(session, stream);
    stream.write_all(sent)?;
    stream.flush()?;
    let mut come = Vec::new();
    stream.read_to_end(&mut come)?;
    Ok(come)
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
