//! Random resources, and operations on them.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;
use scim_core::Resource;
use scim_core::schema::builtin;
use serde_json::{Value as Json, json};

use crate::resource;

pub(crate) const TYPES: &[&str] = &["work", "home", "other"];
pub(crate) const KEYS: &[&str] = &["a", "b", "c", "d", "e", "A"];

pub(crate) fn user() -> impl Strategy<Value = Resource> {
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

pub(crate) fn group(members: &[&str]) -> Resource {
    let mut group = json!({"schemas": [builtin::GROUP], "id": "g1", "displayName": "G"});
    if !members.is_empty() {
        let members = members.iter().map(|value| json!({"value": value, "type": "User"}));
        group["members"] = members.collect();
    }
    resource(group)
}

pub(crate) fn operations() -> impl Strategy<Value = Vec<Json>> {
    proptest::collection::vec(operation(), 1..6)
}

/// An operation in RFC form on what the model knows.
pub(crate) fn operation() -> impl Strategy<Value = Json> {
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

pub(crate) const EMPLOYEE_NUMBER: &str =
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber";

pub(crate) fn member_operation() -> impl Strategy<Value = Json> {
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

/// Filters of members that only a look at them decides, and whether they name who can match.
pub(crate) const LOOKS: &[(&str, bool)] = &[
    ("type eq \"User\"", false),
    ("value sw \"a\"", false),
    ("not (value eq \"b\")", false),
    ("value eq \"a\" and type eq \"User\"", true),
    ("type eq \"Group\" and value eq \"d\"", true),
    ("value eq \"a\" and type eq \"User\" or value eq \"c\"", true),
];

/// A removal of members that has to look at them.
pub(crate) fn looking_removal() -> impl Strategy<Value = Json> {
    select(LOOKS).prop_map(|(filter, _)| json!({"op": "remove", "path": format!("members[{filter}]")}))
}

/// A removal of members that has to look at those it names.
pub(crate) fn naming_removal() -> impl Strategy<Value = Json> {
    let named: Vec<&str> = LOOKS.iter().filter(|(_, named)| *named).map(|(filter, _)| *filter).collect();
    select(named).prop_map(|filter| json!({"op": "remove", "path": format!("members[{filter}]")}))
}

/// What a name is given to: members that are there, or are not.
pub(crate) fn naming() -> impl Strategy<Value = Json> {
    let filter = prop_oneof![
        4 => select(KEYS).prop_map(|key| format!("value eq \"{key}\"")),
        2 => (select(KEYS), select(KEYS)).prop_map(|(one, other)| format!("value eq \"{one}\" or value eq \"{other}\"")),
        2 => select(LOOKS).prop_map(|(filter, _)| filter.to_owned()),
    ];
    (select(&["add", "replace"][..]), filter, select(&["X", "Y"][..])).prop_map(
        |(op, filter, name)| json!({"op": op, "path": format!("members[{filter}].display"), "value": name}),
    )
}

/// A way to name an attribute.
#[derive(Clone, Debug)]
pub(crate) enum Route {
    Path(String),
    Key(String),
    Nested(String, String),
}

/// A way to name what the service keeps.
pub(crate) fn route() -> impl Strategy<Value = Route> {
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

pub(crate) fn hostile_value() -> impl Strategy<Value = Json> {
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
pub(crate) fn any_json() -> impl Strategy<Value = Json> {
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
