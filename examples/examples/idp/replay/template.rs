//! OneLogin's template for a vendor: the one that the vendor's guide has to paste, with somebody's values in it.

use serde_json::{Map, Value};

/// The guides, by the vendor's profile. What is sent is what they say.
const GUIDES: &[(&str, &str)] = &[
    ("datadog", include_str!("../../../../scim-profiles/guides/onelogin-datadog.md")),
    ("incident-io", include_str!("../../../../scim-profiles/guides/onelogin-incident-io.md")),
    ("pagerduty", include_str!("../../../../scim-profiles/guides/onelogin-pagerduty.md")),
];

/// The body that the template for this vendor comes to; `None` where no guide has one. What a placeholder such as
/// `user.email` stands for, `value_of` says; an attribute with one that stands for nothing is not mapped.
pub(crate) fn filled(vendor: &str, value_of: impl Fn(&str) -> Option<String>) -> Option<Value> {
    let (_, guide) = GUIDES.iter().find(|(name, _)| *name == vendor)?;
    let template: Map<String, Value> = serde_json::from_str(block(guide)?).ok()?;
    let attributes =
        template.iter().filter_map(|(name, value)| Some((name.clone(), fill(value, &value_of)?)));
    Some(attributes.collect::<Map<_, _>>().into())
}

/// The block of the language `json` in the section about the mapping.
fn block(guide: &str) -> Option<&str> {
    let section = guide.split("\n## ").find(|section| section.starts_with("Mapping\n"))?;
    Some(section.split_once("\n```json\n")?.1.split_once("\n```")?.0)
}

fn fill(value: &Value, value_of: &impl Fn(&str) -> Option<String>) -> Option<Value> {
    Some(match value {
        Value::String(text) => match text.strip_prefix("{$").and_then(|text| text.strip_suffix('}')) {
            Some(name) => value_of(name)?.into(),
            None => value.clone(),
        },
        Value::Array(values) => values.iter().map(|value| fill(value, value_of)).collect::<Option<_>>()?,
        Value::Object(members) => {
            let filled = members.iter().map(|(name, value)| Some((name.clone(), fill(value, value_of)?)));
            Value::Object(filled.collect::<Option<_>>()?)
        }
        other => other.clone(),
    })
}
