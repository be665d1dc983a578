//! PATCH takes time linear in the request and the attributes it names, and bounds the rest.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::time::{Duration, Instant};

use scim_core::leniency::Leniencies;
use scim_core::patch::{PatchOptions, PatchRequest};
use scim_core::schema::{Registry, ResourceSchema, builtin};
use scim_core::{Error, Object, Resource, ScimType, Value};

const MESSAGE: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

fn operation(op: &str, path: &str, value: Option<Value>) -> Value {
    let mut operation: Object = [("op", op), ("path", path)].into_iter().collect();
    if let Some(value) = value {
        operation.insert("value", value);
    }
    operation.into()
}

/// Much more than linear work takes on a busy machine, much less than quadratic work does.
const PATIENCE: Duration = Duration::from_secs(30);

fn request(schema: &ResourceSchema, operations: Vec<Value>) -> Result<PatchRequest, Error> {
    request_of_at_most(PatchOptions::default().max_operations, schema, operations)
}

fn request_of_at_most(
    max_operations: usize,
    schema: &ResourceSchema,
    operations: Vec<Value>,
) -> Result<PatchRequest, Error> {
    let body: Object =
        [("schemas", Value::from(vec![Value::from(MESSAGE)])), ("Operations", operations.into())]
            .into_iter()
            .collect();
    let path = scim_filter::ParseOptions {
        limits: scim_filter::Limits {
            max_terms: 10_000,
            max_bytes: 1 << 20,
            ..scim_filter::Limits::default()
        },
        ..scim_filter::ParseOptions::default()
    };
    let options = PatchOptions { max_operations, path, leniencies: Leniencies::tolerant() };
    PatchRequest::parse(schema, body.into(), &options)
}

fn member(number: usize) -> Value {
    let value = format!("2819c223-7f76-453a-919d-{number:012}");
    [("value", value.as_str()), ("type", "User")].into_iter().collect::<Object>().into()
}

fn key(number: usize) -> String {
    member(number).get("value").and_then(Value::as_str).unwrap().to_owned()
}

fn group(members: usize) -> Resource {
    let mut group: Object = [("displayName", "Everyone"), ("id", "g")].into_iter().collect();
    group.insert("schemas", vec![Value::from(builtin::GROUP)]);
    group.insert("members", (0..members).map(member).collect::<Vec<_>>());
    Resource(group)
}

fn removals(count: usize) -> Vec<Value> {
    let path = |number: usize| format!("members[value eq \"{}\"]", key(number * 3));
    (0..count).map(|number| operation("remove", &path(number), None)).collect()
}

#[test]
fn a_thousand_removals_are_one_delta() {
    let registry = Registry::standard();
    let groups = registry.by_name("Group").unwrap();
    let request = request(groups, removals(1000)).unwrap();
    assert!(!request.reads("members"));
    let mut unloaded = group(0);
    unloaded.0.remove("members");
    let plan = request.plan(groups, &unloaded).unwrap();
    assert_eq!(plan.change.deltas.len(), 1);
    assert_eq!(plan.change.deltas[0].removed.len(), 1000);
    assert_eq!(plan.resource, unloaded);

    let mut loaded = group(20_000);
    assert!(plan.change.apply(&mut loaded));
    assert_eq!(loaded.get("members").unwrap().values().len(), 19_000);
}

