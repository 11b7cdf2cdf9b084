//! The files that a running server reads again: its certificate and its tokens.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::sync::watch;

use crate::access::Tokens;
use crate::access::token_file::{self, TokenFileError};
use crate::private_file::{FileStat, Times};
use crate::server::console::Console;
use crate::tls::{self, ServerFiles};

/// The files, and the senders of their content.
pub(super) struct Reloadable {
    tls: Option<(ServerFiles, watch::Sender<Arc<ServerConfig>>)>,
    tokens: Option<(PathBuf, watch::Sender<Arc<Tokens>>)>,
}

impl Reloadable {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// If a file is missing or wrong.
    pub(super) fn read(tls: Option<ServerFiles>, tokens: Option<PathBuf>) -> anyhow::Result<Self> {
        let tls = match tls {
            Some(files) => {
                let config = tls::server(&files).map_err(not_started)?;
                Some((files, watch::Sender::new(config)))
            }
            None => None,
        };
        let tokens = match tokens {
            Some(file) => {
                let read = read_tokens(&file).map_err(not_started)?;
                Some((file, watch::Sender::new(read)))
            }
            None => None,
        };
        Ok(Self { tls, tokens })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tls.is_none() && self.tokens.is_none()
    }

    pub(super) fn tls(&self) -> Option<watch::Receiver<Arc<ServerConfig>>> {
        self.tls.as_ref().map(|(_, tls)| tls.subscribe())
    }

    pub(super) fn tokens(&self) -> Option<watch::Receiver<Arc<Tokens>>> {
        self.tokens.as_ref().map(|(_, tokens)| tokens.subscribe())
    }

    /// The length and the time of each file, which change when it is written; `None` for a missing one.
    pub(super) fn state(&self) -> Vec<Option<(u64, Times)>> {
        let files = self.tls.iter().flat_map(|(files, _)| {
            [Some(&files.certificate), Some(&files.key), files.client_authority.as_ref()]
        });
        let files = files.flatten().chain(self.tokens.iter().map(|(file, _)| file));
        let state = |file: &PathBuf| FileStat::with_times(file).map(|(found, times)| (found.bytes, times));
        files.map(|file| state(file).ok()).collect()
    }

    /// Reads the files again. If a file is wrong, the log says so, and its earlier content stays in use.
    pub(super) fn reload(&self, console: &Console) {
        if let Some((files, tls)) = &self.tls {
            match tls::server(files) {
                Ok(config) => {
                    tls.send_replace(config);
                    console.line("Certificado relido.");
                }
                Err(error) => tracing::error!(%error, "the certificate stays as it was"),
            }
        }
        if let Some((file, tokens)) = &self.tokens {
            match read_tokens(file) {
                Ok(read) => {
                    tokens.send_replace(read);
                    console.line("Tokens relidos.");
                }
                Err(error) => tracing::error!(%error, "the tokens stay as they were"),
            }
        }
    }
}

fn read_tokens(file: &Path) -> Result<Arc<Tokens>, TokenFileError> {
    let tokens = token_file::read(file)?;
    if tokens.is_empty() {
        tracing::warn!(file = %file.display(), "there is no token in the file: nobody is let in");
    }
    Ok(Arc::new(tokens))
}

fn not_started(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow::anyhow!("{error}. O servidor não foi iniciado")
}
