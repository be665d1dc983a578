//! One comparison, or one test of presence.

use super::mapping::{Column, ColumnKind, Place};
use super::writer::Writer;
use super::{Dialect, SqlErrorKind, SqlValue, instant, json, key};
use crate::compare::{Collation, Instant};
use crate::{AttributeType, BoundAttr, CompareOp, Number, Scalar};

/// Where a literal stands among the values a column can hold.
pub(super) enum Near<V> {
    /// It is one of them.
    At(V),
    /// Between this one and the next.
    Above(V),
    /// Below all.
    Below,
}

impl<V> Near<V> {
    pub(super) fn map<T>(self, of: impl FnOnce(V) -> T) -> Near<T> {
        match self {
            Self::At(value) => Near::At(of(value)),
            Self::Above(value) => Near::Above(of(value)),
            Self::Below => Near::Below,
        }
    }
}

/// Writes a comparison.
pub(super) fn compare(
    writer: &mut Writer,
    place: &Place<'_>,
    attr: &BoundAttr,
    op: CompareOp,
    value: Scalar<'_>,
) -> Result<(), SqlErrorKind> {
    // `ne` holds exactly where `eq` does not, whatever number of values there are.
    let op = match op {
        CompareOp::Ne => {
            writer.push("NOT ");
            CompareOp::Eq
        }
        op => op,
    };
    match place {
        Place::Column(one) => column(writer, one, attr.collation(), op, value),
        Place::Child(child, Some(one)) => {
            child.begin(writer);
            column(writer, one, attr.collation(), op, value)?;
            writer.push("))");
            Ok(())
        }
        Place::Child(_, None) | Place::Columns(_) => Err(SqlErrorKind::WrongType),
        Place::Json(document) => json::compare(writer, document, attr, op, value),
        Place::Element { keyed } => json::compare_element(writer, *keyed, attr, op, value),
    }
}

/// Writes a test of presence.
pub(super) fn present(writer: &mut Writer, place: &Place<'_>, attr: &BoundAttr) -> Result<(), SqlErrorKind> {
    match place {
        Place::Column(one) => column_present(writer, one),
        Place::Columns(columns) => any_present(writer, columns.iter().copied()),
        Place::Child(child, one) => {
            child.begin(writer);
            match one {
                Some(one) => column_present(writer, one),
                None => any_present(writer, child.columns()),
            }
            writer.push("))");
        }
        Place::Json(document) => json::present(writer, document, attr)?,
        Place::Element { .. } => json::element_present(writer, attr)?,
    }
    Ok(())
}

fn any_present<'c>(writer: &mut Writer, columns: impl Iterator<Item = &'c Column>) {
    writer.push("(FALSE");
    for column in columns {
        writer.push(" OR ");
        column_present(writer, column);
    }
    writer.push(")");
}

fn column_present(writer: &mut Writer, column: &Column) {
    let expression = &column.expression;
    match column.kind {
        ColumnKind::Exact | ColumnKind::Folded | ColumnKind::Base64 => {
            writer.guarded(expression, column.not_null, &format!("{expression} <> ''"));
        }
        _ => writer.push(&format!("({expression} IS NOT NULL)")),
    }
}

