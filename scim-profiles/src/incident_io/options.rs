//! What incident.io's documents leave open.

/// What incident.io's documents leave open, with defaults.
///
/// ```
/// use scim_profiles::incident_io::{ElevatedSeat, Options};
/// let mut options = Options::default();
/// assert_eq!(options.elevated_seat, ElevatedSeat::Responder);
/// options.custom_roles_need_paid_seat = true;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The seat that someone gets who becomes admin or owner and has no paid seat by hand: a responder's,
    /// since on-call seats are given by groups of their own.
    ///
    /// The documents say that these roles need a responder's or an on-call seat, not which one is given.
    /// Nor do they say whether the seat of a group for on-call seats is enough. Here it is not, since the
    /// seats would depend on which group comes first: who is in such a group and in one for admins has
    /// both seats, or with [`ElevatedSeat::OnCall`] the on-call seat alone.
    pub elevated_seat: ElevatedSeat,
    /// What becomes of a responder's seat that came with a role when no group gives such a role any more:
    /// it stays. An on-call seat stays in any case, as that of a group is said to.
    ///
    /// The documents say that admins whom no group makes admins become "viewers/responders" at
    /// installation, not who of them becomes which.
    pub seat_after: SeatAfter,
    /// Whether a custom role needs a paid seat as well: no. The documents say of base roles alone
    /// that viewers cannot have them.
    pub custom_roles_need_paid_seat: bool,
    /// Whether a mapped group is one whose name differs in case alone: no.
    ///
    /// The documents show groups that are chosen from a list, and say nothing of names. A role that is
    /// not given is asked for; one that is given by mistake is not noticed. A [preview](super::Preview)
    /// names the groups that would be meant in any case.
    pub group_names: GroupNames,
    /// What a deactivated user of incident.io is to a person of the directory with the same e-mail
    /// address, where no active one has it: the user to link, and to activate again.
    pub deactivated: Deactivated,
    /// What becomes of the roles of someone who is not assigned any more, and stays active because
    /// of Slack: they are gone, since no group gives them.
    pub in_slack: InSlack,
}

/// See [`Options::elevated_seat`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ElevatedSeat {
    /// A responder's seat.
    #[default]
    Responder,
    /// An on-call seat.
    OnCall,
}

/// See [`Options::seat_after`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SeatAfter {
    /// It stays until it is revoked by hand.
    #[default]
    Stays,
    /// It goes with the role.
    Goes,
}

/// See [`Options::group_names`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum GroupNames {
    /// A group has the name that is mapped, to the letter.
    #[default]
    Exact,
    /// A group has it in any case.
    AnyCase,
}

/// See [`Options::deactivated`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Deactivated {
    /// They are linked and become active.
    #[default]
    Link,
    /// They are left alone, and another user is created.
    Leave,
}

/// See [`Options::in_slack`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum InSlack {
    /// The base role becomes Standard, and custom roles are gone.
    #[default]
    Standard,
    /// They keep the roles they have.
    Keep,
}
