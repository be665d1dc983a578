//! People and groups of an identity provider, and incident.io's users, as a file.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use scim_core::Value;
use scim_profiles::incident_io::{
    BaseRole, ByGroups, Directory, Group, OnCallSeat, Person, Seats, Standing, User, Workspace,
};
use serde::{Deserialize, Serialize};

use super::MappingFile;

/// People and groups of an identity provider, and incident.io's users, as one file has them.
#[derive(Clone, Debug)]
pub struct State {
    /// incident.io's users, and the mapping in force while SCIM is installed.
    pub workspace: Workspace,
    /// The people and groups.
    pub directory: Directory,
    /// The mapping in force, as it is written.
    pub in_force: Option<MappingFile>,
    // As they are written; users by their ids.
    people: Vec<Value>,
    groups: Vec<Value>,
    users: HashMap<String, Fields>,
}

/// A user as the file has them, also what is not looked at.
type Fields = serde_json::Map<String, serde_json::Value>;

impl State {
    /// Reads people and groups, as SCIM has them, and today's users, as incident.io's API prints them, from a JSON
    /// file, such as `examples/incident-io/directory.json`.
    ///
    /// A user may have `in_slack` besides, `scim_id`, the `id` of the person it is linked to, and `by_groups`: which
    /// seats came by groups. While SCIM is installed the file has the mapping in force, as `installed`.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is no directory.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
        Self::parse(&text).with_context(|| format!("`{}` is no directory", file.display()))
    }

    fn parse(text: &[u8]) -> anyhow::Result<Self> {
        let file: DirectoryFile = serde_json::from_slice(text)?;
        let people = file.people.iter().enumerate().map(|(number, value)| {
            let person = value.as_object().and_then(Person::from_scim);
            person.with_context(|| {
                format!("people[{number}] has no `id`, or an `active` that is neither true nor false")
            })
        });
        let groups = file.groups.iter().enumerate().map(|(number, value)| {
            let group = value.as_object().and_then(Group::from_scim);
            group.with_context(|| format!("groups[{number}] has no `displayName`"))
        });
        let directory = Directory::new(people.collect::<Result<_, _>>()?, groups.collect::<Result<_, _>>()?)?;
        let mut users = Vec::with_capacity(file.users.len());
        let mut written = HashMap::with_capacity(file.users.len());
        for (number, fields) in file.users.into_iter().enumerate() {
            let user = UserOfFile::deserialize(&fields).map_err(anyhow::Error::from);
            let user = user.and_then(UserOfFile::read).with_context(|| format!("users[{number}]"))?;
            written.insert(user.id.clone(), fields);
            users.push(user);
        }
        let mut workspace = Workspace::new(users)?;
        let in_force = file.installed.map(MappingFile::of_json).transpose();
        let in_force = in_force.context("`installed` is no mapping of groups")?;
        if let Some(in_force) = &in_force {
            workspace = workspace.with_installed(in_force.mapping.clone());
        }
        Ok(Self { workspace, directory, in_force, people: file.people, groups: file.groups, users: written })
    }

    /// Writes a file with `workspace` in place of the users, and `in_force` as the mapping in force. What has not become
    /// another is as it was read.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn save(
        &self,
        file: &Path,
        workspace: &Workspace,
        in_force: Option<&MappingFile>,
    ) -> anyhow::Result<()> {
        let written = WrittenState {
            installed: in_force.map(|in_force| &in_force.written),
            people: &self.people,
            groups: &self.groups,
            users: workspace.users().iter().map(|user| self.written(user)).collect::<Result<_, _>>()?,
        };
        let text = serde_json::to_string_pretty(&written)?;
        std::fs::write(file, text + "\n").with_context(|| format!("cannot write `{}`", file.display()))
    }

    /// A user as they are to be written.
    fn written(&self, user: &User) -> anyhow::Result<Fields> {
        let is = UserOfFile::of(user).fields()?;
        let Some(written) = self.users.get(&user.id) else { return Ok(is) };
        // What it says, as it is written here: other spellings of that are no change.
        let was = UserOfFile::of(&UserOfFile::deserialize(written)?.read()?).fields()?;
        let mut kept = written.clone();
        rewrite(&mut kept, &was, &is);
        Ok(kept)
    }
}

