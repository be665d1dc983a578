//! Evaluation of a bound filter on JSON text, without a tree.
//!
//! One pass over the text checks all of it and finds where the members begin that the filter names.
//! Leaves then read those in place, by the same rules as [`eval`](crate::eval) reads a tree.

use crate::bound::BoundKind;
use crate::eval::NESTING;
use crate::json_text::{JsonTextError, JsonTextErrorKind, Read, Reader};
use crate::{AttrName, BoundAttr, BoundFilter, Number, Scalar};

impl BoundFilter {
    /// Whether the resource in the JSON text `json` fulfils the filter: what [`matches`](Self::matches)
    /// says of its tree, without building one.
    ///
    /// The whole text is checked to be JSON, whatever the filter asks. Nothing is allocated but for
    /// names and compared strings with escapes, and once for a filter with more than 16 attributes.
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
    /// assert!(filter.matches_slice(br#"{"userName": "BJensen""#).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the text is not a JSON object, nests deeper than 128, has a member twice that the filter
    /// names (in whatever case), or a number in place of one that is compared is out of range.
    pub fn matches_slice(&self, json: &[u8]) -> Result<bool, JsonTextError> {
        const ON_STACK: usize = 16;
        let reader = Reader::new(json)?;
        let mut few = [None; ON_STACK];
        let mut many = Vec::new();
        let places = match few.get_mut(..self.attrs.len()) {
            Some(places) => places,
            None => {
                many.resize(self.attrs.len(), None);
                &mut many
            }
        };
        self.locate(reader, places)?;
        let value_of = |attr: u32| places.get(attr as usize).copied().flatten().map(|at| reader.from(at));
        self.run(self.entry, &mut |kind, index| {
            let (BoundKind::Compare { attr, .. }
            | BoundKind::Present { attr }
            | BoundKind::ValuePath { attr }) = *kind
            else {
                return Ok(false);
            };
            let (member, Some(attr)) = (value_of(attr), self.attr(attr)) else { return Ok(false) };
            match *kind {
                BoundKind::Compare { op, value, .. } => self
                    .compare(op, value, |test| any_value(attr, member, &mut |value| any_scalar(value, test))),
                BoundKind::Present { .. } => any_value(attr, member, &mut |value| has_value(value, NESTING)),
                _ => any_value(attr, member, &mut |value| {
                    any_element(value, &mut |element| self.element_holds(self.first_leaf(index + 1), element))
                }),
            }
        })
    }

    /// Finds the members of the resource that the attributes are in, and checks the whole text.
    fn locate(&self, mut reader: Reader<'_>, places: &mut [Option<usize>]) -> Read<()> {
        reader.spaces();
        let start = reader;
        if !reader.eat(b'{') {
            reader.skip()?;
            reader.end()?;
            return Err(start.error(JsonTextErrorKind::NotAnObject));
        }
        let mut first = true;
        loop {
            let before = reader;
            let Some(name) = reader.next_member(first)? else { break };
            let name = name.unescaped();
            for (attr, place) in self.attrs.iter().zip(&mut *places) {
                if attr.extension.as_ref().unwrap_or(&attr.name).matches(&name) {
                    if place.is_some() {
                        return Err(duplicate(before));
                    }
                    *place = Some(reader.at());
                }
            }
            reader.skip()?;
            first = false;
        }
        reader.end()
    }

    /// The filter of a value path, from its leaf `entry`, on one value.
    fn element_holds(&self, entry: u32, element: Reader<'_>) -> Read<bool> {
        self.run(entry, &mut |kind, _| match *kind {
            BoundKind::Compare { attr, op, value } => {
                let Some(attr) = self.attr(attr) else { return Ok(false) };
                self.compare(op, value, |test| match member_or_self(&attr.name, element)? {
                    Some(value) => any_scalar(value, test),
                    None => Ok(false),
                })
            }
            BoundKind::Present { attr } => {
                let Some(attr) = self.attr(attr) else { return Ok(false) };
                match member_or_self(&attr.name, element)? {
                    Some(value) => has_value(value, NESTING),
                    None => Ok(false),
                }
            }
            _ => Ok(false),
        })
    }
}

