//! Writers at the same time: nothing is lost, nothing is had twice, nothing is half there.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use serde_json::json;

use super::write::{group, of_members, user};
use crate::patch::Change;
use crate::projection::Projection;
use crate::store::{Applied, Modification, ResourceHold, Store, StoreError, Terms};
use crate::testkit::random::write;
use crate::testkit::trial::{everything, failed, in_version, total};
use crate::testkit::{BoxFuture, Broken, Trial, demand};
use crate::validate::unique_keys;
use crate::{Resource, ResourceId, Value, Version};

/// Of creates at the same time with one unique value, in whatever case, one succeeds.
pub async fn of_concurrent_creates_with_one_value_one_succeeds<S: Store>(
    trial: &Trial<S>,
) -> Result<(), Broken> {
    for round in 0..5 {
        let created = trial
            .together(WRITERS, move |number, trial| async move {
                let name = if number % 2 == 0 { format!("Ann{round}") } else { format!("aNN{round}") };
                let user = user(&format!("{round}-{number}"), &name);
                match trial.try_create(trial.users()?, &user).await {
                    Ok(()) => Ok(true),
                    Err(StoreError::Conflict { attribute }) if attribute == "userName" => Ok(false),
                    Err(error) => Err(failed("create", &name, &error)),
                }
            })
            .await?;
        let succeeded = created.iter().filter(|created| **created).count();
        demand!(succeeded == 1, "{succeeded} of {WRITERS} creates with the same userName succeeded");
        let total = total(&trial.query(trial.users()?, &everything()).await?)?;
        demand!(total == round + 1, "{} users were created, and {total} are listed", round + 1);
    }
    Ok(())
}

/// Of creates at the same time with one `id`, one succeeds.
pub async fn of_concurrent_creates_with_one_id_one_succeeds<S: Store>(
    trial: &Trial<S>,
) -> Result<(), Broken> {
    for round in 0..5 {
        let created = trial
            .together(WRITERS, move |number, trial| async move {
                let user = user(&round.to_string(), &format!("ann{round}-{number}"));
                match trial.try_create(trial.users()?, &user).await {
                    Ok(()) => Ok(Some(user)),
                    Err(StoreError::Conflict { attribute }) if attribute == "id" => Ok(None),
                    Err(error) => Err(failed("create", "one id", &error)),
                }
            })
            .await?;
        let created: Vec<Resource> = created.into_iter().flatten().collect();
        let [created] = &created[..] else {
            return Err(Broken::new(format!("{} creates with the same id succeeded", created.len())));
        };
        trial.is_stored(trial.users()?, created).await?;
    }
    Ok(())
}

/// Of writes at the same time that were made for one version, one succeeds, and the others are told
/// that the version is another, or the resource gone.
pub async fn of_concurrent_writes_on_one_version_one_succeeds<S: Store>(
    trial: &Trial<S>,
) -> Result<(), Broken> {
    for round in 0..8 {
        let id = format!("g{round}");
        trial.create(trial.groups()?, &group(&id, &["1"])).await?;
        let succeeded = trial
            .together(WRITERS, move |number, trial| async move {
                let (scope, current) = (trial.groups()?, group(&format!("g{round}"), &["1"]));
                let mine = format!("writer{number}");
                let result = match number % 4 {
                    0 => {
                        let next = in_version(&group(&format!("g{round}"), &[&mine]), 2);
                        trial.try_replace(scope, &next, Version(1)).await
                    }
                    1 if round % 2 == 0 => {
                        trial.try_delete(scope, &format!("g{round}"), Some(Version(1))).await
                    }
                    2 => {
                        let write = write("displayName", Some(mine.as_str().into()));
                        let change = Change { writes: vec![write], ..Change::default() };
                        trial.try_apply(scope, &current, &change, Version(1)).await.map(drop)
                    }
                    _ => {
                        let change = of_members(&["1"], &[&mine]);
                        trial.try_apply(scope, &current, &change, Version(1)).await.map(drop)
                    }
                };
                match result {
                    Ok(()) => Ok(Some((number, mine))),
                    Err(StoreError::VersionMismatch) => Ok(None),
                    Err(StoreError::NotFound) if round % 2 == 0 => Ok(None),
                    Err(error) => Err(failed("a write on one version", "g", &error)),
                }
            })
            .await?;
        let succeeded: Vec<_> = succeeded.into_iter().flatten().collect();
        let [(number, mine)] = &succeeded[..] else {
            return Err(Broken::new(format!(
                "{} of {WRITERS} writes on one version succeeded",
                succeeded.len()
            )));
        };
        if number % 4 == 1 && round % 2 == 0 {
            trial.is_absent(trial.groups()?, &id).await?;
            continue;
        }
        let stored = trial.stored(trial.groups()?, &id).await?;
        demand!(
            stored.version() == Some(Version(2)) && stored.0.to_string().contains(mine),
            "{mine} succeeded, and what is stored is {}",
            stored.0
        );
    }
    Ok(())
}

