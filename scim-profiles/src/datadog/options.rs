//! What an organisation at Datadog can have one way or the other.

use http::StatusCode;
use url::Url;

/// What differs from one organisation to another, or is left open by Datadog's documents.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DatadogOptions {
    /// Whether groups are served, as teams that the identity provider manages: off, since it is
    /// "available for select organizations" that request it. Without it there is no `/Groups`.
    pub teams: bool,
    /// How a group finds a team that is there already: by its exact name.
    pub team_match: TeamMatch,
    /// How the handle of a team is made of its name: with a `-` for each character that is neither letter nor digit.
    ///
    /// That it is derived from the name is documented, and how, in no document. With other handles after a
    /// restart, [`synchronise`](super::TeamStore::synchronise) gives them to the teams there are.
    pub handles: Handles,
    /// The status for a userName or the name of a group that is taken: 400 unless set to 409.
    ///
    /// Datadog declares 409 for PUT of a group alone, and that has it in any case. Okta's reference and
    /// Microsoft's SCIM Validator ask for 409 of POST; both live with a 400, as a refused creation.
    pub duplicate_status: StatusCode,
    /// What becomes of a user who is deactivated: kept, so that they can be activated again.
    pub deactivation: Deactivation,
    /// What becomes of an e-mail address that is not of type `work`: its user is refused.
    ///
    /// The reference allows the type `work` alone, and does not say what comes of another. An identity provider
    /// that sends one learns of it so; where it cannot be kept from it, the address can be dropped instead.
    pub other_emails: OtherEmails,
    /// What becomes of the roles in a PUT without `roles`: they stay.
    ///
    /// The guide for Okta does not map them unless an administrator does, and says nothing of what is then
    /// sent without. Nobody loses a role that nobody spoke of.
    pub roles_unsaid: RolesUnsaid,
    /// What becomes of the roles in a PUT with `roles` that are `null` or an empty array: the default role takes
    /// their place.
    ///
    /// "Assigning" either makes the attribute unassigned (RFC 7643 §2.5), so that somebody did speak of roles here, as a
    /// PATCH does that replaces them by nothing. What Datadog makes of it has no source. Where an identity provider
    /// sends empty arrays for whatever it does not map, they can stay instead.
    pub roles_emptied: RolesEmptied,
    /// The URL that `meta.location` begins with: the base URL, by default.
    ///
    /// Datadog's examples have `https://app.datadoghq.com/api/scim/v2` there, while every request goes to
    /// `/api/v2/scim`. A location from which nothing can be fetched is no use to anyone (RFC 7644 §3.3
    /// has it as the resource's URI), so that the examples' form is for rehearsals of what reads it.
    pub locations: Option<Url>,
}

impl Default for DatadogOptions {
    fn default() -> Self {
        Self {
            teams: false,
            team_match: TeamMatch::default(),
            handles: Handles::default(),
            duplicate_status: StatusCode::BAD_REQUEST,
            deactivation: Deactivation::default(),
            other_emails: OtherEmails::default(),
            roles_unsaid: RolesUnsaid::default(),
            roles_emptied: RolesEmptied::default(),
            locations: None,
        }
    }
}

/// How a new group finds a team that is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TeamMatch {
    /// "The two names must match exactly": the guide for Okta until 2025. The same name has the same
    /// handle, so that what is matched so is matched by the newest edition too.
    #[default]
    Name,
    /// The handle derived from the group's name must be the team's: the newest edition of that guide. The
    /// team then takes the group's name.
    Handle,
}

/// How the handle of a team is made of its name, always in lower case.
///
/// ```
/// use scim_profiles::datadog::Handles;
/// assert_eq!(Handles::Each.of("Platform Leads (EU)"), "platform-leads--eu-");
/// assert_eq!(Handles::Runs.of("Platform Leads (EU)"), "platform-leads-eu");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Handles {
    /// With a `-` for each character that is neither letter nor digit.
    #[default]
    Each,
    /// With one `-` for those that follow one another, and none at the beginning and the end.
    Runs,
}

impl Handles {
    /// The handle of the team of this name.
    pub fn of(self, name: &str) -> String {
        let plain = |c: char| if c.is_alphanumeric() { c } else { '-' };
        let each: String = name.chars().map(plain).flat_map(char::to_lowercase).collect();
        match self {
            Self::Each => each,
            Self::Runs => {
                let words: Vec<_> = each.split('-').filter(|word| !word.is_empty()).collect();
                // A handle is never empty.
                if words.is_empty() { "-".to_owned() } else { words.join("-") }
            }
        }
    }
}

/// What becomes of a user whose `active` becomes `false`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deactivation {
    /// The user stays, inactive, as RFC 7643 §4.1.1 has it, and can be activated again.
    #[default]
    Keep,
    /// The user is deleted, and the answer is 204.
    Remove,
}

/// What becomes of an e-mail address that is not of type `work`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OtherEmails {
    /// The request is refused.
    #[default]
    Refuse,
    /// The address is dropped, which is noted in the audit trail.
    Drop,
}

/// What becomes of the roles in a PUT without `roles`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RolesUnsaid {
    /// They stay.
    #[default]
    Keep,
    /// The default role takes their place.
    Default,
}

/// What becomes of the roles in a PUT with `roles` that are `null` or an empty array.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RolesEmptied {
    /// The default role takes their place.
    #[default]
    Default,
    /// They stay.
    Keep,
}
