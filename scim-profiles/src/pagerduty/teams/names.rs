//! Groups that can never be teams, refused where they are pushed.

use std::sync::Arc;

use scim_core::patch::PatchRequest;
use scim_core::policy::{Admission, Context, Policy, Write};
use scim_core::schema::builtin;
use scim_core::service::Outcome;
use scim_core::{Error, Object, Resource, ScimType, Value};
use scim_filter::BoundFilter;

use super::config::MAX_NAME;
use super::desired::DesiredGroup;

/// A policy of the SCIM service on the identity provider's side, before another one: refuses a group whose name no
/// team can have, with 400 `invalidValue`, by POST, PUT and PATCH.
///
/// Otherwise the push succeeds and nothing ever comes of it: the group gets no team, and only the bridge's report says
/// so. That it is refused has no source (row `group-name`), so it is an option: a service without this policy takes
/// the group. Whoever has such a name already keeps it, and can be changed otherwise.
///
/// ```
/// use scim_profiles::Profile;
/// use scim_profiles::pagerduty::teams::TeamNames;
///
/// let generic = Profile::by_name("generic").expect("is there");
/// // For `Service::with_policy`.
/// let policy = TeamNames::before(generic.policy());
/// # use scim_core::auth::Principal;
/// # use scim_core::policy::{Context, Policy, Write};
/// # use scim_core::{CredentialId, Object, Resource, TenantId};
/// # let principal = Principal { tenant: TenantId::new("acme"), credential: CredentialId::new("okta") };
/// # let context = Context::new(generic.registry().by_name("Group").expect("is there"), &principal);
/// let mut group = Resource(Object::from_iter([("displayName", "x".repeat(101))]));
/// let refused = policy.admit(&context, Write::Create, &mut group).unwrap_err();
/// assert_eq!(refused.detail(), "`displayName` has 101 characters, and the name of a team has 1 to 100");
/// ```
#[derive(Clone)]
pub struct TeamNames(Arc<dyn Policy>);

impl TeamNames {
    /// The names first, then what `policy` decides.
    pub fn before(policy: Arc<dyn Policy>) -> Self {
        Self(policy)
    }
}

impl std::fmt::Debug for TeamNames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TeamNames").finish_non_exhaustive()
    }
}

/// Whether a team can be called as `group` is, where it is called somehow: it is another's to require a name.
fn check(group: &Resource) -> Result<(), Error> {
    let Some(name) = name(group) else { return Ok(()) };
    DesiredGroup::new("", name).checked_name().map(drop).map_err(|characters| {
        let detail =
            format!("`displayName` has {characters} characters, and the name of a team has 1 to {MAX_NAME}");
        Error::bad_request(ScimType::InvalidValue, detail).with_rule("group-name")
    })
}

fn name(group: &Resource) -> Option<&str> {
    group.get("displayName").and_then(Value::as_str)
}

impl Policy for TeamNames {
    fn admit(
        &self,
        context: &Context<'_>,
        write: Write<'_>,
        resource: &mut Resource,
    ) -> Result<Admission, Error> {
        let stays = write.current().is_some_and(|current| name(current) == name(resource));
        if context.schema.base().id == builtin::GROUP && !stays {
            check(resource)?;
        }
        self.0.admit(context, write, resource)
    }

    fn remarks(&self, context: &Context<'_>, write: Write<'_>, asked: &Resource) -> Vec<String> {
        self.0.remarks(context, write, asked)
    }

    fn may_patch(&self, context: &Context<'_>, request: &PatchRequest) -> Result<(), Error> {
        self.0.may_patch(context, request)
    }

    fn may_delete(&self, context: &Context<'_>, current: &Resource) -> Result<(), Error> {
        self.0.may_delete(context, current)
    }

    fn may_filter(&self, context: &Context<'_>, filter: &BoundFilter) -> Result<(), Error> {
        self.0.may_filter(context, filter)
    }

    fn render(&self, context: &Context<'_>, resource: &mut Resource) {
        self.0.render(context, resource);
    }

    fn renders(&self) -> bool {
        self.0.renders()
    }

    fn render_discovery(&self, document: &mut Object) {
        self.0.render_discovery(document);
    }

    fn restate(&self, error: Error) -> Error {
        self.0.restate(error)
    }

    fn restate_for(&self, outcome: &Outcome, error: Error) -> Error {
        self.0.restate_for(outcome, error)
    }

    fn render_error(&self, error: &Error) -> Value {
        self.0.render_error(error)
    }
}
