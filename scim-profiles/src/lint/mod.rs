//! A payload against a profile's rules: every violation, not only the first.

mod bulk;
mod patch;
pub(crate) mod shape;
mod subject;

pub(crate) use bulk::request as bulk;
pub(crate) use shape::shown;
pub(crate) use subject::members;

use scim_core::leniency::{Leniencies, Leniency};
use scim_core::schema::{Attribute, Mutability, ResourceSchema, builtin};
use scim_core::{Object, Value, validate};

use crate::profile::ResourceProfile;
use crate::report::{Report, Violation};
use crate::rule::{Check, Payload, Rule, Severity};

/// Judges `value`, as a client sends it, by the rules of `resource`, for a vendor with these leniencies.
pub(crate) fn payload(
    profile: &'static str,
    resource: &'static ResourceProfile,
    leniencies: Leniencies,
    schema: &ResourceSchema,
    payload: Payload,
    value: &Value,
) -> Report {
    let mut judge = Judge::new(resource.rules, schema, payload);
    judge.leniencies = leniencies;
    judge.deactivation_deletes = resource.deactivation_deletes;
    judge.text(value);
    match (payload, value) {
        (Payload::Patch, _) => patch::message(&mut judge, value),
        (_, Value::Object(object)) => {
            judge.mark(Check::ResourceType);
            if let Some(other) = judge.other_type(object) {
                let message = format!("`{other}` is the schema of a type the service provider does not have");
                judge.broken(Check::ResourceType, "schemas", &message);
                return judge.report(profile);
            }
            let fragment = judge.fit(object, "");
            judge.rules(&fragment, Completeness::Whole, &|path| path.to_owned());
        }
        _ => judge.broken(Check::Type, "$", "a resource is a JSON object"),
    }
    judge.report(profile)
}

/// What a PATCH of a group is, which is seen by the `members` at `place`, for a vendor that has no groups.
pub(crate) fn foreign(
    profile: &'static str,
    rules: &'static [Rule],
    schema: &ResourceSchema,
    value: &Value,
    place: &str,
) -> Report {
    let mut judge = Judge::new(rules, schema, Payload::Patch);
    judge.text(value);
    let message = "`members` is an attribute of groups, a type the service provider does not have";
    judge.broken(Check::ResourceType, place, message);
    judge.report(profile)
}

/// Judges `resource`, which already fits its schema, as the outcome of a write: what a server does.
pub(crate) fn outcome(
    profile: &'static str,
    rules: &'static [Rule],
    schema: &ResourceSchema,
    payload: Payload,
    resource: &Object,
) -> Report {
    let mut judge = Judge::new(rules, schema, payload);
    let fragment = Fragment { fitting: resource.clone(), ..Fragment::default() };
    judge.rules(&fragment, Completeness::Whole, &|path| path.to_owned());
    judge.report(profile)
}

/// One judgement in progress.
struct Judge<'s> {
    rules: &'static [Rule],
    schema: &'s ResourceSchema,
    leniencies: Leniencies,
    payload: Payload,
    violations: Vec<Violation>,
    // Parallel to `rules`.
    checked: Vec<bool>,
    /// Whether what the payload says last of `active` is `false`.
    deactivates: bool,
    deactivation_deletes: bool,
}

/// Part of a payload, made to fit the schema.
#[derive(Default)]
struct Fragment {
    /// The attributes that fit, by their canonical names.
    fitting: Object,
    /// Attributes that do not fit their type, about which nothing else can be said.
    misfits: Vec<String>,
    /// Attributes that were given as no value (`null`, `[]`).
    unassigned: Vec<String>,
}

/// How much of a resource a fragment is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Completeness {
    /// A whole resource: what is not there is missing.
    Whole,
    /// Whole attributes of a resource.
    Attributes,
    /// Parts of an element of an attribute.
    Element,
}

impl<'s> Judge<'s> {
    fn new(rules: &'static [Rule], schema: &'s ResourceSchema, payload: Payload) -> Self {
        let checked = vec![false; rules.len()];
        Self {
            rules,
            schema,
            leniencies: Leniencies::tolerant(),
            payload,
            violations: Vec::new(),
            checked,
            deactivates: false,
            deactivation_deletes: false,
        }
    }

