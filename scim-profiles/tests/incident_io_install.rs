//! Installing SCIM at incident.io, as its documents tell it: one sentence of theirs a test.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;

use scim_profiles::incident_io::{
    Action, BaseRole, ByGroups, Deactivated, Directory, EditError, ElevatedSeat, Group, GroupNames, Guard,
    InSlack, Lockout, MANAGE_SECURITY_SETTINGS, MappingError, OnCallSeat, Options, PROFILE, Person, Preview,
    Problem, Refusal, RoleMapping, SeatAfter, Seats, Standing, User, Workspace,
};
use scim_profiles::pagerduty::PagerDutyOptions;
use serde_json::json;

/// The test that shows each row of what happens at incident.io.
const SHOWN: &[(&str, fn())] = &[
    ("standard-by-default", whom_no_group_maps_is_a_standard_viewer),
    ("highest-base-role", several_groups_add_up),
    ("custom-roles-add", several_groups_add_up),
    ("elevated-needs-seat", several_groups_add_up),
    ("elevated-gets-seat", a_paid_seat_by_hand_is_enough),
    ("elevated-beside-on-call", several_groups_add_up),
    ("seats-stay", a_seat_goes_with_its_role_where_that_is_said),
    ("group-by-name", names_of_groups_count_as_the_option_says),
    ("on-call-granted", several_groups_add_up),
    ("on-call-managed", an_on_call_seat_stays_after_its_group_until_it_is_revoked),
    ("on-call-kept", an_on_call_seat_stays_after_its_group_until_it_is_revoked),
    ("assigned-created", whom_no_group_maps_is_a_standard_viewer),
    ("linked-by-email", users_are_linked_by_e_mail_in_any_case_and_active_ones_first),
    ("email-in-any-case", users_are_linked_by_e_mail_in_any_case_and_active_ones_first),
    ("active-linked-first", users_are_linked_by_e_mail_in_any_case_and_active_ones_first),
    ("deactivated-linked", users_are_linked_by_e_mail_in_any_case_and_active_ones_first),
    ("same-email-once", what_is_probably_not_meant_so_is_said),
    ("downgraded-at-install", an_admin_without_an_admins_group_is_downgraded_and_keeps_the_seat),
    ("unlinked-kept", users_who_are_not_in_the_directory_keep_everything),
    ("install-permitted", an_owner_or_who_may_manage_security_settings_installs),
    ("owner-group-needed", nobody_is_locked_out_unless_forced),
    ("owner-group-has-somebody", nobody_is_locked_out_unless_forced),
    ("lockout-guarded", nobody_is_locked_out_unless_forced),
    ("install-confirmed", only_the_mapping_in_force_is_synchronised_without_being_confirmed),
    ("roles-managed", by_hand_nothing_is_changed_while_scim_is_installed_and_nothing_by_uninstalling),
    ("invites-disabled", by_hand_nothing_is_changed_while_scim_is_installed_and_nothing_by_uninstalling),
    ("unassigned-deactivated", who_is_unassigned_is_deactivated_unless_active_in_slack),
    ("slack-keeps-active", who_is_unassigned_is_deactivated_unless_active_in_slack),
    ("slack-without-roles", who_is_unassigned_is_deactivated_unless_active_in_slack),
    ("uninstall-keeps", by_hand_nothing_is_changed_while_scim_is_installed_and_nothing_by_uninstalling),
];

#[test]
fn every_row_of_the_profile_is_shown_by_a_test() {
    let shown: Vec<&str> = SHOWN.iter().map(|(id, _)| *id).collect();
    assert_eq!(PROFILE.lifecycle.iter().map(|row| row.id).collect::<Vec<_>>(), shown);
    for (_, test) in SHOWN {
        test();
    }
}

