//! Databases that earlier builds wrote are taken over as they are, and what was answered then
//! is answered so again.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient;
use hortifruti::wire::grpc::v1::{
    AdjustStockRequest, BatchAdjustStockRequest, ImportProductsRequest, ImportProductsResponse, ProductDraft,
    StreamAdjustStockRequest, stream_adjust_stock_response,
};

use rusqlite::{Connection, OpenFlags};

use crate::disk::{mount, unmount};
use crate::support::{Ended, Server, hortifruti, is_of_windows, list, run};

/// One database of each earlier schema. The build of the commit named beside it made it from
/// nothing, over its own protocols, with the changes of [`ANSWERED`], two imports and, from
/// schema 2 on, a batch (before it, changes that come to the same), and was stopped with SIGTERM.
const WRITTEN: [(i32, &str, Verified); 6] = [
    // 81690ab
    (1, "esquema-1.db", Verified { movements: 16, request_ids: 7 }),
    // 7e32e0f
    (2, "esquema-2.db", Verified { movements: 17, request_ids: 8 }),
    // 57761f5
    (3, "esquema-3.db", Verified { movements: 17, request_ids: 8 }),
    // c6d3862
    (4, "esquema-4.db", Verified { movements: 17, request_ids: 8 }),
    // e37c6f6
    (5, "esquema-5.db", Verified { movements: 17, request_ids: 8 }),
    // 755f004
    (6, "esquema-6.db", Verified { movements: 17, request_ids: 8 }),
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
        ..ProductDraft::default()
    });
    ImportProductsRequest {
        products: products.to_vec(),
        request_id: request_id.to_owned(),
        ..Default::default()
    }
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
        let expected =
            ImportProductsResponse { created_count, updated_count, ..ImportProductsResponse::default() };
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

/// Makes sure that there is one copy of the database as it was before the update, for its owner alone.
fn has_kept_a_copy(server: &Server, version: i32, before: &[u8]) {
    let start = format!("hortifruti.db.esquema-{version}.");
    let names =
        fs::read_dir(server.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let copies: Vec<String> = names.filter(|name| name.starts_with(&start)).collect();
    let [copy] = &copies[..] else { panic!("schema {version}: {copies:?}") };
    let copy = server.path().join(copy);
    let mode = fs::metadata(&copy).unwrap().permissions().mode() & 0o777;
    assert!(mode == 0o600 || is_of_windows(), "{mode:o}");
    // Apart from the counters of its header, each page is the same.
    let mut copied = fs::read(&copy).unwrap();
    copied[..100].copy_from_slice(&before[..100]);
    assert!(copied == before, "schema {version}: the copy differs");
    let version_of_copy: i32 =
        Connection::open(&copy).unwrap().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version_of_copy, version);
}

fn documents(database: &Path) -> Vec<(i64, i64)> {
    let database = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut documents = database.prepare("SELECT first_sequence, count FROM document").unwrap();
    let documents = documents.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    documents.map(Result::unwrap).collect()
}

/// The copy that comes before an update finds no room.
#[test]
fn an_update_without_room_for_its_copy_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    if !mount(&["-t", "tmpfs", "-o", "size=96k", "tmpfs"], folder.path()) {
        return;
    }
    let played = std::panic::catch_unwind(|| {
        let data = folder.path().join("hortifruti.db");
        fs::copy(list("esquema-6.db"), &data).unwrap();
        let before = fs::read(&data).unwrap();
        let refused = run(hortifruti(folder.path()).args(["serve", "--port", "0", "--quiet"]), "");
        assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{refused:?}");
        for part in ["não foi possível guardar em ", "hortifruti.db.esquema-6.", "Nada foi alterado"] {
            assert!(refused.err.contains(part), "{}", refused.err);
        }
        assert!(fs::read(&data).unwrap() == before);
        let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(names.into_iter().all(|name| !name.to_string_lossy().contains("esquema")));
    });
    unmount(folder.path());
    played.unwrap();
}

