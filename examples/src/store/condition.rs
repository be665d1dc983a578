//! A filter as a condition on rows of `resources AS r`.
//!
//! [`BoundFilter::to_sql`] translates the filter, exactly, over the tables; what it cannot translate
//! is refused. Beside it stand the look-ups that the filter implies, which find the few rows that
//! can match by an index: databases see those neither in a search through JSON nor behind an `OR`.
//! Where the look-ups are all that the filter says, they stand alone.

use std::borrow::Cow;
use std::fmt::Write as _;

use scim_core::schema::{AttributeType, ResourceSchema};
use scim_core::store::StoreError;
use scim_filter::sql::{Child, Column, Dialect, JsonColumn, Mapping, SqlError, SqlErrorKind, SqlValue};
use scim_filter::{BoundAttr, BoundExpr, BoundFilter, CompareOp, Scalar};

use super::groups::Below;
use super::keys;
use super::members::{MEMBERS, member_value};

/// A condition as SQL text with its bind values; `?1` is the tenant and `?2` the resource type.
#[derive(Clone, Debug, Default)]
pub(super) struct Sql {
    /// Whether the rows are those of a key, `?3` being its attribute and `?4` its value.
    pub(super) by_key: bool,
    /// What else is said of the rows; empty, or beginning with ` AND `.
    pub(super) text: String,
    /// The values of `?3` and on. Values reach SQL in no other way.
    pub(super) values: Vec<SqlValue>,
    /// Whether the condition looks few resources up by their keys, rather than that the type is
    /// walked through in order.
    pub(super) is_lookup: bool,
    /// The same as `text`, asked of one row after another, where PostgreSQL might begin with all members of
    /// a group.
    pub(super) each: Option<String>,
}

impl Sql {
    /// The condition that holds for exactly the matches of `filter`.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnsupportedFilter`] where it asks for more than a statement can.
    pub(super) fn of(
        schema: &ResourceSchema,
        filter: Option<&BoundFilter>,
        dialect: Dialect,
        below: Option<&Below>,
    ) -> Result<Self, StoreError> {
        let mut sql = Self::default();
        let Some(filter) = filter else {
            return Ok(sql);
        };
        if let Some(below) = below
            && let Some(groups) = below.decided(filter.expr())
        {
            sql.is_lookup = groups.is_some_and(|(_, few)| few);
            sql.text.push_str(" AND ");
            sql.push_in_groups(&below.kind, groups);
            if dialect == Dialect::Postgres && groups.is_some_and(|(_, few)| !few) {
                // What has an OFFSET is not made part of the statement around it.
                sql.each = sql.text.strip_suffix(')').map(|asked| format!("{asked} OFFSET 0)"));
            }
            return Ok(sql);
        }
        let mut terms = MAX_TERMS;
        let lookup = lookup(schema, below, filter.expr(), MAX_DEPTH, &mut terms);
        let mut is_exact = false;
        if let Some((lookup, exact)) = lookup {
            sql.push_first(lookup, dialect);
            (sql.is_lookup, is_exact) = (true, exact);
        }
        if !is_exact {
            let condition = filter.to_sql(&mapping(schema, dialect, below), dialect, sql.values.len() + 3);
            let condition = condition.map_err(|error| StoreError::UnsupportedFilter(unanswered(&error)))?;
            sql.text.push_str(" AND ");
            sql.text.push_str(&condition.text);
            sql.values.extend(condition.values);
        }
        Ok(sql)
    }

