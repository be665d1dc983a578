//! The licences of an account.

use std::fmt;

use scim_core::patch::{PatchOptions, PatchRequest};
use scim_core::schema::ResourceSchema;
use scim_core::{Resource, ScimType, Value, validate};

use super::PROFILE;
use super::roles::{DEFAULT_ROLE, LicenseGroup, ROLES, role};
use super::schema::registry;
use super::user::{self, ENTITLEMENTS, text_of};
use crate::report::{Report, Violation};
use crate::rule::{Payload, Severity};

/// A licence that an account has bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct License {
    /// What `entitlements` name it by. Two licences can have one name, but not one id.
    pub id: Box<str>,
    /// The name for people.
    pub name: Box<str>,
    /// The roles of the users who may have it.
    pub valid_roles: Vec<Box<str>>,
    /// How many users may have it at a time; `None` is without limit.
    pub allocations: Option<u32>,
    /// How many users of the account have it already, whoever they are.
    pub in_use: u32,
}

impl License {
    /// A licence for the roles of `group` that nobody has yet.
    pub fn new(id: &str, name: &str, group: LicenseGroup, allocations: Option<u32>) -> Self {
        let roles = ROLES.iter().filter(|role| role.license_group == group);
        let valid_roles = roles.map(|role| role.value.into()).collect();
        Self { id: id.into(), name: name.into(), valid_roles, allocations, in_use: 0 }
    }

    /// How many more users may have it; `None` is without limit.
    pub fn available(&self) -> Option<u32> {
        self.allocations.map(|allocations| allocations.saturating_sub(self.in_use))
    }

    /// Whether a user with the role `role` may have it.
    pub fn permits(&self, role: &str) -> bool {
        self.valid_roles.iter().any(|valid| **valid == *role)
    }
}

/// The licences of an account, in the order in which they are given to users who ask for none.
///
/// ```
/// use scim_core::Value;
/// use scim_profiles::Payload;
/// use scim_profiles::pagerduty::Licenses;
///
/// let licenses: Value = r#"{"licenses": [{
///     "id": "PIP248G", "name": "Business (Full User)", "role_group": "FullUser",
///     "valid_roles": ["owner", "admin", "user", "limited_user", "observer", "restricted_access"],
///     "current_value": 234, "allocations_available": 4766
/// }]}"#.parse()?;
/// let licenses = Licenses::parse(&licenses)?;
/// let license = licenses.by_id("PIP248G").expect("is one of them");
/// assert_eq!((license.allocations, license.available()), (Some(5000), Some(4766)));
/// assert!(license.permits("observer"));
///
/// let stakeholder: Value = r#"{
///     "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
///     "userName": "alex.doe@example.com", "displayName": "Alex Doe",
///     "roles": [{"value": "read_only_user", "type": "base"}],
///     "entitlements": [{"value": "PIP248G", "type": "license"}]
/// }"#.parse()?;
/// let report = licenses.lint(Payload::Create, &stakeholder);
/// let rules: Vec<_> = report.errors().map(|error| error.rule).collect();
/// assert_eq!(rules, ["license-role"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Licenses {
    // INVARIANT: no two have the same id.
    list: Vec<License>,
}

/// What is no list of licences, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidLicenses {
    message: String,
}

impl fmt::Display for InvalidLicenses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for InvalidLicenses {}

/// Why a user cannot have a licence: a row of the profile, and the case.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Objection {
    pub(super) row: &'static str,
    pub(super) message: String,
}

impl Licenses {
    /// These licences.
    ///
    /// # Errors
    ///
    /// Two of them have the same id.
    pub fn new(licenses: impl IntoIterator<Item = License>) -> Result<Self, InvalidLicenses> {
        let list: Vec<License> = licenses.into_iter().collect();
        let mut ids: Vec<&str> = list.iter().map(|license| &*license.id).collect();
        ids.sort_unstable();
        let twice = ids.iter().zip(ids.iter().skip(1)).find(|(one, next)| one == next);
        match twice {
            Some((id, _)) => Err(invalid(format!("the licence {} is there twice", shown(id)))),
            None => Ok(Self { list }),
        }
    }

