//! A client's resource against its schema: canonical spelling, types, required, mutability.
//!
//! [`create`] and [`replace`] read the body of a POST and of a PUT; [`coerce`] reads one value, and
//! PATCH uses it too. What they return says the same in the schema's words: canonical names, the
//! attributes' types, nothing unassigned, nothing the client may not write. [`check`] then says
//! whether the resource is complete, after whatever a policy filled in, and [`canonical`] whether it keeps to the
//! canonical values, where [it has to](CanonicalValues::Only).
//!
//! Attributes that are readOnly (`id`, `meta`, `groups` of a user, `display` of a member) are
//! dropped from what a client sends, as RFC 7644 §3.3 and §3.5.1 have it, in whatever case they
//! are spelt.
//!
//! ```
//! use scim_core::leniency::{Leniencies, Leniency};
//! use scim_core::schema::Registry;
//! use scim_core::validate;
//! use serde_json::json;
//!
//! let registry = Registry::standard();
//! let user = registry.by_name("User").expect("a standard type");
//! let body = json!({
//!     "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
//!     "UserName": "bjensen", "id": "mine", "active": "True", "title": null,
//! });
//! let valid = validate::create(user, body.clone().into(), &Leniencies::tolerant())?;
//! assert_eq!(
//!     valid.resource.0.to_string(),
//!     r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"bjensen","active":true}"#,
//! );
//! assert_eq!(valid.leniencies, [Leniency::BooleanString]);
//!
//! let refused = validate::create(user, body.into(), &Leniencies::strict()).unwrap_err();
//! assert_eq!(
//!     refused.detail(),
//!     "`active` must be a Boolean, not a string (the leniency `boolean-string` is off)",
//! );
//! # Ok::<(), scim_core::Error>(())
//! ```

mod body;
mod canonical;
mod coerce;
mod lexical;
mod unique;
mod uri;
mod user_name;

pub(crate) use canonical::canonical_elements;
pub use canonical::{CanonicalValues, canonical};
pub use coerce::coerce;
pub(crate) use coerce::coerce_at;
pub use unique::{UniqueKey, unique_keys};

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use crate::leniency::{Leniencies, Leniency};
use crate::patch::{self, Delta};
use crate::schema::{Attribute, Mutability, ResourceSchema};
use crate::value::{Object, Value};
use crate::{Error, Resource, ScimType};
use body::Body;

/// A resource that fits its schema, and the leniencies it took.
#[derive(Clone, Debug)]
pub struct Validated {
    /// The resource: canonical names, readOnly attributes dropped, unassigned values dropped.
    pub resource: Resource,
    /// The leniencies that fired.
    pub leniencies: Vec<Leniency>,
    /// What the body says to be unassigned, by `null` or an empty array, and does not just leave out (RFC 7643 §2.5):
    /// the names of attributes, those of an extension behind its URI and a colon.
    pub unassigned: Vec<Box<str>>,
}

/// Reads the body of a POST (RFC 7644 §3.3). Whether anything required is missing is for
/// [`check`] to say.
///
/// # Errors
///
/// 400 `invalidSyntax` for what is no resource of the type; 400 `invalidValue` for a value that
/// does not fit its attribute, naming its path.
pub fn create(schema: &ResourceSchema, body: Value, leniencies: &Leniencies) -> Result<Validated, Error> {
    let body = Body::read(schema, body, leniencies)?;
    let unassigned = body.unassigned();
    let mut resource = Resource(body.object);
    settle_schemas(schema, &mut resource);
    Ok(Validated { resource, leniencies: body.fired, unassigned })
}

