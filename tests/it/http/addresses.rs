//! Reports and price lists over HTTP, as the panel and spreadsheets ask for them.

use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::support::web::Web;
use crate::support::{Server, make_token};

const FILE: (&str, &str) = ("Content-Type", "application/octet-stream");

#[test]
fn a_report_is_that_of_the_one_shot() {
    let server = Server::start(&[]);
    server.run(&["sell", "2", "Maca"]);
    let mut web = Web::connect(server.port);
    for (report, options) in [("sales", vec!["--by", "day"]), ("day", vec![]), ("low", vec![])] {
        let mut line = vec!["report", report];
        line.extend(&options);
        let query = if options.is_empty() { "" } else { "&by=day" };
        for format in ["json", "csv"] {
            let answer = web.ask(&format!("GET /report/{report}?format={format}{query}"), &[], b"");
            let one_shot = server.run(&[&line[..], &["--format", format]].concat());
            assert_eq!((answer.status, answer.text()), (200, one_shot.out.as_str()), "{line:?}");
        }
    }
    let sales = web.ask("GET /report/sales?since=2026-01-01&until=2126-01-01&by=product", &[], b"").json();
    assert_eq!((&sales["rows"][0]["amount_centavos"], &sales["report"]), (&json!(600), &json!("sales")));
}

#[test]
fn a_wrong_question_about_a_report_names_its_field() {
    let server = Server::start(&[]);
    let mut web = Web::connect(server.port);
    for (path, field) in [
        ("nada", "report"),
        ("day?format=pdf", "format"),
        ("day?by=cor", "group_by"),
        ("low?by=day", "group_by"),
        ("low?since=ontem", "start_time"),
        ("day?since=nunca", "start_time"),
        ("day?until=31%2F02%2F2026", "end_time"),
        ("day?kind=roubo", "kind"),
        ("expiring?days=x", "days"),
        ("expiring?days=3651", "days"),
        ("low?days=366", "days"),
        ("day?days=2", "days"),
        ("trace", "words"),
        ("day?time_zone=Lua", "time_zone"),
        ("day?cor=azul", "query"),
        ("day?by=day&by=day", "query"),
    ] {
        let answer = web.ask(&format!("GET /report/{path}"), &[], b"");
        assert_eq!(answer.status, 400, "{path}: {answer:?}");
        let error = answer.json();
        assert_eq!(error["details"][0]["debug"]["metadata"]["field"], field, "{path}: {error}");
    }
}

#[test]
fn a_price_list_is_read_and_not_stored() {
    let server = Server::start(&[]);
    let mut web = Web::connect(server.port);
    let list = "nome;preço;estoque;unidade\nTomate;8,90;12,5;kg\n".as_bytes();
    let read = web.ask("POST /price-list", &[FILE], list);
    assert_eq!(read.status, 200, "{read:?}");
    let read = read.json();
    let product =
        json!({ "name": "Tomate", "priceCentavos": "890", "unit": "kg", "openingStockThousandths": "12500" });
    assert_eq!(read["products"], json!([product]));
    assert_eq!((&read["haveStock"], &read["badCount"]), (&json!([true]), &json!(0)));
    assert_eq!(read["columns"][1], json!({ "field": "price", "heading": "preço" }));
    assert!(server.connect().ask("1 Tomate").starts_with("Erro PRODUCT_NOT_FOUND"));
    // What was read is what the call takes.
    let imported = web.call("ImportProducts", None, &json!({ "products": read["products"] }));
    assert_eq!(imported.json()["createdCount"], 1);

    let bad = web.ask("POST /price-list", &[FILE], "nome,preco\nUva,x\nPera,3\n".as_bytes()).json();
    assert_eq!((&bad["badCount"], &bad["bad"][0]["line"]), (&json!(1), &json!(2)), "{bad}");
    for (bytes, status) in [(&b"PK\x03\x04"[..], 400), (b"", 400), (&vec![b'x'; 4 * 1024 * 1024 + 1], 429)] {
        assert_eq!(Web::connect(server.port).ask("POST /price-list", &[FILE], bytes).status, status);
    }
}

