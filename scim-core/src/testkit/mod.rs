//! The contract of a [`Store`] as tests that any store runs (feature `testkit`).
//!
//! Each law of the contract is a function of its own in [`law`]; its name says what must hold, and
//! the error of a store that breaks it says how. The kit is plain `async` code: it knows no
//! runtime and runs on whichever the store needs.
//!
//! In the tests of a store, [`store_contract!`](crate::store_contract) makes a test of each law:
//!
//! ```
//! mod contract {
//!     use scim_core::MemoryStore;
//!
//!     async fn new_store() -> MemoryStore {
//!         MemoryStore::new() // or a connection to an empty database
//!     }
//!
//!     scim_core::store_contract!(#[tokio::test] new_store);
//! }
//! ```
//!
//! [`run`] checks all laws in one test, and [`check`] returns those that are broken:
//!
//! ```
//! use scim_core::MemoryStore;
//! use scim_core::testkit;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! testkit::run(|| async { MemoryStore::new() }).await;
//! # }
//! ```
//!
//! # What a store on trial must be
//!
//! Fresh: each law takes a store of its own, or a pair of it and of what must be kept as long. It need
//! not be empty, if the tenants whose names begin with `testkit` are, so that all laws may share one
//! database.
//!
//! The resources are users and groups of [`Registry::standard`]. Concurrent calls are made from one
//! task, as far as the store's futures let others run while they wait; with
//! [`Suite::with_spawn`] or [`Trial::with_spawn`] they run in tasks or threads of their own.
//!
//! [`Hooked`] is for the tests of what is in front of a store: it fails, waits or counts as a test tells it to.
//!
//! What happens to acknowledged writes when the database is killed is the business of [`crash`].

mod as_provided;
pub mod crash;
mod hooked;
mod join;
pub mod law;
mod random;
mod recorded;
mod trial;

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

pub use as_provided::AsProvided;
pub use hooked::{Call, Hooked, Hooks, wait_once};
pub use recorded::Recorded;
pub use trial::Trial;

use join::Spawn;

use crate::Store;
#[cfg(doc)]
use crate::schema::Registry;

/// A future in a box.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A store, alone or in a pair with what must live as long as it: a temporary folder, a server.
pub trait OnTrial {
    /// The store.
    type Store: Store;

    /// The store, and what is to be kept.
    fn parts(self) -> (Self::Store, Box<dyn Any + Send + Sync>);
}

impl<S: Store> OnTrial for S {
    type Store = S;

    fn parts(self) -> (S, Box<dyn Any + Send + Sync>) {
        (self, Box::new(()))
    }
}

impl<S: Store, G: Any + Send + Sync> OnTrial for (S, G) {
    type Store = S;

    fn parts(self) -> (S, Box<dyn Any + Send + Sync>) {
        (self.0, Box::new(self.1))
    }
}

/// How a store broke a law.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Broken(String);

impl Broken {
    /// What was expected, and what came.
    pub fn new(how: impl Into<String>) -> Self {
        Self(how.into())
    }
}

/// A law of the contract, and its test.
pub struct Law<S> {
    /// What must hold, with underscores for spaces; the function in [`law`].
    pub name: &'static str,
    /// Whether it says in general what other laws say of single cases.
    pub is_general: bool,
    /// The test.
    pub test: for<'t> fn(&'t Trial<S>) -> BoxFuture<'t, Result<(), Broken>>,
}

/// A law that a store breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{law}: {how}")]
pub struct Violation {
    /// The law.
    pub law: &'static str,
    /// How it is broken.
    pub how: Broken,
}

/// Checks every law, each on a store of its own.
///
/// # Panics
///
/// If a law is broken; the message names each, and how.
pub async fn run<S, F>(new_store: impl Fn() -> F)
where
    S: OnTrial,
    F: Future<Output = S>,
{
    Suite::new(new_store).run().await;
}

/// Checks every law, each on a store of its own, and returns those that are broken.
pub async fn check<S, F>(new_store: impl Fn() -> F) -> Vec<Violation>
where
    S: OnTrial,
    F: Future<Output = S>,
{
    Suite::new(new_store).check().await
}

/// All laws, and how to check them.
pub struct Suite<N> {
    new_store: N,
    spawn: Option<Spawn>,
}

impl<N> Suite<N> {
    /// The laws for the stores that `new_store` makes.
    pub fn new<S, F>(new_store: N) -> Self
    where
        N: Fn() -> F,
        F: Future<Output = S>,
        S: OnTrial,
    {
        Self { new_store, spawn: None }
    }

    /// Makes concurrent calls run in tasks of their own: `spawn` starts one and returns a future
    /// that ends when it has. See [`Trial::with_spawn`] for an example.
    #[must_use]
    pub fn with_spawn(
        mut self,
        spawn: impl Fn(BoxFuture<'static, ()>) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    ) -> Self {
        self.spawn = Some(Spawn::new(spawn));
        self
    }

    /// Checks every law.
    ///
    /// # Panics
    ///
    /// If one is broken; the message names each, and how.
    #[expect(clippy::panic, reason = "this is a test")]
    pub async fn run<S, F>(&self)
    where
        N: Fn() -> F,
        F: Future<Output = S>,
        S: OnTrial,
    {
        let broken = self.check().await;
        if !broken.is_empty() {
            let lines: Vec<String> = broken.iter().map(Violation::to_string).collect();
            panic!("{} broken:\n{}", count(broken.len(), "law"), lines.join("\n"));
        }
    }

    /// Checks every law and returns those that are broken. A general law is left out if one that
    /// it says in general is broken: it would only say the same again.
    pub async fn check<S, F>(&self) -> Vec<Violation>
    where
        N: Fn() -> F,
        F: Future<Output = S>,
        S: OnTrial,
    {
        let mut broken = Vec::new();
        for law in law::all::<S::Store>() {
            if law.is_general && !broken.is_empty() {
                continue;
            }
            let mut trial = Trial::new(law.name, (self.new_store)().await);
            if let Some(spawn) = &self.spawn {
                trial = trial.spawning(spawn.clone());
            }
            if let Err(how) = (law.test)(&trial).await {
                broken.push(Violation { law: law.name, how });
            }
        }
        broken
    }
}

impl<S> fmt::Debug for Law<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Law").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<N> fmt::Debug for Suite<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suite").finish_non_exhaustive()
    }
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Returns with a [`Broken`] unless the condition holds.
macro_rules! demand {
    ($condition:expr, $($how:tt)+) => {
        if !$condition {
            return Err($crate::testkit::Broken::new(format!($($how)+)));
        }
    };
}
use demand;
