//! The SCIM server that groups are pushed to.

use std::sync::Arc;

use scim_core::audit::Audit;
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::pagination::Cursors;
use scim_core::policy::Policy;
use scim_core::{CredentialId, Environment, Service, TenantId};
use scim_profiles::Profile;
use scim_profiles::guard::{GuardedStore, Guards};
use scim_profiles::pagerduty::teams::TeamNames;
use url::Url;

use super::settings::GroupNames;
use super::worker::Changes;
use crate::finish::Running;
use crate::guard::Ledger;
use crate::provider::random_cursor_key;
use crate::{Front, SqlStore};

#[expect(clippy::too_many_arguments, reason = "what a server is made of")]
/// Users and groups of all `tenants` behind `base_url`, each by its token, behind guards.
pub(super) fn front(
    profile: &'static Profile,
    store: SqlStore,
    base_url: Url,
    tenants: impl IntoIterator<Item = (TenantId, Secret)>,
    changes: Arc<Changes>,
    running: Running,
    (guards, ledger): (Guards, Ledger),
    group_names: GroupNames,
) -> anyhow::Result<Front> {
    let tokens = tenants.into_iter().fold(StaticTokens::new(), |tokens, (tenant, token)| {
        tokens.with(token, Principal { tenant, credential: CredentialId::new("token") })
    });
    let environment =
        Environment::new(jiff::Timestamp::now, || profile.new_id(uuid::Uuid::new_v4().into_bytes()));
    let mut config = profile.config(base_url);
    config.cursors = Some(Cursors::new(random_cursor_key()?));
    let store = GuardedStore::new(store, guards, ledger, environment.now.clone());
    let service = Service::new(store, tokens, config, environment)
        .with_policy(match group_names {
            GroupNames::Refuse => Arc::new(TeamNames::before(profile.policy())) as Arc<dyn Policy>,
            GroupNames::Report => profile.policy(),
        })
        .with_audit(Audit::new(changes));
    Ok(Front::new(service, running))
}
