//! `preview` as a program, on the files beside it: what it prints, and how it exits.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod support;

use std::path::Path;
use std::process::{Command, Output};

use scim_examples::incident_io::{MappingFile, State};
use scim_profiles::incident_io::{BaseRole, ByGroups, OnCallSeat, Seats, Standing, User, Workspace};

const MAPPING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/incident-io/mapping.toml");
const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/incident-io/directory.json");

fn preview(mapping: &str, directory: &str, more: &[&str]) -> Output {
    let arguments = ["incident-io", "--mapping", mapping, "--directory", directory];
    Command::new(support::program("preview")).args(arguments).args(more).output().unwrap()
}

/// The same without a mapping, as in a directory where one is in force.
fn preview_there(directory: &Path, more: &[&str]) -> Output {
    let mut program = Command::new(support::program("preview"));
    program.args(["incident-io", "--directory"]).arg(directory).args(more).output().unwrap()
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A user of a file, as it is written.
fn written(file: &Path, email: &str) -> serde_json::Value {
    let file: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let users = file["users"].as_array().unwrap();
    users.iter().find(|user| user["email"] == email).unwrap().clone()
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
dora@example.com        link, downgrade            admin -> standard  none -> Security         responder
emil@example.com        link, downgrade            admin -> standard  Workflow Editor -> none  responder + on-call
farah@example.com       link, reactivate, upgrade  standard           none                     viewer -> on-call
goran@example.com       leave unlinked             standard           none                     responder
vendor@partner.example  leave unlinked             admin              none                     responder

1 created, 5 linked, 2 upgraded, 2 downgraded, 1 reactivated, 2 unlinked
paid seats: responder 5 -> 7, on-call 2 -> 4
SCIM is not installed: nothing happens before that is confirmed
"
    );
}

