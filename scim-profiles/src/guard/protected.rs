//! Users, groups and roles that no push may touch.

use std::collections::HashSet;

use scim_core::schema::ResourceSchema;
use scim_core::{Resource, Value};
use scim_filter::compare;

/// Users, groups and roles that are protected: by `id`, or by name.
///
/// Names are `userName`, e-mail addresses, `displayName` and role values, compared without case; who
/// comes by the name later is protected too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Protected {
    users: Names,
    groups: Names,
    roles: Names,
}

/// Texts as they are, which may be an `id`, and folded, which may be a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Names {
    ids: HashSet<String>,
    folded: HashSet<String>,
}

impl Protected {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with the user who has this `id`, this `userName` or this e-mail address among their
    /// `emails`: not deactivated, not deleted, not given another `userName`, not without this address, and
    /// with no role less. The bridge to PagerDuty takes them off no team, and gives them no lower role there.
    #[must_use]
    pub fn with_user(mut self, user: &str) -> Self {
        self.users.add(user);
        self
    }

    /// The same with the group that has this `id` or `displayName`: not deleted, not given another
    /// `displayName`, and not emptied, that is, left without a member by a change that takes one
    /// away; not by the deletion of the last one either.
    #[must_use]
    pub fn with_group(mut self, group: &str) -> Self {
        self.groups.add(group);
        self
    }

    /// The same with the role that has this value, or this [name](super::UserRoles::name_of): whoever has it does not lose it, unless for more, and
    /// is not deactivated or deleted.
    #[must_use]
    pub fn with_role(mut self, role: &str) -> Self {
        self.roles.add(role);
        self
    }

    /// Whether nothing is protected.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty() && self.roles.is_empty()
    }

    pub(super) fn has_users(&self) -> bool {
        !self.users.is_empty()
    }

    pub(super) fn has_groups(&self) -> bool {
        !self.groups.is_empty()
    }

    pub(super) fn user(&self, user: &Resource) -> bool {
        self.users.has(user, "userName") || self.addresses(user).next().is_some()
    }

    /// The e-mail addresses by which the user is protected.
    pub(super) fn addresses<'u>(&self, user: &'u Resource) -> impl Iterator<Item = &'u str> {
        let values = if self.has_users() { user.get("emails") } else { None };
        let addresses = values.map(Value::values).unwrap_or_default().iter();
        addresses
            .filter_map(|email| email.as_object()?.get("value")?.as_str())
            .filter(|address| self.users.has_name(address))
    }

    pub(super) fn group(&self, group: &Resource) -> bool {
        self.groups.has(group, "displayName")
    }

    pub(super) fn role(&self, role: &str) -> bool {
        !self.roles.is_empty() && self.roles.has_name(role)
    }

    /// What protected roles were named by.
    pub(super) fn roles(&self) -> impl Iterator<Item = &str> {
        self.roles.ids.iter().map(String::as_str)
    }

    /// What protected users were named by.
    pub(super) fn users(&self) -> impl Iterator<Item = &str> {
        self.users.ids.iter().map(String::as_str)
    }

    pub(crate) fn group_named(&self, id: &str, name: Option<&str>) -> bool {
        self.groups.has_either(id, name)
    }

    pub(crate) fn user_named(&self, id: &str, name: Option<&str>) -> bool {
        self.users.has_either(id, name)
    }
}

impl Names {
    fn add(&mut self, text: &str) {
        self.ids.insert(text.to_owned());
        self.folded.insert(compare::fold(text).into_owned());
    }

    fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    fn has(&self, resource: &Resource, name: &str) -> bool {
        let text = |attribute| resource.get(attribute).and_then(Value::as_str);
        !self.is_empty() && self.has_either(text("id").unwrap_or_default(), text(name))
    }

    fn has_either(&self, id: &str, name: Option<&str>) -> bool {
        self.ids.contains(id) || name.is_some_and(|name| self.has_name(name))
    }

    fn has_name(&self, name: &str) -> bool {
        self.folded.contains(compare::fold(name).as_ref())
    }
}

/// Whether `attribute` has another text in `after` than in `before`; not where they differ in a way
/// the schema does not see.
pub(super) fn renamed(schema: &ResourceSchema, attribute: &str, before: &Resource, after: &Resource) -> bool {
    let text = |resource: &Resource| {
        let text = resource.get(attribute).and_then(Value::as_str).unwrap_or_default();
        let exact = schema.find(None, attribute).is_some_and(|attribute| attribute.case_exact);
        if exact { text.to_owned() } else { compare::fold(text).into_owned() }
    };
    text(before) != text(after)
}
