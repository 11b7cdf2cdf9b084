//! Times as people read and write them, in the time zone of this machine (`TZ`, or the system's).

mod near_day;
mod zone;

use std::fmt;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

pub use self::near_day::{NotADay, parse_near_day};
use self::near_day::{is_plausible, parse_date};
pub use self::zone::{UnknownZone, unknown_zone};

/// A time with the offset of this machine's time zone, to the second: `2026-11-29T09:41:07-03:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime(pub SystemTime);

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A faulty server may send a time that the calendar does not have.
        let timestamp = Timestamp::try_from(self.0).unwrap_or(Timestamp::MAX);
        let timestamp = Timestamp::from_second(timestamp.as_second()).unwrap_or(timestamp);
        timestamp.display_with_offset(TimeZone::system().to_offset(timestamp)).fmt(f)
    }
}

/// A time for a person, in this machine's time zone: `29/11/2026 09:41`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShortTime(pub SystemTime);

impl fmt::Display for ShortTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let timestamp = Timestamp::try_from(self.0).unwrap_or(Timestamp::MAX);
        let time = TimeZone::system().to_datetime(timestamp);
        write!(
            f,
            "{:02}/{:02}/{:04} {:02}:{:02}",
            time.day(),
            time.month(),
            time.year(),
            time.hour(),
            time.minute()
        )
    }
}

/// The days from the first day of spreadsheets, 30 December 1899, to a time in this machine's time zone, to the
/// second.
pub fn spreadsheet_days(time: SystemTime) -> f64 {
    let timestamp = Timestamp::try_from(time).unwrap_or(Timestamp::MAX);
    let offset = TimeZone::system().to_offset(timestamp).seconds();
    spreadsheet_days_of_unix(timestamp.as_second() + i64::from(offset))
}

/// The days from the first day of spreadsheets to a day.
pub fn spreadsheet_day(date: Date) -> f64 {
    spreadsheet_days_of_unix(date.duration_since(Date::constant(1970, 1, 1)).as_secs())
}

fn spreadsheet_days_of_unix(seconds: i64) -> f64 {
    (seconds + SPREADSHEET_EPOCH_SECONDS) as f64 / SECONDS_A_DAY
}

/// The seconds from the first day of spreadsheets to that of Unix.
const SPREADSHEET_EPOCH_SECONDS: i64 = 25_569 * 24 * 60 * 60;
const SECONDS_A_DAY: f64 = 86_400.0;

/// Reads a time that has an offset, as [`LocalTime`] writes it.
pub fn parse_with_offset(text: &str) -> Option<SystemTime> {
    text.parse::<Timestamp>().ok()?.try_into().ok()
}

/// One of the two ends of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The first moment of the period. A day stands for its beginning.
    First,
    /// The moment after the period. A day stands for its end, so that the period includes the whole day.
    Last,
}

/// The error about a text that is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("não é uma data; use hoje, ontem, 2026-11-29, 29/11/2026 ou 2026-11-29T14:30")]
pub struct NotATime;

fn parse_end_at(text: &str, end: End, now: Timestamp, zone: &TimeZone) -> Result<SystemTime, NotATime> {
    let text = text.trim();
    if let Some(day) = parse_day(text, zone.to_datetime(now).date()) {
        let day = match end {
            End::First => day,
            End::Last => day.tomorrow().map_err(|_| NotATime)?,
        };
        return day_start(day, zone).ok_or(NotATime);
    }
    if let Some(time) = parse_with_offset(text) {
        return Some(time).filter(|time| *time >= SystemTime::UNIX_EPOCH).ok_or(NotATime);
    }
    let with_slashes = || {
        let (day, time) = text.split_once(' ')?;
        Some(DateTime::from_parts(parse_date(day)?, Time::strptime("%H:%M", time).ok()?))
    };
    let time = text.parse::<DateTime>().ok().or_else(with_slashes).filter(|time| is_plausible(time.date()));
    let time = time.and_then(|time| zone.to_timestamp(time).ok());
    time.and_then(|time| time.try_into().ok()).ok_or(NotATime)
}

fn parse_day(text: &str, today: Date) -> Option<Date> {
    match text.to_lowercase().as_str() {
        "hoje" => Some(today),
        "ontem" => today.yesterday().ok(),
        text => parse_date(text),
    }
}

