//! Who may install it and is not locked out by that, what is done by hand meanwhile, and what is left.

use std::collections::BTreeSet;

use scim_profiles::incident_io::{
    Action, BaseRole, Directory, EditError, Guard, Lockout, Person, Preview, Problem, Refusal, RoleMapping,
    Standing, User, Workspace,
};
use serde_json::json;

use super::{ADA, actions, deactivated, directory, installed, mapping, row, user, workspace};

/// "To install SCIM, you'll need to be an owner in incident.io (or have a custom role that can manage
/// security settings)."
#[test]
pub(crate) fn an_owner_or_who_may_manage_security_settings_installs() {
    let security = |id: &str| {
        let user = user(id, BaseRole::Standard);
        let custom_roles = BTreeSet::from(["Security".into()]);
        User { standing: Standing { custom_roles, ..user.standing }, ..user }
    };
    let users =
        [user("ada", BaseRole::Owner), user("bea", BaseRole::Admin), security("cid"), deactivated("dan")];
    let workspace = workspace(users);
    let groups: &[(&str, &[&str])] = &[("Platform", &["ada", "bea", "cid", "dan"])];
    let (directory, mapping) = (directory(&["ada", "bea", "cid", "dan"], groups), mapping());
    let refused = |actor: &str| {
        let error = Preview::new(&workspace, &directory, &mapping).confirm(actor, Guard::On).err()?;
        Some(error.to_string())
    };
    assert_eq!(refused(ADA), None);
    assert_eq!(refused("u-cid"), None);
    assert_eq!(
        refused("u-bea").as_deref(),
        Some("only an owner, or who may manage security settings, can install SCIM")
    );
    for nobody in ["u-dan", "nobody"] {
        assert_eq!(refused(nobody).as_deref(), Some("only an active user can install SCIM"));
    }
}

/// "You need at least one group assigned the 'owner' permissions. If you're not in that group, or you
/// remove yourself from it, you'll be locked out of your SCIM settings."
#[test]
pub(crate) fn nobody_is_locked_out_unless_forced() {
    let workspace = workspace([user("ada", BaseRole::Owner), user("bea", BaseRole::Owner)]);
    let refused = |groups: &[(&str, &[&str])], mapping: &RoleMapping| {
        let directory = directory(&["ada", "bea"], groups);
        let preview = Preview::new(&workspace, &directory, mapping);
        assert!(preview.clone().confirm(ADA, Guard::Off).is_ok());
        preview.confirm(ADA, Guard::On).err()
    };
    let locked = |lockouts: &[Lockout]| Some(Refusal::LockedOut(lockouts.to_vec()));
    let mapping = mapping();
    assert_eq!(refused(&[("Platform", &["ada"])], &mapping), None);
    assert_eq!(refused(&[("Platform", &["bea"])], &mapping), locked(&[Lockout::Actor]));
    // Who may manage security settings stays in as well.
    assert_eq!(refused(&[("Platform", &["bea"]), ("IT", &["ada"])], &mapping), None);
    assert_eq!(refused(&[("Platform", &["zoe"])], &mapping), locked(&[Lockout::NoOwner, Lockout::Actor]));
    let nobody = RoleMapping::new();
    assert_eq!(refused(&[], &nobody), locked(&[Lockout::NoOwnerGroup, Lockout::Actor]));
    assert_eq!(
        refused(&[], &nobody).unwrap().to_string(),
        "no group is mapped to owner; you are in no group that lets you manage SCIM, and would be locked out"
    );
    assert_eq!(Lockout::NoOwner.to_string(), "no group that is mapped to owner has an active member");
}

/// An owner who is not in the directory keeps the role, but is in no group.
#[test]
fn an_unlinked_owner_does_not_count() {
    let workspace = workspace([user("ada", BaseRole::Owner)]);
    let (directory, mapping) = (directory(&["bea"], &[("Platform", &["bea"])]), mapping());
    let preview = Preview::new(&workspace, &directory, &mapping);
    assert_eq!(preview.confirm(ADA, Guard::On).unwrap_err(), Refusal::LockedOut(vec![Lockout::Actor]));
}

/// Whoever is in the directory and not assigned is as good as not there: the user keeps the role, which is said, and
/// is no owner of whom the guard is sure.
#[test]
pub(crate) fn an_owner_who_is_not_assigned_is_named_and_does_not_count() {
    let security = user("cid", BaseRole::Standard);
    let custom_roles = BTreeSet::from(["Security".into()]);
    let security = User { standing: Standing { custom_roles, ..security.standing }, ..security };
    let workspace = workspace([
        user("ada", BaseRole::Owner),
        user("bea", BaseRole::Standard),
        security,
        deactivated("dan"),
        user("zoe", BaseRole::Owner),
    ]);
    let groups: &[(&str, &[&str])] = &[("Platform", &["ada"]), ("Incident Managers", &["bea"])];
    let all = directory(&["ada", "bea", "cid", "dan"], groups);
    let nobody =
        |person: &Person| Person { active: false, email: person.email.to_uppercase(), ..person.clone() };
    let people = all.people().iter().map(nobody).collect();
    let (directory, mapping) = (Directory::new(people, all.groups().to_vec()).unwrap(), mapping());
    let preview = Preview::new(&workspace, &directory, &mapping);
    assert_eq!(
        actions(&preview).iter().map(|(_, actions)| &actions[..]).collect::<Vec<_>>(),
        [[Action::LeaveUnlinked]; 5]
    );
    assert_eq!(row(&preview, "ada").base_role, BaseRole::Owner);
    let kept: Vec<_> =
        preview.problems().iter().filter(|one| matches!(one, Problem::UnassignedKeeps(..))).collect();
    // Who has no role, or is not active, keeps nothing of note; of who is not in the directory the row says it.
    assert_eq!(
        kept,
        [
            &Problem::UnassignedKeeps("ada@example.com", BaseRole::Owner, "ada"),
            &Problem::UnassignedKeeps("cid@example.com", BaseRole::Standard, "cid"),
        ]
    );
    assert_eq!(
        kept[0].to_string(),
        "the user `ada@example.com` stays active and owner, with all roles they have: the person `ada`, who has the \
         address, is not assigned, and so the user is left unlinked"
    );
    let refusal = preview.clone().confirm(ADA, Guard::On).unwrap_err();
    assert_eq!(refusal, Refusal::LockedOut(vec![Lockout::NoOwner, Lockout::Actor]));
    let after = preview.confirm(ADA, Guard::Off).unwrap().apply(|person| person.id.clone()).unwrap();
    assert_eq!(after.users(), workspace.users());

    // Assigned, they are linked, and nothing is said of them.
    let preview = Preview::new(&workspace, &all, &mapping);
    assert!(!preview.problems().iter().any(|one| matches!(one, Problem::UnassignedKeeps(..))));
    assert!(preview.confirm(ADA, Guard::On).is_ok());
}

