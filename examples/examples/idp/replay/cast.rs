//! Who is provisioned: people and teams, and where they stand.

use serde_json::{Value, json};

use super::client::Answer;
use super::session::Halt;

/// `schemas` of a user (RFC 7643 §4.1).
pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// `schemas` of the enterprise extension (RFC 7643 §4.3).
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// `schemas` of a group (RFC 7643 §4.2).
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

const GIVEN: [&str; 8] = ["Alex", "Blair", "Casey", "Devon", "Emery", "Frankie", "Glenn", "Harper"];
const FAMILY: [&str; 7] = ["Doe", "O'Neil", "Müller", "Ng", "García", "Smith-Jones", "Łukasik"];

/// A user of the identity provider's directory.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    /// The server's id, once known.
    id: Option<String>,
    /// `name.givenName`
    pub(crate) given: String,
    /// `name.familyName`
    pub(crate) family: String,
    /// The sign-in name, an e-mail address.
    pub(crate) user_name: String,
    /// The identity provider's own id.
    pub(crate) external_id: String,
}

/// A group of the identity provider's directory.
#[derive(Clone, Debug)]
pub(crate) struct Team {
    id: Option<String>,
    /// `displayName`
    pub(crate) name: String,
    /// The identity provider's own id.
    pub(crate) external_id: String,
    /// Who belongs to it, by position among the people.
    pub(crate) members: Vec<usize>,
}

/// Everybody.
#[derive(Clone, Debug)]
pub(crate) struct Cast {
    /// The users.
    pub(crate) people: Vec<Person>,
    /// The groups.
    pub(crate) teams: Vec<Team>,
}

/// Somebody leaves a team, somebody joins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Move {
    /// Who leaves.
    pub(crate) leaves: Option<usize>,
    /// Who joins.
    pub(crate) joins: Option<usize>,
}

impl Cast {
    /// So many people and teams; `seed` keeps one run's names apart from another's, `external_id` makes ids
    /// of the identity provider's kind.
    pub(crate) fn new(users: usize, groups: usize, seed: u32, external_id: fn(u32, usize) -> String) -> Self {
        let people = (0..users).map(|n| Person {
            id: None,
            given: pick(&GIVEN, n).to_owned(),
            family: pick(&FAMILY, n).to_owned(),
            user_name: format!("{}.{seed:08x}.{n}@example.com", pick(&GIVEN, n).to_ascii_lowercase()),
            external_id: external_id(seed, n),
        });
        let teams = (0..groups).map(|n| Team {
            id: None,
            name: format!("Team {n} ({seed:08x})"),
            external_id: external_id(seed, users + n),
            members: (n..users).step_by(groups).collect(),
        });
        Self { people: people.collect(), teams: teams.collect() }
    }
}

impl Person {
    /// `displayName`
    pub(crate) fn display_name(&self) -> String {
        format!("{} {}", self.given, self.family)
    }

    /// The server's id.
    ///
    /// # Errors
    ///
    /// There is none: this life ended at an earlier step.
    pub(crate) fn id(&self) -> Result<&str, Halt> {
        self.id.as_deref().ok_or(Halt::CutShort)
    }

    /// `/Users/{id}`
    ///
    /// # Errors
    ///
    /// As [`Person::id`].
    pub(crate) fn path(&self) -> Result<String, Halt> {
        Ok(format!("/Users/{}", self.id()?))
    }

    /// Takes the id from the answer to the creation.
    ///
    /// # Errors
    ///
    /// There is none.
    pub(crate) fn learn(&mut self, created: &Answer) -> Result<(), Halt> {
        self.id = created.id().map(str::to_owned);
        self.id().map(drop)
    }

    /// As another sign-in name would be, after a marriage, say.
    pub(crate) fn marry(&mut self) {
        self.user_name.insert_str(0, "m.");
        self.family.push_str("-Roe");
    }
}

impl Team {
    /// The server's id.
    ///
    /// # Errors
    ///
    /// There is none: this life ended at an earlier step.
    pub(crate) fn id(&self) -> Result<&str, Halt> {
        self.id.as_deref().ok_or(Halt::CutShort)
    }

    /// `/Groups/{id}`
    ///
    /// # Errors
    ///
    /// As [`Team::id`].
    pub(crate) fn path(&self) -> Result<String, Halt> {
        Ok(format!("/Groups/{}", self.id()?))
    }

    /// Takes the id from the answer to the creation.
    ///
    /// # Errors
    ///
    /// There is none.
    pub(crate) fn learn(&mut self, created: &Answer) -> Result<(), Halt> {
        self.id = created.id().map(str::to_owned);
        self.id().map(drop)
    }

    /// The ids of its members; those who were never created are not among them.
    pub(crate) fn member_ids(&self, people: &[Person]) -> Vec<String> {
        self.present(people).filter_map(|person| person.id.clone()).collect()
    }

    /// Its members as `members` elements, each with what `element` adds to `value`.
    pub(crate) fn member_values(&self, people: &[Person], element: fn(&Person) -> Value) -> Vec<Value> {
        self.present(people).map(element).collect()
    }

    /// The first member leaves, the first outsider joins; `None` where there is nobody.
    pub(crate) fn shuffle(&mut self, people: &[Person]) -> Option<Move> {
        let here = |n: &usize| people.get(*n).is_some_and(|person| person.id.is_some());
        let joins = (0..people.len()).filter(here).find(|n| !self.members.contains(n));
        let leaves = self.members.iter().copied().find(here);
        self.members.retain(|n| Some(*n) != leaves);
        self.members.extend(joins);
        (leaves.is_some() || joins.is_some()).then_some(Move { leaves, joins })
    }

    fn present<'a>(&'a self, people: &'a [Person]) -> impl Iterator<Item = &'a Person> {
        self.members.iter().filter_map(|n| people.get(*n)).filter(|person| person.id.is_some())
    }
}

/// A `members` element with the id alone.
pub(crate) fn bare_member(person: &Person) -> Value {
    json!({"value": person.id().ok()})
}

fn pick(names: &[&'static str], n: usize) -> &'static str {
    names.get(n % names.len()).copied().unwrap_or_default()
}

/// A PATCH body (RFC 7644 §3.5.2).
pub(crate) fn patch_op(operations: Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
}
