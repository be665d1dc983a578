//! Deviations from the RFCs that real identity providers need, each with a name.
//!
//! A leniency is asked for where the deviation would be refused, and reported when it fires, so
//! that a log can say which client needs what. [`Leniencies::strict`] refuses all of them; the
//! error names the leniency that would have helped.

use std::fmt;
use std::str::FromStr;

/// Declares the enum, [`Leniency::ALL`] and the names from one list, so that none can be left out.
macro_rules! leniencies {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A deviation that is tolerated and reported when it fires.
        ///
        /// Its text form is a stable name: `op-case`, `boolean-string`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Leniency {
            $($(#[$doc])* $variant,)*
        }

        impl Leniency {
            /// Every leniency.
            pub const ALL: &[Leniency] = &[$(Leniency::$variant,)*];

            /// The stable name, as in logs and settings.
            pub fn name(self) -> &'static str {
                match self {
                    $(Leniency::$variant => $name,)*
                }
            }
        }
    };
}

leniencies! {
    /// PATCH: `Add`, `Replace`, `Remove` as operation names. Entra ID without the
    /// `aadOptscim062020` flag (Microsoft, "Known issues … SCIM 2.0 protocol compliance").
    OpCase = "op-case",
    /// `"True"`, `"true"`, `"False"`, `"false"` for Booleans, in values and in filters
    /// (`roles[primary eq "True"]`). Entra ID (same page); OneLogin's templates; the Microsoft
    /// SCIM Validator.
    BooleanString = "boolean-string",
    /// A message or resource without `schemas`, or without the URI it must list. Clients with
    /// admin-written templates, such as OneLogin's.
    MissingSchemas = "missing-schemas",
    /// A `schemas` URI the service does not know. Entra ID's group creation lists
    /// `http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group`; OneLogin
    /// templates list `urn:scim:schemas:core:2.0`.
    UnknownSchema = "unknown-schema",
    /// Attributes that no schema of the resource type defines are ignored. Entra ID creates users
    /// with `department` outside the extension and a misspelt URN (Microsoft, "Develop a SCIM
    /// endpoint", example 2); its members carry a `displayName` (AzureAD/SCIMReferenceCode).
    UnknownAttribute = "unknown-attribute",
    /// PATCH: an operation whose `path` points at an attribute or a sub-attribute that no schema of the
    /// resource type defines is ignored, whatever else is in the path: `roles[primary eq "True"].display`,
    /// a target of Entra ID's SingleAppRoleAssignment, where roles have no `display`. PagerDuty, which ignores what its User does not have (PagerDuty SCIM API
    /// reference), and is sent `name.givenName` by JumpCloud. Not among [`Leniencies::tolerant`]: a
    /// service of one's own says so when a mapping has a path it will never store.
    UnknownPath = "unknown-path",
    /// PATCH: a `path` that is `null` or empty counts as absent. Datadog's API examples.
    NullPath = "null-path",
    /// PATCH: the `path` `"None"` counts as absent. Datadog's API reference prints it so.
    NonePath = "none-path",
    /// PATCH without `path`: member names of `value` that are paths, such as `name.givenName`,
    /// `emails[type eq "work"].value`, `urn:…:User:manager`. Entra ID with the
    /// `aadOptscim062020` flag (Microsoft, "Known issues …"; SCIM-SDK issue 193).
    PathKey = "path-key",
    /// An extension's attribute named without the extension's URI, when the base schema has none
    /// of that name: `manager`, in a PATCH or a filter. Entra ID (Microsoft, "Develop a SCIM
    /// endpoint", example 5, and its query on `id` and `manager`).
    BareExtensionAttribute = "bare-extension-attribute",
    /// PATCH: `remove` with a `value` removes the values listed there and no other. Entra ID
    /// (Microsoft, "Known issues …"), JumpCloud; as an object `{"members":[…]}` Ping (UnboundID
    /// SDK 4.1) and Salesforce (scimitar).
    RemoveWithValue = "remove-with-value",
    /// PATCH: `emails[type eq "work"].value` makes the element where none matches, from the `eq`
    /// terms of the filter. Entra ID (SCIM-SDK issue 416); Ping (UnboundID SDK 4). Not where the filter says which
    /// `value` is meant, nor of members: `members[value eq "2819c223"].display` makes nobody a member, and
    /// `roles[value eq "admin"].display` gives no role, but are refused as RFC 7644 §3.5.2.3 has it (`noTarget`).
    CreateMissingElement = "create-missing-element",
    /// A complex value written as a string that holds a JSON document:
    /// `{"value":"{\"value\":\"Admin\",\"displayName\":\"Admin\"}"}`. Entra ID's `roles` with
    /// `AppRoleAssignmentsComplex` (Microsoft, "Customize user provisioning attribute-mappings"). Also a string
    /// that holds an array of them.
    JsonStringValue = "json-string-value",
    /// A string where a complex value is expected counts as its `value`. Entra ID's `manager`
    /// (SCIM-SDK, Azure patch rebuilder). Not one that begins with `{` or `[`: that is a JSON document which was cut
    /// off, or is not one of the attribute, and what it holds is not to be shown as a `value`.
    PlainStringForComplex = "plain-string-for-complex",
    /// An array of one value where a single value is expected. Entra ID's `manager` (Microsoft,
    /// "Develop a SCIM endpoint", example 5).
    ArrayForSingle = "array-for-single",
    /// A single value where an array is expected. OneLogin templates (15five/django-scim2).
    SingleForArray = "single-for-array",
    /// An empty string, or an object whose `value` is an empty string, for a complex attribute
    /// means no value. Entra ID removes a `manager` so (pranems/SCIMServer captures).
    EmptyValue = "empty-value",
    /// Several `primary` values of one attribute in one write: the newest stays primary. Clients
    /// that mark the value they add and leave the former one marked (sourcegraph issue 49210,
    /// scim2-models issue 116).
    ManyPrimaries = "many-primaries",
    /// A text that is no URI in an attribute of type `reference` (RFC 7643 §2.3.7), which is kept as it was sent: of what
    /// is `external` or a `uri` also one without a scheme, such as `www.example.com/babs`, and of any an empty string.
    /// The Microsoft SCIM Validator creates users with a `profileUrl` of random letters (`PSEDIKWEYFMO`). A `$ref` that
    /// the service writes in its place, as that beside the `value` of a member or a `manager`, is passed over, and may
    /// be anything.
    ReferenceSyntax = "reference-syntax",
    /// PATCH without `path`: readOnly attributes in `value` are ignored, as RFC 7644 §3.5.1 has it
    /// for PUT. Okta renames a group with its `id` beside `displayName` (Okta, SCIM 2.0 reference).
    /// An `id` that is not the resource's own is refused all the same.
    ReadOnlyValue = "read-only-value",
    /// Filters: `emails[type eq "work"].value eq "x"` for
    /// `emails[type eq "work" and value eq "x"]`. Entra ID's look-up by e-mail (Microsoft,
    /// "Develop a SCIM endpoint").
    ValuePathComparison = "value-path-comparison",
}

