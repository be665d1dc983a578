//! What the account has.

use std::collections::HashSet;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use scim_profiles::pagerduty::{self, TeamRole};
use serde::Deserialize;

/// What an account begins with, as a JSON file has it: `examples/pagerduty-rest/account.json` is one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seed {
    /// The name of the account: the `acme` of `https://acme.pagerduty.com`.
    pub subdomain: String,
    /// The service region it is in.
    pub region: Region,
    /// What the account may do; `teams` is needed to change teams.
    pub abilities: Vec<String>,
    /// Its API keys.
    pub api_keys: Vec<ApiKey>,
    /// Its apps with Scoped OAuth.
    pub clients: Vec<Client>,
    /// Its licences.
    pub licenses: Vec<License>,
    /// Its users.
    pub users: Vec<SeedUser>,
    /// Its teams.
    pub teams: Vec<SeedTeam>,
    /// Its escalation policies.
    pub escalation_policies: Vec<EscalationPolicy>,
}

/// A service region.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// `us`
    #[default]
    Us,
    /// `eu`
    Eu,
}

impl Region {
    /// As the scope `as_account-…` has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Eu => "eu",
        }
    }
}

/// A General Access key.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// The key.
    pub key: String,
    /// Whether it cannot write.
    #[serde(default)]
    pub read_only: bool,
    /// Whether it cannot read licences, as that of somebody who is no administrator.
    #[serde(default)]
    pub no_licenses: bool,
}

/// An app with Scoped OAuth.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Its `client_id`.
    pub id: String,
    /// Its `client_secret`.
    pub secret: String,
    /// The scopes it is configured with.
    pub scopes: Vec<String>,
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiKey").field("read_only", &self.read_only).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("id", &self.id).field("scopes", &self.scopes).finish_non_exhaustive()
    }
}

/// A licence.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct License {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its description.
    #[serde(default)]
    pub description: String,
    /// How many users it is for; none is any number.
    pub allocations: Option<usize>,
    /// The roles its users may have.
    pub valid_roles: Vec<String>,
    /// `FullUser` or `Stakeholder`.
    pub role_group: String,
}

/// A user of a [`Seed`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedUser {
    /// Its id; one is made where there is none.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// Its e-mail address.
    pub email: String,
    /// Its account role; `user` where there is none.
    pub role: Option<String>,
}

/// A team of a [`Seed`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedTeam {
    /// Its id; one is made where there is none.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// The name of the team it is a part of.
    pub parent: Option<String>,
    /// Its members.
    pub members: Vec<SeedMember>,
    /// Its services.
    pub services: Vec<String>,
    /// Its schedules.
    pub schedules: Vec<String>,
    /// How many of its incidents are not resolved.
    pub incidents: u32,
}

/// A member of a [`SeedTeam`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedMember {
    /// The e-mail address of the user.
    pub email: String,
    /// `manager`, `responder` or `observer`.
    pub role: String,
}

/// An escalation policy.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EscalationPolicy {
    /// Its name.
    pub name: String,
    /// The names of the teams it is for.
    pub teams: Vec<String>,
    /// The e-mail addresses of those whom it calls.
    pub users: Vec<String>,
}

/// A user.
#[derive(Clone, Debug)]
pub struct User {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its e-mail address.
    pub email: String,
    /// Its account role.
    pub role: &'static pagerduty::Role,
}

/// A team.
#[derive(Clone, Debug)]
pub struct Team {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// Whether those outside have their own role in it (`manager`) and not none.
    pub public: bool,
    /// The id of the team it is a part of.
    pub parent: Option<String>,
    /// Its members.
    pub members: Vec<Member>,
    pub(super) services: Vec<String>,
    pub(super) schedules: Vec<String>,
    pub(super) incidents: u32,
}

/// A member of a team.
#[derive(Clone, Debug)]
pub struct Member {
    /// The id of the user.
    pub user: String,
    /// Its role.
    pub role: TeamRole,
    // The role that is told until then.
    pub(super) before: Option<(TeamRole, Instant)>,
}

/// The account, as it is now.
#[derive(Debug)]
pub struct Account {
    pub(super) subdomain: String,
    pub(super) region: Region,
    pub(super) abilities: Vec<String>,
    pub(super) api_keys: Vec<ApiKey>,
    pub(super) clients: Vec<Client>,
    pub(super) licenses: Vec<License>,
    pub(super) users: Vec<User>,
    pub(super) teams: Vec<Team>,
    pub(super) policies: Vec<EscalationPolicy>,
    made: u64,
}

