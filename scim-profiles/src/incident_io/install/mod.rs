//! What installing SCIM, or the next synchronisation, changes: seen before it is done.

mod resolve;
mod show;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use super::access::{Access, BaseRole, RoleMapping};
use super::directory::{Directory, Person};
use super::seats::OnCallSeat;
use super::workspace::{Standing, User, Workspace, WorkspaceError};

pub use show::Summary;

/// What becomes of every user of a [`Workspace`] when a [`RoleMapping`] meets a [`Directory`]: the
/// preview of an installation, and, once installed, of the next synchronisation.
///
/// It is a pure function of the three, in time and memory linear in users and memberships. It prints
/// as a table and becomes JSON by [`to_value`](Self::to_value). Nothing is done before
/// [`confirm`](Self::confirm) and [`apply`](Confirmed::apply).
///
/// ```
/// use scim_profiles::incident_io::*;
///
/// let ada = Standing { base_role: BaseRole::Owner, ..Standing::default() };
/// let workspace = Workspace::new(vec![
///     User { id: "01".into(), email: "Ada@example.com".into(), standing: ada, ..User::default() },
/// ])?;
/// let person = |id: &str, email: &str| Person { id: id.into(), email: email.into(), active: true };
/// let directory = Directory::new(
///     vec![person("a", "ada@example.com"), person("b", "bo@example.com")],
///     vec![Group { name: "Platform".into(), members: vec!["a".into()], ..Group::default() }],
/// )?;
/// let mapping = RoleMapping::new().with_base_role("Platform", BaseRole::Owner);
///
/// let preview = Preview::new(&workspace, &directory, &mapping);
/// let actions: Vec<_> = preview.rows().iter().map(|row| (row.email(), row.actions())).collect();
/// // The owner needs a paid seat, which is part of the upgrade.
/// assert_eq!(actions[0], ("ada@example.com", vec![Action::Link, Action::Upgrade]));
/// assert_eq!(actions[1], ("bo@example.com", vec![Action::Create]));
///
/// let after = preview.confirm("01", Guard::On)?.apply(|person| format!("u-{}", person.id))?;
/// assert!(Preview::new(&after, &directory, &mapping).is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Preview<'a> {
    workspace: &'a Workspace,
    mapping: &'a RoleMapping,
    rows: Vec<Row<'a>>,
    problems: Vec<Problem<'a>>,
}

/// What becomes of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row<'a> {
    /// The person of the directory; `None` for a user whom nobody assigned is.
    pub person: Option<&'a Person>,
    /// The user as they are; `None` for one who will be created.
    pub user: Option<&'a User>,
    /// What the user will be and have.
    pub to: Cow<'a, Standing>,
}

/// Something that happens to a user, or deliberately does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Action {
    /// The person has no user yet and gets one.
    Create,
    /// A user who is linked to nobody, or to somebody who is gone, is linked to the person with the same
    /// e-mail address.
    Link,
    /// A deactivated user becomes active.
    Reactivate,
    /// The user's person is not assigned any more: the user is deactivated.
    Deactivate,
    /// The user's person is not assigned any more; the user stays active as a member of the Slack workspace.
    StayBySlack,
    /// Roles or seats become more.
    Upgrade,
    /// The base role becomes lower, whatever else there is more of; or roles, or a seat that came with them, become
    /// fewer.
    Downgrade,
    /// Roles or seats become others: some more, some fewer, and the base role no lower.
    Change,
    /// From now on a group gives the on-call seat the user has, and it cannot be revoked by hand.
    ManageSeat,
    /// No group gives the on-call seat any more: the user keeps it, and it can be revoked by hand.
    ReleaseSeat,
    /// Nobody in the directory has the user's e-mail address: the user keeps everything, as *Unlinked*.
    LeaveUnlinked,
}

