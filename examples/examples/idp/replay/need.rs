//! What an identity provider needs of an answer, and whether it got it.

use scim_profiles::ErrorBody;
use serde_json::{Map, Value};

use super::client::Answer;

/// `schemas` of a list (RFC 7644 §3.4.2).
const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// `schemas` of an error (RFC 7644 §3.12).
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// One thing needed of the body of a successful answer.
#[derive(Clone, Debug)]
pub(crate) enum Need {
    /// A list without resources.
    Nothing,
    /// A list with this one resource.
    Only(String),
    /// A list of at most so many resources.
    Page(usize),
    /// A resource of this schema, with an `id`.
    Resource(&'static str),
    /// A resource with this `id`: ids never change.
    Id(String),
    /// A resource without this `id`: a new one, not the old one.
    OtherId(String),
    /// At least these attributes with these values. In an array, each element given is somewhere; `null` is
    /// an attribute without a value.
    Contains(Value),
    /// A resource that does not show this attribute.
    Lacks(&'static str),
    /// A group of exactly these members.
    Members(Vec<String>),
    /// Where the answer is a 400: that its reason is `uniqueness`. A 409 says so itself.
    Uniqueness,
}

/// What an identity provider needs of every answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manners {
    /// Media types it reads.
    pub(crate) media_types: &'static [&'static str],
    /// Whether `itemsPerPage` must be the number of resources returned, rather than any number.
    pub(crate) items_per_page_counts: bool,
}

/// What every answer is judged by: the identity provider's manners, and the vendor's way to refuse.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Custom {
    /// The identity provider's.
    pub(crate) manners: Manners,
    /// The vendor's.
    pub(crate) errors: ErrorBody,
}

/// Everything that differs from what is needed; empty when all is well.
pub(crate) fn judge(answer: &Answer, statuses: &[u16], needs: &[Need], custom: Custom) -> Vec<String> {
    let manners = custom.manners;
    if !statuses.contains(&answer.status) {
        return vec![unexpected_status(answer, statuses)];
    }
    if !answer.succeeded() {
        let reason = needs.iter().map(|need| need.judge_refusal(answer, custom.errors));
        return [error_body(answer, custom.errors)]
            .into_iter()
            .chain(reason)
            .filter_map(Result::err)
            .collect();
    }
    if answer.status == 204 {
        let empty = answer.text.is_empty();
        return if empty { Vec::new() } else { vec!["a 204 has a body".to_owned()] };
    }
    let Some(body) = &answer.json else {
        return vec![match answer.text.is_empty() {
            true => format!("a {} without a body", answer.status),
            false => "the body is not JSON".to_owned(),
        }];
    };
    let judged = needs.iter().map(|need| need.judge(body, manners));
    [media_type(answer, manners)].into_iter().chain(judged).filter_map(Result::err).collect()
}

impl Need {
    fn judge(&self, body: &Value, manners: Manners) -> Result<(), String> {
        match self {
            Self::Nothing => match list(body, manners)? {
                ([], 0) => Ok(()),
                (found, total) => {
                    Err(format!("{} resources of {total} where none was expected", found.len()))
                }
            },
            Self::Only(id) => match list(body, manners)? {
                ([one], 1) => Need::Id(id.clone()).judge(one, manners),
                (found, total) => Err(format!("{} resources of {total} where one was expected", found.len())),
            },
            Self::Page(most) => match list(body, manners)? {
                (found, _) if found.len() > *most => {
                    Err(format!("{} resources where `count` was {most}", found.len()))
                }
                (found, total) if total < found.len() as u64 => {
                    Err(format!("`totalResults` is {total} but there are {} resources", found.len()))
                }
                _ => Ok(()),
            },
            Self::Resource(schema) => {
                has_schema(body, schema)?;
                match get(body, "id") {
                    Some(Value::String(id)) if !id.is_empty() => Ok(()),
                    _ => Err("`id` is not a non-empty string".to_owned()),
                }
            }
            Self::Id(id) => match get(body, "id") {
                Some(Value::String(found)) if found == id => Ok(()),
                found => Err(format!("`id` is {} and was `{id}` before", shown(found))),
            },
            Self::OtherId(id) => match get(body, "id") {
                Some(Value::String(found)) if found == id => Err(format!("`id` is the old one, `{id}`")),
                _ => Ok(()),
            },
            Self::Contains(expected) => contains("", Some(body), expected),
            Self::Lacks(name) => match get(body, name) {
                None | Some(Value::Null) => Ok(()),
                Some(_) => Err(format!("`{name}` is shown")),
            },
            Self::Members(expected) => members(body, expected),
            Self::Uniqueness => Ok(()),
        }
    }

