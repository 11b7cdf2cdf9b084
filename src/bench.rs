//! The bench: the same operations over the socket and over gRPC, interleaved, measured
//! alike, and checked to the last unit of stock.

mod lane;
mod page;
mod place;
mod report;
mod report_file;
mod timer;

use std::fmt;
use std::future::poll_fn;
use std::io::{self, Write};
use std::path::PathBuf;
use std::rc::Rc;
use std::str::FromStr;
use std::task::Poll;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use hdrhistogram::Histogram;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::client::{Client, Manner};
use crate::io_error::describe;
use crate::operation::{ProductReply, Reply, Request};
use crate::progress_bar::ProgressBar;
use lane::{Lane, Load, Tally};
use place::Place;
use report::{Outcome, Report};
use report_file::ReportFile;

/// Each way runs in this many turns, one after the other, so that what else the machine
/// does falls on all of them alike; the spread of the ratios tells how much it did.
const ROUNDS: u32 = 5;

/// Time between two looks at the progress.
const SHOWN_EVERY: Duration = Duration::from_millis(250);

/// Longest latency that is told apart, in nanoseconds: a minute.
const LATENCY_MAX_NS: u64 = 60_000_000_000;

/// Digits of a latency that are kept.
const LATENCY_DIGITS: u8 = 3;

/// Kernel clock ticks in a second, in which Linux tells CPU time to user space.
const TICKS_PER_SECOND: f64 = 100.0;

/// How the same operations reach the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Lines of text, pipelined.
    Socket,
    /// One gRPC call for each operation.
    Unary,
    /// Changes on one gRPC stream for each connection; reads are calls.
    Stream,
}

impl Way {
    const ALL: [Way; 3] = [Way::Socket, Way::Unary, Way::Stream];

    /// What people call it.
    fn name(self) -> &'static str {
        match self {
            Way::Socket => "socket",
            Way::Unary => "gRPC unário",
            Way::Stream => "gRPC stream",
        }
    }
}

/// How many of a hundred operations read, and how many write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mix {
    /// Of a hundred, those that read one product.
    pub read: u32,
    /// Of a hundred, those that change a stock.
    pub write: u32,
}

impl FromStr for Mix {
    type Err = String;

    /// Reads `read=80,write=20`; what is not told is the rest of a hundred.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} não é uma mistura; escreva como read=80,write=20, somando 100");
        let (mut read, mut write) = (None, None);
        for part in text.split(',') {
            let (name, value) = part.split_once('=').ok_or_else(wrong)?;
            let place = match name.trim() {
                "read" => &mut read,
                "write" => &mut write,
                _ => return Err(wrong()),
            };
            let value = value.trim().parse().ok().filter(|value| *value <= 100).ok_or_else(wrong)?;
            if place.replace(value).is_some() {
                return Err(wrong());
            }
        }
        let mix = match (read, write) {
            (Some(read), Some(write)) => Self { read, write },
            (Some(read), None) => Self { read, write: 100 - read },
            (None, Some(write)) => Self { read: 100 - write, write },
            (None, None) => return Err(wrong()),
        };
        if mix.read + mix.write == 100 { Ok(mix) } else { Err(wrong()) }
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "read={},write={}", self.read, self.write)
    }
}

/// What to run.
pub struct Options {
    /// The server's address.
    pub address: String,
    /// How it is spoken to: by TLS or without, and with which token.
    pub manner: Manner,
    /// The server's process, where it is this machine's and known, for its CPU time.
    pub process: Option<u32>,
    /// Connections of each way.
    pub connections: usize,
    /// Operations that each connection keeps in flight at most.
    pub pipeline: usize,
    /// How long each way runs in all.
    pub duration: Duration,
    /// Operations begun in a second, whatever the answers do (open loop); without it, each
    /// answer begins the next operation (closed loop).
    pub rate: Option<f64>,
    /// Reads and writes.
    pub mix: Mix,
    /// Where to write the figures for programs.
    pub json: Option<PathBuf>,
    /// Where to write the page with the charts.
    pub html: Option<PathBuf>,
}

