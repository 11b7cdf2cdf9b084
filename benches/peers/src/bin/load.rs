//! Drives any server that answers lines in order, hortifruti's text protocol or Redis's
//! RESP, with a fixed number of commands in flight on each connection, from one thread.
//! Prints one line of JSON.
//!
//! Pipelining slides: whatever a read answered is asked anew in one write. With `--batch` a
//! connection asks anew only once all that it had in flight is answered.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, bail, ensure};
use clap::Parser;
use hdrhistogram::Histogram;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use peers::{Random, read_names};

/// What one read takes at most.
const READ_BYTES: usize = 256 * 1024;

/// Longest latency that is told apart, in nanoseconds: a minute.
const LATENCY_MAX_NS: u64 = 60_000_000_000;

/// How often a paced load looks whether more is due.
const PACE_TICK: Duration = Duration::from_millis(1);

#[derive(Parser)]
struct Options {
    /// The server, as IP:PORT
    #[arg(long)]
    server: SocketAddr,
    #[arg(long, default_value_t = 50)]
    connections: usize,
    /// Commands in flight on each connection
    #[arg(long, default_value_t = 1)]
    in_flight: usize,
    /// A command, words apart by single spaces. {p} is a random product, {r} a random number
    /// below --range, {id} a request id used once (in ascending order), {uuid} one at random.
    /// Given several times, each is drawn with the same chance
    #[arg(long, required = true)]
    command: Vec<String>,
    /// A line that each connection sends first, such as `token SECRET`; its answer is not counted
    #[arg(long)]
    opening: Option<String>,
    /// Speak RESP, each word a bulk string
    #[arg(long)]
    resp: bool,
    /// The products that {p} draws from, one name a line
    #[arg(long)]
    names: Option<PathBuf>,
    #[arg(long, default_value_t = 1)]
    range: u64,
    /// Ask anew only once all is answered
    #[arg(long)]
    batch: bool,
    /// Commands a second in all, at most
    #[arg(long)]
    rate: Option<f64>,
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// How long the load is on before it is measured
    #[arg(long, default_value_t = 0.5)]
    warm_up: f64,
}

/// A part of a word of a command.
enum Part {
    Text(String),
    Product,
    Number,
    Id,
    Uuid,
}

/// Writes commands.
struct Commands {
    templates: Vec<Vec<Vec<Part>>>,
    is_resp: bool,
    names: Vec<String>,
    range: u64,
    random: Random,
    /// No other run has the same, and later runs have a greater one.
    id_prefix: String,
    id_count: u64,
    word: Vec<u8>,
}

impl Commands {
    fn new(options: &Options) -> anyhow::Result<Self> {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        let names = options.names.as_deref().map_or(Ok(Vec::new()), read_names)?;
        let templates: Vec<_> = options.command.iter().map(|command| parse(command)).collect();
        let draws_product = |word: &Vec<Part>| word.iter().any(|part| matches!(part, Part::Product));
        ensure!(!names.is_empty() || !templates.iter().flatten().any(draws_product), "{{p}} needs --names");
        Ok(Self {
            templates,
            is_resp: options.resp,
            names,
            range: options.range.max(1),
            random: Random::new(since_epoch.as_nanos() as u64),
            id_prefix: format!("{:x}", since_epoch.as_nanos()),
            id_count: 0,
            word: Vec::new(),
        })
    }

    /// Appends the next command.
    fn write(&mut self, out: &mut Vec<u8>) -> std::io::Result<()> {
        let template = self.random.pick(&self.templates);
        if self.is_resp {
            write!(out, "*{}\r\n", template.len())?;
        }
        for (index, word) in template.iter().enumerate() {
            self.word.clear();
            for part in word {
                match part {
                    Part::Text(text) => self.word.extend_from_slice(text.as_bytes()),
                    Part::Product => self.word.extend_from_slice(self.random.pick(&self.names).as_bytes()),
                    Part::Number => write!(self.word, "{}", self.random.draw() % self.range)?,
                    Part::Id => {
                        self.id_count += 1;
                        write!(self.word, "{}-{:010}", self.id_prefix, self.id_count)?;
                    }
                    Part::Uuid => {
                        write!(self.word, "{:016x}{:016x}", self.random.draw(), self.random.draw())?;
                    }
                }
            }
            if self.is_resp {
                write!(out, "${}\r\n", self.word.len())?;
                out.extend_from_slice(&self.word);
                out.extend_from_slice(b"\r\n");
            } else {
                if index > 0 {
                    out.push(b' ');
                }
                out.extend_from_slice(&self.word);
            }
        }
        if !self.is_resp {
            out.push(b'\n');
        }
        Ok(())
    }
}

