//! Every characteristic of an attribute (RFC 7643 §2.2, §7) held at the service, by the resource type of
//! `examples/schemas`, which has one attribute for each type, mutability, returned and caseExact.

use std::collections::BTreeSet;

use scim_core::Config;
use scim_core::schema::{Attribute, AttributeType, Mutability, Registry, ResourceType, Returned, Schema};
use serde_json::{Value, json};

use crate::support::{Answer, BASE, Server, config, encoded, server_with};

pub(crate) const SPECIMEN: &str = "urn:example:params:scim:schemas:core:1.0:Specimen";
pub(crate) const ORIGIN: &str = "urn:example:params:scim:schemas:extension:1.0:Origin";
const LOAN: &str = "urn:example:params:scim:schemas:extension:1.0:Loan";

/// How many attributes the schema has for the combinations: 8 types, 4 mutabilities, 4 returned, 2 caseExact.
const COMBINATIONS: usize = 8 * 4 * 4 * 2;

pub(crate) fn registry() -> Registry {
    let mut schemas = Schema::read(include_bytes!("../../../examples/schemas/specimen.schema.json")).unwrap();
    let extensions = include_bytes!("../../../examples/schemas/specimen-extensions.schema.json");
    schemas.extend(Schema::read(extensions).unwrap());
    let types = include_bytes!("../../../examples/schemas/specimen.resource-type.json");
    Registry::standard().with(schemas, ResourceType::read(types).unwrap()).unwrap()
}

fn server() -> Server {
    server_with(Config { registry: registry(), ..config() })
}

/// The attributes that stand for a combination.
fn combinations() -> Vec<Attribute> {
    let attributes = registry().schema(SPECIMEN).unwrap().attributes.clone();
    attributes.into_iter().skip_while(|attribute| attribute.name != "stringReadOnlyAlways").collect()
}

/// A specimen with this and what is required.
pub(crate) fn specimen(label: &str, rest: Value) -> Value {
    let mut specimen = json!({"schemas": [SPECIMEN, ORIGIN], "label": label, ORIGIN: {"country": "Peru"}});
    specimen.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    specimen
}

/// Two values of the attribute's type, and the first in another case.
fn values(attribute: &Attribute) -> [Value; 3] {
    match attribute.kind {
        AttributeType::String => [json!("Ab"), json!("Cd"), json!("aB")],
        AttributeType::Reference => [json!("https://e.org/Ab"), json!("/Cd"), json!("https://e.org/aB")],
        AttributeType::Boolean => [json!(true), json!(false), json!(true)],
        AttributeType::Decimal => [json!(1.5), json!(-2), json!(1.5)],
        AttributeType::Integer => [json!(7), json!(-8), json!(7)],
        AttributeType::DateTime => {
            [json!("2026-01-02T03:04:05Z"), json!("1999-12-31T23:59:59+02:00"), json!("2026-01-02T03:04:05Z")]
        }
        AttributeType::Binary => [json!("QWI="), json!("Q2Q="), json!("qwi=")],
        AttributeType::Complex => [
            json!({"value": "Ab", "note": "n"}),
            json!({"value": "Cd", "note": "n"}),
            json!({"value": "Ab", "note": "n"}),
        ],
    }
}

fn is_stored(attribute: &Attribute) -> bool {
    attribute.mutability != Mutability::ReadOnly
}

/// Whether a response may ever carry it.
fn is_told(attribute: &Attribute) -> bool {
    is_stored(attribute)
        && attribute.mutability != Mutability::WriteOnly
        && attribute.returned != Returned::Never
}

