//! The members of groups: rows of `members`, never part of the stored JSON.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;

use scim_core::audit::MembersChanged;
use scim_core::membership::Membership;
use scim_core::patch::{Change, Delta};
use scim_core::projection::Projection;
use scim_core::query::Query;
use scim_core::schema::{Attribute, AttributeType, ResourceSchema};
use scim_core::store::{ChangedMembers, Deletion, Scope, StoreError};
use scim_core::{Resource, ResourceId, Value, Version};
use scim_filter::sql::Dialect;

use super::database::{Statement, Tx, batches, places};
use super::marks::Passes;
use super::{Row, decode, decode_value, encode, internal, keys, number};

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

/// Reads a group with its members, by one statement, so that they are those of its version.
pub(super) async fn read(
    tx: &mut Tx,
    scope: Scope<'_>,
    id: &ResourceId,
) -> Result<Option<Resource>, StoreError> {
    let mut rows = Statement::new(
        "SELECT -1 AS since, 0 AS place, r.body AS body FROM resources AS r \
         WHERE r.tenant = ?1 AND r.type = ?2 AND r.id = ?3 \
         UNION ALL SELECT m.since, m.place, m.body FROM members AS m \
         WHERE m.tenant = ?1 AND m.type = ?2 AND m.id = ?3 ORDER BY since, place",
    )
    .text(scope.tenant.as_str())
    .text(scope.schema.name())
    .text(id.as_str())
    .rows::<(i64, i64, String)>(tx)
    .await?
    .into_iter();
    let Some((.., body)) = rows.next() else {
        return Ok(None);
    };
    let mut group = decode(&body)?;
    let members: Vec<Value> = rows.map(|(.., body)| decode_value(&body)).collect::<Result<_, _>>()?;
    if !members.is_empty() {
        group.0.insert(MEMBERS, members);
    }
    Ok(Some(group))
}

/// Reads the members into each of `resources`, in the order of joining.
pub(super) async fn load(
    tx: &mut Tx,
    scope: Scope<'_>,
    resources: &mut [Resource],
) -> Result<(), StoreError> {
    let ids: Vec<String> = resources.iter().map(id_of).collect::<Result<_, _>>()?;
    let mut found: HashMap<String, Vec<Value>> = HashMap::new();
    for batch in batches(&ids) {
        let mut select = Statement::new(format!(
            "SELECT id, body FROM members WHERE tenant = ?1 AND type = ?2 AND id IN ({}) \
             ORDER BY id, since, place",
            places(3, batch.len())
        ))
        .text(scope.tenant.as_str())
        .text(scope.schema.name());
        for id in batch {
            select = select.text(id);
        }
        for (id, body) in select.rows::<(String, String)>(tx).await? {
            found.entry(id).or_default().push(decode_value(&body)?);
        }
    }
    for (resource, id) in resources.iter_mut().zip(&ids) {
        if let Some(members) = found.remove(id) {
            resource.0.insert(MEMBERS, members);
        }
    }
    Ok(())
}

