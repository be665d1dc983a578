//! The seats of users, which the vendor counts and charges for.

use std::fmt;

use super::access::{Access, BaseRole};
use super::options::{ElevatedSeat, Options, SeatAfter};

/// The seats a user has: what the vendor counts and charges for.
///
/// Whoever has neither has a viewer's seat, which is free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Seats {
    /// A responder's seat.
    pub response: bool,
    /// An on-call seat.
    pub on_call: OnCallSeat,
    /// Which of them came by groups. The others were given by hand.
    pub by_groups: ByGroups,
}

/// Which seats of a user came by groups, or with a role of theirs, at first. It says nothing of a seat that
/// there is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ByGroups {
    /// The responder's seat.
    pub response: bool,
    /// The on-call seat.
    pub on_call: bool,
}

/// An on-call seat, and who decides on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OnCallSeat {
    /// There is none.
    #[default]
    None,
    /// The user has one until somebody revokes it in incident.io.
    Held,
    /// The user has one by a group of the directory, and nobody can revoke it in incident.io.
    Managed,
}

impl OnCallSeat {
    /// Whether there is one.
    pub const fn is_held(self) -> bool {
        !matches!(self, Self::None)
    }

    /// `none`, `held` or `managed`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Held => "held",
            Self::Managed => "managed",
        }
    }

    /// The seat when no group gives it any more: it stays, and can be revoked by hand.
    #[must_use]
    pub(super) fn released(self) -> Self {
        self.min(Self::Held)
    }
}

impl Seats {
    /// Whether there is a seat that an admin or owner needs.
    pub const fn is_paid(self) -> bool {
        self.response || self.on_call.is_held()
    }

    /// Whether there is one that was given by hand.
    pub const fn is_paid_by_hand(self) -> bool {
        (self.response && !self.by_groups.response) || (self.on_call.is_held() && !self.by_groups.on_call)
    }

    /// The seats of someone with these whose groups now give `access`.
    ///
    /// An on-call seat whose group the user left stays, and can be revoked by hand. A role that needs a
    /// paid seat brings one, unless the user has one by hand: a seat that groups for on-call seats give is
    /// not counted, so that it does not matter which of the groups comes first. So the seats after some
    /// groups came one by one, in whatever order, are those after all of them came at once, and another
    /// group never takes one away.
    ///
    /// ```
    /// use scim_profiles::incident_io::{Access, BaseRole, OnCallSeat, Options, Seats};
    ///
    /// let options = Options::default();
    /// let (admin, on_call) = (Access::base(BaseRole::Admin), Access::on_call());
    /// let mut both = admin.clone();
    /// both.join(&on_call);
    /// let at_once = Seats::default().given(&both, &options);
    /// assert_eq!(Seats::default().given(&admin, &options).given(&both, &options), at_once);
    /// assert_eq!(Seats::default().given(&on_call, &options).given(&both, &options), at_once);
    /// assert_eq!(at_once.to_string(), "responder + on-call");
    ///
    /// let by_hand = Seats { on_call: OnCallSeat::Held, ..Seats::default() };
    /// assert_eq!(by_hand.given(&admin, &options), by_hand);
    /// ```
    #[must_use]
    pub fn given(self, access: &Access, options: &Options) -> Self {
        let mut seats = self.left();
        if access.on_call {
            seats.give_on_call(OnCallSeat::Managed);
        }
        let needs_paid = access.base_role > BaseRole::Standard
            || (options.custom_roles_need_paid_seat && !access.custom_roles.is_empty());
        let with_role = (needs_paid && !self.is_paid_by_hand()).then_some(options.elevated_seat);
        match with_role {
            Some(ElevatedSeat::Responder) if !seats.response => {
                (seats.response, seats.by_groups.response) = (true, true);
            }
            Some(ElevatedSeat::OnCall) => seats.give_on_call(OnCallSeat::Held),
            Some(ElevatedSeat::Responder) | None => {}
        }
        let is_needed = with_role == Some(ElevatedSeat::Responder);
        if !is_needed && self.by_groups.response && options.seat_after == SeatAfter::Goes {
            (seats.response, seats.by_groups.response) = (false, false);
        }
        seats
    }

    /// The seats of someone with these who is in no group any more, and keeps what roles there are.
    #[must_use]
    pub(super) fn left(self) -> Self {
        Self { on_call: self.on_call.released(), ..self }
    }

    /// The same where everything counts as given by hand.
    #[must_use]
    pub(super) fn on_their_own(self) -> Self {
        Self { by_groups: ByGroups::default(), ..self.left() }
    }

    /// Gives an on-call seat, as firmly as it is held or more so.
    fn give_on_call(&mut self, seat: OnCallSeat) {
        if !self.on_call.is_held() {
            self.by_groups.on_call = true;
        }
        self.on_call = self.on_call.max(seat);
    }
}

/// `viewer`, `responder`, `on-call` or `responder + on-call`.
impl fmt::Display for Seats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match (self.response, self.on_call.is_held()) {
            (false, false) => "viewer",
            (true, false) => "responder",
            (false, true) => "on-call",
            (true, true) => "responder + on-call",
        })
    }
}
