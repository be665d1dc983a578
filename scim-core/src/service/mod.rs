//! The service: `http::Request` in, `http::Response` out.
//!
//! Every request is authenticated before anything else is looked at, unknown paths included. Then
//! it is routed, its media type and sizes are checked, it is parsed, validated and applied; the
//! first check that fails is the one answered.
//!
//! # On the wire
//!
//! - Bodies go out as `application/scim+json`, exactly; what the client accepts is not negotiated,
//!   as identity providers send `*/*`, `application/json` or nothing. They come in as that or as
//!   `application/json`, in UTF-8; a missing Content-Type counts as JSON, and one on a GET means nothing.
//! - A resource always has `meta.version` and an `ETag`, and its `meta.location` is made of the
//!   configured base URL. A change of nothing keeps `meta.version` and `meta.lastModified`.
//! - `If-Match` is honoured by GET, PUT, PATCH and DELETE (412), and so is `If-None-Match` (304 for
//!   GET, 412 for the others); tags compare weakly, as SCIM's are weak (RFC 7644 §3.14). Without
//!   `If-Match` a write that loses a race is made again on the newer version, a bounded number of
//!   times, and is answered with 409 after that.
//! - PATCH is answered with 200 and the resource, or with 204 if so configured
//!   ([`PatchResponse`]). HEAD is answered as GET without the body.
//! - `/.search` takes a query by POST, at a resource type's endpoint and at the root over all of
//!   them; so does GET of the root, with one slash at its end or none. An unknown path is 404,
//!   another method is 405 with `Allow`, a query string over the limit 414, a body over the limit 413.
//! - A store or authenticator that cannot answer now is 503 with [`Retry-After`](Config::retry_after); a store
//!   that cannot tell whether it [made a change](crate::store::StoreError::OutcomeUnknown) is 503 too, whose
//!   detail says so.
//! - `/Me` is an alias of the resource that the [authenticator](crate::auth::Authenticator::subject)
//!   says the credential stands for; every answer has its permanent location in `Location`. It is 404
//!   where there is no such resource, and 501 where the authenticator does not offer it.
//! - A member of a group has a `$ref`, its URI below the configured base URL, and as `type` the resource type that it was
//!   found to be of when it was added; what a client sends of both is passed over. Where members are not
//!   [checked](Config::check_members), `type` is what the client says, if that names a type, and otherwise there is
//!   neither.
//! - So has whatever names a resource of one type by its `id` in `value`, as `manager` of the enterprise extension does:
//!   the `$ref` beside a `value` is the service's, made of it without a look whether there is such a resource, and what a
//!   client sends there is passed over. A `$ref` without `value` is answered as it was sent.
//! - No filter, of a list or in a path of a PATCH, and no sort looks at `members.$ref`, `manager.$ref` or
//!   `meta.location`, which no store has: it is refused, and the detail names what to ask for.
//! - The `groups` of a user are [computed](Config::compute_groups) from the members of groups,
//!   in responses and filters. Who is deleted is no member of a group any more.
//! - Paths are segments that are percent-decoded once; empty ones (`//`, a trailing slash), `.`,
//!   `..` and those with an encoded slash are 404.
//! - Query parameters are matched by name in any case; one that is given twice is a 400, unknown
//!   ones are ignored, `sortBy` among them as long as `sort.supported` is false.
//! - A list by cursor (RFC 9865) has a `totalResults` that is counted with the first page and
//!   repeated with the others; it has no `startIndex`, and a request with both is a 400. A `count`
//!   above the largest page is the largest page, by cursor as by index. Where no cursors are
//!   offered, an empty `cursor` is ignored as unknown parameters are, and any other is a 400.
//!
//! # In pieces
//!
//! [`call`](Service::call) answers with a whole body. [`call_in_pieces`](Service::call_in_pieces), and
//! with it feature `tower`, writes the body as the client takes it, about
//! [64 KiB](ResponseBody::PART) at a time, and reads from the store what the next of these parts needs: a
//! page of a list, some values of a resource that has many. So what a response takes of memory does not grow
//! with its length, nor with the speed of the client, and `count` may be as large as
//! [`max_results`](Capabilities::max_results) is set. An answer that fits into one part is the same as a
//! whole one, with its length. For one that does not:
//!
//! - The first part is read before there is a status, so what is refused or fails there is an error
//!   response as ever. If the store fails later, the body ends with an error
//!   ([`BrokenOff`]) and its connection is cut off: never is a part of an answer a JSON text that looks whole.
//! - No transaction is open while a client reads. Each part is of the store as it is then: a resource
//!   that is in the list from the first part to the last is there exactly once, and so is a member of a
//!   group; what comes or goes meanwhile may be there or not. `totalResults` was counted with the first page,
//!   `itemsPerPage` and the cursors, which come behind the resources, are of what was written.
//! - `ETag` and `meta.version` are those of the first part. What is written may be newer, never older: a
//!   write with that version in `If-Match` is refused if anything was written since.
//! - A list by index over a store without [places](crate::query::QuerySupport::cursor) goes on by index, so that
//!   what is deleted meanwhile moves the rest. A page backward from a cursor has 200 resources at most, and one
//!   over all resource types 1,000; the cursors and `totalResults` say that there are more.
//! - A policy that [renders](crate::policy::Policy::renders) has each resource read as a whole.
//!
//! # Bulk
//!
//! POST of `/Bulk` makes several operations (RFC 7644 §3.7), each as the request it stands for:
//! [authorized](crate::auth::Authenticator::authorize_operation), judged by the policy, within the
//! limits of a body, with `version` as its `If-Match`. Its [`Outcome`] is among those of the bulk
//! request's. **Each operation is all or nothing; the bulk request is not**: what was made before an
//! error stays made, and what comes after it is made too, until there are `failOnErrors` errors.
//!
//! - A text that is `bulkId:qwerty` as a whole stands for the `id` of what the POST with that `bulkId`
//!   creates, before or behind it: in attributes that a client may write, in the values of a PATCH, in
//!   filters of its paths (`members[value eq "bulkId:qwerty"]`), and in the `path` of an operation.
//! - Operations are made in the order of the request, but that one waits for what it refers to, and
//!   with it what else the request does to the same resource. They are answered in the order of
//!   the request; those that were not made because of `failOnErrors` are left out.
//! - Resources that refer to one another in a circle are created together, all or none (§3.7.1): some
//!   without their references, which a PATCH adds when all are there. If one of them is refused,
//!   those already created are deleted, and all are refused with 409. So is a circle in which every
//!   reference is in a required attribute.
//! - An operation whose reference is to a resource that was not created is refused with 409; one that
//!   refers to no POST of the request, or shares its `bulkId` with another POST, with 400.
//! - Once the store did not answer an operation, it is not asked again: what is left is answered with 503,
//!   and that it was not tried, since each operation might wait for as long as the first.
//! - A result has a `response` where it is an error, and none otherwise.
//! - A request that is dropped, or a server that stops, leaves the operations made so far; within a
//!   circle also resources that lack their references.
//!
//! # Requests that are dropped
//!
//! A server drops the future of [`Service::call`] when the client leaves, at whatever it waits for.
//! Nothing is half-written then, since each write is one call of the store, and that is all or nothing;
//! nothing is held, since nothing is kept from one call of the store to the next but a
//! [hold](crate::Store::hold), which ends with the future. The write that was
//! under way may have been made or not, as with any connection that breaks off. Of a bulk request, what
//! comes later is not made. Who wants each request that was received to be finished runs it in a task
//! of its own, as the example `provider` does with those that change something.
//!
//! # Spans
//!
//! With the feature `tracing`, `scim.request` (level `INFO`) is the span of a request, with these fields:
//!
//! | field | value |
//! |---|---|
//! | `method` | of the request |
//! | `route` | the path below the base URL, without identifiers: `/Users/{id}` |
//! | `operation`, `resource_type` | as in its [`Outcome`] |
//! | `tenant` | whose resources, once authenticated |
//! | `status`, `scim_type` | of the answer |
//! | `leniencies` | those that fired, with commas between them |
//!
//! In it are, on level `DEBUG`, `scim.parse` and `scim.validate`, `scim.store` for each call of the
//! store (`call`, `resource_type`), and `scim.operation` for each operation of a bulk request
//! (`method`, `resource_type`).
//!
//! No span has a header, a query string, an `id`, or anything of a body. What a store or an
//! authenticator says within a span is theirs.

