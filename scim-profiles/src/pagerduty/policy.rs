//! What PagerDuty does with users, as a policy of a service.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use scim_core::policy::{Admission, Context, Policy, Write};
use scim_core::{Error, Object, Resource, ResourceId, ScimType, Value};
use scim_filter::{BoundFilter, compare};

use super::PROFILE;
use super::roles::{Ability, DEFAULT_ROLE, OWNER, Role, role};
use super::rules::RULES;
use crate::lint;
use crate::profile::CapabilityValue;
use crate::rule::Payload;

/// What differs from one PagerDuty account to another, or is left open by PagerDuty's documents.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PagerDutyOptions {
    /// The status for a userName that is taken: 400 unless set to 409.
    ///
    /// PagerDuty declares no 409, so 400 is what its clients have to live with, and what a
    /// rehearsal should show. Neither Okta nor Entra ID depends on the difference: both look a
    /// user up before they create it, and report a refused creation as failed with either status.
    /// Okta's reference and Microsoft's SCIM Validator do ask for 409; to pass the validator, or to
    /// offer PagerDuty's rules as a service of one's own, set it to 409.
    pub duplicate_status: StatusCode,
    /// Whether the account reassigns the incidents of a user who is deleted: off, as PagerDuty has it
    /// until the account owner switches it on, on plans that have it.
    pub reassign_incidents: bool,
    /// Whether the account has the ability `read_only_users`, which stakeholder roles need: on.
    pub read_only_users: bool,
    /// Whether the account has advanced permissions, which `observer` and `restricted_access`
    /// need: on.
    pub advanced_permissions: bool,
}

impl Default for PagerDutyOptions {
    fn default() -> Self {
        Self {
            duplicate_status: StatusCode::BAD_REQUEST,
            reassign_incidents: false,
            read_only_users: true,
            advanced_permissions: true,
        }
    }
}

/// PagerDuty's behaviour, for [`Service::with_policy`](scim_core::Service::with_policy).
///
/// Clones share the incidents that [`hold_incident`](Self::hold_incident) notes.
///
/// ```
/// use scim_core::ResourceId;
/// use scim_profiles::pagerduty::PagerDuty;
///
/// let pagerduty = PagerDuty::default();
/// let alex = ResourceId::new("AGKWDNQ24N4SXBBWYENPROSIYQ");
/// pagerduty.hold_incident(alex.clone());
/// assert!(pagerduty.clone().holds_incident(&alex));
/// pagerduty.resolve_incidents(&alex);
/// assert!(!pagerduty.holds_incident(&alex));
/// ```
#[derive(Clone, Debug, Default)]
pub struct PagerDuty {
    options: PagerDutyOptions,
    holders: Arc<Mutex<BTreeSet<ResourceId>>>,
    // Case-folded.
    named_holders: Arc<BTreeSet<String>>,
}

impl PagerDuty {
    /// PagerDuty as an account with these options sees it; nobody holds an incident.
    pub fn new(options: PagerDutyOptions) -> Self {
        Self { options, ..Self::default() }
    }

    /// The same with an incident assigned for good to whoever has one of these userNames, now or
    /// later: for rehearsals, which know their users before these have an `id`.
    #[must_use]
    pub fn with_incidents_of<'n>(mut self, user_names: impl IntoIterator<Item = &'n str>) -> Self {
        self.named_holders =
            Arc::new(user_names.into_iter().map(|name| compare::fold(name).into_owned()).collect());
        self
    }

    /// The options.
    pub fn options(&self) -> &PagerDutyOptions {
        &self.options
    }

    /// Notes that an incident is assigned to the user `id`.
    pub fn hold_incident(&self, id: ResourceId) {
        self.holders().insert(id);
    }

    /// Notes that no incident is assigned to the user `id` any more.
    pub fn resolve_incidents(&self, id: &ResourceId) {
        self.holders().remove(id);
    }

    /// Whether an incident is assigned to the user `id`.
    pub fn holds_incident(&self, id: &ResourceId) -> bool {
        self.holders().contains(id)
    }

    fn holders(&self) -> std::sync::MutexGuard<'_, BTreeSet<ResourceId>> {
        // No code panics while it holds the lock, and a set is whole after every call.
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has(&self, ability: Ability) -> bool {
        match ability {
            Ability::ReadOnlyUsers => self.options.read_only_users,
            Ability::AdvancedPermissions => self.options.advanced_permissions,
        }
    }

    fn check_ability(&self, resource: &Object) -> Result<(), Error> {
        match role_of(resource).map(|role| (role, role.ability)) {
            Some((role, Some(ability))) if !self.has(ability) => Err(Error::bad_request(
                ScimType::InvalidValue,
                format!(
                    "roles[0].value: `{}` needs the account ability `{}` (role-ability-needed)",
                    role.value,
                    ability.as_str()
                ),
            )),
            _ => Ok(()),
        }
    }
}

