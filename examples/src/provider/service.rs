//! The service over a store that does what the vendor's does.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use http::header;
use scim_core::audit::Audit;
use scim_core::auth::{Principal, Secret, StaticTokens, Subject};
use scim_core::policy::Policy;
use scim_core::{Config, CredentialId, Environment, Service, Store, TenantId, openapi};
use scim_profiles::datadog::Datadog;
use scim_profiles::guard::{GuardedStore, Guards};
use scim_profiles::incident_io::{AccessStore, RoleMapping};
use scim_profiles::pagerduty::{AccountStore, PagerDuty};
use scim_profiles::{ErrorBody, Profile};

use super::TENANT;
use crate::guard::Ledger;

/// What a vendor's store does besides keeping resources.
pub(super) enum Own {
    Nothing,
    /// Groups give what the mapping says, also to the users there are.
    Access(RoleMapping),
    /// Groups manage teams, and there are teams of these names.
    Teams(Datadog, Vec<String>),
    /// Users have licences, and one of them is the owner.
    Account(PagerDuty, Option<String>),
}

/// The same over a store that does what the vendor's does.
pub(super) async fn mounted_with<S: Store>(store: S, own: Own, parts: Parts) -> anyhow::Result<Router> {
    let (tenant, now) = (TenantId::new(TENANT), Arc::clone(&parts.2.now));
    Ok(match own {
        Own::Nothing => mounted(store, parts),
        Own::Access(mapping) => {
            let store = AccessStore::new(store, mapping, now);
            store.synchronise(&tenant).await?;
            mounted(store, parts)
        }
        Own::Teams(policy, existing) => {
            mounted(crate::datadog::store(store, &policy, &existing, now, &tenant).await?, parts)
        }
        Own::Account(pagerduty, owner) => {
            let store = AccountStore::new(store, pagerduty);
            if let Some(owner) = owner {
                crate::pagerduty::install_owner(&store, &tenant, &parts.2, &owner).await?;
            }
            mounted(store, parts)
        }
    })
}

/// What a service is made of besides its store.
pub(super) type Parts =
    (StaticTokens, Config, Environment, Arc<dyn Policy>, Option<Audit>, (Guards, Ledger), ErrorBody);

/// The service over `store`, with its description, guarded and logged.
fn mounted<S: Store>(store: S, parts: Parts) -> Router {
    let (tokens, config, environment, policy, trail, (guards, ledger), errors) = parts;
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
    let described = describe(&document);
    described.merge(crate::router(service)).layer(axum::middleware::from_fn(crate::log::requests))
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

/// `/openapi.json`, to everyone: it says what discovery says, of no tenant and of no resource.
fn describe(document: &serde_json::Value) -> Router {
    let text = bytes::Bytes::from(document.to_string());
    let answer = move || async move { ([(header::CONTENT_TYPE, "application/json")], text) };
    Router::new().route("/openapi.json", get(answer))
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
