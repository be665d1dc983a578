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

/// What a request says the version of its resource must be (RFC 7644 §3.14, RFC 9110 §13).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Preconditions {
    if_match: Option<Condition>,
    if_none_match: Option<Condition>,
    // Whether the version stands in a bulk operation rather than in `If-Match`.
    in_bulk: bool,
}

/// The header of a precondition that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unmet {
    IfMatch,
    IfNoneMatch,
    /// No header: the `version` of a bulk operation (RFC 7644 §3.7).
    Version,
}

/// The versions a conditional header names.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    /// `*`
    Any,
    /// Any of these; tags that are none of ours match nothing.
    OneOf(Vec<Version>),
}

impl Preconditions {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self {
            if_match: Condition::read(headers, &header::IF_MATCH),
            if_none_match: Condition::read(headers, &header::IF_NONE_MATCH),
            in_bulk: false,
        }
    }

    /// Those of an operation of a bulk request, whose `version` is the `If-Match` of `headers`.
    pub(crate) fn of_operation(headers: &HeaderMap) -> Self {
        Self { in_bulk: true, ..Self::of(headers) }
    }

    /// What does not hold where the version is another one.
    pub(crate) fn other_version(&self) -> Unmet {
        if self.in_bulk { Unmet::Version } else { Unmet::IfMatch }
    }

    /// Whether a write may be made on `version`: one that `If-Match` names and `If-None-Match` does not.
    pub(crate) fn permit_write(&self, version: Version) -> Result<(), Unmet> {
        self.permit_read(version)?;
        if self.is_known(version) { Err(Unmet::IfNoneMatch) } else { Ok(()) }
    }

    /// Whether `version` may be read: one that `If-Match` names.
    pub(crate) fn permit_read(&self, version: Version) -> Result<(), Unmet> {
        let met = self.if_match.as_ref().is_none_or(|condition| condition.names(version));
        if met { Ok(()) } else { Err(self.other_version()) }
    }

    /// Whether the client has `version`, by `If-None-Match`: it need not be sent.
    pub(crate) fn is_known(&self, version: Version) -> bool {
        self.if_none_match.as_ref().is_some_and(|condition| condition.names(version))
    }

    /// Whether the client says by `If-Match` which version it means, so that no newer one will do.
    pub(crate) fn name_version(&self) -> bool {
        matches!(self.if_match, Some(Condition::OneOf(_)))
    }

    /// Whether it depends on the version whether a write may be made.
    pub(crate) fn depend_on_version(&self) -> bool {
        self.name_version() || matches!(self.if_none_match, Some(Condition::OneOf(_)))
    }
}

impl Condition {
    /// Whether the condition names `version`. Weak comparison: SCIM's tags are weak, and RFC 7644
    /// uses them in `If-Match`, where RFC 9110 §13.1.1 would let no weak tag match.
    fn names(&self, version: Version) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(versions) => versions.contains(&version),
        }
    }

    fn read(headers: &HeaderMap, name: &HeaderName) -> Option<Self> {
        let mut versions = None;
        for value in headers.get_all(name) {
            let text = value.to_str().unwrap_or_default().trim();
            if text == "*" {
                return Some(Self::Any);
            }
            versions
                .get_or_insert_with(Vec::new)
                .extend(tags(text).filter_map(|tag| tag.parse::<Version>().ok()));
        }
        versions.map(Self::OneOf)
    }
}

/// The elements of a list of entity tags; a comma between quotes is part of a tag.
fn tags(list: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let between = move |c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    };
    list.split(between).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(values: &[&str]) -> Option<Condition> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::IF_MATCH, value.parse().unwrap());
        }
        Condition::read(&headers, &header::IF_MATCH)
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
        // `*` stands alone; within a tag, and beside others, it is none.
        for value in ["\"a,*,b\"", "\"x\", *", "\"a, W/\"1\", b\""] {
            assert_eq!(condition(&[value]), Some(Condition::OneOf(Vec::new())), "{value}");
        }
        let comma = condition(&["\"a,b\", W/\"1\""]).unwrap();
        assert_eq!(comma, Condition::OneOf(vec![Version(1)]));
    }
}
