//! The completions that are checked in are those of this command line, and shells take them.

use std::fs;
use std::process::Command;

use crate::support::{Ended, Need, executable, project, run, try_run};

const SCRIPTS: [(&str, &str); 5] = [
    ("bash", "hortifruti.bash"),
    ("zsh", "_hortifruti"),
    ("fish", "hortifruti.fish"),
    ("powershell", "_hortifruti.ps1"),
    ("elvish", "hortifruti.elv"),
];

#[test]
fn the_checked_in_scripts_are_fresh() {
    let stale: Vec<String> = SCRIPTS
        .into_iter()
        .filter(|(shell, script)| {
            let ended = run(Command::new(executable()).args(["completions", shell]), "");
            assert!(ended.code == 0 && ended.err.is_empty(), "{shell}: {ended:?}");
            fs::read_to_string(project().join("completions").join(script)).unwrap_or_default() != ended.out
        })
        .map(|(shell, script)| format!("cargo run -- completions {shell} > completions/{script}"))
        .collect();
    assert!(stale.is_empty(), "stale scripts; run\n{}", stale.join("\n"));
}

#[test]
fn each_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("pages");
    let ended = run(Command::new(executable()).arg("man").arg(&pages), "");
    assert!(ended.code == 0 && ended.out.is_empty(), "{ended:?}");
    for name in ["hortifruti.1", "hortifruti-query.1", "hortifruti-token-new.1"] {
        assert!(fs::read_to_string(pages.join(name)).unwrap().contains(".SH"), "{name}");
    }
    // A page is written again, and nothing else is written over.
    let [page, link] = ["hortifruti-query.1", "hortifruti.1"].map(|name| pages.join(name));
    fs::remove_file(&link).unwrap();
    let other = folder.path().join("outro");
    for content in ["importante", ""] {
        fs::write(&other, content).unwrap();
        std::os::unix::fs::symlink(&other, &link).unwrap();
        let ended = run(Command::new(executable()).arg("man").arg(&pages), "");
        assert!(ended.code == 1 && ended.err.contains("hortifruti.1: é um link simbólico"), "{ended:?}");
        assert_eq!(fs::read_to_string(&other).unwrap(), content);
        fs::remove_file(&link).unwrap();
    }
    fs::write(&page, "importante").unwrap();
    let ended = run(Command::new(executable()).arg("man").arg(&pages), "");
    assert!(ended.code == 1 && ended.err.contains("hortifruti-query.1: é outro arquivo"), "{ended:?}");
    assert_eq!(fs::read_to_string(&page).unwrap(), "importante");

    let file = folder.path().join("a");
    fs::write(&file, "").unwrap();
    let ended = run(Command::new(executable()).arg("man").arg(file.join("b")), "");
    assert!(ended.code == 1 && ended.err.contains("não foram escritas"), "{ended:?}");
}

#[test]
fn installed_shells_take_them() {
    let folder = project().join("completions");
    let source = |script: &str| format!("'{}'", folder.join(script).display());
    let checks = [
        ("bash", format!("source {} && complete -p hortifruti", source("hortifruti.bash"))),
        (
            "zsh",
            format!(
                "autoload -U compinit && compinit -u -D && source {} && whence -w _hortifruti",
                source("_hortifruti")
            ),
        ),
        ("fish", format!("source {}; and complete -C 'hortifruti '", source("hortifruti.fish"))),
        ("pwsh", format!(". {}", source("_hortifruti.ps1"))),
        // Without a terminal there is no `edit:`, which this puts something in the place of.
        (
            "elvish",
            format!(
                "var edit: = (ns [&completion:=(ns [&arg-completer=[&]]) \
                 &complex-candidate~={{|text &display=''| put $text}}]); eval (slurp < {}); \
                 $edit:completion:arg-completer[hortifruti] hortifruti ''",
                source("hortifruti.elv")
            ),
        ),
    ];
    let mut checked = 0;
    for (shell, script) in checks {
        match try_run(Command::new(shell).args(["-c", &script])) {
            Ok(Ended { code, out, err }) => {
                assert!(code == 0 && err.is_empty(), "{shell}: {out}{err}");
                let expected = match shell {
                    "bash" => "_hortifruti",
                    "zsh" => "_hortifruti: function",
                    "fish" => "shell\t",
                    "elvish" => "▶ shell\n",
                    _ => "",
                };
                assert!(out.contains(expected), "{shell}: {out}");
                checked += 1;
            }
            // Debian has no package of it.
            Err(_) if shell == "pwsh" => {}
            Err(error) => Need::Shells.skip(format!("{shell} is not installed ({error})")),
        }
    }
    assert!(checked > 0, "not even bash is installed");
}
