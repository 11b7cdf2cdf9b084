//! A change whose answer is lost is in doubt, and is finished under its id: never twice.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use crate::proxy::Proxy;
use crate::support::waiting::wait_until;
use crate::support::{Ended, Server, finished, hortifruti, run, signal};
use crate::terminal::Terminal;

const TRANSPORTS: [&str; 2] = ["--socket", "--grpc"];

/// Waits until the server itself says this of a product.
fn wait_for_stock(server: &Server, name: &str, line: &str) {
    wait_until(line, || server.connect().ask(&format!("1 {name}")) == line);
}

fn start(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Runs what stands after the last colon and space of a message that gives a command.
fn paste(server: &Server, message: &str) -> Ended {
    let command = message.trim_end().rsplit_once("repita assim: ").expect(message).1;
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).current_dir(server.path());
    run(&mut shell, "")
}

#[test]
fn a_one_shot_whose_answer_is_lost_ends_with_the_command_to_paste() {
    for transport in TRANSPORTS {
        for end in ["INT", "TERM"] {
            let server = Server::start(&[]);
            run(&mut server.command(&["import", "-"]), "nome,preco,estoque\nALHO D'ÁGUA $5,1,50\n");
            let proxy = Proxy::start(server.port);
            proxy.swallow("alho d'água $5");
            let mut command = hortifruti(server.path());
            command.args(["update", "alho d'água $5", "-20", transport, "--reason", "venda"]);
            let client = start(command.env("HORTIFRUTI_SERVER", &proxy.address));
            wait_for_stock(&server, "ALHO D'ÁGUA $5", "ALHO D'ÁGUA $5: R$1.0, Estoque: 30");
            signal(client.id(), end);
            let lost = finished(client);
            assert_eq!((lost.code, lost.out.as_str()), (5, ""), "{}", lost.err);
            proxy.pass();
            for _ in 0..2 {
                let again = paste(&server, &lost.err);
                assert_eq!(again.out, "ALHO D'ÁGUA $5: R$1.0, Estoque: 30\n", "{}", again.err);
            }
        }
    }
}

#[test]
fn a_repeated_request_is_answered_after_its_products_have_other_names() {
    let server = Server::start(&[]);
    assert_eq!(server.run(&["product", "new", "Uva", "4,00"]).code, 0);
    let codes = [("Maca", "7"), ("Pera", "8"), ("Caju", "9")];
    for (name, code) in codes {
        assert_eq!(server.run(&["product", "set", name, "--code", code]).code, 0);
    }
    let requests: [&[&str]; 7] = [
        &["update", "Maca", "-2", "--reason", "venda", "--request-id", "r1", "--socket"],
        &["update", "Maca", "-2", "--reason", "venda", "--request-id", "r2", "--grpc"],
        &["update", "7", "-1", "--request-id", "r3"],
        &["sell", "1", "Maca", "2", "Pera", "--request-id", "b1"],
        &["count", "Caju", "50", "--request-id", "k1"],
        &["product", "set", "Pera", "--price", "6,00", "--request-id", "p1"],
        &["product", "merge", "Uva", "Caju", "--request-id", "m1"],
    ];
    let answered = |args: &[&str]| {
        let ended = server.run(args);
        assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
        ended.out
    };
    let first: Vec<String> = requests.iter().map(|args| answered(args)).collect();
    let history = || answered(&["history", "--limit", "100", "--format", "csv"]).lines().count();
    let movements = history();
    let renames = [("Maca", "Maçã Gala"), ("Pera", "Pera Rocha"), ("Caju", "Caju Bravo")];
    for ((from, to), (_, code)) in renames.iter().zip(codes) {
        answered(&["product", "rename", from, to]);
        answered(&["product", "set", to, "--code", &format!("1{code}")]);
    }
    for (args, first) in requests.iter().zip(first) {
        // An answer about one product by its name has the name of then.
        let expected = match args[..2] {
            ["update", "Maca"] => first,
            _ => renames.iter().fold(first, |text, (from, to)| text.replace(from, to)),
        };
        assert_eq!(answered(args), expected, "{args:?}");
    }
    assert_eq!(history(), movements);

    // What was never asked for is still not found, and other content under a known id is refused.
    for (args, code) in [
        (&["update", "Maca", "-2", "--request-id", "r9"][..], 3),
        (&["update", "Kiwi", "-2", "--reason", "venda", "--request-id", "r1"], 4),
        (&["update", "Maca", "-3", "--reason", "venda", "--request-id", "r1"], 4),
    ] {
        let refused = server.run(args);
        assert_eq!(refused.code, code, "{args:?}: {refused:?}");
    }
    // The name of then is another product now: nobody is told that nothing was done.
    answered(&["product", "new", "Maca", "1,00"]);
    let refused = server.run(requests[0]);
    assert!(refused.code == 4 && refused.err.contains("o pedido daquela vez está feito"), "{refused:?}");
    // The new product has an opening.
    assert_eq!(history(), movements + 1);
}

