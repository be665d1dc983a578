//! List requests: SQL decides which resources match, and in which order they come; those that no
//! database puts in the order asked for are ranked.

use scim_core::Resource;
use scim_core::membership::Membership;
use scim_core::pieces::Document;
use scim_core::query::{Place, Query, Start};
use scim_core::sort::Ranking;
use scim_core::store::{Page, Scope, StoreError};

use super::condition::Sql;
use super::database::{Database, Statement, Tx};
use super::groups::Below;
use super::order::{Order, Row, Step, Walk, Wanted};
use super::{decode, members, order};

/// A resource of a page.
pub(super) struct Found {
    pub(super) resource: Document,
    /// The groups it is in, where they were read with it.
    pub(super) memberships: Option<Vec<Membership>>,
}

impl From<Resource> for Found {
    fn from(resource: Resource) -> Self {
        Self { resource: resource.into(), memberships: None }
    }
}

impl Default for Found {
    fn default() -> Self {
        Resource::default().into()
    }
}

/// Answers `query`, by one statement where that is enough.
pub(super) async fn run(
    database: &Database,
    scope: Scope<'_>,
    query: &Query,
) -> Result<Page<Found>, StoreError> {
    let with_members = members::includes(scope.schema, &query.projection);
    if !with_members && query.hierarchy.is_none() {
        let (sql, order) = (condition(database, scope, query, None)?, order(database, scope, query)?);
        if let Some(order) = order
            && let Some(page) = at_once(database, scope, query, &sql, &order).await?
        {
            return Ok(page);
        }
    }
    // On the heap, so that what is told at once takes little room.
    let resources = Box::pin(in_transaction(database, scope, query, with_members));
    Ok(resources.await?.map(Found::from))
}

fn condition(
    database: &Database,
    scope: Scope<'_>,
    query: &Query,
    below: Option<&Below>,
) -> Result<Sql, StoreError> {
    Sql::of(scope.schema, query.filter.as_ref(), database.dialect(), below)
}

fn order(database: &Database, scope: Scope<'_>, query: &Query) -> Result<Option<Order>, StoreError> {
    Order::of(scope.schema, query.sort.as_ref(), database.dialect())
}

/// The page by as many statements as it takes, which see the same commit.
async fn in_transaction(
    database: &Database,
    scope: Scope<'_>,
    query: &Query,
    with_members: bool,
) -> Result<Page, StoreError> {
    let mut tx = database.read().await?;
    let below = Below::of(&mut tx, scope, query).await?;
    let sql = condition(database, scope, query, below.as_ref())?;
    let mut page = match order(database, scope, query)? {
        Some(order) => in_sql(&mut tx, scope, query, &sql, &order).await?,
        None => ranked(&mut tx, scope, query, &sql).await?,
    };
    if with_members {
        members::load(&mut tx, scope, &mut page.resources).await?;
    }
    Ok(page)
}

/// The page, where a single statement tells it: that of a place, or one of what is looked up, which
/// says by itself how many there are if it has them all. Which groups they are in, it tells too.
async fn at_once(
    database: &Database,
    scope: Scope<'_>,
    query: &Query,
    sql: &Sql,
    order: &Order,
) -> Result<Option<Page<Found>>, StoreError> {
    let walk = Walk::new(order, query)?;
    let (Some(step), Some(wanted)) = (walk.step(), told_at_once(query, sql, &walk)) else {
        return Ok(None);
    };
    let mut connection = database.once().await?;
    let mut rows = fetch(&mut connection, scope, sql, &step, wanted).await?;
    let total = query.start.asks_total().then_some(rows.len());
    if total.is_some_and(|total| total > query.count) {
        return Ok(None);
    }
    if wanted.in_any_order {
        step.sort(&mut rows);
    }
    let found = |row: Row| {
        let memberships = match wanted.groups {
            Some(_) => members::memberships_of(&row.id, row.groups.as_deref())?,
            None => None,
        };
        Ok(Found { resource: Document::from_json(row.body)?, memberships })
    };
    page(query, total, rows.into_iter().map(|row| (order.place(&row), row)).collect(), found).map(Some)
}

/// What one statement has to read to tell the page, if one can.
pub(super) fn told_at_once<'q>(query: &'q Query, sql: &Sql, walk: &Walk) -> Option<Wanted<'q>> {
    let asks_total = query.start.asks_total();
    let is_told = !asks_total || (sql.is_lookup && query.start.skip() == 0);
    let wanted = Wanted {
        most: query.count.saturating_add(1),
        skip: 0,
        groups: members::groups_with(query),
        // What is looked up is all of it or none: to sort a few rows here takes less time than there.
        in_any_order: asks_total,
    };
    (is_told && query.count > 0 && walk.is_one_step()).then_some(wanted)
}