#[track_caller]
fn id(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// What a response shows of the attribute, by name.
#[track_caller]
fn shown(answer: &Answer, attribute: &Attribute) -> Option<Value> {
    assert!(answer.status.is_success(), "{}: {}", attribute.name, answer.text);
    answer.json().get(&attribute.name).cloned()
}

#[test]
fn there_is_an_attribute_for_every_combination() {
    let attributes = combinations();
    let keywords: BTreeSet<String> = attributes
        .iter()
        .map(|a| format!("{:?} {} {} {}", a.kind, a.mutability, a.returned, a.case_exact))
        .collect();
    assert_eq!((keywords.len(), attributes.len()), (COMBINATIONS, COMBINATIONS));
}

#[test]
fn what_is_written_is_shown_as_returned_says() {
    let server = server();
    for attribute in combinations() {
        let name = &attribute.name;
        let [value, ..] = values(&attribute);
        let told = is_told(&attribute).then(|| value.clone());
        let unless = |never: &[Returned]| told.clone().filter(|_| !never.contains(&attribute.returned));

        // A write shows what it wrote, also what a query shows on request only (§7, `returned`).
        let written = server.post("/Specimens", specimen(name, json!({ name: value })));
        assert_eq!(shown(&written, &attribute), told, "{name}");
        let path = format!("/Specimens/{}", id(&written));
        let put = server.put(&path, specimen(name, json!({ name: value })));
        assert_eq!(shown(&put, &attribute), told, "{name}");
        let other = server.put(&path, specimen(name, json!({"colour": "red"})));
        let stays = attribute.mutability == Mutability::Immutable;
        let kept = unless(&[Returned::Request]).filter(|_| stays);
        assert_eq!(shown(&other, &attribute), kept, "{name}: a write that does not name it");
        server.put(&path, specimen(name, json!({ name: value })));

        let by_default = unless(&[Returned::Request]);
        assert_eq!(shown(&server.get(&path), &attribute), by_default, "{name}");
        let asked = server.get(&format!("{path}?attributes={name}"));
        assert_eq!(shown(&asked, &attribute), told, "{name}");
        let others = server.get(&format!("{path}?attributes=label"));
        let always = unless(&[Returned::Request, Returned::Default]);
        assert_eq!(shown(&others, &attribute), always, "{name}");
        let excluded = server.get(&format!("{path}?excludedAttributes={name}"));
        assert_eq!(shown(&excluded, &attribute), always, "{name}");
        let excluded =
            server.put(&format!("{path}?excludedAttributes={name}"), specimen(name, json!({ name: value })));
        assert_eq!(shown(&excluded, &attribute), always, "{name}");

        let list =
            server.get(&format!("/Specimens?filter={}", encoded(&format!("label eq \"{name}\"")))).json();
        assert_eq!(list["Resources"][0].get(name).cloned(), by_default, "{name}");
    }
}

#[test]
fn a_filter_sees_what_may_be_told_and_compares_as_case_exact_says() {
    let server = server();
    for attribute in combinations() {
        let name = &attribute.name;
        let [value, other, cased] = values(&attribute);
        id(&server.post("/Specimens", specimen(name, json!({ name: value }))));
        let path =
            if attribute.kind == AttributeType::Complex { format!("{name}.value") } else { name.clone() };
        let literal = |value: &Value| value.get("value").unwrap_or(value).to_string();
        let answer = |filter: &str| server.get(&format!("/Specimens?filter={}", encoded(filter)));
        let matches = |filter: String| {
            let answer = answer(&filter);
            assert_eq!(answer.status, 200, "{filter}: {}", answer.text);
            answer.json()["totalResults"] == json!(1)
        };
        if attribute.is_sensitive() {
            for filter in [format!("{path} pr"), format!("not ({path} eq {})", literal(&value))] {
                answer(&filter).refused_naming(403, Some("sensitive"), name);
            }
            continue;
        }
        let stored = is_stored(&attribute);
        assert_eq!(matches(format!("{path} pr")), stored, "{name}");
        assert_eq!(matches(format!("{path} eq {}", literal(&value))), stored, "{name}");
        assert!(!matches(format!("{path} eq {}", literal(&other))), "{name}");
        let same_but_case = match attribute.kind {
            AttributeType::String | AttributeType::Reference => !attribute.case_exact,
            // A binary value is case exact, whatever the schema says (§2.3.6).
            AttributeType::Binary => false,
            _ => true,
        };
        assert_eq!(matches(format!("{path} eq {}", literal(&cased))), stored && same_but_case, "{name}");
    }
}

#[test]
fn what_may_be_changed_is_changed() {
    let server = server();
    for attribute in combinations() {
        let name = &attribute.name;
        let [value, other, _] = values(&attribute);
        let created = server.post("/Specimens", specimen(name, json!({ name: value })));
        let path = format!("/Specimens/{}", id(&created));
        let replace =
            |value: &Value| server.patch(&path, json!([{"op": "replace", "path": name, "value": value}]));
        let tag = |answer: &Answer| answer.header("etag").unwrap().to_owned();
        match attribute.mutability {
            Mutability::ReadOnly => {
                replace(&other).refused_naming(400, Some("mutability"), name);
                let put = server.put(&path, specimen(name, json!({ name: other })));
                assert_eq!((put.status.as_u16(), tag(&put)), (200, tag(&created)), "{name}");
            }
            Mutability::Immutable => {
                let remove = json!({"op": "remove", "path": name});
                let add = json!({"op": "add", "path": name, "value": other});
                for operations in [json!([remove]), json!([add]), json!([remove, add])] {
                    let refused = server.patch(&path, operations);
                    refused.refused_naming(400, Some("mutability"), name);
                }
                server.put(&path, specimen(name, json!({ name: other }))).refused_naming(
                    400,
                    Some("mutability"),
                    name,
                );
                // Compared with the state before the request: in the end it is what it was.
                let back = json!([remove, {"op": "add", "path": name, "value": value}]);
                assert_eq!(tag(&server.patch(&path, back)), tag(&created), "{name}");
                let blank = format!(
                    "/Specimens/{}",
                    id(&server.post("/Specimens", specimen(&format!("{name}2"), json!({}))))
                );
                assert_eq!(server.patch(&blank, json!([add])).status, 200, "{name}");
                server
                    .patch(&blank, json!([{"op": "replace", "path": name, "value": value}]))
                    .refused_naming(400, Some("mutability"), name);
            }
            Mutability::ReadWrite | Mutability::WriteOnly => {
                assert_eq!(tag(&replace(&value)), tag(&created), "{name}: the value it has");
                let changed = replace(&other);
                assert_ne!(tag(&changed), tag(&created), "{name}");
                assert_eq!(shown(&changed, &attribute), is_told(&attribute).then_some(other), "{name}");
                // What a client cannot read it cannot send back either, so a PUT without it keeps it.
                let put = server.put(&path, specimen(name, json!({})));
                assert_eq!(tag(&put) == tag(&changed), attribute.is_sensitive(), "{name}");
                let removed = server.patch(&path, json!([{"op": "remove", "path": name}]));
                assert_eq!(tag(&removed) == tag(&put), !attribute.is_sensitive(), "{name}");
            }
        }
    }
}

#[test]
fn a_patch_shows_what_it_names_and_is_returned_on_request() {
    let server = server();
    let curator = json!({"value": "c", "notes": ["careful"], "pin": "1234"});
    let path = format!(
        "/Specimens/{}",
        id(&server.post("/Specimens", specimen("a", json!({ "curator": curator }))))
    );
    let patch = |operation: Value| server.patch(&path, json!([operation])).json()["curator"].clone();
    let hidden = json!({"value": "c", "$ref": format!("{BASE}/Users/c")});
    assert_eq!(patch(json!({"op": "add", "path": "colour", "value": "red"})), hidden);
    assert_eq!(
        patch(json!({"op": "add", "path": "curator.since", "value": "2026-01-01T00:00:00Z"}))["notes"],
        Value::Null
    );
    assert_eq!(
        patch(json!({"op": "add", "path": "curator.notes", "value": ["x"]}))["notes"],
        json!(["careful", "x"])
    );
    assert_eq!(patch(json!({"op": "add", "value": {"Curator": {"notes": "y"}}}))["notes"], json!(["y"]));
    assert_eq!(server.get(&path).json()["curator"]["notes"], Value::Null);
}

#[test]
fn a_unique_value_is_had_once_and_free_again_when_it_is_gone() {
    let server = server();
    let origin = |finder: &str| json!({ORIGIN: {"country": "Peru", "finder": finder}});
    for (first, second, attribute) in [
        (json!({"label": "Kestrel"}), json!({"label": "kESTREL"}), "label"),
        (json!({"serial": "S-1"}), json!({"serial": "S-1"}), "serial"),
        (json!({"number": 7}), json!({"number": 7}), "number"),
        (json!({"marks": ["x", "y"]}), json!({"marks": ["y"]}), "marks"),
        (
            json!({"parts": [{"value": "1", "code": "c"}]}),
            json!({"parts": [{"value": "2"}, {"value": "3", "code": "c"}]}),
            "parts.code",
        ),
        (origin("Ada"), origin("ADA"), "urn:example:params:scim:schemas:extension:1.0:Origin:finder"),
    ] {
        let refused = |answer: Answer| {
            let detail = format!("another resource has the same value of `{attribute}`");
            answer.refused(409, Some("uniqueness"), &detail);
        };
        let holder = format!("/Specimens/{}", id(&server.post("/Specimens", specimen("one", first.clone()))));
        refused(server.post("/Specimens", specimen("two", second.clone())));
        let two = format!("/Specimens/{}", id(&server.post("/Specimens", specimen("two", json!({})))));
        refused(server.put(&two, specimen("two", second.clone())));
        refused(server.patch(&two, json!([{"op": "add", "value": second}])));
        assert_eq!(
            server.put(&holder, specimen("one", first)).status,
            200,
            "its own value is in nobody's way"
        );
        assert_eq!(server.delete(&holder).status, 204);
        assert_eq!(server.put(&two, specimen("two", second)).status, 200, "{attribute}");
        assert_eq!(server.delete(&two).status, 204);
    }
    // A value that differs in case is another where the attribute is case-exact.
    id(&server.post("/Specimens", specimen("a", json!({"serial": "S-1", "marks": ["x"]}))));
    id(&server.post("/Specimens", specimen("b", json!({"serial": "s-1", "marks": ["X"]}))));
}

#[test]
fn what_is_required_is_there_after_every_write() {
    let server = server();
    let complete = specimen("one", json!({}));
    let path = format!("/Specimens/{}", id(&server.post("/Specimens", complete.clone())));
    let without = |name: &str| {
        let mut specimen = complete.clone();
        specimen.as_object_mut().unwrap().remove(name);
        specimen
    };
    for (body, missing) in [
        (without("label"), "label"),
        (without(ORIGIN), ORIGIN),
        (specimen("two", json!({"label": ""})), "label"),
        (specimen("two", json!({ORIGIN: {}})), ORIGIN),
        (specimen("two", json!({ORIGIN: {"finder": "Ada"}})), &format!("{ORIGIN}:country")),
        (specimen("two", json!({"curator": {"pin": "1"}})), "curator.value"),
        (specimen("two", json!({"parts": [{"value": "1"}, {"type": "leaf"}]})), "parts[1].value"),
        (specimen("two", json!({LOAN: {"insurance": {"sum": 1.5}}})), &format!("{LOAN}:insurance.company")),
    ] {
        let detail = format!("`{missing}` is required");
        server.post("/Specimens", body.clone()).refused(400, Some("invalidValue"), &detail);
        server.put(&path, body).refused(400, Some("invalidValue"), &detail);
    }
    for (operation, place) in [
        (json!({"op": "remove", "path": "label"}), "label"),
        (json!({"op": "replace", "path": "label", "value": ""}), "label"),
        (json!({"op": "remove", "path": ORIGIN}), "country"),
        (json!({"op": "remove", "path": format!("{ORIGIN}:country")}), "country"),
        (json!({"op": "add", "path": "curator.pin", "value": "1"}), "curator.value"),
        (json!({"op": "add", "path": "parts", "value": [{"type": "leaf"}]}), "parts[0].value"),
    ] {
        let refused = server.patch(&path, json!([operation]));
        let scim_type = refused.json()["scimType"].as_str().unwrap().to_owned();
        assert!(["mutability", "invalidValue"].contains(&&*scim_type), "{}", refused.text);
        refused.refused_naming(400, Some(&scim_type), place);
    }
    assert_eq!(server.get(&path).header("etag"), Some("W/\"1\""), "nothing was changed");
}

/// RFC 7643 §7: they are suggested, and what the client sends is kept as it is.
#[test]
fn canonical_values_are_suggestions() {
    let server = server();
    for (number, colour) in ["red", "RED", "infrared"].into_iter().enumerate() {
        let created = server.post("/Specimens", specimen(&number.to_string(), json!({"colour": colour})));
        id(&created);
        assert_eq!(created.json()["colour"], json!(colour));
    }
    let parts = json!([{"value": "1", "type": "petal"}]);
    let created = server.post("/Specimens", specimen("petals", json!({"parts": parts})));
    assert_eq!(created.json()["parts"][0]["type"], json!("petal"));
}

#[test]
fn lists_of_simple_values_are_written_changed_and_found() {
    let server = server();
    let lists = [
        ("tags", json!(["a", "b"]), json!("c")),
        ("counts", json!([1, -2]), json!(3)),
        ("weights", json!([0.5, 2]), json!(-1.25)),
        (
            "visits",
            json!(["2026-01-01T00:00:00Z", "2025-01-01T00:00:00.5+01:00"]),
            json!("2024-01-01T00:00:00Z"),
        ),
        ("scans", json!(["QQ==", "Qg=="]), json!("Qw==")),
        ("links", json!(["https://a.example", "/Users/1"]), json!("https://b.example")),
    ];
    let body: serde_json::Map<String, Value> =
        lists.iter().map(|(name, values, _)| ((*name).to_owned(), values.clone())).collect();
    let created = server.post("/Specimens", specimen("lists", body.into()));
    let path = format!("/Specimens/{}", id(&created));
    for (name, values, more) in lists {
        assert_eq!(created.json()[name], values);
        let count = |filter: String| {
            server.get(&format!("/Specimens?filter={}", encoded(&filter))).json()["totalResults"].clone()
        };
        for value in values.as_array().unwrap() {
            assert_eq!(count(format!("{name} eq {value}")), json!(1), "{name}");
            assert_eq!(count(format!("{name}[value eq {value}]")), json!(1), "{name}");
        }
        assert_eq!(count(format!("{name} eq {more}")), json!(0), "{name}");
        let added = server.patch(&path, json!([{"op": "add", "path": name, "value": [more, values[0]]}]));
        assert_eq!(added.json()[name], json!([values[0], values[1], more]));
        assert_eq!(count(format!("{name} eq {more}")), json!(1), "{name}");
        let removed =
            server.patch(&path, json!([{"op": "remove", "path": format!("{name}[value eq {}]", values[0])}]));
        assert_eq!(removed.json()[name], json!([values[1], more]), "{name}");
        let wrong = server.patch(&path, json!([{"op": "add", "path": name, "value": [{"x": 1}]}]));
        wrong.refused_naming(400, Some("invalidValue"), "value[0]");
    }
    // Immutable as a list: neither more values nor other ones.
    let sealed =
        format!("/Specimens/{}", id(&server.post("/Specimens", specimen("s", json!({"seals": ["wax"]})))));
    let more = server.patch(&sealed, json!([{"op": "add", "path": "seals", "value": ["lead"]}]));
    more.refused_naming(400, Some("mutability"), "seals");
}

#[test]
fn an_extension_comes_and_goes_with_its_attributes() {
    let server = server();
    let loan = json!({LOAN: {"borrowers": ["Ann"], "until": "2026-12-31T00:00:00Z"}});
    let created = server.post("/Specimens", specimen("lent", loan.clone()));
    let path = format!("/Specimens/{}", id(&created));
    assert_eq!(
        created.json()["schemas"],
        json!([SPECIMEN, ORIGIN, LOAN]),
        "listed, though the client did not"
    );
    assert_eq!(created.json()[LOAN], loan[LOAN]);
    let filter = encoded(&format!("{LOAN}:borrowers eq \"ANN\" and {ORIGIN}:country eq \"peru\""));
    assert_eq!(server.get(&format!("/Specimens?filter={filter}")).json()["totalResults"], json!(1));
    let asked = server.get(&format!("{path}?attributes={LOAN}:until")).json();
    assert_eq!(asked[LOAN], json!({"until": "2026-12-31T00:00:00Z"}));
    assert_eq!(asked.get(ORIGIN), None);

    let gone = server.patch(
        &path,
        json!([
            {"op": "remove", "path": format!("{LOAN}:borrowers")},
            {"op": "remove", "path": format!("{LOAN}:until")},
        ]),
    );
    assert_eq!((gone.json().get(LOAN), &gone.json()["schemas"]), (None, &json!([SPECIMEN, ORIGIN])));
    let insured =
        json!({"op": "add", "path": format!("{LOAN}:insurance"), "value": {"company": "Lloyd", "sum": 10}});
    let back = server.patch(&path, json!([insured])).json();
    assert_eq!(back[LOAN], json!({"insurance": {"company": "Lloyd", "sum": 10}}));
    assert_eq!(server.patch(&path, json!([{"op": "remove", "path": LOAN}])).json().get(LOAN), None);

    let permit =
        server.post("/Specimens", specimen("p", json!({ORIGIN: {"country": "Chile", "permit": "secret"}})));
    assert!(!permit.text.contains("secret") && permit.status == 201, "{}", permit.text);
}

#[test]
fn no_answer_tells_what_is_write_only() {
    let server = server();
    let secrets: Vec<Attribute> = combinations().into_iter().filter(Attribute::is_sensitive).collect();
    let told: serde_json::Map<String, Value> = secrets
        .iter()
        .filter(|attribute| matches!(attribute.kind, AttributeType::String | AttributeType::Complex))
        .map(|attribute| match attribute.kind {
            AttributeType::Complex => (attribute.name.clone(), json!({"value": "hush"})),
            _ => (attribute.name.clone(), json!("hush")),
        })
        .collect();
    let mut body = specimen("quiet", told.into());
    body["curator"] = json!({"value": "c", "pin": "hush"});
    body["parts"] = json!([{"value": "1", "key": "hush"}]);
    body[ORIGIN]["permit"] = json!("hush");
    let created = server.post("/Specimens", body.clone());
    let path = format!("/Specimens/{}", id(&created));
    let names: Vec<&str> = secrets.iter().map(|attribute| attribute.name.as_str()).collect();
    let attributes = format!("{},curator.pin,parts.key,{ORIGIN}:permit,{ORIGIN}", names.join(","));
    let search = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "attributes": attributes.split(',').collect::<Vec<_>>(),
    });
    let bulk = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            {"method": "PUT", "path": path, "data": body},
            {"method": "PATCH", "path": path, "data": crate::support::patch_op(
                json!([{"op": "replace", "path": "curator.pin", "value": "hush"}]))},
        ],
    });
    let forged = json!([{"op": "replace", "path": "stringImmutableNever", "value": "hush2"}]);
    for answer in [
        created,
        server.get(&path),
        server.get(&format!("{path}?attributes={attributes}")),
        server.get("/Specimens"),
        server.post("/Specimens/.search", search.clone()),
        server.post("/.search", search),
        server.put(&path, body.clone()),
        server.patch(&path, json!([{"op": "replace", "path": "parts[value eq \"1\"].key", "value": "hush"}])),
        server.patch(&path, forged),
        server.patch(&path, json!([{"op": "add", "path": "parts[key eq \"hush\"].length", "value": 1}])),
        server.post("/Specimens", body),
        server.post("/Bulk", bulk),
    ] {
        let text = answer.text.replace("key eq \\\"hush\\\"", "");
        assert!(!text.contains("hush"), "{}", answer.text);
    }
}

