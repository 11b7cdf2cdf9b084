//! The signals of a server: SIGTERM and Ctrl-C stop it, SIGHUP makes it read its files again. On a system without
//! SIGHUP it reads them again when they change.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime;
use tokio::sync::oneshot;

use super::reload::Reloadable;
use crate::commands::interrupts::EXIT_INTERRUPTED;
use crate::platform::signals::Signals;
use crate::server::console::Console;

/// Time between two looks at the files on a system without SIGHUP: a person waits so long for a new token, and
/// nobody writes a file so slowly.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Signals that come within this time are one: `timeout` sends SIGTERM to its child and then to the group that the child
/// is in. No person gives two so fast.
const ONE_SIGNAL: Duration = Duration::from_millis(50);

/// Starts to listen. The receiver is ready at the first SIGTERM or Ctrl-C; the second ends the process. A
/// SIGHUP reloads the files; without files to reload, it ends the process, which is the system's default.
///
/// # Errors
/// If the system refuses a thread or a handler.
pub(super) fn listen(
    reloadable: Reloadable,
    console: &Console,
) -> anyhow::Result<oneshot::Receiver<Option<Duration>>> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    // The handlers are installed before the thread runs, so that no signal is missed.
    let (mut stops, mut reloads) = {
        let _inside = runtime.enter();
        let reloads = if reloadable.is_empty() { None } else { Signals::reloads()? };
        (Signals::stops()?, reloads)
    };
    let console = console.clone();
    let (stop, stopped) = oneshot::channel();
    // The files are reloaded on a separate thread, because reading a file may take a while and a stop must
    // not wait for it.
    let (reload, wanted) = mpsc::channel();
    let has_signal = reloads.is_some();
    thread::Builder::new().name("hortifruti-reload".to_owned()).spawn(move || {
        if has_signal || reloadable.is_empty() {
            while wanted.recv().is_ok() {
                reloadable.reload(&console);
            }
        } else {
            reload_changed(&reloadable, &wanted, &console);
        }
    })?;
    thread::Builder::new().name("hortifruti-signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            let time_left = loop {
                tokio::select! {
                    time_left = stops.next() => break time_left,
                    Some(_) = async { Some(reloads.as_mut()?.next().await) } => {
                        let _ = reload.send(());
                    }
                }
            };
            let _ = stop.send(time_left);
            let first_at = Instant::now();
            loop {
                stops.next().await;
                if first_at.elapsed() > ONE_SIGNAL {
                    break;
                }
            }
            std::process::exit(EXIT_INTERRUPTED);
        });
    })?;
    Ok(stopped)
}

/// Reads the files again after each change, until the sender is gone. A change counts once two looks find the same:
/// before that, the file may be half written.
fn reload_changed(reloadable: &Reloadable, ended: &mpsc::Receiver<()>, console: &Console) {
    let mut known = reloadable.state();
    let mut last = known.clone();
    while ended.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
        let state = reloadable.state();
        if state != known && state == last {
            reloadable.reload(console);
            known.clone_from(&state);
        }
        last = state;
    }
}
