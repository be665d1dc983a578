//! Groups in pieces: a few members are read with their group, many a few rows at a time and by their
//! key, while the response is written.

use std::collections::HashMap;

use scim_core::ResourceId;
use scim_core::pieces::{Document, NextValues, Pieces, Rest, Values};
use scim_core::projection::Projection;
use scim_core::query::Query;
use scim_core::store::{Page, Scope, StoreError};

use super::database::{Database, Statement, Tx, batches};
use super::members::{self, MEMBERS};
use super::query::Found;
use super::{ROW, decode_value, internal, query, row};

/// Reads a resource; its members too, where there are few of them.
pub(super) async fn read(
    database: &Database,
    scope: Scope<'_>,
    id: &ResourceId,
    projection: &Projection,
) -> Result<Option<Pieces>, StoreError> {
    let mut tx = database.once().await?;
    let Some((_, body)) = row(&mut tx, scope, id, ROW).await? else {
        return Ok(None);
    };
    drop(tx);
    let resources = vec![Document::from_json(body)?];
    Ok(Box::pin(with_members(database, scope, projection, resources)).await?.pop())
}

/// Answers `query` likewise.
pub(super) async fn page(
    database: &Database,
    scope: Scope<'_>,
    query: &Query,
) -> Result<Page<Pieces>, StoreError> {
    if !members::includes(scope.schema, &query.projection) {
        let page = query::run(database, scope, query).await?;
        return Ok(page.map(|Found { resource, memberships }| Pieces { memberships, ..resource.into() }));
    }
    let heads = Query { projection: Projection::without(MEMBERS), ..query.clone() };
    Box::pin(groups(database, scope, query, &heads)).await
}

/// The same of a type with members, which come with what is found of the `heads`.
async fn groups(
    database: &Database,
    scope: Scope<'_>,
    query: &Query,
    heads: &Query,
) -> Result<Page<Pieces>, StoreError> {
    let Page { total, resources, previous, next } = query::run(database, scope, heads).await?;
    let (resources, memberships): (Vec<_>, Vec<_>) =
        resources.into_iter().map(|Found { resource, memberships }| (resource, memberships)).unzip();
    let mut resources = with_members(database, scope, &query.projection, resources).await?;
    resources.iter_mut().zip(memberships).for_each(|(pieces, found)| pieces.memberships = found);
    Ok(Page { total, resources, previous, next })
}

/// The resources with their members, if `projection` includes these: the members there are now, which
/// may be newer than what was read of their groups.
async fn with_members(
    database: &Database,
    scope: Scope<'_>,
    projection: &Projection,
    resources: Vec<Document>,
) -> Result<Vec<Pieces>, StoreError> {
    if !members::includes(scope.schema, projection) {
        return Ok(resources.into_iter().map(Pieces::from).collect());
    }
    let id = |resource: &Document| resource.id().ok_or_else(|| internal("a stored resource without id"));
    let ids: Vec<String> =
        resources.iter().map(|resource| Ok(id(resource)?.to_string())).collect::<Result<_, StoreError>>()?;
    let mut found = first_members(&mut database.once().await?, scope, &ids).await?;
    let mut pieces = Vec::new();
    for (resource, id) in resources.into_iter().zip(ids) {
        let mut few = found.remove(&id).unwrap_or_default();
        if few.len() > FEW {
            let rows = MemberRows {
                database: database.clone(),
                tenant: scope.tenant.as_str().to_owned(),
                resource_type: scope.schema.name().to_owned(),
                id,
                seq: None,
                behind: None,
            };
            let rest = Rest { attribute: MEMBERS.into(), values: Box::new(rows) };
            pieces.push(Pieces { rest: vec![rest], ..Pieces::from(resource) });
            continue;
        }
        // In the order of joining, as a group is read as a whole.
        few.sort_by_key(|(_, since, place, _)| (*since, *place));
        if few.is_empty() {
            pieces.push(resource.into());
            continue;
        }
        let few: Result<Vec<_>, _> = few.iter().map(|(.., body)| decode_value(body)).collect();
        let mut resource = resource.into_resource()?;
        resource.0.insert(MEMBERS, few?);
        pieces.push(resource.into());
    }
    Ok(pieces)
}

