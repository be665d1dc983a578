//! Microsoft Entra ID: `Add`, `Replace`, `Remove`, one operation for each attribute, booleans as strings; or,
//! behind a flag on the tenant URL, nearly the RFC's shapes. Both reach a server at the same time.

use serde_json::{Value, json};

use super::cast::{Cast, ENTERPRISE, GROUP, Move, Person, Team, USER, bare_member, patch_op};
use super::check::{self, CHECK};
use super::client::{Dress, Space, encode};
use super::need::{Manners, Need};
use super::session::{Halt, Session};
use super::target::{Groups, Role, Target, and};

/// MicrosoftDocs/entra-docs use-scim-to-provision-users-and-groups.md @03cc7794.
const GUIDE: &str = "Microsoft Learn, Develop a SCIM endpoint @03cc7794";
/// MicrosoftDocs/entra-docs application-provisioning-config-problem-scim-compatibility.md @0596ed57.
const KNOWN_ISSUES: &str = "Microsoft Learn, Known issues @0596ed57";
/// Third-party transcriptions of Microsoft's SCIM Validator.
const VALIDATOR: &str = "pranems/SCIMServer, SCIM Validator captures";
/// AWS and Datadog list this query as what Entra sends.
const REFERENCE_CHECK: &str = "AWS ListGroups, Datadog list-groups";
/// Entra adds again who is there already.
const ADDS_AGAIN: &str = "bitwarden/server PatchGroupCommand.cs";

/// So many members go into one operation; the gallery asks for several in one request, the number is ours.
const BATCH: usize = 200;

/// `schemas` that Entra adds to a group.
const ADSCIM_GROUP: &str = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";

/// Headers of every request (getsentry/self-hosted issue #2280); none says who is calling or what it accepts,
/// and a GET has no Content-Type (RIPAGlobal/scimitar CHANGELOG 2.0.2).
pub(crate) const DRESS: Dress = Dress {
    always: &[("ADSCIMVersion", "6.0")],
    content_type: "application/scim+json; charset=utf-8",
    content_type_without_body: false,
};

/// The guide's own sample has `itemsPerPage` 20 with one resource.
pub(crate) const MANNERS: Manners =
    Manners { media_types: &["application/scim+json", "application/json"], items_per_page_counts: false };

/// An object id.
pub(crate) fn external_id(seed: u32, n: usize) -> String {
    format!("{seed:08x}-c4c3-4bc0-b4a5-{n:012x}")
}

/// The whole life of everybody; `flag` is `aadOptscim062020`.
pub(crate) fn play(
    session: &mut Session<'_>,
    cast: &mut Cast,
    target: &Target,
    flag: bool,
) -> Result<(), Halt> {
    session.phase("test connection");
    // A random GUID as matching value: 200 and an empty list; here a 404 is no answer.
    session
        .step("query a user who is not there", GUIDE)
        .get(users_by("userName", &uuid::Uuid::new_v4().to_string()))
        .needs(Need::Nothing)
        .send()?;
    if target.groups != Groups::Left {
        session
            .step("query a group that is not there", GUIDE)
            .get(group_by_name(&uuid::Uuid::new_v4().to_string()))
            .needs(Need::Nothing)
            .send()?;
    }
    session.step("discover schemas", GUIDE).get("/Schemas").needs(Need::Page(usize::MAX)).send()?;

    create_users(session, cast, target)?;
    update_users(session, cast, target, flag)?;
    if target.has_extension(ENTERPRISE) {
        managers(session, cast)?;
    }
    if target.groups == Groups::Pushed {
        groups(session, cast, target, flag)?;
    }
    disable_and_enable(session, cast, target, flag)?;
    if target.groups == Groups::Pushed {
        delete_groups(session, cast)?;
    }
    delete_users(session, cast)
}

