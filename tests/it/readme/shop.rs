//! A shop in which blocks are run: a folder with a server, whose port stands for 8082.

use std::os::unix::fs::symlink;
use std::process::Command;

use super::blocks::Block;
use crate::support::{Server, executable, project, run, without_environment};
use crate::terminal::{PROMPT, Terminal};

/// The port in the documents.
const PORT: &str = "8082";

/// A command that starts the shop's server.
const SERVE: &str = "hortifruti serve";

/// Where the documents install the executable.
const INSTALLED: &str = "/usr/local/bin/hortifruti";

/// What the shell asks for after a number alone.
const QUESTIONS: [&str; 3] = [
    "Digite o nome do produto:",
    "Digite a quantidade (negativa para retirar):",
    "Motivo: ajuste, venda, perda ou contagem (Enter: ajuste):",
];

/// Parts of the project that documents name.
const LINKED: [&str; 2] = ["proto", "tests"];

pub(super) struct Shop {
    server: Option<Server>,
    /// What the last block printed.
    pub(super) printed: String,
}

impl Shop {
    pub(super) fn new() -> Self {
        Self { server: None, printed: String::new() }
    }

    pub(super) fn run(&mut self, block: &Block) {
        self.printed.clear();
        match block.language.as_str() {
            "console" => {
                for (command, expected) in transcript(block) {
                    self.step(block, command, &expected);
                }
            }
            "python" => {
                let (code, printed) = self.bash(&format!("python3 - <<'END'\n{}END\n", block.text));
                assert_eq!(code, 0, "{block}: {printed}");
                self.printed = printed;
            }
            "ini" => self.unit(block),
            _ => self.script(block),
        }
    }

    /// A command of a transcript, whose output is compared.
    fn step(&mut self, block: &Block, command: &str, expected: &str) {
        if let Some(options) = command.strip_prefix(SERVE) {
            assert_eq!(expected, "", "{block}: what a server prints is not compared");
            self.serve(options);
        } else if command == "hortifruti shell" {
            type_into_the_shell(self.server(), expected);
        } else {
            let (_, printed) = self.bash(command);
            let port = self.server().port.to_string();
            assert_eq!(printed, expected.replace(PORT, &port), "{block}: $ {command}");
        }
    }

    /// Lines that must succeed. A line that starts the server stands between those before and
    /// those after it.
    fn script(&mut self, block: &Block) {
        let mut lines = String::new();
        let run = |shop: &mut Self, lines: &mut String| {
            if !lines.is_empty() {
                let (code, printed) = shop.bash(&format!("set -e\n{lines}"));
                assert_eq!(code, 0, "{block}: {printed}");
                lines.clear();
            }
        };
        for line in block.text.lines() {
            if let Some(options) = line.strip_prefix(SERVE) {
                run(self, &mut lines);
                self.serve(options);
            } else {
                lines.push_str(line);
                lines.push('\n');
            }
        }
        run(self, &mut lines);
    }

    /// A unit of systemd, with our executable in the place of the installed one.
    fn unit(&mut self, block: &Block) {
        let unit = block.text.replace(INSTALLED, executable().to_str().unwrap());
        assert!(unit != block.text, "{block} starts no {INSTALLED}");
        std::fs::write(self.server().path().join("hortifruti.service"), unit).unwrap();
        let (code, printed) = self.bash("systemd-analyze verify --man=no ./hortifruti.service");
        assert_eq!((code, printed.as_str()), (0, ""), "{block}");
    }

    /// The server; one without options if none was started.
    fn server(&mut self) -> &Server {
        if self.server.is_none() {
            self.serve("");
        }
        self.server.as_ref().unwrap()
    }

    /// Starts a server with these options, in the place of the one that is there.
    fn serve(&mut self, options: &str) {
        let options = options.trim_end_matches(" &");
        let options = shlex::split(options).unwrap();
        // The tests read the port from the console.
        let options: Vec<&str> =
            options.iter().map(String::as_str).filter(|option| *option != "--quiet").collect();
        let server = match self.server.take() {
            Some(mut server) => {
                server.stop();
                let folder = std::mem::replace(&mut server.folder, tempfile::tempdir().unwrap());
                Server::start_in(folder, &options)
            }
            None => {
                let server = Server::start(&options);
                for part in LINKED {
                    symlink(project().join(part), server.path().join(part)).unwrap();
                }
                server
            }
        };
        self.server = Some(server);
    }

    /// The exit code and all that a command prints.
    fn bash(&mut self, command: &str) -> (i32, String) {
        let server = self.server();
        let command = command.replace(PORT, &server.port.to_string());
        let binary = executable();
        let path = format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap());
        let mut bash = Command::new("bash");
        without_environment(&mut bash, server.path());
        bash.env("PATH", &path).args(["-c", &format!("exec 2>&1\n{command}")]);
        let ended = run(&mut bash, "");
        (ended.code, ended.out)
    }
}

/// Each `$ command` of a block, with the output below it.
fn transcript(block: &Block) -> Vec<(&str, String)> {
    let mut steps: Vec<(&str, String)> = Vec::new();
    for line in block.text.lines() {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push((command, String::new())),
            (None, Some((_, output))) => {
                output.push_str(line);
                output.push('\n');
            }
            (None, None) => panic!("{block}: a transcript begins with a command: {line}"),
        }
    }
    steps
}

/// Types what follows each prompt and question of a dialogue, all of which must then stand on the
/// screen.
fn type_into_the_shell(server: &Server, dialogue: &str) {
    let mut terminal = Terminal::open(server, &[], &[]);
    for line in dialogue.lines() {
        let question = QUESTIONS.into_iter().find(|question| line.starts_with(question));
        if let Some(typed) = line.strip_prefix(PROMPT) {
            terminal.wait_for_prompt();
            terminal.send(&format!("{typed}\r"));
        } else if let Some(question) = question {
            terminal.wait_for(question);
            terminal.send(&format!("{}\r", line[question.len()..].trim_start()));
        }
    }
    terminal.wait_for_end();
    // The shop has the name of its folder.
    let folder = format!("· loja {}]", server.path().file_name().unwrap().display());
    let screen = terminal.screen().replace(&folder, "· loja frutas]");
    assert_eq!(screen, dialogue.trim_end().replace(PORT, &server.port.to_string()));
}
