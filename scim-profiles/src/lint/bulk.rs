//! A bulk request against a profile's rules: each operation as the request it stands for.

use scim_core::leniency::Leniencies;
use scim_core::message::{BulkMethod, BulkOperation, BulkRequest};
use scim_core::{ScimType, Value};

use super::shape::shown;
use crate::Source;
use crate::profile::{CapabilityValue, Profile};
use crate::report::{Report, Violation};
use crate::rule::{Check, Literal, Payload, Rule, Severity, error};

/// What holds of the operations of a bulk request at any vendor.
const OPERATION: Rule = Rule {
    scim_type: ScimType::InvalidSyntax,
    ..error(
        "bulk-operation",
        "",
        Check::Operation,
        "a bulk request has operations, each with a method, the path of an endpoint and its data",
        Source::stated("RFC 7644 §3.7", "2015-09"),
    )
};

pub(crate) fn request(profile: &Profile, value: &Value) -> Report {
    let mut bulk = Bulk { profile, violations: Vec::new(), checked: vec![OPERATION.id] };
    bulk.support();
    // How many operations there may be is the server's to say, and what it lacks is said of the operation.
    match BulkRequest::parse(value.clone(), usize::MAX, &Leniencies::tolerant(), &mut Vec::new()) {
        Ok(request) => {
            for (index, operation) in request.operations.into_iter().enumerate() {
                match operation {
                    Ok(operation) => bulk.operation(&operation, &format!("Operations[{index}]")),
                    Err(invalid) => bulk.broken(&format!("Operations[{index}]"), invalid.error.detail()),
                }
            }
        }
        Err(error) => bulk.broken("$", error.detail()),
    }
    bulk.report()
}

struct Bulk<'p> {
    profile: &'p Profile,
    violations: Vec<Violation>,
    checked: Vec<&'static str>,
}

impl Bulk<'_> {
    /// Whether the vendor takes bulk requests at all, as the profile's capabilities have it.
    fn support(&mut self) {
        let row = self.profile.capabilities.iter().find(|row| row.name == "bulk.supported");
        let Some(row) = row else { return };
        self.checked.push(row.name);
        if row.value == CapabilityValue::Literal(Literal::Bool(false)) {
            self.violations.push(Violation {
                rule: row.name,
                severity: Severity::Error,
                path: "$".to_owned(),
                message: "the service provider takes no bulk requests".to_owned(),
                scim_type: ScimType::InvalidSyntax,
                source: row.source,
            });
        }
    }

    fn broken(&mut self, at: &str, message: &str) {
        self.violations.push(Violation::new(&OPERATION, at, message));
    }

    fn operation(&mut self, operation: &BulkOperation, at: &str) {
        let payload = match operation.method {
            BulkMethod::Post => Payload::Create,
            BulkMethod::Put => Payload::Replace,
            BulkMethod::Patch => Payload::Patch,
            BulkMethod::Delete => return,
        };
        let Some(data) = &operation.data else { return };
        let endpoint = operation.path.split('/').nth(1).map(|name| format!("/{name}")).unwrap_or_default();
        let schema = self.profile.registry().by_endpoint(&endpoint);
        let report = schema.and_then(|schema| self.profile.lint_resource(schema.name(), payload, data));
        let Some(report) = report else { return self.elsewhere(&operation.path, &format!("{at}.path")) };
        self.checked.extend(report.checked());
        self.violations.extend(report.violations.into_iter().map(|violation| Violation {
            path: match violation.path.as_str() {
                "$" => format!("{at}.data"),
                path => format!("{at}.data.{path}"),
            },
            ..violation
        }));
    }

    /// An operation on what is no resource of the vendor's.
    fn elsewhere(&mut self, path: &str, at: &str) {
        let message = format!("`{}` is no endpoint of a type the service provider has", shown(path));
        let mut rules = self.profile.resources.iter().flat_map(|resource| resource.rules);
        match rules.find(|rule| rule.check == Check::ResourceType) {
            Some(rule) => {
                self.checked.push(rule.id);
                self.violations.push(Violation::new(rule, at, message));
            }
            None => self.broken(at, &message),
        }
    }

    fn report(self) -> Report {
        let Self { profile, violations, mut checked } = self;
        let order = |id: &&str| {
            let mut rules = profile.resources.iter().flat_map(|resource| resource.rules);
            rules.position(|rule| rule.id == *id)
        };
        checked.sort_by_key(|id| (order(id), *id));
        checked.dedup();
        Report { profile: profile.name, violations, checked, ..Report::default() }
    }
}
