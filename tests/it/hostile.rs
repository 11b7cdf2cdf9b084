//! Hostile clients and servers: each attack is held while normal clients work beside it and
//! are answered throughout, and costs bounded memory.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hortifruti::refusal::{Code, Refusal};
use hortifruti::wire::grpc::original::produto_service_client::ProdutoServiceClient;
use hortifruti::wire::grpc::original::{Empty, PrecoRequest};
use hortifruti::wire::grpc::status;
use hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient;
use hortifruti::wire::grpc::v1::{
    AdjustStockRequest, BatchAdjustStockRequest, CountStockRequest, GetProductRequest, ImportProductsRequest,
    ListMovementsRequest, ListProductsRequest, ListProductsResponse, MovementKind, ProductDraft,
    PurchaseDetails, StreamAdjustStockRequest,
};
use prost::Message as _;
use tonic::transport::Endpoint;

use crate::http2::{
    self, ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PRIORITY, RST_STREAM,
    SETTINGS, WINDOW_UPDATE, frame,
};
use crate::support::waiting::{accept, end_of, published_port, wait_for, wait_until};
use crate::support::web::Web;
use crate::support::{Connection, FIRST_LIST, PATIENCE, Server, cpu_ticks, hortifruti, list, run, signal};

/// What an attack may add to the server's peak of memory. Without limits those below take
/// hundreds of megabytes.
const MEMORY_GROWTH_MAX_KIB: u64 = 48 * 1024;

/// The same for streams of changes, which take 5 to 10 MiB; without one of their limits, 74 and more.
const STREAMS_GROWTH_MAX_KIB: u64 = 20 * 1024;

/// Answers that each normal client gets before it counts as served.
const ANSWERS: u64 = 20;

const GET_PRODUCT: &str = "/hortifruti.v1.InventoryService/GetProduct";
const ADJUST_STREAM: &str = "/hortifruti.v1.InventoryService/StreamAdjustStock";
const LIST_ALL: &str = "/ProdutoService/ListarProdutos";

/// A text client and a gRPC client that ask and are answered, one question after the other,
/// until they are told to stop.
struct Bystanders {
    answered: [Arc<AtomicU64>; 2],
    has_ended: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Bystanders {
    fn start(server: &Server) -> Self {
        let answered: [Arc<AtomicU64>; 2] = Default::default();
        let has_ended = Arc::new(AtomicBool::new(false));
        let port = server.port;
        let text = {
            let (answered, has_ended) = (Arc::clone(&answered[0]), Arc::clone(&has_ended));
            std::thread::spawn(move || {
                let mut connection = Connection::new(port);
                while !has_ended.load(Ordering::Relaxed) {
                    assert!(connection.ask("3 Caju 1").starts_with("Caju: R$2.0, Estoque: "));
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        };
        let grpc = {
            let (answered, has_ended) = (Arc::clone(&answered[1]), Arc::clone(&has_ended));
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{port}")).unwrap();
                    let mut client = InventoryServiceClient::new(endpoint.connect().await.unwrap());
                    while !has_ended.load(Ordering::Relaxed) {
                        let question = client.get_product(GetProductRequest { name: "Maca".into() });
                        tokio::time::timeout(PATIENCE, question).await.unwrap().unwrap();
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                });
            })
        };
        let bystanders = Self { answered, has_ended, threads: vec![text, grpc] };
        bystanders.are_served();
        bystanders
    }

    /// Waits until both have been answered some more.
    fn are_served(&self) {
        let before = self.answered.each_ref().map(|answered| answered.load(Ordering::Relaxed));
        for (answered, before) in self.answered.iter().zip(before) {
            wait_until("a normal client is answered", || {
                assert!(!self.threads.iter().any(JoinHandle::is_finished), "a normal client failed");
                answered.load(Ordering::Relaxed) >= before + ANSWERS
            });
        }
    }

    fn stop(mut self) {
        self.has_ended.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
    }
}

/// Holds an attack beside normal clients, and returns by how much the peak of the server's
/// memory grew, in KiB.
fn held<T>(server: &Server, attack: impl FnOnce() -> T) -> (T, u64) {
    let bystanders = Bystanders::start(server);
    let before = server.peak_memory_kib();
    let held = attack();
    bystanders.are_served();
    // The system counts the peak only nearly, and may tell less of it later.
    let growth = server.peak_memory_kib().saturating_sub(before);
    bystanders.stop();
    (held, growth)
}

/// A server to attack. It keeps nothing on the disk: other programs may keep a disk busy for
/// longer than the normal clients wait.
fn attacked(args: &[&str]) -> Server {
    Server::start(&[&["--data", ":memory:"], args].concat())
}

/// Sends all of this, or as much as the server takes: until it hangs up, or reads no more
/// for a while. What it answers is thrown away beside, or never read.
fn pour(stream: TcpStream, reads: bool, parts: impl Iterator<Item = Vec<u8>>) -> TcpStream {
    stream.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    let drain = reads.then(|| {
        let mut stream = stream.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut chunk = [0; 64 * 1024];
            while stream.read(&mut chunk).is_ok_and(|length| length > 0) {}
        })
    });
    let mut sink = std::io::BufWriter::with_capacity(64 * 1024, &stream);
    for part in parts {
        if sink.write_all(&part).is_err() {
            break;
        }
    }
    let _ = sink.flush();
    drop(sink.into_parts());
    if let Some(drain) = drain {
        let _ = stream.shutdown(std::net::Shutdown::Write);
        drain.join().unwrap();
    }
    stream
}

fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(("127.0.0.1", server.port)).unwrap()
}

/// Holds an attack of frames on one connection, read and not read, and checks its cost.
fn check_frames(name: &str, settings: &[(u16, u32)], frames: impl Fn(u32) -> Vec<u8>, count: u32) {
    let server = attacked(&[]);
    for reads in [true, false] {
        let parts = std::iter::once(http2::opening(settings)).chain((0..count).map(&frames));
        let (stream, growth) = held(&server, || pour(connect(&server), reads, parts));
        assert!(growth < MEMORY_GROWTH_MAX_KIB, "{name}: {growth} KiB more (reads: {reads})");
        drop(stream);
    }
}

