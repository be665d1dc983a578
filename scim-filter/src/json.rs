//! What evaluation needs of a JSON tree, so that any tree can be filtered.

use std::cmp::Ordering;
use std::fmt;

use crate::AttrName;

/// A JSON value that a filter can be evaluated on.
///
/// Implemented for `serde_json::Value` (feature `serde_json`) and for `scim_core::Value`.
pub trait Json: Sized {
    /// The object type of the tree.
    type Object: JsonObject<Value = Self>;

    /// This value, as one of the six JSON kinds.
    fn view(&self) -> JsonView<'_, Self>;
}

/// A JSON object whose members are found by name without regard to ASCII case.
pub trait JsonObject {
    /// The value type of the tree.
    type Value: Json<Object = Self>;

    /// The member called `name`, in any case.
    fn member(&self, name: &AttrName) -> Option<&Self::Value>;

    /// The values of all members.
    fn values(&self) -> impl Iterator<Item = &Self::Value>;
}

/// One JSON value, borrowed.
pub enum JsonView<'a, J: Json> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, exact for every 64-bit integer.
    Number(Number),
    /// A string.
    String(&'a str),
    /// An array.
    Array(&'a [J]),
    /// An object.
    Object(&'a J::Object),
}

/// A JSON number: exact for 64-bit integers, otherwise a finite binary64.
///
/// Integers that need more than 2^53 keep every digit; comparison between an integer and a
/// float is by mathematical value.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// An integer that fits `i64`.
    Int(i64),
    /// An integer above `i64::MAX`.
    UInt(u64),
    /// Any other finite number.
    Float(f64),
}

/// A JSON value that is neither array nor object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(&'a str),
}

impl Number {
    /// The number a JSON number text stands for: exact if it is an integer of 64 bits written
    /// without fraction and exponent, otherwise the nearest binary64. `None` if it is none or too
    /// large for one.
    ///
    /// ```
    /// use scim_filter::Number;
    /// assert_eq!(Number::parse("18446744073709551615"), Some(Number::UInt(u64::MAX)));
    /// assert_eq!(Number::parse("1e400"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        // Unlike Rust, JSON knows no `inf`, no `nan`, and nothing that begins with `+` or `.`.
        if !matches!(text.as_bytes(), [b'-', b'0'..=b'9', ..] | [b'0'..=b'9', ..]) {
            return None;
        }
        if let Ok(value) = text.parse() {
            return Some(Self::Int(value));
        }
        if let Ok(value) = text.parse() {
            return Some(Self::UInt(value));
        }
        text.parse().ok().filter(|value: &f64| value.is_finite()).map(Self::Float)
    }

    /// The order by mathematical value; `None` only with a float that is not a number.
    pub fn order(self, other: Self) -> Option<Ordering> {
        match (self.integer(), other.integer()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            (Some(a), None) => other.float().and_then(|b| integer_to_float(a, b)),
            (None, Some(b)) => self.float().and_then(|a| integer_to_float(b, a)).map(Ordering::reverse),
            (None, None) => self.float()?.partial_cmp(&other.float()?),
        }
    }

    fn integer(self) -> Option<i128> {
        match self {
            Self::Int(value) => Some(value.into()),
            Self::UInt(value) => Some(value.into()),
            Self::Float(_) => None,
        }
    }

    fn float(self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(value),
            _ => None,
        }
    }
}

/// Compares an integer of at most 64 bits and sign with a float, without rounding either.
fn integer_to_float(integer: i128, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    // Every float of such size is an integer beyond them; below, the cast of the floor is exact.
    const BEYOND: f64 = 36_893_488_147_419_103_232.0; // 2^65
    if float >= BEYOND {
        return Some(Ordering::Less);
    }
    if float <= -BEYOND {
        return Some(Ordering::Greater);
    }
    let floor = float.floor();
    Some(integer.cmp(&(floor as i128)).then(if float > floor { Ordering::Less } else { Ordering::Equal }))
}

/// Equality by mathematical value: `Int(1)`, `UInt(1)` and `Float(1.0)` are equal.
impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.order(*other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.order(*other)
    }
}

/// Prints JSON.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => value.fmt(f),
            Self::UInt(value) => value.fmt(f),
            // `Debug` prints the fewest digits that read back the same, and an exponent when long.
            Self::Float(value) => fmt::Debug::fmt(value, f),
        }
    }
}

#[cfg(feature = "serde_json")]
impl Json for serde_json::Value {
    type Object = serde_json::Map<String, serde_json::Value>;

    fn view(&self) -> JsonView<'_, Self> {
        match self {
            Self::Null => JsonView::Null,
            Self::Bool(value) => JsonView::Bool(*value),
            Self::Number(number) => match number_of(number) {
                Some(number) => JsonView::Number(number),
                // Only with `arbitrary_precision`: a number no binary64 holds, equal to nothing.
                None => JsonView::Null,
            },
            Self::String(text) => JsonView::String(text),
            Self::Array(elements) => JsonView::Array(elements),
            Self::Object(object) => JsonView::Object(object),
        }
    }
}

#[cfg(feature = "serde_json")]
fn number_of(number: &serde_json::Number) -> Option<Number> {
    if let Some(value) = number.as_i64() {
        Some(Number::Int(value))
    } else if let Some(value) = number.as_u64() {
        Some(Number::UInt(value))
    } else {
        number.as_f64().filter(|value| value.is_finite()).map(Number::Float)
    }
}

#[cfg(feature = "serde_json")]
impl JsonObject for serde_json::Map<String, serde_json::Value> {
    type Value = serde_json::Value;

    /// The canonical spelling is looked up first; only a member spelt otherwise costs a scan.
    fn member(&self, name: &AttrName) -> Option<&serde_json::Value> {
        self.get(name.as_str())
            .or_else(|| self.iter().find(|(key, _)| name.matches(key)).map(|(_, value)| value))
    }

    fn values(&self) -> impl Iterator<Item = &serde_json::Value> {
        self.values()
    }
}
