//! Evaluation of a bound filter on a JSON tree.
//!
//! Each leaf of a [`BoundFilter`] knows the leaf to go on with, so a filter of any nesting is
//! evaluated by a loop, and a resource costs no allocation (but for long texts, as the crate's
//! documentation says): names are found by hash, strings fold while they are compared.

use crate::bound::{ACCEPT, BoundKind};
use crate::compare::{Text, scalar_holds, text_holds};
use crate::{BoundAttr, BoundFilter, CompareOp, Json, JsonObject, JsonView, Scalar};

impl BoundFilter {
    /// Whether the resource `object` fulfils the filter.
    ///
    /// - A comparison holds if it holds for any value of the attribute (RFC 7644 §3.4.2.2).
    /// - `ne` is `not (… eq …)`: it holds for an attribute without a value, and for a multi-valued one
    ///   if no value is equal. RFC 7644 leaves both open; this is the reading under which `ne` and
    ///   `not` agree, and which SQL can index.
    /// - A value path holds if one single value fulfils the whole filter in brackets. `null` is no
    ///   value, alone or in an array, whatever the filter says (RFC 7643 §2.5); `{}` is one.
    /// - `pr` holds if there is a value: `null`, `""`, `[]` and an object of nothing else are none.
    ///
    /// ```
    /// use scim_filter::AttributeType::{Complex, String};
    /// use scim_filter::{AttributeInfo, BindOptions, Filter, SchemaTable};
    /// use serde_json::{Value, json};
    ///
    /// let schema = SchemaTable {
    ///     uri: "urn:ietf:params:scim:schemas:core:2.0:User",
    ///     attributes: &[(
    ///         AttributeInfo::new("emails", Complex).multi_valued(),
    ///         &[AttributeInfo::new("type", String), AttributeInfo::new("value", String)],
    ///     )],
    /// };
    /// let user = json!({"emails": [
    ///     {"type": "work", "value": "barbara@example.com"},
    ///     {"type": "home", "value": "babs@jensen.org"},
    /// ]});
    /// let holds = |text: &str| {
    ///     let filter = Filter::parse(text).unwrap().bind(&schema, &BindOptions::default()).unwrap();
    ///     filter.matches::<Value>(user.as_object().unwrap())
    /// };
    /// assert!(holds(r#"emails.type eq "work" and emails.value ew "JENSEN.ORG""#));
    /// assert!(!holds(r#"emails[type eq "work" and value ew "jensen.org"]"#));
    /// assert!(!holds(r#"emails.type ne "work""#));
    /// assert!(holds(r#"emails[type ne "work"]"#));
    /// ```
    pub fn matches<J: Json>(&self, object: &J::Object) -> bool {
        self.run(self.entry, |kind, index| match *kind {
            BoundKind::Compare { attr, op, value } => self.attr(attr).is_some_and(|attr| {
                let (test, expected) = self.test(op, value);
                any_value::<J>(attr, object, |value| any_scalar(value, &test)) == expected
            }),
            BoundKind::Present { attr } => self
                .attr(attr)
                .is_some_and(|attr| any_value::<J>(attr, object, |value| has_value(value, NESTING))),
            BoundKind::ValuePath { attr } => self.attr(attr).is_some_and(|attr| {
                let inner = self.first_leaf(index + 1);
                any_value::<J>(attr, object, |value| {
                    any_element(value, |element| self.value_holds(inner, element))
                })
            }),
            BoundKind::And | BoundKind::Or | BoundKind::Not => false,
        })
    }

    /// Whether one value of the multi-valued attribute fulfils the filter of a value path; a
    /// value that is no object counts as its `value` sub-attribute, and `null` is no value.
    pub fn matches_value<J: Json>(&self, value: &J) -> bool {
        self.value_holds(self.entry, value)
    }

    /// The filter of a value path, from its leaf `entry`, on one value; `null` is none.
    fn value_holds<J: Json>(&self, entry: u32, element: &J) -> bool {
        if matches!(element.view(), JsonView::Null) {
            return false;
        }
        self.run(entry, |kind, _| match *kind {
            BoundKind::Compare { attr, op, value } => self.attr(attr).is_some_and(|attr| {
                let (test, expected) = self.test(op, value);
                sub_value(attr, element).is_some_and(|value| any_scalar(value, &test)) == expected
            }),
            BoundKind::Present { attr } => self
                .attr(attr)
                .is_some_and(|attr| sub_value(attr, element).is_some_and(|value| has_value(value, NESTING))),
            _ => false,
        })
    }

    /// Evaluates leaves from `leaf` on until one ends it.
    #[inline]
    pub(crate) fn run(&self, mut leaf: u32, mut holds: impl FnMut(&BoundKind, u32) -> bool) -> bool {
        while let Some(node) = self.node(leaf) {
            leaf = if holds(&node.kind, leaf) { node.on_true } else { node.on_false };
        }
        leaf == ACCEPT
    }

