//! The HTTP transport: connections of HTTP/1.1 and of HTTP/2, over which gRPC calls come too. Without the feature
//! `http`, nothing else comes over them, and only those of HTTP/2 are served.
//!
//! ```text
//! http1, http2 ── Requests        a connection: limits, silence, stop
//!                   ├ grpc          a request with gRPC's content type
//!                   └ routes        any other: the panel's files, health, calls of Connect
//!                       └ guard       is it meant for this server, and from no other site?
//! ```

mod connection;
#[cfg(feature = "http")]
mod http1;
mod http2;
mod plain;
mod requests;
#[cfg(feature = "http")]
mod routes;

#[cfg(feature = "http")]
pub(super) use http1::{serve as serve_http1, turn_away as turn_away_http1};
pub(super) use http2::{serve as serve_http2, turn_away as turn_away_http2};
pub(super) use plain::{not_served, tls_only};
