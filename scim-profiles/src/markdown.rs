//! A profile as a page of Markdown tables.

use std::fmt::Write as _;

use crate::profile::{AttributeRow, CapabilityValue, Filters, Profile, ResourceProfile};
use crate::rule::{On, Payload, Rule};
use crate::{Basis, Source};

/// A table that one vendor alone has; its cells are words in which code stands in backticks.
pub(crate) struct Table {
    pub(crate) title: &'static str,
    pub(crate) header: &'static [&'static str],
    pub(crate) rows: Vec<(Vec<String>, Source)>,
}

/// The page for `profile`: everything it has, each row with its source.
pub(crate) fn page(profile: &Profile) -> String {
    let mut page = format!("# {}\n\n", text(profile.title));
    let _ = writeln!(
        page,
        "Profile `{}`. Each row names the document it comes from and the date of the version that was \
         read; *inferred* marks what the document does not say in words, beside the option by which it can be \
         had otherwise, and *decided* what this library decides where no document says anything, with the reason.",
        profile.name
    );
    overview(&mut page, profile);
    for resource in profile.resources {
        self::resource(&mut page, resource);
    }
    for Table { title, header, rows } in (profile.behaviour.tables)() {
        let cells =
            |(cells, source): (Vec<String>, Source)| (cells.iter().map(|cell| text(cell)).collect(), source);
        table(&mut page, title, header, rows.into_iter().map(cells));
    }
    let lifecycle = profile.lifecycle.iter().map(|row| {
        let status = row.status.map_or_else(String::new, |status| status.to_string());
        (vec![code(row.id), text(row.statement), row.kind.as_str().to_owned(), status], row.source)
    });
    table(&mut page, "What happens", &["Id", "Statement", "Kind", "Status"], lifecycle);
    let options = profile
        .options
        .iter()
        .map(|row| (vec![code(row.name), code(row.default), text(row.statement)], row.source));
    table(&mut page, "Options", &["Option", "Default", "What it decides"], options);
    page
}

fn overview(page: &mut String, profile: &Profile) {
    let urls = profile.base_urls.iter().map(|row| (vec![text(row.region), code(row.url)], row.source));
    table(page, "Base URLs", &["Region", "URL"], urls);
    let spellings = profile
        .authorization
        .iter()
        .map(|row| (vec![code(&format!("{}…", row.prefix)), text(row.sent_by)], row.source));
    table(page, "Authorization", &["Header", "Sent by"], spellings);
    let has_scopes = profile.endpoints.iter().any(|row| row.scope.is_some());
    let endpoints = profile.endpoints.iter().map(|row| {
        let statuses = row.statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
        let mut cells = vec![code(&format!("{} {}", row.method, row.path)), statuses];
        cells.extend(has_scopes.then(|| row.scope.map_or_else(String::new, code)));
        (cells, row.source)
    });
    let header =
        if has_scopes { &["Request", "Statuses", "OAuth scope"][..] } else { &["Request", "Statuses"] };
    table(page, "Requests", header, endpoints);
    let capabilities = profile.capabilities.iter().map(|row| {
        let value = match row.value {
            CapabilityValue::Literal(literal) => literal.to_string(),
            CapabilityValue::Number(number) => number.to_string(),
        };
        (vec![code(row.name), code(&value)], row.source)
    });
    table(page, "Capabilities", &["Name", "Value"], capabilities);
    let members = profile.errors.body.members().iter().map(|name| code(name)).collect::<Vec<_>>().join(", ");
    let errors = (vec![members, profile.errors.duplicate.to_string()], profile.errors.source);
    table(page, "Errors", &["Members", "Status of a value that is taken"], [errors]);
}

