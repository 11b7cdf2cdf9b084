//! What fails under a server: its files, its disk, its output. At the start it says so,
//! changes nothing and ends with 1; while it runs, nothing is answered that is not on disk.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rusqlite::Connection;
use tempfile::TempDir;

use crate::disk::{mount, unmount};
use crate::support::waiting::{end_of, wait_until};
use crate::support::{Ended, FOUR_PRODUCTS, Server, hortifruti, run, signal};

/// A file system of its own, which goes with it. To mount one takes root.
pub(crate) struct Mount(pub(crate) TempDir);

impl Mount {
    /// One in memory, of so many KiB; `None`, and why is printed, where there may be none.
    pub(crate) fn tmpfs(kib: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={kib}k");
        mount(&["-t", "tmpfs", "-o", &options, "tmpfs"], folder.path()).then_some(Self(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        unmount(self.0.path());
    }
}

/// A file in the way of others: it takes what room there is.
fn fill(path: &Path) {
    let mut file = fs::File::create(path).unwrap();
    let _ = std::io::copy(&mut std::io::repeat(7), &mut file);
}

fn serve(folder: &Path, data: &str) -> Ended {
    run(hortifruti(folder).args(["serve", "--port", "0", "--data", data]), "")
}

/// Every file of a folder, but for the lock that each start takes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_none_or(|extension| extension != "lock"))
        .map(|path| {
            let bytes = path.symlink_metadata().unwrap().is_file().then(|| fs::read(&path).unwrap());
            (path, bytes)
        })
        .collect()
}

/// The folder of a server that was killed with changes in its log, which are not yet in its
/// database.
fn killed_shop() -> Server {
    let mut server = Server::start(&[]);
    let mut client = server.connect();
    for _ in 0..10 {
        client.ask("3 Caju -1");
    }
    server.kill();
    // What a killed server leaves is taken over, so here it would only be told as stale.
    fs::remove_file(server.path().join("server_port.txt")).unwrap();
    server
}

#[test]
fn a_start_that_cannot_be_says_why_and_changes_nothing() {
    type Damage = fn(&Path);
    let cases: [(&str, Damage, &str); 17] = [
        (
            "a folder that is not there",
            |path| fs::remove_dir_all(path.parent().unwrap()).unwrap(),
            "não existe",
        ),
        (
            "a folder",
            |path| {
                clear(path);
                fs::create_dir(path).unwrap()
            },
            "é uma pasta",
        ),
        (
            "a pipe",
            |path| {
                clear(path);
                nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap();
            },
            "arquivo comum",
        ),
        (
            "a link",
            |path| {
                clear(path);
                fs::write(path.with_file_name("alvo"), "").unwrap();
                symlink("alvo", path).unwrap()
            },
            "link simbólico",
        ),
        (
            "a link for a log",
            |path| {
                clear_log(path);
                symlink("alvo", beside(path, "-wal")).unwrap()
            },
            "link simbólico",
        ),
        (
            "a link for a lock",
            |path| {
                fs::remove_file(beside(path, ".lock")).unwrap();
                symlink("alvo", beside(path, ".lock")).unwrap()
            },
            "link simbólico",
        ),
        (
            "a text",
            |path| {
                clear(path);
                fs::write(path, "isto não é um banco de dados, ".repeat(100)).unwrap()
            },
            "não é um arquivo SQLite",
        ),
        (
            "an empty file",
            |path| {
                clear(path);
                fs::write(path, "").unwrap()
            },
            "está vazio",
        ),
        (
            "another program's",
            |path| {
                clear(path);
                sql(path, "CREATE TABLE t (a)")
            },
            "outro programa",
        ),
        ("a newer version's", |path| sql(path, "PRAGMA user_version = 99"), "versão mais nova"),
        (
            "a page of garbage",
            |path| {
                sql(path, "PRAGMA wal_checkpoint(TRUNCATE)");
                // Of the products. Others may be free pages, which nobody reads.
                overwrite(path, 4096)
            },
            "corrompido",
        ),
        (
            "a database cut short",
            |path| {
                sql(path, "PRAGMA wal_checkpoint(TRUNCATE)");
                cut(path, 5 * 4096)
            },
            "corrompido",
        ),
        ("a database cut to nothing", |path| cut(path, 0), "-wal"),
        ("a log without its database", |path| fs::remove_file(path).unwrap(), "o banco de dados não"),
        ("a log cut short", |path| cut(&beside(path, "-wal"), 9000), "foi cortado"),
        ("a log of garbage", |path| overwrite(&beside(path, "-wal"), 0), "registro do SQLite"),
        ("a log removed", |path| fs::remove_file(beside(path, "-wal")).unwrap(), "foi cortado"),
    ];
    for (case, damage, why) in cases {
        let server = killed_shop();
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("loja/loja.db");
        fs::create_dir(folder.path().join("loja")).unwrap();
        for suffix in ["", "-wal", "-shm", ".lock"] {
            let name = format!("hortifruti.db{suffix}");
            fs::copy(server.path().join(name), beside(&data, suffix)).unwrap();
        }
        damage(&data);
        let there = data.parent().unwrap().exists();
        let before = there.then(|| files(data.parent().unwrap()));
        let ended = serve(folder.path(), data.to_str().unwrap());
        assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{case}: {}", ended.err);
        assert!(ended.err.contains(why), "{case}: {}", ended.err);
        assert!(ended.err.contains("alterado"), "{case}: {}", ended.err);
        let after = there.then(|| files(data.parent().unwrap()));
        // SQLite's index is rebuilt at each opening, and holds nothing of its own.
        let strip = |files: Option<BTreeMap<PathBuf, Option<Vec<u8>>>>| {
            files.map(|mut files| {
                files.retain(|path, _| !path.to_str().unwrap().ends_with("-shm"));
                files
            })
        };
        assert!(strip(after) == strip(before), "{case}: something was changed");
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

fn clear(path: &Path) {
    fs::remove_file(path).unwrap();
    clear_log(path);
}

fn clear_log(path: &Path) {
    for suffix in ["-wal", "-shm"] {
        fs::remove_file(beside(path, suffix)).unwrap();
    }
}

/// Does this to a database, without moving what is in its log.
fn sql(path: &Path, statements: &str) {
    Connection::open(path).unwrap().execute_batch(statements).unwrap();
}

fn cut(path: &Path, length: u64) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(length).unwrap();
}

fn overwrite(path: &Path, at: u64) {
    OpenOptions::new().write(true).open(path).unwrap().write_all_at(&[0xa5; 600], at).unwrap();
}

#[test]
fn a_database_that_another_program_holds_is_left_to_it() {
    let mut server = Server::start(&[]);
    server.stop();
    let path = server.path().join("hortifruti.db");
    let other = Connection::open(&path).unwrap();
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
    let ended = serve(server.path(), "hortifruti.db");
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("outro programa está usando"), "{}", ended.err);
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);
    server.restart();
    assert_eq!(server.connect().ask("4"), FOUR_PRODUCTS);
}

