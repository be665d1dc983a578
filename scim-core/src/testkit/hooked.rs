//! A store that does something of its own around each call.

use std::future::Future;
use std::task::Poll;

use crate::audit::Record;
use crate::membership::Membership;
use crate::pieces::Pieces;
use crate::projection::Projection;
use crate::query::{Query, QuerySupport};
use crate::store::{
    Applied, Deletion, Modification, Modified, Page, ResourceHold, Scope, Store, StoreError, Terms, Update,
};
use crate::validate::UniqueKey;
use crate::{Resource, ResourceId, Version};

/// A store that does something before and after each call of the one within: fails, waits, counts, or
/// lets another write come first. With it a test has a store that is slow, unreliable or watched without writing
/// one.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// use scim_core::query::Query;
/// use scim_core::schema::Registry;
/// use scim_core::store::{Scope, StoreError};
/// use scim_core::testkit::{Call, Hooked, Hooks};
/// use scim_core::{MemoryStore, Store, TenantId};
///
/// /// Counts queries.
/// #[derive(Default)]
/// struct Queries(AtomicUsize);
///
/// impl Hooks for Queries {
///     async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
///         self.0.fetch_add(matches!(call, Call::Query { .. }).into(), Ordering::SeqCst);
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), StoreError> {
/// let registry = Registry::standard();
/// let tenant = TenantId::new("acme");
/// let users = Scope { tenant: &tenant, schema: registry.by_name("User").unwrap() };
///
/// let counted = Hooked { store: MemoryStore::new(), hooks: Queries::default() };
/// counted.query(users, &Query::default()).await?;
/// assert_eq!(counted.hooks.0.load(Ordering::SeqCst), 1);
///
/// // What never waits can be a closure.
/// let fails = |call: Call<'_>| match call {
///     Call::Query { .. } => Err(StoreError::Unavailable("the cable is cut".into())),
///     _ => Ok(()),
/// };
/// let broken = Hooked { store: MemoryStore::new(), hooks: fails };
/// assert!(matches!(broken.query(users, &Query::default()).await, Err(StoreError::Unavailable(_))));
/// # Ok(())
/// # }
/// ```
///
/// A service changes resources by [`Store::modify`] alone, which is one call of the store within. In
/// `AsProvided(Hooked { … })` it is made of its parts instead, each of which is a call, as for a store that leaves it
/// [as provided](super::AsProvided).
#[derive(Clone, Debug, Default)]
pub struct Hooked<S, H> {
    /// The store within.
    pub store: S,
    /// What it does around each call.
    pub hooks: H,
}

/// What a [`Hooked`] store does around each call.
pub trait Hooks: Send + Sync + 'static {
    /// Is done before a call; an error is the answer, and the call is not made. As provided, nothing is done.
    fn before(&self, call: Call<'_>) -> impl Future<Output = Result<(), StoreError>> + Send {
        let _ = call;
        async { Ok(()) }
    }

    /// Is done after a call that was not answered with an error; an error takes the place of its answer. As
    /// provided, nothing is done.
    fn after(&self, call: Call<'_>) -> impl Future<Output = Result<(), StoreError>> + Send {
        let _ = call;
        async { Ok(()) }
    }

    /// Whether they complete what is stored ([`Store::completes`]). As provided, they do not.
    fn completes(&self) -> bool {
        false
    }

    /// Whether they keep the audit trail ([`Store::keeps_audit`]), whose records come with [`Call::Change`] and
    /// [`Call::Keep`]. As provided, they do not.
    fn keeps_audit(&self) -> bool {
        false
    }
}

/// Is done before each call.
impl<F: Fn(Call<'_>) -> Result<(), StoreError> + Send + Sync + 'static> Hooks for F {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        self(call)
    }
}

/// A call of a [`Store`] that is or may be waited for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Call<'a> {
    /// A change: [`Store::modify`], or the method for it.
    Change {
        /// Of which resources.
        scope: Scope<'a>,
        /// What changes.
        modification: Modification<'a>,
        /// What belongs to it; nothing, where it is not [`Store::modify`].
        terms: Terms<'a>,
    },
    /// [`Store::read`], or [`Store::read_in_pieces`].
    Read {
        /// Of which resources.
        scope: Scope<'a>,
        /// Which one.
        id: &'a ResourceId,
        /// What of it.
        projection: &'a Projection,
    },
    /// [`Store::query`], or [`Store::query_in_pieces`].
    Query {
        /// Of which resources.
        scope: Scope<'a>,
        /// Which ones.
        query: &'a Query,
    },
    /// [`Store::hold`].
    Hold {
        /// Of which resources.
        scope: Scope<'a>,
        /// Which one.
        id: &'a ResourceId,
    },
    /// [`Store::keep`].
    Keep {
        /// What is to be kept.
        record: &'a Record,
    },
    /// [`Store::memberships`].
    Memberships {
        /// The groups.
        groups: Scope<'a>,
        /// Whose.
        members: &'a [ResourceId],
    },
    /// [`Store::count_members`].
    CountMembers {
        /// The groups.
        groups: Scope<'a>,
        /// Which one.
        id: &'a ResourceId,
    },
    /// [`Store::members_among`].
    MembersAmong {
        /// The groups.
        groups: Scope<'a>,
        /// Which one.
        id: &'a ResourceId,
        /// Who may be members.
        members: &'a [ResourceId],
    },
    /// [`Store::missing`].
    Missing {
        /// Of which resources.
        scope: Scope<'a>,
        /// Which ones.
        ids: &'a [ResourceId],
    },
}

