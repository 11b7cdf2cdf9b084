//! `sell`, `buy`, `waste`: the words of the shell as subcommands, for scripts.

use crate::support::{Server, make_token, run};
use crate::terminal::Terminal;

/// A shop that has bought tomatoes by the box.
fn shop() -> Server {
    let server = Server::start(&[]);
    let list = server.path().join("lista.csv");
    std::fs::write(&list, "nome;preco;estoque;unidade\nTomate;8,90;0;kg\nAlface;3,50;10;un\n").unwrap();
    assert_eq!(server.run(&["import", list.to_str().unwrap()]).code, 0);
    server
}

#[test]
fn a_day_of_changes_by_subcommands() {
    let server = shop();
    let buy = [
        "buy",
        "20cx=440kg",
        "Tomate",
        "--total",
        "2800,00",
        "--supplier",
        "Sítio Boa Vista",
        "--lot",
        "0512",
        "--request-id",
        "compra-1",
    ];
    let bought = server.run(&buy);
    assert_eq!(
        (bought.code, bought.out.as_str()),
        (0, "Tomate: +440 kg · R$ 2.800,00 · restam 440 kg · #7\n"),
        "{bought:?}"
    );
    let sold = server.run(&["sell", "2,5kg", "Tomate", "3", "Alface"]);
    let expected = "Tomate: \u{2212}2,5 kg · R$ 22,25 · restam 437,5 kg · #8\n\
        Alface: \u{2212}3 un · R$ 10,50 · restam 7 un · #9\nTotal: R$ 32,75\n";
    assert_eq!((sold.code, sold.out.as_str()), (0, expected), "{sold:?}");
    let lost = server.run(&["waste", "Tomate", "3kg", "--cause", "maduro", "--format", "json"]);
    assert_eq!(lost.code, 0, "{lost:?}");
    let lost: serde_json::Value = serde_json::from_str(&lost.out).unwrap();
    assert_eq!(lost["movement"]["kind"], "perda", "{lost}");
    assert_eq!(lost["movement"]["delta_thousandths"], -3000);
    assert_eq!(lost["stock_thousandths"], 434_500);
    // A repetition under its id changes nothing.
    let again = server.run(&[&buy[..], &["--yes"]].concat());
    assert_eq!((again.code, again.out), (0, bought.out));
    let one = server.run(&["query", "Tomate"]);
    assert_eq!(one.out, "Tomate: R$8.9, Estoque: 434.5\n");
    let undone = server.run(&["undo", "8"]);
    assert_eq!(undone.code, 0, "{undone:?}");
    assert_eq!(server.run(&["query", "Alface"]).out, "Alface: R$3.5, Estoque: 10\n");
}

#[test]
fn a_script_is_not_asked_but_refused() {
    let server = shop();
    for (args, code, said) in [
        (&["sell", "2", "Kiwi"][..], 3, "Kiwi"),
        (&["sell", "99", "Alface"], 4, "há 10"),
        (&["sell", "-2", "Alface"], 2, "sem sinal"),
        (&["sell", "1.000", "Alface"], 2, "1000"),
        (&["sell", "1,5", "Alface"], 2, "Alface"),
        (&["waste", "2", "Alface", "--cause", "roubo"], 2, "devolucao"),
        (&["buy", "2kg", "Alface"], 2, "un"),
        (&["buy", "2", "Alface", "--expires", "31/02/2027"], 2, "31/02"),
        (&["buy", "2", "Alface", "--total", "dez"], 2, "dez"),
    ] {
        let refused = server.run(args);
        assert_eq!(refused.code, code, "{args:?}: {refused:?}");
        assert!(refused.err.starts_with("Erro: ") && refused.err.contains(said), "{args:?}: {}", refused.err);
        assert_eq!(refused.out, "", "{args:?}");
    }
    assert_eq!(server.run(&["query", "Alface"]).out, "Alface: R$3.5, Estoque: 10\n");
}

