//! Spans of the crate `tracing`.

use std::borrow::Cow;
use std::future::Future;

use http::{Method, StatusCode};
use tracing::field::Empty;
use tracing::{Instrument as _, Span, debug, debug_span, info_span};

use super::Step;
use crate::audit::Record;
use crate::membership::Membership;
use crate::pieces::Pieces;
use crate::projection::Projection;
use crate::query::{Query, QuerySupport};
use crate::service::outcome::{Operation, Outcome};
use crate::service::route::{Discovery, Route};
use crate::store::{
    Applied, Deletion, Modification, Modified, Page, ResourceHold, Scope, Store, StoreError, Terms, Update,
};
use crate::validate::UniqueKey;
use crate::{Error, Resource, ResourceId, ScimType, TenantId, Version};

/// Runs a step in a span of its own.
pub(in crate::service) fn step<T>(step: Step, run: impl FnOnce() -> T) -> T {
    let span = match step {
        Step::Parse => debug_span!("scim.parse"),
        Step::Validate => debug_span!("scim.validate"),
    };
    span.in_scope(run)
}

/// Runs an operation of a bulk request in a span of its own.
pub(in crate::service) fn operation<F: Future>(
    method: &Method,
    resource_type: &str,
    run: F,
) -> impl Future<Output = F::Output> + use<F> {
    run.instrument(debug_span!("scim.operation", method = method.as_str(), resource_type))
}

/// The search for the groups of resources ended at the limit of levels.
pub(in crate::service) fn groups_end(levels: usize) {
    debug!(levels, "groups further up than the limit of levels are left out of `groups`, if there are any");
}

/// The span of a request.
pub(in crate::service) struct RequestSpan(Span);

impl RequestSpan {
    pub(in crate::service) fn new(method: &Method) -> Self {
        Self(info_span!(
            "scim.request",
            method = method.as_str(),
            route = Empty,
            operation = Empty,
            resource_type = Empty,
            tenant = Empty,
            status = Empty,
            scim_type = Empty,
            leniencies = Empty,
        ))
    }

    /// Not an `async` function, whose future would have room for `run` twice.
    pub(in crate::service) fn run<F: Future>(&self, run: F) -> impl Future<Output = F::Output> + use<F> {
        run.instrument(self.0.clone())
    }

    /// The request is for this route.
    pub(in crate::service) fn routed(&self, route: &Route) {
        if !self.0.is_disabled() {
            self.0.record("route", &*template(route));
        }
    }

    /// The request is answered.
    pub(in crate::service) fn ended(&self, status: StatusCode, outcome: &Outcome) {
        if self.0.is_disabled() {
            return;
        }
        self.0.record("status", status.as_u16());
        let tenant = outcome.principal.as_ref().map(|principal| &principal.tenant);
        let scim_type = outcome.error.as_ref().and_then(Error::scim_type);
        for (name, text) in [
            ("operation", outcome.operation.map(Operation::as_str)),
            ("resource_type", outcome.resource_type.as_deref()),
            ("tenant", tenant.map(TenantId::as_str)),
            ("scim_type", scim_type.map(ScimType::as_str)),
        ] {
            if let Some(text) = text {
                self.0.record(name, text);
            }
        }
        if !outcome.leniencies.is_empty() {
            let names: Vec<&str> = outcome.leniencies.iter().map(|leniency| leniency.name()).collect();
            self.0.record("leniencies", &*names.join(","));
        }
    }
}

/// The path of a route below the base URL, without identifiers.
fn template(route: &Route) -> Cow<'static, str> {
    match route {
        Route::Collection(schema) => schema.resource_type().endpoint.clone().into(),
        Route::Resource(schema, _) => format!("{}/{{id}}", schema.resource_type().endpoint).into(),
        Route::Root => "/".into(),
        Route::Search(None) => "/.search".into(),
        Route::Search(Some(schema)) => format!("{}/.search", schema.resource_type().endpoint).into(),
        Route::Bulk(_) => "/Bulk".into(),
        Route::Me => "/Me".into(),
        Route::Discovery(discovery) => match discovery {
            Discovery::ServiceProviderConfig => "/ServiceProviderConfig",
            Discovery::ResourceTypes => "/ResourceTypes",
            Discovery::ResourceType(_) => "/ResourceTypes/{id}",
            Discovery::Schemas => "/Schemas",
            Discovery::Schema(_) => "/Schemas/{id}",
        }
        .into(),
        Route::NotImplemented(endpoint) => (*endpoint).into(),
    }
}