impl<'a> Call<'a> {
    fn change(scope: Scope<'a>, modification: Modification<'a>) -> Self {
        Self::Change { scope, modification, terms: Terms::default() }
    }
}

/// Lets others run before it goes on, as one does who waits for an answer: pending once.
pub async fn wait_once() {
    let mut waited = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl<S: Store, H: Hooks> Hooked<S, H> {
    async fn around<T: Send>(
        &self,
        call: Call<'_>,
        answer: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.hooks.before(call).await?;
        let answer = answer.await?;
        self.hooks.after(call).await?;
        Ok(answer)
    }
}

impl<S: Store, H: Hooks> Store for Hooked<S, H> {
    async fn create(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
    ) -> Result<(), StoreError> {
        let call = Call::change(scope, Modification::Create { resource, unique });
        self.around(call, self.store.create(scope, resource, unique)).await
    }

    async fn read(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> Result<Option<Resource>, StoreError> {
        let call = Call::Read { scope, id, projection };
        self.around(call, self.store.read(scope, id, projection)).await
    }

    fn query_support(&self) -> QuerySupport {
        self.store.query_support()
    }

    async fn query(&self, scope: Scope<'_>, query: &Query) -> Result<Page, StoreError> {
        self.around(Call::Query { scope, query }, self.store.query(scope, query)).await
    }

    async fn read_in_pieces(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        projection: &Projection,
    ) -> Result<Option<Pieces>, StoreError> {
        let call = Call::Read { scope, id, projection };
        self.around(call, self.store.read_in_pieces(scope, id, projection)).await
    }

    async fn query_in_pieces(&self, scope: Scope<'_>, query: &Query) -> Result<Page<Pieces>, StoreError> {
        self.around(Call::Query { scope, query }, self.store.query_in_pieces(scope, query)).await
    }

    async fn replace(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
        expected: Version,
    ) -> Result<(), StoreError> {
        let call = Call::change(scope, Modification::Replace { resource, unique, expected });
        self.around(call, self.store.replace(scope, resource, unique, expected)).await
    }

    async fn apply(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        update: &Update<'_>,
        expected: Option<Version>,
    ) -> Result<Applied, StoreError> {
        let call = Call::change(scope, Modification::Apply { id, update, expected });
        self.around(call, self.store.apply(scope, id, update, expected)).await
    }

    async fn delete(
        &self,
        scope: Scope<'_>,
        id: &ResourceId,
        deletion: &Deletion<'_>,
    ) -> Result<(), StoreError> {
        let call = Call::change(scope, Modification::Delete { id, deletion: *deletion });
        self.around(call, self.store.delete(scope, id, deletion)).await
    }

    async fn modify(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        terms: Terms<'_>,
    ) -> Result<Modified, StoreError> {
        let call = Call::Change { scope, modification, terms };
        self.around(call, self.store.modify(scope, modification, terms)).await
    }

    async fn hold(&self, scope: Scope<'_>, id: &ResourceId) -> Result<ResourceHold, StoreError> {
        self.around(Call::Hold { scope, id }, self.store.hold(scope, id)).await
    }

    fn completes(&self) -> bool {
        self.hooks.completes() || self.store.completes()
    }

    fn checks_circles(&self) -> bool {
        self.store.checks_circles()
    }

    fn keeps_audit(&self) -> bool {
        self.hooks.keeps_audit() || self.store.keeps_audit()
    }

    async fn keep(&self, record: &Record) -> Result<(), StoreError> {
        self.around(Call::Keep { record }, self.store.keep(record)).await
    }

    async fn memberships(
        &self,
        groups: Scope<'_>,
        members: &[ResourceId],
    ) -> Result<Vec<Membership>, StoreError> {
        self.around(Call::Memberships { groups, members }, self.store.memberships(groups, members)).await
    }

    async fn count_members(&self, groups: Scope<'_>, id: &ResourceId) -> Result<usize, StoreError> {
        self.around(Call::CountMembers { groups, id }, self.store.count_members(groups, id)).await
    }

    async fn members_among(
        &self,
        groups: Scope<'_>,
        id: &ResourceId,
        members: &[ResourceId],
    ) -> Result<Vec<ResourceId>, StoreError> {
        let call = Call::MembersAmong { groups, id, members };
        self.around(call, self.store.members_among(groups, id, members)).await
    }

    async fn missing(&self, scope: Scope<'_>, ids: Vec<ResourceId>) -> Result<Vec<ResourceId>, StoreError> {
        let call = Call::Missing { scope, ids: &ids };
        self.around(call, self.store.missing(scope, ids.clone())).await
    }
}
