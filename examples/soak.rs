//! Plays and checks histories for as long as one likes: clients over both transports on a
//! server that is killed and stopped under them (see `tests/it/history.rs`). Cuts the power
//! between them, if it is asked to (see `tests/it/power_loss.rs`).
//!
//! ```sh
//! cargo run --release --example soak -- --minutes 60
//! cargo run --release --example soak -- --histories 1000 --seed 7
//! cargo run --release --example soak -- --histories 0 --cuts 100
//! cargo run --release --example soak -- --store postgres --minutes 60
//! cargo run --release --example soak -- --evidence 100
//! ```
//!
//! With `--store postgres` a history is a storm: two servers of one shop and two engines, of which anything ends,
//! stands still or is cut off (see `tests/it/postgres/storm.rs`). Every eighth one is preceded by breaks after each
//! byte of a commit and of its answer. `--evidence 100` plays as many troubles of each kind as
//! `docs/reliability.md` reports, and prints a table of them; `--evidence 25 --only PrimaryLost` a fourth of one kind.
//!
//! A history that cannot be true is saved beside its database, and ends the soak with exit
//! code 1; so does a disk that lost something, whose image is left. The server under test is this executable itself: `soak serve …` is `hortifruti
//! serve …`, and so is `verify`, so it is always built from the same code.

// As in the tests: what is expected is said by `unwrap`, and the summary is printed.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use hortifruti::commands::Cli;

use history::play::{End, Plan, Played, play};
use history::{Answer, Way};
use it::{disk, history, postgres, power_loss, support};
use postgres::doubt::break_everywhere;
use postgres::storm::Fleet;
use postgres::storm::trouble::{KINDS, Trouble, deck};
use postgres::together::start_together;
use power_loss::Shop;
use support::Server;
use support::postgres::{Version, versions};

#[path = "../tests/it"]
mod it {
    // The tests use the rest of it.
    #[allow(dead_code)]
    pub(crate) mod disk;
    #[allow(dead_code)]
    pub(crate) mod history;
    #[allow(dead_code)]
    pub(crate) mod postgres;
    #[allow(dead_code)]
    pub(crate) mod power_loss;
    #[allow(dead_code)]
    pub(crate) mod support;
}

/// How long a stop may take: the default drain time, and some more for a busy machine.
const STOP_MAX: Duration = Duration::from_secs(12);

/// Cuts that one disk takes, so that it does not become full.
const CUTS_OF_A_DISK: u64 = 100;

/// The servers of a storm: one writes, and one stands by.
const SERVERS: usize = 2;

/// The troubles of one storm of the evidence: the history of a storm is checked as a whole.
const TROUBLES_OF_A_STORM: usize = 10;

/// The pause of a client of the evidence after each answer, so that several soaks fit on a machine.
const REST: Duration = Duration::from_millis(10);

/// How often two servers start together for the evidence.
const STARTS: usize = 100;

/// What the evidence has besides the kinds of troubles: breaks after each byte, and starts of two servers.
const OTHERS: [&str; 2] = ["Break", "StartedTogether"];

/// Time between two lines of progress.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);

/// Plays histories of concurrent clients and crashes, and checks them.
#[derive(Parser)]
struct Options {
    /// Stop after so many histories.
    #[arg(long)]
    histories: Option<u64>,
    /// Stop after so many minutes.
    #[arg(long)]
    minutes: Option<u64>,
    /// What keeps the shops of the histories.
    #[arg(long, value_enum, default_value = "sqlite")]
    store: Kept,
    /// Play this part of the evidence for the store in PostgreSQL, in percent, in place of histories.
    #[arg(long)]
    evidence: Option<usize>,
    /// Only these kinds of the evidence, with commas between them.
    #[arg(long, value_delimiter = ',', requires = "evidence", value_parser = kinds())]
    only: Vec<String>,
    /// Cut the power so many times, in turn with the histories. Takes root, mkfs.ext4 and
    /// python3.
    #[arg(long, default_value_t = 0)]
    cuts: u64,
    /// The seed of the first history; the next ones count on.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kept {
    Sqlite,
    /// PostgreSQL 15 and 18, in turn. Takes root, or a user whom PostgreSQL accepts.
    Postgres,
}

/// The names of all kinds of the evidence.
fn kinds() -> Vec<&'static str> {
    KINDS.iter().map(|(name, ..)| *name).chain(OTHERS).collect()
}

