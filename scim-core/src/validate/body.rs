//! The body of a POST or PUT, member by member.

use super::coerce::Coercion;
use super::{At, invalid_value, needs};
use crate::error::quote;
use crate::leniency::{Leniencies, Leniency};
use crate::schema::{Attribute, Mutability, ResourceSchema};
use crate::value::{Object, Value};
use crate::{Error, ScimType};

/// A body in the schema's words, without `schemas`.
pub(super) struct Body<'s> {
    pub(super) object: Object,
    pub(super) fired: Vec<Leniency>,
    /// Attributes of which the body has no value left, with their extension, and whether it says `null` or `[]` of them:
    /// values that are none, such as an empty text, are passed over.
    cleared: Vec<(Option<&'s str>, &'s str, bool)>,
}

impl<'s> Body<'s> {
    pub(super) fn read(
        schema: &'s ResourceSchema,
        body: Value,
        leniencies: &Leniencies,
    ) -> Result<Self, Error> {
        let Value::Object(mut members) = body else {
            let detail = format!("the body must be an object, not {}", body.kind());
            return Err(Error::bad_request(ScimType::InvalidSyntax, detail));
        };
        let listed = members.remove("schemas").unwrap_or_default();
        let mut reader = Reader {
            schema,
            coercion: Coercion { leniencies, fired: Vec::new() },
            object: Object::new(),
            cleared: Vec::new(),
            bare: Vec::new(),
        };
        let listed = reader.schemas(listed)?;
        for (name, value) in members {
            reader.member(name.as_str(), value)?;
        }
        reader.place_bare();
        reader.compare_schemas(&listed)?;
        let Reader { coercion, object, cleared, .. } = reader;
        Ok(Self { object, fired: coercion.fired, cleared })
    }

    /// The attributes that the body sets to `null` or `[]`, as a path names them.
    pub(super) fn unassigned(&self) -> Vec<Box<str>> {
        let said = self.cleared.iter().filter(|(.., is_said)| *is_said);
        let path = |(extension, name, _): &(Option<&str>, &str, bool)| match extension {
            Some(uri) => format!("{uri}:{name}").into(),
            None => (*name).into(),
        };
        said.map(path).collect()
    }

    /// Whether the body names the attribute and has no value of it.
    pub(super) fn is_cleared(&self, extension: Option<&str>, attribute: &Attribute) -> bool {
        self.cleared.iter().any(|(owner, name, _)| *owner == extension && *name == attribute.name)
    }
}

struct Reader<'s, 'l> {
    schema: &'s ResourceSchema,
    coercion: Coercion<'l>,
    object: Object,
    cleared: Vec<(Option<&'s str>, &'s str, bool)>,
    /// Values of extension attributes that stood outside the extension.
    bare: Vec<(&'s str, &'s str, Value)>,
}

