//! The files that commands write and read: nothing that is not ours is replaced, and nothing
//! that is no file is waited for without an end.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use nix::unistd::mkfifo;

use crate::support::{Ended, Need, Server, finished, hortifruti, run};

/// What stands in a shop's folder, and no command may replace by something else.
struct Folder {
    server: Server,
    _socket: UnixListener,
    names: Vec<&'static str>,
}

impl Folder {
    fn new() -> Self {
        let server = Server::start(&[]);
        let at = |name: &str| server.path().join(name);
        fs::write(at("lista.csv"), "Nome;Preço\nUva;8,50\n").unwrap();
        fs::write(at("pagina.html"), "<!doctype html>\n<html lang=\"pt-BR\">\n<title>Loja</title>\n")
            .unwrap();
        fs::write(at("numeros.json"), "{\n  \"date\": \"2026-11-24\"\n}\n").unwrap();
        fs::write(at("vazio"), "").unwrap();
        assert_eq!(server.run(&["token", "new", "balcao", "--token-file", "tokens"]).code, 0);
        fs::create_dir(at("pasta")).unwrap();
        symlink(at("lista.csv"), at("link")).unwrap();
        mkfifo(&at("cano"), Mode::S_IRWXU).unwrap();
        let socket = UnixListener::bind(at("socket")).unwrap();
        let mut names = vec![
            "lista.csv",
            "pagina.html",
            "numeros.json",
            "vazio",
            "tokens",
            "pasta",
            "link",
            "cano",
            "socket",
            "hortifruti.db",
            "hortifruti.db.lock",
            "server_port.txt",
        ];
        // As /dev/null, which only root may make.
        match mknod(&at("aparelho"), SFlag::S_IFCHR, Mode::S_IRWXU, makedev(1, 3)) {
            Ok(()) => names.push("aparelho"),
            Err(error) => Need::Devices.skip(format!("no device can be made here ({error})")),
        }
        Self { server, _socket: socket, names }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.server.path().join(name)
    }

    /// Runs a command on each name in turn, and holds that it fails and changes nothing.
    fn refuses(&self, command: impl Fn(&str) -> Vec<String>) {
        let before = self.contents();
        for name in &self.names {
            let args = command(name);
            let ended = end(hortifruti(self.server.path()).args(&args));
            assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{args:?}: {}", ended.err);
            assert!(ended.err.starts_with("Erro: ") && ended.err.contains(name), "{args:?}: {}", ended.err);
            assert_eq!(self.contents(), before, "{args:?}");
        }
    }

