//! What a resource has in itself: written of its tree, or copied out of the text that the store has of it.

use std::collections::VecDeque;

use scim_filter::AttrName;

use super::super::refs::Uris;
use super::super::text::Text;
use super::{Shape, Written, is_empty, kept, kept_hashed, write_kept};
use crate::Resource;
use crate::membership::GROUPS;
use crate::pieces::{Document, ResourceJson, Rest, Source, parsed};
use crate::projection::Kept;
use crate::schema::{Schema, is_shown};
use crate::store::StoreError;
use crate::value::Value;

/// What is written of one resource besides what it is.
#[derive(Clone, Copy)]
pub(super) struct Own<'r> {
    pub(super) shape: &'r Shape,
    pub(super) location: Option<&'r str>,
    /// What comes behind.
    pub(super) rest: &'r VecDeque<Rest>,
}

/// Where the writing goes on.
#[derive(Debug, Default)]
pub(super) struct Progress {
    // At which attribute, and at which of its values.
    attribute: usize,
    value: usize,
    // Whether the array that is being written is open.
    pub(super) open: bool,
    // How many bytes are copied of the members that go out as they stand.
    copied: usize,
    // The attribute, read of the text.
    parsed: Option<Value>,
    // Whether computed `groups` are written.
    grouped: bool,
}

/// What goes out of a member of a text.
enum Carried<'s> {
    AsItStands,
    No,
    /// `meta`, to which the location is added.
    Meta,
    Extension(&'s Schema),
    /// These parts of it, or all of it with URIs.
    Parts(Kept<'s>),
}

impl<'r> Own<'r> {
    /// Goes on writing until the text is as long as `enough`, or it is all there.
    pub(super) fn write(
        self,
        resource: &Document,
        progress: &mut Progress,
        text: &mut Text,
        enough: usize,
    ) -> Result<Written, StoreError> {
        match resource.source() {
            Source::Tree(resource) => Ok(self.write_tree(resource, progress, text, enough)),
            Source::Text(json, groups) => self.copy_text(json, groups, progress, text, enough),
        }
    }

    fn write_tree(
        self,
        resource: &Resource,
        progress: &mut Progress,
        text: &mut Text,
        enough: usize,
    ) -> Written {
        for (name, value) in resource.0.iter().skip(progress.attribute) {
            if text.len() >= enough {
                return Written::Part;
            }
            if self.comes_behind(name.as_str()) {
                // With its values.
            } else if self.shape.projection.is_some() && name.matches("meta") {
                self.write_meta(text, name, value);
            } else if let Some(extension) = self.shape.extension(name.as_str()) {
                self.write_extension(text, name, extension, value);
            } else {
                let (kept, refs) = (kept(self.shape, name), self.shape.refs(name.as_str()));
                if progress.write_attribute(text, enough, name, &kept, refs, value) == Written::Part {
                    return Written::Part;
                }
            }
            progress.attribute += 1;
        }
        Written::All
    }

    /// The same of a text: members that go out as they stand, and stand side by side, are copied in one go.
    fn copy_text(
        self,
        json: &ResourceJson,
        groups: Option<&[Value]>,
        progress: &mut Progress,
        text: &mut Text,
        enough: usize,
    ) -> Result<Written, StoreError> {
        loop {
            let first = progress.attribute;
            let mut next = first;
            let other = loop {
                if next == json.len() {
                    break None;
                }
                match self.carried(json, next, groups.is_some()) {
                    Carried::AsItStands => next += 1,
                    other => break Some(other),
                }
            };
            if next > first && progress.copy(text, enough, json.members(first..next)) == Written::Part {
                return Ok(Written::Part);
            }
            progress.attribute = next;
            let Some(other) = other else { break };
            if text.len() >= enough
                || self.write_carried(json, &other, groups, progress, text, enough)? == Written::Part
            {
                return Ok(Written::Part);
            }
            progress.attribute += 1;
        }
        Ok(self.write_groups(groups, progress, text, enough))
    }

    fn carried(self, json: &ResourceJson, index: usize, has_groups: bool) -> Carried<'r> {
        let (hash, name) = json.name(index);
        if self.comes_behind(name) {
            return Carried::No;
        }
        if has_groups && name.eq_ignore_ascii_case(GROUPS) {
            return Carried::No;
        }
        let Some(projection) = &self.shape.projection else { return Carried::AsItStands };
        if name.eq_ignore_ascii_case("meta") {
            return Carried::Meta;
        }
        if let Some(extension) = self.shape.extension(name) {
            let value = json.value(index);
            let is_shown = projection.is_default() && extension.attributes.iter().all(is_shown);
            let refs = self.shape.refs.as_deref();
            let is_whole = is_shown && !refs.is_some_and(|refs| refs.may_be_in(&extension.id, value));
            return match is_whole && value.starts_with('{') && value != "{}" {
                true => Carried::AsItStands,
                false => Carried::Extension(extension),
            };
        }
        match kept_hashed(self.shape, hash, name) {
            Kept::No => Carried::No,
            Kept::Whole if self.shape.refs(name).is_none() => Carried::AsItStands,
            kept => Carried::Parts(kept),
        }
    }

    /// Writes a member that does not go out as it stands.
    fn write_carried(
        self,
        json: &ResourceJson,
        carried: &Carried<'_>,
        groups: Option<&[Value]>,
        progress: &mut Progress,
        text: &mut Text,
        enough: usize,
    ) -> Result<Written, StoreError> {
        let index = progress.attribute;
        let (hash, name) = json.name(index);
        match carried {
            Carried::AsItStands | Carried::No => {}
            Carried::Meta => {
                if self.write_groups(groups, progress, text, enough) == Written::Part {
                    return Ok(Written::Part);
                }
                let is_whole = || matches!(kept_hashed(self.shape, hash, name), Kept::Whole);
                if json.meta() == Some(index) && self.shape.etag && is_whole() {
                    self.add_location(text, json.members(index..index + 1));
                } else {
                    self.write_meta(text, &AttrName::new(name), &parsed(json.value(index))?);
                }
            }
            Carried::Extension(extension) => {
                self.write_extension(text, &AttrName::new(name), extension, &parsed(json.value(index))?);
            }
            Carried::Parts(kept) => {
                let value = match progress.parsed.take() {
                    Some(value) => value,
                    None => parsed(json.value(index))?,
                };
                let (name, refs) = (AttrName::new(name), self.shape.refs(name));
                if progress.write_attribute(text, enough, &name, kept, refs, &value) == Written::Part {
                    progress.parsed = Some(value);
                    return Ok(Written::Part);
                }
            }
        }
        Ok(Written::All)
    }

    /// Computed `groups`, which come before `meta`, or at the end.
    fn write_groups(
        self,
        groups: Option<&[Value]>,
        progress: &mut Progress,
        text: &mut Text,
        enough: usize,
    ) -> Written {
        let Some(groups) = groups.filter(|_| !progress.grouped && !self.comes_behind(GROUPS)) else {
            return Written::All;
        };
        let name = AttrName::new(GROUPS);
        let written = progress.write_values(text, enough, &name, &kept(self.shape, &name), None, groups);
        progress.grouped = written == Written::All;
        written
    }

    fn comes_behind(self, name: &str) -> bool {
        self.rest.iter().any(|rest| rest.attribute.eq_ignore_ascii_case(name))
    }

    /// The member `meta` as it stands, with the location at its end.
    fn add_location(self, text: &mut Text, meta: &str) {
        text.comma();
        match (self.location, meta.strip_suffix('}')) {
            (Some(location), Some(open)) => {
                text.raw(open.as_bytes());
                text.name("location");
                text.string(location);
                text.push(b'}');
            }
            _ => text.raw(meta.as_bytes()),
        }
    }

    /// What identifies the resource: its `location` is no part of what is stored.
    fn write_meta(self, text: &mut Text, name: &AttrName, value: &Value) {
        let kept = kept(self.shape, name);
        let Some(meta) = value.as_object().filter(|_| !matches!(kept, Kept::No)) else { return };
        let location = self.location.filter(|_| kept.has("location"));
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

    fn write_extension(self, text: &mut Text, name: &AttrName, extension: &Schema, value: &Value) {
        let Some(object) = value.as_object() else { return };
        let Shape { schema, projection, refs, .. } = self.shape;
        let Some(projection) = projection else { return };
        let uri = Some(extension.id.as_str());
        let mut open = false;
        for (sub, value) in object.iter() {
            let kept = match schema.find(uri, sub.as_str()) {
                Some(attribute) => projection.kept(uri, attribute),
                None => projection.kept_unknown(),
            };
            let refs = refs.as_deref().and_then(|refs| refs.in_extension(&extension.id, sub));
            let kept_values = |value: &Value| match value {
                Value::Array(values) if matches!(kept, Kept::Parts(..)) => {
                    values.iter().any(|value| !is_empty(&kept, refs, value))
                }
                value => !is_empty(&kept, refs, value),
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
                    for value in values.iter().filter(|value| !is_empty(&kept, refs, value)) {
                        text.comma();
                        write_kept(text, &kept, refs, value);
                    }
                    text.push(b']');
                }
                value => write_kept(text, &kept, refs, value),
            }
        }
        if open {
            text.push(b'}');
        }
    }
}

