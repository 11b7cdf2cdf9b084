//! What products are: their terms over gRPC, and by the one-shots `product`, `query` and `history`.

use prost_types::FieldMask;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient;
use hortifruti::wire::grpc::v1::{
    AdjustStockRequest, ClearExamplesRequest, GetProductRequest, ImportProductsRequest,
    ListProductChangesRequest, ListProductsRequest, MergeProductsRequest, MovementKind, Product,
    ProductDraft, UpdateProductRequest,
};

use crate::support::Server;

type Client = InventoryServiceClient<Channel>;

async fn connect(server: &Server) -> Client {
    Client::connect(format!("http://127.0.0.1:{}", server.port)).await.unwrap()
}

fn update(name: &str, paths: &[&str], product: Product) -> UpdateProductRequest {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    UpdateProductRequest {
        name: name.to_owned(),
        product: Some(product),
        update_mask: Some(FieldMask { paths }),
        request_id: String::new(),
    }
}

fn renamed(name: &str, to: &str) -> UpdateProductRequest {
    update(name, &["name"], Product { name: to.to_owned(), ..Product::default() })
}

async fn get(client: &mut Client, name: &str) -> Result<Product, Status> {
    let request = GetProductRequest { name: name.to_owned() };
    Ok(client.get_product(request).await?.into_inner().product.unwrap())
}

async fn names(client: &mut Client, request: ListProductsRequest) -> Vec<String> {
    let (mut names, mut request) = (Vec::new(), ListProductsRequest { page_size: 2, ..request });
    loop {
        let page = client.list_products(request.clone()).await.unwrap().into_inner();
        names.extend(page.products.into_iter().map(|product| product.name));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return names;
        }
    }
}

fn refused(status: Status, code: Code, reason: &str) -> Status {
    let info = status.get_details_error_info().unwrap();
    assert_eq!((status.code(), info.reason.as_str()), (code, reason), "{status:?}");
    status
}

#[tokio::test]
async fn a_product_gets_other_terms_and_every_change_is_kept() {
    let mut server = Server::start(&[]);
    let mut client = connect(&server).await;
    let terms = Product {
        name: "Cajá-manga".to_owned(),
        price_centavos: 250,
        code: 123,
        barcodes: vec!["4011".to_owned(), "7891000100103".to_owned()],
        category: "Frutas".to_owned(),
        minimum_thousandths: 70_000,
        target_thousandths: 200_000,
        shelf_life_days: 3,
        ..Product::default()
    };
    let paths = [
        "name",
        "price_centavos",
        "code",
        "barcodes",
        "category",
        "minimum_thousandths",
        "target_thousandths",
        "shelf_life_days",
    ];
    let mut request = update("Caju", &paths, terms.clone());
    request.request_id = "cadastro-1".to_owned();
    let first = client.update_product(request.clone()).await.unwrap().into_inner().product.unwrap();
    let expected = Product { stock_thousandths: 60_000, unit: "un".to_owned(), ..terms };
    assert_eq!(first, expected);
    for name in ["cajá-manga", "123", "000123", "4011", "7891000100103"] {
        assert_eq!(get(&mut client, name).await.unwrap(), expected, "{name}");
    }
    // A retry is answered as the first time, whatever came later; the product is called by its code now.
    client.adjust_stock(sale("123", -1_000)).await.unwrap();
    let mut again = request.clone();
    again.name = "123".to_owned();
    let second = client.update_product(again).await.unwrap().into_inner().product.unwrap();
    assert_eq!(second, expected);
    request.name = "Maca".to_owned();
    refused(client.update_product(request).await.unwrap_err(), Code::InvalidArgument, "REQUEST_ID_REUSED");
    let changes = async |client: &mut Client, name: &str, page_size| {
        let mut request =
            ListProductChangesRequest { name: name.to_owned(), page_size, page_token: String::new() };
        let mut changes = Vec::new();
        loop {
            let page = client.list_product_changes(request.clone()).await.unwrap().into_inner();
            changes.extend(page.changes);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return changes;
            }
        }
    };
    let found = changes(&mut client, "123", 3).await;
    assert_eq!(found.len(), paths.len());
    let last = &found[found.len() - 1];
    assert_eq!((last.field.as_str(), last.old_value.as_str()), ("name", "Caju"));
    assert_eq!((last.new_value.as_str(), last.product_name.as_str()), ("Cajá-manga", "Cajá-manga"));
    assert!(last.recorded_at.is_some());
    assert_eq!(changes(&mut client, "Maca", 3).await, []);
    drop(client);
    server.stop();
    let verified = server.run(&["verify"]);
    assert_eq!(verified.code, 0, "{verified:?}");
    server.restart();
    let mut client = connect(&server).await;
    let kept = Product { stock_thousandths: 59_000, ..expected };
    assert_eq!(get(&mut client, "7891000100103").await.unwrap(), kept);
    assert_eq!(changes(&mut client, "", 1000).await, found);
}