    /// What is there, without the log of the server, which goes on.
    fn contents(&self) -> Vec<(String, Option<Vec<u8>>, u32)> {
        let mut contents: Vec<_> = fs::read_dir(self.server.path())
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| !entry.file_name().to_str().unwrap().starts_with("hortifruti.db-"))
            .map(|entry| {
                let found = entry.path().symlink_metadata().unwrap();
                let content = found.is_file().then(|| fs::read(entry.path()).unwrap());
                (entry.file_name().into_string().unwrap(), content, found.permissions().mode())
            })
            .collect();
        contents.sort();
        contents
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn no_command_writes_over_what_is_not_ours() {
    let folder = Folder::new();
    let address = format!("127.0.0.1:{}", folder.server.port);
    for option in ["--html", "--json"] {
        folder.refuses(|name| words(&["bench", "--server", &address, "--duration", "60", option, name]));
    }
    for force in [&[][..], &["--force"]] {
        folder.refuses(|name| words(&[&["export", name], force].concat()));
        folder.refuses(|name| words(&[&["backup", name], force].concat()));
    }
}

#[test]
fn a_token_is_added_only_to_tokens() {
    let folder = Folder::new();
    let before = folder.contents();
    for name in folder.names.iter().filter(|name| !["tokens", "vazio"].contains(name)) {
        let args = ["token", "new", "caixa", "--token-file", name];
        let ended = end(hortifruti(folder.server.path()).args(args));
        assert!(ended.code == 1 && ended.out.is_empty(), "{name}: {ended:?}");
        assert!(ended.err.contains(name) && ended.err.contains("Nada foi criado"), "{}", ended.err);
        assert_eq!(folder.contents(), before, "{name}");
    }
}

#[test]
fn an_earlier_report_is_replaced_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut texts: Vec<[String; 2]> = Vec::new();
    for _ in 0..2 {
        let mut bench = hortifruti(folder.path());
        bench.args(["bench", "--duration", "1", "--connections", "1", "--rate", "20"]);
        bench.args(["--html", "r.html", "--json", "r.json"]);
        let ended = run(&mut bench, "");
        assert_eq!((ended.code, ended.err.as_str()), (0, ""));
        texts.push(["r.html", "r.json"].map(|name| fs::read_to_string(at(name)).unwrap()));
    }
    assert!(texts[0][0] != texts[1][0] && texts[0][1] != texts[1][1]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    // Neither takes the place of the other, nor both that of one.
    for args in [&["--html", "r.json"][..], &["--json", "r.html"], &["--json", "um", "--html", "./um"]] {
        let ended = run(hortifruti(folder.path()).args(["bench", "--duration", "60"]).args(args), "");
        assert!(ended.code == 1 && ended.err.contains("não foi possível escrever"), "{args:?}: {ended:?}");
    }
    assert_eq!(fs::read_to_string(at("r.html")).unwrap(), texts[1][0]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_list_is_exported_to_a_file_whole_or_not_at_all() {
    let server = Server::start(&[]);
    let list = server.path().join("lista.csv");
    let exported = server.run(&["export", "lista.csv"]);
    let told = "4 produtos escritos em lista.csv.\n".to_owned();
    assert_eq!(exported, Ended { code: 0, out: told, err: String::new() });
    let text = server.run(&["export"]).out;
    assert_eq!(fs::read_to_string(&list).unwrap(), text);
    assert_eq!(server.run(&["export", "-"]).out, text);
    // As any new file of this person: a list is for others to read.
    let usual = server.path().join("usual");
    fs::write(&usual, "").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&list), mode(&usual));

    server.connect().ask("3 Caju -20");
    let kept = server.run(&["export", "lista.csv"]);
    assert!(kept.code == 1 && kept.err.contains("--force"), "{}", kept.err);
    assert_eq!(fs::read_to_string(&list).unwrap(), text);
    assert_eq!(server.run(&["export", "lista.csv", "--force"]).code, 0);
    assert!(fs::read_to_string(&list).unwrap().contains("\nCaju,2.0,40,un,"));
    assert_eq!(server.run(&["import", "lista.csv"]).out, "0 criados, 0 atualizados, 4 sem mudança.\n");
    // Where there is no server nothing is left either.
    let ended = run(hortifruti(server.path()).args(["export", "nova.csv", "--port-file", "nao-ha"]), "");
    assert_eq!(ended.code, 5);
    let names: Vec<_> =
        fs::read_dir(server.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_str().unwrap().contains("nova")), "{names:?}");
}

#[test]
fn a_file_with_a_name_that_a_database_uses_is_left_alone() {
    for suffix in [".lock", "-wal", "-shm", "-journal"] {
        for is_new in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let at = |suffix: &str| folder.path().join(format!("hortifruti.db{suffix}"));
            if !is_new {
                let mut server = Server::start(&["--data", at("").to_str().unwrap()]);
                server.stop();
            }
            for content in ["Uva\n", "nome,preco\nUva,8.50\nManga,3.10\nMamão,4.20\n"] {
                fs::write(at(suffix), content).unwrap();
                let ended = run(hortifruti(folder.path()).args(["serve", "--port", "0"]), "");
                assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{suffix}: {}", ended.err);
                let name = format!("hortifruti.db{suffix}");
                assert!(ended.err.contains(&name) && ended.err.contains("Nada foi"), "{}", ended.err);
                assert_eq!(fs::read_to_string(at(suffix)).unwrap(), content);
                assert_eq!(at("").exists(), !is_new);
            }
        }
    }
}

