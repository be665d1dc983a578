//! Index-based pagination (RFC 7644 §3.4.2.4).

use crate::error::quote;
use crate::{Error, ScimType};

/// The window of a list request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The 1-based index of the first result.
    pub start_index: usize,
    /// The most resources to return; 0 asks for the total alone.
    pub count: usize,
}

impl Window {
    /// The window two query parameters ask for: a `startIndex` below 1 counts as 1, a negative
    /// `count` as 0, none as `default_count`, and no page is larger than `max_results`.
    ///
    /// # Errors
    ///
    /// 400 `invalidValue` for a text that is no integer.
    ///
    /// ```
    /// use scim_core::pagination::Window;
    /// let window = Window::parse(Some("0"), Some("1000"), 100, 200)?;
    /// assert_eq!(window, Window { start_index: 1, count: 200 });
    /// # Ok::<(), scim_core::Error>(())
    /// ```
    pub fn parse(
        start_index: Option<&str>,
        count: Option<&str>,
        default_count: usize,
        max_results: usize,
    ) -> Result<Self, Error> {
        let start_index = start_index.map_or(Ok(1), |text| integer("startIndex", text))?;
        let count = count.map_or(Ok(default_count), |text| integer("count", text))?;
        Ok(Self { start_index: start_index.max(1), count: count.min(max_results) })
    }
}

/// An integer of any length; negative ones count as 0, those too large as the largest.
fn integer(name: &'static str, text: &str) -> Result<usize, Error> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::bad_request(
            ScimType::InvalidValue,
            format!("`{name}` must be an integer, not {}", quote(text)),
        ));
    }
    Ok(if negative { 0 } else { digits.parse().unwrap_or(usize::MAX) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn out_of_range_values_are_brought_into_range() {
        let parse = |start, count| Window::parse(start, count, 10, 50).unwrap();
        assert_eq!(parse(None, None), Window { start_index: 1, count: 10 });
        assert_eq!(parse(Some("0"), Some("0")), Window { start_index: 1, count: 0 });
        assert_eq!(parse(Some("-7"), Some("-7")), Window { start_index: 1, count: 0 });
        let huge = "99999999999999999999999999";
        assert_eq!(parse(Some(huge), Some(huge)), Window { start_index: usize::MAX, count: 50 });
        assert_eq!(parse(Some("007"), Some("3")), Window { start_index: 7, count: 3 });
    }

    #[test]
    fn what_is_no_integer_is_refused() {
        for text in ["", "-", "x", "1.5", "1e3", " 1", "+1", "1-", "٣"] {
            let error = Window::parse(Some(text), None, 10, 50).unwrap_err();
            assert_eq!(error.scim_type(), Some(ScimType::InvalidValue));
            assert_eq!(error.detail(), format!("`startIndex` must be an integer, not `{text}`"));
            assert!(Window::parse(None, Some(text), 10, 50).is_err());
        }
    }
}
