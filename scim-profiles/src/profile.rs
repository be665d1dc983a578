//! A vendor as data: what it serves, what it wants, what it does with it.

use std::fmt;
use std::sync::Arc;

use scim_core::leniency::Leniencies;
use scim_core::message::BULK_REQUEST;
use scim_core::policy::Policy;
use scim_core::schema::{
    Attribute, AttributeType, Mutability, Registry, ResourceSchema, Returned, Uniqueness, builtin,
};
use scim_core::{Config, Object, ResourceId, Value};
use scim_filter::{BoundAttr, BoundExpr, BoundFilter, CompareOp};
use url::Url;

use crate::lint;
use crate::markdown::{self, Table};
use crate::report::Report;
use crate::rule::{Literal, Payload, Rule};
use crate::{Source, datadog, generic, incident_io, pagerduty};

/// The URI in `schemas` that makes a message a PATCH (RFC 7644 §3.5.2).
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A service provider as data: one set of rows that lints payloads, drives a server, and can be
/// read.
///
/// ```
/// use scim_core::Value;
/// use scim_profiles::Profile;
///
/// let payload = Value::from(serde_json::json!({
///     "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
///     "userName": "alex.doe@example.com",
///     "displayName": "Alex Doe",
///     "roles": [{"value": "owner", "type": "base"}],
/// }));
/// let report = Profile::by_name("pagerduty").expect("is one of the profiles").lint(&payload);
/// let error = report.errors().next().expect("no API grants the owner's role");
/// assert_eq!((error.rule, error.path.as_str()), ("role-owner", "roles[0].value"));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Profile {
    /// The name programs select it by.
    pub name: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// Where the vendor serves SCIM.
    pub base_urls: &'static [BaseUrl],
    /// What requests there are, and the statuses they are answered with.
    pub endpoints: &'static [Endpoint],
    /// What ServiceProviderConfig says, and pages of lists.
    pub capabilities: &'static [Capability],
    /// The spellings of the Authorization header that are accepted.
    pub authorization: &'static [Authorization],
    /// The types of resource, with their rules.
    pub resources: &'static [ResourceProfile],
    /// What the vendor does with a resource, beyond judging payloads.
    pub lifecycle: &'static [Lifecycle],
    /// What is left open, and how it is taken unless one says otherwise.
    pub options: &'static [OptionRow],
    /// How errors are answered.
    pub errors: ErrorStyle,
    pub(crate) behaviour: Behaviour,
}

/// Where a vendor serves SCIM.
#[derive(Clone, Copy, Debug)]
pub struct BaseUrl {
    /// For whom: a region or site.
    pub region: &'static str,
    /// The URL.
    pub url: &'static str,
    /// Where the row comes from.
    pub source: Source,
}

/// A request and the statuses it is answered with.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    /// The method.
    pub method: &'static str,
    /// The path below the base URL, with `{id}` for an identifier.
    pub path: &'static str,
    /// The statuses the vendor declares.
    pub statuses: &'static [u16],
    /// The OAuth scope a token needs for it, where the vendor has scopes.
    pub scope: Option<&'static str>,
    /// Where the row comes from.
    pub source: Source,
}

/// One thing a service provider says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Capability {
    /// The attribute of ServiceProviderConfig, or `itemsPerPage` for the page size of lists.
    pub name: &'static str,
    /// The value.
    pub value: CapabilityValue,
    /// Where the row comes from.
    pub source: Source,
}

/// The value of a [`Capability`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CapabilityValue {
    /// A flag or a text.
    Literal(Literal),
    /// A number.
    Number(usize),
}

/// A spelling of the Authorization header.
#[derive(Clone, Copy, Debug)]
pub struct Authorization {
    /// What stands before the token: `Bearer `.
    pub prefix: &'static str,
    /// Who sends it.
    pub sent_by: &'static str,
    /// Where the row comes from.
    pub source: Source,
}

