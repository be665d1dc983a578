//! Each profile's rows agree with the server they make.
#![expect(clippy::unwrap_used, reason = "a test")]

use bytes::Bytes;
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::{Config, CredentialId, Environment, MemoryStore, Service, TenantId, Value};
use scim_profiles::datadog::{self, DatadogOptions};
use scim_profiles::{CapabilityValue, Literal, Payload, Profile, Severity};
use serde_json::json;

/// The profile's configuration, where there are teams for groups.
fn config(profile: &Profile, url: &str) -> Config {
    let url = url.parse().unwrap();
    if profile.name != datadog::PROFILE.name {
        return profile.config(url);
    }
    let mut options = DatadogOptions::default();
    options.teams = true;
    datadog::config(url, &options)
}

/// What the server of `profile` answers a request without body.
fn send(profile: &'static Profile, method: &str, path: &str, token: &str) -> http::Response<Bytes> {
    let request = http::Request::builder()
        .method(method)
        .uri(format!("/scim/v2{path}"))
        .header("authorization", token)
        .header("content-type", "application/scim+json")
        .body(Bytes::new())
        .unwrap();
    answer(profile, "https://scim.example.com/scim/v2", request)
}

/// What the server of `profile` behind `url` answers a request.
fn answer(profile: &'static Profile, url: &str, request: http::Request<Bytes>) -> http::Response<Bytes> {
    let principal = Principal { tenant: TenantId::new("acme"), credential: CredentialId::new("key") };
    let tokens = StaticTokens::new().with(Secret::new("key").unwrap(), principal);
    let spells_token = profile.authorization.iter().any(|row| row.prefix.ends_with("token="));
    let tokens = if spells_token { tokens.with_token_parameter() } else { tokens };
    let environment =
        Environment::new(|| "2026-02-02T02:02:02Z".parse().unwrap(), || profile.new_id([1; 16]));
    let service = Service::new(MemoryStore::new(), tokens, config(profile, url), environment)
        .with_policy(profile.policy());
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(service.call(request))
}

#[test]
fn profiles_are_found_by_name() {
    for profile in Profile::ALL {
        let found = Profile::by_name(&profile.name.to_uppercase()).unwrap();
        assert_eq!(found.name, profile.name);
    }
    assert!(Profile::by_name("nobody").is_none());
}

#[test]
fn the_server_says_of_itself_what_the_capability_rows_say() {
    for profile in Profile::ALL {
        let answer = send(profile, "GET", "/ServiceProviderConfig", "Bearer key");
        let document: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
        for row in profile.capabilities.iter().filter(|row| row.name != "itemsPerPage") {
            let pointer = row.name.replace("authenticationSchemes.", "authenticationSchemes.0.");
            let said = document.pointer(&format!("/{}", pointer.replace('.', "/"))).unwrap();
            let expected = match row.value {
                CapabilityValue::Literal(Literal::Bool(value)) => json!(value),
                CapabilityValue::Literal(Literal::Text(value)) => json!(value),
                CapabilityValue::Number(value) => json!(value),
            };
            assert_eq!(*said, expected, "{} {}", profile.name, row.name);
        }
        let page = profile.config("https://example.com".parse().unwrap()).capabilities.default_count;
        assert_eq!(profile.capability("itemsPerPage"), Some(CapabilityValue::Number(page)));
    }
}

/// Every endpoint row is served, with a status it declares.
#[test]
fn the_server_has_the_endpoints_of_the_rows() {
    const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
    for profile in Profile::ALL {
        for row in profile.endpoints {
            let id = match row.path {
                "/Schemas/{id}" => USER,
                "/ResourceTypes/{id}" => "User",
                _ => "nobody",
            };
            let status =
                send(profile, row.method, &row.path.replace("{id}", id), "Bearer key").status().as_u16();
            let expected = match (row.method, id) {
                (_, "nobody") if row.path.ends_with("{id}") => &[404, 400][..],
                ("POST", _) => &[400],
                _ => &[200],
            };
            assert!(expected.contains(&status), "{} {} {}: {status}", profile.name, row.method, row.path);
            assert!(row.statuses.contains(&status), "{} {} {}: {status}", profile.name, row.method, row.path);
        }
    }
    let pagerduty = Profile::by_name("pagerduty").unwrap();
    for path in [
        "/Groups",
        "/Groups/1",
        "/Me",
        "/Bulk",
        "/.search",
        "/Users/.search",
        "/Groups/.search",
        "/Users/.search/x",
    ] {
        for method in ["GET", "POST"] {
            assert_eq!(send(pagerduty, method, path, "Bearer key").status(), 404, "{method} {path}");
        }
    }
}