/// What a client cannot read it cannot send back: it stays beside what is sent back as it was.
#[test]
fn a_put_of_what_was_read_keeps_what_could_not_be_read() {
    let server = server();
    let parts = json!([
        {"value": "1", "key": "one"}, {"value": "2", "key": "two"}, {"value": "2", "key": "other two"},
        {"value": "3", "key": "three"},
    ]);
    let body = specimen("a", json!({"curator": {"value": "c", "pin": "1234"}, "parts": parts}));
    let created = server.post("/Specimens", body);
    let path = format!("/Specimens/{}", id(&created));
    let put = |read: Value| server.put(&path, read).header("etag").unwrap().to_owned();
    assert_eq!(put(server.get(&path).json()), "W/\"1\"");

    let mut changed = server.get(&path).json();
    changed["curator"] = json!({"value": "d"});
    let parts = changed["parts"].as_array_mut().unwrap();
    parts.remove(3);
    parts.insert(0, json!({"value": "3", "type": "root"}));
    assert_eq!(put(changed), "W/\"2\"");
    // Whether a value is the one it was shows in whether writing it is a change.
    for (path_of, value, is_there) in [
        ("curator.pin", "1234", true),
        ("parts[value eq \"1\"].key", "one", true),
        ("parts[value eq \"3\"].key", "three", false),
    ] {
        let before = server.get(&path).header("etag").unwrap().to_owned();
        let after = server.patch(&path, json!([{"op": "replace", "path": path_of, "value": value}]));
        assert_eq!(after.header("etag").unwrap() == before, is_there, "{path_of}: {}", after.text);
    }
}

/// An attribute is not kept apart for being called `members`: one of plain values is read to be changed, as any other.
#[test]
fn members_of_a_kind_of_their_own_are_values_as_any_other() {
    let base = Schema {
        id: "urn:example:Crew".to_owned(),
        name: "Crew".to_owned(),
        description: String::new(),
        attributes: vec![Attribute::string("members").multi_valued()],
    };
    let kind = ResourceType {
        name: "Crew".to_owned(),
        description: String::new(),
        endpoint: "/Crews".to_owned(),
        schema: base.id.clone(),
        schema_extensions: Vec::new(),
    };
    let registry = Registry::standard().with(vec![base], vec![kind]).unwrap();
    let server = server_with(Config { registry, ..config() });
    let body = json!({"schemas": ["urn:example:Crew"], "members": ["ann"]});
    let crew = server.post("/Crews", body).json();
    let path = format!("/Crews/{}", crew["id"].as_str().unwrap());
    server.patch(&path, json!([{"op": "add", "path": "members", "value": ["bob"]}]));
    assert_eq!(server.get(&path).json()["members"], json!(["ann", "bob"]));
}
