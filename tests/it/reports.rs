//! `SummarizeMovements`: totals by kind, product and day, over gRPC and by `report`.

mod recomputed;
mod shop_day;

use serde_json::Value;
use tonic::Code;
use tonic_types::StatusExt;

use hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient;
use hortifruti::wire::grpc::v1::{
    AdjustStockRequest, ListLowStockRequest, MovementKind, PurchaseDetails, SummarizeMovementsRequest,
    SummaryGroup, TracePurchasesRequest,
};

use crate::support::Server;
use crate::support::zone::today;

/// A shop in which something was sold, spoilt, and undone.
fn shop() -> Server {
    let server = Server::start(&[]);
    std::fs::write(server.path().join("uva.csv"), "nome,preco,estoque,unidade\nUva,5.99,10,kg\n").unwrap();
    for args in [
        &["import", "uva.csv"][..],
        &["update", "Caju", "-20", "--reason", "venda"],
        &["update", "Uva", "-0,350", "--reason", "venda"],
        &["update", "Caju", "-1", "--reason", "venda"],
        &["update", "Maca", "-2", "--reason", "perda"],
        &["update", "Pera", "-15", "--reason", "venda"],
        &["undo", "10"],
    ] {
        let ended = server.run(args);
        assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
    }
    server
}

#[tokio::test]
async fn totals_over_grpc() {
    let server = shop();
    let address = format!("http://127.0.0.1:{}", server.port);
    let mut client = InventoryServiceClient::connect(address).await.unwrap();
    let mut totals = async |request: SummarizeMovementsRequest| {
        let response = client.summarize_movements(request).await.unwrap().into_inner();
        let row = |it: &hortifruti::wire::grpc::v1::Summary| {
            (it.group.clone(), it.movement_count, it.quantity_thousandths, it.amount_centavos)
        };
        response.summaries.iter().map(row).collect::<Vec<_>>()
    };
    let row = |group: &str, count, quantity, amount| (group.to_owned(), count, quantity, amount);
    let by = |group: SummaryGroup, kind: MovementKind| SummarizeMovementsRequest {
        group_by: group.into(),
        kind: kind.into(),
        ..Default::default()
    };
    // Sales are of pieces and kilograms, and the undone one is not among them.
    let expected = [
        row("abertura", 5, 0, 6_000 + 7_500 + 30_000 + 12_000 + 5_990),
        row("venda", 3, 0, 4_000 + 210 + 200),
        row("perda", 1, -2_000, 600),
    ];
    assert_eq!(totals(SummarizeMovementsRequest::default()).await, expected);
    assert_eq!(totals(by(SummaryGroup::Kind, MovementKind::Waste)).await, expected[2..]);
    assert_eq!(
        totals(by(SummaryGroup::Product, MovementKind::Sale)).await,
        [row("Caju", 2, -21_000, 4_200), row("Uva", 1, -350, 210)]
    );
    assert_eq!(totals(by(SummaryGroup::Kind, MovementKind::Count)).await, []);
    let mut days = by(SummaryGroup::Day, MovementKind::Waste);
    days.time_zone = "UTC".to_owned();
    let found = totals(days).await;
    let is_a_day = found[0].0.len() == "2026-11-29".len() && found[0].0.starts_with("20");
    assert!(found.len() == 1 && is_a_day && found[0].1 == 1, "{found:?}");
    let past = Some(prost_types::Timestamp { seconds: 86_400, nanos: 0 });
    let before = SummarizeMovementsRequest { end_time: past, ..Default::default() };
    assert_eq!(totals(before).await, []);
    for (field, request) in [
        (
            "time_zone",
            SummarizeMovementsRequest { time_zone: "Lua/Cratera".to_owned(), ..Default::default() },
        ),
        ("group_by", SummarizeMovementsRequest { group_by: 99, ..Default::default() }),
        ("kind", SummarizeMovementsRequest { kind: 99, ..Default::default() }),
    ] {
        let status = client.summarize_movements(request).await.unwrap_err();
        let info = status.get_details_error_info().unwrap();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(info.metadata.get("field").map(String::as_str), Some(field));
    }
}

