//! The process's own use of the machine, by the names that Prometheus gives to every process.

/// The use of the machine now. `None` if the system does not say so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Usage {
    pub(super) cpu_seconds: f64,
    pub(super) resident_bytes: u64,
    pub(super) open_files: usize,
}

#[cfg(target_os = "linux")]
impl Usage {
    pub(super) fn now() -> Option<Self> {
        use nix::sys::resource::{UsageWho, getrusage};
        use nix::sys::time::TimeValLike as _;
        let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
        let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kibibytes: u64 = resident.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(Self {
            cpu_seconds: micros as f64 / 1e6,
            resident_bytes: kibibytes * 1024,
            open_files: std::fs::read_dir("/proc/self/fd").ok()?.count(),
        })
    }
}

#[cfg(not(target_os = "linux"))]
impl Usage {
    pub(super) fn now() -> Option<Self> {
        None
    }
}