/// Writers that each read the version, change it, and try again when another came first, lose no
/// change: every member is there, and every change has its version.
pub async fn no_change_is_lost<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    all_are_made(trial, false).await
}

/// Writers that each add and remove members on whatever version there is lose no change either.
pub async fn no_change_on_any_version_is_lost<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    all_are_made(trial, true).await
}

async fn all_are_made<S: Store>(trial: &Trial<S>, on_any_version: bool) -> Result<(), Broken> {
    const ROUNDS: usize = 6;
    trial.create(trial.groups()?, &group("g", &["first"])).await?;
    trial
        .together(WRITERS, move |number, trial| async move {
            for round in 0..ROUNDS {
                let member = format!("{number}-{round}");
                changed(&trial, &of_members(&[], &[&member]), on_any_version).await?;
                if round % 2 == 1 {
                    changed(&trial, &of_members(&[&member], &[]), on_any_version).await?;
                }
            }
            Ok(())
        })
        .await?;
    let stored = trial.stored(trial.groups()?, "g").await?;
    let members = stored.get("members").and_then(Value::as_array).unwrap_or_default();
    let mut found: Vec<String> =
        members.iter().filter_map(|member| Some(member.get("value")?.as_str()?.to_owned())).collect();
    found.sort();
    let mut expected: Vec<String> = (0..WRITERS)
        .flat_map(|number| (0..ROUNDS).step_by(2).map(move |round| format!("{number}-{round}")))
        .collect();
    expected.push("first".to_owned());
    expected.sort();
    demand!(found == expected, "expected the members {expected:?}, got {found:?}");
    let changes = (WRITERS * (ROUNDS + ROUNDS / 2)) as u64;
    let version = stored.version();
    demand!(version == Some(Version(1 + changes)), "after {changes} changes the version is {version:?}");
    Ok(())
}

/// Makes `change` of the group `g`, on the newest version or on whatever there is, however often
/// another writer comes first.
pub(super) async fn changed<S: Store>(
    trial: &Trial<S>,
    change: &Change,
    on_any_version: bool,
) -> Result<(), Broken> {
    let groups = trial.groups()?;
    for _ in 0..10_000 {
        let applied = if on_any_version {
            trial.try_apply_to_any(groups, "g", change).await
        } else {
            let current = trial.read_with(groups, "g", &Projection::without("members")).await?;
            let current = current.ok_or_else(|| Broken::new("the group is gone"))?;
            let version = current.version().ok_or_else(|| Broken::new("a read without `meta.version`"))?;
            trial.try_apply(groups, &current, change, version).await
        };
        match applied {
            Ok(Applied::Changed(_)) => return Ok(()),
            Ok(Applied::Unchanged(_)) => return Err(Broken::new(format!("{change:?} changed nothing"))),
            Err(StoreError::VersionMismatch) => {}
            Err(error) => return Err(failed("apply", "g", &error)),
        }
    }
    Err(Broken::new("a writer never came first, in 10,000 attempts"))
}

