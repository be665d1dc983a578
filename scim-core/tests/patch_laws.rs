//! Laws that PATCH keeps on whatever it is sent, and a naive model it has to agree with.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::select;
use scim_core::leniency::Leniencies;
use scim_core::patch::{PatchOptions, PatchRequest, Plan};
use scim_core::schema::{Registry, ResourceSchema, builtin};
use scim_core::{Error, Object, Resource, Value, validate};
use serde_json::{Value as Json, json};

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::standard);

fn users() -> &'static ResourceSchema {
    REGISTRY.by_name("User").unwrap()
}

fn groups() -> &'static ResourceSchema {
    REGISTRY.by_name("Group").unwrap()
}

fn parse(
    schema: &ResourceSchema,
    operations: &[Json],
    leniencies: Leniencies,
) -> Result<PatchRequest, Error> {
    let body =
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
    PatchRequest::parse(schema, body.into(), &PatchOptions { leniencies, ..PatchOptions::default() })
}

fn plan(schema: &ResourceSchema, operations: &[Json], current: &Resource) -> Result<Plan, Error> {
    parse(schema, operations, Leniencies::tolerant())?.plan(schema, current)
}

fn resource(json: Json) -> Resource {
    match Value::from(json) {
        Value::Object(object) => Resource(object),
        other => panic!("{other} is no object"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    /// P5: the operations of a request have the effect they have one by one, or none has any.
    #[test]
    fn a_request_is_the_sequence_of_its_operations(user in user(), operations in operations()) {
        let whole = plan(users(), &operations, &user);
        let mut step_by_step = Ok(user.clone());
        for operation in &operations {
            step_by_step = step_by_step.and_then(|user: Resource| {
                plan(users(), std::slice::from_ref(operation), &user).map(|plan| plan.resource)
            });
        }
        match (whole, step_by_step) {
            (Ok(whole), Ok(last)) => {
                prop_assert_eq!(&whole.resource, &last);
                prop_assert_eq!(whole.change.is_empty(), last == user);
                prop_assert!(validate::check(users(), &whole.resource).is_ok());
                let mut applied = user.clone();
                prop_assert_eq!(whole.change.apply(&mut applied), last != user);
                prop_assert_eq!(applied, last);
            }
            (Err(_), Err(_)) => {}
            (whole, last) => prop_assert!(false, "{:?} is not {:?}", whole, last),
        }
    }

    /// Doing again what was just done changes nothing.
    #[test]
    fn an_operation_done_twice_is_done_once(user in user(), operation in operation()) {
        if let Ok(once) = plan(users(), std::slice::from_ref(&operation), &user)
            && let Ok(twice) = plan(users(), std::slice::from_ref(&operation), &once.resource)
        {
            prop_assert!(twice.change.is_empty(), "{:?}", twice.change);
        }
    }

    /// A plain twin, one scan per operation, comes to the same result.
    #[test]
    fn the_naive_model_agrees(user in user(), operations in operations()) {
        let planned = plan(users(), &operations, &user).map(|plan| serde_json::Value::from(plan.resource.0));
        let modelled = model::run(serde_json::Value::from(user.0), &operations);
        match (planned, modelled) {
            (Ok(planned), Some(modelled)) => prop_assert_eq!(planned, modelled),
            (Err(_), None) => {}
            (planned, modelled) => prop_assert!(false, "{:?} is not {:?}", planned, modelled),
        }
    }

    /// P6: of several values, those the filter does not match stay as they are, save `primary`.
    #[test]
    fn what_a_filter_does_not_match_is_not_touched(
        user in user(),
        op in select(&["add", "replace", "remove"][..]),
        matched in select(TYPES),
        sub in select(&["", ".value", ".display", ".primary"][..]),
    ) {
        let value = match sub {
            "" => json!({"type": matched, "value": "new@example.com", "primary": true}),
            ".primary" => json!(true),
            _ => json!("new@example.com"),
        };
        let operation = match op {
            "remove" => json!({"op": op, "path": format!("emails[type eq \"{matched}\"]{sub}")}),
            _ => json!({"op": op, "path": format!("emails[type eq \"{matched}\"]{sub}"), "value": value}),
        };
        let others = |user: &Resource| -> Vec<(Option<String>, Option<String>)> {
            let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
            let emails = user.get("emails").map(Value::values).unwrap_or_default();
            let others = emails.iter().filter(|email| email.get("type").and_then(Value::as_str) != Some(matched));
            others.map(|email| (text(email, "value"), text(email, "display"))).collect()
        };
        if let Ok(plan) = plan(users(), &[operation], &user) {
            prop_assert_eq!(others(&plan.resource), others(&user));
        }
    }

    /// P5: no spelling of a path, a key or an operation writes what the service keeps.
    #[test]
    fn what_the_service_keeps_is_kept(
        user in user(),
        op in select(&["add", "replace", "remove", "Add", "REPLACE"][..]),
        route in route(),
        value in hostile_value(),
    ) {
        let before = user.clone();
        let operation = match &route {
            Route::Path(path) => json!({"op": op, "path": path, "value": value}),
            Route::Key(key) => json!({"op": op, "value": {key: value, "nickName": "Nick"}}),
            Route::Nested(uri, key) => json!({"op": op, "value": {uri: {key: value}}}),
        };
        if let Ok(plan) = plan(users(), &[operation], &user) {
            let mut applied = user.clone();
            plan.change.apply(&mut applied);
            for after in [&plan.resource, &applied] {
                for kept in ["id", "meta", "schemas", "groups"] {
                    prop_assert_eq!(after.get(kept), before.get(kept), "{}", kept);
                }
            }
        }
    }

    /// P5: however an immutable sub-attribute is taken away and put back, it is what it was.
    #[test]
    fn a_member_keeps_its_type(
        operations in proptest::collection::vec(prop_oneof![4 => member_operation(), 1 => looking_removal()], 1..6),
    ) {
        let group = group(&["a", "b", "c"]);
        if let Ok(plan) = plan(groups(), &operations, &group) {
            let mut applied = group.clone();
            plan.change.apply(&mut applied);
            for after in [&plan.resource, &applied] {
                for member in after.get("members").map(Value::values).unwrap_or_default() {
                    let value = member.get("value").and_then(Value::as_str).unwrap();
                    if ["a", "b", "c"].contains(&value) {
                        prop_assert_eq!(member.get("type").and_then(Value::as_str), Some("User"));
                    }
                }
            }
        }
    }

    /// P7: a delta made without the members does to the group what a plan with them does.
    #[test]
    fn a_delta_does_what_a_plan_with_the_members_does(
        members in proptest::collection::btree_set(select(KEYS), 0..6),
        operations in proptest::collection::vec(member_operation(), 1..8),
    ) {
        let members: Vec<&str> = members.into_iter().collect();
        let group = group(&members);
        let mut unloaded = group.clone();
        unloaded.0.remove("members");
        let request = parse(groups(), &operations, Leniencies::tolerant()).unwrap();
        prop_assert!(!request.reads("members"));

        let blind = request.plan(groups(), &unloaded).unwrap();
        let mut by_delta = group.clone();
        let differs = blind.change.apply(&mut by_delta);

        let seeing = request.plan(groups(), &group).unwrap();
        if !members.is_empty() {
            prop_assert_eq!(seeing.change.is_empty(), by_delta == group);
            prop_assert_eq!(sorted(&seeing.resource), sorted(&by_delta));
        }
        prop_assert_eq!(differs, by_delta != group);
        prop_assert!(seeing.change.deltas.iter().all(|delta| delta.attribute.as_ref() == "members"));

        // A filter that matches nobody makes the plan look at every member.
        let mut looking = operations.clone();
        looking.push(json!({"op": "remove", "path": "members[type eq \"Robot\"]"}));
        let request = parse(groups(), &looking, Leniencies::tolerant()).unwrap();
        prop_assert!(request.reads("members"));
        let looked = request.plan(groups(), &group).unwrap();
        prop_assert_eq!(sorted(&looked.resource), sorted(&by_delta));
        let mut applied = group.clone();
        looked.change.apply(&mut applied);
        prop_assert_eq!(sorted(&applied), sorted(&by_delta));
        for delta in blind.change.deltas.iter().chain(&looked.change.deltas) {
            let removed = |value: &Value| delta.removed.iter().any(|key| Some(&**key) == value.get("value").and_then(Value::as_str));
            prop_assert!(!delta.added.iter().any(removed), "{:?}", delta);
            prop_assert!(!delta.replace || delta.removed.is_empty(), "{:?}", delta);
        }
    }

    #[test]
    fn adding_and_removing_a_member_leaves_the_others(
        members in proptest::collection::btree_set(select(KEYS), 0..6),
        key in select(KEYS),
    ) {
        let members: Vec<&str> = members.into_iter().collect();
        let operations = [
            json!({"op": "add", "path": "members", "value": [{"value": key}]}),
            json!({"op": "remove", "path": format!("members[value eq \"{key}\"]")}),
        ];
        let there = group(&members);
        let others: Vec<&str> = members.iter().copied().filter(|member| *member != key).collect();
        let done = |operations: &[Json]| {
            let mut after = there.clone();
            plan(groups(), operations, &there).unwrap().change.apply(&mut after);
            after
        };
        prop_assert_eq!(done(&operations), group(&others));
        let after = done(&[operations[1].clone(), operations[0].clone()]);
        let mut all = members.clone();
        if !all.contains(&key) {
            all.push(key);
        }
        prop_assert_eq!(keys(&after), { all.sort_unstable(); all });
    }

    /// Whatever the body, there is an answer, and what is accepted is fit to be stored.
    #[test]
    fn any_body_gets_an_answer(user in user(), body in any_json()) {
        let options = PatchOptions::default();
        for schema in [users(), groups()] {
            if let Ok(request) = PatchRequest::parse(schema, body.clone().into(), &options)
                && let Ok(plan) = request.plan(schema, &user)
            {
                let mut applied = user.clone();
                plan.change.apply(&mut applied);
                prop_assert!(!plan.change.apply(&mut applied));
            }
        }
    }
}

/// P5, P6: who is removed by a filter and added again is there, and as before.
#[test]
fn a_member_removed_by_a_filter_can_be_added_again() {
    let group = group(&["a", "b"]);
    let operations = [
        json!({"op": "remove", "path": "members[type eq \"User\"]"}),
        json!({"op": "add", "path": "members", "value": [{"value": "b", "type": "Group"}]}),
    ];
    let plan = plan(groups(), &operations, &group).unwrap();
    let mut applied = group.clone();
    plan.change.apply(&mut applied);
    for after in [&plan.resource, &applied] {
        let members = Json::from(after.get("members").cloned().unwrap());
        assert_eq!(members.as_array().unwrap().len(), 1, "{members}");
        assert_eq!((&members[0]["value"], &members[0]["type"]), (&json!("b"), &json!("User")));
    }
}

// --- states and operations -----------------------------------------------------------------------

const TYPES: &[&str] = &["work", "home", "other"];
const KEYS: &[&str] = &["a", "b", "c", "d", "e", "A"];

fn user() -> impl Strategy<Value = Resource> {
    let text = || select(&["x", "y", "z"][..]);
    let emails = proptest::collection::btree_map(text(), select(TYPES), 0..3);
    let parts = (
        emails,
        proptest::option::of(0..3_usize),
        proptest::option::of(text()),
        proptest::option::of(text()),
        proptest::option::of(text()),
        proptest::option::of(text()),
    );
    parts.prop_map(|(emails, primary, title, given, family, number)| {
        let mut user = json!({
            "schemas": [builtin::USER], "id": "u1", "userName": "u@example.com",
            "groups": [{"value": "g1"}], "meta": {"resourceType": "User", "version": "W/\"1\""},
        });
        let set = user.as_object_mut().unwrap();
        let mut list = Vec::new();
        for (place, (value, kind)) in emails.into_iter().enumerate() {
            let mut email = json!({"value": format!("{value}@example.com"), "type": kind});
            if primary == Some(place) {
                email["primary"] = json!(true);
            }
            list.push(email);
        }
        if !list.is_empty() {
            set.insert("emails".into(), list.into());
        }
        title.map(|title| set.insert("title".into(), title.into()));
        let name: BTreeMap<&str, &str> = [("givenName", given), ("familyName", family)]
            .into_iter()
            .filter_map(|(name, value)| value.map(|value| (name, value)))
            .collect();
        if !name.is_empty() {
            set.insert("name".into(), json!(name));
        }
        if let Some(number) = number {
            set.insert(builtin::ENTERPRISE_USER.into(), json!({"employeeNumber": number}));
            set.insert("schemas".into(), json!([builtin::USER, builtin::ENTERPRISE_USER]));
        }
        resource(user)
    })
}

fn group(members: &[&str]) -> Resource {
    let mut group = json!({"schemas": [builtin::GROUP], "id": "g1", "displayName": "G"});
    if !members.is_empty() {
        let members = members.iter().map(|value| json!({"value": value, "type": "User"}));
        group["members"] = members.collect();
    }
    resource(group)
}

fn operations() -> impl Strategy<Value = Vec<Json>> {
    proptest::collection::vec(operation(), 1..6)
}

/// An operation in RFC form on what the model knows.
fn operation() -> impl Strategy<Value = Json> {
    let single = select(&["title", "name.givenName", "name.familyName", EMPLOYEE_NUMBER][..]);
    let text = || select(&["x", "y", "z"][..]);
    let email = || {
        let parts = (text(), select(TYPES), proptest::option::of(any::<bool>()));
        parts.prop_map(|(value, kind, primary)| match primary {
            Some(primary) => {
                json!({"value": format!("{value}@example.com"), "type": kind, "primary": primary})
            }
            None => json!({"value": format!("{value}@example.com"), "type": kind}),
        })
    };
    let write = || select(&["add", "replace"][..]);
    prop_oneof![
        (write(), single.clone(), text())
            .prop_map(|(op, path, value)| json!({"op": op, "path": path, "value": value})),
        (write(), text())
            .prop_map(|(op, value)| json!({"op": op, "path": "name", "value": {"familyName": value}})),
        single.prop_map(|path| json!({"op": "remove", "path": path})),
        select(&["name", "emails", "userName"][..]).prop_map(|path| json!({"op": "remove", "path": path})),
        (write(), email()).prop_map(|(op, email)| json!({"op": op, "path": "emails", "value": [email]})),
        select(TYPES).prop_map(|kind| json!({"op": "remove", "path": format!("emails[type eq \"{kind}\"]")})),
        (select(TYPES), text()).prop_map(|(kind, text)| {
            json!({"op": "replace", "path": format!("emails[type eq \"{kind}\"].display"), "value": text})
        }),
        (select(TYPES), any::<bool>()).prop_map(|(kind, primary)| {
            json!({"op": "replace", "path": format!("emails[type eq \"{kind}\"].primary"), "value": primary})
        }),
    ]
}

const EMPLOYEE_NUMBER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber";

fn member_operation() -> impl Strategy<Value = Json> {
    let list = || {
        proptest::collection::vec((select(KEYS), select(&["User", "Group"][..])), 0..4).prop_map(|members| {
            members.into_iter().map(|(value, kind)| json!({"value": value, "type": kind})).collect::<Json>()
        })
    };
    prop_oneof![
        4 => list().prop_map(|list| json!({"op": "add", "path": "members", "value": list})),
        2 => list().prop_map(|list| json!({"op": "remove", "path": "members", "value": list})),
        3 => select(KEYS).prop_map(|key| json!({"op": "remove", "path": format!("members[value eq \"{key}\"]")})),
        2 => (select(KEYS), select(KEYS)).prop_map(|(one, other)| {
            json!({"op": "remove", "path": format!("members[value eq \"{one}\" or value eq \"{other}\"]")})
        }),
        1 => list().prop_map(|list| json!({"op": "replace", "path": "members", "value": list})),
        1 => Just(json!({"op": "remove", "path": "members"})),
    ]
}

/// A removal of members that has to look at them.
fn looking_removal() -> impl Strategy<Value = Json> {
    let filter = select(
        &[
            "type eq \"User\"",
            "value sw \"a\"",
            "value eq \"a\" and type eq \"User\"",
            "not (value eq \"b\")",
        ][..],
    );
    filter.prop_map(|filter| json!({"op": "remove", "path": format!("members[{filter}]")}))
}

/// A way to name an attribute.
#[derive(Clone, Debug)]
enum Route {
    Path(String),
    Key(String),
    Nested(String, String),
}

/// A way to name what the service keeps.
fn route() -> impl Strategy<Value = Route> {
    let name = select(
        &[
            "id",
            "meta",
            "schemas",
            "groups",
            "meta.version",
            "groups.value",
            "groups[value eq \"g1\"]",
            "meta.resourceType",
            "groups[value eq \"g1\"].display",
            "groups[type eq \"x\"].value",
        ][..],
    );
    let spelt = (name, 0..3_usize).prop_map(|(name, case)| match case {
        0 => name.to_owned(),
        // Literals change as well, which is fine: the filter then matches nothing.
        1 => name.to_ascii_uppercase().replace(" EQ ", " eq "),
        _ => name
            .chars()
            .enumerate()
            .map(|(i, c)| if i % 2 == 0 { c.to_ascii_uppercase() } else { c })
            .collect(),
    });
    let prefix = select(
        &[
            "",
            "urn:ietf:params:scim:schemas:core:2.0:User:",
            "URN:IETF:params:scim:schemas:CORE:2.0:user:",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:",
        ][..],
    );
    (spelt, prefix, 0..3_usize).prop_map(|(name, prefix, kind)| match kind {
        0 => Route::Path(format!("{prefix}{name}")),
        1 => Route::Key(format!("{prefix}{name}")),
        _ if prefix.is_empty() => Route::Nested(builtin::USER.to_owned(), name),
        _ => Route::Nested(prefix.trim_end_matches(':').to_owned(), name),
    })
}

fn hostile_value() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(json!("evil")),
        Just(json!(null)),
        Just(json!([])),
        Just(json!({"value": "evil"})),
        Just(json!([{"value": "evil"}])),
        Just(json!({"resourceType": "Evil", "version": "W/\"9\""})),
        Just(json!(["urn:evil"])),
    ]
}

