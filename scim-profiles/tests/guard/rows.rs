//! Each row of the guards beside a change that it permits and one, of the same kind, that it refuses. Those of the bridge
//! are beside its own rules.

use scim_profiles::guard::{Guards, Protected, RULES};
use serde_json::{Value, json};

use crate::server::{Server, USER, ceiling, patch};

/// A method, a path and a body.
type Change = (&'static str, &'static str, Value);

struct Row {
    id: &'static str,
    guards: Guards,
    /// What is made first.
    accepted: Change,
    /// What is refused then.
    refused: Change,
}

/// Of three users, `1` to `3`, each with the roles `admin` and `user`, in the group `4`.
async fn server(guards: Guards) -> Server {
    let server = Server::new(guards);
    let mut users = Vec::new();
    for number in 1..=3 {
        let roles = json!([{"value": "admin"}, {"value": "user"}]);
        let user = json!({"schemas": [USER], "userName": format!("u{number}"), "roles": roles});
        users.push(server.create("/Users", user).await);
    }
    assert_eq!((users.concat(), server.group("Ops", &users).await), ("123".to_owned(), "4".to_owned()));
    server
}

fn rows() -> Vec<Row> {
    let one = || ceiling().with_count(1);
    let protecting = |protected| Guards::new().with_protected(protected);
    let remove = |path: &str| patch(json!([{"op": "remove", "path": path}]));
    let delete = |path| ("DELETE", path, Value::Null);
    vec![
        Row {
            id: "guard-deactivations",
            guards: Guards::new().with_deactivations(one()),
            accepted: delete("/Users/1"),
            refused: delete("/Users/2"),
        },
        Row {
            id: "guard-role-downgrades",
            guards: Guards::new().with_role_downgrades(one()),
            accepted: ("PATCH", "/Users/1", remove("roles")),
            refused: ("PATCH", "/Users/2", remove("roles")),
        },
        Row {
            id: "guard-member-removals",
            guards: Guards::new().with_member_removals(one()),
            accepted: ("PATCH", "/Groups/4", remove("members[value eq \"1\"]")),
            refused: ("PATCH", "/Groups/4", remove("members[value eq \"2\"]")),
        },
        Row {
            id: "guard-protected-user",
            guards: protecting(Protected::new().with_user("u2")),
            accepted: delete("/Users/1"),
            refused: delete("/Users/2"),
        },
        Row {
            id: "guard-protected-group",
            guards: protecting(Protected::new().with_group("ops")),
            accepted: ("PATCH", "/Groups/4", remove("members[value eq \"1\"]")),
            refused: ("PATCH", "/Groups/4", remove("members")),
        },
        Row {
            id: "guard-protected-role",
            guards: protecting(Protected::new().with_role("admin")),
            accepted: ("PATCH", "/Users/1", remove("roles[value eq \"user\"]")),
            refused: ("PATCH", "/Users/1", remove("roles[value eq \"admin\"]")),
        },
    ]
}

#[tokio::test]
async fn each_permits_and_refuses() {
    let rows = rows();
    let ids = RULES.iter().map(|row| row.id).filter(|id| !id.starts_with("guard-team-"));
    assert_eq!(ids.collect::<Vec<_>>(), rows.iter().map(|row| row.id).collect::<Vec<_>>());
    for Row { id, guards, accepted, refused } in rows {
        let server = server(guards).await;
        let (method, path, body) = accepted;
        let (status, answer) = server.send(method, path, body).await;
        assert!([200, 204].contains(&status), "{id}: {answer}");
        let (method, path, body) = refused.clone();
        server.refuses(method, path, body, id).await;
        // By nothing but the guard.
        server.lift(true).await;
        let (method, path, body) = refused;
        let (status, answer) = server.send(method, path, body).await;
        assert!([200, 204].contains(&status), "{id}: {answer}");
    }
}
