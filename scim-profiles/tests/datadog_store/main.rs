//! Datadog behind SCIM: roles, invitations and managed teams, in a service over [`TeamStore`].
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod contract;
mod groups;
mod roles;
mod server;
mod users;