fn main() -> ExitCode {
    if std::env::args().nth(1).is_some_and(|word| word == "serve" || word == "verify") {
        return Cli::read().and_then(Cli::run).map_or_else(
            |error| {
                error.report();
                ExitCode::from(error.exit_code())
            },
            |()| ExitCode::SUCCESS,
        );
    }
    let options = Options::parse();
    let histories = match (options.histories, options.minutes) {
        (None, None) => 100,
        (histories, _) => histories.unwrap_or(u64::MAX),
    };
    let time = options.minutes.map_or(Duration::MAX, |minutes| Duration::from_secs(minutes * 60));
    let start = Instant::now();
    let mut shown = start;
    let mut sums = Sums::default();
    if let Some(percent) = options.evidence {
        let gathered = evidence(percent, &options, &mut sums);
        sums.show(start.elapsed());
        return gathered.map_or_else(
            |reason| {
                println!("{reason}");
                ExitCode::FAILURE
            },
            |()| ExitCode::SUCCESS,
        );
    }
    let mut shop = None;
    for seed in options.seed.. {
        let (plays, cuts) = (sums.histories < histories, sums.cuts < options.cuts);
        if !(plays || cuts) || start.elapsed() >= time {
            break;
        }
        let played = match options.store {
            _ if !plays => Ok(()),
            Kept::Sqlite => soak(seed, &mut sums),
            Kept::Postgres => storm(seed, &mut sums),
        };
        let done = played.and_then(|()| if cuts { cut(&mut shop, &mut sums) } else { Ok(()) });
        if let Err(reason) = done {
            println!("seed {seed}: {reason}");
            sums.show(start.elapsed());
            return ExitCode::FAILURE;
        }
        if shown.elapsed() >= PROGRESS_EVERY {
            shown = Instant::now();
            sums.show(start.elapsed());
        }
    }
    sums.show(start.elapsed());
    ExitCode::SUCCESS
}

/// One history; or why it cannot be true, and where it is.
fn soak(seed: u64, sums: &mut Sums) -> Result<(), String> {
    let plan = plan(seed);
    let mut folder = tempfile::tempdir().unwrap();
    folder.disable_cleanup(true);
    let path = folder.path().to_owned();
    // A server that does not start again panics in here; its folder is left as well.
    let played = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let mut server = Server::start_in(folder, &[]);
        let played = play(&mut server, &plan);
        server.folder.disable_cleanup(played.verdict.is_err());
        played
    }));
    let played = played.map_err(|_| format!("the play broke off; the database is in {}", path.display()))?;
    if let Err(fault) = &played.verdict {
        let file = path.join("history.json");
        std::fs::write(&file, serde_json::to_vec_pretty(&played).unwrap()).unwrap();
        return Err(format!("{fault}; the history is {}", file.display()));
    }
    sums.add(&plan, &played);
    Ok(())
}

/// One history of a storm; or why it cannot be true.
fn storm(seed: u64, sums: &mut Sums) -> Result<(), String> {
    let version = version(seed)?;
    if seed % 16 < 2 {
        sums.breaks += std::panic::catch_unwind(|| break_everywhere(version, 1, 1))
            .map_err(|_| "a break was answered wrongly")?;
    }
    play_storm(version, &plan(seed), &troubles(seed), sums)
}

/// A version of PostgreSQL, in turn.
fn version(seed: u64) -> Result<&'static Version, String> {
    let versions = versions();
    let place = (seed as usize).checked_rem(versions.len()).ok_or("no PostgreSQL is installed")?;
    Ok(versions[place])
}

fn play_storm(
    version: &'static Version,
    plan: &Plan,
    troubles: &[Trouble],
    sums: &mut Sums,
) -> Result<(), String> {
    let plan = Plan { in_flight_max: 4, ends: Vec::new(), ..*plan };
    let stormy = std::panic::catch_unwind(AssertUnwindSafe(|| {
        Fleet::start(version, SERVERS, troubles).play(&plan, troubles)
    }));
    let (played, silences) =
        stormy.map_err(|_| format!("the storm broke off, on {}: {troubles:?}", version.name))?;
    if let Err(fault) = &played.verdict {
        return Err(format!(
            "{fault}, on {} after {troubles:?}; the history is {}",
            version.name,
            played.save()
        ));
    }
    for (trouble, silence) in troubles.iter().zip(silences) {
        sums.troubles.entry(trouble.name()).or_default().push(silence);
    }
    sums.add(&plan, &played);
    Ok(())
}

/// The evidence for the store in PostgreSQL, or this part of it; or what was not as it must be.
fn evidence(percent: usize, options: &Options, sums: &mut Sums) -> Result<(), String> {
    let wants = |kind: &str| options.only.is_empty() || options.only.iter().any(|wanted| wanted == kind);
    let begun_at = Instant::now();
    for (seed, troubles) in
        (options.seed..).zip(deck(percent, wants, options.seed).chunks(TROUBLES_OF_A_STORM))
    {
        play_storm(version(seed)?, &Plan { rest: REST, ..plan(seed) }, troubles, sums)?;
        sums.show(begun_at.elapsed());
    }
    for version in versions() {
        if wants("Break") {
            let every = 100_usize.div_ceil(percent.max(1));
            let broken = std::panic::catch_unwind(|| break_everywhere(version, every, every));
            sums.breaks +=
                broken.map_err(|_| format!("a break was answered wrongly, on {}", version.name))?;
        }
        if wants("StartedTogether") {
            let times = (STARTS * percent).div_ceil(100 * versions().len());
            std::panic::catch_unwind(|| start_together(version, times)).map_err(|_| {
                format!("two servers that started together are not one shop, on {}", version.name)
            })?;
            sums.starts += times;
        }
    }
    Ok(())
}

