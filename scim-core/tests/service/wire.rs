//! The wire choices that outside suites and identity providers force (ARCHITECTURE.md, D7).

use jiff::Timestamp;
use scim_core::auth::StaticTokens;
use scim_core::schema::{Registry, Uniqueness, builtin};
use scim_core::service::{PatchResponse, ServiceLimits};
use scim_core::{Config, Environment, MemoryStore, ResourceId, Service};
use serde_json::{Value, json};

use crate::support::{answer, config, encoded, ready, request, server, server_with, user};

#[test]
fn patch_answers_200_with_the_full_resource() {
    let server = server();
    let id = server.user("bjensen")["id"].as_str().unwrap().to_owned();
    let answer =
        server.patch(&format!("/Users/{id}"), json!([{"op": "add", "path": "title", "value": "Boss"}]));
    assert_eq!(answer.status, 200);
    let user = answer.json();
    assert_eq!(
        (&user["id"], &user["userName"], &user["title"]),
        (&json!(id), &json!("bjensen"), &json!("Boss"))
    );
    assert_eq!(user, server.get(&format!("/Users/{id}")).json());
}

#[test]
fn patch_answers_204_where_so_configured_unless_attributes_are_asked_for() {
    let mut config = config();
    config.patch_response = PatchResponse::NoContent;
    let server = server_with(config);
    let path = format!("/Users/{}", server.user("bjensen")["id"].as_str().unwrap());
    let operations = json!([{"op": "add", "path": "title", "value": "Boss"}]);
    let answer = server.patch(&path, operations.clone());
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (204, ""));
    assert_eq!(answer.header("etag"), Some("W/\"2\""));
    assert_eq!(answer.header("content-type"), None);
    let answer = server.patch(&format!("{path}?attributes=title"), operations);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["title"], "Boss");
    assert_eq!(answer.json().get("userName"), None);
}

#[test]
fn a_full_answer_to_a_group_patch_has_the_members_that_were_not_read() {
    let server = server();
    let ids = ["a", "b"].map(|name| server.user(name)["id"].as_str().unwrap().to_owned());
    let path = format!("/Groups/{}", server.group("Staff", &[&ids[0]])["id"].as_str().unwrap());
    let add = json!([{"op": "add", "path": "members", "value": [{"value": ids[1]}]}]);
    let answer = server.patch(&path, add.clone());
    let members: Vec<_> =
        answer.json()["members"].as_array().unwrap().iter().map(|m| m["value"].clone()).collect();
    assert_eq!(members, [json!(ids[0]), json!(ids[1])]);
    let answer = server.patch(&format!("{path}?excludedAttributes=members"), add);
    assert_eq!(answer.json().get("members"), None);
}

#[test]
fn every_201_has_a_location() {
    let server = server();
    let answer = server.post("/Users", user("bjensen"));
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("location"), Some("https://scim.example.com/scim/v2/Users/id-1"));
    assert_eq!(answer.json()["meta"]["location"], "https://scim.example.com/scim/v2/Users/id-1");
}

#[test]
fn the_base_url_is_configuration_and_never_the_host_header() {
    let server = server();
    let mut request = request("POST", "/Users", Some(user("bjensen")));
    request.headers_mut().insert("host", "evil.example".parse().unwrap());
    request.headers_mut().insert("x-forwarded-host", "evil.example".parse().unwrap());
    let answer = server.call(request);
    assert!(!answer.text.contains("evil"), "{}", answer.text);
    assert!(answer.header("location").unwrap().starts_with("https://scim.example.com/scim/v2/"));
}

#[test]
fn a_resource_always_has_a_version_and_an_etag() {
    let server = server();
    let mut answers = vec![server.post("/Users", user("bjensen"))];
    answers.push(server.get("/Users/id-1"));
    answers.push(server.put("/Users/id-1", user("bjensen")));
    answers.push(
        server.patch("/Users/id-1", json!([{"op": "replace", "path": "userName", "value": "bjensen"}])),
    );
    for answer in answers {
        assert_eq!(answer.header("etag"), Some("W/\"1\""));
        assert_eq!(answer.json()["meta"]["version"], "W/\"1\"");
    }
    // Also where the answer does not show `meta`.
    let answer = server.get("/Users/id-1?attributes=userName");
    assert_eq!(answer.header("etag"), Some("W/\"1\""));
    assert_eq!(answer.json().get("meta"), None);
    assert_eq!(server.get("/Users").json()["Resources"][0]["meta"]["version"], "W/\"1\"");
}

