//! The audit trail: rows of `audit`, inserted with the changes they speak of.

use jiff::Timestamp;
use scim_core::ResourceId;
use scim_core::audit::Record;
use scim_core::store::StoreError;

use super::database::{Statement, Tx};
use super::encode;

/// Which records are wanted. [`Default`] are the first of no tenant.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Of which tenant.
    pub tenant: String,
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// Of one resource alone: the name of its type, and its `id`.
    pub resource: Option<(String, String)>,
    /// After the end of a page.
    pub after: Option<AuditPlace>,
}

/// A page of the audit trail.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// The records as JSON documents, in the order of time.
    pub records: Vec<String>,
    /// Where the page ends, unless there is nothing behind it.
    pub end: Option<AuditPlace>,
}

/// A place in the audit trail.
#[derive(Clone, Debug)]
pub struct AuditPlace {
    time: i64,
    id: String,
}

/// Keeps `record`, if there is one, with what else the transaction changes.
pub(super) async fn keep(tx: &mut Tx, record: Option<&Record>) -> Result<(), StoreError> {
    let Some(record) = record else { return Ok(()) };
    let resource = record.resource.as_ref().map_or("", ResourceId::as_str);
    Statement::new(
        "INSERT INTO audit (tenant, time, id, type, resource, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )
    .text(record.tenant.as_str())
    .number(number(record.time))
    .text(uuid::Uuid::new_v4().simple().to_string())
    .text(record.resource_type.as_deref().unwrap_or_default())
    // What is longer is no resource of this store, only something a client asked for.
    .text(if resource.len() > LONGEST_ID { "" } else { resource })
    .text(encode(record)?)
    .execute(tx)
    .await?;
    Ok(())
}

/// A page of the records that `wanted` asks for.
pub(super) async fn read(tx: &mut Tx, wanted: &AuditQuery) -> Result<AuditPage, StoreError> {
    let after = wanted.after.as_ref();
    // A page begins where the last one ended, so that none costs more than the first.
    let since = wanted.since.map_or(i64::MIN, number).max(after.map_or(i64::MIN, |place| place.time));
    let until = wanted.until.map_or(i64::MAX, number);
    let mut select = Statement::new(text(wanted.resource.is_some()))
        .text(&wanted.tenant)
        .number(since)
        .number(until)
        .number(after.map_or(i64::MIN, |place| place.time))
        .text(after.map_or("", |place| &place.id));
    if let Some((kind, id)) = &wanted.resource {
        select = select.text(kind).text(id);
    }
    let mut rows: Vec<(i64, String, String)> = select.rows(tx).await?;
    let ends = rows.len() <= PAGE;
    rows.truncate(PAGE);
    let end = rows.last().filter(|_| !ends).map(|(time, id, _)| AuditPlace { time: *time, id: id.clone() });
    Ok(AuditPage { records: rows.into_iter().map(|(.., body)| body).collect(), end })
}

/// The statement that reads a page, and one row more.
pub(super) fn text(of_resource: bool) -> String {
    // `+ 0` leaves SQLite, which knows nothing of how many there are, no better range than the resource.
    let (end, of) = match of_resource {
        true => ("time + 0", " AND type = ?6 AND resource = ?7"),
        false => ("time", ""),
    };
    format!(
        "SELECT time, id, body FROM audit WHERE tenant = ?1 AND time >= ?2 AND {end} < ?3 \
         AND (time > ?4 OR (time = ?4 AND id > ?5)){of} ORDER BY time, id LIMIT {}",
        PAGE + 1
    )
}

/// Nanoseconds since 1970, which fit until the year 2262.
pub(super) fn number(time: Timestamp) -> i64 {
    let nanoseconds = time.as_nanosecond();
    i64::try_from(nanoseconds).unwrap_or(if nanoseconds < 0 { i64::MIN } else { i64::MAX })
}

/// Records in a page.
const PAGE: usize = 500;
/// An index of PostgreSQL has a limit to what it can hold.
const LONGEST_ID: usize = 255;
