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
        self.endpoint(&path_of(endpoint, id))
    }

    /// The URL of an endpoint.
    pub(crate) fn endpoint(&self, endpoint: &str) -> String {
        format!("{}{endpoint}", self.0)
    }
}

/// The path of `id` below `endpoint` (`/Users`), with what is no URL character in `id` escaped.
pub(super) fn path_of(endpoint: &str, id: &str) -> String {
    let mut path = format!("{endpoint}/");
    for byte in id.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' | b'@' => {
                path.push(char::from(byte));
            }
            _ => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}

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
