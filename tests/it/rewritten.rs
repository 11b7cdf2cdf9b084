//! A database that another program rewrites in place under its server, or after it was killed: no
//! change is answered that would be lost, nothing is written over it, and no mixture passes for whole.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection as Database;

use crate::support::{Ended, Server, hortifruti, ledger_at, run};

/// A server with a copy of an earlier state in `copia.db`, a plain copy of the file in `velha.db`, an empty
/// shop in `menor.db`, a larger one in `maior.db`, and changes since, some of them only in the log.
fn shop() -> Server {
    let server = Server::start_logged_in(tempfile::tempdir().unwrap(), &[]);
    let file = |name: &str| server.path().join(name);
    let mut client = server.connect();
    client.ask("3 Caju -1");
    assert_eq!(server.run(&["backup", "copia.db"]).code, 0);
    fs::copy(file("hortifruti.db"), file("velha.db")).unwrap();
    let mut empty = Server::start(&["--empty"]);
    empty.stop();
    fs::copy(empty.path().join("hortifruti.db"), file("menor.db")).unwrap();
    fs::copy(file("copia.db"), file("maior.db")).unwrap();
    Database::open(file("maior.db"))
        .unwrap()
        .execute_batch("CREATE TABLE large AS SELECT randomblob(300000) AS bytes")
        .unwrap();
    // What another program copies of the log is no rewriting.
    for _ in 0..2 {
        client.ask("3 Caju -1");
        let other = Database::open(file("hortifruti.db")).unwrap();
        other.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    }
    assert_eq!(client.ask("3 Caju -1"), "Caju: R$2.0, Estoque: 56");
    server
}

/// What a program does to the database file, without making another of that name.
type Rewriting = fn(&Path);

const REWRITINGS: [(&str, Rewriting); 9] = [
    ("cp of a copy", |folder| over(folder, "copia.db")),
    ("cp of an old file", |folder| over(folder, "velha.db")),
    ("cp of a larger copy", |folder| over(folder, "maior.db")),
    ("cp of a smaller file", |folder| over(folder, "menor.db")),
    ("rsync --inplace, which keeps the length", |folder| {
        let copy = fs::read(folder.join("copia.db")).unwrap();
        at(folder, 0, &copy);
    }),
    ("dd conv=notrunc of the ledger's page", |folder| {
        at(folder, ledger_at(&folder.join("hortifruti.db")), &[0xa5; 4096])
    }),
    ("dd conv=notrunc at the beginning", |folder| at(folder, 0, &[0xa5; 512])),
    ("a text", |folder| fs::write(folder.join("hortifruti.db"), "isto não é um banco").unwrap()),
    ("nothing", |folder| drop(fs::File::create(folder.join("hortifruti.db")).unwrap())),
];

fn over(folder: &Path, copy: &str) {
    let copied = run(Command::new("cp").arg(copy).arg("hortifruti.db").current_dir(folder), "");
    assert_eq!(copied.code, 0, "{copied:?}");
}

fn at(folder: &Path, offset: u64, bytes: &[u8]) {
    let file = OpenOptions::new().write(true).open(folder.join("hortifruti.db")).unwrap();
    file.write_all_at(bytes, offset).unwrap();
}

fn serve(folder: &Path) -> Ended {
    run(hortifruti(folder).args(["serve", "--port", "0", "--port-file", "outra.txt"]), "")
}

/// The next start and the check say what is wrong, and `restore` keeps everything and puts it right.
fn is_put_right_by_restore(case: &str, server: &mut Server) {
    let file = |name: &str| server.path().join(name);
    let (foreign, log) =
        (fs::read(file("hortifruti.db")).unwrap(), fs::read(file("hortifruti.db-wal")).unwrap());
    let refused = serve(server.path());
    assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{case}: {}", refused.err);
    assert!(refused.err.contains("alterado"), "{case}: {}", refused.err);
    // Also the second time.
    assert_eq!(serve(server.path()).err, refused.err, "{case}");
    let verified = server.run(&["verify"]);
    assert_eq!((verified.code, verified.out.as_str()), (1, ""), "{case}: {}", verified.err);
    assert!(fs::read(file("hortifruti.db")).unwrap() == foreign, "{case}");
    assert!(fs::read(file("hortifruti.db-wal")).unwrap() == log, "{case}");
    let restored = server.run(&["restore", "copia.db"]);
    assert_eq!((restored.code, restored.err.as_str()), (0, ""), "{case}");
    let kept =
        restored.out.lines().nth(1).unwrap().strip_prefix("O que havia antes está guardado em ").unwrap();
    let mut kept = kept.trim_end_matches('.').split(", ");
    assert!(fs::read(file(kept.next().unwrap())).unwrap() == foreign, "{case}");
    assert!(fs::read(file(kept.next().unwrap())).unwrap() == log, "{case}");
    let _ = fs::remove_file(file("server_port.txt"));
    server.restart();
    assert_eq!(server.connect().ask("3 Caju -1"), "Caju: R$2.0, Estoque: 58", "{case}");
    server.stop();
    assert_eq!(server.run(&["verify"]).code, 0, "{case}");
}

