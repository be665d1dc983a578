//! The paths that are served.

use serde_json::{Map, Value as Json, json};

use super::operation::{Operation, condition, id, listing, projection};
use super::{component, example};
use crate::schema::ResourceSchema;
use crate::service::Config;

/// Every path below the base URL.
pub(super) fn paths(config: &Config, me: Option<&str>) -> Json {
    let mut paths = Map::new();
    for (index, schema) in config.registry.resource_types().enumerate() {
        let of = Endpoint { config, name: component(index, schema.name()), schema };
        of.describe(&mut paths);
        if me == Some(schema.name()) {
            paths.insert("/Me".to_owned(), of.me());
        }
    }
    let all = |verb: &str, summary: &str| Operation::new("Protocol", verb, summary);
    if config.capabilities.search {
        let list = all("list", "Resources of every type")
            .query(listing(config, COMMON))
            .answer(200, "Resource.list");
        paths.insert("/".to_owned(), json!({ "get": list.into_json() }));
        let search = all("search", "Resources of every type, by a query in the body");
        let search = search.body("SearchRequest").answer(200, "Resource.list");
        paths.insert("/.search".to_owned(), json!({ "post": search.into_json() }));
    }
    if config.capabilities.bulk.is_some() {
        let bulk = all("bulk", "Several operations").body("BulkRequest").answer(200, "BulkResponse");
        paths.insert("/Bulk".to_owned(), json!({ "post": bulk.into_json() }));
    }
    for (path, verb, summary, answer) in [
        ("/ServiceProviderConfig", "config", "What the service offers", "ServiceProviderConfig"),
        ("/ResourceTypes", "types", "The resource types", "ResourceType.list"),
        ("/Schemas", "schemas", "The schemas of the resource types", "Schema.list"),
    ] {
        let operation = all(verb, summary).query([]).answer(200, answer);
        paths.insert(path.to_owned(), json!({ "get": operation.into_json() }));
    }
    let types: Vec<&str> = config.registry.resource_types().map(|schema| schema.name()).collect();
    let schemas: Vec<&str> = config.registry.schemas().map(|schema| schema.id.as_str()).collect();
    for (path, verb, summary, answer, id) in [
        ("/ResourceTypes/{id}", "type", "A resource type", "ResourceType", id("Its name.", &types)),
        ("/Schemas/{id}", "schema", "A schema", "Schema", id("Its URI.", &schemas)),
    ] {
        if path == "/ResourceTypes/{id}" && !config.capabilities.resource_type_by_name {
            continue;
        }
        let operation = all(verb, summary).query([]).parameters([id]).answer(200, answer).refusals(&[404]);
        paths.insert(path.to_owned(), json!({ "get": operation.into_json() }));
    }
    Json::Object(paths)
}

/// The component that names the attributes of every resource type.
const COMMON: &str = "Resource.attribute";

/// The endpoint of a resource type.
struct Endpoint<'c> {
    config: &'c Config,
    name: String,
    schema: &'c ResourceSchema,
}

impl Endpoint<'_> {
    fn describe(&self, paths: &mut Map<String, Json>) {
        let (config, name) = (self.config, &self.name);
        let endpoint = &self.schema.resource_type().endpoint;
        let attribute = format!("{name}.attribute");
        let list = self.operation("list", "Resources of the type");
        let list = list.query(listing(config, &attribute)).answer(200, &format!("{name}.list"));
        let create = self.operation("create", "Creates a resource").query(projection(&attribute));
        let create = create
            .body(format!("{name}.create"))
            .examples([("least".to_owned(), example::resource(self.schema))])
            .resource(201, name, config, &self.links())
            .empty(204)
            .refusals(&[409]);
        paths.insert(endpoint.clone(), json!({ "get": list.into_json(), "post": create.into_json() }));
        if config.capabilities.search {
            let search = self.operation("search", "Resources of the type, by a query in the body");
            let search = search.body(format!("{name}.search")).answer(200, &format!("{name}.list"));
            paths.insert(format!("{endpoint}/.search"), json!({ "post": search.into_json() }));
        }
        let on_one = |verb: &str, summary: &str| {
            self.operation(verb, summary).parameters([id("Its `id`.", &[])]).refusals(&[404])
        };
        paths.insert(format!("{endpoint}/{{id}}"), self.one(on_one));
    }

    /// The operations on the resource that the credential stands for (RFC 7644 §3.11).
    fn me(&self) -> Json {
        let on_me = |verb: &str, summary: &str| {
            let summary = format!("{summary}: that which the credential stands for");
            Operation::of(&self.name, format!("Me.{verb}"), summary).refusals(&[404])
        };
        let mut me = self.one(on_me);
        let create = on_me("create", "Creates a resource")
            .query(projection(&format!("{}.attribute", self.name)))
            .body(format!("{}.create", self.name))
            .resource(201, &self.name, self.config, &[])
            .empty(204)
            .refusals(&[409]);
        if let Some(members) = me.as_object_mut() {
            members.insert("post".to_owned(), create.into_json());
        }
        me
    }

    /// The operations on one resource.
    fn one(&self, on_one: impl Fn(&str, &str) -> Operation) -> Json {
        let (config, name) = (self.config, &self.name);
        let attribute = format!("{name}.attribute");
        let conditions = || [condition("If-Match"), condition("If-None-Match")];
        let changes = |operation: Operation| operation.parameters(conditions()).refusals(&[409, 412]);
        let read = on_one("read", "A resource").query(projection(&attribute)).parameters(conditions());
        let read = read.resource(200, name, config, &[]).empty(304).refusals(&[412]);
        let replace = changes(on_one("replace", "Replaces a resource")).query(projection(&attribute));
        let replace = replace.body(format!("{name}.replace")).resource(200, name, config, &[]).empty(204);
        let delete = changes(on_one("delete", "Deletes a resource")).query([]).empty(204);
        let mut one = json!({
            "get": read.into_json(),
            "put": replace.into_json(),
            "delete": delete.into_json(),
        });
        if let (true, Some(members)) = (config.capabilities.patch, one.as_object_mut()) {
            let patch = changes(on_one("patch", "Changes a resource")).query(projection(&attribute));
            // 204 also where the resource was deleted before it could be read.
            let patch = patch.body(format!("{name}.patch")).examples(example::patches(self.schema));
            let patch = patch.resource(200, name, config, &[]).empty(204);
            members.insert("patch".to_owned(), patch.into_json());
        }
        one
    }

    fn operation(&self, verb: &str, summary: &str) -> Operation {
        Operation::new(&self.name, verb, summary)
    }

    /// What can be done with a resource that was created.
    fn links(&self) -> Vec<(&'static str, String)> {
        let mut verbs = vec!["read", "replace", "delete"];
        if self.config.capabilities.patch {
            verbs.push("patch");
        }
        verbs.into_iter().map(|verb| (verb, format!("{}.{verb}", self.name))).collect()
    }
}
