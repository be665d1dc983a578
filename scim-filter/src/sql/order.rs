//! `ORDER BY` for `sortBy`, and the conditions with which cursors go on.

use super::mapping::{Column, ColumnKind, Mapping, Place};
use super::writer::Writer;
use super::{Dialect, Sql, SqlError, SqlErrorKind, SqlValue, leaf};
use crate::BoundAttr;

/// The `sortOrder` (RFC 7644 §3.4.2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortDirection {
    /// Least first; what has no value is last.
    #[default]
    Ascending,
    /// Greatest first; what has no value is first.
    Descending,
}

/// The order of a list: by a column, and where that is equal by the `id`, so that it is total and
/// a cursor can name a place in it. The page before a place is the page behind it in the other
/// direction.
///
/// ```
/// use scim_filter::AttributeType::String;
/// use scim_filter::sql::{Column, Dialect, Mapping, Sort, SortDirection, SqlValue};
/// use scim_filter::{AttributeInfo, BindOptions, BoundExpr, Filter, SchemaTable};
///
/// let schema = SchemaTable {
///     uri: "urn:ietf:params:scim:schemas:core:2.0:User",
///     attributes: &[(AttributeInfo::new("userName", String), &[])],
/// };
/// let users = Mapping::new().column("userName", Column::folded("u.user_name_key").not_null());
/// let id = Column::exact("u.id").not_null();
///
/// // A `sortBy` names an attribute as a filter does.
/// let sort_by = Filter::parse("userName pr")?.bind(&schema, &BindOptions::default())?;
/// let BoundExpr::Present(attr) = sort_by.expr() else { unreachable!() };
/// let sort = Sort::by(attr, SortDirection::Ascending, &users, &id)?;
/// assert_eq!(sort.order_by(Dialect::Sqlite), "u.user_name_key ASC, u.id ASC");
///
/// // The place behind the last row of a page: its sort key and its id.
/// let last = Some(SqlValue::Text("bjensen".into()));
/// let next = sort.after(last, SqlValue::Text("2819c223".into()), Dialect::Sqlite, 1);
/// assert_eq!(next.text, "((u.user_name_key, u.id) > (?1, ?2))");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sort {
    // Of text that is cut, the expression cuts it.
    column: Column,
    id: Column,
    direction: SortDirection,
}

impl Sort {
    /// By the column of `attr`; if it has many values, by that of the primary row, or else of the
    /// first. The column of `id` is never `NULL` and different in each row.
    ///
    /// # Errors
    ///
    /// When the attribute is mapped neither to a column nor to a child table whose rows are
    /// [in an order](super::Child::in_order).
    pub fn by(
        attr: &BoundAttr,
        direction: SortDirection,
        mapping: &Mapping,
        id: &Column,
    ) -> Result<Self, SqlError> {
        let column = match mapping.place(attr) {
            Ok(Place::Column(column)) => Ok(column.clone()),
            Ok(Place::Child(child, Some(column))) => child.sort_key(column).ok_or(SqlErrorKind::NotSortable),
            Ok(_) => Err(SqlErrorKind::NotSortable),
            Err(kind) => Err(kind),
        };
        let column = column.map_err(|kind| SqlError::of(kind, None, attr, ""))?;
        column.kind.fits(attr.collation()).map_err(|kind| SqlError::of(kind, None, attr, ""))?;
        Ok(Self { column, id: id.clone(), direction })
    }

