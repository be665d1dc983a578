//! The documents the Datadog rows come from.

use crate::Source;

/// The API reference.
pub(super) const API: Source = Source::stated("Datadog API reference, \"SCIM\"", "2026-01");
/// The API reference in French, which has more sites.
pub(super) const API_FR: Source = Source::stated("Datadog API reference, \"SCIM\", in French", "2026");
/// The page on SCIM.
pub(super) const SCIM: Source =
    Source::stated("Datadog documentation, account_management/scim @07d49c9a", "2026");
/// The set-up guide for Okta, in its newest edition.
pub(super) const OKTA: Source = Source::stated("Datadog documentation, account_management/scim/okta", "2026");
/// The set-up guide for Okta before: teams are matched by name.
pub(super) const OKTA_BEFORE: Source =
    Source::stated("Datadog documentation, account_management/scim/okta @00cfb004", "2025");
/// The set-up guide for Entra ID.
pub(super) const ENTRA: Source =
    Source::stated("Datadog documentation, account_management/scim/entra @1f715f41", "2026");
/// The page on teams.
pub(super) const TEAMS: Source =
    Source::stated("Datadog documentation, account_management/teams/manage @04419d17", "2026");
/// What the RFC has where Datadog is silent.
pub(super) const RFC7643: Source = Source::stated("RFC 7643", "2015-09");
/// What the RFC has where Datadog is silent.
pub(super) const RFC7644: Source = Source::stated("RFC 7644", "2015-09");
