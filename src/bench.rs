//! The bench: the same operations over the socket and over gRPC, interleaved, measured
//! alike, and checked to the last unit of stock.

mod lane;
mod report;

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::rc::Rc;
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use hdrhistogram::Histogram;

use crate::client::{Client, Manner};
use crate::progress::Progress;
use crate::request::{ProductReply, Reply, Request};
use lane::{Lane, Load, Tally};
pub use report::Outcome;

/// Each way runs in this many turns, one after the other, so that what else the machine
/// does falls on all of them alike; the spread of the ratios tells how much it did.
const ROUNDS: u32 = 5;

/// Longest latency that is told apart, in nanoseconds: a minute.
const LATENCY_MAX_NS: u64 = 60_000_000_000;

/// Digits of a latency that are kept.
const LATENCY_DIGITS: u8 = 3;

/// Kernel clock ticks in a second, in which Linux tells CPU time to user space.
const TICKS_PER_SECOND: f64 = 100.0;

/// How the same operations reach the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
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
    pub fn name(self) -> &'static str {
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

/// Runs every way in turns, shows the table and the curves, and checks the stock.
///
/// # Errors
/// Where the server cannot be used, or its final stock is not the initial one plus the
/// changes that it answered.
pub fn run(client: &mut dyn Client, options: &Options) -> anyhow::Result<()> {
    let before = stocks(client)?;
    ensure!(!before.is_empty(), "o servidor não tem produtos. Nada foi medido; importe uma lista");
    let names: Rc<[String]> = before.iter().map(|product| product.name.to_string()).collect();
    let ways: Vec<Way> =
        Way::ALL.into_iter().filter(|way| *way != Way::Stream || options.mix.write > 0).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut outcomes: Vec<Outcome> = ways.iter().map(|way| Outcome::new(*way)).collect();
    let mut added: HashMap<usize, i64> = HashMap::new();
    let turn = options.duration / ROUNDS;
    let steps = u64::from(ROUNDS) * ways.len() as u64;
    let mut progress = Progress::new();
    let mut done = 0;
    for round in 0..ROUNDS {
        for outcome in &mut outcomes {
            progress.show(&format!("{} ({}/{ROUNDS})", outcome.way.name(), round + 1), done, steps);
            done += 1;
            let cpu_before = cpu_seconds(options.process);
            let started = Instant::now();
            let tally = runtime.block_on(one_turn(outcome.way, &names, options, turn, round))?;
            let seconds = started.elapsed().as_secs_f64();
            let cpu = cpu_before.zip(cpu_seconds(options.process)).map(|(before, after)| after - before);
            for (product, units) in &tally.added {
                *added.entry(*product).or_default() += units;
            }
            outcome.add(&tally, seconds, cpu);
        }
    }
    drop(progress);
    let after = stocks(client)?;
    let mut out = io::stdout().lock();
    report::write_table(&mut out, options, &outcomes)?;
    report::write_curves(&mut out, &outcomes)?;
    if let Some(path) = &options.json {
        let json = report::json(options, &outcomes);
        std::fs::write(path, json)
            .with_context(|| format!("não foi possível escrever {}", path.display()))?;
    }
    if let Some(path) = &options.html {
        let html = report::html(options, &outcomes);
        std::fs::write(path, html)
            .with_context(|| format!("não foi possível escrever {}", path.display()))?;
    }
    check(&before, &after, &added)?;
    let changes: i64 = added.values().sum();
    writeln!(
        out,
        "\nConferido: estoque inicial + {changes} mudanças = estoque final, em {} produtos.",
        before.len()
    )?;
    Ok(())
}

/// One way for one turn.
async fn one_turn(
    way: Way,
    names: &Rc<[String]>,
    options: &Options,
    turn: Duration,
    round: u32,
) -> anyhow::Result<Tally> {
    let mut lanes = Vec::with_capacity(options.connections);
    for _ in 0..options.connections {
        lanes.push(Lane::open(way, &options.address, &options.manner).await?);
    }
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
                end: start + turn,
                seed: u64::from(round) * 1000 + index as u64 + 1,
            };
            local.spawn_local(lane.drive(load))
        })
        .collect();
    local
        .run_until(async {
            let mut sum = Tally::new();
            for lane in running {
                sum.merge(lane.await??);
            }
            Ok(sum)
        })
        .await
}

fn stocks(client: &mut dyn Client) -> anyhow::Result<Vec<ProductReply>> {
    match client.call(&Request::List { max_price: None })? {
        Reply::Products(products) => Ok(products),
        _ => bail!("o servidor respondeu outra coisa a um pedido de lista"),
    }
}

fn check(before: &[ProductReply], after: &[ProductReply], added: &HashMap<usize, i64>) -> anyhow::Result<()> {
    ensure!(before.len() <= after.len(), "faltam produtos depois da medida");
    for (index, (before, after)) in before.iter().zip(after).enumerate() {
        let expected = before.stock.thousandths() + 1000 * added.get(&index).copied().unwrap_or(0);
        ensure!(
            after.stock.thousandths() == expected,
            "o estoque de {} deveria ser {} milésimos e é {}: uma mudança se perdeu, ou outro cliente mudou o estoque",
            before.name,
            expected,
            after.stock.thousandths()
        );
    }
    Ok(())
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
