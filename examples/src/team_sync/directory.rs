//! The groups that an identity provider pushed, as the planner takes them.

use std::collections::{HashMap, HashSet};

use anyhow::Context as _;
use scim_core::projection::Projection;
use scim_core::query::{Query, Start};
use scim_core::schema::Registry;
use scim_core::store::Scope;
use scim_core::{Resource, Store, TenantId};
use scim_profiles::guard::Guards;
use scim_profiles::incident_io::{Group, Person};
use scim_profiles::pagerduty::teams::{DesiredGroup, DesiredMember};

/// What an identity provider pushed.
pub(super) struct Directory {
    /// All groups, each with its active members and those of the groups in it.
    ///
    /// A member's e-mail address is the primary one, else the one for work, else any, else the userName.
    pub(super) groups: Vec<DesiredGroup>,
    /// The `id`s of the users who are protected.
    pub(super) protected: Vec<String>,
}

/// What was pushed of `tenant`.
pub(super) async fn read<S: Store>(
    store: &S,
    registry: &Registry,
    tenant: &TenantId,
    guards: &Guards,
) -> anyhow::Result<Directory> {
    let (users, groups) = pushed(store, registry, tenant).await?;
    let groups: Vec<(String, Group)> = groups
        .iter()
        .filter_map(|group| Some((group.id()?.as_str().to_owned(), Group::from_scim(&group.0)?)))
        .collect();
    let by_id: HashMap<&str, &Group> = groups.iter().map(|(id, group)| (id.as_str(), group)).collect();
    let people: HashMap<String, Person> =
        users.iter().filter_map(|user| Person::from_scim(&user.0)).map(|one| (one.id.clone(), one)).collect();
    let protected = users.iter().filter(|user| guards.protects_user(user)).filter_map(Resource::id);
    let protected = protected.map(|id| id.as_str().to_owned()).collect();

    let desired = groups.iter().map(|(id, group)| {
        let mut desired = DesiredGroup::new(id, &group.name);
        let mut seen = HashSet::from([id.as_str()]);
        let mut open: Vec<&Group> = vec![group];
        while let Some(group) = open.pop() {
            let members = group.members.iter().chain(&group.nested).map(String::as_str);
            for member in members.filter(|member| seen.insert(member)) {
                let email = match (people.get(member), by_id.get(member)) {
                    // Without an address, somebody whom PagerDuty cannot know.
                    (Some(person), _) if person.active => person.email.clone(),
                    (Some(_), _) => continue,
                    (None, Some(inner)) => {
                        open.push(inner);
                        continue;
                    }
                    // Of another type, or deleted meanwhile.
                    (None, None) => continue,
                };
                desired.members.push(DesiredMember { user: member.to_owned(), email, role: None });
            }
        }
        desired
    });
    Ok(Directory { groups: desired.collect(), protected })
}

/// The users and groups. They are not read in one moment, so where a member is neither it may have been deleted or
/// created meanwhile, and both are read again.
async fn pushed<S: Store>(
    store: &S,
    registry: &Registry,
    tenant: &TenantId,
) -> anyhow::Result<(Vec<Resource>, Vec<Resource>)> {
    let mut attempt = 1;
    loop {
        let groups = all(store, registry, tenant, "Group", "displayName,members").await?;
        // After the groups, so that whoever was created to be a member is there.
        let users = all(store, registry, tenant, "User", "userName,emails,active").await?;
        let ids: HashSet<&str> =
            users.iter().chain(&groups).filter_map(|one| one.get("id")?.as_str()).collect();
        let members = groups.iter().filter_map(|group| group.get("members")?.as_array()).flatten();
        let mut members = members.filter_map(|member| member.as_object()?.get("value")?.as_str());
        if attempt == ATTEMPTS || members.all(|id| ids.contains(id)) {
            return Ok((users, groups));
        }
        attempt += 1;
    }
}

async fn all<S: Store>(
    store: &S,
    registry: &Registry,
    tenant: &TenantId,
    resource_type: &str,
    attributes: &str,
) -> anyhow::Result<Vec<Resource>> {
    let schema = registry.by_name(resource_type).with_context(|| format!("no {resource_type} is served"))?;
    let scope = Scope { tenant, schema };
    let projection = Projection::parse(schema, Some(attributes), None)?;
    let mut query = Query { start: Start::First, count: PAGE, projection, ..Query::default() };
    let mut resources = Vec::new();
    loop {
        let page = store.query(scope, &query).await?;
        resources.extend(page.resources);
        match page.next {
            Some(place) => query.start = Start::After(place),
            None => return Ok(resources),
        }
    }
}

