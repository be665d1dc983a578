//! The operations of a bulk request as far as each can be read by itself, and what they wait for.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use http::uri::PathAndQuery;

use super::plan::{Need, Node};
use super::references::{Resolve, in_attribute, in_patch, in_resource, referred};
use super::split;
use crate::error::quote;
use crate::message::{BulkMethod, BulkOperation, InvalidOperation};
use crate::schema::ResourceSchema;
use crate::service::location::path_of;
use crate::service::respond::Failure;
use crate::service::route::{BasePath, Route};
use crate::service::{Config, check_method};
use crate::value::Value;
use crate::{Error, ResourceId, ScimType};

/// An operation: what the answer repeats of it, and what it asks for.
pub(super) struct Told {
    pub(super) method: Option<Box<str>>,
    pub(super) bulk_id: Option<Box<str>>,
    /// The path of the resource, as far as it is known.
    pub(super) path: Option<Box<str>>,
    /// Taken when the operation is made.
    pub(super) asked: Option<Result<Asked, Failure>>,
}

/// What an operation asks for: a POST to the resources of a type, or a PUT, PATCH or DELETE of one.
pub(super) struct Asked {
    pub(super) method: BulkMethod,
    pub(super) schema: Arc<ResourceSchema>,
    /// The resource; `bulkId:qwerty` until the reference is resolved.
    pub(super) id: Option<ResourceId>,
    /// The path as sent, if it has no reference.
    sent: Option<Box<str>>,
    pub(super) version: Option<Box<str>>,
    pub(super) data: Value,
}

/// The operations, and what each waits for.
///
/// A POST waits for the creations it refers to; so does another operation, which also comes after
/// those before it that are about the same resource.
pub(super) fn read(
    config: &Config,
    operations: Vec<Result<BulkOperation, InvalidOperation>>,
) -> (Vec<Told>, Vec<Node>) {
    let mut operations: Vec<Told> =
        operations.into_iter().map(|operation| Told::read(config, operation)).collect();
    let creators = creators(&mut operations);
    let mut latest = HashMap::new();
    let mut nodes = Vec::with_capacity(operations.len());
    for (index, told) in operations.iter_mut().enumerate() {
        let node = told.node(&creators);
        let about = told.asked.as_ref().and_then(|asked| asked.as_ref().ok()?.about());
        let before = about.and_then(|about| latest.insert(about, index));
        nodes.push(node);
        if let Some(node) = nodes.last_mut() {
            node.after.extend(before);
        }
    }
    (operations, nodes)
}

/// The operation that creates what a `bulkId` stands for. One that several POSTs have stands for
/// nothing: they are all refused.
fn creators(operations: &mut [Told]) -> HashMap<Box<str>, usize> {
    let mut creators = HashMap::new();
    let mut repeated = Vec::new();
    for (index, told) in operations.iter().enumerate() {
        let posts = told.method.as_deref() == Some(BulkMethod::Post.as_str());
        let Some(bulk_id) = told.bulk_id.clone().filter(|_| posts) else { continue };
        match creators.entry(bulk_id) {
            Entry::Vacant(vacant) => drop(vacant.insert(index)),
            Entry::Occupied(occupied) => repeated.extend([*occupied.get(), index]),
        }
    }
    for index in repeated {
        if let Some(told) = operations.get_mut(index) {
            let bulk_id = quote(told.bulk_id.as_deref().unwrap_or_default());
            let detail = format!("bulkId: {bulk_id} is given to several operations of this request");
            told.asked = Some(Err(Error::bad_request(ScimType::InvalidValue, detail).into()));
        }
    }
    creators
}

impl Told {
    fn read(config: &Config, operation: Result<BulkOperation, InvalidOperation>) -> Self {
        match operation {
            Ok(operation) => Self {
                method: Some(operation.method.as_str().into()),
                bulk_id: operation.bulk_id.clone(),
                path: known(&operation.path),
                asked: Some(Asked::read(config, operation)),
            },
            Err(invalid) => Self {
                method: invalid.method,
                bulk_id: invalid.bulk_id,
                path: invalid.path.as_deref().and_then(known),
                asked: Some(Err(invalid.error.into())),
            },
        }
    }

    /// What the operation waits for; one that refers to what no operation creates is refused.
    fn node(&mut self, creators: &HashMap<Box<str>, usize>) -> Node {
        let mut node = Node::default();
        let Some(Ok(asked)) = &mut self.asked else { return node };
        let mut undefined = None;
        asked.each_reference(&mut |bulk_id, need| match (creators.get(bulk_id), need) {
            (Some(creator), Some(deferrable)) => node.needs.push(Need { operation: *creator, deferrable }),
            (Some(creator), None) => node.after.push(*creator),
            (None, _) => drop(undefined.get_or_insert_with(|| bulk_id.to_owned())),
        });
        let Some(bulk_id) = undefined else { return node };
        let reference = quote(&format!("bulkId:{bulk_id}"));
        let detail = format!("{reference} refers to no POST of this request");
        self.asked = Some(Err(Error::bad_request(ScimType::InvalidValue, detail).into()));
        Node::default()
    }
}

