//! Undone movements as each face shows them. The rules are scenarios.

use tonic::transport::Endpoint;

use hortifruti::wire::grpc::v1;
use hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient;

use crate::support::{Server, run};
use crate::terminal::Terminal;

#[test]
fn lines_on_one_connection_stay_in_order() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.send("3 Caju -20\n1 Caju\ndesfazer 5 id=a\n3 Caju -50\ndesfazer #5 id=a\ndesfazer 6\n1 Caju\n");
    for stock in [40, 40, 60, 10, 60] {
        assert_eq!(client.reply(), format!("Caju: R$2.0, Estoque: {stock}"));
    }
    assert!(client.reply().starts_with("Erro ALREADY_UNDONE: o movimento #6 desfaz o #5"));
    assert_eq!(client.reply(), "Caju: R$2.0, Estoque: 10");
    for wrong in
        ["desfazer", "desfazer abc", "desfazer -5", "desfazer 5 6", "desfazer 5 id=a id=b", "desfazer id=a"]
    {
        assert!(client.ask(wrong).starts_with("Erro INVALID_ARGUMENT: "), "{wrong}");
    }
}

#[test]
fn one_movement_of_a_batch_is_undone_alone_over_grpc() {
    let server = Server::start(&[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{}", server.port)).unwrap();
        let mut service = InventoryServiceClient::new(endpoint.connect().await.unwrap());
        let line = |name: &str, delta_thousandths| v1::AdjustStockRequest {
            name: name.to_owned(),
            delta_thousandths,
            ..v1::AdjustStockRequest::default()
        };
        let adjustments = vec![line("Caju", -20_000), line("Maca", -1_000)];
        let batch = v1::BatchAdjustStockRequest { adjustments, request_id: String::new() };
        service.batch_adjust_stock(batch).await.unwrap();
        let undo = |sequence, single| v1::UndoMovementRequest {
            sequence,
            single,
            request_id: String::new(),
            note: String::new(),
        };
        let alone = service.undo_movement(undo(5, true)).await.unwrap().into_inner().results;
        let movements: Vec<_> = alone.iter().map(|result| result.movement.as_ref().unwrap()).collect();
        assert_eq!((movements.len(), movements[0].sequence, movements[0].delta_thousandths), (1, 7, 20_000));
        assert_eq!(alone[0].product.as_ref().unwrap().stock_thousandths, 60_000);
        // The rest of the batch.
        let rest = service.undo_movement(undo(6, false)).await.unwrap().into_inner().results;
        assert_eq!(
            rest.iter().map(|it| it.product.as_ref().unwrap().name.as_str()).collect::<Vec<_>>(),
            ["Maca"]
        );
    });
    let alone = server.run(&["undo", "1", "--single", "--socket"]);
    assert!(alone.code == 5 && alone.err.contains("exige gRPC"), "{alone:?}");
    let alone = server.run(&["undo", "1", "--single"]);
    assert_eq!((alone.code, alone.err.as_str()), (0, "Maca: \u{2212}20 un · R$ 60,00 · restam 0 un · #9\n"));
}

#[test]
fn the_word_alone_undoes_the_last_change_of_the_shell() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::open(&server, &[], &[]);
    // Nothing was changed yet.
    terminal.wait_for_prompt();
    terminal.send("desfazer\r");
    terminal.wait_for("Digite o número do movimento a desfazer:");
    terminal.send("\r");
    assert!(terminal.wait_for_prompt().contains("Nada foi enviado."));
    terminal.ask("3 Caju -20");
    terminal.ask("3 Caju -90");
    terminal.send("desfazer\r");
    let last = "(Enter desfaz a última mudança: Caju: \u{2212}20 un · R$ 40,00 · restam 40 un · #5):";
    terminal.wait_for(&format!("Digite o número do movimento a desfazer {last}"));
    terminal.send("\u{3}");
    terminal.wait_for_prompt();
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 40");
    terminal.send("DESFAZER\r");
    terminal.wait_for(&format!("Digite o número do movimento a desfazer {last}"));
    terminal.send("\r");
    let shown = terminal.wait_for_prompt();
    assert!(shown.contains("Caju: +20 un · R$ 40,00 · restam 60 un · #6"), "{shown}");
    assert!(terminal.ask("desfazer 5").contains("o movimento #5 já foi desfeito pelo #6"));
    terminal.send("sair\r");
    terminal.wait_for_end();
}

