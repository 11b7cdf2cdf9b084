//! Who may import whom, as data: a forbidden edge fails here.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::project;

/// Each module, and the modules of this crate that it may name. What a module holds below
/// itself is its own and may be named by it; a child may name its parent.
const IMPORTS: &[(&str, &[&str])] = &[
    ("access", &["catalog", "operation", "refusal"]),
    ("access::token_file", &["private_file", "io_error"]),
    ("again", &[]),
    (
        "bench",
        &["catalog", "client", "io_error", "operation", "private_file", "progress_bar", "refusal", "wire"],
    ),
    ("catalog", &[]),
    ("client", &["access", "catalog", "io_error", "operation", "port_file", "refusal", "tls", "wire"]),
    ("client::grpc", &["catalog", "operation", "refusal", "tls", "wire"]),
    ("client::text", &["access", "operation", "wire"]),
    (
        "commands",
        &[
            "access",
            "again",
            "bench",
            "catalog",
            "client",
            "inventory",
            "local_time",
            "port_file",
            "price_list",
            "private_file",
            "progress_bar",
            "render",
            "operation",
            "refusal",
            "server",
            "shell",
            "store",
            "io_error",
            "tls",
            "wire",
        ],
    ),
    ("inventory", &["catalog", "operation", "refusal", "store"]),
    ("local_time", &[]),
    ("main", &["commands"]),
    ("port_file", &["private_file", "io_error"]),
    ("price_list", &["catalog", "operation", "refusal"]),
    ("private_file", &[]),
    ("progress_bar", &["terminal"]),
    ("render", &["catalog", "client", "local_time", "operation", "refusal"]),
    ("operation", &["catalog", "local_time", "refusal"]),
    ("refusal", &["catalog"]),
    ("server", &["access", "inventory", "wire"]),
    ("server::admission", &[]),
    ("server::authenticator", &["access", "refusal"]),
    ("server::console", &["catalog"]),
    ("server::descriptors", &[]),
    ("server::detect", &["wire"]),
    ("server::grpc", &["access", "inventory", "operation", "refusal", "wire"]),
    ("server::idle", &[]),
    ("server::io", &[]),
    ("server::maybe_tls", &[]),
    ("server::turns", &["operation"]),
    ("server::text", &["access", "inventory", "operation", "refusal", "wire"]),
    (
        "shell",
        &["catalog", "client", "private_file", "render", "operation", "refusal", "io_error", "terminal"],
    ),
    ("store", &["catalog", "io_error"]),
    ("store::sqlite", &["catalog", "private_file"]),
    ("io_error", &[]),
    ("terminal", &[]),
    ("tls", &["catalog", "private_file", "io_error"]),
    ("wire", &["catalog", "operation", "refusal"]),
    ("wire::grpc", &["catalog", "operation", "refusal"]),
    ("wire::text", &["catalog", "operation", "refusal"]),
];

/// Siblings that must never know each other.
const STRANGERS: [(&str, &str); 4] =
    [("server::grpc", "text"), ("server::text", "grpc"), ("client::grpc", "text"), ("client::text", "grpc")];

#[test]
fn nobody_imports_what_the_table_forbids() {
    let source = project().join("src");
    let mut forbidden = Vec::new();
    let mut seen = BTreeSet::new();
    visit(&source, "", &mut |module, code| {
        let (known, allowed) = IMPORTS
            .iter()
            .filter(|(known, _)| module == *known || module.starts_with(&format!("{known}::")))
            .max_by_key(|(known, _)| known.len())
            .unwrap_or_else(|| panic!("module {module} is not in the table"));
        seen.insert(*known);
        let own = module.split("::").next().unwrap();
        for named in named_modules(code) {
            if named != own && !allowed.contains(&named.as_str()) {
                forbidden.push(format!("{module} names {named}"));
            }
        }
        for (stranger, sibling) in STRANGERS {
            if module == stranger && code.contains(&format!("super::{sibling}")) {
                forbidden.push(format!("{module} names its sibling {sibling}"));
            }
        }
    });
    assert!(forbidden.is_empty(), "{forbidden:#?}");
    let stale: Vec<_> = IMPORTS.iter().filter(|(module, _)| !seen.contains(module)).collect();
    assert!(stale.is_empty(), "the table names modules that are not there: {stale:?}");
}

#[test]
fn the_catalog_knows_no_disk_and_no_network() {
    visit(&project().join("src"), "", &mut |module, code| {
        if module.starts_with("catalog") {
            for forbidden in ["std::fs", "std::net", "std::io", "tokio", "rusqlite", "tonic"] {
                assert!(!code.contains(forbidden), "{module} names {forbidden}");
            }
        }
    });
}

/// Calls with each module's path and its code without tests.
fn visit(folder: &Path, prefix: &str, found: &mut impl FnMut(&str, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let module = if prefix.is_empty() { stem.clone() } else { format!("{prefix}::{stem}") };
        if path.is_dir() {
            visit(&path, &module, found);
        } else if stem != "lib" {
            let code = fs::read_to_string(&path).unwrap();
            found(&module, code.split("#[cfg(test)]").next().unwrap());
        }
    }
}

/// The modules of this crate that code names, in a `use` or in place.
fn named_modules(code: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    // A group over several lines becomes one.
    let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).fold(
        String::new(),
        |mut joined, line| {
            let is_open = joined.rfind("crate::{").is_some_and(|at| !joined[at..].contains('}'));
            joined.push(if is_open { ' ' } else { '\n' });
            joined + line
        },
    );
    assert!(!code.contains("super::super"), "name the module from the crate's root");
    for line in code.lines() {
        for prefix in ["crate::", "hortifruti::"] {
            for (at, _) in line.match_indices(prefix) {
                let rest = &line[at + prefix.len()..];
                let names = rest.strip_prefix('{').and_then(|list| list.split('}').next()).unwrap_or(rest);
                let list = if rest.starts_with('{') { names.split(',').collect() } else { vec![names] };
                for name in list {
                    let end = |character: char| !character.is_alphanumeric() && character != '_';
                    let module = name.trim().split(end).next().unwrap_or("");
                    if !module.is_empty() {
                        named.insert(module.to_owned());
                    }
                }
            }
        }
    }
    named
}

#[test]
fn the_reader_of_imports_finds_them() {
    let code = "use crate::{\n    store,\n    wire::text,\n};\nlet x = crate::catalog::Price::MAX;\n// crate::server\nuse hortifruti::commands::run;";
    let named: Vec<String> = named_modules(code).into_iter().collect();
    assert_eq!(named, ["catalog", "commands", "store", "wire"]);
}
