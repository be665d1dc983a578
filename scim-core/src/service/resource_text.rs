//! A resource as JSON text, written from where it is and a piece at a time: with its location, and
//! without what the response does not carry.

mod own;

use std::collections::VecDeque;
use std::sync::Arc;

use own::{Own, Progress};
use scim_filter::AttrName;

use super::refs::{Refs, Uris};
use super::text::Text;
use crate::membership::REFERENCE;
use crate::pieces::{Document, Pieces, Rest};
use crate::projection::{Kept, Projection};
use crate::schema::{Attribute, ResourceSchema, Schema};
use crate::store::StoreError;
use crate::value::Value;

/// A resource and how far it is written.
#[derive(Debug)]
pub(super) struct ResourceText {
    shape: Arc<Shape>,
    location: Option<String>,
    resource: Document,
    progress: Progress,
    // What is still to be read; the first is under way.
    rest: VecDeque<Rest>,
    // Values read and not yet written.
    ahead: std::vec::IntoIter<Value>,
    begun: bool,
}

/// What is written of the resources of one type.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) schema: Arc<ResourceSchema>,
    /// `None` where a policy has rendered the resource: it goes out as it is.
    pub(super) projection: Option<Projection>,
    /// Whether `meta` has a version.
    pub(super) etag: bool,
    /// How `$ref` of members and the like is written.
    pub(super) refs: Option<Arc<Refs>>,
}

/// What comes of a part that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// There is more, and enough for now.
    Part,
    /// It is all there.
    All,
}

impl Shape {
    /// The extension that `name` is, where extensions are looked into.
    fn extension(&self, name: &str) -> Option<&Schema> {
        self.projection.as_ref()?;
        self.schema.extension(name)
    }

    /// How `$ref` of the values of the attribute `name`, which is in no extension, is written.
    fn refs(&self, name: &str) -> Option<&Uris> {
        self.refs.as_deref()?.of_attribute(name)
    }
}

impl ResourceText {
    pub(super) fn new(shape: Arc<Shape>, location: Option<String>, pieces: Pieces) -> Self {
        let Pieces { resource, rest, .. } = pieces;
        Self {
            shape,
            location,
            resource,
            progress: Progress::default(),
            rest: rest.into(),
            ahead: Vec::new().into_iter(),
            begun: false,
        }
    }

    /// Goes on writing until the text is as long as `enough`, or the resource ends.
    pub(super) async fn write(&mut self, text: &mut Text, enough: usize) -> Result<Written, StoreError> {
        if !self.begun {
            text.push(b'{');
            self.begun = true;
        }
        let (shape, location, rest) = (&*self.shape, self.location.as_deref(), &self.rest);
        if (Own { shape, location, rest }).write(&self.resource, &mut self.progress, text, enough)?
            == Written::Part
        {
            return Ok(Written::Part);
        }
        while let Some(rest) = self.rest.front_mut() {
            let name = AttrName::new(&rest.attribute);
            let (kept, refs) = (kept(&self.shape, &name), self.shape.refs(&rest.attribute));
            let is_kept = !matches!(kept, Kept::No);
            loop {
                for value in self.ahead.by_ref().filter(|value| !is_empty(&kept, refs, value)) {
                    text.element(&mut self.progress.open, &name);
                    write_kept(text, &kept, refs, &value);
                    if text.len() >= enough {
                        return Ok(Written::Part);
                    }
                }
                if is_kept {
                    self.ahead = rest.values.next().await?.into_iter();
                }
                if self.ahead.as_slice().is_empty() {
                    break;
                }
            }
            if std::mem::take(&mut self.progress.open) {
                text.push(b']');
            }
            self.rest.pop_front();
        }
        text.push(b'}');
        Ok(Written::All)
    }
}

/// What the response carries of an attribute that is in no extension.
fn kept<'s>(shape: &'s Shape, name: &AttrName) -> Kept<'s> {
    let Some(projection) = &shape.projection else { return Kept::Whole };
    kept_of(projection, shape.schema.find_name(name))
}

/// The same of the one called `name`, which has this hash.
fn kept_hashed<'s>(shape: &'s Shape, hash: u32, name: &str) -> Kept<'s> {
    let Some(projection) = &shape.projection else { return Kept::Whole };
    if projection.is_default() && !shape.schema.may_hide(hash) {
        return Kept::Whole;
    }
    kept_of(projection, shape.schema.find_hashed(hash, name))
}

fn kept_of<'s>(projection: &Projection, found: Option<(&'s Attribute, bool)>) -> Kept<'s> {
    match found {
        Some((_, true)) if projection.is_default() => Kept::Whole,
        Some((attribute, _)) => projection.kept(None, attribute),
        None => projection.kept_unknown(),
    }
}

/// Whether nothing is left of a value by taking out of it what the response does not carry.
fn is_empty(kept: &Kept<'_>, refs: Option<&Uris>, value: &Value) -> bool {
    match (kept, value) {
        (Kept::Parts(..), Value::Object(object)) => {
            let is_reference = |name: &AttrName| refs.is_some_and(|refs| refs.is_reference(name));
            let mut names = object.iter().map(|(name, _)| name);
            !names.any(|name| kept.has(name.as_str()) && !is_reference(name))
                && !refs.is_some_and(|refs| kept.has(REFERENCE) && refs.show(object))
        }
        (Kept::Parts(..), Value::Array(values)) => values.is_empty(),
        _ => false,
    }
}

/// The value without what the response does not carry of it; what names a resource with its URI.
fn write_kept(text: &mut Text, kept: &Kept<'_>, refs: Option<&Uris>, value: &Value) {
    match (kept, refs, value) {
        (_, Some(refs), Value::Object(object)) => refs.write(text, kept, object),
        (Kept::Parts(..), None, Value::Object(object)) => {
            text.push(b'{');
            for (name, value) in object.iter().filter(|(name, _)| kept.has(name.as_str())) {
                text.member(name);
                text.value(value);
            }
            text.push(b'}');
        }
        (.., value) => text.value(value),
    }
}

#[cfg(test)]
mod tests;
