//! The executable for Windows, as a person uses it in cmd.exe. `.ci/windows` builds it and runs these tests under Wine;
//! elsewhere they are ignored.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use crate::support::waiting::{lines, rest};
use crate::support::{
    Connection, Ended, FOUR_PRODUCTS, SERVICE_PORT_FILE_VARIABLE, Server, executable, hortifruti, run,
    run_bytes,
};

/// The lines that a batch file prints in cmd.exe, whose prompt is `>`, without the empty ones.
fn in_cmd(folder: &Path, commands: &[&str]) -> Vec<String> {
    fs::copy(std::env::var("HORTIFRUTI_WINDOWS_EXE").unwrap(), folder.join("hortifruti.exe")).unwrap();
    let batch: String = ["@prompt $G"].iter().chain(commands).map(|line| format!("{line}\r\n")).collect();
    fs::write(folder.join("passeio.bat"), batch).unwrap();
    let wine = std::env::var("HORTIFRUTI_WINE").unwrap();
    let ended = run(Command::new(wine).current_dir(folder).args(["cmd", "/c", "passeio.bat"]), "");
    let lines = ended.out.lines().chain(ended.err.lines()).map(str::trim_end);
    lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
#[ignore = "needs the executable for Windows: .ci/windows runs it"]
fn the_originals_walk_through_in_cmd() {
    let mut server = Server::start(&["--socket", "--exit-after", "3"]);
    let clients = [
        "hortifruti query --max-price 8",
        "hortifruti update Caju -20",
        "hortifruti query",
        "@if exist server_port.txt echo ainda aberto",
    ];
    let shown = in_cmd(server.path(), &clients[..3]);
    let expected = [
        ">hortifruti query --max-price 8",
        "Maca: R$3.0, Estoque: 20",
        "Pera: R$5.0, Estoque: 15",
        "Caju: R$2.0, Estoque: 60",
        ">hortifruti update Caju -20",
        "Caju: R$2.0, Estoque: 40",
        ">hortifruti query",
        "Maca: R$3.0, Estoque: 20",
        "Pera: R$5.0, Estoque: 15",
        "Banana: R$10.0, Estoque: 30",
        "Caju: R$2.0, Estoque: 40",
    ];
    assert_eq!(shown, expected);
    assert_eq!(server.wait_for_end().0, Some(0));
    assert_eq!(server.rest_of_console().last().unwrap(), "Numero max de conexoes atingidas.");
    assert!(!server.path().join("server_port.txt").exists());
    // Nobody answers any more, and cmd.exe learns it.
    let shown = in_cmd(server.path(), &["@hortifruti query 2> nul", "@echo %errorlevel%", clients[3]]);
    assert!(shown.len() == 1 && shown[0] != "0", "{shown:?}");
}

#[test]
#[ignore = "needs the executable for Windows: .ci/windows runs it"]
fn a_server_of_grpc_is_found_by_its_port_file() {
    let server = Server::start(&["--grpc"]);
    let port = fs::read_to_string(server.path().join("server_port.txt")).unwrap();
    assert_eq!(port, server.port.to_string());
    // An editor of Windows ends the line.
    fs::write(server.path().join("server_port.txt"), format!("{port}\r\n")).unwrap();
    fs::write(server.path().join("comandos.txt"), "4\r\n3 Caju -20\r\n").unwrap();
    let shown = in_cmd(server.path(), &["@hortifruti query Maca", "@hortifruti shell < comandos.txt"]);
    let menu = shown.iter().position(|line| line.contains("Caju: R$2.0, Estoque: 60"));
    assert_eq!(shown[0], "Maca: R$3.0, Estoque: 20");
    assert!(menu.is_some() && shown.last().unwrap().contains("Caju: R$2.0, Estoque: 40"), "{shown:?}");
}

/// The original's client: reads commands, sends each without a line end, and shows the answer.
const PYTHON_CLIENT: &str = r#"
import io, socket, sys
port = int(open("server_port.txt").read())
server = socket.create_connection(("localhost", port))
end = "\r\n" if "--crlf" in sys.argv else ""
# As in a window of cmd.exe: the code page of a Brazilian Windows, and its line ends.
for line in io.TextIOWrapper(sys.stdin.buffer, "cp850"):
    server.send((line.rstrip("\n") + end).encode())
    answer = server.recv(2048).decode()
    answer.encode("cp850")
    print(answer.strip())
"#;

#[test]
#[ignore = "needs the executable for Windows: .ci/windows runs it"]
fn python_clients_of_windows_are_understood() {
    let server = Server::start(&["--socket"]);
    let ask = |arguments: &[&str]| -> Ended {
        let mut python = Command::new("python3");
        python.current_dir(server.path()).env("PYTHONIOENCODING", "utf-8").args(["-c", PYTHON_CLIENT]);
        run_bytes(python.args(arguments), b"4\r\n1 Ma\x87\x84\r\n2 1\r\n9\r\n")
    };
    for arguments in [&[][..], &["--crlf"]] {
        let ended = ask(arguments);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(ended.out.starts_with(FOUR_PRODUCTS), "{ended:?}");
        assert!(ended.out.contains("Nenhum produto encontrado."), "{ended:?}");
    }
}

#[test]
#[ignore = "needs the executable for Windows: .ci/windows runs it"]
fn a_killed_server_loses_nothing_and_a_second_one_does_not_start() {
    let mut server = Server::start(&[]);
    for sold in 1..=10 {
        let answer = server.run(&["update", "Caju", "-1"]);
        assert_eq!(answer.out, format!("Caju: R$2.0, Estoque: {}\n", 60 - sold), "{answer:?}");
        if sold % 3 == 0 {
            server.kill();
            server.restart();
        }
    }
    let second = run(&mut server.command(&["serve", "--port", "0", "--port-file", "outra.txt"]), "");
    assert!(second.code == 1 && second.err.contains("em uso por outro servidor (processo "), "{second:?}");
    let mut connection = Connection::new(server.port);
    connection.send("1 Caju\n");
    assert_eq!(connection.receive(2048), "Caju: R$2.0, Estoque: 50\n\n");
    server.stop();
    assert!(!server.path().join("hortifruti.db-wal").exists(), "{}", executable().display());
}

#[test]
#[ignore = "needs the executable for Windows: .ci/windows runs it"]
fn one_address_serves_both_families() {
    let server = Server::start(&["--host", "::", "--insecure"]);
    for address in ["127.0.0.1", "::1"] {
        let mut stream = TcpStream::connect((address, server.port)).unwrap();
        stream.write_all(b"1 Caju\n5\n").unwrap();
        let reply = rest(&lines(stream));
        assert_eq!(reply, ["Caju: R$2.0, Estoque: 60", "", "Até logo.", ""], "{address}");
    }
    // The port is taken at each address.
    for host in ["127.0.0.1", "0.0.0.0"] {
        let port = server.port.to_string();
        let args = [
            "serve",
            "--insecure",
            "--host",
            host,
            "--port",
            &port,
            "--data",
            ":memory:",
            "--port-file",
            "b",
        ];
        let second = run(&mut server.command(&args), "");
        assert!(second.code == 1 && second.err.contains("já está em uso"), "{host}: {second:?}");
    }
}

#[test]
#[ignore = "needs the executable for Windows: .ci/windows runs it"]
fn pipes_of_cmd_have_its_letters() {
    let server = Server::start(&[]);
    let mut shell = server.command(&["shell"]);
    // As `echo 1 Pêra| hortifruti shell` sends it in the code pages 437 and 850.
    let ended = run_bytes(&mut shell, b"1 P\x88ra\r\n");
    assert_eq!(ended.out, "Pera: R$5.0, Estoque: 15\n", "{ended:?}");
}

#[test]
#[ignore = "needs the executable for Windows: .ci/windows runs it"]
fn a_service_is_installed_sells_stops_starts_and_goes() {
    /// Takes the service away, also after a failure.
    struct Removed<'a>(&'a Path);

    impl Drop for Removed<'_> {
        fn drop(&mut self) {
            run(hortifruti(self.0).args(["service", "remove"]), "");
        }
    }

    let folder = tempfile::tempdir().unwrap();
    // The one service of the machine, whose port file has its own place.
    let command = |folder: &Path| {
        let mut command = hortifruti(folder);
        command.env_remove(SERVICE_PORT_FILE_VARIABLE);
        command
    };
    let of = |args: &[&str]| run(command(folder.path()).args(args), "");
    let done = |args: &[&str]| {
        let ended = of(args);
        assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
        ended
    };
    let _removed = Removed(folder.path());
    // The shop of an earlier run, which every removal leaves.
    let shop = Path::new(&std::env::var("WINEPREFIX").unwrap()).join("drive_c/ProgramData/hortifruti");
    let _ = of(&["service", "remove"]);
    let _ = fs::remove_dir_all(&shop);
    let missing = of(&["service", "start"]);
    assert!(missing.code == 1 && missing.err.contains("não está instalado"), "{missing:?}");
    let installed = done(&["service", "install", "--", "--port", "0"]);
    assert!(installed.err.contains(r"ProgramData\hortifruti"), "{installed:?}");
    // Clients find it from every folder.
    assert_eq!(done(&["update", "Caju", "-20"]).out, "Caju: R$2.0, Estoque: 40\n");
    done(&["service", "stop"]);
    let nobody = of(&["query"]);
    assert!(nobody.code == 5 && nobody.err.contains("não há arquivo de porta"), "{nobody:?}");
    done(&["service", "stop"]);
    done(&["service", "start"]);
    done(&["service", "start"]);
    assert_eq!(done(&["query", "Caju"]).out, "Caju: R$2.0, Estoque: 40\n");
    // Another installation changes the options, and the shop stays.
    done(&["service", "install", "--", "--port", "0", "--socket"]);
    assert_eq!(done(&["query", "Caju", "--socket"]).out, "Caju: R$2.0, Estoque: 40\n");
    let grpc = of(&["query", "Caju", "--grpc"]);
    assert_ne!(grpc.code, 0, "{grpc:?}");
    // A server that cannot start says so, and where the reason is.
    let failed = of(&["service", "install", "--", "--port", "0", "--token-file", "nada.txt"]);
    assert!(failed.code == 1 && failed.err.contains("eventvwr"), "{failed:?}");
    done(&["service", "remove"]);
    assert_eq!(of(&["service", "stop"]).code, 1);
}