/// A test of the value at which a reader stands.
type Test<'a, 't> = &'a mut dyn FnMut(Reader<'t>) -> Read<bool>;

/// Whether any value of `attr` passes `test`; an array is one value here. `member` is the attribute
/// or its extension.
fn any_value<'t>(attr: &BoundAttr, member: Option<Reader<'t>>, test: Test<'_, 't>) -> Read<bool> {
    let value = match (member, &attr.extension) {
        (Some(extension), Some(_)) => member_of(&attr.name, extension)?,
        (member, _) => member,
    };
    let Some(value) = value else { return Ok(false) };
    match &attr.sub {
        None => test(value),
        Some(sub) => any_element(value, &mut |element| match member_or_self(sub, element)? {
            Some(value) => test(value),
            None => Ok(false),
        }),
    }
}

/// Whether any element of an array, or the value itself if it is none, passes `test`.
fn any_element<'t>(value: Reader<'t>, test: Test<'_, 't>) -> Read<bool> {
    let mut reader = value;
    if !reader.eat(b'[') {
        return test(value);
    }
    let mut first = true;
    while reader.next_element(first)? {
        if test(reader)? {
            return Ok(true);
        }
        reader.skip()?;
        first = false;
    }
    Ok(false)
}

/// The member of an object; of what is none, only `value` has a value, which is it.
fn member_or_self<'t>(name: &AttrName, element: Reader<'t>) -> Read<Option<Reader<'t>>> {
    match element.peek() {
        Some(b'{') => member_of(name, element),
        Some(b'n') => Ok(None),
        _ => Ok(name.matches("value").then_some(element)),
    }
}

/// The member `name` of a value, if that is an object which has it.
fn member_of<'t>(name: &AttrName, mut reader: Reader<'t>) -> Read<Option<Reader<'t>>> {
    if !reader.eat(b'{') {
        return Ok(None);
    }
    let mut found = None;
    let mut first = true;
    loop {
        let before = reader;
        let Some(member) = reader.next_member(first)? else { return Ok(found) };
        if name.matches(&member.unescaped()) && found.replace(reader).is_some() {
            return Err(duplicate(before));
        }
        reader.skip()?;
        first = false;
    }
}

/// The name behind `before` was there already.
fn duplicate(mut before: Reader<'_>) -> JsonTextError {
    before.spaces();
    before.eat(b',');
    before.spaces();
    before.error(JsonTextErrorKind::DuplicateName)
}

/// Whether the value, or any element if it is an array, is a scalar that passes `test`.
fn any_scalar(value: Reader<'_>, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> Read<bool> {
    any_element(value, &mut |mut element| {
        Ok(match element.peek() {
            Some(b'"') => test(Scalar::String(&element.string()?.unescaped())),
            Some(b't') => test(Scalar::Bool(true)),
            Some(b'f') => test(Scalar::Bool(false)),
            Some(b'-' | b'0'..=b'9') => match Number::parse(element.number()?) {
                Some(number) => test(Scalar::Number(number)),
                None => return Err(value.error(JsonTextErrorKind::NumberOutOfRange)),
            },
            _ => false,
        })
    })
}

/// Whether there is a value: not `null`, not an empty string, and not only such inside.
///
/// What nests deeper than SCIM allows counts as a value without being looked at.
fn has_value(value: Reader<'_>, nesting: u32) -> Read<bool> {
    let mut reader = value;
    match reader.peek() {
        Some(b'n') => Ok(false),
        Some(b'"') => Ok(!reader.string()?.is_empty()),
        Some(b'{' | b'[') if nesting == 0 => Ok(true),
        Some(b'[') => any_element(value, &mut |element| has_value(element, nesting - 1)),
        Some(b'{') => {
            reader.eat(b'{');
            let mut first = true;
            while reader.next_member(first)?.is_some() {
                if has_value(reader, nesting - 1)? {
                    return Ok(true);
                }
                reader.skip()?;
                first = false;
            }
            Ok(false)
        }
        _ => Ok(true),
    }
}
