//! Evaluation of a bound filter on JSON text, without a tree.
//!
//! A leaf asks for the member it is about, and the text is walked as far as that takes: to the
//! member, past the values of those before it without reading them. What other leaves ask for is
//! noted on the way, and evaluated if it could decide the filter. Values are read by the rules by
//! which [`eval`](crate::eval) reads a tree.

use crate::bound::{ACCEPT, BoundKind};
use crate::eval::NESTING;
use crate::json_members::Members;
use crate::json_text::{JsonTextError, JsonTextErrorKind, Read, TextValue};
use crate::wanted::{Ends, Names, Tail};
use crate::{AttrName, BoundAttr, BoundFilter};

impl BoundFilter {
    /// Whether the resource in the JSON text `json` fulfils the filter: what [`matches`](Self::matches)
    /// says of its tree, without building one.
    ///
    /// The text is looked at only as far as the answer takes. Of an object that breaks the grammar of
    /// JSON (RFC 8259) only elsewhere, nothing is noticed; broken where it matters, it has an error or
    /// any answer. So this is for texts that were JSON when they were stored.
    ///
    /// Of members of one object whose names differ at most in case, the first counts. What a tree keeps
    /// of them depends on who made it (`serde_json` keeps the last of equal names), so do not store
    /// such texts where a filter decides who may do what: `scim-core` refuses them.
    ///
    /// Values that the filter does not ask for may nest as deep as they like. What is allocated, if
    /// anything, is said in the documentation of the crate.
    ///
    /// ```
    /// use scim_filter::{AttributeInfo, AttributeType, BindOptions, Filter, SchemaTable};
    ///
    /// let schema = SchemaTable {
    ///     uri: "urn:ietf:params:scim:schemas:core:2.0:User",
    ///     attributes: &[(AttributeInfo::new("userName", AttributeType::String), &[])],
    /// };
    /// let filter = Filter::parse(r#"userName sw "bj""#)?.bind(&schema, &BindOptions::default())?;
    /// assert!(filter.matches_slice(br#"{"id": "1", "username": "BJensen"}"#)?);
    /// assert!(filter.matches_slice(br#"{"id": "1", "username": BJensen}"#).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the text is not a JSON object, as far as it is looked at, or a number in place of one that
    /// is compared is out of range.
    pub fn matches_slice(&self, json: &[u8]) -> Result<bool, JsonTextError> {
        const ON_STACK: usize = 16;
        let count = self.attrs.len();
        let (mut few, mut few_inner) = ([0; ON_STACK], [0; ON_STACK]);
        let mut many = Vec::new();
        let (places, inner) = match (few.get_mut(..count), few_inner.get_mut(..count)) {
            (Some(places), Some(inner)) => (places, inner),
            _ => {
                many.resize(2 * count, 0);
                many.split_at_mut(count)
            }
        };
        let resource = TextValue::new(json, 0)?;
        let Some(members) = resource.members() else {
            return Err(resource.error(match resource.first() {
                b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => JsonTextErrorKind::NotAnObject,
                _ => JsonTextErrorKind::NotJson,
            }));
        };
        let wanted = self.wanted();
        let mut resource = Located { names: &wanted.outside, attrs: &self.attrs, members, places };
        let mut early = Early::default();
        let holds = self.run_on_text(self.entry, |kind, index| {
            let Some(attr) = kind.attr() else { return Ok(false) };
            let member = loop {
                if let Some(known) = early.known(index) {
                    return Ok(known);
                }
                match resource.place(attr)? {
                    Place::At(value) => break Some(value),
                    Place::Nowhere => break None,
                    Place::Further => {
                        if resource.walk()? & wanted.deciding != 0 && early.decides(self, &resource, inner)? {
                            return Err(Stop::Decided);
                        }
                    }
                }
            };
            Ok(self.leaf_holds(kind, index, member, inner)?)
        });
        match holds {
            Ok(holds) => Ok(holds),
            Err(Stop::Decided) => {
                Ok(matches!(self.node(0), Some(root) if matches!(root.kind, BoundKind::Or)))
            }
            Err(Stop::Error(error)) => Err(error),
        }
    }

