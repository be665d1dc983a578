//! A resource as JSON text, written from where it is and a piece at a time: with its location, and
//! without what the response does not carry.

use std::collections::VecDeque;
use std::sync::Arc;

use scim_filter::AttrName;

use super::text::Text;
use crate::Resource;
use crate::pieces::{Pieces, Rest};
use crate::projection::{Kept, Projection};
use crate::schema::ResourceSchema;
use crate::store::StoreError;
use crate::value::Value;

/// A resource and how far it is written.
#[derive(Debug)]
pub(super) struct ResourceText {
    shape: Arc<Shape>,
    location: Option<String>,
    resource: Arc<Resource>,
    // What is still to be read; the first is under way.
    rest: VecDeque<Rest>,
    // Where the writing goes on: at which attribute, and at which of its values.
    attribute: usize,
    value: usize,
    // Values read and not yet written.
    ahead: std::vec::IntoIter<Value>,
    begun: bool,
    // Whether the array that is being written is open.
    open: bool,
}

/// What is written of the resources of one type.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) schema: Arc<ResourceSchema>,
    /// `None` where a policy has rendered the resource: it goes out as it is.
    pub(super) projection: Option<Projection>,
    /// Whether `meta` has a version.
    pub(super) etag: bool,
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
    /// The URI of the extension that `name` is, where extensions are looked into.
    fn extension(&self, name: &AttrName) -> Option<&str> {
        self.projection.as_ref()?;
        self.schema.extension(name.as_str()).map(|extension| extension.id.as_str())
    }
}

impl ResourceText {
    pub(super) fn new(shape: Arc<Shape>, location: Option<String>, pieces: Pieces) -> Self {
        let Pieces { resource, rest, .. } = pieces;
        Self {
            shape,
            location,
            resource,
            rest: rest.into(),
            attribute: 0,
            value: 0,
            ahead: Vec::new().into_iter(),
            begun: false,
            open: false,
        }
    }

