//! The outbox: a file that keeps sales while no server answers.
//!
//! A line of the file is an event, in JSON: a sale was made, was sent, or has ended. A line is on disk before the next
//! step is taken, so a sale is neither lost nor booked twice, whenever the process is killed.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::catalog::RequestId;
use crate::private_file;

/// The most sales that wait: days of a busy till.
const SALES_MAX: usize = 10_000;

/// The longest file, in bytes: the most sales, each of many items, with what was sent of them.
const OUTBOX_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The end of the name of the file of refused sales, behind the name of the outbox.
const REFUSED_SUFFIX: &str = ".recusadas.csv";

/// The first line of the file of refused sales.
const REFUSED_HEAD: &str = "quando;venda;motivo;pedido;observacao\n";

/// The beginning of such a file, also of one that an earlier version began, or that a spreadsheet has saved with
/// another line end.
const REFUSED_START: &[u8] = b"quando;venda;motivo;pedido";

/// The mark that a spreadsheet may put before it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The beginning of every outbox: its first line is a sale.
const START: &[u8] = b"{\"sold\":{\"id\":\"";

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Event {
    Sold(Sale),
    /// The request of the sale, as it is sent from then on: the name of the operation, and the message in `inventory.proto`.
    Sent {
        id: String,
        operation: String,
        message: Vec<u8>,
    },
    Ended {
        id: String,
    },
}

/// A sale that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sale {
    pub(super) id: String,
    /// The time of the sale, as people read it.
    pub(super) at: String,
    /// The time in microseconds since 1970, which earlier versions did not keep.
    #[serde(default)]
    pub(super) at_micros: Option<u64>,
    /// The items as they were typed.
    pub(super) items: String,
    pub(super) note: Option<String>,
    /// The request, once it was sent: a repetition sends the same, whatever has changed since.
    #[serde(skip)]
    pub(super) sent: Option<(String, Vec<u8>)>,
}

/// Why an outbox cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum OutboxError {
    #[error("outro programa usa a caixa de saída. Nada foi feito; espere que ele termine")]
    Busy,
    #[error("a linha {0} da caixa de saída não é de uma. Nada foi feito; confira o nome do arquivo")]
    NotOurs(usize),
    #[error("a caixa de saída tem {SALES_MAX} vendas à espera. A venda não foi guardada; anote-a em papel")]
    Full,
    #[error("outra venda já espera com este identificador. Nada foi feito; use outro em --request-id")]
    OtherSale,
    #[error("a caixa de saída é grande demais. Nada foi feito; confira o nome do arquivo")]
    TooLong,
    #[error(
        "a venda recusada não pôde ser escrita em {path}: {why}. Ela continua na caixa de saída; mude {path} de lugar, ou \
         confira o disco, e envie de novo"
    )]
    NotSetApart { path: String, why: String },
    #[error("a caixa de saída não pôde ser usada: {}. A venda não foi guardada", crate::io_error::describe(.0))]
    Io(#[from] io::Error),
}

/// A locked outbox.
pub(super) struct Outbox {
    file: File,
    path: PathBuf,
    waiting: Vec<Sale>,
}

