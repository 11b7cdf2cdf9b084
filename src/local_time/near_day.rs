//! Days near to today, as people write the expiry of goods: `5/12`, `05/12/2026`, `2026-12-05`.

use std::ops::RangeInclusive;

use jiff::civil::Date;

/// A text that is no day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("não é um dia; use hoje, amanhã, 5/12, 05/12/2026 ou 2026-12-05")]
pub struct NotADay;

/// The first year that a day may be of. Nothing was recorded before, so an earlier one is a slip, such as `0026`.
const YEAR_MIN: i16 = 1970;

/// The century of a year of two digits.
const CENTURY: i16 = 2000;

/// Reads a day. Without its year, the day nearest to today is meant: on 30 November `5/1` is of the next year,
/// and `28/11` of this one, two days ago.
///
/// # Errors
/// If the text is no day.
pub fn parse_near_day(text: &str, today: Date) -> Result<Date, NotADay> {
    let text = text.trim();
    match text.to_lowercase().as_str() {
        "hoje" => return Ok(today),
        "amanha" | "amanhã" => return today.tomorrow().map_err(|_| NotADay),
        _ => {}
    }
    let near = |(day, month): (&str, &str)| {
        let years = [today.year(), today.year() + 1, today.year() - 1];
        let dates =
            years.into_iter().filter_map(|year| date(year, number(month, 1..=2)?, number(day, 1..=2)?));
        dates.min_by_key(|date| (*date - today).get_days().abs())
    };
    parse_date(text).or_else(|| text.split_once('/').and_then(near)).ok_or(NotADay)
}

/// Reads a date with its year: `2026-12-05`, `5/12/2026` or `5/12/26`.
pub(super) fn parse_date(text: &str) -> Option<Date> {
    if let [year, month, day] = text.split('-').collect::<Vec<_>>()[..] {
        return date(number(year, 4..=4)?, number(month, 2..=2)?, number(day, 2..=2)?);
    }
    let [day, month, year] = text.split('/').collect::<Vec<_>>()[..] else { return None };
    let year = match year.len() {
        2 => CENTURY + number(year, 2..=2)?,
        _ => number(year, 4..=4)?,
    };
    date(year, number(month, 1..=2)?, number(day, 1..=2)?)
}

/// Reads a number of so many digits.
fn number(text: &str, digits: RangeInclusive<usize>) -> Option<i16> {
    let is_number = digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

fn date(year: i16, month: i16, day: i16) -> Option<Date> {
    let date = Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()?;
    Some(date).filter(|date| is_plausible(*date))
}

/// Whether a date is of a year that people mean.
pub(super) fn is_plausible(date: Date) -> bool {
    date.year() >= YEAR_MIN
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_day_reads_as_people_write_it() {
        let today: Date = "2026-11-30".parse().unwrap();
        for (text, day) in [
            ("5/12", "2026-12-05"),
            ("05/12", "2026-12-05"),
            ("5/1", "2027-01-05"),
            ("28/11", "2026-11-28"),
            ("05/12/2026", "2026-12-05"),
            ("5/12/26", "2026-12-05"),
            ("2026-12-05", "2026-12-05"),
            ("hoje", "2026-11-30"),
            ("Amanhã", "2026-12-01"),
            ("1/5", "2027-05-01"),
            ("1/6/2026", "2026-06-01"),
        ] {
            assert_eq!(parse_near_day(text, today), Ok(day.parse().unwrap()), "{text}");
        }
        for text in [
            "",
            "5",
            "5/13",
            "31/11",
            "29/2",
            "5-12",
            "2026-5-1",
            "5/12/026",
            "+5/12",
            "12/2026",
            "5.12",
            "5/12/0026",
            "0026-12-05",
            "5/12/1969",
            "5/12/+26",
        ] {
            assert_eq!(parse_near_day(text, today), Err(NotADay), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_day_without_its_year_is_within_half_a_year(days in 0_i32..20_000, ahead in -180_i32..180) {
            let day = |days: i32| Date::new(2000, 1, 1).unwrap() + jiff::Span::new().days(days);
            let (today, meant) = (day(days), day(days + ahead));
            let text = format!("{}/{}", meant.day(), meant.month());
            prop_assert_eq!(parse_near_day(&text, today), Ok(meant));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,12}|[0-9]{0,4}[-/][0-9]{0,4}[-/]?[0-9]{0,4}") {
            let _ = parse_near_day(&text, Date::new(2026, 11, 30).unwrap());
        }
    }
}
