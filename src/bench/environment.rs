//! The environment of a measurement: machine, time and program. Figures mean little without it.

use std::num::NonZero;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::catalog::{Shown, counted};
use crate::platform::machine;

/// The characters that have no special meaning in any shell.
const PLAIN: &str = "-_./:=,%+@";

/// The start of the program's name and version.
pub(super) const PROGRAM: &str = "hortifruti ";

#[derive(Serialize)]
pub(super) struct Environment {
    /// The time in UTC, as `2026-11-24 20:15`.
    pub(super) date: String,
    /// The version, and the commit if it is known.
    pub(super) program: String,
    /// Processor, cores and system.
    pub(super) machine: String,
    /// The command line as it was typed.
    pub(super) command: String,
}

impl Environment {
    pub(super) fn here() -> Self {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let (year, month, day) = date(seconds / 86_400);
        let (hour, minute) = (seconds / 3600 % 24, seconds / 60 % 60);
        let commit =
            option_env!("HORTIFRUTI_COMMIT").map_or(String::new(), |commit| format!(", commit {commit}"));
        let slow = if cfg!(debug_assertions) { ", compilado sem otimização" } else { "" };
        Self {
            date: format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02} UTC"),
            program: format!("{PROGRAM}{}{commit}{slow}", env!("CARGO_PKG_VERSION")),
            machine: machine(),
            command: std::env::args()
                .skip(1)
                .fold("hortifruti".to_owned(), |line, word| line + " " + &quoted(&Shown(&word).to_string())),
        }
    }
}

fn machine() -> String {
    let processor = machine::processor().unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let cores = counted(cores, "núcleo", "núcleos");
    let release = machine::release().unwrap_or_default();
    format!("{processor}, {cores}, {} {release}", std::env::consts::OS).trim_end().to_owned()
}

/// A word, quoted for a shell if it needs it.
fn quoted(word: &str) -> String {
    if !word.is_empty() && word.chars().all(|one| one.is_alphanumeric() || PLAIN.contains(one)) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// The year, month and day of a number of days since 1970-01-01 (Howard Hinnant's `civil_from_days`).
fn date(days: u64) -> (u64, u64, u64) {
    // Years begin in March here, so that the leap day is the last day of its year. An era has 400 years.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year_of_era;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (days, expected) in [
            (0, (1970, 1, 1)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (20_453, (2025, 12, 31)),
            (20_454, (2026, 1, 1)),
            (20_781, (2026, 11, 24)),
        ] {
            assert_eq!(date(days), expected);
        }
    }

    #[test]
    fn words_of_a_command_line() {
        for (word, expected) in [
            ("--mix", "--mix"),
            ("read=80,write=20", "read=80,write=20"),
            ("", "''"),
            ("d'água", r"'d'\''água'"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