/// A type of resource, with its rules.
#[derive(Clone, Copy, Debug)]
pub struct ResourceProfile {
    /// The name of the resource type: `User`.
    pub resource_type: &'static str,
    /// The attributes the vendor knows; empty where they are those of RFC 7643. Those that are
    /// [common](AttributeRow::is_common) to all resources are among them where the vendor says something of them.
    pub attributes: &'static [AttributeRow],
    /// The rules payloads are judged by.
    pub rules: &'static [Rule],
    /// The filters a list request may have.
    pub filters: Filters,
    /// Whether a PUT or PATCH that ends with `active` `false` deletes the resource. It is then not
    /// judged by the rules of what is stored.
    pub deactivation_deletes: bool,
}

/// An attribute the vendor knows.
#[derive(Clone, Copy, Debug)]
pub struct AttributeRow {
    /// The name.
    pub name: &'static str,
    /// The data type.
    pub kind: AttributeType,
    /// Whether it holds an array of values.
    pub multi_valued: bool,
    /// Whether a resource must have a value.
    pub required: bool,
    /// Whether strings compare with case.
    pub case_exact: bool,
    /// Whether the vendor makes it, and what a client sends of it is passed over.
    pub read_only: bool,
    /// Whether it is in every response, whatever the request asks for.
    pub always_returned: bool,
    /// Whether no two resources may have the same value.
    pub unique: bool,
    /// What it means.
    pub description: &'static str,
    /// The values it may have, where they are few.
    pub values: &'static [&'static str],
    /// The sub-attributes of a complex attribute.
    pub sub_attributes: &'static [AttributeRow],
    /// Where the row comes from.
    pub source: Source,
}

impl AttributeRow {
    /// One that has a single value, and nothing else to be said of it.
    pub(crate) const fn new(
        name: &'static str,
        kind: AttributeType,
        description: &'static str,
        source: Source,
    ) -> Self {
        Self {
            name,
            kind,
            multi_valued: false,
            required: false,
            case_exact: false,
            read_only: false,
            always_returned: false,
            unique: false,
            description,
            values: &[],
            sub_attributes: &[],
            source,
        }
    }

    /// Whether every resource has it, whatever its schema (RFC 7643 §3.1), so that no schema defines it.
    ///
    /// ```
    /// let attributes = scim_profiles::pagerduty::PROFILE.resource("User").expect("is there").attributes;
    /// let common = attributes.iter().filter(|row| row.is_common()).map(|row| row.name);
    /// assert_eq!(common.collect::<Vec<_>>(), ["id", "externalId", "meta"]);
    /// ```
    pub fn is_common(&self) -> bool {
        builtin::common_attributes().iter().any(|common| common.name == self.name)
    }

    /// The definition that a schema has of it.
    pub fn to_attribute(&self) -> Attribute {
        let mut attribute = Attribute::new(self.name, self.kind).describe(self.description);
        attribute.multi_valued = self.multi_valued;
        attribute.required = self.required;
        attribute.case_exact = self.case_exact;
        attribute.canonical_values = self.values.iter().map(|value| (*value).to_owned()).collect();
        attribute.sub_attributes = self.sub_attributes.iter().map(Self::to_attribute).collect();
        if self.read_only {
            attribute.mutability = Mutability::ReadOnly;
        }
        if self.always_returned {
            attribute.returned = Returned::Always;
        }
        if self.unique {
            attribute.uniqueness = Uniqueness::Server;
        }
        attribute
    }
}

/// The filters a list request may have.
#[derive(Clone, Copy, Debug)]
pub enum Filters {
    /// Every filter on attributes that may be read.
    Any,
    /// One comparison of one of these attributes.
    Only(&'static [Filterable]),
    /// One of these forms.
    Forms(&'static [FilterForm]),
}

impl Filters {
    /// Whether a list request may have `filter`.
    pub fn allow(&self, filter: &BoundFilter) -> bool {
        match self {
            Self::Any => true,
            Self::Only(rows) => match filter.expr() {
                BoundExpr::Compare(attr, op, _) => rows.iter().any(|row| {
                    is(attr, row.attribute) && row.operators.iter().any(|name| *name == op.as_str())
                }),
                _ => false,
            },
            Self::Forms(forms) => forms.iter().any(|form| form.is(filter)),
        }
    }

    /// The forms that filters may have, where they are few.
    pub fn forms(&self) -> &'static [FilterForm] {
        match self {
            Self::Any | Self::Only(_) => &[],
            Self::Forms(forms) => forms,
        }
    }
}

/// A form of filters: each of some attributes compared by `eq`, with `and` in between and in any order.
#[derive(Clone, Copy, Debug)]
pub struct FilterForm {
    /// The attributes.
    pub attributes: &'static [&'static str],
    /// Where the row comes from.
    pub source: Source,
}