fn sale(name: &str, delta_thousandths: i64) -> AdjustStockRequest {
    AdjustStockRequest {
        name: name.to_owned(),
        delta_thousandths,
        kind: MovementKind::Sale.into(),
        ..AdjustStockRequest::default()
    }
}

#[tokio::test]
async fn what_cannot_be_changes_nothing_and_names_its_field() {
    let server = Server::start(&[]);
    let mut client = connect(&server).await;
    let coded = update("Caju", &["code"], Product { code: 7, ..Product::default() });
    client.update_product(coded).await.unwrap();
    let product = |product: Product| product;
    for (request, code, reason, field) in [
        (renamed("Pera", "CAJÚ"), Code::AlreadyExists, "NAME_TAKEN", "name"),
        (renamed("Pera", "Erro X"), Code::InvalidArgument, "INVALID_ARGUMENT", "name"),
        (
            update("Pera", &["code"], product(Product { code: 7, ..Product::default() })),
            Code::AlreadyExists,
            "CODE_TAKEN",
            "code",
        ),
        (
            update(
                "Pera",
                &["category"],
                product(Product { category: "x".repeat(300), ..Product::default() }),
            ),
            Code::InvalidArgument,
            "INVALID_ARGUMENT",
            "category",
        ),
        (
            update(
                "Pera",
                &["barcodes"],
                Product { barcodes: vec!["7891000100104".into()], ..Product::default() },
            ),
            Code::InvalidArgument,
            "INVALID_ARGUMENT",
            "barcodes",
        ),
        (
            update("Pera", &["cor"], Product::default()),
            Code::InvalidArgument,
            "INVALID_ARGUMENT",
            "update_mask",
        ),
        (
            update("Pera", &["stock_thousandths"], Product::default()),
            Code::InvalidArgument,
            "INVALID_ARGUMENT",
            "update_mask",
        ),
        (update("Pera", &[], Product::default()), Code::InvalidArgument, "INVALID_ARGUMENT", "update_mask"),
    ] {
        let status = refused(client.update_product(request).await.unwrap_err(), code, reason);
        let info = status.get_details_error_info().unwrap();
        assert_eq!(info.metadata.get("field").map(String::as_str), Some(field), "{status:?}");
        assert!(status.message().contains("Nada foi alterado"), "{status:?}");
    }
    let taken = client.update_product(renamed("Pera", "caju")).await.unwrap_err();
    assert!(taken.message().contains("\"Caju\""), "{taken:?}");
    let unknown = client.update_product(renamed("Kiwi", "Kiwi 2")).await.unwrap_err();
    refused(unknown, Code::NotFound, "PRODUCT_NOT_FOUND");
    // A code that was read wrong is told from a product that does not exist.
    let misread = refused(
        get(&mut client, "7891000100104").await.unwrap_err(),
        Code::InvalidArgument,
        "INVALID_ARGUMENT",
    );
    assert!(misread.message().contains("dígito verificador"), "{misread:?}");
    refused(get(&mut client, "7891000100103").await.unwrap_err(), Code::NotFound, "PRODUCT_NOT_FOUND");
    assert_eq!(get(&mut client, "Pera").await.unwrap().price_centavos, 500);
}

#[tokio::test]
async fn a_part_of_names_lists_them() {
    let server = Server::start(&[]);
    let mut client = connect(&server).await;
    let draft =
        |name: &str| ProductDraft { name: name.to_owned(), price_centavos: 100, ..ProductDraft::default() };
    let products = ["Tomate italiano", "Tomate cereja", "Tomilho"].map(draft).to_vec();
    client.import_products(ImportProductsRequest { products, ..Default::default() }).await.unwrap();
    let status = refused(get(&mut client, "tomate").await.unwrap_err(), Code::NotFound, "PRODUCT_NOT_FOUND");
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.metadata["nearest_names"], "Tomate cereja\nTomate italiano");
    assert!(status.message().contains("escreva o nome inteiro"), "{status:?}");
}

