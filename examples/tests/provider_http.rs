//! The generic provider over real HTTP and a real database file.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod support;

use serde_json::{Value, json};
use support::{GROUP, Server, TOKEN, USER, id, user};

#[test]
fn a_life_of_users_and_groups_survives_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("scim.db");
    let server = Server::start(&file, &[]);
    let client = &server.client;

    let ann =
        client.post("/Users", json!({"schemas": [USER], "userName": "ann@example.com", "externalId": "42"}));
    assert_eq!(ann.header("content-type"), Some("application/scim+json"));
    assert_eq!(ann.header("etag"), Some("W/\"1\""));
    assert!(ann.header("location").unwrap().ends_with(&format!("/scim/v2/Users/{}", id(&ann.body))));
    assert!(ann.header("x-request-id").is_some());
    let ann = ann.expect(201);
    let bob = client.post("/Users", user("bob@example.com")).expect(201);
    let ann_path = format!("/Users/{}", id(&ann));
    let staff = client
        .post(
            "/Groups",
            json!({"schemas": [GROUP], "displayName": "Staff", "members": [{"value": id(&ann)}]}),
        )
        .expect(201);
    let staff_path = format!("/Groups/{}", id(&staff));

    let changed = client.patch(&ann_path, json!([{"op": "replace", "path": "displayName", "value": "Ann"}]));
    assert_eq!(changed.expect(200)["meta"]["version"], "W/\"2\"");
    let members = json!([
        {"op": "add", "path": "members", "value": [{"value": id(&bob)}, {"value": id(&ann)}]},
    ]);
    let staff = client.patch(&staff_path, members.clone()).expect(200);
    assert_eq!(staff["members"].as_array().unwrap().len(), 2);
    // The same again: not even a new version.
    assert_eq!(client.patch(&staff_path, members).expect(200)["meta"], staff["meta"]);

    let mut document = client.get(&ann_path).expect(200);
    document["userName"] = json!("ann.b@example.com");
    client.put(&ann_path, document).expect(200);
    client.post("/Users", user("ANN.B@example.com")).expect(409);
    // The name given up is free, and taken again.
    let other = client.post("/Users", user("ann@example.com")).expect(201);
    client.delete(&format!("/Users/{}", id(&other))).expect(204);
    client.get(&format!("/Users/{}", id(&other))).expect(404);

    let before = [&ann_path, &staff_path, "/Users", "/Groups?excludedAttributes=members"]
        .map(|path| without_location(client.get(path).expect(200)));
    server.stop();
    let server = Server::start(&file, &[]);
    let client = &server.client;
    let after = [&ann_path, &staff_path, "/Users", "/Groups?excludedAttributes=members"]
        .map(|path| without_location(client.get(path).expect(200)));
    assert_eq!(before, after);

    for (endpoint, filter, count) in [
        ("/Users", "userName eq \"ANN.B@EXAMPLE.COM\"".to_owned(), 1),
        ("/Users", "userName eq \"ann@example.com\"".to_owned(), 0),
        ("/Users", "externalId eq \"42\"".to_owned(), 1),
        ("/Users", "userName ew \"@example.com\" and displayName pr".to_owned(), 1),
        ("/Groups", format!("members.value eq \"{}\"", id(&bob)), 1),
        ("/Groups", format!("id eq \"{}\" and members eq \"{}\"", id(&staff), id(&ann)), 1),
        ("/Groups", "displayName eq \"staff\" and not (members pr)".to_owned(), 0),
    ] {
        assert_eq!(client.count(endpoint, &filter), count, "{filter}");
    }
    // An externalId is never an id.
    client.get("/Users/42").expect(404);
}

/// RFC 7643 §9.2: not in clear text, and this provider has no use for any other.
#[test]
fn passwords_are_taken_and_not_kept() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(&directory.path().join("scim.db"), &[]);
    let mut ann = user("ann@example.com");
    ann["password"] = json!("t1meMa$heen");
    let made = server.client.post("/Users", ann.clone()).expect(201);
    let path = format!("/Users/{}", id(&made));
    server.client.put(&path, ann).expect(200);
    server.client.patch(&path, json!([{"op": "replace", "value": {"password": "t1meMa$heen"}}])).expect(200);
    assert_eq!(server.client.get(&path).expect(200)["password"], Value::Null);
    server.stop();
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("ann@example.com") && !text.contains("t1meMa$heen"));
    }
}

