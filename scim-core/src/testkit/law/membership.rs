//! Deletions of what is a member of groups.

use super::concurrency::changed;
use super::write::{group, of_members, user};
use crate::membership::member_ids;
use crate::store::Store;
use crate::testkit::trial::{FIRST, LATER, in_version, mismatch, not_found, same, same_but_meta};
use crate::testkit::{BoxFuture, Broken, Trial, demand};
use crate::{Resource, Version};

/// Who is deleted is a member of no group any more, however many it was in; the other members stay,
/// and so do those of other tenants' groups.
pub async fn the_deleted_leave_their_groups<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let (users, groups) = (trial.users()?, trial.groups()?);
    let tenant = trial.tenant(" other");
    let elsewhere = crate::store::Scope { tenant: &tenant, ..groups };
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

/// More than an eager look-up may take at once.
const GROUPS: usize = 5;
