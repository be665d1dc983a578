//! Resolution of access and the preview of an installation, on arbitrary organisations, beside a plain
//! twin that compares everybody with everybody.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::collections::BTreeSet;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use scim_profiles::incident_io::{
    Access, BaseRole, ByGroups, Deactivated, Directory, ElevatedSeat, Group, GroupNames, Guard, InSlack,
    Lockout, OnCallSeat, Options, Person, Preview, Problem, Refusal, RoleMapping, SeatAfter, Seats, Standing,
    User, Workspace,
};

/// Names of groups, two of which are one without case.
const GROUPS: [&str; 6] = ["g0", "g1", "G1", "g2", "g3", "g4"];
const ROLES: [&str; 3] = ["r0", "r1", "r2"];
/// Five addresses, two of which are one, and none.
const EMAILS: [&str; 7] =
    ["a@x.example", "A@X.example", "b@x.example", "c@x.example", "é@x.example", "d@y", ""];

fn base_role() -> impl Strategy<Value = BaseRole> {
    select(&BaseRole::ALL[..])
}

fn options() -> impl Strategy<Value = Options> {
    any::<[bool; 6]>().prop_map(|[on_call, custom, leave, keep, goes, any_case]| {
        let mut options = Options::default();
        options.elevated_seat = if on_call { ElevatedSeat::OnCall } else { ElevatedSeat::Responder };
        options.custom_roles_need_paid_seat = custom;
        options.deactivated = if leave { Deactivated::Leave } else { Deactivated::Link };
        options.in_slack = if keep { InSlack::Keep } else { InSlack::Standard };
        options.seat_after = if goes { SeatAfter::Goes } else { SeatAfter::Stays };
        options.group_names = if any_case { GroupNames::AnyCase } else { GroupNames::Exact };
        options
    })
}

fn mapping() -> impl Strategy<Value = RoleMapping> {
    let base = vec((select(&GROUPS[..]), base_role()), 0..4);
    let custom = vec((select(&GROUPS[..]), select(&ROLES[..])), 0..4);
    let on_call = vec(select(&GROUPS[..]), 0..3);
    (base, custom, on_call, options()).prop_map(|(base, custom, on_call, options)| {
        let mut mapping = RoleMapping::new().with_options(options);
        for (number, role) in ROLES.into_iter().enumerate() {
            let permissions = ["manage security settings", "other"].into_iter().take(2 - number.min(2));
            mapping = mapping.with_custom_role(role, permissions.skip(number % 2)).unwrap();
        }
        for (group, role) in base {
            mapping = mapping.with_base_role(group, role);
        }
        for (group, role) in custom {
            mapping = mapping.with_custom_role_of(group, role).unwrap();
        }
        on_call.into_iter().fold(mapping, RoleMapping::with_on_call)
    })
}

fn directory() -> impl Strategy<Value = Directory> {
    let people = vec((select(&EMAILS[..]), prop::bool::weighted(0.8)), 0..7);
    let groups = vec((select(&GROUPS[..]), vec(0..8usize, 0..6)), 0..6);
    (people, groups).prop_map(|(people, groups)| {
        let person = |(number, (email, active)): (usize, (&str, bool))| Person {
            id: format!("p{number}"),
            email: email.to_owned(),
            active,
        };
        let group = |(name, members): (&str, Vec<usize>)| Group {
            name: name.to_owned(),
            members: members.into_iter().map(|number| format!("p{number}")).collect(),
            ..Group::default()
        };
        let people = people.into_iter().enumerate().map(person).collect();
        Directory::new(people, groups.into_iter().map(group).collect()).unwrap()
    })
}

fn seats() -> impl Strategy<Value = Seats> {
    let seat = select(&[OnCallSeat::None, OnCallSeat::Held, OnCallSeat::Managed][..]);
    (any::<[bool; 3]>(), seat).prop_map(|([response, first, second], on_call)| {
        let by_groups = ByGroups { response: response && first, on_call: on_call.is_held() && second };
        Seats { response, on_call, by_groups }
    })
}

fn standing() -> impl Strategy<Value = Standing> {
    let roles = subsequence(&ROLES[..], 0..=2);
    (any::<bool>(), base_role(), roles, seats()).prop_map(|(active, base_role, roles, seats)| Standing {
        active,
        base_role,
        custom_roles: roles.into_iter().map(Into::into).collect(),
        seats,
    })
}

fn workspace() -> impl Strategy<Value = Workspace> {
    let links = Just((0..8).collect::<Vec<usize>>()).prop_shuffle();
    let users = vec((select(&EMAILS[..]), any::<[bool; 2]>(), standing()), 0..8);
    (users, links).prop_map(|(users, links)| {
        let user =
            |(number, (email, [linked, in_slack], standing)): (usize, (&str, [bool; 2], Standing))| User {
                id: format!("u{number}"),
                email: email.to_owned(),
                linked_to: linked.then(|| format!("p{}", links[number])),
                in_slack,
                standing,
            };
        Workspace::new(users.into_iter().enumerate().map(user).collect()).unwrap()
    })
}

