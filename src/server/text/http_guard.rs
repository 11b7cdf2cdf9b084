//! Recognises HTTP, because a web page can make a browser send any lines to any port.

use crate::refusal::{Code, Refusal};

/// Whether a connection begins as an HTTP/1 request: a method in capitals, a space, a slash. The rest of the
/// line is not checked, because the line may be too long.
pub(super) fn begins_as_http(first_bytes: &[u8]) -> bool {
    let method = first_bytes.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    method > 0 && first_bytes[method..].starts_with(b" /")
}

/// Whether a line is the first of an HTTP/1 request.
pub(super) fn is_http(line: &str) -> bool {
    line.rsplit_once(' ').is_some_and(|(_, version)| version.starts_with("HTTP/"))
}

pub(super) fn not_over_http() -> Refusal {
    Refusal::new(
        Code::UnknownCommand,
        "nesta conexão veio um pedido HTTP, e depois dele nada mais se muda por ela. Nada foi alterado; \
         abra outra conexão e envie só comandos.",
    )
}
