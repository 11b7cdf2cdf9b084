//! Counts as each face shows them. The rules are scenarios.

use tonic::transport::Endpoint;
use tonic_types::StatusExt;

use hortifruti::wire::grpc::v1;
use hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient;

use crate::support::{FOUR_PRODUCTS, Server, run};
use crate::terminal::Terminal;

#[test]
fn lines_on_one_connection_stay_in_order() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.send("3 Caju -20\ncontar caju 1.000 id=a\n1 Caju\n3 Caju 5\ncontar Caju 1 id=a\n1 Caju\n");
    for stock in [40, 1, 1, 6, 1, 6] {
        assert_eq!(client.reply(), format!("Caju: R$2.0, Estoque: {stock}"));
    }
    for wrong in
        ["contar", "contar Caju", "contar 5", "contar Caju x", "contar Caju 5 motivo=perda", "contar id=a"]
    {
        assert!(client.ask(wrong).starts_with("Erro INVALID_ARGUMENT: "), "{wrong}");
    }
}

#[test]
fn several_counts_are_all_or_none_over_grpc_and_keep_what_was_sold_since() {
    let server = Server::start(&[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{}", server.port)).unwrap();
        let mut service = InventoryServiceClient::new(endpoint.connect().await.unwrap());
        let count = |name: &str, counted_thousandths, at_sequence| v1::StockCount {
            name: name.to_owned(),
            counted_thousandths,
            at_sequence,
            ..v1::StockCount::default()
        };
        let request =
            |counts| v1::CountStockRequest { counts, request_id: String::new(), note: String::new() };
        for (counts, reason, index) in [
            (vec![], "INVALID_ARGUMENT", None),
            (vec![count("Caju", 1_000, 0); 1001], "INVALID_ARGUMENT", None),
            (vec![count("Caju", 1_000, 0), count("CAJÚ", 1_000, 0)], "INVALID_ARGUMENT", Some("1")),
            (vec![count("Caju", 1_000, 0), count("Kiwi", 1_000, 0)], "PRODUCT_NOT_FOUND", Some("1")),
            (vec![count("Caju", 1_000, 0), count("Maca", i64::MAX, 0)], "INVALID_ARGUMENT", Some("1")),
            (vec![count("Caju", 1_000, 9)], "INVALID_ARGUMENT", Some("0")),
        ] {
            let status = service.count_stock(request(counts)).await.unwrap_err();
            let info = status.get_details_error_info().unwrap();
            assert_eq!(
                (info.reason.as_str(), info.metadata.get("index").map(String::as_str)),
                (reason, index)
            );
        }
        assert_eq!(server.connect().ask("3 Caju -10"), "Caju: R$2.0, Estoque: 50");
        // Counted before the sale.
        let counts = vec![count("Caju", 57_000, 4), count("Pera", 15_000, 0)];
        let results = service.count_stock(request(counts)).await.unwrap().into_inner().results;
        let movement = results[0].movement.as_ref().unwrap();
        assert_eq!((movement.delta_thousandths, movement.kind), (-3_000, v1::MovementKind::Count.into()));
        assert_eq!(results[0].product.as_ref().unwrap().stock_thousandths, 47_000);
        assert_eq!(
            (results[1].product.as_ref().unwrap().stock_thousandths, &results[1].movement),
            (15_000, &None)
        );
    });
}

#[test]
fn a_list_is_counted_whole_or_not_at_all() {
    let server = Server::start(&[]);
    let count = |args: &[&str], list: &str| run(&mut server.command(&[&["count"], args].concat()), list);
    let ended = count(&["-"], "Caju;57\nMaca;20\nPera;\n");
    assert_eq!((ended.code, ended.out.as_str()), (0, "Caju: R$2.0, Estoque: 57\nMaca: R$3.0, Estoque: 20\n"));
    let told = "Caju: \u{2212}3 un · R$ 6,00 · restam 57 un · #5\nContados: 2; com diferença: 1; sem quantidade na lista: 1.\n";
    assert_eq!(ended.err, told);
    for (list, code, told) in [
        ("Caju;1\nMaca;x\nPera;2,5,1\n", 2, "entrada padrão: 2 linhas com erro:\nlinha 2: "),
        ("Caju;1.000\n", 2, "tem duas leituras"),
        ("Caju;1\nKiwi;2\n", 3, "nenhum produto se chama \"Kiwi\""),
        ("Caju;1\nCAJU;2\n", 2, "aparece duas vezes"),
        ("Caju;1\nMaca;2,5\n", 2, "2.5"),
        ("nome;quantidade\n", 2, "a lista tem 0 produtos"),
        ("", 2, ""),
    ] {
        let ended = count(&["-"], list);
        assert_eq!((ended.code, ended.out.as_str()), (code, ""), "{list}: {ended:?}");
        assert!(ended.err.contains(told) && ended.err.contains("Nada foi "), "{list}: {ended:?}");
    }
    let ambiguous = count(&["Caju", "1.000"], "");
    assert!(ambiguous.code == 2 && ambiguous.err.ends_with("escreva 1000 ou 1.\n"), "{ambiguous:?}");
    let option = count(&["-", "--cego"], "Caju;1\n");
    assert!(option.code == 2 && option.err.contains("a opção \"--cego\" não existe"), "{option:?}");
    let over_text = count(&["-", "--socket"], "Caju;1\nMaca;2\n");
    assert!(over_text.code == 5 && over_text.err.contains("exige gRPC"), "{over_text:?}");
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 57");
    let counted = count(&["cajú", "58", "--format", "csv"], "");
    assert_eq!(counted.out, "nome,preco,estoque,unidade\nCaju,2.0,58,un\n");
}

