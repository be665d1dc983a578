//! What is left when the database is killed under load.
//!
//! A store whose database a test can kill tells the kit how, by [`Crash`]; then
//! [`acknowledged_writes_survive`] writes to it from several tasks, kills it meanwhile, opens it
//! again, and compares what is there with what was acknowledged. A write without answer may have
//! been done or not, but not by half.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::join::join;
use super::trial::{everything, in_version, resource, same, total};
use super::{BoxFuture, Broken, Trial, demand};
use crate::patch::{Change, Delta};
use crate::projection::Projection;
use crate::store::{Store, StoreError};
use crate::testkit::random::write;
use crate::value::Value;
use crate::{Resource, Version};

/// A database that can be killed.
pub trait Crash: Sync {
    /// The store over it.
    type Store: Store;

    /// Opens the database as a program started again after a crash does; calls of the store made
    /// before fail.
    fn open(&self) -> impl Future<Output = Self::Store> + Send;

    /// Kills the database in the middle of what it does, without a chance to finish.
    fn crash(&self) -> impl Future<Output = ()> + Send;
}

/// What was acknowledged before each of `crashes` crashes is there after it, and nothing is half
/// there.
///
/// # Errors
///
/// How the store breaks this.
pub async fn acknowledged_writes_survive<C: Crash>(database: &C, crashes: usize) -> Result<(), Broken> {
    let mut clients: Vec<Client> =
        (0..CLIENTS).map(|number| Client { number, ..Client::default() }).collect();
    for round in 0..=crashes {
        let trial = Trial::new("crash", database.open().await);
        if round == 0 {
            trial.create(trial.groups()?, &group()).await?;
        }
        settle(&trial, &mut clients).await?;
        if round == crashes {
            break;
        }
        // Another moment of the work each time.
        let (acknowledged, enough) = (AtomicUsize::new(0), 60 + 37 * round);
        let mut tasks: Vec<BoxFuture<'_, Result<(), Broken>>> = Vec::new();
        for client in &mut clients {
            let (trial, acknowledged) = (trial.clone(), &acknowledged);
            tasks.push(Box::pin(async move {
                while client.write(&trial, acknowledged).await? {
                    demand!(
                        acknowledged.load(Ordering::Relaxed) < enough + 5_000,
                        "the database goes on acknowledging writes after it was killed"
                    );
                }
                Ok(())
            }));
        }
        let acknowledged = &acknowledged;
        tasks.push(Box::pin(async move {
            // Looked at again whenever a writer gets an answer.
            std::future::poll_fn(|_| match acknowledged.load(Ordering::Relaxed) >= enough {
                true => std::task::Poll::Ready(()),
                false => std::task::Poll::Pending,
            })
            .await;
            database.crash().await;
            Ok(())
        }));
        join(tasks).await.into_iter().collect::<Result<(), Broken>>()?;
    }
    Ok(())
}

/// A writer, and what it was told of the users it made: nobody else writes to them.
#[derive(Default)]
struct Client {
    number: usize,
    made: usize,
    users: BTreeMap<String, User>,
    /// The write whose answer never came.
    pending: Option<(String, Option<User>)>,
}

/// A user as it was acknowledged to be, and whether it is in the group.
#[derive(Clone, PartialEq)]
struct User {
    resource: Resource,
    is_member: bool,
}

impl Client {
    /// Makes one write after another of every kind; false once the database is gone.
    async fn write<S: Store>(
        &mut self,
        trial: &Trial<S>,
        acknowledged: &AtomicUsize,
    ) -> Result<bool, Broken> {
        let users = trial.users()?;
        self.made += 1;
        let id = format!("{}-{}", self.number, self.made);
        let mut user = User { resource: new_user(&id), is_member: false };
        let call = async { trial.try_create(users, &user.resource).await };
        if !self.done(&id, Some(&user), call, acknowledged).await? {
            return Ok(false);
        }
        let current = user.resource.clone();
        let change = Change {
            writes: vec![
                write("userName", Some(format!("renamed {id}").into())),
                write("title", Some("x".into())),
            ],
            ..Change::default()
        };
        change.apply(&mut user.resource);
        user.resource = in_version(&user.resource, 2);
        let call = async { trial.try_apply(users, &current, &change, Version(1)).await.map(drop) };
        if !self.done(&id, Some(&user), call, acknowledged).await? {
            return Ok(false);
        }
        user.is_member = true;
        let call = async { in_group(trial, &id, true).await };
        if !self.done(&id, Some(&user), call, acknowledged).await? {
            return Ok(false);
        }
        user.resource = in_version(&new_user(&id), 3);
        let call = async { trial.try_replace(users, &user.resource, Version(2)).await };
        if !self.done(&id, Some(&user), call, acknowledged).await? {
            return Ok(false);
        }
        if !self.made.is_multiple_of(3) {
            return Ok(true);
        }
        user.is_member = false;
        let call = async { in_group(trial, &id, false).await };
        if !self.done(&id, Some(&user), call, acknowledged).await? {
            return Ok(false);
        }
        let call = async { trial.try_delete(users, &id, Some(Version(3))).await };
        self.done(&id, None, call, acknowledged).await
    }

