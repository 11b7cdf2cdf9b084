//! The port file: what it may replace, and how a server that `localhost` does not reach is
//! found by it.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Stdio};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::support::waiting::{kill, lines};
use crate::support::{Need, PATIENCE, Server, hortifruti, run};

/// What no server may replace or remove, whatever it is called.
const PRECIOUS: [(&str, &str); 8] = [
    ("lista.csv", "nome,preco\nUva,8.50\n"),
    ("tokens", "balcao escrita sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\n"),
    ("segredo", "0123456789abcdef\n"),
    ("telefone", "81829933\n"),
    ("duas-portas", "8082\n8083\n"),
    ("preco", "8,50\n"),
    ("vazio", ""),
    ("zero", "0"),
];

/// The names in a folder, each with its kind and content, in order.
fn contents(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        let content = match kind.is_file() {
            true => format!("{:?}", fs::read(entry.path()).unwrap()),
            false => {
                format!("fifo {} socket {} link {}", kind.is_fifo(), kind.is_socket(), kind.is_symlink())
            }
        };
        (entry.file_name().into_string().unwrap(), content)
    });
    entries.collect()
}

/// A server that must not start, and what it says.
fn refused(folder: &Path, args: &[&str]) -> String {
    let ended = run(hortifruti(folder).args(["serve", "--port", "0"]).args(args), "");
    assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{args:?}: {}", ended.err);
    assert!(ended.err.contains("O servidor") && ended.err.contains("não foi iniciado"), "{}", ended.err);
    ended.err
}

#[test]
fn nothing_but_a_port_file_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    // A database, its lock and the rest of a server that was stopped.
    let mut server = Server::start(&["--data", at("loja.db").to_str().unwrap()]);
    server.stop();
    for (name, content) in PRECIOUS {
        fs::write(at(name), content).unwrap();
    }
    fs::create_dir(at("pasta")).unwrap();
    symlink(at("lista.csv"), at("link")).unwrap();
    symlink(at("nao-ha"), at("link-para-nada")).unwrap();
    mkfifo(&at("cano"), Mode::S_IRWXU).unwrap();
    let _socket = UnixListener::bind(at("socket")).unwrap();
    let before = contents(folder.path());
    for name in before.keys() {
        let told = refused(folder.path(), &["--port-file", name]);
        assert!(told.contains(name) && told.contains("--port-file"), "{told}");
        assert_eq!(contents(folder.path()), before, "{name}");
    }
}

#[test]
fn a_port_file_of_any_writer_is_replaced_and_removed() {
    for content in ["1", "65535\n", "8082\r\n", "\u{feff}8082"] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("server_port.txt"), content).unwrap();
        let mut server = Server::start_in(folder, &[]);
        let path = server.path().join("server_port.txt");
        assert_eq!(fs::read_to_string(&path).unwrap(), server.port.to_string());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        server.stop();
        assert_eq!(
            contents(server.path()).into_keys().collect::<Vec<_>>(),
            ["hortifruti.db", "hortifruti.db.lock"]
        );
    }
}

#[test]
fn what_takes_the_port_files_place_is_not_removed() {
    let mut server = Server::start(&[]);
    let path = server.path().join("server_port.txt");
    fs::remove_file(&path).unwrap();
    fs::write(&path, "importante").unwrap();
    server.stop();
    assert_eq!(fs::read_to_string(&path).unwrap(), "importante");
    // A link is not ours, wherever it leads.
    fs::remove_file(&path).unwrap();
    server.restart();
    fs::rename(&path, server.path().join("outro")).unwrap();
    symlink(server.path().join("outro"), &path).unwrap();
    server.stop();
    assert!(path.is_symlink() && server.path().join("outro").exists());
}

#[test]
fn the_files_of_a_database_that_is_not_there_yet_are_no_port_files() {
    for (port_file, data) in [
        ("hortifruti.db", "hortifruti.db"),
        ("./hortifruti.db-wal", "hortifruti.db"),
        ("hortifruti.db-shm", "./hortifruti.db"),
        ("hortifruti.db-journal", "hortifruti.db"),
        ("hortifruti.db.lock", "hortifruti.db"),
        ("loja", "loja.address"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let told = refused(folder.path(), &["--port-file", port_file, "--data", data]);
        assert!(told.contains("banco de dados") && told.contains("--data"), "{told}");
        assert_eq!(contents(folder.path()), BTreeMap::new());
    }
}

#[test]
fn a_persons_file_with_the_name_of_a_temporary_one_is_left_alone() {
    for name in ["server_port.txt.tmp", "hortifruti.db.tmp", ".server_port.txt.tmp"] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), "importante").unwrap();
        let mut server = Server::start_in(folder, &[]);
        server.stop();
        assert_eq!(fs::read_to_string(server.path().join(name)).unwrap(), "importante");
    }
    for name in [".server_port.txt.hortifruti-tmp", ".hortifruti.db.hortifruti-tmp"] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), "importante").unwrap();
        let ended = run(hortifruti(folder.path()).args(["serve", "--port", "0"]), "");
        assert!(ended.code == 1 && ended.err.contains(name), "{ended:?}");
        assert_eq!(fs::read_to_string(folder.path().join(name)).unwrap(), "importante");
        assert!(!folder.path().join("hortifruti.db").exists());
    }
}