impl FilterForm {
    /// The filter with placeholders: `id eq "…" and members eq "…"`.
    pub fn shown(&self) -> String {
        self.attributes.iter().map(|name| format!("{name} eq \"…\"")).collect::<Vec<_>>().join(" and ")
    }

    fn is(&self, filter: &BoundFilter) -> bool {
        let names = |expr| match expr {
            BoundExpr::Compare(attr, CompareOp::Eq, _) => {
                self.attributes.iter().position(|name| is(attr, name))
            }
            _ => None,
        };
        match filter.expr() {
            BoundExpr::And(terms) => {
                let mut left: Vec<usize> = (0..self.attributes.len()).collect();
                let all = terms.map(|term| names(term.expr())).all(|found| {
                    let place = found.and_then(|found| left.iter().position(|other| *other == found));
                    place.map(|place| left.swap_remove(place)).is_some()
                });
                all && left.is_empty()
            }
            expr => self.attributes.len() == 1 && names(expr).is_some(),
        }
    }
}

/// Whether `attr` is the attribute `name` of the base schema, by its `value` where it is complex.
fn is(attr: &BoundAttr, name: &str) -> bool {
    attr.extension.is_none()
        && attr.name.matches(name)
        && attr.sub.as_ref().is_none_or(|sub| sub.matches("value") && attr.multi_valued)
}

/// An attribute that may be filtered by.
#[derive(Clone, Copy, Debug)]
pub struct Filterable {
    /// The attribute.
    pub attribute: &'static str,
    /// The operators, as RFC 7644 spells them.
    pub operators: &'static [&'static str],
    /// Where the row comes from.
    pub source: Source,
}

/// Something a vendor does with a resource.
#[derive(Clone, Copy, Debug)]
pub struct Lifecycle {
    /// The name, unique in its profile (rules included) and stable.
    pub id: &'static str,
    /// What happens, as a sentence without capital and period.
    pub statement: &'static str,
    /// What it says of a request.
    pub kind: RowKind,
    /// The status it is answered with, where it decides one.
    pub status: Option<u16>,
    /// Where the row comes from.
    pub source: Source,
}

/// What a row of [`Lifecycle`] says of a request, and so what can show that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// What becomes of it: the row refuses nothing.
    Effect,
    /// What is refused, and by that what is not.
    Refusal,
    /// What is to be so outside, and no request shows.
    Premise,
}

impl RowKind {
    /// `effect`, `refusal` or `premise`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Effect => "effect",
            Self::Refusal => "refusal",
            Self::Premise => "premise",
        }
    }
}

/// Something that the vendor's documents leave open, or leave to an account.
#[derive(Clone, Copy, Debug)]
pub struct OptionRow {
    /// The name of the option, as the profile's options have it.
    pub name: &'static str,
    /// How it is taken unless one says otherwise.
    pub default: &'static str,
    /// What it decides, as a phrase without capital and period.
    pub statement: &'static str,
    /// Where the row comes from.
    pub source: Source,
}

/// How errors are answered.
#[derive(Clone, Copy, Debug)]
pub struct ErrorStyle {
    /// The shape of the body.
    pub body: ErrorBody,
    /// The status for a value that is taken (`uniqueness`).
    pub duplicate: u16,
    /// Where the row comes from.
    pub source: Source,
}

/// The shape of an error's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorBody {
    /// `schemas`, `status`, `scimType`, `detail` (RFC 7644 §3.12).
    Rfc7644,
    /// `errors`, an array of texts.
    Errors,
}

