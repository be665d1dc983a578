//! What is kept of members, what is told of resources by their types, and members that are read in pieces.

use serde_json::json;

use super::write::{group, user};
use crate::patch::{Change, Delta};
use crate::pieces::Pieces;
use crate::projection::Projection;
use crate::store::{Applied, Scope, Store, StoreError};
use crate::testkit::trial::{CONTRACTOR, failed, in_version, same_but_meta};
use crate::testkit::{Broken, Trial, demand};
use crate::{Resource, ResourceId, Value, Version};

/// A member is kept with the `type` that it is given, whatever that is, or with none. Of which type a member is the
/// service finds out; what it writes is what it, and its filters, must find.
pub async fn members_keep_the_type_they_are_given<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let groups = trial.groups()?;
    let before = with_members(json!([
        {"value": "1", "type": "User"}, {"value": "2", "type": "Group"}, {"value": "3"},
        {"value": "4", "type": "robot", "display": "R"}, {"value": "5", "type": CONTRACTOR},
    ]));
    trial.create(groups, &before).await?;
    same_but_meta("read of the members", &trial.stored(groups, "g").await?, &before)?;
    for (filter, found) in [
        ("members[value eq \"4\" and type eq \"robot\"]", &["g"][..]),
        ("members[value eq \"1\" and type eq \"Group\"]", &[]),
        ("members[value eq \"3\" and not (type pr)]", &["g"]),
        ("members[type eq \"Machine\"]", &[]),
    ] {
        trial.finds(groups, filter, found).await?;
    }
    let added = json!([
        {"value": "4", "type": "Machine"}, {"value": "6", "type": "Group"}, {"value": "7"},
    ]);
    let delta = Delta {
        attribute: "members".into(),
        removed: vec!["2".into(), "4".into()],
        added: Value::from(added).values().to_vec(),
        ..Delta::default()
    };
    let change = Change { deltas: vec![delta], ..Change::default() };
    let applied = trial.apply(groups, &before, &change, Version(1)).await?;
    demand!(applied == Applied::Changed(Version(2)), "apply of members with types: got {applied:?}");
    let after = with_members(json!([
        {"value": "1", "type": "User"}, {"value": "3"}, {"value": "5", "type": CONTRACTOR},
        {"value": "4", "type": "Machine"}, {"value": "6", "type": "Group"}, {"value": "7"},
    ]));
    same_but_meta("read after members came", &trial.stored(groups, "g").await?, &after)?;
    trial.finds(groups, "members[type eq \"Machine\"]", &["g"]).await?;

    let others = with_members(
        json!([{"value": "1", "type": "robot"}, {"value": "3", "type": "User"}, {"value": "6"}]),
    );
    trial.replace(groups, &in_version(&others, 3), Version(2)).await?;
    same_but_meta("read after a replacement", &trial.stored(groups, "g").await?, &others)
}

/// Of the resources of one type those are missing that are of another, whose schema may be the same; so the service
/// learns of which type a member is.
pub async fn missing_tells_types_apart<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let (users, groups, contractors) = (trial.users()?, trial.groups()?, trial.scope(CONTRACTOR)?);
    for (scope, resource) in
        [(users, user("u", "ann")), (groups, group("g", &["u"])), (contractors, user("c", "cyd"))]
    {
        trial.create(scope, &resource).await?;
    }
    let missing = async |scope| {
        let ids = ["u", "g", "c", "nobody"].map(ResourceId::new).to_vec();
        let missing = trial.store().missing(scope, ids).await;
        let missing = missing.map_err(|error| failed("missing", "", &error))?;
        let mut missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
        missing.sort();
        Ok::<_, Broken>(missing)
    };
    for (scope, expected) in [
        (users, &["c", "g", "nobody"][..]),
        (groups, &["c", "nobody", "u"]),
        (contractors, &["g", "nobody", "u"]),
    ] {
        let of = scope.schema.name();
        let found = missing(scope).await?;
        demand!(found == expected, "missing of type `{of}`: expected {expected:?}, got {found:?}");
    }
    Ok(())
}

/// Of a group that is deleted while its members are read in pieces, either all members are given that it had, or the
/// next piece is an error: a part is never taken for the whole.
pub async fn what_is_deleted_meanwhile_is_not_read_in_part<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let (groups, many) = (trial.groups()?, trial.cases(2500));
    let ids: Vec<String> = (0..many).map(|number| format!("u{number}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    for before in 0..3 {
        let id = format!("g{before}");
        trial.create(groups, &group(&id, &ids)).await?;
        let mut undisturbed = Reading::begin(trial, groups, &id).await?;
        while undisturbed.next().await.map_err(|error| failed("read of the next piece", &id, &error))? {}
        let whole = undisturbed.members;
        let mut reading = Reading::begin(trial, groups, &id).await?;
        for _ in 0..before {
            reading.next().await.map_err(|error| failed("read of the next piece", &id, &error))?;
        }
        trial.delete(groups, &id).await?;
        let broke_off = loop {
            match reading.next().await {
                Ok(true) => {}
                Ok(false) => break false,
                Err(_) => break true,
            }
        };
        let read = reading.members;
        demand!(
            broke_off || read == whole,
            "`{id}` was deleted behind {before} pieces: {read} of {whole} members were read, and no error"
        );
    }
    Ok(())
}

/// How many members were read of a group in pieces.
struct Reading {
    pieces: Pieces,
    members: usize,
}

impl Reading {
    async fn begin<S: Store>(trial: &Trial<S>, scope: Scope<'_>, id: &str) -> Result<Self, Broken> {
        let broken = |error: StoreError| failed("read in pieces", id, &error);
        let pieces = trial.store().read_in_pieces(scope, &ResourceId::new(id), &Projection::default()).await;
        let pieces = pieces.map_err(broken)?;
        let mut pieces = pieces.ok_or_else(|| Broken::new(format!("read in pieces of `{id}`: not found")))?;
        pieces.rest.retain(|rest| rest.attribute.eq_ignore_ascii_case("members"));
        let group = pieces.resource.resource().map_err(broken)?;
        let there = group.get("members").map_or(0, |members| members.values().len());
        drop(group);
        Ok(Self { pieces, members: there })
    }

    /// Reads the next piece; whether there was one.
    async fn next(&mut self) -> Result<bool, StoreError> {
        let Some(rest) = self.pieces.rest.first_mut() else { return Ok(false) };
        let some = rest.values.next().await?;
        self.members += some.len();
        Ok(!some.is_empty())
    }
}

fn with_members(members: serde_json::Value) -> Resource {
    let mut group = group("g", &[]);
    group.0.insert("members", Value::from(members));
    group
}
