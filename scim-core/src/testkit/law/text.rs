//! Texts that databases, drivers and languages stumble over.

use serde_json::json;

use super::write::{group, members, of_members, user};
use crate::query::Query;
use crate::store::Store;
use crate::testkit::trial::{bound, everything, same_but_meta};
use crate::testkit::{Broken, Trial, demand};
use crate::{Resource, Version};

/// Any text is kept as it came, in values and in names of attributes, as `id` and as member.
///
/// But for U+0000, which the service refuses before it reaches a store: not every database can
/// hold it.
pub async fn any_text_is_kept<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let (users, groups) = (trial.users()?, trial.groups()?);
    let long = "long ".repeat(40_000);
    for (number, text) in TEXTS.iter().copied().chain([&*long]).enumerate() {
        // Ids and keys stay below what any index can hold.
        let short: String = text.chars().take(200).collect();
        let id = format!("{number} {short}");
        let mut user = user(&id, &format!("{number} {short}"));
        user.0.insert("title", text);
        user.0.insert("externalId", short.as_str());
        user.0.insert("urn:example:extension", json!({ &short: [text, {"value": text}] }));
        trial.create(users, &user).await?;
        trial.is_stored(users, &user).await?;
        trial.delete(users, &id).await?;
        trial.is_absent(users, &id).await?;
        let id = format!("g{id}");
        let mut group = group(&id, &["first"]);
        group.0.insert("displayName", text);
        trial.create(groups, &group).await?;
        trial.apply(groups, &group, &of_members(&["first"], &[&short]), Version(1)).await?;
        group.0.insert("members", members(&[&short]));
        same_but_meta(&format!("group `{id}`"), &trial.stored(groups, &id).await?, &group)?;
    }
    Ok(())
}

/// Any text is found by a filter that asks for it, and is never part of a statement.
pub async fn any_text_is_found<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let (users, groups) = (trial.users()?, trial.groups()?);
    let mut all: Vec<Resource> = Vec::new();
    for (number, text) in TEXTS.iter().enumerate() {
        let mut user = user(&format!("{number} {text}"), &format!("{text} {number}"));
        user.0.insert("externalId", *text);
        user.0.insert("emails", json!([{"type": text, "value": format!("{text}@example.com")}]));
        trial.create(users, &user).await?;
        all.push(user);
        let id = format!("{number}");
        trial.create(groups, &group(&id, &[text])).await?;
    }
    for (number, text) in TEXTS.iter().enumerate().take(trial.cases(TEXTS.len())) {
        let (id, name) = (json!(format!("{number} {text}")), json!(format!("{text} {number}")));
        let (email, plain) = (json!(format!("{text}@example.com")), json!(text));
        for text in [
            format!("id eq {id}"),
            format!("userName eq {name}"),
            format!("externalId eq {plain}"),
            format!("emails[type eq {plain} and value eq {email}]"),
            format!("emails.value eq {email}"),
            format!("userName sw {plain}"),
            format!("externalId co {plain} and userName co {plain}"),
            format!("emails.value ew {email} or id gt {id}"),
        ] {
            let query = Query { filter: Some(bound(users.schema, &text)?), ..everything() };
            super::list::agrees(trial, users, &query, &text, &all).await?;
        }
        let found = trial.found(groups, &format!("members.value eq {plain}")).await?;
        demand!(found.contains(&number.to_string()), "the group with the member {plain} is not found by it");
    }
    Ok(())
}

/// A filter as long and as deep as the parser admits by default is answered.
pub async fn a_filter_up_to_the_limits_is_answered<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let (users, groups) = (trial.users()?, trial.groups()?);
    trial.create(users, &user("1", "ann")).await?;
    trial.create(users, &user("2", "bob")).await?;
    trial.create(groups, &group("g", &["1"])).await?;
    let terms = |term: &dyn Fn(usize) -> String, operator: &str, last: &str| {
        let mut terms: Vec<String> = (0..1000).map(term).collect();
        terms.push(last.to_owned());
        terms.join(operator)
    };
    let nobody = |number: usize| format!("userName eq \"x{number}\"");
    let somebody = |number: usize| format!("userName ne \"x{number}\"");
    let member = |number: usize| format!("members.value eq \"x{number}\"");
    trial.finds(users, &terms(&nobody, " or ", "id eq \"2\""), &["2"]).await?;
    trial.finds(users, &terms(&somebody, " and ", "id eq \"2\""), &["2"]).await?;
    trial.finds(groups, &terms(&member, " or ", "members eq \"1\""), &["g"]).await?;
    let deep = format!("{}userName eq \"ann\"{}", "not (".repeat(60), ")".repeat(60));
    trial.finds(users, &deep, &["1"]).await
}

/// Texts with what means something to SQL, to `LIKE`, to JSON, to C, to Unicode.
const TEXTS: [&str; 26] = [
    "plain",
    "o'hara",
    "x' OR '1'='1",
    "'; DROP TABLE resources; --",
    "\"quoted\"",
    "back\\slash \\u0041 \\0 \\'",
    "100% _under_ [a-z] *?",
    "$1 ?1 :name @name {0} %s",
    "line\nbreak\r\ttab",
    " leading and trailing ",
    "\u{1} \u{1f} \u{7f} \u{85}",
    "null",
    "true",
    "0x1F",
    "1e5",
    "ünïcödé",
    "u\u{308}",
    "ﬀ ﬁ ß ẞ ſ",
    "İstanbul ıŞIK",
    "ΣΊΣΥΦΟΣ σίσυφος",
    "日本語 한국어 עברית العربية",
    "\u{202e}right to left\u{202c}",
    "zero\u{200b}width\u{feff}",
    "👩\u{200d}👩\u{200d}👧 🏳\u{fe0f}\u{200d}🌈",
    "\u{fffd} \u{ffff} \u{10ffff} \u{e000}",
    "𝒜𐐀𐐨",
];
