//! Okta: looks up before it creates, writes back the whole document it read, never deletes a user.

use serde_json::{Value, json};

use super::cast::{Cast, GROUP, Move, Person, USER, patch_op};
use super::check::{self, CHECK};
use super::client::{Answer, Dress, Space, encode};
use super::need::{Manners, Need, get};
use super::session::{Halt, Session};
use super::target::{Groups, Role, Target, and};

/// Okta's SCIM 2.0 protocol reference, okta/okta-developer-docs @02e8ee86.
const REFERENCE: &str = "Okta SCIM 2.0 reference @02e8ee86";
/// Requests as Okta's own engineers documented them.
const CAPTURE: &str = "oktadeveloper/okta-blog-archive PR #1956";
/// "Push now" on an empty group.
const EMPTY_PUSH: &str = "Captain-P-Goldfish/SCIM-SDK issue #757";
/// PagerDuty's page on Okta.
const PAGERDUTY: &str = "support.pagerduty.com/main/docs/okta";

/// Which kind of Okta application provisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum App {
    /// From the Okta Integration Network: PUT, but PATCH for `active` and for groups.
    Oin,
    /// Made with the App Integration Wizard: PUT for everything.
    Aiw,
}

/// Headers of every request ([`CAPTURE`]).
pub(crate) const DRESS: Dress = Dress {
    always: &[
        ("User-Agent", "Okta SCIM Client 1.0.0"),
        ("Accept", "application/scim+json"),
        ("Accept-Charset", "utf-8"),
        ("Accept-Encoding", "gzip,deflate"),
    ],
    content_type: "application/scim+json; charset=utf-8",
    content_type_without_body: false,
};

/// "`itemsPerPage`, `startIndex`, and `totalResults` … as integers, not as strings"; the reference's own
/// answers are `text/json`.
pub(crate) const MANNERS: Manners = Manners {
    media_types: &["application/scim+json", "application/json", "text/json"],
    items_per_page_counts: true,
};

/// Twenty characters, `00u` first.
pub(crate) fn external_id(seed: u32, n: usize) -> String {
    format!("00u{seed:08x}{n:09}")
}

/// The whole life of everybody.
pub(crate) fn play(
    session: &mut Session<'_>,
    cast: &mut Cast,
    target: &Target,
    app: App,
) -> Result<(), Halt> {
    session.phase("test connection");
    session
        .step("test API credentials", CAPTURE)
        .get("/Users?startIndex=1&count=2")
        .needs(Need::Page(2))
        .send()?;
    if target.groups != Groups::Left {
        session
            .step("import groups", REFERENCE)
            .get("/Groups?startIndex=1&count=100")
            .needs(Need::Page(100))
            .send()?;
    }

    assign(session, cast, target)?;
    update(session, cast, target)?;
    match target.groups {
        Groups::Pushed => push_groups(session, cast, target, app)?,
        Groups::Refused => {
            session.phase("push groups");
            session.step("create group", REFERENCE).post("/Groups", new_group("Team")).send()?;
        }
        Groups::Left => {}
    }
    deactivate(session, "deactivate users", cast, target, app)?;
    reactivate(session, cast, target, app)?;
    if target.groups == Groups::Pushed {
        unlink_groups(session, cast, app)?;
    }
    // Okta never sends DELETE /Users: the end of a user is a deactivation.
    deactivate(session, "unassign users", cast, target, app)
}

fn assign(session: &mut Session<'_>, cast: &mut Cast, target: &Target) -> Result<(), Halt> {
    let mut duplicated = false;
    session.each("assign users", &mut cast.people, |session, person| {
        // An empty list and a 404 say the same to Okta.
        session
            .step("look up before create", REFERENCE)
            .get(lookup(&person.user_name))
            .status(&[200, 404])
            .needs(Need::Nothing)
            .send()?;
        create(session, person, target, None)?;
        session
            .step("find by look-up", CHECK)
            .get(lookup(&person.user_name))
            .needs(Need::Only(person.id()?.to_owned()))
            .send()?;
        if !std::mem::replace(&mut duplicated, true) {
            session
                .step("create a duplicate", REFERENCE)
                .post("/Users", new_user(person, target))
                .status(&target.duplicate())
                .needs(Need::Uniqueness)
                .send()?;
        }
        Ok(())
    })
}

