//! The server's life: its port file, its stop, and what it refuses to start with.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::http2::{self, ACK, END_HEADERS, GOAWAY, HEADERS, PING, frame, read_frame};
use crate::support::waiting::{end_of, published_port};
use crate::support::{PATIENCE, Server, hortifruti, run, signal};
use crate::terminal::Terminal;

/// What Linux keeps of the name of a worker's thread.
const WORKER: &str = "hortifruti-work";

#[test]
fn as_many_workers_serve_as_are_asked_for() {
    for workers in ["1", "4"] {
        let mut server = Server::start(&["--workers", workers]);
        // More connections than workers, so that each worker has at least one.
        let mut connections: Vec<_> = (0..5).map(|_| server.connect()).collect();
        for (number, connection) in (61..).zip(&mut connections) {
            assert!(connection.ask("3 Caju 1").contains(&number.to_string()));
        }
        assert_eq!(server.threads(WORKER).len().to_string(), workers);
        drop(connections);
        server.stop();
    }
}

#[test]
fn the_port_file_lives_as_long_as_the_server() {
    let mut server = Server::start(&[]);
    let path = server.path().join("server_port.txt");
    assert_eq!(fs::read_to_string(&path).unwrap(), server.port.to_string());
    server.stop();
    assert!(!path.exists());

    // A file that a killed server left behind is taken over.
    server.restart();
    server.kill();
    assert!(path.exists());
    server.restart();
    assert_eq!(fs::read_to_string(&path).unwrap(), server.port.to_string());

    // A living server's is not, and the second leaves nothing behind.
    let second = run(hortifruti(server.path()).args(["serve", "--port", "0", "--data", "outro.db"]), "");
    assert_eq!(second.code, 1);
    assert!(second.err.contains("--port-file"), "{}", second.err);
    assert!(!server.path().join("outro.db").exists());
}

#[test]
fn a_terminal_shows_the_console_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::run(folder.path(), 80, &["serve", "--port", "0"]);
    terminal.wait_for("Aguardando conexão...");
    let screen = terminal.screen();
    let lines: Vec<&str> = screen.lines().collect();
    // A new shop says on standard error how to take its examples away.
    let [note, way, started, waits] = lines[..] else { panic!("{screen}") };
    assert!(
        note.contains("só os produtos de exemplo") && note.contains("product clear-examples"),
        "{screen}"
    );
    assert!(way.contains("serve --empty"), "{screen}");
    assert!(started.starts_with("Iniciando comunicacao com localhost na porta "), "{screen}");
    assert_eq!(waits, "Aguardando conexão...");
    terminal.send("\x03");
    terminal.wait_for_end();
}

#[test]
fn the_examples_are_named_until_the_shop_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let is_told = |args: &[&str]| {
        let mut terminal = Terminal::run(folder.path(), 80, &[&["serve", "--port", "0"], args].concat());
        terminal.wait_for("Aguardando conexão...");
        let is_told = terminal.screen().contains("hortifruti product clear-examples");
        terminal.send("\x03");
        terminal.wait_for_end();
        is_told
    };
    assert!(is_told(&[]) && is_told(&[]));
    assert!(!is_told(&["--data", ":memory:"]) && !is_told(&["--data", "vazia.db", "--empty"]));
    let mut server = Server::start_in(folder, &[]);
    server.connect().ask("3 Caju -1");
    server.stop();
    let mut terminal = Terminal::run(server.path(), 80, &["serve", "--port", "0"]);
    terminal.wait_for("Aguardando conexão...");
    assert_eq!(terminal.screen().lines().count(), 2, "{}", terminal.screen());
    terminal.send("\x03");
    terminal.wait_for_end();
}

#[test]
fn one_server_for_one_database() {
    let server = Server::start(&[]);
    let second = run(hortifruti(server.path()).args(["serve", "--port", "0", "--port-file", "outra"]), "");
    assert_eq!(second.code, 1);
    assert!(
        second.err.contains("hortifruti.db") && second.err.contains(&server.port.to_string()),
        "{}",
        second.err
    );
    assert!(!server.path().join("outra").exists());
}

