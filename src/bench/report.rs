//! The report of a measurement: a table and curves for the terminal, and JSON.

use std::fmt::Write as _;

use serde::Serialize;

use super::environment::{Environment, PROGRAM};
use super::options::Options;
use super::tally::Tally;
use super::transport::Transport;
use crate::catalog::counted;

/// The percentiles of the table, and of the curves in the terminal.
pub(super) const TABLE_PERCENTILES: [f64; 4] = [50.0, 90.0, 99.0, 99.9];

/// The percentiles of the page's curves: each step about halves the operations beyond it.
pub(super) const CURVE_PERCENTILES: [f64; 12] =
    [10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 98.0, 99.0, 99.5, 99.9, 99.95, 99.99];

/// The characters of the longest bar, with which a row fits in 60 columns.
const BAR_WIDTH: f64 = 30.0;

/// The result of one turn of one transport.
pub(super) struct Turn {
    pub(super) tally: Tally,
    /// The time from the last connection's setup to the last answer.
    pub(super) seconds: f64,
    /// The CPU time of the server in that time.
    pub(super) cpu_seconds: Option<f64>,
}

/// The measurements of one transport.
pub(super) struct Outcome {
    pub(super) transport: Transport,
    pub(super) tally: Tally,
    cpu_seconds: Option<f64>,
    /// The operations in a second, for each round.
    pub(super) rates: Vec<f64>,
}

impl Outcome {
    pub(super) fn new(transport: Transport) -> Self {
        Self { transport, tally: Tally::new(), cpu_seconds: Some(0.0), rates: Vec::new() }
    }

    pub(super) fn add(&mut self, turn: Turn) {
        self.cpu_seconds = self.cpu_seconds.zip(turn.cpu_seconds).map(|(sum, turn)| sum + turn);
        self.rates.push(turn.tally.latency.len() as f64 / turn.seconds);
        self.tally.merge(turn.tally);
    }

    pub(super) fn rate(&self) -> f64 {
        median(&self.rates)
    }

    pub(super) fn microseconds(&self, percentile: f64) -> f64 {
        self.tally.latency.value_at_percentile(percentile) as f64 / 1000.0
    }

    fn max_microseconds(&self) -> f64 {
        self.tally.latency.max() as f64 / 1000.0
    }

    fn per_operation(&self, sum: f64) -> f64 {
        sum / (self.tally.latency.len() as f64).max(1.0)
    }

    fn cpu_microseconds(&self) -> Option<f64> {
        self.cpu_seconds.map(|seconds| self.per_operation(seconds * 1e6))
    }

    /// The median, the least and the greatest of the rounds' ratios to another transport.
    fn ratio_to(&self, other: &Outcome) -> [f64; 3] {
        let ratios: Vec<f64> = self.rates.iter().zip(&other.rates).map(|(own, other)| own / other).collect();
        spread(&ratios)
    }
}

/// The median, the least and the greatest.
pub(super) fn spread(values: &[f64]) -> [f64; 3] {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = values.iter().copied().fold(0.0, f64::max);
    [median(values), least, greatest]
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

/// A number in Portuguese notation.
fn hundredths(number: f64) -> String {
    format!("{number:.2}").replace('.', ",")
}

/// A whole number in groups of three digits.
pub(super) fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

/// The name of a percentile.
pub(super) fn name(percentile: f64) -> String {
    format!("p{percentile}").replace('.', ",")
}

/// The whole report.
pub(super) struct Report<'a> {
    pub(super) options: &'a Options,
    pub(super) outcomes: Vec<Outcome>,
    /// The result of the check of the stock, as a sentence.
    pub(super) verdict: Result<String, String>,
    pub(super) environment: Environment,
}

/// A row of the table: its name, and a cell for each transport.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) cells: Vec<String>,
}