/// "Create new user returned empty user" is what Okta's console says to an empty body.
fn create(
    session: &mut Session<'_>,
    person: &mut Person,
    target: &Target,
    old: Option<String>,
) -> Result<(), Halt> {
    let written = json!({
        "userName": person.user_name, "displayName": person.display_name(), "active": true,
        "externalId": person.external_id, "locale": "en-US",
        "name": {"givenName": person.given, "familyName": person.family},
        "emails": [{"primary": true, "value": person.user_name, "type": "work"}],
    });
    let mut step = session
        .step("create", target.mapped_by(REFERENCE))
        .post("/Users", new_user(person, target))
        .needs(Need::Resource(USER))
        .needs(Need::Contains(and(target.shows(written), target.shown_role(Role::First))))
        .needs(Need::Contains(target.shown_access()))
        .needs(Need::Lacks("password"));
    if let Some(old) = old {
        step = step.needs(Need::OtherId(old));
    }
    let created = step.send()?;
    person.learn(&created)
}

fn update(session: &mut Session<'_>, cast: &mut Cast, target: &Target) -> Result<(), Halt> {
    session.each("update profiles", &mut cast.people, |session, person| {
        let change = json!({"title": "Engineer", "displayName": format!("{} (E)", person.display_name())});
        let mut mapped = json!({});
        target.map(&mut mapped, Role::Second, |mapping, role| {
            and((mapping.okta)(role), json!({"primary": true}))
        });
        let shown = and(change.clone(), target.shown_role(Role::Second));
        put_merged(session, person, target, and(change, mapped), shown)?;
        for role in target.not_roles() {
            let roles = json!({"roles": [{"type": "base", "value": role, "primary": true}]});
            let body = merged(&read(session, person)?, roles);
            session
                .step("map what is no role", target.mapped_by(REFERENCE))
                .put(person.path()?, body)
                .send()?;
        }
        Ok(())
    })?;
    session.each("change user names", &mut cast.people, |session, person| {
        let old = person.user_name.clone();
        person.marry();
        let change = json!({
            "userName": person.user_name, "displayName": person.display_name(),
            "name": {"givenName": person.given, "familyName": person.family},
            "emails": [{"primary": true, "value": person.user_name, "type": "work"}],
        });
        put_merged(session, person, target, change.clone(), change)?;
        session
            .step("find by the new name", CHECK)
            .get(lookup(&person.user_name))
            .needs(Need::Only(person.id()?.to_owned()))
            .send()?;
        session
            .step("the old name is free", CHECK)
            .get(lookup(&old))
            .status(&[200, 404])
            .needs(Need::Nothing)
            .send()?;
        Ok(())
    })
}

