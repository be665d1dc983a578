//! Random resources, filters and changes: the same ones each time.

use serde_json::json;

use super::trial::{FIRST, resource};
use crate::patch::{Change, Delta, Write, element_key};
use crate::projection::Projection;
use crate::schema::ResourceSchema;
use crate::value::Value;
use crate::{Error, Resource};

/// A sequence of numbers that looks random and is not.
pub(super) struct Random(u64);

impl Random {
    /// The sequence that `seed` begins.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `bound`.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap_or_default() % bound.max(1)
    }

    /// True once in `times`.
    pub(super) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(super) fn pick<T: Copy + Default>(&mut self, of: &[T]) -> T {
        of.get(self.below(of.len())).copied().unwrap_or_default()
    }

    fn name(&mut self) -> &'static str {
        self.pick(&NAMES)
    }
}

/// Names that differ in case, in accents, and in characters that mean something to databases.
const NAMES: [&str; 9] = ["ann", "Bob", "BOB ", "çelik", "Çelik", "straße", "STRASSE", "o'hara", "%_"];
const DEPARTMENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A user; `unique` is what its userName ends in.
pub(super) fn user(random: &mut Random, id: usize, unique: usize) -> Resource {
    let mut user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": id.to_string(),
        "userName": format!("{}{unique}", random.name()),
        "active": random.once_in(2),
        "meta": {"resourceType": "User", "created": FIRST, "lastModified": FIRST, "version": "W/\"1\""},
    });
    let mut put = |name: &str, value: serde_json::Value| {
        if let Some(object) = user.as_object_mut() {
            object.insert(name.to_owned(), value);
        }
    };
    if random.once_in(2) {
        put("externalId", json!(random.pick(&["E1", "e1", "E2", "1"])));
    }
    if random.once_in(2) {
        put("displayName", json!(random.name()));
    }
    if random.once_in(2) {
        put("name", json!({"familyName": random.name(), "givenName": random.name()}));
    }
    if !random.once_in(3) {
        let mut email = || {
            let value = format!("{}@example.com", random.name());
            json!({"type": random.pick(&["work", "home"]), "value": value, "primary": random.once_in(3)})
        };
        put("emails", json!([email(), email()]));
    }
    if random.once_in(3) {
        put(
            DEPARTMENT,
            json!({"department": random.name(), "manager": {"value": random.below(9).to_string()}}),
        );
    }
    resource(user)
}

pub(super) fn group(random: &mut Random, id: usize) -> Resource {
    let mut group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "id": format!("g{id}"),
        "displayName": random.name(),
        "meta": {"resourceType": "Group", "created": FIRST, "lastModified": FIRST, "version": "W/\"1\""},
    });
    if !random.once_in(4) {
        let first = random.below(6);
        let members: Vec<_> =
            (first..=first + random.below(4)).map(|number| member(random, number)).collect();
        if let Some(object) = group.as_object_mut() {
            object.insert("members".to_owned(), json!(members));
        }
    }
    resource(group)
}

/// A member: nobody there is, or a user who may be there.
fn member(random: &mut Random, number: usize) -> serde_json::Value {
    match random.below(4) {
        0 => json!({"value": number.to_string()}),
        1 => json!({"value": format!("u{number}")}),
        2 => json!({"value": format!("u{number}"), "type": "User"}),
        _ => json!({"value": format!("u{number}"), "display": random.name()}),
    }
}

