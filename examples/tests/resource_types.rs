//! Resource types from JSON files, served over each database; and what is said of files that are wrong.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod sql_support;
mod support;

use std::path::{Path, PathBuf};

use clap::Parser as _;
use scim_core::schema::{AttributeType, Mutability, Schema};
use scim_examples::provider::{Options, Provider};
use serde_json::{Value, json};
use sql_support::Postgres;
use support::{Client, Server, USER, id, user};

const SPECIMEN: &str = "urn:example:params:scim:schemas:core:1.0:Specimen";
const ORIGIN: &str = "urn:example:params:scim:schemas:extension:1.0:Origin";
const LOAN: &str = "urn:example:params:scim:schemas:extension:1.0:Loan";

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(name)
}

fn arguments() -> Vec<String> {
    let text = |name: &str| file(name).to_str().unwrap().to_owned();
    vec![
        "--resource-type".to_owned(),
        text("specimen.resource-type.json"),
        "--schema".to_owned(),
        text("specimen.schema.json"),
        text("specimen-extensions.schema.json"),
    ]
}

#[test]
fn a_resource_type_of_files_is_served_over_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let (database, arguments) = (directory.path().join("scim.db"), arguments());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let server = Server::start(&database, &arguments);
    let specimen = live(&server.client);
    server.stop();
    // The same after a restart; and without the files the type is not there.
    let server = Server::start(&database, &arguments);
    let mut again = server.client.get(&path(&specimen)).expect(200);
    // What is at another port now has its URIs there.
    for (of, uri) in [("meta", "location"), ("curator", "$ref")] {
        assert_ne!(again[of][uri], specimen[of][uri]);
        again[of][uri] = specimen[of][uri].clone();
    }
    assert_eq!(again, specimen);
    server.stop();
    for arguments in [&["--profile", "generic"][..], &["--profile", "pagerduty"]] {
        let mut line = vec!["provider", "--listen", "127.0.0.1:0", "--database", database.to_str().unwrap()];
        line.extend(arguments);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let refused = runtime.block_on(Provider::start(Options::try_parse_from(line).unwrap()));
        let told = refused.err().unwrap().to_string();
        let reason = match arguments {
            [_, "generic"] => "the database was made with the resource type `Specimen` of the schema",
            _ => "the database is one of the profile `generic`, not of `pagerduty`",
        };
        assert!(told.starts_with(reason) && told.contains("--adopt-database"), "{told}");
    }
    assert_eq!(Server::start(&database, &["--adopt-database"]).client.get("/Specimens").status, 404);
    assert_eq!(Server::start(&database, &[]).client.get("/Specimens").status, 404);
}

#[test]
fn a_resource_type_of_files_is_served_over_postgres() {
    let Some(postgres) = Postgres::start() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = runtime.block_on(postgres.database("specimens"));
    let arguments = arguments();
    let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    arguments.extend(["--database-url", &url]);
    live(&Server::start_with(&arguments).client);
}

fn path(resource: &Value) -> String {
    format!("/Specimens/{}", id(resource))
}

/// A value of the type.
fn value(kind: AttributeType, name: &str) -> Value {
    match kind {
        AttributeType::String => json!(format!("Text of {name}")),
        AttributeType::Reference => json!(format!("https://example.com/{name}")),
        AttributeType::Boolean => json!(true),
        AttributeType::Decimal => json!(0.1),
        AttributeType::Integer => json!(9_007_199_254_740_993_u64),
        AttributeType::DateTime => json!("2026-01-02T03:04:05.678+01:00"),
        AttributeType::Binary => json!("c3BlY2ltZW4="),
        AttributeType::Complex => json!({"value": format!("Text of {name}"), "note": "Ünïcödé"}),
    }
}