#[test]
fn without_entity_tags_there_is_no_version_but_if_match_still_counts() {
    let mut config = config();
    config.capabilities.etag = false;
    let server = server_with(config);
    let answer = server.post("/Users", user("bjensen"));
    assert_eq!(answer.header("etag"), None);
    assert_eq!(answer.json()["meta"].get("version"), None);
    let mut request = request("DELETE", "/Users/id-1", None);
    request.headers_mut().insert("if-match", "W/\"9\"".parse().unwrap());
    assert_eq!(server.call(request).status, 412);
}

#[test]
fn the_content_type_is_exactly_scim_json() {
    let server = server();
    server.user("bjensen");
    for path in ["/Users", "/Users/id-1", "/Users/none", "/none", "/Schemas", "/ServiceProviderConfig"] {
        assert_eq!(server.get(path).header("content-type"), Some("application/scim+json"), "{path}");
    }
}

#[test]
fn accept_is_not_negotiated() {
    let server = server();
    for accept in ["*/*", "application/json", "application/scim+json", "text/html", "nonsense"] {
        let mut request = request("GET", "/Users", None);
        request.headers_mut().insert("accept", accept.parse().unwrap());
        let answer = server.call(request);
        assert_eq!(answer.status, 200, "{accept}");
        assert_eq!(answer.header("content-type"), Some("application/scim+json"), "{accept}");
    }
}

#[test]
fn both_media_types_with_and_without_charset_are_one() {
    let server = server();
    for (index, media_type) in [
        "application/json",
        "application/scim+json",
        "application/scim+json; charset=utf-8",
        "application/json;charset=UTF-8",
    ]
    .into_iter()
    .enumerate()
    {
        let mut request = request("POST", "/Users", Some(user(&format!("user{index}"))));
        request.headers_mut().insert("content-type", media_type.parse().unwrap());
        let answer = server.call(request);
        assert_eq!(answer.status, 201, "{media_type}");
        assert_eq!(answer.header("content-type"), Some("application/scim+json"));
    }
    let mut request = request("POST", "/Users", Some(user("without")));
    request.headers_mut().remove("content-type");
    assert_eq!(server.call(request).status, 201, "a body without a media type is JSON");
}

#[test]
fn a_content_type_on_get_means_nothing() {
    let server = server();
    for media_type in ["application/json", "text/plain", ""] {
        let mut request = request("GET", "/Users?count=1", None);
        request.headers_mut().insert("content-type", media_type.parse().unwrap());
        assert_eq!(server.call(request).status, 200, "{media_type}");
    }
}

#[test]
fn a_401_has_a_www_authenticate() {
    let server = server();
    let mut request = request("GET", "/Users", None);
    request.headers_mut().remove("authorization");
    let answer = server.call(request);
    answer.refused(401, None, "no credential was given");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"scim\""));
}

#[test]
fn schemas_are_never_projected_away() {
    let server = server();
    server.user("bjensen");
    for query in ["attributes=userName", "excludedAttributes=schemas,id", "excludedAttributes=userName"] {
        let user = server.get(&format!("/Users/id-1?{query}")).json();
        assert_eq!(user["schemas"], json!(["urn:ietf:params:scim:schemas:core:2.0:User"]), "{query}");
        assert_eq!(user["id"], "id-1", "{query}");
    }
}

#[test]
fn the_status_of_an_error_is_a_string() {
    assert_eq!(server().get("/Users/none").json()["status"], json!("404"));
}

#[test]
fn reference_values_may_be_relative_uris() {
    let server = server();
    server.user("bjensen");
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let mut report = user("ann");
    report[enterprise] = json!({"manager": {"$ref": "../Users/id-1"}});
    let answer = server.post("/Users", report);
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.json()[enterprise]["manager"]["$ref"], "../Users/id-1");
}

#[test]
fn plus_and_percent_40_in_queries() {
    let server = server();
    server.user("b+jensen@example.com");
    for filter in [
        "userName+eq+%22b%2Bjensen%40example.com%22",
        "userName%20eq%20%22b%2Bjensen@example.com%22&",
        &encoded("userName eq \"b+jensen@example.com\""),
    ] {
        let list = server.get(&format!("/Users?filter={filter}")).json();
        assert_eq!(list["totalResults"], 1, "{filter}");
    }
}

