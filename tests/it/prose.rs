//! The docs of `src/` name their subject.

use std::fs;
use std::path::Path;

use crate::support::project;

/// Beginnings of a doc that leave open what it is about.
const RIDDLES: [&str; 12] = [
    "It ",
    "Its ",
    "That ",
    "Those ",
    "These ",
    "What ",
    "Whose ",
    "Who ",
    "Where ",
    "As ",
    "Which ",
    "The same ",
];

/// The docs of a file outside its tests, each with the number of its first line.
fn docs(code: &str) -> Vec<(usize, String)> {
    let mut docs: Vec<(usize, String)> = Vec::new();
    let mut is_open = false;
    for (index, line) in code.split("#[cfg(test)]\nmod ").next().unwrap().lines().enumerate() {
        let line = line.trim();
        let text = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
        match text {
            Some(text) if is_open => docs.last_mut().unwrap().1.push_str(text),
            Some(text) => docs.push((index + 1, text.trim_start().to_owned())),
            None => {}
        }
        is_open = text.is_some();
    }
    docs
}

/// What is wrong with a doc.
fn fault(doc: &str) -> Option<&'static str> {
    if RIDDLES.iter().any(|riddle| doc.starts_with(riddle)) {
        return Some("begins with a word that names no subject");
    }
    let is_one_word = !doc.contains(' ') && doc.ends_with('.') && !doc.contains(['`', '/']);
    is_one_word.then_some("is one word")
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
fn every_doc_names_its_subject() {
    let source = project().join("src");
    let mut faults = Vec::new();
    visit(&source, &mut |path| {
        let name = path.strip_prefix(&source).unwrap().display().to_string();
        if name.ends_with("tests.rs") {
            return;
        }
        for (line, doc) in docs(&fs::read_to_string(path).unwrap()) {
            if let Some(fault) = fault(&doc) {
                faults.push(format!("{name}:{line} {fault}: {doc}"));
            }
        }
    });
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn riddles_are_found() {
    let code = "/// Its name.\nname: u8,\n/// Why.\nkind: u8,\n/// The place\n/// That is it.\n#[cfg(test)]\nmod tests { /// It }";
    let wrong: Vec<usize> =
        docs(code).into_iter().filter(|(_, doc)| fault(doc).is_some()).map(|(line, _)| line).collect();
    assert_eq!(wrong, [1, 3]);
}