impl Report<'_> {
    /// The load, in one line.
    pub(super) fn load(&self) -> String {
        let Options { connections, pipeline, mix, .. } = self.options;
        let connections = counted(*connections, "conexão", "conexões");
        let pace = match self.options.rate {
            Some(rate) => format!("laço aberto, {} op/s", grouped(rate)),
            None => "laço fechado".to_owned(),
        };
        format!("{connections} × {pipeline} em voo, {mix}, {pace}")
    }

    /// The table, one column for each transport. The page shows the same.
    pub(super) fn rows(&self) -> Vec<Row> {
        let row = |name: String, cell: &dyn Fn(&Outcome) -> String| Row {
            name,
            cells: self.outcomes.iter().map(cell).collect(),
        };
        let socket = &self.outcomes[0];
        let mut rows = vec![
            row("op/s".to_owned(), &|outcome| grouped(outcome.rate())),
            row("razão".to_owned(), &|outcome| {
                let [middle, least, greatest] = outcome.ratio_to(socket).map(hundredths);
                match outcome.transport {
                    Transport::Socket => middle,
                    _ => format!("{middle} ({least}–{greatest})"),
                }
            }),
        ];
        for percentile in TABLE_PERCENTILES {
            rows.push(row(format!("{} µs", name(percentile)), &|outcome| {
                grouped(outcome.microseconds(percentile))
            }));
        }
        rows.extend([
            row("máx µs".to_owned(), &|outcome| grouped(outcome.max_microseconds())),
            row("bytes/op".to_owned(), &|outcome| grouped(outcome.per_operation(outcome.tally.bytes as f64))),
            row("CPU µs/op".to_owned(), &|outcome| {
                outcome.cpu_microseconds().map_or("–".to_owned(), hundredths)
            }),
        ]);
        rows
    }

    /// Notes for the reader of the table.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = vec!["razão: op/s para as do socket, mediana dos turnos (menor–maior).".to_owned()];
        if let Some(rate) = self.options.rate {
            notes.push("A latência conta desde o início previsto de cada operação.".to_owned());
            for outcome in self.outcomes.iter().filter(|outcome| outcome.tally.not_begun > 0) {
                let part = outcome.tally.not_begun as f64
                    / (outcome.tally.not_begun + outcome.tally.latency.len()) as f64;
                notes.push(format!(
                    "{} não acompanhou {} op/s: {} % das operações previstas nem começaram.",
                    outcome.transport.name(),
                    grouped(rate),
                    hundredths(100.0 * part),
                ));
            }
        }
        notes
    }

    /// The result of the check of the stock, as a sentence.
    pub(super) fn checked(&self) -> String {
        match &self.verdict {
            Ok(sum) => format!("Conferido: {sum}."),
            Err(problem) => format!("Não confere: {problem}. As medições não valem."),
        }
    }

    /// The report for a terminal.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{}\n\n", self.load());
        let heads = Row {
            name: String::new(),
            cells: self.outcomes.iter().map(|outcome| outcome.transport.name().to_owned()).collect(),
        };
        let mut rows = self.rows();
        rows.insert(0, heads);
        let widths: Vec<usize> = (0..self.outcomes.len())
            .map(|column| rows.iter().map(|row| row.cells[column].chars().count()).max().unwrap_or(0))
            .collect();
        for row in &rows {
            let _ = write!(text, "{:<9}", row.name);
            for (cell, width) in row.cells.iter().zip(&widths) {
                let _ = write!(text, "  {cell:>width$}");
            }
            text.push('\n');
        }
        text.push('\n');
        for note in self.notes() {
            text += &note;
            text.push('\n');
        }
        self.write_curves(&mut text);
        text + "\n" + &self.checked() + "\n"
    }

    /// The latency at each percentile, as bars on a logarithmic scale.
    fn write_curves(&self, text: &mut String) {
        let scale = Scale::of(&self.outcomes);
        let _ = writeln!(
            text,
            "\nLatência por percentil em µs (escala logarítmica de {} a {})",
            grouped(scale.least),
            grouped(scale.greatest)
        );
        for percentile in TABLE_PERCENTILES {
            for (index, outcome) in self.outcomes.iter().enumerate() {
                let label = if index == 0 { name(percentile) } else { String::new() };
                let microseconds = outcome.microseconds(percentile);
                let bar = "▆".repeat((scale.at(microseconds) * BAR_WIDTH).round() as usize + 1);
                let _ = writeln!(
                    text,
                    "{label:>5} {:<11} {bar} {}",
                    outcome.transport.name(),
                    grouped(microseconds)
                );
            }
        }
    }

    /// The report for programs.
    pub(super) fn json(&self) -> String {
        let transports = self.outcomes.iter().map(|outcome| {
            let [middle, least, greatest] = outcome.ratio_to(&self.outcomes[0]);
            JsonTransport {
                transport: match outcome.transport {
                    Transport::Socket => "socket",
                    Transport::Unary => "grpc_unary",
                    Transport::Stream => "grpc_stream",
                },
                operations: outcome.tally.latency.len(),
                operations_not_begun: outcome.tally.not_begun,
                operations_per_second: outcome.rate(),
                operations_per_second_of_rounds: &outcome.rates,
                bytes_per_operation: outcome.per_operation(outcome.tally.bytes as f64),
                cpu_microseconds_per_operation: outcome.cpu_microseconds(),
                ratio_to_socket: middle,
                ratio_to_socket_least: least,
                ratio_to_socket_greatest: greatest,
                latency_max_microseconds: outcome.max_microseconds(),
                latency_microseconds: CURVE_PERCENTILES
                    .iter()
                    .map(|at| (*at, outcome.microseconds(*at)))
                    .collect(),
            }
        });
        let report = JsonReport {
            environment: &self.environment,
            connections: self.options.connections,
            pipeline: self.options.pipeline,
            seconds: self.options.duration.as_secs_f64(),
            rate: self.options.rate,
            mix: self.options.mix.to_string(),
            is_stock_right: self.verdict.is_ok(),
            transports: transports.collect(),
        };
        // Numbers and fixed strings can always be serialized.
        serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
    }
}

