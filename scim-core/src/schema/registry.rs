//! The schemas and resource types a service serves.

use std::sync::Arc;

use scim_filter::{AttrName, AttributeInfo, AttributeType};

use super::builtin::{self, common_attributes};
use super::{Attribute, RegistryError, ResourceType, Returned, Schema, Uniqueness};
use crate::membership::{self, MEMBERS};

/// The schemas and resource types a service serves, checked to fit together.
///
/// ```
/// use scim_core::schema::{Attribute, Registry, ResourceType, Schema, SchemaExtension, builtin};
///
/// let badge = Schema {
///     id: "urn:example:params:scim:schemas:extension:badge:User".to_owned(),
///     name: "Badge".to_owned(),
///     description: "The badge that opens doors".to_owned(),
///     attributes: vec![Attribute::string("badgeNumber")],
/// };
/// let mut users = builtin::user_resource_type();
/// users.schema_extensions.push(SchemaExtension { schema: badge.id.clone(), required: false });
/// let registry = Registry::new(vec![builtin::user(), builtin::enterprise_user(), badge], vec![users])?;
///
/// let user = registry.by_name("User").expect("just registered");
/// let badge_number = user.find(Some("URN:example:params:scim:schemas:extension:badge:User"), "BADGENUMBER");
/// assert_eq!(badge_number.map(|attribute| attribute.name.as_str()), Some("badgeNumber"));
/// # Ok::<(), scim_core::schema::RegistryError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Registry {
    schemas: Vec<Schema>,
    types: Vec<Arc<ResourceSchema>>,
}

/// One resource type with its base schema and extensions: what every rule about its resources
/// is looked up in. Implements [`scim_filter::Schema`].
///
/// Attributes are found by name without regard to case. The common attributes (`schemas`, `id`,
/// `externalId`, `meta`) come first: RFC 7643 §3.1 has their characteristics take precedence over
/// a schema that lists them.
#[derive(Clone, Debug)]
pub struct ResourceSchema {
    resource_type: ResourceType,
    base: Schema,
    // INVARIANT: in the order of `resource_type.schema_extensions`.
    extensions: Vec<Schema>,
    // Sorted by hash.
    index: Vec<IndexEntry>,
    // Where in the index the hashes begin whose highest byte is at least this.
    begins: Box<[u32]>,
    // The hashes of the attributes in no extension of which a response may have to leave something out.
    hidden: Box<[u32]>,
}

/// Where one attribute is defined.
#[derive(Clone, Debug)]
struct IndexEntry {
    name: AttrName,
    owner: Owner,
    position: u32,
    // Whether all of it is in every response that names no attributes.
    is_shown: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Common,
    Base,
    Extension(u32),
}

impl IndexEntry {
    fn hash(&self) -> u32 {
        self.name.folded_hash()
    }

    /// Whether it is in no extension.
    fn is_own(&self) -> bool {
        matches!(self.owner, Owner::Common | Owner::Base)
    }
}

impl Registry {
    /// Users with the optional enterprise extension, and groups.
    pub fn standard() -> Self {
        #[expect(clippy::expect_used, reason = "the built-in schemas are constant, and a test builds them")]
        Self::new(
            vec![builtin::user(), builtin::group(), builtin::enterprise_user()],
            vec![builtin::user_resource_type(), builtin::group_resource_type()],
        )
        .expect("the built-in schemas fit together")
    }

    /// Checks that `schemas` and `resource_types` fit together.
    ///
    /// # Errors
    ///
    /// A duplicate, a name or endpoint that does not fit its grammar, a schema that is named and
    /// not given, or sub-attributes where RFC 7643 has none.
    pub fn new(schemas: Vec<Schema>, resource_types: Vec<ResourceType>) -> Result<Self, RegistryError> {
        for (position, schema) in schemas.iter().enumerate() {
            check_schema(schema)?;
            if schemas.iter().take(position).any(|other| same_uri(&other.id, &schema.id)) {
                return Err(RegistryError::DuplicateSchema { schema: schema.id.clone() });
            }
        }
        let mut types: Vec<Arc<ResourceSchema>> = Vec::with_capacity(resource_types.len());
        for resource_type in resource_types {
            check_resource_type(&resource_type)?;
            if types.iter().any(|other| other.name().eq_ignore_ascii_case(&resource_type.name)) {
                return Err(RegistryError::DuplicateResourceType { resource_type: resource_type.name });
            }
            if types.iter().any(|other| other.resource_type.endpoint == resource_type.endpoint) {
                return Err(RegistryError::DuplicateEndpoint { endpoint: resource_type.endpoint });
            }
            types.push(Arc::new(ResourceSchema::new(&schemas, resource_type)?));
        }
        Ok(Self { schemas, types })
    }

