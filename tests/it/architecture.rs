//! Who may import whom, as data: an edge that the table lacks fails, and so does a row or an edge
//! that the code no longer has.

mod imports;

use std::collections::{BTreeMap, BTreeSet};

use crate::support::project;
use imports::{Modules, circles};

/// Folders whose files have rows of their own; every other top-level module is one room with all
/// that it holds.
const OPEN_FOLDERS: [&str; 3] = ["inventory", "server", "store"];

/// Each room, and the rooms that it imports from.
const IMPORTS: &[(&str, &[&str])] = &[
    ("access", &["catalog", "io_error", "operation", "private_file", "refusal"]),
    ("again", &["access", "platform", "port_file"]),
    (
        "bench",
        &[
            "catalog",
            "client",
            "io_error",
            "operation",
            "platform",
            "private_file",
            "progress_bar",
            "refusal",
            "wire",
        ],
    ),
    ("catalog", &[]),
    (
        "client",
        &["access", "catalog", "io_error", "operation", "platform", "port_file", "refusal", "tls", "wire"],
    ),
    (
        "commands",
        &[
            "access",
            "again",
            "bench",
            "catalog",
            "client",
            "inventory",
            "inventory::price_watch",
            "invoice",
            "io_error",
            "local_time",
            "metrics",
            "operation",
            "platform",
            "port_file",
            "price_list",
            "private_file",
            "progress_bar",
            "refusal",
            "render",
            "report",
            "scale_file",
            "server",
            "server::admission",
            "server::console",
            "server::hosts",
            "server::service",
            "shelf_label",
            "shell",
            "store",
            "store::check",
            "store::moving",
            "store::postgres",
            "store::sqlite",
            "terminal",
            "tls",
            "wire",
        ],
    ),
    (
        "inventory",
        &[
            "catalog",
            "inventory::commit",
            "inventory::ledger_reads",
            "inventory::published",
            "inventory::recent",
            "inventory::recent_sales",
            "inventory::search_time",
            "inventory::stopped_writer",
            "metrics",
            "operation",
            "refusal",
            "store",
            "store::error",
            "store::lease",
        ],
    ),
    ("inventory::call", &["catalog", "inventory", "operation", "refusal"]),
    (
        "inventory::change",
        &[
            "catalog",
            "inventory",
            "inventory::commit",
            "inventory::names_then",
            "inventory::published",
            "inventory::stopped_writer",
            "operation",
            "refusal",
        ],
    ),
    (
        "inventory::commit",
        &[
            "catalog",
            "inventory::published",
            "inventory::recent",
            "inventory::stopped_writer",
            "metrics",
            "operation",
            "platform",
            "refusal",
            "store",
            "store::error",
            "store::lease",
        ],
    ),
    (
        "inventory::count",
        &[
            "catalog",
            "inventory",
            "inventory::commit",
            "inventory::names_then",
            "inventory::published",
            "inventory::stopped_writer",
            "operation",
            "refusal",
        ],
    ),
    ("inventory::labels", &["catalog", "inventory", "operation", "refusal"]),
    ("inventory::ledger_reads", &["refusal", "store", "store::error"]),
    ("inventory::listing", &["catalog", "inventory::published", "refusal"]),
    (
        "inventory::low_stock",
        &[
            "catalog",
            "inventory",
            "inventory::published",
            "inventory::recent_sales",
            "operation",
            "refusal",
            "store",
            "store::error",
            "store::purchase_reads",
        ],
    ),
    (
        "inventory::movements",
        &["catalog", "inventory", "inventory::published", "operation", "refusal", "store", "store::error"],
    ),
    (
        "inventory::names_then",
        &[
            "catalog",
            "inventory",
            "inventory::commit",
            "inventory::stopped_writer",
            "operation",
            "refusal",
            "store",
        ],
    ),
    ("inventory::near_names", &["catalog", "inventory", "inventory::published", "refusal"]),
    (
        "inventory::pipeline",
        &[
            "catalog",
            "inventory",
            "inventory::commit",
            "inventory::published",
            "inventory::query",
            "inventory::stopped_writer",
            "operation",
            "refusal",
        ],
    ),
    ("inventory::present", &["catalog", "inventory", "inventory::published", "inventory::recent", "refusal"]),
    (
        "inventory::price_watch",
        &[
            "catalog",
            "inventory",
            "inventory::listing",
            "inventory::published",
            "inventory::recent",
            "operation",
            "refusal",
        ],
    ),
    ("inventory::published", &["catalog"]),
    (
        "inventory::purchases",
        &[
            "catalog",
            "inventory",
            "inventory::published",
            "local_time",
            "operation",
            "refusal",
            "store",
            "store::error",
            "store::purchase_reads",
        ],
    ),
    (
        "inventory::query",
        &["catalog", "inventory", "inventory::listing", "inventory::published", "operation", "refusal"],
    ),
    ("inventory::recent", &["catalog", "inventory::published", "operation"]),
    ("inventory::recent_sales", &["catalog", "inventory::ledger_reads", "refusal", "store"]),
    ("inventory::search_time", &[]),
    (
        "inventory::status",
        &["inventory", "inventory::published", "metrics", "operation", "refusal", "store", "store::lease"],
    ),
    ("inventory::stopped_writer", &["refusal"]),
    (
        "inventory::summaries",
        &["catalog", "inventory", "inventory::published", "local_time", "operation", "refusal", "store"],
    ),
    (
        "inventory::terms",
        &[
            "catalog",
            "inventory",
            "inventory::commit",
            "inventory::names_then",
            "inventory::published",
            "inventory::stopped_writer",
            "operation",
            "refusal",
            "store",
        ],
    ),
    (
        "inventory::trace",
        &[
            "catalog",
            "inventory",
            "inventory::purchases",
            "local_time",
            "operation",
            "refusal",
            "store",
            "store::error",
            "store::purchase_reads",
        ],
    ),
    (
        "inventory::undo",
        &[
            "catalog",
            "inventory",
            "inventory::commit",
            "inventory::published",
            "inventory::stopped_writer",
            "operation",
            "refusal",
        ],
    ),
    (
        "inventory::undo_import",
        &["catalog", "inventory", "inventory::commit", "inventory::stopped_writer", "operation", "refusal"],
    ),
    (
        "inventory::watch",
        &[
            "catalog",
            "inventory",
            "inventory::movements",
            "inventory::published",
            "inventory::recent",
            "metrics",
            "operation",
            "refusal",
            "store",
            "store::error",
        ],
    ),
    ("invoice", &["catalog", "local_time", "operation", "refusal"]),
    ("io_error", &["platform"]),
    ("local_time", &[]),
    ("metrics", &["operation", "platform", "refusal"]),
    ("operation", &["catalog", "local_time", "refusal"]),
    ("panel", &[]),
    ("platform", &[]),
    ("port_file", &["io_error", "platform", "private_file"]),
    ("price_list", &["catalog", "operation", "scale_file"]),
    ("private_file", &["platform"]),
    ("progress_bar", &["terminal"]),
    ("refusal", &["catalog"]),
    ("render", &["catalog", "local_time", "operation"]),
    ("report", &["catalog", "local_time", "operation", "render"]),
    ("scale_file", &["catalog", "operation"]),
    (
        "server",
        &[
            "access",
            "inventory",
            "metrics",
            "server::admission",
            "server::authenticator",
            "server::console",
            "server::descriptors",
            "server::detect",
            "server::hosts",
            "server::http",
            "server::idle",
            "server::io",
            "server::long_work",
            "server::service",
            "server::service_manager",
            "server::side_thread",
            "server::text",
            "server::turns",
            "wire",
        ],
    ),
    ("server::admission", &["server::console"]),
    ("server::answer_room", &["operation", "refusal", "server::long_work"]),
    ("server::authenticator", &["access", "refusal"]),
    ("server::console", &["catalog"]),
    ("server::descriptors", &["platform"]),
    (
        "server::detect",
        &[
            "platform",
            "server::http",
            "server::io",
            "server::maybe_tls",
            "server::service",
            "server::text",
            "wire",
        ],
    ),
    (
        "server::grpc",
        &[
            "access",
            "catalog",
            "inventory",
            "inventory::listing",
            "inventory::names_then",
            "inventory::pipeline",
            "inventory::recent",
            "inventory::watch",
            "metrics",
            "operation",
            "refusal",
            "server::answer_room",
            "server::authenticator",
            "server::io",
            "server::long_work",
            "server::service",
            "wire",
        ],
    ),
    ("server::hosts", &["platform"]),
    (
        "server::http",
        &[
            "access",
            "catalog",
            "inventory::recent",
            "invoice",
            "local_time",
            "metrics",
            "operation",
            "panel",
            "price_list",
            "refusal",
            "render",
            "report",
            "scale_file",
            "server::answer_room",
            "server::authenticator",
            "server::grpc",
            "server::hosts",
            "server::io",
            "server::maybe_tls",
            "server::service",
            "wire",
        ],
    ),
    ("server::idle", &[]),
    ("server::io", &["platform", "server::maybe_tls"]),
    ("server::long_work", &[]),
    ("server::maybe_tls", &[]),
    (
        "server::service",
        &[
            "access",
            "inventory",
            "metrics",
            "operation",
            "server::authenticator",
            "server::console",
            "server::hosts",
            "server::long_work",
            "server::side_thread",
            "server::turns",
        ],
    ),
    ("server::service_manager", &["platform"]),
    ("server::side_thread", &[]),
    (
        "server::text",
        &[
            "access",
            "catalog",
            "inventory",
            "inventory::listing",
            "inventory::names_then",
            "inventory::pipeline",
            "inventory::query",
            "inventory::recent",
            "metrics",
            "operation",
            "refusal",
            "server::authenticator",
            "server::idle",
            "server::io",
            "server::maybe_tls",
            "server::service",
            "wire",
        ],
    ),
    ("server::turns", &["operation", "refusal"]),
    ("shelf_label", &["catalog"]),
    (
        "shell",
        &[
            "catalog",
            "client",
            "io_error",
            "local_time",
            "operation",
            "platform",
            "private_file",
            "refusal",
            "render",
            "report",
            "terminal",
            "wire",
        ],
    ),
    ("store", &["catalog"]),
    ("store::check", &["catalog", "store::error"]),
    ("store::error", &["io_error"]),
    ("store::lease", &[]),
    ("store::moving", &["catalog", "store::check", "store::error"]),
    (
        "store::postgres",
        &[
            "catalog",
            "io_error",
            "platform",
            "private_file",
            "store",
            "store::check",
            "store::error",
            "store::lease",
            "store::moving",
            "store::purchase_reads",
            "store::request_ids",
            "tls",
        ],
    ),
    ("store::purchase_reads", &["catalog", "store::error"]),
    ("store::request_ids", &["catalog"]),
    (
        "store::sqlite",
        &[
            "catalog",
            "platform",
            "private_file",
            "store",
            "store::check",
            "store::error",
            "store::moving",
            "store::purchase_reads",
            "store::request_ids",
        ],
    ),
    ("terminal", &["platform"]),
    ("tls", &["catalog", "io_error", "private_file"]),
    ("wire", &["catalog", "operation", "refusal"]),
];

