//! Operations in RFC form: what is left for planning to run.

use scim_filter::AttrName;

use super::at::At;
use super::element;
use super::target::Target;
use crate::link::{Link, drop_beside};
use crate::value::{Object, Value};

/// One change of one attribute, by the rules of RFC 7644 §3.5.2.1 to §3.5.2.3.
#[derive(Clone)]
pub(super) struct Step {
    /// Where in the request it stands: `Operations[2].path`.
    pub(super) at: At,
    pub(super) subject: Subject,
    pub(super) action: Action,
}

/// What a step changes.
#[derive(Clone)]
pub(super) enum Subject {
    /// An extension: each of its attributes.
    Extension(AttrName, Vec<Target>),
    Attribute(Target),
}

/// How a step changes it. Values have their type and canonical names.
#[derive(Clone)]
pub(super) enum Action {
    /// The single value becomes this one.
    Set(Value),
    /// These sub-attributes are set, those unassigned; the others stay.
    Merge { set: Object, clear: Vec<AttrName> },
    /// These values come in.
    Add(Vec<Value>),
    /// These are the values.
    Replace(Vec<Value>),
    /// This takes the place of each selected value.
    Put(Value),
    /// What is there goes; nothing there is fine.
    Remove,
    /// What is there goes, and a selection has to match.
    Unassign,
    /// The values listed go.
    RemoveListed(Vec<Value>),
    /// Nothing, if the resource has this `id`.
    SameId(Value),
}

impl Step {
    /// Takes the sub-attribute `sub` out of what is to be written of the attribute of the base schema, of values that
    /// are there and, if so told, of those that are `added`. A path to `sub` itself stays.
    pub(super) fn forget(&mut self, attribute: &str, sub: &str, added: bool) {
        let is_it = |target: &Target| {
            target.extension.is_none() && target.sub.is_none() && target.attribute.matches(attribute)
        };
        if !matches!(&self.subject, Subject::Attribute(target) if is_it(target)) {
            return;
        }
        let forget = |value: &mut Value| {
            if let Value::Object(value) = value {
                value.remove(sub);
            }
        };
        match &mut self.action {
            Action::Set(value) | Action::Put(value) => forget(value),
            Action::Merge { set, .. } => drop(set.remove(sub)),
            Action::Add(values) | Action::Replace(values) if added => values.iter_mut().for_each(forget),
            _ => {}
        }
    }

    /// Takes the URI of what `link` names out of values that have it beside a `value`.
    pub(super) fn forget_reference(&mut self, link: &Link) {
        let is_it = |target: &Target| {
            let extension = target.extension.as_ref().map(AttrName::as_str);
            target.sub.is_none() && link.is(extension, target.attribute.as_str())
        };
        if !matches!(&self.subject, Subject::Attribute(target) if is_it(target)) {
            return;
        }
        match &mut self.action {
            Action::Set(value) | Action::Put(value) => {
                link.drop_reference(value);
            }
            Action::Merge { set, .. } => {
                drop_beside(set);
            }
            Action::Add(values) | Action::Replace(values) | Action::RemoveListed(values) => {
                for value in values {
                    link.drop_reference(value);
                }
            }
            Action::Remove | Action::Unassign | Action::SameId(_) => {}
        }
    }

    /// The keyed attribute whose values the step has to look at.
    pub(super) fn reads(&self) -> Option<&AttrName> {
        let Subject::Attribute(target) = &self.subject else {
            return None;
        };
        let blind = match (&target.selection, &target.sub, &self.action) {
            (None, None, _) => true,
            (Some(selection), None, Action::Remove) => selection.only_keys().is_some(),
            _ => false,
        };
        (target.keyed && !blind).then_some(&target.attribute)
    }

    /// Which values of the keyed attribute `name` the step is about, by their `value`; `None` if it may be
    /// any.
    pub(super) fn keys(&self, name: &AttrName) -> Option<Vec<&str>> {
        let target = match &self.subject {
            Subject::Attribute(target) if target.keyed && target.attribute == *name => target,
            _ => return Some(Vec::new()),
        };
        match (&target.selection, &target.sub, &self.action) {
            (Some(selection), ..) => Some(selection.keys.as_ref()?.iter().map(|key| &**key).collect()),
            (None, None, Action::Add(values) | Action::RemoveListed(values)) => {
                Some(values.iter().filter_map(element::key).collect())
            }
            _ => None,
        }
    }
}