pub(super) fn id_of(resource: &Resource) -> Result<String, StoreError> {
    let id = resource.id().ok_or_else(|| internal("a stored resource without id"))?;
    Ok(id.to_string())
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
            deltas.push(Cow::Owned(all(added)));
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

/// What makes `members` the members, whatever is there.
pub(super) fn all(members: Vec<Value>) -> Delta {
    Delta { attribute: MEMBERS.into(), replace: true, added: members, ..Delta::default() }
}

/// Applies `delta` to the members, and notes who goes and comes; returns whether anything became different.
pub(super) async fn apply(
    tx: &mut Tx,
    scope: Scope<'_>,
    id: &ResourceId,
    version: Version,
    delta: &Delta,
    noted: Option<&ChangedMembers>,
) -> Result<bool, StoreError> {
    let version = number(version)?;
    if delta.replace {
        return put(tx, scope, id, version, delta, noted).await;
    }
    let Some(attribute) = member_value(scope.schema) else {
        return Err(internal("members of a type without members"));
    };
    // Whoever is not noted stayed.
    noted.iter().for_each(|noted| noted.removed([]));
    let removed: Vec<_> = delta.removed.iter().map(|value| (keys::key(attribute, value), &**value)).collect();
    let added = new_rows(attribute, delta)?;
    let is_removed = remove(tx, scope, id, &removed, noted).await?;
    Ok(insert(tx, scope, id, version, &added, noted).await? || is_removed)
}

/// A row of a member to come: its place in the write, its key, and what it holds.
type NewRow<'v> = (usize, Cow<'v, str>, Cow<'v, Value>);

fn new_rows<'v>(attribute: &Attribute, delta: &'v Delta) -> Result<Vec<NewRow<'v>>, StoreError> {
    let row = |(place, member)| Ok((place, member_key(attribute, member)?, Cow::Borrowed(member)));
    delta.added.iter().enumerate().map(row).collect()
}

/// Inserts the members of a new group, which `delta` adds.
pub(super) async fn create(
    tx: &mut Tx,
    scope: Scope<'_>,
    id: &ResourceId,
    version: i64,
    delta: &Delta,
) -> Result<(), StoreError> {
    let Some(attribute) = member_value(scope.schema) else { return Ok(()) };
    insert(tx, scope, id, version, &new_rows(attribute, delta)?, None).await.map(drop)
}

/// Who of `members` is in which groups of the scope.
pub(super) async fn memberships(
    tx: &mut Tx,
    groups: Scope<'_>,
    members: &[ResourceId],
) -> Result<Vec<Membership>, StoreError> {
    let Some(attribute) = member_value(groups.schema) else { return Ok(Vec::new()) };
    let by_key: HashMap<Cow<'_, str>, &ResourceId> =
        members.iter().map(|member| (keys::key(attribute, member.as_str()), member)).collect();
    let keys: Vec<&Cow<'_, str>> = by_key.keys().collect();
    let mut pairs: Vec<(String, String)> = Vec::new();
    for batch in batches(&keys) {
        let select = Statement::new(format!(
            "SELECT member, id FROM members WHERE tenant = ?1 AND type = ?2 AND member IN ({}) \
             ORDER BY member, id",
            places(3, batch.len())
        ))
        .text(groups.tenant.as_str())
        .text(groups.schema.name());
        let select = batch.iter().fold(select, |select, key| select.text(key.as_ref()));
        pairs.extend(select.rows::<(String, String)>(tx).await?);
    }
    let ids: BTreeSet<&String> = pairs.iter().map(|(_, group)| group).collect();
    let names = names(tx, groups, ids.into_iter().collect()).await?;
    let membership = |(key, group): (String, String)| {
        let member = (*by_key.get(key.as_str())?).clone();
        // Not one that was deleted meanwhile.
        let display = names.get(&group)?.clone();
        Some(Membership { member, group: ResourceId::new(group), display })
    };
    Ok(pairs.into_iter().filter_map(membership).collect())
}

/// How many members the group has.
pub(super) async fn count(tx: &mut Tx, groups: Scope<'_>, id: &ResourceId) -> Result<usize, StoreError> {
    let count: Option<(i64,)> =
        Statement::new("SELECT count(*) FROM members WHERE tenant = ?1 AND type = ?2 AND id = ?3")
            .text(groups.tenant.as_str())
            .text(groups.schema.name())
            .text(id.as_str())
            .row(tx)
            .await?;
    let (count,) = count.ok_or_else(|| internal("nothing was counted"))?;
    usize::try_from(count).map_err(|error| StoreError::Internal(error.into()))
}

