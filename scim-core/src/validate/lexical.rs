//! The forms that strings of some types must have.

/// `xsd:dateTime` (XML Schema Part 2 §3.2.7), as RFC 7643 §2.3.5 asks: date and time, a fraction
/// and a time zone if wanted.
pub(super) fn is_date_time(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let Some((date, rest)) = text.split_once('T') else { return false };
    let mut date = date.split('-');
    let (Some(year), Some(month), Some(day), None) = (date.next(), date.next(), date.next(), date.next())
    else {
        return false;
    };
    let Some(year_number) = (year.len() >= 4).then(|| digits(year)).flatten() else { return false };
    if year.len() > 4 && year.starts_with('0') {
        return false;
    }
    let (Some(month), Some(day)) = (two_digits(month), two_digits(day)) else { return false };
    let day_fits = (1..=days_of(year_number, month)).contains(&day);
    let (time, zone) = match rest.find(['Z', '+', '-']) {
        Some(start) => rest.split_at(start),
        None => (rest, ""),
    };
    day_fits && is_time(time) && is_zone(zone)
}

/// Base64 of RFC 4648 §4 or §5, whose padding may be left out (RFC 7643 §2.3.6).
pub(super) fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let padding = text.len() - body.len();
    let standard = body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte));
    let url_safe = body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let length_fits = match body.len() % 4 {
        0 => padding == 0,
        2 => padding == 0 || padding == 2,
        3 => padding <= 1,
        _ => false,
    };
    (standard || url_safe) && length_fits
}

fn is_time(text: &str) -> bool {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let mut parts = whole.split(':').map(two_digits);
    let (Some(Some(hour)), Some(Some(minute)), Some(Some(second)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let fraction_fits =
        fraction.is_none_or(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()));
    let no_fraction = fraction.is_none_or(|digits| digits.bytes().all(|byte| byte == b'0'));
    let in_day = hour < 24 && minute < 60 && second < 60;
    // The end of the day is written so as well.
    let end_of_day = (hour, minute, second) == (24, 0, 0) && no_fraction;
    fraction_fits && (in_day || end_of_day)
}

fn is_zone(text: &str) -> bool {
    let Some(offset) = text.strip_prefix(['+', '-']) else { return text.is_empty() || text == "Z" };
    let Some((hour, minute)) = offset.split_once(':') else { return false };
    match (two_digits(hour), two_digits(minute)) {
        (Some(hour), Some(minute)) => (hour < 14 && minute < 60) || (hour, minute) == (14, 0),
        _ => false,
    }
}

fn days_of(year: u64, month: u64) -> u64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    }
}

fn two_digits(text: &str) -> Option<u64> {
    (text.len() == 2).then(|| digits(text)).flatten()
}

fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_times_are_those_of_xml_schema() {
        for text in [
            "2008-01-23T04:56:22Z",
            "2011-05-13T04:42:34.123456789+02:00",
            "2011-05-13T04:42:34-14:00",
            "2011-05-13T04:42:34",
            "2024-02-29T24:00:00Z",
            "-0044-03-15T12:00:00Z",
            "12008-01-23T04:56:22Z",
        ] {
            assert!(is_date_time(text), "{text}");
        }
        for text in [
            "",
            "2008-01-23",
            "2008-01-23 04:56:22Z",
            "2008-01-23t04:56:22z",
            "2008-1-23T04:56:22Z",
            "2008-13-23T04:56:22Z",
            "2023-02-29T04:56:22Z",
            "1900-02-29T04:56:22Z",
            "2008-01-32T04:56:22Z",
            "2008-01-00T04:56:22Z",
            "2008-01-23T25:00:00Z",
            "2008-01-23T24:00:01Z",
            "2008-01-23T24:00:00.1Z",
            "2008-01-23T04:60:22Z",
            "2008-01-23T04:56:60Z",
            "2008-01-23T04:56Z",
            "2008-01-23T04:56:22.Z",
            "2008-01-23T04:56:22+14:01",
            "2008-01-23T04:56:22+2",
            "2008-01-23T04:56:22ZZ",
            "02008-01-23T04:56:22Z",
            "208-01-23T04:56:22Z",
            "99999999999999999999999-01-23T04:56:22Z",
            "2008-01-23-01T04:56:22Z",
            "+008-01-23T04:56:22Z",
        ] {
            assert!(!is_date_time(text), "{text}");
        }
    }

    #[test]
    fn base64_has_either_alphabet_and_may_lack_padding() {
        for text in ["", "TWFu", "TWE=", "TWE", "TQ==", "TQ", "-_8", "+/8="] {
            assert!(is_base64(text), "{text}");
        }
        for text in ["T", "TWFu=", "TQ=", "TQ===", "T=Q=", "TW Fu", "-/8=", "TWFuT", "é"] {
            assert!(!is_base64(text), "{text}");
        }
    }
}