#[test]
fn the_options_of_the_profile_have_the_defaults_it_says() {
    let options = Options::default();
    let defaults = PROFILE.options.iter().map(|row| (row.name, row.default)).collect::<Vec<_>>();
    assert_eq!(
        defaults,
        [
            ("elevated_seat", "responder"),
            ("seat_after", "stays"),
            ("custom_roles_need_paid_seat", "false"),
            ("group_names", "exact"),
            ("deactivated", "link"),
            ("in_slack", "standard"),
        ]
    );
    assert_eq!(options.elevated_seat, ElevatedSeat::Responder);
    assert_eq!((options.seat_after, options.group_names), (SeatAfter::Stays, GroupNames::Exact));
    assert!(!options.custom_roles_need_paid_seat);
    assert_eq!((options.deactivated, options.in_slack), (Deactivated::Link, InSlack::Standard));
    let pagerduty = scim_profiles::pagerduty::PROFILE.options.iter().map(|row| (row.name, row.default));
    let options = PagerDutyOptions::default();
    let values = [
        ("duplicate_status", options.duplicate_status.as_str().to_owned()),
        ("offboarding", options.offboarding.as_str().to_owned()),
        ("plan", options.plan.as_str().to_owned()),
        ("owner", options.owner.as_str().to_owned()),
        ("default_role", options.default_role.to_owned()),
        ("role_omitted", options.role_omitted.as_str().to_owned()),
        ("stale_license", options.stale_license.as_str().to_owned()),
        ("read_only_users", options.read_only_users.to_string()),
        ("advanced_permissions", options.advanced_permissions.to_string()),
    ];
    assert!(pagerduty.eq(values.iter().map(|(name, value)| (*name, value.as_str()))));
}

const ADA: &str = "u-ada";

fn user(id: &str, base_role: BaseRole) -> User {
    let paid = base_role != BaseRole::Standard;
    User {
        id: format!("u-{id}"),
        email: format!("{id}@example.com"),
        standing: Standing {
            base_role,
            seats: Seats { response: paid, ..Seats::default() },
            ..Standing::default()
        },
        ..User::default()
    }
}

fn deactivated(id: &str) -> User {
    let user = user(id, BaseRole::Standard);
    User { standing: Standing { active: false, ..user.standing }, ..user }
}

fn workspace<const N: usize>(users: [User; N]) -> Workspace {
    Workspace::new(users.into()).unwrap()
}

/// A directory of people, and of groups with their members.
fn directory(people: &[&str], groups: &[(&str, &[&str])]) -> Directory {
    let person = |id: &&str| Person { id: (*id).into(), email: format!("{id}@example.com"), active: true };
    let group = |(name, members): &(&str, &[&str])| Group {
        name: (*name).into(),
        members: members.iter().map(|member| (*member).into()).collect(),
        ..Group::default()
    };
    Directory::new(people.iter().map(person).collect(), groups.iter().map(group).collect()).unwrap()
}

/// Platform owns, incident managers are admins, IT manages security, SRE is on call.
fn mapping() -> RoleMapping {
    RoleMapping::new()
        .with_custom_role("Security", [MANAGE_SECURITY_SETTINGS])
        .unwrap()
        .with_base_role("Platform", BaseRole::Owner)
        .with_base_role("Incident Managers", BaseRole::Admin)
        .with_custom_role_of("IT", "Security")
        .unwrap()
        .with_on_call("SRE")
}

fn actions(preview: &Preview<'_>) -> Vec<(String, Vec<Action>)> {
    preview.rows().iter().map(|row| (row.email().replace("@example.com", ""), row.actions())).collect()
}

fn row<'p>(preview: &'p Preview<'_>, name: &str) -> &'p Standing {
    let email = format!("{name}@example.com");
    &preview.rows().iter().find(|row| row.email() == email).unwrap().to
}

fn installed(workspace: &Workspace, directory: &Directory) -> Workspace {
    let mapping = mapping();
    let preview = Preview::new(workspace, directory, &mapping);
    let confirmed = preview.confirm(ADA, Guard::Off).unwrap();
    confirmed.apply(|person| format!("u-{}", person.id)).unwrap()
}

fn synchronised(workspace: &Workspace, directory: &Directory) -> Workspace {
    let preview = Preview::new(workspace, directory, workspace.installed().unwrap());
    preview.synchronise().unwrap().apply(|person| format!("u-{}", person.id)).unwrap()
}

