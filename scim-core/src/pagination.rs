//! Pages of lists: by index (RFC 7644 §3.4.2.4) and by cursor (RFC 9865).
//!
//! A cursor says behind or before which result a page is, so that nothing is missed or met twice
//! when others write between two pages, and a page deep in a list costs what the first does. What
//! it says is sealed: clients can neither read nor make one, and it is good only for the tenant,
//! endpoint, filter and sort it was made for, until it expires. Which attributes are shown may
//! change from page to page.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::quote;
use crate::{Error, ScimType};

/// How pages by cursor are offered (RFC 9865).
///
/// ```
/// use scim_core::Config;
/// use scim_core::pagination::{CursorKey, Cursors};
///
/// let key = CursorKey::new("32 bytes that all processes share")?;
/// let cursors = Cursors::new(key);
/// assert_eq!(cursors.timeout.map(|timeout| timeout.as_secs()), Some(3600));
/// let config = Config { cursors: Some(cursors), ..Config::new("https://example.com/scim/v2".parse()?) };
/// assert!(!format!("{config:?}").contains("32 bytes"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Cursors {
    /// What cursors are sealed with.
    pub key: CursorKey,
    /// `cursorTimeout`: how long a cursor is good for, counted from the page it came with; `None`
    /// is for ever.
    pub timeout: Option<Duration>,
    /// `defaultPaginationMethod`: how a request is answered that names neither `startIndex` nor
    /// `cursor`.
    pub default_method: PaginationMethod,
}

impl Cursors {
    /// Cursors that last an hour, for those who ask for them: RFC 9865 §2.4 has index as the
    /// default method for clients that know no other.
    pub fn new(key: CursorKey) -> Self {
        let timeout = Some(Duration::from_secs(3600));
        Self { key, timeout, default_method: PaginationMethod::Index }
    }
}

/// How a list is paged through (RFC 9865 §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PaginationMethod {
    /// `index`
    #[default]
    Index,
    /// `cursor`
    Cursor,
}

impl PaginationMethod {
    /// The method as RFC 9865 spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Cursor => "cursor",
        }
    }
}

/// The secret that cursors are sealed with: the same in every process that serves the same lists,
/// and kept when they start anew, or the cursors given out before become invalid.
///
/// Its `Debug` form does not show it.
#[derive(Clone)]
pub struct CursorKey(Arc<[u8]>);

/// A key that is too short to keep cursors from being made by others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cursor key must have at least {} bytes", CursorKey::LEAST)]
pub struct ShortKey;

impl CursorKey {
    /// The fewest bytes of a key.
    pub const LEAST: usize = 32;

    /// Takes `bytes` as the key; they should be random.
    ///
    /// # Errors
    ///
    /// [`ShortKey`] for fewer than [`CursorKey::LEAST`].
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, ShortKey> {
        let bytes = bytes.as_ref();
        if bytes.len() < Self::LEAST { Err(ShortKey) } else { Ok(Self(bytes.into())) }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The window of a list request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The 1-based index of the first result.
    pub start_index: usize,
    /// The most resources to return; 0 asks for the total alone.
    pub count: usize,
}

impl Window {
    /// The window two query parameters ask for: a `startIndex` below 1 counts as 1 and one of any length is
    /// taken, a negative `count` counts as 0, none as `default_count`, and no page is larger than `max_results`.
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
        let integer = |name, text| integer(ScimType::InvalidValue, name, text);
        let start_index = start_index.map_or(Ok(1), |text| integer("startIndex", text))?;
        let count = count.map_or(Ok(default_count), |text| integer("count", text))?;
        Ok(Self { start_index: start_index.max(1), count: count.min(max_results) })
    }

    /// The `startIndex` of the answer: that of the request. One that is too large to be counted is not told as
    /// another number; the page is empty, and an answer has to say only where results are from
    /// (RFC 7644 §3.4.2).
    pub fn told_start(&self) -> Option<usize> {
        Some(self.start_index).filter(|start| *start < usize::MAX)
    }
}

/// The size of a page by cursor: as in [`Window::parse`], but what is no integer is `invalidCount`
/// (RFC 9865 §2.1).
pub(crate) fn cursor_count(
    count: Option<&str>,
    default_count: usize,
    max_results: usize,
) -> Result<usize, Error> {
    let count = count.map_or(Ok(default_count), |text| integer(ScimType::InvalidCount, "count", text))?;
    Ok(count.min(max_results))
}

/// An integer of any length; negative ones count as 0, those too large as the largest.
fn integer(scim_type: ScimType, name: &'static str, text: &str) -> Result<usize, Error> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::bad_request(
            scim_type,
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
        assert_eq!(
            (parse(Some(huge), None).told_start(), parse(Some("9"), None).told_start()),
            (None, Some(9))
        );
        assert_eq!(parse(Some("007"), Some("3")), Window { start_index: 7, count: 3 });
    }

    #[test]
    fn a_key_is_long_enough_and_never_shown() {
        assert_eq!(
            CursorKey::new([7; 31]).unwrap_err().to_string(),
            "a cursor key must have at least 32 bytes"
        );
        assert_eq!(format!("{:?}", CursorKey::new([7; 32]).unwrap()), "[redacted]");
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
