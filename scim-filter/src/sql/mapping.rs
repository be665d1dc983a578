//! Where the attributes are.

use super::writer::Writer;
use super::{SqlError, SqlErrorKind, json};
use crate::compare::Collation;
use crate::{AttrName, AttributeType, BoundAttr};

/// Where the attributes of a resource type are in the embedder's tables.
///
/// A condition is about one row of a table that the embedder's statement names (`FROM users AS u`);
/// the expressions given here refer to it. They are SQL and stand in the text as they are: never
/// make them of what clients send.
///
/// Paths are `name` or `name.subAttribute`; those of an extension are given by [`extension`](Self::extension).
///
/// [`check`](Self::check) finds paths that a schema does not define.
///
/// In JSON an object without members is a value, of which `name[familyName ne "x"]` holds. Columns
/// cannot tell one from an attribute that is not there, and take it for that.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    pub(super) entries: Vec<Entry>,
    pub(super) documents: Vec<(Option<AttrName>, JsonColumn)>,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) extension: Option<AttrName>,
    pub(super) name: AttrName,
    pub(super) sub: Option<AttrName>,
    pub(super) source: Source,
}

#[derive(Clone, Debug)]
pub(super) enum Source {
    Column(Column),
    Child(Child),
    Json(JsonColumn),
}

impl Mapping {
    /// A mapping of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The attribute or sub-attribute `path` is in a column of the row.
    ///
    /// A single-valued complex attribute is there if any of the columns of its sub-attributes is
    /// not `NULL`; a multi-valued one that is mapped so has one such value at most. So map all of its
    /// sub-attributes, or some and the rest in a [`document`](Self::document), which then says whether
    /// it is there.
    pub fn column(self, path: &str, column: Column) -> Self {
        self.with(path, Source::Column(column))
    }

    /// The values of the attribute `name` are rows of another table.
    pub fn child(self, name: &str, child: Child) -> Self {
        self.with(name, Source::Child(child))
    }

    /// The attribute `name` is, whole, a JSON column of its own.
    pub fn json(self, name: &str, json: JsonColumn) -> Self {
        self.with(name, Source::Json(json))
    }

    /// What is not mapped otherwise is in a JSON column that holds the resource: all of it, what is
    /// mapped to columns included. Of a complex attribute that has columns for sub-attributes,
    /// presence (`name pr`) and the values that a value path is about are looked up here.
    pub fn document(mut self, json: JsonColumn) -> Self {
        self.documents.push((None, json));
        self
    }

    /// Where the attributes of the extension `uri` are.
    pub fn extension(mut self, uri: &str, attributes: Mapping) -> Self {
        let uri = AttrName::new(uri);
        self.entries.extend(
            attributes.entries.into_iter().map(|entry| Entry { extension: Some(uri.clone()), ..entry }),
        );
        self.documents.extend(attributes.documents.into_iter().map(|(_, json)| (Some(uri.clone()), json)));
        self
    }

    fn with(mut self, path: &str, source: Source) -> Self {
        let (name, sub) = match path.split_once('.') {
            Some((name, sub)) => (name, Some(AttrName::new(sub))),
            None => (path, None),
        };
        self.entries.push(Entry { extension: None, name: AttrName::new(name), sub, source });
        self
    }

