//! Schemas: the built-in ones against RFC 7643 §8.7, the registry and its errors, look-up.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use scim_core::schema::{
    Attribute, AttributeType, Mutability, Registry, RegistryError, ResourceType, Returned, Schema,
    SchemaExtension, Uniqueness, builtin,
};
use scim_filter::Schema as _;

/// Where the built-in schemas follow the text or an erratum against the tables of §8.7.
const DEVIATIONS: &[(&str, &str, &str, &str)] = &[
    ("EnterpriseUser", "manager.value", "required", "§4.3: RECOMMENDED"),
    ("EnterpriseUser", "manager.$ref", "required", "§4.3: RECOMMENDED"),
    ("Group", "members.value", "caseExact", "§3.1: an `id` is case-exact"),
    (
        "Group",
        "members.display",
        "mutability",
        "§4.2: sub-attributes of members are \"immutable\"; RFC 7644 §3.5.2.1 adds one",
    ),
    ("User", "groups.value", "caseExact", "§3.1: an `id` is case-exact"),
    ("Schema", "name", "required", "§7: OPTIONAL"),
];

/// The characteristics of every attribute of a schema, by path.
fn table(schema: &Schema) -> BTreeMap<String, BTreeMap<&'static str, String>> {
    fn collect(
        attributes: &[Attribute],
        prefix: &str,
        rows: &mut BTreeMap<String, BTreeMap<&'static str, String>>,
    ) {
        for attribute in attributes {
            let path = format!("{prefix}{}", attribute.name);
            let row = BTreeMap::from([
                ("type", format!("{:?}", attribute.kind)),
                ("multiValued", attribute.multi_valued.to_string()),
                ("required", attribute.required.to_string()),
                ("canonicalValues", attribute.canonical_values.join(" ")),
                ("caseExact", attribute.case_exact.to_string()),
                ("mutability", attribute.mutability.to_string()),
                ("returned", attribute.returned.to_string()),
                ("uniqueness", attribute.uniqueness.to_string()),
                ("referenceTypes", attribute.reference_types.join(" ")),
            ]);
            rows.insert(path.clone(), row);
            collect(&attribute.sub_attributes, &format!("{path}."), rows);
        }
    }
    let mut rows = BTreeMap::new();
    collect(&schema.attributes, "", &mut rows);
    rows
}

#[test]
fn the_built_in_schemas_are_those_of_rfc7643_section_8_7() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/rfc/examples");
    if !folder.exists() {
        println!("skipped: {} is absent", folder.display());
        return;
    }
    let mut seen = Vec::new();
    for (file, ours) in [
        ("8.7.1-schema-user", builtin::user()),
        ("8.7.1-schema-group", builtin::group()),
        ("8.7.1-schema-enterprise_user", builtin::enterprise_user()),
        ("8.7.2-schema-service_provider_configuration", builtin::service_provider_config()),
        ("8.7.2-schema-resource_type", builtin::resource_type()),
        ("8.7.2-schema-schema", builtin::schema()),
    ] {
        let text = fs::read_to_string(folder.join(format!("rfc7643-{file}.json"))).unwrap();
        let theirs: Schema = serde_json::from_str(&text).unwrap();
        assert_eq!((&ours.id, &ours.name), (&theirs.id, &theirs.name));
        let (mut ours_rows, theirs_rows) = (table(&ours), table(&theirs));
        if file.contains("service_provider") {
            // RFC 9865 §4 adds one attribute.
            let added: Vec<String> = ours_rows
                .extract_if(.., |path, _| path.starts_with("pagination"))
                .map(|(path, _)| path)
                .collect();
            let expected = "pagination pagination.cursor pagination.cursorTimeout pagination.defaultPageSize \
                            pagination.defaultPaginationMethod pagination.index pagination.maxPageSize";
            assert_eq!(added.join(" "), expected);
        }
        assert_eq!(
            ours_rows.keys().collect::<Vec<_>>(),
            theirs_rows.keys().collect::<Vec<_>>(),
            "attributes of {file}"
        );
        for (path, theirs_row) in &theirs_rows {
            for (characteristic, theirs_value) in theirs_row {
                let ours_value = &ours_rows[path][characteristic];
                let is_reference = ours_rows[path]["type"] == "Reference";
                if ours_value == theirs_value || (is_reference && *characteristic == "caseExact") {
                    continue;
                }
                let listed = DEVIATIONS
                    .iter()
                    .any(|(name, p, c, _)| *name == ours.name && p == path && c == characteristic);
                assert!(listed, "{file}: {path}.{characteristic} is {ours_value}, not {theirs_value}");
                seen.push((ours.name.clone(), path.clone(), (*characteristic).to_owned()));
            }
        }
    }
    for (name, path, characteristic, _) in DEVIATIONS {
        let row = ((*name).to_owned(), (*path).to_owned(), (*characteristic).to_owned());
        assert!(seen.contains(&row), "{name}.{path}.{characteristic} does not deviate");
    }
}