mod all_types;
mod body;
mod bulk;
mod computed;
mod config;
mod content;
mod cursor;
mod discover;
mod groups;
mod list;
mod location;
mod me;
mod media_type;
mod member_types;
mod nul;
mod outcome;
mod parameters;
mod patch;
mod read;
mod references;
mod refs;
mod request_body;
mod resource_text;
pub(crate) mod respond;
mod route;
mod search;
mod spans;
mod text;
mod trail;
mod turns;
mod write;

pub use body::{BrokenOff, ResponseBody};
pub use config::{BulkLimits, Capabilities, Config, Environment, PatchResponse, ServiceLimits};
pub(crate) use location::BaseUrl;
pub use outcome::{Operation, Outcome};
pub use request_body::RequestBody;

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, header};

use self::content::Content;
use self::parameters::Parameters;
use self::refs::Refs;
use self::resource_text::Written;
use self::respond::{Failure, Reply};
use self::route::{BasePath, Route};
use self::spans::{RequestSpan, Step, Traced};
use self::text::Text;
use self::turns::Turns;
use crate::audit::Audit;
use crate::auth::{Authenticator, Principal};
use crate::error::quote;
use crate::membership::Hierarchy;
use crate::policy::{Context, Policy, StandardPolicy};
use crate::schema::ResourceSchema;
use crate::store::{Scope, Store};
use crate::value::Value;
use crate::{Error, ResourceId};

