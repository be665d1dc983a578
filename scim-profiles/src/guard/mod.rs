//! Guards against a bad push of an identity provider: a group that somebody emptied, an assignment
//! that went, a directory that was synchronised from the wrong source.
//!
//! A [`GuardedStore`] stands before any [`Store`](scim_core::Store), with any profile or none. It looks
//! at what a change takes away before the change is made, and refuses the one that takes too much:
//!
//! | guard | what counts | its share is of |
//! |---|---|---|
//! | `guard-deactivations` | a user who was active and is not any more, and each who is deleted | the active users of the tenant |
//! | `guard-role-downgrades` | a user who has less of roles than before ([`UserRoles`]) | the active users of the tenant |
//! | `guard-member-removals` | a member who is taken out of a group; all members of one that is deleted | the members of the group |
//! | `guard-protected-user`, `guard-protected-group`, `guard-protected-role` | nothing may happen at all to what is [`Protected`] | |
//!
//! A [`Ceiling`] is the most within a sliding window of time, by count, by share, or both. The count of
//! member removals is that of all groups of the tenant, the share is of each group. Who is taken out
//! of groups because of being deleted counts as deleted, not as removed.
//!
//! All of it is off unless asked for. A change costs what it takes away: the members of a group are
//! not loaded but [counted](scim_core::Store::count_members) and [looked
//! up](scim_core::Store::members_among), and a population is counted when nothing is known of it, and
//! before something is refused for its share, then once in a sixtieth of the window. The roles that a group of
//! [incident.io](IncidentIoRoles) gives are the exception: where such a group ends, or by another name gives
//! less, its members are read.
//!
//! # What is refused
//!
//! - A request is refused as a whole, so that nothing of it is made: a PATCH that removes many
//!   members, or a PUT without them, counts each of them. Of a bulk request each operation is a request.
//! - What is refused does not count, nor what changes nothing. What fails in a way that leaves open
//!   whether it was made counts, and so does what is interrupted by the end of the client or of the
//!   process.
//! - The answer is 403 without `scimType`: none of RFC 7644 table 9 means this, and a client that is
//!   told 403 ends the attempt and has it looked at, where 429 would have it push on until the window
//!   has room. The detail says what is exceeded, from when on it is permitted by itself, and how an
//!   operator lifts the guard. A profile states it in the vendor's form, as any error.
//! - The [audit trail](scim_core::audit) has the refusal, with the guard's name as `rule`, and as `remedy` what
//!   only operators are told of how it is lifted ([`Guards::with_remedy_for_operators`]).
//!
//! # Lifting a guard
//!
//! An operator lifts the guards of a tenant for some time ([`GuardedStore::lift`]): the ceilings
//! alone, or protection too. What is changed meanwhile does not count afterwards. There is no way to lift them
//! by SCIM, and no credential of an identity provider does it. Otherwise a ceiling has room again
//! when what counts has left the window.
//!
//! # Several at once
//!
//! It is noted in a [`GuardLedger`] what went, before it goes, so that of many requests at the same
//! time no more are permitted than of the same one after the other. Servers that share a ledger share
//! the ceilings; with a [`MemoryLedger`] each, each has its own. Clocks of servers that differ
//! lengthen the window by as much.
//!
//! Two things take what several requests do together: a protected group is not emptied by several requests at the
//! same time; and where [groups give roles](IncidentIoRoles), who leaves several groups at the same time that give
//! the same has less by the last of them. So a request that takes people out of such groups, or changes what these
//! give, waits until those before it that concern the same people are done, and holds them in the ledger
//! ([`GuardLedger::hold`]), where the requests of other servers find them held. That is for servers that share a
//! ledger which holds, as [`MemoryLedger`] and the SQL store of the examples do; of what is written past a
//! `GuardedStore` it knows nothing.
//!
//! A ledger that knows by the time that a server has ended depends on the servers' clocks: that of the examples
//! needs clocks that agree to twenty seconds. Where one is further ahead, it takes what another server still
//! holds, and two requests may together take a role away, as if nothing were held; the ceilings hold all the same.
//!
//! A request that is dropped lets the others go on, although its write may still be made.
//!
//! # Example
//!
//! ```
//! use jiff::{SignedDuration, Timestamp};
//! use scim_core::auth::{Principal, Secret, StaticTokens};
//! use scim_core::{Config, CredentialId, Environment, MemoryStore, ResourceId, Service, TenantId};
//! use scim_profiles::guard::{Ceiling, GuardedStore, Guards, Lift, MemoryLedger, Protected};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let acme = TenantId::new("acme");
//! # let okta = Principal { tenant: acme.clone(), credential: CredentialId::new("okta") };
//! # let tokens = StaticTokens::new().with(Secret::new("s3cr3t")?, okta);
//! # let config = Config::new("https://example.com/scim/v2".parse()?);
//! # let environment = Environment::new(|| Timestamp::UNIX_EPOCH, || ResourceId::new("1"));
//!
//! let guards = Guards::new()
//!     .with_deactivations(Ceiling::within(SignedDuration::from_hours(24))?.with_count(0))
//!     .with_protected(Protected::new().with_user("root@example.com"));
//! let store = GuardedStore::new(MemoryStore::new(), guards, MemoryLedger::new(), environment.now.clone());
//! let service = Service::new(store.clone(), tokens, config, environment);
//! # let send = async |request: http::request::Builder, body: &'static str| {
//! #     let request = request.header("authorization", "Bearer s3cr3t").body(body.into()).unwrap();
//! #     service.call(request).await.status()
//! # };
//! # let body = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"babs"}"#;
//! # assert_eq!(send(http::Request::post("/scim/v2/Users"), body).await, 201);
//!
//! let delete = || send(http::Request::delete("/scim/v2/Users/1"), "");
//! assert_eq!(delete().await, 403);
//! let in_an_hour = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1);
//! store.lift(&acme, Some(Lift::ceilings(in_an_hour))).await?;
//! assert_eq!(delete().await, 204);
//! # Ok(())
//! # }
//! ```
//!
#![doc = include_str!("../../pages/guards.md")]

