//! POST, PUT and DELETE (RFC 7644 §3.3, §3.5.1, §3.6).
//!
//! Every write of an existing resource names the version it was made for, and the store compares
//! and swaps. A write that loses the race is made again from the newer version, unless the client
//! said by `If-Match` which version it means; after a few lost races it is made while no other request of this
//! service writes the resource ([`turns`](super::turns)), and those of other processes wait ([`Store::hold`]).

use http::StatusCode;

use super::read::version_of;
use super::references::Added;
use super::respond::{Failure, Reply};
use super::spans::{self, Step};
use super::turns::Turn;
use super::{Call, Operation, Service};
use crate::auth::Authenticator;
use crate::etag::{Preconditions, Unmet};
use crate::membership::drop_references;
use crate::patch::{self, Delta};
use crate::policy::{Admission, Policy, Write};
use crate::projection::Projection;
use crate::schema::ResourceSchema;
use crate::store::{Deletion, LeftGroups, Modification, ResourceHold, Store, StoreError, Terms, stamp};
use crate::validate::CanonicalValues;
use crate::value::{Object, Value};
use crate::{Error, Resource, ResourceId, Version, validate};

/// How one attempt at a write ended.
pub(super) enum Attempt {
    Done(Reply),
    /// Another write came first.
    Raced,
}

impl<S: Store, A: Authenticator, P: Policy> Service<S, A, P> {
    pub(super) async fn create(&self, mut call: Call<'_>, body: Value) -> Result<Reply, Failure> {
        call.begin(Operation::Create, None);
        let projection = call.projection()?.of_write(call.schema(), &body);
        let schema = call.schema();
        let valid = spans::step(Step::Validate, || validate::create(schema, body, &self.config.leniencies))?;
        call.outcome.note(&valid.leniencies);

        let id = (self.environment.new_id)();
        let now = self.now();
        let mut meta = Object::new();
        meta.insert("resourceType", schema.name());
        meta.insert("created", now.as_str());
        let mut resource = identified(valid.resource, &id, meta.into());
        self.pass_over(schema, &mut resource.0);
        stamp(&mut resource, &now, Version(1));

        let own = Own::of(&resource);
        let context = call.context.with_unassigned(&valid.unassigned);
        call.outcome.remark(self.policy.remarks(&context, Write::Create, &resource));
        let admission = self.policy.admit(&context, Write::Create, &mut resource)?;
        own.restore(&mut resource);
        if admission == Admission::Delete {
            return Ok(Reply::empty(StatusCode::NO_CONTENT));
        }
        validate::settle_schemas(schema, &mut resource);
        validate::check(schema, &resource)?;
        let added = self.added(&call, None, &mut resource).await?;
        self.check_canonical(schema, None, &resource, &[])?;
        let unique = validate::unique_keys(schema, &resource);
        let created = Modification::Create { resource: &resource, unique: &unique };
        self.make(call.scope(), created, added.terms(), None, Some(StatusCode::CREATED), call.outcome)
            .await?;
        let resource = self.completed(&call, &id, resource).await?;
        call.outcome.resource = Some(id);
        // Where members are checked, nothing can be a member before it is there.
        match self.config.check_members {
            true => self.reply_as_it_is(StatusCode::CREATED, &call.context, resource, &projection),
            false => self.reply(StatusCode::CREATED, &call.context, resource, &projection).await,
        }
    }

    pub(super) async fn replace(
        &self,
        mut call: Call<'_>,
        id: &ResourceId,
        body: Value,
    ) -> Result<Reply, Failure> {
        call.begin(Operation::Replace, Some(id));
        let projection = call.projection()?.of_write(call.schema(), &body);
        let conditions = call.preconditions();
        for attempt in 0..self.attempts(&conditions) {
            let turn = self.turn(&call, id, attempt).await?;
            let attempt = self.try_replace(&mut call, &turn, id, body.clone(), &conditions, &projection);
            if let Attempt::Done(reply) = attempt.await? {
                return Ok(reply);
            }
        }
        Err(raced(&conditions))
    }