    fn judge_refusal(&self, answer: &Answer, errors: ErrorBody) -> Result<(), String> {
        let reason = answer.json.as_ref().and_then(|body| get(body, "scimType"));
        match (self, answer.status, errors) {
            (Self::Uniqueness, 400, ErrorBody::Rfc7644) if reason != Some(&Value::from("uniqueness")) => {
                Err(format!("`scimType` is {}, not `uniqueness`", shown(reason)))
            }
            _ => Ok(()),
        }
    }
}

fn unexpected_status(answer: &Answer, statuses: &[u16]) -> String {
    let wanted: Vec<_> = statuses.iter().map(u16::to_string).collect();
    let detail = answer.json.as_ref().and_then(|body| get(body, "detail")).and_then(Value::as_str);
    let mut text = format!("status {} where {} is needed", answer.status, wanted.join(" or "));
    if let Some(detail) = detail {
        text.push_str(": ");
        text.push_str(detail);
    }
    text
}

/// An error that was expected still has to be one of the vendor's shape. Okta's reference shows `status` as a
/// number, RFC 7644 §3.12 wants a string: clients take both.
fn error_body(answer: &Answer, errors: ErrorBody) -> Result<(), String> {
    let Some(body) = &answer.json else {
        return Err(format!("the body of the {} is not JSON", answer.status));
    };
    match errors {
        ErrorBody::Rfc7644 => {}
        ErrorBody::Errors => {
            let texts = get(body, "errors").and_then(Value::as_array);
            let are_texts =
                texts.is_some_and(|texts| !texts.is_empty() && texts.iter().all(Value::is_string));
            return if are_texts { Ok(()) } else { Err("`errors` is no list of texts".to_owned()) };
        }
        _ => return Ok(()),
    }
    has_schema(body, ERROR)?;
    let same = match get(body, "status") {
        Some(Value::String(status)) => *status == answer.status.to_string(),
        Some(Value::Number(status)) => status.as_u64() == Some(u64::from(answer.status)),
        _ => false,
    };
    if same {
        return Ok(());
    }
    Err(format!("`status` in the error is {} and {} on the wire", shown(get(body, "status")), answer.status))
}

fn media_type(answer: &Answer, manners: Manners) -> Result<(), String> {
    let found = answer.media_type.as_deref().unwrap_or("missing");
    if manners.media_types.contains(&found) {
        return Ok(());
    }
    Err(format!("`Content-Type` is `{found}`, not `{}`", manners.media_types.join("` or `")))
}

/// The resources of a list and how many there are in all (RFC 7644 §3.4.2).
fn list(body: &Value, manners: Manners) -> Result<(&[Value], u64), String> {
    has_schema(body, LIST_RESPONSE)?;
    let total = integer(body, "totalResults")?.ok_or("`totalResults` is missing")?;
    let resources = match get(body, "Resources") {
        Some(Value::Array(resources)) => resources.as_slice(),
        // RFC 7644 §3.4.2 asks for `Resources` only where there are some.
        None if total == 0 => &[],
        other => return Err(format!("`Resources` is {}, not an array", shown(other))),
    };
    match integer(body, "startIndex")? {
        Some(1) | None => {}
        Some(other) => return Err(format!("`startIndex` is {other} on the first page")),
    }
    match integer(body, "itemsPerPage")? {
        Some(count) if manners.items_per_page_counts && count != resources.len() as u64 => {
            return Err(format!("`itemsPerPage` is {count} but {} resources were returned", resources.len()));
        }
        None if manners.items_per_page_counts => return Err("`itemsPerPage` is missing".to_owned()),
        _ => {}
    }
    Ok((resources, total))
}

fn integer(body: &Value, name: &str) -> Result<Option<u64>, String> {
    match get(body, name) {
        None => Ok(None),
        Some(value) => match value.as_u64() {
            Some(number) => Ok(Some(number)),
            None => Err(format!("`{name}` is {}, not an integer", shown(Some(value)))),
        },
    }
}

fn has_schema(body: &Value, schema: &str) -> Result<(), String> {
    let schemas = get(body, "schemas");
    let listed = schemas.and_then(Value::as_array).is_some_and(|uris| {
        uris.iter().filter_map(Value::as_str).any(|uri| uri.eq_ignore_ascii_case(schema))
    });
    if listed { Ok(()) } else { Err(format!("`schemas` is {}, without `{schema}`", shown(schemas))) }
}

