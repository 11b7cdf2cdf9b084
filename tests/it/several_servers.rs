//! Clients of a shop with several servers: dead, silent and frozen servers hold nobody, a server that stands by
//! says where the shop is, and a change is made once.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::support::waiting::{kill, lines};
use crate::support::{Ended, PATIENCE, Server, finished, hortifruti};

/// The longest time that a server without an answer may hold a client that knows another one: its silence of three
/// seconds, and a busy machine.
const HELD_MAX: Duration = Duration::from_secs(9);

/// An address where nothing listens. The socket keeps the port from others.
fn dead_address() -> (socket2::Socket, String) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&std::net::SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap().to_string();
    (socket, address)
}

/// A server of the text protocol that takes lines and answers each with this reply, or never without one. Also
/// returns what it was asked.
fn play(reply: Option<String>) -> (String, Receiver<String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (lines, asked) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, lines, reply) = (stream.unwrap(), lines.clone(), reply.clone());
            std::thread::spawn(move || {
                for line in BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok) {
                    let _ = lines.send(line);
                    if let Some(reply) = &reply
                        && stream.write_all(reply.as_bytes()).is_err()
                    {
                        return;
                    }
                }
            });
        }
    });
    (address, asked)
}

fn standing_by(holder: &str) -> Option<String> {
    Some(format!("Erro UNAVAILABLE: este servidor está de reserva. holder={holder}\n\n"))
}

fn start(server: &Server, args: &[&str], addresses: &[&str]) -> Child {
    let mut command = hortifruti(server.path());
    command.args(args).args(["--server", &addresses.join(",")]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn run(server: &Server, args: &[&str], addresses: &[&str]) -> Ended {
    finished(start(server, args, addresses))
}

fn address(server: &Server) -> String {
    format!("127.0.0.1:{}", server.port)
}

#[test]
fn a_dead_server_is_passed_over() {
    let server = Server::start(&[]);
    let (_kept, dead) = dead_address();
    for transport in [&[][..], &["--socket"], &["--grpc"]] {
        let ended = run(&server, &[&["query", "Maca"], transport].concat(), &[&dead, &address(&server)]);
        assert_eq!((ended.code, ended.out.as_str()), (0, "Maca: R$3.0, Estoque: 20\n"), "{}", ended.err);
    }
    let ended = run(&server, &["query"], &[&dead, &dead.replace("127.0.0.1", "localhost")]);
    assert_eq!(ended.code, 5);
    assert!(ended.err.contains("nenhum destes servidores atende: 127.0.0.1:"), "{}", ended.err);
    assert!(ended.err.contains("localhost:") && ended.err.contains("Nada foi enviado"), "{}", ended.err);
}

#[test]
fn a_frozen_server_holds_nobody_and_the_change_is_made_once() {
    for transport in [&[][..], &["--socket"], &["--grpc"]] {
        let server = Server::start(&[]);
        let (frozen, asked) = play(None);
        let begun_at = Instant::now();
        let change = [&["update", "Caju", "-20"], transport].concat();
        let ended = run(&server, &change, &[&frozen, &address(&server)]);
        assert_eq!((ended.code, ended.out.as_str()), (0, "Caju: R$2.0, Estoque: 40\n"), "{}", ended.err);
        assert!(begun_at.elapsed() < HELD_MAX, "{:?}", begun_at.elapsed());
        if transport == ["--socket"] {
            // The other server knows the change by the same id.
            let line = asked.recv_timeout(PATIENCE).unwrap();
            let id = line.rsplit_once("id=").unwrap().1.to_owned();
            let again = run(&server, &["update", "Caju", "-20", "--request-id", &id], &[&address(&server)]);
            assert_eq!(again.out, "Caju: R$2.0, Estoque: 40\n");
        }
    }
}

#[test]
fn a_server_that_stands_by_leads_to_the_one_that_writes() {
    let server = Server::start(&[]);
    let (standby, asked) = play(standing_by(&address(&server)));
    for (args, out) in [
        (&["query", "Maca", "--socket"][..], "Maca: R$3.0, Estoque: 20\n"),
        (&["update", "Caju", "-20", "--socket"], "Caju: R$2.0, Estoque: 40\n"),
    ] {
        let ended = run(&server, args, &[&standby]);
        assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (0, out, ""));
        asked.recv_timeout(PATIENCE).unwrap();
    }
    // A watch follows too.
    let mut watch = start(&server, &["watch", "--after", "0", "--socket"], &[&standby]);
    let line = lines(watch.stdout.take().unwrap()).recv_timeout(PATIENCE).unwrap();
    assert!(line.starts_with("#1 "), "{line}");
    kill(&mut watch);
}

#[test]
fn who_stands_by_alone_is_waited_for_and_then_says_so() {
    // The servers name each other, or nobody: a client tries on for a while, and hears why.
    let server = Server::start(&[]);
    let (alone, asked) = play(standing_by(""));
    let begun_at = Instant::now();
    let ended = run(&server, &["update", "Caju", "-1", "--socket"], &[&alone]);
    assert_eq!(ended.code, 5);
    assert!(ended.err.contains("Nenhum dos servidores da loja a atende agora"), "{}", ended.err);
    assert!(ended.err.contains("este servidor está de reserva"), "{}", ended.err);
    let tries = asked.try_iter().count();
    assert!((2..=1000).contains(&tries) && begun_at.elapsed() >= Duration::from_secs(10), "{tries} tries");
}
