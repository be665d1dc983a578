//! SCIM 2.0 resources, schemas, PATCH and a framework-free service over your own store.
//!
//! A [`Service`] takes an `http::Request` and gives an `http::Response`. In between it speaks SCIM
//! (RFC 7643, RFC 7644) as identity providers really do, over a [`Store`] that you implement on
//! your database. It performs no I/O, needs no runtime, and reads clock and identifiers from what
//! it is given; it cannot be built without an [`Authenticator`](auth::Authenticator).
//!
//! ```
//! use scim_core::auth::{Principal, Secret, StaticTokens};
//! use scim_core::{Config, CredentialId, Environment, MemoryStore, ResourceId, Service, TenantId, Value};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let okta = Principal { tenant: TenantId::new("acme"), credential: CredentialId::new("okta") };
//! let tokens = StaticTokens::new().with(Secret::new("s3cr3t")?, okta);
//! let config = Config::new("https://example.com/scim/v2".parse()?);
//! let clock = || jiff::Timestamp::UNIX_EPOCH; // or `jiff::Timestamp::now`
//! let environment = Environment::new(clock, || ResourceId::new("2819c223"));
//! let service = Service::new(MemoryStore::new(), tokens, config, environment);
//!
//! let request = http::Request::post("/scim/v2/Users")
//!     .header("authorization", "Bearer s3cr3t")
//!     .header("content-type", "application/scim+json")
//!     .body(r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"babs"}"#.into())?;
//! let response = service.call(request).await;
//! assert_eq!(response.status(), 201);
//! assert_eq!(response.headers()["location"], "https://example.com/scim/v2/Users/2819c223");
//! let user: Value = std::str::from_utf8(response.body())?.parse()?;
//! assert_eq!(user.get("userName").and_then(Value::as_str), Some("babs"));
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//!
//! - [`value`], [`resource`]: JSON without case in its names; resources, and typed users and groups.
//! - [`schema`]: the schemas of RFC 7643 as data, and your own; everything else is driven by them.
//! - [`validate`], [`patch`], [`projection`]: what becomes of a POST, PUT or PATCH, and of a response.
//! - [`query`], [`sort`], [`pagination`]: what a list request asks for, and in which order and pages.
//! - [`store`], [`pieces`], [`policy`]: what you implement, and feature `testkit`, which tests your store; [`leniency`]: what is tolerated, and for whom.
//! - [`audit`]: one record for each change, for whoever has to account for them.
//! - [`service`]: what goes over the wire; [`openapi`], which describes it.
//!
//! # What it does not do
//!
//! A password is accepted and not kept, unless a [`Policy`](policy::Policy) of one's own hashes it;
//! it is never returned, never filtered by, and no `Debug` form of a resource shows it.
//!
//! # Features
//!
//! All are off by default, and none changes what is answered.
//!
//! - `testkit`: the contract of a [`Store`] as tests.
//! - `tower`: [`Service`] as a `tower_service::Service`, for axum, hyper and tonic.
//! - `tracing`: [spans](service#spans) of requests and their steps.
//!
//! # Input safety
//!
//! Nothing a client sends makes the library panic, recurse without a limit, or take time that
//! grows with the square of what was sent: JSON, filters and paths have limits on bytes, depth and
//! terms, with documented defaults. One object with two names that differ at most in case is
//! refused, since two readers could each see another value.
//!
//! # Errors
//!
//! [`Error`] is the SCIM error as it goes over the wire: status, `scimType`, and a detail that
//! names the place, such as ``` `emails[1].value` must be a string, not a number ```. What goes on
//! inside a store never reaches a client.
//!
//! # Deviations from the RFCs
//!
//! The errata are followed where they correct the text ([`schema::builtin`] lists those of the
//! schemas). What identity providers send beyond the RFCs is accepted by name: each
//! [`Leniency`](leniency::Leniency) says who needs it, is reported when it fires, and is off in
//! [`Leniencies::strict`](leniency::Leniencies::strict).
//!
//! A request that writes U+0000 anywhere is refused: JSON admits the character, and not every store
//! can keep it.

pub mod audit;
pub mod auth;
pub mod discovery;
mod error;
mod etag;
mod ids;
pub mod leniency;
mod link;
pub mod membership;
mod memory;
pub mod message;
pub mod openapi;
pub mod pagination;
pub mod patch;
pub mod pieces;
pub mod policy;
pub mod projection;
pub mod query;
pub mod resource;
pub mod schema;
pub mod service;
pub mod sort;
pub mod store;
#[cfg(feature = "testkit")]
pub mod testkit;
#[cfg(feature = "tower")]
pub mod tower;
pub mod validate;
pub mod value;

pub use error::{Error, ScimType};
pub use etag::InvalidVersion;
pub use ids::{CredentialId, ExternalId, ResourceId, TenantId, Version};
pub use memory::MemoryStore;
pub use resource::Resource;
pub use service::{Config, Environment, Service};
pub use store::Store;
pub use value::{Object, Value};
