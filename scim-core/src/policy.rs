//! What a service provider decides beyond the RFCs: the hooks a vendor profile fills.

use scim_filter::BoundFilter;

use crate::schema::ResourceSchema;
use crate::{Error, Resource};

/// What a service provider decides beyond the RFCs. Every hook has the RFC's behaviour as default.
pub trait Policy: Send + Sync + 'static {
    /// Judges and completes a resource about to be stored by POST (`current` is `None`), PUT or PATCH.
    ///
    /// `resource` is as the client wants it, `current` as it is.
    fn admit(
        &self,
        schema: &ResourceSchema,
        current: Option<&Resource>,
        resource: &mut Resource,
    ) -> Result<Admission, Error> {
        let _ = (schema, current, resource);
        Ok(Admission::Store)
    }

    /// Judges a DELETE, also one that [`Admission::Delete`] asks for.
    fn may_delete(&self, schema: &ResourceSchema, current: &Resource) -> Result<(), Error> {
        let _ = (schema, current);
        Ok(())
    }

    /// Judges the filter of a list request.
    fn may_filter(&self, schema: &ResourceSchema, filter: &BoundFilter) -> Result<(), Error> {
        let _ = (schema, filter);
        Ok(())
    }

    /// Reshapes a resource on its way out, after projection.
    fn render(&self, schema: &ResourceSchema, resource: &mut Resource) {
        let _ = (schema, resource);
    }

    /// Restates an error the vendor's way.
    fn restate(&self, error: Error) -> Error {
        error
    }
}

/// What happens with an admitted resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is stored.
    Store,
    /// It is deleted instead, and the answer is 204.
    Delete,
}

/// The RFCs' behaviour.
#[derive(Clone, Copy, Debug, Default)]
pub struct StandardPolicy;

impl Policy for StandardPolicy {}
