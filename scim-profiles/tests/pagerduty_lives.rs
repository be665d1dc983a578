//! Users' lives at PagerDuty as Okta, Entra ID and OneLogin lead them, and what the server says of
//! itself.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod server;

use scim_core::ResourceId;
use scim_profiles::pagerduty::{
    DEFAULT_ROLE, LicenseGroup, Licenses, Offboarding, OwnerProtection, PROFILE, PagerDuty, PagerDutyOptions,
    ROLES, RoleOmitted,
};
use serde_json::{Value, json};
use server::{Answer, Server};

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// An identity provider with its headers.
struct Client<'s> {
    server: &'s Server,
    headers: Vec<(&'static str, &'static str)>,
}

impl Client<'_> {
    fn get(&self, path: &str) -> Answer {
        self.server.send("GET", path, &self.headers, None)
    }

    fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        self.server.send(method, path, &self.headers, Some(&body.into()))
    }

    fn patch(&self, id: &str, operations: Value) -> Answer {
        let body = json!({"schemas": [PATCH_OP], "Operations": operations});
        self.send("PATCH", &format!("/Users/{id}"), body)
    }

    fn total(&self, filter: &str) -> Value {
        let answer = self.get(&format!("/Users?filter={filter}&startIndex=1&count=100"));
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["content-type"], "application/scim+json");
        answer.body["totalResults"].clone()
    }
}

fn okta(server: &Server) -> Client<'_> {
    let headers = vec![
        ("user-agent", "Okta SCIM Client 1.0.0"),
        ("accept", "application/scim+json"),
        ("content-type", "application/scim+json; charset=utf-8"),
        ("authorization", "Token token=key"),
    ];
    Client { server, headers }
}

#[test]
fn okta_from_assignment_to_reactivation() {
    let server = Server::new(PagerDuty::default());
    let okta = okta(&server);
    let by_name = "userName%20eq%20%22alex.doe%40example.com%22";
    let body = json!({
        "schemas": [USER],
        "userName": "alex.doe@example.com",
        "name": {"givenName": "Alex", "familyName": "Doe"},
        "emails": [{"primary": true, "value": "alex.doe@example.com", "type": "work"}],
        "displayName": "Alex Doe",
        "externalId": "00ujl29u0le5T6Aj10h7",
        "groups": [],
        "password": "1mz050nq",
        "active": true,
        "roles": [{"type": "base", "value": "limited_user"}],
        "entitlements": [{"type": "license", "value": "PABC123"}],
    });

    assert_eq!(okta.total(by_name), 0);
    let created = okta.send("POST", "/Users", body.clone());
    assert_eq!(created.status, 201);
    let id = created.body["id"].as_str().unwrap().to_owned();
    assert_eq!(created.headers["location"], format!("https://scim.example.com/scim/v2/Users/{id}"));
    assert_eq!(id.len(), 26);
    assert_eq!(
        created.body,
        json!({
            "schemas": [USER],
            "id": id,
            "externalId": "00ujl29u0le5T6Aj10h7",
            "userName": "alex.doe@example.com",
            "displayName": "Alex Doe",
            "active": true,
            "roles": [{"value": "limited_user", "type": "base", "primary": true}],
            "entitlements": [{"type": "license", "value": "PABC123"}],
            "meta": {"resourceType": "User"},
        })
    );
    assert_eq!(okta.total(by_name), 1);

    // An update is the user as read, with what changed: here the role, with the licence of the former.
    let mut user = okta.get(&format!("/Users/{id}")).body;
    user["displayName"] = json!("Alexandra Doe");
    user["roles"] = json!([{"type": "base", "value": "read_only_user"}]);
    let updated = okta.send("PUT", &format!("/Users/{id}"), user);
    assert_eq!(updated.status, 200);
    assert_eq!(updated.body["displayName"], "Alexandra Doe");
    assert_eq!(updated.body["roles"], json!([{"value": "read_only_user", "type": "base", "primary": true}]));
    assert_eq!(updated.body["entitlements"], Value::Null);

    let off = json!([{"op": "replace", "value": {"active": false}}]);
    let deactivated = okta.patch(&id, off.clone());
    assert_eq!((deactivated.status.as_u16(), deactivated.body), (204, Value::Null));
    assert_eq!(server.user(&id), None);
    assert_eq!(okta.patch(&id, off).status, 404);
    let reactivated = okta.patch(&id, json!([{"op": "replace", "value": {"active": true}}]));
    assert_eq!(reactivated.status, 404);
    assert_eq!(reactivated.body["status"], "404");

    assert_eq!(okta.total(by_name), 0);
    let again = okta.send("POST", "/Users", body);
    assert_eq!(again.status, 201);
    assert_ne!(again.body["id"], json!(id));
}