#[test]
fn behind_a_pipe_the_word_alone_asks_nobody() {
    let server = Server::start(&[]);
    let lines = "3 Pera -2\ndesfazer\ndesfazer\n3 Pera -1\n";
    let ended = run(&mut server.command(&["shell"]), lines);
    let stocks = [13, 15, 14].map(|stock| format!("Pera: R$5.0, Estoque: {stock}\n")).concat();
    assert_eq!((ended.code, ended.out), (2, stocks), "{}", ended.err);
    assert!(ended.err.contains("falta o número do movimento"), "{}", ended.err);
    // The text protocol does not tell the number.
    let ended = run(&mut server.command(&["shell", "--socket"]), "3 Pera -2\ndesfazer\n");
    assert_eq!((ended.code, ended.out.as_str()), (2, "Pera: R$5.0, Estoque: 12\n"), "{}", ended.err);
}

#[test]
fn a_count_of_a_list_is_undone_by_its_document() {
    let server = Server::start(&[]);
    std::fs::write(server.path().join("contagem.csv"), "Caju;57\nMaca;19\nPera;15\n").unwrap();
    assert_eq!(server.run(&["count", "contagem.csv"]).code, 0);
    assert_eq!(server.run(&["query", "caju"]).out, "Caju: R$2.0, Estoque: 57\n");
    let undone = server.run(&["undo", "6"]);
    assert_eq!((undone.code, undone.out.lines().count()), (0, 2), "{undone:?}");
    for (name, line) in [("caju", "Caju: R$2.0, Estoque: 60\n"), ("maca", "Maca: R$3.0, Estoque: 20\n")] {
        assert_eq!(server.run(&["query", name]).out, line);
    }
    assert_eq!(server.run(&["undo", "5"]).code, 4);
}

#[test]
fn an_import_is_undone_by_its_moment() {
    let server = Server::start(&[]);
    let import = |list: &str| run(&mut server.command(&["import", "-", "--yes"]), list);
    let changed = |id: &str| server.run(&["history", id, "--changes"]).out;
    assert_eq!(import("nome;preco\nCaju;2,50\n").code, 0);
    let first = changed("caju").split(' ').next().unwrap().to_owned();
    // Times are shown to the second, so the next import waits for another one.
    crate::support::waiting::wait_until("the next second", || {
        server.run(&["product", "set", "Maca", "--price", "3,10"]);
        server.run(&["product", "set", "Maca", "--price", "3,00"]);
        !changed("maca").starts_with(&first)
    });
    assert_eq!(import("nome;preco\nCaju;2,60\nPera;5,10\n").code, 0);
    // The first import of the two: what came later stays.
    let undone = server.run(&["undo", "--import", &first]);
    assert_eq!(undone.code, 4, "{undone:?}");
    assert!(undone.err.contains("nada a desfazer"), "{undone:?}");
    assert_eq!(server.run(&["undo", "--import"]).code, 0);
    let undone = server.run(&["undo", "--import", &first]);
    assert_eq!(undone.code, 0, "{undone:?}");
    assert!(undone.out.contains("1 produto voltou ao cadastro de antes; 0 criados"), "{undone:?}");
    assert_eq!(server.run(&["query", "caju"]).out, "Caju: R$2.0, Estoque: 60\n");
    for (when, code, what) in [
        (first.as_str(), 4, "já foi desfeita"),
        ("2020-01-01T00:00:00-03:00", 3, "nesse momento não houve importação"),
        ("ontem", 2, "não é o momento de uma importação"),
    ] {
        let refused = server.run(&["undo", "--import", when]);
        assert!(refused.code == code && refused.err.contains(what), "{when}: {refused:?}");
    }
    // A new shop's own products are no import, and neither is a change of one product.
    assert_eq!(Server::start(&[]).run(&["undo", "--import"]).code, 3);
}

#[test]
fn one_command_undoes_a_list_of_several_requests() {
    let server = Server::start(&["--empty"]);
    let list = |centavos: u32| -> String {
        (0..10_002).map(|row| format!("P{row};0,{centavos}\n")).collect::<String>()
    };
    let import =
        |list: &str| run(&mut server.command(&["import", "-", "--yes"]), &format!("nome;preco\n{list}"));
    assert_eq!(import(&list(10)).out, "10002 criados, 0 atualizados, 0 sem mudança.\n");
    assert_eq!(import(&list(20)).out, "0 criados, 10002 atualizados, 0 sem mudança.\n");
    let undone = server.run(&["undo", "--import", "--request-id", "estorno"]);
    assert!(
        undone
            .out
            .contains(", que veio em 2 partes: 10002 produtos voltaram ao cadastro de antes; 0 criados"),
        "{undone:?}"
    );
    for name in ["P0", "P10001"] {
        assert_eq!(server.run(&["query", name]).out, format!("{name}: R$0.1, Estoque: 0\n"));
    }
    let again = server.run(&["undo", "--import", "--request-id", "estorno", "--format", "json"]);
    assert!(
        again.out.contains("\"restored_count\":10002") && again.out.contains("\"part_count\":2"),
        "{again:?}"
    );
    assert_eq!(server.run(&["undo", "--import"]).code, 4);
}