/// "I don't need to define any mapping for this case, as this is the default."
#[test]
fn whom_no_group_maps_is_a_standard_viewer() {
    let workspace = Workspace::default();
    let directory = directory(&["ann"], &[("Engineers", &["ann"])]);
    let mapping = mapping();
    let preview = Preview::new(&workspace, &directory, &mapping);
    assert_eq!(*row(&preview, "ann"), Standing::default());
    assert_eq!(row(&preview, "ann").seats.to_string(), "viewer");
    assert_eq!(actions(&preview), [("ann".to_owned(), vec![Action::Create])]);
}

/// "If a user was previously an admin, and they're not a member of the groups that are assigned the
/// admin role, they'll be downgraded to viewers/responders."
#[test]
fn an_admin_without_an_admins_group_is_downgraded_and_keeps_the_seat() {
    let workspace = workspace([user("ann", BaseRole::Admin)]);
    let directory = directory(&["ann"], &[]);
    let mapping = mapping();
    let preview = Preview::new(&workspace, &directory, &mapping);
    assert_eq!(actions(&preview), [("ann".to_owned(), vec![Action::Link, Action::Downgrade])]);
    let to = row(&preview, "ann");
    assert_eq!((to.base_role, to.seats.to_string().as_str()), (BaseRole::Standard, "responder"));
}

/// The highest base role and all custom roles of several groups; a paid seat for admins and owners.
#[test]
fn several_groups_add_up() {
    let workspace = Workspace::default();
    let groups: &[(&str, &[&str])] = &[
        ("Incident Managers", &["ann", "bea"]),
        ("IT", &["ann"]),
        ("Platform", &["ann"]),
        ("SRE", &["bea", "cid"]),
    ];
    let directory = directory(&["ann", "bea", "cid"], groups);
    let mapping = mapping();
    let preview = Preview::new(&workspace, &directory, &mapping);
    let ann = row(&preview, "ann");
    assert_eq!((ann.base_role, ann.custom_roles.len(), ann.seats.response), (BaseRole::Owner, 1, true));
    let bea = row(&preview, "bea");
    // One seat by each group, whichever comes first.
    assert_eq!((bea.base_role, bea.seats.to_string().as_str()), (BaseRole::Admin, "responder + on-call"));
    let cid = row(&preview, "cid");
    assert_eq!((cid.base_role, cid.seats.on_call), (BaseRole::Standard, OnCallSeat::Managed));
}

#[test]
fn what_the_documents_leave_open_about_seats_is_an_option() {
    let mut options = Options::default();
    options.elevated_seat = ElevatedSeat::OnCall;
    options.custom_roles_need_paid_seat = true;
    let mapping = mapping().with_options(options);
    let workspace = Workspace::default();
    let directory = directory(&["ann", "bea"], &[("Platform", &["ann"]), ("IT", &["bea"])]);
    let preview = Preview::new(&workspace, &directory, &mapping);
    for name in ["ann", "bea"] {
        let by_groups = ByGroups { on_call: true, ..ByGroups::default() };
        let seats = Seats { on_call: OnCallSeat::Held, by_groups, ..Seats::default() };
        assert_eq!(row(&preview, name).seats, seats);
    }
}

/// A paid seat that somebody has by hand is the one that their role needs.
#[test]
fn a_paid_seat_by_hand_is_enough() {
    let holder = |id: &str, response, on_call| {
        let seats = Seats { response, on_call, ..Seats::default() };
        User { standing: Standing { seats, ..Standing::default() }, ..user(id, BaseRole::Standard) }
    };
    let mapping = mapping();
    let groups: &[(&str, &[&str])] =
        &[("Incident Managers", &["ann", "bea", "cid"]), ("SRE", &["bea", "cid"])];
    let directory = directory(&["ann", "bea", "cid"], groups);
    let workspace =
        workspace([holder("ann", false, OnCallSeat::Held), holder("bea", false, OnCallSeat::Held)]);
    let after = Preview::new(&workspace, &directory, &mapping);
    let seats = |name| row(&after, name).seats.to_string();
    assert_eq!(["ann", "bea", "cid"].map(seats), ["on-call", "on-call", "responder + on-call"]);
}