#[test]
fn a_database_that_is_rewritten_under_its_server_gets_no_changes_and_is_not_written_over() {
    for (case, rewrite) in REWRITINGS {
        for (has_changes, keeps_time) in [(true, false), (false, false), (true, true), (false, true)] {
            let mut server = shop();
            let mut client = server.connect();
            let database = server.path().join("hortifruti.db");
            let before = fs::metadata(&database).unwrap().modified().unwrap();
            rewrite(server.path());
            if keeps_time {
                OpenOptions::new().write(true).open(&database).unwrap().set_modified(before).unwrap();
            }
            let foreign = fs::read(server.path().join("hortifruti.db")).unwrap();
            if has_changes {
                for _ in 0..2 {
                    let refusal = client.ask("3 Caju -1");
                    assert!(refusal.starts_with("Erro UNAVAILABLE: "), "{case}: {refusal}");
                    let is_told = refusal.contains("foi regravado") || refusal.contains("foi cortado");
                    assert!(is_told && !refusal.contains("hortifruti.db"), "{case}: {refusal}");
                }
                assert_eq!(client.ask("1 Caju"), "Caju: R$2.0, Estoque: 56", "{case}");
            }
            drop(client);
            server.signal("TERM");
            assert_eq!(server.wait_for_end().0, Some(1), "{case}");
            let log = server.log("o servidor parou");
            assert!(log.contains("hortifruti.db foi "), "{case}: {log}");
            assert!(
                fs::read(server.path().join("hortifruti.db")).unwrap() == foreign,
                "{case}: written over"
            );
            is_put_right_by_restore(case, &mut server);
        }
    }
}

#[test]
fn a_database_that_is_rewritten_before_the_start_after_a_kill_is_reported() {
    for (case, rewrite) in REWRITINGS {
        let mut server = shop();
        server.kill();
        rewrite(server.path());
        is_put_right_by_restore(case, &mut server);
    }
}

#[test]
fn another_file_in_the_place_of_the_database_of_a_killed_server_is_reported() {
    let mut server = shop();
    server.kill();
    fs::rename(server.path().join("velha.db"), server.path().join("hortifruti.db")).unwrap();
    is_put_right_by_restore("mv of an old file", &mut server);
}

#[test]
fn another_file_in_the_place_of_the_database_is_reported_after_the_stop_too() {
    let mut server = shop();
    fs::rename(server.path().join("velha.db"), server.path().join("hortifruti.db")).unwrap();
    server.signal("TERM");
    assert_eq!(server.wait_for_end().0, Some(1));
    is_put_right_by_restore("mv of an old file under the server", &mut server);
}

#[test]
fn a_shop_that_is_copied_whole_after_a_kill_goes_on() {
    let mut server = shop();
    server.kill();
    let folder = tempfile::tempdir().unwrap();
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let name = format!("hortifruti.db{suffix}");
        fs::copy(server.path().join(&name), folder.path().join(&name)).unwrap();
    }
    let mut copied = Server::start_in(folder, &[]);
    assert_eq!(copied.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 56");
    copied.stop();
}

#[test]
fn under_load_a_copy_over_the_database_is_not_mixed_with_it() {
    let mut server = shop();
    let is_over = Arc::new(AtomicBool::new(false));
    let load: Vec<_> = (0..2)
        .map(|_| {
            let (is_over, mut client) = (Arc::clone(&is_over), server.connect());
            std::thread::spawn(move || {
                let mut answered = 0;
                loop {
                    client.send("3 Pera 1\n".repeat(20));
                    let refused =
                        (0..20).filter(|_| client.reply().starts_with("Erro UNAVAILABLE: ")).count();
                    answered += 20 - refused;
                    if refused == 20 && is_over.load(Ordering::SeqCst) {
                        return answered;
                    }
                }
            })
        })
        .collect();
    // Some copyings of the log later.
    let mut client = server.connect();
    while fs::metadata(server.path().join("hortifruti.db")).unwrap().len() < 300_000 {
        assert!(client.ask("3 Caju 1").starts_with("Caju: "));
    }
    over(server.path(), "copia.db");
    is_over.store(true, Ordering::SeqCst);
    for load in load {
        assert!(load.join().unwrap() > 0);
    }
    drop(client);
    server.signal("TERM");
    assert_eq!(server.wait_for_end().0, Some(1));
    let file = |name: &str| fs::read(server.path().join(name)).unwrap();
    assert!(file("hortifruti.db") == file("copia.db"), "mixed");
}

