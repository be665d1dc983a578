//! Attributes in JSON columns.

use super::leaf;
use super::writer::Writer;
use super::{Dialect, SqlErrorKind, SqlValue, key};
use crate::{AttrName, AttributeType, BoundAttr, CompareOp, Number, Scalar};

/// A place in a JSON column.
pub(super) struct Document {
    expression: String,
    // INVARIANT: names that need no escape in SQL or JSON path.
    path: Vec<String>,
    pub(super) keyed: bool,
}

/// A JSON value in terms of SQL.
struct Value {
    /// `NULL` where there is none.
    kind: String,
    /// Its text, or in SQLite its number.
    atom: String,
    /// The value as JSON; in SQLite as its text, which has the digits that its number has not.
    json: String,
}

impl Document {
    pub(super) fn new(expression: &str, keyed: bool) -> Self {
        Self { expression: expression.to_owned(), path: Vec::new(), keyed }
    }

    pub(super) fn enter(&mut self, name: &AttrName) -> Result<(), SqlErrorKind> {
        self.path.push(checked(name)?.to_owned());
        Ok(())
    }

    /// `$."name"."familyName"`, for SQLite.
    fn path(&self) -> String {
        let mut path = "$".to_owned();
        for name in &self.path {
            path.push_str(&format!(".\"{name}\""));
        }
        path
    }

    /// `u.body -> 'name' -> 'familyName'`, for PostgreSQL.
    fn json(&self) -> String {
        let mut json = self.expression.clone();
        for name in &self.path {
            json.push_str(&format!(" -> '{name}'"));
        }
        format!("({json})")
    }

    fn value(&self, dialect: Dialect) -> Value {
        let (expression, path) = (&self.expression, self.path());
        match dialect {
            Dialect::Sqlite => Value {
                kind: format!("json_type({expression}, '{path}')"),
                atom: format!("json_extract({expression}, '{path}')"),
                json: format!("({expression} -> '{path}')"),
            },
            Dialect::Postgres => {
                // As `->>`, which an index on the expression would be on.
                let atom = match self.path.split_last() {
                    None => format!("({expression} #>> '{{}}')"),
                    Some((last, path)) => {
                        let arrows: String = path.iter().map(|name| format!(" -> '{name}'")).collect();
                        format!("({expression}{arrows} ->> '{last}')")
                    }
                };
                Value { kind: format!("jsonb_typeof({})", self.json()), atom, json: self.json() }
            }
        }
    }
}

/// Begins the condition of a value path on an element `scim_e`, which two parentheses end.
pub(super) fn begin_value(writer: &mut Writer, document: &Document) {
    // `null` is no value (RFC 7643 §2.5), also for what holds where there is no sub-attribute.
    let is_value = match writer.dialect {
        Dialect::Sqlite => "scim_e.type <> 'null'",
        Dialect::Postgres => "jsonb_typeof(scim_e.v) <> 'null'",
    };
    begin(writer, document, is_value);
}

/// Begins a condition on an element `scim_e` for which `is_value` holds, which two parentheses end.
fn begin(writer: &mut Writer, document: &Document, is_value: &str) {
    // What is no array is one element.
    let elements = match writer.dialect {
        Dialect::Sqlite => {
            let (expression, path) = (&document.expression, document.path());
            let Value { kind, atom, .. } = document.value(Dialect::Sqlite);
            format!(
                "json_each(CASE WHEN {kind} = 'array' THEN {atom} \
                 WHEN {kind} IS NOT NULL THEN json_array(json({expression} -> '{path}')) END) AS scim_e"
            )
        }
        Dialect::Postgres => {
            let Value { kind, json, .. } = document.value(Dialect::Postgres);
            format!(
                "jsonb_array_elements(CASE WHEN {kind} = 'array' THEN {json} \
                 WHEN {kind} IS NOT NULL THEN jsonb_build_array({json}) END) AS scim_e(v)"
            )
        }
    };
    let exists = writer.exists();
    writer.push(&format!("{exists} (SELECT 1 FROM {elements} WHERE {is_value} AND ("));
}

