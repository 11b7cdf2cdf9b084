//! The abilities of the terminal of this process.

use std::env;

use crate::platform::terminal;

/// The rows and columns of the terminal that shows standard output; `None` if it is no terminal, or does not say.
pub fn size() -> Option<(usize, usize)> {
    terminal::size()
}

/// Whether nobody reads standard output any more. A write would fail, but there may be nothing to write for a
/// long time.
pub fn is_output_closed() -> bool {
    terminal::is_output_closed()
}

/// Whether the terminal obeys control sequences.
pub fn takes_controls() -> bool {
    terminal::takes_controls()
}

/// Whether the shell's line editor works on the terminal and handles Ctrl-C. On the terminals listed here
/// rustyline reads whole lines, and Ctrl-C sends a signal.
pub fn line_is_edited() -> bool {
    let without = ["dumb", "cons25", "emacs"];
    !env::var_os("TERM").is_some_and(|name| without.iter().any(|known| name.eq_ignore_ascii_case(known)))
}

/// Whether the terminal shows colours. By the convention of no-color.org it does not if `NO_COLOR` is set
/// and not empty.
pub fn takes_colours() -> bool {
    takes_controls() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