#[test]
fn the_one_shot_and_its_formats() {
    let server = shop();
    let out = |args: &[&str]| {
        let ended = server.run(&[&["report"], args].concat());
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{args:?}");
        ended.out
    };
    let without_title = |text: String| text.split_once('\n').unwrap().1.to_owned();
    assert_eq!(
        without_title(out(&["day"])),
        "\
Do período          Documentos  Valor (R$)  Custo (R$)  % das vendas
Vendas                       3       44,10
Compras                      0        0,00
Perdas                       1        6,00   sem custo          13,6
Sobras de contagem           0        0,00
Faltas de contagem           0        0,00
Aberturas                    5      614,90
Custo das vendas                 sem custo
Margem                           sem custo
Margem após perdas               sem custo
"
    );
    assert!(out(&["day"]).starts_with("Fechamento de "));
    let sales = "produto,movimentos,quantidade,unidade,valor,parte,custo,margem\n\
                 Caju,2,21,un,42.00,95.2,,\nUva,1,0.35,kg,2.10,4.8,,\n";
    assert_eq!(out(&["sales", "--format", "csv"]), sales);
    let rows = |args: &[&str]| out(args).lines().count();
    assert_eq!(rows(&["sales", "--by", "motivo", "--since", "hoje", "--format", "csv"]), 2);
    assert_eq!(rows(&["day", "--by", "dia", "--since", "ontem", "--format", "ndjson"]), 3);
    assert_eq!(rows(&["products", "--kind", "venda", "--format", "csv"]), 3);
    let json: Value = serde_json::from_str(&out(&["losses", "--format", "json"])).unwrap();
    assert_eq!(json["rows"][0]["product"], "Maca");
    assert_eq!(json["rows"][0]["amount_centavos"], 600);
    assert_eq!(json["rows"][0]["of_sales_percent"], 13.6);
    assert_eq!(
        without_title(out(&["losses"])),
        "\
Produto  Movimentos  Quantidade  Un  Custo (R$)  Venda (R$)  % das vendas
Maca              1           2  un   sem custo        6,00          13,6  ████████████
Total             1                   sem custo        6,00          13,6
Vendas do período: R$ 44,10.
"
    );
    assert_eq!(
        without_title(out(&["losses", "--until", "ontem"])),
        "Nenhuma perda.\nVendas do período: R$ 0,00.\n"
    );
    for (args, code) in [
        (&["report"][..], 2),
        (&["report", "lua"], 2),
        (&["report", "day", "--socket"], 5),
        (&["report", "abc", "--by", "author"], 2),
        (&["report", "day", "--time-zone", "Lua/Cratera"], 2),
        (&["report", "day", "--since", "amanhã"], 2),
    ] {
        assert_eq!(server.run(args).code, code, "{args:?}");
    }
}

#[test]
fn examples_that_were_cleared_are_not_in_the_closing() {
    let server = Server::start(&[]);
    let lines = |name: &str| {
        let closing = server.run(&["report", "day", "--format", "csv"]).out;
        closing.lines().filter(|line| line.starts_with(name)).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines("Aberturas"), ["Aberturas,4,555.00,,"]);
    let backup = |name: &str| server.run(&["backup", name]).out.lines().nth(1).unwrap().to_owned();
    assert_eq!(backup("antes.db"), "Produtos: 4");
    assert_eq!(server.run(&["product", "clear-examples"]).code, 0);
    // Products without stock open with nothing.
    std::fs::write(server.path().join("precos.csv"), "nome;preco;unidade\nUva;8,90;kg\nFigo;5,50;un\n")
        .unwrap();
    assert_eq!(server.run(&["import", "precos.csv"]).code, 0);
    assert_eq!(lines("Aberturas"), [""; 0]);
    assert_eq!(backup("depois.db"), "Produtos: 6, 4 deles aposentados");
    assert_eq!(server.run(&["product", "restore", "Pera (exemplo)"]).code, 0);
    for name in ["Maca (exemplo)", "Banana (exemplo)"] {
        assert_eq!(server.run(&["product", "restore", name]).code, 0);
    }
    assert_eq!(backup("outra.db"), "Produtos: 6, 1 deles aposentado");
    // One count finds too much of one product and too little of two.
    std::fs::write(server.path().join("estoque.csv"), "nome;preco;estoque;unidade\nKiwi;1;5;un\n").unwrap();
    assert_eq!(server.run(&["import", "estoque.csv"]).code, 0);
    for counted in ["Uva;2\nKiwi;3\n", "Figo;4\n", "Figo;6\n"] {
        std::fs::write(server.path().join("contagem.csv"), format!("nome;contado\n{counted}")).unwrap();
        assert_eq!(server.run(&["count", "contagem.csv"]).code, 0, "{counted}");
    }
    assert_eq!(lines("Sobras"), ["Sobras de contagem,3,50.80,,"]);
    assert_eq!(lines("Faltas"), ["Faltas de contagem,1,2.00,,"]);
    assert_eq!(lines("Aberturas"), ["Aberturas,1,5.00,,"]);
}

#[test]
fn purchases_without_a_total_are_named() {
    let server = Server::start(&[]);
    let told = |report: &str| server.run(&["report", report]).out;
    assert_eq!(server.run(&["buy", "10", "Caju", "--total", "8"]).code, 0);
    for report in ["day", "purchases"] {
        assert!(!told(report).contains("sem o total pago"), "{report}");
    }
    assert_eq!(server.run(&["buy", "10", "Pera", "--yes"]).code, 0);
    for report in ["day", "purchases"] {
        assert!(told(report).contains("Compras de R$ 50,00 são sem o total pago"), "{}", told(report));
    }
}

