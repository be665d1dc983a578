//! People and groups out of SCIM resources.
#![expect(clippy::unwrap_used, reason = "a test")]

use scim_core::Value;
use scim_profiles::incident_io::{BaseRole, Group, OnCallSeat, Person, Seats};
use serde_json::json;

fn person(user: serde_json::Value) -> Option<(String, bool)> {
    let person = Person::from_scim(Value::from(user).as_object().unwrap())?;
    assert_eq!(person.id, "1");
    Some((person.email, person.active))
}

#[test]
fn the_address_that_counts_is_the_primary_one_or_that_for_work_or_the_first_or_the_name() {
    let home = json!({"value": "home@example.com", "type": "home"});
    let work = json!({"value": "work@example.com", "type": "work"});
    let primary = json!({"value": "primary@example.com", "primary": true});
    let second = json!({"value": "second@example.com", "primary": false});
    let found = |emails: serde_json::Value| {
        person(json!({"id": "1", "userName": "name@example.com", "emails": emails})).unwrap().0
    };
    assert_eq!(found(json!([home, work, primary])), "primary@example.com");
    assert_eq!(found(json!([home, second, work])), "work@example.com");
    assert_eq!(found(json!([home, second])), "home@example.com");
    assert_eq!(found(json!([])), "name@example.com");
    // An entry without value is none.
    assert_eq!(found(json!([{"type": "work"}])), "name@example.com");
    assert_eq!(found(json!([{"value": ""}])), "name@example.com");
    // Without an address they are a person all the same.
    assert_eq!(person(json!({"id": "1", "userName": "ann"})), Some((String::new(), true)));
    assert_eq!(person(json!({"userName": "ann@example.com"})), None);
}

#[test]
fn whoever_is_not_said_to_be_inactive_is_active() {
    let active = |active: serde_json::Value| {
        person(json!({"id": "1", "userName": "ann@example.com", "active": active})).unwrap().1
    };
    assert!(active(json!(true)) && active(json!(null)) && !active(json!(false)));
    // As Entra ID writes it.
    assert!(active(json!("True")) && !active(json!("False")) && !active(json!("false")));
    for wrong in [json!("no"), json!(0), json!([])] {
        assert_eq!(person(json!({"id": "1", "userName": "ann@example.com", "active": wrong})), None);
    }
}

#[test]
fn a_group_has_a_name_and_the_ids_of_members() {
    let group = |group: serde_json::Value| Group::from_scim(Value::from(group).as_object().unwrap());
    let members = json!([{"value": "2"}, {"display": "nobody"}, {"value": "1", "type": "User"}]);
    let found = group(json!({"displayName": "IT", "members": members})).unwrap();
    assert_eq!((found.name.as_str(), found.members), ("IT", vec!["2".to_owned(), "1".to_owned()]));
    assert_eq!(group(json!({"displayName": "IT"})).unwrap().members, [""; 0]);
    assert_eq!(group(json!({"members": []})), None);
}

#[test]
fn the_words_for_roles_and_seats() {
    let seats = |response, on_call| Seats { response, on_call, ..Seats::default() }.to_string();
    assert_eq!(seats(false, OnCallSeat::None), "viewer");
    assert_eq!(seats(true, OnCallSeat::None), "responder");
    assert_eq!(seats(false, OnCallSeat::Managed), "on-call");
    assert_eq!(seats(true, OnCallSeat::Held), "responder + on-call");
    for role in BaseRole::ALL {
        assert_eq!(role.to_string().to_uppercase().parse(), Ok(role));
    }
    let long = "x".repeat(1000).parse::<BaseRole>().unwrap_err().to_string();
    assert!(long.len() < 150, "{long}");
}
