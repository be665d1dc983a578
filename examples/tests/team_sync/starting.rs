//! What keeps it from beginning, and what it says then.

use std::path::Path;

use crate::bridge::{Bridge, text, until};
use crate::idp::okta_group;
use crate::stand_in::PagerDuty;

#[test]
fn what_cannot_begin_says_why() {
    let pagerduty = PagerDuty::of_the_examples();
    let refused = |bridge: &Bridge, arguments: &[&str], error: &str| {
        let output = bridge.run(arguments);
        let said = text(&output.stderr);
        assert_eq!((output.status.code(), said.trim()), (Some(2), format!("error: {error}").as_str()));
    };
    let bridge = Bridge::new(&pagerduty);
    refused(&bridge, &["--once"], "there is no database `bridge.db`");
    let far = ["--dry-run", "--description", "{tenant}"];
    let error =
        "tenant `local`: the description has the placeholder `{tenant}`, and there is only `{tenant_id}`";
    refused(&bridge, &far, error);
    let error = "tenant `local`: a reassignment team gets the incidents of teams that are deleted, and the deletion is not `delete`";
    refused(&bridge, &["--once", "--reassignment-team", "PQ9K7I8"], error);
    refused(&bridge, &["--once", "--reassignment-team", "PQ9K7I8", "--deletion", "empty"], error);
    let both = ["--once", "--reassignment-team", "PQ9K7I8", "--deletion", "delete"];
    refused(&bridge, &both, "there is no database `bridge.db`");
    let output = bridge.run(&["--once", "--tenant", ""]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(
        said.starts_with("error: a value is required for '--tenant <NAME>' but none was supplied"),
        "{said}"
    );
    let mut bridge = Bridge::new(&pagerduty);
    bridge.environment.retain(|(name, _)| name != "PAGERDUTY_API_KEY");
    let error = "tenant `local`: there is no API key: set PAGERDUTY_API_KEY, or name a file that has it";
    refused(&bridge, &["--once"], error);
    bridge.environment.push(("PAGERDUTY_API_KEY".to_owned(), "with space".to_owned()));
    let error =
        "tenant `local`: the API access key is empty or has a space or another character that none has";
    refused(&bridge, &["--once"], error);
    assert!(!Path::new(&bridge.file("bridge.db")).exists());

    std::fs::write(bridge.file("tenants.toml"), "[[tenant]]\nname = \"a\"\n").unwrap();
    let bridge = bridge.with(&["--tenants", "tenants.toml"]);
    let output = bridge.run(&["--deletion", "delete"]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    let error = "error: the argument '--tenants <FILE>' cannot be used with '--deletion <WHAT>'";
    assert!(said.starts_with(error), "{said}");
    let error = "`tenants.toml` is no list of tenants: the tenant `a` has neither `scim_token_env` nor `scim_token_file`";
    refused(&bridge, &["--once"], error);

    // What PagerDuty refuses is said too, and is no success.
    let mut bridge = Bridge::new(&pagerduty);
    bridge.start().stop("-TERM");
    bridge.environment.retain(|(name, _)| name != "PAGERDUTY_API_KEY");
    bridge.environment.push(("PAGERDUTY_API_KEY".to_owned(), "another-key".to_owned()));
    let running = bridge.start();
    okta_group(&running.scim, "Ops", &[]);
    until("it is said", || running.log.lock().unwrap().contains("PagerDuty does not accept the credential"));
    assert!(!running.stop("-TERM").contains("another-key"));
    assert_eq!(bridge.run(&["--once"]).status.code(), Some(1));
}
