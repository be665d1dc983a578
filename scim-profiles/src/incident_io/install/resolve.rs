//! The rows of a preview.
//!
//! Every user, person and membership of a mapped group is looked at once; what belongs together is
//! found by hash, and people go by their place in the directory, so that a row costs a few words.

use std::borrow::Cow;
use std::collections::hash_map::{Entry, HashMap};

use scim_filter::compare;

use super::{Problem, Row};
use crate::incident_io::access::{Access, BaseRole, RoleMapping};
use crate::incident_io::directory::{Directory, Person};
use crate::incident_io::options::Deactivated;
use crate::incident_io::workspace::{Standing, User, Workspace};

/// Someone who is assigned.
struct Candidate<'a> {
    person: &'a Person,
    access: Access,
    user: Option<&'a User>,
}

pub(super) fn rows<'a>(
    workspace: &'a Workspace,
    directory: &'a Directory,
    mapping: &'a RoleMapping,
) -> (Vec<Row<'a>>, Vec<Problem<'a>>) {
    let mut problems = Vec::new();
    let mut assigned: Vec<Candidate<'a>> = directory
        .people()
        .iter()
        .filter(|person| person.active)
        .map(|person| Candidate { person, access: Access::default(), user: None })
        .collect();
    let places: HashMap<&str, usize> =
        assigned.iter().enumerate().map(|(place, candidate)| (candidate.person.id.as_str(), place)).collect();

    grant(directory, mapping, &places, &mut assigned, &mut problems);
    let left = link(workspace, mapping, &places, &mut assigned, &mut problems);
    name_kept(directory, &left, &mut problems);

    let mut rows = Vec::with_capacity(assigned.len() + left.len());
    rows.extend(assigned.into_iter().map(|candidate| {
        let to = standing(candidate.user, candidate.access, mapping);
        Row { person: Some(candidate.person), user: candidate.user, to }
    }));
    rows.extend(left.into_iter().map(|user| {
        let to =
            if user.linked_to.is_some() { unassigned(user, mapping) } else { Cow::Borrowed(&user.standing) };
        Row { person: None, user: Some(user), to }
    }));
    (rows, problems)
}

/// Gives the members of mapped groups what these are mapped to.
fn grant<'a>(
    directory: &'a Directory,
    mapping: &'a RoleMapping,
    places: &HashMap<&str, usize>,
    assigned: &mut [Candidate<'a>],
    problems: &mut Vec<Problem<'a>>,
) {
    let mut found: HashMap<Cow<'_, str>, usize> =
        mapping.groups().map(|(name, _)| (mapping.key(name), 0)).collect();
    let mut strangers = Strangers { directory, known: None };
    for group in directory.groups() {
        let Some(given) = mapping.group(&group.name) else { continue };
        if let Some(count) = found.get_mut(&mapping.key(&group.name)) {
            *count += 1;
        }
        let mut unknown: Option<(&str, usize)> = None;
        for member in &group.members {
            let candidate = places.get(member.as_str()).and_then(|place| assigned.get_mut(*place));
            if let Some(candidate) = candidate {
                candidate.access.join(given);
                continue;
            }
            match strangers.who(member) {
                Stranger::Unassigned => {}
                Stranger::Group(name) => problems.push(Problem::NestedGroup(&group.name, name)),
                Stranger::Nobody => {
                    let member = member.as_str();
                    unknown = Some(unknown.map_or((member, 0), |(first, n)| (first.min(member), n + 1)));
                }
            }
        }
        problems.extend(unknown.map(|(first, others)| Problem::UnknownMembers(&group.name, first, others)));
        for id in &group.nested {
            let name = match strangers.who(id) {
                Stranger::Group(name) => name,
                Stranger::Unassigned | Stranger::Nobody => id,
            };
            problems.push(Problem::NestedGroup(&group.name, name));
        }
    }
    let count = |name: &str| found.get(&mapping.key(name)).copied().unwrap_or_default();
    let missing: Vec<&str> = mapping.groups().map(|(name, _)| name).filter(|name| count(name) == 0).collect();
    let spelled_otherwise = spelled_otherwise(&missing, directory);
    problems.extend(mapping.groups().filter_map(|(name, _)| match count(name) {
        1 => None,
        0 => Some(match spelled_otherwise.get(&compare::fold(name)) {
            Some(Some(other)) => Problem::OtherCase(name, other),
            Some(None) | None => Problem::NoSuchGroup(name),
        }),
        _ => Some(Problem::SameGroupName(name)),
    }));
}

