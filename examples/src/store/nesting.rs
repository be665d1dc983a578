//! That no group comes to be in itself: what a change adds to a group is looked for above it, in the transaction of
//! the change.

use std::borrow::Cow;
use std::collections::BTreeSet;

use scim_core::ResourceId;
use scim_core::store::{NoCircle, Scope, StoreError};
use scim_filter::sql::Dialect;

use super::database::{Statement, Tx, places};
use super::members::member_value;
use super::{encode, keys};

/// Sees that no member which a change adds to `group` is above it, and that none comes to be until the transaction
/// ends.
///
/// PostgreSQL lets one change of a tenant at a time add groups to groups: the rows of a circle that two changes close
/// together have nothing in common that each could lock. It comes before everything else, so that nobody who waits
/// for it holds what others wait for.
pub(super) async fn without_circle(
    tx: &mut Tx,
    scope: Scope<'_>,
    group: &ResourceId,
    no_circle: NoCircle<'_>,
) -> Result<(), StoreError> {
    if no_circle.is_empty() {
        return Ok(());
    }
    match tx.dialect() {
        // The transaction holds the lock of the whole database.
        Dialect::Sqlite => {}
        Dialect::Postgres => {
            let lock = Statement::new("SELECT pg_advisory_xact_lock(hashtextextended(?1, ?2))");
            lock.text(scope.tenant.as_str()).number(NESTING).execute(tx).await?;
        }
    }
    let attributes: Vec<_> = no_circle.types.iter().filter_map(|schema| member_value(schema)).collect();
    let mut search = no_circle.search(group)?;
    let mut is_first = true;
    while let Some(asked) = search.ask() {
        // One statement goes all the way up, but for groups whose members' rows do not have them by their `id`.
        let keys = asked.iter().flat_map(|id| {
            let keys = attributes.iter().map(move |attribute| keys::key(attribute, id.as_str()));
            keys.filter(move |key| is_first || key != id.as_str())
        });
        let keys: BTreeSet<Cow<'_, str>> = keys.collect();
        if !keys.is_empty() {
            let found = all_above(tx.dialect(), scope, no_circle, &keys)?.rows::<(String,)>(tx).await?;
            search.learn(found.into_iter().map(|(id,)| ResourceId::new(id)))?;
        }
        is_first = false;
    }
    Ok(())
}

/// The statement of the groups above those with these keys, and of the keys. Each is found once, so that circles end.
pub(super) fn all_above(
    dialect: Dialect,
    scope: Scope<'_>,
    no_circle: NoCircle<'_>,
    keys: &BTreeSet<Cow<'_, str>>,
) -> Result<Statement, StoreError> {
    let of_type = format!("tenant = ?1 AND type IN ({})", places(4, no_circle.types.len()));
    let (first, next) = match dialect {
        // SQLite takes the tables of a CROSS JOIN in this order.
        Dialect::Sqlite => (
            "SELECT value FROM json_each(?2)",
            format!("SELECT m.id FROM above CROSS JOIN members AS m WHERE {of_type} AND m.member = above.id"),
        ),
        // As `look_up` has it. What the array has is to compare as the columns do.
        Dialect::Postgres => (
            "SELECT found COLLATE \"C\" FROM jsonb_array_elements_text(jsonb(?2)) AS elements (found)",
            format!(
                "SELECT m.id FROM above CROSS JOIN LATERAL \
                 (SELECT id FROM members WHERE {of_type} AND member = above.id OFFSET 0) AS m"
            ),
        ),
    };
    // One more than may be, and the group itself.
    let most = NoCircle::MOST + keys.len() + 2;
    let select = Statement::new(format!(
        "WITH RECURSIVE above (id) AS ({first} UNION {next}) SELECT id FROM above LIMIT ?3"
    ))
    .text(scope.tenant.as_str())
    .text(encode(keys)?)
    .number(i64::try_from(most).unwrap_or(i64::MAX));
    Ok(no_circle.types.iter().fold(select, |select, schema| select.text(schema.name())))
}

/// Beside the tenant, what the lock is named by.
const NESTING: i64 = 0x006e_6573_7469_6e67;
