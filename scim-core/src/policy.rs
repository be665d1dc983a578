//! What a service provider decides beyond the RFCs: the hooks a vendor profile fills.

use std::sync::Arc;

use scim_filter::BoundFilter;

use crate::auth::Principal;
use crate::patch::PatchRequest;
use crate::schema::ResourceSchema;
use crate::service::Outcome;
use crate::store::Scope;
use crate::value::{Object, Value};
use crate::{Error, Resource};

/// What a service provider decides beyond the RFCs. Every hook has the RFC's behaviour as default.
///
/// Hooks are plain functions of what they are given: the service calls [`admit`](Self::admit) and
/// [`may_delete`](Self::may_delete) again when a write has to be retried because somebody else
/// wrote first, so a hook must not count on being called once per request.
///
/// ```
/// use scim_core::policy::{Admission, Context, Policy, Write};
/// use scim_core::{Error, Resource, ScimType};
///
/// /// Accounts are of one domain.
/// struct OneDomain;
///
/// impl Policy for OneDomain {
///     fn admit(&self, _: &Context<'_>, _: Write<'_>, user: &mut Resource) -> Result<Admission, Error> {
///         user.0.remove("password");
///         let name = user.get("userName").and_then(|name| name.as_str()).unwrap_or_default();
///         if name.ends_with("@example.com") {
///             return Ok(Admission::Store);
///         }
///         Err(Error::bad_request(ScimType::InvalidValue, "`userName` must be of example.com"))
///     }
/// }
/// # use scim_core::auth::{Principal, Secret, StaticTokens};
/// # use scim_core::{Config, CredentialId, Environment, MemoryStore, ResourceId, Service, TenantId};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let okta = Principal { tenant: TenantId::new("acme"), credential: CredentialId::new("okta") };
/// # let tokens = StaticTokens::new().with(Secret::new("s3cr3t")?, okta);
/// # let config = Config::new("https://example.com/scim/v2".parse()?);
/// # let environment = Environment::new(|| jiff::Timestamp::UNIX_EPOCH, || ResourceId::new("1"));
/// # let service = Service::new(MemoryStore::new(), tokens, config, environment);
///
/// let service = service.with_policy(OneDomain);
/// # let body = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"b@example.org"}"#;
/// # let request = http::Request::post("/scim/v2/Users").header("authorization", "Bearer s3cr3t");
/// # let request = request.body(body.into())?;
/// assert_eq!(service.call(request).await.status(), 400, "b@example.org");
/// # Ok(())
/// # }
/// ```
pub trait Policy: Send + Sync + 'static {
    /// Judges and completes a resource about to be stored.
    ///
    /// `resource` is as the client wants it: names and types fit the schema, and mutability was
    /// observed. Required attributes are checked after this hook
    /// ([`validate::check`](crate::validate::check)) and only for [`Admission::Store`], so that a
    /// write that amounts to a deletion need not be complete and a missing value can be filled in.
    /// What the hook changes in `resource` is stored, save `id` and `meta`, which are the
    /// service's own. A PATCH that does not need to read a group's `members` calls the hook
    /// without them, on both sides. What a PATCH of members alone leaves to the store is made on
    /// whatever version there is then, which may be a newer one than the hook was shown.
    ///
    /// As provided, a `password` is accepted and not kept: it "MUST NOT be stored in cleartext
    /// form" (RFC 7643 §9.2), and there is nothing here to hash it with. A hook of one's own has
    /// to take it out as well, hashed or not.
    ///
    /// # Errors
    ///
    /// Whatever the client shall be told; nothing is stored then.
    fn admit(
        &self,
        context: &Context<'_>,
        write: Write<'_>,
        resource: &mut Resource,
    ) -> Result<Admission, Error> {
        let _ = (context, write);
        resource.0.remove("password");
        Ok(Admission::Store)
    }

    /// What is to be said of a write besides its outcome: that something was left out of what `asked`
    /// has, for example. `asked` is what [`admit`](Self::admit) is about to be given.
    ///
    /// Remarks are kept in the [`Outcome`] and in the [audit trail](crate::audit), also of a write that makes nothing
    /// different. One may quote what was
    /// asked for, cut short, but no secret.
    fn remarks(&self, context: &Context<'_>, write: Write<'_>, asked: &Resource) -> Vec<String> {
        let _ = (context, write, asked);
        Vec::new()
    }

    /// Judges a PATCH by what its operations do, before the resource is looked at.
    ///
    /// # Errors
    ///
    /// Whatever the client shall be told; nothing is changed then.
    fn may_patch(&self, context: &Context<'_>, request: &PatchRequest) -> Result<(), Error> {
        let _ = (context, request);
        Ok(())
    }

    /// Judges a DELETE, also one that [`Admission::Delete`] asks for. `current` lacks `members`.
    ///
    /// # Errors
    ///
    /// Whatever the client shall be told; nothing is deleted then.
    fn may_delete(&self, context: &Context<'_>, current: &Resource) -> Result<(), Error> {
        let _ = (context, current);
        Ok(())
    }

    /// Judges the filter of a list request.
    ///
    /// # Errors
    ///
    /// Whatever the client shall be told; usually a 400 `invalidFilter`.
    fn may_filter(&self, context: &Context<'_>, filter: &BoundFilter) -> Result<(), Error> {
        let _ = (context, filter);
        Ok(())
    }

    /// Reshapes a resource on its way out, after projection.
    fn render(&self, context: &Context<'_>, resource: &mut Resource) {
        let _ = (context, resource);
    }

    /// Whether [`render`](Self::render) does anything. Where it does not, a resource is written as it
    /// is stored and piece by piece, and a group need not be in memory as a whole to be answered.
    fn renders(&self) -> bool {
        true
    }

    /// Reshapes a discovery document on its way out; its `meta.resourceType` says which it is
    /// (`ServiceProviderConfig`, `ResourceType` or `Schema`).
    fn render_discovery(&self, document: &mut Object) {
        let _ = document;
    }

    /// Restates an error the vendor's way: another status, keyword or detail.
    fn restate(&self, error: Error) -> Error {
        error
    }

    /// Restates an error as [`restate`](Self::restate) does, where what becomes of it depends on the
    /// request: `outcome` says, as far as it is known, what was asked for and of which type of resource.
    fn restate_for(&self, outcome: &Outcome, error: Error) -> Error {
        let _ = outcome;
        self.restate(error)
    }

    /// The body of an error response, after [`restate_for`](Self::restate_for).
    fn render_error(&self, error: &Error) -> Value {
        error.to_value()
    }
}

