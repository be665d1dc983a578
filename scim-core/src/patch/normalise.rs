//! Operations in RFC form: one attribute each, its value typed, every deviation accounted for.

use scim_filter::{AttrName, AttributeType};

use super::at::At;
use super::element;
use super::parse::{Op, Operation};
use super::step::{Action, Step, Subject};
use super::target::{self, PathError, Place, Target};
use super::{PatchOptions, json_string, needs, refuse};
use crate::leniency::Leniency;
use crate::schema::{Attribute, Mutability, ResourceSchema};
use crate::validate;
use crate::value::{Object, Value};
use crate::{Error, ScimType};

/// Turns operations into steps.
pub(super) struct Normaliser<'s> {
    schema: &'s ResourceSchema,
    options: &'s PatchOptions,
    fired: Vec<Leniency>,
    steps: Vec<Step>,
}

/// A value to be written, with what it is for.
struct Writing<'a> {
    op: Op,
    /// Where the target is named, for details about the target.
    at: &'a At,
    /// Where the value stands, for details about the value.
    value_at: &'a At,
    /// Whether a `path` names the target, rather than a member of `value`.
    by_path: bool,
}

impl<'s> Normaliser<'s> {
    pub(super) fn new(schema: &'s ResourceSchema, options: &'s PatchOptions, fired: Vec<Leniency>) -> Self {
        Self { schema, options, fired, steps: Vec::new() }
    }

    pub(super) fn finish(self) -> (Vec<Step>, Vec<Leniency>) {
        (self.steps, self.fired)
    }

    /// Appends the steps of one operation.
    pub(super) fn operation(&mut self, operation: Operation) -> Result<(), Error> {
        let Operation { at, op, path, value } = operation;
        let Some(path) = path else {
            return match op {
                Op::Remove => self.remove_members(&at, value),
                Op::Add | Op::Replace => {
                    let at = at.value();
                    let value = required(value, &at)?;
                    self.members(op, None, value, &at)
                }
            };
        };
        let (path_at, value_at) = (at.path(), at.value());
        let place = match target::resolve(self.schema, &path, &path_at, self.options, &mut self.fired) {
            Err(PathError::Unknown(_))
                if self.options.leniencies.take(Leniency::UnknownPath, &mut self.fired) =>
            {
                return Ok(());
            }
            place => place?,
        };
        match (op, place) {
            (Op::Remove, Place::Resource) => {
                Err(refuse(ScimType::NoTarget, &path_at, "the resource itself cannot be removed"))
            }
            (Op::Remove, Place::Extension(uri)) => self.remove_extension(uri, value, &at),
            (Op::Remove, Place::Attribute { target, attribute, sub }) => {
                self.remove(target, attribute, sub, value, &path_at, &value_at)
            }
            (_, Place::Resource) => self.members(op, None, required(value, &value_at)?, &value_at),
            (_, Place::Extension(uri)) => {
                self.members(op, Some(&uri), required(value, &value_at)?, &value_at)
            }
            (_, Place::Attribute { target, attribute, sub }) => {
                let value = required(value, &value_at)?;
                let writing = Writing { op, at: &path_at, value_at: &value_at, by_path: true };
                self.write(&writing, target, attribute, sub, value)
            }
        }
    }

    /// Writes every member of `value`, an object of attributes of the resource or of `extension`.
    fn members(&mut self, op: Op, extension: Option<&AttrName>, value: Value, at: &At) -> Result<(), Error> {
        match (value, extension) {
            (Value::Object(members), _) => {
                for (name, value) in members {
                    self.member(op, extension, name.as_str(), value, &at.member(name.as_str()))?;
                }
                Ok(())
            }
            (value, Some(uri)) if value.is_unassigned() => self.remove_extension(uri.clone(), None, at),
            (value, _) => {
                let what = format_args!("an object of attributes is required, not {}", value.kind());
                Err(refuse(ScimType::InvalidValue, at, what))
            }
        }
    }