#[test]
fn a_client_does_not_wait_for_a_port_file_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    mkfifo(&folder.path().join("cano"), Mode::S_IRWXU).unwrap();
    let _socket = UnixListener::bind(folder.path().join("socket")).unwrap();
    for name in ["cano", "socket", "."] {
        for command in [&["query"][..], &["update", "Caju", "1"], &["export"], &["shell"]] {
            let ended = run(hortifruti(folder.path()).args(command).args(["--port-file", name]), "");
            assert_eq!((ended.code, ended.out.as_str()), (5, ""), "{name}: {}", ended.err);
            assert!(ended.err.contains(name) && ended.err.contains("Nada foi enviado"), "{}", ended.err);
        }
    }
}

/// The addresses that `localhost` does not reach and every machine has.
fn addresses() -> Vec<&'static str> {
    let mut addresses = vec!["127.0.0.2"];
    if TcpListener::bind("[::1]:0").is_ok() {
        addresses.push("::1");
    } else {
        Need::Ipv6.skip("this machine has no IPv6");
    }
    addresses
}

#[test]
fn a_server_at_another_address_is_found_and_not_taken_over() {
    for host in addresses() {
        for protocol in [&[][..], &["--socket"], &["--grpc"]] {
            let mut server = Server::start(&["--host", host]);
            let (port_file, address_file) =
                (server.path().join("server_port.txt"), server.path().join("server_port.txt.address"));
            // What the original's client reads.
            assert_eq!(fs::read_to_string(&port_file).unwrap(), server.port.to_string());
            assert_eq!(fs::metadata(&address_file).unwrap().permissions().mode() & 0o777, 0o600);
            let asked = server.run(&[&["query", "Caju"], protocol].concat());
            assert_eq!(asked.out, "Caju: R$2.0, Estoque: 60\n", "{}", asked.err);
            let sold = run(&mut server.command(&[&["shell"], protocol].concat()), "3 Caju -20\n");
            assert_eq!(sold.out, "Caju: R$2.0, Estoque: 40\n", "{}", sold.err);

            for other in ["127.0.0.1", host] {
                let told = refused(server.path(), &["--host", other, "--data", "outro.db"]);
                let address = fs::read_to_string(&address_file).unwrap();
                assert!(address.contains(host) && told.contains(&address), "{told}");
                assert!(!server.path().join("outro.db").exists());
            }

            server.kill();
            let stale = server.run(&["query"]);
            assert!(
                stale.code == 5 && stale.err.contains("obsoleto") && stale.err.contains(host),
                "{stale:?}"
            );
            server.restart();
            assert_eq!(server.run(&["query", "Caju"]).out, "Caju: R$2.0, Estoque: 40\n");
            server.stop();
            assert!(!port_file.exists() && !address_file.exists());
        }
    }
}

/// A server on a port that was chosen before, which ends with it.
struct Chosen(Child);

impl Chosen {
    fn start(folder: &Path, port: u16, args: &[&str]) -> Self {
        let mut command = hortifruti(folder);
        command.args(["serve", "--port", &port.to_string()]).args(args).stdout(Stdio::piped());
        let mut this = Self(command.spawn().unwrap());
        // Its first line comes after the port file.
        let line = lines(this.0.stdout.take().unwrap()).recv_timeout(PATIENCE).unwrap();
        assert!(line.ends_with(&format!(" na porta {port}")), "{line}");
        this
    }
}

impl Drop for Chosen {
    fn drop(&mut self) {
        kill(&mut self.0);
    }
}

/// A port of 127.0.0.1 that nobody takes meanwhile.
fn reserved() -> (TcpListener, u16) {
    let reserved = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = reserved.local_addr().unwrap().port();
    (reserved, port)
}

#[test]
fn an_address_that_was_left_behind_does_not_lead_astray() {
    let folder = tempfile::tempdir().unwrap();
    let (reserved, port) = reserved();
    drop(Chosen::start(folder.path(), port, &["--host", "127.0.0.2"]));
    assert!(folder.path().join("server_port.txt.address").exists());
    drop(reserved);
    // On the same port, so that the address would be believed.
    let _next = Chosen::start(folder.path(), port, &[]);
    assert!(!folder.path().join("server_port.txt.address").exists());
    assert_eq!(run(hortifruti(folder.path()).args(["query", "Pera"]), "").out, "Pera: R$5.0, Estoque: 15\n");
}

#[test]
fn two_servers_on_one_port_of_two_addresses_are_distinguished() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (reserved, port) = reserved();
    let _one = Chosen::start(one.path(), port, &["--host", "127.0.0.2"]);
    drop(reserved);
    let _other = Chosen::start(other.path(), port, &["--empty"]);
    let shown = run(hortifruti(other.path()).arg("query"), "");
    assert_eq!(shown.out, "Nenhum produto encontrado.\n", "{}", shown.err);
    assert_eq!(run(hortifruti(one.path()).args(["query", "Caju"]), "").out, "Caju: R$2.0, Estoque: 60\n");
}
