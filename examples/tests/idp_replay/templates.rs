//! What `idp --as onelogin` sends is the template that the vendor's guide has to paste, with values in it.

use std::path::Path;

use scim_profiles::Profile;
use serde_json::Value;

use crate::support::{Faults, Habits, Server};

/// The template of a guide for OneLogin.
fn template(guide: &Path) -> Value {
    let text = std::fs::read_to_string(guide).unwrap();
    let (_, text) = text.split_once("\n## Mapping\n").unwrap();
    let (_, text) = text.split_once("\n```json\n").unwrap();
    serde_json::from_str(text.split_once("\n```").unwrap().0).unwrap()
}

/// Whether `body` is `template` with texts in place of what is in `{$…}`.
fn fills(template: &Value, body: &Value) -> bool {
    match (template, body) {
        (Value::String(place), Value::String(text)) if place.starts_with("{$") => !text.is_empty(),
        (Value::Object(template), Value::Object(body)) => {
            template.len() == body.len()
                && template.iter().all(|(name, value)| body.get(name).is_some_and(|body| fills(value, body)))
        }
        (Value::Array(template), Value::Array(body)) => {
            template.len() == body.len() && template.iter().zip(body).all(|(value, body)| fills(value, body))
        }
        _ => template == body,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn onelogin_sends_the_template_of_the_guide() {
    let guides = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scim-profiles/guides");
    let mut compared = Vec::new();
    for profile in Profile::ALL {
        let guide = guides.join(format!("onelogin-{}.md", profile.name));
        if !guide.exists() {
            continue;
        }
        let template = template(&guide);
        // What is sent does not depend on what answers.
        let server = Server::start(Habits::Generic, Faults::default()).await;
        let mapped = match profile.name {
            "pagerduty" => "--license PABC123",
            "datadog" => "--role 11111111-aaaa-11ee-a000-000000000001 11111111-aaaa-11ee-a000-000000000003",
            _ => "",
        };
        server.run(&format!("--as onelogin --users 2 --groups 0 --profile {} {mapped}", profile.name)).await;
        let seen = server.seen();
        let of = |start: &str| seen.iter().filter(|seen| seen.line.starts_with(start)).collect::<Vec<_>>();
        let (created, put) = (of("POST /scim/v2/Users"), of("PUT /scim/v2/Users/"));
        assert!(created.len() >= 3 && put.len() >= 6, "{}: {}, {}", profile.name, created.len(), put.len());
        for seen in created.into_iter().chain(put) {
            let body = &seen.body;
            assert!(fills(&template, body), "{} {}: {body} is not {template}", profile.name, seen.line);
        }
        compared.push(profile.name);
    }
    compared.sort_unstable();
    assert_eq!(compared, ["datadog", "incident-io", "pagerduty"]);
}

/// What nobody maps is not sent: a vendor's role, and a licence.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_mapped_is_not_sent() {
    let server = Server::start(Habits::Generic, Faults::default()).await;
    server.run("--as onelogin --users 1 --groups 0 --profile datadog").await;
    server.run("--as onelogin --users 1 --groups 0 --profile pagerduty").await;
    let created = server.seen().into_iter().filter(|seen| seen.line.starts_with("POST /scim/v2/Users"));
    let has = |seen: &crate::support::Seen, name: &str| seen.body.get(name).is_some();
    let created: Vec<_> = created.map(|seen| [has(&seen, "roles"), has(&seen, "entitlements")]).collect();
    assert!(created.contains(&[false, false]) && created.contains(&[true, false]), "{created:?}");
    assert!(!created.iter().any(|[_, licence]| *licence), "{created:?}");
}
