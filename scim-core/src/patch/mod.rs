//! PATCH (RFC 7644 §3.5.2): parse → normalise → plan → apply.
//!
//! *Parse* reads the message. *Normalise* rewrites what identity providers send beyond the RFC
//! into RFC form and says which leniencies fired. *Plan* runs the operations on what a resource
//! holds and yields a [`Change`]: new values of attributes, and for the members of a group a
//! [`Delta`] of added and removed values. *Apply* puts a change onto a resource. Until then
//! nothing is touched, so a request takes effect as a whole or not at all.
//!
//! # Examples
//!
//! ```
//! use scim_core::patch::{PatchOptions, PatchRequest};
//! use scim_core::schema::Registry;
//! use scim_core::{Object, Resource, Value};
//!
//! let registry = Registry::standard();
//! let groups = registry.by_name("Group").expect("the standard registry has groups");
//! let body: Value = r#"{
//!     "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
//!     "Operations": [{"op": "add", "path": "members", "value": [{"value": "2819c223"}]}]
//! }"#.parse()?;
//! let request = PatchRequest::parse(groups, body, &PatchOptions::default())?;
//!
//! // Adding a member needs none of the members that are there.
//! assert!(!request.reads("members"));
//! let mut group = Object::new();
//! group.insert("displayName", "Tour Guides");
//! let mut group = Resource(group);
//! let plan = request.plan(groups, &group)?;
//! assert_eq!(plan.change.deltas[0].added.len(), 1);
//! assert!(plan.change.apply(&mut group));
//! assert!(!plan.change.apply(&mut group), "who is a member already stays one");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where RFC 7644 leaves room
//!
//! - Adding a value whose `value` and `type` an element has already changes that element's other
//!   sub-attributes instead of making a second one (RFC 7643 §2.4 asks not to repeat the pair).
//! - Replacing the values a filter selects replaces them as wholes; only readOnly and immutable
//!   sub-attributes stay.
//! - Replacing all members, or removing all and adding others, is no way to exchange what is immutable of
//!   a member: one that is among the others keeps it. That is no error, as it is none to add a member who
//!   is one, since identity providers send all members with their present names (`display`).
//! - `emails.value`, a sub-attribute of several values that no filter tells apart, is a path for
//!   `remove`, for `add` (one more value) and for `replace` where there is at most one value.
//! - An attribute that is required cannot be removed, not even to be added again by the next
//!   operation. An immutable one can, if in the end it is as it was before the request.

mod apply;
mod at;
mod element;
mod fold;
mod json_string;
mod normalise;
mod parse;
mod plan;
mod select;
mod slot;
mod step;
mod target;
mod values;

pub(crate) use apply::{put, put_delta};
pub(crate) use element::{identity as element_identity, key as element_key};
pub(crate) use fold::{folded as folded_key, ignores_case};
pub use json_string::open as open_json_string;
pub(crate) use parse::operation_escapes_nul;
pub use parse::{Op, escapes_nul};
pub(crate) use select::selected_keys;
pub use target::points_at_unknown;

use std::collections::HashSet;
use std::fmt;

use scim_filter::{AttrName, BoundFilter};

use crate::leniency::{Leniencies, Leniency};
use crate::link::Link;
use crate::membership::{MEMBERS, REFERENCE, TYPE, member_reference};
use crate::schema::{Attribute, Mutability, ResourceSchema};
use crate::value::{Value, is_shown};
use crate::{Error, Resource, ScimType};
use step::{Step, Subject};

/// A PATCH request with its operations in RFC form, bound to a schema.
#[derive(Clone)]
pub struct PatchRequest {
    // Of the operations as they were sent.
    ops: Vec<Op>,
    steps: Vec<Step>,
    leniencies: Leniencies,
    fired: Vec<Leniency>,
    // The keyed attributes whose values planning has to look at.
    reads: Vec<Read>,
}

