//! A resource that is held for one write.

use std::any::Any;
use std::fmt;

/// What [`Store::hold`](super::Store::hold) gives: until it is dropped, other writes of the resource wait for
/// the one that is [made with it](super::Terms::hold).
///
/// ```
/// use scim_core::store::ResourceHold;
///
/// let hold = ResourceHold::until_dropped(7_u64);
/// assert_eq!(hold.by::<u64>(), Some(&7));
/// assert!(!ResourceHold::default().is_held());
/// ```
#[derive(Default)]
pub struct ResourceHold(Option<Box<dyn Any + Send + Sync>>);

impl ResourceHold {
    /// `held`, by which the store knows the hold again, lets go of the resource when it is dropped.
    pub fn until_dropped(held: impl Any + Send + Sync) -> Self {
        Self(Some(Box::new(held)))
    }

    /// Whether there is anything that others wait for.
    pub fn is_held(&self) -> bool {
        self.0.is_some()
    }

    /// What the resource is held by, if that is a `T`.
    pub fn by<T: Any>(&self) -> Option<&T> {
        self.0.as_deref()?.downcast_ref()
    }
}

impl fmt::Debug for ResourceHold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ResourceHold").field(&self.is_held()).finish()
    }
}
