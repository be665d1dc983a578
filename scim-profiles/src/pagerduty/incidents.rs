//! Incidents that are assigned to users, and what becomes of them when a user is deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use scim_core::{Resource, ResourceId, TenantId, Value};
use scim_filter::compare;

use super::sources::PROVISIONING;
use crate::Source;
use crate::markdown::Table;

/// What becomes of the deletion of a user to whom incidents are assigned: the setting of the account owner
/// on PagerDuty's page "User Offboarding".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offboarding {
    /// It is refused.
    #[default]
    Fail,
    /// It is made, and the incidents are started again on their escalation policies, asynchronously.
    Reassign,
}

/// What an account pays for, as far as it decides about incidents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Plan {
    /// Business.
    Business,
    /// Digital Operations (legacy).
    DigitalOperations,
    /// Enterprise for Incident Management.
    #[default]
    Enterprise,
    /// Any other plan.
    Other,
}

impl Offboarding {
    /// `fail` or `reassign`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Reassign => "reassign",
        }
    }
}

impl Plan {
    /// Every plan.
    pub const ALL: [Self; 4] = [Self::Business, Self::DigitalOperations, Self::Enterprise, Self::Other];

    /// Where it is said which plans have incident reassignment.
    pub const SOURCE: Source = PROVISIONING;

    /// `business`, `digital-operations`, `enterprise` or `other`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Business => "business",
            Self::DigitalOperations => "digital-operations",
            Self::Enterprise => "enterprise",
            Self::Other => "other",
        }
    }

    /// The name on PagerDuty's page.
    pub fn name(self) -> &'static str {
        match self {
            Self::Business => "Business",
            Self::DigitalOperations => "Digital Operations (legacy)",
            Self::Enterprise => "Enterprise for Incident Management",
            Self::Other => "any other",
        }
    }

    /// Whether accounts with it can have [`Offboarding::Reassign`].
    pub fn reassigns_incidents(self) -> bool {
        self != Self::Other
    }
}

/// The plans as a table.
pub(super) fn table() -> Table {
    let row = |plan: Plan| {
        let has = if plan.reassigns_incidents() { "yes" } else { "no" };
        (vec![format!("`{}`", plan.as_str()), plan.name().to_owned(), has.to_owned()], Plan::SOURCE)
    };
    Table {
        title: "Plans",
        header: &["Value", "Name", "Incident reassignment"],
        rows: Plan::ALL.into_iter().map(row).collect(),
    }
}

/// Incidents to reassign, since the user they were assigned to was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reassignment {
    /// Whose user it was.
    pub tenant: TenantId,
    /// The user.
    pub user: ResourceId,
    /// The e-mail address of the user, by which PagerDuty's other API knows it.
    pub user_name: Option<String>,
    /// The incidents, as far as their ids are known.
    pub incidents: Vec<String>,
}

/// Who is assigned to which open incidents, by e-mail address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssignedIncidents {
    // By case-folded address.
    by_email: BTreeMap<String, Vec<String>>,
}

/// What is no list of incidents, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidIncidents {
    message: String,
}

impl fmt::Display for InvalidIncidents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for InvalidIncidents {}

impl AssignedIncidents {
    /// What `GET /incidents?include[]=assignees` of PagerDuty's REST API answers, or its `incidents` alone.
    ///
    /// The ids of users in the REST API are others than those of SCIM, so users are known by their `email`,
    /// which is their `userName` in SCIM. Incidents whose `status` is `resolved` are assigned to nobody.
    ///
    /// # Errors
    ///
    /// It is something else, or an assignee has no `email`.
    pub fn parse(document: &Value) -> Result<Self, InvalidIncidents> {
        let invalid = |message: String| InvalidIncidents { message };
        let list = document.get("incidents").unwrap_or(document).as_array();
        let list = list.ok_or_else(|| invalid("there is no array `incidents`".to_owned()))?;
        let mut by_email = BTreeMap::<String, Vec<String>>::new();
        for (number, incident) in list.iter().enumerate() {
            let text = |name: &str| incident.get(name).and_then(Value::as_str);
            let id = text("id").ok_or_else(|| invalid(format!("incidents[{number}]: there is no `id`")))?;
            if text("status") == Some("resolved") {
                continue;
            }
            let assignments = incident.get("assignments").and_then(Value::as_array).unwrap_or_default();
            for (place, assignment) in assignments.iter().enumerate() {
                let email = assignment.get("assignee").and_then(|user| user.get("email"));
                let email = email.and_then(Value::as_str).ok_or_else(|| {
                    invalid(format!("incidents[{number}].assignments[{place}].assignee: there is no `email`"))
                })?;
                by_email.entry(compare::fold(email).into_owned()).or_default().push(id.to_owned());
            }
        }
        Ok(Self { by_email })
    }