/// A SCIM service over a store, mounted wherever `http` types are spoken.
#[derive(Debug)]
pub struct Service<S, A, P = StandardPolicy> {
    store: Traced<S>,
    authenticator: A,
    policy: P,
    config: Config,
    environment: Environment,
    audit: Option<Audit>,
    base_path: BasePath,
    base_url: BaseUrl,
    hierarchy: Arc<Hierarchy>,
    // Of each resource type that has some, by its name.
    refs: Vec<(Box<str>, Arc<Refs>)>,
    turns: Turns,
}

impl<S: Store, A: Authenticator> Service<S, A> {
    /// A service over `store` for whom `authenticator` lets in.
    ///
    /// There is no service without an authenticator:
    ///
    /// ```compile_fail,E0061
    /// # use scim_core::{Config, Environment, MemoryStore, ResourceId, Service};
    /// # let config = Config::new("https://example.com".parse().unwrap());
    /// # let environment = Environment::new(|| jiff::Timestamp::UNIX_EPOCH, || ResourceId::new("1"));
    /// let service = Service::new(MemoryStore::new(), config, environment);
    /// ```
    pub fn new(store: S, authenticator: A, config: Config, environment: Environment) -> Self {
        let config = config.within(store.query_support());
        let (base_path, base_url) = (BasePath::of(&config.base_url), BaseUrl::of(&config.base_url));
        let hierarchy = groups::hierarchy(&config);
        let refs = config.registry.resource_types().filter_map(|schema| {
            let refs = Refs::of(&config.registry, &base_url, schema)?;
            Some((schema.name().into(), Arc::new(refs)))
        });
        let refs = refs.collect();
        Self {
            store: spans::traced(store),
            authenticator,
            policy: StandardPolicy,
            config,
            environment,
            audit: None,
            base_path,
            base_url,
            hierarchy,
            refs,
            turns: Turns::default(),
        }
    }
}