/// Who a row is about, and what they will be.
type Outcome = (Option<String>, Option<String>, Standing);

fn outcomes(preview: &Preview<'_>) -> BTreeSet<String> {
    let outcome = |person: Option<&Person>, user: Option<&User>, to: &Standing| -> Outcome {
        (person.map(|person| person.id.clone()), user.map(|user| user.id.clone()), to.clone())
    };
    preview.rows().iter().map(|row| format!("{:?}", outcome(row.person, row.user, &row.to))).collect()
}

/// The plain twin of the preview.
fn model(workspace: &Workspace, directory: &Directory, mapping: &RoleMapping) -> BTreeSet<String> {
    let options = mapping.options();
    let assigned: Vec<&Person> = directory.people().iter().filter(|person| person.active).collect();
    let users = workspace.users();
    let linked = |person: &Person| users.iter().find(|user| user.linked_to.as_ref() == Some(&person.id));
    let is_free = |user: &User| !assigned.iter().any(|person| user.linked_to.as_ref() == Some(&person.id));
    let mut outcomes: Vec<Outcome> = Vec::new();
    for person in &assigned {
        let same = |email: &str| email.to_lowercase() == person.email.to_lowercase();
        let waiting = assigned.iter().filter(|other| same(&other.email) && linked(other).is_none());
        let is_first = waiting.min_by_key(|other| &other.id).is_some_and(|first| first.id == person.id);
        let found = users
            .iter()
            .filter(|_| is_first && !person.email.is_empty())
            .filter(|user| is_free(user) && same(&user.email))
            .filter(|user| user.standing.active || options.deactivated == Deactivated::Link)
            .min_by_key(|user| (!user.standing.active, &user.id));
        let user = linked(person).or(found);
        let groups = directory.groups().iter().filter(|group| group.members.contains(&person.id));
        let mut to = user.map(|user| user.standing.clone()).unwrap_or_default();
        let spelled = |one: &str, other: &str| match options.group_names {
            GroupNames::Exact => one == other,
            GroupNames::AnyCase => one.to_lowercase() == other.to_lowercase(),
        };
        let given: Vec<&Access> = groups
            .flat_map(|group| mapping.groups().filter(|(name, _)| spelled(name, &group.name)))
            .map(|(_, access)| access)
            .collect();
        to.active = true;
        to.base_role = given.iter().map(|access| access.base_role).max().unwrap_or_default();
        to.custom_roles = given.iter().flat_map(|access| access.custom_roles.clone()).collect();
        seat(&mut to, given.iter().any(|access| access.on_call), options);
        outcomes.push((Some(person.id.clone()), user.map(|user| user.id.clone()), to));
    }
    for user in users {
        if outcomes.iter().any(|(_, id, _)| id.as_ref() == Some(&user.id)) {
            continue;
        }
        let mut to = user.standing.clone();
        if user.linked_to.is_some() {
            to.active &= user.in_slack;
            if to.active && options.in_slack == InSlack::Standard {
                to.base_role = BaseRole::Standard;
                to.custom_roles.clear();
                seat(&mut to, false, options);
            } else {
                release(&mut to);
            }
        }
        outcomes.push((None, Some(user.id.clone()), to));
    }
    outcomes.iter().map(|outcome| format!("{outcome:?}")).collect()
}

/// The seats of someone who now has these roles, and is or is not in a group for on-call seats.
fn seat(standing: &mut Standing, on_call: bool, options: &Options) {
    let needs = standing.base_role != BaseRole::Standard
        || options.custom_roles_need_paid_seat && !standing.custom_roles.is_empty();
    let Seats { response, on_call: held, by_groups } = standing.seats;
    let is_by_hand = response && !by_groups.response || held.is_held() && !by_groups.on_call;
    let of_role = if needs && !is_by_hand { Some(options.elevated_seat) } else { None };
    release(standing);
    let seats = &mut standing.seats;
    let stays = !by_groups.response || options.seat_after == SeatAfter::Stays;
    seats.response = response && stays || of_role == Some(ElevatedSeat::Responder);
    seats.by_groups.response = seats.response && (by_groups.response || !response);
    if on_call {
        seats.on_call = OnCallSeat::Managed;
    } else if of_role == Some(ElevatedSeat::OnCall) {
        seats.on_call = OnCallSeat::Held;
    }
    seats.by_groups.on_call = seats.on_call.is_held() && (by_groups.on_call || !held.is_held());
}

