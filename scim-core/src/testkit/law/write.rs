//! Single writes, and what is read after them.

use serde_json::json;

use crate::patch::{Change, Delta, Write};
use crate::store::{Applied, Modification, Modified, Store, StoreError, Update};
use crate::testkit::random::{self, Random, write};
use crate::testkit::trial::{
    CONTRACTOR, LATER, conflict, dangling, failed, in_version, mismatch, name, not_found, resource,
    same_but_meta,
};
use crate::testkit::{Broken, Trial, demand};
use crate::{Resource, ResourceId, Value, Version};

/// A resource is read as it was created: every type of value, extensions, members, unknown
/// attributes.
pub async fn what_is_created_is_read<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let (users, groups) = (trial.users()?, trial.groups()?);
    let mut full = user("1", "ann");
    for (name, value) in [
        ("active", json!(false)),
        ("name", json!({"familyName": "Jensen", "givenName": "Barbara"})),
        ("emails", json!([{"value": "a@example.com", "primary": true}, {"value": "b@example.com"}])),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", json!({"employeeNumber": "701984"})),
        ("urn:example:unknown", json!({"deep": [[{"empty": {}, "none": []}]], "null": null})),
        ("numbers", json!([0, -1, i64::MIN, u64::MAX, 0.1, 1e300, -2.5e-7])),
        ("empty", json!("")),
    ] {
        full.0.insert(name, value);
    }
    trial.create(users, &full).await?;
    trial.create(users, &user("2", "bob")).await?;
    trial.create(groups, &group("g", &["1", "2"])).await?;
    trial.is_stored(users, &full).await?;
    trial.is_stored(users, &user("2", "bob")).await?;
    trial.is_stored(groups, &group("g", &["1", "2"])).await
}

/// An `id` that is taken is refused as a conflict on `id`, and nothing changes.
pub async fn an_id_is_had_once<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let users = trial.users()?;
    trial.create(users, &user("1", "ann")).await?;
    conflict("create with a taken id", trial.try_create(users, &user("1", "bob")).await, "id")?;
    trial.is_stored(users, &user("1", "ann")).await
}

/// What is not there reads as nothing, and a write of it is refused as not found.
pub async fn what_is_not_there_is_not_found<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let users = trial.users()?;
    trial.create(users, &user("1", "ann")).await?;
    trial.is_absent(users, "2").await?;
    let absent = user("2", "bob");
    not_found("replace", trial.try_replace(users, &absent, Version(1)).await)?;
    not_found("apply", trial.try_apply(users, &absent, &titled("Boss"), Version(1)).await)?;
    not_found("delete", trial.try_delete(users, "2", None).await)?;
    not_found("delete on a version", trial.try_delete(users, "2", Some(Version(1))).await)?;
    trial.is_absent(users, "2").await
}

/// A replacement is all that is there after it: what it does not name is gone.
pub async fn a_replacement_is_the_whole_resource<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let (users, groups) = (trial.users()?, trial.groups()?);
    let mut ann = user("1", "ann");
    ann.0.insert("title", "Boss");
    trial.create(users, &ann).await?;
    let next = in_version(&user("1", "anna"), 2);
    trial.replace(users, &next, Version(1)).await?;
    trial.is_stored(users, &next).await?;
    trial.create(groups, &group("g", &["1", "2", "3"])).await?;
    for (version, members) in [(2, &["2", "4"][..]), (3, &[]), (4, &["1"])] {
        let next = in_version(&group("g", members), version);
        trial.replace(groups, &next, Version(version - 1)).await?;
        trial.is_stored(groups, &next).await?;
    }
    Ok(())
}

/// What is deleted is neither read nor listed nor found, once and for all.
pub async fn what_is_deleted_is_gone<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let users = trial.users()?;
    for (id, name) in [("1", "ann"), ("2", "bob"), ("3", "cid")] {
        trial.create(users, &user(id, name)).await?;
    }
    trial.delete(users, "1").await?;
    let deleted = trial.try_delete(users, "2", Some(Version(1))).await;
    demand!(deleted.is_ok(), "delete of `2` on its version: {deleted:?}");
    for (id, name) in [("1", "ann"), ("2", "bob")] {
        trial.is_absent(users, id).await?;
        trial.finds(users, &format!("userName eq \"{name}\""), &[]).await?;
        not_found("delete again", trial.try_delete(users, id, None).await)?;
    }
    trial.is_stored(users, &user("3", "cid")).await
}

