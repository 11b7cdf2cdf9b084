//! The abilities of the terminal of this process.

use std::env;
use std::io;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// The rows and columns of the terminal that shows standard output; `None` if it is no terminal, or does not say.
pub fn size() -> Option<(usize, usize)> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_row > 0 && size.ws_col > 0).then_some((usize::from(size.ws_row), usize::from(size.ws_col)))
}

/// Whether nobody reads standard output any more. A write would fail, but there may be nothing to write for a
/// long time.
pub fn is_output_closed() -> bool {
    let out = io::stdout();
    // The errors are reported also if no event is asked for.
    let mut output = [PollFd::new(&out, PollFlags::empty())];
    poll(&mut output, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0)
}

/// Whether the terminal obeys control sequences. By the convention of terminfo, `dumb` obeys none. A terminal
/// without a name is taken for one that obeys none.
pub fn takes_controls() -> bool {
    env::var_os("TERM").is_some_and(|name| !name.is_empty() && name != "dumb")
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
