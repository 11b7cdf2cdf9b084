//! A timer with microseconds. The system's clock ticks every 15.6 ms, and so does Tokio's timer.

use std::io;
use std::time::{Duration, Instant};

/// Time before the end of a wait from which the clock is looked at between the turns of other tasks: longer than a
/// tick of the system's timer.
const LOOKED_AT: Duration = Duration::from_millis(20);

/// A timer of one connection.
pub(crate) struct Timer;

impl Timer {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    pub(crate) async fn sleep_until(&self, when: Instant) -> io::Result<()> {
        let left = when.saturating_duration_since(Instant::now());
        if left > LOOKED_AT {
            tokio::time::sleep(left - LOOKED_AT).await;
        }
        while Instant::now() < when {
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}
