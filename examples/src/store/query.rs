//! List requests: what SQL decides is decided there, the rest by evaluating the filter.

use scim_core::query::Query;
use scim_core::store::{Page, Scope, StoreError};
use scim_core::{Resource, ResourceId, Value};
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection};

use super::condition::{Sql, mentions_members};
use super::{decode, failure, members};

/// Answers `query`; `tx` must be a transaction, so that all statements see the same commit.
pub(super) async fn run(
    tx: &mut SqliteConnection,
    scope: Scope<'_>,
    query: &Query,
) -> Result<Page, StoreError> {
    let sql = Sql::of(scope.schema, query.filter.as_ref());
    let mut page = if sql.exact {
        in_sql(tx, scope, query, &sql).await?
    } else {
        in_memory(tx, scope, query, &sql).await?
    };
    if members::includes(scope.schema, &query.projection) {
        for resource in &mut page.resources {
            load_members(tx, scope, resource).await?;
        }
    }
    Ok(page)
}

/// Total and page straight from SQL.
async fn in_sql(
    tx: &mut SqliteConnection,
    scope: Scope<'_>,
    query: &Query,
    sql: &Sql,
) -> Result<Page, StoreError> {
    let total: (i64,) = prepare(count_text(sql), scope, sql).fetch_one(&mut *tx).await.map_err(failure)?;
    let mut page = Page { total: usize::try_from(total.0).unwrap_or(usize::MAX), ..Page::default() };
    let skip = query.start_index.saturating_sub(1);
    if query.count > 0 && skip < page.total {
        let rows: Vec<(i64, String)> = prepare(page_text(sql), scope, sql)
            .bind(i64::try_from(query.count).unwrap_or(i64::MAX))
            .bind(i64::try_from(skip).unwrap_or(i64::MAX))
            .fetch_all(&mut *tx)
            .await
            .map_err(failure)?;
        page.resources = rows.iter().map(|(_, body)| decode(body)).collect::<Result<_, _>>()?;
    }
    Ok(page)
}

/// Walks through what SQL cannot exclude, a batch at a time, and evaluates the filter on each.
async fn in_memory(
    tx: &mut SqliteConnection,
    scope: Scope<'_>,
    query: &Query,
    sql: &Sql,
) -> Result<Page, StoreError> {
    let filter = query.filter.as_ref();
    let needs_members = members::member_value(scope.schema).is_some() && filter.is_some_and(mentions_members);
    let skip = query.start_index.saturating_sub(1);
    let mut page = Page::default();
    let mut after = 0;
    loop {
        let rows: Vec<(i64, String)> =
            prepare(batch_text(sql), scope, sql).bind(after).fetch_all(&mut *tx).await.map_err(failure)?;
        let Some((last, _)) = rows.last() else {
            return Ok(page);
        };
        after = *last;
        for (_, body) in &rows {
            let mut resource = decode(body)?;
            if needs_members {
                load_members(tx, scope, &mut resource).await?;
            }
            if filter.is_some_and(|filter| !filter.matches::<Value>(&resource.0)) {
                continue;
            }
            if page.total >= skip && page.resources.len() < query.count {
                page.resources.push(resource);
            }
            page.total += 1;
        }
    }
}

async fn load_members(
    tx: &mut SqliteConnection,
    scope: Scope<'_>,
    resource: &mut Resource,
) -> Result<(), StoreError> {
    let id: ResourceId = resource.id().ok_or_else(|| super::internal("a stored resource without id"))?;
    members::load(tx, scope, &id, resource).await
}

pub(super) fn count_text(sql: &Sql) -> String {
    format!("SELECT count(*) FROM resources AS r WHERE r.tenant = ?1 AND r.type = ?2{}", sql.text)
}

pub(super) fn page_text(sql: &Sql) -> String {
    format!(
        "SELECT r.seq, r.body FROM resources AS r WHERE r.tenant = ?1 AND r.type = ?2{} \
         ORDER BY {} LIMIT ?{} OFFSET ?{}",
        sql.text,
        seq(sql),
        sql.binds.len() + 3,
        sql.binds.len() + 4
    )
}

pub(super) fn batch_text(sql: &Sql) -> String {
    format!(
        "SELECT r.seq, r.body FROM resources AS r WHERE r.tenant = ?1 AND r.type = ?2{} \
         AND {seq} > ?{} ORDER BY {seq} LIMIT {BATCH}",
        sql.text,
        sql.binds.len() + 3,
        seq = seq(sql),
    )
}

/// The plus keeps SQLite from walking the whole type in its order when a few resources can be
/// looked up and sorted.
fn seq(sql: &Sql) -> &'static str {
    if sql.selective { "+r.seq" } else { "r.seq" }
}

/// The statement with tenant, type and the condition's values bound.
fn prepare<'q, O>(
    text: String,
    scope: Scope<'_>,
    sql: &Sql,
) -> sqlx::query::QueryAs<'q, Sqlite, O, SqliteArguments>
where
    O: for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow>,
{
    // The text is made of constants and numbered places alone; see `Sql`.
    let mut statement = sqlx::query_as(AssertSqlSafe(text))
        .bind(scope.tenant.as_str().to_owned())
        .bind(scope.schema.name().to_owned());
    for value in &sql.binds {
        statement = statement.bind(value.clone());
    }
    statement
}

/// Resources read at a time when the filter is evaluated in memory.
const BATCH: usize = 256;
