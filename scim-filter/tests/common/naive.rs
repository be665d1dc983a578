//! A filter and its evaluation as one would write them first: a recursive tree, a walk over JSON.
//! Nothing here is the library's but the names of the operators.

#![allow(dead_code, reason = "each test uses a part")]

use scim_filter::{CompareOp, Expr};
use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization as _;

#[derive(Clone, Debug)]
pub(crate) enum Model {
    And(Vec<Model>),
    Or(Vec<Model>),
    Not(Box<Model>),
    Compare(String, CompareOp, Value),
    Present(String),
    In(String, Box<Model>),
}

/// How the texts compare that stand at a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rule {
    Exact,
    Folded,
    Time,
    Base64,
    /// They are those of the attribute's `value`.
    Value,
}

impl Model {
    /// The filter as text; `noise` is asked wherever the grammar leaves a choice.
    pub(crate) fn text(&self, noise: &mut dyn FnMut() -> bool) -> String {
        let word = |word: &str, noise: &mut dyn FnMut() -> bool| {
            if noise() { word.to_ascii_uppercase() } else { word.to_owned() }
        };
        let space = |noise: &mut dyn FnMut() -> bool| if noise() { "  " } else { " " };
        let gap = |noise: &mut dyn FnMut() -> bool| if noise() { " " } else { "" };
        match self {
            Self::And(terms) | Self::Or(terms) => {
                let join = if matches!(self, Self::And(_)) { "and" } else { "or" };
                let mut text = String::new();
                for (index, term) in terms.iter().enumerate() {
                    if index > 0 {
                        text += &format!("{}{}{}", space(noise), word(join, noise), space(noise));
                    }
                    let inner = term.text(noise);
                    let bare = !matches!(term, Self::And(_) | Self::Or(_));
                    text += &if bare && !noise() {
                        inner
                    } else {
                        format!("({}{inner}{})", gap(noise), gap(noise))
                    };
                }
                text
            }
            Self::Not(term) => format!("{}{}({})", word("not", noise), gap(noise), term.text(noise)),
            Self::In(path, term) => format!("{}[{}{}]", word(path, noise), gap(noise), term.text(noise)),
            Self::Present(path) => format!("{}{}{}", word(path, noise), space(noise), word("pr", noise)),
            Self::Compare(path, op, value) => format!(
                "{}{}{}{}{value}",
                word(path, noise),
                space(noise),
                word(op.as_str(), noise),
                space(noise)
            ),
        }
    }

    /// Whether the parsed filter has this structure.
    pub(crate) fn is(&self, expr: Expr<'_>) -> bool {
        match (self, expr) {
            (Self::And(models), Expr::And(terms)) | (Self::Or(models), Expr::Or(terms)) => {
                models.len() == terms.into_iter().count()
                    && models.iter().zip(terms).all(|(model, term)| model.is(term.expr()))
            }
            (Self::Not(model), Expr::Not(term)) => model.is(term.expr()),
            (Self::In(path, model), Expr::ValuePath(found, term)) => {
                found.as_str().eq_ignore_ascii_case(path) && model.is(term.expr())
            }
            (Self::Present(path), Expr::Present(found)) => found.as_str().eq_ignore_ascii_case(path),
            (Self::Compare(path, op, value), Expr::Compare(found, found_op, literal)) => {
                use scim_filter::CompValue;
                let same = match literal {
                    CompValue::Null => value.is_null(),
                    CompValue::Bool(literal) => *value == json!(literal),
                    CompValue::String(literal) => *value == json!(literal),
                    CompValue::Number(literal) => format!("{literal}") == format!("{value}"),
                };
                found.as_str().eq_ignore_ascii_case(path) && found_op == *op && same
            }
            _ => false,
        }
    }

    /// Whether the resource fulfils the filter. Paths inside of brackets are asked for with that of
    /// the attribute before them.
    pub(crate) fn holds(&self, resource: &Value, rule: &dyn Fn(&str) -> Rule) -> bool {
        self.holds_in("", resource, rule)
    }

    fn holds_in(&self, outer: &str, resource: &Value, rule: &dyn Fn(&str) -> Rule) -> bool {
        let holds = |model: &Self| model.holds_in(outer, resource, rule);
        match self {
            Self::And(terms) => terms.iter().all(holds),
            Self::Or(terms) => terms.iter().any(holds),
            Self::Not(term) => !holds(term),
            Self::Present(path) => found(resource, path).iter().any(|value| present(value)),
            Self::In(path, inner) => {
                let values = found(resource, path).into_iter().flat_map(elements);
                values.filter(|element| !element.is_null()).any(|element| {
                    // A value that is no object has itself as its `value`.
                    let element =
                        if element.is_object() { element.clone() } else { json!({"value": element}) };
                    inner.holds_in(&format!("{path}."), &element, rule)
                })
            }
            Self::Compare(path, CompareOp::Eq, Value::Null) => !holds(&Self::Present(path.clone())),
            Self::Compare(path, CompareOp::Ne, Value::Null) => holds(&Self::Present(path.clone())),
            Self::Compare(path, CompareOp::Ne, value) => {
                !holds(&Self::Compare(path.clone(), CompareOp::Eq, value.clone()))
            }
            Self::Compare(path, op, value) => {
                let (path, rule) = match rule(&format!("{outer}{path}")) {
                    Rule::Value => (format!("{path}.value"), rule(&format!("{outer}{path}.value"))),
                    rule => (path.clone(), rule),
                };
                found(resource, &path)
                    .iter()
                    .flat_map(|value| elements(value))
                    .any(|found| compare(found, *op, value, rule))
            }
        }
    }
}