fn column(
    writer: &mut Writer,
    column: &Column,
    collation: Collation,
    op: CompareOp,
    value: Scalar<'_>,
) -> Result<(), SqlErrorKind> {
    use AttributeType::{Binary, Boolean, Complex, DateTime, Decimal, Integer, Reference, String};
    let Column { expression, not_null, .. } = column;
    column.kind.fits(collation)?;
    match (collation.kind, column.kind, value) {
        (String | Reference, ColumnKind::Exact | ColumnKind::Folded, Scalar::String(literal))
        | (Binary, ColumnKind::Base64, Scalar::String(literal)) => {
            let key = key(collation, literal).unwrap_or_default();
            let test = text(writer, expression, op, &key);
            writer.guarded(expression, *not_null, &test);
            Ok(())
        }
        (String | Reference, ColumnKind::Uuid, Scalar::String(literal)) => {
            if writer.dialect != Dialect::Postgres {
                return Err(SqlErrorKind::WrongDialect);
            }
            let key = key(collation, literal).unwrap_or_default();
            let test = match op {
                CompareOp::Eq if is_uuid(&key) => {
                    format!(
                        "{expression} = CAST({}::text AS uuid)",
                        writer.bind(SqlValue::Text(key.into_owned()))
                    )
                }
                CompareOp::Eq => "FALSE".to_owned(),
                op => text(writer, &format!("CAST({expression} AS text)"), op, &key),
            };
            writer.guarded(expression, *not_null, &test);
            Ok(())
        }
        (Boolean, ColumnKind::Boolean, Scalar::Bool(literal)) => {
            let test = format!("{expression} = {}", writer.bind(SqlValue::Boolean(literal)));
            writer.guarded(expression, *not_null, &test);
            Ok(())
        }
        (Integer | Decimal, ColumnKind::Integer, Scalar::Number(literal)) => {
            let near = nearest_integer(literal).map(SqlValue::Integer);
            ordered(writer, expression, *not_null, op, near, |parameter| parameter.to_owned());
            Ok(())
        }
        (Integer | Decimal, ColumnKind::Float, Scalar::Number(literal)) => {
            let near = nearest_float(literal).map(SqlValue::Float);
            ordered(writer, expression, *not_null, op, near, |parameter| parameter.to_owned());
            Ok(())
        }
        (Integer | Decimal, ColumnKind::Decimal, Scalar::Number(literal)) => {
            if writer.dialect != Dialect::Postgres {
                return Err(SqlErrorKind::WrongDialect);
            }
            let near = Near::At(SqlValue::Text(literal.to_string()));
            ordered(writer, expression, *not_null, op, near, |parameter| {
                format!("CAST({parameter}::text AS numeric)")
            });
            Ok(())
        }
        (DateTime, kind, Scalar::String(literal)) => {
            let Some(literal) = Instant::parse(literal) else { return Err(SqlErrorKind::WrongType) };
            let near = match kind {
                ColumnKind::InstantKey => Near::At(SqlValue::Text(instant::key(literal))),
                ColumnKind::Rfc3339(digits) => instant::rfc3339(literal, digits).map(SqlValue::Text),
                ColumnKind::UnixTime(digits) => instant::ticks(literal, digits).map(SqlValue::Integer),
                ColumnKind::Timestamp if writer.dialect == Dialect::Postgres => {
                    instant::timestamp(literal).map(SqlValue::Text)
                }
                ColumnKind::Timestamp => return Err(SqlErrorKind::WrongDialect),
                _ => return Err(SqlErrorKind::WrongType),
            };
            let (expression, cast) = match (kind, writer.dialect) {
                (ColumnKind::Timestamp, _) => (expression.to_string(), true),
                (ColumnKind::InstantKey | ColumnKind::Rfc3339(_), Dialect::Postgres)
                    if op != CompareOp::Eq =>
                {
                    (collated(writer.dialect, expression), false)
                }
                _ => (expression.to_string(), false),
            };
            ordered(writer, &expression, *not_null, op, near, |parameter| {
                if cast { format!("CAST({parameter}::text AS timestamptz)") } else { parameter.to_owned() }
            });
            Ok(())
        }
        (String | Boolean | Decimal | Integer | DateTime | Binary | Reference | Complex, _, _) => {
            Err(SqlErrorKind::WrongType)
        }
    }
}

/// A comparison of text that is not `NULL` with a comparison key.
pub(super) fn text(writer: &mut Writer, expression: &str, op: CompareOp, key: &str) -> String {
    let dialect = writer.dialect;
    // PostgreSQL has no U+0000: nothing equals or contains it, and what is greater than the text
    // before it is greater than all of it.
    let before = match key.split_once('\0') {
        Some((before, _)) if dialect == Dialect::Postgres => Some(before),
        _ => None,
    };
    let mut bind = |text: &str| writer.bind(SqlValue::Text(text.to_owned()));
    let in_order = collated(dialect, expression);
    match (op, before) {
        (CompareOp::Eq | CompareOp::Co | CompareOp::Sw | CompareOp::Ew, Some(_)) => "FALSE".to_owned(),
        (CompareOp::Lt | CompareOp::Le, Some(before)) => format!("{in_order} <= {}", bind(before)),
        (CompareOp::Gt | CompareOp::Ge, Some(before)) => format!("{in_order} > {}", bind(before)),
        (CompareOp::Co | CompareOp::Sw | CompareOp::Ew, None) if key.is_empty() => "TRUE".to_owned(),
        (CompareOp::Co, None) => match dialect {
            Dialect::Sqlite => format!("instr({expression}, {}) > 0", bind(key)),
            Dialect::Postgres => format!("strpos({expression}, {}::text) > 0", bind(key)),
        },
        // No wildcards to escape, and a range of an index.
        (CompareOp::Sw, None) => {
            let from = format!("{in_order} >= {}", bind(key));
            match after_prefix(key) {
                Some(after) => format!("({from} AND {in_order} < {})", bind(&after)),
                None => from,
            }
        }
        (CompareOp::Ew, None) => match dialect {
            // As bytes, because `length` of text ends at U+0000; of no bytes `substr` is `NULL`.
            Dialect::Sqlite => {
                format!(
                    "({expression} <> '' AND substr(CAST({expression} AS BLOB), -{}) = CAST({} AS BLOB))",
                    key.len(),
                    bind(key)
                )
            }
            Dialect::Postgres => {
                format!("right({expression}, {}) = {}", key.chars().count(), bind(key))
            }
        },
        (CompareOp::Gt, None) => format!("{in_order} > {}", bind(key)),
        (CompareOp::Ge, None) => format!("{in_order} >= {}", bind(key)),
        (CompareOp::Lt, None) => format!("{in_order} < {}", bind(key)),
        (CompareOp::Le, None) => format!("{in_order} <= {}", bind(key)),
        (CompareOp::Eq | CompareOp::Ne, _) => format!("{expression} = {}", bind(key)),
    }
}