impl<S: Store, A: Authenticator, P: Policy> Service<S, A, P> {
    /// The same service with another policy.
    pub fn with_policy<Q: Policy>(self, policy: Q) -> Service<S, A, Q> {
        Service {
            store: self.store,
            authenticator: self.authenticator,
            policy,
            config: self.config,
            environment: self.environment,
            audit: self.audit,
            base_path: self.base_path,
            base_url: self.base_url,
            hierarchy: self.hierarchy,
            refs: self.refs,
            turns: self.turns,
        }
    }

    /// The same service with an audit trail, besides the one that its store may keep.
    #[must_use]
    pub fn with_audit(self, audit: Audit) -> Self {
        Self { audit: Some(audit), ..self }
    }

    /// What the service was told when it was built, without what its store does not answer.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Answers one request. Never fails: what goes wrong is a SCIM error response.
    ///
    /// The path is the request's whole path; the part of the configured base URL is taken off. The
    /// response carries an [`Outcome`] in its extensions.
    ///
    /// The body is there as a whole, of one reading of the store, however long it is:
    /// [`call_in_pieces`](Self::call_in_pieces) is for whoever serves large lists and groups.
    pub async fn call(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.begin(request.map(RequestBody::from), Extent::Whole).await.0
    }

    /// Answers one request as [`call`](Self::call) does, with a body that is written as the client takes
    /// it, so that the memory a response takes does not grow with it: see [In pieces](self#in-pieces). The body of
    /// the request is there as [`Bytes`], or is [read](RequestBody::read_by) when it is needed.
    pub async fn call_in_pieces<B: Into<RequestBody>>(
        self: &Arc<Self>,
        request: Request<B>,
    ) -> Response<ResponseBody> {
        let (response, rest) = self.begin(request.map(Into::into), Extent::Pieces).await;
        response.map(|first| match rest {
            Some((content, text)) => ResponseBody::new(first, Arc::clone(self), content, text),
            None => first.into(),
        })
    }

    /// The response with the first part of its body, and what comes behind that.
    async fn begin(
        &self,
        request: Request<RequestBody>,
        extent: Extent,
    ) -> (Response<Bytes>, Option<(Content, Text)>) {
        let (head, body) = request.into_parts();
        let span = RequestSpan::new(&head.method);
        let answered = span.run(self.answered(&head, body, extent, &span));
        let (mut response, outcome, rest) = answered.await;
        span.ended(response.status(), &outcome);
        response.extensions_mut().insert(outcome);
        (response, rest)
    }

    async fn answered(
        &self,
        head: &Parts,
        body: RequestBody,
        extent: Extent,
        span: &RequestSpan,
    ) -> (Response<Bytes>, Outcome, Option<(Content, Text)>) {
        let mut outcome = Outcome { request: head.extensions.get().cloned(), ..Outcome::default() };
        let begun = match self.answer(head, body, extent, &mut outcome, span).await {
            Ok(reply) => self.begin_body(reply, extent).await,
            Err(failure) => Err(failure),
        };
        let (mut response, mut rest) =
            begun.unwrap_or_else(|failure| (self.refuse(failure, &mut outcome), None));
        if let Some(location) = &outcome.alias_of {
            respond::set(&mut response, header::LOCATION, location);
        }
        outcome.status = Some(response.status());
        self.record_rest(&mut outcome).await;
        if head.method == Method::HEAD && !response.body().is_empty() {
            let length = response.body().len().into();
            if rest.take().is_none() {
                response.headers_mut().insert(header::CONTENT_LENGTH, length);
            }
            *response.body_mut() = Bytes::new();
        }
        (response, outcome, rest)
    }

    async fn begin_body(
        &self,
        reply: Reply,
        extent: Extent,
    ) -> Result<(Response<Bytes>, Option<(Content, Text)>), Failure> {
        let (mut response, content) = reply.into_parts(self.config.capabilities.etag);
        let Some(mut content) = content else { return Ok((response, None)) };
        let enough = match extent {
            Extent::Whole => usize::MAX,
            Extent::Pieces => ResponseBody::PART,
        };
        let mut text = Text::with_capacity(SHORT_BODY);
        let written = content.write(self, &mut text, enough).await?;
        *response.body_mut() = text.take();
        Ok((response, (written == Written::Part).then_some((content, text))))
    }