mod ceiling;
mod hold;
mod ledger;
mod loss;
mod protected;
mod refusal;
mod roles;
mod stake;
mod store;
mod tables;
mod turns;

pub(crate) use refusal::{Forbidden, Subject};

pub use ceiling::{Ceiling, Charge, Exceeded, InvalidCeiling, Noted, Share, Verdict};
pub use hold::Hold;
pub use ledger::{Charged, Clock, GuardLedger, Lift, MemoryLedger};
pub use protected::Protected;
pub use roles::{DatadogRoles, IncidentIoRoles, PagerDutyRoles, RoleValues, UserRoles};
pub use store::GuardedStore;
pub use tables::{OPTIONS, RULES, to_markdown};

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use scim_core::schema::Registry;
use scim_core::store::StoreError;
use scim_core::{Error, Resource, TenantId};

use crate::{Profile, pagerduty};

/// What is guarded, and how. [`Default`] guards nothing.
#[derive(Clone, Debug)]
pub struct Guards {
    deactivations: Option<Ceiling>,
    role_downgrades: Option<Ceiling>,
    member_removals: Option<Ceiling>,
    team_deletions: Option<Ceiling>,
    protected: Protected,
    roles: Arc<dyn UserRoles>,
    remedy: Remedy,
    /// What operators are told in its place.
    operators: Option<Remedy>,
}

/// What a refusal says of how the guards of a tenant are lifted, and whether protection too.
#[derive(Clone)]
struct Remedy(Arc<RemedyOf>);

type RemedyOf = dyn Fn(&TenantId, bool) -> Cow<'static, str> + Send + Sync;

impl fmt::Debug for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remedy")
    }
}

impl Default for Guards {
    fn default() -> Self {
        const ASK: Cow<'static, str> =
            Cow::Borrowed("an operator of the service can lift that for some time");
        Self {
            deactivations: None,
            role_downgrades: None,
            member_removals: None,
            team_deletions: None,
            protected: Protected::default(),
            roles: Arc::new(RoleValues),
            remedy: Remedy(Arc::new(|_, _| ASK)),
            operators: None,
        }
    }
}

impl Guards {
    /// Nothing is guarded; roles are [`RoleValues`].
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with the roles that the profile knows; those of an organisation at Datadog it does not
    /// ([`DatadogRoles`]).
    #[must_use]
    pub fn with_roles_of(self, profile: &Profile) -> Self {
        match profile.name {
            name if name == pagerduty::PROFILE.name => self.with_roles(PagerDutyRoles),
            _ => self.with_roles(RoleValues),
        }
    }

    /// The same with these roles.
    #[must_use]
    pub fn with_roles(self, roles: impl UserRoles) -> Self {
        Self { roles: Arc::new(roles), ..self }
    }

    /// The same with a ceiling on deactivations and deletions of users.
    #[must_use]
    pub fn with_deactivations(self, ceiling: Ceiling) -> Self {
        Self { deactivations: Some(ceiling), ..self }
    }

