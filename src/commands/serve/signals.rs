//! The signals of a server: SIGTERM and Ctrl-C stop it, SIGHUP makes it read its files again.

use std::sync::mpsc;
use std::thread;

use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use super::reload::Reloadable;
use crate::commands::interrupts::EXIT_INTERRUPTED;
use crate::server::console::Console;

/// Starts to listen. The receiver is ready at the first SIGTERM or Ctrl-C; the second ends the process. A
/// SIGHUP reloads the files; without files to reload, it ends the process, which is the system's default.
///
/// # Errors
/// If the system refuses a thread or a handler.
pub(super) fn listen(reloadable: Reloadable, console: &Console) -> anyhow::Result<oneshot::Receiver<()>> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    // The handlers are installed before the thread runs, so that no signal is missed.
    let (mut terminate, mut interrupt, mut hangup) = {
        let _inside = runtime.enter();
        let hangup = (!reloadable.is_empty()).then(|| signal(SignalKind::hangup())).transpose()?;
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?, hangup)
    };
    let console = console.clone();
    let (stop, stopped) = oneshot::channel();
    // The files are reloaded on a separate thread, because reading a file may take a while and a stop must
    // not wait for it.
    let (reload, reloads) = mpsc::channel();
    thread::Builder::new().name("hortifruti-reload".to_owned()).spawn(move || {
        while reloads.recv().is_ok() {
            reloadable.reload(&console);
        }
    })?;
    thread::Builder::new().name("hortifruti-signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            loop {
                tokio::select! {
                    () = stop_wanted(&mut terminate, &mut interrupt) => break,
                    Some(()) = async { hangup.as_mut()?.recv().await } => {
                        let _ = reload.send(());
                    }
                }
            }
            let _ = stop.send(());
            stop_wanted(&mut terminate, &mut interrupt).await;
            std::process::exit(EXIT_INTERRUPTED);
        });
    })?;
    Ok(stopped)
}

async fn stop_wanted(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
