//! Datadog: roles by their UUIDs, and groups that manage teams.
//!
//! # What Datadog accepts
//!
//! | | | source |
//! |---|---|---|
//! | requests | `/Users` and `/Groups` with GET, POST, PUT, PATCH, DELETE, below `/api/v2/scim` of each site's API host; `/Schemas` | API reference |
//! | authorization | `Bearer` and an application key, of a service account | API reference; the guides |
//! | users | `userName`, `active`, `name.formatted`, `title`, `emails` of type `work`, `roles`; no `externalId` | API reference; guide for Okta |
//! | finding users | `userName eq` | API reference |
//! | changing users | PATCH with `add` and `replace`, not `remove` | API reference |
//! | roles | `{"value": UUID, "display": NAME}`, each an object; those that match none are dropped, and noted in Audit Trail | guide for Okta, 2026 |
//! | no role matches | the organisation's role for users that are created automatically, and none where that is not set; "(Standard)" | guide for Okta, guide for Entra ID |
//! | invitation | a new user gets an e-mail, whose link is good for 2 days | "User Provisioning with SCIM" |
//! | groups | `displayName`, `externalId`, `members`, who are users that exist; on request | API reference; guide for Okta |
//! | finding groups | `displayName eq`, `externalId eq`, or `id eq` and `members eq` in any order | API reference |
//! | changing groups | PATCH with `add`, `replace` and `remove`; the example has `"path": "None"` for no path | API reference |
//! | managed teams | name, handle and members come from the identity provider, and are read-only elsewhere | "Team Management" |
//! | a team that is there | is taken over by exact name; in the newest edition, by the handle derived from the name | guide for Okta |
//! | deleting a group | takes everybody out of the team and unlinks it; the team stays | guide for Okta |
//! | errors | `{"errors": ["…"]}`; 400, 403, 404, 409 (PUT of a group), 429 | API reference |
//!
//! [`PROFILE`] has every row with its source, and says which are inferred, beside the option by which each
//! of these can be had otherwise.
//!
//! # What identity providers send
//!
//! - **Okta** does not map `roles` unless told to, and then sends one role in each *slot*,
//!   `roles[type eq "slot1"].value`; a role that is cleared in Okta can stay with the user. Pushed groups
//!   become teams, once [managed teams](DatadogOptions::teams) are requested; users have to be assigned first.
//! - **Entra ID** is to be set up with the flag `aadOptscim062020`, which makes its operations those of the
//!   RFC, and maps `displayName` to `name.formatted`, `mail` to `emails[type eq "work"].value` and
//!   `AppRoleAssignmentsComplex([appRoleAssignments])` to `roles`. Its application in the gallery has no
//!   groups; direct calls may have them. An attribute that is cleared is sent as `remove`, and refused.
//! - **OneLogin** and others "may work, but are not explicitly supported".
//!
//! # What this profile does
//!
//! [`RoleCatalogue::resolve`] says which roles a user gets. [`config`], [`Datadog`] and [`TeamStore`] make a
//! [`Service`](scim_core::Service) behave so, and [`DatadogOptions`] has what depends on the organisation or
//! is left open, with defaults and their reasons. What is dropped of the roles that were asked for is in the
//! [remarks](scim_core::policy::Policy::remarks) of the audit trail, also where nothing is left to change. Where
//! Datadog's documents are silent the service follows the RFCs, and these decisions, all marked in [`PROFILE`], with their reasons or the options for them:
//!
//! - **Texts in filters are in quotes**, as RFC 7644 has them. The reference prints `userName eq <user name>`,
//!   which is a placeholder; its own example of a group is called `Group 1`, and `displayName eq Group 1`
//!   without quotes could be read in several ways. Identity providers all send quotes; who does not is told
//!   to by the error's hint.
//! - A name that is taken is 400, which is what POST declares, and 409 for PUT of a group.
//! - Attributes that Datadog does not have are ignored, in PATCH too.
//! - A PUT without roles keeps them, since roles are not mapped by default; one with `roles` that are `null` or an empty
//!   array takes them away ([`RolesEmptied`]). Roles that a request leaves as
//!   they are stay, also those that the organisation has no longer.
//! - A request without a valid key is 401, as HTTP has it; what the RFCs say 501 or 405 of is 404, and 413 to 415
//!   of 400.
//! - 403, which the reference declares for PATCH of a user, and 429 are not answered: when they are, no
//!   document says.
//!
//! What the article that this profile began with says is in [`sources`](crate::sources), sentence by sentence.
//!
#![doc = include_str!("../../pages/datadog.md")]

mod options;
mod policy;
mod record;
mod roles;
mod rules;
mod schema;
mod sources;
mod store;
mod tables;
mod teams;

pub use options::{DatadogOptions, Deactivation, Handles, OtherEmails, RolesEmptied, RolesUnsaid, TeamMatch};
pub use policy::Datadog;
pub use roles::{Resolution, Role, RoleCatalogue, RoleError, STANDARD_ROLE};
pub use store::TeamStore;
pub use tables::PROFILE;
pub use teams::{Event, INVITATION_DAYS, Team, TeamEdit, TeamError};

use scim_core::Config;
use scim_core::membership::Nesting;
use url::Url;

use crate::profile::CapabilityValue;
use crate::rule::Literal;

/// What a [`Service`](scim_core::Service) that behaves like Datadog is told, for an organisation with these
/// options; the capabilities are those of [`PROFILE`].
///
/// ```
/// use scim_profiles::datadog::{self, DatadogOptions};
///
/// let base_url: url::Url = "https://api.example.com/api/v2/scim".parse()?;
/// let mut options = DatadogOptions::default();
/// assert!(datadog::config(base_url.clone(), &options).registry.by_name("Group").is_none());
/// options.teams = true;
/// assert!(datadog::config(base_url, &options).registry.by_name("Group").is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn config(base_url: Url, options: &DatadogOptions) -> Config {
    let mut config = Config::new(base_url);
    config.registry = if options.teams { schema::registry() } else { schema::users() }.clone();
    config.leniencies = tables::leniencies();
    config.nesting = Nesting::Flat;
    let capabilities = &mut config.capabilities;
    capabilities.search = false;
    capabilities.refuse_cursor = false;
    capabilities.bulk = None;
    for row in PROFILE.capabilities {
        match (row.name, row.value) {
            ("patch.supported", CapabilityValue::Literal(Literal::Bool(on))) => capabilities.patch = on,
            ("sort.supported", CapabilityValue::Literal(Literal::Bool(on))) => capabilities.sort = on,
            ("etag.supported", CapabilityValue::Literal(Literal::Bool(on))) => capabilities.etag = on,
            ("filter.maxResults", CapabilityValue::Number(number)) => capabilities.max_results = number,
            ("itemsPerPage", CapabilityValue::Number(number)) => capabilities.default_count = number,
            _ => {}
        }
    }
    config
}
