//! The orders that the database puts rows in, and walking through resources in them.
//!
//! Those of creation, of `id` and of the indexed attributes are read off an index. By another
//! attribute of one value the database sorts; by what is left, `query.rs` ranks in memory.
//!
//! A text counts by its beginning, as sort keys have it: the index holds of one that is longer a row
//! with the beginning beside the one that it is looked up by.
//!
//! A walk goes on from a place by its key and id, so that a page deep in a list costs what the
//! first does, and nothing is met twice or missed when others write between two pages.

use std::borrow::Cow;
use std::fmt::Write as _;

use scim_core::query::{Place, Query};
use scim_core::schema::{AttributeType, ResourceSchema};
use scim_core::sort::{Sort, SortKey, SortOrder};
use scim_core::store::{Scope, StoreError};
use scim_filter::compare::{Collation, Instant};
use scim_filter::sql::{self, Dialect};
use scim_filter::{AttrName, BoundAttr};

use super::condition::{Json, Sql};
use super::database::Statement;
use super::keys;
use super::members::{self, MEMBERS, member_value};

/// An order that the database has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// That of creation.
    Created,
    /// By `id`.
    Id,
    /// By an indexed attribute of one value.
    Key {
        /// Its name in `resource_keys`.
        attribute: &'static str,
        /// Whether the schema has every resource have it, so that there is no part without.
        required: bool,
    },
    /// By a value in the JSON of comparison keys.
    Value {
        /// The expression of it as text.
        text: String,
        kind: AttributeType,
    },
}

/// A row of a list, its columns in this order.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) seq: i64,
    pub(super) id: String,
    /// The sort key, where the order is by one.
    pub(super) value: Option<String>,
    pub(super) body: String,
    /// The groups that have it as a member, where they were asked for: an array of id and body of each.
    pub(super) groups: Option<String>,
}

/// The columns of a row.
type Columns = (i64, String, Option<String>, String, Option<String>);

impl From<Columns> for Row {
    fn from((seq, id, value, body, groups): Columns) -> Self {
        Self { seq, id, value, body, groups }
    }
}

impl<'r, R: sqlx::Row> sqlx::FromRow<'r, R> for Row
where
    Columns: sqlx::FromRow<'r, R>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        Columns::from_row(row).map(Self::from)
    }
}

impl TryFrom<&rusqlite::Row<'_>> for Row {
    type Error = rusqlite::Error;

    fn try_from(row: &rusqlite::Row<'_>) -> Result<Self, rusqlite::Error> {
        Columns::try_from(row).map(Self::from)
    }
}

impl Order {
    /// The order of a list; `None` where the database has none that is the same.
    pub(super) fn of(
        schema: &ResourceSchema,
        sort: Option<&Sort>,
        dialect: Dialect,
    ) -> Result<Option<Self>, StoreError> {
        let Some(by) = sort.map(Sort::by) else { return Ok(Some(Self::Created)) };
        if by.extension.is_some() {
            return Ok(Self::of_value(by, dialect));
        }
        if by.name.matches(MEMBERS) && member_value(schema).is_some() {
            // The first member of each group would have to be looked for among all of its members.
            return Err(StoreError::UnsupportedSort(format!("`{MEMBERS}` has no order")));
        }
        if by.name.matches("id") {
            return Ok(Some(Self::Id));
        }
        let indexed = keys::INDEXED.into_iter().find(|name| by.name.matches(name));
        let usable = by.sub.is_none() && !by.multi_valued;
        let is_indexed =
            |name: &&str| keys::is_sorted_by(schema, name) && keys::indexed(schema, name).is_some();
        let indexed = indexed.filter(|name| usable && is_indexed(name));
        Ok(match indexed {
            Some(attribute) => {
                let required = schema.find(None, attribute).is_some_and(|attribute| attribute.required);
                Some(Self::Key { attribute, required })
            }
            None => Self::of_value(by, dialect),
        })
    }

    fn of_value(by: &BoundAttr, dialect: Dialect) -> Option<Self> {
        let extension = by.extension.as_ref().map(AttrName::as_str);
        let path: Vec<&str> = extension
            .into_iter()
            .chain([by.name.as_str()])
            .chain(by.sub.as_ref().map(AttrName::as_str))
            .collect();
        let json = Json::of("r.keys", &path).filter(|_| !by.multi_valued)?;
        let text = match by.kind {
            AttributeType::String | AttributeType::Reference | AttributeType::Binary => {
                format!("substr({}, 1, {})", json.text(dialect), SortKey::LONGEST)
            }
            AttributeType::DateTime if by.extension.is_none() && by.name.matches(META) => json.text(dialect),
            AttributeType::DateTime => to_the_nanosecond(&json.text(dialect)),
            AttributeType::Boolean => format!("CAST(CAST({} AS INTEGER) AS TEXT)", json.boolean(dialect)),
            _ => return None,
        };
        let text = match dialect {
            Dialect::Sqlite => format!("({text})"),
            Dialect::Postgres => format!("(({text}) COLLATE \"C\")"),
        };
        Some(Self::Value { text, kind: by.kind })
    }

