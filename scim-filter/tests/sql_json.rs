//! Attributes in JSON columns, as SQL text. That the text means what it should is shown by the
//! differential tests, which execute it.

#![cfg(feature = "sql")]
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{ENTERPRISE, SHORT, USER};
use scim_filter::AttributeType::{Complex, String as Text};
use scim_filter::sql::{Dialect, JsonColumn, Mapping, Sql, SqlErrorKind, SqlValue};
use scim_filter::{AttributeInfo, BindOptions, Filter, SchemaTable};

fn translate(mapping: &Mapping, dialect: Dialect, text: &str) -> Sql {
    let filter = Filter::parse(text).unwrap().bind(&USER, &BindOptions::default()).unwrap();
    filter.to_sql(mapping, dialect, 1).unwrap()
}

/// The resource as keys in one column.
fn document() -> Mapping {
    Mapping::new().document(JsonColumn::keys("u.keys"))
}

/// `template` with the SQL of a value in the places of `KIND`, `ATOM` and `JSON`.
fn filled(template: &str, kind: &str, atom: &str, json: &str) -> String {
    template.replace("KIND", kind).replace("ATOM", atom).replace("JSON", json)
}

fn sqlite_at(path: &str, template: &str) -> String {
    let (kind, atom) = (format!("json_type(u.keys, '{path}')"), format!("json_extract(u.keys, '{path}')"));
    filled(template, &kind, &atom, "")
}

fn postgres_at(json: &str, atom: &str, template: &str) -> String {
    filled(template, &format!("jsonb_typeof({json})"), atom, json)
}

const EMAIL_OF_SQLITE: &str = "+EXISTS (SELECT 1 FROM json_each(CASE WHEN \
    json_type(u.keys, '$.\"emails\"') = 'array' THEN json_extract(u.keys, '$.\"emails\"') WHEN \
    json_type(u.keys, '$.\"emails\"') IS NOT NULL THEN json_array(json(u.keys -> '$.\"emails\"')) END) \
    AS scim_e WHERE TRUE AND (";
const EMAIL_OF_POSTGRES: &str = "EXISTS (SELECT 1 FROM jsonb_array_elements(CASE WHEN \
    jsonb_typeof((u.keys -> 'emails')) = 'array' THEN (u.keys -> 'emails') WHEN \
    jsonb_typeof((u.keys -> 'emails')) IS NOT NULL THEN jsonb_build_array((u.keys -> 'emails')) END) \
    AS scim_e(v) WHERE TRUE AND (";

/// The elements that a value path is about, of which `null` is none.
fn value_of_sqlite() -> String {
    EMAIL_OF_SQLITE.replace("WHERE TRUE", "WHERE scim_e.type <> 'null'")
}

fn value_of_postgres() -> String {
    EMAIL_OF_POSTGRES.replace("WHERE TRUE", "WHERE jsonb_typeof(scim_e.v) <> 'null'")
}

fn sqlite_element(name: &str, template: &str) -> String {
    let (kind, atom) = if name == "value" { (" ELSE scim_e.type", " ELSE scim_e.atom") } else { ("", "") };
    let of = |function: &str, itself: &str| {
        format!("(CASE scim_e.type WHEN 'object' THEN {function}(scim_e.value, '$.\"{name}\"'){itself} END)")
    };
    filled(template, &of("json_type", kind), &of("json_extract", atom), "")
}

fn postgres_element(name: &str, template: &str) -> String {
    let itself = if name == "value" { " ELSE scim_e.v" } else { "" };
    let json = format!("(CASE jsonb_typeof(scim_e.v) WHEN 'object' THEN scim_e.v -> '{name}'{itself} END)");
    filled(template, &format!("jsonb_typeof({json})"), &format!("({json} #>> '{{}}')"), &json)
}

const PRESENT_IN_SQLITE: &str = "(KIND IS NOT NULL AND (KIND IN ('true', 'false', 'integer', 'real') \
    OR KIND = 'text' AND ATOM <> ''))";
const PRESENT_IN_POSTGRES: &str = "(KIND IS NOT NULL AND (KIND IN ('boolean', 'number') \
    OR KIND = 'string' AND ATOM <> ''))";

