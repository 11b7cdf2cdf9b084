//! Systems of Unix that are not Linux: what has no means there is left out.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use socket2::SockRef;

use super::stat::{Stat, stat_of};

pub(crate) fn stat(path: &Path) -> io::Result<Stat> {
    fs::symlink_metadata(path).map(|found| stat_of(&found))
}

pub(super) fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

pub(crate) fn set_note(_: &File, _: u64, _: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

pub(crate) fn note(_: &File) -> Option<(u64, PathBuf)> {
    None
}

pub(crate) fn remove_note(_: &File) {}

pub(crate) fn lock_bytes(_: &File, _: i64, _: i64) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

pub(crate) fn unlock_bytes(_: &File) {}

pub(crate) fn locked_bytes(_: &File, _: i64) -> io::Result<Option<i64>> {
    Err(ErrorKind::Unsupported.into())
}

pub(crate) fn is_locked(_: &File, _: i64) -> bool {
    false
}

pub(crate) fn holders(_: u64, _: RangeInclusive<u64>) -> Vec<(u32, Option<String>)> {
    Vec::new()
}

pub(crate) fn boot_id() -> Option<String> {
    None
}

pub(crate) fn since_boot() -> Duration {
    static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);
    STARTED.elapsed()
}

pub(crate) fn usage() -> Option<(f64, u64, usize)> {
    None
}

pub(crate) fn cpu_seconds(_: u32) -> Option<f64> {
    None
}

pub(crate) fn processor() -> Option<String> {
    None
}

pub(crate) fn release() -> Option<String> {
    None
}

pub(crate) fn limit_unsent(_: &SockRef<'_>, _: Duration) -> io::Result<()> {
    Ok(())
}

pub(crate) fn acknowledge_now(_: &SockRef<'_>) {}

/// A process that listens on a port, which the system does not report.
pub(crate) struct Listener;

pub(crate) fn listener(_: Option<IpAddr>, _: u16) -> io::Result<Option<Listener>> {
    Err(ErrorKind::Unsupported.into())
}

impl Listener {
    pub(crate) fn end(&self) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }

    pub(crate) fn has_ended_within(&self, _: Duration) -> bool {
        false
    }
}

/// Tokio's timer, which counts milliseconds.
pub(crate) struct Timer;

impl Timer {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    pub(crate) async fn sleep_until(&self, when: Instant) -> io::Result<()> {
        tokio::time::sleep_until(when.into()).await;
        Ok(())
    }
}