/// A user whom every profile takes.
fn user() -> Bytes {
    let schema = "urn:ietf:params:scim:schemas:core:2.0:User";
    json!({"schemas": [schema], "userName": "alex.doe@example.com", "displayName": "Alex Doe"})
        .to_string()
        .into()
}

/// The region is in the base URL alone: what is answered there is the same.
#[test]
fn a_service_is_there_in_every_region() {
    let mut served = Vec::new();
    for profile in Profile::ALL {
        let mut bodies = Vec::new();
        for row in profile.base_urls {
            let path = row.url.trim_start_matches("https://").split_once('/').unwrap().1;
            let request = http::Request::post(format!("/{path}/Users")).header("authorization", "Bearer key");
            let made = answer(profile, row.url, request.body(user()).unwrap());
            assert_eq!(made.status(), 201, "{} {}", profile.name, row.region);
            let location = made.headers()["location"].to_str().unwrap().to_owned();
            assert!(location.starts_with(&format!("{}/Users/", row.url)), "{location}");
            let text = std::str::from_utf8(made.body()).unwrap();
            bodies.push(text.replace(row.url, "https://scim.example.com"));
            served.push((profile.name, row.region, row.source.is_inferred()));
        }
        bodies.dedup();
        assert!(bodies.len() <= 1, "{bodies:?}");
    }
    let of_pagerduty: Vec<_> = served.iter().filter(|(name, ..)| *name == "pagerduty").collect();
    assert_eq!(of_pagerduty, [&("pagerduty", "us", false), &("pagerduty", "eu", true)]);
    assert_eq!(served.iter().filter(|(name, ..)| *name == "datadog").count(), 9);
}

/// It asks for one user when it is connected, and sends JSON as `application/json`, in a GET too.
#[test]
fn what_google_workspace_is_known_to_send_is_taken() {
    for profile in Profile::ALL {
        let send = |request: http::request::Builder, body: Bytes| {
            let request = request
                .header("authorization", "Bearer key")
                .header("user-agent", "Google-Auto-Provisioning")
                .header("content-type", "application/json");
            answer(profile, "https://scim.example.com/scim/v2", request.body(body).unwrap())
        };
        let probe = send(http::Request::get("/scim/v2/Users?count=1"), Bytes::new());
        assert_eq!(probe.status(), 200, "{}", profile.name);
        let list: serde_json::Value = serde_json::from_slice(probe.body()).unwrap();
        assert_eq!(list["totalResults"], 0);
        assert_eq!(send(http::Request::post("/scim/v2/Users"), user()).status(), 201, "{}", profile.name);
    }
}

#[test]
fn pagerduty_has_a_scope_for_reading_and_one_for_writing() {
    for row in Profile::by_name("pagerduty").unwrap().endpoints {
        let expected = if row.method == "GET" { "users.read" } else { "users.write" };
        assert_eq!(row.scope, Some(expected), "{} {}", row.method, row.path);
    }
}

/// Nothing a client names decides how long a place or a line of the report is.
#[test]
fn endless_names_are_cut() {
    let name = "y".repeat(100_000);
    let user = json!({"userName": "a@example.com", &name: 1, "roles": [{"value": "user", &name: 1}]});
    let path = format!("urn:x:{name}");
    let patch = json!({"Operations": [
        {"op": "add", "value": {&name: 1}},
        {"op": "add", "path": &path, "value": 1},
        {"op": &name, "path": "title", "value": 1},
    ]});
    for profile in Profile::ALL {
        for payload in [&user, &patch] {
            let report = profile.lint(&Value::from(payload.clone()));
            assert!(report.violations().len() >= 2, "{report}");
            for line in report.to_string().lines() {
                assert!(line.chars().count() < 1000, "{}", line.chars().count());
            }
        }
    }
}

#[test]
fn the_server_takes_the_spellings_of_the_authorization_rows_and_no_other() {
    for profile in Profile::ALL {
        for row in profile.authorization {
            let token = format!("{}key", row.prefix);
            assert_eq!(send(profile, "GET", "/Users", &token).status(), 200, "{} {token}", profile.name);
            let wrong = format!("{}other", row.prefix);
            assert_eq!(send(profile, "GET", "/Users", &wrong).status(), 401, "{} {wrong}", profile.name);
        }
        assert_eq!(send(profile, "GET", "/Users", "key").status(), 401);
        assert_eq!(send(profile, "GET", "/Users", "Basic key").status(), 401);
    }
    let generic = Profile::by_name("generic").unwrap();
    assert_eq!(send(generic, "GET", "/Users", "Token token=key").status(), 401);
}

