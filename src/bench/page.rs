//! The page: the whole report in one HTML file, which loads no other file.

use std::fmt::Write as _;

use super::options::ROUNDS;
use super::report::{CURVE_PERCENTILES, Outcome, Report, Scale, grouped, name, spread};
use super::transport::Transport;

const STYLE: &str = include_str!("page.css");

/// The first bytes of every page, by which an earlier page is recognised.
const START: &str = "<!doctype html>\n<html lang=\"pt-BR\">\n<head>\n<meta charset=\"utf-8\">\n\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
    <title>hortifruti: socket e gRPC comparados</title>\n";

/// Whether a file with this beginning is the page of a report.
pub(super) fn is_page(head: &[u8]) -> bool {
    head.starts_with(START.as_bytes())
}

/// The percentiles that the curves' axis names.
const AXIS_PERCENTILES: [f64; 5] = [50.0, 90.0, 99.0, 99.9, 99.99];

/// The width of a chart, and the left and right edges of its plot area.
const WIDTH: f64 = 490.0;
const LEFT: f64 = 96.0;
const RIGHT: f64 = 378.0;

/// The style class of a transport. The colours differ for colour-blind people too, in light and dark mode,
/// and the curves have different dashes.
fn class(transport: Transport) -> &'static str {
    match transport {
        Transport::Socket => "socket",
        Transport::Unary => "unary",
        Transport::Stream => "stream",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

impl Report<'_> {
    /// The whole report as one page.
    pub(super) fn html(&self) -> String {
        let notes: String = self.notes().iter().map(|note| format!("<p>{}</p>\n", escaped(note))).collect();
        let server = match self.options.process {
            Some(_) => "próprio, na mesma máquina, com banco de dados temporário".to_owned(),
            None => escaped(&self.options.address),
        };
        let rounds = (0..ROUNDS as usize).map(|round| {
            (
                format!("{}.º turno", round + 1),
                self.outcomes.iter().map(|outcome| grouped(outcome.rates[round])).collect(),
            )
        });
        let percentiles = CURVE_PERCENTILES.iter().map(|at| {
            (name(*at), self.outcomes.iter().map(|outcome| grouped(outcome.microseconds(*at))).collect())
        });
        format!(
            "{START}<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
             <h1>Socket e gRPC comparados</h1>\n\
             <p>As mesmas operações sobre o mesmo catálogo, em {ROUNDS} turnos alternados. {}.</p>\n\
             {}{notes}\
             <p>bytes/op: enviados e recebidos pelo cliente. CPU µs/op: tempo de processador do servidor.</p>\n\
             <p class=\"{}\">{}</p>\n\
             <h2>Operações por segundo</h2>\n<figure>\n{}\n\
             <figcaption>A barra é a mediana dos turnos; o traço vai do menor ao maior.</figcaption>\n</figure>\n\
             <h2>Latência por percentil</h2>\n<figure>\n{}\n\
             <figcaption>Em escala logarítmica, menos é melhor: no p99, 99 de cada 100 operações levaram \
             no máximo o que a curva diz.</figcaption>\n</figure>\n\
             <details>\n<summary>Cada turno, em op/s</summary>\n{}</details>\n\
             <details>\n<summary>Todos os percentis, em µs</summary>\n{}</details>\n\
             <h2>Como foi medido</h2>\n\
             <dl>\n<dt>Quando</dt><dd>{}</dd>\n<dt>Programa</dt><dd>{}</dd>\n<dt>Máquina do bench</dt><dd>{}</dd>\n\
             <dt>Servidor</dt><dd>{server}</dd>\n<dt>Duração de cada modo</dt><dd>{} s</dd>\n\
             <dt>Comando</dt><dd><code>{}</code></dd>\n</dl>\n\
             </main>\n</body>\n</html>\n",
            escaped(&self.load()),
            self.html_table(self.rows().into_iter().map(|row| (row.name, row.cells))),
            if self.verdict.is_ok() { "checked" } else { "checked wrong" },
            escaped(&self.checked()),
            rate_chart(&self.outcomes),
            latency_chart(&self.outcomes),
            self.html_table(rounds),
            self.html_table(percentiles),
            self.environment.date,
            escaped(&self.environment.program),
            escaped(&self.environment.machine),
            self.options.duration.as_secs(),
            escaped(&self.environment.command),
        )
    }

    fn html_table(&self, rows: impl Iterator<Item = (String, Vec<String>)>) -> String {
        let mut table = "<table>\n<thead><tr><th></th>".to_owned();
        for outcome in &self.outcomes {
            let _ = write!(
                table,
                "<th scope=\"col\"><span class=\"key {}\"></span>{}</th>",
                class(outcome.transport),
                outcome.transport.name()
            );
        }
        table += "</tr></thead>\n<tbody>\n";
        for (name, cells) in rows {
            let _ = write!(table, "<tr><th scope=\"row\">{name}</th>");
            for cell in cells {
                // The spread stands below its median.
                let cell = match cell.split_once(" (") {
                    Some((middle, spread)) => format!("{middle} <small>({spread}</small>"),
                    None => cell,
                };
                let _ = write!(table, "<td>{cell}</td>");
            }
            table += "</tr>\n";
        }
        table + "</tbody>\n</table>\n"
    }
}

