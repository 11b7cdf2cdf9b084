//! Calls by the Connect protocol: statuses, errors, codecs, streams, and clients that are not ours.

use std::process::Command;

use hortifruti::wire::grpc::{FILE_DESCRIPTOR_SET, v1};
use prost::Message as _;
use serde_json::json;

use crate::support::web::{Web, envelope, envelopes, path};
use crate::support::{Need, Server, make_token, run, try_run};

const JSON: (&str, &str) = ("Content-Type", "application/json");

#[test]
fn a_repeated_id_gets_the_first_answer_over_every_protocol() {
    let server = Server::start(&[]);
    let sale = json!({ "name": "Caju", "deltaThousandths": "-2000", "requestId": "balcao-1" });
    let mut web = Web::connect(server.port);
    let first = web.call("AdjustStock", None, &sale);
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(web.call("AdjustStock", None, &sale).json(), first.json());
    for protocol in ["--grpc", "--socket"] {
        let again = server.run(&["update", "Caju", "-2", "--request-id", "balcao-1", protocol]);
        assert_eq!(again.out, "Caju: R$2.0, Estoque: 58\n", "{again:?}");
    }
    // The other way round, and with other content.
    server.run(&["update", "Caju", "-1", "--request-id", "balcao-2", "--grpc"]);
    let again = json!({ "name": "caju", "deltaThousandths": -1000, "requestId": "balcao-2" });
    assert_eq!(web.call("AdjustStock", None, &again).json()["product"]["stockThousandths"], "57000");
    let other = json!({ "name": "Caju", "deltaThousandths": -3000, "requestId": "balcao-2" });
    let refused = web.call("AdjustStock", None, &other);
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["details"][0]["debug"]["reason"], "REQUEST_ID_REUSED");
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 57");
}

#[test]
fn each_error_has_the_status_and_the_words_of_connect() {
    let server = Server::start(&[]);
    for (name, message, status, code, reason) in [
        ("GetProduct", json!({ "name": "Kaju" }), 404, "not_found", "PRODUCT_NOT_FOUND"),
        ("GetProduct", json!({ "nome": "Caju" }), 400, "invalid_argument", "INVALID_ARGUMENT"),
        ("GetProduct", json!([]), 400, "invalid_argument", "INVALID_ARGUMENT"),
        (
            "GetProduct",
            json!({ "name": "x".repeat(40_000) }),
            429,
            "resource_exhausted",
            "RESOURCE_EXHAUSTED",
        ),
        (
            "AdjustStock",
            json!({ "name": "Caju", "deltaThousandths": -61_000 }),
            400,
            "failed_precondition",
            "INSUFFICIENT_STOCK",
        ),
        ("UndoMovement", json!({ "sequence": "999" }), 404, "not_found", "MOVEMENT_NOT_FOUND"),
        ("DeleteEverything", json!({}), 501, "unimplemented", "UNKNOWN_COMMAND"),
        ("Leave", json!({}), 501, "unimplemented", "UNKNOWN_COMMAND"),
    ] {
        // A body that is not read to its end ends the connection.
        let answer = Web::connect(server.port).call(name, None, &message);
        let error = answer.json();
        assert_eq!(answer.status, status, "{name}: {error}");
        assert_eq!(answer.field("content-type"), Some("application/json"));
        assert_eq!(error["code"], code, "{name}: {error}");
        let detail = &error["details"][0];
        assert_eq!(
            (&detail["type"], &detail["debug"]["reason"]),
            (&json!("google.rpc.ErrorInfo"), &json!(reason))
        );
        assert!(error["message"].as_str().unwrap().contains("Nada foi "), "{error}");
        assert!(detail["value"].as_str().is_some_and(|value| !value.is_empty() && !value.contains('=')));
    }
    let body = br#"{"name":"Caju"}"#;
    for (fields, status) in [
        (&[JSON, ("Connect-Protocol-Version", "1")][..], 200),
        (&[JSON, ("Connect-Protocol-Version", "2")], 400),
        (&[JSON, ("Connect-Timeout-Ms", "5000")], 200),
        (&[JSON, ("Connect-Timeout-Ms", "9999999999")], 200),
        (&[JSON, ("Connect-Timeout-Ms", "0")], 504),
        (&[JSON, ("Connect-Timeout-Ms", "1s")], 400),
        (&[JSON, ("Content-Encoding", "identity")], 200),
        (&[JSON, ("Content-Encoding", "br")], 501),
        (&[JSON, ("Content-Encoding", "gzip")], 400),
        (&[("Content-Type", "application/json; charset=utf-8")], 200),
        (&[("Content-Type", "application/connect+json")], 415),
        (&[("Content-Type", "application/octet-stream")], 415),
        (&[("Content-Type", "application/grpc")], 415),
    ] {
        let answer = Web::connect(server.port).ask(&path("GetProduct"), fields, body);
        assert_eq!(answer.status, status, "{fields:?}: {answer:?}");
    }
    let answer = Web::connect(server.port).ask("GET /hortifruti.v1.InventoryService/GetProduct", &[], b"");
    assert_eq!((answer.status, answer.field("allow")), (405, Some("POST")));
}