impl Policy for PagerDuty {
    fn admit(
        &self,
        context: &Context<'_>,
        write: Write<'_>,
        resource: &mut Resource,
    ) -> Result<Admission, Error> {
        let payload = match write {
            Write::Create => Payload::Create,
            Write::Replace(_) => Payload::Replace,
            Write::Patch(_) => Payload::Patch,
        };
        let user = &mut resource.0;
        if let Some(current) = write.current() {
            if user == &current.0 {
                return Ok(Admission::Store);
            }
            protect_owner(&current.0, "changed")?;
            if user.get("active") == Some(&Value::Bool(false)) {
                return Ok(Admission::Delete);
            }
            if payload == Payload::Patch {
                keep_newest(user, &current.0, "roles");
                keep_newest(user, &current.0, "entitlements");
            }
        }
        complete(user, write);
        let report = lint::outcome(PROFILE.name, RULES, context.schema, payload, user);
        if let Some(error) = report.to_error() {
            return Err(error);
        }
        self.check_ability(user)?;
        if let Some(current) = write.current() {
            drop_stale_license(user, &current.0);
        }
        normalise(user);
        Ok(Admission::Store)
    }

    fn may_delete(&self, _: &Context<'_>, current: &Resource) -> Result<(), Error> {
        protect_owner(&current.0, "deleted")?;
        let user_name = current.get("userName").and_then(Value::as_str);
        let held = current.id().is_some_and(|id| self.holds_incident(&id))
            || user_name.is_some_and(|name| self.named_holders.contains(compare::fold(name).as_ref()));
        if held && !self.options.reassign_incidents {
            return Err(Error::new(
                StatusCode::BAD_REQUEST,
                "the user has assigned incidents, and the account does not reassign them \
                 (incident-blocks-deletion)",
            ));
        }
        Ok(())
    }

    fn may_filter(&self, context: &Context<'_>, filter: &BoundFilter) -> Result<(), Error> {
        let allowed =
            PROFILE.resource(context.schema.name()).is_none_or(|resource| resource.filters.allow(filter));
        if allowed {
            return Ok(());
        }
        Err(Error::bad_request(
            ScimType::InvalidFilter,
            "users can be filtered by `userName eq` or `externalId eq` alone (filter-limited)",
        ))
    }

    fn render(&self, _: &Context<'_>, resource: &mut Resource) {
        only_resource_type(&mut resource.0);
    }

    fn render_discovery(&self, document: &mut Object) {
        if let Some(Value::Object(bulk)) = document.get_mut("bulk") {
            for name in ["maxOperations", "maxPayloadSize"] {
                if let Some(CapabilityValue::Number(number)) = PROFILE.capability(&format!("bulk.{name}")) {
                    bulk.insert(name, i64::try_from(number).unwrap_or(i64::MAX));
                }
            }
        }
        only_resource_type(document);
    }

    /// The statuses are those that PagerDuty declares.
    fn restate(&self, error: Error) -> Error {
        let status = match error.status() {
            _ if error.scim_type() == Some(ScimType::Uniqueness) => self.options.duplicate_status,
            // What the service says 501 of has no endpoint here, as any other unknown path.
            StatusCode::NOT_IMPLEMENTED => StatusCode::NOT_FOUND,
            // Other requests overtook the write until the service gave up: worth another try, which
            // no 4xx of PagerDuty's says.
            StatusCode::CONFLICT => StatusCode::INTERNAL_SERVER_ERROR,
            _ => return error,
        };
        error.with_status(status)
    }
}

/// The only member of `meta` is `resourceType`.
fn only_resource_type(object: &mut Object) {
    if let Some(Value::Object(meta)) = object.get_mut("meta") {
        meta.retain(|name, _| name.matches("resourceType"));
    }
}

