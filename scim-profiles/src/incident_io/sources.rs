//! The documents the incident.io rows come from.

use crate::Source;

/// The page on SCIM.
pub(super) const SCIM: Source = Source::stated("incident.io documentation, \"SCIM\"", "2026");
/// The page on roles.
pub(super) const PERMISSIONS: Source =
    Source::stated("incident.io documentation, admin/user-permissions", "2026");
/// The page on seats.
pub(super) const SEATS: Source = Source::stated("incident.io documentation, admin/seat-types", "2026");
/// The page on users.
pub(super) const USERS: Source = Source::stated("incident.io documentation, admin/user-management", "2026");
/// The set-up guide for Okta, and the service behind the endpoint.
pub(super) const WORKOS: Source = Source::stated(
    "incident.io help centre, article 9564713; WorkOS documentation, integrations/scim",
    "2026",
);
/// incident.io's Terraform provider: what it takes users to be, and those with the same address.
pub(super) const TERRAFORM: Source =
    Source::stated("incident-io/terraform-provider-incident @d9afe95", "2026");
