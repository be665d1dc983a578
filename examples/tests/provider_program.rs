//! The example programs themselves, as a newcomer runs them.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod support;

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use support::Client;

/// The example program `name`, with its output to be read.
fn example(name: &str) -> Command {
    let mut command = Command::new(support::program(name));
    command.env_remove("SCIM_TOKEN").env_remove("RUST_LOG").stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A running program, killed at the end if need be.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// What it prints, up to the line that has `last`.
    fn lines_to(&mut self, last: &str) -> Vec<String> {
        let mut lines = Vec::new();
        let mut output = BufReader::new(self.0.stdout.as_mut().unwrap());
        while !lines.last().is_some_and(|line: &String| line.contains(last)) {
            let mut line = String::new();
            assert_ne!(output.read_line(&mut line).unwrap(), 0, "it ended: {lines:?}");
            lines.push(line.trim_end().to_owned());
        }
        lines
    }

    /// Asks it to stop and gives its exit code and what it logged.
    #[cfg(unix)]
    fn stop(mut self, signal: &str) -> (Option<i32>, String) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args([signal, id.as_str()]).status().unwrap().success());
        let begun = Instant::now();
        while self.0.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < support::LONG, "it does not stop");
            std::thread::sleep(Duration::from_millis(10));
        }
        let mut log = String::new();
        self.0.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (self.0.wait().unwrap().code(), log)
    }
}

/// How soon the provider answers after it was started.
const SOON: Duration = Duration::from_secs(1);

/// The URL and the bearer token of a printed `curl` line.
fn parse_curl(line: &str) -> (String, String) {
    let (_, rest) = line.split_once("Authorization: Bearer ").unwrap();
    let (token, rest) = rest.split_once(['"', '\'']).unwrap();
    (rest.trim().to_owned(), token.to_owned())
}

fn get(url: &str, token: &str) -> u16 {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    agent.get(url).header("authorization", format!("Bearer {token}")).call().unwrap().status().as_u16()
}

#[test]
#[cfg(unix)]
fn provider_needs_no_set_up_and_stops_cleanly() {
    let directory = tempfile::tempdir().unwrap();
    // From nothing to the first answer: the quickest, for the machine may be busy.
    let (mut quickest, all) = (Duration::MAX, Instant::now());
    let starts = ["-INT", "-TERM"].into_iter().chain(std::iter::repeat("-INT")).enumerate();
    for (number, signal) in starts {
        if number >= 2 && (quickest < SOON || all.elapsed() > support::LONG) {
            break;
        }
        let begun = Instant::now();
        let mut command = example("provider");
        command.args(["--profile", "pagerduty", "--listen", "127.0.0.1:0"]).current_dir(directory.path());
        let mut provider = Running(command.spawn().unwrap());
        let lines = provider.lines_to("Ctrl-C");
        let curl = lines.iter().find(|line| line.contains("curl ")).unwrap();
        let (url, token) = parse_curl(curl);
        assert_eq!(get(&url, &token), 200);
        quickest = quickest.min(begun.elapsed());
        assert_eq!(get(&url, "other"), 401);
        assert_eq!(token.len(), 64);
        assert!(lines.iter().any(|line| line.contains("token") && line.contains(&token)));
        assert!(lines.iter().any(|line| line.contains("base URL") && line.ends_with("/scim/v2")));
        assert!(lines.iter().any(|line| line.contains("scim-provider-pagerduty.db")));
        let (code, log) = provider.stop(signal);
        assert_eq!(code, Some(0), "{log}");
        assert!(!log.contains(&token));
        let left: Vec<String> = std::fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        // A clean end leaves no journal behind.
        assert_eq!(left, ["scim-provider-pagerduty.db"]);
    }
    assert!(quickest < SOON, "{quickest:?}");
}

#[test]
#[cfg(unix)]
fn the_log_has_no_secret_and_no_query() {
    const TOKEN: &str = "s3cr3t-0f-the-test";
    let mut command = example("provider");
    command
        .args(["--database", ":memory:", "--listen", "127.0.0.1:0"])
        .env("SCIM_TOKEN", TOKEN)
        .env("RUST_LOG", "trace");
    let mut provider = Running(command.spawn().unwrap());
    // Read on, so that a full pipe does not hold it up.
    let mut errors = provider.0.stderr.take().unwrap();
    let log = std::thread::spawn(move || {
        let mut log = String::new();
        errors.read_to_string(&mut log).unwrap();
        log
    });
    let lines = provider.lines_to("Ctrl-C");
    assert!(!lines.concat().contains(TOKEN), "{lines:?}");
    let base = lines.iter().find_map(|line| Some(line.split_once("base URL")?.1.trim().to_owned())).unwrap();
    let users = format!("{base}/Users");
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let post = |body: &str| {
        let request = agent.post(&users).header("authorization", format!("Bearer {TOKEN}"));
        let response = request.header("content-type", "application/json").send(body).unwrap();
        let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        (response.status().as_u16(), id)
    };
    let (status, request_id) = post(
        "{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],\"userName\":\"hidden-name\",\"active\":\"True\",\"password\":\"hidden-pass\"}",
    );
    assert_eq!(status, 201);
    assert_eq!(post("{\"password\":\"hidden-pass\",").0, 400);
    assert_eq!(get(&format!("{users}?filter=userName%20eq%20%22hidden-name%22"), TOKEN), 200);
    assert_eq!(get(&users, "wr0ng-token"), 401);
    let _ = Command::new("kill").arg(provider.0.id().to_string()).status().unwrap();
    assert!(provider.0.wait().unwrap().success());
    let log = log.join().unwrap();
    for secret in [TOKEN, "wr0ng-token", "hidden-name", "hidden-pass"] {
        assert!(!log.contains(secret), "`{secret}` is in the log:\n{log}");
    }
    // What it has: the id the client was given, and what was tolerated.
    let line = log.lines().find(|line| line.contains(&request_id) && line.contains("status")).unwrap();
    for part in ["method=POST", "path=\"/scim/v2/Users\"", "status=201", "milliseconds=", "boolean"] {
        assert!(line.contains(part), "no `{part}` in: {line}");
    }
    assert!(log.contains("scim_type=\"invalidSyntax\""));
}

