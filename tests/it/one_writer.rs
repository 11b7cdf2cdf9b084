//! One writer for one file, by whatever names it is reached.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc::channel;

use tempfile::TempDir;

use crate::disk::{mount, unmount};
use crate::support::{Connection, Ended, PATIENCE, Server, finished, hortifruti, run};

/// Another name of a server's database, in a folder of its own.
struct OtherName {
    folder: TempDir,
    path: PathBuf,
    is_mount: bool,
}

impl OtherName {
    fn link(server: &Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outra.db");
        fs::hard_link(server.path().join("hortifruti.db"), &path).unwrap();
        Self { folder, path, is_mount: false }
    }

    /// The file alone, as a container sees it; `None`, and why is printed, where nothing can be mounted.
    fn mount(server: &Server) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outra.db");
        fs::write(&path, "").unwrap();
        let database = server.path().join("hortifruti.db");
        let is_mount = mount(&["--bind", database.to_str().unwrap()], &path);
        is_mount.then_some(Self { folder, path, is_mount })
    }

    fn run(&self, args: &[&str]) -> Ended {
        run(hortifruti(self.folder.path()).args(args), "")
    }
}

impl Drop for OtherName {
    fn drop(&mut self) {
        if self.is_mount {
            unmount(&self.path);
        }
    }
}

/// Every file of a folder but the locks, with what is in it.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut contents: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_none_or(|extension| extension != "lock"))
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    contents.sort();
    contents
}

/// Nobody writes, reads or copies what a server has by another name, and the server is named.
fn is_refused(server: &Server, other: &OtherName) {
    let first = format!("porta {}", server.port);
    let before = contents(other.folder.path());
    for args in [
        &["serve", "--port", "0", "--data", "outra.db"][..],
        &["serve", "--port", "0", "--data", "outra.db", "--empty"],
        &["verify", "outra.db"],
        &["backup", "copia.db", "--data", "outra.db"],
    ] {
        let ended = other.run(args);
        assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{args:?}: {}", ended.err);
        assert!(ended.err.contains(&first) && ended.err.contains("outro nome"), "{args:?}: {}", ended.err);
        assert!(ended.err.contains("Nada foi alterado"), "{args:?}: {}", ended.err);
    }
    assert!(contents(other.folder.path()) == before, "something was changed or left behind");
}

#[test]
fn a_second_name_reaches_no_second_server() {
    let mut server = Server::start(&[]);
    server.connect().ask("3 Caju -1 id=a");
    let others = [Some(OtherName::link(&server)), OtherName::mount(&server)];
    for other in others.iter().flatten() {
        is_refused(&server, other);
    }
    // The first goes on, started again too.
    assert_eq!(server.connect().ask("3 Caju -1"), "Caju: R$2.0, Estoque: 58");
    server.stop();
    server.restart();
    for other in others.iter().flatten() {
        is_refused(&server, other);
    }
    server.stop();
    // Once nobody has it, each name is as good as the other.
    for other in others.iter().flatten() {
        assert_eq!(other.run(&["verify", "outra.db"]).code, 0);
        let folder = tempfile::tempdir().unwrap();
        let mut second = Server::start_in(folder, &["--data", other.path.to_str().unwrap()]);
        assert_eq!(second.connect().ask("3 Caju -1 id=a"), "Caju: R$2.0, Estoque: 59");
        let refused = run(hortifruti(server.path()).args(["serve", "--port", "0"]), "");
        assert!(refused.code == 1 && refused.err.contains("outro nome"), "{refused:?}");
        assert!(second.connect().ask("3 Caju -1").starts_with("Caju: "));
        second.stop();
    }
    server.restart();
    assert_eq!(
        server.connect().ask("1 Caju"),
        format!("Caju: R$2.0, Estoque: {}", 58 - others.iter().flatten().count())
    );
    server.stop();
    assert_eq!(server.run(&["verify"]).code, 0);
}

#[test]
fn a_second_name_of_a_log_is_not_played_over_what_came_later() {
    for suffixes in [&["", "-wal"][..], &["", "-wal", "-shm"], &["", "-wal", "-shm", ".lock"]] {
        let mut server = Server::start(&[]);
        server.connect().ask("3 Caju -1");
        let folder = tempfile::tempdir().unwrap();
        for suffix in suffixes {
            let name = format!("hortifruti.db{suffix}");
            fs::hard_link(server.path().join(&name), folder.path().join(&name)).unwrap();
        }
        server.stop();
        server.restart();
        assert_eq!(server.connect().ask("3 Caju -1"), "Caju: R$2.0, Estoque: 58");
        server.stop();
        let mut second = Server::start_in(folder, &[]);
        assert_eq!(second.connect().ask("3 Caju -1"), "Caju: R$2.0, Estoque: 57", "{suffixes:?}");
        second.stop();
        server.restart();
        assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 57", "{suffixes:?}");
        server.stop();
    }
}

