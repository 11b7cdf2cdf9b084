//! The period of a request, and the days that it is of.

use std::time::SystemTime;

use crate::catalog::Quoted;
use crate::local_time::{Days, End};
use crate::refusal::Refusal;

/// Checks the period of a program's request, which may have no moment.
///
/// # Errors
/// If the period ends before it begins.
pub fn check_period(since: Option<SystemTime>, until: Option<SystemTime>) -> Result<(), Refusal> {
    refuse_unless(since.zip(until).is_none_or(|(since, until)| since <= until))
}

/// The first moment of the period that a person gave, and the first moment after it. A period that begins on the day
/// after its last day has no moment.
///
/// # Errors
/// If an end is no time, or the period ends before it begins, or when it begins.
pub fn given_period(
    since: Option<&str>,
    until: Option<&str>,
    days: &Days,
) -> Result<(Option<SystemTime>, Option<SystemTime>), Refusal> {
    let read = |field, text: Option<&str>, end| {
        let time = text.map(|text| {
            days.parse_end(text, end)
                .map_err(|error| Refusal::invalid(field, format!("{} {error}", Quoted(text))))
        });
        time.transpose()
    };
    let (since, until) = (read("start_time", since, End::First)?, read("end_time", until, End::Last)?);
    refuse_unless(since.zip(until).is_none_or(|(since, until)| since < until))?;
    Ok((since, until))
}

/// The days of this machine's time zone.
///
/// # Errors
/// If `TZ` names no time zone.
pub fn days_here() -> Result<Days, Refusal> {
    Days::here().map_err(|error| Refusal::invalid("time_zone", error))
}

fn refuse_unless(is_period: bool) -> Result<(), Refusal> {
    if is_period {
        Ok(())
    } else {
        Err(Refusal::invalid(
            "end_time",
            "o período não tem nenhum momento: acaba antes de começar, ou quando começa",
        ))
    }
}
