//! Wrong input of every kind gets the right status and a detail that names the place.

use bytes::Bytes;
use scim_core::auth::AuthError;
use scim_core::leniency::Leniencies;
use serde_json::json;

use crate::support::{Server, config, encoded, patch_op, request, server, server_with, user};

fn raw(server: &Server, method: &str, path: &str, body: impl Into<Bytes>) -> crate::support::Answer {
    let mut request = request(method, path, Some(json!(null)));
    *request.body_mut() = body.into();
    server.call(request)
}

#[test]
fn malformed_json_is_invalid_syntax() {
    let server = server();
    server.user("bjensen");
    for (method, path) in [("POST", "/Users"), ("PUT", "/Users/id-1"), ("PATCH", "/Users/id-1")] {
        for body in ["", " ", "{", "{\"userName\":}", "{\"userName\":\"a\"}}", "nul", "{'a':1}", "[1,]"] {
            let answer = raw(&server, method, path, body);
            answer.refused_naming(400, Some("invalidSyntax"), "the body is not valid JSON: ");
            assert!(answer.text.contains("line 1"), "{}", answer.text);
        }
        let answer = raw(&server, method, path, &b"{\"userName\":\"\xff\"}"[..]);
        assert_eq!(answer.status, 400);
    }
}

#[test]
fn a_body_that_is_no_object_is_invalid_syntax() {
    let server = server();
    server.user("bjensen");
    for (method, path) in [("POST", "/Users"), ("PUT", "/Users/id-1"), ("PATCH", "/Users/id-1")] {
        for body in ["null", "true", "7", "\"x\"", "[]", "[{}]"] {
            let answer = raw(&server, method, path, body);
            assert_eq!(answer.status, 400, "{method} {body}");
            assert_eq!(answer.json()["scimType"], "invalidSyntax", "{method} {body}: {}", answer.text);
        }
    }
}

#[test]
fn duplicate_keys_are_refused_also_in_another_case() {
    let server = server();
    for body in [
        r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"a","userName":"b"}"#,
        r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"a","USERNAME":"b"}"#,
        r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"a","name":{"familyName":"x","FamilyName":"y"}}"#,
    ] {
        let answer = raw(&server, "POST", "/Users", body);
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(answer.json()["scimType"], "invalidSyntax");
    }
    assert_eq!(server.get("/Users").json()["totalResults"], 0);
}

#[test]
fn over_deep_json_is_refused() {
    let server = server();
    for depth in [64, 100_000] {
        let body = format!("{{\"userName\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
        raw(&server, "POST", "/Users", body).refused_naming(
            400,
            Some("invalidSyntax"),
            "arrays and objects are nested too deep at line 1 column ",
        );
    }
}

#[test]
fn what_a_client_sent_is_quoted_in_part() {
    let server = server();
    let long = "x".repeat(5_000);
    let members = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "a",
        "members": [{"value": long}]});
    let mut media_type = request("POST", "/Users", Some(json!({})));
    media_type.headers_mut().insert("content-type", long.parse().unwrap());
    for (answer, status) in [
        (server.call(media_type), 415),
        (server.get(&format!("/Users?count={long}")), 400),
        (server.get(&format!("/Users/{long}")), 404),
        (server.get(&format!("/{long}")), 404),
        (server.send(&long, "/Users", None), 405),
        (server.post("/Users/.search", json!({"startIndex": long})), 400),
        (server.post("/Groups", members), 400),
        (raw(&server, "POST", "/Users", format!("{{\"{long}\":1,\"{long}\":2}}")), 400),
        (server.patch("/Users/1", json!([{"op": long}])), 400),
        (server.patch("/Users/1", json!([{"op": "add", "value": {format!("name.{long}["): 1}}])), 400),
    ] {
        assert_eq!(answer.status, status, "{}", answer.text);
        assert!(answer.text.len() < 500, "{}", answer.text);
    }
    let forged = server.patch("/Users/1", json!([{"op": "a\nb"}]));
    forged.refused_naming(400, Some("invalidSyntax"), "`a\\nb`");
}