fn stream_id(index: u32) -> u32 {
    2 * index + 1
}

#[test]
fn malformed_headers() {
    // A field name in capitals is malformed (RFC 9113 §8.2.1): a stream error each.
    let block = http2::fields([(":method", "POST"), ("Capitals", "x")]);
    let headers = |index| frame(HEADERS, END_HEADERS | END_STREAM, stream_id(index), &block);
    check_frames("malformed headers", &[], headers, 100_000);
}

#[test]
fn rapid_reset() {
    let block = http2::call(GET_PRODUCT);
    let cancel = 8_u32.to_be_bytes();
    let reset = |index| {
        let id = stream_id(index);
        [frame(HEADERS, END_HEADERS, id, &block), frame(RST_STREAM, 0, id, &cancel)].concat()
    };
    check_frames("rapid reset", &[], reset, 100_000);
}

#[test]
fn headers_without_an_end() {
    let part = http2::fields([("x-more", "y".repeat(1000).as_str())]);
    let continuation = |index| {
        let kind = if index == 0 { HEADERS } else { CONTINUATION };
        frame(kind, 0, 1, &part)
    };
    check_frames("continuation", &[], continuation, 50_000);
    let empty = |index| frame(if index == 0 { HEADERS } else { CONTINUATION }, 0, 1, &[]);
    check_frames("empty continuation", &[], empty, 200_000);
}

#[test]
fn streams_opened_and_left() {
    let block = http2::call(GET_PRODUCT);
    let open = |index| frame(HEADERS, END_HEADERS, stream_id(index), &block);
    check_frames("streams left open", &[], open, 100_000);
    // With part of a message that never ends.
    let begun = |index| {
        let id = stream_id(index);
        let part = [&[0, 0, 0x3f, 0, 0][..], &[b'x'; 8000]].concat();
        [frame(HEADERS, END_HEADERS, id, &block), frame(DATA, 0, id, &part)].concat()
    };
    check_frames("messages left unended", &[], begun, 5_000);
}

#[test]
fn settings_pings_and_other_chatter() {
    let setting = [&3_u16.to_be_bytes()[..], &100_u32.to_be_bytes()].concat();
    check_frames("settings", &[], |_| frame(SETTINGS, 0, 0, &setting), 100_000);
    check_frames("pings", &[], |index| frame(PING, 0, 0, &u64::from(index).to_be_bytes()), 200_000);
    let priority = |index| frame(PRIORITY, 0, stream_id(index), &[0, 0, 0, 0, 1]);
    check_frames("priorities", &[], priority, 200_000);
    let update = |_| frame(WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes());
    check_frames("window updates", &[], update, 200_000);
    let block = http2::call(ADJUST_STREAM);
    let empty = |index| match index {
        0 => frame(HEADERS, END_HEADERS, 1, &block),
        _ => frame(DATA, 0, 1, &[]),
    };
    check_frames("empty data", &[], empty, 200_000);
}

#[test]
fn header_lists_of_any_size() {
    let value = "y".repeat(8000);
    let huge = |index| {
        let name = format!("x-{index}");
        let mut block = http2::call(GET_PRODUCT);
        // Two frames of header fields, together more than the limit.
        block.extend_from_slice(&http2::fields([(name.as_str(), value.as_str())]));
        let more = http2::fields([("a", value.as_str()), ("b", value.as_str())]);
        let id = stream_id(index);
        [frame(HEADERS, 0, id, &block), frame(CONTINUATION, END_HEADERS, id, &more[..16_000.min(more.len())])]
            .concat()
    };
    check_frames("huge header lists", &[], huge, 2_000);
}

#[test]
fn header_lists_of_many_small_fields() {
    let call = http2::call(GET_PRODUCT);
    // Each counts 34 bytes, more than a hundred when it is read, and comes as one (RFC 7541 §6.1, §6.2.1):
    // as many as are read, and more.
    let define = |name: u8| [0x40, 2, b'a' + name % 8, b'a' + name / 8, 1, b'x'];
    for (count, names) in [(1_800, 1), (1_800, 64), (16_000, 1)] {
        let block = |index: u32| {
            let mut block = call.clone();
            match index {
                0 => block.extend((0..names).flat_map(define)),
                _ => block.extend((0..count).map(|field| 0x80 | (62 + (field % u32::from(names)) as u8))),
            }
            frame(HEADERS, END_HEADERS | END_STREAM, stream_id(index), &block)
        };
        check_frames(&format!("{count} fields"), &[], block, 500);
    }
}

#[test]
fn grpc_clients_that_never_read() {
    // No byte of an answer may be sent (SETTINGS_INITIAL_WINDOW_SIZE = 0).
    let block = http2::call(LIST_ALL);
    let ask = |index| {
        let id = stream_id(index);
        [frame(HEADERS, END_HEADERS, id, &block), frame(DATA, END_STREAM, id, &http2::message(&[]))].concat()
    };
    check_frames("lists never read", &[(4, 0)], ask, 10_000);
    // A stream of changes whose answers are never taken.
    let block = http2::call(ADJUST_STREAM);
    // adjustment { name: "Caju" delta_thousandths: 1000 }
    let change = http2::message(b"\x0a\x09\x0a\x04Caju\x10\xe8\x07").repeat(100);
    let stream = |index| match index {
        0 => frame(HEADERS, END_HEADERS, 1, &block),
        _ => frame(DATA, 0, 1, &change),
    };
    check_frames("a stream never read", &[(4, 0)], stream, 2_000);
}

