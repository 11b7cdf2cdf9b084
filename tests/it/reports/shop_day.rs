//! A shop's day, played by one-shots, words of the shell, a keeper at a terminal, text and gRPC in turn. Every report, the stock and
//! its value are computed again from the movements.

use std::collections::BTreeMap;

use serde_json::Value;

use hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient;
use hortifruti::wire::grpc::v1::{
    AdjustStockRequest, BatchAdjustStockRequest, CountStockRequest, LossReason, MovementKind,
    PurchaseDetails, StockCount, UndoMovementRequest,
};

use super::recomputed::{Reports, check_all};
use crate::support::{Server, run};
use crate::terminal::Terminal;

const PRICES: &str = "nome;preco;unidade\nTomate Italiano;8,90;kg\nBatata Lavada;5,50;kg\n\
                      Maçã Gala;9,90;kg\nAlface Crespa;3,50;un\nCoentro;2,50;maço\n";

/// Each line is a command, which must succeed.
fn one_shots(server: &Server, lines: &str) {
    for line in lines.lines() {
        let args = shlex::split(line).unwrap();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let ended = server.run(&args);
        assert_eq!(ended.code, 0, "{line}: {ended:?}");
    }
}

/// Lines typed into a shell behind a pipe.
fn words(server: &Server, lines: &str) {
    let ended = run(&mut server.command(&["shell"]), lines);
    assert_eq!(ended.code, 0, "{lines}: {ended:?}");
}

/// A keeper at the counter, who types each answer when its question is there.
fn counter(server: &Server) {
    let before = history(server).len();
    let mut terminal = Terminal::open(server, &[], &[]);
    terminal.wait_for_prompt();
    for (typed, next) in [
        ("vender", "Item 1 (QTD NOME; Enter termina, - tira o último):"),
        ("2 7", "Item 2 (QTD NOME; Enter termina, - tira o último):"),
        ("0,455kg tom\t", "Item 3 (QTD NOME; Enter termina, - tira o último):"),
        ("7", "Item 4 (QTD NOME; Enter termina, - tira o último):"),
        ("-", "Item 3 (QTD NOME; Enter termina, - tira o último):"),
        ("", "Total R$ 10,41. Enter vende, n volta:"),
        ("", ""),
        ("perder 1,2 maçã gala extra", "Número ou palavra:"),
        ("3", ""),
        ("3", "Digite o nome do produto:"),
        ("batata lavada", "Digite a quantidade (negativa para retirar):"),
        ("-2,555", "Motivo: ajuste, venda, perda ou contagem (Enter: ajuste):"),
        ("venda", ""),
        ("contar", "Digite o nome do produto:"),
        ("7", "Digite a quantidade contada (Alface Crespa tem 28 un):"),
        ("27", ""),
        ("vender 3 7", ""),
        (
            "desfazer",
            "Digite o número do movimento a desfazer (Enter desfaz a última mudança: Alface Crespa: \u{2212}3 un · R$ 10,50 · restam 24 un · #51):",
        ),
        ("", ""),
        ("comprar 5kg tomate italiano total=22,51", ""),
    ] {
        terminal.send(&format!("{typed}\r"));
        match next {
            "" => {
                let shown = terminal.wait_for_prompt();
                assert!(!shown.contains("Erro: "), "{typed}: {shown}");
            }
            question => terminal.wait_for(question),
        }
    }
    terminal.send("sair\r");
    terminal.wait_for_end();
    assert_eq!(history(server).len() - before, 8, "{}", terminal.screen());
}

fn history(server: &Server) -> Vec<Value> {
    let history = server.run(&["history", "--limit", "1000", "--format", "json"]).out;
    serde_json::from_str(&history).unwrap()
}

fn text(server: &Server, lines: &str) {
    let mut connection = server.connect();
    for line in lines.lines() {
        let reply = connection.ask(line);
        assert!(!reply.starts_with("Erro"), "{line}: {reply}");
    }
}

fn adjustment(name: &str, thousandths: i64, kind: MovementKind) -> AdjustStockRequest {
    AdjustStockRequest {
        name: name.to_owned(),
        delta_thousandths: thousandths,
        kind: kind.into(),
        ..Default::default()
    }
}