/// Who is created with the `id` of a deleted resource has nothing of it: no member, no version.
pub async fn nothing_of_the_deleted_comes_back<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let groups = trial.groups()?;
    trial.create(groups, &group("g", &["1", "2"])).await?;
    trial.replace(groups, &in_version(&group("g", &["1", "3"]), 2), Version(1)).await?;
    trial.delete(groups, "g").await?;
    trial.create(groups, &group("g", &["4"])).await?;
    trial.is_stored(groups, &group("g", &["4"])).await?;
    trial.finds(groups, "members eq \"1\"", &[]).await
}

/// A replacement made for another version than the one stored is refused, and nothing changes.
pub async fn a_replace_on_another_version_is_refused<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let users = trial.users()?;
    let now = twice_written(trial).await?;
    for version in [1, 3] {
        let next = in_version(&user("1", "bob"), version + 1);
        mismatch("replace", trial.try_replace(users, &next, Version(version)).await)?;
    }
    trial.is_stored(users, &now).await
}

/// A change made for another version than the one stored is refused, and nothing changes.
pub async fn a_change_on_another_version_is_refused<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let users = trial.users()?;
    let now = twice_written(trial).await?;
    for version in [1, 3] {
        mismatch("apply", trial.try_apply(users, &now, &titled("Boss"), Version(version)).await)?;
        // Also one that would have changed nothing.
        mismatch("apply", trial.try_apply(users, &now, &Change::default(), Version(version)).await)?;
    }
    trial.is_stored(users, &now).await
}

/// A delete made for another version than the one stored is refused.
pub async fn a_delete_on_another_version_is_refused<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let users = trial.users()?;
    let now = twice_written(trial).await?;
    for version in [1, 3] {
        mismatch("delete", trial.try_delete(users, "1", Some(Version(version))).await)?;
    }
    trial.is_stored(users, &now).await
}

/// A change writes the attributes it names, in the base schema and in extensions, removes those
/// without value, and leaves the others.
pub async fn a_change_is_applied<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let users = trial.users()?;
    let extension = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let mut before = user("1", "ann");
    before.0.insert("title", "Guide");
    before.0.insert("nickName", "Babs");
    before.0.insert(extension, json!({"department": "Tours", "division": "Parks"}));
    trial.create(users, &before).await?;
    trial.create(users, &user("2", "bob")).await?;
    let in_extension = |attribute: &str, value: Option<&str>| Write {
        extension: Some(extension.into()),
        attribute: attribute.into(),
        value: value.map(Into::into),
    };
    let change = Change {
        writes: vec![
            write("title", Some("Boss".into())),
            write("nickName", None),
            write("active", Some(true.into())),
            in_extension("department", Some("Sales")),
            in_extension("division", None),
        ],
        deltas: Vec::new(),
    };
    let applied = trial.apply(users, &before, &change, Version(1)).await?;
    let should = Applied::Changed(Version(2));
    demand!(applied == should, "apply of what is different: expected {should:?}, got {applied:?}");
    let mut expected = before;
    change.apply(&mut expected);
    same_but_meta("read after apply", &trial.stored(users, "1").await?, &expected)?;
    trial.is_stored(users, &user("2", "bob")).await
}

/// A change sets `meta.version` and `meta.lastModified`, and leaves the rest of `meta`.
pub async fn a_change_is_stamped<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let (users, groups) = (trial.users()?, trial.groups()?);
    let (ann, all) = (user("1", "ann"), group("g", &["1"]));
    trial.create(users, &ann).await?;
    trial.create(groups, &all).await?;
    trial.apply(users, &ann, &titled("Boss"), Version(1)).await?;
    trial.apply(groups, &all, &of_members(&["1"], &["2"]), Version(1)).await?;
    for stored in [trial.stored(users, "1").await?, trial.stored(groups, "g").await?] {
        let (found, kind) = (stored.meta(), stored.resource_type());
        let found = found.map_err(|error| Broken::new(error.to_string()))?;
        let (id, version) = (name(&stored), found.version.as_deref());
        demand!(version == Some("W/\"2\""), "apply of `{id}`: `meta.version` is {version:?}, not W/\"2\"");
        let time = found.last_modified.as_deref();
        demand!(time == Some(LATER), "apply of `{id}`: `meta.lastModified` is {time:?}, not {LATER}");
        demand!(kind.is_some(), "apply of `{id}`: `meta.resourceType` is gone");
    }
    Ok(())
}

