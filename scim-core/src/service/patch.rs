//! PATCH (RFC 7644 §3.5.2): the planned change goes to the store, not the resource.
//!
//! A group's `members` are read only for operations that cannot be planned without them, and where these name
//! some by `value`, they alone are, so that adding one to a million, or naming one of them, costs what it does
//! among ten. The answer of a PATCH that did not
//! read them and is to show them reads the resource again.
//!
//! What was planned on a version is applied to that version, or planned again on a newer one. A
//! change of deltas alone that were planned without the values is the same for every version: it
//! is applied to whatever is there, and loses no race.

use http::StatusCode;

use super::computed::Computed;
use super::respond::{Failure, Reply};
use super::spans::{self, Step};
use super::write::{Attempt, KEYED, Own, WriteTurn, permitted_version, raced, raced_or};
use super::{Call, Operation, Service, nul};
use crate::auth::Authenticator;
use crate::etag::Preconditions;
use crate::leniency::Leniency;
use crate::patch::{self, Change, Delta, PatchOptions, PatchRequest, Write as AttributeWrite};
use crate::policy::{Admission, Policy, Write};
use crate::projection::Projection;
use crate::schema::{Attribute, ResourceSchema, Uniqueness};
use crate::service::PatchResponse;
use crate::store::{Modification, Modified, Store, Update};
use crate::value::{Object, Value};
use crate::{Resource, ResourceId, validate};

impl<S: Store, A: Authenticator, P: Policy> Service<S, A, P> {
    pub(super) async fn patch(
        &self,
        mut call: Call<'_>,
        id: &ResourceId,
        body: Value,
    ) -> Result<Reply, Failure> {
        call.begin(Operation::Patch, Some(id));
        let projection = call.projection()?;
        let mut request = spans::step(Step::Parse, || {
            nul::refuse_paths(&body)?;
            PatchRequest::parse(call.schema(), body, &self.patch_options())
        })?;
        let refs = self.refs(call.schema());
        let computed = Computed::of(call.schema(), refs, self.computes_groups(call.schema()));
        computed.refuse_paths(&request)?;
        request.forget_of_members(call.schema(), self.config.check_members);
        if let Some(refs) = refs {
            refs.forget_links(&mut request);
        }
        call.outcome.note(request.leniencies());
        self.policy.may_patch(&call.context, &request)?;
        let projection = projection.of_patch(call.schema(), request.named());
        let conditions = call.preconditions();
        for attempt in 0..self.attempts(&conditions) {
            let turn = self.turn(&call, id, attempt).await?;
            let attempt = self.try_patch(&mut call, &turn, id, &request, &conditions, &projection);
            if let Attempt::Done(reply) = attempt.await? {
                return Ok(reply);
            }
        }
        Err(raced(&conditions))
    }

    async fn try_patch(
        &self,
        call: &mut Call<'_>,
        turn: &WriteTurn<'_>,
        id: &ResourceId,
        request: &PatchRequest,
        conditions: &Preconditions,
        projection: &Projection,
    ) -> Result<Attempt, Failure> {
        let schema = call.schema();
        let is_keyed = schema.find(None, KEYED).is_some_and(patch::keyed);
        let reads_none = is_keyed && !request.reads(KEYED);
        let some = request.reads_values(KEYED).filter(|_| is_keyed);
        let keyed_unread = reads_none || some.is_some();
        let read = match some {
            Some(values) => Projection::default().with_values(KEYED, values),
            None if reads_none => Projection::without(KEYED),
            None => Projection::default(),
        };
        let mut current = self.current(call, id, &read).await?;
        if reads_none {
            // A store may have read more than it was asked for.
            current.0.remove(KEYED);
        }
        let version = permitted_version(&current, conditions)?;
        let mut plan = spans::step(Step::Validate, || request.plan(schema, &current))?;
        // Who is shown some of the members takes them for all.
        let planned_on = some.map(|_| current.clone());
        let some = match &planned_on {
            Some(_) => current.0.remove(KEYED).and(plan.resource.0.remove(KEYED)),
            None => None,
        };
        call.outcome.note(&plan.leniencies);
        if plan.leniencies.contains(&Leniency::JsonStringValue) {
            nul::refuse_in(&plan.change)?;
        }
        let (mut change, mut resource) = (plan.change, plan.resource);
        if let Some(refs) = self.refs(schema) {
            refs.settle(&mut change, &mut resource, &current);
        }

        let own = Own::of(&current);
        let planned = resource.clone();
        let write = Write::Patch(&current);
        call.outcome.remark(self.policy.remarks(&call.context, write, &resource));
        let admission = self.policy.admit(&call.context, write, &mut resource)?;
        own.restore(&mut resource);
        if admission == Admission::Delete {
            return self.delete_instead(call, turn, id, &current, version).await;
        }
        let amended = resource != planned;
        if amended {
            validate::settle_schemas(schema, &mut resource);
            amend(schema, &mut change, &planned, &resource, &current);
        }
        match some.filter(|_| !resource.0.contains(KEYED)) {
            None => validate::check(schema, &resource)?,
            Some(members) => {
                let mut seen = resource.clone();
                seen.0.insert(KEYED, members);
                validate::check(schema, &seen)?;
            }
        }

        // What is planned on what was read is only right for that version. Deltas planned without
        // their values are right for any.
        let of_any_version = !amended && deltas_alone(schema, &change, request);
        let expected = (conditions.depend_on_version() || !of_any_version).then_some(version);
        let (mut stored, mut is_shown) = (version, true);
        let shown =
            self.config.patch_response == PatchResponse::Resource || call.parameters.attributes.is_some();
        if !change.is_empty() {
            let before = planned_on.as_ref().unwrap_or(&current);
            let added = self.added_by(call, before, &mut change, &mut resource).await?;
            self.check_canonical(schema, Some(&current), &resource, &change.deltas)?;
            let last_modified = self.now();
            let unique = (!of_any_version).then(|| validate::unique_keys(schema, &resource));
            let members = if change.deltas.is_empty() { None } else { self.changed_members(schema) };
            let update = Update {
                change: &change,
                unique: unique.as_deref(),
                last_modified: &last_modified,
                members: members.as_ref(),
            };
            let status = if shown { StatusCode::OK } else { StatusCode::NO_CONTENT };
            let applied = Modification::Apply { id, update: &update, expected };
            let terms = turn.terms(&added);
            match self.make(call.scope(), applied, terms, Some(&current), Some(status), call.outcome).await {
                Ok(Modified::Changed(next)) => {
                    let next = next.unwrap_or(version);
                    stored = next;
                    is_shown = update.stamp(&mut resource, version) == next && !self.store.completes();
                }
                Ok(Modified::Unchanged(now)) => {
                    stored = now;
                    is_shown = now == version && !self.store.completes();
                }
                Err(error) => return raced_or(error),
            }
        }
        if !shown {
            let reply = Reply { version: Some(stored), ..Reply::empty(StatusCode::NO_CONTENT) };
            return Ok(Attempt::Done(reply));
        }
        if !is_shown || (keyed_unread && projection.includes(schema, None, KEYED)) {
            match self.pieces_of(call, id, projection).await? {
                Some(read) => {
                    return Ok(Attempt::Done(
                        self.reply(StatusCode::OK, &call.context, read, projection).await?,
                    ));
                }
                // The change was made, and the resource deleted since: there is nothing to show.
                None => return Ok(Attempt::Done(Reply::empty(StatusCode::NO_CONTENT))),
            }
        }
        Ok(Attempt::Done(self.reply(StatusCode::OK, &call.context, resource, projection).await?))
    }