    /// The same registry with more schemas, and with more resource types; one that has the name of
    /// another takes its place, so that an extension can be added to a type.
    ///
    /// ```
    /// use scim_core::schema::{Registry, ResourceType, Schema};
    ///
    /// let badge = Schema::read(
    ///     br#"{"id": "urn:example:Badge", "attributes": [{"name": "number", "uniqueness": "server"}]}"#,
    /// )?;
    /// let badges = ResourceType::read(
    ///     br#"{"name": "Badge", "endpoint": "/Badges", "schema": "urn:example:Badge"}"#,
    /// )?;
    /// let registry = Registry::standard().with(badge, badges)?;
    /// assert!(registry.by_endpoint("/Badges").is_some() && registry.by_endpoint("/Users").is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Registry::new`].
    pub fn with(
        &self,
        schemas: Vec<Schema>,
        resource_types: Vec<ResourceType>,
    ) -> Result<Self, RegistryError> {
        let stays = |kept: &&ResourceType| {
            !resource_types.iter().any(|other| other.name.eq_ignore_ascii_case(&kept.name))
        };
        let kept = self.types.iter().map(|schema| &schema.resource_type).filter(stays).cloned();
        let types: Vec<ResourceType> = kept.chain(resource_types.iter().cloned()).collect();
        Self::new(self.schemas.iter().cloned().chain(schemas).collect(), types)
    }

    /// The resource types.
    pub fn resource_types(&self) -> impl Iterator<Item = &Arc<ResourceSchema>> {
        self.types.iter()
    }

    /// The resource type served at `endpoint` (`/Users`).
    pub fn by_endpoint(&self, endpoint: &str) -> Option<&Arc<ResourceSchema>> {
        self.types.iter().find(|schema| schema.resource_type.endpoint == endpoint)
    }

    /// The resource type called `name` (`User`).
    pub fn by_name(&self, name: &str) -> Option<&Arc<ResourceSchema>> {
        self.types.iter().find(|schema| schema.resource_type.name == name)
    }

    /// The types of the groups that a resource of type `member` may be in: those with `members` whose
    /// `$ref` names its type among the `referenceTypes`, or names none.
    ///
    /// ```
    /// let registry = scim_core::schema::Registry::standard();
    /// let user = registry.by_name("User").expect("a standard type");
    /// let types = registry.group_types(user);
    /// assert_eq!(types.iter().map(|schema| schema.name()).collect::<Vec<_>>(), ["Group"]);
    /// ```
    pub fn group_types(&self, member: &ResourceSchema) -> Vec<Arc<ResourceSchema>> {
        let may_name = |schema: &&Arc<ResourceSchema>| {
            let members = membership::member_value(schema).and_then(|_| schema.find(None, MEMBERS));
            members.is_some_and(|members| {
                let types = members.sub_attribute("$ref").map(|reference| &reference.reference_types);
                types.is_none_or(|types| types.is_empty() || types.iter().any(|name| name == member.name()))
            })
        };
        self.types.iter().filter(may_name).cloned().collect()
    }

    /// Every schema once, in the order given.
    pub fn schemas(&self) -> impl Iterator<Item = &Schema> {
        self.schemas.iter()
    }

    /// The schema with that URI, in any case.
    pub fn schema(&self, uri: &str) -> Option<&Schema> {
        self.schemas.iter().find(|schema| same_uri(&schema.id, uri))
    }
}

