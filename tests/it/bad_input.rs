//! Bad input: one line of error with the right code, and nothing is lost.

use std::io::Write;
use std::net::TcpStream;

use crate::http2::{self, DATA, END_HEADERS, END_STREAM, HEADERS, frame, read_frame};
use crate::support::{FOUR_PRODUCTS, Server};

/// Each is one line; the reply begins with `Erro CODE: `.
const LINES: [(&str, &str); 58] = [
    ("", "UNKNOWN_COMMAND"),
    ("   ", "UNKNOWN_COMMAND"),
    ("6", "UNKNOWN_COMMAND"),
    ("0", "UNKNOWN_COMMAND"),
    ("-1", "UNKNOWN_COMMAND"),
    ("listar", "UNKNOWN_COMMAND"),
    ("4x", "UNKNOWN_COMMAND"),
    ("1Maca", "UNKNOWN_COMMAND"),
    ("\0", "UNKNOWN_COMMAND"),
    ("4\0", "UNKNOWN_COMMAND"),
    ("\u{1b}[2J", "UNKNOWN_COMMAND"),
    ("Erro INTERNAL: x", "UNKNOWN_COMMAND"),
    ("1", "INVALID_ARGUMENT"),
    ("1   ", "INVALID_ARGUMENT"),
    ("1 Ma\0ca", "INVALID_ARGUMENT"),
    ("1 \u{202E}acaM", "INVALID_ARGUMENT"),
    ("1 \u{200B}", "INVALID_ARGUMENT"),
    ("1 Kiwi", "PRODUCT_NOT_FOUND"),
    ("2", "INVALID_ARGUMENT"),
    ("2 abc", "INVALID_ARGUMENT"),
    ("2 -1", "INVALID_ARGUMENT"),
    ("2 1.234", "INVALID_ARGUMENT"),
    ("2 1e9", "INVALID_ARGUMENT"),
    ("2 NaN", "INVALID_ARGUMENT"),
    ("2 inf", "INVALID_ARGUMENT"),
    ("2 1 2", "INVALID_ARGUMENT"),
    ("2 99999999999999999999", "INVALID_ARGUMENT"),
    ("3", "INVALID_ARGUMENT"),
    ("3 Caju", "INVALID_ARGUMENT"),
    ("3 -20", "INVALID_ARGUMENT"),
    ("3 Caju 0", "INVALID_ARGUMENT"),
    ("3 Caju -0", "INVALID_ARGUMENT"),
    ("3 Caju NaN", "INVALID_ARGUMENT"),
    ("3 Caju abc", "INVALID_ARGUMENT"),
    ("3 Caju 1e3", "INVALID_ARGUMENT"),
    ("3 Caju 1234567890123456789012345678901234567890", "INVALID_ARGUMENT"),
    ("3 Caju 0,5", "INVALID_ARGUMENT"),
    ("3 Caju 0,0005", "INVALID_ARGUMENT"),
    ("3 Caju -1 motivo=roubo", "INVALID_ARGUMENT"),
    ("3 Caju -1 motivo=abertura", "INVALID_ARGUMENT"),
    ("3 Caju 1 motivo=venda", "INVALID_ARGUMENT"),
    ("3 Caju 1 motivo=perda", "INVALID_ARGUMENT"),
    ("3 Caju -1 motivo=compra", "INVALID_ARGUMENT"),
    ("3 Caju -1 motivo=perda causa=roubo", "INVALID_ARGUMENT"),
    ("3 Caju -1 motivo=perda causa=", "INVALID_ARGUMENT"),
    ("3 Caju -1 motivo=venda causa=vencido", "INVALID_ARGUMENT"),
    ("3 Caju 1 total=5", "INVALID_ARGUMENT"),
    ("3 Caju 1 motivo=compra total=-5", "INVALID_ARGUMENT"),
    ("3 Caju 1 motivo=compra total=1,234", "INVALID_ARGUMENT"),
    ("3 Caju 1 motivo=compra total=5 total=5", "INVALID_ARGUMENT"),
    ("3 Caju -1 id=", "INVALID_ARGUMENT"),
    ("3 Caju -1 id=a id=b", "INVALID_ARGUMENT"),
    ("3 Kiwi -1", "PRODUCT_NOT_FOUND"),
    ("3 Caju -61", "INSUFFICIENT_STOCK"),
    ("3 Caju -1000000000000", "INSUFFICIENT_STOCK"),
    ("3 Caju 1000000000000", "OUT_OF_RANGE"),
    ("4 tudo", "INVALID_ARGUMENT"),
    ("5 já", "INVALID_ARGUMENT"),
];

fn assert_refused(line: &str, code: &str, reply: &str) {
    assert!(reply.starts_with(&format!("Erro {code}: ")), "{line:?}: {reply}");
    assert_eq!(reply.lines().count(), 1, "{line:?}: {reply}");
    assert!(!reply.chars().any(char::is_control), "{line:?}: {reply:?}");
}

