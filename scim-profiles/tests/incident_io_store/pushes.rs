//! Groups and assignments as an identity provider pushes them, one after the other, beside the preview: it does
//! not matter in which order groups come, and the server ends with what the preview says.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::{Index, select};
use scim_core::{MemoryStore, TenantId};
use scim_profiles::incident_io::{
    ActiveInSlack, BaseRole, Directory, EFFECTIVE_ACCESS, ElevatedSeat, Group, GroupNames, InSlack, Options,
    Person, Preview, RoleMapping, SeatAfter, Standing, Workspace,
};
use serde_json::{Value, json};

use super::{Server, USER};

const GROUPS: [&str; 4] = ["g0", "g1", "g2", "g3"];
/// As they are mapped: one of them is no group's but for its case.
pub(super) const MAPPED: [&str; 5] = ["g0", "g1", "g2", "G2", "g3"];
const PEOPLE: usize = 3;

pub(super) fn mapping() -> impl Strategy<Value = RoleMapping> {
    let base = prop::collection::vec((select(&MAPPED[..]), select(&BaseRole::ALL[..])), 0..4);
    let custom = prop::collection::vec(select(&MAPPED[..]), 0..2);
    let on_call = prop::collection::vec(select(&MAPPED[..]), 0..3);
    (base, custom, on_call, any::<[bool; 5]>()).prop_map(
        |(base, custom, on_call, [elevated, needs, goes, names, keep])| {
            let mut options = Options::default();
            options.elevated_seat = if elevated { ElevatedSeat::OnCall } else { ElevatedSeat::Responder };
            options.custom_roles_need_paid_seat = needs;
            options.in_slack = if keep { InSlack::Keep } else { InSlack::Standard };
            options.seat_after = if goes { SeatAfter::Goes } else { SeatAfter::Stays };
            options.group_names = if names { GroupNames::AnyCase } else { GroupNames::Exact };
            let mut mapping =
                RoleMapping::new().with_options(options).with_custom_role("Security", ["x"]).unwrap();
            for (group, role) in base {
                mapping = mapping.with_base_role(group, role);
            }
            for group in custom {
                mapping = mapping.with_custom_role_of(group, "Security").unwrap();
            }
            on_call.into_iter().fold(mapping, RoleMapping::with_on_call)
        },
    )
}

/// What is so from now on.
#[derive(Clone, Copy, Debug)]
enum Push {
    /// The person is in the group, or is not.
    Member(usize, usize, bool),
    /// The person is assigned, or is not.
    Assigned(usize, bool),
}

fn push() -> impl Strategy<Value = Push> {
    let member = (0..GROUPS.len(), 0..PEOPLE, prop::bool::weighted(0.7));
    prop_oneof![
        3 => member.prop_map(|(group, person, joins)| Push::Member(group, person, joins)),
        1 => (0..PEOPLE, any::<bool>()).prop_map(|(person, is)| Push::Assigned(person, is)),
    ]
}

/// Who is active in Slack.
fn slack() -> impl Strategy<Value = ActiveInSlack> {
    prop::sample::subsequence(&SLACK[..], 0..=SLACK.len()).prop_map(|emails| emails.into_iter().collect())
}

/// Who is active in Slack is known by the address.
const SLACK: [&str; 3] = ["a@example.com", "B@example.com", "c@example.com"];

/// The addresses of everybody, of which some are another's, or are none.
fn emails() -> impl Strategy<Value = [&'static str; PEOPLE]> {
    let email = || select(&["a@example.com", "A@example.com", "b@example.com", "c@example.com", ""][..]);
    [email(), email(), email()]
}

