//! One HTTP conversation with the server: the identity provider's own headers on every request.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::Value;
use ureq::config::AutoHeaderValue;
use ureq::http::{HeaderValue, Method, Request, Response, header};
use url::{Host, Url};

/// The largest answer read, in bytes; a page of 100 resources is far smaller.
const MAX_ANSWER: u64 = 64 << 20;

/// How often a request is repeated when the server says 429.
const MAX_RETRIES: u32 = 3;

/// The longest wait that a 429 may ask for.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// What is probably wrong where a connection is refused.
const NOBODY: &str = "; nobody listens there: the server is probably not started, or has another port";

/// How an identity provider dresses its requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dress {
    /// Headers of every request.
    pub(crate) always: &'static [(&'static str, &'static str)],
    /// `Content-Type` of a request with a body.
    pub(crate) content_type: &'static str,
    /// Whether requests without a body carry it too.
    pub(crate) content_type_without_body: bool,
}

/// A connection to one server, as one identity provider.
pub(crate) struct Client {
    agent: ureq::Agent,
    base: String,
    dress: Dress,
    authorization: HeaderValue,
    token: String,
    verbose: bool,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Status code.
    pub(crate) status: u16,
    /// `Content-Type` without parameters, in lower case.
    pub(crate) media_type: Option<String>,
    /// The body as it came.
    pub(crate) text: String,
    /// The body as JSON, if it is.
    pub(crate) json: Option<Value>,
    /// From the first byte sent to the last byte read.
    pub(crate) took: Duration,
}

