//! SIGTERM under full load: what was answered stays, what was received is answered, and
//! nobody holds the stop or is left hanging.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use prost::Message;
use tokio::sync::oneshot;

use hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient;
use hortifruti::wire::grpc::v1::{
    AdjustStockRequest, GetProductRequest, ImportProductsRequest, ProductDraft, StreamAdjustStockRequest,
};

use crate::history::Way;
use crate::history::play::{End, Plan, play};
use crate::http2::{self, ACK, DATA, END_HEADERS, END_STREAM, HEADERS, SETTINGS, frame, read_frame};
use crate::support::{PATIENCE, Server, hortifruti, run};

/// Time to drain that nothing needs where the clients read their answers.
const DRAIN_SECONDS: &str = "25";

/// Far below that, and far above what a stop takes where the machine is not busy.
const STOP_MAX: Duration = Duration::from_secs(8);

fn adjustment(name: &str) -> StreamAdjustStockRequest {
    let name = name.to_owned();
    let adjustment = AdjustStockRequest { name, delta_thousandths: 1000, ..AdjustStockRequest::default() };
    StreamAdjustStockRequest { adjustment: Some(adjustment) }
}

/// Full load: every client has as much in flight as fills the server's hands.
fn full_load(ends: Vec<End>) -> Plan {
    Plan {
        seed: 5,
        clients: [(Way::Text, 4), (Way::Calls, 4), (Way::Stream, 4)],
        in_flight_max: 64,
        rest: Duration::ZERO,
        answers: 3000,
        ends,
    }
}

#[test]
fn clients_that_read_their_answers_hold_no_stop() {
    let mut server = Server::start(&["--drain-seconds", DRAIN_SECONDS]);
    let played = play(&mut server, &full_load(vec![End::Stop(STOP_MAX); 3]));
    played.assert_true("stops");
}

#[test]
fn a_text_client_that_never_stops_sending_holds_no_stop() {
    let mut server = Server::start(&["--drain-seconds", DRAIN_SECONDS]);
    let stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let mut sender = stream.try_clone().unwrap();
    let sending = std::thread::spawn(move || while sender.write_all(b"3 Caju 1\n").is_ok() {});
    let mut replies = BufReader::new(stream).lines();
    for _ in 0..1000 {
        replies.next().unwrap().unwrap();
    }
    let reading = std::thread::spawn(move || replies.map_while(Result::ok).count());
    server.signal("TERM");
    let (code, took) = server.wait_for_end();
    assert_eq!(code, Some(0));
    assert!(took < STOP_MAX, "{took:?}");
    sending.join().unwrap();
    reading.join().unwrap();
}

#[test]
fn clients_that_do_not_hold_the_stop_no_longer_than_the_drain_time() {
    /// With `--drain-seconds 2`, and time for a busy machine.
    const STOP_MAX: Duration = Duration::from_secs(6);
    let mut server = Server::start(&["--drain-seconds", "2"]);
    let port = server.port;

    // A half-sent line, which must change nothing: else the history has a movement too many.
    let mut half_sent = server.connect();
    half_sent.ask("1 Caju");
    half_sent.send("3 Caju -1");
    // Half an HTTP/2 preface (which is no command, and is told so), a whole one and nothing
    // more, and a connection that says nothing.
    let mut half_preface = server.connect();
    half_preface.send("PRI * HTTP/2.0\r\n");
    let mut silent_grpc = server.connect();
    silent_grpc.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    let mut silent = server.connect();
    // One that asks and asks, and never reads.
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let deaf = std::thread::spawn(move || while stream.write_all("4\n".repeat(1000).as_bytes()).is_ok() {});
    // The same on a gRPC stream, with changes of a product that there is not; and one that
    // has called once and does not look at its connection any more.
    let (end, ended) = oneshot::channel::<()>();
    let (calls, called) = std::sync::mpsc::channel();
    let deaf_grpc = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (_service, _answers) = runtime.block_on(async {
            let mut service =
                InventoryServiceClient::connect(format!("http://127.0.0.1:{port}")).await.unwrap();
            let name = "Caju".to_owned();
            service.get_product(GetProductRequest { name }).await.unwrap();
            let requests = tokio_stream::iter(std::iter::repeat(adjustment("Kiwi")));
            let answers = service.stream_adjust_stock(requests).await.unwrap();
            (service, answers)
        });
        calls.send(()).unwrap();
        // As long as the test goes on, whose own waits have limits; a test that fails ends this too.
        let _ = runtime.block_on(ended);
    });

    called.recv_timeout(PATIENCE).expect("a gRPC client calls before the server stops");
    let played = play(&mut server, &full_load(vec![End::Stop(STOP_MAX)]));
    played.assert_true("stops");
    // Nobody hangs: all of them have seen the end.
    for connection in [&mut half_sent, &mut silent] {
        assert_eq!(connection.rest(), b"");
    }
    // The stop may come before it is clear that no other half follows; then nothing is told.
    let told = half_preface.rest();
    assert!(told.is_empty() || told.starts_with(b"Erro UNKNOWN_COMMAND: "), "{told:?}");
    silent_grpc.rest();
    deaf.join().unwrap();
    end.send(()).unwrap();
    deaf_grpc.join().unwrap();
}

