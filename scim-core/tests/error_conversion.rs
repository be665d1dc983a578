//! The conversion table: what each inner error is on the wire.

use scim_core::auth::AuthError;
use scim_core::schema::Registry;
use scim_core::store::StoreError;
use scim_core::value::{JsonLimits, Value};
use scim_core::{Error, ScimType};
use scim_filter::{BindOptions, Filter, PatchPath};
use serde_json::json;

#[test]
fn each_inner_error_has_its_status_keyword_and_detail() {
    let registry = Registry::standard();
    let user = registry.by_name("User").unwrap().as_ref();
    let secret = || -> Box<dyn std::error::Error + Send + Sync> { "connection to 10.0.0.1 refused".into() };
    let json = Value::from_slice(b"{", &JsonLimits::default()).unwrap_err();
    let filter = Filter::parse("userName eq").err().unwrap();
    let path = PatchPath::parse("emails[").err().unwrap();
    let bind = |text: &str| Filter::parse(text).unwrap().bind(user, &BindOptions::default()).err().unwrap();
    let bind_path =
        |text: &str| PatchPath::parse(text).unwrap().bind(user, &BindOptions::default()).err().unwrap();

    let table: Vec<(Error, u16, Option<ScimType>, &str)> = vec![
        (json.into(), 400, Some(ScimType::InvalidSyntax), "the body is not valid JSON: "),
        (Error::filter_syntax(&filter), 400, Some(ScimType::InvalidFilter), "the filter is not valid: "),
        (
            Error::filter_binding(&bind("nothing pr")),
            400,
            Some(ScimType::InvalidFilter),
            "the filter is not valid: ",
        ),
        (
            Error::filter_binding(&bind("password pr")),
            403,
            Some(ScimType::Sensitive),
            "the filter is not permitted: ",
        ),
        (Error::path_syntax(&path), 400, Some(ScimType::InvalidPath), "the path is not valid: "),
        (
            Error::path_binding(&bind_path("nothing")),
            400,
            Some(ScimType::InvalidPath),
            "the path is not valid: ",
        ),
        (AuthError::Missing.into(), 401, None, "no credential was given"),
        (AuthError::Invalid.into(), 401, None, "the credential is not valid"),
        (AuthError::Forbidden.into(), 403, None, "the credential does not permit this"),
        (AuthError::Unavailable.into(), 503, None, "credentials cannot be checked now"),
        ((&StoreError::NotFound).into(), 404, None, "there is no such resource"),
        (
            (&StoreError::Conflict { attribute: "userName".to_owned() }).into(),
            409,
            Some(ScimType::Uniqueness),
            "another resource has the same value of `userName`",
        ),
        (
            (&StoreError::Dangling(scim_core::ResourceId::new("7"))).into(),
            400,
            Some(ScimType::InvalidValue),
            "`members` names `7`, and there is no such resource",
        ),
        (
            (&StoreError::Circle(scim_core::ResourceId::new("7"))).into(),
            400,
            Some(ScimType::InvalidValue),
            "`members` names `7`, which has the group as a member, directly or through other groups",
        ),
        (
            (&StoreError::VersionMismatch).into(),
            409,
            None,
            "the resource was changed by other requests meanwhile",
        ),
        (
            (&StoreError::UnsupportedFilter("`title pr`".to_owned())).into(),
            400,
            Some(ScimType::InvalidFilter),
            "the filter is not supported: `title pr`",
        ),
        (
            (&StoreError::UnsupportedSort("`members` has no order".to_owned())).into(),
            400,
            Some(ScimType::InvalidValue),
            "`sortBy` is not supported: `members` has no order",
        ),
        (
            (&StoreError::UnknownPlace).into(),
            400,
            Some(ScimType::InvalidCursor),
            "the cursor is not valid for this request; an empty one asks for the first page",
        ),
        (
            (&StoreError::Refused(Error::new(http::StatusCode::FORBIDDEN, "not today"))).into(),
            403,
            None,
            "not today",
        ),
        (
            (&StoreError::Unavailable(secret())).into(),
            503,
            None,
            "the service cannot answer now; try again later",
        ),
        (
            (&StoreError::OutcomeUnknown(secret())).into(),
            503,
            None,
            "the service cannot tell whether the change was made; look before trying again",
        ),
        ((&StoreError::Internal(secret())).into(), 500, None, "the service could not complete the request"),
    ];
    for (error, status, scim_type, detail) in table {
        assert_eq!(error.status(), status, "{error}");
        assert_eq!(error.scim_type(), scim_type, "{error}");
        assert!(error.detail().starts_with(detail), "{error}");
        assert!(!error.detail().contains("10.0.0.1"), "{error}");
        assert!(!error.detail().ends_with('.'), "{error}");
        let body = serde_json::Value::from(error.to_value());
        assert_eq!(body["status"], json!(status.to_string()));
        assert_eq!(body["detail"], json!(error.detail()));
        assert_eq!(body.get("scimType"), scim_type.map(|keyword| json!(keyword.as_str())).as_ref());
    }
}
