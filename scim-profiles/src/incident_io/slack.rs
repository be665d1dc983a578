//! Who is active in the Slack workspace.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use scim_filter::compare;

/// Who is an active member of the organisation's Slack workspace, by e-mail address in any case: what only Slack
/// knows, and is given.
///
/// Whoever is among them and not assigned any more is treated as active until deactivated in Slack. Clones share
/// the addresses.
///
/// ```
/// use scim_profiles::incident_io::ActiveInSlack;
/// let active: ActiveInSlack = ["Ada@example.com"].into_iter().collect();
/// assert!(active.contains("ada@EXAMPLE.com") && !active.contains("bo@example.com"));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ActiveInSlack(Arc<HashSet<Box<str>>>);

impl ActiveInSlack {
    /// Whether the person with this e-mail address is.
    pub fn contains(&self, email: &str) -> bool {
        !self.0.is_empty() && self.0.contains(&*compare::fold(email))
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it is nobody.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<E: AsRef<str>> FromIterator<E> for ActiveInSlack {
    fn from_iter<I: IntoIterator<Item = E>>(emails: I) -> Self {
        Self(Arc::new(emails.into_iter().map(|email| compare::fold(email.as_ref()).into()).collect()))
    }
}

/// How many they are: addresses are nobody's business.
impl fmt::Debug for ActiveInSlack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ActiveInSlack").field(&self.len()).finish()
    }
}