#[test]
fn a_report_of_many_products_comes_whole() {
    let server = Server::start(&["--empty"]);
    let rows: String = (1..=1500).map(|number| format!("Produto {number},1.0,{number},un\n")).collect();
    std::fs::write(server.path().join("muitos.csv"), format!("nome,preco,estoque,unidade\n{rows}")).unwrap();
    assert_eq!(server.run(&["import", "muitos.csv"]).code, 0);
    let told = server.run(&["report", "products", "--format", "csv"]).out;
    let expected: String =
        (1..=1500).map(|number| format!("Produto {number},abertura,1,{number},un,{number}.00,\n")).collect();
    assert_eq!(told, format!("grupo,motivo,movimentos,quantidade,unidade,valor,custo\n{expected}"));
}

#[tokio::test]
async fn what_expires_who_sold_it_and_what_to_buy() {
    let server = Server::start(&[]);
    let address = format!("http://127.0.0.1:{}", server.port);
    let mut client = InventoryServiceClient::connect(address).await.unwrap();
    let adjusted = |name: &str, thousandths, kind: MovementKind| AdjustStockRequest {
        name: name.to_owned(),
        delta_thousandths: thousandths,
        kind: kind.into(),
        ..Default::default()
    };
    let purchase = PurchaseDetails {
        supplier: "Sítio do Zé".to_owned(),
        lot: "L-77".to_owned(),
        expires_on: today().to_string(),
        ..Default::default()
    };
    let bought = AdjustStockRequest {
        amount_centavos: Some(12_000),
        purchase: Some(purchase.into()),
        note: "2cx=40un".to_owned(),
        ..adjusted("Banana", 40_000, MovementKind::Purchase)
    };
    client.adjust_stock(bought).await.unwrap();
    client.adjust_stock(adjusted("Banana", -60_000, MovementKind::Sale)).await.unwrap();

    let out = |args: &[&str]| {
        let ended = server.run(&[&["report"], args].concat());
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{args:?}");
        ended.out
    };
    let json = |args: &[&str]| -> Value {
        serde_json::from_str(&out(&[args, &["--format", "json"]].concat())).unwrap()
    };
    // The opening stock of 30 had no cost, and the rest of 10 is of the purchase.
    let expiring = &json(&["expiring", "--days", "0"])["rows"][0];
    assert_eq!((&expiring["product"], &expiring["days_left"]), (&"Banana".into(), &0.into()));
    assert_eq!(
        (&expiring["left_thousandths"], &expiring["amount_centavos"]),
        (&10_000.into(), &10_000.into())
    );
    assert_eq!(expiring["cost_centavos"], 3_000);
    let traced = &json(&["trace", "ze", "SITIO"])["rows"][0];
    assert_eq!((&traced["lot"], &traced["bought_thousandths"]), (&"L-77".into(), &40_000.into()));
    assert_eq!((&traced["left_thousandths"], &traced["amount_centavos"]), (&10_000.into(), &12_000.into()));
    assert_eq!(json(&["trace", "l-78"])["rows"].as_array().map(Vec::len), Some(0));
    let low = &json(&["low", "--days", "1"])["rows"][0];
    // A day sells 60, of which 10 are there, and a box holds 20.
    assert_eq!(
        (&low["daily_sales_thousandths"], &low["to_buy_thousandths"]),
        (&60_000.into(), &60_000.into())
    );
    assert_eq!((&low["boxes"], &low["basis"]), (&3.into(), &"vendas".into()));
    assert!(out(&["low"]).contains("Nada está acabando."));
    for args in [
        &["expiring", "--days", "3651"][..],
        &["low", "--days", "366"],
        &["low", "--since", "hoje"],
        &["trace"],
        &["trace", " "],
        &["sales", "Caju"],
        &["sales", "--days", "3"],
        &["expiring", "--by", "day"],
        &["expiring", "--time-zone", "Lua/Cratera"],
    ] {
        assert_eq!(server.run(&[&["report"], args].concat()).code, 2, "{args:?}");
    }
    for days in [-1, 366] {
        let refused = client.list_low_stock(ListLowStockRequest { days }).await.unwrap_err();
        assert!(refused.message().contains("de 0 a 365 dias"), "{refused}");
    }
    let mut asked = TracePurchasesRequest { words: "ze".to_owned(), page_size: -1, ..Default::default() };
    let refused = client.trace_purchases(asked.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    asked = TracePurchasesRequest { page_size: 0, page_token: "x".to_owned(), ..asked };
    let refused = client.trace_purchases(asked).await.unwrap_err();
    let field = refused.get_details_error_info().unwrap().metadata.get("field").cloned();
    assert_eq!(field.as_deref(), Some("page_token"));
}
