//! What kind of service is provisioned into: the profile, and what the administrator maps for it.

use std::fmt;

use anyhow::bail;
use scim_core::schema::Uniqueness;
use scim_profiles::incident_io::{BaseRole, EFFECTIVE_ACCESS};
use scim_profiles::{AttributeRow, CapabilityValue, Check, Literal, Profile, pagerduty};
use serde_json::{Value, json};
use ureq::http::Method;

use super::client::{Answer, Client};
use super::need::get;
use super::vendor;

/// A service being provisioned into.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Whose behaviour it has.
    pub(crate) profile: &'static Profile,
    /// What is done about groups.
    pub(crate) groups: Groups,
    /// The licence mapped to `entitlements`, where the vendor has licences.
    license: Option<String>,
    /// Roles to map in place of the vendor's.
    roles: Vec<String>,
    // Whether users show what their groups give.
    shows_access: bool,
}

/// What is done about groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Groups {
    /// They are pushed.
    Pushed,
    /// The vendor has none: the identity provider tries, and is refused.
    Refused,
    /// They are left alone.
    Left,
}

/// What an administrator maps for one vendor, beyond what identity providers send to every service.
pub(crate) struct Mapping {
    profile: &'static str,
    /// The role of a new user, and one given later; none where roles are an organisation's own.
    roles: Option<[&'static str; 2]>,
    /// Values that somebody may type in, and that the vendor refuses.
    not_roles: &'static [&'static str],
    /// The role as the vendor shows it, whatever form it came in.
    shown: fn(&str) -> Value,
    /// The role as Okta sends it, and others of whom nothing else is known.
    pub(crate) okta: fn(&str) -> Value,
    /// The role of a new user as Entra ID sends it.
    pub(crate) entra: fn(&str) -> Value,
    /// Path and value of Entra ID's change of a role.
    pub(crate) entra_change: fn(&str) -> (&'static str, Value),
    /// Whether Entra ID's `active` is mapped to lower-case strings.
    lower_case_active: bool,
    /// The pages that say so.
    source: &'static str,
}

/// Vendors that are not here get no role.
const MAPPINGS: &[Mapping] = &[
    Mapping {
        profile: "pagerduty",
        roles: Some(["limited_user", "user"]),
        // The owner's role is given by no API; `team_responder` is what older Okta applications had.
        not_roles: &["owner", "team_responder"],
        shown: |role| json!({"value": role, "type": "base", "primary": true}),
        okta: |role| json!({"type": "base", "value": role}),
        // SingleAppRoleAssignment; the validator's captures have the boolean as a string here.
        entra: |role| json!({"primary": "True", "value": role}),
        entra_change: |role| ("roles[primary eq \"True\"].value", json!(role)),
        // `Switch([IsSoftDeleted], "true", "False", "true", "True", "false")`.
        lower_case_active: true,
        source: "support.pagerduty.com/main/docs",
    },
    Mapping {
        profile: "datadog",
        // UUIDs that each organisation has of its own; one that matches none is dropped, not refused.
        roles: None,
        not_roles: &[],
        shown: |role| json!({"value": role.to_ascii_lowercase()}),
        okta: |role| json!({"type": "slot1", "value": role}),
        // AppRoleAssignmentsComplex.
        entra: |role| {
            let kind = "WindowsAzureActiveDirectoryRole";
            json!({"primary": false, "type": kind, "displayName": "Role", "value": role})
        },
        entra_change: |role| {
            let assigned = json!({"id": role, "value": role, "displayName": "Role"});
            ("roles", json!([{"value": assigned.to_string()}]))
        },
        lower_case_active: false,
        source: "docs.datadoghq.com/account_management/scim",
    },
];

/// One of the two roles that are mapped.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    /// A new user's.
    First,
    /// The one given later.
    Second,
}

