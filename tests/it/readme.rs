//! The README is executed: its transcripts, its Python client, and the commands it promises.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::support::{Server, project, run};

/// The fenced blocks of this language.
fn blocks(language: &str) -> Vec<String> {
    let readme = fs::read_to_string(project().join("README.md")).unwrap();
    let fence = format!("```{language}\n");
    readme.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// Each `$ command` of a block, with the output below it.
fn transcript(block: &str) -> Vec<(String, String)> {
    let mut steps: Vec<(String, String)> = Vec::new();
    for line in block.lines() {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push((command.to_owned(), String::new())),
            (None, Some((_, output))) => output.push_str(&format!("{line}\n")),
            (None, None) => panic!("a transcript begins with a command: {line}"),
        }
    }
    steps
}

#[test]
fn the_transcripts_are_what_happens() {
    let binary = Path::new(env!("CARGO_BIN_EXE_hortifruti")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let mut commands = 0;
    for block in blocks("console") {
        let server = Server::start(&[]);
        symlink(project().join("tests"), server.path().join("tests")).unwrap();
        for (command, expected) in transcript(&block) {
            if command.starts_with("hortifruti serve") {
                continue;
            }
            if command == "hortifruti shell" {
                // Typed on a terminal by `shell::the_readmes_dialogue_on_a_terminal`.
                continue;
            }
            let ended = run(
                Command::new("bash")
                    .current_dir(server.path())
                    .env("PATH", &path)
                    .args(["-c", &format!("exec 2>&1; {command}")]),
                "",
            );
            assert_eq!(ended.out, expected, "$ {command}");
            commands += 1;
        }
    }
    assert!(commands >= 8, "the README has only {commands} commands that are tried");
}

#[test]
fn the_python_text_client_works() {
    let server = Server::start(&[]);
    let client = blocks("python").remove(0);
    let ended = run(Command::new("python3").current_dir(server.path()).args(["-c", &client]), "");
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    assert_eq!(ended.out, "Caju: R$2.0, Estoque: 40\n");
    assert!(client.lines().count() <= 10, "the README promises ten lines");
}

#[test]
fn every_subcommand_is_shown() {
    let readme = fs::read_to_string(project().join("README.md")).unwrap();
    for subcommand in [
        "serve", "shell", "query", "update", "import", "export", "backup", "restore", "verify", "token",
        "bench",
    ] {
        assert!(readme.contains(&format!("hortifruti {subcommand}")), "{subcommand}");
    }
    assert!(readme.contains("cargo run --release -- serve"));
    let ci = fs::read_to_string(project().join(".ci/run")).unwrap();
    assert!(readme.contains("\ncargo test\n") && ci.contains("\ncargo test\n"));
}
