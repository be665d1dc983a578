//! How to set up an identity provider for a vendor: a guide for each pair.
//!
//! | | PagerDuty | incident.io | Datadog |
//! |---|---|---|---|
//! | Okta | [`okta_pagerduty`] | [`okta_incident_io`] | [`okta_datadog`] |
//! | Microsoft Entra ID | [`entra_pagerduty`] | [`entra_incident_io`] | [`entra_datadog`] |
//! | OneLogin | [`onelogin_pagerduty`] | [`onelogin_incident_io`] | [`onelogin_datadog`] |
//!
//! Each has what to enter, the mapping to type in, which features to enable, what is sent, what happens then,
//! and what goes wrong. Statements have sources, *inferred* where these do not say it in words.
//!
//! The conversations are played by a test against the vendor's [`Profile`](crate::Profile), in order: `{user}` and
//! `{group}` are the identifiers of what was created last, an answer has at least what is shown of it, and
//! `# lint:` names the rules that [`Profile::lint`](crate::Profile::lint) reports of the request. None was sent
//! to a vendor.

#[doc = include_str!("../guides/okta-pagerduty.md")]
pub mod okta_pagerduty {}

#[doc = include_str!("../guides/entra-pagerduty.md")]
pub mod entra_pagerduty {}

#[doc = include_str!("../guides/onelogin-pagerduty.md")]
pub mod onelogin_pagerduty {}

#[doc = include_str!("../guides/okta-incident-io.md")]
pub mod okta_incident_io {}

#[doc = include_str!("../guides/entra-incident-io.md")]
pub mod entra_incident_io {}

#[doc = include_str!("../guides/onelogin-incident-io.md")]
pub mod onelogin_incident_io {}

#[doc = include_str!("../guides/okta-datadog.md")]
pub mod okta_datadog {}

#[doc = include_str!("../guides/entra-datadog.md")]
pub mod entra_datadog {}

#[doc = include_str!("../guides/onelogin-datadog.md")]
pub mod onelogin_datadog {}
