//! What a database was made for: a profile, its resource types and their schemas.
//!
//! Resources of one profile are in general none of another: they lack what that requires, and have what it
//! does not know. So a database says what it is for, and is not served as anything else by mistake.

use std::collections::BTreeSet;

use anyhow::bail;
use scim_core::schema::Registry;
use scim_core::store::StoreError;
use scim_filter::sql::Dialect;

use super::SqlStore;
use super::database::{Statement, Tx, retrying};

/// A resource type and the URI of one of its schemas.
type Served = BTreeSet<(String, String)>;

/// How a database is not what it is to be served as.
enum Other {
    Profile(String),
    Missing(String, String),
}

impl SqlStore {
    /// Makes sure that the database is for `profile` and the resource types of `registry`; one that says
    /// nothing, because it is new or an earlier version made it, is so from now on. Resource types and schemas
    /// may come to it later, but not go.
    ///
    /// With `adopt`, it is for these from now on, whatever it was for before.
    ///
    /// # Errors
    ///
    /// The database is for another profile, or has a resource type or schema that `registry` has not; or it
    /// does not answer.
    pub async fn serve_as(&self, profile: &str, registry: &Registry, adopt: bool) -> anyhow::Result<()> {
        let types = registry.resource_types().flat_map(|schema| {
            let uris =
                std::iter::once(schema.base()).chain(schema.extensions()).map(|schema| schema.id.clone());
            uris.map(|uri| (schema.name().to_owned(), uri))
        });
        let types: Served = types.collect();
        match retrying(|| self.serve_once(profile, &types, adopt)).await? {
            None => Ok(self.renew_keys(registry).await?),
            Some(Other::Profile(other)) => bail!(
                "the database is one of the profile `{other}`, not of `{profile}`; with `--adopt-database` it \
                 is from now on"
            ),
            Some(Other::Missing(kind, schema)) => bail!(
                "the database was made with the resource type `{kind}` of the schema `{schema}`, which is not \
                 served now; with `--adopt-database` it is left out from now on"
            ),
        }
    }

    async fn serve_once(
        &self,
        profile: &str,
        types: &Served,
        adopt: bool,
    ) -> Result<Option<Other>, StoreError> {
        let mut tx = self.database.write().await?;
        if tx.dialect() == Dialect::Postgres {
            // Another server may begin at the same time.
            Statement::new("LOCK TABLE serves IN EXCLUSIVE MODE").execute(&mut tx).await?;
        }
        if adopt {
            Statement::new("DELETE FROM serves").execute(&mut tx).await?;
        }
        let rows = "SELECT profile, type, schema FROM serves ORDER BY profile, type, schema";
        let rows: Vec<(String, String, String)> = Statement::new(rows).rows(&mut tx).await?;
        let mut known = Served::new();
        for (other, kind, schema) in rows {
            if other != profile {
                return Ok(Some(Other::Profile(other)));
            }
            let served = (kind, schema);
            if !types.contains(&served) {
                return Ok(Some(Other::Missing(served.0, served.1)));
            }
            known.insert(served);
        }
        for new in types.difference(&known) {
            add(&mut tx, profile, new).await?;
        }
        tx.commit().await?;
        Ok(None)
    }
}

async fn add(tx: &mut Tx, profile: &str, (kind, schema): &(String, String)) -> Result<(), StoreError> {
    Statement::new("INSERT INTO serves (profile, type, schema) VALUES (?1, ?2, ?3)")
        .text(profile)
        .text(kind)
        .text(schema)
        .execute(tx)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use scim_core::schema::{ResourceType, builtin};

    use super::*;
    use crate::store::tests::sql_support::Postgres;

    async fn a_database_says_what_it_is_for(store: SqlStore) {
        let plain = Registry::standard();
        let contractors = ResourceType {
            name: "Contractor".to_owned(),
            endpoint: "/Contractors".to_owned(),
            schema_extensions: Vec::new(),
            ..builtin::user_resource_type()
        };
        let more = plain.clone().with(Vec::new(), vec![contractors]).unwrap();
        let serve = async |profile, registry, adopt| {
            store.serve_as(profile, registry, adopt).await.map_err(|error| error.to_string())
        };
        let profile = "the database is one of the profile `generic`, not of `other`; with `--adopt-database` \
                       it is from now on";
        let missing = "the database was made with the resource type `Contractor` of the schema \
                       `urn:ietf:params:scim:schemas:core:2.0:User`, which is not served now; with \
                       `--adopt-database` it is left out from now on";
        // Two servers may begin at the same time.
        let (one, other) = tokio::join!(serve("generic", &plain, false), serve("generic", &plain, false));
        assert_eq!((one, other), (Ok(()), Ok(())));
        assert_eq!(serve("other", &plain, false).await, Err(profile.to_owned()));
        assert_eq!(serve("generic", &more, false).await, Ok(()));
        assert_eq!(serve("generic", &plain, false).await, Err(missing.to_owned()));
        assert_eq!(serve("generic", &plain, true).await, Ok(()));
        assert_eq!(serve("generic", &plain, false).await, Ok(()));
        assert_eq!(serve("other", &more, true).await, Ok(()));
        assert_eq!(
            serve("generic", &more, false).await,
            Err(profile.replace("`generic`, not of `other`", "`other`, not of `generic`"))
        );
    }

    #[tokio::test]
    async fn an_sqlite_database_says_what_it_is_for() {
        a_database_says_what_it_is_for(SqlStore::in_memory().await.unwrap()).await;
    }

    #[tokio::test]
    async fn a_postgresql_database_says_what_it_is_for() {
        let Some(server) = Postgres::start() else { return };
        let url = server.database("serves").await;
        a_database_says_what_it_is_for(SqlStore::connect(&url).await.unwrap()).await;
    }
}
