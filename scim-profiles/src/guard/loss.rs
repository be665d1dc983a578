//! What a change takes away, found out before it is made.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use scim_core::patch::Delta;
use scim_core::projection::Projection;
use scim_core::query::{Query, Start};
use scim_core::schema::{ResourceSchema, builtin};
use scim_core::store::{Deletion, Modification, Scope, Store, StoreError, Update};
use scim_core::{Resource, ResourceId, Value, Version};
use scim_filter::{BindOptions, Filter};

use super::protected::renamed;
use super::roles::lost;
use super::{Forbidden, Guard, Guards, Subject};
use crate::incident_io::{self, Access, RoleMapping};

/// What a change takes away.
#[derive(Debug, Default)]
pub(super) struct Loss<'a> {
    pub(super) deactivations: u64,
    pub(super) role_downgrades: u64,
    pub(super) member_removals: u64,
    /// What of it is not permitted at all, and why.
    pub(super) forbidden: Option<Forbidden>,
    /// Who leaves groups that may not be emptied.
    pub(super) leaving: Vec<Leaving<'a>>,
}

/// So many members leave a group that may not be emptied, and none comes.
#[derive(Debug)]
pub(super) struct Leaving<'a> {
    pub(super) schema: &'a ResourceSchema,
    pub(super) group: ResourceId,
    pub(super) name: String,
    pub(super) amount: usize,
}

impl Loss<'_> {
    /// Whether a change that takes this away needs no further look.
    pub(super) fn is_nothing(&self) -> bool {
        self.deactivations == 0
            && self.role_downgrades == 0
            && self.member_removals == 0
            && self.forbidden.is_none()
            && self.leaving.is_empty()
    }

    fn forbid(&mut self, guard: Guard, subject: Subject, why: &'static str) {
        self.forbidden.get_or_insert(Forbidden { guard, subject, why });
    }
}

/// Who has less of roles.
#[derive(Debug, Default)]
struct Losers {
    all: Vec<ResourceId>,
    /// The first of those who lose a protected role, with the role, and how many they are.
    first_of_protected: Option<(ResourceId, String)>,
    of_protected: usize,
}

/// A look at one change of what is in a store.
pub(super) struct Look<'a, S> {
    pub(super) store: &'a S,
    pub(super) guards: &'a Guards,
    pub(super) scope: Scope<'a>,
}

impl<'a, S: Store> Look<'a, S> {
    /// What `modification` takes away, and the modification bound to the version that was looked at, where
    /// it matters which one it is.
    pub(super) async fn at(
        &self,
        modification: Modification<'a>,
    ) -> Result<(Loss<'a>, Modification<'a>), StoreError> {
        if self.scope.schema.base().id == builtin::USER {
            self.user(modification).await
        } else if has_members(self.scope.schema) {
            Ok((self.group(&modification).await?, modification))
        } else {
            Ok((Loss::default(), modification))
        }
    }

    async fn user(&self, modification: Modification<'a>) -> Result<(Loss<'a>, Modification<'a>), StoreError> {
        let mut loss = Loss::default();
        if !self.guards.limits_users() && self.guards.protected.is_empty() {
            return Ok((loss, modification));
        }
        let (id, expected) = match &modification {
            Modification::Create { .. } => return Ok((loss, modification)),
            Modification::Replace { resource, expected, .. } => (resource.id(), Some(*expected)),
            Modification::Apply { id, expected, .. } => (Some((*id).clone()), *expected),
            Modification::Delete { id, deletion } => (Some((*id).clone()), deletion.expected),
        };
        // Who is not there is for the store to say.
        let Some(id) = id else { return Ok((loss, modification)) };
        let Some(before) = self.store.read(self.scope, &id, &Projection::default()).await? else {
            return Ok((loss, modification));
        };
        let version = before.version();
        if expected.is_some() && expected != version {
            return Err(StoreError::VersionMismatch);
        }
        let bound = match modification {
            Modification::Apply { id, update, .. } => {
                let mut after = before.clone();
                update.change.apply(&mut after);
                let after = self.settled(id, &before, Cow::Owned(after)).await?;
                self.user_becomes(&before, Some(&after), &mut loss);
                Modification::Apply { id, update, expected: version }
            }
            Modification::Delete { id, deletion } => {
                self.user_becomes(&before, None, &mut loss);
                self.leaves_groups(id, deletion.groups, &mut loss).await?;
                Modification::Delete { id, deletion: Deletion { expected: version, ..deletion } }
            }
            Modification::Replace { resource, .. } => {
                let after = self.settled(&id, &before, Cow::Borrowed(resource)).await?;
                self.user_becomes(&before, Some(&after), &mut loss);
                modification
            }
            Modification::Create { .. } => modification,
        };
        Ok((loss, bound))
    }