#[test]
fn a_trailing_question_mark_or_ampersand_and_unknown_parameters_are_ignored() {
    let server = server();
    server.user("bjensen");
    for path in [
        "/Users?",
        "/Users?&",
        "/Users/id-1?",
        "/Users?aadOptscim062020",
        "/Users?x=%ff&y",
        "/Users?cursor&sortBy=title",
    ] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    assert_eq!(server.put("/Users/id-1?", user("bjensen")).status, 200);
}

#[test]
fn adding_what_is_there_changes_nothing_and_keeps_the_time() {
    let server = server();
    let ids = ["a", "b"].map(|name| server.user(name)["id"].as_str().unwrap().to_owned());
    let group = server.group("Staff", &[&ids[0], &ids[1]]);
    let path = format!("/Groups/{}", group["id"].as_str().unwrap());
    let answer = server.patch(&path, json!([{"op": "add", "path": "members", "value": [{"value": ids[1]}]}]));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), group);
    let user = server.get(&format!("/Users/{}", ids[0])).json();
    let answer = server.patch(
        &format!("/Users/{}", ids[0]),
        json!([{"op": "replace", "path": "userName", "value": "a"}, {"op": "remove", "path": "title"}]),
    );
    assert_eq!(answer.json(), user);
}

#[test]
fn a_put_of_the_same_keeps_version_and_time() {
    let server = server();
    let before = server.user("bjensen");
    let answer = server.put("/Users/id-1", before.clone());
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), before);
    let answer = server.put("/Users/id-1", user("bjensen2"));
    assert_eq!(answer.header("etag"), Some("W/\"2\""));
    assert_ne!(answer.json()["meta"]["lastModified"], before["meta"]["lastModified"]);
    assert_eq!(answer.json()["meta"]["created"], before["meta"]["created"]);
}

#[test]
fn two_primaries_in_one_write_the_newest_wins() {
    let server = server();
    let email = |name: &str| json!({"value": format!("{name}@example.com"), "primary": true});
    let mut body = user("bjensen");
    body["emails"] = json!([email("old"), email("new")]);
    let add = |emails: Value| json!([{"op": "add", "path": "emails", "value": emails}]);
    for answer in [
        server.post("/Users", body.clone()),
        server.put("/Users/id-1", body),
        server.patch("/Users/id-1", add(json!([email("older"), email("new")]))),
        server.patch(
            "/Users/id-1",
            json!([{"op": "replace", "value": {"emails": [email("old"), email("new")]}}]),
        ),
    ] {
        assert!(answer.status.is_success(), "{}", answer.text);
        assert_eq!(primaries(&answer.json()), ["new@example.com"]);
    }
    // Also where the former one stands in the resource, or in an operation before.
    let answer = server.patch("/Users/id-1", add(json!([email("newer")])));
    assert_eq!(primaries(&answer.json()), ["newer@example.com"]);
    let mut operations = add(json!([email("a")])).as_array().cloned().unwrap();
    operations.extend(add(json!([email("b")])).as_array().cloned().unwrap());
    let answer = server.patch("/Users/id-1", operations.into());
    assert_eq!(primaries(&answer.json()), ["b@example.com"]);
    assert_eq!(primaries(&server.get("/Users/id-1").json()), ["b@example.com"]);
}

