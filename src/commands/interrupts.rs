//! Ctrl-C while a subcommand waits for its server.

use std::{io, thread};

use tokio::runtime;

use crate::client;
use crate::platform::signals::Signals;

/// The exit status of a process that a signal ends before its work is done (128 + SIGINT).
pub(super) const EXIT_INTERRUPTED: i32 = 130;

/// Makes Ctrl-C end only the wait for a reply, so that the process can still report a change in doubt.
/// Outside a dialogue, SIGTERM does the same, because scripts use it to end a command that takes too long,
/// and both signals end a process that waits for no reply.
///
/// # Errors
/// If the system refuses a thread or a handler.
pub(super) fn watch_interrupts(is_dialogue: bool) -> io::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let mut interrupts = {
        let _inside = runtime.enter();
        if is_dialogue { Signals::interrupts()? } else { Signals::stops()? }
    };
    thread::Builder::new().name("hortifruti-interrupts".to_owned()).spawn(move || {
        runtime.block_on(async {
            loop {
                interrupts.next().await;
                if !client::interrupt() && !is_dialogue {
                    std::process::exit(EXIT_INTERRUPTED);
                }
            }
        });
    })?;
    Ok(())
}