/// What a program does to the database file, and leaves its content as it is.
const TOUCHES: [(&str, &str); 6] = [
    ("touch", "touch hortifruti.db"),
    ("touch with a time of old", "touch -d @1000000000 hortifruti.db"),
    ("chmod", "chmod 640 hortifruti.db"),
    ("a hard link", "ln hortifruti.db $(mktemp -u -p .)"),
    ("cp -p of itself", "cp -p hortifruti.db igual.db && cp -p igual.db hortifruti.db"),
    ("cat of itself", "cat hortifruti.db > igual.db && cat igual.db > hortifruti.db"),
];

fn shell(folder: &Path, command: &str) {
    let ended = run(Command::new("sh").args(["-c", command]).current_dir(folder), "");
    assert_eq!(ended.code, 0, "{command}: {ended:?}");
}

/// That the stop is clean, and the database whole with this stock of cajus.
fn stops_with(case: &str, server: &mut Server, stock: u32) {
    server.signal("TERM");
    assert_eq!(server.wait_for_end().0, Some(0), "{case}");
    assert_eq!(server.run(&["verify"]).code, 0, "{case}");
    server.restart();
    assert_eq!(server.connect().ask("1 Caju"), format!("Caju: R$2.0, Estoque: {stock}"), "{case}");
    server.stop();
}

#[test]
fn a_database_of_which_only_the_times_are_changed_is_gone_on_with() {
    for (case, touch) in TOUCHES {
        let mut server = shop();
        let mut client = server.connect();
        // With changes that are in the log alone, and later with changes that were copied from a log that
        // is still there.
        shell(server.path(), touch);
        assert_eq!(client.ask("3 Caju -1"), "Caju: R$2.0, Estoque: 55", "{case}");
        assert_eq!(client.ask("3 Caju -1 id=a"), "Caju: R$2.0, Estoque: 54", "{case}");
        let other = Database::open(server.path().join("hortifruti.db")).unwrap();
        other.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
        assert_eq!(client.ask("3 Caju -1"), "Caju: R$2.0, Estoque: 53", "{case}");
        shell(server.path(), touch);
        assert_eq!(client.ask("3 Caju -1 id=a"), "Caju: R$2.0, Estoque: 54", "{case}");
        assert_eq!(client.ask("3 Caju -1"), "Caju: R$2.0, Estoque: 52", "{case}");
        drop(other);
        drop(client);
        let told = server.log("changed the times of the database file");
        assert_eq!(told.matches("changed the times of the database file").count(), 2, "{case}: {told}");
        shell(server.path(), "touch hortifruti.db");
        stops_with(case, &mut server, 52);
    }
}

#[test]
fn a_database_that_is_touched_before_the_stop_stops() {
    for (case, touch) in TOUCHES {
        let mut server = shop();
        shell(server.path(), touch);
        stops_with(case, &mut server, 56);
    }
}

#[test]
fn prices_of_before_are_no_touch() {
    let mut server = shop();
    let list = server.path().join("precos.csv");
    fs::write(&list, "nome;preco\nCaju;9,00\n").unwrap();
    // All of the ledger is in both files.
    server.stop();
    fs::copy(server.path().join("hortifruti.db"), server.path().join("velha.db")).unwrap();
    server.restart();
    assert_eq!(server.run(&["import", "precos.csv", "--yes"]).code, 0);
    server.stop();
    server.restart();
    over(server.path(), "velha.db");
    let refusal = server.connect().ask("3 Caju -1");
    assert!(refusal.starts_with("Erro UNAVAILABLE: "), "{refusal}");
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$9.0, Estoque: 56");
    server.signal("TERM");
    assert_eq!(server.wait_for_end().0, Some(1));
}