#[tokio::test]
async fn lists_are_filtered_on_the_server() {
    let server = Server::start(&[]);
    let mut client = connect(&server).await;
    let draft = |name: &str, category: &str, minimum: i64| ProductDraft {
        name: name.to_owned(),
        price_centavos: 100,
        opening_stock_thousandths: 5_000,
        category: category.to_owned(),
        minimum_thousandths: Some(minimum),
        ..ProductDraft::default()
    };
    let products = vec![
        draft("Tomate italiano", "Legumes", 10_000),
        draft("Tomate cereja", "legumes", 5_000),
        draft("Banana da terra", "frutas", 0),
        draft("Bananinha tomada", "doces", 9_000),
    ];
    client.import_products(ImportProductsRequest { products, ..Default::default() }).await.unwrap();
    let retired =
        update("Tomate cereja", &["discontinued"], Product { discontinued: true, ..Product::default() });
    client.update_product(retired.clone()).await.unwrap();
    for (request, expected) in [
        (
            ListProductsRequest { search: "TOM ban".to_owned(), ..Default::default() },
            &["Bananinha tomada"][..],
        ),
        (ListProductsRequest { search: "tomate".to_owned(), ..Default::default() }, &["Tomate italiano"]),
        (
            ListProductsRequest { search: "ban".to_owned(), ..Default::default() },
            &["Banana", "Banana da terra", "Bananinha tomada"],
        ),
        (ListProductsRequest { search: "nana".to_owned(), ..Default::default() }, &[]),
        (ListProductsRequest { category: "LEGUMES".to_owned(), ..Default::default() }, &["Tomate italiano"]),
        (
            ListProductsRequest {
                category: "legumes".to_owned(),
                include_discontinued: true,
                ..Default::default()
            },
            &["Tomate italiano", "Tomate cereja"],
        ),
        (
            ListProductsRequest { low_only: true, ..Default::default() },
            &["Tomate italiano", "Bananinha tomada"],
        ),
        (ListProductsRequest { low_only: true, max_price_centavos: Some(99), ..Default::default() }, &[]),
    ] {
        assert_eq!(names(&mut client, request.clone()).await, expected, "{request:?}");
    }
    // A page token belongs to its filters.
    let first = ListProductsRequest { page_size: 1, search: "ban".to_owned(), ..Default::default() };
    let page_token = client.list_products(first.clone()).await.unwrap().into_inner().next_page_token;
    let other = ListProductsRequest { page_token, search: "tom".to_owned(), ..first };
    refused(client.list_products(other).await.unwrap_err(), Code::InvalidArgument, "INVALID_ARGUMENT");
    // A retired product takes no sale, and is in no list of the text protocol; a count is taken.
    refused(
        client.adjust_stock(sale("tomate cereja", -1_000)).await.unwrap_err(),
        Code::FailedPrecondition,
        "DISCONTINUED",
    );
    let mut text = server.connect();
    assert!(!text.ask("4").contains("Tomate cereja"));
    assert_eq!(text.ask("1 tomate cereja"), "Tomate cereja: R$1.0, Estoque: 5");
    assert_eq!(text.ask("contar tomate cereja 4"), "Tomate cereja: R$1.0, Estoque: 4");
    assert!(text.ask("3 tomate cereja 1 motivo=compra").starts_with("Erro DISCONTINUED: "));
    // A price list leaves it retired, and says so.
    let products = vec![ProductDraft { price_centavos: 150, ..draft("Tomate cereja", "", 1_000) }];
    let imported = client.import_products(ImportProductsRequest {
        products,
        request_id: "lista".into(),
        ..Default::default()
    });
    let imported = imported.await.unwrap().into_inner();
    assert_eq!((imported.updated_count, imported.discontinued_count), (1, 1));
    let fields: Vec<_> =
        imported.changes.iter().map(|it| (it.field.as_str(), it.old_value.as_str())).collect();
    assert_eq!(fields, [("price_centavos", "100"), ("minimum_thousandths", "5000")]);
    assert!(get(&mut client, "tomate cereja").await.unwrap().discontinued);
}