#[test]
fn json_is_read_strictly() {
    let server = Server::start(&[]);
    let mut web = Web::connect(server.port);
    let deep = format!("{{\"name\":{}{}}}", "[".repeat(500), "]".repeat(500));
    let wide = format!("{{\"name\":[{}1]}}", "1,".repeat(10_000));
    for (body, said) in [
        (&br#"{"name":"Caju","deltaThousandths":1000,"deltaThousandths":-1000}"#[..], "duas vezes"),
        (br#"{"name":"Caju","deltaThousandths":1000,"delta_thousandths":-1000}"#, "duas vezes"),
        (br#"{"name":"Caju","deltaThousandths":1000,"price":1}"#, r#"não há o campo "price""#),
        (br#"{"name":"Caju","deltaThousandths":"mil"}"#, "não é do tipo do campo"),
        (br#"{"name":"Caju","deltaThousandths":1e30}"#, "não é do tipo do campo"),
        (b"{\"name\":\"\xff\",\"deltaThousandths\":1000}", "UTF-8"),
        (b"name=Caju&deltaThousandths=1000", "não é JSON"),
        (b"", "não é JSON"),
        (deep.as_bytes(), "fundo demais"),
        (wide.as_bytes(), "valores demais"),
    ] {
        let answer = web.ask(&path("AdjustStock"), &[JSON], body);
        let error = answer.json();
        assert!(answer.status >= 400, "{error}");
        assert!(error["message"].as_str().unwrap().contains(said), "{said}: {error}");
    }
    let texts = br#"{"name":"Caju","deltaThousandths":"1000"}"#;
    assert_eq!(web.ask(&path("AdjustStock"), &[JSON], texts).status, 200);
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 61");
}

#[test]
fn messages_may_be_protobuf_and_compressed() {
    let server = Server::start(&[]);
    let mut web = Web::connect(server.port);
    let message = v1::GetProductRequest { name: "caju".to_owned() }.encode_to_vec();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut gzip, &message).unwrap();
    let gzip = gzip.finish().unwrap();
    let proto = ("Content-Type", "application/proto");
    for (fields, body) in [(&[proto][..], &message), (&[proto, ("Content-Encoding", "gzip")], &gzip)] {
        let answer = web.ask(&path("GetProduct"), fields, body);
        assert_eq!((answer.status, answer.field("content-type")), (200, Some("application/proto")));
        let product = v1::GetProductResponse::decode(&answer.body[..]).unwrap().product.unwrap();
        assert_eq!((product.name.as_str(), product.stock_thousandths), ("Caju", 60_000));
    }
    let answer = web.ask(&path("GetProduct"), &[proto], b"\xff");
    assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("invalid_argument")));
}

#[test]
fn tokens_and_their_roles_hold() {
    let folder = tempfile::tempdir().unwrap();
    let reader = make_token(folder.path(), "leitor", "leitura");
    let seller = make_token(folder.path(), "caixa", "venda");
    let server = Server::start_in(folder, &["--token-file", "tokens"]);
    let mut web = Web::connect(server.port);
    let sale = json!({ "name": "Caju", "deltaThousandths": -1000, "kind": "MOVEMENT_KIND_SALE" });
    let question = json!({ "name": "Caju" });
    for (secret, name, message, status) in [
        (None, "GetProduct", &question, 401),
        (None, "AdjustStock", &sale, 401),
        (None, "DeleteEverything", &question, 401),
        (Some(&reader), "GetProduct", &question, 200),
        (Some(&reader), "AdjustStock", &sale, 401),
        (Some(&seller), "AdjustStock", &sale, 200),
        (Some(&seller), "ClearExamples", &json!({}), 401),
    ] {
        let answer = web.call(name, secret.map(String::as_str), message);
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        assert_eq!(answer.field("www-authenticate"), (status == 401).then_some("Bearer"));
    }
    let history = server.command(&["history", "Caju", "--limit", "1", "--format", "json"]);
    let history = run({ history }.env("HORTIFRUTI_TOKEN", &reader), "");
    assert!(history.out.contains("\"caixa\""), "{history:?}");
    // The panel asks for the token itself.
    for open in ["GET /", "GET /healthz"] {
        assert_eq!(web.ask(open, &[], b"").status, 200);
    }
    // Three wrong tokens end a connection, as over the other transports.
    for _ in 0..3 {
        assert_eq!(web.call("GetProduct", Some(&"0".repeat(64)), &question).status, 401);
    }
    assert!(web.is_closed());
}

#[test]
fn a_stream_sends_each_movement_until_the_server_stops() {
    let mut server = Server::start(&[]);
    let mut web = Web::connect(server.port);
    let asked = envelope(br#"{"afterSequence":"3"}"#);
    let head = format!(
        "{} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/connect+json\r\nContent-Length: {}\r\n\r\n",
        path("WatchMovements"),
        asked.len()
    );
    web.send([head.as_bytes(), &asked].concat());
    let mut answer = String::new();
    while !answer.ends_with("\r\n\r\n") {
        answer.push(char::from(web.byte()));
    }
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("application/connect+json"), "{answer}");
    server.connect().ask("3 Caju -1");
    let mut sequences = Vec::new();
    while sequences.len() < 2 {
        for (flag, message) in envelopes(&web.chunk().unwrap()) {
            let event: serde_json::Value = serde_json::from_slice(&message).unwrap();
            assert_eq!(flag, 0, "{event}");
            sequences.extend(event.get("movement").map(|movement| movement["sequence"].clone()));
        }
    }
    assert_eq!(sequences, [json!("4"), json!("5")]);
    server.signal("TERM");
    let mut end = Vec::new();
    while let Some(chunk) = web.chunk() {
        end.extend(chunk);
    }
    let end = envelopes(&end).pop().unwrap();
    let error: serde_json::Value = serde_json::from_slice(&end.1).unwrap();
    assert_eq!((end.0, &error["error"]["code"]), (2, &json!("unavailable")));
    assert_eq!(server.wait_for_end().0, Some(0));
}

/// The processor time of the worker for this many watchers of some changes, in hundredths of a second.
fn work_for_watchers(count: usize) -> u64 {
    let server = Server::start(&["--workers", "1"]);
    let asked = envelope(b"{}");
    let request = format!(
        "{} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/connect+json\r\nContent-Length: {}\r\n\r\n",
        path("WatchMovements"),
        asked.len()
    );
    let mut watchers: Vec<Web> = (0..count).map(|_| Web::connect(server.port)).collect();
    for web in &mut watchers {
        web.send([request.as_bytes(), &asked].concat());
        assert_eq!(web.head().unwrap().status, 200);
    }
    let before = server.thread_cpu_ticks("hortifruti-work");
    let mut connection = server.connect();
    connection.send("3 Caju 1\n".repeat(600));
    (0..600).for_each(|_| drop(connection.reply()));
    for web in &mut watchers {
        let mut seen = 0;
        while seen < 600 {
            seen += envelopes(&web.chunk().unwrap()).len();
        }
    }
    server.thread_cpu_ticks("hortifruti-work") - before
}

#[test]
fn events_are_written_as_json_once_for_all_watchers() {
    let (one, many) = (work_for_watchers(1), work_for_watchers(30));
    assert!(many < 6 * one + 20, "{many} hundredths of a second for thirty watchers, {one} for one");
}

/// connect-es, over HTTP/1.1 and 2, with JSON and protobuf, compressed and not: errors, a repeated id, both
/// streams.
#[test]
fn a_connect_client_of_others_understands_the_server() {
    let probe = "require('@connectrpc/connect-node'); require('@bufbuild/protobuf')";
    if !try_run(Command::new("node").args(["-e", probe])).is_ok_and(|ended| ended.code == 0) {
        return Need::Connect.skip("node finds no connect-es");
    }
    let folder = tempfile::tempdir().unwrap();
    let secret = make_token(folder.path(), "node", "escrita");
    let server = Server::start_in(folder, &["--token-file", "tokens"]);
    let descriptors = server.path().join("descriptors.bin");
    std::fs::write(&descriptors, FILE_DESCRIPTOR_SET).unwrap();
    let mut command = Command::new("node");
    command.arg(crate::support::project().join("tests/connect/client.cjs"));
    command.args([&server.port.to_string(), descriptors.to_str().unwrap(), &secret]);
    let ended = run(&mut command, "");
    assert_eq!((ended.code, ended.out.as_str()), (0, "8 ways\n"), "{}", ended.err);
}
