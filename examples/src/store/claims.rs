//! Unique values that resources have without a claim to them.
//!
//! Where a rule that values are unique comes later than the values, one of the resources that have the
//! same one claims it. The others keep theirs, can be read and written, and claim it with a write once nobody else
//! does; what they cannot is take another one that is claimed. A person has to say who is whom.

use scim_core::store::StoreError;

use super::SqlStore;
use super::database::Statement;

/// Resources that have a unique value which another one has claimed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LostClaims {
    /// How many values.
    pub count: usize,
    /// The first of them, a hundred at most.
    pub first: Vec<LostClaim>,
}

/// A resource that has such a value, and of which attribute. The value is not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostClaim {
    /// Whose resource.
    pub tenant: String,
    /// The name of its type.
    pub resource_type: String,
    /// Its `id`.
    pub id: String,
    /// The attribute.
    pub attribute: String,
}

impl SqlStore {
    /// The resources, of all tenants, that have a unique value which another one has claimed.
    ///
    /// # Errors
    ///
    /// The database does not answer.
    pub async fn lost_claims(&self) -> Result<LostClaims, StoreError> {
        let mut tx = self.database.read().await?;
        let count: Option<(i64,)> = Statement::new(COUNT).row(&mut tx).await?;
        let rows: Vec<(String, String, String, String)> = Statement::new(FIRST).rows(&mut tx).await?;
        let claim =
            |(tenant, resource_type, id, attribute)| LostClaim { tenant, resource_type, id, attribute };
        Ok(LostClaims {
            count: count.map_or(0, |(count,)| usize::try_from(count).unwrap_or(usize::MAX)),
            first: rows.into_iter().map(claim).collect(),
        })
    }
}

// An index holds these alone.
const COUNT: &str = "SELECT count(*) FROM resource_keys WHERE NOT claimed AND claim <> ''";
const FIRST: &str = "SELECT tenant, type, id, attribute FROM resource_keys WHERE NOT claimed AND claim <> '' \
                     ORDER BY tenant, type, id, attribute LIMIT 100";
