//! The completions that are checked in are those of this command line, and shells take them.

use std::fs;
use std::process::Command;

use crate::support::{Need, executable, project};

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
            let output = Command::new(executable()).args(["completions", shell]).output().unwrap();
            assert!(output.status.success() && output.stderr.is_empty(), "{shell}: {output:?}");
            fs::read(project().join("completions").join(script)).unwrap_or_default() != output.stdout
        })
        .map(|(shell, script)| format!("cargo run -- completions {shell} > completions/{script}"))
        .collect();
    assert!(stale.is_empty(), "stale scripts; run\n{}", stale.join("\n"));
}

#[test]
fn each_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("pages");
    let output = Command::new(executable()).arg("man").arg(&pages).output().unwrap();
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    for name in ["hortifruti.1", "hortifruti-query.1", "hortifruti-token-new.1"] {
        assert!(fs::read_to_string(pages.join(name)).unwrap().contains(".SH"), "{name}");
    }
    let file = folder.path().join("a");
    fs::write(&file, "").unwrap();
    let output = Command::new(executable()).arg("man").arg(file.join("b")).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && said.contains("não foram escritas"), "{said}");
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
        match Command::new(shell).args(["-c", &script]).output() {
            Ok(output) => {
                let (out, err) =
                    (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
                assert!(output.status.success() && err.is_empty(), "{shell}: {out}{err}");
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