    async fn answer(
        &self,
        head: &Parts,
        body: RequestBody,
        extent: Extent,
        outcome: &mut Outcome,
        span: &RequestSpan,
    ) -> Result<Reply, Failure> {
        let principal = self.authenticator.authenticate(head).await.map_err(Failure::Unauthenticated)?;
        outcome.principal = Some(principal.clone());

        let route = Route::find(&self.config, &self.base_path, head.uri.path()).ok_or_else(|| {
            let detail = format!("{} is no endpoint of this service", quote(head.uri.path()));
            Error::new(StatusCode::NOT_FOUND, detail)
        })?;
        span.routed(&route);
        check_method(&self.config, &route, &head.method)?;
        let query = self.checked_query(head)?;
        let body = body.read().await?;

        match route {
            Route::NotImplemented(endpoint) => Err(not_supported(endpoint)),
            Route::Me => Box::pin(self.me(head, &principal, query, &body, extent, outcome)).await,
            Route::Bulk(limits) => {
                outcome.operation = Some(Operation::Bulk);
                Box::pin(self.bulk(head, &principal, &body, limits, outcome)).await
            }
            Route::Search(schema) => {
                self.check_body(head, &body)?;
                let body = self.parsed(&body)?;
                Box::pin(self.search(schema.as_deref(), &principal, body, extent, outcome)).await
            }
            Route::Root => Box::pin(self.list_all(query, &principal, extent, outcome)).await,
            Route::Discovery(endpoint) => self.discover(&endpoint, query, outcome),
            Route::Collection(schema) => {
                outcome.asked(&schema, Operation::of(&head.method, false));
                self.check_body(head, &body)?;
                let call = Call { extent, ..Call::new(head, &schema, &principal, query, outcome)? };
                self.on_resources(call, None, Body::Text(&body)).await
            }
            Route::Resource(schema, id) => {
                outcome.asked(&schema, Operation::of(&head.method, true));
                outcome.resource = Some(id.clone());
                self.check_body(head, &body)?;
                let call = Call { extent, ..Call::new(head, &schema, &principal, query, outcome)? };
                self.on_resources(call, Some(&id), Body::Text(&body)).await
            }
        }
    }

    /// A request on the resources of a type, or on the one that `id` names. What writes is on the heap: its many
    /// steps would otherwise be room that each reading request takes as well, and moves.
    async fn on_resources(
        &self,
        call: Call<'_>,
        id: Option<&ResourceId>,
        body: Body<'_>,
    ) -> Result<Reply, Failure> {
        let parsed = |body| match body {
            Body::Text(text) => self.parsed(text),
            Body::Parsed(value) => Ok(value),
        };
        match (id, &call.head.method) {
            (None, &Method::POST) => Box::pin(self.create(call, parsed(body)?)).await,
            (None, _) => self.list(call).await,
            (Some(id), &Method::PUT) => Box::pin(self.replace(call, id, parsed(body)?)).await,
            (Some(id), &Method::PATCH) => Box::pin(self.patch(call, id, parsed(body)?)).await,
            (Some(id), &Method::DELETE) => Box::pin(self.delete(call, id)).await,
            (Some(id), _) => self.read(call, id).await,
        }
    }

