//! An account with two people, and a group of them.

use scim_profiles::pagerduty::teams::{Deletion, DesiredGroup, Report, TeamConfig};

use crate::model::PagerDuty;
use crate::run::with;

pub(crate) fn alpha() -> DesiredGroup {
    DesiredGroup::new("g1", "Team Alpha")
        .with_member("u1", "alex.doe@example.com")
        .with_member("u2", "Bo.Roe@Example.com")
}

pub(crate) fn pagerduty() -> PagerDuty {
    PagerDuty::new().with_user("PA", "Alex.Doe@example.com").with_user("PB", "bo.roe@example.com")
}

pub(crate) fn roles(model: &PagerDuty, name: &str) -> Vec<(String, String)> {
    let (_, team) = model.team_named(name).expect("there is the team");
    team.members.iter().map(|(user, membership)| (user.clone(), membership.role.clone())).collect()
}

pub(crate) fn pair(user: &str, role: &str) -> (String, String) {
    (user.to_owned(), role.to_owned())
}

pub(crate) fn problems(report: &Report) -> Vec<String> {
    report.problems().map(ToString::to_string).collect()
}

pub(crate) fn deleting(deletion: Deletion) -> TeamConfig {
    with(|options| options.deletion = deletion)
}