fn create_users(session: &mut Session<'_>, cast: &mut Cast, target: &Target) -> Result<(), Halt> {
    let mut first = true;
    session.each("create users", &mut cast.people, |session, person| {
        session
            .step("query before create", GUIDE)
            .get(users_by("userName", &person.user_name))
            .needs(Need::Nothing)
            .send()?;
        create(session, person, target, None)?;
        session
            .step("get user", GUIDE)
            .get(person.path()?)
            .needs(Need::Id(person.id()?.to_owned()))
            .needs(Need::Contains(target.shows(json!({"externalId": person.external_id}))))
            .send()?;
        if !std::mem::replace(&mut first, false) {
            return Ok(());
        }
        session
            .step("query in capitals", VALIDATOR)
            .get(users_by("userName", &person.user_name.to_ascii_uppercase()))
            .needs(Need::Only(person.id()?.to_owned()))
            .send()?;
        session
            .step("query by externalId", GUIDE)
            .get(users_by("externalId", &person.external_id))
            .needs(Need::Only(person.id()?.to_owned()))
            .send()?;
        session
            .step("query by work e-mail", GUIDE)
            .get(users_by("emails[type eq \"work\"].value", &person.user_name))
            .needs(Need::Only(person.id()?.to_owned()))
            .send()?;
        session
            .step("create a duplicate", VALIDATOR)
            .post("/Users", new_user(person, target))
            .status(&target.duplicate())
            .needs(Need::Uniqueness)
            .send()?;
        Ok(())
    })
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
        "name": {
            "givenName": person.given, "familyName": person.family, "formatted": person.display_name(),
        },
        "emails": [{"primary": true, "value": person.user_name, "type": "work"}],
        ENTERPRISE: {"department": "R&D"},
    });
    let mut step = session
        .step("create user", target.mapped_by(GUIDE))
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

fn update_users(session: &mut Session<'_>, cast: &mut Cast, target: &Target, flag: bool) -> Result<(), Halt> {
    session.each("update users", &mut cast.people, |session, person| {
        person.family.push_str("-Roe");
        let alias = format!("alias.{}", person.user_name);
        let shown = target.shows(json!({
            "displayName": person.display_name(), "title": "Engineer", "active": true,
            "emails": [{"type": "work", "value": alias, "primary": true}],
            "name": {
                "givenName": person.given, "familyName": person.family, "formatted": person.display_name(),
            },
            ENTERPRISE: {"employeeNumber": "701984", "department": "R&D"},
        }));
        let operations = mapped_changes(person, target, &alias, flag);
        let path = person.path()?;
        session
            .step("update attributes", KNOWN_ISSUES)
            .patch(&path, patch_op(operations))
            .needs(Need::Id(person.id()?.to_owned()))
            .send()?;
        session
            .step("get user after the update", GUIDE)
            .get(&path)
            .needs(Need::Id(person.id()?.to_owned()))
            .needs(Need::Contains(shown))
            .send()?;
        let clear = json!([{"op": cased("Remove", flag), "path": "title"}]);
        session.step("clear the title", GUIDE).patch(&path, patch_op(clear)).send()?;

        let old = person.user_name.clone();
        person.user_name.insert_str(0, "m.");
        let operation = match flag {
            false => json!({"op": "Replace", "path": "userName", "value": person.user_name}),
            true => json!({"op": "replace", "value": {"userName": person.user_name}}),
        };
        session
            .step("change userName", if flag { VALIDATOR } else { GUIDE })
            .patch(&path, patch_op(json!([operation])))
            .send()?;
        session
            .step("query the new userName", CHECK)
            .get(users_by("userName", &person.user_name))
            .needs(Need::Only(person.id()?.to_owned()))
            .send()?;
        session
            .step("query the old userName", CHECK)
            .get(users_by("userName", &old))
            .needs(Need::Nothing)
            .send()?;

        change_role(session, person, target, flag)
    })
}

/// One operation for each attribute that is mapped; behind the flag the value path alone and the others
/// together.
fn mapped_changes(person: &Person, target: &Target, alias: &str, flag: bool) -> Value {
    let name = person.display_name();
    let number = format!("{ENTERPRISE}:employeeNumber");
    let changes = [
        ("Replace", "emails[type eq \"work\"].value", alias),
        ("Replace", "displayName", &name),
        ("Replace", "name.formatted", &name),
        ("Replace", "name.familyName", &person.family),
        ("Add", "title", "Engineer"),
        ("Add", &number, "701984"),
    ];
    let (whole, mapped): (Vec<_>, Vec<_>) = changes
        .into_iter()
        .filter(|(_, path, _)| target.has(path))
        .partition(|(_, path, _)| flag && !path.contains('['));
    let mut operations: Vec<_> = mapped
        .into_iter()
        .map(|(op, path, value)| json!({"op": cased(op, flag), "path": path, "value": value}))
        .collect();
    if !whole.is_empty() {
        let values: serde_json::Map<_, _> =
            whole.into_iter().map(|(_, path, value)| (path.to_owned(), json!(value))).collect();
        operations.push(json!({"op": "replace", "value": values}));
    }
    json!(operations)
}

