//! Plays and checks histories for as long as one likes: clients over both transports on a
//! server that is killed and stopped under them (see `tests/it/history.rs`). Cuts the power
//! between them, if it is asked to (see `tests/it/power_loss.rs`).
//!
//! ```sh
//! cargo run --release --example soak -- --minutes 60
//! cargo run --release --example soak -- --histories 1000 --seed 7
//! cargo run --release --example soak -- --histories 0 --cuts 100
//! cargo run --release --example soak -- --store postgres --minutes 60
//! ```
//!
//! With `--store postgres` a history is a storm: two servers of one shop and two engines, of which anything ends,
//! stands still or is cut off (see `tests/it/postgres/storm.rs`). Every eighth one is preceded by breaks after each
//! byte of a commit and of its answer.
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
use postgres::storm::{Fleet, Trouble};
use power_loss::Shop;
use support::Server;
use support::postgres::versions;

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
    let mut told = start;
    let mut sums = Sums::default();
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
            sums.tell(start.elapsed());
            return ExitCode::FAILURE;
        }
        if told.elapsed() >= PROGRESS_EVERY {
            told = Instant::now();
            sums.tell(start.elapsed());
        }
    }
    sums.tell(start.elapsed());
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
    let versions = versions();
    if versions.is_empty() {
        return Err("no PostgreSQL is installed".to_owned());
    }
    let version = versions[seed as usize % versions.len()];
    let plan = Plan { in_flight_max: 4, ends: Vec::new(), ..plan(seed) };
    let troubles = troubles(seed);
    let stormy = std::panic::catch_unwind(AssertUnwindSafe(|| {
        if seed % 16 < 2 {
            sums.breaks += break_everywhere(version, 1, 1);
        }
        Fleet::start(version, SERVERS).play(&plan, &troubles)
    }));
    let (played, silences) = stormy.map_err(|_| format!("the storm broke off: {troubles:?}"))?;
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

/// Some troubles of every kind, in an order of their own.
fn troubles(seed: u64) -> Vec<Trouble> {
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut seconds = |range| Duration::from_millis(dice.u64(range));
    let mut troubles = vec![
        Trouble::PrimaryLost,
        Trouble::PrimaryLost,
        Trouble::PrimaryKilled,
        Trouble::PrimaryDeposed,
        Trouble::EngineCutOff(seconds(500..6_000)),
        Trouble::StandbyCutOff(seconds(500..6_000)),
        Trouble::Cancelled,
        Trouble::Terminated,
        Trouble::ServerKilled,
        Trouble::ServerKilled,
        Trouble::ServerKilled,
        Trouble::ServerStopped,
        Trouble::ServerFrozen(seconds(5_000..30_000)),
        Trouble::ServerCutOff(seconds(500..6_000)),
    ];
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

    fn tell(&self, elapsed: Duration) {
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
