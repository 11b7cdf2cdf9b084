//! Faults planted in the program: each promise of the store in PostgreSQL that is broken on purpose makes a test fail.
//!
//! The faults are in a copy of the program, which is built once with all of them. A variable of the environment says
//! which one is there. Building takes a minute, so this is done with `HORTIFRUTI_FAULTS=all`; a run of the tests only
//! looks whether the places are still there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::postgres::newest;
use crate::support::{EXECUTABLE_VARIABLE, Ended, executable, finished_within, project, run};

/// The variable that names the fault of a program that has them.
const VARIABLE: &str = "HORTIFRUTI_PLANTED";

/// How long the program may take to be built, on a busy machine.
const BUILD_MAX: Duration = Duration::from_secs(1200);

/// The folders and files of the program that are copied.
const COPIED: [&str; 7] = ["Cargo.toml", "Cargo.lock", "build.rs", "benches", "proto", "src", "tests/data"];

/// The program in the copy: an example, which is built with the libraries that the tests have been built with.
const EXAMPLE: &str = "hortifruti-planted";

/// The tables of a database, whose faults are put in when they are made.
const SCHEMA: &str = "src/store/postgres/schema/1.sql";

/// The place that makes the tables.
const MIGRATION: (&str, &str, &str) = (
    "src/store/postgres/migrate.rs",
    "batch_execute(statements)",
    "batch_execute(&crate::planted_schema(statements))",
);

/// A fault: its name, the test that finds it, and the texts of files that are replaced by others.
struct Planted {
    name: &'static str,
    found_by: &'static str,
    places: &'static [(&'static str, &'static str, &'static str)],
}

const PLANTED: [Planted; 7] = [
    Planted {
        name: "no fence",
        found_by: "postgres::strangers::a_session_whose_end_is_unknown_is_waited_for_and_then_fenced",
        places: &[(
            SCHEMA,
            "WHERE shop = NEW.shop AND epoch = NEW.epoch FOR KEY SHARE",
            "WHERE shop = NEW.shop FOR KEY SHARE",
        )],
    },
    Planted {
        name: "no barrier",
        found_by: "postgres::failover::a_commit_that_still_runs_is_waited_for",
        places: &[(
            "src/store/postgres/settle.rs",
            ".query_opt(BARRIER, ",
            ".query_opt(if crate::planted(\"no barrier\") {
                \"SELECT epoch FROM lease WHERE shop = $1 AND holder = $2 AND $3::int8 IS NOT NULL\"
            } else { BARRIER }, ",
        )],
    },
    Planted {
        name: "reads after the lease",
        found_by: "postgres::failover::a_server_that_is_cut_off_answers_no_reads",
        places: &[(
            "src/store/lease.rs",
            "self.nanoseconds(Instant::now()) < until",
            "(crate::planted(\"reads after the lease\") || self.nanoseconds(Instant::now()) < until)",
        )],
    },
    Planted {
        name: "the first writable host",
        found_by: "postgres::failover::a_deposed_primary_that_comes_back_is_left_alone",
        places: &[
            (
                "src/store/postgres/connect.rs",
                "best.facts.timeline < found.facts.timeline",
                "if crate::planted(\"the first writable host\") {
                    best.host > found.host
                } else { best.facts.timeline < found.facts.timeline }",
            ),
            (
                "src/store/postgres/connect.rs",
                "if timeline < timeline_min =>",
                "if timeline < timeline_min && !crate::planted(\"the first writable host\") =>",
            ),
        ],
    },
    Planted {
        name: "the lease on one engine, the changes on another",
        found_by: "postgres::failover::the_lease_and_the_changes_of_a_server_are_on_one_engine",
        places: &[(
            "src/store/postgres/current.rs",
            "place.timeline < self.timeline_min()",
            "place.timeline < self.timeline_min()
                && !crate::planted(\"the lease on one engine, the changes on another\")",
        )],
    },
    Planted {
        name: "a warning taken for success",
        found_by: "postgres::failover::a_cancelled_wait_for_the_standby_is_no_success",
        places: &[(
            "src/store/postgres/connect.rs",
            "match self.line.heard.warning.take() {",
            "match self.line.heard.warning.take().filter(|_| !crate::planted(\"a warning taken for success\")) {",
        )],
    },
    Planted {
        name: "the key is the last movement",
        found_by: "postgres::strangers::of_two_commits_at_one_place_one_is_stored",
        places: &[(SCHEMA, "    PRIMARY KEY (shop, first)\n);", "    PRIMARY KEY (shop, last)\n);")],
    },
];

