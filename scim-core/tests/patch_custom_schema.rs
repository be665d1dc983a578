//! PATCH on a schema of our own: lists of strings, required, immutable and readOnly attributes at
//! every level, an extension with attributes of several values.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::sync::LazyLock;

use scim_core::leniency::Leniencies;
use scim_core::patch::{PatchOptions, PatchRequest, Plan, keyed};
use scim_core::schema::{
    Attribute, Mutability, Registry, ResourceSchema, ResourceType, Returned, Schema, SchemaExtension,
};
use scim_core::{Error, Resource, Value};
use serde_json::{Value as Json, json};

const DEVICE: &str = "urn:example:params:scim:schemas:1.5:Device";
const RACK: &str = "urn:example:params:scim:schemas:1.5:Device:Rack";

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let immutable = |attribute: Attribute| attribute.mutability(Mutability::Immutable);
    let device = Schema {
        id: DEVICE.to_owned(),
        name: "Device".to_owned(),
        description: String::new(),
        attributes: vec![
            immutable(Attribute::string("serial").case_exact()),
            Attribute::string("tags").multi_valued(),
            Attribute::string("sites").multi_valued().required(),
            immutable(Attribute::string("licences")).multi_valued(),
            Attribute::complex(
                "owner",
                [
                    immutable(Attribute::string("contract")),
                    Attribute::string("name").required(),
                    Attribute::string("since").read_only(),
                    Attribute::string("phones").multi_valued(),
                ],
            ),
            Attribute::complex(
                "ports",
                [
                    Attribute::string("value"),
                    Attribute::string("type"),
                    immutable(Attribute::string("origin")),
                    Attribute::string("speed").read_only(),
                    Attribute::boolean("primary"),
                ],
            )
            .multi_valued(),
            Attribute::complex(
                "contacts",
                [Attribute::string("name").required(), Attribute::string("phone")],
            )
            .multi_valued(),
            Attribute::complex(
                "keys",
                [Attribute::string("type"), immutable(Attribute::string("secret").returned(Returned::Never))],
            )
            .multi_valued(),
            Attribute::complex("crew", [immutable(Attribute::string("value"))]).multi_valued(),
        ],
    };
    let rack = Schema {
        id: RACK.to_owned(),
        name: "Rack".to_owned(),
        description: String::new(),
        attributes: vec![
            Attribute::string("slots").multi_valued(),
            Attribute::string("position").read_only(),
            Attribute::complex("neighbours", [immutable(Attribute::string("value").case_exact())])
                .multi_valued(),
        ],
    };
    let device_type = ResourceType {
        name: "Device".to_owned(),
        description: String::new(),
        endpoint: "/Devices".to_owned(),
        schema: DEVICE.to_owned(),
        schema_extensions: vec![SchemaExtension { schema: RACK.to_owned(), required: false }],
    };
    Registry::new(vec![device, rack], vec![device_type]).unwrap()
});

fn schema() -> &'static ResourceSchema {
    REGISTRY.by_name("Device").unwrap()
}

fn device() -> Resource {
    resource(json!({
        "schemas": [DEVICE],
        "id": "d1",
        "serial": "S-1",
        "tags": ["old", "Blue"],
        "sites": ["Ghent"],
        "licences": ["basic"],
        "owner": {"contract": "C-1", "name": "Ann", "since": "2020"},
        "ports": [{"value": "80", "type": "tcp", "origin": "factory", "speed": "10G", "primary": true}],
    }))
}

fn resource(json: Json) -> Resource {
    match Value::from(json) {
        Value::Object(object) => Resource(object),
        other => panic!("{other} is no object"),
    }
}

fn plan(operations: Json) -> Result<Plan, Error> {
    plan_on(&device(), operations, Leniencies::tolerant())
}

fn plan_on(current: &Resource, operations: Json, leniencies: Leniencies) -> Result<Plan, Error> {
    let body =
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
    let options = PatchOptions { leniencies, ..PatchOptions::default() };
    PatchRequest::parse(schema(), body.into(), &options)?.plan(schema(), current)
}