/// The first moment of a day.
fn day_start(day: Date, zone: &TimeZone) -> Option<SystemTime> {
    let start = day.to_zoned_datetime(zone.clone()).ok()?;
    start.timestamp().try_into().ok()
}

/// The day of now, in the time zone of this machine.
pub fn today() -> Date {
    TimeZone::system().to_datetime(Timestamp::now()).date()
}

/// The calendar of a time zone, which divides time into days.
#[derive(Debug, Clone)]
pub struct Days {
    zone: TimeZone,
    /// The name by which a request names the zone; empty for that of the server.
    name: String,
}

/// A day of a time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// The date: `2026-11-29`.
    pub date: String,
    /// The first moment of the next day.
    pub end: SystemTime,
}

impl Days {
    /// The days of the zone with this IANA name or this rule of POSIX, or of this machine's zone if the name is
    /// empty. `None` if there is no such zone.
    pub fn of_zone(name: &str) -> Option<Self> {
        if name.is_empty() {
            return Some(Self::of_server());
        }
        Some(Self { zone: zone::named(name)?, name: name.to_owned() })
    }

    /// The days of this machine's zone, for a server whose client names none: those of UTC if `TZ` names no time
    /// zone.
    pub fn of_server() -> Self {
        Self { zone: TimeZone::system(), name: String::new() }
    }

    /// The days of this machine's zone, by the name that a server knows.
    ///
    /// # Errors
    /// If `TZ` names no time zone.
    pub fn here() -> Result<Self, UnknownZone> {
        let zone = zone::here()?;
        let name = zone::name_of(&zone);
        Ok(Self { zone, name })
    }

    /// The name by which a request names the zone; empty for that of the server.
    pub fn zone_name(&self) -> &str {
        &self.name
    }

    /// The day that includes a moment.
    pub fn day_of(&self, time: SystemTime) -> Day {
        let date = self.date_of(time);
        // The last day of the calendar has no next day.
        let end = date.tomorrow().ok().and_then(|next| day_start(next, &self.zone));
        Day { date: date.to_string(), end: end.unwrap_or(time) }
    }

    /// The date of today.
    pub fn today(&self) -> Date {
        self.date_of(SystemTime::now())
    }

    /// The date of a moment.
    pub fn date_of(&self, time: SystemTime) -> Date {
        self.zone.to_datetime(Timestamp::try_from(time).unwrap_or(Timestamp::MAX)).date()
    }

    /// Reads an end of a period: a day (`hoje`, `ontem`, `2026-11-29`, `29/11/2026`), or a day and a time.
    ///
    /// # Errors
    /// If the text is neither a day nor a time.
    pub fn parse_end(&self, text: &str, end: End) -> Result<SystemTime, NotATime> {
        parse_end_at(text, end, Timestamp::now(), &self.zone)
    }

    /// The period of whole days between two days, each given by how many days ago it was.
    pub fn of_days_ago(&self, first: i64, last: i64) -> (Option<SystemTime>, Option<SystemTime>) {
        let today = self.today();
        let start = |days_ago: i64| {
            let day = today.checked_sub(jiff::Span::new().try_days(days_ago).ok()?).ok()?;
            day_start(day, &self.zone)
        };
        (start(first), start(last - 1))
    }

    /// A period in words: `de 29/11/2026`, `de 01/11/2026 a 29/11/2026`, `desde 29/11/2026 14:30`.
    pub fn period_told(&self, since: Option<SystemTime>, until: Option<SystemTime>) -> String {
        let told = |time: SystemTime| {
            let time = self.zone.to_datetime(Timestamp::try_from(time).unwrap_or(Timestamp::MAX));
            let date = told_date(time.date());
            let is_start = day_start(time.date(), &self.zone)
                == self.zone.to_timestamp(time).ok().and_then(|it| it.try_into().ok());
            if is_start { date } else { format!("{date} {:02}:{:02}", time.hour(), time.minute()) }
        };
        let is_day = |time: SystemTime| !told(time).contains(':');
        match (since, until) {
            (None, None) => "desde o começo".to_owned(),
            (Some(since), None) => format!("desde {}", told(since)),
            (since, Some(until)) => {
                // A period up to the start of a day ends with the day before.
                let last = if is_day(until) {
                    told_date(self.date_of(until - Duration::from_micros(1)))
                } else {
                    told(until)
                };
                match since.map(told) {
                    None => format!("até {last}"),
                    Some(first) if first == last => format!("de {first}"),
                    Some(first) => format!("de {first} a {last}"),
                }
            }
        }
    }
}