/// Okta's update is a PUT of the user as read, merged with its own profile: where that changes nothing about the
/// owner it is answered as of anybody, and what does change something is refused.
#[test]
fn a_put_that_leaves_the_owner_as_it_is_is_no_change() {
    let owner = json!([{"value": "owner", "type": "base", "primary": true}]);
    for with_licenses in [false, true] {
        for protection in [OwnerProtection::Full, OwnerProtection::Role] {
            let mut options = PagerDutyOptions::default();
            options.owner = protection;
            let mut policy = PagerDuty::new(options);
            if with_licenses {
                let list = json!([{"id": "P1", "role_group": "FullUser", "allocations_available": 3}]);
                policy = policy.with_licenses(Licenses::parse(&list.into()).unwrap());
            }
            let server = Server::new(policy);
            let okta = okta(&server);
            let id = "AGKWDNQ24N4SXBBWYENPROSIYQ";
            server.seed(json!({
                "schemas": [USER],
                "id": id,
                "externalId": "00ujl29u0le5T6Aj10h7",
                "userName": "owner@example.com",
                "displayName": "Olive Owner",
                "title": "Founder",
                "timezone": "Europe/Berlin",
                "active": true,
                "roles": owner,
                "entitlements": [{"type": "license", "value": "P1"}],
                "licenseSeat": "1:P1",
            }));
            let path = format!("/Users/{id}");
            let before = server.user(id);
            let mut put = okta.get(&path).body;
            assert_eq!(put["roles"], owner);
            for (name, value) in [
                ("name", json!({"givenName": "Olive", "familyName": "Owner"})),
                ("emails", json!([{"primary": true, "value": "owner@example.com", "type": "work"}])),
                ("groups", json!([])),
                ("password", json!("1mz050nq")),
            ] {
                put[name] = value;
            }
            let without = |names: &[&str]| {
                let mut put = put.clone();
                names.iter().for_each(|name| drop(put.as_object_mut().unwrap().remove(*name)));
                put
            };
            let mut plain_role = put.clone();
            plain_role["roles"] =
                json!([{"value": "owner", "type": "WindowsAzureActiveDirectoryRole", "primary": true}]);
            let mut same = vec![put.clone(), without(&["roles"]), without(&["active", "roles"]), plain_role];
            if with_licenses {
                same.push(without(&["entitlements"]));
            }
            for put in same {
                let answer = okta.send("PUT", &path, put.clone());
                assert_eq!(
                    (answer.status.as_u16(), &answer.body["roles"]),
                    (200, &owner),
                    "{put}: {}",
                    answer.body
                );
                assert_eq!(server.user(id), before, "{put}");
            }
            let patch =
                json!([{"op": "replace", "path": "roles", "value": [{"value": "owner", "type": "base"}]}]);
            assert_eq!(okta.patch(id, patch).status, 200);

            // What is a change of the role is refused either way, and of the rest where everything is protected.
            let mut admin = put.clone();
            admin["roles"] = json!([{"value": "admin", "type": "base"}]);
            let adds = json!([{"op": "add", "path": "roles", "value": [{"value": "admin", "type": "base"}]}]);
            for answer in [okta.send("PUT", &path, admin), okta.patch(id, adds)] {
                assert_eq!(answer.status, 403, "{}", answer.body);
                assert!(
                    answer.body["detail"].as_str().unwrap().contains("(owner-protected)"),
                    "{}",
                    answer.body
                );
            }
            assert_eq!(okta.patch(id, json!([{"op": "replace", "value": {"active": false}}])).status, 403);
            assert_eq!(server.user(id), before);
            let mut renamed = put.clone();
            renamed["displayName"] = json!("Olivia Owner");
            for put in [renamed, without(&["title"])] {
                let expected = if protection == OwnerProtection::Full { 403 } else { 200 };
                assert_eq!(okta.send("PUT", &path, put).status, expected);
            }
        }
    }
}