/// Members of groups who are nobody that is assigned.
struct Strangers<'a> {
    directory: &'a Directory,
    /// By their ids, those who are not assigned and the names of groups. Made with the first stranger: in most
    /// directories there is none.
    known: Option<HashMap<&'a str, Stranger<'a>>>,
}

/// Who such a member is.
#[derive(Clone, Copy)]
enum Stranger<'a> {
    /// A person who is not assigned, and is as good as not there.
    Unassigned,
    /// A group of this name.
    Group(&'a str),
    /// Nobody has that `id`.
    Nobody,
}

impl<'a> Strangers<'a> {
    fn who(&mut self, id: &str) -> Stranger<'a> {
        let directory = self.directory;
        let known = self.known.get_or_insert_with(|| {
            let groups = directory.groups().iter();
            let named = groups.filter_map(|group| Some((group.id.as_deref()?, Stranger::Group(&group.name))));
            let people = directory.people().iter().filter(|person| !person.active);
            named.chain(people.map(|person| (person.id.as_str(), Stranger::Unassigned))).collect()
        });
        known.get(id).copied().unwrap_or(Stranger::Nobody)
    }
}

/// By each of these names without case, the first name of a group that differs from it in case alone.
fn spelled_otherwise<'a>(
    missing: &[&'a str],
    directory: &'a Directory,
) -> HashMap<Cow<'a, str>, Option<&'a str>> {
    let mut found: HashMap<Cow<'a, str>, Option<&'a str>> =
        missing.iter().map(|name| (compare::fold(name), None)).collect();
    if found.is_empty() {
        return found;
    }
    for group in directory.groups() {
        if let Some(first) = found.get_mut(&compare::fold(&group.name)) {
            *first = Some(first.map_or(group.name.as_str(), |first| first.min(&group.name)));
        }
    }
    found
}

/// Who has one e-mail address.
struct Address {
    /// The place of the person who is linked by it, unless they have a user.
    person: usize,
    /// The place, among the users who are linked to nobody, of the one to link.
    user: Option<usize>,
}

/// Links users to people, and returns the users who are linked to nobody who is assigned.
fn link<'a>(
    workspace: &'a Workspace,
    mapping: &RoleMapping,
    places: &HashMap<&str, usize>,
    assigned: &mut [Candidate<'a>],
    problems: &mut Vec<Problem<'a>>,
) -> Vec<&'a User> {
    let mut left = Vec::new();
    for user in workspace.users() {
        let place = user.linked_to.as_deref().and_then(|id| places.get(id));
        match place.and_then(|place| assigned.get_mut(*place)) {
            Some(candidate) => candidate.user = Some(user),
            None => left.push(user),
        }
    }

    let mut addresses = addresses(assigned, problems);
    // Users come in the order of their ids: of several alike, the first is linked.
    for (place, user) in left.iter().enumerate() {
        let active = user.standing.active;
        if !active && mapping.options().deactivated == Deactivated::Leave {
            continue;
        }
        let Some(address) = addresses.get_mut(&folded(&user.email)) else { continue };
        let former = address.user.and_then(|place| left.get(place));
        if former.is_none_or(|former| active && !former.standing.active) {
            address.user = Some(place);
        }
    }
    let mut is_linked = vec![false; left.len()];
    for address in addresses.into_values() {
        let Some(candidate) = assigned.get_mut(address.person) else { continue };
        if let (None, Some(place)) = (candidate.user, address.user) {
            candidate.user = left.get(place).copied();
            if let Some(is_linked) = is_linked.get_mut(place) {
                *is_linked = true;
            }
        }
    }
    left.into_iter().zip(is_linked).filter(|(_, is_linked)| !is_linked).map(|(user, _)| user).collect()
}

