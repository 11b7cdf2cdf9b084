//! What a movement keeps beside its quantity: its cost, the reason of a loss, a note, and where bought produce
//! comes from; and the cost of the stock.

use tonic::Code;
use tonic::transport::Channel;
use tonic_types::StatusExt;

use hortifruti::wire::grpc::v1;
use hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient;
use hortifruti::wire::grpc::v1::{
    AdjustStockRequest, GetProductRequest, ListMovementsRequest, LossReason, Movement, MovementKind,
    PurchaseDetails,
};

use crate::support::zone::offset;
use crate::support::{Server, hortifruti, run};

async fn connect(server: &Server) -> InventoryServiceClient<Channel> {
    InventoryServiceClient::connect(format!("http://127.0.0.1:{}", server.port)).await.unwrap()
}

fn change(kind: MovementKind, units: i64) -> AdjustStockRequest {
    let (name, delta_thousandths) = ("Caju".to_owned(), units * 1000);
    AdjustStockRequest { name, delta_thousandths, kind: kind.into(), ..Default::default() }
}

fn bought(units: i64, total: i64) -> AdjustStockRequest {
    let purchase = PurchaseDetails {
        supplier: "Sítio do Zé".into(),
        lot: "L-7".into(),
        expires_on: "2026-12-05".into(),
        ..Default::default()
    };
    AdjustStockRequest {
        amount_centavos: Some(total),
        note: "20cx=440kg".into(),
        purchase: Some(purchase.into()),
        ..change(MovementKind::Purchase, units)
    }
}

async fn made(client: &mut InventoryServiceClient<Channel>, request: AdjustStockRequest) -> Movement {
    client.adjust_stock(request).await.unwrap().into_inner().movement.unwrap()
}

async fn stock_cost(client: &mut InventoryServiceClient<Channel>) -> Option<i64> {
    let request = GetProductRequest { name: "caju".into() };
    client.get_product(request).await.unwrap().into_inner().product.unwrap().stock_cost_centavos
}

#[tokio::test]
async fn a_stock_keeps_its_cost_over_a_crash() {
    let mut server = Server::start(&[]);
    let mut client = connect(&server).await;
    assert_eq!(stock_cost(&mut client).await, None);
    // Sixty of unknown cost get the price of those that are bought.
    assert_eq!(made(&mut client, bought(20, 3000)).await.cost_centavos, Some(12_000));
    let sold = made(&mut client, change(MovementKind::Sale, -7)).await;
    assert_eq!((sold.cost_centavos, sold.amount_centavos), (Some(-1050), 1400));
    let lost = AdjustStockRequest {
        loss_reason: LossReason::Overripe.into(),
        note: "caiu da caixa".into(),
        ..change(MovementKind::Waste, -3)
    };
    let lost = made(&mut client, lost).await;
    assert_eq!((lost.cost_centavos, lost.loss_reason()), (Some(-450), LossReason::Overripe));
    assert_eq!(stock_cost(&mut client).await, Some(10_500));
    let undo = v1::UndoMovementRequest { sequence: 5, note: "nota errada".into(), ..Default::default() };
    let undone = client.undo_movement(undo).await.unwrap().into_inner().results.remove(0).movement.unwrap();
    assert_eq!((undone.cost_centavos, undone.amount_centavos, undone.undoes), (Some(-10_500), 3000, 5));
    assert_eq!((undone.note.as_str(), undone.purchase), ("nota errada", None));
    // The purchase gave the stock its cost.
    assert_eq!(stock_cost(&mut client).await, None);
    let given = made(&mut client, bought(1, 0)).await;
    assert_eq!((given.cost_centavos, given.amount_centavos), (Some(0), 0));
    let whole = client.list_movements(ListMovementsRequest::default()).await.unwrap().into_inner().movements;
    assert_eq!(whole[0], given);
    let purchase = whole[0].purchase.as_ref().unwrap();
    assert_eq!((purchase.supplier.as_str(), purchase.lot.as_str()), ("Sítio do Zé", "L-7"));
    assert_eq!((purchase.expires_on.as_str(), whole[0].note.as_str()), ("2026-12-05", "20cx=440kg"));
    server.kill();
    server.restart();
    let mut client = connect(&server).await;
    assert_eq!(stock_cost(&mut client).await, Some(0));
    let again = client.list_movements(ListMovementsRequest::default()).await.unwrap().into_inner().movements;
    assert_eq!(again, whole);
    server.stop();
    let verified = run(hortifruti(server.path()).arg("verify"), "");
    assert_eq!(verified.code, 0, "{verified:?}");
}

