//! The values a resource is found by: rows of `resource_keys`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use scim_core::schema::{Attribute, AttributeType, ResourceSchema};
use scim_core::sort::SortKey;
use scim_core::store::{Scope, StoreError};
use scim_core::validate::UniqueKey;
use scim_core::{Resource, ResourceId, Value};
use scim_filter::compare;
use scim_filter::sql::key_document;
use sha2::{Digest as _, Sha256};

use super::database::{Statement, Tx, batches, places};
use super::encode;
use super::members::MEMBERS;

/// The attributes identity providers look resources up by, and a profile counts them by; of a complex one its `value`.
pub(super) const INDEXED: [&str; 5] = ["userName", "externalId", "displayName", "emails", ENTITLEMENTS];

/// Attribute and value, and the claim if no other resource may have it.
pub(super) type Keys = BTreeMap<(String, String), Option<String>>;

/// The keys of `resource`: its indexed values, and its unique keys.
pub(super) fn of(schema: &ResourceSchema, resource: &Resource, unique: &[UniqueKey]) -> Keys {
    let mut keys = Keys::new();
    for name in INDEXED {
        let (Some(attribute), Some(value)) = (indexed(schema, name), resource.get(name)) else {
            continue;
        };
        let values = value.as_array().unwrap_or(std::slice::from_ref(value));
        for text in values.iter().filter_map(text) {
            let key = key(attribute, text);
            if let Some(begin) = beginning(&key).filter(|_| is_sorted_by(schema, name)) {
                keys.insert((name.to_owned(), begin.to_owned()), None);
            }
            keys.insert((name.to_owned(), key.into_owned()), None);
        }
    }
    for key in unique {
        let value = short(Cow::Borrowed(&key.value)).into_owned();
        // As of its schema; URIs differ by more than case.
        let claim = key.qualified(schema).to_ascii_lowercase();
        keys.insert((key.attribute.to_string(), value), Some(claim));
    }
    keys
}

/// The resource as filters compare it: names as in the schema, and strings as comparison keys.
pub(super) fn document(schema: &ResourceSchema, resource: &Resource) -> Result<String, StoreError> {
    match serde_json::Value::from(resource.0.clone()) {
        serde_json::Value::Object(resource) => encode(&key_document(schema, &resource)),
        _ => Ok("{}".to_owned()),
    }
}

/// The same of a member, without its `value` where the row has that as `key`.
pub(super) fn member_document(
    schema: &ResourceSchema,
    key: &str,
    member: &Value,
) -> Result<String, StoreError> {
    let group = [(MEMBERS.to_owned(), serde_json::Value::Array(vec![member.clone().into()]))];
    let mut group = key_document(schema, &group.into_iter().collect());
    let member = group.get_mut(MEMBERS).and_then(|members| members.get_mut(0));
    let mut keys = match member.map(serde_json::Value::take) {
        Some(serde_json::Value::Object(keys)) => keys,
        Some(value) => [("value".to_owned(), value)].into_iter().collect(),
        None => serde_json::Map::new(),
    };
    if keys.get("value").and_then(serde_json::Value::as_str) == Some(key) {
        keys.remove("value");
    }
    encode(&keys)
}

/// The attribute whose values are indexed under `name`, or its `value`; `None` where the schema has
/// nothing of the kind.
pub(super) fn indexed<'s>(schema: &'s ResourceSchema, name: &str) -> Option<&'s Attribute> {
    let attribute = schema.find(None, name)?;
    let compared = match attribute.kind {
        AttributeType::Complex => attribute.sub_attribute("value")?,
        _ => attribute,
    };
    if name == ENTITLEMENTS {
        // INVARIANT: of nothing else has the migration that came with it made keys (`0012_entitlements.sql`), which
        // knows no schema.
        let is_known = attribute.multi_valued && attribute.name == ENTITLEMENTS && compared.name == "value";
        if !is_known || attribute.kind != AttributeType::Complex {
            return None;
        }
    }
    matches!(compared.kind, AttributeType::String | AttributeType::Reference).then_some(compared)
}