/// A server with the people and empty groups.
struct Rehearsal {
    server: Server,
    people: Vec<String>,
    emails: [&'static str; PEOPLE],
    groups: Vec<String>,
    members: BTreeSet<(usize, usize)>,
    unassigned: BTreeSet<usize>,
}

impl Rehearsal {
    async fn new(mapping: RoleMapping, slack: ActiveInSlack, emails: [&'static str; PEOPLE]) -> Self {
        let server = Server::beside_slack(MemoryStore::new(), mapping, slack, 1);
        let (mut people, mut groups) = (Vec::new(), Vec::new());
        for (number, email) in emails.into_iter().enumerate() {
            let mut user = json!({"schemas": [USER], "userName": format!("p{number}")});
            if !email.is_empty() {
                user["emails"] = json!([{"value": email}]);
            }
            people.push(server.create("/Users", user).await);
        }
        for name in GROUPS {
            groups.push(server.group(name, &[]).await);
        }
        Self { server, people, emails, groups, members: BTreeSet::new(), unassigned: BTreeSet::new() }
    }

    async fn push(&mut self, push: Push) {
        match push {
            Push::Member(group, person, true) => {
                self.server.join(&self.groups[group], &self.people[person]).await;
                self.members.insert((group, person));
            }
            Push::Member(group, person, false) => {
                self.server.leave(&self.groups[group], &self.people[person]).await;
                self.members.remove(&(group, person));
            }
            Push::Assigned(person, is) => {
                let operation = json!({"op": "replace", "path": "active", "value": is});
                self.server.patch(&format!("/Users/{}", self.people[person]), operation).await;
                if is {
                    self.unassigned.remove(&person)
                } else {
                    self.unassigned.insert(person)
                };
            }
        }
    }

    /// What the identity provider has by now.
    fn directory(&self) -> Directory {
        let person = |(number, id): (usize, &String)| Person {
            id: id.clone(),
            email: self.emails[number].to_owned(),
            active: !self.unassigned.contains(&number),
        };
        let group = |(number, name): (usize, &&str)| Group {
            name: (*name).to_owned(),
            members: self
                .members
                .iter()
                .filter(|(group, _)| *group == number)
                .map(|(_, person)| self.people[*person].clone())
                .collect(),
            ..Group::default()
        };
        let people = self.people.iter().enumerate().map(person).collect();
        Directory::new(people, GROUPS.iter().enumerate().map(group).collect()).unwrap()
    }

    async fn served(&self) -> BTreeMap<String, Value> {
        served(&self.server, &self.people).await
    }
}

/// What the server says that everybody has.
pub(super) async fn served(server: &Server, people: &[String]) -> BTreeMap<String, Value> {
    let mut served = BTreeMap::new();
    for id in people {
        let (_, user) = server.send("GET", &format!("/Users/{id}"), Value::Null).await;
        let access = &user[EFFECTIVE_ACCESS];
        let said = json!({
            "baseRole": access["baseRole"],
            "customRoles": access.get("customRoles").unwrap_or(&json!([])),
            "seats": {"response": access["responderSeat"], "onCall": access["onCallSeat"]},
            "active": access["active"],
        });
        served.insert(id.clone(), said);
    }
    served
}

/// The same of a preview.
pub(super) fn standing_of(standing: &Standing) -> Value {
    serde_json::to_value(standing.to_value()).unwrap()
}

/// The workspace after a synchronisation, and what everybody has in it.
pub(super) fn synchronised(
    workspace: Workspace,
    directory: &Directory,
    mapping: &RoleMapping,
    slack: &ActiveInSlack,
) -> (Workspace, BTreeMap<String, Value>) {
    let workspace = workspace.with_installed(mapping.clone()).with_active_in_slack(slack);
    let preview = Preview::new(&workspace, directory, mapping);
    let after = preview.synchronise().unwrap().apply(|person| format!("u-{}", person.id)).unwrap();
    let standing = after.users().iter();
    let standing =
        standing.map(|user| (user.linked_to.clone().unwrap(), standing_of(&user.standing))).collect();
    (after, standing)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 96 }))]

    /// After each push the server has what a synchronisation makes of what there was before, also with another
    /// Slack from then on.
    #[test]
    fn server_and_preview_agree_after_each_push(
        mapping in mapping(),
        slack in slack(),
        pushes in prop::collection::vec(push(), 1..16),
        later in slack(),
        emails in emails(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut rehearsal = Rehearsal::new(mapping.clone(), slack.clone(), emails).await;
            let directory = rehearsal.directory();
            let (mut workspace, _) = synchronised(Workspace::default(), &directory, &mapping, &slack);
            let mut expected;
            for push in pushes {
                rehearsal.push(push).await;
                let directory = rehearsal.directory();
                (workspace, expected) = synchronised(workspace, &directory, &mapping, &slack);
                prop_assert_eq!(rehearsal.served().await, expected, "after {:?}", push);
                prop_assert!(Preview::new(&workspace, &directory, &mapping).is_empty());
            }
            let directory = rehearsal.directory();
            (workspace, expected) = synchronised(workspace, &directory, &mapping, &later);
            let store = rehearsal.server.store.clone().with_active_in_slack(later);
            store.synchronise(&TenantId::new("acme")).await.unwrap();
            prop_assert_eq!(rehearsal.served().await, expected);
            prop_assert!(Preview::new(&workspace, &directory, &mapping).is_empty());
            Ok(())
        })?;
    }

    /// The same groups in two orders end with the same, and with what the preview says of all at once.
    #[test]
    fn pushes_in_any_order_end_with_what_the_preview_says(
        mapping in mapping(),
        pushes in prop::collection::btree_set((0..GROUPS.len(), 0..PEOPLE), 1..12),
        keys in prop::collection::vec(any::<Index>(), 12),
        emails in emails(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let in_order: Vec<(usize, usize)> = pushes.into_iter().collect();
            let mut in_another = in_order.clone();
            for (place, key) in (1..in_another.len()).zip(&keys) {
                in_another.swap(place, key.index(place + 1));
            }
            for pushes in [in_order, in_another] {
                let nobody = ActiveInSlack::default();
                let mut rehearsal = Rehearsal::new(mapping.clone(), nobody.clone(), emails).await;
                for (group, person) in pushes {
                    rehearsal.push(Push::Member(group, person, true)).await;
                }
                let directory = rehearsal.directory();
                let (_, expected) = synchronised(Workspace::default(), &directory, &mapping, &nobody);
                prop_assert_eq!(rehearsal.served().await, expected);
            }
            Ok(())
        })?;
    }
}
