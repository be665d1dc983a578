//! The service: `http::Request` in, `http::Response` out.

mod config;

pub use config::{Capabilities, Config, Environment, PatchResponse, ServiceLimits};

use bytes::Bytes;

use crate::auth::Authenticator;
use crate::policy::{Policy, StandardPolicy};
use crate::store::Store;

/// A SCIM service over a store, mounted wherever `http` types are spoken.
pub struct Service<S, A, P = StandardPolicy> {
    store: S,
    authenticator: A,
    policy: P,
    config: Config,
    environment: Environment,
}

impl<S: Store, A: Authenticator> Service<S, A> {
    /// A service over `store` for whom `authenticator` lets in.
    pub fn new(store: S, authenticator: A, config: Config, environment: Environment) -> Self {
        Self { store, authenticator, policy: StandardPolicy, config, environment }
    }
}

impl<S: Store, A: Authenticator, P: Policy> Service<S, A, P> {
    /// The same service with another policy.
    pub fn with_policy<Q: Policy>(self, policy: Q) -> Service<S, A, Q> {
        Service {
            store: self.store,
            authenticator: self.authenticator,
            policy,
            config: self.config,
            environment: self.environment,
        }
    }

    /// Answers one request. Never fails: what goes wrong is a SCIM error response.
    ///
    /// The path is the request's whole path; the part of the configured base URL is taken off.
    pub async fn call(&self, request: http::Request<Bytes>) -> http::Response<Bytes> {
        let _ = (&self.store, &self.authenticator, &self.policy, &self.config, &self.environment, request);
        todo!()
    }
}
