//! A change whose answer is lost is in doubt, and is finished under its id: never twice.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::proxy::Proxy;
use crate::support::{Ended, PATIENCE, Server, hortifruti, run};

const TRANSPORTS: [&str; 2] = ["--socket", "--grpc"];

/// Waits until the server itself says this of a product.
fn wait_for_stock(server: &Server, name: &str, line: &str) {
    let start = Instant::now();
    while server.connect().ask(&format!("1 {name}")) != line {
        assert!(start.elapsed() < PATIENCE, "never: {line}");
        std::thread::yield_now();
    }
}

fn start(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

fn ended(child: Child) -> Ended {
    child.wait_with_output().unwrap().into()
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
            signal(&client, end);
            let lost = ended(client);
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
fn an_import_whose_answer_is_lost_can_be_finished_and_not_repeated() {
    let server = Server::start(&[]);
    let proxy = Proxy::start(server.port);
    proxy.swallow("Uva Itália");
    std::fs::write(server.path().join("lista de hoje.csv"), "nome,preco,estoque\nUva Itália,8,5\n").unwrap();
    let mut command = hortifruti(server.path());
    let client = start(command.args(["import", "lista de hoje.csv", "--server", &proxy.address]));
    wait_for_stock(&server, "uva italia", "Uva Itália: R$8.0, Estoque: 5");
    signal(&client, "INT");
    let lost = ended(client);
    assert_eq!((lost.code, lost.out.as_str()), (5, ""), "{}", lost.err);
    proxy.pass();
    for _ in 0..2 {
        // The first answer again, and not that there was nothing to do.
        let again = paste(&server, &lost.err);
        assert_eq!(again.out, "1 criados, 0 atualizados, 0 sem mudança.\n", "{}", again.err);
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
        signal(&client, "INT");
        let lost = ended(client);
        assert_eq!((lost.code, lost.out.as_str()), (5, ""), "{}", lost.err);
        let line = lost.err.trim_end().rsplit_once("repita a linha assim: ").unwrap().1;
        let again = run(&mut server.command(&["shell"]), &format!("{line}\n{line}\n"));
        assert_eq!(again.out, "Caju: R$2.0, Estoque: 40\nCaju: R$2.0, Estoque: 40\n", "{}", lost.err);
        // Nothing was sent after the line in doubt.
        assert_eq!(server.connect().ask("1 Pera"), "Pera: R$5.0, Estoque: 15");
    }
}
