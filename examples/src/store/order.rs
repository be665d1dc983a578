//! The orders that indexes of the tables have, and walking through resources in them.
//!
//! A walk goes on from a place by its key and id, so that a page deep in a list costs what the
//! first does, and nothing is met twice or missed when others write between two pages.

use scim_core::query::{Place, Query};
use scim_core::schema::ResourceSchema;
use scim_core::sort::{Sort, SortKey, SortOrder};
use scim_core::store::StoreError;
use scim_filter::sql::Dialect;

use super::condition::Sql;
use super::database::Statement;
use super::keys;
use super::members::{MEMBERS, member_value};

/// An order that an index has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
}

/// A row of a list.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Row {
    pub(super) seq: i64,
    pub(super) id: String,
    /// The sort key, where the order is by one.
    pub(super) value: Option<String>,
    pub(super) body: String,
}

impl Order {
    /// The order of a list; `None` where no index has it.
    pub(super) fn of(schema: &ResourceSchema, sort: Option<&Sort>) -> Result<Option<Self>, StoreError> {
        let Some(by) = sort.map(Sort::by) else { return Ok(Some(Self::Created)) };
        if by.extension.is_some() {
            return Ok(None);
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
        Ok(indexed.filter(|name| usable && keys::indexed(schema, name).is_some()).map(|attribute| {
            let required = schema.find(None, attribute).is_some_and(|attribute| attribute.required);
            Self::Key { attribute, required }
        }))
    }

    /// Where a row of a walk in this order is.
    pub(super) fn place(self, row: &Row) -> Place {
        let text = |text: &str| SortKey::Text(text.into());
        match self {
            Self::Created => Place::Own(row.seq.to_string().into()),
            Self::Id => Place::Sorted(Some(text(&row.id)), row.id.as_str().into()),
            Self::Key { .. } => Place::Sorted(row.value.as_deref().map(text), row.id.as_str().into()),
        }
    }
}

/// One of the indexes a walk goes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Created,
    Id,
    /// The resources that have the attribute.
    With(&'static str),
    /// Those that have not, by `id`.
    Without(&'static str),
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
    pub(super) fn new(order: Order, query: &Query) -> Result<Self, StoreError> {
        let descending = query.sort.as_ref().is_some_and(|sort| sort.order() == SortOrder::Descending);
        let reversed = descending != query.start.is_backward();
        let mut parts = match order {
            Order::Created => vec![Part::Created],
            Order::Id => vec![Part::Id],
            Order::Key { attribute, required: true } => vec![Part::With(attribute)],
            Order::Key { attribute, required: false } => {
                vec![Part::With(attribute), Part::Without(attribute)]
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

    /// What comes next; `None` at the end.
    pub(super) fn step(&self) -> Option<Step<'_>> {
        self.parts.first().map(|part| Step {
            part: *part,
            reversed: self.reversed,
            behind: self.behind.as_ref(),
        })
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
    fn bound(self, place: &Place) -> Option<Bound> {
        match (self, place) {
            (Self::Created, Place::Own(number)) => Some(Bound::Number(number.parse().ok()?)),
            (Self::Id, Place::Sorted(_, id)) | (Self::Without(_), Place::Sorted(None, id)) => {
                Some(Bound::Id(id.to_string()))
            }
            (Self::With(_), Place::Sorted(Some(SortKey::Text(key)), id)) => {
                Some(Bound::Key(key.to_string(), id.to_string()))
            }
            _ => None,
        }
    }
}

/// The rows that come next in a walk.
#[derive(Debug)]
pub(super) struct Step<'w> {
    part: Part,
    reversed: bool,
    behind: Option<&'w Bound>,
}

impl<'w> Step<'w> {
    /// The attribute that the statements have right behind the values of the condition.
    pub(super) fn attribute(&self) -> Option<&'static str> {
        match self.part {
            Part::Created | Part::Id => None,
            Part::With(attribute) | Part::Without(attribute) => Some(attribute),
        }
    }

    /// The statement that counts the rows of the part.
    pub(super) fn count_text(&self, sql: &Sql) -> String {
        format!("SELECT count(*) {}{}", self.rows(sql), sql.text)
    }

    /// The statement that reads the rows. Behind the condition's values and the attribute come the
    /// place, the most rows to read, and how many to skip.
    pub(super) fn text(&self, sql: &Sql, dialect: Dialect) -> String {
        let columns = match self.part {
            Part::Created => vec![ordered("r.seq", sql, dialect)],
            Part::Id | Part::Without(_) => vec![ordered("r.id", sql, dialect)],
            Part::With(_) => vec!["s.value".to_owned(), "s.id".to_owned()],
        };
        let (operator, direction) = if self.reversed { ("<", "DESC") } else { (">", "ASC") };
        let mut next = sql.binds.len() + 3 + usize::from(self.attribute().is_some());
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
        let value = if matches!(self.part, Part::With(_)) { "s.value" } else { "NULL" };
        format!(
            "SELECT r.seq, r.id, {value} AS value, r.body {}{}{behind} ORDER BY {} LIMIT {} OFFSET {}",
            self.rows(sql),
            sql.text,
            order.join(", "),
            place(),
            place(),
        )
    }

    /// Where the rows of the part are, the condition's text still to come.
    fn rows(&self, sql: &Sql) -> String {
        let attribute = sql.binds.len() + 3;
        match self.part {
            Part::Created | Part::Id => "FROM resources AS r WHERE r.tenant = ?1 AND r.type = ?2".to_owned(),
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
    let plus = if sql.selective && dialect == Dialect::Sqlite { "+" } else { "" };
    format!("{plus}{column}")
}