/// The refusal of a method, with those that an operation of a bulk request can have there.
fn in_bulk(failure: Failure, of_one: bool) -> Failure {
    match failure {
        Failure::MethodNotAllowed { method, allow } => {
            let allow = match (of_one, allow.contains("PATCH")) {
                (false, _) => "POST",
                (true, true) => "PUT, PATCH, DELETE",
                (true, false) => "PUT, DELETE",
            };
            Failure::MethodNotAllowed { method, allow }
        }
        other => other,
    }
}

/// The path that is told of an operation which could not be read: if it is one, without reference.
fn known(path: &str) -> Option<Box<str>> {
    let last = path.rsplit('/').next().unwrap_or_default();
    (is_path(path) && referred(last).is_none()).then(|| path.into())
}

/// Whether this is a path below the base URL, without a query string.
fn is_path(path: &str) -> bool {
    path.starts_with('/') && !path.contains(['?', '#']) && path.parse::<PathAndQuery>().is_ok()
}

impl Asked {
    fn read(config: &Config, operation: BulkOperation) -> Result<Self, Failure> {
        let BulkOperation { method, path, bulk_id: _, version, data } = operation;
        if !is_path(&path) {
            let detail = format!("path: {} is no path below the base URL, such as `/Users`", quote(&path));
            return Err(Error::bad_request(ScimType::InvalidSyntax, detail).into());
        }
        let route = Route::find(config, &BasePath::EMPTY, &path).ok_or_else(|| {
            let detail = format!("path: {} is no endpoint of this service", quote(&path));
            Error::new(http::StatusCode::NOT_FOUND, detail)
        })?;
        let (schema, id) = match &route {
            Route::Collection(schema) => (schema.clone(), None),
            Route::Resource(schema, id) => (schema.clone(), Some(id.clone())),
            _ => {
                let detail =
                    format!("path: {} is no endpoint of a resource type and no resource", quote(&path));
                return Err(Error::bad_request(ScimType::InvalidValue, detail).into());
            }
        };
        check_method(config, &route, &method.into()).map_err(|failure| in_bulk(failure, id.is_some()))?;
        if let Some(data) =
            data.as_ref().filter(|data| method != BulkMethod::Delete && data.as_object().is_none())
        {
            let detail = format!("data: must be an object, not {}", data.kind());
            return Err(Error::bad_request(ScimType::InvalidSyntax, detail).into());
        }
        let refers = id.as_ref().is_some_and(|id| referred(id.as_str()).is_some());
        let data = data.filter(|_| method != BulkMethod::Delete).unwrap_or_default();
        Ok(Self { method, schema, id, sent: (!refers).then_some(path), version, data })
    }

    /// The path below the base URL.
    pub(super) fn path(&self) -> String {
        let endpoint = &self.schema.resource_type().endpoint;
        match (&self.sent, &self.id) {
            (Some(sent), _) => sent.to_string(),
            (None, Some(id)) => path_of(endpoint, id.as_str()),
            (None, None) => endpoint.clone(),
        }
    }

    /// The resource it is about, however its path is written.
    fn about(&self) -> Option<(Box<str>, ResourceId)> {
        Some((self.schema.name().into(), self.id.clone()?))
    }

    /// Calls `found` with each `bulkId` that is referred to, and, where that is from the data of a
    /// POST, whether the resource can be created without the reference.
    fn each_reference(&mut self, found: &mut dyn FnMut(&str, Option<bool>)) {
        if let Some(bulk_id) = self.reference() {
            found(&bulk_id, None);
        }
        match self.method {
            BulkMethod::Post => {
                split::attributes(&self.schema, &mut self.data, &mut |attribute, value, deferrable| {
                    in_attribute(attribute, value, &mut |bulk_id| {
                        found(bulk_id, Some(deferrable));
                        None
                    });
                });
            }
            _ => self.resolve_data(&mut |bulk_id| {
                found(bulk_id, None);
                None
            }),
        }
    }

    /// Resolves the references in path and data.
    pub(super) fn resolve(&mut self, resolve: &mut Resolve<'_>) {
        if let Some(id) = self.reference().and_then(|bulk_id| resolve(&bulk_id)) {
            self.id = Some(ResourceId::new(id));
        }
        self.resolve_data(resolve);
    }

    fn resolve_data(&mut self, resolve: &mut Resolve<'_>) {
        match self.method {
            BulkMethod::Post | BulkMethod::Put => in_resource(&self.schema, &mut self.data, resolve),
            BulkMethod::Patch => in_patch(&self.schema, &mut self.data, resolve),
            BulkMethod::Delete => {}
        }
    }

    /// The `bulkId` that the path refers to.
    fn reference(&self) -> Option<String> {
        let id = self.id.as_ref().filter(|_| self.sent.is_none())?;
        referred(id.as_str()).map(str::to_owned)
    }
}