#[tokio::test]
async fn two_products_become_one() {
    let server = Server::start(&[]);
    let mut client = connect(&server).await;
    client
        .update_product(update("Caju", &["code"], Product { code: 7, ..Product::default() }))
        .await
        .unwrap();
    let merge = |from: &str, into: &str, request_id: &str| MergeProductsRequest {
        from_name: from.to_owned(),
        into_name: into.to_owned(),
        request_id: request_id.to_owned(),
    };
    let itself = client.merge_products(merge("Caju", "7", "")).await.unwrap_err();
    refused(itself, Code::InvalidArgument, "INVALID_ARGUMENT");
    client
        .update_product(update("Pera", &["unit"], Product { unit: "kg".into(), ..Product::default() }))
        .await
        .unwrap();
    let units = client.merge_products(merge("Caju", "Pera", "")).await.unwrap_err();
    refused(units, Code::InvalidArgument, "INVALID_ARGUMENT");
    let first = client.merge_products(merge("7", "maca", "união-1")).await.unwrap().into_inner();
    let moved: Vec<_> = first.results.iter().map(|it| it.movement.as_ref().unwrap()).collect();
    assert_eq!([moved[0].delta_thousandths, moved[1].delta_thousandths], [-60_000, 60_000]);
    assert_eq!(moved[0].document, moved[1].document);
    let taker = get(&mut client, "7").await.unwrap();
    assert_eq!((taker.name.as_str(), taker.stock_thousandths), ("Maca", 80_000));
    let giver = get(&mut client, "Caju").await.unwrap();
    assert!(giver.discontinued && giver.stock_thousandths == 0 && giver.code == 0);
    assert_eq!(names(&mut client, ListProductsRequest::default()).await, ["Maca", "Pera", "Banana"]);
    let again = client.merge_products(merge("Caju", "Maca", "união-1")).await.unwrap().into_inner();
    assert_eq!(again.results.len(), 2);
    assert_eq!(again.results[1].movement, first.results[1].movement);
    assert_eq!(get(&mut client, "Maca").await.unwrap().stock_thousandths, 80_000);
    // Into one that is not sold any more.
    let refusal = client.merge_products(merge("Banana", "Caju", "")).await.unwrap_err();
    refused(refusal, Code::FailedPrecondition, "DISCONTINUED");
    assert_eq!(server.run(&["verify"]).code, 0);
}

#[tokio::test]
async fn the_examples_that_never_moved_are_cleared() {
    let server = Server::start(&[]);
    let mut client = connect(&server).await;
    client.adjust_stock(sale("Caju", -1_000)).await.unwrap();
    let own = update("Pera", &["price_centavos"], Product { price_centavos: 700, ..Product::default() });
    client.update_product(own).await.unwrap();
    let request = ClearExamplesRequest { request_id: "exemplos-1".to_owned() };
    let cleared = client.clear_examples(request.clone()).await.unwrap().into_inner().results;
    let gone: Vec<_> = cleared.iter().map(|it| it.product.as_ref().unwrap().name.as_str()).collect();
    assert_eq!(gone, ["Maca (exemplo)", "Banana (exemplo)"]);
    assert!(cleared.iter().all(|it| it.product.as_ref().unwrap().stock_thousandths == 0));
    assert_eq!(names(&mut client, ListProductsRequest::default()).await, ["Pera", "Caju"]);
    assert_eq!(client.clear_examples(request).await.unwrap().into_inner().results.len(), 2);
    assert_eq!(
        client.clear_examples(ClearExamplesRequest::default()).await.unwrap().into_inner().results,
        []
    );
    // The names are free.
    client.update_product(renamed("Caju", "Maca")).await.unwrap();
    assert_eq!(server.run(&["verify"]).code, 0);
}