fn protect_owner(current: &Object, done: &str) -> Result<(), Error> {
    if text_of(current, "roles") == Some(OWNER) {
        let detail = format!("the account owner cannot be {done} (owner-protected)");
        return Err(Error::new(StatusCode::FORBIDDEN, detail));
    }
    Ok(())
}

/// Where PATCH added an element to the only one of `attribute`, leaves the new one alone.
fn keep_newest(user: &mut Object, current: &Object, attribute: &str) {
    let Some(former) = text_of(current, attribute).map(str::to_owned) else { return };
    let Some(elements) = user.get_mut(attribute).and_then(Value::as_array_mut) else { return };
    let is_former = |element: &Value| value_of(element) == Some(&former);
    if elements.iter().all(is_former) {
        elements.drain(..elements.len().saturating_sub(1));
    } else {
        elements.retain(|element| !is_former(element));
    }
}

/// Fills in what the request leaves open.
fn complete(user: &mut Object, write: Write<'_>) {
    if user.get("active").is_none_or(Value::is_unassigned) {
        user.insert("active", true);
    }
    if user.get("roles").is_some_and(|roles| !roles.is_unassigned()) {
        return;
    }
    let former = write.current().and_then(|current| current.0.get("roles"));
    match (write, former) {
        // A PATCH that leaves no role has removed it: the rule `roles-kept` answers that.
        (Write::Patch(_), Some(_)) => {}
        (Write::Replace(_), Some(former)) => {
            user.insert("roles", former.clone());
        }
        (_, _) => {
            let mut element = Object::new();
            element.insert("value", DEFAULT_ROLE);
            element.insert("type", "base");
            user.insert("roles", vec![Value::Object(element)]);
        }
    }
}

/// Takes away the licence of the former role, where the new role needs one of another group.
fn drop_stale_license(user: &mut Object, current: &Object) {
    let groups =
        (role_of(user).map(|role| role.license_group), role_of(current).map(|role| role.license_group));
    let (Some(new), Some(former)) = groups else { return };
    if new != former && text_of(user, "entitlements") == text_of(current, "entitlements") {
        user.remove("entitlements");
    }
}

/// Puts role and licence into the form they are answered in.
fn normalise(user: &mut Object) {
    if let Some(Value::String(value)) = first(user, "roles").and_then(|role| role.get("value")).cloned() {
        let mut element = Object::new();
        element.insert("value", Value::String(value));
        element.insert("type", "base");
        element.insert("primary", true);
        user.insert("roles", vec![Value::Object(element)]);
    }
    if let Some(Value::String(value)) = first(user, "entitlements").and_then(|one| one.get("value")).cloned()
    {
        let mut element = Object::new();
        element.insert("type", "license");
        element.insert("value", Value::String(value));
        user.insert("entitlements", vec![Value::Object(element)]);
    }
}

fn first<'u>(user: &'u Object, attribute: &str) -> Option<&'u Object> {
    user.get(attribute).and_then(Value::as_array).and_then(<[Value]>::first).and_then(Value::as_object)
}

/// The `value` of the first element of `attribute`.
fn text_of<'u>(user: &'u Object, attribute: &str) -> Option<&'u str> {
    first(user, attribute).and_then(|element| element.get("value")).and_then(Value::as_str)
}

fn value_of(element: &Value) -> Option<&str> {
    element.as_object().and_then(|object| object.get("value")).and_then(Value::as_str)
}

fn role_of(user: &Object) -> Option<&'static Role> {
    text_of(user, "roles").and_then(role)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_status_that_is_not_declared() {
        let pagerduty = PagerDuty::default();
        for (status, restated) in [(501, 404), (409, 500), (400, 400), (403, 403), (404, 404)] {
            let error = Error::new(StatusCode::from_u16(status).unwrap(), "why");
            let answer = pagerduty.restate(error);
            assert_eq!((answer.status().as_u16(), answer.detail()), (restated, "why"));
        }
        let taken = || Error::bad_request(ScimType::Uniqueness, "taken").with_status(StatusCode::CONFLICT);
        assert_eq!(pagerduty.restate(taken()).status(), 400);
        let options = PagerDutyOptions { duplicate_status: StatusCode::CONFLICT, ..Default::default() };
        assert_eq!(PagerDuty::new(options).restate(taken()).status(), 409);
    }
}