#[test]
fn wrong_types_are_invalid_value_and_name_the_attribute() {
    let server = server_with(scim_core::Config { leniencies: Leniencies::strict(), ..config() });
    for (attribute, value) in [
        ("userName", json!(7)),
        ("userName", json!({"a": 1})),
        ("active", json!("yes")),
        ("name", json!("x")),
        ("emails", json!({"value": "a@example.com"})),
        ("title", json!(["x"])),
    ] {
        let mut body = user("bjensen");
        body[attribute] = value;
        let answer = server.post("/Users", body);
        assert_eq!(answer.status, 400, "{attribute}: {}", answer.text);
        assert!(answer.text.contains(&format!("`{attribute}")), "{}", answer.text);
    }
}

#[test]
fn a_missing_required_attribute_is_named() {
    let server = server();
    let body = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "title": "x" });
    server.post("/Users", body).refused_naming(400, Some("invalidValue"), "`userName`");
    let path = format!("/Users/{}", server.user("bjensen")["id"].as_str().unwrap());
    let answer = server.patch(&path, json!([{"op": "remove", "path": "userName"}]));
    assert_eq!(answer.status, 400, "{}", answer.text);
    assert!(answer.text.contains("`userName`"), "{}", answer.text);
}

#[test]
fn a_bad_filter_is_invalid_filter() {
    let server = server();
    for filter in [
        "",
        " ",
        "userName",
        "userName eq",
        "userName = \"x\"",
        "(userName eq \"x\"",
        "userName eq 'x'",
        "a b c d",
    ] {
        let answer = server.get(&format!("/Users?filter={}", encoded(filter)));
        answer.refused_naming(400, Some("invalidFilter"), "the filter is not valid: ");
    }
}

#[test]
fn an_unknown_attribute_in_a_filter_is_named() {
    let server = server();
    let answer = server.get(&format!("/Users?filter={}", encoded("shoeSize eq 47")));
    answer.refused_naming(400, Some("invalidFilter"), "shoeSize");
}

#[test]
fn a_filter_never_reveals_a_secret() {
    let server = server();
    for filter in ["password eq \"x\"", "not (password pr)", "userName eq \"a\" or password sw \"a\""] {
        let answer = server.get(&format!("/Users?filter={}", encoded(filter)));
        answer.refused_naming(403, Some("sensitive"), "password");
        for path in ["/Users/.search", "/.search"] {
            let body =
                json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": filter});
            server.post(path, body).refused_naming(400, Some("invalidFilter"), "password");
        }
    }
}

#[test]
fn a_filter_over_the_limits_is_refused() {
    let server = server();
    let terms = vec!["title pr"; 300].join(" or ");
    let deep = format!("{}title pr{}", "(".repeat(100), ")".repeat(100));
    let long = format!("title eq \"{}\"", "x".repeat(9000));
    for filter in [terms, deep, long] {
        let answer = server.get(&format!("/Users?filter={}", filter.replace(' ', "+").replace('"', "%22")));
        answer.refused_naming(400, Some("invalidFilter"), "the filter is not valid: ");
    }
}

#[test]
fn a_query_over_the_limit_is_414() {
    let answer = server().get(&format!("/Users?x={}", "x".repeat(20_000)));
    answer.refused(414, None, "the query string is longer than 16384 bytes");
}

#[test]
fn a_body_over_the_limit_is_413() {
    let server = server();
    let body = format!("{{\"userName\":\"{}\"}}", "x".repeat(1 << 20));
    raw(&server, "POST", "/Users", body).refused(413, None, "the body is longer than 1048576 bytes");
}

#[test]
fn a_wrong_media_type_is_415() {
    let server = server();
    server.user("bjensen");
    let endpoints =
        [("POST", "/Users"), ("PUT", "/Users/id-1"), ("PATCH", "/Users/id-1"), ("POST", "/Users/.search")];
    for (method, path) in endpoints {
        for media_type in [
            "text/plain",
            "application/xml",
            "application/json; charset=utf-16",
            "application/x-www-form-urlencoded",
        ] {
            let mut request = request(method, path, Some(json!({})));
            request.headers_mut().insert("content-type", media_type.parse().unwrap());
            let answer = server.call(request);
            answer.refused(
                415,
                None,
                &format!("the media type `{media_type}` is not application/scim+json in UTF-8"),
            );
        }
    }
}

