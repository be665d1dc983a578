//! Who is in which group, and deletions of what is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::concurrency::changed;
use super::write::{group, of_members, user};
use crate::membership::{Membership, member_ids};
use crate::query::{Query, Start};
use crate::store::{self, Modification, Scope, Store, StoreError, Update};
use crate::testkit::random::Random;
use crate::testkit::trial::{
    FIRST, LATER, bound, everything, failed, ids, in_version, mismatch, name, not_found, same, same_but_meta,
};
use crate::testkit::{BoxFuture, Broken, Trial, demand};
use crate::value::{Object, Value};
use crate::{Resource, ResourceId, Version};

/// Who is deleted is a member of no group any more, however many it was in; the other members stay,
/// and so do those of other tenants' groups.
pub async fn the_deleted_leave_their_groups<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let (users, groups) = (trial.users()?, trial.groups()?);
    let tenant = trial.tenant(" other");
    let elsewhere = Scope { tenant: &tenant, ..groups };
    for id in ["1", "2"] {
        trial.create(users, &user(id, id)).await?;
    }
    trial.create(elsewhere, &group("g0", &["1", "g1"])).await?;
    for number in 0..GROUPS {
        trial.create(groups, &group(&format!("g{number}"), &["1", "2", "g1", "g2"])).await?;
    }
    for (scope, deleted, left) in
        [(users, "1", &["2", "g1", "g2"][..]), (groups, "g1", &["2", "g2"]), (groups, "g2", &["2"])]
    {
        trial.delete(scope, deleted).await?;
        for number in 0..GROUPS {
            let id = format!("g{number}");
            if let Some(found) = trial.read(groups, &id).await? {
                same_but_meta(&format!("`{id}` without `{deleted}`"), &found, &group(&id, left))?;
            }
        }
        trial.finds(groups, &format!("members.value eq \"{deleted}\""), &[]).await?;
    }
    trial.delete(users, "2").await?;
    let emptied = trial.stored(groups, "g0").await?;
    same_but_meta("`g0` without its last member", &emptied, &group("g0", &[]))?;
    trial.finds(groups, "members pr", &[]).await?;
    trial.is_stored(elsewhere, &group("g0", &["1", "g1"])).await
}

/// A group that is left by the deletion of a member has the next version and the time of the
/// deletion, so that what was read of it before is told from what it is; other groups stay as they
/// are.
pub async fn a_group_that_is_left_has_a_new_version<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let (users, groups) = (trial.users()?, trial.groups()?);
    trial.create(users, &user("1", "ann")).await?;
    let (staff, others) = (group("staff", &["1", "2"]), group("others", &["2"]));
    let mut named = staff.clone();
    named.0.insert("externalId", "E1");
    trial.create(groups, &named).await?;
    trial.create(groups, &others).await?;
    trial.replace(groups, &in_version(&named, 7), Version(1)).await?;
    trial.delete(users, "1").await?;
    let left = trial.stored(groups, "staff").await?;
    let mut expected = in_version(&group("staff", &["2"]), 8);
    expected.0.insert("externalId", "E1");
    same("the group that was left", &left, &expected)?;
    trial.is_stored(groups, &others).await?;
    mismatch("a replace made before", trial.try_replace(groups, &in_version(&named, 8), Version(7)).await)?;
    let change = of_members(&[], &["3"]);
    mismatch("a change made before", trial.try_apply(groups, &named, &change, Version(7)).await)?;
    trial.apply(groups, &left, &change, Version(8)).await.map(drop)
}

/// A deletion that is refused takes nobody out of a group.
pub async fn a_refused_deletion_leaves_the_memberships<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let (users, groups) = (trial.users()?, trial.groups()?);
    trial.create(users, &user("1", "ann")).await?;
    trial.replace(users, &in_version(&user("1", "anna"), 2), Version(1)).await?;
    // `2` is a member, and no user there is.
    let staff = group("g", &["1", "2"]);
    trial.create(groups, &staff).await?;
    mismatch("delete", trial.try_delete(users, "1", Some(Version(1))).await)?;
    not_found("delete", trial.try_delete(users, "2", None).await)?;
    not_found("delete", trial.try_delete(groups, "1", None).await)?;
    trial.is_stored(groups, &staff).await
}