#[test]
fn streams_of_changes_that_are_never_taken() {
    let block = http2::call(ADJUST_STREAM);
    let change = |delta_thousandths| {
        let adjustment = AdjustStockRequest { name: "Caju".into(), delta_thousandths, ..Default::default() };
        StreamAdjustStockRequest { adjustment: Some(adjustment) }.encode_to_vec()
    };
    // Refused at once, made, and refused as others are made.
    for (name, change) in [("empty", vec![]), ("made", change(1000)), ("too much", change(-9_000_000_000))] {
        let server = attacked(&[]);
        let change = http2::message(&change);
        let changes = change.repeat(15_000 / change.len());
        // With all that the flow control of a stream permits, that of the connection ends it soon.
        for (frames, end) in [(1, 0), (1, END_STREAM), (4, 0), (4, END_STREAM)] {
            let open = |index| {
                // Time to take all that would be taken.
                std::thread::sleep(Duration::from_millis(5));
                let id = stream_id(index);
                let mut stream = frame(HEADERS, END_HEADERS, id, &block);
                stream.extend(frame(DATA, 0, id, &changes).repeat(frames - 1));
                stream.extend(frame(DATA, end, id, &changes));
                stream
            };
            let parts = std::iter::once(http2::opening(&[(4, 0)])).chain((0..256).map(open));
            let (held, growth) = held(&server, || pour(connect(&server), false, parts));
            assert!(growth < STREAMS_GROWTH_MAX_KIB, "{name}, {frames} frames, end {end}: {growth} KiB more");
            drop(held);
        }
    }
}

/// A server with ten thousand products, `PRODUTO 00000` and so on.
fn with_a_long_list() -> Server {
    let server = attacked(&["--empty"]);
    let rows: String = (0..10_000).map(|index| format!("PRODUTO {index:05},{}.5,7\n", index % 9)).collect();
    let imported = run(&mut server.command(&["import", "-"]), &format!("nome,preco,estoque\n{rows}"));
    assert_eq!(imported.code, 0, "{}", imported.err);
    for (product, price, stock) in [("Caju", 2, 60), ("Maca", 3, 20)] {
        let row = format!("nome,preco,estoque\n{product},{price},{stock}\n");
        assert_eq!(run(&mut server.command(&["import", "-"]), &row).code, 0);
    }
    server
}

#[test]
fn long_lists_that_are_never_taken() {
    let server = with_a_long_list();
    // ListProductsRequest { page_size: 1000 }
    let lists = [(LIST_ALL, &[][..]), ("/hortifruti.v1.InventoryService/ListProducts", b"\x10\xe8\x07")];
    for (path, message) in lists {
        // Nothing is to be sent, or a byte of each.
        for window in [0, 1] {
            let block = http2::call(path);
            let ask = |index| {
                let id = stream_id(index);
                let message = frame(DATA, END_STREAM, id, &http2::message(message));
                [frame(HEADERS, END_HEADERS, id, &block), message].concat()
            };
            let parts = || std::iter::once(http2::opening(&[(4, window)])).chain((0..256).map(ask));
            let (held, growth) = held(&server, || [(); 4].map(|()| pour(connect(&server), false, parts())));
            assert!(growth < MEMORY_GROWTH_MAX_KIB, "{path}, window {window}: {growth} KiB more");
            drop(held);
        }
    }
}

/// Moments at which lists begin, between which a product of each stretch of the catalog changes.
const MOMENTS: u32 = 200;

/// Products from one that changes to the next.
const STRETCH: usize = 64;

/// What lists that are not taken may leave of the server's memory once they have ended.
const MEMORY_LEFT_MAX_KIB: u64 = 16 * 1024;

/// The next frames up to the first of this kind of this stream, and the data of that stream before it.
fn read_to(stream: &mut TcpStream, id: u32, kind: u8) -> (Vec<u8>, Vec<u8>) {
    let mut data = Vec::new();
    loop {
        let (next_kind, _, next_id, payload) = http2::read_frame(stream).expect("a frame");
        match next_kind {
            _ if next_id == id && next_kind == kind => return (data, payload),
            DATA if next_id == id => data.extend(payload),
            GOAWAY | RST_STREAM => panic!("{next_kind} {next_id} {payload:?}"),
            _ => {}
        }
    }
}

#[test]
fn long_lists_for_which_there_is_room_and_that_are_never_taken() {
    let server = with_a_long_list();
    let block = http2::call(LIST_ALL);
    let ask = |index| {
        let id = stream_id(index);
        [frame(HEADERS, END_HEADERS, id, &block), frame(DATA, END_STREAM, id, &http2::message(&[]))].concat()
    };
    let window = (1_u32 << 31) - 1;
    let opening =
        [http2::opening(&[(4, window)]), frame(WINDOW_UPDATE, 0, 0, &(window - 65_535).to_be_bytes())];
    let parts = std::iter::once(opening.concat()).chain((0..256).map(ask));
    let (held, growth) = held(&server, || pour(connect(&server), false, parts));
    assert!(growth < MEMORY_GROWTH_MAX_KIB, "{growth} KiB more");
    drop(held);
}