/// Where a store [holds](Store::hold) a resource, other writes of it come after the one that is made with the hold, or
/// once that is dropped; and then they are made.
pub async fn who_holds_a_resource_writes_it_first<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    for (id, writes) in [("written", true), ("let go of", false)] {
        trial.create(trial.groups()?, &group(id, &["first"])).await?;
        let hold = trial.store().hold(trial.groups()?, &ResourceId::new(id)).await;
        let hold = hold.map_err(|error| failed("hold", id, &error))?;
        if !hold.is_held() {
            return Ok(());
        }
        let hold = Arc::new(Mutex::new(Some(hold)));
        trial
            .together(WRITERS, move |number, trial| {
                let held = if number == 0 { lock(&hold).take() } else { None };
                async move {
                    match held {
                        Some(hold) => write_held(&trial, id, &hold, writes).await,
                        None => {
                            let change = of_members(&[], &[&number.to_string()]);
                            let applied = trial.try_apply_to_any(trial.groups()?, id, &change).await;
                            applied.map(drop).map_err(|error| failed("apply", id, &error))
                        }
                    }
                }
            })
            .await?;
        let stored = trial.stored(trial.groups()?, id).await?;
        let members = stored.get("members").and_then(Value::as_array).unwrap_or_default().len();
        let changes = WRITERS as u64 - u64::from(!writes);
        let expected = (WRITERS + usize::from(writes), Some(Version(1 + changes)));
        let found = (members, stored.version());
        demand!(found == expected, "expected so many members and this version: {expected:?}, got {found:?}");
    }
    Ok(())
}

/// Looks at the group, lets others run, and adds somebody to it as it was.
async fn write_held<S: Store>(
    trial: &Trial<S>,
    id: &str,
    hold: &ResourceHold,
    writes: bool,
) -> Result<(), Broken> {
    let groups = trial.groups()?;
    let seen = trial.stored(groups, id).await?;
    for _ in 0..20 {
        let mut ran = false;
        poll_fn(|context| match std::mem::replace(&mut ran, true) {
            true => Poll::Ready(()),
            false => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
        })
        .await;
        let now = trial.stored(groups, id).await?;
        demand!(now.version() == seen.version(), "`{id}` is held, and another has written it");
    }
    if !writes {
        return Ok(());
    }
    let resource = in_version(&group(id, &["first", "held"]), 2);
    let unique = unique_keys(groups.schema, &resource);
    let replace = Modification::Replace { resource: &resource, unique: &unique, expected: Version(1) };
    let terms = Terms { hold: Some(hold), ..Terms::default() };
    let made = trial.store().modify(groups, replace, terms).await;
    made.map(drop).map_err(|error| failed("a write that is made with the hold", id, &error))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is read is the resource as one write left it: attributes, members and version belong
/// together, also while it is written.
pub async fn a_read_is_of_one_version<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    const VERSIONS: u64 = 60;
    trial.create(trial.groups()?, &marked(1)).await?;
    let writer = trial.clone();
    let mut tasks: Vec<BoxFuture<'static, Result<(), Broken>>> = vec![Box::pin(async move {
        for version in 2..=VERSIONS {
            writer.replace(writer.groups()?, &marked(version), Version(version - 1)).await?;
        }
        Ok(())
    })];
    for number in 0..3 {
        let reader = trial.clone();
        tasks.push(Box::pin(async move {
            for _ in 0..60 {
                let found = match number {
                    0 => vec![reader.stored(reader.groups()?, "g").await?],
                    _ => reader.query(reader.groups()?, &everything()).await?.resources,
                };
                let [found] = &found[..] else {
                    return Err(Broken::new(format!("a list of one group has {}", found.len())));
                };
                let version = found.version().unwrap_or(Version(0)).0;
                crate::testkit::trial::same("a read while the group is written", found, &marked(version))?;
            }
            Ok(())
        }));
    }
    trial.all(tasks).await
}

/// A group all of whose parts name its version.
fn marked(version: u64) -> Resource {
    let members: Vec<String> = (0..5).map(|number| format!("v{version}-{number}")).collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    let mut group = in_version(&group("g", &members), version);
    group.0.insert("displayName", json!(format!("v{version}")));
    group
}

/// Writers at the same time.
const WRITERS: usize = 8;
