//! OneLogin: bodies from a template the administrator writes, PUT for users, an odd end to every query.

use serde_json::{Value, json};

use super::cast::{Cast, ENTERPRISE, GROUP, Person, Team, USER, bare_member, patch_op};
use super::check::{self, CHECK};
use super::client::{Dress, Space, encode};
use super::need::{Manners, Need};
use super::session::{Halt, Session};
use super::target::{Groups, Role, Target, and};
use super::template;

/// developers.onelogin.com/scim/implement-scim-api: the calls.
const GUIDE: &str = "developers.onelogin.com/scim/implement-scim-api";
/// developers.onelogin.com/scim/test-your-scim: what happens when a user is deleted.
const TEST: &str = "developers.onelogin.com/scim/test-your-scim";
/// A web server's log of a "SCIM v2 Enterprise" application.
const CAPTURE: &str = "goauthentik/authentik issue #11249";
/// PagerDuty's page on OneLogin.
const PAGERDUTY: &str = "support.pagerduty.com/main/docs/onelogin";
/// The call is documented, its body is not: the RFC's.
const INFERRED: &str = "developers.onelogin.com, body inferred from RFC 7644";

/// What becomes of a user deleted in OneLogin ([`TEST`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum DeletePolicy {
    /// DELETE
    Delete,
    /// PUT with `active` false
    Suspend,
    /// Nothing is sent
    Nothing,
}

/// Headers of every request ([`CAPTURE`]): an empty User-Agent, and a Content-Type also without a body.
pub(crate) const DRESS: Dress = Dress {
    always: &[("User-Agent", "")],
    content_type: "application/scim+json",
    content_type_without_body: true,
};

/// "response content type application/json" says the guide; the RFC's own does as well.
pub(crate) const MANNERS: Manners =
    Manners { media_types: &["application/scim+json", "application/json"], items_per_page_counts: true };

/// A number, as a string: never to be taken for the server's own id (CVE-2025-41115).
pub(crate) fn external_id(seed: u32, n: usize) -> String {
    format!("{seed}{n:05}")
}

/// The whole life of everybody.
pub(crate) fn play(
    session: &mut Session<'_>,
    cast: &mut Cast,
    target: &Target,
    policy: DeletePolicy,
) -> Result<(), Halt> {
    session.phase("test connection");
    session
        .step("look up nobody", GUIDE)
        .get(lookup("nobody-here@example.com"))
        .status(&[200, 404])
        .needs(Need::Nothing)
        .send()?;
    if target.groups != Groups::Left {
        session.step("get groups", GUIDE).get("/Groups").needs(Need::Page(usize::MAX)).send()?;
    }

    let mut duplicated = false;
    session.each("create users", &mut cast.people, |session, person| {
        session
            .step("look up before create", GUIDE)
            .get(lookup(&person.user_name))
            .status(&[200, 404])
            .needs(Need::Nothing)
            .send()?;
        create(session, person, target, None)?;
        session
            .step("get user by id", GUIDE)
            .get(person.path()?)
            .needs(Need::Id(person.id()?.to_owned()))
            .needs(Need::Contains(written(person, target, true)))
            .send()?;
        // Only the server's own id is an id.
        session
            .step("externalId is no id", CHECK)
            .get(format!("/Users/{}", person.external_id))
            .status(&[404])
            .send()?;
        if !std::mem::replace(&mut duplicated, true) {
            session
                .step("create a duplicate", GUIDE)
                .post("/Users", template(person, target, true, target.role(Role::First)))
                .status(&target.duplicate())
                .needs(Need::Uniqueness)
                .send()?;
        }
        Ok(())
    })?;
    session.each("update users", &mut cast.people, |session, person| {
        person.marry();
        let mut body = template(person, target, true, target.role(Role::Second));
        if body.get(ENTERPRISE).is_some() {
            // As captured: names without `ietf`.
            let schemas = json!({"schemas": ["urn:scim:schemas:core:2.0", "urn:scim:schemas:extension:enterprise:2.0"]});
            body = and(body, schemas);
        }
        put(session, "update user", CAPTURE, person, body, target.shown_role(Role::Second), target)?;
        for role in target.not_roles() {
            session
                .step("map what is no role", target.mapped_by(GUIDE))
                .put(format!("{}?", person.path()?), template(person, target, true, Some(role)))
                .send()?;
        }
        Ok(())
    })?;
    match target.groups {
        Groups::Pushed => groups(session, cast, target)?,
        Groups::Refused => {
            session.phase("create groups");
            session.step("create group", INFERRED).post("/Groups", new_group("Team")).send()?;
        }
        Groups::Left => {}
    }
    suspend_and_resume(session, cast, target)?;

    session.phase("reconcile");
    session.step("get users", GUIDE).get("/Users").needs(Need::Page(usize::MAX)).send()?;
    end(session, cast, target, policy)
}