/// Whether `found` has at least what `expected` says; `at` is the path for the message.
fn contains(at: &str, found: Option<&Value>, expected: &Value) -> Result<(), String> {
    let differs = || Err(format!("`{at}` is {}, not {}", shown(found), shown(Some(expected))));
    match (expected, found) {
        // RFC 7643 §2.5: null, an empty array and absence are one thing.
        (Value::Null, None | Some(Value::Null)) => Ok(()),
        (Value::Null, Some(Value::Array(found))) if found.is_empty() => Ok(()),
        (Value::Object(expected), Some(found @ Value::Object(_))) => {
            expected.iter().try_for_each(|(name, value)| {
                let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                contains(&at, get(found, name), value)
            })
        }
        (Value::Array(expected), Some(Value::Array(elements))) => {
            let missing = expected
                .iter()
                .find(|wanted| !elements.iter().any(|element| contains(at, Some(element), wanted).is_ok()));
            match missing {
                None => Ok(()),
                Some(missing) => Err(format!("`{at}` has no {} in {}", shown(Some(missing)), shown(found))),
            }
        }
        (expected, Some(found)) if expected == found => Ok(()),
        _ => differs(),
    }
}

fn members(body: &Value, expected: &[String]) -> Result<(), String> {
    let mut found = Vec::new();
    match get(body, "members") {
        None | Some(Value::Null) => {}
        Some(Value::Array(elements)) => {
            for element in elements {
                match get(element, "value").and_then(Value::as_str) {
                    Some(value) => found.push(value),
                    None => return Err(format!("a member is {}, without `value`", shown(Some(element)))),
                }
            }
        }
        other => return Err(format!("`members` is {}, not an array", shown(other))),
    }
    let mut expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    found.sort_unstable();
    expected.sort_unstable();
    if found == expected {
        return Ok(());
    }
    let missing = expected.iter().filter(|id| found.binary_search(id).is_err()).count();
    let strange = found.iter().filter(|id| expected.binary_search(id).is_err()).count();
    Err(format!(
        "{} members where {} were expected: {missing} missing, {strange} too many",
        found.len(),
        expected.len()
    ))
}

/// The attribute of this name, whatever its case (RFC 7643 §2.1).
pub(crate) fn get<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let object: &Map<String, Value> = value.as_object()?;
    object
        .get(name)
        .or_else(|| object.iter().find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value)))
}