/// A bar for each transport, with the spread of its rounds.
fn rate_chart(outcomes: &[Outcome]) -> String {
    const BAR: f64 = 36.0;
    let greatest = outcomes.iter().flat_map(|outcome| &outcome.rates).copied().fold(1.0, f64::max);
    let step = step(greatest);
    let parts = (greatest / step).ceil();
    let x = |rate: f64| LEFT + (RIGHT - LEFT) * rate / (parts * step);
    let bottom = BAR * outcomes.len() as f64 + 4.0;
    let mut svg =
        opened("rates", bottom + 40.0, "Operações por segundo de cada modo", outcomes, &|outcome| {
            grouped(outcome.rate())
        });
    let ticks = (0..).map(f64::from).take_while(|index| *index <= parts).map(|index| index * step);
    write_axis(&mut svg, 0.0, bottom, "operações por segundo", ticks.map(|tick| (x(tick), grouped(tick))));
    for (index, outcome) in outcomes.iter().enumerate() {
        let top = BAR * index as f64 + 6.0;
        let middle = top + 12.0;
        let [rate, least, most] = spread(&outcome.rates);
        let _ = write!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\
             <rect x=\"{LEFT}\" y=\"{top}\" width=\"{:.1}\" height=\"24\" class=\"bar {}\"/>\
             <path d=\"M{:.1} {middle}H{:.1}\" class=\"spread\"/>\
             <text x=\"{:.1}\" y=\"{}\">{}</text>",
            LEFT - 6.0,
            middle + 4.0,
            outcome.transport.name(),
            x(rate) - LEFT,
            class(outcome.transport),
            x(least),
            x(most),
            x(most) + 6.0,
            middle + 4.0,
            grouped(rate),
        );
    }
    svg + "</svg>"
}