#[test]
fn the_products_of_a_first_start_are_examples() {
    let all = ["Maca", "Pera", "Banana", "Caju"];
    for (change, examples) in [
        ("", &all[..]),
        // What the shop has made its own is none.
        (
            "UPDATE product_terms SET name = 'Pera Rocha', key = 'pera rocha' WHERE id = 2",
            &["Maca", "Banana", "Caju"],
        ),
        // A shop that began without examples has sold such products at its own prices, from its own stocks.
        ("UPDATE movement SET price_centavos = 450 WHERE sequence = 1", &all[1..]),
        ("UPDATE movement SET delta_thousandths = 59000 WHERE sequence = 4", &all[..3]),
        ("UPDATE movement SET kind = 'ajuste' WHERE sequence <= 4", &[]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("hortifruti.db");
        fs::copy(list("esquema-6.db"), &data).unwrap();
        Connection::open(&data).unwrap().execute_batch(change).unwrap();
        let mut server = Server::start_in(folder, &[]);
        // All four have moved.
        let cleared = server.run(&["product", "clear-examples", "--format", "json"]);
        assert_eq!((cleared.code, cleared.out.as_str()), (0, "[]\n"), "{change}");
        server.stop();
        let database = Connection::open_with_flags(&data, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let mut marked = database.prepare("SELECT name FROM product_terms WHERE example = 1").unwrap();
        let marked: Vec<String> =
            marked.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(marked, examples, "{change}");
    }
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
        has_kept_a_copy(&server, version, &bytes);
        let documents = if version >= 2 { vec![(14, 3)] } else { Vec::new() };
        assert_eq!(self::documents(&data), documents, "schema {version}");
        block_on(answers_as_the_earlier_build_did(&server, version));
        assert_eq!(server.run(&["verify"]), verified.told(0), "schema {version}");
        server.stop();
        assert_eq!(server.run(&["verify"]), verified.told(0), "schema {version}");

        // What it became is opened as any other, and takes changes.
        server.restart();
        block_on(answers_as_the_earlier_build_did(&server, version));
        assert_eq!(server.connect().ask("3 caju -1 id=venda-4"), "Caju: R$2.0, Estoque: 40");
        has_kept_a_copy(&server, version, &bytes);
        server.stop();
        assert_eq!(server.run(&["verify"]), verified.told(1), "schema {version}");
    }
}

/// A shop of schema 5, made by e37c6f6, with products whose names look alike; a change of some of
/// them had an id, and a batch.
const LOOK_ALIKES: &str = "esquema-5-parecidos.db";

/// What that build listed last.
const LOOK_ALIKES_LISTED: &str = "Maca: R$3.0, Estoque: 18\n\
    Pera: R$5.0, Estoque: 15\n\
    Banana: R$10.0, Estoque: 30\n\
    Caju: R$2.0, Estoque: 60\n\
    Ｍaca: R$4.0, Estoque: 6\n\
    Caqui d’água: R$8.0, Estoque: 8\n\
    Caqui d'água: R$9.0, Estoque: 7.5\n\
    Abacaxi 1ª: R$10.0, Estoque: 10\n\
    Abacaxi 1a: R$11.0, Estoque: 11\n\
    Batata-doce: R$12.0, Estoque: 11\n\
    Batata‑doce: R$13.0, Estoque: 12\n\
    Batata–doce: R$14.0, Estoque: 13\n\
    Batata−doce: R$15.0, Estoque: 14\n\
    Erro X: y: R$16.0, Estoque: 15\n\
    \u{41c}anga: R$17.0, Estoque: 17\n\
    Manga: R$18.0, Estoque: 18";

/// What `verify` and `backup` say of it.
const LOOK_ALIKES_TOLD: &str = "Produtos que se confundem, porque os nomes parecem iguais:\n  \
    Ｍaca (produto 5) e Maca (produto 1): Ｍ é U+FF2D, M é U+004D\n  \
    Caqui d'água (produto 7) e Caqui d’água (produto 6): ' é U+0027, ’ é U+2019\n  \
    Abacaxi 1a (produto 9) e Abacaxi 1ª (produto 8): a é U+0061, ª é U+00AA\n  \
    Batata‑doce (produto 11) e Batata-doce (produto 10): ‑ é U+2011, - é U+002D\n  \
    Batata–doce (produto 12) e Batata-doce (produto 10): – é U+2013, - é U+002D\n  \
    Batata−doce (produto 13) e Batata-doce (produto 10): − é U+2212, - é U+002D\n\
    Cada um atende pelo nome exato; escrito de outro jeito, o nome é o do produto criado primeiro.\n";

/// Their names, each with the one that is found by it in another form.
const WRITTEN_OTHERWISE: [(&str, &str); 7] = [
    ("maca", "Maca"),
    ("ＭＡＣＡ", "Maca"),
    ("caqui d´agua", "Caqui d’água"),
    ("ABACAXI 1A", "Abacaxi 1ª"),
    ("batata—doce", "Batata-doce"),
    ("\u{41c}ANGA", "\u{41c}anga"),
    ("ERRO x: Y", "Erro X: y"),
];

fn name_of(line: &str) -> &str {
    line.rsplit_once(": R$").unwrap().0
}

/// Changes of each by its exact name, on every way.
async fn are_changed_one_by_one(server: &Server) {
    let names: Vec<&str> = LOOK_ALIKES_LISTED.lines().map(name_of).collect();
    let by = |delta_thousandths| {
        let one = |name: &&str| AdjustStockRequest {
            name: (*name).to_owned(),
            delta_thousandths,
            ..AdjustStockRequest::default()
        };
        names.iter().map(one).collect::<Vec<_>>()
    };
    let mut client =
        InventoryServiceClient::connect(format!("http://127.0.0.1:{}", server.port)).await.unwrap();
    let mut changed: Vec<Vec<String>> = Vec::new();
    let mut unary = Vec::new();
    for request in by(1000) {
        unary.push(client.adjust_stock(request).await.unwrap().into_inner().product.unwrap().name);
    }
    changed.push(unary);
    let batch = BatchAdjustStockRequest { adjustments: by(1000), request_id: String::new() };
    let batch = client.batch_adjust_stock(batch).await.unwrap().into_inner();
    changed.push(batch.results.into_iter().map(|result| result.product.unwrap().name).collect());
    let stream =
        by(1000).into_iter().map(|adjustment| StreamAdjustStockRequest { adjustment: Some(adjustment) });
    let stream = tokio_stream::iter(stream.collect::<Vec<_>>());
    let mut answers = client.stream_adjust_stock(stream).await.unwrap().into_inner();
    let mut streamed = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        let Some(stream_adjust_stock_response::Result::Adjusted(adjusted)) = answer.result else {
            panic!("{answer:?}");
        };
        streamed.push(adjusted.product.unwrap().name);
    }
    changed.push(streamed);
    let mut text = server.connect();
    let over_text = names.iter().map(|name| name_of(&text.ask(&format!("3 {name} 1"))).to_owned());
    changed.push(over_text.collect());
    let one_shots = names.iter().map(|name| name_of(&server.run(&["update", name, "1"]).out).to_owned());
    changed.push(one_shots.collect());
    for changed in changed {
        assert_eq!(changed, names);
    }
    // And back.
    for _ in 0..5 {
        let batch = BatchAdjustStockRequest { adjustments: by(-1000), request_id: String::new() };
        client.batch_adjust_stock(batch).await.unwrap();
    }
}