#[test]
fn a_counted_quantity_is_in_the_unit_that_the_list_says() {
    let server = Server::start(&[]);
    assert_eq!(server.run(&["product", "new", "Alho", "30", "--unit", "kg"]).code, 0);
    let count = |list: &str| run(&mut server.command(&["count", "-"]), list);
    for (list, told) in [
        ("nome;quantidade\nAlho;1\nMaca;2 dz\n", "linha 3: \"Maca\" se conta em un, e não em dz"),
        ("nome;quantidade\nMaca;3 kg\n", "linha 2: \"Maca\" se conta em un, e não em kg"),
        ("Caju;1\n\nMaca;3 caixas\n", "linha 3: \"Maca\" se conta em un, e não em cx"),
        ("nome;quantidade;unidade\nAlho;500;g\n", "linha 2: \"Alho\" se conta em kg, e não em g"),
        ("Produto;Contado (kg)\nMaca;3\n", "linha 2: \"Maca\" se conta em un, e não em kg"),
        ("nome;quantidade\nAlho;0,5 g\n", "linha 2: \"0,5 g\" tem menos de um milésimo"),
        ("Produto;Estoque;Qtd\nMaca;20;19\n", "\"Estoque\" e \"Qtd\" podem ser a contagem"),
        ("nome;quantidade (g)\nAlho;500\n", "linha 1: "),
    ] {
        let refused = count(list);
        assert_eq!((refused.code, refused.out.as_str()), (2, ""), "{list}: {refused:?}");
        assert!(refused.err.contains(told) && refused.err.contains("Nada foi "), "{list}: {refused:?}");
    }
    assert_eq!(server.connect().ask("4"), format!("{FOUR_PRODUCTS}\nAlho: R$30.0, Estoque: 0"));
    let counted = count("nome;quantidade\nAlho;500 g\nMaca;19 und.\n");
    assert_eq!(
        (counted.code, counted.out.as_str()),
        (0, "Alho: R$30.0, Estoque: 0.5\nMaca: R$3.0, Estoque: 19\n")
    );
    // What was counted stands before what the stock was, and the sheet that `export` wrote is read as it is.
    let counted = count("Produto;Estoque;Contado;Un.\nMaca;19;18;UN\n");
    assert_eq!((counted.code, counted.out.as_str()), (0, "Maca: R$3.0, Estoque: 18\n"), "{counted:?}");
    let exported = server.run(&["export"]).out;
    assert_eq!(count(&exported).code, 0);
}

#[test]
fn the_word_alone_asks_for_the_name_and_shows_the_stock() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::open(&server, &[], &[]);
    terminal.wait_for_prompt();
    terminal.send("contar\r");
    terminal.wait_for("Digite o nome do produto:");
    terminal.send("kiwi\r");
    terminal.wait_for_text("nenhum produto se chama \"kiwi\"");
    terminal.wait_for("Digite o nome do produto:");
    terminal.send("caju\r");
    terminal.wait_for("Digite a quantidade contada (Caju tem 60 un):");
    terminal.send("1.000\r");
    terminal.wait_for("Você quer dizer 1000 ou 1? Digite um dos dois (vazio ou Ctrl-C desiste):");
    terminal.send("1000\r");
    let shown = terminal.wait_for_prompt();
    assert!(shown.contains("Caju: +940 un · R$ 1.880,00 · restam 1000 un · #5"), "{shown}");
    assert!(
        terminal.ask("contar Caju 57").contains("Caju: \u{2212}943 un · R$ 1.886,00 · restam 57 un · #6")
    );
    assert!(terminal.ask("contar Caju 57").contains("Caju: contado · 57 un"));
    terminal.send("sair\r");
    terminal.wait_for_end();
    let piped = run(&mut server.command(&["shell"]), "contar\nCaju\n50\ncontar Caju 1.000\n");
    assert_eq!((piped.code, piped.out.as_str()), (2, "Caju: R$2.0, Estoque: 50\n"), "{}", piped.err);
}

#[test]
fn a_blind_count_shows_only_what_was_counted() {
    let server = Server::start(&[]);
    let blind = server.run(&["count", "Caju", "57", "--blind"]);
    assert_eq!((blind.code, blind.out.as_str(), blind.err.as_str()), (0, "Caju: R$2.0, Estoque: 57\n", ""));
    let list = server.path().join("contagem.csv");
    std::fs::write(&list, "Caju;50\nPera;15\n").unwrap();
    let blind = server.run(&["count", list.to_str().unwrap(), "--blind", "--format", "json"]);
    assert_eq!(blind.code, 0, "{blind:?}");
    let changes: serde_json::Value = serde_json::from_str(&blind.out).unwrap();
    assert_eq!(changes[0]["movement"], serde_json::Value::Null, "{changes}");
    assert_eq!(changes[0]["stock_thousandths"], 50_000);
    assert_eq!(blind.err, "Contados: 2; sem quantidade na lista: 0.\n");
    let known = server.run(&["history", "Caju", "--kind", "contagem", "--format", "json"]);
    let known: serde_json::Value = serde_json::from_str(&known.out).unwrap();
    assert_eq!(known[0]["delta_thousandths"], -7_000, "{known}");
}
