//! Compiles the contracts in `proto/` (with protox, so that nobody needs protoc), and
//! generates the completions and man pages from `src/cli.rs`. All of it goes to `OUT_DIR`.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::CommandFactory;
use clap_complete::Shell;

#[path = "src/cli.rs"]
#[allow(dead_code, unreachable_pub)]
mod cli;

const PROTOS: [&str; 2] = ["proto/produtos.proto", "proto/hortifruti/v1/inventory.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    println!("cargo::rerun-if-changed=src/cli.rs");
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("OUT_DIR is set by cargo")?);

    tonic_prost_build::configure().compile_fds(protox::compile(PROTOS, ["proto"])?)?;

    let completions = out.join("completions");
    let man = out.join("man");
    fs::create_dir_all(&completions)?;
    fs::create_dir_all(&man)?;
    let mut command = cli::Cli::command();
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell, Shell::Elvish] {
        clap_complete::generate_to(shell, &mut command, "hortifruti", &completions)?;
    }
    clap_mangen::generate_to(command, &man)?;
    name_commit();
    Ok(())
}

/// Tells a release build, whose figures people compare, which commit it is of, where git
/// knows it. Other builds are not made anew for each commit.
fn name_commit() {
    if std::env::var_os("PROFILE").is_none_or(|profile| profile != "release") {
        return;
    }
    let git = |arguments: &[&str]| {
        let output =
            Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
    };
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"]).filter(|log| Path::new(log).exists());
    if let (Some(log), Some(commit)) = (log, git(&["rev-parse", "--short=10", "HEAD"])) {
        println!("cargo::rerun-if-changed={log}");
        println!("cargo::rustc-env=HORTIFRUTI_COMMIT={commit}");
    }
}
