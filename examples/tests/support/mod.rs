//! A provider on a free port, and a client for it.

#![allow(dead_code, reason = "each test file uses a part")]

use std::io::{BufRead as _, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use clap::Parser as _;
use scim_examples::provider::{Options, Provider};
use serde_json::{Value, json};
use tokio::sync::oneshot;

pub(crate) const TOKEN: &str = "t0ken-of-the-tests";
pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub(crate) const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// What is to happen at all does so by then, also on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// The example program `name`, which `cargo test` builds beside the tests; `cargo test --test NAME` does
/// not, and a program older than its sources would make the test one of code that is gone.
pub(crate) fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.ancestors().nth(2).unwrap().join("examples");
    let program = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let changed = |path: &Path| path.metadata().and_then(|data| data.modified());
    let built = changed(&program);
    // `PROGRAM: SOURCE…`, with spaces in paths escaped.
    let sources = std::fs::read_to_string(folder.join(format!("{name}.d"))).unwrap_or_default();
    let sources = sources.split_once(": ").map_or("", |(_, sources)| sources).trim();
    let current = sources.replace("\\ ", "\0").split(' ').all(|source| {
        let source = changed(Path::new(&source.replace('\0', " ")));
        matches!((&built, source), (Ok(built), Ok(source)) if source <= *built)
    });
    assert!(current, "run `cargo build -p scim-examples --example {name}` first, or all of `cargo test`");
    program
}

/// What the command prints that a refusal names to operators, typed as it is in another directory.
pub(crate) fn typed(refusal: &str) -> String {
    typed_over(None, refusal)
}

/// The same, with this in DATABASE_URL if the refusal is one that clients read.
pub(crate) fn typed_over(database_url: Option<&str>, refusal: &str) -> String {
    let command = refusal.split_once("lifts that with `").unwrap().1.split_once('`').unwrap().0;
    let provider = program("provider");
    let path = format!("{}:{}", provider.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", command]).current_dir("/").env("PATH", path).env_remove("DATABASE_URL");
    shell.envs(database_url.map(|url| ("DATABASE_URL", url)));
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A provider in this process.
pub(crate) struct Server {
    pub(crate) client: Client,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts with the command line `provider ARGUMENTS`.
    pub(crate) fn start(database: &Path, arguments: &[&str]) -> Self {
        Self::start_with(&[&["--database", database.to_str().unwrap()], arguments].concat())
    }

    /// The same, with the database among the arguments.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let mut line = vec!["provider", "--listen", "127.0.0.1:0", "--token", TOKEN];
        line.extend(arguments);
        let options = Options::try_parse_from(line).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let provider = Provider::start(options).await.unwrap();
                tell.send(provider.base_url().to_string()).unwrap();
                provider.run(async { drop(stopped.await) }).await;
            });
        });
        let client = Client::new(&told.recv_timeout(LONG).unwrap());
        Self { client, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn in_memory(arguments: &[&str]) -> Self {
        Self::start(Path::new(":memory:"), arguments)
    }

    /// Stops as Ctrl-C does, and waits for the end.
    pub(crate) fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            assert!(thread.join().is_ok() || std::thread::panicking(), "the server panicked");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// A response: status, headers, and the body as JSON (null when empty).
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) body: Value,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }
}

/// A client with a token.
#[derive(Clone)]
pub(crate) struct Client {
    base: String,
    token: String,
    agent: ureq::Agent,
}

impl Client {
    pub(crate) fn new(base: &str) -> Self {
        Self::with_token(base, TOKEN)
    }