/// The attribute after the operations.
#[track_caller]
fn after(operations: Json, attribute: &str) -> Json {
    match plan(operations) {
        Ok(plan) => plan.resource.get(attribute).cloned().unwrap_or_default().into(),
        Err(error) => panic!("{}", error.detail()),
    }
}

#[track_caller]
fn refused(operations: Json) -> String {
    let error = plan(operations).unwrap_err();
    assert_eq!(error.scim_type().unwrap().as_str(), "mutability", "{}", error.detail());
    error.detail().to_owned()
}

#[test]
fn a_list_of_strings_is_a_set() {
    let op = |op: &str, value: Json| json!([{"op": op, "path": "tags", "value": value}]);
    assert_eq!(after(op("add", json!(["new", "BLUE", "new"])), "tags"), json!(["old", "Blue", "new"]));
    assert_eq!(after(op("add", json!("new")), "tags"), json!(["old", "Blue", "new"]));
    assert_eq!(after(op("replace", json!(["x", "X", "y"])), "tags"), json!(["x", "y"]));
    assert_eq!(after(op("remove", json!(["blue", "absent"])), "tags"), json!(["old"]));
    assert_eq!(after(op("remove", json!("OLD")), "tags"), json!(["Blue"]));
    assert_eq!(after(op("remove", Json::Null), "tags"), Json::Null);
    assert_eq!(after(json!([{"op": "remove", "path": "tags[value eq \"blue\"]"}]), "tags"), json!(["old"]));
    let replaced = json!([{"op": "replace", "path": "tags[value eq \"blue\"]", "value": "Red"}]);
    assert_eq!(after(replaced, "tags"), json!(["old", "Red"]));
}

#[test]
fn a_list_inside_a_complex_attribute() {
    let steps = json!([
        {"op": "add", "path": "owner.phones", "value": ["1", "2"]},
        {"op": "add", "path": "owner.phones", "value": ["2", "3"]},
        {"op": "remove", "path": "owner.phones", "value": ["1"]},
    ]);
    let owner = after(steps, "owner");
    assert_eq!(owner, json!({"contract":"C-1","name":"Ann","since":"2020","phones":["2","3"]}));
    let replaced = after(json!([{"op": "replace", "path": "owner.phones", "value": []}]), "owner");
    assert_eq!(replaced, json!({"contract":"C-1","name":"Ann","since":"2020"}));
}

#[test]
fn a_required_attribute_keeps_a_value() {
    for operations in [
        json!([{"op": "remove", "path": "sites"}]),
        json!([{"op": "replace", "path": "sites", "value": []}]),
        json!([{"op": "remove", "path": "sites", "value": ["ghent"]}]),
        json!([{"op": "remove", "path": "sites[value eq \"Ghent\"]"}]),
        json!([{"op": "replace", "value": {"sites": null}}]),
        json!([{"op": "remove", "path": "sites"}, {"op": "add", "path": "sites", "value": ["Lille"]}]),
    ] {
        assert!(refused(operations).ends_with("`sites` is required"));
    }
    assert!(refused(json!([{"op": "remove", "path": "owner.name"}])).ends_with("`owner.name` is required"));
    assert!(
        refused(json!([{"op": "replace", "path": "owner", "value": {"name": null}}])).ends_with("required")
    );
    assert_eq!(after(json!([{"op": "remove", "path": "owner"}]), "owner"), Json::Null);

    let contact = json!({"op": "add", "path": "contacts", "value": [{"name": "Ann", "phone": "1"}]});
    for removal in [
        json!({"op": "remove", "path": "contacts[phone eq \"1\"].name"}),
        json!({"op": "remove", "path": "contacts.name"}),
        json!({"op": "add", "path": "contacts[phone eq \"1\"]", "value": {"name": null}}),
    ] {
        assert!(refused(json!([contact, removal])).ends_with("`contacts.name` is required"), "{removal}");
    }
    let optional = json!([contact, {"op": "remove", "path": "contacts[name eq \"ann\"].phone"}]);
    assert_eq!(after(optional, "contacts"), json!([{"name": "Ann"}]));
}