#[test]
fn paging_parameters_must_be_integers() {
    for name in ["startIndex", "count"] {
        server().get(&format!("/Users?{name}=ten")).refused(
            400,
            Some("invalidValue"),
            &format!("`{name}` must be an integer, not `ten`"),
        );
    }
}

#[test]
fn a_parameter_given_twice_is_refused() {
    let answer = server().get("/Users?filter=userName+pr&FILTER=title+pr");
    answer.refused(400, Some("invalidValue"), "the parameter `filter` is given twice");
}

#[test]
fn attributes_and_excluded_attributes_exclude_each_other() {
    let answer = server().get("/Users?attributes=userName&excludedAttributes=name");
    answer.refused(400, Some("invalidValue"), "`attributes` and `excludedAttributes` exclude one another");
}

#[test]
fn a_bad_path_is_invalid_path() {
    let server = server();
    server.user("bjensen");
    for path in ["emails[", "emails[type eq", "a..b", "shoeSize[x eq 1]", "name.nothing"] {
        let answer = server.patch("/Users/id-1", json!([{"op": "replace", "path": path, "value": "x"}]));
        assert_eq!(answer.status, 400, "{path}: {}", answer.text);
        answer.refused_naming(400, Some("invalidPath"), "Operations[0].path: ");
    }
    assert_eq!(server.get("/Users/id-1").header("etag"), Some("W/\"1\""));
}

#[test]
fn an_unknown_id_is_404_for_every_method() {
    let server = server();
    for method in ["GET", "PUT", "PATCH", "DELETE"] {
        let body = match method {
            "PUT" => Some(user("bjensen")),
            "PATCH" => Some(crate::support::patch_op(json!([{"op": "add", "path": "title", "value": "x"}]))),
            _ => None,
        };
        server.send(method, "/Users/none", body).refused(404, None, "there is no User with the id `none`");
    }
}

#[test]
fn missing_empty_and_wrong_tokens_are_401() {
    let server = server();
    for (token, challenge) in [
        (None, "Bearer realm=\"scim\""),
        (Some(""), "Bearer realm=\"scim\""),
        (Some("Bearer"), "Bearer realm=\"scim\", error=\"invalid_token\""),
        (Some("Bearer "), "Bearer realm=\"scim\", error=\"invalid_token\""),
        (Some("Bearer wrong"), "Bearer realm=\"scim\", error=\"invalid_token\""),
        (Some("Basic YWNtZS10b2tlbg=="), "Bearer realm=\"scim\", error=\"invalid_token\""),
        (Some("acme-token"), "Bearer realm=\"scim\", error=\"invalid_token\""),
        (Some("Bearer acme-token, Bearer other-token"), "Bearer realm=\"scim\", error=\"invalid_token\""),
    ] {
        let mut request = request("GET", "/Users", None);
        request.headers_mut().remove("authorization");
        if let Some(token) = token {
            request.headers_mut().insert("authorization", token.parse().unwrap());
        }
        let answer = server.call(request);
        assert_eq!(answer.status, 401, "{token:?}");
        assert_eq!(answer.header("www-authenticate"), Some(challenge), "{token:?}");
        assert!(!answer.text.contains("wrong") && !answer.text.contains("acme-token"), "{}", answer.text);
    }
    let mut twice = request("GET", "/Users", None);
    twice.headers_mut().append("authorization", "Bearer other-token".parse().unwrap());
    let answer = server.call(twice);
    answer.refused(401, None, "the credential is not valid");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"scim\", error=\"invalid_token\""));
}

#[test]
fn each_authentication_error_has_its_status() {
    for (error, status) in [
        (AuthError::Missing, 401),
        (AuthError::Invalid, 401),
        (AuthError::Forbidden, 403),
        (AuthError::Unavailable, 503),
    ] {
        assert_eq!(scim_core::Error::from(error).status(), status);
    }
}

#[test]
fn another_tenants_resource_is_404() {
    let server = server();
    server.user("bjensen");
    for (method, body) in [("GET", None), ("PUT", Some(user("x"))), ("DELETE", None)] {
        let mut request = request(method, "/Users/id-1", body);
        request.headers_mut().insert("authorization", "Bearer other-token".parse().unwrap());
        server.call(request).refused(404, None, "there is no User with the id `id-1`");
    }
    let mut request = request("GET", "/Users", None);
    request.headers_mut().insert("authorization", "Bearer other-token".parse().unwrap());
    assert_eq!(server.call(request).json()["totalResults"], 0);
    assert_eq!(server.get("/Users/id-1").status, 200);
}