impl Target {
    /// Asks the service's discovery documents (RFC 7644 §4) what it is; `profile` is believed when given.
    ///
    /// # Errors
    ///
    /// No answer, or the token is refused.
    pub(crate) fn discover(
        client: &Client,
        profile: Option<&'static Profile>,
        generic: &'static Profile,
        license: Option<String>,
        roles: Vec<String>,
    ) -> anyhow::Result<Self> {
        let types = client.send(&Method::GET, "/ResourceTypes", None)?;
        if matches!(types.status, 401 | 403) {
            bail!(Refused { status: types.status });
        }
        let types = resource_types(&types);
        let profile = match profile {
            Some(profile) => profile,
            None => recognise(client, types.as_deref())?.unwrap_or(generic),
        };
        let groups = match &types {
            _ if profile.resource("Group").is_none() => Groups::Refused,
            Some(types) if types.iter().all(|one| one.name != "Group") => {
                if vendor::has_groups_on_request(profile) { Groups::Refused } else { Groups::Left }
            }
            _ => Groups::Pushed,
        };
        let shows_access =
            types.iter().flatten().any(|one| one.extensions.contains(&EFFECTIVE_ACCESS.to_owned()));
        Ok(Self { profile, groups, license, roles, shows_access })
    }

    /// Whether a deactivated user is deleted.
    pub(crate) fn deletes_inactive(&self) -> bool {
        self.profile.resource("User").is_some_and(|user| user.deactivation_deletes)
    }

    /// The statuses of a write that deactivates.
    pub(crate) fn deactivated(&self) -> &'static [u16] {
        if self.deletes_inactive() { &[204] } else { &[200, 204] }
    }

    /// The statuses of a second resource with a value that is taken. Where the vendor's documents do not say
    /// which, the RFC's 409 (RFC 7644 §3.3), which the identity providers ask for, is taken as well.
    pub(crate) fn duplicate(&self) -> Vec<u16> {
        let is_open = self.profile.options.iter().any(|row| row.name == "duplicate_status");
        [self.profile.errors.duplicate].into_iter().chain(is_open.then_some(409)).collect()
    }

    /// Whether no two groups may have the same name.
    pub(crate) fn has_distinct_group_names(&self) -> bool {
        let groups = self.profile.registry().by_name("Group");
        let name = groups.and_then(|group| group.base().attribute("displayName"));
        name.is_some_and(|name| name.uniqueness != Uniqueness::None)
    }

    /// Whether users have the extension `uri`.
    pub(crate) fn has_extension(&self, uri: &str) -> bool {
        self.profile.registry().by_name("User").is_some_and(|user| user.extension(uri).is_some())
    }

    /// Whether users have the attribute at this path; what they have not, nobody maps.
    pub(crate) fn has(&self, path: &str) -> bool {
        if let Some((uri, _)) = path.rsplit_once(':') {
            return self.has_extension(uri);
        }
        let name = path.split(['.', '[']).next().unwrap_or_default();
        let sub = path.rsplit_once('.').map(|(_, sub)| sub);
        match (self.attributes(), sub) {
            ([], _) => true,
            (rows, None) => find(rows, name).is_some(),
            (rows, Some(sub)) => find(rows, name).is_some_and(|row| find(row.sub_attributes, sub).is_some()),
        }
    }

    /// What of `written` the service keeps and shows.
    pub(crate) fn shows(&self, mut written: Value) -> Value {
        if let (Some(attributes), rows @ [_, ..]) = (written.as_object_mut(), self.attributes()) {
            attributes.retain(|name, value| match find(rows, name) {
                // `externalId` is common to all resources (RFC 7643 §3.1), and not in every table.
                None => name == "externalId" && self.keeps_external_ids(),
                Some(row) => keep(value, row.sub_attributes),
            });
        }
        written
    }

    /// Whether users keep an externalId: no rule says that they have none.
    fn keeps_external_ids(&self) -> bool {
        let mut rules = self.profile.resource("User").into_iter().flat_map(|user| user.rules);
        !rules.any(|rule| rule.attribute == "externalId" && rule.check == Check::NoValue)
    }

    /// Adds what the administrator maps: the role in the identity provider's own form, and the licence.
    pub(crate) fn map(&self, body: &mut Value, role: Role, form: impl Fn(&Mapping, &str) -> Value) {
        if let (Some(mapping), Some(role)) = (self.mapping(), self.role(role)) {
            self.map_role(body, form(mapping, role), "license");
        }
    }

    /// Adds this role, and the licence with this `type` of entitlement.
    pub(crate) fn map_role(&self, body: &mut Value, role: Value, entitlement: &str) {
        let Some(attributes) = body.as_object_mut() else { return };
        attributes.insert("roles".to_owned(), json!([role]));
        if let Some(license) = self.license() {
            attributes.insert("entitlements".to_owned(), json!([{"type": entitlement, "value": license}]));
        }
    }

    /// The value of a role that is mapped.
    pub(crate) fn role(&self, role: Role) -> Option<&str> {
        let mapping = self.mapping()?;
        let (first, second) = match (self.roles.as_slice(), mapping.roles) {
            ([only], _) => (only.as_str(), only.as_str()),
            ([first, second, ..], _) => (first.as_str(), second.as_str()),
            ([], Some([first, second])) => (first, second),
            ([], None) => return None,
        };
        Some(match role {
            Role::First => first,
            Role::Second => second,
        })
    }

    /// Values of roles that the vendor refuses.
    pub(crate) fn not_roles(&self) -> &'static [&'static str] {
        self.mapping().map_or(&[], |mapping| mapping.not_roles)
    }

    /// The licence that is mapped.
    pub(crate) fn license(&self) -> Option<&str> {
        self.license.as_deref().filter(|_| self.has("entitlements"))
    }

    /// The role, and the licence with it, as the vendor shows them; nothing where none is mapped. Which licence follows
    /// a role of another group, the vendor decides (PagerDuty's `stale-license`).
    pub(crate) fn shown_role(&self, role: Role) -> Value {
        let shown = match (self.mapping(), self.role(role)) {
            (Some(mapping), Some(role)) => json!({"roles": [(mapping.shown)(role)]}),
            _ => json!({}),
        };
        match self.license().filter(|_| self.keeps_license(role)) {
            Some(license) => and(shown, json!({"entitlements": [{"type": "license", "value": license}]})),
            None => shown,
        }
    }

    /// Whether the licence that came with the first role is for this one too.
    fn keeps_license(&self, role: Role) -> bool {
        let group = |role| self.role(role).and_then(pagerduty::role).map(|role| role.license_group);
        group(role) == group(Role::First)
    }

    /// What a user shows who is in no group: incident.io gives nothing then.
    pub(crate) fn shown_access(&self) -> Value {
        let access = json!({
            "active": true, "baseRole": BaseRole::Standard.as_str(), "responderSeat": false, "onCallSeat": "none",
        });
        if self.shows_access { json!({ EFFECTIVE_ACCESS: access }) } else { json!({}) }
    }

    /// Whether Entra ID's `active` is mapped to lower-case strings.
    pub(crate) fn lower_case_active(&self) -> bool {
        self.mapping().is_some_and(|mapping| mapping.lower_case_active)
    }

    /// The vendor's page on how it is mapped, or else what the identity provider's own says.
    pub(crate) fn mapped_by(&self, otherwise: &'static str) -> &'static str {
        self.mapping().map_or(otherwise, |mapping| mapping.source)
    }

    /// What is mapped for the vendor.
    pub(crate) fn mapping(&self) -> Option<&'static Mapping> {
        MAPPINGS.iter().find(|mapping| mapping.profile == self.profile.name)
    }

    /// The attributes of users, where they are not those of RFC 7643.
    fn attributes(&self) -> &'static [AttributeRow] {
        self.profile.resource("User").map_or(&[], |user| user.attributes)
    }
}