/// JSON that looks like a PatchOp here and there.
fn any_json() -> impl Strategy<Value = Json> {
    let word = select(
        &[
            "add",
            "remove",
            "replace",
            "Add",
            "members",
            "emails",
            "emails[type eq \"work\"]",
            "name.givenName",
            "manager",
            "emails[type eq \"work\"].value",
            "members[value eq \"a\"]",
            "id",
            "x",
            "",
            "None",
            builtin::ENTERPRISE_USER,
            "roles[primary eq \"True\"].value",
            "{\"value\":\"x\"}",
            "title",
            "schemas",
            "password",
            "emails.value",
        ][..],
    );
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|value| json!(value)),
        word.clone().prop_map(|value| json!(value)),
    ];
    let value = leaf.prop_recursive(3, 24, 4, move |inner| {
        let keys = select(
            &[
                "value",
                "type",
                "primary",
                "emails",
                "members",
                "name",
                "emails[type eq \"work\"].value",
                "manager",
                "active",
                "schemas",
                builtin::ENTERPRISE_USER,
            ][..],
        );
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            proptest::collection::btree_map(keys.prop_map(str::to_owned), inner, 0..4)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    });
    let operation = (word.clone(), proptest::option::of(word), proptest::option::of(value)).prop_map(
        |(op, path, value)| {
            let mut operation = json!({"op": op});
            if let Some(path) = path {
                operation["path"] = json!(path);
            }
            if let Some(value) = value {
                operation["value"] = value;
            }
            operation
        },
    );
    proptest::collection::vec(operation, 0..5).prop_map(|operations| json!({"Operations": operations}))
}