/// What no room ever imports, whatever the table says: the layers of `docs/architecture.md`.
const NEVER: &[(&str, &[&str])] = &[
    ("catalog", &["access", "client", "inventory", "operation", "refusal", "server", "store", "wire"]),
    ("refusal", &["access", "client", "inventory", "operation", "server", "store", "wire"]),
    ("operation", &["access", "client", "inventory", "server", "store", "wire"]),
    ("wire", &["client", "inventory", "server", "store"]),
    ("store", &["access", "client", "inventory", "operation", "refusal", "server", "wire"]),
    ("inventory", &["access", "client", "server", "wire"]),
    ("server", &["client", "store"]),
    ("server::text", &["server::grpc", "server::http"]),
    ("server::grpc", &["server::http", "server::text"]),
    ("server::http", &["server::text"]),
    ("client", &["inventory", "server", "store"]),
];

/// Longest file without a reason in its first comment, in lines: one subject fits, and is read in one
/// sitting.
const FILE_LINES_MAX: usize = 500;

/// How the first comment of a longer file says why it is one.
const LONG_FILE_REASON: &str = "One file";

fn modules() -> Modules {
    Modules::read(&project().join("src/lib.rs"))
}

/// The room that a module stands in.
fn room(module: &str) -> String {
    let mut names = module.split("::");
    let first = names.next().unwrap_or_default();
    match names.next() {
        Some(second) if OPEN_FOLDERS.contains(&first) => format!("{first}::{second}"),
        _ => first.to_owned(),
    }
}