    /// Where a row of a walk in this order is.
    pub(super) fn place(&self, row: &Row) -> Place {
        let text = |text: &str| SortKey::Text(text.into());
        let key = match self {
            Self::Created => return Place::Own(row.seq.to_string().into()),
            Self::Id => Some(text(&row.id)),
            Self::Key { .. } => row.value.as_deref().map(text),
            Self::Value { kind, .. } => row.value.as_deref().and_then(|text| sort_key(*kind, text)),
        };
        Place::Sorted(key, row.id.as_str().into())
    }
}

/// The text of an instant without the digits that do not count. Years of other than four digits have
/// seven characters more.
fn to_the_nanosecond(text: &str) -> String {
    format!("substr({text}, 1, CASE WHEN substr({text}, 1, 1) IN ('~', '!') THEN 36 ELSE 29 END)")
}

/// The sort key that stands in the database as `text`.
fn sort_key(kind: AttributeType, text: &str) -> Option<SortKey> {
    Some(match kind {
        AttributeType::Boolean => SortKey::Boolean(text == "1"),
        AttributeType::DateTime => {
            // Years that have not four digits begin with what sorts behind or before them.
            let text = match (text.strip_prefix('~'), text.strip_prefix('!')) {
                (Some(text), _) => format!("{}Z", text.trim_start_matches('0')),
                (None, Some(text)) => {
                    let (year, rest) = text.split_at_checked(10)?;
                    let year = 1_000_000_000 - year.parse::<i64>().ok()?;
                    format!("-{year:04}{rest}Z")
                }
                (None, None) => format!("{text}Z"),
            };
            let seconds = Instant::parse(&text)?.unix_seconds();
            // As it is, also where it was cut behind a zero.
            let fraction = text.trim_end_matches('Z').split_once('.').map_or("", |(_, fraction)| fraction);
            SortKey::Instant { seconds, fraction: fraction.into() }
        }
        _ => SortKey::Text(text.into()),
    })
}

/// The text that stands in the database for a sort key.
fn column_text(kind: AttributeType, key: &SortKey) -> Option<String> {
    match (kind, key) {
        (AttributeType::Boolean, SortKey::Boolean(value)) => Some(i32::from(*value).to_string()),
        (AttributeType::DateTime, SortKey::Instant { seconds, fraction }) => {
            let collation = Collation { kind, case_exact: true };
            let seconds = sql::key(collation, &format!("{}Z", rfc3339(*seconds))).map(Cow::into_owned)?;
            // A fraction that was cut may end with zeros.
            let point = if fraction.is_empty() { "" } else { "." };
            Some(format!("{seconds}{point}{fraction}"))
        }
        (_, SortKey::Text(text)) => Some(text.to_string()),
        _ => None,
    }
}

