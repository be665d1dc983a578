//! What is probably not meant so, and is said.

use scim_profiles::incident_io::{
    BaseRole, Directory, Group, OnCallSeat, Person, Preview, Problem, Workspace,
};

use super::{mapping, row};

#[test]
pub(crate) fn what_is_probably_not_meant_so_is_said() {
    let people = [("1", "ann"), ("2", "Ann"), ("3", "bea")];
    let person = |(id, name): (&str, &str)| Person {
        id: id.into(),
        email: format!("{name}@example.com"),
        active: true,
    };
    let group = |name: &str, members: &[&str]| Group {
        name: name.into(),
        members: members.iter().map(|m| (*m).into()).collect(),
        ..Group::default()
    };
    let groups = vec![group("SRE", &["1"]), group("IT", &["9"]), group("SRE", &["3"])];
    let directory = Directory::new(people.into_iter().map(person).collect(), groups).unwrap();
    let (workspace, mapping) = (Workspace::default(), mapping());
    let preview = Preview::new(&workspace, &directory, &mapping);
    assert_eq!(
        preview.problems(),
        [
            Problem::NoSuchGroup("Incident Managers"),
            Problem::NoSuchGroup("Platform"),
            Problem::SameGroupName("SRE"),
            Problem::UnknownMembers("IT", "9", 0),
            Problem::SameEmail("1", "2"),
        ]
    );
    let on_call = preview.rows().iter().map(|row| row.to.seats.on_call).collect::<Vec<_>>();
    assert_eq!(on_call, [OnCallSeat::Managed, OnCallSeat::None, OnCallSeat::Managed]);
    assert_eq!(
        preview.problems()[4].to_string(),
        "the people `1` and `2` have the same e-mail address: each has a user of their own, of whom one can be \
         linked by it"
    );
}

/// Whom a group names by anything but the `id` gets nothing by it, and that is said; so it is of a group in a
/// group, whether it says that it is one or not. Who is not assigned is no mistake.
#[test]
fn members_who_are_nobody_are_named() {
    let text = r#"{
        "people": [
            {"id": "1", "userName": "ann@example.com"},
            {"id": "2", "userName": "bea@example.com", "active": false}
        ],
        "groups": [
            {"id": "g1", "displayName": "Platform", "members": [
                {"value": "zed@example.com"}, {"value": "ann@example.com"}, {"value": "2"}, {"value": "g2"}, {"value": "bea"}
            ]},
            {"id": "g2", "displayName": "Incident Managers", "members": [{"value": "nobody"}, {"value": "1"}]},
            {"id": "g3", "displayName": "SRE", "members": [{"value": "g1", "type": "Group"}, {"value": "g9", "type": "group"}]},
            {"id": "g4", "displayName": "IT", "members": [{"value": "x"}, {"value": "y"}]},
            {"id": "g5", "displayName": "Not mapped", "members": [{"value": "nobody"}, {"value": "g1"}]}
        ]
    }"#;
    let file: scim_core::Value = text.parse().unwrap();
    let listed =
        |name: &str| file.as_object().unwrap().get(name).and_then(scim_core::Value::as_array).unwrap();
    let people = listed("people").iter().map(|one| Person::from_scim(one.as_object().unwrap()).unwrap());
    let groups = listed("groups").iter().map(|one| Group::from_scim(one.as_object().unwrap()).unwrap());
    let directory = Directory::new(people.collect(), groups.collect()).unwrap();
    let (workspace, mapping) = (Workspace::default(), mapping());
    let preview = Preview::new(&workspace, &directory, &mapping);
    let told: Vec<_> = preview.problems().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "the member `x` of the group `IT` and 1 other are nobody's `id`: they get nothing by the group",
            "the member `nobody` of the group `Incident Managers` is nobody's `id`: it gets nothing by the group",
            "the member `ann@example.com` of the group `Platform` and 2 others are nobody's `id`: they get nothing \
             by the group",
            "the group `Platform` has the group `Incident Managers` as a member, whose own members get nothing by it",
            "the group `SRE` has the group `Platform` as a member, whose own members get nothing by it",
            "the group `SRE` has the group `g9` as a member, whose own members get nothing by it",
        ]
    );
    assert_eq!(row(&preview, "ann").base_role, BaseRole::Admin);
    assert_eq!(row(&preview, "ann").seats.on_call, OnCallSeat::None);
}