fn primaries(user: &Value) -> Vec<String> {
    let emails = user["emails"].as_array().unwrap().iter();
    let primary = emails.filter(|email| email["primary"] == json!(true));
    primary.map(|email| email["value"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_name_of_a_group_is_unique_where_so_configured() {
    let mut group = builtin::group();
    group.attribute_mut("displayName").unwrap().uniqueness = Uniqueness::Server;
    let registry = Registry::new(
        vec![builtin::user(), builtin::enterprise_user(), group],
        vec![builtin::user_resource_type(), builtin::group_resource_type()],
    );
    let unique = server_with(Config { registry: registry.unwrap(), ..config() });
    let body = json!({"schemas": [builtin::GROUP], "displayName": "Staff"});
    for (server, status) in [(server(), 201), (unique, 409)] {
        assert_eq!(server.post("/Groups", body.clone()).status, 201);
        let mut second = body.clone();
        second["displayName"] = json!("STAFF");
        let answer = server.post("/Groups", second);
        assert_eq!(answer.status, status, "{}", answer.text);
        if status == 409 {
            answer.refused_naming(409, Some("uniqueness"), "`displayName`");
        }
    }
}

#[test]
fn the_first_check_that_fails_is_the_one_answered() {
    let limits = ServiceLimits { max_body_bytes: 200, ..ServiceLimits::default() };
    let server = server_with(Config { limits, ..config() });
    // Everything is wrong with it; each step puts one thing right, in the order of the checks.
    let (mut token, mut path, mut method) = ("Bearer wrong", "/Nothing?count=x", "BREW");
    let (mut media_type, mut body) = ("text/plain", "x".repeat(201));
    for expected in [401, 404, 405, 415, 413, 400, 400, 400, 400, 409, 201] {
        let mut request = request(method, path, Some(json!(null)));
        request.headers_mut().insert("authorization", token.parse().unwrap());
        request.headers_mut().insert("content-type", media_type.parse().unwrap());
        *request.body_mut() = body.clone().into();
        let answer = server.call(request);
        assert_eq!(answer.status, expected, "{}", answer.text);
        match (expected, body.as_str()) {
            (401, _) => token = "Bearer acme-token",
            (404, _) => path = "/Users?count=x&attributes=id&excludedAttributes=id",
            (405, _) => method = "POST",
            (415, _) => media_type = "application/json",
            (413, _) => body = "{".to_owned(),
            (400, "{") => {
                answer.refused_naming(400, Some("invalidSyntax"), "the body is not valid JSON");
                body = "{\"active\":7}".to_owned();
            }
            (400, "{\"active\":7}") if path.contains("excluded") => {
                answer.refused_naming(400, Some("invalidValue"), "`excludedAttributes`");
                path = "/Users";
            }
            (400, "{\"active\":7}") => {
                answer.refused_naming(400, Some("invalidValue"), "`active`");
                body = "{\"title\":\"x\"}".to_owned();
            }
            (400, _) => {
                answer.refused_naming(400, Some("invalidValue"), "`userName` is required");
                server.user("bjensen");
                body = "{\"userName\":\"BJensen\"}".to_owned();
            }
            (409, _) => body = "{\"userName\":\"other\"}".to_owned(),
            _ => {}
        }
    }
}

#[test]
fn who_is_let_in_is_not_optional() {
    // That a service has no constructor without an authenticator is for the compiler; that one who
    // knows no token is told nothing, not even what exists, is not.
    let (tokens, environment) =
        (StaticTokens::new(), Environment::new(|| Timestamp::UNIX_EPOCH, || ResourceId::new("1")));
    let service = Service::new(MemoryStore::new(), tokens, config(), environment);
    for path in ["/Users", "/Users/1", "/nothing", "/ServiceProviderConfig", "/Schemas"] {
        let answer = answer(ready(service.call(request("GET", path, None))));
        assert_eq!(answer.status, 401, "{path}");
    }
}

#[test]
fn head_is_get_without_the_body() {
    let server = server();
    server.user("bjensen");
    for path in ["/Users", "/Users/id-1", "/Schemas", "/none"] {
        let (get, head) = (server.get(path), server.send("HEAD", path, None));
        assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{path}");
        assert_eq!(head.header("content-length"), Some(get.text.len().to_string().as_str()), "{path}");
        assert_eq!(head.header("etag"), get.header("etag"), "{path}");
    }
}

#[test]
fn the_outcome_says_what_became_of_a_request() {
    let server = server();
    let outcome = server.post("/Users", user("bjensen")).outcome;
    assert_eq!(outcome.principal.unwrap().tenant.as_str(), "acme");
    assert_eq!(outcome.operation, Some(scim_core::service::Operation::Create));
    assert_eq!(outcome.resource_type.as_deref(), Some("User"));
    assert_eq!(outcome.resource.unwrap().as_str(), "id-1");
    assert!(outcome.error.is_none() && outcome.leniencies.is_empty());
    let outcome =
        server.patch("/Users/id-1", json!([{"op": "Replace", "path": "active", "value": "False"}])).outcome;
    let names: Vec<_> = outcome.leniencies.iter().map(|leniency| leniency.name()).collect();
    assert_eq!(names, ["op-case", "boolean-string"]);
    let outcome = server.get(&format!("/Users?filter={}", encoded("active eq \"False\""))).outcome;
    assert_eq!(outcome.leniencies.first().map(|leniency| leniency.name()), Some("boolean-string"));
    assert_eq!(server.get("/Users/none").outcome.error.unwrap().status(), 404);
}
