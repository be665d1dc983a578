//! Comparison keys made anew, once, where earlier versions made them by another rule.
//!
//! Keys of text beyond ASCII were folded alone, and are now of one width and composed too. What has other keys
//! then has another `userName`, for all that looks it up. Where two users come to have one name, it stays with who
//! had it in this form, or else with who was created first; the other keeps the name without a claim to it
//! (`claims.rs`) and is named in the log.

use scim_core::schema::{Registry, ResourceSchema};
use scim_core::store::{Scope, StoreError};
use scim_core::validate::unique_keys;
use scim_core::{ResourceId, TenantId};
use scim_filter::sql::Dialect;

use super::database::{Statement, Tx, retrying};
use super::members::member_value;
use super::{SqlStore, decode, decode_value, keys};

/// The rule by which keys are made now.
const RULE: &str = "width, case, NFC";

/// How many rows are made anew in one transaction.
const BATCH: i64 = 200;

/// What has characters beyond ASCII.
const BEYOND_ASCII: &str = "octet_length(body) > length(body)";

/// A resource by tenant, type and place.
type Place = (String, String, i64);
/// A member by tenant, type, group and key.
type MemberPlace = (String, String, String, String);

impl SqlStore {
    /// Makes the keys anew that were made by an earlier rule. What of it was done is done again after a crash,
    /// which changes nothing.
    pub(super) async fn renew_keys(&self, registry: &Registry) -> Result<(), StoreError> {
        let known = Statement::new("SELECT rule FROM key_rules WHERE rule = ?1").text(RULE);
        let known: Option<(String,)> = known.row(&mut self.database.once().await?).await?;
        if known.is_some() {
            return Ok(());
        }
        let mut behind = Some((String::new(), String::new(), i64::MIN));
        while let Some(place) = behind {
            behind = retrying(|| self.renew_resources(registry, &place)).await?;
        }
        let mut behind = Some(Default::default());
        while let Some(place) = behind {
            behind = retrying(|| self.renew_members(registry, &place)).await?;
        }
        retrying(|| async {
            let mut tx = self.database.write().await?;
            let note = "INSERT INTO key_rules (rule) VALUES (?1) ON CONFLICT DO NOTHING";
            Statement::new(note).text(RULE).execute(&mut tx).await?;
            tx.commit().await
        })
        .await
    }

    /// Makes those of the next resources anew; the place of the last of them, if there may be more.
    async fn renew_resources(
        &self,
        registry: &Registry,
        (tenant, kind, seq): &Place,
    ) -> Result<Option<Place>, StoreError> {
        let mut tx = self.database.write().await?;
        let select = format!(
            "SELECT tenant, type, seq, id, body FROM resources WHERE (tenant, type, seq) > (?1, ?2, ?3) \
             AND {BEYOND_ASCII} ORDER BY tenant, type, seq LIMIT ?4{}",
            locked(&tx)
        );
        let select = Statement::new(select).text(tenant).text(kind).number(*seq).number(BATCH);
        let rows: Vec<(String, String, i64, String, String)> = select.rows(&mut tx).await?;
        for (tenant, kind, _, id, body) in &rows {
            if let Some(schema) = registry.by_name(kind) {
                let tenant = TenantId::new(tenant.as_str());
                renew(&mut tx, Scope { tenant: &tenant, schema }, id, body).await?;
            }
        }
        tx.commit().await?;
        Ok(rows.into_iter().last().map(|(tenant, kind, seq, ..)| (tenant, kind, seq)))
    }

    /// The same of members.
    async fn renew_members(
        &self,
        registry: &Registry,
        (tenant, kind, id, member): &MemberPlace,
    ) -> Result<Option<MemberPlace>, StoreError> {
        let mut tx = self.database.write().await?;
        let select = format!(
            "SELECT tenant, type, id, member, body FROM members WHERE (tenant, type, id, member) > (?1, ?2, ?3, ?4) \
             AND {BEYOND_ASCII} ORDER BY tenant, type, id, member LIMIT ?5{}",
            locked(&tx)
        );
        let select = Statement::new(select).text(tenant).text(kind).text(id).text(member).number(BATCH);
        let rows: Vec<(String, String, String, String, String)> = select.rows(&mut tx).await?;
        for (tenant, kind, id, member, body) in &rows {
            if let Some(schema) = registry.by_name(kind) {
                let place = [tenant.as_str(), kind, id, member];
                renew_member(&mut tx, schema, place, body).await?;
            }
        }
        tx.commit().await?;
        Ok(rows.into_iter().last().map(|(tenant, kind, id, member, _)| (tenant, kind, id, member)))
    }
}

/// The end of a statement whose rows are to be written.
fn locked(tx: &Tx) -> &'static str {
    match tx.dialect() {
        // The transaction holds the lock of the whole database.
        Dialect::Sqlite => "",
        Dialect::Postgres => " FOR NO KEY UPDATE",
    }
}

async fn renew(tx: &mut Tx, scope: Scope<'_>, id: &str, body: &str) -> Result<(), StoreError> {
    let resource = decode(body)?;
    Statement::new("UPDATE resources SET keys = jsonb(?4) WHERE tenant = ?1 AND type = ?2 AND id = ?3")
        .text(scope.tenant.as_str())
        .text(scope.schema.name())
        .text(id)
        .text(keys::document(scope.schema, &resource)?)
        .execute(tx)
        .await?;
    let unique = unique_keys(scope.schema, &resource);
    let keys = keys::of(scope.schema, &resource, &unique);
    keys::renew(tx, scope, &ResourceId::new(id), &keys).await
}

async fn renew_member(
    tx: &mut Tx,
    schema: &ResourceSchema,
    [tenant, kind, id, before]: [&str; 4],
    body: &str,
) -> Result<(), StoreError> {
    let member = decode_value(body)?;
    let (Some(attribute), Some(text)) = (member_value(schema), keys::text(&member)) else { return Ok(()) };
    let key = keys::key(attribute, text);
    // Of two members that are one now, the one that was in this form has the key.
    Statement::new(
        "UPDATE members SET keys = jsonb(?6), member = CASE WHEN EXISTS (SELECT 1 FROM members AS m \
         WHERE m.tenant = ?1 AND m.type = ?2 AND m.id = ?3 AND m.member = ?5) THEN member ELSE ?5 END \
         WHERE tenant = ?1 AND type = ?2 AND id = ?3 AND member = ?4",
    )
    .text(tenant)
    .text(kind)
    .text(id)
    .text(before)
    .text(key.as_ref())
    .text(keys::member_document(schema, &key, &member)?)
    .execute(tx)
    .await?;
    Ok(())
}
