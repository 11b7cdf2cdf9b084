//! The state of a server.

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::Format;
use super::cells::json;
use crate::local_time::{LocalTime, ShortTime};
use crate::operation::{LeaseStatus, ServerRole, StatusReply, StoreState, TransportStatus};

pub(super) fn render(out: &mut impl Write, status: &StatusReply, format: Format) -> io::Result<()> {
    match format {
        Format::Json | Format::Ndjson => json(out, [JsonStatus::from(status)].into_iter(), Format::Ndjson),
        Format::Text | Format::Table | Format::Csv => lines(out, status),
    }
}

fn lines(out: &mut impl Write, status: &StatusReply) -> io::Result<()> {
    let commit = Some(&status.commit).filter(|commit| !commit.is_empty());
    let commit = commit.map_or(String::new(), |commit| format!(" (commit {commit})"));
    writeln!(out, "hortifruti {}{commit} em {}", status.version, status.address)?;
    let up = status.started_at.elapsed().unwrap_or_default();
    writeln!(out, "No ar há {}, desde {}", length(up), ShortTime(status.started_at))?;
    let store = match status.store {
        StoreState::Open => "aberto, recebe mudanças",
        StoreState::Refusing => "recusa mudanças. A causa está no log do servidor",
        StoreState::InDoubt => "não se sabe se a última gravação foi feita; recusa mudanças até saber",
        StoreState::StandsBy => "de reserva; outro servidor atende a loja",
        StoreState::Stopped => "parado por um defeito; reinicie o servidor e guarde o log",
    };
    writeln!(out, "Banco de dados: {store}")?;
    if let Some((kind, at)) = &status.last_error {
        writeln!(
            out,
            "Último erro do banco de dados: em {} ({kind}; veja o log do servidor)",
            ShortTime(*at)
        )?;
    }
    if let Some(lease) = &status.lease {
        lease_line(out, lease)?;
    }
    // Only a database in a file has its log beside it.
    let log = match &status.lease {
        None => format!(", e {} de registro", bytes(status.log_bytes)),
        Some(_) => String::new(),
    };
    writeln!(out, "Tamanho: {}{log} · esquema {}", bytes(status.database_bytes), status.schema)?;
    writeln!(out, "Produtos: {} · último movimento: #{}", status.products, status.last_sequence)?;
    let open = |transport: &TransportStatus| format!("{} {}", word(&transport.name), transport.open);
    let connections: Vec<_> = status.transports.iter().map(open).collect();
    writeln!(out, "Conexões: {} · acompanhando: {}", connections.join(", "), status.watchers)?;
    writeln!(out, "Pedidos atendidos: {} · mudanças na fila: {}", status.requests, status.waiting_changes)?;
    if !status.label_masks.is_empty() {
        let masks: Vec<_> = status.label_masks.iter().map(ToString::to_string).collect();
        writeln!(out, "Etiquetas de balança: {}", masks.join(", "))?;
    }
    match (status.commits, status.commit_median) {
        (0, _) => writeln!(out, "Gravações: nenhuma ainda"),
        (commits, None) => writeln!(out, "Gravações: {commits}"),
        (commits, Some(median)) => {
            let p99 = status.commit_p99.map_or(String::new(), |p99| format!(", 99% em até {}", millis(p99)));
            writeln!(out, "Gravações: {commits} · metade em até {}{p99}", millis(median))
        }
    }
}

fn lease_line(out: &mut impl Write, lease: &LeaseStatus) -> io::Result<()> {
    let role = match lease.role {
        ServerRole::StandsBy => "de reserva",
        ServerRole::Elected => "assumindo a loja",
        ServerRole::Writes => "atende a loja",
        ServerRole::Leaves => "entregou a loja",
    };
    write!(out, "Papel: {role}")?;
    if let Some(holder) = &lease.holder {
        write!(out, "; quem atende é {holder}")?;
    }
    if let Some(age) = lease.age {
        write!(
            out,
            " · época {} · renovado há {}",
            lease.epoch,
            millis(Duration::from_millis(age.as_millis() as u64))
        )?;
    }
    match lease.synchronous_standbys {
        Some(0) => write!(out, " · sem cópia síncrona do banco")?,
        Some(1) => write!(out, " · 1 cópia síncrona do banco")?,
        Some(count) => write!(out, " · {count} cópias síncronas do banco")?,
        None => {}
    }
    if let Some(lag) = lease.replication_lag_bytes.filter(|lag| *lag > 0) {
        write!(out, ", com atraso de {}", bytes(lag))?;
    }
    writeln!(out, " · reconexões: {}", lease.reconnections)
}

/// The word of a transport for people.
fn word(transport: &str) -> &str {
    match transport {
        "text" => "texto",
        "grpc" => "gRPC",
        "http" => "HTTP",
        other => other,
    }
}

