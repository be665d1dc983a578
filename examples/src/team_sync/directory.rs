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
    let users = all(store, registry, tenant, "User", "userName,emails,active").await?;
    let people: HashMap<String, Person> =
        users.iter().filter_map(|user| Person::from_scim(&user.0)).map(|one| (one.id.clone(), one)).collect();
    let protected = users.iter().filter(|user| guards.protects_user(user)).filter_map(Resource::id);
    let protected = protected.map(|id| id.as_str().to_owned()).collect();
    // Without an address, somebody whom PagerDuty cannot know.
    let nobody: HashSet<&str> = users
        .iter()
        .filter_map(|user| user.0.get("id")?.as_str())
        .filter(|id| !people.contains_key(*id))
        .collect();
    let groups = all(store, registry, tenant, "Group", "displayName,members").await?;
    let groups: Vec<(String, Group)> = groups
        .iter()
        .filter_map(|group| Some((group.id()?.as_str().to_owned(), Group::from_scim(&group.0)?)))
        .collect();
    let by_id: HashMap<&str, &Group> = groups.iter().map(|(id, group)| (id.as_str(), group)).collect();

    let desired = groups.iter().map(|(id, group)| {
        let mut desired = DesiredGroup::new(id, &group.name);
        let mut seen = HashSet::from([id.as_str()]);
        let mut open: Vec<&Group> = vec![group];
        while let Some(group) = open.pop() {
            for member in group.members.iter().map(String::as_str).filter(|member| seen.insert(member)) {
                let email = match (people.get(member), by_id.get(member)) {
                    (Some(person), _) if person.active => person.email.clone(),
                    (Some(_), _) => continue,
                    (None, Some(inner)) => {
                        open.push(inner);
                        continue;
                    }
                    (None, None) if nobody.contains(member) => String::new(),
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

/// How many resources are read at once.
const PAGE: usize = 200;

#[cfg(test)]
mod tests {
    use scim_core::schema::ResourceSchema;
    use scim_core::{MemoryStore, Value};
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
        for (id, members) in [
            ("g1", of(&["ada", "g2", "diya", "gone"])),
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
}