/// The base URL has another port after a restart.
fn without_location(mut body: Value) -> Value {
    let one = |resource: &mut Value| {
        if let Some(meta) = resource["meta"].as_object_mut() {
            meta.remove("location");
        }
        for name in ["groups", "members"] {
            for value in resource[name].as_array_mut().into_iter().flatten() {
                value["$ref"] = Value::Null;
            }
        }
    };
    match body["Resources"].as_array_mut() {
        Some(resources) => resources.iter_mut().for_each(one),
        None => one(&mut body),
    }
    body
}

/// Method, path and body (of a PATCH, its operations), the status they get, and what else the
/// answer must contain.
#[test]
fn wrong_input_of_every_kind_gets_its_status() {
    let server = Server::in_memory(&[]);
    let ann = server.client.post("/Users", user("ann")).expect(201);
    let one = format!("/Users/{}", id(&ann));
    let deep = format!("{{\"userName\":{}1{}}}", "[".repeat(5000), "]".repeat(5000));
    let long = format!("{{\"userName\":\"{}\"}}", "x".repeat(2 << 20));
    let terms = vec!["userName%20pr"; 300].join("%20or%20");
    let parentheses = format!("{}userName%20pr{}", "(".repeat(200), ")".repeat(200));
    let cases: Vec<(&str, String, &str, u16, &[&str])> = vec![
        // bodies
        ("POST", "/Users".into(), "", 400, &["invalidSyntax"]),
        ("POST", "/Users".into(), "{\"userName\":", 400, &["invalidSyntax", "line 1"]),
        ("POST", "/Users".into(), "[]", 400, &["invalidSyntax"]),
        (
            "POST",
            "/Users".into(),
            "{\"userName\":\"a\",\"userName\":\"b\"}",
            400,
            &["invalidSyntax", "userName"],
        ),
        (
            "POST",
            "/Users".into(),
            "{\"userName\":\"a\",\"USERNAME\":\"b\"}",
            400,
            &["invalidSyntax", "USERNAME"],
        ),
        ("POST", "/Users".into(), "{\"userName\":7}", 400, &["invalidValue", "userName"]),
        (
            "POST",
            "/Users".into(),
            "{\"userName\":\"a\",\"active\":\"perhaps\"}",
            400,
            &["invalidValue", "active"],
        ),
        ("POST", "/Users".into(), "{\"displayName\":\"nameless\"}", 400, &["invalidValue", "userName"]),
        ("POST", "/Users".into(), &deep, 400, &["invalidSyntax"]),
        ("POST", "/Users".into(), &long, 413, &["1048576"]),
        ("POST", "/Users".into(), "{\"userName\":\"ANN\"}", 409, &["uniqueness", "userName"]),
        // PATCH
        ("PATCH", one.clone(), "[]", 400, &["invalidSyntax"]),
        ("PATCH", one.clone(), "[{\"op\":\"burn\",\"path\":\"title\"}]", 400, &["invalidSyntax", "burn"]),
        ("PATCH", one.clone(), "[{\"op\":\"remove\"}]", 400, &["noTarget"]),
        ("PATCH", one.clone(), "[{\"op\":\"add\",\"path\":\"a b\",\"value\":1}]", 400, &["invalidPath"]),
        (
            "PATCH",
            one.clone(),
            "[{\"op\":\"replace\",\"path\":\"id\",\"value\":\"x\"}]",
            400,
            &["mutability"],
        ),
        ("PATCH", one.clone(), "[{\"op\":\"remove\",\"path\":\"userName\"}]", 400, &["userName"]),
        // queries
        ("GET", "/Users?filter=userName".into(), "", 400, &["invalidFilter"]),
        ("GET", "/Users?filter=shoeSize%20eq%209".into(), "", 400, &["invalidFilter", "shoeSize"]),
        ("GET", "/Users?filter=password%20eq%20%22x%22".into(), "", 403, &["sensitive", "password"]),
        ("GET", format!("/Users?filter={terms}"), "", 400, &["invalidFilter"]),
        ("GET", format!("/Users?filter={parentheses}"), "", 400, &["invalidFilter"]),
        ("GET", "/Users?filter=a&filter=b".into(), "", 400, &["filter"]),
        ("GET", "/Users?count=many".into(), "", 400, &["invalidValue", "count"]),
        ("GET", "/Users?attributes=a&excludedAttributes=b".into(), "", 400, &["excludedAttributes"]),
        // paths and methods
        ("GET", "/Users/nobody".into(), "", 404, &["no User with the id `nobody`"]),
        ("GET", "/Nothing".into(), "", 404, &[]),
        ("GET", "//Users".into(), "", 404, &[]),
        ("GET", "/Users//".into(), "", 404, &[]),
        ("GET", "/Users%2Fnobody".into(), "", 404, &[]),
        ("GET", "/Users/../ServiceProviderConfig".into(), "", 404, &[]),
        ("GET", "/%55sers?count=0".into(), "", 200, &["\"totalResults\":1"]),
        ("POST", "/ServiceProviderConfig".into(), "{}", 405, &["allow: get, head\r"]),
        ("POST", one.clone(), "{}", 405, &["allow: get, head, put, patch, delete\r"]),
        ("DELETE", "/Users".into(), "", 405, &["allow: get, head, post\r"]),
        ("BREW", "/Users".into(), "", 405, &["allow:"]),
    ];
    for (method, path, body, status, contains) in cases {
        let body = match method {
            "PATCH" => &format!("{{\"schemas\":[\"{}\"],\"Operations\":{body}}}", support::PATCH_OP),
            _ => body,
        };
        let request = format!(
            "{method} /scim/v2{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\n\
             Content-Type: application/scim+json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let (head, answer) = server.client.raw(request.as_bytes());
        let case = format!("{method} {path} {}", body.get(..200).unwrap_or(body));
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{case}: {head}\n{answer}");
        for text in contains {
            assert!(format!("{head}\r\n{answer}").contains(text), "{case}: no `{text}` in {head}\n{answer}");
        }
        if status >= 400 {
            let body: Value = serde_json::from_str(&answer).unwrap();
            assert_eq!(body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]), "{case}");
            assert_eq!(body["status"], json!(status.to_string()), "{case}");
            assert!(!body["detail"].as_str().unwrap().is_empty(), "{case}");
        }
    }
    // Nothing of it left a trace.
    assert_eq!(server.client.get("/Users").expect(200)["totalResults"], 1);
}