/// Reads the body of a PUT against the resource it replaces (RFC 7644 §3.5.1).
///
/// - readOnly attributes keep the value they have.
/// - immutable ones with a value must not get another; where the body leaves them out they stay. So do
///   immutable sub-attributes of a complex value, and of an element that is there with the same `value` and
///   `type`. A readWrite attribute can be left out, as a PATCH can remove it, with all that it has.
/// - Values of a [keyed](patch::keyed) attribute (`members`) that are there keep what is immutable of them.
/// - Attributes that are never returned (`password`) stay where the body leaves them out, since
///   a client that sends back what it has read cannot include them. So do such sub-attributes, and
///   readOnly ones, of an element that is otherwise as it was.
/// - All others become what the body says, and unassigned where it says nothing.
///
/// Whether anything required is missing is for [`check`] to say.
///
/// # Errors
///
/// Those of [`create`], and 400 `mutability` for another value of an immutable attribute.
pub fn replace(
    schema: &ResourceSchema,
    body: Value,
    current: &Resource,
    leniencies: &Leniencies,
) -> Result<Validated, Error> {
    replace_without(schema, body, current, leniencies, |_| {})
}

/// The same with what `pass_over` takes out of the body, which has its canonical names by then.
pub(crate) fn replace_without(
    schema: &ResourceSchema,
    body: Value,
    current: &Resource,
    leniencies: &Leniencies,
    pass_over: impl FnOnce(&mut Object),
) -> Result<Validated, Error> {
    let mut body = Body::read(schema, body, leniencies)?;
    pass_over(&mut body.object);
    for attribute in schema.top_level().filter(|attribute| attribute.name != "schemas") {
        let cleared = body.is_cleared(None, attribute);
        settle(attribute, &mut body.object, &current.0, &attribute.name, cleared)?;
    }
    for extension in schema.extensions() {
        let none = Object::new();
        let before = current.0.get(&extension.id).and_then(Value::as_object).unwrap_or(&none);
        let mut after = match body.object.remove(&extension.id) {
            Some(Value::Object(object)) => object,
            _ => Object::new(),
        };
        for attribute in &extension.attributes {
            let at = format!("{}:{}", extension.id, attribute.name);
            let cleared = body.is_cleared(Some(&extension.id), attribute);
            settle(attribute, &mut after, before, &at, cleared)?;
        }
        if !after.is_empty() {
            body.object.insert(extension.id.as_str(), after);
        }
    }
    let unassigned = body.unassigned();
    let mut resource = Resource(body.object);
    settle_schemas(schema, &mut resource);
    Ok(Validated { resource, leniencies: body.fired, unassigned })
}

/// Makes `schemas` list the base schema and every extension the resource has, and nothing else
/// (RFC 7643 §3). An extension without attributes is taken out.
pub fn settle_schemas(schema: &ResourceSchema, resource: &mut Resource) {
    let mut uris = vec![Value::from(schema.base().id.as_str())];
    for extension in schema.extensions() {
        match resource.0.get(&extension.id) {
            Some(Value::Object(object)) if !object.is_empty() => uris.push(extension.id.as_str().into()),
            Some(_) => drop(resource.0.remove(&extension.id)),
            None => {}
        }
    }
    resource.0.insert_at(0, "schemas", uris);
}

/// What must hold of any resource about to be stored, however it was made: a value for every
/// required attribute that clients write, every required extension, at most one `primary` value
/// of an attribute.
///
/// # Errors
///
/// 400 `invalidValue`, naming the attribute.
pub fn check(schema: &ResourceSchema, resource: &Resource) -> Result<(), Error> {
    for attribute in schema.top_level().filter(|attribute| attribute.name != "schemas") {
        check_attribute(attribute, &resource.0, &attribute.name)?;
    }
    for (extension, declared) in schema.extensions().iter().zip(&schema.resource_type().schema_extensions) {
        match resource.0.get(&extension.id).and_then(Value::as_object) {
            Some(object) => {
                for attribute in &extension.attributes {
                    let at = At { extension: Some(&extension.id), name: &attribute.name };
                    check_attribute(attribute, object, at)?;
                }
            }
            None if declared.required => return Err(missing(&extension.id)),
            None => {}
        }
    }
    Ok(())
}