fn member<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    object.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn elements(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(elements) => elements.iter().collect(),
        value => vec![value],
    }
}

/// What stands at a path: whole arrays for an attribute, single values for a sub-attribute.
fn found<'v>(resource: &'v Value, path: &str) -> Vec<&'v Value> {
    let (resource, path) = match path.rsplit_once(':') {
        Some((uri, path)) => match member(resource, uri) {
            Some(extension) => (extension, path),
            None => return Vec::new(),
        },
        None => (resource, path),
    };
    match path.split_once('.') {
        None => member(resource, path).into_iter().collect(),
        Some((name, sub)) => member(resource, name)
            .into_iter()
            .flat_map(elements)
            .filter_map(|element| match element {
                Value::Object(_) => member(element, sub),
                element => (sub == "value").then_some(element),
            })
            .collect(),
    }
}

fn present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(elements) => elements.iter().any(present),
        Value::Object(members) => members.values().any(present),
    }
}

fn compare(left: &Value, op: CompareOp, right: &Value, rule: Rule) -> bool {
    let ordering = match (left, right) {
        (Value::String(left), Value::String(right)) if rule == Rule::Time => {
            time(left).and_then(|left| Some(left.cmp(&time(right)?)))
        }
        (Value::String(left), Value::String(right)) => {
            let (left, right) = (key(left, rule), key(right, rule));
            match op {
                CompareOp::Co => return left.contains(&right),
                CompareOp::Sw => return left.starts_with(&right),
                CompareOp::Ew => return left.ends_with(&right),
                _ => Some(left.cmp(&right)),
            }
        }
        (Value::Number(left), Value::Number(right)) => number(left).partial_cmp(&number(right)),
        (Value::Bool(left), Value::Bool(right)) => return op == CompareOp::Eq && left == right,
        _ => None,
    };
    ordering.is_some_and(|ordering| match op {
        CompareOp::Eq => ordering.is_eq(),
        CompareOp::Gt => ordering.is_gt(),
        CompareOp::Ge => ordering.is_ge(),
        CompareOp::Lt => ordering.is_lt(),
        CompareOp::Le => ordering.is_le(),
        _ => false,
    })
}

/// The text with what makes no difference made equal.
pub(crate) fn key(text: &str, rule: Rule) -> String {
    match rule {
        Rule::Base64 => text.trim_end_matches('=').to_owned(),
        Rule::Folded => {
            let text = text.chars().map(|c| if ('！'..='～').contains(&c) { ordinary(c) } else { c });
            text.nfd().map(fold).collect::<String>().nfc().collect()
        }
        _ => text.to_owned(),
    }
}

/// The fullwidth character as ASCII.
fn ordinary(wide: char) -> char {
    char::from_u32(wide as u32 - '！' as u32 + '!' as u32).unwrap_or(wide)
}

/// The case folding of the letters that are generated.
fn fold(letter: char) -> String {
    match letter {
        'ß' | 'ẞ' => "ss".to_owned(),
        'ς' => "σ".to_owned(),
        letter => letter.to_lowercase().collect(),
    }
}

/// What is before the point and what behind.
pub(crate) fn number(number: &serde_json::Number) -> (i128, f64) {
    let integer = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    integer.map_or_else(
        || {
            let number = number.as_f64().unwrap_or(f64::NAN);
            (number.floor() as i128, number - number.floor())
        },
        |integer| (integer, 0.0),
    )
}

/// Seconds since the year 0 and the digits of the fraction; without a zone it is UTC.
pub(crate) fn time(text: &str) -> Option<(i128, String)> {
    let (date, time) = text.split_once('T')?;
    let (date, sign) = date.strip_prefix('-').map_or((date, 1), |date| (date, -1));
    let numbers = |text: &str, by: char| -> Option<[i128; 3]> {
        let numbers: Result<Vec<i128>, _> = text.split(by).map(str::parse).collect();
        numbers.ok()?.try_into().ok()
    };
    let [year, month, day] = numbers(date, '-')?;
    let year = sign * year;
    let (time, zone) = match (time.strip_suffix('Z'), time.split_once('+'), time.split_once('-')) {
        (Some(time), ..) => (time, 0),
        (_, Some((time, zone)), _) => (time, seconds(zone)?),
        (.., Some((time, zone))) => (time, -seconds(zone)?),
        _ => (time, 0),
    };
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let [hour, minute, second] = numbers(time, ':')?;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let months = [31, if is_leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let days_of_year: i128 = months.iter().take(usize::try_from(month).ok()?.checked_sub(1)?).sum();
    let before = year - 1;
    let leap_days = before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400);
    let days = 365 * year + leap_days + days_of_year + day;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second - zone;
    Some((seconds, fraction.trim_end_matches('0').to_owned()))
}

/// Of `02:00`.
fn seconds(zone: &str) -> Option<i128> {
    let (hours, minutes) = zone.split_once(':')?;
    Some(hours.parse::<i128>().ok()? * 3_600 + minutes.parse::<i128>().ok()? * 60)
}
