//! What PagerDuty does with users, as a policy of a service.

use std::sync::Arc;

use http::StatusCode;
use scim_core::policy::{Admission, Context, Policy, Write};
use scim_core::{Error, Object, Resource, ResourceId, ScimType, TenantId, Value};
use scim_filter::BoundFilter;

use super::PROFILE;
use super::incidents::{Incidents, Offboarding, Reassignment};
use super::licenses::{License, Licenses};
use super::options::{
    LicensesInUse, OwnerProtection, PagerDutyOptions, RoleEmptied, RoleOmitted, StaleLicense,
};
use super::roles::{Ability, OWNER};
use super::rules::RULES;
use super::schema::LICENSE_SEAT;
use super::user::{ENTITLEMENTS, ROLES, entitlements, first, role_of, text_of, value_of};
use crate::lint;
use crate::profile::CapabilityValue;
use crate::rule::Payload;

/// PagerDuty's behaviour, for [`Service::with_policy`](scim_core::Service::with_policy).
///
/// Clones share the incidents that [`hold_incident`](Self::hold_incident) notes. The licences, and the
/// reassignment of incidents, are the work of [`AccountStore`](super::AccountStore), on which the service
/// is then built.
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
    incidents: Incidents,
    licenses: Option<Arc<Licenses>>,
}

impl PagerDuty {
    /// PagerDuty as an account with these options sees it; nobody holds an incident, and licences are not
    /// looked at.
    pub fn new(options: PagerDutyOptions) -> Self {
        Self { options, ..Self::default() }
    }

    /// The same with these licences, of which an [`AccountStore`](super::AccountStore) gives each user one.
    #[must_use]
    pub fn with_licenses(self, licenses: Licenses) -> Self {
        Self { licenses: Some(Arc::new(licenses)), ..self }
    }