fn sorted(group: &Resource) -> (Object, Vec<String>) {
    let mut rest = group.0.clone();
    let members = rest.remove("members").unwrap_or_default();
    let mut members: Vec<String> = members.values().iter().map(Value::to_string).collect();
    members.sort();
    (rest, members)
}

fn keys(group: &Resource) -> Vec<&str> {
    let members = group.get("members").map(Value::values).unwrap_or_default();
    let mut keys: Vec<&str> = members.iter().filter_map(|member| member.get("value")?.as_str()).collect();
    keys.sort_unstable();
    keys
}

/// RFC 7644 §3.5.2 on a plain JSON tree, for the operations above, without a thought for speed.
mod model {
    use super::{EMPLOYEE_NUMBER, builtin};
    use serde_json::{Map, Value as Json, json};

    pub(super) fn run(mut user: Json, operations: &[Json]) -> Option<Json> {
        for operation in operations {
            step(user.as_object_mut()?, operation)?;
        }
        let extended = user.get(builtin::ENTERPRISE_USER).is_some();
        let known = user["schemas"].as_array()?.len() > 1;
        if extended != known {
            user["schemas"] = match extended {
                true => json!([builtin::USER, builtin::ENTERPRISE_USER]),
                false => json!([builtin::USER]),
            };
        }
        Some(user)
    }