/// The assignment of another role, at the path that is mapped.
fn change_role(session: &mut Session<'_>, person: &Person, target: &Target, flag: bool) -> Result<(), Halt> {
    let (Some(mapping), Some(role)) = (target.mapping(), target.role(Role::Second)) else { return Ok(()) };
    let (path, source) = (person.path()?, target.mapped_by(GUIDE));
    let change = |role: &str| {
        let (at, value) = (mapping.entra_change)(role);
        patch_op(json!([{"op": cased("Add", flag), "path": at, "value": value}]))
    };
    session.step("change the role", source).patch(&path, change(role)).send()?;
    if let Some(license) = target.license() {
        let at = format!("{USER}:entitlements[type eq \"license\"].value");
        let add = json!([{"op": cased("Add", flag), "path": at, "value": license}]);
        session.step("change the licence", source).patch(&path, patch_op(add)).send()?;
    }
    session
        .step("get user with the role", CHECK)
        .get(&path)
        .needs(Need::Contains(target.shown_role(Role::Second)))
        .send()?;
    for role in target.not_roles() {
        session.step("map what is no role", source).patch(&path, change(role)).send()?;
    }
    Ok(())
}

/// References are not read but asked for: "Requests to determine whether a reference attribute has a certain
/// value".
fn managers(session: &mut Session<'_>, cast: &mut Cast) -> Result<(), Halt> {
    let Some((boss, staff)) = cast.people.split_first_mut() else { return Ok(()) };
    session.each("set managers", staff, |session, person| {
        let (path, id, boss) = (person.path()?, person.id()?.to_owned(), boss.id()?);
        let reference = format!("{}/Users/{boss}", session.base());
        let set = json!([{"op": "Add", "path": "manager", "value": [{"$ref": reference, "value": boss}]}]);
        let has = format!("id eq \"{id}\" and manager eq \"{boss}\"");
        let has = format!("/Users?filter={}&attributes=id", encode(&has, Space::Plus));
        session.step("set the manager", GUIDE).patch(&path, patch_op(set)).send()?;
        session.step("ask for the manager", GUIDE).get(&has).needs(Need::Only(id)).send()?;
        let clear = json!([{
            "op": "replace", "path": format!("{ENTERPRISE}:manager"), "value": {"value": ""},
        }]);
        session.step("clear the manager", VALIDATOR).patch(&path, patch_op(clear)).send()?;
        session.step("ask for the manager again", CHECK).get(&has).needs(Need::Nothing).send()?;
        Ok(())
    })
}

fn groups(session: &mut Session<'_>, cast: &mut Cast, target: &Target, flag: bool) -> Result<(), Halt> {
    let Cast { people, teams } = cast;
    session.each("create groups", teams, |session, team| {
        session
            .step("query before create", GUIDE)
            .get(group_by_name(&team.name))
            .needs(Need::Nothing)
            .send()?;
        let written = json!({"displayName": team.name, "externalId": team.external_id});
        let kind = json!({"schemas": [GROUP, ADSCIM_GROUP], "meta": {"resourceType": "Group"}});
        let created = session
            .step("create group", GUIDE)
            .post("/Groups", and(written.clone(), kind.clone()))
            .needs(Need::Resource(GROUP))
            .needs(Need::Contains(written.clone()))
            .send()?;
        team.learn(&created)?;
        check::group_name_is_taken(session, target, and(written.clone(), kind))?;
        session
            .step("query by displayName", GUIDE)
            .get(group_by_name(&team.name))
            .needs(Need::Only(team.id()?.to_owned()))
            .send()?;
        add_members(session, team, &team.member_values(people, null_ref_member))?;
        session
            .step("get group without members", GUIDE)
            .get(format!("{}?excludedAttributes=members", team.path()?))
            .needs(Need::Id(team.id()?.to_owned()))
            .needs(Need::Contains(written))
            .needs(Need::Lacks("members"))
            .send()?;
        check_members(session, team, people)
    })?;
    session.each("change memberships", teams, |session, team| {
        let Some(moved) = team.shuffle(people) else { return Ok(()) };
        change_membership(session, team, people, moved, flag)
    })?;
    session.each("rename groups", teams, |session, team| {
        team.name.push_str(" renamed");
        let operation = match flag {
            false => json!({"op": "Replace", "path": "displayName", "value": team.name}),
            true => json!({"op": "replace", "value": {"displayName": team.name}}),
        };
        session
            .step("rename group", if flag { VALIDATOR } else { GUIDE })
            .patch(team.path()?, patch_op(json!([operation])))
            .send()?;
        session
            .step("query by the new displayName", GUIDE)
            .get(group_by_name(&team.name))
            .needs(Need::Only(team.id()?.to_owned()))
            .send()?;
        check_members(session, team, people)
    })
}