fn rooms() -> BTreeMap<String, BTreeSet<String>> {
    let mut rooms: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (module, imported) in modules().edges() {
        let own = room(&module);
        let imported = imported.iter().map(|module| room(module)).filter(|room| *room != own);
        rooms.entry(own.clone()).or_default().extend(imported);
    }
    rooms.remove("");
    rooms
}

#[test]
fn every_room_imports_what_the_table_says_and_nothing_else() {
    let rooms = rooms();
    let table: BTreeMap<String, BTreeSet<String>> = IMPORTS
        .iter()
        .map(|(room, imported)| {
            ((*room).to_owned(), imported.iter().map(|room| (*room).to_owned()).collect())
        })
        .collect();
    assert_eq!(table.len(), IMPORTS.len(), "a room has two rows");
    let mut faults = Vec::new();
    for room in rooms.keys().chain(table.keys()).collect::<BTreeSet<_>>() {
        match (rooms.get(room), table.get(room)) {
            (Some(imported), Some(row)) => {
                faults.extend(
                    imported.difference(row).map(|other| format!("{room} imports {other}: no such edge")),
                );
                faults.extend(
                    row.difference(imported).map(|other| format!("{room} no longer imports {other}")),
                );
            }
            (Some(imported), None) => faults.push(format!("{room} has no row: {imported:?}")),
            (None, _) => faults.push(format!("{room} has a row and is no longer there")),
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn no_room_imports_what_no_room_ever_may() {
    let rooms = rooms();
    let within = |room: &str, folder: &str| room == folder || room.starts_with(&format!("{folder}::"));
    for (folder, never) in NEVER {
        assert!(rooms.keys().any(|room| within(room, folder)), "{folder} is no longer there");
        for (room, imported) in rooms.iter().filter(|(room, _)| within(room, folder)) {
            let wrong = imported.iter().find(|other| never.iter().any(|never| within(other, never)));
            assert_eq!(wrong, None, "{room} imports it");
        }
    }
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let circles = circles(&modules().edges());
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn the_catalog_knows_no_disk_and_no_network() {
    for (module, _, code) in modules().files().filter(|(module, ..)| room(module) == "catalog") {
        for forbidden in ["std::fs", "std::net", "std::io", "tokio", "rusqlite", "tonic"] {
            assert!(!code.contains(forbidden), "{module} names {forbidden}");
        }
    }
}

#[test]
fn a_long_file_says_why_it_is_one() {
    for (_, file, code) in modules().files() {
        let lines = code.split("#[cfg(test)]\nmod tests").next().unwrap().lines().count();
        let first_comment: String = code.lines().take_while(|line| line.starts_with("//!")).collect();
        let has_reason = first_comment.contains(LONG_FILE_REASON);
        assert!(lines <= FILE_LINES_MAX || has_reason, "{} has {lines} lines", file.display());
    }
}

#[test]
fn the_reader_sees_every_way_to_import() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, code: &str| {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, code).unwrap();
    };
    write("lib.rs", "mod a;\nmod b;\n#[cfg(test)]\nmod only_in_tests;");
    write("a.rs", "mod left;\nmod right;\npub use left::{Left, THING as OTHER};\npub fn root() {}");
    write("a/left.rs", "pub struct Left;\npub const THING: u8 = 1;");
    // A group with `super`, and a name that its parent only exports.
    write("a/right.rs", "use super::{OTHER, root};\nfn f() -> u8 { root(); OTHER }");
    // An alias, a path in code, and one inside a macro call; tests are not looked at.
    write(
        "b.rs",
        "use crate::a as letters;\nfn f() { letters::root(); println!(\"{}\", crate::a::OTHER) }\n\
         #[cfg(test)]\nmod tests { use crate::a::right; }",
    );
    let edges = Modules::read(&folder.path().join("lib.rs")).edges();
    let edges: Vec<String> = edges
        .iter()
        .filter(|(_, imported)| !imported.is_empty())
        .map(|(module, imported)| format!("{module}: {}", Vec::from_iter(imported.clone()).join(" ")))
        .collect();
    assert_eq!(edges, ["a::right: a a::left", "b: a a::left"]);
}

#[test]
fn circles_are_found() {
    let edges = [("a", "b"), ("b", "c"), ("c", "b"), ("d", "a")];
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (from, to) in edges {
        graph.entry(from.to_owned()).or_default().insert(to.to_owned());
        graph.entry(to.to_owned()).or_default();
    }
    assert_eq!(circles(&graph), [["b", "c"]]);
}
