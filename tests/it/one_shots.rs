//! `query` and `update`: formats, exit codes, and a server that goes away.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;

use crate::support::waiting::accept;
use crate::support::{FOUR_PRODUCTS, Server, finished, hortifruti, is_of_windows, run};

const TRANSPORTS: [&str; 2] = ["--socket", "--grpc"];

#[test]
fn queries_and_updates_over_both_transports() {
    for transport in TRANSPORTS {
        let server = Server::start(&[]);
        let out = |args: &[&str]| {
            let ended = server.run(&[args, &[transport]].concat());
            assert_eq!((ended.code, ended.err.as_str()), (0, ""));
            ended.out
        };
        assert_eq!(out(&["query"]).trim_end(), FOUR_PRODUCTS);
        assert_eq!(out(&["query", "maçã"]), "Maca: R$3.0, Estoque: 20\n");
        assert_eq!(out(&["query", "--max-price", "2"]), "Caju: R$2.0, Estoque: 60\n");
        assert_eq!(out(&["query", "--max-price", "1"]), "Nenhum produto encontrado.\n");
        assert_eq!(out(&["update", "Caju", "-20", "--reason", "perda"]), "Caju: R$2.0, Estoque: 40\n");
        assert_eq!(out(&["update", "Caju", "+5", "--request-id", "a"]), "Caju: R$2.0, Estoque: 45\n");
        assert_eq!(out(&["update", "Caju", "5", "--request-id", "a"]), "Caju: R$2.0, Estoque: 45\n");
        let unit = if transport == "--grpc" { "\"un\"" } else { "null" };
        assert_eq!(
            out(&["query", "Caju", "--format", "json"]),
            format!(
                "{{\"name\":\"Caju\",\"price_centavos\":200,\"stock_thousandths\":45000,\"unit\":{unit}}}\n"
            )
        );
        assert!(out(&["query", "--format", "json"]).starts_with("[{\"name\":\"Maca\""));
        assert!(out(&["query", "--format", "table"]).starts_with("Nome "));
        assert!(out(&["query", "--format", "csv"]).starts_with("nome,preco,estoque,unidade\nMaca,3.0,20,"));
    }
}

#[test]
fn a_command_line_that_cannot_be_is_refused() {
    for transport in TRANSPORTS {
        let server = Server::start(&[]);
        for (args, code) in [
            (&["query", "--max-price", "abc"][..], 2),
            (&["query", "--max-price", "-1"], 2),
            (&["query", ""], 2),
            (&["query", "Ma\nca"], 2),
            (&["update", "Caju"], 2),
            (&["update", "Caju\n3 Pera", "-1"], 2),
            (&["update", "Caju", "-1", "--reason", "abertura"], 2),
            (&["query", "--format", "xml"], 2),
            (&["vender"], 2),
            (&["query", "--server", "localhost"], 2),
            (&["update", "ALHO", "NACIONAL", "-2"], 2),
        ] {
            let ended = server.run(&[args, &[transport]].concat());
            assert_eq!(ended.code, code, "{args:?}: {ended:?}");
            assert!(ended.out.is_empty() && ended.err.starts_with("Erro: "), "{args:?}: {ended:?}");
            assert!(!ended.err.contains('\u{1b}'), "no colour without a terminal");
        }
        assert_eq!(server.connect().ask("4"), FOUR_PRODUCTS);
    }
}

