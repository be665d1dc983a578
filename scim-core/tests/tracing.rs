//! Spans and events (feature `tracing`), as a subscriber collects them.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use std::collections::BTreeMap;
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::{Config, CredentialId, Environment, MemoryStore, ResourceId, Service, TenantId};
use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// A span: name, level, the names of those around it, fields.
#[derive(Clone, Debug, Default)]
struct Span {
    name: String,
    level: String,
    around: Vec<String>,
    fields: BTreeMap<String, String>,
    entered: bool,
}

/// Collects spans and events down to a level; all in one thread.
#[derive(Clone)]
struct Collector {
    level: Level,
    spans: Arc<Mutex<Vec<Span>>>,
    events: Arc<Mutex<Vec<Span>>>,
    stack: Arc<Mutex<Vec<usize>>>,
}

impl Collector {
    fn new(level: Level) -> Self {
        Self { level, spans: Arc::default(), events: Arc::default(), stack: Arc::default() }
    }
}

fn index(id: &Id) -> usize {
    usize::try_from(id.into_u64()).unwrap() - 1
}

struct Fields<'a>(&'a mut BTreeMap<String, String>);

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        assert!(self.0.insert(field.name().to_owned(), value.to_owned()).is_none(), "{field} is told twice");
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut spans = self.spans.lock().unwrap();
        let around = self.stack.lock().unwrap().iter().map(|index| spans[*index].name.clone()).collect();
        let metadata = attributes.metadata();
        let mut span = Span {
            name: metadata.name().to_owned(),
            level: metadata.level().to_string(),
            around,
            ..Span::default()
        };
        attributes.record(&mut Fields(&mut span.fields));
        spans.push(span);
        Id::from_u64(spans.len() as u64)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        values.record(&mut Fields(&mut self.spans.lock().unwrap()[index(id)].fields));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut told = Span { level: metadata.level().to_string(), ..Span::default() };
        event.record(&mut Fields(&mut told.fields));
        self.events.lock().unwrap().push(told);
    }

    fn enter(&self, id: &Id) {
        self.spans.lock().unwrap()[index(id)].entered = true;
        self.stack.lock().unwrap().push(index(id));
    }

    fn exit(&self, id: &Id) {
        assert_eq!(self.stack.lock().unwrap().pop(), Some(index(id)), "spans are left as they were entered");
    }
}

struct Traced {
    service: Service<MemoryStore, StaticTokens>,
    level: Level,
}

impl Traced {
    fn new(level: Level) -> Self {
        let principal = Principal { tenant: TenantId::new("acme"), credential: CredentialId::new("okta") };
        let tokens = StaticTokens::new().with(Secret::new("s3cr3t-token").unwrap(), principal);
        let config = Config::new("https://scim.example.com/scim/v2".parse().unwrap());
        let ids = std::sync::atomic::AtomicUsize::new(0);
        let environment = Environment::new(
            || jiff::Timestamp::UNIX_EPOCH,
            move || ResourceId::new(format!("id-{}", ids.fetch_add(1, std::sync::atomic::Ordering::SeqCst))),
        );
        Self { service: Service::new(MemoryStore::new(), tokens, config, environment), level }
    }

    /// The spans of a request.
    fn spans(&self, method: &str, path: &str, body: Option<Value>) -> Vec<Span> {
        let (spans, events) = self.told(method, path, body);
        assert!(events.is_empty(), "{events:?}");
        spans
    }

    /// The spans and the events of a request.
    fn told(&self, method: &str, path: &str, body: Option<Value>) -> (Vec<Span>, Vec<Span>) {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("/scim/v2{path}"))
            .header("authorization", "Bearer s3cr3t-token")
            .header("content-type", "application/scim+json")
            .body(body.map(|body| body.to_string().into()).unwrap_or_default())
            .unwrap();
        let collector = Collector::new(self.level);
        tracing::subscriber::with_default(collector.clone(), || {
            let call = pin!(self.service.call(request));
            match call.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(_) => {}
                Poll::Pending => panic!("the service waits for something"),
            }
        });
        assert!(collector.stack.lock().unwrap().is_empty());
        let spans = collector.spans.lock().unwrap().clone();
        assert!(spans.iter().all(|span| span.entered), "{spans:?}");
        let events = collector.events.lock().unwrap().clone();
        (spans, events)
    }
}

fn user(name: &str) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name})
}

/// The spans as lines: `parent/child field=value …`.
fn lines(spans: &[Span]) -> Vec<String> {
    let line = |span: &Span| {
        let path = span.around.iter().chain([&span.name]).map(|name| name.trim_start_matches("scim."));
        let path: Vec<_> = path.collect();
        let fields = span.fields.iter().map(|(name, value)| format!(" {name}={value}"));
        format!("{} {}{}", span.level, path.join("/"), fields.collect::<String>())
    };
    spans.iter().map(line).collect()
}

