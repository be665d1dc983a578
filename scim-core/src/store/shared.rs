//! A store behind an `Arc`.

use std::sync::Arc;

use super::{Modification, Modified, Scope, Store, StoreError, StoreLayer, Terms};

/// A store shared with the rest of the program.
impl<S: Store> StoreLayer for Arc<S> {
    type Behind = S;

    fn behind(&self) -> &S {
        self
    }

    async fn change(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        terms: Terms<'_>,
    ) -> Result<Modified, StoreError> {
        self.behind().modify(scope, modification, terms).await
    }
}