    /// Goes on writing until the text is as long as `enough`, or the resource ends.
    pub(super) async fn write(&mut self, text: &mut Text, enough: usize) -> Result<Written, StoreError> {
        if !self.begun {
            text.push(b'{');
            self.begun = true;
        }
        if self.write_own(text, enough) == Written::Part {
            return Ok(Written::Part);
        }
        while let Some(rest) = self.rest.front_mut() {
            let name = AttrName::new(&rest.attribute);
            let kept = kept(&self.shape, &name);
            let is_kept = !matches!(kept, Kept::No);
            loop {
                for value in self.ahead.by_ref().filter(|value| !is_empty(&kept, value)) {
                    text.element(&mut self.open, &name);
                    write_kept(text, &kept, &value);
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
            if std::mem::take(&mut self.open) {
                text.push(b']');
            }
            self.rest.pop_front();
        }
        text.push(b'}');
        Ok(Written::All)
    }

    /// What the resource has in itself.
    fn write_own(&mut self, text: &mut Text, enough: usize) -> Written {
        let (resource, shape) = (Arc::clone(&self.resource), Arc::clone(&self.shape));
        for (name, value) in resource.0.iter().skip(self.attribute) {
            if text.len() >= enough {
                return Written::Part;
            }
            if self.rest.iter().any(|rest| name.matches(&rest.attribute)) {
                // Its values come behind the others.
            } else if self.shape.projection.is_some() && name.matches("meta") {
                self.write_meta(text, name, value);
            } else if let Some(uri) = shape.extension(name) {
                self.write_extension(text, name, uri, value);
            } else if self.write_attribute(text, enough, name, value) == Written::Part {
                return Written::Part;
            }
            self.attribute += 1;
        }
        Written::All
    }

    fn write_attribute(&mut self, text: &mut Text, enough: usize, name: &AttrName, value: &Value) -> Written {
        let kept = kept(&self.shape, name);
        if matches!(kept, Kept::No) {
            return Written::All;
        }
        match value {
            Value::Array(values) if !values.is_empty() => {
                for value in values.iter().skip(self.value) {
                    if text.len() >= enough {
                        return Written::Part;
                    }
                    self.value += 1;
                    if !is_empty(&kept, value) {
                        text.element(&mut self.open, name);
                        write_kept(text, &kept, value);
                    }
                }
                if self.open {
                    text.push(b']');
                }
                (self.value, self.open) = (0, false);
            }
            value if is_empty(&kept, value) => {}
            value => {
                text.member(name);
                write_kept(text, &kept, value);
            }
        }
        Written::All
    }

    /// What identifies the resource: its `location` is no part of what is stored.
    fn write_meta(&self, text: &mut Text, name: &AttrName, value: &Value) {
        let kept = kept(&self.shape, name);
        let Some(meta) = value.as_object().filter(|_| !matches!(kept, Kept::No)) else { return };
        let location = self.location.as_deref().filter(|_| kept.has("location"));
        let version = |name: &str| self.shape.etag || !name.eq_ignore_ascii_case("version");
        let carried = |name: &str| kept.has(name) && version(name) && !name.eq_ignore_ascii_case("location");
        let mut carried = meta.iter().filter(|(name, _)| carried(name.as_str())).peekable();
        if carried.peek().is_none() && location.is_none() && matches!(kept, Kept::Parts(..)) {
            return;
        }
        text.member(name);
        text.push(b'{');
        for (name, value) in carried {
            text.member(name);
            text.value(value);
        }
        if let Some(location) = location {
            text.name("location");
            text.string(location);
        }
        text.push(b'}');
    }

    fn write_extension(&self, text: &mut Text, name: &AttrName, uri: &str, value: &Value) {
        let Some(object) = value.as_object() else { return };
        let Shape { schema, projection, .. } = &*self.shape;
        let Some(projection) = projection else { return };
        let mut open = false;
        for (sub, value) in object.iter() {
            let kept = match schema.find(Some(uri), sub.as_str()) {
                Some(attribute) => projection.kept(Some(uri), attribute),
                None => projection.kept_unknown(),
            };
            let kept_values = |value: &Value| match value {
                Value::Array(values) if matches!(kept, Kept::Parts(..)) => {
                    values.iter().any(|value| !is_empty(&kept, value))
                }
                value => !is_empty(&kept, value),
            };
            if matches!(kept, Kept::No) || !kept_values(value) {
                continue;
            }
            if !open {
                text.member(name);
                text.push(b'{');
                open = true;
            }
            text.member(sub);
            match value {
                Value::Array(values) => {
                    text.push(b'[');
                    for value in values.iter().filter(|value| !is_empty(&kept, value)) {
                        text.comma();
                        write_kept(text, &kept, value);
                    }
                    text.push(b']');
                }
                value => write_kept(text, &kept, value),
            }
        }
        if open {
            text.push(b'}');
        }
    }
}

/// What the response carries of an attribute that is in no extension.
fn kept<'s>(shape: &'s Shape, name: &AttrName) -> Kept<'s> {
    let Some(projection) = &shape.projection else { return Kept::Whole };
    match shape.schema.find_name(name) {
        Some((_, true)) if projection.is_default() => Kept::Whole,
        Some((attribute, _)) => projection.kept(None, attribute),
        None => projection.kept_unknown(),
    }
}

/// Whether nothing is left of a value by taking out of it what the response does not carry.
fn is_empty(kept: &Kept<'_>, value: &Value) -> bool {
    match (kept, value) {
        (Kept::Parts(..), Value::Object(object)) => !object.iter().any(|(name, _)| kept.has(name.as_str())),
        (Kept::Parts(..), Value::Array(values)) => values.is_empty(),
        _ => false,
    }
}

/// The value without what the response does not carry of it.
fn write_kept(text: &mut Text, kept: &Kept<'_>, value: &Value) {
    match (kept, value) {
        (Kept::Parts(..), Value::Object(object)) => {
            text.push(b'{');
            for (name, value) in object.iter().filter(|(name, _)| kept.has(name.as_str())) {
                text.member(name);
                text.value(value);
            }
            text.push(b'}');
        }
        (_, value) => text.value(value),
    }
}
