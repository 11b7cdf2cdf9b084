//! The time that a connection may be silent.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// A timer that is ready when a connection has been silent for too long. The timer is set again only when it
/// fires, so that an arriving byte costs no more than reading the clock.
pub(super) struct IdleTimer {
    limit: Option<Duration>,
    since: Instant,
    timer: Pin<Box<Sleep>>,
}

impl IdleTimer {
    pub(super) fn new(limit: Option<Duration>) -> Self {
        let timer = Box::pin(tokio::time::sleep(limit.unwrap_or_default()));
        Self { limit, since: Instant::now(), timer }
    }

    /// Notes that the connection is not silent now.
    pub(super) fn broken(&mut self) {
        self.since = Instant::now();
    }

    /// Waits until the silence has lasted too long.
    pub(super) async fn too_long(&mut self) {
        let Some(limit) = self.limit else { return std::future::pending().await };
        loop {
            self.timer.as_mut().await;
            let due = self.since + limit;
            if due <= Instant::now() {
                return;
            }
            self.timer.as_mut().reset(due);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn silence_is_counted_from_the_last_byte() {
        let second = Duration::from_secs(1);
        let start = Instant::now();
        let mut silence = IdleTimer::new(Some(10 * second));
        tokio::time::sleep(6 * second).await;
        silence.broken();
        silence.too_long().await;
        assert_eq!(start.elapsed().as_secs(), 16);
        let never = tokio::time::timeout(100_000 * second, async { IdleTimer::new(None).too_long().await });
        assert!(never.await.is_err());
    }
}