#[test]
fn a_keeper_does_it_by_one_shots() {
    let server = Server::start(&[]);
    let done = |args: &[&str]| {
        let ended = server.run(args);
        assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
        ended
    };
    let cleared = done(&["product", "clear-examples"]);
    // Each once.
    assert_eq!((cleared.out.lines().count(), cleared.err.as_str()), (4, ""), "{cleared:?}");
    assert_eq!(done(&["product", "clear-examples"]).out, "");
    let new = [
        "product",
        "new",
        "Uva Itália",
        "12,90",
        "--unit",
        "kg",
        "--code",
        "12",
        "--barcode",
        "4022",
        "--category",
        "Frutas",
        "--minimum",
        "5",
        "--shelf-life",
        "4",
    ];
    assert_eq!(done(&new).out, "Uva Itália: R$12.9, Estoque: 0\n");
    // An id of its own makes no difference: the price of the other product stays.
    for id in [&[][..], &["--request-id", "nova"]] {
        let again = server.run(&[&["product", "new", "uva italia", "1"], id].concat());
        assert!(again.code == 4 && again.err.contains("já existe o produto \"Uva Itália\""), "{again:?}");
    }
    let twice = server.run(&["product", "new", "Uva 2", "1", "--code", "12"]);
    assert!(twice.code == 4 && twice.err.contains("já é do produto"), "{twice:?}");
    let json = done(&["query", "12", "--format", "json"]).out;
    assert_eq!(
        json,
        "{\"name\":\"Uva Itália\",\"price_centavos\":1290,\"stock_thousandths\":0,\"unit\":\"kg\",\"stock_cost_centavos\":0,\"code\":12,\
         \"barcodes\":[\"4022\"],\"category\":\"Frutas\",\"minimum_thousandths\":5000,\"target_thousandths\":0,\
         \"shelf_life_days\":4}\n"
    );
    assert_eq!(done(&["query", "--low"]).out, "Uva Itália: R$12.9, Estoque: 0\n");
    assert!(done(&["query", "--low", "--format", "table"]).out.contains("A comprar: até o alvo"));
    assert_eq!(
        done(&["query", "--search", "ita uv", "--category", "frutas"]).out,
        "Uva Itália: R$12.9, Estoque: 0\n"
    );
    // No cost is known before a purchase.
    let unknown = server.run(&["product", "set", "12", "--margin", "40"]);
    assert!(
        unknown.code == 2 && unknown.err.contains("o custo de \"Uva Itália\" não é conhecido"),
        "{unknown:?}"
    );
    assert_eq!(server.connect().ask("3 4022 10 motivo=compra total=60"), "Uva Itália: R$12.9, Estoque: 10");
    let priced = done(&["product", "set", "12", "--margin", "40"]);
    assert_eq!(priced.out, "Uva Itália: R$10.0, Estoque: 10\n");
    assert!(
        priced.err.contains("Uva Itália: preço R$ 10,00/kg · custo R$ 6,00/kg · margem 40% · markup 66,67%"),
        "{priced:?}"
    );
    assert_eq!(done(&["product", "set", "12", "--markup", "50"]).out, "Uva Itália: R$9.0, Estoque: 10\n");
    let both = server.run(&["product", "set", "12", "--price", "3", "--margin", "40"]);
    assert_eq!(both.code, 2, "{both:?}");
    assert_eq!(server.run(&["product", "set", "12"]).code, 2);
    done(&["product", "set", "12", "--barcode", "", "--category", "", "--code", "0"]);
    assert_eq!(server.run(&["query", "4022"]).code, 3);
    done(&["product", "rename", "uva italia", "Uva Rubi"]);
    let history = done(&["history", "Uva Rubi", "--changes", "--limit", "2"]).out;
    let lines: Vec<&str> = history.lines().collect();
    assert!(lines[0].ends_with("Uva Rubi: nome Uva Itália → Uva Rubi"), "{history}");
    done(&["product", "retire", "uva rubi"]);
    assert_eq!(done(&["query"]).out, "Nenhum produto encontrado.\n");
    assert_eq!(done(&["query", "--retired", "--search", "rubi"]).out, "Uva Rubi: R$9.0, Estoque: 10\n");
    done(&["product", "restore", "uva rubi"]);
    done(&["product", "new", "Uva Rubi 2", "8", "--unit", "kg"]);
    done(&["product", "merge", "Uva Rubi", "Uva Rubi 2"]);
    assert_eq!(done(&["query"]).out, "Uva Rubi 2: R$8.0, Estoque: 10\n");
    let itself = server.run(&["product", "merge", "Uva Rubi 2", "uva rubi 2"]);
    assert!(itself.code == 2 && itself.err.contains("com ele mesmo"), "{itself:?}");
    assert_eq!(done(&["verify"]).code, 0);
}
