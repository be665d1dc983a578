//! A stand-in of PagerDuty's REST API in this process, and a client for it.

#![allow(dead_code, reason = "each test file uses a part")]

use std::thread::JoinHandle;
use std::time::Duration;

use scim_examples::pagerduty_rest::{Account, Faults, Options, Seed, StandIn, StandInHandle};
use serde_json::Value;
use tokio::sync::oneshot;

pub(crate) const KEY: &str = "key-of-the-examples";
pub(crate) const CLIENT_ID: &str = "app-of-the-examples";
pub(crate) const CLIENT_SECRET: &str = "secret-of-the-examples";
/// What is to happen at all does so by then, also on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// The account of the examples.
pub(crate) fn seed() -> Seed {
    serde_json::from_str(include_str!("../../pagerduty-rest/account.json")).unwrap()
}

pub(crate) struct PagerDuty {
    pub(crate) url: String,
    pub(crate) handle: StandInHandle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl PagerDuty {
    pub(crate) fn start(seed: Seed, options: Options, faults: Faults) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let account = Account::new(seed).unwrap();
                let listen = "127.0.0.1:0".parse().unwrap();
                let stand_in = StandIn::bind(listen, account, options, faults).await.unwrap();
                tell.send((stand_in.url().as_str().trim_end_matches('/').to_owned(), stand_in.handle()))
                    .unwrap();
                stand_in.run(async { drop(stopped.await) }).await;
            });
        });
        let (url, handle) = told.recv_timeout(LONG).unwrap();
        Self { url, handle, stop: Some(stop), thread: Some(thread) }
    }

    /// The account of the examples, where nothing goes wrong.
    pub(crate) fn of_the_examples() -> Self {
        Self::start(seed(), Options::default(), Faults::default())
    }

    /// A client with the API key.
    pub(crate) fn client(&self) -> Rest {
        self.client_with(&format!("Token token={KEY}"))
    }

    pub(crate) fn client_with(&self, authorization: &str) -> Rest {
        let config =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(LONG)).build();
        Rest { url: self.url.clone(), authorization: authorization.to_owned(), agent: config.into() }
    }
}

impl Drop for PagerDuty {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            assert!(thread.join().is_ok() || std::thread::panicking(), "the stand-in panicked");
        }
    }
}

/// An answer: status, headers, and the body as JSON (null when empty).
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: ureq::http::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// The code and the first detail of an error.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: u32, detail: &str) {
        let body = self.expect(status);
        assert_eq!(body["error"]["code"], code, "{body}");
        assert_eq!(body["error"]["errors"][0].as_str().unwrap_or_default(), detail);
    }
}

#[derive(Clone)]
pub(crate) struct Rest {
    url: String,
    authorization: String,
    agent: ureq::Agent,
}

impl Rest {
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).unwrap()
    }

    pub(crate) fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(body.to_string())).unwrap()
    }

    pub(crate) fn put(&self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, Some(body.to_string())).unwrap()
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None).unwrap()
    }

    /// One request; fails when the connection does.
    pub(crate) fn send(&self, method: &str, path: &str, body: Option<String>) -> Result<Answer, ureq::Error> {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("accept", "application/vnd.pagerduty+json;version=2")
            .header("authorization", &self.authorization);
        let response = match body {
            None => self.agent.run(request.body(()).unwrap())?,
            Some(body) => {
                let kind = match path {
                    "/oauth/token" => "application/x-www-form-urlencoded",
                    _ => "application/json",
                };
                self.agent.run(request.header("content-type", kind).body(body).unwrap())?
            }
        };
        let (head, mut body) = response.into_parts();
        let text = body.read_to_string()?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    }

    /// A token of the app, and the scopes that were granted.
    pub(crate) fn token(&self, scope: &str) -> (String, String) {
        let answer = self.send("POST", "/oauth/token", Some(form(CLIENT_SECRET, scope))).unwrap().expect(200);
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        assert_eq!(answer["token_type"], "bearer");
        (text("access_token"), text("scope"))
    }
}

/// The form that asks for a token.
pub(crate) fn form(secret: &str, scope: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", CLIENT_ID)
        .append_pair("client_secret", secret)
        .append_pair("scope", scope)
        .finish()
}
