//! A progress bar on standard error, if that is a terminal.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::terminal::takes_controls;

/// The width of the bar, in characters.
const WIDTH: u64 = 30;

/// The least time between two drawings of the same step. A person would not see more of them, and a terminal
/// may be slow.
const DRAWN_EVERY: Duration = Duration::from_millis(50);

/// A progress bar, which is erased when it is dropped.
pub struct ProgressBar {
    is_shown: bool,
    drawn: Option<(String, Instant)>,
}

impl ProgressBar {
    /// Creates a bar, which is not drawn yet.
    #[expect(clippy::new_without_default, reason = "nobody wants a default bar")]
    pub fn new() -> Self {
        Self { is_shown: io::stderr().is_terminal() && takes_controls(), drawn: None }
    }

    /// Draws the bar and the name of the step behind it.
    pub fn show(&mut self, what: &str, done: u64, total: u64) {
        let is_fresh =
            self.drawn.as_ref().is_some_and(|(drawn, at)| drawn == what && at.elapsed() < DRAWN_EVERY);
        if self.is_shown && !is_fresh {
            let _ = write!(io::stderr(), "\r\x1b[K{} {what}", bar(done, total));
            self.drawn = Some((what.to_owned(), Instant::now()));
        }
    }
}

impl Drop for ProgressBar {
    fn drop(&mut self) {
        if self.is_shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn bar(done: u64, total: u64) -> String {
    let filled = (u128::from(WIDTH) * u128::from(done.min(total)) / u128::from(total.max(1))) as usize;
    format!("{}{}", "█".repeat(filled), "░".repeat(WIDTH as usize - filled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_fills_and_does_not_run_over() {
        assert!(bar(0, 0).chars().all(|part| part == '░'));
        assert_eq!(bar(1, 2).chars().filter(|part| *part == '█').count(), 15);
        for (done, total) in [(2, 2), (3, 2), (u64::MAX, u64::MAX)] {
            assert!(bar(done, total).chars().all(|part| part == '█'), "{done}/{total}");
        }
    }
}
