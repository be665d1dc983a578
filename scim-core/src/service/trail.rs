//! The audit trail: where changes are made, and where what changed nothing ends, each with its record.

use std::sync::Arc;

use http::StatusCode;

use super::Service;
use super::outcome::{Operation, Outcome};
use crate::audit::{self, Audit, Effect, OnFailure, Record, SinkError};
use crate::auth::{Authenticator, Principal};
use crate::policy::Policy;
use crate::schema::ResourceSchema;
use crate::store::{ChangedMembers, Modification, Modified, Scope, Store, StoreError, Terms};
use crate::{Resource, ResourceId, Version};

impl<S: Store, A: Authenticator, P: Policy> Service<S, A, P> {
    /// Makes a modification of what is `before`, with its record: the one way to the store of everything that
    /// changes resources.
    pub(super) async fn make(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        terms: Terms<'_>,
        before: Option<&Resource>,
        status: Option<StatusCode>,
        outcome: &mut Outcome,
    ) -> Result<Modified, StoreError> {
        let record = self.audits().then(|| self.record(outcome)).flatten();
        let Some(mut record) = record else {
            return self.store.modify(scope, modification, terms).await;
        };
        let (resource, versions) = about(&modification, before);
        record.resource = resource;
        (record.version_before, record.version_after) = versions;
        record.effect = effect(&modification);
        record.status = status;
        record.changes = audit::changes(scope.schema, &modification, before);

        let intended = self.audit.as_ref().filter(|audit| audit.on_failure == OnFailure::Refuse);
        if let Some(audit) = intended {
            tell(audit, &record, Effect::Intended).map_err(StoreError::Unavailable)?;
        }
        let pending = Pending { audit: self.audit.as_ref(), record: &record, ended: false };
        let kept = self.store.keeps_audit().then_some(&record);
        let made = self.store.modify(scope, modification, Terms { record: kept, ..terms }).await;
        pending.end();
        let told = match &made {
            Ok(Modified::Changed(version)) => {
                outcome.changed = true;
                let record = match (modification, version) {
                    (Modification::Delete { deletion, .. }, _) => record.leaving(&deletion),
                    (Modification::Apply { update, .. }, Some(version)) => record.updated(update, *version),
                    _ => record.in_version(*version),
                };
                self.audit.as_ref().map(|audit| audit.sink.record(&record))
            }
            Ok(Modified::Unchanged(_)) | Err(StoreError::VersionMismatch) => {
                intended.map(|audit| tell(audit, &record, Effect::Withdrawn))
            }
            // The answer is an error, whose record is made at its end.
            Err(_) => None,
        };
        outcome.told_sink(told);
        made
    }

    /// Records what changed nothing and is worth a record: what was refused, and what the policy remarked on; the
    /// request, or operations of a bulk request. A store that does not answer is told of no further one.
    pub(super) async fn record_rest(&self, outcome: &mut Outcome) {
        if !self.audits() {
            return;
        }
        let mut store_is_silent = false;
        let mut operations = std::mem::take(&mut outcome.operations);
        for operation in &mut operations {
            self.record_unchanged(operation, &mut store_is_silent).await;
            outcome.unrecorded = outcome.unrecorded.take().or_else(|| operation.unrecorded.clone());
        }
        outcome.operations = operations;
        self.record_unchanged(outcome, &mut store_is_silent).await;
    }

