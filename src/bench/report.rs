//! What the bench shows: a table, curves in the terminal, JSON, and a page with charts.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::num::NonZero;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::lane::Tally;
use super::{Options, Way, histogram};

/// The percentiles of the table, and of the curves in the terminal.
const TABLE_PERCENTILES: [f64; 4] = [50.0, 90.0, 99.0, 99.9];

/// The percentiles of the page's curves: a step for each factor of about two in what lies beyond.
const CURVE_PERCENTILES: [f64; 12] =
    [10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 98.0, 99.0, 99.5, 99.9, 99.95, 99.99];

/// What came of one way.
pub struct Outcome {
    /// Which.
    pub way: Way,
    latency: Histogram<u64>,
    bytes: u64,
    cpu_seconds: Option<f64>,
    /// Operations in a second, of each round.
    rates: Vec<f64>,
}

impl Outcome {
    pub(super) fn new(way: Way) -> Self {
        Self { way, latency: histogram(), bytes: 0, cpu_seconds: Some(0.0), rates: Vec::new() }
    }

    pub(super) fn add(&mut self, tally: &Tally, seconds: f64, cpu: Option<f64>) {
        let _ = self.latency.add(&tally.latency);
        self.bytes += tally.bytes;
        self.cpu_seconds = self.cpu_seconds.zip(cpu).map(|(sum, turn)| sum + turn);
        self.rates.push(tally.latency.len() as f64 / seconds);
    }

    fn rate(&self) -> f64 {
        median(&self.rates)
    }

    fn microseconds(&self, percentile: f64) -> f64 {
        self.latency.value_at_percentile(percentile) as f64 / 1000.0
    }

    fn per_operation(&self, sum: f64) -> f64 {
        sum / (self.latency.len() as f64).max(1.0)
    }

    fn cpu_microseconds(&self) -> Option<f64> {
        self.cpu_seconds.map(|seconds| self.per_operation(seconds * 1e6))
    }

    /// The median of the rounds' ratios to another way, and the least and the greatest.
    fn ratio_to(&self, other: &Outcome) -> [f64; 3] {
        let ratios: Vec<f64> = self.rates.iter().zip(&other.rates).map(|(own, other)| own / other).collect();
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = ratios.iter().copied().fold(0.0, f64::max);
        [median(&ratios), least, greatest]
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

/// A number as people write it in Portuguese.
fn hundredths(number: f64) -> String {
    format!("{number:.2}").replace('.', ",")
}

/// What a percentile is called.
fn name(percentile: f64) -> String {
    format!("p{percentile}").replace('.', ",")
}

/// How the load was made, in one line.
fn load(options: &Options) -> String {
    let Options { connections, pipeline, mix, .. } = options;
    let pace = match options.rate {
        Some(rate) => format!("laço aberto, {rate:.0} op/s, latência desde o início previsto"),
        None => "laço fechado".to_owned(),
    };
    format!("{connections} conexões × {pipeline} em voo, {mix}, {pace}")
}

/// The table.
pub(super) fn write_table(out: &mut impl Write, options: &Options, outcomes: &[Outcome]) -> io::Result<()> {
    writeln!(out, "{}\n", load(options))?;
    writeln!(
        out,
        "{:<12} {:>11} {:>9} {:>9} {:>9} {:>9} {:>9} {:>8} {:>10}  razão ao socket",
        "", "op/s", "p50 µs", "p90 µs", "p99 µs", "p99,9 µs", "máx µs", "bytes/op", "CPU µs/op"
    )?;
    for outcome in outcomes {
        write!(out, "{:<12} {:>11.0}", outcome.way.name(), outcome.rate())?;
        for percentile in TABLE_PERCENTILES {
            write!(out, " {:>9.0}", outcome.microseconds(percentile))?;
        }
        let cpu = outcome.cpu_microseconds().map_or("-".to_owned(), hundredths);
        let [middle, least, greatest] = outcome.ratio_to(&outcomes[0]).map(hundredths);
        writeln!(
            out,
            " {:>9.0} {:>8.0} {:>10}  {middle} ({least}–{greatest})",
            outcome.latency.max() as f64 / 1000.0,
            outcome.per_operation(outcome.bytes as f64),
            cpu,
        )?;
    }
    Ok(())
}

/// The latency at each percentile, as bars on a logarithmic scale.
pub(super) fn write_curves(out: &mut impl Write, outcomes: &[Outcome]) -> io::Result<()> {
    const WIDTH: f64 = 50.0;
    let scale = Scale::of(outcomes);
    writeln!(
        out,
        "\nLatência por percentil (escala logarítmica, {:.0} a {:.0} µs)",
        scale.least, scale.greatest
    )?;
    for percentile in TABLE_PERCENTILES {
        for (index, outcome) in outcomes.iter().enumerate() {
            let label = if index == 0 { name(percentile) } else { String::new() };
            let microseconds = outcome.microseconds(percentile);
            let bar = "▆".repeat((scale.at(microseconds) * WIDTH).round() as usize + 1);
            writeln!(out, "{label:>7} {:<12} {bar} {microseconds:.0}", outcome.way.name())?;
        }
    }
    Ok(())
}

/// A logarithmic scale over all latencies.
struct Scale {
    least: f64,
    greatest: f64,
}

impl Scale {
    fn of(outcomes: &[Outcome]) -> Self {
        let all = || {
            outcomes
                .iter()
                .flat_map(|outcome| CURVE_PERCENTILES.iter().map(|at| outcome.microseconds(*at).max(0.1)))
        };
        Self { least: all().fold(f64::INFINITY, f64::min), greatest: all().fold(0.2, f64::max) }
    }

    /// Where a latency lies, from 0 to 1.
    fn at(&self, microseconds: f64) -> f64 {
        let span = (self.greatest / self.least).ln().max(1e-9);
        ((microseconds.max(0.1) / self.least).ln() / span).clamp(0.0, 1.0)
    }
}

#[derive(Serialize)]
struct JsonReport<'a> {
    connections: usize,
    pipeline: usize,
    seconds: f64,
    rate: Option<f64>,
    mix: String,
    ways: Vec<JsonWay<'a>>,
}

#[derive(Serialize)]
struct JsonWay<'a> {
    way: &'a str,
    operations: u64,
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

/// The figures for programs.
pub(super) fn json(options: &Options, outcomes: &[Outcome]) -> String {
    let ways = outcomes.iter().map(|outcome| {
        let [middle, least, greatest] = outcome.ratio_to(&outcomes[0]);
        JsonWay {
            way: match outcome.way {
                Way::Socket => "socket",
                Way::Unary => "grpc_unary",
                Way::Stream => "grpc_stream",
            },
            operations: outcome.latency.len(),
            operations_per_second: outcome.rate(),
            operations_per_second_of_rounds: &outcome.rates,
            bytes_per_operation: outcome.per_operation(outcome.bytes as f64),
            cpu_microseconds_per_operation: outcome.cpu_microseconds(),
            ratio_to_socket: middle,
            ratio_to_socket_least: least,
            ratio_to_socket_greatest: greatest,
            latency_max_microseconds: outcome.latency.max() as f64 / 1000.0,
            latency_microseconds: CURVE_PERCENTILES
                .iter()
                .map(|at| (*at, outcome.microseconds(*at)))
                .collect(),
        }
    });
    let report = JsonReport {
        connections: options.connections,
        pipeline: options.pipeline,
        seconds: options.duration.as_secs_f64(),
        rate: options.rate,
        mix: options.mix.to_string(),
        ways: ways.collect(),
    };
    // Numbers and fixed words always have a form.
    serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
}

/// Colours that are told apart by people who see few, light and dark alike.
fn colour(way: Way) -> &'static str {
    match way {
        Way::Socket => "#0072b2",
        Way::Unary => "#d55e00",
        Way::Stream => "#009e73",
    }
}