/// Deletions of members and other changes of their group at the same time all take effect, each with
/// a version of its own.
pub async fn deletions_and_changes_of_a_group_all_take_effect<S: Store>(
    trial: &Trial<S>,
) -> Result<(), Broken> {
    const ROUNDS: usize = 4;
    let members: Vec<String> = (0..2 * ROUNDS).map(|number| format!("u{number}")).collect();
    for member in &members {
        trial.create(trial.users()?, &user(member, member)).await?;
    }
    let ids: Vec<&str> = members.iter().map(String::as_str).collect();
    trial.create(trial.groups()?, &group("g", &ids)).await?;
    let mut tasks: Vec<BoxFuture<'static, Result<(), Broken>>> = Vec::new();
    for half in 0..2 {
        let (deleter, writer) = (trial.clone(), trial.clone());
        tasks.push(Box::pin(async move {
            for number in 0..ROUNDS {
                deleter.delete(deleter.users()?, &format!("u{}", 2 * number + half)).await?;
            }
            Ok(())
        }));
        tasks.push(Box::pin(async move {
            for number in 0..ROUNDS {
                let member = format!("new{half}-{number}");
                changed(&writer, &of_members(&[], &[&member]), false).await?;
            }
            Ok(())
        }));
    }
    trial.all(tasks).await?;
    let stored = trial.stored(trial.groups()?, "g").await?;
    let mut found: Vec<&str> = member_ids(stored.get("members")).collect();
    found.sort_unstable();
    let mut expected: Vec<String> =
        (0..2).flat_map(|half| (0..ROUNDS).map(move |number| format!("new{half}-{number}"))).collect();
    expected.sort();
    demand!(found == expected, "expected the members {expected:?}, got {found:?}");
    let (version, changes) = (stored.version(), 4 * ROUNDS as u64);
    demand!(version == Some(Version(1 + changes)), "after {changes} changes the version is {version:?}");
    let modified = |group: &Resource| group.meta().ok().and_then(|meta| meta.last_modified);
    demand!(modified(&stored).as_deref() != Some(FIRST), "`meta.lastModified` is not {LATER}");
    Ok(())
}

/// Who is deleted while groups are written that refer to it is in none of them afterwards, however these were
/// written; each write was made before the deletion, which took the member out again, or refused.
pub async fn no_member_is_added_that_is_deleted_meanwhile<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    const ROUNDS: usize = 8;
    let kinds = ["User", "Group"];
    for (kind, round) in
        kinds.iter().flat_map(|kind| (0..trial.cases(ROUNDS)).map(move |round| (*kind, round)))
    {
        let id = format!("{kind}{round}");
        let deleted = if kind == "User" { user(&id, &id) } else { group(&id, &[]) };
        trial.create(trial.scope(kind)?, &deleted).await?;
        for way in [REPLACE, APPLY] {
            trial.create(trial.groups()?, &group(&format!("g{way} {id}"), &[])).await?;
        }
        let mut tasks: Vec<BoxFuture<'static, Result<(), Broken>>> = Vec::new();
        for way in [CREATE, REPLACE, APPLY] {
            tasks.push(Box::pin(refer(trial.clone(), way, id.clone())));
        }
        let (deleter, member) = (trial.clone(), id.clone());
        let delete = async move { deleter.delete(deleter.scope(kind)?, &member).await };
        tasks.insert(round % (tasks.len() + 1), Box::pin(delete));
        trial.all(tasks).await?;

        trial.finds(trial.groups()?, &format!("members.value eq \"{id}\""), &[]).await?;
        for way in [CREATE, REPLACE, APPLY] {
            let group = trial.read(trial.groups()?, &format!("g{way} {id}")).await?.unwrap_or_default();
            let members: Vec<&str> = member_ids(group.get("members")).collect();
            demand!(members.is_empty(), "`{id}` is deleted, and the group has the members {members:?}");
        }
    }
    Ok(())
}

const CREATE: usize = 0;
const REPLACE: usize = 1;
const APPLY: usize = 2;

/// Makes `id` a member of a group, unless it is gone by then.
async fn refer<S: Store>(trial: Trial<S>, way: usize, id: String) -> Result<(), Broken> {
    let groups = trial.groups()?;
    let group = group(&format!("g{way} {id}"), &[&id]);
    let next = in_version(&group, 2);
    let change = of_members(&[], &[&id]);
    let update = Update { change: &change, unique: None, last_modified: LATER, members: None };
    let group_id = ResourceId::new(name(&group));
    let modification = match way {
        CREATE => Modification::Create { resource: &group, unique: &[] },
        REPLACE => Modification::Replace { resource: &next, unique: &[], expected: Version(1) },
        _ => Modification::Apply { id: &group_id, update: &update, expected: None },
    };
    match trial.try_referring(groups, modification, &[&id]).await {
        Ok(_) => Ok(()),
        Err(StoreError::Dangling(absent)) if absent.as_str() == id => Ok(()),
        Err(error) => Err(failed("a write of a group", &name(&group), &error)),
    }
}