/// Not every store can keep it; so none ever sees it, in whatever layer of quoting it was sent.
#[test]
fn the_character_nul_is_refused_in_every_text() {
    let server = server();
    let group = server.group("Staff", &[]);
    server.user("bjensen");
    let path = format!("/Groups/{}", group["id"].as_str().unwrap());
    let patch = |operation| patch_op(json!([{"op": "add", "path": "title", "value": "x"}, operation]));
    for (method, path, body, place) in [
        ("POST", "/Users", user("b\0"), "`userName`"),
        ("PUT", "/Users/id-1", json!({"emails": [{"value": "a"}, {"value": "\0"}]}), "`emails[1].value`"),
        ("PUT", "/Users/id-1", json!({"urn:example:\0": 1}), "`urn:example:\\u{0}`"),
        (
            "PATCH",
            "/Users/id-2",
            patch(json!({"op": "add", "path": "title", "value": "x\0y"})),
            "`Operations[1].value`",
        ),
        (
            "PATCH",
            &path,
            patch_op(json!([{"op": "remove", "path": "members[value eq \"\\u0000\"]"}])),
            "a path in `Operations[0]`",
        ),
        (
            "PATCH",
            "/Users/id-2",
            patch(json!({"op": "add", "path": "roles", "value": "{\"value\":\"\\u0000\"}"})),
            "`roles`",
        ),
        (
            "PATCH",
            "/Users/id-2",
            patch(json!({"op": "add", "value": {"emails[type eq \"\\u0000\"].value": "a@example.com"}})),
            "a path in `Operations[1]`",
        ),
    ] {
        let detail = format!("{place} has U+0000, which is not kept in any attribute");
        server.call(request(method, path, Some(body))).refused(400, Some("invalidValue"), &detail);
    }
    let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "filter": "userName eq \"\\u0000\""});
    let detail = "the filter has U+0000, which is not kept in any attribute";
    server.post("/Users/.search", search).refused(400, Some("invalidFilter"), detail);
    let filter = encoded("userName eq \"a\\u0000\"");
    server.get(&format!("/Users?filter={filter}")).refused(400, Some("invalidFilter"), detail);
    assert_eq!(server.get(&format!("/Users?filter={}", encoded("userName eq \"a\0\""))).status, 400);
    assert_eq!(server.get("/Users/%00").status, 404);
}

/// A backslash with `u0000` behind it is six characters as others are, wherever they are quoted.
#[test]
fn what_only_looks_like_nul_is_kept() {
    let server = server();
    let six = r"b\u0000";
    let id = server.user(six)["id"].as_str().unwrap().to_owned();
    let path = format!("/Users/{id}");
    assert_eq!(server.get(&path).json()["userName"], six);
    // As an identity provider sends it that puts JSON into a string.
    let role = json!({"value": r"r\u0000"}).to_string();
    let literal = json!(six);
    for operation in [
        json!({"op": "add", "path": "title", "value": six}),
        json!({"op": "add", "value": {"nickName": six, "emails": [{"value": six, "type": "work"}]}}),
        json!({"op": "replace", "path": format!("emails[value eq {literal}].display"), "value": "it"}),
        json!({"op": "add", "path": "roles", "value": role}),
    ] {
        assert_eq!(server.patch(&path, json!([operation])).status, 200, "{operation}");
    }
    let user = server.get(&path).json();
    assert_eq!((&user["title"], &user["nickName"]), (&json!(six), &json!(six)));
    assert_eq!(user["emails"], json!([{"value": six, "type": "work", "display": "it"}]));
    assert_eq!(user["roles"], json!([{"value": r"r\u0000"}]));
    let filter = format!("userName eq {literal}");
    assert_eq!(server.get(&format!("/Users?filter={}", encoded(&filter))).json()["totalResults"], 1);
    let search =
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": filter});
    assert_eq!(server.post("/Users/.search", search).json()["totalResults"], 1);
}