/// One page with everything in it.
pub(super) fn html(options: &Options, outcomes: &[Outcome]) -> String {
    let mut rows = String::new();
    for outcome in outcomes {
        let [middle, least, greatest] = outcome.ratio_to(&outcomes[0]).map(hundredths);
        let cpu = outcome.cpu_microseconds().map_or("–".to_owned(), hundredths);
        let _ = write!(
            rows,
            "<tr><th><span style=\"color:{}\">■</span> {}</th><td>{}</td>",
            colour(outcome.way),
            outcome.way.name(),
            grouped(outcome.rate())
        );
        for percentile in TABLE_PERCENTILES {
            let _ = write!(rows, "<td>{}</td>", grouped(outcome.microseconds(percentile)));
        }
        let _ = writeln!(
            rows,
            "<td>{}</td><td>{}</td><td>{cpu}</td><td>{middle} <small>({least}–{greatest})</small></td></tr>",
            grouped(outcome.latency.max() as f64 / 1000.0),
            grouped(outcome.per_operation(outcome.bytes as f64)),
        );
    }
    format!(
        "<!doctype html>\n<html lang=\"pt-BR\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>hortifruti: socket e gRPC comparados</title>\n\
         <style>\n\
         body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff }}\n\
         table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }}\n\
         th, td {{ padding: .3rem .5rem; border-bottom: 1px solid #ccc; text-align: right }}\n\
         th:first-child {{ text-align: left; white-space: nowrap }}\n\
         svg {{ width: 100%; height: auto; margin: 1rem 0 2rem }}\n\
         svg text {{ font: 13px system-ui, sans-serif; fill: #444 }}\n\
         </style>\n\
         <h1>Socket e gRPC comparados</h1>\n\
         <p>As mesmas operações sobre o mesmo catálogo, em {} turnos alternados. {}.\n\
         A razão ao socket é a mediana dos turnos, e entre parênteses estão a menor e a maior.</p>\n\
         <table><tr><th></th><th>op/s</th><th>p50 µs</th><th>p90 µs</th><th>p99 µs</th><th>p99,9 µs</th>\
         <th>máx µs</th><th>bytes/op</th><th>CPU µs/op</th><th>razão ao socket</th></tr>\n{rows}</table>\n\
         <h2>Operações por segundo</h2>\n{}\n<h2>Latência por percentil</h2>\n\
         <p>Em escala logarítmica; abaixo de cada curva está a parte das operações que o percentil diz.</p>\n{}\n\
         <p><small>hortifruti {}, servidor e bench em {} núcleos.</small></p>\n</html>\n",
        super::ROUNDS,
        load(options),
        rate_chart(outcomes),
        latency_chart(outcomes),
        env!("CARGO_PKG_VERSION"),
        std::thread::available_parallelism().map_or(1, NonZero::get),
    )
}