#[test]
fn an_invoice_is_read_matched_and_not_stored() {
    let server = Server::start(&[]);
    assert_eq!(server.run(&["product", "set", "Caju", "--barcode", "7891000100103"]).code, 0);
    let lines = [
        ("02", "7891000100103", "CAJU", "UN", "10.0000", "15.00", ""),
        ("3", "", "?", "CX", "2.0000", "9.00", ""),
    ];
    let xml = crate::invoices::xml(5, &lines);
    let mut web = Web::connect(server.port);
    let read = web.ask("POST /invoice", &[FILE], xml.as_bytes());
    assert_eq!(read.status, 200, "{read:?}");
    let read = read.json();
    assert_eq!((&read["booked"], &read["isUndone"]), (&json!(null), &json!(false)));
    assert_eq!(
        (&read["lines"][0]["name"], &read["lines"][0]["thousandths"]),
        (&json!("Caju"), &json!(10_000))
    );
    assert_eq!(read["lines"][0]["purchase"]["supplierItem"], "12345678000195/02/UN");
    assert_eq!(
        (&read["missing"][0]["bought"], &read["missing"][0]["totalCentavos"]),
        (&json!("2cx="), &json!(900))
    );
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 60");
    // Booked under its id, it is known; undone, it is to be booked under another.
    let line = &read["lines"][0];
    let bought = json!({
        "requestId": read["requestId"],
        "adjustments": [{ "name": "Caju", "deltaThousandths": "10000", "kind": "MOVEMENT_KIND_PURCHASE",
            "amountCentavos": "1500", "purchase": line["purchase"] }],
    });
    assert_eq!(web.call("BatchAdjustStock", None, &bought).status, 200);
    let again = web.ask("POST /invoice", &[FILE], xml.as_bytes()).json();
    assert_eq!(again["booked"], 5, "{again}");
    assert_eq!(web.call("UndoMovement", None, &json!({ "sequence": "5" })).status, 200);
    let undone = web.ask("POST /invoice", &[FILE], xml.as_bytes()).json();
    assert_eq!((&undone["booked"], &undone["isUndone"]), (&json!(null), &json!(true)));
    assert_eq!(undone["requestId"], format!("{}-5", read["requestId"].as_str().unwrap()));
    let changed = xml.replace("NFe3526", "NFe3527");
    for (bytes, status) in [(changed.as_bytes(), 400), (b"", 400), (&vec![b'x'; 4 * 1024 * 1024 + 1], 429)] {
        assert_eq!(Web::connect(server.port).ask("POST /invoice", &[FILE], bytes).status, status);
    }
}

#[test]
fn reports_want_a_token_that_reads_and_price_lists_one_that_writes() {
    let folder = tempfile::tempdir().unwrap();
    let [reads, counts, writes] = [("leitor", "leitura"), ("contador", "contagem"), ("dono", "escrita")]
        .map(|(name, role)| format!("Bearer {}", make_token(folder.path(), name, role)));
    let server = Server::start_in(folder, &["--token-file", "tokens"]);
    let list = b"nome,preco\nUva,3\n";
    for (bearer, report, price_list) in [(&reads, 200, 401), (&counts, 401, 401), (&writes, 200, 200)] {
        let mut web = Web::connect(server.port);
        let token = ("Authorization", bearer.as_str());
        assert_eq!(web.ask("GET /report/day", &[token], b"").status, report, "{bearer}");
        assert_eq!(web.ask("POST /price-list", &[FILE, token], list).status, price_list, "{bearer}");
    }
    let mut web = Web::connect(server.port);
    let refused = web.ask("POST /price-list", &[FILE, ("Authorization", &counts)], list);
    assert_eq!(refused.json()["details"][0]["debug"]["metadata"], json!({ "role": "contagem" }));
    let role = web.ask("GET /role", &[("Authorization", &counts)], b"");
    let mut said = role.json();
    let time = said.as_object_mut().unwrap().remove("time").and_then(|time| time.as_u64()).unwrap();
    assert_eq!(said, json!({ "role": "contagem", "name": "contador" }));
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    assert!(since_epoch.abs_diff(Duration::from_millis(time)) < Duration::from_secs(60), "{time}");
    assert_eq!(web.ask("GET /role", &[], b"").status, 401);
    assert_eq!(web.ask("GET /report/day", &[], b"").status, 401);
    assert_eq!(web.ask("POST /price-list", &[FILE], list).status, 401);
}
