//! Which resource a request path names.
//!
//! A path is cut at its slashes first and each segment is then percent-decoded once, so that every
//! spelling of a path is routed as one and the same. What could be read in two ways is no path at
//! all: an empty segment (a doubled or trailing slash), `.` and `..`, an encoded `/` or `\`, control
//! characters, a broken escape, bytes that are not UTF-8. Routing happens after authentication, so
//! none of these can be used to get past it.

use std::borrow::Cow;
use std::sync::Arc;

use http::Method;

use super::{BulkLimits, Config};
use crate::ResourceId;
use crate::schema::{Registry, ResourceSchema};

/// What a path names.
#[derive(Clone, Debug)]
pub(super) enum Route {
    /// `/Users`
    Collection(Arc<ResourceSchema>),
    /// `/Users/{id}`
    Resource(Arc<ResourceSchema>, ResourceId),
    /// The base URL itself: all resource types at once (RFC 7644 §3.4.2.1).
    Root,
    /// `/Users/.search`, or `/.search` over every resource type.
    Search(Option<Arc<ResourceSchema>>),
    /// `/Me`: the resource the credential stands for (RFC 7644 §3.11).
    Me,
    /// `/Bulk`
    Bulk(BulkLimits),
    /// A discovery endpoint.
    Discovery(Discovery),
    /// An endpoint of the protocol that this service does not have: 501 (RFC 7644 §3.12).
    NotImplemented(&'static str),
}

/// A discovery endpoint (RFC 7644 §4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Discovery {
    ServiceProviderConfig,
    ResourceTypes,
    ResourceType(String),
    Schemas,
    Schema(String),
}

impl Route {
    /// The route of `path` below the base path `base`; `None` is 404.
    pub(super) fn find(config: &Config, base: &BasePath, path: &str) -> Option<Self> {
        let registry = &config.registry;
        if config.capabilities.search && base.is(path) {
            return Some(Self::Root);
        }
        let segments = segments(path)?;
        let segments = segments.strip_prefix(base.segments.as_slice())?;
        // No route has more segments than this.
        let mut names = ["", "", ""];
        let names = names.get_mut(..segments.len())?;
        names.iter_mut().zip(segments).for_each(|(name, segment)| *name = segment);
        Some(match *names {
            ["ServiceProviderConfig"] => Self::Discovery(Discovery::ServiceProviderConfig),
            ["ResourceTypes"] => Self::Discovery(Discovery::ResourceTypes),
            ["ResourceTypes", _] if !config.capabilities.resource_type_by_name => return None,
            ["ResourceTypes", id] => Self::Discovery(Discovery::ResourceType(id.into())),
            ["Schemas"] => Self::Discovery(Discovery::Schemas),
            ["Schemas", id] => Self::Discovery(Discovery::Schema(id.into())),
            ["Me"] => Self::Me,
            ["Bulk"] => match config.capabilities.bulk {
                Some(limits) => Self::Bulk(limits),
                None => Self::NotImplemented("/Bulk"),
            },
            [".search"] | [_, ".search"] if !config.capabilities.search => Self::NotImplemented("/.search"),
            [".search"] => Self::Search(None),
            [endpoint] => Self::Collection(by_segment(registry, endpoint)?),
            [endpoint, ".search"] => Self::Search(Some(by_segment(registry, endpoint)?)),
            [endpoint, id] => Self::Resource(by_segment(registry, endpoint)?, ResourceId::new(id)),
            _ => return None,
        })
    }

    /// The methods the route answers, for `Allow` (RFC 9110 §10.2.1).
    pub(super) fn allow(&self, patch: bool) -> &'static str {
        match self {
            Self::Collection(_) => "GET, HEAD, POST",
            Self::Resource(..) if patch => "GET, HEAD, PUT, PATCH, DELETE",
            Self::Resource(..) => "GET, HEAD, PUT, DELETE",
            Self::Search(_) | Self::Bulk(_) => "POST",
            Self::Root | Self::Discovery(_) => "GET, HEAD",
            Self::Me | Self::NotImplemented(_) => "",
        }
    }

    /// Whether the route knows `method`; PATCH is known, though refused, where it is switched off.
    pub(super) fn knows(&self, method: &Method) -> bool {
        match self {
            Self::Collection(_) => [Method::GET, Method::HEAD, Method::POST].contains(method),
            Self::Resource(..) => {
                [Method::GET, Method::HEAD, Method::PUT, Method::PATCH, Method::DELETE].contains(method)
            }
            Self::Search(_) | Self::Bulk(_) => *method == Method::POST,
            Self::Root | Self::Discovery(_) => [Method::GET, Method::HEAD].contains(method),
            // Whether it is there at all is seen later.
            Self::Me | Self::NotImplemented(_) => true,
        }
    }
}