/// A filter over what [`user`] and [`group`] make.
pub(super) fn filter(random: &mut Random, kind: &str, depth: usize) -> String {
    if depth > 0 {
        let mut inner = || filter(random, kind, depth - 1);
        let (first, second) = (inner(), inner());
        match random.below(6) {
            0 => return format!("({first}) and ({second})"),
            1 => return format!("({first}) or ({second})"),
            2 => return format!("not ({first})"),
            3 => return format!("{first} and {second}"),
            _ => {}
        }
    }
    let name = random.name();
    let op = random.pick(&["eq", "eq", "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]);
    if kind == "User" {
        match random.below(17) {
            0 => format!("userName eq \"{name}{}\"", random.below(60)),
            1 => format!("userName {op} \"{name}\""),
            2 => format!("externalId {op} \"{}\"", random.pick(&["E1", "e1", "1"])),
            3 => format!("displayName {op} \"{name}\""),
            4 => format!("emails.value {op} \"{name}@EXAMPLE.com\""),
            5 => {
                let kind = random.pick(&["work", "home"]);
                format!("emails[type eq \"{kind}\" and value {op} \"{name}@example.com\"]")
            }
            6 => format!("active eq {}", random.once_in(2)),
            7 => format!("id {op} \"{}\"", random.below(60)),
            8 => format!("name.familyName {op} \"{name}\""),
            9 => format!("{DEPARTMENT}:department {op} \"{name}\""),
            10 => {
                let op = random.pick(&["eq", "gt", "le"]);
                format!("meta.lastModified {op} \"2026-01-01T01:00:00+0{}:00\"", random.below(3))
            }
            11 => format!("{DEPARTMENT}:manager.value {op} \"{}\"", random.below(9)),
            12 => format!("emails[primary eq {}]", random.once_in(2)),
            13 => format!("emails[not (type eq \"work\") and value {op} \"{name}@example.com\"]"),
            14 => format!("emails.type {op} \"WORK\""),
            15 => format!("name.familyName pr and not (name.givenName {op} \"{name}\")"),
            _ => format!("{} pr", random.pick(&["displayName", "emails", "externalId", "name", "title"])),
        }
    } else {
        let member = format!("{}{}", random.pick(&["u", "", "U"]), random.below(10));
        match random.below(12) {
            0 => format!("displayName {op} \"{name}\""),
            1 => format!("members.value {op} \"{member}\""),
            2 => format!("members eq \"{member}\""),
            3 => format!("members[value eq \"{member}\"]"),
            4 => format!("members[value eq \"{member}\" and display co \"e\"]"),
            5 => format!("members.display {op} \"{name}\""),
            6 => format!("id {op} \"g{}\"", random.below(30)),
            7 => format!("members.type {op} \"user\""),
            8 => format!("members[type eq \"User\" and not (value {op} \"{member}\")]"),
            9 => format!("members[display pr or value eq \"{member}\"]"),
            10 => "members.display pr".to_owned(),
            _ => "members pr".to_owned(),
        }
    }
}

pub(super) fn projection(random: &mut Random, schema: &ResourceSchema) -> Result<Projection, Error> {
    match random.below(5) {
        0 => Projection::parse(schema, None, Some("members,emails")),
        1 => Projection::parse(schema, Some("displayName,members.value"), None),
        2 => Projection::parse(schema, Some("userName"), None),
        3 => Ok(Projection::without("members")),
        _ => Ok(Projection::default()),
    }
}

/// A change of a resource of that kind; of a user now and then to a userName another may have.
pub(super) fn change(random: &mut Random, kind: &str) -> Change {
    let mut change = Change::default();
    if random.once_in(2) {
        let text = random.name();
        change.writes.push(write("displayName", (!random.once_in(4)).then(|| text.into())));
    }
    if random.once_in(3) {
        change.writes.push(write("externalId", Some(random.pick(&["E1", "e1", "1"]).into())));
    }
    if kind == "User" && random.once_in(3) {
        let name = format!("{}{}", random.name(), random.below(12));
        change.writes.push(write("userName", Some(name.into())));
    }
    if kind == "User" && random.once_in(3) {
        let value = (!random.once_in(3)).then(|| random.name().into());
        let extension = Some(DEPARTMENT.into());
        change.writes.push(Write { extension, attribute: "department".into(), value });
    }
    if kind == "Group" && !random.once_in(3) {
        change.deltas.push(delta(random));
    }
    change
}

/// A change of members; of those removed and those added, at most one is the same, which takes the place of
/// itself.
pub(super) fn delta(random: &mut Random) -> Delta {
    let added = random.below(6)..random.below(8);
    let mut delta = Delta {
        attribute: "members".into(),
        replace: random.once_in(4),
        removed: (0..random.below(3)).map(|_| format!("u{}", 8 + random.below(2)).into()).collect(),
        added: added.map(|number| Value::from(member(random, number))).collect(),
        ..Delta::default()
    };
    if let Some(first) = delta.added.first().and_then(element_key).filter(|_| !delta.replace)
        && random.once_in(2)
    {
        delta.removed.push(first.into());
    }
    delta
}

/// A new value of an attribute of the base schema.
pub(super) fn write(attribute: &str, value: Option<Value>) -> Write {
    Write { extension: None, attribute: attribute.into(), value }
}