    fn patch_options(&self) -> PatchOptions {
        PatchOptions {
            max_operations: self.config.limits.max_patch_operations,
            path: scim_filter::ParseOptions {
                limits: self.config.limits.filter.clone(),
                ..scim_filter::ParseOptions::default()
            },
            leniencies: self.config.leniencies.clone(),
        }
    }
}

/// Whether `change` is deltas alone, planned without a look at the values there, and none of them
/// concerns what has to be unique.
fn deltas_alone(schema: &ResourceSchema, change: &Change, request: &PatchRequest) -> bool {
    change.writes.is_empty()
        && change.deltas.iter().all(|delta| {
            !request.reads(&delta.attribute)
                && schema.find(None, &delta.attribute).is_some_and(|attribute| {
                    let mut all = attribute.sub_attributes.iter().chain([attribute]);
                    all.all(|attribute| attribute.uniqueness == Uniqueness::None)
                })
        })
}

/// Adds to `change` what a policy made different: the attributes that `admitted` has otherwise
/// than `planned`. What is in the end as it is in `current` is no change.
fn amend(
    schema: &ResourceSchema,
    change: &mut Change,
    planned: &Resource,
    admitted: &Resource,
    current: &Resource,
) {
    for (name, before, after) in planned.0.differences(&admitted.0) {
        let objects = (before.and_then(Value::as_object), after.and_then(Value::as_object));
        match (scim_filter::Schema::extension(schema, name), objects) {
            (Some(uri), (before, after)) if before.is_some() || after.is_some() => {
                let none = Object::new();
                let current = current.get(name).and_then(Value::as_object).unwrap_or(&none);
                for (sub, _, value) in before.unwrap_or(&none).differences(after.unwrap_or(&none)) {
                    overwrite(change, Some(uri), sub, value, current);
                }
            }
            _ => match schema.find(None, name).filter(|attribute| patch::keyed(attribute)) {
                Some(attribute) => overwrite_keyed(change, attribute, after),
                None => overwrite(change, None, name, after, &current.0),
            },
        }
    }
}

fn overwrite(
    change: &mut Change,
    extension: Option<&str>,
    attribute: &str,
    value: Option<&Value>,
    current: &Object,
) {
    change.writes.retain(|write| {
        let same_extension = match (write.extension.as_deref(), extension) {
            (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
            (one, other) => one == other,
        };
        !(same_extension && write.attribute.eq_ignore_ascii_case(attribute))
    });
    if current.get(attribute) != value {
        change.writes.push(AttributeWrite {
            extension: extension.map(Into::into),
            attribute: attribute.into(),
            value: value.cloned(),
        });
    }
}

/// A keyed attribute is never written but by a delta: stores may keep its values apart.
fn overwrite_keyed(change: &mut Change, attribute: &Attribute, value: Option<&Value>) {
    change.deltas.retain(|delta| !delta.attribute.eq_ignore_ascii_case(&attribute.name));
    change.deltas.push(Delta {
        replace: true,
        added: value.and_then(Value::as_array).unwrap_or_default().to_vec(),
        ..Delta::of(attribute)
    });
}
