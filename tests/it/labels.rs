//! Labels of scales, which `serve --label` reads in the place of names. The rules are tested beside their code.

use hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient;
use hortifruti::wire::grpc::v1::stream_adjust_stock_response::Result as StreamResult;
use hortifruti::wire::grpc::v1::{self, MovementKind};

use crate::support::{Server, hortifruti, run};

/// 1.25 kg of the product with the code 2126.
const WEIGHT: &str = "2102126012504";

/// R$ 9,99 of it.
const TOTAL: &str = "2302126009997";

/// A shop whose Banana has the code 2126, and costs R$ 6,99 a kilogram.
fn shop() -> Server {
    let server = Server::start(&["--label", "21CCCCCPPPPPD", "--label", "23CCCCCTTTTTD"]);
    let ended =
        server.run(&["product", "set", "Banana", "--unit", "kg", "--price", "6,99", "--code", "2126"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    server
}

#[test]
fn a_label_sells_what_it_says_over_text_and_by_one_shots() {
    let server = shop();
    let mut client = server.connect();
    assert_eq!(client.ask(&format!("1 {WEIGHT}")), "Banana: R$6.99, Estoque: 30");
    assert_eq!(client.ask("1 2126"), "Banana: R$6.99, Estoque: 30");
    assert_eq!(client.ask(&format!("3 {WEIGHT} 0 motivo=venda")), "Banana: R$6.99, Estoque: 28.75");
    assert!(client.ask("historico limite=1").contains(" venda Banana -1.25 saldo 28.75 R$8.74"));
    // Two bags of one weight.
    assert_eq!(client.ask(&format!("3 {WEIGHT} 0 motivo=venda")), "Banana: R$6.99, Estoque: 27.5");
    assert_eq!(client.ask(&format!("3 {TOTAL} 0 motivo=venda id=a")), "Banana: R$6.99, Estoque: 26.071");
    assert!(client.ask("historico limite=1").contains(" venda Banana -1.429 saldo 26.071 R$9.99"));
    let ended = server.run(&["product", "set", "Banana", "--price", "12"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(client.ask(&format!("3 {TOTAL} 0 motivo=venda id=a")), "Banana: R$6.99, Estoque: 26.071");
    // A label has the code of then.
    let sell = ["sell", WEIGHT, "--request-id", "l1", "--yes"];
    let first = server.run(&sell);
    assert_eq!(first.code, 0, "{first:?}");
    assert_eq!(server.run(&["product", "set", "Banana", "--code", "77"]).code, 0);
    assert_eq!(server.run(&sell).out, first.out);
    assert_eq!(client.ask(&format!("3 {TOTAL} 0 motivo=venda id=a")), "Banana: R$6.99, Estoque: 26.071");
    assert_eq!(server.run(&["product", "set", "Banana", "--code", "2126"]).code, 0);
    assert_eq!(client.ask(&format!("contar {WEIGHT} 20")), "Banana: R$12.0, Estoque: 20");
    assert!(client.ask(&format!("historico {WEIGHT} limite=1")).contains(" contagem Banana "));
    for protocol in ["--socket", "--grpc"] {
        let ended = server.run(&["query", TOTAL, protocol]);
        assert_eq!(ended.out, "Banana: R$12.0, Estoque: 20\n", "{}", ended.err);
        let sold = server.run(&["update", WEIGHT, "0", "--reason", "venda", protocol]);
        assert_eq!(sold.out, "Banana: R$12.0, Estoque: 18.75\n", "{}", sold.err);
        let back = server.run(&["update", WEIGHT, "1.25", protocol]);
        assert_eq!(back.out, "Banana: R$12.0, Estoque: 20\n", "{}", back.err);
        for (label, told) in [
            ("2102126012505", "dígito verificador errado: termina em 5, e deveria terminar em 4"),
            ("2102126000006", "não diz quantidade nenhuma"),
        ] {
            let ended = server.run(&["update", label, "0", "--reason", "venda", protocol]);
            assert!(ended.code == 2 && ended.err.contains(told), "{ended:?}");
        }
    }
    let ended = server.run(&["product", "set", "Banana", "--price", "0", "--yes"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let reply = client.ask(&format!("3 {TOTAL} 0 motivo=venda"));
    assert!(reply.starts_with("Erro INVALID_ARGUMENT") && reply.contains("está sem preço"), "{reply}");
    assert_eq!(client.ask("1 banana"), "Banana: R$0.0, Estoque: 20");
}

#[test]
fn labels_and_codes_are_bought_and_lost_as_they_are_sold() {
    let server = shop();
    let ended = server.run(&["product", "set", "Caju", "--code", "77"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    for (args, told) in [
        (&["waste", WEIGHT, "--cause", "maduro"][..], "Banana: \u{2212}1,25 kg · R$ 8,74 · restam 28,75 kg"),
        (&["waste", TOTAL, "--cause", "maduro"], "Banana: \u{2212}1,429 kg"),
        (&["buy", WEIGHT, "--total", "5,00"], "Banana: +1,25 kg · R$ 5,00"),
        (&["buy", "77", "--total", "1,00"], "Caju: +1 un · R$ 1,00 · restam 61 un"),
        (&["waste", "77", "--cause", "furto"], "Caju: \u{2212}1 un"),
    ] {
        let ended = server.run(args);
        assert!(ended.code == 0 && ended.out.starts_with(told), "{args:?}: {ended:?}");
    }
    let lines = format!("perder {WEIGHT}; 77 causa=peso\ncomprar {TOTAL} total=4\n");
    let piped = run(&mut server.command(&["shell"]), &lines);
    assert_eq!(piped.code, 0, "{piped:?}");
    assert!(
        piped.out.starts_with("Banana: R$6.99, Estoque: 27.321\nCaju: R$2.0, Estoque: 59\n"),
        "{piped:?}"
    );
}

#[tokio::test]
async fn a_label_sells_what_it_says_over_grpc() {
    let server = shop();
    let address = format!("http://127.0.0.1:{}", server.port);
    let mut client = InventoryServiceClient::connect(address).await.unwrap();
    let sale = |name: &str| v1::AdjustStockRequest {
        name: name.to_owned(),
        kind: MovementKind::Sale.into(),
        ..Default::default()
    };
    let told = |movement: &v1::Movement| (movement.delta_thousandths, movement.amount_centavos);
    let made = client.adjust_stock(sale(TOTAL)).await.unwrap().into_inner();
    assert_eq!(told(made.movement.as_ref().unwrap()), (-1_429, 999));
    // Two bags of one weight, and one of a total.
    let adjustments = vec![sale(WEIGHT), sale(WEIGHT), sale(TOTAL)];
    let batch =
        || v1::BatchAdjustStockRequest { adjustments: adjustments.clone(), request_id: "caixa-1".into() };
    let made = client.batch_adjust_stock(batch()).await.unwrap().into_inner();
    let movements: Vec<_> =
        made.results.iter().map(|result| told(result.movement.as_ref().unwrap())).collect();
    assert_eq!(movements, [(-1_250, 874), (-1_250, 874), (-1_429, 999)]);
    assert_eq!(client.batch_adjust_stock(batch()).await.unwrap().into_inner(), made);
    let changes = [sale(WEIGHT), sale("2102126012505"), sale(TOTAL)];
    let changes = changes.map(|adjustment| v1::StreamAdjustStockRequest { adjustment: Some(adjustment) });
    let mut answers = client.stream_adjust_stock(tokio_stream::iter(changes)).await.unwrap().into_inner();
    let mut streamed = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        streamed.push(match answer.result.unwrap() {
            StreamResult::Adjusted(adjusted) => told(&adjusted.movement.unwrap()),
            StreamResult::Refused(refused) => {
                assert_eq!(refused.reason, "INVALID_ARGUMENT");
                (0, 0)
            }
        });
    }
    assert_eq!(streamed, [(-1_250, 874), (0, 0), (-1_429, 999)]);
}

#[test]
fn masks_that_cannot_be_start_no_server() {
    let folder = tempfile::tempdir().unwrap();
    for (masks, told) in [
        (
            &["2CCCCCCPPPPD"][..],
            "a máscara \"2CCCCCCPPPPD\" tem 12 caracteres, e uma etiqueta tem 13 dígitos",
        ),
        (&["2CCCCCCPPPPPX"], "não tem o dígito verificador D no fim"),
        (&["2CCCCCCXXXXXD"], "não tem o peso (P) nem o total (T)"),
        (
            &["2CCCCCCPPPPPD", "2CCCCCCTTTTTD"],
            "as máscaras 2CCCCCCPPPPPD e 2CCCCCCTTTTTD leem as mesmas etiquetas",
        ),
        (&["2CCCCCCPPPPPD,23CCCCCTTTTTD"], "leem as mesmas etiquetas"),
    ] {
        let labels = masks.iter().flat_map(|mask| ["--label", mask]);
        let ended = run(hortifruti(folder.path()).args(["serve", "--port", "0"]).args(labels), "");
        assert!(ended.code == 2 && ended.err.contains(told), "{masks:?}: {ended:?}");
        assert!(ended.err.ends_with(". O servidor não foi iniciado\n"), "{ended:?}");
    }
    let mut command = hortifruti(folder.path());
    let ended = run(command.args(["serve", "--port", "0"]).env("HORTIFRUTI_LABEL", "2CCCCCCPPPPD"), "");
    assert!(ended.code == 2 && ended.err.contains("tem 12 caracteres"), "{ended:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_server_without_masks_has_no_labels() {
    let server = Server::start(&[]);
    let reply = server.connect().ask("1 2002126012507");
    assert!(reply.starts_with("Erro PRODUCT_NOT_FOUND: nenhum produto se chama"), "{reply}");
    let reply = server.connect().ask("1 2002126012508");
    assert!(
        reply.starts_with("Erro INVALID_ARGUMENT") && reply.contains("dígito verificador errado"),
        "{reply}"
    );
}

#[test]
fn a_label_of_a_code_that_no_product_has_is_refused_on_every_way() {
    let server = Server::start(&["--label", "21CCCCCPPPPPD", "--label", "23CCCCCTTTTTD"]);
    let told = "nenhum produto tem o código 2126, o da etiqueta \"2102126012504\".";
    for line in ["1 2102126012504", "3 2102126012504 0 motivo=venda", "contar 2102126012504 5"] {
        let reply = server.connect().ask(line);
        assert!(reply.starts_with("Erro PRODUCT_NOT_FOUND") && reply.contains(told), "{line}: {reply}");
    }
    for protocol in ["--socket", "--grpc"] {
        let ended = server.run(&["query", "2102126012504", protocol]);
        assert!(ended.code == 3 && ended.err.contains(told), "{ended:?}");
        let ended = server.run(&["query", "2202126012501", protocol]);
        assert!(ended.code == 2 && ended.err.contains("nenhuma máscara de --label do servidor"), "{ended:?}");
    }
}

#[test]
fn a_label_is_tried_without_a_sale() {
    let server = shop();
    let test = |args: &[&str]| server.run(&[&["label", "test"], args].concat());
    let both = test(&[WEIGHT, TOTAL]);
    let expected = format!(
        "{WEIGHT}: pela máscara 21CCCCCPPPPPD, código 2126 e o peso\nBanana: 1,25 kg · R$ 8,74 · a R$ 6,99/kg\n\
         {TOTAL}: pela máscara 23CCCCCTTTTTD, código 2126 e o total\nBanana: 1,429 kg · R$ 9,99 · a R$ 6,99/kg\n"
    );
    assert_eq!((both.code, both.out), (0, expected), "{}", both.err);
    let json = test(&[TOTAL, "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let expected = serde_json::json!({
        "label": TOTAL, "mask": "23CCCCCTTTTTD", "code": 2126, "holds": "total", "name": "Banana",
        "price_centavos": 699, "unit": "kg", "quantity_thousandths": 1429, "amount_centavos": 999,
    });
    assert_eq!(json, expected);
    // Another mask, which the server does not have, and none of which anything is booked.
    let tried = test(&["2002126012507", "--label", "2CCCCCCPPPPPD"]);
    assert!(tried.out.contains("Banana: 1,25 kg"), "{tried:?}");
    // A total that is no whole piece is shown, and said to be refused.
    assert_eq!(server.run(&["product", "set", "Caju", "--code", "7"]).code, 0);
    let piece = test(&["2300007001504"]);
    assert!(piece.code == 0 && piece.out.contains("Caju: 0,75 un · R$ 1,50"), "{piece:?}");
    assert!(piece.err.contains("não se vende 0,75 un, e a etiqueta 2300007001504 é recusada"), "{piece:?}");
    for (args, told) in [
        (&["2002126012507"][..], "nenhuma máscara de --label do servidor"),
        (&["2102126012505"], "dígito verificador errado"),
        (&["7891000100103"], "não é uma etiqueta de balança"),
        (&[WEIGHT, "--label", "2CCCCCCPPPPPPD"], "--label"),
    ] {
        let refused = test(args);
        assert!(refused.code == 2 && refused.out.is_empty() && refused.err.contains(told), "{refused:?}");
    }
    assert_eq!(server.run(&["query", "Banana"]).out, "Banana: R$6.99, Estoque: 30\n");
    let refused = server.run(&["sell", "2", WEIGHT]);
    assert!(refused.code == 2 && refused.err.contains("passe-a sem quantidade"), "{refused:?}");
    let without = Server::start(&[]);
    let refused = without.run(&["label", "test", WEIGHT]);
    assert!(refused.code == 2 && refused.err.contains("iniciado sem --label"), "{refused:?}");
}
