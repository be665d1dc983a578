//! Every leniency on the wire: what a strict service answers, what a tolerant one does, and that it
//! says so.

use scim_core::leniency::{Leniencies, Leniency};
use serde_json::{Value, json};

use super::support::{Answer, Server, config, member, patch_op, server_with};

/// A request that needs a leniency.
struct Case {
    leniency: Leniency,
    request: (&'static str, &'static str, Option<Value>),
    /// What a strict service answers: status, `scimType` and detail.
    strict: (u16, Option<&'static str>, &'static str),
    /// What a tolerant one answers, and what is there (JSON pointer, value) in the answer.
    tolerant: (u16, &'static str, Value),
}

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn cases() -> Vec<Case> {
    let case = |leniency, request, strict, tolerant| Case { leniency, request, strict, tolerant };
    let patch = |operation: Value| ("PATCH", "/Users/id-1", Some(patch_op(json!([operation]))));
    let patch_group = |operation: Value| ("PATCH", "/Groups/id-3", Some(patch_op(json!([operation]))));
    let post = |body: Value| ("POST", "/Users", Some(body));
    let syntax = Some("invalidSyntax");
    let value = Some("invalidValue");
    let path = Some("invalidPath");
    vec![
        case(
            Leniency::OpCase,
            patch(json!({"op": "Replace", "path": "title", "value": "Boss"})),
            (400, syntax, "Operations[0].op: `Replace` is not `replace`"),
            (200, "/title", json!("Boss")),
        ),
        case(
            Leniency::BooleanString,
            patch(json!({"op": "replace", "path": "active", "value": "False"})),
            (400, value, "`Operations[0].value` must be a Boolean, not a string"),
            (200, "/active", json!(false)),
        ),
        case(
            Leniency::BooleanString,
            patch(json!({"op": "remove", "path": "emails[primary eq \"True\"]"})),
            (
                400,
                path,
                "Operations[0].path: `\"True\"` does not compare with `primary`, which is boolean, at byte 18",
            ),
            (200, "/emails", json!(null)),
        ),
        case(
            Leniency::BooleanString,
            ("GET", "/Users?filter=active+eq+%22True%22", None),
            (
                400,
                Some("invalidFilter"),
                "the filter is not valid: `\"True\"` does not compare with `active`, which is boolean, at byte 10",
            ),
            (200, "/totalResults", json!(1)),
        ),
        case(
            Leniency::MissingSchemas,
            (
                "PATCH",
                "/Users/id-1",
                Some(json!({"Operations": [{"op": "add", "path": "title", "value": "Boss"}]})),
            ),
            (400, syntax, "schemas: the URI `urn:ietf:params:scim:api:messages:2.0:PatchOp` is required"),
            (200, "/title", json!("Boss")),
        ),
        case(
            Leniency::MissingSchemas,
            post(json!({"userName": "new"})),
            (400, syntax, "`schemas` must list `urn:ietf:params:scim:schemas:core:2.0:User`"),
            (201, "/schemas/0", json!(USER)),
        ),
        case(
            Leniency::UnknownSchema,
            post(json!({"schemas": [USER, "urn:scim:schemas:core:2.0"], "userName": "new"})),
            (400, syntax, "`urn:scim:schemas:core:2.0` is no schema of a User"),
            (201, "/schemas", json!([USER])),
        ),
        case(
            Leniency::UnknownAttribute,
            post(json!({"schemas": [USER], "userName": "new", "shoeSize": 43})),
            (400, syntax, "`shoeSize` is no attribute of `User`"),
            (201, "/shoeSize", json!(null)),
        ),
        case(
            Leniency::UnknownAttribute,
            patch(json!({"op": "add", "value": {"title": "Boss", "shoeSize": 43}})),
            (
                400,
                value,
                "Operations[0].value.shoeSize: `shoeSize` is not an attribute of the resource type, at byte 0",
            ),
            (200, "/title", json!("Boss")),
        ),
        case(
            Leniency::UnknownPath,
            patch(json!({"op": "add", "path": "shoeSize", "value": 43})),
            (400, path, "Operations[0].path: `shoeSize` is not an attribute of the resource type, at byte 0"),
            (200, "/shoeSize", json!(null)),
        ),
        case(
            Leniency::NullPath,
            patch(json!({"op": "replace", "path": null, "value": {"title": "Boss"}})),
            (400, path, "Operations[0].path: `null` is no path"),
            (200, "/title", json!("Boss")),
        ),
        case(
            Leniency::NonePath,
            patch(json!({"op": "replace", "path": "None", "value": {"title": "Boss"}})),
            (400, path, "Operations[0].path: `None` is no path"),
            (200, "/title", json!("Boss")),
        ),
        case(
            Leniency::PathKey,
            patch(json!({"op": "replace", "value": {"name.givenName": "Ann"}})),
            (400, value, "Operations[0].value.name.givenName: a path is no attribute name"),
            (200, "/name/givenName", json!("Ann")),
        ),
        case(
            Leniency::PathKey,
            patch(json!({"op": "replace", "value": {(format!("{ENTERPRISE}:department")): "Tours"}})),
            (
                400,
                value,
                "Operations[0].value.urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department: a path is no attribute name",
            ),
            (200, "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/department", json!("Tours")),
        ),
        case(
            Leniency::BareExtensionAttribute,
            patch(json!({"op": "add", "path": "department", "value": "Tours"})),
            (
                400,
                path,
                "Operations[0].path: `department` needs the prefix `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:`",
            ),
            (200, "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/department", json!("Tours")),
        ),
        case(
            Leniency::BareExtensionAttribute,
            ("GET", "/Users?filter=department+pr", None),
            (
                400,
                Some("invalidFilter"),
                "the filter is not valid: `department` is not an attribute of the resource type, at byte 0",
            ),
            (200, "/totalResults", json!(0)),
        ),
        case(
            Leniency::RemoveWithValue,
            patch_group(json!({"op": "remove", "path": "members", "value": [{"value": "id-1"}]})),
            (400, value, "Operations[0].value: a removal takes no value"),
            (200, "/members", json!([member("id-2")])),
        ),
        case(
            Leniency::RemoveWithValue,
            patch_group(json!({"op": "remove", "value": {"members": [{"value": "id-1"}]}})),
            (400, value, "Operations[0].value.members: a removal takes no value"),
            (200, "/members", json!([member("id-2")])),
        ),
        case(
            Leniency::CreateMissingElement,
            patch(
                json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": "w@example.com"}),
            ),
            (400, Some("noTarget"), "Operations[0].path: no value of `emails` matches"),
            (200, "/emails/1", json!({"type": "work", "value": "w@example.com"})),
        ),
        case(
            Leniency::JsonStringValue,
            patch(
                json!({"op": "add", "path": "roles", "value": [{"value": "{\"value\":\"Admin\",\"displayName\":\"An admin\"}"}]}),
            ),
            // Without it, the document is a text like any other.
            (200, None, ""),
            (200, "/roles/0", json!({"value": "Admin", "display": "An admin"})),
        ),
        case(
            Leniency::PlainStringForComplex,
            patch(json!({"op": "add", "path": (format!("{ENTERPRISE}:manager")), "value": "id-2"})),
            (400, value, "`Operations[0].value` must be an object, not a string"),
            (200, "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/manager/value", json!("id-2")),
        ),
        case(
            Leniency::ArrayForSingle,
            patch(
                json!({"op": "add", "path": (format!("{ENTERPRISE}:manager")), "value": [{"value": "id-2"}]}),
            ),
            (400, value, "`Operations[0].value` must be an object, not an array"),
            (200, "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/manager/value", json!("id-2")),
        ),
        case(
            Leniency::SingleForArray,
            patch(json!({"op": "replace", "path": "emails", "value": {"value": "w@example.com"}})),
            (400, value, "`Operations[0].value` must be an array, not an object"),
            (200, "/emails", json!([{"value": "w@example.com"}])),
        ),
        case(
            Leniency::EmptyValue,
            patch(json!({"op": "replace", "path": (format!("{ENTERPRISE}:manager")), "value": ""})),
            (400, value, "Operations[0].value: an empty string is no value"),
            (200, "/userName", json!("ann")),
        ),
        case(
            Leniency::EmptyValue,
            patch(
                json!({"op": "replace", "path": (format!("{ENTERPRISE}:manager")), "value": {"value": ""}}),
            ),
            (400, value, "Operations[0].value: an empty string is no value"),
            (200, "/userName", json!("ann")),
        ),
        case(
            Leniency::ManyPrimaries,
            patch(json!({"op": "replace", "path": "emails", "value": [
                {"value": "a@example.com", "primary": true}, {"value": "b@example.com", "primary": true}]})),
            (400, value, "`Operations[0].value` has more than one primary value"),
            (200, "/emails/0/primary", json!(false)),
        ),
        case(
            Leniency::ReferenceSyntax,
            post(json!({"schemas": [USER], "userName": "x", "profileUrl": "PSEDIKWEYFMO"})),
            (400, value, "`profileUrl` must be a URI such as https://example.com/"),
            (201, "/profileUrl", json!("PSEDIKWEYFMO")),
        ),
        case(
            Leniency::ReferenceSyntax,
            patch(json!({"op": "add", "path": "photos", "value": [{"value": "", "type": "photo"}]})),
            (400, value, "`Operations[0].value[0].value` must be a URI such as https://example.com/"),
            (200, "/photos/0", json!({"value": "", "type": "photo"})),
        ),
        case(
            Leniency::ReadOnlyValue,
            patch_group(json!({"op": "replace", "value": {"id": "id-3", "displayName": "Crew"}})),
            (400, Some("mutability"), "Operations[0].value.id: `id` cannot be written"),
            (200, "/displayName", json!("Crew")),
        ),
        case(
            Leniency::ValuePathComparison,
            ("GET", "/Users?filter=emails%5Btype+eq+%22home%22%5D.value+eq+%22ann%40example.com%22", None),
            (
                400,
                Some("invalidFilter"),
                "the filter is not valid: expected `and`, `or` or the end, found `.value`, at byte 22",
            ),
            (200, "/totalResults", json!(1)),
        ),
    ]
}

/// A service with `ann`, who has a private e-mail address, `bob`, and a group of both.
fn server(leniencies: Leniencies) -> Server {
    let mut config = config();
    config.leniencies = leniencies;
    let server = server_with(config);
    let mut ann = super::support::user("ann");
    ann["active"] = json!(true);
    ann["emails"] = json!([{"value": "ann@example.com", "type": "home", "primary": true}]);
    assert_eq!(server.post("/Users", ann).status, 201);
    server.user("bob");
    server.group("Staff", &["id-1", "id-2"]);
    server
}

fn send(leniencies: Leniencies, case: &Case) -> Answer {
    let (method, path, body) = case.request.clone();
    server(leniencies).send(method, path, body)
}

#[test]
fn each_is_refused_strictly_and_reported_where_it_is_tolerated() {
    for case in cases() {
        let (leniency, context) = (case.leniency, format!("{}: {:?}", case.leniency, case.request));
        let (status, scim_type, detail) = case.strict;
        let strict = send(Leniencies::strict(), &case);
        assert!(strict.outcome.leniencies.is_empty(), "{context}: {:?}", strict.outcome.leniencies);
        if status == 200 {
            assert_eq!(strict.status, 200, "{context}: {}", strict.text);
        } else {
            // An unknown path is refused by default too, so that its refusal is no matter of leniency.
            let told = match leniency {
                Leniency::UnknownPath => detail.to_owned(),
                leniency => format!("{detail} (the leniency `{leniency}` is off)"),
            };
            strict.refused(status, scim_type, &told);
        }

        let tolerant = send(Leniencies::tolerant().with(leniency), &case);
        let (status, pointer, expected) = &case.tolerant;
        assert_eq!(tolerant.status, *status, "{context}: {}", tolerant.text);
        let found = tolerant.json().pointer(pointer).cloned().unwrap_or_default();
        assert_eq!(found, *expected, "{context}: {}", tolerant.text);
        assert!(
            tolerant.outcome.leniencies.contains(&leniency),
            "{context}: {:?}",
            tolerant.outcome.leniencies
        );
        // It alone is what the request needs.
        let alone = send(Leniencies::strict().with(leniency), &case);
        assert_eq!((alone.status, alone.text), (tolerant.status, tolerant.text), "{context}");
        assert_eq!(alone.outcome.leniencies, [leniency], "{context}");
    }
}

#[test]
fn each_has_a_case() {
    for leniency in Leniency::ALL {
        assert!(cases().iter().any(|case| case.leniency == *leniency), "{leniency}");
    }
}

/// The service's default tolerates all but what would hide a mistake in a mapping.
#[test]
fn the_default_tolerates_what_it_says() {
    assert_eq!(config().leniencies, Leniencies::tolerant());
    for case in cases() {
        let answer = send(config().leniencies, &case);
        let on = case.leniency != Leniency::UnknownPath;
        assert_eq!(answer.status.is_success(), on, "{}: {}", case.leniency, answer.text);
    }
}
