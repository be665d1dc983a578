//! Bulk requests: each operation counts as the request it stands for.

use scim_profiles::guard::{Guards, Protected};
use serde_json::{Value, json};

use crate::server::{GROUP, Server, USER, ceiling, guards};

const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

async fn bulk(server: &Server, operations: Vec<Value>) -> Vec<(String, Value)> {
    let (status, answer) =
        server.send("POST", "/Bulk", json!({"schemas": [BULK], "Operations": operations})).await;
    assert_eq!(status, 200, "{answer}");
    let operations = answer["Operations"].as_array().cloned().unwrap_or_default();
    operations
        .iter()
        .map(|one| (one["status"].as_str().unwrap().to_owned(), one["response"].clone()))
        .collect()
}

#[tokio::test]
async fn each_operation_counts() {
    let server = Server::new(Guards::new().with_deactivations(ceiling().with_count(3)));
    let users = server.users(6).await;
    server.take_records();
    let delete = |id: &String| json!({"method": "DELETE", "path": format!("/Users/{id}")});
    let answers = bulk(&server, users.iter().map(delete).collect()).await;
    let statuses: Vec<&str> = answers.iter().map(|(status, _)| status.as_str()).collect();
    assert_eq!(statuses, ["204", "204", "204", "403", "403", "403"]);
    assert!(answers[3].1["detail"].as_str().unwrap().ends_with("(guard-deactivations)"));
    let refused: Vec<Value> =
        server.take_records().into_iter().filter(|record| record["effect"] == "refused").collect();
    let places: Vec<_> = refused.iter().map(|record| record["bulk"]["index"].as_u64().unwrap()).collect();
    assert_eq!(places, [3, 4, 5]);
    assert!(refused.iter().all(|record| record["rule"] == "guard-deactivations"));
    for id in &users[3..] {
        assert_eq!(server.get(&format!("/Users/{id}")).await["id"], json!(id));
    }
}

/// What a bulk request creates and takes back again was never there to be lost.
#[tokio::test]
async fn a_circle_that_is_taken_back_is_no_loss() {
    let all =
        guards(ceiling().with_count(0)).with_protected(Protected::new().with_group("a").with_group("b"));
    let server = Server::new(all);
    let group = |name: &str, bulk_id: &str, member: &str| {
        json!({
            "method": "POST",
            "path": "/Groups",
            "bulkId": bulk_id,
            "data": {"schemas": [GROUP], "displayName": name, "members": [{"value": format!("bulkId:{member}")}]},
        })
    };
    let broken = json!({
        "method": "POST",
        "path": "/Groups",
        "bulkId": "c",
        // Without the name that a group must have.
        "data": {"schemas": [GROUP], "members": [{"value": "bulkId:a"}]},
    });
    let answers = bulk(&server, vec![group("a", "a", "b"), group("b", "b", "c"), broken]).await;
    assert!(answers.iter().all(|(status, _)| status.starts_with('4')), "{answers:?}");
    assert!(answers.iter().all(|(status, _)| status != "403"), "{answers:?}");
    assert_eq!(server.get("/Groups").await["totalResults"], 0);

    // One that is well is created, and from then on what it is.
    let answers = bulk(&server, vec![group("a", "a", "b"), group("b", "b", "a")]).await;
    assert!(answers.iter().all(|(status, _)| status == "201"), "{answers:?}");
    let user = json!({"method": "POST", "path": "/Users", "bulkId": "u", "data": {"schemas": [USER], "userName": "u"}});
    let answers = bulk(&server, vec![user, json!({"method": "DELETE", "path": "/Users/bulkId:u"})]).await;
    assert_eq!(answers[1].0, "403", "that is a deletion a client asks for");
}
