//! The time zone of the tests, in which no day ends while they run.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};

/// Zones as POSIX writes them, so that no test needs the system's table of zones, with the hours that they are
/// behind Greenwich: São Paulo's, and one in which it is then early afternoon if São Paulo's day ends soon.
const ZONES: [(&str, i8); 2] = [("<-03>3", 3), ("<-12>12", 12)];

/// Longer than the slowest run of all tests, so that what a test does is all of one day.
const RUN_MAX: Duration = Duration::from_secs(2 * 60 * 60);

/// The zone, which is one for all tests of a run.
fn zone() -> (&'static str, i8) {
    static ZONE: OnceLock<(&str, i8)> = OnceLock::new();
    *ZONE.get_or_init(|| {
        let now = SystemTime::now();
        let [usual, other] = ZONES;
        if date(now, usual.1) == date(now + RUN_MAX, usual.1) { usual } else { other }
    })
}

fn date(time: SystemTime, hours_behind: i8) -> Date {
    let zone = TimeZone::fixed(Offset::constant(-hours_behind));
    zone.to_datetime(Timestamp::try_from(time).unwrap()).date()
}

/// The value of `TZ`.
pub(crate) fn time_zone() -> &'static str {
    zone().0
}

/// The end of a time in the zone: `-03:00`.
pub(crate) fn offset() -> String {
    format!("-{:02}:00", zone().1)
}

/// Today in the zone.
pub(crate) fn today() -> Date {
    date(SystemTime::now(), zone().1)
}

#[test]
fn the_day_of_a_zone_does_not_end_soon() {
    // Each minute of a day.
    for minutes in 0..24 * 60 {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(minutes * 60);
        let is_quiet = |hours_behind| date(now, hours_behind) == date(now + RUN_MAX, hours_behind);
        assert!(ZONES.iter().any(|(_, hours_behind)| is_quiet(*hours_behind)), "{minutes}");
    }
}