/// The words of a command, each in its parts.
fn parse(command: &str) -> Vec<Vec<Part>> {
    command.split(' ').map(parse_word).collect()
}

fn parse_word(mut word: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    while let Some((text, rest)) = word.split_once('{') {
        let Some((place, rest)) = rest.split_once('}') else { break };
        if !text.is_empty() {
            parts.push(Part::Text(text.to_owned()));
        }
        parts.push(match place {
            "p" => Part::Product,
            "r" => Part::Number,
            "id" => Part::Id,
            "uuid" => Part::Uuid,
            other => Part::Text(format!("{{{other}}}")),
        });
        word = rest;
    }
    if !word.is_empty() {
        parts.push(Part::Text(word.to_owned()));
    }
    parts
}

/// Replies told apart, line by line.
struct Replies {
    is_resp: bool,
    /// The next line begins a reply.
    is_first_line: bool,
    /// What the refused replies began with.
    refused: Option<String>,
    refused_count: u64,
}

impl Replies {
    /// Takes a line without its `\n`; returns whether a reply ends with it.
    fn take(&mut self, line: &[u8]) -> bool {
        let ends = if self.is_resp {
            // A bulk string has a second line; an absent one, `$-1`, has not.
            !(self.is_first_line && line.first() == Some(&b'$') && line.get(1) != Some(&b'-'))
        } else {
            line.is_empty()
        };
        if self.is_first_line {
            let is_refused =
                if self.is_resp { line.first() == Some(&b'-') } else { line.starts_with(b"Erro ") };
            if is_refused {
                self.refused_count += 1;
                self.refused.get_or_insert_with(|| String::from_utf8_lossy(line).into_owned());
            }
        }
        self.is_first_line = ends;
        ends
    }
}

/// How many commands may have begun by now.
struct Pace {
    start: Instant,
    rate: Option<f64>,
    begun: u64,
}

impl Pace {
    fn due(&self, now: Instant) -> usize {
        let Some(rate) = self.rate else { return usize::MAX };
        (((now - self.start).as_secs_f64() * rate) as u64).saturating_sub(self.begun) as usize
    }
}

/// Sends a line and waits for the end of its reply.
fn open_with(line: &str, stream: &mut std::net::TcpStream) -> anyhow::Result<()> {
    writeln!(stream, "{line}")?;
    let mut reply = Vec::new();
    while !reply.ends_with(b"\n\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).context("no answer to the opening line")?;
        reply.extend(byte);
    }
    ensure!(!reply.starts_with(b"Erro "), "refused: {}", String::from_utf8_lossy(&reply).trim_end());
    Ok(())
}

struct Connection {
    stream: TcpStream,
    /// When commands in flight were written, and how many at a time.
    in_flight: VecDeque<(Instant, usize)>,
    in_flight_count: usize,
    unsent: Vec<u8>,
    /// The line that the last read cut in two.
    cut: Vec<u8>,
    replies: Replies,
}

