//! The values a resource is found by: rows of `resource_keys`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use scim_core::schema::{Attribute, AttributeType, ResourceSchema};
use scim_core::store::{Scope, StoreError};
use scim_core::validate::UniqueKey;
use scim_core::{Resource, ResourceId, Value};
use scim_filter::compare;
use sqlx::SqliteConnection;

use super::failure;

/// The attributes identity providers look resources up by; of a complex one its `value`.
pub(super) const INDEXED: [&str; 4] = ["userName", "externalId", "displayName", "emails"];

/// Attribute and value, and whether no other resource may have it.
pub(super) type Keys = BTreeMap<(String, String), bool>;

/// The keys of `resource`: its indexed values, and its unique keys.
pub(super) fn of(schema: &ResourceSchema, resource: &Resource, unique: &[UniqueKey]) -> Keys {
    let mut keys = Keys::new();
    for name in INDEXED {
        let (Some(attribute), Some(value)) = (indexed(schema, name), resource.get(name)) else {
            continue;
        };
        let values = value.as_array().unwrap_or(std::slice::from_ref(value));
        for text in values.iter().filter_map(text) {
            keys.insert((name.to_owned(), key(attribute, text).into_owned()), false);
        }
    }
    for claim in unique {
        keys.insert((claim.attribute.to_string(), claim.value.to_string()), true);
    }
    keys
}

/// The attribute whose values are indexed under `name`, or its `value`; `None` where the schema has
/// nothing of the kind.
pub(super) fn indexed<'s>(schema: &'s ResourceSchema, name: &str) -> Option<&'s Attribute> {
    let attribute = schema.find(None, name)?;
    let compared = match attribute.kind {
        AttributeType::Complex => attribute.sub_attribute("value")?,
        _ => attribute,
    };
    matches!(compared.kind, AttributeType::String | AttributeType::Reference).then_some(compared)
}

/// `text` as the index holds values of `attribute`.
pub(super) fn key<'t>(attribute: &Attribute, text: &'t str) -> Cow<'t, str> {
    if attribute.case_exact { Cow::Borrowed(text) } else { compare::fold(text) }
}

/// A value's text, or that of its `value`.
pub(super) fn text(value: &Value) -> Option<&str> {
    match value.as_object() {
        Some(object) => object.get("value").and_then(Value::as_str),
        None => value.as_str(),
    }
}

/// Makes `keys` the keys of the resource; those it has already are not written again.
pub(super) async fn put(
    tx: &mut SqliteConnection,
    scope: Scope<'_>,
    id: &ResourceId,
    keys: &Keys,
) -> Result<(), StoreError> {
    let (tenant, kind) = (scope.tenant.as_str(), scope.schema.name());
    let rows: Vec<(String, String, bool)> = sqlx::query_as(
        "SELECT attribute, value, claimed FROM resource_keys WHERE tenant = ?1 AND type = ?2 AND id = ?3",
    )
    .bind(tenant)
    .bind(kind)
    .bind(id.as_str())
    .fetch_all(&mut *tx)
    .await
    .map_err(failure)?;
    let present: Keys =
        rows.into_iter().map(|(attribute, value, claimed)| ((attribute, value), claimed)).collect();
    for ((attribute, value), claimed) in &present {
        if keys.get(&(attribute.clone(), value.clone())) == Some(claimed) {
            continue;
        }
        sqlx::query(
            "DELETE FROM resource_keys \
             WHERE tenant = ?1 AND type = ?2 AND attribute = ?3 AND value = ?4 AND id = ?5",
        )
        .bind(tenant)
        .bind(kind)
        .bind(attribute)
        .bind(value)
        .bind(id.as_str())
        .execute(&mut *tx)
        .await
        .map_err(failure)?;
    }
    for (key, claimed) in keys {
        if present.get(key) == Some(claimed) {
            continue;
        }
        let inserted = sqlx::query(
            "INSERT INTO resource_keys (tenant, type, attribute, value, id, claimed) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
        )
        .bind(tenant)
        .bind(kind)
        .bind(&key.0)
        .bind(&key.1)
        .bind(id.as_str())
        .bind(claimed)
        .execute(&mut *tx)
        .await
        .map_err(failure)?;
        // Of its own rows none is in the way any more, so it is another resource's claim.
        if inserted.rows_affected() == 0 {
            return Err(StoreError::Conflict { attribute: key.0.clone() });
        }
    }
    Ok(())
}
