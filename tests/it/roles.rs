//! What a token's role permits, on every way to the server; and the tokens themselves: listed, revoked,
//! taken from the environment.

use std::fs;

use tonic::metadata::MetadataValue;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient;
use hortifruti::wire::grpc::v1::stream_adjust_stock_response::Result as StreamResult;
use hortifruti::wire::grpc::v1::{self, MovementKind};

use crate::support::{Server, hortifruti, make_token, run};

/// A server whose tokens have the names of their roles, which are also the names of the files of their
/// secrets.
fn shop() -> Server {
    let folder = tempfile::tempdir().unwrap();
    for role in ["leitura", "contagem", "venda", "escrita"] {
        make_token(folder.path(), role, role);
    }
    Server::start_in(folder, &["--token-file", "tokens"])
}

fn secret(server: &Server, name: &str) -> String {
    fs::read_to_string(server.path().join(name)).unwrap().trim_end().to_owned()
}

/// A message with the token of a role.
fn with_token<M>(server: &Server, role: &str, message: M) -> Request<M> {
    let mut request = Request::new(message);
    let bearer: MetadataValue<_> = format!("Bearer {}", secret(server, role)).parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    request
}

fn adjustment(kind: MovementKind) -> v1::AdjustStockRequest {
    v1::AdjustStockRequest {
        name: "Caju".into(),
        delta_thousandths: -1_000,
        kind: kind.into(),
        ..Default::default()
    }
}

fn is_refused(status: &Status, told: &str) -> bool {
    status.code() == Code::Unauthenticated
        && status.get_details_error_info().unwrap().reason == "UNAUTHENTICATED"
        && status.message().contains(told)
}

#[test]
fn each_role_does_its_job_over_text_and_nothing_else() {
    let server = shop();
    let asks = ["1 Caju", "2 8", "4", "historico"];
    let counts = ["contar Caju 60"];
    let sales = ["3 Caju -1 motivo=venda"];
    let changes =
        ["3 Caju 1", "3 Caju -1 motivo=perda", "3 Caju 1 motivo=compra", "3 Caju 1 motivo=contagem"];
    for (role, permitted) in [
        ("leitura", &[&asks[..]][..]),
        ("contagem", &[&counts]),
        ("venda", &[&asks, &sales]),
        ("escrita", &[&asks, &counts, &sales, &changes]),
    ] {
        let mut connection = server.connect();
        let accepted = connection.ask(&format!("token {}", secret(&server, role)));
        assert_eq!(accepted, format!("Token aceito: {role}."));
        for line in asks.iter().chain(&counts).chain(&sales).chain(&changes) {
            let reply = connection.ask(line);
            if permitted.iter().any(|lines| lines.contains(line)) {
                assert!(!reply.starts_with("Erro"), "{role}, {line}: {reply}");
            } else {
                let told = format!(
                    "Erro UNAUTHENTICATED: este token é de {role}, que não permite isto. Nada foi feito;"
                );
                assert!(reply.starts_with(&told) && reply.contains("escrita"), "{role}, {line}: {reply}");
            }
        }
        // What is no command is not told apart from what is permitted.
        assert!(connection.ask("6").starts_with("Erro UNKNOWN_COMMAND"), "{role}");
    }
}