    fn step(user: &mut Map<String, Json>, operation: &Json) -> Option<()> {
        let path = operation["path"].as_str()?;
        let value = operation.get("value");
        match (path, value) {
            ("userName", None) => return None,
            ("emails", Some(list)) => {
                let before = if operation["op"] == "add" { emails(user) } else { Vec::new() };
                let added = list.as_array()?.first()?;
                write_emails(user, add_email(before, added));
            }
            ("name", Some(sub)) => {
                set(user, "name", "familyName", sub["familyName"].clone());
            }
            ("title", Some(value)) => {
                user.insert("title".into(), value.clone());
            }
            ("name" | "emails" | "title", None) => {
                user.remove(path);
            }
            (EMPLOYEE_NUMBER, Some(value)) => {
                set(user, builtin::ENTERPRISE_USER, "employeeNumber", value.clone())
            }
            (EMPLOYEE_NUMBER, None) => clear(user, builtin::ENTERPRISE_USER, "employeeNumber"),
            (path, value) if path.starts_with("emails[") => return filtered(user, path, value),
            (path, Some(value)) => set(user, "name", path.split('.').next_back()?, value.clone()),
            (path, None) => clear(user, "name", path.split('.').next_back()?),
        }
        Some(())
    }

    fn filtered(user: &mut Map<String, Json>, path: &str, value: Option<&Json>) -> Option<()> {
        let kind = path.split('"').nth(1)?;
        let mut list = emails(user);
        let Some(value) = value else {
            list.retain(|email| email["type"] != kind);
            write_emails(user, list);
            return Some(());
        };
        let sub = path.rsplit('.').next()?;
        if !list.iter().any(|email| email["type"] == kind) {
            // No filter of this kind names a `value`, so the service makes the element.
            list.push(json!({"type": kind}));
        }
        let last = list.iter().rposition(|email| email["type"] == kind)?;
        for (place, email) in list.iter_mut().enumerate() {
            if email["type"] == kind {
                email[sub] = value.clone();
            }
            let demoted =
                sub == "primary" && *value == json!(true) && place != last && email["primary"] == json!(true);
            if demoted {
                email["primary"] = json!(false);
            }
        }
        write_emails(user, list);
        Some(())
    }

