//! The fuzz targets of `fuzz/targets.rs` as an ordinary test: over their corpus, and over
//! inputs made from it. `cargo fuzz run` goes on from there (`fuzz/README.md`).

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use crate::support::project;

#[path = "../../fuzz/targets.rs"]
mod targets;

use targets::{TARGETS, Target};

/// Inputs of each target where `HORTIFRUTI_FUZZ_INPUTS` says nothing: some seconds in all.
const INPUTS_DEFAULT: u64 = 5_000;

/// The target whose inputs are files that unfold to a million cells, and the share of inputs that it gets: each
/// takes up to a second here.
const UNFOLDED: &str = "workbooks";
const UNFOLDED_SHARE: u64 = 50;

/// Longest input, in bytes: as libFuzzer has it.
const INPUT_BYTES_MAX: usize = 4096;

/// Changes made to an input at most.
const MUTATIONS_MAX: usize = 6;

/// How long one input may take: far longer than any does on a busy machine.
const INPUT_WAIT: Duration = Duration::from_secs(5);

/// What is put into inputs beside what stands in other ones.
const TOKENS: [&[u8]; 16] = [
    b"\n",
    b"\r\n",
    b"\xfe",
    b"\xff",
    b"\0",
    b"\x1b[2J",
    b"\xe2\x80\xae",
    b"\xcc\x81",
    b"\xc3\x9f",
    b"\xe2\x80\x8b",
    b" id=",
    b" motivo=",
    b"\"",
    b";",
    b"-9223372036854775808",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
];

#[test]
fn what_holds_for_any_bytes_holds_for_these() {
    let inputs = std::env::var("HORTIFRUTI_FUZZ_INPUTS");
    let inputs = inputs.map_or(INPUTS_DEFAULT, |inputs| inputs.parse().unwrap());
    std::thread::scope(|scope| {
        for (name, target) in TARGETS {
            scope.spawn(move || {
                let seeds = seeds(name);
                seeds.iter().for_each(|seed| check(name, target, seed));
                let mut random = fastrand::Rng::with_seed(1);
                let inputs = if name == UNFOLDED { inputs / UNFOLDED_SHARE } else { inputs };
                for _ in 0..inputs {
                    check(name, target, &mutated(&seeds, &mut random));
                }
            });
        }
    });
}

fn check(name: &str, target: Target, input: &[u8]) {
    let start = Instant::now();
    let held = catch_unwind(|| target(input)).is_ok();
    let took = start.elapsed();
    if !held || took > INPUT_WAIT {
        let folder = project().join("fuzz/artifacts").join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("from-test"), input).unwrap();
        panic!("{name} does not hold, or took {took:?}, for fuzz/artifacts/{name}/from-test");
    }
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = project().join("fuzz/corpus").join(name);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    // Those of libFuzzer would make the test another one on each machine.
    files.retain(|file| file.extension().is_some_and(|extension| extension == "seed"));
    files.sort();
    assert!(!files.is_empty(), "{name} has no seeds");
    files.into_iter().map(|file| fs::read(file).unwrap()).collect()
}

/// A seed with some changes.
fn mutated(seeds: &[Vec<u8>], random: &mut fastrand::Rng) -> Vec<u8> {
    let mut input = random.choice(seeds).unwrap().clone();
    for _ in 0..random.usize(1..=MUTATIONS_MAX) {
        let (from, to) = (random.usize(0..=input.len()), random.usize(0..=input.len()));
        let part = from.min(to)..from.max(to);
        match random.u8(0..7) {
            0 => input.truncate(to),
            1 => drop(input.drain(part)),
            2 => input.extend_from_within(part),
            3 => drop(input.splice(to..to, random.choice(TOKENS).unwrap().iter().copied())),
            4 => {
                let other = random.choice(seeds).unwrap();
                input.splice(part, other[random.usize(0..=other.len())..].iter().copied());
            }
            5 => input.iter_mut().skip(to).take(1).for_each(|byte| *byte ^= 1 << random.u8(0..8)),
            _ => input.iter_mut().skip(to).take(1).for_each(|byte| *byte = random.u8(..)),
        }
        input.truncate(INPUT_BYTES_MAX);
    }
    input
}

#[test]
fn every_target_has_its_file_and_its_corpus() {
    let names: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    for folder in ["fuzz_targets", "corpus"] {
        let files = fs::read_dir(project().join("fuzz").join(folder)).unwrap();
        let found =
            files.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned());
        assert_eq!(found.collect::<BTreeSet<_>>(), names, "{folder}");
    }
}