/// How often users and groups are read while members are not among them: a member may be of a type that is no person,
/// and stay so.
const ATTEMPTS: usize = 3;
/// How many resources are read at once.
const PAGE: usize = 200;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use scim_core::schema::ResourceSchema;
    use scim_core::store::{Deletion, StoreError};
    use scim_core::testkit::{Call, Hooked, Hooks};
    use scim_core::{MemoryStore, ResourceId, Value, Version};
    use scim_profiles::Profile;
    use scim_profiles::guard::Protected;

    use super::*;

    async fn put(store: &MemoryStore, schema: &ResourceSchema, value: serde_json::Value) {
        let tenant = TenantId::new("t");
        let Value::Object(object) = serde_json::from_value(value).unwrap() else { unreachable!() };
        let resource = Resource(object);
        store.create(Scope { tenant: &tenant, schema }, &resource, &[]).await.unwrap();
    }

    #[tokio::test]
    async fn members_are_active_people_also_of_groups_in_groups() {
        let registry = Profile::by_name("generic").unwrap().registry();
        let (user, group) = (registry.by_name("User").unwrap(), registry.by_name("Group").unwrap());
        let store = MemoryStore::new();
        let meta = serde_json::json!({"version": "W/\"1\""});
        let users = [
            serde_json::json!({"id": "ada", "userName": "ada@example.com", "meta": meta}),
            serde_json::json!({"id": "chen", "userName": "chen", "emails": [{"value": "c@home.example"}, {"value": "chen@example.com", "primary": true}], "meta": meta}),
            serde_json::json!({"id": "diya", "userName": "diya@example.com", "active": false, "meta": meta}),
            serde_json::json!({"id": "emil", "userName": "emil", "meta": meta}),
        ];
        for value in users {
            put(&store, user, value).await;
        }
        let of = |ids: &[&str]| ids.iter().map(|id| serde_json::json!({"value": id})).collect::<Vec<_>>();
        // One that says that it is a group, and one that does not.
        let said = vec![serde_json::json!({"value": "g2", "type": "Group"})];
        for (id, members) in [
            ("g1", [of(&["ada", "diya", "gone"]), said].concat()),
            ("g2", of(&["chen", "ada", "emil", "g1"])),
            ("g3", of(&[])),
        ] {
            let value = serde_json::json!({"id": id, "displayName": format!("Group {id}"), "members": members, "meta": meta});
            put(&store, group, value).await;
        }
        let guards = ["chen@Example.com", "EMIL", "diya"]
            .iter()
            .fold(Protected::new(), |all, name| all.with_user(name));
        let guards = Guards::new().with_protected(guards.with_user("Ada"));
        let mut directory = read(&store, registry, &TenantId::new("t"), &guards).await.unwrap();
        directory.protected.sort_unstable();
        assert_eq!(directory.protected, ["chen", "diya", "emil"]);
        let told: Vec<(String, String)> = directory
            .groups
            .iter()
            .map(|group| {
                let mut emails: Vec<_> = group.members.iter().map(|member| member.email.as_str()).collect();
                emails.sort_unstable();
                (group.display_name.clone(), emails.join(" "))
            })
            .collect();
        let all = " ada@example.com chen@example.com".to_owned();
        assert_eq!(
            told,
            [
                ("Group g1".to_owned(), all.clone()),
                ("Group g2".to_owned(), all),
                ("Group g3".to_owned(), String::new())
            ]
        );
        let other = read(&store, registry, &TenantId::new("other"), &guards).await.unwrap();
        assert!(other.groups.is_empty() && other.protected.is_empty());
    }

    /// Between reading groups and users somebody is deleted and created anew.
    struct CreatedAnew {
        behind: MemoryStore,
        done: AtomicBool,
    }

    impl Hooks for CreatedAnew {
        async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
            let Call::Query { scope: users, .. } = call else { return Ok(()) };
            if users.schema.name() != "User" || self.done.swap(true, Ordering::SeqCst) {
                return Ok(());
            }
            let registry = Profile::by_name("generic").unwrap().registry();
            let groups = registry.group_types(users.schema);
            let last_modified = "2026-02-02T00:00:00Z";
            let deletion =
                Deletion { expected: None, groups: &groups, last_modified, left: None, members: None };
            self.behind.delete(users, &ResourceId::new("ada"), &deletion).await?;
            let meta = serde_json::json!({"version": "W/\"1\""});
            let anew = serde_json::json!({"id": "ada2", "userName": "ada@example.com", "meta": meta});
            put(&self.behind, users.schema, anew).await;
            let scope = Scope { schema: registry.by_name("Group").unwrap(), ..users };
            let id = ResourceId::new("g");
            let group = serde_json::json!({"id": "g", "displayName": "G", "members": [{"value": "ada2"}],
                "meta": {"version": "W/\"3\""}});
            let Value::Object(group) = serde_json::from_value(group).unwrap() else { unreachable!() };
            let current = self.behind.read(scope, &id, &Projection::default()).await?.unwrap();
            let version = current.version().unwrap();
            assert_eq!(version, Version(2), "the user has left the group");
            self.behind.replace(scope, &Resource(group), &[], version).await
        }
    }

    /// The address stays a member all the while, and so nobody is to be taken off a team.
    #[tokio::test]
    async fn who_is_created_anew_while_it_is_read_is_there() {
        let registry = Profile::by_name("generic").unwrap().registry();
        let behind = MemoryStore::new();
        let meta = serde_json::json!({"version": "W/\"1\""});
        let user = serde_json::json!({"id": "ada", "userName": "ada@example.com", "meta": meta});
        put(&behind, registry.by_name("User").unwrap(), user).await;
        let group =
            serde_json::json!({"id": "g", "displayName": "G", "members": [{"value": "ada"}], "meta": meta});
        put(&behind, registry.by_name("Group").unwrap(), group).await;
        let hooks = CreatedAnew { behind: behind.clone(), done: AtomicBool::new(false) };
        let store = Hooked { store: behind, hooks };
        let directory = read(&store, registry, &TenantId::new("t"), &Guards::new()).await.unwrap();
        let members: Vec<_> =
            directory.groups[0].members.iter().map(|one| (&*one.user, &*one.email)).collect();
        assert_eq!(members, [("ada2", "ada@example.com")]);
    }
}