#[tokio::test]
async fn a_retry_has_the_same_details() {
    let server = Server::start(&[]);
    let mut client = connect(&server).await;
    let request = AdjustStockRequest { request_id: "compra-1".into(), ..bought(20, 3000) };
    let first = client.adjust_stock(request.clone()).await.unwrap().into_inner();
    client.adjust_stock(change(MovementKind::Sale, -1)).await.unwrap();
    assert_eq!(client.adjust_stock(request.clone()).await.unwrap().into_inner(), first);
    let purchase = request.purchase.clone().unwrap();
    for other in [
        AdjustStockRequest { amount_centavos: Some(3001), ..request.clone() },
        AdjustStockRequest { amount_centavos: None, ..request.clone() },
        AdjustStockRequest { note: String::new(), ..request.clone() },
        AdjustStockRequest { purchase: None, ..request.clone() },
        AdjustStockRequest {
            purchase: Some(PurchaseDetails { lot: "L-8".into(), ..*purchase }.into()),
            ..request.clone()
        },
    ] {
        let status = client.adjust_stock(other).await.unwrap_err();
        assert_eq!(status.get_details_error_info().unwrap().reason, "REQUEST_ID_REUSED");
    }
    // A batch is compared by its digest.
    let batch = |note: &str| v1::BatchAdjustStockRequest {
        adjustments: vec![AdjustStockRequest { note: note.into(), ..bought(1, 100) }],
        request_id: "lote-1".into(),
    };
    let first = client.batch_adjust_stock(batch("")).await.unwrap().into_inner();
    assert_eq!(client.batch_adjust_stock(batch("")).await.unwrap().into_inner(), first);
    let status = client.batch_adjust_stock(batch("outra")).await.unwrap_err();
    assert_eq!(status.get_details_error_info().unwrap().reason, "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn wrong_details_are_refused_with_their_field() {
    let server = Server::start(&[]);
    let mut client = connect(&server).await;
    let of =
        |purchase: PurchaseDetails| AdjustStockRequest { purchase: Some(purchase.into()), ..bought(1, 100) };
    let (sale, waste) = (change(MovementKind::Sale, -1), change(MovementKind::Waste, -1));
    let none = PurchaseDetails::default;
    for (field, words, request) in [
        ("loss_reason", "causa de número 10", AdjustStockRequest { loss_reason: 10, ..waste.clone() }),
        ("loss_reason", "só existe em perda", AdjustStockRequest { loss_reason: 1, ..sale.clone() }),
        (
            "amount_centavos",
            "só existe em compra e venda",
            AdjustStockRequest { amount_centavos: Some(1), ..waste },
        ),
        ("amount_centavos", "-1 centavos", bought(1, -1)),
        ("amount_centavos", "1000000000001 centavos", bought(1, 1_000_000_000_001)),
        ("delta_thousandths", "3 Caju 5 motivo=compra", bought(-5, 100)),
        ("purchase", "só existem em compra", AdjustStockRequest { purchase: bought(1, 1).purchase, ..sale }),
        (
            "supplier",
            "300 caracteres; o limite é 64",
            of(PurchaseDetails { supplier: "x".repeat(300), ..none() }),
        ),
        ("lot", "41 caracteres; o limite é 40", of(PurchaseDetails { lot: "x".repeat(41), ..none() })),
        ("lot", "caractere de controle", of(PurchaseDetails { lot: "a\nb".into(), ..none() })),
        ("expires_on", "como 2026-12-05", of(PurchaseDetails { expires_on: "amanhã".into(), ..none() })),
        ("expires_on", "2026-02-30", of(PurchaseDetails { expires_on: "2026-02-30".into(), ..none() })),
        (
            "note",
            "201 caracteres; o limite é 200",
            AdjustStockRequest { note: "x".repeat(201), ..bought(1, 1) },
        ),
        ("note", "em branco", AdjustStockRequest { note: " ".into(), ..bought(1, 1) }),
    ] {
        let status = client.adjust_stock(request).await.unwrap_err();
        let info = status.get_details_error_info().unwrap();
        assert_eq!((status.code(), info.reason.as_str()), (Code::InvalidArgument, "INVALID_ARGUMENT"));
        assert_eq!(info.metadata.get("field").map(String::as_str), Some(field), "{}", status.message());
        let message = status.message();
        assert!(message.contains(words) && message.contains("Nada foi alterado"), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
    let too_dear = AdjustStockRequest { amount_centavos: Some(1_000_000_000_000), ..bought(1, 1) };
    let too_dear = AdjustStockRequest { delta_thousandths: 1_000, ..too_dear };
    // Sixty of unknown cost would cost as much each.
    client.adjust_stock(too_dear.clone()).await.unwrap();
    for _ in 0..39 {
        client.adjust_stock(too_dear.clone()).await.unwrap();
    }
    let status = client.adjust_stock(too_dear).await.unwrap_err();
    assert_eq!(
        (status.code(), status.get_details_error_info().unwrap().reason.as_str()),
        (Code::OutOfRange, "OUT_OF_RANGE")
    );
    assert_eq!(stock_cost(&mut client).await, Some(100_000_000_000_000));
}

#[test]
fn the_one_shots_keep_the_details() {
    let server = Server::start(&[]);
    let update = |args: &[&str]| server.run(&[&["update"], args].concat());
    let made = update(&[
        "Caju", "10", "--reason", "compra", "--total", "17,55", "--note", "feira", "--format", "json",
    ]);
    let json: serde_json::Value = serde_json::from_str(&made.out).unwrap();
    let movement = &json["movement"];
    assert_eq!(
        (movement["amount_centavos"].as_i64(), movement["note"].as_str()),
        (Some(1755), Some("feira"))
    );
    assert_eq!(movement["cost_centavos"].as_i64(), Some(1755 + 10_530));
    assert!(movement["recorded_at"].as_str().unwrap().ends_with(&offset()), "{json}");
    let lost = update(&["Caju", "-3", "--reason", "perda", "--cause", "Maduro"]);
    assert_eq!((lost.code, lost.out.as_str()), (0, "Caju: R$2.0, Estoque: 67\n"));
    let csv = server.run(&["history", "--limit", "2", "--format", "csv"]).out;
    let after_time = |row: &'_ str| row.split_once(&format!("{},", offset())).unwrap().1.to_owned();
    let rows: Vec<String> = csv.lines().skip(1).map(after_time).collect();
    assert_eq!(
        rows,
        ["perda,Caju,-3,67,6.0,-5.27,,maduro,,,,,", "compra,Caju,10,70,17.55,122.85,,,feira,,,,"]
    );
    let query = server.run(&["query", "Caju", "--format", "json"]).out;
    assert!(query.contains("\"stock_cost_centavos\":11758"), "{query}");
    for (args, words) in [
        (&["Caju", "-3", "--reason", "perda", "--cause", "sumiu"][..], "causa \"sumiu\" desconhecida"),
        (&["Caju", "3", "--total", "1"], "só existe em compra e venda"),
        (&["Caju", "3", "--reason", "compra", "--total", "-1"], "total inválido"),
        (&["Caju", "3", "--reason", "venda"], "a linha certa é 3 Caju -3 motivo=venda"),
    ] {
        let refused = update(args);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.err.contains(words), "{}", refused.err);
    }
    // The text protocol has no place for a note.
    let by_text = update(&["Caju", "3", "--note", "x", "--socket"]);
    assert!(by_text.code == 5 && by_text.err.contains("exige gRPC"), "{by_text:?}");
    assert_eq!(server.run(&["history", "--author", "balcao"]).out, "Nenhum movimento encontrado.\n");
    assert_eq!(server.run(&["history", "--author", "dois nomes"]).code, 2);
}
