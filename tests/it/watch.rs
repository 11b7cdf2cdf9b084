//! `WatchMovements` and `acompanhar`: every movement once and in order, over kills, stops and slow clients.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Code, Request, Status, Streaming};
use tonic_types::StatusExt;

use hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient;
use hortifruti::wire::grpc::v1::watch_movements_response::Event;
use hortifruti::wire::grpc::v1::{
    self, AdjustStockRequest, UpdateProductRequest, WatchMovementsRequest, WatchMovementsResponse,
};

use crate::support::waiting::{self, wait_for};
use crate::support::{
    FIRST_LIST, PATIENCE, Server, executable, list, make_token, run, signal, without_environment,
};

/// Movements in one second of which the server keeps none in memory: twice what it keeps.
const MORE_THAN_KEPT: i64 = 2 * 16 * 1024;

/// Far below the default drain time, and far above what a stop takes.
const STOP_MAX: Duration = Duration::from_secs(5);

type Client = InventoryServiceClient<Channel>;

async fn connect(server: &Server) -> Client {
    InventoryServiceClient::connect(format!("http://127.0.0.1:{}", server.port)).await.unwrap()
}

async fn watch(client: &mut Client, after: Option<i64>, name: &str) -> Streaming<WatchMovementsResponse> {
    let request = WatchMovementsRequest { after_sequence: after, product_name: name.to_owned() };
    client.watch_movements(request).await.unwrap().into_inner()
}

/// The next event.
async fn event(stream: &mut Streaming<WatchMovementsResponse>) -> Result<Event, Status> {
    let message = tokio::time::timeout(PATIENCE, stream.message()).await.expect("an event in time");
    message.map(|message| message.expect("the server ends no stream without a status").event.unwrap())
}

/// The next movement.
async fn movement(stream: &mut Streaming<WatchMovementsResponse>) -> v1::Movement {
    loop {
        if let Event::Movement(movement) = event(stream).await.unwrap() {
            return movement;
        }
    }
}

async fn adjust(client: &mut Client, name: &str, units: i64) {
    let delta_thousandths = 1000 * units;
    let request = AdjustStockRequest { name: name.to_owned(), delta_thousandths, ..Default::default() };
    client.adjust_stock(request).await.unwrap();
}

/// A watch over the text protocol.
struct Lines {
    stream: TcpStream,
    lines: std::io::Lines<BufReader<TcpStream>>,
}

impl Lines {
    fn begin(server: &Server, line: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut lines = Self { lines: BufReader::new(stream.try_clone().unwrap()).lines(), stream };
        lines.send(line);
        lines
    }

