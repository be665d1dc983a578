//! The identity provider's side: people and groups.

use std::collections::HashSet;
use std::fmt;

/// A person assigned to incident.io in the identity provider: a SCIM User.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The `id`, by which groups have members.
    pub id: String,
    /// The e-mail address.
    pub email: String,
    /// Whether the person is assigned; one who is not is as good as not there.
    pub active: bool,
}

/// A group of people: a SCIM Group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The name, by which it is mapped.
    pub name: String,
    /// The ids of its members. Whoever is not among the people is passed over.
    pub members: Vec<String>,
}

/// The people and groups that an identity provider provisions.
///
/// ```
/// use scim_profiles::incident_io::{Directory, Person};
/// let person = Person { id: "1".into(), email: "ada@example.com".into(), active: true };
/// let twice = Directory::new(vec![person.clone(), person], Vec::new());
/// assert_eq!(twice.unwrap_err().to_string(), "two people have the id `1`");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    // INVARIANT: with distinct ids.
    people: Vec<Person>,
    groups: Vec<Group>,
}

impl Directory {
    /// A directory of these people and groups.
    ///
    /// # Errors
    ///
    /// Two people have the same `id`.
    pub fn new(people: Vec<Person>, groups: Vec<Group>) -> Result<Self, DirectoryError> {
        let mut ids = HashSet::with_capacity(people.len());
        match people.iter().find(|person| !ids.insert(person.id.as_str())) {
            Some(twin) => Err(DirectoryError::SameId(twin.id.clone())),
            None => Ok(Self { people, groups }),
        }
    }

    /// The people.
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// The groups.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }
}

/// What is wrong with a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DirectoryError {
    /// Two people have this `id`.
    SameId(String),
}

impl fmt::Display for DirectoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameId(id) => write!(f, "two people have the id `{}`", id.escape_debug()),
        }
    }
}

impl std::error::Error for DirectoryError {}
