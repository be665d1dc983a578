//! incident.io: groups of the identity provider become roles and seats.
//!
//! # What incident.io documents
//!
//! | | | source |
//! |---|---|---|
//! | endpoint and token | WorkOS's; its limits, filters and errors are not documented by incident.io | help centre, article 9564713; WorkOS documentation |
//! | identity providers | Entra ID, CyberArk, Google, JumpCloud, Okta, OneLogin, PingFederate, Rippling; switched on one by one | help centre, article 9627083; "SCIM" |
//! | plan | Enterprise | "SCIM" |
//! | mapping | a group, by its name (whether its case counts is an [option](Options::group_names)), gives a base role or custom roles; whom no group gives anything is Standard, with a viewer's seat | "SCIM" |
//! | base roles | Standard, Admin, Owner; of several groups the highest counts: *decided* | "User permissions" |
//! | custom roles | only add; those of all groups count | "User permissions" |
//! | seats | Admin and Owner need a responder's or an on-call seat; that SCIM gives one, beside that of a group: *inferred*, and which one, and whether it [stays](Options::seat_after), is an [option](Options::elevated_seat) | "User permissions", "Seat types" |
//! | on-call seats | groups give them, and nobody can revoke those by hand; who leaves the group keeps the seat until it is revoked | "SCIM" |
//! | installing | by an owner or who may manage security settings; users are linked by e-mail address, then get the roles of their groups, or lose what no group gives | "SCIM" |
//! | same address twice | the active user counts: *decided* for linking; of several people with it each has a user: *decided* | Terraform provider |
//! | no address | a person without one has a user, whom nobody was before: *decided* | Terraform provider |
//! | *Unlinked* | a user whom the directory does not have keeps everything | "SCIM" |
//! | lockout | a group must be mapped to owner; who is in none loses the SCIM settings | "SCIM" |
//! | while installed | roles are not edited in incident.io, and nobody is invited by e-mail | "SCIM", "User management" |
//! | unassigned | deactivated, unless [active in Slack](ActiveInSlack), which is given; what then becomes of the roles is an [option](Options::in_slack) | "SCIM" |
//! | assigned again | has what groups give by then: *decided* | "SCIM" |
//! | uninstalling | everybody stays as they are | "SCIM" |
//!
//! [`PROFILE`] has every row with its source, and says which are inferred, beside the option by which each
//! of these can be had otherwise.
//!
//! # What identity providers send
//!
//! - **Okta** pushes a group with its members, then adds and removes by PATCH in one request; people in a
//!   pushed group who are not assigned to the application are not among the users, and are passed over.
//! - **Entra ID** adds members in batches, and takes them out by a PATCH with an array of values; `active`
//!   comes as a text in its older form.
//! - **OneLogin** sends users as its template says, and groups by PATCH.
//! - **Google** directories are read by WorkOS and not sent by SCIM.
//!
//! # What this module does
//!
//! [`RoleMapping::resolve`] says what somebody has by their groups. [`Preview`] compares a
//! [`Workspace`] (incident.io's users) with a [`Directory`] (the identity provider's people and
//! groups): who is linked, created, upgraded, downgraded or left *Unlinked*, and who would be locked
//! out. [`Preview::confirm`] and [`Confirmed::apply`] do it; the next synchronisation is the same
//! function again. All of it is sans IO.
//!
//! [`config`], [`IncidentIo`] and [`AccessStore`] make a [`Service`](scim_core::Service) in which users
//! have what their groups give, readable as the extension [`EFFECTIVE_ACCESS`]: a rehearsal for an
//! identity provider's group push. Where incident.io's documents are silent it follows the RFCs. Groups
//! have distinct names, since they are mapped by them; a group in a group gives the people in it nothing.
//!
//! `active` of a User is what the identity provider wrote, whether the person is assigned, and reads so ever after;
//! `active` of [`EFFECTIVE_ACCESS`] is what becomes of the user. They differ for whoever is unassigned and still
//! [active in Slack](AccessStore::with_active_in_slack). That a server answers with what was written is what identity
//! providers go by: Entra ID would disable a user again and again who reads as enabled, and nobody could be told
//! from one who was assigned again. incident.io's own server, WorkOS's, knows nothing of Slack either.
//!
#![doc = include_str!("../../pages/incident-io.md")]

mod access;
mod directory;
mod effect;
mod install;
mod options;
mod policy;
mod rules;
mod schema;
mod seats;
mod slack;
mod sources;
mod store;
mod tables;
mod workspace;

pub(crate) use effect::{Effect, is_active, is_assigned};

pub use access::{Access, BaseRole, MANAGE_SECURITY_SETTINGS, MappingError, RoleMapping, UnknownBaseRole};
pub use directory::{Directory, DirectoryError, Group, Person};
pub use install::{Action, Confirmed, Guard, Lockout, Preview, Problem, Refusal, Row, Summary};
pub use options::{Deactivated, ElevatedSeat, GroupNames, InSlack, Options, SeatAfter};
pub use policy::IncidentIo;
pub use schema::EFFECTIVE_ACCESS;
pub use seats::{ByGroups, OnCallSeat, Seats};
pub use slack::ActiveInSlack;
pub use store::AccessStore;
pub use tables::PROFILE;
pub use workspace::{EditError, Standing, User, Workspace, WorkspaceError};

use scim_core::Config;
use url::Url;

/// What a [`Service`](scim_core::Service) that behaves like incident.io is told: RFC 7644, without bulk
/// requests, search and sort.
pub fn config(base_url: Url) -> Config {
    let mut config = Config::new(base_url);
    config.registry = PROFILE.registry().clone();
    config.capabilities.search = false;
    config.capabilities.bulk = None;
    config.capabilities.sort = false;
    config
}