impl Action {
    /// The word for it in tables and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Link => "link",
            Self::Reactivate => "reactivate",
            Self::Deactivate => "deactivate",
            Self::StayBySlack => "stay by Slack",
            Self::Upgrade => "upgrade",
            Self::Downgrade => "downgrade",
            Self::Change => "change",
            Self::ManageSeat => "manage seat",
            Self::ReleaseSeat => "release seat",
            Self::LeaveUnlinked => "leave unlinked",
        }
    }

    /// Whether something happens, other than that somebody is left as they are.
    pub const fn is_change(self) -> bool {
        !matches!(self, Self::LeaveUnlinked | Self::StayBySlack)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Row<'_> {
    /// The e-mail address, as the directory spells it where it has the person.
    pub fn email(&self) -> &str {
        match (self.person, self.user) {
            (Some(person), _) => &person.email,
            (None, Some(user)) => &user.email,
            (None, None) => "",
        }
    }

    /// Everything that happens to the user.
    pub fn actions(&self) -> Vec<Action> {
        let Some(user) = self.user else { return vec![Action::Create] };
        let (from, to) = (&user.standing, &*self.to);
        let mut actions = Vec::new();
        match (self.person, user.linked_to.as_deref()) {
            (Some(person), linked_to) if linked_to != Some(person.id.as_str()) => actions.push(Action::Link),
            (None, None) => actions.push(Action::LeaveUnlinked),
            (None, Some(_)) if to.active => actions.push(Action::StayBySlack),
            _ => {}
        }
        match (from.active, to.active) {
            (false, true) => actions.push(Action::Reactivate),
            (true, false) => actions.push(Action::Deactivate),
            _ => {}
        }
        match movement(from, to) {
            Some(Ordering::Equal) => {}
            Some(Ordering::Less) => actions.push(Action::Upgrade),
            Some(Ordering::Greater) => actions.push(Action::Downgrade),
            None => actions.push(Action::Change),
        }
        match (from.seats.on_call, to.seats.on_call) {
            (OnCallSeat::Held, OnCallSeat::Managed) => actions.push(Action::ManageSeat),
            (OnCallSeat::Managed, OnCallSeat::Held) => actions.push(Action::ReleaseSeat),
            _ => {}
        }
        actions
    }

    /// Whether anything happens to the user.
    pub fn is_change(&self) -> bool {
        let Some(user) = self.user else { return true };
        let is_linked_anew =
            self.person.is_some_and(|person| user.linked_to.as_deref() != Some(person.id.as_str()));
        // A borrowed standing is the user's own.
        is_linked_anew || matches!(&self.to, Cow::Owned(to) if *to != user.standing)
    }
}

/// How what someone has relates to what they will have. A lower base role is less, whatever comes beside it: who looks
/// for whom an installation takes rights from looks among the downgrades.
fn movement(from: &Standing, to: &Standing) -> Option<Ordering> {
    if from.base_role > to.base_role {
        return Some(Ordering::Greater);
    }
    let access = |standing: &Standing| Access {
        base_role: standing.base_role,
        custom_roles: standing.custom_roles.clone(),
        on_call: standing.seats.on_call.is_held(),
    };
    match (access(from).partial_cmp(&access(to)), from.seats.response.cmp(&to.seats.response)) {
        (Some(Ordering::Equal), order) => Some(order),
        (order, Ordering::Equal) => order,
        (Some(order), other) if order == other => Some(order),
        _ => None,
    }
}