/// Seconds since 1970 as a date and a time, in the Gregorian calendar.
fn rfc3339(seconds: i64) -> String {
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Years that begin in March, of which the leap day is the last, in cycles of 400 from 0000.
    let days = days + 719_468;
    let (cycle, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = cycle * 400 + year + next;
    let sign = if year < 0 { "-" } else { "" };
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{sign}{:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}", year.abs())
}

/// A part of a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Created,
    Id,
    /// The resources that have the attribute.
    With(&'static str),
    /// Those that have not, by `id`.
    Without(&'static str),
    /// The resources that have the value.
    Having(String, AttributeType),
    /// Those that have not, by `id`.
    Lacking(String),
}

/// A place in a part.
#[derive(Debug)]
enum Bound {
    Number(i64),
    Id(String),
    Key(String, String),
}

/// A walk through the resources of a list in its order, or against it.
#[derive(Debug)]
pub(super) struct Walk {
    // What is left, in the order of the walk.
    parts: Vec<Part>,
    reversed: bool,
    behind: Option<Bound>,
}

impl Walk {
    /// The walk that `query` asks for.
    pub(super) fn new(order: &Order, query: &Query) -> Result<Self, StoreError> {
        let descending = query.sort.as_ref().is_some_and(|sort| sort.order() == SortOrder::Descending);
        let reversed = descending != query.start.is_backward();
        let mut parts = match order {
            Order::Created => vec![Part::Created],
            Order::Id => vec![Part::Id],
            Order::Key { attribute, required: true } => vec![Part::With(attribute)],
            Order::Key { attribute, required: false } => {
                vec![Part::With(attribute), Part::Without(attribute)]
            }
            Order::Value { text, kind } => {
                vec![Part::Having(text.clone(), *kind), Part::Lacking(text.clone())]
            }
        };
        if reversed {
            parts.reverse();
        }
        let mut walk = Self { parts, reversed, behind: None };
        if let Some(place) = query.start.place() {
            walk.pass(place);
            if walk.behind.is_none() {
                return Err(StoreError::UnknownPlace);
            }
        }
        Ok(walk)
    }

    /// Through all resources, in the order of creation.
    pub(super) fn of_all() -> Self {
        Self { parts: vec![Part::Created], reversed: false, behind: None }
    }

    /// Whether one statement may be enough.
    pub(super) fn is_one_step(&self) -> bool {
        self.parts.len() == 1
    }

    /// What comes next; `None` at the end.
    pub(super) fn step(&self) -> Option<Step<'_>> {
        self.parts.first().map(|part| Step { part, reversed: self.reversed, behind: self.behind.as_ref() })
    }

    /// Goes on behind `place`, which is in this part or in a later one.
    pub(super) fn pass(&mut self, place: &Place) {
        while !self.parts.is_empty() {
            if let Some(bound) = self.parts.first().and_then(|part| part.bound(place)) {
                self.behind = Some(bound);
                return;
            }
            self.next_part();
        }
    }

    /// Goes on to the next part.
    pub(super) fn next_part(&mut self) {
        if !self.parts.is_empty() {
            self.parts.remove(0);
        }
        self.behind = None;
    }
}

impl Part {
    /// The place as one in this part, if it is.
    fn bound(&self, place: &Place) -> Option<Bound> {
        match (self, place) {
            (Self::Created, Place::Own(number)) => Some(Bound::Number(number.parse().ok()?)),
            (Self::Id, Place::Sorted(_, id))
            | (Self::Without(_) | Self::Lacking(_), Place::Sorted(None, id)) => {
                Some(Bound::Id(id.to_string()))
            }
            (Self::With(_), Place::Sorted(Some(SortKey::Text(key)), id)) => {
                Some(Bound::Key(key.to_string(), id.to_string()))
            }
            (Self::Having(_, kind), Place::Sorted(Some(key), id)) => {
                Some(Bound::Key(column_text(*kind, key)?, id.to_string()))
            }
            _ => None,
        }
    }
}

/// Which rows are read of a step.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted<'w> {
    /// As many at the most.
    pub(super) most: usize,
    pub(super) skip: usize,
    /// The type of the groups that are read with them.
    pub(super) groups: Option<&'w ResourceSchema>,
    /// Whether they may come in any order.
    pub(super) in_any_order: bool,
}

/// The rows that come next in a walk.
#[derive(Debug)]
pub(super) struct Step<'w> {
    part: &'w Part,
    reversed: bool,
    behind: Option<&'w Bound>,
}

