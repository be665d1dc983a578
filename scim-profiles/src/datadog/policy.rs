//! What Datadog does with users and groups, as a policy of a service.

use std::sync::Arc;

use http::StatusCode;
use scim_core::patch::PatchRequest;
use scim_core::policy::{Admission, Context, Policy, Write};
use scim_core::schema::builtin;
use scim_core::service::{Operation, Outcome};
use scim_core::{Error, Object, Resource, ScimType, Value};
use scim_filter::BoundFilter;
use url::Url;

use super::PROFILE;
use super::options::{DatadogOptions, Deactivation, OtherEmails, RolesEmptied, RolesUnsaid};
use super::roles::RoleCatalogue;
use super::rules::USER_OPS;
use crate::lint;
use crate::lint::shape::shown;
use crate::rule::Payload;

/// Datadog's behaviour, for [`Service::with_policy`](scim_core::Service::with_policy).
///
/// What becomes of groups as teams is the work of [`TeamStore`](super::TeamStore), on which the service
/// is built.
#[derive(Clone, Debug, Default)]
pub struct Datadog {
    options: DatadogOptions,
    roles: Arc<RoleCatalogue>,
}

impl Datadog {
    /// Datadog as an organisation with these options and roles sees it.
    pub fn new(options: DatadogOptions, roles: RoleCatalogue) -> Self {
        Self { options, roles: Arc::new(roles) }
    }

    /// The options.
    pub fn options(&self) -> &DatadogOptions {
        &self.options
    }

    /// The roles of the organisation.
    pub fn roles(&self) -> &RoleCatalogue {
        &self.roles
    }

    /// Gives a user the roles that match, or the default role. What a request does not change stays, also
    /// if the organisation has it no longer: nothing is taken away that nobody asked about.
    fn grant(&self, user: &mut Object, write: Write<'_>, emptied: bool) {
        let current = write.current().and_then(|current| current.0.get("roles"));
        let asked = elements(user);
        let keeps = match emptied {
            true => self.options.roles_emptied == RolesEmptied::Keep,
            false => self.options.roles_unsaid == RolesUnsaid::Keep,
        };
        match (write, current) {
            (_, Some(current)) if user.get("roles") == Some(current) => return,
            // A PUT that says nothing of roles is that of an identity provider that does not map them.
            (Write::Replace(_), Some(current)) if asked.is_empty() && keeps => {
                user.insert("roles", current.clone());
                return;
            }
            (Write::Replace(_), None) if asked.is_empty() && keeps => return,
            (Write::Patch(_), None) if asked.is_empty() => return,
            _ => {}
        }
        let granted = self.roles.resolve(asked.iter().filter_map(value_of)).granted;
        let as_granted = |role: &super::Role| {
            let id =
                |element: &&Value| value_of(element).is_some_and(|id| id.eq_ignore_ascii_case(role.id()));
            let mut element = Object::new();
            element.insert("value", role.id());
            element.insert("display", role.name());
            let sent = asked.iter().find(id).and_then(Value::as_object);
            for name in ["type", "primary"] {
                if let Some(value) = sent.and_then(|sent| sent.get(name)) {
                    element.insert(name, value.clone());
                }
            }
            Value::Object(element)
        };
        let granted: Vec<Value> = granted.into_iter().map(as_granted).collect();
        match granted.is_empty() {
            true => drop(user.remove("roles")),
            false => drop(user.insert("roles", granted)),
        }
    }
}

impl Policy for Datadog {
    fn admit(
        &self,
        context: &Context<'_>,
        write: Write<'_>,
        resource: &mut Resource,
    ) -> Result<Admission, Error> {
        if context.schema.base().id != builtin::USER {
            return Ok(Admission::Store);
        }
        let user = &mut resource.0;
        let payload = match write {
            Write::Create => Payload::Create,
            Write::Replace(_) => Payload::Replace,
            Write::Patch(_) => Payload::Patch,
        };
        if let Some(current) = write.current() {
            if user == &current.0 {
                return Ok(Admission::Store);
            }
            let inactive = user.get("active") == Some(&Value::Bool(false));
            if inactive && self.options.deactivation == Deactivation::Remove {
                return Ok(Admission::Delete);
            }
        }
        user.remove("password");
        user.remove("externalId");
        if self.options.other_emails == OtherEmails::Drop
            && let Some(emails) = user.get_mut("emails").and_then(Value::as_array_mut)
        {
            emails.retain(|email| !is_other(email));
            if emails.is_empty() {
                user.remove("emails");
            }
        }
        if user.get("active").is_none_or(Value::is_unassigned) {
            user.insert("active", true);
        }
        self.grant(user, write, context.unassigns("roles"));
        let Some(rules) = PROFILE.resource("User").map(|resource| resource.rules) else {
            return Ok(Admission::Store);
        };
        let report = lint::outcome(PROFILE.name, rules, context.schema, payload, user);
        report.to_error().map_or(Ok(Admission::Store), Err)
    }