    /// What `GET /licenses` of PagerDuty's REST API answers, or its `licenses` alone.
    ///
    /// `allocations_available` is how many *more* users may have a licence, and `null` where there is no
    /// limit; `current_value` is how many have it, none where it is left out: all [allocations](License::allocations) are
    /// the two together. Who has it already the document does not say; whether they are users of the server is for
    /// [`LicensesInUse`](super::LicensesInUse). Where `valid_roles` are left out they are those of the `role_group`.
    ///
    /// # Errors
    ///
    /// It is something else, or has none; a licence is there twice, or is for no role, or for one that is
    /// [none](super::role).
    pub fn parse(document: &Value) -> Result<Self, InvalidLicenses> {
        let list = document.get("licenses").unwrap_or(document).as_array();
        let list = list.ok_or_else(|| invalid("there is no array `licenses`".to_owned()))?;
        if list.is_empty() {
            return Err(invalid("there is none in it, and so none for anybody".to_owned()));
        }
        let read = |(number, license): (usize, &Value)| {
            read(license).map_err(|message| invalid(format!("licenses[{number}]: {message}")))
        };
        Self::new(list.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?)
    }

    /// The licence with this id.
    pub fn by_id(&self, id: &str) -> Option<&License> {
        self.list.iter().find(|license| *license.id == *id)
    }

    /// All of them, in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, License> {
        self.list.iter()
    }

    /// What [`Profile::lint_as`](crate::Profile::lint_as) says, and whether the user can have the licence that the
    /// payload names, or one that is for the role where a new user is to have any: it is there, for the role, and has an
    /// allocation [available](License::available).
    ///
    /// In a PUT or PATCH a licence that is not for the role is a warning: if it is that of the former role,
    /// it is dropped. So is one that has no allocation available: the user may have it already.
    pub fn lint(&self, payload: Payload, value: &Value) -> Report {
        let mut report = PROFILE.lint_as(payload, value);
        let Some(user) = outcome(payload, value) else { return report };
        let is_new = payload == Payload::Create;
        let role = text_of(&user.0, user::ROLES).or(is_new.then_some(DEFAULT_ROLE));
        let deactivates = !is_new && user.get("active") == Some(&Value::Bool(false));
        let (at, objection) = match (text_of(&user.0, ENTITLEMENTS), role) {
            _ if deactivates => return report,
            (Some(id), role) => {
                report.checked.push("license-known");
                ("entitlements[0].value", self.judge(id, role).and_then(|one| available(&[one], role)))
            }
            (None, Some(role)) if is_new => {
                ("roles[0].value", self.fitting(role).and_then(|all| available(&all, Some(role))))
            }
            (None, _) => return report,
        };
        let objection = objection.err();
        if objection.as_ref().is_none_or(|objection| objection.row != "license-known") {
            report.checked.extend(role.map(|_| "license-role"));
            report.checked.push("license-exhausted");
        }
        if let Some(Objection { row, message }) = objection
            && let Some(row) = PROFILE.lifecycle.iter().find(|known| known.id == row)
        {
            // The licence of the former role goes with it, and one that the user has needs no other allocation; only the
            // service provider knows which that is. Nobody has one that has no allocations at all.
            let held = text_of(&user.0, ENTITLEMENTS).and_then(|id| self.by_id(id));
            let may_be_held = !is_new
                && match row.id {
                    "license-exhausted" => held.is_some_and(|held| held.allocations != Some(0)),
                    id => id == "license-role",
                };
            report.violations.push(Violation {
                rule: row.id,
                severity: if may_be_held { Severity::Warning } else { Severity::Error },
                path: if payload == Payload::Patch { "Operations" } else { at }.to_owned(),
                message,
                scim_type: ScimType::InvalidValue,
                source: row.source,
            });
        }
        report
    }

    /// The licence `id`, if users with the role `role` may have it; its allocations are not counted.
    pub(super) fn judge(&self, id: &str, role: Option<&str>) -> Result<&License, Objection> {
        let Some(license) = self.by_id(id) else {
            let message = format!("the account has no licence {}", shown(id));
            return Err(Objection { row: "license-known", message });
        };
        match role {
            Some(role) if !license.permits(role) => Err(not_for(&license.id, role)),
            _ if license.allocations == Some(0) => Err(exhausted(&[license], role)),
            _ => Ok(license),
        }
    }

    /// The licences for users with the role `role`.
    pub(super) fn fitting(&self, role: &str) -> Result<Vec<&License>, Objection> {
        let fitting: Vec<_> = self.list.iter().filter(|license| license.permits(role)).collect();
        if fitting.is_empty() {
            let message = format!("the account has no licence for the role {}", shown(role));
            return Err(Objection { row: "license-role", message });
        }
        Ok(fitting)
    }
}