/// Something in the directory or the mapping that is probably not meant so. It holds nothing up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Problem<'a> {
    /// The mapping names a group that the directory does not have.
    NoSuchGroup(&'a str),
    /// The mapping names a group that the directory does not have, and has one whose name, which comes second,
    /// differs in case alone. Where [names count in any case](super::GroupNames::AnyCase) that is the group.
    OtherCase(&'a str, &'a str),
    /// The directory has several groups of a mapped name; all of them give what it is mapped to.
    SameGroupName(&'a str),
    /// A mapped group, whose name comes first, has members whose ids are those of nobody in the directory: the
    /// first of them by `id`, and how many there are besides. They get nothing by the group. Members are named by `id`,
    /// not by userName or e-mail address.
    UnknownMembers(&'a str, &'a str, usize),
    /// A mapped group, whose name comes first, has another as a member, which comes by its name, or its id where
    /// it is not in the directory. Whoever is in that one gets nothing by it.
    NestedGroup(&'a str, &'a str),
    /// Two people who are assigned have the same e-mail address: each has a user, and one of them alone is linked
    /// to a user that has this address.
    SameEmail(&'a str, &'a str),
    /// A person who is assigned has no e-mail address: nobody is linked by it, and a user is created.
    NoEmail(&'a str),
    /// A user, whose e-mail address comes first, keeps this base role, and custom roles, as *Unlinked*, though a person
    /// with that address is in the directory, whose `id` comes last: the person is not assigned, and as good as not
    /// there.
    UnassignedKeeps(&'a str, BaseRole, &'a str),
}

impl fmt::Display for Problem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchGroup(name) => {
                write!(f, "the mapped group `{}` is not in the directory", name.escape_debug())
            }
            Self::OtherCase(name, other) => write!(
                f,
                "the mapped group `{}` is not in the directory, which has `{}`: names of groups count with \
                 their case",
                name.escape_debug(),
                other.escape_debug()
            ),
            Self::SameGroupName(name) => {
                write!(
                    f,
                    "several groups are called `{}`: all of them give what it is mapped to",
                    name.escape_debug()
                )
            }
            Self::UnknownMembers(group, first, others) => {
                write!(f, "the member `{}` of the group `{}`", first.escape_debug(), group.escape_debug())?;
                match others {
                    0 => f.write_str(" is nobody's `id`: it gets nothing by the group"),
                    1 => f.write_str(" and 1 other are nobody's `id`: they get nothing by the group"),
                    _ => write!(f, " and {others} others are nobody's `id`: they get nothing by the group"),
                }
            }
            Self::NestedGroup(group, member) => write!(
                f,
                "the group `{}` has the group `{}` as a member, whose own members get nothing by it",
                group.escape_debug(),
                member.escape_debug()
            ),
            Self::SameEmail(first, second) => write!(
                f,
                "the people `{}` and `{}` have the same e-mail address: each has a user of their own, of whom one \
                 can be linked by it",
                first.escape_debug(),
                second.escape_debug()
            ),
            Self::NoEmail(person) => write!(
                f,
                "the person `{}` has no e-mail address: no user can be linked to them",
                person.escape_debug()
            ),
            Self::UnassignedKeeps(email, base_role, person) => write!(
                f,
                "the user `{}` stays active and {base_role}, with all roles they have: the person `{}`, who has the \
                 address, is not assigned, and so the user is left unlinked",
                email.escape_debug(),
                person.escape_debug()
            ),
        }
    }
}

/// A way in which nobody, or not the one who confirms, could change the SCIM settings afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lockout {
    /// No group is mapped to owner.
    NoOwnerGroup,
    /// No group that is mapped to owner has an active member.
    NoOwner,
    /// Who confirms is in no group that lets them manage SCIM.
    Actor,
}

impl fmt::Display for Lockout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoOwnerGroup => "no group is mapped to owner",
            Self::NoOwner => "no group that is mapped to owner has an active member",
            Self::Actor => "you are in no group that lets you manage SCIM, and would be locked out",
        })
    }
}

/// Whether a [`Lockout`] holds an installation up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Guard {
    /// It does.
    #[default]
    On,
    /// It does not: the vendor's support will have to let somebody in.
    Off,
}