    /// The same with an incident assigned for good to whoever has one of these userNames, now or
    /// later: for rehearsals, which know their users before these have an `id`.
    #[must_use]
    pub fn with_incidents_of<'n>(mut self, user_names: impl IntoIterator<Item = &'n str>) -> Self {
        self.incidents.name(user_names);
        self
    }

    /// The same with the incidents that `assigned` says are assigned to a user, by their ids. It is asked
    /// before each deletion, and must not wait for anything.
    ///
    /// ```
    /// use scim_profiles::pagerduty::{AssignedIncidents, PagerDuty};
    ///
    /// let incidents = AssignedIncidents::parse(&r#"{"incidents": [{
    ///     "id": "Q2AIXW2ZIIX6F4", "status": "triggered",
    ///     "assignments": [{"assignee": {"type": "user", "email": "alex.doe@example.com"}}]
    /// }]}"#.parse()?)?;
    /// let pagerduty = PagerDuty::default().with_incidents(move |user| incidents.of(user));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_incidents(
        mut self,
        assigned: impl Fn(&Resource) -> Vec<String> + Send + Sync + 'static,
    ) -> Self {
        self.incidents.ask(Arc::new(assigned));
        self
    }

    /// The same, which tells `begin` after each deletion by an [`AccountStore`](super::AccountStore) which
    /// incidents are to be reassigned.
    ///
    /// PagerDuty reassigns them asynchronously: the deletion is answered without waiting for it. So
    /// `begin` starts what is to be done, and returns.
    #[must_use]
    pub fn with_reassignment(mut self, begin: impl Fn(&Reassignment) + Send + Sync + 'static) -> Self {
        self.incidents.tell(Arc::new(begin));
        self
    }

    /// The options.
    pub fn options(&self) -> &PagerDutyOptions {
        &self.options
    }

    /// The licences of the account, where they are looked at.
    pub fn licenses(&self) -> Option<&Licenses> {
        self.licenses.as_deref()
    }

    /// Whether a user with `role` who has the licence `held`, and is sent `named`, keeps what there is: that is for the
    /// role, and `named` is not.
    pub(super) fn passes_over(&self, named: &str, held: &str, role: &str) -> bool {
        let permits = |id: &str| self.licenses()?.by_id(id).map(|license| license.permits(role));
        self.options.stale_license == StaleLicense::Drop
            && permits(held) == Some(true)
            && permits(named) == Some(false)
    }

    /// How many users of this server may have `license`; `None` is without limit.
    pub(super) fn limit_of(&self, license: &License) -> Option<u32> {
        match self.options.licenses_in_use {
            LicensesInUse::Elsewhere => license.available(),
            LicensesInUse::Here => license.allocations,
        }
    }

    /// Notes that an incident is assigned to the user `id`.
    pub fn hold_incident(&self, id: ResourceId) {
        self.incidents.hold(id);
    }

    /// Notes that no incident is assigned to the user `id` any more.
    pub fn resolve_incidents(&self, id: &ResourceId) {
        self.incidents.resolve(id);
    }

    /// Whether an incident was [noted](Self::hold_incident) for the user `id`.
    pub fn holds_incident(&self, id: &ResourceId) -> bool {
        self.incidents.is_held_by(id)
    }

    /// Whether somebody is to be told of reassignments.
    pub(super) fn tells_reassignments(&self) -> bool {
        self.reassigns() && self.incidents.tells()
    }

    /// What the deletion of `user` makes necessary, if anything.
    pub(super) fn reassignment_of(&self, tenant: &TenantId, user: &Resource) -> Option<Reassignment> {
        Some(Reassignment {
            tenant: tenant.clone(),
            user: user.id()?,
            user_name: user.get("userName").and_then(Value::as_str).map(str::to_owned),
            incidents: self.incidents.assigned(user)?,
        })
    }

    pub(super) fn tell(&self, reassignment: &Reassignment) {
        self.incidents.begin(reassignment);
    }

    /// Whether the account reassigns the incidents of who is deleted.
    fn reassigns(&self) -> bool {
        self.options.offboarding == Offboarding::Reassign && self.options.plan.reassigns_incidents()
    }

    /// Why a user with assigned incidents is not deleted, and what lets the user be: the two ways that PagerDuty's page
    /// names.
    fn deletion_blocked(&self) -> String {
        let reassigning = match self.options.plan.reassigns_incidents() {
            true => {
                "have the account owner turn on incident reassignment in the account's User Offboarding settings"
            }
            false => "upgrade to a plan that includes incident reassignment, and turn it on",
        };
        format!(
            "the user has assigned incidents, and the account does not reassign them: reassign them to another user \
             by hand, or {reassigning} (incident-blocks-deletion)"
        )
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

impl PagerDuty {
    /// Judges a change of the user who is `current`.
    fn protect_owner(&self, current: &Object, wanted: &Object) -> Result<(), Error> {
        match self.options.owner {
            _ if !is_owner(current) => Ok(()),
            OwnerProtection::None => Ok(()),
            OwnerProtection::Full => Err(owner_protected("changed")),
            OwnerProtection::Role if text_of(wanted, ROLES).is_some_and(|role| role != OWNER) => {
                Err(owner_protected("given another role"))
            }
            OwnerProtection::Role => Ok(()),
        }
    }

    /// Whether `wanted`, complete as it is, would be stored as what `current` is already.
    fn leaves_as_it_is(&self, wanted: &Object, current: &Object) -> bool {
        let mut stored = wanted.clone();
        normalise(&mut stored);
        if let Some(license) = current.get(ENTITLEMENTS)
            && self.licenses.is_some()
            && stored.get(ENTITLEMENTS).is_none_or(Value::is_unassigned)
        {
            // A licence that is not named stays.
            stored.insert(ENTITLEMENTS, license.clone());
        }
        let is_said_by = |user: &Object, other: &Object| {
            let mut said = user.iter().filter(|(name, value)| {
                !value.is_unassigned() && !name.matches("meta") && !name.matches("schemas")
            });
            said.all(|(name, value)| other.get(name.as_str()) == Some(value))
        };
        is_said_by(&stored, current) && is_said_by(current, &stored)
    }

    /// Takes away the licence of the former role, where the new role needs one of another group.
    fn drop_stale_license(&self, user: &mut Object, current: &Object, payload: Payload) -> Result<(), Error> {
        if !is_stale(user, current) {
            return Ok(());
        }
        if payload == Payload::Replace && self.options.stale_license == StaleLicense::Refuse {
            let detail = "entitlements[0].value: the licence of the former role is not for the new one \
                          (license-role)";
            return Err(Error::bad_request(ScimType::InvalidValue, detail).with_rule("license-role"));
        }
        user.remove(ENTITLEMENTS);
        Ok(())
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
            if user.get("active") == Some(&Value::Bool(false)) {
                self.protect_owner(&current.0, user)?;
                return Ok(Admission::Delete);
            }
            if payload == Payload::Patch {
                keep_newest(user, &current.0, "roles");
                keep_newest(user, &current.0, "entitlements");
            }
        }
        complete(user, write, context.unassigns(ROLES), &self.options);
        if let Some(current) = write.current().filter(|current| !self.leaves_as_it_is(user, &current.0)) {
            self.protect_owner(&current.0, user)?;
        }
        let mut report = lint::outcome(PROFILE.name, RULES, context.schema, payload, user);
        if write.current().is_some_and(|current| is_owner(&current.0)) {
            // Who has the role is not given it.
            report.violations.retain(|violation| violation.rule != "role-owner");
        }
        if let Some(error) = report.to_error() {
            return Err(error);
        }
        self.check_ability(user)?;
        if let Some(current) = write.current() {
            self.drop_stale_license(user, &current.0, payload)?;
        }
        normalise(user);
        Ok(Admission::Store)
    }

    fn remarks(&self, _: &Context<'_>, write: Write<'_>, asked: &Resource) -> Vec<String> {
        let refused =
            matches!(write, Write::Replace(_)) && self.options.stale_license == StaleLicense::Refuse;
        let stays = asked.get("active") != Some(&Value::Bool(false));
        let Some(current) = write.current().filter(|_| stays && !refused) else { return Vec::new() };
        let held = text_of(&current.0, ENTITLEMENTS);
        if is_stale(&asked.0, &current.0) {
            let license = held.map(lint::shown).unwrap_or_default();
            return vec![format!("the licence `{license}` of the former role is dropped (stale-license)")];
        }
        let named = newest(&asked.0, &current.0, ENTITLEMENTS);
        let role = newest(&asked.0, &current.0, ROLES).or_else(|| text_of(&current.0, ROLES));
        let (Some(named), Some(held), Some(role)) = (named, held, role) else { return Vec::new() };
        if !self.passes_over(named, held, role) {
            return Vec::new();
        }
        let [named, held, role] = [named, held, role].map(lint::shown);
        vec![format!("the licence `{named}` is not for the role `{role}`: `{held}` stays (stale-license)")]
    }

    fn may_delete(&self, _: &Context<'_>, current: &Resource) -> Result<(), Error> {
        if is_owner(&current.0) && self.options.owner != OwnerProtection::None {
            return Err(owner_protected("deleted"));
        }
        if !self.reassigns() && self.incidents.assigned(current).is_some() {
            return Err(Error::new(StatusCode::BAD_REQUEST, self.deletion_blocked())
                .with_rule("incident-blocks-deletion"));
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
        if let Some(attributes) = document.get_mut("attributes").and_then(Value::as_array_mut) {
            attributes
                .retain(|attribute| attribute.get("name").and_then(Value::as_str) != Some(LICENSE_SEAT));
        }
        only_resource_type(document);
    }

    /// The statuses are those that PagerDuty declares.
    fn restate(&self, error: Error) -> Error {
        let status = match error.status() {
            _ if error.scim_type() == Some(ScimType::Uniqueness) => self.options.duplicate_status,
            // What the service says 501 or 405 of has no endpoint here, as any other unknown path.
            StatusCode::NOT_IMPLEMENTED | StatusCode::METHOD_NOT_ALLOWED => StatusCode::NOT_FOUND,
            StatusCode::UNSUPPORTED_MEDIA_TYPE | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::URI_TOO_LONG => {
                StatusCode::BAD_REQUEST
            }
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

/// Whether `user` has the licence of `current` still, and a role that needs one of another group.
fn is_stale(user: &Object, current: &Object) -> bool {
    let groups =
        (role_of(user).map(|role| role.license_group), role_of(current).map(|role| role.license_group));
    let license = text_of(user, ENTITLEMENTS);
    matches!(groups, (Some(new), Some(former)) if new != former)
        && license.is_some()
        && license == text_of(current, ENTITLEMENTS)
}

fn is_owner(user: &Object) -> bool {
    text_of(user, ROLES) == Some(OWNER)
}

fn owner_protected(done: &str) -> Error {
    let detail = format!("the account owner cannot be {done} (owner-protected)");
    Error::new(StatusCode::FORBIDDEN, detail).with_rule("owner-protected")
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

/// The `value` in `attribute` that takes the place of the one there is, where a PATCH may have added it beside that.
fn newest<'u>(user: &'u Object, current: &Object, attribute: &str) -> Option<&'u str> {
    let former = text_of(current, attribute);
    let elements = user.get(attribute).and_then(Value::as_array).unwrap_or_default();
    let added = elements.iter().filter_map(value_of).find(|value| Some(*value) != former);
    added.or_else(|| text_of(user, attribute))
}

/// Fills in what the request leaves open.
fn complete(user: &mut Object, write: Write<'_>, emptied: bool, options: &PagerDutyOptions) {
    if user.get("active").is_none_or(Value::is_unassigned) {
        user.insert("active", true);
    }
    if user.get("roles").is_some_and(|roles| !roles.is_unassigned()) {
        return;
    }
    let former = write.current().and_then(|current| current.0.get("roles"));
    let keeps = match emptied {
        true => options.role_emptied == RoleEmptied::Keep,
        false => options.role_omitted == RoleOmitted::Keep,
    };
    match (write, former) {
        // A PATCH that leaves no role has removed it: the rule `roles-kept` answers that.
        (Write::Patch(_), Some(_)) => {}
        (Write::Replace(_), Some(former)) if keeps => {
            user.insert("roles", former.clone());
        }
        (_, _) => {
            let mut element = Object::new();
            element.insert("value", options.default_role);
            element.insert("type", "base");
            user.insert("roles", vec![Value::Object(element)]);
        }
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
        user.insert(ENTITLEMENTS, entitlements(&value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_status_that_is_not_declared() {
        let pagerduty = PagerDuty::default();
        let restated = [(501, 404), (405, 404), (409, 500), (413, 400), (414, 400), (415, 400)];
        for (status, restated) in restated.into_iter().chain([400, 403, 404].map(|same| (same, same))) {
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