/// A value for a message, cut where it gets long.
fn shown(value: Option<&Value>) -> String {
    const MOST: usize = 160;
    let Some(value) = value else { return "missing".to_owned() };
    let text = value.to_string();
    match text.char_indices().nth(MOST) {
        None => format!("`{text}`"),
        Some((end, _)) => format!("`{}…`", text.get(..end).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const STRICT: Custom = Custom {
        manners: Manners { media_types: &["application/scim+json"], items_per_page_counts: true },
        errors: ErrorBody::Rfc7644,
    };

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            media_type: Some("application/scim+json".to_owned()),
            text: body.to_owned(),
            json: serde_json::from_str(body).ok(),
            took: std::time::Duration::ZERO,
        }
    }

    fn differs(body: Value, need: Need) -> Vec<String> {
        judge(&answer(200, &body.to_string()), &[200], &[need], STRICT)
    }

    #[test]
    fn a_list_is_judged_number_by_number() {
        let list = |name: &str, value: Value| {
            let mut body = json!({
                "schemas": [LIST_RESPONSE], "totalResults": 1, "startIndex": 1, "itemsPerPage": 1,
                "Resources": [{"id": "a"}],
            });
            body[name] = value;
            body
        };
        let only = || Need::Only("a".to_owned());
        assert_eq!(differs(list("totalResults", json!(1)), only()), [""; 0]);
        assert_eq!(
            differs(list("itemsPerPage", json!(100)), only()),
            ["`itemsPerPage` is 100 but 1 resources were returned"]
        );
        assert_eq!(
            differs(list("totalResults", json!("1")), only()),
            ["`totalResults` is `\"1\"`, not an integer"]
        );
        assert_eq!(differs(list("startIndex", json!(0)), only()), ["`startIndex` is 0 on the first page"]);
        assert_eq!(
            differs(list("totalResults", json!(2)), only()),
            ["1 resources of 2 where one was expected"]
        );
        assert_eq!(
            differs(list("Resources", json!([{"id": "b"}])), only()),
            ["`id` is `\"b\"` and was `a` before"]
        );
        assert_eq!(differs(list("Resources", json!({})), only()), ["`Resources` is `{}`, not an array"]);
        assert_eq!(
            differs(list("schemas", json!([])), only()),
            [format!("`schemas` is `[]`, without `{LIST_RESPONSE}`")]
        );
        assert_eq!(
            differs(list("id", json!(0)), Need::Nothing),
            ["1 resources of 1 where none was expected"]
        );
        assert_eq!(differs(list("id", json!(0)), Need::Page(0)), ["1 resources where `count` was 0"]);
    }

    #[test]
    fn entra_takes_any_items_per_page() {
        let manners = Manners { items_per_page_counts: false, ..STRICT.manners };
        let custom = Custom { manners, ..STRICT };
        let body =
            json!({"schemas": [LIST_RESPONSE], "totalResults": 0, "Resources": [], "itemsPerPage": 20});
        assert!(judge(&answer(200, &body.to_string()), &[200], &[Need::Nothing], custom).is_empty());
    }

    #[test]
    fn statuses_and_errors_are_judged() {
        let conflict = |status: Value| {
            answer(409, &json!({"schemas": [ERROR], "status": status, "detail": "taken"}).to_string())
        };
        assert!(judge(&conflict(json!("409")), &[409], &[], STRICT).is_empty());
        assert!(judge(&conflict(json!(409)), &[409], &[], STRICT).is_empty());
        assert_eq!(
            judge(&conflict(json!("400")), &[409], &[], STRICT),
            ["`status` in the error is `\"400\"` and 409 on the wire"]
        );
        assert_eq!(
            judge(&conflict(json!("409")), &[200, 204], &[], STRICT),
            ["status 409 where 200 or 204 is needed: taken"]
        );
        assert_eq!(judge(&answer(404, "<html>"), &[404], &[], STRICT), ["the body of the 404 is not JSON"]);
        let refused = answer(400, &json!({"schemas": [ERROR], "status": "400"}).to_string());
        assert_eq!(
            judge(&refused, &[400, 409], &[Need::Uniqueness], STRICT),
            ["`scimType` is missing, not `uniqueness`"]
        );
        assert!(judge(&conflict(json!("409")), &[400, 409], &[Need::Uniqueness], STRICT).is_empty());
    }

    #[test]
    fn bodies_are_judged() {
        assert_eq!(judge(&answer(201, ""), &[201], &[], STRICT), ["a 201 without a body"]);
        assert_eq!(judge(&answer(200, "{"), &[200], &[], STRICT), ["the body is not JSON"]);
        assert_eq!(judge(&answer(204, "{}"), &[204], &[], STRICT), ["a 204 has a body"]);
        let mut html = answer(200, "{}");
        html.media_type = Some("text/html".to_owned());
        assert_eq!(
            judge(&html, &[200], &[], STRICT),
            ["`Content-Type` is `text/html`, not `application/scim+json`"]
        );
    }

    #[test]
    fn what_was_written_is_looked_for() {
        let user = json!({
            "schemas": ["urn:x"], "id": "a", "active": false, "emails": [{"type": "home", "value": "h"}],
            "name": {"givenName": "Alex"}, "nickName": null,
        });
        let contains = |expected| differs(user.clone(), Need::Contains(expected));
        assert_eq!(contains(json!({"ACTIVE": false, "name": {"givenName": "Alex"}})), [""; 0]);
        assert_eq!(contains(json!({"nickName": null, "title": null})), [""; 0]);
        assert_eq!(contains(json!({"active": true})), ["`active` is `false`, not `true`"]);
        assert_eq!(contains(json!({"active": "False"})), ["`active` is `false`, not `\"False\"`"]);
        assert_eq!(
            contains(json!({"name": {"familyName": "D"}})),
            ["`name.familyName` is missing, not `\"D\"`"]
        );
        assert_eq!(contains(json!({"name": null})), ["`name` is `{\"givenName\":\"Alex\"}`, not `null`"]);
        assert_eq!(
            contains(json!({"emails": [{"type": "work"}]})),
            ["`emails` has no `{\"type\":\"work\"}` in `[{\"type\":\"home\",\"value\":\"h\"}]`"]
        );
        assert_eq!(differs(user.clone(), Need::Lacks("active")), ["`active` is shown"]);
        assert_eq!(differs(user.clone(), Need::OtherId("a".to_owned())), ["`id` is the old one, `a`"]);
        assert_eq!(
            differs(json!({"schemas": ["urn:x"]}), Need::Resource("urn:x")),
            ["`id` is not a non-empty string"]
        );
    }

    #[test]
    fn members_are_a_set() {
        let group = |members: Value| json!({"id": "g", "members": members});
        let expected = || Need::Members(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(differs(group(json!([{"value": "b"}, {"value": "a"}])), expected()), [""; 0]);
        assert_eq!(differs(group(Value::Null), Need::Members(Vec::new())), [""; 0]);
        assert_eq!(
            differs(group(json!([{"value": "b"}, {"value": "c"}])), expected()),
            ["2 members where 2 were expected: 1 missing, 1 too many"]
        );
        assert_eq!(
            differs(group(json!([{"value": "a"}, {"value": "b"}, {"value": "b"}])), expected()),
            ["3 members where 2 were expected: 0 missing, 0 too many"]
        );
        assert_eq!(
            differs(group(json!([{"display": "a"}])), expected()),
            ["a member is `{\"display\":\"a\"}`, without `value`"]
        );
    }
}