/// Which of `members` are members of the group, each once.
pub(super) async fn among(
    tx: &mut Tx,
    groups: Scope<'_>,
    id: &ResourceId,
    members: &[ResourceId],
) -> Result<Vec<ResourceId>, StoreError> {
    let Some(attribute) = member_value(groups.schema) else { return Ok(Vec::new()) };
    let mut there = HashSet::new();
    for batch in batches(members) {
        let select = Statement::new(format!(
            "SELECT member FROM members WHERE tenant = ?1 AND type = ?2 AND id = ?3 AND member IN ({})",
            places(4, batch.len())
        ))
        .text(groups.tenant.as_str())
        .text(groups.schema.name())
        .text(id.as_str());
        let key = |member: &ResourceId| keys::key(attribute, member.as_str()).into_owned();
        let select = batch.iter().fold(select, |select, member| select.text(key(member)));
        there.extend(select.rows::<(String,)>(tx).await?.into_iter().map(|(member,)| member));
    }
    let is_there = |member: &&ResourceId| there.remove(keys::key(attribute, member.as_str()).as_ref());
    Ok(members.iter().filter(is_there).cloned().collect())
}

/// Of which type the groups are that a page of resources can be read with: those of
/// [`Query::member_of`], if their rows name members by their very ids.
pub(super) fn groups_with(query: &Query) -> Option<&ResourceSchema> {
    let groups = query.member_of.as_deref()?;
    member_value(groups).is_some_and(|value| value.case_exact).then_some(groups)
}

/// The groups of the type in the parameter `kind` that have the resource `r` as a member, as a JSON array of the
/// body of each.
///
/// PostgreSQL looks each element of an array up, where it might walk through all groups for a join.
pub(super) fn push_groups_of(text: &mut String, kind: usize, dialect: Dialect) {
    // To a String, nothing fails.
    let _ = match dialect {
        Dialect::Sqlite => write!(
            text,
            "(SELECT json_group_array(g.body) FROM members AS m CROSS JOIN resources AS g \
             WHERE m.tenant = ?1 AND m.type = ?{kind} AND m.member = r.id \
             AND g.tenant = ?1 AND g.type = ?{kind} AND g.id = m.id)"
        ),
        Dialect::Postgres => write!(
            text,
            "CAST(array_to_json(ARRAY(SELECT g.body FROM resources AS g \
             WHERE g.tenant = ?1 AND g.type = ?{kind} AND g.id = ANY (ARRAY(SELECT m.id FROM members AS m \
             WHERE m.tenant = ?1 AND m.type = ?{kind} AND m.member = r.id)))) AS TEXT)"
        ),
    };
}

/// The memberships of the resource `id` out of what [`push_groups_of`] gives; `None` where its id is longer
/// than rows of members name it by.
pub(super) fn memberships_of(id: &str, groups: Option<&str>) -> Result<Option<Vec<Membership>>, StoreError> {
    if !keys::is_whole(id) {
        return Ok(None);
    }
    // Bodies have escapes.
    let bodies: Vec<Cow<'_, str>> = match groups {
        Some(text) => serde_json::from_str(text).map_err(|error| StoreError::Internal(error.into()))?,
        None => Vec::new(),
    };
    let groups = bodies.iter().map(|body| decode(body)).collect::<Result<Vec<_>, _>>()?;
    let mut found = groups
        .iter()
        .map(|group| Ok((id_of(group)?, display_name(group))))
        .collect::<Result<Vec<_>, StoreError>>()?;
    found.sort();
    let membership =
        |(group, display)| Membership { member: ResourceId::new(id), group: ResourceId::new(group), display };
    Ok(Some(found.into_iter().map(membership).collect()))
}

fn display_name(group: &Resource) -> Option<String> {
    group.get("displayName").and_then(Value::as_str).map(str::to_owned)
}