#[test]
fn an_error_does_not_tell_what_is_never_returned() {
    let mut locked = device();
    locked.0.insert("keys", Value::from(json!([{"type": "door", "secret": "1234"}])));
    let forged = json!([{"op": "replace", "path": "keys[type eq \"door\"].secret", "value": "9"}]);
    let error = plan_on(&locked, forged, Leniencies::tolerant()).unwrap_err();
    assert_eq!(error.detail(), "Operations[0].path: `keys.secret` is immutable and has another value");
}

/// A long list inside one value is charged as the values of an attribute are.
#[test]
fn operations_on_a_list_inside_a_value_do_not_multiply() {
    let phones: Json = (0..20_000).map(|number| json!(number.to_string())).collect();
    let mut busy = device();
    busy.0.insert("owner", Value::from(json!({"name": "Ann", "phones": phones})));
    let add = |count: usize| -> Json {
        (0..count).map(|_| json!({"op": "add", "path": "owner.phones", "value": ["x"]})).collect()
    };
    assert!(plan_on(&busy, add(3), Leniencies::strict()).is_ok());
    let error = plan_on(&busy, add(900), Leniencies::strict()).unwrap_err();
    assert_eq!(error.scim_type().unwrap().as_str(), "tooMany");
}

#[test]
fn an_immutable_attribute_ends_as_it_began() {
    for operations in [
        json!([{"op": "replace", "path": "serial", "value": "S-2"}]),
        json!([{"op": "remove", "path": "serial"}]),
        json!([{"op": "remove", "path": "serial"}, {"op": "add", "path": "serial", "value": "S-2"}]),
        json!([{"op": "add", "value": {"SERIAL": "S-2"}}]),
        json!([{"op": "add", "value": {format!("{DEVICE}:serial"): "S-2"}}]),
        json!([{"op": "add", "path": "licences", "value": ["gold"]}]),
        json!([{"op": "remove", "path": "licences"}, {"op": "add", "path": "licences", "value": ["gold"]}]),
        json!([{"op": "replace", "path": "owner.contract", "value": "C-2"}]),
        json!([{"op": "remove", "path": "owner.contract"}]),
        json!([{"op": "remove", "path": "owner"}, {"op": "add", "path": "owner", "value": {"contract": "C-2", "name": "Bob"}}]),
        json!([{"op": "replace", "path": "ports[value eq \"80\"].origin", "value": "forged"}]),
        json!([{"op": "remove", "path": "ports[value eq \"80\"].origin"}]),
        json!([{"op": "replace", "path": "ports[value eq \"80\"]", "value": {"value": "80", "origin": "forged"}}]),
        json!([{"op": "replace", "path": "ports", "value": [{"value": "80", "type": "tcp", "origin": "forged"}]}]),
        json!([{"op": "remove", "path": "ports"}, {"op": "add", "path": "ports", "value": [{"value": "80", "type": "tcp", "origin": "forged"}]}]),
    ] {
        assert!(refused(operations.clone()).contains("immutable"), "{operations}");
    }
    let same = json!([
        {"op": "remove", "path": "serial"},
        {"op": "add", "path": "serial", "value": "S-1"},
        {"op": "remove", "path": "licences"},
        {"op": "add", "path": "licences", "value": ["basic"]},
        {"op": "replace", "path": "owner.contract", "value": "C-1"},
        {"op": "remove", "path": "owner"},
        {"op": "add", "path": "owner", "value": {"contract": "C-1", "name": "Ann"}},
    ]);
    assert!(plan(same).unwrap().change.is_empty());

    let mut blank = device();
    blank.0.remove("serial");
    let first = json!([{"op": "add", "path": "serial", "value": "S-9"}]);
    let planned = plan_on(&blank, first, Leniencies::strict()).unwrap();
    assert_eq!(planned.resource.get("serial").and_then(Value::as_str), Some("S-9"));
}