#[test]
fn a_count_and_an_undo_whose_answer_is_lost_are_finished_and_not_repeated() {
    // The proxy knows the change by its name or its request id.
    let changes: [(&[&str], &str, i64); 2] =
        [(&["count", "caju", "41"], "caju", 41), (&["undo", "5", "--request-id", "e-17"], "e-17", 60)];
    for (args, known_by, stock) in changes {
        for transport in TRANSPORTS {
            let server = Server::start(&[]);
            server.connect().ask("3 Caju -20");
            let proxy = Proxy::start(server.port);
            proxy.swallow(known_by);
            let mut command = hortifruti(server.path());
            let client = start(command.args(args).args([transport, "--server", &proxy.address]));
            wait_for_stock(&server, "Caju", &format!("Caju: R$2.0, Estoque: {stock}"));
            signal(client.id(), "INT");
            let lost = finished(client);
            assert_eq!((lost.code, lost.out.as_str()), (5, ""), "{}", lost.err);
            proxy.pass();
            server.connect().ask("3 Caju -1");
            for _ in 0..2 {
                let again = paste(&server, &lost.err);
                assert_eq!(again.out, format!("Caju: R$2.0, Estoque: {stock}\n"), "{}", again.err);
            }
            assert_eq!(server.connect().ask("1 Caju"), format!("Caju: R$2.0, Estoque: {}", stock - 1));
        }
    }
}

#[test]
fn enter_finishes_a_count_and_an_undo_in_doubt() {
    for transport in TRANSPORTS {
        for (line, known_by, stock) in [("contar caju 41", "caju", 41), ("desfazer 5 id=e-17", "e-17", 60)] {
            let server = Server::start(&[]);
            server.connect().ask("3 Caju -20");
            let proxy = Proxy::start(server.port);
            let mut terminal = Terminal::open(&server, &[transport, "--server", &proxy.address], &[]);
            terminal.wait_for_prompt();
            proxy.swallow(known_by);
            lose_answer(&mut terminal, line);
            server.connect().ask("3 Caju -1");
            // What is in doubt is no last change.
            terminal.send("desfazer\r");
            terminal.wait_for("Digite o número do movimento a desfazer:");
            terminal.send("\u{3}");
            terminal.wait_for_prompt();
            proxy.pass();
            terminal.send("\u{1b}[A\u{1b}[A\r");
            terminal.wait_for_text(&format!("restam {stock}"));
            assert_eq!(server.connect().ask("1 Caju"), format!("Caju: R$2.0, Estoque: {}", stock - 1));
        }
    }
}

#[test]
fn an_import_whose_answer_is_lost_can_be_finished_and_not_repeated() {
    let server = Server::start(&[]);
    let proxy = Proxy::start(server.port);
    // The server rehearses the list first.
    proxy.swallow_after(1, "Uva Itália");
    std::fs::write(server.path().join("lista de hoje.csv"), "nome,preco,estoque\nUva Itália,8,5\n").unwrap();
    let mut command = hortifruti(server.path());
    let client = start(command.args(["import", "lista de hoje.csv", "--server", &proxy.address]));
    wait_for_stock(&server, "uva italia", "Uva Itália: R$8.0, Estoque: 5");
    signal(client.id(), "INT");
    let lost = finished(client);
    assert_eq!((lost.code, lost.out.as_str()), (5, ""), "{}", lost.err);
    proxy.pass();
    for _ in 0..2 {
        // The first answer again, and not that there was nothing to do.
        let again = paste(&server, &lost.err);
        assert_eq!(again.out, "1 criado, 0 atualizados, 0 sem mudança.\n", "{}", again.err);
    }
}