    fn of<'m>(&'m self, attr: &BoundAttr) -> impl Iterator<Item = &'m Entry> {
        let (extension, name) = (attr.extension.clone(), attr.name.clone());
        self.entries.iter().filter(move |entry| entry.extension == extension && entry.name == name)
    }

    /// Where an attribute outside of brackets is.
    pub(super) fn place(&self, attr: &BoundAttr) -> Result<Place<'_>, SqlErrorKind> {
        for Entry { sub, source, .. } in self.of(attr) {
            match source {
                Source::Column(column) if *sub == attr.sub => return Ok(Place::Column(column)),
                Source::Child(child) => {
                    return Ok(match &attr.sub {
                        None if attr.kind == AttributeType::Complex => Place::Child(child, None),
                        None => Place::Child(child, Some(child.find("value")?)),
                        Some(sub) => Place::Child(child, Some(child.find(sub.as_str())?)),
                    });
                }
                Source::Json(json) if sub.is_none() => return Ok(Place::Json(json.at(&[])?)),
                _ => {}
            }
        }
        let columns = self.columns(attr);
        match self.in_document(attr) {
            // A document knows of sub-attributes that are in no column.
            Err(SqlErrorKind::Unmapped)
                if attr.sub.is_none() && attr.kind == AttributeType::Complex && !columns.is_empty() =>
            {
                Ok(Place::Columns(columns.into_iter().map(|(_, column)| column).collect()))
            }
            document => document.map(Place::Json),
        }
    }

    /// Begins the condition on the values of `attr`, and says where the sub-attributes are.
    pub(super) fn values(&self, attr: &BoundAttr, writer: &mut Writer) -> Result<Values<'_>, SqlError> {
        let refuse = |kind| SqlError::of(kind, None, attr, "[]");
        for Entry { sub, source, .. } in self.of(attr) {
            match source {
                Source::Child(child) => {
                    child.begin(writer);
                    return Ok(Values::Child(child));
                }
                Source::Json(json) if sub.is_none() => {
                    json::begin_value(writer, &json.at(&[]).map_err(refuse)?);
                    return Ok(Values::Json { keyed: json.keyed, columns: Vec::new() });
                }
                _ => {}
            }
        }
        let mut columns = self.columns(attr);
        let document = self.in_document(attr);
        let is_whole = columns.iter().any(|(sub, _)| sub.is_none());
        if is_whole || !columns.is_empty() && matches!(document, Err(SqlErrorKind::Unmapped)) {
            writer.push("((");
            for (index, (_, column)) in columns.iter().enumerate() {
                writer.push(if index == 0 { "" } else { " OR " });
                writer.push(&format!("{} IS NOT NULL", column.expression));
            }
            writer.push(") AND (");
            return Ok(Values::Columns(columns));
        }
        let document = document.map_err(refuse)?;
        json::begin_value(writer, &document);
        if attr.multi_valued {
            // A column of the row is not about one of several elements.
            columns.clear();
        }
        Ok(Values::Json { keyed: document.keyed, columns })
    }

    fn columns(&self, attr: &BoundAttr) -> Vec<Mapped<'_>> {
        self.of(attr)
            .filter_map(|entry| match &entry.source {
                Source::Column(column) => Some((entry.sub.as_ref(), column)),
                _ => None,
            })
            .collect()
    }

    fn in_document(&self, attr: &BoundAttr) -> Result<json::Document, SqlErrorKind> {
        let found = |of: &Option<AttrName>| self.documents.iter().find(|(extension, _)| extension == of);
        if let (Some(_), Some((_, json))) = (&attr.extension, found(&attr.extension)) {
            return json.at(&[&attr.name]);
        }
        let Some((_, json)) = found(&None) else { return Err(SqlErrorKind::Unmapped) };
        match &attr.extension {
            None => json.at(&[&attr.name]),
            Some(extension) => json.at(&[extension, &attr.name]),
        }
    }
}

/// Where a leaf finds its value.
pub(super) enum Place<'m> {
    Column(&'m Column),
    /// The columns of a complex attribute, which is tested for presence.
    Columns(Vec<&'m Column>),
    /// A column of the child; without one the child's rows are tested for presence.
    Child(&'m Child, Option<&'m Column>),
    /// An attribute in JSON.
    Json(json::Document),
    /// A sub-attribute of the element that a value path is about.
    Element {
        keyed: bool,
    },
}

/// Where the sub-attributes of a value path are.
pub(super) enum Values<'m> {
    Columns(Vec<Mapped<'m>>),
    Child(&'m Child),
    /// Elements, but for the sub-attributes of a single one that have columns.
    Json {
        keyed: bool,
        columns: Vec<Mapped<'m>>,
    },
}

/// The column of a sub-attribute, or of the attribute itself as its `value`.
type Mapped<'m> = (Option<&'m AttrName>, &'m Column);

impl<'m> Values<'m> {
    pub(super) fn place(&self, attr: &BoundAttr) -> Result<Place<'m>, SqlErrorKind> {
        let find = |columns: &[Mapped<'m>]| {
            let is_it = |(sub, _): &&Mapped<'_>| match sub {
                Some(sub) => **sub == attr.name,
                None => attr.name.matches("value"),
            };
            columns.iter().find(is_it).map(|(_, column)| Place::Column(column))
        };
        match self {
            Self::Columns(columns) => find(columns).ok_or(SqlErrorKind::Unmapped),
            Self::Child(child) => Ok(Place::Column(child.find(attr.name.as_str())?)),
            Self::Json { keyed, columns } => Ok(find(columns).unwrap_or(Place::Element { keyed: *keyed })),
        }
    }
}