/// Who is in which groups is told of all who are asked for at once, each pair once, with the names of
/// the groups: of users and of groups, in circles or not, and of no other tenant's.
pub async fn memberships_are_told<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let (users, groups) = (trial.users()?, trial.groups()?);
    let tenant = trial.tenant(" other");
    let elsewhere = Scope { tenant: &tenant, ..groups };
    trial.create(users, &user("1", "ann")).await?;
    trial.create(elsewhere, &group("g9", &["1", "2", "g0"])).await?;
    let many: Vec<String> = (0..1500).map(|number| format!("u{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let mut large = group("g2", &many);
    large.0.insert("displayName", "Large");
    for group in [&group("g0", &["1", "2", "g1"]), &group("g1", &["2", "g0", "g1"]), &large] {
        trial.create(groups, group).await?;
    }
    let staff = |member: &str, group: &str| told(member, group, "Staff");
    let all = |ids: &[&str]| ids.iter().map(|id| told(id, "g2", "Large")).collect::<Vec<_>>();
    for (asked, expected) in [
        (&[][..], vec![]),
        (&["1"], vec![staff("1", "g0")]),
        (&["nobody", "g2"], vec![]),
        (&["2", "1"], vec![staff("1", "g0"), staff("2", "g0"), staff("2", "g1")]),
        (&["g0", "g1"], vec![staff("g0", "g1"), staff("g1", "g0"), staff("g1", "g1")]),
        (&["u7", "1"], vec![staff("1", "g0"), told("u7", "g2", "Large")]),
        (&many, all(&many)),
    ] {
        let ids: Vec<ResourceId> = asked.iter().map(|id| ResourceId::new(*id)).collect();
        let found = trial.store().memberships(groups, &ids).await;
        let found = found.map_err(|error| Broken::new(format!("memberships: failed with {error:?}")))?;
        let told = |membership: &Membership| {
            let Membership { member, group, display } = membership;
            told(member.as_str(), group.as_str(), display.as_deref().unwrap_or_default())
        };
        let (mut found, mut expected): (Vec<_>, _) = (found.iter().map(told).collect(), expected);
        found.sort();
        expected.sort();
        let shown = asked.iter().take(5).collect::<Vec<_>>();
        demand!(
            found == expected,
            "memberships of {shown:?} and so on: expected {expected:?}, got {found:?}"
        );
    }
    Ok(())
}

/// Members of one group are counted, and looked up, each once, whoever else is asked for; a group
/// that is not there has none, and so has one of another tenant.
pub async fn members_are_counted_and_looked_up<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let groups = trial.groups()?;
    let tenant = trial.tenant(" other");
    let elsewhere = Scope { tenant: &tenant, ..groups };
    let many: Vec<String> = (0..1500).map(|number| format!("u{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    trial.create(groups, &group("large", &many)).await?;
    trial.create(groups, &group("small", &["u7", "new"])).await?;
    trial.create(groups, &group("empty", &[])).await?;
    trial.create(elsewhere, &group("small", &["u8"])).await?;
    counts(trial, groups, &[("large", 1500), ("small", 2), ("empty", 0), ("absent", 0)]).await?;
    counts(trial, elsewhere, &[("large", 0), ("small", 1)]).await?;
    for (asked, group, found) in [
        (&many[..], "large", &many[..]),
        (&many, "small", &["u7"]),
        (&["new", "u7", "u8", "new"], "small", &["new", "u7"]),
        (&[], "large", &[]),
        (&["u1", "new"], "empty", &[]),
        (&["u1"], "absent", &[]),
    ] {
        among(trial, groups, group, asked, found).await?;
    }
    among(trial, elsewhere, "small", &["u7", "u8"], &["u8"]).await?;
    let large = group("large", &[]);
    trial.apply(groups, &large, &of_members(&["u7", "u8", "u9"], &["new"]), Version(1)).await?;
    counts(trial, groups, &[("large", 1498)]).await?;
    among(trial, groups, "large", &["u7", "new", "u6"], &["new", "u6"]).await
}

async fn counts<S: Store>(
    trial: &Trial<S>,
    groups: Scope<'_>,
    expected: &[(&str, usize)],
) -> Result<(), Broken> {
    for (group, expected) in expected {
        let found = trial.store().count_members(groups, &ResourceId::new(*group)).await;
        let found = found.map_err(|error| Broken::new(format!("count_members: failed with {error:?}")))?;
        demand!(found == *expected, "members of `{group}`: expected {expected}, counted {found}");
    }
    Ok(())
}

async fn among<S: Store>(
    trial: &Trial<S>,
    groups: Scope<'_>,
    group: &str,
    asked: &[&str],
    expected: &[&str],
) -> Result<(), Broken> {
    let ids: Vec<ResourceId> = asked.iter().map(|id| ResourceId::new(*id)).collect();
    let found = trial.store().members_among(groups, &ResourceId::new(group), &ids).await;
    let found = found.map_err(|error| Broken::new(format!("members_among: failed with {error:?}")))?;
    let found: Vec<&str> = found.iter().map(ResourceId::as_str).collect();
    let shown = asked.iter().take(5).collect::<Vec<_>>();
    demand!(
        found == expected,
        "members of `{group}` among {shown:?} and so on: expected {expected:?}, got {found:?}"
    );
    Ok(())
}

/// Where a page comes with the groups that its resources are in, these are all that the store tells of them
/// when it is asked: of users and of groups, and of no other tenant's.
pub async fn memberships_come_with_a_page<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let (users, groups) = (trial.users()?, trial.groups()?);
    let tenant = trial.tenant(" other");
    let elsewhere = Scope { tenant: &tenant, ..groups };
    for (id, name) in [("1", "ann"), ("2", "bob"), ("3", "cyd")] {
        trial.create(users, &user(id, name)).await?;
    }
    trial.create(elsewhere, &group("g9", &["1", "3", "g0"])).await?;
    let mut sales = group("g2", &["2", "g1", "g2"]);
    sales.0.insert("displayName", "Sales \"EMEA\"");
    for group in [&group("g0", &["1", "2", "g1"]), &group("g1", &["2", "g0"]), &sales] {
        trial.create(groups, group).await?;
    }
    let member_of = Some(Arc::new(groups.schema.clone()));
    let failed = |what: &str, error: &StoreError| Broken::new(format!("{what}: failed with {error:?}"));
    for (scope, text) in [
        (users, "userName eq \"ann\""),
        (users, "userName eq \"cyd\""),
        (users, "userName eq \"ann\" or userName eq \"bob\""),
        (users, "userName pr"),
        (groups, "displayName eq \"Staff\""),
        (groups, "id eq \"g2\""),
    ] {
        for start in [Start::Index(1), Start::Index(2), Start::First] {
            if start == Start::First && !trial.store().query_support().cursor {
                continue;
            }
            let filter = Some(bound(scope.schema, text)?);
            let query = Query { filter, start, member_of: member_of.clone(), ..everything() };
            let page = trial.store().query_in_pieces(scope, &query).await;
            for pieces in page.map_err(|error| failed(text, &error))?.resources {
                let (Some(found), Some(id)) = (pieces.memberships, pieces.resource.id()) else { continue };
                let expected = trial.store().memberships(groups, std::slice::from_ref(&id)).await;
                let mut expected = expected.map_err(|error| failed("memberships", &error))?;
                let mut found = found;
                for all in [&mut found, &mut expected] {
                    all.sort_by(|one, other| one.group.as_str().cmp(other.group.as_str()));
                }
                demand!(
                    found == expected,
                    "query `{text}`: of `{id}` expected {expected:?} to come with the page, got {found:?}"
                );
            }
        }
    }
    Ok(())
}

fn told(member: &str, group: &str, display: &str) -> String {
    format!("{member} in {group} ({display})")
}

/// A filter on `groups` finds who is in them, directly and through other groups up to the limit of
/// levels, also where these are in circles: as if each resource had its groups.
pub async fn a_filter_finds_who_is_in_groups<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    if !trial.store().query_support().groups {
        return Ok(());
    }
    let (users, groups) = (trial.users()?, trial.groups()?);
    let mut random = Random::new(23);
    let mut members: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for number in 0..8 {
        let id = format!("g{number}");
        let some = (0..random.below(6)).map(|_| match random.below(3) {
            0 => format!("g{}", random.below(8)),
            _ => format!("u{}", random.below(12)),
        });
        let some: BTreeSet<String> = some.collect();
        let ids: Vec<&str> = some.iter().map(String::as_str).collect();
        let mut group = group(&id, &ids);
        group.0.insert("displayName", format!("{} {number}", random.pick(&["Sales", "Tours"])));
        trial.create(groups, &group).await?;
        members.insert(id, some.into_iter().collect());
    }
    let mut all = Vec::new();
    for number in 0..12 {
        let user = user(&format!("u{number}"), &format!("name{number}"));
        trial.create(users, &user).await?;
        all.push(user);
    }
    let base_url = "https://example.com/scim".parse().map_err(|_| Broken::new("no URL"))?;
    for levels in [2, 1, 16].into_iter().take(trial.cases(3)) {
        let hierarchy = Arc::new(trial.hierarchy(levels, &base_url));
        let with_groups: Vec<Resource> = with_groups(trial, &all, &members, levels).await?;
        for text in FILTERS {
            let filter = Some(bound(users.schema, text)?);
            let query = Query { filter, hierarchy: Some(Arc::clone(&hierarchy)), ..everything() };
            let what = format!("{text}, of {levels} levels");
            if text.contains("$ref") {
                // A URI may be more than a store can make of an `id`; then it says so.
                let refused = trial.store().query(users, &query).await;
                if matches!(refused, Err(StoreError::UnsupportedFilter(_))) {
                    continue;
                }
            }
            for (start, count) in
                [(Start::Index(1), 100), (Start::Index(2), 2), (Start::First, 3), (Start::Index(1), 0)]
            {
                if start == Start::First && !trial.store().query_support().cursor {
                    continue;
                }
                let query = Query { start, count, ..query.clone() };
                let expected = store::evaluate(users.schema, &query, &with_groups);
                let found = trial.query(users, &query).await?;
                let (found_ids, expected_ids) = (ids(&found.resources), ids(&expected.resources));
                let what = format!("{what}, {:?}, count {count}", query.start);
                if matches!(query.start, Start::Index(_)) {
                    demand!(
                        found_ids == expected_ids,
                        "query `{what}`: expected {expected_ids:?}, found {found_ids:?}"
                    );
                } else {
                    demand!(
                        found_ids.len() == expected_ids.len(),
                        "query `{what}`: expected {} resources, found {found_ids:?}",
                        expected_ids.len()
                    );
                }
                demand!(
                    found.total == expected.total,
                    "query `{what}`: expected the total {:?}, got {:?}",
                    expected.total,
                    found.total
                );
            }
        }
    }
    Ok(())
}