/// How `profile` has the token spelled by the identity provider called `idp`: what stands before it.
pub(crate) fn spelling(profile: &Profile, idp: &str) -> &'static str {
    let sent_by = |who: &str| profile.authorization.iter().find(|row| row.sent_by.contains(who));
    // RFC 6750 §2.1
    sent_by(idp).or_else(|| sent_by("every identity provider")).map_or("Bearer ", |row| row.prefix)
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

fn find(rows: &'static [AttributeRow], name: &str) -> Option<&'static AttributeRow> {
    rows.iter().find(|row| row.name.eq_ignore_ascii_case(name))
}

/// Takes out of a complex value what has no row; whether something is left.
fn keep(value: &mut Value, rows: &'static [AttributeRow]) -> bool {
    match value {
        Value::Object(members) if !rows.is_empty() => {
            members.retain(|name, _| find(rows, name).is_some());
            !members.is_empty()
        }
        Value::Array(elements) => elements.iter_mut().all(|element| keep(element, rows)),
        _ => true,
    }
}

/// A row of `/ResourceTypes`.
struct ResourceType {
    name: String,
    extensions: Vec<String>,
}

/// The rows of `/ResourceTypes`; `None` where there is no such document.
fn resource_types(answer: &Answer) -> Option<Vec<ResourceType>> {
    let resources = get(answer.json.as_ref().filter(|_| answer.succeeded())?, "Resources")?.as_array()?;
    let types = resources.iter().filter_map(|resource| {
        let name = get(resource, "name")?.as_str()?.to_owned();
        let extensions = get(resource, "schemaExtensions").and_then(Value::as_array).into_iter().flatten();
        let uris = extensions.filter_map(|one| get(one, "schema")?.as_str().map(str::to_owned));
        Some(ResourceType { name, extensions: uris.collect() })
    });
    Some(types.collect())
}

/// The vendor whose resource types these are, and whose rows agree with what the service says of itself.
fn recognise(client: &Client, types: Option<&[ResourceType]>) -> anyhow::Result<Option<&'static Profile>> {
    let has_types = |profile: &Profile| types.is_some_and(|types| are_types_of(types, profile));
    let vendors = || Profile::ALL.iter().copied().filter(|profile| profile.name != "generic");
    if !vendors().any(has_types) {
        return Ok(None);
    }
    let config = client.send(&Method::GET, "/ServiceProviderConfig", None)?;
    let Some(config) = config.json.as_ref().filter(|_| config.succeeded()) else { return Ok(None) };
    Ok(vendors().find(|profile| has_types(profile) && agrees(config, profile)))
}