#[test]
fn what_it_does_not_start_with() {
    let server = Server::start(&[]);
    let port = server.port.to_string();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("texto.db"), "não é um banco").unwrap();
    for (args, told) in [
        (&["--port", port.as_str()][..], "--port 0"),
        (&["--port", "0", "--host", "0.0.0.0"], "--insecure"),
        (&["--port", "0", "--data", "texto.db"], "texto.db"),
        (&["--port", "0", "--data", "nada/loja.db"], "nada/loja.db"),
        (&["--port", "0", "--port-file", "nada/porta"], "nada/porta"),
    ] {
        let ended = run(hortifruti(folder.path()).arg("serve").args(args), "");
        assert_eq!(ended.code, 1, "{ended:?}");
        assert!(ended.err.starts_with("Erro: ") && ended.err.contains(told), "{}", ended.err);
    }
    assert!(!folder.path().join("server_port.txt").exists());
}

#[test]
fn it_stops_cleanly_with_idle_connections_and_half_sent_lines() {
    for signal in ["TERM", "INT"] {
        let mut server = Server::start(&["--drain-seconds", "20"]);
        let mut silent = server.connect();
        let mut idle = server.connect();
        assert_eq!(idle.ask("1 Caju"), "Caju: R$2.0, Estoque: 60");
        let mut half = server.connect();
        assert_eq!(half.ask("3 Caju -1"), "Caju: R$2.0, Estoque: 59");
        half.send("3 Caju -2");
        let mut preface = server.connect();
        preface.send("PRI * HTTP/2.0\r\n");
        let mut open_grpc = server.connect();
        open_grpc.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
        assert!(!open_grpc.receive(9).is_empty());
        // A client that has called and now does not even look at its connection.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let channel = runtime
            .block_on(
                tonic::transport::Endpoint::from_shared(format!("http://127.0.0.1:{}", server.port))
                    .unwrap()
                    .connect(),
            )
            .unwrap();
        let mut client =
            hortifruti::wire::grpc::v1::inventory_service_client::InventoryServiceClient::new(channel);
        let name = "Caju".to_owned();
        runtime.block_on(client.get_product(hortifruti::wire::grpc::v1::GetProductRequest { name })).unwrap();

        server.signal(signal);
        let (code, took) = server.wait_for_end();
        assert_eq!(code, Some(0), "{signal}");
        assert!(took < Duration::from_secs(10), "idle connections held the stop for {took:?}");
        assert!(!server.path().join("server_port.txt").exists());
        for connection in [&mut silent, &mut idle, &mut half, &mut preface] {
            assert_eq!(connection.rest(), b"");
        }
        server.restart();
        assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 59");
    }
}

#[test]
fn a_command_without_line_end_that_came_before_the_stop_is_answered() {
    let mut server = Server::start(&[]);
    let mut connection = server.connect();
    connection.send("3 Caju -20");
    server.signal("TERM");
    assert_eq!(String::from_utf8(connection.rest()).unwrap(), "Caju: R$2.0, Estoque: 40\n\n");
    assert_eq!(server.wait_for_end().0, Some(0));
}

#[test]
fn connections_that_wait_to_be_accepted_at_the_stop_are_answered() {
    let mut server = Server::start(&[]);
    // Known to a worker already, and so is all that it sends but what comes now.
    let mut known = server.connect();
    assert_eq!(known.ask("1 Caju"), "Caju: R$2.0, Estoque: 60");
    let mut crowd: Vec<_> = (0..300).map(|_| server.connect()).collect();
    for (index, connection) in crowd.iter_mut().enumerate() {
        connection.send(if index % 2 == 0 { "3 Caju 1" } else { "3 Caju 1\n" });
    }
    known.send("3 Caju 1\n");
    server.signal("TERM");
    for connection in crowd.iter_mut().chain([&mut known]) {
        let answer = String::from_utf8(connection.rest()).unwrap();
        assert!(answer.starts_with("Caju: R$2.0, Estoque: ") && answer.ends_with("\n\n"), "{answer:?}");
    }
    assert_eq!(server.wait_for_end().0, Some(0));
    server.restart();
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 361");
}