#[test]
fn ids_of_clients_are_none_of_the_servers_own() {
    let server = Server::start(&[]);
    let import =
        |id: &str, list: &str| run(&mut server.command(&["import", "-", "--yes", "--request-id", id]), list);
    // Ids that look like those under which the server keeps the first import and its undo.
    assert_eq!(import("importação-1", "nome;preco\nCaju;2,50\n").code, 0);
    let undone = server.run(&["undo", "--import", "--request-id", "importação-1-desfeita"]);
    assert_eq!(undone.code, 0, "{undone:?}");
    for own in ["#importação-1", "#importação-2-desfeita"] {
        let refused = import(own, "nome;preco\nCaju;2,60\n");
        assert!(refused.code == 2 && refused.err.contains("que não comecem com #importação-"), "{refused:?}");
    }
    assert_eq!(server.run(&["query", "caju"]).out, "Caju: R$2.0, Estoque: 60\n");
}

#[test]
fn a_merge_of_a_retired_product_is_undone_with_its_codes() {
    let server = Server::start(&[]);
    for args in [
        &["product", "set", "Maca", "--code", "77", "--barcode", "7891000100103"][..],
        &["product", "retire", "Maca"],
        &["product", "merge", "Maca", "Pera"],
    ] {
        let ended = server.run(args);
        assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
    }
    assert_eq!(server.run(&["undo", "5"]).code, 0);
    for code in ["77", "7891000100103"] {
        assert_eq!(server.run(&["query", code]).out, "Maca: R$3.0, Estoque: 20\n");
    }
    // What the merge did not do is not undone.
    assert!(!server.run(&["query"]).out.contains("Maca"));
}

#[test]
fn half_a_merge_is_not_undone() {
    let server = Server::start(&[]);
    assert_eq!(server.run(&["product", "merge", "Maca", "Pera"]).code, 0);
    for sequence in ["5", "6"] {
        let half = server.run(&["undo", sequence, "--single"]);
        assert!(half.code == 2 && half.err.contains("é metade de uma união"), "{half:?}");
    }
    assert_eq!(server.run(&["query", "Pera"]).out, "Pera: R$5.0, Estoque: 35\n");
    assert_eq!(server.run(&["undo", "6"]).code, 0);
    assert_eq!(server.run(&["query", "Maca"]).out, "Maca: R$3.0, Estoque: 20\n");
}

#[test]
fn the_shell_undoes_one_line_of_a_sale_or_all_of_it() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::open(&server, &[], &[]);
    terminal.ask("vender 2 Maca; 3 Caju; 1 Pera");
    let shown = terminal.ask("desfazer 6 so=sim");
    assert!(
        shown.contains("Caju: +3 un · R$ 6,00 · restam 60 un · #8") && !shown.contains("Maca:"),
        "{shown}"
    );
    terminal.ask("vender 2 Banana; 3 Caju; 1 Pera");
    terminal.send("desfazer\r");
    terminal.wait_for_text("outros movimentos do mesmo documento):");
    terminal.send("\r");
    let shown = terminal.wait_for_prompt();
    assert!(shown.contains("Banana: +2 un") && shown.contains("Pera: +1 un"), "{shown}");
    let wrong = run(&mut server.command(&["shell"]), "desfazer 5 so=s\n");
    assert!(wrong.code == 2 && wrong.err.contains("so=sim"), "{wrong:?}");
    let lines = "desfazer 5 so=não\ndesfazer 7 só=sim id=z\ndesfazer 7 so=sim id=z\n";
    let piped = run(&mut server.command(&["shell"]), lines);
    // The first line undid what was left of the sale.
    assert!(piped.err.contains("já foi desfeito"), "{piped:?}");
    let over_text = run(&mut server.command(&["shell", "--socket"]), "desfazer 9 so=sim\n");
    assert!(over_text.code == 5 && over_text.err.contains("exige gRPC"), "{over_text:?}");
}