fn create(
    session: &mut Session<'_>,
    person: &mut Person,
    target: &Target,
    old: Option<String>,
) -> Result<(), Halt> {
    let mut step = session
        .step("create user", target.mapped_by(GUIDE))
        .post("/Users", template(person, target, true, target.role(Role::First)))
        .needs(Need::Resource(USER))
        .needs(Need::Contains(and(written(person, target, true), target.shown_role(Role::First))))
        .needs(Need::Contains(target.shown_access()));
    if let Some(old) = old {
        step = step.needs(Need::OtherId(old));
    }
    let created = step.send()?;
    person.learn(&created)
}

/// PUT with the whole template, and what it says then.
fn put(
    session: &mut Session<'_>,
    step: &'static str,
    source: &'static str,
    person: &Person,
    body: Value,
    role: Value,
    target: &Target,
) -> Result<(), Halt> {
    let shown = and(written(person, target, true), role);
    session
        .step(step, source)
        .put(format!("{}?", person.path()?), body)
        .needs(Need::Id(person.id()?.to_owned()))
        .needs(Need::Contains(shown.clone()))
        .send()?;
    check::shows(session, "read back", person, shown)
}

fn groups(session: &mut Session<'_>, cast: &mut Cast, target: &Target) -> Result<(), Halt> {
    let Cast { people, teams } = cast;
    session.each("create groups", teams, |session, team| {
        let created = session
            .step("create group", INFERRED)
            .post("/Groups", new_group(&team.name))
            .needs(Need::Resource(GROUP))
            .needs(Need::Contains(json!({"displayName": team.name})))
            .send()?;
        team.learn(&created)?;
        check::group_name_is_taken(session, target, new_group(&team.name))?;
        let members = team.member_values(people, bare_member);
        if !members.is_empty() {
            let add = json!([{"op": "add", "path": "members", "value": members}]);
            session
                .step("add members", INFERRED)
                .patch(format!("{}?", team.path()?), patch_op(add))
                .send()?;
        }
        check_members(session, team, people)
    })?;
    session.each("change memberships", teams, |session, team| {
        let Some(moved) = team.shuffle(people) else { return Ok(()) };
        let id = |n: Option<usize>| n.and_then(|n| people.get(n)).and_then(|person| person.id().ok());
        if let Some(leaver) = id(moved.leaves) {
            let remove = json!([{"op": "remove", "path": format!("members[value eq \"{leaver}\"]")}]);
            session
                .step("remove a member", INFERRED)
                .patch(format!("{}?", team.path()?), patch_op(remove))
                .send()?;
        }
        if let Some(joiner) = id(moved.joins) {
            let add = json!([{"op": "add", "path": "members", "value": [{"value": joiner}]}]);
            session
                .step("add a member", INFERRED)
                .patch(format!("{}?", team.path()?), patch_op(add))
                .send()?;
        }
        check_members(session, team, people)
    })?;
    session.phase("reconcile groups");
    session.step("get groups", GUIDE).get("/Groups").needs(Need::Page(usize::MAX)).send()?;
    Ok(())
}

fn suspend_and_resume(session: &mut Session<'_>, cast: &mut Cast, target: &Target) -> Result<(), Halt> {
    session.each("suspend users", &mut cast.people, |session, person| suspend(session, person, target))?;
    session.each("resume users", &mut cast.people, |session, person| {
        let body = template(person, target, true, target.role(Role::Second));
        if !target.deletes_inactive() {
            return put(session, "resume", GUIDE, person, body, json!({}), target);
        }
        // "OneLogin shows an error" (seed 001, PagerDuty SCIM documentation); assigned anew, the user is
        // created anew (inference).
        session
            .step("resume in vain", PAGERDUTY)
            .put(format!("{}?", person.path()?), body)
            .status(&[404])
            .send()?;
        session
            .step("look up before create", GUIDE)
            .get(lookup(&person.user_name))
            .status(&[200, 404])
            .needs(Need::Nothing)
            .send()?;
        let old = person.id()?.to_owned();
        create(session, person, target, Some(old))
    })
}

