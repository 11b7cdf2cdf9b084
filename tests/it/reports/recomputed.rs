//! Every report, computed a second time from the movements that `history --format json` shows.

use std::collections::BTreeMap;

use serde_json::Value;

use hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient;
use hortifruti::wire::grpc::v1::{
    AdjustStockRequest, BatchAdjustStockRequest, CountStockRequest, LossReason, MovementKind,
    PurchaseDetails, StockCount, UndoMovementRequest,
};

use crate::support::Server;

const PRODUCTS: [&str; 5] = ["Maca", "Pera", "Banana", "Caju", "Uva"];

/// A shop with some hundred changes of every kind, of known and of unknown cost, some undone.
async fn shop(seed: u64) -> Server {
    let server = Server::start(&[]);
    std::fs::write(server.path().join("uva.csv"), "nome,preco,estoque,unidade\nUva,5.99,10,kg\n").unwrap();
    assert_eq!(server.run(&["import", "uva.csv"]).code, 0);
    let address = format!("http://127.0.0.1:{}", server.port);
    let mut client = InventoryServiceClient::connect(address).await.unwrap();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut last = 5;
    for _ in 0..200 {
        let name = random.choice(PRODUCTS).unwrap();
        let thousandths = if name == "Uva" { random.i64(1..4000) } else { 1000 * random.i64(1..5) };
        let sale = |name: &str, thousandths: i64| AdjustStockRequest {
            name: name.to_owned(),
            delta_thousandths: -thousandths,
            kind: MovementKind::Sale.into(),
            ..Default::default()
        };
        // Some are refused, for want of stock for example.
        match random.u32(0..10) {
            0..4 => drop(client.adjust_stock(sale(name, thousandths)).await),
            4 => {
                let adjustments = PRODUCTS[..3].iter().map(|name| sale(name, 1000)).collect();
                let batch = BatchAdjustStockRequest { adjustments, ..Default::default() };
                drop(client.batch_adjust_stock(batch).await);
            }
            5..7 => {
                let supplier = ["Sítio do Zé", "sitio do ze", "CEAGESP"][random.usize(0..3)].to_owned();
                let bought = AdjustStockRequest {
                    delta_thousandths: 5 * thousandths,
                    kind: MovementKind::Purchase.into(),
                    amount_centavos: random.bool().then(|| random.i64(1..5000)),
                    purchase: random
                        .bool()
                        .then(|| PurchaseDetails { supplier, ..Default::default() }.into()),
                    ..sale(name, 0)
                };
                client.adjust_stock(bought).await.unwrap();
            }
            7 => {
                let reason = *random.choice(&[LossReason::Expired, LossReason::Damaged]).unwrap();
                let lost = AdjustStockRequest {
                    kind: MovementKind::Waste.into(),
                    loss_reason: if random.bool() { reason.into() } else { 0 },
                    ..sale(name, thousandths)
                };
                drop(client.adjust_stock(lost).await);
            }
            8 => {
                let counted = StockCount {
                    name: name.to_owned(),
                    counted_thousandths: thousandths,
                    ..Default::default()
                };
                let request = CountStockRequest { counts: vec![counted], ..Default::default() };
                client.count_stock(request).await.unwrap();
            }
            _ => {
                let undo = UndoMovementRequest {
                    sequence: random.i64(last.max(20) - 10..=last.max(20)),
                    ..Default::default()
                };
                drop(client.undo_movement(undo).await);
            }
        }
        let page = client.list_movements(hortifruti::wire::grpc::v1::ListMovementsRequest {
            page_size: 1,
            ..Default::default()
        });
        last = page.await.unwrap().into_inner().movements[0].sequence;
    }
    server
}

/// The sums of some movements.
#[derive(Default, Clone, Debug, PartialEq)]
struct Sums {
    count: i64,
    quantity: i64,
    amount: i64,
    cost: Option<i64>,
    uncosted: i64,
    surplus: (i64, i64),
    shortage: (i64, i64),
}

