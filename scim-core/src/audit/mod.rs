//! The audit trail: what was changed, by whom, and how it ended, one record for each change.
//!
//! A [`Service`](crate::Service) that is given an [`Audit`] makes a [`Record`] of every change it
//! makes, by POST, PUT, PATCH and DELETE, alone or in a bulk request, and of every one it refuses. The
//! clock is the embedder's ([`Environment::now`](crate::Environment)), and so is the [`Sink`]:
//! [`JsonLines`], or one of one's own.
//!
//! ```
//! use std::sync::{Arc, Mutex};
//!
//! use scim_core::audit::{Audit, Effect, Record, Sink, SinkError};
//! # use scim_core::auth::{Principal, Secret, StaticTokens};
//! # use scim_core::{Config, CredentialId, Environment, MemoryStore, ResourceId, Service, TenantId};
//!
//! #[derive(Clone, Default)]
//! struct Kept(Arc<Mutex<Vec<Record>>>);
//!
//! impl Sink for Kept {
//!     fn record(&self, record: &Record) -> Result<(), SinkError> {
//!         self.0.lock().map_err(|_| "the list is lost")?.push(record.clone());
//!         Ok(())
//!     }
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let okta = Principal { tenant: TenantId::new("acme"), credential: CredentialId::new("okta") };
//! # let tokens = StaticTokens::new().with(Secret::new("s3cr3t")?, okta);
//! # let config = Config::new("https://example.com/scim/v2".parse()?);
//! # let environment = Environment::new(|| jiff::Timestamp::UNIX_EPOCH, || ResourceId::new("1"));
//!
//! let kept = Kept::default();
//! let service = Service::new(MemoryStore::new(), tokens, config, environment)
//!     .with_audit(Audit::new(kept.clone()));
//! # let body = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"babs"}"#;
//! # let request = || http::Request::post("/scim/v2/Users").header("authorization", "Bearer s3cr3t").body(body.into());
//! # let _ = service.call(request()?).await;
//! # let _ = service.call(request()?).await;
//! // … a POST that creates `babs`, and the same once more …
//! let records = kept.0.lock().unwrap();
//! assert_eq!(records[0].effect, Effect::Created);
//! assert_eq!(
//!     serde_json::to_string(&records[1])?,
//!     r#"{"time":"1970-01-01T00:00:00Z","tenant":"acme","credential":"okta","operation":"create","#.to_owned()
//!         + r#""effect":"refused","resourceType":"User","status":409,"scimType":"uniqueness"}"#,
//! );
//! # Ok(())
//! # }
//! ```
//!
//! # What is recorded
//!
//! - One record for each change that was made; a request that changes nothing has none, unless the policy
//!   [remarked](crate::policy::Policy::remarks) on it: then it has one with `effect` `unchanged`. What a policy
//!   makes of a request is recorded as what it is: a PATCH that deactivates and by the policy deletes
//!   has `operation` `patch` and `effect` `deleted`. Each operation of a bulk request has its own, and
//!   so have the steps in which [resources that refer to one another](crate::service#bulk) are created;
//!   one that is taken back has `operation` `create` and `effect` `deleted`.
//! - One record for each change that was refused, with status and `scimType`, but not with what was
//!   asked for, nor with the error's detail, which may quote it. A bulk request that is refused as a
//!   whole has one, too. A request without a valid credential has none, since it is nobody's, and
//!   whoever may not write could otherwise fill the trail; nor has one to a path or with a method there
//!   is not. Such attempts are told by the spans of requests (feature `tracing`: method and status) and
//!   in the log that the embedder keeps of requests.
//!
//! # The JSON document
//!
//! A record serializes as one JSON object. Members without a value are left out; more members may come with
//! later versions of the library.
//!
//! | member | JSON | meaning |
//! |---|---|---|
//! | `time` | string | when, by the embedder's clock (RFC 3339, UTC) |
//! | `tenant`, `credential` | string | whose resource; which credential asked ([`Principal`](crate::auth::Principal)); never the secret |
//! | `request` | string | the [`RequestId`], if the embedder gave the request one |
//! | `bulk` | object | of an operation of a bulk request: `index`, its place among the `Operations`, from 0, and `bulkId` |
//! | `operation` | string | what was asked for: `create`, `replace`, `patch`, `delete`, or `bulk` for a bulk request as a whole |
//! | `effect` | string | what was done: an [`Effect`] |
//! | `resourceType`, `resource` | string | the type's name, and the `id` |
//! | `versionBefore`, `versionAfter` | number | the [`Version`]s; those of a resource's changes join without a gap, but where a member of it was deleted |
//! | `status`, `scimType` | number, string | the answer's |
//! | `rule` | string | the [rule](crate::Error::rule) beyond the RFCs that refused it |
//! | `subject` | string | for [whom or what](crate::Error::subject) the rule refused it |
//! | `remedy` | string | what [whoever runs the service](crate::Error::remedy) can do about the refusal |
//! | `leniencies` | array of strings | the [`Leniency`] names that fired |
//! | `remarks` | array of strings | what the policy [remarked](crate::policy::Policy::remarks) |
//! | `changes` | array of objects | the attributes that became different |
//! | `left` | object | of a deletion: `count`, how many groups the resource was taken out of, and `groups`, the first of them as `TYPE/ID` |
//!
//! A change has in `attribute` the attribute's name, that of an extension's behind the extension's URI
//! and a colon, and
//!
//! - `before` and `after`, its whole value, absent where there was or is none; or
//! - of an attribute whose values may be many ([`keyed`](crate::patch::keyed): `members`), `removed`,
//!   the `value`s taken out, and then `added`, the values put in; one that stays with another `display`
//!   is in both. The store tells who they were ([`ChangedMembers`]), also of a change
//!   that replaces all members, and of a deleted group. The record names all whom the request named, and
//!   of others the [first thousand](MembersChanged::MOST), so that it stays short whatever the group; where
//!   `removed` or `added` are not exactly those who went or came, `removedCount` or `addedCount` says how
//!   many did. What is said of a change that was not made, or of a store that does not tell, is what was
//!   asked for: a member who was added may have been one, and with `"replaced": true` all that was there
//!   was taken out first;
//! - `"redacted": true`, where something of it is not shown.
//!
//! A resource that is deleted leaves its groups with it. Their versions grow by one for that, and the
//! record is that of the deletion: `left` says how many groups it left, and names the first hundred, so
//! that a record stays short whoever is deleted.
//!
//! `id` and `meta` are not among the changes, nor is an order of members.
//!
//! # Secrets
//!
//! `"[redacted]"` stands in the place of each value that is `writeOnly` or never `returned`, of
//! `password` whatever its schema says, and of what no schema of the resource type defines, in
//! resources, extensions and their complex attributes.
//!
//! # What is guaranteed
//!
//! - **A store that [keeps the audit trail](crate::Store::keeps_audit)** is given the record with the
//!   change, and keeps both or neither, whatever happens: crash, cut connection, client gone. A record
//!   that cannot be kept is a failure of the store, so that the change is refused.
//! - **A [`Sink`]** is told of a change once the store has acknowledged it, with no point between the
//!   two at which the request could be dropped. A request that is dropped while the store is at work,
//!   as when its client leaves, is recorded as [`Effect::Interrupted`]. What is left is the end of the
//!   process between the two: then the change was made and has no record, which the versions on either
//!   side of it show, unless it was the resource's last. [`OnFailure::Refuse`] closes this gap, with a
//!   record of what is intended.
//! - A sink that fails has no say once a change is made. The answer stays what it is, and
//!   [`Outcome::unrecorded`](crate::service::Outcome::unrecorded) has the error for the log
//!   ([`OnFailure::Report`], the default).