    /// Writes one member of such an object.
    fn member(
        &mut self,
        op: Op,
        extension: Option<&AttrName>,
        name: &str,
        value: Value,
        at: &At,
    ) -> Result<(), Error> {
        let writing = Writing { op, at, value_at: at, by_path: false };
        if let Some(attribute) = self.schema.find(extension.map(AttrName::as_str), name)
            && let Place::Attribute { target, attribute, sub } = target::whole(attribute, extension)
        {
            return self.write(&writing, target, attribute, sub, value);
        }
        let path = match extension {
            None => name.to_owned(),
            Some(uri) => format!("{uri}:{name}"),
        };
        let mut fired = self.fired.clone();
        match target::resolve(self.schema, &path, at, self.options, &mut fired) {
            Ok(Place::Attribute { target, attribute, sub }) => {
                self.fired = fired;
                let is_path = name.contains(['.', ':', '[']);
                if is_path && !self.options.leniencies.take(Leniency::PathKey, &mut self.fired) {
                    let what = "a path is no attribute name";
                    return Err(needs(Leniency::PathKey, ScimType::InvalidValue, at, what));
                }
                self.write(&writing, target, attribute, sub, value)
            }
            Ok(Place::Extension(uri)) => self.members(op, Some(&uri), value, at),
            Ok(Place::Resource) => self.members(op, None, value, at),
            Err(PathError::Unknown(error)) => {
                if self.options.leniencies.take(Leniency::UnknownAttribute, &mut self.fired) {
                    return Ok(());
                }
                let what = error.detail().strip_prefix(&at.to_string()).unwrap_or(error.detail());
                let what = what.trim_start_matches(": ");
                Err(needs(Leniency::UnknownAttribute, ScimType::InvalidValue, at, what))
            }
            Err(PathError::Refused(error)) => Err(error),
        }
    }

    /// Writes one value to one target.
    fn write(
        &mut self,
        writing: &Writing<'_>,
        target: Target,
        attribute: &Attribute,
        sub: Option<&Attribute>,
        mut value: Value,
    ) -> Result<(), Error> {
        let leaf = sub.unwrap_or(attribute);
        if is_read_only(&target, attribute) || sub.is_some_and(|s| s.mutability == Mutability::ReadOnly) {
            return self.write_read_only(writing, target, sub, value);
        }
        self.open_json(attribute, sub, &mut value);
        let several = leaf.multi_valued && (sub.is_some() || target.selection.is_none());
        if self.unassigns(leaf, several, &value, writing.value_at)? {
            let action = match writing.op {
                // No value is added; what is there stays.
                Op::Add if several => Action::Add(Vec::new()),
                _ => Action::Unassign,
            };
            self.push(writing.at, target, action);
            return Ok(());
        }
        if several {
            return self.write_several(writing, target, leaf, value);
        }
        if target.selection.is_some() && sub.is_none() {
            return self.write_selected(writing, target, attribute, value);
        }
        let clear = unassigned_subs(leaf, &value);
        let value = self.coerce(leaf, value, writing.value_at)?;
        if leaf.kind == AttributeType::Complex {
            let set = match value {
                Some(Value::Object(set)) => set,
                _ => Object::new(),
            };
            self.push(writing.at, target, Action::Merge { set, clear });
            return Ok(());
        }
        let Some(value) = value else {
            self.push(writing.at, target, Action::Unassign);
            return Ok(());
        };
        // `emails.value` by `add`: one more value, which has that sub-attribute.
        match sub.filter(|_| attribute.multi_valued && target.selection.is_none() && writing.op == Op::Add) {
            Some(sub) => {
                let element = [(sub.name.as_str(), value)].into_iter().collect::<Object>();
                let target = Target { sub: None, ..target };
                self.push(writing.at, target, Action::Add(vec![Value::Object(element)]));
            }
            None => self.push(writing.at, target, Action::Set(value)),
        }
        Ok(())
    }

