//! List requests: what SQL decides is decided there, the rest by evaluating the filter, and by
//! ranking what no index has in the order asked for.

use scim_core::query::{Place, Query, Start};
use scim_core::sort::Ranking;
use scim_core::store::{Page, Scope, StoreError};
use scim_core::{Resource, Value};

use super::condition::{Sql, mentions_members};
use super::database::{Statement, Tx};
use super::order::{Order, Row, Step, Walk};
use super::{decode, members};

/// Answers `query`; `tx` must be a transaction, so that all statements see the same commit.
pub(super) async fn run(tx: &mut Tx, scope: Scope<'_>, query: &Query) -> Result<Page, StoreError> {
    let sql = Sql::of(scope.schema, query.filter.as_ref());
    let mut page = match Order::of(scope.schema, query.sort.as_ref())? {
        Some(order) if sql.exact => in_sql(tx, scope, query, &sql, order).await?,
        Some(order) => in_order(tx, scope, query, &sql, order).await?,
        None => ranked(tx, scope, query, &sql).await?,
    };
    if members::includes(scope.schema, &query.projection) {
        members::load(tx, scope, &mut page.resources).await?;
    }
    Ok(page)
}

/// Total and page straight from SQL.
async fn in_sql(
    tx: &mut Tx,
    scope: Scope<'_>,
    query: &Query,
    sql: &Sql,
    order: Order,
) -> Result<Page, StoreError> {
    let mut walk = Walk::new(order, query)?;
    let total = if query.start.asks_total() { Some(count(tx, scope, sql, None).await?) } else { None };
    let most = query.count.saturating_add(1);
    let mut rows = Vec::new();
    if query.count > 0 && total.is_none_or(|total| query.start.skip() < total) {
        let mut skip = query.start.skip();
        while let Some(step) = walk.step().filter(|_| rows.len() < most) {
            let found = fetch(tx, scope, sql, &step, most - rows.len(), skip).await?;
            if found.is_empty() && skip > 0 {
                skip = skip.saturating_sub(count(tx, scope, sql, Some(&step)).await?);
            } else {
                skip = 0;
            }
            walk.next_part();
            rows.extend(found.into_iter().map(|row| (order.place(&row), row.body)));
        }
    }
    page(query, total, rows)
}

/// Walks in the order asked for through what SQL cannot exclude, a batch at a time, and evaluates
/// the filter on each; where no total is asked for, no further than the page goes.
async fn in_order(
    tx: &mut Tx,
    scope: Scope<'_>,
    query: &Query,
    sql: &Sql,
    order: Order,
) -> Result<Page, StoreError> {
    let (mut matches, mut rows) = (0, Vec::new());
    let mut walk = Walk::new(order, query)?;
    while let Some(step) = walk.step() {
        let batch = fetch(tx, scope, sql, &step, BATCH, 0).await?;
        match batch.last() {
            Some(last) if batch.len() == BATCH => walk.pass(&order.place(last)),
            _ => walk.next_part(),
        }
        for row in batch {
            if !matching(tx, scope, query, sql, &row.body).await?.0 {
                continue;
            }
            if matches >= query.start.skip() && rows.len() <= query.count {
                rows.push((order.place(&row), row.body));
            }
            matches += 1;
        }
        if !query.start.asks_total() && rows.len() > query.count {
            break;
        }
    }
    page(query, query.start.asks_total().then_some(matches), rows)
}

/// Walks through all that SQL cannot exclude and keeps what comes first in the order asked for:
/// memory for a page, or for as many places as are skipped in one pass.
async fn ranked(tx: &mut Tx, scope: Scope<'_>, query: &Query, sql: &Sql) -> Result<Page, StoreError> {
    let sort = query.sort.as_ref();
    let mut total = None;
    let (mut start, mut skip) = (query.start.clone(), query.start.skip());
    if let Start::Index(_) = start {
        start = Start::First;
    }
    while skip > 0 && query.count > 0 {
        let some = skip.min(RANKED);
        let mut ranking = Ranking::new(sort, &start, some);
        total = Some(rank(tx, scope, query, sql, &mut ranking).await?);
        let Some((place, _)) = ranking.finish().into_iter().nth(some - 1) else {
            return Ok(Page { total, ..Page::default() });
        };
        start = Start::After(place);
        skip -= some;
    }
    let mut ranking = Ranking::new(sort, &start, query.count);
    let matches = rank(tx, scope, query, sql, &mut ranking).await?;
    let mut rows = Vec::new();
    for (place, seq) in ranking.finish() {
        let statement = "SELECT body FROM resources WHERE tenant = ?1 AND type = ?2 AND seq = ?3";
        let body: Option<(String,)> = Statement::new(statement)
            .text(scope.tenant.as_str())
            .text(scope.schema.name())
            .number(seq)
            .row(tx)
            .await?;
        let (body,) = body.ok_or_else(|| super::internal("a resource gone while it was read"))?;
        rows.push((place, body));
    }
    page(query, query.start.asks_total().then_some(total.unwrap_or(matches)), rows)
}