fn change_membership(
    session: &mut Session<'_>,
    team: &Team,
    people: &[Person],
    moved: Move,
    flag: bool,
) -> Result<(), Halt> {
    let id = |n: Option<usize>| n.and_then(|n| people.get(n)).and_then(|person| person.id().ok());
    if let Some(leaver) = id(moved.leaves) {
        session
            .step("ask for the member", REFERENCE_CHECK)
            .get(membership(team.id()?, leaver))
            .needs(Need::Only(team.id()?.to_owned()))
            .send()?;
        let remove = match flag {
            false => json!({"op": "Remove", "path": "members", "value": [{"value": leaver}]}),
            true => json!({"op": "remove", "path": format!("members[value eq \"{leaver}\"]")}),
        };
        session
            .step("remove a member", KNOWN_ISSUES)
            .patch(team.path()?, patch_op(json!([remove])))
            .send()?;
        session
            .step("ask for the member again", REFERENCE_CHECK)
            .get(membership(team.id()?, leaver))
            .needs(Need::Nothing)
            .send()?;
        session
            .step("remove who is no member", KNOWN_ISSUES)
            .patch(team.path()?, patch_op(json!([remove])))
            .status(if flag { &[200, 204, 400] } else { &[200, 204] })
            .send()?;
    }
    let everybody = team.member_values(people, bare_member);
    if !everybody.is_empty() {
        let add = json!([{"op": cased("Add", flag), "path": "members", "value": everybody}]);
        session.step("add members, old ones too", ADDS_AGAIN).patch(team.path()?, patch_op(add)).send()?;
    }
    check_members(session, team, people)
}

fn disable_and_enable(
    session: &mut Session<'_>,
    cast: &mut Cast,
    target: &Target,
    flag: bool,
) -> Result<(), Halt> {
    session.each("disable users", &mut cast.people, |session, person| {
        session
            .step("disable", if flag { GUIDE } else { KNOWN_ISSUES })
            .patch(person.path()?, patch_op(activation(target, flag, false)))
            .status(target.deactivated())
            .needs(Need::Contains(json!({"active": false})))
            .send()?;
        if target.deletes_inactive() {
            session.step("the user is gone", CHECK).get(person.path()?).status(&[404]).send()?;
            return Ok(());
        }
        // "The user object should be returned in a request whether or not the user is active."
        session
            .step("get the disabled user", GUIDE)
            .get(person.path()?)
            .needs(Need::Id(person.id()?.to_owned()))
            .needs(Need::Contains(json!({"active": false})))
            .send()?;
        session
            .step("query the disabled user", GUIDE)
            .get(users_by("userName", &person.user_name))
            .needs(Need::Only(person.id()?.to_owned()))
            .send()?;
        Ok(())
    })?;
    session.each("enable users", &mut cast.people, |session, person| {
        if target.deletes_inactive() {
            // Not found under the id it knew, a user is matched anew and created (inference).
            session
                .step("query before create", GUIDE)
                .get(users_by("userName", &person.user_name))
                .needs(Need::Nothing)
                .send()?;
            let old = person.id()?.to_owned();
            return create(session, person, target, Some(old));
        }
        session
            .step("enable", KNOWN_ISSUES)
            .patch(person.path()?, patch_op(activation(target, flag, true)))
            .needs(Need::Contains(json!({"active": true})))
            .send()?;
        session
            .step("get the enabled user", GUIDE)
            .get(person.path()?)
            .needs(Need::Id(person.id()?.to_owned()))
            .needs(Need::Contains(json!({"active": true})))
            .send()?;
        Ok(())
    })
}

