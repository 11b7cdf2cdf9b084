//! The service manager of the system, if it started this server: the server reports that it is ready
//! and that it stops, and shows from time to time that all its parts still answer.

use std::io;

use crate::platform::service;

/// Reports that clients can connect.
pub(super) fn report_ready() {
    note(service::report_ready());
}

/// Reports that the server stops, and that no watchdog is to expect anything more.
pub(super) fn report_stopping() {
    note(service::report_stopping());
}

/// Shows the watchdog of the service manager, if there is one, each time that all parts of the server have
/// answered. If one of them does not answer, nothing is shown, and the service manager starts the server again.
pub(super) async fn satisfy_watchdog(all_answer: impl AsyncFn()) {
    let Some(limit) = service::silence_max() else { return std::future::pending().await };
    loop {
        all_answer().await;
        note(service::report_alive());
        // Half of the limit, as systemd advises.
        tokio::time::sleep(limit / 2).await;
    }
}

/// Logs that a state could not be sent. Nothing depends on whether it is received.
fn note(sent: io::Result<()>) {
    if let Err(error) = sent {
        tracing::warn!(%error, "the service manager could not be reached");
    }
}