/// A change that makes nothing different says so, and the version stays.
pub async fn a_change_of_nothing_keeps_the_version<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let (users, groups) = (trial.users()?, trial.groups()?);
    let mut ann = user("1", "ann");
    ann.0.insert("title", "Boss");
    let all = group("g", &["1", "2"]);
    trial.create(users, &ann).await?;
    trial.create(groups, &all).await?;
    let replace =
        Delta { attribute: "members".into(), replace: true, added: members(&["1", "2"]), ..Delta::default() };
    let replace = Change { deltas: vec![replace], ..Change::default() };
    let for_itself = of_members(&["1"], &["1"]);
    for (scope, current, change) in [
        (users, &ann, titled("Boss")),
        (users, &ann, Change { writes: vec![write("nickName", None)], ..Change::default() }),
        (groups, &all, of_members(&["9"], &["1"])),
        (groups, &all, replace),
        (groups, &all, for_itself),
    ] {
        let applied = trial.apply(scope, current, &change, Version(1)).await?;
        let should = Applied::Unchanged(Version(1));
        demand!(applied == should, "apply of {change:?}: expected {should:?}, got {applied:?}");
        trial.is_stored(scope, current).await?;
    }
    Ok(())
}

/// A change without an expected version is made on whatever version there is. What it does not
/// concern stays: other attributes, other members, and unique values.
pub async fn a_change_on_any_version_is_made<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let (users, groups) = (trial.users()?, trial.groups()?);
    let mut anna = twice_written(trial).await?;
    trial.create(groups, &group("g", &["1"])).await?;
    let add = of_members(&[], &["2"]);
    to_any(trial, "g", &add, Applied::Changed(Version(2))).await?;
    to_any(trial, "g", &add, Applied::Unchanged(Version(2))).await?;
    let mut everyone = in_version(&group("g", &["1", "2"]), 3);
    everyone.0.insert("displayName", "Everyone");
    trial.replace(groups, &everyone, Version(2)).await?;
    to_any(trial, "g", &of_members(&["1"], &["3"]), Applied::Changed(Version(4))).await?;
    to_any(trial, "g", &of_members(&["1"], &["3"]), Applied::Unchanged(Version(4))).await?;
    everyone.0.insert("members", members(&["2", "3"]));
    same_but_meta("read after two changes", &trial.stored(groups, "g").await?, &everyone)?;

    let applied = trial.try_apply_to_any(users, "1", &titled("Boss")).await;
    let applied = applied.map_err(|error| failed("apply", "1", &error))?;
    let should = Applied::Changed(Version(3));
    demand!(applied == should, "apply of a title: expected {should:?}, got {applied:?}");
    anna.0.insert("title", "Boss");
    same_but_meta("read after apply of a title", &trial.stored(users, "1").await?, &anna)?;
    conflict("create of a name kept", trial.try_create(users, &user("2", "anna")).await, "userName")?;
    match trial.try_apply_to_any(groups, "h", &add).await {
        Err(StoreError::NotFound) => trial.is_absent(groups, "h").await,
        result => Err(Broken::new(format!("apply to what is not there: expected NotFound, got {result:?}"))),
    }
}

/// Applies `change` to the group, which is to have this outcome.
async fn to_any<S: Store>(
    trial: &Trial<S>,
    id: &str,
    change: &Change,
    should: Applied,
) -> Result<(), Broken> {
    let applied = trial.try_apply_to_any(trial.groups()?, id, change).await;
    let applied = applied.map_err(|error| failed("apply", id, &error))?;
    demand!(applied == should, "apply of {change:?}: expected {should:?}, got {applied:?}");
    Ok(())
}

/// A member that is among those that replace all keeps what the delta says, and is otherwise as that says.
pub async fn a_member_that_is_replaced_keeps_what_is_immutable<S: Store>(
    trial: &Trial<S>,
) -> Result<(), Broken> {
    let groups = trial.groups()?;
    let of = |members: serde_json::Value| {
        let mut group = group("g", &[]);
        group.0.insert("members", Value::from(members));
        group
    };
    let before = of(json!([
        {"value": "1", "type": "User", "display": "Ann"}, {"value": "2"}, {"value": "3", "type": "User"},
    ]));
    trial.create(groups, &before).await?;
    let others = json!([
        {"value": "2", "type": "Group"},
        {"value": "1", "type": "Group", "$ref": "https://example.com/Users/1"},
        {"value": "4", "type": "Group"},
    ]);
    let kept = ["value", "type", "display"].map(Box::from).to_vec();
    let added = Value::from(others).values().to_vec();
    let delta = Delta { attribute: "members".into(), replace: true, kept, added, ..Delta::default() };
    let change = Change { deltas: vec![delta], ..Change::default() };
    let applied = trial.apply(groups, &before, &change, Version(1)).await?;
    demand!(applied == Applied::Changed(Version(2)), "apply of other members: got {applied:?}");
    let after = of(json!([
        {"value": "2", "type": "Group"},
        {"value": "1", "type": "User", "display": "Ann", "$ref": "https://example.com/Users/1"},
        {"value": "4", "type": "Group"},
    ]));
    same_but_meta("read after the members were replaced", &trial.stored(groups, "g").await?, &after)?;
    // So the same again makes no difference.
    let again = trial.apply(groups, &after, &change, Version(2)).await?;
    demand!(again == Applied::Unchanged(Version(2)), "apply of the members that there are: got {again:?}");
    same_but_meta("read after the same again", &trial.stored(groups, "g").await?, &after)
}

