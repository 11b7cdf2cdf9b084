//! HTTP/1.1 and HTTP/2 on the one port.

mod addresses;
mod calls;
mod conformance;
mod hostile;
mod smuggling;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use crate::network::{TLS, certified};
use crate::support::{Need, PATIENCE, Server, hortifruti, run, try_run};

/// Sends bytes, and returns everything that comes until the server closes the connection.
pub(crate) fn exchange(port: u16, sent: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(sent).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

/// The answer to a GET, after which the connection ends.
pub(crate) fn get(port: u16, path: &str) -> String {
    exchange(port, format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes())
}

#[test]
fn each_protocol_is_served_alone_or_with_others_and_the_rest_is_refused_in_its_own_words() {
    for (flags, http, text) in [
        (&[][..], "HTTP/1.1 200 OK", "Maca: R$3.0"),
        (&["--http"], "HTTP/1.1 200 OK", "Erro UNKNOWN_COMMAND: este servidor atende só HTTP."),
        (&["--http", "--socket"], "HTTP/1.1 200 OK", "Maca: R$3.0"),
        (&["--grpc"], "HTTP/1.1 501 Not Implemented", "Erro UNKNOWN_COMMAND: este servidor atende só gRPC."),
        (&["--socket"], "Erro UNKNOWN_COMMAND: ", "Maca: R$3.0"),
    ] {
        let server = Server::start(flags);
        let mut request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_owned();
        if flags == ["--socket"] {
            request.push_str("5\n");
        }
        let answer = exchange(server.port, request.as_bytes());
        assert!(answer.starts_with(http), "{flags:?}: {answer}");
        let answer = exchange(server.port, b"4\n5\n");
        assert!(answer.starts_with(text), "{flags:?}: {answer}");
        // Our own clients find out by themselves what the server speaks.
        let ended = server.run(&["query", "Maca"]);
        match flags {
            ["--http"] => {
                assert_eq!(ended.code, 5, "{ended:?}");
                assert!(
                    ended.err.contains("não atende gRPC. Nada foi feito; abra-o num navegador"),
                    "{ended:?}"
                );
            }
            _ => assert_eq!(ended.out, "Maca: R$3.0, Estoque: 20\n", "{flags:?}: {ended:?}"),
        }
    }
}

#[test]
fn every_answer_has_the_security_headers() {
    let server = Server::start(&["--http"]);
    let without_http = Server::start(&["--grpc"]);
    let full = Server::start(&["--http", "--max-connections", "1"]);
    let mut held = TcpStream::connect(("127.0.0.1", full.port)).unwrap();
    held.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    assert!(held.read(&mut [0; 1024]).unwrap() > 0);
    for (server, path, status) in [
        (&server, "/", "200"),
        (&server, "/healthz", "200"),
        (&server, "/nada", "404"),
        (&without_http, "/", "501"),
        (&full, "/", "503"),
    ] {
        let answer = get(server.port, path);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
        for field in [
            "content-security-policy: default-src 'none'; script-src 'self';",
            "x-content-type-options: nosniff",
            "x-frame-options: DENY",
            "referrer-policy: no-referrer",
            "cross-origin-opener-policy: same-origin",
            "cross-origin-resource-policy: same-origin",
        ] {
            assert!(answer.contains(field), "{path}: {field} is not in {answer}");
        }
    }
}

#[test]
fn a_file_of_the_panel_is_sent_once() {
    let server = Server::start(&["--http"]);
    let first = get(server.port, "/");
    assert!(first.contains("\r\ncontent-type: text/html; charset=utf-8\r\n"), "{first}");
    let tag = first.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    let again =
        format!("GET / HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: {tag}\r\nConnection: close\r\n\r\n");
    let again = exchange(server.port, again.as_bytes());
    assert!(again.starts_with("HTTP/1.1 304 ") && again.ends_with("\r\n\r\n"), "{again}");
}

#[test]
fn an_idle_browser_holds_no_stop() {
    let mut server = Server::start(&["--http"]);
    let mut kept = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    kept.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    assert!(kept.read(&mut [0; 1024]).unwrap() > 0);
    let mut half = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    half.write_all(b"GET /healthz HTTP/1.1\r\nHost: loc").unwrap();
    server.signal("TERM");
    let (code, took) = server.wait_for_end();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(8), "{took:?}, as long as the drain");
}

#[test]
fn curl_speaks_both_versions_with_tls_and_without() {
    if try_run(Command::new("curl").arg("--version")).is_err() {
        return Need::Curl.skip("there is no curl");
    }
    let ask = |server: &Server, version: &str, scheme: &str, path: &str| {
        let mut command = Command::new("curl");
        let address = format!("{scheme}://localhost:{}/{path}", server.port);
        command.current_dir(server.path()).args(["-s", "--max-time", "20", "--cacert", "ca.pem"]);
        command.args(["-w", "%{http_version} %{http_code}", version, &address]);
        run(&mut command, "")
    };
    let plain = Server::start(&[]);
    let (folder, _authority) = certified();
    let secure = Server::start_in(folder, &TLS);
    for (server, version, scheme, answer) in [
        (&plain, "--http1.1", "http", "ok\n1.1 200"),
        (&plain, "--http2-prior-knowledge", "http", "ok\n2 200"),
        (&secure, "--http1.1", "https", "ok\n1.1 200"),
        (&secure, "--http2", "https", "ok\n2 200"),
    ] {
        let ended = ask(server, version, scheme, "healthz");
        assert_eq!((ended.code, ended.out.as_str()), (0, answer), "{version} {scheme}: {}", ended.err);
    }
    // Whoever asks without TLS reads why, and how.
    let ended = ask(&secure, "--http1.1", "http", "healthz");
    assert!(ended.out.contains("use https://") && ended.out.ends_with("1.1 400"), "{ended:?}");
    // Whoever asks with TLS a server without it gets no answer.
    assert_ne!(ask(&plain, "--http1.1", "https", "healthz").code, 0);
}

#[test]
fn a_browser_counts_as_a_connection_and_a_port_check_does_not() {
    let mut server = Server::start(&["--exit-after", "2"]);
    drop(TcpStream::connect(("127.0.0.1", server.port)).unwrap());
    for _ in 0..2 {
        assert!(get(server.port, "/healthz").starts_with("HTTP/1.1 200 OK"));
    }
    assert_eq!(server.wait_for_end().0, Some(0));
    assert_eq!(server.rest_of_console().pop().as_deref(), Some("Numero max de conexoes atingidas."));
}

#[test]
fn an_open_network_without_tls_and_tokens_gets_no_panel() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = hortifruti(folder.path());
    let ended = run(command.args(["serve", "--http", "--host", "0.0.0.0", "--port", "0"]), "");
    assert!(ended.code != 0 && ended.err.contains("é aberto à rede"), "{ended:?}");
}
