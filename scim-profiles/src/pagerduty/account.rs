//! A store in which users have the licences of an account.

use std::fmt;
use std::sync::Arc;

use scim_core::patch::{Change, Write};
use scim_core::projection::Projection;
use scim_core::store::{
    Deletion, Modification, Modified, Scope, Store, StoreError, StoreLayer, Terms, Update,
};
use scim_core::validate::unique_keys;
use scim_core::{Error, Object, Resource, ResourceId, ScimType, Value, Version};

use super::licenses::{License, Licenses, Objection, exhausted, not_for};
use super::options::StaleLicense;
use super::policy::PagerDuty;
use super::schema::LICENSE_SEAT;
use super::seats::Seats;
use super::user::{ENTITLEMENTS, ROLES, entitlements, text_of};

/// A store whose users have the [licences](Licenses) of an account, no more than it has of each.
///
/// It is a store for a service with the policy [`PagerDuty`], of which it has the licences. What a write
/// comes to is decided where it is stored, with one look at the user as it is:
///
/// - Who asks for a licence gets it, if the account has it, for the role of the user, with an allocation
///   to give. Who asks for none gets the first that is for the role and has one.
/// - A licence stays as long as the role may have it, also where the write does not name it. Where a new
///   role may not have it, it goes, and another is given as if none had been asked for.
/// - Who has a licence for the role and is sent one that is not keeps the former, unless the options
///   [refuse](StaleLicense::Refuse) it: an identity provider that maps one licence sends it with every write, so that
///   what was answered once is answered again. Who has none for the role is refused one that is not for it.
/// - Where none can be given, the whole write is refused, and nothing of it is stored.
///
/// Without licences it is the store it is made of. Deletions that come with incidents to reassign are
/// [told](PagerDuty::with_reassignment) in either case.
///
/// # Nobody is given what another has
///
/// The limit of a licence is how many allocations are available, or all of its allocations
/// ([`LicensesInUse`](super::LicensesInUse)). Each allocation of a licence with a limit is a number, from 1 to the limit, and a user who has the
/// licence has one of these numbers in a hidden attribute that is *unique*: what keeps two users from
/// having one `userName`, the [unique keys](scim_core::validate::UniqueKey) of the store, keeps them from having one
/// allocation. It is given and freed by the same write as the licence itself, with no second write that
/// could be missing after a crash, and deletion frees it. So the limit holds for concurrent requests, and
/// for several servers over one database, for any [`Store`] that keeps its contract. What free numbers
/// there are is remembered by each server as a guess; a wrong guess costs another try. That a licence is
/// used up is said after those who have it were counted, in one query that reads none of them; they are read when a
/// server gives the licence for the first time, and again only after it gave all that it knew to be free. Where another
/// request of the same server is about to take the last one and then fails for other reasons, it may be said
/// too early.
///
/// All servers of one database must have the same licences. Who had a licence before the account was
/// counted, or before the limit was lowered, keeps it and counts; nobody else is given one until there
/// are fewer than the limit.
///
/// The audit trail has what was asked for; the licence that was given is in the answer.
///
/// ```
/// use scim_core::{Environment, MemoryStore, Service};
/// use scim_core::auth::Authenticator;
/// use scim_profiles::pagerduty::{self, AccountStore, Licenses, PagerDuty};
///
/// fn rehearsal<A: Authenticator>(
///     authenticator: A,
///     environment: Environment,
///     licenses: Licenses,
/// ) -> Service<AccountStore<MemoryStore>, A, PagerDuty> {
///     let pagerduty = PagerDuty::default().with_licenses(licenses);
///     let store = AccountStore::new(MemoryStore::new(), pagerduty.clone());
///     let base_url = "http://localhost:8080/scim/v2".parse().expect("is a URL");
///     Service::new(store, authenticator, pagerduty::config(base_url), environment).with_policy(pagerduty)
/// }
/// ```
#[derive(Clone)]
pub struct AccountStore<S> {
    store: S,
    pagerduty: PagerDuty,
    seats: Arc<Seats>,
}

impl<S: fmt::Debug> fmt::Debug for AccountStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountStore").field("store", &self.store).finish_non_exhaustive()
    }
}

/// How often a number of a licence is tried that turns out to be taken, before the write is given up.
const ATTEMPTS: usize = 1024;

impl<S: Store> AccountStore<S> {
    /// The users of the account that `pagerduty` is.
    pub fn new(store: S, pagerduty: PagerDuty) -> Self {
        Self { store, pagerduty, seats: Arc::default() }
    }