#[test]
fn a_disk_that_only_allows_reading_is_reported() {
    let mut server = Server::start(&[]);
    server.stop();
    if let Some(disk) = Mount::tmpfs(4096) {
        fs::copy(server.path().join("hortifruti.db"), disk.path().join("hortifruti.db")).unwrap();
        assert!(mount(&["-o", "remount,ro"], disk.path()));
        for data in ["hortifruti.db", "novo.db"] {
            let data = disk.path().join(data);
            let ended = serve(server.path(), data.to_str().unwrap());
            assert_eq!(ended.code, 1);
            assert!(ended.err.contains("só permite leitura"), "{}", ended.err);
        }
        // What was stopped cleanly is read there.
        let data = disk.path().join("hortifruti.db");
        for args in [&["verify"][..], &["backup", "copia.db", "--data"], &["restore", "--data", "nova.db"]] {
            let ended = run(hortifruti(server.path()).args(args).arg(&data), "");
            assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{args:?}");
            assert!(ended.out.contains("Movimentos: 4\n"), "{ended:?}");
        }
    } else {
        // Whoever may not mount may not write either where the permissions do not let him.
        let folder = server.path().join("fechada");
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).unwrap();
        let ended = serve(server.path(), "fechada/novo.db");
        assert_eq!(ended.code, 1);
        assert!(ended.err.contains("sem permissão"), "{}", ended.err);
    }
}