#[test]
fn lists_of_many_moments_that_are_never_taken() {
    let server = with_a_long_list();
    let block = http2::call("/hortifruti.v1.InventoryService/ListProducts");
    // Pages of a thousand products: of all, and up to R$ 4.
    let page = |max_price_centavos| {
        let page_size = 1000;
        http2::message(
            &ListProductsRequest { max_price_centavos, page_size, ..Default::default() }.encode_to_vec(),
        )
    };
    let pages = [page(None), page(Some(400))];
    let changes: String =
        (0..10_000).step_by(STRETCH).map(|index| format!("3 PRODUTO {index:05} 1\n")).collect();
    let resident_before = server.resident_memory_kib();
    let ((mut lists, mut texts), growth) = held(&server, || {
        let mut till = server.connect();
        let mut lists = connect(&server);
        lists.write_all(&http2::opening(&[(4, 0)])).unwrap();
        let mut texts = Vec::new();
        for moment in 0..MOMENTS {
            let id = stream_id(moment);
            let page = frame(DATA, END_STREAM, id, &pages[moment as usize % 2]);
            lists.write_all(&[frame(HEADERS, END_HEADERS, id, &block), page].concat()).unwrap();
            // It has begun.
            read_to(&mut lists, id, HEADERS);
            if moment % 5 == 0 {
                let mut text = server.connect();
                text.send("4\n");
                texts.push(text);
            }
            till.send(&changes);
            (0..changes.lines().count()).for_each(|_| assert!(till.reply().starts_with("PRODUTO ")));
        }
        (lists, texts)
    });
    assert!(growth < MEMORY_GROWTH_MAX_KIB, "{growth} KiB more");
    // One that is taken now shows its moment.
    for moment in [0, MOMENTS / 2, MOMENTS / 2 + 1, MOMENTS - 1] {
        let id = stream_id(moment);
        let window = 1_000_000_u32.to_be_bytes();
        let windows = [frame(WINDOW_UPDATE, 0, 0, &window), frame(WINDOW_UPDATE, 0, id, &window)];
        lists.write_all(&windows.concat()).unwrap();
        let (data, _) = read_to(&mut lists, id, HEADERS);
        let products = ListProductsResponse::decode(&data[5..]).unwrap().products;
        assert_eq!(products.len(), 1000);
        let mut indexes = (0..10_000).filter(|index| moment % 2 == 0 || index % 9 < 4);
        for product in products {
            let index = indexes.next().unwrap();
            assert_eq!(product.name, format!("PRODUTO {index:05}"));
            let changed = if index % STRETCH == 0 { moment } else { 0 };
            assert_eq!(product.stock_thousandths, i64::from(7 + changed) * 1000, "{}", product.name);
        }
    }
    for text in &mut texts {
        let list = text.reply();
        assert_eq!(list.lines().count(), 10_002);
        let changed = list.lines().take(10_000).step_by(STRETCH);
        let stocks: Vec<u32> =
            changed.map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap()).collect();
        // They change one after the other, so those that have changed once more come first.
        assert!(stocks.is_sorted_by(|one, next| one >= next), "{stocks:?}");
        assert!(stocks[0] - stocks[stocks.len() - 1] <= 1, "{stocks:?}");
    }
    drop((lists, texts));
    wait_for(|| {
        let left = server.resident_memory_kib().saturating_sub(resident_before);
        if left > MEMORY_LEFT_MAX_KIB { Err(format!("{left} KiB do not come back")) } else { Ok(()) }
    });
}

/// What answers that are made whole may add: their room of 64 MiB, and as much again while they are made. Without
/// the room, those below take 150 MiB and more.
const ANSWERS_GROWTH_MAX_KIB: u64 = 128 * 1024;

#[test]
fn answers_of_one_message_that_are_never_taken() {
    // A page of a thousand purchases of the longest words, 1.3 MiB.
    let server = attacked(&[]);
    let purchase = PurchaseDetails {
        supplier: "€".repeat(64),
        lot: "€".repeat(40),
        invoice: "€".repeat(44),
        supplier_item: "€".repeat(82),
        ..Default::default()
    };
    let bought = AdjustStockRequest {
        name: "Pera".into(),
        delta_thousandths: 1000,
        kind: MovementKind::Purchase.into(),
        note: "€".repeat(200),
        purchase: Some(purchase.into()),
        ..Default::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut client =
            InventoryServiceClient::connect(format!("http://127.0.0.1:{}", server.port)).await.unwrap();
        for _ in 0..4 {
            let adjustments = vec![bought.clone(); 250];
            client
                .batch_adjust_stock(BatchAdjustStockRequest { adjustments, ..Default::default() })
                .await
                .unwrap();
        }
    });
    let movements = "/hortifruti.v1.InventoryService/ListMovements";
    let page =
        http2::message(&ListMovementsRequest { page_size: 1000, ..Default::default() }.encode_to_vec());
    // A client that permits a byte to be sent, and one that only takes nothing.
    for (content_type, message, window) in [
        ("application/grpc", &page[..], 1),
        ("application/json", br#"{"pageSize":1000,"productName":"Pera"}"#, 65_535),
    ] {
        let count = 120;
        let block = http2::fields([
            (":method", "POST"),
            (":scheme", "http"),
            (":path", movements),
            (":authority", "localhost"),
            ("content-type", content_type),
        ]);
        let ask = |index| {
            let id = stream_id(index);
            [frame(HEADERS, END_HEADERS, id, &block), frame(DATA, END_STREAM, id, message)].concat()
        };
        let (stream, growth) = held(&server, || {
            let parts = std::iter::once(http2::opening(&[(4, window)])).chain((0..count).map(ask));
            let mut stream = pour(connect(&server), false, parts);
            // Each is answered: its head comes, and no more than the windows permit.
            let is_head = |(kind, ..): &(u8, u8, u32, Vec<u8>)| *kind == HEADERS;
            let frames = std::iter::from_fn(|| http2::read_frame(&mut stream));
            assert_eq!(frames.filter(is_head).take(count as usize).count(), count as usize, "{content_type}");
            stream
        });
        assert!(growth < ANSWERS_GROWTH_MAX_KIB, "{content_type}, window {window}: {growth} KiB more");
        drop(stream);
        // The room is free again.
        wait_until("a page is answered", || {
            let fields = [("Content-Type", "application/json")];
            let asked =
                Web::connect(server.port).ask(&format!("POST {movements}"), &fields, br#"{"pageSize":1000}"#);
            asked.status == 200
        });
    }
}

#[test]
fn long_lists_come_whole() {
    let server = with_a_long_list();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let address = format!("http://127.0.0.1:{}", server.port);
        let mut original = ProdutoServiceClient::connect(address.clone()).await.unwrap();
        let all = original.listar_produtos(Empty {}).await.unwrap().into_inner().produtos;
        assert_eq!(all.len(), 10_002);
        for (index, produto) in all.iter().take(10_000).enumerate() {
            assert_eq!(produto.nome, format!("PRODUTO {index:05}"));
            assert_eq!((produto.preco, produto.quantidade), ((index % 9) as f32 + 0.5, 7));
        }
        let cheap = PrecoRequest { preco_max: 0.5 };
        let cheap = original.consultar_produto_preco(cheap).await.unwrap().into_inner().produtos;
        let names: Vec<String> = cheap.into_iter().map(|produto| produto.nome).collect();
        assert_eq!(
            names,
            (0..10_000).step_by(9).map(|index| format!("PRODUTO {index:05}")).collect::<Vec<_>>()
        );
        let mut exact = InventoryServiceClient::connect(address).await.unwrap();
        let mut request = ListProductsRequest { page_size: 700, ..ListProductsRequest::default() };
        let mut names = Vec::new();
        loop {
            let page = exact.list_products(request.clone()).await.unwrap().into_inner();
            names.extend(page.products.into_iter().map(|product| product.name));
            if page.next_page_token.is_empty() {
                break;
            }
            assert_eq!(names.len() % 700, 0);
            request.page_token = page.next_page_token;
        }
        assert_eq!(names, all.into_iter().map(|produto| produto.nome).collect::<Vec<_>>());
    });
}