#[test]
fn nobody_gets_in_without_the_token() {
    let server = Server::in_memory(&[]);
    let ann = server.client.post("/Users", user("ann")).expect(201);
    let one = format!("/scim/v2/Users/{}", id(&ann));
    let large = "x".repeat(3 << 20);
    for path in [
        "/scim/v2/Users",
        one.as_str(),
        "/scim/v2/ServiceProviderConfig",
        "/scim/v2/Nothing",
        "/",
        "/scim/v2//Users",
        "/scim/v2/%55sers",
        "/scim/v2/Users/%2e%2e/Users",
        "/scim/v2/./Users",
        "//scim/v2/Users",
        "/SCIM/v2/Users",
    ] {
        for authorization in [
            String::new(),
            "Authorization:\r\n".to_owned(),
            "Authorization: Bearer\r\n".to_owned(),
            "Authorization: Bearer \r\n".to_owned(),
            "Authorization: Bearer wrong\r\n".to_owned(),
            format!("Authorization: Basic {TOKEN}\r\n"),
            format!("Authorization: Bearer token={TOKEN}\r\n"),
            format!("Authorization: Bearer {TOKEN}x\r\n"),
            format!("Authorization: {TOKEN}\r\n"),
            format!("Authorization: Bearer wrong\r\nAuthorization: Bearer {TOKEN}\r\n"),
        ] {
            for (method, body) in [("GET", ""), ("DELETE", ""), ("POST", "{\"userName\":\"x\"}")] {
                let request = format!(
                    "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{authorization}\
                     Content-Type: application/scim+json\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                let (head, answer) = server.client.raw(request.as_bytes());
                assert!(head.starts_with("http/1.1 401 "), "{method} {path} {authorization}: {head}");
                assert!(head.contains("www-authenticate: bearer"), "{method} {path} {authorization}: {head}");
                assert!(!answer.contains(TOKEN), "{answer}");
            }
        }
    }
    // Not even that a body is too large.
    let request = format!(
        "POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{large}",
        large.len()
    );
    assert!(server.client.raw(request.as_bytes()).0.starts_with("http/1.1 401 "));
    assert_eq!(server.client.get("/Users").expect(200)["totalResults"], 1);
}

#[test]
fn media_types() {
    let server = Server::in_memory(&[]);
    for (number, (content_type, status)) in [
        ("Content-Type: application/json\r\n", 201),
        ("Content-Type: application/scim+json; charset=utf-8\r\n", 201),
        ("Content-Type: Application/SCIM+JSON\r\n", 201),
        ("", 201),
        ("Content-Type: text/plain\r\n", 415),
        ("Content-Type: application/x-www-form-urlencoded\r\n", 415),
        ("Content-Type: application/json; charset=utf-16\r\n", 415),
    ]
    .into_iter()
    .enumerate()
    {
        let body = format!("{{\"schemas\":[\"{USER}\"],\"userName\":\"u{number}\"}}");
        let request = format!(
            "POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\n\
             {content_type}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let (head, answer) = server.client.raw(request.as_bytes());
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{content_type}: {head}\n{answer}");
        assert!(head.contains("content-type: application/scim+json\r\n"), "{head}");
    }
}

/// Requests that are not HTTP, or end too early, cost their connection and nothing else.
#[test]
fn broken_requests_leave_the_server_standing() {
    let server = Server::in_memory(&[]);
    let authorized = format!("Host: x\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\n");
    let long_header = format!("GET /scim/v2/Users HTTP/1.1\r\nX: {}\r\n\r\n", "y".repeat(200_000));
    for (request, status) in [
        ("\0\0\0\0\r\n\r\n".to_owned(), "400"),
        ("GET /scim/v2/Users HTTP/9.9\r\n\r\n".to_owned(), "400"),
        (format!("GET /scim/v2/Users\u{1} HTTP/1.1\r\n{authorized}\r\n"), "400"),
        (long_header, "431"),
        // Two lengths, the way requests are smuggled.
        (
            format!(
                "POST /scim/v2/Users HTTP/1.1\r\n{authorized}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}"
            ),
            "400",
        ),
    ] {
        let (head, _) = server.client.raw(request.as_bytes());
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{:?}: {head}", &request.get(..60));
    }
    // A chunked body over the limit is cut like any other.
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 16, "x".repeat(1 << 16));
    let request = format!(
        "POST /scim/v2/Users HTTP/1.1\r\n{authorized}Transfer-Encoding: chunked\r\n\
         Content-Type: application/scim+json\r\n\r\n{}0\r\n\r\n",
        chunk.repeat(40)
    );
    assert!(server.client.raw(request.as_bytes()).0.starts_with("http/1.1 413 "));
    // A body that ends early: the client hangs up.
    for _ in 0..3 {
        use std::io::Write as _;
        let base = server.client.get("/Users?count=0");
        base.expect(200);
        let address = server.client.address();
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let request = format!(
            "POST /scim/v2/Users HTTP/1.1\r\n{authorized}Content-Length: 100\r\n\r\n{{\"userName\":\"half"
        );
        stream.write_all(request.as_bytes()).unwrap();
    }
    assert_eq!(server.client.get("/Users").expect(200)["totalResults"], 0);
}

#[test]
fn service_attributes_are_written_by_no_route() {
    let server = Server::in_memory(&[]);
    let client = &server.client;
    let mut forged = user("ann");
    forged["id"] = json!("chosen");
    forged["meta"] = json!({"version": "W/\"99\"", "created": "1999-01-01T00:00:00Z", "location": "x"});
    forged["groups"] = json!([{"value": "admins"}]);
    let ann = client.post("/Users", forged.clone()).expect(201);
    let path = format!("/Users/{}", id(&ann));
    let mut state = ann.clone();
    assert_ne!(id(&ann), "chosen");
    for (name, value) in [
        ("id", json!("chosen")),
        ("meta", json!({"version": "W/\"99\""})),
        ("groups", json!([{"value": "x"}])),
    ] {
        for operation in ["add", "replace", "remove"] {
            for request in [
                json!([{"op": operation, "path": name, "value": value}]),
                json!([{"op": operation, "path": format!("{USER}:{}", name.to_uppercase()), "value": value}]),
                json!([{"op": operation, "value": {name: value}}]),
                json!([{"op": operation, "value": {format!("{USER}:{name}"): value}}]),
            ] {
                client.patch(&path, request);
                let now = client.get(&path).expect(200);
                assert_eq!((&now["id"], &now["groups"]), (&ann["id"], &Value::Null));
                assert_eq!(now["meta"]["created"], ann["meta"]["created"]);
                assert_ne!(now["meta"]["version"], "W/\"99\"");
                state = now;
            }
        }
    }
    client.put(&path, forged).expect(200);
    let now = client.get(&path).expect(200);
    assert_eq!((&now["id"], &now["groups"]), (&ann["id"], &Value::Null));
    assert_eq!(now["meta"]["created"], ann["meta"]["created"]);
    assert_eq!(now["meta"]["version"], state["meta"]["version"], "a PUT of what is there changes nothing");
}

#[test]
fn parallel_patches_all_take_effect() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(&directory.path().join("scim.db"), &[]);
    let client = &server.client;
    let group = client.post("/Groups", json!({"schemas": [GROUP], "displayName": "All"})).expect(201);
    let path = format!("/Groups/{}", id(&group));
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (client, path) = (client.clone(), &path);
            scope.spawn(move || {
                for number in 0..6 {
                    let user = client.post("/Users", user(&format!("u{thread}-{number}"))).expect(201);
                    let add = json!([{"op": "add", "path": "members", "value": [{"value": id(&user)}]}]);
                    client.patch(path, add).expect(200);
                }
            });
        }
    });
    let group = client.get(&path).expect(200);
    assert_eq!(group["members"].as_array().unwrap().len(), 48);
    assert_eq!(group["meta"]["version"], "W/\"49\"");
}

