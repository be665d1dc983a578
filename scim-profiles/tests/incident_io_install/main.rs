//! Installing SCIM at incident.io, as its documents tell it: one sentence of theirs a test.
#![expect(clippy::unwrap_used, reason = "a test")]

mod confirming;
mod deleting;
mod mapping;
mod people;
mod problems;
mod seats;

use scim_profiles::incident_io::{
    Action, ActiveInSlack, BaseRole, Deactivated, Directory, ElevatedSeat, Group, GroupNames, Guard, InSlack,
    MANAGE_SECURITY_SETTINGS, Options, PROFILE, Person, Preview, RoleMapping, SeatAfter, Seats, Standing,
    User, Workspace,
};
use scim_profiles::pagerduty::PagerDutyOptions;

/// The test that shows each row of what happens at incident.io.
const SHOWN: &[(&str, fn())] = &[
    ("standard-by-default", mapping::whom_no_group_maps_is_a_standard_viewer),
    ("highest-base-role", mapping::several_groups_add_up),
    ("custom-roles-add", mapping::several_groups_add_up),
    ("elevated-needs-seat", mapping::several_groups_add_up),
    ("elevated-gets-seat", seats::a_paid_seat_by_hand_is_enough),
    ("elevated-beside-on-call", mapping::several_groups_add_up),
    ("seats-stay", seats::a_seat_goes_with_its_role_where_that_is_said),
    ("group-by-name", mapping::names_of_groups_count_as_the_option_says),
    ("on-call-granted", mapping::several_groups_add_up),
    ("on-call-managed", seats::an_on_call_seat_stays_after_its_group_until_it_is_revoked),
    ("on-call-kept", seats::an_on_call_seat_stays_after_its_group_until_it_is_revoked),
    ("assigned-created", mapping::whom_no_group_maps_is_a_standard_viewer),
    ("linked-by-email", people::users_are_linked_by_e_mail_in_any_case_and_active_ones_first),
    ("email-in-any-case", people::users_are_linked_by_e_mail_in_any_case_and_active_ones_first),
    ("active-linked-first", people::users_are_linked_by_e_mail_in_any_case_and_active_ones_first),
    ("deactivated-linked", people::users_are_linked_by_e_mail_in_any_case_and_active_ones_first),
    ("same-email-each", people::whoever_is_assigned_has_a_user_whatever_the_address),
    ("no-email-created", people::whoever_is_assigned_has_a_user_whatever_the_address),
    ("downgraded-at-install", seats::an_admin_without_an_admins_group_is_downgraded_and_keeps_the_seat),
    ("unlinked-kept", people::users_who_are_not_in_the_directory_keep_everything),
    ("unassigned-unlinked", confirming::an_owner_who_is_not_assigned_is_named_and_does_not_count),
    ("install-permitted", confirming::an_owner_or_who_may_manage_security_settings_installs),
    ("owner-group-needed", confirming::nobody_is_locked_out_unless_forced),
    ("owner-group-has-somebody", confirming::nobody_is_locked_out_unless_forced),
    ("lockout-guarded", confirming::nobody_is_locked_out_unless_forced),
    ("install-confirmed", confirming::only_the_mapping_in_force_is_synchronised_without_being_confirmed),
    (
        "roles-managed",
        confirming::by_hand_nothing_is_changed_while_scim_is_installed_and_nothing_by_uninstalling,
    ),
    (
        "invites-disabled",
        confirming::by_hand_nothing_is_changed_while_scim_is_installed_and_nothing_by_uninstalling,
    ),
    ("unassigned-deactivated", people::who_is_unassigned_is_deactivated_unless_active_in_slack),
    ("slack-keeps-active", people::who_is_unassigned_is_deactivated_unless_active_in_slack),
    ("slack-without-roles", people::who_is_unassigned_is_deactivated_unless_active_in_slack),
    ("groups-of-assigned", people::who_is_assigned_again_has_what_groups_give_by_then),
    ("deleted-begins-anew", deleting::who_is_deleted_and_created_again_begins_anew),
    (
        "uninstall-keeps",
        confirming::by_hand_nothing_is_changed_while_scim_is_installed_and_nothing_by_uninstalling,
    ),
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
            ("active_in_slack", "nobody"),
            ("elevated_seat", "responder"),
            ("seat_after", "stays"),
            ("custom_roles_need_paid_seat", "false"),
            ("group_names", "exact"),
            ("deactivated", "link"),
            ("in_slack", "standard"),
        ]
    );
    assert!(ActiveInSlack::default().is_empty());
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
        ("role_emptied", options.role_emptied.as_str().to_owned()),
        ("stale_license", options.stale_license.as_str().to_owned()),
        ("licenses_in_use", options.licenses_in_use.as_str().to_owned()),
        ("read_only_users", options.read_only_users.to_string()),
        ("advanced_permissions", options.advanced_permissions.to_string()),
        // Those are given beside the options, where the service is built.
        ("licenses", "none".to_owned()),
        ("base_url", "none".to_owned()),
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