#[test]
fn a_message_too_large_is_refused_in_the_words_of_the_contract() {
    let server = attacked(&[]);
    let name = "x".repeat(5 * 1024 * 1024);
    let (refused, growth) = held(&server, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{}", server.port)).unwrap();
            let mut client = InventoryServiceClient::new(endpoint.connect().await.unwrap());
            let changes = ["Caju".to_owned(), name.clone()].map(|name| StreamAdjustStockRequest {
                adjustment: Some(AdjustStockRequest { name, delta_thousandths: 1000, ..Default::default() }),
            });
            let answers = client.stream_adjust_stock(tokio_stream::iter(changes)).await;
            let mut answers = answers.unwrap().into_inner();
            assert!(answers.message().await.unwrap().is_some());
            let in_stream = answers.message().await.unwrap_err();
            [in_stream, client.get_product(GetProductRequest { name }).await.unwrap_err()]
        })
    });
    for refused in refused {
        assert_eq!(refused.code(), tonic::Code::ResourceExhausted, "{refused:?}");
        assert!(refused.message().contains("16384 bytes"), "{refused:?}");
    }
    assert!(growth < MEMORY_GROWTH_MAX_KIB, "{growth} KiB more");
}

#[test]
fn messages_of_more_rows_than_are_taken() {
    // Each empty row takes two bytes of the message, and a hundred when it is read.
    let server = attacked(&[]);
    let port = server.port;
    let ((), growth) = held(&server, || {
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    runtime.block_on(async {
                        let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{port}")).unwrap();
                        let mut client = InventoryServiceClient::new(endpoint.connect().await.unwrap());
                        let products = vec![ProductDraft::default(); 2_000_000];
                        let import = ImportProductsRequest { products, ..ImportProductsRequest::default() };
                        let refused = client.import_products(import).await.unwrap_err();
                        assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{refused:?}");
                        assert!(refused.message().contains("2000000"), "{refused:?}");
                        let adjustments = vec![AdjustStockRequest::default(); 200_000];
                        let batch = BatchAdjustStockRequest { adjustments, ..Default::default() };
                        let refused = client.batch_adjust_stock(batch).await.unwrap_err();
                        assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{refused:?}");
                    });
                });
            }
        });
    });
    // One is read at a time by the one thread that reads; without turns it would be six.
    assert!(growth < 10 * MEMORY_GROWTH_MAX_KIB, "{growth} KiB more");
}

#[test]
fn large_messages_are_read_beside_the_workers() {
    let server = with_a_long_list();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let before = server.thread_cpu_ticks("hortifruti-work");
    runtime.block_on(async {
        let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{}", server.port)).unwrap();
        let mut client = InventoryServiceClient::new(endpoint.connect().await.unwrap());
        let row = |index| ProductDraft { name: format!("PRODUTO {index:05}"), ..Default::default() };
        let products: Vec<_> = (0..10_000).map(row).collect();
        for _ in 0..10 {
            let import =
                ImportProductsRequest { products: products.clone(), dry_run: true, ..Default::default() };
            assert_eq!(client.import_products(import).await.unwrap().into_inner().updated_count, 10_000);
        }
    });
    let (workers, side) =
        (server.thread_cpu_ticks("hortifruti-work") - before, server.thread_cpu_ticks("hortifruti-side"));
    assert!(side > 4 * workers, "{side} hundredths of a second beside {workers}");
}

