//! Points in time, as `xsd:dateTime` writes them.

/// The point in time an `xsd:dateTime` stands for (RFC 7643 §2.3.5); ordered in time, exact to
/// every digit of the fraction.
///
/// Values with different offsets that mean the same time are equal. A value without an offset is
/// taken as UTC. `24:00:00` is the next day's beginning, and a leap second (`:60`, which RFC 3339
/// has but `xsd:dateTime` has not) the next minute's.
///
/// ```
/// use scim_filter::compare::Instant;
/// let utc = Instant::parse("2011-05-13T04:42:34.50Z");
/// assert!(utc.is_some());
/// assert_eq!(utc, Instant::parse("2011-05-12T21:42:34.5-07:00"));
/// assert!(utc > Instant::parse("2011-05-13T04:42:34.4999999999Z"));
/// assert_eq!(Instant::parse("2011-05-13"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant<'t> {
    // Since 1970 in UTC.
    seconds: i64,
    // INVARIANT: decimal digits that do not end in `0`, so that their order as text is that of
    // the fractions.
    fraction: &'t str,
}

impl<'t> Instant<'t> {
    /// The instant `text` stands for, if it is a date-time.
    pub fn parse(text: &'t str) -> Option<Self> {
        let mut at = Cursor { rest: text.as_bytes() };
        let negative = at.eat(b'-');
        let year_digits = at.digit_run();
        // Nine digits keep every sum below within `i64`; more than four must not begin with a zero.
        let year = match year_digits {
            [b'0', _, _, _, _, ..] => return None,
            [_, _, _, _, ..] if year_digits.len() <= 9 => number(year_digits),
            _ => return None,
        };
        let year = if negative { -year } else { year };
        let month = at.after(b'-')?.two()?;
        let day = at.after(b'-')?.two()?;
        let hour = at.after(b'T')?.two()?;
        let minute = at.after(b':')?.two()?;
        let second = at.after(b':')?.two()?;
        let fraction = if at.eat(b'.') {
            let start = text.len() - at.rest.len();
            let digits = at.digit_run().len();
            if digits == 0 {
                return None;
            }
            text.get(start..start + digits)?.trim_end_matches('0')
        } else {
            ""
        };
        let offset = at.offset()?;

        let midnight = hour == 24 && minute == 0 && second == 0 && fraction.is_empty();
        if !(1..=12).contains(&month)
            || !(1..=days_in_month(year, month)).contains(&day)
            || !(hour < 24 || midnight)
            || minute > 59
            || second > 60
        {
            return None;
        }
        let seconds =
            days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset;
        Some(Self { seconds, fraction })
    }

    /// INVARIANT: `fraction` is that of an instant that was parsed.
    pub(crate) fn from_parts(seconds: i64, fraction: &'t str) -> Self {
        Self { seconds, fraction }
    }

    /// Whole seconds since 1970-01-01T00:00:00Z; what is later by less than one is
    /// [`fraction`](Self::fraction).
    pub fn unix_seconds(&self) -> i64 {
        self.seconds
    }

    /// The digits behind the decimal point, without trailing zeros.
    pub fn fraction(&self) -> &'t str {
        self.fraction
    }
}

struct Cursor<'t> {
    rest: &'t [u8],
}

impl<'t> Cursor<'t> {
    fn eat(&mut self, byte: u8) -> bool {
        match self.rest {
            [first, rest @ ..] if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn after(&mut self, byte: u8) -> Option<&mut Self> {
        self.eat(byte).then_some(self)
    }

    fn two(&mut self) -> Option<i64> {
        match self.rest {
            [a @ b'0'..=b'9', b @ b'0'..=b'9', rest @ ..] => {
                self.rest = rest;
                Some(number(&[*a, *b]))
            }
            _ => None,
        }
    }

    fn digit_run(&mut self) -> &'t [u8] {
        let count = self.rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at_checked(count).unwrap_or((self.rest, &[]));
        self.rest = rest;
        digits
    }

    /// `Z`, `+hh:mm`, `-hh:mm` up to 14 hours, or nothing; then the end. In seconds.
    fn offset(&mut self) -> Option<i64> {
        let sign = match self.rest {
            [] | [b'Z'] => return Some(0),
            [b'+', rest @ ..] => {
                self.rest = rest;
                1
            }
            [b'-', rest @ ..] => {
                self.rest = rest;
                -1
            }
            _ => return None,
        };
        let hours = self.two()?;
        let minutes = self.after(b':')?.two()?;
        let valid = self.rest.is_empty() && minutes < 60 && hours * 60 + minutes <= 14 * 60;
        valid.then_some(sign * (hours * 3_600 + minutes * 60))
    }
}

fn number(digits: &[u8]) -> i64 {
    digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'))
}

fn is_leap_year(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap_year(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of the Gregorian calendar, carried backwards before its time.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    // Counted from the first of March, so that the leap day is the last of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // From March on, five months in turn have 153 days.
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + leap_days + day_of_year - DAYS_TO_1970
}

/// From the first of March of the year 0.
const DAYS_TO_1970: i64 = 719_468;