/// Offers every match to `ranking`, and returns how many there are.
async fn rank(
    tx: &mut Tx,
    scope: Scope<'_>,
    query: &Query,
    sql: &Sql,
    ranking: &mut Ranking<'_, i64>,
) -> Result<usize, StoreError> {
    let mut matches = 0;
    let mut walk = Walk::of_all();
    while let Some(step) = walk.step() {
        let batch = fetch(tx, scope, sql, &step, BATCH, 0).await?;
        match batch.last() {
            Some(last) if batch.len() == BATCH => walk.pass(&Order::Created.place(last)),
            _ => walk.next_part(),
        }
        for row in &batch {
            let (is_match, resource) = matching(tx, scope, query, sql, &row.body).await?;
            if is_match {
                matches += 1;
                ranking.offer(&resource, row.seq);
            }
        }
    }
    Ok(matches)
}

/// Whether the filter holds for a stored resource, and the resource.
async fn matching(
    tx: &mut Tx,
    scope: Scope<'_>,
    query: &Query,
    sql: &Sql,
    body: &str,
) -> Result<(bool, Resource), StoreError> {
    let mut resource = decode(body)?;
    let Some(filter) = query.filter.as_ref().filter(|_| !sql.exact) else {
        return Ok((true, resource));
    };
    if members::member_value(scope.schema).is_some() && mentions_members(filter) {
        members::load(tx, scope, std::slice::from_mut(&mut resource)).await?;
    }
    Ok((filter.matches::<Value>(&resource.0), resource))
}

/// The page out of stored resources, of which the one too many is not decoded.
fn page(query: &Query, total: Option<usize>, rows: Vec<(Place, String)>) -> Result<Page, StoreError> {
    let mut failed = None;
    let resource = |body: String| {
        decode(&body).unwrap_or_else(|error| {
            failed = Some(error);
            Resource::default()
        })
    };
    let page = Page::of(query, total, rows, resource);
    failed.map_or(Ok(page), Err)
}

/// How many rows the condition holds for; of a step's part, where one is given.
async fn count(
    tx: &mut Tx,
    scope: Scope<'_>,
    sql: &Sql,
    step: Option<&Step<'_>>,
) -> Result<usize, StoreError> {
    let text = step.map_or_else(|| count_text(sql), |step| step.count_text(sql));
    let statement = prepare(text, scope, sql);
    let statement = match step.and_then(Step::attribute) {
        Some(attribute) => statement.text(attribute),
        None => statement,
    };
    let count: Option<(i64,)> = statement.row(tx).await?;
    Ok(count.map_or(0, |(count,)| usize::try_from(count).unwrap_or(usize::MAX)))
}

/// The next rows of a walk.
async fn fetch(
    tx: &mut Tx,
    scope: Scope<'_>,
    sql: &Sql,
    step: &Step<'_>,
    most: usize,
    skip: usize,
) -> Result<Vec<Row>, StoreError> {
    let number = |size| i64::try_from(size).unwrap_or(i64::MAX);
    let mut statement = prepare(step.text(sql, tx.dialect()), scope, sql);
    if let Some(attribute) = step.attribute() {
        statement = statement.text(attribute);
    }
    step.bind_place(statement).number(number(most)).number(number(skip)).rows(tx).await
}

pub(super) fn count_text(sql: &Sql) -> String {
    format!("SELECT count(*) FROM resources AS r WHERE r.tenant = ?1 AND r.type = ?2{}", sql.text)
}

/// The statement with tenant, type and the condition's values bound.
fn prepare(text: String, scope: Scope<'_>, sql: &Sql) -> Statement {
    // The text is made of constants and numbered places alone; see `Sql`.
    let statement = Statement::new(text).text(scope.tenant.as_str()).text(scope.schema.name());
    sql.binds.iter().fold(statement, |statement, value| statement.text(value))
}

/// Resources read at a time when the filter is evaluated, or the order found, in memory.
const BATCH: usize = 256;
/// Places kept in one pass when results are skipped in an order that no index has.
const RANKED: usize = 10_000;
