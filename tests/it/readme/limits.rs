//! docs/limits.md has each limit with the value that the code has.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::text;
use crate::support::{hortifruti, project, run};

const PAGE: &str = "docs/limits.md";

/// A constant of the code: the file, relative to `src/` and without `.rs`, and the value as written.
#[derive(Debug, Clone)]
struct Constant {
    file: String,
    value: String,
}

impl Constant {
    /// Whether it stands in this part of the house: a module, or a file or folder inside one.
    fn is_in(&self, room: &str) -> bool {
        self.file.strip_prefix(room).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// All constants of the code, without those of unit tests, by their name. A value of a struct has
/// one for each field: `LIMITS.connect`.
fn constants() -> BTreeMap<String, Vec<Constant>> {
    let mut constants = BTreeMap::new();
    read(&project().join("src"), &mut constants);
    constants
}

fn read(folder: &Path, constants: &mut BTreeMap<String, Vec<Constant>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, constants);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            let file = path.strip_prefix(project().join("src")).unwrap().with_extension("");
            let file = file.to_str().unwrap();
            let source = fs::read_to_string(&path).unwrap();
            let source = source.split("#[cfg(test)]\nmod ").next().unwrap();
            for (name, value) in declared(source) {
                constants.entry(name).or_default().push(Constant { file: file.to_owned(), value });
            }
        }
    }
}

/// Each `const NAME: TYPE = VALUE;` of a file.
fn declared(source: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for declaration in source.split("const ").skip(1) {
        let Some((name, rest)) = declaration.split_once(": ") else { continue };
        let Some((kind, rest)) = rest.split_once(" = ") else { continue };
        let Some((value, _)) = rest.split_once(";\n") else { continue };
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        if name == "MAX" {
            // `Price::MAX`, a number in a type.
            found.push((format!("{kind}::MAX"), inside(&value, kind).to_owned()));
        } else if value.starts_with(&format!("{kind} {{")) {
            // A struct, whose fields may be structs too.
            let parts = value.split(", ").flat_map(|part| part.split(" { "));
            for (field, rest) in parts.filter_map(|part| part.split_once(": ")) {
                let value = rest.split(" }").next().unwrap();
                found.push((format!("{name}.{field}"), value.trim_end_matches(',').to_owned()));
            }
        } else {
            found.push((name.to_owned(), value));
        }
    }
    found
}

fn inside<'a>(value: &'a str, wrapper: &str) -> &'a str {
    let rest = value.strip_prefix(wrapper).map(|rest| rest.strip_prefix("::of").unwrap_or(rest));
    rest.and_then(|rest| rest.strip_prefix('(')?.strip_suffix(')')).unwrap_or(value)
}

/// The number that an expression of the code comes to; a duration in nanoseconds.
fn evaluated(value: &str, constants: &BTreeMap<String, Vec<Constant>>) -> Option<u64> {
    if let Some((_, outside_tests)) = value.split_once("} else { ") {
        return evaluated(outside_tests.strip_suffix(" }")?, constants);
    }
    for (constructor, nanoseconds) in
        [("secs", 1_000_000_000), ("millis", 1_000_000), ("micros", 1_000), ("nanos", 1)]
    {
        let wrapper = format!("Duration::from_{constructor}");
        if value.starts_with(&wrapper) {
            return Some(evaluated(inside(value, &wrapper), constants)? * nanoseconds);
        }
    }
    if let Some((left, right)) = value.split_once(" + ") {
        return Some(evaluated(left, constants)? + evaluated(right, constants)?);
    }
    if let Some((left, right)) = value.split_once(" * ") {
        return Some(evaluated(left, constants)? * evaluated(right, constants)?);
    }
    value
        .replace('_', "")
        .parse()
        .ok()
        .or_else(|| evaluated(&constants.get(value)?.first()?.value, constants))
}

/// The number that a cell of the page comes to; a duration in nanoseconds.
fn shown(cell: &str) -> Option<u64> {
    let (number, unit) = cell.split_once(' ').unwrap_or((cell, ""));
    let factor = match unit {
        "" | "bytes" => 1,
        "KiB" => 1024,
        "MiB" => 1024 * 1024,
        "s" => 1_000_000_000,
        "ms" => 1_000_000,
        "µs" => 1_000,
        _ => return None,
    };
    Some(number.replace(',', "").parse::<u64>().ok()? * factor)
}

/// The default of an option of `serve`, as its help says.
fn default_of(option: &str) -> u64 {
    let help = run(hortifruti(Path::new(".")).args(["serve", "--help"]), "").out;
    let words =
        help.split(&format!("{option} ")).nth(1).unwrap_or_else(|| panic!("serve has no {option}: {help}"));
    let digits = words.split("padrão é ").nth(1).unwrap().split(|c: char| !c.is_ascii_digit()).next();
    digits.unwrap().parse().unwrap()
}

/// The rows of the page: the shown limit, and the constant that it names.
fn rows() -> Vec<(String, String)> {
    let is_row = |line: &&str| line.starts_with("| ") && !line.starts_with("| what |");
    let page = text(PAGE);
    let cells = |line: &str| -> Vec<String> { line.split(" | ").map(str::to_owned).collect() };
    let row = |line| {
        let cells = cells(line);
        (cells[1].clone(), cells[2].trim_matches(['`', ' ', '|']).to_owned())
    };
    page.lines().filter(is_row).map(row).collect()
}

#[test]
fn the_page_has_the_values_of_the_code() {
    let constants = constants();
    let rows = rows();
    assert!(rows.len() > 50, "{} rows", rows.len());
    for (limit, named) in rows {
        let on_page = shown(&limit).unwrap_or_else(|| panic!("{named}: {limit:?} is no limit with a unit"));
        if named.starts_with("--") {
            let seconds = if limit.ends_with(" s") { 1_000_000_000 } else { 1 };
            assert_eq!(on_page, default_of(&named) * seconds, "{named}");
            continue;
        }
        let (room, name) = named.split_once(": ").unwrap_or(("", &named));
        let found: Vec<&Constant> = constants.get(name).into_iter().flatten().collect();
        let found: Vec<&Constant> =
            found.into_iter().filter(|found| room.is_empty() || found.is_in(room)).collect();
        let [constant] = found[..] else { panic!("{PAGE} names {named}, which is {found:?}") };
        assert_eq!(Some(on_page), evaluated(&constant.value, &constants), "{named} is {constant:?}");
    }
}

/// A limit that the code has, and the page has not, would be looked for in vain.
#[test]
fn the_page_has_every_limit() {
    let named: Vec<String> = rows().into_iter().map(|(_, named)| named).collect();
    let mut missing: Vec<String> = Vec::new();
    for (name, found) in constants() {
        // How changes are grouped is the inventory's own business.
        for constant in found.iter().filter(|found| name.ends_with("_MAX") && !found.is_in("inventory")) {
            let is_named = named.iter().any(|named| match named.split_once(": ") {
                Some((room, named)) => named == name && constant.is_in(room),
                None => *named == name,
            });
            if !is_named {
                missing.push(format!("{name} of src/{}.rs", constant.file));
            }
        }
    }
    assert!(missing.is_empty(), "{PAGE} has no row for {missing:?}");
}
