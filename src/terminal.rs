//! What the terminal at hand can show.

use std::env;

/// Whether it obeys control sequences. By the convention of terminfo `dumb` obeys none, and
/// without a name nothing is known of it.
pub fn takes_controls() -> bool {
    cfg!(windows) || env::var_os("TERM").is_some_and(|name| !name.is_empty() && name != "dumb")
}

/// Whether the line editor of the shell works on it, and takes Ctrl-C. On these terminals
/// rustyline reads whole lines, and Ctrl-C is a signal.
pub fn line_is_edited() -> bool {
    let without = ["dumb", "cons25", "emacs"];
    !env::var_os("TERM").is_some_and(|name| without.iter().any(|known| name.eq_ignore_ascii_case(known)))
}

/// Whether it shows colours. By the convention of no-color.org a variable that is set and not
/// empty means none.
pub fn takes_colours() -> bool {
    takes_controls() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
