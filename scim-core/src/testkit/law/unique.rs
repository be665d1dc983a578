//! Unique values: had by one resource of a type in a tenant, until it gives them up.

use super::write::{group, user};
use crate::patch::Change;
use crate::store::{Applied, Store};
use crate::testkit::random::write;
use crate::testkit::trial::{CONTRACTOR, conflict, in_version, same_but_meta};
use crate::testkit::{Broken, Trial, demand};
use crate::{Resource, Value, Version};

/// A unique value that another resource has is refused, naming the attribute: in a create, a
/// replacement, and a change.
pub async fn a_unique_value_is_had_once<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let users = trial.users()?;
    trial.create(users, &user("1", "ann")).await?;
    trial.create(users, &user("2", "bob")).await?;
    conflict("create with a taken name", trial.try_create(users, &user("3", "ann")).await, "userName")?;
    let renamed = in_version(&user("2", "ann"), 2);
    let replaced = trial.try_replace(users, &renamed, Version(1)).await;
    conflict("replace with a taken name", replaced, "userName")?;
    let applied = trial.try_apply(users, &user("2", "bob"), &rename("ann"), Version(1)).await;
    conflict("apply of a taken name", applied, "userName")?;
    // What differs is not taken, however little it does.
    for (id, name) in [("4", "ann "), ("5", "an"), ("6", "änn"), ("7", "a\u{323}nn"), ("8", "anń")] {
        trial.create(users, &user(id, name)).await?;
    }
    Ok(())
}

/// Unique values are compared as the keys say that come with the write, which are case-folded.
pub async fn a_unique_value_is_compared_folded<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let users = trial.users()?;
    for (id, name, again) in [("1", "Ann", "aNN"), ("2", "ÇELIK", "çelik"), ("3", "straße", "STRASSE")] {
        trial.create(users, &user(id, name)).await?;
        let created = trial.try_create(users, &user("9", again)).await;
        conflict(&format!("create of `{again}` beside `{name}`"), created, "userName")?;
    }
    Ok(())
}

/// Unique values that differ in width, or in how their characters are composed, are one (RFC 7613 §3.2.2).
pub async fn a_unique_value_is_compared_in_one_form<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let users = trial.users()?;
    for (id, name, again) in
        [("1", "åsa", "A\u{30a}sa"), ("2", "bob@x.org", "ｂｏｂ＠ｘ．ｏｒｇ"), ("3", "ガス", "ｶﾞｽ")]
    {
        trial.create(users, &user(id, name)).await?;
        let created = trial.try_create(users, &user("9", again)).await;
        conflict(&format!("create of `{again}` beside `{name}`"), created, "userName")?;
        // It is compared in that form, and stored as it was sent.
        let renamed = in_version(&user(id, again), 2);
        trial.replace(users, &renamed, Version(1)).await?;
        same_but_meta("read after replace", &trial.stored(users, id).await?, &renamed)?;
    }
    Ok(())
}

/// A resource keeps its unique values when it is written again, also in another case.
pub async fn ones_own_unique_value_is_not_in_the_way<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let users = trial.users()?;
    let ann = user("1", "ann");
    trial.create(users, &ann).await?;
    let mut next = in_version(&user("1", "ANN"), 2);
    trial.replace(users, &next, Version(1)).await?;
    let applied = trial.apply(users, &next, &rename("Ann"), Version(2)).await?;
    demand!(applied == Applied::Changed(Version(3)), "apply of the name in another case: got {applied:?}");
    next.0.insert("userName", "Ann");
    same_but_meta("read after apply", &trial.stored(users, "1").await?, &next)?;
    conflict("create of the kept name", trial.try_create(users, &user("2", "ann")).await, "userName")
}

/// The unique values of a deleted resource can be had again.
pub async fn a_deleted_resource_frees_its_unique_values<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let users = trial.users()?;
    for id in ["1", "2", "3"] {
        trial.create(users, &user(id, "ann")).await?;
        trial.delete(users, id).await?;
    }
    Ok(())
}

/// A unique value that its resource gives up can be had again, and the new one is taken.
pub async fn a_unique_value_given_up_is_free<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let (users, groups) = (trial.users()?, trial.groups()?);
    let ann = user("1", "ann");
    trial.create(users, &ann).await?;
    let bea = in_version(&user("1", "bea"), 2);
    trial.replace(users, &bea, Version(1)).await?;
    trial.create(users, &user("2", "ann")).await?;
    conflict("create of the name replaced by", trial.try_create(users, &user("9", "bea")).await, "userName")?;
    trial.apply(users, &bea, &rename("cid"), Version(2)).await?;
    trial.create(users, &user("3", "bea")).await?;
    conflict("create of the name applied", trial.try_create(users, &user("9", "cid")).await, "userName")?;
    // A write that does not concern the name leaves it taken.
    let title = Change { writes: vec![write("title", Some("Boss".into()))], ..Change::default() };
    let cid = trial.stored(users, "1").await?;
    trial.apply(users, &cid, &title, Version(3)).await?;
    conflict("create of a name kept", trial.try_create(users, &user("9", "cid")).await, "userName")?;
    // The name of a user is no group's concern.
    let mut named: Resource = group("g", &[]);
    named.0.insert("displayName", "cid");
    trial.create(groups, &named).await
}

/// A unique value is had once among all resource types that have the schema of its attribute (RFC 7643
/// erratum 8279), and the types are apart in all else.
pub async fn types_of_one_schema_share_its_unique_values<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let (users, contractors) = (trial.users()?, trial.scope(CONTRACTOR)?);
    trial.create(users, &user("1", "ann")).await?;
    let bob = of_type(&user("5", "bob"), CONTRACTOR);
    trial.create(contractors, &bob).await?;
    let ann = trial.try_create(contractors, &of_type(&user("2", "Ann"), CONTRACTOR)).await;
    conflict("create of a contractor with a user's name", ann, "userName")?;
    conflict(
        "create of a user with a contractor's name",
        trial.try_create(users, &user("2", "bob")).await,
        "userName",
    )?;
    let replaced = trial
        .try_replace(contractors, &in_version(&of_type(&user("5", "ann"), CONTRACTOR), 2), Version(1))
        .await;
    conflict("replace with a user's name", replaced, "userName")?;
    let applied = trial.try_apply(contractors, &bob, &rename("ann"), Version(1)).await;
    conflict("apply of a user's name", applied, "userName")?;
    same_but_meta("read after refusals", &trial.stored(contractors, "5").await?, &bob)?;
    trial.delete(users, "1").await?;
    trial.create(contractors, &of_type(&user("3", "ann"), CONTRACTOR)).await
}

/// `resource` as one of another type.
fn of_type(resource: &Resource, name: &str) -> Resource {
    let mut resource = resource.clone();
    if let Some(meta) = resource.0.get_mut("meta").and_then(Value::as_object_mut) {
        meta.insert("resourceType", name);
    }
    resource
}

fn rename(name: &str) -> Change {
    Change { writes: vec![write("userName", Some(Value::from(name)))], ..Change::default() }
}