/// Why an installation cannot be confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Who confirms is no active user.
    UnknownActor,
    /// Who confirms is neither owner nor may manage security settings.
    NotPermitted,
    /// Somebody would be locked out; [`Guard::Off`] installs all the same.
    LockedOut(Vec<Lockout>),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownActor => f.write_str("only an active user can install SCIM"),
            Self::NotPermitted => {
                f.write_str("only an owner, or who may manage security settings, can install SCIM")
            }
            Self::LockedOut(lockouts) => {
                for (index, lockout) in lockouts.iter().enumerate() {
                    let separator = if index == 0 { "" } else { "; " };
                    write!(f, "{separator}{lockout}")?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for Refusal {}

impl<'a> Preview<'a> {
    /// What becomes of the users of `workspace` when `mapping` meets `directory`.
    pub fn new(workspace: &'a Workspace, directory: &'a Directory, mapping: &'a RoleMapping) -> Self {
        let (rows, mut problems) = resolve::rows(workspace, directory, mapping);
        problems.sort_unstable();
        Self { workspace, mapping, rows, problems }
    }

    /// What becomes of each user: people in the order of the directory, then users whom nobody
    /// assigned is, in the order of their ids. Those to whom nothing happens are among them.
    pub fn rows(&self) -> &[Row<'a>] {
        &self.rows
    }

    /// What becomes of those to whom something happens.
    pub fn changes(&self) -> impl Iterator<Item = &Row<'a>> {
        self.rows.iter().filter(|row| row.is_change())
    }

    /// Whether nothing happens to anybody.
    pub fn is_empty(&self) -> bool {
        self.changes().next().is_none()
    }

    /// What is probably not meant so.
    pub fn problems(&self) -> &[Problem<'a>] {
        &self.problems
    }

    /// Who would be locked out, and whether the user `actor` would, who confirms, where that is known.
    ///
    /// Only groups count, and of their members those who are assigned: that a user whom nobody assigned is keeps
    /// the owner's role, also one whose person is in the directory, lets nobody in who is made sure of.
    pub fn lockouts(&self, actor: Option<&str>) -> Vec<Lockout> {
        let mut lockouts = Vec::new();
        let assigned = || self.rows.iter().filter(|row| row.person.is_some());
        if !self.mapping.groups().any(|(_, access)| access.base_role == BaseRole::Owner) {
            lockouts.push(Lockout::NoOwnerGroup);
        } else if !assigned().any(|row| row.to.base_role == BaseRole::Owner) {
            lockouts.push(Lockout::NoOwner);
        }
        let manages = |row: &Row<'_>| self.mapping.manages_scim(row.to.base_role, &row.to.custom_roles);
        if let Some(actor) = actor {
            let is_actor = |row: &&Row<'_>| row.user.is_some_and(|user| user.id == actor);
            if !assigned().find(is_actor).is_some_and(manages) {
                lockouts.push(Lockout::Actor);
            }
        }
        lockouts
    }

    /// The confirmation of an installation, or of a new mapping, by the user `actor`.
    ///
    /// # Errors
    ///
    /// The user may not install SCIM, or `guard` is on and somebody would be locked out.
    pub fn confirm(self, actor: &str, guard: Guard) -> Result<Confirmed<'a>, Refusal> {
        let Some(now) = self.workspace.user(actor).filter(|user| user.standing.active) else {
            return Err(Refusal::UnknownActor);
        };
        // The mapping to come is the one that knows the custom roles, unless there is one already.
        let roles = self.workspace.installed().unwrap_or(self.mapping);
        if !roles.manages_scim(now.standing.base_role, &now.standing.custom_roles) {
            return Err(Refusal::NotPermitted);
        }
        let lockouts = self.lockouts(Some(actor));
        if guard == Guard::On && !lockouts.is_empty() {
            return Err(Refusal::LockedOut(lockouts));
        }
        Ok(Confirmed(self))
    }

    /// What needs no confirmation: a synchronisation, where the mapping is the one in force. `None` if
    /// it is not.
    pub fn synchronise(self) -> Option<Confirmed<'a>> {
        (self.workspace.installed() == Some(self.mapping)).then_some(Confirmed(self))
    }
}

/// A [`Preview`] that may be carried out.
#[derive(Clone, Debug)]
pub struct Confirmed<'a>(Preview<'a>);

impl<'a> Confirmed<'a> {
    /// The preview.
    pub fn preview(&self) -> &Preview<'a> {
        &self.0
    }

    /// The workspace as it is afterwards, with SCIM installed. `new_id` makes the id of a user who is
    /// created.
    ///
    /// # Errors
    ///
    /// `new_id` made an id that there is.
    pub fn apply(self, mut new_id: impl FnMut(&Person) -> String) -> Result<Workspace, WorkspaceError> {
        let Preview { mapping, rows, .. } = self.0;
        let after = rows.into_iter().map(|row| {
            let linked_to = row.person.map(|person| person.id.clone());
            match row.user {
                Some(user) => User {
                    linked_to: linked_to.or_else(|| user.linked_to.clone()),
                    standing: row.to.into_owned(),
                    id: user.id.clone(),
                    email: user.email.clone(),
                    in_slack: user.in_slack,
                },
                None => User {
                    id: row.person.map(&mut new_id).unwrap_or_default(),
                    email: row.person.map(|person| person.email.clone()).unwrap_or_default(),
                    linked_to,
                    in_slack: false,
                    standing: row.to.into_owned(),
                },
            }
        });
        Ok(Workspace::new(after.collect())?.with_installed(mapping.clone()))
    }
}