#[test]
fn a_history_that_is_another_file_is_left_alone() {
    let server = Server::start(&[]);
    let history = server.path().join("state/hortifruti/history");
    fs::create_dir_all(history.parent().unwrap()).unwrap();
    let content = "nome,preco\nUva,8.50\n";
    fs::write(&history, content).unwrap();
    let mut terminal = crate::terminal::Terminal::run(server.path(), 80, &["shell"]);
    terminal.wait_for("Digite sua escolha:");
    terminal.send("1 caju\r");
    terminal.wait_for_text("Estoque: 60");
    terminal.send("5\r");
    terminal.wait_for_end();
    assert_eq!(fs::read_to_string(&history).unwrap(), content);
}

/// Runs a command that must end by itself.
fn end(command: &mut Command) -> Ended {
    finished(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let folder = Folder::new();
    for name in ["cano", "socket", "pasta", "aparelho"] {
        if !folder.at(name).exists() {
            continue;
        }
        for options in [
            &["query", "--token-file", name][..],
            &["query", "--tls-ca", name],
            &["shell", "--token-file", name],
            &["export", "--token-file", name],
            &["verify", name],
        ] {
            let ended = end(hortifruti(folder.server.path()).args(options));
            assert!(ended.code == 1 && ended.err.contains(name), "{options:?}: {ended:?}");
        }
        for options in [
            &["--token-file", name][..],
            &["--tls-cert", name, "--tls-key", name],
            &["--data", name, "--port-file", "outra"],
            &["--data", "novo.db", "--port-file", name],
        ] {
            let ended = end(hortifruti(folder.server.path()).args(["serve", "--port", "0"]).args(options));
            assert!(ended.code == 1 && ended.err.contains(name), "{options:?}: {ended:?}");
        }
    }
    // Where the lock of a database is a pipe.
    assert_eq!(folder.server.run(&["backup", "copia.db"]).code, 0);
    mkfifo(&folder.at("copia.db.lock"), Mode::S_IRWXU).unwrap();
    assert_eq!(end(hortifruti(folder.server.path()).args(["verify", "copia.db"])).code, 0);
}

#[test]
fn a_pipe_from_another_program_is_read() {
    let server = Server::start(&["--empty"]);
    let shell = |line: &str| -> Ended {
        let mut command = Command::new("bash");
        let path = crate::support::executable();
        command.current_dir(server.path()).env("PATH_OF_IT", path).env_remove("HORTIFRUTI_SERVER");
        end(command.args(["-c", line]))
    };
    let imported = shell("\"$PATH_OF_IT\" import <(sleep 0.2; printf 'nome,preco\\nUva,8.50\\n')");
    assert_eq!(imported.out, "1 criado, 0 atualizados, 0 sem mudança.\n", "{}", imported.err);
    let asked = shell("\"$PATH_OF_IT\" query Uva --token-file <(sleep 0.2; echo segredo)");
    assert!(asked.out.starts_with("Uva: "), "{asked:?}");
}

#[test]
fn a_token_file_that_became_a_pipe_holds_up_no_stop() {
    let folder = tempfile::tempdir().unwrap();
    let made = run(hortifruti(folder.path()).args(["token", "new", "a", "--token-file", "tokens"]), "");
    fs::write(folder.path().join("segredo"), made.out).unwrap();
    let mut server = Server::start_logged_in(folder, &["--token-file", "tokens"]);
    let tokens = server.path().join("tokens");
    fs::remove_file(&tokens).unwrap();
    mkfifo(&tokens, Mode::S_IRWXU).unwrap();
    server.signal("HUP");
    server.log("the tokens stay as they were");
    assert_eq!(server.run(&["query", "Caju", "--token-file", "segredo"]).code, 0);
    // Nor one whose writer says nothing.
    let writer = fs::OpenOptions::new().read(true).write(true).open(&tokens).unwrap();
    (&writer).write_all(b"a").unwrap();
    server.signal("HUP");
    server.stop();
}