/// The `displayName` of each of these groups.
async fn names(
    tx: &mut Tx,
    groups: Scope<'_>,
    ids: Vec<&String>,
) -> Result<HashMap<String, Option<String>>, StoreError> {
    let mut names = HashMap::new();
    for batch in batches(&ids) {
        let select = Statement::new(format!(
            "SELECT id, body FROM resources WHERE tenant = ?1 AND type = ?2 AND id IN ({})",
            places(3, batch.len())
        ))
        .text(groups.tenant.as_str())
        .text(groups.schema.name());
        let select = batch.iter().fold(select, |select, id| select.text(*id));
        for (id, body) in select.rows::<(String, String)>(tx).await? {
            names.insert(id, display_name(&decode(&body)?));
        }
    }
    Ok(names)
}

/// Takes the deleted resource `id` out of the groups that have it as a member, each of which gets its
/// next version.
pub(super) async fn leave(
    tx: &mut Tx,
    groups: Scope<'_>,
    id: &ResourceId,
    deletion: &Deletion<'_>,
    passes: Passes,
) -> Result<(), StoreError> {
    let Some(attribute) = member_value(groups.schema) else { return Ok(()) };
    let member = keys::key(attribute, id.as_str());
    let ids: Vec<(String,)> =
        Statement::new("SELECT id FROM members WHERE tenant = ?1 AND type = ?2 AND member = ?3 ORDER BY id")
            .text(groups.tenant.as_str())
            .text(groups.schema.name())
            .text(member.as_ref())
            .rows(tx)
            .await?;
    for batch in batches(&ids) {
        let bodies = locked_bodies(tx, groups, batch, passes).await?;
        let delete = Statement::new(format!(
            "DELETE FROM members WHERE tenant = ?1 AND type = ?2 AND member = ?3 AND id IN ({}) RETURNING id",
            places(4, batch.len())
        ))
        .text(groups.tenant.as_str())
        .text(groups.schema.name())
        .text(member.as_ref());
        let delete = batch.iter().fold(delete, |delete, (id,)| delete.text(id));
        let left: HashSet<(String,)> = delete.rows(tx).await?.into_iter().collect();
        for body in bodies {
            let mut group = decode(&body)?;
            // Unless another writer took the member out of it first.
            if left.contains(&(id_of(&group)?,)) {
                deletion.stamp(&mut group);
                Row::of(groups, &group)?.update(tx, groups).await?;
            }
        }
    }
    Ok(())
}

/// The bodies of these resources, which no other writer changes until the transaction ends. They are
/// locked in one order, so that no two deletions wait for one another here.
async fn locked_bodies(
    tx: &mut Tx,
    scope: Scope<'_>,
    ids: &[(String,)],
    passes: Passes,
) -> Result<Vec<String>, StoreError> {
    let lock = match tx.dialect() {
        // The transaction holds the lock of the whole database.
        Dialect::Sqlite => "",
        Dialect::Postgres => " FOR NO KEY UPDATE",
    };
    let select = Statement::new(format!(
        "SELECT id, body, marked FROM resources WHERE tenant = ?1 AND type = ?2 AND id IN ({}) ORDER BY id{lock}",
        places(3, ids.len())
    ))
    .text(scope.tenant.as_str())
    .text(scope.schema.name());
    let select = ids.iter().fold(select, |select, (id,)| select.text(id));
    let rows = select.rows::<(String, String, i64)>(tx).await?.into_iter();
    rows.map(|(id, body, marked)| passes.check(marked, scope.schema.name(), &id).map(|()| body)).collect()
}

