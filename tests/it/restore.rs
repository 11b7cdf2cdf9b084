//! The way back from a copy, with what was there kept; and a kill at any call of it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection as Database;

use crate::support::{Ended, Server, executable, hortifruti, list, run};
use crate::sweep::has_strace;

/// The calls that change something, which a kill may come before. Strace counts each kind for itself: of several kinds
/// together, only the frequent ones would be met.
const CHANGING_CALLS: [&str; 15] = [
    "openat",
    "pwrite64",
    "write",
    "fsync",
    "fdatasync",
    "ftruncate",
    "linkat",
    "link",
    "rename",
    "renameat2",
    "unlink",
    "fchmod",
    "fchown",
    "flock",
    "fcntl",
];

/// Of each kind of call, each how many-th is killed where not all are.
const STRIDE: usize = 7;

/// A shop with a copy of movement 5, and a database and a log that are at movement 7. The server was killed.
fn shop() -> Server {
    let mut server = Server::start(&[]);
    let mut client = server.connect();
    assert_eq!(client.ask("3 Caju -20 id=a"), "Caju: R$2.0, Estoque: 40");
    assert_eq!(server.run(&["backup", "copia.db"]).code, 0);
    client.ask("3 Caju -5 id=b");
    client.ask("3 Caju -5 id=c");
    server.kill();
    fs::remove_file(server.path().join("server_port.txt")).unwrap();
    server
}

fn restore(folder: &Path, args: &[&str]) -> Ended {
    run(hortifruti(folder).arg("restore").args(args), "")
}

/// What `verify` counts, of a whole database.
fn movements(path: &Path) -> i64 {
    let ended = run(hortifruti(path.parent().unwrap()).arg("verify").arg(path), "");
    assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{path:?}");
    let counted = ended.out.lines().find_map(|line| line.strip_prefix("Movimentos: ")).unwrap();
    counted.parse().unwrap()
}

/// The databases that were kept, in order.
fn kept(folder: &Path) -> Vec<PathBuf> {
    kept_of(folder, "hortifruti.db")
}

fn kept_of(folder: &Path, database: &str) -> Vec<PathBuf> {
    let start = format!("{database}.2");
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_kept = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with(&start) && !name.ends_with("-wal") && !name.ends_with("-shm")
    };
    let mut kept: Vec<PathBuf> = names.filter(is_kept).collect();
    kept.sort();
    kept
}

/// Whether something is left of a file in the making.
fn has_unfinished(folder: &Path) -> bool {
    let mut names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.any(|name| name.to_str().unwrap().contains("tmp"))
}

#[test]
fn a_copy_takes_the_place_of_the_database_which_is_kept_whole() {
    let mut server = shop();
    let (database, copy) = (server.path().join("hortifruti.db"), server.path().join("copia.db"));
    let before = fs::read(&copy).unwrap();
    let ended = restore(server.path(), &["copia.db"]);
    let kept_one = kept(server.path()).pop().unwrap();
    let told = format!(
        "Cópia copia.db conferida e posta no lugar de hortifruti.db.\n\
         O que havia antes está guardado em {}.\n\
         Produtos: 4\nMovimentos: 5\nIdentificadores de pedido: 1\n",
        kept_one.file_name().unwrap().to_str().unwrap()
    );
    assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (0, told.as_str(), ""));
    // The old one has what was only in its log.
    assert_eq!((movements(&database), movements(&kept_one), movements(&copy)), (5, 7, 5));
    assert_eq!(fs::read(&copy).unwrap(), before);
    assert!(!server.path().join("hortifruti.db-wal").exists() && !has_unfinished(server.path()));
    for path in [&database, &kept_one] {
        assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, 0o600);
    }
    server.restart();
    let mut client = server.connect();
    assert_eq!(client.ask("3 Caju -20 id=a"), "Caju: R$2.0, Estoque: 40");
    assert_eq!(client.ask("3 Caju -1"), "Caju: R$2.0, Estoque: 39");
    server.stop();
    // And forth again; within the same second the name is another.
    let name = kept_one.file_name().unwrap().to_str().unwrap();
    for expected in [7, 7] {
        assert_eq!(restore(server.path(), &[name]).code, 0);
        assert_eq!(movements(&database), expected);
    }
    assert_eq!(kept(server.path()).len(), 3);
}