impl Sums {
    fn of<'m>(movements: impl IntoIterator<Item = &'m Value>) -> Self {
        let mut sums = Self::default();
        for movement in movements {
            let number = |key: &str| movement[key].as_i64();
            let (delta, amount) = (number("delta_thousandths").unwrap(), number("amount_centavos").unwrap());
            sums.count += 1;
            sums.quantity += delta;
            sums.amount += amount;
            match number("cost_centavos") {
                Some(cost) => sums.cost = Some(sums.cost.unwrap_or(0) + cost.abs()),
                None => sums.uncosted += amount,
            }
            let side = if delta > 0 { &mut sums.surplus } else { &mut sums.shortage };
            side.0 += delta.abs();
            side.1 += amount;
        }
        sums
    }

    /// In tenths of a percent, as JSON has it.
    fn margin(&self, less: i64) -> Value {
        let sold = self.amount - self.uncosted;
        self.cost.filter(|_| sold > 0).map_or(Value::Null, |cost| percent(sold - cost - less, sold))
    }
}

fn percent(part: i64, whole: i64) -> Value {
    if whole == 0 {
        return Value::Null;
    }
    let tenths = (part as f64 * 1000.0 / whole as f64 + 0.5).floor();
    (tenths / 10.0).into()
}

fn grouped<'m>(movements: &[&'m Value], kind: &str, key: &str) -> BTreeMap<String, Vec<&'m Value>> {
    let mut groups: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for movement in movements.iter().filter(|movement| movement["kind"] == kind) {
        let group = match key {
            "day" => movement["recorded_at"].as_str().unwrap()[..10].to_owned(),
            // One supplier, however it is written.
            "supplier" => movement[key].as_str().unwrap_or("").replace("sitio do ze", "Sítio do Zé"),
            _ => movement[key].as_str().unwrap_or("").to_owned(),
        };
        groups.entry(group).or_default().push(movement);
    }
    groups
}

pub(super) struct Reports {
    pub(super) server: Server,
    pub(super) history: Vec<Value>,
}

impl Reports {
    pub(super) fn json(&self, args: &[&str]) -> Value {
        let ended = self.server.run(&[&["report"], args, &["--format", "json"]].concat());
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{args:?}");
        serde_json::from_str(&ended.out).unwrap()
    }

    fn counted(&self) -> Vec<&Value> {
        self.history.iter().filter(|it| it["undoes"].is_null() && it["undone_by"].is_null()).collect()
    }

