//! The URLs of resources: below the configured base URL, never from the request.

use url::Url;

/// The base URL without query, fragment and trailing slash.
#[derive(Clone, Debug)]
pub(crate) struct BaseUrl(String);

impl BaseUrl {
    pub(crate) fn of(url: &Url) -> Self {
        let mut url = url.clone();
        url.set_query(None);
        url.set_fragment(None);
        Self(url.as_str().trim_end_matches('/').to_owned())
    }

    /// The URL of `id` below `endpoint`, as [`path_of`] has it.
    pub(crate) fn locate(&self, endpoint: &str, id: &str) -> String {
        let mut url = String::with_capacity(self.0.len() + endpoint.len() + 1 + id.len());
        url.push_str(&self.0);
        push_path(&mut url, endpoint, id);
        url
    }

    /// The URL of an endpoint.
    pub(crate) fn endpoint(&self, endpoint: &str) -> String {
        format!("{}{endpoint}", self.0)
    }
}

/// The path of `id` below `endpoint` (`/Users`), with what is no URL character in `id` escaped.
pub(super) fn path_of(endpoint: &str, id: &str) -> String {
    let mut path = String::new();
    push_path(&mut path, endpoint, id);
    path
}

fn push_path(path: &mut String, endpoint: &str, id: &str) {
    path.push_str(endpoint);
    path.push('/');
    escaped(id, |part| path.push_str(part));
}

/// What `id` is in a path, given part by part: with what is no URL character escaped, which leaves nothing that JSON
/// would escape.
pub(super) fn escaped(id: &str, mut push: impl FnMut(&str)) {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:@".contains(&byte);
    if id.bytes().all(is_plain) {
        return push(id);
    }
    let digit = |half: u8| HEX.get(usize::from(half)..=usize::from(half)).unwrap_or_default();
    for byte in id.bytes() {
        if is_plain(byte) {
            push(char::from(byte).encode_utf8(&mut [0; 4]));
        } else {
            push("%");
            push(digit(byte >> 4));
            push(digit(byte & 15));
        }
    }
}

const HEX: &str = "0123456789ABCDEF";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_below_the_base_url() {
        let base = |url: &str| BaseUrl::of(&Url::parse(url).unwrap());
        assert_eq!(
            base("https://example.com/scim/v2/?a#b").locate("/Users", "1"),
            "https://example.com/scim/v2/Users/1"
        );
        assert_eq!(base("https://example.com").endpoint("/Schemas"), "https://example.com/Schemas");
        assert_eq!(
            base("https://example.com").locate("/Schemas", "urn:a:2.0:User"),
            "https://example.com/Schemas/urn:a:2.0:User"
        );
        assert_eq!(
            base("https://example.com").locate("/Users", "a/b é"),
            "https://example.com/Users/a%2Fb%20%C3%A9"
        );
    }
}
