//! Tenants and resource types: what is in one scope is not in another.

use super::write::{group, of_members, user};
use crate::patch::Change;
use crate::store::{Modification, Scope, Store};
use crate::testkit::random::write;
use crate::testkit::trial::{dangling, everything, failed, in_version, not_found, total};
use crate::testkit::{Broken, Trial, demand};
use crate::{ResourceId, Version};

/// What a tenant has is found by no other: not by `id`, in lists, by filters, or as a member.
pub async fn another_tenant_sees_nothing<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    filled(trial).await?;
    let tenant = trial.tenant(" other");
    for (kind, id, filters) in [
        ("User", "1", ["userName eq \"ann\"", "id eq \"1\""]),
        ("Group", "g", ["members eq \"1\"", "displayName eq \"Staff\""]),
    ] {
        let scope = Scope { tenant: &tenant, schema: trial.schema(kind)? };
        trial.is_absent(scope, id).await?;
        let page = trial.query(scope, &everything()).await?;
        let total = total(&page)?;
        demand!(total == 0, "the list of another tenant has {total}");
        for filter in filters {
            trial.finds(scope, filter, &[]).await?;
            trial.finds(scope, &format!("not ({filter})"), &[]).await?;
        }
        let missing = trial.store().missing(scope, vec![ResourceId::new(id)]).await;
        let missing = missing.map_err(|error| failed("missing", id, &error))?;
        demand!(missing == [ResourceId::new(id)], "`{id}` is not missing for another tenant");
    }
    Ok(())
}

/// To a write, the resource of another tenant is not there.
pub async fn another_tenant_changes_nothing<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    filled(trial).await?;
    let tenant = trial.tenant(" other");
    let scope = |kind| Ok::<_, Broken>(Scope { tenant: &tenant, schema: trial.schema(kind)? });
    let (users, groups) = (scope("User")?, scope("Group")?);
    let ann = user("1", "ann");
    not_found("replace", trial.try_replace(users, &in_version(&ann, 2), Version(1)).await)?;
    let title = Change { writes: vec![write("title", Some("Boss".into()))], ..Change::default() };
    not_found("apply", trial.try_apply(users, &ann, &title, Version(1)).await)?;
    let staff = group("g", &["1"]);
    let applied = trial.try_apply(groups, &staff, &of_members(&["1"], &["2"]), Version(1)).await;
    not_found("apply of members", applied)?;
    not_found("delete", trial.try_delete(users, "1", None).await)?;
    not_found("delete on a version", trial.try_delete(groups, "g", Some(Version(1))).await)?;
    let other = group("other", &["1"]);
    let create = Modification::Create { resource: &other, unique: &[] };
    dangling("create with its user", trial.try_referring(groups, create, &["1"]).await, "1")?;
    trial.is_stored(trial.users()?, &ann).await?;
    trial.is_stored(trial.groups()?, &staff).await
}

/// Ids and unique values of one tenant are free in another, and each reads its own.
pub async fn another_tenant_has_its_own_ids_and_names<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    filled(trial).await?;
    let tenant = trial.tenant(" other");
    let users = Scope { tenant: &tenant, schema: trial.schema("User")? };
    let groups = Scope { tenant: &tenant, schema: trial.schema("Group")? };
    let mut ann = user("1", "ann");
    ann.0.insert("title", "of the other tenant");
    trial.create(users, &ann).await?;
    trial.create(groups, &group("g", &["7", "8"])).await?;
    let staff = trial.stored(groups, "g").await?;
    trial.apply(groups, &staff, &of_members(&["7"], &["1"]), Version(1)).await?;
    trial.is_stored(users, &ann).await?;
    trial.is_stored(trial.users()?, &user("1", "ann")).await?;
    trial.is_stored(trial.groups()?, &group("g", &["1"])).await?;
    trial.delete(groups, "g").await?;
    trial.delete(users, "1").await?;
    trial.is_stored(trial.users()?, &user("1", "ann")).await?;
    trial.is_stored(trial.groups()?, &group("g", &["1"])).await
}

/// Tenants are told apart by every character of their names, case and blanks included.
pub async fn tenants_are_told_apart_exactly<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let schema = trial.schema("User")?;
    let names = [
        " a",
        " A",
        " a ",
        " á",
        " a\u{301}",
        " a'; --",
        " a%",
        " a_",
        " ab",
        "\u{1f468}",
        "\\",
        "\"",
        "/a/",
        ":a",
    ];
    let tenants: Vec<_> = names.iter().map(|suffix| trial.tenant(suffix)).collect();
    for (number, tenant) in tenants.iter().enumerate() {
        trial.create(Scope { tenant, schema }, &user("1", &format!("ann{number}"))).await?;
    }
    for (number, tenant) in tenants.iter().enumerate() {
        let scope = Scope { tenant, schema };
        trial.is_stored(scope, &user("1", &format!("ann{number}"))).await?;
        let page = trial.query(scope, &everything()).await?;
        let total = total(&page)?;
        demand!(total == 1, "the tenant `{tenant}` has one user, and its list {total}");
    }
    Ok(())
}

/// A user and a group may have the same `id`, and are found each among its own.
pub async fn a_resource_type_is_apart_from_others<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let (users, groups) = (trial.users()?, trial.groups()?);
    trial.create(users, &user("1", "ann")).await?;
    trial.is_absent(groups, "1").await?;
    trial.create(groups, &group("1", &["1"])).await?;
    trial.is_stored(users, &user("1", "ann")).await?;
    trial.is_stored(groups, &group("1", &["1"])).await?;
    trial.finds(users, "id eq \"1\"", &["1"]).await?;
    trial.delete(groups, "1").await?;
    trial.is_absent(groups, "1").await?;
    trial.is_stored(users, &user("1", "ann")).await
}

/// A user, and a group it is a member of.
async fn filled<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    trial.create(trial.users()?, &user("1", "ann")).await?;
    trial.create(trial.groups()?, &group("g", &["1"])).await
}