    /// Whether the write that makes the user `after` was acknowledged.
    async fn done(
        &mut self,
        id: &str,
        after: Option<&User>,
        call: impl Future<Output = Result<(), StoreError>>,
        acknowledged: &AtomicUsize,
    ) -> Result<bool, Broken> {
        self.pending = Some((id.to_owned(), after.cloned()));
        match call.await {
            Ok(()) => {}
            // The answer that a database is gone.
            Err(StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_) | StoreError::Internal(_)) => {
                return Ok(false);
            }
            Err(error) => return Err(super::trial::failed("a write", id, &error)),
        }
        self.pending = None;
        match after {
            Some(user) => drop(self.users.insert(id.to_owned(), user.clone())),
            None => drop(self.users.remove(id)),
        }
        acknowledged.fetch_add(1, Ordering::Relaxed);
        Ok(true)
    }
}

/// Adds the user to the group, on whatever version that has, or removes it, on the version read.
async fn in_group<S: Store>(trial: &Trial<S>, id: &str, is_member: bool) -> Result<(), StoreError> {
    let groups = trial.groups().map_err(|error| StoreError::Internal(error.into()))?;
    let mut delta = Delta { attribute: "members".into(), ..Delta::default() };
    match is_member {
        true => delta.added.push(json!({"value": id}).into()),
        false => delta.removed.push(id.into()),
    }
    let change = Change { deltas: vec![delta], ..Change::default() };
    loop {
        let applied = if is_member {
            trial.try_apply_to_any(groups, "all", &change).await
        } else {
            let (id, projection) = (crate::ResourceId::new("all"), Projection::without("members"));
            let current = trial.store().read(groups, &id, &projection).await?.ok_or(StoreError::NotFound)?;
            let version = current.version().ok_or(StoreError::NotFound)?;
            trial.try_apply(groups, &current, &change, version).await
        };
        match applied {
            Err(StoreError::VersionMismatch) => {}
            result => return result.map(drop),
        }
    }
}

/// Compares what is stored with what was acknowledged, and takes note of how the writes without
/// answer ended.
async fn settle<S: Store>(trial: &Trial<S>, clients: &mut [Client]) -> Result<(), Broken> {
    let (users, groups) = (trial.users()?, trial.groups()?);
    let stored = trial.stored(groups, "all").await?;
    let members = stored.get("members").and_then(Value::as_array).unwrap_or_default();
    let is_member =
        |id: &str| members.iter().any(|member| member.get("value").and_then(Value::as_str) == Some(id));
    let (mut known, mut known_members) = (0, 0);
    for client in clients {
        if let Some((id, after)) = client.pending.take() {
            let found = trial.read(users, &id).await?;
            let found = found.map(|resource| User { resource, is_member: is_member(&id) });
            let before = client.users.get(&id).cloned();
            demand!(
                found == before || found == after,
                "`{id}` is neither as it was nor as the write without answer would make it: {:?}",
                found.map(|user| user.resource.0.to_string())
            );
            match found {
                Some(user) => drop(client.users.insert(id, user)),
                None => drop(client.users.remove(&id)),
            }
        }
        for (id, user) in &client.users {
            let found = trial.read(users, id).await?;
            let found = found.ok_or_else(|| Broken::new(format!("`{id}` was acknowledged and is gone")))?;
            same(&format!("`{id}` after a crash"), &found, &user.resource)?;
            demand!(
                is_member(id) == user.is_member,
                "`{id}` is a member: {}, was told {}",
                is_member(id),
                user.is_member
            );
            let name = user.resource.get("userName").and_then(Value::as_str).unwrap_or_default();
            trial.finds(users, &format!("userName eq \"{name}\""), &[id]).await?;
            known_members += usize::from(user.is_member);
        }
        known += client.users.len();
    }
    let total = total(&trial.query(users, &everything()).await?)?;
    demand!(total == known, "{known} users were made, and {total} are there");
    demand!(
        members.len() == known_members,
        "{known_members} members were added, {} are there",
        members.len()
    );
    Ok(())
}

fn new_user(id: &str) -> Resource {
    resource(json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": id,
        "userName": format!("user {id}"),
        "meta": {"resourceType": "User", "version": "W/\"1\""},
    }))
}

/// The group all writers write to.
fn group() -> Resource {
    resource(json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "id": "all",
        "displayName": "All",
        "meta": {"resourceType": "Group", "version": "W/\"1\""},
    }))
}

const CLIENTS: usize = 4;
