//! Days near to today, as people write the expiry of goods: `5/12`, `05/12/2026`, `2026-12-05`.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A text that is no day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("não é um dia; use hoje, amanhã, 5/12, 05/12/2026 ou 2026-12-05")]
pub struct NotADay;

/// Reads a day. Without its year, the day nearest to today is meant: on 30 November `5/1` is of the next year,
/// and `28/11` of this one, two days ago.
///
/// # Errors
/// If the text is no day.
pub fn parse_near_day(text: &str) -> Result<Date, NotADay> {
    parse_near_day_at(text, today())
}

/// The day of now, in the time zone of this machine.
pub fn today() -> Date {
    TimeZone::system().to_datetime(Timestamp::now()).date()
}

fn parse_near_day_at(text: &str, today: Date) -> Result<Date, NotADay> {
    let text = text.trim();
    match text.to_lowercase().as_str() {
        "hoje" => return Ok(today),
        "amanha" | "amanhã" => return today.tomorrow().map_err(|_| NotADay),
        _ => {}
    }
    let is_digits = |part: &str, digits: std::ops::RangeInclusive<usize>| {
        digits.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let number = |part: &str| part.parse::<i16>().map_err(|_| NotADay);
    let date = |year, month: &str, day: &str| {
        let (month, day) = (i8::try_from(number(month)?), i8::try_from(number(day)?));
        Date::new(year, month.map_err(|_| NotADay)?, day.map_err(|_| NotADay)?).map_err(|_| NotADay)
    };
    if let [year, month, day] = text.split('-').collect::<Vec<_>>()[..] {
        let is_iso = is_digits(year, 4..=4) && is_digits(month, 2..=2) && is_digits(day, 2..=2);
        return if is_iso { date(number(year)?, month, day) } else { Err(NotADay) };
    }
    match text.split('/').collect::<Vec<_>>()[..] {
        [day, month] if is_digits(day, 1..=2) && is_digits(month, 1..=2) => {
            let years = [today.year(), today.year() + 1, today.year() - 1];
            let dates = years.into_iter().filter_map(|year| date(year, month, day).ok());
            dates.min_by_key(|date| (*date - today).get_days().abs()).ok_or(NotADay)
        }
        [day, month, year] if is_digits(day, 1..=2) && is_digits(month, 1..=2) => match year.len() {
            2 if is_digits(year, 2..=2) => date(2000 + number(year)?, month, day),
            4 if is_digits(year, 4..=4) => date(number(year)?, month, day),
            _ => Err(NotADay),
        },
        _ => Err(NotADay),
    }
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
            assert_eq!(parse_near_day_at(text, today), Ok(day.parse().unwrap()), "{text}");
        }
        for text in
            ["", "5", "5/13", "31/11", "29/2", "5-12", "2026-5-1", "5/12/026", "+5/12", "12/2026", "5.12"]
        {
            assert_eq!(parse_near_day_at(text, today), Err(NotADay), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_day_without_its_year_is_within_half_a_year(days in 0_i32..20_000, ahead in -180_i32..180) {
            let day = |days: i32| Date::new(2000, 1, 1).unwrap() + jiff::Span::new().days(days);
            let (today, meant) = (day(days), day(days + ahead));
            let text = format!("{}/{}", meant.day(), meant.month());
            prop_assert_eq!(parse_near_day_at(&text, today), Ok(meant));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,12}|[0-9]{0,4}[-/][0-9]{0,4}[-/]?[0-9]{0,4}") {
            let _ = parse_near_day(&text);
        }
    }
}