    pub(crate) fn with_token(base: &str, token: &str) -> Self {
        let config =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(LONG)).build();
        Self { base: base.to_owned(), token: token.to_owned(), agent: config.into() }
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        self.send("GET", path, None).unwrap()
    }

    pub(crate) fn post(&self, path: &str, body: Value) -> Response {
        self.send("POST", path, Some(&body)).unwrap()
    }

    pub(crate) fn put(&self, path: &str, body: Value) -> Response {
        self.send("PUT", path, Some(&body)).unwrap()
    }

    pub(crate) fn patch(&self, path: &str, operations: Value) -> Response {
        let body = json!({"schemas": [PATCH_OP], "Operations": operations});
        self.send("PATCH", path, Some(&body)).unwrap()
    }

    pub(crate) fn delete(&self, path: &str) -> Response {
        self.send("DELETE", path, None).unwrap()
    }

    /// The number of results of a filter.
    pub(crate) fn count(&self, endpoint: &str, filter: &str) -> u64 {
        let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        self.get(&format!("{endpoint}?filter={filter}")).expect(200)["totalResults"].as_u64().unwrap()
    }

    /// One request; fails when the connection does.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response, ureq::Error> {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("authorization", format!("Bearer {}", self.token));
        let response = match body {
            None => self.agent.run(request.body(()).unwrap())?,
            Some(body) => {
                let request = request.header("content-type", "application/scim+json");
                self.agent.run(request.body(body.to_string()).unwrap())?
            }
        };
        let (head, mut body) = response.into_parts();
        let text = body.read_to_string()?;
        let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
        Ok(Response { status: head.status.as_u16(), headers: head.headers, body })
    }

    /// The base URL.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Host and port of the server.
    pub(crate) fn address(&self) -> &str {
        self.base.strip_prefix("http://").unwrap().split('/').next().unwrap()
    }

    /// Sends bytes as they are and reads to the end of the connection, which the request must ask
    /// for; the head of the answer in lower case, and its body.
    pub(crate) fn raw(&self, request: &[u8]) -> (String, String) {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        (head.to_lowercase(), body.to_owned())
    }
}

/// The least that makes a user.
pub(crate) fn user(name: &str) -> Value {
    json!({"schemas": [USER], "userName": name})
}

pub(crate) fn id(resource: &Value) -> &str {
    resource["id"].as_str().unwrap()
}

/// Reads what a starting provider prints, to its base URL; panics if it ends before.
/// Puts two new groups into one another at the same moment, the second by PATCH, PUT or in a bulk request as `round` says:
/// one of them is in the other then, and who was to close the circle is told of it.
pub(crate) fn close_a_circle(clients: [&Client; 2], round: usize) {
    let new = |name: &str| json!({"schemas": [GROUP], "displayName": name});
    let [a, b] = ["a", "b"].map(|name| {
        let made = clients[0].post("/Groups", new(&format!("{name}{round}"))).expect(201);
        id(&made).to_owned()
    });
    let add = |member: &str| json!([{"op": "add", "path": "members", "value": [{"value": member}]}]);
    let path = format!("/Groups/{b}");
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| clients[0].patch(&format!("/Groups/{a}"), add(&b)));
        let second = scope.spawn(|| match round % 3 {
            0 => clients[1].patch(&path, add(&a)),
            1 => {
                let mut group = new("b");
                group["members"] = json!([{"value": a}]);
                clients[1].put(&path, group)
            }
            _ => {
                let data = json!({"schemas": [PATCH_OP], "Operations": add(&a)});
                let operations = json!([{"method": "PATCH", "path": path, "data": data}]);
                let schema = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
                clients[1].post("/Bulk", json!({"schemas": [schema], "Operations": operations}))
            }
        });
        (first.join().unwrap(), second.join().unwrap())
    });
    let told = |answer: &Response| match answer.body["Operations"].get(0) {
        Some(result) => (result["status"].as_str().unwrap().parse().unwrap(), result["response"].clone()),
        None => (answer.status, answer.body.clone()),
    };
    let (first, second) = (told(&first), told(&second));
    let one_is_made = matches!((first.0, second.0), (200, 400) | (400, 200));
    assert!(one_is_made, "round {round}: {first:?} and {second:?}");
    let (refused, member) = if first.0 == 400 { (first.1, &b) } else { (second.1, &a) };
    let detail = format!(
        "`members` names `{member}`, which has the group as a member, directly or through other groups"
    );
    assert_eq!((&refused["scimType"], &refused["detail"]), (&json!("invalidValue"), &json!(detail)));
    let is_empty = |id: &str| clients[1].get(&format!("/Groups/{id}")).expect(200)["members"].is_null();
    assert_eq!([is_empty(&a), is_empty(&b)], [member == &b, member == &a], "round {round}");
}

pub(crate) fn base_url(output: impl std::io::Read) -> String {
    let lines = std::io::BufReader::new(output).lines().map(Result::unwrap);
    let line = lines.filter_map(|line| Some(line.split_once("base URL")?.1.trim().to_owned())).next();
    line.unwrap()
}