/// The role of who is created without one, and what a PUT without `roles` comes to, as the options have it.
#[test]
fn a_role_that_is_not_said_is_as_the_options_have_it() {
    let roles = |value: &str| json!([{"value": value, "type": "base", "primary": true}]);
    for (default_role, role_omitted, after) in [
        (DEFAULT_ROLE, RoleOmitted::Keep, "admin"),
        ("limited_user", RoleOmitted::Keep, "admin"),
        ("limited_user", RoleOmitted::Default, "limited_user"),
    ] {
        let mut options = PagerDutyOptions::default();
        (options.default_role, options.role_omitted) = (default_role, role_omitted);
        let server = Server::new(PagerDuty::new(options));
        let okta = okta(&server);
        let user = json!({"schemas": [USER], "userName": "alex.doe@example.com", "displayName": "Alex Doe"});
        let created = okta.send("POST", "/Users", user.clone()).body;
        assert_eq!(created["roles"], roles(default_role));
        let id = created["id"].as_str().unwrap();
        let promote = json!([{"op": "replace", "path": "roles", "value": roles("admin")}]);
        assert_eq!(okta.patch(id, promote).body["roles"], roles("admin"));
        assert_eq!(okta.send("PUT", &format!("/Users/{id}"), user).body["roles"], roles(after));
    }
    // A role that SCIM may not give is given to nobody.
    let mut options = PagerDutyOptions::default();
    options.default_role = "owner";
    let server = Server::new(PagerDuty::new(options));
    let user = json!({"schemas": [USER], "userName": "alex.doe@example.com", "displayName": "Alex Doe"});
    assert_eq!(okta(&server).send("POST", "/Users", user).status, 400);
}

