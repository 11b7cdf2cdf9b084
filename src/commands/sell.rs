//! `sell`: a sale of one product, or of several as one document.

mod outbox;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::Args;

use super::Error;
use super::connection::connect;
use super::output::{note, print_for_person};
use super::word::WordOptions;
use crate::catalog::{Note, RequestId, counted};
use crate::client::{ClientError, ConnectionError, new_request_id};
use crate::local_time::LocalTime;
use crate::operation::Request;
use crate::operation::phrase::{Readings, split_phrases, split_words};
use crate::refusal::{Code, Refusal};
use crate::wire::grpc::StoredChange;
use outbox::{Outbox, Sale};

/// Vende: um produto, ou vários num só documento
#[derive(Debug, Args)]
#[command(
    after_help = "Exemplos:\n  hortifruti sell 2,5kg Tomate\n  hortifruti sell 3 Maca 12 Banana --format json\n  hortifruti sell --outbox saida.fila"
)]
pub(super) struct Sell {
    /// Quantidade e nome de cada produto, ou só códigos e etiquetas
    #[arg(value_name = "QUANTIDADE NOME", required_unless_present = "outbox", num_args = 1.., allow_negative_numbers = true, display_order = 1)]
    items: Vec<String>,
    /// Observação
    #[arg(long, value_name = "TEXTO")]
    note: Option<String>,
    /// Arquivo que guarda a venda se nenhum servidor responde, e a envia depois; sozinho, só envia
    #[arg(long, value_name = "ARQUIVO", value_hint = clap::ValueHint::FilePath)]
    outbox: Option<PathBuf>,
    #[command(flatten)]
    options: WordOptions,
}

impl Sell {
    pub(super) fn run(self) -> Result<(), Error> {
        let words: Vec<&str> = self.items.iter().map(String::as_str).collect();
        let phrases: Vec<String> = match words[..] {
            [] => Vec::new(),
            _ => split_words(&words)?.iter().map(|phrase| phrase.join(" ")).collect(),
        };
        let text = phrases.join("; ");
        match &self.outbox {
            None => self.options.run("vender", text, &[("obs", self.note)]),
            Some(path) => run_with_outbox(path, text, self.note, self.options),
        }
    }
}

/// Sends what waits in the outbox, and makes the sale, which the outbox keeps if no server answers.
fn run_with_outbox(
    path: &Path,
    items: String,
    own_note: Option<String>,
    options: WordOptions,
) -> Result<(), Error> {
    let mut outbox = Outbox::open(path).map_err(|error| broken(path, &error))?;
    let id = match options.request_id.clone() {
        Some(id) => id.parse().map_err(|error| Refusal::request_id(&error))?,
        None => new_request_id(),
    };
    if !items.is_empty() {
        // A sale that no server will take is not kept.
        for phrase in split_phrases(&items) {
            Readings::of(phrase, false)?;
        }
        own_note
            .as_deref()
            .map(str::parse::<Note>)
            .transpose()
            .map_err(|error| Refusal::detail("note", &error))?;
        let at = LocalTime(SystemTime::now()).to_string();
        outbox
            .keep(Sale { id: id.to_string(), at, items, note: own_note, sent: None })
            .map_err(|error| broken(path, &error))?;
    }
    let (mut refused, mut own) = (0, Ok(()));
    for sale in outbox.waiting().to_vec() {
        let is_own = sale.id == id.as_str();
        if !is_own {
            note(&format!("Venda guardada em {}: {}", sale.at, sale.items));
        }
        match send(&mut outbox, &sale, is_own, &options) {
            Ok(()) => outbox.end(&sale.id).map_err(|error| broken(path, &error.into()))?,
            Err(error) if may_come_later(&error) => {
                let waiting = counted(outbox.waiting().len(), "venda espera", "vendas esperam");
                let path = path.display();
                note(&format!("Aviso: {error}"));
                note(&format!(
                    "{waiting} em {path}; cada uma será registrada uma vez só, na próxima venda com --outbox, ou por \
                     `hortifruti sell --outbox {path}`."
                ));
                return Ok(());
            }
            // The person is still there: the sale is not made, and not kept.
            Err(error) if is_own => {
                outbox.end(&sale.id).map_err(|error| broken(path, &error.into()))?;
                own = Err(error);
            }
            Err(error) if is_of_sale(&error) => {
                let apart = outbox.set_apart(&sale, &error.to_string());
                let apart = apart.map_err(|error| broken(path, &error.into()))?;
                refused += 1;
                note(&format!("Recusada: {error}"));
                note(&format!(
                    "A venda de {} está em {}; confira-a, e registre o que faltar.",
                    sale.at,
                    apart.display()
                ));
            }
            Err(error) => return Err(error),
        }
    }
    own?;
    if refused > 0 {
        let what = counted(
            refused,
            "venda guardada foi recusada, e está à parte",
            "vendas guardadas foram recusadas, e estão à parte",
        );
        return Err(
            Refusal::new(Code::InsufficientStock, format!("{what}. As outras foram registradas.")).into()
        );
    }
    Ok(())
}

/// Sends a sale, under its id. What is sent is on disk before: the repetition of a sale whose answer was lost is the
/// same request, and is booked once.
fn send(outbox: &mut Outbox, sale: &Sale, is_own: bool, options: &WordOptions) -> Result<(), Error> {
    let damaged =
        || anyhow::anyhow!("a caixa de saída está danificada: a venda {} não pode ser lida", sale.id);
    if let Some((operation, message)) = &sale.sent {
        let stored = StoredChange::decode(operation, message).ok_or_else(damaged)?;
        let reply = connect(&options.connection)?.call(&stored.request()?)?;
        return print_for_person(&reply, options.output.format);
    }
    let id: RequestId = sale.id.parse().map_err(|_| damaged())?;
    let kept_at = format!("vendido em {}, sem servidor", sale.at);
    let told = sale.note.clone().or_else(|| (!is_own).then_some(kept_at));
    let attributes = [
        ("obs", told),
        // Nobody can be asked about a sale that was made before.
        ("confirma", (options.yes || !is_own).then(|| "sim".to_owned())),
        ("id", Some(sale.id.clone())),
    ];
    let mut before_sending = |request: &Request<'_>| {
        let (operation, message) = match StoredChange::of(request) {
            Some(stored) => stored.encode(),
            None => return Ok(()),
        };
        outbox.note_sent(&id, operation, message)
    };
    options.run_once("vender", &sale.items, &attributes, &mut before_sending)
}

/// Whether a sale that failed in this way is to be sent again later.
fn may_come_later(error: &Error) -> bool {
    match error {
        Error::Failed(ClientError::Connection(error)) => {
            let is_unknown = matches!(
                error,
                ConnectionError::InDoubt { .. }
                    | ConnectionError::TooSlow { .. }
                    | ConnectionError::Interrupted
            );
            is_unknown || error.may_pass()
        }
        Error::Failed(ClientError::Refused(refusal)) => matches!(
            refusal.code,
            Code::Unavailable | Code::OutcomeUnknown | Code::ResourceExhausted | Code::DeadlineExceeded
        ),
        _ => false,
    }
}

/// Whether the sale itself was refused, and not whoever sends it.
fn is_of_sale(error: &Error) -> bool {
    matches!(error, Error::Failed(ClientError::Refused(refusal)) if !matches!(refusal.code, Code::Unauthenticated | Code::Internal))
}

fn broken(path: &Path, error: &outbox::OutboxError) -> Error {
    anyhow::anyhow!("{}: {error}", path.display()).into()
}
