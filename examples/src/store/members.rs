//! The members of groups: rows of `members`, never part of the stored JSON.

use std::borrow::Cow;
use std::collections::HashMap;

use scim_core::patch::{Change, Delta};
use scim_core::projection::Projection;
use scim_core::schema::{Attribute, AttributeType, ResourceSchema};
use scim_core::store::{Scope, StoreError};
use scim_core::{Resource, ResourceId, Value, Version};
use sqlx::SqliteConnection;

use super::{decode_value, encode, failure, internal, keys, number};

/// The attribute that is kept in rows.
pub(super) const MEMBERS: &str = "members";

/// `members.value`, where the resource type has members.
pub(super) fn member_value(schema: &ResourceSchema) -> Option<&Attribute> {
    let members = schema.find(None, MEMBERS)?;
    if members.kind == AttributeType::Complex && members.multi_valued {
        members.sub_attribute("value")
    } else {
        None
    }
}

/// Whether a response carries anything of the members.
pub(super) fn includes(schema: &ResourceSchema, projection: &Projection) -> bool {
    member_value(schema).is_some() && projection.includes(schema, None, MEMBERS)
}

/// The resource without its members, and these.
pub(super) fn take(schema: &ResourceSchema, resource: &Resource) -> (Resource, Vec<Value>) {
    let mut body = resource.clone();
    if member_value(schema).is_none() {
        return (body, Vec::new());
    }
    let members = match body.0.remove(MEMBERS) {
        Some(Value::Array(members)) => members,
        _ => Vec::new(),
    };
    (body, members)
}

/// Reads the members into `resource`, in the order of joining.
pub(super) async fn load(
    tx: &mut SqliteConnection,
    scope: Scope<'_>,
    id: &ResourceId,
    resource: &mut Resource,
) -> Result<(), StoreError> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT body FROM members WHERE tenant = ?1 AND type = ?2 AND id = ?3 ORDER BY since, place",
    )
    .bind(scope.tenant.as_str())
    .bind(scope.schema.name())
    .bind(id.as_str())
    .fetch_all(tx)
    .await
    .map_err(failure)?;
    if !rows.is_empty() {
        let members = rows.iter().map(|(body,)| decode_value(body)).collect::<Result<Vec<_>, _>>()?;
        resource.0.insert(MEMBERS, members);
    }
    Ok(())
}

/// Parts a change into what concerns the stored JSON and what concerns the members.
pub(super) fn split<'c>(schema: &ResourceSchema, change: &'c Change) -> (Change, Vec<Cow<'c, Delta>>) {
    let mut body = Change::default();
    let mut deltas = Vec::new();
    let is_members = |extension: Option<&str>, attribute: &str| {
        extension.is_none() && attribute.eq_ignore_ascii_case(MEMBERS) && member_value(schema).is_some()
    };
    for write in &change.writes {
        if is_members(write.extension.as_deref(), &write.attribute) {
            let added = write.value.as_ref().and_then(Value::as_array).unwrap_or_default().to_vec();
            deltas.push(Cow::Owned(Delta {
                attribute: MEMBERS.into(),
                replace: true,
                added,
                ..Delta::default()
            }));
        } else {
            body.writes.push(write.clone());
        }
    }
    for delta in &change.deltas {
        if is_members(None, &delta.attribute) {
            deltas.push(Cow::Borrowed(delta));
        } else {
            body.deltas.push(delta.clone());
        }
    }
    (body, deltas)
}

/// Applies `delta` to the members; returns whether anything became different.
pub(super) async fn apply(
    tx: &mut SqliteConnection,
    scope: Scope<'_>,
    id: &ResourceId,
    version: Version,
    delta: &Delta,
) -> Result<bool, StoreError> {
    let version = number(version)?;
    if delta.replace {
        return put(tx, scope, id, version, &delta.added).await;
    }
    let Some(attribute) = member_value(scope.schema) else {
        return Err(internal("members of a type without members"));
    };
    let mut changed = false;
    for value in &delta.removed {
        changed |= remove(tx, scope, id, &keys::key(attribute, value)).await?;
    }
    for (place, member) in delta.added.iter().enumerate() {
        changed |= insert(tx, scope, id, version, place, member_key(attribute, member)?, member).await?;
    }
    Ok(changed)
}

/// Makes `members` the members of the group; those it has already are not written again.
/// Returns whether anything became different.
pub(super) async fn put(
    tx: &mut SqliteConnection,
    scope: Scope<'_>,
    id: &ResourceId,
    version: i64,
    members: &[Value],
) -> Result<bool, StoreError> {
    let Some(attribute) = member_value(scope.schema) else {
        return Ok(false);
    };
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT member, body FROM members WHERE tenant = ?1 AND type = ?2 AND id = ?3")
            .bind(scope.tenant.as_str())
            .bind(scope.schema.name())
            .bind(id.as_str())
            .fetch_all(&mut *tx)
            .await
            .map_err(failure)?;
    let mut present: HashMap<String, String> = rows.into_iter().collect();
    let mut added = Vec::new();
    let mut changed = false;
    for (place, member) in members.iter().enumerate() {
        let key = member_key(attribute, member)?;
        match present.remove(key.as_ref()) {
            Some(body) if decode_value(&body)? == *member => {}
            Some(_) => {
                remove(tx, scope, id, &key).await?;
                added.push((place, key, member));
            }
            None => added.push((place, key, member)),
        }
    }
    for key in present.keys() {
        changed |= remove(tx, scope, id, key).await?;
    }
    for (place, key, member) in added {
        changed |= insert(tx, scope, id, version, place, key, member).await?;
    }
    Ok(changed)
}

async fn remove(
    tx: &mut SqliteConnection,
    scope: Scope<'_>,
    id: &ResourceId,
    key: &str,
) -> Result<bool, StoreError> {
    let removed =
        sqlx::query("DELETE FROM members WHERE tenant = ?1 AND type = ?2 AND id = ?3 AND member = ?4")
            .bind(scope.tenant.as_str())
            .bind(scope.schema.name())
            .bind(id.as_str())
            .bind(key)
            .execute(tx)
            .await
            .map_err(failure)?;
    Ok(removed.rows_affected() > 0)
}

async fn insert(
    tx: &mut SqliteConnection,
    scope: Scope<'_>,
    id: &ResourceId,
    version: i64,
    place: usize,
    key: Cow<'_, str>,
    member: &Value,
) -> Result<bool, StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO members (tenant, type, id, member, since, place, body) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
    )
    .bind(scope.tenant.as_str())
    .bind(scope.schema.name())
    .bind(id.as_str())
    .bind(key)
    .bind(version)
    .bind(i64::try_from(place).unwrap_or(i64::MAX))
    .bind(encode(member)?)
    .execute(tx)
    .await
    .map_err(failure)?;
    Ok(inserted.rows_affected() > 0)
}

fn member_key<'v>(attribute: &Attribute, member: &'v Value) -> Result<Cow<'v, str>, StoreError> {
    let text = keys::text(member).ok_or_else(|| internal("a member without value"))?;
    Ok(keys::key(attribute, text))
}