    /// The first leaf at or behind `node`.
    pub(crate) fn first_leaf(&self, node: u32) -> u32 {
        let rest = self.nodes.get(node as usize..).unwrap_or_default();
        let joins = rest
            .iter()
            .take_while(|node| matches!(node.kind, BoundKind::And | BoundKind::Or | BoundKind::Not))
            .count();
        node + joins as u32
    }

    /// The test that values of an attribute are put to, and what must come of it: `ne` is not `eq`.
    #[inline]
    pub(crate) fn test(&self, op: CompareOp, literal: crate::bound::BoundLiteral) -> (Test<'_>, bool) {
        let (op, expected) = if op == CompareOp::Ne { (CompareOp::Eq, false) } else { (op, true) };
        (Test { op, right: self.prepared(literal) }, expected)
    }
}

/// A comparison with a literal.
pub(crate) struct Test<'f> {
    op: CompareOp,
    right: Result<Text<'f>, Scalar<'f>>,
}

impl Test<'_> {
    #[inline]
    pub(crate) fn passes(&self, left: Scalar<'_>) -> bool {
        match (&self.right, left) {
            (Ok(right), Scalar::String(left)) => text_holds(right, left, self.op),
            (Ok(_), _) => false,
            (Err(right), left) => scalar_holds(left, self.op, *right),
        }
    }
}

/// Whether any value the attribute has in the resource passes `test`; an array is one value here.
#[inline]
fn any_value<J: Json>(attr: &BoundAttr, object: &J::Object, test: impl Fn(&J) -> bool) -> bool {
    let object = match &attr.extension {
        None => object,
        Some(extension) => match object.member(extension).map(Json::view) {
            Some(JsonView::Object(extension)) => extension,
            _ => return false,
        },
    };
    let Some(value) = object.member(&attr.name) else { return false };
    match &attr.sub {
        None => test(value),
        Some(sub) => any_element(value, |element| member_or_self(sub, element).is_some_and(&test)),
    }
}

/// Whether any element of an array, or the value itself if it is none, passes `test`.
#[inline]
fn any_element<J: Json>(value: &J, test: impl Fn(&J) -> bool) -> bool {
    match value.view() {
        JsonView::Array(elements) => elements.iter().any(test),
        _ => test(value),
    }
}

/// The sub-attribute `attr` of one value.
#[inline]
fn sub_value<'v, J: Json>(attr: &BoundAttr, element: &'v J) -> Option<&'v J> {
    member_or_self(&attr.name, element)
}

/// The member of an object; of what is none, only `value` has a value, which is it.
#[inline]
fn member_or_self<'v, J: Json>(name: &crate::AttrName, element: &'v J) -> Option<&'v J> {
    match element.view() {
        JsonView::Object(object) => object.member(name),
        JsonView::Null => None,
        _ => name.matches("value").then_some(element),
    }
}

/// Whether the value, or any element if it is an array, is a scalar that passes `test`.
#[inline]
fn any_scalar<J: Json>(value: &J, test: &Test<'_>) -> bool {
    match value.view() {
        JsonView::Array(elements) => {
            elements.iter().any(|element| scalar(element).is_some_and(|value| test.passes(value)))
        }
        _ => scalar(value).is_some_and(|value| test.passes(value)),
    }
}

#[inline]
fn scalar<J: Json>(value: &J) -> Option<Scalar<'_>> {
    match value.view() {
        JsonView::Bool(value) => Some(Scalar::Bool(value)),
        JsonView::Number(value) => Some(Scalar::Number(value)),
        JsonView::String(value) => Some(Scalar::String(value)),
        JsonView::Null | JsonView::Array(_) | JsonView::Object(_) => None,
    }
}

/// Attribute, element, sub-attribute, element: no SCIM value nests deeper (RFC 7643 §2.3.8).
pub(crate) const NESTING: u32 = 4;

/// Whether there is a value: not `null`, not an empty string, and not only such inside.
///
/// What nests deeper than SCIM allows counts as a value without being looked at.
fn has_value<J: Json>(value: &J, nesting: u32) -> bool {
    match value.view() {
        JsonView::Null => false,
        JsonView::Bool(_) | JsonView::Number(_) => true,
        JsonView::String(text) => !text.is_empty(),
        JsonView::Array(_) | JsonView::Object(_) if nesting == 0 => true,
        JsonView::Array(elements) => elements.iter().any(|element| has_value(element, nesting - 1)),
        JsonView::Object(object) => object.values().any(|member| has_value(member, nesting - 1)),
    }
}
