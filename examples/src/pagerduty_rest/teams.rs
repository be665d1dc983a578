//! `/teams` and `/teams/{id}`.

use serde_json::{Value, json};

use super::account::{Account, Team};
use super::answer::{Answer, Refusal};
use super::page::Page;
use super::route::{DuplicateNames, Options, Query};

/// Those whose name contains `query`, by name.
pub(super) fn list(account: &Account, query: &Query) -> Result<Answer, Refusal> {
    let page = Page::read(query)?;
    let wanted = query.get("query").unwrap_or_default().to_lowercase();
    let mut teams: Vec<&Team> =
        account.teams.iter().filter(|team| team.name.to_lowercase().contains(&wanted)).collect();
    teams.sort_by_cached_key(|team| (team.name.to_lowercase(), team.id.clone()));
    Ok(page.of("teams", &teams, |team| render(account, team)))
}

pub(super) fn show(account: &Account, id: &str) -> Result<Answer, Refusal> {
    let team = account.team(id).ok_or_else(Refusal::no_team)?;
    Ok(Answer::ok(json!({"team": render(account, team)})))
}

pub(super) fn create(account: &mut Account, options: &Options, body: &Value) -> Result<Answer, Refusal> {
    let written = Written::read(body)?;
    let name = written.name.ok_or_else(|| Refusal::invalid("Name cannot be empty"))?;
    check_free(account, options, &name, None)?;
    let team = Team {
        id: account.new_id(),
        name,
        description: written.description.flatten(),
        public: written.public.unwrap_or(true),
        parent: None,
        members: Vec::new(),
        services: Vec::new(),
        schedules: Vec::new(),
        incidents: 0,
    };
    let answer = Answer::created(json!({"team": render(account, &team)}));
    account.teams.push(team);
    Ok(answer)
}

/// What the body does not have stays as it is, also where the API schema requires it.
pub(super) fn update(
    account: &mut Account,
    options: &Options,
    id: &str,
    body: &Value,
) -> Result<Answer, Refusal> {
    account.team(id).ok_or_else(Refusal::no_team)?;
    let written = Written::read(body)?;
    if let Some(name) = &written.name {
        check_free(account, options, name, Some(id))?;
    }
    let team = account.team_mut(id).ok_or_else(Refusal::no_team)?;
    if let Some(name) = written.name {
        team.name = name;
    }
    if let Some(description) = written.description {
        team.description = description;
    }
    if let Some(public) = written.public {
        team.public = public;
    }
    show(account, id)
}

/// Goes only without escalation policies, services, schedules and subteams.
pub(super) fn delete(account: &mut Account, id: &str, reassigned: Option<&str>) -> Result<Answer, Refusal> {
    let team = account.team(id).ok_or_else(Refusal::no_team)?;
    let escalates = account.policies.iter().any(|policy| policy.teams.contains(&team.name));
    let has_parts = account.teams.iter().any(|part| part.parent.as_deref() == Some(id));
    if escalates || has_parts || !team.services.is_empty() || !team.schedules.is_empty() {
        return Err(Refusal::associations());
    }
    let incidents = team.incidents;
    if let (Some(heir), true) = (reassigned, incidents > 0) {
        if heir == id {
            return Err(Refusal::bad_reassignment());
        }
        account.team_mut(heir).ok_or_else(Refusal::no_reassignment)?.incidents += incidents;
    }
    account.teams.retain(|team| team.id != id);
    Ok(Answer::no_content())
}

/// What a body has to say of a team; an absent attribute is none.
struct Written {
    name: Option<String>,
    description: Option<Option<String>>,
    public: Option<bool>,
}

impl Written {
    fn read(body: &Value) -> Result<Self, Refusal> {
        let team = body.get("team").and_then(Value::as_object);
        let team = team.ok_or_else(|| Refusal::invalid("team must be an object"))?;
        if team.get("type").is_none_or(|kind| kind != "team") {
            return Err(Refusal::invalid("Type must be team"));
        }
        let name = match team.get("name") {
            None => None,
            Some(Value::String(name)) if name.trim().is_empty() => {
                return Err(Refusal::invalid("Name cannot be empty"));
            }
            Some(Value::String(name)) if name.chars().count() > MAX_NAME => {
                let reason = format!("Name is too long (maximum is {MAX_NAME} characters)");
                return Err(Refusal::invalid(reason));
            }
            Some(Value::String(name)) => Some(name.clone()),
            Some(_) => return Err(Refusal::invalid("Name must be a string")),
        };
        let description = match team.get("description") {
            None => None,
            Some(Value::Null) => Some(None),
            Some(Value::String(text)) if text.chars().count() > MAX_DESCRIPTION => {
                let reason = format!("Description is too long (maximum is {MAX_DESCRIPTION} characters)");
                return Err(Refusal::invalid(reason));
            }
            Some(Value::String(text)) => Some(Some(text.clone())),
            Some(_) => return Err(Refusal::invalid("Description must be a string")),
        };
        let public = match team.get("default_role").map(Value::as_str) {
            None => None,
            Some(Some("manager")) => Some(true),
            Some(Some("none")) => Some(false),
            Some(_) => return Err(Refusal::invalid("Default role must be manager or none")),
        };
        Ok(Self { name, description, public })
    }
}

/// No document says whether two teams may have one name.
fn check_free(account: &Account, options: &Options, name: &str, own: Option<&str>) -> Result<(), Refusal> {
    let taken = account.teams.iter().any(|team| team.name == name && Some(team.id.as_str()) != own);
    match taken && options.duplicate_names == DuplicateNames::Refuse {
        true => Err(Refusal::invalid("Name has already been taken")),
        false => Ok(()),
    }
}

fn render(account: &Account, team: &Team) -> Value {
    let parent = team.parent.as_ref().map(|id| json!({"id": id, "type": "team_reference"}));
    json!({
        "id": team.id,
        "type": "team",
        "summary": team.name,
        "self": format!("https://api.pagerduty.com/teams/{}", team.id),
        "html_url": format!("https://{}.pagerduty.com/teams/{}", account.subdomain, team.id),
        "name": team.name,
        "description": team.description,
        "default_role": if team.public { "manager" } else { "none" },
        "parent": parent,
    })
}

const MAX_NAME: usize = 100;
const MAX_DESCRIPTION: usize = 1024;
