//! `ListMovements`: its lines, pages, filters and formats.

use tonic::Code;
use tonic::transport::Channel;
use tonic_types::StatusExt;

use hortifruti::wire::grpc::v1;
use hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient;
use hortifruti::wire::grpc::v1::{ListMovementsRequest, MovementKind};

use crate::support::zone::offset;
use crate::support::{Server, run};

async fn connect(server: &Server) -> InventoryServiceClient<Channel> {
    InventoryServiceClient::connect(format!("http://127.0.0.1:{}", server.port)).await.unwrap()
}

/// A line without its time, which must have the offset of the tests' time zone.
fn without_time(line: &str) -> String {
    let (sequence, rest) = line.split_once(' ').unwrap();
    let (time, rest) = rest.split_once(' ').unwrap();
    assert!(time.len() == "2026-11-29T09:41:07-03:00".len() && time.ends_with(&offset()), "{line}");
    format!("{sequence} {rest}")
}

#[test]
fn the_lines_of_the_text_protocol() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    let mut ask = |line: &str| connection.ask(line).lines().map(str::to_owned).collect::<Vec<_>>();
    ask("3 Caju -20 motivo=venda");
    ask("3 Maca -2");
    let shown = |lines: Vec<String>| lines.iter().map(|line| without_time(line)).collect::<Vec<_>>();
    assert_eq!(
        shown(ask("historico limite=2")),
        ["#6 ajuste Maca -2 saldo 18 R$6.0", "#5 venda Caju -20 saldo 40 R$40.0"]
    );
    assert_eq!(
        shown(ask("historico caju")),
        ["#5 venda Caju -20 saldo 40 R$40.0", "#4 abertura Caju 60 saldo 60 R$120.0"]
    );
    assert_eq!(shown(ask("historico Maca antes=6")), ["#1 abertura Maca 20 saldo 20 R$60.0"]);
    assert_eq!(shown(ask("historico antes=3 limite=1")), ["#2 abertura Pera 15 saldo 15 R$75.0"]);
    assert_eq!(shown(ask("historico antes=99 limite=1")), ["#6 ajuste Maca -2 saldo 18 R$6.0"]);
    for nothing in ["historico antes=1", "historico Caju antes=4", "historico Pera antes=1"] {
        assert_eq!(ask(nothing), ["Nenhum movimento encontrado."], "{nothing}");
    }
    for (wrong, start) in [
        ("historico Kiwi", "Erro PRODUCT_NOT_FOUND: "),
        ("historico limite=0", "Erro INVALID_ARGUMENT: \"limite=0\" inválido; use de 1 a 1000. "),
        ("historico antes=#6", "Erro INVALID_ARGUMENT: "),
        ("historico Caju limite=2 limite=3", "Erro INVALID_ARGUMENT: "),
    ] {
        let answer = ask(wrong).join(" ");
        assert!(answer.starts_with(start) && answer.contains("Nada foi alterado"), "{answer}");
    }
}

#[test]
fn a_change_is_in_the_history_that_is_asked_for_behind_it() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    connection.send("3 Caju -1\nhistorico limite=1\n3 Caju -1\nhistorico Caju limite=1\n");
    for (stock, sequence) in [(59, 5), (58, 6)] {
        assert_eq!(connection.reply(), format!("Caju: R$2.0, Estoque: {stock}"));
        let line = without_time(&connection.reply());
        assert_eq!(line, format!("#{sequence} ajuste Caju -1 saldo {stock} R$2.0"));
    }
}

#[test]
fn a_number_far_behind_the_last_movements_of_a_product_is_refused() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    connection.send("3 Maca 1\n".to_owned() + &"3 Caju 1\n".repeat(1500));
    for _ in 0..=1500 {
        connection.reply();
    }
    let mut ask = |line: &str| connection.ask(line);
    // A movement of the product, or the one above it, is found wherever it is.
    for (before, next) in [(6, 4), (7, 6), (1000, 999)] {
        let line = without_time(&ask(&format!("historico Caju antes={before} limite=1")));
        assert!(line.starts_with(&format!("#{next} ")), "{before}: {line}");
    }
    // The largest page of a product comes whole.
    assert_eq!(ask("historico Caju limite=1000").lines().count(), 1000);
    // No movement of Caju is near these numbers.
    let refused = ask("historico Caju antes=3");
    assert!(refused.starts_with("Erro RESOURCE_EXHAUSTED: o movimento #3 não é deste produto"), "{refused}");
    assert_eq!(ask("historico Maca antes=900").lines().count(), 2);
}