#[test]
fn an_option_that_is_refused_says_why() {
    let folder = tempfile::tempdir().unwrap();
    for (args, reason) in [
        (&["history", "--limit", "0"][..], "\"0\"; use de 1 a 1000000. Nada foi feito."),
        (&["history", "--kind", "xx"], "use ajuste, abertura, compra, venda, perda ou contagem."),
        (&["history", "--author", ""], "autor \"\" inválido: o nome de um token tem de 1 a 64"),
        (&["export", "--department", "0"], "\"0\"; use de 1 a 99."),
        (&["export", "--department", "x"], "\"x\"; use um número inteiro."),
        (&["serve", "--exit-after", "0"], "\"0\"; use 1 ou mais."),
        (&["serve", "--port", "65536"], "\"65536\"; use de 0 a 65535."),
        (&["watch", "--after", "99999999999999999999"], "; use um número menor."),
        (&["sell"], "falta a quantidade e o nome do produto, como 2 Maca. Nada foi feito."),
        (&["waste"], "falta a quantidade e o nome do produto, como 2 Maca. Nada foi feito."),
        (&["buy"], "falta a quantidade e o nome do produto, como 2 Maca. Nada foi feito."),
        (&["product", "set"], "falta <NOME>. Nada foi feito."),
        (&["update"], "falta <NOME>, <QUANTIDADE>. Nada foi feito."),
    ] {
        let ended = run(hortifruti(folder.path()).args(args), "");
        assert!(ended.code == 2 && ended.err.contains(reason), "{args:?}: {ended:?}");
    }
}

#[test]
fn a_thousand_or_one_is_refused_where_nobody_can_be_asked() {
    let server = Server::start(&[]);
    for (typed, thousands, units) in [
        ("1.000", "1000", "1"),
        ("-1.250", "-1250", "-1,25"),
        ("+12.500", "12500", "12,5"),
        ("\u{2212}1.000", "-1000", "-1"),
    ] {
        let ended = [
            server.run(&["update", "Caju", typed]),
            server.run(&["update", "--socket", "Caju", typed]),
            run(&mut server.command(&["shell"]), &format!("3 Caju {typed}\n")),
            run(&mut server.command(&["shell"]), &format!("3 Caju {typed} motivo=compra id=a\n")),
            run(&mut server.command(&["shell"]), &format!("atualizar\nCaju\n{typed}\n")),
        ];
        for ended in ended {
            assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{ended:?}");
            let advice = format!("Nada foi alterado; escreva {thousands} ou {units}.\n");
            assert!(ended.err.contains(typed) && ended.err.ends_with(&advice), "{ended:?}");
        }
    }
    let refused = server.run(&["query", "--max-price", "1.000"]);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("1000, e não 1.000"), "{}", refused.err);
    // What has one reading is taken, and so is the advice.
    for (typed, stock) in [("1000", 1060), ("1,000", 1061), ("-1,0", 1060), ("1000.000", 2060)] {
        let ended = server.run(&["update", "Caju", typed]);
        assert_eq!(ended.out, format!("Caju: R$2.0, Estoque: {stock}\n"), "{typed}: {ended:?}");
    }
    // Programs speak the text protocol, and write a decimal point.
    assert_eq!(server.connect().ask("3 Caju 1.000"), "Caju: R$2.0, Estoque: 2061");
}

#[test]
fn the_server_is_found_or_it_is_said_where_it_was_looked_for() {
    let folder = tempfile::tempdir().unwrap();
    let none = run(hortifruti(folder.path()).arg("query"), "");
    assert_eq!(none.code, 5);
    assert!(none.err.contains("server_port.txt") && none.err.contains("hortifruti serve"), "{}", none.err);

    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    std::fs::write(folder.path().join("server_port.txt"), closed.port().to_string()).unwrap();
    let stale = run(hortifruti(folder.path()).arg("query"), "");
    assert_eq!(stale.code, 5);
    assert!(stale.err.contains("obsoleto") && stale.err.contains("hortifruti serve"), "{}", stale.err);

    let server = Server::start(&["--port-file", "porta"]);
    let address = format!("127.0.0.1:{}", server.port);
    let port_file = server.path().join("porta");
    let found = [
        run(hortifruti(folder.path()).args(["query", "Maca", "--server", &address]), ""),
        run(hortifruti(folder.path()).args(["query", "Maca"]).env("HORTIFRUTI_SERVER", &address), ""),
        run(hortifruti(folder.path()).args(["query", "Maca", "--port-file"]).arg(&port_file), ""),
        run(hortifruti(folder.path()).args(["query", "Maca"]).env("HORTIFRUTI_PORT_FILE", &port_file), ""),
    ];
    for ended in found {
        assert_eq!(ended.out, "Maca: R$3.0, Estoque: 20\n", "{}", ended.err);
    }
}

