//! The HTTP transport: connections of HTTP/1.1 and of HTTP/2, over which gRPC calls come too.
//!
//! ```text
//! http1, http2 ── Requests        a connection: limits, silence, stop
//!                   ├ grpc          a request with gRPC's content type
//!                   └ guard         any other: is it meant for this server, and from no other site?
//!                       └ routes      the panel's files, health, calls of Connect
//! ```

mod assets;
mod connect;
mod connection;
mod guard;
mod health;
mod http1;
mod http2;
mod invoice;
mod plain;
mod price_list;
mod report;
mod requests;
mod routes;
mod token;

pub(super) use http1::{not_served, serve as serve_http1, tls_only, turn_away as turn_away_http1};
pub(super) use http2::{serve as serve_http2, turn_away as turn_away_http2};