#[test]
fn calls_of_few_bytes_and_many_rows_are_read_beside_the_workers() {
    let server = attacked(&[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let before = server.thread_cpu_ticks("hortifruti-work");
    runtime.block_on(async {
        let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{}", server.port)).unwrap();
        let mut client = InventoryServiceClient::new(endpoint.connect().await.unwrap());
        // Two bytes each, and below what other calls take.
        let import =
            ImportProductsRequest { products: vec![Default::default(); 8_000], ..Default::default() };
        let batch =
            BatchAdjustStockRequest { adjustments: vec![Default::default(); 8_000], ..Default::default() };
        let count = CountStockRequest { counts: vec![Default::default(); 8_000], ..Default::default() };
        for _ in 0..50 {
            let refused = [
                client.import_products(import.clone()).await.unwrap_err(),
                client.batch_adjust_stock(batch.clone()).await.unwrap_err(),
                client.count_stock(count.clone()).await.unwrap_err(),
            ];
            assert_eq!(refused.map(|refused| refused.code()), [tonic::Code::InvalidArgument; 3]);
        }
    });
    let (workers, side) =
        (server.thread_cpu_ticks("hortifruti-work") - before, server.thread_cpu_ticks("hortifruti-side"));
    assert!(side > 2 * workers, "{side} hundredths of a second beside {workers}");
}

#[test]
fn imports_that_never_come_hold_up_nobody_else() {
    let server = attacked(&[]);
    let block = http2::call("/hortifruti.v1.InventoryService/ImportProducts");
    let begun = |id: u32| {
        let part = [&[0, 0, 0x3f, 0, 0][..], &[b'x'; 8000]].concat();
        [frame(HEADERS, END_HEADERS, id, &block), frame(DATA, 0, id, &part)].concat()
    };
    let (left, growth) = held(&server, || {
        let open = |_| {
            let mut stream = connect(&server);
            let streams: Vec<u8> = (0..100).flat_map(|index| begun(stream_id(index))).collect();
            stream.write_all(&[http2::opening(&[]), streams].concat()).unwrap();
            stream
        };
        (0..40).map(open).collect::<Vec<_>>()
    });
    assert!(growth < 2 * MEMORY_GROWTH_MAX_KIB, "{growth} KiB more for {} connections", left.len());
}

#[test]
fn text_clients_that_never_read() {
    let server = attacked(&["--empty"]);
    let imported = server.run(&["import", list(FIRST_LIST).to_str().unwrap()]);
    assert_eq!(imported.code, 0, "{}", imported.err);
    for (product, price, stock) in [("Caju", 2, 60), ("Maca", 3, 20)] {
        let row = format!("nome,preco,estoque\n{product},{price},{stock}\n");
        assert_eq!(run(&mut server.command(&["import", "-"]), &row).code, 0);
    }
    // Long answers to short commands, and a change before lines that are one byte each.
    for commands in ["4\n".repeat(100_000), format!("3 Caju 1\n{}", "\n".repeat(1000)).repeat(2000)] {
        let (stalled, growth) = held(&server, || {
            let pour_in = |_| {
                let stream = connect(&server);
                stream.set_write_timeout(Some(Duration::from_millis(20))).unwrap();
                let mut left = commands.as_bytes();
                // Until the server takes no more.
                while !left.is_empty() {
                    match (&stream).write(left) {
                        Ok(length) => left = &left[length..],
                        Err(error) if error.kind() == ErrorKind::Interrupted => {}
                        Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                        Err(error) => panic!("{error}"),
                    }
                }
                stream
            };
            (0..50).map(pour_in).collect::<Vec<_>>()
        });
        assert!(growth < MEMORY_GROWTH_MAX_KIB, "{growth} KiB more for {} that never read", stalled.len());
    }
}

#[test]
fn clients_that_write_byte_by_byte() {
    let server = attacked(&[]);
    let ((), _) = held(&server, || {
        let mut first = server.connect();
        first.ask("1 Maca");
        let mut slow = Vec::from_iter(std::iter::repeat_with(|| server.connect()).take(20));
        for connection in &mut slow {
            connection.ask("1 Maca");
        }
        for byte in "1 maçã\n".bytes() {
            for connection in &mut slow {
                connection.send([byte]);
            }
            // Whoever writes slowly is no hurry, and holds up nobody.
            assert!(first.ask("1 Maca").starts_with("Maca: "));
        }
        for connection in &mut slow {
            assert_eq!(connection.reply(), "Maca: R$3.0, Estoque: 20");
        }
        // A preface that comes byte by byte is one.
        let mut stream = connect(&server);
        stream.set_nodelay(true).unwrap();
        for byte in http2::opening(&[]) {
            stream.write_all(&[byte]).unwrap();
        }
        assert_eq!(http2::read_frame(&mut stream).unwrap().0, SETTINGS);
        assert_eq!(http2::read_frame(&mut stream).unwrap().1, ACK);
    });
}

#[test]
fn connections_that_say_nothing_or_half_a_thing() {
    let server = attacked(&["--idle-seconds", "2"]);
    let (mut left, growth) = held(&server, || {
        let open = |bytes: &[u8]| {
            let mut connection = server.connect();
            connection.send(bytes);
            connection
        };
        let half: [&[u8]; 4] = [b"", b"PRI * HTT", &http2::opening(&[]), b"1 Maca\n3 Ca"];
        (0..400).map(|index| open(half[index % half.len()])).collect::<Vec<_>>()
    });
    assert!(growth < MEMORY_GROWTH_MAX_KIB, "{growth} KiB more");
    // They are ended; nobody waits for ever.
    for connection in &mut left {
        connection.rest();
    }
}

#[test]
fn a_client_that_speaks_now_and_then_is_not_idle() {
    let server = Server::start(&["--idle-seconds", "2"]);
    let mut silent = server.connect();
    let mut talker = server.connect();
    let start = Instant::now();
    // The silent one's end is the event that says that the time is over.
    let ended = std::thread::spawn(move || silent.rest());
    while !ended.is_finished() || start.elapsed() < Duration::from_secs(3) {
        assert_eq!(talker.ask("1 Maca"), "Maca: R$3.0, Estoque: 20");
        assert!(start.elapsed() < PATIENCE);
    }
    assert_eq!(ended.join().unwrap(), b"");
    assert_eq!(talker.ask("1 Maca"), "Maca: R$3.0, Estoque: 20");
}

#[test]
fn a_flood_of_connections() {
    let server = attacked(&[]);
    let port = server.port;
    let ((), growth) = held(&server, || {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        drop(TcpStream::connect(("127.0.0.1", port)).unwrap());
                    }
                });
            }
        });
    });
    assert!(growth < MEMORY_GROWTH_MAX_KIB, "{growth} KiB more");
}

/// Connects until there is room again, and returns the answer.
fn ask_until_served(server: &Server) -> String {
    let start = Instant::now();
    loop {
        match server.connect().try_reply_to("1 Maca\n") {
            Some(reply) if !reply.starts_with("Erro RESOURCE_EXHAUSTED: ") => return reply,
            _ => assert!(start.elapsed() < PATIENCE, "there is never room again"),
        }
    }
}

#[test]
fn newcomers_are_refused_in_their_own_protocol_and_the_served_go_on() {
    for limit in ["--max-connections", "--max-connections-per-address"] {
        let server = Server::start(&[limit, "4"]);
        let mut served: Vec<Connection> = (0..4).map(|_| server.connect()).collect();
        for connection in &mut served {
            assert_eq!(connection.ask("1 Maca"), "Maca: R$3.0, Estoque: 20");
        }
        // Text, text without a line end, one that says nothing, gRPC, and our own clients.
        for said in ["1 Maca\n", "1 Maca", ""] {
            let mut connection = server.connect();
            connection.send(said);
            let answer = String::from_utf8(connection.rest()).unwrap();
            assert!(answer.starts_with("Erro RESOURCE_EXHAUSTED: "), "{limit}, {said:?}: {answer}");
            assert!(answer.ends_with(".\n\n"), "{answer}");
        }
        for transport in ["--grpc", "--socket"] {
            let refused = server.run(&["update", "Maca", "-1", transport]);
            assert_eq!(refused.code, 5, "{transport}: {refused:?}");
            assert!(refused.err.contains("Nada foi feito"), "{}", refused.err);
        }
        for connection in &mut served {
            assert_eq!(connection.ask("1 Maca"), "Maca: R$3.0, Estoque: 20");
        }
        served.pop();
        assert_eq!(ask_until_served(&server), "Maca: R$3.0, Estoque: 20");
    }
}