#[test]
fn a_piped_line_whose_answer_is_lost_is_given_back_with_its_id() {
    for transport in TRANSPORTS {
        let server = Server::start(&[]);
        let proxy = Proxy::start(server.port);
        proxy.swallow("caju");
        let mut command = hortifruti(server.path());
        command.args(["shell", transport, "--server", &proxy.address]);
        let mut client =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        client.stdin.take().unwrap().write_all(b"3 caju -20 motivo=venda\n3 Pera -1\n").unwrap();
        wait_for_stock(&server, "Caju", "Caju: R$2.0, Estoque: 40");
        signal(client.id(), "INT");
        let lost = finished(client);
        assert_eq!((lost.code, lost.out.as_str()), (5, ""), "{}", lost.err);
        let line = lost.err.trim_end().rsplit_once("repita a linha assim: ").unwrap().1;
        let again = run(&mut server.command(&["shell"]), &format!("{line}\n{line}\n"));
        assert_eq!(again.out, "Caju: R$2.0, Estoque: 40\nCaju: R$2.0, Estoque: 40\n", "{}", lost.err);
        // Nothing was sent after the line in doubt.
        assert_eq!(server.connect().ask("1 Pera"), "Pera: R$5.0, Estoque: 15");
    }
}

const SILENT: &str = "não responde. A espera continua; Ctrl-C a encerra.";
/// What the line above the prompt says then.
const IN_DOUBT: &str = " · 1 em dúvida: ";

/// Sends a change whose answer does not come, and stops waiting for it.
fn lose_answer(terminal: &mut Terminal, line: &str) {
    terminal.send(&format!("{line}\r"));
    terminal.wait_for_text(SILENT);
    terminal.send("\u{3}");
    terminal.wait_for_prompt();
    assert!(above_prompt(terminal).contains(IN_DOUBT), "{}", terminal.screen());
}

/// The line above the last prompt.
fn above_prompt(terminal: &Terminal) -> String {
    terminal.screen().lines().rev().nth(1).unwrap_or_default().to_owned()
}

/// The files that keep changes in doubt.
fn kept(server: &Server) -> Vec<std::path::PathBuf> {
    let folder = std::fs::read_dir(server.path().join("state/hortifruti/em-duvida"));
    folder.map_or_else(|_| Vec::new(), |files| files.map(|file| file.unwrap().path()).collect())
}

#[test]
fn the_arrow_and_enter_finish_the_change_in_doubt_and_sell_nothing_twice() {
    for transport in TRANSPORTS {
        for keys in ["\u{1b}[A\r", "\r", "atualizar CAJÚ -20,0\r"] {
            let server = Server::start(&[]);
            let proxy = Proxy::start(server.port);
            let mut terminal = Terminal::open(&server, &[transport, "--server", &proxy.address], &[]);
            terminal.wait_for_prompt();
            proxy.swallow("caju");
            lose_answer(&mut terminal, "3 caju -20");
            let shown = terminal.screen();
            assert!(shown.contains("Não se sabe se ela foi feita; o shell continua consultando"), "{shown}");
            assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 40");
            // Other commands work meanwhile.
            assert!(terminal.ask("3 Pera -1").contains("Pera: R$5.0, Estoque: 14"));
            assert!(above_prompt(&terminal).contains(IN_DOUBT), "{}", terminal.screen());
            // The last line of the history is to be the one in doubt.
            if keys.starts_with('\u{1b}') {
                terminal.send("\u{1b}[A");
            }
            proxy.pass();
            terminal.send(keys);
            let shown = terminal.wait_for_prompt();
            assert!(shown.contains("Concluindo a mudança em dúvida: 3 caju -20"), "{shown}");
            assert!(shown.contains("Caju: R$2.0, Estoque: 40"), "{shown}");
            assert!(kept(&server).is_empty());
            // From here on the same line is another sale.
            assert!(terminal.ask("3 caju -20").contains("Caju: R$2.0, Estoque: 20"));
            assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 20");
        }
    }
}

