//! SCIM 2.0 resources, schemas, PATCH and a framework-free service over your own store.

pub mod auth;
pub mod discovery;
mod error;
mod etag;
mod ids;
pub mod leniency;
mod memory;
pub mod message;
pub mod pagination;
pub mod patch;
pub mod policy;
pub mod projection;
pub mod query;
pub mod resource;
pub mod schema;
pub mod service;
pub mod store;
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
