//! The discovery endpoints (RFC 7644 §4).

use serde_json::{Value, json};

use crate::support::{config, server, server_with};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

#[test]
fn the_service_provider_config_says_what_is_configured() {
    let document = server().get("/ServiceProviderConfig").json();
    assert_eq!(document["schemas"], json!(["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"]));
    assert_eq!(document["patch"], json!({"supported": true}));
    let bulk = json!({"supported": true, "maxOperations": 1000, "maxPayloadSize": 1_048_576});
    assert_eq!(document["bulk"], bulk);
    assert_eq!(document["filter"], json!({"supported": true, "maxResults": 200}));
    for (name, supported) in [("changePassword", false), ("sort", true), ("etag", true)] {
        assert_eq!(document[name], json!({"supported": supported}), "{name}");
    }
    assert_eq!(document["authenticationSchemes"][0]["type"], "oauthbearertoken");
    assert_eq!(
        document["meta"],
        json!({
            "resourceType": "ServiceProviderConfig",
            "location": "https://scim.example.com/scim/v2/ServiceProviderConfig",
        })
    );
    assert_eq!(document.get("documentationUri"), None);
}

#[test]
fn capabilities_are_data() {
    let mut config = config();
    config.capabilities.documentation_uri = Some("https://docs.example.com".to_owned());
    config.capabilities.patch = false;
    config.capabilities.etag = false;
    config.capabilities.discovery_location = false;
    let server = server_with(config);
    let document = server.get("/ServiceProviderConfig").json();
    assert_eq!(document["documentationUri"], "https://docs.example.com");
    assert_eq!(document["patch"]["supported"], false);
    assert_eq!(document["etag"]["supported"], false);
    assert_eq!(document["meta"], json!({"resourceType": "ServiceProviderConfig"}));
    assert_eq!(server.get("/Schemas").json()["Resources"][0]["meta"], json!({"resourceType": "Schema"}));
}

#[test]
fn resource_types_are_listed_and_found_by_name() {
    let server = server();
    let list = server.get("/ResourceTypes").json();
    assert_eq!(list["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:ListResponse"]));
    assert_eq!(
        (&list["totalResults"], &list["itemsPerPage"], &list["startIndex"]),
        (&json!(2), &json!(2), &json!(1))
    );
    let user = server.get("/ResourceTypes/User").json();
    assert_eq!(user, list["Resources"][0]);
    assert_eq!(user["schemas"], json!(["urn:ietf:params:scim:schemas:core:2.0:ResourceType"]));
    assert_eq!(
        (&user["id"], &user["name"], &user["endpoint"], &user["schema"]),
        (&json!("User"), &json!("User"), &json!("/Users"), &json!(USER))
    );
    assert_eq!(
        user["schemaExtensions"],
        json!([{"schema": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", "required": false}])
    );
    assert_eq!(user["meta"]["location"], "https://scim.example.com/scim/v2/ResourceTypes/User");
    server.get("/ResourceTypes/none").refused(404, None, "there is no resource type `none`");
}

#[test]
fn resource_types_by_name_can_be_left_out() {
    let mut config = config();
    config.capabilities.resource_type_by_name = false;
    assert!(scim_core::openapi::document(&config).to_string().contains("\"/ResourceTypes\""));
    assert!(!scim_core::openapi::document(&config).to_string().contains("/ResourceTypes/{id}"));
    let server = server_with(config);
    assert_eq!(server.get("/ResourceTypes").json()["totalResults"], 2);
    server.get("/ResourceTypes/User").refused(
        404,
        None,
        "`/scim/v2/ResourceTypes/User` is no endpoint of this service",
    );
}

#[test]
fn schemas_are_listed_and_found_by_uri_in_any_spelling() {
    let server = server();
    let list = server.get("/Schemas").json();
    let ids: Vec<_> =
        list["Resources"].as_array().unwrap().iter().map(|schema| schema["id"].as_str().unwrap()).collect();
    assert_eq!(
        ids,
        [
            USER,
            "urn:ietf:params:scim:schemas:core:2.0:Group",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        ]
    );
    for id in [USER.to_owned(), USER.replace(':', "%3A"), USER.to_uppercase(), crate::support::encoded(USER)]
    {
        let schema = server.get(&format!("/Schemas/{id}")).json();
        assert_eq!(schema, list["Resources"][0], "{id}");
    }
    let schema = &list["Resources"][0];
    assert_eq!(schema["schemas"], json!(["urn:ietf:params:scim:schemas:core:2.0:Schema"]));
    assert_eq!(schema["meta"]["location"], format!("https://scim.example.com/scim/v2/Schemas/{USER}"));
    let names: Vec<_> =
        schema["attributes"].as_array().unwrap().iter().map(|a| a["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"userName") && names.contains(&"emails"), "{names:?}");
    server.get("/Schemas/urn:none").refused(404, None, "there is no schema `urn:none`");
}

#[test]
fn no_discovery_document_has_a_null() {
    fn nulls(value: &Value) -> usize {
        match value {
            Value::Null => 1,
            Value::Array(elements) => elements.iter().map(nulls).sum(),
            Value::Object(members) => members.values().map(nulls).sum(),
            _ => 0,
        }
    }
    for path in ["/ServiceProviderConfig", "/ResourceTypes", "/Schemas"] {
        assert_eq!(nulls(&server().get(path).json()), 0, "{path}");
    }
}

#[test]
fn a_filter_is_forbidden_and_other_parameters_mean_nothing() {
    let server = server();
    for path in ["/ServiceProviderConfig", "/ResourceTypes", "/Schemas", "/ResourceTypes/User"] {
        server.get(&format!("{path}?filter=name+eq+%22User%22")).refused(
            403,
            None,
            "discovery endpoints cannot be filtered",
        );
        let answer = server.get(&format!("{path}?startIndex=9&count=0&attributes=id&sortBy=x"));
        assert_eq!(answer.json(), server.get(path).json(), "{path}");
    }
}
