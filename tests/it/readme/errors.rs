//! The table of errors has each code as the code maps it.

use hortifruti::commands::Error;
use hortifruti::refusal::{Code, Refusal};
use hortifruti::wire::grpc::status;

use super::text;

const PAGE: &str = "docs/text-protocol.md";

/// `NotFound` as gRPC writes it: `NOT_FOUND`.
fn in_capitals(name: &str) -> String {
    let mut written = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !written.is_empty() {
            written.push('_');
        }
        written.push(c.to_ascii_uppercase());
    }
    written
}

#[test]
fn the_table_of_errors_is_that_of_the_code() {
    let page = text(PAGE);
    let table = page.split("| code | gRPC | exit code | when |\n|---|---|---|---|\n").nth(1).unwrap();
    let mut rows: Vec<&str> = Vec::new();
    for line in table.lines().take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let word = cells[1].trim_matches('`');
        let code = Code::parse(word).unwrap_or_else(|| panic!("{PAGE}: there is no code {word}"));
        let refusal = || Refusal::new(code, "");
        assert_eq!(cells[2], in_capitals(&format!("{:?}", status(refusal()).code())), "{word}");
        assert_eq!(cells[3], Error::from(refusal()).exit_code().to_string(), "{word}");
        rows.push(word);
    }
    // Each word of `Code::as_str`.
    let source = text("src/refusal.rs");
    let words = source.split("=> \"").skip(1).filter_map(|rest| rest.split_once('"'));
    let words: Vec<&str> = words.map(|(word, _)| word).filter(|word| Code::parse(word).is_some()).collect();
    let missing: Vec<&&str> = words.iter().filter(|word| !rows.contains(word)).collect();
    assert!(words.len() >= 12 && missing.is_empty(), "{PAGE} has no row for {missing:?}");
}
