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