#[test]
fn a_flood_at_the_limit_leaves_the_served_alone() {
    let server = attacked(&["--max-connections", "8"]);
    let ((), growth) = held(&server, || {
        // Those beside whom it is held have two places; these have the rest.
        let mut served: Vec<Connection> = (0..6).map(|_| server.connect()).collect();
        served.iter_mut().for_each(|connection| drop(connection.ask("1 Maca")));
        let mut silent: Vec<TcpStream> = (0..500).map(|_| connect(&server)).collect();
        // Some are told, the rest is closed without a word; nobody is left hanging.
        for stream in &mut silent {
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut answer = Vec::new();
            if let Err(error) = stream.read_to_end(&mut answer) {
                assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            }
        }
        served.iter_mut().for_each(|connection| drop(connection.ask("1 Maca")));
    });
    assert!(growth < MEMORY_GROWTH_MAX_KIB, "{growth} KiB more");
}

#[test]
fn without_file_descriptors_it_waits_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    // A hard limit, so that the server cannot raise it.
    let script = "ulimit -n 72; exec \"$0\" serve --port 0 2>erros";
    command.args(["-c", script]).arg(hortifruti(folder.path()).get_program());
    let mut child = command.current_dir(folder.path()).stdout(Stdio::null()).spawn().unwrap();
    let port = published_port(folder.path());
    let mut served = Connection::new(port);
    assert_eq!(served.ask("1 Maca"), "Maca: R$3.0, Estoque: 20");
    let flood: Vec<TcpStream> = (0..300).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    let errors = folder.path().join("erros");
    let start = Instant::now();
    while !std::fs::read_to_string(&errors).unwrap().contains("cannot be accepted") {
        assert_eq!(served.ask("3 Caju 1").split(':').next(), Some("Caju"));
        assert!(start.elapsed() < PATIENCE, "{}", std::fs::read_to_string(&errors).unwrap());
    }
    // While nothing can be accepted the processor rests: the silence of one newcomer, who
    // is told only after a while, is the clock.
    let before = cpu_ticks(&format!("/proc/{}/stat", child.id()));
    let clock = Instant::now();
    let mut silent = TcpStream::connect(("127.0.0.1", port)).unwrap();
    silent.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let _ = silent.read(&mut [0; 1]);
    let busy = (cpu_ticks(&format!("/proc/{}/stat", child.id())) - before) as f64 / 100.0;
    assert!(busy < clock.elapsed().as_secs_f64() / 2.0, "{busy} s of processor in {:?}", clock.elapsed());
    drop(flood);
    let start = Instant::now();
    while Connection::new(port).try_reply_to("1 Maca\n").as_deref() != Some("Maca: R$3.0, Estoque: 20") {
        assert!(start.elapsed() < PATIENCE, "it never recovers");
    }
    assert_eq!(served.ask("1 Maca"), "Maca: R$3.0, Estoque: 20");
    signal(child.id(), "TERM");
    assert_eq!(end_of(&mut child).code(), Some(0));
}

/// How long a connection that has ended no line is silent before its text is a command.
const QUIET: Duration = Duration::from_millis(50);

/// What a text changes when it is a command of its own, and 0 when it is none that changes.
fn change_of(text: &str) -> i64 {
    let delta = text.trim_end_matches(['\r', '\n']).strip_prefix("3 Caju ");
    delta.and_then(|delta| delta.parse().ok()).unwrap_or(0)
}

#[test]
fn commands_cut_anywhere_are_applied_whole_or_not_at_all() {
    let commands =
        ["3 Caju -12\n", "3 Caju +7\r\n", "3 Pera -1 id=corte motivo=venda\n", "1 maçã\n", "2 3,50\n"];
    let server = Server::start(&[]);
    let mut caju = server.connect();
    caju.ask("3 Caju 100000");
    let mut expected = 100_060;
    for pause in [Duration::from_millis(5), 3 * QUIET] {
        let mut cut = Vec::new();
        for command in commands {
            for at in 1..command.len() {
                for has_ended_a_line in [false, true] {
                    let mut connection = server.connect();
                    if has_ended_a_line {
                        connection.ask("1 Pera");
                    }
                    cut.push((command, at, has_ended_a_line, connection));
                }
            }
        }
        // All at once, so that the pauses are waited for together.
        let before = Instant::now();
        for (command, at, _, connection) in &mut cut {
            connection.send(&command.as_bytes()[..*at]);
        }
        std::thread::sleep(pause);
        for (command, at, _, connection) in &mut cut {
            connection.send(&command.as_bytes()[*at..]);
            connection.finish();
        }
        let is_short = before.elapsed() < QUIET;
        for (command, at, has_ended_a_line, connection) in &mut cut {
            let told = format!("{command:?} cut at {at} for {pause:?}, after a line: {has_ended_a_line}");
            let replies = String::from_utf8(connection.rest()).unwrap();
            let count = replies.matches("\n\n").count();
            match count {
                1 => expected += change_of(command),
                2 => {
                    // By the contract what came before the pause is a command, and the rest one.
                    assert!(!*has_ended_a_line, "{told}: {replies}");
                    assert!(!is_short, "{told}: {replies}");
                    let parts = command.as_bytes().split_at(*at);
                    for part in [parts.0, parts.1] {
                        expected += std::str::from_utf8(part).map_or(0, change_of);
                    }
                }
                _ => panic!("{told}: {replies}"),
            }
            // The last byte is the line end: what came before it was complete.
            if pause > QUIET && !*has_ended_a_line && *at + 1 < command.trim_end().len() {
                assert_eq!(count, 2, "{told}: {replies}");
            }
        }
        assert_eq!(caju.ask("1 Caju"), format!("Caju: R$2.0, Estoque: {expected}"), "{pause:?}");
    }
}