    /// What becomes of a user who was `before` and is written as `after`.
    async fn settled<'r>(
        &self,
        id: &ResourceId,
        before: &Resource,
        after: Cow<'r, Resource>,
    ) -> Result<Cow<'r, Resource>, StoreError> {
        let roles = &self.guards.roles;
        let is_assigned_again = !incident_io::is_assigned(before) && incident_io::is_assigned(&after);
        let groups = groups(self.scope).filter(|_| is_assigned_again && roles.mapping().is_some());
        let memberships = match groups {
            Some(groups) => self.store.memberships(groups, std::slice::from_ref(id)).await?,
            None => Vec::new(),
        };
        let names: Vec<&str> = memberships.iter().filter_map(|one| one.display.as_deref()).collect();
        Ok(roles.settled(before, &after, &names).map_or(after, Cow::Owned))
    }

    /// What a user loses who was `before`, and is `after`, or is no more.
    fn user_becomes(&self, before: &Resource, after: Option<&Resource>, loss: &mut Loss<'_>) {
        let Guards { protected, roles, .. } = self.guards;
        let deactivated = after.is_none_or(|after| roles.is_active(before) && !roles.is_active(after));
        let downgraded = after.is_some_and(|after| roles.is_downgrade(before, after));
        loss.deactivations = u64::from(deactivated);
        loss.role_downgrades = u64::from(downgraded);
        let name = called(before, "userName");
        if protected.user(before) {
            let mut forbid = |why| loss.forbid(Guard::ProtectedUser, Subject::user(&name), why);
            if deactivated {
                forbid(if after.is_some() { "it cannot be deactivated" } else { "it cannot be deleted" });
            }
            if downgraded {
                forbid("it cannot lose a role");
            }
            if after.is_some_and(|after| renamed(self.scope.schema, "userName", before, after)) {
                forbid("its userName cannot change");
            }
            // Without the address by which it is protected it would be nobody in particular.
            let is_kept =
                |after: &Resource, address| protected.addresses(after).any(|other| same(other, address));
            let mut addresses = protected.addresses(before);
            if after.is_some_and(|after| addresses.any(|address| !is_kept(after, address))) {
                forbid("its e-mail address cannot change");
            }
        }
        let mut held =
            roles.held(before).into_iter().filter(|role| self.guards.protects_role(role)).peekable();
        if let Some(role) = held.peek().filter(|_| deactivated) {
            let done = match after {
                Some(_) => "whoever has it cannot be deactivated",
                None => "whoever has it cannot be deleted",
            };
            loss.forbid(Guard::ProtectedRole, Subject::role(role, &name), done);
        }
        if let Some(after) = after.filter(|_| downgraded) {
            let kept = roles.held(after);
            if let Some(role) = held.find(|role| !kept.iter().any(|kept| same(kept, role))) {
                loss.forbid(Guard::ProtectedRole, Subject::role(role, &name), LOST_ROLE);
            }
        }
    }

    /// The protected groups that a user leaves who is deleted.
    async fn leaves_groups(
        &self,
        id: &ResourceId,
        types: &'a [std::sync::Arc<ResourceSchema>],
        loss: &mut Loss<'a>,
    ) -> Result<(), StoreError> {
        if !self.guards.protected.has_groups() {
            return Ok(());
        }
        for schema in types {
            let groups = Scope { schema, ..self.scope };
            for membership in self.store.memberships(groups, std::slice::from_ref(id)).await? {
                let name = membership.display.as_deref();
                if self.guards.protected.group_named(membership.group.as_str(), name) {
                    let name = name.unwrap_or(membership.group.as_str()).to_owned();
                    loss.leaving.push(Leaving { schema, group: membership.group, name, amount: 1 });
                }
            }
        }
        Ok(())
    }

    async fn group(&self, modification: &Modification<'a>) -> Result<Loss<'a>, StoreError> {
        let mut loss = Loss::default();
        let Guards { protected, roles, member_removals, .. } = self.guards;
        let mapping = roles.mapping();
        let Some(change) = GroupChange::of(modification) else { return Ok(loss) };
        let before = if protected.has_groups() || mapping.is_some() {
            let head = Projection::without(MEMBERS);
            let Some(before) = self.store.read(self.scope, &change.id, &head).await? else { return Ok(loss) };
            if change.expected.is_some() && change.expected != before.version() {
                return Err(StoreError::VersionMismatch);
            }
            Some(before)
        } else if member_removals.is_none() {
            return Ok(loss);
        } else {
            None
        };
        let removed = self.removed(&change).await?;
        loss.member_removals = u64::try_from(removed).unwrap_or(u64::MAX);
        let Some(before) = before else { return Ok(loss) };
        if protected.group(&before) {
            let name = called(&before, "displayName");
            let mut forbid = |why| loss.forbid(Guard::ProtectedGroup, Subject::group(&name), why);
            match &change.name {
                Name::Gone => forbid("it cannot be deleted"),
                Name::Stays => {}
                Name::Is(new) => {
                    let mut after = Resource::default();
                    if let Some(new) = new {
                        after.0.insert("displayName", *new);
                    }
                    if renamed(self.scope.schema, "displayName", &before, &after) {
                        forbid("its displayName cannot change");
                    }
                }
            }
            if removed > 0 && !change.members.come() {
                let schema = self.scope.schema;
                loss.leaving.push(Leaving { schema, group: change.id.clone(), name, amount: removed });
            }
        }
        if let Some(mapping) = mapping {
            self.access_lost(mapping, &before, &change, &mut loss).await?;
        }
        Ok(loss)
    }

    /// How many members a change takes out of a group.
    async fn removed(&self, change: &GroupChange<'_>) -> Result<usize, StoreError> {
        match &change.members {
            Members::Stay => Ok(0),
            Members::Leave(some, _) if some.is_empty() => Ok(0),
            Members::Leave(some, _) => {
                Ok(self.store.members_among(self.scope, &change.id, some).await?.len())
            }
            Members::Become(new) => {
                let count = self.store.count_members(self.scope, &change.id).await?;
                if count == 0 || new.is_empty() {
                    return Ok(count);
                }
                let stay = self.store.members_among(self.scope, &change.id, new).await?.len();
                Ok(count.saturating_sub(stay))
            }
        }
    }

    /// Who has less by the groups they are in, where these give roles. It is the change's
    /// [turn](super::stake).
    async fn access_lost(
        &self,
        mapping: &RoleMapping,
        before: &Resource,
        change: &GroupChange<'_>,
        loss: &mut Loss<'_>,
    ) -> Result<(), StoreError> {
        let name = before.get("displayName").and_then(Value::as_str);
        let Some(gave) = name.and_then(|name| mapping.group(name)) else { return Ok(()) };
        let nothing = Access::default();
        let gives = change.name.gives(mapping, gave, &nothing);
        let members = match &change.members {
            Members::Stay | Members::Leave(..) if !lost(gave, gives).is_empty() => {
                self.members(&change.id).await?
            }
            Members::Stay => return Ok(()),
            Members::Leave(some, _) => self.store.members_among(self.scope, &change.id, some).await?,
            Members::Become(_) => self.members(&change.id).await?,
        };
        let (leave, stay): (Vec<_>, Vec<_>) = match &change.members {
            Members::Stay => (Vec::new(), members),
            Members::Leave(some, _) => part(members, some, true),
            Members::Become(new) => part(members, new, false),
        };
        let mut losers = Losers::default();
        for (people, keep) in [(leave, &nothing), (stay, gives)] {
            if !lost(gave, keep).is_empty() {
                self.losers(mapping, &change.id, people, gave, keep, &mut losers).await?;
            }
        }
        loss.role_downgrades = u64::try_from(losers.all.len()).unwrap_or(u64::MAX);
        if let Some((id, role)) = &losers.first_of_protected {
            let subject = Subject::role(role, &self.name_of(id).await?);
            let more = losers.of_protected.saturating_sub(1);
            loss.forbid(Guard::ProtectedRole, subject.and(more, "one of "), LOST_ROLE);
        }
        self.protected_among(&losers.all, loss).await
    }

    /// Those of `people`, members of the group `id`, who have less when it gives them `gives` instead of
    /// `gave`.
    async fn losers(
        &self,
        mapping: &RoleMapping,
        id: &ResourceId,
        people: Vec<ResourceId>,
        gave: &Access,
        gives: &Access,
        losers: &mut Losers,
    ) -> Result<(), StoreError> {
        for some in people.chunks(PAGE) {
            let mut others: HashMap<ResourceId, Access> = HashMap::new();
            for membership in self.store.memberships(self.scope, some).await? {
                if membership.group != *id
                    && let Some(given) = membership.display.and_then(|name| mapping.group(&name))
                {
                    others.entry(membership.member).or_default().join(given);
                }
            }
            for person in some {
                let others = others.remove(person).unwrap_or_default();
                let (mut before, mut after) = (others.clone(), others);
                before.join(gave);
                after.join(gives);
                let lost = lost(&before, &after);
                if lost.is_empty() || !self.is_assigned(person).await? {
                    continue;
                }
                if let Some(role) = lost.iter().find(|role| self.guards.protects_role(role)) {
                    losers.of_protected += 1;
                    losers.first_of_protected.get_or_insert_with(|| (person.clone(), (*role).to_owned()));
                }
                losers.all.push(person.clone());
            }
        }
        Ok(())
    }

    /// Whether groups give the user anything: not to who is not assigned any more.
    async fn is_assigned(&self, id: &ResourceId) -> Result<bool, StoreError> {
        let Some(users) = users(self.scope) else { return Ok(true) };
        let user = self.store.read(users, id, &Projection::default()).await?;
        Ok(user.is_none_or(|user| incident_io::is_assigned(&user)))
    }

    /// Whether some of `losers` are protected users.
    async fn protected_among(&self, losers: &[ResourceId], loss: &mut Loss<'_>) -> Result<(), StoreError> {
        if losers.is_empty() || !self.guards.protected.has_users() {
            return Ok(());
        }
        let Some(users) = users(self.scope) else { return Ok(()) };
        let mut protected = HashSet::new();
        for user in self.guards.protected.users() {
            protected.insert(ResourceId::new(user));
            protected.extend(self.called(users, user).await?);
        }
        let mut found = losers.iter().filter(|id| protected.contains(*id));
        if let Some(first) = found.next() {
            let subject = Subject::user(&self.name_of(first).await?);
            let why = "it cannot lose a role";
            loss.forbid(Guard::ProtectedUser, subject.and(found.count(), ""), why);
        }
        Ok(())
    }

    /// The userName of the user `id`, or the `id`.
    async fn name_of(&self, id: &ResourceId) -> Result<String, StoreError> {
        let Some(users) = users(self.scope) else { return Ok(id.as_str().to_owned()) };
        let user = self.store.read(users, id, &Projection::default()).await?;
        Ok(user.map_or_else(|| id.as_str().to_owned(), |user| called(&user, "userName")))
    }

    /// The users with this userName or e-mail address, which several may have.
    async fn called(&self, users: Scope<'_>, name: &str) -> Result<Vec<ResourceId>, StoreError> {
        let name = Value::from(name);
        let filter = bound(users.schema, &format!("userName eq {name} or emails.value eq {name}"))?;
        let mut ids = Vec::new();
        loop {
            let start = Start::Index(ids.len() + 1);
            let query = Query { filter: Some(filter.clone()), start, count: PAGE, ..Query::default() };
            let page = self.store.query(users, &query).await?.resources;
            ids.extend(page.iter().filter_map(Resource::id));
            if page.len() < PAGE {
                return Ok(ids);
            }
        }
    }

    pub(super) async fn members(&self, id: &ResourceId) -> Result<Vec<ResourceId>, StoreError> {
        let group = self.store.read(self.scope, id, &Projection::default()).await?;
        Ok(group.map(|group| ids(group.get(MEMBERS))).unwrap_or_default())
    }
}

