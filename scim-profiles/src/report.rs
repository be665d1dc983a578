//! What a linter found.

use std::fmt;

use scim_core::{Error, Object, ScimType, Value};

use crate::rule::{Rule, Severity};
use crate::{Source, table};

/// One place where a payload breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The [`id`](Rule::id) of the rule.
    pub rule: &'static str,
    /// Whether the vendor refuses the payload for it.
    pub severity: Severity,
    /// The place in the payload: `roles[0].value`, `Operations[1].value`; `$` is all of it.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// The keyword of the error a server answers with.
    pub scim_type: ScimType,
    /// Where the rule comes from.
    pub source: Source,
}

impl Violation {
    pub(crate) fn new(rule: &Rule, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            rule: rule.id,
            severity: rule.severity,
            path: path.into(),
            message: message.into(),
            scim_type: rule.scim_type,
            source: rule.source,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {} ({})", self.severity, self.path, self.message, self.rule)
    }
}

/// Everything a linter found in one payload.
///
/// Prints as a table; [`to_value`](Self::to_value) is its JSON.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub(crate) profile: &'static str,
    pub(crate) violations: Vec<Violation>,
    // INVARIANT: in the order of the profile's rules, each once.
    pub(crate) checked: Vec<&'static str>,
    /// The type of resource that it was judged as, and whether it was taken for that.
    pub(crate) resource_type: Option<&'static str>,
    pub(crate) is_inferred: bool,
}

impl Report {
    /// The [`name`](crate::Profile::name) of the profile.
    pub fn profile(&self) -> &'static str {
        self.profile
    }

    /// Every violation, errors and warnings, in the order of the payload's judgement.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// What the vendor refuses.
    pub fn errors(&self) -> impl Iterator<Item = &Violation> {
        self.violations.iter().filter(|violation| violation.severity == Severity::Error)
    }

    /// What the vendor accepts, but not as it may have been meant.
    pub fn warnings(&self) -> impl Iterator<Item = &Violation> {
        self.violations.iter().filter(|violation| violation.severity == Severity::Warning)
    }

    /// Whether the vendor accepts the payload.
    pub fn is_accepted(&self) -> bool {
        self.errors().next().is_none()
    }

    /// The ids of the rules that had something to judge, broken or not.
    pub fn checked(&self) -> &[&'static str] {
        &self.checked
    }

    /// The type of resource that the payload was judged as; `None` for a bulk request, in which the path of
    /// each operation says it.
    pub fn resource_type(&self) -> Option<&'static str> {
        self.resource_type
    }

    /// Whether neither the payload nor who had it judged said of which type it is, so that it was
    /// [found out](crate::Profile::lint_as).
    pub fn is_type_inferred(&self) -> bool {
        self.is_inferred
    }

    /// The report as JSON: `profile`, `resourceType` and whether that is `inferred`, `accepted`, `checked`, and
    /// `violations` with `severity`, `rule`, `path`, `message` and `source`.
    pub fn to_value(&self) -> Value {
        let violations = self.violations.iter().map(|violation| {
            let mut source = Object::new();
            source.insert("document", violation.source.document);
            source.insert("seen", violation.source.seen);
            source.insert("basis", violation.source.basis.as_str());
            let mut entry = Object::new();
            entry.insert("severity", violation.severity.as_str());
            entry.insert("rule", violation.rule);
            entry.insert("path", violation.path.as_str());
            entry.insert("message", violation.message.as_str());
            entry.insert("source", source);
            Value::Object(entry)
        });
        let mut report = Object::new();
        report.insert("profile", self.profile);
        if let Some(resource_type) = self.resource_type {
            report.insert("resourceType", resource_type);
            report.insert("inferred", self.is_inferred);
        }
        report.insert("accepted", self.is_accepted());
        report.insert("checked", self.checked.iter().map(|id| Value::from(*id)).collect::<Vec<_>>());
        report.insert("violations", violations.collect::<Vec<_>>());
        Value::Object(report)
    }

    /// The SCIM error a server answers: it names every error of the report, and has the keyword
    /// of the first. `None` if the payload is accepted.
    pub fn to_error(&self) -> Option<Error> {
        let scim_type = self.errors().next()?.scim_type;
        let details: Vec<String> = self
            .errors()
            .map(|error| format!("{}: {} ({})", error.path, error.message, error.rule))
            .collect();
        Some(Error::bad_request(scim_type, details.join("; ")))
    }
}

/// A table with a row for each violation, and a last line that counts them and says what the payload was taken for,
/// where nothing said that.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["SEVERITY", "PATH", "RULE", "MESSAGE", "SOURCE"].map(str::to_owned);
        let rows: Vec<[String; 5]> = std::iter::once(header)
            .chain(self.violations.iter().map(|violation| {
                [
                    violation.severity.to_string(),
                    violation.path.clone(),
                    violation.rule.to_owned(),
                    violation.message.clone(),
                    violation.source.to_string(),
                ]
            }))
            .collect();
        if !self.violations.is_empty() {
            table::write(f, &rows)?;
            writeln!(f)?;
        }
        let verdict = if self.is_accepted() { "accepts" } else { "refuses" };
        write!(f, "{} {verdict} this payload", self.profile)?;
        if let Some(resource_type) = self.resource_type.filter(|_| self.is_inferred) {
            write!(f, ", taken for that of a {resource_type}")?;
        }
        write!(
            f,
            ": {} error(s), {} warning(s), {} rule(s) checked",
            self.errors().count(),
            self.warnings().count(),
            self.checked.len(),
        )
    }
}