/// Makes what was `was` into `is`, and leaves the rest.
fn rewrite(written: &mut Fields, was: &Fields, is: &Fields) {
    let differs = |name: &&String| was.get(*name) != is.get(*name);
    for name in was.keys().filter(differs) {
        if name == "in_slack" {
            written.remove(IN_SLACK_AS_JSON);
        }
        if !is.contains_key(name) {
            written.remove(name);
        }
    }
    for (name, value) in is.iter().filter(|(name, _)| differs(name)) {
        // Each seat by itself; a role and what the API says of it besides belong together.
        match (
            written.get_mut(name).and_then(|seats| seats.as_object_mut()),
            was.get(name),
            value.as_object(),
        ) {
            (Some(written), Some(was), Some(is)) if name == "seats" => {
                let nothing = Fields::new();
                rewrite(written, was.as_object().unwrap_or(&nothing), is);
            }
            _ => drop(written.insert(name.clone(), value.clone())),
        }
    }
}

/// Another spelling of `in_slack`.
const IN_SLACK_AS_JSON: &str = "inSlack";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DirectoryFile {
    people: Vec<Value>,
    #[serde(default)]
    groups: Vec<Value>,
    #[serde(default)]
    users: Vec<Fields>,
    installed: Option<serde_json::Value>,
}

#[derive(Serialize)]
struct WrittenState<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    installed: Option<&'a serde_json::Value>,
    people: &'a [Value],
    groups: &'a [Value],
    users: Vec<Fields>,
}

/// A user as incident.io's API prints it; what else is there is not looked at, and kept.
#[derive(Serialize, Deserialize)]
struct UserOfFile {
    id: String,
    email: String,
    is_active: bool,
    base_role: Slug,
    #[serde(default)]
    custom_roles: Vec<Name>,
    #[serde(default)]
    seats: SeatsOfFile,
    // Not of the API, and so spelt as the rest or as JSON usually is.
    #[serde(default, alias = "inSlack", skip_serializing_if = "is_not")]
    in_slack: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    scim_id: Option<String>,
    #[serde(default, skip_serializing_if = "SeatsByGroups::is_nothing")]
    by_groups: SeatsByGroups,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks")]
fn is_not(is: &bool) -> bool {
    !is
}

/// Which of the seats came by groups, and whether a group gives the on-call seat now.
#[derive(Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SeatsByGroups {
    response: bool,
    on_call: bool,
    on_call_managed: bool,
}

impl SeatsByGroups {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Serialize, Deserialize)]
struct Slug {
    slug: String,
}

#[derive(Serialize, Deserialize)]
struct Name {
    name: String,
}

#[derive(Default, Serialize, Deserialize)]
struct SeatsOfFile {
    response: Option<SeatAccess>,
    on_call: Option<SeatAccess>,
}

#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SeatAccess {
    FullAccess,
    ViewerOnly,
    None,
}

impl UserOfFile {
    fn read(self) -> anyhow::Result<User> {
        let base_role: BaseRole = self
            .base_role
            .slug
            .parse()
            .with_context(|| format!("`base_role` of the user `{}`", self.id.escape_debug()))?;
        let has = |seat: Option<SeatAccess>| seat == Some(SeatAccess::FullAccess);
        let on_call = match (has(self.seats.on_call), self.by_groups.on_call_managed) {
            (false, _) => OnCallSeat::None,
            (true, false) => OnCallSeat::Held,
            (true, true) => OnCallSeat::Managed,
        };
        let by_groups = ByGroups { response: self.by_groups.response, on_call: self.by_groups.on_call };
        Ok(User {
            id: self.id,
            email: self.email,
            linked_to: self.scim_id,
            in_slack: self.in_slack,
            standing: Standing {
                active: self.is_active,
                base_role,
                custom_roles: self.custom_roles.into_iter().map(|role| role.name.into()).collect(),
                seats: Seats { response: has(self.seats.response), on_call, by_groups },
            },
        })
    }

    fn of(user: &User) -> Self {
        let User { id, email, linked_to, in_slack, standing } = user;
        let Seats { response, on_call, by_groups } = standing.seats;
        // Who has no responder's seat is a viewer.
        let access = |has, without| Some(if has { SeatAccess::FullAccess } else { without });
        Self {
            id: id.clone(),
            email: email.clone(),
            is_active: standing.active,
            base_role: Slug { slug: standing.base_role.as_str().to_owned() },
            custom_roles: standing.custom_roles.iter().map(|role| Name { name: role.to_string() }).collect(),
            seats: SeatsOfFile {
                response: access(response, SeatAccess::ViewerOnly),
                on_call: access(on_call.is_held(), SeatAccess::None),
            },
            in_slack: *in_slack,
            scim_id: linked_to.clone(),
            by_groups: SeatsByGroups {
                response: by_groups.response,
                on_call: by_groups.on_call,
                on_call_managed: on_call == OnCallSeat::Managed,
            },
        }
    }

    fn fields(&self) -> anyhow::Result<Fields> {
        match serde_json::to_value(self)? {
            serde_json::Value::Object(fields) => Ok(fields),
            _ => bail!("a user is an object"),
        }
    }
}