impl Step<'_> {
    /// The attribute that the statements have right behind the values of the condition.
    fn attribute(&self) -> Option<&'static str> {
        match self.part {
            Part::With(attribute) | Part::Without(attribute) => Some(attribute),
            _ => None,
        }
    }

    /// The statement that counts the rows of the part.
    pub(super) fn count(&self, scope: Scope<'_>, sql: &Sql, dialect: Dialect) -> Statement {
        let mut text = "SELECT count(*)".to_owned();
        self.push_rows(&mut text, sql, dialect);
        self.begin(text, scope, sql)
    }

    /// The statement that reads the rows.
    ///
    /// PostgreSQL takes a tenth of all rows to be skipped where it is not said how many, and then plans the
    /// statement anew each time, which takes longer than a look-up.
    pub(super) fn read(
        &self,
        scope: Scope<'_>,
        sql: &Sql,
        dialect: Dialect,
        wanted: Wanted<'_>,
    ) -> Statement {
        let (value, key, id) = match self.part {
            Part::Created => ("NULL", None, "r.seq"),
            Part::Id | Part::Without(_) | Part::Lacking(_) => ("NULL", None, "r.id"),
            Part::With(_) => ("s.value", Some("s.value"), "s.id"),
            Part::Having(value, _) => (value.as_str(), Some(value.as_str()), "r.id"),
        };
        // Of a few resources that are looked up and sorted, SQLite would rather walk the whole type in its
        // order; the plus keeps it from that. PostgreSQL knows how many there are of what.
        let plus = if key.is_none() && sql.is_lookup && dialect == Dialect::Sqlite { "+" } else { "" };
        // Behind the condition's values and the attribute come the type of the groups, the place, the most
        // rows to read and how many to skip.
        let mut place = sql.values.len() + 3 + usize::from(self.attribute().is_some());
        let mut text = String::with_capacity(TEXT);
        let _ = write!(text, "SELECT r.seq, r.id, {value} AS value, r.body, ");
        match wanted.groups {
            Some(_) => members::push_groups_of(&mut text, next(&mut place), dialect),
            None => text.push_str("NULL"),
        }
        text.push_str(" AS groups");
        self.push_rows(&mut text, sql, dialect);
        if dialect == Dialect::Postgres && *self.part == Part::Created && !sql.is_lookup {
            text.push_str(IN_ORDER);
        }
        if self.behind.is_some() {
            let operator = if self.reversed { '<' } else { '>' };
            let _ = match key {
                None => write!(text, " AND {plus}{id} {operator} ?{}", next(&mut place)),
                Some(key) => {
                    let (behind_key, behind_id) = (next(&mut place), next(&mut place));
                    write!(text, " AND ({key}, {id}) {operator} (?{behind_key}, ?{behind_id})")
                }
            };
        }
        if !wanted.in_any_order {
            let direction = if self.reversed { "DESC" } else { "ASC" };
            let _ = match key {
                None => write!(text, " ORDER BY {plus}{id} {direction}"),
                Some(key) => write!(text, " ORDER BY {key} {direction}, {id} {direction}"),
            };
        }
        let _ = write!(text, " LIMIT ?{}", next(&mut place));
        if wanted.skip > 0 {
            let _ = write!(text, " OFFSET ?{}", next(&mut place));
        }

        let mut statement = self.begin(text, scope, sql);
        if let Some(groups) = wanted.groups {
            statement = statement.text(groups.name());
        }
        statement = self.with_place(statement).number(signed(wanted.most));
        if wanted.skip > 0 { statement.number(signed(wanted.skip)) } else { statement }
    }

    /// The statement that reads the rows if they are among the next ones of the walk, where the condition can be
    /// asked of each.
    ///
    /// Of a large group they mostly are. PostgreSQL without statistics would look all members up, and sort them, for
    /// a page of them.
    pub(super) fn read_near(&self, scope: Scope<'_>, sql: &Sql, wanted: Wanted<'_>) -> Option<Statement> {
        let each = sql.each.as_ref().filter(|_| *self.part == Part::Created && wanted.skip == 0)?;
        let (operator, direction) = if self.reversed { ('<', "DESC") } else { ('>', "ASC") };
        let mut place = sql.values.len() + 3;
        let mut text = format!(
            "SELECT r.seq, r.id, NULL AS value, r.body, NULL AS groups FROM (SELECT * FROM resources AS r \
             WHERE r.tenant = ?1 AND r.type = ?2{IN_ORDER}"
        );
        if self.behind.is_some() {
            let _ = write!(text, " AND r.seq {operator} ?{}", next(&mut place));
        }
        let (near, most) = (next(&mut place), next(&mut place));
        let _ = write!(
            text,
            " ORDER BY r.seq {direction} LIMIT ?{near}) AS r WHERE TRUE{each} ORDER BY r.seq {direction} LIMIT ?{most}"
        );
        let statement = self.with_place(self.begin(text, scope, sql));
        Some(statement.number(signed(wanted.most.saturating_mul(NEAR))).number(signed(wanted.most)))
    }

    /// The statement with the place that the walk is at, if it is at one.
    fn with_place(&self, statement: Statement) -> Statement {
        match self.behind {
            None => statement,
            Some(Bound::Number(number)) => statement.number(*number),
            Some(Bound::Id(id)) => statement.text(id),
            Some(Bound::Key(key, id)) => statement.text(key).text(id),
        }
    }

    /// The statement with the values that come first: tenant and type, those of the condition, the attribute.
    fn begin(&self, text: String, scope: Scope<'_>, sql: &Sql) -> Statement {
        // The text is made of constants and numbered places alone; see `Sql`.
        let statement = Statement::new(text).text(scope.tenant.as_str()).text(scope.schema.name());
        let statement = statement.values(&sql.values);
        match self.attribute() {
            Some(attribute) => statement.text(attribute),
            None => statement,
        }
    }

    /// Where the rows of the part are, and the condition on them.
    ///
    /// SQLite takes the tables of a CROSS JOIN in this order, and knows neither how many rows a table has nor
    /// what is rare in it: the keys of a resource it would look for among all there are. PostgreSQL looks each
    /// element of an array up, and takes it to have ten whatever it looks for: so it plans the statement once
    /// for all values. For a join it compares costs, and may plan anew each time.
    fn push_rows(&self, text: &mut String, sql: &Sql, dialect: Dialect) {
        let attribute = sql.values.len() + 3;
        // No index has the second, so that the keys of a resource are found by it.
        let (of_resource, of_any) = match dialect {
            Dialect::Sqlite => ("resource_keys AS s INDEXED BY resource_keys_by_resource", "s.attribute"),
            Dialect::Postgres => ("resource_keys AS s", "s.attribute || ''"),
        };
        text.push_str(" FROM ");
        if sql.by_key && dialect == Dialect::Sqlite {
            text.push_str("resource_keys AS k CROSS JOIN ");
        }
        let _ = match self.part {
            Part::With(_) if sql.is_lookup => write!(
                text,
                "resources AS r CROSS JOIN {of_resource} WHERE r.tenant = ?1 AND r.type = ?2 AND s.tenant = ?1 \
                 AND s.type = ?2 AND s.id = r.id AND {of_any} = ?{attribute}"
            ),
            Part::With(_) => write!(
                text,
                "resource_keys AS s JOIN resources AS r ON r.tenant = s.tenant AND r.type = s.type AND \
                 r.id = s.id WHERE s.tenant = ?1 AND s.type = ?2 AND s.attribute = ?{attribute}"
            ),
            _ => write!(text, "resources AS r WHERE r.tenant = ?1 AND r.type = ?2"),
        };
        if sql.by_key {
            let of_key = "k.tenant = ?1 AND k.type = ?2 AND k.attribute = ?3 AND k.value = ?4";
            let _ = match dialect {
                Dialect::Sqlite => write!(text, " AND {of_key} AND r.id = k.id"),
                Dialect::Postgres => write!(
                    text,
                    " AND r.id = ANY (ARRAY(SELECT k.id FROM resource_keys AS k WHERE {of_key}))"
                ),
            };
        }
        let _ = match self.part {
            Part::Created | Part::Id => Ok(()),
            Part::With(_) => write!(text, " AND length(s.value) <= {}", SortKey::LONGEST),
            Part::Without(_) => write!(
                text,
                " AND NOT EXISTS (SELECT 1 FROM {of_resource} WHERE s.tenant = ?1 AND s.type = ?2 AND \
                 s.id = r.id AND s.attribute = ?{attribute})"
            ),
            Part::Having(value, _) => write!(text, " AND {value} IS NOT NULL"),
            Part::Lacking(value) => write!(text, " AND {value} IS NULL"),
        };
        text.push_str(&sql.text);
    }

    /// Puts rows that came in any order into that of the walk.
    pub(super) fn sort(&self, rows: &mut [Row]) {
        match self.part {
            Part::Created => rows.sort_by_key(|row| row.seq),
            Part::Id | Part::Without(_) | Part::Lacking(_) => rows.sort_by(|a, b| a.id.cmp(&b.id)),
            Part::With(_) | Part::Having(..) => {
                rows.sort_by(|a, b| (&a.value, &a.id).cmp(&(&b.value, &b.id)));
            }
        }
        if self.reversed {
            rows.reverse();
        }
    }
}