/// A column, or any expression of SQL, that holds a value.
///
/// Where there is no value it is `NULL`. It holds nothing that its attribute's type does not allow.
#[derive(Clone, Debug)]
pub struct Column {
    pub(super) expression: Box<str>,
    pub(super) kind: ColumnKind,
    pub(super) not_null: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnKind {
    Exact,
    Folded,
    Base64,
    Boolean,
    Integer,
    Float,
    Decimal,
    Uuid,
    InstantKey,
    Rfc3339(u32),
    UnixTime(u32),
    Timestamp,
}

impl ColumnKind {
    /// Whether such a column holds what is comparable as `collation` says.
    pub(super) fn fits(self, collation: Collation) -> Result<(), SqlErrorKind> {
        use AttributeType::{Binary, Boolean, DateTime, Decimal, Integer, Reference, String};
        match (collation.kind, self) {
            (String | Reference, Self::Exact) if !collation.case_exact => Err(SqlErrorKind::NotFolded),
            (String | Reference, Self::Folded) if collation.case_exact => Err(SqlErrorKind::NotExact),
            (String | Reference, Self::Exact | Self::Folded | Self::Uuid)
            | (Binary, Self::Base64)
            | (Boolean, Self::Boolean)
            | (Integer | Decimal, Self::Integer | Self::Float | Self::Decimal)
            | (DateTime, Self::InstantKey | Self::Rfc3339(_) | Self::UnixTime(_) | Self::Timestamp) => Ok(()),
            _ => Err(SqlErrorKind::WrongType),
        }
    }
}

impl Column {
    /// Text as it is, of a `caseExact` attribute.
    pub fn exact(expression: &str) -> Self {
        Self::new(expression, ColumnKind::Exact)
    }

    /// Text case-folded by [`fold`](crate::compare::fold), of an attribute that is not `caseExact`.
    pub fn folded(expression: &str) -> Self {
        Self::new(expression, ColumnKind::Folded)
    }

    /// Base64 text without the padding at its end, of a binary attribute.
    pub fn base64(expression: &str) -> Self {
        Self::new(expression, ColumnKind::Base64)
    }

    /// A Boolean; in SQLite 0 or 1.
    pub fn boolean(expression: &str) -> Self {
        Self::new(expression, ColumnKind::Boolean)
    }

    /// An integer of 64 bits with a sign, of an integer or decimal attribute.
    pub fn integer(expression: &str) -> Self {
        Self::new(expression, ColumnKind::Integer)
    }

    /// A `DOUBLE PRECISION` (in SQLite `REAL`) that is a number, of an integer or decimal attribute.
    pub fn float(expression: &str) -> Self {
        Self::new(expression, ColumnKind::Float)
    }

    /// A PostgreSQL `NUMERIC` of at most 15 significant digits, or an integer of at most 64 bits; of an
    /// integer or decimal attribute.
    ///
    /// A literal is an integer of 64 bits or the nearest binary64, as is what
    /// [`matches`](crate::BoundFilter::matches) compares it with, and 15 digits are what a binary64 tells
    /// apart. A column of more would have to equal the literal exactly where the evaluator rounds both.
    pub fn decimal(expression: &str) -> Self {
        Self::new(expression, ColumnKind::Decimal)
    }

    /// A PostgreSQL `UUID`, of a string attribute; it is compared as one, so that `eq` takes its index.
    pub fn uuid(expression: &str) -> Self {
        Self::new(expression, ColumnKind::Uuid)
    }

    /// Text made by [`key`](super::key()), of a dateTime attribute; exact to every digit.
    pub fn instant(expression: &str) -> Self {
        Self::new(expression, ColumnKind::InstantKey)
    }

    /// Text such as `2011-05-13T04:42:34.000Z`: RFC 3339 in UTC, always with as many digits behind
    /// the point (no point if 0; at most 9), in the years 0000 to 9999.
    pub fn rfc3339(expression: &str, digits: u32) -> Self {
        Self::new(expression, ColumnKind::Rfc3339(digits.min(9)))
    }

    /// A Unix time as an integer: seconds with `digits` 0, milliseconds with 3, up to 9.
    pub fn unix_time(expression: &str, digits: u32) -> Self {
        Self::new(expression, ColumnKind::UnixTime(digits.min(9)))
    }