#[test]
fn a_stop_answers_what_is_under_way() {
    // An idle kept-alive connection, this client's, does not hold the stop up, which would take five seconds then. A
    // busy machine may hold it up, but not each time.
    let stops_soon = || {
        let server = Server::in_memory(&[]);
        let client = server.client.clone();
        client.post("/Users", user("ann")).expect(201);
        let begun = std::time::Instant::now();
        server.stop();
        let stopped = begun.elapsed();
        assert!(client.send("GET", "/Users", None).is_err());
        println!("it stopped in {stopped:?}");
        stopped < std::time::Duration::from_secs(3)
    };
    assert!((0..10).any(|_| stops_soon()), "an idle connection holds the stop up");
}

#[test]
fn a_bulk_request_is_made_on_the_database() {
    const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(&directory.path().join("scim.db"), &[]);
    let client = &server.client;
    let group = |bulk_id: &str, members: &[&str]| {
        let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
        let data = json!({"schemas": [GROUP], "displayName": bulk_id, "members": members});
        json!({"method": "POST", "path": "/Groups", "bulkId": bulk_id, "data": data})
    };
    let account = |bulk_id: &str, manager: &str| {
        let mut data = user(&format!("{bulk_id}@example.com"));
        data[ENTERPRISE] = json!({"manager": {"value": manager}});
        json!({"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data})
    };
    let bulk = |operations: Value| json!({"schemas": [BULK_REQUEST], "Operations": operations});

    // Groups in a circle, one of whose members is created behind them with a manager behind that.
    let answer = client.post(
        "/Bulk",
        bulk(json!([
            group("a", &["bulkId:b", "bulkId:ann"]),
            group("b", &["bulkId:a"]),
            account("ann", "bulkId:bob"),
            account("bob", "bulkId:bob"),
            {
                "method": "PATCH", "path": "/Groups/bulkId:b",
                "data": {
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                    "Operations": [{"op": "add", "path": "members", "value": [{"value": "bulkId:bob"}]}],
                },
            },
        ])),
    );
    let results = answer.expect(200)["Operations"].clone();
    let ids: Vec<&str> = results
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["location"].as_str().unwrap().rsplit('/').next().unwrap())
        .collect();
    let members = |id: &str| {
        let group = client.get(&format!("/Groups/{id}")).expect(200);
        let members = group["members"].as_array().unwrap().iter();
        let mut members: Vec<_> =
            members.map(|member| member["value"].as_str().unwrap().to_owned()).collect();
        members.sort();
        members
    };
    let sorted = |mut ids: [&str; 2]| {
        ids.sort_unstable();
        ids.map(str::to_owned)
    };
    assert_eq!(members(ids[0]), sorted([ids[1], ids[2]]));
    assert_eq!(members(ids[1]), sorted([ids[0], ids[3]]));
    let manager =
        |id: &str| client.get(&format!("/Users/{id}")).expect(200)[ENTERPRISE]["manager"]["value"].clone();
    assert_eq!([manager(ids[2]), manager(ids[3])], [json!(ids[3]), json!(ids[3])]);

    // A circle that cannot be made leaves nothing.
    let answer = client.post(
        "/Bulk",
        bulk(json!([group("c", &["bulkId:ann"]), account("ann", "bulkId:c"), group("d", &[]),])),
    );
    let statuses = answer.expect(200)["Operations"].clone();
    let statuses: Vec<_> =
        statuses.as_array().unwrap().iter().map(|result| result["status"].clone()).collect();
    assert_eq!(statuses, ["409", "409", "201"]);
    assert_eq!(client.get("/Groups?count=0").expect(200)["totalResults"], 3);

    let large = json!({"schemas": [BULK_REQUEST], "Operations": [], "padding": "x".repeat(1 << 20)});
    let refused = client.post("/Bulk", large).expect(413);
    assert_eq!(refused["detail"], "the size of the bulk operation exceeds the maxPayloadSize (1048576)");
    let many = bulk(json!(vec![json!({"method": "DELETE", "path": "/Users/none"}); 1001]));
    let refused = client.post("/Bulk", many).expect(413);
    assert_eq!(refused["detail"], "the number of operations (1001) exceeds the maxOperations (1000)");
    let told = client.get("/ServiceProviderConfig").expect(200)["bulk"].clone();
    assert_eq!(told, json!({"supported": true, "maxOperations": 1000, "maxPayloadSize": 1_048_576}));
}

#[test]
fn the_description_is_for_everyone_and_holds_no_secret() {
    let server = Server::in_memory(&["--cursor-key", "a-key-that-cursors-are-sealed-with"]);
    let (head, body) =
        server.client.raw(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(head.starts_with("http/1.1 200") && head.contains("content-type: application/json"), "{head}");
    let document: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(document["servers"][0]["url"], json!(server.client.base()));
    assert!(document["paths"]["/Users"]["get"]["parameters"].to_string().contains("\"cursor\""));
    assert!(!body.contains(TOKEN) && !body.contains("are-sealed-with"));
    // All else needs a token.
    let (head, _) = server.client.raw(b"GET /openapi HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(head.starts_with("http/1.1 401"), "{head}");
}

#[test]
fn a_patch_is_answered_as_the_option_says() {
    for (options, status) in
        [(&[][..], 200), (&["--patch-response", "200"], 200), (&["--patch-response", "204"], 204)]
    {
        let server = Server::in_memory(options);
        let ann = server.client.post("/Users", user("ann@example.com")).expect(201);
        let path = format!("/Users/{}", id(&ann));
        let named = json!([{"op": "add", "path": "displayName", "value": "Ann"}]);
        server.client.patch(&path, named).expect(status);
        assert_eq!(server.client.get(&path).expect(200)["displayName"], "Ann");
    }
}