/// All places, with the name of their fault.
fn places() -> impl Iterator<Item = (&'static str, (&'static str, &'static str, &'static str))> {
    PLANTED.iter().flat_map(|fault| fault.places.iter().map(|place| (fault.name, *place)))
}

#[test]
fn the_places_of_the_planted_faults_are_there() {
    for (name, (file, text, _)) in places().chain([("all", MIGRATION)]) {
        let code = fs::read_to_string(project().join(file)).unwrap();
        assert_eq!(code.matches(text).count(), 1, "{name}: {text:?} in {file}");
    }
}

#[test]
fn each_planted_fault_is_found() {
    if std::env::var("HORTIFRUTI_FAULTS").is_ok_and(|faults| faults == "all") && newest().is_some() {
        let program = build();
        for fault in &PLANTED {
            let whole = run_test(fault.found_by, &program, "");
            assert!(whole.out.contains("1 passed"), "{} fails without a fault: {whole:?}", fault.found_by);
            let planted = run_test(fault.found_by, &program, fault.name);
            assert!(planted.out.contains("1 failed"), "{} does not find: {}", fault.found_by, fault.name);
            println!("{}: found by {}", fault.name, fault.found_by);
        }
    }
}

/// Runs a test of this executable with that program, which has this fault.
fn run_test(name: &str, program: &Path, fault: &str) -> Ended {
    let mut test = Command::new(std::env::current_exe().unwrap());
    test.args(["--exact", name]).env(EXECUTABLE_VARIABLE, program).env(VARIABLE, fault);
    run(&mut test, "")
}

/// Builds the program with the faults, and returns its executable.
fn build() -> PathBuf {
    let profile = executable().parent().unwrap().to_owned();
    assert!(profile.ends_with("debug"), "{}", profile.display());
    let target = profile.parent().unwrap();
    let copy = target.join("planted");
    COPIED.iter().for_each(|name| copy_to(&project().join(name), &copy.join(name)));
    for (name, (file, text, planted)) in places().filter(|(_, (file, ..))| *file != SCHEMA) {
        replace(&copy.join(file), text, planted, name);
    }
    let (file, text, planted) = MIGRATION;
    replace(&copy.join(file), text, planted, "all");
    let schema: String = places()
        .filter(|(_, (file, ..))| *file == SCHEMA)
        .map(|(name, (_, text, planted))| {
            format!("if planted({name:?}) {{ return all.replace({text:?}, {planted:?}); }}\n")
        })
        .collect();
    let library = copy.join("src/lib.rs");
    let code = fs::read_to_string(&library).unwrap();
    let functions = format!(
        "fn planted(name: &str) -> bool {{ std::env::var({VARIABLE:?}).is_ok_and(|fault| fault == name) }}
         fn planted_schema(all: &str) -> String {{ {schema} all.to_owned() }}"
    );
    fs::write(library, code + &functions).unwrap();
    let example = copy.join("examples").join(format!("{EXAMPLE}.rs"));
    copy_to(&project().join("src/main.rs"), &example);
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--offline", "--example", EXAMPLE, "--target-dir"]).arg(target).current_dir(&copy);
    let cargo = cargo.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let built = finished_within(cargo, BUILD_MAX);
    assert_eq!(built.code, 0, "{}", built.err);
    profile.join("examples").join(EXAMPLE)
}

fn replace(file: &Path, text: &str, planted: &str, name: &str) {
    let code = fs::read_to_string(file).unwrap();
    assert_eq!(code.matches(text).count(), 1, "{name}: {text:?} in {}", file.display());
    fs::write(file, code.replace(text, planted)).unwrap();
}

/// Copies a file, or a folder with all that is in it.
fn copy_to(from: &Path, to: &Path) {
    if from.is_dir() {
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy_to(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    }
}