impl Options {
    /// How long one way runs at a time.
    fn turn(&self) -> Duration {
        self.duration / ROUNDS
    }
}

/// The runtime of a measure, and the ear for whoever wants no more of it: what the bench
/// has started must end with it.
pub struct Runtime {
    runtime: tokio::runtime::Runtime,
    stops: Vec<Signal>,
}

impl Runtime {
    /// Begins to listen for Ctrl-C, SIGTERM and SIGHUP, which from here on end the measure
    /// and not the process.
    ///
    /// # Errors
    /// Where the system does not let it.
    pub fn new() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let entered = runtime.enter();
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let stops = kinds.into_iter().map(signal).collect::<io::Result<_>>()?;
        drop(entered);
        Ok(Self { runtime, stops })
    }

    /// Runs this to its end, or until a signal ends it.
    fn run<T>(&mut self, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        let Self { runtime, stops } = self;
        let stopped =
            poll_fn(|context| match stops.iter_mut().any(|stop| stop.poll_recv(context).is_ready()) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            });
        runtime.block_on(async {
            tokio::select! {
                done = work => done,
                () = stopped => bail!("a medida foi interrompida"),
            }
        })
    }
}

/// Runs every way in turns, shows the table and the curves, and checks the stock.
///
/// # Errors
/// Where the server cannot be used, or its final stock is not the initial one plus the
/// changes that it answered.
pub fn run(client: &mut dyn Client, options: &Options, mut runtime: Runtime) -> anyhow::Result<()> {
    let before = stocks(client)?;
    ensure!(!before.is_empty(), "o servidor não tem produtos. Nada foi medido; importe uma lista");
    let begin = |path: &Option<PathBuf>, is_report| {
        path.as_ref().map(|path| ReportFile::begin(path, is_report)).transpose()
    };
    let json = begin(&options.json, report::is_json)?;
    let html = begin(&options.html, page::is_page)?;
    let names: Rc<[String]> = before.iter().map(|product| product.name.to_string()).collect();
    let ways: Vec<Way> =
        Way::ALL.into_iter().filter(|way| *way != Way::Stream || options.mix.write > 0).collect();
    let mut outcomes: Vec<Outcome> = ways.iter().map(|way| Outcome::new(*way)).collect();
    let turns = u64::from(ROUNDS) * ways.len() as u64;
    let mut progress = ProgressBar::new();
    for round in 0..ROUNDS {
        for (index, outcome) in outcomes.iter_mut().enumerate() {
            let done = u64::from(round) * ways.len() as u64 + index as u64;
            let what = format!("{} {}/{ROUNDS}", outcome.way.name(), round + 1);
            let shown = show(&mut progress, &what, done, turns, options.turn());
            let turn = runtime.run(async {
                tokio::select! {
                    turn = one_turn(outcome.way, &names, options, round) => turn,
                    never = shown => never,
                }
            })?;
            outcome.add(turn);
        }
    }
    drop(progress);
    let verdict = check(&before, &stocks(client)?, &outcomes);
    let report = Report { options, outcomes, verdict, place: Place::here() };
    // Who closed our output, as `head` does, may want the files all the same.
    match io::stdout().lock().write_all(report.text().as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            bail!("a saída não pôde ser escrita: {}", describe(&error))
        }
        _ => {}
    }
    if let Some(file) = json {
        file.finish(&report.json())?;
    }
    if let Some(file) = html {
        file.finish(&report.html())?;
    }
    match report.verdict {
        Ok(_) => Ok(()),
        Err(problem) => bail!("{problem}. As medidas não valem"),
    }
}

/// Keeps the progress in sight while a turn runs. It never ends.
async fn show<T>(progress: &mut ProgressBar, what: &str, done: u64, turns: u64, turn: Duration) -> T {
    let turn = turn.as_millis() as u64;
    let started = Instant::now();
    let mut again = tokio::time::interval(SHOWN_EVERY);
    loop {
        again.tick().await;
        let elapsed = (started.elapsed().as_millis() as u64).min(turn);
        let left = match ((turns - done) * turn - elapsed).div_ceil(1000) {
            seconds @ ..120 => format!("{seconds} s"),
            seconds => format!("{} min", seconds / 60),
        };
        progress.show(&format!("{what}, faltam {left}"), done * turn + elapsed, turns * turn);
    }
}

