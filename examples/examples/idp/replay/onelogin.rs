//! OneLogin: bodies from a template the administrator writes, PUT for users, an odd end to every query.

use serde_json::{Value, json};

use super::cast::{Cast, ENTERPRISE, GROUP, Person, Team, USER, bare_member, patch_op};
use super::check::{self, CHECK};
use super::client::{Dress, Space, encode};
use super::need::{Manners, Need};
use super::session::{Halt, Session};
use super::target::{Groups, Role, Target, and};

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
            .needs(Need::Contains(target.shows(json!({"externalId": person.external_id}))))
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
        if target.has_extension(ENTERPRISE) {
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
        .needs(Need::Contains(and(target.shows(written(person, true)), target.shown_role(Role::First))))
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
    let shown = and(target.shows(written(person, true)), role);
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
    // The template quotes {$user.status}: a string.
    session
        .step("suspend", PAGERDUTY)
        .put(format!("{}?", person.path()?), template(person, target, false, target.role(Role::Second)))
        .status(target.deactivated())
        .needs(Need::Contains(json!({"active": false})))
        .send()?;
    check::deactivated(session, person, target, target.shows(written(person, false)))
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

/// What the template comes to: PagerDuty's page has one; elsewhere the core and enterprise attributes.
/// The entitlement is of type `base`, as the page has it, though the API description names `license` alone.
fn template(person: &Person, target: &Target, active: bool, role: Option<&str>) -> Value {
    let mut body = json!({
        "schemas": [USER],
        "userName": person.user_name,
        "displayName": person.display_name(),
        "externalId": person.external_id,
        "active": active.to_string(),
        "title": "Engineer",
    });
    if target.has("timezone") {
        body = and(body, json!({"timezone": "America/New_York"}));
    }
    if target.has("name") {
        let name = json!({
            "familyName": person.family, "givenName": person.given, "formatted": person.display_name(),
        });
        let email = json!({"value": person.user_name, "type": "work", "primary": true});
        body = and(body, json!({"name": name, "emails": [email]}));
    }
    if target.has_extension(ENTERPRISE) {
        body = and(body, json!({"schemas": [USER, ENTERPRISE], ENTERPRISE: {"department": "R&D"}}));
    }
    if let (Some(mapping), Some(role)) = (target.mapping(), role) {
        target.map_role(&mut body, (mapping.onelogin)(role), "base");
    }
    body
}

fn new_group(name: &str) -> Value {
    json!({"schemas": [GROUP], "displayName": name})
}

fn written(person: &Person, active: bool) -> Value {
    json!({
        "userName": person.user_name, "displayName": person.display_name(), "active": active,
        "externalId": person.external_id, "title": "Engineer",
        "name": {"familyName": person.family, "givenName": person.given},
        "emails": [{"value": person.user_name, "type": "work"}],
        ENTERPRISE: {"department": "R&D"},
    })
}