/// A responder's seat that came with a role goes with it where that is said; one by hand does not, nor an
/// on-call seat.
#[test]
fn a_seat_goes_with_its_role_where_that_is_said() {
    let mut options = Options::default();
    let everybody: &[&str] = &["ann", "bea"];
    let groups: &[(&str, &[&str])] = &[("Incident Managers", everybody), ("SRE", &["bea"])];
    let (joined, left) = (directory(everybody, groups), directory(everybody, &[]));
    for (seat_after, expected) in [
        (SeatAfter::Stays, [("ann", "responder"), ("bea", "responder + on-call")]),
        (SeatAfter::Goes, [("ann", "responder"), ("bea", "on-call")]),
    ] {
        options.seat_after = seat_after;
        let mapping = mapping().with_options(options.clone());
        let by_hand = workspace([user("ann", BaseRole::Admin)]).with_installed(mapping.clone());
        let preview = Preview::new(&by_hand, &joined, &mapping);
        let installed = preview.synchronise().unwrap().apply(|person| format!("u-{}", person.id)).unwrap();
        let preview = Preview::new(&installed, &left, &mapping);
        assert_eq!(
            expected.map(|(name, _)| (name, row(&preview, name).seats.to_string())),
            expected.map(|(name, seats)| (name, seats.to_owned()))
        );
        let summary = preview.summary();
        assert_eq!((summary.downgraded, summary.responder_seats.0), (2, 2));
        assert_eq!(summary.responder_seats.1, if seat_after == SeatAfter::Goes { 1 } else { 2 });
    }
}

/// "We'll link existing users to SCIM users using their email address."
#[test]
fn users_are_linked_by_e_mail_in_any_case_and_active_ones_first() {
    let twin = User { id: "u-0".into(), email: "ANN@Example.COM".into(), ..deactivated("ann") };
    let workspace = workspace([twin, user("ann", BaseRole::Standard), deactivated("bea")]);
    let directory = directory(&["ann", "bea", "cid"], &[]);
    let mut mapping = mapping();
    let preview = Preview::new(&workspace, &directory, &mapping);
    assert_eq!(
        actions(&preview),
        [
            ("ann".to_owned(), vec![Action::Link]),
            ("bea".to_owned(), vec![Action::Link, Action::Reactivate]),
            ("cid".to_owned(), vec![Action::Create]),
            ("ANN@Example.COM".to_owned(), vec![Action::LeaveUnlinked]),
        ]
    );
    assert_eq!(preview.rows()[0].user.unwrap().id, "u-ann");

    let mut options = Options::default();
    options.deactivated = Deactivated::Leave;
    mapping = mapping.with_options(options);
    let preview = Preview::new(&workspace, &directory, &mapping);
    assert_eq!(actions(&preview)[1], ("bea".to_owned(), vec![Action::Create]));
    assert_eq!(actions(&preview)[4], ("bea".to_owned(), vec![Action::LeaveUnlinked]));
}

/// "If a user exists in incident.io but not in SCIM, they'll retain their existing role and will be
/// marked as 'Unlinked' in the user list."
#[test]
fn users_who_are_not_in_the_directory_keep_everything() {
    let workspace = workspace([user("ada", BaseRole::Owner), user("zoe", BaseRole::Admin)]);
    let directory = directory(&["ada"], &[("Platform", &["ada"])]);
    let after = installed(&workspace, &directory);
    assert_eq!(after.user("u-zoe"), workspace.user("u-zoe"));
}

/// "If a user is unassigned the application in your IdP, they'll be deactivated", unless "an active
/// member of your organization's Slack workspace".
#[test]
fn who_is_unassigned_is_deactivated_unless_active_in_slack() {
    let in_slack = User { in_slack: true, ..user("cid", BaseRole::Standard) };
    let before = workspace([user("ada", BaseRole::Owner), user("bea", BaseRole::Standard), in_slack]);
    let groups: &[(&str, &[&str])] = &[("Platform", &["ada"]), ("Incident Managers", &["bea", "cid"])];
    let all = directory(&["ada", "bea", "cid"], groups);
    let before = installed(&before, &all);

    let ada_alone = directory(&["ada"], groups);
    let mut mapping = before.installed().unwrap().clone();
    let preview = Preview::new(&before, &ada_alone, &mapping);
    assert_eq!(
        actions(&preview)[1..],
        [
            ("bea".to_owned(), vec![Action::Deactivate]),
            ("cid".to_owned(), vec![Action::StayBySlack, Action::Downgrade]),
        ]
    );
    assert_eq!(row(&preview, "bea").base_role, BaseRole::Admin);

    let mut options = Options::default();
    options.in_slack = InSlack::Keep;
    mapping = mapping.with_options(options);
    let preview = Preview::new(&before, &ada_alone, &mapping);
    assert_eq!(actions(&preview)[2], ("cid".to_owned(), vec![Action::StayBySlack]));

    // One who is not active in the directory is not assigned either.
    let mut people = all.people().to_vec();
    people[1].active = false;
    let inactive = Directory::new(people, all.groups().to_vec()).unwrap();
    let after = synchronised(&before, &inactive);
    assert!(!after.user("u-bea").unwrap().standing.active);
    // Assigned again, she is active again.
    assert!(synchronised(&after, &all).user("u-bea").unwrap().standing.active);
}