#[test]
fn entra_from_test_connection_to_soft_deletion() {
    let server = Server::new(PagerDuty::default());
    let entra = Client {
        server: &server,
        headers: vec![
            ("adscimversion", "6.0"),
            ("content-type", "application/scim+json; charset=utf-8"),
            ("authorization", "Bearer token=key"),
        ],
    };
    assert_eq!(entra.total("userName+eq+%22c2f9b1a0-5d4e-4f5c-8a9e-0b6f1a2d3c4e%22"), 0);
    let created = entra.send(
        "POST",
        "/Users?aadOptscim062020",
        json!({
            "schemas": [USER, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
            "externalId": "alex.doe",
            "userName": "alex.doe@example.com",
            "active": true,
            "displayName": "Alex Doe",
            "emails": [{"primary": true, "type": "work", "value": "alex.doe@example.com"}],
            "meta": {"resourceType": "User"},
            "roles": [{"primary": true, "type": "WindowsAzureActiveDirectoryRole", "display": "Responder", "value": "limited_user"}],
        }),
    );
    assert_eq!(created.status, 201);
    assert_eq!(created.body["schemas"], json!([USER]));
    assert_eq!(created.body["roles"], json!([{"value": "limited_user", "type": "base", "primary": true}]));
    let id = created.body["id"].as_str().unwrap();

    let role = json!([{"op": "Replace", "path": "roles[primary eq \"True\"].value", "value": "admin"}]);
    assert_eq!(entra.patch(id, role).body["roles"][0]["value"], "admin");
    let path = format!("{USER}:entitlements[type eq \"license\"].value");
    let license = entra.patch(id, json!([{"op": "Add", "path": path, "value": "PABC123"}]));
    assert_eq!(license.body["entitlements"], json!([{"type": "license", "value": "PABC123"}]));
    let several = json!([
        {"op": "Replace", "path": "displayName", "value": "Alexandra Doe"},
        {"op": "Add", "path": "name.givenName", "value": "Alexandra"},
        {"op": "Add", "path": "timezone", "value": "Europe/Berlin"},
    ]);
    let updated = entra.patch(id, several);
    assert_eq!(updated.status, 200);
    assert_eq!(
        (&updated.body["displayName"], &updated.body["timezone"]),
        (&json!("Alexandra Doe"), &json!("Europe/Berlin"))
    );
    assert_eq!(updated.body["name"], Value::Null);

    assert_eq!(entra.patch(id, json!([{"op": "Replace", "path": "active", "value": "false"}])).status, 204);
    assert_eq!(entra.total("externalId+eq+%22alex.doe%22"), 0);
    assert_eq!(server.send("DELETE", &format!("/Users/{id}"), &entra.headers, None).status, 404);

    // Back again, the user is matched, not found, and created (inferred).
    assert_eq!(entra.total("userName+eq+%22alex.doe%40example.com%22"), 0);
    let again = entra.send(
        "POST",
        "/Users?aadOptscim062020",
        json!({"schemas": [USER], "externalId": "alex.doe", "userName": "alex.doe@example.com", "displayName": "Alex Doe"}),
    );
    assert_eq!(again.status, 201);
    assert_ne!(again.body["id"], json!(id));
}

#[test]
fn onelogin_from_template_to_failing_reactivation() {
    let server = Server::new(PagerDuty::default());
    let onelogin = Client {
        server: &server,
        headers: vec![
            ("user-agent", ""),
            ("content-type", "application/scim+json"),
            ("authorization", "Bearer token=key"),
        ],
    };
    let template = |display_name: &str, active: &str| {
        json!({
            "schemas": [USER],
            "userName": "alex.doe@example.com",
            "displayName": display_name,
            "externalId": "123456",
            "active": active,
            "title": "Engineer",
            "roles": [{"type": "base", "value": "user"}],
            "timezone": "America/New_York",
            "entitlements": [{"type": "base", "value": "PABC123"}],
        })
    };
    let found = onelogin.get("/Users?filter=userName+eq+%22alex.doe%40example.com%22&");
    assert_eq!((found.status.as_u16(), &found.body["totalResults"]), (200, &json!(0)));
    let created = onelogin.send("POST", "/Users", template("Alex Doe", "true"));
    assert_eq!(created.status, 201);
    assert_eq!(created.body["entitlements"], json!([{"type": "license", "value": "PABC123"}]));
    let id = created.body["id"].as_str().unwrap();

    let updated = onelogin.send("PUT", &format!("/Users/{id}?"), template("Alexandra Doe", "true"));
    assert_eq!((updated.status.as_u16(), &updated.body["displayName"]), (200, &json!("Alexandra Doe")));
    let suspended = onelogin.send("PUT", &format!("/Users/{id}?"), template("Alexandra Doe", "false"));
    assert_eq!((suspended.status.as_u16(), suspended.body), (204, Value::Null));
    // What OneLogin shows as a provisioning error; it creates nobody by itself.
    let back = onelogin.send("PUT", &format!("/Users/{id}?"), template("Alexandra Doe", "true"));
    assert_eq!((back.status.as_u16(), &back.body["status"]), (404, &json!("404")));
    let found = onelogin.get("/Users?filter=userName+eq+%22alex.doe%40example.com%22&");
    assert_eq!(found.body["totalResults"], 0);
}

#[test]
fn deletion_is_held_up_by_an_incident_until_it_is_resolved() {
    let pagerduty = PagerDuty::default();
    let server = Server::new(pagerduty.clone());
    let okta = okta(&server);
    let body = json!({"schemas": [USER], "userName": "a@example.com", "displayName": "A"});
    let id = okta.send("POST", "/Users", body).body["id"].as_str().unwrap().to_owned();
    pagerduty.hold_incident(ResourceId::new(id.as_str()));
    let delete = || server.send("DELETE", &format!("/Users/{id}"), &okta.headers, None);
    let refused = delete();
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.body,
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": "400",
            "detail": "the user has assigned incidents, and the account does not reassign them: reassign them to another \
                       user by hand, or have the account owner turn on incident reassignment in the account's User \
                       Offboarding settings (incident-blocks-deletion)",
        })
    );
    pagerduty.resolve_incidents(&ResourceId::new(id.as_str()));
    assert_eq!(delete().status, 204);
    assert_eq!(delete().status, 404);
}

#[test]
fn incidents_by_user_name_in_any_case() {
    let holding = |options| {
        let server = Server::new(PagerDuty::new(options).with_incidents_of(["ALEX.Doe@example.com"]));
        let body = json!({"schemas": [USER], "userName": "alex.doe@example.com", "displayName": "A"});
        let id = okta(&server).send("POST", "/Users", body).body["id"].as_str().unwrap().to_owned();
        okta(&server).patch(&id, json!([{"op": "replace", "value": {"active": false}}])).status.as_u16()
    };
    let mut options = PagerDutyOptions::default();
    assert_eq!(holding(options.clone()), 400);
    options.offboarding = Offboarding::Reassign;
    assert_eq!(holding(options), 204);
}