async fn grpc(server: &Server) {
    let address = format!("http://127.0.0.1:{}", server.port);
    let mut client = InventoryServiceClient::connect(address).await.unwrap();
    let bought = AdjustStockRequest {
        amount_centavos: Some(7_333),
        purchase: Some(PurchaseDetails { supplier: "CEAGESP".to_owned(), ..Default::default() }.into()),
        ..adjustment("Batata Lavada", 17_300, MovementKind::Purchase)
    };
    client.adjust_stock(bought).await.unwrap();
    let adjustments = vec![
        adjustment("Batata Lavada", -3_333, MovementKind::Sale),
        adjustment("Coentro", -2_000, MovementKind::Sale),
    ];
    let sold = client
        .batch_adjust_stock(BatchAdjustStockRequest { adjustments, ..Default::default() })
        .await
        .unwrap();
    let lost = AdjustStockRequest {
        loss_reason: LossReason::Expired.into(),
        ..adjustment("Coentro", -1_000, MovementKind::Waste)
    };
    client.adjust_stock(lost).await.unwrap();
    let counts = [("Batata Lavada", 60_500), ("Coentro", 22_000)];
    let counts = counts.map(|(name, counted_thousandths)| StockCount {
        name: name.to_owned(),
        counted_thousandths,
        ..Default::default()
    });
    client.count_stock(CountStockRequest { counts: counts.to_vec(), ..Default::default() }).await.unwrap();
    let sequence = sold.into_inner().results[0].movement.as_ref().unwrap().sequence;
    client.undo_movement(UndoMovementRequest { sequence, ..Default::default() }).await.unwrap();
}

async fn play(server: &Server) {
    std::fs::write(server.path().join("precos.csv"), PRICES).unwrap();
    one_shots(
        server,
        "product clear-examples
import precos.csv
product set 'Alface Crespa' --code 7 --category verduras
buy 5cx=110kg 'Tomate Italiano' --total 495,01 --supplier 'Sítio Boa Vista' --lot 0512
buy 50kg 'Batata Lavada' --total 140,00 --supplier CEAGESP
product set 'Tomate Italiano' --margin 40
sell 2,355kg 'Tomate Italiano'",
    );
    words(
        server,
        "comprar 40 alface crespa total=59,99 fornecedor=Sítio Boa Vista validade=31/12/2099
comprar 36kg maçã gala total=198
preco Maçã Gala margem=45
vender 1,2kg tomate italiano; 3 7; 0,84kg maçã gala
perder 2 7 causa=maduro
vender 9 7
desfazer
",
    );
    text(
        server,
        "3 Coentro 24 motivo=compra total=23,99
3 Coentro -5 motivo=venda
3 Tomate Italiano -12.345 motivo=venda total=90
3 Tomate Italiano -1.4 motivo=perda causa=avaria
contar Maçã Gala 36",
    );
    grpc(server).await;
    one_shots(
        server,
        "product set 'Batata Lavada' --price 59 --yes
sell 2,5kg 'Batata Lavada'
product set 'Batata Lavada' --price 5,90 --yes
sell 1,5kg 'Tomate Italiano' 2 7
waste 1,111kg 'Maçã Gala' --cause peso
product rename 'Maçã Gala' 'Maçã Gala Extra'
count 'Tomate Italiano' 90,5",
    );
    words(server, "vender 1,5kg Maçã Gala Extra; 4 Coentro\ncontar 7 30\n");
    counter(server);
    // The last of a stock takes the rest of its value.
    text(server, "3 Coentro -20 motivo=venda\n3 7 -1 motivo=perda causa=furto");
}

/// The movements of each product add up to its stock, to the value of the stock, and to what `export` writes.
fn check_stocks(reports: &Reports) {
    let mut sums: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for movement in &reports.history {
        let sum = sums.entry(movement["product_name"].as_str().unwrap()).or_default();
        sum.0 += movement["delta_thousandths"].as_i64().unwrap();
        sum.1 += movement["cost_centavos"].as_i64().unwrap_or(0);
    }
    let products = reports.server.run(&["query", "--format", "json"]).out;
    let products: Vec<Value> = serde_json::from_str(&products).unwrap();
    let exported = reports.server.run(&["export"]).out;
    assert_eq!((products.len(), exported.lines().count()), (5, 6), "{exported}");
    for (product, row) in products.iter().zip(exported.lines().skip(1)) {
        let name = product["name"].as_str().unwrap();
        let (stock, value) = sums[name];
        assert_eq!(product["stock_thousandths"], stock, "{product}");
        assert_eq!(product["stock_cost_centavos"], value, "{product}");
        let fields: Vec<&str> = row.split(',').collect();
        let exported = (fields[2].parse::<f64>().unwrap() * 1000.0).round();
        assert_eq!((fields[0], exported), (name, stock as f64), "{row}");
    }
    assert_eq!(sums["Coentro"], (0, 0));
}

#[tokio::test]
async fn every_figure_of_a_day_is_the_sum_of_its_movements() {
    let server = Server::start(&[]);
    play(&server).await;
    let history = history(&server);
    for kind in ["venda", "compra", "perda", "contagem"] {
        assert!(history.iter().filter(|movement| movement["kind"] == kind).count() > 1, "{kind}");
    }
    assert!(history.iter().any(|movement| movement["undoes"].is_i64()));
    let reports = Reports { server, history };
    check_all(&reports);
    check_stocks(&reports);
    // Known without our reckoning: everything that was paid.
    let paid = 49_501 + 14_000 + 5_999 + 19_800 + 2_399 + 7_333 + 2_251;
    assert_eq!(reports.json(&["purchases"])["total"]["amount_centavos"], paid);
}