    /// The look-up that finds the rows, by a key if there is one: SQLite makes a table of what stands in
    /// an `IN`, which takes longer than to look a row up.
    fn push_first(&mut self, lookup: Lookup<'_>, dialect: Dialect) {
        let mut terms = match lookup {
            Lookup::All(terms) => terms,
            other => vec![other],
        };
        let key = terms.iter().position(|term| matches!(term, Lookup::Key(..)));
        let by_id = terms.iter().any(|term| matches!(term, Lookup::Id(_)));
        if let Some(key) = key.filter(|_| !by_id)
            && let Lookup::Key(attribute, value) = terms.remove(key)
        {
            self.by_key = true;
            self.values.push(SqlValue::Text(attribute.to_owned()));
            self.values.push(SqlValue::Text(value.into_owned()));
        }
        // Of one resource it is asked whether it is among the ids; of many each id is looked up, also by
        // PostgreSQL if it is an element of an array, where it might walk through the type for a join.
        let among = match dialect {
            Dialect::Postgres if !by_id => ("r.id = ANY (ARRAY(", "))"),
            _ => ("r.id IN (", ")"),
        };
        for term in &terms {
            self.text.push_str(" AND ");
            self.push(term, among);
        }
    }

    fn push(&mut self, lookup: &Lookup<'_>, among: (&str, &str)) {
        let (begin, end) = among;
        match lookup {
            Lookup::All(terms) => {
                for (index, term) in terms.iter().enumerate() {
                    self.text.push_str(if index == 0 { "(" } else { " AND " });
                    self.push(term, among);
                }
                self.text.push(')');
            }
            // SQLite looks a union of keys up one by one; for an `OR` of look-ups it would walk
            // through the type.
            Lookup::Any(terms) => {
                self.text.push_str(begin);
                for (index, term) in terms.iter().enumerate() {
                    self.text.push_str(if index == 0 { "" } else { " UNION ALL " });
                    self.push_ids(term, among);
                }
                self.text.push_str(end);
            }
            Lookup::Id(id) => {
                self.text.push_str("r.id = ");
                self.push_bind(id);
            }
            Lookup::Key(..) | Lookup::Member(_) | Lookup::InGroups(..) => {
                self.text.push_str(begin);
                self.push_ids(lookup, among);
                self.text.push_str(end);
            }
        }
    }

    /// The ids that a look-up finds, as a `SELECT`.
    fn push_ids(&mut self, lookup: &Lookup<'_>, among: (&str, &str)) {
        match lookup {
            Lookup::Id(id) => {
                self.text.push_str("SELECT ");
                self.push_bind(id);
            }
            Lookup::Key(attribute, value) => {
                self.text.push_str(
                    "SELECT k.id FROM resource_keys AS k \
                     WHERE k.tenant = ?1 AND k.type = ?2 AND k.attribute = ",
                );
                self.push_bind(attribute);
                self.text.push_str(" AND k.value = ");
                self.push_bind(value);
            }
            Lookup::Member(value) => {
                self.text.push_str(
                    "SELECT m.id FROM members AS m WHERE m.tenant = ?1 AND m.type = ?2 AND m.member = ",
                );
                self.push_bind(value);
            }
            Lookup::InGroups(kind, ids) => {
                self.text.push_str("SELECT m.member");
                self.push_members(kind, Some(ids));
            }
            // Several are a selection of rows by `push`, still within the tenant and type.
            Lookup::All(_) | Lookup::Any(_) => {
                self.text
                    .push_str("SELECT r.id FROM resources AS r WHERE r.tenant = ?1 AND r.type = ?2 AND ");
                self.push(lookup, among);
            }
        }
    }

    /// That the resource is a member of one of these groups, or of any.
    fn push_in_groups(&mut self, kind: &str, groups: Option<(&[String], bool)>) {
        let few = groups.is_some_and(|(_, few)| few);
        self.text.push_str(if few { "r.id IN (SELECT m.member" } else { "EXISTS (SELECT 1" });
        self.push_members(kind, groups.map(|(ids, _)| ids));
        self.text.push_str(if few { ")" } else { " AND m.member = r.id)" });
    }