/// `text` as the index holds values of `attribute`.
pub(super) fn key<'t>(attribute: &Attribute, text: &'t str) -> Cow<'t, str> {
    short(if attribute.case_exact { Cow::Borrowed(text) } else { compare::fold(text) })
}

/// What resources with the value `text` of the attribute are found by; `None` where one may have no such key, as SQL,
/// which made those of `entitlements`, can shorten nothing.
pub(super) fn found_by<'t>(schema: &ResourceSchema, name: &str, text: &'t str) -> Option<Cow<'t, str>> {
    let key = key(indexed(schema, name)?, text);
    (name != ENTITLEMENTS || is_whole(&key)).then_some(key)
}

/// Whether lists are read off the index in the order of the attribute: it has one value, and no parts.
pub(super) fn is_sorted_by(schema: &ResourceSchema, name: &str) -> bool {
    let attribute = schema.find(None, name);
    attribute.is_some_and(|attribute| !attribute.multi_valued && attribute.kind != AttributeType::Complex)
}

/// What a list is sorted by in place of the key, which is longer.
fn beginning(key: &str) -> Option<&str> {
    let (end, _) = key.char_indices().nth(SortKey::LONGEST)?;
    key.get(..end)
}

/// Whether the index holds values of an attribute that the key is not one of, but the beginning.
pub(super) fn may_be_beginning(key: &str) -> bool {
    key.chars().count() == SortKey::LONGEST
}

/// Whether an index holds the text as it is.
pub(super) fn is_whole(text: &str) -> bool {
    text.len() <= LONGEST
}

/// A long text as its beginning and what tells it from all others.
///
/// It is longer than any text that is held as it is, so it equals none of them, and has more characters
/// than any [beginning].
pub(super) fn short(text: Cow<'_, str>) -> Cow<'_, str> {
    if is_whole(&text) {
        return text;
    }
    let begin = text.get(..text.floor_char_boundary(LONGEST)).unwrap_or_default();
    Cow::Owned(format!("{begin}\u{2026}{:x}", Sha256::digest(text.as_bytes())))
}

/// A value's text, or that of its `value`.
pub(super) fn text(value: &Value) -> Option<&str> {
    match value.as_object() {
        Some(object) => object.get("value").and_then(Value::as_str),
        None => value.as_str(),
    }
}

/// Gives a resource that has none its keys.
pub(super) async fn insert(
    tx: &mut Tx,
    scope: Scope<'_>,
    id: &ResourceId,
    keys: &Keys,
) -> Result<(), StoreError> {
    let rows: Vec<Row<'_>> = keys.iter().map(|(key, claim)| (key, claim.as_deref(), true)).collect();
    refused(add(tx, scope, id, &rows).await?)
}

/// A key, its claim, and whether that is made or only noted.
type Row<'k> = (&'k (String, String), Option<&'k str>, bool);

/// Adds rows; those are returned that another resource's claim keeps out.
async fn add<'k>(
    tx: &mut Tx,
    scope: Scope<'_>,
    id: &ResourceId,
    keys: &[Row<'k>],
) -> Result<Vec<Row<'k>>, StoreError> {
    let mut missing = Vec::new();
    for batch in batches(keys) {
        let rows: Vec<String> =
            (0..batch.len()).map(|row| format!("(?1, ?2, ?3, {})", places(4 + 4 * row, 4))).collect();
        let mut insert = Statement::new(format!(
            "INSERT INTO resource_keys (tenant, type, id, attribute, value, claimed, claim) VALUES {} \
             ON CONFLICT DO NOTHING RETURNING attribute, value",
            rows.join(", ")
        ))
        .text(scope.tenant.as_str())
        .text(scope.schema.name())
        .text(id.as_str());
        for ((attribute, value), claim, made) in batch {
            let claimed = claim.is_some() && *made;
            insert = insert.text(attribute).text(value).flag(claimed).text(claim.unwrap_or_default());
        }
        let inserted: Vec<(String, String)> = insert.rows(tx).await?;
        // Of its own rows none is in the way any more, so it is another resource's claim.
        missing.extend(batch.iter().copied().filter(|(key, ..)| !inserted.contains(key)));
    }
    Ok(missing)
}

