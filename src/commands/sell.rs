//! `sell`: a sale of one product, or of several as one document.

mod outbox;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::Args;

use super::Error;
use super::connection::connect;
use super::output::{note, print_for_person};
use super::word::WordOptions;
use crate::catalog::{NOTE_CHARS_MAX, Note, RequestId, counted};
use crate::client::{ClientError, ConnectionError, new_request_id};
use crate::io_error;
use crate::local_time::LocalTime;
use crate::operation::Request;
use crate::operation::phrase::{Readings, line_of_words, split_phrases, split_words};
use crate::refusal::{Code, Refusal};
use crate::shell::check_item_count;
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
            _ => split_words(&words)?.into_iter().map(line_of_words).collect(),
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
    let id = match options.change.request_id.clone() {
        Some(id) => id.parse().map_err(|error| Refusal::request_id(&error))?,
        None => new_request_id(),
    };
    let mut is_kept = false;
    if !items.is_empty() {
        let now = SystemTime::now();
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let sale = Sale {
            id: id.to_string(),
            at: LocalTime(now).to_string(),
            at_micros: u64::try_from(since.as_micros()).ok(),
            items: items.clone(),
            note: own_note,
            sent: None,
        };
        check(&sale)?;
        is_kept = outbox.keep(sale).map_err(|error| broken(path, &error))?;
    }
    // A sale that waits already is one of before.
    let own = is_kept.then_some(&id);
    let sent = send_waiting(&mut outbox, path, own, &options);
    // If an earlier sale could not be sent for a reason of the sender, this one is not made: the error says so, and the
    // person makes it again.
    if sent.is_err()
        && is_kept
        && outbox.waiting().iter().any(|sale| sale.id == id.as_str())
        && take_out(&mut outbox, path, id.as_str())
    {
        note(&format!("A venda de {items} não foi feita, nem guardada; repita-a depois."));
        note(&format!("{} em {}.", counted_waiting(&outbox), path.display()));
    }
    sent
}

/// Refuses a sale that no server will take, now or later: such a sale is not kept.
fn check(sale: &Sale) -> Result<(), Refusal> {
    let phrases = split_phrases(&sale.items);
    check_item_count(phrases.len())?;
    for phrase in phrases {
        Readings::of(phrase, false)?;
    }
    let Some(own) = &sale.note else { return Ok(()) };
    own.parse::<Note>().map_err(|error| Refusal::detail("note", &error))?;
    if note_later(sale).parse::<Note>().is_err() {
        let chars_max = NOTE_CHARS_MAX + own.chars().count() - note_later(sale).chars().count();
        let what = format!(
            "a observação é longa demais: com --outbox tem até {}, porque a hora da venda vai junto. Nada \
             foi feito",
            counted(chars_max, "letra", "letras")
        );
        return Err(Refusal::invalid("note", what));
    }
    Ok(())
}

/// The note of a sale that is sent after its time: what a person noted, and when the sale was made.
fn note_later(sale: &Sale) -> String {
    let own = sale.note.as_ref().map_or(String::new(), |note| format!("{note}; "));
    format!("{own}vendido em {}, sem servidor", sale.at)
}

/// Sends the sales of the outbox, oldest first. The sale with this id is of now, and its person is still there.
fn send_waiting(
    outbox: &mut Outbox,
    path: &Path,
    own: Option<&RequestId>,
    options: &WordOptions,
) -> Result<(), Error> {
    let mut refused = 0;
    for sale in outbox.waiting().to_vec() {
        let is_own = own.is_some_and(|own| sale.id == own.as_str());
        if !is_own {
            note(&format!("Venda guardada em {}: {}", sale.at, sale.items));
        }
        match send(outbox, path, &sale, is_own, options) {
            Ok(()) => {
                take_out(outbox, path, &sale.id);
            }
            Err(error) if may_come_later(&error) => {
                let waiting = counted_waiting(outbox);
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
                take_out(outbox, path, &sale.id);
                return Err(error);
            }
            Err(error) if is_of_sale(&error) => {
                let apart = outbox.set_apart(&sale, &error.to_string());
                let apart = apart.map_err(|error| broken(path, &error))?;
                take_out(outbox, path, &sale.id);
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

/// Takes a sale that has its answer out of the outbox. If that fails, the sale is sent once more under its id, and the
/// person must not make it again: this is said, and the answer is `false`.
fn take_out(outbox: &mut Outbox, path: &Path, id: &str) -> bool {
    let ended = outbox.end(id);
    if let Err(error) = &ended {
        let why = io_error::describe(error);
        note(&format!(
            "Aviso: a venda não pôde ser tirada de {} ({why}). Não a digite de novo: o próximo envio a repete com o mesmo \
             pedido, e ela é registrada uma vez só.",
            path.display()
        ));
    }
    ended.is_ok()
}

fn counted_waiting(outbox: &Outbox) -> String {
    counted(outbox.waiting().len(), "venda espera", "vendas esperam")
}

/// Sends a sale, under its id. What is sent is on disk before: the repetition of a sale whose answer was lost is the
/// same request, and is booked once.
fn send(
    outbox: &mut Outbox,
    path: &Path,
    sale: &Sale,
    is_own: bool,
    options: &WordOptions,
) -> Result<(), Error> {
    let damaged =
        || anyhow::anyhow!("a caixa de saída está danificada: a venda {} não pode ser lida", sale.id);
    if let Some((operation, message)) = &sale.sent {
        let stored = StoredChange::decode(operation, message).ok_or_else(damaged)?;
        let reply = connect(&options.change.connection)?.call(&stored.request()?)?;
        return print_for_person(&reply, options.change.output.format);
    }
    let id: RequestId = sale.id.parse().map_err(|_| damaged())?;
    let attributes = [
        ("obs", if is_own { sale.note.clone() } else { Some(note_later(sale)) }),
        // Nobody can be asked about a sale that was made before.
        ("confirma", (options.yes || !is_own).then(|| "sim".to_owned())),
        // A line with an id may be a repetition, and is not asked about: a new id of the outbox's own is no word of it.
        ("id", (options.change.request_id.is_some() || !is_own).then(|| sale.id.clone())),
    ];
    let mut not_noted = None;
    let mut before_sending = |request: &mut Request<'_>| {
        if let Some(own) = request.request_id_mut() {
            own.get_or_insert_with(|| id.clone());
        }
        let (operation, message) = match StoredChange::of(request) {
            Some(stored) => stored.encode(),
            None => return Ok(()),
        };
        outbox.note_sent(&id, operation, message).map_err(|error| {
            let kind = error.kind();
            not_noted = Some(error);
            kind.into()
        })
    };
    let at = sale.at_micros.map(|micros| SystemTime::UNIX_EPOCH + Duration::from_micros(micros));
    let sent =
        options.run_once("vender", &sale.items, &attributes, at.filter(|_| !is_own), &mut before_sending);
    match not_noted {
        Some(error) => Err(anyhow::anyhow!(
            "{}: a caixa de saída não pôde ser escrita: {}. A venda de {} não foi enviada; libere espaço no disco, e \
             repita",
            path.display(),
            io_error::describe(&error),
            sale.items
        )
        .into()),
        None => sent,
    }
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
