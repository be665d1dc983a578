//! What a vendor's tables say of a request: that it is refused, and how. Nothing here is of one vendor.

use scim_filter::{CompareOp, Expr, Filter};
use scim_profiles::{Filters, Payload, Profile};
use serde_json::Value;
use ureq::http::Method;
use url::form_urlencoded;

use super::target::Groups;

/// A refusal that a vendor documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The status it is answered with.
    pub(crate) status: u16,
    /// The row of the profile that says so.
    pub(crate) row: &'static str,
}

/// The row of a profile that says what becomes of paths it does not have.
const NO_ENDPOINT: &str = "no-other-endpoint";

/// The row of a profile that says what becomes of filters it does not have.
const NO_FILTER: &str = "filter-limited";

/// The row of a profile that says what becomes of groups where they were not requested.
const NO_GROUPS: &str = "teams-on-request";

/// Whether a vendor has groups on request alone.
pub(crate) fn has_groups_on_request(profile: &Profile) -> bool {
    profile.lifecycle.iter().any(|row| row.id == NO_GROUPS)
}

/// Whether the service refuses this request whatever its state, by the rows of `profile`: it has no such
/// request, it does not look up by that, or a rule does not let the body pass.
pub(crate) fn refusal(
    profile: &'static Profile,
    groups: Groups,
    method: &Method,
    path: &str,
    body: Option<&Value>,
) -> Option<Refusal> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let endpoint = endpoint(path);
    if !profile.endpoints.iter().any(|row| row.method == method.as_str() && row.path == endpoint) {
        return Some(by_row(profile, NO_ENDPOINT, 404));
    }
    if groups == Groups::Refused && path.starts_with("/Groups") {
        return Some(by_row(profile, NO_GROUPS, 404));
    }
    let resource = profile.registry().resource_types().find(|resource| {
        let collection = resource.resource_type().endpoint.as_str();
        endpoint.strip_prefix(collection).is_some_and(|rest| matches!(rest, "" | "/{id}"))
    })?;
    if !filter_is_taken(profile.resource(resource.name())?.filters, query) {
        return Some(by_row(profile, NO_FILTER, 400));
    }
    let payload = match *method {
        Method::POST => Payload::Create,
        Method::PUT => Payload::Replace,
        Method::PATCH => Payload::Patch,
        _ => return None,
    };
    let report = profile.lint_resource(resource.name(), payload, &body?.clone().into())?;
    let row = report.errors().next()?.rule;
    Some(Refusal { status: report.to_error()?.status().as_u16(), row })
}

/// `/Users/{id}` for one user's path, as the tables have it.
fn endpoint(path: &str) -> String {
    match path.strip_prefix('/').and_then(|path| path.split_once('/')) {
        Some((collection, _)) => format!("/{collection}/{{id}}"),
        None => path.to_owned(),
    }
}

fn by_row(profile: &Profile, id: &'static str, otherwise: u16) -> Refusal {
    let status = profile.lifecycle.iter().find(|row| row.id == id).and_then(|row| row.status);
    Refusal { status: status.unwrap_or(otherwise), row: id }
}

/// Whether a list may be asked for with this query.
fn filter_is_taken(filters: Filters, query: &str) -> bool {
    if let Filters::Any = filters {
        return true;
    }
    let Some((_, text)) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "filter") else {
        return true;
    };
    let Ok(filter) = Filter::parse(&text) else { return false };
    match (filters, filter.expr()) {
        (Filters::Any, _) => true,
        (Filters::Only(rows), Expr::Compare(attribute, operator, _)) => rows.iter().any(|row| {
            attribute.as_str().eq_ignore_ascii_case(row.attribute)
                && row.operators.contains(&operator.as_str())
        }),
        (Filters::Only(_), _) => false,
        (Filters::Forms(forms), expr) => {
            let names = match expr {
                Expr::And(terms) => terms.into_iter().map(|term| compared(term.expr())).collect(),
                expr => compared(expr).map(|name| vec![name]),
            };
            let Some(mut names): Option<Vec<String>> = names else { return false };
            names.sort();
            forms.iter().any(|form| {
                let mut expected: Vec<_> =
                    form.attributes.iter().map(|name| name.to_ascii_lowercase()).collect();
                expected.sort();
                expected == names
            })
        }
    }
}