fn refused(missing: Vec<Row<'_>>) -> Result<(), StoreError> {
    match missing.into_iter().next() {
        Some(((attribute, _), ..)) => Err(StoreError::Conflict { attribute: attribute.clone() }),
        None => Ok(()),
    }
}

/// The keys that the resource has: whether each is claimed, and the claim, also one that is only noted.
pub(super) type Present = BTreeMap<(String, String), (bool, String)>;

pub(super) async fn present(tx: &mut Tx, scope: Scope<'_>, id: &ResourceId) -> Result<Present, StoreError> {
    let rows: Vec<(String, String, bool, String)> = Statement::new(
        "SELECT attribute, value, claimed, claim FROM resource_keys \
         WHERE tenant = ?1 AND type = ?2 AND id = ?3",
    )
    .text(scope.tenant.as_str())
    .text(scope.schema.name())
    .text(id.as_str())
    .rows(tx)
    .await?;
    let key = |(attribute, value, claimed, claim)| ((attribute, value), (claimed, claim));
    Ok(rows.into_iter().map(key).collect())
}

/// Makes `keys` the keys of the resource; those it has already are not written again.
///
/// A value that the resource has had without a claim to it, as the rule that it is unique came later, is
/// claimed if nobody else has claimed it, and otherwise stays what it is: what is not changed is no
/// reason to refuse what is.
pub(super) async fn put(
    tx: &mut Tx,
    scope: Scope<'_>,
    id: &ResourceId,
    keys: &Keys,
) -> Result<(), StoreError> {
    exchange(tx, scope, id, keys, false).await
}

/// The same of a resource that is not written, but whose keys are made otherwise now: of a value that another
/// resource has claimed, the claim is noted.
pub(super) async fn renew(
    tx: &mut Tx,
    scope: Scope<'_>,
    id: &ResourceId,
    keys: &Keys,
) -> Result<(), StoreError> {
    exchange(tx, scope, id, keys, true).await
}

/// Where `keeps`, no value is a reason to refuse anything.
async fn exchange(
    tx: &mut Tx,
    scope: Scope<'_>,
    id: &ResourceId,
    keys: &Keys,
    keeps: bool,
) -> Result<(), StoreError> {
    let present = present(tx, scope, id).await?;
    let is_same = |key: &(String, String), claim: Option<&str>| match present.get(key) {
        Some((claimed, held)) => *claimed == claim.is_some() && held == claim.unwrap_or_default(),
        None => false,
    };
    for key in present.keys() {
        if keys.get(key).is_some_and(|claim| is_same(key, claim.as_deref())) {
            continue;
        }
        let (attribute, value) = key;
        Statement::new(
            "DELETE FROM resource_keys \
             WHERE tenant = ?1 AND type = ?2 AND attribute = ?3 AND value = ?4 AND id = ?5",
        )
        .text(scope.tenant.as_str())
        .text(scope.schema.name())
        .text(attribute)
        .text(value)
        .text(id.as_str())
        .execute(tx)
        .await?;
    }
    let rows = keys.iter().map(|(key, claim)| (key, claim.as_deref(), true));
    let rows = rows.filter(|(key, claim, _)| !is_same(key, *claim));
    let is_had = |(key, ..): &Row<'_>| keeps || present.get(*key).is_some_and(|(claimed, _)| !claimed);
    let (had, new): (Vec<Row<'_>>, Vec<Row<'_>>) = rows.partition(is_had);
    refused(add(tx, scope, id, &new).await?)?;
    let lost = add(tx, scope, id, &had).await?;
    let noted: Vec<Row<'_>> = lost.into_iter().map(|(key, claim, _)| (key, claim, false)).collect();
    refused(add(tx, scope, id, &noted).await?)
}

/// The attribute that was indexed when there were databases already.
const ENTITLEMENTS: &str = "entitlements";

/// The longest text that an index holds as it is: a row of a PostgreSQL index has 2,700 bytes.
// INVARIANT: as many bytes as a beginning can have, so that each beginning is shorter than what is cut.
const LONGEST: usize = 4 * SortKey::LONGEST;