/// "Adding new members to those groups will automatically grant them seats. If a member leaves a group
/// which has been assigned seats, that user will retain their seat until it's manually revoked."
#[test]
fn an_on_call_seat_stays_after_its_group_until_it_is_revoked() {
    let start = workspace([user("ada", BaseRole::Owner)]);
    let with_bea = directory(&["ada", "bea"], &[("Platform", &["ada"]), ("SRE", &["bea"])]);
    let mut there = installed(&start, &with_bea);
    assert_eq!(there.set_on_call_seat("u-bea", false), Err(EditError::SeatManaged));

    let without = directory(&["ada", "bea"], &[("Platform", &["ada"]), ("SRE", &[])]);
    let preview = Preview::new(&there, &without, there.installed().unwrap());
    assert_eq!(actions(&preview)[1], ("bea".to_owned(), vec![Action::ReleaseSeat]));
    let mut after = synchronised(&there, &without);
    assert!(after.user("u-bea").unwrap().standing.seats.on_call.is_held());
    assert_eq!(after.set_on_call_seat("u-bea", false), Ok(()));
    let revoked = synchronised(&after, &without);
    assert!(!revoked.user("u-bea").unwrap().standing.seats.on_call.is_held());

    // A seat given by hand becomes the group's.
    assert_eq!(after.set_on_call_seat("u-bea", true), Ok(()));
    let preview = Preview::new(&after, &with_bea, after.installed().unwrap());
    assert_eq!(actions(&preview)[1], ("bea".to_owned(), vec![Action::ManageSeat]));
}