/// A specimen that has every attribute, through everything that can be done with it; returns it as
/// it is left.
fn live(client: &Client) -> Value {
    let types = client.get("/ResourceTypes").expect(200);
    let names: Vec<&str> =
        types["Resources"].as_array().unwrap().iter().map(|of| of["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["User", "Group", "Specimen"]);
    let schema = client.get(&format!("/Schemas/{SPECIMEN}")).expect(200);
    let files = Schema::read(&std::fs::read(file("specimen.schema.json")).unwrap()).unwrap();
    let served = Schema::read(schema.to_string().as_bytes()).unwrap();
    assert_eq!(served, files, "what is served is what was read");

    let curator = client.post("/Users", user("curator")).expect(201);
    let mut body = json!({
        "schemas": [SPECIMEN, ORIGIN, LOAN], "label": "Whole", "serial": "S-1", "number": 1, "colour": "red",
        "tags": ["a", "B"], "marks": ["x", "X"], "counts": [1, 2], "weights": [0.5], "seals": ["wax"],
        "curator": {"value": id(&curator), "notes": ["n"], "pin": "1234"},
        "parts": [{"value": "leaf 1", "type": "leaf", "primary": true, "code": "L1", "key": "k"}, {"value": "root"}],
        ORIGIN: {"country": "Peru", "finder": "Ada", "permit": "p"},
        LOAN: {"borrowers": ["Ann", "Bob"], "insurance": {"company": "Lloyd", "sum": 12.5}},
    });
    let combinations: Vec<_> =
        files[0].attributes.iter().skip_while(|a| a.name != "stringReadOnlyAlways").collect();
    for attribute in &combinations {
        body[&attribute.name] = value(attribute.kind, &attribute.name);
    }
    let created = client.post("/Specimens", body.clone()).expect(201);
    let read = client.get(&path(&created)).expect(200);
    let told = |of: &Value, name: &str| of.get(name).cloned();
    for attribute in &combinations {
        let name = &attribute.name;
        let written = attribute.mutability != Mutability::ReadOnly && !attribute.is_sensitive();
        assert_eq!(told(&created, name), written.then(|| body[name].clone()), "{name}");
        let by_default = written && attribute.returned.as_str() != "request";
        assert_eq!(told(&read, name), by_default.then(|| body[name].clone()), "{name}");

        if written {
            let (path, literal) = match attribute.kind {
                AttributeType::Complex => (format!("{name}.value"), body[name]["value"].to_string()),
                _ => (name.clone(), body[name].to_string()),
            };
            assert_eq!(client.count("/Specimens", &format!("{path} eq {literal}")), 1, "{name}");
            assert_eq!(client.count("/Specimens", &format!("not ({path} eq {literal})")), 0, "{name}");
        }
    }
    for filter in [
        "tags eq \"b\" and marks eq \"X\"".to_owned(),
        "parts[type eq \"leaf\" and code eq \"L1\"]".to_owned(),
        format!("{ORIGIN}:finder eq \"ADA\" and {LOAN}:insurance.sum gt 12"),
        format!("{LOAN}:borrowers sw \"bo\""),
        "counts gt 1 and weights lt 1".to_owned(),
    ] {
        assert_eq!(client.count("/Specimens", &filter), 1, "{filter}");
    }
    assert_eq!(client.get("/Specimens?filter=curator.pin+pr").status, 403);
    // It would tell whether there is a `pin`.
    assert_eq!(client.get("/Specimens?filter=curator+pr").status, 403);

    // A second one, whose values are taken.
    let other = |rest: Value| {
        let mut body = json!({"schemas": [SPECIMEN], "label": "Other", ORIGIN: {"country": "Chile"}});
        body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        body
    };
    for taken in [
        json!({"label": "WHOLE"}),
        json!({"serial": "S-1"}),
        json!({"number": 1}),
        json!({"marks": ["y", "x"]}),
        json!({"parts": [{"value": "p", "code": "L1"}]}),
        json!({ORIGIN: {"country": "Chile", "finder": "ada"}}),
    ] {
        assert_eq!(
            client.post("/Specimens", other(taken.clone())).expect(409)["scimType"],
            "uniqueness",
            "{taken}"
        );
    }
    let second = client.post("/Specimens", other(json!({"serial": "s-1", "number": 2}))).expect(201);
    for sort in ["label", "number", &format!("{ORIGIN}:country"), "stringReadWriteDefault"] {
        let list = client.get(&format!("/Specimens?sortBy={sort}&attributes=label")).expect(200);
        assert_eq!(list["totalResults"], 2, "{sort}");
    }
    let sorted = client.get("/Specimens?sortBy=number&sortOrder=descending").expect(200);
    assert_eq!(sorted["Resources"][0]["id"], second["id"]);

    // Changed, searched for, in bulk.
    let patched = client.patch(
        &path(&created),
        json!([
            {"op": "remove", "path": "tags[value eq \"A\"]"},
            {"op": "add", "path": "parts", "value": [{"value": "stem", "primary": true}]},
            {"op": "replace", "path": format!("{LOAN}:borrowers"), "value": ["Cyd"]},
            {"op": "replace", "path": "curator.pin", "value": "5678"},
            {"op": "remove", "path": format!("{LOAN}:insurance")},
        ]),
    );
    let patched = patched.expect(200);
    assert_eq!((&patched["tags"], &patched[LOAN]), (&json!(["B"]), &json!({"borrowers": ["Cyd"]})));
    assert_eq!(patched["parts"][0]["primary"], json!(false));
    for operations in [
        json!([{"op": "replace", "path": "stringImmutableDefault", "value": "x"}]),
        json!([{"op": "remove", "path": ORIGIN}]),
    ] {
        assert_eq!(client.patch(&path(&created), operations).expect(400)["scimType"], "mutability");
    }
    let search = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "filter": format!("{LOAN}:borrowers eq \"Cyd\" or userName eq \"curator\""),
    });
    assert_eq!(client.post("/.search", search).expect(200)["totalResults"], 2);
    let bulk = client.post("/Bulk", json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            {"method": "DELETE", "path": path(&second)},
            {"method": "POST", "path": "/Specimens", "bulkId": "b", "data": other(json!({"number": 2}))},
            {"method": "POST", "path": "/Users", "bulkId": "u", "data": {"schemas": [USER], "userName": "u"}},
            {"method": "PATCH", "path": "/Specimens/bulkId:b", "data": {
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [{"op": "add", "path": "curator.value", "value": "bulkId:u"}],
            }},
        ],
    }));
    let statuses: Vec<Value> =
        bulk.expect(200)["Operations"].as_array().unwrap().iter().map(|of| of["status"].clone()).collect();
    assert_eq!(statuses, ["204", "201", "201", "200"]);
    assert_eq!(client.count("/Specimens", "curator.value pr and number eq 2"), 1);

    // A PUT of what was read changes nothing, not even what could not be read.
    let read = client.get(&path(&created)).expect(200);
    let mut sent = read.clone();
    for attribute in combinations.iter().filter(|a| a.returned.as_str() == "request") {
        sent[&attribute.name] = body[&attribute.name].clone();
    }
    sent["curator"]["notes"] = json!(["n"]);
    let put = client.put(&path(&created), sent).expect(200);
    assert_eq!(put["meta"]["version"], read["meta"]["version"]);
    client.get(&path(&created)).expect(200)
}

