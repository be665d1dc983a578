//! What requests hold, of one server or of several, so that others who concern the same wait.

use std::collections::BTreeSet;
use std::fmt;

use scim_core::ResourceId;
use scim_filter::compare;

/// What a [`GuardLedger`](super::GuardLedger) holds for a request, until it is dropped.
pub struct Hold {
    held: Option<Box<dyn Send + Sync>>,
}

impl Hold {
    /// Nothing is held.
    pub fn of_nothing() -> Self {
        Self { held: None }
    }

    /// `held` lets go of what is held when it is dropped.
    pub fn until_dropped(held: impl Send + Sync + 'static) -> Self {
        Self { held: Some(Box::new(held)) }
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hold").field(&self.held.is_some()).finish()
    }
}

/// The keys to hold for `ids` of a `kind`, in the order of their letters: few, however many ids there are, so
/// that some stand for several.
pub(super) fn keys<'i>(kind: &str, ids: impl IntoIterator<Item = &'i ResourceId>) -> Vec<Box<str>> {
    let of = |id: &ResourceId| {
        // Stores may find resources by ids that differ in case. The same on every server: FNV-1a.
        let folded = compare::fold(id.as_str());
        let hash = folded.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        hash % KEYS
    };
    let places: BTreeSet<u64> = ids.into_iter().map(of).collect();
    places.into_iter().map(|place| format!("{kind}/{place:02x}").into()).collect()
}

/// How many keys there are of a kind.
const KEYS: u64 = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_few_and_the_same_in_any_case_and_order() {
        let ids: Vec<_> = (0..10_000).map(|number| ResourceId::new(format!("id-{number}"))).collect();
        let all = keys("user", &ids);
        assert_eq!((all.len(), all.is_sorted()), (256, true));
        assert_eq!(all.first().map(|key| &**key), Some("user/00"));
        let few = [ResourceId::new("a"), ResourceId::new("b"), ResourceId::new("A")];
        assert_eq!(keys("user", &few), keys("user", few.iter().rev()));
        assert_eq!(keys("user", &few).len(), 2);
        assert!(keys("user", []).is_empty());
    }
}