/// The attribute that a comparison for equality is about, in lower case.
fn compared(expr: Expr<'_>) -> Option<String> {
    match expr {
        Expr::Compare(attribute, CompareOp::Eq, _) => Some(attribute.as_str().to_ascii_lowercase()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

    fn refused(
        profile: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Option<(u16, &'static str)> {
        let profile = Profile::by_name(profile).unwrap();
        refusal(profile, Groups::Pushed, &method, path, body.as_ref())
            .map(|refusal| (refusal.status, refusal.row))
    }

    #[test]
    fn what_there_is_not_is_refused_by_the_row_that_says_so() {
        let groups = refused("pagerduty", Method::GET, "/Groups?startIndex=1&count=100", None);
        assert_eq!(groups, Some((404, "no-other-endpoint")));
        assert_eq!(refused("pagerduty", Method::GET, "/Users/G?", None), None);
        assert_eq!(refused("generic", Method::GET, "/Groups/x", None), None);
        assert_eq!(refused("generic", Method::GET, "/Groups/x/y", None), None);
        assert_eq!(refused("generic", Method::GET, "/Teams", None), Some((404, "no-other-endpoint")));
    }

    #[test]
    fn look_ups_are_those_of_the_filter_rows() {
        let look_up =
            |filter: &str| refused("pagerduty", Method::GET, &format!("/Users?filter={filter}&"), None);
        assert_eq!(look_up("userName+eq+%22a%40example.com%22"), None);
        assert_eq!(look_up("USERNAME%20eq%20%22a%22"), None);
        assert_eq!(look_up("externalId+eq+%22a%22"), None);
        for other in
            ["userName+sw+%22a%22", "title+eq+%22a%22", "emails%5Btype+eq+%22work%22%5D+pr", "userName+"]
        {
            assert_eq!(look_up(other), Some((400, "filter-limited")), "{other}");
        }
        assert_eq!(refused("generic", Method::GET, "/Users?filter=title+sw+%22a%22", None), None);
    }

    #[test]
    fn look_ups_are_of_the_documented_forms() {
        let look_up = |path: &str| refused("datadog", Method::GET, path, None);
        for taken in [
            "/Users?filter=userName+eq+%22a%22",
            "/Groups?filter=displayName+eq+%22a%22&excludedAttributes=members",
            "/Groups?filter=id+eq+%221%22+and+members+eq+%222%22",
            "/Groups?filter=members+eq+%222%22+and+ID+eq+%221%22",
            "/Groups",
        ] {
            assert_eq!(look_up(taken), None, "{taken}");
        }
        for other in [
            "/Users?filter=externalId+eq+%22a%22",
            "/Users?filter=userName+sw+%22a%22",
            "/Groups?filter=id+eq+%221%22",
            "/Groups?filter=id+eq+%221%22+or+members+eq+%222%22",
            "/Groups?filter=id+eq+%221%22+and+members+eq+%222%22+and+displayName+eq+%222%22",
        ] {
            assert_eq!(look_up(other), Some((400, "filter-limited")), "{other}");
        }
        let remove = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "remove", "path": "title"}],
        });
        assert_eq!(
            refused("datadog", Method::PATCH, "/Users/1", Some(remove)),
            Some((400, "patch-add-replace"))
        );
    }

    #[test]
    fn bodies_are_judged_by_the_rules() {
        let user = |role: &str| {
            json!({
                "schemas": [USER], "userName": "a@example.com", "displayName": "A",
                "roles": [{"type": "base", "value": role}],
            })
        };
        let create = |role: &str| refused("pagerduty", Method::POST, "/Users", Some(user(role)));
        assert_eq!(create("limited_user"), None);
        assert_eq!(create("owner"), Some((400, "role-owner")));
        assert_eq!(create("team_responder"), Some((400, "role-known")));
        assert_eq!(refused("generic", Method::POST, "/Users", Some(user("owner"))), None);
    }
}