#[test]
fn after_a_kill_a_database_of_which_only_the_times_are_changed_is_gone_on_with() {
    for ((case, touch), was_copied) in TOUCHES.into_iter().zip([false, true].into_iter().cycle()) {
        let mut server = shop();
        if was_copied {
            let other = Database::open(server.path().join("hortifruti.db")).unwrap();
            other.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
            // The server notes the copying when it writes the next change.
            assert_eq!(server.connect().ask("3 Caju 1"), "Caju: R$2.0, Estoque: 57", "{case}");
            assert_eq!(server.connect().ask("3 Caju -1"), "Caju: R$2.0, Estoque: 56", "{case}");
        }
        server.kill();
        shell(server.path(), touch);
        // A check finds the same.
        assert_eq!(server.run(&["verify"]).code, 0, "{case}");
        fs::remove_file(server.path().join("server_port.txt")).unwrap();
        server.restart();
        assert_eq!(server.connect().ask("3 Caju -1"), "Caju: R$2.0, Estoque: 55", "{case}");
        stops_with(case, &mut server, 55);
    }
}

#[test]
fn after_a_kill_prices_of_before_are_no_touch() {
    let mut server = shop();
    fs::write(server.path().join("precos.csv"), "nome;preco\nCaju;9,00\n").unwrap();
    // All of the ledger is in both files.
    server.stop();
    fs::copy(server.path().join("hortifruti.db"), server.path().join("velha.db")).unwrap();
    server.restart();
    assert_eq!(server.run(&["import", "precos.csv", "--yes"]).code, 0);
    server.stop();
    server.restart();
    assert_eq!(server.connect().ask("3 Caju -1"), "Caju: R$9.0, Estoque: 55");
    server.kill();
    over(server.path(), "velha.db");
    let refused = serve(server.path());
    assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{}", refused.err);
    assert!(refused.err.contains("não pôde ser confirmado"), "{}", refused.err);
    // Also the second time.
    assert_eq!(serve(server.path()).code, 1);
}

/// The note in the lock file becomes that of an earlier version, which knew less.
fn cut_note(folder: &Path, database: &str) {
    let lock = folder.join(format!("{database}.lock"));
    let text = fs::read_to_string(&lock).unwrap();
    let ends = text.split_whitespace().last().unwrap();
    assert_eq!(ends.split(':').count(), 3, "{text}");
    fs::write(&lock, text.replace(ends, &" ".repeat(ends.len()))).unwrap();
}

#[test]
fn after_a_kill_the_time_of_the_database_is_set_back_by_the_command_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let name = "loja d'água $1.db";
    let mut server = Server::start_in(folder, &["--data", name]);
    let mut client = server.connect();
    for _ in 0..3 {
        client.ask("3 Caju -1");
    }
    drop(client);
    assert_eq!(server.run(&["backup", "--data", name, "copia.db"]).code, 0);
    server.connect().ask("3 Caju -1");
    server.kill();
    cut_note(server.path(), name);
    let start = ["serve", "--port", "0", "--port-file", "outra.txt", "--data", name];
    let commands: [&[&str]; 3] = [&start, &["verify", name], &["backup", "--data", name, "outra.db"]];
    for time in ["now", "@1000000000"] {
        shell(server.path(), &format!("touch -d {time} -- \"loja d'água \\$1.db\""));
        for command in commands {
            let refused = server.run(command);
            assert_eq!(refused.code, 1, "{command:?}: {}", refused.err);
            for told in ["Nada foi alterado", "hortifruti restore", "se perdem", "a data de "] {
                assert!(refused.err.contains(told), "{command:?}: {}", refused.err);
            }
            let told = refused.err.split('`').nth(1).unwrap().to_owned();
            assert!(told.starts_with("touch -d @"), "{told}");
            if command == commands[2] {
                shell(Path::new("/"), &told);
            }
        }
        assert_eq!(server.run(&["verify", name]).code, 0);
    }
    let _ = fs::remove_file(server.path().join("server_port.txt"));
    server.restart();
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 56");
    server.stop();
}

#[test]
fn after_a_kill_and_a_touch_a_restore_keeps_everything_too() {
    let mut server = shop();
    server.kill();
    cut_note(server.path(), "hortifruti.db");
    shell(server.path(), "touch hortifruti.db");
    is_put_right_by_restore("touch", &mut server);
}

#[test]
fn after_a_kill_an_old_file_is_reported_although_it_has_the_time_of_the_new_one() {
    let mut server = shop();
    let other = Database::open(server.path().join("hortifruti.db")).unwrap();
    other.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
    drop(other);
    server.kill();
    shell(
        server.path(),
        "cp -p hortifruti.db tempo && cat velha.db > hortifruti.db && touch -r tempo hortifruti.db",
    );
    is_put_right_by_restore("cat of an old file", &mut server);
}