impl ResourceSchema {
    fn new(schemas: &[Schema], resource_type: ResourceType) -> Result<Self, RegistryError> {
        let named = |uri: &str| {
            schemas.iter().find(|schema| same_uri(&schema.id, uri)).cloned().ok_or_else(|| {
                RegistryError::UnknownSchema {
                    resource_type: resource_type.name.clone(),
                    schema: uri.to_owned(),
                }
            })
        };
        let base = named(&resource_type.schema)?;
        check_common(&base)?;
        let mut extensions: Vec<Schema> = Vec::with_capacity(resource_type.schema_extensions.len());
        for extension in &resource_type.schema_extensions {
            let schema = named(&extension.schema)?;
            if std::iter::once(&base).chain(&extensions).any(|other| other.id == schema.id) {
                return Err(RegistryError::RepeatedSchema {
                    resource_type: resource_type.name.clone(),
                    schema: schema.id,
                });
            }
            extensions.push(schema);
        }
        let (begins, hidden) = Default::default();
        let mut schema = Self { resource_type, base, extensions, index: Vec::new(), begins, hidden };
        schema.index = schema.build_index();
        let hidden = schema.index.iter().filter(|entry| entry.is_own() && !entry.is_shown);
        schema.hidden = hidden.map(IndexEntry::hash).collect();
        let before = |byte: u32| schema.index.partition_point(|entry| entry.hash() >> 24 < byte) as u32;
        schema.begins = (0..=256).map(before).collect();
        Ok(schema)
    }

    fn build_index(&self) -> Vec<IndexEntry> {
        let extensions = (0..).map(Owner::Extension).zip(self.extensions.iter().map(|e| &e.attributes[..]));
        let own = [(Owner::Common, common_attributes()), (Owner::Base, &self.base.attributes[..])];
        let mut index: Vec<IndexEntry> = own
            .into_iter()
            .chain(extensions)
            .flat_map(|(owner, attributes)| {
                (0..).zip(attributes).map(move |(position, attribute)| IndexEntry {
                    name: AttrName::new(&attribute.name),
                    owner,
                    position,
                    is_shown: is_shown(attribute),
                })
            })
            .collect();
        // Stable, so that a common attribute stays before one of the base schema.
        index.sort_by_key(IndexEntry::hash);
        index
    }

    /// The resource type.
    pub fn resource_type(&self) -> &ResourceType {
        &self.resource_type
    }

    /// Its name: `User`.
    pub fn name(&self) -> &str {
        &self.resource_type.name
    }

    /// The base schema.
    pub fn base(&self) -> &Schema {
        &self.base
    }

    /// The schemas of its extensions.
    pub fn extensions(&self) -> &[Schema] {
        &self.extensions
    }

    /// The extension with that URI, in any case.
    pub fn extension(&self, uri: &str) -> Option<&Schema> {
        self.extensions.iter().find(|extension| same_uri(&extension.id, uri))
    }

    /// The definition of an attribute of the base schema or of the common attributes
    /// (`schemas`, `id`, `externalId`, `meta`), or of the extension whose URI is given; names in
    /// any case. The URI of the base schema counts as none.
    pub fn find(&self, extension: Option<&str>, name: &str) -> Option<&Attribute> {
        let wanted = match extension {
            None => None,
            Some(uri) if same_uri(&self.base.id, uri) => None,
            Some(uri) => {
                let position = self.extensions.iter().position(|schema| same_uri(&schema.id, uri))?;
                Some(Owner::Extension(u32::try_from(position).ok()?))
            }
        };
        let mut found = self.indexed(scim_filter::fold_hash(name)).filter(|entry| match wanted {
            None => entry.is_own(),
            Some(owner) => entry.owner == owner,
        });
        found.find(|entry| entry.name.matches(name)).and_then(|entry| self.definition(entry))
    }

    /// The definition of an attribute that is in no extension, and whether all of it is in every response that
    /// names no attributes.
    pub(crate) fn find_name(&self, name: &AttrName) -> Option<(&Attribute, bool)> {
        let mut found = self.indexed(name.folded_hash());
        let entry = found.find(|entry| entry.is_own() && entry.name == *name)?;
        Some((self.definition(entry)?, entry.is_shown))
    }

    /// The same of the attribute called `name`, in any case, that has this hash.
    pub(crate) fn find_hashed(&self, hash: u32, name: &str) -> Option<(&Attribute, bool)> {
        let entry = self.indexed(hash).find(|entry| entry.is_own() && entry.name.matches(name))?;
        Some((self.definition(entry)?, entry.is_shown))
    }

