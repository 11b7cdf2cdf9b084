//! A server that accepts connections and does not answer: it is not another program, a person
//! hears of it, and it is tried on.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::support::{PATIENCE, Server, finished, hortifruti};
use crate::terminal::Terminal;

const SILENT: &str = "não responde. A espera continua; Ctrl-C a encerra.";

/// How long a client tries before it gives up.
const TRIES: Duration = Duration::from_secs(10);

#[test]
fn a_person_hears_that_a_stopped_server_does_not_answer_and_gets_the_answer_later() {
    for transport in [&[][..], &["--socket"], &["--grpc"]] {
        for (asked, answer) in [
            (&["query", "Maca"][..], "Maca: R$3.0, Estoque: 20"),
            (&["update", "Caju", "-20"], "Caju: R$2.0, Estoque: 40"),
        ] {
            let server = Server::start(&[]);
            server.pause();
            let mut terminal = Terminal::run(server.path(), 200, &[asked, transport].concat());
            terminal.wait_for_text(SILENT);
            server.signal("CONT");
            terminal.wait_for_end();
            let screen = terminal.screen();
            assert_eq!(
                (screen.matches(SILENT).count(), screen.lines().last()),
                (1, Some(answer)),
                "{screen}"
            );
        }
    }
}

#[test]
fn a_shell_hears_it_at_its_start_and_while_it_waits() {
    for transport in ["--socket", "--grpc"] {
        let server = Server::start(&[]);
        server.pause();
        let mut terminal = Terminal::open(&server, &[transport], &[]);
        if transport == "--grpc" {
            terminal.wait_for_text(SILENT);
        }
        server.signal("CONT");
        assert!(terminal.ask("1 Maca").contains("Maca: R$3.0, Estoque: 20"));
        server.pause();
        // Tab waits for the names no longer than a moment.
        terminal.send("1 ban\t");
        let start = Instant::now();
        terminal.send("\u{3}");
        terminal.wait_for_prompt();
        assert!(start.elapsed() < TRIES, "Tab held the prompt");
        terminal.send("1 Maca\r");
        terminal.wait_for_text(SILENT);
        server.signal("CONT");
        assert!(terminal.wait_for_prompt().contains("Maca: R$3.0, Estoque: 20"));
    }
}

/// A place where connections are accepted by the system and by nobody else.
fn silent_place() -> (TcpListener, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

fn start(folder: &tempfile::TempDir, args: &[&str], address: &str) -> Child {
    let mut command = hortifruti(folder.path());
    command.args(args).args(["--server", address]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn who_never_answers_is_tried_for_ten_seconds_and_is_no_other_program() {
    let folder = tempfile::tempdir().unwrap();
    let (_silent, address) = silent_place();
    // Here even the system accepts no more.
    let full = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    full.bind(&std::net::SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    full.listen(0).unwrap();
    let full_address = full.local_addr().unwrap().as_socket().unwrap();
    let moment = Duration::from_millis(200);
    let waiting: Vec<_> =
        (0..16).map_while(|_| TcpStream::connect_timeout(&full_address, moment).ok()).collect();
    assert!(waiting.len() < 16, "the queue of connections has no end");
    let start_time = Instant::now();
    let clients = [
        (start(&folder, &["query"], &address), "query"),
        (start(&folder, &["update", "Caju", "-1"], &address), "update"),
        (start(&folder, &["shell", "--grpc"], &address), "shell"),
        (start(&folder, &["query", "--tls"], &address), "TLS"),
        (start(&folder, &["query", "--socket", "--tls"], &address), "TLS over text"),
        (start(&folder, &["update", "Caju", "-1", "--socket"], &full_address.to_string()), "no place"),
    ];
    for (client, what) in clients {
        let ended = finished(client);
        let time = start_time.elapsed();
        assert!(time >= TRIES && time < PATIENCE, "{what}: {time:?}");
        assert_eq!((ended.code, ended.out.as_str()), (5, ""), "{what}: {}", ended.err);
        assert!(ended.err.contains("aceita conexões e não responde"), "{what}: {}", ended.err);
        assert!(ended.err.contains("Nada foi alterado"), "{what}: {}", ended.err);
    }
}
