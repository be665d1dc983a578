//! What incident.io does with users, as a policy of a service.

use scim_core::policy::{Admission, Context, Policy, Write};
use scim_core::{Error, Object, Resource, Value};

use super::access::{BaseRole, RoleMapping};
use super::effect;
use super::schema::EFFECTIVE_ACCESS;
use super::seats::{ByGroups, OnCallSeat, Seats};
use super::workspace::Standing;

/// incident.io's behaviour, for [`Service::with_policy`](scim_core::Service::with_policy).
///
/// A new user is in no group, and has what whom no group maps has. What groups give is the work of
/// [`AccessStore`](super::AccessStore), on which the service is built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IncidentIo;

impl Policy for IncidentIo {
    fn admit(
        &self,
        context: &Context<'_>,
        write: Write<'_>,
        resource: &mut Resource,
    ) -> Result<Admission, Error> {
        resource.0.remove("password");
        if matches!(write, Write::Create) && context.schema.extension(EFFECTIVE_ACCESS).is_some() {
            // Who is created without being assigned was never active.
            let standing = Standing { active: effect::is_assigned(resource), ..Standing::default() };
            let access = extension(&standing, &RoleMapping::default());
            resource.0.insert(EFFECTIVE_ACCESS, access);
        }
        Ok(Admission::Store)
    }

    fn renders(&self) -> bool {
        false
    }
}

/// What [`EFFECTIVE_ACCESS`] says of someone with this standing.
pub(super) fn extension(standing: &Standing, mapping: &RoleMapping) -> Object {
    let mut access = Object::new();
    access.insert("active", standing.active);
    access.insert("baseRole", standing.base_role.as_str());
    let mut list = |name: &str, values: Vec<Value>| {
        if !values.is_empty() {
            access.insert(name, values);
        }
    };
    list("customRoles", standing.custom_roles.iter().map(|role| Value::from(&**role)).collect());
    let permissions = mapping.permissions(&standing.custom_roles);
    list("permissions", permissions.into_iter().map(Value::from).collect());
    access.insert("responderSeat", standing.seats.response);
    access.insert("onCallSeat", standing.seats.on_call.as_str());
    access
}

/// What a user is and has, by what [`EFFECTIVE_ACCESS`] says: all seats came by groups.
pub(super) fn standing(user: &Resource) -> Standing {
    let access = user.extension(EFFECTIVE_ACCESS);
    let of = |name: &str| access.and_then(|access| access.get(name));
    let text = |name: &str| of(name).and_then(Value::as_str);
    let base_role = BaseRole::ALL.into_iter().find(|role| Some(role.as_str()) == text("baseRole"));
    let custom_roles = of("customRoles").and_then(Value::as_array).unwrap_or_default();
    let seats = [OnCallSeat::Held, OnCallSeat::Managed];
    Standing {
        active: effect::is_active(user),
        base_role: base_role.unwrap_or_default(),
        custom_roles: custom_roles.iter().filter_map(Value::as_str).map(Into::into).collect(),
        seats: Seats {
            response: of("responderSeat").and_then(Value::as_bool).unwrap_or_default(),
            on_call: seats
                .into_iter()
                .find(|seat| Some(seat.as_str()) == text("onCallSeat"))
                .unwrap_or_default(),
            by_groups: ByGroups { response: true, on_call: true },
        },
    }
}
