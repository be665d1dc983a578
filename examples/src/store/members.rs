//! The members of groups: rows of `members`, never part of the stored JSON. How they are read; they are written
//! in `member_writes.rs`.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;

use scim_core::membership::Membership;
use scim_core::projection::Projection;
use scim_core::query::Query;
use scim_core::schema::{Attribute, AttributeType, ResourceSchema};
use scim_core::store::{Scope, StoreError};
use scim_core::{Resource, ResourceId, Value};
use scim_filter::sql::Dialect;

use super::database::{Statement, Tx, batches, look_up, places};
use super::{by_id, decode, decode_value, encode, internal, keys};

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

/// Reads a group with its members, or those of them with one of these `value`s, by one statement, so that they
/// are those of its version.
pub(super) async fn read(
    tx: &mut Tx,
    scope: Scope<'_>,
    id: &ResourceId,
    values: Option<&[Box<str>]>,
) -> Result<Option<Resource>, StoreError> {
    let members = match (values, tx.dialect()) {
        (None, _) => format!("members AS m WHERE {OF_GROUP}"),
        (Some(_), dialect @ Dialect::Sqlite) => {
            format!("members AS m WHERE {OF_GROUP} AND m.member IN ({})", elements(dialect))
        }
        // As `look_up` has it.
        (Some(_), dialect @ Dialect::Postgres) => format!(
            "(SELECT DISTINCT found FROM ({}) AS elements (found)) AS wanted CROSS JOIN LATERAL \
             (SELECT * FROM members AS m WHERE {OF_GROUP} AND m.member = wanted.found OFFSET 0) AS m",
            elements(dialect)
        ),
    };
    let mut select = Statement::new(format!(
        "SELECT -1 AS since, 0 AS place, r.body AS body FROM resources AS r \
         WHERE r.tenant = ?1 AND r.type = ?2 AND r.id = ?3 \
         UNION ALL SELECT m.since, m.place, m.body FROM {members} ORDER BY since, place",
    ))
    .text(scope.tenant.as_str())
    .text(scope.schema.name())
    .text(id.as_str());
    if let (Some(values), Some(attribute)) = (values, member_value(scope.schema)) {
        let named: Vec<_> = values.iter().map(|value| keys::key(attribute, value)).collect();
        select = select.text(encode(&named)?);
    }
    let mut rows = select.rows::<(i64, i64, String)>(tx).await?.into_iter();
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

const OF_GROUP: &str = "m.tenant = ?1 AND m.type = ?2 AND m.id = ?3";

/// The rows of the elements of the JSON array in the fourth parameter.
pub(super) fn elements(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "SELECT value FROM json_each(?4)",
        Dialect::Postgres => "SELECT jsonb_array_elements_text(jsonb(?4))",
    }
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
        let select = Statement::new(groups_of(tx.dialect(), batch.len()))
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

/// The statement of the groups of `number` members, whose keys are its parameters from the third on.
pub(super) fn groups_of(dialect: Dialect, number: usize) -> String {
    let of_type = "tenant = ?1 AND type = ?2";
    let found = look_up(dialect, "member, id", "members", of_type, "member", &places(3, number));
    format!("{found} ORDER BY member, id")
}

/// The statement of those of a group who are among `number` members, whose keys are its parameters from the fourth on.
pub(super) fn some_of(dialect: Dialect, columns: &str, number: usize) -> String {
    let of_group = "tenant = ?1 AND type = ?2 AND id = ?3";
    look_up(dialect, columns, "members", of_group, "member", &places(4, number))
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
        let select = Statement::new(some_of(tx.dialect(), "member", batch.len()))
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
        let select = Statement::new(by_id(tx.dialect(), "id, body", batch.len()))
            .text(groups.tenant.as_str())
            .text(groups.schema.name());
        let select = batch.iter().fold(select, |select, id| select.text(*id));
        for (id, body) in select.rows::<(String, String)>(tx).await? {
            names.insert(id, display_name(&decode(&body)?));
        }
    }
    Ok(names)
}