/// Whether a file with these first bytes is the JSON of a report.
pub(super) fn is_json(head: &[u8]) -> bool {
    let program = format!("\n  \"program\": \"{PROGRAM}");
    head.starts_with(b"{\n  \"date\": \"") && memchr::memmem::find(head, program.as_bytes()).is_some()
}

/// A logarithmic scale over all latencies.
pub(super) struct Scale {
    pub(super) least: f64,
    pub(super) greatest: f64,
}

impl Scale {
    pub(super) fn of(outcomes: &[Outcome]) -> Self {
        let all = || {
            outcomes
                .iter()
                .flat_map(|outcome| CURVE_PERCENTILES.iter().map(|at| outcome.microseconds(*at).max(0.1)))
        };
        Self { least: all().fold(f64::INFINITY, f64::min), greatest: all().fold(0.2, f64::max) }
    }

    /// The place of a latency on the scale, from 0 to 1.
    pub(super) fn at(&self, microseconds: f64) -> f64 {
        let span = (self.greatest / self.least).ln().max(1e-9);
        ((microseconds.max(0.1) / self.least).ln() / span).clamp(0.0, 1.0)
    }
}

#[derive(Serialize)]
struct JsonReport<'a> {
    #[serde(flatten)]
    environment: &'a Environment,
    connections: usize,
    pipeline: usize,
    seconds: f64,
    rate: Option<f64>,
    mix: String,
    is_stock_right: bool,
    #[serde(rename = "ways")]
    transports: Vec<JsonTransport<'a>>,
}

#[derive(Serialize)]
struct JsonTransport<'a> {
    #[serde(rename = "way")]
    transport: &'a str,
    operations: u64,
    operations_not_begun: u64,
    operations_per_second: f64,
    operations_per_second_of_rounds: &'a [f64],
    bytes_per_operation: f64,
    cpu_microseconds_per_operation: Option<f64>,
    ratio_to_socket: f64,
    ratio_to_socket_least: f64,
    ratio_to_socket_greatest: f64,
    latency_max_microseconds: f64,
    latency_microseconds: Vec<(f64, f64)>,
}