fn start(arguments: &[&str]) -> String {
    let line = ["provider", "--listen", "127.0.0.1:0", "--database", ":memory:"];
    let options = Options::try_parse_from(line.iter().chain(arguments)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    match runtime.block_on(Provider::start(options)) {
        Ok(_) => "it starts".to_owned(),
        Err(error) => format!("{error:#}"),
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_name_and_place() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, document: Value| {
        let file = directory.path().join(name);
        std::fs::write(&file, document.to_string()).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let badge = |attribute: Value| json!({"id": "urn:x:badge", "attributes": [attribute]});
    let of_badges =
        write("type.json", json!({"name": "Badge", "endpoint": "/Badges", "schema": "urn:x:badge"}));
    let good = write("badge.json", badge(json!({"name": "number"})));
    let keyword = write("keyword.json", badge(json!({"name": "number", "returned": "somtimes"})));
    let name = write("name.json", badge(json!({"name": "a.b"})));
    let taken = write("taken.json", json!({"name": "Badge", "endpoint": "/Users", "schema": "urn:x:badge"}));
    let user = write(
        "user.json",
        json!({
            "name": "User", "endpoint": "/Users", "schema": USER, "schemaExtensions": [{"schema": "urn:x:badge"}],
        }),
    );
    for (arguments, error) in [
        (vec!["--resource-type", &of_badges, "--schema", &good], "it starts".to_owned()),
        (vec!["--resource-type", &user, "--schema", &good], "it starts".to_owned()),
        (
            vec!["--schema", "no-such.json"],
            "cannot read no-such.json: No such file or directory (os error 2)".to_owned(),
        ),
        (
            vec!["--resource-type", &of_badges, "--schema", &keyword],
            format!(
                "{keyword}: `attributes[0].returned` of `number`: `somtimes` is no returned characteristic"
            ),
        ),
        (
            vec!["--schema", &name],
            format!("{name}: schema `urn:x:badge` defines `a.b`, which is no attribute name"),
        ),
        (vec!["--schema", &good, &good], format!("{good}: schema `urn:x:badge` is given twice")),
        (
            vec!["--resource-type", &of_badges],
            format!("{of_badges}: resource type `Badge` names the unknown schema `urn:x:badge`"),
        ),
        (
            vec!["--resource-type", &taken, "--schema", &good],
            format!("{taken}: two resource types are served at `/Users`"),
        ),
        (
            vec!["--resource-type", &of_badges, "--resource-type", &of_badges, "--schema", &good],
            format!("{of_badges}: resource type `Badge` is given twice"),
        ),
        (
            vec!["--schema", &good],
            "no resource type has the schema `urn:x:badge`; `--resource-type` gives one".to_owned(),
        ),
        (
            vec!["--profile", "pagerduty", "--schema", &good],
            "`--schema` needs `--profile generic`".to_owned(),
        ),
    ] {
        assert_eq!(start(&arguments), error);
    }
}