#[test]
fn a_change_in_doubt_is_finished_while_the_prompt_stands() {
    for transport in TRANSPORTS {
        let server = Server::start(&[]);
        let mut terminal = Terminal::open(&server, &[transport], &[]);
        terminal.wait_for_prompt();
        server.pause();
        lose_answer(&mut terminal, "3 Caju -20 motivo=venda");
        server.signal("CONT");
        let told = "A mudança em dúvida foi feita: 3 Caju -20 motivo=venda → Caju: R$2.0, Estoque: 40";
        terminal.wait_for_text(told);
        // The prompt still says that it is in doubt, so the line finishes it and is no other sale.
        terminal.send("\u{1b}[A\r");
        assert!(terminal.wait_for_prompt().contains("A linha não foi repetida."));
        assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 40");
        terminal.send("\u{1b}[A\r");
        assert!(terminal.wait_for_prompt().contains("Caju: R$2.0, Estoque: 20"));
        assert!(kept(&server).is_empty());
    }
}

#[test]
fn a_shell_that_was_killed_leaves_its_change_to_the_next() {
    for transport in TRANSPORTS {
        let server = Server::start(&[]);
        let proxy = Proxy::start(server.port);
        let args = [transport, "--server", &proxy.address];
        let mut terminal = Terminal::open(&server, &args, &[]);
        terminal.wait_for_prompt();
        proxy.swallow("caju");
        terminal.send("3 caju -20\r");
        wait_for_stock(&server, "Caju", "Caju: R$2.0, Estoque: 40");
        let files = kept(&server);
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
        // A second shell leaves it to the first.
        let mut second = Terminal::open(&server, &args, &[]);
        second.wait_for_prompt();
        assert!(!second.screen().contains("dúvida"), "{}", second.screen());
        terminal.kill();
        // Another server is perhaps another shop.
        let mut other = Terminal::open(&server, &[transport], &[]);
        other.wait_for_prompt();
        assert!(
            other
                .screen()
                .contains(&format!("Em dúvida com outro servidor ({}): 3 caju -20. ", proxy.address)),
            "{}",
            other.screen()
        );
        assert_eq!(kept(&server), files);
        proxy.pass();
        let mut next = Terminal::open(&server, &args, &[]);
        next.wait_for_text("Em dúvida desde o shell anterior: 3 caju -20");
        next.wait_for_text("A mudança em dúvida foi feita: 3 caju -20 → Caju: R$2.0, Estoque: 40");
        assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 40");
        assert!(kept(&server).is_empty());
        next.ask("");
        assert!(next.ask("3 caju -20").contains("Caju: R$2.0, Estoque: 20"));
    }
}

#[test]
fn who_leaves_with_a_change_in_doubt_learns_it_and_it_is_kept() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::open(&server, &[], &[]);
    terminal.wait_for_prompt();
    server.pause();
    lose_answer(&mut terminal, "3 Caju -20");
    terminal.send("5\r");
    terminal.wait_for_end();
    let screen = terminal.screen();
    assert!(
        screen.contains("Continua em dúvida, e o próximo shell deste servidor a conclui: 3 Caju -20"),
        "{screen}"
    );
    server.signal("CONT");
    assert_eq!(kept(&server).len(), 1);
    let mut next = Terminal::open(&server, &[], &[]);
    next.wait_for_text("A mudança em dúvida foi feita: 3 Caju -20 → Caju: R$2.0, Estoque: 40");
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 40");
}

#[test]
fn a_change_that_is_refused_is_in_no_doubt() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::open(&server, &[], &[]);
    for line in ["3 Caju -99", "3 Kiwi 1", "3 Caju 0", "3 Caju x"] {
        assert!(terminal.ask(line).contains("Erro: "), "{line}");
    }
    assert!(kept(&server).is_empty());
    // There is nobody to whom anything could be sent.
    let mut server = server;
    server.stop();
    for line in ["1 Caju", "3 Caju -20"] {
        terminal.send(&format!("{line}\r"));
        terminal.wait_for_text(if line == "1 Caju" { "Procurando" } else { "--port-file. Procurando" });
        terminal.send("\u{3}");
        assert!(terminal.wait_for_prompt().contains("Erro: "));
    }
    assert!(kept(&server).is_empty());
    // A shell without a place to write is still a shell, and says what it cannot do.
    server.restart();
    let state = server.path().join("state/hortifruti");
    std::fs::remove_dir_all(state.join("em-duvida")).unwrap();
    std::fs::write(state.join("em-duvida"), "").unwrap();
    let shown = terminal.ask("3 Caju -20");
    assert!(shown.contains("Aviso: ") && shown.contains("Caju: R$2.0, Estoque: 40"), "{shown}");
}