/// What a modification of a group says of its members and its name.
pub(super) struct GroupChange<'a> {
    pub(super) id: ResourceId,
    pub(super) expected: Option<Version>,
    pub(super) members: Members,
    pub(super) name: Name<'a>,
}

pub(super) enum Members {
    Stay,
    /// These leave; whether others come.
    Leave(Vec<ResourceId>, bool),
    /// These are all.
    Become(Vec<ResourceId>),
}

pub(super) enum Name<'a> {
    Stays,
    Is(Option<&'a str>),
    Gone,
}

impl Members {
    /// Whether there is somebody afterwards, whoever leaves.
    fn come(&self) -> bool {
        match self {
            Self::Stay => false,
            Self::Leave(_, come) => *come,
            Self::Become(new) => !new.is_empty(),
        }
    }
}

impl<'a> GroupChange<'a> {
    /// `None` for a creation, which takes nothing away.
    pub(super) fn of(modification: &Modification<'a>) -> Option<Self> {
        Some(match modification {
            Modification::Create { .. } => return None,
            Modification::Replace { resource, expected, .. } => Self {
                id: resource.id()?,
                expected: Some(*expected),
                members: Members::Become(ids(resource.get(MEMBERS))),
                name: Name::Is(resource.get("displayName").and_then(Value::as_str)),
            },
            Modification::Delete { id, deletion } => Self {
                id: (*id).clone(),
                expected: deletion.expected,
                members: Members::Become(Vec::new()),
                name: Name::Gone,
            },
            Modification::Apply { id, update, expected } => Self {
                id: (*id).clone(),
                expected: *expected,
                members: Members::of(update),
                name: Name::of(update),
            },
        })
    }
}