/// Whether one of `licenses` has an allocation available.
fn available(licenses: &[&License], role: Option<&str>) -> Result<(), Objection> {
    match licenses.iter().any(|license| license.available() != Some(0)) {
        true => Ok(()),
        false => Err(exhausted(licenses, role)),
    }
}

/// The refusal of a licence that is not for the role.
pub(super) fn not_for(license: &str, role: &str) -> Objection {
    let message = format!("the licence {} is not for the role {}", shown(license), shown(role));
    Objection { row: "license-role", message }
}

/// The refusal of a user for whom none of `licenses` has an allocation left; the words before the second colon
/// are those of the REST API.
pub(super) fn exhausted(licenses: &[&License], role: Option<&str>) -> Objection {
    let mut message =
        "Invalid Input Provided: License error: License is not available: no allocation of ".to_owned();
    for (index, license) in licenses.iter().enumerate() {
        if index == NAMED {
            message += &format!(", and {} others", licenses.len() - NAMED);
            break;
        }
        message += if index == 0 { "" } else { ", " };
        message += &shown(&license.id);
    }
    message += " is left";
    if let Some(role) = role {
        message += &format!(" for the role {}", shown(role));
    }
    Objection { row: "license-exhausted", message }
}

/// How many licences a message names.
const NAMED: usize = 5;

fn read(license: &Value) -> Result<License, String> {
    let text = |name: &str| license.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let id = text("id").ok_or("there is no `id`")?;
    let group = match text("role_group") {
        None => None,
        Some(group) => {
            let known = [LicenseGroup::FullUser, LicenseGroup::Stakeholder];
            let known = known.into_iter().find(|known| known.as_str() == group);
            Some(known.ok_or("`role_group` is neither `FullUser` nor `Stakeholder`")?)
        }
    };
    let count = |name: &str, value: &Value| {
        let count = value.as_i64().and_then(|count| u32::try_from(count).ok());
        count.ok_or_else(|| format!("`{name}` is not a number of users"))
    };
    let in_use = license.get("current_value").filter(|value| !value.is_unassigned());
    let in_use = in_use.map_or(Ok(0), |taken| count("current_value", taken))?;
    let allocations = match license.get("allocations_available") {
        None => return Err("there is no `allocations_available`; `null` is without limit".to_owned()),
        Some(Value::Null) => None,
        Some(available) => Some(count("allocations_available", available)?.saturating_add(in_use)),
    };
    let valid_roles = match (license.get("valid_roles"), group) {
        (None, None) => return Err("there is neither `valid_roles` nor `role_group`".to_owned()),
        (None, Some(group)) => License::new(id, "", group, None).valid_roles,
        (Some(roles), _) => {
            let roles = roles.as_array().map(|roles| roles.iter().map(|role| role.as_str().map(Box::from)));
            let roles = roles.and_then(Iterator::collect::<Option<Vec<_>>>);
            let roles = roles.ok_or("`valid_roles` is not an array of strings")?;
            check_roles(id, &roles)?;
            roles
        }
    };
    let name = text("name").unwrap_or_default().into();
    Ok(License { id: id.into(), name, valid_roles, allocations, in_use })
}

/// A licence for no role, or for one that nobody can have, would refuse whoever is to have it.
fn check_roles(id: &str, roles: &[Box<str>]) -> Result<(), String> {
    if roles.is_empty() {
        return Err(format!("the licence {} has no `valid_roles`, and so is for nobody", shown(id)));
    }
    match roles.iter().find(|value| role(value).is_none()) {
        Some(unknown) => Err(format!(
            "the licence {} has {} in `valid_roles`, which is no role",
            shown(id),
            shown(unknown)
        )),
        None => Ok(()),
    }
}