    async fn try_replace(
        &self,
        call: &mut Call<'_>,
        turn: &WriteTurn<'_>,
        id: &ResourceId,
        body: Value,
        conditions: &Preconditions,
        projection: &Projection,
    ) -> Result<Attempt, Failure> {
        let schema = call.schema();
        let current = self.current(call, id, &Projection::default()).await?;
        let version = permitted_version(&current, conditions)?;
        let valid = spans::step(Step::Validate, || {
            let pass_over = |body: &mut Object| self.pass_over(schema, body);
            validate::replace_without(schema, body, &current, &self.config.leniencies, pass_over)
        })?;
        call.outcome.note(&valid.leniencies);
        let own = Own::of(&current);
        let mut resource = identified(valid.resource, id, own.meta.clone().unwrap_or_default());

        let write = Write::Replace(&current);
        let context = call.context.with_unassigned(&valid.unassigned);
        call.outcome.remark(self.policy.remarks(&context, write, &resource));
        let admission = self.policy.admit(&context, write, &mut resource)?;
        own.restore(&mut resource);
        if admission == Admission::Delete {
            return self.delete_instead(call, turn, id, &current, version).await;
        }
        validate::settle_schemas(schema, &mut resource);
        validate::check(schema, &resource)?;
        if resource == current {
            return Ok(Attempt::Done(self.reply(StatusCode::OK, &call.context, current, projection).await?));
        }
        let added = self.added(call, Some(&current), &mut resource).await?;
        if added.retyped && resource == current {
            return Ok(Attempt::Done(self.reply(StatusCode::OK, &call.context, current, projection).await?));
        }
        self.check_canonical(schema, Some(&current), &resource, &[])?;
        stamp(&mut resource, &self.now(), version.next());
        let unique = validate::unique_keys(schema, &resource);
        let replaced = Modification::Replace { resource: &resource, unique: &unique, expected: version };
        let (terms, status) = (turn.terms(&added), Some(StatusCode::OK));
        match self.make(call.scope(), replaced, terms, Some(&current), status, call.outcome).await {
            Ok(_) => {
                let resource = self.completed(call, id, resource).await?;
                Ok(Attempt::Done(self.reply(StatusCode::OK, &call.context, resource, projection).await?))
            }
            Err(error) => raced_or(error),
        }
    }

    /// Takes out of a body what the service says itself: the URIs of members, and of what has a `value`.
    fn pass_over(&self, schema: &ResourceSchema, body: &mut Object) {
        drop_references(schema, body);
        if let Some(refs) = self.refs(schema) {
            refs.drop_links(body);
        }
    }

    /// The resource as the store has it by now, where the store completes what it is given. Who was
    /// deleted since is shown as written.
    async fn completed(
        &self,
        call: &Call<'_>,
        id: &ResourceId,
        written: Resource,
    ) -> Result<Resource, Failure> {
        if !self.store.completes() {
            return Ok(written);
        }
        Ok(self.store.read(call.scope(), id, &Projection::default()).await?.unwrap_or(written))
    }

    pub(super) async fn delete(&self, mut call: Call<'_>, id: &ResourceId) -> Result<Reply, Failure> {
        call.begin(Operation::Delete, Some(id));
        let conditions = call.preconditions();
        let keyed = call.schema().find(None, KEYED).is_some_and(patch::keyed);
        let read = if keyed { Projection::without(KEYED) } else { Projection::default() };
        for attempt in 0..self.attempts(&conditions) {
            let turn = self.turn(&call, id, attempt).await?;
            let current = self.current(&call, id, &read).await?;
            let version = permitted_version(&current, &conditions)?;
            let attempt = self.delete_instead(&mut call, &turn, id, &current, version);
            if let Attempt::Done(reply) = attempt.await? {
                return Ok(reply);
            }
        }
        Err(raced(&conditions))
    }

    /// Deletes what was read as `current`, if the policy lets it and nobody changed it since.
    pub(super) async fn delete_instead(
        &self,
        call: &mut Call<'_>,
        turn: &WriteTurn<'_>,
        id: &ResourceId,
        current: &Resource,
        version: Version,
    ) -> Result<Attempt, Failure> {
        self.policy.may_delete(&call.context, current)?;
        let (groups, last_modified) = (self.config.registry.group_types(call.schema()), self.now());
        let (left, members) = (LeftGroups::default(), self.changed_members(call.schema()));
        let deletion = Deletion {
            expected: Some(version),
            groups: &groups,
            last_modified: &last_modified,
            left: Some(&left),
            members: members.as_ref(),
        };
        let deleted = Modification::Delete { id, deletion };
        let nobody = Added::default();
        let (terms, status) = (turn.terms(&nobody), Some(StatusCode::NO_CONTENT));
        match self.make(call.scope(), deleted, terms, Some(current), status, call.outcome).await {
            Ok(_) => Ok(Attempt::Done(Reply::empty(StatusCode::NO_CONTENT))),
            Err(error) => raced_or(error),
        }
    }

