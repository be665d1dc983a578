//! POST of `/Bulk` (RFC 7644 §3.7): several operations in one request.
//!
//! Each operation is made as the request it stands for: authorized, judged by the policy, with the
//! leniencies and limits of any other request, all or nothing. The bulk request as a whole is not:
//! what was made before an error stays (§3.7: "continue performing as many changes as possible").
//!
//! Which operation comes when, [`plan`] says. Resources that refer to one another in a circle are
//! created together or not at all: where one of them cannot be, those already made are taken back
//! before anything else of the bulk request can name them. Once the store did not answer, it is not asked again:
//! what is left is refused without, since each operation might wait for as long. Whoever stops the service within a circle
//! may leave resources that lack their reference, as after any sequence of requests broken off.

mod circle;
mod operation;
mod plan;
mod references;
mod split;

use std::collections::HashMap;

use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, StatusCode, Uri, header};

use self::operation::{Asked, Told};
use self::plan::Unit;
use self::references::referred;
use super::outcome::{Operation, Outcome};
use super::respond::{Failure, Reply};
use super::{Body, BulkLimits, Call, Service, media_type, spans};
use crate::audit::{BulkPlace, RequestId};
use crate::auth::{Authenticator, Principal};
use crate::error::quote;
use crate::message::{BulkMethod, BulkRequest, BulkResponse, BulkResult};
use crate::policy::Policy;
use crate::schema::ResourceSchema;
use crate::store::Store;
use crate::{Error, ResourceId, ScimType};

impl<S: Store, A: Authenticator, P: Policy> Service<S, A, P> {
    pub(super) async fn bulk(
        &self,
        head: &Parts,
        principal: &Principal,
        body: &[u8],
        limits: BulkLimits,
        outcome: &mut Outcome,
    ) -> Result<Reply, Failure> {
        media_type::check(&head.headers)?;
        if body.len() > limits.max_payload_size {
            let limit = limits.max_payload_size;
            let detail = format!("the size of the bulk operation exceeds the maxPayloadSize ({limit})");
            return Err(Error::new(StatusCode::PAYLOAD_TOO_LARGE, detail).into());
        }
        let mut fired = Vec::new();
        let leniencies = &self.config.leniencies;
        let request = BulkRequest::parse(self.parsed(body)?, limits.max_operations, leniencies, &mut fired)?;
        outcome.note(&fired);

        let most_errors = request.fail_on_errors.unwrap_or(usize::MAX);
        let (operations, nodes) = operation::read(&self.config, request.operations);
        let mut bulk = Bulk {
            service: self,
            head,
            principal,
            request: outcome.request.clone(),
            done: operations.iter().map(|_| None).collect(),
            operations,
            ids: HashMap::new(),
            errors: 0,
            store_is_silent: false,
            takes_nothing_back: false,
        };
        for unit in plan::plan(&nodes) {
            if bulk.errors >= most_errors {
                break;
            }
            match unit {
                Unit::One(_) | Unit::Circle(_) if bulk.store_is_silent => bulk.leave(unit.operations()),
                Unit::One(operation) => bulk.make(operation).await,
                Unit::Circle(order) => bulk.make_circle(order).await,
                Unit::Knot(operations) => bulk.refuse_knot(operations),
            }
        }
        let mut response = BulkResponse { operations: Vec::with_capacity(bulk.done.len()) };
        for (result, of_operation) in bulk.done.into_iter().flatten() {
            response.operations.push(result);
            outcome.operations.push(of_operation);
        }
        Ok(Reply::ok(response.into_value()))
    }
}

/// A bulk request being made.
struct Bulk<'a, S, A, P> {
    service: &'a Service<S, A, P>,
    head: &'a Parts,
    principal: &'a Principal,
    request: Option<RequestId>,
    operations: Vec<Told>,
    /// What the `bulkId`s stand for, as far as it was created.
    ids: HashMap<Box<str>, ResourceId>,
    /// What became of each operation, once it was made.
    done: Vec<Option<(BulkResult, Outcome)>>,
    errors: usize,
    /// Whether the store did not answer an operation.
    store_is_silent: bool,
    /// Whether it did not answer a deletion of what is to be taken back.
    takes_nothing_back: bool,
}