/// Total and page straight from SQL.
async fn in_sql(
    tx: &mut Tx,
    scope: Scope<'_>,
    query: &Query,
    sql: &Sql,
    order: &Order,
) -> Result<Page, StoreError> {
    let mut walk = Walk::new(order, query)?;
    let total = if query.start.asks_total() { Some(count(tx, scope, sql, None).await?) } else { None };
    let most = query.count.saturating_add(1);
    let mut rows = Vec::new();
    if query.count > 0 && total.is_none_or(|total| query.start.skip() < total) {
        let mut skip = query.start.skip();
        while let Some(step) = walk.step().filter(|_| rows.len() < most) {
            let wanted = Wanted { most: most - rows.len(), skip, ..Wanted::default() };
            let found = fetch_near(tx, scope, sql, &step, wanted).await?;
            if found.is_empty() && skip > 0 {
                skip = skip.saturating_sub(count(tx, scope, sql, Some(&step)).await?);
            } else {
                skip = 0;
            }
            walk.next_part();
            rows.extend(found.into_iter().map(|row| (order.place(&row), row.body)));
        }
    }
    page(query, total, rows, |body: String| decode(&body))
}

/// Walks through all matches and keeps what comes first in the order asked for:
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
        total = Some(rank(tx, scope, sql, &mut ranking).await?);
        let Some((place, _)) = ranking.finish().into_iter().nth(some - 1) else {
            return Ok(Page { total, ..Page::default() });
        };
        start = Start::After(place);
        skip -= some;
    }
    let mut ranking = Ranking::new(sort, &start, query.count);
    let matches = rank(tx, scope, sql, &mut ranking).await?;
    let mut rows = Vec::new();
    for (place, seq) in ranking.finish() {
        let statement =
            "SELECT body FROM resources WHERE tenant = ?1 AND type = ?2 AND seq = ?3 AND seq >= 0";
        let body: Option<(String,)> = Statement::new(statement)
            .text(scope.tenant.as_str())
            .text(scope.schema.name())
            .number(seq)
            .row(tx)
            .await?;
        let (body,) = body.ok_or_else(|| super::internal("a resource gone while it was read"))?;
        rows.push((place, body));
    }
    let total = query.start.asks_total().then_some(total.unwrap_or(matches));
    page(query, total, rows, |body: String| decode(&body))
}

/// Offers every match to `ranking`, and returns how many there are.
async fn rank(
    tx: &mut Tx,
    scope: Scope<'_>,
    sql: &Sql,
    ranking: &mut Ranking<'_, i64>,
) -> Result<usize, StoreError> {
    let mut matches = 0;
    let mut walk = Walk::of_all();
    while let Some(step) = walk.step() {
        let wanted = Wanted { most: BATCH, ..Wanted::default() };
        let batch = fetch(tx, scope, sql, &step, wanted).await?;
        match batch.last() {
            Some(last) if batch.len() == BATCH => walk.pass(&Order::Created.place(last)),
            _ => walk.next_part(),
        }
        for row in &batch {
            matches += 1;
            ranking.offer(&decode(&row.body)?, row.seq);
        }
    }
    Ok(matches)
}

/// The page out of stored resources, of which the one too many is not decoded.
fn page<R, F: Default>(
    query: &Query,
    total: Option<usize>,
    rows: Vec<(Place, R)>,
    read: impl Fn(R) -> Result<F, StoreError>,
) -> Result<Page<F>, StoreError> {
    let mut failed = None;
    let resource = |row: R| {
        read(row).unwrap_or_else(|error| {
            failed = Some(error);
            F::default()
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
    let statement = match step {
        None => order::count(scope, sql, tx.dialect()),
        Some(step) => step.count(scope, sql, tx.dialect()),
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
    wanted: Wanted<'_>,
) -> Result<Vec<Row>, StoreError> {
    step.read(scope, sql, tx.dialect(), wanted).rows(tx).await
}

/// The same, looked for among the next rows first where that is less than to begin with all that match.
async fn fetch_near(
    tx: &mut Tx,
    scope: Scope<'_>,
    sql: &Sql,
    step: &Step<'_>,
    wanted: Wanted<'_>,
) -> Result<Vec<Row>, StoreError> {
    if let Some(near) = step.read_near(scope, sql, wanted) {
        let found = near.rows(tx).await?;
        if found.len() == wanted.most {
            return Ok(found);
        }
    }
    fetch(tx, scope, sql, step, wanted).await
}

/// Resources read at a time when the order is found in memory.
const BATCH: usize = 256;
/// Places kept in one pass when results are skipped in an order that no index has.
const RANKED: usize = 10_000;