/// A whole number in groups of three digits, as the page shows it.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            // A narrow space that breaks no line.
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

/// A bar for each way, with the spread of its rounds.
fn rate_chart(outcomes: &[Outcome]) -> String {
    const BAR: f64 = 36.0;
    let greatest = outcomes.iter().flat_map(|outcome| &outcome.rates).copied().fold(1.0, f64::max);
    let x = |rate: f64| 110.0 + 640.0 * rate / greatest;
    let mut svg = format!("<svg viewBox=\"0 0 860 {}\" role=\"img\">", BAR * outcomes.len() as f64 + 10.0);
    for (index, outcome) in outcomes.iter().enumerate() {
        let top = BAR * index as f64 + 6.0;
        let middle = top + 12.0;
        let least = outcome.rates.iter().copied().fold(f64::INFINITY, f64::min);
        let most = outcome.rates.iter().copied().fold(0.0, f64::max);
        let _ = write!(
            svg,
            "<text x=\"100\" y=\"{}\" text-anchor=\"end\">{}</text>\
             <rect x=\"110\" y=\"{top}\" width=\"{:.1}\" height=\"24\" fill=\"{}\"/>\
             <path d=\"M{:.1} {middle}H{:.1}\" stroke=\"#222\" stroke-width=\"2\"/>\
             <text x=\"{:.1}\" y=\"{}\">{}</text>",
            middle + 5.0,
            outcome.way.name(),
            x(outcome.rate()) - 110.0,
            colour(outcome.way),
            x(least),
            x(most),
            x(most) + 8.0,
            middle + 5.0,
            grouped(outcome.rate()),
        );
    }
    svg + "</svg>"
}

/// A curve for each way: percentiles across, latency up, on a logarithmic scale.
fn latency_chart(outcomes: &[Outcome]) -> String {
    let scale = Scale::of(outcomes);
    let x = |index: usize| 80.0 + 660.0 * index as f64 / (CURVE_PERCENTILES.len() - 1) as f64;
    let y = |microseconds: f64| 330.0 - 300.0 * scale.at(microseconds);
    let end = |outcome: &Outcome| outcome.microseconds(CURVE_PERCENTILES[CURVE_PERCENTILES.len() - 1]);
    let mut svg = "<svg viewBox=\"0 0 860 380\" role=\"img\">".to_owned();
    let mut decade = 10_f64.powf(scale.least.log10().floor());
    while decade <= scale.greatest {
        for factor in [1.0, 2.0, 5.0] {
            let value = decade * factor;
            if value >= scale.least && value <= scale.greatest {
                let _ = write!(
                    svg,
                    "<path d=\"M80 {0:.1}H740\" stroke=\"#ddd\"/><text x=\"72\" y=\"{1:.1}\" text-anchor=\"end\">{2} µs</text>",
                    y(value),
                    y(value) + 4.0,
                    grouped(value)
                );
            }
        }
        decade *= 10.0;
    }
    for (index, percentile) in CURVE_PERCENTILES.iter().enumerate() {
        let (x, name) = (x(index), name(*percentile));
        let _ = write!(svg, "<text x=\"{x:.1}\" y=\"355\" text-anchor=\"middle\">{name}</text>");
    }
    // From the top, so that names whose curves end close together stand below each other.
    let mut downwards: Vec<&Outcome> = outcomes.iter().collect();
    downwards.sort_by(|one, other| end(other).total_cmp(&end(one)));
    let mut name_y = f64::NEG_INFINITY;
    for outcome in downwards {
        name_y = (y(end(outcome)) + 4.0).max(name_y + 16.0);
        let points: Vec<String> = CURVE_PERCENTILES
            .iter()
            .enumerate()
            .map(|(index, percentile)| format!("{:.1},{:.1}", x(index), y(outcome.microseconds(*percentile))))
            .collect();
        let _ = write!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2.5\"/>\
             <text x=\"748\" y=\"{:.1}\" style=\"fill: {}\">{}</text>",
            points.join(" "),
            colour(outcome.way),
            name_y,
            colour(outcome.way),
            outcome.way.name()
        );
    }
    svg + "</svg>"
}