#[test]
fn whoever_only_counts_sees_no_stock_on_any_way() {
    let server = shop();
    let mut connection = server.connect();
    connection.ask(&format!("token {}", secret(&server, "contagem")));
    // Counted right, counted wrong, and once more under the same id after a sale.
    assert_eq!(connection.ask("contar caju 60"), "Caju: R$2.0, Estoque: 60");
    assert_eq!(connection.ask("contar caju 57 id=a"), "Caju: R$2.0, Estoque: 57");
    let sold = server.run(&["update", "caju", "-20", "--token-file", "escrita"]);
    assert_eq!(sold.out, "Caju: R$2.0, Estoque: 37\n", "{}", sold.err);
    assert_eq!(connection.ask("contar caju 57 id=a"), "Caju: R$2.0, Estoque: 57");
    assert!(connection.ask("contar caju 56 id=a").starts_with("Erro REQUEST_ID_REUSED"));
    // A wrong name is answered with names, and with no stock.
    let reply = connection.ask("contar Bananna 1");
    assert!(reply.starts_with("Erro PRODUCT_NOT_FOUND") && reply.contains("Banana"), "{reply}");
    assert!(!reply.contains("30"), "{reply}");

    for protocol in ["--socket", "--grpc"] {
        let ended = server.run(&["count", "Maca", "11", protocol, "--token-file", "contagem"]);
        assert_eq!((ended.out.as_str(), ended.err.as_str()), ("Maca: R$3.0, Estoque: 11\n", ""));
        let json = ["count", "Maca", "13", protocol, "--format", "json", "--token-file", "contagem"];
        let ended = server.run(&json);
        assert!(ended.out.contains(r#""stock_thousandths":13000"#), "{ended:?}");
        assert!(!ended.out.contains("delta") && !ended.out.contains("sequence"), "{ended:?}");
        let ended = server.run(&["history", protocol, "--token-file", "contagem"]);
        assert!(ended.code == 6 && ended.out.is_empty() && ended.err.contains("é de contagem"), "{ended:?}");
    }
    let mut command = server.command(&["count", "-", "--token-file", "contagem"]);
    let ended = run(&mut command, "Maca;12\nCaju;37\n");
    assert_eq!(ended.out, "Maca: R$3.0, Estoque: 12\nCaju: R$2.0, Estoque: 37\n");
    assert_eq!(ended.err, "Contados: 2; sem quantidade na lista: 0.\n");
}

#[tokio::test]
async fn whoever_only_counts_sees_no_stock_over_grpc() {
    let server = shop();
    let address = format!("http://127.0.0.1:{}", server.port);
    let mut client = InventoryServiceClient::connect(address).await.unwrap();
    let count = |counted_thousandths, at_sequence| v1::CountStockRequest {
        counts: vec![v1::StockCount {
            name: "Caju".into(),
            counted_thousandths,
            at_sequence,
            ..v1::StockCount::default()
        }],
        request_id: String::new(),
        note: String::new(),
    };
    let request = with_token(&server, "contagem", count(57_000, 0));
    let results = client.count_stock(request).await.unwrap().into_inner().results;
    let product = v1::Product {
        name: "Caju".into(),
        price_centavos: 200,
        stock_thousandths: 57_000,
        unit: "un".into(),
        ..Default::default()
    };
    assert_eq!(results, [v1::AdjustStockResponse { product: Some(product), movement: None }]);
    // Its refusals would show what was sold since.
    let request = with_token(&server, "contagem", count(57_000, 4));
    assert!(is_refused(&client.count_stock(request).await.unwrap_err(), "use um de escrita."));
    let request = with_token(&server, "escrita", count(58_000, 0));
    let results = client.count_stock(request).await.unwrap().into_inner().results;
    assert_eq!(results[0].movement.as_ref().unwrap().delta_thousandths, 1_000);
}

#[tokio::test]
async fn whoever_sells_changes_stocks_by_sales_alone_over_grpc() {
    let server = shop();
    let address = format!("http://127.0.0.1:{}", server.port);
    let mut client = InventoryServiceClient::connect(address).await.unwrap();
    let (sale, waste) = (MovementKind::Sale, MovementKind::Waste);
    let by = |kind| with_token(&server, "venda", adjustment(kind));
    assert!(client.adjust_stock(by(sale)).await.is_ok());
    for kind in [MovementKind::Unspecified, MovementKind::Adjustment, waste, MovementKind::Count] {
        let told = "este token é de venda, que não permite isto. Nada foi feito; use um de escrita.";
        assert!(is_refused(&client.adjust_stock(by(kind)).await.unwrap_err(), told));
    }
    let batch = |kinds: &[MovementKind]| {
        let adjustments = kinds.iter().copied().map(adjustment).collect();
        with_token(&server, "venda", v1::BatchAdjustStockRequest { adjustments, request_id: String::new() })
    };
    assert!(client.batch_adjust_stock(batch(&[sale, sale])).await.is_ok());
    let status = client.batch_adjust_stock(batch(&[sale, waste])).await.unwrap_err();
    assert!(is_refused(&status, "use um de escrita"));
    // On a stream each change is looked at, and a refused one does not end the stream.
    let changes = [sale, waste, sale];
    let changes = changes.map(|kind| v1::StreamAdjustStockRequest { adjustment: Some(adjustment(kind)) });
    let request = with_token(&server, "venda", tokio_stream::iter(changes));
    let mut answers = client.stream_adjust_stock(request).await.unwrap().into_inner();
    let mut told = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        told.push(match answer.result.unwrap() {
            StreamResult::Adjusted(adjusted) => adjusted.product.unwrap().stock_thousandths.to_string(),
            StreamResult::Refused(refused) => refused.reason,
        });
    }
    assert_eq!(told, ["56000", "UNAUTHENTICATED", "55000"]);
    // Without a reason a change is no sale.
    let ended = server.run(&["update", "caju", "-1", "--token-file", "venda"]);
    assert!(ended.code == 6 && ended.err.contains("use um de escrita"), "{ended:?}");
}

#[test]
fn tokens_are_listed_and_revoked() {
    let server = shop();
    let token = |args: &[&str]| run(hortifruti(server.path()).arg("token").args(args), "");
    let listed = token(&["list", "--token-file", "tokens"]);
    assert_eq!(listed.out, "leitura leitura\ncontagem contagem\nvenda venda\nescrita escrita\n");
    assert_eq!((listed.code, listed.err.as_str()), (0, ""));
    let mut seller = server.connect();
    assert_eq!(seller.ask(&format!("token {}", secret(&server, "venda"))), "Token aceito: venda.");
    let revoked = token(&["revoke", "venda", "--token-file", "tokens"]);
    assert_eq!((revoked.code, revoked.out.as_str()), (0, ""));
    assert_eq!(
        revoked.err,
        "Token venda revogado em tokens. Restam 3; um servidor que já roda relê o arquivo com SIGHUP.\n"
    );
    assert_eq!(seller.ask("1 caju"), "Caju: R$2.0, Estoque: 60");
    server.signal("HUP");
    while server.console_line() != "Tokens relidos." {}
    assert!(seller.ask("1 caju").starts_with("Erro UNAUTHENTICATED: este servidor pede um token."));
    let listed = token(&["list", "--token-file", "tokens"]);
    assert_eq!(listed.out, "leitura leitura\ncontagem contagem\nescrita escrita\n");
    let kept = fs::read_to_string(server.path().join("tokens")).unwrap();
    for (args, code, told) in [
        (&["revoke", "venda", "--token-file", "tokens"][..], 1, "não tem um token com esse nome"),
        (&["revoke", "dois nomes", "--token-file", "tokens"], 2, "o nome de um token tem de 1 a 64"),
        (&["revoke", "venda", "--token-file", "nada"], 1, "não foi possível abrir"),
        (&["revoke", "venda"], 2, "falta --token-file"),
        (&["revoke", "venda", "--token-file", "hortifruti.db"], 1, "não é um arquivo de tokens"),
        (&["list", "--token-file", "nada"], 1, "não foi possível ler"),
        (&["list"], 2, "falta --token-file"),
    ] {
        let ended = token(args);
        assert!(ended.code == code && ended.err.contains(told) && ended.out.is_empty(), "{args:?} {ended:?}");
        assert!(args[0] == "list" || code == 2 || ended.err.contains("Nada foi revogado"), "{ended:?}");
    }
    assert_eq!(fs::read_to_string(server.path().join("tokens")).unwrap(), kept);
    assert!(!server.path().join("nada").exists());
}

#[test]
fn a_secret_in_the_environment_is_used_and_never_shown() {
    let server = shop();
    let secret = secret(&server, "leitura");
    let with = |text: &str, args: &[&str]| run(server.command(args).env("HORTIFRUTI_TOKEN", text), "");
    for protocol in ["--socket", "--grpc"] {
        let ended = with(&format!("{secret}\n"), &["query", "caju", protocol]);
        assert_eq!((ended.out.as_str(), ended.err.as_str()), ("Caju: R$2.0, Estoque: 60\n", ""));
        // A file that is named comes before it, and an empty variable holds none.
        let ended = with("errado", &["query", "caju", protocol, "--token-file", "leitura"]);
        assert_eq!(ended.out, "Caju: R$2.0, Estoque: 60\n", "{}", ended.err);
        let ended = with("", &["query", "caju", protocol]);
        assert!(ended.code == 6 && ended.err.contains("pede um token"), "{ended:?}");
        let ended = with("segredo-errado", &["query", "caju", protocol]);
        assert!(ended.code == 6 && ended.err.contains("não conhece o token"), "{ended:?}");
        assert!(!ended.err.contains("segredo-errado"));
    }
    let ended = with("segredo com-espaço", &["query", "caju"]);
    assert!(ended.code == 1 && ended.err.contains("HORTIFRUTI_TOKEN não contém um segredo"), "{ended:?}");
    assert!(ended.err.contains("Nada foi enviado") && !ended.err.contains("com-espaço"), "{ended:?}");
    for command in ["query", "shell", "count", "bench"] {
        let help = with(&secret, &["help", command]);
        assert!(help.out.contains("\n  HORTIFRUTI_TOKEN       o próprio token"), "{}", help.out);
        assert!(!help.out.contains(&secret));
    }
}

#[tokio::test]
async fn whoever_sells_undoes_own_sales_and_nothing_else() {
    let server = shop();
    make_token(server.path(), "caixa-2", "venda");
    server.signal("HUP");
    while server.console_line() != "Tokens relidos." {}
    let by = |name: &str| {
        let mut connection = server.connect();
        connection.ask(&format!("token {}", secret(&server, name)));
        connection
    };
    let (mut seller, mut other, mut owner) = (by("venda"), by("caixa-2"), by("escrita"));
    assert_eq!(seller.ask("3 Caju -1 motivo=venda"), "Caju: R$2.0, Estoque: 59");
    assert_eq!(other.ask("3 Caju -2 motivo=venda"), "Caju: R$2.0, Estoque: 57");
    assert_eq!(owner.ask("3 Caju -3 motivo=perda"), "Caju: R$2.0, Estoque: 54");
    for sequence in [4, 6, 7] {
        let reply = seller.ask(&format!("desfazer {sequence}"));
        let told = format!(
            "só desfaz as próprias vendas, e o movimento #{sequence} não é uma delas. Nada foi alterado; use um de escrita."
        );
        assert!(reply.starts_with("Erro UNAUTHENTICATED") && reply.ends_with(&told), "{reply}");
    }
    assert_eq!(seller.ask("desfazer 5 id=a"), "Caju: R$2.0, Estoque: 55");
    assert_eq!(seller.ask("desfazer 5 id=a"), "Caju: R$2.0, Estoque: 55");
    assert!(seller.ask("desfazer 8").starts_with("Erro ALREADY_UNDONE"));
    assert_eq!(owner.ask("desfazer 6"), "Caju: R$2.0, Estoque: 57");
    assert!(by("leitura").ask("desfazer 7").starts_with("Erro UNAUTHENTICATED"));
    assert!(by("contagem").ask("desfazer 7").starts_with("Erro UNAUTHENTICATED"));

    let address = format!("http://127.0.0.1:{}", server.port);
    let mut client = InventoryServiceClient::connect(address).await.unwrap();
    let undo = |sequence| v1::UndoMovementRequest { sequence, ..Default::default() };
    let status = client.undo_movement(with_token(&server, "venda", undo(7))).await.unwrap_err();
    assert!(is_refused(&status, "só desfaz as próprias vendas"));
    // Of two movements of one document that are own sales.
    let adjustments = vec![adjustment(MovementKind::Sale); 2];
    let batch = v1::BatchAdjustStockRequest { adjustments, request_id: String::new() };
    client.batch_adjust_stock(with_token(&server, "venda", batch)).await.unwrap();
    let undone = client.undo_movement(with_token(&server, "venda", undo(10))).await.unwrap().into_inner();
    assert_eq!(undone.results.len(), 2);
}

/// The author of each movement from this one on, the oldest first.
fn authors(server: &Server, after: usize) -> Vec<String> {
    let ended = server.run(&["history", "--limit", "100", "--grpc", "--token-file", "leitura"]);
    let author = |line: &str| line.split_once(" por ").map_or(String::new(), |(_, author)| author.to_owned());
    ended.out.lines().rev().skip(after).map(author).collect()
}

#[tokio::test]
async fn each_movement_keeps_the_name_of_its_token() {
    let server = shop();
    let mut connection = server.connect();
    connection.ask(&format!("token {}", secret(&server, "venda")));
    assert_eq!(connection.ask("3 Caju -1 motivo=venda"), "Caju: R$2.0, Estoque: 59");
    assert!(connection.ask("historico limite=1").ends_with(" por venda"));
    // Another token on the same connection, several commands at once, and each way to change something.
    let escrita = secret(&server, "escrita");
    connection
        .send(format!("3 Caju -1 motivo=venda\ntoken {escrita}\n3 Caju 1\ncontar Caju 50\ndesfazer 7\n"));
    for expected in ["Caju: R$2.0, Estoque: 58", "Token aceito: escrita.", "Caju: R$2.0, Estoque: 59"] {
        assert_eq!(connection.reply(), expected);
    }
    assert_eq!(connection.reply(), "Caju: R$2.0, Estoque: 50");
    assert_eq!(connection.reply(), "Caju: R$2.0, Estoque: 49");
    assert_eq!(authors(&server, 4), ["venda", "venda", "escrita", "escrita", "escrita"]);
    let of = |author: &str| {
        let ended = server.run(&["history", "--author", author, "--limit", "2", "--token-file", "leitura"]);
        ended.out.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (of("venda"), of("escrita")),
        (vec!["#6".to_owned(), "#5".into()], vec!["#9".into(), "#8".into()])
    );
    assert_eq!(of("ninguem"), ["Nenhum"]);

    let address = format!("http://127.0.0.1:{}", server.port);
    let mut client = InventoryServiceClient::connect(address).await.unwrap();
    let sale = adjustment(MovementKind::Sale);
    let answer = client.adjust_stock(with_token(&server, "venda", sale.clone())).await.unwrap().into_inner();
    assert_eq!(answer.movement.unwrap().author, "venda");
    let batch = v1::BatchAdjustStockRequest { adjustments: vec![sale.clone()], request_id: String::new() };
    client.batch_adjust_stock(with_token(&server, "escrita", batch)).await.unwrap();
    let mut import = server.command(&["import", "-", "--token-file", "escrita"]);
    let ended = run(&mut import, "nome;preco;estoque;unidade\nUva;1,00;1;kg\n");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(authors(&server, 9), ["venda", "escrita", "escrita"]);

    // A token that gets another name, under connections that are there.
    let (changes, sent) = tokio::sync::mpsc::channel(1);
    let stream = tokio_stream::wrappers::ReceiverStream::new(sent);
    let mut answers =
        client.stream_adjust_stock(with_token(&server, "escrita", stream)).await.unwrap().into_inner();
    let change = v1::StreamAdjustStockRequest { adjustment: Some(sale) };
    changes.send(change.clone()).await.unwrap();
    assert!(answers.message().await.unwrap().is_some());
    let path = server.path().join("tokens");
    let tokens = fs::read_to_string(&path).unwrap();
    fs::write(&path, tokens.replace("escrita escrita ", "dona-zefa escrita ")).unwrap();
    server.signal("HUP");
    while server.console_line() != "Tokens relidos." {}
    changes.send(change).await.unwrap();
    assert!(answers.message().await.unwrap().is_some());
    assert_eq!(connection.ask("3 Caju -1"), "Caju: R$2.0, Estoque: 44");
    assert_eq!(authors(&server, 12), ["escrita", "dona-zefa", "dona-zefa"]);
}

#[test]
fn without_tokens_a_movement_has_no_author() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    assert_eq!(connection.ask("3 Caju -1 motivo=venda"), "Caju: R$2.0, Estoque: 59");
    assert!(!connection.ask("historico limite=1").contains(" por "));
    assert_eq!(connection.ask("token qualquer"), "Este servidor não pede token.");
    assert_eq!(connection.ask("3 Caju -1 motivo=venda"), "Caju: R$2.0, Estoque: 58");
    assert!(!connection.ask("historico limite=1").contains(" por "));
    let ended = server.run(&["history", "--format", "json", "--limit", "1"]);
    assert!(!ended.out.contains("qualquer"), "{}", ended.out);
}