/// Puts into `after` what PUT makes of one attribute.
fn settle(
    attribute: &Attribute,
    after: &mut Object,
    before: &Object,
    at: &str,
    cleared: bool,
) -> Result<(), Error> {
    let Some(current) = before.get(&attribute.name).filter(|value| !value.is_unassigned()) else {
        return Ok(());
    };
    let keep = match (attribute.mutability, after.get(&attribute.name)) {
        (Mutability::ReadOnly, _) => true,
        (Mutability::Immutable, Some(new)) if same(attribute, new, current) => true,
        (Mutability::Immutable, None) if !cleared => true,
        (Mutability::Immutable, _) => return Err(immutable(at)),
        (_, None) => attribute.is_sensitive() && !cleared,
        // What the service provider keeps beside an unchanged value stays with it.
        (_, Some(new)) => *new == writable(attribute, current),
    };
    if keep {
        after.insert(attribute.name.as_str(), current.clone());
        return Ok(());
    }
    match (after.get_mut(&attribute.name), current) {
        (Some(Value::Object(new)), Value::Object(current)) => {
            for sub in &attribute.sub_attributes {
                if sub.mutability == Mutability::Immutable || sub.is_sensitive() {
                    settle(sub, new, current, &format!("{at}.{}", sub.name), false)?;
                }
            }
        }
        (Some(Value::Array(new)), Value::Array(current)) => {
            keep_beside(attribute, new, current);
            match patch::keyed(attribute) {
                true => keep_identity(attribute, new, current),
                false => keep_immutable(attribute, new, current, at)?,
            }
        }
        _ => {}
    }
    Ok(())
}

fn immutable_subs(attribute: &Attribute) -> impl Iterator<Item = &Attribute> {
    attribute.sub_attributes.iter().filter(|sub| sub.mutability == Mutability::Immutable)
}

/// Settles what is immutable of the elements of `new` that are elements of `current`, as PATCH knows them.
fn keep_immutable(
    attribute: &Attribute,
    new: &mut [Value],
    current: &[Value],
    at: &str,
) -> Result<(), Error> {
    if immutable_subs(attribute).next().is_none() {
        return Ok(());
    }
    let identity = |element: &Value| patch::element_identity(attribute, element);
    let there: HashMap<String, &Value> = current.iter().map(|element| (identity(element), element)).collect();
    for (index, element) in new.iter_mut().enumerate() {
        let Some(Value::Object(was)) = there.get(&identity(element)) else { continue };
        let Value::Object(element) = element else { continue };
        for sub in immutable_subs(attribute) {
            settle(sub, element, was, &format!("{at}[{index}].{}", sub.name), false)?;
        }
    }
    Ok(())
}

/// Whether a client that sends back what it has read cannot send it.
fn is_kept_beside(sub: &Attribute) -> bool {
    sub.mutability == Mutability::ReadOnly || sub.is_sensitive()
}

/// Gives the elements of `new` that are elements of `current` what these have besides.
fn keep_beside(attribute: &Attribute, new: &mut [Value], current: &[Value]) {
    let kept: Vec<&Attribute> = attribute.sub_attributes.iter().filter(|sub| is_kept_beside(sub)).collect();
    if kept.is_empty() {
        return;
    }
    // The first of equal elements, as often as it is there.
    let mut known: HashMap<String, Vec<&Value>> = HashMap::new();
    for element in current.iter().rev() {
        known.entry(writable(attribute, element).to_string()).or_default().push(element);
    }
    for element in new {
        let found = known.get_mut(&writable(attribute, element).to_string()).and_then(Vec::pop);
        let (Some(found), Some(element)) = (found, element.as_object_mut()) else { continue };
        for sub in &kept {
            if let (false, Some(value)) = (element.contains(&sub.name), found.get(&sub.name)) {
                element.insert(sub.name.as_str(), value.clone());
            }
        }
    }
}

