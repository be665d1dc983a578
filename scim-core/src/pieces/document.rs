//! A resource as a tree of values, as JSON text, or as both.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use super::json::{ResourceJson, parsed};
use crate::membership::put_groups;
use crate::store::StoreError;
use crate::value::Value;
use crate::{Resource, ResourceId, Version};

/// A resource that is to be answered: a tree of values, or the JSON text that a store has of it.
///
/// A text goes into the answer as it stands, but for what the answer leaves out or adds; that takes a small part of
/// the time that it takes to make a tree of it and to write this again. It is read once, so that it is known to be
/// what would be written.
///
/// ```
/// use scim_core::ResourceId;
/// use scim_core::pieces::Document;
///
/// let text = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1","userName":"b"}"#;
/// let user = Document::from_json(text.to_owned())?;
/// assert_eq!(user.id(), Some(ResourceId::new("1")));
/// assert_eq!(user.resource()?.get("userName").and_then(|name| name.as_str()), Some("b"));
/// assert!(Document::from_json("[]".to_owned()).is_err());
/// # Ok::<(), scim_core::store::StoreError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Document {
    form: Form,
    /// What stands in place of the values of `groups`.
    groups: Option<Vec<Value>>,
}

#[derive(Clone, Debug)]
enum Form {
    Tree(Arc<Resource>),
    Rendered(Arc<Rendered>),
    Text(ResourceJson),
}

/// What a resource is written of.
pub(crate) enum Source<'d> {
    Tree(&'d Resource),
    /// The text, and what stands in it in place of the values of `groups`.
    Text(&'d ResourceJson, Option<&'d [Value]>),
}

/// A tree of values with the text that it is answered with, for a store that has resources in memory.
#[derive(Debug)]
pub(crate) struct Rendered {
    resource: Resource,
    // INVARIANT: that of `resource`, once it is made; `None` if the text has to be made for each answer.
    text: OnceLock<Option<ResourceJson>>,
}

impl Document {
    /// The resource whose JSON text was stored.
    ///
    /// Any JSON will do: what is not written as this library and `serde_json` write it, without white space and with
    /// as few escapes as can be, becomes a tree. A name that an object within the resource has twice, as none has that
    /// was written of a [`Resource`], is not looked for before [`resource`](Self::resource) is asked for.
    ///
    /// # Errors
    ///
    /// [`StoreError::Internal`] for a text that is no JSON object, or one that no [`Resource`] can be.
    pub fn from_json(text: impl Into<Box<str>>) -> Result<Self, StoreError> {
        Ok(match ResourceJson::new(text.into()) {
            Ok(text) => Form::Text(text).into(),
            Err(text) => tree(&text)?.into(),
        })
    }

