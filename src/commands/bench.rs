//! `bench`: measures both transports, on a given server or on one of its own.

use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Args;
use uuid::Uuid;

use super::Error;
use super::connection::{Credentials, connect_options};
use crate::bench;
use crate::client::{Client, ClientError, ConnectOptions, Discovery, Patience};
use crate::operation::{ImportRequest, Request};
use crate::platform::machine;
use crate::port_file;
use crate::price_list;
use crate::shell;
use crate::wire::Protocol;

/// The real price list that the bench uses.
const BENCH_LIST: &[u8] = include_bytes!("../../tests/data/ceagesp-2023-11-24.csv");

/// The longest wait for the bench's own server, and the time between two checks.
const OWN_SERVER_WAIT: Duration = Duration::from_secs(10);
const OWN_SERVER_LOOK: Duration = Duration::from_millis(10);

/// Mede e compara o protocolo de texto e o gRPC
#[derive(Debug, Args)]
#[command(
    after_help = "Exemplos:\n  hortifruti bench\n  hortifruti bench --connections 64 --duration 30 --html medida.html\n\nSem --server, mede um servidor próprio, sem TLS nem token, com um banco de dados temporário e uma lista de preços real."
)]
pub(super) struct Bench {
    /// Servidor a medir; os estoques dele mudam
    #[arg(long, value_name = "HOST:PORTA")]
    server: Option<String>,
    /// Conexões de cada modo. O padrão é 16
    #[arg(long, value_name = "N", default_value_t = 16, hide_default_value = true, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    connections: u32,
    /// Operações em voo em cada conexão. O padrão é 16
    #[arg(long, value_name = "N", default_value_t = 16, hide_default_value = true, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pipeline: u32,
    /// Duração da medição de cada modo. O padrão é 10
    #[arg(long, value_name = "SEGUNDOS", default_value_t = 10, hide_default_value = true, value_parser = clap::value_parser!(u64).range(1..=3600))]
    duration: u64,
    /// Operações por segundo (laço aberto); sem ela, o máximo (laço fechado)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    rate: Option<u32>,
    /// Leituras e gravações em cada cem. O padrão é read=80,write=20
    #[arg(long, value_name = "MISTURA", default_value = "read=80,write=20", hide_default_value = true)]
    mix: String,
    /// Escreve os números em JSON
    #[arg(long, value_name = "ARQUIVO", value_hint = clap::ValueHint::FilePath)]
    json: Option<PathBuf>,
    /// Escreve uma página com os gráficos
    #[arg(long, value_name = "ARQUIVO", value_hint = clap::ValueHint::FilePath)]
    html: Option<PathBuf>,
    #[command(flatten)]
    credentials: Credentials,
}

impl Bench {
    pub(super) fn run(self) -> Result<(), Error> {
        let mix = self.mix.parse().map_err(Error::Usage)?;
        let protocol = Some(Protocol::Http2);
        // A person waits for this connection, and can end the wait by Ctrl-C as usual.
        let given = match self.server {
            Some(address) => {
                let connect = connect_options(protocol, &self.credentials)?;
                let discovery = Discovery::at(address.clone());
                let patience = Patience::of_person(shell::report_news);
                Some((Client::connect(discovery, connect.clone(), patience)?, address, connect))
            }
            None => None,
        };
        // From here on, no signal can end the process and leave a server behind.
        let runtime = bench::Runtime::new().context("não foi possível receber os sinais do sistema")?;
        let (mut client, address, connect, own) = match given {
            Some((client, address, connect)) => (client, address, connect, None),
            None => {
                let own = OwnServer::start()?;
                let connect = ConnectOptions { protocol, ..ConnectOptions::default() };
                let discovery = Discovery::at(own.address.clone());
                let mut client = Client::connect(discovery, connect.clone(), Patience::of_program())?;
                let rows = price_list::read(BENCH_LIST).context("a lista da medição não pôde ser lida")?.rows;
                let list = ImportRequest::of_rows(rows, None);
                client.call(&Request::ImportProducts(list))?;
                (client, own.address.clone(), connect, Some(own))
            }
        };
        let options = bench::Options {
            address,
            connect,
            process: own.as_ref().map(|own| own.process.id()),
            connections: self.connections as usize,
            pipeline: self.pipeline as usize,
            duration: Duration::from_secs(self.duration),
            rate: self.rate.map(f64::from),
            mix,
            json: self.json,
            html: self.html,
        };
        bench::run(&mut client, &options, runtime).map_err(|error| match error.downcast::<ClientError>() {
            Ok(failure) => failure.into(),
            Err(error) => error.into(),
        })
    }
}

/// The bench's own server, in a separate process and on a temporary database.
struct OwnServer {
    process: Child,
    address: String,
    folder: PathBuf,
}

impl OwnServer {
    fn start() -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("hortifruti-bench-{}", Uuid::now_v7()));
        std::fs::create_dir(&folder)
            .with_context(|| format!("não foi possível criar {}", folder.display()))?;
        let port_file = folder.join("server_port.txt");
        let mut server = std::process::Command::new(std::env::current_exe()?);
        server
            .args(["serve", "--quiet", "--empty", "--port", "0", "--data"])
            .arg(folder.join("hortifruti.db"))
            .arg("--port-file")
            .arg(&port_file)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        // The bench ends the server.
        machine::ignore_interrupts(&mut server);
        let process = server.spawn().context("o servidor da medição não iniciou")?;
        let mut own = Self { process, address: String::new(), folder };
        let give_up = Instant::now() + OWN_SERVER_WAIT;
        while own.address.is_empty() {
            if let Ok(place) = port_file::read(&port_file) {
                own.address = place.to_string();
            } else if Instant::now() > give_up || own.process.try_wait()?.is_some() {
                bail!("o servidor da medição não iniciou");
            } else {
                std::thread::sleep(OWN_SERVER_LOOK);
            }
        }
        Ok(own)
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        // The server is killed, because its data is thrown away.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
