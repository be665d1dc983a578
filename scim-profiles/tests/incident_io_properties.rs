//! Resolution of access and the preview of an installation, on arbitrary organisations, beside a plain
//! twin that compares everybody with everybody.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::collections::BTreeSet;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use scim_profiles::incident_io::{
    Access, BaseRole, Deactivated, Directory, ElevatedSeat, Group, Guard, InSlack, Lockout, OnCallSeat,
    Options, Person, Preview, Refusal, RoleMapping, Seats, Standing, User, Workspace,
};

const GROUPS: [&str; 5] = ["g0", "g1", "g2", "g3", "g4"];
const ROLES: [&str; 3] = ["r0", "r1", "r2"];
/// Five addresses, two of which are one.
const EMAILS: [&str; 6] = ["a@x.example", "A@X.example", "b@x.example", "c@x.example", "é@x.example", "d@y"];

fn base_role() -> impl Strategy<Value = BaseRole> {
    select(&BaseRole::ALL[..])
}

fn options() -> impl Strategy<Value = Options> {
    any::<[bool; 4]>().prop_map(|[on_call, custom, leave, keep]| {
        let mut options = Options::default();
        options.elevated_seat = if on_call { ElevatedSeat::OnCall } else { ElevatedSeat::Responder };
        options.custom_roles_need_paid_seat = custom;
        options.deactivated = if leave { Deactivated::Leave } else { Deactivated::Link };
        options.in_slack = if keep { InSlack::Keep } else { InSlack::Standard };
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
        };
        let people = people.into_iter().enumerate().map(person).collect();
        Directory::new(people, groups.into_iter().map(group).collect()).unwrap()
    })
}

fn standing() -> impl Strategy<Value = Standing> {
    let seat = select(&[OnCallSeat::None, OnCallSeat::Held, OnCallSeat::Managed][..]);
    let roles = subsequence(&ROLES[..], 0..=2);
    (any::<[bool; 2]>(), base_role(), roles, seat).prop_map(
        |([active, response], base_role, roles, on_call)| Standing {
            active,
            base_role,
            custom_roles: roles.into_iter().map(Into::into).collect(),
            seats: Seats { response, on_call },
        },
    )
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
        let first = assigned
            .iter()
            .filter(|other| same(&other.email))
            .min_by_key(|other| (linked(other).is_none(), &other.id))
            .unwrap();
        if linked(person).is_none() && first.id != person.id {
            continue;
        }
        let found = users
            .iter()
            .filter(|user| is_free(user) && same(&user.email))
            .filter(|user| user.standing.active || options.deactivated == Deactivated::Link)
            .min_by_key(|user| (!user.standing.active, &user.id));
        let user = linked(person).or(found);
        let groups = directory.groups().iter().filter(|group| group.members.contains(&person.id));
        let mut to = user.map(|user| user.standing.clone()).unwrap_or_default();
        let given: Vec<&Access> = groups.filter_map(|group| mapping.group(&group.name)).collect();
        to.active = true;
        to.base_role = given.iter().map(|access| access.base_role).max().unwrap_or_default();
        to.custom_roles = given.iter().flat_map(|access| access.custom_roles.clone()).collect();
        release(&mut to);
        if given.iter().any(|access| access.on_call) {
            to.seats.on_call = OnCallSeat::Managed;
        }
        let elevated = to.base_role != BaseRole::Standard
            || options.custom_roles_need_paid_seat && !to.custom_roles.is_empty();
        if elevated && to.seats.on_call == OnCallSeat::None && !to.seats.response {
            match options.elevated_seat {
                ElevatedSeat::Responder => to.seats.response = true,
                ElevatedSeat::OnCall => to.seats.on_call = OnCallSeat::Held,
            }
        }
        outcomes.push((Some(person.id.clone()), user.map(|user| user.id.clone()), to));
    }
    for user in users {
        if outcomes.iter().any(|(_, id, _)| id.as_ref() == Some(&user.id)) {
            continue;
        }
        let mut to = user.standing.clone();
        if user.linked_to.is_some() {
            to.active &= user.in_slack;
            release(&mut to);
            if to.active && options.in_slack == InSlack::Standard {
                to.base_role = BaseRole::Standard;
                to.custom_roles.clear();
            }
        }
        outcomes.push((None, Some(user.id.clone()), to));
    }
    outcomes.iter().map(|outcome| format!("{outcome:?}")).collect()
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
        seats in standing().prop_map(|standing| standing.seats),
    ) {
        let access = mapping.resolve(few.iter().copied());
        let wider = mapping.resolve(few.union(&more).copied());
        prop_assert!(wider >= access);
        prop_assert!(mapping.permissions(&wider.custom_roles).is_superset(&mapping.permissions(&access.custom_roles)));
        let (given, wider) = (seats.given(&access, mapping.options()), seats.given(&wider, mapping.options()));
        prop_assert!(wider.is_paid() >= given.is_paid());
        prop_assert!(wider.on_call.is_held() >= seats.on_call.is_held() && given.response >= seats.response);
    }

    #[test]
    fn the_order_of_groups_does_not_matter(
        mapping in mapping(),
        groups in vec(select(&GROUPS[..]), 0..8),
        keys in vec(any::<Index>(), 8),
    ) {
        let access = mapping.resolve(groups.iter().copied());
        prop_assert_eq!(mapping.resolve(shuffled(&groups, &keys)), access.clone());
        prop_assert_eq!(mapping.resolve(groups.iter().chain(&groups).copied()), access);
    }

    #[test]
    fn the_preview_is_the_models(workspace in workspace(), directory in directory(), mapping in mapping()) {
        let preview = Preview::new(&workspace, &directory, &mapping);
        prop_assert_eq!(outcomes(&preview), model(&workspace, &directory, &mapping));
        let changes = preview.rows().iter().filter(|row| row.actions().iter().any(|action| action.is_change()));
        prop_assert_eq!(preview.changes().count(), changes.count());
        prop_assert_eq!(preview.is_empty(), preview.changes().count() == 0);
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
            prop_assert_eq!((&after.standing, &after.linked_to), (&expected, &None));
        }
    }
}