impl Members {
    fn of(update: &Update<'_>) -> Self {
        let mut members = Self::Stay;
        for write in &update.change.writes {
            if write.extension.is_none() && write.attribute.eq_ignore_ascii_case(MEMBERS) {
                members = Self::Become(ids(write.value.as_ref()));
            }
        }
        for delta in &update.change.deltas {
            if delta.attribute.eq_ignore_ascii_case(MEMBERS) {
                members = members.then(delta);
            }
        }
        members
    }

    fn then(self, delta: &Delta) -> Self {
        let added = delta.added.iter().filter_map(id);
        if delta.replace {
            return Self::Become(added.collect());
        }
        // Who goes and comes stays, with another name.
        let stay: HashSet<ResourceId> = delta.exchanged().filter_map(id).collect();
        let removed = delta.removed.iter().map(|id| ResourceId::new(id.clone()));
        let removed = removed.filter(|id| !stay.contains(id));
        match self {
            Self::Stay => Self::Leave(removed.collect(), !delta.added.is_empty()),
            Self::Leave(mut some, come) => {
                some.extend(removed);
                Self::Leave(some, come || !delta.added.is_empty())
            }
            Self::Become(mut all) => {
                let removed: HashSet<ResourceId> = removed.collect();
                all.retain(|id| !removed.contains(id));
                all.extend(added);
                Self::Become(all)
            }
        }
    }
}