#[test]
pub(crate) fn only_the_mapping_in_force_is_synchronised_without_being_confirmed() {
    let directory = directory(&["ada"], &[("Platform", &["ada"])]);
    let workspace = workspace([user("ada", BaseRole::Owner)]);
    let mapping = mapping();
    assert!(Preview::new(&workspace, &directory, &mapping).synchronise().is_none());
    let workspace = installed(&workspace, &directory);
    assert!(Preview::new(&workspace, &directory, &mapping).synchronise().is_some());
    assert!(Preview::new(&workspace, &directory, &mapping.with_on_call("Others")).synchronise().is_none());
}

/// "Once SCIM is installed, it becomes the source of truth for a user's permissions"; "if you are an
/// Owner, and you uninstall SCIM, you'll retain that owner role."
#[test]
pub(crate) fn by_hand_nothing_is_changed_while_scim_is_installed_and_nothing_by_uninstalling() {
    let mut workspace = workspace([user("ada", BaseRole::Owner)]);
    assert_eq!(workspace.set_roles(ADA, BaseRole::Admin, BTreeSet::new()), Ok(()));
    assert_eq!(workspace.set_roles(ADA, BaseRole::Owner, BTreeSet::new()), Ok(()));
    assert_eq!(workspace.invite(user("bea", BaseRole::Standard)), Ok(()));
    assert_eq!(workspace.invite(user("bea", BaseRole::Standard)), Err(EditError::SameId));
    let mut workspace = installed(&workspace, &directory(&["ada"], &[("Platform", &["ada"])]));
    let before = workspace.clone();
    let refusal = workspace.set_roles(ADA, BaseRole::Admin, BTreeSet::new()).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "roles are managed by SCIM: change the user's groups in the identity provider"
    );
    let refusal = workspace.invite(user("cid", BaseRole::Standard)).unwrap_err();
    assert_eq!(refusal.to_string(), "users are managed by SCIM: assign the user in the identity provider");
    assert_eq!(workspace, before);

    workspace.uninstall();
    assert_eq!(workspace.user(ADA).unwrap().standing, before.user(ADA).unwrap().standing);
    assert_eq!(workspace.set_roles(ADA, BaseRole::Admin, BTreeSet::new()), Ok(()));
    assert_eq!(workspace.set_on_call_seat("u-zoe", true), Err(EditError::NoSuchUser));
}

#[test]
fn a_preview_prints_and_becomes_json() {
    let [ada, bea, zoe] = ["ada", "bea", "zoe"].map(|name| user(name, BaseRole::Admin));
    let workspace = workspace([ada, bea, deactivated("yan"), zoe]);
    let groups: &[(&str, &[&str])] = &[("Platform", &["ada"]), ("SRE", &["cid"]), ("IT", &["bea"])];
    let (directory, mapping) = (directory(&["ada", "bea", "cid"], groups), mapping());
    let preview = Preview::new(&workspace, &directory, &mapping);
    assert_eq!(
        preview.to_string(),
        "\
E-MAIL           ACTIONS                       BASE ROLE          CUSTOM ROLES      SEATS
ada@example.com  link, upgrade                 admin -> owner     none              responder
bea@example.com  link, downgrade               admin -> standard  none -> Security  responder
cid@example.com  create                        standard           none              on-call
yan@example.com  leave unlinked (deactivated)  standard           none              viewer
zoe@example.com  leave unlinked                admin              none              responder

warning: the mapped group `Incident Managers` is not in the directory
1 created, 2 linked, 1 upgraded, 1 downgraded, 2 unlinked
paid seats: responder 3 -> 3, on-call 0 -> 1"
    );
    let value = serde_json::to_value(preview.to_value()).unwrap();
    assert_eq!(value["summary"]["onCallSeats"], json!({"before": 0, "after": 1}));
    assert_eq!(value["summary"]["linked"], 2);
    assert_eq!(value["problems"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        value["users"][1],
        json!({
            "email": "bea@example.com",
            "user": "u-bea",
            "person": "bea",
            "actions": ["link", "downgrade"],
            "from": {
                "active": true,
                "baseRole": "admin",
                "customRoles": [],
                "seats": {"response": true, "onCall": "none"},
            },
            "to": {
                "active": true,
                "baseRole": "standard",
                "customRoles": ["Security"],
                "seats": {"response": true, "onCall": "none"},
            },
        })
    );
    let nobody = Directory::default();
    let empty = Workspace::default();
    let preview = Preview::new(&empty, &nobody, &RoleMapping::new()).to_string();
    assert_eq!(preview, "no users\npaid seats: responder 0 -> 0, on-call 0 -> 0");
}
