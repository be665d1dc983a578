//! The documents the PagerDuty rows come from.

use crate::Source;

/// The OpenAPI description of PagerDuty's SCIM API.
pub(super) const SCIM_API: Source =
    Source::stated("PagerDuty/api-schema reference/scim/openapiv3.json @91a06fb", "2026-01-13");
/// The OpenAPI description of PagerDuty's REST API.
pub(super) const REST_API: Source =
    Source::stated("PagerDuty/api-schema reference/REST/openapiv3.json @91a06fb", "2026-01-13");
/// The clarification of the two formats of `roles`.
pub(super) const CHANGELOG: Source =
    Source::stated("PagerDuty/api-schema docs/CHANGELOG.md, 2026-01-06", "2026-01-06");
/// The support page on user provisioning.
pub(super) const PROVISIONING: Source =
    Source::stated("PagerDuty support, \"SCIM User Provisioning\"", "2026");
/// The support page on roles.
pub(super) const PERMISSIONS: Source = Source::stated("PagerDuty support, \"Advanced Permissions\"", "2026");
/// The support page on offboarding.
pub(super) const OFFBOARDING: Source = Source::stated("PagerDuty support, \"User Offboarding\"", "2026");
/// The set-up guide for Okta.
pub(super) const OKTA_GUIDE: Source = Source::stated("PagerDuty support, Okta guide", "2026");
/// The set-up guide for Microsoft Entra ID.
pub(super) const ENTRA_GUIDE: Source = Source::stated("PagerDuty support, Microsoft Entra ID guide", "2026");
/// The set-up guide for OneLogin.
pub(super) const ONELOGIN_GUIDE: Source = Source::stated("PagerDuty support, OneLogin guide", "2026");
/// PagerDuty's Terraform provider: what its code says about licences.
pub(super) const TERRAFORM: Source =
    Source::stated("PagerDuty/terraform-provider-pagerduty @95cf9d8b and issue 715", "2026");
/// What PagerDuty's Terraform provider says of licences and the roles they are for.
pub(super) const TERRAFORM_USER: Source = Source::stated(
    "PagerDuty/terraform-provider-pagerduty @95cf9d8b website/docs/r/user.html.markdown",
    "2026",
);
/// What the REST API answers when a licence is used up.
pub(super) const LICENSE_ISSUE: Source =
    Source::stated("PagerDuty/terraform-provider-pagerduty issue 745", "2026");
/// Microsoft's guide for those who build a SCIM endpoint.
pub(super) const ENTRA_SCIM: Source =
    Source::stated("MicrosoftDocs/entra-docs use-scim-to-provision-users-and-groups.md @03cc7794", "2026");
/// PagerDuty's clients and OpenID documentation, for the European region.
pub(super) const REGIONS: Source =
    Source::stated("PagerDuty/python-pagerduty user guide; developer-docs @9422439, OpenID token", "2026");
/// Okta's integration page.
pub(super) const OKTA_PAGE: Source =
    Source::stated("Okta help, PagerDuty integration; \"Advanced Permissions\" note of 2019-04-26", "2026");
/// The RFC, where the vendor's documents are silent.
pub(super) const RFC7643: Source = Source::stated("RFC 7643", "2015-09");
/// The RFC, where the vendor's documents are silent.
pub(super) const RFC7644: Source = Source::stated("RFC 7644", "2015-09");
