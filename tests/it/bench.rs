//! The bench: it measures every way, writes its reports, and notices a wrong stock.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::waiting::wait_until;
use crate::support::{Server, finished, hortifruti, run, signal};
use crate::terminal::Terminal;

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn it_measures_both_transports_and_checks_the_stock() {
    for pace in [&[][..], &["--rate", "500"]] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = hortifruti(folder.path());
        command.args(["bench", "--duration", "1", "--connections", "3", "--pipeline", "4"]);
        command.args(["--json", "r.json", "--html", "r & d.html"]).args(pace);
        let ended = run(&mut command, "");
        assert_eq!((ended.code, ended.err.as_str()), (0, ""));
        assert!(ended.out.contains("= estoque final, em 445 produtos."), "{}", ended.out);
        let json = json(&folder.path().join("r.json"));
        assert_eq!(json["is_stock_right"], true);
        let ways = json["ways"].as_array().unwrap();
        assert_eq!(ways.len(), 3);
        for way in ways {
            assert!(way["operations"].as_u64().unwrap() > 50, "{way}");
            assert!(way["bytes_per_operation"].as_f64().unwrap() > 20.0, "{way}");
            if !pace.is_empty() {
                // An open loop begins what it was told to, whatever comes back.
                let rate = way["operations_per_second"].as_f64().unwrap();
                assert!(rate < 600.0, "{way}");
            }
        }
        let html = fs::read_to_string(folder.path().join("r & d.html")).unwrap();
        assert_eq!(html.matches("<svg").count(), 2);
        assert_eq!(html.matches("<polyline").count(), 3);
        assert!(!html.contains("http://") && !html.contains("https://") && !html.contains("<script"));
        // The page says how it came to be, and what the terminal says.
        assert!(html.contains("--html 'r &amp; d.html'"), "{html}");
        assert!(html.contains(json["date"].as_str().unwrap()) && html.contains("hortifruti 0."));
        assert!(html.contains(ended.out.lines().next().unwrap()));
        assert!(html.contains(ended.out.lines().last().unwrap()));
        for name in ["op/s", "p50 µs", "p99,9 µs", "máx µs", "bytes/op"] {
            let row = ended.out.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            let cells: Vec<&str> = row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
            let shown = format!("<th scope=\"row\">{name}</th><td>{}</td>", cells.join("</td><td>"));
            assert!(html.contains(&shown), "{shown}");
        }
    }
}

#[test]
fn a_narrow_terminal_shows_it_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::run(folder.path(), 60, &["bench", "--duration", "1", "--rate", "100"]);
    terminal.wait_for_text("faltam");
    terminal.wait_for_end();
    let screen = terminal.screen();
    // A row that broke would not begin with a name.
    for line in screen.lines().filter(|line| line.contains('▆')) {
        assert!(line.contains("socket") || line.contains("gRPC "), "{screen}");
    }
    assert!(screen.contains('▆'), "{screen}");
    assert!(!screen.contains("faltam"), "{screen}");
}

/// Waits until the bench asks what it measures: its first way is text, which the console tells.
fn wait_for_questions(server: &Server) {
    while !server.console_line().starts_with("Comando recebido: 1 ") {}
}

#[test]
fn a_stall_counts_from_when_each_operation_was_to_begin() {
    let server = Server::start(&[]);
    let path = server.path().join("r.json");
    let mut command = hortifruti(server.path());
    command.args(["bench", "--server", &format!("127.0.0.1:{}", server.port), "--json", "r.json"]);
    command.args(["--duration", "5", "--rate", "200", "--connections", "2", "--pipeline", "1"]);
    command.args(["--mix", "read=100"]);
    let bench = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // From before the end of the first turn to after it.
    wait_for_questions(&server);
    std::thread::sleep(Duration::from_millis(800));
    server.pause();
    std::thread::sleep(Duration::from_millis(400));
    server.signal("CONT");
    let ended = finished(bench);
    assert_eq!(ended.code, 0, "{ended:?}");
    let json = json(&path);
    let mut slowest_p98 = 0.0_f64;
    for way in json["ways"].as_array().unwrap() {
        // None is left out because the server was late.
        let all = way["operations"].as_u64().unwrap() + way["operations_not_begun"].as_u64().unwrap();
        assert_eq!(all, 1000, "{way}");
        let percentiles = way["latency_microseconds"].as_array().unwrap();
        let p98 = percentiles.iter().find(|pair| pair[0] == 98.0).unwrap()[1].as_f64().unwrap();
        slowest_p98 = slowest_p98.max(p98);
    }
    // Of a way's thousand operations, some forty were to begin in the stall. A loop that
    // waits for its answers would have felt it twice.
    assert!(slowest_p98 > 50_000.0, "{json}");
}

#[test]
fn it_ends_with_its_server_and_leaves_nothing() {
    for name in ["INT", "TERM", "HUP"] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = hortifruti(folder.path());
        command.args(["bench", "--duration", "60"]).env("TMPDIR", folder.path());
        let bench = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let is_empty = || fs::read_dir(folder.path()).unwrap().next().is_none();
        wait_until("the bench has begun", || !is_empty());
        signal(bench.id(), name);
        let ended = finished(bench);
        assert_eq!((ended.code, ended.err.as_str()), (1, "Erro: a medição foi interrompida\n"));
        assert!(is_empty(), "{name}");
    }
}

#[test]
fn it_says_early_what_it_cannot_write_and_plainly_that_the_server_died() {
    let mut server = Server::start(&[]);
    let address = format!("127.0.0.1:{}", server.port);
    let started = Instant::now();
    let refused = server.run(&["bench", "--server", &address, "--duration", "60", "--html", "nao/ha.html"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.ends_with("não foi possível escrever nao/ha.html: não existe\n"), "{}", refused.err);
    assert!(refused.out.is_empty() && started.elapsed() < Duration::from_secs(20));

    let mut command = hortifruti(server.path());
    command.args(["bench", "--server", &address, "--duration", "60"]);
    let bench = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_questions(&server);
    server.kill();
    let ended = finished(bench);
    assert_eq!(ended.code, 5);
    let told = ended.err;
    assert!(told.starts_with("Erro: a conexão com o servidor caiu antes da resposta: "), "{told}");
    assert!(!told.contains("transport") && told.lines().count() == 1, "{told}");
}

#[test]
fn it_measures_a_server_that_is_there() {
    let server = Server::start(&[]);
    let address = format!("127.0.0.1:{}", server.port);
    let args = ["bench", "--server", &address, "--duration", "1", "--connections", "2", "--mix", "read=100"];
    let ended = server.run(&args);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.out.contains("estoque inicial + 0 mudanças"), "{}", ended.out);
    assert_eq!(server.connect().ask("4"), crate::support::FOUR_PRODUCTS);

    let empty = Server::start(&["--empty"]);
    let address = format!("127.0.0.1:{}", empty.port);
    let refused = empty.run(&["bench", "--server", &address]);
    assert!(refused.code != 0 && refused.err.contains("não tem produtos"), "{refused:?}");
    assert_eq!(empty.run(&["bench", "--mix", "tudo"]).code, 2);
}
