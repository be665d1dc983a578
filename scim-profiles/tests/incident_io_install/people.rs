//! Who is linked to whom, who is not in the directory, and who is not assigned any more.

use scim_profiles::incident_io::{
    Action, ActiveInSlack, BaseRole, Deactivated, Directory, Guard, InSlack, Options, Preview, Standing,
    User, Workspace,
};

use super::{ADA, actions, deactivated, directory, installed, mapping, row, synchronised, user, workspace};

/// "We'll link existing users to SCIM users using their email address."
#[test]
pub(crate) fn users_are_linked_by_e_mail_in_any_case_and_active_ones_first() {
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
pub(crate) fn users_who_are_not_in_the_directory_keep_everything() {
    let workspace = workspace([user("ada", BaseRole::Owner), user("zoe", BaseRole::Admin)]);
    let directory = directory(&["ada"], &[("Platform", &["ada"])]);
    let after = installed(&workspace, &directory);
    assert_eq!(after.user("u-zoe"), workspace.user("u-zoe"));
}

/// "If a user is unassigned the application in your IdP, they'll be deactivated", unless "an active
/// member of your organization's Slack workspace".
#[test]
pub(crate) fn who_is_unassigned_is_deactivated_unless_active_in_slack() {
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
}

/// Nobody who is not assigned has anything by groups, and nobody who is has it by what was.
#[test]
pub(crate) fn who_is_assigned_again_has_what_groups_give_by_then() {
    let slack: ActiveInSlack = ["CID@example.com"].into_iter().collect();
    let before = workspace([user("ada", BaseRole::Owner), user("bea", BaseRole::Standard), {
        user("cid", BaseRole::Standard)
    }]);
    let before = before.with_active_in_slack(&slack);
    let in_slack: Vec<bool> = before.users().iter().map(|user| user.in_slack).collect();
    assert_eq!(in_slack, [false, false, true]);
    let managers: &[(&str, &[&str])] = &[("Platform", &["ada"]), ("Incident Managers", &["bea", "cid"])];
    let it: &[(&str, &[&str])] = &[("Platform", &["ada"]), ("IT", &["bea", "cid"])];
    let everybody = ["ada", "bea", "cid"];
    let gone = synchronised(&installed(&before, &directory(&everybody, managers)), &directory(&["ada"], it));
    let standing = |workspace: &Workspace, id: &str| {
        let Standing { active, base_role, custom_roles, .. } = workspace.user(id).unwrap().standing.clone();
        (active, base_role, custom_roles.len())
    };
    assert_eq!(standing(&gone, "u-bea"), (false, BaseRole::Admin, 0));
    assert_eq!(standing(&gone, "u-cid"), (true, BaseRole::Standard, 0));
    let again = synchronised(&gone, &directory(&everybody, it));
    for id in ["u-bea", "u-cid"] {
        assert_eq!(standing(&again, id), (true, BaseRole::Standard, 1), "{id}");
    }
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
