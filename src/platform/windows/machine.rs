//! The machine, the user and the processes.

use std::env;
use std::os::windows::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use winapi_util::sysinfo::{ComputerNameKind, get_computer_name};

/// A process that is created with this flag does not get the Ctrl-C of its console.
const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;

/// The folder of the shop of the server that the system starts, which only that server and administrators can read.
pub(crate) fn service_folder() -> PathBuf {
    env::var_os("ProgramData")
        .map_or_else(|| PathBuf::from(r"C:\ProgramData"), PathBuf::from)
        .join("hortifruti")
}

/// The port file of the server that the system starts, in a folder that all users can read.
pub(crate) fn service_port_file() -> PathBuf {
    service_folder().join(r"porta\server_port.txt")
}

/// The name of this machine.
pub(crate) fn host_name() -> Option<String> {
    get_computer_name(ComputerNameKind::DnsHostname).ok()?.into_string().ok()
}

/// The folder of the state that programs keep between runs: `%LOCALAPPDATA%`.
pub(crate) fn state_folder() -> Option<PathBuf> {
    env::var_os("LOCALAPPDATA").map(PathBuf::from)
}

/// The file of passwords of PostgreSQL's programs.
pub(crate) fn postgres_passwords() -> Option<PathBuf> {
    Some(PathBuf::from(env::var_os("APPDATA")?).join(r"postgresql\pgpass.conf"))
}

/// Raises the limit of open files, which Windows does not have.
pub(crate) fn raise_open_files(_: usize) -> Option<usize> {
    None
}

/// Does nothing: a write to a full disk fails, and no signal ends the process.
pub(crate) fn survive_full_files() {}

/// Lets a process ignore Ctrl-C in the console of this one.
pub(crate) fn ignore_interrupts(command: &mut Command) {
    command.creation_flags(CREATE_NEW_PROCESS_GROUP);
}

/// The identity of this start of the machine, which the system does not report.
pub(crate) fn boot_id() -> Option<String> {
    None
}

/// A time that runs on while the machine sleeps, as `Instant` does on Windows.
pub(crate) fn since_boot() -> Duration {
    static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);
    STARTED.elapsed()
}

/// The use of the machine by this process, for which there is no safe call.
pub(crate) fn usage() -> Option<(f64, u64, usize)> {
    None
}

/// The CPU time of a process, for which there is no safe call.
pub(crate) fn cpu_seconds(_: u32) -> Option<f64> {
    None
}

/// The model of the processor.
pub(crate) fn processor() -> Option<String> {
    env::var("PROCESSOR_IDENTIFIER").ok()
}

/// The release of the system, which only the registry has.
pub(crate) fn release() -> Option<String> {
    None
}