/// "You need at least one group assigned the 'owner' permissions. If you're not in that group, or you
/// remove yourself from it, you'll be locked out of your SCIM settings."
#[test]
fn nobody_is_locked_out_unless_forced() {
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

/// "To install SCIM, you'll need to be an owner in incident.io (or have a custom role that can manage
/// security settings)."
#[test]
fn an_owner_or_who_may_manage_security_settings_installs() {
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

/// "Once SCIM is installed, it becomes the source of truth for a user's permissions"; "if you are an
/// Owner, and you uninstall SCIM, you'll retain that owner role."
#[test]
fn by_hand_nothing_is_changed_while_scim_is_installed_and_nothing_by_uninstalling() {
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
fn only_the_mapping_in_force_is_synchronised_without_being_confirmed() {
    let directory = directory(&["ada"], &[("Platform", &["ada"])]);
    let workspace = workspace([user("ada", BaseRole::Owner)]);
    let mapping = mapping();
    assert!(Preview::new(&workspace, &directory, &mapping).synchronise().is_none());
    let workspace = installed(&workspace, &directory);
    assert!(Preview::new(&workspace, &directory, &mapping).synchronise().is_some());
    assert!(Preview::new(&workspace, &directory, &mapping.with_on_call("Others")).synchronise().is_none());
}

#[test]
fn what_is_probably_not_meant_so_is_said() {
    let people = [("1", "ann"), ("2", "Ann"), ("3", "bea")];
    let person = |(id, name): (&str, &str)| Person {
        id: id.into(),
        email: format!("{name}@example.com"),
        active: true,
    };
    let group = |name: &str, members: &[&str]| Group {
        name: name.into(),
        members: members.iter().map(|m| (*m).into()).collect(),
        ..Group::default()
    };
    let groups = vec![group("SRE", &["1"]), group("IT", &["9"]), group("SRE", &["3"])];
    let directory = Directory::new(people.into_iter().map(person).collect(), groups).unwrap();
    let (workspace, mapping) = (Workspace::default(), mapping());
    let preview = Preview::new(&workspace, &directory, &mapping);
    assert_eq!(
        preview.problems(),
        [
            Problem::NoSuchGroup("Incident Managers"),
            Problem::NoSuchGroup("Platform"),
            Problem::SameGroupName("SRE"),
            Problem::UnknownMembers("IT", "9", 0),
            Problem::SameEmail("1", "2"),
        ]
    );
    assert_eq!(preview.rows().len(), 2);
    assert!(preview.rows().iter().all(|row| row.to.seats.on_call == OnCallSeat::Managed));
    // The one who is linked goes first.
    let linked =
        Workspace::new(vec![User { linked_to: Some("2".into()), ..user("x", BaseRole::Standard) }]).unwrap();
    let preview = Preview::new(&linked, &directory, &mapping);
    assert_eq!(preview.problems()[4], Problem::SameEmail("2", "1"));
}

/// Whom a group names by anything but the `id` gets nothing by it, and that is said; so it is of a group in a
/// group, whether it says that it is one or not. Who is not assigned is no mistake.
#[test]
fn members_who_are_nobody_are_named() {
    let text = r#"{
        "people": [
            {"id": "1", "userName": "ann@example.com"},
            {"id": "2", "userName": "bea@example.com", "active": false}
        ],
        "groups": [
            {"id": "g1", "displayName": "Platform", "members": [
                {"value": "zed@example.com"}, {"value": "ann@example.com"}, {"value": "2"}, {"value": "g2"}, {"value": "bea"}
            ]},
            {"id": "g2", "displayName": "Incident Managers", "members": [{"value": "nobody"}, {"value": "1"}]},
            {"id": "g3", "displayName": "SRE", "members": [{"value": "g1", "type": "Group"}, {"value": "g9", "type": "group"}]},
            {"id": "g4", "displayName": "IT", "members": [{"value": "x"}, {"value": "y"}]},
            {"id": "g5", "displayName": "Not mapped", "members": [{"value": "nobody"}, {"value": "g1"}]}
        ]
    }"#;
    let file: scim_core::Value = text.parse().unwrap();
    let listed =
        |name: &str| file.as_object().unwrap().get(name).and_then(scim_core::Value::as_array).unwrap();
    let people = listed("people").iter().map(|one| Person::from_scim(one.as_object().unwrap()).unwrap());
    let groups = listed("groups").iter().map(|one| Group::from_scim(one.as_object().unwrap()).unwrap());
    let directory = Directory::new(people.collect(), groups.collect()).unwrap();
    let (workspace, mapping) = (Workspace::default(), mapping());
    let preview = Preview::new(&workspace, &directory, &mapping);
    let told: Vec<_> = preview.problems().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "the member `x` of the group `IT` and 1 other are nobody's `id`: they get nothing by the group",
            "the member `nobody` of the group `Incident Managers` is nobody's `id`: it gets nothing by the group",
            "the member `ann@example.com` of the group `Platform` and 2 others are nobody's `id`: they get nothing \
             by the group",
            "the group `Platform` has the group `Incident Managers` as a member, whose own members get nothing by it",
            "the group `SRE` has the group `Platform` as a member, whose own members get nothing by it",
            "the group `SRE` has the group `g9` as a member, whose own members get nothing by it",
        ]
    );
    assert_eq!(row(&preview, "ann").base_role, BaseRole::Admin);
    assert_eq!(row(&preview, "ann").seats.on_call, OnCallSeat::None);
}

