//! The exact contract over gRPC, with a client made from it.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use prost::Message;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient;
use hortifruti::wire::grpc::v1::stream_adjust_stock_response::Result as StreamResult;
use hortifruti::wire::grpc::v1::{
    AdjustStockRequest, BatchAdjustStockRequest, CountStockRequest, GetProductRequest, ImportProductsRequest,
    ListProductChangesRequest, ListProductsRequest, MergeProductsRequest, MovementKind, ProductDraft,
    PurchaseDetails, StockCount, StreamAdjustStockRequest, TracePurchasesRequest,
};

use crate::support::{PATIENCE, Server};

/// The results of a stream of these changes.
async fn stream_results(
    client: &mut InventoryServiceClient<Channel>,
    requests: [StreamAdjustStockRequest; 2],
) -> Vec<StreamResult> {
    let mut answers = client.stream_adjust_stock(tokio_stream::iter(requests)).await.unwrap().into_inner();
    let mut results = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        results.push(answer.result.unwrap());
    }
    results
}

async fn connect(server: &Server) -> InventoryServiceClient<Channel> {
    InventoryServiceClient::connect(format!("http://127.0.0.1:{}", server.port)).await.unwrap()
}

fn reason(status: &Status) -> String {
    let info = status.get_details_error_info().expect("every refusal carries ErrorInfo");
    assert_eq!(info.domain, "hortifruti");
    info.reason
}

