//! The kernel's timer.

use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::time::{Duration, Instant};

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use tokio::io::unix::AsyncFd;

/// A timer of one connection.
pub(crate) struct Timer(AsyncFd<Descriptor>);

impl Timer {
    #[expect(
        deprecated,
        reason = "the function that replaces this one is unsafe; a descriptor that its owner never changes is sound with it"
    )]
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(AsyncFd::new(Descriptor::new()?)?))
    }

    pub(crate) async fn sleep_until(&self, when: Instant) -> io::Result<()> {
        loop {
            let left = when.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            self.0.get_ref().set(left)?;
            // The event may belong to an earlier wait that was dropped, so the time is checked again.
            self.0.readable().await?.clear_ready();
        }
    }
}

/// The kernel's timer, which is ready to be read when its time has come.
struct Descriptor(TimerFd);

impl Descriptor {
    fn new() -> io::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        Ok(Self(TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?))
    }

    fn set(&self, left: Duration) -> io::Result<()> {
        let once = Expiration::OneShot(TimeSpec::from_duration(left));
        Ok(self.0.set(once, TimerSetTimeFlags::empty())?)
    }
}

impl AsRawFd for Descriptor {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_finer_than_a_millisecond() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut late: Vec<Duration> = runtime.block_on(async {
            let timer = Timer::new().unwrap();
            let mut late = Vec::new();
            for _ in 0..50 {
                let when = Instant::now() + Duration::from_micros(100);
                // A wait that is dropped has no later effect.
                let given_up = timer.sleep_until(Instant::now() + Duration::from_micros(10));
                let _ = tokio::time::timeout(Duration::ZERO, given_up).await;
                timer.sleep_until(when).await.unwrap();
                late.push(when.elapsed());
            }
            late
        });
        late.sort();
        assert!(late[late.len() / 2] < Duration::from_micros(400), "{late:?}");
    }
}