/// The variables that set options.
const VARIABLES: [&str; 9] = [
    "HORTIFRUTI_SERVER",
    "HORTIFRUTI_PORT_FILE",
    "HORTIFRUTI_TLS",
    "HORTIFRUTI_TLS_CA",
    "HORTIFRUTI_TLS_CERT",
    "HORTIFRUTI_TLS_KEY",
    "HORTIFRUTI_TOKEN_FILE",
    "HORTIFRUTI_LABEL",
    "HORTIFRUTI_CNPJ",
];

#[test]
fn an_empty_variable_is_none_and_a_wrong_one_is_named() {
    let empty = VARIABLES.map(|name| (name.to_owned(), String::new()));
    let server = Server::start_with(empty.to_vec(), &[]);
    let ended = run(hortifruti(server.path()).args(["query", "Maca"]).envs(empty), "");
    assert_eq!(ended.out, "Maca: R$3.0, Estoque: 20\n", "{}", ended.err);
    for (command, name, value) in [
        ("query", "HORTIFRUTI_SERVER", &b"\xff"[..]),
        ("query", "HORTIFRUTI_TLS", b"\xff"),
        ("serve", "HORTIFRUTI_LABEL", b"\xff"),
        ("serve", "HORTIFRUTI_CNPJ", b"12"),
    ] {
        // Windows has no such variables.
        if is_of_windows() && value.iter().any(|byte| !byte.is_ascii()) {
            continue;
        }
        let ended = run(hortifruti(server.path()).arg(command).env(name, OsStr::from_bytes(value)), "");
        assert_eq!(ended.code, 2, "{name}");
        assert!(ended.err.contains(name) && ended.err.contains("Nada foi feito"), "{ended:?}");
    }
}

#[test]
fn the_protocol_is_found_out() {
    for transport in TRANSPORTS {
        let server = Server::start(&[transport]);
        assert_eq!(server.run(&["query", "Maca"]).out, "Maca: R$3.0, Estoque: 20\n");
        let other = if transport == "--socket" { "--grpc" } else { "--socket" };
        let refused = server.run(&["query", "Maca", other]);
        assert!(refused.code != 0 && refused.err.starts_with("Erro: "), "{refused:?}");
    }
    let server = Server::start(&["--socket"]);
    for args in [&["export"][..], &["import", "-"]] {
        let refused = run(&mut server.command(args), "nome,preco\nUva,1\n");
        assert_eq!(refused.code, 5, "{refused:?}");
        assert!(refused.err.contains("--grpc"), "{}", refused.err);
    }
}