/// A keyed attribute whose values planning has to look at.
#[derive(Clone)]
struct Read {
    attribute: AttrName,
    // The `value`s of those it has to look at; all, if there is none.
    values: Option<Vec<Box<str>>>,
}

/// What a PATCH changes, ready for a store.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// Whole values of top-level attributes of the base schema or of extensions.
    ///
    /// Attributes that are [keyed] are never among them, but in `deltas`.
    pub writes: Vec<Write>,
    /// Values added to and removed from [keyed] attributes.
    pub deltas: Vec<Delta>,
}

/// A new value of one top-level attribute. Its `Debug` form does not show what may be a secret, as that of an
/// [`Object`](crate::Object) does not.
#[derive(Clone, PartialEq)]
pub struct Write {
    /// The extension that holds the attribute.
    pub extension: Option<Box<str>>,
    /// The attribute.
    pub attribute: Box<str>,
    /// The value; `None` removes the attribute.
    pub value: Option<Value>,
}

impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut write = f.debug_struct("Write");
        write.field("extension", &self.extension).field("attribute", &self.attribute);
        match &self.value {
            Some(value) if !is_shown(&AttrName::new(&self.attribute), value) => {
                write.field("value", &format_args!("[redacted]"))
            }
            value => write.field("value", value),
        };
        write.finish()
    }
}

/// A change of a multi-valued attribute whose values are identified by their `value`
/// sub-attribute (`members`).
///
/// With `replace`, the values after it are those of `added`, and one that was there [stays](Self::stays)
/// in what is immutable of it. Otherwise they are those there before, less the `removed` ones, and those
/// of `added` that were not there; one that was there stays as it is. So no way of taking a value away and
/// bringing it back exchanges its immutable sub-attributes.
///
/// A value of `added` whose `value` is among `removed` as well takes the place of the one that is there: it
/// was planned on that, for the version it was read in, and has what is immutable of it. It becomes the last,
/// as one that comes does; the values have no order that counts (RFC 7643 §2.4).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delta {
    /// The attribute.
    pub attribute: Box<str>,
    /// Whether the values there are removed first.
    pub replace: bool,
    /// The sub-attributes that a value has as before if it was there before what replaces all.
    pub kept: Vec<Box<str>>,
    /// Whether `value`s that differ in case alone are the same: the attribute's `value` is not
    /// case-exact.
    pub ignore_case: bool,
    /// The `value`s to remove.
    pub removed: Vec<Box<str>>,
    /// The values to add, no two with the same `value`.
    pub added: Vec<Value>,
}

/// A planned PATCH.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What changes; empty when the resource already is as asked, as far as it was loaded.
    pub change: Change,
    /// The resource as it will be, without the attributes that were not loaded. That every
    /// required attribute has a value is for [`validate::check`](crate::validate::check) to say,
    /// once a policy had the chance to fill in what is missing.
    pub resource: Resource,
    /// The leniencies that fired, in the request and on this resource.
    pub leniencies: Vec<Leniency>,
}

/// Limits and leniencies of a PATCH.
#[derive(Clone, Debug)]
pub struct PatchOptions {
    /// The most operations in one request.
    pub max_operations: usize,
    /// Limits and leniencies of the paths in it.
    pub path: scim_filter::ParseOptions,
    /// The leniencies that are on.
    pub leniencies: Leniencies,
}

impl Default for PatchOptions {
    /// A thousand operations, which is what Entra ID and the largest known clients stay under,
    /// the default limits of paths, and every leniency.
    fn default() -> Self {
        Self {
            max_operations: 1000,
            path: scim_filter::ParseOptions::default(),
            leniencies: Leniencies::default(),
        }
    }
}

