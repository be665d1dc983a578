//! Seats that come with roles and groups, and what becomes of them.

use scim_profiles::incident_io::{
    Action, BaseRole, ByGroups, EditError, ElevatedSeat, OnCallSeat, Options, Preview, SeatAfter, Seats,
    Standing, User, Workspace,
};

use super::{actions, directory, installed, mapping, row, synchronised, user, workspace};

/// "If a user was previously an admin, and they're not a member of the groups that are assigned the
/// admin role, they'll be downgraded to viewers/responders."
#[test]
pub(crate) fn an_admin_without_an_admins_group_is_downgraded_and_keeps_the_seat() {
    let workspace = workspace([user("ann", BaseRole::Admin)]);
    let directory = directory(&["ann"], &[]);
    let mapping = mapping();
    let preview = Preview::new(&workspace, &directory, &mapping);
    assert_eq!(actions(&preview), [("ann".to_owned(), vec![Action::Link, Action::Downgrade])]);
    let to = row(&preview, "ann");
    assert_eq!((to.base_role, to.seats.to_string().as_str()), (BaseRole::Standard, "responder"));
}

/// What somebody gets beside a lower base role makes no less of a downgrade of it, and is shown; a higher base role is
/// no upgrade where something else is lost.
#[test]
fn a_lower_base_role_is_a_downgrade_whatever_comes_beside_it() {
    let secured = |user: User| {
        let custom_roles = ["Security".into()].into();
        User { standing: Standing { custom_roles, ..user.standing }, ..user }
    };
    let workspace = workspace([
        user("ann", BaseRole::Admin),
        user("bea", BaseRole::Admin),
        user("cid", BaseRole::Owner),
        secured(user("dan", BaseRole::Standard)),
        secured(user("eve", BaseRole::Admin)),
    ]);
    let people = &["ann", "bea", "cid", "dan", "eve"];
    let groups: &[(&str, &[&str])] =
        &[("IT", &["ann", "cid"]), ("SRE", &["bea"]), ("Incident Managers", &["cid", "dan", "eve"])];
    let (directory, mapping) = (directory(people, groups), mapping());
    let preview = Preview::new(&workspace, &directory, &mapping);
    let moved: Vec<_> = preview.rows().iter().map(|row| row.actions()[1]).collect();
    let (downgrade, change) = (Action::Downgrade, Action::Change);
    assert_eq!(moved, [downgrade, downgrade, downgrade, change, downgrade]);
    let summary = preview.summary();
    assert_eq!((summary.downgraded, summary.changed, summary.upgraded), (4, 1, 0));
    let shown = preview.to_string();
    let ann = "ann@example.com  link, downgrade  admin -> standard  none -> Security  responder";
    assert!(shown.lines().any(|line| line == ann), "{shown}");
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
pub(crate) fn a_paid_seat_by_hand_is_enough() {
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

/// Nobody is an admin or owner without a paid seat, by hand neither: the role brings one, given by hand as the role is, and
/// a paid seat that is there is enough.
#[test]
pub(crate) fn a_role_by_hand_brings_the_seat_it_needs() {
    let on_call = Seats { on_call: OnCallSeat::Held, ..Seats::default() };
    let bea = user("bea", BaseRole::Standard);
    let bea = User { standing: Standing { seats: on_call, ..bea.standing }, ..bea };
    for role in BaseRole::ALL {
        let mut workspace = workspace([user("ann", BaseRole::Standard), bea.clone()]);
        for name in ["u-ann", "u-bea"] {
            assert_eq!(workspace.set_roles(name, role, ["Security".into()].into()), Ok(()));
        }
        let seats = |name| workspace.user(name).unwrap().standing.seats;
        let needed = role != BaseRole::Standard;
        assert_eq!(seats("u-ann"), Seats { response: needed, ..Seats::default() }, "{role}");
        assert_eq!(seats("u-bea"), on_call, "{role}");
        // It stays when the role goes, as one that came with a group's does.
        assert_eq!(workspace.set_roles("u-ann", BaseRole::Standard, [].into()), Ok(()));
        assert_eq!(workspace.user("u-ann").unwrap().standing.seats.response, needed);
    }
}

/// A responder's seat that came with a role goes with it where that is said; one by hand does not, nor an
/// on-call seat.
#[test]
pub(crate) fn a_seat_goes_with_its_role_where_that_is_said() {
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

/// "Adding new members to those groups will automatically grant them seats. If a member leaves a group
/// which has been assigned seats, that user will retain their seat until it's manually revoked."
#[test]
pub(crate) fn an_on_call_seat_stays_after_its_group_until_it_is_revoked() {
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