/// Groups are left out of an answer beyond the limit of levels, which is told where it may be so, and nowhere else.
#[test]
fn where_the_search_for_groups_ends_at_its_limit_is_told() {
    let group = |member: &str| {
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "g",
            "members": [{"value": member}]})
    };
    for (level, told) in [(Level::DEBUG, true), (Level::INFO, false)] {
        let traced = Traced::new(level);
        traced.spans("POST", "/Users", Some(user("babs")));
        for number in 0..16 {
            for path in ["/Users/id-0", "/Users"] {
                let (_, events) = traced.told("GET", path, None);
                assert!(events.is_empty(), "in {number} groups: {events:?}");
            }
            traced.spans("POST", "/Groups", Some(group(&format!("id-{number}"))));
        }
        for path in ["/Users/id-0", "/Users"] {
            let (_, events) = traced.told("GET", path, None);
            let lines: Vec<_> = events.iter().map(|event| (&*event.level, &event.fields)).collect();
            let message =
                "groups further up than the limit of levels are left out of `groups`, if there are any";
            let fields = [("levels", "16"), ("message", message)];
            let fields: BTreeMap<String, String> =
                fields.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
            assert_eq!(lines, if told { vec![("DEBUG", &fields)] } else { Vec::new() }, "{path}");
        }
        assert_eq!(traced.told("GET", "/Users/id-0?excludedAttributes=groups", None).1.len(), 0);
    }
}

#[test]
fn a_request_and_its_steps_are_spans() {
    let traced = Traced::new(Level::DEBUG);
    assert_eq!(
        lines(&traced.spans("POST", "/Users", Some(user("babs")))),
        [
            "INFO request method=POST operation=create resource_type=User route=/Users status=201 tenant=acme",
            "DEBUG request/parse",
            "DEBUG request/validate",
            "DEBUG request/store call=create resource_type=User",
        ]
    );
    let operations = json!([{"op": "Add", "path": "title", "value": "Guide"}]);
    let patch =
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
    assert_eq!(
        lines(&traced.spans("PATCH", "/Users/id-0", Some(patch.clone()))),
        [
            "INFO request leniencies=op-case method=PATCH operation=patch resource_type=User route=/Users/{id} \
             status=200 tenant=acme",
            "DEBUG request/parse",
            "DEBUG request/parse",
            "DEBUG request/store call=read resource_type=User",
            "DEBUG request/validate",
            "DEBUG request/store call=apply resource_type=User",
            "DEBUG request/store call=memberships resource_type=Group",
        ]
    );
    let bulk = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            {"method": "PATCH", "path": "/Users/id-0", "data": patch},
            {"method": "DELETE", "path": "/Users/id-0"},
        ],
    });
    assert_eq!(
        lines(&traced.spans("POST", "/Bulk", Some(bulk))),
        [
            "INFO request method=POST operation=bulk route=/Bulk status=200 tenant=acme",
            "DEBUG request/parse",
            "DEBUG request/operation method=PATCH resource_type=User",
            "DEBUG request/operation/parse",
            "DEBUG request/operation/store call=read resource_type=User",
            "DEBUG request/operation/validate",
            "DEBUG request/operation method=DELETE resource_type=User",
            "DEBUG request/operation/store call=read resource_type=User",
            "DEBUG request/operation/store call=delete resource_type=User",
        ]
    );
}

#[test]
fn a_refusal_has_its_status_and_keyword() {
    let traced = Traced::new(Level::INFO);
    traced.spans("POST", "/Users", Some(user("babs")));
    assert_eq!(
        lines(&traced.spans("POST", "/Users", Some(user("babs")))),
        ["INFO request method=POST operation=create resource_type=User route=/Users scim_type=uniqueness \
          status=409 tenant=acme"]
    );
    assert_eq!(
        lines(&traced.spans("GET", "/Nothing", None)),
        ["INFO request method=GET status=404 tenant=acme"]
    );
    assert_eq!(
        lines(&traced.spans("DELETE", "/Schemas", None)),
        ["INFO request method=DELETE route=/Schemas status=405 tenant=acme"]
    );
}

#[test]
fn every_route_has_its_template() {
    let traced = Traced::new(Level::INFO);
    for (path, route) in [
        ("/", "/"),
        ("/Groups", "/Groups"),
        ("/Groups/x", "/Groups/{id}"),
        ("/ServiceProviderConfig", "/ServiceProviderConfig"),
        ("/ResourceTypes", "/ResourceTypes"),
        ("/ResourceTypes/User", "/ResourceTypes/{id}"),
        ("/Schemas", "/Schemas"),
        ("/Schemas/urn:x", "/Schemas/{id}"),
        ("/Me", "/Me"),
        ("/.search", "/.search"),
        ("/Users/.search", "/Users/.search"),
        ("/Bulk", "/Bulk"),
    ] {
        assert_eq!(traced.spans("GET", path, None)[0].fields["route"], route, "{path}");
    }
}

#[test]
fn no_span_has_a_token_a_query_an_id_or_a_value() {
    let traced = Traced::new(Level::TRACE);
    let mut body = user("secret.person");
    body["password"] = "s3cr3t".into();
    body["externalId"] = "secret.external".into();
    let mut spans = traced.spans("POST", "/Users", Some(body.clone()));
    spans.extend(traced.spans(
        "GET",
        "/Users?filter=userName%20eq%20%22secret.person%22&attributes=secret",
        None,
    ));
    spans.extend(traced.spans("PUT", "/Users/id-0", Some(body)));
    spans.extend(traced.spans("GET", "/Users/secret.person", None));
    spans.extend(traced.spans("GET", "/secret.person", None));
    spans.extend(traced.spans(
        "POST",
        "/Users/.search",
        Some(json!({"filter": "userName eq \"secret.person\""})),
    ));
    let text = format!("{spans:?}");
    assert!(spans.len() > 15, "{text}");
    for secret in ["s3cr3t", "secret", "id-0", "person", "okta"] {
        assert!(!text.contains(secret), "`{secret}` in {text}");
    }
}
