//! The whole embedding: your store, your authenticator, your axum router. `cargo run --example embed`
use std::{collections::HashMap, sync::Mutex, sync::PoisonError};

use scim_core::auth::{AuthError, Authenticator, Principal, Secret};
use scim_core::store::{Deletion, Page, Scope, StoreError, check_unique, evaluate, find};
use scim_core::{Config, CredentialId, Environment, Resource, ResourceId, Service, Store, TenantId, Version};
use scim_core::{
    membership, projection::Projection, query::Query, schema::ResourceSchema, validate::UniqueKey,
};
type Done<T = ()> = Result<T, StoreError>;

/// Your database; here a list for each tenant and resource type.
#[derive(Default)]
struct Rows(Mutex<HashMap<(TenantId, String), Vec<Resource>>>);

impl Rows {
    fn with<T>(&self, at: Scope<'_>, act: impl FnOnce(&mut Vec<Resource>) -> T) -> T {
        let mut tables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        act(tables.entry((at.tenant.clone(), at.schema.name().to_owned())).or_default())
    }
}
impl Store for Rows {
    async fn create(&self, at: Scope<'_>, new: &Resource, unique: &[UniqueKey]) -> Done {
        self.with(at, |rows| check_unique(at, new, unique, &*rows).map(|()| rows.push(new.clone())))
    }
    async fn read(&self, at: Scope<'_>, id: &ResourceId, _: &Projection) -> Done<Option<Resource>> {
        Ok(self.with(at, |rows| rows.iter().find(|row| row.id().as_ref() == Some(id)).cloned()))
    }
    async fn query(&self, at: Scope<'_>, query: &Query) -> Done<Page> {
        Ok(self.with(at, |rows| evaluate(at.schema, query, rows.iter())))
    }
    async fn replace(&self, at: Scope<'_>, new: &Resource, unique: &[UniqueKey], old: Version) -> Done {
        self.with(at, |rows| {
            check_unique(at, new, unique, &*rows)?;
            find(rows, new.id().as_ref(), Some(old)).map(|n| drop(rows.splice(n..=n, [new.clone()])))
        })
    }
    async fn delete(&self, at: Scope<'_>, id: &ResourceId, deletion: &Deletion<'_>) -> Done {
        let mut tables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = |schema: &ResourceSchema| (at.tenant.clone(), schema.name().to_owned());
        let rows = tables.entry(key(at.schema)).or_default();
        find(rows, Some(id), deletion.expected).map(|n| drop(rows.remove(n)))?;
        for groups in deletion.groups {
            membership::leave(groups, tables.entry(key(groups)).or_default(), id, deletion);
        }
        Ok(())
    }
}

/// Your way to know who calls; here one token, of one tenant.
struct Token(Secret);
impl Authenticator for Token {
    async fn authenticate(&self, head: &http::request::Parts) -> Result<Principal, AuthError> {
        let header = head.headers.get("authorization").ok_or(AuthError::Missing)?;
        let token = header.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
        token.filter(|token| self.0.matches(token)).ok_or(AuthError::Invalid)?;
        Ok(Principal { tenant: TenantId::new("acme"), credential: CredentialId::new("okta") })
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let config = Config::new(format!("http://{}/scim/v2", listener.local_addr()?).parse()?);
    println!("curl -H 'Authorization: Bearer s3cr3t' {}/Users", config.base_url);
    let env = Environment::new(jiff::Timestamp::now, || ResourceId::new(uuid::Uuid::new_v4().to_string()));
    let scim = Service::new(Rows::default(), Token(Secret::new("s3cr3t")?), config, env);
    Ok(axum::serve(listener, axum::Router::new().fallback_service(scim.into_tower())).await?)
}