/// One trouble of every kind, in an order of their own.
fn troubles(seed: u64) -> Vec<Trouble> {
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut troubles: Vec<Trouble> = KINDS.iter().map(|(_, _, make)| make(&mut dice)).collect();
    dice.shuffle(&mut troubles);
    troubles
}

/// One cut of the power; or what was lost, and where the disk is.
fn cut(shop: &mut Option<Shop>, sums: &mut Sums) -> Result<(), String> {
    if sums.cuts.is_multiple_of(CUTS_OF_A_DISK)
        && let Some(full) = shop.take()
    {
        full.close();
    }
    let shop = match shop {
        Some(shop) => shop,
        None => shop.insert(Shop::open().ok_or("the power cannot be cut here")?),
    };
    let answered = std::panic::catch_unwind(AssertUnwindSafe(|| shop.lose_power()))
        .map_err(|_| format!("a cut lost something; the disk is {}", shop.disk.image().display()))?;
    sums.cuts += 1;
    sums.outlived += answered;
    Ok(())
}

/// Half of the histories have up to three ends of the server in them, a third of which are
/// stops; every client keeps one to eight questions in flight.
fn plan(seed: u64) -> Plan {
    let mut dice = fastrand::Rng::with_seed(seed);
    let ends = if dice.bool() { dice.usize(1..=3) } else { 0 };
    Plan {
        seed,
        clients: [(Way::Text, 4), (Way::Calls, 4), (Way::Stream, 2)],
        in_flight_max: dice.usize(1..=8),
        rest: Duration::ZERO,
        answers: dice.usize(100..=1000),
        ends: (0..ends).map(|_| if dice.u8(..3) == 0 { End::Stop(STOP_MAX) } else { End::Kill }).collect(),
    }
}

#[derive(Default)]
struct Sums {
    histories: u64,
    kills: usize,
    stops: usize,
    stop_longest: Duration,
    reads: usize,
    made: usize,
    refused: usize,
    /// Changes that were asked for again after their answer was lost.
    repeated: usize,
    movements: usize,
    cuts: u64,
    /// Changes that were answered before a cut of the power, and there after it.
    outlived: usize,
    /// Connections that broke within a commit or its answer.
    breaks: usize,
    /// Starts of two servers together.
    starts: usize,
    /// For each kind of trouble how long no change was answered, each time.
    troubles: BTreeMap<String, Vec<Duration>>,
}

impl Sums {
    fn add(&mut self, plan: &Plan, played: &Played) {
        self.histories += 1;
        self.stops += played.stops.len();
        self.kills += plan.ends.len() - played.stops.len();
        self.stop_longest = played.stops.iter().copied().fold(self.stop_longest, Duration::max);
        for operation in &played.history {
            match &operation.answer {
                Some((_, Answer::Seen(_))) => self.reads += 1,
                Some((_, Answer::Made(_) | Answer::Imported { .. })) => self.made += 1,
                Some((
                    _,
                    Answer::Insufficient { .. }
                    | Answer::NoProduct(_)
                    | Answer::NoMovement(_)
                    | Answer::TooFarBack(_)
                    | Answer::AlreadyUndone(_),
                )) => self.refused += 1,
                Some((_, Answer::Other(_))) | None => {}
            }
            self.repeated += usize::from(operation.asked.is_change() && operation.calls.len() > 1);
        }
        self.movements += played.ledger.rows.len();
    }

    fn show(&self, elapsed: Duration) {
        println!(
            "{:.0} s: {} histories, {} kills, {} stops (longest {:.2} s), {} reads, {} changes made, \
             {} refused, {} repeated, {} movements; {} cuts of the power, outlived by {} answered changes",
            elapsed.as_secs_f64(),
            self.histories,
            self.kills,
            self.stops,
            self.stop_longest.as_secs_f64(),
            self.reads,
            self.made,
            self.refused,
            self.repeated,
            self.movements,
            self.cuts,
            self.outlived,
        );
        if self.breaks > 0 {
            println!("    {} breaks within a commit or its answer", self.breaks);
        }
        if self.starts > 0 {
            println!("    {} starts of two servers together", self.starts);
        }
        for (name, silences) in &self.troubles {
            let mut sorted = silences.clone();
            sorted.sort_unstable();
            let (median, longest) = (sorted[sorted.len() / 2], sorted[sorted.len() - 1]);
            println!(
                "    {} {name}, no answer for {median:.2?} in the middle, {longest:.2?} at most",
                sorted.len()
            );
        }
    }
}