/// Makes the members of the group those that the delta adds, and notes who goes and comes; those it has already are
/// not written again, and one that becomes different keeps what the delta says. Returns whether anything became
/// different.
///
/// Of the members that the delta does not name, who may be any number, none is read but the few that are noted.
pub(super) async fn put(
    tx: &mut Tx,
    scope: Scope<'_>,
    id: &ResourceId,
    version: i64,
    delta: &Delta,
    noted: Option<&ChangedMembers>,
) -> Result<bool, StoreError> {
    let Some(attribute) = member_value(scope.schema) else {
        return Ok(false);
    };
    let rows = new_rows(attribute, delta)?;
    let named: Vec<&str> = rows.iter().map(|(_, key, _)| key.as_ref()).collect();
    let named = encode(&named)?;
    let mut changed = remove_others(tx, scope, id, &named, noted).await?;
    let mut present = present(tx, scope, id, &named).await?;
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    for ((place, key, row), member) in rows.into_iter().zip(&delta.added) {
        let Some(body) = present.remove(key.as_ref()) else {
            added.push((place, key, row));
            continue;
        };
        let old = decode_value(&body)?;
        let member = delta.stays(&old, member);
        if *member != old {
            removed.push((key.clone(), keys::text(&row).unwrap_or_default().to_owned()));
            added.push((place, key, member));
        }
    }
    let removed: Vec<_> = removed.iter().map(|(key, text)| (key.clone(), text.as_str())).collect();
    changed |= remove(tx, scope, id, &removed, noted).await?;
    changed |= insert(tx, scope, id, version, &added, noted).await?;
    Ok(changed)
}

/// Of the members whose keys the JSON array `named` has, those who are there, by key.
async fn present(
    tx: &mut Tx,
    scope: Scope<'_>,
    id: &ResourceId,
    named: &str,
) -> Result<HashMap<String, String>, StoreError> {
    let select = Statement::new(format!(
        "SELECT member, body FROM members WHERE tenant = ?1 AND type = ?2 AND id = ?3 AND member IN ({})",
        elements(tx.dialect())
    ));
    let rows = of_group(select, scope, id).text(named).rows::<(String, String)>(tx).await?;
    Ok(rows.into_iter().collect())
}

/// Removes all members but those whose keys the JSON array `named` has.
async fn remove_others(
    tx: &mut Tx,
    scope: Scope<'_>,
    id: &ResourceId,
    named: &str,
    noted: Option<&ChangedMembers>,
) -> Result<bool, StoreError> {
    let others = format!(
        "FROM members WHERE tenant = ?1 AND type = ?2 AND id = ?3 AND member NOT IN ({})",
        elements(tx.dialect())
    );
    let mut first = Vec::new();
    if noted.is_some() {
        let select =
            Statement::new(format!("SELECT body {others} ORDER BY member LIMIT {}", MembersChanged::MOST));
        first = values(of_group(select, scope, id).text(named).rows(tx).await?)?;
    }
    let delete = Statement::new(format!("DELETE {others}"));
    let removed = of_group(delete, scope, id).text(named).execute(tx).await?;
    if let Some(noted) = noted {
        noted.removed(first.iter().map(String::as_str));
        noted.removed_more(usize::try_from(removed).unwrap_or(usize::MAX).saturating_sub(first.len()));
    }
    Ok(removed > 0)
}

/// Notes that all members of the group go.
pub(super) async fn note_all(
    tx: &mut Tx,
    scope: Scope<'_>,
    id: &ResourceId,
    noted: &ChangedMembers,
) -> Result<(), StoreError> {
    if member_value(scope.schema).is_none() {
        return Ok(());
    }
    let select = Statement::new(format!(
        "SELECT body FROM members WHERE tenant = ?1 AND type = ?2 AND id = ?3 ORDER BY member LIMIT {}",
        MembersChanged::MOST
    ));
    let first = values(of_group(select, scope, id).rows(tx).await?)?;
    let all = if first.len() < MembersChanged::MOST { first.len() } else { count(tx, scope, id).await? };
    noted.removed(first.iter().map(String::as_str));
    noted.removed_more(all.saturating_sub(first.len()));
    Ok(())
}

fn of_group(statement: Statement, scope: Scope<'_>, id: &ResourceId) -> Statement {
    statement.text(scope.tenant.as_str()).text(scope.schema.name()).text(id.as_str())
}