    /// Writes all values of a multi-valued attribute, or adds some.
    fn write_several(
        &mut self,
        writing: &Writing<'_>,
        target: Target,
        leaf: &Attribute,
        value: Value,
    ) -> Result<(), Error> {
        let value = match value {
            // RFC 7644 §3.5.2.1 lets the value to be added be an object or a string.
            Value::Object(_) | Value::String(_) if writing.op == Op::Add && writing.by_path => {
                Value::Array(vec![value])
            }
            value => value,
        };
        let values = self.elements(leaf, value, writing)?;
        if target.keyed {
            check_keys(&values, writing.value_at)?;
        }
        let action = match writing.op {
            Op::Add => Action::Add(values),
            _ => Action::Replace(values),
        };
        self.push(writing.at, target, action);
        Ok(())
    }

    /// Writes one value in the place of the ones a filter selects, or into them.
    fn write_selected(
        &mut self,
        writing: &Writing<'_>,
        target: Target,
        attribute: &Attribute,
        value: Value,
    ) -> Result<(), Error> {
        let (value, wrapped) = match value {
            Value::Array(elements) => (Value::Array(elements), true),
            value => (Value::Array(vec![value]), false),
        };
        let sent = value.values().first().cloned().unwrap_or_default();
        if wrapped {
            let one = value.values().len() == 1;
            if !one || !self.options.leniencies.take(Leniency::ArrayForSingle, &mut self.fired) {
                let what = "one value is required for those the filter selects, not an array";
                return Err(match one {
                    true => needs(Leniency::ArrayForSingle, ScimType::InvalidValue, writing.value_at, what),
                    false => refuse(ScimType::InvalidValue, writing.value_at, what),
                });
            }
        }
        let clear = unassigned_subs(attribute, &sent);
        let element = self.elements(attribute, value, writing)?.into_iter().next();
        let action = match (element, writing.op) {
            // What was sent adds nothing; it may take parts away, but never the value itself.
            (None, Op::Add) if clear.is_empty() => return Ok(()),
            (None, Op::Add) => Action::Merge { set: Object::new(), clear },
            (None, _) => Action::Unassign,
            (Some(Value::Object(set)), Op::Add) => Action::Merge { set, clear },
            (Some(element), _) => Action::Put(element),
        };
        self.push(writing.at, target, action);
        Ok(())
    }

    /// A readOnly target: refused by path, ignored beside others where the leniency is on.
    fn write_read_only(
        &mut self,
        writing: &Writing<'_>,
        target: Target,
        sub: Option<&Attribute>,
        value: Value,
    ) -> Result<(), Error> {
        let what = format_args!("{} cannot be written", named(&target, sub));
        if writing.by_path {
            return Err(refuse(ScimType::Mutability, writing.at, what));
        }
        if !self.options.leniencies.take(Leniency::ReadOnlyValue, &mut self.fired) {
            return Err(needs(Leniency::ReadOnlyValue, ScimType::Mutability, writing.at, what));
        }
        if target.extension.is_none() && target.attribute.matches("id") && !value.is_unassigned() {
            self.push(writing.at, target, Action::SameId(value));
        }
        Ok(())
    }

    /// Removes what a path names, or of that the values listed.
    fn remove(
        &mut self,
        target: Target,
        attribute: &Attribute,
        sub: Option<&Attribute>,
        value: Option<Value>,
        at: &At,
        value_at: &At,
    ) -> Result<(), Error> {
        let leaf = sub.unwrap_or(attribute);
        if is_read_only(&target, attribute) || sub.is_some_and(|s| s.mutability == Mutability::ReadOnly) {
            let what = format_args!("{} cannot be removed", named(&target, sub));
            return Err(refuse(ScimType::Mutability, at, what));
        }
        // A `null` is no value (RFC 7643 §2.5).
        let Some(value) = value.filter(|value| *value != Value::Null) else {
            self.push(at, target, Action::Remove);
            return Ok(());
        };
        if !self.options.leniencies.take(Leniency::RemoveWithValue, &mut self.fired) {
            let what = "a removal takes no value";
            return Err(needs(Leniency::RemoveWithValue, ScimType::InvalidValue, value_at, what));
        }
        if !leaf.multi_valued {
            // The path names the one value there can be.
            self.push(at, target, Action::Remove);
            return Ok(());
        }
        let listed = self.listed(&target, leaf, sub.is_some(), value, value_at)?;
        self.push(at, target, Action::RemoveListed(listed));
        Ok(())
    }