/// P6, P7: to name some of many members is to read and to write these, whoever else is there.
#[test]
fn naming_some_of_many_members_is_a_delta_of_them() {
    let registry = Registry::standard();
    let groups = registry.by_name("Group").unwrap();
    let one = format!("value eq \"{}\"", key(17));
    let other = format!("type eq \"User\" and value eq \"{}\"", key(9_000));
    for (filter, read) in [
        (one.clone(), vec![17]),
        (other.clone(), vec![9_000]),
        (format!("{one} or {other}"), vec![17, 9_000]),
    ] {
        let path = format!("members[{filter}].display");
        let request = request(groups, vec![operation("replace", &path, Some("Ann".into()))]).unwrap();
        let keys: Vec<Box<str>> = read.iter().map(|number| key(*number).into()).collect();
        assert_eq!(request.reads_values("members"), Some(&*keys), "{filter}");

        let everyone = group(10_000);
        let mut some = group(0);
        some.0.insert("members", read.iter().map(|number| member(*number)).collect::<Vec<_>>());
        let changes = [&everyone, &some].map(|group| request.plan(groups, group).unwrap().change);
        assert_eq!(changes[0], changes[1], "{filter}");
        let delta = changes[0].deltas.first().unwrap();
        assert!(!delta.replace && delta.removed == keys, "{delta:?}");
        let keys = |values: &[Value]| values.iter().filter_map(|value| value.get("value").cloned()).collect();
        let added: Vec<Value> = keys(&delta.added);
        assert_eq!(added, read.iter().map(|number| key(*number).into()).collect::<Vec<Value>>());

        // What is not named stays, and stays where it is.
        let mut applied = everyone.clone();
        assert!(changes[0].apply(&mut applied));
        let mut expected: Vec<Value> = keys(everyone.get("members").unwrap().values());
        expected.retain(|key| !added.contains(key));
        expected.extend(added);
        assert_eq!(keys(applied.get("members").unwrap().values()), expected);
    }
    // Where another operation is about any of them, all are read.
    let named = operation("replace", &format!("members[{one}].display"), Some("Ann".into()));
    for other in [
        operation("remove", "members", None),
        operation("replace", "members", Some(vec![member(1)].into())),
        operation("remove", "members[type eq \"User\"]", None),
        operation("replace", "members.display", Some("Ann".into())),
    ] {
        let request = request(groups, vec![named.clone(), other]).unwrap();
        assert!(request.reads("members"));
        assert_eq!(request.reads_values("members"), None);
    }
}

#[test]
fn one_filter_with_many_keys_is_as_good() {
    let registry = Registry::standard();
    let groups = registry.by_name("Group").unwrap();
    let terms: Vec<String> = (0..1000).map(|number| format!("value eq \"{}\"", key(number))).collect();
    let path = format!("members[{}]", terms.join(" or "));
    let request = request(groups, vec![operation("remove", &path, None)]).unwrap();
    assert!(!request.reads("members"));
    let plan = request.plan(groups, &group(5000)).unwrap();
    assert_eq!(plan.resource.get("members").unwrap().values().len(), 4000);
}

/// Finding a member is a look-up, not a scan: twenty thousand removals from a group of a hundred
/// thousand, whose members have to be looked at, are done in no time. A scan for each would exhaust
/// the budget where it is charged, and take minutes where it is not.
#[test]
fn operations_on_loaded_members_do_not_scan_them_each() {
    loaded(|number| operation("remove", &format!("members[value eq \"{}\"]", key(number)), None));
    loaded(|number| operation("remove", "members", Some(vec![member(number)].into())));
}

fn loaded(removal: impl Fn(usize) -> Value) {
    const REMOVALS: usize = 20_000;
    let registry = Registry::standard();
    let groups = registry.by_name("Group").unwrap();
    let everyone = group(5 * REMOVALS);
    let look = operation("remove", "members[type eq \"Robot\"]", None);
    let removals = (0..REMOVALS).map(|number| removal(number * 3));
    let operations = std::iter::once(look).chain(removals).collect();
    let request = request_of_at_most(REMOVALS + 1, groups, operations).unwrap();
    assert!(request.reads("members"));
    let start = Instant::now();
    let plan = request.plan(groups, &everyone).unwrap();
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    assert_eq!(plan.change.deltas.first().unwrap().removed.len(), REMOVALS);
}

