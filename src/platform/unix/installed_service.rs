//! The service that starts the server with the machine, which systemd installs, starts, stops and removes.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

pub(crate) fn install(_: &[OsString]) -> io::Result<PathBuf> {
    Err(by_systemd("enable --now"))
}

pub(crate) fn start() -> io::Result<bool> {
    Err(by_systemd("start"))
}

pub(crate) fn stop() -> io::Result<bool> {
    Err(by_systemd("stop"))
}

pub(crate) fn remove() -> io::Result<PathBuf> {
    Err(by_systemd("disable --now"))
}

/// The error that names the command of systemd.
fn by_systemd(action: &str) -> io::Error {
    io::Error::new(
        ErrorKind::Unsupported,
        format!(
            "este comando é do Windows; aqui o systemd cuida do serviço. Nada foi feito; use, com o pacote .deb \
             instalado:\n  sudo systemctl {action} hortifruti"
        ),
    )
}
