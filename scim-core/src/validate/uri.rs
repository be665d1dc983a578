//! URIs and relative references (RFC 3986), as the values of attributes of type `reference` are (RFC 7643 §2.3.7).

use std::net::Ipv6Addr;

use crate::schema::Attribute;

/// Whether a text is of the form that `attribute`, a reference, has: a URI of what is `external`, or a `uri` as such,
/// and an absolute or relative one of a resource of the service provider. An empty text refers to nothing.
pub(super) fn is_reference_of(attribute: &Attribute, text: &str) -> bool {
    !text.is_empty() && (is_uri(text) || (may_be_relative(attribute) && is_relative(text)))
}

/// Whether the attribute may refer to a resource of the service provider, by a URI relative to its base.
pub(super) fn may_be_relative(attribute: &Attribute) -> bool {
    let types = &attribute.reference_types;
    types.is_empty() || !types.iter().all(|of| matches!(of.as_str(), "external" | "uri"))
}

/// Whether it begins with a scheme (RFC 3986 §3).
fn is_uri(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| is_scheme(scheme) && is_hierarchical(rest))
}

/// Whether it is relative (§4.2): what comes before the first slash is no scheme.
fn is_relative(text: &str) -> bool {
    let first = text.split(['/', '?', '#']).next().unwrap_or_default();
    !first.contains(':') && is_hierarchical(text)
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Authority, path, query and fragment, as far as they are there.
fn is_hierarchical(text: &str) -> bool {
    let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (text, query) = text.split_once('?').unwrap_or((text, ""));
    let path = match text.strip_prefix("//") {
        None => text,
        Some(rest) => {
            let end = rest.find('/').unwrap_or(rest.len());
            let (authority, path) = rest.split_at_checked(end).unwrap_or_default();
            if !is_authority(authority) {
                return false;
            }
            path
        }
    };
    is_made_of(path, b":@/") && is_made_of(query, b":@/?") && is_made_of(fragment, b":@/?")
}

fn is_authority(text: &str) -> bool {
    let (user, place) = text.rsplit_once('@').unwrap_or(("", text));
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (place, ""),
    };
    let host_fits = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok() || is_future_address(address),
        None => is_made_of(host, b""),
    };
    is_made_of(user, b":") && host_fits && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// An address of a version to come: `v7.example`.
fn is_future_address(text: &str) -> bool {
    let parts = text.strip_prefix(['v', 'V']).and_then(|text| text.split_once('.'));
    parts.is_some_and(|(version, address)| {
        let is_version = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_version && !address.is_empty() && !address.contains('%') && is_made_of(address, b":")
    })
}

/// Whether all of it is unreserved, a sub-delimiter, escaped, or one of `others` (§2).
fn is_made_of(text: &str, others: &[u8]) -> bool {
    let is_plain = |byte: &u8| {
        byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(byte) || others.contains(byte)
    };
    let mut parts = text.split('%').map(str::as_bytes);
    let is_escaped = |part: &[u8]| match part {
        [high, low, rest @ ..] => {
            high.is_ascii_hexdigit() && low.is_ascii_hexdigit() && rest.iter().all(is_plain)
        }
        _ => false,
    };
    parts.next().is_none_or(|first| first.iter().all(is_plain)) && parts.all(is_escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_those_of_rfc_3986() {
        for text in [
            "https://photos.example.com/profilephoto/72930000000Ccne/F",
            "https://example.com",
            "ftp://ftp.is.co.za/rfc/rfc1808.txt",
            "http://www.ietf.org/rfc/rfc2396.txt#section?",
            "ldap://[2001:db8::7]/c=GB?objectClass?one",
            "http://[v7.a:b]:80/",
            "mailto:John.Doe@example.com",
            "news:comp.infosystems.www.servers.unix",
            "tel:+1-816-555-1212",
            "telnet://user:p%40ss@192.0.2.16:80/",
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "data:image/png;base64,iVBORw0KGgo=",
            "file:///etc/hosts",
            "a:",
            "HTTPS://EXAMPLE.COM:/a//b/%E2%82%AC/",
        ] {
            assert!(is_uri(text), "{text}");
        }
        for text in [
            "",
            "PSEDIKWEYFMO",
            "www.example.com/babs",
            "../Users/7",
            ":a",
            "1a:b",
            "a_b:c",
            "https://exa mple.com/",
            "https://example.com/\u{e9}",
            "https://example.com/%E",
            "https://example.com/%zz",
            "https://example.com/a#b#c",
            "https://example.com/[a]",
            "https://example.com/\"",
            "https://example.com/a\\b",
            "https://example.com/<a>",
            "https://example.com:port/",
            "https://[2001:db8::g]/",
            "https://[v7.]/",
            "https://[v.a]/",
            "https://[::1/",
            "https://::1]/",
            "https://a@b@c/",
            "https://{host}/",
            "https://example.com/\n",
        ] {
            assert!(!is_uri(text), "{text}");
        }
    }

    #[test]
    fn relative_references_have_no_scheme() {
        for text in [
            "User",
            "../Users/2819c223-7f76-453a-919d-413861904646",
            "/v2/Users/1?a=b:c#d",
            "./a:b",
            "//example.com/a",
            "?a",
            "#a",
            "a%20b",
        ] {
            assert!(is_relative(text) && !is_uri(text), "{text}");
        }
        for text in ["a:b", "1:2", "../a b", "//a b/", "%", "a|b", "a^b", "`a`"] {
            assert!(!is_relative(text), "{text}");
        }
    }

    #[test]
    fn what_is_external_is_not_relative() {
        let fits = |types: &[&str], text: &str| {
            let types = types.iter().map(|of| (*of).to_owned()).collect();
            let attribute = Attribute { reference_types: types, ..Attribute::reference("a", []) };
            is_reference_of(&attribute, text)
        };
        for types in [&["external"][..], &["uri"], &["uri", "external"]] {
            assert!(fits(types, "urn:a:b") && !fits(types, "a/b") && !fits(types, ""));
        }
        for types in [&[][..], &["User"], &["User", "external"]] {
            assert!(fits(types, "urn:a:b") && fits(types, "a/b") && !fits(types, "") && !fits(types, "a b"));
        }
    }
}
