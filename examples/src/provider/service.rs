//! The service over a store that does what the vendor's does.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use scim_core::audit::Audit;
use scim_core::auth::{Principal, Secret, StaticTokens, Subject};
use scim_core::policy::Policy;
use scim_core::{Config, CredentialId, Environment, Service, Store, TenantId, openapi};
use scim_profiles::guard::{GuardedStore, Guards};
use scim_profiles::incident_io::AccessStore;
use scim_profiles::pagerduty::AccountStore;
use scim_profiles::{ErrorBody, Profile};

use super::TENANT;
use super::vendor::{Mapped, Vendor};
use crate::Front;
use crate::finish::Running;
use crate::guard::Ledger;

/// What a service is made of besides its store.
pub(super) struct Parts {
    pub(super) tokens: StaticTokens,
    pub(super) config: Config,
    pub(super) environment: Environment,
    pub(super) policy: Arc<dyn Policy>,
    pub(super) trail: Option<Audit>,
    pub(super) guards: Guards,
    pub(super) ledger: Ledger,
    pub(super) errors: ErrorBody,
    pub(super) running: Running,
}

/// The service over a store that does what the vendor's does.
pub(super) async fn mounted<S: Store>(store: S, vendor: Vendor, parts: Parts) -> anyhow::Result<Front> {
    let (tenant, now) = (TenantId::new(TENANT), Arc::clone(&parts.environment.now));
    Ok(match vendor {
        Vendor::Generic => guarded(store, parts),
        Vendor::IncidentIo(mapped, slack) => {
            let (store, mapping) = (Arc::new(store), mapped.mapping());
            // A forgotten option shall not take everybody's roles away.
            if matches!(mapped, Mapped::Never) && crate::incident_io::is_mapped(&store, &tenant).await? {
                bail!(
                    "users have roles or seats by a mapping, and none is given: `--mapping FILE` keeps them, \
                     `--without-mapping` makes everybody Standard"
                );
            }
            // What another mapping takes away is taken away as by a push, so that guards judge it too.
            let Parts { guards, ledger, .. } = &parts;
            let judged =
                GuardedStore::new(Arc::clone(&store), guards.clone(), ledger.clone(), Arc::clone(&now));
            let judged = AccessStore::new(judged, mapping.clone(), Arc::clone(&now));
            let changed = judged.with_active_in_slack(slack.clone()).synchronise(&tenant).await;
            let changed = changed.context("the users cannot be given the access that the mapping says")?;
            if changed > 0 {
                tracing::warn!(changed, "users have other access than before, by the mapping of this start");
            }
            guarded(AccessStore::new(store, mapping, now).with_active_in_slack(slack), parts)
        }
        Vendor::Datadog(policy, existing) => {
            guarded(crate::datadog::store(store, &policy, &existing, now, &tenant).await?, parts)
        }
        Vendor::PagerDuty(pagerduty, owner) => {
            let store = AccountStore::new(store, pagerduty);
            if let Some(owner) = owner {
                crate::pagerduty::install_owner(&store, &tenant, &parts.environment, &owner).await?;
            }
            guarded(store, parts)
        }
    })
}

/// The service over `store`, with its description, guarded and logged.
fn guarded<S: Store>(store: S, parts: Parts) -> Front {
    let Parts { tokens, config, environment, policy, trail, guards, ledger, errors, running } = parts;
    let store = GuardedStore::new(store, guards, ledger, Arc::clone(&environment.now));
    let me = tokens.subject_of(&CredentialId::new(CREDENTIAL));
    let mut service = Service::new(store, tokens, config, environment).with_policy(policy);
    if let Some(trail) = trail {
        service = service.with_audit(trail);
    }
    let mut document = match me {
        Subject::NotOffered => openapi::document(service.config()),
        _ => openapi::document_with_me(service.config(), "User"),
    };
    if errors == ErrorBody::Errors {
        say_errors(&mut document);
    }
    Front::described(service, &document, running)
}

/// Makes the errors of a description those of [`ErrorBody::Errors`].
fn say_errors(document: &mut serde_json::Value) {
    if let Some(error) = document.pointer_mut("/components/schemas/Error") {
        *error = serde_json::json!({
            "type": "object",
            "required": ["errors"],
            "properties": { "errors": { "type": "array", "items": { "type": "string" }, "minItems": 1 } },
            "additionalProperties": false,
        });
    }
}

/// `token`, which stands for the user `me`, in every spelling of the Authorization header that the
/// profile accepts.
pub(super) fn authenticator(profile: &Profile, token: Secret, me: Option<String>) -> StaticTokens {
    let credential = CredentialId::new(CREDENTIAL);
    let principal = Principal { tenant: TenantId::new(TENANT), credential: credential.clone() };
    let mut tokens = StaticTokens::new().with(token, principal);
    if let Some(name) = me {
        tokens = tokens.with_subject(credential, Subject::user_name(name));
    }
    if profile.authorization.iter().any(|row| row.prefix.ends_with("token=")) {
        tokens.with_token_parameter()
    } else {
        tokens
    }
}

/// What the audit trail calls the token.
const CREDENTIAL: &str = "token";
