//! A limit on the size of files (`ulimit -f`, RLIMIT_FSIZE): a full disk like any other.

use std::fs;
use std::process::Command;

use crate::support::{Connection, Server, executable, run};

/// Changes that are sent together.
const TOGETHER: u32 = 64;

/// Changes that fill a database of 128 KiB several times over.
const CHANGES_MAX: u32 = 20_000;

/// Asks for many changes by one unit each, under ids of these numbers.
fn ask(client: &mut Connection, numbers: std::ops::Range<u32>) -> Vec<String> {
    let lines: String = numbers.clone().map(|number| format!("3 Caju 1 id={number}\n")).collect();
    client.send(lines);
    numbers.map(|_| client.reply()).collect()
}

#[test]
fn a_server_that_may_make_no_larger_files_refuses_changes_until_it_may() {
    let mut server = Server::start(&[]);
    server.limit_files("131072");
    let mut client = server.connect();
    // The count of changes that were answered, and the ids that were refused.
    let (mut made, mut refused, mut next) = (0, Vec::new(), 0);
    // Until not even the log can be copied into the database.
    loop {
        let numbers = next..next + TOGETHER;
        next = numbers.end;
        assert!(next < CHANGES_MAX, "{made} changes fit into a file of 128 KiB");
        let mut is_closed = false;
        for (number, reply) in numbers.clone().zip(ask(&mut client, numbers)) {
            if reply.starts_with("Erro ") {
                let is_told = reply.contains(" UNAVAILABLE: ") || reply.contains(" OUTCOME_UNKNOWN: ");
                assert!(is_told, "{reply}");
                is_closed |= reply.contains("não aceita gravações");
                refused.push(number);
            } else {
                made += 1;
            }
        }
        if is_closed {
            break;
        }
    }
    let stock = |server: &Server| -> u32 {
        let reply = server.connect().ask("1 Caju");
        reply.rsplit_once(' ').unwrap().1.parse::<u32>().unwrap() - 60
    };
    assert_eq!(stock(&server), made, "reads go on");
    // After a kill, everything that was answered is on disk.
    server.kill();
    server.restart();
    assert!(stock(&server) >= made);
    let mut client = server.connect();
    for numbers in refused.chunk_by(|one, next| *next == one + 1) {
        let numbers = numbers[0]..numbers[numbers.len() - 1] + 1;
        assert!(ask(&mut client, numbers).iter().all(|reply| reply.starts_with("Caju: ")));
    }
    assert_eq!(stock(&server), next, "each change is made once");

    // The limit comes and goes while it runs.
    server.limit_files("4096");
    let refusal = client.ask("3 Caju 1 id=limite");
    assert!(refusal.contains(" UNAVAILABLE: ") || refusal.contains(" OUTCOME_UNKNOWN: "), "{refusal}");
    server.limit_files("unlimited");
    let expected = format!("Caju: R$2.0, Estoque: {}", 60 + next + 1);
    assert_eq!(client.ask("3 Caju 1 id=limite"), expected);
    server.stop();
    assert_eq!(server.run(&["verify"]).code, 0);
}

#[test]
fn a_command_that_may_make_no_larger_files_says_so() {
    let mut server = Server::start(&[]);
    let limited = |args: &str| {
        let mut command = Command::new("sh");
        // In blocks of 512 bytes.
        command.arg("-c").arg(format!("ulimit -f 16; exec \"$0\" {args}")).arg(executable());
        run(command.current_dir(server.path()), "")
    };
    for args in ["backup copia.db", "serve --port 0 --port-file outro.txt --data outra.db"] {
        let ended = limited(args);
        assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{args}: {}", ended.err);
        assert!(ended.err.contains("maior tamanho permitido"), "{args}: {}", ended.err);
    }
    for name in ["copia.db", "copia.db.tmp", "outra.db", "outra.db.tmp", "outro.txt"] {
        assert!(!server.path().join(name).exists(), "{name}");
    }
    // To a file, what cannot be written is told.
    let list = server.path().join("lista.csv");
    let mut lines = "nome,preco,estoque,unidade\n".to_owned();
    for number in 0..1000 {
        lines += &format!("Produto {number},1,0,un\n");
    }
    fs::write(&list, lines).unwrap();
    assert_eq!(server.run(&["import", "lista.csv"]).code, 0);
    let ended = limited("export > saida.csv");
    assert_eq!(ended.code, 1, "{}", ended.err);
    assert!(ended.err.starts_with("Erro: ") && ended.err.contains("não pôde ser escrita"), "{}", ended.err);
    server.stop();
}

#[test]
fn a_sale_that_the_outbox_cannot_note_is_not_sent() {
    let server = Server::start(&[]);
    for _ in 0..5 {
        let kept = server.run(&["sell", "1", "Caju", "--outbox", "saida.fila", "--server", "localhost:1"]);
        assert_eq!(kept.code, 0, "{kept:?}");
    }
    // Room for the sale, and none for what is sent of the first one, in blocks of 512 bytes.
    let mut command = Command::new("sh");
    command.arg("-c").arg("ulimit -f 2; exec \"$0\" sell --outbox saida.fila").arg(executable());
    let ended = run(command.current_dir(server.path()), "");
    assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{}", ended.err);
    let told =
        "saida.fila: a caixa de saída não pôde ser escrita: o arquivo passaria do maior tamanho permitido";
    assert!(ended.err.contains(told), "{}", ended.err);
    assert!(ended.err.contains("A venda de 1 Caju não foi enviada"), "{}", ended.err);
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 60");
    let sent = server.run(&["sell", "--outbox", "saida.fila"]);
    assert_eq!(sent.code, 0, "{sent:?}");
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 55");
}
