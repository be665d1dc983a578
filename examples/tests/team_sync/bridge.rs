//! The program over a database of its own.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::stand_in::{KEY, PagerDuty};
use crate::support::{self, Client, TOKEN};

/// What is to happen at all does so by then, also on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(180);

/// A database, and `team_sync` over it.
pub(crate) struct Bridge {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) url: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) settle: &'static str,
    pub(crate) environment: Vec<(String, String)>,
}

impl Bridge {
    pub(crate) fn new(pagerduty: &PagerDuty) -> Self {
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self {
            folder: tempfile::tempdir().unwrap(),
            url: pagerduty.url.clone(),
            arguments: Vec::new(),
            settle: "20",
            environment: [("SCIM_TOKEN", TOKEN), ("PAGERDUTY_API_KEY", KEY)].map(own).into(),
        }
    }

    pub(crate) fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(support::program("team_sync"));
        for name in ["SCIM_TOKEN", "PAGERDUTY_API_KEY", "PAGERDUTY_CLIENT_SECRET", "RUST_LOG"] {
            command.env_remove(name);
        }
        command
            .current_dir(self.folder.path())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .args(["--listen", "127.0.0.1:0", "--database", "bridge.db", "--audit-log", "audit.jsonl"])
            .args(["--retry-pause", "4", "--settle", self.settle])
            .args(&self.arguments)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if !self.arguments.contains(&"--tenants".to_owned()) {
            command.args(["--api-url", &self.url, "--token-url", &format!("{}/oauth/token", self.url)]);
        }
        command
    }

    pub(crate) fn start(&self) -> Running {
        Running::start(self.command(&[]))
    }

    /// `--once`, or another run that ends by itself.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs until nothing is left undone.
    pub(crate) fn converge(&self) {
        let mut last = String::new();
        for _ in 0..20 {
            let output = self.run(&["--once"]);
            last = text(&output.stdout) + &text(&output.stderr);
            match output.status.code() {
                Some(0) => return,
                Some(1) => {}
                code => panic!("{code:?}: {last}"),
            }
        }
        panic!("there is something left to do: {last}");
    }

    /// The changes that a run would make.
    pub(crate) fn plan(&self) -> Vec<Value> {
        let output = self.run(&["--dry-run", "--json"]);
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)));
        assert_eq!(report["end"], "complete", "{report}");
        report["plan"].as_array().unwrap().clone()
    }

    /// The lines of the audit log.
    pub(crate) fn audit(&self) -> Vec<Value> {
        let log = std::fs::read_to_string(self.file("audit.jsonl")).unwrap_or_default();
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A `team_sync` that serves; killed at the end if need be.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) scim: Client,
    pub(crate) log: Arc<Mutex<String>>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (tell, told) = std::sync::mpsc::channel();
        let (errors, kept) = (child.stderr.take().unwrap(), Arc::clone(&log));
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                if let Some((_, url)) = line.split_once("base URL ") {
                    let _ = tell.send(url.trim().to_owned());
                }
                let mut kept = kept.lock().unwrap();
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        let Ok(url) = told.recv_timeout(LONG) else {
            let _ = child.kill();
            panic!("it does not start: {}", log.lock().unwrap());
        };
        Self { child, scim: Client::new(&url), log }
    }

    /// As a machine that loses its power.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// As Ctrl-C or a service manager; what it logged.
    pub(crate) fn stop(mut self, signal: &str) -> String {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, id.as_str()]).status().unwrap().success());
        until("it stops", || self.child.try_wait().unwrap().is_some());
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{}", self.log.lock().unwrap());
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LONG, "not in three minutes: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