    fn send(&mut self, line: &str) {
        self.stream.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    fn line(&mut self) -> String {
        self.lines.next().expect("a line and not the end").unwrap()
    }

    /// The number of the next line, which must be a movement.
    fn sequence(&mut self) -> i64 {
        let line = self.line();
        let number = line.strip_prefix('#').and_then(|line| line.split(' ').next());
        number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{line:?}"))
    }
}

/// Makes this many changes, and waits for the answers.
fn change(server: &Server, count: i64) {
    let mut connection = server.connect();
    for _ in 0..count / 1024 {
        connection.send("3 Caju 1\n".repeat(1024));
        (0..1024).for_each(|_| drop(connection.reply()));
    }
    connection.send("3 Caju 1\n".repeat((count % 1024) as usize));
    (0..count % 1024).for_each(|_| drop(connection.reply()));
}

#[tokio::test]
async fn all_watchers_see_the_changes_of_all_clients_in_one_order() {
    let mut server = Server::start(&["--workers", "2"]);
    let (mut client, mut other) = (connect(&server).await, connect(&server).await);
    let mut streams = Vec::new();
    for after in [None, Some(0), Some(2)] {
        streams.push(watch(&mut client, after, "").await);
    }
    let mut lines = Lines::begin(&server, "acompanhar apos=4");
    let mut connection = server.connect();
    for round in 0..20 {
        connection.send("3 Caju -1\n");
        adjust(&mut other, "Maca", 1).await;
        connection.reply();
        if round % 5 == 0 {
            connection.ask(&format!("desfazer {}", 5 + 2 * round));
        }
    }
    let mut seen = Vec::new();
    for (stream, first) in streams.iter_mut().zip([5, 1, 3]) {
        let mut movements = Vec::new();
        while movements.last().is_none_or(|last: &v1::Movement| last.sequence < 48) {
            movements.push(movement(stream).await);
        }
        let sequences: Vec<i64> = movements.iter().map(|movement| movement.sequence).collect();
        assert_eq!(sequences, (first..=48).collect::<Vec<_>>());
        seen.push(movements.split_off(movements.len() - 44));
    }
    // Live, a movement that was undone later has no link yet.
    assert_eq!((seen[0][0].undone_by, seen[0][2].undoes), (0, 5));
    assert!(seen.iter().all(|movements| *movements == seen[0]), "{seen:?}");
    assert_eq!((5..=48).map(|_| lines.sequence()).collect::<Vec<_>>(), (5..=48).collect::<Vec<_>>());
    // In the ledger, it has, as in the list of movements.
    server.kill();
    server.restart();
    let mut client = connect(&server).await;
    let mut again = watch(&mut client, Some(4), "").await;
    assert_eq!(movement(&mut again).await.undone_by, 7);
}

#[tokio::test]
async fn a_watcher_resumes_over_kills_without_a_gap_or_a_repetition() {
    let mut server = Server::start(&[]);
    let (mut seen, mut line_seen) = (4, 4);
    for round in 0..4 {
        let mut client = connect(&server).await;
        let mut stream = watch(&mut client, Some(seen), "").await;
        let mut lines = Lines::begin(&server, &format!("acompanhar apos={line_seen}"));
        let port = server.port;
        let changing = std::thread::spawn(move || {
            let Ok(mut connection) = crate::support::Connection::try_new(port) else { return };
            while connection.try_reply_to(&"3 Caju 1\n".repeat(16)).is_some() {
                let is_over = (0..15).any(|_| connection.try_reply().is_none());
                if is_over {
                    return;
                }
            }
        });
        for _ in 0..200 {
            seen += 1;
            assert_eq!(movement(&mut stream).await.sequence, seen);
            line_seen += 1;
            assert_eq!(lines.sequence(), line_seen);
        }
        if round % 2 == 0 {
            server.kill()
        } else {
            server.stop()
        }
        changing.join().unwrap();
        // What came before the end is in order too.
        loop {
            match event(&mut stream).await {
                Ok(Event::Movement(movement)) => {
                    seen += 1;
                    assert_eq!(movement.sequence, seen);
                }
                Ok(other) => panic!("{other:?}"),
                Err(status) => {
                    if round % 2 == 1 {
                        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
                        assert_eq!(status.get_details_error_info().unwrap().reason, "UNAVAILABLE");
                    }
                    break;
                }
            }
        }
        server.restart();
    }
    let last = server.connect().ask("historico limite=1");
    let mut client = connect(&server).await;
    let mut stream = watch(&mut client, Some(seen), "").await;
    adjust(&mut client, "Caju", 1).await;
    let last: i64 = last[1..].split(' ').next().unwrap().parse().unwrap();
    while seen <= last {
        seen += 1;
        assert_eq!(movement(&mut stream).await.sequence, seen);
    }
}

/// A transaction has its changes of terms before its movements, and a number of a movement may stand between them.
#[tokio::test]
async fn whoever_resumes_beside_another_watcher_gets_no_movement_twice() {
    let server = Server::start(&[]);
    let mut client = connect(&server).await;
    let mut live = watch(&mut client, None, "").await;
    for args in [["Maca", "Pera"], ["Pera", "Caju"]] {
        assert_eq!(server.run(&["product", "merge", args[0], args[1]]).code, 0);
        adjust(&mut client, "Caju", 1).await;
    }
    let last = 10;
    while movement(&mut live).await.sequence < last {}
    let mut text = Lines::begin(&server, "acompanhar apos=6");
    for after in 1..last {
        let mut resumed = watch(&mut client, Some(after), "").await;
        for expected in after + 1..=last {
            assert_eq!(movement(&mut resumed).await.sequence, expected, "after {after}");
        }
        if after >= 6 {
            assert_eq!(text.sequence(), after + 1);
        }
    }
}

#[tokio::test]
async fn a_slow_watcher_is_served_from_the_ledger_and_another_one_meanwhile() {
    let server = Server::start(&[]);
    let mut client = connect(&server).await;
    let mut slow = watch(&mut client, None, "").await;
    let mut slow_lines = Lines::begin(&server, "acompanhar apos=4");
    assert_eq!(
        {
            change(&server, 1);
            slow_lines.sequence()
        },
        5
    );
    change(&server, MORE_THAN_KEPT);
    let mut other = connect(&server).await;
    let mut quick = watch(&mut other, None, "").await;
    adjust(&mut other, "Maca", 1).await;
    let last = MORE_THAN_KEPT + 6;
    assert_eq!(movement(&mut quick).await.sequence, last);
    for sequence in 5..=last {
        assert_eq!(movement(&mut slow).await.sequence, sequence);
    }
    for sequence in 6..=last {
        assert_eq!(slow_lines.sequence(), sequence);
    }
}

#[tokio::test]
async fn one_product_and_changes_of_terms() {
    let mut server = Server::start(&[]);
    let mut client = connect(&server).await;
    let mut all = watch(&mut client, None, "").await;
    let mut one = watch(&mut client, Some(0), "CAJU").await;
    let mut lines = Lines::begin(&server, "acompanhar caju apos=0");
    change(&server, 2);
    adjust(&mut client, "Maca", 1).await;
    let product = v1::Product { price_centavos: 250, ..Default::default() };
    let mask = prost_types::FieldMask { paths: vec!["price_centavos".to_owned()] };
    let request = UpdateProductRequest {
        name: "Caju".to_owned(),
        product: Some(product),
        update_mask: Some(mask),
        ..Default::default()
    };
    client.update_product(request).await.unwrap();
    adjust(&mut client, "Caju", -1).await;
    let shown = async |stream: &mut Streaming<WatchMovementsResponse>, count| {
        let mut shown = Vec::new();
        for _ in 0..count {
            shown.push(match event(stream).await.unwrap() {
                Event::Movement(movement) => format!("#{}", movement.sequence),
                Event::Product(product) => format!("{} {}", product.name, product.price_centavos),
                Event::HeartbeatSequence(sequence) => format!(". {sequence}"),
            });
        }
        shown
    };
    assert_eq!(shown(&mut all, 5).await, ["#5", "#6", "#7", "Caju 250", "#8"]);
    assert_eq!(shown(&mut one, 6).await, ["Caju 200", "#4", "#5", "#6", "Caju 250", "#8"]);
    assert_eq!([(); 4].map(|()| lines.sequence()), [4, 5, 6, 8]);
    // Whoever resumes gets the terms that changed since, as they are now.
    server.kill();
    server.restart();
    let mut client = connect(&server).await;
    let mut all = watch(&mut client, None, "").await;
    let mut again = watch(&mut client, Some(6), "").await;
    assert_eq!(shown(&mut again, 3).await, ["Caju 250", "#7", "#8"]);
    // An import creates products, each of which is seen before its first movement.
    let imported = server.run(&["import", list(FIRST_LIST).to_str().unwrap(), "--yes"]);
    assert_eq!(imported.code, 0, "{imported:?}");
    for stream in [&mut all, &mut again] {
        for _ in 0..20 {
            let Event::Product(product) = event(stream).await.unwrap() else { panic!("no product") };
            let Event::Movement(movement) = event(stream).await.unwrap() else { panic!("no movement") };
            assert_eq!(product.name, movement.product_name);
        }
    }
}

#[tokio::test]
async fn a_number_that_is_not_there_is_refused_with_the_last_one() {
    let server = Server::start(&[]);
    let mut client = connect(&server).await;
    for (after, name, code) in [
        (Some(5), "", Code::InvalidArgument),
        (Some(-1), "", Code::InvalidArgument),
        (None, "Kiwi", Code::NotFound),
    ] {
        let request = WatchMovementsRequest { after_sequence: after, product_name: name.to_owned() };
        let status = client.watch_movements(request).await.unwrap_err();
        assert_eq!(status.code(), code, "{status:?}");
        let info = status.get_details_error_info().unwrap();
        if after == Some(5) {
            assert_eq!(info.metadata["last_sequence"], "4");
            assert!(status.message().contains("o último é #4"), "{status:?}");
        }
    }
    let mut connection = server.connect();
    for (line, start) in [
        ("acompanhar apos=5", "Erro INVALID_ARGUMENT: o movimento #5 não existe: o último é #4."),
        ("acompanhar apos=x", "Erro INVALID_ARGUMENT: \"apos=x\" inválido;"),
        ("acompanhar Kiwi", "Erro PRODUCT_NOT_FOUND: "),
    ] {
        let reply = connection.ask(line);
        assert!(reply.starts_with(start), "{reply}");
    }
}

#[test]
fn another_command_or_the_end_of_the_client_ends_a_text_watch() {
    let server = Server::start(&[]);
    let mut lines = Lines::begin(&server, "acompanhar apos=2\n1 Caju");
    assert_eq!([lines.sequence(), lines.sequence()], [3, 4]);
    assert_eq!([lines.line(), lines.line(), lines.line()], ["", "Caju: R$2.0, Estoque: 60", ""]);
    lines.send("acompanhar");
    change(&server, 1);
    assert_eq!(lines.sequence(), 5);
    lines.send("acompanhar");
    assert_eq!(lines.line(), "");
    lines.send("4");
    // A reply has at least one line.
    assert_eq!([lines.line(), lines.line(), lines.line()], [".", "", "Maca: R$3.0, Estoque: 20"]);
    let lines = Lines::begin(&server, "acompanhar apos=3");
    lines.stream.shutdown(Shutdown::Write).unwrap();
    let rest: Vec<String> = lines.lines.map(Result::unwrap).collect();
    assert!(rest.len() == 3 && rest[0].starts_with("#4 ") && rest[2].is_empty(), "{rest:?}");
}

#[tokio::test]
async fn an_open_watch_holds_no_stop_and_ends_with_unavailable() {
    let mut server = Server::start(&["--drain-seconds", "25"]);
    let mut client = connect(&server).await;
    let mut stream = watch(&mut client, None, "").await;
    let mut lines = Lines::begin(&server, "acompanhar apos=3");
    assert_eq!(lines.sequence(), 4);
    server.signal("TERM");
    let status = event(&mut stream).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("continue daqui a pouco"), "{status:?}");
    let line = lines.line();
    assert!(line.starts_with("Erro UNAVAILABLE: o servidor está parando"), "{line}");
    let (code, time) = server.wait_for_end();
    assert!(code == Some(0) && time < STOP_MAX, "{code:?} after {time:?}");
}

