//! Playing one vector: the state before, the request, the state after, and the request again.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::compare::{Normal, contains, differ, remove, walk};
use super::membership;
use super::{
    BASE_PATH, BASE_URL, ELSEWHERE, Given, List, SEEDED, Server, TENANT, TOKEN, TOKEN_ELSEWHERE, Then, Vector,
};

/// One vector being played.
pub(super) struct Run<'a, S> {
    pub(super) vector: &'a Vector,
    pub(super) given: &'a Given,
    pub(super) then: &'a Then,
    pub(super) server: &'a S,
    pub(super) problems: Vec<String>,
}

/// The given resources and totals as clients see them.
#[derive(Clone, Debug, PartialEq)]
struct State {
    resources: BTreeMap<String, Value>,
    elsewhere: BTreeMap<String, Value>,
    totals: BTreeMap<&'static str, u64>,
}

impl<S: Server> Run<'_, S> {
    pub(super) fn run(mut self) -> Vec<String> {
        self.seed();
        let before = self.state();
        self.check_given(&before);

        let answer = self.send();
        self.check_leniencies(&answer);
        let after = self.state();
        let expected = self.expected(&before, &after, &answer);
        self.compare("state", &expected.resources, &after.resources);
        self.compare("other tenant", &before.elsewhere, &after.elsewhere);
        self.compare("totals", &expected.totals, &after.totals);
        self.check_answer(&answer, &before, &after);

        let again = self.send();
        let last = self.state();
        self.check_again(&again, &before, &after, &last);
        self.problems
    }

    fn seed(&self) {
        let put = |tenant: &str, given: &Given| {
            for (endpoint, resources) in [("/Users", &given.users), ("/Groups", &given.groups)] {
                for resource in resources {
                    let mut resource = resource.clone();
                    membership::settle(&mut resource, &Value::Null, &self.groups());
                    for member in
                        resource.get_mut("members").and_then(Value::as_array_mut).into_iter().flatten()
                    {
                        remove(member, "$ref");
                    }
                    if let Some(manager) = resource.pointer_mut(membership::MANAGER) {
                        remove(manager, "$ref");
                    }
                    resource["meta"] = json!({
                        "resourceType": resource_type(endpoint),
                        "created": SEEDED,
                        "lastModified": SEEDED,
                        "version": "W/\"1\"",
                    });
                    self.server.seed(tenant, endpoint, resource);
                }
            }
        };
        put(TENANT, &with_crowd(self.given));
        if let Some(elsewhere) = &self.given.elsewhere {
            put(ELSEWHERE, elsewhere);
        }
    }

    fn send(&mut self) -> Answer {
        let response = self.server.send(self.vector.request());
        let leniencies = self.server.leniencies(&response);
        let answer = Answer { leniencies, ..Answer::from(response) };
        self.check_wire(&answer);
        answer
    }

    fn get(&self, path: &str, token: &str) -> Answer {
        let request = http::Request::builder()
            .uri(format!("{BASE_PATH}{path}"))
            .header("authorization", format!("Bearer {token}"));
        Answer::from(self.server.send(request.body(Bytes::new()).unwrap()))
    }

    fn state(&self) -> State {
        let of = |given: &Given, token: &str| {
            let paths = paths(given).into_iter();
            paths.map(|(path, _)| (path.clone(), self.get(&path, token).found())).collect()
        };
        let total = |endpoint| {
            let answer = self.get(&format!("{endpoint}?count=0"), TOKEN);
            (endpoint, answer.body["totalResults"].as_u64().unwrap_or_default())
        };
        State {
            resources: of(self.given, TOKEN),
            elsewhere: self
                .given
                .elsewhere
                .as_ref()
                .map(|given| of(given, TOKEN_ELSEWHERE))
                .unwrap_or_default(),
            totals: ["/Users", "/Groups"].map(total).into(),
        }
    }

    /// The given resources read back as they were given.
    fn check_given(&mut self, before: &State) {
        let given = paths(self.given).into_iter().map(|(path, resource)| (path, resource.clone()));
        let mut given: BTreeMap<String, Value> = given.collect();
        let groups = self.groups();
        given.values_mut().for_each(|resource| membership::settle(resource, &Value::Null, &groups));
        if !S::IS_PAGERDUTY {
            membership::complete(&mut given);
        }
        for (path, mut expected) in given {
            let meta = if !S::IS_PAGERDUTY {
                json!({
                    "resourceType": resource_type(&path),
                    "created": SEEDED,
                    "lastModified": SEEDED,
                    "version": "W/\"1\"",
                    "location": format!("{BASE_URL}{path}"),
                })
            } else {
                json!({"resourceType": resource_type(&path)})
            };
            expected["meta"] = meta;
            self.compare("given", &expected, &before.resources[&path]);
        }
    }

    /// The state `then` asks for.
    fn expected(&self, before: &State, after: &State, answer: &Answer) -> State {
        let mut expected = before.clone();
        for path in &self.then.deleted {
            expected.resources.insert(path.clone(), Value::Null);
            *expected.totals.get_mut(endpoint(path)).unwrap() -= 1;
        }
        for (path, attributes) in &self.then.changed {
            let resource = expected.resources.get_mut(path).unwrap().as_object_mut().unwrap();
            for (name, value) in attributes {
                match value {
                    Value::Null => resource.remove(name),
                    value => resource.insert(name.clone(), value.clone()),
                };
            }
            membership::settle(
                expected.resources.get_mut(path).unwrap(),
                &before.resources[path],
                &self.groups(),
            );
            let resource = expected.resources.get_mut(path).unwrap().as_object_mut().unwrap();
            if !S::IS_PAGERDUTY {
                let now = self.time(&after.resources[path]);
                resource["meta"]["lastModified"] = now;
                resource["meta"]["version"] = json!("W/\"2\"");
            }
        }
        let endpoint = endpoint(&self.vector.path);
        if self.created().is_some() {
            *expected.totals.get_mut(endpoint).unwrap() += 1;
        }
        if !S::IS_PAGERDUTY {
            // What was created counts, and is compared elsewhere.
            let mut all = expected.resources.clone();
            if let (Some(created), Some(id)) = (self.created(), answer.body["id"].as_str()) {
                let mut created = Value::Object(created);
                created["id"] = json!(id);
                all.insert(format!("{endpoint}/{id}"), created);
            }
            membership::complete(&mut all);
            all.retain(|path, _| expected.resources.contains_key(path));
            expected.resources = all;
        }
        expected
    }

    /// The attributes of the resource that is to be created, `id` and `meta` aside.
    fn created(&self) -> Option<Map<String, Value>> {
        if let Some(without) = &self.then.created_without {
            let mut attributes = self.vector.body.clone();
            for path in without.iter().map(String::as_str).chain(["id", "meta"]) {
                remove(&mut attributes, path);
            }
            return attributes.as_object().cloned();
        }
        self.then.created.clone()
    }

    /// The ids of the given groups.
    fn groups(&self) -> Vec<String> {
        self.given.groups.iter().filter_map(|group| group["id"].as_str().map(str::to_owned)).collect()
    }

    /// What a response carries of `resource`.
    fn project(&self, resource: &Value) -> Value {
        let Some(only) = &self.then.only else {
            let mut resource = resource.clone();
            self.then.without.iter().for_each(|name| remove(&mut resource, name));
            return resource;
        };
        let mut projected = json!({"schemas": resource["schemas"], "id": resource["id"]});
        for (name, subs) in only {
            projected[name] = match subs {
                Value::Array(subs) => {
                    let sub = |sub: &Value| {
                        (sub.as_str().unwrap().to_owned(), resource[name][sub.as_str().unwrap()].clone())
                    };
                    subs.iter().map(sub).collect::<Map<_, _>>().into()
                }
                _ => resource[name].clone(),
            };
        }
        projected
    }

    /// The time of the write that made `resource` what it is.
    fn time(&self, resource: &Value) -> Value {
        match self.server.now() {
            Some(now) => json!(now),
            None => match resource["meta"]["lastModified"].as_str() {
                Some(SEEDED) | None => json!("after the request"),
                Some(text) => json!(text),
            },
        }
    }

    fn check_answer(&mut self, answer: &Answer, before: &State, after: &State) {
        let then = self.then.clone();
        self.compare("status", &then.status, &answer.status);
        if answer.status != then.status {
            self.problems.push(format!("body: {}", answer.body));
            return;
        }
        for (name, value) in &then.headers {
            self.compare(name, &Some(value.as_str()), &answer.header(name));
        }
        if then.status >= 400 {
            self.check_error(answer);
        } else if let Some(list) = &then.list {
            self.check_list(list, answer, before);
        } else if let Some(path) = &then.read {
            self.compare("body", &self.project(&before.resources[path]), &answer.body);
            self.check_tag(answer, &before.resources[path]);
        } else if let Some(body) = &then.body {
            contains("body", body, &answer.body, &mut self.problems);
        } else if let Some(attributes) = self.created() {
            self.check_created(attributes, answer);
        } else if matches!(then.status, 204 | 304) {
            self.compare("body", &Value::Null, &answer.body);
        } else {
            let path =
                format!("{}/{}", endpoint(&self.vector.path), answer.body["id"].as_str().unwrap_or("?"));
            self.compare("body", &after.resources.get(&path), &Some(&answer.body));
            self.check_tag(answer, &answer.body);
        }
    }

    fn check_error(&mut self, answer: &Answer) {
        let then = self.then.clone();
        let mut expected = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": then.status.to_string(),
            "detail": answer.body["detail"],
        });
        if let Some(scim_type) = &then.scim_type {
            expected["scimType"] = json!(scim_type);
        }
        self.compare("error", &expected, &answer.body);
        let detail = answer.body["detail"].as_str().unwrap_or_default();
        for word in then.mentions.iter().filter(|word| !detail.contains(word.as_str())) {
            self.problems.push(format!("the detail does not mention `{word}`: {detail}"));
        }
        if detail.is_empty() {
            self.problems.push("the error has no detail".into());
        }
        if then.status == 401 && answer.header("www-authenticate").is_none() {
            self.problems.push("401 without WWW-Authenticate".into());
        }
    }

    fn check_list(&mut self, list: &List, answer: &Answer, before: &State) {
        let resources: Vec<&Value> = match &list.resources {
            Value::Array(paths) => {
                paths.iter().map(|path| &before.resources[path.as_str().unwrap()]).collect()
            }
            any => {
                let found = answer.body["Resources"].as_array().cloned().unwrap_or_default();
                let some = before.resources.values().filter(|resource| found.contains(resource));
                some.take(any.as_u64().unwrap() as usize).collect()
            }
        };
        let expected = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": list.total_results,
            "startIndex": list.start_index,
            "itemsPerPage": list.items_per_page,
            "Resources": resources.iter().map(|resource| self.project(resource)).collect::<Vec<_>>(),
        });
        self.compare("list", &expected, &answer.body);
    }

    fn check_created(&mut self, attributes: Map<String, Value>, answer: &Answer) {
        let endpoint = endpoint(&self.vector.path);
        let id = answer.body["id"].as_str().unwrap_or_default().to_owned();
        if id.is_empty() || Some(id.as_str()) == self.vector.body["externalId"].as_str() {
            self.problems.push(format!("`{id}` is no id for a new resource"));
        }
        let location = format!("{BASE_URL}{endpoint}/{id}");
        let mut expected = Value::Object(attributes);
        membership::settle(&mut expected, &Value::Null, &self.groups());
        expected["id"] = json!(id);
        expected["meta"] = json!({"resourceType": resource_type(endpoint)});
        if !S::IS_PAGERDUTY {
            let now = self.time(&answer.body);
            expected["meta"] = json!({
                "resourceType": resource_type(endpoint),
                "created": now,
                "lastModified": now,
                "version": "W/\"1\"",
                "location": location,
            });
        }
        self.compare("body", &expected, &answer.body);
        self.compare("Location", &Some(location.as_str()), &answer.header("location"));
        self.check_tag(answer, &answer.body);
        let found = self.get(&format!("{endpoint}/{id}"), TOKEN).found();
        self.compare("new resource", &answer.body, &found);
    }

    fn check_tag(&mut self, answer: &Answer, resource: &Value) {
        if !S::IS_PAGERDUTY {
            self.compare("ETag", &resource["meta"]["version"].as_str(), &answer.header("etag"));
        }
    }

    /// Of a request that is refused it does not matter what would have been tolerated.
    fn check_leniencies(&mut self, answer: &Answer) {
        if let Some(fired) = answer.leniencies.as_ref().filter(|_| answer.status < 400) {
            let sorted = |names: &[String]| {
                let mut names = names.to_vec();
                names.sort();
                names.join(" ")
            };
            let (expected, fired) = (sorted(&self.then.leniencies), sorted(fired));
            self.compare("leniencies", &expected.as_str(), &fired.as_str());
        }
    }

    /// What holds of every answer.
    fn check_wire(&mut self, answer: &Answer) {
        let expected = (!matches!(answer.status, 204 | 304)).then_some("application/scim+json");
        self.compare("Content-Type", &expected, &answer.header("content-type"));
        let mut found = Vec::new();
        walk(&answer.body, &mut |name, value| {
            if value.is_null() && !(name.is_empty() && matches!(answer.status, 204 | 304)) {
                found.push(format!("a null at `{name}`"));
            }
            if name == "password" && value.is_string() {
                found.push("the password is returned".to_owned());
            }
        });
        self.problems.append(&mut found);
    }

    /// The request sent a second time.
    fn check_again(&mut self, answer: &Answer, before: &State, after: &State, last: &State) {
        let (method, path) = (self.vector.method.as_str(), self.vector.path.as_str());
        let expected = match (method, self.then.status) {
            ("POST", 201) if path.starts_with("/Groups") => return,
            ("POST", 201) if !S::IS_PAGERDUTY => 409,
            ("POST", 201) => 400,
            (_, 204) => 404,
            // It named the version that is no more.
            (_, 200) if before != after && self.vector.headers.contains_key("If-Match") => 412,
            (_, status) => status,
        };
        self.compare("status when sent again", &expected, &answer.status);
        self.compare("state when sent again", after, last);
    }

    fn compare<T: Normal + ?Sized>(&mut self, what: &str, expected: &T, actual: &T) {
        differ(what, &expected.normal(), &actual.normal(), &mut self.problems);
    }
}