/// Deltas on members leave what replacing the resource by the result would.
pub async fn a_delta_does_what_replacing_does<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let groups = trial.groups()?;
    let mut random = Random::new(11);
    let mut expected = group("g", &["u1", "u9"]);
    trial.create(groups, &expected).await?;
    let mut version = 1;
    for step in 0..60 {
        let change = Change { deltas: vec![random::delta(&mut random)], ..Change::default() };
        let current = expected.clone();
        let changed = change.apply(&mut expected);
        let applied = trial.apply(groups, &current, &change, Version(version)).await?;
        version += u64::from(changed);
        let should = if changed { Applied::Changed } else { Applied::Unchanged }(Version(version));
        demand!(applied == should, "step {step}, {change:?}: expected {should:?}, got {applied:?}");
        let stored = trial.stored(groups, "g").await?;
        same_but_meta(&format!("step {step}, {change:?}"), &stored, &expected)?;
        expected.0.insert("meta", stored.get("meta").cloned().unwrap_or_default());
    }
    Ok(())
}

/// A write that is refused for a unique value changes nothing: attributes, members, version.
pub async fn a_refused_write_leaves_everything<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let users = trial.users()?;
    let (ann, bob) = (user("1", "ann"), user("2", "bob"));
    trial.create(users, &ann).await?;
    trial.create(users, &bob).await?;
    conflict("create", trial.try_create(users, &user("3", "ann")).await, "userName")?;
    trial.is_absent(users, "3").await?;
    let mut next = in_version(&user("2", "ann"), 2);
    next.0.insert("externalId", "E2");
    conflict("replace", trial.try_replace(users, &next, Version(1)).await, "userName")?;
    let change = Change {
        writes: vec![write("externalId", Some("E2".into())), write("userName", Some("ann".into()))],
        ..Change::default()
    };
    conflict("apply", trial.try_apply(users, &bob, &change, Version(1)).await, "userName")?;
    trial.is_stored(users, &ann).await?;
    trial.is_stored(users, &bob).await?;
    trial.finds(users, "externalId eq \"E2\"", &[]).await?;
    trial.finds(users, "userName eq \"bob\"", &["2"]).await
}

/// Of the ids asked for, those are missing that no resource of the scope has.
pub async fn missing_tells_what_is_not_there<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let users = trial.users()?;
    for number in 0..30 {
        trial.create(users, &user(&format!("u{number}"), &format!("name{number}"))).await?;
    }
    let ask = async |scope, numbers: Vec<usize>| {
        let ids = numbers.into_iter().map(|number| ResourceId::new(format!("u{number}"))).collect();
        let missing = trial.store().missing(scope, ids).await;
        let missing = missing.map_err(|error| Broken::new(format!("missing: failed with {error:?}")))?;
        let mut missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
        missing.sort();
        missing.dedup();
        Ok::<_, Broken>(missing)
    };
    let none: [&str; 0] = [];
    for (numbers, expected) in [
        (vec![], &none[..]),
        (vec![3], &[]),
        (vec![29, 30, 0, 31], &["u30", "u31"]),
        (vec![30, 1, 30, 1], &["u30"]),
    ] {
        let missing = ask(users, numbers.clone()).await?;
        demand!(missing == expected, "missing of {numbers:?}: expected {expected:?}, got {missing:?}");
    }
    // More than a database takes in one statement.
    let missing = ask(users, (0..3000).collect()).await?;
    demand!(missing.len() == 2970, "missing of 3000, of which 30 are there: got {}", missing.len());
    let missing = ask(trial.groups()?, vec![3]).await?;
    demand!(missing == ["u3"], "missing of a user among groups: expected it to be missing, got {missing:?}");
    Ok(())
}

