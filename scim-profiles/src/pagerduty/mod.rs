//! PagerDuty: users only, deactivation deletes, one role, one licence.
//!
//! # What PagerDuty accepts
//!
//! | | | source |
//! |---|---|---|
//! | requests | `/Users` with GET, POST, PUT, PATCH, DELETE, and the three discovery endpoints; no `/Groups`, `/Me`, `/Bulk`, `/.search` | SCIM API, 2026-01-13 |
//! | OAuth scopes | `users.read` for GET, discovery included; `users.write` for the rest | SCIM API |
//! | look-up | `userName eq` or `externalId eq`; other operators: *decided* to be refused | SCIM API |
//! | pages | 100 users unless `count` says less | SCIM API |
//! | userName | required, an e-mail address, 1–100 characters, unique | SCIM API |
//! | displayName | required, 1–255; more than 100 may fail in the REST API: *decided* to be warned of | SCIM API, REST API |
//! | externalId | 1–100 | SCIM API |
//! | roles | one element, `{"value", "primary": true}` or `{"value", "type": "base"}`; answered with all three | SCIM API, changelog of 2026-01-06 |
//! | role left out | the default role; that it is `user`: *inferred* | SCIM API, "Advanced Permissions" |
//! | entitlements | one element, `{"type": "license", "value": ID}` | SCIM API |
//! | licences | known by id; each for the roles in its `valid_roles`, and for `allocations_available` more users; left out, a default one: which, *inferred* | REST API, SCIM API, Terraform provider |
//! | licence used up | 400, "License error: License is not available": *inferred* for SCIM | Terraform provider, issue 745 |
//! | new role | drops a licence that is not for it; between full users and stakeholders that is another allocation | Terraform provider: *inferred* for SCIM |
//! | timezone | a name of the IANA time zone database | SCIM API |
//! | active | `false` deletes the user (204); creating with `false` is an error | SCIM API |
//! | owner | not created or granted by an API, change and deletion refused: *inferred* for SCIM | "Advanced Permissions", "SCIM User Provisioning" |
//! | duplicates | 400 `uniqueness`: *inferred*, since no 409 is declared | SCIM API |
//! | deletion | refused while the user has incidents, unless the account owner has them reassigned, which is asynchronous and needs the plan Business, Digital Operations (legacy) or Enterprise; status 400: *inferred* | "SCIM User Provisioning", "User Offboarding", REST API |
//! | the rest | `name`, `emails`, `groups`, `password`, `locale` and other attributes are ignored | SCIM API |
//!
//! [`ROLES`] is the table of roles. [`PROFILE`] has every row with its source.
//!
//! # What identity providers send
//!
//! - **Okta** creates with `displayName`, `groups: []` and a random `password`, and looks users up
//!   by `userName eq`. It deactivates by a PATCH without path, or, in custom apps, by a PUT that
//!   need not have a `displayName`; it never sends DELETE. Its header is `Token token=KEY`.
//!   Reactivating finds a 404, and Okta looks the user up by `userName` and creates a new one.
//! - **Entra ID**, as PagerDuty's guide maps it, sends `active` as the strings `"true"` and
//!   `"false"`, the role at `roles[primary eq "True"].value`, and the licence at
//!   `entitlements[type eq "license"].value` under the schema's URI. Other role mappings send two
//!   elements, elements that are not primary, or JSON documents in strings: what PagerDuty has no
//!   role for is refused. A user who comes back is matched by `userName`, not found, and created
//!   anew: concluded from Microsoft's guide, which says that users are matched before they are
//!   created, and nothing of users whose deactivation deleted them.
//! - **OneLogin** sends what its template says. PagerDuty's own template has an entitlement of
//!   type `base`, which the API does not name. It updates by PUT, and shows an error when it
//!   reactivates a user who is gone.
//! - **`displayName` is not always sent**: OneLogin's and some other templates leave it out unless
//!   it is mapped, and PagerDuty refuses the user. [`Profile::lint`](crate::Profile::lint) says so
//!   before PagerDuty does.
//! - An update that sends a new role sends the former licence with it, since it is the whole user
//!   as read. A licence that is not for the new role is then dropped, not refused
//!   ([`StaleLicense`]), and passed over in what is sent after it.
//! - **Groups** have no endpoint: their mapping has to be switched off in the identity provider;
//!   [`teams`] makes PagerDuty's teams of them, by its REST API.
//!
//! # What this profile does
//!
//! [`config`] and [`PagerDuty`] make a [`Service`](scim_core::Service) behave so; with
//! [`Licenses`], or reassignments to be told of, on an [`AccountStore`].
//! [`PagerDutyOptions`] has what depends on the account, or is left open, with defaults and their
//! reasons. Where PagerDuty's documents are silent it follows the RFCs, and these decisions, whose rows in
//! [`PROFILE`] have the reason, or the option for it:
//!
//! - A deactivation wins over everything else in the same request, and is not held up by it.
//! - A PUT without `roles` keeps the role: neither does it raise a restricted user to `user`, nor
//!   lower an admin. One with `roles` that are `null` or an empty array gives the default role ([`RoleEmptied`]). A PATCH
//!   cannot remove the role.
//! - A PATCH that adds a second role or licence replaces the first, since there can be only one.
//! - With the account's licences given, every user has one: who asks for none gets the first that
//!   is for the role and has an allocation. Who has one by what the account says (`current_value`) is taken for a user
//!   whom this server does not have, so that only what is available is given ([`LicensesInUse`]). A write that cannot be
//!   given a licence is refused as a whole.
//! - The account owner is not changed and not deleted ([`OwnerProtection`]).
//! - The entitlement type `base` is taken as `license`, so that PagerDuty's OneLogin template
//!   works; the linter warns of it.
//!
//! Statuses are those PagerDuty declares: the paths and methods it does not have (`/Me`, `PUT /Users`) are
//! 404, a body of another media type or one that is too large, and a query that is too long, are 400, and a write that other
//! requests keep overtaking is 500 where the RFCs have 409. What a client or a proxy acts upon (412, 503) stays.
//!
//! ```
//! use scim_core::{Environment, MemoryStore, Service};
//! use scim_core::auth::Authenticator;
//! use scim_profiles::pagerduty::{self, PagerDuty};
//!
//! fn rehearsal<A: Authenticator>(
//!     authenticator: A,
//!     environment: Environment,
//! ) -> Service<MemoryStore, A, PagerDuty> {
//!     let base_url = "http://localhost:8080/scim/v2".parse().expect("is a URL");
//!     Service::new(MemoryStore::new(), authenticator, pagerduty::config(base_url), environment)
//!         .with_policy(PagerDuty::default())
//! }
//! ```
//!
#![doc = include_str!("../../pages/pagerduty.md")]