/// The file that says who is active in Slack is the one that `provider` takes, and stands for what the users say.
#[test]
fn who_is_active_in_slack_stays() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("d.json");
    let user = |name: &str, more: &str| {
        format!(
            r#"{{"id": "{name}", "email": "{name}@example.com", "is_active": true, "scim_id": "p-{name}",
                "base_role": {{"slug": "admin"}}, "seats": {{"response": "full_access"}}{more}}}"#
        )
    };
    let users = [user("goran", ""), user("ines", r#", "in_slack": true"#)].join(", ");
    std::fs::write(&directory, format!(r#"{{"people": [], "users": [{users}]}}"#)).unwrap();
    let directory = directory.to_str().unwrap();
    let actions = |more: &[&str]| {
        let output = preview(MAPPING, directory, &[more, &["--json"]].concat());
        let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let users = value["users"].as_array().unwrap().iter();
        users.map(|user| (user["email"].clone(), user["actions"].clone())).collect::<Vec<_>>()
    };
    let (goran, ines) = (serde_json::json!("goran@example.com"), serde_json::json!("ines@example.com"));
    let (stays, goes) =
        (serde_json::json!(["stay by Slack", "downgrade"]), serde_json::json!(["deactivate"]));
    assert_eq!(actions(&[]), [(goran.clone(), goes.clone()), (ines.clone(), stays.clone())]);
    let slack = concat!(env!("CARGO_MANIFEST_DIR"), "/incident-io/active-in-slack.txt");
    assert_eq!(actions(&["--active-in-slack", slack]), [(goran, stays), (ines, goes)]);
}

#[test]
fn the_json_says_the_same() {
    let output = preview(MAPPING, DIRECTORY, &["--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value.pointer("/summary/linked"), Some(&5.into()));
    assert_eq!(value.pointer("/summary/downgraded"), Some(&2.into()));
    assert_eq!(value.pointer("/users/3/actions"), Some(&serde_json::json!(["link", "downgrade"])));
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

/// A synchronisation that leaves nobody who could manage SCIM is not refused by incident.io, and so it is warned of, and
/// done in a file by whoever insists alone.
#[test]
fn a_lockout_by_a_synchronisation_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let [after, next] = ["after", "next"].map(|name| folder.path().join(format!("{name}.json")));
    let (saved_after, saved_next) = (after.to_str().unwrap(), next.to_str().unwrap());
    let install = ["--actor", "ada@example.com", "--confirm", "--save", saved_after];
    assert_eq!(preview(MAPPING, DIRECTORY, &install).status.code(), Some(0));
    let mut pushed: serde_json::Value = serde_json::from_slice(&std::fs::read(&after).unwrap()).unwrap();
    assert_eq!(pushed["groups"][0]["displayName"], "Platform Leads");
    pushed["groups"][0]["members"] = serde_json::json!([]);
    std::fs::write(&after, pushed.to_string()).unwrap();

    let standing = "\nSCIM is installed: the next synchronisation does this";
    let nobody = "no group that is mapped to owner has an active member";
    let you = "you are in no group that lets you manage SCIM, and would be locked out";
    let confirm = ["--actor", "ada@example.com", "--confirm", "--save", saved_next];
    let unsaved = ": nothing is written without `--force`";
    for (more, said) in [
        (&[][..], format!("{standing}\n\nwarning: {nobody}\n")),
        (&["--actor", "ada@example.com"], format!("{standing}\n\nwarning: {nobody}; {you}\n")),
        (&["--actor", "dora@example.com"], format!("{standing}\n\nwarning: {nobody}\n")),
        (&confirm, format!("{standing}\n\nwarning: {nobody}; {you}{unsaved}\n")),
    ] {
        let output = preview_there(&after, more);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(text(&output.stdout).ends_with(&said), "{said}: {output:?}");
        let value = json(&preview_there(&after, &[more, &["--json"]].concat()));
        let warning = said.rsplit("warning: ").next().unwrap().trim_end().trim_end_matches(unsaved);
        assert_eq!((&value["refused"], &value["warning"]), (&serde_json::Value::Null, &warning.into()));
        assert_eq!((value.get("overridden"), value.get("saved")), (None, None));
    }
    assert!(!next.exists());

    // Whoever insists is told what of, and has it done.
    let output = preview_there(&after, &["--force", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let value = json(&output);
    assert_eq!(value["warning"], serde_json::Value::Null);
    assert_eq!(value["overridden"], serde_json::json!([nobody]));
    let output = preview_there(&after, &[&confirm[..], &["--force"]].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = format!("\n\noverridden: {nobody}; {you}\n\nconfirmed: it is so in `{saved_next}`\n");
    assert!(text(&output.stdout).ends_with(&said), "{output:?}");
    assert!(next.exists());
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
            "the group `IT` is there twice\n",
        ),
        (
            "[options]\ngroup_names = \"any-case\"\n\n[[groups]]\nname = \"Admins\"\nbase_role = \"admin\"\n\n\
             [[groups]]\nname = \"admins\"\non_call = true\n",
            "the group `admins` is there twice: `group_names` is `any-case`",
        ),
        ("[[groups]]\nname = \" \"\non_call = true\n", "groups[0] has an empty name"),
        ("[options]\nin_slack = \"maybe\"\n", "`in_slack` is neither `standard` nor `keep`"),
        ("[options]\nelevated_seat = \"x\"\n", "`elevated_seat` is neither `responder` nor `on-call`"),
        ("[options]\nseat_after = \"x\"\n", "`seat_after` is neither `stays` nor `goes`"),
        ("[options]\ngroup_names = \"x\"\n", "`group_names` is neither `exact` nor `any-case`"),
        ("[options]\ndeactivated = \"x\"\n", "`deactivated` is neither `link` nor `leave`"),
        ("[[group]]\n", "unknown field `group`"),
    ];
    // Under `exact`, as names count unless one says otherwise, these are two groups.
    let two = "[[groups]]\nname = \"Admins\"\nbase_role = \"owner\"\n\n[[groups]]\nname = \"admins\"\non_call = true\n";
    let said = text(&preview(&written("m.toml", two), DIRECTORY, &[]).stderr).to_owned();
    assert!(!said.contains("is no mapping of groups"), "{said}");
    for (toml, expected) in mappings {
        let output = preview(&written("m.toml", toml), DIRECTORY, &[]);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(expected), "{output:?}");
    }
    let directories = [
        (r#"{"people": [{"userName": "a@example.com"}]}"#, "people[0] has no `id`, or an `active` that is"),
        (
            r#"{"people": [{"id": "1", "userName": "a@example.com", "active": "no"}]}"#,
            "people[0] has no `id`, or an `active` that is neither true nor false",
        ),
        (r#"{"people": [], "groups": [{}]}"#, "groups[0] has no `displayName`"),
        (r#"{"people": [], "installed": {"group": []}}"#, "`installed` is no mapping of groups"),
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
    let slack = written("s.txt", "ada@example.com\nbruno\n");
    let output = preview(MAPPING, DIRECTORY, &["--active-in-slack", &slack]);
    let expected = "s.txt` does not say who is active in Slack: line 2: `bruno` is not one e-mail address\n";
    assert!(text(&output.stderr).ends_with(expected), "{output:?}");
    let output = preview(MAPPING, DIRECTORY, &["--active-in-slack", "nowhere.txt"]);
    assert!(text(&output.stderr).starts_with("error: cannot read `nowhere.txt`: "), "{output:?}");
    let missing = Path::new("nowhere").join("m.toml");
    let output = preview(missing.to_str().unwrap(), DIRECTORY, &[]);
    assert!(text(&output.stderr).contains("cannot read `nowhere"), "{output:?}");
    let output = preview(MAPPING, DIRECTORY, &["--actor", "nobody@example.com"]);
    assert_eq!(text(&output.stderr), "error: `nobody@example.com` is no active user\n");
}

/// SCIM is installed, is the source of truth, and is taken out again, as a platform engineer does it.
#[test]
fn an_installation_from_its_preview_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let [edited, after, later, left] =
        ["edited", "after", "later", "left"].map(|name| folder.path().join(format!("{name}.json")));
    let save = |file: &Path| file.to_str().unwrap().to_owned();
    let refused = |output: &Output, reason: &str| {
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert_eq!(text(&output.stdout), format!("refused: {reason}\n"));
    };
    let managed = "roles are managed by SCIM: change the user's groups in the identity provider";
    let invites = "users are managed by SCIM: assign the user in the identity provider";
    let seat = "the on-call seat comes from a group: take the user out of it in the identity provider first";

    // Before, roles are given by hand.
    let by_hand = ["--set-role", "bruno@example.com=admin", "--save", &save(&edited)];
    let output = preview_there(Path::new(DIRECTORY), &by_hand);
    assert_eq!(text(&output.stdout), "done: `bruno@example.com` is admin, with the seat responder\n");
    assert_eq!(written(&edited, "bruno@example.com")["seats"]["response"], "full_access");
    let again = preview_there(&edited, &["--set-role", "bruno@example.com=owner", "--save", &save(&after)]);
    assert_eq!(text(&again.stdout), "done: `bruno@example.com` is owner\n");
    std::fs::remove_file(&after).unwrap();
    for none in ["notmail", "", "@example.com", "ines@", "ines@example.com, kim@example.com"] {
        let output = preview_there(&edited, &["--invite", none, "--save", &save(&after)]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert_eq!(text(&output.stderr), format!("error: `{none}` is not one e-mail address\n"));
        assert!(!after.exists());
    }
    let output = preview_there(&edited, &["--invite", "ines@example.com", "--save", &save(&edited)]);
    assert_eq!(text(&output.stdout), "done: `ines@example.com` is invited\n", "{output:?}");

    // Nothing happens to anybody without a confirmation, nor by one that is refused.
    let output = preview(MAPPING, edited.to_str().unwrap(), &["--confirm", "--save", &save(&after)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).starts_with("error: `--confirm` needs `--actor`: "), "{output:?}");
    let confirm = |actor: &str| {
        let arguments = ["--actor", actor, "--confirm", "--save", &save(&after)];
        preview(MAPPING, edited.to_str().unwrap(), &arguments)
    };
    let output = confirm("bruno@example.com");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = "nothing happens before that is confirmed\n\nrefused: only an owner, or who may manage security \
                settings, can install SCIM\n";
    assert!(text(&output.stdout).ends_with(said), "{output:?}");
    assert!(!after.exists());

    let output = confirm("ada@example.com");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = format!("\n\nconfirmed: it is so in `{}`\n", after.display());
    assert!(text(&output.stdout).ends_with(&said), "{output:?}");

    // What was previewed is done, and nothing is left to do.
    let output = preview_there(&after, &["--json"]);
    let value = json(&output);
    assert_eq!((&value["installed"], &value["needsConfirmation"]), (&true.into(), &false.into()));
    let changes = ["created", "linked", "upgraded", "downgraded", "changed", "deactivated", "reactivated"];
    for change in changes {
        assert_eq!(value["summary"][change], 0, "{change}: {value}");
    }
    let roles: serde_json::Value = serde_json::from_slice(&std::fs::read(&after).unwrap()).unwrap();
    let role_of = |email: &str| {
        let users = roles["users"].as_array().unwrap();
        users.iter().find(|user| user["email"] == email).unwrap()["base_role"]["slug"].clone()
    };
    assert_eq!([role_of("emil@example.com"), role_of("chen@example.com")], ["standard", "admin"]);
    let output = preview(MAPPING, after.to_str().unwrap(), &[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).ends_with("SCIM is installed: the next synchronisation does this\n"));

    // While it is installed it decides, and what it does not decide is done by hand.
    let output = preview_there(&after, &["--set-role", "emil@example.com=owner", "--save", &save(&later)]);
    refused(&output, managed);
    refused(&preview_there(&after, &["--invite", "kim@example.com", "--save", &save(&later)]), invites);
    let revoke = |email| preview_there(&after, &["--revoke-on-call", email, "--save", &save(&later)]);
    refused(&revoke("chen@example.com"), seat);
    assert!(!later.exists());
    assert_eq!(text(&revoke("emil@example.com").stdout), "done: `emil@example.com` has no on-call seat\n");
    let output = preview_there(&later, &["--set-role", "emil@example.com=owner", "--json", "--save", "x"]);
    assert_eq!(json(&output), serde_json::json!({ "refused": managed }));

    // A synchronisation needs nobody's leave, another mapping does.
    let mut pushed: serde_json::Value = serde_json::from_slice(&std::fs::read(&later).unwrap()).unwrap();
    pushed["people"][4]["active"] = false.into();
    std::fs::write(&later, pushed.to_string()).unwrap();
    let output = preview_there(&later, &["--confirm", "--save", &save(&later), "--json"]);
    assert_eq!(json(&output)["summary"]["deactivated"], 1, "{output:?}");
    assert_eq!(json(&preview_there(&later, &["--json"]))["summary"]["deactivated"], 0);
    let other = folder.path().join("other.toml");
    std::fs::write(&other, "[[groups]]\nname = \"IT\"\nbase_role = \"owner\"\n").unwrap();
    let with_other = |more: &[&str]| preview(other.to_str().unwrap(), later.to_str().unwrap(), more);
    let said = "SCIM is installed with another mapping: nothing happens before this one is confirmed";
    assert!(text(&with_other(&[]).stdout).contains(said));
    let confirm = ["--confirm", "--save", &save(&later)];
    assert_eq!(with_other(&confirm).status.code(), Some(2));
    let output = with_other(&[&["--actor", "ada@example.com"], &confirm[..]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stdout)
            .ends_with("you are in no group that lets you manage SCIM, and would be locked out\n")
    );

    // Taken out, it leaves everybody as they are, linked to nobody, and edited by hand.
    let output = preview_there(&later, &["--uninstall", "--save", &save(&left)]);
    let said = "done: SCIM is not installed any more, and 9 users stay as they are\n";
    assert_eq!(text(&output.stdout), said, "{output:?}");
    let [before, then] = [&later, &left].map(|file| State::read(file).unwrap().workspace);
    for (before, then) in before.users().iter().zip(then.users()) {
        let kept = |user: &User| {
            let Standing { active, base_role, custom_roles, seats } = user.standing.clone();
            (user.email.clone(), active, base_role, custom_roles, seats.response, seats.on_call.is_held())
        };
        assert_eq!(kept(before), kept(then));
        assert_eq!(then.linked_to, None);
    }
    for edit in [["--set-role", "ada@example.com=standard"], ["--revoke-on-call", "chen@example.com"]] {
        let output = preview_there(&left, &[&edit[..], &["--save", &save(&left)]].concat());
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
    let output = preview_there(&left, &["--uninstall", "--save", &save(&left)]);
    assert_eq!(text(&output.stderr), "error: SCIM is not installed there\n");
    let output = preview_there(&left, &[]);
    let said = "error: SCIM is not installed there: `--mapping` says which group gives what\n";
    assert_eq!(text(&output.stderr), said);
}

/// What is written is read as it was.
#[test]
fn a_file_keeps_what_everybody_has() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    let state = State::read(Path::new(DIRECTORY)).unwrap();
    let mapping = MappingFile::read(Path::new(MAPPING)).unwrap();
    let mut users = Vec::new();
    for on_call in [OnCallSeat::None, OnCallSeat::Held, OnCallSeat::Managed] {
        for bits in 0..64_usize {
            let is = |bit: usize| bits >> bit & 1 == 1;
            let by_groups = ByGroups { response: is(0), on_call: is(1) };
            users.push(User {
                id: format!("{on_call:?}-{bits}"),
                email: format!("{bits}@example.com"),
                linked_to: is(2).then(|| format!("p-{on_call:?}-{bits}")),
                in_slack: is(3),
                standing: Standing {
                    active: is(4),
                    base_role: BaseRole::ALL[bits % 3],
                    custom_roles: ["Security".into()].into_iter().take(bits % 2).collect(),
                    seats: Seats { response: is(5), on_call, by_groups },
                },
            });
        }
    }
    let workspace = Workspace::new(users).unwrap();
    for in_force in [None, Some(&mapping)] {
        let workspace = match in_force {
            Some(in_force) => workspace.clone().with_installed(in_force.mapping.clone()),
            None => workspace.clone(),
        };
        state.save(&file, &workspace, in_force).unwrap();
        let read = State::read(&file).unwrap();
        assert_eq!((read.workspace, read.directory), (workspace, state.directory.clone()));
        assert_eq!(read.in_force.is_some(), in_force.is_some());
    }
    let error = state.save(Path::new("nowhere/state.json"), &workspace, None).unwrap_err();
    assert!(format!("{error:#}").starts_with("cannot write `nowhere/state.json`: "));
}

/// Who is not touched is written as they were, with what the API says besides; of who is, what became another is written.
#[test]
fn whom_nothing_happens_to_is_written_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let [before, after] = ["before", "after"].map(|name| folder.path().join(format!("{name}.json")));
    let user = |name: &str, seats: &str, more: &str| {
        format!(
            r#"{{"id": "{name}", "name": "The {name}", "email": "{name}@example.com", "is_active": true,
                "base_role": {{"id": "01", "slug": "standard", "name": "Standard"}}, "seats": {seats}{more}}}"#
        )
    };
    let users = [
        user("viewer", r#"{"response": "viewer_only", "on_call": "none"}"#, r#", "inSlack": true"#),
        user("neither", r#"{"response": "none", "on_call": "viewer_only", "other": 1}"#, ""),
        user("unsaid", "{}", r#", "custom_roles": [{"id": "02", "name": "Security"}], "in_slack": false"#),
        user("on-call", r#"{"response": "none", "on_call": "full_access"}"#, ""),
    ];
    std::fs::write(&before, format!(r#"{{"people": [], "users": [{}]}}"#, users.join(", "))).unwrap();
    let save = ["--save", after.to_str().unwrap()];
    let emails = ["viewer", "neither", "unsaid", "on-call"].map(|name| format!("{name}@example.com"));
    let done = |file: &Path, edit: [&str; 2]| {
        let output = preview_there(file, &[edit, save].concat());
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    };
    done(&before, ["--invite", "new@example.com"]);
    for email in &emails {
        assert_eq!(written(&after, email), written(&before, email));
    }
    let invited = written(&after, "new@example.com");
    assert_eq!(invited["seats"], serde_json::json!({"response": "viewer_only", "on_call": "none"}));

    let mut expected = written(&before, &emails[1]);
    expected["base_role"] = serde_json::json!({"slug": "admin"});
    expected["seats"]["response"] = "full_access".into();
    done(&before, ["--set-role", "neither@example.com=admin"]);
    assert_eq!(written(&after, &emails[1]), expected);
    let mut expected = written(&before, &emails[3]);
    expected["seats"]["on_call"] = "none".into();
    done(&before, ["--revoke-on-call", "on-call@example.com"]);
    assert_eq!(written(&after, &emails[3]), expected);
    assert_eq!(written(&after, &emails[1]), written(&before, &emails[1]));

    // By the installation `viewer` is not in Slack any more, in neither spelling.
    let slack = folder.path().join("slack.txt");
    std::fs::write(&slack, "neither@example.com\n").unwrap();
    let owner =
        r#"{"id": "ada", "email": "ada@example.com", "is_active": true, "base_role": {"slug": "owner"}}"#;
    let users = [&users[..], &[owner.to_owned()]].concat().join(", ");
    std::fs::write(&before, format!(r#"{{"people": [], "users": [{users}]}}"#)).unwrap();
    let install = ["--actor", "ada@example.com", "--force", "--confirm", "--active-in-slack"];
    let output = preview(
        MAPPING,
        before.to_str().unwrap(),
        &[&install[..], &[slack.to_str().unwrap()], &save].concat(),
    );
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let mut expected = written(&before, &emails[0]);
    expected.as_object_mut().unwrap().remove("inSlack");
    assert_eq!(written(&after, &emails[0]), expected);
    let mut expected = written(&before, &emails[1]);
    expected["in_slack"] = true.into();
    assert_eq!(written(&after, &emails[1]), expected);
}
