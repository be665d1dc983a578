//! Mappings are checked against the schema whose filters they answer.

#![cfg(feature = "sql")]

mod common;

use common::{CORE, ENTERPRISE, USER};
use scim_filter::sql::{Child, Column, JsonColumn, Mapping, MappingErrorKind, SqlErrorKind};

fn folded() -> Column {
    Column::folded("c")
}

fn json() -> JsonColumn {
    JsonColumn::keys("c")
}

fn child() -> Child {
    Child::new("t", "TRUE")
}

#[test]
fn what_filters_name_can_be_mapped() {
    let manager = Mapping::new().column("manager.displayName", folded()).document(json());
    let mapping = Mapping::new()
        .column("USERNAME", folded())
        .column("name.familyName", folded())
        .column("name.givenName", folded())
        .json("name", json())
        .column("meta.lastModified", Column::instant("c"))
        .column("score", Column::decimal("c"))
        .column("aliases", folded())
        .child("emails", child().column("value", folded()).column("primary", Column::boolean("c")))
        .child("roles", child().column("$ref", Column::exact("c")))
        .json("ims", json())
        .extension(ENTERPRISE, manager)
        .document(json());
    assert_eq!(mapping.check(&USER), Ok(()));
    let aliases = Mapping::new().child("aliases", child().column("value", folded()));
    assert_eq!(aliases.check(&USER), Ok(()));
    assert_eq!(Mapping::new().check(&USER), Ok(()));
}

#[test]
fn what_no_filter_names_is_refused() {
    use MappingErrorKind::{Column as Misfit, NeedsSubAttribute, NotWhole, Twice, Unknown, Uri};
    let of = |path: &str| Mapping::new().column(path, folded());
    let user_name = format!("{CORE}:userName");
    let unknown_extension = Mapping::new().extension("urn:x", of("userName"));
    for (mapping, kind, path) in [
        (of(&user_name), Uri, user_name.as_str()),
        (of("user_name"), Unknown, "user_name"),
        (of("name.middle"), Unknown, "name.middle"),
        (of("name.familyName.x"), Unknown, "name.familyName.x"),
        (of("aliases.value"), Unknown, "aliases.value"),
        (of(""), Unknown, ""),
        (of("name"), NeedsSubAttribute, "name"),
        (Mapping::new().child("emails.value", child()), NotWhole, "emails.value"),
        (Mapping::new().json("name.familyName", json()), NotWhole, "name.familyName"),
        (of("userName").column("username", folded()), Twice, "username"),
        (of("emails.value").child("emails", child()), Twice, "emails"),
        (Mapping::new().json("name", json()).column("name.familyName", folded()), Twice, "name.familyName"),
        (Mapping::new().child("emails", child()).json("emails", json()), Twice, "emails"),
        (Mapping::new().child("emails", child().column("x", folded())), Unknown, "emails.x"),
        (Mapping::new().child("aliases", child().column("type", folded())), Unknown, "aliases.type"),
        (
            Mapping::new().child("emails", child().column("type", folded()).column("TYPE", folded())),
            Twice,
            "emails.TYPE",
        ),
        (of("externalId"), Misfit(SqlErrorKind::NotExact), "externalId"),
        (Mapping::new().column("title", Column::exact("c")), Misfit(SqlErrorKind::NotFolded), "title"),
        (
            Mapping::new().child("emails", child().column("primary", folded())),
            Misfit(SqlErrorKind::WrongType),
            "emails.primary",
        ),
        (Mapping::new().document(json()).document(json()), Twice, ""),
        (unknown_extension, Unknown, "urn:x:userName"),
        (Mapping::new().extension(CORE, Mapping::new().document(json())), Unknown, CORE),
        (
            Mapping::new().extension(ENTERPRISE, of("userName")),
            Unknown,
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:userName",
        ),
    ] {
        let error = mapping.check(&USER).unwrap_err();
        assert_eq!((error.kind(), error.path()), (kind, path), "{error}");
    }
}

#[test]
fn errors_name_the_path() {
    let of = |path: &str, column: Column| Mapping::new().column(path, column);
    for (mapping, message) in [
        (
            of("urn:x:userName", folded()),
            "`urn:x:userName` cannot be mapped: a path has no URI, and those of an extension are mapped \
             beside it",
        ),
        (of("login", folded()), "`login` cannot be mapped: the schema does not define it"),
        (of("name", folded()), "`name` cannot be mapped: it is complex, and a column holds a sub-attribute"),
        (
            Mapping::new().json("name.familyName", json()),
            "`name.familyName` cannot be mapped: only a whole attribute is a table or a JSON column",
        ),
        (of("title", folded()).column("title", folded()), "`title` cannot be mapped: it is mapped before"),
        (
            of("title", Column::exact("c")),
            "`title` cannot be mapped: the attribute is not caseExact but its column is not folded",
        ),
        (
            Mapping::new().document(json()).document(json()),
            "the document cannot be mapped: it is mapped before",
        ),
    ] {
        assert_eq!(mapping.check(&USER).unwrap_err().to_string(), message);
    }
}
