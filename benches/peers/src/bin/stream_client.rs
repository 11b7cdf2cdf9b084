//! Drives hortifruti's `StreamAdjustStock`: some streams, each with a fixed number of changes
//! in flight; each answer begins the next change. Prints one line of JSON.

use std::cell::Cell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Parser;
use inventory::inventory_service_client::InventoryServiceClient;
use inventory::stream_adjust_stock_response::Result as Answer;
use inventory::{AdjustStockRequest, StreamAdjustStockRequest};
use peers::{Random, read_names};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

#[allow(clippy::all)]
mod inventory {
    tonic::include_proto!("hortifruti.v1");
}

#[derive(Parser)]
struct Options {
    /// The server, as HOST:PORT
    #[arg(long)]
    server: String,
    /// The products, one name a line
    #[arg(long)]
    names: PathBuf,
    #[arg(long, default_value_t = 1)]
    connections: u64,
    /// Streams on each connection
    #[arg(long, default_value_t = 4)]
    streams: u64,
    /// Changes in flight on each stream
    #[arg(long, default_value_t = 512)]
    in_flight: usize,
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// How long the load is on before it is measured
    #[arg(long, default_value_t = 0.5)]
    warm_up: f64,
}

/// Keeps one stream full, for ever.
async fn drive(
    mut service: InventoryServiceClient<Channel>,
    names: Rc<[String]>,
    in_flight: usize,
    seed: u64,
    answered: Rc<Cell<u64>>,
) -> anyhow::Result<()> {
    let mut random = Random::new(seed);
    let mut change = || StreamAdjustStockRequest {
        adjustment: Some(AdjustStockRequest {
            name: random.pick(&names).clone(),
            delta_thousandths: 1000,
            ..AdjustStockRequest::default()
        }),
    };
    let (changes, waiting) = mpsc::channel(in_flight);
    for _ in 0..in_flight {
        changes.try_send(change())?;
    }
    let mut answers = service.stream_adjust_stock(ReceiverStream::new(waiting)).await?.into_inner();
    while let Some(answer) = answers.message().await? {
        match answer.result {
            Some(Answer::Adjusted(_)) => answered.set(answered.get() + 1),
            refused => bail!("a change was refused: {refused:?}"),
        }
        changes.try_send(change())?;
    }
    bail!("the server ended the stream")
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let names: Rc<[String]> = read_names(&options.names)?.into();
    let answered = Rc::new(Cell::new(0));
    let tasks = tokio::task::LocalSet::new();
    let mut streams = tokio::task::JoinSet::new();
    for connection in 0..options.connections {
        let service = InventoryServiceClient::connect(format!("http://{}", options.server)).await?;
        for stream in 1..=options.streams {
            let seed = connection * options.streams + stream;
            let drive =
                drive(service.clone(), Rc::clone(&names), options.in_flight, seed, Rc::clone(&answered));
            streams.spawn_local_on(drive, &tasks);
        }
    }
    let measure = async {
        tokio::time::sleep(Duration::from_secs_f64(options.warm_up)).await;
        let (before, start) = (answered.get(), Instant::now());
        tokio::time::sleep(Duration::from_secs_f64(options.seconds)).await;
        (answered.get() - before) as f64 / start.elapsed().as_secs_f64()
    };
    let rate = tasks
        .run_until(async {
            tokio::select! {
                rate = measure => Ok(rate),
                ended = streams.join_next() => match ended.context("there is no stream")?? {
                    Err(error) => Err(error),
                    Ok(()) => bail!("a stream ended"),
                },
            }
        })
        .await?;
    println!("{{\"rate\": {rate:.0}}}");
    Ok(())
}
