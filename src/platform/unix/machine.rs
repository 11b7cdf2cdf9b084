//! The machine, the user and the processes.

use std::env;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal};

pub(crate) use super::kernel::{boot_id, cpu_seconds, processor, release, since_boot, usage};

/// The port file of the server that the system starts.
pub(crate) fn service_port_file() -> PathBuf {
    PathBuf::from("/run/hortifruti/server_port.txt")
}

/// The name of this machine.
pub(crate) fn host_name() -> Option<String> {
    nix::unistd::gethostname().ok()?.into_string().ok()
}

/// The folder of the state that programs keep between runs (XDG base directory specification).
pub(crate) fn state_folder() -> Option<PathBuf> {
    Some(env::home_dir()?.join(".local/state"))
}

/// The file of passwords of PostgreSQL's programs.
pub(crate) fn postgres_passwords() -> Option<PathBuf> {
    Some(env::home_dir()?.join(".pgpass"))
}

/// Raises the limit of open files as far as the system permits, and returns it; `None` if the system has none.
pub(crate) fn raise_open_files(wanted: usize) -> Option<usize> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    let wanted = u64::try_from(wanted).unwrap_or(u64::MAX).min(hard);
    let reached = match setrlimit(Resource::RLIMIT_NOFILE, wanted, hard) {
        _ if soft >= wanted => soft,
        Ok(()) => wanted,
        Err(_) => soft,
    };
    Some(usize::try_from(reached).unwrap_or(usize::MAX))
}

/// Blocks SIGXFSZ, which ends a process that writes beyond the file-size limit (`ulimit -f`). The write
/// then fails like a write to a full disk. Called before any thread is started, because threads inherit
/// the mask.
pub(crate) fn survive_full_files() {
    let mut blocked = SigSet::empty();
    blocked.add(Signal::SIGXFSZ);
    // The call fails only for an unknown way of masking.
    let _ = blocked.thread_block();
}

/// Lets a process ignore Ctrl-C in the terminal of this one.
pub(crate) fn ignore_interrupts(command: &mut Command) {
    command.process_group(0);
}
