//! `GetStatus` and `status`: the state of a server, as a person and a script see it.

use serde_json::Value;

use crate::support::waiting::wait_until;
use crate::support::{Server, make_token};

#[test]
fn a_script_sees_what_the_server_did() {
    let server = Server::start(&[]);
    let mut till = server.connect();
    assert_eq!(till.ask("3 Caju -1"), "Caju: R$2.0, Estoque: 59");
    assert!(till.ask("3 Caju -100").starts_with("Erro INSUFFICIENT_STOCK"));
    assert_eq!(server.run(&["update", "Caju", "-1", "--grpc"]).code, 0);
    let ended = server.run(&["status", "--format", "json"]);
    assert_eq!((ended.code, &*ended.err), (0, ""));
    let status: Value = serde_json::from_str(&ended.out).unwrap();
    for (field, expected) in [
        ("version", Value::from(env!("CARGO_PKG_VERSION"))),
        ("address", format!("127.0.0.1:{}", server.port).into()),
        ("watchers", 0.into()),
        ("products", 4.into()),
        ("last_sequence", 6.into()),
        ("store_state", "open".into()),
        ("last_store_error", Value::Null),
        ("waiting_changes", 0.into()),
        // Two lines of text and one call. The question itself is not answered yet.
        ("answered_requests", 3.into()),
        ("commits", 2.into()),
    ] {
        assert_eq!(status[field], expected, "{field}: {status}");
    }
    let connections = |name: &str| {
        let all = status["transports"].as_array().unwrap();
        let own = all.iter().find(|transport| transport["name"] == name).unwrap();
        (own["open_connections"].as_u64().unwrap(), own["total_connections"].as_u64().unwrap())
    };
    assert_eq!(connections("text"), (1, 1));
    // The connection of `update` may end later than its process.
    let (open, total) = connections("grpc");
    assert!((1..=2).contains(&open) && total == 2, "{status}");
    assert!(status["database_bytes"].as_u64().unwrap() > 4096, "{status}");
    assert!(status["log_bytes"].as_u64().unwrap() > 0, "{status}");
    let (median, p99) = (&status["commit_median_seconds"], &status["commit_p99_seconds"]);
    assert!(median.as_f64() > Some(0.0) && median.as_f64() <= p99.as_f64(), "{status}");
}

#[test]
fn a_person_sees_that_the_store_refuses_and_that_it_takes_changes_again() {
    let mut server = Server::start(&[]);
    let ended = server.run(&["status"]);
    let address = format!("hortifruti {} em 127.0.0.1:{}", env!("CARGO_PKG_VERSION"), server.port);
    assert!(ended.code == 0 && ended.out.starts_with(&address), "{ended:?}");
    for line in [
        "Banco de dados: aberto, recebe mudanças",
        "Produtos: 4 · último movimento: #4",
        "Conexões: texto 0, gRPC 1, HTTP 0 · acompanhando: 0",
    ] {
        assert!(ended.out.lines().any(|other| other == line), "{ended:?}");
    }
    let (database, away) = (server.path().join("hortifruti.db"), server.path().join("fora.db"));
    std::fs::rename(&database, &away).unwrap();
    assert_eq!(server.run(&["update", "Caju", "-1"]).code, 5);
    let ended = server.run(&["status"]);
    assert!(ended.code == 5 && ended.out.contains("Banco de dados: recusa mudanças"), "{ended:?}");
    assert!(ended.out.contains("Último erro do banco de dados: em "), "{ended:?}");
    assert!(ended.err.starts_with("Erro: o servidor não recebe mudanças agora"), "{ended:?}");
    // Nobody asks for a change, and yet the server notices.
    std::fs::rename(&away, &database).unwrap();
    wait_until("the store takes changes again", || server.run(&["status"]).code == 0);
    server.stop();
}

#[test]
fn a_server_of_text_alone_cannot_say_how_it_is() {
    let server = Server::start(&["--socket"]);
    let ended = server.run(&["status"]);
    assert!(ended.code == 5 && ended.err.contains("exige gRPC"), "{ended:?}");
}

#[test]
fn a_token_that_may_read_may_see_the_state() {
    let folder = tempfile::tempdir().unwrap();
    make_token(folder.path(), "leitura", "leitura");
    let server = Server::start_in(folder, &["--token-file", "tokens"]);
    assert_eq!(server.run(&["status"]).code, 6);
    assert_eq!(server.run(&["status", "--token-file", "leitura"]).code, 0);
}
