//! A refusal as a gRPC status, and back.

use std::collections::HashMap;

use tonic::Status;
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use crate::catalog::Sentence;
use crate::refusal::{Code, METADATA_KEYS, ROW_COUNT, Refusal, SERVED};

/// `ErrorInfo.domain` (AIP-193).
const ERROR_DOMAIN: &str = "hortifruti";

/// The most bytes of bad rows in a status. The details of a status travel as a header, and clients accept
/// only some kilobytes of headers (grpcio 8, hyper 16).
const ROWS_BYTES_MAX: usize = 3 * 1024;

/// The gRPC code of a refusal. No other place maps refusals to gRPC codes.
fn grpc_code(code: Code) -> tonic::Code {
    match code {
        Code::ProductNotFound | Code::MovementNotFound => tonic::Code::NotFound,
        Code::InsufficientStock | Code::Discontinued | Code::AlreadyUndone => tonic::Code::FailedPrecondition,
        Code::NameTaken | Code::CodeTaken => tonic::Code::AlreadyExists,
        Code::InvalidArgument | Code::RequestIdReused => tonic::Code::InvalidArgument,
        Code::UnknownCommand => tonic::Code::Unimplemented,
        Code::OutOfRange => tonic::Code::OutOfRange,
        Code::Unauthenticated => tonic::Code::Unauthenticated,
        Code::DeadlineExceeded => tonic::Code::DeadlineExceeded,
        Code::ResourceExhausted => tonic::Code::ResourceExhausted,
        Code::Unavailable => tonic::Code::Unavailable,
        Code::OutcomeUnknown => tonic::Code::Unknown,
        Code::Internal => tonic::Code::Internal,
    }
}

/// A refusal as a gRPC status, with `google.rpc.ErrorInfo`, and with
/// `google.rpc.BadRequest` for the rows of a price list.
pub fn status(refusal: Refusal) -> Status {
    let metadata: HashMap<String, String> =
        refusal.metadata.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let mut details = ErrorDetails::with_error_info(refusal.code.as_str(), ERROR_DOMAIN, metadata);
    let mut bytes_left = ROWS_BYTES_MAX;
    let violations: Vec<FieldViolation> = refusal
        .rows
        .into_iter()
        .take_while(|(_, what)| {
            let fits = what.len() <= bytes_left;
            bytes_left = bytes_left.saturating_sub(what.len());
            fits
        })
        .map(|(index, what)| FieldViolation::new(format!("products[{index}]"), what))
        .collect();
    if !violations.is_empty() {
        details.set_bad_request(violations);
    }
    Status::with_error_details(grpc_code(refusal.code), refusal.message, details)
}

/// The code of a refusal that is a status of ours already.
pub fn code(status: &Status) -> Code {
    let info = status.get_details_error_info();
    info.and_then(|info| Code::parse(&info.reason)).unwrap_or(Code::Internal)
}

/// Reads the refusal that a status carries; `None` if no server of ours made the status.
pub fn refusal(status: &Status) -> Option<Refusal> {
    let details = status.get_error_details();
    let info = details.error_info().filter(|info| info.domain == ERROR_DOMAIN)?;
    let mut refusal = Refusal::new(Code::parse(&info.reason)?, Sentence(status.message()).to_string());
    let value = |key: &'static str| Some((key, info.metadata.get(key)?.clone()));
    refusal.metadata = METADATA_KEYS.into_iter().filter_map(value).collect();
    for violation in details.bad_request().iter().flat_map(|bad| &bad.field_violations) {
        let index = violation.field.strip_prefix("products[").and_then(|rest| rest.strip_suffix(']'));
        if let Some(index) = index.and_then(|index| index.parse().ok()) {
            refusal.rows.push((index, Sentence(&violation.description).to_string()));
        }
    }
    let row_count = info.metadata.get(ROW_COUNT).and_then(|count| count.parse().ok());
    refusal.row_count = row_count.unwrap_or(refusal.rows.len());
    Some(refusal)
}

/// If a server of ours that serves no gRPC made the status: whether it serves text.
pub fn has_text_instead(status: &Status) -> Option<bool> {
    let details = status.get_error_details();
    let info = details.error_info().filter(|info| info.domain == ERROR_DOMAIN)?;
    info.metadata.get(SERVED).map(|served| served.contains("text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_crosses_the_wire() {
        let many: Vec<_> = (0..10_000).map(|index| (index, "sem preço".to_owned())).collect();
        let sent = refusal(&super::status(Refusal::bad_rows(many))).unwrap();
        assert!(sent.rows.len() > 100 && sent.rows.len() < 1000);
        assert_eq!(sent.row_count, 10_000);

        let sent = Refusal::bad_rows(vec![(0, "sem preço".into()), (7, "sem nome".into())]);
        let status = status(sent.clone());
        assert_eq!(status.code(), tonic::Code::InvalidArgument);
        let received = refusal(&status).unwrap();
        assert_eq!(received, sent);
        assert_eq!(refusal(&Status::unavailable("proxy")), None);

        let standing_by = Refusal::standing_by(Some("loja2.exemplo:8082"));
        let received = refusal(&super::status(standing_by)).unwrap();
        assert_eq!(received.holder(), Some("loja2.exemplo:8082"));
    }
}
