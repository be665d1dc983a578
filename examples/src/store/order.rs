//! The orders that the database puts rows in, and walking through resources in them.
//!
//! Those of creation, of `id` and of the indexed attributes are read off an index. By another
//! attribute of one value the database sorts; by what is left, `query.rs` ranks in memory.
//!
//! A walk goes on from a place by its key and id, so that a page deep in a list costs what the
//! first does, and nothing is met twice or missed when others write between two pages.

use std::borrow::Cow;

use scim_core::query::{Place, Query};
use scim_core::schema::{AttributeType, ResourceSchema};
use scim_core::sort::{Sort, SortKey, SortOrder};
use scim_core::store::StoreError;
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

/// A row of a list.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Row {
    pub(super) seq: i64,
    pub(super) id: String,
    /// The sort key, where the order is by one.
    pub(super) value: Option<String>,
    pub(super) body: String,
    /// The groups that have it as a member, where they were asked for: an array of id and body of each.
    pub(super) groups: Option<String>,
}

impl TryFrom<&rusqlite::Row<'_>> for Row {
    type Error = rusqlite::Error;

    fn try_from(row: &rusqlite::Row<'_>) -> Result<Self, rusqlite::Error> {
        let (seq, id, value, body, groups) = row.try_into()?;
        Ok(Self { seq, id, value, body, groups })
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
        let indexed = indexed.filter(|name| usable && keys::indexed(schema, name).is_some());
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
            AttributeType::String
            | AttributeType::Reference
            | AttributeType::Binary
            | AttributeType::DateTime => json.text(dialect),
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
            let instant = Instant::parse(&text)?;
            SortKey::Instant { seconds: instant.unix_seconds(), fraction: instant.fraction().into() }
        }
        _ => SortKey::Text(text.into()),
    })
}

/// The text that stands in the database for a sort key.
fn column_text(kind: AttributeType, key: &SortKey) -> Option<String> {
    match (kind, key) {
        (AttributeType::Boolean, SortKey::Boolean(value)) => Some(i32::from(*value).to_string()),
        (AttributeType::DateTime, SortKey::Instant { seconds, fraction }) => {
            let point = if fraction.is_empty() { "" } else { "." };
            let text = format!("{}{point}{fraction}Z", rfc3339(*seconds));
            let collation = Collation { kind, case_exact: true };
            sql::key(collation, &text).map(Cow::into_owned)
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

/// The rows that come next in a walk.
#[derive(Debug)]
pub(super) struct Step<'w> {
    part: &'w Part,
    reversed: bool,
    behind: Option<&'w Bound>,
}

impl<'w> Step<'w> {
    /// The attribute that the statements have right behind the values of the condition.
    pub(super) fn attribute(&self) -> Option<&'static str> {
        match self.part {
            Part::With(attribute) | Part::Without(attribute) => Some(attribute),
            _ => None,
        }
    }

    /// The statement that counts the rows of the part.
    pub(super) fn count_text(&self, sql: &Sql) -> String {
        format!("SELECT count(*) {}{}", self.rows(sql), sql.text)
    }

    /// The statement that reads the rows. Behind the condition's values and the attribute come the
    /// place, the most rows to read, how many to skip if any are, and the type of the groups if these are
    /// read too.
    ///
    /// PostgreSQL takes a tenth of all rows to be skipped where it is not said how many, and then plans the
    /// statement anew each time, which takes longer than a look-up.
    pub(super) fn text(&self, sql: &Sql, dialect: Dialect, skips: bool, with_groups: bool) -> String {
        let columns = match self.part {
            Part::Created => vec![ordered("r.seq", sql, dialect)],
            Part::Id | Part::Without(_) | Part::Lacking(_) => vec![ordered("r.id", sql, dialect)],
            Part::With(_) => vec!["s.value".to_owned(), "s.id".to_owned()],
            Part::Having(text, _) => vec![text.clone(), "r.id".to_owned()],
        };
        let (operator, direction) = if self.reversed { ("<", "DESC") } else { (">", "ASC") };
        let mut next = sql.values.len() + 3 + usize::from(self.attribute().is_some());
        let mut place = || {
            next += 1;
            format!("?{}", next - 1)
        };
        let behind = match self.behind {
            None => String::new(),
            Some(_) => {
                let places: Vec<String> = columns.iter().map(|_| place()).collect();
                format!(" AND ({}) {operator} ({})", columns.join(", "), places.join(", "))
            }
        };
        let order: Vec<String> = columns.iter().map(|column| format!("{column} {direction}")).collect();
        let value = match self.part {
            Part::With(_) => "s.value",
            Part::Having(text, _) => text,
            _ => "NULL",
        };
        let most = place();
        let skip = if skips { format!(" OFFSET {}", place()) } else { String::new() };
        let groups = if with_groups { members::groups_of("r", &place(), dialect) } else { "NULL".to_owned() };
        format!(
            "SELECT r.seq, r.id, {value} AS value, r.body, {groups} AS groups {}{}{behind} ORDER BY {} \
             LIMIT {most}{skip}",
            self.rows(sql),
            sql.text,
            order.join(", "),
        )
    }

    /// Where the rows of the part are, the condition's text still to come.
    fn rows(&self, sql: &Sql) -> String {
        let attribute = sql.values.len() + 3;
        match self.part {
            Part::Created | Part::Id => "FROM resources AS r WHERE r.tenant = ?1 AND r.type = ?2".to_owned(),
            Part::Having(text, _) => {
                format!("FROM resources AS r WHERE r.tenant = ?1 AND r.type = ?2 AND {text} IS NOT NULL")
            }
            Part::Lacking(text) => {
                format!("FROM resources AS r WHERE r.tenant = ?1 AND r.type = ?2 AND {text} IS NULL")
            }
            Part::With(_) => format!(
                "FROM resource_keys AS s JOIN resources AS r ON r.tenant = s.tenant AND r.type = s.type AND \
                 r.id = s.id WHERE s.tenant = ?1 AND s.type = ?2 AND s.attribute = ?{attribute}"
            ),
            Part::Without(_) => format!(
                "FROM resources AS r WHERE r.tenant = ?1 AND r.type = ?2 AND NOT EXISTS (SELECT 1 FROM \
                 resource_keys AS s WHERE s.tenant = ?1 AND s.type = ?2 AND s.id = r.id AND s.attribute = \
                 ?{attribute})"
            ),
        }
    }

    /// The statement with the values of the place bound.
    pub(super) fn bind_place(&self, statement: Statement) -> Statement {
        match self.behind {
            None => statement,
            Some(Bound::Number(number)) => statement.number(*number),
            Some(Bound::Id(id)) => statement.text(id),
            Some(Bound::Key(key, id)) => statement.text(key).text(id),
        }
    }
}

/// The column of a list's order. The plus keeps SQLite from walking the whole type in its order when
/// a few resources can be looked up and sorted; PostgreSQL knows how many there are of what.
fn ordered(column: &'static str, sql: &Sql, dialect: Dialect) -> String {
    let plus = if sql.is_lookup && dialect == Dialect::Sqlite { "+" } else { "" };
    format!("{plus}{column}")
}