fn push_groups(session: &mut Session<'_>, cast: &mut Cast, target: &Target, app: App) -> Result<(), Halt> {
    let Cast { people, teams } = cast;
    session.each("push groups", teams, |session, team| {
        let created = session
            .step("create group", REFERENCE)
            .post("/Groups", new_group(&team.name))
            .needs(Need::Resource(GROUP))
            .needs(Need::Contains(json!({"displayName": team.name})))
            .send()?;
        team.learn(&created)?;
        check::group_name_is_taken(session, target, new_group(&team.name))?;
        let members = json!(team.member_values(people, member));
        match app {
            App::Oin => session.step("full push", REFERENCE).patch(
                team.path()?,
                patch_op(json!([{"op": "replace", "path": "members", "value": members}])),
            ),
            App::Aiw => session
                .step("full push", REFERENCE)
                .put(team.path()?, whole_group(team.id()?, &team.name, members)),
        }
        .needs(Need::Id(team.id()?.to_owned()))
        .send()?;
        check_group(session, &team.path()?, &team.name, team.member_ids(people))
    })?;
    session.each("change memberships", teams, |session, team| {
        let Some(moved) = team.shuffle(people) else { return Ok(()) };
        match app {
            App::Oin => {
                // "The group name update operation is triggered each time there is a group membership
                // update operation."
                rename(session, &team.path()?, team.id()?, &team.name)?;
                session
                    .step("remove and add members", REFERENCE)
                    .patch(team.path()?, patch_op(membership(moved, people)))
                    .needs(Need::Id(team.id()?.to_owned()))
                    .send()?;
            }
            App::Aiw => {
                let members = json!(team.member_values(people, member));
                session
                    .step("put members", REFERENCE)
                    .put(team.path()?, whole_group(team.id()?, &team.name, members))
                    .needs(Need::Id(team.id()?.to_owned()))
                    .send()?;
            }
        }
        check_group(session, &team.path()?, &team.name, team.member_ids(people))
    })?;
    session.each("rename groups", teams, |session, team| {
        team.name.push_str(" renamed");
        match app {
            App::Oin => rename(session, &team.path()?, team.id()?, &team.name)?,
            App::Aiw => {
                let members = json!(team.member_values(people, member));
                session
                    .step("put name", REFERENCE)
                    .put(team.path()?, whole_group(team.id()?, &team.name, members))
                    .needs(Need::Contains(json!({"displayName": team.name})))
                    .send()?;
            }
        }
        check_group(session, &team.path()?, &team.name, team.member_ids(people))
    })
}

fn unlink_groups(session: &mut Session<'_>, cast: &mut Cast, app: App) -> Result<(), Halt> {
    session.each("unlink groups", &mut cast.teams, |session, team| {
        match app {
            App::Oin => session
                .step("push an empty group", EMPTY_PUSH)
                .patch(team.path()?, patch_op(json!([{"op": "replace", "path": "members", "value": []}]))),
            App::Aiw => session
                .step("push an empty group", REFERENCE)
                .put(team.path()?, whole_group(team.id()?, &team.name, json!([]))),
        }
        .send()?;
        check_group(session, &team.path()?, &team.name, Vec::new())?;
        session.step("delete group", REFERENCE).delete(team.path()?).send()?;
        session.step("the group is gone", CHECK).get(team.path()?).status(&[404]).send()?;
        Ok(())
    })
}

fn deactivate(
    session: &mut Session<'_>,
    phase: &'static str,
    cast: &mut Cast,
    target: &Target,
    app: App,
) -> Result<(), Halt> {
    session.each(phase, &mut cast.people, |session, person| {
        match app {
            App::Oin => session.step("deactivate", REFERENCE).patch(person.path()?, activation(false)),
            App::Aiw => {
                let body = merged(&read(session, person)?, json!({"active": false}));
                session.step("deactivate", CAPTURE).put(person.path()?, body)
            }
        }
        .status(target.deactivated())
        .needs(Need::Contains(json!({"active": false})))
        .send()?;
        check::deactivated(session, person, target, json!({"active": false}))
    })
}

fn reactivate(session: &mut Session<'_>, cast: &mut Cast, target: &Target, app: App) -> Result<(), Halt> {
    session.each("reactivate users", &mut cast.people, |session, person| {
        if target.deletes_inactive() {
            // "Okta then creates a new user": seed 001, PagerDuty SCIM documentation.
            match app {
                App::Oin => {
                    session.step("reactivate in vain", PAGERDUTY).patch(person.path()?, activation(true))
                }
                App::Aiw => session.step("reactivate in vain", PAGERDUTY).get(person.path()?),
            }
            .status(&[404])
            .send()?;
            session
                .step("look up before create", REFERENCE)
                .get(lookup(&person.user_name))
                .status(&[200, 404])
                .needs(Need::Nothing)
                .send()?;
            let old = person.id()?.to_owned();
            return create(session, person, target, Some(old));
        }
        match app {
            App::Oin => session.step("reactivate", REFERENCE).patch(person.path()?, activation(true)),
            App::Aiw => {
                let body = merged(&read(session, person)?, json!({"active": true}));
                session.step("reactivate", REFERENCE).put(person.path()?, body)
            }
        }
        .needs(Need::Contains(json!({"active": true})))
        .send()?;
        check::shows(
            session,
            "the user is active",
            person,
            json!({"active": true, "userName": person.user_name}),
        )
    })
}

