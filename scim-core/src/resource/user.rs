//! The views of users.

use super::view::{View, view};
use super::{Address, GroupMembership, Manager, Meta, MultiValued, Name, Password, Resource, ViewError};
use crate::schema::builtin;
use crate::{ExternalId, ResourceId};

view! {
    /// A user (RFC 7643 §4.1), with the enterprise extension (§4.3).
    ///
    /// A view of a [`Resource`]: made of one by `TryFrom`, and made one again by `From`, without
    /// loss. Attributes the view does not know, extensions included, are in `other`. Unassigned
    /// values (`null`, `[]`) are left out, which RFC 7643 §2.5 calls equivalent.
    ///
    /// ```
    /// use scim_core::Resource;
    /// use scim_core::resource::{MultiValued, User};
    ///
    /// let mut user = User::new("bjensen");
    /// user.emails.push(MultiValued::new("bjensen@example.com").of_type("work"));
    /// let resource = Resource::from(user.clone());
    /// assert_eq!(
    ///     resource.0.to_string(),
    ///     concat!(
    ///         r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"bjensen","#,
    ///         r#""emails":[{"value":"bjensen@example.com","type":"work"}]}"#,
    ///     ),
    /// );
    /// assert_eq!(User::try_from(resource)?, user);
    /// # Ok::<(), scim_core::resource::ViewError>(())
    /// ```
    User "." {
        /// `schemas`
        schemas: Vec<String> = "schemas",
        /// `id`
        id: Option<ResourceId> = "id",
        /// `externalId`
        external_id: Option<ExternalId> = "externalId",
        /// `userName`
        user_name: String = "userName",
        /// `name`
        name: Option<Name> = "name",
        /// `displayName`
        display_name: Option<String> = "displayName",
        /// `nickName`
        nick_name: Option<String> = "nickName",
        /// `profileUrl`
        profile_url: Option<String> = "profileUrl",
        /// `title`
        title: Option<String> = "title",
        /// `userType`
        user_type: Option<String> = "userType",
        /// `preferredLanguage`
        preferred_language: Option<String> = "preferredLanguage",
        /// `locale`
        locale: Option<String> = "locale",
        /// `timezone`
        timezone: Option<String> = "timezone",
        /// `active`
        active: Option<bool> = "active",
        /// `password`
        password: Option<Password> = "password",
        /// `emails`
        emails: Vec<MultiValued> = "emails",
        /// `phoneNumbers`
        phone_numbers: Vec<MultiValued> = "phoneNumbers",
        /// `ims`
        ims: Vec<MultiValued> = "ims",
        /// `photos`
        photos: Vec<MultiValued> = "photos",
        /// `addresses`
        addresses: Vec<Address> = "addresses",
        /// `groups`
        groups: Vec<GroupMembership> = "groups",
        /// `entitlements`
        entitlements: Vec<MultiValued> = "entitlements",
        /// `roles`
        roles: Vec<MultiValued> = "roles",
        /// `x509Certificates`
        x509_certificates: Vec<MultiValued> = "x509Certificates",
        /// The enterprise extension.
        enterprise: Option<EnterpriseUser> = builtin::ENTERPRISE_USER,
        /// `meta`
        meta: Option<Meta> = "meta",
    }
}

view! {
    /// What an enterprise knows about a user beyond the account (RFC 7643 §4.3).
    EnterpriseUser ":" {
        /// `employeeNumber`
        employee_number: Option<String> = "employeeNumber",
        /// `costCenter`
        cost_center: Option<String> = "costCenter",
        /// `organization`
        organization: Option<String> = "organization",
        /// `division`
        division: Option<String> = "division",
        /// `department`
        department: Option<String> = "department",
        /// `manager`
        manager: Option<Manager> = "manager",
    }
}

impl User {
    /// A user of that name.
    pub fn new(user_name: impl Into<String>) -> Self {
        Self { schemas: vec![builtin::USER.to_owned()], user_name: user_name.into(), ..Self::default() }
    }

    /// The preferred e-mail address, or else the first.
    pub fn primary_email(&self) -> Option<&str> {
        let primary = self.emails.iter().find(|email| email.primary == Some(true));
        primary.or_else(|| self.emails.first())?.value.as_deref()
    }
}

impl TryFrom<Resource> for User {
    type Error = ViewError;

    /// # Errors
    ///
    /// A `userName` that is missing, or a value of another type than RFC 7643 gives its attribute.
    fn try_from(resource: Resource) -> Result<Self, ViewError> {
        Self::from_object(resource.0, &"")
    }
}

/// `schemas` lists the enterprise extension if the user has it.
impl From<User> for Resource {
    fn from(mut user: User) -> Self {
        let listed = |uri: &String| uri.eq_ignore_ascii_case(builtin::ENTERPRISE_USER);
        if user.enterprise.is_some() && !user.schemas.iter().any(listed) {
            user.schemas.push(builtin::ENTERPRISE_USER.to_owned());
        }
        Self(user.into_object())
    }
}