#[test]
fn products_of_an_earlier_build_that_look_alike_are_all_kept_and_distinguished() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("hortifruti.db");
    fs::copy(list(LOOK_ALIKES), &data).unwrap();
    let mut server = Server::start_logged_in(folder, &[]);
    // Once, when the database is taken over, with both names.
    let log = server.log("Batata−doce");
    assert_eq!(log.matches("look alike").count(), 6, "{log}");
    assert!(log.contains("Ｍaca") && log.contains("Caqui d’água"), "{log}");
    for is_restarted in [false, true] {
        let mut text = server.connect();
        assert_eq!(text.ask("4"), LOOK_ALIKES_LISTED);
        for line in LOOK_ALIKES_LISTED.lines() {
            assert_eq!(text.ask(&format!("1 {}", name_of(line))), line);
            assert_eq!(server.run(&["query", name_of(line)]).out, format!("{line}\n"));
        }
        for (typed, name) in WRITTEN_OTHERWISE {
            assert_eq!(name_of(&text.ask(&format!("1 {typed}"))), name, "{typed}");
        }
        // What was answered then.
        assert_eq!(text.ask("3 Ｍaca -1 id=venda-1 motivo=venda"), "Ｍaca: R$4.0, Estoque: 6");
        assert_eq!(text.ask("3 Maca -2 id=venda-2 motivo=venda"), "Maca: R$3.0, Estoque: 18");
        let reused = text.ask("3 Maca -1 id=venda-1 motivo=venda");
        assert!(reused.starts_with("Erro REQUEST_ID_REUSED: "), "{reused}");
        block_on(are_changed_one_by_one(&server));
        assert_eq!(text.ask("4"), LOOK_ALIKES_LISTED);
        let verified = server.run(&["verify"]);
        assert!(verified.code == 0 && verified.out.ends_with(LOOK_ALIKES_TOLD), "{verified:?}");
        server.stop();
        if !is_restarted {
            server.restart();
        }
    }
    let backup = server.run(&["backup", "copia.db"]);
    assert!(backup.code == 0 && backup.out.ends_with(LOOK_ALIKES_TOLD), "{backup:?}");
    let verified = server.run(&["verify", "copia.db"]);
    assert!(verified.code == 0 && verified.out.ends_with(LOOK_ALIKES_TOLD), "{verified:?}");
}

