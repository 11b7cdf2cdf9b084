//! The Connect protocol: gRPC's calls and statuses as plain HTTP has them. No I/O.
//!
//! A unary call is one POST with its message as the body; a stream is a body of messages, each after five
//! bytes as in gRPC, which ends with a message of its own that has the status.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use prost::Message as _;
use serde_json::{Map, Value, json};
use tonic::{Code, Status};
use tonic_types::pb;

use crate::refusal::Refusal;

/// The header fields of the protocol.
pub const VERSION: &str = "connect-protocol-version";
/// The time in which the client wants its answer, in milliseconds.
pub const TIMEOUT: &str = "connect-timeout-ms";
/// The compression of a stream's messages.
pub const STREAM_ENCODING: &str = "connect-content-encoding";

/// The only version of the protocol.
const VERSION_KNOWN: &str = "1";

/// The most digits of a timeout.
const TIMEOUT_MS_DIGITS_MAX: usize = 10;

/// The flag of the message that ends a stream.
const END_FLAG: u8 = 2;

/// How the messages of a call are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// JSON, in the canonical mapping of proto3.
    Json,
    /// The bytes of protobuf.
    Proto,
}

/// The kind of a call, by the content type of its request, which its answer has too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// How messages are written.
    pub codec: Codec,
    /// Whether the bodies are streams of messages.
    pub is_stream: bool,
}

impl Kind {
    const ALL: [(&str, Self); 4] = [
        ("application/json", Self { codec: Codec::Json, is_stream: false }),
        ("application/proto", Self { codec: Codec::Proto, is_stream: false }),
        ("application/connect+json", Self { codec: Codec::Json, is_stream: true }),
        ("application/connect+proto", Self { codec: Codec::Proto, is_stream: true }),
    ];

    /// The kind with this content type. Parameters, such as the character set, say nothing new.
    pub fn of(content_type: &str) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        Self::ALL.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(essence)).map(|(_, kind)| kind)
    }

    /// The content type.
    pub fn content_type(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, kind)| *kind == self).map_or("", |(known, _)| known)
    }
}

/// Checks the version that a client names.
///
/// # Errors
/// If it is another than 1 (`INVALID_ARGUMENT`).
pub fn check_version(version: &str) -> Result<(), Refusal> {
    if version == VERSION_KNOWN {
        return Ok(());
    }
    Err(Refusal::invalid(VERSION, "versão desconhecida do protocolo Connect: este servidor conhece a 1"))
}

/// Reads the time in which a client wants its answer.
///
/// # Errors
/// If the text is no number of at most ten digits (`INVALID_ARGUMENT`).
pub fn parse_timeout(text: &str) -> Result<Duration, Refusal> {
    let is_number =
        (1..=TIMEOUT_MS_DIGITS_MAX).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit());
    let milliseconds = is_number.then(|| text.parse().ok()).flatten();
    let wrong = || Refusal::invalid(TIMEOUT, "prazo inválido: use de 1 a 10 algarismos, em milissegundos");
    milliseconds.map(Duration::from_millis).ok_or_else(wrong)
}

/// The word of a code, and the HTTP status of a unary call that ends with it.
fn word(code: Code) -> (&'static str, u16) {
    match code {
        // No error has this code.
        Code::Ok => ("unknown", 500),
        Code::Cancelled => ("canceled", 499),
        Code::Unknown => ("unknown", 500),
        Code::InvalidArgument => ("invalid_argument", 400),
        Code::DeadlineExceeded => ("deadline_exceeded", 504),
        Code::NotFound => ("not_found", 404),
        Code::AlreadyExists => ("already_exists", 409),
        Code::PermissionDenied => ("permission_denied", 403),
        Code::ResourceExhausted => ("resource_exhausted", 429),
        Code::FailedPrecondition => ("failed_precondition", 400),
        Code::Aborted => ("aborted", 409),
        Code::OutOfRange => ("out_of_range", 400),
        Code::Unimplemented => ("unimplemented", 501),
        Code::Internal => ("internal", 500),
        Code::Unavailable => ("unavailable", 503),
        Code::DataLoss => ("data_loss", 500),
        Code::Unauthenticated => ("unauthenticated", 401),
    }
}