#[test]
fn every_row_has_a_source_with_a_date() {
    let is_date = |text: &str| {
        let parts: Vec<_> = text.split('-').collect();
        (1..=3).contains(&parts.len())
            && parts[0].len() == 4
            && parts.iter().all(|part| part.len() >= 2 && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    for profile in Profile::ALL {
        let resources = || profile.resources.iter();
        let sources = (profile.base_urls.iter().map(|row| row.source))
            .chain(profile.endpoints.iter().map(|row| row.source))
            .chain(profile.capabilities.iter().map(|row| row.source))
            .chain(profile.authorization.iter().map(|row| row.source))
            .chain(profile.lifecycle.iter().map(|row| row.source))
            .chain(resources().flat_map(|resource| resource.rules).map(|row| row.source))
            .chain(resources().flat_map(|resource| resource.attributes).map(|row| row.source))
            .chain([profile.errors.source]);
        for source in sources {
            assert!(!source.document.is_empty() && is_date(source.seen), "{source}");
        }
    }
}

#[test]
fn the_generic_profile_judges_users_groups_and_patches() {
    let generic = Profile::by_name("generic").unwrap();
    let found = |value: serde_json::Value| {
        let report = generic.lint(&Value::from(value));
        let lines = report.violations().iter().map(|v| format!("{} {} {}", v.severity, v.rule, v.path));
        lines.collect::<Vec<_>>()
    };
    let user = json!({
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        ],
        "userName": "alex",
        "name": {"givenName": "Alex"},
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Support"},
    });
    assert_eq!(found(user.clone()), [""; 0]);
    let mut bad = user;
    bad["active"] = json!("True");
    bad["emails"] = json!({"value": "alex@example.com", "kind": "work"});
    bad["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]["employeeNumber"] = json!(7);
    bad["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]["floor"] = json!(7);
    bad.as_object_mut().unwrap().remove("userName");
    let extension = "[\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\"]";
    assert_eq!(
        found(bad),
        [
            "warning value-plain active".to_owned(),
            "warning attribute-known emails.kind".to_owned(),
            "warning value-plain emails".to_owned(),
            format!("error attribute-type {extension}.employeeNumber"),
            format!("warning attribute-known {extension}.floor"),
            "error user-name-required userName".to_owned(),
        ]
    );
    let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "members": []});
    assert_eq!(found(group), ["error display-name-required displayName"]);
    let patch = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "remove", "path": "userName"}, {"op": "replace", "path": "name[", "value": 1}],
    });
    assert_eq!(
        found(patch),
        ["error user-name-required Operations[0].path", "error patch-operation Operations[1].path"]
    );
}

/// What is said of a `type` is what it does: nothing, whoever the member is.
#[test]
fn the_type_of_a_member_is_no_refusal_at_datadog() {
    let group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "g",
        "members": [{"value": "a", "type": "Group"}],
    });
    let report = Profile::by_name("datadog").unwrap().lint(&Value::from(group));
    let [violation] = report.violations() else { panic!("{report}") };
    assert_eq!(
        violation.to_string(),
        "warning: members[0].type: `Group`: members are users: `value` says who, and the id of a group is refused; \
         `type` counts for nothing (members-are-users)"
    );
    assert!(report.is_accepted());
}

#[test]
fn what_is_no_resource_is_refused_in_one_line() {
    let pagerduty = Profile::by_name("pagerduty").unwrap();
    for value in [json!(null), json!([]), json!("user")] {
        let report = pagerduty.lint_as(Payload::Create, &Value::from(value));
        let [violation] = report.violations() else { panic!("{report}") };
        assert_eq!((violation.rule, violation.severity), ("attribute-type", Severity::Error));
    }
    let report = pagerduty.lint(&Value::from(json!({"Operations": []})));
    assert_eq!(
        report.violations()[0].to_string(),
        "error: Operations: a PATCH has a list of operations (patch-operation)"
    );
}

#[test]
fn a_report_prints_as_an_aligned_table_with_a_verdict() {
    let report = Profile::by_name("generic").unwrap().lint(&Value::from(json!({"schemas": [], "active": 1})));
    assert_eq!(
        report.to_string(),
        "\
SEVERITY  PATH      RULE                MESSAGE                                                     SOURCE
error     active    attribute-type      `active` must be a Boolean, not a number                    RFC 7643 (2015-09)
warning   schemas   schemas-user        does not list `urn:ietf:params:scim:schemas:core:2.0:User`  RFC 7643 (2015-09)
error     userName  user-name-required  a value is required                                         RFC 7643 (2015-09)

generic refuses this payload, taken for that of a User: 2 error(s), 1 warning(s), 6 rule(s) checked"
    );
}
