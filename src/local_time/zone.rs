//! Time zones: this machine's, and how a request names one.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

/// The variable with the time zone of a process.
const VARIABLE: &str = "TZ";

/// The error about a `TZ` that names no time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a variável TZ diz {0:?}, e não há esse fuso horário; use um nome como America/Sao_Paulo")]
pub struct UnknownZone(String);

/// The time zone of this machine: that of `TZ`, or else the system's, which is UTC if the system names none.
///
/// # Errors
/// If `TZ` names no time zone.
pub(super) fn here() -> Result<TimeZone, UnknownZone> {
    TimeZone::try_system().or_else(|_| match std::env::var_os(VARIABLE) {
        Some(name) => Err(UnknownZone(name.to_string_lossy().into_owned())),
        None => Ok(TimeZone::UTC),
    })
}

/// The error about the `TZ` of this process, if it names no time zone. Times are then those of UTC.
pub fn unknown_zone() -> Option<UnknownZone> {
    here().err()
}

/// The zone with an IANA name, or of a rule as `TZ` has it by POSIX.
pub(super) fn named(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).or_else(|_| TimeZone::posix(name)).ok()
}

/// The name by which another machine knows a zone of this one: the IANA name, or else a rule. A zone that has
/// neither, such as that of a file, is named by its offset of now.
pub(super) fn name_of(zone: &TimeZone) -> String {
    if let Some(name) = zone.iana_name() {
        return name.to_owned();
    }
    let rule = std::env::var(VARIABLE).ok().filter(|rule| TimeZone::posix(rule).is_ok());
    rule.unwrap_or_else(|| rule_of(zone.to_offset(Timestamp::now())))
}

/// The rule of a zone with one offset: `<-0300>+3:00:00`. POSIX counts to the west.
fn rule_of(offset: Offset) -> String {
    let (east, west) = if offset.is_negative() { ('-', '+') } else { ('+', '-') };
    let seconds = offset.seconds().abs();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("<{east}{hours:02}{minutes:02}>{west}{hours}:{minutes:02}:{:02}", seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_known_by_its_name_or_its_rule() {
        let noon: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
        let hour = |name: &str| named(name).map(|zone| zone.to_datetime(noon).hour());
        // The executable has a table of zones for systems that have none.
        for (name, expected) in [("UTC", 12), ("America/Sao_Paulo", 9), ("<-03>3", 9), ("BRT3", 9)] {
            assert_eq!(hour(name), Some(expected), "{name}");
        }
        for name in ["", "Lua/Cratera", "America/Sao_Paolo", "../etc/passwd", "<-03>", "3"] {
            assert_eq!(hour(name), None, "{name}");
        }
    }

    #[test]
    fn an_offset_reads_back_from_its_rule() {
        for seconds in [-10_800, 0, 19_800, -12_600, 50_400, 75_600, -43_200, -1_172] {
            let offset = Offset::from_seconds(seconds).unwrap();
            let rule = rule_of(offset);
            let zone = named(&rule).unwrap_or_else(|| panic!("{rule}"));
            assert_eq!(zone.to_offset(Timestamp::UNIX_EPOCH), offset, "{rule}");
        }
        assert_eq!(name_of(&TimeZone::UTC), "UTC");
    }
}
