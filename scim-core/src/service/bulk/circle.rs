//! Resources that refer to one another in a circle (RFC 7644 §3.7.1).
//!
//! Each is created, without the references to those that are created after it; when all are there,
//! a PATCH adds what was left out. They are one change: if one of them cannot be created or
//! completed, those that were are deleted again. Until then nothing else of the bulk request is
//! made, so that nothing of it can refer to what is deleted.

use std::collections::HashSet;
use std::sync::Arc;

use http::{Method, StatusCode};

use super::operation::Asked;
use super::references::in_patch;
use super::{Bulk, split};
use crate::auth::Authenticator;
use crate::error::quote;
use crate::policy::Policy;
use crate::schema::ResourceSchema;
use crate::service::location::path_of;
use crate::service::outcome::Outcome;
use crate::service::respond::{Failure, Reply};
use crate::service::{Body, spans};
use crate::store::{Deletion, Modification, Scope, Store, StoreError, Terms};
use crate::value::Value;
use crate::{Error, ResourceId};

/// A resource of a circle that was created.
struct Created {
    operation: usize,
    schema: Arc<ResourceSchema>,
    id: ResourceId,
    /// The data of a PATCH that adds the references it was created without.
    rest: Option<Value>,
    reply: Reply,
    outcome: Outcome,
}