    /// The same with a ceiling on users who have less of roles than before. The [bridge to PagerDuty's
    /// teams](crate::pagerduty::teams) counts those whom it gives a lower role on a team against it, apart from these.
    #[must_use]
    pub fn with_role_downgrades(self, ceiling: Ceiling) -> Self {
        Self { role_downgrades: Some(ceiling), ..self }
    }

    /// The same with a ceiling on members who are taken out of groups.
    #[must_use]
    pub fn with_member_removals(self, ceiling: Ceiling) -> Self {
        Self { member_removals: Some(ceiling), ..self }
    }

    /// The same with a ceiling on teams that the [bridge to PagerDuty's teams](crate::pagerduty::teams)
    /// deletes, since their groups are gone. No [`GuardedStore`] looks at it.
    #[must_use]
    pub fn with_team_deletions(self, ceiling: Ceiling) -> Self {
        Self { team_deletions: Some(ceiling), ..self }
    }

    /// Whether there is a ceiling on teams that are deleted, which is for the bridge alone.
    pub fn limits_teams(&self) -> bool {
        self.team_deletions.is_some()
    }

    /// The same where this is protected.
    #[must_use]
    pub fn with_protected(self, protected: Protected) -> Self {
        Self { protected, ..self }
    }

    /// The same where a refusal says this of how an operator lifts the ceilings, and of how protection:
    /// a clause, such as `Ann in IT can lift that`.
    #[must_use]
    pub fn with_remedy(
        self,
        ceilings: impl Into<Cow<'static, str>>,
        protection: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (ceilings, protection) = (ceilings.into(), protection.into());
        let of = move |is_protection| if is_protection { protection.clone() } else { ceilings.clone() };
        Self { remedy: Remedy(Arc::new(move |_, is_protection| of(is_protection))), ..self }
    }

    /// The same where a refusal says what `remedy` makes of the tenant, and of whether protection is to be lifted:
    /// a clause with the command to type, for example. Clients read that, which should not learn from it where anything
    /// is.
    #[must_use]
    pub fn with_remedy_for(self, remedy: impl Fn(&TenantId, bool) -> String + Send + Sync + 'static) -> Self {
        let remedy = move |tenant: &TenantId, is_protection| remedy(tenant, is_protection).into();
        Self { remedy: Remedy(Arc::new(remedy)), ..self }
    }

    /// The same where this is said to operators in its place, as with the whole command: in the audit trail
    /// ([`Error::remedy`](scim_core::Error::remedy)), and in what the [bridge](crate::pagerduty::teams) reports.
    #[must_use]
    pub fn with_remedy_for_operators(
        self,
        remedy: impl Fn(&TenantId, bool) -> String + Send + Sync + 'static,
    ) -> Self {
        let remedy = move |tenant: &TenantId, is_protection| remedy(tenant, is_protection).into();
        Self { operators: Some(Remedy(Arc::new(remedy))), ..self }
    }

    /// The roles that are protected and that [`UserRoles`] does not know: misspelt, perhaps, or named as several are.
    pub fn unknown_roles(&self) -> impl Iterator<Item = &str> {
        self.protected.roles().filter(|role| !self.roles.is_known(role))
    }