/// The people by e-mail address: of several with the same, one who has no user goes first, and then the one whose
/// id does. Nobody is linked by the lack of an address.
fn addresses<'a>(
    assigned: &[Candidate<'a>],
    problems: &mut Vec<Problem<'a>>,
) -> HashMap<Cow<'a, str>, Address> {
    let rank = |place: usize| {
        assigned.get(place).map(|candidate| (candidate.user.is_some(), candidate.person.id.as_str()))
    };
    let mut addresses = HashMap::with_capacity(assigned.len());
    let mut twins = Vec::new();
    for (place, candidate) in assigned.iter().enumerate() {
        if candidate.person.email.is_empty() {
            problems.push(Problem::NoEmail(&candidate.person.id));
            continue;
        }
        match addresses.entry(folded(&candidate.person.email)) {
            Entry::Vacant(entry) => drop(entry.insert(Address { person: place, user: None })),
            Entry::Occupied(mut entry) => {
                let other = entry.get().person;
                if rank(place) < rank(other) {
                    entry.get_mut().person = place;
                    twins.push(other);
                } else {
                    twins.push(place);
                }
            }
        }
    }
    for Candidate { person, .. } in twins.into_iter().filter_map(|place| assigned.get(place)) {
        let first = addresses.get(&folded(&person.email)).and_then(|one| assigned.get(one.person));
        problems.extend(first.map(|first| Problem::SameEmail(&first.person.id, &person.id)));
    }
    addresses
}

/// Names the users who keep roles as *Unlinked* though the directory has their person, who is not assigned.
fn name_kept<'a>(directory: &'a Directory, left: &[&'a User], problems: &mut Vec<Problem<'a>>) {
    let has_roles = |standing: &Standing| {
        standing.active && (standing.base_role > BaseRole::Standard || !standing.custom_roles.is_empty())
    };
    let is_kept =
        |user: &&&User| user.linked_to.is_none() && !user.email.is_empty() && has_roles(&user.standing);
    let mut found: HashMap<Cow<'_, str>, Option<&'a str>> =
        left.iter().filter(is_kept).map(|user| (folded(&user.email), None)).collect();
    if found.is_empty() {
        return;
    }
    for person in directory.people().iter().filter(|person| !person.active) {
        if let Some(first) = found.get_mut(&folded(&person.email)) {
            *first = Some(first.map_or(person.id.as_str(), |first| first.min(&person.id)));
        }
    }
    problems.extend(left.iter().filter(is_kept).filter_map(|user| {
        let person = found.get(&folded(&user.email)).copied().flatten()?;
        Some(Problem::UnassignedKeeps(&user.email, user.standing.base_role, person))
    }));
}

/// An e-mail address without case. Nearly all are ASCII, of which nothing need be looked up.
fn folded(email: &str) -> Cow<'_, str> {
    if !email.is_ascii() {
        compare::fold(email)
    } else if email.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(email.to_ascii_lowercase())
    } else {
        Cow::Borrowed(email)
    }
}

/// What someone who is assigned will be and have.
fn standing<'a>(user: Option<&'a User>, access: Access, mapping: &RoleMapping) -> Cow<'a, Standing> {
    let Some(now) = user.map(|user| &user.standing) else {
        return Cow::Owned(Standing::default().assigned(access, mapping.options()));
    };
    let to = now.assigned(access, mapping.options());
    if to == *now { Cow::Borrowed(now) } else { Cow::Owned(to) }
}

/// What a user will be and have whose person is not assigned any more.
fn unassigned<'a>(user: &'a User, mapping: &RoleMapping) -> Cow<'a, Standing> {
    let now = &user.standing;
    let to = now.unassigned(user.in_slack, mapping.options());
    if to == *now { Cow::Borrowed(now) } else { Cow::Owned(to) }
}