    fn report(mut self, profile: &'static str) -> Report {
        if self.deactivates && self.deactivation_deletes && self.payload != Payload::Create {
            // What is deleted need not fulfil the rules of what is stored; only what cannot be
            // read stands in the way.
            let readable = |id| {
                self.rules.iter().any(|rule| {
                    rule.id == id && matches!(rule.check, Check::Type | Check::Text | Check::Operation)
                })
            };
            self.violations.retain(|found| found.severity == Severity::Warning || readable(found.rule));
        }
        let checked =
            self.rules.iter().zip(&self.checked).filter(|(_, on)| **on).map(|(rule, _)| rule.id).collect();
        Report { profile, violations: self.violations, checked, ..Report::default() }
    }

    /// Reports a violation of the rule whose shape is `check`, if the profile has one.
    fn broken(&mut self, check: Check, path: &str, message: &str) {
        self.mark(check);
        if let Some(rule) = self.rules.iter().find(|rule| rule.check == check) {
            self.violations.push(Violation::new(rule, path, message));
        }
    }

    /// Notes that the rule whose shape is `check` had something to judge.
    fn mark(&mut self, check: Check) {
        for (rule, checked) in self.rules.iter().zip(&mut self.checked) {
            *checked |= rule.check == check;
        }
    }

    /// Looks for U+0000 the way the service does: in texts, and in the filters of paths.
    fn text(&mut self, value: &Value) {
        self.mark(Check::Text);
        if value.has_nul() || scim_core::patch::escapes_nul(value) {
            self.broken(Check::Text, "$", "U+0000 is not kept in any attribute");
        }
    }

    /// The schema of a resource of another type, if `schemas` has no other base schema.
    fn other_type(&self, object: &Object) -> Option<&'static str> {
        let uris = object.get("schemas").and_then(Value::as_array).unwrap_or_default();
        let lists = |uri: &str| uris.iter().any(|u| u.as_str().is_some_and(|u| u.eq_ignore_ascii_case(uri)));
        let base = &self.schema.base().id;
        [builtin::USER, builtin::GROUP].into_iter().find(|uri| lists(uri)).filter(|_| !lists(base))
    }

    /// Makes the attributes of `object` fit the schema, as the service does, and reports what the
    /// vendor does not know, what has the wrong type and what took a leniency.
    fn fit(&mut self, object: &Object, at: &str) -> Fragment {
        let mut fragment = Fragment::default();
        self.mark(Check::Known);
        for (name, value) in object.iter() {
            let path = join(at, name.as_str());
            match self.schema.find(None, name.as_str()) {
                Some(attribute) => self.fit_attribute(attribute, value, &path, &mut fragment),
                None => self.fit_other(name.as_str(), value, &path),
            }
        }
        fragment
    }

    fn fit_attribute(&mut self, attribute: &Attribute, value: &Value, path: &str, fragment: &mut Fragment) {
        if attribute.mutability == Mutability::ReadOnly {
            // What the service provider alone writes is not looked at (RFC 7644 §3.3).
            return;
        }
        self.unknown_members(attribute, value, path);
        self.mark(Check::Type);
        self.mark(Check::Plain);
        let mut fired = Vec::new();
        match validate::coerce(attribute, value.clone(), path, &self.leniencies, &mut fired) {
            Ok(Some(fitting)) => {
                if attribute.name == "active" {
                    self.deactivates = fitting == Value::Bool(false);
                }
                fragment.fitting.insert(attribute.name.as_str(), fitting);
            }
            Ok(None) => fragment.unassigned.push(attribute.name.clone()),
            Err(error) => {
                self.broken(Check::Type, path, error.detail());
                fragment.misfits.push(attribute.name.clone());
            }
        }
        for leniency in fired.into_iter().filter(|leniency| *leniency != Leniency::UnknownAttribute) {
            let message = format!("accepted by leniency only: `{leniency}`");
            self.broken(Check::Plain, path, &message);
        }
    }

    /// An attribute that is not of the base schema: an extension, or unknown.
    fn fit_other(&mut self, name: &str, value: &Value, path: &str) {
        let extension = self.schema.extensions().iter().find(|schema| schema.id.eq_ignore_ascii_case(name));
        let (Some(extension), Value::Object(members)) = (extension, value) else {
            return self.broken(Check::Known, path, "not an attribute the service provider knows; ignored");
        };
        let uri = extension.id.clone();
        for (name, value) in members.iter() {
            let path = join(path, name.as_str());
            match self.schema.find(Some(&uri), name.as_str()) {
                Some(attribute) => self.fit_attribute(attribute, value, &path, &mut Fragment::default()),
                None => self.fit_other(name.as_str(), value, &path),
            }
        }
    }

    fn unknown_members(&mut self, attribute: &Attribute, value: &Value, path: &str) {
        if attribute.sub_attributes.is_empty() {
            return;
        }
        let (elements, indexed) = match value {
            Value::Array(elements) => (elements.as_slice(), true),
            single => (std::slice::from_ref(single), false),
        };
        for (index, element) in elements.iter().enumerate() {
            let path = if indexed { format!("{path}[{index}]") } else { path.to_owned() };
            for (name, _) in element.as_object().into_iter().flat_map(Object::iter) {
                if attribute.sub_attribute(name.as_str()).is_none() {
                    let message = format!("not a sub-attribute of `{}`; ignored", attribute.name);
                    self.broken(Check::Known, &join(&path, name.as_str()), &message);
                }
            }
        }
    }

    /// Runs the rules over `fragment`; `place` turns a path in it into one in the payload.
    fn rules(&mut self, fragment: &Fragment, completeness: Completeness, place: &dyn Fn(&str) -> String) {
        for (index, rule) in self.rules.iter().enumerate() {
            if !rule.on.includes(self.payload) {
                continue;
            }
            for (path, value) in targets(rule.attribute, fragment) {
                if is_misfit(fragment, rule.attribute) {
                    continue;
                }
                let verdict = match value.filter(|value| !value.is_unassigned()) {
                    Some(value) => shape::judge(rule, value, completeness != Completeness::Element),
                    None => self.missing(rule, fragment, completeness),
                };
                let Some(verdict) = verdict else { continue };
                if let Some(checked) = self.checked.get_mut(index) {
                    *checked = true;
                }
                if let Err(message) = verdict {
                    self.violations.push(Violation::new(rule, place(&path), message));
                }
            }
        }
    }

    /// What a rule says of an attribute that has no value; `None` if nothing.
    fn missing(
        &self,
        rule: &Rule,
        fragment: &Fragment,
        completeness: Completeness,
    ) -> Option<Result<(), String>> {
        let top_level = !rule.attribute.contains('[');
        let missing = match completeness {
            Completeness::Whole => true,
            Completeness::Attributes => {
                !top_level || fragment.unassigned.iter().any(|name| name == rule.attribute)
            }
            Completeness::Element => false,
        };
        match rule.check {
            Check::Lists(text) if missing => Some(Err(format!("does not list `{text}`"))),
            Check::NoValue if missing && completeness == Completeness::Whole => Some(Ok(())),
            Check::AnyEmail(places) if completeness == Completeness::Whole => {
                let is_email =
                    |value: Option<&Value>| value.and_then(Value::as_str).is_some_and(shape::is_email);
                let found = places
                    .iter()
                    .any(|place| targets(place, fragment).iter().any(|(_, value)| is_email(*value)));
                Some(if found { Ok(()) } else { Err(rule.statement.to_owned()) })
            }
            Check::Required if missing => Some(Err("a value is required".to_owned())),
            Check::Kept if missing && self.payload == Payload::Patch => {
                Some(Err(format!("cannot be removed: {}", rule.statement)))
            }
            _ => None,
        }
    }
}