/// What a hook is called for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Context<'a> {
    /// The resource type.
    pub schema: &'a ResourceSchema,
    /// Who sends the request.
    pub principal: &'a Principal,
    /// What the body of a POST or PUT says to be [unassigned](crate::validate::Validated::unassigned).
    pub unassigned: &'a [Box<str>],
}

impl<'a> Context<'a> {
    /// A request of `principal` on resources of `schema`.
    pub fn new(schema: &'a ResourceSchema, principal: &'a Principal) -> Self {
        Self { schema, principal, unassigned: &[] }
    }

    /// The same, of a body that says these attributes to be unassigned.
    pub fn with_unassigned(self, unassigned: &'a [Box<str>]) -> Self {
        Self { unassigned, ..self }
    }

    /// Whether the body of a POST or PUT says by `null` or an empty array that `attribute` is unassigned, and does not
    /// just leave it out, which RFC 7644 §3.5.1 lets a service provider take otherwise. A PATCH says by its
    /// operations what it means.
    ///
    /// ```
    /// # use scim_core::auth::Principal;
    /// # use scim_core::policy::Context;
    /// # use scim_core::schema::Registry;
    /// # use scim_core::{CredentialId, TenantId};
    /// # let okta = Principal { tenant: TenantId::new("acme"), credential: CredentialId::new("okta") };
    /// # let registry = Registry::standard();
    /// let user = registry.by_name("User").expect("a standard type");
    /// let says = ["roles".into()];
    /// let context = Context::new(user, &okta).with_unassigned(&says);
    /// assert!(context.unassigns("roles"));
    /// assert!(!context.unassigns("emails"));
    /// ```
    pub fn unassigns(&self, attribute: &str) -> bool {
        self.unassigned.iter().any(|name| name.eq_ignore_ascii_case(attribute))
    }

    /// The store's scope of the request.
    pub(crate) fn scope(&self) -> Scope<'a> {
        Scope { tenant: &self.principal.tenant, schema: self.schema }
    }
}

/// The request by which a resource is about to be stored.
#[derive(Clone, Copy, Debug)]
pub enum Write<'a> {
    /// POST.
    Create,
    /// PUT, and the resource as it is.
    Replace(&'a Resource),
    /// PATCH, and the resource as it is.
    Patch(&'a Resource),
}

impl<'a> Write<'a> {
    /// The resource as it is before the write.
    pub fn current(self) -> Option<&'a Resource> {
        match self {
            Self::Create => None,
            Self::Replace(current) | Self::Patch(current) => Some(current),
        }
    }
}

/// What happens with an admitted resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is stored.
    Store,
    /// It is deleted instead (on POST: not stored), and the answer is 204.
    Delete,
}

/// The RFCs' behaviour: every hook of [`Policy`] as it is provided, and nothing to render.
#[derive(Clone, Copy, Debug, Default)]
pub struct StandardPolicy;

impl Policy for StandardPolicy {
    fn renders(&self) -> bool {
        false
    }
}

/// A policy chosen at run time.
impl Policy for Arc<dyn Policy> {
    fn admit(
        &self,
        context: &Context<'_>,
        write: Write<'_>,
        resource: &mut Resource,
    ) -> Result<Admission, Error> {
        (**self).admit(context, write, resource)
    }

    fn remarks(&self, context: &Context<'_>, write: Write<'_>, asked: &Resource) -> Vec<String> {
        (**self).remarks(context, write, asked)
    }

    fn may_patch(&self, context: &Context<'_>, request: &PatchRequest) -> Result<(), Error> {
        (**self).may_patch(context, request)
    }

    fn may_delete(&self, context: &Context<'_>, current: &Resource) -> Result<(), Error> {
        (**self).may_delete(context, current)
    }

    fn may_filter(&self, context: &Context<'_>, filter: &BoundFilter) -> Result<(), Error> {
        (**self).may_filter(context, filter)
    }

    fn render(&self, context: &Context<'_>, resource: &mut Resource) {
        (**self).render(context, resource);
    }

    fn renders(&self) -> bool {
        (**self).renders()
    }

    fn render_discovery(&self, document: &mut Object) {
        (**self).render_discovery(document);
    }

    fn restate(&self, error: Error) -> Error {
        (**self).restate(error)
    }

    fn restate_for(&self, outcome: &Outcome, error: Error) -> Error {
        (**self).restate_for(outcome, error)
    }

    fn render_error(&self, error: &Error) -> Value {
        (**self).render_error(error)
    }
}
