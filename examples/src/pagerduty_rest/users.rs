//! `/users`, `/users/{id}` and `/licenses`.

use serde_json::{Value, json};

use super::account::{Account, User};
use super::answer::{Answer, Refusal};
use super::page::Page;
use super::route::{Query, UserQuery};

/// Those who contain `query`, by name.
pub(super) fn list(account: &Account, looks_at: UserQuery, query: &Query) -> Result<Answer, Refusal> {
    let page = Page::read(query)?;
    let wanted = query.get("query").unwrap_or_default().to_lowercase();
    let matches = |user: &&User| {
        user.name.to_lowercase().contains(&wanted)
            || looks_at == UserQuery::NameAndEmail && user.email.to_lowercase().contains(&wanted)
    };
    let mut users: Vec<&User> = account.users.iter().filter(matches).collect();
    users.sort_by_cached_key(|user| (user.name.to_lowercase(), user.id.clone()));
    Ok(page.of("users", &users, |user| render(account, user)))
}

pub(super) fn show(account: &Account, id: &str) -> Result<Answer, Refusal> {
    let user = account.user(id).ok_or_else(Refusal::no_user)?;
    Ok(Answer::ok(json!({"user": render(account, user)})))
}

/// The licences, with how many users have each: a user has the first that its role is valid with.
pub(super) fn licenses(account: &Account) -> Answer {
    let of = |user: &User| {
        let role = user.role.value;
        account.licenses.iter().position(|license| license.valid_roles.iter().any(|valid| valid == role))
    };
    let licenses = account.licenses.iter().enumerate().map(|(place, license)| {
        let taken = account.users.iter().filter(|user| of(user) == Some(place)).count();
        json!({
            "id": license.id,
            "type": "license",
            "summary": license.name,
            "self": null,
            "html_url": null,
            "name": license.name,
            "description": license.description,
            "current_value": taken,
            "allocations_available": license.allocations.map(|all| all.saturating_sub(taken)),
            "valid_roles": license.valid_roles,
            "role_group": license.role_group,
        })
    });
    Answer::ok(json!({"licenses": licenses.collect::<Vec<Value>>()}))
}

fn render(account: &Account, user: &User) -> Value {
    let in_it = |members: &[super::Member]| members.iter().any(|member| member.user == user.id);
    let teams = account.teams.iter().filter(|team| in_it(&team.members));
    let teams: Vec<Value> =
        teams.map(|team| json!({"id": team.id, "type": "team_reference", "summary": team.name})).collect();
    json!({
        "id": user.id,
        "type": "user",
        "summary": user.name,
        "self": format!("https://api.pagerduty.com/users/{}", user.id),
        "html_url": format!("https://{}.pagerduty.com/users/{}", account.subdomain, user.id),
        "name": user.name,
        "email": user.email,
        "role": user.role.value,
        "job_title": null,
        "teams": teams,
    })
}