    /// A PostgreSQL `TIMESTAMPTZ`.
    pub fn timestamp(expression: &str) -> Self {
        Self::new(expression, ColumnKind::Timestamp)
    }

    /// The column is never `NULL`, which makes for shorter conditions.
    pub fn not_null(self) -> Self {
        Self { not_null: true, ..self }
    }

    fn new(expression: &str, kind: ColumnKind) -> Self {
        Self { expression: operand(expression), kind, not_null: false }
    }
}

/// `expression` so that operators can stand beside it.
fn operand(expression: &str) -> Box<str> {
    let plain = expression.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.\"".contains(&byte));
    if plain { expression.into() } else { format!("({expression})").into() }
}

/// A table with a row for each value of a multi-valued attribute; `null` is no value and has none.
///
/// The values of an attribute that is not complex are its `value` column. Map every sub-attribute:
/// a value counts as present (`emails pr`) if any mapped column of its row does.
#[derive(Clone, Debug)]
pub struct Child {
    from: Box<str>,
    join: Box<str>,
    pub(super) columns: Vec<(AttrName, Column)>,
    order: Option<Box<str>>,
}

impl Child {
    /// The rows of `from` (`emails AS e`) for which `join` holds (`e.user_id = u.id`).
    pub fn new(from: &str, join: &str) -> Self {
        Self { from: from.into(), join: join.into(), columns: Vec::new(), order: None }
    }

    /// The sub-attribute `name` is in a column of the row.
    pub fn column(mut self, name: &str, column: Column) -> Self {
        self.columns.push((AttrName::new(name), column));
        self
    }

    /// The rows of a resource stand in the order of this expression (`e.position`). Then a
    /// [`Sort`](super::Sort) can be by the first of them, or rather by the one whose `primary` is true.
    pub fn in_order(self, expression: &str) -> Self {
        Self { order: Some(operand(expression)), ..self }
    }

    /// The value by which resources are sorted: of the primary row, or else of the first (RFC 7644
    /// §3.4.2.3).
    pub(super) fn sort_key(&self, column: &Column) -> Option<Column> {
        let Self { from, join, order, .. } = self;
        let order = order.as_deref()?;
        let primary = match self.find("primary") {
            Ok(Column { expression, kind: ColumnKind::Boolean, .. }) => {
                format!("({expression} IS NOT NULL AND {expression}) DESC, ")
            }
            _ => String::new(),
        };
        let key = &column.expression;
        let value = format!("(SELECT {key} FROM {from} WHERE ({join}) ORDER BY {primary}{order} LIMIT 1)");
        Some(Column { expression: value.into(), kind: column.kind, not_null: false })
    }

    fn find(&self, name: &str) -> Result<&Column, SqlErrorKind> {
        let found = self.columns.iter().find(|(sub, _)| sub.matches(name));
        found.map(|(_, column)| column).ok_or(SqlErrorKind::Unmapped)
    }

    pub(super) fn columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().map(|(_, column)| column)
    }

    /// Begins a condition on a row, which two parentheses end.
    pub(super) fn begin(&self, writer: &mut Writer) {
        let exists = writer.exists();
        writer.push(&format!("{exists} (SELECT 1 FROM {} WHERE ({}) AND (", self.from, self.join));
    }
}

/// A column of JSON: in SQLite JSON text, in PostgreSQL `JSONB`.
///
/// Names in it are spelt as the schema spells them, single-valued attributes are no arrays, and
/// what the schema calls complex are objects. Numbers are integers of 64 bits, with or
/// without a sign, or floats.
#[derive(Clone, Debug)]
pub struct JsonColumn {
    expression: Box<str>,
    pub(super) keyed: bool,
}

impl JsonColumn {
    /// JSON whose strings are comparison keys, as [`key_document`](super::key_document) makes it.
    pub fn keys(expression: &str) -> Self {
        Self { expression: operand(expression), keyed: true }
    }

    /// JSON whose strings are the values. Answers presence, numbers, Booleans and `caseExact` strings.
    pub fn values(expression: &str) -> Self {
        Self { expression: operand(expression), keyed: false }
    }

    fn at(&self, names: &[&AttrName]) -> Result<json::Document, SqlErrorKind> {
        let mut document = json::Document::new(&self.expression, self.keyed);
        for name in names {
            document.enter(name)?;
        }
        Ok(document)
    }
}