#[test]
fn a_list_with_products_that_look_alike_reaches_each() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(list(LOOK_ALIKES), folder.path().join("hortifruti.db")).unwrap();
    let server = Server::start_in(folder, &[]);
    let exported = server.run(&["export"]).out;
    let list = server.path().join("lista.csv");
    fs::write(&list, &exported).unwrap();
    let imported = server.run(&["import", "lista.csv", "--yes"]);
    assert!(imported.code == 0 && imported.out.contains("16"), "{imported:?}");
    // Each gets another price, and no other.
    let raised: String = exported.lines().map(|line| line.replacen(",", ",7", 1) + "\n").collect();
    fs::write(&list, raised.replacen("nome,7preco", "nome,preco", 1)).unwrap();
    let imported = server.run(&["import", "lista.csv", "--yes"]);
    assert_eq!(imported.code, 0, "{imported:?}");
    let listed = LOOK_ALIKES_LISTED.replace(": R$", ": R$7");
    assert_eq!(server.connect().ask("4"), listed);
    // A name that is one of theirs in another form is the first's; of one product, two rows are
    // too many.
    fs::write(&list, "nome;preco\nbatata—doce;1\nERRO x: Y;2\n").unwrap();
    assert_eq!(server.run(&["import", "lista.csv", "--yes"]).code, 0);
    assert_eq!(server.connect().ask("1 Batata-doce"), "Batata-doce: R$1.0, Estoque: 11");
    assert_eq!(server.connect().ask("1 Erro X: y"), "Erro X: y: R$2.0, Estoque: 15");
    fs::write(&list, "nome;preco\nBatata-doce;1\nBatata–doce;2\nbatata—doce;3\n").unwrap();
    let refused = server.run(&["import", "lista.csv", "--yes"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("\"batata—doce\" já aparece na lista, como \"Batata-doce\""), "{refused:?}");
}