/// A date for a person: `29/11/2026`.
pub fn told_date(date: Date) -> String {
    format!("{:02}/{:02}/{:04}", date.day(), date.month(), date.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_of_a_period_reads_as_people_write_it() {
        let zone = TimeZone::posix("<-03>3").unwrap();
        // In São Paulo it is still the 29th.
        let now: Timestamp = "2026-11-30T02:00:00Z".parse().unwrap();
        let read = |text: &str, end| {
            parse_end_at(text, end, now, &zone).map(|time| Timestamp::try_from(time).unwrap().to_string())
        };
        for (text, first, last) in [
            ("hoje", "2026-11-29T03:00:00Z", "2026-11-30T03:00:00Z"),
            ("Ontem", "2026-11-28T03:00:00Z", "2026-11-29T03:00:00Z"),
            ("2026-11-01", "2026-11-01T03:00:00Z", "2026-11-02T03:00:00Z"),
            ("01/11/2026", "2026-11-01T03:00:00Z", "2026-11-02T03:00:00Z"),
            ("1/11/2026", "2026-11-01T03:00:00Z", "2026-11-02T03:00:00Z"),
            ("1/11/26", "2026-11-01T03:00:00Z", "2026-11-02T03:00:00Z"),
            ("1/11/26 9:05", "2026-11-01T12:05:00Z", "2026-11-01T12:05:00Z"),
            ("2026-11-01T14:30", "2026-11-01T17:30:00Z", "2026-11-01T17:30:00Z"),
            ("2026-11-01 14:30:10", "2026-11-01T17:30:10Z", "2026-11-01T17:30:10Z"),
            ("01/11/2026 14:30", "2026-11-01T17:30:00Z", "2026-11-01T17:30:00Z"),
            ("2026-11-01T14:30Z", "2026-11-01T14:30:00Z", "2026-11-01T14:30:00Z"),
        ] {
            assert_eq!(read(text, End::First).as_deref(), Ok(first), "{text}");
            assert_eq!(read(text, End::Last).as_deref(), Ok(last), "{text}");
        }
        for text in
            ["", "amanhã", "2026", "2026-13-01", "31/02/2026", "14:30", "2026-11-01T25:00", "01/11/0026"]
                .into_iter()
                .chain([
                    "0026-11-01",
                    "0026-11-01T14:30",
                    "01/11/0026 14:30",
                    "0026-11-01T14:30Z",
                    "01/11/026",
                ])
        {
            assert_eq!(read(text, End::First), Err(NotATime), "{text}");
        }
    }

    #[test]
    fn a_period_is_described_in_days_or_to_the_minute() {
        let days = Days { zone: TimeZone::posix("<-03>3").unwrap(), name: String::new() };
        let time = |text: &str| text.parse::<Timestamp>().unwrap().try_into().unwrap();
        let (first, second, later) =
            (time("2026-11-29T03:00:00Z"), time("2026-11-30T03:00:00Z"), time("2026-12-02T12:30:00Z"));
        for (since, until, told) in [
            (Some(first), Some(second), "de 29/11/2026"),
            (None, Some(second), "até 29/11/2026"),
            (Some(first), Some(later), "de 29/11/2026 a 02/12/2026 09:30"),
            (Some(later), None, "desde 02/12/2026 09:30"),
            (Some(second), None, "desde 30/11/2026"),
            (None, None, "desde o começo"),
        ] {
            assert_eq!(days.period_told(since, until), told);
        }
        let (since, until) = days.of_days_ago(1, 1);
        assert_eq!(until.unwrap().duration_since(since.unwrap()).unwrap(), Duration::from_secs(86_400));
    }

    #[test]
    fn a_time_that_no_calendar_has_is_shown() {
        let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1 << 40);
        assert!(LocalTime(time).to_string().starts_with("9999-12-"));
    }

    #[test]
    fn a_time_reads_back_as_it_was_written() {
        let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_micros(1_764_415_267_999_999);
        let written = LocalTime(time).to_string();
        assert_eq!(parse_with_offset(&written), Some(time - std::time::Duration::from_micros(999_999)));
        assert_eq!(parse_with_offset("2026-11-29T09:41:07"), None);
    }
}