/// The HTTP status of a unary call that ends with this status.
pub fn http_status(status: &Status) -> u16 {
    word(status.code()).1
}

/// The body of a unary call that ends with this status.
pub fn error_body(status: &Status) -> Vec<u8> {
    error(status).to_string().into_bytes()
}

/// The last message of a stream, with its prefix.
pub fn stream_end(status: &Status) -> Vec<u8> {
    let end = if status.code() == Code::Ok { json!({}) } else { json!({ "error": error(status) }) };
    let end = end.to_string();
    let length = u32::try_from(end.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&[END_FLAG], &length[..], end.as_bytes()].concat()
}

fn error(status: &Status) -> Value {
    let details = pb::Status::decode(status.details()).map(|status| status.details).unwrap_or_default();
    let details: Vec<Value> = details.iter().map(detail).collect();
    json!({ "code": word(status.code()).0, "message": status.message(), "details": details })
}

/// A detail, as bytes for programs that know its type, and readable for those that do not.
fn detail(any: &prost_types::Any) -> Value {
    let name = any.type_url.rsplit('/').next().unwrap_or_default();
    let mut detail = Map::new();
    detail.insert("type".to_owned(), name.into());
    detail.insert("value".to_owned(), STANDARD_NO_PAD.encode(&any.value).into());
    let readable = match name {
        "google.rpc.ErrorInfo" => pb::ErrorInfo::decode(&any.value[..])
            .ok()
            .map(|info| json!({ "reason": info.reason, "domain": info.domain, "metadata": info.metadata })),
        "google.rpc.BadRequest" => pb::BadRequest::decode(&any.value[..]).ok().map(|bad| {
            let violations = bad.field_violations.into_iter();
            let violations =
                violations.map(|row| json!({ "field": row.field, "description": row.description }));
            json!({ "fieldViolations": violations.collect::<Vec<_>>() })
        }),
        _ => None,
    };
    detail.extend(readable.map(|readable| ("debug".to_owned(), readable)));
    detail.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::grpc::status;

    #[test]
    fn a_content_type_names_the_codec_and_a_stream() {
        let json = Kind { codec: Codec::Json, is_stream: false };
        assert_eq!(Kind::of("application/json"), Some(json));
        assert_eq!(Kind::of("Application/JSON; charset=utf-8"), Some(json));
        for (content_type, kind) in Kind::ALL {
            assert_eq!(kind.content_type(), content_type);
        }
        for other in ["", "text/plain", "application/octet-stream", "application/grpc", "application/connect"]
        {
            assert_eq!(Kind::of(other), None, "{other}");
        }
    }

    #[test]
    fn a_timeout_is_a_number_of_milliseconds() {
        assert_eq!(parse_timeout("0").unwrap(), Duration::ZERO);
        assert_eq!(parse_timeout("9999999999").unwrap().as_secs(), 9_999_999);
        for text in ["", "-1", "+1", "1.5", "10000000000", "1s", " 1"] {
            assert!(parse_timeout(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_error_says_for_programs_and_people_what_it_is() {
        let refusal = Refusal {
            metadata: vec![("field", "name".to_owned())],
            ..Refusal::bad_rows(vec![(7, "sem nome".into())])
        };
        let status = status(refusal);
        assert_eq!(http_status(&status), 400);
        let error: Value = serde_json::from_slice(&error_body(&status)).unwrap();
        assert_eq!(error["code"], "invalid_argument");
        assert_eq!(error["message"], status.message());
        let details = error["details"].as_array().unwrap();
        assert_eq!(details[0]["type"], "google.rpc.ErrorInfo");
        assert_eq!(details[0]["debug"]["reason"], "INVALID_ARGUMENT");
        assert_eq!(details[0]["debug"]["metadata"]["field"], "name");
        let value = STANDARD_NO_PAD.decode(details[0]["value"].as_str().unwrap()).unwrap();
        assert_eq!(pb::ErrorInfo::decode(&value[..]).unwrap().domain, "hortifruti");
        assert_eq!(details[1]["debug"]["fieldViolations"][0]["field"], "products[7]");
        assert_eq!(stream_end(&Status::ok("")), b"\x02\0\0\0\x02{}");
        assert!(stream_end(&status).starts_with(b"\x02\0\0"));
    }
}
