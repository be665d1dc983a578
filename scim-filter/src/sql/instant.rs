//! Instants as columns hold them.

use super::leaf::Near;
use crate::compare::Instant;

/// Text that sorts in time, exact to every digit of the fraction: `2011-05-13T04:42:34.5`, always
/// in UTC, without trailing zeros, and without the `Z` that would sort behind a point.
///
/// Years that do not have four digits begin with a sign that sorts before or behind them all.
pub(super) fn key(instant: Instant<'_>) -> String {
    let civil = Civil::of(instant.unix_seconds());
    let mut key = match civil.year {
        0..=9_999 => format!("{:04}", civil.year),
        10_000.. => format!("~{:010}", civil.year),
        _ => format!("!{:010}", 1_000_000_000 + civil.year),
    };
    key.push_str(&civil.behind_year('T'));
    if !instant.fraction().is_empty() {
        key.push('.');
        key.push_str(instant.fraction());
    }
    key
}

/// Among RFC 3339 texts in UTC with `digits` behind the point.
pub(super) fn rfc3339(instant: Instant<'_>, digits: u32) -> Near<String> {
    let civil = Civil::of(instant.unix_seconds());
    let (fraction, exact) = cut(instant.fraction(), digits);
    let point = if digits == 0 { "" } else { "." };
    match civil.year {
        0..=9_999 => {
            let text = format!("{:04}{}{point}{fraction}Z", civil.year, civil.behind_year('T'));
            if exact { Near::At(text) } else { Near::Above(text) }
        }
        10_000.. => Near::Above(format!("9999-12-31T23:59:59{point}{}Z", "9".repeat(digits as usize))),
        _ => Near::Below,
    }
}

/// Among Unix times that count units of 10 to the `-digits` seconds.
pub(super) fn ticks(instant: Instant<'_>, digits: u32) -> Near<i64> {
    let (fraction, exact) = cut(instant.fraction(), digits);
    let ticks = i128::from(instant.unix_seconds()) * 10_i128.pow(digits) + fraction.parse().unwrap_or(0);
    match i64::try_from(ticks) {
        Ok(ticks) if exact => Near::At(ticks),
        Ok(ticks) => Near::Above(ticks),
        Err(_) if ticks.is_positive() => Near::Above(i64::MAX),
        Err(_) => Near::Below,
    }
}

/// Among `timestamptz`, as text to be cast to it.
pub(super) fn timestamp(instant: Instant<'_>) -> Near<String> {
    let civil = Civil::of(instant.unix_seconds());
    let (fraction, exact) = cut(instant.fraction(), 6);
    // PostgreSQL knows 4713 BC to 294276 AD.
    let (year, era) = match civil.year {
        1..=294_275 => (civil.year, ""),
        -4_711..=0 => (1 - civil.year, " BC"),
        294_276.. => return Near::Above("294275-12-31 23:59:59.999999+00".to_owned()),
        _ => return Near::Below,
    };
    let text = format!("{year:04}{}.{fraction}+00{era}", civil.behind_year(' '));
    if exact { Near::At(text) } else { Near::Above(text) }
}

/// As many digits of a fraction, and whether they are all of it.
fn cut(fraction: &str, digits: u32) -> (String, bool) {
    let digits = digits as usize;
    let cut = fraction.get(..digits).unwrap_or(fraction);
    (format!("{cut:0<digits$}"), fraction.len() <= digits)
}

/// A Unix time in the Gregorian calendar.
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    second_of_day: i64,
}

impl Civil {
    fn of(seconds: i64) -> Self {
        // Counted from the first of March of the year 0, so that the leap day is the last of its year.
        let days = seconds.div_euclid(86_400) + 719_468;
        let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        // The day the last of each leap year would be is not counted.
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day_of_year = day - (365 * year + year / 4 - year / 100);
        // From March on, five months in turn have 153 days.
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        Self { year: era * 400 + year + next, month, day, second_of_day: seconds.rem_euclid(86_400) }
    }

    fn behind_year(&self, separator: char) -> String {
        let Self { month, day, second_of_day: second, .. } = self;
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        format!("-{month:02}-{day:02}{separator}{hour:02}:{minute:02}:{second:02}")
    }
}