#[tokio::test]
async fn pages_and_filters_over_grpc() {
    let server = Server::start(&[]);
    {
        let mut connection = server.connect();
        for round in 0..40 {
            connection.ask(&format!("3 Caju -1 motivo={}", if round % 4 == 0 { "perda" } else { "venda" }));
            connection.ask("3 Maca 1 id=um");
        }
    }
    let mut client = connect(&server).await;
    let mut all = async |request: ListMovementsRequest| {
        let mut request = request;
        let mut movements = Vec::new();
        loop {
            let page = client.list_movements(request.clone()).await.unwrap().into_inner();
            movements.extend(page.movements);
            if page.next_page_token.is_empty() {
                return movements;
            }
            request.page_token = page.next_page_token;
        }
    };
    let whole = all(ListMovementsRequest { page_size: 7, ..Default::default() }).await;
    let sequences: Vec<i64> = whole.iter().map(|movement| movement.sequence).collect();
    assert_eq!(sequences, (1..=45).rev().collect::<Vec<i64>>());
    let newest_caju = &whole[0];
    assert_eq!((newest_caju.price_centavos, newest_caju.amount_centavos), (200, 200));
    assert_eq!((newest_caju.document, newest_caju.undoes, newest_caju.undone_by), (45, 0, 0));
    let maca = whole.iter().find(|movement| movement.request_id == "um").unwrap();
    assert_eq!((maca.product_name.as_str(), maca.amount_centavos), ("Maca", 300));
    let middle = whole[20].recorded_at;
    for name in ["", "CAJU"] {
        for kind in [MovementKind::Unspecified, MovementKind::Waste, MovementKind::Count] {
            for (start_time, end_time) in [(None, None), (middle, None), (None, middle), (middle, middle)] {
                let request = ListMovementsRequest {
                    product_name: name.to_owned(),
                    page_size: 3,
                    kind: kind.into(),
                    start_time,
                    end_time,
                    ..Default::default()
                };
                let nanos = |time: Option<prost_types::Timestamp>| {
                    time.map(|time| i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos))
                };
                let is_asked_for = |movement: &&v1::Movement| {
                    let at = nanos(movement.recorded_at);
                    (name.is_empty() || movement.product_name == "Caju")
                        && (kind == MovementKind::Unspecified || movement.kind() == kind)
                        && (start_time.is_none() || at >= nanos(start_time))
                        && (end_time.is_none() || at < nanos(end_time))
                };
                let expected: Vec<_> = whole.iter().filter(is_asked_for).cloned().collect();
                assert_eq!(all(request.clone()).await, expected, "{request:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_its_field() {
    let server = Server::start(&[]);
    let mut client = connect(&server).await;
    let first = ListMovementsRequest { page_size: 1, ..Default::default() };
    let token = client.list_movements(first.clone()).await.unwrap().into_inner().next_page_token;
    let never = Some(prost_types::Timestamp { seconds: i64::MAX, nanos: -1 });
    for (field, request) in [
        ("page_size", ListMovementsRequest { page_size: -1, ..Default::default() }),
        ("page_token", ListMovementsRequest { page_token: "x".to_owned(), ..first.clone() }),
        (
            "page_token",
            ListMovementsRequest {
                page_token: token.clone(),
                product_name: "Caju".to_owned(),
                ..first.clone()
            },
        ),
        ("kind", ListMovementsRequest { kind: 99, ..Default::default() }),
        ("start_time", ListMovementsRequest { start_time: never, ..Default::default() }),
        ("end_time", ListMovementsRequest { end_time: never, ..Default::default() }),
        ("name", ListMovementsRequest { product_name: "a\nb".to_owned(), ..Default::default() }),
    ] {
        let status = client.list_movements(request).await.unwrap_err();
        let info = status.get_details_error_info().unwrap();
        assert_eq!((status.code(), info.reason.as_str()), (Code::InvalidArgument, "INVALID_ARGUMENT"));
        assert_eq!(info.metadata.get("field").map(String::as_str), Some(field), "{info:?}");
    }
    let page = client.list_movements(ListMovementsRequest { page_token: token, ..first }).await.unwrap();
    assert_eq!(page.into_inner().movements[0].sequence, 3);
}

#[tokio::test]
async fn the_movements_of_a_batch_have_one_document() {
    let server = Server::start(&[]);
    let mut client = connect(&server).await;
    let change = |name: &str| v1::AdjustStockRequest {
        name: name.to_owned(),
        delta_thousandths: -1_000,
        ..Default::default()
    };
    client.adjust_stock(change("Caju")).await.unwrap();
    let batch = v1::BatchAdjustStockRequest {
        adjustments: vec![change("Maca"), change("Pera"), change("Caju")],
        request_id: "lote".to_owned(),
    };
    let answered = client.batch_adjust_stock(batch).await.unwrap().into_inner().results;
    let listed = client.list_movements(ListMovementsRequest::default()).await.unwrap().into_inner().movements;
    let documents: Vec<i64> = listed.iter().take(4).map(|movement| movement.document).collect();
    assert_eq!(documents, [6, 6, 6, 5]);
    for result in answered {
        let movement = result.movement.unwrap();
        assert!(listed.contains(&movement), "{movement:?}");
    }
}

#[test]
fn many_histories_at_once_are_all_answered() {
    let server = Server::start(&[]);
    let mut connections: Vec<_> = (0..50).map(|_| server.connect()).collect();
    for connection in &mut connections {
        connection.send("historico\n".repeat(20));
    }
    for connection in &mut connections {
        for _ in 0..20 {
            assert_eq!(connection.reply().lines().count(), 4);
        }
    }
}

#[test]
fn the_one_shot_and_its_formats() {
    let server = Server::start(&[]);
    server.run(&["update", "Caju", "-20", "--reason", "venda", "--request-id", "balcao-1"]);
    for transport in ["--socket", "--grpc"] {
        let out = |args: &[&str]| {
            let ended = server.run(&[&["history"], args, &[transport]].concat());
            assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{args:?}");
            ended.out
        };
        assert_eq!(
            without_time(out(&["Caju", "--limit", "1"]).trim_end()),
            "#5 venda Caju -20 saldo 40 R$40.0"
        );
        assert_eq!(out(&[]).lines().count(), 5);
        let json: serde_json::Value =
            serde_json::from_str(&out(&["--limit", "1", "--format", "json"])).unwrap();
        let row = &json[0];
        assert_eq!((row["sequence"].as_i64(), row["kind"].as_str()), (Some(5), Some("venda")));
        assert_eq!(
            (row["amount_centavos"].as_i64(), row["delta_thousandths"].as_i64()),
            (Some(4000), Some(-20_000))
        );
        let request_id = (transport == "--grpc").then_some("balcao-1");
        assert_eq!(row["request_id"].as_str(), request_id);
        assert_eq!(out(&["--format", "ndjson"]).lines().count(), 5);
        let csv = out(&["caju", "--format", "csv"]);
        let header = "numero,quando,motivo,produto,quantidade,saldo,valor,custo,autor,causa,observacao,fornecedor,lote,validade,nfe";
        assert!(csv.starts_with(&format!("{header}\n5,2")), "{csv}");
        let row = format!("{},venda,Caju,-20,40,40.0,,,,,,,,", offset());
        assert!(csv.lines().nth(1).unwrap().ends_with(&row), "{csv}");
        let table = out(&["--limit", "2", "--format", "table"]);
        assert!(table.starts_with(
            "Nº  Quando                     Motivo    Produto  Quantidade  Saldo  Valor (R$)  Por\n"
        ));
        assert!(
            table.lines().nth(2).unwrap().ends_with("  abertura  Caju             60     60       120.0"),
            "{table}"
        );
    }
    let lines = |args: &[&str]| server.run(&[&["history"], args].concat()).out.lines().count();
    assert_eq!(lines(&["--kind", "Venda"]), 1);
    assert_eq!(lines(&["--since", "hoje", "--until", "hoje"]), 5);
    assert_eq!(lines(&["--kind", "abertura", "--since", "2000-01-01", "Caju"]), 1);
    assert_eq!(server.run(&["history", "--until", "ontem"]).out, "Nenhum movimento encontrado.\n");
    for args in [
        &["history", "--since", "amanhã"][..],
        &["history", "--kind", "roubo"],
        &["history", "--limit", "0"],
        &["history", "--limit", "1001", "--socket"],
        &["history", "", "x\ny"],
    ] {
        assert_eq!(server.run(args).code, 2, "{args:?}");
    }
    // The shell has the same filters.
    for (line, rows) in [
        ("historico motivo=Venda", 1),
        ("historico desde=hoje ate=hoje", 5),
        ("historico caju motivo=abertura desde=01/01/2000", 1),
        ("historico limite=2 antes=4", 2),
        ("historico motivo=abertura limite=3", 3),
    ] {
        let shown = run(&mut server.command(&["shell"]), &format!("{line}\n"));
        assert_eq!((shown.code, shown.out.lines().count()), (0, rows), "{line}: {shown:?}");
    }
    for line in ["historico autor=balcao", "historico ate=ontem"] {
        let shown = run(&mut server.command(&["shell"]), &format!("{line}\n"));
        assert_eq!(shown.out, "Nenhum movimento encontrado.\n", "{line}");
    }
    for line in ["motivo=roubo", "desde=amanhã", "limite=0", "autor=dois nomes", "desde=hoje ate=ontem"] {
        let shown = run(&mut server.command(&["shell"]), &format!("historico {line}\n"));
        assert_eq!((shown.code, shown.out.as_str()), (2, ""), "{line}: {shown:?}");
    }
    let text_only = server.run(&["history", "--kind", "venda", "--socket"]);
    assert_eq!(text_only.code, 5, "{text_only:?}");
    assert!(text_only.err.contains("--grpc"), "{text_only:?}");
}

#[test]
fn a_list_is_whole_or_says_that_there_is_more() {
    let server = Server::start(&[]);
    // 4 openings and 21 sales.
    for _ in 0..21 {
        assert_eq!(server.connect().ask("3 Caju -1 motivo=venda").lines().count(), 1);
    }
    let told = |args: &[&str]| {
        let ended = server.run(&[&["history", "--format", "csv"], args].concat());
        assert_eq!(ended.code, 0, "{ended:?}");
        (ended.out.lines().count() - 1, ended.err)
    };
    let quiet = |rows| (rows, String::new());
    for transport in ["--grpc", "--socket"] {
        let (rows, note) = told(&[transport]);
        assert!(rows == 20 && note.contains("últimos 20") && note.contains("--limit"), "{rows}: {note}");
        assert_eq!(told(&[transport, "--limit", "25"]), quiet(25));
        // Fewer were asked for.
        assert_eq!(told(&[transport, "--limit", "3"]), quiet(3));
    }
    assert_eq!(told(&["--since", "hoje"]), quiet(25));
    assert_eq!(told(&["--until", "hoje", "--kind", "venda"]), quiet(21));
    assert_eq!(told(&["--since", "hoje", "--limit", "2"]), quiet(2));
    // The sales are more than twenty, the openings are not.
    assert!(told(&["--kind", "venda"]).1.contains("--limit"));
    assert_eq!(told(&["--kind", "abertura"]), quiet(4));
    let changes = server.run(&["history", "--changes"]);
    assert_eq!((changes.code, changes.err.as_str()), (0, ""));
    for price in 1..=21 {
        let set = server.run(&["product", "set", "Pera", "--price", &price.to_string(), "--yes"]);
        assert_eq!(set.code, 0, "{set:?}");
    }
    let changes = server.run(&["history", "--changes", "--format", "csv"]);
    assert!(changes.out.lines().count() == 21 && changes.err.contains("últimas 20"), "{changes:?}");
}

#[test]
fn the_word_of_the_shell() {
    let server = Server::start(&[]);
    for transport in ["--socket", "--grpc"] {
        let ended = run(
            &mut server.command(&["shell", transport]),
            "historico\nhistórico caju limite=1\nHISTORICO pera antes=3\nhistorico Kiwi\nhistorico Pera antes=2\n",
        );
        let lines: Vec<&str> = ended.out.lines().collect();
        assert_eq!(lines.len(), 7, "{ended:?}");
        assert_eq!(without_time(lines[4]), "#4 abertura Caju 60 saldo 60 R$120.0");
        assert_eq!(without_time(lines[5]), "#2 abertura Pera 15 saldo 15 R$75.0");
        assert_eq!(lines[6], "Nenhum movimento encontrado.");
        assert!(ended.err.contains("nenhum produto se chama \"Kiwi\""), "{ended:?}");
    }
}