impl ErrorBody {
    /// The members of the body.
    pub fn members(self) -> &'static [&'static str] {
        match self {
            Self::Rfc7644 => &["schemas", "status", "scimType", "detail"],
            Self::Errors => &["errors"],
        }
    }
}

/// What of a profile is code.
#[derive(Clone, Copy)]
pub(crate) struct Behaviour {
    pub(crate) registry: fn() -> &'static Registry,
    pub(crate) config: fn(Url) -> Config,
    /// What a linter lets pass with a warning.
    pub(crate) leniencies: fn() -> Leniencies,
    pub(crate) policy: fn() -> Arc<dyn Policy>,
    /// What the vendor has of its own, as tables of the profile's page.
    pub(crate) tables: fn() -> Vec<Table>,
    pub(crate) new_id: fn([u8; 16]) -> ResourceId,
}

impl fmt::Debug for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Behaviour").finish_non_exhaustive()
    }
}

impl Profile {
    /// Every profile.
    pub const ALL: &'static [&'static Profile] =
        &[&datadog::PROFILE, &generic::PROFILE, &incident_io::PROFILE, &pagerduty::PROFILE];

    /// The profile called `name`, in any case.
    pub fn by_name(name: &str) -> Option<&'static Profile> {
        Self::ALL.iter().copied().find(|profile| profile.name.eq_ignore_ascii_case(name))
    }

    /// The rules and rows of the resource type called `name`.
    pub fn resource(&self, name: &str) -> Option<&'static ResourceProfile> {
        self.resources.iter().find(|resource| resource.resource_type == name)
    }

    /// The value of the capability called `name`.
    pub fn capability(&self, name: &str) -> Option<CapabilityValue> {
        self.capabilities.iter().find(|row| row.name == name).map(|row| row.value)
    }

    /// Everything the profile has, as a page of Markdown tables: each row with its source, the date of
    /// the version that was read, and its [basis](crate::Basis): whether the fact is stated there, inferred, or decided here.
    ///
    /// ```
    /// use scim_profiles::Profile;
    /// let page = Profile::by_name("pagerduty").expect("is one of the profiles").to_markdown();
    /// assert!(page.contains("| `user-name-length` | `userName` | POST, PUT, PATCH | error | "));
    /// ```
    pub fn to_markdown(&self) -> String {
        markdown::page(self)
    }

    /// Judges a payload: a bulk request or a PATCH if its `schemas` say so, a PATCH if it has `Operations`, otherwise
    /// a new resource. Every violation is reported, not only the first.
    pub fn lint(&self, payload: &Value) -> Report {
        self.lint_as(self.kind_of(payload), payload)
    }

    /// What [`lint`](Self::lint) takes the payload for.
    pub fn kind_of(&self, payload: &Value) -> Payload {
        let object = payload.as_object();
        if lists(object, BULK_REQUEST) {
            return Payload::Bulk;
        }
        let is_patch = lists(object, PATCH_OP) || object.is_some_and(|o| o.get("Operations").is_some());
        if is_patch { Payload::Patch } else { Payload::Create }
    }

    /// Judges a payload as the body of a POST, PUT or PATCH of a resource of the type called
    /// `resource_type`, which a PATCH does not say itself; `None` if the profile has no such type. Of a bulk request
    /// the paths say it.
    pub fn lint_resource(&self, resource_type: &str, payload: Payload, value: &Value) -> Option<Report> {
        let (resource, schema) = self.with_schema(self.resource(resource_type)?)?;
        Some(match payload {
            Payload::Bulk => lint::bulk(self, value),
            _ => self.judge(resource, schema, payload, value),
        })
    }

    /// Judges a payload as the body of a POST, PUT or PATCH, or as a bulk request.
    ///
    /// Its `schemas` say which type of resource it is of. Where they do not, as in a PATCH, one that speaks of `members`,
    /// as a path, in a value or as an attribute, is taken for that of a group, and any other for that of the profile's
    /// first type, a user; [`Report::is_type_inferred`] says so. Of a bulk request each operation is judged as the
    /// request that it stands for, and its path says of which type; what is no bulk request as RFC 7644 §3.7 has it
    /// breaks the rule `bulk-operation`, and any at a vendor that takes none `bulk.supported`.
    ///
    /// ```
    /// use scim_core::Value;
    /// use scim_profiles::{Payload, Profile};
    ///
    /// let patch: Value = r#"{
    ///     "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    ///     "Operations": [{"op": "remove", "path": "members[value eq \"7\"]"}]
    /// }"#.parse()?;
    /// let datadog = Profile::by_name("datadog").expect("is one of the profiles");
    /// let report = datadog.lint_as(Payload::Patch, &patch);
    /// assert!(report.is_accepted() && report.is_type_inferred());
    /// assert_eq!(report.resource_type(), Some("Group"));
    /// // Of a user nothing may be removed.
    /// let report = datadog.lint_resource("User", Payload::Patch, &patch).expect("has users");
    /// assert!(!report.is_accepted());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lint_as(&self, payload: Payload, value: &Value) -> Report {
        if payload == Payload::Bulk {
            return lint::bulk(self, value);
        }
        let known = self.resources.iter().filter_map(|resource| self.with_schema(resource));
        let says = |uri: &str| lists(value.as_object(), uri);
        if let Some((resource, schema)) = known.clone().find(|(_, schema)| says(&schema.base().id)) {
            return self.judge(resource, schema, payload, value);
        }
        let Some(first) = known.clone().next() else { return Report::default() };
        let members = lint::members(payload, value);
        let group = known.clone().find(|(_, schema)| schema.base().id == builtin::GROUP);
        let mut report = match (members, group) {
            (Some(place), None) if payload == Payload::Patch => {
                let mut report = lint::foreign(self.name, first.0.rules, first.1, value, &place);
                report.resource_type = Some("Group");
                report
            }
            (Some(_), Some((resource, schema))) => self.judge(resource, schema, payload, value),
            _ => self.judge(first.0, first.1, payload, value),
        };
        // One that is of a type the vendor does not have says that it is.
        report.is_inferred = ![builtin::USER, builtin::GROUP].into_iter().any(says);
        report
    }

    /// The rows of a type of resource, with its schema.
    fn with_schema(
        &self,
        resource: &'static ResourceProfile,
    ) -> Option<(&'static ResourceProfile, &'static ResourceSchema)> {
        let schema = (self.behaviour.registry)().by_name(resource.resource_type)?;
        Some((resource, schema))
    }

    fn judge(
        &self,
        resource: &'static ResourceProfile,
        schema: &ResourceSchema,
        payload: Payload,
        value: &Value,
    ) -> Report {
        let leniencies = (self.behaviour.leniencies)();
        let report = lint::payload(self.name, resource, leniencies, schema, payload, value);
        Report { resource_type: Some(resource.resource_type), ..report }
    }

    /// Schemas and resource types.
    pub fn registry(&self) -> &'static Registry {
        (self.behaviour.registry)()
    }

    /// What a [`Service`](scim_core::Service) that behaves like the vendor is told.
    pub fn config(&self, base_url: Url) -> Config {
        (self.behaviour.config)(base_url)
    }

    /// The policy of a [`Service`](scim_core::Service) that behaves like the vendor, with the
    /// default options.
    pub fn policy(&self) -> Arc<dyn Policy> {
        (self.behaviour.policy)()
    }

    /// An identifier in the vendor's form from 128 random bits.
    pub fn new_id(&self, random: [u8; 16]) -> ResourceId {
        (self.behaviour.new_id)(random)
    }
}

/// Whether `schemas` of `payload` has `uri`.
fn lists(payload: Option<&Object>, uri: &str) -> bool {
    payload
        .and_then(|object| object.get("schemas"))
        .and_then(Value::as_array)
        .is_some_and(|uris| uris.iter().any(|u| u.as_str().is_some_and(|u| u.eq_ignore_ascii_case(uri))))
}
