//! Versions as entity tags, and the conditional requests that name them (RFC 7644 §3.14).

use std::fmt;
use std::str::FromStr;

use http::{HeaderMap, HeaderName, header};

use crate::Version;

/// The weak entity tag: `W/"7"`.
///
/// ```
/// use scim_core::Version;
/// assert_eq!(Version(7).to_string(), "W/\"7\"");
/// assert_eq!("W/\"7\"".parse(), Ok(Version(7)));
/// ```
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "W/\"{}\"", self.0)
    }
}

/// A text that is no version of this service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an entity tag of a version, such as `W/\"7\"`")]
pub struct InvalidVersion;

/// Reads the tag with or without the `W/` of a weak one: some clients drop it.
impl FromStr for Version {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let quoted = text.strip_prefix("W/").unwrap_or(text);
        let digits =
            quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or(InvalidVersion)?;
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidVersion);
        }
        digits.parse().map(Self).map_err(|_| InvalidVersion)
    }
}

/// The versions a conditional header names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// `*`
    Any,
    /// Any of these; tags that are none of ours match nothing.
    OneOf(Vec<Version>),
}

impl Condition {
    /// `If-Match`: the write is made only on one of these versions.
    pub(crate) fn if_match(headers: &HeaderMap) -> Option<Self> {
        Self::read(headers, &header::IF_MATCH)
    }

    /// `If-None-Match`: the resource is sent only in another version than these.
    pub(crate) fn if_none_match(headers: &HeaderMap) -> Option<Self> {
        Self::read(headers, &header::IF_NONE_MATCH)
    }

    /// Whether the condition names `version`. Weak comparison: SCIM's tags are weak, and RFC 7644
    /// uses them in `If-Match`.
    pub(crate) fn names(&self, version: Version) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(versions) => versions.contains(&version),
        }
    }

    fn read(headers: &HeaderMap, name: &HeaderName) -> Option<Self> {
        let mut versions = None;
        for value in headers.get_all(name) {
            let tags = value.to_str().unwrap_or_default();
            for tag in tags.split(',').map(str::trim) {
                if tag == "*" {
                    return Some(Self::Any);
                }
                versions.get_or_insert_with(Vec::new).extend(tag.parse::<Version>());
            }
        }
        versions.map(Self::OneOf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(values: &[&str]) -> Option<Condition> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::IF_MATCH, value.parse().unwrap());
        }
        Condition::if_match(&headers)
    }

    #[test]
    fn only_our_own_tags_are_versions() {
        for text in
            ["", "7", "W/7", "W/\"\"", "\"+7\"", "W/\"7", "w/\"7\"", "W/\"99999999999999999999\"", "*"]
        {
            assert_eq!(text.parse::<Version>(), Err(InvalidVersion), "{text}");
        }
        assert_eq!("\"7\"".parse(), Ok(Version(7)));
    }

    #[test]
    fn conditions_list_tags() {
        assert_eq!(condition(&[]), None);
        assert_eq!(condition(&["*"]), Some(Condition::Any));
        let several = condition(&["W/\"1\", \"2\"", "W/\"abc\",W/\"3\""]).unwrap();
        assert_eq!(several, Condition::OneOf(vec![Version(1), Version(2), Version(3)]));
        assert!(several.names(Version(2)) && !several.names(Version(4)));
    }

    #[test]
    fn a_condition_nobody_understands_matches_nothing() {
        assert!(!condition(&["nonsense"]).unwrap().names(Version(1)));
        assert!(!condition(&[""]).unwrap().names(Version(1)));
    }
}
