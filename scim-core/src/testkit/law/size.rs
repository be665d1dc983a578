//! Groups with more members than a statement has parameters.

use std::collections::BTreeSet;

use super::write::{group, of_members};
use crate::projection::Projection;
use crate::store::{Applied, Scope, Store};
use crate::testkit::trial::in_version;
use crate::testkit::{Broken, Trial, demand};
use crate::{Value, Version};

/// A group of thousands of members is created, read and replaced as a small one is.
pub async fn a_large_group_is_kept<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let (groups, many) = (trial.groups()?, trial.cases(MANY));
    let all = ids(0..many);
    trial.create(groups, &group("g", &refs(&all))).await?;
    has(trial, groups, 0..many).await?;
    let half = ids(many / 2..many + 10);
    trial.replace(groups, &in_version(&group("g", &refs(&half)), 2), Version(1)).await?;
    has(trial, groups, many / 2..many + 10).await?;
    trial.finds(groups, &format!("members.value eq \"u{}\"", many + 9), &["g"]).await?;
    trial.finds(groups, "members.value eq \"u0\"", &[]).await?;
    let read = trial.read_with(groups, "g", &Projection::without("members")).await?;
    demand!(read.is_some(), "read of `g` without members: not found");
    trial.delete(groups, "g").await?;
    trial.is_absent(groups, "g").await
}

/// Thousands of members are added and removed in one change.
pub async fn a_large_group_is_changed_by_members<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let (groups, many) = (trial.groups()?, trial.cases(MANY));
    let empty = group("g", &[]);
    trial.create(groups, &empty).await?;
    let all = ids(0..many);
    let half_of_them = ids(many / 2..many + many / 2);
    let mut version = 1;
    for (removed, added, left) in [
        (&[][..], &all[..], 0..many),
        (&[], &half_of_them, 0..many + many / 2),
        (&all, &[], many..many + many / 2),
    ] {
        let change = of_members(&refs(removed), &refs(added));
        let applied = trial.apply(groups, &empty, &change, Version(version)).await?;
        version += 1;
        let should = Applied::Changed(Version(version));
        demand!(applied == should, "apply of thousands of members: got {applied:?}");
        has(trial, groups, left).await?;
    }
    let (removed, added) = ([format!("u{}", many + 7)], ["new".to_owned()]);
    trial.apply(groups, &empty, &of_members(&refs(&removed), &refs(&added)), Version(version)).await?;
    let found = trial.stored(groups, "g").await?;
    let members = found.get("members").and_then(Value::as_array).unwrap_or_default();
    demand!(members.len() == many / 2, "one member for another: {} are there", members.len());
    Ok(())
}

/// The group has these members, each once.
async fn has<S: Store>(
    trial: &Trial<S>,
    scope: Scope<'_>,
    numbers: std::ops::Range<usize>,
) -> Result<(), Broken> {
    let stored = trial.stored(scope, "g").await?;
    let members = stored.get("members").and_then(Value::as_array).unwrap_or_default();
    let values: BTreeSet<String> =
        members.iter().filter_map(|member| member.get("value")?.as_str()).map(str::to_owned).collect();
    let expected: BTreeSet<String> = ids(numbers).into_iter().collect();
    demand!(members.len() == expected.len(), "expected {} members, got {}", expected.len(), members.len());
    demand!(values == expected, "the members are as many as expected, and others");
    Ok(())
}

fn ids(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("u{number}")).collect()
}

fn refs(ids: &[String]) -> Vec<&str> {
    ids.iter().map(String::as_str).collect()
}

/// A row of a member has seven or eight columns, and a statement of PostgreSQL 65,535 parameters.
const MANY: usize = 10_000;