    /// A leaf on the member of the resource that holds its attribute, or its extension.
    fn leaf_holds(
        &self,
        kind: &BoundKind,
        index: u32,
        member: Option<TextValue<'_>>,
        inner: &mut [usize],
    ) -> Read<bool> {
        let Some(attr) = kind.attr().and_then(|attr| self.attr(attr)) else { return Ok(false) };
        match *kind {
            BoundKind::Compare { op, value, .. } => {
                let (test, expected) = self.test(op, value);
                let any = any_value(attr, member, |value| any_scalar(value, &test))?;
                Ok(any == expected)
            }
            BoundKind::Present { .. } => any_value(attr, member, |value| has_value(value, NESTING)),
            _ => {
                let entry = self.first_leaf(index + 1);
                any_value(attr, member, |value| {
                    value.any_element(|element| self.element_holds(entry, element, inner))
                })
            }
        }
    }

    /// The filter of a value path, from its leaf `entry`, on one value (`null` is none); and where that
    /// ends, if it is known then.
    fn element_holds(
        &self,
        entry: u32,
        element: TextValue<'_>,
        places: &mut [usize],
    ) -> Read<(bool, Option<usize>)> {
        if element.first() == b'n' {
            return Ok((false, None));
        }
        let mut object = element.members().map(|members| {
            places.fill(0);
            Located { names: &self.wanted().inside, attrs: &self.attrs, members, places }
        });
        let holds = self.run_on_text::<JsonTextError>(entry, |kind, _| {
            let Some(index) = kind.attr() else { return Ok(false) };
            let Some(attr) = self.attr(index) else { return Ok(false) };
            let value = match &mut object {
                Some(object) => object.member(index)?,
                None => itself(&attr.name, element),
            };
            match (*kind, value) {
                (BoundKind::Compare { op, value: literal, .. }, value) => {
                    let (test, expected) = self.test(op, literal);
                    let passes = match value {
                        Some(value) => any_scalar(value, &test)?,
                        None => false,
                    };
                    Ok(passes == expected)
                }
                (_, Some(value)) => has_value(value, NESTING),
                (_, None) => Ok(false),
            }
        })?;
        match object {
            Some(object) if !holds => Ok((false, Some(object.members.end()?))),
            _ => Ok((holds, None)),
        }
    }

    /// Evaluates leaves from `leaf` on until one ends it.
    #[inline]
    fn run_on_text<E>(
        &self,
        mut leaf: u32,
        mut holds: impl FnMut(&BoundKind, u32) -> Result<bool, E>,
    ) -> Result<bool, E> {
        while let Some(node) = self.node(leaf) {
            leaf = if holds(&node.kind, leaf)? { node.on_true } else { node.on_false };
        }
        Ok(leaf == ACCEPT)
    }
}

/// Why evaluation ended before its last leaf.
enum Stop {
    /// A term of the outermost `and` or `or` made the rest needless.
    Decided,
    Error(JsonTextError),
}

impl From<JsonTextError> for Stop {
    fn from(error: JsonTextError) -> Self {
        Self::Error(error)
    }
}

/// Leaves that were evaluated when their member was passed, since the text need not be walked on if
/// one decides the filter; a bit for each of the first 64 nodes.
#[derive(Default)]
struct Early {
    evaluated: u64,
    held: u64,
}

impl Early {
    fn known(&self, leaf: u32) -> Option<bool> {
        let bit = 1_u64.checked_shl(leaf)?;
        (self.evaluated & bit != 0).then_some(self.held & bit != 0)
    }

    /// Evaluates the leaves that are terms of the outermost `and` or `or` and whose member was passed,
    /// and tells whether one decides the filter.
    fn decides(
        &mut self,
        filter: &BoundFilter,
        resource: &Located<'_, '_, '_>,
        inner: &mut [usize],
    ) -> Read<bool> {
        let decisive = match filter.node(0).map(|root| root.kind) {
            Some(BoundKind::And) => false,
            Some(BoundKind::Or) => true,
            _ => return Ok(false),
        };
        let mut term = 1;
        while let (Some(node), Some(bit)) = (filter.node(term), 1_u64.checked_shl(term)) {
            if self.evaluated & bit == 0
                && let Some(attr) = node.kind.attr()
                && let Place::At(value) = resource.place(attr)?
            {
                let holds = filter.leaf_holds(&node.kind, term, Some(value), inner)?;
                self.evaluated |= bit;
                self.held |= if holds { bit } else { 0 };
                if holds == decisive {
                    return Ok(true);
                }
            }
            term = node.end;
        }
        Ok(false)
    }
}

/// An object as far as it was walked.
struct Located<'f, 't, 'p> {
    names: &'f Names,
    attrs: &'f [BoundAttr],
    members: Members<'t>,
    // For each attribute of the filter where its value (or extension) begins, or 0.
    places: &'p mut [usize],
}