#[test]
fn a_part_of_a_name_is_refused_with_the_line_to_type() {
    let server = shop();
    let refused = server.run(&["sell", "2", "alfa"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.err.contains("há: Alface. Se for esse, escreva: 2 Alface"), "{}", refused.err);
    let refused = server.run(&["waste", "2,5kg", "tom", "--cause", "peso"]);
    assert!(refused.err.contains("escreva: 2,5kg Tomate"), "{}", refused.err);
}

#[test]
fn texts_of_options_are_taken_as_they_are() {
    let server = shop();
    let bought = server.run(&[
        "buy",
        "2",
        "Alface",
        "--supplier",
        "Sítio lote=9 do \"Zé\"",
        "--expires",
        "amanhã",
        "--note",
        "'99",
        "--format",
        "json",
    ]);
    assert_eq!(bought.code, 0, "{bought:?}");
    let bought: serde_json::Value = serde_json::from_str(&bought.out).unwrap();
    assert_eq!(bought["movement"]["supplier"], "Sítio lote=9 do \"Zé\"", "{bought}");
    assert_eq!(bought["movement"]["lot"], serde_json::Value::Null, "{bought}");
    assert_eq!(bought["movement"]["note"], "'99", "{bought}");
    let expires = bought["movement"]["expires_on"].as_str().unwrap();
    let tomorrow = hortifruti::local_time::today().tomorrow().unwrap();
    // Midnight may have come since.
    assert!(
        [tomorrow, tomorrow.yesterday().unwrap()].map(|day| day.to_string()).contains(&expires.to_owned())
    );
    let piped = "comprar 2 Alface fornecedor=\"Sítio do Zé\" lote=12\n";
    assert_eq!(crate::support::run(&mut server.command(&["shell"]), piped).code, 0);
    let last = server.run(&["history", "--limit", "1", "--format", "json"]).out;
    assert!(last.contains("\"supplier\":\"Sítio do Zé\""), "{last}");
}

#[test]
fn an_odd_price_needs_yes() {
    let server = shop();
    let refused = server.run(&["product", "set", "Tomate", "--price", "890"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("Tomate passa de R$ 8,90 para R$ 890,00. Parece engano"), "{}", refused.err);
    assert!(refused.err.contains("--yes"), "{}", refused.err);
    assert_eq!(server.run(&["query", "Tomate"]).out, "Tomate: R$8.9, Estoque: 0\n");
    let made = server.run(&["product", "set", "Tomate", "--price", "890", "--yes"]);
    assert_eq!(made.out, "Tomate: R$890.0, Estoque: 0\n", "{made:?}");
}

#[test]
fn a_person_is_asked_about_an_odd_price() {
    let server = shop();
    for (answer, code, price) in [("n", 2, "8.9"), ("s", 0, "890.0")] {
        let mut terminal = Terminal::run(server.path(), 100, &["product", "set", "Tomate", "--price", "890"]);
        terminal.wait_for("Tomate passa de R$ 8,90 para R$ 890,00. É isso mesmo? [s/N]");
        terminal.send(&format!("{answer}\r"));
        assert_eq!(terminal.wait_for_code(), code);
        assert_eq!(server.run(&["query", "Tomate"]).out, format!("Tomate: R${price}, Estoque: 0\n"));
    }
}

#[test]
fn words_of_the_shell_get_a_guess() {
    let server = shop();
    for (args, guess) in [
        (&["report", "hoje"][..], "report day"),
        (&["report", "perdas"], "report losses"),
        (&["vender", "2", "Maca"], "sell"),
        (&["histórico"], "history"),
    ] {
        let refused = server.run(args);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.err.contains(&format!("Você quis dizer {guess}?")), "{args:?}: {}", refused.err);
    }
}

#[test]
fn what_looks_like_a_slip_needs_yes() {
    let server = shop();
    let buy = |total: &str, more: &[&str]| {
        server.run(&[&["buy", "10kg", "Tomate", "--total", total][..], more].concat())
    };
    assert_eq!(buy("60", &[]).code, 0);
    let refused = buy("600", &[]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("R$ 60,00 por kg") && refused.err.contains("--yes"), "{}", refused.err);
    assert_eq!(buy("600", &["--yes"]).code, 0);
    assert_eq!(server.run(&["query", "Tomate"]).out, "Tomate: R$8.9, Estoque: 20\n");
    // The id that an outbox gives a sale says nothing of what a person means.
    let sell =
        |more: &[&str]| server.run(&[&["sell", "35", "Caju", "--outbox", "saida.fila"], more].concat());
    let refused = sell(&[]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("--yes"), "{}", refused.err);
    assert_eq!(std::fs::read(server.path().join("saida.fila")).unwrap(), b"");
    assert_eq!(sell(&["--yes"]).code, 0);
    assert_eq!(server.run(&["query", "Caju"]).out, "Caju: R$2.0, Estoque: 25\n");
}

#[test]
fn what_is_asked_again_under_its_id_is_answered_as_the_first_time() {
    let server = Server::start(&[]);
    let twice = |args: &[&str], between: &[&str]| {
        let first = server.run(args);
        assert_eq!(first.code, 0, "{first:?}");
        if !between.is_empty() {
            assert_eq!(server.run(between).code, 0, "{between:?}");
        }
        let again = server.run(args);
        assert_eq!((again.code, again.out), (0, first.out), "{args:?}: {}", again.err);
    };
    // The stock of now would not do for it.
    twice(&["sell", "14", "Maca", "--request-id", "r1"], &[]);
    twice(&["sell", "10", "Pera", "2", "Maca", "--request-id", "r2"], &["sell", "2", "Maca"]);
    // The cost of now makes the first one odd.
    let dearer = ["buy", "5", "Caju", "--total", "200", "--yes"];
    twice(&["buy", "5", "Caju", "--total", "10", "--request-id", "b1"], &dearer);
    twice(
        &["waste", "30", "Caju", "--cause", "maduro", "--request-id", "w1", "--yes"],
        &["sell", "20", "Caju", "--yes"],
    );
    // The old name is no product any more.
    let rename =
        |from: &str, to: &str, id: &str| server.run(&["product", "rename", from, to, "--request-id", id]);
    twice(&["product", "rename", "Caju", "Caju Bravo", "--request-id", "n1"], &[]);
    let nothing = rename("Nada", "Pera", "n2");
    assert!(nothing.code == 3 && nothing.err.contains("Nada"), "{nothing:?}");
    assert_eq!(rename("Caju", "Pera", "n1").code, 4);

    let short = server.run(&["sell", "7", "Maca", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(short.err.trim()).unwrap_or_default();
    assert_eq!(short.code, 4, "{short:?}");
    assert_eq!(json["error"]["metadata"]["available_thousandths"], "2000", "{json}");
}

#[test]
fn a_mistyped_code_sells_no_other_product() {
    let server = Server::start(&[]);
    for (name, code) in [("Maca", "2"), ("Pera", "101")] {
        assert_eq!(server.run(&["product", "set", name, "--code", code]).code, 0);
    }
    for args in [
        &["sell", "2", "115"][..],
        &["buy", "2", "115", "--total", "20"],
        &["waste", "2", "115", "--cause", "maduro"],
    ] {
        let refused = server.run(args);
        assert_eq!(refused.code, 3, "{refused:?}");
        assert!(refused.err.contains("115"), "{}", refused.err);
    }
    assert_eq!(server.run(&["sell", "3", "101"]).code, 0);
    assert_eq!(server.run(&["query", "Maca"]).out, "Maca: R$3.0, Estoque: 20\n");
}

#[test]
fn sales_wait_in_the_outbox_while_no_server_answers_and_are_booked_once() {
    let mut server = shop();
    let sell =
        |server: &Server, args: &[&str]| server.run(&[&["sell", "--outbox", "saida.fila"], args].concat());
    assert_eq!(sell(&server, &["1", "Alface"]).out, "Alface: \u{2212}1 un · R$ 3,50 · restam 9 un · #7\n");
    let outbox = server.path().join("saida.fila");
    assert_eq!(std::fs::read(&outbox).unwrap(), b"");
    server.kill();
    for (args, waiting) in
        [(&["2", "Alface"][..], "1 venda espera"), (&["9", "Alface", "--note", "fiado"], "2 vendas esperam")]
    {
        let kept = sell(&server, args);
        assert!(kept.code == 0 && kept.err.contains(waiting), "{kept:?}");
    }
    // What no server would take is not kept.
    assert_eq!(sell(&server, &["-2", "Alface"]).code, 2);
    let nothing = sell(&server, &[]);
    assert!(nothing.code == 0 && nothing.err.contains("2 vendas esperam"), "{nothing:?}");
    // The answer to the first sale is lost: it was booked under its id, and then the outbox says that it was sent.
    let kept = std::fs::read_to_string(&outbox).unwrap();
    server.restart();
    let sent = sell(&server, &["1", "Alface"]);
    assert_eq!(sent.code, 4, "{sent:?}");
    assert!(sent.out.contains("Alface: \u{2212}2 un · R$ 7,00 · restam 7 un · #8"), "{sent:?}");
    assert!(sent.out.contains("Alface: \u{2212}1 un · R$ 3,50 · restam 6 un · #9"), "{sent:?}");
    assert!(sent.err.contains("Recusada: estoque insuficiente de \"Alface\""), "{sent:?}");
    assert!(sent.err.contains("1 venda guardada foi recusada"), "{sent:?}");
    let apart = std::fs::read_to_string(server.path().join("saida.fila.recusadas.csv")).unwrap();
    assert!(apart.lines().count() == 2 && apart.contains(";9 Alface;estoque insuficiente"), "{apart}");
    assert!(apart.ends_with(";fiado\n"), "{apart}");
    assert_eq!(std::fs::read(&outbox).unwrap(), b"");
    // The same outbox once more, as after a crash in the middle: the first sale is not booked again.
    std::fs::write(&outbox, kept.lines().next().unwrap().to_owned() + "\n").unwrap();
    let again = sell(&server, &[]);
    assert!(again.out.contains("restam 7 un · #8"), "{again:?}");
    assert_eq!(server.run(&["query", "Alface"]).out, "Alface: R$3.5, Estoque: 6\n");
    let history = server.run(&["history", "Alface", "--format", "csv"]).out;
    assert!(history.contains("sem servidor"), "{history}");
}

#[test]
fn a_sale_that_is_not_made_is_not_kept_either() {
    let folder = tempfile::tempdir().unwrap();
    make_token(folder.path(), "caixa", "venda");
    let mut server = Server::start_in(folder, &["--token-file", "tokens"]);
    let outbox = server.path().join("saida.fila");
    let sell = |server: &Server, token: &str, args: &[&str]| {
        let mut command = server.command(&[&["sell", "--outbox", "saida.fila"], args].concat());
        run(command.env("HORTIFRUTI_TOKEN", token), "")
    };
    let secret = std::fs::read_to_string(server.path().join("caixa")).unwrap();
    server.kill();
    let kept = sell(&server, secret.trim_end(), &["2", "Maca", "--note", "cliente João"]);
    assert!(kept.code == 0 && kept.err.contains("1 venda espera"), "{kept:?}");
    let before = std::fs::read_to_string(&outbox).unwrap();
    server.restart();
    // The waiting sale cannot be sent, and so the new one is not: it is not kept for a later second booking.
    let refused = sell(&server, "hf_errado", &["1", "Pera"]);
    assert_eq!((refused.code, refused.out.as_str()), (6, ""), "{refused:?}");
    assert!(refused.err.contains("A venda de 1 Pera não foi feita, nem guardada"), "{refused:?}");
    assert!(refused.err.contains("1 venda espera em saida.fila"), "{refused:?}");
    let after = std::fs::read_to_string(&outbox).unwrap();
    assert!(after.starts_with(&before) && after.contains("\"ended\""), "{after}");
    let sent = sell(&server, secret.trim_end(), &["1", "Pera"]);
    let expected = "Maca: \u{2212}2 un · R$ 6,00 · restam 18 un · #5\nPera: \u{2212}1 un · R$ 5,00 · restam 14 un · #6\n";
    assert_eq!((sent.code, sent.out.as_str()), (0, expected), "{sent:?}");
    assert_eq!(std::fs::read(&outbox).unwrap(), b"");
    // The time of the sale stands beside what a person noted.
    let history = run(
        server.command(&["history", "Maca", "--format", "csv"]).env("HORTIFRUTI_TOKEN", secret.trim_end()),
        "",
    )
    .out;
    assert!(history.contains("cliente João; vendido em ") && history.contains(", sem servidor"), "{history}");
}

#[test]
fn a_sale_that_waits_is_kept_once_under_its_id() {
    let folder = tempfile::tempdir().unwrap();
    make_token(folder.path(), "caixa", "venda");
    let mut server = Server::start_in(folder, &["--token-file", "tokens"]);
    let secret = std::fs::read_to_string(server.path().join("caixa")).unwrap();
    let sell = |server: &Server, token: &str, items: &[&str]| {
        let options = ["sell", "--outbox", "saida.fila", "--request-id", "v1"];
        run(server.command(&[&options, items].concat()).env("HORTIFRUTI_TOKEN", token), "")
    };
    server.kill();
    for _ in 0..2 {
        let kept = sell(&server, secret.trim_end(), &["2", "Maca"]);
        assert!(kept.code == 0 && kept.err.contains("1 venda espera"), "{kept:?}");
    }
    let other = sell(&server, secret.trim_end(), &["3", "Maca"]);
    assert!(other.code == 1 && other.err.contains("já espera"), "{other:?}");
    server.restart();
    // The repetition fails, and the sale of before waits on.
    let refused = sell(&server, "hf_errado", &["2", "Maca"]);
    assert!(refused.code == 6 && !refused.err.contains("não foi feita"), "{refused:?}");
    let sent = sell(&server, secret.trim_end(), &["2", "Maca"]);
    let expected = "Maca: \u{2212}2 un · R$ 6,00 · restam 18 un · #5\n";
    assert_eq!((sent.code, sent.out.as_str()), (0, expected), "{sent:?}");
    assert_eq!(std::fs::read(server.path().join("saida.fila")).unwrap(), b"");
}

#[test]
fn a_sale_that_waited_has_the_price_of_its_time() {
    let mut server = Server::start(&[]);
    let sell =
        |server: &Server, args: &[&str]| server.run(&[&["sell", "--outbox", "saida.fila"], args].concat());
    let priced = |server: &Server, price: &str| {
        let set = server.run(&["product", "set", "Pera", "--price", price, "--yes"]);
        assert_eq!(set.code, 0, "{set:?}");
    };
    priced(&server, "6");
    server.kill();
    assert_eq!(sell(&server, &["4", "Pera", "1", "Maca"]).code, 0);
    server.restart();
    priced(&server, "9");
    assert_eq!(server.run(&["product", "rename", "Pera", "Pera Williams"]).code, 0);
    assert_eq!(server.run(&["product", "rename", "Pera Williams", "Pera"]).code, 0);
    priced(&server, "12");
    let sent = sell(&server, &[]);
    let expected = "Pera: \u{2212}4 un · R$ 24,00 · restam 11 un · #5\n\
        Maca: \u{2212}1 un · R$ 3,00 · restam 19 un · #6\nTotal: R$ 27,00\n";
    assert_eq!((sent.code, sent.out.as_str()), (0, expected), "{sent:?}");
    assert!(sent.err.contains("Pera: ao preço de então, R$ 6,00."), "{sent:?}");
}

#[test]
fn what_no_server_takes_is_not_kept_in_the_outbox() {
    let server = Server::start(&[]);
    assert_eq!(server.run(&["update", "Maca", "1000"]).code, 0);
    let many = vec!["1"; 201].iter().flat_map(|quantity| [*quantity, "Maca"]).collect::<Vec<_>>();
    let long = "a".repeat(200);
    for args in [&many[..], &["1", "Maca", "--note", &long]] {
        let refused = server.run(&[&["sell", "--outbox", "saida.fila"], args].concat());
        assert!(refused.code != 0 && refused.out.is_empty(), "{refused:?}");
        assert_eq!(std::fs::read(server.path().join("saida.fila")).unwrap(), b"", "{refused:?}");
    }
}