impl Outbox {
    /// Opens the outbox, or creates an empty one that only its owner can read.
    pub(super) fn open(path: &Path) -> Result<Self, OutboxError> {
        let mut file = private_file::open_or_create(path)?;
        private_file::lock(&file, path).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => OutboxError::Busy,
            _ => OutboxError::Io(error),
        })?;
        let mut text = Vec::new();
        (&mut file).take(OUTBOX_BYTES_MAX + 1).read_to_end(&mut text)?;
        if text.len() as u64 > OUTBOX_BYTES_MAX {
            return Err(OutboxError::TooLong);
        }
        // A line without its end was being written when the power went, and its sale was not acknowledged.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut waiting: Vec<Sale> = Vec::new();
        for (index, line) in text[..whole].split_inclusive(|byte| *byte == b'\n').enumerate() {
            match serde_json::from_slice(line).map_err(|_| OutboxError::NotOurs(index + 1))? {
                Event::Sold(sale) => waiting.push(sale),
                Event::Sent { id, operation, message } => {
                    if let Some(sale) = waiting.iter_mut().find(|sale| sale.id == id) {
                        sale.sent = Some((operation, message));
                    }
                }
                Event::Ended { id } => waiting.retain(|sale| sale.id != id),
            }
        }
        if whole == 0 && !text.starts_with(START) && !START.starts_with(&text) {
            return Err(OutboxError::NotOurs(1));
        }
        file.set_len(whole as u64)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { file, path: path.to_owned(), waiting })
    }

    /// The sales that wait, oldest first.
    pub(super) fn waiting(&self) -> &[Sale] {
        &self.waiting
    }

    /// Keeps a sale. It is on disk when this returns. One that waits already, under its id, is not kept twice, and the
    /// answer is `false`.
    pub(super) fn keep(&mut self, sale: Sale) -> Result<bool, OutboxError> {
        if let Some(waiting) = self.waiting.iter().find(|waiting| waiting.id == sale.id) {
            let is_same = waiting.items == sale.items && waiting.note == sale.note;
            return if is_same { Ok(false) } else { Err(OutboxError::OtherSale) };
        }
        if self.waiting.len() == SALES_MAX {
            return Err(OutboxError::Full);
        }
        self.append(&Event::Sold(sale.clone()))?;
        self.waiting.push(sale);
        Ok(true)
    }

    /// Notes what is sent of a sale, before it is.
    pub(super) fn note_sent(&mut self, id: &RequestId, operation: &str, message: Vec<u8>) -> io::Result<()> {
        self.append(&Event::Sent { id: id.to_string(), operation: operation.to_owned(), message })
    }

    /// Takes out a sale that was booked or refused.
    pub(super) fn end(&mut self, id: &str) -> io::Result<()> {
        self.waiting.retain(|sale| sale.id != id);
        if self.waiting.is_empty() {
            self.file.set_len(0)?;
            self.file.seek(SeekFrom::Start(0))?;
            return self.file.sync_all();
        }
        self.append(&Event::Ended { id: id.to_owned() })
    }

    /// Writes a refused sale where a person finds it. Returns the file.
    pub(super) fn set_apart(&self, sale: &Sale, why: &str) -> Result<PathBuf, OutboxError> {
        let mut name = self.path.clone().into_os_string();
        name.push(REFUSED_SUFFIX);
        let path = PathBuf::from(name);
        let cell = |text: &str| text.replace([';', '\n', '\r', '"'], " ");
        let note = sale.note.as_deref().unwrap_or_default();
        let line = format!("{};{};{};{};{}\n", sale.at, cell(&sale.items), cell(why), sale.id, cell(note));
        append_refused(&path, &line).map_err(|error| OutboxError::NotSetApart {
            path: path.display().to_string(),
            why: crate::io_error::describe(&error),
        })?;
        Ok(path)
    }

    fn append(&mut self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        append(&mut self.file, &line)
    }
}

/// Appends lines to a file, durably and all of them or none.
fn append(file: &mut File, lines: &[u8]) -> io::Result<()> {
    let length = file.seek(SeekFrom::End(0))?;
    let written = file.write_all(lines).and_then(|()| file.sync_all());
    if written.is_err() {
        // A half line would spoil the next one.
        let _ = file.set_len(length);
    }
    written
}

