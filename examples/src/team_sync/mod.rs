//! The `team_sync` program: an identity provider pushes users and groups to a SCIM server, and the groups become
//! teams in PagerDuty.
//!
//! The SCIM server is that of `provider --profile generic`, over SQLite. What is to be asked of PagerDuty, in which order
//! and what follows from the answers is decided by [`TeamSync`](scim_profiles::pagerduty::teams::TeamSync), which does no
//! I/O; here are the clock, the HTTP client, the file and the signals.
//!
//! Groups are read as they are when a run begins. A run begins when the program does, when a group or a user was
//! changed and nothing more has followed for a moment, and from time to time, since much of what matters happens in
//! PagerDuty: a user appears, somebody takes a member out of a team by hand.
//!
//! What the bridge remembers is in the database of the groups, in a table of its own, and is written there before each
//! request that depends on it. So the process may end between any two steps; the next run goes on from there. Each
//! change is there too from before it is asked for until its line is in the audit log, and so is what a guard refuses: each
//! has one line there. On standard output, where nobody can look what is there, a line may come again after a kill, with
//! the same `id`.

mod account;
mod client;
mod directory;
mod memory;
mod program;
mod run;
mod server;
mod settings;
mod trail;
mod worker;

pub use account::{
    Adoption, Deletion, FixedRoles, FoundMembers, LookUp, PagerDutyAccount, Stakeholders, TeamRoleName,
};
pub use program::run;
pub use settings::{Arguments, GroupNames, Tenant};