#[test]
fn read_only_parts_survive_whatever_is_around_them() {
    let replaced = json!([{"op": "replace", "path": "ports", "value": [{"value": "80", "type": "tcp", "origin": "factory", "speed": "1G"}]}]);
    assert_eq!(
        after(replaced, "ports"),
        json!([{"value":"80","type":"tcp","origin":"factory","speed":"10G"}])
    );
    let put =
        json!([{"op": "replace", "path": "ports[type eq \"tcp\"]", "value": {"value": "81", "type": "tcp"}}]);
    assert_eq!(after(put, "ports"), json!([{"value":"81","type":"tcp","origin":"factory","speed":"10G"}]));
    let owner = json!([{"op": "add", "path": "owner", "value": {"since": "1999", "name": "Bob"}}]);
    assert_eq!(after(owner, "owner"), json!({"contract":"C-1","name":"Bob","since":"2020"}));
    assert!(
        refused(json!([{"op": "replace", "path": "owner.since", "value": "1999"}])).contains("`owner.since`")
    );
    assert!(
        refused(json!([{"op": "remove", "path": "ports[type eq \"tcp\"].speed"}])).contains("`ports.speed`")
    );
}

#[test]
fn an_extension_whose_uri_is_longer_than_the_base_schema() {
    assert!(!keyed(schema().find(None, "ports").unwrap()));
    let steps = json!([
        {"op": "add", "path": format!("{RACK}:slots"), "value": ["7"]},
        {"op": "add", "value": {RACK: {"neighbours": [{"value": "d2"}, {"value": "d2"}]}}},
        {"op": "remove", "path": format!("{RACK}:neighbours[value eq \"D2\"]")},
    ]);
    assert_eq!(after(steps.clone(), RACK), json!({"slots":["7"],"neighbours":[{"value":"d2"}]}));
    assert_eq!(after(steps.clone(), "schemas"), json!([DEVICE, RACK]));
    // What a store reads as a delta is of the base schema alone.
    assert!(plan(steps.clone()).unwrap().change.deltas.is_empty());

    let racked = plan(steps).unwrap().resource;
    let gone = json!([{"op": "remove", "path": RACK}]);
    let planned = plan_on(&racked, gone, Leniencies::strict()).unwrap();
    assert_eq!(planned.resource, device());
    let mut applied = racked;
    assert!(planned.change.apply(&mut applied));
    assert_eq!(applied, device());
}

#[test]
fn keys_compare_as_the_schema_says() {
    let mut crewed = device();
    let Value::Array(crew) = Value::from(json!([{"value": "ann"}, {"value": "Bob"}])) else { panic!() };
    crewed.0.insert("crew", crew);
    let steps = json!([
        {"op": "remove", "path": "crew[value eq \"ANN\"]"},
        {"op": "add", "path": "crew", "value": [{"value": "BOB"}, {"value": "cyd"}]},
        {"op": "remove", "path": "crew", "value": [{"value": "Cyd"}, {"value": "eve"}]},
    ]);
    let planned = plan_on(&crewed, steps.clone(), Leniencies::tolerant()).unwrap();
    assert!(planned.change.deltas[0].ignore_case);
    let expected = Value::from(json!([{"value": "Bob"}]));
    assert_eq!(planned.resource.get("crew"), Some(&expected));

    let mut blind = crewed.clone();
    blind.0.remove("crew");
    let mut applied = crewed.clone();
    plan_on(&blind, steps.clone(), Leniencies::tolerant()).unwrap().change.apply(&mut applied);
    assert_eq!(applied.get("crew"), Some(&expected));

    let mut looking = steps;
    looking.as_array_mut().unwrap().push(json!({"op": "remove", "path": "crew[value co \"zzz\"]"}));
    let looked = plan_on(&crewed, looking, Leniencies::tolerant()).unwrap();
    assert_eq!(looked.resource.get("crew"), Some(&expected));
}
