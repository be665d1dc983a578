//! What evaluation needs of a JSON tree, so that any tree can be filtered.

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
#[derive(Clone, Copy, Debug, PartialEq)]
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