/// Between any two roles: the full form is answered, and the licence stays within its group alone.
#[test]
fn every_change_of_role() {
    let server = Server::new(PagerDuty::default());
    let okta = okta(&server);
    let grantable = || ROLES.iter().filter(|role| role.grantable);
    for (from, to) in grantable().flat_map(|from| grantable().map(move |to| (from, to))) {
        let body = json!({
            "schemas": [USER],
            "userName": format!("{}.{}@example.com", from.value, to.value),
            "displayName": "A",
            "roles": [{"value": from.value, "type": "base"}],
            "entitlements": [{"type": "license", "value": "P1"}],
        });
        let id = okta.send("POST", "/Users", body).body["id"].as_str().unwrap().to_owned();
        let change =
            json!([{"op": "replace", "path": "roles", "value": [{"value": to.value, "primary": true}]}]);
        let changed = okta.patch(&id, change);
        assert_eq!(changed.status, 200, "{} to {}", from.value, to.value);
        assert_eq!(changed.body["roles"], json!([{"value": to.value, "type": "base", "primary": true}]));
        let license = match from.license_group == to.license_group {
            true => json!([{"type": "license", "value": "P1"}]),
            false => Value::Null,
        };
        assert_eq!(changed.body["entitlements"], license, "{} to {}", from.value, to.value);
    }
    assert_eq!(grantable().filter(|role| role.license_group == LicenseGroup::Stakeholder).count(), 2);
}

#[test]
fn pages_of_a_hundred_at_most() {
    let server = Server::new(PagerDuty::default());
    for number in 0..120 {
        server.seed(json!({
            "schemas": [USER],
            "id": format!("USER{number:0>22}"),
            "userName": format!("user{number}@example.com"),
            "displayName": format!("User {number}"),
            "active": true,
            "roles": [{"value": "user", "type": "base", "primary": true}],
        }));
    }
    let page = |query: &str| {
        let body = okta(&server).get(&format!("/Users{query}")).body;
        assert_eq!(body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:ListResponse"]));
        assert_eq!(body["totalResults"], 120);
        let count = body["Resources"].as_array().map_or(0, Vec::len);
        assert_eq!(body["itemsPerPage"], count);
        (body["startIndex"].as_u64().unwrap(), count)
    };
    assert_eq!(page(""), (1, 100));
    assert_eq!(page("?count=1000"), (1, 100));
    assert_eq!(page("?startIndex=101&count=100"), (101, 20));
    assert_eq!(page("?startIndex=201&count=100"), (201, 0));
    assert_eq!(page("?startIndex=0&count=7"), (1, 7));
}

#[test]
fn what_the_server_says_of_itself() {
    let server = Server::new(PagerDuty::default());
    let okta = okta(&server);
    let config = okta.get("/ServiceProviderConfig");
    assert_eq!(config.status, 200);
    assert_eq!(
        config.body,
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
            "patch": {"supported": true},
            "bulk": {"supported": false, "maxOperations": 1000, "maxPayloadSize": 1_048_576},
            "filter": {"supported": true, "maxResults": 100},
            "changePassword": {"supported": false},
            "sort": {"supported": false},
            "etag": {"supported": false},
            "authenticationSchemes": [{
                "type": "oauthbearertoken",
                "name": "Bearer Token",
                "description": "An API key or OAuth token in the Authorization header",
                "specUri": "https://www.rfc-editor.org/info/rfc6750",
                "primary": true,
            }],
            "meta": {"resourceType": "ServiceProviderConfig"},
        })
    );
    let types = okta.get("/ResourceTypes").body;
    let names: Vec<_> = types["Resources"].as_array().unwrap().iter().map(|t| &t["name"]).collect();
    assert_eq!(names, ["User"]);
    let schema = okta.get(&format!("/Schemas/{USER}")).body;
    let attributes = schema["attributes"].as_array().unwrap();
    let names: Vec<_> = attributes.iter().map(|attribute| attribute["name"].as_str().unwrap()).collect();
    let own = PROFILE.resources[0].attributes.iter().filter(|row| !row.is_common());
    let rows: Vec<_> = own.map(|row| row.name).collect();
    assert_eq!(names, rows);
    let required: Vec<_> = attributes.iter().filter(|a| a["required"] == true).map(|a| &a["name"]).collect();
    assert_eq!(required, ["userName", "displayName"]);
}

#[test]
fn discovery_needs_a_credential_too() {
    let server = Server::new(PagerDuty::default());
    for path in ["/ServiceProviderConfig", "/ResourceTypes", "/Schemas", "/Users"] {
        let answer = server.send("GET", path, &[], None);
        assert_eq!(answer.status, 401, "{path}");
        assert!(answer.headers.contains_key("www-authenticate"), "{path}");
    }
}
