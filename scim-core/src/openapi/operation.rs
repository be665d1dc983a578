//! One operation: its parameters, its body, its answers.

use http::StatusCode;
use serde_json::{Map, Value as Json, json};

use super::{message, reference};
use crate::service::Config;

/// An operation that is put together.
pub(super) struct Operation {
    id: String,
    tag: String,
    summary: String,
    parameters: Vec<Json>,
    body: Option<String>,
    examples: Map<String, Json>,
    answers: Map<String, Json>,
}

impl Operation {
    pub(super) fn new(tag: &str, verb: &str, summary: impl Into<String>) -> Self {
        Self::of(tag, format!("{tag}.{verb}"), summary)
    }

    /// The operation `id`, which is of the tag.
    pub(super) fn of(tag: &str, id: String, summary: impl Into<String>) -> Self {
        let operation = Self {
            id,
            tag: tag.to_owned(),
            summary: summary.into(),
            parameters: Vec::new(),
            body: None,
            examples: Map::new(),
            answers: Map::new(),
        };
        // Whatever is asked for: who may not ask, and a service that cannot answer.
        operation.refusals(&[401, 403, 500, 503])
    }

    pub(super) fn parameters(mut self, parameters: impl IntoIterator<Item = Json>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    /// A query string is there, which may be wrong or too long.
    pub(super) fn query(self, parameters: impl IntoIterator<Item = Json>) -> Self {
        self.parameters(parameters).refusals(&[400, 414])
    }

    /// A body is there, which may be wrong, too long or of another type.
    pub(super) fn body(mut self, component: impl Into<String>) -> Self {
        self.body = Some(component.into());
        self.refusals(&[400, 413, 415])
    }

    /// Examples of the body, each with a name.
    pub(super) fn examples(mut self, examples: impl IntoIterator<Item = (String, Json)>) -> Self {
        self.examples.extend(examples.into_iter().map(|(name, value)| (name, json!({ "value": value }))));
        self
    }

    /// An answer with a body.
    pub(super) fn answer(mut self, status: u16, component: &str) -> Self {
        self.answers.insert(
            status.to_string(),
            json!({ "description": reason(status), "content": { SCIM_JSON: { "schema": reference(component) } } }),
        );
        self
    }

    /// An answer with a resource, and its headers.
    pub(super) fn resource(
        self,
        status: u16,
        component: &str,
        config: &Config,
        links: &[(&str, String)],
    ) -> Self {
        let mut headers = Map::new();
        if config.capabilities.etag {
            headers.insert("ETag".to_owned(), header("The version: `W/\"1\"`.", true));
        }
        headers.insert("Location".to_owned(), header("The URI of the resource.", true));
        let links: Map<String, Json> = links
            .iter()
            .map(|(name, operation)| {
                let link = json!({ "operationId": operation, "parameters": { "id": "$response.body#/id" } });
                ((*name).to_owned(), link)
            })
            .collect();
        let mut operation = self.answer(status, component);
        let answer = operation.answers.get_mut(&status.to_string()).and_then(Json::as_object_mut);
        if let Some(answer) = answer {
            answer.insert("headers".to_owned(), Json::Object(headers));
            if !links.is_empty() {
                answer.insert("links".to_owned(), Json::Object(links));
            }
        }
        operation
    }

    /// An answer without a body.
    pub(super) fn empty(mut self, status: u16) -> Self {
        self.answers.insert(status.to_string(), json!({ "description": reason(status) }));
        self
    }

    /// Errors.
    pub(super) fn refusals(mut self, statuses: &[u16]) -> Self {
        for status in statuses {
            self = self.answer(*status, "Error");
            let answer = self.answers.get_mut(&status.to_string()).and_then(Json::as_object_mut);
            let (name, header) = match status {
                401 => ("WWW-Authenticate", header("How to authenticate.", true)),
                503 => ("Retry-After", header("In how many seconds to try again.", false)),
                _ => continue,
            };
            if let Some(answer) = answer {
                answer.insert("headers".to_owned(), json!({ name: header }));
            }
        }
        self
    }

    pub(super) fn into_json(self) -> Json {
        let mut operation = json!({
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "responses": self.answers,
        });
        if let Some(members) = operation.as_object_mut() {
            if !self.parameters.is_empty() {
                members.insert("parameters".to_owned(), self.parameters.into());
            }
            if let Some(component) = self.body {
                let plain = json!({ "schema": reference(&component) });
                let mut scim = plain.clone();
                if let (false, Some(members)) = (self.examples.is_empty(), scim.as_object_mut()) {
                    members.insert("examples".to_owned(), Json::Object(self.examples));
                }
                let content = json!({ SCIM_JSON: scim, "application/json": plain });
                members.insert("requestBody".to_owned(), json!({ "required": true, "content": content }));
            }
        }
        operation
    }
}

const SCIM_JSON: &str = "application/scim+json";

/// `{id}` of a path, and those that are known.
pub(super) fn id(description: &str, known: &[&str]) -> Json {
    let any = json!({ "type": "string", "minLength": 1 });
    let schema = if known.is_empty() { any } else { json!({ "anyOf": [{ "enum": known }, any] }) };
    json!({ "name": "id", "in": "path", "required": true, "description": description, "schema": schema })
}

/// `attributes` and `excludedAttributes` (RFC 7644 §3.9), which exclude one another.
pub(super) fn projection(attribute: &str) -> [Json; 2] {
    let names = |name: &str, description: &str| {
        json!({
            "name": name,
            "in": "query",
            "description": description,
            "style": "form",
            "explode": false,
            "schema": { "type": "array", "items": reference(attribute) },
        })
    };
    [
        names(
            "attributes",
            "The attributes to answer with, and none besides; not with `excludedAttributes`.",
        ),
        names("excludedAttributes", "Attributes to leave out; not with `attributes`."),
    ]
}

/// What a list can be asked for (RFC 7644 §3.4.2, RFC 9865 §2).
pub(super) fn listing(config: &Config, attribute: &str) -> Vec<Json> {
    let query = |name: &str, description: &str, schema: Json| json!({ "name": name, "in": "query", "description": description, "schema": schema });
    let (_, most) = config.capabilities.page_sizes();
    let mut parameters = vec![
        query("filter", "Which resources: `userName eq \"bjensen\"`.", message::filter(config)),
        query("startIndex", "The place of the first resource, from 1.", json!({ "type": "integer" })),
        query(
            "count",
            &format!("The most resources; more than {most} is {most}."),
            json!({ "type": "integer" }),
        ),
    ];
    if config.capabilities.sort {
        parameters.push(query("sortBy", "The attribute to sort by.", reference(attribute)));
        parameters.push(query("sortOrder", "Ascending, if it is not said.", message::sort_order()));
    }
    if config.cursors.is_some() {
        let description =
            "The page to go on with, from the page before; empty for the first. Not with `startIndex`.";
        parameters.push(query("cursor", description, json!({ "type": "string" })));
    }
    parameters.extend(projection(attribute));
    parameters
}

/// A condition on the version (RFC 7644 §3.14, RFC 9110 §13.1).
pub(super) fn condition(name: &str) -> Json {
    json!({
        "name": name,
        "in": "header",
        "description": "Versions: `W/\"1\"`, or `*`.",
        "schema": { "type": "string" },
    })
}

fn header(description: &str, required: bool) -> Json {
    json!({ "description": description, "required": required, "schema": { "type": "string" } })
}

/// The reason phrase of a status.
fn reason(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default()
}