/// What a terminal would obey: a title, a cleared screen, C1 controls, turned text, a line.
const OBEYED: &str = "\u{1b}]0;dono\u{7}\u{1b}[2J\u{9b}31m\u{202E}\u{2028}";

fn assert_harmless(text: &str) {
    let bad = |character: char| hortifruti::catalog::is_unsafe_to_show(character) && character != '\n';
    assert!(!text.contains(bad), "{text:?}");
}

#[test]
fn a_hostile_server_cannot_write_on_the_clients_terminal() {
    // Over text: as an error, as a name, as the unit of nothing, and as no reply at all.
    for reply in [
        format!("Erro INTERNAL: {OBEYED}fim\n\n"),
        format!("{OBEYED}: R$3.0, Estoque: 1\n\n"),
        format!("Maca: R$3.0, Estoque: {OBEYED}\n\n"),
        format!("{OBEYED}\n\n"),
    ] {
        let told = ask_hostile(&["query", "Maca", "--socket"], move |mut stream| {
            let mut question = [0; 64];
            let _ = stream.read(&mut question);
            let _ = stream.write_all(reply.as_bytes());
        });
        assert_harmless(&told);
    }
    // Over gRPC: with our error details, and as anything on the way would say it.
    let message: String = OBEYED.to_owned() + "fim";
    let ours = status(Refusal::new(Code::OutOfRange, message)).into_http::<()>();
    let text = |value: &tonic::codegen::http::HeaderValue| value.to_str().unwrap().to_owned();
    let ours: Vec<(String, String)> =
        ours.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let escaped: String = OBEYED.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let plain = |code: &str| {
        vec![
            ("content-type".to_owned(), "application/grpc".to_owned()),
            ("grpc-status".to_owned(), code.to_owned()),
            ("grpc-message".to_owned(), escaped.clone()),
        ]
    };
    let mut broken = plain("8");
    broken.push(("grpc-status-details-bin".to_owned(), "!!!".to_owned()));
    for fields in [ours, plain("8"), plain("11"), plain("13"), plain("3"), broken] {
        let all = [(":status", "200")]
            .into_iter()
            .chain(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let answer = http2::fields(all);
        let told =
            ask_hostile(&["query", "Maca", "--grpc"], move |stream| http2::answer_calls(stream, &answer));
        assert_harmless(&told);
    }
}

/// Asks a server that answers so, and returns what the client printed.
fn ask_hostile(args: &[&str], serve: impl FnOnce(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = std::thread::spawn(move || serve(accept(&listener)));
    let folder = tempfile::tempdir().unwrap();
    let ended = run(hortifruti(folder.path()).args(args).args(["--server", &address]), "");
    server.join().unwrap();
    assert_ne!(ended.code, 0, "{ended:?}");
    assert!(ended.err.starts_with("Erro: "), "{}", ended.err);
    ended.out + &ended.err
}

#[test]
fn a_hostile_server_cannot_fill_the_clients_memory() {
    let told = ask_hostile(&["query", "--socket"], |mut stream| {
        let chunk = vec![b'x'; 1024 * 1024];
        while stream.write_all(&chunk).is_ok() {}
    });
    assert!(told.contains("não é um servidor hortifruti"), "{told}");
}

#[test]
fn a_goaway_is_no_answer_to_a_flood_of_them() {
    let server = Server::start(&[]);
    let mut stream = connect(&server);
    stream.write_all(&http2::opening(&[])).unwrap();
    let goaway = frame(GOAWAY, 0, 0, &[0; 8]);
    let stream = pour(stream, true, std::iter::repeat_n(goaway, 10_000));
    drop(stream);
    assert_eq!(server.connect().ask("1 Maca"), "Maca: R$3.0, Estoque: 20");
}

#[test]
fn names_that_a_spreadsheet_would_run_come_back_as_they_were() {
    let server = Server::start(&["--empty"]);
    let names = ["=1+1", "+55 11", "-x", "@soma", "'=1", "d'água", "a;=1+1", "x \"y\"", "＝1"];
    let mut rows = String::from("nome,preco,estoque,unidade\n");
    for name in names {
        // As a person writes it: with no guard.
        let name = if name == "'=1" { "''=1" } else { name };
        rows.push_str(&format!("\"{}\",1,2,@cx\n", name.replace('"', "\"\"")));
    }
    let imported = run(&mut server.command(&["import", "-"]), &rows);
    assert_eq!(imported.out, "9 criados, 0 atualizados, 0 sem mudança.\n", "{}", imported.err);
    let exported = server.run(&["export"]).out;
    for cell in exported.lines().flat_map(|line| line.split(['\t', ','])) {
        let cell = cell.trim_start_matches('"');
        assert!(!cell.starts_with(['=', '+', '-', '@', '＝']), "{cell}: {exported}");
    }
    let other = Server::start(&["--empty"]);
    assert_eq!(run(&mut other.command(&["import", "-"]), &exported).out, imported.out);
    assert_eq!(other.run(&["export"]).out, exported);
    for name in names {
        assert_eq!(other.connect().ask(&format!("1 {name}")), format!("{name}: R$1.0, Estoque: 2"));
    }
}

#[test]
fn a_strangers_price_list_cannot_write_on_the_terminal() {
    let server = Server::start(&[]);
    let rows = format!("nome;preco;{OBEYED}\n{OBEYED};1;x\nUva;{OBEYED};x\n");
    let refused = run(&mut server.command(&["import", "-"]), &rows);
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert_harmless(&(refused.out + &refused.err));
}

#[test]
fn a_strangers_text_reaches_no_log_and_no_console_unescaped() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    for line in ["1 ", "3 Caju 1 id=", "3 ", "2 ", ""] {
        let reply = connection.ask(&format!("{line}{}", OBEYED.replace('\u{2028}', "")));
        assert_harmless(&reply);
    }
    connection.ask("5");
    let mut lines = 0;
    while lines < 6 {
        let line = server.console_line();
        lines += usize::from(line.starts_with("Comando recebido: "));
        assert_harmless(&line);
    }
}
