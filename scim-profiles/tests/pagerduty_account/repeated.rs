//! What an identity provider sends with every change.

use proptest::prelude::*;

use super::*;

/// A whole user as an identity provider makes it of what is mapped, or the same attributes in a PATCH.
fn mapped(role: &str, license: Option<&str>, by_patch: bool) -> (&'static str, Value) {
    let whole = user("a", Some(role), license);
    if !by_patch {
        return ("PUT", whole);
    }
    let mut value = json!({"roles": whole["roles"]});
    if let Some(license) = whole.get("entitlements") {
        value["entitlements"] = license.clone();
    }
    ("PATCH", json!({"schemas": [PATCH_OP], "Operations": [{"op": "replace", "value": value}]}))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// What an identity provider maps it sends with every change, so each write that is accepted is accepted again and
    /// comes to the same; and a user's role and licence always agree.
    #[test]
    fn an_accepted_write_can_be_repeated(
        writes in prop::collection::vec((
            prop::sample::select(vec!["user", "admin", "read_only_user", "read_only_limited_user"]),
            prop::option::weighted(0.8, prop::sample::select(vec!["A", "F", "S", "S2", "none"])),
            any::<bool>(),
        ), 1..12),
    ) {
        let list = licenses(json!([
            {"id": "A", "valid_roles": ["admin"], "allocations_available": 1},
            {"id": "F", "role_group": "FullUser", "allocations_available": 1},
            {"id": "S", "role_group": "Stakeholder", "allocations_available": 1},
            {"id": "S2", "valid_roles": ["read_only_user"], "allocations_available": null},
        ]));
        let service = account(&MemoryStore::new(), PagerDuty::default().with_licenses(list.clone()));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let write = |method: &str, path: &str, body: Value| runtime.block_on(send(&service, method, path, Some(body)));
        let (status, created) = write("POST", "/Users", user("a", None, None));
        prop_assert_eq!(status, 201);
        let path = format!("/Users/{}", created["id"].as_str().unwrap());
        let mut there = created;
        for (role, license, by_patch) in writes {
            let (method, body) = mapped(role, license, by_patch);
            let first = write(method, &path, body.clone());
            let again = write(method, &path, body.clone());
            prop_assert_eq!(&again, &first, "{} {}", method, body);
            if first.0 != 200 {
                prop_assert_eq!(first.0, 400, "{} {}: {}", method, body, first.1);
                continue;
            }
            there = first.1;
            prop_assert_eq!(&there["roles"][0]["value"], role);
            let held = list.by_id(license_of(&there).unwrap()).unwrap();
            prop_assert!(held.permits(role), "{}", there);
        }
        let read = runtime.block_on(send(&service, "GET", &path, None)).1;
        prop_assert_eq!(read, there);
    }
}
