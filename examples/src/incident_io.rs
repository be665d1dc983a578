//! Mappings and directories for incident.io, as files.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, bail};
use scim_core::Value;
use scim_profiles::incident_io::{
    BaseRole, Deactivated, Directory, ElevatedSeat, Group, GroupNames, InSlack, OnCallSeat, Options, Person,
    RoleMapping, SeatAfter, Seats, Standing, User, Workspace,
};
use serde::Deserialize;

/// Reads a mapping of groups from a TOML file, such as `examples/incident-io/mapping.toml`.
///
/// # Errors
///
/// The file cannot be read, or is no mapping.
pub fn mapping(file: &Path) -> anyhow::Result<RoleMapping> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    parse_mapping(&text).with_context(|| format!("`{}` is no mapping of groups", file.display()))
}

/// Reads people and groups, as SCIM has them, and today's users, as incident.io's API prints them, from
/// a JSON file, such as `examples/incident-io/directory.json`.
///
/// A user may have `in_slack` besides, and `scim_id`, the `id` of the person it is linked to.
///
/// # Errors
///
/// The file cannot be read, or is no directory.
pub fn directory(file: &Path) -> anyhow::Result<(Workspace, Directory)> {
    let text = std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    parse_directory(&text).with_context(|| format!("`{}` is no directory", file.display()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MappingFile {
    #[serde(default)]
    custom_roles: Vec<CustomRole>,
    #[serde(default)]
    groups: Vec<MappedGroup>,
    #[serde(default)]
    options: OptionsOfFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomRole {
    name: String,
    #[serde(default)]
    permissions: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MappedGroup {
    name: String,
    base_role: Option<String>,
    #[serde(default)]
    custom_roles: Vec<String>,
    #[serde(default)]
    on_call: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct OptionsOfFile {
    elevated_seat: Option<String>,
    seat_after: Option<String>,
    custom_roles_need_paid_seat: Option<bool>,
    group_names: Option<String>,
    deactivated: Option<String>,
    in_slack: Option<String>,
}

fn parse_mapping(text: &str) -> anyhow::Result<RoleMapping> {
    let file: MappingFile = toml::from_str(text)?;
    let mut mapping = RoleMapping::new().with_options(file.options.read()?);
    for role in file.custom_roles {
        mapping = mapping.with_custom_role(&role.name, role.permissions)?;
    }
    let mut names = BTreeSet::new();
    for (number, group) in file.groups.into_iter().enumerate() {
        if group.name.trim().is_empty() {
            bail!("groups[{number}] has an empty name");
        }
        if !names.insert(group.name.clone()) {
            bail!("the group `{}` is there twice", group.name.escape_debug());
        }
        if group.base_role.is_none() && group.custom_roles.is_empty() && !group.on_call {
            bail!(
                "the group `{}` has neither `base_role` nor `custom_roles` nor `on_call`",
                group.name.escape_debug()
            );
        }
        if let Some(base_role) = group.base_role {
            let base_role: BaseRole = base_role
                .parse()
                .with_context(|| format!("`base_role` of the group `{}`", group.name.escape_debug()))?;
            mapping = mapping.with_base_role(&group.name, base_role);
        }
        for role in group.custom_roles {
            mapping = mapping.with_custom_role_of(&group.name, &role)?;
        }
        if group.on_call {
            mapping = mapping.with_on_call(&group.name);
        }
    }
    Ok(mapping)
}

impl OptionsOfFile {
    fn read(self) -> anyhow::Result<Options> {
        let mut options = Options::default();
        match self.elevated_seat.as_deref() {
            None | Some("responder") => options.elevated_seat = ElevatedSeat::Responder,
            Some("on-call") => options.elevated_seat = ElevatedSeat::OnCall,
            Some(_) => bail!("`elevated_seat` is neither `responder` nor `on-call`"),
        }
        match self.seat_after.as_deref() {
            None | Some("stays") => options.seat_after = SeatAfter::Stays,
            Some("goes") => options.seat_after = SeatAfter::Goes,
            Some(_) => bail!("`seat_after` is neither `stays` nor `goes`"),
        }
        match self.group_names.as_deref() {
            None | Some("exact") => options.group_names = GroupNames::Exact,
            Some("any-case") => options.group_names = GroupNames::AnyCase,
            Some(_) => bail!("`group_names` is neither `exact` nor `any-case`"),
        }
        match self.deactivated.as_deref() {
            None | Some("link") => options.deactivated = Deactivated::Link,
            Some("leave") => options.deactivated = Deactivated::Leave,
            Some(_) => bail!("`deactivated` is neither `link` nor `leave`"),
        }
        match self.in_slack.as_deref() {
            None | Some("standard") => options.in_slack = InSlack::Standard,
            Some("keep") => options.in_slack = InSlack::Keep,
            Some(_) => bail!("`in_slack` is neither `standard` nor `keep`"),
        }
        options.custom_roles_need_paid_seat = self.custom_roles_need_paid_seat.unwrap_or_default();
        Ok(options)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DirectoryFile {
    people: Vec<Value>,
    #[serde(default)]
    groups: Vec<Value>,
    #[serde(default)]
    users: Vec<UserOfFile>,
}

/// A user as incident.io's API prints it; what else is there is not looked at.
#[derive(Deserialize)]
struct UserOfFile {
    id: String,
    email: String,
    is_active: bool,
    base_role: Slug,
    #[serde(default)]
    custom_roles: Vec<Name>,
    #[serde(default)]
    seats: SeatsOfFile,
    #[serde(default)]
    in_slack: bool,
    scim_id: Option<String>,
}

#[derive(Deserialize)]
struct Slug {
    slug: String,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

#[derive(Default, Deserialize)]
struct SeatsOfFile {
    response: Option<SeatAccess>,
    on_call: Option<SeatAccess>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SeatAccess {
    FullAccess,
    ViewerOnly,
    None,
}

fn parse_directory(text: &[u8]) -> anyhow::Result<(Workspace, Directory)> {
    let file: DirectoryFile = serde_json::from_slice(text)?;
    let people = file.people.iter().enumerate().map(|(number, value)| {
        let person = value.as_object().and_then(Person::from_scim);
        person.with_context(|| format!("people[{number}] has no `id` or no e-mail address"))
    });
    let groups = file.groups.iter().enumerate().map(|(number, value)| {
        let group = value.as_object().and_then(Group::from_scim);
        group.with_context(|| format!("groups[{number}] has no `displayName`"))
    });
    let directory = Directory::new(people.collect::<Result<_, _>>()?, groups.collect::<Result<_, _>>()?)?;
    let users = file.users.into_iter().map(UserOfFile::read).collect::<Result<_, _>>()?;
    Ok((Workspace::new(users)?, directory))
}

impl UserOfFile {
    fn read(self) -> anyhow::Result<User> {
        let base_role: BaseRole = self
            .base_role
            .slug
            .parse()
            .with_context(|| format!("`base_role` of the user `{}`", self.id.escape_debug()))?;
        let has = |seat: Option<SeatAccess>| seat == Some(SeatAccess::FullAccess);
        let on_call = if has(self.seats.on_call) { OnCallSeat::Held } else { OnCallSeat::None };
        Ok(User {
            id: self.id,
            email: self.email,
            linked_to: self.scim_id,
            in_slack: self.in_slack,
            standing: Standing {
                active: self.is_active,
                base_role,
                custom_roles: self.custom_roles.into_iter().map(|role| role.name.into()).collect(),
                seats: Seats { response: has(self.seats.response), on_call, ..Seats::default() },
            },
        })
    }
}