/// What one turn of one way gave.
struct Turn {
    tally: Tally,
    /// From the moment all connections stood to the last answer.
    seconds: f64,
    /// Of the server's CPU, in that time.
    cpu_seconds: Option<f64>,
}

/// One way for one turn.
async fn one_turn(way: Way, names: &Rc<[String]>, options: &Options, round: u32) -> anyhow::Result<Turn> {
    let mut lanes = Vec::with_capacity(options.connections);
    for _ in 0..options.connections {
        lanes.push(Lane::open(way, options).await?);
        // Opening waits for nothing where the server is near: let a signal be heard.
        tokio::task::yield_now().await;
    }
    let cpu_before = cpu_seconds(options.process);
    let start = Instant::now();
    let every = options.rate.map(|rate| Duration::from_secs_f64(options.connections as f64 / rate));
    let local = tokio::task::LocalSet::new();
    let running: Vec<_> = lanes
        .into_iter()
        .enumerate()
        .map(|(index, lane)| {
            let load = Load {
                names: Rc::clone(names),
                mix: options.mix,
                in_flight_max: options.pipeline,
                // Open loops begin apart, so that not all connections send at one moment.
                first: start
                    + every.map_or(Duration::ZERO, |every| every * index as u32 / options.connections as u32),
                every,
                end: start + options.turn(),
                seed: u64::from(round) * 1000 + index as u64 + 1,
            };
            local.spawn_local(lane.drive(load))
        })
        .collect();
    let tally = local
        .run_until(async {
            let mut sum = Tally::new();
            for lane in running {
                sum.merge(lane.await??);
            }
            anyhow::Ok(sum)
        })
        .await?;
    let seconds = start.elapsed().as_secs_f64();
    let cpu_after = cpu_seconds(options.process);
    Ok(Turn { tally, seconds, cpu_seconds: cpu_before.zip(cpu_after).map(|(before, after)| after - before) })
}

fn stocks(client: &mut dyn Client) -> anyhow::Result<Vec<ProductReply>> {
    match client.call(&Request::List { max_price: None })? {
        Reply::Products(products) => Ok(products),
        _ => bail!("o servidor respondeu outra coisa a um pedido de lista"),
    }
}

/// Says that the final stock is the initial one and all changes, or what is not.
fn check(before: &[ProductReply], after: &[ProductReply], outcomes: &[Outcome]) -> Result<String, String> {
    if after.len() < before.len() {
        return Err("faltam produtos depois da medida".to_owned());
    }
    let mut changes = 0;
    for (index, (before, after)) in before.iter().zip(after).enumerate() {
        let added: i64 = outcomes.iter().filter_map(|outcome| outcome.tally.added.get(&index)).sum();
        changes += added;
        let expected = before.stock.thousandths() + 1000 * added;
        if after.stock.thousandths() != expected {
            return Err(format!(
                "o estoque de {} deveria ser {} milésimos e é {}: uma mudança se perdeu, ou outro cliente mudou o estoque",
                before.name,
                expected,
                after.stock.thousandths()
            ));
        }
    }
    Ok(format!(
        "estoque inicial + {} mudanças = estoque final, em {} produtos",
        report::grouped(changes as f64),
        before.len()
    ))
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LATENCY_MAX_NS, LATENCY_DIGITS).expect("the bounds are in order")
}

/// CPU time of a process so far, in seconds, where the system tells it.
fn cpu_seconds(process: Option<u32>) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process?)).ok()?;
    // The second field is the name, in brackets, and may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::Mix;

    #[test]
    fn mixes() {
        assert_eq!("read=80,write=20".parse(), Ok(Mix { read: 80, write: 20 }));
        assert_eq!("write=100".parse(), Ok(Mix { read: 0, write: 100 }));
        for text in ["", "read", "read=80,write=30", "read=x", "read=101", "read=50,read=50", "list=100"] {
            assert!(text.parse::<Mix>().is_err(), "{text}");
        }
    }
}