mod change;
mod json;
mod members;
mod redact;
mod sink;

pub use change::{AttributeChange, Changed};
pub use members::{MembersChanged, MembersNamed};
pub use sink::{Audit, JsonLines, OnFailure, Sink, SinkError};

pub(crate) use change::changes;
pub(crate) use members::names_members;

use std::borrow::Cow;

use http::StatusCode;

pub use crate::ids::RequestId;
use crate::leniency::Leniency;
use crate::service::Operation;
use crate::store::{ChangedMembers, Deletion, LeftGroups, Update};
use crate::{CredentialId, ResourceId, ScimType, TenantId, Version};

/// One change, made or refused: an entry of the audit trail.
///
/// Serializes as the JSON document that the [module](self) describes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Record {
    /// When, by the embedder's clock.
    pub time: jiff::Timestamp,
    /// Whose resource.
    pub tenant: TenantId,
    /// Which credential asked.
    pub credential: CredentialId,
    /// The request, if the embedder gave it an id.
    pub request: Option<RequestId>,
    /// The place in a bulk request.
    pub bulk: Option<BulkPlace>,
    /// What was asked for.
    pub operation: Operation,
    /// What was done.
    pub effect: Effect,
    /// The name of the resource type.
    pub resource_type: Option<Box<str>>,
    /// The resource, if it has an `id` that is known.
    pub resource: Option<ResourceId>,
    /// Its version before the change.
    pub version_before: Option<Version>,
    /// Its version after the change.
    pub version_after: Option<Version>,
    /// The status of the answer. A change that is part of a larger one has none.
    pub status: Option<StatusCode>,
    /// The keyword of the error.
    pub scim_type: Option<ScimType>,
    /// The [rule](crate::Error::rule) that refused it, if it was named.
    pub rule: Option<Box<str>>,
    /// For [whom or what](crate::Error::subject) the rule refused it, if that was said.
    pub subject: Option<Box<str>>,
    /// What [whoever runs the service](crate::Error::remedy) can do about the refusal, if that was said.
    pub remedy: Option<Box<str>>,
    /// The leniencies that fired.
    pub leniencies: Vec<Leniency>,
    /// What the policy remarked.
    pub remarks: Vec<String>,
    /// The attributes that became different.
    pub changes: Vec<AttributeChange>,
    /// The groups that a deleted resource left.
    pub left: Option<GroupsLeft>,
}