    fn checked_query<'h>(&self, head: &'h Parts) -> Result<&'h str, Error> {
        let query = head.uri.query().unwrap_or_default();
        let limit = self.config.limits.max_query_bytes;
        if query.len() > limit {
            let detail = format!("the query string is longer than {limit} bytes");
            return Err(Error::new(StatusCode::URI_TOO_LONG, detail));
        }
        Ok(query)
    }

    /// Media type and size of a body; one that comes with another method means nothing.
    fn check_body(&self, head: &Parts, body: &[u8]) -> Result<(), Error> {
        if ![Method::POST, Method::PUT, Method::PATCH].contains(&head.method) {
            return Ok(());
        }
        media_type::check(&head.headers)?;
        let limit = self.config.limits.max_body_bytes;
        if body.len() > limit {
            let detail = format!("the body is longer than {limit} bytes");
            return Err(Error::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
        Ok(())
    }

    fn parsed(&self, body: &[u8]) -> Result<Value, Error> {
        spans::step(Step::Parse, || {
            nul::refuse_body(body, &self.config.limits.json)?;
            Ok(Value::from_slice(body, &self.config.limits.json)?)
        })
    }

    fn refuse(&self, failure: Failure, outcome: &mut Outcome) -> Response<Bytes> {
        let (status, body) = self.told(&failure, outcome);
        let mut response = respond::respond(status, Some(&body));
        match &failure {
            Failure::Unauthenticated(error) if status == StatusCode::UNAUTHORIZED => {
                let challenge = self.authenticator.challenge(*error);
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            }
            Failure::MethodNotAllowed { allow, .. } => respond::set(&mut response, header::ALLOW, allow),
            _ => {}
        }
        if let Some(wait) = self.config.retry_after.filter(|_| status == StatusCode::SERVICE_UNAVAILABLE) {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        outcome.cause = failure.into_cause();
        response
    }

    /// What the client is told of a failure: the status, and the body of the error.
    fn told(&self, failure: &Failure, outcome: &mut Outcome) -> (StatusCode, Value) {
        let named = outcome.resource_type.as_deref().zip(outcome.resource.as_ref());
        let error = failure.error(named);
        outcome.error = Some(error.clone());
        let error = self.policy.restate_for(outcome, error);
        outcome.told = Some(error.clone());
        (error.status(), self.policy.render_error(&error))
    }
}

/// Refuses a method that the route does not know, or that is switched off.
fn check_method(config: &Config, route: &Route, method: &Method) -> Result<(), Failure> {
    let patch = config.capabilities.patch;
    if !route.knows(method) {
        return Err(Failure::MethodNotAllowed { method: method.to_string(), allow: route.allow(patch) });
    }
    match route {
        Route::Resource(..) if *method == Method::PATCH && !patch => Err(not_supported("PATCH")),
        _ => Ok(()),
    }
}

/// The refusal of what the protocol has and this service, as configured, has not.
fn not_supported(what: &str) -> Failure {
    Error::new(StatusCode::NOT_IMPLEMENTED, format!("`{what}` is not supported")).into()
}

/// The body of a request: as it came, or as a bulk request had it.
enum Body<'a> {
    Text(&'a [u8]),
    Parsed(Value),
}

/// One request on resources of a type, authenticated and routed.
struct Call<'a> {
    head: &'a Parts,
    context: Context<'a>,
    parameters: Parameters,
    outcome: &'a mut Outcome,
    in_bulk: bool,
    extent: Extent,
}

/// How much of an answer is there at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    Whole,
    Pieces,
}

impl<'a> Call<'a> {
    fn new(
        head: &'a Parts,
        schema: &'a ResourceSchema,
        principal: &'a Principal,
        query: &str,
        outcome: &'a mut Outcome,
    ) -> Result<Self, Error> {
        outcome.resource_type = Some(schema.name().to_owned());
        Ok(Self {
            head,
            context: Context::new(schema, principal),
            parameters: Parameters::parse(query)?,
            outcome,
            in_bulk: false,
            extent: Extent::Whole,
        })
    }

    fn schema(&self) -> &'a ResourceSchema {
        self.context.schema
    }

    fn scope(&self) -> Scope<'a> {
        Scope { tenant: &self.context.principal.tenant, schema: self.context.schema }
    }

    fn begin(&mut self, operation: Operation, resource: Option<&ResourceId>) {
        self.outcome.operation = Some(operation);
        if resource.is_some() {
            self.outcome.resource = resource.cloned();
        }
    }
}

/// Room for an answer with one resource, so that it is written without being moved.
const SHORT_BODY: usize = 2048;