fn release(standing: &mut Standing) {
    if standing.seats.on_call == OnCallSeat::Managed {
        standing.seats.on_call = OnCallSeat::Held;
    }
}

fn shuffled<T: Clone>(items: &[T], keys: &[Index]) -> Vec<T> {
    let mut order: Vec<usize> = (0..items.len()).collect();
    for (place, key) in (1..items.len()).zip(keys) {
        order.swap(place, key.index(place + 1));
    }
    order.into_iter().map(|place| items[place].clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 8 } else { 1024 }))]

    #[test]
    fn another_group_never_lowers_access(
        mapping in mapping(),
        few in btree_set(select(&GROUPS[..]), 0..4),
        more in btree_set(select(&GROUPS[..]), 0..4),
        seats in seats(),
    ) {
        let access = mapping.resolve(few.iter().copied());
        let wider = mapping.resolve(few.union(&more).copied());
        prop_assert!(wider >= access);
        prop_assert!(mapping.permissions(&wider.custom_roles).is_superset(&mapping.permissions(&access.custom_roles)));
        let needs = |access: &Access| access.base_role > BaseRole::Standard;
        let (narrow, wide) = (seats.given(&access, mapping.options()), seats.given(&wider, mapping.options()));
        prop_assert!(wide.response >= narrow.response && wide.on_call >= narrow.on_call);
        prop_assert!(narrow.is_paid() || !needs(&access));
        // And so if some groups came before the others.
        let later = narrow.given(&wider, mapping.options());
        prop_assert!(later.response >= narrow.response && later.on_call >= narrow.on_call);
        // What was given by hand stays, whatever the groups.
        prop_assert_eq!(wide.is_paid_by_hand(), seats.is_paid_by_hand());
        prop_assert!(wide.on_call.is_held() >= seats.on_call.is_held());
        prop_assert!(wide.response || !seats.response || seats.by_groups.response);
    }

    #[test]
    fn the_order_of_groups_does_not_matter(
        mapping in mapping(),
        groups in vec(select(&GROUPS[..]), 0..8),
        keys in vec(any::<Index>(), 8),
        seats in seats(),
    ) {
        let access = mapping.resolve(groups.iter().copied());
        prop_assert_eq!(&mapping.resolve(shuffled(&groups, &keys)), &access);
        prop_assert_eq!(&mapping.resolve(groups.iter().chain(&groups).copied()), &access);
        // One by one as well as at once, and once more changes nothing.
        let at_once = seats.given(&access, mapping.options());
        let (mut joined, mut one_by_one) = (Vec::new(), seats);
        for group in shuffled(&groups, &keys) {
            joined.push(group);
            one_by_one = one_by_one.given(&mapping.resolve(joined.iter().copied()), mapping.options());
        }
        if !groups.is_empty() {
            prop_assert_eq!(one_by_one, at_once);
        }
        prop_assert_eq!(at_once.given(&access, mapping.options()), at_once);
    }

    /// Who leaves a group and joins another has the same seats whichever is first.
    #[test]
    fn leaving_and_joining_at_once_end_the_same_in_either_order(
        mapping in mapping(),
        stays in btree_set(select(&GROUPS[..]), 0..3),
        left in btree_set(select(&GROUPS[..]), 0..3),
        joined in btree_set(select(&GROUPS[..]), 0..3),
        seats in seats(),
    ) {
        let after = |seats: Seats, groups: &[&BTreeSet<&str>]| {
            let groups = groups.iter().flat_map(|groups| groups.iter().copied());
            seats.given(&mapping.resolve(groups), mapping.options())
        };
        let before = after(seats, &[&stays, &left]);
        let end = [&stays, &joined];
        let at_once = after(before, &end);
        prop_assert_eq!(after(after(before, &[&stays]), &end), at_once);
        prop_assert_eq!(after(after(before, &[&stays, &left, &joined]), &end), at_once);
    }

    #[test]
    fn the_preview_is_the_models(workspace in workspace(), directory in directory(), mapping in mapping()) {
        let preview = Preview::new(&workspace, &directory, &mapping);
        prop_assert_eq!(outcomes(&preview), model(&workspace, &directory, &mapping));
        let changes = preview.rows().iter().filter(|row| row.actions().iter().any(|action| action.is_change()));
        prop_assert_eq!(preview.changes().count(), changes.count());
        prop_assert_eq!(preview.is_empty(), preview.changes().count() == 0);
        let mut kept = BTreeSet::new();
        for user in preview.rows().iter().filter(|row| row.person.is_none()).filter_map(|row| row.user) {
            let Standing { active, base_role, custom_roles, .. } = &user.standing;
            let has_roles = *active && (*base_role > BaseRole::Standard || !custom_roles.is_empty());
            let gone = directory.people().iter().any(|person| {
                !person.active && person.email.to_lowercase() == user.email.to_lowercase()
            });
            if user.linked_to.is_none() && has_roles && gone && !user.email.is_empty() {
                kept.insert(user.email.as_str());
            }
        }
        let named = preview.problems().iter().filter_map(|problem| match problem {
            Problem::UnassignedKeeps(email, ..) => Some(*email),
            _ => None,
        });
        prop_assert_eq!(named.collect::<BTreeSet<_>>(), kept);
    }

    #[test]
    fn the_order_of_the_directory_does_not_matter(
        workspace in workspace(),
        directory in directory(),
        mapping in mapping(),
        keys in vec(any::<Index>(), 8),
    ) {
        let groups = shuffled(directory.groups(), &keys).into_iter().map(|group| Group {
            members: shuffled(&group.members, &keys),
            ..group
        });
        let other = Directory::new(shuffled(directory.people(), &keys), groups.collect()).unwrap();
        let (one, two) =
            (Preview::new(&workspace, &directory, &mapping), Preview::new(&workspace, &other, &mapping));
        prop_assert_eq!(outcomes(&one), outcomes(&two));
        prop_assert_eq!(one.problems(), two.problems());
        prop_assert_eq!(one.summary(), two.summary());
    }

    #[test]
    fn what_is_applied_leaves_nothing_to_do(
        workspace in workspace(),
        directory in directory(),
        mapping in mapping(),
        later in directory(),
    ) {
        // Whoever must not install it has nobody's leave: this is about what installing does.
        let workspace = workspace.with_installed(mapping.clone());
        let preview = Preview::new(&workspace, &directory, &mapping);
        let rows = preview.rows().len();
        let after = preview.synchronise().unwrap().apply(|person| format!("new-{}", person.id)).unwrap();
        prop_assert_eq!(after.users().len(), rows);
        let again = Preview::new(&after, &directory, &mapping);
        prop_assert!(again.is_empty(), "{}", again);
        prop_assert_eq!(again.summary().created + again.summary().linked, 0);
        // And so from any state that it leads to.
        let second = Preview::new(&after, &later, &mapping);
        let after = second.synchronise().unwrap().apply(|person| format!("later-{}", person.id)).unwrap();
        prop_assert!(Preview::new(&after, &later, &mapping).is_empty());
    }

    #[test]
    fn nobody_is_locked_out_by_what_is_confirmed(
        workspace in workspace(),
        directory in directory(),
        mapping in mapping(),
        actor in 0..8usize,
    ) {
        let actor = format!("u{actor}");
        let may = |workspace: &Workspace| workspace.user(&actor).is_some_and(|user| {
            let standing = &user.standing;
            standing.active && mapping.manages_scim(standing.base_role, &standing.custom_roles)
        });
        let has_owner = |workspace: &Workspace| workspace.users().iter().any(|user| {
            user.standing.active && user.standing.base_role == BaseRole::Owner && user.linked_to.is_some()
        });
        let preview = || Preview::new(&workspace, &directory, &mapping);
        match preview().confirm(&actor, Guard::On) {
            Ok(confirmed) => {
                let after = confirmed.apply(|person| format!("new-{}", person.id)).unwrap();
                prop_assert!(may(&workspace) && may(&after) && has_owner(&after));
            }
            Err(Refusal::LockedOut(lockouts)) => {
                prop_assert_eq!(&lockouts, &preview().lockouts(Some(&actor)));
                let after = preview().confirm(&actor, Guard::Off).unwrap();
                let after = after.apply(|person| format!("new-{}", person.id)).unwrap();
                // Those to whom only the lack of a link gives anything are not counted in.
                let assigned = after.user(&actor).unwrap().linked_to.as_ref();
                let is_in = directory.people().iter().any(|person| person.active && Some(&person.id) == assigned);
                prop_assert_eq!(lockouts.contains(&Lockout::Actor), !(is_in && may(&after)));
            }
            Err(_) => prop_assert!(!may(&workspace)),
        }
    }

    #[test]
    fn uninstalling_takes_nothing_from_anybody(
        workspace in workspace(),
        directory in directory(),
        mapping in mapping(),
    ) {
        let workspace = workspace.with_installed(mapping.clone());
        let preview = Preview::new(&workspace, &directory, &mapping);
        let before = preview.synchronise().unwrap().apply(|person| format!("new-{}", person.id)).unwrap();
        let mut after = before.clone();
        after.uninstall();
        prop_assert!(after.installed().is_none());
        for (before, after) in before.users().iter().zip(after.users()) {
            let mut expected = before.standing.clone();
            release(&mut expected);
            expected.seats.by_groups = ByGroups::default();
            prop_assert_eq!((&after.standing, &after.linked_to), (&expected, &None));
        }
    }
}