#[test]
fn wrong_command_lines_are_refused_with_a_reason() {
    let directory = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let note = directory.path().join("note.txt");
    std::fs::write(&note, "no database ".repeat(100)).unwrap();
    let run = |arguments: &[&str]| -> Output {
        let mut provider = example("provider");
        provider.args(arguments).current_dir(directory.path()).env("RUST_BACKTRACE", "1").output().unwrap()
    };
    for (arguments, reason) in [
        (&["--profile", "nobody"][..], "generic, incident-io, pagerduty"),
        (&["--listen", &taken, "--database", ":memory:"], "cannot listen on"),
        (&["--listen", "localhost"], "--listen"),
        (&["--token", "two words"], "visible ASCII"),
        (&["--token", ""], "visible ASCII"),
        (&["--cursor-key", "two words of more than thirty-two characters"], "32 or more visible ASCII"),
        (&["--cursor-key", "a-short-key-that-is-not-told"], "32 or more visible ASCII"),
        (&["--base-url", "example.com"], "without a base"),
        (&["--base-url", "ftp://example.com"], "a base URL is an HTTP URL"),
        (&["--base-url", "https://example.com/scim?tenant=1"], "without credentials, query and fragment"),
        (&["--base-url", "https://example.com/scim#top"], "without credentials, query and fragment"),
        (&["--base-url", "https://ann:pw@example.com/scim"], "without credentials, query and fragment"),
        (&["--hold-incident", "ann@example.com"], "`--hold-incident` needs `--profile pagerduty`"),
        (
            &["--profile", "datadog", "--me", "ann"],
            "`--me` needs `--profile generic` or `--profile incident-io`",
        ),
        (&["--memory-store", "--database-url", "sqlite:x.db"], "'--memory-store' cannot be used with"),
        (&["--memory-store", "--adopt-database"], "'--memory-store' cannot be used with '--adopt-database'"),
        (
            &["--adopt-database", "--database", ":memory:"],
            "`--adopt-database` is for a database that is there",
        ),
        (&["--memory-store", "guard", "show"], "`--memory-store` is for serving, which `guard` does not"),
        (&["--database", "no/such/folder.db", "--listen", "127.0.0.1:0"], "`no/such/folder.db`: "),
        (&["--listen", &taken], "cannot listen on"),
        (&["--profile", "pagerduty", "--duplicate-status", "500"], "400, 409"),
        (&["--database", note.to_str().unwrap(), "--listen", "127.0.0.1:0"], "note.txt"),
    ] {
        let output = run(arguments);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        assert!(told.contains(reason), "{arguments:?}: {told}");
        assert!(!told.contains("panicked") && !told.contains("backtrace"), "{told}");
        for secret in ["two words", "a-short-key"] {
            assert!(!told.contains(secret), "a secret is printed: {told}");
        }
    }
    let odd =
        example("provider").current_dir(directory.path()).env("RUST_LOG", "scim=loud").output().unwrap();
    assert!(!odd.status.success());
    assert!(String::from_utf8(odd.stderr).unwrap().starts_with("error: RUST_LOG cannot be read: "));
    // What is refused leaves nothing behind.
    let left: Vec<_> =
        std::fs::read_dir(directory.path()).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(left, [note]);
    assert!(String::from_utf8(run(&["--help"]).stdout).unwrap().contains("--database"));
}

#[test]
fn embed_runs_and_is_short() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/embed.rs");
    let lines = std::fs::read_to_string(source).unwrap().lines().count();
    assert!(lines < 70, "{lines} lines, and README says fewer than 70");

    let mut embed = Running(example("embed").spawn().unwrap());
    let lines = embed.lines_to("curl");
    let (url, token) = parse_curl(lines.last().unwrap());
    assert_eq!(get(&url, &token), 200);
    assert_eq!(get(&url, "other"), 401);
    let client = Client::with_token(url.strip_suffix("/Users").unwrap(), &token);
    let ann = client.post("/Users", support::user("ann")).expect(201);
    client.post("/Users", support::user("ANN")).expect(409);
    let path = format!("/Users/{}", support::id(&ann));
    let titled =
        client.patch(&path, serde_json::json!([{"op": "add", "path": "title", "value": "Dr"}])).expect(200);
    assert_eq!(titled["meta"]["version"], "W/\"2\"");
    let group = serde_json::json!({"schemas": [support::GROUP], "displayName": "g", "members": [{"value": support::id(&ann)}]});
    let group = client.post("/Groups", group).expect(201);
    assert_eq!(client.count("/Groups", &format!("members eq \"{}\"", support::id(&ann))), 1);
    client.put(&path, support::user("bob")).expect(200);
    assert_eq!(client.count("/Users", "userName eq \"bob\""), 1);
    client.delete(&format!("/Groups/{}", support::id(&group))).expect(204);
    client.delete(&path).expect(204);
    client.get(&path).expect(404);
}
