//! `lint` as a program: what it prints, and how it exits.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod support;

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

const GOOD: &str = r#"{
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
    "userName": "alex.doe@example.com",
    "displayName": "Alex Doe",
    "roles": [{"value": "limited_user", "type": "base"}]
}"#;

const BAD: &str = r#"{
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
    "userName": "alex.doe",
    "roles": [{"value": "owner", "type": "base"}],
    "timezone": "Eastern Standard Time",
    "emails": [{"value": "alex.doe@example.com"}]
}"#;

#[test]
fn a_good_payload_exits_with_0() {
    let output = lint(&["--profile", "pagerduty", "-"], GOOD);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(stdout(&output).starts_with("pagerduty accepts this payload: 0 error(s), 0 warning(s), "));
}

#[test]
fn every_violation_is_printed_with_path_rule_and_source() {
    let output = lint(&["--profile", "pagerduty", "-"], BAD);
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    let lines: Vec<_> = text.lines().collect();
    let expected = [
        ["warning", "emails", "attribute-known", "PagerDuty/api-schema", "decided"],
        ["error", "userName", "user-name-email", "PagerDuty/api-schema", "2026-01-13"],
        ["error", "displayName", "display-name-required", "PagerDuty/api-schema", "2026-01-13"],
        ["error", "roles[0].value", "role-owner", "SCIM User Provisioning", "2026"],
        ["error", "timezone", "timezone-iana", "PagerDuty/api-schema", "2026-01-13"],
    ];
    for (line, parts) in lines[1..].iter().zip(expected) {
        for part in parts {
            assert!(line.contains(part), "`{part}` is not in `{line}`");
        }
    }
    assert_eq!(lines.len(), expected.len() + 3, "{text}");
    assert!(lines[lines.len() - 1].starts_with("pagerduty refuses this payload: 4 error(s), 1 warning(s)"));
}

#[test]
fn licences_are_looked_up_in_the_accounts() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/pagerduty/licenses.json");
    let with = |license: &str| {
        let mut user: serde_json::Value = serde_json::from_str(GOOD).unwrap();
        user["entitlements"] = serde_json::json!([{"type": "license", "value": license}]);
        let output = lint(&["--profile", "pagerduty", "--licenses", file, "-"], &user.to_string());
        (output.status.code(), stdout(&output))
    };
    assert_eq!(with("PFULL01").0, Some(0));
    let (code, text) = with("PSTAKE1");
    assert_eq!(code, Some(1));
    assert!(text.contains("the licence `PSTAKE1` is not for the role `limited_user`"), "{text}");
    let (code, text) = with("Business (Full User)");
    assert_eq!(code, Some(1));
    assert!(text.contains("license-known"), "{text}");
    let output = lint(&["--profile", "generic", "--licenses", file, "-"], GOOD);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn a_file_is_read_and_json_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("user.json");
    std::fs::write(&file, BAD).unwrap();
    let output = lint(&["--profile", "pagerduty", "--json", file.to_str().unwrap()], "");
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["accepted"], false);
    assert_eq!(report["violations"][3]["rule"], "role-owner");
    assert_eq!(report["violations"][3]["path"], "roles[0].value");
    assert_eq!(report["violations"][3]["source"]["basis"], "decided");
    assert_eq!(report["violations"][2]["source"]["basis"], "stated");
}

#[test]
fn a_patch_is_known_by_its_schemas_and_a_put_by_what_is_said() {
    let patch = r#"{
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "roles", "value": [{"value": "owner", "primary": true}]}]
    }"#;
    let output = lint(&["--profile", "pagerduty"], patch);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("Operations[0].value[0].value"), "{output:?}");

    let inactive = GOOD.replacen('{', r#"{"active": false,"#, 1);
    assert_eq!(lint(&["--as", "create"], &inactive).status.code(), Some(1));
    let put = lint(&["--as", "replace"], &inactive);
    assert_eq!(put.status.code(), Some(0));
    assert!(stdout(&put).contains("active-deletes"));
    assert_eq!(lint(&["--as", "replace", "--strict"], &inactive).status.code(), Some(1));
}

/// A PATCH does not say whether it is a user's or a group's: that is an option, or found out and said. The operations
/// of a bulk request have it in their paths.
#[test]
fn the_type_of_a_resource_is_said_or_found_out() {
    let patch = r#"{
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "remove", "path": "members[value eq \"x\"]"}]
    }"#;
    let bulk = format!(
        r#"{{"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{{"method": "PATCH", "path": "/Groups/1", "data": {patch}}}]}}"#
    );
    let judged = |arguments: &[&str], input: &str| {
        let output = lint(arguments, input);
        (output.status.code(), stdout(&output) + std::str::from_utf8(&output.stderr).unwrap())
    };
    for (arguments, input, code, said) in [
        (
            vec!["--profile", "datadog"],
            patch,
            0,
            "datadog accepts this payload, taken for that of a Group: 0 error(s)",
        ),
        (vec!["--profile", "generic"], patch, 0, "taken for that of a Group: "),
        (vec!["--profile", "incident-io"], patch, 0, "taken for that of a Group: "),
        (vec!["--profile", "pagerduty"], patch, 1, "resource-type"),
        (
            vec!["--profile", "datadog", "--resource", "GROUP"],
            patch,
            0,
            "datadog accepts this payload: 0 error(s)",
        ),
        (vec!["--profile", "datadog", "--resource", "user"], patch, 1, "patch-add-replace"),
        (
            vec!["--profile", "pagerduty", "--resource", "group"],
            patch,
            2,
            "types of resource of pagerduty are User",
        ),
        (vec!["--profile", "generic"], &bulk, 0, "generic accepts this payload: 0 error(s)"),
        (vec!["--profile", "generic", "--as", "bulk"], &bulk, 0, "generic accepts this payload: 0 error(s)"),
        (vec!["--profile", "datadog"], &bulk, 1, "the service provider takes no bulk requests"),
        (
            vec!["--profile", "generic", "--resource", "user"],
            &bulk,
            2,
            "the paths say which resources it is of",
        ),
    ] {
        let (found, text) = judged(&arguments, input);
        assert_eq!(found, Some(code), "{arguments:?}: {text}");
        assert!(text.contains(said), "{arguments:?}: {text}");
    }
}

#[test]
fn what_cannot_be_judged_exits_with_2_and_says_why() {
    let cases = [
        (vec!["-"], "{\"userName\": ", "standard input is not JSON"),
        (vec!["-"], "{\"userName\": \"a\", \"USERNAME\": \"b\"}", "not JSON that SCIM allows"),
        (vec!["/no/such/file.json"], "", "cannot read `/no/such/file.json`"),
        (vec!["--profile", "nobody"], "{}", "the profiles are datadog, generic, incident-io, pagerduty"),
    ];
    for (arguments, input, message) in cases {
        let output = lint(&arguments, input);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.contains(message), "{errors}");
    }
}

#[test]
fn rules_are_listed() {
    let output = lint(&["--profile", "pagerduty", "--rules"], "");
    assert_eq!(output.status.code(), Some(0));
    let text = stdout(&output);
    let profile = scim_profiles::Profile::by_name("pagerduty").unwrap();
    for rule in profile.resources[0].rules {
        assert!(text.contains(rule.id), "{}", rule.id);
    }
}

fn lint(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(support::program("lint"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that does not read its input has gone away by now.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}