fn suspend(session: &mut Session<'_>, person: &Person, target: &Target) -> Result<(), Halt> {
    session
        .step("suspend", PAGERDUTY)
        .put(format!("{}?", person.path()?), template(person, target, false, target.role(Role::Second)))
        .status(target.deactivated())
        .needs(Need::Contains(json!({"active": false})))
        .send()?;
    check::deactivated(session, person, target, written(person, target, false))
}

fn end(
    session: &mut Session<'_>,
    cast: &mut Cast,
    target: &Target,
    policy: DeletePolicy,
) -> Result<(), Halt> {
    session.each("delete users", &mut cast.people, |session, person| match policy {
        DeletePolicy::Nothing => Ok(()),
        DeletePolicy::Suspend => suspend(session, person, target),
        DeletePolicy::Delete => {
            session.step("delete user", TEST).delete(format!("{}?", person.path()?)).send()?;
            session.step("the user is gone", CHECK).get(person.path()?).status(&[404]).send()?;
            Ok(())
        }
    })
}

fn check_members(session: &mut Session<'_>, team: &Team, people: &[Person]) -> Result<(), Halt> {
    session
        .step("read the group back", CHECK)
        .get(team.path()?)
        .needs(Need::Resource(GROUP))
        .needs(Need::Members(team.member_ids(people)))
        .send()?;
    Ok(())
}

/// The query as in the log, with an `&` after it ([`CAPTURE`]).
fn lookup(user_name: &str) -> String {
    format!("/Users?filter={}&", encode(&format!("userName eq \"{user_name}\""), Space::Plus))
}

/// What the template comes to: that of the vendor's guide, and elsewhere the core and enterprise attributes.
fn template(person: &Person, target: &Target, active: bool, role: Option<&str>) -> Value {
    let of_vendor = template::filled(target.profile.name, |placeholder| {
        Some(match placeholder {
            "parameters.scimusername" | "user.email" => person.user_name.clone(),
            "parameters.externalId" => person.external_id.clone(),
            "parameters.title" => TITLE.to_owned(),
            "parameters.timezone" => "America/New_York".to_owned(),
            "parameters.role" => role?.to_owned(),
            "parameters.license" => target.license()?.to_owned(),
            "user.display_name" => person.display_name(),
            "user.firstname" => person.given.clone(),
            "user.lastname" => person.family.clone(),
            // The template quotes it: a string.
            "user.status" => active.to_string(),
            _ => return None,
        })
    });
    of_vendor.unwrap_or_else(|| {
        json!({
            "schemas": [USER, ENTERPRISE],
            "userName": person.user_name,
            "displayName": person.display_name(),
            "externalId": person.external_id,
            "active": active.to_string(),
            "title": TITLE,
            "timezone": "America/New_York",
            "name": {
                "familyName": person.family, "givenName": person.given, "formatted": person.display_name(),
            },
            "emails": [{"value": person.user_name, "type": "work", "primary": true}],
            ENTERPRISE: {"department": "R&D"},
        })
    })
}

fn new_group(name: &str) -> Value {
    json!({"schemas": [GROUP], "displayName": name})
}

/// What of somebody is to be shown who was written with the template.
fn written(person: &Person, target: &Target, active: bool) -> Value {
    let template = template(person, target, active, None);
    let mut written = json!({
        "userName": person.user_name, "displayName": person.display_name(), "active": active,
        "externalId": person.external_id, "title": TITLE,
        "name": {"familyName": person.family, "givenName": person.given},
        "emails": [{"value": person.user_name, "type": "work"}],
        ENTERPRISE: {"department": "R&D"},
    });
    if let Some(attributes) = written.as_object_mut() {
        attributes.retain(|name, _| template.get(name).is_some());
    }
    target.shows(written)
}

/// Everybody's.
const TITLE: &str = "Engineer";
