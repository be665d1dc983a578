//! JumpCloud: tries the connection with a user and a group of its own, PUTs the whole user with empty
//! arrays for what it has not, PATCHes one operation for each attribute.

use serde_json::{Value, json};

use super::cast::{Cast, ENTERPRISE, GROUP, Person, Team, USER, bare_member, patch_op};
use super::check::{self, CHECK};
use super::client::{Dress, Space, encode};
use super::need::{Manners, Need};
use super::session::{Halt, Session};
use super::target::{Groups, Role, Target, and};

/// jumpcloud.com support, "Custom SCIM".
const SUPPORT: &str = "jumpcloud.com support, Custom SCIM";
/// Bodies asserted by another library's tests.
const CAPTURE: &str = "Paul-E/scim-v2-rust src/test_data @bd85f23f";
/// No source shows this call; the RFC's shape in JumpCloud's style.
const INFERRED: &str = "inferred from RFC 7644";
/// PagerDuty's API reference.
const PAGERDUTY: &str = "PagerDuty/api-schema openapiv3.json @91a06fb";

/// Headers of every request ([`CAPTURE`]).
pub(crate) const DRESS: Dress =
    Dress { always: &[], content_type: "application/scim+json", content_type_without_body: false };

/// Nothing special is known.
pub(crate) const MANNERS: Manners =
    Manners { media_types: &["application/scim+json", "application/json"], items_per_page_counts: true };

/// Twenty-four hexadecimal digits.
pub(crate) fn external_id(seed: u32, n: usize) -> String {
    format!("{seed:08x}{n:016x}")
}

/// The whole life of everybody.
pub(crate) fn play(
    session: &mut Session<'_>,
    cast: &mut Cast,
    target: &Target,
    seed: u32,
) -> Result<(), Halt> {
    test_connection(session, target, seed)?;

    let mut duplicated = false;
    session.each("create users", &mut cast.people, |session, person| {
        look_up_in_vain(session, person)?;
        create(session, person, target, None)?;
        if !std::mem::replace(&mut duplicated, true) {
            session
                .step("create a duplicate", INFERRED)
                .post("/Users", new_user(person, target))
                .status(&target.duplicate())
                .needs(Need::Uniqueness)
                .send()?;
        }
        Ok(())
    })?;
    update(session, cast, target)?;
    if target.groups == Groups::Pushed {
        groups(session, cast, target)?;
    }
    deactivate(session, "deactivate users", cast, target)?;
    reactivate(session, cast, target)?;
    if target.groups == Groups::Pushed {
        session.each("delete groups", &mut cast.teams, |session, team| {
            session.step("delete group", SUPPORT).delete(team.path()?).send()?;
            session.step("the group is gone", CHECK).get(team.path()?).status(&[404]).send()?;
            Ok(())
        })?;
    }
    // Who leaves is deactivated; DELETE is for the test user alone.
    deactivate(session, "unbind users", cast, target)
}

/// "creates a test user and group and deletes them".
fn test_connection(session: &mut Session<'_>, target: &Target, seed: u32) -> Result<(), Halt> {
    let mut crew =
        Cast::new(1, usize::from(target.groups != Groups::Left), seed, |seed, n| external_id(!seed, n));
    session.each("test connection", &mut crew.people, |session, person| {
        person.user_name.insert_str(0, "jumpcloud.test.");
        person.learn(
            &session
                .step("create the test user", SUPPORT)
                .post("/Users", new_user(person, target))
                .needs(Need::Resource(USER))
                .needs(Need::Contains(json!({"userName": person.user_name, "active": true})))
                .send()?,
        )
    })?;
    let Cast { people, teams } = &mut crew;
    session.each("test connection", teams, |session, team| {
        team.name.push_str(" test");
        if target.groups == Groups::Refused {
            session.step("create group", INFERRED).post("/Groups", new_group(team)).send()?;
            return Ok(());
        }
        create_group(session, target, team, people)?;
        session.step("delete the test group", SUPPORT).delete(team.path()?).send()?;
        Ok(())
    })?;
    session.each("test connection", people, |session, person| {
        session.step("delete the test user", SUPPORT).delete(person.path()?).send()?;
        session.step("the test user is gone", CHECK).get(person.path()?).status(&[404]).send()?;
        Ok(())
    })
}

