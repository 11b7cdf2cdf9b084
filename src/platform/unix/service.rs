//! The service manager (systemd), if it started this process.

use std::io;
use std::path::Path;
use std::time::Duration;

use sd_notify::NotifyState;

/// Reports that clients can connect.
pub(crate) fn report_ready() -> io::Result<()> {
    sd_notify::notify(&[NotifyState::Ready])
}

/// Reports that the server stops.
pub(crate) fn report_stopping() -> io::Result<()> {
    sd_notify::notify(&[NotifyState::Stopping])
}

/// Reports that all parts of the server still answer.
pub(crate) fn report_alive() -> io::Result<()> {
    sd_notify::notify(&[NotifyState::Watchdog])
}

/// The time after which the service manager starts a silent server again; `None` if it does not watch.
pub(crate) fn silence_max() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

/// Runs a server for a service manager that starts programs in a way of its own, as Windows does.
///
/// # Errors
/// If the system has none, and none of Unix has: systemd starts the server as any program.
pub(crate) fn run<E>(_: &Path, _: impl FnOnce() -> Result<(), E>) -> io::Result<Result<(), E>> {
    Err(io::ErrorKind::Unsupported.into())
}
