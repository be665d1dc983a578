//! The PatchOp message: an object to a list of operations.

use http::StatusCode;

use super::at::At;
use super::{PatchOptions, needs, refuse};
use crate::error::quote;
use crate::leniency::{Leniencies, Leniency};
use crate::message::{PATCH_OP, lists_schema};
use crate::value::{self, Object, Value};
use crate::{Error, ScimType};

/// What an operation of a PATCH does (RFC 7644 §3.5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// `add`
    Add,
    /// `remove`
    Remove,
    /// `replace`
    Replace,
}

impl Op {
    /// The name: `add`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Replace => "replace",
        }
    }
}

/// One operation as sent.
pub(super) struct Operation {
    pub(super) at: At,
    pub(super) op: Op,
    /// The path; absent, `null` and empty are the same from here on.
    pub(super) path: Option<Box<str>>,
    /// The value; `Some(Value::Null)` was sent as `null`.
    pub(super) value: Option<Value>,
}

/// Reads the message.
pub(super) fn message(
    body: Value,
    options: &PatchOptions,
    fired: &mut Vec<Leniency>,
) -> Result<Vec<Operation>, Error> {
    let Value::Object(mut body) = body else {
        return Err(refuse(ScimType::InvalidSyntax, "body", "a PATCH request is a JSON object"));
    };
    schemas(&body, &options.leniencies, fired)?;
    let Some(Value::Array(operations)) = body.remove("Operations") else {
        return Err(refuse(ScimType::InvalidSyntax, "Operations", "an array of operations is required"));
    };
    if operations.is_empty() {
        return Err(refuse(ScimType::InvalidSyntax, "Operations", "at least one operation is required"));
    }
    if operations.len() > options.max_operations {
        return Err(Error::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!(
                "Operations: {} operations are more than the {} of one request",
                operations.len(),
                options.max_operations
            ),
        ));
    }
    operations
        .into_iter()
        .enumerate()
        .map(|(index, value)| operation(At::operation(index), value, &options.leniencies, fired))
        .collect()
}

fn schemas(body: &Object, leniencies: &Leniencies, fired: &mut Vec<Leniency>) -> Result<(), Error> {
    if lists_schema(body, PATCH_OP) || leniencies.take(Leniency::MissingSchemas, fired) {
        return Ok(());
    }
    let what = format_args!("the URI `{PATCH_OP}` is required");
    Err(needs(Leniency::MissingSchemas, ScimType::InvalidSyntax, "schemas", what))
}

/// Whether a path in a PATCH message has a filter that spells the character U+0000: in `path`, or in a
/// name of a value, which counts as a path too where that is missing.
pub fn escapes_nul(message: &Value) -> bool {
    let operations = message.get("Operations").map(Value::values).unwrap_or_default();
    operations.iter().any(operation_escapes_nul)
}

/// Whether a path in one operation does.
pub(crate) fn operation_escapes_nul(operation: &Value) -> bool {
    let path = operation.get("path").and_then(Value::as_str);
    let mut objects: Vec<&Object> = operation.get("value").and_then(Value::as_object).into_iter().collect();
    let mut spelt = path.is_some_and(|path| value::escapes_nul(path.as_bytes()));
    while let Some(object) = objects.pop().filter(|_| !spelt) {
        spelt = object.iter().any(|(name, _)| value::escapes_nul(name.as_str().as_bytes()));
        objects.extend(object.iter().filter_map(|(_, value)| value.as_object()));
    }
    spelt
}

/// Reads one operation; members that are not of the message are ignored.
fn operation(
    at: At,
    value: Value,
    leniencies: &Leniencies,
    fired: &mut Vec<Leniency>,
) -> Result<Operation, Error> {
    let Value::Object(mut members) = value else {
        return Err(refuse(ScimType::InvalidSyntax, &at, "an operation is a JSON object"));
    };
    let op = match members.remove("op") {
        Some(Value::String(name)) => op(&at, &name, leniencies, fired)?,
        _ => {
            let what = "one of `add`, `remove`, `replace` is required";
            return Err(refuse(ScimType::InvalidSyntax, at.op(), what));
        }
    };
    let path = path(&at, members.remove("path"), leniencies, fired)?;
    Ok(Operation { at, op, path, value: members.remove("value") })
}

fn op(at: &At, name: &str, leniencies: &Leniencies, fired: &mut Vec<Leniency>) -> Result<Op, Error> {
    let known = [Op::Add, Op::Remove, Op::Replace];
    let Some(op) = known.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(name)) else {
        let what = format_args!("{} is none of `add`, `remove`, `replace`", quote(name));
        return Err(refuse(ScimType::InvalidSyntax, at.op(), what));
    };
    let exact = op.as_str();
    if name != exact && !leniencies.take(Leniency::OpCase, fired) {
        let what = format_args!("{} is not `{exact}`", quote(name));
        return Err(needs(Leniency::OpCase, ScimType::InvalidSyntax, at.op(), what));
    }
    Ok(op)
}

fn path(
    at: &At,
    path: Option<Value>,
    leniencies: &Leniencies,
    fired: &mut Vec<Leniency>,
) -> Result<Option<Box<str>>, Error> {
    let (leniency, sent) = match path {
        None => return Ok(None),
        Some(Value::Null) => (Leniency::NullPath, "null"),
        Some(Value::String(text)) if text.trim().is_empty() => (Leniency::NullPath, ""),
        Some(Value::String(text)) if &*text == "None" => (Leniency::NonePath, "None"),
        Some(Value::String(text)) => return Ok(Some(text)),
        Some(_) => {
            return Err(refuse(ScimType::InvalidPath, at.path(), "a path is a string"));
        }
    };
    if leniencies.take(leniency, fired) {
        return Ok(None);
    }
    let what = format_args!("{} is no path", quote(sent));
    Err(needs(leniency, ScimType::InvalidPath, at.path(), what))
}