fn look_up_in_vain(session: &mut Session<'_>, person: &Person) -> Result<(), Halt> {
    let filter = encode(&format!("userName eq \"{}\"", person.user_name), Space::Percent);
    session
        .step("look up before create", INFERRED)
        .get(format!("/Users?filter={filter}"))
        .status(&[200, 404])
        .needs(Need::Nothing)
        .send()?;
    Ok(())
}

fn create(
    session: &mut Session<'_>,
    person: &mut Person,
    target: &Target,
    old: Option<String>,
) -> Result<(), Halt> {
    let written = json!({
        "userName": person.user_name, "displayName": person.display_name(), "active": true,
        "externalId": person.external_id,
        "name": {"givenName": person.given, "familyName": person.family},
        "emails": [{"type": "work", "value": person.user_name, "primary": true}],
        "phoneNumbers": [{"type": "work", "value": "tel:+1-555-555-5555"}],
        "addresses": [{"type": "work", "country": "US"}],
    });
    let mut step = session
        .step("create user", CAPTURE)
        .post("/Users", new_user(person, target))
        .needs(Need::Resource(USER))
        .needs(Need::Contains(and(target.shows(written), target.shown_role(Role::First))))
        .needs(Need::Contains(target.shown_access()));
    if let Some(old) = old {
        step = step.needs(Need::OtherId(old));
    }
    let created = step.send()?;
    person.learn(&created)
}

fn update(session: &mut Session<'_>, cast: &mut Cast, target: &Target) -> Result<(), Halt> {
    session.each("update users", &mut cast.people, |session, person| {
        person.marry();
        let body = whole_user(person, target)?;
        let shown = json!({
            "userName": person.user_name, "displayName": person.display_name(), "title": "Captain",
            "externalId": person.external_id, "active": true,
            "name": {"givenName": person.given, "familyName": person.family},
            "emails": [{"type": "work", "value": person.user_name, "primary": true}],
            "addresses": null, "phoneNumbers": null,
            ENTERPRISE: {"department": "C-Suite"},
        });
        let shown = and(target.shows(shown), target.shown_role(Role::Second));
        session
            .step("put the whole user", CAPTURE)
            .put(person.path()?, body)
            .needs(Need::Id(person.id()?.to_owned()))
            .needs(Need::Contains(shown.clone()))
            .send()?;
        check::shows(session, "read back", person, shown)?;
        let without = and(whole_user(person, target)?, json!({"emails": null}));
        let shown = target.shows(json!({"emails": null, "title": "Captain"}));
        session
            .step("put with `emails` null", CAPTURE)
            .put(person.path()?, without)
            .needs(Need::Id(person.id()?.to_owned()))
            .needs(Need::Contains(shown))
            .send()?;
        Ok(())
    })
}

fn groups(session: &mut Session<'_>, cast: &mut Cast, target: &Target) -> Result<(), Halt> {
    let Cast { people, teams } = cast;
    session.each("create groups", teams, |session, team| create_group(session, target, team, people))?;
    session.each("change memberships", teams, |session, team| {
        let Some(moved) = team.shuffle(people) else { return Ok(()) };
        for (step, op, who) in
            [("remove a member", "remove", moved.leaves), ("add a member", "add", moved.joins)]
        {
            if let Some(who) = who.and_then(|n| people.get(n)) {
                // Entra's way to remove, in lower case.
                let change = json!([{"op": op, "path": "members", "value": [bare_member(who)]}]);
                session.step(step, CAPTURE).patch(team.path()?, patch_op(change)).send()?;
            }
        }
        check_group(session, team, people)
    })?;
    session.each("rename groups", teams, |session, team| {
        team.name.push_str(" renamed");
        let rename = json!([{"op": "replace", "path": "displayName", "value": team.name}]);
        session.step("rename group", INFERRED).patch(team.path()?, patch_op(rename)).send()?;
        check_group(session, team, people)
    })
}

fn create_group(
    session: &mut Session<'_>,
    target: &Target,
    team: &mut Team,
    people: &[Person],
) -> Result<(), Halt> {
    let created = session
        .step("create group", INFERRED)
        .post("/Groups", new_group(team))
        .needs(Need::Resource(GROUP))
        .needs(Need::Contains(json!({"displayName": team.name})))
        .send()?;
    team.learn(&created)?;
    check::group_name_is_taken(session, target, new_group(team))?;
    for member in team.member_values(people, bare_member) {
        let add = json!([{"op": "add", "path": "members", "value": [member]}]);
        session.step("add a member", CAPTURE).patch(team.path()?, patch_op(add)).send()?;
    }
    check_group(session, team, people)
}