/// The statement that counts the rows that a condition holds for.
pub(super) fn count(scope: Scope<'_>, sql: &Sql, dialect: Dialect) -> Statement {
    if sql.by_key && sql.text.is_empty() {
        // A resource has a key once, and its keys go with it: those of an index are all there is to count.
        let text = "SELECT count(*) FROM resource_keys AS k \
                    WHERE k.tenant = ?1 AND k.type = ?2 AND k.attribute = ?3 AND k.value = ?4";
        let statement = Statement::new(text).text(scope.tenant.as_str()).text(scope.schema.name());
        return statement.values(&sql.values);
    }
    Step { part: &Part::Created, reversed: false, behind: None }.count(scope, sql, dialect)
}

/// What PostgreSQL's index of the order of creation is asked by. SQLite's is of all rows: by this it would begin at the
/// first of them, wherever the page begins.
const IN_ORDER: &str = " AND r.seq >= 0";

/// Among how many times as many rows as are wanted these are looked for first.
const NEAR: usize = 20;

/// The number of the next parameter.
fn next(place: &mut usize) -> usize {
    *place += 1;
    *place - 1
}

fn signed(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// About as much text as the statement of a look-up has.
const TEXT: usize = 1024;

/// The attribute whose dates are the service's own, of no more digits than count.
const META: &str = "meta";