/// The rows of the elements of the JSON array in the fourth parameter.
fn elements(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "SELECT value FROM json_each(?4)",
        Dialect::Postgres => "SELECT jsonb_array_elements_text(jsonb(?4))",
    }
}

/// The `value`s of members.
fn values(bodies: Vec<(String,)>) -> Result<Vec<String>, StoreError> {
    let value = |(body,): (String,)| {
        let member = decode_value(&body)?;
        keys::text(&member).map(str::to_owned).ok_or_else(|| internal("a stored member without value"))
    };
    bodies.into_iter().map(value).collect()
}

/// Removes these members, of whom there are key and `value`.
async fn remove(
    tx: &mut Tx,
    scope: Scope<'_>,
    id: &ResourceId,
    members: &[(Cow<'_, str>, &str)],
    noted: Option<&ChangedMembers>,
) -> Result<bool, StoreError> {
    let returning = if noted.is_some() { " RETURNING member" } else { "" };
    let mut removed = 0;
    for batch in batches(members) {
        let delete = Statement::new(format!(
            "DELETE FROM members WHERE tenant = ?1 AND type = ?2 AND id = ?3 AND member IN ({}){returning}",
            places(4, batch.len())
        ));
        let delete = of_group(delete, scope, id);
        let delete = batch.iter().fold(delete, |delete, (key, _)| delete.text(key.as_ref()));
        removed += match noted {
            None => delete.execute(tx).await?,
            Some(noted) => {
                let mut gone = returned(delete, tx).await?;
                let number = gone.len();
                noted.removed(
                    batch.iter().filter(|(key, _)| gone.remove(key.as_ref())).map(|(_, text)| *text),
                );
                number as u64
            }
        };
    }
    Ok(removed > 0)
}

/// Inserts members with their places in the write; those that are there stay as they are.
async fn insert(
    tx: &mut Tx,
    scope: Scope<'_>,
    id: &ResourceId,
    version: i64,
    members: &[NewRow<'_>],
    noted: Option<&ChangedMembers>,
) -> Result<bool, StoreError> {
    let returning = if noted.is_some() { " RETURNING member" } else { "" };
    let mut inserted = 0;
    for batch in batches(members) {
        let rows: Vec<String> = (0..batch.len())
            .map(|row| format!("(?1, ?2, ?3, ?4, {}, jsonb(?{}))", places(5 + 4 * row, 3), 8 + 4 * row))
            .collect();
        let insert = Statement::new(format!(
            "INSERT INTO members (tenant, type, id, since, place, member, body, keys) VALUES {} \
             ON CONFLICT DO NOTHING{returning}",
            rows.join(", ")
        ));
        let mut insert = of_group(insert, scope, id).number(version);
        for (place, key, member) in batch {
            let place = i64::try_from(*place).unwrap_or(i64::MAX);
            let keys = keys::member_document(scope.schema, key, member)?;
            insert = insert.number(place).text(key.as_ref()).text(encode(member)?).text(keys);
        }
        inserted += match noted {
            None => insert.execute(tx).await?,
            Some(noted) => {
                let mut new = returned(insert, tx).await?;
                let number = new.len();
                let came = batch.iter().filter(|(_, key, _)| new.remove(key.as_ref()));
                noted.added(came.filter_map(|(.., member)| keys::text(member)));
                number as u64
            }
        };
    }
    Ok(inserted > 0)
}

/// The keys of the rows that a statement changes.
async fn returned(statement: Statement, tx: &mut Tx) -> Result<HashSet<String>, StoreError> {
    Ok(statement.rows::<(String,)>(tx).await?.into_iter().map(|(key,)| key).collect())
}

fn member_key<'v>(attribute: &Attribute, member: &'v Value) -> Result<Cow<'v, str>, StoreError> {
    let text = keys::text(member).ok_or_else(|| internal("a member without value"))?;
    Ok(keys::key(attribute, text))
}