#[test]
fn a_stalled_console_does_not_hold_the_stop() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = hortifruti(folder.path())
        .args(["serve", "--port", "0"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut connection = crate::support::Connection::new(published_port(folder.path()));
    // More lines than the pipe and the queue hold, and nobody reads them.
    connection.send("1 Caju\n".repeat(20_000));
    for _ in 0..20_000 {
        assert_eq!(connection.reply(), "Caju: R$2.0, Estoque: 60");
    }
    signal(child.id(), "TERM");
    assert_eq!(end_of(&mut child).code(), Some(0));
}

/// Begins a call of `GetProduct` whose message never comes, and waits until the server knows it.
fn begin_call(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let call = http2::call("/hortifruti.v1.InventoryService/GetProduct");
    stream.write_all(&[http2::opening(&[]), frame(HEADERS, END_HEADERS, 1, &call)].concat()).unwrap();
    ping(&mut stream);
    stream
}

/// Sends a PING, waits for its answer, and returns the kinds of the frames that came before it.
fn ping(stream: &mut TcpStream) -> Vec<u8> {
    stream.write_all(&frame(PING, 0, 0, b"8 octets")).unwrap();
    let mut before = Vec::new();
    loop {
        let (kind, flags, _, payload) = read_frame(stream).expect("the server still answers");
        if (kind, flags, &payload[..]) == (PING, ACK, b"8 octets") {
            return before;
        }
        before.push(kind);
    }
}

#[test]
fn an_open_stream_holds_the_stop_no_longer_than_the_drain_time() {
    let mut server = Server::start(&["--drain-seconds", "1"]);
    let _call = begin_call(&server);
    let start = Instant::now();
    server.signal("TERM");
    assert_eq!(server.wait_for_end().0, Some(0));
    let took = start.elapsed();
    assert!(took >= Duration::from_secs(1), "the call did not hold the stop: {took:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    for (first, second) in [("TERM", "INT"), ("INT", "INT"), ("INT", "TERM"), ("TERM", "TERM")] {
        let mut server = Server::start(&["--drain-seconds", "3600"]);
        let mut idle = server.connect();
        idle.ask("1 Caju");
        let mut call = begin_call(&server);
        server.signal(first);
        // The stop has begun: who has nothing to wait for is gone, and the other is told.
        assert_eq!(idle.rest(), b"");
        let start = Instant::now();
        while !ping(&mut call).contains(&GOAWAY) {
            assert!(start.elapsed() < PATIENCE, "the call is not told of the stop");
        }
        // And the call holds it, until long after signals that are one.
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(200) {
            ping(&mut call);
        }
        assert!(server.is_running());
        server.signal(second);
        assert_eq!(server.wait_for_end().0, Some(130), "{first}, {second}");
    }
}

#[test]
fn a_wrong_level_of_the_log_is_said() {
    let folder = tempfile::tempdir().unwrap();
    for (level, is_wrong) in [("inof", true), ("info,h2=alto", true), ("hortifruti=info", false), ("", false)]
    {
        let args = ["serve", "--port", "0", "--data", "nao-ha/loja.db"];
        let ended = run(hortifruti(folder.path()).args(args).env("RUST_LOG", level), "");
        assert_eq!(ended.err.contains("RUST_LOG="), is_wrong, "{level}: {ended:?}");
    }
}

#[test]
fn a_signal_that_is_sent_twice_at_once_is_one() {
    // As `timeout` does, to its child and to the group.
    for _ in 0..20 {
        let mut server = Server::start(&[]);
        server.signal("TERM");
        server.signal("TERM");
        assert_eq!(server.wait_for_end().0, Some(0));
        assert!(!server.path().join("server_port.txt").exists());
    }
}

#[test]
fn a_closed_console_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut child = hortifruti(folder.path())
        .args(["serve", "--port", "0"])
        .stdout(full.try_clone().unwrap())
        .stderr(full)
        .spawn()
        .unwrap();
    published_port(folder.path());
    for _ in 0..3 {
        let ended = run(hortifruti(folder.path()).args(["update", "Caju", "1"]), "");
        assert_eq!(ended.code, 0, "{}", ended.err);
    }
    signal(child.id(), "TERM");
    assert_eq!(end_of(&mut child).code(), Some(0));
}

#[test]
fn a_stranger_cannot_write_on_the_terminal() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    connection.ask("1 \u{1b}]0;dono\u{7}\u{202E}");
    server.console_line();
    assert_eq!(server.console_line(), "Comando recebido: 1 \\u{1b}]0;dono\\u{7}\\u{202e}");
}

#[test]
fn nothing_is_kept_in_memory() {
    let mut server = Server::start(&["--data", ":memory:"]);
    assert_eq!(server.connect().ask("3 Caju -20"), "Caju: R$2.0, Estoque: 40");
    server.stop();
    server.restart();
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 60");
    assert!(!server.path().join("hortifruti.db").exists());
}