/// Group, version and place of joining, and the member.
type MemberRow = (String, i64, i64, String);

/// The first members of each group, one more than are few if there are.
async fn first_members(
    tx: &mut Tx,
    scope: Scope<'_>,
    ids: &[String],
) -> Result<HashMap<String, Vec<MemberRow>>, StoreError> {
    let mut found: HashMap<String, Vec<MemberRow>> = HashMap::new();
    for batch in ids.chunks(GROUPS).flat_map(batches) {
        let groups: Vec<String> = (3..3 + batch.len())
            .map(|place| {
                format!(
                    "SELECT * FROM (SELECT id, since, place, body FROM members WHERE tenant = ?1 AND \
                     type = ?2 AND id = ?{place} ORDER BY member LIMIT {}) AS g{place}",
                    FEW + 1
                )
            })
            .collect();
        let mut select =
            Statement::new(groups.join(" UNION ALL ")).text(scope.tenant.as_str()).text(scope.schema.name());
        for id in batch {
            select = select.text(id);
        }
        for row in select.rows::<MemberRow>(tx).await? {
            found.entry(row.0.clone()).or_default().push(row);
        }
    }
    Ok(found)
}

/// The members of a group, by their key. No connection is held from one piece to the next.
///
/// The row of the group comes with each piece: of one that is gone, what was given is no membership that ever was, so the
/// next piece fails, and nobody takes the answer for whole.
struct MemberRows {
    database: Database,
    tenant: String,
    resource_type: String,
    id: String,
    /// The place in the list that the group has, which no other one ever has.
    seq: Option<i64>,
    behind: Option<String>,
}

impl Values for MemberRows {
    fn next(&mut self) -> NextValues<'_> {
        Box::pin(async {
            let mut tx = self.database.once().await?;
            let text = if self.behind.is_none() { FIRST_ROWS } else { NEXT_ROWS };
            let mut select = Statement::new(text).text(&self.tenant).text(&self.resource_type).text(&self.id);
            if let Some(member) = &self.behind {
                select = select.text(member);
            }
            let rows: Vec<(i64, Option<String>, Option<String>)> = select.rows(&mut tx).await?;
            let seq = rows.first().map(|(seq, ..)| *seq);
            if seq.is_none() || self.seq.is_some_and(|first| Some(first) != seq) {
                return Err(StoreError::Unavailable("the group was deleted while it was read".into()));
            }
            self.seq = seq;
            let mut members = Vec::with_capacity(rows.len());
            for (_, member, body) in rows {
                if let (Some(member), Some(body)) = (member, body) {
                    members.push(decode_value(&body)?);
                    self.behind = Some(member);
                }
            }
            Ok(members)
        })
    }
}

/// One row at least, if there is the group.
const FIRST_ROWS: &str = "SELECT r.seq, m.member, m.body FROM resources AS r \
                          LEFT JOIN (SELECT member, body FROM members WHERE tenant = ?1 AND type = ?2 AND id = ?3 \
                          ORDER BY member LIMIT 500) AS m ON 1 = 1 \
                          WHERE r.tenant = ?1 AND r.type = ?2 AND r.id = ?3 ORDER BY m.member";
const NEXT_ROWS: &str = "SELECT r.seq, m.member, m.body FROM resources AS r \
                         LEFT JOIN (SELECT member, body FROM members WHERE tenant = ?1 AND type = ?2 AND id = ?3 \
                         AND member > ?4 ORDER BY member LIMIT 500) AS m ON 1 = 1 \
                         WHERE r.tenant = ?1 AND r.type = ?2 AND r.id = ?3 ORDER BY m.member";

/// As many members are read with their group.
const FEW: usize = 100;
/// As many groups' members are read by one statement.
const GROUPS: usize = 64;