    /// Makes a modification of a user with what licence it comes to.
    async fn modify_user(
        &self,
        licenses: &Licenses,
        scope: Scope<'_>,
        modification: Modification<'_>,
        terms: Terms<'_>,
    ) -> Result<Modified, StoreError> {
        let (current, wanted) = match &modification {
            Modification::Create { resource, .. } => (None, (*resource).clone()),
            Modification::Replace { resource, expected, .. } => {
                let id = resource.id().ok_or(StoreError::NotFound)?;
                (Some(self.current(scope, &id, Some(*expected)).await?), (*resource).clone())
            }
            Modification::Apply { id, update, expected } if concerns_license(update.change) => {
                let current = self.current(scope, id, *expected).await?;
                let mut wanted = current.clone();
                update.change.apply(&mut wanted);
                (Some(current), wanted)
            }
            Modification::Apply { .. } | Modification::Delete { .. } => {
                return self.store.modify(scope, modification, terms).await;
            }
        };
        let is_whole = matches!(modification, Modification::Replace { .. });
        let decision = self.decide(licenses, current.as_ref().map(|user| &user.0), &wanted.0, is_whole);
        let write = Rewrite { scope, modification, current: current.as_ref(), wanted: &wanted, terms };
        let named = text_of(&wanted.0, ENTITLEMENTS);
        match decision.map_err(|objection| refusal(objection, named.is_some()))? {
            Decision::AsAsked => self.store.modify(scope, modification, terms).await,
            Decision::Keep(held) => write.make(&self.store, &held).await,
            Decision::Grant(candidates) => {
                let made = self.grant(&candidates, &write).await?;
                if let (Some(current), Modified::Changed(_)) = (&current, made) {
                    self.give_back(scope, current);
                }
                Ok(made)
            }
        }
    }

    fn decide<'l>(
        &self,
        licenses: &'l Licenses,
        current: Option<&Object>,
        wanted: &Object,
        is_whole: bool,
    ) -> Result<Decision<'l>, Objection> {
        let Some(role) = text_of(wanted, ROLES) else { return Ok(Decision::AsAsked) };
        let named = text_of(wanted, ENTITLEMENTS);
        let held = current.and_then(Held::of);
        match (held, named) {
            (Some(held), named) if named.is_none_or(|named| named == &*held.license) => {
                let same_role = current.and_then(|user| text_of(user, ROLES)) == Some(role);
                if same_role || licenses.by_id(&held.license).is_some_and(|license| license.permits(role)) {
                    return Ok(Decision::Keep(held));
                }
                let refuse = self.pagerduty.options().stale_license == StaleLicense::Refuse;
                if named.is_some() && is_whole && refuse {
                    return Err(not_for(&held.license, role));
                }
            }
            (Some(held), Some(named)) if self.pagerduty.passes_over(named, &held.license, role) => {
                return Ok(Decision::Keep(held));
            }
            (_, Some(named)) => {
                return licenses.judge(named, Some(role)).map(|one| Decision::Grant(vec![one]));
            }
            (_, None) => {}
        }
        licenses.fitting(role).map(Decision::Grant)
    }

    /// Makes the write with the first of the licences that has an allocation to give.
    async fn grant(&self, candidates: &[&License], write: &Rewrite<'_>) -> Result<Modified, StoreError> {
        for license in candidates {
            let Some(limit) = self.pagerduty.limit_of(license) else {
                let held = Held { license: license.id.clone(), seat: None };
                return write.make(&self.store, &held).await;
            };
            let mut attempts = 0;
            while let Some(taken) = self.seats.take(&self.store, write.scope, &license.id, limit).await? {
                let held = Held { license: license.id.clone(), seat: Some(taken.to_string().into()) };
                match write.make(&self.store, &held).await {
                    Err(StoreError::Conflict { attribute }) if attribute == LICENSE_SEAT => {
                        attempts += 1;
                        if attempts == ATTEMPTS {
                            return Err(StoreError::VersionMismatch);
                        }
                    }
                    made => return made,
                }
            }
        }
        let wanted = &write.wanted.0;
        // The licence of a former role may be named, and is none of the candidates.
        let named = text_of(wanted, ENTITLEMENTS);
        let is_named = candidates.iter().any(|license| named == Some(&*license.id));
        Err(refusal(exhausted(candidates, text_of(wanted, ROLES)), is_named))
    }

    async fn current(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        expected: Option<Version>,
    ) -> Result<Resource, StoreError> {
        let current =
            self.store.read(scope, id, &Projection::default()).await?.ok_or(StoreError::NotFound)?;
        match expected {
            Some(expected) if current.version() != Some(expected) => Err(StoreError::VersionMismatch),
            _ => Ok(current),
        }
    }

    /// Remembers that the allocation of a licence which this user had is free.
    fn give_back(&self, scope: Scope<'_>, former: &Resource) {
        if let Some(Held { license, seat: Some(seat) }) = Held::of(&former.0) {
            self.seats.give_back(scope.tenant, &license, &seat);
        }
    }

    /// Deletes a user, and then says which incidents are to be reassigned.
    async fn delete_user(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        deletion: &Deletion<'_>,
        terms: Terms<'_>,
    ) -> Result<Modified, StoreError> {
        let has_limits = |licenses: &Licenses| licenses.iter().any(|license| license.allocations.is_some());
        let has_limits = self.pagerduty.licenses().is_some_and(has_limits);
        let user = match has_limits || self.pagerduty.tells_reassignments() {
            true => self.store.read(scope, id, &Projection::default()).await?,
            false => None,
        };
        // As they are before the deletion, after which nobody can be asked by name.
        let reassignment = user.as_ref().and_then(|user| self.pagerduty.reassignment_of(scope.tenant, user));
        let deletion = Modification::Delete { id, deletion: *deletion };
        let deleted = self.store.modify(scope, deletion, terms).await?;
        if let Some(reassignment) = reassignment {
            self.pagerduty.tell(&reassignment);
        }
        if let Some(user) = user {
            self.give_back(scope, &user);
        }
        Ok(deleted)
    }
}

