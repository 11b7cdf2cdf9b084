//! The completions that are checked in are those of this command line, and shells take them.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Need, project};

const SCRIPTS: [&str; 5] =
    ["hortifruti.bash", "_hortifruti", "hortifruti.fish", "_hortifruti.ps1", "hortifruti.elv"];

#[test]
fn the_checked_in_scripts_are_fresh() {
    let fresh = Path::new(env!("OUT_DIR")).join("completions");
    let stale: Vec<&str> = SCRIPTS
        .into_iter()
        .filter(|script| {
            let kept = fs::read(project().join("completions").join(script)).unwrap_or_default();
            kept != fs::read(fresh.join(script)).unwrap()
        })
        .collect();
    assert!(stale.is_empty(), "copy {stale:?} from {} to completions/", fresh.display());
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
