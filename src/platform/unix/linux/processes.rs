//! The use of the machine by processes, and the name of the machine's processor.

use std::fs;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

/// The kernel's clock ticks in a second, the unit in which Linux reports CPU time.
const TICKS_PER_SECOND: f64 = 100.0;

/// The use of the machine by this process: seconds of CPU time, resident bytes, and open files.
pub(crate) fn usage() -> Option<(f64, u64, usize)> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = resident.trim().strip_suffix(" kB")?.parse().ok()?;
    Some((micros as f64 / 1e6, kibibytes * 1024, fs::read_dir("/proc/self/fd").ok()?.count()))
}

/// The CPU time of a process so far, in seconds.
pub(crate) fn cpu_seconds(process: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the program's name in brackets, which may contain any character.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}

/// The model of the processor.
pub(crate) fn processor() -> Option<String> {
    let information = fs::read_to_string("/proc/cpuinfo").ok()?;
    let mut models = information.lines().filter_map(|line| line.strip_prefix("model name")?.split_once(": "));
    models.next().map(|(_, name)| name.trim().to_owned())
}

/// The release of the system.
pub(crate) fn release() -> Option<String> {
    fs::read_to_string("/proc/sys/kernel/osrelease").ok().map(|release| release.trim().to_owned())
}
