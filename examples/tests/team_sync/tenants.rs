//! Several tenants, each with its own credential and account.

use std::process::Output;

use scim_examples::pagerduty_rest::{ApiKey, Faults, Options};
use serde_json::{Value, json};

use crate::account::people;
use crate::bridge::{Bridge, text, until};
use crate::idp::{okta_group, okta_user};
use crate::stand_in::{CLIENT_ID, CLIENT_SECRET, KEY, PagerDuty};
use crate::support::Client;

/// Two tenants, each with its credential, its account and its groups; one by OAuth.
#[test]
fn tenants_are_apart_and_secrets_are_told_nowhere() {
    let acme = PagerDuty::of_the_examples();
    let mut other = people(2);
    other.api_keys = vec![ApiKey { key: "key-of-globex".to_owned(), read_only: false, no_licenses: false }];
    let globex = PagerDuty::start(other, Options::default(), Faults::default());
    let mut bridge = Bridge::new(&acme).with(&["--tenants", "tenants.toml"]);
    let secrets = [
        ("ACME_SCIM_TOKEN", "scim-token-of-acme"),
        ("GLOBEX_SCIM_TOKEN", "scim-token-of-globex"),
        ("ACME_PAGERDUTY_SECRET", CLIENT_SECRET),
        ("RUST_LOG", "trace"),
    ];
    bridge.environment = secrets.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    // The key of the other one is in a file, as an editor leaves it.
    std::fs::write(bridge.file("key"), "key-of-globex\n").unwrap();
    let tenants = include_str!("../../team-sync/tenants.toml")
        .replace(
            "subdomain =",
            &format!("api_url = \"{0}\"\ntoken_url = \"{0}/oauth/token\"\nsubdomain =", acme.url),
        )
        .replace(
            "api_key_env = \"GLOBEX_PAGERDUTY_KEY\"",
            &format!("api_key_file = \"key\"\napi_url = \"{}\"", globex.url),
        );
    assert!(tenants.contains(CLIENT_ID));
    std::fs::write(bridge.file("tenants.toml"), tenants).unwrap();

    let running = bridge.start();
    let base = running.scim.base().to_owned();
    let of_acme = Client::with_token(&base, "scim-token-of-acme");
    let of_globex = Client::with_token(&base, "scim-token-of-globex");
    running.scim.get("/Groups").expect(401);
    let ada = okta_user(&of_acme, "ada@example.com");
    okta_group(&of_acme, "Ops", &[&ada]);
    let somebody = okta_user(&of_globex, "p0@example.com");
    okta_group(&of_globex, "Dev", &[&somebody]);
    let has = |pagerduty: &PagerDuty, team: &str| pagerduty.handle.account(|account| account.emails_of(team));
    until("both have their teams", || {
        has(&acme, "Ops").is_some_and(|emails| emails.len() == 1)
            && has(&globex, "Dev").is_some_and(|emails| emails.len() == 1)
    });
    assert_eq!((has(&acme, "Dev"), has(&globex, "Ops")), (None, None));
    let description =
        globex.handle.account(|account| account.team_named("Dev").unwrap().description.clone().unwrap());
    assert_eq!(description, "From the identity provider of globex");
    // A token that ends early is replaced.
    acme.handle.revoke_tokens();
    okta_group(&of_acme, "More", &[&ada]);
    until("it goes on", || has(&acme, "More").is_some_and(|emails| emails.len() == 1));

    let said = running.stop("-TERM") + &std::fs::read_to_string(bridge.file("audit.jsonl")).unwrap();
    assert!(said.contains("PagerDuty is up to date"));
    let secrets =
        ["scim-token-of-acme", "scim-token-of-globex", CLIENT_SECRET, "key-of-globex", "pdus+_", "pdus%2B"];
    for secret in secrets {
        let told = said.lines().find(|line| line.contains(secret));
        assert_eq!(told, None, "`{secret}` is told");
    }
    let tenants: Vec<Value> = bridge.audit().iter().map(|line| line["tenant"].clone()).collect();
    assert!(tenants.contains(&json!("acme")) && tenants.contains(&json!("globex")));
}