/// A length of time in its two largest units: `3 h 12 min`.
fn length(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (1, hours, _) => format!("1 dia e {hours} h"),
        (days, hours, _) => format!("{days} dias e {hours} h"),
    }
}

/// A size in the largest unit of which there is one: `4,1 MB`.
fn bytes(bytes: u64) -> String {
    let scaled = |unit: u64| {
        let tenths = bytes * 10 / unit;
        format!("{},{}", tenths / 10, tenths % 10)
    };
    match bytes {
        0..1000 => format!("{bytes} bytes"),
        1000..1_000_000 => format!("{} kB", scaled(1000)),
        1_000_000..1_000_000_000 => format!("{} MB", scaled(1_000_000)),
        _ => format!("{} GB", scaled(1_000_000_000)),
    }
}

/// Milliseconds with a decimal comma: `2,5 ms`.
fn millis(time: Duration) -> String {
    format!("{} ms", time.as_secs_f64() * 1000.0).replace('.', ",")
}

#[derive(Serialize)]
struct JsonStatus<'a> {
    version: &'a str,
    commit: Option<&'a str>,
    schema_version: u32,
    started_at: String,
    address: &'a str,
    transports: Vec<JsonTransport<'a>>,
    watchers: u64,
    products: u64,
    last_sequence: i64,
    store_state: &'static str,
    last_store_error: Option<JsonError<'a>>,
    database_bytes: u64,
    log_bytes: u64,
    answered_requests: u64,
    waiting_changes: u64,
    commits: u64,
    commit_median_seconds: Option<f64>,
    commit_p99_seconds: Option<f64>,
    label_masks: Vec<String>,
    lease: Option<JsonLease<'a>>,
}

#[derive(Serialize)]
struct JsonLease<'a> {
    role: &'static str,
    epoch: i64,
    age_seconds: Option<f64>,
    holder: Option<&'a str>,
    reconnections: u64,
    synchronous_standbys: Option<u64>,
    replication_lag_bytes: Option<u64>,
}

#[derive(Serialize)]
struct JsonTransport<'a> {
    name: &'a str,
    open_connections: u64,
    total_connections: u64,
}

#[derive(Serialize)]
struct JsonError<'a> {
    kind: &'a str,
    at: String,
}

impl<'a> From<&'a StatusReply> for JsonStatus<'a> {
    fn from(status: &'a StatusReply) -> Self {
        let at = |time: SystemTime| LocalTime(time).to_string();
        let transport = |transport: &'a TransportStatus| JsonTransport {
            name: &transport.name,
            open_connections: transport.open,
            total_connections: transport.total,
        };
        let error = status.last_error.as_ref().map(|(kind, time)| JsonError { kind, at: at(*time) });
        Self {
            version: &status.version,
            commit: Some(status.commit.as_str()).filter(|commit| !commit.is_empty()),
            schema_version: status.schema,
            started_at: at(status.started_at),
            address: &status.address,
            transports: status.transports.iter().map(transport).collect(),
            watchers: status.watchers,
            products: status.products,
            last_sequence: status.last_sequence,
            store_state: status.store.name(),
            last_store_error: error,
            database_bytes: status.database_bytes,
            log_bytes: status.log_bytes,
            answered_requests: status.requests,
            waiting_changes: status.waiting_changes,
            commits: status.commits,
            commit_median_seconds: status.commit_median.map(|time| time.as_secs_f64()),
            commit_p99_seconds: status.commit_p99.map(|time| time.as_secs_f64()),
            label_masks: status.label_masks.iter().map(ToString::to_string).collect(),
            lease: status.lease.as_ref().map(|lease| JsonLease {
                role: lease.role.name(),
                epoch: lease.epoch,
                age_seconds: lease.age.map(|age| age.as_secs_f64()),
                holder: lease.holder.as_deref(),
                reconnections: lease.reconnections,
                synchronous_standbys: lease.synchronous_standbys,
                replication_lag_bytes: lease.replication_lag_bytes,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_written_as_people_say_them() {
        let sizes = [0, 999, 4096, 1_250_000, 3_000_000_000].map(bytes);
        assert_eq!(sizes, ["0 bytes", "999 bytes", "4,0 kB", "1,2 MB", "3,0 GB"]);
        let lengths =
            [59, 60, 3600, 11_520, 86_400, 180_000].map(|seconds| length(Duration::from_secs(seconds)));
        assert_eq!(lengths, ["59 s", "1 min", "1 h 0 min", "3 h 12 min", "1 dia e 0 h", "2 dias e 2 h"]);
        let times = [50, 2500, 1_000_000].map(|micros| millis(Duration::from_micros(micros)));
        assert_eq!(times, ["0,05 ms", "2,5 ms", "1000 ms"]);
    }
}
