//! What kind of service is provisioned into: which attributes the administrator maps, and what the service
//! makes of a deactivation.

use std::fmt;

use anyhow::bail;
use serde_json::{Map, Value, json};
use ureq::http::Method;

use super::client::{Answer, Client};
use super::need::get;

/// The service's habits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Profile {
    /// Users and groups as the RFCs have them; so has incident.io.
    #[value(alias = "incident-io")]
    Generic,
    /// PagerDuty: users only, with role and licence; deactivating deletes.
    Pagerduty,
}

/// A service being provisioned into.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Its habits.
    pub(crate) profile: Profile,
    /// Whether it has groups.
    pub(crate) groups: bool,
    /// The licence mapped to `entitlements`, for PagerDuty.
    pub(crate) license: Option<String>,
}

impl Target {
    /// Asks the service's discovery documents (RFC 7644 §4) what it is; `profile` is believed when given.
    ///
    /// # Errors
    ///
    /// No answer, or the token is refused.
    pub(crate) fn discover(
        client: &Client,
        profile: Option<Profile>,
        license: Option<String>,
    ) -> anyhow::Result<Self> {
        let types = client.send(&Method::GET, "/ResourceTypes", None)?;
        if matches!(types.status, 401 | 403) {
            bail!(Refused { status: types.status });
        }
        let groups = resource_types(&types).is_none_or(|names| names.iter().any(|name| name == "Group"));
        let profile = match profile {
            Some(profile) => profile,
            None if groups => Profile::Generic,
            None => match client.send(&Method::GET, "/ServiceProviderConfig", None)? {
                config if is_pagerduty(&config) => Profile::Pagerduty,
                _ => Profile::Generic,
            },
        };
        Ok(Self { profile, groups: groups && profile == Profile::Generic, license })
    }

    /// Whether a deactivated user is deleted (facts: PagerDuty's OpenAPI document, PATCH description).
    pub(crate) fn deletes_inactive(&self) -> bool {
        self.profile == Profile::Pagerduty
    }

    /// The status of a write that deactivates.
    pub(crate) fn deactivated(&self) -> &'static [u16] {
        match self.profile {
            Profile::Generic => &[200, 204],
            Profile::Pagerduty => &[204],
        }
    }

    /// The status of a second user with the same name: 409 (RFC 7644 §3.3; Okta's reference). PagerDuty
    /// declares no 409, so 400 with `uniqueness` is taken as well.
    pub(crate) fn duplicate(&self) -> &'static [u16] {
        match self.profile {
            Profile::Generic => &[409],
            Profile::Pagerduty => &[400, 409],
        }
    }

    /// What of `written` the service keeps and shows.
    pub(crate) fn shows(&self, mut written: Value) -> Value {
        // PagerDuty/api-schema reference/scim/openapiv3.json: "All other properties are ignored".
        const KEPT: [&str; 6] = ["userName", "displayName", "externalId", "active", "title", "roles"];
        if self.profile == Profile::Pagerduty
            && let Some(attributes) = written.as_object_mut()
        {
            attributes.retain(|name, _| KEPT.contains(&name.as_str()));
        }
        written
    }

    /// Adds what the administrator maps for PagerDuty: the role in the identity provider's own form, and
    /// the licence.
    pub(crate) fn map(&self, body: &mut Value, role: Value) {
        self.map_with(body, role, "license");
    }

    /// The same with this `type` of entitlement.
    pub(crate) fn map_with(&self, body: &mut Value, role: Value, entitlement: &str) {
        if self.profile == Profile::Generic {
            return;
        }
        if let Some(attributes) = body.as_object_mut() {
            attributes.insert("roles".to_owned(), json!([role]));
            if let Some(license) = &self.license {
                attributes
                    .insert("entitlements".to_owned(), json!([{"type": entitlement, "value": license}]));
            }
        }
    }

    /// The role as PagerDuty shows it, whatever form it came in; nothing elsewhere.
    pub(crate) fn shown_role(&self, role: &str) -> Value {
        match self.profile {
            Profile::Generic => json!({}),
            Profile::Pagerduty => json!({"roles": [{"value": role, "type": "base", "primary": true}]}),
        }
    }
}

/// The server does not take the token.
#[derive(Debug)]
pub(crate) struct Refused {
    status: u16,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server refuses the token: {} on GET /ResourceTypes", self.status)
    }
}

impl std::error::Error for Refused {}

/// `expected` with the attributes of `more`.
pub(crate) fn and(mut expected: Value, more: Value) -> Value {
    if let (Some(expected), Value::Object(more)) = (expected.as_object_mut(), more) {
        expected.extend(more);
    }
    expected
}

/// The names in `/ResourceTypes`; `None` where there is no such document.
fn resource_types(answer: &Answer) -> Option<Vec<String>> {
    let resources = get(answer.json.as_ref().filter(|_| answer.succeeded())?, "Resources")?.as_array()?;
    let names = resources.iter().filter_map(|resource| get(resource, "name")?.as_str().map(str::to_owned));
    Some(names.collect())
}

/// Whether this ServiceProviderConfig is like the one PagerDuty publishes (openapiv3.json, example values):
/// pages of 100, no ETag, no sort, and a `meta` without `location`.
fn is_pagerduty(answer: &Answer) -> bool {
    let Some(config) = answer.json.as_ref().filter(|_| answer.succeeded()) else {
        return false;
    };
    let feature = |name: &str, key: &str| get(config, name).and_then(|feature| get(feature, key)).cloned();
    feature("filter", "maxResults") == Some(json!(100))
        && feature("etag", "supported") == Some(json!(false))
        && feature("sort", "supported") == Some(json!(false))
        && get(config, "meta")
            .and_then(Value::as_object)
            .is_some_and(|meta: &Map<_, _>| !meta.keys().any(|name| name.eq_ignore_ascii_case("location")))
}
