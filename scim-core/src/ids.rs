//! Words of the specification that must not be confused with one another.

use std::sync::Arc;

// Shared, since requests hand them on from place to place.
macro_rules! text_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes `text` as it is.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_newtype! {
    /// The `id` the service provider gave a resource (RFC 7643 §3.1). Never an `externalId`.
    ResourceId
}
text_newtype! {
    /// The `externalId` the provisioning client gave a resource (RFC 7643 §3.1). Never an `id`.
    ExternalId
}
text_newtype! {
    /// Whose resources a credential reaches. Comes from the credential alone (design P9).
    TenantId
}
text_newtype! {
    /// Names a request in the [audit trail](crate::audit), so that its records can be told together
    /// with what else is known of it. Whoever mounts the service puts it into the request's
    /// [extensions](http::Request::extensions).
    RequestId
}
text_newtype! {
    /// Names the credential a request came with, for logs and audit; not itself secret.
    CredentialId
}

/// The version of a resource: 1 when created, one more with each change.
///
/// On the wire it is the weak entity tag `W/"7"` (RFC 7644 §3.14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(pub u64);

impl Version {
    /// The version that the next change makes.
    ///
    /// ```
    /// assert_eq!(scim_core::Version(7).next(), scim_core::Version(8));
    /// ```
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}