/// Where the member is that holds an attribute.
enum Place<'t> {
    At(TextValue<'t>),
    /// Not in what was walked.
    Further,
    Nowhere,
}

impl<'t> Located<'_, 't, '_> {
    /// The member that holds the attribute with this index, or its extension.
    #[inline]
    fn place(&self, attr: u32) -> Read<Place<'t>> {
        match self.places.get(attr as usize) {
            Some(0) if self.members.ended() => Ok(Place::Nowhere),
            Some(0) => Ok(Place::Further),
            Some(&place) => TextValue::new(self.members.text(), place).map(Place::At),
            None => Ok(Place::Nowhere),
        }
    }

    /// The same, walking on if it must.
    #[inline]
    fn member(&mut self, attr: u32) -> Read<Option<TextValue<'t>>> {
        loop {
            match self.place(attr)? {
                Place::At(value) => return Ok(Some(value)),
                Place::Nowhere => return Ok(None),
                Place::Further => self.walk()?,
            };
        }
    }

    /// Walks to the next member that may be asked for; a bit for each of the first 64 attributes whose
    /// it is.
    #[inline]
    fn walk(&mut self) -> Read<u64> {
        let Some(member) = self.members.next(self.names.ends)? else { return Ok(0) };
        let mut found = 0;
        for (tail, attr) in self.names.tails.iter().filter(|(tail, _)| member.may_be(tail)) {
            let index = *attr as usize;
            if let (Some(attr), Some(place @ 0)) = (self.attrs.get(index), self.places.get_mut(index))
                && self.members.is_named(member, tail, attr.member())
            {
                *place = member.value();
                found |= 1_u64.checked_shl(index as u32).unwrap_or_default();
            }
        }
        Ok(found)
    }
}

/// Whether any value of `attr` passes `test`; an array is one value here. `member` is the attribute
/// or its extension.
#[inline]
fn any_value<'t>(
    attr: &BoundAttr,
    member: Option<TextValue<'t>>,
    mut test: impl FnMut(TextValue<'t>) -> Read<bool>,
) -> Read<bool> {
    let value = match (member, &attr.extension) {
        (Some(extension), Some(_)) => member_of(&attr.name, extension)?,
        (member, _) => member,
    };
    let Some(value) = value else { return Ok(false) };
    let Some(sub) = &attr.sub else { return test(value) };
    value.any_element(|element| {
        let value = if element.first() == b'{' { member_of(sub, element)? } else { itself(sub, element) };
        match value {
            Some(value) => Ok((test(value)?, None)),
            None => Ok((false, None)),
        }
    })
}

/// What a value that is no object has for a sub-attribute: itself for `value`, unless it is `null`.
fn itself<'t>(name: &AttrName, element: TextValue<'t>) -> Option<TextValue<'t>> {
    (element.first() != b'n' && name.matches("value")).then_some(element)
}

/// The member `name` of a value, if that is an object which has it.
fn member_of<'t>(name: &AttrName, value: TextValue<'t>) -> Read<Option<TextValue<'t>>> {
    let Some(mut members) = value.members() else { return Ok(None) };
    let (ends, tail) = (Ends::of(name), Tail::of(name));
    while let Some(member) = members.next(ends)? {
        if members.is_named(member, &tail, name) {
            return TextValue::new(members.text(), member.value()).map(Some);
        }
    }
    Ok(None)
}

/// Whether the value, or any element if it is an array, is a scalar that passes `test`.
#[inline]
fn any_scalar(value: TextValue<'_>, test: &crate::eval::Test<'_>) -> Read<bool> {
    value.any_element(|element| Ok((element.scalar_passes(|scalar| test.passes(scalar))?, None)))
}

/// Whether there is a value: not `null`, not an empty string, and not only such inside.
///
/// What nests deeper than SCIM allows counts as a value without being looked at.
fn has_value(value: TextValue<'_>, nesting: u32) -> Read<bool> {
    match value.first() {
        b'n' => Ok(false),
        b'"' => Ok(!value.is_empty_string()),
        b'{' | b'[' if nesting == 0 => Ok(true),
        b'[' => value.any_element(|element| Ok((has_value(element, nesting - 1)?, None))),
        b'{' => {
            let Some(mut members) = value.members() else { return Ok(false) };
            while let Some(member) = members.next(Ends::ANY)? {
                if has_value(TextValue::new(members.text(), member.value())?, nesting - 1)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ => Ok(true),
    }
}