/// Whether the attribute that `path` is about does not fit its type.
fn is_misfit(fragment: &Fragment, path: &str) -> bool {
    let name = path.split(['[', '.']).next().unwrap_or(path);
    fragment.misfits.iter().any(|misfit| misfit == name)
}

/// The places of `fragment` that a rule on `attribute` is about, with what is there.
fn targets<'f>(attribute: &str, fragment: &'f Fragment) -> Vec<(String, Option<&'f Value>)> {
    let Some((name, sub)) = attribute.split_once("[]") else {
        return vec![(attribute.to_owned(), fragment.fitting.get(attribute))];
    };
    let elements = fragment.fitting.get(name).and_then(Value::as_array).unwrap_or_default();
    let places = elements.iter().enumerate();
    match sub.strip_prefix('.') {
        None => places.map(|(index, element)| (format!("{name}[{index}]"), Some(element))).collect(),
        Some(sub) => places
            .map(|(index, element)| {
                (format!("{name}[{index}].{sub}"), element.as_object().and_then(|object| object.get(sub)))
            })
            .collect(),
    }
}

/// The path of the member `name` of the object at `at`; the payload's own names are cut where they
/// are long.
fn join(at: &str, name: &str) -> String {
    let plain =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$'));
    let name = shape::shown(name);
    match (at, plain) {
        ("", true) => name,
        (_, true) => format!("{at}.{name}"),
        (_, false) => format!("{at}[\"{name}\"]"),
    }
}