#[test]
fn where_nothing_was_there_nothing_is_kept() {
    let server = shop();
    let ended = restore(server.path(), &["copia.db", "--data", "nova.db"]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    assert!(!ended.out.contains("guardado"), "{}", ended.out);
    assert_eq!(movements(&server.path().join("nova.db")), 5);
}

#[test]
fn a_restore_that_cannot_be_changes_nothing() {
    let mut server = shop();
    let folder = server.path().to_owned();
    let file = |name: &str| folder.join(name);
    fs::write(file("texto.db"), "isto não é um banco de dados, ".repeat(100)).unwrap();
    fs::write(file("cortada.db"), &fs::read(file("copia.db")).unwrap()[..20_000]).unwrap();
    fs::hard_link(file("hortifruti.db"), file("outro-nome.db")).unwrap();
    fs::create_dir(file("pasta")).unwrap();
    let newer = file("nova-versao.db");
    fs::copy(file("copia.db"), &newer).unwrap();
    Database::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let wrong = file("contradiz.db");
    fs::copy(file("copia.db"), &wrong).unwrap();
    Database::open(&wrong).unwrap().execute_batch("DELETE FROM movement WHERE sequence = 4").unwrap();
    let names = || {
        let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.retain(|path| !path.to_str().unwrap().ends_with(".lock"));
        names.sort();
        names
    };
    let before =
        (names(), fs::read(file("hortifruti.db")).unwrap(), fs::read(file("hortifruti.db-wal")).unwrap());
    let refused = |args: &[&str], why: &str| {
        let ended = restore(&folder, args);
        assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{args:?}: {}", ended.err);
        assert!(ended.err.starts_with("Erro: a cópia não foi restaurada: "), "{args:?}: {}", ended.err);
        assert!(ended.err.contains(why) && ended.err.contains("alterado"), "{args:?}: {}", ended.err);
    };
    for (copy, why) in [
        ("nao-ha.db", "não existe"),
        ("texto.db", "não é um arquivo SQLite"),
        ("cortada.db", "corrompido"),
        ("contradiz.db", "segue"),
        ("nova-versao.db", "versão mais nova"),
        ("pasta", "é uma pasta"),
        ("hortifruti.db", "próprio banco"),
        ("outro-nome.db", "próprio banco"),
        ("hortifruti.db-wal", "próprio banco"),
    ] {
        refused(&[copy], why);
    }
    refused(&["copia.db", "--data", "pasta"], "é uma pasta");
    let after =
        (names(), fs::read(file("hortifruti.db")).unwrap(), fs::read(file("hortifruti.db-wal")).unwrap());
    assert!(before == after, "something was changed: {:?}", after.0);

    // Nor while a server has it, by whatever name.
    server.restart();
    let port = format!("porta {}", server.port);
    refused(&["copia.db"], &port);
    refused(&["copia.db", "--data", "outro-nome.db"], &port);
    // A server's database by another name is no copy, for its log is elsewhere.
    refused(&["outro-nome.db", "--data", "nova.db"], &port);
    assert_eq!(server.connect().ask("3 Caju -1"), "Caju: R$2.0, Estoque: 29");
    // What another program reads is not taken away from it.
    server.stop();
    let reader = Database::open(file("hortifruti.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM movement").unwrap();
    refused(&["copia.db"], "outro programa");
    drop(reader);
    assert_eq!(restore(&folder, &["copia.db"]).code, 0);
}

#[test]
fn what_cannot_be_read_is_kept_as_it_is_with_its_log() {
    for damaged in ["hortifruti.db", "hortifruti.db-wal"] {
        let server = shop();
        let file = |name: &str| server.path().join(name);
        fs::write(file(damaged), "estragado ".repeat(1000)).unwrap();
        let log = fs::read(file("hortifruti.db-wal")).unwrap();
        let database = fs::read(file("hortifruti.db")).unwrap();
        let ended = restore(server.path(), &["copia.db"]);
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{damaged}");
        assert!(ended.out.contains("-wal"), "{}", ended.out);
        let kept_one = kept(server.path()).pop().unwrap();
        let kept_log = PathBuf::from(format!("{}-wal", kept_one.display()));
        assert!(fs::read(&kept_one).unwrap() == database && fs::read(kept_log).unwrap() == log, "{damaged}");
        assert!(!file("hortifruti.db-wal").exists() && !file("hortifruti.db-shm").exists());
        assert_eq!(movements(&file("hortifruti.db")), 5);
    }
}

#[test]
fn a_log_without_its_database_is_kept_too() {
    let server = shop();
    let file = |name: &str| server.path().join(name);
    fs::remove_file(file("hortifruti.db")).unwrap();
    let ended = restore(server.path(), &["copia.db"]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    assert!(ended.out.contains("-wal"), "{}", ended.out);
    assert!(!file("hortifruti.db-wal").exists());
    assert_eq!(movements(&file("hortifruti.db")), 5);
}

#[test]
fn a_copy_of_an_earlier_version_is_taken_to_this_one() {
    let folder = tempfile::tempdir().unwrap();
    for version in 1..=4 {
        let copy = format!("esquema-{version}.db");
        fs::copy(list(&copy), folder.path().join(&copy)).unwrap();
        let ended = restore(folder.path(), &[&copy]);
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{copy}");
        assert!(ended.out.contains(&format!("versão anterior (esquema {version})")), "{}", ended.out);
        assert!(movements(&folder.path().join("hortifruti.db")) > 15);
        // The copy is as it was.
        assert!(fs::read(folder.path().join(&copy)).unwrap() == fs::read(list(&copy)).unwrap());
    }
}

/// As a kill of `restore` leaves it, while that plays the old log into the old database.
#[test]
fn a_write_that_was_interrupted_is_not_taken_for_missing_permissions() {
    let server = shop();
    let file = |name: &str| server.path().join(name);
    let writer = Database::open(file("copia.db")).unwrap();
    writer
        .execute_batch(
            "PRAGMA cache_size = 1; BEGIN; UPDATE movement SET kind = 'perda';
             CREATE TABLE large AS SELECT randomblob(300000) AS bytes",
        )
        .unwrap();
    fs::copy(file("copia.db"), file("meia.db")).unwrap();
    fs::copy(file("copia.db-journal"), file("meia.db-journal")).unwrap();
    drop(writer);
    let ended = server.run(&["verify", "meia.db"]);
    assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{}", ended.err);
    assert!(ended.err.contains("interrompido") && ended.err.contains("Inicie"), "{}", ended.err);
    assert!(!ended.err.contains("permissões"), "{}", ended.err);
    // Which is true.
    assert_eq!(restore(server.path(), &["copia.db", "--data", "meia.db"]).code, 0);
    assert_eq!((movements(&file("meia.db")), movements(&kept_of(server.path(), "meia.db")[0])), (5, 5));
}

/// The same shop again, as a server leaves it that is killed: the note in the lock file is about these very files.
fn again(shop: &Server) -> Server {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(shop.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    let mut server = Server::start_in(folder, &[]);
    server.kill();
    server
}

#[test]
fn a_kill_at_any_call_of_a_restore_loses_nothing() {
    if !has_strace() {
        return;
    }
    let is_all = std::env::var("HORTIFRUTI_FAULTS").is_ok_and(|faults| faults == "all");
    let shop = shop();
    let (mut before, mut after) = (0, 0);
    for call in CHANGING_CALLS {
        let (first, stride) = if is_all { (1, 1) } else { (fastrand::usize(1..=STRIDE), STRIDE) };
        for n in (first..).step_by(stride) {
            let name = format!("{call} {n}");
            let folder = again(&shop);
            let database = folder.path().join("hortifruti.db");
            let mut strace = Command::new("strace");
            strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
            strace.args(["-e", &format!("inject={call}:signal=KILL:when={n}")]);
            strace.arg(executable()).args(["restore", "copia.db"]).current_dir(folder.path());
            let ended = run(&mut strace, "");
            if ended.code == 0 {
                break;
            }
            // Whichever it is, it is whole; or the next start or restore takes back the last write, as `verify` says.
            let verified = run(hortifruti(folder.path()).arg("verify"), "");
            match verified.err.contains("foi interrompido enquanto gravava") {
                true => before += 1,
                false if movements(&database) == 7 => before += 1,
                false => {
                    after += 1;
                    assert_eq!(movements(&database), 5, "{name}");
                    let kept = kept(folder.path());
                    assert_eq!(kept.iter().map(|path| movements(path)).collect::<Vec<_>>(), [7], "{name}");
                }
            }
            let again = restore(folder.path(), &["copia.db"]);
            assert_eq!((again.code, again.err.as_str()), (0, ""), "{name}");
            assert_eq!(movements(&database), 5, "{name}");
            assert!(
                kept(folder.path()).iter().any(|path| movements(path) == 7),
                "{name}: the old one is lost"
            );
            assert!(!has_unfinished(folder.path()), "{name}");
        }
    }
    println!("{before} kills before the exchange, {after} after it");
    assert!(before > 0, "no kill was met");
}