/// Calls the import of one product with this much of its message, which the server has then
/// read.
fn begin_import(port: u16, flags: u8, part: &[u8]) -> TcpStream {
    let call = http2::call("/hortifruti.v1.InventoryService/ImportProducts");
    let call = frame(HEADERS, END_HEADERS, 1, &call);
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(&[http2::opening(&[]), call, frame(DATA, flags, 1, part)].concat()).unwrap();
    while !matches!(read_frame(&mut stream).unwrap(), (SETTINGS, ACK, ..)) {}
    stream
}

#[test]
fn an_import_that_comes_slowly_or_waits_for_its_turn_is_answered() {
    const NAMES: [&str; 3] = ["Banana da terra madura", "Laranja da terra verde", "Manga"];
    // Some thirty bytes, so three seconds: longer than a connection is left alone.
    const PAUSE: Duration = Duration::from_millis(100);
    let messages = NAMES.map(|name| {
        let products = vec![ProductDraft { name: name.to_owned(), ..ProductDraft::default() }];
        let import = ImportProductsRequest { products, ..ImportProductsRequest::default() };
        http2::message(&import.encode_to_vec())
    });
    // While the server stops, and where one that is silent for a second is ended.
    for (args, stops_first) in [(["--drain-seconds", DRAIN_SECONDS], true), (["--idle-seconds", "1"], false)]
    {
        let mut server = Server::start(&args);
        // These two have the turns that there are.
        let mut slow = [0, 1].map(|index| begin_import(server.port, 0, &messages[index][..1]));
        let waiting = begin_import(server.port, END_STREAM, &messages[2]);
        if stops_first {
            server.signal("TERM");
        }
        for at in 1..messages[0].len() {
            std::thread::sleep(PAUSE);
            for (stream, message) in slow.iter_mut().zip(&messages) {
                let flags = if at + 1 == message.len() { END_STREAM } else { 0 };
                stream.write_all(&frame(DATA, flags, 1, &message[at..=at])).unwrap();
            }
        }
        for mut stream in slow.into_iter().chain([waiting]) {
            while read_frame(&mut stream).expect("an answer").0 != HEADERS {}
        }
        if !stops_first {
            server.signal("TERM");
        }
        assert_eq!(server.wait_for_end().0, Some(0));
        server.restart();
        let mut client = server.connect();
        for name in NAMES {
            assert_eq!(client.ask(&format!("1 {name}")), format!("{name}: R$0.0, Estoque: 0"));
        }
    }
}

#[test]
fn another_process_stops_the_server_by_its_port_file() {
    let mut server = Server::start(&[]);
    let other = Server::start(&[]);
    assert_eq!(server.run(&["update", "Caju", "-20"]).code, 0);
    let ended = server.run(&["stop"]);
    assert!(ended.code == 0 && ended.out.is_empty() && ended.err.contains(" parou."), "{ended:?}");
    assert_eq!(server.wait_for_end().0, Some(0));
    let left = ["server_port.txt", "hortifruti.db-wal"].map(|name| server.path().join(name).exists());
    assert_eq!(left, [false; 2]);
    // Only the server of that port file.
    assert_eq!(other.run(&["query", "Caju"]).out, "Caju: R$2.0, Estoque: 60\n");
    let ended = server.run(&["stop"]);
    assert!(ended.code == 1 && ended.err.contains("não há arquivo de porta"), "{ended:?}");
    server.restart();
    assert_eq!(server.run(&["query", "Caju"]).out, "Caju: R$2.0, Estoque: 40\n");
}

#[test]
fn a_stale_port_file_stops_nobody() {
    let folder = tempfile::tempdir().unwrap();
    // A port on which another program listens.
    let foreign = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = foreign.local_addr().unwrap().port();
    std::fs::write(folder.path().join("server_port.txt"), port.to_string()).unwrap();
    let ended = run(hortifruti(folder.path()).arg("stop"), "");
    assert!(ended.code == 1 && ended.err.contains("Nada foi parado"), "{ended:?}");
}
