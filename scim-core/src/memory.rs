//! A store in memory, for tests and small embeddings.

/// Resources in memory; clones share them.
#[derive(Clone, Default)]
pub struct MemoryStore {}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}
