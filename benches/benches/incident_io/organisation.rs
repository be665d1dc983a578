//! Organisations of any size, for what is decided by the groups people are in.

use scim_benches::workloads::Random;
use scim_profiles::incident_io::{
    BaseRole, Directory, Group, MappingError, Person, Preview, RoleMapping, Standing, User, Workspace,
};

/// How many groups each person is in.
pub(crate) const GROUPS_EACH: usize = 20;

/// An identity provider's people and groups, a mapping, and the users there are.
#[derive(Clone, Debug)]
pub(crate) struct Organisation {
    /// The users: a user for nine people in ten, whose roles are not what the mapping gives, and a few
    /// users for nobody.
    pub(crate) workspace: Workspace,
    /// The people, each in [`GROUPS_EACH`] groups.
    pub(crate) directory: Directory,
    /// A role for every tenth group: base roles, custom roles and on-call seats in turn.
    pub(crate) mapping: RoleMapping,
}

impl Organisation {
    /// An organisation of so many people and groups, of which so many are mapped.
    pub(crate) fn new(people: usize, groups: usize, mapped: usize) -> Option<Self> {
        let mut random = Random(7);
        let ids: Vec<String> = (0..people).map(|_| random.uuid()).collect();
        let mut members = vec![Vec::new(); groups];
        for id in &ids {
            for _ in 0..GROUPS_EACH {
                let group = random.next() % groups.max(1);
                if let Some(members) = members.get_mut(group) {
                    members.push(id.clone());
                }
            }
        }
        let group = |(number, members)| Group { name: format!("team-{number}"), members, ..Group::default() };
        let groups: Vec<Group> = members.into_iter().enumerate().map(group).collect();
        let mapping = mapping(&groups, mapped).ok()?;
        let person = |(number, id)| Person { id, email: format!("person{number}@example.com"), active: true };
        let directory = Directory::new(ids.into_iter().enumerate().map(person).collect(), groups).ok()?;
        let users = (0..people).map(|number| {
            let name = if number % 10 == 0 { "Nobody" } else { "Person" };
            let base_role = BaseRole::ALL.into_iter().nth(number % 50).unwrap_or_default();
            User {
                id: random.uuid(),
                email: format!("{name}{number}@Example.com"),
                standing: Standing { base_role, ..Standing::default() },
                ..User::default()
            }
        });
        Some(Self { workspace: Workspace::new(users.collect()).ok()?, directory, mapping })
    }

    /// What installing SCIM makes of the users.
    pub(crate) fn preview(&self) -> Preview<'_> {
        Preview::new(&self.workspace, &self.directory, &self.mapping)
    }

    /// Reads the id of every member of every group, as far as to its first character: a check sum of
    /// these, and the length of all.
    pub(crate) fn read(&self) -> (u8, usize) {
        let members = self.directory.groups().iter().flat_map(|group| &group.members);
        members.fold((0, 0), |(sum, length), id| {
            (sum ^ id.bytes().next().unwrap_or_default(), length + id.len())
        })
    }
}

fn mapping(groups: &[Group], mapped: usize) -> Result<RoleMapping, MappingError> {
    let every = (groups.len() / mapped.max(1)).max(1);
    let mut mapping = RoleMapping::new();
    for number in 0..20 {
        mapping = mapping.with_custom_role(&format!("Role {number}"), [format!("permission {number}")])?;
    }
    for (number, group) in groups.iter().step_by(every).take(mapped).enumerate() {
        mapping = match number % 4 {
            0 => mapping.with_base_role(&group.name, BaseRole::Admin),
            1 => mapping.with_custom_role_of(&group.name, &format!("Role {}", number % 20))?,
            2 => mapping.with_on_call(&group.name),
            _ => mapping.with_base_role(&group.name, BaseRole::Owner),
        };
    }
    Ok(mapping)
}
