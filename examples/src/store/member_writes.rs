//! How the rows of members come and go: for a new group, by a delta, all of them, and with a deleted member.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use scim_core::audit::MembersChanged;
use scim_core::patch::{Change, Delta};
use scim_core::schema::{Attribute, ResourceSchema};
use scim_core::store::{ChangedMembers, Deletion, Scope, StoreError};
use scim_core::{Resource, ResourceId, Value, Version};
use scim_filter::sql::Dialect;

use super::database::{Statement, Tx, batches, look_up, places};
use super::marks::Passes;
use super::members::{MEMBERS, count, elements, id_of, member_value, some_of};
use super::{Row, decode, decode_value, encode, internal, keys, number};

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
    let mut removed: Vec<_> =
        delta.removed.iter().map(|value| (keys::key(attribute, value), &**value)).collect();
    let added = new_rows(attribute, delta)?;
    let same = exchanged_for_the_same(tx, scope, id, attribute, delta).await?;
    removed.retain(|(key, _)| !same.contains(key.as_ref()));
    let is_removed = remove(tx, scope, id, &removed, noted).await?;
    Ok(insert(tx, scope, id, version, &added, noted).await? || is_removed)
}

/// The keys of the members whose place the delta gives to what is there already.
async fn exchanged_for_the_same(
    tx: &mut Tx,
    scope: Scope<'_>,
    id: &ResourceId,
    attribute: &Attribute,
    delta: &Delta,
) -> Result<HashSet<String>, StoreError> {
    let keyed = |member| Ok((member_key(attribute, member)?, member));
    let exchanged = delta.exchanged().map(keyed).collect::<Result<Vec<_>, StoreError>>()?;
    if exchanged.is_empty() {
        return Ok(HashSet::new());
    }
    let named: Vec<&str> = exchanged.iter().map(|(key, _)| key.as_ref()).collect();
    let mut present = present(tx, scope, id, &named).await?;
    let mut same = HashSet::new();
    for (key, member) in exchanged {
        if let Some(body) = present.remove(key.as_ref())
            && decode_value(&body)? == *member
        {
            same.insert(key.into_owned());
        }
    }
    Ok(same)
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
    // Nobody else is left.
    let mut present = all_of(tx, scope, id).await?;
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

/// Of the members with these keys, those who are there, by key.
async fn present(
    tx: &mut Tx,
    scope: Scope<'_>,
    id: &ResourceId,
    keys: &[&str],
) -> Result<HashMap<String, String>, StoreError> {
    let mut there = HashMap::new();
    for batch in batches(keys) {
        let select = Statement::new(some_of(tx.dialect(), "member, body", batch.len()));
        let select = batch.iter().fold(of_group(select, scope, id), |select, key| select.text(*key));
        there.extend(select.rows::<(String, String)>(tx).await?);
    }
    Ok(there)
}

/// The members of the group, by key.
async fn all_of(
    tx: &mut Tx,
    scope: Scope<'_>,
    id: &ResourceId,
) -> Result<HashMap<String, String>, StoreError> {
    let select =
        Statement::new("SELECT member, body FROM members WHERE tenant = ?1 AND type = ?2 AND id = ?3");
    let rows = of_group(select, scope, id).rows::<(String, String)>(tx).await?;
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
    let others = others(tx.dialect());
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

/// The rows of the group whose keys are not in the JSON array of the fourth parameter. Both databases make a table of
/// the array once, and look each member up in it.
pub(super) fn others(dialect: Dialect) -> String {
    let named = elements(dialect);
    format!("FROM members WHERE tenant = ?1 AND type = ?2 AND id = ?3 AND member NOT IN ({named})")
}

/// The statement that removes `number` members, whose keys are its parameters from the fourth on.
///
/// No row of the group moves until PostgreSQL has removed them, as whoever changes members holds the row of the group.
pub(super) fn removal(dialect: Dialect, number: usize) -> String {
    let of_group = "tenant = ?1 AND type = ?2 AND id = ?3";
    let keys = places(4, number);
    match dialect {
        Dialect::Sqlite => format!("DELETE FROM members WHERE {of_group} AND member IN ({keys})"),
        Dialect::Postgres => {
            let found = look_up(dialect, "ctid", "members", of_group, "member", &keys);
            format!("DELETE FROM members WHERE ctid = ANY (ARRAY({found}))")
        }
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
        let delete = Statement::new(format!("{}{returning}", removal(tx.dialect(), batch.len())));
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
