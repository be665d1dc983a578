//! Views of complex values: names, addresses, members and what else is shared.

use std::fmt;

use super::ViewError;
use super::view::{Field, view};
use crate::ResourceId;
use crate::value::Value;

view! {
    /// The parts of a user's name (RFC 7643 §4.1.1).
    Name "." {
        /// `formatted`: the whole name.
        formatted: Option<String> = "formatted",
        /// `familyName`
        family_name: Option<String> = "familyName",
        /// `givenName`
        given_name: Option<String> = "givenName",
        /// `middleName`
        middle_name: Option<String> = "middleName",
        /// `honorificPrefix`: `Ms.`
        honorific_prefix: Option<String> = "honorificPrefix",
        /// `honorificSuffix`: `III`
        honorific_suffix: Option<String> = "honorificSuffix",
    }
}

view! {
    /// One value of a multi-valued attribute with the usual sub-attributes (RFC 7643 §2.4): an
    /// e-mail address, a phone number, a photo, a role, an entitlement, a certificate.
    ///
    /// ```
    /// use scim_core::resource::MultiValued;
    /// let email = MultiValued::new("babs@example.com").of_type("work").primary();
    /// assert_eq!(email.kind.as_deref(), Some("work"));
    /// ```
    MultiValued "." {
        /// `value`
        value: Option<String> = "value",
        /// `display`
        display: Option<String> = "display",
        /// `type`: `work`, `home`
        kind: Option<String> = "type",
        /// `primary`
        primary: Option<bool> = "primary",
    }
}

impl MultiValued {
    /// A value without label.
    pub fn new(value: impl Into<String>) -> Self {
        Self { value: Some(value.into()), ..Self::default() }
    }

    /// The same value with a label.
    #[must_use]
    pub fn of_type(self, kind: impl Into<String>) -> Self {
        Self { kind: Some(kind.into()), ..self }
    }

    /// The same value, preferred.
    #[must_use]
    pub fn primary(self) -> Self {
        Self { primary: Some(true), ..self }
    }
}

view! {
    /// A postal address (RFC 7643 §4.1.2).
    Address "." {
        /// `formatted`: the whole address.
        formatted: Option<String> = "formatted",
        /// `streetAddress`
        street_address: Option<String> = "streetAddress",
        /// `locality`: the city.
        locality: Option<String> = "locality",
        /// `region`
        region: Option<String> = "region",
        /// `postalCode`
        postal_code: Option<String> = "postalCode",
        /// `country`
        country: Option<String> = "country",
        /// `type`: `work`, `home`
        kind: Option<String> = "type",
        /// `primary`
        primary: Option<bool> = "primary",
    }
}

view! {
    /// A member of a group (RFC 7643 §4.2).
    Member "." {
        /// `value`: the `id` of the member.
        value: Option<ResourceId> = "value",
        /// `$ref`: the URI of the member.
        reference: Option<String> = "$ref",
        /// `type`: `User` or `Group`
        kind: Option<String> = "type",
        /// `display`
        display: Option<String> = "display",
    }
}

impl Member {
    /// The member with that `id`.
    pub fn new(id: ResourceId) -> Self {
        Self { value: Some(id), ..Self::default() }
    }
}

view! {
    /// A group a user belongs to (RFC 7643 §4.1.2).
    GroupMembership "." {
        /// `value`: the `id` of the group.
        value: Option<ResourceId> = "value",
        /// `$ref`: the URI of the group.
        reference: Option<String> = "$ref",
        /// `display`: the name of the group.
        display: Option<String> = "display",
        /// `type`: `direct` or `indirect`
        kind: Option<String> = "type",
    }
}

view! {
    /// A user's manager (RFC 7643 §4.3).
    Manager "." {
        /// `value`: the `id` of the manager.
        value: Option<ResourceId> = "value",
        /// `$ref`: the URI of the manager.
        reference: Option<String> = "$ref",
        /// `displayName`
        display_name: Option<String> = "displayName",
    }
}

/// A password a client sets. Its `Debug` form does not show it.
///
/// ```
/// use scim_core::resource::Password;
/// let password = Password::new("correct horse");
/// assert_eq!(format!("{password:?}"), "[redacted]");
/// assert_eq!(password.expose(), "correct horse");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Box<str>);

impl Password {
    /// Takes `text` as it is.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text, for hashing.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Field for Option<Password> {
    fn read(value: Option<Value>, at: &dyn fmt::Display) -> Result<Self, ViewError> {
        Ok(Option::<String>::read(value, at)?.map(Password::new))
    }

    fn write(self) -> Option<Value> {
        self.map(|Password(text)| text.into())
    }
}