impl PatchRequest {
    /// Parses and normalises the body of a PATCH.
    ///
    /// # Errors
    ///
    /// 400 with `invalidSyntax`, `invalidPath`, `invalidValue`, `noTarget` or `mutability`, or 413
    /// for too many operations. The detail names the place: `Operations[2].path`.
    pub fn parse(schema: &ResourceSchema, body: Value, options: &PatchOptions) -> Result<Self, Error> {
        let mut fired = Vec::new();
        let operations = parse::message(body, options, &mut fired)?;
        let ops = operations.iter().map(|operation| operation.op).collect();
        let mut normaliser = normalise::Normaliser::new(schema, options, fired);
        for operation in operations {
            normaliser.operation(operation)?;
        }
        let (steps, fired) = normaliser.finish();
        let mut reads: Vec<Read> = Vec::new();
        for name in steps.iter().filter_map(Step::reads) {
            if !reads.iter().any(|read| read.attribute == *name) {
                reads.push(Read { attribute: name.clone(), values: keys(&steps, name) });
            }
        }
        Ok(Self { ops, steps, leniencies: options.leniencies.clone(), fired, reads })
    }

    /// What the operations do, in the order of the request.
    ///
    /// ```
    /// use scim_core::Value;
    /// use scim_core::patch::{Op, PatchOptions, PatchRequest};
    /// use scim_core::schema::Registry;
    ///
    /// let registry = Registry::standard();
    /// let users = registry.by_name("User").expect("the standard registry has users");
    /// let body: Value = r#"{
    ///     "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    ///     "Operations": [{"op": "add", "value": {"title": "Guide"}}, {"op": "remove", "path": "nickName"}]
    /// }"#.parse()?;
    /// let request = PatchRequest::parse(users, body, &PatchOptions::default())?;
    /// assert_eq!(request.ops(), [Op::Add, Op::Remove]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// The leniencies that fired so far; [`Plan::leniencies`] has those of planning as well.
    pub fn leniencies(&self) -> &[Leniency] {
        &self.fired
    }

    /// Whether planning needs the values of the [keyed] attribute `name` (`members`);
    /// adding, replacing, and removing by `value` do not.
    pub fn reads(&self, name: &str) -> bool {
        self.reads.iter().any(|read| read.attribute.matches(name))
    }

    /// The `value`s of the values of the [keyed] attribute `name` that planning needs, if it [needs](Self::reads)
    /// some and the operations say which: by `value`, alone or beside other terms of a filter. The plan is the
    /// same whichever others are there.
    ///
    /// ```
    /// use scim_core::Value;
    /// use scim_core::patch::{PatchOptions, PatchRequest};
    /// use scim_core::schema::Registry;
    ///
    /// let registry = Registry::standard();
    /// let groups = registry.by_name("Group").expect("the standard registry has groups");
    /// let body: Value = r#"{
    ///     "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    ///     "Operations": [{"op": "remove", "path": "members[value eq \"2819c223\" and type eq \"User\"]"}]
    /// }"#.parse()?;
    /// let request = PatchRequest::parse(groups, body, &PatchOptions::default())?;
    /// assert_eq!(request.reads_values("members"), Some(&["2819c223".into()][..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reads_values(&self, name: &str) -> Option<&[Box<str>]> {
        self.reads.iter().find(|read| read.attribute.matches(name))?.values.as_deref()
    }

    /// What the operations name: extension, attribute, sub-attribute.
    pub(crate) fn named(&self) -> impl Iterator<Item = [Option<&AttrName>; 3]> {
        self.steps.iter().map(|step| match &step.subject {
            Subject::Extension(uri, _) => [Some(uri), None, None],
            Subject::Attribute(target) => {
                [target.extension.as_ref(), Some(&target.attribute), target.sub.as_ref()]
            }
        })
    }

    /// Passes over what the service provider says of members: their URI, and if it knows the `types` of those who are
    /// members, another type for one.
    pub(crate) fn forget_of_members(&mut self, schema: &ResourceSchema, types: bool) {
        if member_reference(schema).is_some() {
            self.steps.iter_mut().for_each(|step| step.forget(MEMBERS, REFERENCE, true));
        }
        if types {
            self.steps.iter_mut().for_each(|step| step.forget(MEMBERS, TYPE, false));
        }
    }

    /// Passes over the URI of what `link` names by `value`, where the operations have both.
    pub(crate) fn forget_reference(&mut self, link: &Link) {
        self.steps.iter_mut().for_each(|step| step.forget_reference(link));
    }

    /// The filters of paths that are looked at value by value: where each stands, and the extension and the attribute
    /// that it is on.
    pub(crate) fn filters(
        &self,
    ) -> impl Iterator<Item = (impl fmt::Display, [Option<&str>; 2], &BoundFilter)> {
        self.steps.iter().filter_map(|step| {
            let Subject::Attribute(target) = &step.subject else { return None };
            let filter = target.selection.as_ref()?.filter.as_ref()?;
            let extension = target.extension.as_ref().map(AttrName::as_str);
            Some((&step.at, [extension, Some(target.attribute.as_str())], filter))
        })
    }

    /// Plans the request on `current`, which may lack the keyed attributes that
    /// [`reads`](Self::reads) denies, and the values of one that [`reads_values`](Self::reads_values) does not
    /// name.
    ///
    /// Takes time linear in what the request and the attributes it names hold.
    ///
    /// # Errors
    ///
    /// 400 with `noTarget`, `mutability`, `invalidValue`, or `tooMany` for filters that would have
    /// to be evaluated too often; the detail names the operation.
    pub fn plan(&self, schema: &ResourceSchema, current: &Resource) -> Result<Plan, Error> {
        plan::plan(self, schema, current)
    }
}

