//! The docs and comments of `src/` name their subject and use plain words, and so do the names of tests.

mod plurals;

use std::fs;
use std::path::Path;

use crate::support::project;

/// Beginnings of a comment that leave open what it is about.
const RIDDLES: [&str; 16] = [
    "It ",
    "Its ",
    "They ",
    "Their ",
    "He ",
    "That ",
    "Those ",
    "These ",
    "What ",
    "Whose ",
    "Who ",
    "Whoever ",
    "Where ",
    "As ",
    "Which ",
    "The same ",
];

/// Words that a plainer one replaces: `again`, `together` or `immediately`, `report` or `distinguish`.
const WORDS: [&str; 6] = ["anew", "at once", "tell", "tells", "told", "tellings"];

/// A block of comment lines of one kind.
#[derive(Debug, PartialEq, Eq)]
struct Comment {
    /// The number of its first line, from 1.
    line: usize,
    is_doc: bool,
    /// Whether code stands before it on its line.
    is_behind_code: bool,
    lines: Vec<String>,
}

impl Comment {
    /// Reads the blocks of a file: its docs, and its plain comments. A comment behind code is a block by itself.
    fn all(code: &str) -> Vec<Self> {
        let mut comments: Vec<Self> = Vec::new();
        let mut open = None;
        for (index, line) in code.lines().enumerate() {
            let line = line.trim();
            let doc = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
            let (is_doc, text) = (doc.is_some(), doc.or_else(|| line.strip_prefix("//")));
            match text {
                Some(text) if open == Some(is_doc) => {
                    comments.last_mut().unwrap().lines.push(text.trim().to_owned());
                }
                Some(text) => {
                    comments.push(Self::begun(index, is_doc, false, text));
                }
                None => comments.extend(behind_code(line).map(|text| Self::begun(index, false, true, text))),
            }
            open = text.map(|_| is_doc);
        }
        comments
    }

    fn begun(index: usize, is_doc: bool, is_behind_code: bool, text: &str) -> Self {
        Self { line: index + 1, is_doc, is_behind_code, lines: vec![text.trim().to_owned()] }
    }

    /// The words that are not code.
    fn prose(&self) -> String {
        self.lines.join(" ").split('`').step_by(2).collect()
    }

    /// Says what is wrong with the comment.
    fn faults(&self) -> Vec<String> {
        let text = self.lines.join(" ");
        let mut faults = Vec::new();
        if self.is_behind_code {
            faults.push("stands behind code".to_owned());
        }
        if RIDDLES.iter().any(|riddle| text.starts_with(riddle)) {
            faults.push("begins with a word that names no subject".to_owned());
        }
        if self.is_doc && !text.contains(' ') && text.ends_with('.') && !text.contains(['`', '/']) {
            faults.push("is one word".to_owned());
        }
        let errors = self.lines.iter().position(|line| line == "# Errors");
        if errors.is_some_and(|at| !self.lines.get(at + 1).is_some_and(|line| line.starts_with("If "))) {
            faults.push("has a section of errors that does not begin with `If`".to_owned());
        }
        let prose = format!(" {} ", self.prose().replace(|c: char| !c.is_alphanumeric(), " ").to_lowercase());
        for word in WORDS.iter().filter(|word| prose.contains(&format!(" {word} "))) {
            faults.push(format!("says `{word}`"));
        }
        if self.prose().contains(". Where ") {
            faults.push("says `Where` for `If`".to_owned());
        }
        faults
    }
}

/// The comment behind the code of a line. Slashes in a text or in an address begin none.
fn behind_code(line: &str) -> Option<&str> {
    let mut starts = line.match_indices("//").filter(|(at, _)| {
        let before = &line[..*at];
        let quotes = before.replace("\\\"", "").replace("'\"'", "").matches('"').count();
        before.ends_with(' ') && quotes.is_multiple_of(2)
    });
    starts.next().map(|(at, _)| &line[at + 2..])
}

/// The names of the tests of a file that say what a plainer word would.
fn wordy_tests(code: &str) -> Vec<String> {
    let lines: Vec<&str> = code.lines().map(str::trim).collect();
    let is_test = |line: &str| line.starts_with("#[") && line.contains("test");
    let names = lines.windows(2).filter(|pair| is_test(pair[0])).filter_map(|pair| {
        let (_, rest) = pair[1].split_once("fn ")?;
        rest.split('(').next()
    });
    let is_wordy = |name: &&str| name.split('_').any(|word| WORDS.contains(&word));
    names.filter(is_wordy).map(str::to_owned).collect()
}

#[test]
fn names_of_tests_use_plain_words() {
    let mut found = Vec::new();
    for folder in ["src", "tests"] {
        visit(&project().join(folder), &mut |path| {
            found.extend(wordy_tests(&fs::read_to_string(path).unwrap()));
        });
    }
    assert!(found.is_empty(), "{found:#?}");
    let code = "#[test]\nfn who_is_told() {\n#[tokio::test]\nasync fn it_tells() {\nfn told() {";
    assert_eq!(wordy_tests(code), ["who_is_told", "it_tells"]);
}

fn visit(folder: &Path, found: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found(&path);
        }
    }
}

#[test]
fn every_comment_names_its_subject_in_plain_words() {
    let source = project().join("src");
    let mut faults = Vec::new();
    visit(&source, &mut |path| {
        let name = path.strip_prefix(&source).unwrap().display().to_string();
        for comment in Comment::all(&fs::read_to_string(path).unwrap()) {
            for fault in comment.faults() {
                faults.push(format!("{name}:{} {fault}: {}", comment.line, comment.lines.join(" ")));
            }
        }
    });
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn riddles_are_found() {
    let code = "\
//! Its name.
name: u8,
/// Why.
kind: u8,
/// The place
/// That is it.
let it = 1;
// It is done.
// The end at
// once. Where it is: `told`.
/// Reads.
///
/// # Errors
/// The file is gone.
/// # Errors
/// If `it` is gone.
let there = \"http://x // y\"; // The end.
let it = 2; // It is told.
";
    let found: Vec<(usize, usize)> =
        Comment::all(code).iter().map(|comment| (comment.line, comment.faults().len())).collect();
    assert_eq!(found, [(1, 1), (3, 1), (5, 0), (8, 3), (11, 1), (17, 1), (18, 3)]);
}
