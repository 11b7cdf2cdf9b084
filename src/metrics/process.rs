//! The process's own use of the machine, by the names that Prometheus gives to every process.

use crate::platform::machine;

/// The use of the machine now. `None` if the system does not say so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Usage {
    pub(super) cpu_seconds: f64,
    pub(super) resident_bytes: u64,
    pub(super) open_files: usize,
}

impl Usage {
    pub(super) fn now() -> Option<Self> {
        let (cpu_seconds, resident_bytes, open_files) = machine::usage()?;
        Some(Self { cpu_seconds, resident_bytes, open_files })
    }
}