impl<'a> Name<'a> {
    fn of(update: &'a Update<'a>) -> Self {
        let is_name = |write: &&scim_core::patch::Write| {
            write.extension.is_none() && write.attribute.eq_ignore_ascii_case("displayName")
        };
        match update.change.writes.iter().find(is_name) {
            None => Self::Stays,
            Some(write) => Self::Is(write.value.as_ref().and_then(Value::as_str)),
        }
    }
}

/// What a resource is called: by `attribute`, or its `id`.
fn called(resource: &Resource, attribute: &str) -> String {
    let text = |attribute| resource.get(attribute).and_then(Value::as_str);
    text(attribute).or_else(|| text("id")).unwrap_or_default().to_owned()
}

/// Whether resources of the type are guarded as groups.
pub(super) fn has_members(schema: &ResourceSchema) -> bool {
    schema.base().id != builtin::USER && schema.find(None, MEMBERS).is_some()
}

/// The users of the tenant of a scope.
pub(super) fn users(scope: Scope<'_>) -> Option<Scope<'_>> {
    if scope.schema.base().id == builtin::USER {
        return Some(scope);
    }
    // Groups alone concern users where they give roles, and there the types are these.
    Some(Scope { schema: incident_io::PROFILE.registry().by_name("User")?, ..scope })
}

/// The groups of the tenant of a scope, where they give roles.
fn groups(scope: Scope<'_>) -> Option<Scope<'_>> {
    Some(Scope { schema: incident_io::PROFILE.registry().by_name("Group")?, ..scope })
}

/// The filter that `text` says.
pub(super) fn bound(schema: &ResourceSchema, text: &str) -> Result<scim_filter::BoundFilter, StoreError> {
    let filter = Filter::parse(text).map_err(|error| StoreError::Internal(error.into()))?;
    filter.bind(schema, &BindOptions::default()).map_err(|error| StoreError::Internal(error.into()))
}

/// Those of `people` who are named, and the others; the other way round if not `named`.
pub(super) fn part(
    people: Vec<ResourceId>,
    names: &[ResourceId],
    named: bool,
) -> (Vec<ResourceId>, Vec<ResourceId>) {
    let fold = |id: &ResourceId| scim_filter::compare::fold(id.as_str()).into_owned();
    let names: HashSet<String> = names.iter().map(fold).collect();
    people.into_iter().partition(|id| names.contains(&fold(id)) == named)
}

fn ids(members: Option<&Value>) -> Vec<ResourceId> {
    members.and_then(Value::as_array).unwrap_or_default().iter().filter_map(id).collect()
}

fn id(member: &Value) -> Option<ResourceId> {
    member.as_object()?.get("value")?.as_str().map(ResourceId::new)
}

fn same(one: &str, other: &str) -> bool {
    scim_filter::compare::fold(one) == scim_filter::compare::fold(other)
}

pub(super) const MEMBERS: &str = "members";
const LOST_ROLE: &str = "whoever has it cannot lose it";
/// Members whose groups are looked up at once.
const PAGE: usize = 512;
