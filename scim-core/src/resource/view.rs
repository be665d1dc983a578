//! How typed views read and write their part of a resource.

use std::fmt;

use crate::value::{Object, Value};
use crate::{Error, ExternalId, ResourceId, ScimType};

/// Why a resource has no typed view.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{at}` {problem}")]
pub struct ViewError {
    at: String,
    problem: &'static str,
}

impl ViewError {
    pub(super) fn new(at: impl fmt::Display, problem: &'static str) -> Self {
        Self { at: at.to_string(), problem }
    }

    /// The path of the value that does not fit: `emails[1].primary`.
    pub fn path(&self) -> &str {
        &self.at
    }
}

impl From<ViewError> for Error {
    fn from(error: ViewError) -> Self {
        Self::bad_request(ScimType::InvalidValue, error.to_string())
    }
}

/// One value of a view.
pub(super) trait Field: Sized {
    /// Reads the value; `None` stands for a member that is absent.
    fn read(value: Option<Value>, at: &dyn fmt::Display) -> Result<Self, ViewError>;

    /// The value to write, if there is one.
    fn write(self) -> Option<Value>;
}

impl Field for Option<String> {
    fn read(value: Option<Value>, at: &dyn fmt::Display) -> Result<Self, ViewError> {
        match value {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.into())),
            Some(_) => Err(ViewError::new(at, "must be a string")),
        }
    }

    fn write(self) -> Option<Value> {
        self.map(Value::from)
    }
}

impl Field for String {
    fn read(value: Option<Value>, at: &dyn fmt::Display) -> Result<Self, ViewError> {
        Option::<String>::read(value, at)?.ok_or_else(|| ViewError::new(at, "is required"))
    }

    fn write(self) -> Option<Value> {
        Some(self.into())
    }
}

impl Field for Option<bool> {
    fn read(value: Option<Value>, at: &dyn fmt::Display) -> Result<Self, ViewError> {
        match value {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(value)),
            Some(_) => Err(ViewError::new(at, "must be a Boolean")),
        }
    }

    fn write(self) -> Option<Value> {
        self.map(Value::from)
    }
}

impl Field for Option<ResourceId> {
    fn read(value: Option<Value>, at: &dyn fmt::Display) -> Result<Self, ViewError> {
        Ok(Option::<String>::read(value, at)?.map(ResourceId::new))
    }

    fn write(self) -> Option<Value> {
        self.map(|id| id.as_str().into())
    }
}

impl Field for Option<ExternalId> {
    fn read(value: Option<Value>, at: &dyn fmt::Display) -> Result<Self, ViewError> {
        Ok(Option::<String>::read(value, at)?.map(ExternalId::new))
    }

    fn write(self) -> Option<Value> {
        self.map(|id| id.as_str().into())
    }
}

/// A view of an object.
pub(super) trait View: Sized {
    /// What stands between the name of the object and those of its members in a path.
    const SEPARATOR: &str;

    /// Reads the object; `prefix` stands before the names of its members in a path.
    fn from_object(object: Object, prefix: &dyn fmt::Display) -> Result<Self, ViewError>;

    fn into_object(self) -> Object;
}

impl<V: View> Field for Option<V> {
    fn read(value: Option<Value>, at: &dyn fmt::Display) -> Result<Self, ViewError> {
        match value {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(object)) => {
                V::from_object(object, &format_args!("{at}{}", V::SEPARATOR)).map(Some)
            }
            Some(_) => Err(ViewError::new(at, "must be an object")),
        }
    }

    fn write(self) -> Option<Value> {
        self.map(|view| view.into_object().into())
    }
}

impl<V: View> Field for Vec<V> {
    fn read(value: Option<Value>, at: &dyn fmt::Display) -> Result<Self, ViewError> {
        elements(value, at, |value, at| {
            Option::<V>::read(Some(value), at)?.ok_or_else(|| ViewError::new(at, "must be an object"))
        })
    }

    fn write(self) -> Option<Value> {
        (!self.is_empty()).then(|| self.into_iter().map(View::into_object).collect())
    }
}

impl Field for Vec<String> {
    fn read(value: Option<Value>, at: &dyn fmt::Display) -> Result<Self, ViewError> {
        elements(value, at, |value, at| String::read(Some(value), at))
    }

    fn write(self) -> Option<Value> {
        (!self.is_empty()).then(|| self.into_iter().collect())
    }
}

fn elements<T>(
    value: Option<Value>,
    at: &dyn fmt::Display,
    mut element: impl FnMut(Value, &dyn fmt::Display) -> Result<T, ViewError>,
) -> Result<Vec<T>, ViewError> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(elements)) => elements
            .into_iter()
            .enumerate()
            .map(|(index, value)| element(value, &format_args!("{at}[{index}]")))
            .collect(),
        Some(_) => Err(ViewError::new(at, "must be an array")),
    }
}

/// Declares a view: its fields by their names on the wire, and `other` for all that is left.
macro_rules! view {
    (
        $(#[$doc:meta])*
        $name:ident $separator:literal {
            $($(#[$field_doc:meta])* $field:ident: $kind:ty = $wire:expr,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $kind,)*
            /// What else there is: attributes this view does not know.
            pub other: $crate::value::Object,
        }

        impl $crate::resource::view::View for $name {
            const SEPARATOR: &str = $separator;

            fn from_object(
                mut object: $crate::value::Object,
                prefix: &dyn ::std::fmt::Display,
            ) -> Result<Self, $crate::resource::ViewError> {
                use $crate::resource::view::Field;
                Ok(Self {
                    $($field: Field::read(object.remove($wire), &format_args!("{prefix}{}", $wire))?,)*
                    other: object,
                })
            }

            fn into_object(self) -> $crate::value::Object {
                use $crate::resource::view::Field;
                let mut object = $crate::value::Object::new();
                $(if let Some(value) = Field::write(self.$field) {
                    object.insert($wire, value);
                })*
                object.extend(self.other);
                object
            }
        }

        impl TryFrom<$crate::value::Object> for $name {
            type Error = $crate::resource::ViewError;

            fn try_from(object: $crate::value::Object) -> Result<Self, $crate::resource::ViewError> {
                $crate::resource::view::View::from_object(object, &"")
            }
        }

        impl From<$name> for $crate::value::Object {
            fn from(view: $name) -> Self {
                $crate::resource::view::View::into_object(view)
            }
        }
    };
}
pub(super) use view;