/// A store each of whose calls is a span.
#[derive(Debug)]
pub(in crate::service) struct Traced<S>(S);

pub(in crate::service) fn traced<S>(store: S) -> Traced<S> {
    Traced(store)
}

fn call(name: &'static str, scope: Scope<'_>) -> Span {
    debug_span!("scim.store", call = name, resource_type = scope.schema.name())
}

impl<S: Store> Store for Traced<S> {
    async fn create(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
    ) -> Result<(), StoreError> {
        self.0.create(scope, resource, unique).instrument(call("create", scope)).await
    }

    async fn read(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> Result<Option<Resource>, StoreError> {
        self.0.read(scope, id, projection).instrument(call("read", scope)).await
    }

    async fn read_in_pieces(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> Result<Option<Pieces>, StoreError> {
        self.0.read_in_pieces(scope, id, projection).instrument(call("read", scope)).await
    }

    async fn query_in_pieces(&self, scope: Scope<'_>, query: &Query) -> Result<Page<Pieces>, StoreError> {
        self.0.query_in_pieces(scope, query).instrument(call("query", scope)).await
    }

    fn query_support(&self) -> QuerySupport {
        self.0.query_support()
    }

    async fn query(&self, scope: Scope<'_>, query: &Query) -> Result<Page, StoreError> {
        self.0.query(scope, query).instrument(call("query", scope)).await
    }

    async fn replace(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
        expected: Version,
    ) -> Result<(), StoreError> {
        self.0.replace(scope, resource, unique, expected).instrument(call("replace", scope)).await
    }

    async fn apply(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        update: &Update<'_>,
        expected: Option<Version>,
    ) -> Result<Applied, StoreError> {
        self.0.apply(scope, id, update, expected).instrument(call("apply", scope)).await
    }

    async fn delete(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        deletion: &Deletion<'_>,
    ) -> Result<(), StoreError> {
        self.0.delete(scope, id, deletion).instrument(call("delete", scope)).await
    }

    async fn modify(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        terms: Terms<'_>,
    ) -> Result<Modified, StoreError> {
        let name = match &modification {
            Modification::Create { .. } => "create",
            Modification::Replace { .. } => "replace",
            Modification::Apply { .. } => "apply",
            Modification::Delete { .. } => "delete",
        };
        self.0.modify(scope, modification, terms).instrument(call(name, scope)).await
    }

    async fn hold(&self, scope: Scope<'_>, id: &ResourceId) -> Result<ResourceHold, StoreError> {
        self.0.hold(scope, id).instrument(call("hold", scope)).await
    }

    fn completes(&self) -> bool {
        self.0.completes()
    }

    fn checks_circles(&self) -> bool {
        self.0.checks_circles()
    }

    fn keeps_audit(&self) -> bool {
        self.0.keeps_audit()
    }

    async fn keep(&self, record: &Record) -> Result<(), StoreError> {
        self.0.keep(record).instrument(debug_span!("scim.store", call = "keep")).await
    }

    async fn memberships(
        &self,
        groups: Scope<'_>,
        members: &[ResourceId],
    ) -> Result<Vec<Membership>, StoreError> {
        self.0.memberships(groups, members).instrument(call("memberships", groups)).await
    }

    async fn count_members(&self, groups: Scope<'_>, id: &ResourceId) -> Result<usize, StoreError> {
        self.0.count_members(groups, id).instrument(call("count_members", groups)).await
    }

    async fn members_among(
        &self,
        groups: Scope<'_>,
        id: &ResourceId,
        members: &[ResourceId],
    ) -> Result<Vec<ResourceId>, StoreError> {
        self.0.members_among(groups, id, members).instrument(call("members_among", groups)).await
    }

    async fn missing(&self, scope: Scope<'_>, ids: Vec<ResourceId>) -> Result<Vec<ResourceId>, StoreError> {
        self.0.missing(scope, ids).instrument(call("missing", scope)).await
    }
}