/// A mapping whose groups are spelled otherwise than the directory's gives nothing, and says so; in any case
/// it gives the same as if they were spelled alike.
#[test]
fn names_of_groups_count_as_the_option_says() {
    let groups: &[(&str, &[&str])] =
        &[("PLATFORM", &["ann"]), ("platform", &["bea"]), ("incident managers", &["cid"]), ("SRE", &["cid"])];
    let directory = directory(&["ann", "bea", "cid"], groups);
    let workspace = Workspace::default();
    let exact = mapping();
    let preview = Preview::new(&workspace, &directory, &exact);
    assert_eq!(
        preview.problems(),
        [
            Problem::NoSuchGroup("IT"),
            Problem::OtherCase("Incident Managers", "incident managers"),
            Problem::OtherCase("Platform", "PLATFORM"),
        ]
    );
    assert_eq!(
        preview.problems()[1].to_string(),
        "the mapped group `Incident Managers` is not in the directory, which has `incident managers`: names of \
         groups count with their case"
    );
    let roles = |preview: &Preview<'_>| ["ann", "bea", "cid"].map(|name| row(preview, name).base_role);
    assert_eq!(roles(&preview), [BaseRole::Standard; 3]);

    let mut options = Options::default();
    options.group_names = GroupNames::AnyCase;
    let any_case = exact.with_options(options);
    let preview = Preview::new(&workspace, &directory, &any_case);
    assert_eq!(preview.problems(), [Problem::NoSuchGroup("IT"), Problem::SameGroupName("Platform")]);
    assert_eq!(roles(&preview), [BaseRole::Owner, BaseRole::Owner, BaseRole::Admin]);
    // Two spellings of one name give what both are mapped to.
    let twice = any_case.with_on_call("PlatForm");
    assert_eq!(twice.resolve(["platform"]), twice.resolve(["Platform"]));
    assert_eq!(
        twice.group("PLATFORM").map(|access| (access.base_role, access.on_call)),
        Some((BaseRole::Owner, true))
    );
}

#[test]
fn a_mapping_that_means_nothing_is_refused() {
    let roles = RoleMapping::new().with_custom_role("Security", ["x"]).unwrap();
    let texts = [
        roles.clone().with_custom_role("Security", ["y"]),
        roles.clone().with_custom_role("Owner", ["y"]),
        roles.with_custom_role_of("IT", "Safety"),
    ]
    .map(|result: Result<RoleMapping, MappingError>| result.unwrap_err().to_string());
    assert_eq!(
        texts,
        [
            "the custom role `Security` is defined twice",
            "`Owner` is a base role and cannot be the name of a custom role",
            "the group `IT` is mapped to the custom role `Safety`, which is not defined",
        ]
    );
}

#[test]
fn a_workspace_has_no_twins() {
    let link = |id: &str| User { linked_to: Some("p".into()), ..user(id, BaseRole::Standard) };
    let error = |users: [User; 2]| Workspace::new(users.into()).unwrap_err().to_string();
    assert_eq!(error([deactivated("a"), user("a", BaseRole::Admin)]), "two users have the id `u-a`");
    assert_eq!(error([link("a"), link("b")]), "two users are linked to the person `p`");
    let workspace = workspace([user("ada", BaseRole::Owner)]);
    let (directory, mapping) = (directory(&["ada", "bea"], &[("Platform", &["ada"])]), mapping());
    let confirmed = Preview::new(&workspace, &directory, &mapping).confirm(ADA, Guard::On).unwrap();
    assert_eq!(confirmed.apply(|_| ADA.to_owned()).unwrap_err().to_string(), "two users have the id `u-ada`");
}

#[test]
fn a_preview_prints_and_becomes_json() {
    let workspace =
        workspace([user("ada", BaseRole::Admin), user("bea", BaseRole::Admin), user("zoe", BaseRole::Admin)]);
    let groups: &[(&str, &[&str])] = &[("Platform", &["ada"]), ("SRE", &["cid"]), ("IT", &["bea"])];
    let (directory, mapping) = (directory(&["ada", "bea", "cid"], groups), mapping());
    let preview = Preview::new(&workspace, &directory, &mapping);
    assert_eq!(
        preview.to_string(),
        "\
E-MAIL           ACTIONS         BASE ROLE          CUSTOM ROLES      SEATS
ada@example.com  link, upgrade   admin -> owner     none              responder
bea@example.com  link, change    admin -> standard  none -> Security  responder
cid@example.com  create          standard           none              on-call
zoe@example.com  leave unlinked  admin              none              responder

warning: the mapped group `Incident Managers` is not in the directory
1 created, 2 linked, 1 upgraded, 1 changed, 1 unlinked
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
            "actions": ["link", "change"],
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
