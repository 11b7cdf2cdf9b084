//! Databases that earlier builds wrote are taken over as they are, and what was answered then
//! is answered so again.

use std::fs;

use hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient;
use hortifruti::wire::grpc::v1::{
    AdjustStockRequest, BatchAdjustStockRequest, ImportProductsRequest, ImportProductsResponse, ProductDraft,
};

use crate::support::{Ended, Server, hortifruti, list, run};

/// One database of each earlier schema. The build of the commit named beside it made it from
/// nothing, over its own protocols, with the changes of [`ANSWERED`], two imports and, from
/// schema 2 on, a batch (before it, changes that come to the same), and was stopped with SIGTERM.
const WRITTEN: [(i32, &str, Verified); 4] = [
    // 81690ab
    (1, "esquema-1.db", Verified { movements: 16, request_ids: 7 }),
    // 7e32e0f
    (2, "esquema-2.db", Verified { movements: 17, request_ids: 8 }),
    // 57761f5
    (3, "esquema-3.db", Verified { movements: 17, request_ids: 8 }),
    // c6d3862
    (4, "esquema-4.db", Verified { movements: 17, request_ids: 8 }),
];

/// What `hortifruti verify` counts.
struct Verified {
    movements: u32,
    request_ids: u32,
}

impl Verified {
    /// What it says after some more changes with an id.
    fn told(&self, more: u32) -> Ended {
        let out = format!(
            "hortifruti.db está íntegro.\nProdutos: 8\nMovimentos: {}\nIdentificadores de pedido: {}\n",
            self.movements + more,
            self.request_ids + more,
        );
        Ended { code: 0, out, err: String::new() }
    }
}

/// The changes with an id, and what the earlier build answered. The third went over gRPC, the
/// fourth came after the first import, the last after the batch.
const ANSWERED: [(&str, &str); 5] = [
    ("3 Caju -20 id=venda-1 motivo=venda", "Caju: R$2.0, Estoque: 40"),
    ("3 Pera -15 id=venda-2 motivo=venda", "Pera: R$5.0, Estoque: 0"),
    ("3 Banana 2 id=compra-1 motivo=compra", "Banana: R$10.0, Estoque: 32"),
    (
        "3 alho nacional tipo 5 -0,350 id=venda-3 motivo=venda",
        "ALHO NACIONAL TIPO 5: R$16.41, Estoque: 41.65",
    ),
    ("3 Caju 5 id=compra-2 motivo=compra", "Caju: R$2.0, Estoque: 41"),
];

/// What was imported: some of the market's list, with prices in centavos and stocks in
/// thousandths.
const IMPORTED: [(&str, i64, &str, i64); 4] = [
    ("ALHO DESCASCADO", 1717, "kg", 5000),
    ("ALHO NACIONAL TIPO 5", 1641, "kg", 42_000),
    ("BATATA ASTERIX", 545, "kg", 190_000),
    ("OVO BRANCO GRANDE", 610, "dz", 1000),
];

/// What the second import put on each price, in centavos.
const RISE: i64 = 10;

/// The changes of the batch, in thousandths, and the balance and the sequence that each got.
const BATCH: [(&str, i64, i64, i64); 3] =
    [("Caju", -1000, 39_000, 14), ("Maca", -2000, 11_000, 15), ("Caju", -3000, 36_000, 16)];

/// What the earlier build listed last.
const LISTED: &str = "Maca: R$3.0, Estoque: 11\n\
    Pera: R$5.0, Estoque: 0\n\
    Banana: R$10.0, Estoque: 32\n\
    Caju: R$2.0, Estoque: 41\n\
    ALHO DESCASCADO: R$17.27, Estoque: 5\n\
    ALHO NACIONAL TIPO 5: R$16.51, Estoque: 41.65\n\
    BATATA ASTERIX: R$5.55, Estoque: 190\n\
    OVO BRANCO GRANDE: R$6.2, Estoque: 1";

fn import(request_id: &str, rise: i64) -> ImportProductsRequest {
    let products = IMPORTED.map(|(name, price, unit, stock)| ProductDraft {
        name: name.to_owned(),
        price_centavos: price + rise,
        unit: unit.to_owned(),
        opening_stock_thousandths: stock,
    });
    ImportProductsRequest { products: products.to_vec(), dry_run: false, request_id: request_id.to_owned() }
}

fn batch() -> BatchAdjustStockRequest {
    let adjustments = BATCH.map(|(name, delta_thousandths, ..)| AdjustStockRequest {
        name: name.to_owned(),
        delta_thousandths,
        ..AdjustStockRequest::default()
    });
    BatchAdjustStockRequest { adjustments: adjustments.to_vec(), request_id: "lote-1".to_owned() }
}

/// Repeats all that was answered under an id, and looks at the rest.
async fn answers_as_the_earlier_build_did(server: &Server, version: i32) {
    let mut text = server.connect();
    assert_eq!(text.ask("4"), LISTED, "schema {version}");
    for (asked, answer) in ANSWERED {
        assert_eq!(text.ask(asked), answer, "schema {version}: {asked}");
    }
    let other = text.ask("3 Caju -19 id=venda-1 motivo=venda");
    assert!(other.starts_with("Erro REQUEST_ID_REUSED: "), "schema {version}: {other}");
    let mut client =
        InventoryServiceClient::connect(format!("http://127.0.0.1:{}", server.port)).await.unwrap();
    for (request, created_count, updated_count) in
        [(import("lista-1", 0), 4, 0), (import("lista-2", RISE), 0, 4)]
    {
        let answer = client.import_products(request).await.unwrap().into_inner();
        let expected = ImportProductsResponse { created_count, updated_count, unchanged_count: 0 };
        assert_eq!(answer, expected, "schema {version}");
    }
    if version >= 2 {
        let answer = client.batch_adjust_stock(batch()).await.unwrap().into_inner();
        let made = answer.results.into_iter().map(|result| result.movement.unwrap());
        let made: Vec<_> = made.map(|movement| (movement.balance_thousandths, movement.sequence)).collect();
        assert_eq!(made, BATCH.map(|(.., balance, sequence)| (balance, sequence)), "schema {version}");
    }
    assert_eq!(text.ask("4"), LISTED, "schema {version}: a repeated change was made again");
}

/// With the runtime its connections end, which the server would wait for.
fn block_on(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future);
}

#[test]
fn a_shop_of_an_earlier_build_goes_on_in_this_one() {
    for (version, written, verified) in WRITTEN {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("hortifruti.db");
        let bytes = fs::read(list(written)).unwrap();
        fs::write(&data, &bytes).unwrap();

        let untouched = run(hortifruti(folder.path()).arg("verify"), "");
        let why = format!("é de uma versão anterior (esquema {version}); inicie um servidor com ele");
        assert!(untouched.code == 1 && untouched.err.contains(&why), "{untouched:?}");
        assert_eq!(fs::read(&data).unwrap(), bytes, "schema {version}: verify changed it");

        let mut server = Server::start_in(folder, &[]);
        block_on(answers_as_the_earlier_build_did(&server, version));
        assert_eq!(server.run(&["verify"]), verified.told(0), "schema {version}");
        server.stop();
        assert_eq!(server.run(&["verify"]), verified.told(0), "schema {version}");

        // What it became is opened as any other, and takes changes.
        server.restart();
        block_on(answers_as_the_earlier_build_did(&server, version));
        assert_eq!(server.connect().ask("3 caju -1 id=venda-4"), "Caju: R$2.0, Estoque: 40");
        server.stop();
        assert_eq!(server.run(&["verify"]), verified.told(1), "schema {version}");
    }
}