/// "Okta modifies the attributes that were changed and runs a PUT method request with the new body".
fn put_merged(
    session: &mut Session<'_>,
    person: &Person,
    target: &Target,
    change: Value,
    shown: Value,
) -> Result<(), Halt> {
    let shown = target.shows(shown);
    let body = merged(&read(session, person)?, change);
    session
        .step("put the merged document", REFERENCE)
        .put(person.path()?, body)
        .needs(Need::Id(person.id()?.to_owned()))
        .needs(Need::Contains(shown.clone()))
        .send()?;
    check::shows(session, "read back", person, shown)
}

fn read(session: &mut Session<'_>, person: &Person) -> Result<Answer, Halt> {
    session
        .step("get before put", REFERENCE)
        .get(person.path()?)
        .needs(Need::Resource(USER))
        .needs(Need::Id(person.id()?.to_owned()))
        .send()
}

fn rename(session: &mut Session<'_>, path: &str, id: &str, name: &str) -> Result<(), Halt> {
    let renamed = json!([{"op": "replace", "value": {"id": id, "displayName": name}}]);
    session
        .step("rename group", REFERENCE)
        .patch(path, patch_op(renamed))
        .needs(Need::Id(id.to_owned()))
        .needs(Need::Contains(json!({"displayName": name})))
        .send()?;
    Ok(())
}

fn check_group(session: &mut Session<'_>, path: &str, name: &str, members: Vec<String>) -> Result<(), Halt> {
    session
        .step("read the group back", CHECK)
        .get(path)
        .needs(Need::Resource(GROUP))
        .needs(Need::Contains(json!({"displayName": name})))
        .needs(Need::Members(members))
        .send()?;
    Ok(())
}

fn lookup(user_name: &str) -> String {
    let filter = encode(&format!("userName eq \"{user_name}\""), Space::Percent);
    format!("/Users?filter={filter}&startIndex=1&count=100")
}

/// The reference's creation; a password is sent even without password sync.
fn new_user(person: &Person, target: &Target) -> Value {
    let mut body = json!({
        "schemas": [USER],
        "userName": person.user_name,
        "name": {"givenName": person.given, "familyName": person.family},
        "emails": [{"primary": true, "value": person.user_name, "type": "work"}],
        "displayName": person.display_name(),
        "locale": "en-US",
        "externalId": person.external_id,
        "groups": [],
        "password": uuid::Uuid::new_v4().simple().to_string(),
        "active": true,
    });
    target.map(&mut body, Role::First, |mapping, role| (mapping.okta)(role));
    body
}

fn merged(read: &Answer, change: Value) -> Value {
    and(read.json.clone().filter(|body| get(body, "id").is_some()).unwrap_or_else(|| json!({})), change)
}

fn activation(active: bool) -> Value {
    patch_op(json!([{"op": "replace", "value": {"active": active}}]))
}

/// Members go with `value` and `display`, no `type`.
fn member(person: &Person) -> Value {
    json!({"value": person.id().ok(), "display": person.user_name})
}

fn membership(moved: Move, people: &[Person]) -> Value {
    let person = |n: Option<usize>| n.and_then(|n| people.get(n));
    let leaves = person(moved.leaves).and_then(|person| person.id().ok());
    let remove = leaves.map(|id| json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")}));
    let add = person(moved.joins).map(|who| json!({"op": "add", "path": "members", "value": [member(who)]}));
    remove.into_iter().chain(add).collect()
}

fn new_group(name: &str) -> Value {
    json!({"schemas": [GROUP], "displayName": name, "members": []})
}

fn whole_group(id: &str, name: &str, members: Value) -> Value {
    json!({"schemas": [GROUP], "id": id, "displayName": name, "members": members})
}