    /// The values that a removal lists: an array, one value, or `{"members": […]}`.
    fn listed(
        &mut self,
        target: &Target,
        leaf: &Attribute,
        is_sub: bool,
        value: Value,
        at: &At,
    ) -> Result<Vec<Value>, Error> {
        let value = match value {
            Value::Object(mut object) if leaf.sub_attribute(&leaf.name).is_none() => {
                match object.remove(&leaf.name) {
                    Some(inner) => inner,
                    None => Value::Object(object),
                }
            }
            value => value,
        };
        let value = match value {
            Value::Array(elements) => Value::Array(elements),
            Value::Null => Value::Array(Vec::new()),
            one => Value::Array(vec![one]),
        };
        if value.is_unassigned() {
            return Ok(Vec::new());
        }
        let wanted = value.values().len();
        let listed = match self.coerce(leaf, value, at)? {
            Some(Value::Array(listed)) => listed,
            _ => Vec::new(),
        };
        if target.keyed && !is_sub {
            check_keys(&listed, at)?;
        }
        if listed.is_empty() && wanted > 0 {
            return Err(refuse(ScimType::InvalidValue, at, "the values to be removed are not named"));
        }
        Ok(listed)
    }

    /// A removal without path: `{"members": […]}` lists values, anything else has no target.
    fn remove_members(&mut self, at: &At, value: Option<Value>) -> Result<(), Error> {
        let no_target = || refuse(ScimType::NoTarget, at.path(), "a removal needs a path");
        let Some(Value::Object(members)) = value else {
            return Err(no_target());
        };
        let mut named = Vec::new();
        for (name, value) in members {
            let attribute = self.schema.find(None, name.as_str());
            match attribute.filter(|attribute| attribute.multi_valued && !value.is_unassigned()) {
                Some(attribute) => named.push((attribute, value)),
                None => return Err(no_target()),
            }
        }
        if named.is_empty() {
            return Err(no_target());
        }
        for (attribute, value) in named {
            let at = at.value().member(&attribute.name);
            if let Place::Attribute { target, attribute, sub } = target::whole(attribute, None) {
                self.remove(target, attribute, sub, Some(value), &at, &at)?;
            }
        }
        Ok(())
    }

    fn remove_extension(&mut self, uri: AttrName, value: Option<Value>, at: &At) -> Result<(), Error> {
        if value.is_some_and(|value| !value.is_unassigned()) {
            let what = "an extension is removed as a whole";
            return Err(refuse(ScimType::InvalidValue, at.value(), what));
        }
        let extension = self.schema.extensions().iter().find(|extension| uri.matches(&extension.id));
        let attributes = extension.map(|extension| extension.attributes.as_slice()).unwrap_or_default();
        let targets = attributes.iter().map(|attribute| Target {
            extension: Some(uri.clone()),
            attribute: AttrName::new(&attribute.name),
            keyed: false,
            selection: None,
            sub: None,
        });
        let targets = targets.collect();
        let subject = Subject::Extension(uri, targets);
        self.steps.push(Step { at: at.clone(), subject, action: Action::Remove });
        Ok(())
    }

    /// The elements of an array of client values.
    fn elements(
        &mut self,
        leaf: &Attribute,
        value: Value,
        writing: &Writing<'_>,
    ) -> Result<Vec<Value>, Error> {
        let says_nothing = writing.op == Op::Replace && value.values().iter().any(|v| says_nothing(leaf, v));
        let elements = match self.coerce(leaf, value, writing.value_at)? {
            Some(Value::Array(elements)) => elements,
            _ => Vec::new(),
        };
        if elements.is_empty() && says_nothing {
            // To pass over it would take away what is there.
            let what = format_args!("nothing in it is a sub-attribute of `{}` to be written", leaf.name);
            return Err(refuse(ScimType::InvalidValue, writing.value_at, what));
        }
        Ok(elements)
    }

