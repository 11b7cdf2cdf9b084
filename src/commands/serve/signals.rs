//! The signals of a server: SIGTERM and Ctrl-C stop it, SIGHUP makes it read its files again.

use std::sync::mpsc;
use std::thread;

use tokio::runtime;
use tokio::sync::oneshot;

use super::reload::Reloadable;
use crate::commands::interrupts::EXIT_INTERRUPTED;
use crate::platform::signals::Signals;
use crate::server::console::Console;

/// Starts to listen. The receiver is ready at the first SIGTERM or Ctrl-C; the second ends the process. A
/// SIGHUP reloads the files; without files to reload, it ends the process, which is the system's default.
///
/// # Errors
/// If the system refuses a thread or a handler.
pub(super) fn listen(reloadable: Reloadable, console: &Console) -> anyhow::Result<oneshot::Receiver<()>> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    // The handlers are installed before the thread runs, so that no signal is missed.
    let (mut stops, mut reloads) = {
        let _inside = runtime.enter();
        (Signals::stops()?, (!reloadable.is_empty()).then(Signals::reloads).transpose()?)
    };
    let console = console.clone();
    let (stop, stopped) = oneshot::channel();
    // The files are reloaded on a separate thread, because reading a file may take a while and a stop must
    // not wait for it.
    let (reload, wanted) = mpsc::channel();
    thread::Builder::new().name("hortifruti-reload".to_owned()).spawn(move || {
        while wanted.recv().is_ok() {
            reloadable.reload(&console);
        }
    })?;
    thread::Builder::new().name("hortifruti-signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            loop {
                tokio::select! {
                    _ = stops.next() => break,
                    Some(_) = async { Some(reloads.as_mut()?.next().await) } => {
                        let _ = reload.send(());
                    }
                }
            }
            let _ = stop.send(());
            stops.next().await;
            std::process::exit(EXIT_INTERRUPTED);
        });
    })?;
    Ok(stopped)
}