/// The smallest step of 1, 2 or 5 times a power of ten that gives an axis at most five steps.
fn step(greatest: f64) -> f64 {
    let decade = 10_f64.powf((greatest / 5.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|factor| factor * decade)
        .into_iter()
        .find(|step| greatest / step <= 5.0)
        .unwrap_or(greatest)
}

/// A curve for each transport: percentiles across, latency up, both on logarithmic scales.
fn latency_chart(outcomes: &[Outcome]) -> String {
    const BOTTOM: f64 = 266.0;
    let scale = Scale::of(outcomes);
    let last = CURVE_PERCENTILES[CURVE_PERCENTILES.len() - 1];
    // With each equal step to the right, the operations beyond the percentile become ten times rarer.
    let rarity = |percentile: f64| -(1.0 - percentile / 100.0).log10();
    let x = |percentile: f64| LEFT + (RIGHT - LEFT) * rarity(percentile) / rarity(last);
    let y = |microseconds: f64| BOTTOM - (BOTTOM - 10.0) * scale.at(microseconds);
    let mut svg = opened("latencies", 306.0, "Latência de cada modo por percentil", outcomes, &|outcome| {
        format!(
            "p50 {} µs, p99 {} µs",
            grouped(outcome.microseconds(50.0)),
            grouped(outcome.microseconds(99.0))
        )
    });
    // On a scale of many decades, lines between the decades would be too close together.
    let factors: &[f64] = if scale.greatest / scale.least > 3000.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let mut decade = 10_f64.powf(scale.least.log10().floor());
    while decade <= scale.greatest {
        for value in factors.iter().map(|factor| factor * decade) {
            if (scale.least..=scale.greatest).contains(&value) {
                let label =
                    if value < 1.0 { format!("{value:.1}").replace('.', ",") } else { grouped(value) };
                let _ = write!(
                    svg,
                    "<path d=\"M{LEFT} {0:.1}H{RIGHT}\" class=\"grid\"/>\
                     <text x=\"{1}\" y=\"{2:.1}\" text-anchor=\"end\">{label} µs</text>",
                    y(value),
                    LEFT - 6.0,
                    y(value) + 4.0,
                );
            }
        }
        decade *= 10.0;
    }
    let ticks = AXIS_PERCENTILES.into_iter().map(|percentile| (x(percentile), name(percentile)));
    write_axis(&mut svg, 10.0, BOTTOM, "percentil das operações", ticks);
    // The names are placed from the top, so that names of curves that end close together do not overlap.
    let mut downwards: Vec<&Outcome> = outcomes.iter().collect();
    downwards.sort_by(|one, other| other.microseconds(last).total_cmp(&one.microseconds(last)));
    let mut name_y = f64::NEG_INFINITY;
    for outcome in downwards {
        let (label, class) = (outcome.transport.name(), class(outcome.transport));
        name_y = (y(outcome.microseconds(last)) + 4.0).max(name_y + 16.0);
        let points: Vec<String> = CURVE_PERCENTILES
            .iter()
            .map(|at| format!("{:.1},{:.1}", x(*at), y(outcome.microseconds(*at))))
            .collect();
        let _ = write!(
            svg,
            "<polyline points=\"{}\" class=\"curve {class}\"/>\
             <path d=\"M{} {:.1}h16\" class=\"curve {class}\"/><text x=\"{}\" y=\"{name_y:.1}\">{label}</text>",
            points.join(" "),
            RIGHT + 4.0,
            name_y - 4.0,
            RIGHT + 23.0,
        );
        for at in CURVE_PERCENTILES {
            let microseconds = outcome.microseconds(at);
            let _ = write!(
                svg,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" class=\"point {class}\"><title>{label}, {}: {} µs</title></circle>",
                x(at),
                y(microseconds),
                name(at),
                grouped(microseconds)
            );
        }
    }
    svg + "</svg>"
}

/// The axis below a chart: a line from top to bottom at each of these places, its label, and the name
/// of the axis.
fn write_axis(
    svg: &mut String,
    top: f64,
    bottom: f64,
    caption: &str,
    ticks: impl Iterator<Item = (f64, String)>,
) {
    for (x, label) in ticks {
        let _ = write!(
            svg,
            "<path d=\"M{x:.1} {top}V{bottom}\" class=\"grid\"/>\
             <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
            bottom + 16.0,
        );
    }
    let _ = write!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{caption}</text>",
        f64::midpoint(LEFT, RIGHT),
        bottom + 34.0
    );
}

/// The opening tag of a chart, with a description for screen readers.
fn opened(
    id: &str,
    height: f64,
    title: &str,
    outcomes: &[Outcome],
    figure: &dyn Fn(&Outcome) -> String,
) -> String {
    let figures: Vec<String> =
        outcomes.iter().map(|outcome| format!("{}: {}", outcome.transport.name(), figure(outcome))).collect();
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"{id}-title {id}-words\">\
         <title id=\"{id}-title\">{title}</title><desc id=\"{id}-words\">{}.</desc>",
        figures.join("; ")
    )
}