/// The sub-attribute `name` of the element; of what is no object, it itself is its `value`.
fn element(dialect: Dialect, name: &AttrName) -> Result<Value, SqlErrorKind> {
    let is_value = name.matches("value");
    let name = checked(name)?;
    let or = |itself: &str| if is_value { format!(" ELSE {itself}") } else { String::new() };
    Ok(match dialect {
        Dialect::Sqlite => {
            let of = |function: &str, itself: &str| {
                format!(
                    "CASE scim_e.type WHEN 'object' THEN {function}(scim_e.value, '$.\"{name}\"'){} END",
                    or(itself)
                )
            };
            Value {
                kind: format!("({})", of("json_type", "scim_e.type")),
                atom: format!("({})", of("json_extract", "scim_e.atom")),
                json: format!(
                    "(CASE scim_e.type WHEN 'object' THEN scim_e.value -> '$.\"{name}\"'{} END)",
                    or("scim_e.json -> scim_e.fullkey")
                ),
            }
        }
        Dialect::Postgres => {
            let json = format!(
                "(CASE jsonb_typeof(scim_e.v) WHEN 'object' THEN scim_e.v -> '{name}'{} END)",
                or("scim_e.v")
            );
            Value { kind: format!("jsonb_typeof({json})"), atom: format!("({json} #>> '{{}}')"), json }
        }
    })
}

pub(super) fn compare(
    writer: &mut Writer,
    document: &Document,
    attr: &BoundAttr,
    op: CompareOp,
    value: Scalar<'_>,
) -> Result<(), SqlErrorKind> {
    if attr.multi_valued {
        // What has no value passes no test.
        begin(writer, document, "TRUE");
        let sub = attr.sub.clone().unwrap_or_else(|| AttrName::new("value"));
        let left = element(writer.dialect, &sub)?;
        holds(writer, &left, document.keyed, attr, op, value)?;
        writer.push("))");
        return Ok(());
    }
    let left = match &attr.sub {
        None => document.value(writer.dialect),
        Some(sub) => document.child(sub)?.value(writer.dialect),
    };
    holds(writer, &left, document.keyed, attr, op, value)
}

pub(super) fn compare_element(
    writer: &mut Writer,
    keyed: bool,
    attr: &BoundAttr,
    op: CompareOp,
    value: Scalar<'_>,
) -> Result<(), SqlErrorKind> {
    let left = element(writer.dialect, &attr.name)?;
    holds(writer, &left, keyed, attr, op, value)
}

pub(super) fn present(
    writer: &mut Writer,
    document: &Document,
    attr: &BoundAttr,
) -> Result<(), SqlErrorKind> {
    if let (Some(sub), true) = (&attr.sub, attr.multi_valued) {
        // What has no value passes no test.
        begin(writer, document, "TRUE");
        let value = element(writer.dialect, sub)?;
        scalar_present(writer, &value);
        writer.push("))");
    } else if let Some(sub) = &attr.sub {
        let value = document.child(sub)?.value(writer.dialect);
        scalar_present(writer, &value);
    } else if attr.multi_valued || attr.kind == AttributeType::Complex {
        any_present(writer, document);
    } else {
        let value = document.value(writer.dialect);
        scalar_present(writer, &value);
    }
    Ok(())
}

pub(super) fn element_present(writer: &mut Writer, attr: &BoundAttr) -> Result<(), SqlErrorKind> {
    let value = element(writer.dialect, &attr.name)?;
    scalar_present(writer, &value);
    Ok(())
}

impl Document {
    fn child(&self, name: &AttrName) -> Result<Self, SqlErrorKind> {
        let Self { expression, path, keyed } = self;
        let mut child = Self { expression: expression.clone(), path: path.clone(), keyed: *keyed };
        child.enter(name)?;
        Ok(child)
    }
}

/// Whether there is a value anywhere inside.
fn any_present(writer: &mut Writer, document: &Document) {
    let text = match writer.dialect {
        Dialect::Sqlite => format!(
            "{} (SELECT 1 FROM json_tree({}, '{}') AS scim_t \
             WHERE scim_t.type IN ('true', 'false', 'integer', 'real') \
             OR scim_t.type = 'text' AND scim_t.atom <> '')",
            writer.exists(),
            document.expression,
            document.path(),
        ),
        Dialect::Postgres => format!(
            "({json} IS NOT NULL AND jsonb_path_exists({json}, '$.** ? (@.type() == \"boolean\" \
             || @.type() == \"number\" || @.type() == \"string\" && @ != \"\")'))",
            json = document.json(),
        ),
    };
    writer.push(&text);
}