    fn add_email(mut list: Vec<Json>, added: &Json) -> Vec<Json> {
        let same =
            list.iter().position(|email| email["value"] == added["value"] && email["type"] == added["type"]);
        let place = match same {
            Some(place) => {
                if let Some(primary) = added.get("primary") {
                    list[place]["primary"] = primary.clone();
                }
                place
            }
            None => {
                list.push(added.clone());
                list.len() - 1
            }
        };
        if added.get("primary") == Some(&json!(true)) {
            for (other, email) in list.iter_mut().enumerate() {
                if other != place && email.get("primary") == Some(&json!(true)) {
                    email["primary"] = json!(false);
                }
            }
        }
        list
    }

    fn emails(user: &Map<String, Json>) -> Vec<Json> {
        user.get("emails").and_then(Json::as_array).cloned().unwrap_or_default()
    }

    fn write_emails(user: &mut Map<String, Json>, list: Vec<Json>) {
        if list.is_empty() {
            user.remove("emails");
        } else {
            user.insert("emails".into(), list.into());
        }
    }

    fn set(user: &mut Map<String, Json>, name: &str, sub: &str, value: Json) {
        user.entry(name).or_insert_with(|| json!({}))[sub] = value;
    }

    fn clear(user: &mut Map<String, Json>, name: &str, sub: &str) {
        let Some(object) = user.get_mut(name).and_then(Json::as_object_mut) else { return };
        object.remove(sub);
        if object.is_empty() {
            user.remove(name);
        }
    }
}