mod account;
mod incidents;
mod licenses;
mod options;
mod policy;
mod roles;
mod rules;
mod schema;
mod seats;
mod sources;
mod tables;
pub mod teams;
mod user;

pub use account::AccountStore;
pub use incidents::{AssignedIncidents, InvalidIncidents, Offboarding, Plan, Reassignment};
pub use licenses::{InvalidLicenses, License, Licenses};
pub use options::{LicensesInUse, OwnerProtection, PagerDutyOptions, RoleEmptied, RoleOmitted, StaleLicense};
pub use policy::PagerDuty;
pub use roles::{Ability, DEFAULT_ROLE, LicenseGroup, OWNER, ROLES, Role, RoleKind, TeamRole, role};
pub use tables::PROFILE;

use scim_core::leniency::{Leniencies, Leniency};
use scim_core::service::{Config, PatchResponse};
use scim_core::{Object, ResourceId};
use url::Url;

use crate::profile::CapabilityValue;
use crate::rule::Literal;

/// What PagerDuty is taken to tolerate: "all other properties are ignored" (SCIM API, 2026-01-13).
pub(crate) fn leniencies() -> Leniencies {
    Leniencies::tolerant().with(Leniency::UnknownPath)
}

/// What a [`Service`](scim_core::Service) that behaves like PagerDuty is told; the capabilities are
/// those of [`PROFILE`].
///
/// ```
/// use scim_profiles::pagerduty;
/// let config = pagerduty::config("https://scim.example.com/v2".parse()?);
/// assert_eq!(config.capabilities.max_results, 100);
/// assert!(!config.capabilities.etag);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn config(base_url: Url) -> Config {
    let mut config = Config::new(base_url);
    config.registry = PROFILE.registry().clone();
    config.patch_response = PatchResponse::Resource;
    config.leniencies = leniencies();
    let capabilities = &mut config.capabilities;
    capabilities.documentation_uri = None;
    capabilities.discovery_location = false;
    capabilities.resource_type_by_name = false;
    capabilities.search = false;
    capabilities.refuse_cursor = false;
    capabilities.bulk = None;
    let mut scheme = Object::new();
    for row in PROFILE.capabilities {
        match (row.name, row.value) {
            ("patch.supported", CapabilityValue::Literal(Literal::Bool(on))) => capabilities.patch = on,
            ("sort.supported", CapabilityValue::Literal(Literal::Bool(on))) => capabilities.sort = on,
            ("etag.supported", CapabilityValue::Literal(Literal::Bool(on))) => capabilities.etag = on,
            ("filter.maxResults", CapabilityValue::Number(number)) => capabilities.max_results = number,
            ("itemsPerPage", CapabilityValue::Number(number)) => capabilities.default_count = number,
            (name, CapabilityValue::Literal(literal)) => {
                if let Some(member) = name.strip_prefix("authenticationSchemes.") {
                    match literal {
                        Literal::Bool(value) => scheme.insert(member, value),
                        Literal::Text(value) => scheme.insert(member, value),
                    };
                }
            }
            _ => {}
        }
    }
    scheme.insert("description", "An API key or OAuth token in the Authorization header");
    capabilities.authentication_schemes = vec![scheme.into()];
    config
}