#[tokio::test]
async fn heartbeats_come_before_the_idle_limit_and_say_how_far_the_watch_is() {
    let server = Server::start(&["--idle-seconds", "2"]);
    let mut client = connect(&server).await;
    let mut stream = watch(&mut client, Some(4), "Maca").await;
    let begun = Instant::now();
    change(&server, 3);
    let mut last = 0;
    // Longer than a connection may be idle.
    while begun.elapsed() < Duration::from_secs(4) {
        let Event::HeartbeatSequence(sequence) = event(&mut stream).await.unwrap() else { panic!() };
        assert!((4..=7).contains(&sequence) && sequence >= last, "{sequence}");
        last = sequence;
    }
    assert_eq!(last, 7);
    adjust(&mut client, "Maca", 1).await;
    assert_eq!(movement(&mut stream).await.sequence, 8);
}

#[tokio::test]
async fn a_watch_needs_a_token_that_may_read_for_as_long_as_it_lasts() {
    let folder = tempfile::tempdir().unwrap();
    let [reads, counts, _] =
        ["leitura", "contagem", "escrita"].map(|role| make_token(folder.path(), role, role));
    let server = Server::start_in(folder, &["--token-file", "tokens", "--idle-seconds", "2"]);
    let mut client = connect(&server).await;
    let with_token = |secret: &str| {
        let mut request =
            Request::new(WatchMovementsRequest { after_sequence: Some(3), ..Default::default() });
        let bearer: MetadataValue<_> = format!("Bearer {secret}").parse().unwrap();
        request.metadata_mut().insert("authorization", bearer);
        request
    };
    let refused = client.watch_movements(WatchMovementsRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    let refused = client.watch_movements(with_token(&counts)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    let mut lines = Lines::begin(&server, &format!("token {counts}\nacompanhar"));
    assert_eq!([lines.line(), lines.line()], ["Token aceito: contagem.", ""]);
    assert!(lines.line().starts_with("Erro UNAUTHENTICATED: "));
    let mut stream = client.watch_movements(with_token(&reads)).await.unwrap().into_inner();
    assert_eq!(movement(&mut stream).await.sequence, 4);
    let revoked = server.run(&["token", "revoke", "leitura", "--token-file", "tokens"]);
    assert_eq!(revoked.code, 0, "{revoked:?}");
    server.signal("HUP");
    let status = loop {
        match event(&mut stream).await {
            Ok(Event::HeartbeatSequence(4)) => {}
            Ok(other) => panic!("{other:?}"),
            Err(status) => break status,
        }
    };
    assert_eq!(status.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn the_deadline_of_the_client_ends_a_watch() {
    let server = Server::start(&[]);
    let mut client = connect(&server).await;
    let mut request = Request::new(WatchMovementsRequest { after_sequence: Some(3), ..Default::default() });
    request.set_timeout(Duration::from_millis(200));
    let mut stream = client.watch_movements(request).await.unwrap().into_inner();
    assert_eq!(movement(&mut stream).await.sequence, 4);
    let status = event(&mut stream).await.unwrap_err();
    assert!(matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled), "{status:?}");
}

/// A watch by the executable, and its lines.
fn watching(server: &Server, args: &[&str]) -> (Child, Receiver<String>) {
    let mut command = server.command(args);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = waiting::lines(child.stdout.take().unwrap());
    (child, lines)
}

fn next(lines: &Receiver<String>) -> String {
    lines.recv_timeout(PATIENCE).expect("a line in time")
}

#[test]
fn the_one_shot_finds_the_server_again_and_prints_each_movement_once() {
    for way in ["--grpc", "--socket"] {
        let mut server = Server::start(&[]);
        let (mut child, lines) = watching(&server, &["watch", "--after", "2", "--format", "json", way]);
        let mut expected = 3;
        for round in 0..3 {
            change(&server, 5);
            let last = 4 + 5 * (round + 1);
            while expected <= last {
                let line: serde_json::Value = serde_json::from_str(&next(&lines)).unwrap();
                if line.get("product").is_none() {
                    assert_eq!(line["sequence"], expected, "{line}");
                    expected += 1;
                }
            }
            if round % 2 == 0 {
                server.kill()
            } else {
                server.stop()
            }
            server.restart();
        }
        signal(child.id(), "INT");
        assert_eq!(waiting::end_of(&mut child).code(), Some(0));
        assert_eq!(waiting::rest(&lines), [""; 0]);
    }
}

#[test]
fn the_one_shot_begins_with_the_next_movement_and_ends_with_its_output() {
    let server = Server::start(&[]);
    let (mut child, lines) = watching(&server, &["watch", "--product", "caju", "--format", "table"]);
    assert!(next(&lines).trim_start().starts_with("Nº  Quando "));
    wait_for(|| {
        let status = server.run(&["history", "Caju", "--limit", "1"]);
        change(&server, 1);
        lines.recv_timeout(Duration::from_millis(50)).map_err(|_| status.out)
    });
    signal(child.id(), "TERM");
    assert_eq!(waiting::end_of(&mut child).code(), Some(0));
    let (mut child, lines) = watching(&server, &["watch", "--after", "4"]);
    assert!(next(&lines).starts_with("#5 "));
    // The thread that reads the output keeps it open, so a shell closes it.
    let exe = executable();
    let piped = format!("{} watch --after 0 | head -n 3", exe.display());
    let mut shell = Command::new("sh");
    without_environment(shell.args(["-c", &piped]), server.path());
    let ended = run(&mut shell, "");
    assert!(ended.code == 0 && ended.out.lines().count() == 3 && ended.err.is_empty(), "{ended:?}");
    waiting::kill(&mut child);
    let refused = server.run(&["watch", "--after", "999"]);
    assert!(refused.code == 2 && refused.err.contains("o último é #"), "{refused:?}");
    let refused = server.run(&["watch", "--product", "Kiwi"]);
    assert_eq!(refused.code, 3, "{refused:?}");
}

#[test]
fn a_browser_watches_by_connect_over_http_1() {
    let mut server = Server::start(&["--idle-seconds", "2", "--drain-seconds", "25"]);
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let message = br#"{"afterSequence":"3"}"#;
    let head = format!(
        "POST /hortifruti.v1.InventoryService/WatchMovements HTTP/1.1\r\nhost: localhost\r\n\
         content-type: application/connect+json\r\ncontent-length: {}\r\n\r\n",
        message.len() + 5
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&[&[0, 0, 0, 0, message.len() as u8][..], message].concat()).unwrap();
    let mut come = String::new();
    let mut until = |expected: &str| {
        let mut chunk = [0; 4096];
        while !come.contains(expected) {
            let length = std::io::Read::read(&mut stream, &mut chunk).unwrap();
            assert!(length > 0, "the stream ended before {expected}: {come}");
            come.push_str(&String::from_utf8_lossy(&chunk[..length]));
        }
        come.drain(..come.find(expected).unwrap());
    };
    until(r#"{"movement":{"sequence":"4","productName":"Caju","kind":"MOVEMENT_KIND_OPENING""#);
    // Heartbeats keep the connection for longer than it may be idle.
    for heartbeat in 0..4 {
        until(r#"{"heartbeatSequence":"4"}"#);
        if heartbeat < 3 {
            until("}");
        }
    }
    change(&server, 1);
    until(r#"{"movement":{"sequence":"5""#);
    server.signal("TERM");
    until(r#"{"error":{"code":"unavailable""#);
    let (code, time) = server.wait_for_end();
    assert!(code == Some(0) && time < STOP_MAX, "{code:?} after {time:?}");
}

#[test]
fn the_shell_watches_until_it_is_interrupted_and_goes_on() {
    let server = Server::start(&[]);
    let mut command = server.command(&["shell"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = waiting::lines(child.stdout.take().unwrap());
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"acompanhar caju apos=3\n1 Maca\n").unwrap();
    assert!(next(&lines).starts_with("#4 "));
    change(&server, 1);
    assert!(next(&lines).starts_with("#5 "));
    signal(child.id(), "INT");
    assert_eq!(next(&lines), "Maca: R$3.0, Estoque: 20");
    drop(input);
    assert_eq!(waiting::end_of(&mut child).code(), Some(0));
}
