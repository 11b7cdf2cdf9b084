//! Lines of the text protocol, read as requests and written from them.

use std::fmt;

use super::frames::{Frame, LINE_BYTES_MAX};
use crate::catalog::Name;
use crate::operation::{AdjustRequest, Request, split_word};
use crate::refusal::{Code, Refusal};

/// The word before a secret: `token SECRET`, with which a client authenticates.
const TOKEN: &str = "token";

/// The text that logs show instead of a line with a secret.
const TOKEN_SHOWN: &str = "token …";

/// Writes the command with which a client authenticates, with its line end.
pub fn write_token(secret: &str) -> String {
    format!("{TOKEN} {secret}\n")
}

/// Whether a line begins like one with a secret, because a mistyped line may hold a secret too.
fn has_token(line: &str) -> bool {
    let line = line.trim_start_matches([' ', '\t']);
    line.get(..TOKEN.len()).is_some_and(|word| word.eq_ignore_ascii_case(TOKEN))
}

impl<'a> Frame<'a> {
    /// Reads the request of the line.
    ///
    /// # Errors
    /// If the frame is no valid request.
    pub fn request(&self) -> Result<Request<'a>, Refusal> {
        match self {
            Frame::Line(line) => Request::parse(unmarked(line)),
            Frame::NotUtf8 => Err(Refusal::invalid("command", "a linha não é UTF-8")),
            Frame::TooLong => Err(Refusal::new(
                Code::ResourceExhausted,
                format!(
                    "a linha tem mais de {LINE_BYTES_MAX} bytes. Nada foi feito; envie uma linha mais curta."
                ),
            )),
            Frame::Cut => Err(Refusal::new(
                Code::UnknownCommand,
                "a conexão terminou no meio de uma linha. A linha não foi executada; envie-a de novo.",
            )),
        }
    }

    /// The secret, if the line is the command with which a client authenticates.
    pub fn token(&self) -> Option<&'a str> {
        let Frame::Line(line) = self else { return None };
        let (word, secret) = split_word(unmarked(line));
        word.eq_ignore_ascii_case(TOKEN).then(|| secret.trim_matches([' ', '\t']))
    }
}

impl fmt::Display for Frame<'_> {
    /// Writes the line, or a description if the line has a secret or is no text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Frame::Line(line) if has_token(unmarked(line)) => TOKEN_SHOWN,
            Frame::Line(line) => line,
            Frame::NotUtf8 => "(linha que não é UTF-8)",
            Frame::TooLong => "(linha longa demais)",
            Frame::Cut => "(linha incompleta)",
        })
    }
}

/// The line without the byte order mark that some programs put before the first one.
fn unmarked(line: &str) -> &str {
    line.strip_prefix('\u{FEFF}').unwrap_or(line)
}

/// Writes a request as a line, with its line end.
///
/// # Errors
/// If the name is invalid, because it might contain a line end and so a second command, or if the request has
/// no form in this protocol (`UNAVAILABLE`).
pub fn write_request(request: &Request<'_>) -> Result<String, Refusal> {
    match request {
        Request::GetProduct { name } | Request::AdjustStock(AdjustRequest { name, .. }) => {
            if let Request::AdjustStock(AdjustRequest { details: Some(details), .. }) = request
                && (details.note.is_some() || details.purchase.is_some())
            {
                return Err(only_by_grpc("uma mudança com observação, fornecedor, lote ou validade"));
            }
            Name::parse(name).map_err(|error| Refusal::name(&error))?;
        }
        Request::BatchAdjustStock(_) | Request::ImportProducts(_) => {
            return Err(only_by_grpc("uma lista de produtos"));
        }
        Request::CountStock(count) => match count.single() {
            Some(count) => drop(Name::parse(count.name).map_err(|error| Refusal::name(&error))?),
            None => return Err(only_by_grpc("uma contagem de vários produtos ou com observação")),
        },
        Request::UndoMovement(undo) if undo.is_single => {
            return Err(only_by_grpc("o pedido de desfazer só um movimento de um documento"));
        }
        Request::UndoMovement(undo) if undo.note.is_some() => {
            return Err(only_by_grpc("o pedido de desfazer com observação"));
        }
        Request::ListMovements(request) => {
            let is_of_period = request.since.is_some() || request.until.is_some();
            if request.kind.is_some() || request.author.is_some() || is_of_period {
                return Err(only_by_grpc("um histórico só de um motivo, de um autor ou de um período"));
            }
            if let Some(name) = request.name {
                Name::parse(name).map_err(|error| Refusal::name(&error))?;
            }
        }
        Request::WatchMovements(request) => {
            if let Some(name) = request.name {
                Name::parse(name).map_err(|error| Refusal::name(&error))?;
            }
        }
        Request::SummarizeMovements(_)
        | Request::ListLowStock(_)
        | Request::ListExpiringStock(_)
        | Request::TracePurchases(_) => return Err(only_by_grpc("um relatório")),
        Request::GetStatus => return Err(only_by_grpc("o estado do servidor")),
        Request::UpdateProduct(_)
        | Request::MergeProducts(_)
        | Request::UndoImport(_)
        | Request::ClearExamples { .. }
        | Request::ListProductChanges(_) => return Err(only_by_grpc("o cadastro de produtos")),
        Request::ListProducts(products) if products.has_discontinued => {
            return Err(only_by_grpc("a lista com os produtos aposentados"));
        }
        Request::ListProducts(products) if products.is_filtered() => {
            return Err(only_by_grpc("uma busca de produtos"));
        }
        Request::ListProducts(_) | Request::UndoMovement(_) | Request::Leave => {}
    }
    Ok(format!("{request}\n"))
}

fn only_by_grpc(what: &str) -> Refusal {
    let what = format!(
        "{what} exige gRPC, e este servidor atende só texto. Nada foi alterado; inicie o servidor também \
         com --grpc."
    );
    Refusal::new(Code::Unavailable, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_and_not_shown() {
        for (line, secret) in [
            ("token abc", Some("abc")),
            (" TOKEN\tabc ", Some("abc")),
            ("token", Some("")),
            ("token:abc", None),
            ("tokenabc", None),
        ] {
            let frame = Frame::Line(line);
            assert_eq!((frame.token(), &*frame.to_string()), (secret, "token …"), "{line}");
        }
        for line in ["1 token", "4", "toke", "ação"] {
            let frame = Frame::Line(line);
            assert_eq!((frame.token(), &*frame.to_string()), (None, line));
        }
    }
}