/// One operation that adds many values to an attribute that is not keyed compares by hash: each
/// with each would take minutes.
#[test]
fn adding_many_values_does_not_compare_each_with_each() {
    const COUNT: usize = 100_000;
    let registry = Registry::standard();
    let users = registry.by_name("User").unwrap();
    let email = |number: usize| -> Value {
        [("value", format!("u{number}@example.com")), ("type", "work".to_owned())]
            .into_iter()
            .collect::<Object>()
            .into()
    };
    let user = Resource([("userName", "u"), ("id", "u")].into_iter().collect());
    let emails: Vec<Value> = (0..COUNT).chain(0..COUNT).map(email).collect();
    let start = Instant::now();
    let request = request(users, vec![operation("add", "emails", Some(emails.into()))]).unwrap();
    let plan = request.plan(users, &user).unwrap();
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    assert_eq!(plan.resource.get("emails").unwrap().values().len(), COUNT);
}

/// The product of many filters and many values is refused before it is worked off.
#[test]
fn filters_that_multiply_are_refused() {
    let registry = Registry::standard();
    let users = registry.by_name("User").unwrap();
    let emails: Vec<Value> = (0..20_000)
        .map(|number| [("value", format!("u{number}@example.com"))].into_iter().collect::<Object>().into())
        .collect();
    let mut user: Object = [("userName", "u"), ("id", "u")].into_iter().collect();
    user.insert("emails", emails);
    let path = "emails[value co \"a\" or value co \"b\" or type pr].display";
    let operations = (0..1000).map(|_| operation("remove", path, None)).collect();
    let request = request(users, operations).unwrap();
    let error = request.plan(users, &Resource(user)).unwrap_err();
    assert_eq!(error.scim_type(), Some(ScimType::TooMany));
    assert!(error.detail().starts_with("Operations["), "{}", error.detail());
}

/// A long text for every one of many values would be held as often.
#[test]
fn long_texts_do_not_multiply() {
    let registry = Registry::standard();
    let users = registry.by_name("User").unwrap();
    let user = Resource([("userName", "u"), ("id", "u")].into_iter().collect());
    let patch = |emails: usize, display: usize| {
        let emails: Vec<Value> = (0..emails)
            .map(|number| [("value", number.to_string())].into_iter().collect::<Object>().into())
            .collect();
        let display = Value::from("x".repeat(display));
        let element: Object = [("display", display.clone())].into_iter().collect();
        [
            operation("replace", "emails[value pr].display", Some(display)),
            operation("add", "emails[value pr]", Some(element.clone().into())),
            operation("replace", "emails[value pr]", Some(element.into())),
        ]
        .map(|last| {
            let add = operation("add", "emails", Some(emails.clone().into()));
            request(users, vec![add, last]).unwrap().plan(users, &user)
        })
    };
    for refused in patch(20_000, 500_000) {
        assert_eq!(refused.unwrap_err().scim_type(), Some(ScimType::TooMany));
    }
    for planned in patch(20, 5_000) {
        assert!(planned.is_ok(), "{planned:?}");
    }
}

/// Nor does looking at a long text again and again take the product of the two.
#[test]
fn filters_on_long_texts_do_not_multiply() {
    let registry = Registry::standard();
    let users = registry.by_name("User").unwrap();
    let email: Object =
        [("value", "a@example.com".to_owned()), ("display", "x".repeat(1 << 20))].into_iter().collect();
    let mut user: Object = [("userName", "u"), ("id", "u")].into_iter().collect();
    user.insert("emails", vec![Value::from(email)]);
    let user = Resource(user);
    let patch = |operations: usize, path: &str| {
        let operations = (0..operations).map(|_| operation("remove", path, None)).collect();
        request(users, operations).unwrap().plan(users, &user)
    };
    let terms = vec!["display co \"y\""; 200].join(" or ");
    let error = patch(100, &format!("emails[{terms}]")).unwrap_err();
    assert_eq!(error.scim_type(), Some(ScimType::TooMany));
    assert!(patch(3, "emails[display co \"y\"]").is_ok());
}

#[test]
fn more_operations_than_allowed_are_413() {
    let registry = Registry::standard();
    let groups = registry.by_name("Group").unwrap();
    let error = request(groups, removals(1001)).unwrap_err();
    assert_eq!(error.status(), 413);
    assert_eq!(error.detail(), "Operations: 1001 operations are more than the 1000 of one request");
    assert!(request(groups, removals(1000)).is_ok());
}
