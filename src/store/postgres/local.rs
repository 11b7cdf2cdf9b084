//! The hosts of engines. Only Unix has the sockets in folders by which engines of the same machine are reached.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::path::PathBuf;

#[cfg(unix)]
pub(super) use unix::{Stream, connect, host};
#[cfg(windows)]
pub(super) use windows::{Stream, connect, host};

/// The host of an engine, beside its port.
#[derive(Debug)]
pub(super) enum Host {
    Tcp(String),
    /// The folder of the engine's socket on this machine.
    #[cfg_attr(windows, expect(dead_code, reason = "no host is reached in this way"))]
    Folder(PathBuf),
}
