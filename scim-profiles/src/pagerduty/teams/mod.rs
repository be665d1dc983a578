//! Groups in, teams out: SCIM groups become teams by PagerDuty's REST API, since its SCIM API has none.
//!
//! [`TeamSync`] is one run: it is given the [groups](DesiredGroup) and what was [remembered](TeamState),
//! and says step by step what to send, what to keep, and how long to wait, until it has a [`Report`]. It
//! does no I/O, reads no clock, and makes no random number.
//!
//! # What holds
//!
//! - **Nobody is removed whom the bridge did not add**, and nobody as long as one of the [members](DesiredGroup::members)
//!   given may be that user. Who is deactivated is to be given no more, also while still in the group, and leaves the
//!   team by that. A team that the bridge did not create, or on which others are, is not deleted.
//! - **A second run changes nothing**, except that it tries again what was refused: each run sends the same request
//!   and reports the same problem as long as PagerDuty refuses it, such as a stakeholder of a group
//!   ([`Stakeholders::Try`]) or a name that another team keeps.
//! - **A crash is made good by the next run**, at whatever point it happens: what is about to be created or
//!   added is handed out to be kept ([`Step::Save`]) before the request is sent. What became of a request
//!   without an answer is read before it is sent again.
//! - **One group holds no other up**, and one member neither: what cannot be done is in the report, and is
//!   tried again by the next run: a 403 on one team or one user too. What concerns all of it (401, 402, a
//!   search that is answered 403, a limit that is never lifted, nobody who answers) ends the run, and says
//!   so.
//! - **A bad push can be held up**: behind [guards](TeamConfig::with_guards) the run takes no more off teams, lowers
//!   no more roles there and deletes no more teams than ceilings permit, and leaves what is protected: a protected user stays, and gets
//!   no lower role.
//! - **Credentials are in requests alone**, not in reports, errors or `Debug`.
//!
//! # What is documented
//!
//! [`RULES`], [`OPTIONS`], [`ENDPOINTS`] and [`BASE_URLS`] have each fact with its source, and say which
//! are inferred, and by which of the [`TeamOptions`] each of these can be had otherwise; [`to_markdown`] prints them:
//!
//! - A team of the group's name that is there already becomes the group's ([`Adoption`]), as Scimify's
//!   "team names will match the group names" suggests: nothing is taken from it by that.
//! - Who was on the team already stays on it as they are ([`FoundMembers`]).
//! - The team of a group that is gone stays ([`Deletion`]).
//! - Members become responders; PagerDuty's own default would make them managers.
//! - PagerDuty is asked to take [stakeholders](Stakeholders), and says no; [fixed](FixedRoles) account roles are left
//!   the role on the team that they have.
//!
//! # What it does not do
//!
//! It makes no users: that is what PagerDuty's SCIM API is for.
//! Of a search or a list that PagerDuty cuts at 10,000 rows nothing is concluded, and it is not divided:
//! a name or an address that so many have in them is no name or address to search for.
//!
//! Teams are created as PagerDuty creates them, with `manager` as `default_role`, which makes a team public;
//! whether a team is private (`none`) is set in PagerDuty, and left as it is.
//!
//! # What the identity provider has to do
//!
//! Members of a group that is pushed come only if they are assigned to the application as well, and Okta pushes
//! a group without those it has not assigned yet. Assign by a group of its own, and push others (Veraproof
//! documentation, "Okta SCIM configuration", 2026). Who comes late is added by the next run.
//!
//! Tokens come from [`TOKEN_URL`] for both regions. Older editions of PagerDuty's documentation have `/global/oauth/token`
//! on the same host (PagerDuty/developer-docs, fbbd906), which is asked for nothing here.
//!
//! # What is late
//!
//! A request can have its effect when the members have been read again, also once more after it was
//! answered. That is made good by a later run: with whom and with which role it was sent is remembered for
//! [some time](TeamOptions::late), if runs are told the [time](TeamSync::at).
//!
//! - Who was taken off a team so soon after a request had put them there, and is on it again with the role
//!   of that request, is removed again. Whoever puts them there by hand with the same role is not told apart
//!   from the request; with another role they stay, and whoever was on the team for longer stays with any. That the
//!   request was answered is no difference, since it can arrive twice, and neither is that somebody was removed so
//!   before: the request may be yet to come. Where people are put onto teams by hand right after they left, that time
//!   can be shorter, or none.
//! - A role that was set and is not seen is set again once, after that time. Then it counts as one that
//!   PagerDuty does not change.
//! - A team whose creation has its effect so late that another was created is left over, with nobody on it,
//!   where PagerDuty lets two teams have one name. The group has its team by then, so that it is not taken;
//!   and it is not deleted, since name and description are also those that another bridge gives the teams
//!   of the same tenant, and what nobody is on may still be meant for somebody.
//!
#![doc = include_str!("../../../pages/pagerduty-teams.md")]

mod answer;
mod book;
mod check;
mod config;
mod desired;
mod diff;
mod find;
mod guard;
mod members;
mod names;
mod pace;
mod plan;
mod renames;
mod report;
mod retire;
mod secret;
mod state;
mod sync;
mod tables;
mod token;
mod wire;

pub use answer::ApiError;
pub use config::{
    Adoption, Auth, ConfigError, DESCRIPTION, Deletion, FixedRoles, FoundMembers, LookUp, MAX_DESCRIPTION,
    MAX_NAME, Mode, OAuthClient, Region, SCOPES, Stakeholders, TOKEN_URL, TeamConfig, TeamOptions,
};
pub use desired::{DesiredGroup, DesiredMember};
pub use guard::{GuardRefusal, Guarded, Released, Removals};
pub use names::TeamNames;
pub use plan::{Plan, Write};
pub use report::{End, GroupReport, MemberOutcome, MemberReport, Problem, Report, TeamOutcome};
pub use secret::Secret;
pub use state::{AddedMember, FormerMember, GroupState, KeptRole, Origin, Renaming, SentRole, TeamState};
pub use sync::{Request, Save, Step, TeamSync, TransportError};
pub use tables::{BASE_URLS, ENDPOINTS, OPTIONS, RULES, to_markdown};