    /// The rows of the members of these groups, or of any.
    fn push_members(&mut self, kind: &str, groups: Option<&[String]>) {
        self.text.push_str(" FROM members AS m WHERE m.tenant = ?1 AND m.type = ");
        self.push_bind(kind);
        for (index, group) in groups.into_iter().flatten().enumerate() {
            self.text.push_str(if index == 0 { " AND m.id IN (" } else { ", " });
            self.push_bind(group);
        }
        self.text.push_str(if groups.is_some() { ")" } else { "" });
    }

    fn push_bind(&mut self, value: &str) {
        self.values.push(SqlValue::Text(value.to_owned()));
        push_place(&mut self.text, self.values.len() + 2);
    }
}

/// What a client is told of what cannot be asked for: nothing of tables and columns.
fn unanswered(error: &SqlError) -> String {
    match error.kind() {
        SqlErrorKind::TooDeep { .. } | SqlErrorKind::TooManyValues { .. } => error.to_string(),
        _ => format!("resources are not found by `{}` here", error.clause()),
    }
}

/// The parameter of this number.
pub(super) fn push_place(text: &mut String, number: usize) {
    text.push('?');
    // To a String, nothing fails.
    let _ = write!(text, "{number}");
}

/// Where filters find the attributes: in the JSON of the resource, and of its members in theirs.
pub(super) fn mapping(schema: &ResourceSchema, dialect: Dialect, below: Option<&Below>) -> Mapping {
    let mapping = Mapping::new().document(JsonColumn::keys("r.keys"));
    let mapping = match below.and_then(|below| groups(schema, dialect, below)) {
        Some(groups) => mapping.child(GROUPS, groups),
        None => mapping,
    };
    let mapping = match schema.find(None, "id") {
        Some(id) if id.case_exact => mapping.column("id", Column::exact("r.id").not_null()),
        _ => mapping,
    };
    let Some(members) = schema.find(None, MEMBERS).filter(|_| member_value(schema).is_some()) else {
        return mapping;
    };
    let mut rows = Child::new("members AS m", "m.tenant = r.tenant AND m.type = r.type AND m.id = r.id");
    for sub in &members.sub_attributes {
        let path = [sub.name.as_str()];
        let Some(json) = Json::of("m.keys", &path) else { continue };
        let text = match sub.name.eq_ignore_ascii_case("value") {
            false => json.text(dialect),
            true => format!("COALESCE({}, m.member)", json.text(dialect)),
        };
        let column = match sub.kind {
            AttributeType::String | AttributeType::Reference if sub.case_exact => Column::exact(&text),
            AttributeType::String | AttributeType::Reference => Column::folded(&text),
            AttributeType::Boolean => Column::boolean(&json.boolean(dialect)),
            AttributeType::DateTime => Column::instant(&text),
            // A filter that names what has no column is refused.
            _ => continue,
        };
        rows = rows.column(&sub.name, column);
    }
    mapping.child(MEMBERS, rows)
}