/// Appends a line to a file of refused sales, and makes the file if there is none.
fn append_refused(path: &Path, line: &str) -> io::Result<()> {
    let mut file = private_file::open_or_create(path)?;
    let mut text = Vec::new();
    (&file).take(OUTBOX_BYTES_MAX).read_to_end(&mut text)?;
    let before = match text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text) {
        [] => REFUSED_HEAD,
        text if !text.starts_with(REFUSED_START) => {
            return Err(io::Error::other("é outro arquivo"));
        }
        // The last line has no end if somebody edited the file so.
        [.., b'\n'] => "",
        _ => "\n",
    };
    append(&mut file, format!("{before}{line}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sale(id: &str) -> Sale {
        let (at, items) = ("30/11/2026 11:45".to_owned(), "2,5kg Tomate; 3 Alface".to_owned());
        Sale { id: id.to_owned(), at, at_micros: Some(7), items, note: None, sent: None }
    }

    #[test]
    fn a_sale_waits_until_it_has_ended_and_is_sent_as_it_was_first_sent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("saida");
        let mut outbox = Outbox::open(&path).unwrap();
        assert!(matches!(Outbox::open(&path), Err(OutboxError::Busy)));
        outbox.keep(sale("a")).unwrap();
        outbox.keep(sale("b")).unwrap();
        outbox.note_sent(&"b".parse().unwrap(), "AdjustStock", vec![1, 2]).unwrap();
        drop(outbox);
        // The power goes while a line is written.
        let mut torn = std::fs::read(&path).unwrap();
        torn.extend(b"{\"sold\":{\"id\":\"c\"");
        std::fs::write(&path, torn).unwrap();
        let mut outbox = Outbox::open(&path).unwrap();
        let sent = Sale { sent: Some(("AdjustStock".to_owned(), vec![1, 2])), ..sale("b") };
        assert_eq!(outbox.waiting(), [sale("a"), sent.clone()]);
        let owed = Sale { note: Some("fiado; Zé".to_owned()), ..sale("a") };
        let apart = folder.path().join("saida.recusadas.csv");
        std::fs::write(&apart, "nome;preco\nUva;8,50").unwrap();
        let refused = outbox.set_apart(&owed, "estoque insuficiente; há 1").unwrap_err().to_string();
        assert!(refused.contains("saida.recusadas.csv: é outro arquivo"), "{refused}");
        assert_eq!(std::fs::read_to_string(&apart).unwrap(), "nome;preco\nUva;8,50");
        assert_eq!(outbox.waiting().len(), 2);
        // A spreadsheet may have saved the file.
        let saved = "\u{feff}quando;venda;motivo;pedido\r\n1;2;3;4";
        std::fs::write(&apart, saved).unwrap();
        append_refused(&apart, "5;6;7;8;9\n").unwrap();
        assert_eq!(std::fs::read_to_string(&apart).unwrap(), format!("{saved}\n5;6;7;8;9\n"));
        std::fs::remove_file(&apart).unwrap();
        assert_eq!(outbox.set_apart(&owed, "estoque insuficiente; há 1").unwrap(), apart);
        let written = "quando;venda;motivo;pedido;observacao\n\
                       30/11/2026 11:45;2,5kg Tomate  3 Alface;estoque insuficiente  há 1;a;fiado  Zé\n";
        assert_eq!(std::fs::read_to_string(apart).unwrap(), written);
        outbox.end("a").unwrap();
        drop(outbox);
        let mut outbox = Outbox::open(&path).unwrap();
        assert_eq!(outbox.waiting(), [sent]);
        outbox.end("b").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"");
    }

    #[test]
    fn another_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["nome;preco\n", "{}\n", "segredo", "{\"a\":1}", "{\"sold\":1}"] {
            let path = folder.path().join("outro");
            std::fs::write(&path, text).unwrap();
            assert!(matches!(Outbox::open(&path), Err(OutboxError::NotOurs(1))), "{text}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        // A power cut may leave a part of the first line.
        for text in ["{", "{\"sold\":{\"id\":\"a\",\"at\""] {
            let path = folder.path().join("saida");
            std::fs::write(&path, text).unwrap();
            assert_eq!(Outbox::open(&path).unwrap().waiting(), []);
        }
    }
}