/// The user that the payload comes to, as far as it can be read without the user there was.
fn outcome(payload: Payload, value: &Value) -> Option<Resource> {
    let schema: &ResourceSchema = registry().by_name("User")?;
    let leniencies = super::leniencies();
    if payload != Payload::Patch {
        return validate::create(schema, value.clone(), &leniencies).ok().map(|valid| valid.resource);
    }
    let options = PatchOptions { leniencies, ..PatchOptions::default() };
    let request = PatchRequest::parse(schema, value.clone(), &options).ok()?;
    request.plan(schema, &Resource::default()).ok().map(|plan| plan.resource)
}

fn invalid(message: String) -> InvalidLicenses {
    InvalidLicenses { message }
}

/// Text of a client or a file, in backticks, short and on one line.
fn shown(text: &str) -> String {
    format!("`{}`", crate::lint::shown(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Licenses, String> {
        Licenses::parse(&json.parse().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_the_rest_api_answers_is_read() {
        let licenses = parse(
            r#"{"licenses": [
                {"id": "A", "name": "Full", "type": "license", "role_group": "FullUser", "current_value": 2,
                 "valid_roles": ["user"], "allocations_available": 3},
                {"id": "B", "name": "Stakeholder", "role_group": "Stakeholder", "allocations_available": null},
                {"id": "C", "role_group": "FullUser", "current_value": null, "allocations_available": 0}
            ]}"#,
        );
        let licenses = licenses.unwrap();
        let rows: Vec<_> =
            licenses.iter().map(|l| (&*l.id, &*l.name, l.allocations, l.available())).collect();
        assert_eq!(
            rows,
            [("A", "Full", Some(5), Some(3)), ("B", "Stakeholder", None, None), ("C", "", Some(0), Some(0))]
        );
        let roles = |id| licenses.by_id(id).unwrap().valid_roles.join(" ");
        assert_eq!(roles("A"), "user");
        assert_eq!(roles("B"), "read_only_user read_only_limited_user");
        assert_eq!(roles("C"), "admin user limited_user observer restricted_access owner");
    }

    #[test]
    fn what_is_no_list_of_licences_is_refused() {
        for (json, message) in [
            ("{}", "there is no array `licenses`"),
            ("[]", "there is none in it, and so none for anybody"),
            (r#"{"licenses": []}"#, "there is none in it, and so none for anybody"),
            (
                r#"[{"id": "A", "valid_roles": [], "allocations_available": 1}]"#,
                "licenses[0]: the licence `A` has no `valid_roles`, and so is for nobody",
            ),
            (
                r#"[{"id": "A", "valid_roles": ["user", "boss"], "allocations_available": 1}]"#,
                "licenses[0]: the licence `A` has `boss` in `valid_roles`, which is no role",
            ),
            (r#"[{"name": "Full"}]"#, "licenses[0]: there is no `id`"),
            (
                r#"[{"id": "A", "role_group": "FullUser"}]"#,
                "licenses[0]: there is no `allocations_available`; `null` is without limit",
            ),
            (
                r#"[{"id": "A", "role_group": "Full", "allocations_available": 1}]"#,
                "licenses[0]: `role_group` is neither `FullUser` nor `Stakeholder`",
            ),
            (
                r#"[{"id": "A", "role_group": "FullUser", "allocations_available": -1}]"#,
                "licenses[0]: `allocations_available` is not a number of users",
            ),
            (
                r#"[{"id": "A", "role_group": "FullUser", "current_value": "1", "allocations_available": 1}]"#,
                "licenses[0]: `current_value` is not a number of users",
            ),
            (
                r#"[{"id": "A", "allocations_available": 1}]"#,
                "licenses[0]: there is neither `valid_roles` nor `role_group`",
            ),
            (
                r#"[{"id": "A", "valid_roles": [1], "allocations_available": 1}]"#,
                "licenses[0]: `valid_roles` is not an array of strings",
            ),
            (
                r#"[{"id": "A", "valid_roles": ["user"], "allocations_available": 1},
                    {"id": "A", "valid_roles": ["user"], "allocations_available": 1}]"#,
                "the licence `A` is there twice",
            ),
        ] {
            assert_eq!(parse(json), Err(message.to_owned()), "{json}");
        }
    }
}