const FILTERS: [&str; 20] = [
    "groups.value eq \"g3\"",
    "groups eq \"g1\"",
    "groups.value eq \"G1\"",
    "groups[value eq \"g2\"]",
    "groups[value eq \"g4\" and type eq \"direct\"]",
    "groups[type eq \"INDIRECT\" and value eq \"g4\"]",
    "groups[value eq \"g1\" or value eq \"g2\"]",
    "groups[value eq \"g1\" and display co \"sales\"]",
    "groups.display co \"SALES\"",
    "groups.type eq \"indirect\"",
    "groups.$ref eq \"https://example.com/scim/Groups/g5\"",
    "groups pr",
    "not (groups pr)",
    "not (groups.value eq \"g3\")",
    "groups.value ne \"g3\"",
    "not (groups[value eq \"g3\" and type eq \"direct\"])",
    "groups.value eq \"g1\" and userName sw \"name1\"",
    "groups.value eq \"g1\" or groups.value eq \"g6\" or id eq \"u3\"",
    "id eq \"u5\" and groups.value eq \"g0\"",
    "groups.value eq \"nobody\"",
];

/// The users with their `groups`, by a search from each of them.
async fn with_groups<S: Store>(
    trial: &Trial<S>,
    users: &[Resource],
    members: &BTreeMap<String, Vec<String>>,
    levels: usize,
) -> Result<Vec<Resource>, Broken> {
    let mut completed = Vec::new();
    for user in users {
        let mut found: Vec<(String, usize)> = Vec::new();
        let mut level = vec![name(user)];
        for number in 1..=levels {
            let mut next = Vec::new();
            for (group, members) in members {
                let is_above = members.iter().any(|member| level.contains(member));
                if is_above && !found.iter().any(|(other, _)| other == group) {
                    next.push(group.clone());
                }
            }
            found.extend(next.iter().map(|group| (group.clone(), number)));
            level = next;
        }
        let mut values = Vec::new();
        for (group, level) in found {
            let display = trial.stored(trial.groups()?, &group).await?.get("displayName").cloned();
            let mut value = Object::new();
            value.insert("$ref", format!("https://example.com/scim/Groups/{group}"));
            value.insert("value", group);
            value.insert("display", display.unwrap_or_default());
            value.insert("type", if level == 1 { "direct" } else { "indirect" });
            values.push(Value::Object(value));
        }
        let mut user = user.clone();
        user.0.insert("groups", values);
        completed.push(user);
    }
    Ok(completed)
}

/// More than an eager look-up may take at once.
const GROUPS: usize = 5;
