//! The modules of the panel that need no browser, tested by Node.js: numbers, search, labels, the sale that is
//! kept in the tab, and changes that lose their answer.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Need, project, run, try_run};

/// The first version of Node.js whose test runner and whose web interfaces the tests use.
const NODE_VERSION_MIN: u32 = 20;

fn copy(from: &Path, extension: &str, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|own| own == extension) {
            fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

#[test]
fn modules_do_what_their_tests_say() {
    let version = try_run(Command::new("node").arg("--version")).map(|ended| ended.out).unwrap_or_default();
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE_VERSION_MIN) {
        return Need::Node.skip(format!("there is no node of version {NODE_VERSION_MIN} or newer"));
    }
    let folder = tempfile::tempdir().unwrap();
    // The files that a browser gets, which the build has made smaller.
    copy(Path::new(concat!(env!("OUT_DIR"), "/panel")), "js", folder.path());
    copy(&project().join("tests/panel"), "js", folder.path());
    fs::copy(project().join("tests/data/typed-numbers.csv"), folder.path().join("typed-numbers.csv"))
        .unwrap();
    fs::write(folder.path().join("package.json"), r#"{"type":"module"}"#).unwrap();
    let tests = fs::read_dir(project().join("tests/panel")).unwrap().count();
    let ended =
        run(Command::new("node").current_dir(folder.path()).args(["--test", "--test-reporter=tap"]), "");
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    let passed = ended.out.lines().find_map(|line| line.strip_prefix("# pass ")).unwrap();
    assert!(passed.parse::<usize>().unwrap() > 4 * tests, "{}", ended.out);
}
