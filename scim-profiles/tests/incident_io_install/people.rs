//! Who is linked to whom, who is not in the directory, and who is not assigned any more.

use scim_profiles::incident_io::{
    Action, ActiveInSlack, BaseRole, Deactivated, Directory, Group, Guard, InSlack, Options, Person, Preview,
    Problem, Standing, User, Workspace,
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

/// "Users are automatically created in incident.io when they are assigned in the application in your identity
/// provider": nothing is said of addresses that two people have, or of none.
#[test]
pub(crate) fn whoever_is_assigned_has_a_user_whatever_the_address() {
    let person = |id: &str, email: &str| Person { id: id.into(), email: email.into(), active: true };
    let people = ["3", "1", "2"].map(|id| person(id, "ann@example.com"));
    let people = people.into_iter().chain([person("4", ""), person("5", "")]).collect();
    let group = Group { name: "Platform".into(), members: vec!["2".into(), "4".into()], ..Group::default() };
    let directory = Directory::new(people, vec![group]).unwrap();
    let without = User { email: String::new(), ..user("zoe", BaseRole::Admin) };
    let before = workspace([user("ann", BaseRole::Standard), user("ada", BaseRole::Owner), without]);
    let mapping = mapping();
    let preview = Preview::new(&before, &directory, &mapping);
    let rows: Vec<_> = preview
        .rows()
        .iter()
        .map(|row| {
            let person = row.person.map_or("", |person| &person.id);
            (person, row.user.map_or("", |user| &user.id), row.to.base_role)
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("3", "", BaseRole::Standard),
            // The first of them by id is linked.
            ("1", "u-ann", BaseRole::Standard),
            ("2", "", BaseRole::Owner),
            ("4", "", BaseRole::Owner),
            ("5", "", BaseRole::Standard),
            ("", "u-ada", BaseRole::Owner),
            ("", "u-zoe", BaseRole::Admin),
        ]
    );
    let told = [
        Problem::NoSuchGroup("IT"),
        Problem::NoSuchGroup("Incident Managers"),
        Problem::NoSuchGroup("SRE"),
        Problem::SameEmail("1", "2"),
        Problem::SameEmail("1", "3"),
        Problem::NoEmail("4"),
        Problem::NoEmail("5"),
    ];
    assert_eq!(preview.problems(), told);
    assert_eq!(told[5].to_string(), "the person `4` has no e-mail address: no user can be linked to them");
    let table = preview.to_string();
    assert!(table.contains("\n(id 4)           create          owner "), "{table}");

    // They stay with their users, and are told of all the same.
    let after = installed(&before, &directory);
    let again = Preview::new(&after, &directory, &mapping);
    assert!(again.is_empty(), "{again}");
    assert_eq!(again.problems(), told);
    // Whoever has no user yet is linked to one that is there, though the first has the address too.
    let later = User { id: "u-later".into(), ..user("ann", BaseRole::Admin) };
    let first_alone = User { linked_to: Some("1".into()), ..user("ann", BaseRole::Standard) };
    let workspace = workspace([first_alone, later]);
    let preview = Preview::new(&workspace, &directory, &mapping);
    let second = preview.rows().iter().find(|row| row.person.is_some_and(|person| person.id == "2"));
    assert_eq!(second.and_then(|row| row.user).map(|user| user.id.as_str()), Some("u-later"));
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
