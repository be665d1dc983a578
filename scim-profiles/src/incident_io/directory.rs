//! The identity provider's side: people and groups.

use std::collections::HashSet;
use std::fmt;

use scim_core::{Object, Value};

/// A person assigned to incident.io in the identity provider: a SCIM User.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The `id`, by which groups have members.
    pub id: String,
    /// The e-mail address; empty where there is none.
    pub email: String,
    /// Whether the person is assigned; one who is not is as good as not there.
    pub active: bool,
}

impl Person {
    /// The person that the SCIM User `user` is; `None` without `id`, or with an `active` that is neither true nor
    /// false.
    ///
    /// Which address counts has no source: here it is the primary one, else that for work, else the
    /// first, else the `userName`, if it has an `@`; one that is empty is none. Whoever is not said to be inactive is active; `active` may
    /// be a text, as Entra ID has it (`"False"`).
    ///
    /// ```
    /// use scim_core::Value;
    /// use scim_profiles::incident_io::Person;
    ///
    /// let user = Value::from(serde_json::json!({
    ///     "id": "7",
    ///     "userName": "ada",
    ///     "emails": [{"value": "ada@home.example"}, {"value": "ada@example.com", "type": "work"}],
    /// }));
    /// let person = user.as_object().and_then(Person::from_scim).expect("has an id");
    /// assert_eq!((person.email.as_str(), person.active), ("ada@example.com", true));
    /// ```
    pub fn from_scim(user: &Object) -> Option<Self> {
        let id = user.get("id").and_then(Value::as_str)?.to_owned();
        let email = email(user).unwrap_or_default().to_owned();
        let active = match user.get("active") {
            None | Some(Value::Null) => true,
            Some(Value::Bool(active)) => *active,
            Some(Value::String(text)) => text.to_ascii_lowercase().parse().ok()?,
            Some(_) => return None,
        };
        Some(Self { id, email, active })
    }
}

pub(super) fn email(user: &Object) -> Option<&str> {
    let emails = || user.get("emails").and_then(Value::as_array).unwrap_or_default().iter();
    let has = |name: &str, value: Value| {
        emails().filter_map(Value::as_object).find(|email| email.get(name) == Some(&value))
    };
    let first = || emails().find_map(Value::as_object);
    let chosen = has("primary", true.into()).or_else(|| has("type", "work".into())).or_else(first);
    let named = || user.get("userName").and_then(Value::as_str).filter(|name| name.contains('@'));
    let value = chosen.and_then(|email| email.get("value")).and_then(Value::as_str);
    value.filter(|value| !value.is_empty()).or_else(named)
}

/// A group of people: a SCIM Group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// The `id`, if it has one: by it a group is a member of another.
    pub id: Option<String>,
    /// The name, by which it is mapped.
    pub name: String,
    /// The ids of its members. Whoever is not among the people is passed over, and a
    /// [problem](super::Problem) of the preview.
    pub members: Vec<String>,
    /// The ids of members that say of themselves that they are groups. They give their members nothing.
    pub nested: Vec<String>,
}

impl Group {
    /// The group that the SCIM Group `group` is; `None` without `displayName`. A member is a person, unless
    /// its `type` is `Group`: a group among the members gives its own members nothing.
    pub fn from_scim(group: &Object) -> Option<Self> {
        let id = group.get("id").and_then(Value::as_str).map(str::to_owned);
        let name = group.get("displayName").and_then(Value::as_str)?.to_owned();
        let (mut members, mut nested) = (Vec::new(), Vec::new());
        let listed = group.get("members").and_then(Value::as_array).unwrap_or_default();
        for member in listed.iter().filter_map(Value::as_object) {
            let Some(value) = member.get("value").and_then(Value::as_str) else { continue };
            let kind = member.get("type").and_then(Value::as_str);
            let is_group = kind.is_some_and(|kind| kind.eq_ignore_ascii_case("Group"));
            if is_group { &mut nested } else { &mut members }.push(value.to_owned());
        }
        Some(Self { id, name, members, nested })
    }
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
