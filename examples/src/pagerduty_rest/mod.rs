//! A stand-in of PagerDuty's REST API, on this machine, in memory: teams, their members, users, licences and
//! tokens.
//!
//! It keeps the documented rules, so that a client that gets along with it has met them: pagination and its
//! window, rate limits, error codes, the scopes of tokens and their end, which users a team takes and whom it
//! does not let go. What no document says is an [`Option`](Options) or chosen where the code says so. On request every
//! answer may be late, lost, doubled or a 5xx ([`Faults`]).
//!
//! Sources: PagerDuty's REST API schema (`reference/REST/openapiv3.json` of PagerDuty/api-schema at 91a06fb) and
//! developer documentation (`docs/REST-API` and `docs/app-integration-development` of PagerDuty/developer-docs at
//! 9422439), seen 2026-11; the texts of two refusals come from PagerDuty's Terraform provider (#558, #770).

mod account;
mod answer;
mod credentials;
mod faults;
mod members;
mod page;
mod program;
mod rate;
mod route;
mod serve;
mod teams;
mod users;

pub use account::{
    Account, ApiKey, Client, EscalationPolicy, License, Member, Region, Seed, SeedMember, SeedTeam, SeedUser,
    Team, User,
};
pub use faults::Faults;
pub use program::{Arguments, run};
pub use rate::RateLimit;
pub use route::{DuplicateNames, Options, UserQuery};
pub use serve::{Seen, StandIn, StandInHandle};
