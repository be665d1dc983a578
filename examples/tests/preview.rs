//! `preview` as a program, on the files beside it: what it prints, and how it exits.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod support;

use std::path::Path;
use std::process::{Command, Output};

const MAPPING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/incident-io/mapping.toml");
const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/incident-io/directory.json");

fn preview(mapping: &str, directory: &str, more: &[&str]) -> Output {
    let arguments = ["incident-io", "--mapping", mapping, "--directory", directory];
    Command::new(support::program("preview")).args(arguments).args(more).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn the_table_says_what_happens_to_each() {
    let output = preview(MAPPING, DIRECTORY, &["--actor", "ada@example.com"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(
        text(&output.stdout),
        "\
E-MAIL                  ACTIONS                    BASE ROLE          CUSTOM ROLES             SEATS
ada@example.com         link                       owner              none                     responder + on-call
bruno@example.com       link, upgrade              standard -> admin  none -> Workflow Editor  viewer -> responder
chen@example.com        create                     admin              Workflow Editor          responder + on-call
dora@example.com        link, change               admin -> standard  none -> Security         responder
emil@example.com        link, downgrade            admin -> standard  Workflow Editor -> none  responder + on-call
farah@example.com       link, reactivate, upgrade  standard           none                     viewer -> on-call
goran@example.com       leave unlinked             standard           none                     responder
vendor@partner.example  leave unlinked             admin              none                     responder

1 created, 5 linked, 2 upgraded, 1 downgraded, 1 changed, 1 reactivated, 2 unlinked
paid seats: responder 5 -> 7, on-call 2 -> 4
"
    );
}

#[test]
fn the_json_says_the_same() {
    let output = preview(MAPPING, DIRECTORY, &["--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value.pointer("/summary/linked"), Some(&5.into()));
    assert_eq!(value.pointer("/refused"), Some(&serde_json::Value::Null));
    assert_eq!(value.pointer("/users/1/to/baseRole"), Some(&"admin".into()));
}

#[test]
fn a_lockout_is_refused_unless_forced() {
    let locked = |more: &[&str]| preview(MAPPING, DIRECTORY, more);
    let output = locked(&["--actor", "bruno@example.com"]);
    assert_eq!(output.status.code(), Some(1));
    let refusal = "refused: only an owner, or who may manage security settings, can install SCIM\n";
    assert!(text(&output.stdout).ends_with(refusal), "{output:?}");

    let folder = tempfile::tempdir().unwrap();
    let mapping = folder.path().join("mapping.toml");
    std::fs::write(&mapping, "[[groups]]\nname = \"IT\"\nbase_role = \"admin\"\n").unwrap();
    let locked = |more: &[&str]| preview(mapping.to_str().unwrap(), DIRECTORY, more);
    let output = locked(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).ends_with("\n\nrefused: no group is mapped to owner\n"), "{output:?}");
    let output = locked(&["--actor", "ADA@example.com", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let refusal =
        "no group is mapped to owner; you are in no group that lets you manage SCIM, and would be locked out";
    assert_eq!(value.get("refused"), Some(&refusal.into()));
    // Who insists is told what of.
    let output = locked(&["--actor", "ADA@example.com", "--force"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).ends_with(&format!("\n\noverridden: {refusal}\n")), "{output:?}");
    let output = locked(&["--force", "--json"]);
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value.get("refused"), Some(&serde_json::Value::Null));
    assert_eq!(value.get("overridden"), Some(&serde_json::json!(["no group is mapped to owner"])));
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let written = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let mappings = [
        (
            "[[groups]]\nname = \"IT\"\n",
            "the group `IT` has neither `base_role` nor `custom_roles` nor `on_call`",
        ),
        ("[[groups]]\nname = \"IT\"\nbase_role = \"root\"\n", "`root` is not one of owner, admin, standard"),
        (
            "[[groups]]\nname = \"IT\"\ncustom_roles = [\"Safety\"]\n",
            "the group `IT` is mapped to the custom role `Safety`, which is not defined",
        ),
        (
            "[[groups]]\nname = \"IT\"\nbase_role = \"owner\"\n\n[[groups]]\nname = \"IT\"\nbase_role = \"admin\"\n",
            "the group `IT` is there twice",
        ),
        ("[[groups]]\nname = \" \"\non_call = true\n", "groups[0] has an empty name"),
        ("[options]\nin_slack = \"maybe\"\n", "`in_slack` is neither `standard` nor `keep`"),
        ("[options]\nelevated_seat = \"x\"\n", "`elevated_seat` is neither `responder` nor `on-call`"),
        ("[options]\nseat_after = \"x\"\n", "`seat_after` is neither `stays` nor `goes`"),
        ("[options]\ngroup_names = \"x\"\n", "`group_names` is neither `exact` nor `any-case`"),
        ("[options]\ndeactivated = \"x\"\n", "`deactivated` is neither `link` nor `leave`"),
        ("[[group]]\n", "unknown field `group`"),
    ];
    for (toml, expected) in mappings {
        let output = preview(&written("m.toml", toml), DIRECTORY, &[]);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(expected), "{output:?}");
    }
    let directories = [
        (r#"{"people": [{"id": "1"}]}"#, "people[0] has no `id` or no e-mail address"),
        (r#"{"people": [], "groups": [{}]}"#, "groups[0] has no `displayName`"),
        (
            r#"{"people": [{"id": "1", "userName": "a@b"}, {"id": "1", "userName": "c@d"}]}"#,
            "two people have the id `1`",
        ),
        ("[", "is no directory"),
    ];
    for (json, expected) in directories {
        let output = preview(MAPPING, &written("d.json", json), &[]);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(expected), "{output:?}");
    }
    let missing = Path::new("nowhere").join("m.toml");
    let output = preview(missing.to_str().unwrap(), DIRECTORY, &[]);
    assert!(text(&output.stderr).contains("cannot read `nowhere"), "{output:?}");
    let output = preview(MAPPING, DIRECTORY, &["--actor", "nobody@example.com"]);
    assert_eq!(text(&output.stderr), "error: `nobody@example.com` is no active user\n");
}
