//! The service manager of the system (systemd), if it started this server: the server reports that it is ready
//! and that it stops, and shows from time to time that all its parts still answer.

use sd_notify::NotifyState;

/// Reports that clients can connect.
pub(super) fn report_ready() {
    report(NotifyState::Ready);
}

/// Reports that the server stops, and that no watchdog is to expect anything more.
pub(super) fn report_stopping() {
    report(NotifyState::Stopping);
}

/// Shows the watchdog of the service manager, if there is one, each time that all parts of the server have
/// answered. If one of them does not answer, nothing is shown, and the service manager starts the server again.
pub(super) async fn satisfy_watchdog(all_answer: impl AsyncFn()) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return std::future::pending().await };
    loop {
        all_answer().await;
        report(NotifyState::Watchdog);
        // Half of the limit, as systemd advises.
        tokio::time::sleep(limit / 2).await;
    }
}

/// Sends a state, if there is a service manager. Nothing depends on whether it is received.
fn report(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "the service manager could not be reached");
    }
}
