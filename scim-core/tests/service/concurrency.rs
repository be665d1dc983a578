//! No lost update, however many write at once (P8).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use crate::support::{answer, patch_op, request, server};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap()
}

#[test]
fn members_added_in_parallel_are_all_there() {
    let server = server();
    let users: Vec<String> = (0..64)
        .map(|index| server.user(&format!("user{index}"))["id"].as_str().unwrap().to_owned())
        .collect();
    let path = format!("/Groups/{}", server.group("Staff", &[])["id"].as_str().unwrap());
    let server = Arc::new(server);
    runtime().block_on(async {
        let tasks: Vec<_> = users
            .iter()
            .map(|id| {
                let add = patch_op(json!([{"op": "add", "path": "members", "value": [{"value": id}]}]));
                let (server, request) = (Arc::clone(&server), request("PATCH", &path, Some(add)));
                tokio::spawn(async move { answer(server.service.call(request).await) })
            })
            .collect();
        for task in tasks {
            let answer = task.await.unwrap();
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
    });
    let group = server.get(&path).json();
    let members: BTreeSet<&str> =
        group["members"].as_array().unwrap().iter().map(|member| member["value"].as_str().unwrap()).collect();
    assert_eq!(members, users.iter().map(String::as_str).collect());
    assert_eq!(group["meta"]["version"], "W/\"65\"", "one version for each change");
}

#[test]
fn of_parallel_creations_of_one_name_one_succeeds() {
    let server = Arc::new(server());
    let created = runtime().block_on(async {
        let tasks: Vec<_> = (0..32)
            .map(|_| {
                let server = Arc::clone(&server);
                let request = request("POST", "/Users", Some(crate::support::user("bjensen")));
                tokio::spawn(async move { answer(server.service.call(request).await).status.as_u16() })
            })
            .collect();
        let mut statuses = Vec::new();
        for task in tasks {
            statuses.push(task.await.unwrap());
        }
        assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
        statuses.iter().filter(|status| **status == 201).count()
    });
    assert_eq!(created, 1);
    assert_eq!(server.get("/Users").json()["totalResults"], 1);
}

#[test]
fn of_parallel_writes_on_one_version_one_succeeds() {
    let server = server();
    server.user("bjensen");
    let server = Arc::new(server);
    let written = runtime().block_on(async {
        let tasks: Vec<_> = (0..32)
            .map(|index| {
                let title = patch_op(json!([{"op": "add", "path": "title", "value": format!("t{index}")}]));
                let mut request = request("PATCH", "/Users/id-1", Some(title));
                request.headers_mut().insert("if-match", "W/\"1\"".parse().unwrap());
                let server = Arc::clone(&server);
                tokio::spawn(async move { answer(server.service.call(request).await).status.as_u16() })
            })
            .collect();
        let mut statuses = Vec::new();
        for task in tasks {
            statuses.push(task.await.unwrap());
        }
        assert!(statuses.iter().all(|status| [200, 412].contains(status)), "{statuses:?}");
        statuses.iter().filter(|status| **status == 200).count()
    });
    assert_eq!(written, 1);
    assert_eq!(server.get("/Users/id-1").header("etag"), Some("W/\"2\""));
}