impl Account {
    /// The account that `seed` describes.
    ///
    /// # Errors
    ///
    /// A role or a licence is none of PagerDuty's, or somebody or something is named who is not there.
    pub fn new(seed: Seed) -> anyhow::Result<Self> {
        let mut account = Self {
            subdomain: seed.subdomain,
            region: seed.region,
            abilities: seed.abilities,
            api_keys: seed.api_keys,
            clients: seed.clients,
            licenses: seed.licenses,
            users: Vec::new(),
            teams: Vec::new(),
            policies: seed.escalation_policies,
            made: 0,
        };
        let mut emails = HashSet::new();
        for user in seed.users {
            let is_new = emails.insert(user.email.to_ascii_lowercase());
            ensure!(is_new, taken(&user.email));
            let role = user.role.as_deref().unwrap_or(pagerduty::DEFAULT_ROLE);
            account.enrol(user.id, &user.name, &user.email, role)?;
        }
        for team in seed.teams {
            let parent = team.parent.map(|name| {
                account.team_named(&name).map(|team| team.id.clone()).with_context(|| no_team(&name))
            });
            let id = account.id_or_new(team.id);
            let members = team.members.iter().map(|member| {
                let user = account.user_with(&member.email).with_context(|| no_user(&member.email))?;
                Ok(Member { user: user.id.clone(), role: team_role(&member.role)?, before: None })
            });
            let members = members.collect::<anyhow::Result<_>>()?;
            account.teams.push(Team {
                id,
                name: team.name,
                description: team.description,
                public: true,
                parent: parent.transpose()?,
                members,
                services: team.services,
                schedules: team.schedules,
                incidents: team.incidents,
            });
        }
        for policy in &account.policies {
            for name in &policy.teams {
                ensure!(account.team_named(name).is_some(), no_team(name));
            }
            for email in &policy.users {
                ensure!(account.user_with(email).is_some(), no_user(email));
            }
        }
        Ok(account)
    }

    /// A new user.
    ///
    /// # Errors
    ///
    /// The role is none of PagerDuty's, or the address is taken.
    pub fn add_user(&mut self, name: &str, email: &str, role: &str) -> anyhow::Result<&User> {
        ensure!(self.user_with(email).is_none(), taken(email));
        self.enrol(None, name, email, role)
    }

    fn enrol(&mut self, id: Option<String>, name: &str, email: &str, role: &str) -> anyhow::Result<&User> {
        let role = pagerduty::role(role)
            .with_context(|| format!("`{}` is no role of PagerDuty's", role.escape_debug()))?;
        let id = self.id_or_new(id);
        self.users.push(User { id, name: name.to_owned(), email: email.to_owned(), role });
        self.users.last().context("a user was added")
    }

    /// Puts somebody into a team, as by hand in PagerDuty.
    ///
    /// # Errors
    ///
    /// There is no such team, or no such user.
    pub fn add_member(&mut self, team: &str, email: &str, role: TeamRole) -> anyhow::Result<()> {
        let user = self.user_with(email).with_context(|| no_user(email))?.id.clone();
        let team = self.teams.iter_mut().find(|one| one.name == team).with_context(|| no_team(team))?;
        team.members.retain(|member| member.user != user);
        team.members.push(Member { user, role, before: None });
        Ok(())
    }

    /// The users, in the order in which they came.
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// The teams, in the order in which they came.
    pub fn teams(&self) -> &[Team] {
        &self.teams
    }

    /// The team with that name; the first, where there are several.
    pub fn team_named(&self, name: &str) -> Option<&Team> {
        self.teams.iter().find(|team| team.name == name)
    }

    /// The user with that e-mail address.
    pub fn user_with(&self, email: &str) -> Option<&User> {
        self.users.iter().find(|user| user.email.eq_ignore_ascii_case(email))
    }

    /// The e-mail addresses of the members of the team with that name, sorted.
    pub fn emails_of(&self, team: &str) -> Option<Vec<String>> {
        let members = self.team_named(team)?.members.iter();
        let mut emails: Vec<_> =
            members.filter_map(|member| Some(self.user(&member.user)?.email.clone())).collect();
        emails.sort();
        Some(emails)
    }

    pub(super) fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    pub(super) fn team(&self, id: &str) -> Option<&Team> {
        self.teams.iter().find(|team| team.id == id)
    }

    pub(super) fn team_mut(&mut self, id: &str) -> Option<&mut Team> {
        self.teams.iter_mut().find(|team| team.id == id)
    }

    fn id_or_new(&mut self, id: Option<String>) -> String {
        id.unwrap_or_else(|| self.new_id())
    }

    /// An id of PagerDuty's form that nothing has: `P` and six letters and digits.
    pub(super) fn new_id(&mut self) -> String {
        const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
        loop {
            self.made += 1;
            let mut bits = super::faults::Random(self.made).next();
            let mut id = String::from("P");
            for _ in 0..6 {
                id.extend(LETTERS.get((bits % 32) as usize).map(|letter| char::from(*letter)));
                bits /= 32;
            }
            if self.user(&id).is_none() && self.team(&id).is_none() {
                return id;
            }
        }
    }
}

fn no_team(name: &str) -> String {
    format!("there is no team `{}`", name.escape_debug())
}

fn no_user(email: &str) -> String {
    format!("there is no user `{}`", email.escape_debug())
}

fn taken(email: &str) -> String {
    format!("there is a user `{}` already", email.escape_debug())
}

fn team_role(text: &str) -> anyhow::Result<TeamRole> {
    read_team_role(text).with_context(|| format!("`{}` is no role on a team", text.escape_debug()))
}

pub(super) fn read_team_role(text: &str) -> Option<TeamRole> {
    [TeamRole::Manager, TeamRole::Responder, TeamRole::Observer]
        .into_iter()
        .find(|role| role.as_str() == text)
}