/// `expression` in the order of code points, which is that of UTF-8.
pub(super) fn collated(dialect: Dialect, expression: &str) -> String {
    match dialect {
        Dialect::Sqlite => expression.to_owned(),
        Dialect::Postgres => format!("{expression} COLLATE \"C\""),
    }
}

/// Writes a comparison with a literal that the column need not be able to hold.
pub(super) fn ordered(
    writer: &mut Writer,
    expression: &str,
    not_null: bool,
    op: CompareOp,
    near: Near<SqlValue>,
    parameter: impl Fn(&str) -> String,
) {
    let (operator, value) = match (op, near) {
        (CompareOp::Eq, Near::At(value)) => ("=", value),
        (CompareOp::Lt, Near::At(value)) => ("<", value),
        (CompareOp::Le, Near::At(value) | Near::Above(value)) => ("<=", value),
        (CompareOp::Lt, Near::Above(value)) => ("<=", value),
        (CompareOp::Gt, Near::At(value) | Near::Above(value)) => (">", value),
        (CompareOp::Ge, Near::Above(value)) => (">", value),
        (CompareOp::Ge, Near::At(value)) => (">=", value),
        (CompareOp::Gt | CompareOp::Ge, Near::Below) => {
            return writer.push(&format!("({expression} IS NOT NULL)"));
        }
        _ => return writer.push("(FALSE)"),
    };
    let bound = parameter(&writer.bind(value));
    writer.guarded(expression, not_null, &format!("{expression} {operator} {bound}"));
}

/// The literal among the integers of 64 bits with a sign.
pub(super) fn nearest_integer(literal: Number) -> Near<i64> {
    match literal {
        Number::Int(value) => Near::At(value),
        Number::UInt(value) => i64::try_from(value).map_or(Near::Above(i64::MAX), Near::At),
        Number::Float(value) => {
            const BEYOND: f64 = 9_223_372_036_854_775_808.0; // 2^63
            if value >= BEYOND {
                Near::Above(i64::MAX)
            } else if value < -BEYOND {
                Near::Below
            } else if value.floor() == value {
                Near::At(value as i64)
            } else {
                Near::Above(value.floor() as i64)
            }
        }
    }
}

/// The literal among the integers of 64 bits that are above those with a sign; `None` if it is not above
/// these.
pub(super) fn beyond_signed(literal: Number) -> Option<Near<u64>> {
    const FIRST: f64 = 9_223_372_036_854_775_808.0; // 2^63
    match literal {
        Number::UInt(value) => i64::try_from(value).is_err().then_some(Near::At(value)),
        Number::Float(value) if value >= 2.0 * FIRST => Some(Near::Above(u64::MAX)),
        // From here on each is an integer.
        Number::Float(value) if value >= FIRST => Some(Near::At(value as u64)),
        Number::Int(_) | Number::Float(_) => None,
    }
}

/// The literal among the floats.
pub(super) fn nearest_float(literal: Number) -> Near<f64> {
    let near = match literal {
        Number::Float(value) => return Near::At(value),
        Number::Int(value) => value as f64,
        Number::UInt(value) => value as f64,
    };
    match Number::Float(near).order(literal) {
        Some(std::cmp::Ordering::Less) => Near::Above(near),
        Some(std::cmp::Ordering::Greater) => Near::Above(near.next_down()),
        _ => Near::At(near),
    }
}

/// The least text that is greater than all that begin with `prefix`.
fn after_prefix(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        // Between these two are the surrogates, which are no characters.
        let next = if last == '\u{D7FF}' { Some('\u{E000}') } else { char::from_u32(last as u32 + 1) };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

/// Whether `text` is a UUID as PostgreSQL prints it.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}