#[test]
fn a_copy_is_another_database() {
    let mut server = Server::start(&[]);
    server.stop();
    let folder = tempfile::tempdir().unwrap();
    fs::copy(server.path().join("hortifruti.db"), folder.path().join("hortifruti.db")).unwrap();
    server.restart();
    let mut second = Server::start_in(folder, &[]);
    assert_eq!(server.connect().ask("3 Caju -1"), "Caju: R$2.0, Estoque: 59");
    assert_eq!(second.connect().ask("3 Caju -2"), "Caju: R$2.0, Estoque: 58");
    server.stop();
    second.stop();
}

#[test]
fn a_killed_server_leaves_no_lock() {
    let mut server = Server::start(&[]);
    server.connect().ask("3 Caju -1");
    let other = OtherName::link(&server);
    server.kill();
    server.restart();
    assert_eq!(server.connect().ask("1 Caju"), "Caju: R$2.0, Estoque: 59");
    is_refused(&server, &other);
    server.stop();
}

#[test]
fn of_servers_that_begin_one_database_together_one_does() {
    const SERVERS: usize = 6;
    let folder = tempfile::tempdir().unwrap();
    let (lines, first_lines) = channel();
    let started: Vec<_> = (0..SERVERS)
        .map(|number| {
            let mut command = hortifruti(folder.path());
            command.args(["serve", "--port", "0", "--exit-after", "1"]);
            command.args(["--port-file", &format!("porta-{number}.txt")]);
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = command.spawn().unwrap();
            let (lines, out) = (lines.clone(), child.stdout.take().unwrap());
            std::thread::spawn(move || {
                let mut out = BufReader::new(out).lines();
                lines.send(out.next().map(Result::unwrap)).unwrap();
                // What is not read could hold up the server.
                out.for_each(drop);
            });
            child
        })
        .collect();
    // One that is refused prints nothing, and one serves.
    let first_lines = (0..SERVERS).filter_map(|_| first_lines.recv_timeout(PATIENCE).unwrap());
    let served: Vec<String> = first_lines.collect();
    assert_eq!(served.len(), 1, "{served:?}");
    let port = served[0].rsplit(' ').next().unwrap().parse().unwrap();
    let mut client = Connection::new(port);
    assert_eq!(client.ask("3 Caju -1"), "Caju: R$2.0, Estoque: 59");
    drop(client);
    let mut codes = Vec::new();
    for child in started {
        let ended = finished(child);
        assert!(ended.code == 0 || ended.err.contains("já está em uso"), "{ended:?}");
        codes.push(ended.code);
    }
    codes.sort_unstable();
    assert_eq!(codes, [0, 1, 1, 1, 1, 1]);
}

#[test]
fn after_a_kill_the_log_is_missed_by_any_other_name() {
    let mut server = Server::start(&[]);
    assert_eq!(server.connect().ask("3 Caju -1 id=a"), "Caju: R$2.0, Estoque: 59");
    let links = [OtherName::link(&server), OtherName::link(&server)];
    server.kill();
    let database = server.path().join("hortifruti.db");
    let log = server.path().join("hortifruti.db-wal");
    for (link, is_moved) in links.iter().zip([false, true]) {
        if is_moved {
            // The link is then the only name.
            fs::remove_file(&database).unwrap();
        }
        for args in [
            &["serve", "--port", "0", "--data", "outra.db"][..],
            &["verify", "outra.db"],
            &["backup", "copia.db", "--data", "outra.db"],
        ] {
            let ended = link.run(args);
            assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{args:?}: {}", ended.err);
            let where_it_is = log.canonicalize().unwrap();
            assert!(ended.err.contains(where_it_is.to_str().unwrap()), "{args:?}: {}", ended.err);
        }
    }
    // Beside the log again, nothing is missing.
    let path = fs::canonicalize(&links[0].path).unwrap();
    fs::rename(&log, path.with_file_name("outra.db-wal")).unwrap();
    let mut second = Server::start_in(tempfile::tempdir().unwrap(), &["--data", path.to_str().unwrap()]);
    assert_eq!(second.connect().ask("3 Caju -1 id=a"), "Caju: R$2.0, Estoque: 59");
    second.stop();
    // After a clean stop each name will do.
    let verified = links[1].run(&["verify", "outra.db"]);
    assert_eq!(verified.code, 0, "{verified:?}");
}