impl<S: Store, A: Authenticator, P: Policy> Bulk<'_, S, A, P> {
    /// Makes one operation whose references are created, or never will be.
    async fn make(&mut self, operation: usize) {
        let mut outcome = self.outcome(operation);
        let made = match self.take(operation) {
            Ok(asked) => self.try_make(operation, asked, &mut outcome).await,
            Err(failure) => Err(failure),
        };
        self.conclude(operation, made, outcome);
    }

    async fn try_make(
        &mut self,
        operation: usize,
        mut asked: Asked,
        outcome: &mut Outcome,
    ) -> Result<Reply, Failure> {
        self.resolve(operation, &mut asked, |_| false)?;
        let creates = asked.method == BulkMethod::Post;
        let reply = self.send(asked, outcome).await?;
        if creates {
            self.know(operation, outcome.resource.clone());
        }
        Ok(reply)
    }

    /// Refuses operations without asking the store; those that cannot be made are told why.
    fn leave(&mut self, operations: &[usize]) {
        for operation in operations.iter().copied() {
            let outcome = self.outcome(operation);
            let failure = self.take(operation).map_or_else(|failure| failure, |_| not_tried().into());
            self.conclude(operation, Err(failure), outcome);
        }
    }

    /// What an operation asks for, or why it cannot be made.
    fn take(&mut self, operation: usize) -> Result<Asked, Failure> {
        let taken = self.operations.get_mut(operation).and_then(|told| told.asked.take());
        // INVARIANT: a plan has each operation once, so that it was not taken before.
        let twice = || Error::new(StatusCode::INTERNAL_SERVER_ERROR, "an operation is made once");
        taken.unwrap_or_else(|| Err(twice().into()))
    }

    /// Puts the ids of created resources in the place of references; those that `later` says yes
    /// to are left.
    ///
    /// A reference to what was not created is 409, as the circle that cannot be resolved is (§3.7.1).
    fn resolve(
        &mut self,
        operation: usize,
        asked: &mut Asked,
        later: impl Fn(&str) -> bool,
    ) -> Result<(), Error> {
        let mut missing = None;
        let mut find = |bulk_id: &str| {
            let id = self.ids.get(bulk_id);
            if id.is_none() && !later(bulk_id) {
                missing.get_or_insert_with(|| bulk_id.to_owned());
            }
            id.map(|id| id.as_str().to_owned())
        };
        asked.resolve(&mut find);
        if let Some(told) = self.operations.get_mut(operation) {
            told.path = missing.is_none().then(|| asked.path().into());
        }
        match missing {
            None => Ok(()),
            Some(bulk_id) => {
                let reference = quote(&format!("bulkId:{bulk_id}"));
                let detail =
                    format!("{reference} has no resource: the operation that creates it did not succeed");
                Err(Error::new(StatusCode::CONFLICT, detail))
            }
        }
    }

    /// Makes the request that an operation stands for.
    async fn send(&self, asked: Asked, outcome: &mut Outcome) -> Result<Reply, Failure> {
        let service = self.service;
        let head = self.head(asked.method.into(), &asked.path(), asked.version.as_deref())?;
        let allowed = service.authenticator.authorize_operation(self.principal, &head).await;
        allowed.map_err(Failure::Unauthenticated)?;
        let limit = service.config.limits.max_body_bytes;
        if asked.data.to_vec().len() > limit {
            let detail = format!("data: the body is longer than {limit} bytes");
            return Err(Error::new(StatusCode::PAYLOAD_TOO_LARGE, detail).into());
        }
        outcome.resource.clone_from(&asked.id);
        let call = self.call(&head, &asked.schema, outcome)?;
        let made = service.on_resources(call, asked.id.as_ref(), Body::Parsed(asked.data));
        spans::operation(&head.method, asked.schema.name(), made).await
    }

    fn call<'c>(
        &'c self,
        head: &'c Parts,
        schema: &'c ResourceSchema,
        outcome: &'c mut Outcome,
    ) -> Result<Call<'c>, Error> {
        let call = Call::new(head, schema, self.principal, "", outcome)?;
        Ok(Call { in_bulk: true, ..call })
    }

    /// The head of the request that an operation stands for: that of the bulk request, with the
    /// method, the path and the condition of the operation.
    fn head(&self, method: Method, path: &str, version: Option<&str>) -> Result<Parts, Error> {
        let invalid = |what: &str, text: &str| {
            Error::bad_request(ScimType::InvalidSyntax, format!("{what}: {} is not valid", quote(text)))
        };
        let mut head = self.head.clone();
        head.method = method;
        let base = head.uri.path().rsplit_once('/').map_or("", |(base, _)| base);
        let whole = format!("{base}{path}").parse::<PathAndQuery>().map_err(|_| invalid("path", path))?;
        let mut uri = head.uri.into_parts();
        uri.path_and_query = Some(whole);
        head.uri = Uri::from_parts(uri).map_err(|_| invalid("path", path))?;
        for name in [header::CONTENT_LENGTH, header::IF_MATCH, header::IF_NONE_MATCH] {
            head.headers.remove(name);
        }
        if let Some(version) = version {
            let value = HeaderValue::from_str(version).map_err(|_| invalid("version", version))?;
            head.headers.insert(header::IF_MATCH, value);
        }
        Ok(head)
    }

    /// The outcome of an operation, as far as it is known before it is made.
    fn outcome(&self, operation: usize) -> Outcome {
        let told = self.operations.get(operation);
        let asked = told.and_then(|told| told.asked.as_ref()?.as_ref().ok());
        let id = asked.and_then(|asked| asked.id.clone()).filter(|id| referred(id.as_str()).is_none());
        let method = told.and_then(|told| told.method.as_deref()).map(str::as_bytes);
        Outcome {
            principal: Some(self.principal.clone()),
            request: self.request.clone(),
            bulk: Some(BulkPlace { index: operation, bulk_id: told.and_then(|told| told.bulk_id.clone()) }),
            operation: method
                .and_then(|method| Method::from_bytes(method).ok())
                .map(|method| Operation::of(&method, true))
                .filter(|operation| operation.is_write()),
            resource_type: asked.map(|asked| asked.schema.name().to_owned()),
            resource: id,
            ..Outcome::default()
        }
    }

    /// Notes what the `bulkId` of an operation stands for from now on.
    fn know(&mut self, operation: usize, id: Option<ResourceId>) {
        let bulk_id = self.operations.get(operation).and_then(|told| told.bulk_id.clone());
        if let (Some(bulk_id), Some(id)) = (bulk_id, id) {
            self.ids.insert(bulk_id, id);
        }
    }

    /// Notes what became of an operation.
    fn conclude(&mut self, operation: usize, made: Result<Reply, Failure>, mut outcome: Outcome) {
        let (Some(told), Some(done)) = (self.operations.get_mut(operation), self.done.get_mut(operation))
        else {
            return;
        };
        let service = self.service;
        let location = told.path.take().map(|path| service.base_url.endpoint(&path));
        let mut result = BulkResult {
            location: location.filter(|_| told.method.as_deref() != Some(BulkMethod::Post.as_str())),
            method: told.method.take(),
            bulk_id: told.bulk_id.clone(),
            version: None,
            status: StatusCode::OK,
            response: None,
        };
        match made {
            Ok(reply) => {
                result.location = reply.location.or(result.location);
                result.version = reply.version.filter(|_| service.config.capabilities.etag);
                result.status = reply.status;
                outcome.status = Some(reply.status);
            }
            Err(failure) => {
                self.errors += 1;
                self.store_is_silent |= failure.is_silence();
                let (status, body) = service.told(&failure, &mut outcome);
                outcome.cause = failure.into_cause();
                (result.status, result.response) = (status, Some(body));
            }
        }
        *done = Some((result, outcome));
    }
}

/// The refusal of an operation after another one that the store did not answer.
fn not_tried() -> Error {
    let detail = "the operation was not tried: the service could not answer one before it; try again later";
    Error::new(StatusCode::SERVICE_UNAVAILABLE, detail)
}
