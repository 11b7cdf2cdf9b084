//! Requests and replies as bytes and text, on each wire and in both directions. No I/O.

#[cfg(feature = "http")]
pub mod connect;
pub mod grpc;
#[cfg(feature = "http")]
pub mod json;
pub mod text;

/// An answer that no hortifruti server sends.
#[derive(Debug, thiserror::Error)]
#[error("resposta inválida no protocolo do hortifruti")]
pub struct NotAReply;

/// The first bytes of an HTTP/2 client (RFC 9113 §3.4).
pub const HTTP2_PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The beginnings of requests of HTTP/1 (RFC 9112 §3): a method and a space.
const HTTP1_METHODS: [&[u8]; 9] =
    [b"GET ", b"HEAD ", b"POST ", b"PUT ", b"DELETE ", b"OPTIONS ", b"PATCH ", b"CONNECT ", b"TRACE "];

/// The protocols that share a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// The text protocol.
    Text,
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, over which gRPC goes.
    Http2,
}

impl Protocol {
    /// Recognises the protocol by the first bytes of a connection; `None` if more bytes are needed. No
    /// command of the text protocol begins like a request of HTTP.
    pub fn detect(first_bytes: &[u8]) -> Option<Self> {
        let is = |beginning: &[u8]| first_bytes.starts_with(beginning);
        let may_become = |beginning: &[u8]| beginning.starts_with(first_bytes);
        if is(HTTP2_PREFACE) {
            Some(Protocol::Http2)
        } else if HTTP1_METHODS.into_iter().any(is) {
            Some(Protocol::Http1)
        } else if may_become(HTTP2_PREFACE) || HTTP1_METHODS.into_iter().any(may_become) {
            None
        } else {
            Some(Protocol::Text)
        }
    }
}

/// Whether a connection begins with a TLS handshake. The type of its record (RFC 8446 §5.1) is a control
/// character, with which no command begins.
pub fn is_tls(first_bytes: &[u8]) -> bool {
    first_bytes.first() == Some(&0x16)
}

/// The refusal to speak HTTP/2, in answer to its preface: an empty SETTINGS frame, which HTTP/2 demands, and
/// a GOAWAY (RFC 9113 §6.8) with the reason as its debug data. The same reason always gives the same bytes,
/// so that our own client recognises them.
pub fn goaway(reason: &str) -> Vec<u8> {
    let reason = reason.as_bytes();
    let mut answer = vec![0, 0, 0, 0x4, 0, 0, 0, 0, 0];
    // Length (24 bits), type GOAWAY, no flags, stream 0, last stream 0, REFUSED_STREAM.
    answer.extend_from_slice(&(reason.len() as u32 + 8).to_be_bytes()[1..]);
    answer.extend_from_slice(&[0x7, 0, 0, 0, 0, 0]);
    answer.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0x7]);
    answer.extend_from_slice(reason);
    answer
}

#[cfg(test)]
mod tests {
    use super::{HTTP2_PREFACE, Protocol};

    #[test]
    fn the_first_bytes_decide() {
        for length in 0..HTTP2_PREFACE.len() {
            assert_eq!(Protocol::detect(&HTTP2_PREFACE[..length]), None);
        }
        let mut more = HTTP2_PREFACE.to_vec();
        more.extend_from_slice(b"\0\0\0");
        assert_eq!(Protocol::detect(&more), Some(Protocol::Http2));
        for request in ["GET / HTTP/1.1\r\n", "POST /x", "OPTIONS *", "TRACE "] {
            let method = request.find(' ').unwrap();
            for length in 0..=method {
                assert_eq!(Protocol::detect(&request.as_bytes()[..length]), None, "{request}");
            }
            assert_eq!(Protocol::detect(request.as_bytes()), Some(Protocol::Http1), "{request}");
        }
        for text in ["4", "1 Maca\n", "PRI x", "get / HTTP/1.1\r\n", "GETS /", "\n", "PRI * HTTP/2.1"] {
            assert_eq!(Protocol::detect(text.as_bytes()), Some(Protocol::Text), "{text}");
        }
    }
}
