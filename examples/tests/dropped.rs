//! Clients that leave: requests over PostgreSQL that are dropped at every point where they wait, and
//! connections that break off. The same over SQLite is in `src/store/dropped.rs`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod dropping;
mod sql_support;
mod support;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use dropping::dropped_requests_are_made_or_not;
use scim_examples::{AuditQuery, SqlStore};
use serde_json::{Value, json};
use sql_support::Postgres;
use support::{GROUP, LONG, Server, TOKEN, USER, user};

/// Long enough for a busy machine; what is left open is for longer.
const SOON: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_postgres() {
    let Some(postgres) = Postgres::start() else { return };
    let url = postgres.database("dropped").await;
    let watch = tokio::sync::Mutex::new(postgres.connect().await);
    // No transaction is left open: each ends, one way or the other, when its request does.
    let settled = || async {
        let mut connection = watch.lock().await;
        let begun = Instant::now();
        loop {
            let (open,): (i64,) = sqlx::query_as(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = 'dropped' AND state <> 'idle'",
            )
            .fetch_one(&mut *connection)
            .await
            .unwrap();
            if open == 0 {
                break;
            }
            assert!(begun.elapsed() < SOON, "a transaction is left open");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    dropped_requests_are_made_or_not(SqlStore::connect(&url).await.unwrap(), settled).await;
}

fn head(method: &str, path: &str, length: usize) -> String {
    format!(
        "{method} /scim/v2{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Type: application/scim+json\r\nContent-Length: {length}\r\n\r\n"
    )
}

fn whole(method: &str, path: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    [head(method, path, body.len()).into_bytes(), body.into_bytes()].concat()
}

/// A bulk request whose client is gone is finished all the same, a circle in it included.
#[test]
fn a_bulk_request_is_finished_without_its_client() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("scim.db"), &[]);
    let group = |bulk_id: &str, other: &str| {
        let data = json!({"schemas": [GROUP], "displayName": bulk_id, "members": [{"value": format!("bulkId:{other}")}]});
        json!({"method": "POST", "path": "/Groups", "bulkId": bulk_id, "data": data})
    };
    let mut operations: Vec<Value> = (0..200)
        .map(|number| {
            let data = json!({"schemas": [USER], "userName": format!("u{number}")});
            json!({"method": "POST", "path": "/Users", "bulkId": format!("u{number}"), "data": data})
        })
        .collect();
    operations.extend([group("g", "h"), group("h", "g")]);
    let bulk =
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
    let mut stream = TcpStream::connect(server.client.address()).unwrap();
    stream.write_all(&whole("POST", "/Bulk", &bulk)).unwrap();
    // It is under way, and its client leaves.
    let begun = Instant::now();
    while server.client.get("/Users?count=0").expect(200)["totalResults"] == 0 {
        assert!(begun.elapsed() < SOON, "it does not begin");
    }
    stream.shutdown(Shutdown::Both).unwrap();
    drop(stream);
    // The server is told to stop before it is done, and waits for it, but not for as long as a busy machine may take.
    let begun = Instant::now();
    while server.client.get("/Users?count=0").expect(200)["totalResults"].as_u64().unwrap() < 180 {
        assert!(begun.elapsed() < LONG, "it does not go on");
    }
    server.stop();
    let server = Server::start(&folder.path().join("scim.db"), &[]);
    assert_eq!(server.client.get("/Users?count=0").expect(200)["totalResults"], 200);
    let groups = server.client.get("/Groups").expect(200);
    let members = |at: usize| groups["Resources"][at]["members"][0]["value"].clone();
    assert_eq!(
        [members(0), members(1)],
        [&groups["Resources"][1]["id"], &groups["Resources"][0]["id"]].map(Clone::clone)
    );
    server.stop();
}

#[test]
fn clients_that_leave_in_the_middle_leave_nothing() {
    let server = Server::in_memory(&[]);
    let users: Vec<_> = (0..500)
        .map(|number| {
            let data =
                json!({"schemas": [USER], "userName": format!("u{number}"), "title": "x".repeat(2000)});
            json!({"method": "POST", "path": "/Users", "bulkId": format!("u{number}"), "data": data})
        })
        .collect();
    for part in users.chunks(250) {
        let bulk =
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": part});
        server.client.post("/Bulk", bulk).expect(200);
    }
    let body = user("half").to_string();
    let half = &body.as_bytes()[..body.len() / 2];
    for round in 0..20 {
        // In the middle of the head, of the body, and of the answer.
        let mut stream = TcpStream::connect(server.client.address()).unwrap();
        stream.write_all(&head("POST", "/Users", body.len()).as_bytes()[..40 + round]).unwrap();
        drop(stream);
        let mut stream = TcpStream::connect(server.client.address()).unwrap();
        stream.write_all(head("POST", "/Users", body.len()).as_bytes()).unwrap();
        stream.write_all(half).unwrap();
        drop(stream);
        let mut stream = TcpStream::connect(server.client.address()).unwrap();
        stream.write_all(head("GET", "/Users?count=500", 0).as_bytes()).unwrap();
        let mut some = [0; 1000];
        stream.read_exact(&mut some).unwrap();
        assert!(some.starts_with(b"HTTP/1.1 200 OK"));
        drop(stream);
    }
    assert_eq!(server.client.count("/Users", "userName eq \"half\""), 0);
    server.client.post("/Users", user("half")).expect(201);
    assert_eq!(server.client.get("/Users?count=0").expect(200)["totalResults"], 501);
    server.stop();
}