    /// Compares the rows of a report with sums by group: each row as `row` makes it.
    fn check(
        &self,
        args: &[&str],
        key: &str,
        groups: &BTreeMap<String, Vec<&Value>>,
        row: impl Fn(&Sums) -> Vec<(&'static str, Value)>,
    ) -> Value {
        let report = self.json(args);
        let rows = report["rows"].as_array().unwrap();
        assert_eq!(rows.len(), groups.len(), "{args:?}: {report}");
        let mut whole = Vec::new();
        for (group, movements) in groups {
            let shown = if group.is_empty() { "sem " } else { group.as_str() };
            let mut found = rows.iter().filter(|row| {
                let name = row[key].as_str().unwrap();
                name == group
                    || hortifruti::catalog::Key::fold(name) == hortifruti::catalog::Key::fold(group)
                    || (group.is_empty() && name.starts_with(shown))
            });
            let found = found.next().unwrap_or_else(|| panic!("{args:?} has no {group:?}: {report}"));
            for (field, value) in row(&Sums::of(movements.iter().copied())) {
                assert_eq!(found[field], value, "{args:?}, {group:?}, {field}: {found}");
            }
            whole.extend(movements.iter().copied());
        }
        if !report["total"].is_null() {
            for (field, value) in row(&Sums::of(whole)) {
                // Quantities of several units have no total.
                if !field.ends_with("_thousandths") && !groups.is_empty() {
                    assert_eq!(report["total"][field], value, "{args:?}, total, {field}: {report}");
                }
            }
        }
        report
    }
}

#[tokio::test]
async fn every_report_is_the_sum_of_its_movements() {
    for seed in [1, 2] {
        let server = shop(seed).await;
        let history = server.run(&["history", "--limit", "100000", "--format", "json"]);
        let history: Vec<Value> = serde_json::from_str(&history.out).unwrap();
        assert!(history.len() > 100, "{}", history.len());
        assert!(history.iter().any(|movement| movement["undoes"].is_i64()));
        let reports = Reports { server, history };
        check_all(&reports);
    }
}

pub(super) fn check_all(reports: &Reports) {
    let counted = reports.counted();
    let by = |kind, key| grouped(&counted, kind, key);
    let of = |kind: &str| Sums::of(counted.iter().copied().filter(|it| it["kind"] == kind));
    let (sold, lost, found) = (of("venda"), of("perda"), of("contagem"));
    for (word, key, json_key) in [
        ("product", "product_name", "product"),
        ("day", "day", "day"),
        ("reason", "loss_reason", "reason"),
        ("author", "author", "author"),
    ] {
        reports.check(&["sales", "--by", word], json_key, &by("venda", key), |sums| {
            vec![
                ("movement_count", sums.count.into()),
                ("amount_centavos", sums.amount.into()),
                ("cost_centavos", sums.cost.map_or(Value::Null, Value::from)),
                ("share_percent", percent(sums.amount, sold.amount)),
                ("margin_percent", sums.margin(0)),
            ]
        });
        let losses = reports.check(&["losses", "--by", word], json_key, &by("perda", key), |sums| {
            vec![
                ("amount_centavos", sums.amount.into()),
                ("cost_centavos", sums.cost.map_or(Value::Null, Value::from)),
                ("of_sales_percent", percent(sums.amount, sold.amount)),
            ]
        });
        if word != "day" {
            let amounts: Vec<i64> = losses["rows"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["amount_centavos"].as_i64().unwrap())
                .collect();
            assert!(amounts.is_sorted_by(|one, other| one >= other), "{amounts:?}");
        }
    }
    reports.check(&["sales"], "product", &by("venda", "product_name"), |sums| {
        vec![("quantity_thousandths", (-sums.quantity).into())]
    });
    reports.check(&["purchases", "--by", "supplier"], "supplier", &by("compra", "supplier"), |sums| {
        vec![("amount_centavos", sums.amount.into()), ("movement_count", sums.count.into())]
    });
    reports.check(&["counts"], "product", &by("contagem", "product_name"), |sums| {
        vec![
            ("surplus_thousandths", sums.surplus.0.into()),
            ("shortage_thousandths", sums.shortage.0.into()),
            ("surplus_centavos", sums.surplus.1.into()),
            ("shortage_centavos", sums.shortage.1.into()),
            ("balance_centavos", (sums.surplus.1 - sums.shortage.1).into()),
        ]
    });
    check_margins(reports, &by("venda", "product_name"), &by("perda", "product_name"));
    check_abc(reports, &by("venda", "product_name"));
    check_closing(reports, [&sold, &of("compra"), &lost, &found]);
}

fn check_margins(
    reports: &Reports,
    sold: &BTreeMap<String, Vec<&Value>>,
    lost: &BTreeMap<String, Vec<&Value>>,
) {
    let report = reports.json(&["margins"]);
    for row in report["rows"].as_array().unwrap() {
        let product = row["product"].as_str().unwrap();
        let of = |groups: &BTreeMap<String, Vec<&Value>>| {
            Sums::of(groups.get(product).into_iter().flatten().copied())
        };
        let (sold, lost) = (of(sold), of(lost));
        assert_eq!(row["amount_centavos"], sold.amount, "{row}");
        assert_eq!(row["margin_percent"], sold.margin(0), "{row}");
        let is_known = lost.uncosted == 0;
        let after = if is_known { sold.margin(lost.cost.unwrap_or(0)) } else { Value::Null };
        assert_eq!(row["margin_after_losses_percent"], after, "{row}");
    }
    assert_eq!(report["total"]["amount_centavos"], Sums::of(sold.values().flatten().copied()).amount);
}

fn check_abc(reports: &Reports, sold: &BTreeMap<String, Vec<&Value>>) {
    let report = reports.json(&["abc"]);
    let whole = Sums::of(sold.values().flatten().copied()).amount;
    let mut cumulated = 0;
    for (index, row) in report["rows"].as_array().unwrap().iter().enumerate() {
        let amount = Sums::of(sold[row["product"].as_str().unwrap()].iter().copied()).amount;
        cumulated += amount;
        let share = cumulated as f64 / whole as f64;
        let class = if index == 0 || share <= 0.8 {
            "A"
        } else if share <= 0.95 {
            "B"
        } else {
            "C"
        };
        assert_eq!((&row["class"], &row["amount_centavos"]), (&class.into(), &amount.into()), "{report}");
        assert_eq!(row["cumulated_percent"], percent(cumulated, whole), "{report}");
    }
    assert_eq!(cumulated, whole);
}

fn check_closing(reports: &Reports, [sold, bought, lost, found]: [&Sums; 4]) {
    let report = reports.json(&["day"]);
    // The documents of a kind with a movement that adds, takes, or either.
    let documents = |kind: &str, signs: &[i64]| {
        let counted = reports.counted();
        let of_kind = counted.iter().filter(|movement| {
            let sign = movement["delta_thousandths"].as_i64().unwrap().signum();
            movement["kind"] == kind && signs.contains(&sign)
        });
        let documents = of_kind.map(|movement| movement["document"].as_i64().unwrap());
        documents.collect::<std::collections::BTreeSet<_>>().len()
    };
    let costed = sold.amount - sold.uncosted;
    let margin = sold.cost.map(|cost| costed - cost);
    let after =
        margin.filter(|_| lost.count == 0 || lost.cost.is_some()).map(|it| it - lost.cost.unwrap_or(0));
    for (line, amount) in [
        ("Vendas", Some(sold.amount)),
        ("Compras", Some(bought.amount)),
        ("Perdas", Some(lost.amount)),
        ("Sobras de contagem", Some(found.surplus.1)),
        ("Faltas de contagem", Some(found.shortage.1)),
        ("Custo das vendas", sold.cost),
        ("Margem", margin),
        ("Margem após perdas", after),
    ] {
        let rows = report["rows"].as_array().unwrap();
        let row = rows.iter().find(|row| row["line"] == line).unwrap_or_else(|| panic!("{line}: {report}"));
        assert_eq!(row["amount_centavos"], amount.map_or(Value::Null, Value::from), "{row}");
        match line {
            "Vendas" => assert_eq!(row["document_count"], documents("venda", &[-1]), "{row}"),
            "Compras" => assert_eq!(row["document_count"], documents("compra", &[1]), "{row}"),
            "Sobras de contagem" => assert_eq!(row["document_count"], documents("contagem", &[1]), "{row}"),
            "Faltas de contagem" => assert_eq!(row["document_count"], documents("contagem", &[-1]), "{row}"),
            "Perdas" => assert_eq!(row["of_sales_percent"], percent(lost.amount, sold.amount), "{row}"),
            "Margem" => assert_eq!(row["of_sales_percent"], sold.margin(0), "{row}"),
            _ => {}
        }
    }
    for (line, kind, sign) in
        [("Ajustes a mais", "ajuste", 1), ("Ajustes a menos", "ajuste", -1), ("Aberturas", "abertura", 1)]
    {
        let rows = report["rows"].as_array().unwrap();
        let row = rows.iter().find(|row| row["line"] == line).map(|row| &row["document_count"]);
        let expected = Some(documents(kind, &[sign])).filter(|count| *count > 0).map(Value::from);
        assert_eq!(row, expected.as_ref(), "{line}: {report}");
    }
}