impl Connection {
    fn open(options: &Options) -> anyhow::Result<Self> {
        let mut stream = std::net::TcpStream::connect(options.server)
            .with_context(|| format!("nothing answers at {}", options.server))?;
        stream.set_nodelay(true)?;
        if let Some(line) = &options.opening {
            open_with(line, &mut stream)?;
        }
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream: TcpStream::from_std(stream),
            in_flight: VecDeque::new(),
            in_flight_count: 0,
            unsent: Vec::new(),
            cut: Vec::new(),
            replies: Replies { is_resp: options.resp, is_first_line: true, refused: None, refused_count: 0 },
        })
    }

    /// Asks as much as may be in flight and is due.
    fn ask(&mut self, options: &Options, commands: &mut Commands, pace: &mut Pace) -> anyhow::Result<()> {
        if options.batch && self.in_flight_count > 0 {
            return self.flush();
        }
        let now = Instant::now();
        let count = (options.in_flight - self.in_flight_count).min(pace.due(now));
        if count > 0 {
            for _ in 0..count {
                commands.write(&mut self.unsent)?;
            }
            pace.begun += count as u64;
            self.in_flight.push_back((now, count));
            self.in_flight_count += count;
        }
        self.flush()
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(written) => drop(self.unsent.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error).context("cannot write"),
            }
        }
        Ok(())
    }

    /// Reads all that is there. Returns how many replies it was; their latencies go to `sum`.
    fn read(&mut self, bytes: &mut [u8], sum: &mut Histogram<u64>) -> anyhow::Result<u64> {
        let mut answered = 0;
        loop {
            let kept = self.cut.len();
            ensure!(kept < bytes.len() / 2, "a line of the server is too long");
            bytes[..kept].copy_from_slice(&self.cut);
            let read = match self.stream.read(&mut bytes[kept..]) {
                Ok(0) => bail!("the server closed a connection"),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(answered),
                Err(error) => return Err(error).context("cannot read"),
            };
            let now = Instant::now();
            let received = &bytes[..kept + read];
            let (mut start, mut ended) = (0, 0);
            for line_end in memchr::memchr_iter(b'\n', received) {
                ended += u64::from(self.replies.take(&received[start..line_end]));
                start = line_end + 1;
            }
            self.cut.clear();
            self.cut.extend_from_slice(&received[start..]);
            answered += ended;
            self.settle(ended as usize, now, sum)?;
            // A read that did not fill the buffer has emptied the socket.
            if kept + read < bytes.len() {
                return Ok(answered);
            }
        }
    }

    /// Takes answered commands out of flight, the oldest first.
    fn settle(&mut self, mut ended: usize, now: Instant, sum: &mut Histogram<u64>) -> anyhow::Result<()> {
        while ended > 0 {
            let (begun, count) = self.in_flight.front_mut().context("more replies than commands")?;
            let settled = ended.min(*count);
            let latency = u64::try_from((now - *begun).as_nanos())?.clamp(1, LATENCY_MAX_NS);
            sum.record_n(latency, settled as u64)?;
            *count -= settled;
            if *count == 0 {
                self.in_flight.pop_front();
            }
            self.in_flight_count -= settled;
            ended -= settled;
        }
        Ok(())
    }
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let mut commands = Commands::new(&options)?;
    let mut poll = Poll::new()?;
    let mut connections = Vec::with_capacity(options.connections);
    for index in 0..options.connections {
        let mut connection = Connection::open(&options)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut connection.stream, Token(index), interest)?;
        connections.push(connection);
    }
    let mut pace = Pace { start: Instant::now(), rate: options.rate, begun: 0 };
    let measured_from = pace.start + Duration::from_secs_f64(options.warm_up);
    let end = measured_from + Duration::from_secs_f64(options.seconds);
    let mut events = Events::with_capacity(1024);
    let mut bytes = vec![0; READ_BYTES];
    let mut latencies = Histogram::<u64>::new_with_bounds(1, LATENCY_MAX_NS, 3)?;
    let mut answered = 0;
    let mut is_measured = false;
    let mut first = 0;
    for connection in &mut connections {
        connection.ask(&options, &mut commands, &mut pace)?;
    }
    loop {
        let now = Instant::now();
        if now >= end {
            break;
        }
        if !is_measured && now >= measured_from {
            is_measured = true;
            answered = 0;
            latencies.reset();
        }
        let wait = if options.rate.is_some() { PACE_TICK } else { end - now };
        poll.poll(&mut events, Some(wait))?;
        for event in &events {
            let connection = &mut connections[event.token().0];
            if event.is_readable() {
                answered += connection.read(&mut bytes, &mut latencies)?;
            }
            connection.ask(&options, &mut commands, &mut pace)?;
        }
        if options.rate.is_some() {
            // Whoever comes first takes what is due, so each comes first in turn.
            first = (first + 1) % connections.len();
            let (later, sooner) = connections.split_at_mut(first);
            for connection in sooner.iter_mut().chain(later) {
                connection.ask(&options, &mut commands, &mut pace)?;
            }
        }
    }
    let rate = answered as f64 / measured_from.elapsed().as_secs_f64();
    let refused_count: u64 = connections.iter().map(|connection| connection.replies.refused_count).sum();
    if let Some(refused) = connections.iter().find_map(|connection| connection.replies.refused.as_ref()) {
        bail!("{refused_count} commands were refused, such as: {refused}");
    }
    ensure!(answered > 0, "nothing was answered");
    let micros = |quantile: f64| latencies.value_at_quantile(quantile) as f64 / 1000.0;
    println!(
        "{{\"rate\": {rate:.0}, \"p50_us\": {:.1}, \"p99_us\": {:.1}, \"p999_us\": {:.1}, \"max_us\": {:.1}}}",
        micros(0.5),
        micros(0.99),
        micros(0.999),
        latencies.max() as f64 / 1000.0
    );
    Ok(())
}