    /// The e-mail addresses that are dropped, and the roles that match none of the organisation's, as Datadog's Audit Trail has them. Of roles that
    /// the request does not change there is nothing to say, since they stay.
    fn remarks(&self, context: &Context<'_>, write: Write<'_>, asked: &Resource) -> Vec<String> {
        if context.schema.base().id != builtin::USER {
            return Vec::new();
        }
        let mut remarks: Vec<String> = Vec::new();
        if self.options.other_emails == OtherEmails::Drop {
            let emails = asked.get("emails").and_then(Value::as_array).unwrap_or_default().iter();
            let others = emails.enumerate().filter(|(_, email)| is_other(email));
            remarks.extend(others.map(|(index, _)| {
                format!("emails[{index}].type: is not `work`, and the address is dropped (email-work)")
            }));
        }
        let current = write.current().and_then(|current| current.0.get("roles"));
        let roles = elements(&asked.0);
        if roles.is_empty() || asked.get("roles") == current {
            return remarks;
        }
        for (index, element) in roles.iter().enumerate() {
            match value_of(element) {
                Some(id) if self.roles.role(id).is_some() => {}
                Some(id) => remarks.push(format!(
                    "roles[{index}].value: `{}` is no role of the organisation, and is dropped (role-matched)",
                    shown(id)
                )),
                None => remarks.push(format!("roles[{index}]: has no value, and is dropped (role-matched)")),
            }
        }
        let resolution = self.roles.resolve(roles.iter().filter_map(value_of));
        match (resolution.defaulted, resolution.granted.first()) {
            (false, _) => {}
            (true, Some(role)) => {
                remarks.push(format!(
                    "roles: none matches, and `{}` takes their place (role-default)",
                    role.name()
                ));
            }
            (true, None) => {
                remarks.push("roles: none matches, and there is no default (role-default)".to_owned())
            }
        }
        remarks
    }

    fn may_patch(&self, context: &Context<'_>, request: &PatchRequest) -> Result<(), Error> {
        let refused = request.ops().iter().position(|op| !USER_OPS.contains(op));
        match (refused, context.schema.base().id.as_str()) {
            (Some(index), builtin::USER) => Err(Error::bad_request(
                ScimType::InvalidSyntax,
                format!(
                    "Operations[{index}].op: users are changed by `add` and `replace` alone (patch-add-replace)"
                ),
            )
            .with_rule("patch-add-replace")),
            _ => Ok(()),
        }
    }

    fn may_filter(&self, context: &Context<'_>, filter: &BoundFilter) -> Result<(), Error> {
        let Some(resource) = PROFILE.resource(context.schema.name()) else { return Ok(()) };
        if resource.filters.allow(filter) {
            return Ok(());
        }
        let forms = resource.filters.forms().iter().map(|form| format!("`{}`", form.shown()));
        let detail = format!(
            "{} of Datadog are found by {} alone (filter-limited)",
            if context.schema.base().id == builtin::USER { "users" } else { "groups" },
            forms.collect::<Vec<_>>().join(" or ")
        );
        Err(Error::bad_request(ScimType::InvalidFilter, detail).with_rule("filter-limited"))
    }

    fn renders(&self) -> bool {
        self.options.locations.is_some()
    }

    fn render(&self, context: &Context<'_>, resource: &mut Resource) {
        let Some(locations) = &self.options.locations else { return };
        let endpoint = context.schema.resource_type().endpoint.as_str();
        let id = resource.id();
        if let (Some(id), Some(Value::Object(meta))) = (id, resource.0.get_mut("meta")) {
            meta.insert("location", located(locations, endpoint, id.as_str()));
        }
        let members = resource.0.get_mut("members").and_then(Value::as_array_mut);
        for member in members.into_iter().flatten() {
            let reference = value_of(member).map(|id| located(locations, "/Users", id));
            if let (Value::Object(member), Some(reference)) = (member, reference) {
                member.insert("$ref", reference);
            }
        }
    }

    /// A name that is taken is 409 where Datadog declares that, and otherwise as the options have it; what
    /// has no endpoint is 404.
    fn restate_for(&self, outcome: &Outcome, error: Error) -> Error {
        let put_group = outcome.operation == Some(Operation::Replace)
            && outcome.resource_type.as_deref() == Some("Group");
        let status = match error.status() {
            _ if error.scim_type() == Some(ScimType::Uniqueness) && !put_group => {
                self.options.duplicate_status
            }
            StatusCode::NOT_IMPLEMENTED | StatusCode::METHOD_NOT_ALLOWED => StatusCode::NOT_FOUND,
            StatusCode::UNSUPPORTED_MEDIA_TYPE | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::URI_TOO_LONG => {
                StatusCode::BAD_REQUEST
            }
            _ => return error,
        };
        error.with_status(status)
    }

    fn render_error(&self, error: &Error) -> Value {
        let mut body = Object::new();
        body.insert("errors", vec![Value::from(without_leniency(error.detail()))]);
        body.into()
    }
}

/// What is wrong, without the name of the leniency that would have let it pass: at Datadog there is none to
/// switch on.
fn without_leniency(detail: &str) -> &str {
    let named = detail.strip_suffix("` is off)").and_then(|rest| rest.rsplit_once(" (the leniency `"));
    named.map_or(detail, |(what, _)| what)
}

/// Whether an e-mail address is said to be of a type that Datadog does not have.
fn is_other(email: &Value) -> bool {
    let kind = email.as_object().and_then(|email| email.get("type")).filter(|kind| !kind.is_unassigned());
    kind.is_some_and(|kind| kind.as_str() != Some("work"))
}

/// The elements of `roles`.
fn elements(user: &Object) -> Vec<Value> {
    user.get("roles").and_then(Value::as_array).unwrap_or_default().to_vec()
}

fn value_of(element: &Value) -> Option<&str> {
    element.as_object().and_then(|object| object.get("value")).and_then(Value::as_str)
}

fn located(base: &Url, endpoint: &str, id: &str) -> String {
    format!("{}{endpoint}/{id}", base.as_str().trim_end_matches('/'))
}