/// The path of the configured base URL, as segments.
#[derive(Clone, Debug)]
pub(super) struct BasePath {
    segments: Vec<Cow<'static, str>>,
}

impl BasePath {
    /// No base path: that of paths below the base URL.
    pub(super) const EMPTY: Self = Self { segments: Vec::new() };

    /// The base path of `url`; one trailing slash counts for nothing.
    pub(super) fn of(url: &url::Url) -> Self {
        let path = url.path().trim_end_matches('/');
        let segments = segments(path).unwrap_or_default();
        Self { segments: segments.into_iter().map(|segment| Cow::Owned(segment.into_owned())).collect() }
    }

    /// Whether `path` is the base path, with one slash at its end or none.
    fn is(&self, path: &str) -> bool {
        // A path that is longer or shorter by segments is not it, however they are spelt.
        let slashes = path.strip_suffix('/').unwrap_or(path).bytes().filter(|byte| *byte == b'/').count();
        if slashes != self.segments.len() {
            return false;
        }
        segments(path.strip_suffix('/').unwrap_or(path)).is_some_and(|segments| segments == self.segments)
    }
}

/// The decoded segments of a path; `None` where it could be read in two ways.
fn segments(path: &str) -> Option<Vec<Cow<'_, str>>> {
    if path.is_empty() || path == "/" {
        return Some(Vec::new());
    }
    path.strip_prefix('/')?.split('/').map(segment).collect()
}

fn segment(raw: &str) -> Option<Cow<'_, str>> {
    let decoded = percent_decode(raw)?;
    let is_plain = |byte: u8| byte.is_ascii() && !byte.is_ascii_control() && !matches!(byte, b'/' | b'\\');
    let misleads = |character: char| matches!(character, '/' | '\\') || character.is_control();
    let ambiguous = decoded.is_empty()
        || decoded == "."
        || decoded == ".."
        || !decoded.bytes().all(is_plain) && decoded.contains(misleads);
    (!ambiguous).then_some(decoded)
}

/// `raw` with each `%XX` decoded, once; `None` for a broken escape or bytes that are not UTF-8.
fn percent_decode(raw: &str) -> Option<Cow<'_, str>> {
    if !raw.contains('%') {
        return Some(Cow::Borrowed(raw));
    }
    let mut bytes = raw.bytes();
    let mut decoded = Vec::with_capacity(raw.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            _ => byte,
        });
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn by_segment(registry: &Registry, segment: &str) -> Option<Arc<ResourceSchema>> {
    registry
        .resource_types()
        .find(|schema| schema.resource_type().endpoint.strip_prefix('/') == Some(segment))
        .cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(path: &str) -> Option<Vec<String>> {
        Some(segments(path)?.into_iter().map(Cow::into_owned).collect())
    }

    #[test]
    fn segments_are_decoded_once() {
        assert_eq!(decoded("/%55sers/a%40b"), Some(vec!["Users".into(), "a@b".into()]));
        assert_eq!(decoded("/Users/%2541"), Some(vec!["Users".into(), "%41".into()]));
        assert_eq!(
            decoded("/Schemas/urn%3Aietf%3aparams"),
            Some(vec!["Schemas".into(), "urn:ietf:params".into()])
        );
    }

    #[test]
    fn ambiguous_paths_are_no_paths() {
        for path in [
            "//Users",
            "/Users/",
            "/Users//1",
            "/Users/.",
            "/Users/..",
            "/Users/%2e",
            "/Users/%2E%2e",
            "/Users%2F1",
            "/Users/a%2fb",
            "/Users/a%5Cb",
            "/Users/a\\b",
            "/Users/%00",
            "/Users/%0a",
            "/Users/%",
            "/Users/%4",
            "/Users/%zz",
            "/Users/%ff",
            "Users",
            "*",
        ] {
            assert_eq!(decoded(path), None, "{path}");
        }
    }

    #[test]
    fn a_base_path_ends_with_or_without_a_slash() {
        for url in
            ["https://example.com/scim/v2", "https://example.com/scim/v2/", "https://example.com/%73cim/v2"]
        {
            assert_eq!(BasePath::of(&url::Url::parse(url).unwrap()).segments, ["scim", "v2"], "{url}");
        }
        assert!(BasePath::of(&url::Url::parse("https://example.com").unwrap()).segments.is_empty());
    }
}