    /// Whether a response that names no attributes may have to leave something out of one in no extension whose
    /// name has this hash.
    pub(crate) fn may_hide(&self, hash: u32) -> bool {
        self.hidden.contains(&hash)
    }

    /// The attributes whose names have this hash.
    fn indexed(&self, hash: u32) -> impl Iterator<Item = &IndexEntry> {
        let byte = (hash >> 24) as usize;
        let place = |byte: usize| self.begins.get(byte).map_or(0, |place| *place as usize);
        let few = self.index.get(place(byte)..place(byte + 1)).unwrap_or_default();
        few.iter().filter(move |entry| entry.hash() == hash)
    }

    /// The attributes at the top level of a resource: the common ones, then those of the base
    /// schema that it does not define again.
    pub fn top_level(&self) -> impl Iterator<Item = &Attribute> {
        let is_common =
            |name: &str| common_attributes().iter().any(|common| common.name.eq_ignore_ascii_case(name));
        let own = self.base.attributes.iter().filter(move |attribute| !is_common(&attribute.name));
        common_attributes().iter().chain(own)
    }

    fn definition(&self, entry: &IndexEntry) -> Option<&Attribute> {
        let attributes = match entry.owner {
            Owner::Common => common_attributes(),
            Owner::Base => &self.base.attributes,
            Owner::Extension(extension) => &self.extensions.get(extension as usize)?.attributes,
        };
        attributes.get(entry.position as usize)
    }

    fn info<'s>(&'s self, uri: Option<&str>, attribute: &'s Attribute) -> AttributeInfo<'s> {
        AttributeInfo {
            name: &attribute.name,
            extension: uri.and_then(|uri| self.extension(uri)).map(|extension| extension.id.as_str()),
            kind: attribute.kind,
            multi_valued: attribute.multi_valued,
            case_exact: attribute.case_exact,
            sensitive: attribute.is_sensitive(),
        }
    }
}

impl scim_filter::Schema for ResourceSchema {
    fn schema_uri_len(&self, path: &str) -> Option<usize> {
        let path = path.as_bytes();
        std::iter::once(&self.base)
            .chain(&self.extensions)
            .map(|schema| schema.id.as_bytes())
            .filter(|uri| {
                path.get(..uri.len()).is_some_and(|start| start.eq_ignore_ascii_case(uri))
                    && path.get(uri.len()).is_none_or(|next| *next == b':')
            })
            .map(<[u8]>::len)
            .max()
    }

    fn attribute(&self, uri: Option<&str>, name: &str) -> Option<AttributeInfo<'_>> {
        self.find(uri, name).map(|attribute| self.info(uri, attribute))
    }

    fn sub_attribute(&self, uri: Option<&str>, name: &str, sub: &str) -> Option<AttributeInfo<'_>> {
        let attribute = self.find(uri, name)?;
        let info = self.info(uri, attribute.sub_attribute(sub)?);
        Some(AttributeInfo { sensitive: info.sensitive || attribute.is_sensitive(), ..info })
    }

    fn sensitive_sub_attribute(&self, uri: Option<&str>, name: &str) -> Option<AttributeInfo<'_>> {
        let subs = &self.find(uri, name)?.sub_attributes;
        subs.iter().find(|sub| sub.is_sensitive()).map(|sub| self.info(uri, sub))
    }

    fn extension(&self, uri: &str) -> Option<&str> {
        Self::extension(self, uri).map(|extension| extension.id.as_str())
    }
}

/// Whether all of the attribute is in every response that names no attributes.
pub(crate) fn is_shown(attribute: &Attribute) -> bool {
    let shown = |attribute: &Attribute| {
        !attribute.is_sensitive() && matches!(attribute.returned, Returned::Always | Returned::Default)
    };
    shown(attribute) && attribute.sub_attributes.iter().all(shown)
}

/// URIs are compared without case, as their URN namespace is (RFC 7643 §10).
fn same_uri(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
}

