//! Laws that PATCH keeps on whatever it is sent, and a naive model it has to agree with.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod model;
mod states;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::select;
use scim_core::leniency::Leniencies;
use scim_core::patch::{PatchOptions, PatchRequest, Plan};
use scim_core::schema::{Registry, ResourceSchema};
use scim_core::{Error, Object, Resource, Value, validate};
use serde_json::{Value as Json, json};
use states::{
    KEYS, Route, TYPES, any_json, group, hostile_value, looking_removal, member_operation, naming,
    naming_removal, operation, operations, route, user,
};

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

    /// P6, P7: members that are named are looked at alone, and they alone are written; who is not there is not made
    /// a member. A plain list comes to the same.
    #[test]
    fn the_naive_model_of_members_agrees(
        members in proptest::collection::btree_set(select(KEYS), 0..6),
        operations in proptest::collection::vec(
            prop_oneof![3 => member_operation(), 3 => naming(), 1 => looking_removal(), 2 => naming_removal()],
            1..6,
        ),
    ) {
        let group = group(&members.into_iter().collect::<Vec<_>>());
        let before = members_of(&group);
        let request = parse(groups(), &operations, Leniencies::tolerant()).unwrap();
        let modelled = model::run_members(&before, &operations);
        let mut partial = group.clone();
        if let Some(Value::Array(members)) = partial.0.get_mut("members") {
            let read = request.reads_values("members").unwrap_or_default();
            let none = !request.reads("members");
            members.retain(|member| {
                let key = member.get("value").and_then(Value::as_str).unwrap();
                !none && (request.reads_values("members").is_none() || read.contains(&key.into()))
            });
        }
        for current in [&group, &partial] {
            match (request.plan(groups(), current), &modelled) {
                (Ok(plan), Some(modelled)) => {
                    let mut applied = group.clone();
                    let differs = plan.change.apply(&mut applied);
                    prop_assert_eq!(&members_of(&applied), modelled, "{:?}", plan.change);
                    prop_assert_eq!(differs, *modelled != before);
                    prop_assert!(!plan.change.apply(&mut applied));
                    for delta in plan.change.deltas.iter().filter(|delta| !delta.replace && request.reads("members")) {
                        let keys = |members: &[Value]| {
                            let keys = members.iter().map(|member| member.get("value").and_then(Value::as_str).unwrap().to_owned());
                            keys.collect::<BTreeSet<String>>()
                        };
                        let mut named = keys(&delta.added);
                        named.extend(delta.removed.iter().map(|key| key.to_string()));
                        let differ = before.iter().filter(|(key, member)| modelled.get(*key) != Some(member));
                        let mut differ: BTreeSet<String> = differ.map(|(key, _)| key.clone()).collect();
                        differ.extend(modelled.keys().filter(|key| !before.contains_key(*key)).cloned());
                        prop_assert_eq!(named, differ);
                    }
                }
                (Err(_), None) => {}
                (planned, modelled) => prop_assert!(false, "{:?} is not {:?}", planned, modelled),
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

fn members_of(group: &Resource) -> model::Members {
    let members = group.get("members").map(Value::values).unwrap_or_default();
    let entry = |member: &Value| {
        let member = Json::from(member.clone());
        (member["value"].as_str().unwrap().to_owned(), member)
    };
    members.iter().map(entry).collect()
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
