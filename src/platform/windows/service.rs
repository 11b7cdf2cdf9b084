//! The service manager, to which nothing is reported.

use std::io;
use std::time::Duration;

pub(crate) fn report_ready() -> io::Result<()> {
    Ok(())
}

pub(crate) fn report_stopping() -> io::Result<()> {
    Ok(())
}

pub(crate) fn report_alive() -> io::Result<()> {
    Ok(())
}

/// The time after which the service manager starts a silent server again: it does not watch.
pub(crate) fn silence_max() -> Option<Duration> {
    None
}