    /// The same by the first so many characters of a text, for a column without a limit of its own: the
    /// place in a list goes into a URL, and must tell by itself what comes behind it. Texts that begin
    /// alike are then in the order of `id`. An order of any other type stays what it is.
    ///
    /// An index serves such an order if it is one on `substr(column, 1, characters)`.
    ///
    /// ```
    /// # use scim_filter::AttributeType::String;
    /// # use scim_filter::sql::{Column, Dialect, Mapping, Sort, SortDirection};
    /// # use scim_filter::{AttributeInfo, BindOptions, BoundExpr, Filter, SchemaTable};
    /// # let schema = SchemaTable { uri: "urn:example", attributes: &[(AttributeInfo::new("title", String), &[])] };
    /// # let sort_by = Filter::parse("title pr")?.bind(&schema, &BindOptions::default())?;
    /// # let BoundExpr::Present(attr) = sort_by.expr() else { unreachable!() };
    /// let users = Mapping::new().column("title", Column::folded("u.title_key").not_null());
    /// let id = Column::exact("u.id").not_null();
    /// let sort = Sort::by(attr, SortDirection::Ascending, &users, &id)?.up_to(128);
    /// assert_eq!(sort.order_by(Dialect::Sqlite), "substr(u.title_key, 1, 128) ASC, u.id ASC");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn up_to(mut self, characters: u32) -> Self {
        if matches!(self.column.kind, ColumnKind::Exact | ColumnKind::Folded | ColumnKind::Base64) {
            self.column.expression = format!("substr({}, 1, {characters})", self.column.expression).into();
        }
        self
    }

    /// What stands behind `ORDER BY`.
    pub fn order_by(&self, dialect: Dialect) -> String {
        let (key, id) = (in_order(dialect, &self.column), in_order(dialect, &self.id));
        let (direction, nulls) = match self.direction {
            SortDirection::Ascending => ("ASC", "LAST"),
            SortDirection::Descending => ("DESC", "FIRST"),
        };
        if self.column.not_null {
            format!("{key} {direction}, {id} {direction}")
        } else {
            format!("{key} {direction} NULLS {nulls}, {id} {direction}")
        }
    }

    /// The sort key of a row, for `SELECT`: what [`after`](Self::after) takes back. Text, or a
    /// number or Boolean as the column has; of a `TIMESTAMPTZ`, `UUID` or `NUMERIC` it is text.
    pub fn key_expression(&self) -> String {
        key_of(&self.column)
    }

    /// The `id` of a row, for `SELECT`, as [`after`](Self::after) takes it back.
    pub fn id_expression(&self) -> String {
        key_of(&self.id)
    }

    /// The condition that a row comes behind the one with this sort key (`None` for `NULL`) and
    /// `id`; its parameters are numbered from `first_parameter` on.
    pub fn after(
        &self,
        key: Option<SqlValue>,
        id: SqlValue,
        dialect: Dialect,
        first_parameter: usize,
    ) -> Sql {
        let mut writer = Writer::new(dialect, first_parameter);
        let null = &self.column.expression;
        let (column, id_column) = (in_order(dialect, &self.column), in_order(dialect, &self.id));
        let operator = match self.direction {
            SortDirection::Ascending => ">",
            SortDirection::Descending => "<",
        };
        let text = match key {
            Some(key) => {
                let (key, id) = (cast(&self.column, writer.bind(key)), cast(&self.id, writer.bind(id)));
                let behind = format!("({column}, {id_column}) {operator} ({key}, {id})");
                match self.direction {
                    _ if self.column.not_null => format!("({behind})"),
                    SortDirection::Ascending => format!("({null} IS NULL OR {behind})"),
                    SortDirection::Descending => format!("({null} IS NOT NULL AND {behind})"),
                }
            }
            None => {
                let id = cast(&self.id, writer.bind(id));
                match self.direction {
                    SortDirection::Ascending => format!("({null} IS NULL AND {id_column} > {id})"),
                    SortDirection::Descending => format!("({null} IS NOT NULL OR {id_column} < {id})"),
                }
            }
        };
        writer.push(&text);
        writer.into_sql()
    }
}

fn in_order(dialect: Dialect, column: &Column) -> String {
    match column.kind {
        ColumnKind::Exact
        | ColumnKind::Folded
        | ColumnKind::Base64
        | ColumnKind::InstantKey
        | ColumnKind::Rfc3339(_) => leaf::collated(dialect, &column.expression),
        _ => column.expression.to_string(),
    }
}

fn key_of(column: &Column) -> String {
    match column.kind {
        ColumnKind::Timestamp | ColumnKind::Uuid | ColumnKind::Decimal => {
            format!("CAST({} AS text)", column.expression)
        }
        _ => column.expression.to_string(),
    }
}

fn cast(column: &Column, parameter: String) -> String {
    match column.kind {
        ColumnKind::Timestamp => format!("CAST({parameter}::text AS timestamptz)"),
        ColumnKind::Uuid => format!("CAST({parameter}::text AS uuid)"),
        ColumnKind::Decimal => format!("CAST({parameter}::text AS numeric)"),
        _ => parameter,
    }
}