#[test]
fn a_value_in_sqlite() {
    let sqlite = |text: &str| translate(&document(), Dialect::Sqlite, text).text;
    for (text, path, expected) in [
        (r#"userName eq "X""#, "$.\"userName\"", "(KIND IS NOT NULL AND KIND = 'text' AND ATOM = ?1)"),
        (
            r#"name.familyName ne "X""#,
            "$.\"name\".\"familyName\"",
            "NOT (KIND IS NOT NULL AND KIND = 'text' AND ATOM = ?1)",
        ),
        ("active eq false", "$.\"active\"", "(KIND IS NOT NULL AND KIND = 'false')"),
        ("userName pr", "$.\"userName\"", PRESENT_IN_SQLITE),
        ("name.familyName pr", "$.\"name\".\"familyName\"", PRESENT_IN_SQLITE),
        (
            "logins le 2",
            "$.\"logins\"",
            "((KIND IS NOT NULL AND KIND = 'integer' AND ATOM <= ?1) \
             OR (KIND IS NOT NULL AND KIND = 'real' AND ATOM <= ?2))",
        ),
        (
            "logins le 9223372036854775808",
            "$.\"logins\"",
            "((KIND IS NOT NULL AND KIND = 'integer' AND (typeof(ATOM) <> 'real' \
             OR substr('0' || (u.keys -> '$.\"logins\"'), -20) <= ?1)) \
             OR (KIND IS NOT NULL AND KIND = 'real' AND ATOM <= ?2))",
        ),
    ] {
        assert_eq!(sqlite(text), sqlite_at(path, expected), "{text}");
    }
    let values = |text: &str| translate(&document(), Dialect::Sqlite, text).values;
    assert_eq!(values(r#"userName eq "X""#), [SqlValue::Text("x".into())]);
    assert_eq!(values(r#"externalId eq "X""#), [SqlValue::Text("X".into())]);
    let beyond = |digits: &str| [SqlValue::Text(digits.into()), SqlValue::Float(9_223_372_036_854_775_808.0)];
    assert_eq!(values("logins eq 9223372036854775808"), beyond("09223372036854775808"));
    assert_eq!(values("logins eq 9.223372036854775808e18"), beyond("09223372036854775808"));
    assert_eq!(values(r#"photo eq "QQ==""#), [SqlValue::Text("QQ".into())]);
    assert_eq!(
        values(r#"meta.lastModified ge "2011-05-13T06:42:34.50+02:00""#),
        [SqlValue::Text("2011-05-13T04:42:34.5".into())]
    );
    assert_eq!(values("logins gt 1.5"), [SqlValue::Integer(1), SqlValue::Float(1.5)]);
}

#[test]
fn a_value_in_postgres() {
    let postgres = |text: &str| translate(&document(), Dialect::Postgres, text);
    let (user, family) = ("(u.keys -> 'userName')", "(u.keys -> 'name' -> 'familyName')");
    for (text, json, atom, expected) in [
        (
            r#"userName eq "X""#,
            user,
            "(u.keys ->> 'userName')",
            "(KIND IS NOT NULL AND KIND = 'string' AND ATOM = $1)",
        ),
        (
            r#"name.familyName gt "X""#,
            family,
            "(u.keys -> 'name' ->> 'familyName')",
            "(KIND IS NOT NULL AND KIND = 'string' AND ATOM COLLATE \"C\" > $1)",
        ),
        ("active eq true", "(u.keys -> 'active')", "", "(JSON IS NOT NULL AND JSON = 'true'::jsonb)"),
        ("userName pr", user, "(u.keys ->> 'userName')", PRESENT_IN_POSTGRES),
        ("name.familyName pr", family, "(u.keys -> 'name' ->> 'familyName')", PRESENT_IN_POSTGRES),
    ] {
        assert_eq!(postgres(text).text, postgres_at(json, atom, expected), "{text}");
    }
    for (op, operator) in [("eq", "="), ("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<=")] {
        let sql = postgres(&format!("logins {op} 1.5"));
        let expected = format!(
            "(CASE WHEN KIND = 'number' THEN CAST(ATOM AS numeric) {operator} CAST($1::text AS numeric) \
             ELSE FALSE END)"
        );
        assert_eq!(sql.text, postgres_at("(u.keys -> 'logins')", "(u.keys ->> 'logins')", &expected));
        assert_eq!(sql.values, [SqlValue::Text("1.5".into())]);
    }
}

#[test]
fn anything_inside() {
    for (text, path, json) in [
        ("name pr", "$.\"name\"", "(u.keys -> 'name')"),
        ("emails pr", "$.\"emails\"", "(u.keys -> 'emails')"),
        ("aliases pr", "$.\"aliases\"", "(u.keys -> 'aliases')"),
    ] {
        assert_eq!(
            translate(&document(), Dialect::Sqlite, text).text,
            format!(
                "+EXISTS (SELECT 1 FROM json_tree(u.keys, '{path}') AS scim_t WHERE scim_t.type IN \
                 ('true', 'false', 'integer', 'real') OR scim_t.type = 'text' AND scim_t.atom <> '')"
            )
        );
        assert_eq!(
            translate(&document(), Dialect::Postgres, text).text,
            format!(
                "({json} IS NOT NULL AND jsonb_path_exists({json}, '$.** ? (@.type() == \"boolean\" \
                 || @.type() == \"number\" || @.type() == \"string\" && @ != \"\")'))"
            )
        );
    }
}

#[test]
fn elements() {
    let (sqlite, postgres) = (Dialect::Sqlite, Dialect::Postgres);
    let text = |dialect, text: &str| translate(&document(), dialect, text).text;
    let holds = "(KIND IS NOT NULL AND KIND = 'text' AND ATOM = ?1)";
    let type_eq = format!("{EMAIL_OF_SQLITE}{}))", sqlite_element("type", holds));
    assert_eq!(text(sqlite, r#"emails.type eq "X""#), type_eq);
    assert_eq!(text(sqlite, r#"emails.type ne "X""#), format!("NOT {type_eq}"));
    assert_eq!(
        text(sqlite, r#"emails[type eq "X"]"#),
        format!("{}{}))", value_of_sqlite(), sqlite_element("type", holds))
    );
    assert_eq!(
        text(sqlite, r#"emails eq "X""#),
        format!("{EMAIL_OF_SQLITE}{}))", sqlite_element("value", holds))
    );
    assert_eq!(
        text(sqlite, "emails.value pr"),
        format!("{EMAIL_OF_SQLITE}{}))", sqlite_element("value", PRESENT_IN_SQLITE))
    );
    assert_eq!(
        text(sqlite, "emails[type pr and primary eq true]"),
        format!(
            "{}({} AND {})))",
            value_of_sqlite(),
            sqlite_element("type", PRESENT_IN_SQLITE),
            sqlite_element("primary", "(KIND IS NOT NULL AND KIND = 'true')")
        )
    );
    let holds = "(KIND IS NOT NULL AND KIND = 'string' AND ATOM = $1)";
    assert_eq!(
        text(postgres, r#"emails eq "X""#),
        format!("{EMAIL_OF_POSTGRES}{}))", postgres_element("value", holds))
    );
    assert_eq!(
        text(postgres, r#"emails[type eq "X"]"#),
        format!("{}{}))", value_of_postgres(), postgres_element("type", holds))
    );
    assert_eq!(
        text(postgres, "emails.value pr"),
        format!("{EMAIL_OF_POSTGRES}{}))", postgres_element("value", PRESENT_IN_POSTGRES))
    );
    assert_eq!(
        text(postgres, "emails[primary eq false and weight gt 3]"),
        format!(
            "{}({} AND {})))",
            value_of_postgres(),
            postgres_element("primary", "(JSON IS NOT NULL AND JSON = 'false'::jsonb)"),
            postgres_element(
                "weight",
                "(CASE WHEN KIND = 'number' THEN CAST(ATOM AS numeric) > CAST($1::text AS numeric) \
                 ELSE FALSE END)"
            )
        )
    );
}

#[test]
fn a_column_of_one_attribute() {
    let mapping =
        Mapping::new().json("name", JsonColumn::keys("u.keys")).json("roles", JsonColumn::values("u.roles"));
    assert_eq!(
        translate(&mapping, Dialect::Sqlite, r#"name.familyName eq "X""#).text,
        sqlite_at("$.\"familyName\"", "(KIND IS NOT NULL AND KIND = 'text' AND ATOM = ?1)")
    );
    assert_eq!(
        translate(&mapping, Dialect::Postgres, "name.familyName pr").text,
        postgres_at("(u.keys -> 'familyName')", "(u.keys ->> 'familyName')", PRESENT_IN_POSTGRES)
    );
    assert_eq!(
        translate(&mapping, Dialect::Postgres, r#"roles[$ref eq "X"]"#).text,
        format!(
            "EXISTS (SELECT 1 FROM jsonb_array_elements(CASE WHEN jsonb_typeof((u.roles)) = 'array' THEN \
             (u.roles) WHEN jsonb_typeof((u.roles)) IS NOT NULL THEN jsonb_build_array((u.roles)) END) AS \
             scim_e(v) WHERE jsonb_typeof(scim_e.v) <> 'null' AND ({}))",
            postgres_element("$ref", "(KIND IS NOT NULL AND KIND = 'string' AND ATOM = $1)")
        )
    );
    // One sub-attribute in a JSON column is none of the others, and not the attribute itself.
    let part = Mapping::new().json("name.familyName", JsonColumn::keys("u.keys"));
    for text in ["name.givenName pr", "name pr", r#"name[familyName eq "x"]"#] {
        let filter = Filter::parse(text).unwrap().bind(&USER, &BindOptions::default()).unwrap();
        assert_eq!(filter.to_sql(&part, Dialect::Sqlite, 1).unwrap_err().kind(), SqlErrorKind::Unmapped);
    }
    // A scalar alone in its column is the document itself, for which `->>` has no name.
    let title = Mapping::new().json("title", JsonColumn::keys("u.keys"));
    assert_eq!(
        translate(&title, Dialect::Postgres, "title pr").text,
        postgres_at("(u.keys)", "(u.keys #>> '{}')", PRESENT_IN_POSTGRES)
    );
}

#[test]
fn extensions() {
    let more = Mapping::new().document(JsonColumn::keys("u.more"));
    let mapping = document().extension(ENTERPRISE, more);
    let present = |path: &str, column: &str| sqlite_at(path, PRESENT_IN_SQLITE).replace("u.keys", column);
    for (attribute, path, column) in [
        ("userName".to_owned(), "$.\"userName\"".to_owned(), "u.keys"),
        // A document of its own.
        (format!("{ENTERPRISE}:manager.displayName"), "$.\"manager\".\"displayName\"".to_owned(), "u.more"),
        // A member of the resource.
        (format!("{SHORT}:title"), format!("$.\"{SHORT}\".\"title\""), "u.keys"),
    ] {
        let sql = translate(&mapping, Dialect::Sqlite, &format!("{attribute} pr"));
        assert_eq!(sql.text, present(&path, column));
    }
    // Without a document of the resource there is none of an extension that is not mapped.
    let mapping = Mapping::new().extension(ENTERPRISE, Mapping::new().document(JsonColumn::keys("u.more")));
    for text in ["userName pr".to_owned(), format!("{SHORT}:title pr")] {
        let filter = Filter::parse(&text).unwrap().bind(&USER, &BindOptions::default()).unwrap();
        assert_eq!(filter.to_sql(&mapping, Dialect::Sqlite, 1).unwrap_err().kind(), SqlErrorKind::Unmapped);
    }
}

#[test]
fn values_that_are_no_keys_answer_what_they_can() {
    let refused = |text: &str| {
        let values = Mapping::new().document(JsonColumn::values("u.body"));
        let filter = Filter::parse(text).unwrap().bind(&USER, &BindOptions::default()).unwrap();
        filter.to_sql(&values, Dialect::Sqlite, 1).err().map(|error| error.to_string())
    };
    for text in [r#"externalId eq "x""#, r#"meta.location sw "x""#, "userName pr", "active eq true"] {
        assert_eq!(refused(text), None, "{text}");
    }
    for (text, clause) in [
        (r#"userName eq "x""#, "userName eq"),
        // Case counts, but Base64 may come without its padding.
        (r#"photo eq "QQ==""#, "photo eq"),
        (r#"emails[type sw "x"]"#, "emails.type sw"),
        (r#"meta.lastModified gt "2011-05-13T04:42:34Z""#, "meta.lastModified gt"),
    ] {
        let message = format!("`{clause}` cannot be answered: the JSON column does not hold comparison keys");
        assert_eq!(refused(text), Some(message));
    }
}

#[test]
fn names_that_would_need_escapes_are_refused() {
    const URI: &str = "urn:example:it's";
    let schema = SchemaTable {
        uri: "urn:example",
        attributes: &[
            (AttributeInfo::new("title", Text).of_extension(URI), &[]),
            (AttributeInfo::new("name", Complex), &[AttributeInfo::new("it's", Text)]),
        ],
    };
    let filter = Filter::parse(&format!("{URI}:title eq \"x\"")).unwrap();
    let error = filter
        .bind(&schema, &BindOptions::default())
        .unwrap()
        .to_sql(&document(), Dialect::Sqlite, 1)
        .unwrap_err();
    assert_eq!((error.kind(), error.clause()), (SqlErrorKind::Name, "urn:example:it's:title eq"));
    assert_eq!(
        error.to_string(),
        "`urn:example:it's:title eq` cannot be answered: the name cannot stand in a JSON path"
    );
}
