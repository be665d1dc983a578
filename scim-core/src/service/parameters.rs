//! The query string of a request: which parameters it gives, decoded.
//!
//! Names are matched in any case and each may be given once. A filter under a misspelt or second
//! name must never be passed over silently: the client would take everyone for a match.
//! Parameters the protocol does not know are ignored, as identity providers add their own
//! (`?aadOptscim062020`), and so are empty ones (a trailing `?` or `&`). Of those it knows, `attributes=`,
//! `excludedAttributes=` and `sortBy=` name nothing, and count as not given; `filter=` is a filter that is not valid,
//! and so are a `startIndex=`, `count=` or `sortOrder=` without a value.

use std::borrow::Cow;

use crate::projection::Projection;
use crate::schema::ResourceSchema;
use crate::{Error, ScimType};

/// The parameters of RFC 7644 §3.4.2 and §3.9 and of RFC 9865 §2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters {
    pub(super) filter: Option<String>,
    pub(super) sort_by: Option<String>,
    pub(super) sort_order: Option<String>,
    pub(super) start_index: Option<String>,
    pub(super) cursor: Option<String>,
    pub(super) count: Option<String>,
    pub(super) attributes: Option<String>,
    pub(super) excluded_attributes: Option<String>,
    /// They came in a body, not in a URI.
    pub(super) in_body: bool,
}

impl Parameters {
    /// Parses the query string; `+` is a space, as in HTML forms, which Entra ID and OneLogin rely on.
    pub(super) fn parse(query: &str) -> Result<Self, Error> {
        let mut parameters = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let Some(name) = form_decode(name) else { continue };
            let Some((slot, name)) = parameters.slot(&name) else { continue };
            let Some(value) = form_decode(value) else {
                return Err(Error::bad_request(
                    ScimType::InvalidValue,
                    format!("the parameter `{name}` is not UTF-8 in percent-encoding"),
                ));
            };
            if slot.replace(value.into_owned()).is_some() {
                return Err(Error::bad_request(
                    ScimType::InvalidValue,
                    format!("the parameter `{name}` is given twice"),
                ));
            }
        }
        Ok(parameters)
    }

    /// What `attributes` and `excludedAttributes` leave of a resource.
    pub(super) fn projection(&self, schema: &ResourceSchema) -> Result<Projection, Error> {
        Projection::parse(schema, self.attributes.as_deref(), self.excluded_attributes.as_deref())
    }

    fn slot(&mut self, name: &str) -> Option<(&mut Option<String>, &'static str)> {
        let slots = [
            (&mut self.filter, "filter"),
            (&mut self.sort_by, "sortBy"),
            (&mut self.sort_order, "sortOrder"),
            (&mut self.start_index, "startIndex"),
            (&mut self.cursor, "cursor"),
            (&mut self.count, "count"),
            (&mut self.attributes, "attributes"),
            (&mut self.excluded_attributes, "excludedAttributes"),
        ];
        slots.into_iter().find(|(_, known)| known.eq_ignore_ascii_case(name))
    }
}

/// `text` with `+` as a space and each `%XX` decoded; a `%` that begins no escape stands for itself,
/// as the URL standard has it. `None` for bytes that are not UTF-8.
fn form_decode(text: &str) -> Option<Cow<'_, str>> {
    let is_special = |byte: &u8| matches!(byte, b'+' | b'%');
    let mut rest = text.as_bytes();
    let Some(plain) = rest.iter().position(is_special) else { return Some(text.into()) };
    let mut decoded = Vec::with_capacity(text.len());
    let mut plain = Some(plain);
    while let Some((before, special)) = plain.and_then(|plain| rest.split_at_checked(plain)) {
        decoded.extend_from_slice(before);
        rest = match special {
            [b'+', tail @ ..] => {
                decoded.push(b' ');
                tail
            }
            [b'%', high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digit = |byte: u8| (byte as char).to_digit(16).unwrap_or_default() as u8;
                decoded.push(digit(*high) << 4 | digit(*low));
                tail
            }
            [byte, tail @ ..] => {
                decoded.push(*byte);
                tail
            }
            [] => break,
        };
        plain = rest.iter().position(is_special);
    }
    decoded.extend_from_slice(rest);
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plus_and_percent_are_decoded_once() {
        let parameters = Parameters::parse("filter=userName+eq+%22a%2Bb%40x.y%2522%22&").unwrap();
        assert_eq!(parameters.filter.as_deref(), Some("userName eq \"a+b@x.y%22\""));
        assert_eq!(Parameters::parse("filter=100%").unwrap().filter.as_deref(), Some("100%"));
    }

    #[test]
    fn unknown_and_empty_parameters_are_ignored() {
        assert_eq!(Parameters::parse("&&aadOptscim062020&=x&x=%ff&%ff=1").unwrap(), Parameters::default());
    }

    #[test]
    fn names_are_matched_in_any_case() {
        assert_eq!(Parameters::parse("FILTER=a&startindex=2").unwrap().filter.as_deref(), Some("a"));
        assert_eq!(Parameters::parse("start%49ndex=2").unwrap().start_index.as_deref(), Some("2"));
    }

    #[test]
    fn a_parameter_is_given_once() {
        let error = Parameters::parse("filter=a&Filter=b").unwrap_err();
        assert_eq!(error.detail(), "the parameter `filter` is given twice");
        let error = Parameters::parse("count=%ff").unwrap_err();
        assert_eq!(error.detail(), "the parameter `count` is not UTF-8 in percent-encoding");
    }
}