    /// Whether `value` means that the target shall have none (RFC 7643 §2.5).
    fn unassigns(&mut self, leaf: &Attribute, several: bool, value: &Value, at: &At) -> Result<bool, Error> {
        if several || leaf.kind != AttributeType::Complex || !is_empty_value(value) {
            return Ok(value.is_unassigned());
        }
        if !self.options.leniencies.take(Leniency::EmptyValue, &mut self.fired) {
            let what = "an empty string is no value";
            return Err(needs(Leniency::EmptyValue, ScimType::InvalidValue, at, what));
        }
        Ok(true)
    }

    /// Opens the JSON documents that strings of `value` hold.
    fn open_json(&mut self, attribute: &Attribute, sub: Option<&Attribute>, value: &mut Value) {
        if self.options.leniencies.allows(Leniency::JsonStringValue)
            && json_string::open(attribute, sub, value)
        {
            self.options.leniencies.take(Leniency::JsonStringValue, &mut self.fired);
        }
    }

    fn coerce(&mut self, attribute: &Attribute, value: Value, at: &At) -> Result<Option<Value>, Error> {
        validate::coerce_at(attribute, value, at, &self.options.leniencies, &mut self.fired)
    }

    fn push(&mut self, at: &At, target: Target, action: Action) {
        self.steps.push(Step { at: at.clone(), subject: Subject::Attribute(target), action });
    }
}

/// Whether no client may write the attribute: by its mutability, or because the service keeps it.
fn is_read_only(target: &Target, attribute: &Attribute) -> bool {
    let kept = |name: &&str| target.attribute.matches(name);
    attribute.mutability == Mutability::ReadOnly
        || (target.extension.is_none() && ["id", "meta", "schemas"].iter().any(kept))
}

/// The target in error details, by its whole path.
fn named(target: &Target, sub: Option<&Attribute>) -> String {
    let sub = sub.map(|sub| sub.name.as_str());
    element::named(target.extension.as_ref(), target.attribute.as_str(), sub)
}

fn required(value: Option<Value>, at: &At) -> Result<Value, Error> {
    value.ok_or_else(|| refuse(ScimType::InvalidValue, at, "a value is required"))
}

/// The values of a keyed attribute have keys.
fn check_keys(values: &[Value], at: &At) -> Result<(), Error> {
    match values.iter().position(|value| element::key(value).is_none_or(str::is_empty)) {
        None => Ok(()),
        Some(index) => {
            Err(refuse(ScimType::InvalidValue, format_args!("{at}[{index}]"), "`value` is required"))
        }
    }
}

/// The sub-attributes that a complex value names to unassign them.
fn unassigned_subs(attribute: &Attribute, value: &Value) -> Vec<AttrName> {
    let Value::Object(object) = value else {
        return Vec::new();
    };
    let unassigned = object.iter().filter(|(_, value)| value.is_unassigned());
    unassigned
        .filter_map(|(name, _)| attribute.sub_attribute(name.as_str()))
        .filter(|sub| sub.mutability != Mutability::ReadOnly)
        .map(|sub| AttrName::new(&sub.name))
        .collect()
}

/// Whether `value` is an object whose members, and it has some, are none that a client can write.
fn says_nothing(attribute: &Attribute, value: &Value) -> bool {
    let writable = |name: &AttrName| {
        attribute.sub_attribute(name.as_str()).is_some_and(|sub| sub.mutability != Mutability::ReadOnly)
    };
    let members = value.as_object().filter(|members| !members.is_empty());
    members.is_some_and(|members| !members.iter().any(|(name, _)| writable(name)))
}

/// An empty string, or an object with an empty `value` and nothing else.
fn is_empty_value(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.len() == 1 && elements.iter().all(is_empty_value),
        Value::Object(object) => {
            object.get("value").and_then(Value::as_str) == Some("")
                && object.iter().all(|(name, value)| name.matches("value") || value.is_unassigned())
        }
        _ => false,
    }
}