/// What a change refers to is there, each of one of the types named, however much it is; otherwise the change is
/// refused with the first that is not there, and nothing is written.
pub async fn what_is_referred_to_must_be_there<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let (users, groups) = (trial.users()?, trial.groups()?);
    for number in 0..30 {
        trial.create(users, &user(&format!("u{number}"), &format!("name{number}"))).await?;
    }
    trial.create(trial.scope(CONTRACTOR)?, &user("c", "contractor")).await?;
    trial.create(groups, &group("nested", &[])).await?;
    let many: Vec<String> = (0..600).map(|number| format!("u{}", number % 30)).collect();
    let mut many: Vec<&str> = many.iter().map(String::as_str).collect();
    many.push("nested");
    let first = group("first", &["u1", "u2", "nested"]);
    let create = |group| Modification::Create { resource: group, unique: &[] };
    let created = trial.try_referring(groups, create(&first), &many).await;
    let created = created.map_err(|error| failed("create", "first", &error))?;
    demand!(created == Modified::Changed(Some(Version(1))), "the group was created, and told is {created:?}");

    let (second, next) = (group("second", &["u1"]), in_version(&group("first", &["u1"]), 2));
    let change = of_members(&["u2"], &["u3"]);
    let update = Update { change: &change, unique: None, last_modified: LATER, members: None };
    let id = ResourceId::new("first");
    let mut late = many.clone();
    late.insert(550, "u31");
    for (referred, absent) in [
        (&["u30"][..], "u30"),
        (&["u1", "u31", "u30"], "u31"),
        (&["nested", "c"], "c"),
        (&["U1"], "U1"),
        (&["nested", "first", "second"], "second"),
        (&late, "u31"),
    ] {
        for (call, modification) in [
            ("create", create(&second)),
            ("replace", Modification::Replace { resource: &next, unique: &[], expected: Version(1) }),
            ("apply", Modification::Apply { id: &id, update: &update, expected: Some(Version(1)) }),
            ("apply to any version", Modification::Apply { id: &id, update: &update, expected: None }),
        ] {
            let shown: Vec<&&str> = referred.iter().take(5).collect();
            let call = format!("{call} that refers to {shown:?} and so on");
            dangling(&call, trial.try_referring(groups, modification, referred).await, absent)?;
        }
        trial.is_absent(groups, "second").await?;
        trial.is_stored(groups, &first).await?;
    }
    let changed = Modification::Apply { id: &id, update: &update, expected: None };
    let changed = trial.try_referring(groups, changed, &["u3", "first", "u3"]).await;
    let changed = changed.map_err(|error| failed("apply", "first", &error))?;
    demand!(changed == Modified::Changed(Some(Version(2))), "the group was changed, and told is {changed:?}");
    Ok(())
}

/// A user in the second version.
async fn twice_written<S: Store>(trial: &Trial<S>) -> Result<Resource, Broken> {
    let users = trial.users()?;
    trial.create(users, &user("1", "ann")).await?;
    let now = in_version(&user("1", "anna"), 2);
    trial.replace(users, &now, Version(1)).await?;
    Ok(now)
}

fn titled(title: &str) -> Change {
    Change { writes: vec![write("title", Some(title.into()))], ..Change::default() }
}

/// A change that removes and adds members.
pub(super) fn of_members(removed: &[&str], added: &[&str]) -> Change {
    let delta = Delta {
        attribute: "members".into(),
        removed: removed.iter().map(|id| (*id).into()).collect(),
        added: members(added),
        ..Delta::default()
    };
    Change { deltas: vec![delta], ..Change::default() }
}

pub(super) fn members(ids: &[&str]) -> Vec<crate::Value> {
    ids.iter().map(|id| json!({"value": id}).into()).collect()
}

/// A user in its first version.
pub(super) fn user(id: &str, name: &str) -> Resource {
    resource(json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": id,
        "userName": name,
        "meta": {"resourceType": "User", "lastModified": crate::testkit::trial::FIRST, "version": "W/\"1\""},
    }))
}

/// A group in its first version.
pub(super) fn group(id: &str, ids: &[&str]) -> Resource {
    let mut group = resource(json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "id": id,
        "displayName": "Staff",
        "meta": {"resourceType": "Group", "lastModified": crate::testkit::trial::FIRST, "version": "W/\"1\""},
    }));
    if !ids.is_empty() {
        group.0.insert("members", members(ids));
    }
    group
}