impl Progress {
    fn write_attribute(
        &mut self,
        text: &mut Text,
        enough: usize,
        name: &AttrName,
        kept: &Kept<'_>,
        refs: Option<&Uris>,
        value: &Value,
    ) -> Written {
        match value {
            _ if matches!(kept, Kept::No) => {}
            Value::Array(values) if !values.is_empty() => {
                return self.write_values(text, enough, name, kept, refs, values);
            }
            value if is_empty(kept, refs, value) => {}
            value => {
                text.member(name);
                write_kept(text, kept, refs, value);
            }
        }
        Written::All
    }

    fn write_values(
        &mut self,
        text: &mut Text,
        enough: usize,
        name: &AttrName,
        kept: &Kept<'_>,
        refs: Option<&Uris>,
        values: &[Value],
    ) -> Written {
        if matches!(kept, Kept::No) {
            return Written::All;
        }
        for value in values.iter().skip(self.value) {
            if text.len() >= enough {
                return Written::Part;
            }
            self.value += 1;
            if !is_empty(kept, refs, value) {
                text.element(&mut self.open, name);
                write_kept(text, kept, refs, value);
            }
        }
        if self.open {
            text.push(b']');
        }
        (self.value, self.open) = (0, false);
        Written::All
    }

    /// Copies members that go out as they stand.
    fn copy(&mut self, text: &mut Text, enough: usize, members: &str) -> Written {
        let room = enough.saturating_sub(text.len());
        if room == 0 {
            return Written::Part;
        }
        if self.copied == 0 {
            text.comma();
        }
        let left = members.as_bytes().get(self.copied..).unwrap_or_default();
        let now = left.get(..room).unwrap_or(left);
        text.raw(now);
        if now.len() < left.len() {
            self.copied += now.len();
            return Written::Part;
        }
        self.copied = 0;
        Written::All
    }
}
