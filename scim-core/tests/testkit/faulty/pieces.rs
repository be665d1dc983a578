//! Faults of what is read in pieces.

use scim_core::pieces::{NextValues, Pieces, Rest, Values};
use scim_core::projection::Projection;
use scim_core::schema::ResourceSchema;
use scim_core::store::{Scope, Store as _};
use scim_core::{MemoryStore, Resource, ResourceId, TenantId, Value};

/// A group whose members come a hundred at a time, as long as it is there.
pub(super) fn while_it_is_there(store: &MemoryStore, scope: Scope<'_>, mut group: Resource) -> Pieces {
    let id = group.id().unwrap();
    if group.0.remove("members").is_none() {
        return Pieces::from(group);
    }
    let values = WhileThere {
        store: store.clone(),
        tenant: scope.tenant.clone(),
        schema: scope.schema.clone(),
        id,
        read: 0,
    };
    let rest = Rest { attribute: "members".into(), values: Box::new(values) };
    Pieces { rest: vec![rest], ..Pieces::from(group) }
}

struct WhileThere {
    store: MemoryStore,
    tenant: TenantId,
    schema: ResourceSchema,
    id: ResourceId,
    read: usize,
}

impl Values for WhileThere {
    fn next(&mut self) -> NextValues<'_> {
        Box::pin(async {
            let scope = Scope { tenant: &self.tenant, schema: &self.schema };
            let now = self.store.read(scope, &self.id, &Projection::default()).await?.unwrap_or_default();
            let members = now.get("members").map(Value::values).unwrap_or_default();
            let some: Vec<Value> = members.iter().skip(self.read).take(100).cloned().collect();
            self.read += some.len();
            Ok(some)
        })
    }
}