    pub(super) async fn current(
        &self,
        call: &Call<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> Result<Resource, Failure> {
        Ok(self.store.read(call.scope(), id, projection).await?.ok_or(StoreError::NotFound)?)
    }

    /// A client that names a version has one attempt: on that version.
    pub(super) fn attempts(&self, conditions: &Preconditions) -> usize {
        if conditions.name_version() { 1 } else { self.config.limits.max_write_attempts.max(1) }
    }

    /// Refuses what is not among the canonical values, where it has to be: in the resource, and in what is added to
    /// attributes that were not read. It is asked of what is stored: members have the types they were found to be of.
    pub(super) fn check_canonical(
        &self,
        schema: &ResourceSchema,
        before: Option<&Resource>,
        after: &Resource,
        deltas: &[Delta],
    ) -> Result<(), Error> {
        if self.config.canonical_values == CanonicalValues::Suggested {
            return Ok(());
        }
        let mut deltas =
            deltas.iter().filter_map(|delta| Some((schema.find(None, &delta.attribute)?, &delta.added)));
        deltas.try_for_each(|(attribute, added)| validate::canonical_elements(attribute, added))?;
        validate::canonical(schema, before, after)
    }

    /// The turn of an attempt at a write of the resource `id`.
    pub(super) async fn turn(
        &self,
        call: &Call<'_>,
        id: &ResourceId,
        attempt: usize,
    ) -> Result<WriteTurn<'_>, StoreError> {
        let alone = attempt >= BESIDE_OTHERS;
        let turn = self.turns.take(call.scope(), id, alone).await;
        // On the heap, since it is rare.
        let hold = if alone { Some(Box::pin(self.store.hold(call.scope(), id)).await?) } else { None };
        Ok(WriteTurn { hold, _turn: turn })
    }

    /// The time now as `xsd:dateTime` in milliseconds.
    pub(super) fn now(&self) -> String {
        format!("{:.3}", (self.environment.now)())
    }
}

/// When an attempt at a write is made: beside others, or alone.
pub(super) struct WriteTurn<'t> {
    // Let go of first, so that no request of this service finds the resource held.
    hold: Option<ResourceHold>,
    _turn: Turn<'t>,
}

impl WriteTurn<'_> {
    /// What a write of the resource that adds these members is made with.
    pub(super) fn terms<'a>(&'a self, added: &'a Added) -> Terms<'a> {
        Terms { hold: self.hold.as_ref(), ..added.terms() }
    }
}

/// How often a write is tried beside others before it is made alone.
const BESIDE_OTHERS: usize = 3;
/// The multi-valued attribute that can hold more values than anyone wants to load.
pub(super) const KEYED: &str = "members";

/// What in a resource is the service's own and no policy may change.
pub(super) struct Own {
    id: Option<Value>,
    pub(super) meta: Option<Value>,
}

impl Own {
    pub(super) fn of(resource: &Resource) -> Self {
        Self { id: resource.get("id").cloned(), meta: resource.get("meta").cloned() }
    }

    pub(super) fn restore(&self, resource: &mut Resource) {
        for (name, value) in [("id", &self.id), ("meta", &self.meta)] {
            match value {
                Some(value) if resource.get(name) == Some(value) => {}
                Some(value) => drop(resource.0.insert(name, value.clone())),
                None => drop(resource.0.remove(name)),
            }
        }
    }
}

/// `resource` in the order people read: `schemas`, `id`, attributes, `meta`.
fn identified(resource: Resource, id: &ResourceId, meta: Value) -> Resource {
    let mut object = Object::new();
    object.insert("schemas", Value::Null);
    object.insert("id", id.as_str());
    for (name, value) in resource.0 {
        if !name.matches("id") && !name.matches("meta") {
            object.insert(name, value);
        }
    }
    if object.get("schemas") == Some(&Value::Null) {
        object.remove("schemas");
    }
    object.insert("meta", meta);
    Resource(object)
}

/// The version of `current`, if the client's conditions permit to write on it: otherwise 412.
pub(super) fn permitted_version(current: &Resource, conditions: &Preconditions) -> Result<Version, Failure> {
    let version = version_of(current)?;
    conditions.permit_write(version).map_err(|unmet| precondition_failed(unmet, Some(version)))?;
    Ok(version)
}

pub(super) fn raced_or(error: StoreError) -> Result<Attempt, Failure> {
    match error {
        StoreError::VersionMismatch => Ok(Attempt::Raced),
        error => Err(error.into()),
    }
}

/// The refusal of a write that lost every race.
pub(super) fn raced(conditions: &Preconditions) -> Failure {
    match conditions.name_version() {
        true => precondition_failed(conditions.other_version(), None).into(),
        false => StoreError::VersionMismatch.into(),
    }
}

/// The refusal of a request whose precondition does not hold (RFC 7644 §3.14).
/// The version is the one that the resource is in, where that is known.
pub(super) fn precondition_failed(unmet: Unmet, version: Option<Version>) -> Error {
    let version = version.map_or_else(String::new, |version| format!(", `{version}`,"));
    let detail = match unmet {
        Unmet::IfNoneMatch => format!("the resource is in a version{version} that `If-None-Match` names"),
        Unmet::IfMatch => format!("the resource is in another version{version} than `If-Match` names"),
        Unmet::Version => format!("the resource is in another version{version} than `version` names"),
    };
    Error::new(StatusCode::PRECONDITION_FAILED, detail)
}
