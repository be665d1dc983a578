//! The media type of a request body (RFC 7644 §3.1, §8.1).

use http::{HeaderMap, StatusCode, header};

use crate::Error;
use crate::error::quote;

/// What every response with a body is sent as: exactly this, without parameters.
pub(super) const SCIM_JSON: &str = "application/scim+json";

/// Refuses a body that is not declared as JSON in UTF-8 with 415.
///
/// `application/scim+json` and `application/json` are the same here, with or without
/// `charset=utf-8`; other parameters mean nothing. A body with no Content-Type at all is taken for
/// JSON: it is parsed as nothing else, so nothing can be smuggled in by leaving the header out.
pub(super) fn check(headers: &HeaderMap) -> Result<(), Error> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    if let Some(value) = types.next() {
        let text = value.to_str().unwrap_or_default();
        if types.next().is_some() || !is_scim(text) {
            return Err(unsupported(format!("the media type {} is not {SCIM_JSON} in UTF-8", quote(text))));
        }
    }
    for value in headers.get_all(header::CONTENT_ENCODING) {
        let coding = value.to_str().unwrap_or_default();
        if !coding.eq_ignore_ascii_case("identity") {
            return Err(unsupported(format!("the content coding {} is not supported", quote(coding))));
        }
    }
    Ok(())
}

fn unsupported(detail: String) -> Error {
    Error::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
}

fn is_scim(text: &str) -> bool {
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    [SCIM_JSON, "application/json"].iter().any(|known| known.eq_ignore_ascii_case(essence))
        && parts.all(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = value.trim().trim_matches('"');
            !name.trim_end().eq_ignore_ascii_case("charset")
                || value.eq_ignore_ascii_case("utf-8")
                || value.eq_ignore_ascii_case("utf8")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(values: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::CONTENT_TYPE, value.parse().unwrap());
        }
        check(&headers).is_ok()
    }

    #[test]
    fn both_json_types_with_or_without_charset() {
        for value in [
            "application/scim+json",
            "application/json",
            "Application/SCIM+JSON",
            "application/scim+json; charset=utf-8",
            "application/scim+json;charset=UTF-8",
            "application/json; charset=\"utf-8\"; profile=x",
            "application/json;",
        ] {
            assert!(accepts(&[value]), "{value}");
        }
        assert!(accepts(&[]));
    }

    #[test]
    fn anything_else_is_refused() {
        for value in [
            "",
            "text/plain",
            "application/xml",
            "application/json-patch+json",
            "application/scim+json; charset=iso-8859-1",
            "application/x-www-form-urlencoded",
            "application/json, application/scim+json",
        ] {
            assert!(!accepts(&[value]), "{value}");
        }
        assert!(!accepts(&["application/json", "application/json"]));
    }

    #[test]
    fn compressed_bodies_are_refused() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_ENCODING, "gzip".parse().unwrap());
        let error = check(&headers).unwrap_err();
        assert_eq!(error.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert_eq!(error.detail(), "the content coding `gzip` is not supported");
    }
}
