//! `/teams/{id}/members` and `/teams/{id}/users/{user_id}`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::account::{Account, Member, read_team_role};
use super::answer::{Answer, Refusal};
use super::page::Page;
use super::route::Query;

pub(super) fn list(account: &Account, team: &str, query: &Query, now: Instant) -> Result<Answer, Refusal> {
    let page = Page::read(query)?;
    let team = account.team(team).ok_or_else(Refusal::no_team)?;
    Ok(page.of("members", &team.members, |member| {
        let role = match member.before {
            Some((before, until)) if now < until => before,
            _ => member.role,
        };
        let name = account.user(&member.user).map(|user| user.name.as_str());
        json!({
            "user": {
                "id": member.user,
                "type": "user_reference",
                "summary": name,
                "self": format!("https://api.pagerduty.com/users/{}", member.user),
                "html_url": format!("https://{}.pagerduty.com/users/{}", account.subdomain, member.user),
            },
            "role": role.as_str(),
        })
    }))
}

/// Adds a member, or changes its role, which is told some time later.
pub(super) fn add(
    account: &mut Account,
    team: &str,
    user: &str,
    body: &Value,
    now: Instant,
    late: Duration,
) -> Result<Answer, Refusal> {
    account.team(team).ok_or_else(Refusal::no_team)?;
    let (user, account_role) =
        account.user(user).map(|user| (user.id.clone(), user.role)).ok_or_else(Refusal::no_user)?;
    let wanted = match body.get("role") {
        None => None,
        Some(role) => {
            let role = role.as_str().and_then(read_team_role);
            Some(role.ok_or_else(|| Refusal::invalid("Role must be observer, responder or manager"))?)
        }
    };
    // Of the limited stakeholder no document says it.
    if account_role.value == "read_only_user" {
        return Err(Refusal::invalid("User with the read_only_user role cannot be added to a team"));
    }
    let default = account_role.team_role;
    let team = account.team_mut(team).ok_or_else(Refusal::no_team)?;
    let until = now + late;
    match team.members.iter_mut().find(|member| member.user == user) {
        Some(member) => {
            if let Some(role) = wanted.filter(|role| *role != member.role) {
                member.before = Some((member.role, until));
                member.role = role;
            }
        }
        None => {
            let role = wanted.unwrap_or(default);
            team.members.push(Member { user, role, before: Some((default, until)) });
        }
    }
    Ok(Answer::no_content())
}

/// Who is on an escalation policy of the team stays.
pub(super) fn remove(account: &mut Account, team: &str, user: &str) -> Result<Answer, Refusal> {
    let found = account.team(team).ok_or_else(Refusal::no_team)?;
    let member = found.members.iter().any(|member| member.user == user);
    let email = account.user(user).map(|user| user.email.as_str()).filter(|_| member);
    let email = email.ok_or_else(Refusal::no_user)?;
    let escalates = account.policies.iter().any(|policy| {
        policy.teams.contains(&found.name)
            && policy.users.iter().any(|other| other.eq_ignore_ascii_case(email))
    });
    if escalates {
        return Err(Refusal::invalid(
            "User cannot be removed as they belong to an escalation policy on this team",
        ));
    }
    if let Some(team) = account.team_mut(team) {
        team.members.retain(|member| member.user != user);
    }
    Ok(Answer::no_content())
}
