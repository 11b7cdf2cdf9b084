//! Shops: one with two weeks behind it, for pictures and for what is measured on a page that is full.

use std::fmt::Write;

use hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient;
use hortifruti::wire::grpc::v1::{self, LossReason, MovementKind};
use rusqlite::Connection as Database;
use tonic::Code;

use crate::support::Server;

/// Sets terms of products, each by the arguments of `product set`.
pub(super) fn set_products(server: &Server, products: &[&[&str]]) {
    for set in products {
        let ended = server.run(&[&["product", "set"], *set].concat());
        assert_eq!(ended.code, 0, "{ended:?}");
    }
}

/// Name, price in reais, unit, category, code, and the quantity that is bought every day.
const PRODUCTS: [(&str, &str, &str, &str, u32, u32); 28] = [
    ("Tomate Italiano", "8,90", "kg", "Legumes", 101, 22),
    ("Tomate Cereja", "6,50", "bandeja", "Legumes", 102, 8),
    ("Batata Lavada", "5,50", "kg", "Legumes", 103, 30),
    ("Cebola", "4,90", "kg", "Legumes", 104, 18),
    ("Alho Nacional", "28,90", "kg", "Legumes", 105, 3),
    ("Cenoura", "4,50", "kg", "Legumes", 106, 14),
    ("Abobrinha Brasileira", "5,20", "kg", "Legumes", 107, 9),
    ("Pimentão Verde", "7,80", "kg", "Legumes", 108, 5),
    ("Pepino Japonês", "6,20", "kg", "Legumes", 109, 6),
    ("Mandioca Descascada", "7,50", "kg", "Legumes", 110, 10),
    ("Banana Nanica", "5,90", "kg", "Frutas", 201, 26),
    ("Banana Prata", "7,90", "kg", "Frutas", 202, 20),
    ("Maçã Gala", "9,90", "kg", "Frutas", 203, 14),
    ("Laranja Pera", "3,90", "kg", "Frutas", 204, 35),
    ("Mamão Formosa", "6,90", "kg", "Frutas", 205, 16),
    ("Manga Palmer", "7,20", "kg", "Frutas", 206, 12),
    ("Abacaxi Pérola", "6,50", "un", "Frutas", 207, 9),
    ("Limão Taiti", "4,20", "kg", "Frutas", 208, 10),
    ("Melancia", "2,90", "kg", "Frutas", 209, 40),
    ("Uva Vitória", "9,80", "bandeja", "Frutas", 210, 8),
    ("Morango", "12,00", "bandeja", "Frutas", 211, 7),
    ("Alface Crespa", "3,50", "un", "Verduras", 301, 24),
    ("Rúcula", "3,90", "maço", "Verduras", 302, 12),
    ("Couve Manteiga", "3,50", "maço", "Verduras", 303, 14),
    ("Coentro", "2,50", "maço", "Verduras", 304, 16),
    ("Cheiro-Verde", "2,50", "maço", "Verduras", 305, 18),
    ("Brócolis Ninja", "8,50", "un", "Verduras", 306, 8),
    ("Ovos Caipira", "16,90", "dz", "Mercearia", 401, 10),
];

const SUPPLIERS: [&str; 3] = ["Sítio Boa Vista", "CEAGESP", "Chácara São José"];
const DAYS: i64 = 14;
const SALES_A_DAY: usize = 24;
const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;
const HOUR_MICROS: i64 = 60 * 60 * 1_000_000;

/// Starts the shop: days of purchases, sales and losses, the last of them today.
pub(super) fn with_history() -> Server {
    let mut server = Server::start(&["--empty", "--label", "21CCCCCPPPPPD"]);
    let mut list = "nome,preco,estoque,unidade\n".to_owned();
    for (name, price, unit, ..) in PRODUCTS {
        writeln!(list, "{name},\"{price}\",0,{unit}").unwrap();
    }
    std::fs::write(server.path().join("lista.csv"), list).unwrap();
    succeed(&server, &["import", "lista.csv"]);
    for (name, _, _, category, code, daily) in PRODUCTS {
        let (minimum, target) = ((daily / 2).to_string(), (daily * 2).to_string());
        let code = code.to_string();
        let terms = ["--code", &code, "--category", category, "--minimum", &minimum, "--target", &target];
        succeed(&server, &[&["product", "set", name], &terms[..]].concat());
    }
    let mut days = vec![movements(&server)];
    let mut random = fastrand::Rng::with_seed(23);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let address = format!("http://localhost:{}", server.port);
        let mut client = InventoryServiceClient::connect(address).await.unwrap();
        for day in 0..=DAYS {
            for adjustments in documents(&mut random, day) {
                let batch = v1::BatchAdjustStockRequest { adjustments, ..Default::default() };
                // What is sold out is sold no more.
                if let Err(refused) = client.batch_adjust_stock(batch).await {
                    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");
                }
            }
            days.push(movements(&server));
        }
    });
    server.stop();
    spread(&server, &days);
    server.restart();
    for bought in [["30", "Alface Crespa"], ["20", "Coentro"], ["12", "Ovos Caipira"]] {
        let details = ["--total", "45,00", "--supplier", SUPPLIERS[0], "--expires", "amanhã", "--yes"];
        succeed(&server, &[&["buy"], &bought[..], &details].concat());
    }
    succeed(&server, &["sell", "1,2kg", "Tomate Italiano", "3", "Alface Crespa", "0,84kg", "Maçã Gala"]);
    succeed(&server, &["sell", "2", "Coentro", "1", "Ovos Caipira"]);
    server
}