/// The groups of a resource, by a search upwards from it that goes no further than the levels do, also
/// in circles.
///
/// Each step looks its members up by the `id` that the step before found, and each group by its own. Left to
/// choose, a database that knows nothing of its rows might for each resource walk through all members that there
/// are: SQLite takes the tables of a CROSS JOIN in this order, PostgreSQL a subquery with an OFFSET as it stands.
fn groups(schema: &ResourceSchema, dialect: Dialect, below: &Below) -> Option<Child> {
    let Below { kind, levels, exact_names, .. } = below;
    let of_members = format!("members AS m WHERE m.tenant = r.tenant AND m.type = '{kind}' AND m.member");
    let of_groups = format!("resources AS g WHERE g.tenant = r.tenant AND g.type = '{kind}' AND g.id = a.id");
    let (next, named) = match dialect {
        Dialect::Sqlite => (
            format!("up CROSS JOIN {of_members} = up.id AND up.level < {levels}"),
            format!("CROSS JOIN {}", of_groups.replace(" WHERE ", " ON ")),
        ),
        Dialect::Postgres => (
            format!(
                "up CROSS JOIN LATERAL (SELECT m.id FROM {of_members} = up.id OFFSET 0) AS m \
                 WHERE up.level < {levels}"
            ),
            format!("CROSS JOIN LATERAL (SELECT g.keys FROM {of_groups} OFFSET 0) AS g"),
        ),
    };
    let from = format!(
        "(WITH RECURSIVE up (id, level) AS (\
         SELECT m.id, 1 FROM {of_members} = r.id UNION SELECT m.id, up.level + 1 FROM {next}\
         ) SELECT up.id AS id, min(up.level) AS level FROM up GROUP BY up.id) AS a {named}"
    );
    // What has no column here is refused.
    let sub = |name: &str| schema.find(None, GROUPS).and_then(|groups| groups.sub_attribute(name));
    let mut groups = Child::new(&from, "TRUE");
    if sub("value").is_some_and(|value| value.case_exact) {
        groups = groups.column("value", Column::exact("a.id").not_null());
    }
    if sub("type").is_some() {
        let kind = "CASE WHEN a.level = 1 THEN 'direct' ELSE 'indirect' END";
        groups = groups.column("type", Column::folded(kind).not_null());
    }
    if sub("display").is_some_and(|display| display.case_exact == *exact_names) {
        let name = Json::of("g.keys", &["displayName"])?.text(dialect);
        let name = if *exact_names { Column::exact(&name) } else { Column::folded(&name) };
        groups = groups.column("display", name);
    }
    Some(groups)
}

/// A place in a JSON column.
pub(super) struct Json<'p> {
    column: &'p str,
    path: &'p [&'p str],
}