fn check_resource_type(resource_type: &ResourceType) -> Result<(), RegistryError> {
    if !is_segment(&resource_type.name) {
        return Err(RegistryError::BadResourceType { resource_type: resource_type.name.clone() });
    }
    match resource_type.endpoint.strip_prefix('/') {
        Some(segment)
            if is_segment(segment)
                && !RESERVED_ENDPOINTS.iter().any(|taken| taken.eq_ignore_ascii_case(segment)) =>
        {
            Ok(())
        }
        _ => Err(RegistryError::BadEndpoint { endpoint: resource_type.endpoint.clone() }),
    }
}

fn check_schema(schema: &Schema) -> Result<(), RegistryError> {
    if !schema.id.contains(':') || !schema.id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"') {
        return Err(RegistryError::BadSchemaUri { schema: schema.id.clone() });
    }
    check_attributes(schema, &schema.attributes, None)
}

/// A base schema may list the attributes that every resource has, as some published ones do; they are what they are all
/// the same.
fn check_common(base: &Schema) -> Result<(), RegistryError> {
    for common in common_attributes() {
        let named = |attribute: &&Attribute| attribute.name.eq_ignore_ascii_case(&common.name);
        let Some(own) = base.attributes.iter().find(named) else { continue };
        let different = [
            ("type", own.kind != common.kind),
            ("multiValued", own.multi_valued != common.multi_valued),
            ("mutability", own.mutability != common.mutability),
        ];
        if let Some((characteristic, _)) = different.into_iter().find(|(_, is)| *is) {
            let (schema, attribute) = (base.id.clone(), own.name.clone());
            return Err(RegistryError::CommonAttribute { schema, attribute, characteristic });
        }
    }
    Ok(())
}

/// Checks definitions that stand beside one another; below a parent none may be complex.
fn check_attributes(
    schema: &Schema,
    attributes: &[Attribute],
    parent: Option<&Attribute>,
) -> Result<(), RegistryError> {
    for (position, attribute) in attributes.iter().enumerate() {
        let uri = || schema.id.clone();
        let full_name = || match parent {
            Some(parent) => format!("{}.{}", parent.name, attribute.name),
            None => attribute.name.clone(),
        };
        if !is_attribute_name(&attribute.name) {
            return Err(RegistryError::BadAttributeName { schema: uri(), attribute: full_name() });
        }
        if attributes.iter().take(position).any(|other| other.name.eq_ignore_ascii_case(&attribute.name)) {
            return Err(RegistryError::DuplicateAttribute { schema: uri(), attribute: full_name() });
        }
        let complex = attribute.kind == AttributeType::Complex;
        if complex && parent.is_some() {
            return Err(RegistryError::NestedComplex { schema: uri(), attribute: full_name() });
        }
        if !complex && !attribute.sub_attributes.is_empty() {
            return Err(RegistryError::SubAttributesOfSimple { schema: uri(), attribute: full_name() });
        }
        if complex && attribute.sub_attributes.is_empty() {
            return Err(RegistryError::NoSubAttributes { schema: uri(), attribute: full_name() });
        }
        if attribute.uniqueness != Uniqueness::None && !has_uniqueness(attribute.kind) {
            return Err(RegistryError::NoUniqueness { schema: uri(), attribute: full_name() });
        }
        check_attributes(schema, &attribute.sub_attributes, Some(attribute))?;
    }
    Ok(())
}

/// Whether values of the type can be unique: RFC 7643 §2.3.2, §2.3.5 and §2.3.6 say of Booleans, date
/// times and binary values that they have no uniqueness, and of a complex attribute it is the
/// sub-attributes that have one.
fn has_uniqueness(kind: AttributeType) -> bool {
    !matches!(
        kind,
        AttributeType::Boolean | AttributeType::DateTime | AttributeType::Binary | AttributeType::Complex
    )
}

/// ATTRNAME of RFC 7643 §2.1; erratum 8924 lets a name start with `$`, since `$ref` does.
fn is_attribute_name(name: &str) -> bool {
    let rest = name.strip_prefix('$').unwrap_or(name);
    rest.starts_with(|first: char| first.is_ascii_alphabetic())
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"$-_".contains(&byte))
}

/// One path segment of RFC 3986's unreserved characters, so that it is the same percent-decoded.
fn is_segment(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

/// The endpoints of RFC 7644 §3.2 that serve no resource type.
const RESERVED_ENDPOINTS: [&str; 5] = ["ServiceProviderConfig", "ResourceTypes", "Schemas", "Bulk", "Me"];