    /// The ids of the incidents that are assigned to `user`.
    pub fn of(&self, user: &Resource) -> Vec<String> {
        let name = user.get("userName").and_then(Value::as_str).map(compare::fold);
        name.and_then(|name| self.by_email.get(name.as_ref())).cloned().unwrap_or_default()
    }
}

type Ask = Arc<dyn Fn(&Resource) -> Vec<String> + Send + Sync>;
type Tell = Arc<dyn Fn(&Reassignment) + Send + Sync>;

/// What is known of incidents, and who is to know of their reassignment; clones share what is noted.
#[derive(Clone, Default)]
pub(super) struct Incidents {
    holders: Arc<Mutex<BTreeSet<ResourceId>>>,
    // Case-folded.
    named: Arc<BTreeSet<String>>,
    ask: Option<Ask>,
    tell: Option<Tell>,
}

impl fmt::Debug for Incidents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut incidents = f.debug_struct("Incidents");
        incidents.field("holders", &self.holders).field("named", &self.named).finish_non_exhaustive()
    }
}

impl Incidents {
    pub(super) fn name<'n>(&mut self, user_names: impl IntoIterator<Item = &'n str>) {
        self.named = Arc::new(user_names.into_iter().map(|name| compare::fold(name).into_owned()).collect());
    }

    pub(super) fn ask(&mut self, ask: Ask) {
        self.ask = Some(ask);
    }

    pub(super) fn tell(&mut self, tell: Tell) {
        self.tell = Some(tell);
    }

    pub(super) fn hold(&self, id: ResourceId) {
        self.holders().insert(id);
    }

    pub(super) fn resolve(&self, id: &ResourceId) {
        self.holders().remove(id);
    }

    pub(super) fn is_held_by(&self, id: &ResourceId) -> bool {
        self.holders().contains(id)
    }

    /// The ids of the incidents of `user`, as far as they are known; `None` if there are no incidents.
    pub(super) fn assigned(&self, user: &Resource) -> Option<Vec<String>> {
        let user_name = user.get("userName").and_then(Value::as_str);
        let noted = user.id().is_some_and(|id| self.is_held_by(&id))
            || user_name.is_some_and(|name| self.named.contains(compare::fold(name).as_ref()));
        let ids = self.ask.as_ref().map(|ask| ask(user)).unwrap_or_default();
        (noted || !ids.is_empty()).then_some(ids)
    }

    pub(super) fn tells(&self) -> bool {
        self.tell.is_some()
    }

    pub(super) fn begin(&self, reassignment: &Reassignment) {
        // What was noted by the id of a user who is gone is of no use any more.
        self.resolve(&reassignment.user);
        if let Some(tell) = &self.tell {
            tell(reassignment);
        }
    }

    fn holders(&self) -> MutexGuard<'_, BTreeSet<ResourceId>> {
        // No code panics while it holds the lock, and a set is whole after every call.
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<AssignedIncidents, String> {
        AssignedIncidents::parse(&json.parse().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn incidents_are_those_of_the_address_that_are_open() {
        let incidents = parse(
            r#"{"incidents": [
                {"id": "Q1", "status": "triggered", "assignments": [
                    {"at": "2026-01-01T00:00:00Z", "assignee": {"id": "PXPGF42", "email": "Alex@example.com"}},
                    {"assignee": {"email": "kim@example.com"}}]},
                {"id": "Q2", "status": "acknowledged", "assignments": [{"assignee": {"email": "alex@EXAMPLE.com"}}]},
                {"id": "Q3", "status": "resolved", "assignments": [{"assignee": {"email": "lee@example.com"}}]},
                {"id": "Q4", "status": "triggered"}
            ]}"#,
        );
        let of = |name: &str| {
            let user = Resource(scim_core::Object::from_iter([("userName", name)]));
            incidents.as_ref().unwrap().of(&user)
        };
        assert_eq!(of("alex@example.com"), ["Q1", "Q2"]);
        assert_eq!(of("kim@example.com"), ["Q1"]);
        assert!(of("lee@example.com").is_empty());
        assert!(incidents.as_ref().unwrap().of(&Resource::default()).is_empty());
    }

    #[test]
    fn what_is_no_list_of_incidents_is_refused() {
        for (json, message) in [
            ("{}", "there is no array `incidents`"),
            (r#"[{"status": "triggered"}]"#, "incidents[0]: there is no `id`"),
            (
                r#"[{"id": "Q1", "assignments": [{"assignee": {"id": "PXPGF42"}}]}]"#,
                "incidents[0].assignments[0].assignee: there is no `email`",
            ),
        ] {
            assert_eq!(parse(json), Err(message.to_owned()), "{json}");
        }
    }
}