fn change(name: &str, delta_thousandths: i64, request_id: &str, kind: MovementKind) -> AdjustStockRequest {
    AdjustStockRequest {
        name: name.to_owned(),
        delta_thousandths,
        request_id: request_id.to_owned(),
        kind: kind.into(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_change_is_answered_with_its_movement_and_a_retry_with_the_same() {
    let server = Server::start(&[]);
    let mut client = connect(&server).await;
    let request = change("caju", -20_000, "pedido-1", MovementKind::Sale);
    let first = client.adjust_stock(request.clone()).await.unwrap().into_inner();
    let product = first.product.clone().unwrap();
    assert_eq!(
        (product.name.as_str(), product.stock_thousandths, product.unit.as_str()),
        ("Caju", 40_000, "un")
    );
    let movement = first.movement.clone().unwrap();
    assert_eq!(
        (movement.sequence, movement.delta_thousandths, movement.balance_thousandths),
        (5, -20_000, 40_000)
    );
    assert_eq!((movement.kind(), movement.request_id.as_str()), (MovementKind::Sale, "pedido-1"));
    assert!(movement.recorded_at.is_some_and(|time| time.seconds > 1_700_000_000));

    client.adjust_stock(change("caju", -1_000, "", MovementKind::Unspecified)).await.unwrap();
    assert_eq!(client.adjust_stock(request).await.unwrap().into_inner(), first);
}

#[tokio::test]
async fn refusals_carry_what_a_program_needs() {
    let server = Server::start(&[]);
    let mut client = connect(&server).await;
    let unspecified = MovementKind::Unspecified;
    let status = client.adjust_stock(change("Caju", -61_000, "", unspecified)).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "INSUFFICIENT_STOCK"));
    let metadata = status.get_details_error_info().unwrap().metadata;
    assert_eq!(metadata["available_thousandths"], "60000");
    assert_eq!(metadata["requested_thousandths"], "61000");

    let name_of_65 = "x".repeat(65);
    for (request, code, expected, field) in [
        (change("Kiwi", 1_000, "", unspecified), Code::NotFound, "PRODUCT_NOT_FOUND", None),
        (change("", 1_000, "", unspecified), Code::InvalidArgument, "INVALID_ARGUMENT", Some("name")),
        (
            change(&name_of_65, 1_000, "", unspecified),
            Code::InvalidArgument,
            "INVALID_ARGUMENT",
            Some("name"),
        ),
        (
            change("Caju", 0, "", unspecified),
            Code::InvalidArgument,
            "INVALID_ARGUMENT",
            Some("delta_thousandths"),
        ),
        (
            change("Caju", 1, "", unspecified),
            Code::InvalidArgument,
            "INVALID_ARGUMENT",
            Some("delta_thousandths"),
        ),
        (
            change("Caju", i64::MIN, "", unspecified),
            Code::InvalidArgument,
            "INVALID_ARGUMENT",
            Some("delta_thousandths"),
        ),
        (
            change("Caju", 1_000_000_000_000_000, "", unspecified),
            Code::OutOfRange,
            "OUT_OF_RANGE",
            Some("delta_thousandths"),
        ),
        (
            change("Caju", 1_000, "um dois", unspecified),
            Code::InvalidArgument,
            "INVALID_ARGUMENT",
            Some("request_id"),
        ),
        (
            change("Caju", 1_000, "", MovementKind::Opening),
            Code::InvalidArgument,
            "INVALID_ARGUMENT",
            Some("kind"),
        ),
    ] {
        let status = client.adjust_stock(request.clone()).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (code, expected), "{request:?}");
        let metadata = status.get_details_error_info().unwrap().metadata;
        assert_eq!(metadata.get("field").map(String::as_str), field, "{request:?}");
    }
    let caju = client.get_product(GetProductRequest { name: "CAJU".into() }).await.unwrap().into_inner();
    assert_eq!(caju.product.unwrap().stock_thousandths, 60_000);
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_its_own_field() {
    let server = Server::start(&[]);
    let mut client = connect(&server).await;
    let field = |status: Status| {
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
        status.get_details_error_info().unwrap().metadata["field"].clone()
    };
    for pack_thousandths in [-1, 1_000_000_000_000_001, i64::MAX] {
        let purchase = PurchaseDetails { pack_thousandths, ..Default::default() };
        let bought = AdjustStockRequest {
            purchase: Some(purchase.into()),
            ..change("Caju", 1_000, "", MovementKind::Purchase)
        };
        assert_eq!(field(client.adjust_stock(bought).await.unwrap_err()), "pack_thousandths");
    }
    client.adjust_stock(change("Caju", 1_000, "pedido-1", MovementKind::Unspecified)).await.unwrap();
    let merge = MergeProductsRequest {
        from_name: "Kiwi".into(),
        into_name: "Caju".into(),
        request_id: "pedido-1".into(),
    };
    assert_eq!(field(client.merge_products(merge).await.unwrap_err()), "request_id");
    let count = StockCount { name: "Caju".into(), unit: "kg".into(), ..Default::default() };
    let count = CountStockRequest { counts: vec![count], ..Default::default() };
    assert_eq!(field(client.count_stock(count).await.unwrap_err()), "unit");
    let trace = TracePurchasesRequest { words: "sítio".into(), invoice: "35".into(), ..Default::default() };
    assert_eq!(field(client.trace_purchases(trace).await.unwrap_err()), "words");
    let first = ListProductsRequest { page_size: 2, ..Default::default() };
    let page_token = client.list_products(first).await.unwrap().into_inner().next_page_token;
    let changes = ListProductChangesRequest { page_token, ..Default::default() };
    assert_eq!(field(client.list_product_changes(changes).await.unwrap_err()), "page_token");
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 61");
}

#[tokio::test]
async fn pages_hold_the_whole_list_once_and_in_order() {
    let server = Server::start(&["--empty"]);
    let mut client = connect(&server).await;
    let products: Vec<ProductDraft> = (0..2500)
        .map(|index| ProductDraft {
            name: format!("Produto {index}"),
            price_centavos: index % 7 * 100,
            unit: String::new(),
            opening_stock_thousandths: 1000,
            ..ProductDraft::default()
        })
        .collect();
    client.import_products(ImportProductsRequest { products, ..Default::default() }).await.unwrap();
    for (max_price_centavos, page_size, pages, count) in
        [(None, 0, 25, 2500), (None, 5000, 3, 2500), (Some(300), 1000, 2, 1429), (Some(0), 1000, 1, 358)]
    {
        let mut request =
            ListProductsRequest { max_price_centavos, page_size, ..ListProductsRequest::default() };
        let mut names = Vec::new();
        let mut calls = 0;
        loop {
            let page = client.list_products(request.clone()).await.unwrap().into_inner();
            names.extend(page.products.into_iter().map(|product| product.name));
            calls += 1;
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        let max = max_price_centavos.unwrap_or(i64::MAX);
        let expected: Vec<String> = (0..2500)
            .filter(|index| index % 7 * 100 <= max)
            .map(|index| format!("Produto {index}"))
            .collect();
        assert_eq!((calls, names.len()), (pages, count));
        assert_eq!(names, expected);
    }
    for (page_size, page_token) in [(-1, ""), (10, "x"), (10, "v1:3:900")] {
        let request = ListProductsRequest {
            page_size,
            page_token: page_token.into(),
            ..ListProductsRequest::default()
        };
        let status = client.list_products(request).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_ARGUMENT"));
    }
}

#[tokio::test]
async fn a_refused_batch_names_the_change() {
    let server = Server::start(&[]);
    let mut client = connect(&server).await;
    let sale = |name: &str, thousandths| change(name, thousandths, "", MovementKind::Sale);
    for (adjustments, code, index) in [
        (vec![sale("Maca", -1_000), sale("Kiwi", 1_000)], Code::NotFound, Some("1")),
        (vec![sale("Maca", -1_000), sale("Pera", -16_000)], Code::FailedPrecondition, Some("1")),
        (vec![sale("Maca", 500), sale("Pera", 1_000)], Code::InvalidArgument, Some("0")),
        (vec![change("Maca", 1_000, "id", MovementKind::Sale)], Code::InvalidArgument, Some("0")),
        (vec![], Code::InvalidArgument, None),
    ] {
        let request = BatchAdjustStockRequest { adjustments, request_id: String::new() };
        let status = client.batch_adjust_stock(request).await.unwrap_err();
        let metadata = status.get_details_error_info().unwrap().metadata;
        assert_eq!((status.code(), metadata.get("index").map(String::as_str)), (code, index));
    }
}

#[tokio::test]
async fn a_message_without_a_change_is_refused_and_does_not_end_its_stream() {
    let server = Server::start(&[]);
    let mut client = connect(&server).await;
    let adjustment = Some(change("Caju", 1_000, "s-1", MovementKind::Purchase));
    let requests = [None, adjustment].map(|adjustment| StreamAdjustStockRequest { adjustment });
    let results = stream_results(&mut client, requests).await;
    let [StreamResult::Refused(refused), StreamResult::Adjusted(adjusted)] = &results[..] else {
        panic!("{results:?}")
    };
    assert_eq!(refused.reason, "INVALID_ARGUMENT");
    assert_eq!(adjusted.movement.as_ref().unwrap().request_id, "s-1");
}

#[tokio::test]
async fn a_change_of_a_stream_that_repeats_one_before_it_hears_that_it_is_made() {
    let server = Server::start(&[]);
    let mut client = connect(&server).await;
    let requests = ["Caju", "Kaju"].map(|name| StreamAdjustStockRequest {
        adjustment: Some(change(name, 1_000, "s-1", MovementKind::Purchase)),
    });
    let results = stream_results(&mut client, requests).await;
    let [StreamResult::Adjusted(_), StreamResult::Refused(refused)] = &results[..] else {
        panic!("{results:?}")
    };
    // Another name is other content, and nobody hears that nothing was changed.
    assert_eq!(refused.reason, "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn a_client_that_reads_no_answers_is_read_no_further() {
    let mut server = Server::start(&["--empty", "--drain-seconds", "2"]);
    server.run(&["import", crate::support::list(crate::support::FIRST_LIST).to_str().unwrap()]);
    let mut client = connect(&server).await;
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let stream =
        client.stream_adjust_stock(tokio_stream::wrappers::ReceiverStream::new(receiver)).await.unwrap();
    let request = StreamAdjustStockRequest {
        adjustment: Some(change("alho descascado", 1_000, "", MovementKind::Purchase)),
    };
    // Nobody reads `stream`, so at some point nobody takes what is sent.
    const SENT_MAX: usize = 200_000;
    let mut sent = 0;
    while let Ok(taken) = tokio::time::timeout(Duration::from_secs(1), sender.send(request.clone())).await {
        taken.expect("the server holds the connection");
        sent += 1;
        assert!(sent < SENT_MAX, "the server takes everything");
    }
    // Others are served.
    assert!(server.connect().ask("1 alho descascado").contains("Estoque: "));
    // The stop is not held.
    server.signal("TERM");
    assert_eq!(server.wait_for_end().0, Some(0));
    drop(stream);
}

#[tokio::test]
async fn a_stream_that_the_server_ends_says_so() {
    let mut server = Server::start(&[]);
    let mut client = connect(&server).await;
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let stream = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let adjustment = Some(change("Caju", -1_000, "", MovementKind::Sale));
    sender.send(StreamAdjustStockRequest { adjustment }).await.unwrap();
    let mut answers = client.stream_adjust_stock(stream).await.unwrap().into_inner();
    assert!(answers.message().await.unwrap().is_some());
    server.signal("TERM");
    let ended = answers.message().await.unwrap_err();
    assert_eq!((ended.code(), reason(&ended).as_str()), (Code::Unavailable, "UNAVAILABLE"));
    assert_eq!(server.wait_for_end().0, Some(0));
}

/// A connection that counts what the system has taken.
struct Counted {
    stream: TcpStream,
    written: watch::Sender<usize>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.written.send_modify(|sum| *sum += written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[tokio::test]
async fn what_a_stopping_server_has_received_of_streams_is_answered() {
    // As many as there are, and each more than is made together.
    const STREAMS: usize = 16;
    const CHANGES: usize = 800;
    let mut server = Server::start(&[]);
    let (counter, mut written) = watch::channel(0);
    let stream = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
    let mut stream = Some(TokioIo::new(Counted { stream, written: counter }));
    let connector = tower::service_fn(move |_| {
        std::future::ready(stream.take().ok_or(io::Error::from(ErrorKind::NotConnected)))
    });
    let endpoint = Endpoint::from_static("http://localhost");
    let mut client = InventoryServiceClient::new(endpoint.connect_with_connector(connector).await.unwrap());
    let change =
        || StreamAdjustStockRequest { adjustment: Some(change("Caju", 1_000, "", MovementKind::Purchase)) };
    let mut streams = Vec::new();
    for _ in 0..STREAMS {
        let (sender, receiver) = tokio::sync::mpsc::channel(CHANGES);
        sender.send(change()).await.unwrap();
        let changes = tokio_stream::wrappers::ReceiverStream::new(receiver);
        let mut answers = client.stream_adjust_stock(changes).await.unwrap().into_inner();
        assert!(answers.message().await.unwrap().is_some());
        streams.push((sender, answers));
    }
    // All comes before the server sees that it is to stop.
    server.pause();
    let before = *written.borrow();
    for (sender, _) in &streams {
        for _ in 0..CHANGES {
            sender.send(change()).await.unwrap();
        }
    }
    let length = STREAMS * CHANGES * (5 + change().encoded_len());
    let has_taken_all = written.wait_for(|written| *written >= before + length);
    tokio::time::timeout(PATIENCE, has_taken_all).await.expect("the system takes all").unwrap();
    server.signal("TERM");
    server.signal("CONT");
    for (_sender, mut answers) in streams {
        for answered in 0..CHANGES {
            let answer = answers.message().await.map_err(|ended| (answered, ended));
            assert!(answer.unwrap().is_some());
        }
        let ended = answers.message().await.unwrap_err();
        assert_eq!((ended.code(), reason(&ended).as_str()), (Code::Unavailable, "UNAVAILABLE"));
    }
    assert_eq!(server.wait_for_end().0, Some(0));
}

#[tokio::test]
async fn a_price_list_of_too_many_bytes_is_refused() {
    let server = Server::start(&[]);
    let products = vec![ProductDraft { name: "x".repeat(5_000_000), ..ProductDraft::default() }];
    let request = ImportProductsRequest { products, ..ImportProductsRequest::default() };
    let status = connect(&server).await.import_products(request).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "RESOURCE_EXHAUSTED"));
}