/// Gives the members of `new` that are members of `current` what is immutable of these, as PATCH does.
fn keep_identity(attribute: &Attribute, new: &mut Vec<Value>, current: &[Value]) {
    let delta = Delta { replace: true, added: std::mem::take(new), ..Delta::of(attribute) };
    *new = delta.replacing(current).into_iter().map(Cow::into_owned).collect();
}

/// Whether two values of an attribute are the same, by its `caseExact`.
fn same(attribute: &Attribute, left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::String(left), Value::String(right)) if !attribute.case_exact => {
            scim_filter::compare::fold(left) == scim_filter::compare::fold(right)
        }
        _ => left == right,
    }
}

/// `value` without what clients do not write, or cannot read.
fn writable(attribute: &Attribute, value: &Value) -> Value {
    let without_kept = |value: &Value| {
        let mut value = value.clone();
        if let Value::Object(object) = &mut value {
            object.retain(|name, _| !attribute.sub_attribute(name.as_str()).is_some_and(is_kept_beside));
        }
        value
    };
    if !attribute.sub_attributes.iter().any(is_kept_beside) {
        return value.clone();
    }
    match value {
        Value::Array(elements) => elements.iter().map(without_kept).collect(),
        other => without_kept(other),
    }
}

fn check_attribute(attribute: &Attribute, object: &Object, at: impl fmt::Display) -> Result<(), Error> {
    let value = object.get(&attribute.name);
    if attribute.required && attribute.mutability != Mutability::ReadOnly && is_empty(value) {
        return Err(missing(at));
    }
    // Attributes with neither may hold a million values, such as `members`.
    let required_subs: Vec<&Attribute> = attribute
        .sub_attributes
        .iter()
        .filter(|sub| sub.required && sub.mutability != Mutability::ReadOnly)
        .collect();
    let has_primary = attribute.multi_valued && attribute.sub_attribute("primary").is_some();
    if required_subs.is_empty() && !has_primary {
        return Ok(());
    }
    let mut primaries = 0;
    for (index, element) in value.map_or(&[][..], Value::values).iter().enumerate() {
        if let Some(sub) = required_subs.iter().find(|sub| is_empty(element.get(&sub.name))) {
            return Err(match attribute.multi_valued {
                true => missing(format_args!("{at}[{index}].{}", sub.name)),
                false => missing(format_args!("{at}.{}", sub.name)),
            });
        }
        primaries += usize::from(element.get("primary").and_then(Value::as_bool) == Some(true));
    }
    if has_primary && primaries > 1 {
        return Err(invalid_value(format_args!("`{at}` has more than one primary value")));
    }
    Ok(())
}

/// Whether there is no value; an empty string is none where one is required (RFC 7643 §4.1.1:
/// "a non-empty userName value").
fn is_empty(value: Option<&Value>) -> bool {
    value.is_none_or(|value| value.is_unassigned() || value.as_str() == Some(""))
}

/// The name of an attribute in an error detail, URI-qualified in an extension.
#[derive(Clone, Copy)]
struct At<'a> {
    extension: Option<&'a str>,
    name: &'a str,
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.extension {
            Some(uri) => write!(f, "{uri}:{}", self.name),
            None => f.write_str(self.name),
        }
    }
}

fn missing(at: impl fmt::Display) -> Error {
    invalid_value(format_args!("`{at}` is required"))
}

fn immutable(at: impl fmt::Display) -> Error {
    Error::bad_request(ScimType::Mutability, format!("`{at}` is immutable and has another value"))
}

fn invalid_value(detail: impl fmt::Display) -> Error {
    Error::bad_request(ScimType::InvalidValue, detail.to_string())
}

/// An error that a leniency would have prevented.
fn needs(leniency: Leniency, scim_type: ScimType, detail: impl fmt::Display) -> Error {
    Error::bad_request(scim_type, detail.to_string()).without(leniency)
}