impl<'p> Json<'p> {
    /// `None` where a name needs more than quotes.
    pub(super) fn of(column: &'p str, path: &'p [&'p str]) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"$-_:./#".contains(&byte);
        path.iter().all(|name| name.bytes().all(is_plain)).then_some(Self { column, path })
    }

    /// The text there; `NULL` where there is none.
    pub(super) fn text(&self, dialect: Dialect) -> String {
        let (kind, value) = self.parts(dialect);
        match dialect {
            Dialect::Sqlite => format!("CASE {kind} WHEN 'text' THEN {value} END"),
            Dialect::Postgres => format!("CASE {kind} WHEN 'string' THEN {value} END"),
        }
    }

    /// The Boolean there; `NULL` where there is none.
    pub(super) fn boolean(&self, dialect: Dialect) -> String {
        let (kind, value) = self.parts(dialect);
        match dialect {
            Dialect::Sqlite => format!("CASE {kind} WHEN 'true' THEN 1 WHEN 'false' THEN 0 END"),
            Dialect::Postgres => format!("CASE {kind} WHEN 'boolean' THEN {value} = 'true' END"),
        }
    }

    /// Type and text of the value, in terms of SQL.
    fn parts(&self, dialect: Dialect) -> (String, String) {
        match dialect {
            Dialect::Sqlite => {
                let names: String = self.path.iter().map(|name| format!(".\"{name}\"")).collect();
                let place = format!("({}, '${names}')", self.column);
                (format!("json_type{place}"), format!("json_extract{place}"))
            }
            Dialect::Postgres => {
                let names: String = self.path.iter().map(|name| format!(" -> '{name}'")).collect();
                let value = format!("({}{names})", self.column);
                (format!("jsonb_typeof{value}"), format!("({value} #>> '{{}}')"))
            }
        }
    }
}

/// Rows that an index finds, among which every match is.
enum Lookup<'f> {
    // INVARIANT: at least one term each.
    All(Vec<Lookup<'f>>),
    Any(Vec<Lookup<'f>>),
    /// The `id`.
    Id(&'f str),
    /// One of the indexed values.
    Key(&'static str, Cow<'f, str>),
    /// The group has the member.
    Member(Cow<'f, str>),
    /// The resource is a member of one of these groups of a type.
    InGroups(&'f str, &'f [String]),
}

/// The look-up that `expr` implies, and whether it also is implied by it.
fn lookup<'f>(
    schema: &ResourceSchema,
    below: Option<&'f Below>,
    expr: BoundExpr<'f>,
    depth: usize,
    terms: &mut usize,
) -> Option<(Lookup<'f>, bool)> {
    let depth = depth.checked_sub(1)?;
    if let Some(below) = below
        && let Some(Some((ids, true))) = below.decided(expr)
    {
        *terms = terms.checked_sub(1)?;
        return Some((Lookup::InGroups(&below.kind, ids), true));
    }
    match expr {
        BoundExpr::And(all) => {
            let mut exact = true;
            let mut known = Vec::new();
            for term in all {
                match lookup(schema, below, term.expr(), depth, terms) {
                    Some((lookup, is_exact)) => {
                        known.push(lookup);
                        exact &= is_exact;
                    }
                    None => exact = false,
                }
            }
            (!known.is_empty()).then_some((Lookup::All(known), exact))
        }
        BoundExpr::Or(any) => {
            let known: Vec<_> =
                any.map(|term| lookup(schema, below, term.expr(), depth, terms)).collect::<Option<_>>()?;
            let exact = known.iter().all(|(_, exact)| *exact);
            Some((Lookup::Any(known.into_iter().map(|(lookup, _)| lookup).collect()), exact))
        }
        BoundExpr::Compare(attr, CompareOp::Eq, Scalar::String(text)) => {
            *terms = terms.checked_sub(1)?;
            if attr.sub.as_ref().is_some_and(|sub| !sub.matches("value")) {
                return None;
            }
            equals(schema, attr, text)
        }
        BoundExpr::ValuePath(attr, term) => value_path(schema, attr, term.expr(), terms),
        BoundExpr::Not(_) | BoundExpr::Compare(..) | BoundExpr::Present(_) => None,
    }
}

/// `attr[value eq "…"]`, alone or with more.
fn value_path<'f>(
    schema: &ResourceSchema,
    attr: &'f BoundAttr,
    inner: BoundExpr<'f>,
    terms: &mut usize,
) -> Option<(Lookup<'f>, bool)> {
    match inner {
        BoundExpr::Compare(sub, CompareOp::Eq, Scalar::String(text)) if sub.name.matches("value") => {
            *terms = terms.checked_sub(1)?;
            equals(schema, attr, text)
        }
        BoundExpr::And(mut all) => {
            let found = all.find_map(|term| match term.expr() {
                BoundExpr::Compare(..) => value_path(schema, attr, term.expr(), terms),
                _ => None,
            });
            found.map(|(lookup, _)| (lookup, false))
        }
        _ => None,
    }
}

/// The resource, or one of its values of `attr`, is `text`; and whether it is that of all that is found.
fn equals<'f>(schema: &ResourceSchema, attr: &BoundAttr, text: &'f str) -> Option<(Lookup<'f>, bool)> {
    if is(attr, "id") {
        return attr.case_exact.then_some((Lookup::Id(text), true));
    }
    if is(attr, MEMBERS) {
        return Some((Lookup::Member(keys::key(member_value(schema)?, text)), true));
    }
    let name = keys::INDEXED.into_iter().find(|name| is(attr, name))?;
    let key = keys::found_by(schema, name, text)?;
    let is_exact = !keys::may_be_beginning(&key);
    Some((Lookup::Key(name, key), is_exact))
}

fn is(attr: &BoundAttr, name: &str) -> bool {
    attr.extension.is_none() && attr.name.matches(name)
}

/// The attribute that is found by the members of groups.
const GROUPS: &str = "groups";
/// Deeper nesting is not searched for look-ups; no identity provider sends half of this.
const MAX_DEPTH: usize = 16;
/// With more comparisons the type is walked through. SQLite takes 500 terms of a `UNION ALL`.
const MAX_TERMS: usize = 200;