impl<S: Store, A: Authenticator, P: Policy> Bulk<'_, S, A, P> {
    /// Makes the operations of a circle, in this order: all of them, or none.
    pub(super) async fn make_circle(&mut self, order: Vec<usize>) {
        let bulk_id = |operation: &usize| self.operations.get(*operation)?.bulk_id.clone();
        let circle: HashSet<Box<str>> = order.iter().filter_map(bulk_id).collect();
        let mut created = Vec::with_capacity(order.len());
        let failed = match self.read_circle(&order, &circle) {
            Err(failed) => Some(failed),
            Ok(asked) => match self.create_circle(asked, &circle, &mut created).await {
                Some(failed) => Some(failed),
                None => self.complete_circle(&mut created).await,
            },
        };
        let Some(failed) = failed else {
            for Created { operation, reply, outcome, .. } in created {
                self.conclude(operation, Ok(reply), outcome);
            }
            return;
        };
        self.take_back(created, failed).await;
        let open = |operation: &usize| self.done.get(*operation).is_some_and(Option::is_none);
        let left: Vec<usize> = order.into_iter().filter(|operation| open(operation)).collect();
        for operation in left {
            let outcome = self.outcome(operation);
            self.conclude(operation, Err(self.without(failed).into()), outcome);
        }
    }

    /// Refuses the operations of a circle in which each resource needs another one to be created.
    pub(super) fn refuse_knot(&mut self, operations: Vec<usize>) {
        let detail =
            "the circular reference cannot be resolved: each of these resources requires another one";
        for operation in operations {
            let error = Error::new(StatusCode::CONFLICT, detail);
            let outcome = self.outcome(operation);
            self.conclude(operation, Err(error.into()), outcome);
        }
    }

    /// What the operations ask for, with the references out of the circle resolved; or the one for
    /// which that is not possible, concluded.
    fn read_circle(
        &mut self,
        order: &[usize],
        circle: &HashSet<Box<str>>,
    ) -> Result<Vec<(usize, Asked)>, usize> {
        let mut read = Vec::with_capacity(order.len());
        for operation in order.iter().copied() {
            let asked = self.take(operation).and_then(|mut asked| {
                self.resolve(operation, &mut asked, |bulk_id| circle.contains(bulk_id))?;
                Ok(asked)
            });
            match asked {
                Ok(asked) => read.push((operation, asked)),
                Err(failure) => {
                    let outcome = self.outcome(operation);
                    self.conclude(operation, Err(failure), outcome);
                    return Err(operation);
                }
            }
        }
        Ok(read)
    }

    /// Creates the resources, and returns the first that cannot be, concluded.
    async fn create_circle(
        &mut self,
        asked: Vec<(usize, Asked)>,
        circle: &HashSet<Box<str>>,
        created: &mut Vec<Created>,
    ) -> Option<usize> {
        for (operation, mut asked) in asked {
            let mut outcome = self.outcome(operation);
            let made = match self.resolve(operation, &mut asked, |bulk_id| circle.contains(bulk_id)) {
                Err(error) => Err(error.into()),
                Ok(()) => {
                    let schema = Arc::clone(&asked.schema);
                    let later = |bulk_id: &str| circle.contains(bulk_id) && !self.ids.contains_key(bulk_id);
                    let rest = split::take_out(&schema, &mut asked.data, &later);
                    self.send(asked, &mut outcome).await.map(|reply| (reply, schema, rest))
                }
            };
            match (made, outcome.resource.clone()) {
                (Ok((reply, schema, rest)), Some(id)) => {
                    self.know(operation, Some(id.clone()));
                    created.push(Created { operation, schema, id, rest, reply, outcome });
                }
                // Created, and by the policy not kept: there is nothing to refer to.
                (made, _) => {
                    self.conclude(operation, made.map(|(reply, ..)| reply), outcome);
                    return Some(operation);
                }
            }
        }
        None
    }

    /// Adds the references that resources were created without, and returns the first for which
    /// that is not possible, deleted and concluded.
    async fn complete_circle(&mut self, created: &mut Vec<Created>) -> Option<usize> {
        for at in 0..created.len() {
            let Some(resource) = created.get_mut(at) else { continue };
            let Some(mut rest) = resource.rest.take() else { continue };
            let schema = Arc::clone(&resource.schema);
            in_patch(&schema, &mut rest, &mut |bulk_id| {
                self.ids.get(bulk_id).map(|id| id.as_str().to_owned())
            });
            let mut outcome = self.outcome(resource.operation);
            let completed = self.complete(resource, rest, &mut outcome).await;
            resource.outcome.join(outcome);
            let failed = match completed {
                Ok(reply) if reply.version.is_some() => {
                    resource.reply.version = reply.version;
                    continue;
                }
                // A refusal, or what the policy makes of the complete resource is a deletion.
                failed => failed,
            };
            let mut resource = created.remove(at);
            let deleted = self.delete(&mut resource).await;
            self.forget(resource.operation);
            self.conclude(resource.operation, deleted.and(failed), resource.outcome);
            return Some(resource.operation);
        }
        None
    }

    async fn complete(
        &self,
        resource: &Created,
        rest: Value,
        outcome: &mut Outcome,
    ) -> Result<Reply, Failure> {
        let path = path_of(&resource.schema.resource_type().endpoint, resource.id.as_str());
        let head = self.head(Method::PATCH, &path, None)?;
        let call = self.call(&head, &resource.schema, outcome)?;
        let made = self.service.on_resources(call, Some(&resource.id), Body::Parsed(rest));
        spans::operation(&head.method, resource.schema.name(), made).await
    }

    /// Deletes what was created before `failed` could not be.
    async fn take_back(&mut self, created: Vec<Created>, failed: usize) {
        for mut resource in created.into_iter().rev() {
            let deleted = self.delete(&mut resource).await;
            let failure = deleted.err().unwrap_or_else(|| self.without(failed).into());
            self.forget(resource.operation);
            self.conclude(resource.operation, Err(failure), resource.outcome);
        }
    }

    /// Takes a creation back. That is no deletion a client asks for, so the policy is not asked.
    async fn delete(&mut self, resource: &mut Created) -> Result<(), Failure> {
        if self.takes_nothing_back {
            let detail = "the resource may be left as it was created: the service cannot delete it now";
            return Err(Error::new(StatusCode::SERVICE_UNAVAILABLE, detail).into());
        }
        let scope = Scope { tenant: &self.principal.tenant, schema: &resource.schema };
        let groups = self.service.config.registry.group_types(&resource.schema);
        let last_modified = self.service.now();
        let members = self.service.changed_members(&resource.schema);
        let members = members.as_ref();
        let deletion =
            Deletion { expected: None, groups: &groups, last_modified: &last_modified, left: None, members };
        let deleted = Modification::Delete { id: &resource.id, deletion };
        let outcome = &mut resource.outcome;
        match self.service.make(scope, deleted, Terms::default(), None, None, outcome).await {
            Ok(_) | Err(StoreError::NotFound) => {
                // What is left of the operation is that it was refused.
                outcome.changed = false;
                Ok(())
            }
            Err(error) => {
                self.takes_nothing_back = error.is_silence();
                Err(error.into())
            }
        }
    }

    fn forget(&mut self, operation: usize) {
        if let Some(bulk_id) = self.operations.get(operation).and_then(|told| told.bulk_id.as_ref()) {
            self.ids.remove(bulk_id);
        }
    }

    /// The refusal of an operation of a circle for another one that could not be made.
    fn without(&self, failed: usize) -> Error {
        let bulk_id =
            self.operations.get(failed).and_then(|told| told.bulk_id.as_deref()).unwrap_or_default();
        let reference = quote(&format!("bulkId:{bulk_id}"));
        let detail = format!("{reference}, to which it refers in a circle, could not be created");
        let status = match self.store_is_silent {
            true => StatusCode::SERVICE_UNAVAILABLE,
            false => StatusCode::CONFLICT,
        };
        Error::new(status, detail)
    }
}