fn deactivate(
    session: &mut Session<'_>,
    phase: &'static str,
    cast: &mut Cast,
    target: &Target,
) -> Result<(), Halt> {
    session.each(phase, &mut cast.people, |session, person| {
        session
            .step("patch names and `active`", CAPTURE)
            .patch(person.path()?, names_and_active(person, false))
            .status(target.deactivated())
            .needs(Need::Contains(json!({"active": false})))
            .send()?;
        check::deactivated(session, person, target, json!({"active": false}))
    })
}

fn reactivate(session: &mut Session<'_>, cast: &mut Cast, target: &Target) -> Result<(), Halt> {
    session.each("reactivate users", &mut cast.people, |session, person| {
        let active = names_and_active(person, true);
        if target.deletes_inactive() {
            session
                .step("reactivate in vain", PAGERDUTY)
                .patch(person.path()?, active)
                .status(&[404])
                .send()?;
            look_up_in_vain(session, person)?;
            let old = person.id()?.to_owned();
            return create(session, person, target, Some(old));
        }
        session
            .step("patch names and `active`", CAPTURE)
            .patch(person.path()?, active)
            .needs(Need::Contains(json!({"active": true})))
            .send()?;
        check::shows(
            session,
            "the user is active",
            person,
            target.shows(json!({
                "active": true, "name": {"givenName": person.given, "familyName": person.family},
            })),
        )
    })
}

fn check_group(session: &mut Session<'_>, team: &Team, people: &[Person]) -> Result<(), Halt> {
    session
        .step("read the group back", CHECK)
        .get(team.path()?)
        .needs(Need::Id(team.id()?.to_owned()))
        .needs(Need::Contains(json!({"displayName": team.name})))
        .needs(Need::Members(team.member_ids(people)))
        .send()?;
    Ok(())
}

fn new_group(team: &Team) -> Value {
    json!({"schemas": [GROUP], "displayName": team.name, "externalId": team.external_id})
}

/// The captured creation.
fn new_user(person: &Person, target: &Target) -> Value {
    let mut body = json!({
        "active": true,
        "addresses": [{
            "country": "US", "locality": "locality", "postalCode": "80027", "primary": true,
            "region": "region", "streetAddress": "street-address", "type": "work",
        }],
        "displayName": person.display_name(),
        "emails": [{"primary": true, "type": "work", "value": person.user_name}],
        "externalId": person.external_id,
        "locale": "en-US",
        "name": {"familyName": person.family, "givenName": person.given},
        "phoneNumbers": [{"primary": true, "type": "work", "value": "tel:+1-555-555-5555"}],
        "preferredLanguage": "en-US",
        "schemas": [USER, ENTERPRISE],
        "userName": person.user_name,
    });
    target.map(&mut body, Role::First, |mapping, role| (mapping.okta)(role));
    body
}

/// The captured PUT: the extension's name first in `schemas`, `[]` for what there is not.
fn whole_user(person: &Person, target: &Target) -> Result<Value, Halt> {
    let mut body = json!({
        "active": true,
        "addresses": [],
        "displayName": person.display_name(),
        "emails": [{"primary": true, "type": "work", "value": person.user_name}],
        "externalId": person.external_id,
        "id": person.id()?,
        "locale": "en-US",
        "name": {"familyName": person.family, "givenName": person.given},
        "phoneNumbers": [],
        "photos": [{"value": "https://img.example.com/a.png"}],
        "preferredLanguage": "en-US",
        "schemas": [ENTERPRISE, USER],
        "title": "Captain",
        ENTERPRISE: {"department": "C-Suite"},
        "userName": person.user_name,
    });
    target.map(&mut body, Role::Second, |mapping, role| (mapping.okta)(role));
    Ok(body)
}

/// The captured PATCH. PagerDuty's mapping needs no `name`, but nobody takes it out.
fn names_and_active(person: &Person, active: bool) -> Value {
    patch_op(json!([
        {"op": "replace", "path": "name.givenName", "value": person.given},
        {"op": "replace", "path": "name.familyName", "value": person.family},
        {"op": "replace", "path": "active", "value": active},
    ]))
}