/// Whether these are types of the profile, users among them: groups may be there on request alone.
fn are_types_of(types: &[ResourceType], profile: &Profile) -> bool {
    types.iter().any(|one| one.name == "User")
        && types.iter().all(|one| {
            profile.registry().resource_types().any(|own| {
                let own = own.resource_type();
                one.name == own.name
                    && one.extensions.len() == own.schema_extensions.len()
                    && own.schema_extensions.iter().all(|uri| one.extensions.contains(&uri.schema))
            })
        })
}

/// Whether ServiceProviderConfig says what the capability rows of `profile` say.
fn agrees(config: &Value, profile: &Profile) -> bool {
    let mut rows = profile.capabilities.iter().filter(|row| row.name != "itemsPerPage");
    rows.all(|row| {
        let Some((group, member)) = row.name.split_once('.') else { return false };
        let Some(group) = get(config, group) else { return false };
        let group = group.as_array().and_then(|elements| elements.first()).unwrap_or(group);
        let expected = match row.value {
            CapabilityValue::Literal(Literal::Bool(value)) => json!(value),
            CapabilityValue::Literal(Literal::Text(value)) => json!(value),
            CapabilityValue::Number(value) => json!(value),
        };
        get(group, member) == Some(&expected)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(profile: &str) -> Target {
        let profile = Profile::by_name(profile).unwrap();
        Target {
            profile,
            groups: Groups::Left,
            license: Some("L".to_owned()),
            roles: Vec::new(),
            shows_access: false,
        }
    }

    #[test]
    fn every_mapping_is_of_a_profile_that_has_its_attributes() {
        for mapping in MAPPINGS {
            let target = target(mapping.profile);
            assert!(target.has("roles") && target.has("roles[primary eq \"True\"].value"));
            assert_eq!(target.license().is_some(), target.has("entitlements"));
        }
        assert_eq!(target("generic").role(Role::First), None);
    }

    #[test]
    fn the_token_is_spelled_as_the_vendor_has_it() {
        let pagerduty = Profile::by_name("pagerduty").unwrap();
        let spellings =
            ["Okta", "Microsoft Entra ID", "OneLogin", "JumpCloud"].map(|idp| spelling(pagerduty, idp));
        assert_eq!(spellings, ["Token token=", "Bearer token=", "Bearer token=", "Bearer "]);
        for profile in Profile::ALL.iter().filter(|profile| profile.name != "pagerduty") {
            assert_eq!(spelling(profile, "Okta"), "Bearer ");
        }
    }

    #[test]
    fn what_a_vendor_has_no_attribute_for_is_not_looked_for() {
        let written = || {
            json!({
                "userName": "a", "externalId": "x", "name": {"givenName": "A"}, "emails": [{"value": "a"}],
                "roles": [{"value": "user", "display": "User"}], "urn:x:User": {"department": "R"},
            })
        };
        let kept = json!({"userName": "a", "externalId": "x", "roles": [{"value": "user"}]});
        assert_eq!(target("pagerduty").shows(written()), kept);
        assert_eq!(target("generic").shows(written()), written());
        let has = |path: &str| target("pagerduty").has(path);
        assert!(has("title") && has("roles") && has("entitlements[type eq \"license\"].value"));
        assert!(!has("name.givenName") && !has("emails[type eq \"work\"].value") && !has("title.x"));
    }
}
