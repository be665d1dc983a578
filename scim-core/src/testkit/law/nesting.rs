//! That no group comes to be in itself, where none may.

use super::write::{group, of_members};
use crate::store::{Modification, Modified, Scope, Store, StoreError, Update};
use crate::testkit::trial::{LATER, circle, failed, in_version};
use crate::testkit::{Broken, Trial, demand};
use crate::{ResourceId, Version};

/// No group comes to be in itself where none may: neither by who is above it directly or at the end of a long chain, nor
/// where there are circles already, however it is written; who is below it, beside it or above it in another tenant may
/// be a member. It is the law of stores that [look for circles](Store::checks_circles).
pub async fn no_group_comes_to_be_in_itself<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    if !trial.store().checks_circles() {
        return Ok(());
    }
    let groups = trial.groups()?;
    let tenant = trial.tenant(" other");
    let last = format!("g{}", trial.cases(LEVELS));
    // `g0` is in `g1`, which is in `g2`, and so on; the last is in two that are in one another, and so is `new`.
    trial.create(groups, &group("g0", &[])).await?;
    for number in 1..=trial.cases(LEVELS) {
        trial.create(groups, &group(&format!("g{number}"), &["u", &format!("g{}", number - 1)])).await?;
    }
    trial.create(groups, &group("t1", &[&last, "t2"])).await?;
    trial.create(groups, &group("t2", &["t1", "new"])).await?;
    trial.create(groups, &group("beside", &[])).await?;
    trial.create(Scope { tenant: &tenant, ..groups }, &group("beside", &["g0"])).await?;

    for (added, above) in [
        (&["g1"][..], "g1"),
        (&["beside", &last], &last),
        (&["beside", "t2"], "t2"),
        (&["t1"], "t1"),
        (&["beside", "g0"], "g0"),
    ] {
        for way in [REPLACE, APPLY, APPLY_TO_ANY] {
            let call = format!("a write of `g0` ({way}) that adds {added:?}");
            circle(&call, nest(trial, groups, "g0", added, way).await, above)?;
            trial.is_stored(groups, &group("g0", &[])).await?;
        }
    }
    let new = group("new", &["beside", "t1"]);
    let create = Modification::Create { resource: &new, unique: &[] };
    circle("create", trial.try_nesting(groups, create, &["beside", "t1"]).await, "t1")?;
    trial.is_absent(groups, "new").await?;

    for (id, added, way) in [
        ("g0", "beside", REPLACE),
        (&*last, "beside", APPLY),
        ("t2", "g0", APPLY_TO_ANY),
        ("t1", "nobody", APPLY),
    ] {
        let made = nest(trial, groups, id, &[added], way).await;
        let made = made.map_err(|error| failed("a write without a circle", id, &error))?;
        demand!(
            made == Modified::Changed(Some(Version(2))),
            "`{added}` was added to `{id}`, told is {made:?}"
        );
    }
    let new = group("new", &["g0"]);
    let create = Modification::Create { resource: &new, unique: &[] };
    let made = trial.try_nesting(groups, create, &["g0"]).await;
    made.map_err(|error| failed("create", "new", &error)).map(drop)
}

/// Of changes at the same time that would close a circle together all are made but one, which is refused.
pub async fn no_circle_is_closed_together<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    if !trial.store().checks_circles() {
        return Ok(());
    }
    for round in 0..trial.cases(ROUNDS) {
        let ring: Vec<String> = (0..2 + round % 3).map(|number| format!("g{round}-{number}")).collect();
        for id in &ring {
            trial.create(trial.groups()?, &group(id, &[])).await?;
        }
        let made = trial.together(ring.len(), |number, trial| {
            let id = ring.get(number).cloned().unwrap_or_default();
            let member = ring.get((number + 1) % ring.len()).cloned().unwrap_or_default();
            async move {
                let way = if number % 2 == 0 { APPLY } else { APPLY_TO_ANY };
                match nest(&trial, trial.groups()?, &id, &[&member], way).await {
                    Ok(_) => Ok(true),
                    Err(StoreError::Circle(above)) if above.as_str() == member => Ok(false),
                    Err(error) => Err(failed("a write of a group", &id, &error)),
                }
            }
        });
        let made = made.await?.into_iter().filter(|made| *made).count();
        let all = ring.len();
        demand!(made == all - 1, "of {all} changes that close a circle together, {made} were made");
    }
    Ok(())
}

/// Adds groups to a group in its first version.
async fn nest<S: Store>(
    trial: &Trial<S>,
    groups: Scope<'_>,
    id: &str,
    added: &[&str],
    way: &str,
) -> Result<Modified, StoreError> {
    let next = in_version(&group(id, added), 2);
    let change = of_members(&[], added);
    let update = Update { change: &change, unique: None, last_modified: LATER, members: None };
    let id = ResourceId::new(id);
    let modification = match way {
        REPLACE => Modification::Replace { resource: &next, unique: &[], expected: Version(1) },
        APPLY => Modification::Apply { id: &id, update: &update, expected: Some(Version(1)) },
        _ => Modification::Apply { id: &id, update: &update, expected: None },
    };
    trial.try_nesting(groups, modification, added).await
}

const REPLACE: &str = "replace";
const APPLY: &str = "apply";
const APPLY_TO_ANY: &str = "apply to any version";
/// More groups are in one another than a search for `groups` goes up by default.
const LEVELS: usize = 40;
const ROUNDS: usize = 30;