/// The purchases, sales and losses of a day.
fn documents(random: &mut fastrand::Rng, day: i64) -> Vec<Vec<v1::AdjustStockRequest>> {
    let mut documents = vec![Vec::new(); SUPPLIERS.len()];
    for (at, (name, price, _, _, _, daily)) in PRODUCTS.into_iter().enumerate() {
        // A shop buys again what it has sold, and not everything every day.
        if day > 0 && random.u32(0..8) != 0 {
            continue;
        }
        let bought = i64::from(if day == 0 { daily * 2 } else { daily });
        let price: i64 = price.replace(',', "").parse().unwrap();
        let supplier = at % SUPPLIERS.len();
        documents[supplier].push(v1::AdjustStockRequest {
            amount_centavos: Some(price * bought * random.i64(50..68) / 100),
            purchase: Some(Box::new(v1::PurchaseDetails {
                supplier: SUPPLIERS[supplier].into(),
                ..Default::default()
            })),
            ..change(name, bought * 1_000, MovementKind::Purchase)
        });
    }
    for _ in 0..SALES_A_DAY * if day % 7 == 5 { 2 } else { 1 } {
        let mut sold = Vec::new();
        for _ in 0..random.u32(1..=3) {
            let (name, _, unit, _, _, daily) = PRODUCTS[random.usize(..PRODUCTS.len())];
            let most = i64::from(daily) * 120;
            let sold_thousandths =
                if unit == "kg" { random.i64(50..=most) } else { random.i64(1..=3) * 1_000 };
            sold.push(change(name, -sold_thousandths, MovementKind::Sale));
        }
        documents.push(sold);
    }
    for (name, reason) in [
        ("Alface Crespa", LossReason::Expired),
        ("Morango", LossReason::Overripe),
        ("Mamão Formosa", LossReason::Damaged),
        ("Rúcula", LossReason::Donated),
    ] {
        if random.bool() {
            let lost = v1::AdjustStockRequest {
                loss_reason: reason.into(),
                ..change(name, -1_000, MovementKind::Waste)
            };
            documents.push(vec![lost]);
        }
    }
    documents.retain(|document| !document.is_empty());
    documents
}

fn change(name: &str, delta_thousandths: i64, kind: MovementKind) -> v1::AdjustStockRequest {
    v1::AdjustStockRequest { name: name.into(), delta_thousandths, kind: kind.into(), ..Default::default() }
}

fn succeed(server: &Server, args: &[&str]) {
    let ended = server.run(args);
    assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
}

/// The number of movements so far.
fn movements(server: &Server) -> i64 {
    let database = Database::open(server.path().join("hortifruti.db")).unwrap();
    database
        .query_row("SELECT max(sequence) FROM movement", [], |row| row.get::<_, Option<i64>>(0))
        .unwrap()
        .unwrap_or(0)
}

/// Gives the movements of each day times of its own, in their order: hours from seven in the morning, as many days
/// ago as the day is far from the last.
fn spread(server: &Server, days: &[i64]) {
    let database = Database::open(server.path().join("hortifruti.db")).unwrap();
    let last = "SELECT max(recorded_at_micros) FROM movement";
    let now: i64 = database.query_row(last, [], |row| row.get(0)).unwrap();
    let update = "UPDATE movement SET recorded_at_micros = ?3 + (sequence - ?1) * ?4 WHERE sequence > ?1 AND sequence <= ?2";
    for (day, pair) in (0..DAYS).zip(days.windows(2)) {
        let morning = now - (DAYS - day) * DAY_MICROS;
        let step = 10 * HOUR_MICROS / (pair[1] - pair[0] + 1);
        database.execute(update, [pair[0], pair[1], morning, step]).unwrap();
    }
}