/// Which leniencies are on.
///
/// ```
/// use scim_core::leniency::{Leniencies, Leniency};
/// let all_but_one = Leniencies::tolerant().without(Leniency::NonePath);
/// assert!(all_but_one.allows(Leniency::OpCase));
/// assert!(!all_but_one.allows(Leniency::NonePath));
/// assert_eq!(Leniency::OpCase.to_string(), "op-case");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Leniencies {
    // One bit for each variant, by its discriminant.
    on: u64,
}

const _: () = assert!(Leniency::ALL.len() <= 64);

impl Leniencies {
    /// None: RFC 7644 to the letter.
    pub fn strict() -> Self {
        Self { on: 0 }
    }

    /// All of them but [`Leniency::UnknownPath`], which is the service's default.
    pub fn tolerant() -> Self {
        let all = Leniency::ALL.iter().fold(Self::strict(), |set, leniency| set.with(*leniency));
        all.without(Leniency::UnknownPath)
    }

    /// These, and `leniency`.
    #[must_use]
    pub fn with(mut self, leniency: Leniency) -> Self {
        self.on |= bit(leniency);
        self
    }

    /// These, but not `leniency`.
    #[must_use]
    pub fn without(mut self, leniency: Leniency) -> Self {
        self.on &= !bit(leniency);
        self
    }

    /// Whether `leniency` is on.
    pub fn allows(&self, leniency: Leniency) -> bool {
        self.on & bit(leniency) != 0
    }

    /// Whether `leniency` is on; if so it is noted in `fired`, once.
    pub fn take(&self, leniency: Leniency, fired: &mut Vec<Leniency>) -> bool {
        let allowed = self.allows(leniency);
        if allowed && !fired.contains(&leniency) {
            fired.push(leniency);
        }
        allowed
    }

    /// Those that are on.
    pub fn iter(&self) -> impl Iterator<Item = Leniency> {
        Leniency::ALL.iter().copied().filter(|leniency| self.allows(*leniency))
    }
}

impl Default for Leniencies {
    fn default() -> Self {
        Self::tolerant()
    }
}

impl fmt::Debug for Leniencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Leniency::name)).finish()
    }
}

impl fmt::Display for Leniency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no leniency.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no leniency")]
pub struct UnknownLeniency(String);

impl FromStr for Leniency {
    type Err = UnknownLeniency;

    fn from_str(text: &str) -> Result<Self, UnknownLeniency> {
        Self::ALL
            .iter()
            .copied()
            .find(|leniency| leniency.name() == text)
            .ok_or_else(|| UnknownLeniency(text.to_owned()))
    }
}

fn bit(leniency: Leniency) -> u64 {
    1 << leniency as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_as_its_leniency() {
        for leniency in Leniency::ALL {
            assert_eq!(leniency.to_string().parse(), Ok(*leniency));
        }
        let error = "op_case".parse::<Leniency>().unwrap_err();
        assert_eq!(error.to_string(), "`op_case` names no leniency");
    }

    #[test]
    fn tolerant_has_all_but_one_and_strict_none() {
        let missing = Leniency::ALL.iter().filter(|l| !Leniencies::tolerant().allows(**l));
        assert_eq!(missing.collect::<Vec<_>>(), [&Leniency::UnknownPath]);
        assert_eq!(Leniencies::strict().iter().count(), 0);
        let one = Leniencies::strict().with(Leniency::PathKey);
        assert_eq!(one.iter().collect::<Vec<_>>(), [Leniency::PathKey]);
        assert_eq!(one.without(Leniency::PathKey), Leniencies::strict());
    }

    #[test]
    fn taking_notes_a_leniency_once() {
        let mut fired = Vec::new();
        assert!(Leniencies::tolerant().take(Leniency::OpCase, &mut fired));
        assert!(Leniencies::tolerant().take(Leniency::OpCase, &mut fired));
        assert!(!Leniencies::strict().take(Leniency::NonePath, &mut fired));
        assert_eq!(fired, [Leniency::OpCase]);
    }
}
