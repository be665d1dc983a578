//! Statements that both databases take.
//!
//! They are written once, with SQLite's parameters `?1`, `?2`, …; PostgreSQL's are `$1`, `$2`, ….
//! Values reach a statement by its parameters alone, so a `?` in it is always one.

use std::borrow::Cow;

use scim_core::store::StoreError;
use scim_filter::sql::{Dialect, SqlValue};
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, FromRow};

use super::super::connections::within;
use super::super::direct::Read;
use super::failure;
use super::transaction::{Connection, Reads, Tx};

/// A row that both databases give.
pub(in crate::store) trait Record:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Read + Send + Unpin
{
}

impl<T> Record for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Read + Send + Unpin
{}

/// A statement with the values of its parameters, `?1` and on.
#[cfg_attr(test, derive(Debug))]
pub(in crate::store) struct Statement {
    text: Cow<'static, str>,
    values: Vec<SqlValue>,
}

/// The query with its values. Each database has query types of its own, and no trait has their `bind`.
macro_rules! bind {
    ($query:expr, $values:expr) => {
        $values.into_iter().fold($query, |query, value| match value {
            SqlValue::Text(value) => query.bind(value),
            SqlValue::Integer(value) => query.bind(value),
            SqlValue::Float(value) => query.bind(value),
            SqlValue::Boolean(value) => query.bind(value),
        })
    };
}

impl Statement {
    /// `text` is made of constants and parameters alone.
    pub(in crate::store) fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into(), values: Vec::new() }
    }

    /// The next parameter is this text.
    pub(in crate::store) fn text(self, value: impl Into<String>) -> Self {
        self.value(SqlValue::Text(value.into()))
    }

    /// The next parameter is this number.
    pub(in crate::store) fn number(self, value: i64) -> Self {
        self.value(SqlValue::Integer(value))
    }

    /// The next parameter is true or false.
    pub(in crate::store) fn flag(self, value: bool) -> Self {
        self.value(SqlValue::Boolean(value))
    }

    pub(in crate::store) fn value(mut self, value: SqlValue) -> Self {
        self.values.push(value);
        self
    }

    /// The next parameters are these.
    pub(in crate::store) fn values(mut self, values: &[SqlValue]) -> Self {
        self.values.extend_from_slice(values);
        self
    }

    #[cfg(test)]
    pub(in crate::store) fn parts(&self) -> (&str, &[SqlValue]) {
        (&self.text, &self.values)
    }

    /// The text with PostgreSQL's parameters. A question mark that is none has no digit behind it.
    pub(in crate::store) fn for_postgres(&self) -> String {
        let mut text = String::with_capacity(self.text.len());
        let mut rest = &*self.text;
        while let Some((before, behind)) = rest.split_once('?') {
            text.push_str(before);
            text.push(if behind.starts_with(|first: char| first.is_ascii_digit()) { '$' } else { '?' });
            rest = behind;
        }
        text.push_str(rest);
        text
    }

    /// The rows it gives.
    pub(in crate::store) async fn rows<T: Record>(self, tx: &mut Tx) -> Result<Vec<T>, StoreError> {
        if let Tx::SqliteDirect(Reads { direct, .. }) = tx
            && let Some(rows) = direct.rows(&self.text, &self.values)
        {
            return Ok(rows);
        }
        // On the heap, so that what looks something up at once, and is moved about with all it may come to
        // hold, stays small.
        Box::pin(self.rows_of_pool(tx)).await
    }

    async fn rows_of_pool<T: Record>(self, tx: &mut Tx) -> Result<Vec<T>, StoreError> {
        match tx.connection().await? {
            Connection::Sqlite(connection) => {
                let text = AssertSqlSafe(String::from(self.text));
                let query = bind!(sqlx::query_as(text), self.values);
                query.fetch_all(connection).await
            }
            Connection::Postgres(lent) => {
                let text = AssertSqlSafe(self.for_postgres());
                let query = bind!(sqlx::query_as(text), self.values);
                let (connection, ends) = lent.ask()?;
                let rows = within(ends, query.fetch_all(connection)).await;
                lent.heard(rows)
            }
        }
        .map_err(failure)
    }

    /// The first row it gives.
    pub(in crate::store) async fn row<T: Record>(self, tx: &mut Tx) -> Result<Option<T>, StoreError> {
        Ok(self.rows(tx).await?.into_iter().next())
    }

    /// Executes it; the number of rows that it changed.
    pub(in crate::store) async fn execute(self, tx: &mut Tx) -> Result<u64, StoreError> {
        match tx.connection().await? {
            Connection::Sqlite(connection) => {
                let text = AssertSqlSafe(String::from(self.text));
                let query = bind!(sqlx::query(text), self.values);
                query.execute(connection).await.map(|done| done.rows_affected())
            }
            Connection::Postgres(lent) => {
                let text = AssertSqlSafe(self.for_postgres());
                let query = bind!(sqlx::query(text), self.values);
                let (connection, ends) = lent.ask()?;
                let done = within(ends, query.execute(connection)).await;
                lent.heard(done).map(|done| done.rows_affected())
            }
        }
        .map_err(failure)
    }
}

/// `items` in parts of a few sizes, so that statements with a parameter for each item have a few
/// texts, and are prepared once each.
pub(in crate::store) fn batches<T>(mut items: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = BATCHES.into_iter().find(|size| *size <= items.len())?;
        let (batch, rest) = items.split_at_checked(size)?;
        items = rest;
        Some(batch)
    })
}

/// The parameters from `first` on, for `number` items of `each`: `(?4, ?5), (?6, ?7)`.
pub(in crate::store) fn places(first: usize, number: usize) -> String {
    let places: Vec<String> = (first..first + number).map(|place| format!("?{place}")).collect();
    places.join(", ")
}

/// The text of a statement that looks up rows of `table` for which `conditions` hold, by the keys in the parameters
/// `keys` that `column` may have.
///
/// PostgreSQL looks up key after key: it would otherwise look at each row for which the conditions hold, and compare
/// it with all keys, wherever it takes these rows to be few. So it does where it knows nothing of them yet, and of a
/// group of more members than most.
pub(in crate::store) fn look_up(
    dialect: Dialect,
    columns: &str,
    table: &str,
    conditions: &str,
    column: &str,
    keys: &str,
) -> String {
    match dialect {
        Dialect::Sqlite => {
            format!("SELECT {columns} FROM {table} WHERE {conditions} AND {column} IN ({keys})")
        }
        // What has an OFFSET is not made part of the statement around it.
        Dialect::Postgres => format!(
            "SELECT {columns} FROM unnest(ARRAY[{keys}]) AS wanted (wanted_key) CROSS JOIN LATERAL \
             (SELECT {columns} FROM {table} WHERE {conditions} AND {column} = wanted_key OFFSET 0) AS found"
        ),
    }
}

/// Items in one statement.
const BATCHES: [usize; 4] = [512, 64, 8, 1];