impl Client {
    /// A client for the service at `base`; `spelling` stands before the token in the `Authorization` header.
    /// The token is in no message this program prints.
    ///
    /// # Errors
    ///
    /// The URL is not http or https, or the token cannot stand in a header.
    pub(crate) fn new(
        base: &str,
        token: &str,
        spelling: &str,
        dress: Dress,
        timeout: Duration,
        verbose: bool,
    ) -> anyhow::Result<Self> {
        let base = base.trim().trim_end_matches('/').to_owned();
        let url = Url::parse(&base).with_context(|| format!("`{base}` is not a URL"))?;
        if !matches!(url.scheme(), "http" | "https") {
            bail!("`{base}` is not an http or https URL");
        }
        if url.query().is_some() {
            bail!("`{base}` has a query, which no base URL has; for Entra ID's flag there is --entra-flag");
        }
        if token.is_empty() {
            bail!("the token is empty; give --token or set SCIM_TOKEN");
        }
        let mut authorization = HeaderValue::from_str(&format!("{spelling}{token}"))
            .context("the token has characters that no header may carry")?;
        authorization.set_sensitive(true);

        let mut config = ureq::Agent::config_builder()
            // Statuses are what is judged; a redirect would carry the token to another place.
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(timeout))
            // Only what the identity provider sends is sent.
            .user_agent(AutoHeaderValue::None)
            .accept(AutoHeaderValue::None)
            .accept_encoding(AutoHeaderValue::None);
        if is_loopback(&url) {
            config = config.proxy(None);
        }
        let agent = config.build().new_agent();
        Ok(Self { agent, base, dress, authorization, token: token.to_owned(), verbose })
    }

    /// The base URL.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// `text` without the token, should the server have echoed it.
    pub(crate) fn redact(&self, text: &str) -> String {
        text.replace(&self.token, "[redacted]")
    }

    /// Sends one request. `path` starts with `/` and is sent as it is, a trailing `?` included.
    ///
    /// # Errors
    ///
    /// No answer came: refused, timed out, cut off.
    pub(crate) fn send(&self, method: &Method, path: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
        let mut tries = 0;
        loop {
            let started = Instant::now();
            let mut response = self.exchange(method, path, body)?;
            let status = response.status().as_u16();
            let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
            let media_type = header(header::CONTENT_TYPE)
                .map(|value| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
            let wait = header(header::RETRY_AFTER).and_then(|value| value.trim().parse().ok());
            let text = response
                .body_mut()
                .with_config()
                .limit(MAX_ANSWER)
                .lossy_utf8(true)
                .read_to_string()
                .map_err(|error| anyhow::anyhow!(self.redact(&format!("the answer broke off: {error}"))))?;
            let took = started.elapsed();
            self.show_answer(status, &text, took);

            tries += 1;
            if status == 429 && tries <= MAX_RETRIES {
                std::thread::sleep(Duration::from_secs(wait.unwrap_or(1)).min(MAX_WAIT));
                continue;
            }
            let json = serde_json::from_str(&text).ok();
            return Ok(Answer { status, media_type, text, json, took });
        }
    }

    fn exchange(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Response<ureq::Body>> {
        let url = format!("{}{path}", self.base);
        let mut request = Request::builder().method(method).uri(&url);
        for (name, value) in self.dress.always {
            request = request.header(*name, *value);
        }
        request = request.header(header::AUTHORIZATION, self.authorization.clone());
        if body.is_some() || self.dress.content_type_without_body {
            request = request.header(header::CONTENT_TYPE, self.dress.content_type);
        }
        if self.verbose {
            eprintln!("{}", self.shown_request(method, &url, body));
        }
        let answered = match body {
            Some(body) => self.agent.run(request.body(body.to_string())?),
            None => self.agent.run(request.body(())?),
        };
        answered.map_err(|error| {
            let is_refused =
                matches!(&error, ureq::Error::Io(io) if io.kind() == ErrorKind::ConnectionRefused);
            let why = if is_refused { NOBODY } else { "" };
            anyhow::anyhow!(self.redact(&format!("no answer from {}: {error}{why}", self.base)))
        })
    }

    fn shown_request(&self, method: &Method, url: &str, body: Option<&Value>) -> String {
        let mut lines = vec![format!("> {method} {url}")];
        lines.extend(self.dress.always.iter().map(|(name, value)| format!("> {name}: {value}")));
        lines.push(format!("> Authorization: {}", self.authorization.to_str().unwrap_or_default()));
        if body.is_some() || self.dress.content_type_without_body {
            lines.push(format!("> Content-Type: {}", self.dress.content_type));
        }
        lines.extend(body.map(|body| format!("> {body}")));
        self.redact(&lines.join("\n"))
    }

    fn show_answer(&self, status: u16, text: &str, took: Duration) {
        if self.verbose {
            eprintln!("< {status} in {took:.1?}\n< {}\n", self.redact(text));
        }
    }
}

impl Answer {
    /// Whether the request was carried out.
    pub(crate) fn succeeded(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The `id` of the resource in the body.
    pub(crate) fn id(&self) -> Option<&str> {
        self.json.as_ref()?.get("id")?.as_str().filter(|id| !id.is_empty())
    }
}

/// Writes one value of a query, `+` for the space or `%20`, everything but unreserved characters encoded.
pub(crate) fn encode(value: &str, space: Space) -> String {
    let mut encoded = String::with_capacity(value.len() + value.len() / 2);
    for byte in value.bytes() {
        match (byte, space) {
            (b' ', Space::Plus) => encoded.push('+'),
            (b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~', _) => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// How a client writes a space in a query.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Space {
    /// `%20`
    Percent,
    /// `+`, as HTML forms do
    Plus,
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn client(url: &str, token: &str) -> anyhow::Result<Client> {
        let dress = Dress {
            always: &[("User-Agent", "")],
            content_type: "application/scim+json",
            content_type_without_body: false,
        };
        Client::new(url, token, "Token token=", dress, Duration::from_secs(1), true)
    }

    #[test]
    fn a_request_is_shown_without_the_token() {
        let client = client("http://127.0.0.1:9/scim/v2/", "s3cr3t").unwrap();
        let shown = client.shown_request(&Method::POST, "http://x/Users", Some(&json!({"nick": "s3cr3t"})));
        assert_eq!(
            shown,
            "> POST http://x/Users\n> User-Agent: \n> Authorization: Token token=[redacted]\n\
             > Content-Type: application/scim+json\n> {\"nick\":\"[redacted]\"}"
        );
        assert_eq!(client.base(), "http://127.0.0.1:9/scim/v2");
        assert_eq!(client.redact("echo s3cr3t"), "echo [redacted]");
    }

    #[test]
    fn what_cannot_be_used_is_refused_without_showing_it() {
        let refused = |url: &str, token: &str| client(url, token).err().map(|error| format!("{error:#}"));
        assert_eq!(
            refused("http://x", "").as_deref(),
            Some("the token is empty; give --token or set SCIM_TOKEN")
        );
        let broken = refused("http://x", "to\nken").unwrap();
        assert!(broken.starts_with("the token has characters that no header may carry"), "{broken}");
        assert!(!broken.contains("ken\n") && !broken.contains("to\nken"), "{broken}");
    }

    #[test]
    fn a_space_is_a_plus_or_percent_20() {
        let text = "userName eq \"a+b@x.com\"";
        assert_eq!(encode(text, Space::Plus), "userName+eq+%22a%2Bb%40x.com%22");
        assert_eq!(encode(text, Space::Percent), "userName%20eq%20%22a%2Bb%40x.com%22");
        assert_eq!(encode("Müller", Space::Plus), "M%C3%BCller");
    }

    #[test]
    fn a_proxy_is_not_asked_for_this_machine() {
        for (url, expected) in [
            ("http://localhost:8080/scim", true),
            ("http://127.0.0.1/", true),
            ("http://[::1]:8080/", true),
            ("https://api.pagerduty.com/scim/v2", false),
            ("http://127.example.com/", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
