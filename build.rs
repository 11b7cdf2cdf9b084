//! Compiles the contracts in `proto/` to `OUT_DIR`, with protox, so that nobody needs protoc, and names
//! the commit of a release build.

use std::error::Error;
use std::path::Path;
use std::process::Command;

const PROTOS: [&str; 2] = ["proto/produtos.proto", "proto/hortifruti/v1/inventory.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    println!("cargo::rerun-if-changed=build.rs");
    tonic_prost_build::configure().build_server(false).compile_fds(protox::compile(PROTOS, ["proto"])?)?;
    name_commit();
    Ok(())
}

/// Gives a release build, whose figures people compare, the name of its commit, if git knows it. Other
/// builds have none, so that they need not be built again for each commit.
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
