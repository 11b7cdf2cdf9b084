//! The bench: runs the same operations over the text protocol and over gRPC in turns, measures them alike,
//! and checks the final stock exactly.

mod environment;
mod grpc;
mod mix;
mod options;
mod page;
mod report;
mod report_file;
mod schedule;
mod tally;
mod text;
mod transport;

use std::io::{self, Write};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};

use crate::catalog::counted;
use crate::client::{Client, ClientError, ConnectOptions, Connection, Patience};
use crate::io_error::describe;
use crate::operation::{ProductReply, ProductsRequest, Reply, Request};
use crate::platform::machine;
use crate::platform::signals::Signals;
use crate::progress_bar::ProgressBar;
use environment::Environment;
use grpc::ChangeStream;
pub use mix::Mix;
pub use options::Options;
use options::ROUNDS;
use report::{Outcome, Report, Turn};
use report_file::ReportFile;
use schedule::{Load, Product, Schedule};
use tally::Tally;
use transport::Transport;

/// The time between two updates of the progress bar.
const SHOWN_EVERY: Duration = Duration::from_millis(250);

/// The runtime of a measurement, and the signals that end it: the bench must also end everything that it has
/// started.
pub struct Runtime {
    runtime: tokio::runtime::Runtime,
    ends: Signals,
}

impl Runtime {
    /// Begins to listen for the signals that end a process, which from here on end the measurement and not the
    /// process.
    ///
    /// # Errors
    /// If the system refuses the runtime or the signals.
    pub fn new() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let entered = runtime.enter();
        let ends = Signals::ends()?;
        drop(entered);
        Ok(Self { runtime, ends })
    }

    /// Runs `work` to its end, or until a signal ends it.
    fn run<T>(&mut self, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        let Self { runtime, ends } = self;
        runtime.block_on(async {
            tokio::select! {
                done = work => done,
                _ = ends.next() => bail!("a medição foi interrompida"),
            }
        })
    }
}

/// Runs the transports in turns, shows the table and the curves, and checks the stock.
///
/// # Errors
/// If the server cannot be used, or if its final stock is not the initial one plus the changes that it
/// answered.
pub fn run(client: &mut Client, options: &Options, mut runtime: Runtime) -> anyhow::Result<()> {
    let before = stocks(client)?;
    ensure!(!before.is_empty(), "o servidor não tem produtos. Nada foi medido; importe uma lista");
    let begin = |path: &Option<PathBuf>, is_report| {
        path.as_ref().map(|path| ReportFile::begin(path, is_report)).transpose()
    };
    let json = begin(&options.json, report::is_json)?;
    let html = begin(&options.html, page::is_page)?;
    let products: Rc<[Product]> = before
        .iter()
        .map(|product| Product::new(&product.name))
        .collect::<Result<_, _>>()
        .map_err(ClientError::from)?;
    let transports =
        Transport::ALL.into_iter().filter(|one| *one != Transport::Stream || options.mix.write > 0);
    let mut outcomes: Vec<Outcome> = transports.map(Outcome::new).collect();
    let outcome_count = outcomes.len() as u64;
    let turns = u64::from(ROUNDS) * outcome_count;
    let mut progress = ProgressBar::new();
    for round in 0..ROUNDS {
        for (index, outcome) in outcomes.iter_mut().enumerate() {
            let done = u64::from(round) * outcome_count + index as u64;
            let what = format!("{} {}/{ROUNDS}", outcome.transport.name(), round + 1);
            let shown = show(&mut progress, &what, done, turns, options.turn());
            let turn = runtime.run(async {
                tokio::select! {
                    turn = one_turn(outcome.transport, &products, options, round) => turn,
                    never = shown => never,
                }
            })?;
            outcome.add(turn);
        }
    }
    drop(progress);
    let verdict = check(&before, &stocks(client)?, &outcomes);
    let report = Report { options, outcomes, verdict, environment: Environment::here() };
    // If the output is closed, as by `head`, the files are still written.
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
        Err(problem) => bail!("{problem}. As medições não valem"),
    }
}

/// Shows the progress while a turn runs. The future never ends.
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

