//! Vendor rules of SCIM service providers as data: validator, server behaviour, linter.
//!
//! A [`Profile`] is what a vendor publishes about its SCIM endpoint, as rows of const tables: each
//! endpoint, limit, role and rule with its [`Source`], the date it was seen, and whether it is
//! stated or inferred. The same rows are used three ways:
//!
//! - as a **linter** of what a client sends: [`Profile::lint`] reports every violation, with rule
//!   id, path and source;
//! - as a **validator** in a server, which answers the report as a SCIM error;
//! - as the **behaviour** of a server: [`Profile::config`] and [`Profile::policy`] make a
//!   [`scim_core::Service`] act like the vendor.
//!
//! | profile | what it is |
//! |---|---|
//! | [`datadog`] | Datadog's users, their roles, and the teams that groups manage |
//! | `generic` | RFC 7643 and 7644, no vendor |
//! | [`incident_io`] | incident.io's users, and the roles and seats that groups give them |
//! | [`pagerduty`] | PagerDuty's user provisioning, and [teams](pagerduty::teams) made of groups |
//!
//! With each of them, or none, [`guard`] stops an identity provider that takes away too much at once.
//! [`guides`] say how to set up Okta, Microsoft Entra ID and OneLogin for each vendor, and [`sources`] in which rule,
//! option or test each sentence of the first documents lives.
//!
//! # Example
//!
//! ```
//! use scim_core::Value;
//! use scim_profiles::Profile;
//!
//! let pagerduty = Profile::by_name("pagerduty").expect("is one of the profiles");
//! let report = pagerduty.lint(&Value::from(serde_json::json!({
//!     "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
//!     "userName": "alex.doe@example.com",
//!     "name": {"givenName": "Alex", "familyName": "Doe"},
//! })));
//! let found: Vec<_> = report.violations().iter().map(|v| (v.rule, v.path.as_str())).collect();
//! assert_eq!(found, [("attribute-known", "name"), ("display-name-required", "displayName")]);
//! ```
//!
//! # What it does not do
//!
//! Nothing here was checked against a vendor's live service: the sources are public documents, and
//! what they leave open is an option, or a row marked as decided here, with the reason.

pub mod datadog;
mod generic;
pub mod guard;
pub mod guides;
pub mod incident_io;
mod lint;
mod markdown;
pub mod pagerduty;
mod profile;
mod report;
mod rule;
mod source;
#[doc = include_str!("../SOURCES.md")]
pub mod sources {}
mod table;

pub use profile::{
    AttributeRow, Authorization, BaseUrl, Capability, CapabilityValue, Endpoint, ErrorBody, ErrorStyle,
    FilterForm, Filterable, Filters, Lifecycle, OptionRow, Profile, ResourceProfile, RowKind,
};
pub use report::{Report, Violation};
pub use rule::{Check, Literal, On, Payload, Rule, Severity};
pub use source::{Basis, Source};