impl<'s> Reader<'s, '_> {
    fn member(&mut self, name: &str, value: Value) -> Result<(), Error> {
        if let Some(attribute) = self.schema.find(None, name) {
            if let Some(value) = self.attribute(None, attribute, value)? {
                self.object.insert(attribute.name.as_str(), value);
            }
            return Ok(());
        }
        if let Some(extension) = self.schema.extension(name) {
            if value.is_unassigned() {
                let names = extension.attributes.iter().map(|attribute| attribute.name.as_str());
                self.cleared.extend(names.map(|name| (Some(extension.id.as_str()), name, true)));
                return Ok(());
            }
            let Value::Object(members) = value else {
                let kind = value.kind();
                return Err(invalid_value(format_args!("`{}` must be an object, not {kind}", extension.id)));
            };
            let mut object = Object::new();
            for (name, value) in members {
                match self.schema.find(Some(&extension.id), name.as_str()) {
                    Some(attribute) => {
                        if let Some(value) = self.attribute(Some(&extension.id), attribute, value)? {
                            object.insert(attribute.name.as_str(), value);
                        }
                    }
                    None => self.coercion.unknown_attribute(name.as_str(), &extension.id)?,
                }
            }
            if !object.is_empty() {
                self.object.insert(extension.id.as_str(), object);
            }
            return Ok(());
        }
        let is_base = name.eq_ignore_ascii_case(&self.schema.base().id);
        if name.contains(':') && !is_base {
            return self.unknown_schema(name);
        }
        self.outside_extension(name, value)
    }

    /// One attribute's value; `None` if it is unassigned or not the client's to write.
    fn attribute(
        &mut self,
        extension: Option<&'s str>,
        attribute: &'s Attribute,
        value: Value,
    ) -> Result<Option<Value>, Error> {
        let is_said = value.is_unassigned();
        if attribute.mutability == Mutability::ReadOnly {
            return Ok(None);
        }
        let at = At { extension, name: &attribute.name };
        let value = self.coercion.value(attribute, value, &at)?;
        if value.is_none() {
            self.cleared.push((extension, &attribute.name, is_said));
        }
        Ok(value)
    }

    /// A member that neither the base schema nor an extension URI names.
    fn outside_extension(&mut self, name: &str, value: Value) -> Result<(), Error> {
        let schema = self.schema;
        let mut found = schema
            .extensions()
            .iter()
            .filter_map(|extension| Some((extension, schema.find(Some(&extension.id), name)?)));
        if let (Some((extension, attribute)), None) = (found.next(), found.next())
            && self.coercion.take(Leniency::BareExtensionAttribute)
        {
            if let Some(value) = self.attribute(Some(&extension.id), attribute, value)? {
                self.bare.push((&extension.id, &attribute.name, value));
            }
            return Ok(());
        }
        self.coercion.unknown_attribute(name, schema.name())
    }

    /// Puts the values that stood outside their extension into it, where it says nothing itself.
    fn place_bare(&mut self) {
        for (extension, name, value) in std::mem::take(&mut self.bare) {
            if !self.object.contains(extension) {
                self.object.insert(extension, Object::new());
            }
            if let Some(Value::Object(object)) = self.object.get_mut(extension)
                && !object.contains(name)
            {
                object.insert(name, value);
            }
        }
    }

    /// The URIs that `schemas` lists.
    fn schemas(&mut self, listed: Value) -> Result<Vec<Value>, Error> {
        let Some(attribute) = self.schema.find(None, "schemas") else { return Ok(Vec::new()) };
        match self.coercion.value(attribute, listed, &"schemas")? {
            Some(Value::Array(uris)) => Ok(uris),
            _ => Ok(Vec::new()),
        }
    }

    /// RFC 7643 §3: `schemas` lists the base schema and each extension in use, and no other.
    fn compare_schemas(&mut self, listed: &[Value]) -> Result<(), Error> {
        let lists = |uri: &str| {
            listed.iter().filter_map(Value::as_str).any(|listed| listed.eq_ignore_ascii_case(uri))
        };
        let used = self.schema.extensions().iter().filter(|extension| self.object.contains(&extension.id));
        let unlisted = std::iter::once(self.schema.base()).chain(used).find(|schema| !lists(&schema.id));
        let base = &self.schema.base().id;
        // A group sent to `/Users` is a mistake, and no deviation to be tolerated.
        let other = listed.iter().filter_map(Value::as_str).find(|uri| is_core(uri));
        if let Some(other) = other.filter(|_| !lists(base)) {
            let detail = format!("{} is another schema than `{base}`", quote(other));
            return Err(Error::bad_request(ScimType::InvalidSyntax, detail));
        }
        if let Some(unlisted) = unlisted
            && !self.coercion.take(Leniency::MissingSchemas)
        {
            let detail = format!("`schemas` must list `{}`", unlisted.id);
            return Err(needs(Leniency::MissingSchemas, ScimType::InvalidSyntax, detail));
        }
        for uri in listed.iter().filter_map(Value::as_str) {
            if !uri.eq_ignore_ascii_case(base) && self.schema.extension(uri).is_none() {
                self.unknown_schema(uri)?;
            }
        }
        Ok(())
    }

    fn unknown_schema(&mut self, uri: &str) -> Result<(), Error> {
        if self.coercion.take(Leniency::UnknownSchema) {
            return Ok(());
        }
        let detail = format!("{} is no schema of a {}", quote(uri), self.schema.name());
        Err(needs(Leniency::UnknownSchema, ScimType::InvalidSyntax, detail))
    }
}

/// Whether the URI is that of a resource of RFC 7643: `urn:ietf:params:scim:schemas:core:2.0:User`.
fn is_core(uri: &str) -> bool {
    const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:";
    uri.get(..CORE.len()).is_some_and(|start| start.eq_ignore_ascii_case(CORE)) && uri.len() > CORE.len()
}