fn delete_groups(session: &mut Session<'_>, cast: &mut Cast) -> Result<(), Halt> {
    session.each("delete groups", &mut cast.teams, |session, team| {
        session.step("delete group", GUIDE).delete(team.path()?).send()?;
        session
            .step("query the deleted group", CHECK)
            .get(group_by_name(&team.name))
            .needs(Need::Nothing)
            .send()?;
        Ok(())
    })
}

fn delete_users(session: &mut Session<'_>, cast: &mut Cast) -> Result<(), Halt> {
    session.each("delete users", &mut cast.people, |session, person| {
        session.step("delete user", GUIDE).delete(person.path()?).send()?;
        session.step("get the deleted user", GUIDE).get(person.path()?).status(&[404]).send()?;
        session.step("delete the user again", VALIDATOR).delete(person.path()?).status(&[404]).send()?;
        session
            .step("query the deleted user", CHECK)
            .get(users_by("userName", &person.user_name))
            .needs(Need::Nothing)
            .send()?;
        Ok(())
    })
}

fn add_members(session: &mut Session<'_>, team: &Team, members: &[Value]) -> Result<(), Halt> {
    for batch in members.chunks(BATCH) {
        let add = json!([{"op": "Add", "path": "members", "value": batch}]);
        session.step("add members", GUIDE).patch(team.path()?, patch_op(add)).send()?;
    }
    Ok(())
}

fn check_members(session: &mut Session<'_>, team: &Team, people: &[Person]) -> Result<(), Halt> {
    session
        .step("read the group back", CHECK)
        .get(team.path()?)
        .needs(Need::Contains(json!({"displayName": team.name})))
        .needs(Need::Members(team.member_ids(people)))
        .send()?;
    Ok(())
}

fn users_by(attribute: &str, value: &str) -> String {
    format!("/Users?filter={}", encode(&format!("{attribute} eq \"{value}\""), Space::Plus))
}

fn group_by_name(name: &str) -> String {
    let filter = encode(&format!("displayName eq \"{name}\""), Space::Plus);
    format!("/Groups?excludedAttributes=members&filter={filter}")
}

fn membership(group: &str, user: &str) -> String {
    let filter = encode(&format!("id eq \"{group}\" and members eq \"{user}\""), Space::Plus);
    format!("/Groups?filter={filter}&excludedAttributes=members")
}

/// The guide's creation with the default mapping's department; an attribute without a value is not sent.
fn new_user(person: &Person, target: &Target) -> Value {
    let mut body = json!({
        "schemas": [USER, ENTERPRISE],
        "externalId": person.external_id,
        "userName": person.user_name,
        "active": true,
        "displayName": person.display_name(),
        "emails": [{"primary": true, "type": "work", "value": person.user_name}],
        "meta": {"resourceType": "User"},
        "name": {
            "formatted": person.display_name(), "familyName": person.family, "givenName": person.given,
        },
        "roles": [],
        ENTERPRISE: {"department": "R&D"},
    });
    target.map(&mut body, Role::First, |mapping, role| (mapping.entra)(role));
    body
}

fn null_ref_member(person: &Person) -> Value {
    json!({"$ref": null, "value": person.id().ok()})
}

fn cased(op: &str, flag: bool) -> String {
    if flag { op.to_ascii_lowercase() } else { op.to_owned() }
}

/// `"False"` and `"True"` without the flag; PagerDuty's mapping makes them lower-case strings:
/// `Switch([IsSoftDeleted], "true", "False", "true", "True", "false")`.
fn activation(target: &Target, flag: bool, active: bool) -> Value {
    let value = match (flag, target.lower_case_active()) {
        (true, _) => json!(active),
        (false, false) => json!(if active { "True" } else { "False" }),
        (false, true) => json!(active.to_string()),
    };
    json!([{"op": cased("Replace", flag), "path": "active", "value": value}])
}