#[test]
fn on_a_full_disk_nothing_is_answered_that_is_not_on_it_and_writes_come_back() {
    let Some(mount) = Mount::tmpfs(2048) else { return };
    let filler = mount.path().join("cheio");
    let more = mount.path().join("mais-cheio");
    let data = mount.path().join("loja.db");

    // At the start: an error, and no half of a database.
    fill(&filler);
    let folder = tempfile::tempdir().unwrap();
    let ended = serve(folder.path(), data.to_str().unwrap());
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("cheio"), "{}", ended.err);
    assert!(!data.exists());
    fs::remove_file(&filler).unwrap();

    let mut server = Server::start_in(folder, &["--data", data.to_str().unwrap()]);
    let mut client = server.connect();
    assert_eq!(client.ask("3 Caju -1 id=0"), "Caju: R$2.0, Estoque: 59");
    let (mut stock, mut next) = (59, 1);
    for _ in 0..3 {
        fill(&filler);
        // What is already there of the log may still take some.
        let refusal = loop {
            let reply = client.ask(&format!("3 Caju 1 id={next}"));
            if reply.starts_with("Erro ") {
                break reply;
            }
            (stock, next) = (stock + 1, next + 1);
            assert_eq!(reply, format!("Caju: R$2.0, Estoque: {stock}"));
        };
        assert!(refusal.contains(" UNAVAILABLE: ") || refusal.contains(" OUTCOME_UNKNOWN: "), "{refusal}");
        // The store was reopened, which gave back what room its log had taken.
        fill(&more);
        let refusal = client.ask(&format!("3 Pera 1 id=pera{next}"));
        assert!(refusal.contains(" UNAVAILABLE: ") || refusal.contains(" OUTCOME_UNKNOWN: "), "{refusal}");
        assert_eq!(client.ask("1 Caju"), format!("Caju: R$2.0, Estoque: {stock}"));
        // There is room again: the same change is made, once.
        fs::remove_file(&filler).unwrap();
        fs::remove_file(&more).unwrap();
        (stock, next) = (stock + 1, next + 1);
        let expected = format!("Caju: R$2.0, Estoque: {stock}");
        assert_eq!(client.ask(&format!("3 Caju 1 id={}", next - 1)), expected);
        assert_eq!(client.ask(&format!("3 Caju 1 id={}", next - 1)), expected);
    }
    server.kill();
    server.restart();
    assert_eq!(server.connect().ask("1 Caju"), format!("Caju: R$2.0, Estoque: {stock}"));
    server.stop();
    let ended = run(hortifruti(server.path()).args(["verify", data.to_str().unwrap()]), "");
    assert_eq!(ended.code, 0, "{}", ended.err);
}

#[test]
fn a_file_that_is_taken_away_gets_no_changes_until_it_is_back() {
    let mut server = Server::start(&[]);
    let mut client = server.connect();
    client.ask("3 Caju -1");
    for suffix in ["", "-wal", "-shm"] {
        let path = server.path().join(format!("hortifruti.db{suffix}"));
        let away = server.path().join("longe");
        fs::rename(&path, &away).unwrap();
        let refusal = client.ask("3 Caju -1 id=a");
        assert!(
            refusal.starts_with("Erro UNAVAILABLE: ") && refusal.contains("apagado, movido"),
            "{refusal}"
        );
        // Another file of that name is not it.
        fs::copy(&away, &path).unwrap();
        for change in ["3 Caju -1 id=a", "desfazer 2 id=u", "contar Banana 28 id=n"] {
            assert!(client.ask(change).starts_with("Erro UNAVAILABLE: "), "{change}");
        }
        assert_eq!(client.ask("1 Caju"), "Caju: R$2.0, Estoque: 59");
        fs::rename(&away, &path).unwrap();
    }
    assert_eq!(client.ask("3 Caju -1 id=a"), "Caju: R$2.0, Estoque: 58");
    for _ in 0..2 {
        assert_eq!(client.ask("desfazer 2 id=u"), "Pera: R$5.0, Estoque: 0");
        assert_eq!(client.ask("contar Banana 28 id=n"), "Banana: R$10.0, Estoque: 28");
    }
    server.stop();
    assert_eq!(server.run(&["verify"]).code, 0);
}

