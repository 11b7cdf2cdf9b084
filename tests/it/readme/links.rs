//! Links lead to what is there, and what the pages name is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::{PAGES, text};
use crate::support::project;

/// Beginnings of the paths that pages name between backticks.
const NAMED_FOLDERS: [&str; 7] =
    ["benches/", "completions/", "docs/", "examples/", "fuzz/", "src/", "tests/"];

/// The page without its fenced blocks.
fn prose(page: &str) -> String {
    text(page).split("```").step_by(2).collect()
}

/// The targets of a page's links.
fn links(page: &str) -> Vec<String> {
    let prose = prose(page);
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target.to_owned()).filter(|target| !target.contains("://")).collect()
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(page: &str) -> BTreeSet<String> {
    let prose = prose(page);
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| -> String {
        let kept = heading.trim_start_matches('#').trim().chars().filter_map(|c| match c {
            ' ' => Some('-'),
            '-' | '_' => Some(c),
            _ => c.is_alphanumeric().then_some(c),
        });
        kept.flat_map(char::to_lowercase).collect()
    };
    headings.map(anchor).collect()
}

/// Where a link of a page leads: a path in the project, and an anchor if it has one.
fn resolved(page: &str, link: &str) -> (String, Option<String>) {
    let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
    let mut at: Vec<&str> = page.split('/').collect();
    if !path.is_empty() {
        at.pop();
        for step in path.split('/') {
            match step {
                ".." => assert!(at.pop().is_some(), "{page}: {link} leaves the project"),
                step => at.push(step),
            }
        }
    }
    (at.join("/"), anchor.map(str::to_owned))
}

#[test]
fn every_link_leads_somewhere() {
    for page in PAGES {
        for link in links(page) {
            let (path, anchor) = resolved(page, &link);
            assert!(project().join(&path).exists(), "{page}: {link}");
            let is_there = anchor.is_none_or(|anchor| anchors(&path).contains(&anchor));
            assert!(is_there, "{page}: {link}; {path} has {:?}", anchors(&path));
        }
    }
}

#[test]
fn the_readme_leads_to_every_page() {
    let mut found = BTreeSet::from(["README.md".to_owned()]);
    let mut unread = vec!["README.md".to_owned()];
    while let Some(page) = unread.pop() {
        let linked = links(&page).into_iter().map(|link| resolved(&page, &link).0);
        unread.extend(linked.filter(|path| PAGES.contains(&path.as_str()) && found.insert(path.clone())));
    }
    let pages: BTreeSet<String> = PAGES.iter().map(|page| (*page).to_owned()).collect();
    assert_eq!(found, pages);
}

/// What stands between backticks on a line.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

fn is_identifier(word: &str) -> bool {
    word.contains('_')
        && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[test]
fn what_the_pages_name_is_there() {
    let mut sources = String::new();
    for folder in ["src", "tests"] {
        read_sources(&project().join(folder), &mut sources);
    }
    // What is measured once is told as it was.
    for page in PAGES.iter().filter(|page| !["CHANGELOG.md", "benches/LOG.md"].contains(page)) {
        let mut is_table_of_tests = false;
        for line in prose(page).lines() {
            is_table_of_tests = line.starts_with('|') && (is_table_of_tests || line.contains("| tested by"));
            for path in
                quoted(line).filter(|word| NAMED_FOLDERS.iter().any(|folder| word.starts_with(folder)))
            {
                assert!(project().join(path).exists(), "{page} names {path}");
            }
            if is_table_of_tests {
                let tests = line.trim_end_matches(" |").rsplit(" | ").next().unwrap();
                for test in quoted(tests).filter(|word| is_identifier(word)) {
                    assert!(sources.contains(&format!("fn {test}(")), "{page} names a test {test}");
                }
            }
        }
    }
}

/// Adds the text of every Rust file of a folder.
fn read_sources(folder: &Path, sources: &mut String) {
    let entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    for path in entries {
        if path.is_dir() {
            read_sources(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}
