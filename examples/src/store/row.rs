//! The row of a resource: how it is read, locked and written, and what is text in it.

use std::collections::HashSet;

use scim_core::patch::Delta;
use scim_core::store::{References, Scope, StoreError};
use scim_core::value::JsonLimits;
use scim_core::{Resource, ResourceId, Value, Version};
use scim_filter::sql::Dialect;

use super::database::{Statement, Tx, look_up, places};
use super::marks::Passes;
use super::{keys, member_writes};

/// A resource as its row and the rows of its members hold it.
pub(super) struct Row {
    pub(super) id: ResourceId,
    pub(super) version: i64,
    pub(super) body: String,
    pub(super) keys: String,
    pub(super) members: Delta,
}

impl Row {
    pub(super) fn of(scope: Scope<'_>, resource: &Resource) -> Result<Self, StoreError> {
        let id = resource.id().ok_or_else(|| internal("a resource without id"))?;
        let version = resource.version().ok_or_else(|| internal("a resource without version"))?;
        let (body, members) = member_writes::take(scope.schema, resource);
        let keys = keys::document(scope.schema, &body)?;
        Ok(Self {
            id,
            version: number(version)?,
            body: encode(&body.0)?,
            keys,
            members: member_writes::all(members),
        })
    }

    pub(super) async fn update(&self, tx: &mut Tx, scope: Scope<'_>) -> Result<(), StoreError> {
        Statement::new(
            "UPDATE resources SET version = ?4, body = ?5, keys = jsonb(?6), marked = 0 \
             WHERE tenant = ?1 AND type = ?2 AND id = ?3",
        )
        .text(scope.tenant.as_str())
        .text(scope.schema.name())
        .text(self.id.as_str())
        .number(self.version)
        .text(&self.body)
        .text(&self.keys)
        .execute(tx)
        .await?;
        Ok(())
    }
}

/// Sees that what a change refers to is there, and keeps it from being deleted until the transaction ends.
///
/// It comes before the change's own lock, as in a deletion, which locks first the resource and then its groups, so
/// that the two do not wait for one another.
pub(super) async fn referable(
    tx: &mut Tx,
    scope: Scope<'_>,
    references: References<'_>,
) -> Result<(), StoreError> {
    if references.is_empty() {
        return Ok(());
    }
    let select = wanted(tx.dialect(), scope, references)?;
    let there: HashSet<String> = select.rows::<(String,)>(tx).await?.into_iter().map(|(id,)| id).collect();
    references.check(|id| there.contains(id.as_str()))
}

/// The statement of the resources that are referred to, which locks them one after the other, in one order among all
/// requests.
///
/// PostgreSQL looks up one after the other too: wherever it takes a type to have few resources it would otherwise
/// compare each of them with all that are wanted.
pub(super) fn wanted(
    dialect: Dialect,
    scope: Scope<'_>,
    references: References<'_>,
) -> Result<Statement, StoreError> {
    let mut ids: Vec<&str> = references.ids.iter().map(ResourceId::as_str).collect();
    let mut types: Vec<&str> = references.types.iter().map(|schema| schema.name()).collect();
    ids.sort_unstable();
    types.sort_unstable();
    Ok(match dialect {
        // The transaction holds the lock of the whole database.
        Dialect::Sqlite => {
            let select = Statement::new(format!(
                "SELECT id FROM resources WHERE tenant = ?1 AND type IN ({}) AND id IN (SELECT value FROM json_each(?2))",
                places(3, types.len())
            ));
            let select = select.text(scope.tenant.as_str()).text(encode(&ids)?);
            types.into_iter().fold(select, Statement::text)
        }
        Dialect::Postgres => {
            let pairs: Vec<[&str; 2]> =
                ids.iter().flat_map(|id| types.iter().map(|name| [*name, *id])).collect();
            Statement::new(
                "SELECT r.id FROM jsonb_array_elements(jsonb(?2)) AS wanted (pair) CROSS JOIN LATERAL \
                 (SELECT id FROM resources WHERE tenant = ?1 AND type = pair ->> 0 AND id = pair ->> 1 \
                 FOR KEY SHARE) AS r",
            )
            .text(scope.tenant.as_str())
            .text(encode(&pairs)?)
        }
    })
}

/// The statement that looks up `number` resources of a type by their `id`s, its parameters from the third on.
pub(super) fn by_id(dialect: Dialect, columns: &str, number: usize) -> String {
    look_up(dialect, columns, "resources", "tenant = ?1 AND type = ?2", "id", &places(3, number))
}

/// The version, if it is the expected one, and the body of a resource, which no other writer changes until the
/// transaction ends.
pub(super) async fn locked(
    tx: &mut Tx,
    scope: Scope<'_>,
    id: &ResourceId,
    expected: Option<Version>,
    locked_row: &'static str,
    passes: Passes,
) -> Result<(Version, String), StoreError> {
    let text = match tx.dialect() {
        // The transaction holds the lock of the whole database.
        Dialect::Sqlite => WRITTEN_ROW,
        Dialect::Postgres => locked_row,
    };
    let row: Option<(i64, String, i64)> = Statement::new(text)
        .text(scope.tenant.as_str())
        .text(scope.schema.name())
        .text(id.as_str())
        .row(tx)
        .await?;
    let (version, body, marked) = row.ok_or(StoreError::NotFound)?;
    let version = Version(u64::try_from(version).map_err(|error| StoreError::Internal(error.into()))?);
    if expected.is_some_and(|expected| expected != version) {
        return Err(StoreError::VersionMismatch);
    }
    passes.check(marked, scope.schema.name(), id.as_str())?;
    Ok((version, body))
}

pub(super) async fn row(
    tx: &mut Tx,
    scope: Scope<'_>,
    id: &ResourceId,
    text: &'static str,
) -> Result<Option<(i64, String)>, StoreError> {
    Statement::new(text).text(scope.tenant.as_str()).text(scope.schema.name()).text(id.as_str()).row(tx).await
}

/// The version and body of a resource.
pub(super) const ROW: &str =
    "SELECT version, body FROM resources WHERE tenant = ?1 AND type = ?2 AND id = ?3";
/// The same, with its mark, to be written.
pub(super) const WRITTEN_ROW: &str =
    "SELECT version, body, marked FROM resources WHERE tenant = ?1 AND type = ?2 AND id = ?3";
/// The same, to be changed; others may refer to it meanwhile.
pub(super) const CHANGED_ROW: &str = "SELECT version, body, marked FROM resources \
     WHERE tenant = ?1 AND type = ?2 AND id = ?3 FOR NO KEY UPDATE";
/// The same, to be deleted.
pub(super) const DELETED_ROW: &str =
    "SELECT version, body, marked FROM resources WHERE tenant = ?1 AND type = ?2 AND id = ?3 FOR UPDATE";

pub(super) fn number(version: Version) -> Result<i64, StoreError> {
    i64::try_from(version.0).map_err(|error| StoreError::Internal(error.into()))
}

pub(super) fn encode(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Internal(error.into()))
}

pub(super) fn decode_value(text: &str) -> Result<Value, StoreError> {
    // What was stored passed narrower limits on its way in.
    let limits = JsonLimits { max_depth: 128 };
    Value::from_slice(text.as_bytes(), &limits).map_err(|error| StoreError::Internal(error.into()))
}

pub(super) fn decode(body: &str) -> Result<Resource, StoreError> {
    match decode_value(body)? {
        Value::Object(object) => Ok(Resource(object)),
        _ => Err(internal("a stored resource is no object")),
    }
}

pub(super) fn internal(message: &'static str) -> StoreError {
    StoreError::Internal(message.into())
}
