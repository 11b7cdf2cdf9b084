//! The shell: the commands for a person at a terminal, and for piped lines.
//!
//! A line is read (`entry`), completed by questions if arguments are missing (`questions`), and sent; its
//! answer is shown (`report`). On a terminal (`dialogue`), a change whose answer is lost is kept and repeated
//! under its id (`in_doubt`, `kept`), and the line editor has completion and history. A pipe (`piped`) has
//! none of these.

mod completion;
mod desk;
#[cfg(feature = "shell")]
mod dialogue;
mod entry;
mod in_doubt;
mod kept;
mod last_change;
#[cfg(feature = "shell")]
mod line_editor;
mod live;
mod menu;
mod one_shot;
mod pager;
#[cfg(feature = "shell")]
mod paste;
mod piped;
mod questions;
mod report;
mod source;
mod state_line;
mod verb;
mod words;

use std::io::{self, IsTerminal};

use crate::client::Client;
use crate::terminal::line_is_edited;
#[cfg(feature = "shell")]
pub use dialogue::Options;
pub use live::show_live;
pub use one_shot::{Ended, Manner, run_word};
use piped::FirstFailure;
pub use report::{report, report_news};
pub use verb::check_item_count;

/// Runs the shell on standard input: a dialogue on a terminal, bare commands from a pipe.
/// Returns the first failure, which has been reported already.
///
/// # Errors
/// If the output or the terminal fails. A closed output is an error of this kind too.
#[cfg(feature = "shell")]
pub fn run(mut client: Client, options: Options) -> io::Result<FirstFailure> {
    if io::stdin().is_terminal() {
        dialogue::run(client, options).map(|()| None)
    } else {
        piped::run(&mut client)
    }
}

/// Whether the shell edits lines. If so, Ctrl-C is a key and no signal while a line is typed.
#[cfg(feature = "shell")]
pub fn edits_lines() -> bool {
    io::stdin().is_terminal() && line_is_edited()
}