/// Runs the load over one transport for one turn.
async fn one_turn(
    transport: Transport,
    products: &Rc<[Product]>,
    options: &Options,
    round: u32,
) -> anyhow::Result<Turn> {
    let mut drivers = Vec::with_capacity(options.connections);
    for _ in 0..options.connections {
        drivers.push(Driver::connect(transport, options).await?);
        // Connecting to a near server never yields, so this line lets a signal be handled.
        tokio::task::yield_now().await;
    }
    let cpu_seconds = || options.process.and_then(machine::cpu_seconds);
    let cpu_before = cpu_seconds();
    let start = Instant::now();
    let every = options.rate.map(|rate| Duration::from_secs_f64(options.connections as f64 / rate));
    let local = tokio::task::LocalSet::new();
    let running: Vec<_> = drivers
        .into_iter()
        .enumerate()
        .map(|(index, driver)| {
            let load = Load {
                products: Rc::clone(products),
                mix: options.mix,
                in_flight_max: options.pipeline,
                // Open loops begin at different times, so that not all connections send at the same moment.
                first: start
                    + every.map_or(Duration::ZERO, |every| every * index as u32 / options.connections as u32),
                every,
                end: start + options.turn(),
                seed: u64::from(round) * 1000 + index as u64 + 1,
            };
            local.spawn_local(driver.drive(load))
        })
        .collect();
    let tally = local
        .run_until(async {
            let mut sum = Tally::new();
            for one in running {
                sum.merge(one.await??);
            }
            anyhow::Ok(sum)
        })
        .await?;
    let seconds = start.elapsed().as_secs_f64();
    let cpu_after = cpu_seconds();
    Ok(Turn { tally, seconds, cpu_seconds: cpu_before.zip(cpu_after).map(|(before, after)| after - before) })
}

/// A connection that is ready for its load.
struct Driver {
    connection: Connection,
    stream: Option<ChangeStream>,
}

impl Driver {
    async fn connect(transport: Transport, options: &Options) -> anyhow::Result<Self> {
        let connect = ConnectOptions { protocol: Some(transport.protocol()), ..options.connect.clone() };
        let connecting = Connection::connect(&options.address, &connect);
        let mut patience = Patience::of_program();
        let mut connection =
            patience.wait_for_connection(&options.address, connecting).await.map_err(ClientError::from)?;
        let stream = match &mut connection {
            Connection::Text(connection) => {
                connection.show_token().await?;
                None
            }
            Connection::Grpc(connection) if transport == Transport::Stream => {
                Some(ChangeStream::open(connection, options.pipeline).await?)
            }
            Connection::Grpc(_) => None,
        };
        Ok(Self { connection, stream })
    }

    /// Runs the load to its end, and waits for the operations that are then in flight.
    async fn drive(self, load: Load) -> anyhow::Result<Tally> {
        let mut schedule = Schedule::new(load)?;
        let traffic = self.connection.traffic();
        // The bytes of the connection's setup belong to no operation.
        let bytes_before = traffic.total();
        let mut tally = match self.connection {
            Connection::Text(connection) => text::drive(connection, &mut schedule).await?,
            Connection::Grpc(connection) => grpc::drive(connection, self.stream, &mut schedule).await?,
        };
        tally.bytes = traffic.total() - bytes_before;
        tally.not_begun = schedule.not_begun();
        Ok(tally)
    }
}

fn stocks(client: &mut Client) -> anyhow::Result<Vec<ProductReply>> {
    match client.call(&Request::ListProducts(ProductsRequest::default()))? {
        Reply::Products(products) => Ok(products),
        _ => bail!("o servidor respondeu outra coisa a um pedido de lista"),
    }
}

/// Checks that the final stock is the initial stock plus all changes. Returns a sentence in either case.
fn check(before: &[ProductReply], after: &[ProductReply], outcomes: &[Outcome]) -> Result<String, String> {
    if after.len() < before.len() {
        return Err("faltam produtos depois da medição".to_owned());
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
        "estoque inicial + {} {} = estoque final, em {}",
        report::grouped(changes as f64),
        if changes == 1 { "mudança" } else { "mudanças" },
        counted(before.len(), "produto", "produtos")
    ))
}
