//! The cases of the suite, each with its name there.

use super::{
    BYTES_MAX, Case, JSON, JSON_STREAM, PROTO, SOON, STREAM, VERSION, Want, call, change, flagged,
    get_product, open, padded, sent,
};
use crate::support::web::{envelope, path};

pub(super) fn cases() -> Vec<Case> {
    let get = "GetProduct";
    let (watch, changes) = ("WatchMovements", "StreamAdjustStock");
    let empty = envelope(b"");
    let (more, less) = (envelope(&change(1000)), envelope(&change(-1000)));
    let large = |message, more| padded(message, BYTES_MAX + more);
    let large_changes = |first, second| {
        [envelope(&large(change(1000), first)), envelope(&large(change(-1000), second))].concat()
    };
    let test = ("X-Conformance-Test", "Value1");
    let again = ("X-Conformance-Test", "Value2");
    let unknown = "POST /connectrpc.conformance.v1.UnknownService/UnknownMethod";
    let delete = path(get).replace("POST", "DELETE");
    [
        // connect_server_unexpected.yaml
        ("server-stream/no-request", call(watch, &[STREAM, VERSION], b""), Want::Stream(0, "unimplemented")),
        (
            "server-stream/multiple-requests",
            call(watch, &[STREAM, VERSION], [&empty[..], &empty].concat()),
            Want::Stream(0, "unimplemented"),
        ),
        ("unexpected-verb", sent(delete, &[PROTO, VERSION], get_product()), Want::Http(405)),
        ("unexpected-uri", sent(unknown, &[PROTO, VERSION], b""), Want::Http(404)),
        (
            "unexpected-codec",
            call(get, &[("Content-Type", "application/foo"), VERSION], get_product()),
            Want::Http(415),
        ),
        (
            "unexpected-compression",
            call(get, &[PROTO, VERSION, ("Content-Encoding", "foo")], get_product()),
            Want::Error(501, "unimplemented"),
        ),
        (
            // The suite wants `internal`, which in our contract (docs/text-protocol.md) is a defect of the
            // server and nothing that a client can bring about.
            "unexpected-compressed-message",
            call(watch, &[STREAM, VERSION, ("Connect-Content-Encoding", "identity")], flagged(1, b"")),
            Want::Stream(0, "invalid_argument"),
        ),
        // server_unexpected.yaml
        (
            "unexpected-content-type",
            call(get, &[("Content-Type", "image/jpeg")], b"12345678"),
            Want::Http(415),
        ),
        // server_message_size.yaml
        (
            "unary/request-equal-to-server-limit",
            call(get, &[PROTO, VERSION], large(get_product(), 0)),
            Want::Message,
        ),
        (
            "unary/request-exceeds-server-limit",
            call(get, &[PROTO, VERSION], large(get_product(), 10)),
            Want::Error(429, "resource_exhausted"),
        ),
        (
            "server-stream/request-equal-to-server-limit",
            call(watch, &[STREAM, VERSION, SOON], envelope(&large(vec![], 0))),
            Want::Stream(0, "deadline_exceeded"),
        ),
        (
            "server-stream/request-exceeds-server-limit",
            call(watch, &[STREAM, VERSION, SOON], envelope(&large(vec![], 10))),
            Want::Stream(0, "resource_exhausted"),
        ),
        (
            "bidi-stream/half-duplex/all-requests-equal-to-server-limit",
            call(changes, &[STREAM, VERSION], large_changes(0, 0)),
            Want::Stream(2, ""),
        ),
        (
            "bidi-stream/half-duplex/first-request-exceeds-server-limit",
            call(changes, &[STREAM, VERSION], large_changes(10, 0)),
            Want::Stream(0, "resource_exhausted"),
        ),
        (
            "bidi-stream/half-duplex/subsequent-request-exceeds-server-limit",
            call(changes, &[STREAM, VERSION], large_changes(0, 10)),
            Want::Stream(1, "resource_exhausted"),
        ),
        // server_empty.yaml
        ("unary/empty-request", call("GetStatus", &[PROTO, VERSION, test, again], b""), Want::Message),
        (
            "server-stream/empty-request",
            call(watch, &[STREAM, VERSION, SOON, test, again], empty.clone()),
            Want::Stream(0, "deadline_exceeded"),
        ),
        (
            "bidi-stream/half-duplex/empty-request",
            call(changes, &[STREAM, VERSION, test, again], empty.clone()),
            Want::Stream(1, ""),
        ),
        // timeouts.yaml. No call of ours is slow, so the client is.
        (
            "timeouts: unary",
            open(get, &[PROTO, VERSION, SOON], get_product()),
            Want::Error(504, "deadline_exceeded"),
        ),
        (
            "timeouts: server-stream",
            call(watch, &[JSON_STREAM, VERSION, SOON], envelope(b"{}")),
            Want::Stream(0, "deadline_exceeded"),
        ),
        (
            "timeouts: bidi-stream",
            open(changes, &[STREAM, VERSION, SOON], b""),
            Want::Stream(0, "deadline_exceeded"),
        ),
        // basic.yaml, errors.yaml
        ("basic: unary", call(get, &[PROTO, VERSION], get_product()), Want::Message),
        ("basic: unary with JSON", call(get, &[JSON, VERSION], br#"{"name":"Caju"}"#), Want::Message),
        (
            "basic: server-stream",
            call(
                watch,
                &[JSON_STREAM, VERSION, SOON],
                envelope(br#"{"afterSequence":"1","productName":"Pera"}"#),
            ),
            Want::Stream(2, "deadline_exceeded"),
        ),
        ("basic: bidi-stream", call(changes, &[STREAM, VERSION], [more, less].concat()), Want::Stream(2, "")),
        ("errors: unary", call(get, &[JSON, VERSION], br#"{"name":"Kiwi"}"#), Want::Error(404, "not_found")),
        (
            "errors: server-stream",
            call(watch, &[JSON_STREAM, VERSION], envelope(br#"{"productName":"Kiwi"}"#)),
            Want::Stream(0, "not_found"),
        ),
    ]
    .map(|(name, sent, want)| Case(name, sent, want))
    .into()
}