#[test]
fn a_file_that_is_cut_gets_no_changes() {
    for (suffix, kept) in [("", 0), ("", 1), ("-wal", 0), ("-wal", 1), ("-wal", 2)] {
        let mut server = Server::start(&[]);
        let mut client = server.connect();
        for _ in 0..5 {
            client.ask("3 Caju -1");
        }
        let path = server.path().join(format!("hortifruti.db{suffix}"));
        let length = fs::metadata(&path).unwrap().len();
        cut(&path, length * kept / 3);
        let case = format!("{suffix} {kept}");
        for _ in 0..2 {
            let refusal = client.ask("3 Caju -1 id=a");
            assert!(
                refusal.starts_with("Erro UNAVAILABLE: ") && refusal.contains("foi cortado"),
                "{case}: {refusal}"
            );
        }
        assert_eq!(client.ask("1 Caju"), "Caju: R$2.0, Estoque: 55", "{case}");
        server.kill();
        let ended = serve(server.path(), "hortifruti.db");
        assert_eq!(ended.code, 1, "{case}");
    }
}

#[test]
fn a_server_whose_index_is_cut_takes_no_changes_and_ends_cleanly() {
    for changes in [&[][..], &["3 Caju -1"], &["3 Caju -1 id=a"], &["3 Caju -1 id=b"]] {
        let mut server = Server::start(&[]);
        let mut client = server.connect();
        client.ask("3 Caju -1 id=a");
        cut(&server.path().join("hortifruti.db-shm"), 0);
        for change in changes {
            let refusal = client.ask(change);
            assert!(refusal.starts_with("Erro UNAVAILABLE: "), "{change}: {refusal}");
        }
        assert_eq!(client.ask("1 Caju"), "Caju: R$2.0, Estoque: 59");
        server.stop();
        // What was answered is in the log, from which the index is made anew.
        server.restart();
        let mut client = server.connect();
        assert_eq!(client.ask("3 Caju -1 id=a"), "Caju: R$2.0, Estoque: 59");
        assert_eq!(client.ask("3 Caju -1 id=b"), "Caju: R$2.0, Estoque: 58");
        server.stop();
        assert_eq!(server.run(&["verify"]).code, 0);
    }
}

#[test]
fn a_file_that_another_program_made_shorter_is_not_cut() {
    let mut server = Server::start(&[]);
    let mut client = server.connect();
    let path = server.path().join("hortifruti.db");
    sql(&path, "CREATE TABLE large AS SELECT randomblob(100000) AS bytes");
    sql(&path, "PRAGMA wal_checkpoint(TRUNCATE)");
    client.ask("3 Caju -1");
    sql(&path, "DROP TABLE large");
    sql(&path, "VACUUM");
    sql(&path, "PRAGMA wal_checkpoint(TRUNCATE)");
    assert_eq!(client.ask("3 Caju -1"), "Caju: R$2.0, Estoque: 58");
    server.stop();
    assert_eq!(server.run(&["verify"]).code, 0);
}

#[test]
fn an_output_that_is_full_or_closed_stops_nothing() {
    let full = || Stdio::from(OpenOptions::new().write(true).open("/dev/full").unwrap());
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Stdio::from(writer)
    };
    for (out, err) in [(full(), full()), (closed(), closed())] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = hortifruti(folder.path());
        // Everything is logged, by every thread.
        command.args(["serve", "--port", "0"]).env("RUST_LOG", "trace");
        let mut child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn().unwrap();
        let port_file = folder.path().join("server_port.txt");
        wait_until("the server is ready", || {
            assert_eq!(child.try_wait().unwrap(), None, "the server ended");
            port_file.exists()
        });
        let ask = |args: &[&str]| run(hortifruti(folder.path()).args(args), "");
        for _ in 0..3 {
            assert_eq!(ask(&["update", "Caju", "-1"]).code, 0);
        }
        // The writer has something to say, and goes on.
        let path = folder.path().join("hortifruti.db");
        let away = folder.path().join("longe");
        fs::rename(&path, &away).unwrap();
        assert_eq!(ask(&["update", "Caju", "-1"]).code, 5);
        fs::rename(&away, &path).unwrap();
        assert_eq!(ask(&["update", "Caju", "-1"]).out, "Caju: R$2.0, Estoque: 56\n");
        signal(child.id(), "TERM");
        assert_eq!(end_of(&mut child).code(), Some(0));
    }
}