impl fmt::Debug for PatchRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = self.steps.iter().map(|step| &step.at);
        f.debug_struct("PatchRequest")
            .field("steps", &places.collect::<Vec<_>>())
            .field("leniencies", &self.fired)
            .finish()
    }
}

impl Change {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.deltas.is_empty()
    }

    /// Puts the change onto `resource`; returns whether anything became different.
    ///
    /// Takes time linear in the attributes that change.
    pub fn apply(&self, resource: &mut Resource) -> bool {
        apply::apply(self, resource)
    }
}

/// Whether changes of `attribute` are planned as a [`Delta`], without its values: those of a
/// multi-valued complex attribute whose `value` is immutable, as `members` of a group.
///
/// Stores keep such an attribute as a set of rows, so that adding and removing k values costs
/// O(k) however many there are.
///
/// ```
/// use scim_core::patch::keyed;
/// use scim_core::schema::builtin;
/// let keyed_attributes = |schema: scim_core::schema::Schema| {
///     schema.attributes.into_iter().filter(keyed).map(|attribute| attribute.name).collect::<Vec<_>>()
/// };
/// assert_eq!(keyed_attributes(builtin::group()), ["members"]);
/// assert!(keyed_attributes(builtin::user()).is_empty());
/// ```
pub fn keyed(attribute: &Attribute) -> bool {
    attribute.multi_valued
        && !attribute.required
        && attribute.mutability == Mutability::ReadWrite
        && attribute.sub_attribute("value").is_some_and(|value| value.mutability == Mutability::Immutable)
}

/// Which values of the keyed attribute `name` the `steps` are about, each once, if all of them say.
fn keys(steps: &[Step], name: &AttrName) -> Option<Vec<Box<str>>> {
    let keys = steps.iter().map(|step| step.keys(name)).collect::<Option<Vec<_>>>()?;
    let mut seen = HashSet::new();
    Some(keys.into_iter().flatten().filter(|key| seen.insert(*key)).map(Into::into).collect())
}

/// An error at a place of the request.
fn refuse(scim_type: ScimType, at: impl fmt::Display, what: impl fmt::Display) -> Error {
    Error::bad_request(scim_type, format!("{at}: {what}"))
}

/// An error that a leniency would have prevented.
fn needs(leniency: Leniency, scim_type: ScimType, at: impl fmt::Display, what: impl fmt::Display) -> Error {
    refuse(scim_type, at, what).without(leniency)
}