#[test]
fn each_line_gets_its_error_and_the_connection_stays() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    for (line, code) in LINES {
        assert_refused(line, code, &connection.ask(line));
    }
    for (name, code) in [("x".repeat(64), "PRODUCT_NOT_FOUND"), ("ã".repeat(65), "INVALID_ARGUMENT")] {
        assert_refused(&name, code, &connection.ask(&format!("1 {name}")));
        assert_refused(&name, code, &connection.ask(&format!("3 {name} 1")));
    }
    let long_id = format!("3 Caju 1 id={}", "x".repeat(65));
    assert_refused(&long_id, "INVALID_ARGUMENT", &connection.ask(&long_id));
    assert_eq!(connection.ask("4"), FOUR_PRODUCTS);
}

#[test]
fn bytes_that_are_no_text() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    connection.send(b"1 Ma\xff\xfeca\n");
    assert_refused("bytes", "INVALID_ARGUMENT", &connection.reply());
    // As Windows-1252 writes it.
    connection.send(b"1 Ma\xe7\xe3\n");
    assert_refused("bytes", "INVALID_ARGUMENT", &connection.reply());
    let longest = format!("1 {}", "x".repeat(2046));
    assert_refused("2048 bytes", "INVALID_ARGUMENT", &connection.ask(&longest));
    assert_refused("2049 bytes", "RESOURCE_EXHAUSTED", &connection.ask(&format!("{longest}x")));
    assert_refused("1 MB", "RESOURCE_EXHAUSTED", &connection.ask(&"x".repeat(1_000_000)));
    assert_eq!(connection.ask("4"), FOUR_PRODUCTS);
}

#[test]
fn http_is_refused_and_changes_nothing() {
    let server = Server::start(&["--socket"]);
    let mut connection = server.connect();
    connection.send("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n3 Caju -20\r\n1 Caju\r\n");
    let replies: Vec<String> = (0..5).map(|_| connection.reply()).collect();
    for reply in &replies[..4] {
        assert_refused("HTTP", "UNKNOWN_COMMAND", reply);
    }
    assert_eq!(replies[4], "Caju: R$2.0, Estoque: 60");
}

#[test]
fn http_with_a_long_address_changes_nothing_either() {
    let server = Server::start(&["--socket"]);
    let mut connection = server.connect();
    connection.send(format!("POST /{} HTTP/1.1\r\n3 Caju -20\r\n1 Caju\r\n", "x".repeat(3000)));
    assert_refused("long line", "RESOURCE_EXHAUSTED", &connection.reply());
    assert_refused("HTTP", "UNKNOWN_COMMAND", &connection.reply());
    assert_eq!(connection.reply(), "Caju: R$2.0, Estoque: 60");
}

/// A web page can have a browser send such a request to any server, but not of gRPC's type.
#[test]
fn http2_that_is_not_grpc_changes_nothing_either() {
    let server = Server::start(&[]);
    let port = server.port;
    // One more Caju.
    let change = http2::message(b"\x0a\x04Caju\x10\xe8\x07");
    for (content_type, stock) in [
        (None, 60),
        (Some("text/plain"), 60),
        (Some("application/x-www-form-urlencoded"), 60),
        (Some("text/plain; application/grpc"), 60),
        (Some("application/grpc-web"), 60),
        (Some("application/grpc"), 61),
        (Some("application/grpc+proto"), 62),
    ] {
        let mut call = vec![
            (":method", "POST"),
            (":scheme", "http"),
            (":path", "/hortifruti.v1.InventoryService/AdjustStock"),
            (":authority", "localhost"),
            ("te", "trailers"),
        ];
        call.extend(content_type.map(|value| ("content-type", value)));
        let headers = frame(HEADERS, END_HEADERS, 1, &http2::fields(call));
        let body = frame(DATA, END_STREAM, 1, &change);
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(&[http2::opening(&[]), headers, body].concat()).unwrap();
        loop {
            let (_, flags, id, _) = read_frame(&mut stream).expect("an answer");
            if id == 1 && flags & END_STREAM != 0 {
                break;
            }
        }
        let told = server.connect().ask("1 Caju");
        assert_eq!(told, format!("Caju: R$2.0, Estoque: {stock}"), "{content_type:?}");
    }
}

#[test]
fn a_server_of_one_protocol_says_so_to_the_other() {
    let server = Server::start(&["--grpc"]);
    for text in ["4\n", "4"] {
        let mut connection = server.connect();
        connection.send(text);
        let answer = String::from_utf8(connection.rest()).unwrap();
        assert_refused(text, "UNKNOWN_COMMAND", answer.trim_end());
        assert!(answer.contains("gRPC"), "{answer}");
    }

    let server = Server::start(&["--socket"]);
    let mut connection = server.connect();
    connection.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    let answer = connection.rest();
    assert_eq!(answer[..9], [0, 0, 0, 4, 0, 0, 0, 0, 0], "an empty SETTINGS frame");
    assert_eq!(answer[12], 7, "a GOAWAY frame");
    assert!(String::from_utf8_lossy(&answer).contains("Erro UNKNOWN_COMMAND: "));
    // An HTTP/2 preface that never becomes one is text like any other.
    let mut connection = server.connect();
    connection.send("PRI * HTTP/3\n4\n");
    assert_refused("PRI", "UNKNOWN_COMMAND", &connection.reply());
    assert_eq!(connection.reply(), FOUR_PRODUCTS);
}