fn scalar_present(writer: &mut Writer, value: &Value) {
    let Value { kind, atom, .. } = value;
    let (others, string) = match writer.dialect {
        Dialect::Sqlite => ("'true', 'false', 'integer', 'real'", "text"),
        Dialect::Postgres => ("'boolean', 'number'", "string"),
    };
    writer.push(&format!(
        "({kind} IS NOT NULL AND ({kind} IN ({others}) OR {kind} = '{string}' AND {atom} <> ''))"
    ));
}

fn holds(
    writer: &mut Writer,
    left: &Value,
    keyed: bool,
    attr: &BoundAttr,
    op: CompareOp,
    value: Scalar<'_>,
) -> Result<(), SqlErrorKind> {
    let Value { kind, atom, json } = left;
    match (value, writer.dialect) {
        (Scalar::String(literal), dialect) => {
            let itself =
                attr.case_exact && matches!(attr.kind, AttributeType::String | AttributeType::Reference);
            if !keyed && !itself {
                return Err(SqlErrorKind::NotKeyed);
            }
            let key = key(attr.collation(), literal).ok_or(SqlErrorKind::WrongType)?;
            let test = leaf::text(writer, atom, op, &key);
            let string = if dialect == Dialect::Sqlite { "text" } else { "string" };
            writer.push(&format!("({kind} IS NOT NULL AND {kind} = '{string}' AND {test})"));
        }
        (Scalar::Bool(literal), Dialect::Sqlite) => {
            writer.push(&format!("({kind} IS NOT NULL AND {kind} = '{literal}')"));
        }
        (Scalar::Bool(literal), Dialect::Postgres) => {
            writer.push(&format!("({json} IS NOT NULL AND {json} = '{literal}'::jsonb)"));
        }
        (Scalar::Number(literal), Dialect::Sqlite) => sqlite_number(writer, left, op, literal),
        (Scalar::Number(literal), Dialect::Postgres) => {
            let operator = match op {
                CompareOp::Gt => ">",
                CompareOp::Ge => ">=",
                CompareOp::Lt => "<",
                CompareOp::Le => "<=",
                _ => "=",
            };
            let bound = writer.bind(SqlValue::Text(literal.to_string()));
            // The order of evaluation is defined in a `CASE` alone, and text is no number.
            writer.push(&format!(
                "(CASE WHEN {kind} = 'number' THEN CAST({atom} AS numeric) {operator} \
                 CAST({bound}::text AS numeric) ELSE FALSE END)"
            ));
        }
        (Scalar::Null, _) => return Err(SqlErrorKind::WrongType),
    }
    Ok(())
}

/// SQLite reads an integer of 64 bits with a sign as an integer, all else as a float: of a greater
/// integer the type is that of an integer, and the value a float, which is none of the former.
fn sqlite_number(writer: &mut Writer, left: &Value, op: CompareOp, literal: Number) {
    let Value { kind, atom, json } = left;
    writer.push(&format!("(({kind} IS NOT NULL AND {kind} = 'integer' AND "));
    match leaf::beyond_signed(literal) {
        None => {
            let near = leaf::nearest_integer(literal).map(SqlValue::Integer);
            leaf::ordered(writer, atom, true, op, near, str::to_owned);
        }
        Some(near) => {
            let is_beyond = match op {
                CompareOp::Lt | CompareOp::Le => format!("(typeof({atom}) <> 'real' OR "),
                _ => format!("(typeof({atom}) = 'real' AND "),
            };
            writer.push(&is_beyond);
            // Digits of one length are in the order of their numbers.
            let digits = format!("substr('0' || {json}, -20)");
            let near = near.map(|value| SqlValue::Text(format!("{value:020}")));
            leaf::ordered(writer, &digits, true, op, near, str::to_owned);
            writer.push(")");
        }
    }
    writer.push(&format!(") OR ({kind} IS NOT NULL AND {kind} = 'real' AND "));
    let near = leaf::nearest_float(literal).map(SqlValue::Float);
    leaf::ordered(writer, atom, true, op, near, str::to_owned);
    writer.push("))");
}

/// The name, if it needs no escape between quotes in SQL or a JSON path.
fn checked(name: &AttrName) -> Result<&str, SqlErrorKind> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"$-_:./#@+~%,;=()".contains(&byte);
    if name.as_str().bytes().all(plain) { Ok(name.as_str()) } else { Err(SqlErrorKind::Name) }
}