/// What becomes of a user's licence.
enum Decision<'l> {
    /// Nothing is known of its role, and so of its licence.
    AsAsked,
    /// It stays.
    Keep(Held),
    /// The first of these that can be given.
    Grant(Vec<&'l License>),
}

/// A licence as a user has it.
struct Held {
    license: Box<str>,
    /// The number among those who have it, where that is limited.
    seat: Option<Box<str>>,
}

impl Held {
    fn of(user: &Object) -> Option<Self> {
        let license = text_of(user, ENTITLEMENTS)?.into();
        Some(Self { license, seat: user.get(LICENSE_SEAT).and_then(Value::as_str).map(Box::from) })
    }

    fn settle(&self, user: &mut Object) {
        user.insert(ENTITLEMENTS, entitlements(&self.license));
        match &self.seat {
            Some(seat) => user.insert(LICENSE_SEAT, &**seat),
            None => user.remove(LICENSE_SEAT),
        };
    }
}

/// A modification that is made with a licence.
struct Rewrite<'a> {
    scope: Scope<'a>,
    modification: Modification<'a>,
    current: Option<&'a Resource>,
    /// The user as the modification would leave it.
    wanted: &'a Resource,
    terms: Terms<'a>,
}

impl Rewrite<'_> {
    async fn make<S: Store>(&self, store: &S, held: &Held) -> Result<Modified, StoreError> {
        let mut user = self.wanted.clone();
        held.settle(&mut user.0);
        let unique = unique_keys(self.scope.schema, &user);
        let (scope, terms) = (self.scope, self.terms);
        match self.modification {
            Modification::Create { .. } => {
                store.modify(scope, Modification::Create { resource: &user, unique: &unique }, terms).await
            }
            Modification::Replace { expected, .. } => {
                if self.current.is_some_and(|current| same(current, &user)) {
                    return Ok(Modified::Unchanged(expected));
                }
                let replaced = Modification::Replace { resource: &user, unique: &unique, expected };
                store.modify(scope, replaced, terms).await
            }
            Modification::Apply { id, update, .. } => {
                let mut change = update.change.clone();
                change.writes.retain(|write| !is_license(write));
                for name in [ENTITLEMENTS, LICENSE_SEAT] {
                    let value = user.get(name);
                    if self.current.is_none_or(|current| current.get(name) != value) {
                        let value = value.cloned();
                        change.writes.push(Write { extension: None, attribute: name.into(), value });
                    }
                }
                let update = Update { change: &change, unique: Some(&unique), ..update.clone() };
                let expected = self.current.and_then(Resource::version);
                store.modify(scope, Modification::Apply { id, update: &update, expected }, terms).await
            }
            deletion @ Modification::Delete { .. } => store.modify(scope, deletion, terms).await,
        }
    }
}

/// Whether two users are the same but for `meta`.
fn same(one: &Resource, other: &Resource) -> bool {
    let count = |user: &Resource| user.0.iter().filter(|(name, _)| !name.matches("meta")).count();
    count(one) == count(other)
        && one.0.iter().all(|(name, value)| {
            name.matches("meta") || other.get(name.as_str()).is_some_and(|other| other == value)
        })
}

fn concerns_license(change: &Change) -> bool {
    change.writes.iter().any(|write| is_license(write) || write.attribute.eq_ignore_ascii_case(ROLES))
}

fn is_license(write: &Write) -> bool {
    let names = [ENTITLEMENTS, LICENSE_SEAT];
    write.extension.is_none() && names.iter().any(|name| write.attribute.eq_ignore_ascii_case(name))
}

/// The refusal of a write: it is about the licence where one is named, and about the role otherwise.
fn refusal(Objection { row, message }: Objection, is_named: bool) -> StoreError {
    let at = if is_named { "entitlements[0].value" } else { "roles[0].value" };
    let detail = format!("{at}: {message} ({row})");
    StoreError::Refused(Error::bad_request(ScimType::InvalidValue, detail).with_rule(row))
}

impl<S: Store> StoreLayer for AccountStore<S> {
    type Behind = S;

    fn behind(&self) -> &S {
        &self.store
    }

    async fn change(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        terms: Terms<'_>,
    ) -> Result<Modified, StoreError> {
        match (self.pagerduty.licenses(), modification) {
            _ if scope.schema.name() != "User" => self.store.modify(scope, modification, terms).await,
            (_, Modification::Delete { id, deletion }) => self.delete_user(scope, id, &deletion, terms).await,
            (Some(licenses), modification) => self.modify_user(licenses, scope, modification, terms).await,
            (None, modification) => self.store.modify(scope, modification, terms).await,
        }
    }

    fn completes_itself(&self) -> bool {
        self.pagerduty.licenses().is_some()
    }
}