    /// What is guarded of groups where `registry` has none, that is, no resource type with `members`: the keys, as
    /// [`OPTIONS`] have them, of which nothing would ever come.
    ///
    /// ```
    /// use scim_profiles::Profile;
    /// use scim_profiles::guard::{Guards, Protected};
    ///
    /// let guards = Guards::new().with_protected(Protected::new().with_group("Administrators"));
    /// let at = |name| guards.without_groups(Profile::by_name(name).expect("is there").registry());
    /// assert_eq!((at("pagerduty"), at("datadog")), (vec!["protected.groups"], vec![]));
    /// ```
    pub fn without_groups(&self, registry: &Registry) -> Vec<&'static str> {
        if registry.resource_types().any(|schema| loss::has_members(schema)) {
            return Vec::new();
        }
        let guarded = [
            (self.member_removals.is_some(), "member_removals"),
            (self.protected.has_groups(), "protected.groups"),
        ];
        guarded.into_iter().filter(|(is_guarded, _)| *is_guarded).map(|(_, key)| key).collect()
    }

    /// Whether nothing is guarded.
    pub fn is_none(&self) -> bool {
        self.protected.is_empty()
            && !self.limits_users()
            && self.member_removals.is_none()
            && self.team_deletions.is_none()
    }

    /// Whether this User is [protected](Protected::with_user), by whichever of its names.
    pub fn protects_user(&self, user: &Resource) -> bool {
        self.protected.user(user)
    }

    /// Whether a role is protected, by its value or by its name.
    fn protects_role(&self, role: &str) -> bool {
        let by_name =
            || self.roles.name_of(role).is_some_and(|name| self.protected.roles().any(|one| one == name));
        self.protected.role(role) || by_name()
    }

    /// What is protected.
    pub(crate) fn protected(&self) -> &Protected {
        &self.protected
    }

    /// Why something that is over a ceiling is refused, with how an operator lifts that.
    pub(crate) fn exceeded(
        &self,
        tenant: &TenantId,
        guard: Guard,
        ceiling: &Ceiling,
        exceeded: &Exceeded,
    ) -> String {
        refusal::exceeded_text(guard, ceiling, exceeded, &self.whole_remedy(tenant, false))
    }

    /// Why something is refused that is protected, with how an operator lifts that.
    pub(crate) fn is_protected(&self, tenant: &TenantId, forbidden: &Forbidden) -> String {
        refusal::protected_text(forbidden, &self.whole_remedy(tenant, true))
    }

    fn whole_remedy(&self, tenant: &TenantId, is_protection: bool) -> Cow<'static, str> {
        self.operators.as_ref().unwrap_or(&self.remedy).0(tenant, is_protection)
    }

    /// The refusal of a change, by what clients are told of how it is lifted, with what operators are told.
    fn refuse(
        &self,
        tenant: &TenantId,
        is_protection: bool,
        refusal: impl FnOnce(&str) -> Error,
    ) -> StoreError {
        let error = refusal(&self.remedy.0(tenant, is_protection));
        StoreError::Refused(match &self.operators {
            Some(operators) => error.with_remedy(operators.0(tenant, is_protection)),
            None => error,
        })
    }

    fn limits_users(&self) -> bool {
        self.deactivations.is_some() || self.role_downgrades.is_some()
    }

    pub(crate) fn ceiling(&self, guard: Guard) -> Option<&Ceiling> {
        match guard {
            Guard::Deactivations => self.deactivations.as_ref(),
            Guard::RoleDowngrades | Guard::TeamRoles => self.role_downgrades.as_ref(),
            Guard::MemberRemovals | Guard::TeamRemovals => self.member_removals.as_ref(),
            Guard::TeamDeletions => self.team_deletions.as_ref(),
            Guard::ProtectedUser | Guard::ProtectedGroup | Guard::ProtectedRole => None,
        }
    }
}

/// A guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    Deactivations,
    RoleDowngrades,
    MemberRemovals,
    /// Members who are taken off teams by the bridge, and teams that it deletes.
    TeamRemovals,
    /// Members whom the bridge gives a lower role on a team.
    TeamRoles,
    TeamDeletions,
    ProtectedUser,
    ProtectedGroup,
    ProtectedRole,
}

impl Guard {
    /// The name in the audit trail.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Deactivations => "guard-deactivations",
            Self::RoleDowngrades => "guard-role-downgrades",
            Self::MemberRemovals => "guard-member-removals",
            Self::TeamRemovals => "guard-team-removals",
            Self::TeamRoles => "guard-team-role-downgrades",
            Self::TeamDeletions => "guard-team-deletions",
            Self::ProtectedUser => "guard-protected-user",
            Self::ProtectedGroup => "guard-protected-group",
            Self::ProtectedRole => "guard-protected-role",
        }
    }

    /// What is counted.
    const fn what(self, number: u64) -> &'static str {
        match (self, number) {
            (Self::Deactivations, 1) => "deactivation",
            (Self::Deactivations, _) => "deactivations",
            (Self::RoleDowngrades, 1) => "role downgrade",
            (Self::RoleDowngrades, _) => "role downgrades",
            (Self::MemberRemovals, 1) => "member removal",
            (Self::MemberRemovals, _) => "member removals",
            (Self::TeamRemovals, 1) => "removal from a team",
            (Self::TeamRemovals, _) => "removals from teams",
            (Self::TeamRoles, 1) => "lower role on a team",
            (Self::TeamRoles, _) => "lower roles on teams",
            (Self::TeamDeletions, 1) => "team deletion",
            (Self::TeamDeletions, _) => "team deletions",
            (Self::ProtectedUser | Self::ProtectedGroup | Self::ProtectedRole, _) => "change",
        }
    }

    /// The population.
    const fn whom(self) -> &'static str {
        match self {
            Self::Deactivations | Self::RoleDowngrades => "active users",
            Self::MemberRemovals => "members of the group",
            Self::TeamRemovals | Self::TeamRoles => "members of the team",
            Self::TeamDeletions => "teams",
            Self::ProtectedUser | Self::ProtectedGroup | Self::ProtectedRole => "resources",
        }
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