#[test]
fn an_update_survives_a_server_that_comes_back() {
    for transport in TRANSPORTS {
        let mut server = Server::start(&[]);
        server.stop();
        // Somebody takes the call, and hangs up before the answer.
        let trap = TcpListener::bind("127.0.0.1:0").unwrap();
        let port_file = server.path().join("server_port.txt");
        std::fs::write(&port_file, trap.local_addr().unwrap().port().to_string()).unwrap();
        let mut command = server.command(&["update", "Caju", "-20", transport]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(accept(&trap));
        drop(trap);
        server.restart();
        let ended = finished(child);
        assert_eq!((ended.code, ended.out.as_str()), (0, "Caju: R$2.0, Estoque: 40\n"), "{}", ended.err);
    }
}

#[test]
fn who_closes_the_output_is_not_an_error() {
    let server = Server::start(&[]);
    let mut child = server.command(&["query"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = finished(child);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
}

#[test]
fn help_is_in_portuguese() {
    let folder = tempfile::tempdir().unwrap();
    let help = |args: &[&str]| run(hortifruti(folder.path()).args(args), "");
    for args in [
        &["--help"][..],
        &["serve", "--help"],
        &["update", "-h"],
        &["query", "--help"],
        &["help"],
        &["help", "query"],
        &["ajuda", "token", "new"],
        &["token", "--help"],
    ] {
        let help = help(args);
        assert_eq!((help.code, help.err.as_str()), (0, ""), "{args:?}");
        for english in
            ["Usage:", "Options:", "Commands:", "Arguments:", "Print help", "[default", "possible", "OPTIONS"]
        {
            assert!(!help.out.contains(english), "{args:?}: {}", help.out);
        }
    }
    assert_eq!(help(&["help"]), help(&["--help"]));
    assert_eq!(help(&["ajuda", "token", "new"]), help(&["token", "new", "-h"]));
    for args in [&[][..], &["token"]] {
        let bare = help(args);
        assert_eq!((bare.code, bare.out.as_str()), (2, ""));
        assert_eq!(bare.err, help(&[args, &["--help"]].concat()).out);
    }
    let unknown = help(&["help", "vender"]);
    assert!(unknown.code == 2 && unknown.err.contains("\"vender\" não existe"), "{unknown:?}");
    assert!(help(&["--version"]).out.starts_with(concat!("hortifruti ", env!("CARGO_PKG_VERSION"), " (")));
}

#[test]
fn who_cannot_get_the_answer_learns_that_the_change_was_made() {
    let server = Server::start(&[]);
    for (args, is_made) in [(vec!["update", "Caju", "-20"], true), (vec!["query", "Caju"], false)] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ended = finished(server.command(&args).stdout(full).stderr(Stdio::piped()).spawn().unwrap());
        let is_said = ended.err.contains("a mudança foi feita, não a repita");
        assert_eq!((ended.code, is_said), (1, is_made), "{}", ended.err);
    }
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 40");
}

#[test]
fn errors_are_json_where_json_is_asked_for() {
    let server = Server::start(&[]);
    let error = |args: &[&str], code: i32| {
        let ended = server.run(args);
        assert_eq!((ended.code, ended.out.as_str()), (code, ""), "{args:?}: {ended:?}");
        assert_eq!(ended.err.lines().count(), 1, "{args:?}: {ended:?}");
        let error: serde_json::Value = serde_json::from_str(&ended.err).unwrap();
        assert!(error["error"]["message"].is_string(), "{error}");
        assert!(error["error"]["metadata"].is_object(), "{error}");
        error["error"].clone()
    };
    let near = error(&["query", "Caj", "--format", "json"], 3);
    assert_eq!(
        (&near["code"], &near["metadata"]["nearest_names"]),
        (&"PRODUCT_NOT_FOUND".into(), &"Caju".into())
    );
    let short = error(&["update", "Caju", "-61", "--format=json"], 4);
    assert_eq!(short["code"], "INSUFFICIENT_STOCK");
    assert_eq!(
        short["metadata"],
        serde_json::json!({"available_thousandths": "60000", "requested_thousandths": "61000"})
    );
    for (args, field) in [
        (&["count", "Caju", "1.000", "--format", "json"][..], "counted_thousandths"),
        (&["update", "Caju", "1.000", "--format", "json"], "delta_thousandths"),
        (&["product", "set", "Caju", "--minimum", "1.000", "--format", "json"], "minimum_thousandths"),
    ] {
        assert_eq!(error(args, 2)["metadata"]["field"], field, "{args:?}");
    }
    for args in [
        &["query", "--format", "json", "--nada"][..],
        &["nada", "--format", "json"],
        &["report", "nada", "--format", "ndjson"],
        &["sell", "--format", "json"],
    ] {
        assert_eq!(error(args, 2)["code"], "INVALID_ARGUMENT", "{args:?}");
    }
    assert_eq!(error(&["query", "--server", "localhost:1", "--format", "json"], 5)["code"], "UNAVAILABLE");
    assert_eq!(error(&["count", "nada.csv", "--format", "json"], 1)["code"], "INTERNAL");
}
