//! The documents are executed: each fenced block of each Markdown file is run and compared, or says
//! why not (CONTRIBUTING.md, "Test", has the words). Links, names, options and limits are checked too.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::project;

mod blocks;
mod errors;
mod limits;
mod links;
mod shop;

use blocks::{Block, Mark, blocks};
use shop::Shop;

/// Folders whose Markdown files are documents.
const FOLDERS: [&str; 4] = ["", "docs", "benches", "fuzz"];

/// Lines of the README, which is for a visitor.
const README_LINES_MAX: usize = 150;

/// One test for each page, so that pages run beside each other.
macro_rules! pages {
    ($($name:ident: $page:literal),* $(,)?) => {
        const PAGES: &[&str] = &[$($page),*];

        $(
            #[test]
            fn $name() {
                execute($page);
            }
        )*
    };
}

pages! {
    readme: "README.md",
    leiame: "LEIAME.md",
    changelog: "CHANGELOG.md",
    contributing: "CONTRIBUTING.md",
    security: "SECURITY.md",
    architecture: "docs/architecture.md",
    commands: "docs/commands.md",
    day_of_a_shop: "docs/dia-a-dia.md",
    grpc: "docs/grpc.md",
    http: "docs/http.md",
    limits_page: "docs/limits.md",
    operations: "docs/operations.md",
    packages: "docs/packages.md",
    panel: "docs/panel.md",
    performance: "docs/performance.md",
    postgres: "docs/postgres.md",
    reports: "docs/reports.md",
    reliability: "docs/reliability.md",
    text_protocol: "docs/text-protocol.md",
    threat_model: "docs/threat-model.md",
    windows: "docs/windows.md",
    benches_log: "benches/LOG.md",
    benches: "benches/README.md",
    fuzz: "fuzz/README.md",
}

/// The text of a page, or of another file of the project.
fn text(page: &str) -> String {
    fs::read_to_string(project().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"))
}

/// Runs or compares each block of a page.
fn execute(page: &str) {
    let mut shop: Option<Shop> = None;
    for block in blocks(page) {
        match &block.mark {
            Mark::Run if block.needs_are_met() => shop.insert(Shop::new()).run(&block),
            Mark::Run => shop = None,
            // Without a shop, the block before was skipped.
            Mark::Continued => {
                if let Some(shop) = shop.as_mut().filter(|_| block.needs_are_met()) {
                    shop.run(&block);
                } else {
                    shop = None;
                }
            }
            Mark::Output => {
                if let Some(shop) = &shop {
                    assert_eq!(shop.printed, block.text, "{block}");
                }
            }
            Mark::From(file) => assert_is_from(&block, file),
            Mark::NotRun => {}
        }
    }
}

/// Asserts that the lines of an excerpt stand in a file, in their order; a line `…` stands for any
/// lines.
fn assert_is_from(block: &Block, file: &str) {
    let source = text(file);
    let mut rest = source.as_str();
    for piece in block.text.split("…\n") {
        let start = rest.find(piece).unwrap_or_else(|| panic!("{block}: {file} has no\n{piece}"));
        rest = &rest[start + piece.len()..];
    }
}

#[test]
fn every_page_is_tested() {
    let is_page = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "md");
    let mut found: Vec<String> = FOLDERS
        .into_iter()
        .flat_map(|folder| fs::read_dir(project().join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(is_page)
        .map(|path| path.strip_prefix(project()).unwrap().display().to_string())
        .collect();
    let mut tested = PAGES.to_vec();
    found.sort();
    tested.sort_unstable();
    assert_eq!(found, tested);
}

#[test]
fn the_readme_is_short_and_says_how_to_test() {
    let readme = text("README.md");
    assert!(readme.lines().count() <= README_LINES_MAX, "look-ups belong into docs/");
    assert!(readme.contains("`cargo test`") && readme.contains("cargo run --release -- serve"));
    assert!(text(".ci/run").contains("\ncargo test\n"));
    assert!(text("CONTRIBUTING.md").contains("\ncargo test\n"));
}

#[test]
fn a_text_client_takes_ten_lines() {
    let clients = [blocks("docs/text-protocol.md"), blocks("LEIAME.md")].concat();
    let sizes: Vec<usize> = clients
        .iter()
        .filter(|block| block.text.contains("makefile"))
        .map(|block| block.text.lines().count())
        .collect();
    assert!(sizes.len() == 2 && sizes.iter().all(|lines| *lines <= 10), "{sizes:?}");
}

/// Every subcommand and option that `--help` shows is told on a page that is looked up.
#[test]
fn every_option_is_documented() {
    let pages = text("docs/commands.md") + &text("docs/operations.md") + &text("docs/reports.md");
    let help =
        |args: &[&str]| crate::support::run(crate::support::hortifruti(Path::new(".")).args(args), "").out;
    let commands = help(&["--help"]);
    let commands: Vec<&str> = listed(&commands, "Comandos:").collect();
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands {
        assert!(
            pages.contains(&format!("`{command}")) || pages.contains(&format!("hortifruti {command}")),
            "{command}"
        );
        let mut args = vec![command];
        args.extend((command == "token").then_some("new"));
        args.push("--help");
        let help = help(&args);
        for option in help.split_whitespace().filter(|word| word.starts_with("--")) {
            let option = option.trim_end_matches(|c: char| !c.is_ascii_lowercase());
            assert!(option == "--help" || pages.contains(option), "no page names {command} {option}");
        }
    }
}

/// The first word of each line of a section of a help text.
fn listed<'a>(help: &'a str, section: &str) -> impl Iterator<Item = &'a str> {
    let lines = help.lines().skip_while(move |line| !line.starts_with(section.trim_end_matches(':'))).skip(1);
    lines.take_while(|line| !line.is_empty()).filter_map(|line| line.split_whitespace().next())
}

/// The picture of speed is drawn from the recorded figures.
#[test]
fn the_picture_is_of_the_recorded_figures() {
    let drawn =
        crate::support::run(std::process::Command::new("python3").arg(project().join("benches/chart")), "");
    assert_eq!((drawn.code, drawn.err.as_str()), (0, ""));
    assert!(drawn.out == text("docs/speed.svg"), "run benches/chart > docs/speed.svg");
}
