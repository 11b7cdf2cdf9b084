//! The place of a server's log.

use std::io;

use tracing_subscriber::fmt::writer::BoxMakeWriter;

/// Standard error, which a service manager keeps too.
pub(crate) fn writer(_is_of_service: bool) -> BoxMakeWriter {
    BoxMakeWriter::new(io::stderr)
}

/// Does nothing: the service manager itself logs that a service starts and stops.
pub(crate) fn note(_: &str) {}