#[test]
fn the_resource_types_of_rfc7643_section_8_6_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/rfc/examples");
    if !folder.exists() {
        println!("skipped: {} is absent", folder.display());
        return;
    }
    for (file, ours) in [("user", builtin::user_resource_type()), ("group", builtin::group_resource_type())] {
        let text = fs::read_to_string(folder.join(format!("rfc7643-8.6-resource_type-{file}.json"))).unwrap();
        let theirs: ResourceType = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&theirs.name, &theirs.endpoint, &theirs.schema),
            (&ours.name, &ours.endpoint, &ours.schema)
        );
        let uris = |of: &ResourceType| -> Vec<String> {
            of.schema_extensions.iter().map(|extension| extension.schema.clone()).collect()
        };
        assert_eq!(uris(&theirs), uris(&ours));
    }
}

#[test]
fn every_built_in_attribute_is_described() {
    fn check(attributes: &[Attribute], place: &str) {
        for attribute in attributes {
            assert!(!attribute.description.is_empty(), "{place}.{}", attribute.name);
            check(&attribute.sub_attributes, &format!("{place}.{}", attribute.name));
        }
    }
    check(builtin::common_attributes(), "common");
    for schema in [
        builtin::user(),
        builtin::group(),
        builtin::enterprise_user(),
        builtin::service_provider_config(),
        builtin::resource_type(),
        builtin::schema(),
    ] {
        check(&schema.attributes, &schema.name);
    }
}