/// The groups that a resource was taken out of because it was deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupsLeft {
    /// How many there are.
    pub count: usize,
    /// The first of them, as `TYPE/ID`: at most [`MOST`](Self::MOST).
    pub first: Vec<Box<str>>,
}

impl GroupsLeft {
    /// The most groups that are named.
    pub const MOST: usize = 100;
}

impl Record {
    /// A record of a request that was refused before anything is known of it. The service makes its own;
    /// this is for tests of what takes records.
    pub fn new(
        time: jiff::Timestamp,
        tenant: TenantId,
        credential: CredentialId,
        operation: Operation,
    ) -> Self {
        Self {
            time,
            tenant,
            credential,
            request: None,
            bulk: None,
            operation,
            effect: Effect::Refused,
            resource_type: None,
            resource: None,
            version_before: None,
            version_after: None,
            status: None,
            scim_type: None,
            rule: None,
            subject: None,
            remedy: None,
            leniencies: Vec::new(),
            remarks: Vec::new(),
            changes: Vec::new(),
            left: None,
        }
    }

    /// The same record, of a deletion by which the resource left groups and members went, as far as `deletion`
    /// notes them.
    pub fn leaving(&self, deletion: &Deletion<'_>) -> Cow<'_, Self> {
        let left = deletion.left.and_then(LeftGroups::told);
        let members = deletion.members.and_then(ChangedMembers::told);
        if left.is_none() && members.is_none() {
            return Cow::Borrowed(self);
        }
        let mut record = Self { left, ..self.clone() };
        if let Some(members) = members {
            record.tell_members(members);
        }
        Cow::Owned(record)
    }

    /// The same record, of a change by which the resource came to have `version`, with the members who went and
    /// came by it, as far as `update` notes them.
    pub fn updated(&self, update: &Update<'_>, version: Version) -> Cow<'_, Self> {
        let record = self.in_version(Some(version));
        match update.members.and_then(ChangedMembers::told) {
            None => record,
            Some(members) => {
                let mut record = record.into_owned();
                record.tell_members(members);
                Cow::Owned(record)
            }
        }
    }

    /// The same record, of a change by which the resource came to have `version`: a change of members
    /// alone is made on whatever version is there, which only the store knows.
    pub fn in_version(&self, version: Option<Version>) -> Cow<'_, Self> {
        if version.is_none() || self.version_after == version {
            return Cow::Borrowed(self);
        }
        let version_before = version.map(|Version(number)| Version(number.saturating_sub(1)));
        Cow::Owned(Self { version_before, version_after: version, ..self.clone() })
    }
}

/// Which operation of a bulk request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BulkPlace {
    /// Its place among the `Operations`, from 0.
    pub index: usize,
    /// Its `bulkId`.
    pub bulk_id: Option<Box<str>>,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Effect {
    /// `created`: a resource is there that was not.
    Created,
    /// `changed`: a resource has another version.
    Changed,
    /// `deleted`: a resource is gone.
    Deleted,
    /// `refused`: nothing, for what was asked for is not permitted or not possible: a status below 500,
    /// or 501.
    Refused,
    /// `failed`: nothing that was acknowledged, for something broke: another status from 500 on. Where
    /// the store broke while it made the change, the change may have been made; a store that keeps the
    /// audit trail has its record then.
    Failed,
    /// `interrupted`: the request was dropped while the store was at work; the change may have been
    /// made. A store that keeps the audit trail has its record then.
    Interrupted,
    /// `intended`: the change is about to be made ([`OnFailure::Refuse`]). Another record says how it
    /// ended; if none does, the process ended before, and the change may have been made.
    Intended,
    /// `unchanged`: nothing became different, for it is as was asked for already, or what was asked for was left
    /// out; the remarks say so.
    Unchanged,
    /// `withdrawn`: an intended change was not made: nothing would have become different, or another
    /// request changed the resource first, after which it is tried again.
    Withdrawn,
}

impl Effect {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Deleted => "deleted",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Intended => "intended",
            Self::Unchanged => "unchanged",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The effect of a request that is answered with an error.
    pub(crate) fn of_error(status: StatusCode) -> Self {
        if status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED {
            Self::Failed
        } else {
            Self::Refused
        }
    }
}