    async fn record_unchanged(&self, outcome: &mut Outcome, store_is_silent: &mut bool) {
        let has_record = outcome.told.is_some() || !outcome.remarks.is_empty();
        if outcome.changed || !has_record {
            return;
        }
        let Some(mut record) = self.record(outcome) else { return };
        match &outcome.told {
            Some(error) => {
                // A policy may state an error anew, without what is not sent.
                let own = outcome.error.as_ref().unwrap_or(error);
                record.effect = Effect::of_error(error.status());
                (record.status, record.scim_type) = (Some(error.status()), error.scim_type());
                (record.rule, record.subject) = (own.rule().map(Into::into), own.subject().map(Into::into));
                record.remedy = own.remedy().map(Into::into);
            }
            None => (record.effect, record.status) = (Effect::Unchanged, outcome.status),
        }
        let kept = match self.store.keeps_audit() {
            true if *store_is_silent => Some(Err("the store did not answer for the record before".into())),
            true => {
                let kept = self.store.keep(&record).await;
                *store_is_silent = kept.as_ref().is_err_and(StoreError::is_silence);
                Some(kept.map_err(SinkError::from))
            }
            false => None,
        };
        outcome.told_sink(kept);
        outcome.told_sink(self.audit.as_ref().map(|audit| audit.sink.record(&record)));
    }

    fn audits(&self) -> bool {
        self.audit.is_some() || self.store.keeps_audit()
    }

    /// Where a store is to note the members who go and come, if somebody is told.
    pub(super) fn changed_members(&self, schema: &ResourceSchema) -> Option<ChangedMembers> {
        (self.audits() && audit::names_members(schema)).then(ChangedMembers::default)
    }

    /// A record of what is known of a request that is to change something; a request of nobody has none.
    fn record(&self, outcome: &Outcome) -> Option<Record> {
        let Principal { tenant, credential } = outcome.principal.clone()?;
        // An operation of a bulk request that cannot be read is one of it all the same.
        let operation = outcome.operation.or(outcome.bulk.as_ref().map(|_| Operation::Bulk))?;
        operation.is_write().then(|| Record {
            request: outcome.request.clone(),
            bulk: outcome.bulk.clone(),
            resource_type: outcome.resource_type.as_deref().map(Into::into),
            resource: outcome.resource.clone(),
            leniencies: outcome.leniencies.clone(),
            remarks: outcome.remarks.clone(),
            ..Record::new((self.environment.now)(), tenant, credential, operation)
        })
    }
}

impl Outcome {
    fn told_sink(&mut self, told: Option<Result<(), SinkError>>) {
        if let Some(Err(error)) = told {
            self.unrecorded.get_or_insert(Arc::new(error));
        }
    }
}

/// A change that the store is making: a request that is dropped meanwhile is recorded too.
struct Pending<'a> {
    audit: Option<&'a Audit>,
    record: &'a Record,
    ended: bool,
}

impl Pending<'_> {
    fn end(mut self) {
        self.ended = true;
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if let Some(audit) = self.audit.filter(|_| !self.ended) {
            // Nobody is left to be told that the sink failed.
            let _ = tell(audit, self.record, Effect::Interrupted);
        }
    }
}

/// Tells the sink of a change that was not made, or not yet.
fn tell(audit: &Audit, record: &Record, effect: Effect) -> Result<(), SinkError> {
    let status = None;
    audit.sink.record(&Record { effect, status, ..record.clone() })
}

fn effect(modification: &Modification<'_>) -> Effect {
    match modification {
        Modification::Create { .. } => Effect::Created,
        Modification::Replace { .. } | Modification::Apply { .. } => Effect::Changed,
        Modification::Delete { .. } => Effect::Deleted,
    }
}

/// The resource, and its versions before and after.
fn about(
    modification: &Modification<'_>,
    before: Option<&Resource>,
) -> (Option<ResourceId>, (Option<Version>, Option<Version>)) {
    match modification {
        Modification::Create { resource, .. } => (resource.id(), (None, resource.version())),
        Modification::Replace { resource, expected, .. } => {
            (resource.id(), (Some(*expected), resource.version()))
        }
        Modification::Apply { id, expected, .. } => {
            (Some((*id).clone()), (*expected, expected.map(Version::next)))
        }
        Modification::Delete { id, deletion } => {
            (Some((*id).clone()), (deletion.expected.or_else(|| before?.version()), None))
        }
    }
}