/// An identifier like PagerDuty's, 26 upper-case letters and digits, from 128 random bits.
///
/// The bits are written in base 32 (RFC 4648 §6) without padding, so that different bits give
/// different identifiers. The form is that of the API description's example; it is not the form of
/// the REST API's identifiers, and the two must not be mixed.
///
/// ```
/// use scim_profiles::pagerduty::new_id;
/// assert_eq!(new_id([0; 16]).as_str(), "AAAAAAAAAAAAAAAAAAAAAAAAAA");
/// assert_eq!(new_id([0xff; 16]).as_str(), "77777777777777777777777774");
/// ```
pub fn new_id(random: [u8; 16]) -> ResourceId {
    const LENGTH: u32 = 26;
    let bits = u128::from_be_bytes(random);
    // 26 digits hold 130 bits: two zero bits follow the 128.
    let digit = |place: u32| {
        let above = 5 * (LENGTH - 1 - place);
        let five = if above == 0 { bits << 2 } else { bits >> (above - 2) };
        letter((five & 31) as u8)
    };
    ResourceId::new((0..LENGTH).map(digit).collect::<String>())
}

fn letter(digit: u8) -> char {
    char::from(if digit < 26 { b'A' + digit } else { b'2' + (digit - 26) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_base_32_of_the_bits() {
        // RFC 4648 §10: the base 32 of "foobar" is MZXW6YTBOI======.
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(b"foobar").for_each(|(to, from)| *to = *from);
        assert_eq!(new_id(bytes).as_str(), "MZXW6YTBOIAAAAAAAAAAAAAAAA");
    }

    #[test]
    fn ids_tell_all_bits_apart() {
        let one_bit = |bit: u32| new_id((1u128 << bit).to_be_bytes());
        let ids: std::collections::BTreeSet<_> = (0..128).map(one_bit).collect();
        assert_eq!(ids.len(), 128);
        assert!(ids.iter().all(|id| id.as_str().len() == 26));
    }
}
