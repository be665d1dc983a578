//! Whether users have what a mapping gave.

use anyhow::Context as _;
use scim_core::TenantId;
use scim_core::projection::Projection;
use scim_core::query::Query;
use scim_core::store::{Scope, Store};
use scim_filter::{BindOptions, Filter};
use scim_profiles::incident_io::{EFFECTIVE_ACCESS, PROFILE};

/// Whether somebody who is active has what only a mapping of groups gives: a base role, a custom role or a managed
/// seat, all of which a synchronisation without a mapping takes away.
///
/// # Errors
///
/// Those of the store.
pub(crate) async fn is_mapped<S: Store>(store: &S, tenant: &TenantId) -> anyhow::Result<bool> {
    let schema = PROFILE.registry().by_name("User").context("the profile has users")?;
    let given =
        ["baseRole eq \"owner\"", "baseRole eq \"admin\"", "customRoles pr", "onCallSeat eq \"managed\""]
            .map(|given| format!("{EFFECTIVE_ACCESS}:{given}"));
    let filter = format!("not ({EFFECTIVE_ACCESS}:active eq false) and ({})", given.join(" or "));
    let filter = Filter::parse(&filter)?.bind(&**schema, &BindOptions::default())?;
    let query =
        Query { filter: Some(filter), count: 1, projection: Projection::default(), ..Query::default() };
    Ok(!store.query(Scope { tenant, schema }, &query).await?.resources.is_empty())
}
