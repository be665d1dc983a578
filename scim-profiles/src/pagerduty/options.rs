//! What differs from one account to another, and what PagerDuty's documents leave open.

use http::StatusCode;

use super::incidents::{Offboarding, Plan};
use super::roles::DEFAULT_ROLE;

/// What differs from one PagerDuty account to another, or is left open by PagerDuty's documents.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PagerDutyOptions {
    /// The status for a userName that is taken: 400 unless set to 409.
    ///
    /// PagerDuty declares no 409, so 400 is what its clients have to live with, and what a
    /// rehearsal should show. Neither Okta nor Entra ID depends on the difference: both look a
    /// user up before they create it, and report a refused creation as failed with either status.
    /// Okta's reference and Microsoft's SCIM Validator do ask for 409; to pass the validator, or to
    /// offer PagerDuty's rules as a service of one's own, set it to 409.
    pub duplicate_status: StatusCode,
    /// What becomes of a deletion of a user with assigned incidents: [`Offboarding::Fail`], as PagerDuty
    /// has it until the account owner switches it.
    pub offboarding: Offboarding,
    /// What the account pays for: [`Plan::Enterprise`], which has incident reassignment. A plan without it
    /// makes [`Offboarding::Reassign`] the same as [`Offboarding::Fail`].
    pub plan: Plan,
    /// What of the account owner can be changed: nothing. A request that leaves the owner as it is, such as
    /// the PUT of everything that was read, is none.
    ///
    /// That an API cannot give the role is stated; what SCIM may do to the user who has it is not, and
    /// refusing is what does no harm if it is otherwise.
    pub owner: OwnerProtection,
    /// The role of who is created without one: [`DEFAULT_ROLE`], as PagerDuty's REST API and SAML have it; what
    /// SCIM gives has no source. With a value that SCIM may not give, nobody is created without a role.
    pub default_role: &'static str,
    /// What becomes of the role in a PUT without `roles`: [`RoleOmitted::Keep`].
    ///
    /// RFC 7644 §3.5.1 leaves both to the service provider. An identity provider that maps no roles would
    /// otherwise take away, with every update of a name, what somebody has been given in PagerDuty.
    pub role_omitted: RoleOmitted,
    /// What becomes of the role in a PUT with `roles` that are `null` or an empty array: [`RoleEmptied::Default`].
    ///
    /// Either makes the attribute unassigned (RFC 7643 §2.5), so that somebody did speak of the role here. What PagerDuty
    /// makes of it has no source. Where an identity provider sends empty arrays for whatever it does not map, the role
    /// can stay instead.
    pub role_emptied: RoleEmptied,
    /// What becomes of a PUT with a new role and the licence of the former, and of a write that names a licence that is
    /// not for the role while the user has one that is: [`StaleLicense::Drop`].
    ///
    /// PagerDuty's Terraform provider leaves the licence out when the role changes, since sending it
    /// again was refused. But a SCIM client that updates by PUT sends all it has read, so that a service
    /// provider that refuses it refuses every change of role; and one to which the licence is mapped sends it with each
    /// later write as well.
    pub stale_license: StaleLicense,
    /// Whom the account counts as users of its licences: [`LicensesInUse::Elsewhere`].
    ///
    /// `GET /licenses` says how many users have a licence, and not who. In a rehearsal they are users of the account whom
    /// the server does not have, so that no more users can be given a licence than it has allocations available: as many
    /// as PagerDuty itself would let in.
    pub licenses_in_use: LicensesInUse,
    /// Whether the account has the ability `read_only_users`, which stakeholder roles need: on.
    pub read_only_users: bool,
    /// Whether the account has advanced permissions, which `observer` and `restricted_access`
    /// need: on.
    pub advanced_permissions: bool,
}

impl Default for PagerDutyOptions {
    fn default() -> Self {
        Self {
            duplicate_status: StatusCode::BAD_REQUEST,
            offboarding: Offboarding::default(),
            plan: Plan::default(),
            owner: OwnerProtection::default(),
            default_role: DEFAULT_ROLE,
            role_omitted: RoleOmitted::default(),
            role_emptied: RoleEmptied::default(),
            stale_license: StaleLicense::default(),
            licenses_in_use: LicensesInUse::default(),
            read_only_users: true,
            advanced_permissions: true,
        }
    }
}

/// What of the account owner can be changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OwnerProtection {
    /// Nothing: the owner is neither changed nor deleted.
    #[default]
    Full,
    /// The owner can be changed, but stays the owner, and is not deleted.
    Role,
    /// Everything: the owner can have another role, and be deleted.
    None,
}

/// What becomes of the role in a PUT without `roles`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RoleOmitted {
    /// It stays.
    #[default]
    Keep,
    /// It becomes the [default one](PagerDutyOptions::default_role).
    Default,
}

/// What becomes of the role in a PUT with `roles` that are `null` or an empty array.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RoleEmptied {
    /// It becomes the [default one](PagerDutyOptions::default_role).
    #[default]
    Default,
    /// It stays.
    Keep,
}

/// Who the users are that [have a licence](super::License::in_use) by what the account says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LicensesInUse {
    /// Users whom the server does not have: it gives what allocations are available.
    #[default]
    Elsewhere,
    /// Users whom the server has, or will have: it counts them itself, up to all allocations.
    Here,
}

/// What becomes of a PUT with a new role and the licence of the former, or of that licence in a later write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StaleLicense {
    /// The licence goes, and another takes its place; sent again, it is passed over.
    #[default]
    Drop,
    /// It is refused.
    Refuse,
}

impl OwnerProtection {
    /// `full`, `role` or `none`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Role => "role",
            Self::None => "none",
        }
    }
}

impl RoleOmitted {
    /// `keep` or `default`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Default => "default",
        }
    }
}

impl RoleEmptied {
    /// `default` or `keep`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Keep => "keep",
        }
    }
}

impl LicensesInUse {
    /// `elsewhere` or `here`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Elsewhere => "elsewhere",
            Self::Here => "here",
        }
    }
}

impl StaleLicense {
    /// `drop` or `refuse`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Refuse => "refuse",
        }
    }
}
