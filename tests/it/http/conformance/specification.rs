//! Cases from the specification of the protocol that the suite does not have.

use super::{
    BYTES_MAX, Case, GZIP, JSON, JSON_STREAM, PROTO, SOON, STREAM, STREAM_GZIP, VERSION, Want, call, change,
    flagged, get_product, gzip, padded, sent,
};
use crate::support::web::{envelope, path};

/// Bytes in two gzip members.
fn in_members(bytes: &[u8]) -> Vec<u8> {
    let (first, rest) = bytes.split_at(bytes.len() / 2);
    [gzip(first), gzip(rest)].concat()
}

pub(super) fn cases() -> Vec<Case> {
    let get = "GetProduct";
    let (watch, changes) = ("WatchMovements", "StreamAdjustStock");
    let json = br#"{"name":"Caju"}"#;
    let wrong = Want::Error(400, "invalid_argument");
    let wrong_stream = Want::Stream(0, "invalid_argument");
    let method = |method: &str| path(get).replace("POST", method);
    let watched = envelope(b"{}");
    [
        // Methods and content types.
        ("GET", sent(method("GET"), &[], b""), Want::Http(405)),
        ("PUT", sent(method("PUT"), &[JSON, VERSION], json), Want::Http(405)),
        ("PATCH", sent(method("PATCH"), &[JSON, VERSION], json), Want::Http(405)),
        ("an unknown method", call("GetFruit", &[JSON, VERSION], b"{}"), Want::Error(501, "unimplemented")),
        ("a stream's type for one message", call(get, &[JSON_STREAM], envelope(json)), Want::Http(415)),
        ("the type of one message for a stream", call(watch, &[JSON], b"{}"), Want::Http(415)),
        ("gRPC-Web", call(get, &[("Content-Type", "application/grpc-web+proto")], b""), Want::Http(415)),
        (
            "a character set",
            call(get, &[("Content-Type", "application/json; charset=utf-8")], json),
            Want::Message,
        ),
        (
            "a type in capitals",
            call(get, &[("Content-Type", "Application/PROTO")], get_product()),
            Want::Message,
        ),
        // The version.
        ("no version", call(get, &[PROTO], get_product()), Want::Message),
        (
            "names of fields in any case",
            call(get, &[("CONTENT-type", "application/json"), ("cOnNeCt-protocol-VERSION", "1")], json),
            Want::Message,
        ),
        ("another version", call(get, &[JSON, ("Connect-Protocol-Version", "2")], json), wrong),
        ("an empty version", call(get, &[JSON, ("Connect-Protocol-Version", "")], json), wrong),
        ("two versions", call(get, &[JSON, VERSION, VERSION], json), wrong),
        ("a version that is no ASCII", call(get, &[JSON, ("Connect-Protocol-Version", "１")], json), wrong),
        (
            "another version of a stream",
            call(watch, &[JSON_STREAM, ("Connect-Protocol-Version", "2")], watched.clone()),
            wrong_stream,
        ),
        // Metadata that means nothing to the server.
        ("metadata in Unicode", call(get, &[JSON, ("X-Loja", "São João")], json), Want::Message),
        ("binary metadata", call(get, &[JSON, ("X-Loja-Bin", "AAECAw")], json), Want::Message),
        // Timeouts.
        (
            "the longest timeout",
            call(get, &[JSON, ("Connect-Timeout-Ms", "9999999999")], json),
            Want::Message,
        ),
        ("leading zeros", call(get, &[JSON, ("Connect-Timeout-Ms", "0000060000")], json), Want::Message),
        (
            "no time",
            call(get, &[JSON, ("Connect-Timeout-Ms", "0")], json),
            Want::Error(504, "deadline_exceeded"),
        ),
        ("too many digits", call(get, &[JSON, ("Connect-Timeout-Ms", "10000000000")], json), wrong),
        ("a unit", call(get, &[JSON, ("Connect-Timeout-Ms", "200m")], json), wrong),
        ("a sign", call(get, &[JSON, ("Connect-Timeout-Ms", "+200")], json), wrong),
        ("less than nothing", call(get, &[JSON, ("Connect-Timeout-Ms", "-1")], json), wrong),
        ("a fraction", call(get, &[JSON, ("Connect-Timeout-Ms", "1.5")], json), wrong),
        ("an empty timeout", call(get, &[JSON, ("Connect-Timeout-Ms", "")], json), wrong),
        ("two timeouts", call(get, &[JSON, SOON, ("Connect-Timeout-Ms", "300")], json), wrong),
        (
            "a wrong timeout of a stream",
            call(watch, &[JSON_STREAM, ("Connect-Timeout-Ms", "x")], watched.clone()),
            wrong_stream,
        ),
        // Compression.
        ("identity", call(get, &[JSON, ("Content-Encoding", "identity")], json), Want::Message),
        ("gzip", call(get, &[PROTO, GZIP], gzip(&get_product())), Want::Message),
        ("gzip that is none", call(get, &[PROTO, GZIP], get_product()), wrong),
        ("gzip that is cut", call(get, &[PROTO, GZIP], &gzip(&get_product())[..20]), wrong),
        ("gzip of two members", call(get, &[PROTO, GZIP], in_members(&get_product())), Want::Message),
        (
            "bytes behind gzip",
            call(get, &[PROTO, GZIP], [&gzip(&get_product())[..], b"lixo"].concat()),
            wrong,
        ),
        (
            "half a second member",
            call(get, &[PROTO, GZIP], [&gzip(&get_product())[..], &gzip(b"")[..9]].concat()),
            wrong,
        ),
        ("JSON with bytes behind gzip", call(get, &[JSON, GZIP], [&gzip(json)[..], b"\0"].concat()), wrong),
        (
            "a stream with bytes behind gzip",
            call(
                changes,
                &[STREAM, STREAM_GZIP],
                [envelope(&change(0)), flagged(1, &[&gzip(&change(1000))[..], b"lixo"].concat())].concat(),
            ),
            Want::Stream(1, "invalid_argument"),
        ),
        (
            "a stream with two members",
            call(changes, &[STREAM, STREAM_GZIP], flagged(1, &in_members(&change(0)))),
            Want::Stream(1, ""),
        ),
        ("nothing, compressed", call("GetStatus", &[PROTO, GZIP], b""), Want::Message),
        (
            "gzip that grows too large",
            call(get, &[PROTO, GZIP], gzip(&padded(get_product(), BYTES_MAX + 1))),
            Want::Error(429, "resource_exhausted"),
        ),
        (
            "two encodings",
            call(get, &[PROTO, ("Content-Encoding", "gzip, gzip")], gzip(&gzip(&get_product()))),
            Want::Error(501, "unimplemented"),
        ),
        (
            "a stream with gzip",
            call(
                changes,
                &[STREAM, STREAM_GZIP],
                [flagged(1, &gzip(&change(1000))), envelope(&change(-1000))].concat(),
            ),
            Want::Stream(2, ""),
        ),
        (
            "a stream's empty message, compressed",
            call(watch, &[STREAM, STREAM_GZIP, SOON], flagged(1, b"")),
            Want::Stream(0, "deadline_exceeded"),
        ),
        (
            "a stream's unknown compression",
            call(watch, &[JSON_STREAM, ("Connect-Content-Encoding", "br")], watched.clone()),
            Want::Stream(0, "unimplemented"),
        ),
        // Accepted by the client, and not needed.
        (
            "answers may be compressed",
            call(get, &[JSON, ("Accept-Encoding", "gzip, br, zstd")], json),
            Want::Message,
        ),
        // One message.
        ("no JSON", call(get, &[JSON], b""), wrong),
        ("two values of JSON", call(get, &[JSON], br#"{"name":"Caju"}{"name":"Caju"}"#), wrong),
        ("space around JSON", call(get, &[JSON], b"\r\n\t {\"name\":\"Caju\"} \n"), Want::Message),
        ("a mark of the byte order", call(get, &[JSON], "\u{feff}{\"name\":\"Caju\"}".as_bytes()), wrong),
        (
            "JSON as long as may be",
            call(get, &[JSON], format!("{:1$}", r#"{"name":"Caju"}"#, 2 * BYTES_MAX)),
            Want::Message,
        ),
        (
            "JSON that is longer",
            call(get, &[JSON], format!("{:1$}", r#"{"name":"Caju"}"#, 2 * BYTES_MAX + 1)),
            Want::Error(429, "resource_exhausted"),
        ),
        ("an unknown field of protobuf", call(get, &[PROTO], padded(get_product(), 100)), Want::Message),
        ("bytes behind protobuf", call(get, &[PROTO], [&get_product()[..], b"\xff\xff"].concat()), wrong),
        ("protobuf with a prefix", call(get, &[PROTO], envelope(&get_product())), wrong),
        ("protobuf that is cut", call(get, &[PROTO], &get_product()[..4]), wrong),
        // Messages of streams.
        ("an unknown flag", call(watch, &[JSON_STREAM, SOON], flagged(4, b"{}")), wrong_stream),
        ("every flag", call(watch, &[JSON_STREAM, SOON], flagged(0xff, b"{}")), wrong_stream),
        (
            "the end of a stream from a client",
            call(watch, &[JSON_STREAM, SOON], flagged(2, b"{}")),
            wrong_stream,
        ),
        (
            "the end of a stream behind a message",
            call(changes, &[JSON_STREAM], [watched.clone(), flagged(2, b"{}")].concat()),
            Want::Stream(1, "invalid_argument"),
        ),
        ("half a prefix", call(watch, &[JSON_STREAM, SOON], b"\0\0"), wrong_stream),
        ("half a message", call(watch, &[JSON_STREAM, SOON], &watched[..6]), wrong_stream),
        (
            "half a second message",
            call(changes, &[STREAM], [&envelope(&change(0))[..], b"\0\0"].concat()),
            Want::Stream(1, "invalid_argument"),
        ),
        (
            "a message of four gigabytes",
            call(watch, &[JSON_STREAM, SOON], b"\0\xff\xff\xff\xff"),
            Want::Stream(0, "resource_exhausted"),
        ),
        ("a message without a prefix", call(watch, &[JSON_STREAM, SOON], b"{}"), wrong_stream),
    ]
    .map(|(name, sent, want)| Case(name, sent, want))
    .into()
}