/// A response, read.
struct Answer {
    status: u16,
    leniencies: Option<Vec<String>>,
    headers: http::HeaderMap,
    body: Value,
}

impl From<http::Response<Bytes>> for Answer {
    fn from(response: http::Response<Bytes>) -> Self {
        let (parts, body) = response.into_parts();
        let body = match body.as_ref() {
            [] => Value::Null,
            text => serde_json::from_slice(text).unwrap_or_else(|error| {
                Value::String(format!("no JSON ({error}): {}", String::from_utf8_lossy(text)))
            }),
        };
        Self { status: parts.status.as_u16(), leniencies: None, headers: parts.headers, body }
    }
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The resource, or null when there is none.
    fn found(self) -> Value {
        match self.status {
            200 => self.body,
            404 => Value::Null,
            status => json!({"status": status, "body": self.body}),
        }
    }
}

impl Normal for State {
    fn normal(&self) -> Value {
        json!([self.resources.normal(), self.elsewhere.normal(), self.totals.normal()])
    }
}

fn paths(given: &Given) -> Vec<(String, &Value)> {
    [("/Users", &given.users), ("/Groups", &given.groups)]
        .into_iter()
        .flat_map(|(endpoint, resources)| {
            resources.iter().map(move |it| (format!("{endpoint}/{}", it["id"].as_str().unwrap()), it))
        })
        .collect()
}

fn with_crowd(given: &Given) -> Given {
    let mut given = given.clone();
    given.users.extend((1..=given.crowd).map(|number| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "id": format!("6f1c1a52-0b1e-4f0c-9a53-{number:012}"),
            "userName": format!("crowd-{number}@example.com"),
        })
    }));
    given
}

/// `/Users/1?x` is below `/Users`.
fn endpoint(path: &str) -> &'static str {
    if path.starts_with("/Groups") { "/Groups" } else { "/Users" }
}

fn resource_type(path: &str) -> &'static str {
    if path.starts_with("/Groups") { "Group" } else { "User" }
}