    /// The resource; copied where it is not there as a tree.
    ///
    /// # Errors
    ///
    /// [`StoreError::Internal`] for a text in which an object has a name twice.
    pub fn resource(&self) -> Result<Cow<'_, Resource>, StoreError> {
        let resource = match &self.form {
            Form::Tree(resource) => Cow::Borrowed(&**resource),
            Form::Rendered(rendered) => Cow::Borrowed(&rendered.resource),
            Form::Text(text) => Cow::Owned(tree(text.text())?),
        };
        Ok(match &self.groups {
            None => resource,
            Some(groups) => {
                let mut resource = resource.into_owned();
                put_groups(&mut resource, groups.clone());
                Cow::Owned(resource)
            }
        })
    }

    /// The resource by itself; copied where somebody else has it too.
    ///
    /// # Errors
    ///
    /// Those of [`resource`](Self::resource).
    pub fn into_resource(self) -> Result<Resource, StoreError> {
        match self {
            Self { form: Form::Tree(resource), groups: None } => Ok(Arc::unwrap_or_clone(resource)),
            document => document.resource().map(Cow::into_owned),
        }
    }

    /// The `id`.
    pub fn id(&self) -> Option<ResourceId> {
        self.id_text().map(|id| ResourceId::new(&*id))
    }

    /// `meta.version`
    pub fn version(&self) -> Option<Version> {
        match &self.form {
            Form::Tree(resource) => resource.version(),
            Form::Rendered(rendered) => rendered.resource.version(),
            Form::Text(text) => {
                let meta = parsed(text.value(text.find("meta")?)).ok()?;
                meta.get("version")?.as_str()?.parse().ok()
            }
        }
    }

    pub(crate) fn id_text(&self) -> Option<Cow<'_, str>> {
        match &self.form {
            Form::Tree(resource) => id_of(resource).map(Cow::Borrowed),
            Form::Rendered(rendered) => match rendered.made() {
                Some(text) => text.string("id"),
                None => id_of(&rendered.resource).map(Cow::Borrowed),
            },
            Form::Text(text) => text.string("id"),
        }
    }

    /// Whether there is an attribute of that name, in no extension.
    pub(crate) fn has(&self, name: &str) -> bool {
        match &self.form {
            Form::Tree(resource) => resource.0.contains(name),
            Form::Rendered(rendered) => match rendered.made() {
                Some(text) => text.find(name).is_some(),
                None => rendered.resource.0.contains(name),
            },
            Form::Text(text) => text.find(name).is_some(),
        }
    }

    /// Puts these in place of the values of `groups`.
    pub(crate) fn set_groups(&mut self, groups: Vec<Value>) {
        match &mut self.form {
            Form::Tree(resource) => put_groups(Arc::make_mut(resource), groups),
            Form::Rendered(rendered) if rendered.text().is_none() => {
                let mut resource = rendered.resource.clone();
                put_groups(&mut resource, groups);
                self.form = Form::Tree(Arc::new(resource));
            }
            Form::Rendered(_) | Form::Text(_) => self.groups = Some(groups),
        }
    }

    /// The same for who looks at its values more than once: a text as a tree.
    pub(crate) fn parsed(self) -> Result<Self, StoreError> {
        match self.form {
            Form::Text(_) => self.into_resource().map(Self::from),
            Form::Tree(_) | Form::Rendered(_) => Ok(self),
        }
    }

    /// What it is written of.
    pub(crate) fn source(&self) -> Source<'_> {
        let text = match &self.form {
            Form::Tree(resource) => return Source::Tree(resource),
            Form::Rendered(rendered) => match rendered.text() {
                Some(text) => text,
                None => return Source::Tree(&rendered.resource),
            },
            Form::Text(text) => text,
        };
        Source::Text(text, self.groups.as_deref())
    }
}

impl From<Form> for Document {
    fn from(form: Form) -> Self {
        Self { form, groups: None }
    }
}

impl From<Resource> for Document {
    fn from(resource: Resource) -> Self {
        Arc::new(resource).into()
    }
}

/// A resource that the store shares.
impl From<Arc<Resource>> for Document {
    fn from(resource: Arc<Resource>) -> Self {
        Form::Tree(resource).into()
    }
}

impl From<Arc<Rendered>> for Document {
    fn from(rendered: Arc<Rendered>) -> Self {
        Form::Rendered(rendered).into()
    }
}

impl Rendered {
    pub(crate) fn new(resource: Resource) -> Self {
        Self { resource, text: OnceLock::new() }
    }

    pub(crate) fn resource(&self) -> &Resource {
        &self.resource
    }

    /// The resource to be changed, after which it has another text; copied where somebody else has it too.
    pub(crate) fn make_mut(this: &mut Arc<Self>) -> &mut Resource {
        let rendered = Arc::make_mut(this);
        rendered.text.take();
        &mut rendered.resource
    }

    /// The text, made if it is not yet.
    pub(crate) fn text(&self) -> Option<&ResourceJson> {
        let make = || {
            let text = serde_json::to_string(&self.resource.0).ok()?;
            ResourceJson::new(text.into()).ok().map(ResourceJson::shrunk)
        };
        self.text.get_or_init(make).as_ref()
    }

    fn made(&self) -> Option<&ResourceJson> {
        self.text.get()?.as_ref()
    }
}

/// Who has a copy changes it.
impl Clone for Rendered {
    fn clone(&self) -> Self {
        Self::new(self.resource.clone())
    }
}

fn tree(text: &str) -> Result<Resource, StoreError> {
    match parsed(text)? {
        Value::Object(object) => Ok(Resource(object)),
        _ => Err(StoreError::Internal("a stored resource is no object".into())),
    }
}

fn id_of(resource: &Resource) -> Option<&str> {
    resource.get("id")?.as_str()
}