/// No tenant gets to work on the account of another: by what is left out, by a slip or by a copy.
#[test]
fn a_tenant_has_a_credential_of_its_own() {
    let pagerduty = PagerDuty::of_the_examples();
    let mut bridge = Bridge::new(&pagerduty).with(&["--tenants", "tenants.toml", "--once"]);
    let environment = [
        ("A_TOKEN", "token-a"),
        ("B_TOKEN", "token-b"),
        ("PAGERDUTY_API_KEY", KEY),
        ("PAGERDUTY_CLIENT_SECRET", CLIENT_SECRET),
        ("SAME_KEY", KEY),
        ("SECRET", CLIENT_SECRET),
    ];
    bridge.environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let said = |a: &str, b: &str| {
        let of = |name: &str, token: &str, account: &str| {
            format!(
                "[[tenant]]\nname = \"{name}\"\nscim_token_env = \"{token}\"\n[tenant.pagerduty]\n{account}\n"
            )
        };
        let text = of("a", "A_TOKEN", a) + &of("b", "B_TOKEN", b);
        std::fs::write(bridge.file("tenants.toml"), text).unwrap();
        let output = bridge.run(&[]);
        let said = text_of_error(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(!said.contains(KEY) && !said.contains(CLIENT_SECRET), "{said}");
        said
    };
    let own = "api_key_env = \"PAGERDUTY_API_KEY\"";
    let app = "client_id = \"app\"\nclient_secret_env = \"SECRET\"\nsubdomain = \"acme\"";
    // A default is nobody's own, and neither is half of a credential or two of them.
    for (account, error) in [
        ("", "there is no `api_key_env`, `api_key_file` or `client_id`"),
        ("region = \"eu\"", "there is no `api_key_env`, `api_key_file` or `client_id`"),
        (
            "client_id = \"app\"\nsubdomain = \"b\"",
            "`client_id` needs `client_secret_env` or `client_secret_file`",
        ),
        ("client_id = \"app\"\nclient_secret_env = \"SECRET\"", "`client_id` needs `subdomain`"),
        ("subdomain = \"b\"", "`subdomain` is for an app, and there is no `client_id`"),
        (
            "api_key_env = \"SAME_KEY\"\nsubdomain = \"b\"",
            "`subdomain` is for an app, and there is no `client_id`",
        ),
        (
            "api_key_env = \"SAME_KEY\"\nclient_secret_file = \"b\"",
            "`client_secret_file` is for an app, and there is no `client_id`",
        ),
        (
            "client_id = \"app\"\nsubdomain = \"b\"\napi_key_file = \"key\"",
            "`client_id` and `api_key_file` are two credentials, of which one is to be chosen",
        ),
        (
            "api_key_env = \"SAME_KEY\"\napi_key_file = \"key\"",
            "`api_key_env` and `api_key_file` are both given, and one is needed",
        ),
    ] {
        let prefix = "error: `tenants.toml` is no list of tenants: `tenant.pagerduty` of the tenant `b`: ";
        assert_eq!(said(own, account), format!("{prefix}{error}"));
    }
    // One and the same, wherever it comes from.
    std::fs::write(bridge.file("key"), format!("{KEY}\n")).unwrap();
    let same = "error: the tenants `a` and `b` have the same credential of PagerDuty";
    for (a, b) in [
        (own, "api_key_env = \"SAME_KEY\""),
        (own, "region = \"eu\"\napi_key_file = \"key\""),
        (app, &app.replace("SECRET", "PAGERDUTY_CLIENT_SECRET").replace("acme", "ACME")),
    ] {
        assert_eq!(said(a, b), same);
    }
    // Each with its own gets further.
    let missing = "error: there is no database `bridge.db`";
    assert_eq!(said(own, app), missing);
    assert_eq!(said(app, &app.replace("acme", "globex")), missing);
    // Secrets that were written where they do not belong are not repeated.
    let unknown = said(own, &format!("api_key = \"{KEY}\""));
    let place = "error: `tenants.toml` is no list of tenants: line 10";
    assert!(unknown.starts_with(&format!("{place}: unknown field `api_key`")), "{unknown}");
    assert_eq!(said(own, &format!("deletion = \"{KEY}\"")), format!("{place} cannot be read"));
    assert_eq!(
        said(own, &format!("api_key_env = \"{KEY}\"")),
        "error: tenant `b`: there is no API key: what is given as the name of its variable is not set"
    );
    assert!(pagerduty.handle.take_seen().is_empty());
}

fn text_of_error(output: &Output) -> String {
    text(&output.stderr).trim().to_owned()
}