#[test]
fn schemas_read_back_what_they_write() {
    for schema in [builtin::user(), builtin::group(), builtin::enterprise_user(), builtin::schema()] {
        let text = serde_json::to_string(&schema).unwrap();
        assert_eq!(serde_json::from_str::<Schema>(&text).unwrap(), schema);
    }
    let resource_type = builtin::user_resource_type();
    let text = serde_json::to_string(&resource_type).unwrap();
    assert_eq!(serde_json::from_str::<ResourceType>(&text).unwrap(), resource_type);
    assert!(text.contains(r#""schemaExtensions":[{"schema":"urn:ietf"#), "{text}");
}

#[test]
fn an_attribute_has_the_defaults_of_section_2_2() {
    let attribute: Attribute = serde_json::from_str(r#"{"name": "x"}"#).unwrap();
    assert_eq!(attribute, Attribute::string("x"));
    assert_eq!(attribute.kind, AttributeType::String);
    assert!(!attribute.required && !attribute.case_exact && !attribute.multi_valued);
    assert_eq!(attribute.mutability, Mutability::ReadWrite);
    assert_eq!(attribute.returned, Returned::Default);
    assert_eq!(attribute.uniqueness, Uniqueness::None);
    assert_eq!(
        serde_json::to_string(&Attribute::reference("r", ["User"])).unwrap(),
        r#"{"name":"r","type":"reference","multiValued":false,"description":"","required":false,"caseExact":true,"mutability":"readWrite","returned":"default","uniqueness":"none","referenceTypes":["User"]}"#
    );
}

#[test]
fn keywords_that_are_none_are_refused() {
    for (json, error) in [
        (r#"{"name":"x","type":"text"}"#, "`text` is no attribute type"),
        (r#"{"name":"x","mutability":"frozen"}"#, "`frozen` is no mutability"),
        (r#"{"name":"x","returned":"often"}"#, "`often` is no returned characteristic"),
        (r#"{"name":"x","uniqueness":"some"}"#, "`some` is no uniqueness"),
    ] {
        let found = serde_json::from_str::<Attribute>(json).unwrap_err().to_string();
        assert!(found.starts_with(error), "{found}");
    }
}

fn schema(id: &str, attributes: Vec<Attribute>) -> Schema {
    Schema { id: id.to_owned(), name: String::new(), description: String::new(), attributes }
}

fn resource_type(name: &str, endpoint: &str, schema: &str, extensions: &[&str]) -> ResourceType {
    ResourceType {
        name: name.to_owned(),
        description: String::new(),
        endpoint: endpoint.to_owned(),
        schema: schema.to_owned(),
        schema_extensions: extensions
            .iter()
            .map(|uri| SchemaExtension { schema: (*uri).to_owned(), required: false })
            .collect(),
    }
}

fn refusal(schemas: Vec<Schema>, types: Vec<ResourceType>) -> String {
    let error: RegistryError = Registry::new(schemas, types).unwrap_err();
    error.to_string()
}

#[test]
fn a_registry_refuses_what_does_not_fit_together() {
    let a = || schema("urn:a", vec![]);
    let b = || schema("urn:b", vec![]);
    let of = |attribute: Attribute| refusal(vec![schema("urn:a", vec![attribute])], vec![]);
    let base = |attribute: Attribute| {
        refusal(vec![schema("urn:a", vec![attribute])], vec![resource_type("A", "/A", "urn:a", &[])])
    };
    let sub = Attribute::string("sub");
    for (found, error) in [
        (refusal(vec![a(), schema("URN:A", vec![])], vec![]), "schema `URN:A` is given twice"),
        (refusal(vec![schema("User", vec![])], vec![]), "`User` is no schema URI"),
        (
            base(Attribute::string("ID").case_exact()),
            "schema `urn:a` defines `ID`, which every resource has, with another mutability",
        ),
        (
            base(Attribute::string("meta").read_only()),
            "schema `urn:a` defines `meta`, which every resource has, with another type",
        ),
        (
            base(Attribute::string("externalId").multi_valued()),
            "schema `urn:a` defines `externalId`, which every resource has, with another multiValued",
        ),
        (refusal(vec![schema("urn:a b", vec![])], vec![]), "`urn:a b` is no schema URI"),
        (
            refusal(vec![a()], vec![resource_type("A", "/A", "urn:b", &[])]),
            "resource type `A` names the unknown schema `urn:b`",
        ),
        (
            refusal(vec![a()], vec![resource_type("A", "/A", "urn:a", &["urn:b"])]),
            "resource type `A` names the unknown schema `urn:b`",
        ),
        (
            refusal(vec![a()], vec![resource_type("A", "/A", "urn:a", &["urn:a"])]),
            "resource type `A` names the schema `urn:a` twice",
        ),
        (
            refusal(vec![a(), b()], vec![resource_type("A", "/A", "urn:a", &["urn:b", "urn:B"])]),
            "resource type `A` names the schema `urn:b` twice",
        ),
        (
            refusal(
                vec![a()],
                vec![resource_type("A", "/A", "urn:a", &[]), resource_type("a", "/B", "urn:a", &[])],
            ),
            "resource type `a` is given twice",
        ),
        (
            refusal(
                vec![a()],
                vec![resource_type("A", "/A", "urn:a", &[]), resource_type("B", "/A", "urn:a", &[])],
            ),
            "two resource types are served at `/A`",
        ),
        (
            refusal(vec![a()], vec![resource_type("A/B", "/A", "urn:a", &[])]),
            "`A/B` is no name for a resource type",
        ),
        (refusal(vec![a()], vec![resource_type("A", "A", "urn:a", &[])]), "`A` is no endpoint for resources"),
        (
            refusal(vec![a()], vec![resource_type("A", "/A/", "urn:a", &[])]),
            "`/A/` is no endpoint for resources",
        ),
        (
            refusal(vec![a()], vec![resource_type("A", "/..", "urn:a", &[])]),
            "`/..` is no endpoint for resources",
        ),
        (
            refusal(vec![a()], vec![resource_type("A", "/Schemas", "urn:a", &[])]),
            "`/Schemas` is no endpoint for resources",
        ),
        (of(Attribute::string("1x")), "schema `urn:a` defines `1x`, which is no attribute name"),
        (of(Attribute::string("a.b")), "schema `urn:a` defines `a.b`, which is no attribute name"),
        (of(Attribute::string("$")), "schema `urn:a` defines `$`, which is no attribute name"),
        (
            of(Attribute::complex("c", [sub.clone(), Attribute::string("SUB")])),
            "schema `urn:a` defines `c.SUB` twice",
        ),
        (
            of(Attribute { sub_attributes: vec![sub.clone()], ..Attribute::string("s") }),
            "schema `urn:a` gives `s` sub-attributes, but it is not complex",
        ),
        (
            of(Attribute::complex("c", [Attribute::complex("d", [sub])])),
            "schema `urn:a` makes the sub-attribute `c.d` complex",
        ),
        (of(Attribute::complex("c", [])), "schema `urn:a` makes `c` complex and gives it no sub-attributes"),
        (
            of(Attribute::boolean("b").unique(Uniqueness::Server)),
            "schema `urn:a` makes `b` unique, which its type cannot be",
        ),
        (
            of(Attribute::complex("c", [Attribute::date_time("d").unique(Uniqueness::Global)])),
            "schema `urn:a` makes `c.d` unique, which its type cannot be",
        ),
    ] {
        assert_eq!(found, error);
    }
}

#[test]
fn attributes_are_found_in_any_case_and_the_common_ones_first() {
    let registry = Registry::standard();
    let user = registry.by_endpoint("/Users").unwrap();
    assert_eq!(user.find(None, "USERNAME").unwrap().name, "userName");
    assert_eq!(user.find(Some(builtin::USER), "username").unwrap().name, "userName");
    assert_eq!(user.find(None, "id").unwrap().returned, Returned::Always);
    assert_eq!(user.find(None, "externalid").unwrap().name, "externalId");
    assert_eq!(user.find(None, "meta").unwrap().mutability, Mutability::ReadOnly);
    assert!(user.find(None, "manager").is_none());
    assert!(user.find(Some("urn:x"), "manager").is_none());
    let enterprise = builtin::ENTERPRISE_USER.to_uppercase();
    assert_eq!(user.find(Some(&enterprise), "MANAGER").unwrap().name, "manager");
    assert!(user.find(Some(&enterprise), "userName").is_none());
    for attribute in user.top_level() {
        assert_eq!(user.find(None, &attribute.name), Some(attribute));
    }

    // RFC 7643 §3.1: its characteristics take precedence over those of a schema that lists `id`.
    let listing = schema("urn:a", vec![Attribute::string("ID").read_only(), Attribute::string("x")]);
    let registry = Registry::new(vec![listing], vec![resource_type("A", "/As", "urn:a", &[])]).unwrap();
    let a = registry.by_name("A").unwrap();
    assert_eq!(a.find(None, "ID").unwrap().returned, Returned::Always);
    assert_eq!(a.top_level().filter(|attribute| attribute.name.eq_ignore_ascii_case("id")).count(), 1);
}

#[test]
fn a_path_is_split_at_the_longest_known_uri() {
    let schemas = vec![schema("urn:x:User", vec![]), schema("urn:x:User:2.0", vec![Attribute::string("a")])];
    let types = vec![resource_type("A", "/As", "urn:x:User", &["urn:x:User:2.0"])];
    let registry = Registry::new(schemas, types).unwrap();
    let a = registry.by_name("A").unwrap();
    assert_eq!(a.schema_uri_len("URN:X:user:2.0:a"), Some(14));
    assert_eq!(a.schema_uri_len("urn:x:User:2.0"), Some(14));
    assert_eq!(a.schema_uri_len("urn:x:User:2.1:a"), Some(10));
    assert_eq!(a.schema_uri_len("urn:x:User2.0:a"), None);
    assert_eq!(a.schema_uri_len("urn:x:Us\u{e9}r"), None);
    assert_eq!(a.schema_uri_len("a"), None);
    assert_eq!(scim_filter::Schema::extension(&**a, "urn:X:user:2.0"), Some("urn:x:User:2.0"));
    assert_eq!(scim_filter::Schema::extension(&**a, "urn:x:User"), None);
    assert_eq!(a.attribute(Some("urn:x:user:2.0"), "A").unwrap().extension, Some("urn:x:User:2.0"));
}

#[test]
fn what_must_not_be_revealed_is_sensitive() {
    let registry = Registry::standard();
    let user = registry.by_name("User").unwrap();
    assert!(user.attribute(None, "PassWord").unwrap().sensitive);
    assert!(!user.attribute(None, "userName").unwrap().sensitive);
    let sub = user.sub_attribute(None, "emails", "Value").unwrap();
    assert_eq!((sub.name, sub.sensitive, sub.kind), ("value", false, AttributeType::String));
    assert!(user.sub_attribute(None, "emails", "x").is_none());

    let secret =
        Attribute::complex("keys", [Attribute::string("value")]).multi_valued().returned(Returned::Never);
    let registry =
        Registry::new(vec![schema("urn:a", vec![secret])], vec![resource_type("A", "/As", "urn:a", &[])])
            .unwrap();
    assert!(registry.by_name("A").unwrap().sub_attribute(None, "keys", "value").unwrap().sensitive);
}
