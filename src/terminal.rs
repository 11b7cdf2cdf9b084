//! The abilities of the terminal at hand.

use std::env;

/// Whether the terminal obeys control sequences. By the convention of terminfo `dumb` obeys none, and
/// nothing is known of a terminal without a name.
pub fn takes_controls() -> bool {
    cfg!(windows) || env::var_os("TERM").is_some_and(|name| !name.is_empty() && name != "dumb")
}

/// Whether the line editor of the shell works on the terminal, and takes Ctrl-C. On the terminals
/// listed here rustyline reads whole lines, and Ctrl-C is a signal.
pub fn line_is_edited() -> bool {
    let without = ["dumb", "cons25", "emacs"];
    !env::var_os("TERM").is_some_and(|name| without.iter().any(|known| name.eq_ignore_ascii_case(known)))
}

/// Whether the terminal shows colours. By the convention of no-color.org a variable that is set and not
/// empty means none.
pub fn takes_colours() -> bool {
    takes_controls() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