fn resource(page: &mut String, resource: &ResourceProfile) {
    let name = resource.resource_type;
    let attributes = resource.attributes.iter().flat_map(|row| {
        let own = (row.name.to_owned(), row);
        let subs = row.sub_attributes.iter().map(|sub| (format!("{}.{}", row.name, sub.name), sub));
        std::iter::once(own).chain(subs).map(|(name, row)| (attribute(&name, row), row.source))
    });
    let header = ["Attribute", "Type", "Required", "Values", "Meaning"];
    table(page, &format!("{name}: attributes"), &header, attributes);
    let rules = resource.rules.iter().map(|rule| (self::rule(rule), rule.source));
    let header = ["Id", "Attribute", "On", "Severity", "Rule"];
    table(page, &format!("{name}: rules"), &header, rules);
    let title = format!("{name}: filters");
    match resource.filters {
        Filters::Any => {}
        Filters::Only(filters) => {
            let filters = filters
                .iter()
                .map(|row| (vec![code(row.attribute), code(&row.operators.join(", "))], row.source));
            table(page, &title, &["Attribute", "Operators"], filters);
        }
        Filters::Forms(forms) => {
            let forms = forms.iter().map(|form| (vec![code(&form.shown())], form.source));
            table(page, &title, &["Filter, its terms in any order"], forms);
        }
    }
}

fn attribute(name: &str, row: &AttributeRow) -> Vec<String> {
    let mut kind = row.kind.as_str().to_owned();
    for (is_so, words) in [(row.multi_valued, ", multi-valued"), (row.read_only, ", read only")] {
        kind.push_str(if is_so { words } else { "" });
    }
    let values = row.values.iter().map(|value| code(value)).collect::<Vec<_>>().join(", ");
    let required = if row.required { "yes" } else { "no" };
    vec![code(name), kind, required.to_owned(), values, text(row.description)]
}

fn rule(rule: &Rule) -> Vec<String> {
    let attribute = if rule.attribute.is_empty() { "the payload".to_owned() } else { code(rule.attribute) };
    vec![code(rule.id), attribute, methods(rule.on), rule.severity.to_string(), text(rule.statement)]
}

fn methods(on: On) -> String {
    let methods = [(Payload::Create, "POST"), (Payload::Replace, "PUT"), (Payload::Patch, "PATCH")];
    let judged = methods.into_iter().filter(|(payload, _)| on.includes(*payload)).map(|(_, method)| method);
    judged.collect::<Vec<_>>().join(", ")
}

/// A section with a table; nothing where there are no rows.
pub(crate) fn table(
    page: &mut String,
    title: &str,
    header: &[&str],
    rows: impl IntoIterator<Item = (Vec<String>, Source)>,
) {
    let mut rows = rows.into_iter().peekable();
    if rows.peek().is_none() {
        return;
    }
    let _ = write!(page, "\n## {title}\n\n| {} | Source | Seen | Basis |\n", header.join(" | "));
    let _ = writeln!(page, "|{}", "---|".repeat(header.len() + 3));
    for (cells, source) in rows {
        let basis = basis(source.basis);
        let (document, seen) = (text(source.document), source.seen);
        let _ = writeln!(page, "| {} | {document} | {seen} | {basis} |", cells.join(" | "));
    }
}

/// What the document has to do with a row, in its cell.
fn basis(basis: Basis) -> String {
    match basis {
        Basis::Stated => "stated".to_owned(),
        Basis::Inferred { options } => {
            let options = options.iter().map(|name| code(name)).collect::<Vec<_>>();
            format!("*inferred*: {}", options.join(", "))
        }
        Basis::Decided { why } => format!("*decided*: {}", text(why)),
    }
}

/// `words` in a cell. Code in them stays code, and so does what it holds.
pub(crate) fn text(words: &str) -> String {
    let mut cell = String::with_capacity(words.len());
    let mut in_code = false;
    for c in words.chars() {
        match c {
            '`' => in_code = !in_code,
            '|' => cell.push('\\'),
            '<' | '*' | '_' | '[' if !in_code => cell.push('\\'),
            _ => {}
        }
        cell.push(c);
    }
    cell
}

pub(crate) fn code(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!("`{}`", words.replace('|', "\\|")) }
}
