//! What only the store knows of a change.

use std::collections::BTreeSet;

use serde_json::json;

use super::write::{group, members, of_members};
use crate::audit::{MembersChanged, MembersNamed};
use crate::patch::{Change, Delta};
use crate::store::{Applied, ChangedMembers, Deletion, Store, Update};
use crate::testkit::trial::{LATER, failed};
use crate::testkit::{Broken, Trial, demand};
use crate::{Resource, ResourceId, Value, Version};

/// Who goes and who comes by a change of a group, and by its deletion, is noted: all are counted, and of many
/// the first are named. Who stays as it was is not among them, nor is who was to go and was not there.
pub async fn who_goes_and_comes_is_noted<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let groups = trial.groups()?;
    trial.create(groups, &group("others", &["1", "2", "4"])).await?;
    let mut staff = group("staff", &["1", "2", "3"]);
    trial.create(groups, &staff).await?;
    let other = Value::from(json!({"value": "2", "display": "Bob"}));
    for (change, removed, added) in [
        (of_members(&["1", "9"], &["3", "4"]), &["1"][..], &["4"][..]),
        (replacing(members(&["2", "5"])), &["3", "4"], &["5"]),
        // Who stays otherwise goes and comes.
        (replacing([vec![other.clone()], members(&["5"])].concat()), &["2"], &["2"]),
        (replacing([vec![other], members(&["5", "6"])].concat()), &[], &["6"]),
        (of_members(&["6", "2"], &[]), &["2", "6"], &[]),
        (replacing(Vec::new()), &["5"], &[]),
        (replacing(members(&["1", "2"])), &[], &["1", "2"]),
    ] {
        let told = changed(trial, &mut staff, &change).await?;
        are("who went", &change, &told.removed, removed)?;
        are("who came", &change, &told.added, added)?;
    }
    let told = deleted(trial, "staff").await?;
    are("who went", &"the deletion", &told.removed, &["1", "2"])?;
    are("who came", &"the deletion", &told.added, &[])?;

    // In a first look no group is large.
    let many = MembersChanged::MOST * trial.cases(10) / 9;
    let ids: Vec<String> = (0..many).map(|number| format!("u{number}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut all = group("all", &ids);
    trial.create(groups, &all).await?;
    let told = changed(trial, &mut all, &replacing(members(&["u3", "new"]))).await?;
    are_first("a replacement of many", &told.removed, many - 1, &ids)?;
    are("who came", &"one for many", &told.added, &["new"])?;
    let told = changed(trial, &mut all, &of_members(&[], &ids)).await?;
    are_first("many more", &told.added, many - 1, &ids)?;
    let told = changed(trial, &mut all, &of_members(&ids, &[])).await?;
    are_first("many less", &told.removed, many, &ids)?;
    changed(trial, &mut all, &of_members(&["new"], &ids)).await?;
    let told = deleted(trial, "all").await?;
    are_first("the deletion of many", &told.removed, many, &ids)?;
    trial.is_stored(groups, &group("others", &["1", "2", "4"])).await
}

/// Makes the change on the group as it is, and on what is known of it.
async fn changed<S: Store>(
    trial: &Trial<S>,
    group: &mut Resource,
    change: &Change,
) -> Result<MembersChanged, Broken> {
    let id = group.id().ok_or_else(|| Broken::new("a group without id"))?;
    let noted = ChangedMembers::default();
    let update = Update { change, unique: None, last_modified: LATER, members: Some(&noted) };
    let version = group.version().unwrap_or(Version(1));
    let applied = trial.store().apply(trial.groups()?, &id, &update, Some(version)).await;
    let applied = applied.map_err(|error| failed("apply", id.as_str(), &error))?;
    demand!(applied == Applied::Changed(version.next()), "apply of {change:?}: got {applied:?}");
    update.stamp(group, version);
    noted.told().ok_or_else(|| Broken::new(format!("apply of {change:?}: nothing is noted")))
}

async fn deleted<S: Store>(trial: &Trial<S>, id: &str) -> Result<MembersChanged, Broken> {
    let noted = ChangedMembers::default();
    let (scope, members) = (trial.groups()?, Some(&noted));
    let groups = trial.group_types(scope.schema);
    let deletion = Deletion { expected: None, groups: &groups, last_modified: LATER, left: None, members };
    let deleted = trial.store().delete(scope, &ResourceId::new(id), &deletion).await;
    deleted.map_err(|error| failed("delete", id, &error))?;
    noted.told().ok_or_else(|| Broken::new(format!("delete of `{id}`: nothing is noted")))
}

/// What makes these the members.
fn replacing(added: Vec<Value>) -> Change {
    let kept = vec!["type".into()];
    let delta = Delta { attribute: "members".into(), replace: true, kept, added, ..Delta::default() };
    Change { deltas: vec![delta], ..Change::default() }
}

/// Exactly these are noted.
fn are(
    who: &str,
    change: &dyn std::fmt::Debug,
    noted: &MembersNamed,
    expected: &[&str],
) -> Result<(), Broken> {
    let mut named: Vec<&str> = noted.first.iter().map(AsRef::as_ref).collect();
    named.sort_unstable();
    demand!(
        noted.count == expected.len() && named == expected,
        "{change:?}: expected {expected:?} to be noted as {who}, got {noted:?}"
    );
    Ok(())
}

/// So many are noted, and the first of them named, each once.
fn are_first(what: &str, noted: &MembersNamed, count: usize, all: &[&str]) -> Result<(), Broken> {
    demand!(noted.count == count, "{what}: expected {count} to be noted, got {}", noted.count);
    let named: BTreeSet<&str> = noted.first.iter().map(AsRef::as_ref).collect();
    let most = count.min(MembersChanged::MOST);
    demand!(
        named.len() == most && noted.first.len() == most,
        "{what}: expected {most} to be named, each once, got {} names of {} members",
        noted.first.len(),
        named.len()
    );
    let stranger = named.iter().find(|id| !all.contains(id));
    demand!(stranger.is_none(), "{what}: {stranger:?} is named");
    Ok(())
}
